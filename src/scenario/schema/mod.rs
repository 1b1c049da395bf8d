//! The shape of a scenario's text: every kind, field and word of the format, all of them optional.
//!
//! Nothing here has a default of the format or a meaning; durations, sizes, rates, shares, codes and patterns are still texts
//! (`super::values` reads them). The same types serve for files, bases, variants, changes, `given` and flags.

/// Declares words that are values: never with brackets.
macro_rules! words {
    ($($(#[$doc:meta])* pub enum $Name:ident ($what:literal) { $($word:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        #[allow(missing_docs, reason = "the words of the format; what they mean stands with the code that obeys them")]
        pub enum $Name { $($word),* }

        impl $Name {
            /// All of them, as written.
            pub const ALL: &[(&'static str, Self)] = &[$((stringify!($word), Self::$word)),*];

            /// The word as written.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => stringify!($word)),* }
            }
        }

        impl $crate::scenario::read::Value for $Name {
            fn read<'de>(
                reader: &$crate::scenario::read::Reader<'de>, ahead: &mut dyn $crate::scenario::read::Ahead<'de>,
            ) -> Result<Option<Self>, $crate::scenario::read::Stopped> {
                let at = $crate::scenario::read::read_word(reader, ahead, $what, &[$(stringify!($word)),*])?;
                Ok(at.map(|at| Self::ALL[at].1))
            }
        }
    )*};
}

/// Declares things with fields. `inlines x: X` takes in the fields of another. Of the fields in `either (a, b)` only one can hold: laid over a thing that has the
/// other, the one that is written counts. `first x` runs before another is laid over it. `usual` are names that are there without being written.
macro_rules! schema {
    ($($(#[$doc:meta])* pub struct $Name:ident ($what:literal $(, word $word:literal)? $(, overlay $overlay:literal)? $(, usual $usual:expr)?)
        $(inlines $inner:ident : $Inner:ident)? $(either $(($this:ident, $that:ident)),+)? $(first $hook:ident)? {
        $($(#[$field_doc:meta])* $field:ident : $Type:ty),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[allow(missing_docs, reason = "the fields of the format, named after the parameters they stand for")]
        pub struct $Name {
            /// Where it begins: its word or bracket.
            pub place: $crate::diag::Span,
            $(pub $inner: $Inner,)?
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        impl $crate::scenario::read::Value for $Name {
            $(const IS_OVERLAY: bool = $overlay;)?
            $(const USUAL: &[&str] = $usual;)?

            fn read<'de>(
                reader: &$crate::scenario::read::Reader<'de>, ahead: &mut dyn $crate::scenario::read::Ahead<'de>,
            ) -> Result<Option<Self>, $crate::scenario::read::Stopped> {
                $crate::scenario::read::read_fields(reader, ahead)
            }

            fn merge(&mut self, over: &Self, merger: &mut $crate::scenario::merge::Merger) {
                $crate::scenario::read::Fields::merge_fields(self, over, merger);
            }

            fn nones(&self, merger: &mut $crate::scenario::merge::Merger) {
                $crate::scenario::read::Fields::nones_of_fields(self, merger);
            }

            fn wrap(
                current: Option<&Self>, path: &[$crate::scenario::set::Step], value: &str,
            ) -> Result<String, $crate::scenario::set::PathProblem> {
                $crate::scenario::read::wrap_fields(current.unwrap_or(&Self::default()), $what, path, value)
            }
        }

        impl $crate::scenario::read::Fields for $Name {
            const WHAT: &'static str = $what;
            $(const WORD: &'static str = $word;)?

            fn nones_of_fields(&self, _merger: &mut $crate::scenario::merge::Merger) {
                $($crate::scenario::read::Fields::nones_of_fields(&self.$inner, _merger);)?
                $($crate::scenario::read::Part::nones_of_part(&self.$field, _merger);)*
            }

            fn merge_fields(&mut self, _over: &Self, _merger: &mut $crate::scenario::merge::Merger) {
                if !self.place.is_somewhere() {
                    self.place = _over.place;
                }
                $($($crate::scenario::merge::one_of_two((&mut self.$this, &_over.$this), (&mut self.$that, &_over.$that));)+)?
                $($hook(self, _over);)?
                $($crate::scenario::read::Fields::merge_fields(&mut self.$inner, &_over.$inner, _merger);)?
                $($crate::scenario::read::Part::merge_part(&mut self.$field, &_over.$field, _merger);)*
            }
        }

        impl $crate::scenario::read::Brackets for $Name {
            fn names(&self, _out: &mut Vec<&'static str>) {
                $(_out.push($crate::scenario::schema::plain(stringify!($field)));)*
                $($crate::scenario::read::Brackets::names(&self.$inner, _out);)?
            }

            fn set_place(&mut self, place: $crate::diag::Span) {
                self.place = place;
                $($crate::scenario::read::Brackets::set_place(&mut self.$inner, place);)?
            }

            fn read_field<'de>(
                &mut self, _name: &str, _reader: &$crate::scenario::read::Reader<'de>, _entries: &mut dyn $crate::scenario::read::Entries<'de>,
            ) -> Result<bool, $crate::scenario::read::Stopped> {
                $(if _name == $crate::scenario::schema::plain(stringify!($field)) {
                    $crate::scenario::read::Part::read_part(&mut self.$field, _reader, _entries)?;
                    return Ok(true);
                })*
                $(if $crate::scenario::read::Brackets::read_field(&mut self.$inner, _name, _reader, _entries)? {
                    return Ok(true);
                })?
                Ok(false)
            }

            fn wrap_field(
                &self, _name: &str, _path: &[$crate::scenario::set::Step], _value: &str,
            ) -> Option<Result<String, $crate::scenario::set::PathProblem>> {
                $(if _name == $crate::scenario::schema::plain(stringify!($field)) {
                    return Some($crate::scenario::read::Part::wrap_part(&self.$field, _path, _value));
                })*
                $(if let Some(text) = $crate::scenario::read::Brackets::wrap_field(&self.$inner, _name, _path, _value) {
                    return Some(text);
                })?
                None
            }
        }
    )*};
}

/// Declares kinds: a word with brackets, holding fields or one value, or (`words`) none at all. Equal kinds with fields are laid over each other field by
/// field; everything else is replaced.
macro_rules! kinds {
    ($($(#[$doc:meta])* pub enum $Name:ident ($what:literal) {
        $(fields { $($Kind:ident ($Inner:ty)),* $(,)? })?
        $(values { $($Wrap:ident ($Value:ty)),* $(,)? })?
        $(words { $($word:ident),* $(,)? })?
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the kinds of the format; what they mean stands with the code that obeys them")]
        #[allow(clippy::large_enum_variant, reason = "a few per scenario, read once; boxes would only get in the reader's way")]
        pub enum $Name {
            $($($Kind($Inner),)*)?
            $($($Wrap($crate::scenario::source::At<$Value>),)*)?
            $($($word($crate::diag::Span),)*)?
        }

        impl $Name {
            /// The word as written.
            #[must_use]
            pub fn word(&self) -> &'static str {
                match self {
                    $($(Self::$Kind(_) => stringify!($Kind),)*)?
                    $($(Self::$Wrap(_) => stringify!($Wrap),)*)?
                    $($(Self::$word(_) => stringify!($word),)*)?
                }
            }

            /// Where its word stands.
            #[must_use]
            pub fn place(&self) -> $crate::diag::Span {
                match self {
                    $($(Self::$Kind(inner) => inner.place,)*)?
                    $($(Self::$Wrap(at) => at.span,)*)?
                    $($(Self::$word(span) => *span,)*)?
                }
            }
        }

        #[allow(unused_imports, unused_variables, reason = "not every list of kinds has all three sorts")]
        const _: () = {
            use $crate::scenario::read::{self, Ahead, Bracket, KindWord, Reader, Stopped, Value, Fields};
            use $crate::scenario::{merge::Merger, set::{PathProblem, Step}};

            impl Value for $Name {
                fn read<'de>(reader: &Reader<'de>, ahead: &mut dyn Ahead<'de>) -> Result<Option<Self>, Stopped> {
                    let kinds: &[&str] = &[$($(stringify!($Kind),)*)? $($(stringify!($Wrap),)*)?];
                    let words: &[&str] = &[$($(stringify!($word),)*)?];
                    let KindWord::Word { word, place } = read::peek_kind(reader, $what, kinds, words) else {
                        return reader.skip(ahead).map(|()| None);
                    };
                    match word {
                        $($(stringify!($Kind) => read::read_kind(reader, (place, concat!("`", stringify!($Kind), "`")), ahead, $Name::$Kind),)*)?
                        $($(stringify!($Wrap) => read::read_inner(reader, place, ahead, $Name::$Wrap),)*)?
                        $($(stringify!($word) => {
                            ahead.kind(Bracket::Nothing)?;
                            Ok(Some($Name::$word(place)))
                        })*)?
                        _ => unreachable!("only known words get here"),
                    }
                }

                fn merge(&mut self, over: &Self, merger: &mut Merger) {
                    match (self, over) {
                        $($((Self::$Kind(old), Self::$Kind(new)) => Fields::merge_fields(old, new, merger),)*)?
                        (old, new) => {
                            old.clone_from(new);
                            new.nones(merger);
                        }
                    }
                }

                fn nones(&self, merger: &mut Merger) {
                    match self {
                        $($(Self::$Kind(inner) => inner.nones(merger),)*)?
                        $($(Self::$Wrap(at) => at.value.nones(merger),)*)?
                        $($(Self::$word(_) => {})*)?
                    }
                }

                fn wrap(current: Option<&Self>, path: &[Step], value: &str) -> Result<String, PathProblem> {
                    let Some(step) = path.first() else { return Ok(value.to_owned()) };
                    match current {
                        $($(Some(Self::$Kind(inner)) => {
                            let inner = <$Inner as Value>::wrap(Some(inner), path, value)?;
                            Ok(format!("{}{inner}", stringify!($Kind)))
                        })*)?
                        _ => Err(PathProblem::at(step, format!("there are no fields in {} here", $what))),
                    }
                }
            }
        };
    )*};
}

mod behaviour;
mod exchange_online;
mod exchange_server;
mod expectation;
mod host;
mod names;
mod operation;
mod systems;
mod test;
mod top;

pub use behaviour::*;
pub use exchange_online::*;
pub use exchange_server::*;
pub use expectation::*;
pub use host::*;
pub use names::*;
pub use operation::*;
pub use systems::*;
pub use test::*;
pub use top::*;

pub use super::read::Loose;

/// A field's name as the format writes it.
fn plain(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}
