//! Who was up, who took how much mail, and how much waited, over the time of a run: the figures behind the failover chart.
//!
//! Bounded, whatever the run: at most 24 rows of machines, 8 series, and as many points as the caller asks for.

use super::delays::arrived;
use super::outcome::{FaultFacts, HostFacts, Kind, Outcome};
use super::paths::label;
use crate::base::{DAY, HOUR, InOrder, MILLISECOND, MINUTE, SECOND, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The most rows of machines.
pub const ROWS_MAX: usize = 24;
/// The most series of one panel, "others" among them.
pub const SERIES_MAX: usize = 8;

/// A span of time with its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Span {
    /// From.
    pub from: SimTime,
    /// Until.
    pub until: SimTime,
    /// The fault that explains it, or nothing.
    pub name: Rc<str>,
}

/// One machine, or a pool of equal ones.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// When nobody could reach it (of a pool: any of it).
    pub down: Vec<Span>,
    /// Faults of other kinds that struck it.
    pub struck: Vec<Span>,
}

/// The machines that took part, in the order of names; names that faults of DNS strike stand last, in one row.
#[must_use]
pub fn host_rows(outcome: &Outcome) -> Vec<Row> {
    let active = took_part(outcome);
    let mut machines: BTreeMap<String, Vec<&HostFacts>> = BTreeMap::new();
    for host in &outcome.hosts {
        let name = label(&super::outcome::Place { system: host.system.clone(), host: host.name.clone() }).to_owned();
        let struck = !host.down.is_empty() || outcome.faults.iter().any(|fault| fault.hosts.contains(&host.name));
        if active.contains(&*name) && (struck || name != "internet") {
            machines.entry(name).or_default().push(host);
        }
    }
    let mut rows: Vec<Row> = machines.into_iter().map(|(name, hosts)| row(outcome, name, &hosts)).collect();
    let elsewhere: Vec<Span> = outcome.faults.iter().filter(|fault| fault.hosts.is_empty()).map(span).collect();
    // The eventful ones stay where there are too many.
    while rows.len() >= ROWS_MAX {
        let calm = rows.iter().rposition(|row| row.down.is_empty() && row.struck.is_empty());
        rows.remove(calm.unwrap_or(rows.len() - 1));
    }
    if !elsewhere.is_empty() {
        rows.push(Row { name: "DNS and others".to_owned(), down: vec![], struck: elsewhere });
    }
    rows
}

fn took_part(outcome: &Outcome) -> BTreeSet<&str> {
    let mut active = BTreeSet::new();
    for message in &outcome.messages {
        active.insert(label(&message.entered_at));
        for hop in message.recipients.iter().flat_map(|recipient| &recipient.hops) {
            active.extend([Some(&hop.from), hop.to.as_ref()].into_iter().flatten().map(label));
            let connections = hop.attempts.iter().flat_map(|attempt| &attempt.connections);
            active.extend(connections.filter_map(|connection| connection.to.as_ref()).map(label));
        }
    }
    active
}

fn span(fault: &FaultFacts) -> Span {
    Span { from: fault.from, until: fault.until, name: fault.name.clone() }
}

fn row(outcome: &Outcome, name: String, hosts: &[&HostFacts]) -> Row {
    let strikes = |fault: &&FaultFacts| hosts.iter().any(|host| fault.hosts.contains(&host.name));
    let (takes_down, others): (Vec<&FaultFacts>, Vec<&FaultFacts>) =
        outcome.faults.iter().filter(strikes).partition(|fault| fault.kind == "Down");
    let mut down: Vec<Span> = vec![];
    for (from, until) in hosts.iter().flat_map(|host| host.down.iter().copied()) {
        let fault = takes_down.iter().find(|fault| fault.from < until && fault.until > from);
        let window = Span { from, until, name: fault.map_or("".into(), |fault| fault.name.clone()) };
        if !down.contains(&window) {
            down.push(window);
        }
    }
    down.in_order_by_key(|window| (window.from, window.until));
    Row { name, down, struck: others.into_iter().map(span).collect() }
}

/// How many recipients got their mail, by the last machine and by equal slices of time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Arrivals {
    /// The length of a slice.
    pub slice_ns: u64,
    /// Name and counts; in the order of names, what is beyond the eighth as "others".
    pub routes: Vec<(String, Vec<u64>)>,
}

/// Ordinary mail that arrived, in at most `slices_max` slices of a length that people count in.
#[must_use]
pub fn arrivals(outcome: &Outcome, slices_max: u64) -> Arrivals {
    let slice_ns = slice_ns(outcome.ended_at.0, slices_max);
    let slices = (outcome.ended_at.0 / slice_ns + 1) as usize;
    let mut by_host: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for message in outcome.messages.iter().filter(|message| message.kind == Kind::Mail) {
        for recipient in message.recipients.iter().filter(|recipient| arrived(recipient)) {
            let host = recipient.final_place.as_ref().map_or("unknown", label);
            let counts = by_host.entry(host).or_insert_with(|| vec![0; slices]);
            counts[((recipient.at.0 / slice_ns) as usize).min(slices - 1)] += 1;
        }
    }
    let mut busiest: Vec<(u64, &str)> = by_host.iter().map(|(host, counts)| (counts.iter().sum(), *host)).collect();
    busiest.in_order_by_key(|(count, host)| (std::cmp::Reverse(*count), *host));
    let kept = if busiest.len() > SERIES_MAX { SERIES_MAX - 1 } else { busiest.len() };
    let others: BTreeSet<&str> = busiest[kept..].iter().map(|(_, host)| *host).collect();
    let mut routes: Vec<(String, Vec<u64>)> = vec![];
    let mut rest = vec![0; slices];
    for (host, counts) in by_host {
        if others.contains(host) {
            rest.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        } else {
            routes.push((host.to_owned(), counts));
        }
    }
    if !others.is_empty() {
        routes.push(("others".to_owned(), rest));
    }
    Arrivals { slice_ns, routes }
}

/// The shortest length that needs no more than so many slices for the whole time.
fn slice_ns(whole_ns: u64, slices_max: u64) -> u64 {
    let usual = [
        [1, 10, 100].map(|n| n * MILLISECOND).as_slice(),
        &[1, 2, 5, 10, 15, 30].map(|n| n * SECOND),
        &[1, 2, 5, 10, 15, 30].map(|n| n * MINUTE),
        &[1, 2, 3, 6, 12].map(|n| n * HOUR),
    ]
    .concat();
    let fits = |slice: &u64| whole_ns / slice < slices_max;
    usual.into_iter().find(fits).unwrap_or_else(|| (whole_ns / slices_max / DAY + 1) * DAY)
}

/// One line of the queue panel: the system, and its number from each moment on.
pub type Waiting = (Rc<str>, Vec<(SimTime, u32)>);

/// How many messages waited in each system: the fullest ones, each with at most `points_max` changes (the highest of neighbours stays).
#[must_use]
pub fn waiting(outcome: &Outcome, points_max: usize) -> Vec<Waiting> {
    let mut changes: BTreeMap<&Rc<str>, Vec<(SimTime, i64)>> = BTreeMap::new();
    for host in &outcome.hosts {
        let mut before = 0;
        for (at, count) in &host.queued {
            changes.entry(&host.system).or_default().push((*at, i64::from(*count) - before));
            before = i64::from(*count);
        }
    }
    let mut systems: Vec<Waiting> = changes.into_iter().map(|(system, steps)| (system.clone(), thin(sum_up(steps), points_max))).collect();
    let peak = |row: &Waiting| row.1.iter().map(|(_, count)| *count).max().unwrap_or(0);
    systems.retain(|row| peak(row) > 0);
    systems.in_order_by_key(|row| std::cmp::Reverse(peak(row)));
    systems.truncate(SERIES_MAX);
    systems.in_order_by(|a, b| a.0.cmp(&b.0));
    systems
}

/// Differences to numbers, one per moment.
fn sum_up(mut steps: Vec<(SimTime, i64)>) -> Vec<(SimTime, u32)> {
    steps.sort_by_key(|(at, _)| *at);
    let mut now = 0;
    let mut numbers: Vec<(SimTime, u32)> = vec![];
    for (at, step) in steps {
        now += step;
        let number = u32::try_from(now).unwrap_or(0);
        match numbers.last_mut() {
            Some(last) if last.0 == at => last.1 = number,
            Some(_) | None => numbers.push((at, number)),
        }
    }
    numbers
}

/// Of each group of neighbours the highest, and the last number where it was.
fn thin(numbers: Vec<(SimTime, u32)>, points_max: usize) -> Vec<(SimTime, u32)> {
    if numbers.len() <= points_max {
        return numbers;
    }
    let groups = numbers.chunks(numbers.len().div_ceil((points_max / 2).max(1)));
    let keep = |group: &[(SimTime, u32)]| {
        let highest = group.iter().enumerate().max_by_key(|(at, (_, number))| (*number, std::cmp::Reverse(*at)));
        let first = highest.map_or(group[0], |(_, point)| *point);
        let last = group[group.len() - 1];
        if first == last { vec![last] } else { vec![first, last] }
    };
    groups.flat_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    #[test]
    fn rows_of_machines() {
        let mut outcome = fixture::two_sites();
        let flaw = FaultFacts {
            name: "slow".into(),
            kind: "Reply",
            hosts: vec!["site-b".into()],
            lines: None,
            from: SimTime::ZERO,
            until: SimTime::NEVER,
        };
        let dns = FaultFacts { name: "no DNS".into(), kind: "Dns", hosts: vec![], ..flaw.clone() };
        outcome.faults.extend([flaw, dns]);
        let rows: Vec<String> = host_rows(&outcome)
            .iter()
            .map(|row| {
                let names = |spans: &[Span]| spans.iter().map(|span| &*span.name).collect::<Vec<&str>>().join(",");
                format!("{}: {} / {}", row.name, names(&row.down), names(&row.struck))
            })
            .collect();
        assert_eq!(rows, ["eop:  / ", "site-a: site A dark / ", "site-b:  / slow", "DNS and others:  / no DNS"]);
    }

    #[test]
    fn slices_that_people_count_in() {
        let cases = [(0, MILLISECOND), (2 * HOUR, MINUTE), (30 * DAY, 6 * HOUR), (900 * DAY, 8 * DAY), (10 * SECOND, 100 * MILLISECOND)];
        for (whole, expected) in cases {
            let slice = slice_ns(whole, 125);
            assert_eq!(slice, expected, "{whole}");
            assert!(whole / slice < 125);
        }
    }

    #[test]
    fn arrivals_by_host() {
        let outcome = fixture::two_sites();
        let found = arrivals(&outcome, 9);
        let expected = vec![("site-a".to_owned(), vec![1, 0, 1, 0, 0, 0, 0, 0, 0]), ("site-b".to_owned(), vec![1, 1, 0, 0, 0, 0, 0, 0, 0])];
        assert_eq!((found.slice_ns, found.routes), (15 * MINUTE, expected));

        let mut outcome = outcome;
        outcome.messages = (0..20).map(|n| fixture::delivered(n, SimTime::ZERO, false)).collect();
        for (n, message) in outcome.messages.iter_mut().enumerate() {
            message.recipients[0].final_place = Some(fixture::place("many", &format!("host-{n:02}")));
        }
        let routes = arrivals(&outcome, 9).routes;
        assert_eq!(routes.len(), SERIES_MAX);
        assert_eq!((&*routes[7].0, routes[7].1[0]), ("others", 13));
    }

    #[test]
    fn queues_of_a_system() {
        let mut outcome = fixture::two_sites();
        let second = |n: u64| SimTime(n * SECOND);
        outcome.hosts[2].queued = vec![(second(1), 2), (second(3), 0)];
        outcome.hosts[3].queued = vec![(second(2), 5), (second(3), 4)];
        let found = waiting(&outcome, 100);
        assert_eq!(&*found[1].0, "exchange");
        assert_eq!(found[1].1, [(second(1), 2), (second(2), 7), (second(3), 4)]);

        outcome.hosts[2].queued = (0..5000).map(|n| (second(n), if n == 2222 { 99 } else { n as u32 % 7 })).collect();
        let found = waiting(&outcome, 1000);
        assert!(found[1].1.len() <= 1000 && found[1].1.contains(&(second(2222), 103)), "{:?}", found[1].1.len());
    }
}
