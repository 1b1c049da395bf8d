//! Messages that an administrator takes away: those that wait at once, those in the middle of an attempt when it has failed (status PendingRemove).
//!
//! Source: Remove-Message; "Queue properties" (a message in PendingRemove is deleted if its delivery ends in an error that would put it back).

use super::operations::Part;
use super::world::{RecipientState, Stage, Under, World};
use crate::base::Fate;
use crate::decide::exchange::queue_operation::removed;
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// `Remove-Message`.
    pub(super) fn remove_part(&mut self, part: Part, with_ndr: bool) {
        let Part { copy, queue, job, places } = part;
        if let Some(job) = job {
            if !self.is_in_line(job) {
                self.transport_queues.operations.removed.extend(places.iter().map(|place| ((copy, *place), with_ndr)));
                return;
            }
            self.leaves_the_line(job);
        }
        self.take_away(copy, queue, &places, with_ndr);
        if self.copies[copy].jobs > 0 {
            return;
        }
        if job.is_some() {
            self.end_pass(copy);
            return;
        }
        self.close_if_done(copy);
    }

    /// The attempts of a copy have failed: who was to be taken away meanwhile is gone. True if nobody is left.
    pub(super) fn removed_meanwhile(&mut self, copy: u32, queue: u32) -> bool {
        let removed = &mut self.transport_queues.operations.removed;
        let meant: SmallVec<[((u32, u16), bool); 2]> =
            removed.range((copy, 0)..=(copy, u16::MAX)).map(|(key, with)| (*key, *with)).collect();
        if meant.is_empty() {
            return false;
        }
        for ((_, place), with_ndr) in meant {
            self.transport_queues.operations.removed.remove(&(copy, place));
            if self.copies[copy].recipients[usize::from(place)].state == RecipientState::Pending {
                self.take_away(copy, queue, &[place], with_ndr);
            }
        }
        self.close_if_done(copy)
    }

    /// A job in line, without an attempt so far.
    pub(super) fn is_in_line(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        matches!(row.stage, Stage::Queued | Stage::Stopped(Under::InLine)) && self.queues[row.queue as usize].waiting.contains(&job)
    }

    /// Takes a job out of its line; its recipients are pending.
    pub(super) fn leaves_the_line(&mut self, job: u32) {
        self.waits_no_longer(job);
        let (copy, queue) = (self.jobs[job].copy, self.jobs[job].queue);
        self.queues[queue as usize].waiting.retain(|waiting| *waiting != job);
        self.jobs[job].recipients.clear();
        self.jobs.remove(job);
        self.copies[copy].jobs -= 1;
    }

    fn take_away(&mut self, copy: u32, queue: u32, places: &[u16], with_ndr: bool) {
        let decision = removed(with_ndr, &self.called(queue));
        let reply = self.tables.replies.intern(decision.outcome.clone());
        let stored = self.store("is it taken away?", self.copies[copy].host, NONE, &decision);
        for place in places {
            let recipient = &mut self.copies[copy].recipients[usize::from(*place)];
            (recipient.reply, recipient.said_by) = (reply, NONE);
            recipient.state = if with_ndr { RecipientState::Failed } else { RecipientState::Done };
            let index = recipient.index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
            if !with_ndr {
                self.end_recipient(copy, usize::from(*place), Fate::Discarded, reply, NONE);
            }
        }
    }

    fn close_if_done(&mut self, copy: u32) -> bool {
        self.report_failures(copy, false);
        let done = self.copies[copy].recipients.iter().all(|recipient| recipient.state == RecipientState::Done);
        if done {
            self.close_copy(copy);
        }
        done
    }
}
