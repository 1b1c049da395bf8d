//! What the RFCs say, strictly; where they leave a choice, the choice is named here.
//!
//! Sources: RFC 5321 §4.5.4.1 and §5.1, RFC 7505, RFC 3463, RFC 3207 §4, RFC 7435.

use super::*;
use crate::base::{DAY, Enhanced, HOUR, MINUTE, TlsVersion};
use crate::model::settings::{
    ClientTls, Families, FamilyPreference, Profile, Retry, Routing, Sender, Targets, Timers, TlsLevel, TlsPolicy,
};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "rfc",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: End { code: 550, ..bounce(5, 1, 2) },
        no_address: End { code: 550, ..bounce(5, 4, 4) },
        lookup_failed: defer(4, 4, 3),
        no_usable_target: End { code: 550, ..bounce(5, 4, 4) },
        no_usable_target_yet: defer(4, 4, 4),
        no_usable_target_mixed: defer(4, 4, 4),
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        address_in_mx_data: false,
        self_is_best: End { code: 554, ..bounce(5, 4, 6) },
        // MX records of which none can be used are an error to be reported, and the sender's own is none that it could use.
        self_without_primary: End { code: 550, ..bounce(5, 4, 4) },
        asks_every_family: false,
        dns_patience: DnsPatience::Resolver,
        last_target_missing: None,
        null_mx_is_final: false,
        self_check: SelfCheck::NameOrAddress,
        smart_host_lost: None,
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx: Greeting5xx::BouncesAtLast,
        helo_after_any_refusal: false,
        helo_5xx: Greeting5xx::BouncesAtOnce,
        greeting_status: None,
        data_5xx_status: None,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        rcpt_552_is_temporary: true,
        size_checked_before_mail: true,
        own_name: OwnName::BouncesIfBest,
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: (0, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: false,
        last_recipient_first: false,
        carries_last_code: false,
        lost_at_rcpt: (0, 0),
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::PlaintextAtOnce,
        not_offered: Enhanced(4, 7, 4),
        not_verified: Enhanced(4, 7, 5),
        starttls_refused: Enhanced(4, 7, 0),
        handshake: Enhanced(4, 7, 5),
        own_code: 0,
        drains_ns: 0,
        looks_at_certificate: false,
        judged_version_min: TlsVersion::Tls12,
        subject_counts: false,
        revocation: RevocationCheck::WhereReachable,
        requiretls: true,
        mx_not_listed: Enhanced(4, 7, 5),
        mta_sts_failed: None,
        dane: DaneRules::RFC,
    },
    expiry_status: None,
    expiry: ExpiryTest::BeforeNext,
    tells_postmaster: false,
    pass: PassRules::PLAIN,
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::Rfc,
        timers: Timers {
            connect_ns: 2 * MINUTE,
            first_connect_ns: 0,
            banner_ns: 5 * MINUTE,
            ehlo_ns: 5 * MINUTE,
            starttls_ns: 5 * MINUTE,
            auth_ns: 5 * MINUTE,
            mail_ns: 5 * MINUTE,
            rcpt_ns: 5 * MINUTE,
            data_ns: 2 * MINUTE,
            content_ns: 3 * MINUTE,
            final_dot_ns: 10 * MINUTE,
        },
        retry: Retry::Rfc { first_ns: 30 * MINUTE, factor_percent: 200, max_ns: 2 * HOUR, lifetime_ns: 5 * DAY, delay_notice_ns: 0 },
        address_limit: 0,
        session_limit: 0,
        recipient_limit: 100,
        concurrency: (0, 0),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() },
        tls: ClientTls { policy: TlsPolicy::of(TlsLevel::May), policies: Vec::new(), versions: (TlsVersion::Tls10, TlsVersion::Tls13) },
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        targets: Targets::default(),
        failed_cohort_limit: 0,
    }
}
