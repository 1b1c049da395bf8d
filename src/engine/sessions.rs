//! How many sessions does a sender have open for one destination (OpenSMTPD), and is one more opened for the mail that waits?
//!
//! A session takes the next message in line when it is free. A connect belongs to no message: where one more session comes to nothing, the message that it was
//! opened for stands in line again. The rules stand in `decide::relay`. Not modelled: sessions of one destination are counted for each of a sender's addresses
//! together, so that limits of one address are as many times as high.

use super::queue::Kind;
use super::relay::Open;
use super::session::{Refusals, SessionEnd, Stop, Talk};
use super::world::{Stage, World};
use crate::base::{Enhanced, HostId, Phase, Reply, SimTime};
use crate::decide::relay::{Another, Busy, Way, another_session, why_another};
use crate::model::keeping::{Keeping, SessionLimits};
use crate::model::settings::Directory;
use crate::trace::NONE;
use crate::trace::level::STEPS;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// From a machine to an address.
type Route = (HostId, IpAddr);

/// What is open, by whom it is used, and when routes were used last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    /// By job: over which route it goes, for which destination, and whether its connection was open before.
    under_way: BTreeMap<u32, (Route, u32, bool)>,
    routes: BTreeMap<Route, Used>,
    /// Jobs that wait for one more session, and whether it was tried.
    sent: BTreeMap<u32, (IpAddr, bool)>,
    /// Jobs that have a session which was free, before they use it.
    claimed: BTreeMap<u32, Open>,
    /// Connects of a destination that no message waits for, with the moment when they come to nothing.
    connecting: Vec<(Route, u32, SimTime)>,
}

/// How a route is used.
#[derive(Clone, Debug, Default)]
struct Used {
    last_connect: Option<SimTime>,
    last_end: Option<SimTime>,
    busy: u32,
    /// When sessions end that have nothing to do.
    idle: Vec<SimTime>,
}

impl Sessions {
    /// A machine was down: what was open and idle is closed.
    pub(super) fn forget_host(&mut self, host: HostId) {
        self.routes.retain(|(client, _), used| *client != host || used.busy > 0);
        self.connecting.retain(|((client, _), ..)| *client != host);
    }

    /// A job has a session, over a new connection or over one that waited until then.
    pub(super) fn begin(&mut self, job: u32, route: Route, queue: u32, idle: Option<SimTime>) {
        self.under_way_no_more(job);
        let used = self.routes.entry(route).or_default();
        used.busy += 1;
        if let Some(place) = idle.and_then(|until| used.idle.iter().position(|other| *other == until)) {
            used.idle.remove(place);
        }
        self.under_way.insert(job, (route, queue, idle.is_some()));
        if let Some(sent) = self.sent.get_mut(&job) {
            sent.1 = true;
        }
    }

    /// A new connection.
    pub(super) fn connects(&mut self, route: Route, at: SimTime) {
        self.routes.entry(route).or_default().last_connect = Some(at);
    }

    /// The session of a job ends, or is free again.
    pub(super) fn ends(&mut self, job: u32, at: SimTime) {
        if let Some(used) = self.under_way_no_more(job) {
            used.last_end = used.last_end.max(Some(at));
        }
    }

    fn under_way_no_more(&mut self, job: u32) -> Option<&mut Used> {
        let (route, ..) = self.under_way.remove(&job)?;
        let used = self.routes.entry(route).or_default();
        used.busy = used.busy.saturating_sub(1);
        Some(used)
    }

    /// A session waits for more mail.
    pub(super) fn idles(&mut self, route: Route, (now, until): (SimTime, SimTime)) {
        let used = self.routes.entry(route).or_default();
        // What ended meanwhile without a word is the last end now.
        used.last_end = used.idle.iter().copied().filter(|until| *until <= now).max();
        used.idle.retain(|until| *until > now);
        used.idle.push(until);
    }

    /// A session that waited is closed.
    pub(super) fn closed(&mut self, route: Route, at: SimTime, idle: Option<SimTime>) {
        let used = self.routes.entry(route).or_default();
        used.last_end = Some(at);
        if let Some(place) = idle.and_then(|until| used.idle.iter().position(|other| *other == until)) {
            used.idle.remove(place);
        }
    }

    /// A connect goes on for which nobody waits any more.
    pub(super) fn still_connects(&mut self, route: Route, queue: u32, until: SimTime) {
        self.connecting.push((route, queue, until));
    }

    /// When the last of such connects of a destination ends.
    pub(super) fn connects_until(&self, queue: u32, at: SimTime) -> SimTime {
        self.connecting.iter().filter(|(_, of, until)| *of == queue && *until > at).map(|(.., until)| *until).max().unwrap_or(at)
    }

    /// Is there such a connect?
    pub(super) fn connects_for(&self, queue: u32, at: SimTime) -> bool {
        self.connecting.iter().any(|(_, of, until)| *of == queue && *until > at)
    }

    /// Sessions to an address.
    pub(super) fn to_address(&self, route: Route, at: SimTime) -> u32 {
        let Some(used) = self.routes.get(&route) else { return 0 };
        let idle = used.idle.iter().filter(|until| **until > at).count();
        let connecting = self.connecting.iter().filter(|(other, _, until)| *other == route && *until > at).count();
        used.busy + (idle + connecting) as u32
    }

    /// When a route may be used again. The gap after an end counts only while the route has another session: one that has none is forgotten with its
    /// last end (mta.c `mta_route_unref`, and the recordings `equal-two-200-reuse` and `equal-three-200`).
    pub(super) fn route_free_at(&self, route: Route, at: SimTime, limits: &SessionLimits) -> SimTime {
        let Some(used) = self.routes.get(&route) else { return SimTime::ZERO };
        let connected = used.last_connect.map_or(SimTime::ZERO, |last| last.after(limits.gap_of_address_ns()));
        if self.to_address(route, at) == 0 {
            return connected;
        }
        let ended = used.idle.iter().copied().filter(|until| *until <= at).max().max(used.last_end);
        connected.max(ended.map_or(SimTime::ZERO, |last| last.after(limits.gap_after_ns)))
    }

    /// The same, and no moment that is over; what still connects is over when it came to nothing.
    pub(super) fn busy_until(&self, route: Route, at: SimTime, limits: &SessionLimits) -> SimTime {
        let connecting = self.connecting.iter().filter(|(other, _, until)| *other == route && *until > at).map(|(.., until)| *until).max();
        self.route_free_at(route, at, limits).max(at).max(connecting.unwrap_or(at))
    }

    /// For which address a job is to open one more session.
    pub(super) fn sent_to(&self, job: u32) -> Option<IpAddr> {
        self.sent.get(&job).map(|(address, _)| *address)
    }

    /// The session that a job has.
    pub(super) fn claimed_by(&self, job: u32) -> Option<Open> {
        self.claimed.get(&job).copied()
    }

    /// The job uses it, or does not need it.
    pub(super) fn no_longer_claimed(&mut self, job: u32) {
        self.claimed.remove(&job);
    }

    /// Is it this one, and not yet tried?
    pub(super) fn is_sent_to(&self, job: u32, address: IpAddr) -> bool {
        self.sent.get(&job).is_some_and(|(to, tried)| *to == address && !*tried)
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The limits of a sender that has several sessions.
    pub(super) fn session_limits(&self, host: HostId) -> Option<SessionLimits> {
        match &self.config(host).sender.keeping {
            Keeping::Sessions(limits) => Some(*limits),
            Keeping::Never | Keeping::Cache(_) | Keeping::ForWaiting { .. } | Keeping::WithinRun { .. } => None,
        }
    }

    /// How many addresses a sender leaves from.
    pub(super) fn sources_of(&self, host: HostId) -> u32 {
        match &self.config(host).receiver.directory {
            Directory::Tenants(_) | Directory::Organization(_) => 1,
            _ => self.model.hosts[host.index()].egress.len().max(1) as u32,
        }
    }

    /// Has the destination of a message sessions already? Then it stands in line.
    #[inline]
    pub(super) fn has_sessions(&self, queue: u32) -> bool {
        let row = &self.queues[queue as usize];
        row.active > 0 && self.rules(row.host).relay.is_some()
    }

    /// Does a destination have a session beside that of the job that is just over?
    pub(super) fn has_another_session(&self, queue: u32) -> bool {
        self.queues[queue as usize].active > 1
    }

    /// Until when better or equal ways of a destination still connect, nobody waiting for it: no worse one is tried before.
    pub(super) fn better_ones_connect_until(&self, queue: u32, address: IpAddr, at: SimTime) -> SimTime {
        let Some(known) = self.relays.destinations.get(&queue) else { return at };
        let preference = |wanted: IpAddr| known.ways.iter().find(|(_, other)| *other == wanted).map(|(preference, _)| *preference);
        let Some(own) = preference(address) else { return at };
        let better = |to: IpAddr| to == address || preference(to).is_some_and(|other| other < own);
        let connecting = self.relays.sessions.connecting.iter().filter(|(route, of, until)| *of == queue && *until > at && better(route.1));
        connecting.map(|(.., until)| *until).max().unwrap_or(at)
    }

    /// A silent address of several equal ones: the next one is tried while the connect goes on.
    #[cold]
    pub(super) fn goes_on_meanwhile(&mut self, job: u32, at: SimTime, end: SimTime) -> SimTime {
        let row = &self.jobs[job];
        let (client, next) = (self.copies[row.copy].host, usize::from(row.next));
        if self.rules(client).relay.is_none() {
            return end;
        }
        let crate::decide::mx::MxPlan::Try(list) = &self.cache_plan(row.plan).outcome else { return end };
        let preference = |at: usize| row.order.get(at).map(|place| list[usize::from(*place)].preference);
        let level = next.checked_sub(1).and_then(preference);
        let usable = |place: usize| !self.relays.is_suspended(client, list[usize::from(row.order[place])].address, end);
        let more = (next..row.order.len()).any(|place| preference(place) == level && usable(place));
        if more { at } else { end }
    }

    /// A message has come to a destination that has sessions, and stands in line.
    #[cold]
    pub(super) fn comes_to_sessions(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        let host = self.queues[queue as usize].host;
        if self.session_limits(host).is_none() {
            return;
        }
        let ready = self.ready_sessions(queue);
        let now = self.now;
        let known = self.relays.destinations.entry(queue).or_default();
        if known.looks_at <= now && now < known.next_source && ready > 0 {
            known.looks_at = known.next_source;
        }
        self.next_in_queue(queue);
    }

    /// Sessions of a destination that were greeted.
    fn ready_sessions(&self, queue: u32) -> u32 {
        let sessions = self.relays.sessions.under_way.iter().filter(|(_, (_, of, _))| *of == queue);
        sessions.filter(|(job, (.., open))| *open || self.jobs[**job].stage.is_session()).count() as u32
    }

    /// Must the first in the line of a destination wait for a session? Else it has one, or opens one more.
    #[cold]
    #[inline(never)]
    pub(super) fn waits_for_session(&mut self, queue: u32) -> bool {
        let (host, active) = (self.queues[queue as usize].host, self.queues[queue as usize].active);
        let (Some(limits), Some(rules)) = (self.session_limits(host), self.rules(host).relay) else { return false };
        let Some(first) = self.queues[queue as usize].waiting.front().copied() else { return false };
        let now = self.now;
        let known = self.relays.destinations.entry(queue).or_default();
        if let Some(open) = known.open.take_if(|open| now < open.until) {
            self.relays.sessions.begin(first, (host, open.address), queue, Some(open.until));
            self.relays.sessions.claimed.insert(first, open);
            return false;
        }
        if active == 0 {
            return false;
        }
        if !self.relays.sessions.under_way.values().any(|(_, of, _)| *of == queue) {
            // The first one is on its way to its connect, and calls.
            return true;
        }
        if now < known.looks_at {
            let at = known.looks_at;
            self.looks_again(first, at);
            return true;
        }
        if known.next_source <= now {
            known.next_source = now.after(rules.looks_again_ns);
        }
        let (last_connect, next_source) = (known.last_connect, known.next_source);
        let connecting = self.relays.sessions.connecting.iter().filter(|(_, of, until)| *of == queue && *until > now).count();
        let busy = Busy {
            waiting: self.queues[queue as usize].waiting.len() as u32,
            ready: self.ready_sessions(queue),
            open: active + connecting as u32,
            sources: self.sources_of(host),
            last_connect,
        };
        let ways: Vec<Way> = self.ways_of(queue, &limits);
        let looks_at = match another_session(&limits, &busy, &ways, now) {
            Another::Open(address) => {
                self.relays.sessions.begin(first, (host, address), queue, None);
                self.relays.sessions.connects((host, address), now);
                self.relays.sessions.sent.insert(first, (address, false));
                self.relays.destinations.entry(queue).or_default().last_connect = Some(now);
                if self.writes(STEPS) {
                    let stored = self.store("another session?", host, NONE, &why_another(&busy, &self.called(queue)));
                    self.trace_of_job(first, &[stored]);
                }
                return false;
            }
            Another::Enough => next_source,
            Another::At(at) => at.min(next_source),
            Another::Limited => now.after(rules.looks_at_limits_ns).min(next_source),
        };
        self.relays.destinations.entry(queue).or_default().looks_at = looks_at;
        self.looks_again(first, looks_at);
        true
    }

    /// The ways of a destination, as they are now.
    fn ways_of(&self, queue: u32, limits: &SessionLimits) -> Vec<Way> {
        let (host, now) = (self.queues[queue as usize].host, self.now);
        let Some(known) = self.relays.destinations.get(&queue) else { return Vec::new() };
        let greeted = |address: IpAddr| {
            let mut sessions = self.relays.sessions.under_way.iter().filter(|(_, (route, ..))| *route == (host, address));
            sessions.any(|(job, (.., open))| *open || self.jobs[*job].stage.is_session())
        };
        let way = |(preference, address): &(u16, IpAddr)| {
            let sessions = self.relays.sessions.to_address((host, *address), now);
            Way {
                preference: *preference,
                address: *address,
                sessions,
                unproven: sessions > 0 && !greeted(*address),
                suspended: self.relays.is_suspended(host, *address, now),
                free_at: self.relays.sessions.route_free_at((host, *address), now, limits),
            }
        };
        known.ways.iter().map(way).collect()
    }

    /// The first in line is called when it is time to ask again.
    pub(super) fn looks_again(&mut self, first: u32, at: SimTime) {
        self.jobs[first].waits = u64::MAX;
        self.wake_job(first, at.max(self.now.after(1)), Kind::Settle, Stage::Queued);
    }

    /// Was the job to open one more session, and that came to nothing?
    pub(super) fn was_only_another_session(&self, job: u32) -> bool {
        !self.relays.sessions.sent.is_empty()
            && self.relays.sessions.sent.get(&job).is_some_and(|(_, tried)| *tried)
            && !self.jobs[job].plain
    }

    /// The message stands in line again, before all others.
    #[cold]
    pub(super) fn back_into_line(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        self.relays.sessions.ends(job, self.now);
        self.relays.sessions.sent.remove(&job);
        self.connections.uses.remove(&job);
        let row = &mut self.jobs[job];
        (row.hop, row.next, row.host_failure, row.bounce) = (0, 0, false, false);
        (row.stage, row.waits) = (Stage::Queued, u64::MAX);
        self.queues[queue as usize].active -= 1;
        self.queues[queue as usize].waiting.push_front(job);
        let host = self.queues[queue as usize].host;
        self.one_less(host);
        self.serve_who_waits(host);
        self.next_in_queue(queue);
    }

    /// Did the sender end a session in the middle of a transaction, though the server would have gone on?
    pub(super) fn left_by_itself(&self, end: &SessionEnd) -> bool {
        matches!(end.phase, Phase::Rcpt | Phase::Data) && end.rest.is_some_and(|(_, reply)| self.tables.replies.get(reply).code == 0)
    }

    /// Does a sender of sessions leave a server that refused so many recipients one after the other (mta_session.c, `max_failures_per_session`)?
    pub(super) fn refused_in_a_row(&self, talk: &Talk<'_>, refusals: &Refusals) -> Option<Stop> {
        let most = self.session_limits(talk.client)?.failures as usize;
        let row = &self.jobs[talk.job].recipients;
        let last = row.iter().position(|place| refusals.last().is_some_and(|(of, ..)| of == place))?;
        let first = (last + 1).checked_sub(most).filter(|_| most > 0)?;
        let tail = refusals.len().checked_sub(most)?;
        let in_a_row = row[first..=last].iter().zip(&refusals[tail..]).all(|(place, (of, ..))| place == of);
        // Only at the moment when the number is reached: the last recipient named is the last one refused.
        let words = "Too many consecutive errors, closing connection";
        in_a_row.then(|| Stop::Reply(Reply::new(0, Some(Enhanced(4, 0, 0)), words)))
    }

    /// A job is over.
    pub(super) fn forget_session(&mut self, job: u32) {
        self.leaves_site(job);
        let (sessions, now) = (&mut self.relays.sessions, self.now);
        if sessions.routes.is_empty() {
            return;
        }
        sessions.ends(job, now);
        sessions.sent.remove(&job);
        sessions.claimed.remove(&job);
        sessions.connecting.retain(|(.., until)| *until > now);
    }
}
