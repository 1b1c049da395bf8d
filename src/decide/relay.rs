//! The pace of OpenSMTPD: when may it connect, when has it tried long enough, how long is a route suspended?
//!
//! Sources: limit.c (`conndelay_relay`, `sessdelay_keepalive`, `max_mail_per_session`), mta.c `mta_route_disable`; and a running OpenSMTPD 6.8.0p2 for
//! the 11 seconds after which a destination without any host left is given up for now.

use crate::base::SimTime;

/// The pace of a sender that keeps routes and sessions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RelayRules {
    /// Between two connects for one destination.
    pub connect_gap_ns: u64,
    /// From the first connect to the deferral when no host is left; everything that waits for the destination is deferred with it.
    pub gives_up_after_ns: u64,
    /// A session stays open for more mail.
    pub session_stays_open_ns: u64,
    /// An open session looks for more mail every so often.
    pub session_looks_every_ns: u64,
    /// What came so shortly before a session looks may not be in its list yet …
    pub session_overlooks_ns: u64,
    /// … and is not in so many of a hundred cases.
    pub session_overlooks_percent: u64,
    /// Mails over one session at most.
    pub session_mails: u32,
    /// A route whose connection fails is suspended so long, times the square of its penalty …
    pub suspended_ns: u64,
    /// … and so long at most.
    pub suspended_most_ns: u64,
}

/// What is remembered of a route: from one machine to one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Route {
    /// One more with each failure, one less when a suspension ends.
    pub penalty: u32,
    /// When it failed last.
    pub from: SimTime,
    /// Not used before.
    pub until: SimTime,
}

impl Route {
    /// Is it suspended at a moment?
    #[must_use]
    pub fn is_suspended(&self, at: SimTime) -> bool {
        self.from <= at && at < self.until
    }
}

/// A connection over a route failed.
#[must_use]
pub fn suspend(rules: &RelayRules, before: Option<Route>, at: SimTime) -> Route {
    let left = before.map_or(0, |route| if route.until <= at { route.penalty.saturating_sub(1) } else { route.penalty });
    let penalty = left + 1;
    let squared = u64::from(penalty).saturating_mul(u64::from(penalty));
    let wait = rules.suspended_ns.saturating_mul(squared).min(rules.suspended_most_ns);
    Route { penalty, from: at, until: at.after(wait) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{HOUR, SECOND};

    #[test]
    fn suspensions() {
        let rules = RelayRules {
            connect_gap_ns: 0,
            gives_up_after_ns: 0,
            session_stays_open_ns: 0,
            session_looks_every_ns: SECOND,
            session_overlooks_ns: 0,
            session_overlooks_percent: 0,
            session_mails: 1,
            suspended_ns: 15 * SECOND,
            suspended_most_ns: HOUR,
        };
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let known = |penalty, until| Some(Route { penalty, from: at(0), until: at(until) });
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
}
