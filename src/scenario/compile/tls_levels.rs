//! Can this server be told so about TLS? What the field `tls` may ask of each profile.
//!
//! Sources: postconf(5) `smtp_tls_security_level`; Exim's specification, `hosts_require_tls`, `tls_verify_hosts`, `hosts_require_dane`; Sendmail's
//! access map, `TLS_Srv`; smtpd.conf(5) `action … relay tls`; KumoMTA `enable_tls`, `enable_dane`. What a server has in later versions or with patches is not
//! modelled: Sendmail's DANE.

use super::desk::Desk;
use super::mta::policy_of;
use crate::diag::code;
use crate::model::settings::{ClientTls, DaneUse, Profile, TlsPolicy};
use crate::scenario::schema::{self, TlsLevel as Level};
use crate::scenario::source::{Named, Text};

const SETS_THE_LEVEL: [&str; 8] = [
    "smtp_tls_security_level",
    "smtp_use_tls",
    "smtp_enforce_tls",
    "hosts_avoid_tls",
    "hosts_require_tls",
    "tls_verify_hosts",
    "enable_tls",
    "Try_TLS",
];

/// The name of a server whose table of levels is not complete, and the levels that it has.
fn levels(profile: Profile) -> Option<(&'static str, &'static [Level])> {
    Some(match profile {
        Profile::Exim => ("Exim", &[Level::None, Level::May, Level::Encrypt, Level::Verify, Level::Dane, Level::DaneOnly]),
        Profile::Sendmail => ("Sendmail", &[Level::None, Level::May, Level::Encrypt, Level::Verify]),
        Profile::OpenSmtpd | Profile::OpenSmtpd6 => ("OpenSMTPD", &[Level::None, Level::May, Level::Encrypt, Level::Verify]),
        Profile::KumoMta => ("KumoMTA", &[Level::None, Level::May, Level::Encrypt, Level::Verify, Level::Dane]),
        // It goes in clear at both.
        Profile::Qmail => ("qmail", &[Level::None, Level::May]),
        Profile::Rfc | Profile::Postfix | Profile::ExchangeOnline | Profile::ExchangeServer | Profile::NoRetry => return None,
    })
}

/// Levels that the server does not have, a policy of MTA-STS that it never asks for, fingerprints that cannot be any, and a level said twice.
/// `set` is what its own parameters made of the level.
pub(super) fn check(profile: Profile, written: &schema::ClientTls, settings: &Named<Text>, set: &TlsPolicy, desk: &mut Desk) {
    let own = written.level.get().into_iter().map(|level| (level, written.level.span()));
    let of_hops = written.policies.iter().filter_map(|(_, policy)| Some((policy.level.get()?, policy.level.span())));
    if let Some((server, known)) = levels(profile) {
        for (level, place) in own.chain(of_hops).filter(|(level, _)| !known.contains(level)) {
            let names: Vec<String> = known.iter().map(|level| format!("`{level:?}`")).collect();
            desk.error(
                code::EXCLUDES,
                place,
                format!("{server} has no TLS level `{level:?}`"),
                format!("its levels are {}", names.join(", ")),
            );
        }
        if profile != Profile::KumoMta && written.mta_sts.or(false) {
            let help = "leave `mta_sts` out; Postfix, KumoMTA, Exchange Online and the profile of the RFCs look at such policies";
            desk.error(code::EXCLUDES, written.mta_sts.span(), format!("{server} does not look at policies of MTA-STS"), help);
        }
    }
    if profile == Profile::Sendmail {
        for (key, _) in written.policies.iter().filter(|(key, _)| key.trim().starts_with(['[', '.'])) {
            let help = "write the name of a server, a domain above it, or an address: \"mx.example.com\", \"example.com\", \"192.0.2.10\"";
            desk.error(code::VALUE, key.span(), format!("Sendmail's access map knows servers, and `{key}` is none"), help);
        }
    }
    if let Some((key, _)) = settings.iter().find(|(key, _)| SETS_THE_LEVEL.contains(&key.as_str()))
        && let Some(level) = written.level.get()
        && !is(*level, set)
    {
        let message = format!("`level: {level:?}` beside `{key}`, which says something else");
        desk.error(code::EXCLUDES, written.level.span(), message, format!("leave one of them out: `level` is what `{key}` sets"));
    }
    fingerprints(written, desk);
}

/// Settings that leave no way to any server: whoever sets them finds all mail in the queue.
pub(super) fn contradictions(settings: &Named<Text>, tls: &ClientTls, desk: &mut Desk) {
    let find = |name: &str| settings.iter().find(|(key, _)| key.as_str() == name);
    let for_all = |name: &str| find(name).filter(|(_, value)| value.trim() == "*");
    if let (Some(_), Some((require, _))) = (for_all("hosts_avoid_tls"), for_all("hosts_require_tls")) {
        let message = "`hosts_avoid_tls` and `hosts_require_tls` for all hosts: no STARTTLS is tried and TLS is a must, so all mail waits until it expires";
        desk.error(code::EXCLUDES, require.span(), message, "leave one of them out");
    }
    let strong = |policy: &TlsPolicy| policy.level.insists() || policy.dane != DaneUse::Never;
    if let Some((wraps, value)) = find("smtp_tls_wrappermode")
        && matches!(&*value.trim().to_ascii_lowercase(), "yes" | "true")
        && !strong(&tls.policy)
        && !tls.policies.iter().any(|(_, policy)| strong(policy))
    {
        let message =
            "`smtp_tls_wrappermode` needs the level `Encrypt` or a stronger one: Postfix skips every host otherwise, and all mail waits";
        desk.error(code::EXCLUDES, wraps.span(), message, "write tls: (level: Encrypt)");
    }
}

fn is(level: Level, set: &TlsPolicy) -> bool {
    let says = policy_of(level, set.clone());
    (says.level, says.dane) == (set.level, set.dane)
}

/// A fingerprint is a digest in hex, or stands for the digest of a certificate of the scenario.
fn fingerprints(written: &schema::ClientTls, desk: &mut Desk) {
    let usual = written.level.get() == Some(&Level::Fingerprint);
    for (_, policy) in written.policies.iter() {
        if policy.level.get().map_or(usual, |level| *level == Level::Fingerprint) {
            for text in policy.names.items().iter().filter(|text| !is_fingerprint(text)) {
                let message = format!("`{text}` is no fingerprint");
                let help = "a fingerprint is a digest in hex (MD5, SHA-1, SHA-256 or SHA-512), \"@spki256:NAME\" or \"@cert256:NAME\" of a certificate";
                desk.error(code::VALUE, text.span(), message, help);
            }
        }
    }
}

fn is_fingerprint(text: &str) -> bool {
    if let Some((kind, name)) = text.split_once(':')
        && matches!(kind, "@spki256" | "@cert256")
    {
        return !name.is_empty();
    }
    let digits = text.replace(':', "");
    matches!(digits.len(), 32 | 40 | 64 | 128) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_digests() {
        let cases = [
            ("@spki256:mx", true),
            ("@cert256:mx", true),
            ("@spki256:", false),
            ("@ca256:mx", false),
            ("aabbcc", false),
            ("mx.example", false),
            ("3D:EF:9D:AE:B9:60:DB:21:70:DC:92:F6:A9:0D:FE:30", true),
            ("3def9daeb960db2170dc92f6a90dfe30aaaaaaaa", true),
            ("3def9daeb960db2170dc92f6a90dfe3g", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_fingerprint(text), expected, "{text}");
        }
    }
}
