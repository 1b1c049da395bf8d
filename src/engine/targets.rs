//! How answers about MX targets are read, and what the settings of a sender make of them: some are left out, and the sender itself may be more than a loop (Exim `ignore_target_hosts`, `self`).

use crate::decide::Decision;
use crate::decide::mx::{Asker, MxAnswer, MxPlan, TargetAddresses};
use crate::decide::profile::{bounce, defer};
use crate::model::dns::{Answer, Outcome, RecordData};
use crate::model::settings::{OwnTarget, Targets};

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
