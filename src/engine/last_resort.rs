//! When do the hosts of last resort stay out of it, and what is told when they are asked?
//!
//! Source: Postfix smtp_connect.c, postconf(5) `smtp_fallback_relay`: a domain that the sender is a mail host of itself has none, so that a backup keeps the
//! mail for the primary.

use super::world::World;
use crate::decide::order::Order;
use crate::decide::profile::End;
use crate::decide::route::queue_name;
use crate::decide::{Decision, because};
use crate::model::settings::NextHop;
use crate::trace::NONE;
use crate::trace::level::STEPS;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A job that goes to hosts better than its own sender goes nowhere else.
    pub(super) fn no_last_resort_beside_self(&mut self, job: u32, plan: u32) {
        let row = &self.jobs[job];
        if row.hops > row.own_hops && self.cache_plan(plan).beside_self && self.rules(self.copies[row.copy].host).mx.backup_has_no_fallback
        {
            let row = &mut self.jobs[job];
            row.hops = row.own_hops;
        }
    }
    /// Why a job comes to a host of last resort.
    pub(super) fn tell_last_resort(&mut self, job: u32, hop: &NextHop) {
        let row = &self.jobs[job];
        if row.hop == 0 || row.hop < row.own_hops || !self.writes(STEPS) {
            return;
        }
        let (status, host) = (row.status, self.copies[row.copy].host);
        if self.queues_retry(host) {
            // "which server?" has said who stands in whose place.
            return;
        }
        let why = match status {
            NONE => "a host of last resort".to_owned(),
            last => format!("a host of last resort, since all before it failed; the last word was: {}", self.tables.replies.get(last)),
        };
        let reason = because("LAST", queue_name(&self.tables.names, hop), why, "fallback_hosts");
        let stored = self.store("who is left?", host, NONE, &Decision::for_reason((), reason));
        self.trace_of_job(job, &[stored]);
    }
    /// The lookup of a next hop failed for now: that may spoil the hosts of last resort. An MX whose address cannot be found is only passed by.
    pub(super) fn note_failed_lookup(&mut self, job: u32, end: &End, plan: u32) {
        let rules = self.rules(self.copies[self.jobs[job].copy].host);
        let failed = *end == rules.mx.lookup_failed || rules.mx.lookup_failed_with_address == Some(*end);
        if rules.pass.fallback_breaks_off && failed && !self.cache_plan(plan).dead_targets {
            self.connections.uses.entry(job).or_default().breaks_off = true;
        }
    }

    /// Does what it says to this host go no further than DATA?
    pub(super) fn breaks_off(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        row.hop >= row.own_hops && self.connections.uses.get(&job).is_some_and(|state| state.breaks_off)
    }

    /// A host of last resort after a failed lookup is met twice.
    pub(super) fn meet_twice(&self, job: u32, order: &mut Order) {
        if self.breaks_off(job) {
            let again = order.clone();
            order.extend(again);
        }
    }
}
