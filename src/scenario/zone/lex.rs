//! Which words belong together? Lines, or several lines in parentheses; comments fall away.
//!
//! Source: RFC 1035 §5.1. A parenthesis that is never closed ends where the next one opens, so that one slip does not
//! swallow the rest of the file.

use std::ops::Range;

use super::problem::{ZoneProblem, codes};

/// A word, or a text in quotes.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    /// As written, with escapes, without quotes.
    pub(super) text: &'a str,
    /// The place, with quotes.
    pub(super) range: Range<usize>,
    pub(super) is_quoted: bool,
}

/// The words of one record or directive.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    pub(super) begins_with_blank: bool,
    /// A `;` right behind a word: perhaps it was meant to be part of it.
    pub(super) comment_behind_word: Option<usize>,
    pub(super) problems: Vec<ZoneProblem>,
}

/// The entries of a text, one after the other.
pub(super) struct Entries<'a> {
    text: &'a str,
    at: usize,
}

pub(super) fn entries(text: &str) -> Entries<'_> {
    Entries { text, at: 0 }
}

/// The words of a text that is not a file.
pub(super) fn words(text: &str) -> impl Iterator<Item = Token<'_>> {
    entries(text).flat_map(|entry| entry.tokens)
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        while self.at < self.text.len() {
            let entry = self.entry();
            if !(entry.tokens.is_empty() && entry.problems.is_empty()) {
                return Some(entry);
            }
        }
        None
    }
}

impl<'a> Entries<'a> {
    fn entry(&mut self) -> Entry<'a> {
        let mut entry = Entry { begins_with_blank: matches!(self.peek(), Some(b' ' | b'\t')), ..Entry::default() };
        let mut open: Option<(usize, usize)> = None; // where the outermost parenthesis stands, and the end of its line
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'\n') if depth == 0 => {
                    self.at += 1;
                    return entry;
                }
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b';') => {
                    if entry.tokens.last().is_some_and(|last| last.range.end == self.at && !last.is_quoted) {
                        entry.comment_behind_word.get_or_insert(self.at);
                    }
                    self.at = self.line_end(self.at);
                }
                Some(b'(') => {
                    if let Some((open, _)) = open.filter(|(_, line_end)| depth > 0 && *line_end < self.at) {
                        return self.unclosed(entry, open);
                    }
                    if depth == 0 {
                        open = Some((self.at, self.line_end(self.at)));
                    }
                    depth += 1;
                    self.at += 1;
                }
                Some(b')') => {
                    if depth == 0 {
                        let problem = ZoneProblem::error(self.at..self.at + 1, codes::SYNTAX, "this `)` closes nothing");
                        entry.problems.push(problem.help("take it away, or open with `(` before it"));
                    }
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                Some(b'"') => self.quoted(&mut entry),
                Some(_) => self.word(&mut entry),
                None => {
                    return match open.filter(|_| depth > 0) {
                        Some((open, _)) => self.unclosed(entry, open),
                        None => entry,
                    };
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn line_end(&self, from: usize) -> usize {
        self.text[from..].find('\n').map_or(self.text.len(), |len| from + len)
    }

    /// Reading goes on with the line below the parenthesis, as if it had been closed there.
    fn unclosed(&mut self, mut entry: Entry<'a>, open: usize) -> Entry<'a> {
        self.at = self.line_end(open);
        entry.tokens.retain(|token| token.range.start < self.at);
        entry.problems.retain(|problem| problem.range.start < self.at);
        let problem = ZoneProblem::error(open..open + 1, codes::SYNTAX, "this `(` is never closed");
        entry.problems.push(problem.help("close it with `)` behind the last word of the record"));
        entry
    }

    fn quoted(&mut self, entry: &mut Entry<'a>) {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut end = start + 1;
        while !matches!(bytes.get(end), None | Some(b'"' | b'\n')) {
            let is_escape = bytes[end] == b'\\' && !matches!(bytes.get(end + 1), None | Some(b'\n'));
            end += if is_escape { 2 } else { 1 };
        }
        // What follows a backslash may be the first byte of several; the others end nothing, so this is no place inside a character.
        let text = &self.text[start + 1..end];
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
        } else {
            self.at = end;
            let problem = ZoneProblem::error(start..end, codes::SYNTAX, "this text has no closing quote on its line");
            entry
                .problems
                .push(problem.help("close it with `\"`; a long text is several texts, each in quotes, in parentheses over several lines"));
        }
        entry.tokens.push(Token { text, range: start..self.at, is_quoted: true });
    }

    fn word(&mut self, entry: &mut Entry<'a>) {
        let (start, bytes) = (self.at, self.text.as_bytes());
        while !matches!(bytes.get(self.at), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"')) {
            let is_escape = bytes[self.at] == b'\\' && !matches!(bytes.get(self.at + 1), None | Some(b'\r' | b'\n'));
            self.at += if is_escape { 2 } else { 1 };
        }
        entry.tokens.push(Token { text: &self.text[start..self.at], range: start..self.at, is_quoted: false });
    }
}
