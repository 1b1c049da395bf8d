//! How long does a sender wait where no answer comes: for DNS, for a connect?
//!
//! What a resolver costs stands in `resolver`; some servers ask again, or wait by rules of their own (`Behaviour::mx.dns_patience`).

use super::resolver::Told;
use super::world::World;
use crate::base::SimTime;
use crate::decide::profile::{Behaviour, DnsPatience};
use crate::model::dns::Outcome;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// When a sender has its answer, or stops waiting for one.
    #[inline]
    pub(super) fn patience(&self, rules: &Behaviour, asked: SimTime, told: Told, mx: bool) -> SimTime {
        if rules.mx.dns_patience == DnsPatience::Resolver
            || told.at == asked
            || self.resolvers.answer(told.answer).outcome != Outcome::Timeout
        {
            return told.at;
        }
        match rules.mx.dns_patience {
            DnsPatience::Resolver => told.at,
            DnsPatience::AddressAskedTimes(_) if mx => told.at,
            DnsPatience::AddressAskedTimes(times) => asked.after(told.at.since(asked).saturating_mul(u64::from(times))),
            DnsPatience::Own(for_mx, for_address) => asked.after(if mx { for_mx } else { for_address }),
        }
    }

    /// How long a connect may take in this pass of a copy.
    pub(super) fn connect_patience(&self, copy: u32) -> u64 {
        let timers = &self.config(self.copies[copy].host).sender.timers;
        if self.copies[copy].pass == 1 && timers.first_connect_ns > 0 { timers.first_connect_ns } else { timers.connect_ns }
    }
}
