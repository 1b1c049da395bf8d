//! What exactly happened? A run as text that stays the same as long as the run does: the golden file beside each shipped scenario.
//!
//! Small runs are told line by line: what was asked of DNS, each connection, what became of each attempt and of each recipient. Above
//! [`MESSAGES_MAX`] messages: the totals, the messages that went wrong, and a digest (SHA-256) of the lines of all others, so a change is noticed
//! though not shown. Reasons are not told here (that is `explain`), so better words leave the files alone.

use super::words::{Clock, count, duration};
use crate::analysis::delays::{arrived, delay_ns, delays_ns, percentile};
use crate::analysis::failover::failovers;
use crate::analysis::outcome::{Attempt, Connection, Hop, Kind, Message, Outcome, Recipient, Stopped};
use crate::analysis::paths::{label, shares};
use crate::base::{AttemptResult, ConnectionResult, Fate, SimTime, printable};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Runs with more messages are not told line by line.
pub const MESSAGES_MAX: usize = 200;
/// So many of the messages that went wrong are told in a longer run.
const WRONG_MAX: usize = 10;

/// The run as text.
#[must_use]
pub fn trace_text(outcome: &Outcome, clock: Clock) -> String {
    let mut text = totals(outcome, clock);
    let tell = |messages: &[&Message]| messages.iter().map(|message| story(message, clock)).collect::<String>();
    if outcome.messages.len() <= MESSAGES_MAX {
        return text + &tell(&outcome.messages.iter().collect::<Vec<_>>());
    }
    let (mut wrong, mut rest): (Vec<&Message>, Vec<&Message>) = outcome.messages.iter().partition(|message| went_wrong(message));
    rest.extend(wrong.drain(wrong.len().min(WRONG_MAX)..));
    text += &tell(&wrong);
    let mut digest = Sha256::new();
    rest.iter().for_each(|message| digest.update(story(message, clock)));
    let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    text + &format!("\nthe other {}\n  sha256 {hex}\n", count(rest.len() as u64, "message"))
}

/// Is it one of the few that a reader wants to see?
fn went_wrong(message: &Message) -> bool {
    message.recipients.iter().any(|recipient| !(arrived(recipient) || recipient.fate == Fate::Expanded) || recipient.duplicates > 0)
}

fn totals(outcome: &Outcome, clock: Clock) -> String {
    let stopped = match &outcome.stopped {
        Stopped::Settled => "settled",
        Stopped::Until => "until",
        Stopped::Bound(bound) => bound,
    };
    let mut text = format!("{}\nseed {}, {stopped} {}", printable(&outcome.scenario), outcome.seed, clock.moment(outcome.ended_at));
    for kind in [Kind::Mail, Kind::Dsn, Kind::DelayNotice, Kind::AutomaticReply] {
        let number = outcome.messages.iter().filter(|message| message.kind == kind).count();
        text += &if number > 0 { format!(", {number} {}", kind.as_str()) } else { String::new() };
    }
    text += "\n";
    let recipients = || outcome.messages.iter().flat_map(|message| &message.recipients);
    for fate in Fate::ALL {
        let number = recipients().filter(|recipient| recipient.fate == fate).count();
        text += &if number > 0 { format!("  {number} {}\n", fate.as_str()) } else { String::new() };
    }
    let duplicates: u32 = recipients().map(|recipient| recipient.duplicates).sum();
    text += &if duplicates > 0 { format!("  {duplicates} duplicates\n") } else { String::new() };
    for row in shares(outcome, |kind| kind == Kind::Mail) {
        text += &format!("  {} by {}\n", row.recipients, row.route);
    }
    for failover in failovers(outcome) {
        let takers: Vec<_> =
            failover.to.iter().map(|taker| format!("{} at {}", label(&taker.place), clock.moment(taker.taken_at))).collect();
        let back = failover.back_at.map_or(String::new(), |back| format!(", back at {}", clock.moment(back)));
        let (by, from, missed) = (&failover.by, label(&failover.from), clock.moment(failover.missed_at));
        text += &format!("  failover of {by} from {from} at {missed} to {}{back}\n", takers.join(", "));
    }
    for alert in &outcome.queue_alerts {
        let (from, most) = (clock.moment(alert.from), alert.most);
        text += &format!("  {} has more than {} messages delayed from {from}, {most} at most\n", alert.system, alert.threshold);
    }
    let delays = delays_ns(outcome);
    let told = [("p50", 500), ("p95", 950), ("p99", 990), ("max", 1000)]
        .map(|(name, per_mille)| percentile(&delays, per_mille).map_or(String::new(), |delay| format!(" {name} {}", duration(delay))));
    if delays.is_empty() { text } else { text + &format!("  delay{}\n", told.concat()) }
}

/// The lines of one message; what several recipients have in common is told once.
fn story(message: &Message, clock: Clock) -> String {
    let mut lines = Lines::default();
    for (number, recipient) in message.recipients.iter().enumerate() {
        lines.recipient = number;
        recipient.hops.iter().for_each(|hop| tell_hop(&mut lines, hop, clock));
        tell_end(&mut lines, message, recipient);
    }
    let to: Vec<String> = message.recipients.iter().map(Recipient::name).collect();
    let kind = if message.kind == Kind::Mail { String::new() } else { format!(" ({})", message.kind.as_str()) };
    let head = format!("{}{kind} from {} to {}, at {}", message.id, message.from, to.join(", "), label(&message.entered_at));
    format!("\n{}  {}\n", clock.moment(message.sent_at), printable(&head)) + &lines.text(&to, clock)
}

/// Lines by moment, then in the order of telling, with the recipients that they speak of.
#[derive(Default)]
struct Lines {
    recipient: usize,
    lines: BTreeMap<(SimTime, usize), (String, Vec<usize>)>,
    places: BTreeMap<(SimTime, String), usize>,
}

impl Lines {
    fn tell(&mut self, at: SimTime, line: String) {
        let next = self.places.len();
        let place = *self.places.entry((at, line.clone())).or_insert(next);
        let (_, recipients) = self.lines.entry((at, place)).or_insert_with(|| (line, Vec::new()));
        if !recipients.contains(&self.recipient) {
            recipients.push(self.recipient);
        }
    }

    fn text(&self, to: &[String], clock: Clock) -> String {
        let told = self.lines.iter().map(|((at, _), (line, recipients))| {
            let whose = if recipients.len() == to.len() {
                String::new()
            } else {
                format!("  (for {})", recipients.iter().map(|number| &*to[*number]).collect::<Vec<_>>().join(", "))
            };
            format!("  {}  {}\n", clock.moment(*at), printable(&(line.clone() + &whose)))
        });
        told.collect()
    }
}

fn tell_hop(lines: &mut Lines, hop: &Hop, clock: Clock) {
    let by = label(&hop.from);
    let mut known: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for attempt in &hop.attempts {
        for lookup in &attempt.lookups {
            // A question is told once per queue, and again when its answer is another one.
            if known.insert((&lookup.name, lookup.kind), &lookup.answer) != Some(&*lookup.answer) {
                let cache = if lookup.cached { " (cache)" } else { "" };
                lines.tell(lookup.at, format!("{by} asks {} {}: {}{cache}", lookup.name, lookup.kind, lookup.answer));
            }
        }
        for host in &attempt.not_used {
            lines.tell(host.at, format!("{by} does not use {}", host.tls.why));
        }
        for connection in &attempt.connections {
            lines.tell(connection.at, format!("{by} > {}", connection_line(connection)));
        }
        if let Some(line) = attempt_line(attempt, clock) {
            lines.tell(attempt.end, format!("{by} {line}"));
        }
    }
}

/// `site-a 192.0.2.10 MX 10: no answer in 30s`
fn connection_line(connection: &Connection) -> String {
    let to = connection.to.as_ref().map_or("nobody", |place| label(place));
    let port = if connection.port == 25 { String::new() } else { format!(" port {}", connection.port) };
    let preference = connection.preference.map_or(String::new(), |preference| format!(" MX {preference}"));
    let mut line = format!("{to} {}{port}{preference}: {}", connection.address, connection.result.as_str());
    if connection.result != ConnectionResult::Accepted {
        line += &format!(" at {}", connection.phase.as_str());
    }
    if let Some(reply) = &connection.reply {
        line += &format!(" ({reply})");
    }
    // Where TLS failed nothing was carried, so there is no outcome to tell.
    if let Some(tls) = connection.tls.as_ref().filter(|_| connection.result != ConnectionResult::TlsFailed) {
        line += &format!(", {}", tls.outcome.as_str());
        line += &tls.result.map_or(String::new(), |result| format!(" ({result})"));
    }
    line + &format!(", {}", duration(connection.end.since(connection.at)))
}

fn attempt_line(attempt: &Attempt, clock: Clock) -> Option<String> {
    match attempt.result {
        AttemptResult::Delivered | AttemptResult::Joined => None,
        AttemptResult::Deferred => {
            let next = attempt.next_at.map_or("never".to_owned(), |next| clock.moment(next));
            Some(format!("defers, {}, next at {next}", attempt.enhanced))
        }
        AttemptResult::Bounced | AttemptResult::Expired | AttemptResult::Unfinished => {
            Some(format!("{}, {}", attempt.result.as_str(), attempt.enhanced))
        }
    }
}

fn tell_end(lines: &mut Lines, message: &Message, recipient: &Recipient) {
    let place = recipient.final_place.as_ref().map_or(String::new(), |place| format!(" at {}", label(place)));
    let copies =
        if recipient.duplicates > 0 { format!(", {} more", count(u64::from(recipient.duplicates), "time")) } else { String::new() };
    let after = duration(delay_ns(message, recipient));
    lines.tell(
        recipient.at,
        format!("= {}{place}, {} {} after {after}{copies}", recipient.fate.as_str(), recipient.code, recipient.enhanced),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    #[test]
    fn a_small_run_line_by_line() {
        let text = trace_text(&fixture::two_sites(), Clock::default());
        for part in ["\n  4 delivered\n", "no-answer at connect", "\n  2 by internet > eop > site-a\n"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(!text.contains("sha256"));
    }

    #[test]
    fn a_long_run_by_its_digest() {
        let mut outcome = fixture::two_sites();
        while outcome.messages.len() <= MESSAGES_MAX {
            outcome.messages.extend_from_within(..);
        }
        let text = trace_text(&outcome, Clock::default());
        assert_eq!(text.matches("\n\n").count(), WRONG_MAX + 1);
        assert!(text.contains("\n  sha256 "));
        let wrong = outcome.messages.iter().position(went_wrong).unwrap();
        outcome.messages.swap_remove(wrong);
        assert_ne!(trace_text(&outcome, Clock::default()), text);
    }
}
