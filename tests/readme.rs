//! Do README and docs tell the truth? Every command in them is played, and what they show must be what comes out.
//!
//! In a block of the kind `console`, a line `$ mailtwin …` is played from the root of the repository; up to the next `$` or the end of the block
//! stands what it prints on standard output and then on standard error. `| head -N` or `| tail -N` at its end cuts standard output. `UPDATE_GOLDEN=1` writes the
//! blocks anew: read the diff line by line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mailtwin::base::Fate;

/// Lines that are not played here, because they are this very test, or need a network or a minute.
const NOT_PLAYED: [&str; 2] = ["cargo build --release", "cargo test"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    for folder in ["docs", "scenarios"] {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        pages.extend(entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    pages.sort();
    pages
}

/// What a command of a page prints.
fn play(line: &str) -> Vec<String> {
    let (command, cut) = line.split_once(" | ").map_or((line, None), |(command, cut)| (command, Some(cut)));
    let args = command.strip_prefix("cargo run --release -- ").or(command.strip_prefix("mailtwin "));
    let args = words(args.unwrap_or_else(|| panic!("`{line}` is none of the commands that a page may show")));
    let output = Command::new(env!("CARGO_BIN_EXE_mailtwin")).args(&args).current_dir(root()).output().unwrap();
    let lines =
        |bytes: Vec<u8>| -> Vec<String> { String::from_utf8(bytes).unwrap().lines().map(|line| line.trim_end().to_owned()).collect() };
    let (said, complained) = (lines(output.stdout), lines(output.stderr));
    let number = |text: &str| text.trim().parse::<usize>().expect("a number of lines");
    // As a shell does it, a cut is one of standard output alone.
    let kept = match cut.map(|cut| (cut.strip_prefix("head -"), cut.strip_prefix("tail -"))) {
        None => said,
        Some((Some(head), _)) => said.into_iter().take(number(head)).collect(),
        Some((_, Some(tail))) => said[said.len().saturating_sub(number(tail))..].to_vec(),
        Some((None, None)) => panic!("`{line}`: only `head -N` and `tail -N` may cut an output"),
    };
    kept.into_iter().chain(complained).collect()
}

/// Words as a shell splits them; single and double quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (open, c) {
            (Some(quote), c) if c == quote => open = None,
            (None, '\'' | '"') => {
                open = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The page with every played block as it really is.
fn played(page: &str) -> String {
    let mut lines = page.lines().peekable();
    let mut new: Vec<String> = Vec::new();
    while let Some(line) = lines.next() {
        new.push(line.to_owned());
        if line != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("a block begins with a command, not with `{line}`"));
            new.push(line.to_owned());
            let shown: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| *line != "```" && !line.starts_with("$ "))).collect();
            if NOT_PLAYED.contains(&command) {
                new.extend(shown.into_iter().map(str::to_owned));
            } else {
                let blank_before_next = shown.last() == Some(&"");
                new.extend(play(command));
                new.extend(blank_before_next.then(String::new));
            }
        }
    }
    new.join("\n") + "\n"
}

#[test]
fn pages_show_what_really_comes_out() {
    let mut different = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        let real = played(&page);
        if real == page {
            continue;
        }
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &real).unwrap();
        } else {
            let line = page
                .lines()
                .zip(real.lines())
                .position(|(shown, real)| shown != real)
                .unwrap_or(page.lines().count().min(real.lines().count()));
            let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing more)").to_owned();
            different.push(format!("{}:{}\n  shown: {}\n  real:  {}", path.display(), line + 1, at(&page), at(&real)));
        }
    }
    assert!(
        different.is_empty(),
        "pages show something else than what comes out; UPDATE_GOLDEN=1 writes them anew:\n{}",
        different.join("\n")
    );
}

/// Sample answers in `reports/`, and the commands that make them.
const SAMPLES: [(&str, &[&str]); 2] = [
    ("backup-site-mx.svg", &["chart", "scenarios/eop/backup-site-mx.ron", "failover"]),
    ("backup-site-mx.txt", &["run", "scenarios/eop/backup-site-mx.ron"]),
];

#[test]
fn samples_are_what_comes_out() {
    let folder = root().join("reports");
    for (name, args) in SAMPLES {
        let output = Command::new(env!("CARGO_BIN_EXE_mailtwin")).args(args).current_dir(root()).output().unwrap();
        let (place, real) = (folder.join(name), String::from_utf8(output.stdout).unwrap());
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&place, &real).unwrap();
        }
        let same = fs::read_to_string(&place).is_ok_and(|shown| shown == real);
        assert!(same, "reports/{name} is not what `mailtwin {}` prints; UPDATE_GOLDEN=1 writes it anew", args.join(" "));
    }
}

/// The scenarios of README and format page are such.
#[test]
fn the_examples_of_the_pages_work() {
    for (page, name) in [("README.md", "readme.ron"), ("docs/scenario-format.md", "format.ron")] {
        let text = fs::read_to_string(root().join(page)).unwrap();
        let (_, behind) = text.split_once("```ron\n").expect("an example");
        let example = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&example, behind.split("```").next().unwrap()).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_mailtwin")).arg("test").arg(&example).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{page}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn the_page_of_fates_has_them_all() {
    let page = fs::read_to_string(root().join("docs/fates.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), Fate::ALL.len());
    for (row, fate) in rows.iter().zip(Fate::ALL) {
        let (code, enhanced) = fate.default_code();
        let expected = format!("| `{}` | {code} | {enhanced} | ", fate.as_str());
        assert!(row.starts_with(&expected), "`{row}` should begin with `{expected}`");
    }
}

#[test]
fn links_of_pages_lead_somewhere() {
    let mut dead = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for (_, behind) in page.match_indices("](").map(|(at, _)| page.split_at(at + 2)) {
            let target = behind.split([')', '#', ' ']).next().unwrap_or("");
            if !target.is_empty() && !target.contains("://") && !path.with_file_name(target).exists() {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}
