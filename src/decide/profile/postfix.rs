//! Postfix 3: `smtp(8)` and `qmgr(8)` with their defaults; single settings are overridden in the scenario.
//!
//! Sources: postconf(5); smtp_addr.c, smtp_connect.c, smtp_proto.c, smtp_trouble.c, qmgr_active.c; and a running Postfix 3.7.11.

use super::*;
use crate::base::{DAY, Enhanced, MINUTE, SECOND, TlsVersion};
use crate::model::settings::{ClientTls, Families, FamilyPreference, Profile, Retry, Routing, Sender, Timers, TlsLevel, TlsPolicy};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "postfix",
    mx: MxRules {
        nxdomain_asks_address: true,
        no_such_domain: bounce(5, 4, 4),
        no_address: bounce(5, 4, 4),
        lookup_failed: defer(4, 4, 3),
        no_usable_target: bounce(5, 4, 4),
        no_usable_target_yet: defer(4, 4, 3),
        no_usable_target_mixed: defer(4, 4, 4),
        null_mx: bounce(5, 1, 0),
        null_mx_wins: true,
        null_mx_any_preference: true,
        address_in_mx_data: true,
        self_is_best: bounce(5, 4, 6),
        self_without_primary: defer(4, 4, 4),
        dns_patience: DnsPatience::Resolver,
        self_check: SelfCheck::Address,
        smart_host_lost: Some(defer(4, 3, 5)),
    },
    order: OrderRule::ByAddress,
    session: SessionRules {
        banner_5xx: Greeting5xx::Next,
        helo_after_any_refusal: true,
        helo_5xx: Greeting5xx::BouncesAtOnce,
        greeting_status: None,
        data_5xx_status: None,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name_is_loop: true,
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: (0, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: false,
        turns_recipients: false,
    },
    tls: TlsRules {
        refused_5xx_bounces: true,
        broken_handshake: BrokenHandshake::PlaintextWhenOld,
        not_offered: Enhanced(4, 7, 4),
        not_verified: Enhanced(4, 7, 5),
        starttls_refused: Enhanced(4, 7, 0),
        handshake: Enhanced(4, 7, 5),
        own_code: 0,
        looks_at_certificate: false,
        // OpenSSL 3 refuses the signatures of older versions at its default security level, which Postfix lowers for `may` and `encrypt` only.
        judged_version_min: TlsVersion::Tls12,
        subject_counts: true,
        revocation: RevocationCheck::Never,
        requiretls: true,
        mx_not_listed: Enhanced(4, 7, 5),
        mta_sts_failed: None,
        dane: DaneRules { unsigned_list_counts: true, ..DaneRules::RFC },
    },
    expiry_status: None,
    expiry: ExpiryTest::AfterAttempt,
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::Postfix,
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
        retry: Retry::Postfix {
            min_ns: 300 * SECOND,
            max_ns: 4000 * SECOND,
            scan_every_ns: 300 * SECOND,
            scan_offset_ns: 0,
            lifetime_ns: 5 * DAY,
            bounce_lifetime_ns: 5 * DAY,
            delay_warning_ns: 0,
        },
        address_limit: 5,
        session_limit: 2,
        recipient_limit: 50,
        concurrency: (5, 20),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() },
        tls: ClientTls { policy: TlsPolicy::of(TlsLevel::May), policies: Vec::new(), versions: (TlsVersion::Tls10, TlsVersion::Tls13) },
        skip_5xx_greeting: true,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        failed_cohort_limit: 1,
    }
}
