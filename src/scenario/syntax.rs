//! Text to schema, and what is said where the text is wrong: ron's complaints and the easy mistakes, in the words of the format.

use ron::error::Error;
use ron::extensions::Extensions;

use super::read::{Reader, Value};
use super::schema::Scenario;
use super::tokens::{Kind, Token, skip_blank, token_at};
use crate::diag::{Diagnostic, FileId, Severity, Sources, Span, closest, code};

/// So many commas are put in for the user, to find what else is wrong.
const REPAIRS_MAX: usize = 20;

/// Reads one text; notes every problem, and returns nothing if one of them is an error.
pub(super) fn parse(sources: &Sources, file: FileId, problems: &mut Vec<Diagnostic>) -> Option<Scenario> {
    let text = sources.text(file);
    if token_at(&text, skip_blank(&text, 0)).kind == Kind::End {
        let problem = Diagnostic::error(code::NOT_TEXT, Span::new(file, 0, 0), "the file is empty");
        problems.push(problem.help("a scenario begins with `Scenario(`"));
        return None;
    }
    let mut text = text.to_string();
    let mut said = Vec::new();
    for _ in 0..=REPAIRS_MAX {
        let (value, mut found, stop) = read(&text, file);
        let repaired = stop.as_ref().and_then(|stop| with_comma(&text, stop));
        if let (Some(repaired), Some(stop)) = (repaired, &stop) {
            said.push(stop.problem.clone());
            text = repaired;
            continue;
        }
        problems.append(&mut said);
        problems.append(&mut found);
        problems.extend(stop.map(|stop| stop.problem));
        crate::diag::in_file_order(problems);
        return value.filter(|_| problems.iter().all(|problem| problem.severity != Severity::Error));
    }
    problems.append(&mut said);
    None
}

/// Where and why ron stopped.
struct Stop {
    problem: Diagnostic,
    missing_comma: Option<usize>,
}

fn read(text: &str, file: FileId) -> (Option<Scenario>, Vec<Diagnostic>, Option<Stop>) {
    let reader = Reader::new(text, file);
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let options = ron::Options::default().with_default_extension(extensions);
    let mut ron = match ron::Deserializer::from_str_with_options(text, &options) {
        Ok(ron) => ron,
        Err(error) => {
            let stop = explain(&error.code, &reader, skip_blank(text, 0));
            return (None, Vec::new(), Some(stop));
        }
    };
    let outcome = Scenario::read(&reader, &mut ron).and_then(|value| ron.end().map(|()| value));
    let at = text.len() - ron.remainder().len();
    let explained = reader.explained.get();
    let (value, stop) = match outcome {
        Ok(value) => (value, None),
        Err(_) if explained => (None, None),
        Err(error) => (None, Some(explain(&error, &reader, at))),
    };
    (value, reader.problems.into_inner(), stop)
}

/// The text with a comma where one is missing, if there is a blank to write it over, so that no place moves.
fn with_comma(text: &str, stop: &Stop) -> Option<String> {
    let at = stop.missing_comma?.checked_sub(1)?;
    let blank = text.as_bytes()[at];
    let line = text[..at].rsplit('\n').next().unwrap_or("");
    let free = matches!(blank, b' ' | b'\t') || blank == b'\n' && !line.contains("//");
    if !free {
        return None;
    }
    let mut repaired = text.to_owned();
    repaired.replace_range(at..=at, ",");
    Some(repaired)
}

/// Says what ron found at byte `at`.
fn explain(error: &Error, reader: &Reader<'_>, at: usize) -> Stop {
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
            let open = last_text(text);
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
            Kind::Other(_) => syntax(&format!("{} does not belong here", token.describe())),
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
    Stop { problem, missing_comma }
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

/// The start of the last text that begins in the file: the one that is never closed.
fn last_text(text: &str) -> usize {
    let (mut last, mut at) = (0, 0);
    loop {
        let token = token_at(text, skip_blank(text, at));
        match token.kind {
            Kind::End => return last,
            Kind::Text { .. } => last = token.start,
            _ => {}
        }
        at = token.end;
    }
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

/// A field that these brackets do not have, with the help that is known for it.
pub(super) fn unknown_field(outer: &str, name: &str, place: Span, known: &[&'static str]) -> Diagnostic {
    let problem = Diagnostic::error(code::UNKNOWN_FIELD, place, format!("{outer} has no field `{name}`"));
    let has = |field: &str| known.contains(&field);
    let snake = snake_case(name);
    if snake != name && has(&snake) {
        return problem.help(format!("parameters are written in snake_case: `{snake}`"));
    }
    let help = match name {
        "name" => "its name stands before the colon: { \"name\": ( … ) }",
        "smart_host" | "smarthost" if has("smart_hosts") => "did you mean `smart_hosts`? It is a list: smart_hosts: [\"mail.example.com\"]",
        "relayhost" | "relay_host" | "nexthop" if has("smart_hosts") => {
            "the next hop stands in `smart_hosts`: [\"mail.example.com\"]; a server's own parameters stand in `settings`: { \"relayhost\": \"…\" }"
        }
        "from" | "start" | "begin" | "after" if has("at") && has("lasts") => {
            "a fault begins `at` a moment, and ends with `until` or `lasts`"
        }
        "to" | "end" | "before" if has("at") && has("lasts") => "a fault begins `at` a moment, and ends with `until` or `lasts`",
        "for" | "duration" | "length" if has("lasts") => "how long it holds stands in `lasts`, the moment of its end in `until`",
        "host" | "system" | "server" if has("target") => "what a fault strikes is its `target`",
        "type" if has("connector_type") => "did you mean `connector_type`?",
        "domain" if has("accepted_domains") => "domains stand in `accepted_domains`: { \"example.com\": Authoritative }",
        "recipients" | "rcpt" if has("to") => "recipients stand in `to`: [\"alice@example.com\"]",
        "sender" | "mail_from" if has("from") && !has("sender") => "the sender stands in `from`",
        "because" | "why" if has("said_by") => "which rule decided is asked by `Chosen`, `PassedOver` or `Attributed`",
        _ if has("settings") && has("profile") && looks_like_a_parameter(name) => {
            return problem.suggest_or(name, known, "a server's own parameters stand in `settings`: { \"parameter\": \"value\" }");
        }
        _ => "",
    };
    if !help.is_empty() {
        return problem.help(help);
    }
    match known {
        [] => problem.help("nothing stands in these brackets"),
        _ => {
            let list = if known.len() <= 12 { format!("known are {}", super::read::quoted(known)) } else { String::new() };
            problem.suggest_or(name, known, &list)
        }
    }
}

impl Diagnostic {
    /// A suggestion, or else this help line.
    fn suggest_or(self, word: &str, known: &[&str], help: &str) -> Self {
        match closest(word, known.iter().copied()) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if help.is_empty() => self,
            None => self.help(help),
        }
    }
}

/// `smtp_tls_security_level`, `minimal_backoff_time`: longer than any field that the format has for a server.
fn looks_like_a_parameter(name: &str) -> bool {
    name.matches('_').count() >= 1 || name.starts_with("smtp")
}

/// `UseMXRecord` as `use_mx_record`: a run of capitals is one word.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let next_is_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = c.is_uppercase() && before.is_some_and(|before| before != '_' && (!before.is_uppercase() || next_is_lower));
        if begins {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_snake_case() {
        let cases = [
            ("UseMXRecord", "use_mx_record"),
            ("SmartHosts", "smart_hosts"),
            ("EFSkipIPs", "ef_skip_i_ps"),
            ("TlsSettings", "tls_settings"),
        ];
        for (name, expected) in cases {
            assert_eq!(snake_case(name), expected, "{name}");
        }
    }
}
