//! An Exchange server that runs out of something: what its clients, its neighbours and its own mailboxes meet.
//!
//! The rules stand in `decide::exchange::back_pressure`. Mail that a mailbox sends is refused by the server's transport service alike: it stays with the
//! mailbox, which offers it again when the pressure is over.

use super::session::Talk;
use super::world::{RecipientState, World};
use crate::base::{HostId, Reply, SimTime};
use crate::decide::exchange::back_pressure::{Answer, at_mail, takes_shadows};
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

    /// Does a server refuse shadow copies for want of something?
    pub(super) fn takes_no_shadows(&self, server: HostId, at: SimTime) -> bool {
        let Some(version) = self.version_of(server) else { return false };
        self.model.host_faults[server.index()].session.iter().any(|number| {
            let fault = &self.model.faults[*number as usize];
            let FaultKind::BackPressure { pressure, .. } = fault.kind else { return false };
            fault.window.has(at) && !takes_shadows(version, pressure, at.since(fault.window.from))
        })
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
        let stored = self.store("does the server have room?", host, NONE, &decision);
        self.copies[copy].pass += 1;
        for place in 0..self.copies[copy].recipients.len() {
            let index = self.copies[copy].recipients[place].index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
        self.pass_row(copy, until, "the server is short of something: the mailbox that sent it offers it again when that is over");
        self.transport_queues.in_mailboxes.insert(copy);
        if let Answer::Refuse(reply) = decision.outcome {
            let reply = self.tables.replies.intern(reply);
            for recipient in self.copies[copy].recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
                (recipient.reply, recipient.said_by) = (reply, NONE);
            }
        }
        if until < SimTime::NEVER {
            self.wake_copy(copy, until);
        }
        true
    }
}
