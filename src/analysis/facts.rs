//! What a run says of its machines and its faults.

use super::build::Builder;
use super::outcome::{FaultFacts, HostFacts};
use crate::base::{HostId, InOrder, SimTime};
use crate::model::fault::{FaultKind, hosts_of, struck};
use crate::model::topology::{HostSet, SystemKind};
use crate::trace::NONE;
use std::collections::BTreeSet;
use std::rc::Rc;

/// Lines between hosts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lines {
    /// Hosts at one end.
    pub a: Vec<Rc<str>>,
    /// Hosts at the other end.
    pub b: Vec<Rc<str>>,
    /// Only from the first to the second.
    pub one_way: bool,
}

impl FaultFacts {
    /// Does it strike what `from` sends to `to`?
    #[must_use]
    pub fn strikes(&self, from: &str, to: &str) -> bool {
        let has = |hosts: &[Rc<str>], name: &str| hosts.iter().any(|host| **host == *name);
        let on_line =
            |lines: &Lines| has(&lines.a, from) && has(&lines.b, to) || !lines.one_way && has(&lines.b, from) && has(&lines.a, to);
        has(&self.hosts, to) || self.lines.as_ref().is_some_and(on_line)
    }
}

impl Builder<'_> {
    /// Names of the tenants.
    pub(super) fn tenants(&self) -> BTreeSet<Rc<str>> {
        let systems = self.model.systems.iter().zip(&self.system_names);
        systems.filter(|(system, _)| system.kind == SystemKind::Tenant).map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn hosts(&self) -> Vec<HostFacts> {
        let mut queued: Vec<Vec<(SimTime, u32)>> = vec![Vec::new(); self.model.hosts.len()];
        for row in &self.run.trace.queues {
            let list = &mut queued[row.host.index()];
            match list.last_mut() {
                Some(last) if last.0 == row.at => last.1 = row.messages,
                _ => list.push((row.at, row.messages)),
            }
        }
        let facts = self.model.hosts.iter().zip(&self.run.down).zip(queued).enumerate();
        facts
            .map(|(at, ((_, down), queued))| {
                let place = self.place(HostId(at as u32), NONE);
                HostFacts { name: place.host, system: place.system, down: down.clone(), queued }
            })
            .collect()
    }

    pub(super) fn faults(&self) -> Vec<FaultFacts> {
        let mut facts: Vec<FaultFacts> = self
            .model
            .faults
            .iter()
            .filter(|fault| !fault.always)
            .map(|fault| {
                let set = struck(&fault.kind);
                let names = |set: &HostSet| -> Vec<Rc<str>> {
                    hosts_of(set, self.model.hosts.len()).into_iter().map(|host| self.host_names[host.index()].clone()).collect()
                };
                let lines = match &fault.kind {
                    FaultKind::Partition { a, b, one_way, .. } => Some((names(a), names(b), *one_way)),
                    FaultKind::Latency { a, b, .. } => Some((names(a), names(b), false)),
                    _ => None,
                };
                let lines = lines.map(|(a, b, one_way)| Lines { a, b, one_way });
                FaultFacts {
                    name: fault.name.as_ref().into(),
                    kind: kind_name(&fault.kind),
                    hosts: set.map_or_else(Vec::new, names),
                    lines,
                    from: fault.window.from,
                    until: fault.window.until,
                }
            })
            .collect();
        facts.in_order_by(|a, b| (a.from, &a.name).cmp(&(b.from, &b.name)));
        facts
    }
}

fn kind_name(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Down { .. } => "Down",
        FaultKind::Flapping { .. } => "Flapping",
        FaultKind::Partition { .. } => "Partition",
        FaultKind::Latency { .. } => "Latency",
        FaultKind::Capacity { .. } => "Capacity",
        FaultKind::Tarpit { .. } => "Tarpit",
        FaultKind::Reply { .. } => "Reply",
        FaultKind::Drop { .. } => "Drop",
        FaultKind::Starttls { .. } => "Starttls",
        FaultKind::Certificate { .. } => "Certificate",
        FaultKind::Greylist { .. } => "Greylist",
        FaultKind::Postscreen { .. } => "Postscreen",
        FaultKind::RateLimit { .. } => "RateLimit",
        FaultKind::Dns { .. } => "Dns",
        FaultKind::MtaSts { .. } => "MtaSts",
        FaultKind::BackPressure { .. } => "BackPressure",
    }
}
