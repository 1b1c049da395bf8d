//! Whatever may be written in a scenario stands on a page: every field and every word of the schema, in backticks.

use std::collections::BTreeSet;
use std::path::Path;

/// Fields and words of a schema file: `name: Field<…>`, `name: Named<…>`, and the words of `words!` and `kinds!`.
fn vocabulary(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_words = false;
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        for piece in line.split(['{', ',']) {
            let Some((name, kind)) = piece.trim().split_once(": ") else { continue };
            if kind.starts_with("Field<") || kind.starts_with("Named<") {
                found.insert(name.trim().trim_start_matches("r#").to_owned());
            }
        }
        in_words |= line.starts_with("pub enum ");
        if in_words {
            let list = if line.starts_with("pub enum ") { line.split_once('{').map_or("", |(_, rest)| rest) } else { line };
            for word in without_brackets(list).split([',', '{', '}', ' ']) {
                if word.starts_with(|first: char| first.is_ascii_uppercase()) {
                    found.insert(word.to_owned());
                }
            }
            in_words = !line.ends_with('}') || line.ends_with("fields {") || line.ends_with("{ }");
        }
    }
    found
}

/// `Reply(ReplyFault)` is written `Reply`.
fn without_brackets(list: &str) -> String {
    let mut depth = 0;
    let mut kept = String::new();
    for letter in list.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            letter if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

/// Everything in backticks, word by word.
fn written(page: &str) -> BTreeSet<String> {
    page.split('`')
        .skip(1)
        .step_by(2)
        .flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_word_of_the_format_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let pages = read("docs/scenario-format.md") + &read("docs/exchange-parameters.md");
    let explained = written(&pages);
    let (mut missing, mut all) = (Vec::new(), 0);
    for file in ["behaviour", "exchange_online", "exchange_server", "expectation", "host", "names", "systems", "test", "top"] {
        let words = vocabulary(&read(&format!("src/scenario/schema/{file}.rs")));
        all += words.len();
        missing.extend(words.into_iter().filter(|word| !explained.contains(word)).map(|word| format!("{file}: {word}")));
    }
    assert!(all > 400, "the schema was not understood: {all} words");
    assert!(missing.is_empty(), "neither docs/scenario-format.md nor docs/exchange-parameters.md says what these mean: {missing:#?}");
}
