//! What holds in every world, whatever it looks like? Laws, tried on generated scenarios; the generator's luck is fixed, so a run is repeatable.
//!
//! Worlds are text, because declaration order and names are matters of the text. What a law found out is printed with the world that broke it.

#[path = "properties/calm.rs"]
mod calm;
#[path = "properties/records.rs"]
mod records;
#[path = "properties/world.rs"]
mod world;

use mailtwin::analysis;
use mailtwin::analysis::outcome::{Kind, Message, Outcome, Recipient};
use mailtwin::base::{ConnectionResult, Fate};
use mailtwin::diag::{Style, render};
use mailtwin::engine::{self, Options, Run};
use mailtwin::report::json::run_json;
use mailtwin::scenario::load_text;
use mailtwin::trace::level;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use world::{MACHINES, World, any_world};

const CASES: u32 = 64;

/// Tries a law on worlds, each with a number to choose something by.
fn law(name: &str, holds: impl Fn(&World, u64) -> Result<(), TestCaseError>) {
    let mut seed = [7; 32];
    name.bytes().zip(&mut seed).for_each(|(byte, place)| *place = byte);
    // More cases, as a number in the environment, for those who have time.
    let cases = std::env::var("MAILTWIN_LAW_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let tried = runner.run(&(any_world(), any::<u64>()), |(world, choice)| {
        holds(&world, choice).map_err(|error| TestCaseError::fail(format!("{error}\n{}", world.text())))
    });
    if let Err(error) = tried {
        panic!("{name}: {error}");
    }
}

fn play_at(world: &World, level: u8) -> (Run, Outcome) {
    let loaded = load_text("a made-up world", &world.text())
        .unwrap_or_else(|invalid| panic!("{}\n{}", render(&invalid.problems, &invalid.sources, Style::Plain), world.text()));
    let run = engine::run(&loaded.model, &Options { level, ..Options::default() });
    let outcome = analysis::build(&loaded.model, &run);
    (run, outcome)
}

fn play(world: &World) -> Outcome {
    play_at(world, level::PATHS).1
}

fn recipients(outcome: &Outcome) -> impl Iterator<Item = (&Message, &Recipient)> {
    outcome.messages.iter().flat_map(|message| message.recipients.iter().map(move |recipient| (message, recipient)))
}

#[test]
fn same_seed_same_bytes() {
    law("same seed", |world, _| {
        prop_assert_eq!(run_json(&play(world)), run_json(&play(world)));
        Ok(())
    });
}

/// How much is written down changes nothing of what happens.
#[test]
fn being_watched_changes_nothing() {
    law("levels", |world, _| {
        let ends = |level| {
            let (run, _) = play_at(world, level);
            let mut fates: Vec<_> = run.trace.fates.iter().map(|row| (row.message.0, row.recipient, row.fate, row.at)).collect();
            fates.sort_unstable();
            (fates, run.counters.fates, run.events, run.ended_at)
        };
        prop_assert_eq!(ends(level::FATES), ends(level::STEPS));
        Ok(())
    });
}

#[test]
fn every_recipient_ends_exactly_once() {
    law("one fate", |world, _| {
        let (run, outcome) = play_at(world, level::PATHS);
        // A row per copy: where a reply was lost there are two for one recipient, and the tree tells the better one.
        let ended: BTreeSet<_> = run.trace.fates.iter().map(|row| (row.message.0, row.recipient)).collect();
        let queued = recipients(&outcome).filter(|(_, recipient)| recipient.fate == Fate::Queued).count();
        prop_assert!(ended.len() <= recipients(&outcome).count() && ended.len() + queued >= recipients(&outcome).count());
        prop_assert_eq!(run.counters.messages as usize, outcome.messages.len());
        if queued > 0 || run.trace.fates.len() > ended.len() {
            return Ok(());
        }
        for (at, fate) in Fate::ALL.into_iter().enumerate() {
            let told = recipients(&outcome).filter(|(_, recipient)| recipient.fate == fate).count();
            prop_assert_eq!(run.counters.fates[at] as usize, told, "{}", fate.as_str());
        }
        Ok(())
    });
}

#[test]
fn declaration_order_is_irrelevant() {
    law("order", |world, luck| {
        prop_assert_eq!(run_json(&play(world)), run_json(&play(&world.shuffled(luck))));
        Ok(())
    });
}

/// Where each recipient's mail was when, without names.
fn course(outcome: &Outcome) -> Vec<String> {
    let told = recipients(outcome).map(|(message, recipient)| {
        let mut text = format!("{} {} {} {} {:?}", message.id, recipient.to, recipient.fate.as_str(), recipient.code, recipient.at);
        for hop in &recipient.hops {
            text += &format!(" | {:?} {:?}", hop.queued_at, hop.left_at);
            for connection in hop.attempts.iter().flat_map(|attempt| &attempt.connections) {
                text += &format!(" > {:?} {} {}", connection.at, connection.address, connection.result.as_str());
            }
        }
        text
    });
    told.collect()
}

/// The part of the document that is about messages and decisions.
fn messages(outcome: &Outcome) -> String {
    let document = run_json(outcome);
    let start = document.find("\"messages\": ").expect("messages");
    document[start..document.find("\"hosts\": ").expect("hosts")].to_owned()
}

/// A system that nobody's mail touches moves nobody, whatever its name and kind, nor does mail that stays in it.
#[test]
fn an_unrelated_system_moves_nobody() {
    law("unrelated", |world, choice| {
        let name = ["aardvark", "mx", "n", "zebra"][choice as usize % 4];
        let kind = match choice >> 2 & 3 {
            0 => format!("Mta(hostname: \"{name}.other.test\", mailboxes: [\"*@{name}.other.test\"])"),
            1 => format!("ExchangeServer(mailboxes: [\"*@{name}.other.test\"], hosts: {{ \"{name}-1\": (), \"{name}-2\": () }})"),
            2 => format!(
                "ExchangeOnline(accepted_domains: {{ \"{name}.other.test\": Authoritative }}, mailboxes: [\"*@{name}.other.test\"])"
            ),
            _ => format!(
                "Mta(profile: Postfix, hostname: \"{name}.other.test\", addresses: [\"203.0.113.77\"], relay_domains: [\"{name}.other.test\"])"
            ),
        };
        let mut larger = world.clone();
        larger.systems.push(format!("\"{name}\": {kind}"));
        larger.records.push(format!("{name}.other.test. 300 IN MX 10 {name}.other.test."));
        larger.records.push(format!("{name}.other.test. 300 IN A 203.0.113.77"));
        if !kind.starts_with("ExchangeOnline") {
            // (A tenant has no machines of its own that could be down.)
            larger.faults.push(format!("\"of {name}\": Down(target: \"{name}\", at: \"5m\")"));
        }
        let talks = choice >> 4 & 1 == 1 && kind.contains("mailboxes");
        if talks {
            let people = format!("from: \"x@{name}.other.test\", to: [\"y@{name}.other.test\"]");
            larger.traffic.push(format!("\"a of {name}\": Message(count: 3, gap: \"1m\", by: \"{name}\", {people})"));
        }
        let (small, large) = (play(world), play(&larger));
        let theirs = course(&large).into_iter().filter(|line| !line.starts_with("a of ")).collect::<Vec<_>>();
        prop_assert_eq!(course(&small), theirs);
        if !kind.starts_with("ExchangeOnline") && !talks {
            // Beside a second tenant the shared service is called by its own name; else even the words are the same.
            prop_assert_eq!(messages(&small), messages(&large));
        }
        Ok(())
    });
}

#[test]
fn time_never_goes_back() {
    law("time", |world, _| {
        let outcome = play(world);
        for (message, recipient) in recipients(&outcome) {
            let mut now = message.sent_at;
            for hop in &recipient.hops {
                prop_assert!(hop.queued_at >= now, "{}: queued before it came", message.id);
                now = hop.queued_at;
                for attempt in &hop.attempts {
                    prop_assert!(attempt.at >= now, "{}: an attempt at {:?} before {now:?}", message.id, attempt.at);
                    now = attempt.at;
                    for connection in &attempt.connections {
                        prop_assert!(connection.at >= now, "{}: a connection at {:?} before {now:?}", message.id, connection.at);
                        prop_assert!(connection.end >= connection.at, "{}: a connection that ends before it begins", message.id);
                        now = connection.at;
                    }
                    prop_assert!(attempt.end >= now, "{}: an attempt that ends before its connections begin", message.id);
                    now = attempt.end;
                    prop_assert!(attempt.next_at.is_none_or(|next| next > attempt.at), "{}: the next attempt is no later", message.id);
                }
                prop_assert!(hop.left_at >= hop.queued_at, "{}: left before it came", message.id);
                now = hop.left_at;
            }
            prop_assert!(recipient.at >= message.sent_at && recipient.at <= outcome.ended_at, "{}: ends outside of its time", message.id);
        }
        Ok(())
    });
}

#[test]
fn a_dark_host_receives_nothing() {
    law("dark", |world, choice| {
        let dark = format!("mx{}", choice as usize % MACHINES);
        let mut night = world.clone();
        night.faults.retain(|fault| !fault.contains(&format!("\"down {dark}\"")));
        night.faults.push(format!("\"night\": Down(target: \"{dark}\")"));
        let outcome = play(&night);
        for (message, recipient) in recipients(&outcome) {
            for hop in &recipient.hops {
                prop_assert!(hop.to.as_ref().is_none_or(|place| *place.host != *dark), "{} reached {dark}", message.id);
                let there = hop.attempts.iter().flat_map(|attempt| &attempt.connections);
                let mut there = there.filter(|connection| connection.to.as_ref().is_some_and(|place| *place.host == *dark));
                prop_assert!(
                    there.all(|connection| connection.result != ConnectionResult::Accepted),
                    "{} was accepted by {dark}",
                    message.id
                );
            }
        }
        Ok(())
    });
}

/// What was not delivered and is not under way any more came back to its sender, once per recipient, unless it was a report itself.
#[test]
fn nothing_is_lost() {
    law("nothing lost", |world, _| {
        let outcome = play(world);
        // A reply gets lost by a fault, or because the server works longer than the client waits.
        let slow = world.systems.iter().any(|system| system.contains("service_time: \"11m\""));
        let doubles = slow || world.faults.iter().any(|fault| fault.contains("FinalDot"));
        let mut reported: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for report in outcome.messages.iter().filter(|message| message.kind == Kind::Dsn) {
            let parent = report.parent.as_deref().expect("a report speaks of a message");
            report.report.iter().for_each(|line| *reported.entry((parent, &line.recipient)).or_default() += 1);
        }
        for (message, recipient) in recipients(&outcome) {
            let reports = reported.get(&(&*message.id, &*recipient.to)).copied().unwrap_or(0);
            let wanted = match recipient.fate {
                Fate::Delivered | Fate::LeftModel | Fate::Queued => 0,
                Fate::Bounced | Fate::Expired | Fate::Looped => usize::from(message.kind == Kind::Mail),
                other => return Err(TestCaseError::fail(format!("{}: {} in a world that cannot do that", message.id, other.as_str()))),
            };
            // Where a reply was lost two servers have the message, and what becomes of the other copy is reported too.
            let enough = if doubles { reports >= wanted } else { reports == wanted };
            prop_assert!(enough, "{} to {}: {}, and {reports} reports", message.id, recipient.to, recipient.fate.as_str());
        }
        Ok(())
    });
}
