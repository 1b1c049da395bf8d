//! The end of a pass of a machine that remembers: who is given up, who waits, what is frozen, and what becomes of frozen mail (Exim deliver.c).
//!
//! Sources: Exim deliver.c (end of `deliver_message`), specification: `self`, `auto_thaw`, `timeout_frozen_after`, `ignore_bounce_errors_after`,
//! `delay_warning`. Not modelled: `freeze_tell`, messages frozen by filters.

use super::memory::PassNotes;
use super::world::{RecipientState, World};
use crate::base::{Enhanced, Fate, SECOND, SimTime, duration};
use crate::decide::because;
use crate::decide::remembered::warnings_due;
use crate::trace::{Concern, NONE};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// All jobs of a pass are over.
    pub(super) fn end_remembering_pass(&mut self, copy: u32) {
        let notes = self.memory.passes.remove(&copy).unwrap_or_default();
        let host = self.copies[copy].host;
        self.memory.fetched.remove(&copy);
        self.conclude_pass(copy, &notes);
        self.run_goes_on(host, notes.run);
    }

    fn conclude_pass(&mut self, copy: u32, notes: &PassNotes) {
        let written = self.write_memory(copy, notes);
        let row = &self.copies[copy];
        let (host, number) = (row.host, row.number);
        let null_sender = self.sender_of(copy) == NONE;
        let failed = row.recipients.iter().any(|recipient| matches!(recipient.state, RecipientState::Failed | RecipientState::Looped));
        let forgotten = || self.exim_retry(host).is_some_and(|retry| self.age_in_seconds(copy) >= retry.ignore_bounce_errors_after_ns);
        let freeze = notes.freeze || failed && null_sender && !self.memory.frozen.contains_key(&copy) && !forgotten();
        if failed && null_sender && !freeze {
            self.forget_failures(copy);
        } else if !freeze || !null_sender {
            self.report_end(copy, &written.timed_out);
        } else {
            self.report_end(copy, &[]);
        }
        if self.copies[copy].recipients.iter().all(|recipient| recipient.state == RecipientState::Done) {
            self.close_copy(copy);
            return;
        }
        if self.copies[copy].doomed {
            self.lose(copy);
            return;
        }
        if freeze {
            self.freeze(copy);
            return;
        }
        self.memory.frozen.remove(&copy);
        self.counters.deferrals += 1;
        self.copies[copy].deferrals += 1;
        if written.tried {
            self.warn(copy, number);
        }
        self.begin_to_wait(copy, notes);
        let (at, why) = self.wait_for_run(copy);
        let why = if written.tried { why } else { "retry time not reached for any host; every queue run looks again" };
        let first = self.copies[copy].pass == 1;
        if written.tried || first || failed {
            self.pass_row(copy, at, why);
        } else {
            // A pass that tries nothing is no attempt.
            self.copies[copy].pass -= 1;
            self.take_rows_back(copy, notes.rows);
        }
        debug_assert!(self.remembers(host), "only those come here");
    }

    /// One report about all that failed, and about all whose retry time is over.
    fn report_end(&mut self, copy: u32, timed_out: &[u16]) {
        let null_sender = self.sender_of(copy) == NONE;
        let mut lines = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            let fate = match recipient.state {
                RecipientState::Pending if timed_out.contains(&(place as u16)) => Fate::Expired,
                RecipientState::Failed if !null_sender => Fate::Bounced,
                RecipientState::Looped if !null_sender => Fate::Looped,
                _ => continue,
            };
            let reply =
                if recipient.reply == NONE { self.tables.reply(0, Enhanced(4, 4, 7), "retry timeout exceeded") } else { recipient.reply };
            let class = if fate == Fate::Expired { Enhanced(4, 4, 7) } else { Enhanced(5, 0, 0) };
            lines.push((recipient.index, "failed", self.tables.replies.get(reply).enhanced.unwrap_or(class), reply));
            self.copies[copy].recipients[place].state = RecipientState::Done;
            self.end_recipient(copy, place, fate, reply, recipient.said_by);
        }
        if lines.is_empty() {
            return;
        }
        if !timed_out.is_empty() && self.copies[copy].recipients.iter().all(|recipient| recipient.state == RecipientState::Done) {
            self.pass_row(
                copy,
                SimTime::NEVER,
                "retry timeout exceeded: all that was tried has failed for longer than its retry rule lasts",
            );
        }
        self.report(copy, lines, 1);
    }

    /// Notices of delay, as many as should have been sent by now; only after something was tried.
    fn warn(&mut self, copy: u32, number: u32) {
        debug_assert_eq!(self.copies[copy].number, number, "the row is still that of this copy");
        let row = &self.copies[copy];
        let due = self.exim_retry(row.host).map_or(0, |retry| warnings_due(&retry.delay_warnings_ns, self.now.since(row.arrived)));
        if self.memory.warned.get(&copy).copied().unwrap_or(0) < due {
            self.memory.warned.insert(copy, due);
            self.delay_notice(copy);
        }
    }

    /// Reports about reports that may be forgotten now.
    fn forget_failures(&mut self, copy: u32) {
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if matches!(recipient.state, RecipientState::Failed | RecipientState::Looped) {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::Discarded, recipient.reply, recipient.said_by);
            }
        }
    }

    /// The message stays where it is, and nobody tries it: for good as far as this run goes, or until its time to be looked at again.
    fn freeze(&mut self, copy: u32) {
        let since = *self.memory.frozen.entry(copy).or_insert(self.now);
        let (again, end) = self.thaws_at(copy, since);
        self.tell_frozen(copy, again, end);
        if again < self.until {
            for recipient in &mut self.copies[copy].recipients {
                if recipient.state != RecipientState::Done {
                    recipient.state = RecipientState::Pending;
                }
            }
            self.pass_row(copy, again, "frozen until its time to be looked at again");
            self.wake_copy(copy, again);
            return;
        }
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Done {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::Frozen, recipient.reply, recipient.said_by);
            }
        }
        self.close_copy(copy);
    }

    /// Why it is frozen, and what ends that.
    fn tell_frozen(&mut self, copy: u32, again: SimTime, end: Option<(&'static str, u64)>) {
        let why =
            if self.sender_of(copy) == NONE { "it failed, and its sender is <>: there is nobody to tell" } else { "a router says so" };
        let moment = |(name, wait_ns)| {
            format!("at {}, by the first queue run after {name} = {}", self.model.clock().moment(again), duration(wait_ns))
        };
        let ends = end.map_or_else(|| "by an administrator only".to_owned(), moment);
        let why = format!("{why}; nobody tries it until it is looked at again {ends}");
        let name = self.model.hosts[self.copies[copy].host.index()].name.clone();
        let reason = because("FROZEN", name, why, "Exim deliver.c");
        let stored = self.store_reasons("is it frozen?", self.copies[copy].host, NONE, &[reason], &[]);
        self.trace_decisions(copy, Concern::ALL, &[stored]);
    }

    /// When a frozen message is looked at again, and which parameter says so.
    fn thaws_at(&self, copy: u32, since: SimTime) -> (SimTime, Option<(&'static str, u64)>) {
        let Some(retry) = self.exim_retry(self.copies[copy].host) else { return (SimTime::NEVER, None) };
        let report = self.sender_of(copy) == NONE;
        // Exim reads its clock in whole seconds: an age that is reached is enough, the time to thaw must be over.
        let came = whole_seconds(self.copies[copy].arrived);
        let ends = [
            ("auto_thaw", retry.auto_thaw_ns, retry.auto_thaw_ns > 0 && !report, whole_seconds(since).after(SECOND)),
            ("timeout_frozen_after", retry.timeout_frozen_after_ns, retry.timeout_frozen_after_ns > 0, came),
            ("ignore_bounce_errors_after", retry.ignore_bounce_errors_after_ns, report, came),
        ];
        let ends = ends.into_iter().filter(|(.., holds, _)| *holds);
        let earliest = ends.map(|(name, wait_ns, _, from)| (from.after(wait_ns), name, wait_ns)).min_by_key(|(end, ..)| *end);
        earliest.map_or((SimTime::NEVER, None), |(end, name, wait_ns)| {
            let every = retry.runs_every_ns.max(1);
            let started = self.machines[self.copies[copy].host.index()].started.0;
            let offset = if started > 0 { started } else { retry.runs_offset_ns } % every;
            let from = end.max(self.now.after(1)).0;
            let run = from.saturating_sub(offset).div_ceil(every).saturating_mul(every).saturating_add(offset);
            (SimTime(run), Some((name, wait_ns)))
        })
    }

    /// How old a message is (`message_age`, spool_in.c).
    fn age_in_seconds(&self, copy: u32) -> u64 {
        whole_seconds(self.now).since(whole_seconds(self.copies[copy].arrived))
    }

    /// A frozen message has its time: is it given up (`timeout_frozen_after`)? Else it is tried once more.
    pub(super) fn frozen_for_too_long(&mut self, copy: u32) -> bool {
        if !self.memory.frozen.contains_key(&copy) {
            return false;
        }
        let Some(retry) = self.exim_retry(self.copies[copy].host) else { return false };
        let over = retry.timeout_frozen_after_ns;
        if over == 0 || self.age_in_seconds(copy) < over {
            if self.sender_of(copy) != NONE {
                self.memory.frozen.remove(&copy);
            }
            return false;
        }
        let reply = self.tables.reply(0, Enhanced(5, 0, 0), "message has been frozen for longer than timeout_frozen_after");
        self.fail_pending(copy, reply, RecipientState::Failed);
        true
    }
}

fn whole_seconds(at: SimTime) -> SimTime {
    SimTime(at.0 / SECOND * SECOND)
}
