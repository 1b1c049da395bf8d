//! docs/coverage.md: each of the 101 systems, settings and questions that the project grew from has a scenario or a test that shows it, and so has each rule of
//! Exchange and what came later. docs/smtp-coverage.md: each fact about SMTP, DNS and TLS has what holds it. All that the pages name exists.

use std::collections::BTreeMap;
use std::path::Path;

/// How many rows the checklist has.
const ROWS: u32 = 101;
/// A video, a feedback box, an advertisement: nothing that mail meets.
const NOTHING_TO_MODEL: [u32; 2] = [48, 101];

/// The proofs of a cell: a path in backticks, and maybe the name of a test of it in quotes.
fn proofs(cell: &str) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut rest = cell;
    while let Some(at) = rest.find(['`', '"']) {
        let quote = &rest[at..=at];
        let Some(end) = rest[at + 1..].find(quote) else { break };
        let text = rest[at + 1..at + 1 + end].to_owned();
        if quote == "`" {
            found.push((text, None));
        } else if let Some((_, name @ None)) = found.last_mut() {
            *name = Some(text);
        } else if let Some((path, _)) = found.last().cloned() {
            found.push((path, Some(text)));
        }
        rest = &rest[at + end + 2..];
    }
    found
}

/// The text of a test of a clause file.
fn test_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n        \"{name}\": ("))?;
    Some(rest.split("\n        \"").next().unwrap_or(rest))
}

/// What a cell names and nobody has.
fn missing(row: &str, named: Vec<(String, Option<String>)>) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut problems = Vec::new();
    for (path, test) in named {
        let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
            problems.push(format!("{row}: there is no file {path}"));
            continue;
        };
        let stands = |name: &str| match name.split_once(" / ") {
            _ if path.ends_with(".rs") => text.contains(&format!("fn {name}(")),
            Some((test, case)) => test_of(&text, test).is_some_and(|test| test.contains(&format!("\"{case}\": ("))),
            None => text.contains(&format!("\"{name}\"")),
        };
        if let Some(name) = test.filter(|name| !stands(name)) {
            problems.push(format!("{row}: {path} has no \"{name}\""));
        }
        if path.starts_with("scenarios/") && !text.contains("tests: {") {
            problems.push(format!("{row}: {path} has no tests"));
        }
    }
    problems
}

/// The rows of the table below a heading, first cell and last.
fn table<'a>(page: &'a str, heading: &str) -> Vec<(&'a str, &'a str)> {
    let below = page.split_once(&format!("\n## {heading}")).map_or("", |(_, below)| below);
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.filter_map(|row| Some((row.split(" | ").next()?, row.rsplit(" | ").next()?)));
    cells.skip(1).collect()
}

#[test]
fn what_came_later_is_shown_too() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md")).unwrap();
    let rows = table(&page, "Beyond the checklist");
    assert!(rows.len() >= 40, "{} rows", rows.len());
    let unnamed =
        rows.iter().filter(|(_, cell)| !proofs(cell).iter().any(|(_, test)| test.is_some())).map(|(word, _)| format!("{word}: no test"));
    let problems: Vec<String> = unnamed.chain(rows.iter().flat_map(|(word, cell)| missing(word, proofs(cell)))).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_sentence_of_exchange_server_has_a_test() {
    sentences("Sentence by sentence: Exchange Server", 225);
}

#[test]
fn every_sentence_of_exchange_online_and_fope_has_a_test() {
    sentences("Sentence by sentence: Exchange Online and FOPE", 210);
}

fn sentences(heading: &str, least: usize) {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md")).unwrap();
    let rows = table(&page, heading);
    assert!(rows.len() >= least, "{heading}: {} rows", rows.len());
    let shows = |path: &str, test: &Option<String>| test.is_some() || path.starts_with("tests/invalid/");
    let nothing = rows.iter().filter(|(_, cell)| !proofs(cell).iter().any(|(path, test)| shows(path, test)));
    let unshown = nothing.map(|(of, cell)| format!("{of}: {cell} shows nothing"));
    let problems: Vec<String> = unshown.chain(rows.iter().flat_map(|(of, cell)| missing(of, proofs(cell)))).collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn every_rule_of_exchange_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/coverage.md")).unwrap();
    let rules = std::fs::read_to_string(root.join("docs/rules.md")).unwrap();
    let shown: BTreeMap<&str, &str> = table(&page, "Rule by rule").into_iter().collect();
    let mut problems: Vec<String> = shown.iter().flat_map(|(rule, cell)| missing(rule, proofs(cell))).collect();
    for section in ["Exchange Online (", "FOPE, ", "Exchange Server ("] {
        let ids: Vec<&str> = table(&rules, section).into_iter().flat_map(|(ids, _)| ids.split(", ")).filter(|id| *id != "–").collect();
        assert!(ids.len() >= 7, "{section}: {ids:?}");
        problems.extend(
            ids.into_iter().filter(|id| !shown.contains_key(id)).map(|id| format!("docs/coverage.md, Rule by rule: no row for {id}")),
        );
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// One row per fact of the rule book of SMTP, DNS and TLS: what holds it, or that it is not there.
#[test]
fn every_fact_of_smtp_is_held() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/smtp-coverage.md")).unwrap();
    let mut problems = Vec::new();
    let (mut facts, mut sections) = (0, 0);
    for section in page.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap_or_default();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")).skip(1);
        let before = facts;
        for (fact, cell) in rows {
            let (held, lacks) = cell.split_once("not modelled: ").unwrap_or((cell, ""));
            let is_file = |path: &str| [".md", ".rs", ".ron"].iter().any(|end| path.ends_with(end));
            let named = proofs(held);
            if named.is_empty() && lacks.is_empty() {
                problems.push(format!("{title}: {fact}: nothing holds it"));
            }
            let told = proofs(lacks).into_iter().filter(|(path, _)| is_file(path));
            problems.extend(missing(&format!("{title}: {fact}"), named.into_iter().chain(told).collect()));
            facts += 1;
        }
        sections += usize::from(facts > before);
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(facts >= 450 && sections >= 35, "{facts} facts in {sections} sections");
}

#[test]
fn every_row_is_shown_by_something_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/coverage.md")).unwrap();
    let mut rows: BTreeMap<u32, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for line in page.lines() {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let Some(number) = cells.next().and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        let cell = cells.nth(1).unwrap_or_default();
        if rows.insert(number, cell).is_some() {
            problems.push(format!("row {number} stands twice"));
        }
        let named = proofs(cell);
        if named.is_empty() != NOTHING_TO_MODEL.contains(&number) {
            problems.push(format!("row {number}: `{cell}`"));
        }
        problems.extend(missing(&format!("row {number}"), named));
    }
    problems.extend((1..=ROWS).filter(|row| !rows.contains_key(row)).map(|row| format!("row {row} is missing")));
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Rows of tables and lines of lists that a merge of two branches doubled.
#[test]
fn no_page_says_a_line_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs
        .chain([root.join("README.md"), root.join("CHANGELOG.md")])
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut problems = Vec::new();
    for path in pages {
        let page = std::fs::read_to_string(&path).unwrap();
        // A table or a list ends at an empty line.
        for block in page.split("\n\n") {
            let mut lines: Vec<&str> = block.lines().filter(|line| line.starts_with("| ") || line.starts_with("- ")).collect();
            lines.sort_unstable();
            problems.extend(lines.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| format!("{}: {}", path.display(), pair[0])));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}
