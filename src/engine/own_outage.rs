//! A machine stops while it sends: what becomes of its attempts, of what its programs know, and of the mail that waits until it starts again?
//!
//! With `sessions: Cut` everything under way ends at that moment. Nobody learns anything from it: no reply is noted, no destination blamed; the recipients are
//! as they were before the attempt, and are tried when the machine starts. (A server that has the final dot has the message all the same: RFC 1047.) With
//! `sessions: Finish` sessions go on to their end, and nothing else does. What only processes knew is gone; what lies in files stays: Exim's retry database,
//! Sendmail's HostStatusDirectory, qmail's tcpto, the times of deferred mail. Sources: `decide::profile::AtStart`. Not modelled: that a server keeps a place for
//! a client that is gone until its own timeout; that replies to RCPT of a broken session were noted before (Postfix bounce and defer logs).

use super::session::{Refusals, SessionEnd};
use super::world::{RecipientState, Stage, Under, World};
use crate::base::{AttemptResult, ConnectionResult, HostId, Phase, SimTime};
use crate::decide::failure::Effect;
use crate::decide::outage::{QUESTION, WENT_DOWN, is_down, tried_at_start};
use crate::decide::profile::AtStart;
use crate::decide::retry::{Memory, Next, after_deferral};
use crate::trace::level::{PATHS, STEPS};
use crate::trace::{Concern, ConnectionOutcome, NONE};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Of machines that never stop nobody asks again.
    pub(super) fn look_who_stops(&mut self) {
        for (at, machine) in self.machines.iter_mut().enumerate() {
            machine.up_until = if self.faults.stops(HostId(at as u32)) { SimTime::ZERO } else { SimTime::NEVER };
        }
    }

    /// The first moment up to `at` when a machine is down; only outages that cut sessions, if they alone count.
    pub(super) fn stopped_by(&mut self, host: HostId, at: SimTime, cuts: bool) -> Option<SimTime> {
        let (model, now) = (self.model, self.now);
        if !cuts && self.faults.down(model, host, None, now).is_some() {
            return Some(now);
        }
        self.faults.next_stop(model, host, now, cuts).map(|cut| cut.from).filter(|from| *from <= at)
    }

    /// What a job waits for, if its machine stops before: then that.
    #[cold]
    #[inline(never)]
    pub(super) fn stops_before(&mut self, job: u32, at: SimTime, stage: Stage) -> Option<(SimTime, Stage)> {
        let under = match stage {
            Stage::Queued => Under::InLine,
            Stage::Connecting | Stage::InLine | Stage::Unheard => Under::Connecting,
            Stage::InSession => Under::InSession,
            Stage::NextHop | Stage::NextCandidate | Stage::Over => Under::Nothing,
            Stage::Stopped(_) => return None,
        };
        let host = self.copies[self.jobs[job].copy].host;
        let from = self.stopped_by(host, at, under == Under::InSession)?;
        Some((from, Stage::Stopped(under)))
    }

    /// A job has its turn on a machine that is down.
    #[cold]
    #[inline(never)]
    pub(super) fn never_begins(&mut self, job: u32) {
        self.wake_job(job, self.now, super::queue::Kind::Settle, Stage::Stopped(Under::Unbegun));
    }

    /// A session that the client's own outage cuts ends there, and nobody hears of it. When it ends, and whether the last reply is lost with it.
    #[cold]
    #[inline(never)]
    pub(super) fn cut_short(&mut self, job: u32) -> (SimTime, bool) {
        let client = self.copies[self.jobs[job].copy].host;
        let stop = self.stopped_by(client, self.ends[job as usize].end, true);
        let words = stop.map(|from| (from, self.words_of_stop(client, from)));
        let lost = self.rules(client).session.lost;
        let end = &mut self.ends[job as usize];
        if let Some((from, (reply, why))) = words {
            (end.end, end.result, end.reply, end.why) = (from, ConnectionResult::Left, reply, why);
            if end.taken_at().is_none() {
                end.refusals = Refusals::NONE;
            }
            end.rest.get_or_insert((Effect::Next(lost), reply));
        }
        (end.end, end.taken_at().is_some() && end.rest.is_some())
    }

    /// What stands in the trace of an attempt that an outage ended: a status, and which fault it was.
    fn words_of_stop(&mut self, client: HostId, at: SimTime) -> (u32, u32) {
        let status = self.tables.reply(0, self.rules(client).session.lost, WENT_DOWN);
        let cut = self.faults.down(self.model, client, None, at);
        let why = match cut {
            Some(cut) if self.writes(PATHS) => {
                let (name, back) = (&self.model.faults[cut.fault as usize].name, self.model.clock().moment(cut.until));
                let until = if cut.until == SimTime::NEVER { String::new() } else { format!(" until {back}") };
                self.tables.texts.intern(format!("{WENT_DOWN}: fault `{name}`{until}").into())
            }
            _ => NONE,
        };
        (status, why)
    }

    /// The machine of a job has stopped: the attempt is over, and taught nobody anything.
    #[cold]
    #[inline(never)]
    pub(super) fn interrupted(&mut self, job: u32, under: Under) {
        let (copy, queue) = (self.jobs[job].copy, self.jobs[job].queue);
        let host = self.copies[copy].host;
        let (status, why) = self.words_of_stop(host, self.now);
        match under {
            Under::InSession => self.leaves_session(job),
            Under::Connecting => {
                let result = ConnectionResult::Left;
                let outcome = ConnectionOutcome { phase: Phase::Connect, result, reply: NONE, tls: NONE, why };
                let outcome = self.tables.outcomes.intern(outcome);
                let (candidate, began) = (self.jobs[job].line.candidate, self.jobs[job].line.began);
                self.trace_connection(job, candidate, outcome, began, self.now);
            }
            Under::InLine => {
                self.queues[queue as usize].waiting.retain(|other| *other != job);
                self.queues[queue as usize].active += 1;
            }
            Under::Nothing | Under::Unbegun => {}
        }
        let began = !matches!(under, Under::InLine | Under::Unbegun);
        let number = self.copies[copy].number;
        if !self.plain {
            self.waits_no_longer(job);
            self.rejoin(job);
            self.forget_use(job);
            self.forget_last_try(job);
            self.memory.jobs.remove(&job);
        }
        let places = std::mem::take(&mut self.jobs[job].recipients);
        self.jobs[job].eventful = true;
        // The last word about them is the one before the attempt: the program that could have noted another is gone.
        for place in &places {
            self.copies[copy].recipients[usize::from(*place)].kept = false;
        }
        if began {
            self.attempt_rows(job, &places, AttemptResult::Deferred, status);
        }
        self.jobs.remove(job);
        self.queues[queue as usize].active -= 1;
        self.copies[copy].jobs -= 1;
        if self.remembers(host) {
            self.next_delivery(copy);
        }
        if self.copies[copy].jobs == 0 {
            self.end_stopped_pass(copy, began);
        } else if self.remembers(host) {
            self.begin_last_resort(copy);
        }
        if !self.plain {
            self.next_of_message(number);
            self.one_less(host);
            self.serve_who_waits(host);
        }
        self.next_in_queue(queue);
    }

    /// The client of a session is gone: its place is free, and the row is written.
    fn leaves_session(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        if self.settings[server.index()].counts_clients {
            self.leaves_room(job);
        }
        let end = std::mem::replace(&mut self.ends[job as usize], SessionEnd::GONE);
        let said = self.transport_queues.acknowledgements.remove(&job).is_some();
        self.release(server);
        // Of one that waited for its last reply only, the row stands already.
        if end.taken_at().is_none() && !said {
            self.finish_connection_row(job, &SessionEnd { end: self.now, ..end });
        }
    }

    /// All jobs of a pass are over, and the machine is down: what is left is tried when it starts.
    fn end_stopped_pass(&mut self, copy: u32, began: bool) {
        let host = self.copies[copy].host;
        if !self.plain {
            self.forget_dead(copy);
            self.mail_run_goes_on(copy);
            self.transport_queues.forget_left(copy);
            self.memory.fetched.remove(&copy);
            let run = self.memory.passes.remove(&copy).and_then(|notes| notes.run);
            self.run_goes_on(host, run);
        }
        if self.copies[copy].recipients.iter().all(|recipient| recipient.state == RecipientState::Done) {
            return self.close_copy(copy);
        }
        if self.copies[copy].doomed {
            return self.lose(copy);
        }
        if self.queues_retry(host) {
            self.transport_queues.routed_again.insert(copy);
        }
        self.waits_for_start(copy, began);
    }

    /// The moment of a copy has come: is its machine down? Then it waits for the start. If not, has the machine started since mail was sent last?
    #[cold]
    #[inline(never)]
    pub(super) fn is_down(&mut self, copy: u32) -> bool {
        let host = self.copies[copy].host;
        if self.faults.down(self.model, host, None, self.now).is_none() {
            self.notes_start(host);
            let next = self.faults.next_stop(self.model, host, self.now, false);
            self.machines[host.index()].up_until = next.map_or(SimTime::NEVER, |cut| cut.from);
            return false;
        }
        let run = self.memory.passes.remove(&copy).and_then(|notes| notes.run);
        self.run_goes_on(host, run);
        self.mail_run_goes_on(copy);
        self.waits_for_start(copy, true);
        true
    }

    /// Has a machine started since it sent last?
    pub(super) fn notes_start(&mut self, host: HostId) {
        let started = self.faults.started_at(self.model, host, self.now);
        if started > self.machines[host.index()].started && self.faults.down(self.model, host, None, self.now).is_none() {
            self.machines[host.index()].started = started;
            self.forgets_what_ran(host);
        }
    }

    /// A copy on a machine that is down.
    fn waits_for_start(&mut self, copy: u32, began: bool) {
        let host = self.copies[copy].host;
        let (back, faults) = self.faults.back_at(self.model, host, self.now);
        self.tell_down(copy, began, (back, &faults));
        if self.copies[copy].pass > 0 {
            self.pass_row(copy, back, tried_at_start(self.rules(host).pass.at_start, self.remembers(host)));
        }
        if back == SimTime::NEVER {
            self.copies[copy].waits = u64::MAX;
        } else if self.remembers(host) && self.copies[copy].pass > 0 && !self.memory.frozen.contains_key(&copy) {
            self.waits_for_run_at(copy, back);
        } else {
            self.wake_copy(copy, back);
        }
    }

    /// Rule DOWN: the machine that has the message is off. What came to it then, or had no turn, stands with the attempt that follows.
    fn tell_down(&mut self, copy: u32, began: bool, (back, faults): (SimTime, &[u32])) {
        if !self.writes(STEPS) {
            return;
        }
        let host = self.copies[copy].host;
        let faults: Vec<&str> = faults.iter().map(|number| &*self.model.faults[*number as usize].name).collect();
        let name = &self.model.hosts[host.index()].name;
        let until = Some(self.model.clock().moment(back)).filter(|_| back < SimTime::NEVER);
        let why = is_down(name, &faults, until.as_deref());
        let stored = self.store_reasons(QUESTION, host, NONE, &[why], &[]);
        let pass = self.copies[copy].pass;
        self.copies[copy].pass = if began { pass.max(1) } else { pass + 1 };
        self.trace_decisions(copy, Concern::ALL, &[stored]);
        self.copies[copy].pass = pass;
    }

    /// The lifetime of a message is over: did it end while the machine was down?
    pub(super) fn late_end(&mut self, copy: u32) {
        let started = self.machines[self.copies[copy].host.index()].started;
        if started == self.now && started > SimTime::ZERO {
            self.pass_row(copy, SimTime::NEVER, "its lifetime ended while the machine was down");
        }
    }

    /// When a machine tries a message again after a deferral: by its schedule, or at a start before.
    pub(super) fn when_tried(&mut self, host: HostId, memory: Memory) -> Next {
        let (retry, expiry) = (&self.config(host).sender.retry, self.rules(host).expiry);
        let next = after_deferral(retry, expiry, memory, self.now);
        if !self.faults.stops(host) {
            return next;
        }
        let Next::Try { mut at, mut why } = next else { return next };
        let mut from = self.now;
        while let Some(back) = self.next_start(host, from, at) {
            let at_start = self.rules(host).pass.at_start;
            match at_start {
                AtStart::AtItsTime if at <= back => (at, why) = (back, tried_at_start(at_start, self.remembers(host))),
                AtStart::AtItsTime => {}
                AtStart::AtOnce => (at, why) = (back, tried_at_start(at_start, self.remembers(host))),
                AtStart::QueueRun => {
                    let Next::Try { at: by_grid, .. } = after_deferral(retry, expiry, Memory { started: back, ..memory }, self.now) else {
                        return next;
                    };
                    at = by_grid.max(back);
                    why = if at == back { tried_at_start(at_start, self.remembers(host)) } else { why };
                }
            }
            if at <= back {
                break;
            }
            from = back;
        }
        Next::Try { at, why }
    }

    /// When a machine that is down at `from`, or stops up to `before`, starts again.
    fn next_start(&mut self, host: HostId, from: SimTime, before: SimTime) -> Option<SimTime> {
        let model = self.model;
        let down = if self.faults.down(model, host, None, from).is_some() {
            from
        } else {
            self.faults.next_stop(model, host, from, false).map(|cut| cut.from).filter(|stop| *stop <= before)?
        };
        Some(self.faults.back_at(model, host, down).0).filter(|back| *back < SimTime::NEVER)
    }

    /// A queue of an Exchange server is looked at then; or when the server starts, if that is before.
    pub(super) fn or_at_start(&mut self, host: HostId, next: SimTime) -> Option<(SimTime, &'static str)> {
        if !self.faults.stops(host) {
            return None;
        }
        let back = self.next_start(host, self.now, next.min(self.until))?;
        Some((back, tried_at_start(AtStart::AtOnce, false)))
    }

    /// A machine has started: what only its programs knew is gone.
    fn forgets_what_ran(&mut self, host: HostId) {
        let initial = self.config(host).sender.concurrency.0;
        let ours: Vec<u32> = (0..self.queues.len() as u32).filter(|queue| self.queues[*queue as usize].host == host).collect();
        for queue in &ours {
            let row = &mut self.queues[*queue as usize];
            (row.window, row.failure, row.cohorts, row.dead_until) = (initial.max(row.active), 0, 0, SimTime::ZERO);
        }
        if self.plain {
            return;
        }
        self.lost_queues_begin_anew(host);
        for queue in ours {
            self.forgets_rest(queue);
            self.connections.forget_queue(queue);
            self.relays.destinations.remove(&queue);
        }
        self.connections.idle.retain(|(client, ..), _| *client != host);
        self.relays.forget_host(host);
        self.memory.connected.retain(|(client, _), _| *client != host);
    }
}
