//! When would a tenant's administrators have been told that messages are delayed?
//!
//! Exchange Online has an alert policy, "Messages have been delayed": more messages than its threshold wait to leave by connectors. Its default is 200 in a
//! text of 2021 and 2000 in one of 2022 (switch `queue_alert_threshold` of `exchange_online`); the report beside it counts what waits for more than an hour,
//! and so does this. Whom it tells, and how often in a day, is not modelled.

use super::outcome::Message;
use crate::base::{HOUR, InOrder, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Too many messages wait to leave a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueueAlert {
    /// The tenant.
    pub system: Rc<str>,
    /// More than these.
    pub threshold: u32,
    /// From this moment on.
    pub from: SimTime,
    /// Until it was that many again; `NEVER` if it still is at the end.
    pub until: SimTime,
    /// The most that waited at once.
    pub most: u32,
}

/// The alerts of a run, by tenant and time.
pub(super) fn queue_alerts(messages: &[Message], tenants: &BTreeSet<Rc<str>>, threshold: u32, ended_at: SimTime) -> Vec<QueueAlert> {
    let mut stays: BTreeMap<Rc<str>, BTreeSet<(SimTime, SimTime, usize)>> = BTreeMap::new();
    for (at, message) in messages.iter().enumerate() {
        for hop in message.recipients.iter().flat_map(|recipient| &recipient.hops) {
            let over_an_hour = hop.queued_at.after(HOUR);
            // What goes by the recipient's MX is no connector's.
            if hop.left_at > over_an_hour && hop.rule.starts_with("OUT-") && hop.rule != "OUT-7" && tenants.contains(&hop.from.system) {
                let until = if hop.to.is_none() && hop.left_at >= ended_at { SimTime::NEVER } else { hop.left_at };
                stays.entry(hop.from.system.clone()).or_default().insert((over_an_hour, until, at));
            }
        }
    }
    let alerts = |(system, stays): (&Rc<str>, &BTreeSet<(SimTime, SimTime, usize)>)| {
        let stays: Vec<(SimTime, SimTime)> = stays.iter().map(|(from, until, _)| (*from, *until)).collect();
        too_many(&stays, threshold)
            .into_iter()
            .map(|(from, until, most)| QueueAlert { system: system.clone(), threshold, from, until, most })
            .collect::<Vec<_>>()
    };
    stays.iter().flat_map(alerts).collect()
}

/// When more than `threshold` stay at once: from, until, and the most of them.
fn too_many(stays: &[(SimTime, SimTime)], threshold: u32) -> Vec<(SimTime, SimTime, u32)> {
    let mut changes: Vec<(SimTime, bool)> = stays.iter().flat_map(|(from, until)| [(*from, true), (*until, false)]).collect();
    // Who leaves at a moment is gone when the next one has been there for an hour.
    changes.in_order();
    let (mut now, mut found): (u32, Vec<(SimTime, SimTime, u32)>) = (0, Vec::new());
    for (at, comes) in changes {
        let before = now;
        now = if comes { now + 1 } else { now - 1 };
        if now > threshold && before <= threshold {
            found.push((at, SimTime::NEVER, now));
        } else if now > threshold {
            found.iter_mut().next_back().into_iter().for_each(|alert| alert.2 = alert.2.max(now));
        } else if before > threshold {
            found.iter_mut().next_back().into_iter().for_each(|alert| alert.1 = at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_threshold() {
        let stay = |from, until| (SimTime(from), SimTime(until));
        let cases = [
            (vec![stay(1, 9), stay(2, 8)], vec![]),
            (vec![stay(1, 9), stay(2, 8), stay(3, 7)], vec![(SimTime(3), SimTime(7), 3)]),
            (vec![stay(1, 9), stay(2, 8), stay(3, 7), stay(4, 5)], vec![(SimTime(3), SimTime(7), 4)]),
            (vec![stay(1, 9), stay(2, 8), stay(8, 9)], vec![]),
            (
                vec![stay(1, 4), stay(1, 9), stay(2, 3), stay(5, 9), stay(6, 9)],
                vec![(SimTime(2), SimTime(3), 3), (SimTime(6), SimTime(9), 3)],
            ),
        ];
        for (stays, expected) in cases {
            assert_eq!(too_many(&stays, 2), expected, "{stays:?}");
        }
    }
}
