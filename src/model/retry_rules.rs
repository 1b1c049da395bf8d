//! When does a sender try again? Of every kind what it is told; Exim has rules, queue runs and a memory of its own.
//!
//! Sources: Exim specification, "Retry configuration" and "Main configuration"; src/retry.c.

use super::host_list::HostList;

/// When a message is tried again, and when it is given up. All in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Retry {
    /// RFC 5321 §4.5.4.1: `first`, then multiplied by `factor_percent`/100 up to `max`; given up when the next try would be after `lifetime`.
    Rfc {
        /// First wait.
        first_ns: u64,
        /// 100 = always the same, 200 = doubling.
        factor_percent: u32,
        /// Longest wait.
        max_ns: u64,
        /// From arrival to giving up.
        lifetime_ns: u64,
        /// A notice to the sender after this; 0 = none.
        delay_notice_ns: u64,
    },
    /// Postfix `qmgr`: age of the message, clamped, then the next scan of the queue.
    Postfix {
        /// `minimal_backoff_time`
        min_ns: u64,
        /// `maximal_backoff_time`
        max_ns: u64,
        /// `queue_run_delay`
        scan_every_ns: u64,
        /// Where the first scan stands (`queue_runs.offset`).
        scan_offset_ns: u64,
        /// `maximal_queue_lifetime`
        lifetime_ns: u64,
        /// `bounce_queue_lifetime`
        bounce_lifetime_ns: u64,
        /// `delay_warning_time`; 0 = none.
        delay_warning_ns: u64,
    },
    /// Sendmail: every run of the queue tries everything, or what has waited as long as it was in the queue at its last attempt.
    QueueRuns {
        /// Interval of queue runs (`-q`).
        every_ns: u64,
        /// Where the first run stands (`queue_runs.offset`).
        offset_ns: u64,
        /// `MinQueueAge`; 0 = every run.
        min_age_ns: u64,
        /// `MaxQueueAge`; 0 = the wait does not grow.
        max_age_ns: u64,
        /// `Timeout.queuereturn` and `Timeout.queuewarn`.
        times: Box<QueueTimes>,
    },
    /// OpenSMTPD and qmail: squares of multiples of 20 seconds after arrival.
    Squares {
        /// The next one is that of the age (qmail); else the first in the future, counted from arrival (OpenSMTPD).
        by_age: bool,
        /// From arrival to giving up.
        lifetime_ns: u64,
        /// A notice to the sender after this; 0 = none.
        delay_notice_ns: u64,
    },
    /// Exchange Online: a list of waits, the last repeated; a hard end after `lifetime`.
    Steps {
        /// Waits in order.
        waits_ns: Vec<u64>,
        /// From arrival to giving up.
        lifetime_ns: u64,
        /// A notice to the sender after this; 0 = none.
        delay_notice_ns: u64,
    },
    /// Exim: queue runs, retry rules, and a memory of what failed.
    Exim(Box<EximRetry>),
    /// One try.
    Never,
}

/// How much haste Sendmail makes with a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Haste {
    /// As with most.
    #[default]
    Normal,
    /// A Precedence above zero, or `Priority: urgent`.
    Urgent,
    /// A Precedence below zero, or `Priority: non-urgent`.
    NonUrgent,
    /// A delivery report.
    Report,
}

impl Haste {
    /// As in the names of the options.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Urgent => "urgent",
            Self::NonUrgent => "non-urgent",
            Self::Report => "dsn",
        }
    }
}

/// How long Sendmail keeps mail, and when it says that it is late, by haste. Durations in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueTimes {
    /// `Timeout.queuereturn`: normal, urgent, non-urgent, reports.
    pub lifetimes_ns: [u64; 4],
    /// `Timeout.queuewarn`; 0 = never.
    pub warnings_ns: [u64; 4],
}

impl QueueTimes {
    /// From arrival to giving up.
    #[must_use]
    pub fn lifetime_ns(&self, haste: Haste) -> u64 {
        self.lifetimes_ns[haste as usize]
    }

    /// A notice to the sender after this; 0 = none.
    #[must_use]
    pub fn warning_ns(&self, haste: Haste) -> u64 {
        self.warnings_ns[haste as usize]
    }
}

/// What Exim is told about trying again. Durations in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct EximRetry {
    /// `begin retry`, in written order: the first that fits counts.
    pub rules: Vec<RetryRule>,
    /// `retry_interval_max`
    pub interval_max_ns: u64,
    /// `retry_data_expire`: older data is ignored.
    pub data_expire_ns: u64,
    /// `retry_include_ip_address`: what is remembered of a host belongs to one of its addresses.
    pub by_address: bool,
    /// Distance of queue runs (`-q30m`).
    pub runs_every_ns: u64,
    /// Where the first queue run stands (`queue_runs.offset`).
    pub runs_offset_ns: u64,
    /// `queue_run_max`: queue runs at once; 0 = no limit.
    pub runs_at_once: u32,
    /// `remote_max_parallel`: deliveries of one message at once.
    pub deliveries_at_once: u32,
    /// `serialize_hosts`: hosts that get one connection at a time; one that has it is passed over.
    pub one_connection: HostList,
    /// `delay_warning`: ages at which the sender is told; the last gap goes on. Empty = never.
    pub delay_warnings_ns: Vec<u64>,
    /// `delay_warning_condition`: of whose mail.
    pub warned: Warned,
    /// `ignore_bounce_errors_after`: a frozen report is tried once more after this, and then forgotten.
    pub ignore_bounce_errors_after_ns: u64,
    /// `auto_thaw`: a frozen message is tried again after this; 0 = never.
    pub auto_thaw_ns: u64,
    /// `timeout_frozen_after`: a frozen message is given up after this; 0 = never.
    pub timeout_frozen_after_ns: u64,
}

/// Whose senders Exim tells that mail is late (`delay_warning_condition`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Warned {
    /// Not those of lists, of bulk mail and of automatic mail: Exim's own condition.
    #[default]
    NotBulk,
    /// All.
    Everybody,
    /// None.
    Nobody,
}

/// One retry rule: to whom it applies, to which errors, and how long which waits last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RetryRule {
    /// Host or domain: `*`, a name, `*.name`.
    pub pattern: Box<str>,
    /// Which errors.
    pub error: RetryError,
    /// In order; the first whose cutoff is not over counts, and the last one's cutoff is the end.
    pub parts: Vec<RetryPart>,
}

/// Part of a retry rule: `F,2h,15m` or `G,16h,1h,1.5`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RetryPart {
    /// F, G or H.
    pub growth: Growth,
    /// Until the destination has failed for so long.
    pub cutoff_ns: u64,
    /// The wait, or the shortest wait.
    pub wait_ns: u64,
    /// Thousandths: 1500 multiplies each wait by one and a half. (G and H.)
    pub factor: u64,
}

/// How waits follow each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Growth {
    /// Always the same.
    Fixed,
    /// Each longer than the last by a factor.
    Geometric,
    /// By luck between the first and the geometric one.
    Random,
}

/// Which failures a retry rule is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RetryError {
    /// `*`
    Any,
    /// `refused`, `refused_A`, `refused_MX`
    Refused(Source),
    /// `timeout_connect`, and with `_A`, `_MX`
    ConnectTimeout(Source),
    /// `timeout`, `timeout_A`, `timeout_MX`: of a connect or of a reply.
    Timeout(Source),
    /// `timeout_DNS`, `lookup`: the name could not be looked up for now.
    Lookup,
    /// `lost_connection`
    Lost,
    /// `tls_required`
    TlsRequired,
    /// `mail_4xx` and `mail_45x`, `mail_452`: the digits that are named.
    Mail4xx(Digits),
    /// `rcpt_4xx`
    Rcpt4xx(Digits),
    /// `data_4xx`
    Data4xx(Digits),
    /// `quota`, `auth_failed`: nothing in the model fails so.
    Never,
}

/// How the host was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// Either way.
    Any,
    /// From an MX record.
    Mx,
    /// Not from an MX record.
    Address,
}

/// The second and third digit of a reply, where they are named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digits(pub Option<u8>, pub Option<u8>);
