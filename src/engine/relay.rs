//! What does a sender remember of its routes and sessions? Suspended routes, the last connect of a destination, the session that stays open.
//!
//! The rules stand in `decide::relay`; profiles without such a memory (`Behaviour::relay` is `None`) never come here. How many sessions there are
//! stands in `sessions`.

use super::kept::Kept;
use super::known_from::KnownFrom;
use super::plan::Goal;
use super::queue::Kind;
use super::sessions::Sessions;
use super::world::{Stage, World};
use crate::base::{HostId, NameId, SimTime};
use crate::decide::mx::MxPlan;
use crate::decide::order::Order;
use crate::decide::relay::{Route, sessions_to_address, suspend};
use crate::model::keeping::SessionLimits;
use crate::trace::NONE;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The memory of all senders that have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relays {
    routes: BTreeMap<(HostId, IpAddr), KnownFrom<Route>>,
    pub(super) domains: super::domain_status::DomainStatuses,
    /// By queue.
    pub(super) destinations: BTreeMap<u32, Destination>,
    pub(super) sessions: Sessions,
    /// Hosts that failed in the attempt of a copy that is under way, by name and address.
    dead: BTreeSet<(u32, NameId, IpAddr)>,
}

/// What is known about one destination.
#[derive(Clone, Debug, Default)]
pub(super) struct Destination {
    pub(super) last_connect: Option<SimTime>,
    pub(super) open: Option<Open>,
    /// Where its last walk could go: preference and address.
    pub(super) ways: Vec<(u16, IpAddr)>,
    /// When it is asked next whether one more session is needed.
    pub(super) looks_at: SimTime,
    /// When mail that comes makes it ask.
    pub(super) next_source: SimTime,
}

/// A session that waits for more mail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) address: IpAddr,
    since: SimTime,
    pub(super) until: SimTime,
    kept: Kept,
}

impl Relays {
    /// A machine was down: what it knew of routes and domains is gone.
    pub(super) fn forget_host(&mut self, host: HostId) {
        self.routes.retain(|(client, _), _| *client != host);
        self.domains.retain(|(client, _), _| *client != host);
        self.sessions.forget_host(host);
    }

    /// What is known of the route from a machine to an address.
    pub(super) fn route(&self, client: HostId, address: IpAddr, at: SimTime) -> Option<Route> {
        self.routes.get(&(client, address)).and_then(|route| route.at(at))
    }

    /// Is the route from a machine to an address suspended?
    pub(super) fn is_suspended(&self, client: HostId, address: IpAddr, at: SimTime) -> bool {
        self.route(client, address, at).is_some_and(|route| route.is_suspended(at))
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// When a connect may begin; `None` if what the sender remembers says to pass this address by.
    #[inline]
    pub(super) fn opens_at(&mut self, job: u32, goal: &Goal, at: SimTime) -> Option<SimTime> {
        let (rules, address) = (self.rules(self.copies[self.jobs[job].copy].host), goal.address);
        if rules.tries_address_once && self.is_dead(job, goal.candidate) {
            return None;
        }
        if rules.skips_silent && self.skips_silent_address(job, address, at) {
            return None;
        }
        if rules.relay.is_some() { self.route_opens(job, address, at) } else { Some(at) }
    }

    /// Did a host fail in this attempt already?
    pub(super) fn is_dead(&self, job: u32, candidate: u32) -> bool {
        let host = self.tables.candidates.get(candidate);
        self.relays.dead.contains(&(self.copies[self.jobs[job].copy].number, host.name, host.address))
    }

    /// A connect or a session came to nothing: in this attempt the host is not tried again under that name (Sendmail mci.c, `mci_exitstat`).
    pub(super) fn note_dead(&mut self, job: u32, candidate: u32) {
        let copy = &self.copies[self.jobs[job].copy];
        if self.rules(copy.host).tries_address_once && !self.breaks_off(job) {
            let host = self.tables.candidates.get(candidate);
            self.relays.dead.insert((copy.number, host.name, host.address));
        }
    }

    /// Is the session of a destination that stays open one to this address?
    fn stays_open_to(&self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let open = self.relays.destinations.get(&self.jobs[job].queue).and_then(|known| known.open);
        self.relays.sessions.claimed_by(job).or(open).is_some_and(|open| open.address == address && at < open.until)
    }

    /// A connect that may not begin yet: the job looks again when it may.
    pub(super) fn opens_later(&mut self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let row = &self.jobs[job];
        let (client, queue, plain) = (self.copies[row.copy].host, row.queue, row.plain);
        let Some(limits) = self.session_limits(client) else { return false };
        let at_once = plain
            || self.relays.is_suspended(client, address, at)
            || self.stays_open_to(job, address, at)
            || self.relays.sessions.is_sent_to(job, address);
        let free = if at_once { at } else { self.may_connect_at(client, queue, address, at, &limits) };
        if free.max(at) <= self.now {
            return false;
        }
        self.wake_job(job, free.max(at), Kind::Settle, Stage::NextCandidate);
        true
    }

    /// When the first session of a destination may be opened over a route, as far as that is known now.
    fn may_connect_at(&self, client: HostId, queue: u32, address: IpAddr, at: SimTime, limits: &SessionLimits) -> SimTime {
        let known = self.relays.destinations.get(&queue);
        let gap = limits.gap_of_destination_ns();
        let earliest = known.and_then(|known| known.last_connect).map_or(at, |last| last.after(gap)).max(at);
        let earliest = earliest.max(self.relays.sessions.route_free_at((client, address), at, limits));
        let earliest = earliest.max(self.better_ones_connect_until(queue, address, at));
        let full = self.relays.sessions.to_address((client, address), at) >= sessions_to_address(limits, self.sources_of(client));
        if earliest <= at && full {
            let rules = self.rules(client).relay;
            return at.after(rules.map_or(0, |rules| rules.looks_at_limits_ns));
        }
        earliest
    }

    /// When the next connect of a job may begin; `None` if this route is suspended. A session that is open already needs no wait.
    fn route_opens(&mut self, job: u32, address: IpAddr, at: SimTime) -> Option<SimTime> {
        let row = &self.jobs[job];
        let (client, queue) = (self.copies[row.copy].host, row.queue);
        let (Some(rules), Some(limits)) = (self.rules(client).relay, self.session_limits(client)) else { return Some(at) };
        if self.relays.is_suspended(client, address, at) {
            return None;
        }
        let claimed = self.relays.sessions.claimed_by(job);
        let known = self.relays.destinations.entry(queue).or_default();
        if let Some(open) = claimed.or(known.open).filter(|open| open.address == address && at < open.until) {
            // It looks for more mail every so often, and at once while more is in line.
            match claimed {
                Some(_) => self.relays.sessions.no_longer_claimed(job),
                None => known.open = None,
            }
            self.connections.uses.entry(job).or_default().taken = Some(open.kept);
            self.relays.sessions.begin(job, (client, address), queue, Some(open.until));
            self.calls_next(queue);
            let copy = &self.copies[self.jobs[job].copy];
            let overlooked = copy.luck() % 100 < rules.session_overlooks_percent;
            let came = copy.pass_at.after(if overlooked { rules.session_overlooks_ns } else { 0 });
            let looks = if came <= open.since { 0 } else { came.since(open.since).div_ceil(rules.session_looks_every_ns) };
            return Some(open.since.after(looks.saturating_mul(rules.session_looks_every_ns)).max(at));
        }
        let first = self.queues[queue as usize].active <= 1;
        if let Some(open) = known.open.take() {
            // It leads elsewhere, and another one is opened.
            self.relays.sessions.closed((client, open.address), at.max(open.since), Some(open.until));
        }
        known.last_connect = Some(at);
        if first {
            known.next_source = at.after(rules.looks_first_ns);
            known.looks_at = at.after(limits.gap_of_destination_ns());
            self.calls_next(queue);
        }
        self.relays.sessions.begin(job, (client, address), queue, None);
        self.relays.sessions.connects((client, address), at);
        Some(at)
    }

    /// The first session of a destination begins: who stands in line asks when it is time whether there will be more.
    fn calls_next(&mut self, queue: u32) {
        let front = self.queues[queue as usize].waiting.front().copied();
        if let (Some(front), Some(known)) = (front, self.relays.destinations.get(&queue)) {
            self.looks_again(front, known.looks_at.max(known.next_source));
        }
    }

    /// A session that is open goes first, then routes that may be used at once, then those that have fewer sessions.
    pub(super) fn open_session_first(&mut self, job: u32, order: &mut Order, plan: u32, at: SimTime) {
        let (queue, client) = (self.jobs[job].queue, self.copies[self.jobs[job].copy].host);
        let Some(limits) = self.session_limits(client) else { return };
        let MxPlan::Try(list) = &self.cache_plan(plan).outcome else { return };
        let mut ways: Vec<(u16, IpAddr)> =
            order.iter().map(|place| &list[usize::from(*place)]).map(|way| (way.preference, way.address)).collect();
        let addresses: Vec<IpAddr> = list.iter().map(|way| way.address).collect();
        let sent = self.relays.sessions.sent_to(job);
        let claimed = self.relays.sessions.claimed_by(job).map(|open| open.address);
        let others = self.queues[queue as usize].active > 1;
        let known = self.relays.destinations.entry(queue).or_default();
        let open = known.open.filter(|open| at < open.until).map(|open| open.address);
        if others || open.is_some() {
            // The list stays what it was for as long as there are sessions.
            ways.sort_by_key(|way| known.ways.iter().position(|known| known == way).unwrap_or(usize::MAX));
        }
        known.ways.clone_from(&ways);
        let sessions = &self.relays.sessions;
        order.sort_by_cached_key(|place| {
            let address = addresses[usize::from(*place)];
            let way = ways.iter().position(|way| way.1 == address).unwrap_or(usize::MAX);
            let (preference, route) = (ways.get(way).map_or(u16::MAX, |way| way.0), (client, address));
            (preference, sessions.busy_until(route, at, &limits), sessions.to_address(route, at), way)
        });
        let first = sent.or(claimed).or(open);
        if let Some(place) = first.and_then(|first| order.iter().position(|place| addresses[usize::from(*place)] == first)) {
            let first = order.remove(place);
            order.insert(0, first);
        }
    }

    /// A connection came to nothing: its route is suspended.
    pub(super) fn suspend_route(&mut self, job: u32, address: IpAddr, at: SimTime) {
        let row = &self.jobs[job];
        let client = self.copies[row.copy].host;
        let Some(rules) = self.rules(client).relay else { return };
        let now = self.now;
        let route = self.relays.routes.entry((client, address)).or_default();
        route.learn(now, at, suspend(&rules, route.at(at), at));
        self.relays.sessions.ends(job, at);
        if at > self.now {
            self.relays.sessions.still_connects((client, address), row.queue, at);
        }
    }

    /// An attempt is over: its dead addresses may be tried again.
    pub(super) fn forget_dead(&mut self, copy: u32) {
        if self.relays.dead.is_empty() {
            return;
        }
        let number = self.copies[copy].number;
        self.relays.dead.retain(|(of, ..)| *of != number);
    }

    /// A transaction is over: the session takes what waits, or it is the last one and stays for a while, or it ends.
    pub(super) fn session_stays(&mut self, job: u32, kept: Kept, stays: bool, limits: &SessionLimits) {
        let (queue, address) = (self.jobs[job].queue, kept.address);
        let client = self.queues[queue as usize].host;
        let row = &self.queues[queue as usize];
        let needed = !row.waiting.is_empty() || row.active <= 1 && !self.relays.sessions.connects_for(queue, self.now);
        self.relays.sessions.ends(job, self.now);
        let known = self.relays.destinations.entry(queue).or_default();
        if stays && needed && kept.mails < limits.mails && known.open.is_none_or(|open| open.until <= self.now) {
            let until = self.now.after(limits.idle_ns.max(1));
            known.open = Some(Open { address, since: self.now, until, kept });
            self.relays.sessions.idles((client, address), (self.now, until));
        } else {
            // With one session less it is asked again whether one more is needed.
            known.looks_at = self.now;
        }
    }

    /// No host is left: when the job is over. Nothing said means that every route is suspended.
    pub(super) fn gives_up_at(&mut self, job: u32, at: SimTime) -> SimTime {
        let row = &self.jobs[job];
        let rules = self.rules(self.copies[row.copy].host);
        let Some(relay) = rules.relay else { return at };
        let (began, queue) = (row.walk_began, row.queue);
        if self.jobs[job].status == NONE {
            let status = self.tables.reply(0, rules.session.unreachable, "every route to the destination is suspended");
            let row = &mut self.jobs[job];
            (row.status, row.host_failure, row.eventful) = (status, true, true);
        }
        self.waits_for_domain(job);
        at.max(self.relays.sessions.connects_until(queue, at)).max(began.after(relay.gives_up_after_ns))
    }
}
