//! How answers about MX targets are read, what the settings of a sender make of them, and with which luck the rest is ordered.
//!
//! Some are left out, and the sender itself may be more than a loop (Exim `ignore_target_hosts`, `self`). The luck of a candidate is keyed by its name
//! and address, so that one candidate more or less changes nothing among the others.

use super::chance::Purpose;
use super::world::World;
use crate::base::{ConfigId, NameId};
use crate::decide::Decision;
use crate::decide::mx::{Asker, BOGUS, Candidate, MxAnswer, MxPlan, TargetAddresses, label};
use crate::decide::order::{OF_ADDRESS, order};
use crate::decide::profile::{Behaviour, OrderRule, bounce, defer};
use crate::model::dns::Names;
use crate::model::dns::{Answer, Dnssec, Outcome, RecordData};
use crate::model::settings::{AliasNames, Directory, OwnTarget, Targets};
use crate::model::topology::AnswerOrder;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The names that hosts have where they were found by aliases, in the list and in its reasons; `asked`: whose address was asked for.
pub(super) fn name_aliases(
    decision: &mut Decision<MxPlan>,
    rule: AliasNames,
    asked: Option<NameId>,
    found: &[TargetAddresses],
    names: &Names,
) {
    let MxPlan::Try(candidates) = &mut decision.outcome else { return };
    let aliases: BTreeMap<NameId, NameId> = found.iter().filter_map(|target| Some((target.name, target.alias_of?))).collect();
    for candidate in candidates {
        candidate.name = match (rule, aliases.get(&candidate.name)) {
            (AliasNames::Asked, _) => asked.unwrap_or(candidate.name),
            (AliasNames::Final, Some(host)) => *host,
            (AliasNames::Final, None) | (AliasNames::OfList, _) => candidate.name,
        };
    }
    for (listed, host) in aliases {
        let (listed, host) = (label(names, listed), label(names, host));
        let (name, of_it, words) = match rule {
            AliasNames::OfList => return,
            AliasNames::Asked => (&listed, format!("an alias of {host}"), "no: the name that was asked for counts"),
            AliasNames::Final => (&host, format!("{listed} is an alias of it"), "yes: the name that an alias leads to counts"),
        };
        for reason in decision.chosen.iter_mut().filter(|reason| *reason.name == *listed) {
            let why = reason.why.replace(&format!("an alias of {host}"), &of_it);
            reason.why = format!("{why}; smtp_cname_overrides_servername = {words}, for certificates too").into();
            reason.name = name.as_str().into();
        }
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
    targets: &Targets,
    plan: impl Fn(&Asker) -> Decision<MxPlan>,
    asker: &Asker,
) -> Decision<MxPlan> {
    let (end, word) = match targets.own {
        OwnTarget::AsProfile => return looped,
        OwnTarget::IsUsed => return plan(&Asker { addresses: Vec::new(), ..asker.clone() }),
        OwnTarget::Defers => (defer(4, 4, 6), "defer".to_owned()),
        OwnTarget::Fails => (bounce(5, 4, 6), "fail".to_owned()),
        OwnTarget::Passes => (bounce(5, 4, 6), "pass, and no router follows".to_owned()),
        OwnTarget::Reroutes => (bounce(5, 4, 6), format!("reroute: {}", targets.rerouted_to.as_deref().unwrap_or_default())),
    };
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
pub(super) fn mx_answer(answer: &Answer, rules: &Behaviour) -> MxAnswer {
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
        Outcome::NxDomain if rules.mx.missing_name_is_no_mx && !answer.aliases.is_empty() => MxAnswer::NoData,
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
    fn names_of_aliases() {
        let mut names = Names::default();
        let [www, mx, ask] = ["www.test", "mx.test", "ask.test"].map(|name| names.intern(name));
        let address = IpAddr::from([192, 0, 2, 1]);
        let found = [TargetAddresses { addresses: vec![address], alias_of: Some(mx), ..TargetAddresses::none(10, www) }];
        let cases = [
            (AliasNames::OfList, None, www, "www.test", "MX 10: an alias of mx.test, 192.0.2.1"),
            (
                AliasNames::Asked,
                None,
                www,
                "www.test",
                "MX 10: an alias of mx.test, 192.0.2.1; smtp_cname_overrides_servername = no: the name that was asked for counts, for certificates too",
            ),
            (
                AliasNames::Final,
                None,
                mx,
                "mx.test",
                "MX 10: www.test is an alias of it, 192.0.2.1; smtp_cname_overrides_servername = yes: the name that an alias leads to counts, for \
                 certificates too",
            ),
            (
                AliasNames::Asked,
                Some(ask),
                ask,
                "www.test",
                "MX 10: an alias of mx.test, 192.0.2.1; smtp_cname_overrides_servername = no: the name that was asked for counts, for certificates too",
            ),
        ];
        for (rule, asked, name, told, words) in cases {
            let candidate = Candidate { preference: 10, name: www, address };
            let reason = because("R10", "www.test", "MX 10: an alias of mx.test, 192.0.2.1", "RFC 2181 §10.3");
            let mut decision = Decision::for_reason(MxPlan::Try(vec![candidate; 2]), reason);
            name_aliases(&mut decision, rule, asked, &found, &names);
            assert_eq!((&*decision.chosen[0].name, &*decision.chosen[0].why), (told, words), "{rule:?}");
            assert_eq!(decision.outcome, MxPlan::Try(vec![Candidate { name, ..candidate }; 2]), "{rule:?}");
        }
    }

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
