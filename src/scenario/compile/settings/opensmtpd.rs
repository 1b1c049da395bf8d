//! Parameters of OpenSMTPD, names as in smtpd.conf(5): the words of a line up to its value.
//!
//! A time is a number and a unit (s m h d); there are no timers for connects and replies, so the kernel's stands here under its own name.

use super::{Meaning, Table, postfix};
use crate::base::{Domain, SECOND};
use crate::model::host_list::HostList;
use crate::model::settings::{Keeping, Retry, SessionLimits};

/// The limits of sessions.
fn limits(tuned: &mut super::Tuned) -> &mut SessionLimits {
    match &mut tuned.sender.keeping {
        Keeping::Sessions(limits) => limits,
        Keeping::Never | Keeping::Cache(_) | Keeping::ForWaiting { .. } | Keeping::WithinRun { .. } => {
            unreachable!("this table is for OpenSMTPD")
        }
    }
}

/// Puts a number above zero into a limit.
macro_rules! limit {
    ($field:ident) => {
        Meaning::List(|t, text| {
            limits(t).$field = text.parse().ok().filter(|number| *number > 0).ok_or("a number above 0 stands here")?;
            Ok(())
        })
    };
}

/// Puts seconds into a gap.
macro_rules! gap {
    ($field:ident) => {
        Meaning::List(|t, text| {
            let seconds: u32 = text.parse().map_err(|_| "a number of seconds stands here, without a unit")?;
            limits(t).$field = u64::from(seconds) * SECOND;
            Ok(())
        })
    };
}

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
    // The words of `mta limit` (limit.c).
    ("mta limit max-conn-per-host", limit!(per_host)),
    ("mta limit max-conn-per-route", limit!(per_route)),
    (
        "mta limit max-conn-per-source",
        Meaning::List(|t, text| {
            t.sender.deliveries_in_all = text.parse().ok().filter(|number| *number > 0).ok_or("a number above 0 stands here")?;
            Ok(())
        }),
    ),
    ("mta limit max-conn-per-connector", limit!(per_connector)),
    ("mta limit max-conn-per-relay", limit!(per_relay)),
    ("mta limit max-conn-per-domain", limit!(per_domain)),
    ("mta limit conn-delay-host", gap!(gap_host_ns)),
    ("mta limit conn-delay-route", gap!(gap_route_ns)),
    ("mta limit conn-delay-source", Meaning::Only("0")),
    ("mta limit conn-delay-connector", gap!(gap_connector_ns)),
    ("mta limit conn-delay-relay", gap!(gap_relay_ns)),
    ("mta limit conn-delay-domain", gap!(gap_domain_ns)),
    ("mta limit reconn-delay-route", gap!(gap_after_ns)),
    ("mta limit session-mail-max", limit!(mails)),
    ("mta limit session-transaction-delay", Meaning::Only("0")),
    ("mta limit session-keepalive", gap!(idle_ns)),
    ("mta limit max-failures-per-session", Meaning::Number(|t, n| limits(t).failures = n)),
    ("mta limit task-hiwat", Meaning::NoEffect),
    ("mta limit task-lowat", Meaning::NoEffect),
    ("mta limit task-release", Meaning::NoEffect),
    // By which name it knows itself among the mail hosts of a domain: those that are not better are left out.
    (
        "relay backup",
        Meaning::List(|t, text| {
            t.is_backup = text.is_empty();
            if t.is_backup {
                Ok(())
            } else {
                Err("nothing stands here, for the server's own name: \"\"; another name is that of `relay backup mx`")
            }
        }),
    ),
    (
        "relay backup mx",
        Meaning::List(|t, text| {
            let name = Domain::parse(text).map_err(|_| "the name of a mail host stands here: \"mx2.example.com\"")?;
            t.sender.targets.treated_as_own = HostList::of_name(name.as_str());
            Ok(())
        }),
    ),
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
