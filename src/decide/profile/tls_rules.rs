//! What does a sender do where encryption fails, and what does it make of TLSA records? The questions of a profile's table about TLS.
//!
//! Sources: RFC 7672, RFC 7671; the answers and their sources stand with each profile.

use super::{End, defer};
use crate::base::{Enhanced, TlsVersion};

/// What failures of encryption mean.
#[derive(Debug)]
pub struct TlsRules {
    /// STARTTLS answered 5xx while TLS is required bounces.
    pub refused_5xx_bounces: bool,
    /// A broken handshake while TLS is optional.
    pub broken_handshake: BrokenHandshake,
    /// TLS is required and not offered.
    pub not_offered: Enhanced,
    /// TLS is required and the handshake or the certificate fails.
    pub not_verified: Enhanced,
    /// The certificate's authority is not trusted.
    pub not_trusted: Enhanced,
    /// TLS is required and STARTTLS was refused without an enhanced status.
    pub starttls_refused: Enhanced,
    /// The same is noted whatever status the server gave: to the sender it is one more server without TLS.
    pub starttls_refused_own: bool,
    /// Required: the handshake itself fails.
    pub handshake: Enhanced,
    /// Reply code of those failures where the server gave none: that of the sender's own rule book.
    pub own_code: u16,
    /// How long it waits for more after a handshake in which the server fell silent.
    pub drains_ns: u64,
    /// `May` judges the certificate where there is one: plaintext or a good certificate, nothing between.
    pub may_judges: bool,
    /// STARTTLS refused is a failed connection also where TLS is optional.
    pub refused_fails: bool,
    /// Levels that do not judge the certificate look at it all the same, and note a good one.
    pub looks_at_certificate: bool,
    /// The oldest version under levels that judge the certificate.
    pub judged_version_min: TlsVersion,
    /// Does a subject count as a name of a certificate?
    pub subject_counts: Subject,
    /// A next hop written as `[host]` is compared with its brackets, so that no certificate fits (seen with Sendmail 8.17, `TLS_Srv: VERIFY:1+CN`).
    pub brackets_stay: bool,
    /// Is a revocation service asked?
    pub revocation: RevocationCheck,
    /// DANE (`decide::dane`).
    pub dane: DaneRules,
    /// What it makes of REQUIRETLS.
    pub requiretls: RequireTlsRule,
    /// MTA-STS in mode enforce: the policy does not list the host.
    pub mx_not_listed: Enhanced,
    /// MTA-STS in mode enforce: no TLS, or the certificate will not do; `None`: as at a level that judges certificates.
    pub mta_sts_failed: Option<Enhanced>,
    /// Its table of policies knows servers (`decide::tls_policy`), not next hops.
    pub policies_of_servers: bool,
}

/// What a server makes of mail with REQUIRETLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequireTlsRule {
    /// It does not know the word.
    Unknown,
    /// It announces it; such mail goes to hosts whose name DNSSEC or MTA-STS vouches for, and which prove that they have it (RFC 8689 §4.2.1).
    NameVouchedFor,
    /// It announces it; such mail goes where the level of its own TLS policy compares the certificate with something, whoever gave the name of the host (Postfix 3.11
    /// `smtp_requiretls_policy = enforce`, smtp_connect.c).
    LevelCompares,
}

/// What a client does about revoked certificates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RevocationCheck {
    /// Nothing: it takes them.
    Never,
    /// A revoked one fails; where the service does not answer it is taken.
    WhereReachable,
    /// A revoked one fails, and one whose service does not answer too.
    Always,
}

/// What a sender makes of TLSA records, where RFC 7672 leaves room or the sender does otherwise.
#[derive(Debug)]
pub struct DaneRules {
    /// Records of a signed host count although the MX answer is not signed (Postfix `smtp_tls_dane_insecure_mx_policy`).
    pub unsigned_list_counts: bool,
    /// Records that nobody can use are as good as none where DANE is required. Exim 4.96 with GnuTLS asks only that there are signed records.
    pub useless_is_missing: bool,
    /// Of records with the same usage and selector only those with the strongest digest count (RFC 7671 §9).
    pub strongest_digest: bool,
    /// DANE is required, and the host has no usable record.
    pub missing: End,
    /// The TLSA question failed.
    pub lookup_failed: Enhanced,
    /// A certificate out of date fails although a record of usage 3 fits it.
    pub expiry_counts: bool,
    /// Under usage 2 the certificate must have the host's name (RFC 7672 §3.1.2). A running Exim 4.96 delivers without.
    pub name_counts: bool,
    /// Records count at the name that a host was found by alone, where it is an alias, and only if its addresses are signed all the way (Exim host.c).
    pub asks_listed_name: bool,
    /// Statuses of its own by RFC 8460 result type; what is not listed has the status of the level.
    pub statuses: &'static [(&'static str, Enhanced)],
}

impl DaneRules {
    /// RFC 7672.
    pub const RFC: Self = Self {
        unsigned_list_counts: false,
        useless_is_missing: true,
        strongest_digest: true,
        missing: defer(4, 7, 5),
        lookup_failed: Enhanced(4, 7, 5),
        expiry_counts: false,
        name_counts: true,
        asks_listed_name: false,
        statuses: &[],
    };
}

/// What an opportunistic sender does after a broken handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokenHandshake {
    /// A new connection without TLS to the same address at once.
    PlaintextAtOnce,
    /// The next host; without TLS once the message has waited as long as the first backoff (Postfix).
    PlaintextWhenOld,
    /// The next host, never without TLS.
    Never,
}

/// When the subject of a certificate is one of its names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// Never (RFC 9525 §2; RFC 8461 §4.1).
    Never,
    /// Where there is no SAN (RFC 6125 §6.4.4).
    Alone,
    /// Beside the SAN too: Exchange compares subject and SAN.
    Always,
}
