//! A pass of a machine that groups by hosts: recipients of several domains share a transaction where their host lists are equal (Exim deliver.c).
//!
//! A message has so many deliveries at once (`remote_max_parallel`); the rest waits its turn. Source: Exim deliver.c `do_remote_deliveries`, `same_hosts`.

use super::memory::PassNotes;
use super::route::Stop;
use super::world::{RecipientState, World};
use crate::base::{NameId, SimTime};
use crate::decide::mx::MxPlan;
use crate::model::settings::DaneUse;
use crate::trace::level::STEPS;
use smallvec::SmallVec;
use std::net::IpAddr;

/// What two host lists must have in common: preference, name, address and port of each, in order.
type HostList = Vec<(u32, NameId, IpAddr, u16)>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Asks for each recipient where it goes, and makes a job of each list of hosts.
    pub(super) fn split_by_hosts(&mut self, copy: u32) {
        let (host, in_run) = (self.copies[copy].host, self.begin_notes(copy));
        let mut groups: Vec<(u32, SmallVec<[u16; 2]>)> = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending || in_run && self.waits_for_routing(copy, place as u16) {
                continue;
            }
            if self.copies[copy].arrival.quarantined {
                self.keep_away(copy, place);
                continue;
            }
            match self.stop_of_recipient(copy, recipient.index) {
                Stop::To(destination) => match groups.iter_mut().find(|(seen, _)| *seen == destination) {
                    Some((_, places)) => places.push(place as u16),
                    None => groups.push((destination, smallvec::smallvec![place as u16])),
                },
                stop => self.ends_here(copy, place, &stop),
            }
        }
        let merged = self.share_hosts(copy, groups);
        let limit = self.config(host).sender.recipient_limit as usize;
        let mut jobs: Vec<u32> = Vec::new();
        for (destination, places, prepared) in merged {
            let size = if limit == 0 { places.len() } else { limit };
            for part in places.chunks(size) {
                let job = self.new_job(copy, destination, SmallVec::from_slice(part));
                self.memory.jobs.entry(job).or_default().prepared = prepared;
                jobs.push(job);
            }
        }
        self.copies[copy].jobs = jobs.len() as u16;
        if jobs.is_empty() {
            self.end_pass(copy);
            return;
        }
        let at_once = self.exim_retry(host).map_or(0, |retry| retry.deliveries_at_once) as usize;
        let now = if at_once == 0 { jobs.len() } else { at_once.min(jobs.len()) };
        let waiting = jobs.split_off(now);
        if let Some(notes) = self.memory.passes.get_mut(&copy) {
            notes.waiting = waiting;
        }
        for job in jobs {
            self.enqueue(job);
        }
    }

    /// Notes for a new pass; says whether it is one of a queue run.
    pub(super) fn begin_notes(&mut self, copy: u32) -> bool {
        self.spool_forgets(copy);
        let rows = (self.trace.lookups.len(), self.trace.decisions.len());
        let notes: &mut PassNotes = self.memory.passes.entry(copy).or_default();
        notes.rows = rows;
        notes.run.is_some()
    }

    /// Groups whose lists of hosts are equal become one. A single group is looked up when its job begins.
    #[allow(clippy::type_complexity, reason = "destination, places, and where its first next hop leads")]
    fn share_hosts(&mut self, copy: u32, groups: Vec<(u32, SmallVec<[u16; 2]>)>) -> Vec<(u32, SmallVec<[u16; 2]>, Option<(u32, SimTime)>)> {
        if groups.len() < 2 {
            return groups.into_iter().map(|(destination, places)| (destination, places, None)).collect();
        }
        let usual = &self.config(self.copies[copy].host).sender.tls;
        let asks = usual.policies.iter().map(|(_, policy)| policy).chain([&usual.policy]).any(|policy| policy.dane != DaneUse::Never);
        let mut merged: Vec<(u32, SmallVec<[u16; 2]>, Option<(u32, SimTime)>)> = Vec::new();
        let mut lists: Vec<Option<HostList>> = Vec::new();
        for (destination, places) in groups {
            // A job for the time of the question.
            let job = self.new_job(copy, destination, places.clone());
            let hops = self.tables.destinations.get(destination).hops.len() as u8;
            (self.jobs[job].own_hops, self.jobs[job].hops) = (hops, hops);
            let mut list = Some(HostList::new());
            let (mut prepared, mut signed) = (None, false);
            for hop in 0..hops {
                let Some((next_hop, configured)) = self.hop_of(job, hop) else { break };
                let told = self.resolve(job, &next_hop, configured, self.now);
                prepared.get_or_insert(told);
                let plan = self.cache_plan(told.0);
                signed |= plan.goals.iter().any(|goal| goal.ground.list && goal.ground.bases[0].is_some());
                list = match &plan.outcome {
                    MxPlan::Try(candidates) => list.map(|mut list| {
                        let port = next_hop.port;
                        list.extend(candidates.iter().map(|host| (u32::from(host.preference), host.name, host.address, port)));
                        list
                    }),
                    MxPlan::End { .. } if hops == 1 => None,
                    MxPlan::End { .. } => list,
                };
            }
            self.jobs.remove(job);
            let tls = self.tables.destinations.get(destination).tls.clone();
            // A connection under DANE is for one domain (smtp.c, "holding for later").
            let list = list.filter(|_| !(asks && signed));
            let same = lists.iter().position(|other| list.as_ref().is_some_and(|list| !list.is_empty()) && *other == list);
            match same.filter(|at| self.tables.destinations.get(merged[*at].0).tls == tls) {
                Some(at) => merged[at].1.extend(places),
                None => {
                    merged.push((destination, places, prepared));
                    lists.push(list);
                }
            }
        }
        merged
    }

    fn stop_of_recipient(&mut self, copy: u32, index: u16) -> Stop {
        let row = &self.copies[copy];
        let question = (row.message, row.host, row.tenant, self.messages[row.message].address_number);
        self.stop_of(copy, index, question)
    }

    /// Sorts recipients of one copy by domain, then by address, in small letters.
    #[cold]
    pub(super) fn sort_recipients(&self, copy: u32, places: &mut [u16]) {
        let row = &self.copies[copy];
        let number = self.messages[row.message].address_number;
        places.sort_by_cached_key(|place| {
            let template = self.recipient_template(row.message, row.recipients[usize::from(*place)].index);
            let address = self.tables.templates.get(template).expand(number);
            (address.domain.to_string().to_lowercase(), address.to_string().to_lowercase())
        });
    }

    /// A job of a message is over: the next one that waits begins.
    pub(super) fn next_delivery(&mut self, copy: u32) {
        let waiting = self.memory.passes.get_mut(&copy).filter(|notes| !notes.waiting.is_empty());
        if let Some(notes) = waiting {
            let job = notes.waiting.remove(0);
            self.enqueue(job);
        }
    }

    /// Rows about a pass in which nothing was tried are taken back: its lookups are repeated in every queue run.
    pub(super) fn take_rows_back(&mut self, copy: u32, (lookups, decisions): (usize, usize)) {
        if !self.writes(STEPS) {
            return;
        }
        let number = self.copies[copy].number;
        let mut at = 0;
        self.trace.lookups.retain(|row| {
            at += 1;
            at <= lookups || row.copy != number
        });
        at = 0;
        self.trace.decisions.retain(|row| {
            at += 1;
            at <= decisions || row.copy != number
        });
    }
}
