//! Machines that a dated change takes away: from then on nobody is there, and their queues are gone with them.
//!
//! A server that is switched off for good takes along what it has not passed on (a shadow elsewhere may still send it). Machines that come later were
//! never there before: nothing is lost with them.

use crate::base::{HostId, SimTime};
use crate::model::fault::Window;

use super::stage::Stage;
use super::world::World;

/// A machine, from when to when it is gone, and the change that took it.
pub(super) struct Absence<'a> {
    pub(super) host: HostId,
    pub(super) name: &'a str,
    pub(super) window: Window,
    pub(super) change: &'a str,
}

/// Who is taken away, and when; `there` says for each stage which machines it has.
pub(super) fn absences<'a>(world: &'a World, stages: &'a [Stage], there: &[Vec<bool>]) -> Vec<Absence<'a>> {
    let mut all = Vec::new();
    for (at, host) in world.hosts.iter().enumerate() {
        let mut was_there = false;
        let mut gone: Option<(SimTime, &str)> = None;
        for (stage, machines) in stages.iter().zip(there) {
            let there = machines[at];
            if there && let Some((from, change)) = gone.take() {
                all.push(Absence { host: HostId(at as u32), name: &host.name, window: Window { from, until: stage.at }, change });
            }
            if was_there && !there {
                gone = Some((stage.at, &stage.name));
            }
            was_there = there;
        }
        if let Some((from, change)) = gone {
            all.push(Absence { host: HostId(at as u32), name: &host.name, window: Window { from, until: SimTime::NEVER }, change });
        }
    }
    all
}
