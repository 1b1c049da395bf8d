//! `mailtwin test`: do the tests of scenarios hold?
//!
//! A test with a message plays it alone until it is settled, another judges the run of the file. A world that cannot be made is an error of that
//! test and leaves the others alone.

use std::path::Path;

use super::Exit;
use super::args::{Format, TestArgs};
use super::input::{self, Refused};
use super::output::{complain, deliver, style_for};
use super::select::select;
use crate::report::tests::{Tested, Totals, tests_json, tests_text};
use crate::report::words::shell_word;
use crate::verify::{self, Status};

/// Plays the command.
pub fn test(args: &TestArgs) -> Exit {
    let selection = select(&args.paths);
    let mut exit = selection.exit;
    let mut tested = Vec::new();
    for path in &selection.files {
        match play_file(path, args) {
            Ok(file) => tested.push(file),
            Err(end) => exit = exit.and(end),
        }
    }
    if tested.is_empty() {
        return exit;
    }
    let totals = Totals::of(&tested);
    exit = exit.and(verdict(&totals));
    if totals.tests == 0 && totals.invalid == 0 {
        complain("there is no test in what was selected");
    }
    let to = args.answer.output.as_deref();
    let result = match args.answer.format {
        Format::Text => tests_text(&tested, style_for(to)),
        Format::Json => tests_json(&tested),
    };
    exit.and(deliver(&result, to))
}

fn verdict(totals: &Totals) -> Exit {
    let ends = [
        (totals.invalid + totals.count(Status::Error) > 0, Exit::Invalid),
        (totals.count(Status::Failed) > 0, Exit::No),
        (totals.tests == 0, Exit::Nothing),
    ];
    ends.iter().filter(|(applies, _)| *applies).map(|(_, exit)| *exit).fold(Exit::Fine, Exit::and)
}

fn play_file(path: &Path, args: &TestArgs) -> Result<Tested, Exit> {
    let file = input::name(path);
    let loaded = match input::read(path, &args.what_if, None) {
        Ok(loaded) => loaded,
        Err(Refused::Unreadable(error)) => return Err(input::cannot_read(path, &error)),
        Err(Refused::Invalid(findings)) => {
            return Ok(Tested { file, sources: findings.sources, report: Err(findings.problems) });
        }
    };
    let command = shell_word(&path.to_string_lossy()) + &args.what_if.again();
    let report = verify::test(&loaded, &file, &command, args.what_if.seed);
    Ok(Tested { file, sources: loaded.loader.sources, report: Ok(report) })
}
