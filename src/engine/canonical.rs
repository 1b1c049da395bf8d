//! The MX question failed for now: is the name known by its address all the same (Sendmail)?
//!
//! Source: a running Sendmail 8.17.1.9, which asks for the address of a domain before it asks for its MX (`canonify`): 4.0.0 with an address, 4.4.3 without,
//! whether SERVFAIL, REFUSED or nothing came. Not modelled: the first of these questions itself,
//! so it stands in no record and costs nothing.

use super::world::World;
use crate::decide::profile::End;
use crate::model::dns::{Outcome, RecordType};
use crate::model::settings::{NextHop, Target};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// How a failed lookup ends.
    #[cold]
    #[inline(never)]
    pub(super) fn end_if_known(&mut self, job: u32, hop: &NextHop, end: End) -> End {
        let copy = self.jobs[job].copy;
        let (client, message) = (self.copies[copy].host, self.copies[copy].message);
        let rules = &self.rules(client).mx;
        let (Some(known), Target::Mx(name)) = (rules.lookup_failed_with_address, hop.target) else { return end };
        if end != rules.lookup_failed {
            return end;
        }
        let luck = (self.messages[message].luck, self.copies[copy].luck());
        let resolver = self.resolver_of(job, client);
        let found = [RecordType::A, RecordType::Aaaa].into_iter().any(|kind| {
            let slot = self.question(resolver, name, kind);
            let (answer, ..) = self.fetch(slot, self.now, luck);
            matches!(self.resolvers.answer(answer).outcome, Outcome::Records(_))
        });
        if found { known } else { end }
    }
}
