//! Texts, numbers, `true` and `false`, and the words that are values.

use super::{Ahead, Reader, Stopped, Value, known_are};
use crate::diag::{Diagnostic, code};
use crate::scenario::source::Text;
use crate::scenario::tokens::{Kind, Token, bare_text};

/// Reads a text that is known to stand here.
pub(crate) fn read_text<'de>(reader: &Reader<'de>, token: &Token<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Text, Stopped> {
    let value = ahead.text()?;
    reader.pass(token);
    let place = reader.place(token);
    let verbatim = reader.text.get(place.start as usize..place.end as usize) == Some(&*value);
    Ok(if verbatim { Text::verbatim(&value, place) } else { Text::escaped(&value, place) })
}

impl Value for Text {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let token = reader.peek();
        match token.kind {
            Kind::Text { .. } => read_text(reader, &token, ahead).map(Some),
            Kind::Open('[') => {
                let problem =
                    reader.wrong_shape("one text in quotes", &token).help("this field takes one text, not a list: leave out the `[ ]`");
                reader.refuse(problem, ahead)
            }
            _ => {
                let problem = reader.not_a_value("a text in quotes", &token, || how_to_quote(reader.text, &token));
                reader.refuse(problem, ahead)
            }
        }
    }
}

impl Value for bool {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let token = reader.peek();
        let Kind::Word(word @ ("true" | "false")) = token.kind else {
            let inside = reader.place(&token);
            let meant = reader.text.get(inside.start as usize..inside.end as usize).and_then(yes_or_no);
            let otherwise =
                || meant.map_or("`true` or `false` stands here, without quotes".into(), |meant| format!("write {meant}, without quotes"));
            return reader.refuse(reader.not_a_value("`true` or `false`", &token, otherwise), ahead);
        };
        ahead.pass_over()?;
        reader.pass(&token);
        Ok(Some(word == "true"))
    }
}

/// What was written without quotes, with them.
fn how_to_quote(text: &str, token: &Token<'_>) -> String {
    let bare = bare_text(text, token.start);
    let half_quoted = text[token.start + bare.len()..].starts_with('"');
    match token.kind {
        Kind::Word(word) if text[token.end..].starts_with(':') => format!("`{word}:` begins a field: is a bracket missing before it?"),
        _ if bare.is_empty() => "texts stand in quotes".into(),
        _ if half_quoted => format!("its first quote is missing: \"{bare}\""),
        Kind::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) && number == bare => {
            format!(
                "write it as a text, with its unit if it has one: \"{number}\" (a size or a time has one: \"{number}MB\", \"{number}s\")"
            )
        }
        _ => format!("texts stand in quotes: \"{bare}\""),
    }
}

/// What other languages write for `true` and `false`.
fn yes_or_no(written: &str) -> Option<bool> {
    match written.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "enabled" => Some(true),
        "false" | "no" | "off" | "0" | "disabled" => Some(false),
        _ => None,
    }
}

/// The digits of a whole number, as RON writes them.
fn whole_number(text: &str) -> Option<i128> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let number = match digits.get(..2) {
        Some("0x") => i128::from_str_radix(&digits[2..], 16),
        Some("0o") => i128::from_str_radix(&digits[2..], 8),
        Some("0b") => i128::from_str_radix(&digits[2..], 2),
        _ => digits.parse(),
    };
    number.ok().map(|number| number * sign)
}

fn read_number<'de, T: TryFrom<i128>>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>, least: i128) -> Result<Option<T>, Stopped> {
    let token = reader.peek();
    let Kind::Number(written) = token.kind else {
        let inside = reader.place(&token);
        let digits = reader.text.get(inside.start as usize..inside.end as usize).filter(|text| whole_number(text).is_some());
        let otherwise = || digits.map_or("digits stand here, without quotes and unit".into(), |digits| format!("without quotes: {digits}"));
        return reader.refuse(reader.not_a_value("a whole number", &token, otherwise), ahead);
    };
    let number = whole_number(written).filter(|number| *number >= least).and_then(|number| T::try_from(number).ok());
    if number.is_some() {
        ahead.pass_over()?;
        reader.pass(&token);
        return Ok(number);
    }
    let problem = Diagnostic::error(code::NUMBER, reader.whole(&token), format!("`{written}` is not a whole number that fits here"));
    let problem = match written.split_once('.') {
        Some((whole, rest)) if !whole.is_empty() && rest.trim_matches('0').is_empty() => problem.help(format!("write `{whole}`")),
        Some(_) => problem.help("there are no fractions here"),
        None if written.starts_with('-') => problem.help(format!("the smallest number here is {least}")),
        None => problem,
    };
    reader.refuse(problem, ahead)
}

impl Value for u64 {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        read_number(reader, ahead, 0)
    }
}

impl Value for i64 {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        read_number(reader, ahead, i128::from(i64::MIN))
    }
}

/// A setting whose values are numbers, words or texts (`20`, `"20"`, `Unlimited`, `"unlimited"`): always a text here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loose(pub Text);

impl std::ops::Deref for Loose {
    type Target = Text;
    fn deref(&self) -> &Text {
        &self.0
    }
}

impl Value for Loose {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let token = reader.peek();
        match token.kind {
            Kind::Number(word) | Kind::Word(word) if reader.bracket_behind(&token).is_none() => {
                ahead.pass_over()?;
                reader.pass(&token);
                Ok(Some(Self(Text::verbatim(word, reader.place(&token)))))
            }
            _ => Ok(Text::read(reader, ahead)?.map(Self)),
        }
    }
}

/// Reads a word that is one of a closed list: its place in that list.
pub(crate) fn read_word<'de>(
    reader: &Reader<'de>,
    ahead: &mut dyn Ahead<'de>,
    what: &str,
    names: &[&'static str],
) -> Result<Option<usize>, Stopped> {
    let token = reader.peek();
    let word = match token.kind {
        Kind::Word(word) => word,
        Kind::Text { .. } => {
            let place = reader.place(&token);
            let inside = &reader.text[place.start as usize..place.end as usize];
            let problem = reader.wrong_shape(&format!("{what}, a word without quotes"), &token);
            let meant = names.iter().find(|name| name.eq_ignore_ascii_case(inside));
            let help = meant.map_or_else(|| known_are(names), |name| format!("write `{name}`"));
            return reader.refuse(problem.help(help), ahead);
        }
        _ => {
            let problem = reader.not_a_value(&format!("{what}, a word"), &token, || known_are(names));
            return reader.refuse(problem, ahead);
        }
    };
    let Some(at) = names.iter().position(|name| *name == word) else {
        if matches!(word, "Some" | "None") {
            return reader.refuse(reader.wrong_shape(what, &token), ahead);
        }
        let problem = reader.unknown_word(code::UNKNOWN_WORD, format!("`{word}` is not {what}"), &token, word, names);
        return reader.refuse(problem, ahead);
    };
    if reader.bracket_behind(&token).is_some() {
        let problem = Diagnostic::error(code::BRACKETS, reader.whole(&token), format!("the value `{word}` stands without brackets"));
        return reader.refuse(problem.help(format!("write `{word}`")), ahead);
    }
    ahead.pass_over()?;
    reader.pass(&token);
    Ok(Some(at))
}
