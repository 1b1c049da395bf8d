//! When did the traffic of a sender move from one host to another, why, and when did it come back?
//!
//! An episode begins with the first miss of a sending system at a host: a connection that ended there without a lasting answer. It counts
//! as a failover once another host takes mail in its stead: a message that had missed before, or any message if that host had no part
//! in the traffic until then (round robin over two hosts is no failover) and it is the same machine that sends, or one of the same pool: what another
//! server sends says nothing about the one that missed. A message that missed the other host before as well has only waited, unless it misses again in the
//! attempt that gets through. The episode ends when the first host takes mail again.
//! The machines of a pool (a shared fleet of front ends) count as one host: mail leaves it when none of them takes it; its parts are told beside it. A
//! machine of a pool that others of the pool stand in for is an episode of its own. Not looked at: why a sender's memory passes a host over without trying it.

use super::outcome::{Connection, ConnectionResult, Outcome, Place};
use crate::base::{InOrder, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The traffic of one system leaves one host for others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failover {
    /// The sending system.
    pub by: Rc<str>,
    /// The host that it left.
    pub from: Place,
    /// Beginning of the first connection that came to nothing.
    pub missed_at: SimTime,
    /// Its end: when the sender knew.
    pub noticed_at: SimTime,
    /// How it ended there.
    pub result: ConnectionResult,
    /// The fault that struck the host then, or else the sentence of the sender.
    pub why: Why,
    /// Who took the mail instead, in the order of the first time.
    pub to: Vec<Taker>,
    /// When the host was well again: the end of the outage (`None` if that is not known or not before the end of the run).
    pub repaired_at: Option<SimTime>,
    /// When the host first took mail again.
    pub back_at: Option<SimTime>,
    /// Of a pool: the machines of it that missed, in the order of their misses.
    pub parts: Vec<Part>,
}

/// A machine of a pool that mail left.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The machine.
    pub host: Rc<str>,
    /// Beginning of the first connection that came to nothing.
    pub missed_at: SimTime,
    /// When it first took mail again.
    pub back_at: Option<SimTime>,
}

/// What is known of the cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// The name of a fault of the scenario.
    Fault(Rc<str>),
    /// What the sender said about the connection.
    Said(Rc<str>),
}

/// A host that took mail instead of another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taker {
    /// The host.
    pub place: Place,
    /// When it first did.
    pub taken_at: SimTime,
    /// How many messages until the other came back.
    pub messages: usize,
}

impl Failover {
    /// Nanoseconds from the first miss to the first message that `taker` took.
    #[must_use]
    pub fn within_ns(&self, taker: &Taker) -> u64 {
        taker.taken_at.since(self.missed_at)
    }

    /// Nanoseconds from the repair to the first message taken again; `None` if either did not happen.
    #[must_use]
    pub fn back_within_ns(&self) -> Option<u64> {
        Some(self.back_at?.since(self.repaired_at?))
    }
}

/// One connection of the traffic, as far as it matters here.
struct Touch<'a> {
    message: usize,
    sender: &'a Place,
    connection: &'a Connection,
    host: &'a Place,
    /// Misses earlier in the same queue of the same message.
    missed_before: BTreeSet<&'a Place>,
    /// Those of them in the same attempt.
    missed_now: BTreeSet<&'a Place>,
}

impl Touch<'_> {
    /// Does the host of this connection stand in for `missed`?
    fn stands_in_for(&self, missed: &Place) -> bool {
        self.missed_now.contains(missed) || self.missed_before.contains(missed) && !self.missed_before.contains(self.host)
    }
}

/// An episode under way.
struct Episode<'a> {
    first: &'a Connection,
    sender: &'a Place,
    takers: Vec<(&'a Place, SimTime, BTreeSet<usize>)>,
}

/// All failovers of a run, in the order of the first miss.
#[must_use]
pub fn failovers(outcome: &Outcome) -> Vec<Failover> {
    let pools = pools(outcome);
    let whole = |place| pools.get(place).unwrap_or(place);
    let mut found = episodes(outcome, whole);
    if !pools.is_empty() {
        let mut rest = Vec::new();
        for part in episodes(outcome, |place| place).into_iter() {
            let Some(pool) = pools.get(&part.from) else { continue };
            let is_of = |found: &&mut Failover| {
                found.by == part.by
                    && found.from == *pool
                    && part.missed_at >= found.missed_at
                    && found.back_at.is_none_or(|back| part.missed_at <= back)
            };
            match found.iter_mut().find(is_of) {
                Some(found) => {
                    found.parts.push(Part { host: part.from.host.clone(), missed_at: part.missed_at, back_at: part.back_at });
                }
                None => rest.push(part),
            }
        }
        found.append(&mut rest);
        found.iter_mut().for_each(|found| found.parts.in_order_by_key(|part| part.missed_at));
    }
    found.in_order_by(|a, b| (a.missed_at, &a.by, &a.from).cmp(&(b.missed_at, &b.by, &b.from)));
    found
}

/// The machines of pools (`name#3`), and the pool of each as one host. The shared service is called by its tenant where there is only one.
fn pools(outcome: &Outcome) -> BTreeMap<&Place, Place> {
    let mut systems: BTreeMap<&str, BTreeSet<&Rc<str>>> = BTreeMap::new();
    let mut machines: BTreeSet<(&Place, &str)> = BTreeSet::new();
    let hops = outcome.messages.iter().flat_map(|message| &message.recipients).flat_map(|recipient| &recipient.hops);
    for place in hops.flat_map(|hop| &hop.attempts).flat_map(|attempt| &attempt.connections).filter_map(|connection| connection.to.as_ref())
    {
        let Some((stem, _)) = place.host.rsplit_once('#') else { continue };
        systems.entry(stem).or_default().insert(&place.system);
        machines.insert((place, stem));
    }
    let of = |stem: &str| {
        let mut names = systems[stem].iter().filter(|name| &****name != stem);
        let system = match (names.next(), names.next()) {
            (Some(only), None) => (*only).clone(),
            (Some(_), Some(_)) | (None, _) => stem.into(),
        };
        Place { system, host: format!("{stem}#").into() }
    };
    machines.into_iter().map(|(place, stem)| (place, of(stem))).collect()
}

/// All episodes, with hosts seen as `whole` has them.
fn episodes<'a>(outcome: &'a Outcome, whole: impl Fn(&'a Place) -> &'a Place) -> Vec<Failover> {
    touches(outcome, whole).into_iter().flat_map(|((by, _), row)| of_sender(outcome, by, &row)).collect()
}

/// Did the host fail to give a lasting answer? A permanent refusal is an answer; leaving is the sender's own will.
#[must_use]
pub fn is_miss(result: ConnectionResult) -> bool {
    match result {
        ConnectionResult::Refused
        | ConnectionResult::ConnectTimeout
        | ConnectionResult::Unreachable
        | ConnectionResult::Tempfail
        | ConnectionResult::Dropped
        | ConnectionResult::Timeout
        | ConnectionResult::TlsFailed => true,
        ConnectionResult::Accepted | ConnectionResult::Permfail | ConnectionResult::Left | ConnectionResult::Unfinished => false,
    }
}

/// One queue: the sending system, and what the queue is for. Mail of another queue stands in for nobody here.
type Queue<'a> = (&'a Rc<str>, &'a Rc<str>);

/// The connections of each queue in the order of their beginning, each message counted once.
fn touches<'a>(outcome: &'a Outcome, whole: impl Fn(&'a Place) -> &'a Place) -> BTreeMap<Queue<'a>, Vec<Touch<'a>>> {
    let mut by_sender: BTreeMap<Queue<'_>, Vec<Touch<'_>>> = BTreeMap::new();
    for (index, message) in outcome.messages.iter().enumerate() {
        for hop in message.recipients.iter().flat_map(|recipient| &recipient.hops) {
            let mut missed_before = BTreeSet::new();
            for attempt in &hop.attempts {
                let mut missed_now = BTreeSet::new();
                for connection in &attempt.connections {
                    let Some(host) = connection.to.as_ref().map(&whole) else { continue };
                    let (before, now) = (missed_before.clone(), missed_now.clone());
                    let touch = Touch { message: index, sender: &hop.from, connection, host, missed_before: before, missed_now: now };
                    by_sender.entry((&hop.from.system, &hop.queue)).or_default().push(touch);
                    if is_miss(connection.result) {
                        missed_before.insert(host);
                        missed_now.insert(host);
                    }
                }
            }
        }
    }
    for row in by_sender.values_mut() {
        row.sort_by_key(|touch| (touch.connection.at, touch.connection.end, touch.message));
    }
    by_sender
}

fn of_sender(outcome: &Outcome, by: &Rc<str>, row: &[Touch<'_>]) -> Vec<Failover> {
    let mut open: BTreeMap<&Place, Episode<'_>> = BTreeMap::new();
    let mut in_use: BTreeSet<&Place> = BTreeSet::new();
    // The first connection that each host missed since it last took mail.
    let mut missing_since: BTreeMap<&Place, &Connection> = BTreeMap::new();
    let mut done = vec![];
    for touch in row {
        if is_miss(touch.connection.result) {
            let first = *missing_since.entry(touch.host).or_insert(touch.connection);
            // A host that is tried only because another one missed has no traffic of its own to lose.
            if !touch.missed_before.is_empty() && !open.contains_key(touch.host) {
                continue;
            }
            open.entry(touch.host).or_insert(Episode { first, sender: touch.sender, takers: vec![] });
        } else if touch.connection.result == ConnectionResult::Accepted {
            missing_since.remove(touch.host);
            let back = open.remove(touch.host).and_then(|episode| finish(outcome, by, touch.host, &episode, Some(touch.connection.end)));
            done.extend(back);
            for (missed, episode) in &mut open {
                let is_alike = touch.sender == episode.sender || touch.sender.host.contains('#');
                let missed_both = touch.missed_before.contains(*missed) && touch.missed_before.contains(touch.host);
                if touch.stands_in_for(missed) || is_alike && !in_use.contains(touch.host) && !missed_both {
                    take(episode, touch);
                }
            }
            if touch.missed_before.is_empty() && open.is_empty() {
                in_use.insert(touch.host);
            }
        }
    }
    done.extend(open.iter().filter_map(|(host, episode)| finish(outcome, by, host, episode, None)));
    done
}

fn take<'a>(episode: &mut Episode<'a>, touch: &Touch<'a>) {
    let end = touch.connection.end;
    match episode.takers.iter_mut().find(|(host, ..)| *host == touch.host) {
        Some((_, first, messages)) => {
            *first = end.min(*first);
            messages.insert(touch.message);
        }
        None => episode.takers.push((touch.host, end, BTreeSet::from([touch.message]))),
    }
}

/// An episode without a taker was an outage, not a failover.
fn finish(outcome: &Outcome, by: &Rc<str>, host: &Place, episode: &Episode<'_>, back_at: Option<SimTime>) -> Option<Failover> {
    if episode.takers.is_empty() {
        return None;
    }
    let first = episode.first;
    let machine = first.to.as_ref().unwrap_or(host);
    let takers = episode.takers.iter();
    Some(Failover {
        by: by.clone(),
        from: host.clone(),
        missed_at: first.at,
        noticed_at: first.end,
        result: first.result,
        why: cause(outcome, (episode.sender, machine), first),
        to: takers.map(|(place, at, messages)| Taker { place: (*place).clone(), taken_at: *at, messages: messages.len() }).collect(),
        repaired_at: repair(outcome, (episode.sender, machine), first, back_at),
        back_at,
        parts: vec![],
    })
}

fn cause(outcome: &Outcome, (sender, host): (&Place, &Place), miss: &Connection) -> Why {
    let struck = |fault: &&super::outcome::FaultFacts| fault.strikes(&sender.host, &host.host) && overlaps((fault.from, fault.until), miss);
    // What takes a machine away explains a miss better than what merely slows it down.
    let mut faults: Vec<_> = outcome.faults.iter().filter(struck).collect();
    faults.in_order_by_key(|fault| !matches!(fault.kind, "Down" | "Partition"));
    faults.first().map_or_else(|| Why::Said(miss.why.clone()), |fault| Why::Fault(fault.name.clone()))
}

/// The end of the last outage between the miss and the return: of the host being down, or else of a fault that strikes it or the line to it.
fn repair(outcome: &Outcome, (sender, host): (&Place, &Place), miss: &Connection, back_at: Option<SimTime>) -> Option<SimTime> {
    let limit = back_at.unwrap_or(outcome.ended_at);
    let down = outcome.hosts.iter().filter(|facts| facts.name == host.host).flat_map(|facts| facts.down.iter().copied());
    let faults = outcome.faults.iter().filter(|fault| fault.strikes(&sender.host, &host.host)).map(|fault| (fault.from, fault.until));
    let last = |windows: Vec<(SimTime, SimTime)>| {
        if !windows.iter().any(|window| overlaps(*window, miss)) {
            return None;
        }
        let ends = windows.into_iter().filter(|(from, until)| *from < limit && *until > miss.at && *until <= limit);
        ends.map(|(_, until)| until).max()
    };
    last(down.collect()).or_else(|| last(faults.collect()))
}

fn overlaps((from, until): (SimTime, SimTime), miss: &Connection) -> bool {
    from <= miss.end && until > miss.at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{self, delivered, site};
    use crate::base::{MILLISECOND, MINUTE, SECOND};

    fn minute(n: u64) -> SimTime {
        SimTime(n * MINUTE)
    }

    #[test]
    fn there_and_back() {
        let found = failovers(&fixture::two_sites());
        let missed_at = minute(11).after(200 * MILLISECOND);
        let expected = Failover {
            by: "eop".into(),
            from: site('a'),
            missed_at,
            noticed_at: missed_at.after(30 * SECOND),
            result: ConnectionResult::ConnectTimeout,
            why: Why::Fault("site A dark".into()),
            to: vec![Taker { place: site('b'), taken_at: missed_at.after(30 * SECOND + 340 * MILLISECOND), messages: 2 }],
            repaired_at: Some(minute(40)),
            back_at: Some(minute(41).after(500 * MILLISECOND)),
            parts: vec![],
        };
        assert_eq!(found, std::slice::from_ref(&expected));
        assert_eq!(expected.within_ns(&expected.to[0]), 30 * SECOND + 340 * MILLISECOND);
        assert_eq!(expected.back_within_ns(), Some(MINUTE + 500 * MILLISECOND));
    }

    #[test]
    fn what_counts() {
        // One letter per message, a minute apart: `a` and `b` taken there at once, `x` a miss at site A, then taken by B.
        let cases = [
            ("aabb", vec![]),
            ("abab", vec![]),
            ("axxa", vec![(2, true)]),
            ("axax", vec![(1, true), (1, false)]),
            ("xx", vec![(2, false)]),
            ("abxbxa", vec![(2, true)]),
            ("axbba", vec![(3, true)]),
        ];
        for (traffic, expected) in cases {
            let mut outcome = fixture::two_sites();
            outcome.messages = traffic
                .chars()
                .enumerate()
                .map(|(n, how)| {
                    let mut message = delivered(n as u32, minute(n as u64), how == 'x');
                    if how == 'b' {
                        message.recipients[0].hops[1].attempts[0].connections[0].to = Some(site('b'));
                    }
                    message
                })
                .collect();
            let found: Vec<(usize, bool)> = failovers(&outcome).iter().map(|row| (row.to[0].messages, row.back_at.is_some())).collect();
            assert_eq!(found, expected, "{traffic}");
        }
    }

    #[test]
    fn a_pool_is_one_host() {
        // Site A is a pool of machines: each message misses at another one of them.
        let mut outcome = fixture::two_sites();
        let mut next = 0;
        let connections = outcome.messages.iter_mut().flat_map(|message| &mut message.recipients).flat_map(|recipient| &mut recipient.hops);
        for connection in connections.flat_map(|hop| &mut hop.attempts).flat_map(|attempt| &mut attempt.connections) {
            if connection.to == Some(site('a')) {
                next += 1;
                connection.to = Some(Place { system: site('a').system, host: format!("pool#{next}").into() });
            }
        }
        let found = failovers(&outcome);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&*found[0].from.host, found[0].to.len(), found[0].back_at.is_some()), ("pool#", 1, true));
        assert!(!found[0].parts.is_empty() && found[0].parts.iter().all(|part| part.host.starts_with("pool#")), "{found:?}");
    }

    #[test]
    fn another_server_of_the_sender_stands_in_for_nobody() {
        // The first server misses at A; what the second one, or the first one, sends later is taken by B.
        for (second, expected) in [(true, 0), (false, 1)] {
            let mut outcome = fixture::two_sites();
            outcome.messages = (0..3).map(|n| delivered(n, minute(u64::from(n)), n == 0)).collect();
            for (n, message) in outcome.messages.iter_mut().enumerate() {
                let hop = &mut message.recipients[0].hops[1];
                hop.attempts[0].connections.truncate(1);
                if n == 0 {
                    continue;
                }
                hop.attempts[0].connections[0].to = Some(site('b'));
                if second {
                    hop.from.host = "second".into();
                }
            }
            assert_eq!(failovers(&outcome).len(), expected, "{second}");
        }
    }

    /// Both hosts are dead, a message misses both, and B takes it when both are well again: it has waited, and moved nowhere. Where A alone is still
    /// dead, it moves.
    #[test]
    fn who_missed_both_has_only_waited() {
        for (a_is_dead_still, expected) in [(false, 0), (true, 1)] {
            let mut outcome = fixture::two_sites();
            let mut message = delivered(0, minute(10), true);
            let attempts = &mut message.recipients[0].hops[1].attempts;
            let mut missed = attempts[0].clone();
            let (a, b) = (missed.connections[0].clone(), missed.connections[1].clone());
            missed.connections = vec![a.clone(), Connection { result: a.result, ..b }];
            if !a_is_dead_still {
                attempts[0].connections.remove(0);
            }
            attempts.insert(0, missed);
            outcome.messages = vec![message];
            assert_eq!(failovers(&outcome).len(), expected, "{a_is_dead_still}");
        }
    }

    /// A host that was tried only because another one missed comes first later: the first miss is the first one all the same.
    #[test]
    fn the_first_miss_is_the_first_one() {
        let mut outcome = fixture::two_sites();
        let (mut first, mut second) = (delivered(0, minute(10), true), delivered(1, minute(20), true));
        let connections = &mut first.recipients[0].hops[1].attempts[0].connections;
        let missed_b = Connection { to: Some(site('b')), ..connections[0].clone() };
        connections[0].to = Some(site('c'));
        (connections[1].result, connections[1].to) = (missed_b.result, missed_b.to);
        let connections = &mut second.recipients[0].hops[1].attempts[0].connections;
        (connections[0].to, connections[1].to) = (Some(site('b')), Some(site('d')));
        let at = outcome_connection(&first, 1).at;
        outcome.messages = vec![first, second];
        let found = failovers(&outcome);
        let row = found.iter().find(|row| row.from == site('b')).expect("B is left");
        assert_eq!((row.missed_at, &row.to[0].place), (at, &site('d')));
    }

    fn outcome_connection(message: &super::super::outcome::Message, place: usize) -> &Connection {
        &message.recipients[0].hops[1].attempts[0].connections[place]
    }

    #[test]
    fn an_outage_without_a_taker_is_none() {
        let mut outcome = fixture::two_sites();
        outcome.messages.retain(|message| &*message.id == "inbound#6");
        assert_eq!(failovers(&outcome), []);
    }
}
