//! `run --trace counters`: what was counted, where nothing else was written down. Text, and JSON of the schema `mailtwin.counters/1`.

use super::words::{Align, Clock, columns, duration, fit, share};
use super::writer::Writer;
use crate::base::{Fate, printable};
use crate::engine::{Run, Stop};

/// For people.
#[must_use]
pub fn counters_text(scenario: &str, run: &Run, clock: Clock) -> String {
    let counted = &run.counters;
    let ended = clock.moment(run.ended_at);
    let end = match &run.stop {
        Stop::Settled => format!("settled at {ended}"),
        Stop::Until => format!("until {ended}"),
        Stop::Bound(bound) => format!("CUT SHORT at {ended} by a bound ({})", printable(bound)),
    };
    let total: u64 = counted.fates.iter().sum();
    let fates = Fate::ALL.iter().zip(counted.fates).filter(|(_, number)| *number > 0);
    let fates: Vec<_> = fates.map(|(fate, number)| [fate.as_str().to_owned(), number.to_string(), share(number, total)]).collect();
    let rows = |rows: &[(&str, String)]| {
        let rows: Vec<_> = rows.iter().map(|(name, value)| [(*name).to_owned(), value.clone()]).collect();
        columns("  ", [Align::Left, Align::Right], &rows)
    };
    let counts = rows(&[
        ("messages", counted.messages.to_string()),
        ("most under way at once", counted.in_flight_max.to_string()),
        ("passes that left something", counted.deferrals.to_string()),
        ("connects in vain", counted.failed_connects.to_string()),
        ("duplicates", counted.duplicates.to_string()),
        ("events", run.events.to_string()),
    ]);
    let delay = |per_mille| percentile_ns(run, per_mille).map_or("-".to_owned(), |delay_ns| format!("about {}", duration(delay_ns)));
    let delays = rows(&[("p50", delay(500)), ("p95", delay(950)), ("p99", delay(990))]);
    let fates = columns("  ", [Align::Left, Align::Right, Align::Right], &fates);
    format!("{}\nseed {}, {end}\n\nfates, of reports too\n{fates}\ncounts\n{counts}\ndelays\n{delays}", fit(scenario, 100), run.seed)
}

fn percentile_ns(run: &Run, per_mille: u64) -> Option<u64> {
    (run.counters.delay_count > 0).then(|| run.counters.delay_percentile_ns(per_mille))
}

/// For programs.
#[must_use]
pub fn counters_json(scenario: &str, run: &Run) -> String {
    let counted = &run.counters;
    let mut writer = Writer::new();
    writer.object(|w| {
        w.line_key("schema").string("mailtwin.counters/1");
        w.line_key("scenario").string(scenario);
        w.line_key("version").string(env!("CARGO_PKG_VERSION"));
        w.line_key("seed").number(run.seed);
        w.line_key("until_s").moment(run.until);
        w.line_key("stopped").string(match &run.stop {
            Stop::Settled => "settled",
            Stop::Until => "until",
            Stop::Bound(bound) => bound,
        });
        w.line_key("ended_at_s").moment(run.ended_at);
        w.line_key("events").number(run.events);
        w.line_key("messages").number(counted.messages);
        w.line_key("in_flight_max").number(counted.in_flight_max);
        w.line_key("fates").object(|w| {
            for (fate, number) in Fate::ALL.iter().zip(counted.fates) {
                w.key(fate.as_str()).number(number);
            }
        });
        w.line_key("deferrals").number(counted.deferrals);
        w.line_key("failed_connects").number(counted.failed_connects);
        w.line_key("duplicates").number(counted.duplicates);
        w.line_key("delay_s").object(|w| {
            for (name, per_mille) in [("p50", 500), ("p95", 950), ("p99", 990)] {
                w.key(name).duration(percentile_ns(run, per_mille));
            }
        });
        w.last_line();
    });
    writer.into_text() + "\n"
}
