//! How many deliveries does a server make at once in all, and who waits for one to end?
//!
//! Each queue of an Exchange server has as many connections as its depth allows (`transport_queue`); together they have no more than
//! MaxOutboundConnections. qmail makes no more than `concurrencyremote` remote deliveries at once, whatever their next hops, and Postfix no more than
//! it has processes (`default_process_limit`). A queue that finds none free
//! has its turn when one ends, in the order in which they came. Sources: Set-TransportService `MaxOutboundConnections`, Exchange Server "Message rate
//! limits"; qmail-send(8).

use super::world::World;
use crate::base::HostId;
use std::collections::{BTreeMap, VecDeque};

/// The connections of the servers that have such a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct InAll {
    active: BTreeMap<HostId, u32>,
    /// Queues that wait for a connection of any other to end.
    waiting: BTreeMap<HostId, VecDeque<u32>>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// How many deliveries a machine makes at once, if there is a bound.
    fn most_in_all(&self, host: HostId) -> Option<u32> {
        if self.queues_retry(host) {
            return Some(self.transport(host).connections_in_all);
        }
        Some(self.config(host).sender.deliveries_in_all).filter(|most| *most > 0)
    }

    /// How many deliveries a machine has under way, and may have, where that is the same.
    pub(super) fn full_in_all(&self, host: HostId) -> Option<(u32, u32)> {
        let (most, active) = (self.most_in_all(host)?, self.transport_queues.in_all.active.get(&host).copied().unwrap_or(0));
        (active >= most).then_some((active, most))
    }

    /// Are all connections of a queue's server taken? Then the queue waits for one.
    pub(super) fn all_are_taken(&mut self, queue: u32) -> bool {
        let host = self.queues[queue as usize].host;
        let taken = self.full_in_all(host).is_some();
        if taken {
            let waiting = self.transport_queues.in_all.waiting.entry(host).or_default();
            if !waiting.contains(&queue) {
                waiting.push_back(queue);
            }
        }
        taken
    }

    /// A job of a queue begins (or its queue is dead, and it ends at once).
    pub(super) fn one_more(&mut self, queue: u32) {
        let host = self.queues[queue as usize].host;
        if self.most_in_all(host).is_some() {
            *self.transport_queues.in_all.active.entry(host).or_default() += 1;
        }
    }

    /// A job of such a server is over.
    pub(super) fn one_less(&mut self, host: HostId) {
        if let Some(active) = self.transport_queues.in_all.active.get_mut(&host) {
            *active = active.saturating_sub(1);
        }
    }

    /// The queue that has waited longest for a connection has the next one.
    pub(super) fn serve_who_waits(&mut self, host: HostId) {
        // One that rests, or has nothing left, needs no place: the next one has its turn.
        let mut left = self.transport_queues.in_all.waiting.get(&host).map_or(0, VecDeque::len);
        while left > 0
            && self.full_in_all(host).is_none()
            && let Some(queue) = self.transport_queues.in_all.waiting.get_mut(&host).and_then(VecDeque::pop_front)
        {
            left -= 1;
            self.next_in_queue(queue);
        }
    }
}
