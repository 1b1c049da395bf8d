//! Was a queue the end of the way, and when was a stay in it over?

use super::build::Builder;
use super::outcome::Attempt;
use crate::base::{Fate, SimTime};

impl Builder<'_> {
    /// It arrived in this queue's own system, which tried to send it nowhere.
    pub(super) fn ends_here(&self, copy: u32, fate: Fate) -> bool {
        matches!(fate, Fate::Delivered | Fate::LeftModel | Fate::Quarantined)
            && self.attempts[copy as usize].is_empty()
            && self.connections[copy as usize].is_empty()
    }

    /// When a recipient's time in the queue where it ended was over; of one that still waits, the end of the run.
    pub(super) fn ended_in(&self, copy: u32, index: u16, attempts: &[Attempt]) -> SimTime {
        let row = self.copy(copy);
        let ended = self.fates_of(row.message.0, index).find(|fate| fate.copy == copy).map(|fate| fate.at);
        let last = attempts.last().map_or(row.arrived, |attempt| attempt.end);
        ended.unwrap_or_else(|| last.max(self.run.ended_at))
    }
}
