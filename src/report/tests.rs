//! `test`: a line per test, what failed told again at the end, one summary; and the same for programs, schema `mailtwin.test/1`.
//!
//! Keys come in a fixed order and are never left out: `null` where there is nothing to say. Keys may be added within a version, not renamed.

use super::words::{count, wrap};
use super::writer::Writer;
use crate::base::printable;
use crate::diag::{Diagnostic, Sources, Span, Style, in_file_order, render};
use crate::verify::{Failure, Status, TestReport, TestResult};
use std::collections::BTreeSet;

const WIDTH: usize = 100;
/// Failures told in full of one test; more are counted.
const FAILURES_MAX: usize = 10;

/// The tests of one file with the texts that their places point into.
#[derive(Clone, Copy, Debug)]
pub struct FileTests<'a> {
    /// How they ended.
    pub report: &'a TestReport,
    /// For places and pictures.
    pub sources: &'a Sources,
}

/// The answer of `test` for people.
#[must_use]
pub fn tests_text(files: &[FileTests<'_>], style: Style) -> String {
    let mut text = String::new();
    for file in files {
        text += &format!("{}\n", printable(&file.report.file));
        file.report.results.iter().for_each(|result| text += &line(result));
        text.push('\n');
    }
    for file in files {
        for result in file.report.results.iter().filter(|result| result.status == Status::Failed) {
            text += &failed(result, file);
        }
        let mut problems: Vec<Diagnostic> = file.report.results.iter().flat_map(|result| result.problems.iter().cloned()).collect();
        if !problems.is_empty() {
            in_file_order(&mut problems);
            text += &format!("{}\n", render(&problems, file.sources, style));
        }
    }
    text + &summary(files)
}

/// `  FAIL   backup site / both dark (seeds 42 to 44)`
fn line(result: &TestResult) -> String {
    let word = match result.status {
        Status::Passed => "ok",
        Status::Failed => "FAIL",
        Status::Skipped => "skip",
        Status::ExpectedFailure => "xfail",
        Status::Error => "ERROR",
    };
    let why = match (result.status, &result.why) {
        (Status::Skipped | Status::ExpectedFailure, Some(why)) => format!(": {}", printable(why)),
        _ => String::new(),
    };
    format!("  {word:<5}  {}{}{why}\n", name(result), played(result))
}

fn name(result: &TestResult) -> String {
    match (&result.case, result.for_invariants) {
        (None, true) => "invariants in the run as written".to_owned(),
        (Some(variant), true) => format!("invariants in the variant `{}`", printable(variant)),
        (None, false) => printable(&result.test).into_owned(),
        (Some(case), false) => format!("{} / {}", printable(&result.test), printable(case)),
    }
}

/// How many of several runs were as expected.
fn played(result: &TestResult) -> String {
    let (runs, wrong) = (result.seeds.len(), result.failures.iter().map(|failure| failure.seed).collect::<BTreeSet<_>>().len());
    match (runs, wrong) {
        (0 | 1, _) => String::new(),
        (runs, 0) => format!(" ({})", count(runs as u64, "seed")),
        (runs, wrong) => format!(" ({wrong} of {})", count(runs as u64, "seed")),
    }
}

fn failed(result: &TestResult, file: &FileTests<'_>) -> String {
    let mut text = format!("FAIL {}\n", name(result));
    for failure in result.failures.iter().take(FAILURES_MAX) {
        text += &one_failure(failure, file.sources);
    }
    if result.failures.len() > FAILURES_MAX {
        text += &format!("  and {} more\n", result.failures.len() - FAILURES_MAX);
    }
    text + "\n"
}

fn one_failure(failure: &Failure, sources: &Sources) -> String {
    let place = sources
        .range(failure.place)
        .map_or(String::new(), |(start, _)| format!("{}:{}:{}", printable(sources.name(failure.place.file)), start.line, start.column));
    let mut text = format!("  {place}\n");
    let mut row = |word: &str, value: &str| text += &row_of(word, value);
    match &failure.invariant {
        Some(name) => row("invariant", &format!("`{name}`: {}", failure.expected)),
        None => row("expected", &failure.expected),
    }
    row("got", &failure.got);
    if let Some(message) = &failure.message {
        row("message", &format!("{} to {}: {}", message.id, message.to, message.path));
    }
    if let Some(command) = &failure.replay {
        // A command stands on one line, to be copied.
        text += &format!("    {:<10}{}\n", "explain", printable(command));
    }
    if let Some(lacks) = failure.replay_lacks {
        text += &row_of("", &format!("(without {lacks})"));
    }
    text
}

/// A word and its text, which goes on below if it is long.
fn row_of(word: &str, value: &str) -> String {
    let lines = wrap(value, WIDTH - 14);
    let rows = lines.iter().enumerate().map(|(at, line)| format!("    {:<10}{line}\n", if at == 0 { word } else { "" }));
    rows.collect()
}

fn summary(files: &[FileTests<'_>]) -> String {
    let sum = |status: Status| files.iter().map(|file| file.report.count(status)).sum::<usize>();
    let all: usize = files.iter().map(|file| file.report.results.len()).sum();
    let words = [
        (Status::Failed, "failed"),
        (Status::Error, "could not be played"),
        (Status::ExpectedFailure, "failed as expected"),
        (Status::Skipped, "skipped"),
    ];
    let rest = words.iter().filter(|(status, _)| sum(*status) > 0).map(|(status, word)| format!(", {} {word}", sum(*status)));
    let seeds: BTreeSet<u64> = files.iter().map(|file| file.report.seed).collect();
    let seed = match seeds.len() {
        1 => format!("; seed {}", seeds.first().copied().unwrap_or(0)),
        _ => String::new(),
    };
    format!("{}: {} passed{}{seed}\n", count(all as u64, "test"), sum(Status::Passed), rest.collect::<String>())
}

/// The answer of `test` for programs.
#[must_use]
pub fn tests_json(files: &[FileTests<'_>]) -> String {
    let mut writer = Writer::new();
    writer.object(|w| {
        w.line_key("schema").string("mailtwin.test/1");
        w.line_key("version").string(env!("CARGO_PKG_VERSION"));
        w.line_key("files").lines(files, |w, file| {
            w.object(|w| {
                w.key("file").string(&*file.report.file);
                w.key("scenario").string(&*file.report.scenario);
                w.key("seed").number(file.report.seed);
                w.key("tests").lines(&file.report.results, |w, result| write_result(w, result, file.sources));
            });
        });
        w.line_key("totals").object(|w| {
            let sum = |status: Status| files.iter().map(|file| file.report.count(status) as u64).sum::<u64>();
            w.key("tests").number(files.iter().map(|file| file.report.results.len() as u64).sum::<u64>());
            w.key("passed").number(sum(Status::Passed));
            w.key("failed").number(sum(Status::Failed));
            w.key("skipped").number(sum(Status::Skipped));
            w.key("expected_failures").number(sum(Status::ExpectedFailure));
            w.key("errors").number(sum(Status::Error));
        });
        w.last_line();
    });
    writer.into_text() + "\n"
}

fn write_result(w: &mut Writer, result: &TestResult, sources: &Sources) {
    w.object(|w| {
        w.key("test").string(&*result.test);
        w.key("case").string(result.case.as_deref());
        w.key("kind").string(if result.for_invariants { "invariants" } else { "test" });
        w.key("status").string(result.status.as_str());
        w.key("why").string(result.why.as_deref());
        w.key("tags").array(&result.tags, |w, tag| w.string(&**tag));
        w.key("seeds").array(&result.seeds, |w, seed| w.number(*seed));
        w.key("failures").array(&result.failures, |w, failure| write_failure(w, failure, sources));
        w.key("problems").array(&result.problems, |w, problem| w.raw(&problem.to_json(sources).to_string()));
    });
}

fn write_failure(w: &mut Writer, failure: &Failure, sources: &Sources) {
    let message = failure.message.as_ref();
    w.object(|w| {
        w.key("expected").string(&*failure.expected);
        w.key("invariant").string(failure.invariant.as_deref());
        w.key("got").string(&*failure.got);
        w.key("place");
        write_place(w, failure.place, sources);
        w.key("message").string(message.map(|message| &*message.id));
        w.key("to").string(message.map(|message| &*message.to));
        w.key("path").string(message.map(|message| &*message.path));
        w.key("seed").number(failure.seed);
        w.key("explain").string(failure.replay.as_deref());
        w.key("explain_lacks").string(failure.replay_lacks);
    });
}

fn write_place(w: &mut Writer, place: Span, sources: &Sources) {
    let Some((start, end)) = sources.range(place) else { return w.raw("null") };
    w.object(|w| {
        w.key("file").string(sources.name(place.file));
        w.key("line").number(start.line as u64);
        w.key("column").number(start.column as u64);
        w.key("end_line").number(end.line as u64);
        w.key("end_column").number(end.column as u64);
    });
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
    invariants: { "never B": Not(Via(["site-b"])) },
    tests: {
        "all well": (expect: [Via(["eop"])], cases: {
            "to A": (expect: [Delivered(to: "site-a")]),
            "twice": (seeds: 2, expect_fail: "known"),
        }),
        "later": (skip: "no time"),
        "typo": (expect: [Delivered(to: "site-c")]),
    },
)"#;

    fn answer(show: impl Fn(&[FileTests<'_>]) -> String) -> String {
        let mut loader = Loader::new();
        let scenario = loader.text("my file.ron", SCENARIO).unwrap();
        let sources = &loader.sources;
        let subject = Subject { scenario: &scenario, sources, command: "'my file.ron'", file: "my file.ron", seed: None };
        let report = run_tests(subject, |_| Ok(two_sites()));
        show(&[FileTests { report: &report, sources }])
    }

    #[test]
    fn for_people() {
        let expected = r#"my file.ron
  FAIL   all well / to A
  xfail  all well / twice (2 of 2 seeds): known
  skip   later: no time
  ERROR  typo

FAIL all well / to A
  my file.ron:8:31
    expected  Delivered(to: "site-a")
    got       4 of 6 recipients, the first: delivered to site-b after 30.54s
    message   inbound#2 to alice@contoso.com: internet > eop > site-b
    explain   mailtwin explain 'my file.ron' --message inbound#2 --seed 42
  my file.ron:5:30
    invariant `never B`: Not(Via(["site-b"]))
    got       2 of 6 recipients, the first: internet > eop > site-b
    message   inbound#2 to alice@contoso.com: internet > eop > site-b
    explain   mailtwin explain 'my file.ron' --message inbound#2 --seed 42

error[MT0101]: nothing is called `site-c`: no system, host, kind of senders, group or site
  --> my file.ron:12:42
   |
12 |         "typo": (expect: [Delivered(to: "site-c")]),
   |                                          ^^^^^^
   |
   = help: did you mean `site-a`?

4 tests: 0 passed, 1 failed, 1 could not be played, 1 failed as expected, 1 skipped; seed 42
"#;
        let found = answer(|files| tests_text(files, Style::Plain));
        assert_eq!(found, expected, "\n{found}");
    }

    #[test]
    fn for_programs() {
        let json: serde_json::Value = serde_json::from_str(&answer(tests_json)).unwrap();
        assert_eq!(json["schema"], "mailtwin.test/1");
        assert_eq!(
            json["totals"],
            serde_json::json!({"tests": 4, "passed": 0, "failed": 1, "skipped": 1, "expected_failures": 1, "errors": 1})
        );
        let first = &json["files"][0]["tests"][0];
        assert_eq!((&first["test"], &first["case"], &first["status"]), (&"all well".into(), &"to A".into(), &"failed".into()));
        let failure = &first["failures"][0];
        assert_eq!(failure["expected"], r#"Delivered(to: "site-a")"#);
        assert_eq!((&failure["place"]["line"], &failure["place"]["column"]), (&8.into(), &31.into()));
        assert_eq!(failure["message"], "inbound#2");
        assert_eq!(json["files"][0]["tests"][3]["problems"][0]["code"], "MT0101");
    }
}
