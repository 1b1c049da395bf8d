//! docs/coverage.md: each of the 101 systems, settings and questions that the project grew from has a scenario or a test that shows it, and these exist.

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
        for (path, test) in named {
            let Ok(text) = std::fs::read_to_string(root.join(&path)) else {
                problems.push(format!("row {number}: there is no file {path}"));
                continue;
            };
            let stands = |name: &str| {
                if path.ends_with(".rs") { text.contains(&format!("fn {name}(")) } else { text.contains(&format!("\"{name}\"")) }
            };
            if let Some(name) = test.filter(|name| !stands(name)) {
                problems.push(format!("row {number}: {path} has no \"{name}\""));
            }
            if path.starts_with("scenarios/") && !text.contains("tests: {") {
                problems.push(format!("row {number}: {path} has no tests"));
            }
        }
    }
    problems.extend((1..=ROWS).filter(|row| !rows.contains_key(row)).map(|row| format!("row {row} is missing")));
    assert!(problems.is_empty(), "{problems:#?}");
}
