//! OpenSMTPD 7.8, and 6.8 where that differs (`version` beside the profile).
//!
//! Sources: mta.c, mta_session.c, dns.c, limit.c, scheduler_ramqueue.c, smtpd.conf(5); and a running OpenSMTPD 6.8.0p2. Not modelled:
//! SRS, filters, that mail is held back above fifty messages for a destination (`task-hiwat`).

use super::super::extensions::{ExtensionRules, Lack};
use super::*;
use crate::base::{DAY, Enhanced, HOUR, MILLISECOND, MINUTE, SECOND, TlsVersion};
use crate::decide::relay::RelayRules;
use crate::model::settings::{
    ClientTls, Families, FamilyPreference, Keeping, Profile, Retry, Returned, Routing, Sender, SessionLimits, Targets, Timers, TlsLevel,
    TlsPolicy,
};

/// 7.8.
pub(super) static BEHAVIOUR: Behaviour = BASE;

/// 6.8 knows no null MX, and calls an expired message delayed.
pub(super) static BEHAVIOUR_6: Behaviour = Behaviour {
    name: "opensmtpd 6.8",
    mx: MxRules { null_mx: NO_MX, localhost_is_null_mx: false, ..BASE.mx },
    expiry_action: "delayed",
    ..BASE
};

/// "No MX found for domain".
const NO_MX: End = defer(4, 4, 4);

const BASE: Behaviour = Behaviour {
    name: "opensmtpd",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: bounce(5, 1, 2),
        no_address: NO_MX,
        lookup_failed: defer(4, 4, 3),
        lookup_refused: Some(bounce(5, 4, 3)),
        lookup_failed_with_address: None,
        no_usable_target: NO_MX,
        no_usable_target_yet: NO_MX,
        no_usable_target_mixed: NO_MX,
        families: FamiliesAsked::AsAddresses,
        // asr(3) waits 5, 10, 20 and 40 s, for addresses the whole series twice, whatever resolv.conf says.
        dns_patience: DnsPatience::Own(75 * SECOND, 150 * SECOND),
        last_target_missing: None,
        null_mx_is_final: false,
        null_mx: bounce(5, 1, 10),
        null_mx_wins: false,
        null_mx_any_preference: false,
        localhost_is_null_mx: true,
        backup_has_no_fallback: false,
        keeps_duplicates: false,
        missing_name_is_no_mx: true,
        address_in_mx_data: true,
        // Nothing but the count of Received fields stops a loop.
        self_is_best: bounce(5, 4, 6),
        self_without_primary: NO_MX,
        self_check: SelfCheck::Never,
        smart_host_lost: Some(NO_MX),
        configuration_error: None,
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx: Greeting5xx::Next,
        helo: HeloUse::AfterAnyRefusal,
        helo_5xx: Greeting5xx::Next,
        greeting_status: None,
        status_by_code: false,
        closed_at_data: None,
        data_status: None,
        closing_at_mail: None,
        drops_other_class: false,
        tempfail_tries_next: false,
        rcpt_4xx_tries_next: false,
        one_connection: false,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name: OwnName::Ignored,
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: (0, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: false,
        recipients: RecipientOrder::ByLuck,
        carries_last_code: false,
        lost_at_rcpt: (0, 0),
        closed_at_rcpt: None,
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::PlaintextAtOnce,
        not_offered: Enhanced(4, 7, 4),
        not_verified: Enhanced(4, 7, 5),
        not_trusted: Enhanced(4, 7, 5),
        starttls_refused: Enhanced(4, 7, 0),
        starttls_refused_own: false,
        handshake: Enhanced(4, 7, 5),
        own_code: 0,
        drains_ns: 0,
        may_judges: false,
        refused_fails: false,
        looks_at_certificate: true,
        judged_version_min: TlsVersion::Tls12,
        subject_counts: true,
        brackets_stay: false,
        revocation: RevocationCheck::Never,
        requiretls: RequireTlsRule::Unknown,
        mx_not_listed: Enhanced(4, 7, 0),
        mta_sts_failed: None,
        policies_of_servers: false,
        dane: DaneRules::RFC,
    },
    expiry_status: Some((0, Enhanced(4, 4, 7), "Envelope expired", &[])),
    expiry_action: "failed",
    report_status: ReportStatus::PlainRefusals,
    report_names: NamesInReports::Unknown,
    minds_precedence: false,
    unwarned: Unwarned::Nobody,
    expiry: ExpiryTest::Timer,
    reports: ReportTime::EachPass,
    tells_postmaster: false,
    extensions: ExtensionRules { dsn: true, eight_bit: Lack::SendsAnyway, binary: Lack::Unknown, utf8: Lack::Unknown },
    door: DoorRules {
        unknown_user: Some((550, None, "Invalid recipient")),
        no_relay: (550, None, "Invalid recipient"),
        ..DoorRules::PLAIN
    },
    pass: PassRules {
        hop_refusal: (500, Enhanced(5, 4, 6), "Routing loop detected: Loop detected"),
        equal_members: EqualMembers::OnceOfRecipient,
        ..PassRules::PLAIN
    },
    tries_address_once: false,
    skips_silent: false,
    relay: Some(RelayRules {
        gives_up_after_ns: 11 * SECOND,
        session_looks_every_ns: SECOND,
        session_overlooks_ns: 50 * MILLISECOND,
        session_overlooks_percent: 75,
        suspended_ns: 15 * SECOND,
        suspended_most_ns: HOUR,
        looks_again_ns: 10 * SECOND,
        looks_first_ns: SECOND,
        looks_at_limits_ns: 5 * SECOND,
    }),
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender(profile: Profile) -> Sender {
    Sender {
        profile,
        timers: Timers {
            // No timer of its own for connects: the kernel's (`net.ipv4.tcp_syn_retries`).
            connect_ns: 127 * SECOND,
            first_connect_ns: 0,
            banner_ns: 5 * MINUTE,
            ehlo_ns: 5 * MINUTE,
            starttls_ns: 5 * MINUTE,
            auth_ns: 5 * MINUTE,
            mail_ns: 5 * MINUTE,
            rcpt_ns: 5 * MINUTE,
            data_ns: 5 * MINUTE,
            content_ns: 5 * MINUTE,
            final_dot_ns: 5 * MINUTE,
        },
        retry: Retry::Squares { by_age: false, lifetime_ns: 4 * DAY, delay_notice_ns: 4 * HOUR },
        targets: Targets::default(),
        address_limit: 0,
        session_limit: 0,
        recipient_limit: 0,
        // Its limits of sessions say how many there are.
        concurrency: (10_000, 10_000),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() },
        tls: ClientTls::of(TlsPolicy::of(TlsLevel::May), (TlsVersion::Tls12, TlsVersion::Tls13)),
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        failed_cohort_limit: 0,
        returned: Returned::IfAsked,
        // max-conn-per-source
        deliveries_in_all: 100,
        rate_delay_ns: 0,
        last_try: None,
        keeping: Keeping::Sessions(SessionLimits::OPENSMTPD),
        rest_follows: false,
    }
}
