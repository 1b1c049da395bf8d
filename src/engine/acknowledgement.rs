//! When does a client of Exchange 2010 hear that its mail was taken?
//!
//! Nobody keeps a second copy of what came from elsewhere. So the server holds its last word back until the mail has gone on, for MaxAcknowledgementDelay at
//! most; a client whose server dies meanwhile still has the message, and sends it again (SHD-4). A client that waits for less gives up, and sends it twice.
//! Sources: New-ReceiveConnector MaxAcknowledgementDelay; Exchange Server 2010 "Understanding shadow redundancy". Not modelled: a server under load that skips the
//! delay, and shadow redundancy promotion, which is off unless somebody writes it into EdgeTransport.exe.config.

use super::queue::Kind;
use super::session::{SessionEnd, status_of};
use super::world::{RecipientState, Stage, World};
use crate::base::{AttemptResult, ConnectionResult, HostId, Phase, SimTime};
use crate::decide::exchange::receive_connector::came_in_on;
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::{Because, because};
use crate::model::exchange_server::ServerVersion;
use crate::model::fault::Unreachable;
use crate::trace::{Concern, ConnectionOutcome, NONE};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Sessions whose server has the message and has not said so, by job.
pub(crate) type Acknowledgements = BTreeMap<u32, Waiting>;

/// A session that waits for its last word.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// Its end, as it will be told.
    end: SessionEnd,
    /// Its row.
    connection: u32,
    /// Since when the server has the message.
    began: SimTime,
    /// When the client waits no longer.
    gives_up: SimTime,
    /// What of the message is still with the server.
    copies: SmallVec<[u32; 2]>,
    /// The word will never come: by silence, or by a line that breaks.
    lost: Option<Unreachable>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// How long the server of a job holds back its word to this client; `None`: not at all.
    fn acknowledgement_delay(&self, job: u32) -> Option<u64> {
        let (server, client) = (self.jobs[job].line.server, self.client_of(job));
        let organization = self.organization_of(server).filter(|organization| organization.version == ServerVersion::Exchange2010)?;
        if organization.server(client).is_some() || organization.transport.shadow_resubmit_ns.is_none() {
            return None;
        }
        let machine = &self.model.hosts[client.index()];
        let connector = came_in_on(organization, *machine.egress.first().or(machine.addresses.first())?)?;
        Some(connector.limits.acknowledgement_ns).filter(|delay| *delay > 0)
    }

    /// A session with an Exchange server ends. `true`: it does not yet, or it ended here.
    #[cold]
    #[inline(never)]
    pub(super) fn last_word_waits(&mut self, job: u32) -> bool {
        if let Some(waiting) = self.transport_queues.acknowledgements.remove(&job) {
            self.last_word_comes(job, waiting);
            return true;
        }
        let end = &self.ends[job as usize];
        if end.taken_at().is_none() || end.rest.is_some() {
            return false;
        }
        let Some(delay_ns) = self.acknowledgement_delay(job) else { return false };
        let end = std::mem::replace(&mut self.ends[job as usize], SessionEnd::GONE);
        let (message, server, first) = (self.copies[self.jobs[job].copy].message, self.jobs[job].line.server, self.copy_count);
        let connection = self.finish_connection_row(job, &end);
        let places = self.taken_places(job, &end);
        self.hand_over(job, &places, self.now, &end, connection);
        let left = self.copies.rows_where(|copy| copy.message == message && copy.host == server && copy.number >= first && !copy.closed);
        let gives_up = self.now.after(self.config(self.client_of(job)).sender.timers.final_dot_ns);
        let waiting = Waiting { end, connection, began: self.now, gives_up, copies: left.into_iter().collect(), lost: None };
        if waiting.copies.is_empty() {
            self.last_word_comes(job, waiting);
            return true;
        }
        self.transport_queues.acknowledgements.insert(job, waiting);
        self.wake_job(job, self.now.after(delay_ns).min(gives_up), Kind::Settle, Stage::InSession);
        true
    }

    /// Nothing of a copy is left with its server: who waits for that is told.
    pub(super) fn acknowledge(&mut self, copy: u32) {
        if self.transport_queues.acknowledgements.is_empty() {
            return;
        }
        let Some((job, waiting)) = self.transport_queues.acknowledgements.iter_mut().find(|(_, waiting)| waiting.copies.contains(&copy))
        else {
            return;
        };
        waiting.copies.retain(|other| *other != copy);
        let (job, is_over) = (*job, waiting.copies.is_empty() && waiting.lost.is_none());
        if is_over {
            self.wake_job(job, self.now, Kind::Settle, Stage::InSession);
        }
    }

    /// A part of a copy goes on by itself: the client's word waits for both.
    pub(super) fn shares_acknowledgement(&mut self, copy: u32, part: u32) {
        let waiting = self.transport_queues.acknowledgements.values_mut().find(|waiting| waiting.copies.contains(&copy));
        if let Some(waiting) = waiting {
            waiting.copies.push(part);
        }
    }

    /// A server dies with a copy that it has not acknowledged: the client has the message still. `false`: nobody waits.
    pub(super) fn client_sends_again(&mut self, copy: u32) -> bool {
        let found = self.transport_queues.acknowledgements.iter().find(|(_, waiting)| waiting.copies.contains(&copy));
        let Some((job, gives_up)) = found.map(|(job, waiting)| (*job, waiting.gives_up)) else { return false };
        let pending = self.pending_of(copy);
        let host = self.copies[copy].host;
        let how = self.faults.down(self.model, host, None, self.now).map_or(Unreachable::Refused, |cut| cut.how);
        if let Some(waiting) = self.transport_queues.acknowledgements.get_mut(&job) {
            waiting.copies.retain(|other| *other != copy);
            waiting.lost = Some(how);
        }
        let client = self.client_of(job);
        let why = format!(
            "`{}` died before it had acknowledged the message (MaxAcknowledgementDelay), which it does when the mail has gone on",
            self.model.hosts[host.index()].name
        );
        let name = &*self.model.hosts[client.index()].name;
        let reasons: [Because; 1] = [because("SHD-4", name, why, "New-ReceiveConnector MaxAcknowledgementDelay")];
        let stored = self.store_reasons("who sends on what was lost?", client, NONE, &reasons, &[]);
        let own = self.jobs[job].copy;
        for index in &pending {
            self.trace_decisions(own, Concern::recipient(*index), &[stored]);
        }
        self.gone_from(copy, &pending);
        let at = if how == Unreachable::Refused { self.now } else { gives_up.max(self.now) };
        self.wake_job(job, at, Kind::Settle, Stage::InSession);
        true
    }

    /// The moment has come: the word, or what the client makes of its lack.
    fn last_word_comes(&mut self, job: u32, mut waiting: Waiting) {
        if waiting.lost.is_none() {
            let (client, line) = (self.client_of(job), &self.jobs[job].line);
            let (server, address) = (line.server, line.address);
            let cut = self.faults.first_cut(self.model, client, server, address, waiting.began, self.now);
            waiting.lost = match cut {
                Some(cut) => Some(cut.how),
                None if !waiting.copies.is_empty() && self.now >= waiting.gives_up => Some(Unreachable::Silent),
                None => None,
            };
            if waiting.lost.is_some_and(|how| how != Unreachable::Refused) && self.now < waiting.gives_up {
                let at = waiting.gives_up;
                self.transport_queues.acknowledgements.insert(job, waiting);
                self.wake_job(job, at, Kind::Settle, Stage::InSession);
                return;
            }
        }
        let server = self.jobs[job].line.server;
        self.leaves_room(job);
        self.release(server);
        let Waiting { mut end, connection, lost, .. } = waiting;
        end.end = self.now;
        if end.counts {
            self.jobs[job].sessions += 1;
        }
        let copy = self.jobs[job].copy;
        let rules = self.rules(self.copies[copy].host);
        for (place, effect, reply) in end.refusals.iter() {
            self.apply(job, *place, *effect, *reply, server);
            self.copies[copy].recipients[usize::from(*place)].kept = rules.session.keeps_rcpt_4xx && !matches!(effect, Effect::Bounce(_));
        }
        if let Some(how) = lost {
            let (event, result, words) = match how {
                Unreachable::Refused => (Event::Lost, ConnectionResult::Dropped, "lost connection while it waited for the last word"),
                Unreachable::Silent | Unreachable::Unreachable => {
                    (Event::Silent, ConnectionResult::Timeout, "conversation timed out at final dot")
                }
            };
            let effect = judge(rules, &self.config(self.client_of(job)).sender, Phase::FinalDot, event, self.is_last(job));
            let reply = self.tables.reply(0, status_of(effect), words);
            (end.result, end.reply, end.rest) = (result, reply, Some((effect, reply)));
        }
        self.jobs[job].host_failure = false;
        if let Some(row) = self.trace.connections.get_mut(connection as usize) {
            let outcome = ConnectionOutcome { phase: end.phase, result: end.result, reply: end.reply, tls: end.tls, why: end.why };
            (row.end, row.outcome) = (self.now, self.tables.outcomes.intern(outcome));
        }
        if self.remembers(self.copies[copy].host) {
            self.remember_session(job, &end);
        }
        let places = self.taken_places(job, &end);
        match end.rest {
            Some((effect, reply)) => places.iter().for_each(|place| self.apply(job, *place, effect, reply, HostId(NONE))),
            None => {
                self.jobs[job].recipients.retain(|place| !places.contains(place));
                for place in &places {
                    self.copies[copy].recipients[*place as usize].state = RecipientState::Done;
                }
                self.attempt_rows(job, &places, AttemptResult::Delivered, end.reply);
                if self.wishful {
                    self.tell_relayed(job, &places, &end);
                }
                let message = self.copies[copy].message;
                for place in &places {
                    let index = self.copies[copy].recipients[*place as usize].index;
                    self.messages[message].ends[index as usize].open -= 1;
                }
            }
        }
        self.line_is_free(job, &end);
        if self.jobs[job].recipients.is_empty() {
            self.job_over(job);
            return;
        }
        self.rest_goes_on(job);
    }
}
