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
