//! Is the same work done? W1 played by mailtwin and by a hand-tuned program that does nothing else must agree in the mean.
//!
//! The other side's figures are held as data: N = 10000, RATE = 2, UP = 600, DOWN = 400, seeds 1 to 30. Two means agree when they differ by at most
//! 2.6 standard errors of their difference.

#[path = "../benches/common/w1.rs"]
mod w1;

use mailtwin::base::Fate;
use mailtwin::engine::{Options, run};
use mailtwin::trace::level;

/// Delivered, deferrals, failed connects, mean latency in seconds.
const LIMIT: [(u64, u64, u64, f64); 30] = [
    (10000, 204, 5445, 18.550492),    // seed 1
    (10000, 0, 2325, 7.931897),       // seed 2
    (10000, 2556, 12733, 66.251338),  // seed 3
    (10000, 66, 4333, 14.360061),     // seed 4
    (10000, 1254, 10137, 40.572387),  // seed 5
    (10000, 159, 5379, 18.076412),    // seed 6
    (10000, 3380, 15662, 96.894186),  // seed 7
    (10000, 235, 4478, 15.81113),     // seed 8
    (10000, 228, 5055, 17.532775),    // seed 9
    (10000, 130, 2089, 8.023069),     // seed 10
    (10000, 284, 4037, 15.159949),    // seed 11
    (10000, 405, 8742, 29.818535),    // seed 12
    (10000, 0, 4299, 13.871453),      // seed 13
    (10000, 438, 5751, 20.862146),    // seed 14
    (10000, 312, 6960, 23.818186),    // seed 15
    (10000, 429, 5756, 20.862998),    // seed 16
    (10000, 0, 2635, 8.856401),       // seed 17
    (10000, 662, 5561, 21.996864),    // seed 18
    (10000, 44, 5306, 17.164941),     // seed 19
    (10000, 979, 8669, 34.403194),    // seed 20
    (10000, 263, 3687, 13.651201),    // seed 21
    (10000, 1902, 10559, 47.595196),  // seed 22
    (10000, 2293, 10710, 56.724523),  // seed 23
    (10000, 412, 8612, 29.834694),    // seed 24
    (10000, 0, 3997, 12.974408),      // seed 25
    (10000, 96, 3143, 10.982082),     // seed 26
    (10000, 0, 7588, 23.72457),       // seed 27
    (10000, 6278, 22555, 186.298864), // seed 28
    (10000, 488, 5234, 19.856011),    // seed 29
    (10000, 0, 2079, 7.19705),        // seed 30
];

/// Mean, and the square of its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

#[test]
fn agrees_with_the_reference_in_the_mean() {
    let ours: Vec<[f64; 4]> = (1..=30)
        .map(|seed| {
            let model = w1::model(10_000, seed, 2.0, (600, 400));
            let counters = run(&model, &Options { level: level::COUNTERS, ..Options::default() }).counters;
            let delivered = counters.fates[Fate::ALL.iter().position(|one| *one == Fate::Delivered).expect("ALL has all")];
            let mean_s = counters.delay_sum_ns as f64 / 1e9 / counters.delay_count as f64;
            [delivered as f64, counters.deferrals as f64, counters.failed_connects as f64, mean_s]
        })
        .collect();
    let theirs: Vec<[f64; 4]> = LIMIT.iter().map(|row| [row.0 as f64, row.1 as f64, row.2 as f64, row.3]).collect();
    for (at, what) in ["delivered", "deferrals", "failed connects", "mean latency"].into_iter().enumerate() {
        let column = |rows: &[[f64; 4]]| mean(&rows.iter().map(|row| row[at]).collect::<Vec<_>>());
        let ((a, error_a), (b, error_b)) = (column(&ours), column(&theirs));
        let allowed = 2.6 * (error_a + error_b).sqrt();
        println!("{what}: mailtwin {a:.2}, reference {b:.2}, difference {:.2}, allowed {allowed:.2}", (a - b).abs());
        assert!((a - b).abs() <= allowed, "{what}: {a} and {b} differ by more than {allowed}");
    }
}
