//! What does `"25MB"`, `"6/min"`, `"50%"`, `"exponential 50ms"` or `"2026-03-02 18:30"` mean?
//!
//! Pure readers of the texts that values are; each says in one sentence what such a text looks like. Whole numbers inside: nanoseconds,
//! bytes, millionths. Not modelled: time zones by name and leap seconds; a date is UTC unless an offset follows.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use crate::base::{DAY, HOUR, MINUTE, SECOND, SimTime, parse_duration};

/// Reads a date for `start`: `2026-03-02`, `2026-03-02 18:30`, `2026-03-02 18:30:05 +01:00`.
///
/// # Errors
/// A sentence that says what a date looks like.
pub fn parse_date(text: &str) -> Result<Timestamp, String> {
    let wrong = || "a date is written \"2026-03-02\" or \"2026-03-02 18:30\", UTC unless \"+01:00\" follows".to_owned();
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10).ok_or_else(wrong)?;
    let date: Date = date.parse().map_err(|_| wrong())?;
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim();
    let split = rest.find(['+', '-', 'Z', 'z']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(split);
    let clock = clock.trim();
    let written_like_a_clock = clock.len() >= 5 && clock.as_bytes()[2] == b':';
    let time: Time = match clock {
        "" if offset.is_empty() => Time::midnight(),
        _ if !written_like_a_clock => return Err(wrong()),
        _ => clock.parse().map_err(|_| wrong())?,
    };
    let utc = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| wrong())?.timestamp();
    let seconds_east = offset_seconds(offset).ok_or_else(wrong)?;
    utc.checked_sub(jiff::SignedDuration::from_secs(seconds_east)).map_err(|_| wrong())
}

/// `+01:00`, `-0530`, `Z`, or nothing.
fn offset_seconds(text: &str) -> Option<i64> {
    let sign = match text.chars().next() {
        None | Some('Z' | 'z') => return (text.len() <= 1).then_some(0),
        Some('-') => -1,
        Some(_) => 1,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let well_formed = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 6;
    let number: i64 = digits.parse().ok().filter(|_| well_formed)?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn looks_like_a_date(text: &str) -> bool {
    let bytes = text.trim().as_bytes();
    bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-'
}

/// Nanoseconds from the start to a moment, which may lie before it (a certificate that expired): a duration after the start or a date.
///
/// # Errors
/// A sentence that says what a moment looks like.
pub fn parse_instant(text: &str, start: Option<Timestamp>) -> Result<i128, String> {
    if !looks_like_a_date(text) {
        return parse_duration(text).map(i128::from);
    }
    let date = parse_date(text)?;
    let start = start.ok_or("a date needs the scenario to give its `start`, as in start: \"2026-03-02\"")?;
    Ok(date.as_nanosecond() - start.as_nanosecond())
}

/// A moment of the run: a duration after the start or, if the scenario has a `start`, a date.
///
/// # Errors
/// A sentence that says what a moment looks like, or that it lies before the start.
pub fn parse_moment(text: &str, start: Option<Timestamp>) -> Result<SimTime, String> {
    match u64::try_from(parse_instant(text, start)?) {
        Ok(nanoseconds) => Ok(SimTime(nanoseconds)),
        Err(_) if start.is_some_and(|start| parse_date(text).is_ok_and(|date| date < start)) => {
            Err("this moment lies before the start; the earliest one is the start itself, \"0s\"".into())
        }
        Err(_) => Err("this moment is more than 584 years away".into()),
    }
}

/// Reads a size in bytes, 1024-based: `25MB`, `10 KB`, `512B`; `None` for `unlimited`.
///
/// # Errors
/// A sentence that says what a size looks like.
pub fn parse_size(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("unlimited") {
        return Ok(None);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "B" => 0,
        "" if number == "0" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        "" if !number.is_empty() => return Err(format!("a size needs a unit: \"{number}B\", \"{number}KB\" or \"{number}MB\"?")),
        _ => return Err("a size is a whole number and a unit (B KB MB GB), as in \"25MB\", or \"unlimited\"".into()),
    };
    let number: u64 =
        number.parse().map_err(|_| "a size is a whole number and a unit (B KB MB GB), as in \"25MB\", or \"unlimited\"".to_owned())?;
    number.checked_mul(1 << shift).map(Some).ok_or_else(|| "this size is too large".into())
}

/// So many in a stretch of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how many nanoseconds.
    pub per_ns: u64,
}

impl Rate {
    /// The mean distance between two, in nanoseconds; at least 1.
    #[must_use]
    pub fn mean_gap_ns(self) -> u64 {
        (self.per_ns / self.count).max(1)
    }
}

/// Reads a rate: `6/min`, `0.5/s`, `100/h`, `20/day`.
///
/// # Errors
/// A sentence that says what a rate looks like.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let wrong = || "a rate is a number above zero, a slash and s, min, h or day, as in \"6/min\"".to_owned();
    let (number, unit) = text.split_once('/').ok_or_else(wrong)?;
    let unit = match unit.trim() {
        "s" | "sec" | "second" => SECOND,
        "m" | "min" | "minute" => MINUTE,
        "h" | "hour" => HOUR,
        "d" | "day" => DAY,
        _ => return Err(wrong()),
    };
    let (count, scale) = decimal(number.trim(), 6).ok_or_else(wrong)?;
    let per_ns = unit.checked_mul(scale).ok_or_else(wrong)?;
    if count == 0 { Err(wrong()) } else { Ok(Rate { count, per_ns }) }
}

/// `12.5` as 125 and 10: digits, and the power of ten that they are parts of.
fn decimal(text: &str, places_max: usize) -> Option<(u64, u64)> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) || rest.len() > places_max || text.ends_with('.') {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(rest.len()).ok()?);
    Some((format!("{whole}{rest}").parse().ok()?, scale))
}

/// A part of a whole, in millionths.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Share(pub u32);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(1_000_000);
}

/// Reads a share: `50%`, `0.5%`, `100%`.
///
/// # Errors
/// A sentence that says what a share looks like.
pub fn parse_share(text: &str) -> Result<Share, String> {
    let wrong = || "a share is a number from 0 to 100 and `%`, as in \"50%\"".to_owned();
    let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
    let (digits, scale) = decimal(number.trim_end(), 4).ok_or_else(wrong)?;
    let millionths = digits.checked_mul(10_000 / scale).filter(|share| *share <= 1_000_000).ok_or_else(wrong)?;
    Ok(Share(millionths as u32))
}

/// How long something takes: always the same, or drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Law {
    /// Always so many nanoseconds.
    Fixed(u64),
    /// Exponential with this mean in nanoseconds.
    Exponential(u64),
    /// Anything between the two, in nanoseconds.
    Uniform(u64, u64),
}

/// Reads a duration or a law: `50ms`, `exponential 50ms`, `uniform 10ms..30ms`.
///
/// # Errors
/// A sentence that says what a law looks like.
pub fn parse_law(text: &str) -> Result<Law, String> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word {
        "exponential" => match parse_duration(rest)? {
            0 => Err("the mean of an exponential law is above zero".into()),
            mean => Ok(Law::Exponential(mean)),
        },
        "uniform" => {
            let (from, to) = rest.split_once("..").ok_or("a uniform law has two ends, as in \"uniform 10ms..30ms\"")?;
            let (from, to) = (parse_duration(from)?, parse_duration(to)?);
            if from > to { Err("the first end of a uniform law is not above the second".into()) } else { Ok(Law::Uniform(from, to)) }
        }
        _ if word.starts_with(|c: char| c.is_ascii_digit()) => parse_duration(text).map(Law::Fixed),
        _ => Err("a law is \"50ms\", \"exponential 50ms\" or \"uniform 10ms..30ms\"".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MILLISECOND;

    #[test]
    fn dates_and_moments() {
        let start = parse_date("2026-03-02").unwrap();
        let cases = [
            ("2026-03-02 10:00", Ok(10 * HOUR)),
            ("2026-03-02T10:00:30", Ok(10 * HOUR + 30 * SECOND)),
            ("2026-03-02 10:00 +01:00", Ok(9 * HOUR)),
            ("2026-03-02 10:00-05:30", Ok(15 * HOUR + 30 * MINUTE)),
            ("2026-03-02 10:00Z", Ok(10 * HOUR)),
            ("2026-03-03", Ok(DAY)),
            ("90s", Ok(90 * SECOND)),
            ("2026-03-01", Err("before the start")),
            ("2026-02-30", Err("a date is written")),
            ("2026-03-02 25:00", Err("a date is written")),
            ("2026-03-02 10", Err("a date is written")),
            ("2026-03-02 10:00 +25:00", Err("a date is written")),
            ("soon", Err("")),
        ];
        for (text, expected) in cases {
            match (parse_moment(text, Some(start)), expected) {
                (Ok(moment), Ok(expected)) => assert_eq!(moment, SimTime(expected), "{text}"),
                (Err(message), Err(piece)) => assert!(message.contains(piece), "{text}: {message}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert_eq!(parse_instant("2026-03-01", Some(start)), Ok(-i128::from(DAY)));
        assert!(parse_moment("2026-03-02", None).unwrap_err().contains("`start`"));
    }

    #[test]
    fn sizes_rates_shares() {
        let sizes = [
            ("25MB", Some(Some(25 << 20))),
            ("10 kb", Some(Some(10 << 10))),
            ("0", Some(Some(0))),
            ("unlimited", Some(None)),
            ("Unlimited", Some(None)),
        ];
        for (text, expected) in sizes {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
        for text in ["25", "MB", "2.5MB", "-1KB", "99999999999TB", ""] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        let rates = [("6/min", 10 * SECOND), ("0.5/s", 2 * SECOND), ("100/h", 36 * SECOND), ("1 / day", DAY)];
        for (text, gap) in rates {
            assert_eq!(parse_rate(text).map(Rate::mean_gap_ns), Ok(gap), "{text}");
        }
        for text in ["6", "0/min", "6/week", "-1/s", "1./s", "/s"] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
        for (text, expected) in [("50%", 500_000), ("0.5%", 5_000), ("12.5 %", 125_000), ("100%", 1_000_000), ("0%", 0)] {
            assert_eq!(parse_share(text), Ok(Share(expected)), "{text}");
        }
        for text in ["50", "101%", "-1%", "%", "0.00001%"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn laws() {
        let cases = [
            ("50ms", Law::Fixed(50 * MILLISECOND)),
            ("exponential 50ms", Law::Exponential(50 * MILLISECOND)),
            ("uniform 10ms..30ms", Law::Uniform(10 * MILLISECOND, 30 * MILLISECOND)),
            ("1h 30m", Law::Fixed(90 * MINUTE)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_law(text), Ok(expected), "{text}");
        }
        for text in ["normal 5ms", "uniform 30ms..10ms", "uniform 30ms", "exponential 0s", "exponential", "50", ""] {
            assert!(parse_law(text).is_err(), "{text}");
        }
    }
}
