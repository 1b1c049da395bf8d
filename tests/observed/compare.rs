//! Does the simulator agree with a recording? One verdict per aspect and case.
//!
//! What is deterministic in the real server is compared for equality: final state, reply and status, order of hosts, TLS, number of reports. Retry
//! times depend on where the server's queue runs happened to fall, so a wait may differ by one queue run, a second for whole-second clocks, and
//! the shift that already was there (waits grow with the age). An observation that was stopped after so many attempts is compared with as
//! many. Cases with numbered messages are compared by shares and ranges. Where several runs were recorded, one that agrees is enough.

use crate::case::Case;
use crate::document::{Attempt, Document, Message, Recipient};
use crate::observation::{self, Observation, Tls};
use std::collections::BTreeMap;

/// The aspects, in the order in which they are printed.
pub const ASPECTS: [&str; 7] = ["fate", "code", "hosts", "attempts", "tls", "dsn", "times"];

/// What the reports say that came back; an aspect of its own, counted by server.
pub const STATUS: &str = "status in reports";

/// One aspect of one case.
#[derive(Debug)]
pub struct Verdict {
    pub aspect: &'static str,
    pub agrees: bool,
    pub expected: String,
    pub got: String,
}

/// Compares one run with one observation; an aspect about which the observation says nothing is left out.
pub fn compare(case: &Case, seen: &Observation, run: &Document) -> Vec<Verdict> {
    if case.is_many() { crate::shares::compare(case, seen, run) } else { one_by_one(case, seen, run) }
}

/// Collects the parts of one aspect: it agrees if every part does.
#[derive(Default)]
pub struct Parts {
    wrong: Vec<(String, String)>,
    right: usize,
}

impl Parts {
    pub fn add(&mut self, agrees: bool, expected: impl Into<String>, got: impl Into<String>) {
        if agrees { self.right += 1 } else { self.wrong.push((expected.into(), got.into())) }
    }

    pub fn verdict(self, aspect: &'static str) -> Option<Verdict> {
        let join = |texts: Vec<String>| texts.join("; ");
        let (expected, got): (Vec<_>, Vec<_>) = self.wrong.into_iter().unzip();
        (self.right + got.len() > 0).then(|| Verdict { aspect, agrees: got.is_empty(), expected: join(expected), got: join(got) })
    }
}

/// What the first server did with one recipient, cut where the observation ends.
pub struct View<'a> {
    pub message: &'a Message,
    pub recipient: &'a Recipient,
    pub attempts: Vec<&'a Attempt>,
    pub state: &'static str,
}

impl<'a> View<'a> {
    pub fn new(message: &'a Message, recipient: &'a Recipient, seen: &observation::Recipient, stopped_by_attempts: bool) -> Self {
        let mut attempts: Vec<&Attempt> = first_hop(recipient).map(|hop| hop.attempts.iter().collect()).unwrap_or_default();
        if stopped_by_attempts && matches!(seen.state.as_str(), "deferred" | "frozen") {
            attempts.truncate(seen.attempt_times.len());
        }
        let state = match attempts.last().map(|attempt| attempt.result.as_str()) {
            Some("delivered") => "sent",
            Some("bounced") => "bounced",
            Some("expired") => "expired",
            Some("deferred" | "unfinished") if attempts.len() < first_hop(recipient).map_or(0, |hop| hop.attempts.len()) => "deferred",
            // The reply was lost: it arrived, and this server does not know.
            Some("deferred") if state_of_fate(&recipient.fate) == "sent" => "deferred",
            _ => state_of_fate(&recipient.fate),
        };
        Self { message, recipient, attempts, state }
    }

    /// Reply code and status of the end that is compared.
    pub fn code(&self) -> (Option<u16>, Option<&'a str>) {
        match self.attempts.last() {
            Some(last) => (last.code.filter(|code| *code != 0), last.enhanced.as_deref()),
            None => (self.recipient.code.filter(|code| *code != 0), self.recipient.enhanced.as_deref()),
        }
    }
}

pub fn first_hop(recipient: &Recipient) -> Option<&crate::document::Hop> {
    recipient.hops.iter().find(|hop| hop.from == "sender")
}

fn state_of_fate(fate: &str) -> &'static str {
    match fate {
        "delivered" | "left the model" | "expanded" | "discarded" | "quarantined" => "sent",
        "bounced" | "looped" => "bounced",
        "rejected" => "refused-at-submission",
        "expired" => "expired",
        "queued" => "deferred",
        "frozen" => "frozen",
        "lost" => "lost",
        _ => "not modelled",
    }
}

fn one_by_one(case: &Case, seen: &Observation, run: &Document) -> Vec<Verdict> {
    let sources = case.source_names();
    let mut parts: BTreeMap<&'static str, Parts> = ASPECTS.iter().map(|aspect| (*aspect, Parts::default())).collect();
    let mut part = |aspect: &'static str, agrees: bool, expected: String, got: String| {
        parts.entry(aspect).or_default().add(agrees, expected, got);
    };
    let mut views = Vec::new();
    for (at, expected) in seen.recipients.iter().enumerate() {
        let who = format!("{} {}", expected.message, expected.recipient);
        let Some((message, recipient)) = find(seen, run, &sources, at) else {
            part("fate", false, format!("{who}: {}", expected.state), "no such recipient".into());
            continue;
        };
        let view = View::new(message, recipient, expected, seen.ended == "attempts");
        part("fate", view.state == expected.state, format!("{who}: {}", expected.state), view.state.into());
        if let Some((expected, got, agrees)) = code_part(expected, &view) {
            part("code", agrees, format!("{who}: {expected}"), got);
        }
        if let Some((expected, got, agrees)) = tls_part(expected, &view) {
            part("tls", agrees, format!("{who}: {expected}"), got);
        }
        let runs = seen.runs_of(at);
        let (made, counts): (usize, Vec<usize>) = (view.attempts.len(), runs.iter().map(Vec::len).collect());
        let slack = usize::from(seen.ended == "limit");
        let fits = counts.iter().min() <= Some(&made) && Some(&made) <= counts.iter().max();
        if (!view.attempts.is_empty() || expected.ip.is_some()) && !expected.is_only_queued() {
            part(
                "attempts",
                fits || counts.iter().any(|count| count.abs_diff(made) <= slack),
                format!("{who}: {counts:?}"),
                made.to_string(),
            );
            let ends: Vec<f64> = view.attempts.iter().map(|attempt| attempt.end_s - view.message.sent_at_s).collect();
            let agrees = runs.iter().any(|run| crate::times::agree(&ends, run, expected.submitted_t, case.timers.queue_run_s));
            part("times", agrees, format!("{who}: {:?}", expected.attempt_times), format!("{ends:.2?}"));
        }
        views.push(view);
    }
    if !case.relays.is_empty() {
        for view in &views {
            if let Some((expected, got, agrees)) = far_end(seen, view) {
                part("fate", agrees, expected, got);
            }
        }
    }
    if let Some((expected, got, agrees)) = crate::hosts::compare(case, seen, &views) {
        part("hosts", agrees, expected, got);
    }
    let cut = (seen.ended == "attempts")
        .then(|| views.iter().filter_map(|view| view.attempts.last()).map(|attempt| attempt.end_s).fold(0.0, f64::max));
    let (expected, got) = (reports_seen(seen), reports_made(run, cut));
    part("dsn", expected == got, format!("failure, delay: {expected:?}"), format!("{got:?}"));
    let mut verdicts: Vec<Verdict> = ASPECTS.iter().filter_map(|aspect| parts.remove(aspect)?.verdict(aspect)).collect();
    verdicts.extend(statuses(seen, run).verdict(STATUS));
    verdicts
}

/// Action and status of each recipient in the reports that came back.
fn statuses(seen: &Observation, run: &Document) -> Parts {
    let mut parts = Parts::default();
    let made = || run.messages.iter().flat_map(|message| &message.report);
    // Shortened recordings do not have it.
    for line in seen.dsn_messages.iter().flat_map(|report| &report.per_recipient).filter(|line| !line.status.is_empty()) {
        let (who, action, status) = (&line.final_recipient, &line.action, &line.status);
        let about = made().filter(|made| made.recipient.eq_ignore_ascii_case(who));
        let got: Vec<String> = about.map(|made| format!("{} {}", made.action, made.status.as_deref().unwrap_or("-"))).collect();
        let expected = format!("{action} {status}");
        parts.add(got.contains(&expected), format!("{who}: {expected}"), got.join(", "));
    }
    parts
}

/// The simulated recipient that an observed one stands for.
pub fn find<'a>(seen: &Observation, run: &'a Document, sources: &[String], at: usize) -> Option<(&'a Message, &'a Recipient)> {
    let wanted = &seen.recipients[at];
    let message = run.find(sources, &wanted.message)?;
    let nth = seen.recipients[..at].iter().filter(|other| other.message == wanted.message && other.recipient == wanted.recipient).count();
    let same: Vec<&Recipient> = message.recipients.iter().filter(|recipient| recipient.to == wanted.recipient).collect();
    // An address given twice may be one recipient or two; a message of one recipient may number its addresses in another way.
    let only = message.recipients.first().filter(|_| message.recipients.len() == 1);
    Some((message, same.get(nth).or(same.last()).copied().or(only)?))
}

/// Reply code where a server's reply decided, and enhanced status.
fn code_part(expected: &observation::Recipient, view: &View) -> Option<(String, String, bool)> {
    if expected.code.is_none() && expected.dsn.is_none() {
        return None;
    }
    let (code, status) = view.code();
    let agrees = (expected.code.is_none() || expected.code == code) && (expected.dsn.is_none() || expected.dsn.as_deref() == status);
    let words =
        |code: Option<u16>, status: Option<&str>| format!("{} {}", code.map_or("-".into(), |code| code.to_string()), status.unwrap_or("-"));
    Some((words(expected.code, expected.dsn.as_deref()), words(code, status), agrees))
}

/// The protection of the connection that carried it; nothing to compare where it was not carried.
pub fn tls_part(expected: &observation::Recipient, view: &View) -> Option<(String, String, bool)> {
    let (outcome, version) = match &expected.tls {
        Tls::Word(word) if word == "none" => ("plaintext", None),
        Tls::Encrypted { protocol, verdict } => match verdict.as_deref() {
            Some("verified" | "cv-yes" | "cv-dane" | "cert-success" | "verify-ok") => ("authenticated", protocol.as_deref()),
            _ => ("encrypted", protocol.as_deref()),
        },
        Tls::Word(_) | Tls::Unknown => return None,
    };
    let digits = |version: &str| {
        let digits: String = version.chars().filter(char::is_ascii_digit).collect();
        if digits == "1" { "10".into() } else { digits }
    };
    let got = first_hop(view.recipient).and_then(|hop| hop.tls.as_ref());
    let got_version = got.and_then(|tls| tls.version.as_deref());
    // Sendmail's `verify=OK` speaks of the chain only; whether the name was right it does not say.
    let chain_only = matches!(&expected.tls, Tls::Encrypted { verdict: Some(verdict), .. } if verdict == "verify-ok");
    let agrees = got.is_some_and(|tls| tls.outcome == outcome || chain_only && tls.outcome == "encrypted")
        && version.map(digits) == got_version.map(digits);
    let words = |outcome: &str, version: Option<&str>| format!("{outcome} {}", version.unwrap_or("-"));
    Some((words(outcome, version), got.map_or("not carried".into(), |tls| words(&tls.outcome, got_version)), agrees))
}

/// Behind a relay: did the recipient get it in the end, or was it returned?
fn far_end(seen: &Observation, view: &View) -> Option<(String, String, bool)> {
    let to = &view.recipient.to;
    let reached = seen.summary.reached.iter().any(|row| row.split(" at ").next() == Some(to));
    let expected = match (reached, seen.summary.returned.contains(to)) {
        (true, false) => "sent",
        (false, true) => "bounced",
        _ => return None,
    };
    let got = state_of_fate(&view.recipient.fate);
    let agrees = got == expected || (expected, got) == ("bounced", "expired");
    Some((format!("{to} behind the relay: {expected}"), got.into(), agrees))
}

/// Reports of failure and of delay that were sent.
pub fn reports_seen(seen: &Observation) -> (usize, usize) {
    if seen.dsn_events.iter().any(|event| event.msg.is_none()) {
        // A log that does not say what a report is about counts all mail from nobody; the reports themselves do not.
        let with =
            |action: &str| seen.dsn_messages.iter().filter(|report| report.per_recipient.iter().any(|line| line.action == action)).count();
        return (with("failed"), with("delayed"));
    }
    let failures = seen.dsn_events.iter().filter(|event| event.kind.starts_with("fail")).count();
    (failures, seen.dsn_events.iter().filter(|event| event.kind.starts_with("delay")).count())
}

/// The same of the run, up to the moment where the observation was stopped.
pub fn reports_made(run: &Document, cut_s: Option<f64>) -> (usize, usize) {
    let count =
        |kind| run.messages.iter().filter(|message| message.kind == kind && cut_s.is_none_or(|cut| message.sent_at_s <= cut + 0.1)).count();
    (count("dsn"), count("delay-notice"))
}
