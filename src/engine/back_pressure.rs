//! An Exchange server that runs out of something: what its clients, its neighbours and its own mailboxes meet.
//!
//! The rules stand in `decide::exchange::back_pressure`. Mail that a mailbox sends is refused by the server's transport service alike: it stays with the
//! mailbox, which offers it again when the pressure is over.

use super::session::Talk;
use super::world::{RecipientState, World};
use crate::base::{HostId, Reply, SimTime};
use crate::decide::Decision;
use crate::decide::exchange::back_pressure::{Answer, at_mail, pauses_delivery, resubmission_paused, takes_shadows};
use crate::model::back_pressure::Pressure;
use crate::model::exchange_server::ServerVersion;
use crate::model::fault::FaultKind;
use crate::trace::{Concern, NONE};

impl<const LEVEL: u8> World<'_, LEVEL> {
    fn version_of(&self, server: HostId) -> Option<ServerVersion> {
        self.organization_of(server).map(|organization| organization.version)
    }

    /// The answer to MAIL under pressure: how much later it comes, and what it is if it is a refusal.
    #[cold]
    #[inline(never)]
    pub(super) fn pressed(&mut self, talk: &Talk<'_>, number: u32, refusal: &mut Option<Reply>) -> u64 {
        let model = self.model;
        let fault = &model.faults[number as usize];
        let FaultKind::BackPressure { pressure, .. } = fault.kind else { return 0 };
        let Some(organization) = self.organization_of(talk.server).filter(|_| fault.window.has(talk.now)) else { return 0 };
        let inside = organization.server(talk.client).is_some();
        let name = organization.own().map_or("", |own| &*own.name);
        let since_ns = talk.now.since(fault.window.from);
        let Some(decision) = at_mail(name, organization.version, pressure, since_ns, inside) else { return 0 };
        let stored = self.store("does the server have room?", talk.server, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
        match decision.outcome {
            Answer::Slow(ns) => ns,
            Answer::Refuse(reply) => {
                refusal.get_or_insert(reply);
                0
            }
        }
    }

    /// The pressure that a server is under then, and for which `has_effect` holds; and when that ends.
    fn pressure_at(
        &self,
        server: HostId,
        at: SimTime,
        has_effect: impl Fn(ServerVersion, Pressure, u64) -> bool,
    ) -> Option<(Pressure, SimTime)> {
        let faults = &self.model.host_faults[server.index()].session;
        let version = self.version_of(server).filter(|_| !faults.is_empty())?;
        faults.iter().find_map(|number| {
            let fault = &self.model.faults[*number as usize];
            let FaultKind::BackPressure { pressure, .. } = fault.kind else { return None };
            let now = fault.window.has(at) && has_effect(version, pressure, at.since(fault.window.from));
            now.then_some((pressure, fault.window.until))
        })
    }

    /// Does a server refuse shadow copies for want of something?
    pub(super) fn takes_no_shadows(&self, server: HostId, at: SimTime) -> bool {
        self.pressure_at(server, at, |version, pressure, since_ns| !takes_shadows(version, pressure, since_ns)).is_some()
    }

    /// The pressure under which a server hands nothing over now, and until when.
    pub(super) fn delivery_paused(&self, server: HostId) -> Option<(Pressure, SimTime)> {
        self.pressure_at(server, self.now, |version, pressure, _| pauses_delivery(version, pressure))
    }

    /// What a shadow or a Safety Net sends again waits until its server has room.
    pub(super) fn resubmission_waits(&mut self, copy: u32) -> bool {
        if !self.transport_queues.resubmitted.remove(&copy) {
            return false;
        }
        let host = self.copies[copy].host;
        let paused = self.pressure_at(host, self.now, |version, pressure, since_ns| !takes_shadows(version, pressure, since_ns));
        let Some((pressure, until)) = paused else { return false };
        let decision = resubmission_paused(&self.model.hosts[host.index()].name, pressure);
        self.transport_queues.resubmitted.insert(copy);
        self.offered_later(copy, &decision, "may it leave?", (until, "the server is short of something: message resubmission is paused"));
        true
    }

    /// What a mailbox of a server under pressure sends stays with it until the pressure is over.
    pub(super) fn stays_in_the_mailbox(&mut self, copy: u32) -> bool {
        let row = &self.copies[copy];
        let (host, message) = (row.host, row.message);
        if self.model.host_faults[host.index()].session.is_empty() || row.hops > 0 || self.messages[message].kind > 0 {
            return false;
        }
        let waited = self.transport_queues.in_mailboxes.remove(&copy);
        if row.pass > 0 && !waited {
            return false;
        }
        let model = self.model;
        let Some(version) = self.version_of(host) else { return false };
        let refused = model.host_faults[host.index()].session.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::BackPressure { pressure, .. } = fault.kind else { return None };
            let answer = at_mail(&model.hosts[host.index()].name, version, pressure, self.now.since(fault.window.from), true);
            let refused = answer.filter(|answer| matches!(answer.outcome, Answer::Refuse(_)) && fault.window.has(self.now))?;
            Some((refused, fault.window.until))
        });
        let Some((decision, until)) = refused else { return false };
        self.transport_queues.in_mailboxes.insert(copy);
        let Answer::Refuse(reply) = decision.outcome else { return false };
        let decision = Decision { outcome: reply, chosen: decision.chosen, passed_over: decision.passed_over };
        let later = (until, "the server is short of something: the mailbox that sent it offers it again when that is over");
        self.offered_later(copy, &decision, "does the server have room?", later);
        true
    }

    /// Nothing of a copy is tried before that moment.
    fn offered_later(&mut self, copy: u32, decision: &Decision<Reply>, question: &'static str, (until, why): (SimTime, &'static str)) {
        let stored = self.store(question, self.copies[copy].host, NONE, decision);
        self.copies[copy].pass += 1;
        for place in 0..self.copies[copy].recipients.len() {
            let index = self.copies[copy].recipients[place].index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
        self.pass_row(copy, until, why);
        let reply = self.tables.replies.intern(decision.outcome.clone());
        for recipient in self.copies[copy].recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
            (recipient.reply, recipient.said_by) = (reply, NONE);
        }
        if until < SimTime::NEVER {
            self.wake_copy(copy, until);
        }
    }
}
