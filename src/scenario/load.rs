//! Which files make up a scenario, and what is it with everything laid over it?
//!
//! A file may stand on a `base` and mention others (`dns.files`, CSV traffic). All of them lie in the folder of the first one or below:
//! absolute paths, `..` and links that lead out are refused. Sizes and chains are bounded.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::merge::{as_base, overlay};
use super::schema::Scenario;
use super::set::{PathProblem, fail_text, set_text};
use super::source::Text;
use super::syntax::parse;
use crate::diag::{Diagnostic, FileId, Severity, Sources, Span, code};

/// No text is larger than this.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A scenario stands on a base, that on another, and so on: so many files at most.
pub const BASES_MAX: usize = 8;

/// Reads the texts of one scenario and collects what is wrong with them.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// All texts read so far.
    pub sources: Sources,
    /// All problems found so far.
    pub problems: Vec<Diagnostic>,
    /// The real path of the folder that nothing leaves.
    root: Option<PathBuf>,
    /// Where each file is.
    places: BTreeMap<FileId, Place>,
    /// What flags of the command line lay over everything, in order.
    flags: Vec<Scenario>,
}

/// Where a file is, and how messages call its folder.
#[derive(Clone, Debug)]
struct Place {
    real: PathBuf,
    shown_folder: PathBuf,
}

impl Loader {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a text that comes from no file: the folder where its bases and zone files are looked for.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        Self { root: folder.canonicalize().ok(), ..Self::default() }
    }

    /// Is there an error among the problems?
    #[must_use]
    pub fn failed(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// A file with everything it stands on; `None` if a problem makes it unusable.
    pub fn file(&mut self, path: &Path) -> Option<Scenario> {
        let shown = path.to_string_lossy().into_owned();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if self.root.is_none() {
            self.root = folder.canonicalize().ok();
        }
        let shown_folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let bytes = match fs::metadata(path).and_then(|about| if about.is_dir() { Err(is_a_folder()) } else { read_bounded(path) }) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.problems.push(cannot_read(Span::NOWHERE, &shown, &error));
                return None;
            }
        };
        let file = self.add(&shown, bytes)?;
        let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        self.places.insert(file, Place { real, shown_folder });
        self.with_bases(file, &mut Vec::new())
    }

    /// A text from memory, under the name that messages will show.
    pub fn text(&mut self, name: &str, text: &str) -> Option<Scenario> {
        self.bytes(name, text.as_bytes().to_vec())
    }

    /// What came from standard input, under the name that messages will show.
    pub fn bytes(&mut self, name: &str, bytes: Vec<u8>) -> Option<Scenario> {
        let file = self.add(name, bytes)?;
        self.with_bases(file, &mut Vec::new())
    }

    /// The text of an overlay: its `None`s stay, to take something away from what it will be laid over.
    pub fn overlay(&mut self, name: &str, text: &str) -> Option<Scenario> {
        let file = self.sources.add(name, text);
        parse(&self.sources, file, &mut self.problems)
    }

    /// `--set PATH=VALUE` laid over a scenario.
    pub fn set(&mut self, scenario: &Scenario, argument: &str) -> Option<Scenario> {
        let text = set_text(argument, scenario);
        self.flag(scenario, "--set", argument, text)
    }

    /// `--fail TARGET[@AT..UNTIL]` laid over a scenario.
    pub fn fail(&mut self, scenario: &Scenario, argument: &str) -> Option<Scenario> {
        self.flag(scenario, "--fail", argument, fail_text(argument))
    }

    /// The flags once more, over what was laid over a scenario that has them already: they have the last word.
    pub(super) fn flags_again(&mut self, scenario: Scenario) -> Scenario {
        self.flags.iter().fold(scenario, |scenario, over| overlay(&scenario, over, &mut self.problems))
    }

    fn flag(&mut self, scenario: &Scenario, flag: &str, argument: &str, text: Result<String, PathProblem>) -> Option<Scenario> {
        let name = format!("{flag} {}", self.flags.len() + 1);
        match text {
            Ok(text) => {
                let over = self.overlay(&name, &text)?;
                if over.base.is_written() {
                    let problem = Diagnostic::error(code::BAD_PATH, over.base.span(), format!("`base` does nothing in {flag}"));
                    self.problems.push(problem.help("a base belongs to a whole file: write a small file with this `base`, and name that"));
                    return None;
                }
                let laid = overlay(scenario, &over, &mut self.problems);
                self.flags.push(over);
                Some(laid)
            }
            Err(problem) => {
                let file = self.sources.add(&name, argument);
                let span = Span::new(file, problem.place.start, problem.place.end);
                let said = Diagnostic::error(code::BAD_PATH, span, problem.message);
                self.problems.push(match problem.help {
                    Some(help) => said.help(help),
                    None => said,
                });
                None
            }
        }
    }

    /// The text of a file that the scenario mentions (a zone file, CSV traffic); `path` is relative to the file it is written in.
    pub fn read_beside(&mut self, path: &Text) -> Option<FileId> {
        let (real, shown) = self.beside(path)?;
        if let Some((file, _)) = self.places.iter().find(|(_, place)| place.real == real) {
            return Some(*file);
        }
        let bytes = match read_bounded(&real) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.problems.push(cannot_read(path.span(), path, &error));
                return None;
            }
        };
        let file = self.add(&shown.to_string_lossy(), bytes)?;
        let shown_folder = shown.parent().unwrap_or(Path::new("")).to_path_buf();
        self.places.insert(file, Place { real, shown_folder });
        Some(file)
    }

    /// The real path of a file that a text mentions, and how to call it.
    fn beside(&mut self, path: &Text) -> Option<(PathBuf, PathBuf)> {
        let outside = |message: &str| {
            let problem = Diagnostic::error(code::OUTSIDE, path.span(), message);
            problem.help("everything a scenario reads lies in the folder of its file, or below it")
        };
        let written = Path::new(path.as_str());
        let plain = written.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir));
        if !plain || path.is_empty() || path.contains('\0') {
            self.problems.push(outside(&format!("`{path}` is not a relative path")));
            return None;
        }
        let Some(root) = self.root.clone() else {
            self.problems.push(outside(&format!("`{path}` cannot be found: this text has no folder")));
            return None;
        };
        let place = self.places.get(&path.span().file);
        let folder = place.and_then(|place| place.real.parent()).map_or_else(|| root.clone(), Path::to_path_buf);
        let shown_folder = place.map_or_else(PathBuf::new, |place| place.shown_folder.clone());
        let real = match folder.join(written).canonicalize() {
            Ok(real) => real,
            Err(error) => {
                // Whether a file outside exists is nobody's business.
                let problem = if written.components().any(|part| part == Component::ParentDir) {
                    outside(&format!("`{path}` leads nowhere in the folder of the scenario"))
                } else {
                    cannot_read(path.span(), path, &error)
                };
                self.problems.push(problem);
                return None;
            }
        };
        if !real.starts_with(&root) {
            self.problems.push(outside(&format!("`{path}` lies outside the folder of the scenario")));
            return None;
        }
        if !real.is_file() {
            self.problems.push(Diagnostic::error(code::CANNOT_READ, path.span(), format!("`{path}` is not a file")));
            return None;
        }
        Some((real, shown_folder.join(written)))
    }

    /// The text of a file and of the files below it, laid over each other.
    fn with_bases(&mut self, file: FileId, above: &mut Vec<FileId>) -> Option<Scenario> {
        let scenario = parse(&self.sources, file, &mut self.problems)?;
        let nothing = Scenario::default();
        let below = match scenario.base.get() {
            None => nothing,
            Some(path) => {
                above.push(file);
                let base = self.read_beside(path)?;
                if let Some(problem) = self.cycle(path, base, above) {
                    self.problems.push(problem);
                    return None;
                }
                as_base(self.with_bases(base, above)?)
            }
        };
        Some(overlay(&below, &scenario, &mut self.problems))
    }

    fn cycle(&self, path: &Text, base: FileId, above: &[FileId]) -> Option<Diagnostic> {
        if above.contains(&base) {
            let mut chain: Vec<String> = above.iter().map(|file| format!("`{}`", self.sources.name(*file))).collect();
            chain.push(format!("`{}`", self.sources.name(base)));
            return Some(Diagnostic::error(code::BASE_CYCLE, path.span(), format!("a scenario stands on itself: {}", chain.join(" on "))));
        }
        (above.len() > BASES_MAX).then(|| {
            let message = format!("this scenario stands on more than {BASES_MAX} others, one below the other");
            Diagnostic::error(code::BASE_CYCLE, path.span(), message)
        })
    }

    /// Adds a text after a look at its bytes.
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> Option<FileId> {
        if bytes.len() as u64 > FILE_BYTES_MAX {
            let message = format!("`{name}` is larger than {} MB", FILE_BYTES_MAX / 1024 / 1024);
            self.problems.push(Diagnostic::error(code::TOO_LARGE, Span::NOWHERE, message));
            return None;
        }
        let wide = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        match String::from_utf8(bytes) {
            Ok(text) => Some(self.sources.add(name, text.strip_prefix('\u{feff}').unwrap_or(&text))),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let file = self.sources.add(name, String::from_utf8_lossy(error.as_bytes()));
                let problem = Diagnostic::error(code::NOT_TEXT, Span::new(file, at, at + 3), "this is not UTF-8");
                self.problems.push(problem.help(if wide { "the file is UTF-16: save it as UTF-8" } else { "save the file as UTF-8" }));
                None
            }
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_a_folder() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")
}

fn cannot_read(span: Span, name: &str, error: &std::io::Error) -> Diagnostic {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "not allowed".to_owned(),
        _ => error.to_string(),
    };
    let problem = Diagnostic::error(code::CANNOT_READ, span, format!("cannot read `{name}`: {why}"));
    if span == Span::NOWHERE { problem } else { problem.help("a path is looked up from the folder of the file that it is written in") }
}
