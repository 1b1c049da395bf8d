//! Fields in `( )`.

use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, Visitor};

use super::scalars::TextVisitor;
use super::{Reader, Skip};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::merge::Merger;
use crate::scenario::set::{PathProblem, Step};
use crate::scenario::syntax::unknown_field;
use crate::scenario::tokens::Kind;

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
pub(crate) fn read_fields<'de, D: Deserializer<'de>, T: Fields>(reader: &Reader<'de>, de: D) -> Result<Option<T>, D::Error> {
    let token = reader.peek();
    let behind = reader.bracket_behind(&token);
    let bracket = match (token.kind, behind) {
        (Kind::Open('('), _) => token,
        (Kind::Word(word), Some(bracket)) if word == T::WORD => bracket,
        _ => {
            let problem = reader.wrong_shape(&format!("{} in `( )`", T::WHAT), &token);
            let problem = match token.kind {
                Kind::Text { .. } if T::WHAT == "`dns`" => problem.help("master-file text stands in `records`: dns: (records: r#\"…\"#)"),
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
pub(crate) fn wrap_fields<T: Fields>(current: Option<&T>, path: &[Step], value: &str) -> Result<String, PathProblem> {
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
pub(crate) struct FieldsVisitor<'r, 'de, T> {
    pub(crate) reader: &'r Reader<'de>,
    pub(crate) place: Span,
    pub(crate) outer: &'static str,
    pub(crate) kind: PhantomData<T>,
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
                reader.report(unknown_field(self.outer, name, place, &names));
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
