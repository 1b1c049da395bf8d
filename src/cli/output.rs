//! Where does a result go, and how does everything else reach the person in front of the screen?
//!
//! Results go to standard output or to the file of `-o`, everything else to standard error. A file is written beside its place and then
//! renamed, so nobody ever reads half a result. A reader that goes away (`mailtwin … | head`) is not an error.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Exit;
use super::args::Colour;
use crate::base::printable;
use crate::diag::Style;

/// Takes the wish of `--color` for both streams; `auto` looks at the terminal, NO_COLOR and CLICOLOR_FORCE.
pub fn choose_colour(colour: Colour) {
    match colour {
        Colour::Auto => anstream::ColorChoice::Auto,
        Colour::Always => anstream::ColorChoice::Always,
        Colour::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// A remark for the person in front of the screen; styles are kept on a terminal only.
pub fn remark(text: &str) {
    // When nobody listens any more there is nobody to tell it either.
    drop(anstream::stderr().write_all(text.as_bytes()));
}

/// Something that went wrong outside of any scenario.
pub fn complain(text: &str) {
    remark(&format!("mailtwin: {text}\n"));
}

/// How problems are drawn in a result: a stream strips colours where nobody wants them, a file never has any.
pub fn style_for(to: Option<&Path>) -> Style {
    if is_stream(to) { Style::Coloured } else { Style::Plain }
}

fn is_stream(to: Option<&Path>) -> bool {
    to.is_none_or(|path| path == Path::new("-"))
}

/// Hands over a result; `to` is the file of `-o`, and `-` or nothing is standard output.
pub fn deliver(result: &str, to: Option<&Path>) -> Exit {
    let written = match to {
        Some(path) if !is_stream(to) => write_beside(path, result.as_bytes()).map_err(|error| (shown(path), error)),
        _ => print(result).map_err(|error| ("standard output".to_owned(), error)),
    };
    match written {
        Ok(()) => Exit::Fine,
        Err((place, error)) => {
            complain(&format!("cannot write {place}: {}", plain(&error)));
            Exit::InputOutput
        }
    }
}

/// Makes a folder for results, and those above it; one that is there already will do.
pub fn make_folder(folder: &Path) -> Result<(), Exit> {
    fs::create_dir_all(folder).map_err(|error| {
        complain(&format!("cannot make the folder {}: {}", shown(folder), plain(&error)));
        Exit::InputOutput
    })
}

/// A path in a sentence.
pub fn shown(path: &Path) -> String {
    format!("`{}`", printable(&path.to_string_lossy()))
}

/// An I/O error without numbers of the operating system.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::StorageFull => "no space left".to_owned(),
        _ => error.to_string(),
    }
}

fn print(result: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(result.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        // A pipe or device cannot be replaced, only written.
        Ok(about) if !about.is_file() => return fs::write(path, bytes),
        _ => {}
    }
    // Behind a link, the file is replaced and not the link.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let beside = beside(&place)?;
    // What somebody put there under this name is neither written into nor followed.
    drop(fs::remove_file(&beside));
    let fresh = |bytes| fs::OpenOptions::new().write(true).create_new(true).open(&beside)?.write_all(bytes);
    fresh(bytes).and_then(|()| fs::rename(&beside, &place)).inspect_err(|_| drop(fs::remove_file(&beside)))
}

fn beside(place: &Path) -> io::Result<PathBuf> {
    let name = place.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.tmp", std::process::id()));
    Ok(place.with_file_name(hidden))
}
