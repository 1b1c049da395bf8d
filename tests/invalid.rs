//! What is said about scenarios that can be read and not be played? Each file in `tests/invalid` with all its complaints beside it.
//!
//! `UPDATE_GOLDEN=1` accepts what is said now; then read the difference line by line.

use std::path::PathBuf;
use std::{env, fs};

use mailtwin::diag::{Style, render};
use mailtwin::scenario::load_path;

#[test]
fn every_problem_at_its_place() {
    let mut files: Vec<PathBuf> = fs::read_dir("tests/invalid").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ron"));
    files.sort();
    assert!(files.len() >= 40, "{} files", files.len());
    let mut changed = Vec::new();
    for file in files {
        let said = match load_path(&file) {
            Ok(_) => "nothing is wrong\n".to_owned(),
            Err(invalid) => render(&invalid.problems, &invalid.sources, Style::Plain),
        };
        for picture in said.split("\n\n").filter(|picture| picture.starts_with("error")) {
            assert!(picture.contains("help: "), "{}: no way out\n{picture}", file.display());
        }
        let golden = file.with_extension("txt");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &said).unwrap();
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&*said) {
            changed.push(format!("{}\n{said}", file.display()));
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}
