//! A stay in a queue: what is the queue called, and when was it over?

use super::build::Builder;
use super::outcome::Attempt;
use crate::base::{NextHopId, SimTime};
use crate::decide::route::queue_name;
use crate::trace::DestinationKey;

impl Builder<'_> {
    /// A queue is called after its next hop; after all of them where a connector or a server's configuration lists several.
    pub(super) fn queue_called(&self, key: &DestinationKey) -> String {
        const SHOWN: usize = 3;
        let name = |hop: &NextHopId| queue_name(&self.run.tables.names, self.run.tables.next_hops.get(hop.0));
        let count = if key.configured { key.hops.len() } else { 1 };
        let names: Vec<String> = key.hops.iter().take(count.min(SHOWN)).map(name).collect();
        let more = if count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
        names.join(", ") + &more
    }

    /// When a recipient's time in the queue where it ended was over; of one that still waits, the end of the run.
    pub(super) fn ended_in(&self, copy: u32, index: u16, attempts: &[Attempt]) -> SimTime {
        let row = self.copy(copy);
        let mut fates = self.fates[row.message.index()].iter().map(|at| &self.run.trace.fates[*at as usize]);
        let ended = fates.find(|fate| fate.copy == copy && fate.recipient == index).map(|fate| fate.at);
        let last = attempts.last().map_or(row.arrived, |attempt| attempt.end);
        ended.unwrap_or_else(|| last.max(self.run.ended_at))
    }
}
