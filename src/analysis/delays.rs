//! How long did the mail take?
//!
//! From the moment a message entered the model to the moment a recipient had it. Percentiles are nearest rank (the smallest value that
//! at least so many percent do not exceed), so every figure is one that really happened, and an exact integer.

use super::outcome::{Kind, Message, Outcome, Recipient};
use crate::base::Fate;

/// Did this recipient get the mail, as far as the model can see?
#[must_use]
pub fn arrived(recipient: &Recipient) -> bool {
    matches!(recipient.fate, Fate::Delivered | Fate::LeftModel)
}

/// Nanoseconds from the submission of the message to the end of this recipient.
#[must_use]
pub fn delay_ns(message: &Message, recipient: &Recipient) -> u64 {
    recipient.at.since(message.sent_at)
}

/// The delays of all ordinary mail that arrived, in nanoseconds, shortest first.
#[must_use]
pub fn delays_ns(outcome: &Outcome) -> Vec<u64> {
    let mail = outcome.messages.iter().filter(|message| message.kind == Kind::Mail);
    let mut delays: Vec<u64> =
        mail.flat_map(|message| message.recipients.iter().filter(|r| arrived(r)).map(|r| delay_ns(message, r))).collect();
    delays.sort_unstable();
    delays
}

/// The nearest-rank percentile of sorted values, in thousandths (`950` is p95, `999` is p99.9); `None` of nothing.
#[must_use]
pub fn percentile(sorted: &[u64], per_mille: u32) -> Option<u64> {
    let rank = (sorted.len() as u128 * u128::from(per_mille.min(1000))).div_ceil(1000);
    sorted.get((rank as usize).saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;
    use crate::base::{MILLISECOND, SECOND};

    #[test]
    fn nearest_rank() {
        let ten: Vec<u64> = (1..=10).collect();
        let cases = [
            (&ten[..], 500, Some(5)),
            (&ten, 510, Some(6)),
            (&ten, 950, Some(10)),
            (&ten, 0, Some(1)),
            (&ten, 1000, Some(10)),
            (&ten[..1], 990, Some(1)),
            (&[], 500, None),
        ];
        for (values, per_mille, expected) in cases {
            assert_eq!(percentile(values, per_mille), expected, "{values:?} {per_mille}");
        }
    }

    #[test]
    fn only_mail_that_arrived() {
        let expected = [500 * MILLISECOND, 500 * MILLISECOND, 30 * SECOND + 540 * MILLISECOND, 30 * SECOND + 540 * MILLISECOND];
        assert_eq!(delays_ns(&fixture::two_sites()), expected);
    }
}
