//! Who waits for his turn, for which limit, and from when to when? Told when the wait is over, or when the run is.
//!
//! The words of the limits stand in `decide::turn`. Not told: the turn among the mail of one queue run, or among the deliveries of one message.

use super::world::{Stage, World};
use crate::base::{HostId, SimTime, duration};
use crate::decide::Because;
use crate::decide::turn::{Line, at_destination, at_rest, at_server, at_sessions, in_all};
use crate::trace::level::{PATHS, STEPS};
use crate::trace::{Concern, NONE};
use std::collections::BTreeMap;

/// Since when and why, by copy, pass and job.
pub(crate) type Waiting = BTreeMap<(u32, u16, u32), (SimTime, Because)>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    fn turn_key(&self, job: u32) -> (u32, u16, u32) {
        let copy = &self.copies[self.jobs[job].copy];
        (copy.number, copy.pass, job)
    }

    /// A job begins to wait.
    #[cold]
    #[inline(never)]
    pub(super) fn begins_to_wait(&mut self, job: u32, why: Because) {
        let key = self.turn_key(job);
        self.waiting.insert(key, (self.now, why));
    }

    /// A job stands in the line of its destination: why?
    #[cold]
    #[inline(never)]
    pub(super) fn stands_in_line(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        let row = &self.queues[queue as usize];
        let (host, name, sender) = (row.host, self.called(queue), &self.config(row.host).sender);
        let before = (row.waiting.len() as u32).saturating_sub(1);
        let why = if sender.rate_delay_ns > 0 {
            at_rest(&name, sender.rate_delay_ns)
        } else if let Some((busy, places)) = self.full_in_all(host) {
            in_all(sender.profile, &name, Line { busy, places, before })
        } else if let Some(limits) = self.session_limits(host) {
            at_sessions(&limits, self.sources_of(host), row.active, &name)
        } else {
            at_destination(sender, &name, Line { busy: row.active, places: row.window, before })
        };
        self.begins_to_wait(job, why);
    }

    /// A connect reached a machine whose places are all taken.
    #[cold]
    #[inline(never)]
    pub(super) fn stands_before_server(&mut self, job: u32, server: HostId) {
        if !self.writes(STEPS) {
            return;
        }
        let machine = &self.machines[server.index()];
        let line = Line { busy: machine.busy, places: self.slots(server), before: machine.line.len() as u32 };
        let fault = self.fewer_slots(server).map(|(number, _)| &*self.model.faults[number as usize].name);
        let why = at_server(&self.model.hosts[server.index()].name, line, fault);
        self.begins_to_wait(job, why);
    }

    /// The wait of a job is over.
    #[cold]
    #[inline(never)]
    pub(super) fn has_its_turn(&mut self, job: u32) {
        if self.writes(PATHS) && self.jobs[job].stage == Stage::Queued && self.jobs[job].started < self.now {
            // Its attempt does not begin when it came.
            self.jobs[job].eventful = true;
        }
        let Some((since, why)) = self.waiting.remove(&self.turn_key(job)) else { return };
        if since < self.now {
            let clock = self.model.clock();
            let waited = duration(self.now.since(since));
            let words = format!("it waited {waited}, from {} to {}", clock.moment(since), clock.moment(self.now));
            self.tell_of_wait(job, why, &words);
        }
    }

    /// A job is taken out of its line.
    pub(super) fn waits_no_longer(&mut self, job: u32) {
        self.waiting.remove(&self.turn_key(job));
    }

    /// The run is over: who still waits?
    pub(super) fn tell_who_still_waits(&mut self) {
        for ((number, pass, job), (since, why)) in std::mem::take(&mut self.waiting) {
            let waits = self.jobs[job].stage != Stage::Queued || self.is_in_line(job);
            if waits && self.turn_key(job) == (number, pass, job) && !self.copies[self.jobs[job].copy].closed {
                let words = format!("it still waits, since {}", self.model.clock().moment(since));
                self.tell_of_wait(job, why, &words);
            }
        }
    }

    fn tell_of_wait(&mut self, job: u32, why: Because, words: &str) {
        let copy = self.jobs[job].copy;
        let why = Because { why: format!("{}; {words}", why.why).into(), ..why };
        let stored = self.store_reasons("when is its turn?", self.copies[copy].host, NONE, &[why], &[]);
        for place in self.jobs[job].recipients.clone() {
            let index = self.copies[copy].recipients[usize::from(place)].index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
    }
}
