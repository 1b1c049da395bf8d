//! Sendmail 8.17 with the configuration that its m4 files make by default; single options are overridden in the scenario.
//!
//! Sources: op.me (Sendmail Installation and Operation Guide); domain.c `getmxrr`, usersmtp.c `smtpinit`, queue.c `gatherq`, deliver.c; and a running
//! Sendmail 8.17.1.9. Not modelled: load limits, queue groups, DANE (Debian builds it without).

use super::super::extensions::{ExtensionRules, Lack};
use super::*;
use crate::base::{DAY, Enhanced, HOUR, MINUTE, SECOND, TlsVersion};
use crate::model::keeping::HostStatus;
use crate::model::retry_rules::QueueTimes;
use crate::model::settings::{
    ClientTls, Families, FamilyPreference, Keeping, Profile, Retry, Returned, Routing, Sender, Targets, Timers, TlsLevel, TlsPolicy,
};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "sendmail",
    mx: MxRules {
        // The name is canonified first, and an address is as good as an MX there.
        nxdomain_asks_address: true,
        no_such_domain: End { code: 550, ..bounce(5, 1, 2) },
        no_address: End { code: 550, ..bounce(5, 1, 2) },
        lookup_failed: defer(4, 4, 3),
        lookup_refused: None,
        // The name was canonified by its address before, so that this failure has no status of its own.
        lookup_failed_with_address: Some(defer(4, 0, 0)),
        no_usable_target: End { code: 550, ..bounce(5, 1, 2) },
        no_usable_target_yet: defer(4, 4, 3),
        // The class of the status is that of the last target, the message waits all the same.
        no_usable_target_mixed: defer(5, 1, 2),
        families: FamiliesAsked::Both,
        dns_patience: DnsPatience::AddressAskedTimes(3),
        last_target_missing: Some((Enhanced(5, 1, 2), Enhanced(4, 4, 3))),
        null_mx_is_final: true,
        null_mx: End { code: 556, ..bounce(5, 1, 10) },
        null_mx_wins: false,
        null_mx_any_preference: false,
        localhost_is_null_mx: false,
        backup_has_no_fallback: true,
        keeps_duplicates: false,
        missing_name_is_no_mx: false,
        address_in_mx_data: true,
        self_is_best: End { code: 553, ..bounce(5, 3, 5) },
        self_without_primary: End { code: 550, ..bounce(5, 1, 2) },
        self_check: SelfCheck::Name,
        smart_host_lost: None,
        configuration_error: None,
    },
    order: OrderRule::ByHost,
    session: SessionRules {
        banner_5xx: Greeting5xx::BouncesAtLast,
        helo: HeloUse::After5xx,
        helo_5xx: Greeting5xx::BouncesAtLast,
        greeting_status: Some((Enhanced(4, 5, 0), Some(Enhanced(5, 5, 0)))),
        // The reply to DATA, and 421 to MAIL, are judged by their code alone (usersmtp.c `smtpdata`, `smtpmailfrom`).
        status_by_code: true,
        closed_at_data: Some(Enhanced(4, 4, 2)),
        data_status: Some((Enhanced(4, 0, 0), Enhanced(5, 0, 0))),
        closing_at_mail: Some(Enhanced(4, 0, 0)),
        drops_other_class: false,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        one_connection: false,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name: OwnName::BouncesAtLast(553, Enhanced(5, 3, 5)),
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: (552, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: true,
        recipients: RecipientOrder::LastFirst,
        carries_last_code: true,
        lost_at_rcpt: (421, 451),
        closed_at_rcpt: Some((Enhanced(4, 2, 0), Enhanced(4, 0, 0))),
    },
    tls: TlsRules {
        refused_5xx_bounces: false,
        broken_handshake: BrokenHandshake::Never,
        not_offered: Enhanced(4, 7, 0),
        not_verified: Enhanced(4, 7, 0),
        not_trusted: Enhanced(4, 7, 0),
        starttls_refused: Enhanced(4, 7, 0),
        starttls_refused_own: false,
        handshake: Enhanced(4, 7, 0),
        own_code: 454,
        drains_ns: 2 * SECOND,
        may_judges: false,
        refused_fails: false,
        looks_at_certificate: true,
        judged_version_min: TlsVersion::Tls12,
        subject_counts: true,
        // A host of last resort keeps its brackets, and no certificate is for `[host]` (${server_name}); a smart host or a route loses them, if it is a name.
        brackets_stay: true,
        revocation: RevocationCheck::Never,
        requiretls: RequireTlsRule::Unknown,
        mx_not_listed: Enhanced(4, 7, 0),
        mta_sts_failed: None,
        policies_of_servers: true,
        dane: DaneRules::RFC,
    },
    expiry_status: Some((0, Enhanced(4, 4, 7), "Cannot send message within Timeout.queuereturn", &[])),
    expiry: ExpiryTest::AfterAttempt,
    reports: ReportTime::EachPass,
    tells_postmaster: true,
    expiry_action: "failed",
    report_status: ReportStatus::SessionFailed,
    report_names: NamesInReports::Meant,
    minds_precedence: true,
    unwarned: Unwarned::BulkAndOwners,
    relay: None,
    tries_address_once: true,
    skips_silent: false,
    extensions: ExtensionRules { dsn: true, eight_bit: Lack::Converts, binary: Lack::Unknown, utf8: Lack::Unknown },
    door: DoorRules { no_relay: (550, Some(Enhanced(5, 7, 1)), "Relaying denied"), ..DoorRules::PLAIN },
    pass: PassRules {
        own_literal_is_local: true,
        shares_signatures: true,
        rewrites_aliases: true,
        session_ends_name: true,
        fallback_breaks_off: true,
        jitters: false,
        hop_refusal: PassRules::PLAIN.hop_refusal,
        too_many_hops: Some((554, Enhanced(5, 4, 6), "Too many hops")),
        equal_members: EqualMembers::Once,
        at_start: AtStart::QueueRun,
        ..PassRules::PLAIN
    },
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::Sendmail,
        timers: Timers {
            // `Timeout.connect` 0 leaves it to the kernel; Linux gives up after six repetitions of the SYN.
            connect_ns: 127 * SECOND,
            first_connect_ns: 0,
            banner_ns: 5 * MINUTE,
            ehlo_ns: 5 * MINUTE,
            starttls_ns: HOUR,
            auth_ns: 10 * MINUTE,
            mail_ns: 10 * MINUTE,
            rcpt_ns: HOUR,
            data_ns: 5 * MINUTE,
            content_ns: HOUR,
            final_dot_ns: HOUR,
        },
        retry: Retry::QueueRuns {
            every_ns: HOUR,
            offset_ns: 0,
            min_age_ns: 0,
            max_age_ns: 0,
            times: Box::new(QueueTimes {
                lifetimes_ns: [5 * DAY, 2 * DAY, 7 * DAY, 5 * DAY],
                warnings_ns: [4 * HOUR, HOUR, 12 * HOUR, 4 * HOUR],
            }),
        },
        address_limit: 0,
        session_limit: 0,
        recipient_limit: 100,
        concurrency: (0, 0),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true },
        routing: Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() },
        tls: ClientTls::of(TlsPolicy::of(TlsLevel::May), (TlsVersion::Tls12, TlsVersion::Tls13)),
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        targets: Targets::default(),
        failed_cohort_limit: 0,
        returned: Returned::Whole,
        deliveries_in_all: 0,
        rate_delay_ns: 0,
        last_try: None,
        keeping: Keeping::WithinRun { connections: 2, idle_ns: 5 * MINUTE, host_status_ns: 30 * MINUTE, host_status: HostStatus::OfRun },
        rest_follows: false,
    }
}
