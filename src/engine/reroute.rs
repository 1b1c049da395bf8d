//! The best MX of a recipient's domain is the sender itself, and the recipient goes on in another domain (Exim `self = reroute`).
//!
//! Source: Exim rf_self_action.c, rf_change_domain.c. Not modelled: `rewrite`, which writes the other domain into the header too.

use super::world::World;
use crate::base::Address;
use crate::decide::claim::template;
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::letter::Stamps;
use crate::model::settings::OwnTarget;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Those who met the sender itself go on in its other domain, if there is one.
    #[cold]
    #[inline(never)]
    pub(super) fn reroute(&mut self, copy: u32, left: &mut smallvec::SmallVec<[u16; 2]>) {
        let targets = &self.config(self.copies[copy].host).sender.targets;
        let (OwnTarget::Reroutes, Some(domain)) = (targets.own, targets.rerouted_to.clone()) else { return };
        for place in std::mem::take(left) {
            let row = &self.copies[copy];
            let (message, index) = (row.message, row.recipients[usize::from(place)].index);
            let number = self.messages[message].address_number;
            let address = self.tables.templates.get(self.recipient_template(message, index)).expand(number);
            let to = Address { local: address.local.clone(), domain: domain.clone() };
            let expansion = Expansion {
                name: address.to_string().into(),
                kind: ExpansionKind::Alias,
                to: vec![template(&to)],
                sender: SenderAfter::Kept,
                changes: Vec::new(),
                stamps: Stamps::default(),
                once: false,
                answers: true,
                stays_together: true,
                apart: Vec::new(),
            };
            let expansion = self.expansion(expansion);
            self.expand(copy, usize::from(place), expansion);
        }
    }
}
