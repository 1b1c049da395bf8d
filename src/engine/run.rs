//! Plays a model to its end.

use super::authentication::Origins;
use super::chance::Chance;
use super::counters::Counters;
use super::fault::Faults;
use super::machine::Machine;
use super::mail_run::NEW_RUN;
use super::memory::Memory;
use super::queue::{EventQueue, Kind};
use super::resolver::Resolvers;
use super::route::RouteCache;
use super::session::{Refusals, SessionEnd};
use super::slab::Slab;
use super::starttls::TlsCache;
use super::transfer::AcceptanceCache;
use super::world::{RecipientState, World};
use crate::base::{DAY, Enhanced, Fate, HostId, Interner, SimTime};
use crate::model::Model;
use crate::model::fault::{FaultKind, hosts_of};
use crate::model::traffic::Source;
use crate::model::traffic::TlsWish;
use crate::trace::level::{COUNTERS, PATHS, STEPS};
use crate::trace::{NONE, Tables, Trace};

/// How to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much is written down (`trace::level`).
    pub level: u8,
    /// Another seed than the model's.
    pub seed: Option<u64>,
    /// Another end than the model's.
    pub until: Option<SimTime>,
    /// Other traffic than the model's.
    pub sources: Option<Vec<Source>>,
    /// It is over as soon as all that is left waits for an administrator (the Unreachable queue of Exchange Server), as without `until`.
    pub until_settled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { level: PATHS, seed: None, until: None, sources: None, until_settled: false }
    }
}

/// Why a run ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stop {
    /// Nothing could happen any more.
    Settled,
    /// `until` was reached.
    Until,
    /// A bound was hit.
    Bound(String),
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// What happened, as far as the level wrote it.
    pub trace: Trace,
    /// What rows have in common.
    pub tables: Tables,
    /// What was counted.
    pub counters: Counters,
    /// Traffic that was played.
    pub sources: Vec<Source>,
    /// Why it ended.
    pub stop: Stop,
    /// When.
    pub ended_at: SimTime,
    /// Events handled.
    pub events: u64,
    /// The seed.
    pub seed: u64,
    /// The end that was asked for.
    pub until: Option<SimTime>,
    /// When each machine was down as a whole.
    pub down: Vec<Vec<(SimTime, SimTime)>>,
}

/// A run without an end of its own stops here at the latest.
pub const LONGEST: SimTime = SimTime(30 * DAY);

/// Plays a model.
#[must_use]
pub fn run(model: &Model, options: &Options) -> Run {
    match options.level {
        COUNTERS => play::<COUNTERS>(model, options),
        // One more copy of the clockwork is enough: with a trace, a look at the level costs nothing beside the row.
        _ => play::<STEPS>(model, options),
    }
}

fn play<const LEVEL: u8>(model: &Model, options: &Options) -> Run {
    assert!(model.hosts.len() <= NEW_RUN as usize, "fewer than 2^22 machines: the bits above say what a queue run does");
    let seed = options.seed.unwrap_or(model.seed);
    let asked = options.until.or(model.until);
    let sources = options.sources.clone().unwrap_or_else(|| model.sources.clone());
    let chance = Chance::new(seed);
    let mut tables = Tables { names: model.names.clone(), next_hops: model.next_hops.clone(), ..Tables::default() };
    let ok_reply = tables.reply(250, Enhanced(2, 0, 0), "Ok");
    let mut world: World<'_, LEVEL> = World {
        model,
        level: options.level,
        chance,
        now: SimTime::ZERO,
        until: asked.unwrap_or(LONGEST),
        version: 0,
        automatic_replies: super::automatic_reply::Answers::default(),
        plain: false,
        zones: 0,
        settings: Vec::new(),
        events: EventQueue::default(),
        tables,
        trace: Trace::default(),
        counters: Counters::default(),
        messages: Slab::default(),
        message_count: 0,
        copies: Slab::default(),
        copy_count: 0,
        jobs: Slab::default(),
        ends: Vec::new(),
        queue_index: Interner::default(),
        queues: Vec::new(),
        machines: vec![Machine::default(); model.hosts.len()],
        resolvers: Resolvers::default(),
        faults: Faults::new(model, &chance),
        sources: Vec::new(),
        sources_model: &sources,
        cache: RouteCache::default(),
        answers: Vec::new(),
        tls_cache: TlsCache::default(),
        proofs: Interner::default(),
        policies: super::policy::Policies::default(),
        demanding: super::extensions::is_demanding(&sources),
        wishful: super::extensions::is_wishful(&sources),
        wishes: sources.iter().any(|source| source.tls_wish != TlsWish::Usual),
        expansions: super::members::Expansions::default(),
        aliases: super::alias::Aliases::default(),
        rules_passed: super::rules_passed::RulesPassed::default(),
        word_lost_at: SimTime::ZERO,
        acceptance_cache: AcceptanceCache::default(),
        visits: crate::base::Interner::default(),
        logins: super::submission::Logins::new(model, &sources),
        relays: super::relay::Relays::default(),
        silent: super::tcpto::SilentAddresses::default(),
        transport_queues: super::transport_queue::TransportQueues::new(asked.is_none() || options.until_settled),
        inbound: super::receive_connector::Inbound::default(),
        letters: super::letter::Letters::default(),
        origins: Origins::new(model, options.level, super::extensions::is_demanding(&sources)),
        memory: Memory::default(),
        connections: super::kept::Connections::default(),
        signatures: super::signature::Signatures::default(),
        last_tries: super::last_try::LastTries::default(),
        sites: super::mx_site::Sites::default(),
        rests: super::rate_delay::Rests::default(),
        rounds: super::rounds::Rounds::default(),
        late_reports: super::late_reports::LateReports::default(),
        waiting: super::its_turn::Waiting::default(),
        mail_runs: super::mail_run::MailRuns::default(),
        ok_reply,
        bound: None,
    };
    world.take_settings(0);
    world.look_who_stops();
    for (at, version) in model.versions.iter().enumerate().skip(1) {
        world.events.push(version.at, Kind::Change, at as u32);
    }
    for (at, fault) in model.faults.iter().enumerate() {
        match &fault.kind {
            FaultKind::Down { queue_lost: true, .. } => {
                world.events.push(fault.window.from, Kind::Change, (model.versions.len() + at) as u32);
            }
            FaultKind::Down { hosts, addresses, .. } if addresses.is_empty() && !world.plain => {
                for moment in world.shadows_lose_patience(hosts, fault.window) {
                    world.events.push(moment, Kind::Change, (model.versions.len() + model.faults.len() + at) as u32);
                }
            }
            _ => {}
        }
    }
    world.prepare_sources();
    let (stop, events) = match world.turn(model.limits.events) {
        (Stop::Until, events) if asked.is_none() => (Stop::Bound("simulated time: 30 days".into()), events),
        ended => ended,
    };
    world.count_what_is_left();
    let ended_at = match stop {
        Stop::Until => world.until,
        Stop::Settled | Stop::Bound(_) => world.now,
    };
    let hosts = (0..model.hosts.len() as u32).map(HostId);
    let down = hosts.map(|host| world.faults.down_windows(model, host, ended_at)).collect();
    let (trace, tables, counters) = (world.trace, world.tables, world.counters);
    Run { trace, tables, counters, sources, stop, ended_at, events, seed, until: asked, down }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Turns the clockwork until it stops.
    fn turn(&mut self, events_max: u64) -> (Stop, u64) {
        let mut events = 0;
        loop {
            let Some(event) = self.events.pop() else { return (Stop::Settled, events) };
            if event.kind == Kind::Ready
                && self.transport_queues.until_settled
                && !self.plain
                && self.waits_for_somebody(event.row, event.number)
            {
                return (Stop::Settled, events);
            }
            if event.at >= self.until {
                return (Stop::Until, events);
            }
            assert!(event.at >= self.now, "time never goes back");
            self.now = event.at;
            events += 1;
            match event.kind {
                Kind::Inject => self.inject(event.row),
                Kind::Ready => {
                    if self.copies[event.row].waits == event.number {
                        self.ready(event.row);
                    }
                }
                Kind::Admit => {
                    if self.jobs[event.row].waits == event.number {
                        self.admit(event.row);
                    }
                }
                Kind::Settle => {
                    if self.jobs[event.row].waits == event.number {
                        self.settle(event.row);
                    }
                }
                Kind::Leave => self.leave(HostId(event.row)),
                Kind::Change => self.change(event.row as usize),
                Kind::QueueRun => self.queue_run(event.row),
            }
            if events >= events_max {
                return (Stop::Bound(format!("events: {events_max}")), events);
            }
            if let Some(bound) = self.bound.take() {
                return (Stop::Bound(bound), events);
            }
        }
    }

    /// What is still somewhere when the run stops has an end too: queued, or delivered where one copy of several arrived.
    fn count_what_is_left(&mut self) {
        if self.writes(PATHS) {
            for copy in self.copies.rows_where(|_| true) {
                let row = &self.copies[copy];
                let waiting =
                    row.recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending && recipient.reply != NONE);
                self.trace.waiting.extend(waiting.map(|recipient| (row.number, recipient.index, recipient.reply)));
            }
            self.trace.waiting.sort_unstable();
            self.tell_who_still_waits();
            // Sessions under way. A job that is over has none that ends later.
            for job in self.jobs.rows_where(|job| job.stage.is_session()) {
                let Some(end) = self.ends.get(job as usize).filter(|end| end.end > self.now).cloned() else { continue };
                let reply = if end.taken_at().is_some() { NONE } else { end.reply };
                self.finish_connection_row(job, &SessionEnd { reply, refusals: Refusals::NONE, ..end });
            }
        }
        for message in self.messages.rows_where(|message| message.copies > 0) {
            for index in 0..self.messages[message].ends.len() {
                let end = self.messages[message].ends[index];
                if end.open == 0 && self.is_replaced(message, index as u16) {
                    continue;
                }
                let fate = if end.delivered > 0 || end.open == 0 { end.fate.unwrap_or(Fate::Queued) } else { Fate::Queued };
                self.counters.fates[fate_place(fate)] += 1;
            }
        }
    }

    /// Other settings become current.
    fn change(&mut self, version: usize) {
        let model = self.model;
        if let Some(fault) = version.checked_sub(model.versions.len() + model.faults.len()) {
            return self.shadows_take_over(fault);
        }
        if let Some(fault) = version.checked_sub(model.versions.len()) {
            let FaultKind::Down { hosts, .. } = &model.faults[fault].kind else { return };
            for host in hosts_of(hosts, model.hosts.len()) {
                self.lose_queue(host);
            }
            return;
        }
        let waiting = self.what_waits();
        self.remember_rules();
        self.take_settings(version);
        if !self.plain {
            self.databases_fail_over(version);
        }
        // More slots serve those who wait at once, as at the end of a fault.
        let lines = (0..self.machines.len()).filter(|at| !self.machines[*at].line.is_empty()).map(|at| HostId(at as u32));
        for host in lines.collect::<Vec<_>>() {
            self.serve_line(host);
        }
        self.resubmit_what_waits(waiting);
        for host in &model.versions[version].retry_queues {
            self.retry_queues_now(*host);
            self.revive_destinations(*host);
            for copy in self.copies.rows_where(|copy| copy.host == *host && copy.jobs == 0 && !copy.closed) {
                if self.memory.frozen.contains_key(&copy) {
                    continue;
                }
                self.pass_row(copy, self.now, "an administrator had the queue tried (retry_queues)");
                if self.remembers(*host) {
                    self.memory.passes.entry(copy).or_default().forced = true;
                    self.spool_forgets(copy);
                }
                self.wake_copy(copy, self.now);
            }
        }
        for operation in &model.versions[version].operations {
            self.operate(operation);
        }
    }
}

impl Counters {
    /// Notes the delay of a delivered recipient.
    pub(crate) fn note_delay(&mut self, delay_ns: u64) {
        self.delay_sum_ns += u128::from(delay_ns);
        self.delay_count += 1;
        let bits = 63 - (delay_ns | 64).leading_zeros();
        let place = (bits as usize) << 6 | ((delay_ns >> (bits - 6)) & 63) as usize;
        if self.delays.is_empty() {
            self.delays = vec![0; 64 * 64];
        }
        self.delays[place] += 1;
    }

    /// The delay that `per_mille` of the recipients do not exceed, by nearest rank, within 1.6 %.
    #[must_use]
    pub fn delay_percentile_ns(&self, per_mille: u64) -> u64 {
        let mut left = (self.delay_count * per_mille).div_ceil(1000);
        for (place, count) in self.delays.iter().enumerate() {
            if *count >= left && left > 0 {
                return ((64 | place as u64 & 63) << (place >> 6)) >> 6;
            }
            left = left.saturating_sub(*count);
        }
        0
    }
}

/// By fate: its place in the counters.
const PLACES: [usize; Fate::ALL.len()] = {
    let mut places = [0; Fate::ALL.len()];
    let mut at = 0;
    while at < places.len() {
        places[Fate::ALL[at] as usize] = at;
        at += 1;
    }
    places
};

/// The place of a fate in the counters.
pub(crate) fn fate_place(fate: Fate) -> usize {
    PLACES[fate as usize]
}
