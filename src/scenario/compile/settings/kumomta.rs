//! Parameters of KumoMTA, names as in `kumo.make_queue_config` and `kumo.make_egress_path`. Durations carry their unit.

use super::{Meaning, Table};
use crate::model::settings::{Keeping, Retry, TlsLevel};

/// Puts a time into a field of the retry rule.
macro_rules! retry {
    ($field:ident) => {
        |t, ns| {
            if let Retry::Rfc { $field, .. } = &mut t.sender.retry {
                *$field = ns;
            }
        }
    };
}

/// What is modelled.
pub(super) static TABLE: Table = &[
    ("retry_interval", Meaning::Duration(retry!(first_ns))),
    ("max_retry_interval", Meaning::Duration(retry!(max_ns))),
    ("max_age", Meaning::Duration(retry!(lifetime_ns))),
    (
        "connect_timeout",
        Meaning::Duration(|t, ns| {
            t.sender.timers.connect_ns = ns;
            t.sender.timers.banner_ns = ns;
        }),
    ),
    ("ehlo_timeout", Meaning::Duration(|t, ns| t.sender.timers.ehlo_ns = ns)),
    ("starttls_timeout", Meaning::Duration(|t, ns| t.sender.timers.starttls_ns = ns)),
    ("auth_timeout", Meaning::Duration(|t, ns| t.sender.timers.auth_ns = ns)),
    ("mail_from_timeout", Meaning::Duration(|t, ns| t.sender.timers.mail_ns = ns)),
    ("rcpt_to_timeout", Meaning::Duration(|t, ns| t.sender.timers.rcpt_ns = ns)),
    ("data_timeout", Meaning::Duration(|t, ns| t.sender.timers.data_ns = ns)),
    ("data_dot_timeout", Meaning::Duration(|t, ns| t.sender.timers.final_dot_ns = ns)),
    (
        "connection_limit",
        Meaning::List(|t, text| {
            // `local:` and signs between the digits say nothing about the number.
            let digits = text.strip_prefix("local:").unwrap_or(text).replace([',', '_'], "");
            let most = digits.parse().ok().filter(|most| *most > 0);
            let most = most.ok_or("a number above 0 stands here: without a connection nothing leaves")?;
            t.sender.concurrency = (most, most);
            Ok(())
        }),
    ),
    (
        "enable_tls",
        Meaning::Word(&[
            ("Opportunistic", |t| t.sender.tls.policy.level = TlsLevel::May),
            ("OpportunisticInsecure", |t| t.sender.tls.policy.level = TlsLevel::Opportunistic),
            ("Required", |t| t.sender.tls.policy.level = TlsLevel::Verify),
            ("RequiredInsecure", |t| t.sender.tls.policy.level = TlsLevel::Encrypt),
            ("Disabled", |t| t.sender.tls.policy.level = TlsLevel::None),
        ]),
    ),
    ("enable_mta_sts", Meaning::YesNo(|t, yes| t.sender.tls.policy.mta_sts = yes)),
    ("try_next_host_on_transport_error", Meaning::Only("false")),
    (
        "opportunistic_tls_reconnect_on_failed_handshake",
        Meaning::Word(&[("true", |t| t.sender.tls.plain_retry = true), ("false", |t| t.sender.tls.plain_retry = false)]),
    ),
    (
        "idle_timeout",
        Meaning::Duration(|t, ns| {
            if let Keeping::Cache(cache) = &mut t.sender.keeping {
                cache.idle_ns = ns
            }
        }),
    ),
    (
        "max_deliveries_per_connection",
        Meaning::Number(|t, n| {
            if let Keeping::Cache(cache) = &mut t.sender.keeping {
                cache.mails = n
            }
        }),
    ),
    ("max_ready", Meaning::NoEffect),
];

/// Further keys of make_egress_path and make_queue_config.
pub(super) static NOT_MODELLED: &[&str] = &[
    "additional_connection_limits",
    "additional_message_rate_throttles",
    "additional_source_selection_rates",
    "allow_smtp_auth_plain_without_tls",
    "consecutive_connection_failures_before_delay",
    "egress_pool",
    "ehlo_domain",
    "enable_dane",
    "enable_pipelining",
    "max_connection_rate",
    "max_message_rate",
    "max_recipients_per_batch",
    "overall_max_message_rate",
    "prohibited_hosts",
    "protocol",
    "reconnect_strategy",
    "remember_broken_tls",
    "skip_hosts",
    "smtp_auth_plain_password",
    "smtp_auth_plain_username",
    "smtp_port",
    "source_selection_rate",
    "strategy",
    "suspended",
    "tls_certificate",
    "tls_private_key",
    "use_lmtp",
];
