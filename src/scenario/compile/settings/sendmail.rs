//! Options of Sendmail, names and notation as in op.me (`O Timeout.connect=2m` is `"Timeout.connect": "2m"`), and a few words of its m4 files.
//!
//! A time is a number and a unit (s m h d w); a bare number is in the option's own unit.

use super::super::desk::Desk;
use super::{Meaning, Table, Tuned, postfix};
use crate::base::SECOND;
use crate::diag::{Diagnostic, code};
use crate::model::keeping::HostStatus;
use crate::model::retry_rules::{Haste, QueueTimes};
use crate::model::settings::{Keeping, Retry, Returned};
use crate::scenario::source::{Named, Text};

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

/// Wherever it is: the status of hosts stays on disk. Without a cache of connections there is none (main.c).
fn status_directory(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    if let Keeping::WithinRun { host_status, connections: 1.., .. } = &mut tuned.sender.keeping
        && !text.is_empty()
    {
        *host_status = HostStatus::Shared;
    }
    Ok(())
}

/// What main.c warns of and goes on without.
pub(super) fn status_without_effect(settings: &Named<Text>, tuned: &Tuned, desk: &mut Desk) {
    let Keeping::WithinRun { host_status, .. } = tuned.sender.keeping else { return };
    let mut warn = |name: &str, is_meant: bool, needs: &str| {
        let written = settings.iter().find(|(key, _)| key.as_str() == name);
        if let Some((key, value)) =
            written.filter(|(_, value)| is_meant && !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "false" | "no"))
        {
            let message = format!("`{key}: {value}` without {needs}: Sendmail goes on without it");
            desk.say(Diagnostic::warning(code::NO_EFFECT, key.span(), message).help(format!("set {needs}, or leave `{key}` out")));
        }
    };
    warn("HostStatusDirectory", host_status == HostStatus::OfRun, "`ConnectionCacheSize` of 1 or more");
    warn("SingleThreadDelivery", host_status == HostStatus::OfRun, "`HostStatusDirectory`");
}

/// How long mail is kept, by its haste.
fn times(tuned: &mut Tuned) -> &mut QueueTimes {
    match &mut tuned.sender.retry {
        Retry::QueueRuns { times, .. } => times,
        _ => unreachable!("this table is for Sendmail"),
    }
}

/// `90`, `2m`, `1h30m`: pairs of a number and a unit are added up (convtime.c).
pub(super) fn time(text: &str, unit: char) -> Result<u64, String> {
    let mut sum: u64 = 0;
    for pair in text.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
        let ns = postfix::time(pair, unit)?;
        sum = sum.checked_add(ns).ok_or("this is longer than a run can last")?;
    }
    if text.is_empty() { postfix::time(text, unit) } else { Ok(sum) }
}

/// What it tells nobody (op.me): of the words only what comes back in reports shows here.
fn privacy(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    const WITHOUT_EFFECT: [&str; 11] = [
        "public",
        "needmailhelo",
        "needexpnhelo",
        "noexpn",
        "needvrfyhelo",
        "novrfy",
        "noetrn",
        "noverb",
        "restrictmailq",
        "restrictqrun",
        "restrictexpand",
    ];
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "nobodyreturn" => tuned.sender.returned = Returned::Headers,
            "authwarnings" | "goaway" | "noactualrecipient" => {}
            word if WITHOUT_EFFECT.contains(&word) => {}
            _ => return Err("words of op.me stand here, as \"authwarnings,nobodyreturn\"; `noreceipts` is not modelled"),
        }
    }
    Ok(())
}

/// What is modelled, wider options before the narrower ones that override them.
pub(super) static TABLE: Table = &[
    // What its reports return, among other things.
    ("PrivacyOptions", Meaning::List(privacy)),
    // How long it waits.
    ("Timeout.connect", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.connect_ns = if ns == 0 { KERNEL_CONNECT_NS } else { ns })),
    ("Timeout.iconnect", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.first_connect_ns = ns)),
    ("Timeout.initial", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.banner_ns = ns)),
    ("Timeout.helo", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.ehlo_ns = ns)),
    ("Timeout.starttls", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.starttls_ns = ns)),
    ("Timeout.auth", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.auth_ns = ns)),
    ("Timeout.mail", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.mail_ns = ns)),
    ("Timeout.rcpt", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.rcpt_ns = ns)),
    ("Timeout.datainit", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.data_ns = ns)),
    ("Timeout.datablock", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.content_ns = ns)),
    ("Timeout.datafinal", Meaning::SumOfTimes('m', |t, ns| t.sender.timers.final_dot_ns = ns)),
    // When it tries again and when it gives up.
    ("MinQueueAge", Meaning::SumOfTimes('m', retry!(min_age_ns))),
    ("MaxQueueAge", Meaning::SumOfTimes('m', retry!(max_age_ns))),
    ("Timeout.queuereturn", Meaning::SumOfTimes('d', |t, ns| times(t).lifetimes_ns = [ns; 4])),
    ("Timeout.queuereturn.normal", Meaning::SumOfTimes('d', |t, ns| times(t).lifetimes_ns[Haste::Normal as usize] = ns)),
    ("Timeout.queuereturn.urgent", Meaning::SumOfTimes('d', |t, ns| times(t).lifetimes_ns[Haste::Urgent as usize] = ns)),
    ("Timeout.queuereturn.non-urgent", Meaning::SumOfTimes('d', |t, ns| times(t).lifetimes_ns[Haste::NonUrgent as usize] = ns)),
    ("Timeout.queuereturn.dsn", Meaning::SumOfTimes('d', |t, ns| times(t).lifetimes_ns[Haste::Report as usize] = ns)),
    ("Timeout.queuewarn", Meaning::SumOfTimes('h', |t, ns| times(t).warnings_ns = [ns; 4])),
    ("Timeout.queuewarn.normal", Meaning::SumOfTimes('h', |t, ns| times(t).warnings_ns[Haste::Normal as usize] = ns)),
    ("Timeout.queuewarn.urgent", Meaning::SumOfTimes('h', |t, ns| times(t).warnings_ns[Haste::Urgent as usize] = ns)),
    ("Timeout.queuewarn.non-urgent", Meaning::SumOfTimes('h', |t, ns| times(t).warnings_ns[Haste::NonUrgent as usize] = ns)),
    ("Timeout.queuewarn.dsn", Meaning::SumOfTimes('h', |t, ns| times(t).warnings_ns[Haste::Report as usize] = ns)),
    (
        "TLSFallbacktoClear",
        Meaning::Word(&[("True", |t| t.sender.tls.plain_retry = true), ("False", |t| t.sender.tls.plain_retry = false)]),
    ),
    ("FallBackSmartHost", Meaning::List(last_try)),
    // What a queue run remembers.
    (
        "ConnectionCacheSize",
        Meaning::Number(|t, n| {
            if let Keeping::WithinRun { connections, .. } = &mut t.sender.keeping {
                *connections = n
            }
        }),
    ),
    ("ConnectionCacheTimeout", Meaning::SumOfTimes('m', run!(idle_ns))),
    ("Timeout.hoststatus", Meaning::SumOfTimes('m', run!(host_status_ns))),
    ("HostStatusDirectory", Meaning::List(status_directory)),
    (
        "SingleThreadDelivery",
        Meaning::YesNo(|t, yes| {
            if let Keeping::WithinRun { host_status: status @ HostStatus::Shared, .. } = &mut t.sender.keeping
                && yes
            {
                *status = HostStatus::SharedAndAlone;
            }
        }),
    ),
    // What it takes as a server.
    ("MaxMessageSize", Meaning::Bytes(|t, bytes| t.max_message_size = bytes)),
    ("MaxRecipientsPerMessage", Meaning::Number(|t, n| t.max_recipients = n)),
    ("MaxHopCount", Meaning::Number(|t, n| t.hop_limit = n.saturating_add(1))),
    // The model does what these values say.
    ("FastSplit", Meaning::Only("1")),
    ("Timeout.aconnect", Meaning::Only("0")),
    ("DeliveryMode", Meaning::Only("background")),
    ("TryNullMXList", Meaning::Only("False")),
    ("DontExpandCnames", Meaning::YesNo(|t, yes| t.sender.targets.keeps_aliases = yes)),
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

/// `relay.example.com`, with brackets or without: its MX is not asked.
fn last_try(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    const WRONG: &str = "one host stands here, as \"relay.example.com\" or \"[192.0.2.1]\", or \"\" for none";
    let name = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if name.is_empty() {
        tuned.sender.last_try = None;
        return Ok(());
    }
    let is_host = name.parse::<std::net::IpAddr>().is_ok() || crate::base::Domain::parse(name).is_ok();
    tuned.sender.last_try = is_host.then(|| crate::base::common_form(name).into());
    tuned.sender.last_try.as_ref().map(|_| ()).ok_or(WRONG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MINUTE;

    #[test]
    fn times() {
        let cases = [
            ("90", 's', Some(90)),
            ("2m", 's', Some(120)),
            ("1h30m", 'd', Some(5400)),
            ("1h30", 'm', Some(5400)),
            ("", 'm', None),
            ("h", 'm', None),
            ("1h-", 'm', None),
        ];
        for (text, unit, expected) in cases {
            assert_eq!(time(text, unit).ok(), expected.map(|seconds| seconds * MINUTE / 60), "{text}");
        }
    }
}
