//! Options of Sendmail, names and notation as in op.me (`O Timeout.connect=2m` is `"Timeout.connect": "2m"`), and a few words of its m4 files.
//!
//! A time is a number and a unit (s m h d w); a bare number is in the option's own unit.

use super::{Meaning, Table};
use crate::base::SECOND;
use crate::model::settings::{Keeping, Retry};

/// How long Linux tries to connect where Sendmail sets no time.
const KERNEL_CONNECT_NS: u64 = 127 * SECOND;

/// Puts a time into a field of the retry rule.
macro_rules! retry {
    ($field:ident) => {
        |t, ns| {
            if let Retry::QueueRuns { $field, .. } = &mut t.sender.retry {
                *$field = ns;
            }
        }
    };
}

/// Puts a time into a field of what a queue run remembers.
macro_rules! run {
    ($field:ident) => {
        |t, ns| {
            if let Keeping::WithinRun { $field, .. } = &mut t.sender.keeping {
                *$field = ns;
            }
        }
    };
}

/// What is modelled, wider options before the narrower ones that override them.
pub(super) static TABLE: Table = &[
    // How long it waits.
    ("Timeout.connect", Meaning::UnitTime('m', |t, ns| t.sender.timers.connect_ns = if ns == 0 { KERNEL_CONNECT_NS } else { ns })),
    ("Timeout.iconnect", Meaning::UnitTime('m', |t, ns| t.sender.timers.first_connect_ns = ns)),
    ("Timeout.initial", Meaning::UnitTime('m', |t, ns| t.sender.timers.banner_ns = ns)),
    ("Timeout.helo", Meaning::UnitTime('m', |t, ns| t.sender.timers.ehlo_ns = ns)),
    ("Timeout.starttls", Meaning::UnitTime('m', |t, ns| t.sender.timers.starttls_ns = ns)),
    ("Timeout.auth", Meaning::UnitTime('m', |t, ns| t.sender.timers.auth_ns = ns)),
    ("Timeout.mail", Meaning::UnitTime('m', |t, ns| t.sender.timers.mail_ns = ns)),
    ("Timeout.rcpt", Meaning::UnitTime('m', |t, ns| t.sender.timers.rcpt_ns = ns)),
    ("Timeout.datainit", Meaning::UnitTime('m', |t, ns| t.sender.timers.data_ns = ns)),
    ("Timeout.datablock", Meaning::UnitTime('m', |t, ns| t.sender.timers.content_ns = ns)),
    ("Timeout.datafinal", Meaning::UnitTime('m', |t, ns| t.sender.timers.final_dot_ns = ns)),
    // When it tries again and when it gives up.
    ("MinQueueAge", Meaning::UnitTime('m', retry!(min_age_ns))),
    ("MaxQueueAge", Meaning::UnitTime('m', retry!(max_age_ns))),
    ("Timeout.queuereturn", Meaning::UnitTime('d', retry!(lifetime_ns))),
    ("Timeout.queuereturn.normal", Meaning::UnitTime('d', retry!(lifetime_ns))),
    ("Timeout.queuewarn", Meaning::UnitTime('h', retry!(warning_ns))),
    ("Timeout.queuewarn.normal", Meaning::UnitTime('h', retry!(warning_ns))),
    (
        "TLSFallbacktoClear",
        Meaning::Word(&[("True", |t| t.sender.tls.plain_retry = true), ("False", |t| t.sender.tls.plain_retry = false)]),
    ),
    // What a queue run remembers.
    (
        "ConnectionCacheSize",
        Meaning::Number(|t, n| {
            if let Keeping::WithinRun { connections, .. } = &mut t.sender.keeping {
                *connections = n
            }
        }),
    ),
    ("ConnectionCacheTimeout", Meaning::UnitTime('m', run!(idle_ns))),
    ("Timeout.hoststatus", Meaning::UnitTime('m', run!(host_status_ns))),
    // What it takes as a server.
    ("MaxMessageSize", Meaning::Bytes(|t, bytes| t.max_message_size = bytes)),
    ("MaxRecipientsPerMessage", Meaning::Number(|t, n| t.max_recipients = n)),
    ("MaxHopCount", Meaning::Number(|t, n| t.hop_limit = n.saturating_add(1))),
    // The model does what these values say.
    ("FallBackSmartHost", Meaning::Only("")),
    ("HostStatusDirectory", Meaning::Only("")),
    ("SingleThreadDelivery", Meaning::Only("False")),
    ("FastSplit", Meaning::Only("1")),
    ("Timeout.aconnect", Meaning::Only("0")),
    ("DeliveryMode", Meaning::Only("background")),
    ("TryNullMXList", Meaning::Only("False")),
    ("DontExpandCnames", Meaning::Only("False")),
    // Nothing that is shown depends on these.
    ("CACertFile", Meaning::NoEffect),
    ("CACertPath", Meaning::NoEffect),
    ("LogLevel", Meaning::NoEffect),
    ("QueueLA", Meaning::NoEffect),
    ("RefuseLA", Meaning::NoEffect),
    ("SetCertAltnames", Meaning::NoEffect),
    ("SmtpGreetingMessage", Meaning::NoEffect),
    ("Timeout.ident", Meaning::NoEffect),
    ("Timeout.quit", Meaning::NoEffect),
    // The format has fields for these.
    ("FallbackMXhost", Meaning::Field("fallback_hosts: [\"[fallback.example.com]\"]")),
    ("SMART_HOST", Meaning::Field("smart_hosts: [\"[relay.example.com]\"]")),
    ("mailertable", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }")),
    ("QueueRunInterval", Meaning::Field("queue_runs: (every: \"30m\")")),
    ("access_db", Meaning::Field("tls: (policies: { \"mx.example.com\": (level: Encrypt) })")),
];
