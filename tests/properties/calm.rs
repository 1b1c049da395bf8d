//! Laws that hold only where nobody stands in another's way: senders by the RFC, machines of equal kind that take everything, no limits, no memory of
//! earlier visits (greylisting, `times`), names that stay as they are. Limits break them, rightly: Postfix's five addresses hide a sixth host that works.
//!
//! Compared is the rank of each recipient's fate when the run stops: delivered, still under way, given up. Each law has a twin with a false premise that
//! must break it, so that nobody trusts a law that cannot fail.

use super::*;
use mailtwin::analysis::outcome::Place;
use mailtwin::base::SimTime;
use proptest::collection::vec;
use proptest::sample::select;
use std::cell::Cell;
use world::more_addresses;

/// A world where the only trouble is faults of machines, by machine.
#[derive(Clone, Debug)]
pub struct Calm {
    pub world: World,
    /// Faults of `mx0` and so on, each to be repaired as a whole.
    faults: Vec<Vec<String>>,
    /// Which machine is repaired, or where one more stands.
    pub choice: usize,
}

/// `mailboxes` says what a machine takes, by its number.
fn calm(mailboxes: fn(usize) -> &'static str) -> impl Strategy<Value = Calm> {
    let mx = (select(vec![10_u16, 10, 20, 30]), 0..MACHINES).prop_map(|(preference, host)| format!("MX {preference} mx{host}.test."));
    let domain = prop_oneof![9 => vec(mx, 1..4), 1 => (1..=MACHINES).prop_map(|at| vec![format!("A 192.0.2.{at}")])];
    let window = prop_oneof![
        2 => Just(String::new()),
        3 => (0_u32..20, 1_u32..200).prop_map(|(at, lasts)| format!(", at: \"{at}m\", lasts: \"{lasts}m\"")),
    ];
    let code = select(vec!["421 4.3.2 busy", "450 4.2.1 later", "550 5.7.1 no", "554 5.3.2 no"]);
    let phase = select(vec!["Banner", "Ehlo", "Mail", "Rcpt", "Data", "FinalDot"]);
    let fault = prop_oneof![
        3 => (select(vec!["Silent", "Refused", "Unreachable"]), window.clone())
            .prop_map(|(how, window)| format!("Down(TARGET, how: {how}{window})")),
        1 => (1_u32..40, 1_u32..20).prop_map(|(up, down)| format!("Flapping(TARGET, up: \"{up}m\", down: \"{down}m\")")),
        3 => (phase.clone(), code, select(vec!["", ", probability: \"40%\""]), window.clone())
            .prop_map(|(phase, code, luck, window)| format!("Reply(TARGET, phase: {phase}, code: \"{code}\"{luck}{window})")),
        2 => (phase, select(vec!["Close", "Reset"]), window.clone())
            .prop_map(|(phase, how, window)| format!("Drop(TARGET, phase: {phase}, how: {how}{window})")),
        1 => (select(vec!["Missing", "HandshakeFails", "Closes"]), window).prop_map(|(how, window)| format!("Starttls(TARGET, how: {how}{window})")),
    ];
    let faults = vec(prop_oneof![2 => vec(fault, 1..2), 1 => Just(vec![])], MACHINES);
    // Whoever is up can be used by everybody, or a repaired host would cost time and bring nothing.
    let certificates = vec(select(vec!["self-signed", "public"]), MACHINES);
    let tls = vec(select(vec!["", "", ", tls: (level: Encrypt)"]), 2);
    let mail = vec((select(vec!["eve@s0.example", "bob@s1.example"]), 0..3_u32, 0..30_u32), 1..5);
    let more = vec(more_addresses(), MACHINES);
    (vec(domain, 3), faults, certificates, tls, mail, any::<u32>(), 0..MACHINES, more).prop_map(
        move |(domains, faults, certificates, tls, mail, seed, choice, more)| {
            let mut world = World { until: "3h", seed: u64::from(seed), ..World::default() };
            for (at, records) in domains.into_iter().enumerate() {
                let mut records: Vec<String> = records.into_iter().map(|record| format!("d{at}.test. 300 IN {record}")).collect();
                records.sort();
                records.dedup();
                world.records.extend(records);
            }
            for (at, certificate) in certificates.iter().enumerate() {
                world.records.push(format!("mx{at}.test. 300 IN A 192.0.2.{}", at + 1));
                world
                    .records
                    .extend(more[at].iter().map(|record| format!("mx{at}.test. 300 IN {}", record.replace("HOST", &at.to_string()))));
                let boxes = mailboxes(at);
                world.systems.push(format!("\"mx{at}\": Mta(hostname: \"mx{at}.test\", certificate: \"{certificate}\", {boxes})"));
            }
            for (at, tls) in tls.iter().enumerate() {
                world.systems.push(format!("\"s{at}\": Mta(mailboxes: [\"*@s{at}.example\"]{tls})"));
            }
            for (number, (from, domain, at)) in mail.iter().enumerate() {
                // One recipient each: those of one message are tried together, so that each would shift the other's times.
                world.traffic.push(format!("\"t{number}\": Message(at: \"{at}m\", from: \"{from}\", to: [\"ann@d{domain}.test\"])"));
            }
            let target = |at: usize, fault: &String| fault.replace("TARGET", &format!("target: \"mx{at}\""));
            let faults = faults.iter().enumerate().map(|(at, list)| list.iter().map(|fault| target(at, fault)).collect()).collect();
            Calm { world, faults, choice }
        },
    )
}

pub const TAKES_ALL: &str = "mailboxes: [\"*@d0.test\", \"*@d1.test\", \"*@d2.test\"]";

impl Calm {
    /// The world with the faults of all machines but this one.
    pub fn without(&self, repaired: Option<usize>) -> World {
        let mut world = self.world.clone();
        for (at, faults) in self.faults.iter().enumerate().filter(|(at, _)| Some(*at) != repaired) {
            world.faults.extend(faults.iter().enumerate().map(|(number, fault)| format!("\"{number} of mx{at}\": {fault}")));
        }
        world
    }
}

/// Who fared how, and which of them fared worse in the second run.
fn worse(before: &Outcome, after: &Outcome) -> Vec<String> {
    let rank = |fate: Fate| match fate {
        Fate::Delivered | Fate::LeftModel => 2,
        Fate::Queued => 1,
        _ => 0,
    };
    let fares = |outcome: &Outcome| -> BTreeMap<(String, String), Fate> {
        let mail = recipients(outcome).filter(|(message, _)| message.kind == Kind::Mail);
        mail.map(|(message, recipient)| ((message.id.to_string(), recipient.to.to_string()), recipient.fate)).collect()
    };
    let after = fares(after);
    let pairs = fares(before).into_iter().map(|(who, fate)| (fate, after[&who], who));
    let fell = pairs.filter(|(before, after, _)| rank(*after) < rank(*before));
    fell.map(|(before, after, (message, to))| format!("{message} to {to}: {}, before {}", after.as_str(), before.as_str())).collect()
}

/// Tries a law on calm worlds; says what broke it.
pub fn calm_law(
    name: &str,
    mailboxes: fn(usize) -> &'static str,
    holds: impl Fn(&Calm) -> Result<(), TestCaseError>,
) -> Result<(), String> {
    let mut seed = [11; 32];
    name.bytes().zip(&mut seed).for_each(|(byte, place)| *place = byte);
    let cases = std::env::var("MAILTWIN_LAW_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2 * CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let tried = runner.run(&calm(mailboxes), |calm| {
        holds(&calm).map_err(|error| TestCaseError::fail(format!("{error}\nmachine {}\n{}", calm.choice, calm.without(None).text())))
    });
    tried.map_err(|error| format!("{name}: {error}"))
}

fn repairing(calm: &Calm) -> Result<(), TestCaseError> {
    let fell = worse(&play(&calm.without(None)), &play(&calm.without(Some(calm.choice))));
    prop_assert!(fell.is_empty(), "{}", fell.join("\n"));
    Ok(())
}

/// A host that has its faults no more brings nobody into a worse state, at equal luck.
#[test]
fn repairing_a_host_makes_nothing_worse() {
    calm_law("repair", |_| TAKES_ALL, repairing).unwrap();
}

/// The twin: a repaired host that refuses mail for good does make it worse, for it was a backup that delivered as long as nobody heard the refusal.
#[test]
fn repairing_a_host_that_refuses_can_make_it_worse() {
    let some = |at: usize| if at == 0 { "relay_domains: [\"elsewhere.test\"]" } else { TAKES_ALL };
    assert!(calm_law("repair", some, repairing).is_err(), "this law cannot fail");
}

/// One more MX host for a domain, with these mailboxes.
fn one_more(calm: &Calm, takes: &str) -> Result<(), TestCaseError> {
    let before = calm.without(None);
    let mut after = before.clone();
    let preference = [5, 10, 20, 40][calm.world.seed as usize % 4];
    after.records.push(format!("d{}.test. 300 IN MX {preference} mx9.test.", calm.choice % 3));
    after.records.push("mx9.test. 300 IN A 192.0.2.99".to_owned());
    after.systems.push(format!("\"mx9\": Mta(hostname: \"mx9.test\", certificate: \"public\", {takes})"));
    let fell = worse(&play(&before), &play(&after));
    prop_assert!(fell.is_empty(), "MX {preference} mx9.test:\n{}", fell.join("\n"));
    Ok(())
}

/// More MX hosts of equal kind lose no mail.
#[test]
fn one_more_mx_host_loses_nothing() {
    calm_law("more", |_| TAKES_ALL, |calm| one_more(calm, TAKES_ALL)).unwrap();
}

/// The twin: a further MX host that does not know the domain does lose mail.
#[test]
fn one_more_mx_host_of_another_kind_can_lose_mail() {
    let outcome = calm_law("more", |_| TAKES_ALL, |calm| one_more(calm, "relay_domains: [\"elsewhere.test\"]"));
    assert!(outcome.is_err(), "this law cannot fail");
}

/// While a machine is down, whenever that is, nobody hands it anything.
#[test]
fn a_host_receives_nothing_while_it_is_down() {
    let (dark, met) = (Cell::new(0), Cell::new(0));
    law("while down", |world, _| {
        let outcome = play(world);
        let down: BTreeMap<&str, &[(SimTime, SimTime)]> = outcome.hosts.iter().map(|host| (&*host.name, &*host.down)).collect();
        for (message, recipient) in recipients(&outcome) {
            let at = |place: &Place, moment: SimTime| {
                down.get(&*place.host).is_some_and(|list| list.iter().any(|(from, until)| *from <= moment && moment < *until))
            };
            for (place, taken) in recipient.hops.iter().filter_map(|hop| Some((hop.to.as_ref()?, hop.left_at))) {
                prop_assert!(!at(place, taken), "{}: in the queue of {} at {taken:?} while it was down", message.id, place.host);
            }
            let connections = recipient.hops.iter().flat_map(|hop| &hop.attempts).flat_map(|attempt| &attempt.connections);
            for connection in connections {
                let Some(place) = &connection.to else { continue };
                dark.set(dark.get() + usize::from(at(place, connection.at)));
                met.set(met.get() + usize::from(connection.result == ConnectionResult::Accepted));
                let took = connection.result == ConnectionResult::Accepted && at(place, connection.end);
                prop_assert!(!took, "{}: {} took it at {:?} while it was down", message.id, place.host, connection.end);
            }
        }
        Ok(())
    });
    // Both were seen often: machines that somebody called while they were down, and machines that took mail.
    assert!(dark.get() > 100 && met.get() > 100, "{} {}", dark.get(), met.get());
}

/// The world with one message only, so that nobody can stand in its way.
pub fn alone(world: &World) -> World {
    let mut world = world.clone();
    world.traffic.truncate(1);
    let entry = &mut world.traffic[0];
    let from = entry.find("from: ").expect("a sender");
    *entry = format!("\"t0\": Message({}", &entry[from..]);
    world
}

/// Takes a name out of a world: its system, its records and those that lead to it, and whatever speaks of it.
fn remove(world: &World, name: &str) -> World {
    let mut smaller = world.clone();
    let World { records, systems, faults, changes, resolvers, links, .. } = &mut smaller;
    for list in [records, faults, changes, resolvers, links] {
        list.retain(|entry| !entry.contains(name));
    }
    systems.retain(|entry| !entry.starts_with(&format!("\"{name}\"")));
    smaller
}

/// Compares the course of the only message with and without one of the names that it met, or did not meet. Says how many could be compared.
fn removal(name_of_law: &str, met: bool) -> (usize, usize) {
    let (compared, changed) = (Cell::new(0), Cell::new(0));
    law(name_of_law, |world, choice| {
        let world = alone(world);
        let told = play_at(&world, level::STEPS).1;
        let rows = messages(&told);
        let names = (0..MACHINES)
            .map(|at| format!("mx{at}"))
            .chain(["s0", "s1", "eop", "d0.test", "d1.test", "d2.test", "d3.test"].map(str::to_owned));
        let names: Vec<String> = names.filter(|name| rows.contains(&**name) == met).collect();
        let Some(name) = names.get(choice as usize % names.len().max(1)) else { return Ok(()) };
        let smaller = remove(&world, name);
        let Ok(loaded) = load_text("a smaller world", &smaller.text()) else { return Ok(()) };
        let run = engine::run(&loaded.model, &Options { level: level::STEPS, ..Options::default() });
        let outcome = analysis::build(&loaded.model, &run);
        compared.set(compared.get() + 1);
        if met {
            changed.set(changed.get() + usize::from(course(&told) != course(&outcome)));
            return Ok(());
        }
        prop_assert_eq!(course(&told), course(&outcome), "without {}", name);
        Ok(())
    });
    (compared.get(), changed.get())
}

/// What no row of a message names has no part in its fate, be it a system, its records, or its faults.
#[test]
fn what_nobody_met_is_not_missed() {
    let (compared, _) = removal("not met", false);
    assert!(compared >= CASES as usize / 3, "only {compared} worlds could be compared");
}

/// The twin: what a row does name is missed, often.
#[test]
fn what_somebody_met_is_missed() {
    let (compared, changed) = removal("not met", true);
    assert!(changed * 4 > compared, "removing what was met changed only {changed} of {compared}");
}
