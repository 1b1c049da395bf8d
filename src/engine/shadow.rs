//! What survives the death of an Exchange server? Shadow redundancy: another server holds a copy until the next hop has confirmed.
//!
//! The shadow takes over after ShadowResubmitTimeSpan, or at the next heartbeat when the server comes back with an empty queue database. It learns of
//! deliveries only with the heartbeat, so mail that left in the last moments before the death is sent twice; and a server that was silent for longer and
//! comes back with its queue sends everything that its shadow has sent already. A mailbox removes the duplicate, somebody outside does not. Who holds
//! shadows is said by `decide::exchange::redundancy`. Sources: Exchange Server "Shadow redundancy", Set-TransportConfig. A line that is cut
//! when mail comes lets no shadow be made; one that is cut later is not noticed (not modelled: heartbeats over it).

use super::route::Stop;
use super::world::{Copy, RecipientState, World};
use crate::base::{Enhanced, Fate, HostId, InOrder, SimTime};
use crate::decide::exchange::redundancy::shadow_servers;
use crate::decide::{Because, because};
use crate::model::exchange_server::{Organization, ServerVersion};
use crate::model::fault::{FaultKind, Window, hosts_of};
use crate::model::topology::HostSet;
use crate::trace::level::FATES;
use crate::trace::{Concern, FateRow, NONE};
use smallvec::SmallVec;

const SOURCE: &str = "Exchange Server shadow redundancy";

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// The server that holds the shadow of what came to another one then: the first of those asked that was up and could be reached.
    pub(super) fn shadow_of(&mut self, host: HostId, at: SimTime) -> Option<HostId> {
        let candidates = shadow_servers(self.organization_of(host)?);
        let model = self.model;
        candidates.into_iter().find(|other| {
            let reached = self.faults.down(model, *other, None, at).is_none() && self.faults.line(model, host, *other, at).is_none();
            reached && !self.takes_no_shadows(*other, at)
        })
    }

    /// The server that holds the shadow of a copy: in Exchange 2010 the hop before.
    fn holder_of(&mut self, copy: u32) -> Option<HostId> {
        let (host, arrived) = (self.copies[copy].host, self.copies[copy].arrived);
        match self.organization_of(host)?.version {
            ServerVersion::Exchange2010 => {
                let before = self.transport_queues.redundancy.hop_before(copy)?;
                self.organization_of(host)?.server(before).map(|server| server.host)
            }
            _ => self.shadow_of(host, arrived),
        }
    }

    /// Rule and words for what a shadow sends on.
    fn words(&self, host: HostId, newer: (&'static str, &'static str), in_2010: &'static str) -> (&'static str, &'static str) {
        let is_2010 = self.organization_of(host).is_some_and(|organization| organization.version == ServerVersion::Exchange2010);
        if is_2010 { ("SHD-3", in_2010) } else { newer }
    }

    /// Exchange 2010: does a holder know another way for what a silent server has? Else it stays where it is, and arrives once.
    fn knows_another_way(&mut self, copy: u32, holder: HostId, silent: HostId) -> bool {
        let Some(organization) = self.organization_of(holder).filter(|organization| organization.version == ServerVersion::Exchange2010)
        else {
            return true;
        };
        let hop = organization.server(silent).map(|server| server.hop);
        let (message, tenant) = (self.copies[copy].message, self.copies[copy].tenant);
        let number = self.messages[message].address_number;
        // Asked as if it lay there.
        self.copies[copy].host = holder;
        let known = self.pending_of(copy).into_iter().any(|index| {
            let template = self.recipient_template(message, index);
            match self.known_stop(copy, holder, tenant, template, number) {
                Stop::To(destination) => {
                    let key = self.tables.destinations.get(destination);
                    key.hops.iter().chain(&key.fallback).any(|other| Some(*other) != hop)
                }
                _ => true,
            }
        });
        self.copies[copy].host = silent;
        known
    }

    /// Did a server lose its queue database after `from`, and until then?
    pub(super) fn lost_its_queue(&self, host: HostId, from: SimTime, until: SimTime) -> bool {
        self.model.faults.iter().any(|fault| match &fault.kind {
            FaultKind::Down { hosts, queue_lost: true, .. } => hosts.has(host) && fault.window.from > from && fault.window.from <= until,
            _ => false,
        })
    }

    /// When the shadow of a server that died then takes over: it waits for a sign of life, or sees that the queue database is a new one.
    fn takes_over_at(&mut self, host: HostId, death: SimTime) -> Option<(SimTime, &'static str)> {
        let transport = self.organization_of(host)?.transport;
        let patience_ends = death.after(transport.shadow_resubmit_ns?);
        let model = self.model;
        let back = self.faults.down(model, host, None, death).map_or(SimTime::NEVER, |cut| cut.until);
        if back < patience_ends {
            let seen = back.after(transport.shadow_heartbeat_ns).min(patience_ends);
            return Some((seen, "holds the shadow; the server came back with an empty queue database, which the next heartbeat shows"));
        }
        Some((patience_ends, "holds the shadow; the server was silent for ShadowResubmitTimeSpan"))
    }

    /// A server died with its queue: what its shadow holds is sent on by that. `false` if nobody holds anything.
    pub(super) fn shadow_takes_over(&mut self, copy: u32) -> bool {
        if self.plain {
            return false;
        }
        let (host, arrived) = (self.copies[copy].host, self.copies[copy].arrived);
        let Some((at, why)) = self.takes_over_at(host, self.now) else { return false };
        let Some(shadow) = self.holder_of(copy) else { return self.client_sends_again(copy) };
        if self.lost_its_queue(shadow, arrived, at) {
            return false;
        }
        let pending = self.pending_of(copy);
        if pending.is_empty() {
            return false;
        }
        let in_2010 = "handed it over and kept it; the server did not answer so many heartbeats, or came back with an empty queue database";
        let words = self.words(host, ("SHD-1", why), in_2010);
        let tried = match self.copies[copy].pass {
            0 => "before any attempt".to_owned(),
            1 => "after an attempt".to_owned(),
            count => format!("after {count} attempts"),
        };
        let died = format!("; `{}` had it, {tried}, when it died with its queue", self.model.hosts[host.index()].name);
        self.resubmit_at(copy, shadow, at, &pending, words, &died);
        self.gone_from(copy, &pending);
        true
    }

    /// Recipients of a lost copy that somebody else has now: this copy of theirs ended here.
    pub(super) fn gone_from(&mut self, copy: u32, pending: &[u16]) {
        let (number, message) = (self.copies[copy].number, self.copies[copy].message);
        let reply = self.tables.reply(0, Enhanced(4, 3, 0), "lost with the server's queue");
        for index in pending {
            self.messages[message].ends[usize::from(*index)].open -= 1;
            if self.writes(FATES) {
                let (message, at) = (self.messages[message].id, self.now);
                let row = FateRow { message, recipient: *index, fate: Fate::Lost, junk: false, reply, at, copy: number, said_by: NONE };
                self.trace.fates.push(row);
            }
        }
        for recipient in &mut self.copies[copy].recipients {
            recipient.state = RecipientState::Done;
        }
    }

    pub(super) fn pending_of(&self, copy: u32) -> SmallVec<[u16; 4]> {
        let pending = self.copies[copy].recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending);
        pending.map(|recipient| recipient.index).collect()
    }

    /// A copy on the shadow server, with the reason why.
    fn resubmit_at(
        &mut self,
        copy: u32,
        shadow: HostId,
        at: SimTime,
        indexes: &[u16],
        (rule, why): (&'static str, &'static str),
        died: &str,
    ) {
        let like = self.copies[copy].clone();
        let connection = self.trace.copies.get(like.number as usize).map_or(NONE, |row| row.from_connection);
        let new = self.second_copy(&like, shadow, at, indexes, connection);
        self.keep_local_hops(copy, new);
        self.transport_queues.resubmitted.insert(new);
        let name = self.organization_of(shadow).and_then(Organization::own).map_or("the shadow server", |own| &*own.name);
        let reasons: [Because; 1] = [because(rule, name, format!("{why}{died}"), SOURCE)];
        let stored = self.store_reasons("who sends on what was lost?", shadow, NONE, &reasons, &[]);
        for index in indexes {
            self.trace_decisions(new, Concern::recipient(*index), &[stored]);
        }
    }

    /// A second copy of what somebody else had.
    pub(super) fn second_copy(&mut self, like: &Copy, server: HostId, at: SimTime, indexes: &[u16], connection: u32) -> u32 {
        let new = self.new_copy(like.message, server, like.tenant, at, indexes, connection, (like.hops, like.visits));
        self.copies[new].arrival = like.arrival;
        self.wake_copy(new, at);
        new
    }

    /// Mail leaves a server: one that dies before its next heartbeat leaves a shadow that will send it again.
    pub(super) fn shadow_may_repeat(&mut self, copy: u32, at: SimTime, indexes: &[u16]) {
        let (host, arrived) = (self.copies[copy].host, self.copies[copy].arrived);
        let Some(heartbeat) = self.organization_of(host).map(|own| own.transport.shadow_heartbeat_ns) else { return };
        let dies = self.model.faults.iter().filter(|fault| match &fault.kind {
            FaultKind::Down { hosts, queue_lost: true, .. } => hosts.has(host),
            _ => false,
        });
        let first = dies.map(|fault| fault.window.from).filter(|from| *from > at && *from <= at.after(heartbeat)).min();
        if let Some(death) = first
            && let Some((then, _)) = self.takes_over_at(host, death)
            && let Some(shadow) = self.holder_of(copy)
            && !self.lost_its_queue(shadow, arrived, then)
        {
            let why = "holds the shadow; the server had delivered it, and died before a heartbeat could say so";
            let words = self.words(
                host,
                ("SHD-2", why),
                "handed it over and kept it; the server had delivered it, and died before a heartbeat could say so",
            );
            self.resubmit_at(copy, shadow, then, indexes, words, "");
        }
    }

    /// When the shadows of servers that are silent, and keep their queues, take over: if the silence lasts so long.
    pub(super) fn shadows_lose_patience(&self, hosts: &HostSet, window: Window) -> Vec<SimTime> {
        let spans = hosts_of(hosts, self.model.hosts.len()).into_iter().filter_map(|host| {
            let is_2010 =
                |organization: &Organization| organization.version == ServerVersion::Exchange2010 && organization.servers.len() > 1;
            let organization =
                self.organization_of(host).filter(|organization| is_2010(organization) || !shadow_servers(organization).is_empty())?;
            organization.transport.shadow_resubmit_ns
        });
        let mut moments: Vec<SimTime> = spans.map(|span| window.from.after(span)).filter(|moment| window.has(*moment)).collect();
        moments.in_order();
        moments.dedup();
        moments
    }

    /// The moment has come: what a silent server holds is sent by its shadow too.
    pub(super) fn shadows_take_over(&mut self, fault: usize) {
        let model = self.model;
        let (FaultKind::Down { hosts, .. }, window) = (&model.faults[fault].kind, model.faults[fault].window) else { return };
        for host in hosts_of(hosts, model.hosts.len()) {
            let span = self.organization_of(host).and_then(|organization| organization.transport.shadow_resubmit_ns);
            if span.is_none_or(|span| window.from.after(span) != self.now) {
                continue;
            }
            for copy in self.copies.rows_where(|copy| copy.host == host && !copy.closed && copy.arrived <= window.from) {
                let arrived = self.copies[copy].arrived;
                let pending = self.pending_of(copy);
                let Some(shadow) = self.holder_of(copy).filter(|shadow| !self.lost_its_queue(*shadow, arrived, self.now)) else {
                    continue;
                };
                if !pending.is_empty() && self.knows_another_way(copy, shadow, host) {
                    let why = "holds the shadow; the server was silent for ShadowResubmitTimeSpan, and has its own copy still";
                    let in_2010 = "handed it over and kept it, and knows another way; the server did not answer so many heartbeats, and has its own copy still";
                    let words = self.words(host, ("SHD-1", why), in_2010);
                    self.resubmit_at(copy, shadow, self.now, &pending, words, "");
                }
            }
        }
    }
}
