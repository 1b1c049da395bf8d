//! What did ron stop at, in the words of the format, and what would be right?

use ron::error::Error;

use super::super::read::Reader;
use super::super::tokens::{Kind, Token, bare_name, closing, skip_blank, token_at};
use super::foreign;
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
    let stray = || stray(reader, &token, here);
    let problem = match error {
        Error::ExceededRecursionLimit => Diagnostic::error(code::TOO_LARGE, here, "the brackets are nested too deeply"),
        Error::InvalidEscape(_) => syntax("a text has an escape that does not exist")
            .help("a text with backslashes is written r\"…\", with quotes inside r#\"…\"#"),
        Error::NoSuchExtension(name) => syntax(&format!("there is no RON extension `{name}`")).help("the first line is not needed at all"),
        Error::UnclosedBlockComment => {
            let open = open_comment(text);
            Diagnostic::error(code::SYNTAX, reader.span(open, open + 2), "this comment is never closed")
                .help("it ends with `*/`; a comment of one line begins with `//`")
        }
        Error::ExpectedStringEnd => {
            let open = open_text(text);
            Diagnostic::error(code::SYNTAX, reader.span(open, open + 1), "this text is never closed")
                .help("texts end with the quote they began with")
        }
        Error::TrailingCharacters => {
            let problem = syntax("there is something behind the end of the scenario");
            problem.help(foreign::meant(&text[token.start..]).unwrap_or_else(|| "one file holds one `Scenario( … )`".into()))
        }
        _ if foreign::ends_the_reading(&text[token.start..]) => stray(),
        Error::SuggestRawIdentifier(name) | Error::InvalidIdentifier(name) => {
            let problem = Diagnostic::error(
                code::SYNTAX,
                reader.span(token.start, token.start + name.len()),
                format!("`{name}` is no name of a field"),
            );
            problem.help(format!("words are joined by `_`: `{}`", name.replace(['-', '.'], "_")))
        }
        _ if token.kind == Kind::End => unclosed(reader).unwrap_or_else(|| syntax("the text ends too early")),
        Error::ExpectedMapColon => match token.kind {
            Kind::Other('=') => syntax("expected `:`, found `=`").help("fields and names are written with a colon: `word: value`"),
            Kind::Close(')') | Kind::Other(',') => {
                syntax("a field without its value").help("the values in `( )` stand behind the names of their fields: `word: value`")
            }
            Kind::Open('(') => still_open(syntax("expected `:`, found `(`"), reader, &token),
            _ => syntax(&format!("expected `:`, found {}", token.describe()))
                .help("fields and names are written with a colon: `word: value`"),
        },
        Error::ExpectedIdentifier => field_name_expected(reader, &token, here),
        Error::ExpectedString => {
            let problem = syntax(&format!("expected a name in quotes, found {}", token.describe()));
            match token.kind {
                Kind::Other(',') => problem.help("one comma is enough"),
                Kind::Other('\'') => problem.help("names in `{ }` stand in double quotes"),
                Kind::Number(_) => problem.help(format!("names in `{{ }}` stand in quotes: \"{}\"", bare_name(text, token.start))),
                _ => problem.help("names in `{ }` stand in quotes"),
            }
        }
        Error::ExpectedComma
        | Error::ExpectedArrayEnd
        | Error::ExpectedMapEnd
        | Error::ExpectedStructLikeEnd
        | Error::ExpectedOptionEnd => match token.kind {
            Kind::Close(_) => mismatch(reader, &token).unwrap_or_else(stray),
            Kind::Other(_) | Kind::Open('(') => stray(),
            _ if text[..token.start].trim_end().ends_with(',') => {
                syntax(&format!("{} does not belong here", token.describe())).help("these brackets hold one value")
            }
            _ => {
                missing_comma = Some(token.start);
                syntax(&format!("expected `,` before {}", token.describe())).help("a comma stands between fields, names and list entries")
            }
        },
        Error::UnexpectedChar(_) | Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => stray(),
        other => syntax(&lower(&other.to_string())),
    };
    match half_text(reader, &token) {
        Some(problem) => Stop { problem, missing_comma: None },
        None => Stop { problem: with_runaway_text(problem, reader, token.start), missing_comma },
    }
}

/// Something that has no place here.
fn stray(reader: &Reader<'_>, token: &Token<'_>, here: Span) -> Diagnostic {
    let problem = Diagnostic::error(code::SYNTAX, here, format!("{} does not belong here", token.describe()));
    let before = reader.text[..token.start].chars().last();
    match token.kind {
        Kind::Open('(') if before.is_some_and(char::is_alphanumeric) => problem.help("no brackets stand behind this word"),
        _ => foreign::meant(&reader.text[token.start..]).into_iter().fold(problem, Diagnostic::help),
    }
}

/// A text that something follows without a blank between: a quote before it or in it is missing, so that it ends where another should begin.
fn half_text(reader: &Reader<'_>, token: &Token<'_>) -> Option<Diagnostic> {
    if !matches!(token.kind, Kind::Word(_) | Kind::Number(_) | Kind::Text { .. } | Kind::Other('<' | '*' | '@' | '/')) {
        return None;
    }
    let text = texts(reader.text).take_while(|text| text.end <= token.start).last().filter(|text| text.end == token.start)?;
    let problem = Diagnostic::error(
        code::SYNTAX,
        reader.span(text.start, text.end),
        format!("{} stands right behind the end of this text", token.describe()),
    );
    Some(problem.help("is a quote missing before it or in it, or is one too many?"))
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

/// Perhaps the brackets around this place should have ended before it.
fn still_open(problem: Diagnostic, reader: &Reader<'_>, token: &Token<'_>) -> Diagnostic {
    match open_brackets(reader.text, token.start).pop() {
        Some((open, at)) => problem.also(reader.span(at, at + 1), format!("this is still open: is its `{}` missing?", closing(open))),
        None => problem,
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
            let inside = &reader.text[token.start + 1..token.end - 1];
            let problem = still_open(problem, reader, token);
            if inside.len() > 1 && inside.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                return problem.help(format!("fields stand in `( )` without quotes: {inside}: …"));
            }
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

/// Where the comment begins that is never closed.
fn open_comment(text: &str) -> usize {
    let mut at = 0;
    loop {
        let token = token_at(text, skip_blank(text, at));
        if token.kind == Kind::End {
            break;
        }
        at = token.end;
    }
    at + text[at..].find("/*").unwrap_or(0)
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
    Some(problem.also(reader.span(at, at + 1), format!("this is open: `{}` closes it", closing(open))))
}
