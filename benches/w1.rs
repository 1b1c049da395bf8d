//! Plays W1 once and prints one JSON line: `cargo bench --bench w1 -- N SEED RATE [UP DOWN] [counters|fates|paths]`.
//!
//! The wall clock starts when the model is ready; the process's start and the scenario's compilation are not in it.

#[path = "common/w1.rs"]
mod w1;

use mailtwin::base::Fate;
use mailtwin::engine::{Options, run};
use mailtwin::trace::{ConnectionRow, CopyRow, level};

#[allow(clippy::disallowed_methods, reason = "a bench measures wall time; nothing simulated depends on it")]
fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let numbers: Vec<f64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default: f64| numbers.get(at).copied().unwrap_or(default);
    let level = match words.iter().find(|word| word.parse::<f64>().is_err()).map(String::as_str) {
        Some("paths") => level::PATHS,
        Some("fates") => level::FATES,
        _ => level::COUNTERS,
    };
    let model =
        w1::model(number(0, 100_000.0) as u64, number(1, 1.0) as u64, number(2, 20.0), (number(3, 600.0) as u64, number(4, 400.0) as u64));
    let began = std::time::Instant::now();
    let run = run(&model, &Options { level, ..Options::default() });
    let wall_s = began.elapsed().as_secs_f64();
    let counters = &run.counters;
    let of = |fate: Fate| counters.fates[Fate::ALL.iter().position(|one| *one == fate).expect("ALL has all")];
    println!(
        "{{\"engine\":\"mailtwin\",\"events\":{},\"delivered\":{},\"expired\":{},\"deferrals\":{},\"failovers\":{},\"max_in_flight\":{},\"sum_ns\":{},\"mean_s\":{:.6},\"p99_s\":{:.6},\"wall_s\":{wall_s:.4},\"events_per_s\":{:.0},\"messages_per_s\":{:.0},\"bytes_per_hop\":{}}}",
        run.events,
        of(Fate::Delivered),
        of(Fate::Expired),
        counters.deferrals,
        counters.failed_connects,
        counters.in_flight_max,
        counters.delay_sum_ns,
        counters.delay_sum_ns as f64 / 1e9 / counters.delay_count.max(1) as f64,
        counters.delay_percentile_ns(990) as f64 / 1e9,
        run.events as f64 / wall_s,
        counters.messages as f64 / wall_s,
        size_of::<ConnectionRow>() + size_of::<CopyRow>(),
    );
}
