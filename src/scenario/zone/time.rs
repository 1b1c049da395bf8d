//! How many seconds? `3600`, `1h30m`, `1W`.
//!
//! Sources: RFC 1035 §3.2.1 and RFC 2181 §8 (31 bits), BIND's units. A number with units has a unit behind each part.

use super::problem::{ZoneProblem, codes, quote};
use std::ops::Range;

/// The longest TTL: 31 bits.
pub(super) const SECONDS_MAX: u64 = (1 << 31) - 1;

/// The seconds, perhaps more than fit; `None` if the text is no time at all.
pub(super) fn parse(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    let (mut total, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit_seconds = match rest.as_bytes().get(digits)?.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        let count = rest[..digits].parse().unwrap_or(u64::MAX);
        total = total.saturating_add(count.saturating_mul(unit_seconds));
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then_some(total)
}

/// The seconds, if they fit into 31 bits.
pub(super) fn check(text: &str, range: &Range<usize>, seconds: u64) -> Result<u32, ZoneProblem> {
    if seconds > SECONDS_MAX {
        let problem = ZoneProblem::error(range.clone(), codes::TTL, format!("{} is longer than 2147483647 seconds", quote(text)));
        return Err(problem.help("68 years is the longest time that DNS knows"));
    }
    Ok(u32::try_from(seconds).expect("31 bits fit into 32"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let cases = [
            ("0", Some(0)),
            ("3600", Some(3600)),
            ("1h30m", Some(5400)),
            ("1W2d", Some(777_600)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("99999999999999999999999w1s", Some(u64::MAX)),
            ("1h30", None),
            ("h", None),
            ("", None),
            ("-1", None),
            ("1y", None),
            ("1ä", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert!(check("", &(0..0), SECONDS_MAX).is_ok() && check("", &(0..0), SECONDS_MAX + 1).is_err());
    }
}
