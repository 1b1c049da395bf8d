//! What do these lines of a master file say? Text in; records and problems out, each with its place in the text.
//!
//! Sources: RFC 1035 §5 (the format), RFC 2308 §4 (`$TTL`), RFC 2181 §5.2, §8 and §10.1 (record sets, TTLs, aliases), RFC 7218
//! (words for TLSA numbers), BIND's units of time (`1h30m`). Not read: `$GENERATE` (an error), the types that mail never asks
//! for (a warning), classes other than IN (an error), the notation of RFC 3597 for known types.

mod data;
mod dedent;
mod lex;
mod name;
mod problem;
mod read;
mod rules;
mod time;
mod types;

pub use dedent::{Dedented, dedent};
pub use problem::{Severity, ZoneProblem, codes};
pub use read::{Include, read};

use std::ops::Range;

use crate::model::dns::{RecordData, RecordType};

/// What a text says, and what is wrong with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Zone {
    /// The records that could be read, in the order of the text; `$INCLUDE`d ones where they are included.
    pub records: Vec<ZoneRecord>,
    /// Everything that is wrong or doubtful, by file and place. With an error among them the records are not all there.
    pub problems: Vec<ZoneProblem>,
    /// The texts that `$INCLUDE` brought in.
    pub included: Vec<Included>,
}

/// A text that `$INCLUDE` brought in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Included {
    /// What the callback calls it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// One record. Names are in the normal form of [`crate::model::dns::Names`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneRecord {
    /// The name that has the record.
    pub owner: Box<str>,
    /// Written, or from `$TTL`, or 3600.
    pub ttl_seconds: u32,
    /// Type and data.
    pub data: RecordData<Box<str>>,
    /// 0 is the text itself, n is `included[n - 1]`.
    pub file: usize,
    /// The place of the whole record, or of its type and data if the owner stands above.
    pub range: Range<usize>,
    /// The place of the owner, perhaps on a line above.
    pub owner_range: Range<usize>,
    /// The place of the name that the data leads to; of all data if it leads nowhere.
    pub target_range: Range<usize>,
}

/// An entry of `remove`: an owner with all its records, or with those of one type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Removal {
    /// In normal form.
    pub owner: Box<str>,
    /// `None`: all types.
    pub record_type: Option<RecordType>,
}

/// Reads `contoso.com MX` or `contoso.com`; the final dot may be left out, as there is no origin here.
///
/// # Errors
/// The first problem of the text, with its place in it.
pub fn read_removal(text: &str) -> Result<Removal, ZoneProblem> {
    let mut words = lex::words(text);
    let Some(owner) = words.next() else {
        return Err(ZoneProblem::error(0..text.len(), codes::SYNTAX, "nothing is named to be removed")
            .help("write \"contoso.com MX\" or \"contoso.com\""));
    };
    let name = name::read_absolute(&owner)?;
    let record_type = match words.next() {
        None => None,
        Some(word) => match word.text.parse() {
            Ok(kept) => Some(kept),
            Err(_) => return Err(types::unknown_type(&word, None)),
        },
    };
    match words.next() {
        None => Ok(Removal { owner: name, record_type }),
        Some(more) => Err(ZoneProblem::error(more.range.clone(), codes::SYNTAX, format!("{} is too much here", problem::quote(more.text)))
            .help("a removal is an owner, or an owner and a type: \"contoso.com MX\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals() {
        let said = |text: &str| {
            read_removal(text).map(|removal| (removal.owner.to_string(), removal.record_type)).map_err(|problem| problem.range)
        };
        assert_eq!(said("Contoso.com mx"), Ok(("contoso.com".to_owned(), Some(RecordType::Mx))));
        assert_eq!(said("*.contoso.com."), Ok(("*.contoso.com".to_owned(), None)));
        assert_eq!((said(""), said("a MXX"), said("a MX b"), said("a..b")), (Err(0..0), Err(2..5), Err(5..6), Err(0..4)));
    }
}
