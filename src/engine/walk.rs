//! A job goes through its next hops and their candidates: lookups, order, connects.
//!
//! Connects that fail by timeline alone are arithmetic: the timeline is read at the moment reached, the timeout added, and so on to the next
//! candidate. The first machine that answers gets an `Admit` at that moment.

use super::plan::Goal;
use super::proof::Proved;
use super::queue::Kind;
use super::world::{Line, Stage, World};
use crate::base::{ConnectionResult, Phase, SECOND, SimTime};
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::mx::MxPlan;
use crate::decide::order::Order;
use crate::decide::profile::End;
use crate::model::fault::Unreachable;
use crate::model::settings::NextHop;
use crate::trace::level::PATHS;
use crate::trace::{ConnectionRow, Leg, NONE, Trace};

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// Goes to the current next hop of a job, at moment `at` (now or later).
    pub(super) fn enter_hop(&mut self, job: u32, at: SimTime) {
        let mut at = at;
        loop {
            if !self.plain && self.waits_for_the_others(job) {
                return;
            }
            let mut hop = self.jobs[job].hop;
            let Some((mut next_hop, configured)) = self.hop_of(job, hop) else {
                self.over_at(job, at);
                return;
            };
            let client = self.copies[self.jobs[job].copy].host;
            if !self.plain {
                self.tell_last_resort(job, &next_hop);
            }
            if self.settings[client.index()].proves {
                at = self.learn_policy(job, &next_hop, at);
            }
            let prepared = if !self.plain && hop == 0 && self.rules(client).pass.groups_by_hosts {
                self.memory.jobs.get(&job).and_then(|notes| notes.prepared)
            } else {
                None
            };
            let mut told = prepared.unwrap_or_else(|| self.resolve(job, &next_hop, configured, at));
            if !self.plain && hop == 0 && self.jobs[job].own_hops > 1 && self.rules(client).pass.whole_list_waits {
                (hop, next_hop, told) = self.settle_list(job, told, at).unwrap_or((hop, next_hop, told));
            }
            at = told.1.max(at);
            if !self.plain && self.waits_for_site(job, told.0) {
                return;
            }
            let plan = &self.cache_plan(told.0);
            match &plan.outcome {
                MxPlan::Try(candidates) => {
                    let mut order = self.order_of(job, candidates);
                    if !self.plain {
                        self.prepare_walk(job, &mut order, told.0, at);
                    }
                    let tried = self.enter_remembered_hop(job, hop);
                    let row = &mut self.jobs[job];
                    (row.plan, row.order, row.next, row.tried, row.sessions) = (told.0, order, 0, tried, 0);
                    self.walk(job, at);
                    return;
                }
                MxPlan::End { end, is_loop } => {
                    let is_loop = *is_loop;
                    let mut end = self.end_of_hop(job, hop, *end, is_loop);
                    if self.rules(client).mx.lookup_failed_with_address.is_some() {
                        end = self.end_if_known(job, &next_hop, end);
                    }
                    if !self.plain
                        && let Some(ready) = self.last_try_instead(job, &end, is_loop, at)
                    {
                        return self.walk(job, ready);
                    }
                    let why = self.end_words(&next_hop, told.0);
                    let status = self.tables.reply(end.code, end.status, &why);
                    if self.remembers(self.copies[self.jobs[job].copy].host) {
                        self.remember_failed_hop(job, hop, &end);
                    }
                    let row = &mut self.jobs[job];
                    (row.status, row.said_by, row.bounce, row.is_loop, row.host_failure) = (status, NONE, end.bounce, is_loop, !end.bounce);
                    row.not_said = end.not_said;
                    let rules = &self.settings[self.copies[row.copy].host.index()].rules.mx;
                    if is_loop || rules.null_mx_is_final && end == rules.null_mx {
                        // No fallback relay for mail that came back to its own sender.
                        row.hops = row.own_hops;
                    }
                    if is_loop {
                        // Why it is one, for those who go on elsewhere.
                        (row.plan, row.next) = (told.0, 0);
                        row.order.clear();
                    }
                    row.eventful = true;
                    row.hop += 1;
                    if !self.plain {
                        self.no_last_resort_beside_self(job, told.0);
                        self.note_failed_lookup(job, &end, told.0);
                    }
                    if at > self.now {
                        // The next lookup is asked when its moment comes, so that caches are met in order.
                        self.wake_job(job, at, Kind::Settle, Stage::NextHop);
                        return;
                    }
                }
            }
        }
    }

    /// What a sender remembers of connections changes the order.
    fn prepare_walk(&mut self, job: u32, order: &mut Order, plan: u32, at: SimTime) {
        let client = self.copies[self.jobs[job].copy].host;
        if self.rules(client).relay.is_some() {
            self.open_session_first(job, order, plan, at);
            self.jobs[job].walk_began = at;
        }
        if self.remembers(client) {
            self.note_hosts(job, order, plan);
            self.keep_to_line(job, order, plan);
        }
        self.no_last_resort_beside_self(job, plan);
        self.open_connection_first(job, order, plan, at);
        self.meet_twice(job, order);
    }

    /// The words of a routing failure: the reasons of its plan.
    pub(super) fn end_words(&self, hop: &NextHop, plan: u32) -> String {
        let name = crate::decide::route::queue_name(&self.tables.names, hop);
        let why = &self.cache_plan(plan).why;
        format!("{name}: {why}")
    }

    /// Tries candidates from moment `at` on.
    pub(super) fn walk(&mut self, job: u32, at: SimTime) {
        let mut at = at;
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let message = self.copies[copy].message;
        let settings = self.settings[client.index()];
        let (sender, rules) = (&settings.config.sender, settings.rules);
        let (proves, remembers) = (settings.proves || self.wishes, self.remembers(client));
        loop {
            if !self.plain && self.was_only_another_session(job) {
                return self.back_into_line(job);
            }
            if at >= self.jobs[job].stops_at && self.stopped_by(client, at, false).is_some() {
                return self.over_at(job, at);
            }
            let row = &self.jobs[job];
            let limit = sender.address_limit > 0 && u32::from(row.tried) >= sender.address_limit;
            let sessions = sender.session_limit > 0 && u32::from(row.sessions) >= sender.session_limit;
            let (next, plan) = (row.order.get(usize::from(row.next)).copied(), row.plan);
            if limit && rules.pass.limit_jumps && self.jumps(job) {
                continue;
            }
            let Some(place) = next.filter(|_| !limit && !sessions) else {
                if !self.plain && self.back_from_last_try(job) {
                    continue;
                }
                self.note_missing_target(job);
                if !self.plain && rules.relay.is_some() {
                    at = self.gives_up_at(job, at);
                }
                let row = &mut self.jobs[job];
                row.hop += 1;
                if row.hop >= row.hops {
                    self.over_at(job, at);
                } else if at > self.now {
                    self.wake_job(job, at, Kind::Settle, Stage::NextHop);
                } else {
                    self.enter_hop(job, at);
                }
                return;
            };
            if at > self.now && (proves || !self.plain && self.learns_meanwhile(client)) {
                // Questions about the candidate are asked when its moment comes, and so is what others have learned of it until then.
                self.wake_job(job, at, Kind::Settle, Stage::NextCandidate);
                return;
            }
            let goal = self.cache_plan(plan).goals[usize::from(place)];
            if !self.plain {
                self.part_ways(job, place);
                if self.jobs[job].recipients.is_empty() {
                    return self.over_at(job, at);
                }
                if rules.relay.is_some() && self.opens_later(job, goal.address, at) {
                    return;
                }
                let opens = self.opens_at(job, &goal, at);
                if opens.is_none_or(|opens| self.failed_in_run(job, goal.candidate, opens)) {
                    if opens.is_none() {
                        self.tell_closed(job, &goal, at);
                    }
                    self.jobs[job].next += 1;
                    at = opens.unwrap_or(at);
                    at = self.last_try_after(job, goal.candidate, at).unwrap_or(at);
                    continue;
                }
                at = opens.unwrap_or(at);
            }
            let counts = if remembers { self.may_try(job, goal.candidate, at) } else { Some(true) };
            let row = &mut self.jobs[job];
            row.next += 1;
            let Some(counts) = counts else {
                self.tell_not_yet(job, goal.candidate, at);
                continue;
            };
            row.tried += u16::from(counts);
            if proves {
                match self.prove(job, &goal, at) {
                    Proved::Go(ready) => at = ready,
                    Proved::Next(ready) => {
                        at = ready;
                        if remembers {
                            self.remember_connect(job, goal.candidate, ConnectionResult::Unreachable);
                        }
                        continue;
                    }
                    Proved::Over(ready) => return self.over_at(job, ready),
                }
            }
            let row = &mut self.jobs[job];
            row.connections += 1;
            let n = self.copies[copy].luck() | u64::from(row.connections);
            let open = if self.plain { None } else { self.open_line(job, &goal, &mut at) };
            let speaker = if self.plain { client } else { self.leaves_by(job, client, open.is_some(), at) };
            let rtt = self.round_trip(speaker, &goal, self.messages[message].luck, n, at);
            let reached = match open {
                Some(_) => Ok(()),
                None if rtt > sender.timers.connect_ns.min(SECOND) => self.connect_slowly((speaker, copy), &goal, at, rtt),
                None => self.connect(speaker, &goal, at),
            };
            match reached {
                Ok(()) => {
                    self.note_answer(client, goal.address, at, false);
                    let server = goal.server.expect("an address that answers has a machine");
                    let Goal { candidate, address, port, .. } = goal;
                    self.jobs[job].line = Line { candidate, server, address, port, began: at, rtt };
                    // An open connection costs the question whether it is still there, if that is asked.
                    let cost = if open == Some(false) { 0 } else { rtt };
                    self.wake_job(job, at.after(cost), Kind::Admit, Stage::Connecting);
                    return;
                }
                Err((how, why)) => {
                    let (event, result, cost) = match how {
                        Unreachable::Silent => (Event::ConnectTimeout, ConnectionResult::ConnectTimeout, self.connect_patience(copy)),
                        Unreachable::Refused => (Event::Refused, ConnectionResult::Refused, rtt),
                        Unreachable::Unreachable => (Event::Unreachable, ConnectionResult::Unreachable, 0),
                    };
                    if at.after(cost) >= self.jobs[job].stops_at && self.stopped_by(client, at.after(cost), false).is_some() {
                        // Nobody is there any more to see it fail.
                        let Goal { candidate, address, port, .. } = goal;
                        self.jobs[job].line = Line { candidate, server: client, address, port, began: at, rtt };
                        return self.wake_job(job, at.after(cost), Kind::Settle, Stage::Connecting);
                    }
                    self.counters.failed_connects += 1;
                    let effect = judge(rules, sender, Phase::Connect, event, self.is_last(job));
                    let end = at.after(cost);
                    let why = self.trace_failed_connect(job, goal.candidate, result, (at, end), &why);
                    let why = self.with_last_code(job, why);
                    self.note_dead(job, goal.candidate);
                    self.suspend_route(job, goal.address, end);
                    self.note_answer(client, goal.address, end, result == ConnectionResult::ConnectTimeout);
                    self.note_effect(job, effect, why, true);
                    if !self.plain {
                        self.host_failed(job, goal.candidate, why, end);
                    }
                    if remembers {
                        self.remember_connect(job, goal.candidate, result);
                    }
                    at = if !self.plain && how == Unreachable::Silent { self.goes_on_meanwhile(job, at, end) } else { end };
                    if !matches!(effect, Effect::Next(_)) {
                        self.over_at(job, at);
                        return;
                    }
                    if !self.plain {
                        at = self.last_try_after(job, goal.candidate, at).unwrap_or(at);
                    }
                }
            }
        }
    }

    /// Is nobody left to try after the candidate just counted, in this hop or a later one?
    pub(super) fn is_last(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        if !self.plain && self.list_goes_on(job) {
            return false;
        }
        let sender = &self.config(self.copies[row.copy].host).sender;
        if self.rules(self.copies[row.copy].host).pass.last_as_listed {
            return self.is_last_as_listed(job);
        }
        let here = usize::from(row.next) >= row.order.len()
            || sender.address_limit > 0 && u32::from(row.tried) >= sender.address_limit
            || sender.session_limit > 0 && u32::from(row.sessions) + 1 >= sender.session_limit;
        here && row.hop + 1 >= row.hops
    }

    /// Is the candidate just counted the last of its list as DNS gave it, hosts without an address among them?
    fn is_last_as_listed(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        let plan = self.cache_plan(row.plan);
        let MxPlan::Try(candidates) = &plan.outcome else { return true };
        let preference = row.next.checked_sub(1).map_or(0, |at| candidates[usize::from(row.order[usize::from(at)])].preference);
        let last_hop = if row.hop < row.own_hops { row.own_hops } else { row.hops };
        usize::from(row.next) >= row.order.len() && !plan.missing.iter().any(|other| *other > preference) && row.hop + 1 >= last_hop
    }

    /// At the limit of hosts: the next one of another preference is tried all the same (Exim `hosts_max_try`).
    fn jumps(&mut self, job: u32) -> bool {
        let row = &self.jobs[job];
        let (next, plan) = (usize::from(row.next), self.cache_plan(row.plan));
        let MxPlan::Try(candidates) = &plan.outcome else { return false };
        if next == 0 || next >= row.order.len() {
            return false;
        }
        let preference = |at: usize| candidates[usize::from(row.order[at])].preference;
        let other = (next..row.order.len()).find(|at| preference(*at) != preference(next - 1));
        match other {
            Some(at) => {
                let row = &mut self.jobs[job];
                (row.next, row.tried) = (at as u16, row.tried - 1);
            }
            None => self.memory.jobs.entry(job).or_default().skipped = true,
        }
        other.is_some()
    }

    /// A machine that remembers goes to a next hop that was found: how many hosts count as tried before it.
    #[inline(always)]
    fn enter_remembered_hop(&mut self, job: u32, hop: u8) -> u16 {
        if !self.remembers(self.copies[self.jobs[job].copy].host) {
            return 0;
        }
        let row = &self.jobs[job];
        let (tried, fallback) = (row.tried, hop == row.own_hops);
        if hop == 0 {
            self.remember_routing(job, false);
        } else if fallback {
            self.remember_fallback(job);
        }
        if fallback || hop == 0 { 0 } else { tried }
    }

    /// A next hop of a machine that remembers cannot be found. Hosts of last resort are for hosts that failed, not for names.
    fn remember_failed_hop(&mut self, job: u32, hop: u8, end: &End) {
        let row = &self.jobs[job];
        let (last, copy) = (hop + 1 == row.own_hops, row.copy);
        let met = self.memory.jobs.get(&job).is_some_and(|notes| notes.tried || notes.skipped);
        if !last || met {
            return;
        }
        self.jobs[job].hops = self.jobs[job].own_hops;
        if end.freeze {
            self.memory.passes.entry(copy).or_default().freeze = true;
        }
        if !end.bounce {
            self.remember_routing(job, true);
        }
    }

    /// Notes what a failure means for the recipients that a job still has.
    pub(super) fn note_effect(&mut self, job: u32, effect: Effect, reply: u32, host_failure: bool) {
        let row = &mut self.jobs[job];
        row.status = reply;
        row.eventful = true;
        row.host_failure = host_failure;
        row.bounce = matches!(effect, Effect::Bounce(_));
        row.said_by = NONE;
    }

    /// Writes a row for a connection.
    pub(super) fn trace_connection(&mut self, job: u32, candidate: u32, outcome: u32, at: SimTime, end: SimTime) -> u32 {
        if !self.writes(PATHS) {
            return NONE;
        }
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        let destination = self.queues[row.queue as usize].destination;
        let leg = self.tables.legs.intern(Leg { destination, candidate });
        let row = ConnectionRow { copy: copy.number, pass: copy.pass, job: job as u16, leg, outcome, at, end };
        Trace::push(&mut self.trace.connections, row)
    }

    /// A job is over at a moment, now or later: always by an event, so that a long line of hopeless jobs is no deep recursion.
    pub(super) fn over_at(&mut self, job: u32, at: SimTime) {
        self.wake_job(job, at, Kind::Settle, Stage::Over);
    }
}
