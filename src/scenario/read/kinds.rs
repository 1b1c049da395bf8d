//! Kinds: a word and its brackets.

use super::fields::{fresh, read_brackets};
use super::{Ahead, Bracket, Fields, Reader, Stopped, Value, keep, known_are};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::source::At;
use crate::scenario::syntax::exchange_kind;
use crate::scenario::tokens::{Kind, skip_blank, skip_value};

/// The word of a kind and the bracket behind it, or a noted problem.
pub(crate) enum KindWord<'de> {
    Word { word: &'de str, place: Span },
    Refused,
}

/// Finds out which kind stands here; what cannot be one is noted. `plain` are words that stand without brackets.
pub(crate) fn peek_kind<'de>(reader: &Reader<'de>, what: &str, kinds: &[&str], plain: &[&str]) -> KindWord<'de> {
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
                (true, _, None) if reader.text[skip_blank(reader.text, token.end)..].starts_with(['{', '[']) => {
                    let message = format!("`{word}` has its fields in `( )`");
                    Diagnostic::error(code::BRACKETS, reader.whole(&token), message).help(format!("write `{word}( … )`"))
                }
                (true, _, None) => {
                    let message = format!("`{word}` stands without its brackets");
                    Diagnostic::error(code::BRACKETS, reader.whole(&token), message)
                        .help(format!("write `{word}( … )`, or `{word}()` if nothing is to be said"))
                }
                (_, true, Some(_)) => {
                    Diagnostic::error(code::BRACKETS, reader.whole(&token), format!("the value `{word}` stands without brackets"))
                }
                _ if word == "Some" => reader.wrong_shape(what, &token),
                _ => match exchange_kind(what, word) {
                    Some((code::NOT_MODELLED, help)) => {
                        Diagnostic::error(code::NOT_MODELLED, reader.whole(&token), format!("`{word}`: not modelled")).help(help)
                    }
                    Some((code, help)) => Diagnostic::error(code, reader.whole(&token), format!("`{word}` is not {what}")).help(help),
                    None => reader.unknown_word(code::UNKNOWN_WORD, format!("`{word}` is not {what}"), &token, word, &known),
                },
            }
        }
        Kind::Open('(' | '{') => {
            let problem = reader.wrong_shape(&format!("{what} before the bracket"), &token);
            problem.help(known_are(&known))
        }
        _ => {
            let place = reader.place(&token);
            let meant = reader
                .text
                .get(place.start as usize..place.end as usize)
                .and_then(|text| kinds.iter().find(|kind| kind.eq_ignore_ascii_case(text)));
            let problem = reader.wrong_shape(what, &token);
            match meant {
                Some(kind) => problem.help(format!("kinds stand without quotes: `{kind}( … )`")),
                None if problem.help.is_empty() => problem.help(known_are(&known)),
                None => problem,
            }
        }
    };
    reader.report(problem);
    KindWord::Refused
}

/// Reads the fields in the brackets of a kind.
pub(crate) fn read_kind<'de, T: Fields, K>(
    reader: &Reader<'de>,
    (place, outer): (Span, &'static str),
    ahead: &mut dyn Ahead<'de>,
    kind: fn(T) -> K,
) -> Result<Option<K>, Stopped> {
    let mut inner = fresh::<T>();
    ahead.kind(Bracket::Fields(&mut |entries| read_brackets(reader, place, outer, &mut *inner, entries)))?;
    of_kind(inner, kind)
}

#[allow(
    clippy::boxed_local,
    clippy::unnecessary_wraps,
    reason = "a big value goes where it belongs without a copy on the stack of its reader"
)]
fn of_kind<T, K>(inner: Box<T>, kind: fn(T) -> K) -> Result<Option<K>, Stopped> {
    Ok(Some(kind(*inner)))
}

/// Reads what stands in the brackets of a kind that holds one value, `Not(x)`.
pub(crate) fn read_inner<'de, T: Value, K>(
    reader: &Reader<'de>,
    place: Span,
    ahead: &mut dyn Ahead<'de>,
    kind: fn(At<T>) -> K,
) -> Result<Option<K>, Stopped> {
    let mut found = None;
    ahead.kind(Bracket::One(&mut |ahead| {
        let read = T::read(reader, ahead);
        keep(read, |value| found = Some(kind(At { value, span: place })))
    }))?;
    if found.is_none() {
        reader.cursor.set(skip_value(reader.text, place.start as usize));
    }
    Ok(found)
}
