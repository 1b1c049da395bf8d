//! What does Exim remember of a host, and when may it try there again?
//!
//! A record says since when a destination has failed, when it was tried last and when it may be tried next. All clocks count whole seconds.
//! Sources: Exim src/retry.c (`retry_check_address`, `retry_update`, `retry_ultimate_address_timeout`), specification chapter "Retry configuration".

use crate::base::{SECOND, SimTime};
use crate::model::retry_rules::{Digits, EximRetry, Growth, RetryError, RetryPart, RetryRule, Source};

/// What is known of a destination that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record {
    /// When this series of failures began.
    pub first_failed: SimTime,
    /// When it was tried last.
    pub last_try: SimTime,
    /// Not before this.
    pub next_try: SimTime,
    /// It has failed for longer than the last part of its rule lasts.
    pub expired: bool,
    /// How it failed last.
    pub failure: Failure,
}

/// A failure, as retry rules tell them apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// Nothing listened.
    Refused {
        /// The host came from an MX record.
        mx: bool,
    },
    /// No answer to the connect.
    ConnectTimeout {
        /// The host came from an MX record.
        mx: bool,
    },
    /// No answer to a command.
    Timeout {
        /// The host came from an MX record.
        mx: bool,
    },
    /// The server closed or reset.
    Lost,
    /// TLS is a must here, and there was none.
    Tls,
    /// A lookup failed for now.
    Lookup,
    /// A reply to MAIL.
    Mail(u16),
    /// A reply to RCPT.
    Rcpt(u16),
    /// A reply to DATA or to the message.
    Data(u16),
    /// Anything else.
    Other,
}

/// Whole seconds, as `time(2)` counts them.
#[must_use]
pub fn whole_second(time: SimTime) -> SimTime {
    SimTime(time.0 / SECOND * SECOND)
}

/// The rule for a failure at a host, or for mail of a domain: the first that fits either name.
#[must_use]
pub fn rule_for<'a>(retry: &'a EximRetry, names: [&str; 2], failure: Failure) -> Option<&'a RetryRule> {
    retry.rules.iter().find(|rule| names.iter().any(|name| fits_name(&rule.pattern, name)) && fits_error(rule.error, failure))
}

fn fits_name(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(tail) => name.len() > tail.len() && name.ends_with(tail),
        None => !name.is_empty() && pattern == name,
    }
}

fn fits_error(error: RetryError, failure: Failure) -> bool {
    let from = |source, mx| match source {
        Source::Any => true,
        Source::Mx => mx,
        Source::Address => !mx,
    };
    let digits = |Digits(second, third): Digits, code: u16| {
        let digit = |divisor: u16| (code / divisor % 10) as u8;
        second.is_none_or(|wanted| wanted == digit(10)) && third.is_none_or(|wanted| wanted == digit(1))
    };
    match (error, failure) {
        (RetryError::Any, _) | (RetryError::Lookup, Failure::Lookup) => true,
        (RetryError::Lost, Failure::Lost) | (RetryError::TlsRequired, Failure::Tls) => true,
        (RetryError::Refused(source), Failure::Refused { mx }) => from(source, mx),
        (RetryError::ConnectTimeout(source), Failure::ConnectTimeout { mx }) => from(source, mx),
        (RetryError::Timeout(source), Failure::ConnectTimeout { mx } | Failure::Timeout { mx }) => from(source, mx),
        (RetryError::Mail4xx(wanted), Failure::Mail(code)) => digits(wanted, code),
        (RetryError::Rcpt4xx(wanted), Failure::Rcpt(code)) => digits(wanted, code),
        (RetryError::Data4xx(wanted), Failure::Data(code)) => digits(wanted, code),
        _ => false,
    }
}

/// May a destination be tried now?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Usable {
    /// Nothing is known against it.
    Yes,
    /// It has failed for very long, and its time has come again.
    YesExpired,
    /// Its time has not come.
    NotYet,
    /// Its time has not come, and it has failed for longer than its rule lasts.
    NotYetExpired,
}

/// Asks a host's record. `arrived`: when the message came into the queue: one that is older than the rule lasts is tried all the same.
#[must_use]
pub fn usable(rule: Option<&RetryRule>, record: Option<&Record>, arrived: SimTime, now: SimTime) -> Usable {
    let Some(record) = record else { return Usable::Yes };
    match (whole_second(now) < record.next_try, record.expired) {
        (false, false) => Usable::Yes,
        (false, true) => Usable::YesExpired,
        (true, true) => Usable::NotYetExpired,
        (true, false) if too_old(rule, arrived, now) => Usable::Yes,
        (true, false) => Usable::NotYet,
    }
}

/// Has a message been here for longer than the last part of the rule lasts? (The ultimate address timeout.)
#[must_use]
pub fn too_old(rule: Option<&RetryRule>, arrived: SimTime, now: SimTime) -> bool {
    let last = rule.and_then(|rule| rule.parts.last());
    last.is_none_or(|part| whole_second(now).since(whole_second(arrived)) > part.cutoff_ns)
}

/// What becomes of a record after one more failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Noted {
    /// To be written, unless no rule fits.
    pub record: Option<Record>,
    /// For this message the rule is over.
    pub timed_out: bool,
}

/// One failure more, noted at the end of the message's pass. `of_host`: it is about a host, not about a recipient or the routing of a domain; then the
/// age of the message does not count. `luck` is a number for rules of kind H.
#[must_use]
pub fn note(
    retry: &EximRetry,
    rule: Option<&RetryRule>,
    before: Option<&Record>,
    (failure, of_host, luck): (Failure, bool, u64),
    arrived: SimTime,
    now: SimTime,
) -> Noted {
    let (now, arrived) = (whole_second(now), whole_second(arrived));
    let Some((last_part, parts)) = rule.and_then(|rule| Some((rule.parts.last()?, &rule.parts))) else {
        return Noted { record: None, timed_out: true };
    };
    let new = Record { first_failed: now, last_try: now, next_try: now, expired: false, failure };
    let before = before.copied().unwrap_or(new);
    let age = now.since(arrived);
    let mut failing = now.since(before.first_failed);
    if !of_host {
        failing = failing.max(age);
    }
    let part = parts.iter().find(|part| failing <= part.cutoff_ns);
    let expired = part.is_none();
    // Mail that was here before the failures began is given up by its own age, and the next message is tried at once.
    let by_age = arrived <= before.first_failed && !expired && age > last_part.cutoff_ns;
    let wait = if by_age { 0 } else { next_gap(part.unwrap_or(last_part), &before, now, luck).min(retry.interval_max_ns) };
    let record = Record { first_failed: before.first_failed, last_try: now, next_try: now.after(wait), expired, failure };
    Noted { record: Some(record), timed_out: expired || by_age }
}

/// The wait of a part after the last gap, predicted or real, whichever was shorter.
fn next_gap(part: &RetryPart, before: &Record, now: SimTime, luck: u64) -> u64 {
    let gap = before.next_try.since(before.last_try).min(now.since(before.last_try));
    let grown = whole_second(SimTime((u128::from(gap) * u128::from(part.factor) / 1000) as u64)).0;
    match part.growth {
        Growth::Fixed => part.wait_ns,
        Growth::Geometric => {
            if gap < part.wait_ns {
                part.wait_ns
            } else {
                grown
            }
        }
        Growth::Random => {
            let more = grown.saturating_sub(part.wait_ns);
            part.wait_ns + more / 2 + if more == 0 { 0 } else { luck % (more / 2).max(1) }
        }
    }
}

/// Notices that should have been sent by this age: at each age of the list, then again after each last gap.
#[must_use]
pub fn warnings_due(ages_ns: &[u64], age_ns: u64) -> u32 {
    let count = ages_ns.iter().take_while(|age| **age <= age_ns).count();
    let Some((last, rest)) = ages_ns.split_last() else { return 0 };
    if count < ages_ns.len() {
        return count as u32;
    }
    let gap = last - rest.last().copied().unwrap_or(0);
    count as u32 + age_ns.saturating_sub(*last).checked_div(gap).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::super::profile::default_sender;
    use super::*;
    use crate::base::{DAY, HOUR, MINUTE};
    use crate::model::settings::{Profile, Retry};

    fn sample() -> EximRetry {
        match default_sender(Profile::Exim).retry {
            Retry::Exim(retry) => *retry,
            _ => unreachable!("the profile of Exim"),
        }
    }

    /// Attempts at a host that always refuses, in minutes, with a queue run at every multiple of `every_ns`; how many there are, and when it is given up.
    fn schedule(retry: &EximRetry, every_ns: u64, count: usize) -> (Vec<u64>, usize, SimTime) {
        let (rule, failure, born) = (retry.rules.first(), Failure::Refused { mx: true }, SimTime::ZERO);
        let (mut now, mut record, mut times, mut all) = (SimTime::ZERO, None, Vec::new(), 0);
        loop {
            if matches!(usable(rule, record.as_ref(), born, now), Usable::Yes | Usable::YesExpired) {
                all += 1;
                if times.len() < count {
                    times.push(now.0 / MINUTE);
                }
                let noted = note(retry, rule, record.as_ref(), (failure, true, 0), born, now);
                record = noted.record;
                if noted.timed_out {
                    return (times, all, now);
                }
            }
            now = now.after(every_ns);
        }
    }

    #[test]
    fn the_sample_rule() {
        let cases = [
            // Minutes of the first attempts with a runner every 30 minutes: the rule's quarters of an hour become halves.
            (30 * MINUTE, vec![0, 30, 60, 90, 120, 150, 210, 300, 450, 660, 990, 1350, 1710], 25, SimTime(4 * DAY + 30 * MINUTE)),
            (MINUTE, vec![0, 15, 30, 45, 60, 75, 90, 105, 120, 135, 195, 285, 420], 29, SimTime(4 * DAY + MINUTE)),
        ];
        for (every, first, all, end) in cases {
            assert_eq!(schedule(&sample(), every, first.len()), (first, all, end), "a runner every {} minutes", every / MINUTE);
        }
    }

    #[test]
    fn who_may_be_tried() {
        let at = |minutes: u64| SimTime(minutes * MINUTE);
        let record = |next, expired| Record {
            first_failed: at(0),
            last_try: at(0),
            next_try: at(next),
            expired,
            failure: Failure::Refused { mx: true },
        };
        let retry = sample();
        let cases = [
            ("nothing is known", None, at(10), at(10), Usable::Yes),
            ("its time has not come", Some(record(15, false)), at(10), at(10), Usable::NotYet),
            ("its time has come", Some(record(15, false)), at(10), at(15), Usable::Yes),
            ("down for days, not now", Some(record(9000, true)), at(8000), at(8000), Usable::NotYetExpired),
            ("down for days, its time has come", Some(record(9000, true)), at(9000), at(9000), Usable::YesExpired),
            ("the message is older than the rule lasts", Some(record(9000, false)), at(0), at(5761), Usable::Yes),
        ];
        for (case, record, arrived, now, expected) in cases {
            assert_eq!(usable(retry.rules.first(), record.as_ref(), arrived, now), expected, "{case}");
        }
    }

    #[test]
    fn waits_grow_from_the_shorter_of_two_gaps() {
        let mut retry = sample();
        retry.interval_max_ns = 16 * SECOND;
        let part = RetryPart { growth: Growth::Geometric, cutoff_ns: 60 * SECOND, wait_ns: 4 * SECOND, factor: 2000 };
        let rule = RetryRule { pattern: "*".into(), error: RetryError::Any, parts: vec![part] };
        let seconds = |at: u64| SimTime(at * SECOND);
        let record = |first, last, next| Record {
            first_failed: seconds(first),
            last_try: seconds(last),
            next_try: seconds(next),
            expired: false,
            failure: Failure::Other,
        };
        let cases = [
            ("the first failure", None, 100, 104, false),
            ("tried a little late: the predicted gap counts", Some(record(100, 100, 104)), 106, 114, false),
            ("tried early: the real gap counts", Some(record(100, 106, 114)), 109, 113, false),
            ("up to retry_interval_max", Some(record(100, 114, 130)), 130, 146, false),
            ("past the cutoff", Some(record(100, 146, 162)), 162, 178, true),
        ];
        for (case, before, now, next, timed_out) in cases {
            let noted = note(&retry, Some(&rule), before.as_ref(), (Failure::Other, true, 0), seconds(100), seconds(now));
            assert_eq!((noted.record.map(|record| record.next_try), noted.timed_out), (Some(seconds(next)), timed_out), "{case}");
        }
        let none = note(&retry, None, None, (Failure::Other, true, 0), seconds(100), seconds(100));
        assert_eq!(none, Noted { record: None, timed_out: true }, "no rule: given up at once");
    }

    #[test]
    fn which_rule() {
        let rule = |pattern: &str, error| RetryRule { pattern: pattern.into(), error, parts: Vec::new() };
        let refused_mx = RetryError::Refused(Source::Mx);
        let mut retry = sample();
        retry.rules = vec![
            rule("mx1.dest.test", refused_mx),
            rule("*.slow.test", RetryError::Any),
            rule("*", RetryError::Rcpt4xx(Digits(Some(5), None))),
            rule("*", RetryError::Any),
        ];
        let cases = [
            (["mx1.dest.test", "dest.test"], Failure::Refused { mx: true }, 0),
            (["mx1.dest.test", "dest.test"], Failure::Refused { mx: false }, 3),
            (["a.slow.test", "dest.test"], Failure::Lost, 1),
            (["mx.other.test", "b.slow.test"], Failure::Lost, 1),
            (["slow.test", ""], Failure::Rcpt(452), 2),
            (["slow.test", ""], Failure::Rcpt(421), 3),
        ];
        for (names, failure, expected) in cases {
            assert_eq!(rule_for(&retry, names, failure), Some(&retry.rules[expected]), "{names:?} {failure:?}");
        }
    }

    #[test]
    fn warnings() {
        let day = [DAY];
        let cases = [
            (&day[..], 23 * HOUR, 0),
            (&day[..], DAY, 1),
            (&day[..], 2 * DAY, 2),
            (&[4 * HOUR, 8 * HOUR, DAY][..], 9 * HOUR, 2),
            (&[4 * HOUR, 8 * HOUR, DAY][..], 40 * HOUR, 4),
            (&[][..], DAY, 0),
        ];
        for (ages, age, expected) in cases {
            assert_eq!(warnings_due(ages, age), expected, "{ages:?} after {age}");
        }
    }
}
