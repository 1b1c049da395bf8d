//! Machines that a dated change takes away: from then on nobody is there, and their queues are gone with them.
//!
//! A server that is switched off for good takes along what it has not passed on (a shadow elsewhere may still send it). Machines that come later were
//! never there before: nothing is lost with them.

use crate::base::{HostId, SimTime};
use crate::model::fault::Window;
use crate::model::topology::SystemKind;
use crate::scenario::schema::{Scenario, System};

use super::stage::Stage;
use super::world::{HostPlan, Part, World};

/// Is this machine among what a stage has?
pub(super) fn is_there(host: &HostPlan, world: &World, tree: &Scenario) -> bool {
    let system = tree.systems.get(&world.systems[host.system].name);
    match (&host.part, system) {
        (Part::FrontEnd(_) | Part::Sender(..), _) | (_, Some(System::Device(_) | System::Internet(_))) => true,
        (_, Some(System::Mta(_) | System::Gateway(_) | System::Fope(_) | System::ExchangeServer(_))) => {
            host.written(&world.systems, tree).is_some()
        }
        (Part::Itself, None) => world.systems[host.system].kind == SystemKind::Internet,
        _ => false,
    }
}

/// A machine, from when to when it is gone, and the change that took it.
pub(super) struct Absence<'a> {
    pub(super) host: HostId,
    pub(super) name: &'a str,
    pub(super) window: Window,
    pub(super) change: &'a str,
}

/// Who is taken away, and when.
pub(super) fn absences<'a>(world: &'a World, stages: &'a [Stage]) -> Vec<Absence<'a>> {
    let mut all = Vec::new();
    for (at, host) in world.hosts.iter().enumerate() {
        let mut was_there = false;
        let mut gone: Option<(SimTime, &str)> = None;
        for stage in stages {
            let there = is_there(host, world, &stage.tree);
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
