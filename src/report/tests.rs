//! `test`: which tests hold, and where one does not: what was wanted, what was got, and the command that shows why.
//!
//! Text has one line per test, and the failures again at the end; JSON has the schema `mailtwin.test/1`.

use super::words::{count, spelled_names, wrap};
use super::writer::Writer;
use crate::base::{Spellings, printable};
use crate::diag::{Diagnostic, Sources, Span, Style, render};
use crate::verify::{Failure, Status, TestReport, TestResult};
use std::collections::BTreeSet;

const WIDTH: usize = 100;
/// Failures told in full of one test; more are counted.
const FAILURES_MAX: usize = 10;

/// A file after its tests.
#[derive(Debug)]
pub struct Tested {
    /// As the command line names it.
    pub file: String,
    /// The texts that places point into.
    pub sources: Sources,
    /// What came of it, or why it cannot be used.
    pub report: Result<TestReport, Vec<Diagnostic>>,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Files.
    pub files: u64,
    /// Files that have no tests.
    pub without_tests: u64,
    /// Files that cannot be used.
    pub invalid: u64,
    /// Tests and cases.
    pub tests: u64,
    by_status: [u64; 5],
}

const STATUSES: [Status; 5] = [Status::Passed, Status::Failed, Status::Skipped, Status::ExpectedFailure, Status::Error];

impl Totals {
    /// Counts.
    #[must_use]
    pub fn of(tested: &[Tested]) -> Self {
        let reports = || tested.iter().filter_map(|file| file.report.as_ref().ok());
        Self {
            files: tested.len() as u64,
            without_tests: reports().filter(|report| report.results.is_empty()).count() as u64,
            invalid: tested.iter().filter(|file| file.report.is_err()).count() as u64,
            tests: reports().map(|report| report.results.len() as u64).sum(),
            by_status: STATUSES.map(|status| reports().map(|report| report.count(status) as u64).sum()),
        }
    }

    /// Tests that ended like this.
    #[must_use]
    pub fn count(&self, status: Status) -> u64 {
        STATUSES.iter().zip(self.by_status).find(|(one, _)| **one == status).map_or(0, |(_, number)| number)
    }
}

fn name(result: &TestResult) -> String {
    let name = match (&result.case, result.for_invariants) {
        (None, true) => "invariants in the run as written".to_owned(),
        (Some(variant), true) => format!("invariants in the variant `{variant}`"),
        (None, false) => result.test.clone(),
        (Some(case), false) => format!("{} / {case}", result.test),
    };
    printable(&name).into_owned()
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Passed => "ok",
        Status::Failed => "FAILED",
        Status::Skipped => "skipped",
        Status::ExpectedFailure => "ok",
        Status::Error => "ERROR",
    }
}

/// For people. Problems are drawn in this style.
#[must_use]
pub fn tests_text(tested: &[Tested], style: Style) -> String {
    let mut text = String::new();
    for file in tested {
        match &file.report {
            Ok(report) if report.results.is_empty() => {
                let base = report.base.as_ref().map(|base| format!(" of its own: those of its base `{}` stay there", printable(base)));
                text += &format!("{}: no tests{}\n", printable(&file.file), base.unwrap_or_default());
            }
            Ok(report) => {
                text += &format!("{}, seed {}\n", printable(&file.file), report.seed);
                report.results.iter().for_each(|result| text += &line(result));
            }
            Err(_) => text += &format!("{}: invalid\n", printable(&file.file)),
        }
    }
    for file in tested {
        match &file.report {
            Ok(report) => {
                let told: String = report.results.iter().map(|result| wrong(result, file, style)).collect();
                text += &told;
                text += &spelled_names(&told, &Spellings::of(file.sources.texts()));
            }
            Err(problems) => text += &format!("\n{}", render(problems, &file.sources, style)),
        }
    }
    text + &summary(&Totals::of(tested))
}

fn line(result: &TestResult) -> String {
    let why = match (result.status, &result.why) {
        (Status::ExpectedFailure, Some(why)) => format!(": fails as expected: {}", printable(why)),
        (Status::Passed, _) | (_, None) => String::new(),
        (_, Some(why)) => format!(": {}", printable(why)),
    };
    let wrong = result.failures.iter().map(|failure| failure.seed).collect::<BTreeSet<u64>>().len();
    let seeds = match (result.seeds.len(), wrong) {
        (0 | 1, _) => String::new(),
        (all, 0) => format!(" ({all} seeds)"),
        (all, wrong) => format!(" ({wrong} of {all} seeds)"),
    };
    format!("  {:7} {}{seeds}{why}\n", word(result.status), name(result))
}

fn wrong(result: &TestResult, file: &Tested, style: Style) -> String {
    let mut text = String::new();
    // A failure that was expected is no news.
    if result.status == Status::Failed {
        let mut told: Vec<String> = result.failures.iter().take(FAILURES_MAX).map(|failure| told(failure, result, &file.sources)).collect();
        if result.failures.len() > FAILURES_MAX {
            told.push(format!("  and {} more\n", result.failures.len() - FAILURES_MAX));
        }
        text += &format!("\n{}: {}\n{}", printable(&file.file), name(result), told.join("\n"));
    }
    if !result.problems.is_empty() {
        text += &format!("\n{}: {}\n{}", printable(&file.file), name(result), render(&result.problems, &file.sources, style));
    }
    text
}

fn told(failure: &Failure, result: &TestResult, sources: &Sources) -> String {
    let place =
        sources.range(failure.place).map(|(start, _)| format!("{}:{}:{}", sources.name(failure.place.file), start.line, start.column));
    let invariant = failure.invariant.as_ref().map(|name| format!("invariant `{name}`: ")).unwrap_or_default();
    let mut rows =
        vec![("at", place.unwrap_or_default()), ("expected", format!("{invariant}{}", failure.expected)), ("got", failure.got.clone())];
    if result.seeds.len() > 1 {
        rows.push(("seed", failure.seed.to_string()));
    }
    if let Some(message) = &failure.message {
        rows.push(("message", format!("{} to {}, {}", message.id, message.to, message.path)));
    }
    let mut text = String::new();
    for (what, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        text += &format!("  {what:9} {}\n", wrap(value, WIDTH - 12).join("\n            "));
    }
    if let Some(replay) = &failure.replay {
        // One line, so that it can be taken as it is.
        text += &format!("  {:9} {}\n", "explained", printable(replay));
    }
    if let Some(lacks) = failure.replay_lacks {
        text += &format!("  {:9} which lacks {lacks}\n", "");
    }
    text
}

fn summary(totals: &Totals) -> String {
    let mut parts = vec![format!("{} passed", totals.count(Status::Passed))];
    let rest = [
        (Status::Failed, "failed"),
        (Status::Error, "could not be played"),
        (Status::ExpectedFailure, "failed as expected"),
        (Status::Skipped, "skipped"),
    ];
    let told = rest.iter().map(|(status, what)| (totals.count(*status), *what));
    parts.extend(told.filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
    let files = [(totals.invalid, "invalid"), (totals.without_tests, "without tests")];
    let files = files.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {} {what}", count(*number, "file")));
    let (tests, all) = (count(totals.tests, "test"), count(totals.files, "file"));
    format!("\n{tests} in {all}: {}{}\n", parts.join(", "), files.collect::<String>())
}

/// For programs.
#[must_use]
pub fn tests_json(tested: &[Tested]) -> String {
    let totals = Totals::of(tested);
    let mut writer = Writer::new();
    writer.object(|w| {
        w.line_key("schema").string("mailtwin.test/1");
        w.line_key("version").string(env!("CARGO_PKG_VERSION"));
        w.line_key("files").lines(tested, write_file);
        w.line_key("totals").object(|w| {
            w.key("files").number(totals.files);
            w.key("files_invalid").number(totals.invalid);
            w.key("files_without_tests").number(totals.without_tests);
            w.key("tests").number(totals.tests);
            for status in STATUSES {
                w.key(status.as_str()).number(totals.count(status));
            }
        });
        w.last_line();
    });
    writer.into_text() + "\n"
}

fn write_file(w: &mut Writer, file: &Tested) {
    let (report, problems) = match &file.report {
        Ok(report) => (Some(report), &[][..]),
        Err(problems) => (None, &problems[..]),
    };
    w.object(|w| {
        w.key("file").string(&*file.file);
        w.key("scenario").string(report.map(|report| &*report.scenario));
        match report {
            Some(report) => w.key("seed").number(report.seed),
            None => w.key("seed").raw("null"),
        }
        write_problems(w.key("problems"), problems, &file.sources);
        let results = report.map_or(&[][..], |report| &report.results);
        w.key("tests").array(results, |w, result| write_result(w, result, &file.sources));
    });
}

fn write_result(w: &mut Writer, result: &TestResult, sources: &Sources) {
    w.object(|w| {
        w.key("test").string(&*result.test);
        w.key("case").string(result.case.as_deref());
        w.key("only_invariants").raw(if result.for_invariants { "true" } else { "false" });
        w.key("status").string(result.status.as_str());
        w.key("why").string(result.why.as_deref());
        w.key("tags").array(&result.tags, |w, tag| w.string(&**tag));
        w.key("seeds").array(&result.seeds, |w, seed| w.number(*seed));
        w.key("failures").array(&result.failures, |w, failure| write_failure(w, failure, sources));
        write_problems(w.key("problems"), &result.problems, sources);
    });
}

fn write_failure(w: &mut Writer, failure: &Failure, sources: &Sources) {
    w.object(|w| {
        w.key("expected").string(&*failure.expected);
        w.key("got").string(&*failure.got);
        w.key("invariant").string(failure.invariant.as_deref());
        write_place(w.key("place"), failure.place, sources);
        w.key("seed").number(failure.seed);
        match &failure.message {
            Some(message) => w.key("message").object(|w| {
                w.key("id").string(&*message.id);
                w.key("to").string(&*message.to);
                w.key("path").string(&*message.path);
            }),
            None => w.key("message").raw("null"),
        }
        w.key("explained").string(failure.replay.as_deref());
        w.key("explained_lacks").string(failure.replay_lacks);
    });
}

fn write_place(w: &mut Writer, place: Span, sources: &Sources) {
    match sources.range(place) {
        Some((start, end)) => w.object(|w| {
            w.key("file").string(sources.name(place.file));
            for (key, value) in [("line", start.line), ("column", start.column), ("end_line", end.line), ("end_column", end.column)] {
                w.key(key).number(value as u64);
            }
        }),
        None => w.raw("null"),
    }
}

fn write_problems(w: &mut Writer, problems: &[Diagnostic], sources: &Sources) {
    w.array(problems, |w, problem| w.raw(&problem.to_json(sources).to_string()));
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::analysis::fixture::two_sites;
    use crate::scenario::Loader;
    use crate::verify::{Subject, run_tests};

    const SCENARIO: &str = r#"Scenario(
    name: "Two sites", seed: 42,
    systems: { "eop": ExchangeOnline(), "exchange": ExchangeServer(hosts: { "site-a": (), "site-b": () }) },
    traffic: { "inbound": Message() },
    variants: { "other": (until: "9h") },
    invariants: { "never B": Not(Via(["site-b"])) },
    tests: {
        "all well": (expect: [Via(["eop"])], cases: {
            "to A": (expect: [Delivered(to: "site-a")]),
            "twice": (seeds: 2, expect_fail: "known"),
            "often": (seeds: 2, expect: [Queue(at_most: 0)]),
        }),
        "later": (skip: "no time"),
        "typo": (expect: [Delivered(to: "site-c")]),
    },
)"#;

    fn tested() -> [Tested; 1] {
        let mut loader = Loader::new();
        let scenario = loader.text("my file.ron", SCENARIO).unwrap();
        let sources = loader.sources;
        let subject = Subject { scenario: &scenario, sources: &sources, command: "'my file.ron'", file: "my file.ron", seed: None };
        let report = run_tests(subject, |_| Ok(two_sites()));
        [Tested { file: "my file.ron".to_owned(), report: Ok(report), sources }]
    }

    #[test]
    fn for_people() {
        let expected = r#"my file.ron, seed 42
  FAILED  all well / to A
  ok      all well / twice (2 of 2 seeds): fails as expected: known
  FAILED  all well / often (2 of 2 seeds)
  skipped later: no time
  ERROR   typo
  FAILED  invariants in the variant `other`

my file.ron: all well / to A
  at        my file.ron:9:31
  expected  Delivered(to: "site-a")
  got       4 of 6 recipients, the first: delivered to site-b after 30.54s
  message   inbound#2 to alice@contoso.com, internet > eop > site-b
  explained mailtwin explain 'my file.ron' --message inbound#2 --seed 42

  at        my file.ron:6:30
  expected  invariant `never B`: Not(Via(["site-b"]))
  got       2 of 6 recipients, the first: internet > eop > site-b
  message   inbound#2 to alice@contoso.com, internet > eop > site-b
  explained mailtwin explain 'my file.ron' --message inbound#2 --seed 42

my file.ron: all well / often
  at        my file.ron:11:42
  expected  Queue(at_most: 0)
  got       1 message queued at 11m
  seed      42

  at        my file.ron:6:30
  expected  invariant `never B`: Not(Via(["site-b"]))
  got       2 of 6 recipients, the first: internet > eop > site-b
  seed      42
  message   inbound#2 to alice@contoso.com, internet > eop > site-b
  explained mailtwin explain 'my file.ron' --message inbound#2 --seed 42

  at        my file.ron:11:42
  expected  Queue(at_most: 0)
  got       1 message queued at 11m
  seed      43

  at        my file.ron:6:30
  expected  invariant `never B`: Not(Via(["site-b"]))
  got       2 of 6 recipients, the first: internet > eop > site-b
  seed      43
  message   inbound#2 to alice@contoso.com, internet > eop > site-b
  explained mailtwin explain 'my file.ron' --message inbound#2 --seed 43

my file.ron: typo
error[MT0101]: nothing is called `site-c`: no system, host, kind of senders, group or site
  --> my file.ron:14:42
   |
14 |         "typo": (expect: [Delivered(to: "site-c")]),
   |                                          ^^^^^^
   |
   = help: did you mean `site-a`?

my file.ron: invariants in the variant `other`
  at        my file.ron:6:30
  expected  invariant `never B`: Not(Via(["site-b"]))
  got       2 of 6 recipients, the first: internet > eop > site-b
  message   inbound#2 to alice@contoso.com, internet > eop > site-b
  explained mailtwin explain 'my file.ron' --message inbound#2 --variant other --seed 42

6 tests in 1 file: 0 passed, 3 failed, 1 could not be played, 1 failed as expected, 1 skipped
"#;
        let found = tests_text(&tested(), Style::Plain);
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn for_programs() {
        let json: serde_json::Value = serde_json::from_str(&tests_json(&tested())).unwrap();
        assert_eq!(json["schema"], "mailtwin.test/1");
        let totals = [("tests", 6), ("passed", 0), ("failed", 3), ("skipped", 1), ("expected-failure", 1), ("error", 1)];
        for (key, number) in totals {
            assert_eq!(json["totals"][key], number, "{key}");
        }
        let first = &json["files"][0]["tests"][0];
        assert_eq!((&first["test"], &first["case"], &first["status"]), (&"all well".into(), &"to A".into(), &"failed".into()));
        let failure = &first["failures"][0];
        assert_eq!(failure["expected"], r#"Delivered(to: "site-a")"#);
        assert_eq!((&failure["place"]["line"], &failure["place"]["column"]), (&9.into(), &31.into()));
        assert_eq!(failure["message"]["id"], "inbound#2");
        assert_eq!(json["files"][0]["tests"][4]["problems"][0]["code"], "MT0101");
    }
}
