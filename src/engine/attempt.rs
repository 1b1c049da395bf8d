//! A pass of a copy: who goes where, one job per destination, each with its turn in its queue, its candidates, its connects.
//!
//! Connects that fail by timeline alone are arithmetic: the timeline is read at the moment reached, the timeout added, and so on to the next
//! candidate. The first machine that answers gets an `Admit` at that moment.

use super::chance::Purpose;
use super::queue::Kind;
use super::route::Stop;
use super::world::{Job, Line, Queue, RecipientState, Stage, World};
use crate::base::{ConnectionResult, Fate, HostId, Phase, SimTime};
use crate::decide::exchange::recipient::PASSES_MAX;
use crate::decide::exchange::smart_host::{self, by_smart_host_rules};
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::mx::{Asker, Candidate, MxAnswer, MxPlan, MxStep, TargetAddresses, plan, read_mx};
use crate::decide::order::order;
use crate::decide::profile::{Behaviour, OrderRule, behaviour};
use crate::decide::{Because, retry};
use crate::model::dns::{Outcome, RecordData, RecordType};
use crate::model::fault::Unreachable;
use crate::model::settings::{NextHop, Profile, Target};
use crate::model::topology::Law;
use crate::trace::level::{PATHS, STEPS};
use crate::trace::{CandidateKey, ConnectionOutcome, ConnectionRow, DecisionRow, NONE, Trace};
use smallvec::SmallVec;
use std::net::{IpAddr, Ipv4Addr};

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// The moment of a copy has come: a new pass.
    pub(crate) fn ready(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        if let Some(cut) = self.faults.down(self.model, host, None, self.now) {
            if cut.until < SimTime::NEVER {
                self.wake_copy(copy, cut.until);
            }
            return;
        }
        let config = self.config(host);
        let rules = behaviour(config.sender.profile);
        let (arrived, first) = (self.copies[copy].arrived, self.copies[copy].pass == 0);
        if !first && retry::hard_expiry(&config.sender.retry, rules.expiry, arrived).is_some_and(|end| self.now >= end) {
            self.expire(copy);
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
            self.fail_pending(copy, reply, RecipientState::Looped);
            self.end_pass(copy);
            return;
        }
        self.split(copy);
    }

    /// Asks for each recipient where it goes, and makes a job of each destination.
    fn split(&mut self, copy: u32) {
        let (message, host, tenant) = (self.copies[copy].message, self.copies[copy].host, self.copies[copy].tenant);
        let number = self.messages[message].address_number;
        let mut groups: SmallVec<[(u32, SmallVec<[u16; 2]>); 2]> = SmallVec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending {
                continue;
            }
            if self.copies[copy].arrival.quarantined {
                self.keep_away(copy, place);
                continue;
            }
            let template = self.recipient_template(message, recipient.index);
            let (stop, decisions) = self.stop_for(host, tenant, template, number);
            self.trace_decisions(copy, u32::from(recipient.index), &decisions);
            match stop {
                Stop::Mailbox => self.arrive_in_mailbox(copy, place, Fate::Delivered),
                Stop::Outside => self.arrive_in_mailbox(copy, place, Fate::LeftModel),
                Stop::NotSaid(reply) => {
                    self.copies[copy].recipients[place].state = RecipientState::Done;
                    self.end_recipient(copy, place, Fate::NotModelled, reply, NONE);
                }
                Stop::Bounce(reply) => {
                    let recipient = &mut self.copies[copy].recipients[place];
                    (recipient.state, recipient.reply, recipient.said_by) = (RecipientState::Failed, reply, NONE);
                }
                Stop::To(destination) => match groups.iter_mut().find(|(seen, _)| *seen == destination) {
                    Some((_, places)) => places.push(place as u16),
                    None => groups.push((destination, smallvec::smallvec![place as u16])),
                },
            }
        }
        if let [(destination, places)] = groups.as_slice()
            && places.len() == 1
        {
            let job = self.new_job(copy, *destination, SmallVec::from_slice(places));
            self.copies[copy].jobs = 1;
            self.enqueue(job);
            return;
        }
        let limit = self.config(host).sender.recipient_limit as usize;
        let jobs: SmallVec<[u32; 2]> = groups
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
        for job in jobs {
            self.enqueue(job);
        }
    }

    fn new_job(&mut self, copy: u32, destination: u32, recipients: SmallVec<[u16; 2]>) -> u32 {
        let host = self.copies[copy].host;
        let queue = self.queue_of(host, destination);
        let eventful = self.copies[copy].pass > 1 || recipients.len() != self.copies[copy].recipients.len();
        let line = Line { candidate: NONE, server: host, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), began: self.now, rtt: 0, end: None };
        let began_with = recipients.len() as u16;
        self.jobs.insert(Job {
            copy,
            queue,
            recipients,
            began_with,
            started: self.now,
            hop: 0,
            turn: 0,
            plan: NONE,
            order: SmallVec::new(),
            next: 0,
            tried: 0,
            sessions: 0,
            stage: Stage::Queued,
            waits: u64::MAX,
            no_fallback: false,
            plain: false,
            host_failure: false,
            connections: 0,
            status: NONE,
            said_by: NONE,
            bounce: false,
            is_loop: false,
            eventful,
            line,
        })
    }

    fn queue_of(&mut self, host: HostId, destination: u32) -> u32 {
        let queue = self.queue_index.intern((host, destination));
        if queue as usize == self.queues.len() {
            let window = self.config(host).sender.concurrency.0;
            self.queues.push(Queue {
                host,
                destination,
                active: 0,
                waiting: std::collections::VecDeque::new(),
                window,
                failure: 0,
                cohorts: 0,
                dead_until: SimTime::ZERO,
                dead_status: NONE,
                turn: None,
                last_plan: None,
            });
        }
        queue
    }

    /// A job joins the line of its destination, or starts.
    fn enqueue(&mut self, job: u32) {
        let number = self.jobs[job].queue;
        let queue = &mut self.queues[number as usize];
        if queue.dead_until > self.now {
            let status = queue.dead_status;
            let job_row = &mut self.jobs[job];
            (job_row.status, job_row.eventful) = (status, true);
            queue.active += 1;
            self.finish_job(job);
        } else if queue.window > 0 && queue.active >= queue.window {
            queue.waiting.push_back(job);
        } else {
            queue.active += 1;
            self.start_job(job);
        }
    }

    /// A job has its turn.
    pub(crate) fn start_job(&mut self, job: u32) {
        self.jobs[job].started = self.now;
        let queue = self.jobs[job].queue as usize;
        let destination = self.queues[queue].destination;
        let key = self.tables.destinations.get(destination);
        if key.rotates {
            let count = key.hops.len() as u64;
            let message = self.copies[self.jobs[job].copy].message;
            let turn = self.queues[queue].turn.unwrap_or_else(|| {
                let host = &self.model.hosts[self.queues[queue].host.index()];
                super::chance::below(self.chance.draw(Purpose::Turn, self.messages[message].key, host.key, 0), count) as u8
            });
            self.queues[queue].turn = Some(((u64::from(turn) + 1) % count) as u8);
            self.jobs[job].turn = turn;
            if self.writes(STEPS) {
                self.trace_turn(job, turn);
            }
        } else if self.writes(STEPS) && !key.connector.is_empty() {
            self.trace_turn(job, 0);
        }
        self.enter_hop(job, self.now);
    }

    /// Records which smart host has its turn.
    fn trace_turn(&mut self, job: u32, turn: u8) {
        let key = self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination).clone();
        if !key.configured {
            return;
        }
        let reasons: Vec<Because> = smart_host::rotation(key.hops.len(), usize::from(turn))
            .enumerate()
            .map(|(place, entry)| {
                let hop = self.tables.next_hops.get(key.hops[entry].0);
                let name = crate::decide::route::queue_name(&self.tables.names, hop);
                smart_host::reason(&name, place, key.hops.len(), !matches!(hop.target, Target::Ip(_)))
            })
            .collect();
        let copy = self.jobs[job].copy;
        let decision = self.store_reasons("which smart host first?", self.copies[copy].host, key.tenant, &reasons, &[]);
        self.trace_decisions(copy, NONE, &[decision]);
    }

    /// How many next hops a job has, fallbacks among them, and which one is its `at`-th.
    pub(crate) fn hop_of(&self, job: u32, at: u8) -> Option<(NextHop, bool)> {
        let row = &self.jobs[job];
        let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
        let (at, count) = (usize::from(at), key.hops.len());
        let id = if at < count {
            let place = if key.rotates { (at + usize::from(row.turn)) % count } else { at };
            key.hops[place]
        } else if row.no_fallback {
            return None;
        } else {
            *key.fallback.get(at - count)?
        };
        Some((*self.tables.next_hops.get(id.0), key.configured || at >= count))
    }

    /// Goes to the current next hop of a job, at moment `at` (now or later).
    pub(crate) fn enter_hop(&mut self, job: u32, at: SimTime) {
        let mut at = at;
        loop {
            let hop = self.jobs[job].hop;
            let Some((next_hop, configured)) = self.hop_of(job, hop) else {
                self.over_at(job, at);
                return;
            };
            let told = self.resolve(job, &next_hop, configured, at);
            at = told.1;
            let plan = &self.cache_plan(told.0);
            match &plan.outcome {
                MxPlan::Try(candidates) => {
                    let order = self.order_of(job, candidates);
                    let row = &mut self.jobs[job];
                    (row.plan, row.order, row.next, row.tried, row.sessions) = (told.0, order, 0, 0, 0);
                    self.walk(job, at);
                    return;
                }
                MxPlan::End { end, is_loop } => {
                    let (end, is_loop) = (*end, *is_loop);
                    let why = self.end_words(&next_hop, told.0);
                    let status = self.tables.reply(end.code, end.status, &why);
                    let row = &mut self.jobs[job];
                    (row.status, row.said_by, row.bounce, row.is_loop, row.host_failure) = (status, NONE, end.bounce, is_loop, !end.bounce);
                    row.no_fallback |= is_loop;
                    row.eventful = true;
                    row.hop += 1;
                    if at > self.now {
                        // The next lookup is asked when its moment comes, so that caches are met in order.
                        self.wake_job(job, at, Kind::Settle, Stage::NextHop);
                        return;
                    }
                }
            }
        }
    }

    /// The words of a routing failure: the reasons of its plan.
    fn end_words(&self, hop: &NextHop, plan: u32) -> String {
        let name = crate::decide::route::queue_name(&self.tables.names, hop);
        let why = &self.cache_plan(plan).why;
        format!("{name}: {why}")
    }

    /// Orders the candidates of a job by preference and luck.
    fn order_of(&self, job: u32, candidates: &[Candidate]) -> crate::decide::order::Order {
        if candidates.len() == 1 {
            return smallvec::smallvec![0];
        }
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        let sender = &self.config(copy.host).sender;
        let key = self.messages[copy.message].key;
        let (pass, hop) = (u64::from(copy.hops) << 16 | u64::from(copy.pass), u64::from(row.hop));
        let place = self.model.hosts[copy.host.index()].key;
        let rule = behaviour(sender.profile).order;
        order(rule, sender, candidates, |n| {
            // The luck of a candidate is that of its name (and address), so another candidate does not move it.
            let candidate = &candidates[n as usize];
            let address = if rule == OrderRule::ByAddress { address_key(candidate.address) } else { 0 };
            let name = self.resolvers.luck_of(candidate.name);
            self.chance.draw(Purpose::Order, key, place ^ name ^ address, pass << 8 | hop)
        })
    }

    /// Tries candidates from moment `at` on.
    pub(crate) fn walk(&mut self, job: u32, at: SimTime) {
        let mut at = at;
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let message = self.copies[copy].message;
        let sender = &self.config(client).sender;
        let rules = behaviour(sender.profile);
        loop {
            if self.faults.down(self.model, client, None, at).is_some() {
                let status = self.tables.reply(0, rules.session.lost, "the sending host went down");
                self.note_effect(job, Effect::Next(rules.session.lost), status, false);
                self.over_at(job, at);
                return;
            }
            let row = &self.jobs[job];
            let limit = sender.address_limit > 0 && u32::from(row.tried) >= sender.address_limit;
            let sessions = sender.session_limit > 0 && u32::from(row.sessions) >= sender.session_limit;
            if usize::from(row.next) >= row.order.len() || limit || sessions {
                let row = &mut self.jobs[job];
                row.hop += 1;
                if self.hop_of(job, self.jobs[job].hop).is_none() {
                    self.over_at(job, at);
                } else if at > self.now {
                    self.wake_job(job, at, Kind::Settle, Stage::NextHop);
                } else {
                    self.enter_hop(job, at);
                }
                return;
            }
            let place = row.order[usize::from(row.next)];
            let Goal { candidate: candidate_id, address, port, server } = self.cache_plan(row.plan).goals[usize::from(place)];
            let last_place = self.is_last(job);
            let row = &mut self.jobs[job];
            row.next += 1;
            row.tried += 1;
            row.connections += 1;
            let n = self.copies[copy].luck() | u64::from(row.connections);
            let rtt = self.round_trip(client, server, self.messages[message].key, n, at);
            match self.connect(client, server, address, port, at) {
                Ok(()) => {
                    let server = server.expect("an address that answers has a machine");
                    self.jobs[job].line = Line { candidate: candidate_id, server, address, began: at, rtt, end: None };
                    self.wake_job(job, at.after(rtt), Kind::Admit, Stage::Connecting);
                    return;
                }
                Err((how, why)) => {
                    let (event, result, cost) = match how {
                        Unreachable::Silent => (Event::ConnectTimeout, ConnectionResult::ConnectTimeout, sender.timers.connect_ns),
                        Unreachable::Refused => (Event::Refused, ConnectionResult::Refused, rtt),
                        Unreachable::Unreachable => (Event::Unreachable, ConnectionResult::Unreachable, 0),
                    };
                    self.counters.failed_connects += 1;
                    let effect = judge(rules, sender, Phase::Connect, event, last_place);
                    let end = at.after(cost);
                    let why = self.trace_failed_connect(job, candidate_id, result, (at, end), &why);
                    self.note_effect(job, effect, why, true);
                    at = end;
                    if !matches!(effect, Effect::Next(_)) {
                        self.over_at(job, at);
                        return;
                    }
                }
            }
        }
    }

    /// Is there no candidate left after the current one, in this hop or a later one?
    pub(crate) fn is_last(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        let sender = &self.config(self.copies[row.copy].host).sender;
        let left = row.order.len().saturating_sub(usize::from(row.next));
        let here = left <= 1
            || sender.address_limit > 0 && u32::from(row.tried) + 1 >= sender.address_limit
            || sender.session_limit > 0 && u32::from(row.sessions) + 1 >= sender.session_limit;
        here && self.hop_of(job, row.hop + 1).is_none()
    }

    /// Notes what a failure means for the recipients that a job still has.
    pub(crate) fn note_effect(&mut self, job: u32, effect: Effect, reply: u32, host_failure: bool) {
        let row = &mut self.jobs[job];
        row.status = reply;
        row.eventful = true;
        row.host_failure = host_failure;
        row.bounce = matches!(effect, Effect::Bounce(_));
        row.said_by = NONE;
    }

    /// Writes a connection that never came about, and says the number of its status.
    fn trace_failed_connect(
        &mut self,
        job: u32,
        candidate: u32,
        result: ConnectionResult,
        (at, end): (SimTime, SimTime),
        why: &Refusal,
    ) -> u32 {
        let sender = &self.config(self.copies[self.jobs[job].copy].host).sender;
        let session = &behaviour(sender.profile).session;
        let (status, words) = match result {
            ConnectionResult::Refused => (session.refused, "Connection refused"),
            ConnectionResult::ConnectTimeout => (session.connect_timeout, "Connection timed out"),
            _ => (session.unreachable, "No route to host"),
        };
        let reply = match self.cache.find_failed((candidate, status)) {
            Some(reply) => reply,
            None => {
                let key = self.tables.candidates.get(candidate);
                let text = format!("connect to {}[{}]:{}: {words}", self.tables.names.text(key.name), key.address, key.port);
                let reply = self.tables.reply(0, status, &text);
                self.cache.add_failed((candidate, status), reply);
                reply
            }
        };
        if self.writes(PATHS) {
            let why = match why {
                Refusal::Nobody => "no machine of the scenario has this address".to_owned(),
                Refusal::NoListener => "nothing listens on this port".to_owned(),
                Refusal::Family => "the sender has no address of this family".to_owned(),
                Refusal::Fault(number, until) => {
                    let name = &self.model.faults[*number as usize].name;
                    if *until == SimTime::NEVER { format!("fault `{name}`") } else { format!("fault `{name}` until {until}") }
                }
            };
            let why = self.tables.texts.intern(why.into());
            let outcome = self.tables.outcomes.intern(ConnectionOutcome { phase: Phase::Connect, result, reply: NONE, tls: NONE, why });
            self.trace_connection(job, candidate, outcome, at, end);
        }
        reply
    }

    /// Writes a row for a connection.
    pub(crate) fn trace_connection(&mut self, job: u32, candidate: u32, outcome: u32, at: SimTime, end: SimTime) -> u32 {
        if !self.writes(PATHS) {
            return NONE;
        }
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        let destination = self.queues[row.queue as usize].destination;
        let row = ConnectionRow { copy: copy.number, pass: copy.pass, destination, candidate, outcome, at, end };
        Trace::push(&mut self.trace.connections, row)
    }

    /// Writes decisions about a copy.
    pub(crate) fn trace_decisions(&mut self, copy: u32, recipient: u32, decisions: &[u32]) {
        if self.writes(STEPS) {
            let (number, pass) = (self.copies[copy].number, self.copies[copy].pass);
            let rows = decisions.iter().filter(|decision| **decision != NONE);
            self.trace.decisions.extend(rows.map(|decision| DecisionRow { copy: number, pass, recipient, decision: *decision }));
        }
    }

    /// Does a connect to this address succeed?
    fn connect(
        &mut self,
        client: HostId,
        server: Option<HostId>,
        address: IpAddr,
        port: u16,
        at: SimTime,
    ) -> Result<(), (Unreachable, Refusal)> {
        let model = self.model;
        let Some(server) = server else { return Err((Unreachable::Silent, Refusal::Nobody)) };
        let own = &model.hosts[client.index()];
        let mut addresses = own.egress.iter().chain(&own.addresses);
        if !own.any_family && !own.addresses.is_empty() && !addresses.any(|own| own.is_ipv4() == address.is_ipv4()) {
            return Err((Unreachable::Unreachable, Refusal::Family));
        }
        if let Some(cut) = self.faults.line(model, client, server, at) {
            return Err((cut.how, Refusal::Fault(cut.fault, cut.until)));
        }
        if let Some(cut) = self.faults.down(model, server, Some(address), at) {
            return Err((cut.how, Refusal::Fault(cut.fault, cut.until)));
        }
        if !self.config(server).receiver.listeners.iter().any(|listener| listener.port == port) {
            return Err((Unreachable::Refused, Refusal::NoListener));
        }
        Ok(())
    }

    /// Time of one exchange between two machines.
    fn round_trip(&self, a: HostId, b: Option<HostId>, message: u64, n: u64, at: SimTime) -> u64 {
        let model = self.model;
        let Some(b) = b else { return 0 };
        let version = &model.versions[self.version];
        let matches = |link: &&crate::model::topology::Link| link.a.has(a) && link.b.has(b) || link.a.has(b) && link.b.has(a);
        let law: Law = version.links.iter().find(matches).map_or(model.default_latency, |link| link.latency);
        let place = model.hosts[a.index()].key ^ model.hosts[b.index()].key.rotate_left(17);
        let usual = self.chance.time(law, Purpose::Latency, message, place, n);
        match self.faults.slower(model, a, b, at) {
            Some((fault, add)) => usual + self.chance.time(add, Purpose::Extra, message, model.faults[fault as usize].key, n),
            None => usual,
        }
    }

    /// A job is over at a moment, now or later: always by an event, so that a long line of hopeless jobs is no deep recursion.
    pub(crate) fn over_at(&mut self, job: u32, at: SimTime) {
        self.wake_job(job, at, Kind::Settle, Stage::Over);
    }

    /// Looks a next hop up: the plan, and when it is there.
    fn resolve(&mut self, job: u32, hop: &NextHop, configured: bool, at: SimTime) -> (u32, SimTime) {
        let copy = self.jobs[job].copy;
        let (client, message) = (self.copies[copy].host, self.copies[copy].message);
        let luck = (self.messages[message].key, self.copies[copy].luck());
        let who = (self.copies[copy].number, self.copies[copy].pass);
        let resolver = self.model.hosts[client.index()].resolver;
        let config_id = self.model.versions[self.version].configs[client.index()];
        let sender = &self.model.config(config_id).sender;
        let rules = behaviour(sender.profile);
        let mut question: PlanQuestion = PlanQuestion { config: config_id, host: client, hop: *hop, configured, answers: SmallVec::new() };
        let mut at = at;
        let mut targets: Targets = SmallVec::new();
        match hop.target {
            Target::Ip(_) => {}
            Target::Host(name) => targets.push((0, name)),
            Target::Mx(name) => {
                let told = self.ask(resolver, (name, RecordType::Mx), at, luck, who);
                at = told.at;
                question.answers.push((told.answer, 0));
                targets = self.targets_of(rules, sender.profile, name, told.answer);
            }
        }
        for (_, target) in &targets {
            for (wanted, kind) in [(sender.families.v6, RecordType::Aaaa), (sender.families.v4, RecordType::A)] {
                if !wanted {
                    question.answers.push((NONE, 0));
                    continue;
                }
                let told = self.ask(resolver, (*target, kind), at, luck, who);
                at = at.max(told.at);
                question.answers.push((told.answer, told.turn));
            }
        }
        let queue = self.jobs[job].queue as usize;
        let plan = match &self.queues[queue].last_plan {
            Some((last, plan)) if *last == question => *plan,
            _ => {
                let plan = self.plan_for(question.clone(), rules);
                self.queues[queue].last_plan = Some((question, plan));
                plan
            }
        };
        if self.writes(STEPS) {
            let decisions = self.cache_plan(plan).decisions.clone();
            self.trace_decisions(copy, NONE, &decisions);
        }
        (plan, at)
    }

    /// Whose addresses to ask for after an MX answer, in the order in which `read_mx` has them; found once per answer.
    fn targets_of(&mut self, rules: &Behaviour, profile: Profile, name: crate::base::NameId, answer: u32) -> Targets {
        if let Some(found) = self.cache.find_targets((profile, name, answer)) {
            return found;
        }
        let read = self.resolvers.answer(answer);
        let final_name = read.final_name(name);
        let targets: Targets = match mx_answer(read) {
            MxAnswer::Internet => SmallVec::new(),
            read => match read_mx(rules, &self.tables.names, name, &read).outcome {
                MxStep::Targets(list) => SmallVec::from_vec(list),
                MxStep::Implicit => smallvec::smallvec![(0, final_name)],
                MxStep::End(_) => SmallVec::new(),
            },
        };
        self.cache.add_targets((profile, name, answer), targets.clone());
        targets
    }

    /// The plan for these answers, made once.
    fn plan_for(&mut self, question: PlanQuestion, rules: &'static Behaviour) -> u32 {
        if let Some(id) = self.cache.find_plan(&question) {
            return id;
        }
        let made = self.make_plan(&question, rules);
        self.cache.add_plan(question, made)
    }

    fn make_plan(&mut self, question: &PlanQuestion, rules: &'static Behaviour) -> KeptPlan {
        let made = if let Target::Ip(address) = question.hop.target {
            let name = self.tables.names.intern(&address.to_string());
            MadePlan {
                outcome: MxPlan::Try(vec![Candidate { preference: 0, name, address }]),
                decisions: SmallVec::new(),
                why: "".into(),
                preferences: false,
            }
        } else {
            // The rule books read the names while the tables take the decisions.
            let names = std::mem::take(&mut self.tables.names);
            let made = self.plan_by_name(&names, question, rules);
            self.tables.names = names;
            made
        };
        let candidates = match &made.outcome {
            MxPlan::Try(candidates) => candidates.as_slice(),
            MxPlan::End { .. } => &[],
        };
        let goals = candidates.iter().map(|candidate| {
            let preference = if made.preferences { u32::from(candidate.preference) } else { 1 << 16 };
            let key = CandidateKey { name: candidate.name, preference, address: candidate.address, port: question.hop.port };
            Goal {
                candidate: self.tables.candidates.intern(key),
                address: candidate.address,
                port: question.hop.port,
                server: self.model.host_at(candidate.address),
            }
        });
        let goals = goals.collect();
        KeptPlan { outcome: made.outcome, decisions: made.decisions, why: made.why, goals }
    }

    fn plan_by_name(&mut self, names: &crate::model::dns::Names, question: &PlanQuestion, rules: &'static Behaviour) -> MadePlan {
        let sender = &self.model.config(question.config).sender;
        let host = &self.model.hosts[question.host.index()];
        let asker = Asker {
            hostname: host.hostname,
            addresses: host.addresses.iter().chain(&host.egress).copied().collect(),
            port: question.hop.port,
            families: sender.families,
            waits_for_addresses: sender.defer_if_no_mx_address,
        };
        let direct = |address, name| MxPlan::Try(vec![Candidate { preference: 0, name, address }]);
        let by_connector = question.configured && sender.profile == Profile::ExchangeOnline;
        let mut answers = question.answers.iter().copied();
        let (name, preferences, first) = match question.hop.target {
            Target::Ip(_) => unreachable!("an address needs no name"),
            Target::Host(name) => (name, false, None),
            Target::Mx(name) => {
                let (id, _) = answers.next().expect("the MX answer comes first");
                let read = mx_answer(self.resolvers.answer(id));
                if read == MxAnswer::Internet {
                    return MadePlan {
                        outcome: direct(self.internet_address(), name),
                        decisions: SmallVec::new(),
                        why: "".into(),
                        preferences: false,
                    };
                }
                let decision = read_mx(rules, names, name, &read);
                let ends = matches!(decision.outcome, MxStep::End(_));
                (name, true, Some((id, if by_connector { by_smart_host_rules(decision, ends) } else { decision })))
            }
        };
        let mut decisions = SmallVec::new();
        let (targets, implicit) = match &first {
            None => (vec![(0, name)], true),
            Some((id, decision)) => {
                decisions.push(self.store("which MX?", question.host, NONE, decision));
                match &decision.outcome {
                    MxStep::Targets(list) => (list.clone(), false),
                    MxStep::Implicit => (vec![(0, self.resolvers.answer(*id).final_name(name))], true),
                    MxStep::End(end) => {
                        let end = self.configured_end(question, rules, *end);
                        let why = words_of(&decision.chosen);
                        return MadePlan { outcome: MxPlan::End { end, is_loop: false }, decisions, why, preferences };
                    }
                }
            }
        };
        let found: Vec<TargetAddresses> = targets
            .iter()
            .map(|(preference, target)| {
                let pair = [answers.next().unwrap_or((NONE, 0)), answers.next().unwrap_or((NONE, 0))];
                self.addresses(rules, *preference, *target, &pair, names.text(*target))
            })
            .collect();
        let decision = plan(rules, names, &asker, name, implicit, &found);
        let ends = matches!(decision.outcome, MxPlan::End { .. });
        let decision = if by_connector { by_smart_host_rules(decision, ends) } else { decision };
        decisions.push(self.store("which addresses?", question.host, NONE, &decision));
        let outcome = match decision.outcome {
            MxPlan::End { end, is_loop } => MxPlan::End { end: self.configured_end(question, rules, end), is_loop },
            found => found,
        };
        let why = words_of(&decision.chosen);
        MadePlan { outcome, decisions, why, preferences: preferences && !implicit }
    }

    /// A next hop of the configuration that cannot be found may be an error of the configuration.
    fn configured_end(&self, question: &PlanQuestion, rules: &Behaviour, end: crate::decide::profile::End) -> crate::decide::profile::End {
        if question.configured { rules.mx.smart_host_lost.unwrap_or(end) } else { end }
    }

    /// The addresses in two answers (AAAA, A) about one target.
    fn addresses(
        &self,
        rules: &Behaviour,
        preference: u16,
        name: crate::base::NameId,
        answers: &[(u32, u32); 2],
        text: &str,
    ) -> TargetAddresses {
        let mut target = TargetAddresses { preference, name, addresses: Vec::new(), soft: None, other_family: false, no_such_name: false };
        if rules.mx.address_in_mx_data
            && let Ok(address) = text.parse::<IpAddr>()
        {
            target.addresses.push(address);
            return target;
        }
        for (id, turn) in answers {
            if *id == NONE {
                continue;
            }
            let answer = self.resolvers.answer(*id);
            match &answer.outcome {
                Outcome::Records(records) => {
                    let mut list: Vec<IpAddr> = records.iter().filter_map(RecordData::address).collect();
                    if !list.is_empty() {
                        let by = *turn as usize % list.len();
                        list.rotate_left(by);
                    }
                    target.addresses.extend(list);
                }
                Outcome::NoData => {}
                Outcome::NxDomain => {}
                Outcome::ServFail => target.soft = Some("SERVFAIL"),
                Outcome::Refused => target.soft = Some("REFUSED"),
                Outcome::Timeout => target.soft = Some("no answer"),
                Outcome::Truncated => target.soft = Some("truncated answer"),
                Outcome::Internet => target.addresses.push(self.internet_address()),
            }
        }
        let asked: SmallVec<[&Outcome; 2]> =
            answers.iter().filter(|(id, _)| *id != NONE).map(|(id, _)| &self.resolvers.answer(*id).outcome).collect();
        if !target.addresses.is_empty() {
            target.soft = None;
        } else if !asked.is_empty() && asked.iter().all(|outcome| **outcome == Outcome::NxDomain) {
            target.soft = None;
            target.no_such_name = true;
        }
        target.other_family = target.addresses.is_empty() && answers.iter().any(|(id, _)| *id == NONE);
        target
    }

    pub(crate) fn cache_plan(&self, id: u32) -> &KeptPlan {
        self.cache.plan(id)
    }
}

/// Why a connect fails.
#[derive(Clone, Copy, Debug)]
enum Refusal {
    Nobody,
    NoListener,
    Family,
    Fault(u32, SimTime),
}

/// Preferences and names of MX targets.
pub(crate) type Targets = SmallVec<[(u16, crate::base::NameId); 4]>;

/// A question about a next hop: all that a plan depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct PlanQuestion {
    config: crate::base::ConfigId,
    host: HostId,
    hop: NextHop,
    configured: bool,
    answers: SmallVec<[(u32, u32); 8]>,
}

/// A plan with its reasons.
#[derive(Clone, Debug)]
pub(crate) struct KeptPlan {
    pub(crate) outcome: MxPlan,
    pub(crate) decisions: SmallVec<[u32; 2]>,
    pub(crate) why: Box<str>,
    /// Where each candidate is.
    pub(crate) goals: Box<[Goal]>,
}

/// Where a connection to a candidate goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// Its number in the tables.
    candidate: u32,
    address: IpAddr,
    port: u16,
    /// The machine that answers there.
    server: Option<HostId>,
}

/// A plan as the rule books return it.
struct MadePlan {
    outcome: MxPlan,
    decisions: SmallVec<[u32; 2]>,
    why: Box<str>,
    /// The candidates have MX preferences.
    preferences: bool,
}

fn words_of(chosen: &[Because]) -> Box<str> {
    chosen.last().map_or_else(|| "".into(), |reason| reason.why.clone())
}

/// An answer as the rule book reads it.
fn mx_answer(answer: &crate::model::dns::Answer) -> MxAnswer {
    match &answer.outcome {
        Outcome::Records(records) => MxAnswer::Records(
            records
                .iter()
                .filter_map(|record| match record {
                    RecordData::Mx { preference, exchange } => Some((*preference, *exchange)),
                    _ => None,
                })
                .collect(),
        ),
        Outcome::NoData => MxAnswer::NoData,
        Outcome::NxDomain => MxAnswer::NxDomain,
        Outcome::ServFail => MxAnswer::Failed("SERVFAIL"),
        Outcome::Refused => MxAnswer::Failed("REFUSED"),
        Outcome::Timeout => MxAnswer::Failed("no answer"),
        Outcome::Truncated => MxAnswer::Failed("truncated answer"),
        Outcome::Internet => MxAnswer::Internet,
    }
}

/// The luck of an address.
fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => super::chance::mix(u64::from(u32::from(address))),
        IpAddr::V6(address) => super::chance::mix(u128::from(address) as u64 ^ (u128::from(address) >> 64) as u64),
    }
}

/// A sender that tries once and keeps nothing.
pub(crate) fn keeps_nothing(profile: Profile) -> bool {
    profile == Profile::NoRetry
}
