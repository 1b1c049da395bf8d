//! `run --format text`: what one would show a colleague.
//!
//! Fates, paths, failovers, TLS per hop, delays, what everything hangs on, and the messages that went wrong with the command that explains
//! them. Counts are of ordinary mail; reports have a line of their own. Lines have at most 100 characters unless a single word is longer.

use super::words::{Align, Clock, columns, count, duration, fit, share, shell_word, wrap};
use crate::analysis::delays::{arrived, delays_ns, percentile};
use crate::analysis::failover::{Failover, Why, failovers};
use crate::analysis::outcome::{Kind, Message, Outcome, Place, Recipient, Stopped};
use crate::analysis::paths::{label, shares};
use crate::analysis::queue_alerts::QueueAlert;
use crate::analysis::reach::single_points;
use crate::base::{Fate, InOrder, SimTime, TlsOutcome, TlsVersion, printable};
use std::collections::BTreeMap;

/// The longest list of anything; more is counted.
const ROWS_MAX: usize = 10;
const WIDTH: usize = 100;

/// The answer of `run` for people. `again` is the file and the flags of the command line, as a shell takes them.
#[must_use]
pub fn run_text(outcome: &Outcome, again: &str, clock: Clock) -> String {
    let parts = [
        header(outcome, clock),
        fates(outcome),
        paths(outcome),
        failover_moments(outcome, clock),
        queue_alerts(outcome, clock),
        tls(outcome),
        delays(outcome),
        crossings(outcome),
        went_wrong(outcome, again, clock),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n")
}

/// The same of a run that wrote down only how each recipient ended: ways are not known.
#[must_use]
pub fn fates_text(outcome: &Outcome, again: &str, clock: Clock) -> String {
    let parts = [header(outcome, clock), fates(outcome), delays(outcome), went_wrong(outcome, again, clock)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n")
}

fn mail(outcome: &Outcome) -> impl Iterator<Item = (&Message, &Recipient)> {
    let mail = outcome.messages.iter().filter(|message| message.kind == Kind::Mail);
    mail.flat_map(|message| message.recipients.iter().map(move |recipient| (message, recipient)))
}

fn header(outcome: &Outcome, clock: Clock) -> String {
    let messages = outcome.messages.iter().filter(|message| message.kind == Kind::Mail).count();
    let recipients = mail(outcome).count();
    let ended = clock.moment(outcome.ended_at);
    let end = match &outcome.stopped {
        Stopped::Settled => format!("settled at {ended}"),
        Stopped::Until => format!("until {ended}"),
        Stopped::Bound(bound) => format!("CUT SHORT at {ended} by a bound ({})", printable(bound)),
    };
    let counts = format!("{} to {}", count(messages as u64, "message"), count(recipients as u64, "recipient"));
    let what_if = if outcome.what_if.is_empty() { String::new() } else { format!("with {}\n", fit(&outcome.what_if, WIDTH)) };
    format!("{}\n{what_if}seed {}, {end}, {counts}\n", fit(&outcome.scenario, WIDTH), outcome.seed)
}

fn fates(outcome: &Outcome) -> String {
    let total = mail(outcome).count() as u64;
    let mut text = String::from("fates\n");
    let row = |fate: Fate| {
        let number = mail(outcome).filter(|(_, recipient)| recipient.fate == fate).count() as u64;
        (number > 0).then(|| [fate.as_str().to_owned(), number.to_string(), share(number, total)])
    };
    let rows: Vec<_> = Fate::ALL.into_iter().filter_map(row).collect();
    text += &columns("  ", [Align::Left, Align::Right, Align::Right], &rows);
    let kinds = [(Kind::Dsn, "delivery report"), (Kind::DelayNotice, "delay notice"), (Kind::AutomaticReply, "automatic reply")];
    for (kind, name) in kinds {
        let reports: Vec<&Message> = outcome.messages.iter().filter(|message| message.kind == kind).collect();
        if !reports.is_empty() {
            let home = reports.iter().filter(|message| message.recipients.iter().all(arrived)).count();
            text += &format!("  and {}, {home} of which arrived\n", count(reports.len() as u64, name).replace("replys", "replies"));
        }
    }
    let duplicates: u64 = mail(outcome).map(|(_, recipient)| u64::from(recipient.duplicates)).sum();
    if duplicates > 0 {
        text += &format!("  and {} of what had arrived already\n", count(duplicates, "further copy").replace("copys", "copies"));
    }
    if total == 0 { String::new() } else { text }
}

fn paths(outcome: &Outcome) -> String {
    let total = mail(outcome).count() as u64;
    let found = shares(outcome, |kind| kind == Kind::Mail);
    let rows: Vec<_> = found
        .iter()
        .take(ROWS_MAX)
        .map(|row| {
            let p50 = row.p50_ns.map_or("not delivered".to_owned(), |delay| format!("p50 {}", duration(delay)));
            [fit(&row.route, 66), row.recipients.to_string(), share(row.recipients, total), p50]
        })
        .collect();
    section("paths", &columns("  ", [Align::Left, Align::Right, Align::Right, Align::Left], &rows), found.len())
}

/// A heading, its lines, and how many were left out.
fn section(heading: &str, lines: &str, found: usize) -> String {
    let more = if found > ROWS_MAX { format!("  and {} more\n", found - ROWS_MAX) } else { String::new() };
    if lines.is_empty() { String::new() } else { format!("{heading}\n{lines}{more}") }
}

fn failover_moments(outcome: &Outcome, clock: Clock) -> String {
    let found = failovers(outcome);
    let text: String = found.iter().take(ROWS_MAX).map(|failover| one_failover(failover, outcome, clock)).collect();
    section("failovers", &text, found.len())
}

/// `  contoso: more than 2000 messages wait for over an hour from 3h 1m to 5h 30m, 2114 at most`
fn queue_alerts(outcome: &Outcome, clock: Clock) -> String {
    let one = |alert: &QueueAlert| {
        let QueueAlert { system, threshold, from, until, most } = alert;
        let until = if *until == SimTime::NEVER { "the end of the run".to_owned() } else { clock.moment(*until) };
        let from = clock.moment(*from);
        format!("  {}: more than {threshold} messages wait for over an hour from {from} to {until}, {most} at most\n", fit(system, 40))
    };
    let text: String = outcome.queue_alerts.iter().take(ROWS_MAX).map(one).collect();
    section("messages have been delayed", &text, outcome.queue_alerts.len())
}

fn one_failover(failover: &Failover, outcome: &Outcome, clock: Clock) -> String {
    // Machines of one pool that stand in for each other are called by their own names.
    let among_themselves = failover.to.iter().any(|taker| label(&taker.place) == label(&failover.from));
    let label = |place| if among_themselves { full_name_of(place) } else { label(place) };
    let from = label(&failover.from);
    let takers: Vec<&str> = failover.to.iter().map(|taker| label(&taker.place)).collect();
    let why = match &failover.why {
        Why::Fault(name) => match outcome.faults.iter().find(|fault| fault.name == *name) {
            Some(fault) => format!(", fault `{name}` ({}, {} to {})", fault.kind, clock.moment(fault.from), clock.moment(fault.until)),
            None => format!(", fault `{name}`"),
        },
        Why::Said(text) if text.is_empty() => String::new(),
        Why::Said(text) => format!(", {text}"),
    };
    let mut rows = vec![(failover.missed_at, format!("first miss at {from}: {}{why}", failover.result.as_str()))];
    for taker in &failover.to {
        let (name, later) = (label(&taker.place), duration(failover.within_ns(taker)));
        let messages = count(taker.messages as u64, "message");
        rows.push((taker.taken_at, format!("first taken by {name}, {later} after the miss; {messages} in all")));
    }
    match (failover.back_at, failover.repaired_at) {
        (Some(back), Some(repair)) => {
            let later = duration(back.since(repair));
            rows.push((back, format!("{from} takes mail again, {later} after the repair at {}", clock.moment(repair))));
        }
        (Some(back), None) => rows.push((back, format!("{from} takes mail again"))),
        (None, _) => rows.push((outcome.ended_at, format!("the run ends, {from} has not taken mail again"))),
    }
    let width = rows.iter().map(|(at, _)| clock.moment(*at).chars().count()).max().unwrap_or(0);
    let mut text = format!("  {}\n", fit(&format!("{}: {from} -> {}", failover.by, takers.join(", ")), WIDTH - 2));
    if !failover.parts.is_empty() {
        let until = |at: Option<crate::base::SimTime>| at.map_or_else(|| "the end".to_owned(), |at| clock.moment(at));
        let parts: Vec<String> = failover
            .parts
            .iter()
            .map(|part| format!("{} ({} to {})", part.host, clock.moment(part.missed_at), until(part.back_at)))
            .collect();
        rows.push((failover.missed_at, format!("machines that missed: {}", parts.join(", "))));
        rows.in_order_by_key(|(at, _)| *at);
    }
    for (at, what) in rows {
        let lines = wrap(&what, WIDTH - 6 - width);
        text += &format!("    {:>width$}  {}\n", clock.moment(at), lines.join(&format!("\n{:1$}", "", width + 6)));
    }
    text
}

fn full_name_of(place: &crate::analysis::outcome::Place) -> &str {
    &place.host
}

/// How many connections came out how.
type TlsCounts = BTreeMap<(TlsOutcome, Option<TlsVersion>), u64>;

fn tls(outcome: &Outcome) -> String {
    let mut by_hop: BTreeMap<(String, String), TlsCounts> = BTreeMap::new();
    for hop in outcome.messages.iter().flat_map(|message| &message.recipients).flat_map(|recipient| &recipient.hops) {
        if let (Some(to), Some(tls)) = (&hop.to, &hop.tls) {
            let ends = (hop.from.system.to_string(), full_name(to));
            *by_hop.entry(ends).or_default().entry((tls.outcome, tls.version)).or_default() += 1;
        }
    }
    let mut rows = vec![];
    for ((from, to), kinds) in &by_hop {
        let total = kinds.values().sum();
        for (at, ((outcome, version), number)) in kinds.iter().enumerate() {
            let hop = if at == 0 { fit(&format!("{from} -> {to}"), 60) } else { String::new() };
            let version = version.map_or(String::new(), |version| version.as_str().to_owned());
            rows.push([hop, number.to_string(), share(*number, total), outcome.as_str().to_owned(), version]);
        }
    }
    let found = rows.len();
    rows.truncate(ROWS_MAX);
    let lines = columns("  ", [Align::Left, Align::Right, Align::Right, Align::Left, Align::Left], &rows);
    section("TLS per hop (reports included)", &lines, found)
}

/// System and machine, where they differ in name.
fn full_name(place: &Place) -> String {
    let name = label(place);
    if *name == *place.system { name.to_owned() } else { format!("{}/{name}", place.system) }
}

fn delays(outcome: &Outcome) -> String {
    let delays = delays_ns(outcome);
    let figure = |(name, per_mille)| percentile(&delays, per_mille).map(|delay| format!("{name} {}", duration(delay)));
    let figures: Vec<String> = [("p50", 500), ("p95", 950), ("p99", 990), ("max", 1000)].into_iter().filter_map(figure).collect();
    if figures.is_empty() { String::new() } else { format!("delays of what arrived\n  {}\n", figures.join(", ")) }
}

fn crossings(outcome: &Outcome) -> String {
    let names = single_points(outcome, |kind| kind == Kind::Mail).into_iter().map(|row| match row.host {
        Some(host) if host != row.system && !host.contains('#') => format!("{}/{host}", row.system),
        Some(_) | None => row.system.to_string(),
    });
    let names = names.collect::<Vec<String>>().join(", ");
    if names.is_empty() {
        return String::new();
    }
    format!("every message that arrived crossed\n  {}\n", wrap(&names, WIDTH - 2).join("\n  "))
}

/// Does this end need somebody to look at it?
fn is_wrong(fate: Fate) -> bool {
    match fate {
        Fate::Delivered | Fate::LeftModel | Fate::Expanded => false,
        Fate::Bounced
        | Fate::Rejected
        | Fate::Expired
        | Fate::Discarded
        | Fate::Quarantined
        | Fate::Looped
        | Fate::Frozen
        | Fate::Queued
        | Fate::Lost
        | Fate::NotModelled => true,
    }
}

/// What ended badly, by reason, the first message of each as an example.
fn went_wrong(outcome: &Outcome, again: &str, clock: Clock) -> String {
    let mut by_reason: Vec<(String, &Message, &Recipient, u64)> = vec![];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for message in &outcome.messages {
        for recipient in message.recipients.iter().filter(|recipient| is_wrong(recipient.fate)) {
            let reason = reason(recipient);
            match places.get(&reason) {
                Some(place) => by_reason[*place].3 += 1,
                None => {
                    places.insert(reason.clone(), by_reason.len());
                    by_reason.push((reason, message, recipient, 1));
                }
            }
        }
    }
    let mut text = String::new();
    for (reason, message, recipient, number) in by_reason.iter().take(ROWS_MAX) {
        text += &format!("  {}\n", wrap(&fit(&format!("{number} {reason}"), 3 * WIDTH), WIDTH - 6).join("\n      "));
        let first = if *number > 1 { "first " } else { "" };
        let what = format!("{first}{} to {}, at {}", message.id, recipient.name(), clock.moment(recipient.at));
        text += &format!("      {}\n", fit(&what, WIDTH - 6));
        text += &format!("      mailtwin explain {again} --message {}\n", shell_word(&message.id));
    }
    section("went wrong", &text, by_reason.len())
}

fn reason(recipient: &Recipient) -> String {
    let code = if recipient.code == 0 { String::new() } else { format!("{} ", recipient.code) };
    let at = recipient.final_place.as_ref().map_or(String::new(), |place| format!(" at {}", label(place)));
    let said = recipient.said_by.as_ref().map_or(String::new(), |place| format!(" (said by {})", label(place)));
    format!("{}{at}: {code}{} {}{said}", recipient.fate.as_str(), recipient.enhanced, recipient.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    #[test]
    fn the_whole_text() {
        let expected = "\
Two sites
seed 42, until 2h, 6 messages to 6 recipients

fates
  delivered  4  66.7%
  bounced    1  16.7%
  queued     1  16.7%
  and 1 delivery report, 1 of which arrived

paths
  internet > eop           2  33.3%  not delivered
  internet > eop > site-a  2  33.3%  p50 500ms
  internet > eop > site-b  2  33.3%  p50 30.54s

failovers
  eop: site-a -> site-b
      11m 0.2s  first miss at site-a: no-answer, fault `site A dark` (Down, 10m to 40m)
    11m 30.54s  first taken by site-b, 30.34s after the miss; 2 messages in all
      41m 0.5s  site-a takes mail again, 1m 1s after the repair at 40m

TLS per hop (reports included)
  eop -> exchange/site-a  2  100.0%  encrypted  TLS 1.3
  eop -> exchange/site-b  2  100.0%  encrypted  TLS 1.3
  eop -> internet         1  100.0%  encrypted  TLS 1.3
  internet -> eop         6  100.0%  encrypted  TLS 1.3

delays of what arrived
  p50 500ms, p95 30.54s, p99 30.54s, max 30.54s

every message that arrived crossed
  eop, exchange

went wrong
  1 bounced at eop: 550 5.1.1 no such mailbox (said by site-a)
      inbound#5 to nobody@contoso.com, at 50m 0.3s
      mailtwin explain two.ron --message inbound#5
  1 queued at eop: 4.4.1 no host answers
      inbound#6 to carol@partner.example, at 2h
      mailtwin explain two.ron --message inbound#6
";
        let text = run_text(&fixture::two_sites(), "two.ron", Clock::default());
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn long_lists_are_cut_and_texts_are_tame() {
        let mut outcome = fixture::two_sites();
        outcome.scenario = "\u{1b}[31mred".into();
        outcome.stopped = Stopped::Bound("events: 99".into());
        let wrong = outcome.messages.pop().unwrap();
        for number in 0..30 {
            let mut message = wrong.clone();
            message.recipients[0].text = format!("reason \u{9b}{number} {}", "and so on ".repeat(30)).into();
            outcome.messages.push(message);
        }
        let text = run_text(&outcome, "'my file.ron'", Clock::default());
        assert!(text.starts_with("\\u{1b}[31mred\nseed 42, CUT SHORT at 2h by a bound (events: 99), "), "{text}");
        assert!(text.ends_with("  and 21 more\n") && text.contains("mailtwin explain 'my file.ron' --message inbound#6\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && printable(line) == line), "{text}");
    }

    #[test]
    fn an_empty_run() {
        let mut outcome = fixture::two_sites();
        (outcome.messages, outcome.stopped) = (vec![], Stopped::Settled);
        assert_eq!(run_text(&outcome, "-", Clock::default()), "Two sites\nseed 42, settled at 2h, 0 messages to 0 recipients\n");
    }
}
