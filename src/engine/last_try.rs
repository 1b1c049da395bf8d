//! Which host is tried after each one that cannot be reached or found (Sendmail `FallBackSmartHost`)?
//!
//! By its address, and before the next host of the list; a host that answers and refuses is no reason for it. What fails there goes on with the list.
//! Sources: Sendmail deliver.c `should_try_fbsh`, op.me; and a running Sendmail 8.17. Not modelled: a second try of it that has answered once.

use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::mx::MxPlan;
use crate::decide::order::Order;
use crate::decide::profile::End;
use crate::decide::route::why_last_try;
use crate::model::settings::{NextHop, Target};
use crate::trace::NONE;
use std::collections::BTreeMap;

/// By job: the list that goes on afterwards (plan, order, the next in it), if there is one; the entry stays when it has gone on.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastTries(BTreeMap<u32, Option<(u32, Order, u16)>>);

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The host of a machine for this.
    fn last_try_of(&mut self, host: HostId) -> Option<NextHop> {
        let name = self.config(host).sender.last_try.as_deref()?;
        let target = match name.parse() {
            Ok(address) => Target::Ip(address),
            Err(_) => {
                let name = self.tables.names.intern(name);
                if self.model.hosts[host.index()].hostname == name {
                    return None;
                }
                Target::Host(name)
            }
        };
        Some(NextHop { target, port: 25 })
    }

    /// A candidate could not be reached: is it the turn of the host for that? Says when the lookup of it is through.
    pub(super) fn last_try_after(&mut self, job: u32, candidate: u32, at: SimTime) -> Option<SimTime> {
        let host = self.copies[self.jobs[job].copy].host;
        if self.config(host).sender.last_try.is_none() || self.last_tries.0.contains_key(&job) {
            return None;
        }
        let row = &self.jobs[job];
        let name = |candidate: u32| self.tables.candidates.get(candidate).name;
        let next = row.order.get(usize::from(row.next)).map(|place| self.cache_plan(row.plan).goals[usize::from(*place)].candidate);
        if next.is_some_and(|next| name(next) == name(candidate)) {
            // Another address of the same host comes first.
            return None;
        }
        let rest = (row.plan, row.order.clone(), row.next);
        self.begin_last_try(job, Some(rest), at)
    }

    /// A next hop cannot be found: the same. Not where DNS fails, nobody wants mail, or it came back to its sender.
    pub(super) fn last_try_instead(&mut self, job: u32, end: &End, is_loop: bool, at: SimTime) -> Option<SimTime> {
        let host = self.copies[self.jobs[job].copy].host;
        self.config(host).sender.last_try.as_ref()?;
        let rules = &self.rules(host).mx;
        let dns = *end == rules.lookup_failed || rules.lookup_failed_with_address == Some(*end) || rules.lookup_refused == Some(*end);
        if is_loop || dns || *end == rules.null_mx || self.last_tries.0.contains_key(&job) {
            return None;
        }
        self.begin_last_try(job, None, at)
    }

    fn begin_last_try(&mut self, job: u32, rest: Option<(u32, Order, u16)>, at: SimTime) -> Option<SimTime> {
        let host = self.copies[self.jobs[job].copy].host;
        let hop = self.last_try_of(host)?;
        self.last_tries.0.insert(job, rest);
        let name = crate::decide::route::queue_name(&self.tables.names, &hop);
        let stored = self.store("where else?", host, NONE, &why_last_try(&name));
        self.trace_of_job(job, &[stored]);
        let (plan, at) = self.resolve(job, &hop, true, at);
        let order = match &self.cache_plan(plan).outcome {
            MxPlan::Try(candidates) => self.order_of(job, candidates),
            MxPlan::End { .. } => {
                self.last_tries.0.insert(job, None);
                return None;
            }
        };
        let row = &mut self.jobs[job];
        (row.plan, row.order, row.next) = (plan, order, 0);
        Some(at)
    }

    /// That host is through in vain: the list goes on. `false`: there is none.
    pub(super) fn back_from_last_try(&mut self, job: u32) -> bool {
        let Some((plan, order, next)) = self.last_tries.0.get_mut(&job).and_then(Option::take) else { return false };
        let row = &mut self.jobs[job];
        (row.plan, row.order, row.next) = (plan, order, next);
        true
    }

    /// Is some of the list left for afterwards?
    pub(super) fn list_goes_on(&self, job: u32) -> bool {
        let left = |rest: &Option<(u32, Order, u16)>| rest.as_ref().is_some_and(|(_, order, next)| usize::from(*next) < order.len());
        self.last_tries.0.get(&job).is_some_and(left)
    }

    /// A job is over.
    pub(super) fn forget_last_try(&mut self, job: u32) {
        self.last_tries.0.remove(&job);
    }
}
