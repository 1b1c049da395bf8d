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
