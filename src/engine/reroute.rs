//! The best MX of a recipient's domain is the sender itself, and the recipient goes on in another domain (Exim `self = reroute`).
//!
//! Source: Exim rf_self_action.c, rf_change_domain.c. Not modelled: `rewrite`, which writes the other domain into the header too.

use super::world::World;
use crate::model::expansion::Expansion;
use crate::model::settings::OwnTarget;
use crate::trace::Concern;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Those who met the sender itself go on in its other domain, if there is one.
    #[cold]
    #[inline(never)]
    pub(super) fn reroute(&mut self, job: u32, left: &mut smallvec::SmallVec<[u16; 2]>) {
        let (copy, plan) = (self.jobs[job].copy, self.jobs[job].plan);
        let targets = &self.config(self.copies[copy].host).sender.targets;
        let (OwnTarget::Reroutes, Some(domain)) = (targets.own, targets.rerouted_to.clone()) else { return };
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
    }
}
