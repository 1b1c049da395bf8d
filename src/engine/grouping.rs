//! A pass of a machine that groups by hosts: recipients of several domains share a transaction where their host lists are equal (Exim deliver.c).
//!
//! A message has so many deliveries at once (`remote_max_parallel`); the rest waits its turn. Source: Exim deliver.c `do_remote_deliveries`, `same_hosts`.

use super::chance::Purpose;
use super::memory::PassNotes;
use super::route::Stop;
use super::targets::address_key;
use super::world::{RecipientState, World};
use crate::base::SimTime;
use crate::decide::mx::MxPlan;
use crate::decide::order::{OF_ADDRESS, order};
use crate::decide::route::queue_name;
use crate::decide::same_hosts::{Listed, same_hosts};
use crate::decide::{Because, because};
use crate::model::settings::{DaneUse, NextHop, Target, TlsPolicy};
use crate::trace::level::STEPS;
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Asks for each recipient where it goes, and makes a job of each list of hosts.
    pub(super) fn split_by_hosts(&mut self, copy: u32) {
        let (host, in_run) = (self.copies[copy].host, self.begin_notes(copy));
        let mut groups: Vec<(u32, SmallVec<[u16; 2]>)> = Vec::new();
        let mut places = 0..;
        while let Some(place) = places.next().filter(|place| *place < self.copies[copy].recipients.len()) {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending || in_run && self.waits_for_routing(copy, place as u16) {
                continue;
            }
            if self.copies[copy].arrival.quarantined {
                self.keep_away(copy, place);
                continue;
            }
            match self.stop_of_recipient(copy, recipient.index) {
                Stop::To(destination) => {
                    let destination = self.shuffled_list(copy, recipient.index, destination);
                    match groups.iter_mut().find(|(seen, _)| *seen == destination) {
                        Some((_, places)) => places.push(place as u16),
                        None => groups.push((destination, smallvec::smallvec![place as u16])),
                    }
                }
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
        let mut lists: Vec<(Option<Vec<Listed>>, TlsPolicy)> = Vec::new();
        for (destination, places) in groups {
            // A job for the time of the question.
            let job = self.new_job(copy, destination, places.clone());
            let hops = self.tables.destinations.get(destination).hops.len() as u8;
            (self.jobs[job].own_hops, self.jobs[job].hops) = (hops, hops);
            let mut list = Some(Vec::new());
            let (mut prepared, mut signed) = (None, false);
            for hop in 0..hops {
                let Some((next_hop, configured)) = self.hop_of(job, hop) else { break };
                let told = self.resolve(job, &next_hop, configured, self.now);
                prepared.get_or_insert(told);
                let plan = self.cache_plan(told.0);
                signed |= plan.goals.iter().any(|goal| goal.ground.list && goal.ground.bases[0].is_some());
                list = match &plan.outcome {
                    MxPlan::Try(_) => list.map(|mut list| {
                        self.list_as_ordered(copy, told.0, &next_hop, hops > 1, &mut list);
                        list
                    }),
                    MxPlan::End { .. } if hops == 1 => None,
                    MxPlan::End { .. } => list,
                };
            }
            // What asks for more or less TLS is another transport.
            let tls = self.policy_of_hop(job).clone();
            self.jobs.remove(job);
            // A connection under DANE is for one domain (smtp.c, "holding for later").
            let list = list.filter(|_| !(asks && signed));
            let is_same = |(other, wanted): &(Option<Vec<Listed>>, TlsPolicy)| match (&list, other) {
                (Some(list), Some(other)) => !list.is_empty() && *wanted == tls && same_hosts(list, other),
                _ => false,
            };
            match lists.iter().position(is_same) {
                Some(at) => {
                    merged[at].1.extend(places);
                    let shared = merged[at].0;
                    self.told_for_another(copy, destination, shared);
                }
                None => {
                    merged.push((destination, places, prepared));
                    lists.push((list, tls));
                }
            }
        }
        merged
    }

    /// The hosts of a next hop as a delivery of this message would order them, by a luck that belongs to the next hop.
    fn list_as_ordered(&self, copy: u32, plan: u32, hop: &NextHop, one_of_several: bool, list: &mut Vec<Listed>) {
        let MxPlan::Try(candidates) = &self.cache_plan(plan).outcome else { return };
        let (row, host) = (&self.copies[copy], self.copies[copy].host);
        let (luck, pass) = (self.messages[row.message].luck, u64::from(row.pass));
        let of_hop = self.luck_of_hop(hop);
        let targets = &self.config(host).sender.targets;
        let ordered = order(self.rules(host).order, &self.config(host).sender, candidates, false, |n| {
            let candidate = &candidates[(n % OF_ADDRESS) as usize];
            let address = if n >= OF_ADDRESS { address_key(candidate.address) } else { 0 };
            let place = of_hop ^ self.resolvers.luck_of(candidate.name) ^ address;
            self.chance.draw(Purpose::HostList, luck, place, pass)
        });
        let goals = &self.cache_plan(plan).goals;
        list.extend(ordered.into_iter().map(|place| {
            let goal = &goals[usize::from(place)];
            let preference = self.tables.candidates.get(goal.candidate).preference;
            // What stands in a list that somebody wrote has no preference, or all one.
            let preference = match (one_of_several, targets.shuffled) {
                (true, false) => None,
                (true, true) => Some(1 << 17),
                (false, _) => Some(preference).filter(|preference| *preference < 1 << 16),
            };
            Listed { preference, name: candidates[usize::from(place)].name, port: goal.port }
        }));
    }

    fn luck_of_hop(&self, hop: &NextHop) -> u64 {
        match hop.target {
            Target::Mx(name) | Target::Host(name) => self.resolvers.luck_of(name),
            Target::Ip(address) => address_key(address),
        }
    }

    /// `hosts_randomize`: a list that somebody wrote, in an order of luck for each pass of a message.
    fn shuffled_list(&mut self, copy: u32, index: u16, destination: u32) -> u32 {
        let host = self.copies[copy].host;
        let key = self.tables.destinations.get(destination);
        if !self.config(host).sender.targets.shuffled || !key.configured || key.hops.len() < 2 {
            return destination;
        }
        let row = &self.copies[copy];
        let (luck, pass) = (self.messages[row.message].luck, u64::from(row.hops) << 16 | u64::from(row.pass));
        let mut key = key.clone();
        key.hops.sort_by_cached_key(|hop| {
            let place = self.luck_of_hop(self.tables.next_hops.get(hop.0));
            (self.chance.draw(Purpose::HostList, luck, place, pass << 8), *hop)
        });
        let reasons: Vec<Because> = key
            .hops
            .iter()
            .enumerate()
            .map(|(place, hop)| {
                let name = queue_name(&self.tables.names, self.tables.next_hops.get(hop.0));
                let why = if place == 0 { "the first of the list in this try, by luck" } else { "the next one, by luck" };
                because("SHUFFLE", name, why, "Exim hosts_randomize")
            })
            .collect();
        let stored = self.store_reasons("which smart host first?", host, NONE, &reasons, &[]);
        self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        self.tables.destinations.intern(key)
    }

    pub(super) fn stop_of_recipient(&mut self, copy: u32, index: u16) -> Stop {
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
