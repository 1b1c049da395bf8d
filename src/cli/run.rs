//! `mailtwin run`: what happens?

use std::path::Path;

use super::Exit;
use super::args::{Format, RunArgs, Trace};
use super::input::{self, clock, with_names};
use super::output::{complain, deliver, make_folder};
use crate::analysis;
use crate::analysis::outcome::Outcome;
use crate::analysis::tls_reports::tls_reports;
use crate::base::printable;
use crate::engine::{self, Options, Stop};
use crate::report::counters::{counters_json, counters_text};
use crate::report::json::run_json;
use crate::report::text::{fates_text, run_text};
use crate::report::tls_report::{file_name, tls_report_json};
use crate::report::words::shell_word;
use crate::scenario::{FOLLOWED_MAX, Loaded, expected};
use crate::trace::level;

/// Plays the command.
pub fn run(args: &RunArgs) -> Exit {
    let mut exit = Exit::Fine;
    let mut results = Vec::new();
    for file in &args.files {
        match input::load(file, &args.what_if, None, args.answer.format) {
            Ok(loaded) => {
                let (result, end) = play(&loaded, file, args);
                exit = exit.and(end);
                results.push(result);
            }
            Err(end) => exit = exit.and(end),
        }
    }
    if results.is_empty() {
        return exit;
    }
    // JSON documents stand one after the other, as every reader of JSON streams takes them.
    let between = if args.answer.format == Format::Text { "\n" } else { "" };
    exit.and(deliver(&results.join(between), args.answer.output.as_deref()))
}

fn play(loaded: &Loaded, file: &Path, args: &RunArgs) -> (String, Exit) {
    let trace = match (args.trace, &args.tls_report) {
        (Some(Trace::Counters | Trace::Fates), Some(_)) => {
            complain("--tls-report needs every connection: leave --trace out, or write --trace paths");
            return (String::new(), Exit::Usage);
        }
        (Some(trace), _) => trace,
        (None, Some(_)) => Trace::Paths,
        (None, None) => usual_trace(loaded, file),
    };
    let level = match trace {
        Trace::Counters => level::COUNTERS,
        Trace::Fates => level::FATES,
        Trace::Paths => level::PATHS,
        Trace::Steps => level::STEPS,
    };
    let run = engine::run(&loaded.model, &Options { level, ..Options::default() });
    let exit = match &run.stop {
        Stop::Settled | Stop::Until => Exit::Fine,
        Stop::Bound(bound) => {
            complain(&format!("{}: the run was cut short by a bound ({})", printable(&input::name(file)), printable(bound)));
            Exit::No
        }
    };
    if trace == Trace::Counters {
        let result = match args.answer.format {
            Format::Text => with_names(counters_text(&loaded.model.name, &run, clock(loaded)), loaded),
            Format::Json => counters_json(&loaded.model.name, &run),
        };
        return (result, exit);
    }
    let outcome = Outcome { what_if: args.what_if.again().trim_start().into(), ..analysis::build(&loaded.model, &run) };
    let exit = args.tls_report.as_ref().map_or(exit, |folder| exit.and(write_tls_reports(loaded, &outcome, folder)));
    let again = shell_word(&file.to_string_lossy()) + &args.what_if.again();
    let result = match args.answer.format {
        Format::Text if trace == Trace::Fates => with_names(fates_text(&outcome, &again, clock(loaded)), loaded),
        Format::Text => with_names(run_text(&outcome, &again, clock(loaded)), loaded),
        Format::Json => run_json(&outcome),
    };
    (result, exit)
}

/// What the senders would report about TLS.
fn write_tls_reports(loaded: &Loaded, outcome: &Outcome, folder: &Path) -> Exit {
    if let Err(end) = make_folder(folder) {
        return end;
    }
    let write = |report| deliver(&tls_report_json(&report), Some(&folder.join(file_name(&report))));
    let found = tls_reports(&loaded.model, outcome);
    if !found.unasked.is_empty() {
        let domains: Vec<&str> = found.unasked.iter().map(|domain| &**domain).collect();
        let domains = printable(&domains.join(", ")).into_owned();
        complain(&format!("no report for {domains}: there is no record `v=TLSRPTv1` with a `rua`, or more than one, at _smtp._tls there"));
    }
    found.reports.into_iter().map(write).fold(Exit::Fine, Exit::and)
}

/// How much is written down where nobody says it.
fn usual_trace(loaded: &Loaded, file: &Path) -> Trace {
    let expected = expected(&loaded.model.sources, loaded.model.until);
    if expected <= FOLLOWED_MAX {
        return Trace::Paths;
    }
    let file = input::name(file);
    complain(&format!("{}: about {expected} messages, so only fates are written down; --trace paths wants more memory", printable(&file)));
    Trace::Fates
}
