//! How answers about MX targets are read, what the settings of a sender make of them, and with which luck the rest is ordered.
//!
//! Some are left out, and the sender itself may be more than a loop (Exim `ignore_target_hosts`, `self`). The luck of a candidate is keyed by its name
//! and address, so that one candidate more or less changes nothing among the others.

use super::chance::Purpose;
use super::world::World;
use crate::decide::Decision;
use crate::decide::mx::{Asker, Candidate, MxAnswer, MxPlan, TargetAddresses};
use crate::decide::order::{OF_ADDRESS, order};
use crate::decide::profile::{OrderRule, bounce, defer};
use crate::model::dns::{Answer, Outcome, RecordData};
use crate::model::settings::{OwnTarget, Targets};
use crate::model::topology::AnswerOrder;
use std::net::IpAddr;

/// Takes the addresses away that the sender does not want to know of.
pub(super) fn leave_out(found: &mut TargetAddresses, targets: &Targets) {
    found.addresses.retain(|address| !targets.ignored.iter().any(|ignored| ignored.contains(address)));
}

/// The best MX is the sender, and its settings say what follows. `plan` makes the list again for another asker.
pub(super) fn own_target(
    looped: Decision<MxPlan>,
    own: OwnTarget,
    plan: impl Fn(&Asker) -> Decision<MxPlan>,
    asker: &Asker,
) -> Decision<MxPlan> {
    let end = match own {
        OwnTarget::AsProfile => return looped,
        OwnTarget::IsUsed => return plan(&Asker { addresses: Vec::new(), ..asker.clone() }),
        OwnTarget::Defers => defer(4, 4, 6),
        OwnTarget::Fails => bounce(5, 4, 6),
    };
    Decision { outcome: MxPlan::End { end, is_loop: true }, ..looped }
}

/// An answer as the rule book reads it.
pub(super) fn mx_answer(answer: &Answer) -> MxAnswer {
    match &answer.outcome {
        Outcome::Records(records) => MxAnswer::Records(
            records
                .iter()
                .filter_map(|record| match record {
                    RecordData::Mx { preference, exchange } => Some((*preference, *exchange)),
                    _ => None,
                })
                .collect(),
        ),
        Outcome::NoData => MxAnswer::NoData,
        Outcome::NxDomain => MxAnswer::NxDomain,
        Outcome::ServFail if answer.aliases.is_empty() => MxAnswer::Failed("SERVFAIL"),
        Outcome::ServFail => MxAnswer::Failed("SERVFAIL behind an alias"),
        Outcome::Refused => MxAnswer::Failed("REFUSED"),
        Outcome::Timeout => MxAnswer::Failed("no answer"),
        Outcome::Truncated => MxAnswer::Failed("truncated answer"),
        Outcome::Internet => MxAnswer::Internet,
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Orders the candidates of a job by preference and luck.
    pub(super) fn order_of(&self, job: u32, candidates: &[Candidate]) -> crate::decide::order::Order {
        if candidates.len() == 1 {
            return smallvec::SmallVec::from_buf_and_len([0; 6], 1);
        }
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        let sender = &self.config(copy.host).sender;
        let of_run = if self.plain { None } else { self.luck_of_run(row.copy) };
        let key = of_run.unwrap_or(self.messages[copy.message].luck);
        let (pass, hop) = (u64::from(copy.hops) << 16 | u64::from(copy.pass), u64::from(row.hop));
        let place = self.model.hosts[copy.host.index()].key;
        let rule = self.rules(copy.host).order;
        let resolver = self.model.hosts[copy.host.index()].resolver;
        let shuffled = self.model.resolvers[resolver.index()].answer_order == AnswerOrder::Random;
        order(rule, sender, candidates, shuffled, |n| {
            // The luck of a candidate is that of its name (and address), so another candidate does not move it.
            let candidate = &candidates[(n % OF_ADDRESS) as usize];
            let of_address = rule == OrderRule::ByAddress || n >= OF_ADDRESS;
            let address = if of_address { address_key(candidate.address) } else { 0 };
            let name = self.resolvers.luck_of(candidate.name);
            let purpose = if n >= OF_ADDRESS && rule != OrderRule::ByHostAndAddress { Purpose::Answer } else { Purpose::Order };
            self.chance.draw(purpose, key, place ^ name ^ address, if of_run.is_some() { hop } else { pass << 8 | hop })
        })
    }
}

/// The luck of an address.
fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => super::chance::mix(u64::from(u32::from(address))),
        IpAddr::V6(address) => super::chance::mix(u128::from(address) as u64 ^ (u128::from(address) >> 64) as u64),
    }
}
