//! What a run counts, whatever it writes down.

/// What is only counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Messages that entered.
    pub messages: u64,
    /// Recipients by fate, in the order of `Fate::ALL`.
    pub fates: [u64; 13],
    /// Passes that left something to deliver.
    pub deferrals: u64,
    /// Connects that failed.
    pub failed_connects: u64,
    /// Copies that arrived beside the first.
    pub duplicates: u64,
    /// Sum of the delays of delivered recipients of ordinary mail, ns.
    pub delay_sum_ns: u128,
    /// Delivered recipients of ordinary mail.
    pub delay_count: u64,
    /// Log-linear histogram of those delays: 64 steps per doubling.
    pub delays: Vec<u64>,
    /// Most messages under way at once.
    pub in_flight_max: u64,
}
