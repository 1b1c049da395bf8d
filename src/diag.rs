//! What is wrong in a file, where, and what to do about it?
//!
//! A [`Diagnostic`] is data until somebody asks for text ([`render`]) or JSON ([`Diagnostic::to_json`]). Carets are drawn by annotate-snippets,
//! here and nowhere else. Every word of the user's file goes through [`printable`] first.

mod codes;
mod render;
mod sources;

pub use codes::{Code, code};
pub use render::{Style, render};
pub use sources::{FileId, Position, Sources, Span};

use crate::base::{InOrder, printable};

/// How bad is it? The worst last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing; nothing has to change.
    Note,
    /// Probably not what was meant.
    Warning,
    /// The scenario cannot be used like this.
    Error,
}

impl Severity {
    /// `error`, `warning`, `note`
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to say about a file, at its place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// The stable id and what it stands for.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One clause, lower case, no full stop, the user's words in backticks.
    pub message: String,
    /// Where; [`Span::NOWHERE`] for something without a place (a missing file).
    pub span: Span,
    /// A few words beside the carets; often empty.
    pub label: String,
    /// Other places that belong to it ("defined here").
    pub also: Vec<(Span, String)>,
    /// Ways out, one line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// Something that makes the scenario unusable.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, code, span, message.as_ref())
    }

    /// Something that is probably not meant.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, code, span, message.as_ref())
    }

    /// Something worth knowing.
    #[must_use]
    pub fn note(code: Code, span: Span, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Note, code, span, message.as_ref())
    }

    fn new(severity: Severity, code: Code, span: Span, message: &str) -> Self {
        let message = printable(message).into_owned();
        Self { code, severity, message, span, label: String::new(), also: Vec::new(), help: Vec::new() }
    }

    /// Words beside the carets.
    #[must_use]
    pub fn label(mut self, label: impl AsRef<str>) -> Self {
        self.label = printable(label.as_ref()).into_owned();
        self
    }

    /// Another place that belongs to it.
    #[must_use]
    pub fn also(mut self, span: Span, label: impl AsRef<str>) -> Self {
        self.also.push((span, printable(label.as_ref()).into_owned()));
        self
    }

    /// A way out.
    #[must_use]
    pub fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help.push(printable(help.as_ref()).into_owned());
        self
    }

    /// "did you mean `…`?", if one of `known` is close to `word`.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(word, known.into_iter().filter(|name| *name != word)) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same as one JSON object: file, line and column (1-based, in characters), end, code, severity, message, help.
    #[must_use]
    pub fn to_json(&self, sources: &Sources) -> serde_json::Value {
        let place = |span: Span| {
            sources.range(span).map(|(start, end)| {
                serde_json::json!({ "file": printable(sources.name(span.file)), "line": start.line, "column": start.column,
                    "end_line": end.line, "end_column": end.column })
            })
        };
        let also: Vec<_> = self.also.iter().map(|(span, label)| serde_json::json!({ "place": place(*span), "message": label })).collect();
        serde_json::json!({ "code": self.code.id, "severity": self.severity.as_str(), "message": self.message, "label": self.label,
            "place": place(self.span), "also": also, "help": self.help })
    }
}

/// The one of `known` that `word` was probably meant to be: a slip of the finger, or else a word with a piece too much or too few.
#[must_use]
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest_of(word, &mut known.into_iter())
}

fn closest_of<'a>(word: &str, known: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    let slip = known.iter().map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name)).min();
    let piece = |name: &str| lower.len() >= 4 && (name.contains(&*lower) || name.len() >= 4 && lower.contains(name));
    match slip {
        Some((far, name)) if far <= allowed => Some(name),
        _ => known.into_iter().find(|name| piece(&name.to_lowercase())),
    }
}

/// Sorts into file order and drops what was said twice.
pub fn in_file_order(problems: &mut Vec<Diagnostic>) {
    problems.in_order_by(|a, b| (a.span, a.code.id, &a.message).cmp(&(b.span, b.code.id, &b.message)));
    problems.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn did_you_mean() {
        let known = ["smart_hosts", "site-a", "enabled", "Delivered"];
        let cases = [
            ("smart_host", Some("smart_hosts")),
            ("Site-A", Some("site-a")),
            ("hosts", Some("smart_hosts")),
            ("x", None),
            ("mailboxes", None),
        ];
        for (word, expected) in cases {
            assert_eq!(closest(word, known), expected, "{word}");
        }
    }
}
