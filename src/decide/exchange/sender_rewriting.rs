//! Does Exchange Online rewrite the envelope sender of a message that it passes on for somebody?
//!
//! Mail that a mailbox, a mail user or a group passes on to somebody outside leaves with a sender of the tenant, so that SPF speaks for it (SRS); towards the organization's own
//! servers only if the connector says so (`SenderRewritingEnabled`). A sender in an accepted domain needs nothing.
//! Sources: New-OutboundConnector SenderRewritingEnabled; Microsoft, outbound delivery pools and "Sender Rewriting Scheme" (groups with external members
//! and mail contacts are among its scenarios). Copies for those inside keep the sender. Decision of ours: what leaves from the relay pool keeps it too.

use super::super::acceptance::accepted_domain;
use super::super::{Because, because};
use super::outbound_connector::{Choice, Leaving, select};
use crate::model::dns::Names;
use crate::model::exchange::Tenant;
use crate::model::expansion::{Expansion, SenderAfter};
use crate::model::letter::Letter;

const SOURCE: &str = "New-OutboundConnector SenderRewritingEnabled";

/// The sender of the copies that go on, which of them (places among those who get one) keep the one that there was, and why, where that is a question.
#[must_use]
pub fn sender_after(tenant: &Tenant, names: &Names, letter: &Letter, expansion: &Expansion) -> (SenderAfter, Vec<usize>, Option<Because>) {
    let is_own = |domain: &str| accepted_domain(tenant, names, domain).is_some();
    let sender_is_own = letter.sender.rsplit_once('@').is_none_or(|(_, domain)| is_own(domain));
    let by_relay_pool = !tenant.outbound_pools.relay.is_empty() && letter.authentic == Some(false);
    if sender_is_own || by_relay_pool {
        return (SenderAfter::Kept, Vec::new(), None);
    }
    let origin = if expansion.stamps.forwarded_by.is_some() { letter.origin.passed_on() } else { letter.origin };
    let mut as_it_is = None;
    let mut rewrites = |domain: &str| {
        let leaving = Leaving { domain, pin: None, requires_tls: false, origin };
        match select(tenant, names, &leaving).outcome {
            Choice::Connector(at) => {
                let connector = &tenant.outbound_connectors[at];
                if connector.on_premises && !connector.rewrites_senders {
                    as_it_is = Some(&*connector.name);
                }
                if connector.on_premises { connector.rewrites_senders } else { !is_own(domain) }
            }
            Choice::Mx | Choice::NotSaid => !is_own(domain),
        }
    };
    let kept: Vec<usize> = (0..expansion.to.len()).filter(|at| !rewrites(&expansion.to[*at].domain)).collect();
    if kept.len() < expansion.to.len() {
        let why = "passed on for somebody outside: the envelope sender becomes SRS0=… of the tenant, so that SPF speaks for it and reports come back here";
        return (SenderAfter::Rewritten(None), kept, Some(because("SRS", "sender rewriting", why, SOURCE)));
    }
    let why = "leads to the organization's own servers and has no SenderRewritingEnabled: the envelope sender stays as it came";
    (SenderAfter::Kept, Vec::new(), as_it_is.map(|name| because("SRS", name, why, SOURCE)))
}
