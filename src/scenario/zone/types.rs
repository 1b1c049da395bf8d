//! Is this word a type of record? If it is none, which one was meant?
//!
//! Sources: the types of RFC 1035 §3.2.2 and of later RFCs that are seen in zone exports; RFC 3597 §5 (types by number).

use super::lex::{Entry, Token};
use super::problem::{ZoneProblem, codes, quote};
use crate::model::dns::RecordType;

/// Real types that mail never asks for.
const SKIPPED: &[&str] = &[
    "AFSDB",
    "APL",
    "CAA",
    "CDNSKEY",
    "CDS",
    "CERT",
    "CSYNC",
    "DHCID",
    "DNAME",
    "DNSKEY",
    "DS",
    "EUI48",
    "EUI64",
    "HINFO",
    "HIP",
    "HTTPS",
    "IPSECKEY",
    "KEY",
    "KX",
    "LOC",
    "MINFO",
    "NAPTR",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "OPENPGPKEY",
    "RP",
    "RRSIG",
    "SIG",
    "SMIMEA",
    "SPF",
    "SSHFP",
    "SVCB",
    "TYPE65534",
    "URI",
    "WKS",
    "ZONEMD",
];

/// A known type that is not kept, or one by number (RFC 3597 §5).
pub(super) fn is_skipped(word: &Token<'_>) -> bool {
    let upper = word.text.to_ascii_uppercase();
    let is_numbered = upper.strip_prefix("TYPE").is_some_and(|number| number.parse::<u16>().is_ok());
    !word.is_quoted && (is_numbered || SKIPPED.contains(&&*upper))
}

/// Types that stand beside anything, an alias too, or at names that are none (RFC 4034, RFC 5155).
const OF_SIGNATURES: &[&str] = &["KEY", "NSEC", "NSEC3", "RRSIG", "SIG"];

/// Does a name exist for such a record?
pub(super) fn makes_a_name(word: &Token<'_>) -> bool {
    !OF_SIGNATURES.contains(&&*word.text.to_ascii_uppercase()) && !is_needed(word)
}

/// One that leads mail somewhere, and is not read: all names below it are others (DNAME), or a type that is read under its own name.
fn is_needed(word: &Token<'_>) -> bool {
    const BY_NUMBER: [u16; 11] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 52];
    let upper = word.text.to_ascii_uppercase();
    let number = upper.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok());
    upper == "DNAME" || number.is_some_and(|number| BY_NUMBER.contains(&number))
}

pub(super) fn skipped_type(word: &Token<'_>) -> ZoneProblem {
    if is_needed(word) {
        let problem = ZoneProblem::error(word.range.clone(), codes::TYPE, format!("{} records are not modelled", quote(word.text)));
        return problem.help(if word.text.eq_ignore_ascii_case("DNAME") {
            "write a CNAME for each name below it that mail asks for"
        } else {
            "write the type by its name: MX, TXT, A"
        });
    }
    let message = match makes_a_name(word) {
        true => format!("{} records lead no mail: here the name exists, and nothing more", quote(word.text)),
        false => format!("{} records change nothing here: this one is skipped", quote(word.text)),
    };
    let problem = ZoneProblem::warning(word.range.clone(), codes::SKIPPED, message);
    if word.text.eq_ignore_ascii_case("SPF") {
        return problem.help("SPF policies stand in `TXT` records (RFC 7208 §3.1)");
    }
    problem
}

/// A word where a type should stand.
pub(super) fn unknown_type(word: &Token<'_>, entry: Option<&Entry<'_>>) -> ZoneProblem {
    let problem = ZoneProblem::error(word.range.clone(), codes::TYPE, format!("{} is no type of record", quote(word.text)));
    let known: Vec<&str> = RecordType::KEPT.iter().map(|kept| kept.as_str()).chain(SKIPPED.iter().copied()).collect();
    let owner = entry.filter(|entry| !entry.begins_with_blank).and_then(|entry| entry.tokens.first());
    let names_nobody = owner.is_some_and(|owner| owner.text.parse::<RecordType>().is_ok());
    let is_name = word.text.contains('.');
    problem.help(if names_nobody {
        "a line begins with the name that has the record, or with a blank if that name stands above".to_owned()
    } else if let Ok(address) = word.text.parse::<std::net::IpAddr>() {
        format!("the type is missing before the address: `{} {address}`", if address.is_ipv4() { "A" } else { "AAAA" })
    } else if is_name && entry.is_some_and(|entry| entry.begins_with_blank) {
        "this line begins with a blank, so it belongs to the owner above; a line with an owner of its own begins with it".to_owned()
    } else if let Some(near) = nearest(word.text, &known) {
        format!("did you mean `{near}`?")
    } else {
        format!("known types are {}", RecordType::KEPT.iter().map(|kept| kept.as_str()).collect::<Vec<_>>().join(" "))
    })
}

/// The word that was probably meant.
pub(super) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    if word.len() > 20 {
        return None;
    }
    let upper = word.to_ascii_uppercase();
    let distance = |known: &str| strsim::osa_distance(&upper, known);
    let best = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(best) <= if best.len() < 3 { 1 } else { 2 } && distance(best) < best.len()).then_some(best)
}
