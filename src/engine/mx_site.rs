//! Which domains share their connections because their mail hosts are the same (KumoMTA site names)?
//!
//! A site is a list of hosts in the order of their preferences, whatever the numbers. `connection_limit` holds for a site, so mail of one domain waits where mail of another one has all of its
//! connections, and what is open and idle is there for all of its domains, encrypted or not. Sources: crates/mailexchanger (`site_name`), ready_queue.rs,
//! make_egress_path. Not modelled: rates of a site (`max_connection_rate`), its suspension by an administrator.

use super::queue::Kind;
use super::world::{Stage, World};
use crate::base::{HostId, NameId};
use crate::decide::mx::MxPlan;
use crate::decide::turn::at_site;
use crate::trace::level::STEPS;
use std::collections::{BTreeMap, VecDeque};

/// A machine, and what it goes to.
type Site = (HostId, Vec<NameId>);

/// Who uses which site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sites {
    /// By job.
    jobs: BTreeMap<u32, Site>,
    /// By queue: the site that it led to last.
    queues: BTreeMap<u32, Site>,
    used: BTreeMap<Site, Used>,
}

#[derive(Clone, Debug, Default)]
struct Used {
    busy: u32,
    waiting: VecDeque<u32>,
}

impl Sites {
    /// Do two destinations lead to one site?
    pub(super) fn are_one(&self, a: u32, b: u32) -> bool {
        self.queues.get(&a).is_some_and(|site| self.queues.get(&b) == Some(site))
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Must a job wait until its site has a connection for it?
    pub(super) fn waits_for_site(&mut self, job: u32, plan: u32) -> bool {
        let host = self.copies[self.jobs[job].copy].host;
        self.rules(host).pass.shares_sites && self.takes_place_at_site(job, plan)
    }

    #[cold]
    #[inline(never)]
    fn takes_place_at_site(&mut self, job: u32, plan: u32) -> bool {
        let host = self.copies[self.jobs[job].copy].host;
        let MxPlan::Try(list) = &self.cache_plan(plan).outcome else { return false };
        let mut hosts: Vec<(u16, NameId)> = list.iter().map(|candidate| (candidate.preference, candidate.name)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let mut names: Vec<NameId> = hosts.into_iter().map(|(_, name)| name).collect();
        names.dedup();
        let (site, queue) = ((host, names), self.jobs[job].queue);
        self.sites.queues.insert(queue, site.clone());
        if self.sites.jobs.get(&job) == Some(&site) {
            return false;
        }
        self.leaves_site(job);
        let most = self.config(host).sender.concurrency.1;
        let used = self.sites.used.entry(site.clone()).or_default();
        if most == 0 || used.busy < most {
            used.busy += 1;
            self.sites.jobs.insert(job, site);
            return false;
        }
        used.waiting.push_back(job);
        let row = &mut self.jobs[job];
        (row.stage, row.waits) = (Stage::NextHop, u64::MAX);
        if self.writes(STEPS) {
            let name = self.called(queue);
            self.begins_to_wait(job, at_site(&name, most));
        }
        true
    }

    /// A job is over: the next one that waits for its site goes on.
    pub(super) fn leaves_site(&mut self, job: u32) {
        let Some(site) = self.sites.jobs.remove(&job) else { return };
        let Some(used) = self.sites.used.get_mut(&site) else { return };
        used.busy -= 1;
        if let Some(next) = used.waiting.pop_front() {
            used.busy += 1;
            self.sites.jobs.insert(next, site);
            self.has_its_turn(next);
            self.wake_job(next, self.now, Kind::Settle, Stage::NextHop);
        } else if used.busy == 0 {
            self.sites.used.remove(&site);
        }
    }
}
