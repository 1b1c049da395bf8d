//! The filter of a machine at work: at the end of DATA it refuses; what it takes meets the other actions when it is looked at for the first time.
//!
//! Machines without a filter never ask. Every attempt meets the filter that is in force then, so what a dated change says counts for mail that waits.

use super::authentication::Arrival;
use super::route::Stop;
use super::session::{Refusals, Talk};
use super::world::{RecipientState, World};
use crate::base::{Enhanced, HostId, Reply};
use crate::decide::filter::{FilterEnd, run};
use crate::model::expansion::{Expansion, ExpansionKind};
use crate::model::filter::{FilterAction, FilterRule};
use crate::model::letter::Stamps;
use crate::trace::NONE;
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What the filter makes of a copy for one recipient: its end here, or what is written on it.
    pub(super) fn filtered(
        &mut self,
        copy: u32,
        (host, rules): (HostId, &[FilterRule]),
        address: &str,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Result<Stamps, Stop> {
        let decision = run(rules, &self.letter(copy), address);
        decisions.push(self.store("what does the filter do?", host, NONE, &decision));
        match decision.outcome.end {
            None => Ok(Stamps { headers: decision.outcome.headers, ..Stamps::default() }),
            Some(FilterEnd::Reject(reply)) => Err(Stop::Refuse(self.tables.replies.intern(reply))),
            Some(FilterEnd::Redirect(name, to)) => Err(Stop::Expand(self.expansion(Expansion::of(&name, vec![to], ExpansionKind::Alias)))),
            Some(FilterEnd::Quarantine(rule)) => {
                Err(Stop::Quarantine(self.tables.reply(250, Enhanced(2, 7, 0), &format!("quarantined by the filter rule `{rule}`"))))
            }
            Some(FilterEnd::Discard(rule)) => {
                Err(Stop::Discard(self.tables.reply(250, Enhanced(2, 7, 0), &format!("discarded by the filter rule `{rule}`"))))
            }
        }
    }

    /// A way out with what was written on the message here.
    pub(super) fn stamped(&mut self, stop: Stop, stamps: Stamps) -> Stop {
        let Stop::To(destination) = stop else { return stop };
        if stamps == Stamps::default() {
            return stop;
        }
        let stamps = self.tables.stamps.intern(stamps);
        let key = crate::trace::DestinationKey { stamps, ..self.tables.destinations.get(destination).clone() };
        Stop::To(self.tables.destinations.intern(key))
    }

    /// The refusal of a filter at the end of DATA, if a rule refuses the message for one of those who were taken.
    pub(super) fn filter_refuses(&mut self, talk: &Talk<'_>, refusals: &Refusals, arrival: Arrival) -> Option<Reply> {
        let rules = &talk.theirs.receiver.filter;
        if !rules.iter().any(|rule| matches!(rule.then, FilterAction::Reject(_))) {
            return None;
        }
        let copy = self.jobs[talk.job].copy;
        let message = self.copies[copy].message;
        let letter = self.letter_with(copy, arrival.carried);
        for place in self.jobs[talk.job].recipients.clone() {
            if refusals.iter().any(|(at, ..)| *at == place) {
                continue;
            }
            let template = self.recipient_template(message, self.copies[copy].recipients[place as usize].index);
            let address = self.tables.templates.get(template).expand(self.messages[message].address_number).to_string();
            let decision = run(rules, &letter, &address);
            if let Some(FilterEnd::Reject(reply)) = &decision.outcome.end {
                let stored = self.store("what does the filter do?", talk.server, NONE, &decision);
                self.trace_of_job(talk.job, &[stored]);
                return Some(reply.clone());
            }
        }
        None
    }

    /// Does a filter still hold a copy that nobody tried yet? Then it comes back later; the longest time that a rule says for a recipient counts.
    pub(super) fn is_held(&mut self, copy: u32) -> bool {
        let host = self.copies[copy].host;
        let rules = &self.config(host).receiver.filter;
        if !delays(rules) || self.expansions.was_held.remove(&self.copies[copy].number) {
            return false;
        }
        let letter = self.letter(copy);
        let row = &self.copies[copy];
        let (message, arrived) = (row.message, row.arrived);
        let number = self.messages[message].address_number;
        let pending = row.recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending);
        let delay = |index: u16| {
            let address = self.tables.templates.get(self.recipient_template(message, index)).expand(number).to_string();
            run(rules, &letter, &address).outcome.delay_ns
        };
        let longest = pending.map(|recipient| delay(recipient.index)).max().unwrap_or(0);
        let until = arrived.after(longest);
        if until > self.now {
            self.wake_copy(copy, until);
        }
        until > self.now
    }

    /// A new copy for those who stand for a recipient here: the filter held that one.
    pub(super) fn note_held_already(&mut self, new: u32) {
        let row = &self.copies[new];
        if delays(&self.config(row.host).receiver.filter) {
            let number = row.number;
            self.expansions.was_held.insert(number);
        }
    }
}

/// Does some rule hold mail for a while?
fn delays(rules: &[FilterRule]) -> bool {
    rules.iter().any(|rule| matches!(rule.then, FilterAction::Delay(_)))
}
