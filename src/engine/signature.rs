//! Recipients of several domains share a transaction where their MX lists are equal, or begin alike; and each delivery of a message waits for the one
//! before it (Sendmail deliver.c).
//!
//! Who shares only the first MX host of a list leaves when the next one is tried, and has a delivery of its own afterwards; unless the first host refused
//! him for now, who then waits. Sources: Sendmail deliver.c `hostsignature`, `coloncmp`, "coattail piggybacking"; and a running Sendmail 8.17. Not
//! modelled: targets without an address, which are part of a signature.

use super::pass::Groups;
use super::world::World;
use crate::base::{AttemptResult, NameId};
use crate::decide::mx::MxPlan;
use crate::model::settings::Target;
use crate::trace::NONE;
use smallvec::SmallVec;
use std::collections::{BTreeMap, VecDeque};

/// The names of an MX list by preference, the equal ones in the order of names.
type Signature = Vec<Vec<NameId>>;

/// Recipients of a copy who go along, and where they would go by themselves.
type Company = (u32, SmallVec<[u16; 2]>);

/// Deliveries of messages that share a transaction for as long as the first host is tried, and those that wait for another to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signatures {
    /// By number of a copy and destination: who goes along, with the destination of his own.
    along: BTreeMap<(u32, u32), Vec<Company>>,
    /// By number of a copy.
    waiting: BTreeMap<u32, VecDeque<u32>>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Groups of recipients whose lists are equal become one; those whose lists only begin alike go along.
    pub(super) fn share_signatures(&mut self, copy: u32, groups: &mut Groups) {
        if !self.rules(self.copies[copy].host).pass.shares_signatures {
            return;
        }
        let number = self.copies[copy].number;
        let mut signed: Vec<(Option<Signature>, u32, SmallVec<[u16; 2]>)> = Vec::new();
        for (destination, places) in groups.drain(..) {
            signed.push((self.signature_of(copy, destination, &places), destination, places));
        }
        let mut merged: Vec<(Option<Signature>, u32, SmallVec<[u16; 2]>)> = Vec::new();
        for (signature, destination, places) in signed {
            let same = merged.iter_mut().find(|(other, ..)| signature.is_some() && *other == signature);
            match same {
                Some((.., all)) => all.extend(places),
                None => merged.push((signature, destination, places)),
            }
        }
        // Those with the most recipients in common would be as good: the order of the signatures decides.
        let mut left: VecDeque<_> = merged.into();
        while let Some((signature, destination, mut places)) = left.pop_front() {
            let first = signature.as_ref().and_then(|names| names.first());
            let (along, others): (VecDeque<_>, VecDeque<_>) =
                left.into_iter().partition(|(other, ..)| first.is_some() && other.as_ref().and_then(|names| names.first()) == first);
            left = others;
            if !along.is_empty() {
                let along: Vec<(u32, SmallVec<[u16; 2]>)> = along.into_iter().map(|(_, to, places)| (to, places)).collect();
                places.extend(along.iter().flat_map(|(_, places)| places.iter().copied()));
                self.signatures.along.insert((number, destination), along);
            }
            places.sort_unstable();
            groups.push((destination, places));
        }
    }

    /// The signature of a destination that goes by MX.
    fn signature_of(&mut self, copy: u32, destination: u32, places: &SmallVec<[u16; 2]>) -> Option<Signature> {
        let key = self.tables.destinations.get(destination);
        let [hop] = key.hops.as_slice() else { return None };
        let (hop, configured) = (*self.tables.next_hops.get(hop.0), key.configured);
        if !matches!(hop.target, Target::Mx(_)) || !self.config(self.copies[copy].host).sender.tls.policies.is_empty() {
            return None;
        }
        // A job for the time of the question.
        let job = self.new_job(copy, destination, places.clone());
        let (plan, _) = self.resolve(job, &hop, configured, self.now);
        self.jobs.remove(job);
        let MxPlan::Try(candidates) = &self.cache_plan(plan).outcome else { return None };
        let mut signature: BTreeMap<u16, Vec<NameId>> = BTreeMap::new();
        for candidate in candidates {
            let names = signature.entry(candidate.preference).or_default();
            if !names.contains(&candidate.name) {
                names.push(candidate.name);
            }
        }
        signature.values_mut().for_each(|names| names.sort_unstable());
        Some(signature.into_values().collect())
    }

    /// A job is about to try the candidate at `place`: those who only went along to the first host leave it.
    pub(super) fn part_ways(&mut self, job: u32, place: u16) {
        if self.signatures.along.is_empty() {
            return;
        }
        let row = &self.jobs[job];
        let copy = row.copy;
        let key = (self.copies[copy].number, self.queues[row.queue as usize].destination);
        let name = |place: u16| self.tables.candidates.get(self.cache_plan(row.plan).goals[usize::from(place)].candidate).name;
        if row.hop == 0 && row.order.first().is_some_and(|first| name(*first) == name(place)) {
            return;
        }
        let Some(along) = self.signatures.along.remove(&key) else { return };
        for (destination, places) in along {
            let mine: SmallVec<[u16; 2]> = places.into_iter().filter(|place| self.jobs[job].recipients.contains(place)).collect();
            self.jobs[job].recipients.retain(|place| !mine.contains(place));
            let refused = |place: &u16| self.copies[copy].recipients[usize::from(*place)].kept;
            let (stay, go): (SmallVec<[u16; 2]>, SmallVec<[u16; 2]>) = mine.into_iter().partition(refused);
            for place in stay {
                let recipient = &mut self.copies[copy].recipients[usize::from(place)];
                recipient.kept = false;
                let reply = recipient.reply;
                self.attempt_rows(job, &[place], AttemptResult::Deferred, reply);
            }
            if !go.is_empty() {
                for place in &go {
                    let recipient = &mut self.copies[copy].recipients[usize::from(*place)];
                    (recipient.reply, recipient.said_by) = (NONE, NONE);
                }
                let own = self.new_job(copy, destination, go);
                self.copies[copy].jobs += 1;
                self.signatures.waiting.entry(key.0).or_default().push_back(own);
            }
        }
    }

    /// Of several deliveries of a message only the first begins now, at a sender that works so.
    pub(super) fn one_after_the_other(&mut self, copy: u32, jobs: &mut SmallVec<[u32; 2]>) {
        if jobs.len() > 1 && self.rules(self.copies[copy].host).pass.shares_signatures {
            let waiting = jobs.drain(1..).collect();
            self.signatures.waiting.insert(self.copies[copy].number, waiting);
        }
    }

    /// A delivery of a message (by number of its copy) is over: the next one begins.
    pub(super) fn next_of_message(&mut self, number: u32) {
        match self.signatures.waiting.get_mut(&number).and_then(VecDeque::pop_front) {
            Some(job) => self.enqueue(job),
            None if self.signatures.waiting.is_empty() && self.signatures.along.is_empty() => {}
            None => {
                self.signatures.waiting.remove(&number);
                self.signatures.along.retain(|(of, _), _| *of != number);
            }
        }
    }
}
