//! What the Receive connector of an Exchange server makes of a session: is there one for the client, room for it, refusals at MAIL, at RCPT and
//! after the content, and the time that a refused stranger loses. What it counts for that: connections at once, messages in a minute, and hops inside the organization.
//!
//! The servers of the organization talk to each other at a connector of their own (`Default`), so what is limited for one source is not for them.
//! Not modelled: protocol errors and failed logins in a session, see `decide::exchange::receive_limits`.

use super::authentication::AtTheDoor;
use super::chance::name_key;
use super::session::{Stop, Talk};
use super::world::World;
use crate::base::{HostId, MINUTE, Reply, SimTime};
use crate::decide::Decision;
use crate::decide::exchange::receive_connector::{find, nobody_has, refusal_at_mail, rights};
use crate::decide::exchange::{internal_smtp_servers, receive_limits};
use crate::decide::visitor::{Peer, Visitor};
use crate::model::exchange_server::Organization;
use crate::model::receive_connector::ReceiveConnector;
use crate::model::settings::Listener;
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// About what the fields take that every message has in its header.
const USUAL_HEADER_BYTES: u64 = 2_048;

/// Question of all these decisions.
const QUESTION: &str = "does the Receive connector bear it?";

/// A Receive connector: its server, and its name as a number.
type Place = (HostId, u64);

/// What Receive connectors count, and other servers of their clients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbound {
    pub(super) clients: super::client_limits::Clients,
    open: BTreeMap<Place, u32>,
    by_source: BTreeMap<(Place, IpAddr), u32>,
    /// The connector and the source of each session, by job.
    sessions: BTreeMap<u32, (Place, IpAddr)>,
    /// When connections came in the last minute.
    opened: BTreeMap<HostId, VecDeque<SimTime>>,
    /// When messages came that a rate counts, by sender or by address.
    rates: BTreeMap<(Place, Box<str>), VecDeque<SimTime>>,
    /// Received fields on top of a copy's message that servers of the organization wrote which has it.
    local_hops: BTreeMap<u32, u32>,
}

/// A connector that has a client, as far as a session needs it.
struct Met<'m> {
    connector: &'m ReceiveConnector,
    known: bool,
}

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// What the client of a job meets at a listener: its Receive connector may announce less than the listener does.
    #[inline]
    pub(super) fn face(&self, job: u32, listener: &'m Listener) -> &'m Listener {
        let server = self.jobs[job].line.server;
        if self.settings[server.index()].has_receive_connectors { self.face_of_connector(job, server, listener) } else { listener }
    }

    #[cold]
    #[inline(never)]
    fn face_of_connector(&self, job: u32, server: HostId, listener: &'m Listener) -> &'m Listener {
        let Some(organization) = self.organization_of(server) else { return listener };
        let client = self.client_of(job);
        let Some(address) = self.seen_address(job, client, self.jobs[job].line.address) else { return listener };
        let visitor = Visitor { listener: Some(listener), ..Visitor::plain(Peer { host: client, address: Some(address) }) };
        find(organization, &visitor).map_or(listener, |connector| connector.face(listener))
    }

    /// The connector of a session under way.
    fn met(&self, talk: &Talk<'_>) -> Option<Met<'m>> {
        let organization = self.organization_of(talk.server)?;
        self.with_visitor(talk, |visitor, _| {
            let connector = find(organization, visitor)?;
            let (rights, _) = rights(organization, connector, visitor);
            Some(Met { connector, known: rights.authenticated })
        })
    }

    /// Is there room for a session at the connector that has the client? Counts it, or says why not.
    pub(super) fn room_for(&mut self, job: u32, listener: &Listener) -> Result<(), (u32, &'static str)> {
        let server = self.jobs[job].line.server;
        let Some(organization) = self.organization_of(server) else { return self.room_for_client(job) };
        let client = self.client_of(job);
        let Some(address) = self.seen_address(job, client, self.jobs[job].line.address) else { return Ok(()) };
        if organization.server(client).is_some() {
            return Ok(());
        }
        let visitor = Visitor { listener: Some(listener), ..Visitor::plain(Peer { host: client, address: Some(address) }) };
        let Some(connector) = find(organization, &visitor) else {
            if organization.receive_connectors.is_empty() {
                return Ok(());
            }
            let reply = self.note_limit(job, server, &nobody_has(address));
            return Err((self.tables.replies.intern(reply), "no Receive connector has the client"));
        };
        let place = (server, name_key("connector", &connector.name));
        let now = self.now;
        let again = self.goes_over_kept(job);
        let inbound = &mut self.inbound;
        let opened = inbound.opened.entry(server).or_default();
        while opened.front().is_some_and(|first| now.since(*first) >= MINUTE) {
            opened.pop_front();
        }
        let per_minute = organization.transport.connections_per_minute;
        if !again && opened.len() as u64 >= u64::from(per_minute) {
            let reply = self.note_limit(job, server, &receive_limits::opened_too_often(&connector.name, per_minute));
            return Err((self.tables.replies.intern(reply), "too many connections in a minute"));
        }
        let open = inbound.open.entry(place).or_default();
        let same = inbound.by_source.entry((place, address)).or_default();
        match receive_limits::connection(connector, *open, *same) {
            None => {
                (*open, *same) = (*open + 1, *same + 1);
                if !again {
                    inbound.opened.entry(server).or_default().push_back(now);
                }
                inbound.sessions.insert(job, (place, address));
                Ok(())
            }
            Some(refusal) => {
                let reply = self.note_limit(job, server, &refusal);
                Err((self.tables.replies.intern(reply), "too many connections at the Receive connector"))
            }
        }
    }

    /// A session is over.
    pub(super) fn leaves_room(&mut self, job: u32) {
        self.client_leaves(job);
        let inbound = &mut self.inbound;
        let Some((place, address)) = inbound.sessions.remove(&job) else { return };
        if let Some(open) = inbound.open.get_mut(&place) {
            *open -= 1;
        }
        if let Some(same) = inbound.by_source.get_mut(&(place, address)) {
            *same -= 1;
            if *same == 0 {
                inbound.by_source.remove(&(place, address));
            }
        }
    }

    /// Keeps the reason for `explain`.
    fn note_limit<T: std::fmt::Debug + Clone>(&mut self, job: u32, server: HostId, decision: &Decision<T>) -> T {
        let stored = self.store(QUESTION, server, NONE, decision);
        self.trace_of_job(job, &[stored]);
        decision.outcome.clone()
    }

    /// The refusal at MAIL, if there is one.
    pub(super) fn refused_by_connector(&mut self, talk: &Talk<'_>, announced_bytes: Option<u64>) -> Option<Reply> {
        let asks = self.organization_of(talk.server).is_some_and(|organization| organization.transport.refuses_without_shadow.is_some());
        let shadowed = !asks || self.shadow_of(talk.server, talk.now).is_some();
        let refusal = self.with_visitor(talk, |visitor, directory| {
            directory.organization().and_then(|organization| refusal_at_mail(organization, visitor, talk.encrypted, shadowed))
        });
        if let Some(refusal) = refusal {
            let stored = self.store("may the client submit?", talk.server, NONE, &refusal);
            self.trace_of_job(talk.job, &[stored]);
            return Some(refusal.outcome);
        }
        let connector = self.met(talk)?.connector;
        let lasted = receive_limits::lasting(connector, talk.now.since(self.now), talk.rtt);
        let refusal = lasted.or_else(|| receive_limits::size(connector, announced_bytes?)).or_else(|| self.too_fast(talk, connector));
        refusal.map(|refusal| self.note_limit(talk.job, talk.server, &refusal))
    }

    /// Counts a message, or says that its sender or its client sends too many.
    fn too_fast(&mut self, talk: &Talk<'_>, connector: &ReceiveConnector) -> Option<Decision<Reply>> {
        let (by_sender, by_address) = receive_limits::counted_by(&connector.limits);
        let address = self.seen_address(talk.job, talk.client, talk.address).filter(|_| by_address).map(|address| address.to_string());
        let sender = by_sender.then(|| format!("<{}>", self.sender_text_of(self.jobs[talk.job].copy)));
        let place = (talk.server, name_key("connector", &connector.name));
        let counted: SmallVec<[String; 2]> = sender.into_iter().chain(address).collect();
        for whom in &counted {
            let seen = self.inbound.rates.entry((place, whom.as_str().into())).or_default();
            while seen.front().is_some_and(|first| talk.now.since(*first) >= MINUTE) {
                seen.pop_front();
            }
            if seen.len() as u64 >= u64::from(connector.limits.messages_per_minute) {
                return Some(receive_limits::too_fast(connector, whom));
            }
        }
        for whom in counted {
            self.inbound.rates.entry((place, whom.into())).or_default().push_back(talk.now);
        }
        None
    }

    /// The answer of the connector to one more recipient where `accepted` were taken, before anybody looks at whose it is. 421 closes the connection.
    pub(super) fn limit_at_rcpt(&mut self, talk: &Talk<'_>, accepted: u32, index: u16) -> Result<(), Stop> {
        let Some(met) = self.met(talk) else { return Ok(()) };
        let lasted = receive_limits::lasting(met.connector, talk.now.since(self.now), talk.rtt);
        match lasted.or_else(|| receive_limits::recipient(met.connector, accepted)) {
            Some(refusal) => {
                let stored = self.store(QUESTION, talk.server, NONE, &refusal);
                self.trace_decisions(self.jobs[talk.job].copy, Concern::in_session(index), &[stored]);
                Err(Stop::Reply(refusal.outcome))
            }
            None => Ok(()),
        }
    }

    /// A refusal at RCPT costs a stranger time, and him who does not wait so long the session.
    pub(super) fn tarpitted(&mut self, talk: &mut Talk<'_>) -> Result<(), Stop> {
        let Some(met) = self.met(talk).filter(|met| !met.known && met.connector.limits.tarpit_ns > 0) else { return Ok(()) };
        let decision = receive_limits::tarpit(met.connector);
        let ns = self.note_limit(talk.job, talk.server, &decision);
        let patience_ns = talk.timers.rcpt_ns;
        if ns > patience_ns {
            return Err(Stop::Silent(talk.now.after(patience_ns)));
        }
        talk.now = talk.now.after(ns);
        Ok(())
    }

    /// The refusal after the content, if there is one: too long under way, too large, too large a header, round too often.
    pub(super) fn content_refused_by_connector(&mut self, talk: &Talk<'_>, hops: u32) -> Option<Reply> {
        let connector = self.met(talk)?.connector;
        let copy = self.jobs[talk.job].copy;
        let (size, local) = (self.messages[self.copies[copy].message].size, self.local_hops(copy, talk.server));
        let refusal = receive_limits::lasting(connector, talk.now.since(self.now), talk.rtt)
            .or_else(|| receive_limits::hops(connector, hops, local))
            .or_else(|| receive_limits::header(connector, self.header_bytes(copy)))
            .or_else(|| receive_limits::size(connector, size))?;
        Some(self.note_limit(talk.job, talk.server, &refusal))
    }

    /// Where a message came from for an organization that knows its own relays.
    pub(super) fn past_own_relays(&mut self, door: AtTheDoor, organization: &Organization, path: &[IpAddr], connected: IpAddr) -> IpAddr {
        if organization.internal_smtp_servers.is_empty() {
            return connected;
        }
        let decision = internal_smtp_servers::source(&organization.internal_smtp_servers, path, connected);
        let stored = self.store("which hop did the message come from?", door.server, NONE, &decision);
        self.trace_of_job(door.job, &[stored]);
        decision.outcome
    }

    /// About how many bytes the header of a message has.
    fn header_bytes(&self, copy: u32) -> u64 {
        let message = &self.messages[self.copies[copy].message];
        let usual = USUAL_HEADER_BYTES.min(message.size);
        let written = self.sources_model.get(message.source as usize).is_some_and(|source| !source.headers.is_empty());
        if !written && self.copies[copy].arrival.carried == NONE {
            return usual;
        }
        let of_field = |header: &crate::model::letter::Header| (header.name.len() + header.value.len() + 4) as u64;
        usual + self.letter(copy).headers.iter().map(of_field).sum::<u64>()
    }

    /// Received fields on top of a message that the server's own organization wrote, with the one that it is about to write.
    fn local_hops(&self, copy: u32, server: HostId) -> u32 {
        let inside = self.organization_of(server).is_some_and(|organization| organization.server(self.copies[copy].host).is_some());
        1 + if inside { self.inbound.local_hops.get(&copy).copied().unwrap_or(0) } else { 0 }
    }

    /// A message went from one copy into another one at this server: how many of its last hops were inside the organization.
    pub(super) fn count_local_hop(&mut self, from: u32, to: u32, server: HostId) {
        if self.settings[server.index()].has_receive_connectors {
            let hops = self.local_hops(from, server);
            self.inbound.local_hops.insert(to, hops);
        }
    }

    /// The same message in the same queue, or in that of a neighbour without a hop between.
    pub(super) fn keep_local_hops(&mut self, from: u32, to: u32) {
        if let Some(hops) = self.inbound.local_hops.get(&from).copied() {
            self.inbound.local_hops.insert(to, hops);
        }
        self.keep_age(from, to);
    }

    /// Nothing of a copy is left.
    pub(super) fn forget_local_hops(&mut self, copy: u32) {
        self.inbound.local_hops.remove(&copy);
        self.transport_queues.ages.remove(&copy);
    }
}
