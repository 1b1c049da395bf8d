//! How long does a destination rest after each delivery (Postfix `default_destination_rate_delay`)?
//!
//! One delivery at a time; when it is over, the destination is suspended, and the queue manager wakes it. What comes meanwhile stands in line. (A running
//! one counts whole seconds, and woke it up to a second later than that.) Sources: Postfix qmgr_entry.c `qmgr_entry_done`, qmgr_queue.c `qmgr_queue_suspend`, `qmgr_queue_resume`. Not modelled: a
//! limit of one recipient, where each recipient rests for itself; `default_transport_rate_delay`.

use super::queue::Kind;
use super::world::{Stage, World};
use crate::base::SimTime;
use std::collections::BTreeMap;

/// Until when each queue rests that does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rests(BTreeMap<u32, SimTime>);

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A delivery is over: its destination rests, if its sender wants that.
    pub(super) fn rest_after_delivery(&mut self, queue: u32) {
        let delay_ns = self.config(self.queues[queue as usize].host).sender.rate_delay_ns;
        if delay_ns > 0 {
            self.rests.0.insert(queue, self.now.after(delay_ns));
        }
    }

    /// Does a destination rest? One whose rest is over, and that has nothing to do, forgets how busy it was.
    pub(super) fn rests(&mut self, queue: u32) -> bool {
        let Some(until) = self.rests.0.get(&queue).copied() else { return false };
        if self.now < until {
            return true;
        }
        self.rests.0.remove(&queue);
        self.note_idle(queue);
        false
    }

    /// Its machine was down.
    pub(super) fn forgets_rest(&mut self, queue: u32) {
        self.rests.0.remove(&queue);
    }

    /// The first in the line of a destination that rests is called when the rest is over.
    pub(super) fn wake_after_rest(&mut self, queue: u32) {
        let Some(until) = self.rests.0.get(&queue).copied() else { return };
        if let Some(first) = self.queues[queue as usize].waiting.front().copied()
            && self.jobs[first].waits == u64::MAX
        {
            self.wake_job(first, until, Kind::Settle, Stage::Queued);
        }
    }

    /// The first in a line is called.
    #[cold]
    #[inline(never)]
    pub(super) fn rest_is_over(&mut self, job: u32) {
        self.next_in_queue(self.jobs[job].queue);
    }
}
