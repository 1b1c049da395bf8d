//! Fields in `( )`.

use super::{Ahead, Entries, Reader, Stopped};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::merge::Merger;
use crate::scenario::set::{PathProblem, Step};
use crate::scenario::syntax::unknown_field;
use crate::scenario::tokens::{Kind, skip_blank};

/// A thing with fields, whatever its type.
pub trait Brackets {
    /// Appends the names of its fields.
    fn names(&self, out: &mut Vec<&'static str>);

    /// Notes where it begins.
    fn set_place(&mut self, place: Span);

    /// Reads the field with this name; `false` if there is none.
    ///
    /// # Errors
    /// Where the text is not RON.
    fn read_field<'de>(&mut self, name: &str, reader: &Reader<'de>, entries: &mut dyn Entries<'de>) -> Result<bool, Stopped>;

    /// See [`super::Value::wrap`], for the field with this name; `None` if there is none.
    fn wrap_field(&self, name: &str, path: &[Step], value: &str) -> Option<Result<String, PathProblem>>;
}

/// Things with fields: what the `schema!` macro writes for each struct.
pub trait Fields: Brackets + Clone + Default {
    /// How messages call it: "an outbound connector".
    const WHAT: &'static str;
    /// A word that may stand before its bracket.
    const WORD: &'static str = "";

    /// See [`super::Value::nones`].
    fn nones_of_fields(&self, _merger: &mut Merger) {}

    /// Lays another over this one, field by field.
    fn merge_fields(&mut self, over: &Self, merger: &mut Merger);
}

/// Reads fields in round brackets: [`super::Value::read`] of everything that has fields.
pub(crate) fn read_fields<'de, T: Fields>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<T>, Stopped> {
    let mut value = fresh::<T>();
    let known = read_into(reader, ahead, (T::WHAT, T::WORD), &mut *value)?;
    filled(value, known)
}

/// Values are big and brackets can be nested deeply: nothing big lies on the stack while what stands inside is read.
pub(super) fn fresh<T: Default>() -> Box<T> {
    Box::default()
}

#[allow(
    clippy::boxed_local,
    clippy::unnecessary_wraps,
    reason = "a big value goes where it belongs without a copy on the stack of its reader"
)]
fn filled<T>(value: Box<T>, known: bool) -> Result<Option<T>, Stopped> {
    Ok(known.then_some(*value))
}

/// `false` if a problem was noted instead.
fn read_into<'de>(
    reader: &Reader<'de>,
    ahead: &mut dyn Ahead<'de>,
    (what, word): (&'static str, &'static str),
    value: &mut dyn Brackets,
) -> Result<bool, Stopped> {
    let token = reader.peek();
    let behind = reader.bracket_behind(&token);
    let bracket = match (token.kind, behind) {
        (Kind::Open('('), _) => token,
        (Kind::Word(found), Some(bracket)) if found == word => bracket,
        _ => {
            let problem = reader.wrong_shape(&format!("{what} in `( )`"), &token);
            let problem = match token.kind {
                _ if problem.code == code::NOT_SCENARIO => problem,
                Kind::Word(found) if !word.is_empty() && behind.is_some() && found != "Some" => problem.help(format!("write `{word}(`")),
                Kind::Word(field) if reader.text[skip_blank(reader.text, token.end)..].starts_with(':') => {
                    problem.help(format!("a `(` is missing before `{field}`, and its `)` behind the last field"))
                }
                Kind::Open('[') => problem.help("fields stand in `( )`: write ( … ) here"),
                Kind::Text { .. } if what == "`dns`" => problem.help("master-file text stands in `records`: dns: (records: r#\"…\"#)"),
                Kind::Open('{') => problem.help("`( )` holds fields that the format names, `{ }` things that you name: write ( … ) here"),
                Kind::Word(word) if word != "Some" && behind.is_some() => {
                    problem.help(format!("no word stands before these brackets: leave out `{word}`"))
                }
                _ if problem.help.is_empty() => problem.help("fields stand in `( )`"),
                _ => problem,
            };
            return reader.refuse::<()>(problem, ahead).map(|_| false);
        }
    };
    reader.pass(&bracket);
    let place = reader.place(&token);
    ahead.fields(word, &mut |entries| read_brackets(reader, place, what, &mut *value, entries))?;
    Ok(true)
}

/// [`super::Value::wrap`] of everything that has fields.
pub(crate) fn wrap_fields(current: &dyn Brackets, what: &str, path: &[Step], value: &str) -> Result<String, PathProblem> {
    let Some((step, rest)) = path.split_first() else { return Ok(value.to_owned()) };
    match current.wrap_field(&step.word, rest, value) {
        Some(inner) => Ok(format!("({}: {})", step.word, inner?)),
        None => {
            let mut names = Vec::new();
            current.names(&mut names);
            Err(PathProblem::unknown(step, &format!("field of {what}"), &names))
        }
    }
}

/// Reads the fields between round brackets that begin at `place`.
pub(super) fn read_brackets<'de>(
    reader: &Reader<'de>,
    place: Span,
    outer: &str,
    value: &mut dyn Brackets,
    entries: &mut dyn Entries<'de>,
) -> Result<(), Stopped> {
    value.set_place(place);
    let mut seen: Vec<(&str, Span)> = Vec::new();
    let mut found = ("", Span::NOWHERE);
    while entries.name(&mut |ahead| {
        found = field_name(reader, ahead)?;
        Ok(())
    })? {
        let (name, place) = found;
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == name) {
            let problem = Diagnostic::error(code::WRITTEN_TWICE, place, format!("the field `{name}` stands twice in these brackets"));
            reader.report(problem.also(*first, "first here").help("leave one of them out"));
            reader.seek_value();
            entries.value(&mut |ahead| reader.skip(ahead))?;
            continue;
        }
        seen.push((name, place));
        if !value.read_field(name, reader, entries)? {
            let mut names = Vec::new();
            value.names(&mut names);
            reader.report(unknown_field(outer, name, place, &names));
            reader.seek_value();
            entries.value(&mut |ahead| reader.skip(ahead))?;
        }
    }
    Ok(())
}

fn field_name<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<(&'de str, Span), Stopped> {
    reader.seek_element();
    let token = reader.peek();
    ahead.word()?;
    reader.pass(&token);
    let name = match token.kind {
        Kind::Word(word) => word,
        _ => "",
    };
    Ok((name, reader.place(&token)))
}
