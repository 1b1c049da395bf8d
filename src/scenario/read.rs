//! How does RON text become typed, placed values, with *all* complaints and not only the first?
//!
//! ron parses and decides what is RON; serde's visitors are written here instead of derived, for three reasons. A value's place is known
//! (the reader walks along with ron, one token ahead). A wrong field, word or shape is noted and skipped, and reading goes on. And "not
//! written" stays apart from `None`. Only text that is not RON at all ends the reading.

mod ahead;
mod collections;
mod fields;
mod kinds;
mod scalars;

use std::cell::{Cell, RefCell};

use super::merge::Merger;
use super::set::{PathProblem, Step};
use super::syntax::foreign;
use super::tokens::{Kind, Token, bare_text, closing, scalar_end, skip_blank, skip_value, token_at};
use crate::diag::{Code, Diagnostic, FileId, Span, code};

pub use ahead::{Ahead, Entries, Stopped};
pub(super) use ahead::{Bracket, Door};
pub use fields::{Brackets, Fields};
pub(super) use fields::{read_fields, wrap_fields};
pub(super) use kinds::{KindWord, peek_kind, read_inner, read_kind};
pub use scalars::Loose;
pub(super) use scalars::read_word;

/// Walks along while ron reads: where are we, and what was wrong so far?
#[derive(Debug)]
pub struct Reader<'de> {
    pub(super) text: &'de str,
    pub(super) file: FileId,
    cursor: Cell<usize>,
    /// A problem that was noted explains why ron will stop here.
    pub(super) explained: Cell<bool>,
    /// The start of the value refused last.
    pub(super) refused: Cell<Option<usize>>,
    pub(super) problems: RefCell<Vec<Diagnostic>>,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str, file: FileId) -> Self {
        let reader =
            Self { text, file, cursor: Cell::new(0), explained: Cell::new(false), refused: Cell::new(None), problems: RefCell::default() };
        reader.skip_attributes();
        reader
    }

    /// Steps over `#![enable(…)]` lines.
    fn skip_attributes(&self) {
        loop {
            let at = skip_blank(self.text, self.cursor.get());
            self.cursor.set(at);
            if !self.text[at..].starts_with("#!") {
                return;
            }
            let bracket = skip_blank(self.text, at + 2);
            self.cursor.set(skip_value(self.text, bracket).max(at + 2));
        }
    }

    /// The next token.
    pub(super) fn peek(&self) -> Token<'de> {
        token_at(self.text, skip_blank(self.text, self.cursor.get()))
    }

    /// Goes on to the next element of a list or the next name of brackets: over commas and what was closed.
    fn seek_element(&self) {
        self.seek(|c| matches!(c, ',' | ')' | ']' | '}'));
    }

    /// Goes on to the value behind a name.
    fn seek_value(&self) {
        self.seek(|c| c == ':');
    }

    fn seek(&self, separator: impl Fn(char) -> bool) {
        loop {
            let at = skip_blank(self.text, self.cursor.get());
            self.cursor.set(at);
            match self.text[at..].chars().next() {
                Some(c) if separator(c) => self.cursor.set(at + 1),
                _ => return,
            }
        }
    }

    /// The token was read.
    fn pass(&self, token: &Token<'_>) {
        self.cursor.set(token.end);
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// The place of a token; of a text its inside.
    pub(super) fn place(&self, token: &Token<'_>) -> Span {
        match token.kind {
            Kind::Text { before, after } => self.span(token.start + before, token.end - after),
            _ => self.span(token.start, token.end),
        }
    }

    /// The token with its quotes, for carets.
    fn whole(&self, token: &Token<'_>) -> Span {
        self.span(token.start, token.end)
    }

    pub(super) fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Is the word followed by an opening round bracket, and where?
    fn bracket_behind(&self, token: &Token<'_>) -> Option<Token<'de>> {
        let next = token_at(self.text, skip_blank(self.text, token.end));
        (next.kind == Kind::Open('(')).then_some(next)
    }

    /// Notes that something else was expected, and steps over the value.
    pub(super) fn refuse<T>(&self, problem: Diagnostic, ahead: &mut dyn Ahead<'de>) -> Result<Option<T>, Stopped> {
        self.report(problem);
        self.skip(ahead)?;
        Ok(None)
    }

    /// Steps over one value of which something was said, whatever it is.
    pub(super) fn skip(&self, ahead: &mut dyn Ahead<'de>) -> Result<(), Stopped> {
        let token = self.peek();
        let end = skip_value(self.text, token.start);
        if !self.cannot_go_on_behind(&token, end) {
            self.refused.set(Some(token.start));
        }
        ahead.pass_over().inspect_err(|_| self.explained.set(true))?;
        self.cursor.set(end);
        Ok(())
    }

    /// Is what follows a refused value unreadable because of the same mistake? Then nothing is said of it.
    fn cannot_go_on_behind(&self, token: &Token<'_>, end: usize) -> bool {
        let rest = &self.text[token.start..];
        let several_words = matches!(token.kind, Kind::Word(_)) && bare_text(self.text, token.start).contains(' ');
        let half_quoted =
            !matches!(token.kind, Kind::Text { .. } | Kind::Open(_)) && self.text[scalar_end(self.text, token.start)..].starts_with('"');
        let other_brackets = self.text[skip_blank(self.text, end)..].starts_with([':', '(', '[', '{']);
        let cannot = foreign::ends_the_reading(rest) || several_words || half_quoted || other_brackets;
        self.explained.set(self.explained.get() || cannot);
        cannot
    }

    /// "expected …, found …"
    pub(super) fn wrong_shape(&self, expected: &str, token: &Token<'_>) -> Diagnostic {
        let message = format!("expected {expected}, found {}", token.describe());
        let is_first = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("//");
        if expected.starts_with("a scenario")
            && self.text[..token.start].lines().all(is_first)
            && !matches!(token.kind, Kind::Word(_) if self.text[token.end..].trim_start().starts_with('('))
        {
            self.explained.set(true);
            let problem = Diagnostic::error(code::NOT_SCENARIO, self.whole(token), message);
            let problem = foreign::meant(&self.text[token.start..]).into_iter().fold(problem, Diagnostic::help);
            return problem.help("a scenario begins with `Scenario(`");
        }
        let problem = Diagnostic::error(code::WRONG_SHAPE, self.whole(token), message);
        match token.kind {
            Kind::End => problem.help("the file ends although brackets are open"),
            Kind::Close(_) | Kind::Other(',') => problem.help("there is no value here: write one, or leave the field out"),
            Kind::Other('$') => problem.help("`$true` and `$false` are `true` and `false` here, `$null` is a field left out"),
            Kind::Word("Some") => problem.help("write the value itself, without `Some( )`"),
            Kind::Word("None") => problem.help("`None` takes away a name in `{ }`; a field of `( )` is left out instead"),
            Kind::Word("null" | "nil" | "NULL" | "Null" | "Nil") => problem.help("a field that says nothing is left out"),
            _ => foreign::meant(&self.text[token.start..]).into_iter().fold(problem, Diagnostic::help),
        }
    }

    /// The same where one value stands that has no brackets: a text, a number, a word.
    pub(super) fn not_a_value(&self, expected: &str, token: &Token<'_>, otherwise: impl FnOnce() -> String) -> Diagnostic {
        let problem = self.wrong_shape(expected, token);
        match token.kind {
            Kind::Open(open) => problem.help(format!("one value stands here: leave out the `{open} {}`", closing(open))),
            _ if problem.help.is_empty() => problem.help(otherwise()),
            _ => problem,
        }
    }

    pub(super) fn unknown_word(&self, code: Code, message: String, token: &Token<'_>, word: &str, known: &[&str]) -> Diagnostic {
        let problem = Diagnostic::error(code, self.whole(token), message);
        let plain = problem.clone().suggest(word, known.iter().copied());
        if !plain.help.is_empty() {
            return plain;
        }
        problem.help(known_are(known))
    }
}

/// "known are `a`, `b`, `c`", and that there are more.
pub(super) fn known_are(words: &[&str]) -> String {
    let more = if words.len() > 12 { " …" } else { "" };
    format!("known are {}{more}", quoted(&words[..words.len().min(12)]))
}

/// "`a`, `b`, `c`"
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Puts away what was read, if no problem was noted in its place.
pub(super) fn keep<T>(read: Result<Option<T>, Stopped>, put: impl FnOnce(T)) -> Result<(), Stopped> {
    if let Some(value) = read? {
        put(value);
    }
    Ok(())
}

/// Something that stands behind a colon or in a list.
pub trait Value: Clone + Sized {
    /// Is a value of this type itself a small scenario? Then laying one over another keeps their `None`.
    const IS_OVERLAY: bool = false;
    /// Names that such things have without being written: `None` takes them away in a file too.
    const USUAL: &[&str] = &[];

    /// Reads one; `None` if a problem was noted instead.
    ///
    /// # Errors
    /// Where the text is not RON.
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped>;

    /// Lays another over this one. Whole, unless the type says otherwise.
    fn merge(&mut self, over: &Self, _merger: &mut Merger) {
        self.clone_from(over);
    }

    /// Notes each `None` in it that takes nothing away, because nothing lies below.
    fn nones(&self, _merger: &mut Merger) {}

    /// The text of a small scenario that sets what `path` leads to.
    ///
    /// # Errors
    /// Which step leads nowhere.
    fn wrap(_current: Option<&Self>, path: &[Step], value: &str) -> Result<String, PathProblem> {
        match path.first() {
            None => Ok(value.to_owned()),
            Some(step) => Err(PathProblem::at(step, "there is nothing inside a value".into())),
        }
    }
}

/// Something that stands in a field of `( )`: written or not, so it has a default.
pub trait Part: Clone + Default {
    /// Was it written?
    fn is_there(&self) -> bool;

    /// Reads what stands behind the colon.
    ///
    /// # Errors
    /// Where the text is not RON.
    fn read_part<'de>(&mut self, reader: &Reader<'de>, entries: &mut dyn Entries<'de>) -> Result<(), Stopped>;

    /// Lays another over this one.
    fn merge_part(&mut self, over: &Self, merger: &mut Merger);

    /// See [`Value::nones`].
    fn nones_of_part(&self, merger: &mut Merger);

    /// See [`Value::wrap`].
    ///
    /// # Errors
    /// Which step leads nowhere.
    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem>;
}
