//! What did ron stop at, in the words of the format, and what would be right?

use ron::error::Error;

use super::super::read::Reader;
use super::super::tokens::{Kind, Token, skip_blank, token_at};
use crate::diag::{Diagnostic, Span, code};

/// Where and why ron stopped.
pub(super) struct Stop {
    pub(super) problem: Diagnostic,
    /// Where a comma would let the reading go on.
    pub(super) missing_comma: Option<usize>,
}

/// Says what ron found at byte `at`.
pub(super) fn explain(error: &Error, reader: &Reader<'_>, at: usize) -> Stop {
    let text = reader.text;
    let token = token_at(text, skip_blank(text, at.min(text.len())));
    let here = if token.kind == Kind::End { reader.span(text.len(), text.len()) } else { reader.span(token.start, token.end) };
    let syntax = |message: &str| Diagnostic::error(code::SYNTAX, here, message);
    let mut missing_comma = None;
    let problem = match error {
        Error::ExceededRecursionLimit => Diagnostic::error(code::TOO_LARGE, here, "the brackets are nested too deeply"),
        Error::InvalidEscape(_) => syntax("a text has an escape that does not exist")
            .help("a text with backslashes is written r\"…\", with quotes inside r#\"…\"#"),
        Error::NoSuchExtension(name) => syntax(&format!("there is no RON extension `{name}`")).help("the first line is not needed at all"),
        Error::UnclosedBlockComment => syntax("a comment `/*` is never closed"),
        Error::ExpectedStringEnd => {
            let open = open_text(text);
            Diagnostic::error(code::SYNTAX, reader.span(open, open + 1), "this text is never closed")
                .help("texts end with the quote they began with")
        }
        Error::TrailingCharacters => syntax("there is something behind the end of the scenario").help("one file holds one `Scenario( … )`"),
        _ if token.kind == Kind::End => unclosed(reader).unwrap_or_else(|| syntax("the text ends too early")),
        Error::ExpectedMapColon => match token.kind {
            Kind::Other('=') => syntax("expected `:`, found `=`").help("fields and names are written with a colon: `word: value`"),
            Kind::Close(')') | Kind::Other(',') => {
                syntax("a field without its value").help("the values in `( )` stand behind the names of their fields: `word: value`")
            }
            _ => syntax(&format!("expected `:`, found {}", token.describe())),
        },
        Error::ExpectedIdentifier => field_name_expected(reader, &token, here),
        Error::ExpectedString => {
            syntax(&format!("expected a name in quotes, found {}", token.describe())).help("names in `{ }` stand in quotes")
        }
        Error::ExpectedComma
        | Error::ExpectedArrayEnd
        | Error::ExpectedMapEnd
        | Error::ExpectedStructLikeEnd
        | Error::ExpectedOptionEnd => match token.kind {
            Kind::Close(_) => mismatch(reader, &token).unwrap_or_else(|| syntax(&format!("{} does not belong here", token.describe()))),
            Kind::Other(_) | Kind::Open('(') => syntax(&format!("{} does not belong here", token.describe())),
            _ if text[..token.start].trim_end().ends_with(',') => {
                syntax(&format!("{} does not belong here", token.describe())).help("these brackets hold one value")
            }
            _ => {
                missing_comma = Some(token.start);
                syntax(&format!("expected `,` before {}", token.describe())).help("a comma stands between fields, names and list entries")
            }
        },
        Error::UnexpectedChar(_) | Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => {
            syntax(&format!("{} does not belong here", token.describe()))
        }
        other => syntax(&lower(&other.to_string())),
    };
    Stop { problem: with_runaway_text(problem, reader, token.start), missing_comma }
}

/// If the text before this place goes on over several lines, a quote is probably missing there.
fn with_runaway_text(problem: Diagnostic, reader: &Reader<'_>, here: usize) -> Diagnostic {
    let before = texts(reader.text).take_while(|token| token.start < here).last();
    match before {
        Some(token) if is_runaway(reader.text, &token) && skip_blank(reader.text, token.end) == here => {
            problem.also(reader.span(token.start, token.start + 1), "this text goes on over several lines: is its end missing?")
        }
        _ => problem,
    }
}

fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}

/// In round brackets something else than a field's name.
fn field_name_expected(reader: &Reader<'_>, token: &Token<'_>, here: Span) -> Diagnostic {
    let problem = Diagnostic::error(code::SYNTAX, here, format!("expected the name of a field, found {}", token.describe()));
    let behind = skip_blank(reader.text, token.end);
    match token.kind {
        Kind::Text { .. } if reader.text[behind..].starts_with(':') => {
            problem.help("`{ }` holds names of your own, in quotes; in `( )` the format names the fields, without quotes")
        }
        Kind::Close(_) => mismatch(reader, token).unwrap_or(problem),
        Kind::Other(',') => problem.help("one comma is enough"),
        _ => problem.help("the values in `( )` stand behind the names of their fields: `word: value`"),
    }
}

/// Brackets that are open at the end of `text[..end]`, and where they stand.
fn open_brackets(text: &str, end: usize) -> Vec<(char, usize)> {
    let (mut open, mut at) = (Vec::new(), 0);
    loop {
        let token = token_at(text, skip_blank(text, at));
        match token.kind {
            Kind::End => return open,
            _ if token.start >= end => return open,
            Kind::Open(c) => open.push((c, token.start)),
            Kind::Close(_) => drop(open.pop()),
            _ => {}
        }
        at = token.end;
    }
}

/// All texts of the file.
fn texts(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    let tokens = std::iter::from_fn(move || {
        let token = token_at(text, skip_blank(text, at));
        at = token.end;
        (token.kind != Kind::End).then_some(token)
    });
    tokens.filter(|token| matches!(token.kind, Kind::Text { .. }))
}

/// A text in plain quotes over several lines: possible, but rare.
fn is_runaway(text: &str, token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Text { before: 1, .. }) && text[token.start..token.end].contains('\n')
}

/// The text that is never closed: the first that runs over the end of its line, or else the last one.
fn open_text(text: &str) -> usize {
    let runaway = texts(text).find(|token| is_runaway(text, token));
    runaway.or_else(|| texts(text).last()).map_or(0, |token| token.start)
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The text ends although a bracket is open.
fn unclosed(reader: &Reader<'_>) -> Option<Diagnostic> {
    let (bracket, at) = open_brackets(reader.text, reader.text.len()).pop()?;
    let problem = Diagnostic::error(code::SYNTAX, reader.span(at, at + 1), format!("this `{bracket}` is never closed"));
    Some(problem.help(format!("the text ends before its `{}`", closing(bracket))))
}

/// A closing bracket that does not fit the one it closes.
fn mismatch(reader: &Reader<'_>, token: &Token<'_>) -> Option<Diagnostic> {
    let Kind::Close(found) = token.kind else { return None };
    let (open, at) = open_brackets(reader.text, token.start).pop()?;
    if closing(open) == found {
        return None;
    }
    let problem =
        Diagnostic::error(code::SYNTAX, reader.span(token.start, token.end), format!("expected `{}`, found `{found}`", closing(open)));
    Some(problem.also(reader.span(at, at + 1), "closes this"))
}
