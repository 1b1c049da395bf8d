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
            let concern = Concern::destination(self.destination_of(job));
            self.trace_decisions(self.jobs[job].copy, concern, decisions);
        }
    }

    /// The questions to DNS since there were `before` rows are those of a job.
    pub(super) fn lookups_of_job(&mut self, job: u32, before: usize) {
        if self.writes(STEPS) {
            let destination = self.destination_of(job);
            self.trace.lookups[before..].iter_mut().for_each(|row| row.destination = destination);
        }
    }

    /// What was told since the notes of a pass began for those who go to one destination is told for those of another one, whose transaction they share.
    #[cold]
    pub(super) fn told_for_another(&mut self, copy: u32, of: u32, to: u32) {
        let (lookups, decisions) = self.memory.passes.get(&copy).map_or((0, 0), |notes| notes.rows);
        if !self.writes(STEPS) {
            return;
        }
        let number = self.copies[copy].number;
        let of_copy = self.trace.lookups[lookups..].iter_mut().filter(|row| row.copy == number && row.destination == of);
        of_copy.for_each(|row| row.destination = to);
        let (of, to) = (Concern::destination(of), Concern::destination(to));
        self.trace.decisions[decisions..].iter_mut().filter(|row| row.copy == number && row.concern == of).for_each(|row| row.concern = to);
    }

    fn destination_of(&self, job: u32) -> u32 {
        self.queues[self.jobs[job].queue as usize].destination
    }
}
