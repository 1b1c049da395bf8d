//! Which setting of which server do the timers of a case stand for?
//!
//! Names and notation are those of the server's own configuration, as the recordings were made with them.

use crate::case::{Case, Mta};
use crate::ron::{moment, quoted};
use std::collections::BTreeMap;

/// The lifetime with a silent resolver, in seconds: OpenSMTPD waits for DNS by a clock of its own.
pub const SILENT_DNS_S: f64 = 300.0;

/// OpenSMTPD sends mail to itself about once a second until it has a hundred Received fields: 80 to 90 s.
pub const ROUNDS_S: f64 = 120.0;

/// The servers that cases were recorded with.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Server {
    Postfix,
    Exim,
    Sendmail,
    OpenSmtpd,
}

impl Server {
    pub const ALL: [Self; 4] = [Self::Postfix, Self::Exim, Self::Sendmail, Self::OpenSmtpd];

    /// The folder of its recordings.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Postfix => "postfix",
            Self::Exim => "exim",
            Self::Sendmail => "sendmail",
            Self::OpenSmtpd => "opensmtpd",
        }
    }

    /// The version that was recorded, where the profile differs by it.
    pub fn version(self) -> &'static str {
        match self {
            Self::OpenSmtpd => "version: \"6.8\", ",
            Self::Postfix | Self::Exim | Self::Sendmail => "",
        }
    }

    /// The profile in a scenario.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Postfix => "Postfix",
            Self::Exim => "Exim",
            Self::Sendmail => "Sendmail",
            Self::OpenSmtpd => "OpenSmtpd",
        }
    }
}

/// The fields `settings` and, where a server's queue runs are no setting of its own, `queue_runs`.
///
/// `phase`: where in its period the first queue run stands, in hundredths.
pub fn fields(case: &Case, mta: &Mta, server: Server, phase: u32) -> String {
    let timers = &case.timers;
    let (connect, greeting, command) = (moment(timers.connect_s), moment(timers.greeting_s), moment(timers.command_s));
    let (last, scan, lifetime) = (moment(timers.final_s), moment(timers.queue_run_s), moment(timers.lifetime_s));
    let (shortest, longest, warning) = (moment(timers.retry_min_s), moment(timers.retry_max_s), moment(timers.delay_warning_s));
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    let offset = quoted(&moment(timers.queue_run_s * f64::from(phase) / 100.0));
    let mut queue_runs = format!(", queue_runs: (every: {}, offset: {offset})", quoted(&scan));
    match server {
        Server::Postfix => {
            settings.insert("smtp_connect_timeout".into(), connect);
            settings.insert("smtp_helo_timeout".into(), greeting);
            for phase in ["mail", "rcpt", "data_init", "data_xfer", "starttls"] {
                settings.insert(format!("smtp_{phase}_timeout"), command.clone());
            }
            settings.insert("smtp_data_done_timeout".into(), last);
            settings.insert("queue_run_delay".into(), scan);
            settings.insert("minimal_backoff_time".into(), shortest);
            settings.insert("maximal_backoff_time".into(), longest);
            settings.insert("maximal_queue_lifetime".into(), lifetime.clone());
            settings.insert("bounce_queue_lifetime".into(), lifetime);
            settings.insert("delay_warning_time".into(), warning);
        }
        Server::Exim => {
            // With TCP Fast Open connect() returns at once, and the kernel gave up after twice that time.
            settings.insert("connect_timeout".into(), moment(timers.connect_s * 2.0));
            settings.insert("command_timeout".into(), command);
            settings.insert("final_timeout".into(), last);
            settings.insert("retry".into(), format!("* * G,{lifetime},{shortest},2"));
            settings.insert("retry_interval_max".into(), longest);
            settings.insert("delay_warning".into(), warning);
        }
        Server::Sendmail => {
            settings.insert("Timeout.connect".into(), connect.clone());
            settings.insert("Timeout.iconnect".into(), connect);
            settings.insert("Timeout.initial".into(), greeting.clone());
            settings.insert("Timeout.helo".into(), greeting);
            for name in ["Timeout.mail", "Timeout.rcpt", "Timeout.datainit", "Timeout.datablock", "Timeout.starttls"] {
                settings.insert(name.into(), command.clone());
            }
            settings.insert("Timeout.datafinal".into(), last);
            settings.insert("Timeout.queuereturn".into(), lifetime);
            settings.insert("Timeout.queuewarn".into(), warning);
            settings.insert("MinQueueAge".into(), shortest);
            settings.insert("MaxQueueAge".into(), longest);
        }
        Server::OpenSmtpd => {
            // Where the resolver is silent, the lookup would outlast the message; beside mail that goes round nothing else expires.
            let lifetime = match () {
                () if case.silent_dns() => moment(timers.lifetime_s.max(SILENT_DNS_S)),
                () if case.meets_itself() => moment(timers.lifetime_s.max(ROUNDS_S)),
                () => lifetime,
            };
            settings.insert("queue ttl".into(), lifetime);
            // It has no timer for connects; the kernel's was set to three seconds.
            settings.insert("net.ipv4.tcp_syn_retries".into(), "1".into());
            queue_runs.clear();
        }
    }
    let own = match server {
        Server::Postfix => &mta.postfix,
        Server::Exim => &mta.exim,
        Server::Sendmail => &mta.sendmail,
        Server::OpenSmtpd => &mta.opensmtpd,
    };
    settings.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
    format!("settings: {{ {} }}{queue_runs}", settings.join(", "))
}
