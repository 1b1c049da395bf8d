//! The best MX of a recipient's domain is the sender itself, and the recipient goes on in another domain (Exim `self = reroute`).
//!
//! Source: Exim rf_self_action.c, rf_change_domain.c. Not modelled: `rewrite`, which writes the other domain into the header too.

use super::pass::Groups;
use super::route::Stop;
use super::world::World;
use crate::model::expansion::Expansion;
use crate::model::settings::OwnTarget;
use crate::trace::Concern;
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Those who met the sender itself go on in its other domain, if there is one.
    #[cold]
    #[inline(never)]
    pub(super) fn reroute(&mut self, job: u32, left: &mut SmallVec<[u16; 2]>) {
        let (copy, plan) = (self.jobs[job].copy, self.jobs[job].plan);
        let targets = &self.config(self.copies[copy].host).sender.targets;
        let (OwnTarget::Reroutes, Some(domain)) = (targets.own, targets.rerouted_to.clone()) else { return };
        let known = self.copies[copy].recipients.len();
        let why = self.cache_plan(plan).decisions.clone();
        for place in std::mem::take(left) {
            let row = &self.copies[copy];
            let (message, index) = (row.message, row.recipients[usize::from(place)].index);
            self.trace_decisions(copy, Concern::recipient(index), &why);
            let number = self.messages[message].address_number;
            let address = self.tables.templates.get(self.recipient_template(message, index)).expand(number);
            let expansion = self.expansion(Expansion::in_domain(&address, &domain));
            self.expand(copy, usize::from(place), expansion);
        }
        self.goes_on_in_pass(copy, known);
    }

    /// Recipients that came in while the pass was under way, from a place on: they have their jobs in it too.
    fn goes_on_in_pass(&mut self, copy: u32, known: usize) {
        let mut groups: Groups = SmallVec::new();
        let mut places = known..;
        while let Some(place) = places.next().filter(|place| *place < self.copies[copy].recipients.len()) {
            let index = self.copies[copy].recipients[place].index;
            match self.stop_of_recipient(copy, index) {
                Stop::To(destination) => match groups.iter_mut().find(|(seen, _)| *seen == destination) {
                    Some((_, places)) => places.push(place as u16),
                    None => groups.push((destination, smallvec::smallvec![place as u16])),
                },
                stop => self.ends_here(copy, place, &stop),
            }
        }
        for (destination, places) in groups {
            let job = self.new_job(copy, destination, places);
            self.copies[copy].jobs += 1;
            self.enqueue(job);
        }
    }
}
