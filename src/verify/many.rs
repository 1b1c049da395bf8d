//! How was it on the whole? The expectations about shares, delays, queues and failovers.
//!
//! Shares count the recipients in view. Queues are those of the run, whoever's mail they hold. `Failover` looks at every time that the traffic in
//! view left `from` for `to`; under `Not`, none may be as expected. `NothingLost`: delivered, still under way (a frozen message is kept,
//! so it counts), or returned by a report that arrived or is under way itself; what a device could not hand over is lost.

use super::desk::{Desk, Number, is, was_met};
use super::fate::is_loop;
use super::got::{self, connections};
use super::judge::{Check, Told};
use super::names::Who;
use super::queues::Lengths;
use super::view::{Scene, Seen, View};
use crate::analysis::delays::{arrived, delay_ns, percentile};
use crate::analysis::failover::{Failover, failovers};
use crate::analysis::outcome::{Outcome, Recipient};
use crate::analysis::paths::{label, places};
use crate::base::{Fate, SimTime, count, exact_duration, share as in_percent};
use crate::diag::{Diagnostic, code};
use crate::scenario::schema;
use crate::scenario::source::Field;
use crate::scenario::values::Share;
use crate::trace::OPEN_ALREADY;
use std::collections::BTreeSet;

/// Queues of a shared machine are nobody's in particular.
const NO_QUEUE: &str = "it has no machine of its own in this run";

fn many(tell: impl Fn(&Scene<'_>, &View) -> Told + 'static) -> Check {
    Check::Many(Box::new(tell))
}

fn told(holds: bool, got: String) -> Told {
    Told { holds, got, shown_by: None }
}

fn seen<'s>(scene: &'s Scene<'_>, view: &'s View) -> impl Iterator<Item = Seen<'s>> {
    view.items.iter().map(|item| scene.seen(view, *item))
}

/// What a share is compared with, in millionths.
struct Part {
    is: Option<Share>,
    tolerance: Share,
    at_least: Option<Share>,
    at_most: Option<Share>,
}

impl Part {
    fn has(&self, part: u64, whole: u64) -> bool {
        let (part, whole) = (u128::from(part) * 1_000_000, u128::from(whole));
        let of = |share: Share| u128::from(share.0) * whole;
        self.is.is_none_or(|is| part.abs_diff(of(is)) <= of(self.tolerance))
            && self.at_least.is_none_or(|least| part >= of(least))
            && self.at_most.is_none_or(|most| part <= of(most))
    }
}

pub(super) fn share(it: &schema::Share, desk: &mut Desk<'_>) -> Check {
    let part = Part {
        is: desk.share(&it.is),
        tolerance: desk.share(&it.tolerance).unwrap_or(Share(0)),
        at_least: desk.share(&it.at_least),
        at_most: desk.share(&it.at_most),
    };
    if !(it.is.is_written() || it.at_least.is_written() || it.at_most.is_written()) {
        desk.missing(it.place, "`Share` needs a share", "write `is`, `at_least` or `at_most`, as in is: \"50%\"");
    }
    let (to, via, fates) = (desk.who(&it.to), desk.who(&it.via), fates(&it.fate, desk));
    many(move |scene, view| {
        let wanted = |seen: &Seen<'_>| {
            to.as_ref().is_none_or(|to| arrived(seen.recipient) && is(Some(to), seen.recipient.final_place.as_ref()))
                && via.as_ref().is_none_or(|via| places(seen.message, seen.recipient).into_iter().any(|place| via.is(place)))
                && fates.as_ref().is_none_or(|fates| {
                    fates.contains(&seen.recipient.fate)
                        || fates[0] == Fate::Looped && is_loop(seen.recipient, &places(seen.message, seen.recipient))
                })
        };
        let (some, all) = (seen(scene, view).filter(wanted).count() as u64, view.items.len() as u64);
        told(part.has(some, all), format!("{} ({some} of {})", in_percent(some, all), count(all, "recipient")))
    })
}

/// The fates that a word of `Share` stands for.
fn fates(field: &Field<crate::scenario::Text>, desk: &mut Desk<'_>) -> Option<Vec<Fate>> {
    let text = field.get()?;
    let fates = match text.as_str() {
        "delivered" => vec![Fate::Delivered, Fate::LeftModel],
        "bounced" => vec![Fate::Bounced, Fate::Looped],
        word => Fate::ALL.into_iter().filter(|fate| fate.as_str() == word).collect(),
    };
    if fates.is_empty() {
        let words = Fate::ALL.map(Fate::as_str);
        let problem = Diagnostic::error(code::VALUE, text.span(), format!("`{text}` is not a fate")).suggest(text, words);
        desk.problems.push(problem.help(format!("the fates are {}", words.join(", "))));
    }
    Some(fates)
}

pub(super) fn touched(it: &schema::Touched, desk: &mut Desk<'_>) -> Check {
    let part = Part { is: desk.share(&it.share), tolerance: desk.share(&it.tolerance).unwrap_or(Share(0)), at_least: None, at_most: None };
    if !it.share.is_written() || !it.first.is_written() {
        desk.missing(
            it.place,
            "`Touched` needs `first` and a `share`",
            "as in Touched(by: \"sender\", first: \"mx1\", share: \"50%\", tolerance: \"5%\")",
        );
    }
    let (by, first) = (desk.who(&it.by), desk.target(&it.first));
    many(move |scene, view| {
        let hops = seen(scene, view).flat_map(|seen| seen.recipient.hops.iter()).filter(|hop| is(by.as_ref(), Some(&hop.from)));
        let firsts: Vec<_> = hops.filter_map(|hop| hop.attempts.iter().flat_map(|attempt| &attempt.connections).next()).collect();
        let (some, all) = (firsts.iter().filter(|connection| was_met(first.as_ref(), connection)).count() as u64, firsts.len() as u64);
        told(all > 0 && part.has(some, all), format!("{} ({some} of {})", in_percent(some, all), count(all, "first connection")))
    })
}

pub(super) fn connections_to(it: &schema::Connections, desk: &mut Desk<'_>) -> Check {
    let wanted = Number::of(&it.is, &it.at_least, &it.at_most);
    if !wanted.is_written() {
        desk.missing(it.place, "`Connections` needs a number", "write `is`, `at_least` or `at_most`");
    }
    super::route::possible(wanted, it.place, "`Connections`", desk);
    let to = desk.target(&it.to);
    many(move |scene, view| {
        // Recipients of one message share a connection.
        let mut distinct = BTreeSet::new();
        for seen in seen(scene, view) {
            // What followed over a connection that was open is no connection of its own.
            let new = connections(seen.recipient).filter(|(.., connection)| *connection.why != *OPEN_ALREADY);
            let met = new.filter(|(.., connection)| was_met(to.as_ref(), connection));
            distinct.extend(met.map(|(.., connection)| connection.number));
        }
        let number = distinct.len() as u64;
        told(wanted.has(number), count(number, "connection"))
    })
}

pub(super) fn delay(it: &schema::Delay, desk: &mut Desk<'_>) -> Check {
    let rank = it.percentile.or(100);
    if rank > 100 {
        desk.error(code::RANGE, it.percentile.span(), &format!("{rank} is out of bounds"), "a percentile is from 0 to 100");
    }
    if !it.at_most.is_written() {
        desk.missing(it.place, "`Delay` needs `at_most`", "as in Delay(percentile: 95, at_most: \"1m\")");
    }
    let at_most = desk.duration(&it.at_most).unwrap_or(0);
    many(move |scene, view| {
        let mut rows: Vec<(u64, (usize, usize))> = seen(scene, view)
            .filter(|seen| arrived(seen.recipient))
            .map(|seen| (delay_ns(seen.message, seen.recipient), seen.at))
            .collect();
        rows.sort_unstable();
        let delays: Vec<u64> = rows.iter().map(|row| row.0).collect();
        match percentile(&delays, rank as u32 * 10) {
            None => told(false, "nothing arrived".to_owned()),
            Some(found) => {
                let shown_by = rows.iter().find(|row| row.0 == found).map(|row| row.1);
                let name = if rank == 100 { "the longest delay".to_owned() } else { format!("p{rank}") };
                Told { holds: found <= at_most, got: format!("{name} is {}", exact_duration(found)), shown_by }
            }
        }
    })
}

pub(super) fn queue(it: &schema::Queue, desk: &mut Desk<'_>) -> Check {
    let system = desk.who(&it.system);
    if !it.at_most.is_written() {
        desk.missing(it.place, "`Queue` needs `at_most`", "as in Queue(system: \"eop\", at_most: 500)");
    }
    let at_most = it.at_most.or(0);
    many(move |scene, _| {
        let Some(lengths) = Lengths::of(scene.outcome, system.as_ref()) else { return told(false, NO_QUEUE.to_owned()) };
        let (at, most) = lengths.longest();
        told(u64::from(most) <= at_most, format!("{} queued at {}", count(u64::from(most), "message"), scene.clock.moment(at)))
    })
}

pub(super) fn drained(it: &schema::Drained, desk: &mut Desk<'_>) -> Check {
    let (system, fault, within) = (desk.who(&it.system), desk.fault(&it.fault), desk.duration(&it.within));
    if !it.fault.is_written() {
        desk.missing(it.place, "`Drained` needs a `fault`", "the name of the fault after whose end the queue must be empty");
    }
    many(move |scene, _| {
        let named = scene.outcome.faults.iter().filter(|facts| Some(&*facts.name) == fault.as_deref());
        let end = named.map(|facts| facts.until).max().filter(|end| *end <= scene.outcome.ended_at);
        let Some(end) = end else { return told(false, "the fault did not end in this run".to_owned()) };
        let Some(lengths) = Lengths::of(scene.outcome, system.as_ref()) else { return told(false, NO_QUEUE.to_owned()) };
        match lengths.first_empty(end) {
            Ok(empty) => {
                let took = empty.since(end);
                told(
                    within.is_none_or(|most| took <= most),
                    format!("empty {} after the fault ended at {}", exact_duration(took), scene.clock.moment(end)),
                )
            }
            Err(left) => told(false, format!("{} still queued at the end of the run", count(u64::from(left), "message"))),
        }
    })
}

pub(super) fn failover(it: &schema::Failover, desk: &mut Desk<'_>) -> Check {
    let (from, to) = (desk.who(&it.from), desk.who(&it.to));
    let (within, back_within) = (desk.duration(&it.within), desk.duration(&it.back_within));
    let anywhere = desk.negated;
    many(move |scene, view| {
        let found = if view.is_whole { failovers(scene.outcome) } else { failovers(&only(scene.outcome, view)) };
        let moved: Vec<&Failover> =
            found.iter().filter(|it| is(from.as_ref(), Some(&it.from)) && taken(it, to.as_ref()).is_some()).collect();
        let good = |it: &&&Failover| {
            let first = taken(it, to.as_ref()).map(|at| at.since(it.missed_at));
            within.is_none_or(|most| first.is_some_and(|first| first <= most))
                && back_within.is_none_or(|most| it.back_within_ns().is_some_and(|back| back <= most))
        };
        let bad = moved.iter().find(|it| !good(it));
        let holds = if anywhere { moved.iter().any(|it| good(&it)) } else { !moved.is_empty() && bad.is_none() };
        let shown = bad.or(moved.first()).map(|it| one_failover(it, to.as_ref(), scene));
        told(holds, shown.unwrap_or_else(|| got::list(found.iter().map(|it| one_failover(it, None, scene)), "no failover")))
    })
}

/// When one of those that are meant first took mail.
fn taken(failover: &Failover, to: Option<&Who>) -> Option<SimTime> {
    failover.to.iter().filter(|taker| is(to, Some(&taker.place))).map(|taker| taker.taken_at).min()
}

/// `site-a missed at 11m, taken by site-b 30.3s later; repaired at 40m, back 1m later`
fn one_failover(failover: &Failover, to: Option<&Who>, scene: &Scene<'_>) -> String {
    let takers = failover.to.iter().filter(|taker| is(to, Some(&taker.place)));
    let takers = takers.map(|taker| format!("taken by {} {} later", label(&taker.place), exact_duration(failover.within_ns(taker))));
    let back = match (failover.repaired_at, failover.back_within_ns()) {
        (Some(repair), Some(back)) => format!("repaired at {}, back {} later", scene.clock.moment(repair), exact_duration(back)),
        (Some(repair), None) => format!("repaired at {}, never back", scene.clock.moment(repair)),
        (None, _) => "not repaired in this run".to_owned(),
    };
    let missed = scene.clock.moment(failover.missed_at);
    format!("{} missed at {missed}, {}; {back}", label(&failover.from), got::list(takers, "taken by nobody"))
}

/// The run as if there were no other messages.
fn only(outcome: &Outcome, view: &View) -> Outcome {
    let mut narrow = Outcome { messages: vec![], ..clone_without_messages(outcome) };
    for items in view.items.chunk_by(|a, b| a.0 == b.0) {
        let message = &outcome.messages[items[0].0 as usize];
        let recipients: Vec<Recipient> = items.iter().map(|item| message.recipients[item.1 as usize].clone()).collect();
        narrow.messages.push(crate::analysis::outcome::Message { recipients, ..message.clone() });
    }
    narrow
}

fn clone_without_messages(outcome: &Outcome) -> Outcome {
    Outcome {
        scenario: outcome.scenario.clone(),
        what_if: outcome.what_if.clone(),
        seed: outcome.seed,
        until: outcome.until,
        stopped: outcome.stopped.clone(),
        ended_at: outcome.ended_at,
        events: outcome.events,
        messages: vec![],
        hosts: outcome.hosts.clone(),
        faults: outcome.faults.clone(),
        queue_alerts: outcome.queue_alerts.clone(),
    }
}

pub(super) fn nothing_lost() -> Check {
    many(|scene, view| {
        let lost: Vec<Seen<'_>> = seen(scene, view).filter(is_lost).collect();
        match lost.first() {
            None => told(true, format!("{}, none lost", count(view.items.len() as u64, "recipient"))),
            Some(first) => {
                let got =
                    format!("{} of {} lost, the first: {}", lost.len(), count(view.items.len() as u64, "recipient"), got::fate(first));
                Told { holds: false, got, shown_by: Some(first.at) }
            }
        }
    })
}

fn is_lost(seen: &Seen<'_>) -> bool {
    match seen.recipient.fate {
        Fate::Delivered | Fate::LeftModel | Fate::Expanded | Fate::Queued | Fate::Frozen => false,
        Fate::Bounced | Fate::Expired | Fate::Looped => !was_returned(seen),
        Fate::Rejected | Fate::Discarded | Fate::Quarantined | Fate::Lost | Fate::NotModelled => true,
    }
}

/// A report about this recipient arrived, or is on its way.
fn was_returned(seen: &Seen<'_>) -> bool {
    let reports = seen.scene.reports_about(seen.message);
    let mut about = reports.filter(|report| report.report.iter().any(|line| line.action == "failed" && line.is_about(seen.recipient)));
    about.any(|report| report.recipients.iter().any(|reader| arrived(reader) || reader.fate == Fate::Queued))
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn the_whole() {
        table(&[
            (r#"Share(to: "site-a", is: "33%", tolerance: "1%")"#, "holds"),
            (r#"Share(to: "site-a", is: "50%")"#, "33.3% (2 of 6 recipients)"),
            (r#"Share(via: "eop", is: "100%")"#, "holds"),
            (r#"Share(fate: "bounced", at_most: "20%")"#, "holds"),
            (r#"Share(fate: "bounced", at_least: "20%")"#, "16.7% (1 of 6 recipients)"),
            (r#"Share(fate: "bonced", is: "20%")"#, "MT0301: `bonced` is not a fate (did you mean `bounced`?)"),
            (r#"Share(to: "site-a")"#, r#"MT0303: `Share` needs a share (write `is`, `at_least` or `at_most`, as in is: "50%")"#),
            (r#"For(sent: ("0s", "10m"), expect: [Share(to: "site-a", is: "100%")])"#, "holds"),
            (r#"Touched(by: "eop", first: "site-a", share: "83%", tolerance: "1%")"#, "holds"),
            (r#"Touched(by: "eop", first: "site-b", share: "50%")"#, "0.0% (0 of 6 first connections)"),
            (r#"Connections(to: "site-b", is: 2)"#, "holds"),
            (r#"Connections(to: "exchange", at_most: 5)"#, "7 connections"),
            (r#"Delay(percentile: 50, at_most: "1m")"#, "holds"),
            (r#"Delay(percentile: 99, at_most: "1s")"#, "p99 is 30.54s [inbound#2]"),
            (r#"Delay(at_most: "31s")"#, "holds"),
            (r#"Queue(system: "eop", at_most: 1)"#, "holds"),
            (r#"Queue(system: "eop", at_most: 0)"#, "1 message queued at 11m"),
            (r#"Queue(system: "partner", at_most: 5)"#, "it has no machine of its own in this run"),
            (r#"Drained(system: "eop", fault: "site A dark", within: "1m")"#, "holds"),
            (r#"Drained(system: "eop", fault: "for ever")"#, "the fault did not end in this run"),
            (r#"Drained(system: "eop", fault: "site B dark")"#, "MT0101: no fault is called `site B dark` (did you mean `site A dark`?)"),
            (r#"Failover(from: "site-a", to: "site-b", within: "1m", back_within: "2m")"#, "holds"),
            (
                r#"Failover(from: "site-a", to: "site-b", within: "10s")"#,
                "site-a missed at 11m 0.2s, taken by site-b 30.34s later; repaired at 40m, back 1m 0.5s later",
            ),
            (
                r#"Failover(from: "site-a", to: "site-b", back_within: "10s")"#,
                "site-a missed at 11m 0.2s, taken by site-b 30.34s later; repaired at 40m, back 1m 0.5s later",
            ),
            (
                r#"Failover(from: "site-b", to: "site-a")"#,
                "site-a missed at 11m 0.2s, taken by site-b 30.34s later; repaired at 40m, back 1m 0.5s later",
            ),
            (r#"Not(Failover(from: "site-a", to: "site-b", within: "10s"))"#, "holds"),
            (
                r#"Not(Failover(from: "site-a", to: "site-b"))"#,
                "site-a missed at 11m 0.2s, taken by site-b 30.34s later; repaired at 40m, back 1m 0.5s later",
            ),
            (r#"For(sent: ("0s", "5m"), expect: [Not(Failover(from: "site-a"))])"#, "holds"),
            ("NothingLost()", "holds"),
            ("Not(NothingLost())", "6 recipients, none lost"),
        ]);
    }
}
