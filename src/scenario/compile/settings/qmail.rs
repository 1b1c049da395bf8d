//! Control files of qmail, by name. Times are seconds.

use super::{Meaning, Table, Tuned};
use crate::model::settings::Retry;

/// What is modelled.
pub(super) static TABLE: Table = &[
    ("timeoutconnect", Meaning::Seconds(|t, ns| t.sender.timers.connect_ns = ns)),
    (
        "timeoutremote",
        Meaning::Seconds(|t, ns| {
            let timers = &mut t.sender.timers;
            (timers.banner_ns, timers.ehlo_ns, timers.mail_ns, timers.rcpt_ns) = (ns, ns, ns, ns);
            (timers.data_ns, timers.content_ns, timers.final_dot_ns) = (ns, ns, ns);
        }),
    ),
    (
        "queuelifetime",
        Meaning::Seconds(|t, ns| {
            if let Retry::Squares { lifetime_ns, .. } = &mut t.sender.retry {
                *lifetime_ns = ns;
            }
        }),
    ),
    ("databytes", Meaning::Bytes(|t, bytes| t.max_message_size = bytes)),
    ("concurrencylocal", Meaning::NoEffect),
    ("concurrencyremote", Meaning::List(concurrency)),
    // The format has fields for these.
    ("smtproutes", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }")),
    ("locals", Meaning::Field("mailboxes: [\"*@example.com\"]")),
    ("rcpthosts", Meaning::Field("relay_domains: [\"example.com\"]")),
    ("me", Meaning::Field("hostname: \"mail.example.com\"")),
    ("helohost", Meaning::Field("hostname: \"mail.example.com\"")),
];

/// How many deliveries to others at once; 255 at most as it is built (qmail-send(8)).
fn concurrency(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    match text.parse::<u32>() {
        Ok(0) => Err("0 holds all mail for others back, which is not modelled; 1 is the least"),
        Ok(number) => {
            tuned.sender.deliveries_in_all = number.min(255);
            Ok(())
        }
        Err(_) => Err("a whole number stands here"),
    }
}
