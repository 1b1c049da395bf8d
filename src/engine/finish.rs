//! The end of a pass, of a recipient, of a copy: retry, expiry, fates.

use super::chance::Purpose;
use super::world::{RecipientState, World};
use crate::base::{Enhanced, Fate, HostId, SimTime};
use crate::decide::profile::ExpiryTest;
use crate::decide::retry::{Memory, Next, delay_notice_due, hard_expiry};
use crate::model::settings::Profile;
use crate::trace::level::{FATES, PATHS};
use crate::trace::{FateRow, NONE, PassRow};

/// Attempts have numbers of 16 bits, and who reads them asks for the one after the last.
const ATTEMPTS_MAX: u16 = u16::MAX - 1;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A machine loses its queue: what lies there is gone, what is under way is gone when it comes back.
    pub(super) fn lose_queue(&mut self, host: HostId) {
        for copy in self.copies.rows_where(|copy| copy.host == host && !copy.closed) {
            if self.copies[copy].jobs > 0 {
                self.copies[copy].doomed = true;
            } else {
                self.lose(copy);
            }
        }
        self.lost_queues_begin_anew(host);
    }

    pub(super) fn lose(&mut self, copy: u32) {
        if self.shadow_takes_over(copy) {
            self.close_copy(copy);
            return;
        }
        self.forget_late_report(copy);
        if self.copies[copy].pass > 0 {
            self.pass_row(copy, self.now, "the queue of its server is lost then");
        }
        let reply = self.tables.reply(0, Enhanced(4, 3, 0), "lost with the server's queue");
        for place in 0..self.copies[copy].recipients.len() {
            if self.copies[copy].recipients[place].state != RecipientState::Done {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::Lost, reply, NONE);
            }
        }
        self.close_copy(copy);
    }

    /// Marks all that is pending as failed.
    pub(super) fn fail_pending(&mut self, copy: u32, reply: u32, state: RecipientState) {
        for recipient in self.copies[copy].recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
            (recipient.state, recipient.reply, recipient.said_by) = (state, reply, NONE);
        }
    }

    /// All jobs of a pass are over: reports, and when it is tried again.
    #[inline(always)]
    pub(super) fn end_pass(&mut self, copy: u32) {
        if !self.plain {
            self.forget_dead(copy);
            self.mail_run_goes_on(copy);
            if self.remembers(self.copies[copy].host) {
                self.end_remembering_pass(copy);
                return;
            }
        }
        if self.copies[copy].recipients.iter().all(|recipient| recipient.state == RecipientState::Done) {
            self.close_copy(copy);
        } else {
            self.end_unfinished_pass(copy);
        }
    }

    /// Somebody is left, or failed.
    #[inline(never)]
    fn end_unfinished_pass(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        let sender = &self.config(host).sender;
        self.report_failures(copy, keeps_nothing(sender.profile));
        let pending = self.copies[copy].recipients.iter().any(|recipient| recipient.state == RecipientState::Pending);
        if !pending {
            self.close_copy(copy);
            return;
        }
        if self.copies[copy].doomed {
            self.lose(copy);
            return;
        }
        self.counters.deferrals += 1;
        let row = &mut self.copies[copy];
        row.deferrals += 1;
        let (arrived, deferrals) = (row.arrived, row.deferrals);
        let null_sender = self.sender_of(copy) == NONE;
        if self.queues_retry(host) {
            self.wait_for_queues(copy);
            return;
        }
        let rules = self.rules(host);
        let haste = self.haste(copy);
        let jitter_ns = if rules.pass.jitters { self.jitter_of(copy) } else { 0 };
        let (began, started) = (self.copies[copy].pass_at, self.machines[host.index()].started);
        let next = self.when_tried(host, Memory { arrived, began, deferrals, null_sender, jitter_ns, haste, started });
        // Who is given up hears that, and not that it is late (Sendmail envelope.c `dropenvelope`, Postfix qmgr_active.c).
        if matches!(next, Next::Try { .. }) && !self.copies[copy].notified && delay_notice_due(&sender.retry, haste, arrived, self.now) {
            self.copies[copy].notified = true;
            self.delay_notice(copy);
        }
        match next {
            Next::Try { at, why } => {
                let (at, why) = match self.hard_end(copy) {
                    Some(end) if rules.expiry == ExpiryTest::Timer && end < at => {
                        (end.max(self.now), "its lifetime ends before the next attempt would come")
                    }
                    _ => (at, why),
                };
                self.pass_row(copy, at, why);
                self.wake_copy(copy, at);
            }
            Next::Expire { why } => {
                self.pass_row(copy, SimTime::NEVER, why);
                self.expire(copy);
            }
        }
    }

    /// When a copy is given up whatever happens; a tenant may have said how long its mail waits.
    pub(super) fn hard_end(&self, copy: u32) -> Option<SimTime> {
        let row = &self.copies[copy];
        let usual = hard_expiry(&self.config(row.host).sender.retry, self.rules(row.host).expiry, row.arrived)?;
        let tenants = self.config(row.host).receiver.directory.tenants();
        let own = tenants.iter().find(|tenant| tenant.system.0 == row.tenant).and_then(|tenant| tenant.expiration_ns);
        Some(own.map_or(usual, |ns| usual.min(row.arrived.after(ns))))
    }

    /// What luck adds to the wait of a copy.
    #[cold]
    fn jitter_of(&self, copy: u32) -> i64 {
        let row = &self.copies[copy];
        let place = self.model.hosts[row.host.index()].key;
        let luck = self.chance.draw(Purpose::Jitter, self.messages[row.message].luck, place, u64::from(row.deferrals));
        crate::decide::retry::jitter_ns(&self.config(row.host).sender.retry, luck)
    }

    pub(super) fn pass_row(&mut self, copy: u32, next_at: SimTime, why: &'static str) {
        if self.copies[copy].pass == ATTEMPTS_MAX {
            self.bound = Some(format!("attempts of one message: {ATTEMPTS_MAX}"));
        }
        if self.writes(PATHS) {
            let row = &self.copies[copy];
            self.trace.passes.push(PassRow { copy: row.number, pass: row.pass, next_at, why });
        }
    }

    /// The lifetime of what is left is over.
    pub(super) fn expire(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        let (sender, rules) = (&self.config(host).sender, self.rules(host));
        let fate = if keeps_nothing(sender.profile) { Fate::Rejected } else { Fate::Expired };
        let mut lines: Vec<(u16, &'static str, Enhanced, u32)> = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending {
                continue;
            }
            let last = if recipient.reply == NONE { self.tables.reply(0, Enhanced(4, 4, 7), "") } else { recipient.reply };
            let reply = match rules.expiry_status {
                Some((code, status, words, kept)) => {
                    let was = self.tables.replies.get(last).enhanced.filter(|was| kept.contains(was));
                    let status = was.map_or(status, |Enhanced(_, subject, detail)| Enhanced(5, subject, detail));
                    let text = format!("{words}; last: {}", self.tables.replies.get(last));
                    self.tables.reply(code, status, &text)
                }
                None => last,
            };
            let status = self.tables.replies.get(reply).enhanced.unwrap_or(Enhanced(4, 4, 7));
            lines.push((recipient.index, rules.expiry_action, status, reply));
            self.copies[copy].recipients[place].state = RecipientState::Done;
            self.end_recipient(copy, place, fate, reply, recipient.said_by);
        }
        if fate == Fate::Expired {
            match rules.expiry_action {
                "delayed" => self.report(copy, lines, 2),
                _ => self.report_given_up(copy, lines),
            }
        }
        self.close_copy(copy);
    }

    /// Ends what failed in this pass, with one report for all of it.
    pub(super) fn report_failures(&mut self, copy: u32, nobody_had_it: bool) {
        let mut lines = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            let fate = match recipient.state {
                RecipientState::Failed if nobody_had_it => Fate::Rejected,
                RecipientState::Failed => Fate::Bounced,
                RecipientState::Looped => Fate::Looped,
                RecipientState::Pending | RecipientState::Done => continue,
            };
            let reply = self.tables.replies.get(recipient.reply);
            let status = reply.enhanced.unwrap_or(Enhanced(5, 0, 0));
            lines.push((recipient.index, "failed", status, recipient.reply));
            self.copies[copy].recipients[place].state = RecipientState::Done;
            self.end_recipient(copy, place, fate, recipient.reply, recipient.said_by);
        }
        if !nobody_had_it && !lines.is_empty() {
            self.report_given_up(copy, lines);
        }
    }

    /// A recipient arrived where it ends.
    pub(super) fn arrive_in_mailbox(&mut self, copy: u32, place: usize, fate: Fate) {
        if !self.plain && fate == Fate::Delivered && self.mailbox_has_it(copy, place) {
            return;
        }
        let junk = fate == Fate::Delivered && self.copies[copy].arrival.junk;
        let reply = if junk { self.tables.reply(250, Enhanced(2, 0, 0), "Ok, into the junk folder") } else { self.ok_reply };
        let index = self.copies[copy].recipients[place].index;
        if self.wants_word_of_success(self.copies[copy].message) {
            self.word_of_success(copy, index, "delivered");
        }
        self.copies[copy].recipients[place].state = RecipientState::Done;
        self.end_recipient(copy, place, fate, reply, NONE);
        if !self.plain && fate == Fate::Delivered {
            self.keep_for_failover(copy, index);
            self.answer_by_itself(copy, index, junk);
        }
    }

    /// One copy of a recipient has ended.
    pub(super) fn end_recipient(&mut self, copy: u32, place: usize, fate: Fate, reply: u32, said_by: u32) {
        let (number, message) = (self.copies[copy].number, self.copies[copy].message);
        let index = self.copies[copy].recipients[place].index;
        let good = matches!(fate, Fate::Delivered | Fate::LeftModel);
        let writes = self.writes(FATES);
        let row = &mut self.messages[message];
        let end = &mut row.ends[index as usize];
        end.open -= 1;
        if good {
            end.delivered += 1;
            if end.delivered > 1 {
                self.counters.duplicates += 1;
            } else {
                end.fate = Some(fate);
                if row.kind == 0 {
                    let delay = self.now.since(row.at);
                    self.counters.note_delay(delay);
                }
            }
        } else if end.delivered == 0 {
            end.fate = Some(fate);
        }
        if writes {
            let junk = fate == Fate::Delivered && self.copies[copy].arrival.junk;
            let row = FateRow { message: row.id, recipient: index, fate, junk, reply, at: self.now, copy: number, said_by };
            self.trace.fates.push(row);
        }
    }

    /// Nothing of a copy is left.
    pub(super) fn close_copy(&mut self, copy: u32) {
        let (host, message) = (self.copies[copy].host, self.copies[copy].message);
        self.count_queue(host, false);
        if !self.plain {
            self.report_late(copy);
            if self.remembers(host) {
                self.forget_copy(copy);
            }
            self.forget_wait(copy);
            self.forget_local_hops(copy);
            self.mail_run_goes_on(copy);
        }
        let row = &mut self.copies[copy];
        (row.waits, row.closed) = (u64::MAX, true);
        self.copies.remove(copy);
        self.let_go(message);
    }

    /// Somebody who held a message has done with it.
    #[inline(always)]
    pub(super) fn let_go(&mut self, message: u32) {
        let row = &mut self.messages[message];
        row.copies -= 1;
        if row.copies == 0 {
            if self.expansions.is_used() {
                self.forget_members(message);
            }
            let row = &self.messages[message];
            for end in &row.ends {
                let fate = end.fate.expect("every recipient has an end when no copy is left");
                self.counters.fates[super::run::fate_place(fate)] += 1;
            }
            self.messages.remove(message);
        }
    }
}

/// A sender that tries once and keeps nothing.
fn keeps_nothing(profile: Profile) -> bool {
    profile == Profile::NoRetry
}
