//! Why is a host passed by? Told where it happens; the words stand in `decide::passed_by`.

use super::memory::Key;
use super::plan::Goal;
use super::world::World;
use crate::base::SimTime;
use crate::decide::Because;
use crate::decide::passed_by::{failed_before, not_yet, serialized, silent, suspended};
use crate::decide::remembered::Record;
use crate::trace::Concern;
use crate::trace::level::STEPS;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A host is passed by. In a first pass that is told before the attempt, since it may be none.
    pub(super) fn tell_passed_by(&mut self, job: u32, why: Because) {
        if !self.writes(STEPS) {
            return;
        }
        let copy = self.jobs[job].copy;
        let (host, tenant) = (self.copies[copy].host, self.copies[copy].tenant);
        let stored = self.store_reasons("may this host be tried?", host, tenant, &[], &[why]);
        if self.copies[copy].pass > 1 {
            return self.trace_of_job(job, &[stored]);
        }
        for place in self.jobs[job].recipients.clone() {
            let index = self.copies[copy].recipients[usize::from(place)].index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
    }

    /// What a sender remembers of an address forbids a connect (`opens_at`).
    #[cold]
    #[inline(never)]
    pub(super) fn tell_closed(&mut self, job: u32, goal: &Goal, at: SimTime) {
        if !self.writes(STEPS) {
            return;
        }
        let client = self.copies[self.jobs[job].copy].host;
        let name = self.tables.names.text(self.tables.candidates.get(goal.candidate).name);
        let clock = self.model.clock();
        let known = self.silent.get(&(client, goal.address)).and_then(|known| known.at(at));
        let why = match (self.relays.route(client, goal.address, at), known) {
            (Some(route), _) if route.is_suspended(at) => suspended(name, route, &clock.moment(route.until)),
            (_, Some(known)) if known.timeouts > 1 && !self.is_dead(job, goal.candidate) => silent(name, known, &clock.moment(known.last)),
            _ => failed_before(name, "profile"),
        };
        self.tell_passed_by(job, why);
    }

    /// What Exim remembers of a host says that its time has not come (`may_try`).
    #[cold]
    #[inline(never)]
    pub(super) fn tell_not_yet(&mut self, job: u32, candidate: u32, at: SimTime) {
        if !self.writes(STEPS) {
            return;
        }
        let name = self.tables.candidates.get(candidate).name;
        let name = self.tables.names.text(name);
        let clock = self.model.clock();
        let why = match self.record_against(job, candidate, at) {
            Some((record, of_message)) => not_yet(name, (&clock.moment(record.last_try), &clock.moment(record.next_try)), of_message),
            None if self.has_failed_in_pass(job, candidate) => failed_before(name, "Exim smtp.c"),
            None => serialized(name),
        };
        self.tell_passed_by(job, why);
    }

    /// Has a host failed in the same pass already?
    pub(super) fn has_failed_in_pass(&self, job: u32, candidate: u32) -> bool {
        let copy = self.jobs[job].copy;
        let key = self.host_key(self.copies[copy].host, candidate);
        self.memory.passes.get(&copy).is_some_and(|pass| pass.unusable.contains(&key))
    }

    /// What is remembered of a host, or of the message at the host, whose time has not come.
    pub(super) fn record_against(&self, job: u32, candidate: u32, at: SimTime) -> Option<(Record, bool)> {
        let copy = &self.copies[self.jobs[job].copy];
        let key = self.host_key(copy.host, candidate);
        let keys = [(Key::Host(key), false), (Key::Message(key, copy.number), true)];
        keys.into_iter()
            .find_map(|(key, of_message)| Some((*self.record(copy.host, &key).filter(|record| at < record.next_try)?, of_message)))
    }
}
