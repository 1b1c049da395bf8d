//! How answers about MX targets are read, what the settings of a sender make of them, and with which luck the rest is ordered.
//!
//! Some are left out, and the sender itself may be more than a loop (Exim `ignore_target_hosts`, `self`). The luck of a candidate is keyed by its name
//! and address, so that one candidate more or less changes nothing among the others.

use super::chance::Purpose;
use super::world::World;
use crate::base::{ConfigId, NameId};
use crate::decide::Decision;
use crate::decide::mx::{Asker, BOGUS, Candidate, MxAnswer, MxPlan, TargetAddresses};
use crate::decide::order::{OF_ADDRESS, order};
use crate::decide::profile::{OrderRule, bounce, defer};
use crate::model::dns::{Answer, Dnssec, Outcome, RecordData};
use crate::model::settings::{AliasNames, Directory, OwnTarget, Targets};
use crate::model::topology::AnswerOrder;
use std::net::IpAddr;

/// The names that hosts have where they were found by aliases; `asked`: whose address was asked for.
pub(super) fn name_aliases(plan: &mut MxPlan, names: AliasNames, asked: Option<NameId>, found: &[TargetAddresses]) {
    let MxPlan::Try(candidates) = plan else { return };
    for candidate in candidates {
        let alias_of = || found.iter().find(|target| target.name == candidate.name).and_then(|target| target.alias_of);
        candidate.name = match names {
            AliasNames::OfList => candidate.name,
            AliasNames::Asked => asked.unwrap_or(candidate.name),
            AliasNames::Final => alias_of().unwrap_or(candidate.name),
        };
    }
}

/// Takes the addresses away that the sender does not want to know of.
pub(super) fn leave_out(found: &mut TargetAddresses, targets: &Targets) {
    let before = found.addresses.len();
    found.addresses.retain(|address| !targets.ignored.iter().any(|ignored| ignored.contains(address)));
    found.left_out = found.addresses.is_empty() && before > 0;
}

/// The targets of one preference as an answer has them that begins so many records further.
pub(super) fn one_further(found: &mut [TargetAddresses], turn: u32) {
    for equals in found.chunk_by_mut(|a, b| a.preference == b.preference) {
        equals.rotate_left(turn as usize % equals.len());
    }
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
        OwnTarget::Defers => (defer(4, 4, 6), "defer"),
        OwnTarget::Fails => (bounce(5, 4, 6), "fail"),
        OwnTarget::Reroutes => (bounce(5, 4, 6), "reroute"),
    };
    let (end, word) = end;
    let mut decision = Decision { outcome: MxPlan::End { end, is_loop: true }, ..looped };
    if let Some(reason) = decision.chosen.first_mut() {
        reason.why = format!("the best MX is the sender itself, and `self` = {word}").into();
    }
    decision
}

/// A next hop whose MX nobody asks for, as a name in brackets or the server of a device: the rule book's words about a name without MX do not fit.
pub(super) fn without_mx(decision: &mut Decision<MxPlan>, name: &str, of_device: bool) {
    let (own, rule, source) = match of_device {
        true => ("the device has this server configured: no MX is asked", "DEVICE", "Device server"),
        false => ("its own address: no MX is asked for this next hop", "R2", "scenario: the next hop"),
    };
    let implicit = format!("implicit MX of {name}");
    for reason in decision.chosen.iter_mut().chain(&mut decision.passed_over) {
        if let Some(rest) = reason.why.strip_prefix(&*implicit) {
            reason.why = format!("{own}{rest}").into();
            (reason.rule, reason.source) = (rule, source);
        } else if let Some(rest) = reason.why.strip_prefix("the best MX is ") {
            reason.why = format!("the next hop is {rest}").into();
        } else if reason.rule == "R3" {
            reason.why = "no address; no MX is asked for this next hop".into();
        }
    }
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
        Outcome::ServFail if !answer.aliases.is_empty() => MxAnswer::Failed("SERVFAIL behind an alias"),
        Outcome::ServFail if answer.dnssec == Dnssec::Bogus => MxAnswer::Failed(BOGUS),
        Outcome::ServFail => MxAnswer::Failed("SERVFAIL"),
        Outcome::Refused => MxAnswer::Failed("REFUSED"),
        Outcome::Timeout => MxAnswer::Failed("no answer"),
        Outcome::Truncated => MxAnswer::Failed("truncated answer"),
        Outcome::Internet => MxAnswer::Internet,
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Are these the settings of a device?
    pub(super) fn is_device(&self, config: ConfigId) -> bool {
        matches!(&self.model.config(config).receiver.directory, Directory::Mta(directory) if directory.is_device)
    }

    /// Orders the candidates of a job by preference and luck.
    #[inline(always)]
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
pub(super) fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => super::chance::mix(u64::from(u32::from(address))),
        IpAddr::V6(address) => super::chance::mix(u128::from(address) as u64 ^ (u128::from(address) >> 64) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::because;

    #[test]
    fn nobody_asked_for_an_mx() {
        let plan = |rule, why: &str| Decision::for_reason(MxPlan::Try(Vec::new()), because(rule, "relay.test", why, "RFC 5321 §5.1"));
        let cases = [
            ("R2", "implicit MX of relay.test, 10.0.0.5", false, "R2", "its own address: no MX is asked for this next hop, 10.0.0.5"),
            (
                "R2",
                "implicit MX of relay.test, 10.0.0.5",
                true,
                "DEVICE",
                "the device has this server configured: no MX is asked, 10.0.0.5",
            ),
            ("R3", "neither MX nor address", true, "R3", "no address; no MX is asked for this next hop"),
            ("R4", "nothing exists under this name", true, "R4", "nothing exists under this name"),
        ];
        for (rule, why, of_device, expected, words) in cases {
            let mut decision = plan(rule, why);
            without_mx(&mut decision, "relay.test", of_device);
            assert_eq!((decision.chosen[0].rule, &*decision.chosen[0].why), (expected, words));
        }
    }
}
