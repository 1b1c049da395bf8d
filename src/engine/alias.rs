//! The domain of a recipient is an alias: which address does a sender write that rewrites such domains (Sendmail)?
//!
//! Read in the zones of the moment, in the view of the machine's resolver; the time that the question takes is not modelled. Source: sendmail op.me,
//! `DontExpandCnames`; seen on a running Sendmail 8.17.

use super::route::Stop;
use super::world::World;
use crate::base::{Address, HostId};
use crate::decide::{Decision, because};
use crate::model::dns::{Outcome, RecordType};
use crate::model::expansion::Expansion;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The recipient in the domain that its own stands for; `None` if it is no alias, or leads nowhere.
    pub(super) fn rewritten_alias(&mut self, host: HostId, address: &Address) -> Option<(Stop, Decision<()>)> {
        let name = self.tables.names.intern(&address.domain);
        let zones = &self.model.zones[self.model.versions[self.version].zones.index()];
        let view = self.view_of(host).min(zones.view_count() - 1);
        let answer = zones.lookup(&self.tables.names, view, name, RecordType::Mx);
        let target = answer.final_name(name);
        if target == name || !matches!(answer.outcome, Outcome::Records(_) | Outcome::NoData) {
            return None;
        }
        let target = self.tables.names.text(target).to_owned();
        let expansion = Expansion::in_domain(address, &target);
        let why = format!("an alias of `{target}`: the recipient is rewritten");
        let decision = Decision::for_reason((), because("R8", &*address.domain, why, "DontExpandCnames"));
        Some((Stop::Expand(self.expansion(expansion)), decision))
    }
}
