//! How does RON text become typed, placed values, with *all* complaints and not only the first?
//!
//! ron parses and decides what is RON; serde's visitors are written here instead of derived, for three reasons. A value's place is known
//! (the reader walks along with ron, one token ahead). A wrong field, word or shape is noted and skipped, and reading goes on. And "not
//! written" stays apart from `None`. Only text that is not RON at all ends the reading.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::merge::Merger;
use super::set::{PathProblem, Step};
use super::source::{At, Entry, Field, Named, Text};
use super::tokens::{Kind, Token, skip_blank, skip_value, token_at};
use crate::diag::{Code, Diagnostic, FileId, Span, code};

/// Walks along while ron reads: where are we, and what was wrong so far?
#[derive(Debug)]
pub struct Reader<'de> {
    pub(super) text: &'de str,
    pub(super) file: FileId,
    cursor: Cell<usize>,
    /// A problem that was noted explains why ron will stop here.
    pub(super) explained: Cell<bool>,
    pub(super) problems: RefCell<Vec<Diagnostic>>,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str, file: FileId) -> Self {
        let reader = Self { text, file, cursor: Cell::new(0), explained: Cell::new(false), problems: RefCell::default() };
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
    pub(super) fn refuse<D: Deserializer<'de>, T>(&self, problem: Diagnostic, de: D) -> Result<Option<T>, D::Error> {
        self.report(problem);
        self.skip(de)?;
        Ok(None)
    }

    /// Steps over one value, whatever it is.
    pub(super) fn skip<D: Deserializer<'de>>(&self, de: D) -> Result<(), D::Error> {
        let token = self.peek();
        let end = skip_value(self.text, token.start);
        de.deserialize_ignored_any(IgnoredAny).inspect_err(|_| self.explained.set(true))?;
        self.cursor.set(end);
        Ok(())
    }

    /// "expected …, found …"
    pub(super) fn wrong_shape(&self, expected: &str, token: &Token<'_>) -> Diagnostic {
        let message = format!("expected {expected}, found {}", token.describe());
        let problem = Diagnostic::error(code::WRONG_SHAPE, self.whole(token), message);
        match token.kind {
            Kind::Other('$') => problem.help("`$true` and `$false` are `true` and `false` here, `$null` is a field left out"),
            Kind::Word("Some") => problem.help("write the value itself, without `Some( )`"),
            Kind::Word("None") => problem.help("`None` takes away a name in `{ }`; a field of `( )` is left out instead"),
            Kind::Other('\'') => problem.help("texts stand in double quotes"),
            _ => problem,
        }
    }

    pub(super) fn unknown_word(&self, code: Code, message: String, token: &Token<'_>, word: &str, known: &[&str]) -> Diagnostic {
        let problem = Diagnostic::error(code, self.whole(token), message);
        let plain = problem.clone().suggest(word, known.iter().copied());
        if !plain.help.is_empty() {
            return plain;
        }
        if known.len() > 12 {
            problem.help(format!("known are {} …", quoted(&known[..12])))
        } else {
            problem.help(format!("known are {}", quoted(known)))
        }
    }
}

/// "`a`, `b`, `c`"
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Something that stands behind a colon or in a list.
pub trait Value: Clone + Sized {
    /// Is a value of this type itself a small scenario? Then laying one over another keeps their `None`.
    const IS_OVERLAY: bool = false;

    /// Reads one; `None` if a problem was noted instead.
    ///
    /// # Errors
    /// What ron says where the text is not RON.
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error>;

    /// Lays another over this one. Whole, unless the type says otherwise.
    fn merge(&mut self, over: &Self, _merger: &mut Merger) {
        self.clone_from(over);
    }

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
    /// Reads what stands behind the colon.
    ///
    /// # Errors
    /// What ron says where the text is not RON.
    fn read_part<'de, A: MapAccess<'de>>(&mut self, reader: &Reader<'de>, map: &mut A) -> Result<(), A::Error>;

    /// Lays another over this one.
    fn merge_part(&mut self, over: &Self, merger: &mut Merger);

    /// See [`Value::wrap`].
    ///
    /// # Errors
    /// Which step leads nowhere.
    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem>;
}

/// Reads one value of a type.
pub(super) struct Seed<'r, 'de, T>(pub(super) &'r Reader<'de>, pub(super) PhantomData<T>);

impl<'de, T: Value> DeserializeSeed<'de> for Seed<'_, 'de, T> {
    type Value = Option<T>;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Option<T>, D::Error> {
        T::read(self.0, de)
    }
}

/// Steps over one value.
pub(super) struct Skip<'r, 'de>(pub(super) &'r Reader<'de>);

impl<'de> DeserializeSeed<'de> for Skip<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        self.0.skip(de)
    }
}

impl<T: Value> Part for Field<T> {
    fn read_part<'de, A: MapAccess<'de>>(&mut self, reader: &Reader<'de>, map: &mut A) -> Result<(), A::Error> {
        reader.seek_value();
        let place = reader.place(&reader.peek());
        if let Some(value) = map.next_value_seed(Seed::<T>(reader, PhantomData))? {
            *self = Field::written(value, place);
        }
        Ok(())
    }

    fn merge_part(&mut self, over: &Self, merger: &mut Merger) {
        let Some(new) = over.at() else { return };
        match self.at_mut() {
            Some(old) => {
                merger.inside(T::IS_OVERLAY, |merger| old.value.merge(&new.value, merger));
                old.span = new.span;
            }
            None => *self = over.clone(),
        }
    }

    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem> {
        T::wrap(self.get(), path, value)
    }
}

impl<T: Value> Part for Named<T> {
    fn read_part<'de, A: MapAccess<'de>>(&mut self, reader: &Reader<'de>, map: &mut A) -> Result<(), A::Error> {
        reader.seek_value();
        if let Some(named) = map.next_value_seed(Seed::<Named<T>>(reader, PhantomData))? {
            *self = named;
        }
        Ok(())
    }

    fn merge_part(&mut self, over: &Self, merger: &mut Merger) {
        self.lay_over(over, merger);
    }

    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem> {
        <Self as Value>::wrap(Some(self), path, value)
    }
}

impl<T: Value> Value for Named<T> {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        if token.kind != Kind::Open('{') {
            let problem =
                reader.wrong_shape("names in `{ }`", &token).help("things with names of your own stand in braces: `{ \"name\": … }`");
            return reader.refuse(problem, de);
        }
        reader.pass(&token);
        let entries = de.deserialize_map(NamedVisitor::<T>(reader, PhantomData))?;
        Ok(Some(Self { entries, span: reader.whole(&token) }))
    }

    fn merge(&mut self, over: &Self, merger: &mut Merger) {
        self.lay_over(over, merger);
    }

    fn wrap(current: Option<&Self>, path: &[Step], value: &str) -> Result<String, PathProblem> {
        let Some((step, rest)) = path.split_first() else { return Ok(value.to_owned()) };
        let known = current.and_then(|named| named.get(&step.word));
        if known.is_none() && !rest.is_empty() {
            let names: Vec<&str> = current.into_iter().flat_map(Named::keys).map(Text::as_str).collect();
            return Err(PathProblem::unknown(step, "name", &names));
        }
        let inner = T::wrap(known, rest, value)?;
        Ok(format!("{{ {}: {inner} }}", super::set::quote(&step.word)))
    }
}

struct NamedVisitor<'r, 'de, T>(&'r Reader<'de>, PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for NamedVisitor<'_, 'de, T> {
    type Value = Vec<Entry<T>>;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("names in { }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let reader = self.0;
        let mut entries: Vec<Entry<T>> = Vec::new();
        let mut seen: std::collections::BTreeMap<String, Span> = std::collections::BTreeMap::new();
        while let Some(key) = map.next_key_seed(KeySeed(reader))? {
            reader.seek_value();
            let token = reader.peek();
            let value = if token.kind == Kind::Word("None") {
                map.next_value_seed(Skip(reader))?;
                Some(None)
            } else {
                map.next_value_seed(Seed::<T>(reader, PhantomData))?.map(Some)
            };
            if let Some(first) = seen.get(key.as_str()) {
                let message = format!("the name `{key}` stands twice in these braces");
                reader.report(Diagnostic::error(code::WRITTEN_TWICE, key.span(), message).also(*first, "first here"));
                continue;
            }
            seen.insert(key.as_str().to_owned(), key.span());
            if let Some(value) = value {
                entries.push(Entry { key, value });
            }
        }
        Ok(entries)
    }
}

/// Reads a name in `{ }`.
struct KeySeed<'r, 'de>(&'r Reader<'de>);

impl<'de> DeserializeSeed<'de> for KeySeed<'_, 'de> {
    type Value = Text;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Text, D::Error> {
        let reader = self.0;
        reader.seek_element();
        let token = reader.peek();
        if let Kind::Word(word) = token.kind {
            let problem = Diagnostic::error(code::WRONG_SHAPE, reader.whole(&token), format!("the name `{word}` stands without quotes"));
            reader.report(problem.help(format!("names in `{{ }}` are your own and stand in quotes: \"{word}\"")));
            reader.pass(&token);
            de.deserialize_identifier(TextVisitor).inspect_err(|_| reader.explained.set(true))?;
            return Ok(Text::verbatim(word, reader.place(&token)));
        }
        read_text(reader, &token, de)
    }
}

/// Reads a text that is known to stand here.
fn read_text<'de, D: Deserializer<'de>>(reader: &Reader<'de>, token: &Token<'de>, de: D) -> Result<Text, D::Error> {
    let value = de.deserialize_str(TextVisitor)?;
    reader.pass(token);
    let place = reader.place(token);
    let verbatim = reader.text.get(place.start as usize..place.end as usize) == Some(&*value);
    Ok(if verbatim { Text::verbatim(&value, place) } else { Text::escaped(&value, place) })
}

struct TextVisitor;

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
            Kind::Word(word) if word.len() > 1 && !matches!(word, "None" | "Some" | "true" | "false") => {
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

impl<T: Value> Value for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        if token.kind == Kind::Open('[') {
            reader.pass(&token);
            return de.deserialize_seq(ListVisitor::<T>(reader, PhantomData)).map(Some);
        }
        let problem = reader.wrong_shape("a list in `[ ]`", &token);
        let end = skip_value(reader.text, token.start);
        let written = reader.text.get(token.start..end).filter(|text| text.len() < 60 && !text.contains('\n'));
        let problem = match (token.kind, written) {
            (Kind::Text { .. } | Kind::Word(_) | Kind::Number(_), Some(text)) if !matches!(token.kind, Kind::Word("None" | "Some")) => {
                problem.help(format!("one is a list too: [{text}]"))
            }
            _ => problem,
        };
        reader.refuse(problem, de)
    }
}

struct ListVisitor<'r, 'de, T>(&'r Reader<'de>, PhantomData<T>);

impl<'de, T: Value> Visitor<'de> for ListVisitor<'_, 'de, T> {
    type Value = Vec<T>;
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(ElementSeed::<T>(self.0, PhantomData))? {
            items.extend(item);
        }
        Ok(items)
    }
}

/// Goes to the next element, then reads it.
struct ElementSeed<'r, 'de, T>(&'r Reader<'de>, PhantomData<T>);

impl<'de, T: Value> DeserializeSeed<'de> for ElementSeed<'_, 'de, T> {
    type Value = Option<T>;
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Option<T>, D::Error> {
        self.0.seek_element();
        T::read(self.0, de)
    }
}

impl<T: Value> Value for (T, T) {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        let token = reader.peek();
        if token.kind != Kind::Open('(') {
            let problem = reader.wrong_shape("two values in `( )`", &token).help("two belong together: (a, b)");
            return reader.refuse(problem, de);
        }
        reader.pass(&token);
        let begin = token;
        let mut items = de.deserialize_tuple(2, ListVisitor::<T>(reader, PhantomData))?.into_iter();
        match (items.next(), items.next(), items.next()) {
            (Some(a), Some(b), None) => Ok(Some((a, b))),
            _ => {
                let end = skip_value(reader.text, begin.start);
                let problem = Diagnostic::error(code::WRONG_SHAPE, reader.span(begin.start, end), "expected two values in `( )`");
                reader.report(problem.help("two belong together: (a, b)"));
                Ok(None)
            }
        }
    }
}

impl<T: Value> Value for Box<T> {
    fn read<'de, D: Deserializer<'de>>(reader: &Reader<'de>, de: D) -> Result<Option<Self>, D::Error> {
        Ok(T::read(reader, de)?.map(Box::new))
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
pub(super) fn read_word<'de, D, T>(reader: &Reader<'de>, de: D, what: &str, all: &[(&'static str, T)]) -> Result<Option<T>, D::Error>
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
            let help = meant.map_or_else(|| format!("known are {}", quoted(&names)), |name| format!("write {name}"));
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
        return reader.refuse(problem.help(format!("write {word}")), de);
    }
    de.deserialize_ignored_any(IgnoredAny)?;
    reader.pass(&token);
    Ok(Some(value))
}

/// Things with fields: what the `schema!` macro writes for each struct.
pub trait Fields: Clone + Default {
    /// How messages call it: "an outbound connector".
    const WHAT: &'static str;
    /// A word that may stand before its bracket.
    const WORD: &'static str = "";

    /// Appends the names of its fields.
    fn names(out: &mut Vec<&'static str>);

    /// Notes where it begins.
    fn set_place(&mut self, place: Span);

    /// Reads the field with this name; `false` if there is none.
    ///
    /// # Errors
    /// What ron says where the text is not RON.
    fn read_field<'de, A: MapAccess<'de>>(&mut self, name: &str, reader: &Reader<'de>, map: &mut A) -> Result<bool, A::Error>;

    /// Lays another over this one, field by field.
    fn merge_fields(&mut self, over: &Self, merger: &mut Merger);

    /// See [`Value::wrap`], for the field with this name; `None` if there is none.
    fn wrap_field(&self, name: &str, path: &[Step], value: &str) -> Option<Result<String, PathProblem>>;
}

/// Reads fields in round brackets: [`Value::read`] of everything that has fields.
pub(super) fn read_fields<'de, D: Deserializer<'de>, T: Fields>(reader: &Reader<'de>, de: D) -> Result<Option<T>, D::Error> {
    let token = reader.peek();
    let behind = reader.bracket_behind(&token);
    let bracket = match (token.kind, behind) {
        (Kind::Open('('), _) => token,
        (Kind::Word(word), Some(bracket)) if word == T::WORD => bracket,
        _ => {
            let problem = reader.wrong_shape(&format!("{} in `( )`", T::WHAT), &token);
            let problem = match token.kind {
                Kind::Open('{') => problem.help("`( )` holds fields that the format names, `{ }` things that you name: write ( … ) here"),
                Kind::Word(word) if word != "Some" && behind.is_some() => {
                    problem.help(format!("no word stands before these brackets: leave out `{word}`"))
                }
                _ => problem,
            };
            return reader.refuse(problem, de);
        }
    };
    reader.pass(&bracket);
    let visitor = FieldsVisitor::<T> { reader, place: reader.place(&token), outer: T::WHAT, kind: PhantomData };
    de.deserialize_struct(T::WORD, &[], visitor).map(Some)
}

/// [`Value::wrap`] of everything that has fields.
pub(super) fn wrap_fields<T: Fields>(current: Option<&T>, path: &[Step], value: &str) -> Result<String, PathProblem> {
    let Some((step, rest)) = path.split_first() else { return Ok(value.to_owned()) };
    let fresh = T::default();
    match current.unwrap_or(&fresh).wrap_field(&step.word, rest, value) {
        Some(inner) => Ok(format!("({}: {})", step.word, inner?)),
        None => {
            let mut names = Vec::new();
            T::names(&mut names);
            Err(PathProblem::unknown(step, &format!("field of {}", T::WHAT), &names))
        }
    }
}

/// Reads the fields between round brackets.
pub(super) struct FieldsVisitor<'r, 'de, T> {
    pub(super) reader: &'r Reader<'de>,
    pub(super) place: Span,
    pub(super) outer: &'static str,
    pub(super) kind: PhantomData<T>,
}

impl<'de, T: Fields> Visitor<'de> for FieldsVisitor<'_, 'de, T> {
    type Value = T;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.outer)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let reader = self.reader;
        let mut value = T::default();
        value.set_place(self.place);
        let mut seen: Vec<(&str, Span)> = Vec::new();
        while let Some((name, place)) = map.next_key_seed(FieldNameSeed(reader))? {
            if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
                let problem = Diagnostic::error(code::WRITTEN_TWICE, place, format!("the field `{name}` stands twice in these brackets"));
                reader.report(problem.also(*first, "first here"));
                reader.seek_value();
                map.next_value_seed(Skip(reader))?;
                continue;
            }
            seen.push((name, place));
            if !value.read_field(name, reader, &mut map)? {
                let mut names = Vec::new();
                T::names(&mut names);
                reader.report(super::syntax::unknown_field(self.outer, name, place, &names));
                reader.seek_value();
                map.next_value_seed(Skip(reader))?;
            }
        }
        Ok(value)
    }
}

struct FieldNameSeed<'r, 'de>(&'r Reader<'de>);

impl<'de> DeserializeSeed<'de> for FieldNameSeed<'_, 'de> {
    type Value = (&'de str, Span);
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
        let reader = self.0;
        reader.seek_element();
        let token = reader.peek();
        de.deserialize_identifier(TextVisitor)?;
        reader.pass(&token);
        Ok((
            match token.kind {
                Kind::Word(word) => word,
                _ => "",
            },
            reader.place(&token),
        ))
    }
}

/// The word of a kind and the bracket behind it, or a noted problem.
pub(super) enum KindWord<'de> {
    Word { word: &'de str, place: Span },
    Refused,
}

/// Finds out which kind stands here; what cannot be one is noted. `plain` are words that stand without brackets.
pub(super) fn peek_kind<'de>(reader: &Reader<'de>, what: &str, kinds: &[&str], plain: &[&str]) -> KindWord<'de> {
    let token = reader.peek();
    let known: Vec<&str> = kinds.iter().chain(plain).copied().collect();
    let problem = match token.kind {
        Kind::Word(word) => {
            let bracket = reader.bracket_behind(&token);
            match (kinds.contains(&word), plain.contains(&word), bracket) {
                (true, _, Some(bracket)) => {
                    reader.pass(&bracket);
                    return KindWord::Word { word, place: reader.place(&token) };
                }
                (_, true, None) => {
                    reader.pass(&token);
                    return KindWord::Word { word, place: reader.place(&token) };
                }
                (true, _, None) => {
                    let message = format!("`{word}` stands without its brackets");
                    Diagnostic::error(code::BRACKETS, reader.whole(&token), message)
                        .help(format!("write {word}( … ), even if nothing is in it: {word}()"))
                }
                (_, true, Some(_)) => {
                    Diagnostic::error(code::BRACKETS, reader.whole(&token), format!("the value `{word}` stands without brackets"))
                }
                _ if word == "Some" => reader.wrong_shape(what, &token),
                _ => reader.unknown_word(code::UNKNOWN_WORD, format!("`{word}` is not {what}"), &token, word, &known),
            }
        }
        Kind::Open('(' | '{') => {
            let problem = reader.wrong_shape(&format!("{what} before the bracket"), &token);
            problem.help(format!("known are {}", quoted(&known[..known.len().min(12)])))
        }
        _ => reader.wrong_shape(what, &token).help(format!("known are {}", quoted(&known[..known.len().min(12)]))),
    };
    reader.report(problem);
    KindWord::Refused
}

/// Reads the word of a kind, which is already known.
pub(super) struct KnownWord;

impl<'de> DeserializeSeed<'de> for KnownWord {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_identifier(TextVisitor).map(|_| ())
    }
}

/// Reads what stands in the brackets of a kind that holds one value, `Not(x)`.
pub(super) fn read_inner<'de, V, T>(reader: &Reader<'de>, place: Span, access: V) -> Result<Option<At<T>>, V::Error>
where
    V: serde::de::VariantAccess<'de>,
    T: Value,
{
    let value = access.newtype_variant_seed(Seed::<T>(reader, PhantomData))?;
    if value.is_none() {
        reader.cursor.set(skip_value(reader.text, place.start as usize));
    }
    Ok(value.map(|value| At { value, span: place }))
}
