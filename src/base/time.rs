//! When? Nanoseconds since the scenario began, and the words people use for durations.
//!
//! Whole nanoseconds everywhere inside; text and JSON print seconds as exact decimals.

use std::fmt;

/// One millisecond in nanoseconds.
pub const MILLISECOND: u64 = 1_000_000;
/// One second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// One minute in nanoseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// One hour in nanoseconds.
pub const HOUR: u64 = 60 * MINUTE;
/// One day in nanoseconds.
pub const DAY: u64 = 24 * HOUR;

/// A moment of the simulation: nanoseconds since the scenario began, never a wall clock.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SimTime(pub u64);

impl SimTime {
    /// The beginning.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens: "for ever".
    pub const NEVER: Self = Self(u64::MAX);

    /// This moment and a duration in nanoseconds; stays at "never" instead of wrapping.
    #[must_use]
    pub fn after(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }

    /// Nanoseconds from `earlier` to here; 0 if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}s", seconds(self.0))
    }
}

/// Nanoseconds as exact decimal seconds: `1500000000` is `1.5`.
#[must_use]
pub fn seconds(nanoseconds: u64) -> String {
    let (whole, rest) = (nanoseconds / SECOND, nanoseconds % SECOND);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:09}").trim_end_matches('0').to_owned()
}

/// Reads a duration with units: `90s`, `1h 30m`, `2d`, `1h5m` (ns us ms s m h d w). A bare number, a bare `M`, years and months are refused.
///
/// # Errors
/// A sentence that says what is wrong, without the text itself.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("a duration needs a number and a unit, as in \"90s\"".into());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        if text.bytes().all(|byte| byte == b'0') {
            return Ok(0);
        }
        return Err(format!("a duration needs a unit: \"{text}s\", \"{text}m\" or \"{text}h\"?"));
    }
    if let Some(units) = of_the_cmdlets(text) {
        return Err(format!("durations have units here: \"{units}\""));
    }
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let end = rest[at..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |len| at + len);
        let unit = &rest[at..end];
        if !matches!(
            unit,
            "ns" | "us"
                | "ms"
                | "s"
                | "sec"
                | "secs"
                | "second"
                | "seconds"
                | "m"
                | "min"
                | "mins"
                | "minute"
                | "minutes"
                | "h"
                | "hr"
                | "hour"
                | "hours"
                | "d"
                | "day"
                | "days"
                | "w"
                | "week"
                | "weeks"
        ) {
            return Err(format!("`{unit}` is not a unit of time here (ns us ms s m h d w)"));
        }
        rest = &rest[end..];
    }
    if text.starts_with(['-', '+']) {
        return Err("a duration has no sign, and nothing lies before the start".into());
    }
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    u64::try_from(duration.as_nanos()).map_err(|_| "longer than 584 years".into())
}

/// What is meant by the notation of the cmdlets, `[days.]hours:minutes:seconds`, in units.
fn of_the_cmdlets(text: &str) -> Option<String> {
    let (days, clock) = match text.split_once(':')?.0.split_once('.') {
        Some((days, _)) => (days.parse::<u32>().ok()?, &text[days.len() + 1..]),
        None => (0, text),
    };
    let parts: Vec<u32> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts[..] else { return None };
    let written = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")];
    let units: Vec<String> = written.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number}{unit}")).collect();
    Some(if units.is_empty() { "0s".to_owned() } else { units.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("90s", Ok(90 * SECOND)),
            ("1h 30m", Ok(90 * MINUTE)),
            ("1h5m", Ok(65 * MINUTE)),
            ("2d", Ok(2 * DAY)),
            ("20ms", Ok(20 * MILLISECOND)),
            ("0", Ok(0)),
            ("2.00:00:00", Err("durations have units here: \"2d\"".to_owned())),
            ("00:01:00", Err("durations have units here: \"1m\"".to_owned())),
            ("1.12:30:05", Err("durations have units here: \"1d 12h 30m 5s\"".to_owned())),
            ("00:00:00", Err("durations have units here: \"0s\"".to_owned())),
            ("90", Err("a duration needs a unit: \"90s\", \"90m\" or \"90h\"?".to_owned())),
            ("1M", Err("`M` is not a unit of time here (ns us ms s m h d w)".to_owned())),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn exact_seconds() {
        assert_eq!(seconds(1_500_000_000), "1.5");
        assert_eq!(seconds(3 * SECOND), "3");
        assert_eq!(seconds(1), "0.000000001");
    }
}
