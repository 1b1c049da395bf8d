//! Do the shipped scenarios still say what they said? Each is played and compared with the trace beside it, and its own tests must hold.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` accepts new behaviour; then read the difference line by line before it is committed.

use mailtwin::analysis;
use mailtwin::analysis::outcome::Outcome;
use mailtwin::base::Clock;
use mailtwin::diag::{Diagnostic, Sources, Style, render};
use mailtwin::engine::{self, Options};
use mailtwin::report::trace::trace_text;
use mailtwin::scenario::schema::Scenario;
use mailtwin::scenario::{Field, Invalid, Loaded, load_path};
use mailtwin::trace::level;
use mailtwin::verify::{PlayRequest, SEND, Status, Subject, TestResult, run_tests};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The shipped scenarios, in order; those of the benchmarks are not for reading.
fn shipped() -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(Path::new("scenarios"), &mut found);
    found.sort();
    assert!(found.len() >= 17, "only {} scenarios", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("bench") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ron") {
            found.push(path);
        }
    }
}

fn load(path: &Path) -> Loaded {
    let said = |invalid: Invalid| panic!("{}", render(&invalid.problems, &invalid.sources, Style::Plain));
    load_path(path).unwrap_or_else(said)
}

#[test]
fn traces() {
    let mut changed = Vec::new();
    for path in shipped() {
        let loaded = load(&path);
        let run = engine::run(&loaded.model, &Options { level: level::STEPS, ..Options::default() });
        let start = loaded.model.start_unix_s.map(|seconds| jiff::Timestamp::from_second(seconds).unwrap());
        let actual = trace_text(&analysis::build(&loaded.model, &run), Clock { start });
        let golden = path.with_extension("trace");
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if actual == expected {
            continue;
        }
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &actual).unwrap();
        } else {
            changed.push(format!("{}\n{}", golden.display(), first_difference(&expected, &actual)));
        }
    }
    assert!(changed.is_empty(), "{} traces differ (UPDATE_GOLDEN=1 accepts them):\n{}", changed.len(), changed.join("\n"));
}

/// The first lines that differ, with what stands before them.
fn first_difference(expected: &str, actual: &str) -> String {
    let (mut old, mut new) = (expected.lines(), actual.lines());
    let mut before = "";
    loop {
        match (old.next(), new.next()) {
            (Some(left), Some(right)) if left == right => before = left,
            (left, right) => return format!("  {before}\n- {}\n+ {}", left.unwrap_or("(end)"), right.unwrap_or("(end)")),
        }
    }
}

#[test]
fn their_own_tests_hold() {
    let mut failed = Vec::new();
    for path in shipped() {
        let loaded = load(&path);
        let file = path.to_string_lossy();
        let sources = loaded.loader.sources.clone();
        let subject = Subject { scenario: &loaded.tree, sources: &sources, command: &file, file: &file, seed: None };
        let report = run_tests(subject, |request| play(&loaded, request));
        assert!(!report.results.is_empty(), "{file} has no tests");
        failed.extend(report.results.iter().filter(|result| result.status != Status::Passed).map(|result| told(&file, &sources, result)));
    }
    assert!(failed.is_empty(), "{} tests do not hold:\n{}", failed.len(), failed.join("\n"));
}

fn told(file: &str, sources: &Sources, result: &TestResult) -> String {
    let name = [Some(&result.test), result.case.as_ref()].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(": ");
    let mut text = format!("{file}: {name}: {}\n{}", result.status.as_str(), render(&result.problems, sources, Style::Plain));
    for failure in &result.failures {
        text += &format!("  {}\n    got {}\n    {}\n", failure.expected, failure.got, failure.replay.as_deref().unwrap_or_default());
    }
    text
}

/// Plays the world of a test.
fn play(loaded: &Loaded, request: &PlayRequest<'_>) -> Result<Outcome, Vec<Diagnostic>> {
    let end = request.until.map(|until| Scenario { until: Field::written(until.clone(), until.span()), ..Scenario::default() });
    let overlays: Vec<&Scenario> = request.overlays.iter().copied().chain(&end).collect();
    let mut world = loaded.with(&overlays).map_err(|invalid| invalid.problems)?;
    let mut sources = if request.send.is_none() || request.with_traffic { world.model.sources.clone() } else { Vec::new() };
    if let Some(message) = request.send {
        sources.push(world.send(SEND, message)?);
        if !request.with_traffic && request.until.is_none() {
            world.model.until = world.model.until.map(|_| engine::LONGEST);
        }
    }
    let level = if request.needs_steps { level::STEPS } else { level::PATHS };
    let run = engine::run(&world.model, &Options { level, seed: Some(request.seed), sources: Some(sources), ..Options::default() });
    Ok(analysis::build(&world.model, &run))
}
