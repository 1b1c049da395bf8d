//! What do `--set PATH=VALUE` and `--fail TARGET[@AT..UNTIL]` say? A small scenario each, as text, read like any other.
//!
//! The path is walked along the merged scenario, because a system's kind and the brackets around each step stand there and not in the flag.

use std::ops::Range;

use super::read::{Value, quoted};
use super::schema::Scenario;
use crate::diag::closest;

/// One step of a path: a field or a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The word, without dots, brackets and quotes.
    pub word: String,
    /// Where it stands in the argument.
    pub place: Range<usize>,
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathProblem {
    /// Where in the argument.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// A way out, if there is one.
    pub help: Option<String>,
}

impl PathProblem {
    /// Something is wrong with a step.
    pub fn at(step: &Step, message: String) -> Self {
        Self { place: step.place.clone(), message, help: None }
    }

    /// There is no such field or name.
    pub fn unknown(step: &Step, what: &str, known: &[&str]) -> Self {
        let help = match closest(&step.word, known.iter().copied()) {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None if known.is_empty() => None,
            None => Some(format!("known are {}", quoted(&known[..known.len().min(12)]))),
        };
        Self { place: step.place.clone(), message: format!("`{}` is not a {what}", step.word), help }
    }

    fn shape(place: Range<usize>, message: &str) -> Self {
        Self {
            place,
            message: message.into(),
            help: Some("as in: systems.contoso.outbound_connectors[\"To on-premises\"].enabled=false".into()),
        }
    }
}

/// A text in quotes, as RON reads it.
pub(super) fn quote(text: &str) -> String {
    format!("{text:?}")
}

/// The small scenario of `PATH=VALUE`.
pub(super) fn set_text(argument: &str, scenario: &Scenario) -> Result<String, PathProblem> {
    let (path, value) = split_path(argument)?;
    if value.trim().is_empty() {
        return Err(PathProblem::shape(argument.len()..argument.len(), "there is no value behind the `=`"));
    }
    let text = Scenario::wrap(Some(scenario), &path, value.trim())?;
    Ok(format!("Scenario{text}"))
}

/// Splits `a.b["c d"].e=VALUE` into steps and value.
fn split_path(argument: &str) -> Result<(Vec<Step>, &str), PathProblem> {
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let rest = &argument[at..];
        if let Some(inside) = rest.strip_prefix('[') {
            let Some(mark) = inside.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                return Err(PathProblem::shape(at..argument.len(), "a name in `[ ]` stands in quotes"));
            };
            let Some(len) = inside[1..].find(&format!("{mark}]")) else {
                return Err(PathProblem::shape(at..argument.len(), "this bracket is never closed"));
            };
            steps.push(Step { word: inside[1..=len].to_owned(), place: at + 2..at + 2 + len });
            at += len + 4;
        } else {
            let len = rest.find(['.', '[', '=']).unwrap_or(rest.len());
            let word = rest[..len].trim();
            if word.is_empty() {
                return Err(PathProblem::shape(at..(at + 1).min(argument.len()), "a step of the path is missing here"));
            }
            steps.push(Step { word: word.to_owned(), place: at..at + len });
            at += len;
        }
        match argument[at..].chars().next() {
            Some('=') => return Ok((steps, &argument[at + 1..])),
            Some('.') => at += 1,
            Some('[') => {}
            Some(_) => return Err(PathProblem::shape(at..at + 1, "expected `.`, `[` or `=` here")),
            None => return Err(PathProblem::shape(at..at, "there is no `=` with a value")),
        }
    }
}

/// The small scenario of `TARGET[@AT..UNTIL]`.
pub(super) fn fail_text(argument: &str) -> Result<String, PathProblem> {
    let (target, window) = match argument.rsplit_once('@') {
        Some((target, window)) if window.contains("..") => (target, Some(window)),
        _ => (argument, None),
    };
    if window.is_none()
        && let Some((name, moment)) = argument.rsplit_once('@')
        && (crate::base::parse_duration(moment).is_ok() || moment.parse::<jiff::civil::DateTime>().is_ok())
    {
        return Err(PathProblem {
            place: name.len()..argument.len(),
            message: format!("`@{moment}` is no stretch of time: it has two ends, with `..` between them"),
            help: Some(format!("from then on is {name}@{moment}.., until then {name}@..{moment}")),
        });
    }
    if target.trim().is_empty() {
        return Err(PathProblem {
            place: 0..argument.len(),
            message: "there is no target".into(),
            help: Some("as in: --fail site-a@10m..40m".into()),
        });
    }
    let mut fields = format!("target: {}", quote(target.trim()));
    let (at, until) = window.and_then(|window| window.split_once("..")).unwrap_or_default();
    for (field, moment) in [("at", at.trim()), ("until", until.trim())] {
        if !moment.is_empty() {
            fields.push_str(&format!(", {field}: {}", quote(moment)));
        }
    }
    Ok(format!("Scenario(faults: {{ {}: Down({fields}) }})", quote(&format!("--fail {argument}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let words = |argument| {
            split_path(argument).map(|(steps, value)| (steps.into_iter().map(|step| step.word).collect::<Vec<_>>().join("|"), value))
        };
        let cases = [
            ("seed=7", "seed|7"),
            (
                "systems.contoso.outbound_connectors[\"To on-premises\"].enabled=false",
                "systems|contoso|outbound_connectors|To on-premises|enabled|false",
            ),
            ("mta_sts['contoso.com'].policy=\"a=b\"", "mta_sts|contoso.com|policy|\"a=b\""),
        ];
        for (argument, expected) in cases {
            let (path, value) = words(argument).unwrap();
            assert_eq!(format!("{path}|{value}"), expected, "{argument}");
        }
        for (argument, place) in [("", 0..0), ("a.b", 3..3), ("a..b=1", 2..3), ("a[b]=1", 1..6), ("a[\"b=1", 1..6), ("a[\"b\"]c=1", 6..7)] {
            assert_eq!(split_path(argument).unwrap_err().place, place, "{argument}");
        }
    }

    #[test]
    fn failures() {
        let cases = [
            ("site-a", r#"Scenario(faults: { "--fail site-a": Down(target: "site-a") })"#),
            ("a@10m..40m", r#"Scenario(faults: { "--fail a@10m..40m": Down(target: "a", at: "10m", until: "40m") })"#),
            ("a@..40m", r#"Scenario(faults: { "--fail a@..40m": Down(target: "a", until: "40m") })"#),
            ("a@b", r#"Scenario(faults: { "--fail a@b": Down(target: "a@b") })"#),
        ];
        for (argument, expected) in cases {
            assert_eq!(fail_text(argument).as_deref(), Ok(expected), "{argument}");
        }
        assert!(fail_text("@1h..").is_err() && fail_text("p@10m").is_err());
    }
}
