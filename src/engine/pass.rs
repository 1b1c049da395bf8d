//! A pass of a copy: who goes where, one job per destination, each with its turn in its queue.

use super::chance::Purpose;
use super::machine::Queue;
use super::route::Stop;
use super::world::{Job, Line, RecipientState, Stage, World};
use crate::base::{Fate, HostId, SimTime};
use crate::decide::exchange::fope;
use crate::decide::exchange::recipient::PASSES_MAX;
use crate::decide::profile::RecipientOrder;
use crate::model::settings::NextHop;
use crate::trace::level::STEPS;
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};

/// The recipients of a copy (their places), by destination.
pub(super) type Groups = SmallVec<[(u32, SmallVec<[u16; 2]>); 2]>;

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// The moment of a copy has come: a new pass.
    pub(super) fn ready(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        if self.now >= self.machines[host.index()].up_until && self.is_down(copy) {
            return;
        }
        let rules = self.rules(host);
        if !self.plain && (rules.pass.queues_retry && self.still_waits(copy) || self.joins_run(copy)) {
            return;
        }
        let first = self.copies[copy].pass == 0;
        if !first && self.hard_end(copy).is_some_and(|end| self.now >= end) {
            self.late_end(copy);
            self.expire(copy);
            return;
        }
        if first && self.settings[host.index()].reads_letters && self.is_held(copy) {
            return;
        }
        let row = &mut self.copies[copy];
        row.pass += 1;
        row.pass_at = self.now;
        if row.visits > PASSES_MAX || u32::from(row.hops) > self.model.limits.hops {
            let exchange = row.visits > PASSES_MAX;
            let reply = if exchange {
                self.tables.reply(554, crate::base::Enhanced(5, 4, 14), "Hop count exceeded - possible mail loop ATTR34")
            } else {
                self.tables.reply(554, crate::base::Enhanced(5, 4, 6), "more hops than the scenario's limit")
            };
            self.tell_circle(copy, exchange);
            self.fail_pending(copy, reply, RecipientState::Looped);
            self.end_pass(copy);
            return;
        }
        if first
            && let Some(words) = &rules.pass.too_many_hops
            && self.came_too_far(copy)
        {
            let reply = self.tables.reply(words.0, words.1, words.2);
            if rules.pass.groups_by_hosts {
                self.begin_notes(copy);
            }
            self.fail_pending(copy, reply, RecipientState::Looped);
            self.end_pass(copy);
        } else if self.plain || !rules.pass.groups_by_hosts {
            self.split(copy);
        } else if self.frozen_for_too_long(copy) {
            self.end_pass(copy);
        } else {
            self.split_by_hosts(copy);
        }
    }

    /// Does a message have as many Received fields as its holder bears? (It came in with its own, if it came from elsewhere.)
    fn came_too_far(&self, copy: u32) -> bool {
        let row = &self.copies[copy];
        let most = self.config(row.host).receiver.hop_limit;
        most > 0 && u32::from(row.hops) >= most
    }

    /// Asks for each recipient where it goes, and makes a job of each destination.
    pub(super) fn split(&mut self, copy: u32) {
        let (message, host, tenant) = (self.copies[copy].message, self.copies[copy].host, self.copies[copy].tenant);
        let number = self.messages[message].address_number;
        if let [only] = self.copies[copy].recipients.as_slice() {
            // Most mail has one recipient.
            let (index, pending) = (only.index, only.state == RecipientState::Pending);
            if pending && self.copies[copy].arrival.quarantined {
                self.copies[copy].jobs = 0;
                self.keep_away(copy, 0);
                self.end_pass(copy);
                return;
            }
            match self.stop_of(copy, index, (message, host, tenant, number)) {
                Stop::To(destination) if pending => {
                    let job = self.new_job(copy, destination, SmallVec::from_buf_and_len([0; 2], 1));
                    self.copies[copy].jobs = 1;
                    self.enqueue(job);
                    return;
                }
                stop => {
                    self.copies[copy].jobs = 0;
                    if pending {
                        self.ends_here(copy, 0, &stop);
                    }
                    if self.copies[copy].recipients.len() == 1 {
                        self.end_pass(copy);
                        return;
                    }
                }
            }
        }
        let mut groups: Groups = SmallVec::new();
        let mut places = 0..;
        while let Some(place) = places.next().filter(|place| *place < self.copies[copy].recipients.len()) {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending {
                continue;
            }
            if self.copies[copy].arrival.quarantined {
                self.keep_away(copy, place);
                continue;
            }
            match self.stop_of(copy, recipient.index, (message, host, tenant, number)) {
                Stop::To(destination) => match groups.iter_mut().find(|(seen, _)| *seen == destination) {
                    Some((_, places)) => places.push(place as u16),
                    None => groups.push((destination, smallvec::smallvec![place as u16])),
                },
                stop => self.ends_here(copy, place, &stop),
            }
        }
        self.go_with_rewritten(copy, &mut groups);
        if self.reports_at_once(copy) {
            self.report_failures(copy, false);
        }
        if !self.plain && groups.len() > 1 {
            self.share_ways(copy, &mut groups);
            self.share_signatures(copy, &mut groups);
        }
        if !self.plain && self.is_shared_out(copy, &groups) {
            return self.share_out(copy, groups);
        }
        self.begin_jobs(copy, groups);
    }

    /// Each destination has its jobs.
    pub(super) fn begin_jobs(&mut self, copy: u32, mut groups: Groups) {
        let (message, host) = (self.copies[copy].message, self.copies[copy].host);
        match self.rules(host).session.recipients {
            RecipientOrder::Given => {}
            RecipientOrder::LastFirst if self.copies[copy].pass > 1 => {}
            RecipientOrder::LastFirst => groups.iter_mut().for_each(|(_, places)| places.reverse()),
            RecipientOrder::ByLuck => {
                let (luck, key) = (self.messages[message].luck, self.model.hosts[host.index()].key);
                let number = |place: &u16| self.chance.draw(Purpose::Recipients, luck, key, u64::from(*place));
                groups.iter_mut().for_each(|(_, places)| places.sort_by_key(number));
            }
            RecipientOrder::Sorted => groups.iter_mut().for_each(|(_, places)| self.sort_recipients(copy, places)),
        }
        let limit = self.config(host).sender.recipient_limit as usize;
        let mut jobs: SmallVec<[u32; 2]> = groups
            .into_iter()
            .flat_map(|(destination, places)| {
                let size = if limit == 0 { places.len() } else { limit };
                places
                    .chunks(size)
                    .map(|part| (destination, SmallVec::from_slice(part)))
                    .collect::<SmallVec<[(u32, SmallVec<[u16; 2]>); 2]>>()
            })
            .map(|(destination, places)| self.new_job(copy, destination, places))
            .collect();
        self.copies[copy].jobs = jobs.len() as u16;
        if jobs.is_empty() {
            self.end_pass(copy);
            return;
        }
        if !self.plain {
            self.one_after_the_other(copy, &mut jobs);
        }
        for job in jobs {
            self.enqueue(job);
        }
    }

    /// Where one recipient of a copy goes, with the decisions traced.
    #[inline(always)]
    pub(super) fn stop_of(&mut self, copy: u32, index: u16, (message, host, tenant, number): (u32, HostId, u32, u64)) -> Stop {
        if !self.plain
            && let Some(stop) = self.queue_that_holds(copy, index)
        {
            return stop;
        }
        if self.rules(host).pass.rewrites_aliases
            && let Some(stop) = self.rewritten_alias(copy, index, (host, tenant))
        {
            return stop;
        }
        let template = self.recipient_template(message, index);
        if !self.writes(STEPS) {
            return self.known_stop(copy, host, tenant, template, number);
        }
        let (stop, decisions) = self.stop_for(copy, host, tenant, template, number);
        self.trace_decisions(copy, Concern::recipient(index), &decisions);
        stop
    }

    /// A recipient that goes nowhere from here.
    pub(super) fn ends_here(&mut self, copy: u32, place: usize, stop: &Stop) {
        match *stop {
            Stop::Mailbox => self.arrive_in_mailbox(copy, place, Fate::Delivered),
            Stop::Sorted { junk } => {
                let before = std::mem::replace(&mut self.copies[copy].arrival.junk, junk);
                self.arrive_in_mailbox(copy, place, Fate::Delivered);
                self.copies[copy].arrival.junk = before;
            }
            Stop::Outside => self.arrive_in_mailbox(copy, place, Fate::LeftModel),
            Stop::NotSaid(reply) => {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::NotModelled, reply, NONE);
            }
            Stop::Discard(reply) | Stop::Quarantine(reply) => {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                let fate = if matches!(stop, Stop::Discard(_)) { Fate::Discarded } else { Fate::Quarantined };
                self.end_recipient(copy, place, fate, reply, NONE);
            }
            Stop::Refuse(reply) if self.copies[copy].hops == 0 => {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::Rejected, reply, NONE);
            }
            Stop::Bounce(reply) | Stop::Refuse(reply) => {
                let recipient = &mut self.copies[copy].recipients[place];
                (recipient.state, recipient.reply, recipient.said_by) = (RecipientState::Failed, reply, NONE);
            }
            Stop::Loop(reply) => {
                let recipient = &mut self.copies[copy].recipients[place];
                (recipient.state, recipient.reply, recipient.said_by) = (RecipientState::Looped, reply, NONE);
            }
            Stop::Wait(reply) => {
                let recipient = &mut self.copies[copy].recipients[place];
                (recipient.reply, recipient.said_by) = (reply, NONE);
            }
            Stop::Expand(expansion) => self.expand(copy, place, expansion),
            Stop::To(_) => unreachable!("it goes on"),
        }
    }

    pub(super) fn new_job(&mut self, copy: u32, destination: u32, recipients: SmallVec<[u16; 2]>) -> u32 {
        let host = self.copies[copy].host;
        let queue = self.queue_of(host, destination);
        // Of mail that came while the machine was down the attempt does not begin when it came.
        let late = self.machines[host.index()].started > self.copies[copy].arrived;
        let eventful = self.copies[copy].pass > 1 || recipients.len() != self.copies[copy].recipients.len() || late;
        let line = Line { candidate: NONE, server: host, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), began: self.now, port: 0, rtt: 0 };
        let began_with = recipients.len() as u16;
        self.jobs.insert(Job {
            copy,
            queue,
            recipients,
            began_with,
            started: self.now,
            hop: 0,
            own_hops: 0,
            hops: 0,
            turn: 0,
            plan: NONE,
            order: SmallVec::new(),
            next: 0,
            tried: 0,
            sessions: 0,
            stage: Stage::Queued,
            stops_at: self.machines[host.index()].up_until,
            waits: u64::MAX,
            walk_began: SimTime::ZERO,
            plain: false,
            proof: NONE,
            learned: NONE,
            host_failure: false,
            last_code: 0,
            connections: 0,
            status: NONE,
            said_by: NONE,
            bounce: false,
            is_loop: false,
            not_said: false,
            eventful,
            line,
        })
    }

    pub(super) fn queue_of(&mut self, host: HostId, destination: u32) -> u32 {
        let (known, number) = self.machines[host.index()].last_queue;
        if known == destination {
            return number;
        }
        let queue = self.queue_index.intern((host, destination));
        self.machines[host.index()].last_queue = (destination, queue);
        if queue as usize == self.queues.len() {
            let window = self.config(host).sender.concurrency.0;
            self.queues.push(Queue {
                host,
                destination,
                own_tls: self.tables.destinations.get(destination).tls.is_some(),
                active: 0,
                waiting: std::collections::VecDeque::new(),
                window,
                failure: 0,
                cohorts: 0,
                dead_until: SimTime::ZERO,
                dead_status: NONE,
                turn: None,
                last_plan: None,
                lead: None,
            });
        }
        queue
    }

    /// A job joins the line of its destination, or starts.
    pub(super) fn enqueue(&mut self, job: u32) {
        let number = self.jobs[job].queue;
        if !self.plain {
            self.begins_anew(job);
            self.widen(number);
            if self.put_aside(job) {
                return;
            }
        }
        let dead = self.queues[number as usize].dead_until > self.now;
        let full = !self.plain && !dead && (self.all_are_taken(number) || self.rests(number) || self.has_sessions(number));
        let queue = &mut self.queues[number as usize];
        if dead {
            let status = queue.dead_status;
            let job_row = &mut self.jobs[job];
            (job_row.status, job_row.eventful) = (status, true);
            queue.active += 1;
            self.finish_hopeless(job, number);
        } else if full || queue.window > 0 && queue.active >= queue.window {
            queue.waiting.push_back(job);
            if self.writes(STEPS) {
                self.stands_in_line(job);
            }
            if !self.plain {
                self.wake_after_rest(number);
                self.comes_to_sessions(job);
            }
        } else {
            queue.active += 1;
            if !self.plain {
                self.one_more(number);
            }
            self.start_job(job);
        }
    }

    /// Its destination is dead.
    #[cold]
    fn finish_hopeless(&mut self, job: u32, queue: u32) {
        if self.queues_retry(self.queues[queue as usize].host) {
            self.one_more(queue);
        }
        self.finish_job(job);
    }

    /// A job has its turn.
    pub(super) fn start_job(&mut self, job: u32) {
        if self.now >= self.jobs[job].stops_at && self.stopped_by(self.copies[self.jobs[job].copy].host, self.now, false).is_some() {
            // By an event, so that a long line is no deep recursion.
            return self.never_begins(job);
        }
        let row = &mut self.jobs[job];
        let queue = row.queue as usize;
        let key = self.tables.destinations.get(self.queues[queue].destination);
        let own_hops = key.hops.len() as u8;
        (row.started, row.own_hops, row.hops) = (self.now, own_hops, own_hops.saturating_add(key.fallback.len() as u8));
        let rotates = key.rotates;
        if !self.plain {
            self.note_demand(job);
        }
        if rotates || self.writes(STEPS) {
            self.take_turn(job, queue);
        }
        self.enter_hop(job, self.now);
    }

    /// Smart hosts that take turns: whose turn is it?
    #[inline(never)]
    fn take_turn(&mut self, job: u32, queue: usize) {
        let key = self.tables.destinations.get(self.queues[queue].destination);
        if key.rotates {
            let count = if key.weights.is_empty() { key.hops.len() as u64 } else { u64::from(fope::cycle(&key.weights)) };
            let message = self.copies[self.jobs[job].copy].message;
            let free = if self.plain { None } else { self.turn_of_own_line(job) };
            let turn = free.or(self.queues[queue].turn).unwrap_or_else(|| {
                let host = &self.model.hosts[self.queues[queue].host.index()];
                super::chance::below(self.chance.draw(Purpose::Turn, self.messages[message].luck, host.key, 0), count) as u8
            });
            if free.is_none() {
                self.queues[queue].turn = Some(((u64::from(turn) + 1) % count) as u8);
            }
            self.jobs[job].turn = turn;
            if self.writes(STEPS) {
                self.trace_turn(job, turn);
            }
        } else if self.writes(STEPS) && !key.connector.is_empty() {
            self.trace_turn(job, 0);
        }
    }

    /// How many next hops a job has, fallbacks among them, and which one is its `at`-th.
    #[inline(always)]
    pub(super) fn hop_of(&self, job: u32, at: u8) -> Option<(NextHop, bool)> {
        let row = &self.jobs[job];
        let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
        if at >= row.hops {
            return None;
        }
        let (at, own, count) = (usize::from(at), usize::from(row.own_hops), key.hops.len());
        let id = if at < own {
            let place = match key.rotates {
                false => at,
                true if key.weights.is_empty() => (at + usize::from(row.turn)) % count,
                true => fope::place(&key.weights, at, usize::from(row.turn)),
            };
            key.hops[place]
        } else {
            *key.fallback.get(at - own)?
        };
        Some((*self.tables.next_hops.get(id.0), key.configured || at >= own))
    }
}
