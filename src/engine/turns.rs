//! A job is over: what its queue learns from it, and who has the next turn (Postfix `qmgr_queue.c`).

use super::settle::DEFER_AT_ONCE;
use super::world::{RecipientState, World};
use crate::base::{AttemptResult, Enhanced, Fate, HostId, MINUTE, SimTime};
use crate::trace::NONE;
use crate::trace::level::PATHS;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// All candidates of a job are through: the next in its queue has its turn.
    pub(super) fn job_over(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        let number = if self.plain { NONE } else { self.copies[self.jobs[job].copy].number };
        self.finish_job(job);
        if !self.plain {
            self.next_of_message(number);
            self.note_done(queue);
            let host = self.queues[queue as usize].host;
            if !self.queues_retry(host) {
                self.one_less(host);
            }
            self.serve_who_waits(host);
        }
        self.next_in_queue(queue);
    }

    /// What a finished job leaves to its copy and its queue.
    #[inline(always)]
    pub(super) fn finish_job(&mut self, job: u32) {
        if !self.plain {
            self.rejoin(job);
        }
        let row = &self.jobs[job];
        let (copy, queue, empty) = (row.copy, row.queue, row.recipients.is_empty());
        let remembers = self.remembers(self.copies[copy].host);
        if !self.plain {
            self.forget_use(job);
            self.forget_last_try(job);
        }
        if remembers || !empty {
            self.finish_unfinished_job(job, remembers);
            return;
        }
        self.jobs.remove(job);
        self.queue_feedback(queue, false, NONE);
        self.close_job(copy);
    }

    /// A copy has one job less.
    #[inline(always)]
    fn close_job(&mut self, copy: u32) {
        let row = &mut self.copies[copy];
        row.jobs -= 1;
        if row.jobs == 0 {
            self.end_pass(copy);
        } else if self.reports_at_once(copy) {
            self.report_failures(copy, false);
        }
    }

    /// Does a machine report what one queue gave up before the others of the message are through?
    #[inline]
    pub(super) fn reports_at_once(&self, copy: u32) -> bool {
        self.rules(self.copies[copy].host).pass.reports_at_once
    }

    /// The same where recipients are left, or hosts remembered.
    #[inline(never)]
    fn finish_unfinished_job(&mut self, job: u32, remembers: bool) {
        let copy = self.jobs[job].copy;
        let tried = !remembers || self.job_in_memory(job);
        let mut left = std::mem::take(&mut self.jobs[job].recipients);
        if self.jobs[job].not_said {
            let status = self.jobs[job].status;
            for place in std::mem::take(&mut left) {
                self.copies[copy].recipients[usize::from(place)].state = RecipientState::Done;
                self.end_recipient(copy, usize::from(place), Fate::NotModelled, status, NONE);
            }
        }
        if self.jobs[job].is_loop {
            self.reroute(job, &mut left);
        }
        let row = &self.jobs[job];
        let (status, said_by, bounce, is_loop) = (row.status, row.said_by, row.bounce, row.is_loop);
        for place in &left {
            let recipient = &mut self.copies[copy].recipients[*place as usize];
            // The last word about a recipient is its own last reply, or what ended the job.
            if ((tried || bounce) && said_by == NONE || recipient.reply == NONE) && !recipient.kept {
                (recipient.reply, recipient.said_by) = (status, said_by);
            }
            recipient.kept = false;
            if recipient.said_by == DEFER_AT_ONCE {
                recipient.said_by = NONE;
            }
            if bounce {
                recipient.state = if is_loop { RecipientState::Looped } else { RecipientState::Failed };
            }
        }
        let result = match bounce {
            true => AttemptResult::Bounced,
            false if self.joined_in_retry(job) => AttemptResult::Joined,
            false => AttemptResult::Deferred,
        };
        for place in left.iter().filter(|_| tried || bounce) {
            let reply = self.copies[copy].recipients[*place as usize].reply;
            self.attempt_rows(job, &[*place], result, reply);
        }
        if !left.is_empty() && !self.plain {
            let queue = self.jobs[job].queue;
            self.note_left(copy, queue);
        }
        let failed_host = !left.is_empty() && self.jobs[job].host_failure && !bounce;
        let queue = self.jobs[job].queue;
        self.jobs.remove(job);
        self.queue_feedback(queue, failed_host, status);
        if remembers {
            self.copies[copy].jobs -= 1;
            self.next_delivery(copy);
            if self.copies[copy].jobs == 0 {
                self.end_pass(copy);
            } else {
                self.begin_last_resort(copy);
            }
        } else {
            self.close_job(copy);
        }
    }

    /// A destination learns from a finished job (`qmgr_queue.c`: windows, cohorts of failures, dead destinations).
    #[inline(always)]
    pub(super) fn queue_feedback(&mut self, queue: u32, failed: bool, status: u32) {
        let host = self.queues[queue as usize].host;
        if self.config(host).sender.concurrency.0 == 0 {
            self.queues[queue as usize].active -= 1;
        } else {
            self.window_feedback(queue, failed, status);
        }
    }

    /// The same for a sender with windows.
    fn window_feedback(&mut self, queue: u32, failed: bool, status: u32) {
        let host = self.queues[queue as usize].host;
        if self.queues_retry(host) {
            self.schedule_feedback(queue, failed, status);
            return;
        }
        let sender = &self.config(host).sender;
        let ((initial, limit), rests) = (sender.concurrency, sender.rate_delay_ns > 0);
        let retry_min = match &sender.retry {
            crate::model::settings::Retry::Postfix { min_ns, .. } => *min_ns,
            _ => 5 * MINUTE,
        };
        let flushes = failed && self.rules(host).relay.is_some() && !self.has_another_session(queue);
        let row = &mut self.queues[queue as usize];
        row.active -= 1;
        if flushes {
            // All that waits for the destination is deferred with this one.
            (row.dead_until, row.dead_status) = (self.now.after(1), status);
            return;
        }
        if row.dead_until > self.now || !self.settings[host.index()].rules.pass.learns_from_failures {
            return;
        }
        if !failed {
            row.cohorts = 0;
            // Not further from what is under way (the one that is over among it) than it was at the start.
            if (row.window < limit || limit == 0) && row.window < row.active + 1 + initial {
                (row.window, row.failure) = (row.window + 1, 0);
            }
        } else {
            row.cohorts += 10_000 / row.window.max(1);
            if sender.failed_cohort_limit > 0 && row.cohorts + 2 >= 10_000 * sender.failed_cohort_limit {
                // One with a delay rests instead; what stands in its line is put off all the same (qmgr_entry.c).
                let dead_ns = if rests { 1 } else { retry_min };
                (row.dead_until, row.cohorts, row.failure) = (self.now.after(dead_ns), 0, 0);
                // When it lives again it begins anew (qmgr_queue.c, `qmgr_queue_unthrottle`).
                row.window = initial.max(row.active);
                let reason = self.tables.replies.get(status).clone();
                row.dead_status = self.tables.reply(
                    reason.code,
                    reason.enhanced.unwrap_or(Enhanced(4, 4, 1)).with_class(4),
                    &format!("delivery temporarily suspended: {}", reason.text),
                );
            } else {
                // Half steps: one failure takes one off the window, the first of a series two.
                row.failure -= 2;
                while row.failure < 1 && row.window > 1 {
                    row.window -= 1;
                    row.failure += 2;
                }
            }
        }
        if rests {
            self.rest_after_delivery(queue);
        }
    }

    /// A flush forgets which destinations are dead (Postfix mail_flush.c, qmgr_scan.c `qmgr_enable_all`, qmgr_queue.c `qmgr_queue_unthrottle`).
    pub(super) fn revive_destinations(&mut self, host: HostId) {
        if !self.rules(host).pass.learns_from_failures {
            return;
        }
        let (initial, now) = (self.config(host).sender.concurrency.0, self.now);
        for row in self.queues.iter_mut().filter(|row| row.host == host && row.dead_until > now) {
            (row.window, row.failure, row.cohorts, row.dead_until) = (initial.max(row.active), 0, 0, SimTime::ZERO);
        }
    }

    /// The next job of a line has its turn; a line that is at rest forgets.
    pub(super) fn next_in_queue(&mut self, queue: u32) {
        loop {
            let host = self.queues[queue as usize].host;
            let initial = self.config(host).sender.concurrency.0;
            if !self.plain {
                self.widen(queue);
            }
            let dead = self.queues[queue as usize].dead_until > self.now;
            if !self.plain && !dead && self.rests(queue) {
                return self.wake_after_rest(queue);
            }
            let row = &mut self.queues[queue as usize];
            if row.waiting.is_empty() {
                if row.active == 0 && !dead {
                    (row.window, row.failure, row.cohorts, row.dead_until) = (initial, 0, 0, SimTime::ZERO);
                }
                return;
            }
            if !dead && row.window > 0 && row.active >= row.window
                || !dead && !self.plain && (self.all_are_taken(queue) || self.waits_for_session(queue))
            {
                return;
            }
            let row = &mut self.queues[queue as usize];
            let job = row.waiting.pop_front().expect("somebody waits");
            if self.writes(PATHS) {
                self.has_its_turn(job);
            }
            if !self.plain && self.put_aside(job) {
                continue;
            }
            self.queues[queue as usize].active += 1;
            if !self.plain && (!dead || self.queues_retry(host)) {
                self.one_more(queue);
            }
            if dead {
                let status = self.queues[queue as usize].dead_status;
                let job_row = &mut self.jobs[job];
                (job_row.status, job_row.eventful, job_row.started, job_row.host_failure) = (status, true, self.now, false);
                if !self.plain {
                    self.waits_for_domain(job);
                }
                self.finish_job(job);
                continue;
            }
            self.start_job(job);
        }
    }
}
