//! Does Exchange Online rewrite the envelope sender of a message that it passes on for somebody?
//!
//! Mail that a mailbox or a mail user passes on leaves with a sender of the tenant, so that SPF speaks for it (SRS); towards the organization's own
//! servers only if the connector says so (`SenderRewritingEnabled`). A sender in an accepted domain needs nothing.
//! Sources: New-OutboundConnector SenderRewritingEnabled; Microsoft, outbound delivery pools and SRS. Decision of ours: where only some of several
//! targets are outside, all copies have the same sender; what leaves from the relay pool keeps the sender that it came with.

use super::super::acceptance::accepted_domain;
use super::super::{Because, because};
use super::outbound_connector::{Choice, Leaving, select};
use crate::model::dns::Names;
use crate::model::exchange::Tenant;
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::letter::Letter;

const SOURCE: &str = "New-OutboundConnector SenderRewritingEnabled";

/// The sender of the copies that go on, and why, where that is a question.
#[must_use]
pub fn sender_after(tenant: &Tenant, names: &Names, letter: &Letter, expansion: &Expansion) -> (SenderAfter, Option<Because>) {
    let is_own = |domain: &str| accepted_domain(tenant, names, domain).is_some();
    let sender_is_own = letter.sender.rsplit_once('@').is_none_or(|(_, domain)| is_own(domain));
    let by_relay_pool = !tenant.outbound_pools.relay.is_empty() && letter.authentic == Some(false);
    if expansion.kind == ExpansionKind::List || sender_is_own || by_relay_pool {
        return (SenderAfter::Kept, None);
    }
    let origin = if expansion.stamps.forwarded_by.is_some() { letter.origin.passed_on() } else { letter.origin };
    let mut as_it_is = None;
    let rewrites = expansion.to.iter().any(|target| {
        let leaving = Leaving { domain: &target.domain, pin: None, requires_tls: false, origin };
        match select(tenant, names, &leaving).outcome {
            Choice::Connector(at) => {
                let connector = &tenant.outbound_connectors[at];
                if connector.on_premises && !connector.rewrites_senders {
                    as_it_is = Some(&*connector.name);
                }
                if connector.on_premises { connector.rewrites_senders } else { !is_own(&target.domain) }
            }
            Choice::Mx | Choice::NotSaid => !is_own(&target.domain),
        }
    });
    if rewrites {
        let why = "passed on for somebody outside: the envelope sender becomes SRS0=… of the tenant, so that SPF speaks for it and reports come back here";
        return (SenderAfter::Rewritten(None), Some(because("SRS", "sender rewriting", why, SOURCE)));
    }
    let why = "leads to the organization's own servers and has no SenderRewritingEnabled: the envelope sender stays as it came";
    (SenderAfter::Kept, as_it_is.map(|name| because("SRS", name, why, SOURCE)))
}
