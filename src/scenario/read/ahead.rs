//! Where does serde's generic code end? Here: ron's values behind a trait without type parameters.
//!
//! serde writes its code once for each pair of a type and a deserializer. The format has more than a hundred types and ron four deserializers
//! (values, names, and two that are never met here), and all of that is compiled by everybody who builds the program. So ron is spoken to
//! through [`Ahead`] only; what reads a type is compiled once.

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor};

/// ron cannot go on. Its own words are kept by the [`Door`] that the reading began with.
#[derive(Clone, Copy, Debug)]
pub struct Stopped;

/// Reads the value that ron stands before.
pub type Read<'f, 'de> = &'f mut dyn FnMut(&mut dyn Ahead<'de>) -> Result<(), Stopped>;
/// Reads what stands in brackets.
pub type Inside<'f, 'de> = &'f mut dyn FnMut(&mut dyn Entries<'de>) -> Result<(), Stopped>;

/// What stands behind the word of a kind.
#[allow(missing_debug_implementations, reason = "closures")]
pub enum Bracket<'f, 'de> {
    /// Fields.
    Fields(Inside<'f, 'de>),
    /// One value.
    One(Read<'f, 'de>),
    /// No bracket.
    Nothing,
}

/// A value that ron stands before; it is read once.
pub trait Ahead<'de> {
    /// Steps over it, whatever it is.
    ///
    /// # Errors
    /// Where it is not RON; so everywhere below.
    fn pass_over(&mut self) -> Result<(), Stopped>;

    /// Reads a text.
    ///
    /// # Errors
    /// Where there is none.
    fn text(&mut self) -> Result<Cow<'de, str>, Stopped>;

    /// Reads a word.
    ///
    /// # Errors
    /// Where there is none.
    fn word(&mut self) -> Result<(), Stopped>;

    /// Reads fields in `( )`, with or without this word before them.
    ///
    /// # Errors
    /// Where they are not RON.
    fn fields(&mut self, word: &'static str, inside: Inside<'_, 'de>) -> Result<(), Stopped>;

    /// Reads names in `{ }`.
    ///
    /// # Errors
    /// Where they are not RON.
    fn names(&mut self, inside: Inside<'_, 'de>) -> Result<(), Stopped>;

    /// Reads a list in `[ ]`.
    ///
    /// # Errors
    /// Where it is not RON.
    fn list(&mut self, each: Read<'_, 'de>) -> Result<(), Stopped>;

    /// Reads two values in `( )`.
    ///
    /// # Errors
    /// Where they are not RON.
    fn pair(&mut self, each: Read<'_, 'de>) -> Result<(), Stopped>;

    /// Reads a word and its bracket.
    ///
    /// # Errors
    /// Where they are not RON.
    fn kind(&mut self, bracket: Bracket<'_, 'de>) -> Result<(), Stopped>;
}

/// Names and values, one after the other.
pub trait Entries<'de> {
    /// Reads the next name; `false` at the end.
    ///
    /// # Errors
    /// Where it is not RON.
    fn name(&mut self, read: Read<'_, 'de>) -> Result<bool, Stopped>;

    /// Reads the value behind the name.
    ///
    /// # Errors
    /// Where it is not RON.
    fn value(&mut self, read: Read<'_, 'de>) -> Result<(), Stopped>;
}

/// A deserializer, and what it said when it stopped.
pub(crate) struct Door<D, E> {
    value: Option<D>,
    error: Option<E>,
}

impl<'de, D: Deserializer<'de>> Door<D, D::Error> {
    /// Lets `read` read one value.
    pub(crate) fn open<T>(value: D, read: impl FnOnce(&mut dyn Ahead<'de>) -> Result<T, Stopped>) -> Result<T, D::Error> {
        let mut door = Self { value: Some(value), error: None };
        read(&mut door).map_err(|Stopped| door.error.unwrap_or_else(|| D::Error::custom("the reading stopped")))
    }

    fn ask<T>(&mut self, question: impl FnOnce(D) -> Result<T, D::Error>) -> Result<T, Stopped> {
        let value = self.value.take().ok_or(Stopped)?;
        question(value).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }
}

impl<'de, D: Deserializer<'de>> Ahead<'de> for Door<D, D::Error> {
    fn pass_over(&mut self) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_ignored_any(IgnoredAny)).map(|IgnoredAny| ())
    }

    fn text(&mut self) -> Result<Cow<'de, str>, Stopped> {
        self.ask(|de| de.deserialize_str(Words))
    }

    fn word(&mut self) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_identifier(Words)).map(|_| ())
    }

    fn fields(&mut self, word: &'static str, inside: Inside<'_, 'de>) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_struct(word, &[], Map(inside)))
    }

    fn names(&mut self, inside: Inside<'_, 'de>) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_map(Map(inside)))
    }

    fn list(&mut self, each: Read<'_, 'de>) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_seq(List(each)))
    }

    fn pair(&mut self, each: Read<'_, 'de>) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_tuple(2, List(each)))
    }

    fn kind(&mut self, bracket: Bracket<'_, 'de>) -> Result<(), Stopped> {
        self.ask(|de| de.deserialize_enum("", &[], Kind(bracket)))
    }
}

/// Hands one value to a reader.
struct Seed<'f, 'de>(Read<'f, 'de>);

impl<'de> DeserializeSeed<'de> for Seed<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        Door::open(value, self.0)
    }
}

impl<'de, A: MapAccess<'de>> Entries<'de> for Door<A, A::Error> {
    fn name(&mut self, read: Read<'_, 'de>) -> Result<bool, Stopped> {
        let map = self.value.as_mut().ok_or(Stopped)?;
        let name = map.next_key_seed(Seed(read));
        name.map(|name| name.is_some()).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }

    fn value(&mut self, read: Read<'_, 'de>) -> Result<(), Stopped> {
        let map = self.value.as_mut().ok_or(Stopped)?;
        map.next_value_seed(Seed(read)).map_err(|error| {
            self.error = Some(error);
            Stopped
        })
    }
}

struct Map<'f, 'de>(Inside<'f, 'de>);

impl<'de> Visitor<'de> for Map<'_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("names and values")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut door = Door { value: Some(map), error: None };
        (self.0)(&mut door).map_err(|Stopped| door.error.unwrap_or_else(|| A::Error::custom("the reading stopped")))
    }
}

struct List<'f, 'de>(Read<'f, 'de>);

impl<'de> Visitor<'de> for List<'_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Seed(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Kind<'f, 'de>(Bracket<'f, 'de>);

impl<'de> Visitor<'de> for Kind<'_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a word and its bracket")
    }
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<(), A::Error> {
        let ((), behind) = data.variant_seed(Seed(&mut |word| word.word()))?;
        match self.0 {
            Bracket::Fields(inside) => behind.struct_variant(&[], Map(inside)),
            Bracket::One(read) => behind.newtype_variant_seed(Seed(read)),
            Bracket::Nothing => behind.unit_variant(),
        }
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = Cow<'de, str>;
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
