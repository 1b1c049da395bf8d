//! Exchange Server as a sender. For now only its own reports leave it, by MX: Send connectors are not modelled yet.
//!
//! Sources: Exchange Server queue and retry documentation (2 days, 4.4.7).

use super::*;
use crate::base::{DAY, Enhanced, HOUR, MINUTE, SECOND, TlsVersion};
use crate::model::settings::{
    ClientTls, Families, FamilyPreference, Profile, Retry, Routing, Sender, Targets, Timers, TlsLevel, TlsPolicy,
};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "exchange-server",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: bounce(5, 4, 4),
        no_address: bounce(5, 4, 4),
        lookup_failed: defer(4, 4, 0),
        no_usable_target: bounce(5, 4, 4),
        no_usable_target_yet: defer(4, 4, 0),
        no_usable_target_mixed: defer(4, 4, 0),
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        address_in_mx_data: false,
        self_is_best: bounce(5, 4, 6),
        self_without_primary: defer(4, 4, 0),
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
        rcpt_552_is_temporary: false,
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
        broken_handshake: BrokenHandshake::Never,
        not_offered: Enhanced(4, 7, 4),
        not_verified: Enhanced(4, 7, 5),
        starttls_refused: Enhanced(4, 7, 0),
        handshake: Enhanced(4, 7, 5),
        own_code: 0,
        drains_ns: 0,
        looks_at_certificate: false,
        judged_version_min: TlsVersion::Tls10,
        subject_counts: true,
        revocation: RevocationCheck::Always,
        requiretls: false,
        mx_not_listed: Enhanced(4, 7, 5),
        mta_sts_failed: None,
        dane: DaneRules::RFC,
    },
    expiry_status: Some((550, Enhanced(4, 4, 7), "Message expired")),
    expiry: ExpiryTest::AfterAttempt,
    tells_postmaster: false,
    pass: PassRules::PLAIN,
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::ExchangeServer,
        timers: Timers {
            connect_ns: 30 * SECOND,
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
        retry: Retry::Steps {
            waits_ns: [[MINUTE; 4].as_slice(), &[5 * MINUTE; 6], &[10 * MINUTE]].concat(),
            lifetime_ns: 2 * DAY,
            delay_notice_ns: 4 * HOUR,
        },
        address_limit: 0,
        session_limit: 0,
        recipient_limit: 0,
        concurrency: (20, 20),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Unknown,
        tls: ClientTls {
            policy: TlsPolicy::of(TlsLevel::Opportunistic),
            policies: Vec::new(),
            versions: (TlsVersion::Tls10, TlsVersion::Tls13),
        },
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        targets: Targets::default(),
        failed_cohort_limit: 0,
    }
}
