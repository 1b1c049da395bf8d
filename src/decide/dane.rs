//! DANE for SMTP: does the receiving domain promise a certificate, and does the one that a host shows keep the promise?
//!
//! Three questions: may TLSA be asked for a host at all (`ground`), what follows from the answer (`promise`), does a certificate fit (`fits`).
//! Sources: RFC 7672 §2.1 to §3.2.3, RFC 7671 §5, RFC 6698 §2.1; smtp_tls_policy.c of Postfix, host.c of Exim, Microsoft's article about SMTP DANE.
//! Not modelled: a TLSA record of an authority whose real digest is pasted.

use super::profile::{DaneRules, End, Subject};
use super::tls::{Wanted, carries};
use super::{Because, Decision, because};
use crate::base::{Enhanced, NameId, SimTime};
use crate::model::certificate::{Certificate, Issuer};
use crate::model::dns::{Answer, Dnssec, RecordData, Tlsa, TlsaData};
use crate::model::settings::{DaneDigests, DaneUse};

const RFC: &str = "RFC 7672 §2.2";

/// What the answers that led to a host say about asking for its TLSA records.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Ground {
    /// The list that named the host was signed, or the configuration named it.
    pub list: bool,
    /// The names whose records count, the first that has some; none if the addresses are not signed.
    pub bases: [Option<NameId>; 2],
}

/// Whose TLSA records may be asked, given the answer with the addresses of `name`.
///
/// Signed all the way: those of the name that the aliases lead to, then of the name itself. Signed only as far as the first alias: of the name
/// itself. Else none, since servers of unsigned zones are known to fail when asked (RFC 7672 §2.1.2, §2.2.2).
#[must_use]
pub fn ground(list: bool, name: NameId, addresses: &Answer, asks_listed_name: bool) -> Ground {
    let aliased = !addresses.aliases.is_empty();
    let bases = if addresses.records().is_empty() {
        [None, None]
    } else if asks_listed_name {
        [Some(name).filter(|_| addresses.dnssec == Dnssec::Secure), None]
    } else if addresses.dnssec == Dnssec::Secure {
        [Some(addresses.final_name(name)), aliased.then_some(name)]
    } else if aliased && addresses.dnssec_of_asked == Dnssec::Secure {
        [Some(name), None]
    } else {
        [None, None]
    };
    Ground { list, bases }
}

/// What the TLSA questions about a host brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TlsaAnswer<'a> {
    /// Nobody asked: the addresses are not signed.
    NotAsked,
    /// Signed records.
    Signed(Vec<&'a Tlsa>),
    /// No records, or records that nobody signed.
    Nothing,
    /// No answer that can be believed: SERVFAIL, bogus, silence.
    Failed(&'static str),
}

/// What a sender makes of a host before it connects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Promise {
    /// TLS, with a certificate that one of these records fits.
    Authenticated(Vec<Tlsa>),
    /// TLS, whatever the certificate: there are records, but none that a mail server can use.
    Encrypted,
    /// DANE says nothing about the host.
    Nothing,
    /// The host is not used.
    Stop {
        /// How it ends, if no other host is left.
        end: End,
        /// RFC 8460 result type.
        result: &'static str,
    },
}

/// What follows from the TLSA answer for one host.
#[must_use]
pub fn promise(
    rules: &DaneRules,
    (usage, digests): (DaneUse, DaneDigests),
    ground: Ground,
    host: &str,
    answer: &TlsaAnswer<'_>,
) -> Decision<Promise> {
    let one = |promise, rule, why: String| Decision::for_reason(promise, because(rule, host, why, RFC));
    let must = usage == DaneUse::Must;
    let nothing = |rule, why: &str| {
        if must {
            let stop = Promise::Stop { end: rules.missing, result: "dane-required" };
            return one(stop, rule, format!("{why}, and DANE is required"));
        }
        one(Promise::Nothing, rule, format!("{why}: DANE does not apply"))
    };
    if !ground.list && (must || !rules.unsigned_list_counts) {
        return nothing("DANE-1", "the MX answer is not signed");
    }
    match answer {
        TlsaAnswer::NotAsked => nothing("DANE-2", "its addresses are not signed, so TLSA is not asked"),
        TlsaAnswer::Failed(how) => {
            let stop = Promise::Stop {
                end: End { bounce: false, freeze: false, not_said: false, code: 0, status: rules.lookup_failed },
                result: "dnssec-invalid",
            };
            one(stop, "DANE-3", format!("TLSA lookup error ({how}): an attacker could have caused it, so the host is not used now"))
        }
        TlsaAnswer::Nothing => nothing("DANE-4", "no signed TLSA record"),
        TlsaAnswer::Signed(records) => {
            let (usable, useless): (Vec<&Tlsa>, Vec<&Tlsa>) = records.iter().copied().partition(|record| is_usable(record, digests));
            let mut decision = if !usable.is_empty() {
                let count = if usable.len() == 1 { "a TLSA record".to_owned() } else { format!("{} TLSA records", usable.len()) };
                let usable = usable.into_iter().cloned().collect();
                one(Promise::Authenticated(usable), "DANE-6", format!("{count}: TLS, and a certificate that fits"))
            } else if must && rules.useless_is_missing {
                nothing("DANE-5", "TLSA records, none of them usable")
            } else {
                one(Promise::Encrypted, "DANE-5", "TLSA records, none of them usable: TLS, whatever the certificate".to_owned())
            };
            decision.passed_over.extend(useless.into_iter().map(not_usable));
            decision
        }
    }
}

fn not_usable(record: &Tlsa) -> Because {
    let Tlsa { usage, selector, matching, .. } = record;
    because(
        "DANE-5",
        format!("TLSA {usage} {selector} {matching}"),
        "usages 0 and 1, numbers that the sender does not know and broken data do not count",
        "RFC 7672 §3.1.3",
    )
}

/// Can a mail server use the record? Usages 0 and 1 speak of public authorities, which SMTP has no list of.
#[must_use]
pub fn is_usable(record: &Tlsa, digests: DaneDigests) -> bool {
    let whole = match &record.data {
        TlsaData::Bytes(bytes) => match record.matching {
            0 => !bytes.is_empty(),
            1 => bytes.len() == 32,
            _ => bytes.len() == 64,
        },
        TlsaData::KeyOf(_) | TlsaData::CertificateOf(_) | TlsaData::AuthorityOf(_) => true,
    };
    matches!(record.usage, 2 | 3) && record.selector <= 1 && digests.rank(record.matching).is_some() && whole
}

/// Does some record fit what the host shows? `wanted` are the names of which the certificate must carry one under usage 2.
///
/// # Errors
/// Why not, with the RFC 8460 result type.
pub fn fits(
    rules: &DaneRules,
    digests: DaneDigests,
    records: &[Tlsa],
    certificate: &Certificate,
    wanted: &[Wanted<'_>],
    now: SimTime,
) -> Result<&'static str, (&'static str, &'static str)> {
    let expired = now < certificate.not_before || now > certificate.not_after;
    let mut misfit = ("no TLSA record fits the certificate", "tlsa-invalid");
    for record in records.iter().filter(|record| !rules.strongest_digest || !is_outdone(record, records, digests)) {
        if record.usage == 3 && is_of_leaf(record, certificate) {
            if !(expired && rules.expiry_counts) {
                return Ok("a TLSA record of usage 3 fits; nothing else about the certificate counts");
            }
            misfit = ("a TLSA record fits, but the certificate is out of date", "certificate-expired");
        } else if record.usage == 2 && is_of_authority(record, certificate) {
            let over = matches!(certificate.issuer, Issuer::Authority { not_after, .. } if now > not_after);
            if !certificate.sends_chain {
                misfit = ("the authority of the TLSA record is not sent along", "tlsa-invalid");
            } else if expired || over {
                misfit = ("a TLSA record of usage 2 fits, but the certificate is out of date", "certificate-expired");
            } else if rules.name_counts
                && !certificate.any_name
                && !wanted.iter().any(|wanted| carries(certificate, wanted, Subject::Alone))
            {
                misfit = ("a TLSA record of usage 2 fits, but the certificate has another name", "certificate-host-mismatch");
            } else {
                return Ok("a TLSA record of usage 2 fits");
            }
        }
    }
    Err(misfit)
}

/// Does another record with the same usage and selector have a digest that is trusted more? Data without a digest stands beside all (RFC 7671 §9).
fn is_outdone(record: &Tlsa, records: &[Tlsa], digests: DaneDigests) -> bool {
    let same = |other: &Tlsa| (other.usage, other.selector) == (record.usage, record.selector);
    let rank = |record: &Tlsa| digests.rank(record.matching).unwrap_or(u8::MAX);
    let better = |other: &Tlsa| other.matching > 0 && rank(other) < rank(record);
    record.matching > 0 && records.iter().any(|other| same(other) && better(other))
}

fn is_of_leaf(record: &Tlsa, certificate: &Certificate) -> bool {
    match (&record.data, record.selector) {
        (TlsaData::KeyOf(key), 1) => **key == *certificate.key,
        (TlsaData::CertificateOf(name), 0) => **name == *certificate.name,
        (TlsaData::Bytes(bytes), selector) if record.matching == 1 => {
            let digest = if selector == 1 { &certificate.key_digest } else { &certificate.digest };
            *hex(bytes) == **digest
        }
        _ => false,
    }
}

fn is_of_authority(record: &Tlsa, certificate: &Certificate) -> bool {
    let TlsaData::AuthorityOf(name) = &record.data else { return false };
    record.selector == 0
        && match &certificate.issuer {
            Issuer::Authority { name: issuer, .. } => name == issuer,
            Issuer::Public => &**name == "public",
            Issuer::SelfSigned => false,
        }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The TLSA records of an answer that validation says are signed.
#[must_use]
pub fn read(answer: &Answer) -> TlsaAnswer<'_> {
    use crate::model::dns::Outcome;
    match &answer.outcome {
        Outcome::Records(records) if answer.dnssec == Dnssec::Secure => TlsaAnswer::Signed(
            records.iter().filter_map(|record| if let RecordData::Tlsa(tlsa) = record { Some(tlsa) } else { None }).collect(),
        ),
        Outcome::Records(_) | Outcome::NoData | Outcome::NxDomain | Outcome::Internet => TlsaAnswer::Nothing,
        Outcome::ServFail => TlsaAnswer::Failed("SERVFAIL"),
        Outcome::Refused => TlsaAnswer::Failed("REFUSED"),
        Outcome::Timeout => TlsaAnswer::Failed("no answer"),
        Outcome::Truncated => TlsaAnswer::Failed("truncated answer"),
    }
}

impl DaneRules {
    /// The status that goes with a result under DANE; `usual` where the server has no own one.
    #[must_use]
    pub fn status(&self, result: &str, usual: Enhanced) -> Enhanced {
        self.statuses.iter().find(|(known, _)| *known == result).map_or(usual, |(_, status)| *status)
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::behaviour;
    use super::*;
    use crate::model::certificate::Revocation;
    use crate::model::dns::Outcome;
    use crate::model::settings::Profile;

    fn tlsa(usage: u8, selector: u8, data: TlsaData) -> Tlsa {
        Tlsa { usage, selector, matching: 1, data }
    }

    fn certificate(issuer: &str) -> Certificate {
        let issuer = match issuer {
            "self-signed" => Issuer::SelfSigned,
            name => Issuer::Authority { name: name.into(), trusted_by: crate::model::topology::HostSet::All, not_after: SimTime::NEVER },
        };
        Certificate {
            issuer_name: "".into(),
            name: "leaf".into(),
            subject: "".into(),
            names: vec!["mx1.dest.test".into()],
            any_name: false,
            issuer,
            not_before: SimTime(10),
            not_after: SimTime(100),
            sends_chain: true,
            revocation: Revocation::Good,
            weak_signature: false,
            key: "key".into(),
            key_digest: "ab".repeat(32).into(),
            digest: "cd".repeat(32).into(),
        }
    }

    #[test]
    fn where_records_may_be_asked() {
        let (asked, end) = (NameId(1), NameId(2));
        let answer = |asked, whole, alias: bool| Answer {
            aliases: if alias { [end].into() } else { [].into() },
            dnssec_of_asked: asked,
            dnssec: whole,
            ..Answer::failed(Outcome::Records([RecordData::A(std::net::Ipv4Addr::LOCALHOST)].into()))
        };
        let cases = [
            ("signed", answer(Dnssec::Secure, Dnssec::Secure, false), [Some(asked), None]),
            ("not signed", answer(Dnssec::Insecure, Dnssec::Insecure, false), [None, None]),
            ("signed through an alias", answer(Dnssec::Secure, Dnssec::Secure, true), [Some(end), Some(asked)]),
            ("only the alias is signed", answer(Dnssec::Secure, Dnssec::Insecure, true), [Some(asked), None]),
            ("no address", Answer { dnssec: Dnssec::Secure, ..Answer::failed(Outcome::NoData) }, [None, None]),
        ];
        for (case, answer, bases) in cases {
            assert_eq!(ground(true, asked, &answer, false).bases, bases, "{case}");
        }
    }

    /// A authenticated, E encrypted, - nothing, N next host, B bounce.
    #[test]
    fn promises() {
        let good = tlsa(3, 1, TlsaData::KeyOf("key".into()));
        let pkix = tlsa(1, 0, TlsaData::KeyOf("key".into()));
        let short = tlsa(3, 1, TlsaData::Bytes([1, 2].into()));
        let bases = [Some(NameId(1)), None];
        let signed = Ground { list: true, bases };
        let cases = [
            ("a usable record", signed, TlsaAnswer::Signed(vec![&good]), "AA"),
            ("one of two is usable", signed, TlsaAnswer::Signed(vec![&pkix, &good]), "AA"),
            ("usage 1 alone", signed, TlsaAnswer::Signed(vec![&pkix]), "EN"),
            ("data of the wrong length", signed, TlsaAnswer::Signed(vec![&short]), "EN"),
            ("no record", signed, TlsaAnswer::Nothing, "-N"),
            ("SERVFAIL", signed, TlsaAnswer::Failed("SERVFAIL"), "NN"),
            ("addresses not signed", Ground { list: true, bases: [None, None] }, TlsaAnswer::NotAsked, "-N"),
            ("list not signed", Ground { list: false, bases }, TlsaAnswer::Signed(vec![&good]), "AN"),
        ];
        for (case, ground, answer, expected) in cases {
            let got: String = [DaneUse::Try, DaneUse::Must]
                .map(|usage| {
                    match promise(&behaviour(Profile::Postfix).tls.dane, (usage, DaneDigests::default()), ground, "mx1", &answer).outcome {
                        Promise::Authenticated(_) => 'A',
                        Promise::Encrypted => 'E',
                        Promise::Nothing => '-',
                        Promise::Stop { end: End { bounce: true, .. }, .. } => 'B',
                        Promise::Stop { .. } => 'N',
                    }
                })
                .iter()
                .collect();
            assert_eq!(got, expected, "{case}");
        }
    }

    #[test]
    fn what_fits() {
        let key = |name: &str| TlsaData::KeyOf(name.into());
        let whole = |name: &str| TlsaData::CertificateOf(name.into());
        let authority = |name: &str| TlsaData::AuthorityOf(name.into());
        let bytes = |byte: u8| TlsaData::Bytes([byte; 32].into());
        let cases = [
            ("3 1 1, its key", tlsa(3, 1, key("key")), "CA", 50, "mx1.dest.test", "fits"),
            ("3 1 1, expired, self-signed, wrong name", tlsa(3, 1, key("key")), "self-signed", 500, "x.test", "fits"),
            ("3 0 1, the certificate", tlsa(3, 0, whole("leaf")), "CA", 50, "mx1.dest.test", "fits"),
            ("3 0 1 with the digest of the key", tlsa(3, 0, key("key")), "CA", 50, "mx1.dest.test", "tlsa-invalid"),
            ("another key", tlsa(3, 1, key("old")), "CA", 50, "mx1.dest.test", "tlsa-invalid"),
            ("pasted digest of the key", tlsa(3, 1, bytes(0xab)), "CA", 50, "mx1.dest.test", "fits"),
            ("pasted digest of something else", tlsa(3, 1, bytes(0xaa)), "CA", 50, "mx1.dest.test", "tlsa-invalid"),
            ("2 0 1, its authority", tlsa(2, 0, authority("CA")), "CA", 50, "mx1.dest.test", "fits"),
            ("2 0 1, wrong name", tlsa(2, 0, authority("CA")), "CA", 50, "x.test", "certificate-host-mismatch"),
            ("2 0 1, expired", tlsa(2, 0, authority("CA")), "CA", 500, "mx1.dest.test", "certificate-expired"),
            ("2 0 1, another authority", tlsa(2, 0, authority("CA 2")), "CA", 50, "mx1.dest.test", "tlsa-invalid"),
            ("2 0 1 of the leaf itself", tlsa(2, 0, whole("leaf")), "CA", 50, "mx1.dest.test", "tlsa-invalid"),
        ];
        for (case, record, issuer, now, name, expected) in cases {
            let fits = |profile| {
                let rules = &behaviour(profile).tls.dane;
                let usual = DaneDigests::default();
                match fits(rules, usual, std::slice::from_ref(&record), &certificate(issuer), &[Wanted::Name(name)], SimTime(now)) {
                    Ok(_) => "fits",
                    Err((_, result)) => result,
                }
            };
            assert_eq!(fits(Profile::Postfix), expected, "{case}");
            let strict = if expected == "fits" && now > 100 { "certificate-expired" } else { expected };
            assert_eq!(fits(Profile::ExchangeOnline), strict, "{case}");
        }
        // RFC 7671 §9: beside a SHA-512 record of the same kind one with SHA-256 counts for nothing, unless the sender does not look.
        let long = |name: &str| Tlsa { matching: 2, ..tlsa(3, 1, key(name)) };
        let sets = [
            ("the weaker one fits", vec![tlsa(3, 1, key("key")), long("old")], (false, true)),
            ("the stronger one fits", vec![tlsa(3, 1, key("old")), long("key")], (true, true)),
            ("of another kind", vec![tlsa(3, 0, whole("leaf")), long("old")], (true, true)),
        ];
        for (case, records, expected) in sets {
            let fit = |profile| {
                let wanted = [Wanted::Name("mx1.dest.test")];
                fits(&behaviour(profile).tls.dane, DaneDigests::default(), &records, &certificate("CA"), &wanted, SimTime(50)).is_ok()
            };
            assert_eq!((fit(Profile::Postfix), fit(Profile::Exim)), expected, "{case}");
        }
        // What postconf(5) `tls_dane_digests` changes: which record is looked at, and which is not read at all.
        let two = [tlsa(3, 1, key("key")), long("old")];
        let orders = [
            (DaneDigests::Sha512First, [true, true], false),
            (DaneDigests::Sha256First, [true, true], true),
            (DaneDigests::Sha256, [true, false], true),
            (DaneDigests::Sha512, [false, true], false),
        ];
        for (digests, read, fit) in orders {
            let read_here = two.each_ref().map(|record| is_usable(record, digests));
            assert_eq!(read_here, read, "{digests:?}");
            let rules = &behaviour(Profile::Postfix).tls.dane;
            let wanted = [Wanted::Name("mx1.dest.test")];
            assert_eq!(fits(rules, digests, &two, &certificate("CA"), &wanted, SimTime(50)).is_ok(), fit, "{digests:?}");
        }
        let missing = Certificate { sends_chain: false, ..certificate("CA") };
        let record = [tlsa(2, 0, authority("CA"))];
        let rules = &behaviour(Profile::Rfc).tls.dane;
        assert!(
            fits(rules, DaneDigests::default(), &record, &missing, &[Wanted::Name("mx1.dest.test")], SimTime(50)).is_err(),
            "the authority must be sent"
        );
    }
}
