//! Are these the retry times of that server? Waits are compared within the grain of its queue runs.

/// Compares the ends of simulated attempts with one recorded run, both in seconds after the message was handed in (at `submitted_s` in the record).
/// Attempts that only one side made do not count here.
pub fn agree(simulated_s: &[f64], recorded_s: &[f64], submitted_s: f64, queue_run_s: f64) -> bool {
    let mut before: Option<(f64, f64)> = None;
    simulated_s.iter().zip(recorded_s.iter().map(|t| t - submitted_s)).all(|(&simulated, recorded)| {
        let agrees = match before {
            None => (simulated - recorded).abs() <= 1.0,
            Some((simulated_before, recorded_before)) => {
                let shift = (simulated_before - recorded_before).abs();
                ((simulated - simulated_before) - (recorded - recorded_before)).abs() <= queue_run_s + 1.0 + shift
            }
        };
        before = Some((simulated, recorded));
        agrees
    })
}

#[test]
fn waits_within_a_queue_run() {
    let recorded = [0.1, 4.1, 8.1, 16.1];
    let cases: [(&str, &[f64], bool); 6] = [
        ("the same", &[0.1, 4.1, 8.1, 16.1], true),
        ("scans that fell a second earlier", &[0.1, 3.1, 7.1, 13.1], true),
        ("fewer of them", &[0.1, 4.1], true),
        ("a wait that does not grow", &[0.1, 4.1, 8.1, 12.1], false),
        ("a first try that comes late", &[3.1, 4.1, 8.1, 16.1], false),
        ("ten seconds too long", &[0.1, 14.1, 18.1, 26.1], false),
    ];
    for (what, simulated, expected) in cases {
        assert_eq!(agree(simulated, &recorded, 0.0, 2.0), expected, "{what}");
    }
}
