//! Whom do the steps of a pass concern? Decisions and questions to DNS are noted for those who go to one destination, or for one of them.

use super::world::World;
use crate::trace::level::STEPS;
use crate::trace::{Concern, DecisionRow, NONE};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Writes decisions about a copy.
    pub(super) fn trace_decisions(&mut self, copy: u32, concern: Concern, decisions: &[u32]) {
        if self.writes(STEPS) {
            let (number, pass) = (self.copies[copy].number, self.copies[copy].pass);
            let rows = decisions.iter().filter(|decision| **decision != NONE);
            self.trace.decisions.extend(rows.map(|decision| DecisionRow { copy: number, pass, concern, decision: *decision }));
        }
    }

    /// Writes decisions about those whom a job is for.
    pub(super) fn trace_of_job(&mut self, job: u32, decisions: &[u32]) {
        if self.writes(STEPS) {
            let concern = self.destination_told(job).map_or(Concern::ALL, Concern::destination);
            self.trace_decisions(self.jobs[job].copy, concern, decisions);
        }
    }

    /// The questions to DNS since there were `before` rows are those of a job.
    pub(super) fn lookups_of_job(&mut self, job: u32, before: usize) {
        if self.writes(STEPS) {
            let destination = self.destination_told(job).unwrap_or(NONE);
            self.trace.lookups[before..].iter_mut().for_each(|row| row.destination = destination);
        }
    }

    /// The destination that a job's steps are told for; `None`: for all of its pass, where groups with the same hosts become one.
    fn destination_told(&self, job: u32) -> Option<u32> {
        let row = &self.jobs[job];
        let merges = self.rules(self.copies[row.copy].host).pass.groups_by_hosts;
        (!merges).then(|| self.queues[row.queue as usize].destination)
    }
}
