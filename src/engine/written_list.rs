//! What comes of a list of hosts that somebody wrote, before the first of them is tried (Exim)?
//!
//! All names are looked up first. One that cannot be looked up now makes the whole list wait. The sender's own host ends the list: with hosts before it, it and all
//! behind it are left out; at the head of the list its `self` decides about the address. Source: Exim rf_lookup_hostlist.c.

use super::world::World;
use crate::base::{SimTime, count};
use crate::decide::mx::MxPlan;
use crate::decide::route::queue_name;
use crate::decide::{Decision, because};
use crate::model::settings::{NextHop, OwnTarget};
use crate::trace::NONE;

/// A next hop: its place, what it is, and where it leads since when.
type Found = (u8, NextHop, (u32, SimTime));

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Looks through the list of a job. `Some`: this next hop decides about the whole list, so it becomes the last one.
    #[cold]
    pub(super) fn settle_list(&mut self, job: u32, first: (u32, SimTime), at: SimTime) -> Option<Found> {
        let hops = self.jobs[job].own_hops;
        let client = self.client_of(job);
        let lost = self.rules(client).mx.smart_host_lost;
        let sends_to_itself = self.config(client).sender.targets.own == OwnTarget::IsUsed;
        let mut usable = 0;
        for hop in 0..hops {
            let (next_hop, configured) = self.hop_of(job, hop)?;
            let told = if hop == 0 { first } else { self.resolve(job, &next_hop, configured, at) };
            let plan = self.cache_plan(told.0);
            let (is_own, waits) = match &plan.outcome {
                MxPlan::End { is_loop: true, .. } => (true, true),
                MxPlan::End { end, .. } => (false, !end.bounce && lost.is_none_or(|lost| lost.status != end.status)),
                MxPlan::Try(_) => (sends_to_itself && plan.goals.iter().any(|goal| goal.port == 25 && goal.server == Some(client)), false),
            };
            if is_own && usable > 0 {
                self.cut_list(job, hop, &next_hop);
                return None;
            }
            if is_own && sends_to_itself {
                // `self = send` at the head of a list: those behind it stay, whoever they are.
                return None;
            }
            if waits {
                (self.jobs[job].hop, self.jobs[job].hops) = (hops - 1, hops);
                return Some((hops - 1, next_hop, told));
            }
            usable += u8::from(matches!(&self.cache_plan(told.0).outcome, MxPlan::Try(_)));
        }
        None
    }

    /// The sender itself stands at place `hop` of a list: the list ends before it.
    fn cut_list(&mut self, job: u32, hop: u8, own: &NextHop) {
        let row = &mut self.jobs[job];
        let left_out = row.own_hops - hop - 1;
        (row.own_hops, row.hops) = (hop, row.hops - left_out - 1);
        let behind = if left_out == 0 {
            String::new()
        } else {
            format!(", and so does what stands behind it ({})", count(u64::from(left_out), "host"))
        };
        let why = format!("the sender itself, with hosts before it in the list: it falls out{behind}");
        let reason = because("R19", queue_name(&self.tables.names, own), why, "Exim rf_lookup_hostlist.c");
        let host = self.client_of(job);
        let stored = self.store("how long is the list?", host, NONE, &Decision::for_reason((), reason));
        self.trace_of_job(job, &[stored]);
    }
}
