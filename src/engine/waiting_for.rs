//! Which mail waits for which host? When a message got through, what waits for the same host follows over the same connection, whatever its own retry
//! times say (Exim).
//!
//! Sources: Exim transports/smtp.c (`update_waiting`, label `happy`), transport.c `transport_check_waiting`, `transport_update_waiting`. Not modelled:
//! further recipients of a fetched message that go to other hosts at once (they wait for the next queue run, as there).

use super::kept::Kept;
use super::memory::PassNotes;
use super::world::{RecipientState, World};
use crate::base::{HostId, NameId};
use crate::decide::order::Order;
use crate::model::settings::TlsLevel;
use std::collections::BTreeMap;

/// Numbers of copies by machine, by the host they wait for and by how much TLS they want there (a transport of Exim has its own list), in the order in
/// which they began to.
pub(crate) type WaitLists = BTreeMap<(HostId, NameId, TlsLevel), Vec<u32>>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Hosts that a job may end up waiting for.
    pub(super) fn note_hosts(&mut self, job: u32, order: &Order, plan: u32) {
        let plan = self.cache_plan(plan);
        let candidates: Vec<u32> = order.iter().map(|place| plan.goals[usize::from(*place)].candidate).collect();
        let names: Vec<NameId> = candidates.into_iter().map(|candidate| self.tables.candidates.get(candidate).name).collect();
        let level = self.policy_of_hop(job).level;
        let notes = self.memory.jobs.entry(job).or_default();
        for name in names {
            if !notes.hosts.contains(&(name, level)) {
                notes.hosts.push((name, level));
            }
        }
    }

    /// The pass of a copy left something: it waits for the hosts of those jobs that did not fail because of the message itself.
    pub(super) fn begin_to_wait(&mut self, copy: u32, pass: &PassNotes) {
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        let pending = |place: &u16| self.copies[copy].recipients[usize::from(*place)].state == RecipientState::Pending;
        let jobs = pass.over.iter().filter(|notes| !notes.own_fault && notes.places.iter().any(pending));
        let names: Vec<(NameId, TlsLevel)> = jobs.flat_map(|notes| notes.hosts.iter().copied()).collect();
        for (name, level) in names {
            let list = self.memory.wait_lists.entry((host, name, level)).or_default();
            if !list.contains(&number) {
                list.push(number);
            }
        }
    }

    /// A message got through: the next one that waits for this host begins a pass over the same connection, in the same queue run.
    pub(super) fn fetch_waiting(&mut self, job: u32, kept: Kept) {
        let copy = self.jobs[job].copy;
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        loop {
            let Some(list) = self.memory.wait_lists.get_mut(&(host, kept.name, kept.levels.0)).filter(|list| !list.is_empty()) else {
                return;
            };
            let next = list.remove(0);
            let row = self.memory.spools.get(&host).and_then(|spool| spool.row_of(next));
            let Some(row) = row.filter(|_| next != number) else { continue };
            let run = self.memory.passes.get_mut(&copy).and_then(|notes| notes.run.take());
            self.memory.passes.entry(row).or_default().run = run;
            self.memory.fetched.insert(row, Some(kept));
            self.ready(row);
            return;
        }
    }

    /// A fetched message goes over the connection that it was fetched for, and nowhere else.
    pub(super) fn keep_to_line(&mut self, job: u32, order: &mut Order, plan: u32) {
        let copy = self.jobs[job].copy;
        let Some(kept) = self.memory.fetched.get_mut(&copy) else { return };
        let line = *kept;
        let place = line.and_then(|kept| {
            let goals = &self.cache_plan(plan).goals;
            order.iter().copied().find(|place| {
                let goal = &goals[usize::from(*place)];
                kept.leads_to(goal) && self.tables.candidates.get(goal.candidate).name == kept.name
            })
        });
        order.clear();
        let row = &mut self.jobs[job];
        row.hops = row.own_hops;
        if let (Some(place), Some(kept)) = (place, line) {
            order.push(place);
            row.hops = row.hop + 1;
            self.connections.uses.entry(job).or_default().taken = Some(kept);
            self.memory.fetched.insert(copy, None);
        }
    }
}
