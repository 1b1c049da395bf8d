//! Texts, numbers, `true` and `false`, and the words that are values.

use serde::Deserializer;
use serde::de::{IgnoredAny, Visitor};

use super::{Reader, Value, quoted};
use crate::diag::{Diagnostic, code};
use crate::scenario::source::Text;
use crate::scenario::tokens::{Kind, Token};

/// Reads a text that is known to stand here.
pub(crate) fn read_text<'de, D: Deserializer<'de>>(reader: &Reader<'de>, token: &Token<'de>, de: D) -> Result<Text, D::Error> {
    let value = de.deserialize_str(TextVisitor)?;
    reader.pass(token);
    let place = reader.place(token);
    let verbatim = reader.text.get(place.start as usize..place.end as usize) == Some(&*value);
    Ok(if verbatim { Text::verbatim(&value, place) } else { Text::escaped(&value, place) })
}

pub(crate) struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = std::borrow::Cow<'de, str>;
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a text")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }
}

impl Value for Text {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        match token.kind {
            Kind::Text { .. } => read_text(reader, &token, de).map(Some),
            Kind::Word(word) if !matches!(word, "None" | "Some" | "true" | "false") => {
                let problem = reader.wrong_shape("a text in quotes", &token).help(format!("texts stand in quotes: \"{word}\""));
                reader.refuse(problem, de)
            }
            Kind::Number(number) => {
                let problem = reader.wrong_shape("a text in quotes", &token);
                reader.refuse(problem.help(format!("write it as a text, with its unit if it has one: \"{number}\"")), de)
            }
            Kind::Open('[') => {
                let problem =
                    reader.wrong_shape("one text in quotes", &token).help("this field takes one text, not a list: leave out the `[ ]`");
                reader.refuse(problem, de)
            }
            _ => reader.refuse(reader.wrong_shape("a text in quotes", &token), de),
        }
    }
}

impl Value for bool {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        let Kind::Word(word @ ("true" | "false")) = token.kind else {
            return reader.refuse(reader.wrong_shape("`true` or `false`", &token), de);
        };
        de.deserialize_ignored_any(IgnoredAny)?;
        reader.pass(&token);
        Ok(Some(word == "true"))
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

fn read_number<'de, D: Deserializer<'de>, T: TryFrom<i128>>(reader: &Reader<'de>, de: D, least: i128) -> Result<Option<T>, D::Error> {
    let token = reader.peek();
    let Kind::Number(written) = token.kind else {
        let problem = reader.wrong_shape("a whole number", &token);
        let inside = reader.place(&token);
        let digits = reader.text.get(inside.start as usize..inside.end as usize).filter(|text| whole_number(text).is_some());
        let problem = match digits {
            Some(digits) => problem.help(format!("without quotes: {digits}")),
            None => problem,
        };
        return reader.refuse(problem, de);
    };
    let number = whole_number(written).filter(|number| *number >= least).and_then(|number| T::try_from(number).ok());
    if number.is_some() {
        de.deserialize_ignored_any(IgnoredAny)?;
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
    reader.refuse(problem, de)
}

impl Value for u64 {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        read_number(reader, de, 0)
    }
}

impl Value for i64 {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        read_number(reader, de, i128::from(i64::MIN))
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
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        match token.kind {
            Kind::Number(word) | Kind::Word(word) if reader.bracket_behind(&token).is_none() => {
                de.deserialize_ignored_any(IgnoredAny)?;
                reader.pass(&token);
                Ok(Some(Self(Text::verbatim(word, reader.place(&token)))))
            }
            _ => Ok(Text::read(reader, de)?.map(Self)),
        }
    }
}

/// Reads a word that is one of a closed list.
pub(crate) fn read_word<'de, D, T>(reader: &Reader<'de>, de: D, what: &str, all: &[(&'static str, T)]) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Copy,
{
    let token = reader.peek();
    let find = |word: &str| all.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    let word = match token.kind {
        Kind::Word(word) => word,
        Kind::Text { .. } => {
            let place = reader.place(&token);
            let inside = &reader.text[place.start as usize..place.end as usize];
            let problem = reader.wrong_shape(&format!("{what}, a word without quotes"), &token);
            let meant = names.iter().find(|name| name.eq_ignore_ascii_case(inside));
            let help = meant.map_or_else(|| format!("known are {}", quoted(&names)), |name| format!("write `{name}`"));
            return reader.refuse(problem.help(help), de);
        }
        _ => {
            let problem = reader.wrong_shape(&format!("{what}, a word"), &token).help(format!("known are {}", quoted(&names)));
            return reader.refuse(problem, de);
        }
    };
    let Some(value) = find(word) else {
        if matches!(word, "Some" | "None") {
            return reader.refuse(reader.wrong_shape(what, &token), de);
        }
        let problem = reader.unknown_word(code::UNKNOWN_WORD, format!("`{word}` is not {what}"), &token, word, &names);
        return reader.refuse(problem, de);
    };
    if reader.bracket_behind(&token).is_some() {
        let problem = Diagnostic::error(code::BRACKETS, reader.whole(&token), format!("the value `{word}` stands without brackets"));
        return reader.refuse(problem.help(format!("write `{word}`")), de);
    }
    de.deserialize_ignored_any(IgnoredAny)?;
    reader.pass(&token);
    Ok(Some(value))
}
