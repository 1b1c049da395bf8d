//! Parameters of Postfix, names and notation as in postconf(5).
//!
//! A time is a number and a unit (s m h d w); a bare number is in the parameter's own unit: seconds, or days for lifetimes, or hours for the warning.

use super::{Meaning, Table, Tuned};
use crate::base::{DAY, HOUR, MINUTE, SECOND, TlsVersion, common_form};
use crate::model::settings::{AliasNames, Cache, DaneDigests, DaneUse, FamilyPreference, Keeping, Retry, Returned, TlsLevel, UnsignedList};

/// Puts a time into a field of the retry rule.
macro_rules! retry {
    ($field:ident) => {
        |t, ns| {
            if let Retry::Postfix { $field, .. } = &mut t.sender.retry {
                *$field = ns;
            }
        }
    };
}

/// Of a number that the server does not start with below 1.
pub(super) fn at_least_one(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("a whole number of 1 or more stands here")
}

/// What is modelled, wider parameters before the narrower ones that override them.
pub(super) static TABLE: Table = &[
    // How long it waits.
    // 0 is the time limit of the operating system.
    ("smtp_connect_timeout", Meaning::UnitTime('s', |t, ns| t.sender.timers.connect_ns = if ns == 0 { 127 * SECOND } else { ns })),
    (
        "smtp_helo_timeout",
        Meaning::TimeAboveZero('s', |t, ns| {
            t.sender.timers.banner_ns = ns;
            t.sender.timers.ehlo_ns = ns;
            t.sender.timers.auth_ns = ns;
        }),
    ),
    ("smtp_starttls_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.starttls_ns = ns)),
    ("smtp_mail_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.mail_ns = ns)),
    ("smtp_rcpt_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.rcpt_ns = ns)),
    ("smtp_data_init_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.data_ns = ns)),
    ("smtp_data_xfer_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.content_ns = ns)),
    ("smtp_data_done_timeout", Meaning::TimeAboveZero('s', |t, ns| t.sender.timers.final_dot_ns = ns)),
    // When it tries again and when it gives up.
    ("queue_run_delay", Meaning::UnitTime('s', retry!(scan_every_ns))),
    ("minimal_backoff_time", Meaning::UnitTime('s', retry!(min_ns))),
    ("maximal_backoff_time", Meaning::UnitTime('s', retry!(max_ns))),
    ("maximal_queue_lifetime", Meaning::UnitTime('d', retry!(lifetime_ns))),
    ("bounce_queue_lifetime", Meaning::UnitTime('d', retry!(bounce_lifetime_ns))),
    ("delay_warning_time", Meaning::UnitTime('h', retry!(delay_warning_ns))),
    // How many at once.
    ("smtp_mx_address_limit", Meaning::Number(|t, n| t.sender.address_limit = n)),
    ("smtp_mx_session_limit", Meaning::Number(|t, n| t.sender.session_limit = n)),
    ("default_destination_recipient_limit", Meaning::Number(|t, n| t.sender.recipient_limit = n)),
    ("smtp_destination_recipient_limit", Meaning::Number(|t, n| t.sender.recipient_limit = n)),
    ("initial_destination_concurrency", Meaning::List(|t, text| at_least_one(text).map(|n| t.sender.concurrency.0 = n))),
    ("smtp_initial_destination_concurrency", Meaning::List(|t, text| at_least_one(text).map(|n| t.sender.concurrency.0 = n))),
    ("default_destination_concurrency_limit", Meaning::Number(|t, n| t.sender.concurrency.1 = n)),
    ("smtp_destination_concurrency_limit", Meaning::Number(|t, n| t.sender.concurrency.1 = n)),
    ("default_destination_concurrency_failed_cohort_limit", Meaning::Number(|t, n| t.sender.failed_cohort_limit = n)),
    ("smtp_destination_concurrency_failed_cohort_limit", Meaning::Number(|t, n| t.sender.failed_cohort_limit = n)),
    ("default_destination_rate_delay", Meaning::UnitTime('s', |t, ns| t.sender.rate_delay_ns = ns)),
    ("smtp_destination_rate_delay", Meaning::UnitTime('s', |t, ns| t.sender.rate_delay_ns = ns)),
    ("default_process_limit", Meaning::List(|t, text| at_least_one(text).map(|n| (t.sender.deliveries_in_all, t.sessions) = (n, n)))),
    // Connections that stay open.
    ("smtp_connection_cache_on_demand", Meaning::YesNo(|t, yes| cache(t).demanded = yes)),
    ("smtp_connection_cache_destinations", Meaning::List(cached_destinations)),
    ("smtp_connection_cache_time_limit", Meaning::UnitTime('s', |t, ns| cache(t).idle_ns = ns)),
    ("smtp_connection_reuse_time_limit", Meaning::UnitTime('s', |t, ns| cache(t).life_ns = ns)),
    // What is counted is how often a connection was used again.
    ("smtp_connection_reuse_count_limit", Meaning::Number(|t, n| cache(t).mails = if n == 0 { 0 } else { n.saturating_add(1) })),
    ("smtp_tls_connection_reuse", Meaning::YesNo(|t, yes| cache(t).encrypted = yes)),
    ("smtp_rset_timeout", Meaning::UnitTime('s', |t, ns| cache(t).probe_ns = ns)),
    // Which address first.
    ("smtp_skip_5xx_greeting", Meaning::YesNo(|t, yes| t.sender.skip_5xx_greeting = yes)),
    ("smtp_randomize_addresses", Meaning::YesNo(|t, yes| t.sender.randomize_addresses = yes)),
    ("smtp_balance_inet_protocols", Meaning::YesNo(|t, yes| t.sender.families.balance = yes)),
    (
        "smtp_cname_overrides_servername",
        Meaning::YesNo(|t, yes| t.sender.targets.alias_names = if yes { AliasNames::Final } else { AliasNames::Asked }),
    ),
    ("smtp_defer_if_no_mx_address_found", Meaning::YesNo(|t, yes| t.sender.defer_if_no_mx_address = yes)),
    (
        "smtp_address_preference",
        Meaning::Word(&[
            ("any", |t| t.sender.families.prefer = FamilyPreference::Any),
            ("ipv4", |t| t.sender.families.prefer = FamilyPreference::V4),
            ("ipv6", |t| t.sender.families.prefer = FamilyPreference::V6),
        ]),
    ),
    ("inet_protocols", Meaning::List(inet_protocols)),
    // TLS as a client.
    (
        "smtp_tls_security_level",
        Meaning::Word(&[
            ("none", |t| t.sender.tls.policy.level = TlsLevel::None),
            ("may", |t| t.sender.tls.policy.level = TlsLevel::May),
            ("encrypt", |t| t.sender.tls.policy.level = TlsLevel::Encrypt),
            ("verify", |t| t.sender.tls.policy.level = TlsLevel::Verify),
            ("secure", |t| t.sender.tls.policy.level = TlsLevel::Secure),
            ("fingerprint", |t| t.sender.tls.policy.level = TlsLevel::Fingerprint),
            ("dane", |t| (t.sender.tls.policy.level, t.sender.tls.policy.dane) = (TlsLevel::May, DaneUse::Try)),
            ("dane-only", |t| (t.sender.tls.policy.level, t.sender.tls.policy.dane) = (TlsLevel::May, DaneUse::Must)),
        ]),
    ),
    (
        "smtp_tls_dane_insecure_mx_policy",
        Meaning::Word(&[
            ("may", |t| t.sender.tls.policy.unsigned_list = UnsignedList::May),
            ("encrypt", |t| t.sender.tls.policy.unsigned_list = UnsignedList::Encrypt),
            ("dane", |t| t.sender.tls.policy.unsigned_list = UnsignedList::AsProfile),
        ]),
    ),
    ("tls_dane_digests", Meaning::List(dane_digests)),
    ("smtp_tls_protocols", Meaning::List(protocols)),
    ("smtp_tls_mandatory_protocols", Meaning::List(mandatory_protocols)),
    ("smtp_tls_verify_cert_match", Meaning::List(|t, text| match_names(t, TlsLevel::Verify, text))),
    ("smtp_tls_secure_cert_match", Meaning::List(|t, text| match_names(t, TlsLevel::Secure, text))),
    // What its reports return.
    ("bounce_size_limit", Meaning::Bytes(|t, bytes| t.sender.returned = bytes.map_or(Returned::Whole, Returned::UpTo))),
    // What it takes as a server.
    ("message_size_limit", Meaning::Bytes(|t, bytes| t.max_message_size = bytes)),
    ("smtpd_recipient_limit", Meaning::List(|t, text| at_least_one(text).map(|n| t.max_recipients = n))),
    ("hopcount_limit", Meaning::List(|t, text| at_least_one(text).map(|n| t.hop_limit = n))),
    ("smtpd_client_connection_count_limit", Meaning::Number(|t, n| t.client_limits.connections = n)),
    ("smtpd_soft_error_limit", Meaning::List(|t, text| at_least_one(text).map(|n| t.client_limits.soft_errors = n))),
    ("smtpd_hard_error_limit", Meaning::List(|t, text| at_least_one(text).map(|n| t.client_limits.hard_errors = n))),
    ("smtpd_sender_restrictions", Meaning::Restrictions(|t| &mut t.restrictions.sender)),
    ("smtpd_recipient_restrictions", Meaning::Restrictions(|t| &mut t.restrictions.recipient)),
    (
        "unknown_address_reject_code",
        Meaning::List(|t, text| {
            let code = text.parse().ok().filter(|code| (400..600).contains(code));
            t.restrictions.unknown_code = code.ok_or("a reply code stands here: \"450\" or \"550\"")?;
            Ok(())
        }),
    ),
    ("smtpd_error_sleep_time", Meaning::UnitTime('s', |t, ns| t.client_limits.late_ns = ns)),
    // The model does what these values say.
    ("ignore_mx_lookup_error", Meaning::Only("no")),
    ("disable_dns_lookups", Meaning::Only("no")),
    ("smtp_host_lookup", Meaning::Only("dns")),
    ("smtp_dns_support_level", Meaning::Only("enabled")),
    ("smtp_never_send_ehlo", Meaning::Only("no")),
    ("smtp_always_send_ehlo", Meaning::Only("yes")),
    ("smtp_per_record_deadline", Meaning::Only("no")),
    ("smtp_per_request_deadline", Meaning::Only("no")),
    ("smtp_tls_wrappermode", Meaning::YesNo(|t, yes| t.sender.tls.policy.implicit = yes)),
    ("smtp_tls_enforce_peername", Meaning::Only("yes")),
    ("smtp_sasl_auth_enable", Meaning::Only("no")),
    ("smtp_sender_dependent_authentication", Meaning::Only("no")),
    ("soft_bounce", Meaning::Only("no")),
    // Nothing that is shown depends on these.
    ("compatibility_level", Meaning::NoEffect),
    ("maillog_file", Meaning::NoEffect),
    ("notify_classes", Meaning::List(notify_classes)),
    ("smtp_quit_timeout", Meaning::NoEffect),
    ("smtp_tls_CAfile", Meaning::NoEffect),
    ("smtp_tls_CApath", Meaning::NoEffect),
    ("smtp_tls_loglevel", Meaning::NoEffect),
    ("smtp_tls_note_starttls_offer", Meaning::NoEffect),
    ("smtp_tls_session_cache_database", Meaning::NoEffect),
    ("smtpd_banner", Meaning::NoEffect),
    ("smtpd_tls_loglevel", Meaning::NoEffect),
    // The format has fields for these.
    ("fallback_relay", Meaning::Field("fallback_hosts: [\"[fallback.example.com]\"]")),
    ("smtp_fallback_relay", Meaning::Field("fallback_hosts: [\"[fallback.example.com]\"]")),
    ("relayhost", Meaning::Field("smart_hosts: [\"[relay.example.com]\"]")),
    ("transport_maps", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }")),
    ("mydestination", Meaning::Field("mailboxes: [\"*@example.com\"]")),
    ("virtual_mailbox_domains", Meaning::Field("mailboxes: [\"*@example.com\"]")),
    ("relay_domains", Meaning::Field("relay_domains: [\"example.com\"]")),
    ("mynetworks", Meaning::Field("relay_clients: [\"192.0.2.0/24\"]")),
    ("myhostname", Meaning::Field("hostname: \"mail.example.com\"")),
    ("inet_interfaces", Meaning::Field("addresses: [\"192.0.2.10\"]")),
    ("smtp_bind_address", Meaning::Field("egress: \"192.0.2.10\"")),
    ("smtp_tls_policy_maps", Meaning::Field("tls: (policies: { \"example.com\": (level: Encrypt) })")),
    ("smtpd_tls_cert_file", Meaning::Field("certificate: \"name of a certificate\"")),
    ("smtpd_tls_chain_files", Meaning::Field("certificate: \"name of a certificate\"")),
    ("smtpd_tls_security_level", Meaning::Field("certificate, and listeners: { \"smtp\": (require_tls: true) }")),
];

/// What Postfix has and the model does not.
pub(super) static NOT_MODELLED: &[&str] = &[
    "address_verify_poll_count",
    "alias_maps",
    "always_bcc",
    "best_mx_transport",
    "bounce_template_file",
    "canonical_maps",
    "content_filter",
    "default_delivery_slot_cost",
    "default_recipient_limit",
    "default_transport",
    "default_transport_rate_delay",
    "destination_concurrency_feedback_debug",
    "default_destination_concurrency_negative_feedback",
    "default_destination_concurrency_positive_feedback",
    "fast_flush_domains",
    "header_checks",
    "in_flow_delay",
    "local_recipient_maps",
    "lmtp_connect_timeout",
    "luser_relay",
    "masquerade_domains",
    "milter_default_action",
    "non_smtpd_milters",
    "postscreen_greet_action",
    "proxy_interfaces",
    "qmgr_message_active_limit",
    "qmgr_message_recipient_limit",
    "recipient_bcc_maps",
    "recipient_canonical_maps",
    "recipient_delimiter",
    "relay_recipient_maps",
    "relay_transport",
    "sender_bcc_maps",
    "sender_canonical_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "smtp_delivery_status_filter",
    "smtp_destination_concurrency_negative_feedback",
    "smtp_destination_concurrency_positive_feedback",
    "smtp_discard_ehlo_keywords",
    "smtp_dns_reply_filter",
    "smtp_generic_maps",
    "smtp_helo_name",
    "smtp_line_length_limit",
    "smtp_reply_filter",
    "smtp_sasl_password_maps",
    "smtp_tls_block_early_mail_reply",
    "smtp_tls_fingerprint_cert_match",
    "smtp_transport_rate_delay",
    "smtpd_client_connection_rate_limit",
    "smtpd_client_message_rate_limit",
    "smtpd_client_recipient_rate_limit",
    "smtpd_client_restrictions",
    "smtpd_data_restrictions",
    "smtpd_delay_reject",
    "smtpd_discard_ehlo_keywords",
    "smtpd_helo_restrictions",
    "smtpd_milters",
    "smtpd_relay_restrictions",
    "smtpd_timeout",
    "smtpd_tls_protocols",
    "smtputf8_enable",
    "transport_retry_time",
    "virtual_alias_maps",
];

/// `90`, `2m`, `5d`.
pub(super) fn time(text: &str, unit: char) -> Result<u64, String> {
    let wrong = || format!("a time is a number and a unit (s m h d w), as \"300s\"; a bare number is in `{unit}`");
    let (number, unit) = match text.chars().last() {
        Some(last) if last.is_ascii_alphabetic() => (&text[..text.len() - 1], last),
        _ => (text, unit),
    };
    let factor = match unit {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

/// Which address families it uses at all; a family that the machine has no address of stays out.
fn inet_protocols(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let words: Vec<String> = text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect();
    let all = words.iter().any(|word| word == "all");
    if words.is_empty() || words.iter().any(|word| !matches!(word.as_str(), "all" | "ipv4" | "ipv6")) {
        return Err("`all`, `ipv4`, `ipv6` or `ipv4, ipv6` stands here");
    }
    tuned.sender.families.v4 &= all || words.iter().any(|word| word == "ipv4");
    tuned.sender.families.v6 &= all || words.iter().any(|word| word == "ipv6");
    Ok(())
}

/// Names that a certificate must carry at a level, wherever the level is set.
fn match_names(tuned: &mut Tuned, level: TlsLevel, text: &str) -> Result<(), &'static str> {
    let names = text.split([',', ' ', ':']).filter(|word| !word.is_empty()).map(|word| common_form(word).into()).collect();
    tuned.names_of_levels.push((level, names));
    Ok(())
}

/// Who is told of what, besides the sender: copies for the postmaster of bounces are not modelled.
fn notify_classes(_: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let mut words = text.split([',', ' ']).filter(|word| !word.is_empty());
    match words.find(|word| !matches!(*word, "resource" | "software" | "policy" | "protocol")) {
        None => Ok(()),
        Some("bounce" | "2bounce" | "delay") => {
            Err("copies of bounces and delay notices for the postmaster are not modelled: leave the class out")
        }
        Some(_) => Err("classes stand here: \"resource, software\", `policy` and `protocol` beside them"),
    }
}

/// The connection cache of a sender of this profile.
fn cache(tuned: &mut Tuned) -> &mut Cache {
    match &mut tuned.sender.keeping {
        Keeping::Cache(cache) => cache,
        Keeping::Never | Keeping::ForWaiting { .. } | Keeping::WithinRun { .. } | Keeping::Sessions(_) => {
            unreachable!("this table is for Postfix")
        }
    }
}

/// `example.com, [relay.example.com]`, or `static:all`.
fn cached_destinations(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let words: Vec<&str> = text.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    if words.iter().any(|word| (word.contains(':') && *word != "static:all") && !word.contains("]:") || word.contains('/')) {
        return Err("next hops stand here, as \"example.com, [relay.example.com]\", or \"static:all\"; tables are not modelled");
    }
    cache(tuned).destinations =
        words.into_iter().map(|word| if word == "static:all" { "*".into() } else { common_form(word).into() }).collect();
    Ok(())
}

/// `sha512 sha256`, the one that is trusted most first.
fn dane_digests(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let words: Vec<&str> = text.split([',', ' ', ':']).filter(|word| !word.is_empty()).collect();
    // Newer digests may be given their matching type, as in `sha512=2`.
    let plain = |word: &&str| match *word {
        "sha512" | "sha512=2" => "sha512",
        "sha256" | "sha256=1" => "sha256",
        _ => "",
    };
    tuned.sender.tls.digests = match *words.iter().map(plain).collect::<Vec<_>>() {
        ["sha512", "sha256"] => DaneDigests::Sha512First,
        ["sha256", "sha512"] => DaneDigests::Sha256First,
        ["sha512"] => DaneDigests::Sha512,
        ["sha256"] => DaneDigests::Sha256,
        _ => return Err("`sha512` and `sha256` stand here, the one that is trusted most first"),
    };
    Ok(())
}

/// Where TLS is optional; the other parameter, as it is delivered, stays behind for the levels that insist.
fn protocols(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let tls = &mut tuned.sender.tls;
    tls.demanded_versions.get_or_insert(tls.versions);
    tls.versions = read_protocols(text)?;
    Ok(())
}

fn mandatory_protocols(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    tuned.sender.tls.demanded_versions = Some(read_protocols(text)?);
    Ok(())
}

/// `>=TLSv1.2`, `<=TLSv1.2`, `!SSLv3, !TLSv1`, `TLSv1.2 TLSv1.3`: from and to.
fn read_protocols(text: &str) -> Result<(TlsVersion, TlsVersion), &'static str> {
    const WRONG: &str = "protocols are written \">=TLSv1.2\", or \"!SSLv2, !SSLv3, !TLSv1\"";
    const ALL: [TlsVersion; 4] = [TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12, TlsVersion::Tls13];
    let (mut least, mut most) = (TlsVersion::Tls10, TlsVersion::Tls13);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for word in text.split([',', ' ', ':']).filter(|word| !word.is_empty()) {
        let name = word.trim_start_matches(['!', '<', '>', '=']);
        let version = match name.to_ascii_lowercase().as_str() {
            "sslv2" | "sslv3" => None,
            "tlsv1" | "tlsv1.0" => Some(TlsVersion::Tls10),
            "tlsv1.1" => Some(TlsVersion::Tls11),
            "tlsv1.2" => Some(TlsVersion::Tls12),
            "tlsv1.3" => Some(TlsVersion::Tls13),
            _ => return Err(WRONG),
        };
        match (&word[..word.len() - name.len()], version) {
            ("!", version) => without.extend(version),
            (">=", version) => least = version.unwrap_or(least),
            ("<=", Some(version)) => most = version,
            ("", Some(version)) => with.push(version),
            _ => return Err(WRONG),
        }
    }
    let allowed = |version: &TlsVersion| {
        (least..=most).contains(version) && !without.contains(version) && (with.is_empty() || with.contains(version))
    };
    let left: Vec<TlsVersion> = ALL.into_iter().filter(|version| allowed(version)).collect();
    match (left.first(), left.last()) {
        (Some(first), Some(last)) => Ok((*first, *last)),
        _ => Err("no version of TLS is left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            ("90", 's', Some(90 * SECOND)),
            ("2m", 's', Some(2 * MINUTE)),
            ("5", 'd', Some(5 * DAY)),
            ("0h", 'h', Some(0)),
            ("1.5h", 's', None),
            ("", 's', None),
            ("d", 's', None),
        ];
        for (text, unit, expected) in cases {
            assert_eq!(time(text, unit).ok(), expected, "{text}");
        }
    }

    #[test]
    fn versions() {
        use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
        let cases = [
            (">=TLSv1.2", Some((Tls12, Tls13))),
            (">=TLSv1, <=TLSv1.2", Some((Tls10, Tls12))),
            ("!SSLv2, !SSLv3", Some((Tls10, Tls13))),
            ("!SSLv2 !SSLv3 !TLSv1", Some((Tls11, Tls13))),
            ("TLSv1.2", Some((Tls12, Tls12))),
            ("TLSv9", None),
            ("!TLSv1, !TLSv1.1, !TLSv1.2, !TLSv1.3", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read_protocols(text).ok(), expected, "{text}");
        }
    }
}
