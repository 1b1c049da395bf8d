//! After a session with a host: are its other addresses asked as well?
//!
//! Source: Sendmail usersmtp.c and deliver.c: the addresses of one name are gone through while connecting; a session that fails leads to the next name
//! (seen with Sendmail 8.17.1.9, `tests/observed/cases/lab-fallback-in-brackets.json`).

use super::world::World;
use crate::decide::because;
use crate::trace::NONE;
use crate::trace::level::STEPS;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Is only this name left, so that its other addresses will not be asked after a session?
    pub(super) fn is_last_name(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        if !self.rules(self.copies[row.copy].host).pass.session_ends_name || row.hop + 1 < row.hops || self.list_goes_on(job) {
            return false;
        }
        let goals = &self.cache_plan(row.plan).goals;
        let named = |place: &u16| {
            let candidate = self.tables.candidates.get(goals[usize::from(*place)].candidate);
            (candidate.name, candidate.preference)
        };
        let (before, after) = row.order.split_at(usize::from(row.next));
        before.last().is_some_and(|this| after.iter().all(|other| named(other) == named(this)))
    }

    /// Passes by what is left of the name that a session was held with.
    #[cold]
    #[inline(never)]
    pub(super) fn leaves_the_name(&mut self, job: u32) {
        let key = *self.tables.candidates.get(self.jobs[job].line.candidate);
        let mut lost = Vec::new();
        while let Some(place) = self.jobs[job].order.get(usize::from(self.jobs[job].next)).copied() {
            let goal = self.cache_plan(self.jobs[job].plan).goals[usize::from(place)];
            let other = *self.tables.candidates.get(goal.candidate);
            if (other.name, other.preference) != (key.name, key.preference) || other.address == key.address {
                break;
            }
            self.jobs[job].next += 1;
            if self.writes(STEPS) {
                let why = format!("{} answered, and after a session this server goes on with the next name", key.address);
                lost.push(because("TRY", other.address.to_string(), why, "deliver.c"));
            }
        }
        if !lost.is_empty() {
            let client = self.copies[self.jobs[job].copy].host;
            let decision = self.store_reasons("which other addresses?", client, NONE, &[], &lost);
            self.trace_of_job(job, &[decision]);
        }
    }
}
