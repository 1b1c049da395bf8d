//! Exim 4: routers `dnslookup` and `manualroute`, transport `smtp`, with the defaults of the program and the retry rule of its sample configuration.
//!
//! Sources: specification (spec.xfpt); host.c `host_find_bydns`, routers/dnslookup.c, transports/smtp.c, retry.c, deliver.c; and a running Exim 4.96.
//! Exim gives its own failures no enhanced status: those here are the ones of RFC 3463 for the same thing. Not modelled: SRV records, local
//! transports, filters.

use super::super::extensions::{ExtensionRules, Lack};
use super::*;
use crate::base::{DAY, Enhanced, HOUR, MINUTE, TlsVersion};
use crate::model::host_list::HostList;
use crate::model::retry_rules::{EximRetry, Growth, RetryError, RetryPart, RetryRule, Warned};
use crate::model::settings::{
    ClientTls, Families, FamilyPreference, Keeping, Profile, Retry, Returned, Routing, Sender, Targets, Timers, TlsLevel, TlsPolicy,
};

pub(super) static BEHAVIOUR: Behaviour = Behaviour {
    name: "exim",
    mx: MxRules {
        nxdomain_asks_address: false,
        no_such_domain: bounce(5, 1, 2),
        no_address: bounce(5, 4, 4),
        lookup_failed: defer(4, 4, 3),
        lookup_refused: None,
        lookup_failed_with_address: None,
        no_usable_target: bounce(5, 4, 4),
        no_usable_target_yet: defer(4, 4, 3),
        no_usable_target_mixed: defer(4, 4, 3),
        null_mx: bounce(5, 1, 10),
        null_mx_wins: false,
        null_mx_any_preference: false,
        localhost_is_null_mx: false,
        backup_has_no_fallback: true,
        keeps_duplicates: false,
        address_in_mx_data: false,
        self_is_best: End { freeze: true, ..defer(4, 4, 6) },
        self_without_primary: bounce(5, 4, 4),
        families: FamiliesAsked::AsAddresses,
        dns_patience: DnsPatience::Resolver,
        last_target_missing: None,
        null_mx_is_final: true,
        self_check: SelfCheck::Address,
        smart_host_lost: Some(defer(4, 4, 4)),
        configuration_error: None,
    },
    order: OrderRule::ByHostAndAddress,
    session: SessionRules {
        banner_5xx: Greeting5xx::BouncesAtLast,
        helo: HeloUse::AfterAnyRefusal,
        helo_5xx: Greeting5xx::BouncesAtLast,
        greeting_status: None,
        status_by_code: false,
        closed_at_data: None,
        data_status: None,
        closing_at_mail: None,
        drops_other_class: false,
        tempfail_tries_next: true,
        rcpt_4xx_tries_next: true,
        one_connection: false,
        rcpt_552_is_temporary: false,
        size_checked_before_mail: true,
        own_name: OwnName::Ignored,
        refused: Enhanced(4, 4, 1),
        connect_timeout: Enhanced(4, 4, 1),
        unreachable: Enhanced(4, 4, 1),
        lost: Enhanced(4, 4, 2),
        too_big: (552, Enhanced(5, 3, 4)),
        keeps_rcpt_4xx: false,
        recipients: RecipientOrder::Given,
        carries_last_code: false,
        lost_at_rcpt: (0, 0),
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
        judged_version_min: TlsVersion::Tls10,
        subject_counts: true,
        brackets_stay: false,
        revocation: RevocationCheck::Never,
        requiretls: false,
        mx_not_listed: Enhanced(4, 7, 5),
        mta_sts_failed: None,
        policies_of_servers: false,
        dane: DaneRules {
            missing: bounce(5, 7, 5),
            name_counts: false,
            asks_listed_name: true,
            useless_is_missing: false,
            strongest_digest: false,
            ..DaneRules::RFC
        },
    },
    expiry_status: None,
    expiry: ExpiryTest::AfterAttempt,
    reports: ReportTime::EachPass,
    tells_postmaster: false,
    expiry_action: "failed",
    report_status: ReportStatus::ByAction,
    report_names: NamesInReports::AsGiven,
    minds_precedence: false,
    unwarned: Unwarned::Bulk,
    relay: None,
    tries_address_once: false,
    skips_silent: false,
    extensions: ExtensionRules { dsn: true, eight_bit: Lack::SendsAnyway, binary: Lack::Unknown, utf8: Lack::SendsAscii },
    door: DoorRules {
        full: (None, "Too many concurrent SMTP connections; please try again later."),
        client_full: (None, "Too many concurrent SMTP connections from this IP address; please try again later."),
        unknown_user: Some((550, None, "Unknown user")),
        no_relay: (550, None, "relay not permitted"),
        ..DoorRules::PLAIN
    },
    pass: PassRules {
        queues_retry: false,
        remembers: true,
        groups_by_hosts: true,
        shares_signatures: false,
        limit_jumps: true,
        last_as_listed: true,
        takes_literals: false,
        smart_host_needs_mx: true,
        whole_list_waits: true,
        reads_delivered_to: false,
        rewrites_aliases: false,
        session_ends_name: false,
        fallback_breaks_off: false,
        equal_members: EqualMembers::Once,
        jitters: false,
        learns_from_failures: false,
        sequence_errors_wait: false,
        shares_sites: false,
        hop_refusal: PassRules::PLAIN.hop_refusal,
        too_many_hops: Some((0, Enhanced(5, 4, 6), "Too many \"Received\" headers - suspected mail loop")),
        login_5xx_waits: false,
    },
};

/// The sending side as it is delivered: what a scenario does not write.
pub(super) fn sender() -> Sender {
    Sender {
        profile: Profile::Exim,
        timers: Timers {
            connect_ns: 5 * MINUTE,
            first_connect_ns: 0,
            banner_ns: 5 * MINUTE,
            ehlo_ns: 5 * MINUTE,
            starttls_ns: 5 * MINUTE,
            auth_ns: 5 * MINUTE,
            mail_ns: 5 * MINUTE,
            rcpt_ns: 5 * MINUTE,
            data_ns: 5 * MINUTE,
            content_ns: 5 * MINUTE,
            final_dot_ns: 10 * MINUTE,
        },
        retry: Retry::Exim(Box::new(EximRetry {
            rules: vec![sample_rule()],
            interval_max_ns: DAY,
            data_expire_ns: 7 * DAY,
            by_address: true,
            runs_every_ns: 30 * MINUTE,
            runs_offset_ns: 0,
            runs_at_once: 5,
            deliveries_at_once: 2,
            one_connection: HostList::default(),
            delay_warnings_ns: vec![DAY],
            warned: Warned::NotBulk,
            ignore_bounce_errors_after_ns: 70 * DAY,
            auto_thaw_ns: 0,
            timeout_frozen_after_ns: 0,
        })),
        address_limit: 5,
        session_limit: 0,
        recipient_limit: 100,
        concurrency: (0, 0),
        families: Families { v4: true, v6: true, prefer: FamilyPreference::V6, balance: false },
        routing: Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() },
        tls: ClientTls::of(TlsPolicy::of(TlsLevel::May), (TlsVersion::Tls10, TlsVersion::Tls13)),
        skip_5xx_greeting: false,
        randomize_addresses: true,
        defer_if_no_mx_address: false,
        targets: Targets {
            ignored: vec!["0.0.0.0/32".parse().expect("a network"), "127.0.0.0/8".parse().expect("a network")],
            ..Targets::default()
        },
        failed_cohort_limit: 0,
        // bounce_return_size_limit = 100K, and up to the end of the buffer of 8K (deliver.c).
        returned: Returned::UpTo(106_496),
        deliveries_in_all: 0,
        rate_delay_ns: 0,
        last_try: None,
        keeping: Keeping::ForWaiting { mails: 500 },
        rest_follows: true,
    }
}

/// `* * F,2h,15m; G,16h,1h,1.5; F,4d,6h`
fn sample_rule() -> RetryRule {
    let part = |growth, cutoff_ns, wait_ns, factor| RetryPart { growth, cutoff_ns, wait_ns, factor };
    RetryRule {
        pattern: "*".into(),
        error: RetryError::Any,
        parts: vec![
            part(Growth::Fixed, 2 * HOUR, 15 * MINUTE, 1000),
            part(Growth::Geometric, 16 * HOUR, HOUR, 1500),
            part(Growth::Fixed, 4 * DAY, 6 * HOUR, 1000),
        ],
    }
}
