//! When is a message tried again, and when is it given up?
//!
//! Sources: RFC 5321 §4.5.4.1; qmgr_active.c (Postfix: age of the message, clamped, next scan of the queue); Exchange Online queue FAQ (24 h).
//! What Exim remembers is in `remembered`. Not modelled here: memory of routes (OpenSMTPD).

use super::profile::ExpiryTest;
use crate::base::{MINUTE, SECOND, SimTime};
use crate::model::retry_rules::Haste;
use crate::model::settings::Retry;

/// What the sender remembers of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Memory {
    /// When it came into this queue.
    pub arrived: SimTime,
    /// When the attempt that is just over began.
    pub began: SimTime,
    /// Attempts that ended in a deferral, the one just over among them.
    pub deferrals: u32,
    /// A report, or other mail from the null sender.
    pub null_sender: bool,
    /// What luck adds to the wait.
    pub jitter_ns: i64,
    /// Whose times hold for it, in Sendmail.
    pub haste: Haste,
    /// When the machine started last, if it did: queue runs count from there.
    pub started: SimTime,
}

impl Memory {
    /// Where queue runs are counted from: the last start, or what the settings say.
    fn grid(&self, offset_ns: u64) -> u64 {
        if self.started > SimTime::ZERO { self.started.0 } else { offset_ns }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Another attempt.
    Try {
        /// When.
        at: SimTime,
        /// Why then.
        why: &'static str,
    },
    /// The lifetime is over.
    Expire {
        /// Why now.
        why: &'static str,
    },
}

/// Decides after an attempt that left something to deliver.
#[must_use]
pub fn after_deferral(retry: &Retry, expiry: ExpiryTest, memory: Memory, now: SimTime) -> Next {
    let age = now.since(memory.arrived);
    match retry {
        Retry::Never => Next::Expire { why: "this sender tries once" },
        Retry::Exim(retry) => Next::Try {
            at: next_scan(retry.runs_every_ns, memory.grid(retry.runs_offset_ns), now.0 + 1),
            why: "the next queue run looks at it; whether it is tried there depends on the retry times of its hosts",
        },
        Retry::Rfc { first_ns, factor_percent, max_ns, lifetime_ns, .. } => {
            let wait = growing(*first_ns, *factor_percent, *max_ns, memory.deferrals).saturating_add_signed(memory.jitter_ns);
            let at = now.after(wait);
            match expiry {
                ExpiryTest::BeforeNext if at.since(memory.arrived) > *lifetime_ns => {
                    Next::Expire { why: "the next attempt would come after the lifetime" }
                }
                ExpiryTest::AfterAttempt if age >= *lifetime_ns => Next::Expire { why: "the lifetime is over" },
                ExpiryTest::BeforeNext | ExpiryTest::AfterAttempt | ExpiryTest::Timer => {
                    Next::Try { at, why: "first wait times the factor, up to the longest wait" }
                }
            }
        }
        Retry::Postfix { min_ns, max_ns, scan_every_ns, scan_offset_ns, lifetime_ns, bounce_lifetime_ns, .. } => {
            // qmgr warns of a longer bounce_queue_lifetime and lowers it.
            let lifetime = if memory.null_sender { (*bounce_lifetime_ns).min(*lifetime_ns) } else { *lifetime_ns };
            if age >= lifetime {
                return Next::Expire {
                    why: "tested after each attempt: older than maximal_queue_lifetime (bounce_queue_lifetime for the null sender)",
                };
            }
            // qmgr counts whole seconds, and a scan takes what is due within the next one.
            let whole = |time: SimTime| SimTime(time.0 / SECOND * SECOND);
            let age = whole(now).since(whole(memory.arrived));
            let due = whole(now).after(age.clamp(*min_ns, (*max_ns).max(*min_ns)));
            let at = next_scan(*scan_every_ns, memory.grid(*scan_offset_ns), due.0.saturating_sub(SECOND).max(now.0 + 1));
            Next::Try { at, why: "its age, between minimal_backoff_time and maximal_backoff_time, then the next queue scan" }
        }
        Retry::QueueRuns { every_ns, offset_ns, min_age_ns, max_age_ns, times } => {
            // Sendmail counts whole seconds.
            let whole = |time: SimTime| SimTime(time.0 / SECOND * SECOND);
            let age = whole(now).since(whole(memory.arrived));
            if age >= times.lifetime_ns(memory.haste) {
                let why = match memory.haste {
                    Haste::Normal => "tested after each attempt: older than Timeout.queuereturn",
                    Haste::Urgent => "tested after each attempt: older than Timeout.queuereturn.urgent",
                    Haste::NonUrgent => "tested after each attempt: older than Timeout.queuereturn.non-urgent",
                    Haste::Report => "tested after each attempt: older than Timeout.queuereturn.dsn",
                };
                return Next::Expire { why };
            }
            let wait = if *max_age_ns > 0 { age.clamp(*min_age_ns, (*max_age_ns).max(*min_age_ns)) } else { *min_age_ns };
            let why = if wait > 0 {
                "its age at the last attempt, between MinQueueAge and MaxQueueAge, then the next queue run"
            } else {
                "every queue run tries everything"
            };
            Next::Try { at: next_scan(*every_ns, memory.grid(*offset_ns), whole(now).after(wait).0.max(now.0 + 1)), why }
        }
        Retry::Squares { by_age, lifetime_ns, .. } => {
            if expiry == ExpiryTest::AfterAttempt && memory.began.since(memory.arrived) > *lifetime_ns {
                return Next::Expire { why: "it was too old when this attempt began" };
            }
            // qmail reckons when it opens the pass (qmail-send.c `pass_dochan`).
            let age = if *by_age { memory.began.since(memory.arrived) } else { age };
            let root = if *by_age { (age / SECOND).isqrt() + 20 } else { ((age / SECOND).isqrt() / 20 + 1) * 20 };
            let why = if *by_age {
                "(root of its age in seconds + 20)² seconds after it came"
            } else {
                "the next 400·k² seconds after it came"
            };
            Next::Try { at: memory.arrived.after(root.saturating_mul(root).saturating_mul(SECOND)).max(now), why }
        }
        Retry::Steps { waits_ns, lifetime_ns, .. } => {
            if age >= *lifetime_ns {
                return Next::Expire { why: "the lifetime is over" };
            }
            let step = (memory.deferrals.max(1) as usize - 1).min(waits_ns.len().saturating_sub(1));
            Next::Try { at: now.after(waits_ns.get(step).copied().unwrap_or(SECOND)), why: "the next wait of its retry schedule" }
        }
    }
}

/// How much longer (or shorter) a wait is, by luck: a fortieth of the first wait, half a minute at most, in whole seconds (KumoMTA queue.rs).
#[must_use]
pub fn jitter_ns(retry: &Retry, luck: u64) -> i64 {
    let Retry::Rfc { first_ns, .. } = retry else { return 0 };
    let magnitude = (first_ns / 20).min(MINUTE);
    let drawn = (u128::from(luck) * u128::from(magnitude)) >> 64;
    let nanoseconds = i64::try_from(drawn).unwrap_or(0) - (magnitude / 2) as i64;
    nanoseconds / SECOND as i64 * SECOND as i64
}

/// How long a queue waits that failed this often in a row (Exchange Server: the schedule of a queue).
#[must_use]
pub fn queue_wait(retry: &Retry, failures: u32) -> u64 {
    match retry {
        Retry::Steps { waits_ns, .. } => {
            let step = (failures.max(1) as usize - 1).min(waits_ns.len().saturating_sub(1));
            waits_ns.get(step).copied().unwrap_or(SECOND)
        }
        _ => SECOND,
    }
}

/// When a hard timer ends the message whatever happens; `None` where the profile tests after attempts only.
#[must_use]
pub fn hard_expiry(retry: &Retry, expiry: ExpiryTest, arrived: SimTime) -> Option<SimTime> {
    match (expiry, retry) {
        (ExpiryTest::Timer, Retry::Steps { lifetime_ns, .. } | Retry::Rfc { lifetime_ns, .. } | Retry::Squares { lifetime_ns, .. }) => {
            Some(arrived.after(*lifetime_ns))
        }
        _ => None,
    }
}

/// Is it time to tell the sender that it is late? Asked after an attempt.
#[must_use]
pub fn delay_notice_due(retry: &Retry, haste: Haste, arrived: SimTime, now: SimTime) -> bool {
    let wait = match retry {
        Retry::Rfc { delay_notice_ns, .. } | Retry::Steps { delay_notice_ns, .. } => *delay_notice_ns,
        Retry::Postfix { delay_warning_ns, .. } => *delay_warning_ns,
        // Counted by `remembered::warnings_due`: there may be several.
        Retry::Exim(_) | Retry::Never => 0,
        Retry::QueueRuns { times, .. } => times.warning_ns(haste),
        Retry::Squares { delay_notice_ns, .. } => *delay_notice_ns,
    };
    wait > 0 && now.since(arrived) >= wait
}

/// `first` multiplied once per deferral after the first, up to `max`.
fn growing(first_ns: u64, factor_percent: u32, max_ns: u64, deferrals: u32) -> u64 {
    let mut wait = first_ns;
    for _ in 1..deferrals.min(64) {
        wait = wait.saturating_mul(u64::from(factor_percent)) / 100;
        if wait >= max_ns {
            break;
        }
    }
    wait.min(max_ns)
}

/// The first scan of a queue at or after a moment.
pub(crate) fn next_scan(every_ns: u64, offset_ns: u64, not_before_ns: u64) -> SimTime {
    if every_ns == 0 {
        return SimTime(not_before_ns);
    }
    let offset = offset_ns % every_ns;
    SimTime(not_before_ns.saturating_sub(offset).div_ceil(every_ns).saturating_mul(every_ns).saturating_add(offset))
}

#[cfg(test)]
mod tests {
    use super::super::profile::{behaviour, default_sender};
    use super::*;
    use crate::base::{DAY, MINUTE};
    use crate::model::retry_rules::QueueTimes;
    use crate::model::settings::Profile;

    /// Attempts of a message whose every attempt fails at once, in minutes, and the moment when it is given up.
    fn schedule(retry: &Retry, expiry: ExpiryTest, count: usize) -> (Vec<u64>, usize, SimTime) {
        let (mut now, mut times, mut all) = (SimTime::ZERO, Vec::new(), 0);
        loop {
            all += 1;
            if times.len() < count {
                times.push(now.0 / MINUTE);
            }
            match after_deferral(
                retry,
                expiry,
                Memory {
                    arrived: SimTime::ZERO,
                    began: now,
                    deferrals: all as u32,
                    null_sender: false,
                    jitter_ns: 0,
                    haste: Haste::Normal,
                    started: SimTime::ZERO,
                },
                now,
            ) {
                Next::Try { at, .. } => now = at,
                Next::Expire { .. } => return (times, all, now),
            }
        }
    }

    #[test]
    fn jitter() {
        let kumo = |first_ns| Retry::Rfc { first_ns, factor_percent: 200, max_ns: DAY, lifetime_ns: DAY, delay_notice_ns: 0 };
        let cases = [
            (20 * MINUTE, 0, -30),
            (20 * MINUTE, u64::MAX / 2, 0),
            (20 * MINUTE, u64::MAX, 29),
            (10 * DAY, 0, -30),
            (2 * MINUTE, 0, -3),
            (SECOND, u64::MAX, 0),
        ];
        for (first_ns, luck, expected_s) in cases {
            assert_eq!(jitter_ns(&kumo(first_ns), luck), expected_s * SECOND as i64, "{first_ns} {luck}");
        }
    }

    #[test]
    fn schedules() {
        let postfix = default_sender(Profile::Postfix).retry;
        let (times, all, end) = schedule(&postfix, ExpiryTest::AfterAttempt, 9);
        assert_eq!((times, all, end), (vec![0, 5, 10, 20, 40, 80, 150, 220, 290], 108, SimTime(5 * DAY + 20 * MINUTE)));
        let exo = default_sender(Profile::ExchangeOnline).retry;
        let (times, ..) = schedule(&exo, behaviour(Profile::ExchangeOnline).expiry, 6);
        assert_eq!(times, vec![0, 15, 30, 90, 150, 210]);
        let rfc = default_sender(Profile::Rfc).retry;
        let (times, ..) = schedule(&rfc, ExpiryTest::BeforeNext, 5);
        assert_eq!(times, vec![0, 30, 90, 210, 330]);
    }

    #[test]
    fn squares_and_doubling() {
        let qmail = default_sender(Profile::Qmail).retry;
        let (times, all, end) = schedule(&qmail, ExpiryTest::AfterAttempt, 6);
        assert_eq!((times, all, end), (vec![0, 6, 26, 60, 106, 166], 40, SimTime(7 * DAY + 60 * MINUTE)));
        let kumo = default_sender(Profile::KumoMta).retry;
        let (times, all, _) = schedule(&kumo, behaviour(Profile::KumoMta).expiry, 5);
        assert_eq!((times, all), (vec![0, 20, 60, 140, 300], 9));
        let opensmtpd = default_sender(Profile::OpenSmtpd).retry;
        let next = |age_s: u64| match after_deferral(
            &opensmtpd,
            ExpiryTest::Timer,
            Memory {
                arrived: SimTime::ZERO,
                began: SimTime::ZERO,
                deferrals: 1,
                null_sender: false,
                jitter_ns: 0,
                haste: Haste::Normal,
                started: SimTime::ZERO,
            },
            SimTime(age_s * SECOND),
        ) {
            Next::Try { at, .. } => at.0 / SECOND,
            Next::Expire { .. } => 0,
        };
        assert_eq!([0, 11, 400, 1599, 1600, 86_400].map(next), [400, 400, 1600, 1600, 3600, 90_000]);
    }

    #[test]
    fn queue_runs_of_sendmail() {
        let run = |min, max, at: u64| {
            let retry = Retry::QueueRuns {
                every_ns: 2 * SECOND,
                offset_ns: 0,
                min_age_ns: min * SECOND,
                max_age_ns: max * SECOND,
                times: Box::new(QueueTimes { lifetimes_ns: [DAY; 4], warnings_ns: [0; 4] }),
            };
            let memory = Memory {
                arrived: SimTime::ZERO,
                began: SimTime::ZERO,
                deferrals: 1,
                null_sender: false,
                jitter_ns: 0,
                haste: Haste::Normal,
                started: SimTime::ZERO,
            };
            match after_deferral(&retry, ExpiryTest::AfterAttempt, memory, SimTime(at * SECOND + 1)) {
                Next::Try { at, .. } => at.0 / SECOND,
                Next::Expire { .. } => 0,
            }
        };
        let cases = [
            ("without MinQueueAge every run tries", (0, 0), vec![(0, 2), (2, 4), (40, 42)]),
            ("MinQueueAge alone does not grow", (4, 0), vec![(0, 4), (8, 12), (40, 44)]),
            ("with MaxQueueAge the wait is the age, between both", (4, 16), vec![(0, 4), (4, 8), (8, 16), (16, 32), (32, 48)]),
        ];
        for (case, (min, max), runs) in cases {
            for (at, expected) in runs {
                assert_eq!(run(min, max, at), expected, "{case}: after an attempt at {at} s");
            }
        }
    }

    #[test]
    fn scans_with_an_offset() {
        let mut retry = default_sender(Profile::Postfix).retry;
        if let Retry::Postfix { scan_offset_ns, .. } = &mut retry {
            *scan_offset_ns = 150 * SECOND;
        }
        let (times, all, end) = schedule(&retry, ExpiryTest::AfterAttempt, 3);
        assert_eq!((times, all, end), (vec![0, 7, 17], 107, SimTime(5 * DAY + 17 * MINUTE + 30 * SECOND)));
    }
}
