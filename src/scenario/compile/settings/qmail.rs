//! Control files of qmail, by name. Times are seconds.

use super::{Meaning, Table};
use crate::model::settings::Retry;

/// What is modelled.
pub(super) static TABLE: Table = &[
    ("timeoutconnect", Meaning::UnitTime('s', |t, ns| t.sender.timers.connect_ns = ns)),
    (
        "timeoutremote",
        Meaning::UnitTime('s', |t, ns| {
            let timers = &mut t.sender.timers;
            (timers.banner_ns, timers.ehlo_ns, timers.mail_ns, timers.rcpt_ns) = (ns, ns, ns, ns);
            (timers.data_ns, timers.content_ns, timers.final_dot_ns) = (ns, ns, ns);
        }),
    ),
    (
        "queuelifetime",
        Meaning::UnitTime('s', |t, ns| {
            if let Retry::Squares { lifetime_ns, .. } = &mut t.sender.retry {
                *lifetime_ns = ns;
            }
        }),
    ),
    ("databytes", Meaning::Bytes(|t, bytes| t.max_message_size = bytes)),
    ("concurrencylocal", Meaning::NoEffect),
    ("concurrencyremote", Meaning::Number(|t, n| t.sender.deliveries_in_all = n.max(1))),
    // The format has fields for these.
    ("smtproutes", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }")),
    ("locals", Meaning::Field("mailboxes: [\"*@example.com\"]")),
    ("rcpthosts", Meaning::Field("relay_domains: [\"example.com\"]")),
    ("me", Meaning::Field("hostname: \"mail.example.com\"")),
    ("helohost", Meaning::Field("hostname: \"mail.example.com\"")),
];
