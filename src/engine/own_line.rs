//! Who goes on over the connection of a queue of Exchange that has just become free: whoever stands next in the line of the queue.
//!
//! Source: New-SendConnector `SmtpMaxMessagesPerConnection`; Exchange Server "Queues".

use super::kept::Kept;
use super::world::World;
use crate::base::HostId;
use crate::decide::order::Order;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Where the connection of a line is that is free at this moment.
    fn free_line(&self, queue: u32) -> Option<((HostId, IpAddr, u16), usize)> {
        let host = self.queues[queue as usize].host;
        if !self.cache_of(host)?.own_line {
            return None;
        }
        let lists = self.connections.idle.iter().filter(|((client, ..), _)| *client == host);
        let is_free = |kept: &Kept| kept.queue == queue && kept.since == self.now;
        lists.into_iter().find_map(|(key, list)| Some((*key, list.iter().rposition(is_free)?)))
    }

    /// Is a connection of this line free at this moment?
    pub(super) fn has_free_line(&self, queue: u32) -> bool {
        self.free_line(queue).is_some()
    }

    /// Who has his turn gets the free connection of the line, however long he then looks for the way.
    pub(super) fn take_free_line(&mut self, queue: u32) -> Option<Kept> {
        let (key, at) = self.free_line(queue)?;
        self.connections.idle.get_mut(&key).map(|list| list.remove(at))
    }

    /// The address that the connection of the line leads to goes first, if it is still among the best.
    pub(super) fn own_line_first(&mut self, job: u32, order: &mut Order, plan: u32, kept: Kept) {
        let best = self.best_places(plan, order);
        let goals = &self.cache_plan(plan).goals;
        match order.iter().position(|place| best.contains(place) && kept.leads_to(&goals[usize::from(*place)])) {
            Some(at) => {
                let place = order.remove(at);
                order.insert(0, place);
            }
            None => self.connections.uses.entry(job).or_default().taken = None,
        }
    }

    /// To which of the destination's entries the connection leads that a job has taken over.
    pub(super) fn turn_of_own_line(&self, job: u32) -> Option<u8> {
        self.connections.uses.get(&job)?.taken?.turn
    }
}
