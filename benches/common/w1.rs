//! The workload W1 for any number of messages, seed and rate: the shipped scenario with its numbers set.

use mailtwin::base::SECOND;
use mailtwin::model::Model;
use mailtwin::model::traffic::Schedule;

/// The compiled workload: `n` messages at `rate` a second; slots follow the rate; up and down are mean seconds.
pub fn model(n: u64, seed: u64, rate: f64, (up_s, down_s): (u64, u64)) -> Model {
    let text = include_str!("../../scenarios/bench/w1.ron");
    let loaded = mailtwin::scenario::load_text("w1.ron", text).unwrap_or_else(|problems| panic!("w1.ron: {problems:?}"));
    let mut model = loaded.model;
    model.seed = seed;
    model.until = Some(mailtwin::base::SimTime(u64::MAX - 1));
    if let Schedule::Poisson { gap_ns, until, count, .. } = &mut model.sources[0].schedule {
        (*gap_ns, *until, *count) = ((1e9 / rate) as u64, mailtwin::base::SimTime::NEVER, n);
    }
    for (host, slots) in [("edge", 0.2), ("gateway", 0.3), ("mx1", 0.5), ("mx2", 0.5), ("mx3", 0.5)] {
        let at = model.hosts.iter().position(|one| &*one.name == host).expect("the hosts of w1.ron");
        let mut config = model.config(model.versions[0].configs[at]).clone();
        config.receiver.sessions = (rate * slots).ceil().max(2.0) as u32;
        model.configs.push(config);
        model.versions[0].configs[at] = mailtwin::base::ConfigId(model.configs.len() as u32 - 1);
    }
    for fault in &mut model.faults {
        if let mailtwin::model::fault::FaultKind::Flapping { up_ns, down_ns, .. } = &mut fault.kind {
            (*up_ns, *down_ns) = (up_s * SECOND, down_s * SECOND);
        }
    }
    model
}
