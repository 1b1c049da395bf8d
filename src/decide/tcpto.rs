//! qmail's table of addresses that do not answer: which are skipped, and how long?
//!
//! Source: tcpto.c. Only timeouts count, refusals do not; one within two minutes of the last is the same trouble. Not modelled: the table has 64 places.

use crate::base::{MINUTE, SECOND, SimTime};

/// What is known about one address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Silence {
    /// Timeouts that counted; 10 at most.
    pub timeouts: u8,
    /// When the last one counted.
    pub last: SimTime,
}

/// Timeouts closer together are one.
const SAME_TROUBLE_NS: u64 = 2 * MINUTE;

/// A connect ran into its timeout.
#[must_use]
pub fn timed_out(before: Silence, at: SimTime) -> Silence {
    if before.timeouts > 0 && at.since(before.last) < SAME_TROUBLE_NS {
        return before;
    }
    Silence { timeouts: (before.timeouts + 1).min(10), last: at }
}

/// Is the address skipped now? `luck` from 0 to 31 stands for the number of the process that asks.
#[must_use]
pub fn is_skipped(known: Silence, at: SimTime, luck: u64) -> bool {
    known.timeouts >= 2 && at.since(known.last) < (60 + luck % 32) * 64 * SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences() {
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let known = |timeouts, last| Silence { timeouts, last: at(last) };
        let cases = [
            ("the first timeout", known(0, 0), 60, (known(1, 60), false)),
            ("the second within two minutes is the same", known(1, 60), 170, (known(1, 60), false)),
            ("the second", known(1, 60), 400, (known(2, 400), true)),
            ("ten at most", known(10, 0), 7000, (known(10, 7000), true)),
        ];
        for (case, before, now, (after, skipped)) in cases {
            let got = timed_out(before, at(now));
            assert_eq!((got, is_skipped(got, at(now), 0)), (after, skipped), "{case}");
        }
        let hours = [(3839, 0, true), (3840, 0, false), (3840, 31, true), (5823, 31, true), (5824, 31, false)];
        for (after, luck, skipped) in hours {
            assert_eq!(is_skipped(known(2, 0), at(after), luck), skipped, "{after} s after the last, luck {luck}");
        }
    }
}
