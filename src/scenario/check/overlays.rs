//! Does every field act where it stands? A variant and a test's `given` are written like a scenario, and some fields of one mean nothing there.
//!
//! They are refused, not ignored: who writes a test into a variant would believe that it is played. Dated changes have fields of their own, so that
//! nothing strange can be read there. Whether `traffic` or `until` of a `given` act depends on what the test sends (`verify::plan`).

use crate::diag::{Diagnostic, Span, code};
use crate::scenario::schema::{Scenario, Test};

/// Every field of an overlay that nothing would ever read.
pub(in crate::scenario) fn without_effect(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, variant) in scenario.variants.iter() {
        let tests = format!("tests stand beside `variants` and name theirs: tests: {{ \"…\": (variant: \"{name}\", …) }}");
        let variants = "variants do not stand inside each other: write it beside this one; `--variant` twice lays one over the other";
        let fields =
            [("base", variant.base.span(), BASE), ("tests", variant.tests.span(), &tests), ("variants", variant.variants.span(), variants)];
        refuse("a variant", &fields, &mut problems);
    }
    for (_, test) in scenario.tests.iter() {
        of_test(test, &mut problems);
        for (_, case) in test.cases.iter() {
            let fields = [("cases", case.cases.span(), "cases do not stand inside each other: write each beside this one")];
            refuse("a case", &fields, &mut problems);
            of_test(case, &mut problems);
        }
    }
    problems
}

const BASE: &str = "a base belongs to a whole file: write `base` at its top level";

fn of_test(test: &Test, problems: &mut Vec<Diagnostic>) {
    let Some(given) = test.given.get() else { return };
    let fields = [
        ("name", given.name.span(), "the name of a test stands before its colon: tests: { \"name\": (given: …) }"),
        ("overview", given.overview.span(), "nobody is shown it: write it as a comment, // …"),
        ("base", given.base.span(), BASE),
        ("variants", given.variants.span(), "a variant stands at the top level, and the test names it: variant: \"…\""),
        ("tests", given.tests.span(), "several tests with one `given` are its `cases`: (given: …, cases: { \"…\": (expect: […]) })"),
    ];
    refuse("a `given`", &fields, problems);
}

fn refuse(what: &str, fields: &[(&str, Span, &str)], problems: &mut Vec<Diagnostic>) {
    for (field, span, help) in fields.iter().filter(|(_, span, _)| span.is_somewhere()) {
        problems.push(Diagnostic::error(code::UNKNOWN_FIELD, *span, format!("`{field}` does nothing in {what}")).help(*help));
    }
}
