//! Does Exchange Online rewrite the envelope sender of a message that it passes on for somebody?
//!
//! Mail that a mailbox, a rule, a mail user or a group passes on to somebody outside leaves with a sender of the tenant, so that SPF speaks for it (SRS); towards
//! the organization's own servers only if the connector says so (`SenderRewritingEnabled`). A sender in an accepted domain needs nothing. Before July 2018 nothing
//! was rewritten, and until autumn 2023 what a mailbox as a whole forwards had the mailbox itself as sender, towards the own servers too.
//! Sources: New-OutboundConnector SenderRewritingEnabled; Microsoft, "Outbound delivery pools" and "Sender Rewriting Scheme (SRS)"; Exchange Team Blog of 2018 and
//! 2021, message MC649482 (2023). Copies for those inside keep the sender. Decisions of ours: what leaves from the relay pool keeps it too; what rules copy is
//! treated as what they redirect; the name in the new address is that of the recipient who is replaced.

use super::super::acceptance::accepted_domain;
use super::super::{Because, because};
use super::outbound_connector::{Choice, Leaving, select};
use crate::base::Address;
use crate::model::dns::Names;
use crate::model::exchange::{SenderRewriting, Tenant};
use crate::model::expansion::{Expansion, SenderAfter};
use crate::model::letter::Letter;
use crate::model::traffic::AddressTemplate;

const SOURCE: &str = "New-OutboundConnector SenderRewritingEnabled";
const SCHEME: &str = "Sender Rewriting Scheme (SRS) in Microsoft 365";

/// The sender of the copies that go on for the recipient `address`, which of them (places among those who get one) keep the one that there was, and why,
/// where that is a question.
#[must_use]
pub fn sender_after(
    tenant: &Tenant,
    names: &Names,
    letter: &Letter,
    expansion: &Expansion,
    address: &str,
) -> (SenderAfter, Vec<usize>, Option<Because>) {
    let kept = |why: Option<Because>| (SenderAfter::Kept, Vec::new(), why);
    let is_own = |domain: &str| accepted_domain(tenant, names, domain).is_some();
    if letter.sender.rsplit_once('@').is_none_or(|(_, domain)| is_own(domain)) {
        return kept(None);
    }
    let by_mailbox = expansion.stamps.forwarded_by.is_some();
    let is_whole_mailbox = by_mailbox && !expansion.stamps.auto_forwards;
    let as_mailbox = is_whole_mailbox && tenant.sender_rewriting == SenderRewriting::NotOfMailboxes;
    let leaves = |to: &AddressTemplate| !is_own(&to.domain);
    if !tenant.outbound_pools.relay.is_empty() && letter.authentic == Some(false) {
        let why = "passed on for somebody outside whom neither SPF nor DKIM vouched for: it leaves from the relay pool, and the envelope sender stays as it came";
        return kept(expansion.to.iter().any(leaves).then(|| because("SRS", "sender rewriting", why, "Outbound delivery pools")));
    }
    if tenant.sender_rewriting == SenderRewriting::Never {
        let why = "before July 2018 the service rewrote no sender: the envelope sender stays as it came, and SPF of its domain does not know the service";
        return kept(expansion.to.iter().any(leaves).then(|| because("SRS", "sender rewriting", why, SCHEME)));
    }
    let origin = if by_mailbox { letter.origin.passed_on() } else { letter.origin };
    let pin = expansion.stamps.ruled.as_ref().and_then(|pin| pin.connector.as_ref()).map(|(at, rule)| (*at, &**rule));
    let mut as_it_is = None;
    let mut rewrites = |domain: &str| {
        let leaving = Leaving { domain, pin, requires_tls: false, origin };
        match select(tenant, names, &leaving).outcome {
            Choice::Connector(at) => {
                let connector = &tenant.outbound_connectors[at];
                if connector.on_premises && !connector.rewrites_senders {
                    as_it_is = Some(&*connector.name);
                }
                if connector.on_premises { connector.rewrites_senders || as_mailbox } else { !is_own(domain) }
            }
            Choice::Mx | Choice::NotSaid => !is_own(domain),
        }
    };
    let kept_places: Vec<usize> = (0..expansion.to.len()).filter(|at| !rewrites(&expansion.to[*at].domain)).collect();
    if kept_places.len() == expansion.to.len() {
        let why = "leads to the organization's own servers and has no SenderRewritingEnabled: the envelope sender stays as it came";
        return kept(as_it_is.map(|name| because("SRS", name, why, SOURCE)));
    }
    if let (true, Some(own)) = (as_mailbox, Address::parse(address)) {
        let why = "passed on by a mailbox: until autumn 2023 the envelope sender becomes the mailbox that forwards, and reports go there";
        let sender = SenderAfter::Replaced(AddressTemplate::of(&own));
        return (sender, kept_places, Some(because("SRS", "sender rewriting", why, "MC649482")));
    }
    let name = address.rsplit_once('@').map_or(address, |(name, _)| name);
    let why = format!(
        "passed on for somebody outside: the envelope sender becomes {name}+SRS=… of the tenant, so that SPF speaks for it and reports come back here"
    );
    (SenderAfter::InTheNameOf, kept_places, Some(because("SRS", "sender rewriting", why, SCHEME)))
}
