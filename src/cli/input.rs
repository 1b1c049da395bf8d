//! How does a file of the command line become a scenario, and where do the complaints about it go?

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::diag::{Diagnostic, Severity, Sources, Style, render};
use crate::scenario::Loader;
use crate::scenario::load::FILE_BYTES_MAX;

/// How messages call standard input.
pub const STANDARD_INPUT: &str = "<stdin>";

/// The name of a file in results.
pub fn name(path: &Path) -> String {
    if is_standard_input(path) { STANDARD_INPUT.to_owned() } else { path.to_string_lossy().into_owned() }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// What was said about one scenario.
#[derive(Debug)]
pub struct Findings {
    /// The texts that the places point into.
    pub sources: Sources,
    /// In file order.
    pub problems: Vec<Diagnostic>,
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
}

/// Reads and checks a scenario.
///
/// # Errors
/// The file that was named cannot be read. (What a scenario mentions and cannot be read is a problem of the scenario.)
pub fn check(path: &Path) -> io::Result<Findings> {
    let mut loader = open(path)?;
    crate::diag::in_file_order(&mut loader.problems);
    Ok(Findings { sources: loader.sources, problems: loader.problems })
}

fn open(path: &Path) -> io::Result<Loader> {
    if is_standard_input(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let mut loader = Loader::within(Path::new("."));
        loader.bytes(STANDARD_INPUT, bytes);
        return Ok(loader);
    }
    if File::open(path)?.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut loader = Loader::new();
    loader.file(path);
    Ok(loader)
}
