//! Does the page of rules name every rule that the code can give as a reason?

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is there").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            found.push(entry);
        }
    }
}

/// Is this text the id of a rule?
fn is_id(text: &str) -> bool {
    let known =
        ["LOCAL", "ROUTE", "SMART", "LITERAL", "MX", "ACCEPT", "TLS", "DBEB", "LOOKUP", "FILTER", "EXPAND", "SRS", "RULE", "LOGIN", "DOWN"];
    let numbered =
        |front: &str| text.strip_prefix(front).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    let families = [
        "R", "OUT-", "SH-", "ATT-", "IN-", "REL-", "SUB-", "EF-", "SPF-", "DKIM-", "DMARC-", "AUTH-", "DANE-", "STS-", "EXT-", "FOPE-",
        "QUE-", "BP-", "OOF-", "DOM-",
    ];
    known.contains(&text) || families.into_iter().any(numbered)
}

#[test]
fn the_page_has_every_rule_of_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src/decide"), &mut files);
    let ids: BTreeSet<String> = files
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).expect("a source file");
            text.split('"').filter(|piece| is_id(piece)).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(ids.len() > 25, "the rules of the code are found: {ids:?}");
    let page = fs::read_to_string(root.join("docs/rules.md")).expect("docs/rules.md");
    let words: BTreeSet<&str> = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    let missing: Vec<&String> = ids.iter().filter(|id| !words.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "docs/rules.md does not name {missing:?}");
}

/// Ids that no decision carries, and where the page says they are told instead.
const TOLD_OTHERWISE: [&str; 6] = ["SH-3", "SH-4", "BP-4", "NET-5", "TLS", "IN-3"];

/// The ids in the first column of the page's tables: one, several, or a range.
fn ids_of(page: &str) -> BTreeSet<String> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let all = cells.flat_map(|cell| cell.split(", ").map(str::to_owned).collect::<Vec<_>>());
    all.filter(|text| is_id(text) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')).collect()
}

/// Does the code say every id that the page explains?
#[test]
fn the_code_has_every_rule_of_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let code: String = files.iter().map(|file| fs::read_to_string(file).expect("a source file")).collect();
    let page = fs::read_to_string(root.join("docs/rules.md")).expect("docs/rules.md");
    let ids = ids_of(&page);
    assert!(ids.len() > 80, "the ids of the page are found: {ids:?}");
    let unsaid: Vec<&String> =
        ids.iter().filter(|id| !code.contains(&format!("\"{id}\"")) && !TOLD_OTHERWISE.contains(&id.as_str())).collect();
    assert!(unsaid.is_empty(), "no decision carries {unsaid:?}: say it, or say in docs/rules.md where it is told");
    let told = page.split("\n\n").nth(1).expect("the page begins with a paragraph");
    let silent: Vec<&&str> = TOLD_OTHERWISE.iter().filter(|id| !told.contains(**id)).collect();
    assert!(silent.is_empty(), "the beginning of docs/rules.md does not say where {silent:?} are told");
}
