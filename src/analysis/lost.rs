//! What had a server tried with a message before it was lost with its queue, and somebody else sent it on?

use super::build::Builder;
use super::outcome::Hop;
use crate::base::{Fate, InOrder};
use crate::trace::{FateRow, NONE};

impl Builder<'_> {
    /// The parts of servers that had lost what this copy sends on, the first one first.
    pub(super) fn lost_before(&self, copy: u32, index: u16) -> Vec<Hop> {
        let row = self.copy(copy);
        let rows = self.fates[row.message.index()]
            .iter()
            .map(|at| &self.run.trace.fates[*at as usize])
            .filter(|fate| fate.fate == Fate::Lost && fate.recipient == index);
        let mut lost: Vec<&FateRow> =
            rows.filter(|fate| fate.copy != copy && fate.at <= row.arrived && self.stands_for(copy, fate.copy)).collect();
        lost.in_order_by_key(|fate| fate.at);
        // What was lost twice is told by the one that lost it last.
        let last = lost.last().map(|fate| Hop { left_at: fate.at, ..self.hop(fate.copy, None, index) });
        last.into_iter().collect()
    }

    /// Is the one a second copy of the other, which came earlier? A shadow has it from the same connection, a client that sends again made that connection.
    fn stands_for(&self, copy: u32, lost: u32) -> bool {
        let (row, before) = (self.copy(copy), self.copy(lost));
        let brought_by = |connection: u32| self.copy(self.run.trace.connections[connection as usize].copy).host;
        before.arrived < row.arrived
            && (before.from_connection == row.from_connection && before.host != row.host
                || row.from_connection == NONE && before.from_connection != NONE && brought_by(before.from_connection) == row.host)
    }
}
