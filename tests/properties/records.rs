//! What does a single record change that nobody used? Nothing: a record that no row of a message asks for, nor one that was only handed out.
//!
//! A list of addresses comes in an order of luck, and each address has its own: without one of them the others keep their order. So the first law is
//! strengthened: a record may even stand in the list of candidates; as long as nobody connected to its address, it is not missed. That holds for one of
//! several addresses in any world, and for one of several MX records where a host that stands in a list can be used (the worlds of `calm.rs`): an MX that
//! cannot be found, or that is the sender itself, counts without any connection.
//!
//! A record of a machine that says no `addresses` of its own is also a fact about that machine; here each says them.
//!
//! It holds where the answers of DNS come in an order of luck (`answer_order: Random`, the default) or as written. With `Rotated` it cannot hold: there
//! the n-th answer begins with record n modulo their number, so that the number itself decides.

use super::calm::{TAKES_ALL, alone, calm_law};
use super::*;
use std::cell::Cell;

/// Owner, type and data of a record.
fn parts(record: &str) -> (&str, &str, &str) {
    let mut words = record.split_whitespace();
    let owner = words.next().expect("an owner");
    let kind = words.nth(2).expect("a type");
    (owner, kind, words.next_back().unwrap_or_default())
}

fn without(world: &World, gone: usize) -> World {
    let mut smaller = world.clone();
    smaller.records.remove(gone);
    smaller
}

/// The same world where each machine says its addresses itself: else a record less is also another machine, maybe without IPv6.
fn addressed(mut world: World) -> World {
    for system in world.systems.iter_mut().filter(|system| system.starts_with("\"mx")) {
        let hostname = format!("{}.test", &system[1..4]);
        let own = world.records.iter().map(|record| parts(record)).filter(|(owner, ..)| owner.trim_end_matches('.') == hostname);
        let own: Vec<String> = own.map(|(.., address)| format!("\"{address}\"")).collect();
        let known = format!("hostname: \"{hostname}\"");
        *system = system.replace(&known, &format!("{known}, addresses: [{}]", own.join(", ")));
    }
    world
}

/// Another record of the same owner and type is there.
fn is_one_of_several(world: &World, at: usize) -> bool {
    let (owner, kind, _) = parts(&world.records[at]);
    world.records.iter().filter(|other| parts(other).0 == owner && parts(other).1 == kind).count() > 1
}

/// The course of the message in a world, and the questions that any of its copies asked; nothing if the world cannot be (a change speaks of what is gone).
fn told(world: &World) -> Option<(String, BTreeSet<String>)> {
    let loaded = load_text("a smaller world", &world.text()).ok()?;
    let run = engine::run(&loaded.model, &Options { level: level::STEPS, ..Options::default() });
    let outcome = analysis::build(&loaded.model, &run);
    let asked = run.trace.lookups.iter().map(|row| format!("{} {}", run.tables.names.text(row.name), row.kind));
    Some((course(&outcome).join("\n"), asked.collect()))
}

/// A text that holds `word`, not as a part of a longer name or address.
fn names(text: &str, word: &str) -> bool {
    let inside = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b':');
    text.match_indices(word).any(|(at, _)| {
        let bytes = text.as_bytes();
        !inside(at.checked_sub(1).and_then(|before| bytes.get(before))) && !inside(bytes.get(at + word.len()))
    })
}

/// Which records may go, given the course of the only message and its questions.
type Choice = fn(&World, usize, &str, &BTreeSet<String>) -> bool;

/// Removes one record of the chosen ones from each world; how many could be compared, and how many courses changed.
fn removing(name: &str, may_go: Choice, is_law: bool) -> (usize, usize) {
    let (compared, changed) = (Cell::new(0), Cell::new(0));
    law(name, |world, choice| {
        let world = addressed(alone(world));
        let Some((before, asked)) = told(&world) else { return Ok(()) };
        let free: Vec<usize> = (0..world.records.len()).filter(|at| may_go(&world, *at, &before, &asked)).collect();
        // Each of a few, beginning somewhere.
        for step in 0..free.len().min(4) {
            let gone = free[(choice as usize).wrapping_add(step) % free.len()];
            let Some((after, _)) = told(&without(&world, gone)) else { continue };
            compared.set(compared.get() + 1);
            changed.set(changed.get() + usize::from(before != after));
            if is_law {
                prop_assert_eq!(&before, &after, "without {}", world.records[gone]);
            }
        }
        Ok(())
    });
    (compared.get(), changed.get())
}

/// No row names the record: nobody asked for it, nor for a name that exists, or belongs to the model, only because of it.
fn unnamed(world: &World, at: usize, _: &str, asked: &BTreeSet<String>) -> bool {
    let (owner, kind, _) = parts(&world.records[at]);
    let name = owner.trim_end_matches('.');
    let others = world.records.iter().filter(|other| parts(other).0 == owner).count() > 1;
    let near = |question: &String| {
        let asked = question.split(' ').next().unwrap_or_default();
        asked == name || asked.ends_with(&format!(".{name}")) || name.ends_with(&format!(".{asked}"))
    };
    !asked.contains(&format!("{name} {kind}")) && (others || !asked.iter().any(near))
}

/// One of several addresses, and nobody connected to it.
fn unused_address(world: &World, at: usize, course: &str, _: &BTreeSet<String>) -> bool {
    let (_, kind, data) = parts(&world.records[at]);
    matches!(kind, "A" | "AAAA") && is_one_of_several(world, at) && !names(course, data)
}

/// One of several addresses, and somebody did connect to it.
fn used_address(world: &World, at: usize, course: &str, _: &BTreeSet<String>) -> bool {
    let (_, kind, data) = parts(&world.records[at]);
    matches!(kind, "A" | "AAAA") && is_one_of_several(world, at) && names(course, data)
}

#[test]
fn a_record_that_no_row_names_is_not_missed() {
    let (compared, _) = removing("unnamed records", unnamed, true);
    assert!(compared >= CASES as usize, "only {compared} records");
}

#[test]
fn an_address_that_nobody_used_is_not_missed() {
    let (compared, _) = removing("unused addresses", unused_address, true);
    assert!(compared >= CASES as usize, "only {compared} records");
}

/// The twin: without an address that somebody used the course is another.
#[test]
fn an_address_that_somebody_used_is_missed() {
    let (compared, changed) = removing("unused addresses", used_address, false);
    assert!(compared >= CASES as usize / 4 && changed * 2 > compared, "{changed} of {compared}");
}

/// One of several MX records where all hosts can be found: not missed as long as nobody connected to any address of it. The twin: missed if somebody did.
#[test]
fn an_mx_record_that_nobody_used_is_not_missed() {
    for used in [false, true] {
        let (compared, changed) = (Cell::new(0), Cell::new(0));
        let held = calm_law(
            "unused MX",
            |_| TAKES_ALL,
            |calm| {
                let mut world = addressed(alone(&calm.without(None)));
                // A question takes time, be its answer used or not.
                world.resolvers.push("\"at once\": (used_by: [\"s0\", \"s1\"], latency: \"0s\")".to_owned());
                let Some((before, _)) = told(&world) else { return Ok(()) };
                for gone in 0..world.records.len() {
                    let (_, kind, data) = parts(&world.records[gone]);
                    let mut addresses = world.records.iter().map(|record| parts(record)).filter(|(owner, ..)| *owner == data);
                    if kind != "MX" || !is_one_of_several(&world, gone) || addresses.any(|(.., address)| names(&before, address)) != used {
                        continue;
                    }
                    let Some((after, _)) = told(&without(&world, gone)) else { continue };
                    compared.set(compared.get() + 1);
                    changed.set(changed.get() + usize::from(before != after));
                    if !used {
                        prop_assert_eq!(&before, &after, "without {}", &world.records[gone]);
                    }
                }
                Ok(())
            },
        );
        held.unwrap();
        assert!(compared.get() >= CASES as usize, "only {} records", compared.get());
        assert!(!used || changed.get() * 4 > compared.get(), "{} of {}", changed.get(), compared.get());
    }
}
