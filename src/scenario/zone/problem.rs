//! What is wrong, where, and what would be right?

use std::ops::Range;

use crate::base::printable;

/// The stable ids of what is said about master-file text.
pub mod codes {
    /// Quotes, parentheses, escapes, directives, lines that break off.
    pub const SYNTAX: &str = "MT0201";
    /// A word that is no type of record.
    pub const TYPE: &str = "MT0202";
    /// A class that is not IN.
    pub const CLASS: &str = "MT0203";
    /// A time that is none, or too long.
    pub const TTL: &str = "MT0204";
    /// A line without an owner.
    pub const OWNER: &str = "MT0205";
    /// A name that cannot be: labels, length, characters.
    pub const NAME: &str = "MT0206";
    /// A name without its final dot, and no origin to complete it.
    pub const FINAL_DOT: &str = "MT0207";
    /// Data that does not fit its type.
    pub const DATA: &str = "MT0208";
    /// An alias beside other data, or a second one.
    pub const ALIAS: &str = "MT0209";
    /// An `$INCLUDE` that does not work.
    pub const INCLUDE: &str = "MT0210";
    /// More than one beginning of a zone, or one inside another zone.
    pub const SOA: &str = "MT0211";
    /// A type that the model keeps no records of.
    pub const SKIPPED: &str = "MT0212";
    /// The same record twice.
    pub const DUPLICATE: &str = "MT0213";
    /// Different TTLs in one set of records.
    pub const MIXED_TTL: &str = "MT0214";
    /// A name that was perhaps meant to be complete, but got the origin behind it.
    pub const DOUBLE_ORIGIN: &str = "MT0215";
    /// A text that is read otherwise than it looks.
    pub const TEXT: &str = "MT0216";
    /// TLSA data that no client can use.
    pub const TLSA: &str = "MT0217";
    /// A `*` that is no wildcard.
    pub const WILDCARD: &str = "MT0218";
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// The text cannot be used.
    Error,
    /// It can, but probably does not say what was meant.
    Warning,
}

/// One complaint about a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneProblem {
    /// 0 is the text itself, n the n-th included one.
    pub file: usize,
    /// Bytes of that text.
    pub range: Range<usize>,
    /// One of [`codes`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// A way out.
    pub help: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl ZoneProblem {
    pub(super) fn error(range: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self { file: 0, range, code, message: message.into(), help: None, severity: Severity::Error }
    }

    pub(super) fn warning(range: Range<usize>, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(range, code, message) }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The user's words between backticks, safe to print; the end of a long text is left out.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(80) {
        None => format!("`{}`", printable(text)),
        Some((end, _)) => format!("`{}…`", printable(&text[..end])),
    }
}
