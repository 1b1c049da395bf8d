//! Which worlds must be played for the tests of a scenario, and what is expected of each?
//!
//! A case is laid over its test, and both over the scenario: variant, the test's `given`, the case's. What both expect adds up. Invariants hold in
//! every test, and in the file's own run and that of each variant, which are played for them if no test does. A problem in one test leaves the others alone.

use super::idle::refuse_idle_words;
use super::names::Names;
use super::verdict::{Prepared, prepare};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::merge::cases;
use crate::scenario::overlay;
use crate::scenario::schema::{Expectation, Message, Scenario, Test};
use crate::scenario::source::Text;

/// A test is played with so many seeds at most.
const SEEDS_MAX: u64 = 10_000;

/// One world that is played and judged.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The name of the test.
    pub test: &'a str,
    /// The name of the case.
    pub case: Option<&'a str>,
    /// Where the name of the case, or of the test, is written; nowhere for a run that only invariants need.
    pub place: Span,
    /// The variant that it plays.
    pub variant: Option<&'a str>,
    /// Only invariants are judged.
    pub for_invariants: bool,
    /// The fields of test and case.
    pub fields: Test,
    /// What is laid over the scenario, in this order.
    pub overlays: Vec<&'a Scenario>,
    /// Those of `overlays` that are no variant.
    pub given: Vec<&'a Scenario>,
    /// The seed of its first run.
    pub seed: u64,
    pub(super) checks: Vec<Check>,
    /// Why it cannot be played.
    pub problems: Vec<Diagnostic>,
}

/// One expectation of a case, or an invariant.
#[derive(Debug)]
pub(super) struct Check {
    pub prepared: Prepared,
    pub invariant: Option<String>,
}

impl Planned<'_> {
    /// The message that plays alone.
    #[must_use]
    pub fn send(&self) -> Option<&Message> {
        self.fields.send.get()
    }

    /// Two cases with equal keys play the same world.
    pub(super) fn world(&self) -> Option<(Option<&str>, Vec<*const Scenario>, Option<&str>)> {
        let given = self.given.iter().map(|given| std::ptr::from_ref(*given)).collect();
        self.send().is_none().then(|| (self.variant, given, self.fields.until.as_str()))
    }

    pub(super) fn is_skipped(&self) -> bool {
        self.fields.skip.is_written()
    }
}

/// Plans all tests of a scenario in file order, then the runs that only invariants need. `seed` is one from outside.
#[must_use]
pub fn plan<'a>(scenario: &'a Scenario, seed: Option<u64>) -> Vec<Planned<'a>> {
    let bare = Scenario { changes: scenario.changes.clone(), ..scenario.bare() };
    let desk = Planner { scenario, bare, names: Names::of(scenario), seed };
    let mut planned: Vec<Planned<'a>> = Vec::new();
    for case in cases(scenario) {
        planned.push(desk.planned(case.test, case.case, case.fields, case.given));
    }
    refuse_idle_words(&mut planned);
    if !scenario.invariants.is_empty() {
        let own = std::iter::once(None).chain(scenario.variants.keys().map(|name| Some(name.as_str())));
        for variant in own {
            planned.extend(desk.for_invariants(variant, &planned));
        }
    }
    planned
}

/// Every problem in the expectations of a scenario, those of skipped tests aside: names that nothing has, values, what cannot be answered yet.
#[must_use]
pub fn check_expectations(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut problems: Vec<Diagnostic> =
        plan(scenario, None).into_iter().filter(|planned| !planned.is_skipped()).flat_map(|planned| planned.problems).collect();
    let names = Names::of(scenario);
    problems.extend(scenario.invariants.iter().filter_map(|(_, invariant)| prepare(invariant, &names).err()).flatten());
    crate::diag::in_file_order(&mut problems);
    problems
}

struct Planner<'a> {
    scenario: &'a Scenario,
    /// Without tests and variants, for what is laid over it.
    bare: Scenario,
    names: Names,
    seed: Option<u64>,
}

impl<'a> Planner<'a> {
    fn planned(&self, test: &'a str, case: Option<&'a str>, fields: Test, given: Vec<&'a Scenario>) -> Planned<'a> {
        let mut problems = vec![];
        let variant = fields.variant.get().and_then(|name| self.variant(name, &mut problems));
        let overlays: Vec<&Scenario> = variant.iter().map(|(_, overlay)| *overlay).chain(given.iter().copied()).collect();
        let mut merged = self.bare.clone();
        for over in &overlays {
            // What is odd about the overlay itself is said by whoever plays the world.
            merged = overlay(&merged, over, &mut vec![]);
        }
        let names = self.names.clone().and(&merged);
        let mut planned = Planned {
            test,
            case,
            place: self.place_of(test, case),
            variant: variant.map(|(name, _)| name),
            for_invariants: false,
            overlays,
            given,
            seed: self.seed.unwrap_or(merged.seed.or(0)),
            checks: vec![],
            problems,
            fields,
        };
        let expected = planned.fields.expect.items().to_vec();
        expected.iter().for_each(|expectation| planned.expect(expectation, None, &names));
        for (name, invariant) in merged.invariants.iter() {
            planned.expect(invariant, Some(name.to_string()), &names);
        }
        let seeds = &planned.fields.seeds;
        if !(1..=SEEDS_MAX).contains(&seeds.or(1)) {
            let problem = Diagnostic::error(code::RANGE, seeds.span(), format!("`seeds` is 1 to {SEEDS_MAX}, and this is {}", seeds.or(1)));
            planned.problems.push(problem.help("so many runs are played, each with luck of its own: write how many"));
        }
        if planned.checks.is_empty() && planned.problems.is_empty() {
            let problem = Diagnostic::error(code::MISSING, planned.place, "this test expects nothing");
            let of_base = if self.scenario.base.is_written() { "; the tests of the base stay with it" } else { "" };
            planned.problems.push(problem.help(format!("write `expect: [ … ]`{of_base}")));
        }
        planned
    }

    fn place_of(&self, test: &str, case: Option<&str>) -> Span {
        let found = self.scenario.tests.iter().find(|(name, _)| name.as_str() == test);
        let of_case = found.and_then(|(_, test)| test.cases.keys().find(|name| Some(name.as_str()) == case));
        of_case.or(found.map(|(name, _)| name)).map_or(Span::NOWHERE, Text::span)
    }

    fn variant(&self, name: &Text, problems: &mut Vec<Diagnostic>) -> Option<(&'a str, &'a Scenario)> {
        let found = self.scenario.variants.iter().find(|(key, _)| key.as_str() == name.as_str());
        if found.is_none() {
            let problem = Diagnostic::error(code::UNKNOWN_NAME, name.span(), format!("no variant is called `{name}`"));
            problems.push(problem.suggest(name, self.scenario.variants.keys().map(Text::as_str)));
        }
        found.map(|(key, overlay)| (key.as_str(), overlay))
    }

    /// A run that no test judges yet; none if there is no traffic in it.
    fn for_invariants(&self, variant: Option<&'a str>, others: &[Planned<'a>]) -> Option<Planned<'a>> {
        let written = variant.and_then(|name| self.scenario.variants.keys().find(|key| key.as_str() == name));
        let mut fields = Test::default();
        if let Some(name) = written {
            fields.variant = crate::scenario::Field::written(name.clone(), name.span());
        }
        let planned = Planned { for_invariants: true, ..self.planned("invariants", variant, fields, vec![]) };
        let moves = planned.overlays.iter().fold(self.scenario.clone(), |merged, over| overlay(&merged, over, &mut vec![]));
        let judged = others.iter().any(|other| other.world() == planned.world() && !other.is_skipped());
        (!moves.traffic.is_empty() && !judged).then_some(planned)
    }
}

impl Planned<'_> {
    fn expect(&mut self, expectation: &Expectation, invariant: Option<String>, names: &Names) {
        match prepare(expectation, names) {
            Ok(prepared) => self.checks.push(Check { prepared, invariant }),
            Err(mut problems) => self.problems.append(&mut problems),
        }
    }
}
