//! Which message of a queue goes first when the queue's wait in Retry is over?
//!
//! The oldest: a queue is worked off in order of arrival, whatever the order in which its messages were put off last. Source: Exchange Server "Queues"
//! (a queue holds messages in the order in which they are to be processed). Not modelled: `Priority`; a message that comes at the very moment of the
//! attempt may go before those that wait.

use super::world::World;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The wait of a copy is over, and of others with it: from now on they come in order of arrival. `false`: they do so already.
    pub(super) fn lines_up(&mut self, copy: u32) -> bool {
        let waits = &self.transport_queues.waits;
        let Some(queue) = waits.get(&copy).and_then(|wait| wait.queues.first().copied()) else { return false };
        if self.transport_queues.lined_up.insert(queue, self.now) == Some(self.now) {
            return false;
        }
        let together = waits.iter().filter(|(_, wait)| wait.next == self.now && wait.queues.contains(&queue));
        let mut line: Vec<u32> = together.map(|(copy, _)| *copy).collect();
        line.sort_by_key(|copy| (self.copies[*copy].arrived, self.copies[*copy].number));
        if line.is_sorted_by_key(|copy| self.copies[*copy].waits) {
            return false;
        }
        for copy in line {
            self.wake_copy(copy, self.now);
        }
        true
    }
}
