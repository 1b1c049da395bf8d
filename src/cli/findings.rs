//! What is said about a scenario: about the file itself, about each of its variants, and about what each of its tests makes of it?
//!
//! A problem that only an overlay brings is shown where the overlaid text stands, which may well be right as it is: so the overlay is shown beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::input::{open, stem};
use crate::diag::{Diagnostic, Severity, Sources, Span, Style, code, in_file_order, render};
use crate::scenario::{Invalid, Loaded};
use crate::verify::{SEND, check_expectations, plan};

/// What was said about one scenario.
#[derive(Debug)]
pub struct Findings {
    /// The texts that the places point into.
    pub sources: Sources,
    /// In file order.
    pub problems: Vec<Diagnostic>,
    /// The file itself, not only a variant or a test of it, has something in it that no source decides.
    pub undecided: bool,
}

impl Findings {
    /// How many of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.problems.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Can the scenario not be used?
    pub fn failed(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// The pictures, one after the other; styles are stripped on their way out where nobody wants them.
    pub fn text(&self, style: Style) -> String {
        render(&self.problems, &self.sources, style)
    }

    /// The same for programs.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.problems.iter().map(|problem| problem.to_json(&self.sources)).collect()
    }
}

/// Reads and checks a scenario, alone, with each of its variants, and as each of its tests wants it.
///
/// # Errors
/// The file that was named cannot be read. (What a scenario mentions and cannot be read is a problem of the scenario.)
pub fn check(path: &Path) -> io::Result<Findings> {
    let (loader, scenario) = open(path)?;
    let loaded = match Loaded::finish(loader, scenario, &stem(path)) {
        Ok(loaded) => loaded,
        Err(invalid) => return Ok(invalid.into()),
    };
    let undecided = loaded.warnings.iter().any(|problem| problem.code == code::EQUALLY_CLOSE);
    let mut findings = Findings { sources: loaded.loader.sources.clone(), problems: loaded.warnings.clone(), undecided };
    findings.problems.extend(check_expectations(&loaded.tree));
    let mut overlays = Overlays::beside(&findings.problems);
    for (name, variant) in loaded.tree.variants.iter() {
        let world = loaded.with(&[variant]);
        overlays.add("variant", name.span(), world.map_or_else(|invalid| invalid.problems, |world| world.warnings));
    }
    for planned in plan(&loaded.tree, None).iter().filter(|planned| !planned.fields.skip.is_written() && !planned.for_invariants) {
        let problems = match loaded.with(&planned.overlays) {
            Ok(world) => {
                let sent = planned.send().and_then(|message| world.send(SEND, message).err());
                world.warnings.into_iter().chain(sent.into_iter().flatten()).collect()
            }
            Err(invalid) => invalid.problems,
        };
        overlays.add("test", planned.place, problems);
    }
    findings.problems.extend(overlays.problems());
    in_file_order(&mut findings.problems);
    Ok(findings)
}

/// Which problems are the same: place, code, message.
type Key = (Span, &'static str, String);

fn key(problem: &Diagnostic) -> Key {
    (problem.span, problem.code.id, problem.message.clone())
}

/// Problems that the file alone does not have.
struct Overlays {
    of_the_file: BTreeSet<Key>,
    found: BTreeMap<Key, Found>,
}

/// A problem, the kind and name of the first overlay that brings it, and how many others of the kind do.
struct Found {
    problem: Diagnostic,
    kind: &'static str,
    name: Span,
    others: usize,
}

impl Overlays {
    fn beside(problems: &[Diagnostic]) -> Self {
        Self { of_the_file: problems.iter().map(key).collect(), found: BTreeMap::new() }
    }

    /// What is wrong under one overlay; a test that plays a variant is not guilty of what is wrong with the variant.
    fn add(&mut self, kind: &'static str, name: Span, problems: Vec<Diagnostic>) {
        for problem in problems {
            let key = key(&problem);
            if self.of_the_file.contains(&key) {
                continue;
            }
            match self.found.get_mut(&key) {
                Some(found) if found.name != name && found.kind == kind => found.others += 1,
                Some(_) => {}
                None => drop(self.found.insert(key, Found { problem, kind, name, others: 0 })),
            }
        }
    }

    fn problems(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_values().map(|Found { problem, kind, name, others }| {
            let label = match others {
                0 => format!("only in this {kind}"),
                1 => format!("only in this {kind} and one other"),
                _ => format!("only in this {kind} and {others} others"),
            };
            problem.also(name, label)
        })
    }
}

impl From<Invalid> for Findings {
    fn from(invalid: Invalid) -> Self {
        Self { sources: invalid.sources, problems: invalid.problems, undecided: false }
    }
}
