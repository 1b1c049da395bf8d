//! What comes out when a small scenario is laid over a big one?
//!
//! One rule for bases, variants, changes, `given` and flags: `( )` goes field by field, `{ }` name by name, `None` takes a name away,
//! lists, texts, numbers and words are replaced whole, and so is what changes its kind. Of two fields that exclude each other the one in the
//! overlay counts. DNS text is not merged here: its layers are kept in order. Merged values keep the place where they were written.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::read::{Fields, Part, Value};
use super::schema::{Scenario, Test};
use super::source::{Entry, Named, Text};
use crate::diag::{Diagnostic, code};

/// What goes on while one thing is laid over another.
#[derive(Debug, Default)]
pub struct Merger {
    /// Both are overlays themselves: `None` stays, to be obeyed later.
    composing: bool,
    problems: Vec<Diagnostic>,
}

impl Merger {
    /// Works inside a value that may itself be an overlay.
    pub(super) fn inside(&mut self, overlay: bool, work: impl FnOnce(&mut Self)) {
        let before = self.composing;
        self.composing |= overlay;
        work(self);
        self.composing = before;
    }

    /// Notes a `None` for a name that is not there, unless that is for later.
    pub(super) fn takes_nothing_away<T: Value>(&mut self, entry: &Entry<T>, from: &Named<T>) {
        if !self.composing && !T::USUAL.contains(&entry.key.as_str()) {
            self.problems.push(nothing_below(&entry.key, from));
        }
    }
}

/// What is said of a `None` that takes nothing away.
pub(super) fn nothing_below<T>(name: &Text, below: &Named<T>) -> Diagnostic {
    let message = format!("`{name}` is taken away, but nothing below has that name");
    Diagnostic::warning(code::TAKES_NOTHING_AWAY, name.span(), message).suggest(name, below.keys().map(|key| key.as_str()))
}

/// Lays `over` over `base`. A `None` for a name that is not there is noted in `problems`.
#[must_use]
pub fn overlay(base: &Scenario, over: &Scenario, problems: &mut Vec<Diagnostic>) -> Scenario {
    let mut merged = base.clone();
    let mut merger = Merger::default();
    merged.merge_fields(over, &mut merger);
    problems.append(&mut merger.problems);
    merged
}

/// A base as the file that stands on it sees it: without its name, its overview and its tests.
#[must_use]
pub fn as_base(mut base: Scenario) -> Scenario {
    let nothing = Scenario::default();
    base.name = nothing.name;
    base.overview = nothing.overview;
    base.tests = nothing.tests;
    base.base = nothing.base;
    base
}

/// Of two fields that exclude each other, each below and in the overlay: if the overlay has one of them, the other is forgotten.
pub(super) fn one_of_two<A: Part, B: Part>((old_a, new_a): (&mut A, &A), (old_b, new_b): (&mut B, &B)) {
    match (new_a.is_there(), new_b.is_there()) {
        (true, false) => *old_b = B::default(),
        (false, true) => *old_a = A::default(),
        (true, true) | (false, false) => {}
    }
}

impl<T: Value> Named<T> {
    /// Name by name.
    pub(super) fn lay_over(&mut self, over: &Self, merger: &mut Merger) {
        if over.span.is_somewhere() {
            self.span = over.span;
        }
        let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            places.insert(entry.key.shared(), at);
        }
        let mut gone = Vec::new();
        for new in &over.entries {
            let stays = merger.composing || T::USUAL.contains(&new.key.as_str());
            let Some(at) = places.get(new.key.as_str()).copied() else {
                match &new.value {
                    None if !stays => merger.takes_nothing_away(new, self),
                    None => self.add(new, &mut places),
                    Some(value) => {
                        self.add(new, &mut places);
                        if !T::IS_OVERLAY {
                            value.nones(merger);
                        }
                    }
                }
                continue;
            };
            let old = &mut self.entries[at];
            match (&mut old.value, &new.value) {
                (Some(old), Some(new)) => merger.inside(T::IS_OVERLAY, |merger| old.merge(new, merger)),
                (None, Some(_)) => *old = new.clone(),
                (_, None) if stays => *old = new.clone(),
                (Some(_), None) => gone.push(at),
                (None, None) => {}
            }
        }
        let mut at = 0;
        self.entries.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
    }

    fn add(&mut self, new: &Entry<T>, places: &mut BTreeMap<Arc<str>, usize>) {
        places.insert(new.key.shared(), self.entries.len());
        self.entries.push(new.clone());
    }
}

/// A test, or one of its cases, ready to be played.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<'a> {
    /// The name of the test.
    pub test: &'a str,
    /// The name of the case, if the test has cases.
    pub case: Option<&'a str>,
    /// The fields of the case laid over those of the test; what both expect stands one after the other. Its `given` is empty.
    pub fields: Test,
    /// What the test and the case lay over the scenario, in that order.
    pub given: Vec<&'a Scenario>,
}

/// All tests of a scenario, each case on its own, in the order they are written.
#[must_use]
pub fn cases(scenario: &Scenario) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for (name, test) in scenario.tests.iter() {
        let (nothing, test_name) = (Test::default(), name.as_str());
        let given: Vec<&Scenario> = test.given.get().into_iter().collect();
        let whole = Test { cases: Named::default(), given: nothing.given.clone(), ..test.clone() };
        if test.cases.is_empty() {
            cases.push(Case { test: test_name, case: None, fields: whole, given });
            continue;
        }
        for (case_name, case) in test.cases.iter() {
            let mut fields = whole.clone();
            let mut expect = test.expect.items().to_vec();
            expect.extend_from_slice(case.expect.items());
            let over = Test { cases: Named::default(), given: nothing.given.clone(), ..case.clone() };
            fields.merge_fields(&over, &mut Merger { composing: true, ..Merger::default() });
            if test.expect.is_written() || case.expect.is_written() {
                let place = if case.expect.is_written() { case.expect.span() } else { test.expect.span() };
                fields.expect = super::source::Field::written(expect, place);
            }
            let mut given = given.clone();
            given.extend(case.given.get());
            cases.push(Case { test: test_name, case: Some(case_name.as_str()), fields, given });
        }
    }
    cases
}
