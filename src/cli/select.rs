//! Which scenarios are meant by the paths of a command line?
//!
//! A file is taken as it is named, `-` is standard input, and a folder means every `*.ron` below it that is a scenario: hidden folders, links to
//! folders, and RON files that begin with another word than `Scenario` are passed by. Order is that of the command line, then of the names.

use crate::base::InOrder;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::Exit;
use super::output::{complain, plain, shown};

/// Where scenarios are kept, if no path is given.
const USUAL_FOLDER: &str = "scenarios";

/// A file that has not shown within so many bytes what it is counts as a scenario, which deserves a complaint.
const BEGINNING_BYTES: u64 = 1 << 20;

/// The files that are meant, and how looking for them went.
#[derive(Debug)]
pub struct Selection {
    /// In the order to go through them; `-` is standard input.
    pub files: Vec<PathBuf>,
    /// [`Exit::Fine`], or what went wrong (and was said).
    pub exit: Exit,
    /// What could not be looked at, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Looks for the scenarios of a command line. Without paths: the folder `scenarios`, or else this folder.
pub fn select(paths: &[PathBuf]) -> Selection {
    let usual = if Path::new(USUAL_FOLDER).is_dir() { USUAL_FOLDER } else { "." };
    let usual = [PathBuf::from(usual)];
    let paths = if paths.is_empty() { &usual[..] } else { paths };
    let mut files: Vec<PathBuf> = Vec::new();
    let mut exit = Exit::Fine;
    let mut unreadable = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        if let Err((place, error)) = look(path, &mut found) {
            complain(&format!("cannot read {}: {}", shown(&place), plain(&error)));
            unreadable.push((place.display().to_string(), plain(&error)));
            exit = exit.and(Exit::InputOutput);
        }
        found.retain(|file| !files.contains(file));
        files.append(&mut found);
    }
    if files.is_empty() && exit == Exit::Fine {
        let places: Vec<String> = paths.iter().map(|path| shown(path)).collect();
        complain(&format!("there is no scenario in {}", places.join(", ")));
        exit = Exit::Nothing;
    }
    Selection { files, exit, unreadable }
}

fn look(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    if path == Path::new("-") {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let failed = |error| (path.to_path_buf(), error);
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return below(path, found);
    }
    found.push(path.to_path_buf());
    Ok(())
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (folder.to_path_buf(), error);
    let entries: io::Result<Vec<fs::DirEntry>> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut entries = entries.map_err(failed)?;
    entries.in_order_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // `./` says nothing to the reader.
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        let kind = entry.file_type().map_err(|error| (path.clone(), error))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() {
            if !hidden {
                below(&path, found)?;
            }
        } else if !hidden && path.extension().is_some_and(|ending| ending == "ron") && path.is_file() {
            let bytes = beginning(&path).map_err(|error| (path.clone(), error))?;
            if is_scenario(&String::from_utf8_lossy(&bytes)) {
                found.push(path);
            }
        }
    }
    Ok(())
}

/// As much of a file as tells what it is.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(BEGINNING_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Does the text begin like a scenario, behind comments and attributes? An empty or broken text counts too: that deserves a complaint.
fn is_scenario(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        let skipped = match rest {
            _ if rest.starts_with("//") => rest.split_once('\n'),
            _ if rest.starts_with("/*") => rest.split_once("*/"),
            _ if rest.starts_with("#!") => rest.split_once(']'),
            _ => break,
        };
        match skipped {
            Some((_, behind)) => rest = behind,
            None => return true,
        }
    }
    let word = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
    word.is_empty() || word == "Scenario"
}

#[cfg(test)]
mod tests {
    use super::is_scenario;

    #[test]
    fn what_looks_like_a_scenario() {
        let cases = [
            ("Scenario(name: \"x\")", true),
            ("\u{feff}#![enable(implicit_some)]\n// a comment, Plan(\n/* another */ Scenario(", true),
            ("(name: \"without its word\")", true),
            ("", true),
            ("// only a comment", true),
            ("Plan(seeds: 4)", false),
            ("ScenarioPart(x: 1)", false),
            ("[1, 2]", true),
        ];
        for (text, expected) in cases {
            assert_eq!(is_scenario(text), expected, "{text}");
        }
    }
}
