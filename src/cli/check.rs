//! `mailtwin check`: is the file right? Every problem, each at its place. Whether the routing is wise is not asked yet.

use std::path::Path;

use serde::Serialize;

use super::args::{CheckArgs, Format};
use super::findings::{self, Findings};
use super::input;
use super::output::{deliver, plain, style_for};
use super::select::select;
use super::{Exit, print_json};
use crate::diag::Severity;
use crate::report::words::count;

/// `--format json`; keys may be added within a version.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    files: Vec<FileDocument>,
    /// What could not even be read.
    unreadable: Vec<UnreadableDocument>,
    totals: Totals,
}

#[derive(Serialize)]
struct UnreadableDocument {
    file: String,
    error: String,
}

#[derive(Serialize)]
struct FileDocument {
    file: String,
    verdict: &'static str,
    problems: Vec<serde_json::Value>,
}

#[derive(Default, Serialize)]
struct Totals {
    files: usize,
    valid: usize,
    invalid: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
}

/// Plays the command.
pub fn check(args: &CheckArgs) -> Exit {
    let selection = select(&args.paths);
    let mut exit = selection.exit;
    let mut checked: Vec<(String, Findings)> = Vec::new();
    let mut unreadable: Vec<UnreadableDocument> =
        selection.unreadable.into_iter().map(|(file, error)| UnreadableDocument { file, error }).collect();
    for path in &selection.files {
        match findings::check(path) {
            Ok(findings) => {
                if findings.failed() {
                    exit = exit.and(Exit::Invalid);
                } else if findings.undecided {
                    exit = exit.and(Exit::No);
                }
                checked.push((input::name(path), findings));
            }
            Err(error) => {
                unreadable.push(UnreadableDocument { file: input::name(path), error: plain(&error) });
                exit = exit.and(input::cannot_read(path, &error));
            }
        }
    }
    if checked.is_empty() && args.answer.format == Format::Text {
        return exit;
    }
    let result = match args.answer.format {
        Format::Text => text(&checked, args.answer.output.as_deref()),
        Format::Json => json(&checked, unreadable),
    };
    exit.and(deliver(&result, args.answer.output.as_deref()))
}

fn verdict(findings: &Findings) -> &'static str {
    if findings.failed() { "invalid" } else { "valid" }
}

fn totals(checked: &[(String, Findings)]) -> Totals {
    let mut totals = Totals { files: checked.len(), ..Totals::default() };
    for (_, findings) in checked {
        totals.invalid += usize::from(findings.failed());
        totals.errors += findings.count(Severity::Error);
        totals.warnings += findings.count(Severity::Warning);
        totals.notes += findings.count(Severity::Note);
    }
    totals.valid = totals.files - totals.invalid;
    totals
}

/// `, 2 errors, 1 warning`; empty if there are none.
fn counts(errors: usize, warnings: usize, notes: usize) -> String {
    let kinds = [(errors, "error"), (warnings, "warning"), (notes, "note")];
    kinds.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {}", count(*number as u64, what))).collect()
}

fn text(checked: &[(String, Findings)], to: Option<&Path>) -> String {
    let style = style_for(to);
    let mut text = String::new();
    for (file, findings) in checked {
        if !findings.problems.is_empty() {
            text += &format!("{}\n", findings.text(style));
        }
        let [errors, warnings, notes] = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| findings.count(severity));
        text += &format!("{}: {}{}\n", crate::base::printable(file), verdict(findings), counts(errors, warnings, notes));
    }
    if checked.len() > 1 {
        let all = totals(checked);
        let sums = counts(all.errors, all.warnings, all.notes);
        text += &format!("\n{}: {} valid, {} invalid{sums}\n", count(all.files as u64, "file"), all.valid, all.invalid);
    }
    text
}

fn json(checked: &[(String, Findings)], unreadable: Vec<UnreadableDocument>) -> String {
    let files =
        checked.iter().map(|(file, findings)| FileDocument { file: file.clone(), verdict: verdict(findings), problems: findings.json() });
    let files = files.collect();
    print_json(&Document { schema: "mailtwin.check/1", version: env!("CARGO_PKG_VERSION"), files, unreadable, totals: totals(checked) })
}
