//! What had a server tried with a message before it was lost with its queue, and somebody else sent it on?

use super::build::Builder;
use super::outcome::{Hop, LostBefore};
use crate::base::{Fate, InOrder};
use crate::trace::{FateRow, NONE};

impl Builder<'_> {
    /// The parts of servers that had lost what this copy sends on, the first one first.
    pub(super) fn lost_before(&self, copy: u32, index: u16) -> Vec<LostBefore> {
        let row = self.copy(copy);
        let lost = self.fates_of(self.copy(copy).message.0, index).filter(|fate| fate.fate == Fate::Lost);
        let mut lost: Vec<&FateRow> =
            lost.filter(|fate| fate.copy != copy && fate.at <= row.arrived && self.stands_for(copy, fate.copy, index)).collect();
        lost.in_order_by_key(|fate| fate.at);
        // What was lost twice is told by the one that lost it last.
        let last = lost.last().map(|fate| LostBefore {
            hop: Hop { left_at: fate.at, ..self.hop(fate.copy, None, index) },
            from_mailbox: self.was_delivered(fate.copy, index),
        });
        last.into_iter().collect()
    }

    /// Who took first what goes on with `next`: that may be a second copy, of a shadow or a Safety Net.
    pub(super) fn taken_by(&self, next: Option<u32>, index: u16) -> Option<u32> {
        next.map(|next| self.copy_brought(self.copy(next).from_connection, index).unwrap_or(next))
    }

    /// What became of a recipient, in the order in which it did.
    pub(super) fn fates_of(&self, message: u32, index: u16) -> impl Iterator<Item = &FateRow> {
        let fate = |at: &u32| &self.run.trace.fates[*at as usize];
        let rows = &self.fates[message as usize];
        let first = rows.partition_point(|at| fate(at).recipient < index);
        rows[first..].iter().map(fate).take_while(move |row| row.recipient == index)
    }

    fn was_delivered(&self, copy: u32, index: u16) -> bool {
        self.fates_of(self.copy(copy).message.0, index).any(|fate| fate.copy == copy && fate.fate == Fate::Delivered)
    }

    /// Is the one a second copy of the other, which came earlier? A shadow has it from the same connection, and a Safety Net what a mailbox had; a client
    /// that sends again made that connection.
    fn stands_for(&self, copy: u32, lost: u32, index: u16) -> bool {
        let (row, before) = (self.copy(copy), self.copy(lost));
        let brought_by = |connection: u32| self.copy(self.run.trace.connections[connection as usize].copy).host;
        before.arrived < row.arrived
            && (before.from_connection == row.from_connection && (before.host != row.host || self.was_delivered(lost, index))
                || row.from_connection == NONE && before.from_connection != NONE && brought_by(before.from_connection) == row.host)
    }
}
