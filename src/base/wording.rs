//! How are times, shares and counts said to people? Short, and never more exact than they are.

use super::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, SimTime, printable, seconds};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// How moments are told: as the time since the start, or as dates if the scenario has one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// The date of the start, if the scenario gives one.
    pub start: Option<Timestamp>,
}

impl Clock {
    /// `10m 3.2s` after the start, or `2026-03-02 00:10:03.2`, to the millisecond.
    #[must_use]
    pub fn moment(self, at: SimTime) -> String {
        if at == SimTime::NEVER {
            return "never".to_owned();
        }
        match self.date(at) {
            Some(date) => {
                let day = date.to_zoned(TimeZone::UTC);
                let millis = day.subsec_nanosecond() as u64 / MILLISECOND * MILLISECOND;
                format!("{}{}", day.strftime("%Y-%m-%d %H:%M:%S"), seconds(millis).trim_start_matches('0'))
            }
            None => precise(at.0),
        }
    }

    /// The date-time of a trace field (RFC 5322 §3.3), or the time since the start.
    #[must_use]
    pub fn header_date(self, at: SimTime) -> String {
        match self.date(at) {
            Some(date) => date.to_zoned(TimeZone::UTC).strftime("%a, %-d %b %Y %H:%M:%S +0000").to_string(),
            None => format!("{} after the start", precise(at.0)),
        }
    }

    fn date(self, at: SimTime) -> Option<Timestamp> {
        self.start?.checked_add(SignedDuration::new((at.0 / SECOND) as i64, (at.0 % SECOND) as i32)).ok()
    }
}

/// A duration for people, three figures or so: `320ms`, `1.25s`, `1m 40s`, `23h 59m`, `2d 4h`.
#[must_use]
pub fn duration(nanoseconds: u64) -> String {
    // Rounded where the next smaller unit is no longer shown.
    let unit = match nanoseconds {
        0..MILLISECOND => 1,
        MILLISECOND..SECOND => MILLISECOND / 10,
        SECOND..MINUTE => SECOND / 100,
        MINUTE..HOUR => SECOND,
        HOUR..DAY => MINUTE,
        DAY.. => HOUR,
    };
    precise(nanoseconds.saturating_add(unit / 2) / unit * unit)
}

/// A duration that is compared with another: to the millisecond, however long it is.
#[must_use]
pub fn exact_duration(nanoseconds: u64) -> String {
    precise(nanoseconds)
}

/// A duration to the millisecond (shorter ones exactly): `1h 0m 3.25s`.
fn precise(nanoseconds: u64) -> String {
    match nanoseconds {
        0 => return "0s".to_owned(),
        1..MILLISECOND => return format!("{}us", decimal(nanoseconds, 1_000)),
        MILLISECOND..SECOND => return format!("{}ms", decimal(nanoseconds / 1_000, 1_000)),
        SECOND.. => {}
    }
    let rest = nanoseconds % MINUTE / MILLISECOND * MILLISECOND;
    let parts = [(nanoseconds / DAY, "d"), (nanoseconds % DAY / HOUR, "h"), (nanoseconds % HOUR / MINUTE, "m")];
    let mut words: Vec<String> = parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if rest > 0 {
        words.push(format!("{}s", seconds(rest)));
    }
    words.join(" ")
}

fn decimal(value: u64, unit: u64) -> String {
    let text = format!("{}.{:03}", value / unit, value % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A part of a whole: `33.3%`; what is not nothing or all never looks as if it were.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let rounded = (u128::from(part) * 2000 + u128::from(whole)) / (u128::from(whole) * 2);
    let per_mille = if part > 0 && part < whole { rounded.clamp(1, 999) } else { rounded };
    format!("{}.{}%", per_mille / 10, per_mille % 10)
}

/// `1 message`, `2 messages`.
#[must_use]
pub fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A word that a shell takes as it stands.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@+,%".contains(c);
    let tame = word.starts_with(plain) && word.chars().all(|c| plain(c) || c == '#');
    if tame { word.to_owned() } else { printable(&format!("'{}'", word.replace('\'', r"'\''"))).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_for_people() {
        let cases = [
            (0, "0s"),
            (1_500, "1.5us"),
            (20 * MILLISECOND, "20ms"),
            (320 * MILLISECOND + 456_789, "320.5ms"),
            (999_999_999, "1s"),
            (1_254 * MILLISECOND, "1.25s"),
            (100 * SECOND, "1m 40s"),
            (59_999 * MILLISECOND, "1m"),
            (23 * HOUR + 59 * MINUTE + 29 * SECOND, "23h 59m"),
            (DAY + 90 * MINUTE, "1d 2h"),
            (u64::MAX, "213503d 23h"),
        ];
        for (nanoseconds, expected) in cases {
            assert_eq!(duration(nanoseconds), expected, "{nanoseconds}");
        }
    }

    #[test]
    fn moments() {
        let at = SimTime(10 * MINUTE + 3_050 * MILLISECOND);
        assert_eq!(Clock::default().moment(at), "10m 3.05s");
        assert_eq!(Clock::default().moment(SimTime(HOUR)), "1h");
        assert_eq!(Clock::default().header_date(SimTime(20 * MILLISECOND)), "20ms after the start");
        let clock = Clock { start: Some("2026-03-02T00:00:00Z".parse().unwrap()) };
        assert_eq!(clock.moment(at), "2026-03-02 00:10:03.05");
        assert_eq!(clock.moment(SimTime(HOUR)), "2026-03-02 01:00:00");
        assert_eq!(clock.header_date(at), "Mon, 2 Mar 2026 00:10:03 +0000");
        assert_eq!(clock.moment(SimTime::NEVER), "never");
    }

    #[test]
    fn shares_are_honest() {
        let cases = [(1, 3, "33.3%"), (9_999, 10_000, "99.9%"), (1, 10_000, "0.1%"), (0, 5, "0.0%"), (5, 5, "100.0%"), (0, 0, "-")];
        for (part, whole, expected) in cases {
            assert_eq!(share(part, whole), expected, "{part}/{whole}");
        }
    }

    #[test]
    fn words_for_a_shell() {
        let cases = [("inbound#5", "inbound#5"), ("#5", "'#5'"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$(x)", "'$(x)'"), ("", "''")];
        for (word, expected) in cases {
            assert_eq!(shell_word(word), expected);
        }
    }
}
