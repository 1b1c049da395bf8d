//! From which addresses does the service send a message out?
//!
//! Rules POOL-1 to POOL-3. Reports, automatic replies, mail that was scored as spam and mail of domains that nobody could answer leave from the high-risk pool; what a
//! mailbox, mail user or group passed on and nobody vouches for leaves from the relay pool with the sender that it came with; all else leaves from the ordinary addresses.
//! Where a pool has no addresses in the scenario its mail leaves from the ordinary ones. Source: Microsoft, "Outbound delivery pools".

use super::super::acceptance::accepted_domain;
use super::super::{Decision, because};
use crate::model::dns::Names;
use crate::model::exchange::{Pool, Tenant};
use crate::model::letter::{Letter, MessageType};

const SOURCE: &str = "Outbound delivery pools";
/// What counts as spam for the pools.
const SPAM_FROM: i8 = 5;

/// The pool for a message that leaves; `sender_exists`: its sender's domain has an MX or an address.
#[must_use]
pub fn choose(tenant: &Tenant, names: &Names, letter: &Letter, sender_exists: bool) -> Decision<Pool> {
    let pools = &tenant.outbound_pools;
    let high_risk = if letter.is_report {
        Some("a report goes out at the high-risk pool")
    } else if letter.kind == Some(MessageType::OutOfOffice) {
        Some("an automatic reply goes out at the high-risk pool")
    } else if letter.scl.is_some_and(|scl| scl >= SPAM_FROM) {
        Some("what was scored as spam goes out at the high-risk pool")
    } else if !sender_exists {
        Some("the sender's domain has neither MX nor address: the high-risk pool")
    } else {
        None
    };
    match high_risk {
        Some(why) if !pools.high_risk.is_empty() => {
            return Decision::for_reason(Pool::HighRisk, because("POOL-1", "high-risk pool", why, SOURCE));
        }
        _ => {}
    }
    if !pools.relay.is_empty() && goes_by_relay_pool(tenant, names, letter) {
        let why = "somebody here passed it on, its sender is of no accepted domain, and neither SPF nor DKIM vouched for it when it came";
        return Decision::for_reason(Pool::Relay, because("POOL-2", "relay pool", why, SOURCE));
    }
    Decision::for_reason(Pool::Normal, because("POOL-3", "normal pool", "nothing speaks against it", SOURCE))
}

/// Mail that was passed on for a sender whom nobody vouches for: it keeps its sender.
#[must_use]
pub fn goes_by_relay_pool(tenant: &Tenant, names: &Names, letter: &Letter) -> bool {
    let foreign = letter.sender.rsplit_once('@').is_some_and(|(_, domain)| accepted_domain(tenant, names, domain).is_none());
    let passed_on = letter.stands_in || letter.forwards.iter().any(|(by, _)| *by == tenant.system);
    passed_on && foreign && letter.authentic == Some(false)
}
