//! Parameters of OpenSMTPD, names as in smtpd.conf(5): the words of a line up to its value.
//!
//! A time is a number and a unit (s m h d); there are no timers for connects and replies, so the kernel's stands here under its own name.

use super::{Meaning, Table, postfix};
use crate::base::SECOND;
use crate::model::settings::Retry;

/// What is modelled.
pub(super) static TABLE: Table = &[
    (
        "queue ttl",
        Meaning::UnitTime('s', |t, ns| {
            if let Retry::Squares { lifetime_ns, .. } = &mut t.sender.retry {
                *lifetime_ns = ns;
            }
        }),
    ),
    (
        "bounce warn-interval",
        Meaning::List(|t, text| {
            let ns = postfix::time(text, 's')
                .map_err(|_| "one delay stands here, as \"4h\"; of the four that smtpd.conf(5) allows the first is modelled")?;
            if let Retry::Squares { delay_notice_ns, .. } = &mut t.sender.retry {
                *delay_notice_ns = ns;
            }
            Ok(())
        }),
    ),
    // Linux repeats a SYN so often, after 1, 2, 4 … seconds.
    ("net.ipv4.tcp_syn_retries", Meaning::Number(|t, n| t.sender.timers.connect_ns = ((2 << n.min(6)) - 1) * SECOND)),
    // What it takes as a server.
    ("smtp max-message-size", Meaning::ScaledBytes(|t, bytes| t.max_message_size = bytes)),
    ("smtp limit max-rcpt", Meaning::Number(|t, n| t.max_recipients = n)),
    // The model does what these values say.
    ("mta max-deferred", Meaning::Only("100")),
    ("smtp limit max-mails", Meaning::NoEffect),
    // The format has fields for these.
    ("relay host", Meaning::Field("smart_hosts: [\"[relay.example.com]\"]")),
    ("relay tls", Meaning::Field("tls: (level: Verify)")),
    ("relay tls no-verify", Meaning::Field("tls: (level: Encrypt)")),
    ("relay src", Meaning::Field("egress: \"192.0.2.10\"")),
];
