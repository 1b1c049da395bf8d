//! Things with names in `{ }`, lists in `[ ]`, pairs, and the field that holds a value.

use std::collections::BTreeMap;

use super::scalars::read_text;
use super::{Ahead, Entries, Part, Reader, Stopped, Value, keep};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::merge::Merger;
use crate::scenario::set::{PathProblem, Step, quote};
use crate::scenario::source::{Entry, Field, Named, Text};
use crate::scenario::tokens::{Kind, bare_name, skip_blank, skip_value, token_at};

impl<T: Value> Part for Field<T> {
    fn is_there(&self) -> bool {
        self.is_written()
    }

    fn read_part<'de>(&mut self, reader: &Reader<'de>, entries: &mut dyn Entries<'de>) -> Result<(), Stopped> {
        reader.seek_value();
        let place = reader.place(&reader.peek());
        entries.value(&mut |ahead| {
            let read = T::read(reader, ahead);
            keep(read, |value| *self = Field::written(value, place))
        })
    }

    fn merge_part(&mut self, over: &Self, merger: &mut Merger) {
        let Some(new) = over.at() else { return };
        match self.at_mut() {
            Some(old) => {
                merger.inside(T::IS_OVERLAY, |merger| old.value.merge(&new.value, merger));
                old.span = new.span;
            }
            None => {
                *self = over.clone();
                self.nones_of_part(merger);
            }
        }
    }

    fn nones_of_part(&self, merger: &mut Merger) {
        if let Some(value) = self.get().filter(|_| !T::IS_OVERLAY) {
            value.nones(merger);
        }
    }

    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem> {
        T::wrap(self.get(), path, value)
    }
}

impl<T: Value> Part for Named<T> {
    fn is_there(&self) -> bool {
        self.is_written()
    }

    fn read_part<'de>(&mut self, reader: &Reader<'de>, entries: &mut dyn Entries<'de>) -> Result<(), Stopped> {
        reader.seek_value();
        entries.value(&mut |ahead| {
            let read = Self::read(reader, ahead);
            keep(read, |named| *self = named)
        })
    }

    fn merge_part(&mut self, over: &Self, merger: &mut Merger) {
        self.lay_over(over, merger);
    }

    fn nones_of_part(&self, merger: &mut Merger) {
        self.nones(merger);
    }

    fn wrap_part(&self, path: &[Step], value: &str) -> Result<String, PathProblem> {
        <Self as Value>::wrap(Some(self), path, value)
    }
}

impl<T: Value> Value for Named<T> {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let mut collector = Collector::<T> { entries: Vec::new(), last: None };
        let span = read_names(reader, ahead, &mut collector)?;
        Ok(span.map(|span| Self { entries: collector.entries, span }))
    }

    fn merge(&mut self, over: &Self, merger: &mut Merger) {
        self.lay_over(over, merger);
    }

    fn nones(&self, merger: &mut Merger) {
        for entry in &self.entries {
            match &entry.value {
                Some(value) if !T::IS_OVERLAY => value.nones(merger),
                Some(_) => {}
                None => merger.takes_nothing_away(entry, &Self::default()),
            }
        }
    }

    fn wrap(current: Option<&Self>, path: &[Step], value: &str) -> Result<String, PathProblem> {
        let Some((step, rest)) = path.split_first() else { return Ok(value.to_owned()) };
        let known = current.and_then(|named| named.get(&step.word));
        if known.is_none() && !rest.is_empty() {
            let names: Vec<&str> = current.map_or_else(Vec::new, |named| named.keys().map(Text::as_str).collect());
            return Err(PathProblem::unknown(step, "name", &names));
        }
        let inner = T::wrap(known, rest, value)?;
        Ok(format!("{{ {}: {inner} }}", quote(&step.word)))
    }
}

/// Takes in what stands behind names, whatever its type.
trait Collect {
    /// Reads a value; it waits until its name is known to be new.
    fn read<'de>(&mut self, reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<(), Stopped>;
    /// `None` was written.
    fn none(&mut self);
    /// The name of the value read last; nothing happens if a problem was noted in its place.
    fn keep(&mut self, key: Text);
}

struct Collector<T> {
    entries: Vec<Entry<T>>,
    last: Option<Option<T>>,
}

impl<T: Value> Collect for Collector<T> {
    fn read<'de>(&mut self, reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<(), Stopped> {
        let read = T::read(reader, ahead);
        self.last = None;
        keep(read, |value| self.last = Some(Some(value)))
    }

    fn none(&mut self) {
        self.last = Some(None);
    }

    fn keep(&mut self, key: Text) {
        if let Some(value) = self.last.take() {
            self.entries.push(Entry { key, value });
        }
    }
}

/// Reads names in braces; the place of the brace, or `None` if a problem was noted instead.
fn read_names<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>, into: &mut dyn Collect) -> Result<Option<Span>, Stopped> {
    let token = reader.peek();
    if token.kind != Kind::Open('{') {
        let problem = reader.wrong_shape("names in `{ }`", &token).help("things with names of your own stand in braces: `{ \"name\": … }`");
        return reader.refuse(problem, ahead);
    }
    reader.pass(&token);
    ahead.names(&mut |entries| read_entries(reader, entries, &mut *into))?;
    Ok(Some(reader.whole(&token)))
}

fn read_entries<'de>(reader: &Reader<'de>, entries: &mut dyn Entries<'de>, into: &mut dyn Collect) -> Result<(), Stopped> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    loop {
        let mut key = None;
        entries.name(&mut |ahead| {
            key = Some(read_key(reader, ahead)?);
            Ok(())
        })?;
        let Some(key) = key else { return Ok(()) };
        reader.seek_value();
        let token = reader.peek();
        if token.kind == Kind::Word("None") && reader.bracket_behind(&token).is_none() {
            entries.value(&mut |ahead| {
                ahead.pass_over()?;
                reader.pass(&token);
                Ok(())
            })?;
            into.none();
        } else {
            entries.value(&mut |ahead| into.read(reader, ahead))?;
        }
        if let Some(first) = seen.get(key.as_str()) {
            let message = format!("the name `{key}` stands twice in these braces");
            reader.report(
                Diagnostic::error(code::WRITTEN_TWICE, key.span(), message)
                    .also(*first, "first here")
                    .help("give one of them another name"),
            );
            continue;
        }
        seen.insert(key.as_str().to_owned(), key.span());
        into.keep(key);
    }
}

/// Reads a name in `{ }`.
fn read_key<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Text, Stopped> {
    reader.seek_element();
    let token = reader.peek();
    let Kind::Word(word) = token.kind else { return read_text(reader, &token, ahead) };
    let name = bare_name(reader.text, token.start);
    let place = reader.span(token.start, token.start + name.len());
    let problem = Diagnostic::error(code::WRONG_SHAPE, place, format!("the name `{name}` stands without quotes"));
    let value = token_at(reader.text, skip_blank(reader.text, token.end)).end;
    let help = match token_at(reader.text, skip_blank(reader.text, value)).kind {
        Kind::Open('{') => format!("names in `{{ }}` are your own and stand in quotes; if `{name}` is a field, a `)` is missing before it"),
        _ => format!("names in `{{ }}` are your own and stand in quotes: \"{name}\""),
    };
    reader.report(problem.help(help));
    reader.pass(&token);
    if name != word {
        reader.explained.set(true);
    }
    ahead.word().inspect_err(|_| reader.explained.set(true))?;
    Ok(Text::verbatim(word, reader.place(&token)))
}

impl<T: Value> Value for Vec<T> {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let mut items = Vec::new();
        let mut each = |ahead: &mut dyn Ahead<'de>| {
            reader.seek_element();
            let read = T::read(reader, ahead);
            keep(read, |item| items.push(item))
        };
        let known = read_list(reader, ahead, &mut each)?;
        Ok(known.map(|()| items))
    }

    fn nones(&self, merger: &mut Merger) {
        self.iter().for_each(|item| item.nones(merger));
    }
}

fn read_list<'de>(
    reader: &Reader<'de>,
    ahead: &mut dyn Ahead<'de>,
    each: &mut dyn FnMut(&mut dyn Ahead<'de>) -> Result<(), Stopped>,
) -> Result<Option<()>, Stopped> {
    let token = reader.peek();
    if token.kind == Kind::Open('[') {
        reader.pass(&token);
        return ahead.list(each).map(Some);
    }
    let problem = reader.wrong_shape("a list in `[ ]`", &token);
    let end = skip_value(reader.text, token.start);
    let written = reader.text.get(token.start..end).filter(|text| text.len() < 60 && !text.contains('\n'));
    let behind = token_at(reader.text, skip_blank(reader.text, end));
    let further = token_at(reader.text, skip_blank(reader.text, behind.end));
    let several = behind.kind == Kind::Other(',')
        && matches!(further.kind, Kind::Text { .. })
        && !reader.text[skip_blank(reader.text, further.end)..].starts_with(':');
    let alone = behind.kind != Kind::Other(':') && !several;
    let problem = match (token.kind, written) {
        (Kind::Text { .. } | Kind::Word(_), Some(text)) if alone && !matches!(token.kind, Kind::Word("None" | "Some")) => {
            problem.help(format!("one is a list too: [{text}]"))
        }
        (Kind::Text { .. } | Kind::Word(_) | Kind::Open(_), _) if problem.help.is_empty() => {
            problem.help("a list stands in `[ ]`: [ …, … ]")
        }
        _ => problem,
    };
    reader.refuse(problem, ahead)
}

impl<T: Value> Value for (T, T) {
    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        let token = reader.peek();
        if token.kind != Kind::Open('(') {
            let problem = reader.wrong_shape("two values in `( )`", &token).help("two belong together: (a, b)");
            return reader.refuse(problem, ahead);
        }
        reader.pass(&token);
        let begin = token;
        let (mut items, mut count) = (Vec::new(), 0);
        ahead.pair(&mut |ahead| {
            reader.seek_element();
            count += 1;
            let read = T::read(reader, ahead);
            keep(read, |item| items.push(item))
        })?;
        let mut items = items.into_iter();
        match (items.next(), items.next(), items.next()) {
            (Some(a), Some(b), None) => Ok(Some((a, b))),
            // What is wrong with one of them was said.
            _ if count == 2 => Ok(None),
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
    fn nones(&self, merger: &mut Merger) {
        (**self).nones(merger);
    }

    fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
        Ok(T::read(reader, ahead)?.map(Box::new))
    }
}
