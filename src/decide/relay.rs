//! The pace of OpenSMTPD: when is one more session opened and where, when has it tried long enough, how long is a route suspended?
//!
//! Sources: limit.c, mta.c `mta_connect`, `mta_find_route`, `mta_route_disable`; and a running OpenSMTPD 6.8.0p2 for
//! the 11 seconds after which a destination without any host left is given up for now.

use super::{Decision, because};
use crate::base::{SimTime, count};
use crate::model::keeping::SessionLimits;
use std::net::IpAddr;

/// The pace of a sender that keeps routes and sessions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RelayRules {
    /// From the first connect to the deferral when no host is left; everything that waits for the destination is deferred with it.
    pub gives_up_after_ns: u64,
    /// An open session looks for more mail every so often.
    pub session_looks_every_ns: u64,
    /// What came so shortly before a session looks may not be in its list yet …
    pub session_overlooks_ns: u64,
    /// … and is not in so many of a hundred cases.
    pub session_overlooks_percent: u64,
    /// A route whose connection fails is suspended so long, times the square of its penalty …
    pub suspended_ns: u64,
    /// … and so long at most.
    pub suspended_most_ns: u64,
    /// While mail waits it asks so often whether another session is needed …
    pub looks_again_ns: u64,
    /// … for the first time so long after the first connect …
    pub looks_first_ns: u64,
    /// … and so long after a limit was met.
    pub looks_at_limits_ns: u64,
}

/// What is remembered of a route: from one machine to one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Route {
    /// One more with each failure, one less when a suspension ends.
    pub penalty: u32,
    /// Not used before.
    pub until: SimTime,
}

impl Route {
    /// Is it suspended at a moment?
    #[must_use]
    pub fn is_suspended(&self, at: SimTime) -> bool {
        at < self.until
    }
}

/// A connection over a route failed.
#[must_use]
pub fn suspend(rules: &RelayRules, before: Option<Route>, at: SimTime) -> Route {
    let left = before.map_or(0, |route| if route.until <= at { route.penalty.saturating_sub(1) } else { route.penalty });
    let penalty = left + 1;
    let squared = u64::from(penalty).saturating_mul(u64::from(penalty));
    let wait = rules.suspended_ns.saturating_mul(squared).min(rules.suspended_most_ns);
    Route { penalty, until: at.after(wait) }
}

/// What there is of a destination when somebody asks for one more session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Busy {
    /// Messages in line.
    pub waiting: u32,
    /// Sessions that were greeted.
    pub ready: u32,
    /// All sessions, those among them that still connect.
    pub open: u32,
    /// Addresses that the sender leaves from.
    pub sources: u32,
    /// The last connect for the destination.
    pub last_connect: Option<SimTime>,
}

/// A way to the destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Way {
    /// Its preference.
    pub preference: u16,
    /// Where it leads.
    pub address: IpAddr,
    /// Sessions of the sender to this address, whatever their destination.
    pub sessions: u32,
    /// None of them was greeted yet.
    pub unproven: bool,
    /// Its route is suspended.
    pub suspended: bool,
    /// Not used before, because of its last connect or its last end.
    pub free_at: SimTime,
}

/// Is one more session opened?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Another {
    /// Those that there are will do.
    Enough,
    /// Yes, to this address.
    Open(IpAddr),
    /// Not before this moment.
    At(SimTime),
    /// There are as many as there may be.
    Limited,
}

/// How many sessions may lead to one address.
#[must_use]
pub fn sessions_to_address(limits: &SessionLimits, sources: u32) -> u32 {
    limits.per_route.saturating_mul(sources.max(1)).min(limits.per_host)
}

/// Is one more session opened for the mail that waits (mta.c `mta_connect`), and where (`mta_find_route`)?
#[must_use]
pub fn another_session(limits: &SessionLimits, busy: &Busy, ways: &[Way], now: SimTime) -> Another {
    if busy.ready >= busy.waiting || busy.open > 2 && busy.open >= busy.waiting / 2 {
        return Another::Enough;
    }
    let most = limits.per_connector.saturating_mul(busy.sources.max(1)).min(limits.per_relay).min(limits.per_domain);
    if busy.open >= most {
        return Another::Limited;
    }
    let next = busy.last_connect.map_or(now, |last| last.after(limits.gap_of_destination_ns()));
    if next > now {
        return Another::At(next);
    }
    let usable = |way: &&Way| !way.suspended;
    // The best level that has a route which is not suspended; no other one is looked at while that level is only busy.
    let Some(level) = ways.iter().filter(usable).map(|way| way.preference).min() else { return Another::Enough };
    let here = || ways.iter().filter(usable).filter(|way| way.preference == level);
    let most = sessions_to_address(limits, busy.sources);
    let is_full = |way: &Way| way.unproven || way.sessions >= most;
    let free = here().filter(|way| !is_full(way) && way.free_at <= now).min_by_key(|way| way.sessions);
    match free {
        Some(way) => Another::Open(way.address),
        None if here().any(is_full) => Another::Limited,
        None => here().map(|way| way.free_at).min().map_or(Another::Enough, Another::At),
    }
}

/// Why one more session is opened for a message that waited.
#[must_use]
pub fn why_another(busy: &Busy, name: &str) -> Decision<()> {
    let (waiting, open) = (count(u64::from(busy.waiting), "message"), count(u64::from(busy.open), "session"));
    let why = format!("{waiting} in line and {open} open: one more, over the route that has the fewest");
    Decision::for_reason((), because("KEEP-8", name, why, "OpenSMTPD mta.c, limit.c"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{HOUR, SECOND};

    #[test]
    fn suspensions() {
        let rules = RelayRules {
            gives_up_after_ns: 0,
            session_looks_every_ns: SECOND,
            session_overlooks_ns: 0,
            session_overlooks_percent: 0,
            suspended_ns: 15 * SECOND,
            suspended_most_ns: HOUR,
            looks_again_ns: 0,
            looks_first_ns: 0,
            looks_at_limits_ns: 0,
        };
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let known = |penalty, until| Some(Route { penalty, until: at(until) });
        let cases = [
            ("the first failure", None, 0, (1, 15)),
            ("again after the suspension", known(1, 15), 20, (1, 35)),
            ("again while suspended", known(1, 15), 10, (2, 70)),
            ("a bad route", known(4, 300), 240, (5, 240 + 375)),
            ("an hour at most", known(20, 9000), 8000, (21, 8000 + 3600)),
        ];
        for (case, before, now, (penalty, until)) in cases {
            let route = suspend(&rules, before, at(now));
            assert_eq!((route.penalty, route.until), (penalty, at(until)), "{case}");
            assert!(route.is_suspended(at(now)) && !route.is_suspended(at(until)), "{case}");
        }
    }

    #[test]
    fn one_more_session() {
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let way = |preference, last, sessions| Way {
            preference,
            address: address(last),
            sessions,
            unproven: false,
            suspended: false,
            free_at: at(0),
        };
        let busy = |waiting, ready, open| Busy { waiting, ready, open, sources: 1, last_connect: Some(at(8)) };
        let limits = SessionLimits::OPENSMTPD;
        let two = [way(10, 1, 1), way(10, 2, 0), way(20, 3, 0)];
        let cases: [(&str, Busy, Vec<Way>, Another); 13] = [
            ("one in line for one session", busy(1, 1, 1), two.to_vec(), Another::Enough),
            ("two in line", busy(2, 1, 1), two.to_vec(), Another::Open(address(2))),
            ("three for six in line", busy(6, 2, 3), two.to_vec(), Another::Enough),
            ("three for eight in line", busy(8, 2, 3), two.to_vec(), Another::Open(address(2))),
            ("two seconds after the last", Busy { last_connect: Some(at(9)), ..busy(9, 1, 1) }, two.to_vec(), Another::At(at(11))),
            ("twenty from one address", busy(90, 20, 20), two.to_vec(), Another::Limited),
            ("forty from two", Busy { sources: 2, ..busy(90, 20, 20) }, two.to_vec(), Another::Open(address(2))),
            ("five to one address", busy(90, 5, 5), vec![way(10, 1, 5), way(20, 2, 0)], Another::Limited),
            ("ten from two", Busy { sources: 2, ..busy(90, 5, 5) }, vec![way(10, 1, 5)], Another::Open(address(1))),
            ("a route rests", busy(9, 1, 1), vec![Way { free_at: at(12), ..way(10, 1, 1) }, way(20, 2, 0)], Another::At(at(12))),
            ("a route is not proven", busy(9, 0, 1), vec![Way { unproven: true, ..way(10, 1, 1) }, way(20, 2, 0)], Another::Limited),
            (
                "a route is suspended",
                busy(9, 0, 1),
                vec![Way { suspended: true, ..way(10, 1, 0) }, way(20, 2, 0)],
                Another::Open(address(2)),
            ),
            ("all are", busy(9, 0, 1), vec![Way { suspended: true, ..way(10, 1, 0) }], Another::Enough),
        ];
        for (case, busy, ways, expected) in cases {
            assert_eq!(another_session(&limits, &busy, &ways, at(10)), expected, "{case}");
        }
    }
}
