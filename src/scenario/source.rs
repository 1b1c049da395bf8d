//! What was written, and where: texts, fields and names that remember their place.
//!
//! A scenario is merged from several texts and checked long after it was read, so every value carries the [`Span`] that it had when it
//! was read, text and all. "Not written" is a state of [`Field`], never an `Option`: `smtp_dane_mode: None` is a value.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use crate::diag::Span;

/// A text as the user wrote it, without its quotes.
#[derive(Clone, Eq, PartialEq)]
pub struct Text {
    value: Arc<str>,
    span: Span,
    verbatim: bool,
}

impl Text {
    /// A text whose bytes stand in the file just like this.
    pub(super) fn verbatim(value: &str, span: Span) -> Self {
        Self { value: value.into(), span, verbatim: true }
    }

    /// A text with escapes: its parts have the place of the whole.
    pub(super) fn escaped(value: &str, span: Span) -> Self {
        Self { value: value.into(), span, verbatim: false }
    }

    /// A text that stands in no file.
    #[must_use]
    pub fn made_up(value: &str) -> Self {
        Self { value: value.into(), span: Span::NOWHERE, verbatim: false }
    }

    /// A whole file.
    #[must_use]
    pub fn of_file(value: Arc<str>, file: crate::diag::FileId) -> Self {
        let span = Span::new(file, 0, value.len());
        Self { value, span, verbatim: true }
    }

    /// The text, to be kept without copying it.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        self.value.clone()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// Where it stands, without its quotes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where some of its bytes stand; the place of the whole if the text has escapes.
    #[must_use]
    pub fn part(&self, bytes: Range<usize>) -> Span {
        if !self.verbatim || bytes.end > self.value.len() {
            return self.span;
        }
        let start = self.span.start as usize;
        Span::new(self.span.file, start + bytes.start, start + bytes.end)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}@{}..{}", self.value, self.span.start, self.span.end)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.value)
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.value
    }
}

/// A value and its place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct At<T> {
    /// What was written.
    pub value: T,
    /// Where: a text without its quotes, a number, a word; of something with brackets its first word or bracket.
    pub span: Span,
}

impl<T> Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A field of `( )`: written or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field<T>(Option<At<T>>);

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Field<T> {
    /// A field that was written.
    #[must_use]
    pub fn written(value: T, span: Span) -> Self {
        Self(Some(At { value, span }))
    }

    /// What was written.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(|at| &at.value)
    }

    /// What was written, and where.
    #[must_use]
    pub fn at(&self) -> Option<&At<T>> {
        self.0.as_ref()
    }

    /// Where it was written; [`Span::NOWHERE`] if it was not.
    #[must_use]
    pub fn span(&self) -> Span {
        self.0.as_ref().map_or(Span::NOWHERE, |at| at.span)
    }

    /// Was it written?
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn at_mut(&mut self) -> Option<&mut At<T>> {
        self.0.as_mut()
    }
}

impl<T: Copy> Field<T> {
    /// What was written, or the default of the format.
    #[must_use]
    pub fn or(&self, default: T) -> T {
        self.0.as_ref().map_or(default, |at| at.value)
    }
}

impl Field<Text> {
    /// The text that was written.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.get().map(Text::as_str)
    }
}

impl<T> Field<Vec<T>> {
    /// The list that was written; empty if it was not.
    #[must_use]
    pub fn items(&self) -> &[T] {
        self.get().map_or(&[], Vec::as_slice)
    }
}

/// One name in `{ }` and what stands behind it; `None` takes the name away from what lies below.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry<T> {
    /// The name, with its place.
    pub key: Text,
    /// What it stands for.
    pub value: Option<T>,
}

/// Things with names, `{ "name": thing }`, in the order they were written, each name once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named<T> {
    pub(super) entries: Vec<Entry<T>>,
    pub(super) span: Span,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), span: Span::NOWHERE }
    }
}

impl<T> Named<T> {
    /// Names and things, without those taken away.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.entries.iter().filter_map(|entry| entry.value.as_ref().map(|value| (&entry.key, value)))
    }

    /// The names, without those taken away.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.iter().map(|(key, _)| key)
    }

    /// All entries, also those that take a name away.
    #[must_use]
    pub fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    /// The thing with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    /// Is there nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// How many things.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Were the braces written at all, even empty?
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.span.is_somewhere()
    }

    /// Its opening brace; [`Span::NOWHERE`] if it was not written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }
}
