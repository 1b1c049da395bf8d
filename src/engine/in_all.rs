//! How many connections does an Exchange server have in all, and who waits for one?
//!
//! Each queue has as many as its depth allows (`transport_queue`); together they have no more than MaxOutboundConnections, and a queue that finds none
//! free has its turn when one ends, in the order in which they came. Source: Set-TransportService `MaxOutboundConnections`, Exchange Server "Message rate
//! limits".

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
    /// Are all connections of a queue's server taken? Then the queue waits for one.
    pub(super) fn all_are_taken(&mut self, queue: u32) -> bool {
        let host = self.queues[queue as usize].host;
        if !self.queues_retry(host) {
            return false;
        }
        let most = self.transport(host).connections_in_all;
        let taken = self.transport_queues.in_all.active.get(&host).is_some_and(|active| *active >= most);
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
        if self.queues_retry(host) {
            *self.transport_queues.in_all.active.entry(host).or_default() += 1;
        }
    }

    /// A job of such a server is over.
    pub(super) fn one_less(&mut self, host: HostId) {
        if let Some(active) = self.transport_queues.in_all.active.get_mut(&host) {
            *active -= 1;
        }
    }

    /// The queue that has waited longest for a connection has the next one.
    pub(super) fn serve_who_waits(&mut self, host: HostId) {
        let Some(queue) = self.transport_queues.in_all.waiting.get_mut(&host).and_then(VecDeque::pop_front) else { return };
        self.next_in_queue(queue);
    }
}
