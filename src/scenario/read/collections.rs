//! Things with names in `{ }`, lists in `[ ]`, pairs, and the field that holds a value.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::scalars::{TextVisitor, read_text};
use super::{Part, Reader, Seed, Skip, Value};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::merge::Merger;
use crate::scenario::set::{PathProblem, Step, quote};
use crate::scenario::source::{Entry, Field, Named, Text};
use crate::scenario::tokens::{Kind, skip_blank, skip_value};

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
        Ok(format!("{{ {}: {inner} }}", quote(&step.word)))
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
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        while let Some(key) = map.next_key_seed(KeySeed(reader))? {
            reader.seek_value();
            let token = reader.peek();
            let value = if token.kind == Kind::Word("None") && reader.bracket_behind(&token).is_none() {
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
        let alone = !reader.text[skip_blank(reader.text, end)..].starts_with(':');
        let problem = match (token.kind, written) {
            (Kind::Text { .. } | Kind::Word(_), Some(text)) if alone && !matches!(token.kind, Kind::Word("None" | "Some")) => {
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
