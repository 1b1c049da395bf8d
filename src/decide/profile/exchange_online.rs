//! Exchange Online as a sender: its deferral codes, its retry spacing, never plaintext after a broken handshake.
//!
//! Sources: Exchange Online NDR and deferral tables (4.4.312 to 4.4.318, 4.7.320), queued-and-deferred FAQ (24 h), RFC 7505.

use super::super::extensions::{ExtensionRules, Lack};
use super::*;
use crate::base::{DAY, Enhanced, HOUR, MINUTE, SECOND, TlsVersion};
use crate::model::settings::{
    ClientTls, DaneUse, Families, FamilyPreference, Keeping, Profile, Retry, Routing, Sender, Targets, Timers, TlsLevel, TlsPolicy,
};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "exchange-online",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: defer(4, 4, 312),
        no_address: defer(4, 4, 312),
        lookup_failed: defer(4, 4, 312),
        lookup_refused: None,
        lookup_servfail: None,
        no_usable_target: defer(4, 4, 312),
        no_usable_target_yet: defer(4, 4, 312),
        no_usable_target_mixed: defer(4, 4, 312),
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        localhost_is_null_mx: false,
        backup_has_no_fallback: false,
        keeps_duplicates: false,
        address_in_mx_data: false,
        self_is_best: bounce(5, 4, 6),
        self_without_primary: defer(4, 4, 312),
        families: FamiliesAsked::AsAddresses,
        dns_patience: DnsPatience::Resolver,
        last_target_missing: None,
        null_mx_is_final: false,
        self_check: SelfCheck::Never,
        smart_host_lost: Some(defer(4, 4, 312)),
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx: Greeting5xx::BouncesAtLast,
        helo: HeloUse::After5xx,
        helo_5xx: Greeting5xx::BouncesAtOnce,
        greeting_status: None,
        data_status: None,
        closing_at_mail: None,
        drops_other_class: false,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        one_connection: false,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name: OwnName::Ignored,
        refused: Enhanced(4, 4, 316),
        connect_timeout: Enhanced(4, 4, 315),
        unreachable: Enhanced(4, 4, 317),
        lost: Enhanced(4, 4, 318),
        too_big: (0, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: false,
        recipients: RecipientOrder::Given,
        carries_last_code: false,
        lost_at_rcpt: (0, 0),
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::Never,
        not_offered: Enhanced(4, 4, 317),
        not_verified: Enhanced(4, 7, 320),
        not_trusted: Enhanced(4, 4, 317),
        starttls_refused: Enhanced(4, 4, 317),
        starttls_refused_own: true,
        handshake: Enhanced(4, 4, 317),
        own_code: 0,
        drains_ns: 0,
        may_judges: false,
        refused_fails: false,
        looks_at_certificate: false,
        judged_version_min: TlsVersion::Tls12,
        subject_counts: true,
        revocation: RevocationCheck::Always,
        requiretls: false,
        mx_not_listed: Enhanced(4, 4, 8),
        mta_sts_failed: Some(Enhanced(4, 7, 5)),
        // Its article about DANE lists an expired certificate among the failures, without an exception for usage 3.
        dane: DaneRules {
            unsigned_list_counts: false,
            useless_is_missing: true,
            // Nobody says whether it does.
            strongest_digest: false,
            missing: defer(4, 7, 324),
            lookup_failed: Enhanced(4, 7, 324),
            expiry_counts: true,
            name_counts: true,
            statuses: &[
                ("starttls-not-supported", Enhanced(4, 7, 321)),
                // A handshake that fails counts as if there were no STARTTLS.
                ("validation-failure", Enhanced(4, 7, 321)),
                ("certificate-expired", Enhanced(4, 7, 322)),
                ("tlsa-invalid", Enhanced(4, 7, 323)),
                ("dnssec-invalid", Enhanced(4, 7, 324)),
                ("certificate-host-mismatch", Enhanced(4, 7, 325)),
            ],
        },
    },
    expiry_status: Some((550, Enhanced(5, 4, 300), "Message expired", KEPT)),
    expiry: ExpiryTest::Timer,
    tells_postmaster: false,
    expiry_action: "failed",
    relay: None,
    tries_address_once: false,
    skips_silent: false,
    extensions: ExtensionRules { dsn: true, eight_bit: Lack::NotSaid, binary: Lack::NotSaid, utf8: Lack::NotSaid },
    pass: PassRules::PLAIN,
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::ExchangeOnline,
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
        retry: Retry::Steps { waits_ns: vec![15 * MINUTE, 15 * MINUTE, HOUR], lifetime_ns: DAY, delay_notice_ns: 0 },
        address_limit: 0,
        session_limit: 0,
        recipient_limit: 500,
        concurrency: (0, 0),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Tenants,
        tls: ClientTls::of(
            TlsPolicy { dane: DaneUse::Try, mta_sts: true, ..TlsPolicy::of(TlsLevel::Opportunistic) },
            (TlsVersion::Tls12, TlsVersion::Tls13),
        ),
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        targets: Targets::default(),
        failed_cohort_limit: 0,
        deliveries_in_all: 0,
        keeping: Keeping::Never,
    }
}

/// Why a message waited, where that stays the reason when its time is over: as 5.7.321 to 5.7.325 (DANE), 5.4.8 and 5.7.5 (MTA-STS).
const KEPT: &[Enhanced] = &[
    Enhanced(4, 7, 321),
    Enhanced(4, 7, 322),
    Enhanced(4, 7, 323),
    Enhanced(4, 7, 324),
    Enhanced(4, 7, 325),
    Enhanced(4, 4, 8),
    Enhanced(4, 7, 5),
];
