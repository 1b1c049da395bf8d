//! Which command explains the message that shows a failure?
//!
//! A message of the run is named by its id, the message of a test is sent again; the variant and faults of the kind `Down` are flags.
//! Where a test says more than flags can, the command names the test.

use super::plan::Planned;
use super::runner::{SEND, Subject};
use crate::base::{parse_duration, shell_word};
use crate::scenario::schema::{Envelope, Fault, Message, Scenario};
use crate::scenario::source::{Field, Named};

/// A flag has the seed already, and this run has another one.
const OTHER_SEED: &str = "the seed of this run";

/// The command, and what it lacks.
pub(super) fn replay(subject: Subject<'_>, one: &Planned<'_>, seed: u64, id: &str) -> (String, Option<&'static str>) {
    let mut words = format!("mailtwin explain {}", subject.command);
    let mut add = |flag: &str, value: &str| words.push_str(&format!(" {flag} {}", shell_word(value)));
    let mut lacks = None;
    match one.send() {
        Some(message) if id == format!("{SEND}#1") && !one.fields.with_traffic.or(false) => {
            add("--from", message.envelope.from.as_str().unwrap_or("<>"));
            message.envelope.to.items().iter().for_each(|to| add("--to", to));
            for (flag, field) in [("--at", &message.at), ("--by", &message.envelope.by)] {
                field.as_str().into_iter().for_each(|text| add(flag, text));
            }
            if !is_plain(message) {
                lacks = Some("what else the test says about its message");
            }
        }
        Some(_) => {
            add("--message", id);
            lacks = Some("the test's message, beside which the others are sent");
        }
        None => add("--message", id),
    }
    match one.variant {
        Some(_) if subject.command.contains(" --variant ") => lacks = Some("the variant of the test"),
        Some(variant) => add("--variant", variant),
        None => {}
    }
    for given in &one.given {
        match downs(given) {
            Some(flags) => flags.iter().for_each(|flag| add("--fail", flag)),
            None => lacks = Some("the `given` of the test"),
        }
    }
    match one.fields.until.as_str() {
        Some(_) if subject.command.contains(" --until ") => lacks = Some("the end of the test's run"),
        Some(until) => add("--until", until),
        None => {}
    }
    if subject.seed.is_none() {
        add("--seed", &seed.to_string());
    } else if subject.seed != Some(seed) {
        lacks = Some(OTHER_SEED);
    }
    match lacks {
        Some(OTHER_SEED) | None => (words, lacks),
        Some(_) => by_test(subject, one, seed, id),
    }
}

/// The same with the name of the test, for what no flag can say.
fn by_test(subject: Subject<'_>, one: &Planned<'_>, seed: u64, id: &str) -> (String, Option<&'static str>) {
    let name = one.case.map_or_else(|| one.test.to_owned(), |case| format!("{} / {case}", one.test));
    let mut words = format!("mailtwin explain {} --test {}", subject.command, shell_word(&name));
    if id != format!("{SEND}#1") {
        words.push_str(&format!(" --message {}", shell_word(id)));
    }
    if subject.seed.is_none() {
        words.push_str(&format!(" --seed {seed}"));
    }
    (words, None)
}

/// Nothing but addresses, a moment and where it enters.
fn is_plain(message: &Message) -> bool {
    let nothing = Message::default();
    let envelope = Envelope {
        place: nothing.envelope.place,
        by: Field::default(),
        from: Field::default(),
        to: Field::default(),
        ..message.envelope.clone()
    };
    let single = message.count.or(1) == 1 && !message.envelope.to.items().iter().any(|to| to.contains('#'));
    single && !message.gap.is_written() && envelope == nothing.envelope
}

/// An overlay that brings nothing but machines that are down, as values of `--fail`.
fn downs(given: &Scenario) -> Option<Vec<String>> {
    let rest = Scenario { faults: Named::default(), place: Scenario::default().place, ..given.clone() };
    if rest != Scenario::default() {
        return None;
    }
    given.faults.entries().iter().map(|entry| entry.value.as_ref().and_then(down)).collect()
}

fn down(fault: &Fault) -> Option<String> {
    let Fault::Down(down) = fault else { return None };
    if down.how.is_written() || down.sessions.is_written() || down.queue.is_written() {
        return None;
    }
    let (at, until) = (down.when.at.as_str(), down.when.until.as_str());
    let end = match (until, down.when.lasts.as_str(), at) {
        (Some(until), ..) => until.to_owned(),
        (None, Some(lasts), None) => lasts.to_owned(),
        (None, Some(lasts), Some(at)) => {
            let end = parse_duration(at).ok()?.checked_add(parse_duration(lasts).ok()?)?;
            format!("{}s", crate::base::seconds(end))
        }
        (None, None, _) => String::new(),
    };
    let target = down.target.as_str()?;
    Some(if at.is_none() && end.is_empty() { target.to_owned() } else { format!("{target}@{}..{end}", at.unwrap_or_default()) })
}
