//! When do the hosts of last resort have their turn at a sender that asks them once for each message (Exim deliver.c `addr_fallback`)?
//!
//! A delivery whose hosts all put its recipients off waits until all other deliveries of the message are over; then what is left goes to the hosts of
//! last resort in one transaction, whatever its domains, who came last first. Not modelled: that the retry times of a host of last resort count for
//! each of the domains alone.

use super::world::World;
use crate::base::SimTime;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a job wait with the hosts of last resort for the others of its message?
    pub(super) fn waits_for_the_others(&mut self, job: u32) -> bool {
        let row = &self.jobs[job];
        let (copy, at_last_resort) = (row.copy, row.hop == row.own_hops && row.hop < row.hops);
        if !at_last_resort || !self.rules(self.copies[copy].host).pass.groups_by_hosts {
            return false;
        }
        let notes = self.memory.passes.entry(copy).or_default();
        if notes.last_resort_began {
            return false;
        }
        notes.for_last_resort.push(job);
        self.remember_fallback(job);
        self.jobs[job].waits = u64::MAX;
        self.next_delivery(copy);
        self.begin_last_resort(copy);
        true
    }

    /// Nothing of a message is under way any more but what waits for the hosts of last resort: they have their turn.
    pub(super) fn begin_last_resort(&mut self, copy: u32) {
        let jobs = usize::from(self.copies[copy].jobs);
        let Some(notes) = self.memory.passes.get_mut(&copy) else { return };
        if notes.last_resort_began || notes.for_last_resort.is_empty() || notes.for_last_resort.len() < jobs {
            return;
        }
        notes.last_resort_began = true;
        let waiting = std::mem::take(&mut notes.for_last_resort);
        let (last, others) = waiting.split_last().expect("somebody waits");
        let most = self.config(self.copies[copy].host).sender.recipient_limit as usize;
        for other in others.iter().rev().copied() {
            let count = self.jobs[*last].recipients.len() + self.jobs[other].recipients.len();
            let same = self.last_resort_of(other) == self.last_resort_of(*last);
            if same && (most == 0 || count <= most) {
                let more = std::mem::take(&mut self.jobs[other].recipients);
                self.jobs[*last].recipients.extend(more);
                self.jobs[*last].eventful = true;
                self.over_at(other, self.now);
            } else {
                self.wake_job(other, self.now, super::queue::Kind::Settle, super::world::Stage::NextHop);
            }
        }
        let at: SimTime = self.now;
        self.wake_job(*last, at, super::queue::Kind::Settle, super::world::Stage::NextHop);
    }

    /// What two jobs must have in common to share a transaction there.
    fn last_resort_of(&self, job: u32) -> (Vec<crate::base::NextHopId>, Option<crate::model::settings::TlsPolicy>) {
        let key = self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination);
        (key.fallback.to_vec(), key.tls.clone())
    }
}
