//! Luck: all of it comes from here, keyed by the seed and by names.
//!
//! What lives long owns a ChaCha8 stream: key SHA-256 of the seed, stream number the first 64 bits of SHA-256(purpose, name). What belongs to one
//! message has no generator: a counter-based mix of seed, purpose, message, place and attempt, so the third try at a host has the same luck
//! in two runs that differ elsewhere. Variates by inversion, with the logarithm of `libm`: the same bits on every machine.

use crate::model::topology::Law;
use rand::Rng;
pub(crate) use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// What a draw is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Entry = 1,
    Sender,
    Recipient,
    Order,
    Latency,
    Service,
    Fault,
    Answer,
    Turn,
    DnsLatency,
    Extra,
    Sample,
    Recipients,
    Process,
    CacheAge,
    Egress,
    FrontEnd,
    Jitter,
    HostList,
}

/// The luck of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    seed: u64,
    key: [u8; 32],
}

impl Chance {
    /// The luck of this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x6D61_696C_7477_696E), key: Sha256::digest(seed.to_le_bytes()).into() }
    }

    /// The stream of something that lives long.
    pub(crate) fn stream(&self, purpose: &str, name: &str) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(name_key(purpose, name));
        rng
    }

    /// The luck of a message in this run, by its key: what all its draws begin with.
    pub(crate) fn of_message(&self, key: u64) -> u64 {
        mix(self.seed ^ key)
    }

    /// The `n`-th number for this purpose, luck of a message, and place.
    #[inline]
    pub(crate) fn draw(&self, purpose: Purpose, luck: u64, place: u64, n: u64) -> u64 {
        let b = mix(luck ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mix(b ^ (n << 8 | purpose as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// How long something takes by its law.
    #[inline]
    pub(crate) fn time(&self, law: Law, purpose: Purpose, luck: u64, place: u64, n: u64) -> u64 {
        match law {
            Law::Constant(ns) => ns,
            Law::Exponential(mean) => exponential(self.draw(purpose, luck, place, n), mean),
            Law::Uniform(from, to) => from + below(self.draw(purpose, luck, place, n), to.saturating_sub(from).saturating_add(1)),
        }
    }
}

/// First 64 bits of SHA-256 of a purpose and a name.
pub(crate) fn name_key(purpose: &str, name: &str) -> u64 {
    let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(name).finalize();
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

/// A good mix of 64 bits (the finalizer of SplitMix64).
#[inline]
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// From 0 to 1, 1 not included, in steps of 2^-53.
#[inline]
fn unit(number: u64) -> f64 {
    // Below 2^53, where signed conversions are exact and one instruction.
    (number >> 11) as i64 as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Exponential with this mean, rounded to nanoseconds.
#[inline]
pub(crate) fn exponential(number: u64, mean_ns: u64) -> u64 {
    // At most 37 times the mean; the conversion stops at 2^63 ns (292 years).
    (-libm::log(1.0 - unit(number)) * mean_ns as i64 as f64) as i64 as u64
}

/// From 0 to `bound`, not included.
#[inline]
pub(crate) fn below(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}

/// The place that a number hits among weights.
pub(crate) fn weighted(number: u64, weights: impl Iterator<Item = u32> + Clone) -> usize {
    let total: u64 = weights.clone().map(u64::from).sum();
    let mut left = below(number, total.max(1));
    for (at, weight) in weights.enumerate() {
        if left < u64::from(weight) {
            return at;
        }
        left -= u64::from(weight);
    }
    0
}

/// The next exponential wait of a stream.
pub(crate) fn next_wait(rng: &mut ChaCha8Rng, mean_ns: u64) -> u64 {
    exponential(rng.next_u64(), mean_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_has_the_same_answer() {
        let chance = Chance::new(42);
        assert_eq!(chance.draw(Purpose::Order, 1, 2, 3), Chance::new(42).draw(Purpose::Order, 1, 2, 3));
        assert_ne!(chance.of_message(1), Chance::new(43).of_message(1));
        assert_ne!(chance.draw(Purpose::Order, 1, 2, 3), chance.draw(Purpose::Order, 1, 2, 4));
        assert_ne!(chance.draw(Purpose::Order, 1, 2, 3), chance.draw(Purpose::Latency, 1, 2, 3));
        assert_eq!(chance.stream("flapping", "a").next_u64(), chance.stream("flapping", "a").next_u64());
        assert_ne!(chance.stream("flapping", "a").next_u64(), chance.stream("flapping", "b").next_u64());
    }

    #[test]
    fn variates() {
        let chance = Chance::new(7);
        let mean = |law| (0..20_000).map(|n| chance.time(law, Purpose::Service, 1, 1, n)).sum::<u64>() / 20_000;
        assert!((980..1020).contains(&mean(Law::Exponential(1_000))), "{}", mean(Law::Exponential(1_000)));
        assert!((1490..1510).contains(&mean(Law::Uniform(1_000, 2_000))));
        let hits = (0..30_000).filter(|n| weighted(chance.draw(Purpose::Sender, 1, 1, *n), [1, 2].into_iter()) == 1).count();
        assert!((19_600..20_400).contains(&hits), "{hits}");
    }
}
