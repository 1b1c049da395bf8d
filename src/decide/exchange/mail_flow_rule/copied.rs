//! What do mail-flow rules do to a copy that a rule above them has added?
//!
//! What they do to the whole message, and nothing of what is about recipients: the message came to others. So it does not matter whose part of the
//! message made the copy. Redirecting, copying, and the ends of a message are not done to it by itself. Source: New-TransportRule.

use super::{Question, Ruled, act, people};
use crate::model::dns::Names;
use crate::model::exchange::Tenant;
use crate::model::letter::{Letter, Pin, Stamps};
use crate::model::mail_flow_rule::{Action, Condition, MailFlowRule, RuleState};
use crate::model::traffic::AddressTemplate;

/// A copy that a rule adds, and what that rule and the later ones make of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Copied {
    /// For whom.
    pub to: Vec<AddressTemplate>,
    /// The way out.
    pub pin: Pin,
    /// What it carries on from here.
    pub stamps: Stamps,
}

/// What a rule does to the copies that rules above it made. Says for whom the copies are that it leaves alone.
pub(super) fn act_on_copies(
    rule: &MailFlowRule,
    (tenant, names): (&Tenant, &Names),
    seen: &mut [Option<Letter>],
    copies: &mut [Copied],
) -> String {
    let changes = |action: &&Action| match action {
        Action::Route(_) | Action::RequireTls | Action::SetHeader(_) | Action::RemoveHeader(_) => true,
        Action::SetScl(_) | Action::PrependSubject(_) => true,
        Action::Redirect(_) | Action::Copy(_) | Action::Reject(_) | Action::Delete | Action::Quarantine => false,
    };
    let mut left_alone: Vec<AddressTemplate> = Vec::new();
    for (copy, state) in copies.iter_mut().zip(seen) {
        let Some(letter) = state.as_mut().filter(|_| rule.state == RuleState::Acts) else { continue };
        let question = Question { looks_in: rule.looks_in, tenant, names, letter, address: "", domain: "" };
        let holds = |condition: &Condition| question.holds(condition);
        if !rule.conditions.iter().all(holds) || rule.exceptions.iter().any(holds) {
            left_alone.extend(copy.to.iter().filter(|_| rule.actions.iter().any(|action| changes(&action))).cloned());
            continue;
        }
        let mut made = Ruled { pin: std::mem::take(&mut copy.pin), stamps: std::mem::take(&mut copy.stamps), ..Ruled::default() };
        rule.actions.iter().filter(changes).for_each(|action| drop(act(action, tenant, rule, letter, &mut made)));
        (copy.pin, copy.stamps) = (made.pin, made.stamps);
        if rule.stops {
            *state = None;
        }
    }
    if left_alone.is_empty() { String::new() } else { format!("; the copy for {} is no recipient that it looks at", people(&left_alone)) }
}
