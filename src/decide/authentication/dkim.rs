//! Does a signature still hold where the message arrives?
//!
//! It does if what was signed came through byte for byte, so what counts is what the systems behind the signer did. Sources: RFC 6376 §3.7
//! and §5.4 (what is signed: the body, `From` always, `Subject` as a rule), §6.1.2 (the key), RFC 6377 §3.2 and §5 (lists). Not modelled:
//! canonicalization of white space, `l=`, expiry of signatures.

use super::{Ask, DnsAnswer};
use crate::decide::{Because, Decision, because};
use crate::model::authentication::Change;
use crate::model::dns::{RecordData, RecordType};

/// Why a change breaks a signature; `None` if it does not.
fn breaks(change: Change) -> Option<&'static str> {
    match change {
        Change::Footer => Some("adds a footer: the body is another one"),
        Change::SubjectTag => Some("marks the subject, which is signed"),
        Change::Reencoded => Some("turns the 8-bit body into quoted-printable: the body is another one"),
        Change::FromRewritten => Some("rewrites From, which is always signed"),
        Change::SignedField => Some("changes a field of the header that is signed as a rule"),
        Change::HeaderAdded => None,
    }
}

/// The fields that a signer is told to sign (RFC 6376 §5.4.1), without those that a message has only once it was passed on.
const SIGNED: [&str; 16] = [
    "from",
    "reply-to",
    "subject",
    "date",
    "to",
    "cc",
    "in-reply-to",
    "references",
    "list-id",
    "list-help",
    "list-unsubscribe",
    "list-subscribe",
    "list-post",
    "list-owner",
    "list-archive",
    "sender",
];

/// What it is to a signature that a field gets the value `after`, or is taken away; `before` is the one it has, if it is known.
#[must_use]
pub fn change_of_field(name: &str, before: Option<&str>, after: Option<&str>) -> Change {
    let is = |one: &str| name.eq_ignore_ascii_case(one);
    if is("subject") && before != after {
        Change::SubjectTag
    } else if SIGNED.into_iter().any(is) && before != after && (before.is_some() || ["from", "to", "date"].into_iter().any(is)) {
        Change::SignedField
    } else {
        Change::HeaderAdded
    }
}

/// A change and who made it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Touch {
    /// The system.
    pub by: Box<str>,
    /// What it did.
    pub change: Change,
}

/// One signature of a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Signature {
    /// `d=`
    pub domain: Box<str>,
    /// `s=`; without one the key is taken to be in place.
    pub selector: Option<Box<str>>,
    /// What happened to the message since it was signed, in order.
    pub since: Vec<Touch>,
}

/// What DKIM says (RFC 8601 §2.7.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DkimResult {
    /// Not signed.
    None,
    /// A signature holds.
    Pass,
    /// What was signed is not what arrived.
    Fail,
    /// The key could not be fetched for now.
    TempError,
    /// There is no key.
    PermError,
}

impl DkimResult {
    /// All results.
    pub const ALL: [Self; 5] = [Self::None, Self::Pass, Self::Fail, Self::TempError, Self::PermError];

    /// The word of RFC 8601.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What came of all signatures.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DkimCheck {
    /// `Pass` if one of them holds, else what the first one came to.
    pub result: DkimResult,
    /// Whose signatures hold.
    pub domains: Vec<Box<str>>,
}

/// Which of these signatures hold?
pub fn check_dkim(signatures: &[Signature], ask: &mut Ask<'_>) -> Decision<DkimCheck> {
    let mut decision =
        Decision { outcome: DkimCheck { result: DkimResult::None, domains: Vec::new() }, chosen: Vec::new(), passed_over: Vec::new() };
    for signature in signatures {
        let (result, reason) = check_one(signature, ask);
        if result == DkimResult::Pass {
            decision.outcome.domains.push(signature.domain.clone());
            decision.chosen.push(reason);
        } else {
            decision.passed_over.push(reason);
        }
        if matches!(decision.outcome.result, DkimResult::None) || result == DkimResult::Pass {
            decision.outcome.result = result;
        }
    }
    if signatures.is_empty() {
        decision.chosen.push(because("DKIM-1", "no signature", "nobody signed the message", "RFC 6376 §6.1"));
    } else if decision.chosen.is_empty() {
        decision.chosen.append(&mut decision.passed_over);
    }
    decision
}

fn check_one(signature: &Signature, ask: &mut Ask<'_>) -> (DkimResult, Because) {
    let domain = &*signature.domain;
    if let Some(selector) = &signature.selector {
        let name = format!("{selector}._domainkey.{domain}");
        let problem = match ask(&name, RecordType::Txt) {
            DnsAnswer::Records(records) => key_problem(&records).map(|why| (DkimResult::PermError, why)),
            DnsAnswer::NoData | DnsAnswer::NxDomain => Some((DkimResult::PermError, "no key record")),
            DnsAnswer::Failed(how) => Some((DkimResult::TempError, how)),
            DnsAnswer::Unknown => None,
        };
        if let Some((result, why)) = problem {
            return (result, because("DKIM-4", domain, format!("key `{name}`: {why}"), "RFC 6376 §6.1.2"));
        }
    }
    let broken = signature.since.iter().find_map(|touch| breaks(touch.change).map(|why| (touch, why)));
    match broken {
        Some((touch, why)) => (DkimResult::Fail, because("DKIM-3", domain, format!("`{}` {why}", touch.by), "RFC 6376 §6.1.3")),
        None => (DkimResult::Pass, because("DKIM-2", domain, "nobody changed what was signed", "RFC 6376 §6.1.3")),
    }
}

/// What is wrong with a key record?
fn key_problem(records: &[RecordData<Box<str>>]) -> Option<&'static str> {
    let Some(text) = records.iter().find_map(RecordData::text) else { return Some("no key record") };
    let mut tags = text.split(';').filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.trim(), value.trim()));
    if let Some((_, version)) = tags.clone().find(|(name, _)| *name == "v")
        && version != "DKIM1"
    {
        return Some("not a key of DKIM1");
    }
    match tags.find(|(name, _)| *name == "p") {
        None => Some("a record without `p=`"),
        Some((_, "")) => Some("revoked, `p=` is empty"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(domain: &str, selector: Option<&str>, since: &[Change]) -> Signature {
        let since = since.iter().map(|change| Touch { by: "list".into(), change: *change }).collect();
        Signature { domain: domain.into(), selector: selector.map(Into::into), since }
    }

    #[test]
    fn fields() {
        let cases = [
            ("a mark before the subject", "Subject", Some("hello"), Some("[out] hello"), Change::SubjectTag),
            ("a subject that was not written", "subject", None, Some("[out] "), Change::SubjectTag),
            ("the subject stays", "Subject", Some("hello"), Some("hello"), Change::HeaderAdded),
            ("a field of its own", "X-Seen", Some("no"), Some("yes"), Change::HeaderAdded),
            ("another place for answers", "Reply-To", Some("a@b.test"), Some("c@d.test"), Change::SignedField),
            ("a place for answers where there was none: nobody signed it", "Reply-To", None, Some("c@d.test"), Change::HeaderAdded),
            ("taken away", "List-Unsubscribe", Some("<mailto:x@y.test>"), None, Change::SignedField),
            ("every message has it", "To", None, Some("c@d.test"), Change::SignedField),
        ];
        for (case, name, before, after, change) in cases {
            assert_eq!(change_of_field(name, before, after), change, "{case}");
        }
    }

    #[test]
    fn signatures() {
        let cases = [
            ("not signed", vec![], "none", "nobody signed the message"),
            ("untouched", vec![signed("a.test", None, &[])], "pass", "nobody changed what was signed"),
            ("a new header", vec![signed("a.test", None, &[Change::HeaderAdded])], "pass", "nobody changed what was signed"),
            (
                "a footer",
                vec![signed("a.test", None, &[Change::HeaderAdded, Change::Footer])],
                "fail",
                "`list` adds a footer: the body is another one",
            ),
            ("a marked subject", vec![signed("a.test", None, &[Change::SubjectTag])], "fail", "`list` marks the subject, which is signed"),
            (
                "quoted-printable",
                vec![signed("a.test", None, &[Change::Reencoded])],
                "fail",
                "`list` turns the 8-bit body into quoted-printable: the body is another one",
            ),
            (
                "the list signs anew",
                vec![signed("a.test", None, &[Change::Footer]), signed("list.test", None, &[])],
                "pass",
                "nobody changed what was signed",
            ),
            ("key in place", vec![signed("a.test", Some("good"), &[])], "pass", "nobody changed what was signed"),
            ("no key", vec![signed("a.test", Some("gone"), &[])], "permerror", "key `gone._domainkey.a.test`: no key record"),
            ("revoked key", vec![signed("a.test", Some("old"), &[])], "permerror", "key `old._domainkey.a.test`: revoked, `p=` is empty"),
            ("key not to be had", vec![signed("a.test", Some("down"), &[])], "temperror", "key `down._domainkey.a.test`: timeout"),
        ];
        for (case, signatures, result, why) in cases {
            let decision = check_dkim(&signatures, &mut |name: &str, _| {
                let text = |text: &str| DnsAnswer::Records(vec![RecordData::Txt(text.as_bytes().into())]);
                match name.split('.').next().unwrap() {
                    "good" => text("v=DKIM1; k=rsa; p=MIGf"),
                    "old" => text("v=DKIM1; p="),
                    "down" => DnsAnswer::Failed("timeout"),
                    _ => DnsAnswer::NxDomain,
                }
            });
            assert_eq!((decision.outcome.result.as_str(), &*decision.chosen[0].why), (result, why), "{case}");
        }
    }
}
