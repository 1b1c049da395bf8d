//! What does a receiver make of a message's origin? SPF, DKIM and DMARC as consequences of the way that the message took.
//!
//! The rules ask for DNS data through a closure, one name and type at a time, so they work with any world: that of a run at
//! one moment with its failures, or the table of a test. Sources: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC),
//! RFC 8601 (names of results). Not modelled: signatures as bytes (what a system does to a message decides whether its
//! signature holds), ARC, reports to the owner of a domain.

pub mod dkim;
pub mod dmarc;
pub mod spf;
mod spf_macro;
mod spf_name;
mod spf_record;
pub mod verdict;

use crate::model::dns::{RecordData, RecordType};

/// What DNS says to one question; names in the data are text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnsAnswer {
    /// At least one record of the type, aliases followed.
    Records(Vec<RecordData<Box<str>>>),
    /// The name exists, without such a record.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// No usable answer for now: SERVFAIL, timeout, REFUSED, bogus data.
    Failed(&'static str),
    /// The scenario says nothing about this name.
    Unknown,
}

/// Whoever answers questions of DNS.
pub type Ask<'a> = dyn FnMut(&str, RecordType) -> DnsAnswer + 'a;

/// The texts of TXT records that begin with `version`, which ends there or at one of `ends`; `Err` if the answer is not to be had.
fn versioned_texts(answer: DnsAnswer, version: &str, ends: &[u8]) -> Result<Vec<Box<[u8]>>, &'static str> {
    let records = match answer {
        DnsAnswer::Records(records) => records,
        DnsAnswer::NoData | DnsAnswer::NxDomain | DnsAnswer::Unknown => return Ok(Vec::new()),
        DnsAnswer::Failed(how) => return Err(how),
    };
    let texts = records.into_iter().filter_map(|record| match record {
        RecordData::Txt(bytes) => Some(bytes),
        _ => None,
    });
    let wanted = |bytes: &[u8]| {
        let (front, rest) = bytes.split_at_checked(version.len()).unwrap_or((b"", bytes));
        front.eq_ignore_ascii_case(version.as_bytes()) && rest.first().is_none_or(|byte| ends.contains(byte))
    };
    Ok(texts.filter(|bytes| wanted(bytes)).collect())
}
