//! What does a sender remember of its routes and sessions? Suspended routes, the last connect of a destination, the session that stays open.
//!
//! The rules stand in `decide::relay`; profiles without such a memory (`Behaviour::relay` is `None`) never come here.

use super::kept::Kept;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::mx::MxPlan;
use crate::decide::order::Order;
use crate::decide::relay::{Route, suspend};
use crate::trace::NONE;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The memory of all senders that have one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relays {
    routes: BTreeMap<(HostId, IpAddr), Route>,
    /// By queue.
    destinations: BTreeMap<u32, Destination>,
    /// Addresses that failed in the attempt of a copy that is under way.
    dead: BTreeSet<(u32, IpAddr)>,
}

/// What is known about one destination.
#[derive(Clone, Copy, Debug, Default)]
struct Destination {
    last_connect: Option<SimTime>,
    open: Option<Open>,
    /// Where the last session carried as many mails as one may.
    full: Option<IpAddr>,
}

/// A session that waits for more mail.
#[derive(Clone, Copy, Debug)]
struct Open {
    address: IpAddr,
    until: SimTime,
    mails: u32,
    kept: Kept,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// When a connect may begin; `None` if what the sender remembers says to pass this address by.
    #[inline]
    pub(super) fn opens_at(&mut self, job: u32, address: IpAddr, at: SimTime) -> Option<SimTime> {
        let rules = self.rules(self.copies[self.jobs[job].copy].host);
        let copy = self.copies[self.jobs[job].copy].number;
        if rules.tries_address_once && self.relays.dead.contains(&(copy, address)) {
            return None;
        }
        if rules.skips_silent && self.skips_silent_address(job, address, at) {
            return None;
        }
        if rules.relay.is_some() { self.route_opens(job, address, at) } else { Some(at) }
    }

    /// When the next connect of a job may begin; `None` if this route is suspended. A session that is open already needs no wait.
    fn route_opens(&mut self, job: u32, address: IpAddr, at: SimTime) -> Option<SimTime> {
        let row = &self.jobs[job];
        let (client, queue, plain) = (self.copies[row.copy].host, row.queue, row.plain);
        let Some(rules) = self.rules(client).relay else { return Some(at) };
        if self.relays.routes.get(&(client, address)).is_some_and(|route| route.is_suspended(at)) {
            return None;
        }
        let known = self.relays.destinations.entry(queue).or_default();
        if let Some(open) = known.open.filter(|open| open.address == address && at < open.until) {
            // It looks for more mail every so often, and at once while more is in line.
            let since = SimTime(open.until.0 - rules.session_stays_open_ns);
            self.connections.uses.entry(job).or_default().taken = Some(open.kept);
            let copy = &self.copies[self.jobs[job].copy];
            let overlooked = copy.luck() % 100 < rules.session_overlooks_percent;
            let came = copy.pass_at.after(if overlooked { rules.session_overlooks_ns } else { 0 });
            let looks = if came <= since { 0 } else { came.since(since).div_ceil(rules.session_looks_every_ns) };
            return Some(since.after(looks.saturating_mul(rules.session_looks_every_ns)).max(at));
        }
        let earliest = known.last_connect.map_or(at, |last| last.after(rules.connect_gap_ns));
        let at = if plain { at } else { at.max(earliest) };
        (known.last_connect, known.open) = (Some(at), None);
        Some(at)
    }

    /// A session that is open goes first.
    pub(super) fn open_session_first(&self, job: u32, order: &mut Order, plan: u32, at: SimTime) {
        let row = &self.jobs[job];
        let Some(known) = self.relays.destinations.get(&row.queue) else { return };
        let goals = &self.cache_plan(plan).goals;
        if let (Some(full), [first, second, ..]) = (known.full, order.as_slice())
            && goals[usize::from(*first)].address == full
            && self.same_preference(plan, *first, *second)
        {
            order.swap(0, 1);
        }
        let Some(open) = known.open else { return };
        if at < open.until
            && let Some(place) = order.iter().position(|place| goals[usize::from(*place)].address == open.address)
        {
            let first = order.remove(place);
            order.insert(0, first);
        }
    }

    /// Two candidates of a plan that may stand for each other.
    fn same_preference(&self, plan: u32, a: u16, b: u16) -> bool {
        match &self.cache_plan(plan).outcome {
            MxPlan::Try(list) => list[usize::from(a)].preference == list[usize::from(b)].preference,
            MxPlan::End { .. } => false,
        }
    }

    /// A connection came to nothing: its route is suspended.
    pub(super) fn suspend_route(&mut self, job: u32, address: IpAddr, at: SimTime) {
        let row = &self.jobs[job];
        let client = self.copies[row.copy].host;
        if self.rules(client).tries_address_once {
            self.relays.dead.insert((self.copies[row.copy].number, address));
        }
        let Some(rules) = self.rules(client).relay else { return };
        let before = self.relays.routes.get(&(client, address)).copied();
        self.relays.routes.insert((client, address), suspend(&rules, before, at));
        if let Some(known) = self.relays.destinations.get_mut(&row.queue) {
            known.open = None;
        }
    }

    /// An attempt is over: its dead addresses may be tried again.
    pub(super) fn forget_dead(&mut self, copy: u32) {
        if self.relays.dead.is_empty() {
            return;
        }
        let number = self.copies[copy].number;
        self.relays.dead.retain(|(of, _)| *of != number);
    }

    /// A transaction is over, and the session stays.
    pub(super) fn session_stays(&mut self, job: u32, kept: Kept, stays: bool) {
        let (row, address) = (&self.jobs[job], kept.address);
        let Some(rules) = self.rules(self.copies[row.copy].host).relay else { return };
        let known = self.relays.destinations.entry(row.queue).or_default();
        let mails = known.open.filter(|open| open.address == address).map_or(0, |open| open.mails) + 1;
        let open = Open { address, until: self.now.after(rules.session_stays_open_ns), mails, kept };
        known.open = (stays && mails < rules.session_mails).then_some(open);
        known.full = (mails >= rules.session_mails).then_some(address);
    }

    /// No host is left: when the job is over. Nothing said means that every route is suspended.
    pub(super) fn gives_up_at(&mut self, job: u32, at: SimTime) -> SimTime {
        let row = &self.jobs[job];
        let rules = self.rules(self.copies[row.copy].host);
        let Some(relay) = rules.relay else { return at };
        let began = row.walk_began;
        if self.jobs[job].status == NONE {
            let status = self.tables.reply(0, rules.session.unreachable, "every route to the destination is suspended");
            let row = &mut self.jobs[job];
            (row.status, row.host_failure, row.eventful) = (status, true, true);
        }
        at.max(began.after(relay.gives_up_after_ns))
    }
}
