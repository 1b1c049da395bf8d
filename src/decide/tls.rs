//! Is the encryption good enough? A sender's policy meets what a server offers.
//!
//! Server states are those of the documentation: S0 no STARTTLS, S1 answered 4xx, S2 answered 5xx, S3 broken handshake, S4 self-signed, S5 out of date,
//! S6 another name, S7 not trusted, S8 good. Sources: RFC 3207 §4, RFC 7435, RFC 9325, RFC 6125 §6.4, TLS_README of Postfix, New-OutboundConnector
//! `TlsSettings` and `TlsDomain`. What TLSA records ask for stands in `dane`.

use super::profile::{Behaviour, BrokenHandshake, RevocationCheck, Subject};
use super::{Because, Decision, because};
use crate::base::{Enhanced, Reply, SimTime, TlsOutcome, TlsVersion};
use crate::model::certificate::{Certificate, Issuer, Revocation};
use crate::model::settings::{TlsLevel, TlsPolicy};

/// What the server offers, as far as the client looks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Offer {
    /// EHLO does not list STARTTLS.
    NotOffered,
    /// STARTTLS got this reply.
    Refused(Reply),
    /// 220, and then it broke.
    Broken(&'static str),
    /// A handshake succeeded with these facts.
    Handshake(Facts),
}

/// What a finished handshake shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facts {
    /// The version agreed on.
    pub version: TlsVersion,
    /// The chain leads to an authority that the sender trusts.
    pub trusted: bool,
    /// In words, if not trusted.
    pub distrust: &'static str,
    /// RFC 8460 result of that.
    pub distrust_result: &'static str,
    /// The certificate carries a wanted name.
    pub name_matches: bool,
    /// If it does not: which names it carries, and which are wanted.
    pub other_names: Box<str>,
    /// A record or digest that the policy has fits the certificate; else why not, and the RFC 8460 result.
    pub fits: Result<&'static str, (&'static str, &'static str)>,
}

/// Nothing to compare a certificate with.
pub const NOTHING_TO_FIT: Result<&str, (&str, &str)> = Err(("nothing that it could fit is known", "validation-failure"));

/// What the client makes of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Go on.
    Go(TlsOutcome),
    /// A new connection without TLS to the same address.
    PlaintextRetry,
    /// This host will not do.
    Fail {
        /// Bounce at once (else the next host, then defer).
        bounce: bool,
        /// The status that the sender notes.
        status: Enhanced,
        /// RFC 8460 result type.
        result: &'static str,
    },
}

/// Judges what a server offers under a policy. `old`: the message has waited as long as the sender's first backoff.
#[must_use]
pub fn negotiate(rules: &Behaviour, policy: &TlsPolicy, offer: &Offer, old: bool, plain_retry: bool) -> Decision<Verdict> {
    let level = policy.level;
    let optional = !level.insists();
    let tls = &rules.tls;
    let name = level.as_str();
    let one = |verdict, why: &str, source| Decision::for_reason(verdict, because("TLS", name, why, source));
    let fail = |bounce, usual, result| Verdict::Fail { bounce, status: status_at(rules, level, result, usual), result };
    match offer {
        _ if level == TlsLevel::None => one(Verdict::Go(TlsOutcome::Plaintext), "the policy never uses TLS", "sender's TLS policy"),
        Offer::NotOffered if optional => {
            one(Verdict::Go(TlsOutcome::Plaintext), "S0: STARTTLS is not offered, and the policy does not insist", "RFC 7435 §3")
        }
        Offer::NotOffered => one(
            fail(false, tls.not_offered, "starttls-not-supported"),
            "S0: the policy insists on TLS, and STARTTLS is not offered",
            "RFC 3207 §4",
        ),
        Offer::Refused(reply) if optional && !tls.refused_fails => {
            let state = if reply.class() == 5 { "S2" } else { "S1" };
            one(
                Verdict::Go(TlsOutcome::Plaintext),
                &format!("{state}: STARTTLS was refused with {reply}; the session goes on without"),
                "RFC 3207 §4",
            )
        }
        Offer::Refused(reply) => {
            let permanent = reply.class() == 5;
            let status = match reply.enhanced {
                Some(_) if tls.own_code > 0 || tls.starttls_refused_own => tls.starttls_refused,
                Some(status) => status,
                None if permanent && tls.refused_5xx_bounces => Enhanced(5, 0, 0),
                None => tls.starttls_refused,
            };
            let bounce = permanent && tls.refused_5xx_bounces;
            let status = if bounce { status } else { status.with_class(4) };
            let state = if permanent { "S2" } else { "S1" };
            one(
                fail(bounce, status, "starttls-not-supported"),
                &format!("{state}: the policy insists on TLS, and STARTTLS was refused with {reply}"),
                "RFC 3207 §4",
            )
        }
        Offer::Broken(how) if optional => {
            let plain = match tls.broken_handshake {
                BrokenHandshake::PlaintextAtOnce => true,
                BrokenHandshake::PlaintextWhenOld => old,
                BrokenHandshake::Never => plain_retry,
            };
            if plain {
                return one(
                    Verdict::PlaintextRetry,
                    &format!("S3: the handshake failed ({how}); TLS is optional, so a new connection goes without"),
                    "RFC 7435 §3",
                );
            }
            let why = match tls.broken_handshake {
                BrokenHandshake::PlaintextWhenOld => {
                    format!("S3: the handshake failed ({how}); without TLS only once the message has waited as long as the first backoff")
                }
                _ => format!("S3: the handshake failed ({how}); as this sender is set, it does not go there in clear"),
            };
            one(fail(false, tls.handshake, "validation-failure"), &why, "profile")
        }
        Offer::Broken(how) => {
            one(fail(false, tls.handshake, "validation-failure"), &format!("S3: the handshake failed ({how})"), "RFC 3207 §4")
        }
        Offer::Handshake(facts) => judge_certificate(rules, policy, facts),
    }
}

fn judge_certificate(rules: &Behaviour, policy: &TlsPolicy, facts: &Facts) -> Decision<Verdict> {
    let name = policy.level.as_str();
    let one = |verdict, why: String| Decision::for_reason(verdict, because("TLS", name, why, "sender's TLS policy"));
    let (want_chain, want_name) = match policy.level {
        TlsLevel::May if rules.tls.may_judges => (true, true),
        TlsLevel::None
        | TlsLevel::May
        | TlsLevel::Encrypt
        | TlsLevel::Opportunistic
        | TlsLevel::Required
        | TlsLevel::EncryptionOnly
        | TlsLevel::SelfSigned => (false, false),
        TlsLevel::CertificateValidation | TlsLevel::TrustedCa => (true, false),
        TlsLevel::Verify
        | TlsLevel::VerifyOrClear
        | TlsLevel::Secure
        | TlsLevel::DomainValidation
        | TlsLevel::MatchesDestinationDomain
        | TlsLevel::Matches
        | TlsLevel::BasicAuthRequireTls
        | TlsLevel::DomainSecure
        | TlsLevel::MtaSts
        | TlsLevel::RequireTls => (true, true),
        TlsLevel::Fingerprint | TlsLevel::Dane => return judge_by_fit(rules, policy.level, facts),
    };
    if !want_chain && rules.tls.looks_at_certificate && facts.trusted && facts.name_matches {
        return one(Verdict::Go(TlsOutcome::Authenticated), "S8: the certificate is good, though the policy does not ask".to_owned());
    }
    if !want_chain {
        return one(Verdict::Go(TlsOutcome::Encrypted), "the policy does not judge the certificate".to_owned());
    }
    let status = |result| status_at(rules, policy.level, result, rules.tls.not_verified);
    // The handshake of such a client fails, and a new connection goes without.
    let in_clear = policy.level == TlsLevel::VerifyOrClear;
    let fail = |result, why: &str| match in_clear {
        true => one(Verdict::PlaintextRetry, format!("{why}; TLS is optional, so a new connection goes without")),
        false => one(Verdict::Fail { bounce: false, status: status(result), result }, why.to_owned()),
    };
    if !facts.trusted {
        return fail(facts.distrust_result, facts.distrust);
    }
    if want_name && !facts.name_matches {
        return fail("certificate-host-mismatch", &format!("S6: {}", facts.other_names));
    }
    one(Verdict::Go(TlsOutcome::Authenticated), "S8: certificate good for this policy".to_owned())
}

/// The status of a failure: what the receiving domain publishes has codes of its own in some servers.
fn status_at(rules: &Behaviour, level: TlsLevel, result: &str, usual: Enhanced) -> Enhanced {
    match level {
        TlsLevel::Dane => rules.tls.dane.status(result, usual),
        TlsLevel::MtaSts => rules.tls.mta_sts_failed.unwrap_or(usual),
        _ if result == "certificate-not-trusted" => rules.tls.not_trusted,
        _ => usual,
    }
}

/// A record or a digest decides; authorities, dates and names are not asked beside it.
fn judge_by_fit(rules: &Behaviour, level: TlsLevel, facts: &Facts) -> Decision<Verdict> {
    let (rule, source) = if level == TlsLevel::Dane { ("DANE-7", "RFC 7672 §3.1") } else { ("TLS", "sender's TLS policy") };
    match facts.fits {
        Ok(why) => Decision::for_reason(Verdict::Go(TlsOutcome::Authenticated), because(rule, level.as_str(), why, source)),
        Err((why, result)) => {
            let status = status_at(rules, level, result, rules.tls.not_verified);
            Decision::for_reason(Verdict::Fail { bounce: false, status, result }, because(rule, level.as_str(), why, source))
        }
    }
}

/// How a client looks at certificates.
#[derive(Clone, Copy, Debug)]
pub struct Eyes<'a> {
    /// It trusts the authority.
    pub trusts: bool,
    /// Of these names one must be there.
    pub wanted: &'a [Wanted<'a>],
    /// What the machine that shows it is called, where the certificate has the name of its host.
    pub own: &'a [&'a str],
    /// Does the subject count beside what stands in the SAN?
    pub subject_counts: Subject,
    /// Does it ask whether certificates are revoked?
    pub revocation: RevocationCheck,
}

/// Looks at a certificate.
#[must_use]
pub fn facts(certificate: &Certificate, version: TlsVersion, now: SimTime, eyes: &Eyes<'_>) -> Facts {
    let (mut trusted, mut distrust, mut result) = (true, "", "certificate-not-trusted");
    let mut reject = |why, kind| (trusted, distrust, result) = (false, why, kind);
    match (eyes.revocation, certificate.revocation) {
        (RevocationCheck::WhereReachable | RevocationCheck::Always, Revocation::Revoked) => {
            reject("the certificate is revoked", "validation-failure");
        }
        (RevocationCheck::Always, Revocation::Unreachable) => {
            reject("nobody can say whether the certificate is revoked", "validation-failure");
        }
        (RevocationCheck::Never, _) | (_, Revocation::Good) | (RevocationCheck::WhereReachable, Revocation::Unreachable) => {}
    }
    if certificate.weak_signature {
        reject("the signature is too weak (MD5)", "validation-failure");
    }
    if !certificate.sends_chain {
        reject("S7: the intermediate certificate is missing", "certificate-not-trusted");
    }
    if !eyes.trusts {
        reject("S7: the authority is not trusted", "certificate-not-trusted");
    }
    if now < certificate.not_before {
        reject("S5: the certificate is not valid yet", "certificate-expired");
    }
    let issuer_over = matches!(certificate.issuer, Issuer::Authority { not_after, .. } if now > not_after);
    if now > certificate.not_after || issuer_over {
        reject("S5: the certificate has expired", "certificate-expired");
    }
    if certificate.issuer == Issuer::SelfSigned {
        reject("S4: the certificate is self-signed", "certificate-not-trusted");
    }
    // No public authority signs for the address of somebody's smart host: such a certificate carries names only.
    let is_name = |name: &str| name.parse::<std::net::IpAddr>().is_err();
    let of_host = |wanted: &Wanted<'_>| certificate.any_name && eyes.own.iter().any(|own| is_name(own) && wanted.is_met_by(own));
    let carried = |wanted: &Wanted<'_>| of_host(wanted) || carries(certificate, wanted, eyes.subject_counts);
    let name_matches = eyes.wanted.iter().any(carried);
    let other_names = if name_matches { "".into() } else { other_names(certificate, eyes).into() };
    Facts { version, trusted, distrust, distrust_result: result, name_matches, other_names, fits: NOTHING_TO_FIT }
}

/// `the certificate is for www.a.test, the policy wants mail.a.test`.
fn other_names(certificate: &Certificate, eyes: &Eyes<'_>) -> String {
    const SHOWN: usize = 3;
    let subject = subject_that_counts(certificate, eyes.subject_counts);
    let own = Some("the name of its host").filter(|_| certificate.any_name);
    let carried: Vec<&str> = certificate.names.iter().map(|name| &**name).chain(subject).chain(own).collect();
    let more = if carried.len() > SHOWN { format!(" and {} more", carried.len() - SHOWN) } else { String::new() };
    let carried = if carried.is_empty() { "no name".to_owned() } else { carried.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ") };
    let wanted = eyes.wanted.iter().map(|wanted| match wanted {
        Wanted::Name(name) | Wanted::Exactly(name) => (*name).to_owned(),
        Wanted::Below(parent) => format!("a name below {parent}"),
    });
    let uncounted = Some(&certificate.subject).filter(|subject| eyes.wanted.iter().any(|wanted| wanted.is_met_by(subject)));
    let uncounted =
        uncounted.map_or(String::new(), |subject| format!(" (its subject {subject} does not count here, only names in the SAN do)"));
    format!("the certificate is for {carried}{more}{uncounted}; the policy wants {}", wanted.collect::<Vec<_>>().join(" or "))
}

/// A name that a policy asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted<'a> {
    /// This name.
    Name(&'a str),
    /// This name, and no wildcard in its place.
    Exactly(&'a str),
    /// Any name below this one (Postfix `dot-nexthop`).
    Below(&'a str),
}

impl Wanted<'_> {
    /// Is a name on a certificate one that is asked for?
    #[must_use]
    pub fn is_met_by(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => same_name(name, wanted),
            Self::Exactly(wanted) => !name.is_empty() && name.eq_ignore_ascii_case(wanted),
            Self::Below(parent) => name.strip_suffix(parent).is_some_and(|front| front.len() > 1 && front.ends_with('.')),
        }
    }
}

/// Does the certificate carry the name? SAN names count; the subject with most only if there is no SAN (RFC 6125 §6.4.4, RFC 9525 §2).
/// `*` is one whole leftmost label (RFC 9525 §6.3).
#[must_use]
pub fn carries(certificate: &Certificate, wanted: &Wanted<'_>, subject_counts: Subject) -> bool {
    let subject = subject_that_counts(certificate, subject_counts);
    certificate.names.iter().map(|name| &**name).chain(subject).any(|name| wanted.is_met_by(name))
}

fn subject_that_counts(certificate: &Certificate, subject_counts: Subject) -> Option<&str> {
    let counts = match subject_counts {
        Subject::Never => false,
        Subject::Alone => certificate.names.is_empty(),
        Subject::Always => !certificate.names.contains(&certificate.subject),
    };
    Some(&*certificate.subject).filter(|subject| counts && !subject.is_empty())
}

/// Is the certificate, or its key, one of those that a policy lists? Listed are digests as pasted, `@spki256:NAME` and `@cert256:NAME` of a
/// certificate of the scenario.
///
/// # Errors
/// It is none of them.
pub fn listed(digests: &[Box<str>], certificate: &Certificate) -> Result<&'static str, (&'static str, &'static str)> {
    let is = |text: &str| {
        let same = |known: &str| !known.is_empty() && known.eq_ignore_ascii_case(text);
        match text.split_once(':') {
            Some(("@spki256", name)) => name.eq_ignore_ascii_case(&certificate.key) || name.eq_ignore_ascii_case(&certificate.name),
            Some(("@cert256", name)) => name.eq_ignore_ascii_case(&certificate.name),
            _ => same(&certificate.digest) || same(&certificate.key_digest),
        }
    };
    let plain = |text: &str| if text.starts_with('@') { text.to_owned() } else { text.replace(':', "") };
    if digests.iter().any(|digest| is(&plain(digest))) {
        Ok("a listed fingerprint; nothing else about the certificate counts")
    } else {
        Err(("the certificate has none of the listed fingerprints", "certificate-not-trusted"))
    }
}

fn same_name(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case(name) {
        return !pattern.is_empty();
    }
    // A wanted name may itself be a wildcard (`TlsDomain` of a connector).
    if let Some(parent) = name.strip_prefix("*.") {
        return pattern.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent));
    }
    let Some(parent) = pattern.strip_prefix("*.") else { return false };
    name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(parent) && parent.contains('.'))
}

/// Reasons as one sentence, for the record of a connection.
#[must_use]
pub fn sentence(reasons: &[Because]) -> String {
    reasons.iter().map(|reason| reason.why.as_ref()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::profile::behaviour;
    use super::*;
    use crate::model::settings::Profile;

    fn certificate(names: &[&str], issuer: Issuer) -> Certificate {
        Certificate {
            issuer_name: "".into(),
            name: "c".into(),
            subject: "cn.test".into(),
            names: names.iter().map(|n| (*n).into()).collect(),
            any_name: false,
            issuer,
            not_before: SimTime(10),
            not_after: SimTime(100),
            sends_chain: true,
            revocation: Revocation::Good,
            weak_signature: false,
            key: "c".into(),
            key_digest: "".into(),
            digest: "".into(),
        }
    }

    #[test]
    fn names() {
        let cases = [
            (vec!["mx1.dest.test"], Wanted::Name("mx1.dest.test"), true),
            (vec!["*.dest.test"], Wanted::Name("mx1.dest.test"), true),
            (vec!["*.dest.test"], Wanted::Name("a.mx1.dest.test"), false),
            (vec!["*.dest.test"], Wanted::Name("dest.test"), false),
            (vec!["*.test"], Wanted::Name("dest.test"), false),
            (vec!["mail.contoso.com"], Wanted::Name("*.contoso.com"), true),
            (vec!["mx1.dest.test"], Wanted::Below("dest.test"), true),
            (vec!["*.dest.test"], Wanted::Exactly("mx1.dest.test"), false),
            (vec!["MX1.dest.test"], Wanted::Exactly("mx1.dest.test"), true),
            (vec!["other.test"], Wanted::Name("cn.test"), false),
            (vec![], Wanted::Name("cn.test"), true),
        ];
        for (names, wanted, expected) in cases {
            let certificate = certificate(&names, Issuer::Public);
            assert_eq!(carries(&certificate, &wanted, Subject::Alone), expected, "{names:?} {wanted:?}");
            let beside = expected || wanted == Wanted::Name("cn.test");
            assert_eq!(carries(&certificate, &wanted, Subject::Always), beside, "the subject too: {names:?} {wanted:?}");
            assert_eq!(
                carries(&certificate, &wanted, Subject::Never),
                expected && !names.is_empty(),
                "without the subject: {names:?} {wanted:?}"
            );
        }
    }

    #[test]
    fn the_made_up_certificate_carries_the_names_of_its_host_and_no_addresses() {
        let public = Certificate { any_name: true, ..certificate(&[], Issuer::Public) };
        let looked = |wanted: &[Wanted<'_>]| {
            let own = ["mail.a.test", "192.0.2.1"].as_slice();
            let eyes = Eyes { trusts: true, wanted, own, subject_counts: Subject::Alone, revocation: RevocationCheck::Never };
            let facts = facts(&public, TlsVersion::Tls13, SimTime(50), &eyes);
            (facts.name_matches, facts.other_names)
        };
        assert_eq!(looked(&[Wanted::Name("mail.a.test")]), (true, "".into()));
        assert_eq!(looked(&[Wanted::Name("*.a.test"), Wanted::Below("b.test")]), (true, "".into()));
        assert_eq!(looked(&[Wanted::Below("a.test")]), (true, "".into()));
        let words = "the certificate is for cn.test, the name of its host; the policy wants mail.b.test";
        assert_eq!(looked(&[Wanted::Name("mail.b.test")]), (false, words.into()));
        let words = "the certificate is for cn.test, the name of its host; the policy wants 192.0.2.1";
        assert_eq!(looked(&[Wanted::Name("192.0.2.1")]), (false, words.into()));
        assert!(!looked(&[Wanted::Name("2001:db8::1")]).0);
        assert!(looked(&[Wanted::Name("192.0.2.1"), Wanted::Name("mail.a.test")]).0, "one of them is enough");
    }

    #[test]
    fn fingerprints() {
        let shown = Certificate { key: "pair".into(), digest: "ab".repeat(32).into(), ..certificate(&[], Issuer::SelfSigned) };
        let colons = ["AB"; 32].join(":");
        for (digest, expected) in
            [("@spki256:pair", true), ("@cert256:c", true), ("@cert256:pair", false), (&*colons, true), ("abab", false)]
        {
            assert_eq!(listed(&[digest.into()], &shown).is_ok(), expected, "{digest}");
        }
    }

    /// The matrix: policy by server state. P U A as in the documentation, N next host, B bounce, p plaintext on a new connection.
    #[test]
    fn matrix() {
        let good = Facts {
            version: TlsVersion::Tls13,
            trusted: true,
            distrust: "",
            distrust_result: "",
            name_matches: true,
            other_names: "".into(),
            fits: NOTHING_TO_FIT,
        };
        let handshake = |trusted, name_matches| {
            Offer::Handshake(Facts { trusted, name_matches, distrust: "S7", distrust_result: "certificate-not-trusted", ..good.clone() })
        };
        let states = [
            Offer::NotOffered,
            Offer::Refused(Reply::parse("454").unwrap()),
            Offer::Refused(Reply::parse("502 5.5.1 no").unwrap()),
            Offer::Broken("garbage"),
            handshake(false, false),
            handshake(false, true),
            handshake(true, false),
            handshake(true, true),
        ];
        //                                                          S0 S1 S2 S3 S4 S7 S6 S8
        let rows = [
            (Profile::Rfc, TlsLevel::None, false, "PPPPPPPP"),
            (Profile::Rfc, TlsLevel::May, false, "PPPpUUUU"),
            (Profile::Postfix, TlsLevel::May, false, "PPPNUUUU"),
            (Profile::Postfix, TlsLevel::May, true, "PPPpUUUU"),
            (Profile::Postfix, TlsLevel::Encrypt, false, "NNBNUUUU"),
            (Profile::Postfix, TlsLevel::Verify, false, "NNBNNNNA"),
            (Profile::Postfix, TlsLevel::Secure, true, "NNBNNNNA"),
            (Profile::Sendmail, TlsLevel::May, true, "PPPNUUUA"),
            (Profile::Sendmail, TlsLevel::Encrypt, false, "NNNNUUUA"),
            (Profile::Sendmail, TlsLevel::Verify, false, "NNNNNNNA"),
            (Profile::OpenSmtpd, TlsLevel::May, false, "PPPpUUUA"),
            (Profile::OpenSmtpd, TlsLevel::Encrypt, false, "NNNNUUUA"),
            (Profile::OpenSmtpd, TlsLevel::Verify, false, "NNNNNNNA"),
            (Profile::Qmail, TlsLevel::None, false, "PPPPPPPP"),
            (Profile::KumoMta, TlsLevel::May, false, "PNNNNNNA"),
            (Profile::KumoMta, TlsLevel::Opportunistic, false, "PNNNUUUA"),
            (Profile::KumoMta, TlsLevel::Encrypt, false, "NNNNUUUA"),
            (Profile::Exim, TlsLevel::VerifyOrClear, false, "PPPppppA"),
            (Profile::ExchangeOnline, TlsLevel::Opportunistic, true, "PPPNUUUU"),
            (Profile::ExchangeOnline, TlsLevel::EncryptionOnly, false, "NNNNUUUU"),
            (Profile::ExchangeOnline, TlsLevel::CertificateValidation, false, "NNNNNNAA"),
            (Profile::ExchangeOnline, TlsLevel::DomainValidation, false, "NNNNNNNA"),
        ];
        for (profile, level, old, expected) in rows {
            let policy = TlsPolicy::of(level);
            let got: String = states
                .iter()
                .map(|offer| match negotiate(behaviour(profile), &policy, offer, old, false).outcome {
                    Verdict::Go(TlsOutcome::Plaintext) => 'P',
                    Verdict::Go(TlsOutcome::Encrypted) => 'U',
                    Verdict::Go(TlsOutcome::Authenticated) => 'A',
                    Verdict::PlaintextRetry => 'p',
                    Verdict::Fail { bounce: true, .. } => 'B',
                    Verdict::Fail { bounce: false, .. } => 'N',
                })
                .collect();
            assert_eq!(got, expected, "{profile:?} {level:?} old={old}");
        }
    }

    #[test]
    fn what_a_client_sees() {
        let cases = [
            ("good", certificate(&["a.test"], Issuer::Public), 50, true, (true, "")),
            ("expired", certificate(&["a.test"], Issuer::Public), 101, true, (false, "S5: the certificate has expired")),
            ("early", certificate(&["a.test"], Issuer::Public), 5, true, (false, "S5: the certificate is not valid yet")),
            ("self", certificate(&["a.test"], Issuer::SelfSigned), 50, false, (false, "S4: the certificate is self-signed")),
            ("unknown authority", certificate(&["a.test"], Issuer::Public), 50, false, (false, "S7: the authority is not trusted")),
        ];
        for (case, certificate, now, trusts, (trusted, why)) in cases {
            let eyes = Eyes {
                trusts,
                wanted: &[Wanted::Name("a.test")],
                own: &[],
                subject_counts: Subject::Alone,
                revocation: RevocationCheck::Never,
            };
            let facts = facts(&certificate, TlsVersion::Tls12, SimTime(now), &eyes);
            assert_eq!((facts.trusted, facts.distrust), (trusted, why), "{case}");
        }
        for (state, expected) in [
            (Revocation::Good, [true, true, true]),
            (Revocation::Unreachable, [true, true, false]),
            (Revocation::Revoked, [true, false, false]),
        ] {
            let shown = Certificate { revocation: state, ..certificate(&["a.test"], Issuer::Public) };
            let got = [RevocationCheck::Never, RevocationCheck::WhereReachable, RevocationCheck::Always].map(|revocation| {
                facts(
                    &shown,
                    TlsVersion::Tls12,
                    SimTime(50),
                    &Eyes { trusts: true, wanted: &[], own: &[], subject_counts: Subject::Alone, revocation },
                )
                .trusted
            });
            assert_eq!(got, expected, "{state:?}");
        }
    }
}
