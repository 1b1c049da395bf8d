//! What does a server count of its clients: connections at once by address, refusals in a session?
//!
//! The rules stand in `decide::door`. A connection that a client keeps open without using it is not counted.

use super::session::{Refusals, Stop, Talk};
use super::world::World;
use crate::base::HostId;
use crate::decide::acceptance::is_relay_client;
use crate::decide::door::{lateness, one_more, too_many_refusals};
use crate::decide::visitor::Peer;
use crate::model::settings::Directory;
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Question of these decisions.
const QUESTION: &str = "does the server bear it?";

/// A reply to too many recipients is no error of the client (Postfix smtpd.c, `smtpd_recipient_overshoot_limit`).
const TOO_MANY_RECIPIENTS: u16 = 452;

/// Who is connected where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    open: BTreeMap<(HostId, IpAddr), u32>,
    sessions: BTreeMap<u32, (HostId, IpAddr)>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Is there room for one more session of a job's client? Counts it, or says why not.
    pub(super) fn room_for_client(&mut self, job: u32) -> Result<(), (u32, &'static str)> {
        let (server, client) = (self.jobs[job].line.server, self.client_of(job));
        let Some(address) = self.seen_address(job, client, self.jobs[job].line.address) else { return Ok(()) };
        let (receiver, rules) = (&self.config(server).receiver, &self.rules(server).door);
        let peer = Peer { host: client, address: Some(address) };
        if rules.spares_relay_clients && matches!(&receiver.directory, Directory::Mta(directory) if is_relay_client(directory, peer)) {
            return Ok(());
        }
        let again = !self.plain && self.goes_over_kept(job);
        let open = self.inbound.clients.open.get(&(server, address)).copied().unwrap_or(0);
        if !again && let Some(refusal) = one_more(rules, &receiver.client_limits, &address.to_string(), open) {
            let stored = self.store(QUESTION, server, NONE, &refusal);
            self.trace_of_job(job, &[stored]);
            return Err((self.tables.replies.intern(refusal.outcome), "the client has too many connections"));
        }
        let clients = &mut self.inbound.clients;
        *clients.open.entry((server, address)).or_default() += 1;
        clients.sessions.insert(job, (server, address));
        Ok(())
    }

    /// A session is over.
    pub(super) fn client_leaves(&mut self, job: u32) {
        let clients = &mut self.inbound.clients;
        let Some(place) = clients.sessions.remove(&job) else { return };
        if let Some(open) = clients.open.get_mut(&place) {
            *open -= 1;
            if *open == 0 {
                clients.open.remove(&place);
            }
        }
    }

    /// A session in which recipients were refused goes on: the server may answer late, or not at all any more.
    #[cold]
    #[inline(never)]
    pub(super) fn after_refusals(&mut self, talk: &mut Talk<'_>, refusals: &Refusals) -> Result<(), Stop> {
        if let Some(stop) = self.refused_in_a_row(talk, refusals) {
            return Err(stop);
        }
        let limits = &talk.theirs.receiver.client_limits;
        if limits.soft_errors == 0 && limits.hard_errors == 0 {
            return Ok(());
        }
        let is_error = |reply: u32| self.tables.replies.get(reply).code != TOO_MANY_RECIPIENTS;
        let count = refusals.iter().filter(|(.., reply)| is_error(*reply)).count() as u32;
        if let Some(late) = lateness(limits, count) {
            if count == limits.soft_errors {
                let stored = self.store(QUESTION, talk.server, NONE, &late);
                self.trace_of_job(talk.job, &[stored]);
            }
            if late.outcome > talk.timers.rcpt_ns {
                return Err(Stop::Silent(talk.now.after(talk.timers.rcpt_ns)));
            }
            talk.now = talk.now.after(late.outcome);
        }
        let Some(refusal) = too_many_refusals(limits, count) else { return Ok(()) };
        let stored = self.store(QUESTION, talk.server, NONE, &refusal);
        self.trace_of_job(talk.job, &[stored]);
        talk.closed = true;
        Err(Stop::Reply(refusal.outcome))
    }
}
