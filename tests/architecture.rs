//! Does the house stand as planned: rooms that use only the rooms below them, guests (crates) in the room that asked them in, short files?
//!
//! Reads the sources as text: `crate::room`, `use crate::{room, …}` and chains of `super` that leave a room. What only tests use is not looked at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// From the top to the bottom: a room may use the rooms below it, never one above.
const ROOMS: [&str; 13] =
    ["main", "lib", "cli", "report", "verify", "analysis", "engine", "scenario", "trace", "decide", "model", "diag", "base"];

/// Neighbours on the way down that still do not know each other.
const STRANGERS: [(&str, &str, &str); 2] = [
    ("engine", "scenario", "the clockwork plays a model, whatever text it came from"),
    ("analysis", "scenario", "a finished run is judged by what happened, not by what was written"),
];

/// Which files may use a crate, as beginnings of paths below `src/`.
const GUESTS: [(&str, &[&str]); 11] = [
    ("plotters", &["report/chart"]),
    ("rand", &["engine/chance.rs"]),
    ("rand_chacha", &["engine/chance.rs"]),
    ("ron", &["scenario/"]),
    ("petgraph", &["analysis/", "model/"]),
    ("psl", &["decide/authentication/dmarc.rs"]),
    ("annotate_snippets", &["diag"]),
    ("clap", &["cli/"]),
    ("anstream", &["cli/"]),
    ("std::process", &["cli/", "main.rs"]),
    ("std::fs", &["cli/", "scenario/load.rs"]),
];

/// So many lines without tests are enough for one idea.
const LINES_MAX: usize = 450;

/// Files that are longer, and why.
const LONG: &[(&str, &str)] = &[];

struct SourceFile {
    /// Below `src/`, with `/`.
    path: String,
    /// `decide`, `exchange`, `mx`
    module: Vec<String>,
    /// Without comments and tests.
    code: String,
}

impl SourceFile {
    fn room(&self) -> &str {
        &self.module[0]
    }
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    paths.sort();
    let texts: BTreeMap<PathBuf, String> = paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    let mut only_tests = Vec::new();
    for (path, text) in &texts {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            if let Some((_, name)) = pair[1].strip_suffix(';').and_then(|line| line.rsplit_once("mod ")) {
                let folder =
                    if path.ends_with("mod.rs") || path.ends_with("lib.rs") { path.with_file_name("") } else { path.with_extension("") };
                only_tests.extend([folder.join(name).with_extension("rs"), folder.join(name).join("mod.rs")]);
            }
        }
    }
    let kept = texts.iter().filter(|(path, _)| !only_tests.contains(path));
    kept.map(|(path, text)| {
        let below = path.strip_prefix(&root).unwrap().with_extension("");
        let mut module: Vec<String> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        let relative = path.strip_prefix(&root).unwrap().iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/");
        SourceFile { path: relative, module, code: without_comments_and_tests(text) }
    })
    .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every line keeps its place; tests stand last in a file, so everything behind their attribute goes.
fn without_comments_and_tests(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{'));
    let code = lines[..tests.unwrap_or(lines.len())].iter();
    let code: Vec<&str> = code.map(|line| line.split_once("//").map_or(*line, |(before, _)| before)).collect();
    code.join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The places behind each `path` (`crate::`, `ron::`) that is not the tail of a longer word or path.
fn places_behind<'a>(code: &'a str, path: &str) -> Vec<(usize, &'a str)> {
    let found = code.match_indices(path).filter(|(at, _)| !code[..*at].ends_with(is_word) && !code[..*at].ends_with("::"));
    found.map(|(at, found)| (code[..at].lines().count().max(1), &code[at + found.len()..])).collect()
}

fn first_word(text: &str) -> &str {
    text.split(|c| !is_word(c)).next().unwrap_or("")
}

/// The first words of `{a, b::{c, d}, e}`, or the word itself.
fn first_words(text: &str) -> Vec<&str> {
    let Some(list) = text.strip_prefix('{') else { return vec![first_word(text)] };
    let (mut depth, mut start, mut words) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            ',' if depth == 0 => {
                words.push(first_word(list[start..at].trim_start()));
                start = at + 1;
            }
            '}' if depth == 0 => {
                words.push(first_word(list[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    words
}

/// The rooms that a file names, with the lines where it does.
fn rooms_named(file: &SourceFile) -> Vec<(usize, &str)> {
    let mut named: Vec<(usize, &str)> = Vec::new();
    for (line, behind) in places_behind(&file.code, "crate::").into_iter().chain(places_behind(&file.code, "mailtwin::")) {
        named.extend(first_words(behind).into_iter().map(|word| (line, word)));
    }
    for (line, mut behind) in places_behind(&file.code, "super::") {
        let mut up = 1;
        while let Some(rest) = behind.strip_prefix("super::") {
            behind = rest;
            up += 1;
        }
        if up == file.module.len() {
            named.extend(first_words(behind).into_iter().map(|word| (line, word)));
        }
    }
    named.retain(|(_, word)| ROOMS.contains(word));
    named
}

#[test]
fn rooms_use_only_what_lies_below() {
    let level = |room: &str| ROOMS.iter().position(|other| *other == room);
    let mut wrong = Vec::new();
    for file in sources() {
        let Some(here) = level(file.room()) else {
            wrong.push(format!("src/{}: `{}` is not a room of the house; the rooms are {}", file.path, file.room(), ROOMS.join(", ")));
            continue;
        };
        for (line, room) in rooms_named(&file) {
            let arrow = format!("src/{}:{line}: `{}` uses `{room}`", file.path, file.room());
            if level(room).is_some_and(|there| there < here) {
                wrong.push(format!("{arrow}, which lies above it: arrows go down only ({})", ROOMS.join(" > ")));
            }
            if let Some((_, _, why)) = STRANGERS.iter().find(|(from, to, _)| *from == file.room() && *to == room) {
                wrong.push(format!("{arrow}, which it must not know: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (guest, rooms) in GUESTS {
            if rooms.iter().any(|room| file.path.starts_with(room)) {
                continue;
            }
            let uses = places_behind(&file.code, &format!("{guest}::")).into_iter().map(|(line, _)| line);
            let imports = places_behind(&file.code, &format!("use {guest};")).into_iter().map(|(line, _)| line);
            wrong.extend(
                uses.chain(imports).map(|line| format!("src/{}:{line}: `{guest}` belongs to {} only", file.path, rooms.join(", "))),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn files_hold_one_idea() {
    let mut wrong = Vec::new();
    for file in sources() {
        let lines = file.code.lines().count();
        match LONG.iter().find(|(path, _)| *path == file.path) {
            None if lines > LINES_MAX => {
                wrong.push(format!(
                    "src/{}: {lines} lines without tests, {LINES_MAX} at most; split it, or list it in LONG with a reason",
                    file.path
                ));
            }
            Some(_) if lines <= LINES_MAX => wrong.push(format!("src/{}: short again; take it off the list LONG", file.path)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn files_open_with_their_question() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    rust_files(&root, &mut paths);
    let silent: Vec<_> = paths.into_iter().filter(|path| !fs::read_to_string(path).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "these files do not say what they are for in a first line `//! …`: {silent:#?}");
}

#[test]
fn the_reader_of_sources_finds_arrows() {
    let file = |path: &str, code: &str| SourceFile {
        path: path.to_owned(),
        module: path.split('/').map(str::to_owned).collect(),
        code: without_comments_and_tests(code),
    };
    let cases = [
        ("decide/mx", "use crate::base::Fate;", vec!["base"]),
        ("decide/mx", "use crate::{base::{Fate, Reply}, model, engine::run};", vec!["base", "model", "engine"]),
        ("decide/exchange/out", "use super::super::super::engine::Run;", vec!["engine"]),
        ("decide/exchange/out", "use super::super::mx;", vec![]),
        ("base/fate", "// crate::engine\nlet x = $crate::diag::y();", vec!["diag"]),
        ("base/fate", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}", vec![]),
        ("base/fate", "other_crate::engine; krate::crate::engine", vec![]),
    ];
    for (path, code, expected) in cases {
        let file = file(path, code);
        let rooms: Vec<&str> = rooms_named(&file).into_iter().map(|(_, room)| room).collect();
        assert_eq!(rooms, expected, "{code}");
    }
}
