//! When is a queue of an Exchange server gone, and its schedule with it?
//!
//! A queue in which nothing lies is removed after QueueMaxIdleTime. A message that comes later makes a new one, which tries at once, however long the old
//! one would have stayed in Retry; so does the first one after the queue database was lost. Sources: Exchange Server "Queues"; EdgeTransport.exe.config `QueueMaxIdleTime`.

use super::world::World;
use crate::base::HostId;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A copy leaves the queues in which it waits.
    pub(super) fn leaves_its_queues(&mut self, copy: u32) {
        let Some(wait) = self.transport_queues.waits.remove(&copy) else { return };
        self.leaves_queues(&wait.queues);
    }

    /// Something of a copy is out of these queues now.
    pub(super) fn leaves_queues(&mut self, queues: &[u32]) {
        for queue in queues {
            self.transport_queues.left_at.insert(*queue, self.now);
        }
    }

    /// A copy goes through the categorizer again, now.
    pub(super) fn route_again(&mut self, copy: u32, why: &'static str) {
        self.leaves_its_queues(copy);
        self.transport_queues.routed_again.insert(copy);
        self.pass_row(copy, self.now, why);
        self.wake_copy(copy, self.now);
    }

    /// Does a copy come to its queues from the categorizer, and has not waited there before?
    pub(super) fn comes_anew(&self, copy: u32) -> bool {
        self.copies[copy].pass <= 1 || self.transport_queues.routed_again.contains(&copy)
    }

    /// A job of a new message comes to a queue: is that a new queue?
    pub(super) fn begins_anew(&mut self, job: u32) {
        let (copy, queue) = (self.jobs[job].copy, self.jobs[job].queue);
        let row = &self.queues[queue as usize];
        if row.active > 0 || !row.waiting.is_empty() || !self.comes_anew(copy) {
            return;
        }
        let Some(left_at) = self.transport_queues.left_at.get(&queue).copied() else { return };
        let idle_ns = self.transport(self.queues[queue as usize].host).queue_idle_ns;
        if self.now < left_at.after(idle_ns) || self.transport_queues.waits.values().any(|wait| wait.queues.contains(&queue)) {
            return;
        }
        self.forget_queue(queue);
    }

    /// A machine lost what lay in its queues, and which of them were in Retry.
    pub(super) fn lost_queues_begin_anew(&mut self, host: HostId) {
        if self.queues_retry(host) {
            let lost = (0..self.queues.len() as u32).filter(|queue| self.queues[*queue as usize].host == host);
            lost.collect::<Vec<_>>().into_iter().for_each(|queue| self.forget_queue(queue));
        }
    }

    fn forget_queue(&mut self, queue: u32) {
        self.transport_queues.left_at.remove(&queue);
        self.transport_queues.forget_schedule(queue);
        self.queues[queue as usize].dead_until = crate::base::SimTime::ZERO;
    }
}
