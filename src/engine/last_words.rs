//! What is noted of a failure that has no words of its own, and of a circle?
//!
//! Sendmail looks targets up when their turn comes, and keeps the code of the last refusal of an attempt (deliver.c, usersmtp.c; seen in its logs).

use super::session::{Refusals, Talk};
use super::world::{RecipientState, World};
use crate::base::{Enhanced, Reply};
use crate::decide::exchange::recipient::PASSES_MAX;
use crate::decide::failure::Effect;
use crate::decide::mx::{Asker, TargetAddresses};
use crate::decide::profile::{Behaviour, End};
use crate::decide::{Decision, because};
use crate::trace::{Concern, NONE};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Why a copy goes no further: it went in a circle for too long.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_circle(&mut self, copy: u32, through_service: bool) {
        let row = &self.copies[copy];
        let (host, tenant) = (row.host, row.tenant);
        let reason = if through_service {
            let why = format!("it came through the service {} times: more than {PASSES_MAX} are a circle", row.visits);
            because("LOOP", "ATTR34", why, "Exchange Online hop count")
        } else {
            because("LOOP", "hops", format!("{} hops, and the scenario allows {}", row.hops, self.model.limits.hops), "scenario: limits")
        };
        let stored = self.store("may the message go on?", host, tenant, &Decision::for_reason((), reason));
        let pending: Vec<u16> = self.copies[copy]
            .recipients
            .iter()
            .filter(|recipient| recipient.state == RecipientState::Pending)
            .map(|recipient| recipient.index)
            .collect();
        for index in pending {
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
    }

    /// All candidates failed, and a target without an address stood behind them: its status is the last one.
    pub(super) fn note_missing_target(&mut self, job: u32) {
        let Some(status) = self.cache_plan(self.jobs[job].plan).tail else { return };
        let last = self.tables.replies.get(self.jobs[job].status).clone();
        let row = &mut self.jobs[job];
        (row.status, row.said_by) = (self.tables.replies.intern(Reply { enhanced: Some(status), ..last }), NONE);
    }

    /// What it means that a next hop cannot be found: an error of the configuration, or, to a sender that looks names up when their turn comes, the last
    /// words of an attempt that failed for now.
    #[cold]
    pub(super) fn end_of_hop(&self, job: u32, hop: u8, end: End, is_loop: bool) -> End {
        let end = self.end_of_lookup(job, end, is_loop);
        let row = &self.jobs[job];
        let (rules, pass) = (&self.rules(self.copies[row.copy].host).mx, &self.rules(self.copies[row.copy].host).pass);
        if pass.whole_list_waits
            && hop > 0
            && hop < row.own_hops
            && row.eventful
            && row.status != NONE
            && rules.smart_host_lost == Some(end)
        {
            // Left out of the list, so that the words of the others remain.
            let last = self.tables.replies.get(row.status);
            return End { bounce: row.bounce, code: last.code, status: last.enhanced.unwrap_or(end.status), ..end };
        }
        if !end.bounce {
            return end;
        }
        if let Some(error) = rules.configuration_error {
            let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
            let alone = key.rule == "SMART" && key.hops.len() == 1;
            return if hop >= row.own_hops || alone { error } else { end };
        }
        let failed_before = hop > 0 && row.status != NONE && !row.bounce;
        match rules.last_target_missing {
            Some((status, _)) if failed_before && !is_loop => {
                End { bounce: false, code: self.tables.replies.get(row.status).code, status, ..end }
            }
            _ => end,
        }
    }

    /// A failure without a reply, with the code of the last refusal of this pass if the profile carries it on.
    pub(super) fn with_last_code(&mut self, job: u32, reply: u32) -> u32 {
        let code = self.jobs[job].last_code;
        if code == 0 {
            return reply;
        }
        let own = self.tables.replies.get(reply).clone();
        self.tables.replies.intern(Reply { code, ..own })
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// 421 to one recipient and the end of the session: what is noted of those who were taken before, and of those who are not named any more.
    pub(super) fn word_for_the_others(&mut self, talk: &Talk<'_>, reply: &Reply, place: u16, refusals: &mut Refusals) {
        let Some((unnamed, taken)) = talk.rules.session.closed_at_rcpt.filter(|_| reply.code == 421) else { return };
        let (copy, mut status) = (self.jobs[talk.job].copy, taken);
        for at in 0..self.jobs[talk.job].recipients.len() {
            let other = self.jobs[talk.job].recipients[at];
            if other == place {
                status = unnamed;
            } else if !refusals.iter().any(|(refused, ..)| *refused == other) {
                let known = &self.copies[copy].recipients[usize::from(other)];
                // What an earlier host said to one who is not named now stays.
                let noted = match known.kept && status == unnamed {
                    true => known.reply,
                    false => self.tables.reply(reply.code, status, &reply.text),
                };
                refusals.push((other, Effect::Next(status), noted));
            }
        }
    }
}

/// The last target, if it is one without an address that is looked up only after all others failed.
pub(super) fn last_missing(rules: &Behaviour, asker: &Asker, found: &[TargetAddresses]) -> Option<Enhanced> {
    let (for_good, for_now) = rules.mx.last_target_missing?;
    // From the sender's own record on the list is cut.
    let own = found.iter().filter(|target| target.name == asker.hostname).map(|target| target.preference).min();
    let left = || found.iter().filter(|target| own.is_none_or(|own| target.preference < own));
    let last = left().last().filter(|last| last.addresses.is_empty())?;
    let tried = left().filter(|target| !target.addresses.is_empty()).map(|target| target.preference).max()?;
    (last.preference > tried).then_some(if last.soft.is_some() { for_now } else { for_good })
}
