//! Do we agree with the 55 published conformance cases? One scenario per case in `tests/conformance`, and in it one case per profile that the row names.
//!
//! A row names its profiles here once more, so that nothing gets lost in silence: what a file skips must stand in the list of gaps, with its reason, and
//! a gap that could be closed is a failure too. `cargo test --test conformance -- --nocapture` prints the table.

use mailtwin::scenario::{load_path, load_text};
use mailtwin::verify::{Status, test};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ALL: &[&str] = &["rfc", "postfix", "exim", "sendmail", "opensmtpd"];
/// Those who mind what TLSA records say, without deviations of their own.
const DANE: &[&str] = &["rfc", "postfix", "exim", "kumo"];
const MTA_STS: &[&str] = &["rfc", "postfix", "kumo", "exchange-online"];

/// The profiles that each row names, from 1.
const ROWS: [&[&str]; 55] = [
    ALL,
    ALL,
    ALL,
    &["rfc", "exim", "sendmail", "opensmtpd"],
    &["postfix"],
    ALL,
    &["rfc", "postfix", "exim", "qmail"],
    &["opensmtpd"],
    ALL,
    &["postfix", "exim", "sendmail", "opensmtpd", "qmail", "kumo"],
    ALL,
    &["rfc"],
    &["postfix"],
    ALL,
    &["postfix", "exim", "qmail"],
    &["kumo", "opensmtpd"],
    &["rfc", "postfix", "exim"],
    &["rfc", "postfix"],
    &["postfix"],
    &["exim"],
    &["rfc"],
    &["rfc", "exim"],
    &["postfix"],
    &["rfc"],
    ALL,
    &["postfix"],
    &["rfc", "postfix", "exim", "sendmail", "opensmtpd", "kumo"],
    &["qmail"],
    &["postfix", "exim", "sendmail"],
    &["postfix", "exim", "sendmail"],
    ALL,
    &["postfix", "exim", "sendmail"],
    ALL,
    &["postfix", "exim", "sendmail"],
    ALL,
    ALL,
    ALL,
    &["postfix", "exim"],
    &["rfc"],
    &["postfix"],
    &["rfc"],
    &["rfc"],
    &["postfix"],
    &["exim"],
    &["qmail"],
    &["postfix"],
    &["exim"],
    &["postfix"],
    &["postfix"],
    &["postfix"],
    DANE,
    DANE,
    MTA_STS,
    MTA_STS,
    &["rfc"],
];

/// What does not exist yet: why a case is skipped for want of it, and a scenario that loads as soon as it does.
const ABSENT_PARTS: &[(&str, &str)] = &[];

/// Where we still say something else than the row (`expect_fail` in its file): case, profile, what.
const DISAGREEMENTS: &[(usize, &str, &str)] = &[];

/// What whoever checks the scenario of a case is warned of.
const WARNINGS: &[(usize, &str)] = &[(10, "MT0112"), (24, "MT0215")];

/// The files by the number that their names begin with.
fn files() -> BTreeMap<usize, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut files = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = name.split('-').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{name}: no number in front"));
        assert!(files.insert(number, path).is_none(), "two files for case {number}");
    }
    files
}

#[test]
fn every_published_case_holds() {
    let files = files();
    let mut wrong = Vec::new();
    println!("{:>4}  {:<42} passed", "case", "profiles");
    for (number, profiles) in (1..).zip(ROWS) {
        let Some(path) = files.get(&number) else {
            wrong.push(format!("case {number}: no file"));
            continue;
        };
        let mut loaded = load_path(path).unwrap_or_else(|invalid| panic!("{}: {:?}", path.display(), invalid.problems));
        let name = path.file_name().unwrap().to_string_lossy();
        let warned: BTreeSet<String> = loaded.warnings.drain(..).map(|warning| warning.code.id.to_owned()).collect();
        for (_, code) in WARNINGS.iter().filter(|(of, _)| *of == number) {
            if !warned.contains(*code) {
                wrong.push(format!("case {number}: no warning {code}, only {warned:?}"));
            }
        }
        let report = test(&loaded, &name, &name, None);
        let (mut named, mut passed) = (BTreeSet::new(), BTreeSet::new());
        for result in &report.results {
            let case = result.case.as_deref().unwrap_or_else(|| panic!("{name}: a test without cases by profile"));
            let profile = case.split(',').next().unwrap();
            named.insert(profile.to_owned());
            let why = result.why.as_deref().unwrap_or("");
            let is_gap = match result.status {
                Status::Passed => {
                    passed.insert(profile.to_owned());
                    continue;
                }
                Status::Skipped => ABSENT_PARTS.iter().any(|(words, _)| *words == why),
                Status::ExpectedFailure => DISAGREEMENTS.contains(&(number, profile, why)),
                Status::Failed | Status::Error => false,
            };
            if !is_gap {
                let said: Vec<String> = result.failures.iter().map(|failure| format!("  {failure:?}")).collect();
                wrong.push(format!("{name}: {} / {case}: {} {why}\n{}", result.test, result.status.as_str(), said.join("\n")));
            }
        }
        if named != profiles.iter().map(|profile| (*profile).to_owned()).collect() {
            wrong.push(format!("{name}: cases for {named:?}, but the row names {profiles:?}"));
        }
        let missing = profiles.iter().filter(|profile| !passed.contains(**profile)).copied().collect::<Vec<_>>().join(" ");
        let missing = if missing.is_empty() { missing } else { format!(", not yet {missing}") };
        println!("{number:>4}  {:<42} {}/{}{missing}", profiles.join(" "), passed.len(), profiles.len());
    }
    if let Some(number) = files.keys().find(|number| !(1..=ROWS.len()).contains(*number)) {
        wrong.push(format!("there is no case {number}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a gap waits for is still absent; else the skipped cases can be played, and must be.
#[test]
fn no_gap_could_be_closed() {
    for (words, text) in ABSENT_PARTS {
        assert!(load_text("a part", text).is_err(), "no longer true: {words}");
    }
}
