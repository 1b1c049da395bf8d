//! What does Exchange Online do with a recipient once the message is accepted?
//!
//! Sources: New-AcceptedDomain `DomainType`; Exchange Online NDR tables (5.1.10, 5.4.14). Not modelled yet: mail users, groups, forwarding.

use super::super::acceptance::accepted_domain;
use super::super::{Decision, because};
use crate::model::dns::Names;
use crate::model::exchange::{DomainType, Tenant};
use crate::model::letter::Origin;

/// Passes of one message through the service before it is called a loop.
pub const PASSES_MAX: u8 = 20;

/// Where a recipient goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// Into a cloud mailbox.
    Mailbox,
    /// Nobody: an NDR.
    NotFound,
    /// Out, by connector or MX.
    Outside,
}

/// Looks a recipient up.
#[must_use]
pub fn look_up(tenant: &Tenant, names: &Names, origin: Origin, address: &str, domain: &str) -> Decision<Lookup> {
    if origin == Origin::Outside
        && let Some(connector) = tenant.outbound_connectors.iter().find(|connector| connector.is_centralized())
    {
        let why = "mail from outside goes to the organization's own servers first (centralized mail transport)";
        let reason = because("OUT-8", &*connector.name, why, "New-OutboundConnector RouteAllMessagesViaOnPremises");
        return Decision::for_reason(Lookup::Outside, reason);
    }
    if let Some(pattern) = tenant.mailboxes.iter().find(|pattern| pattern.matches(address)) {
        return Decision::for_reason(Lookup::Mailbox, because("LOOKUP", pattern.as_str(), "a cloud mailbox", "mailboxes"));
    }
    let (outcome, why) = match accepted_domain(tenant, names, domain) {
        None => (Lookup::Outside, "not a domain of this tenant"),
        Some(accepted) => match accepted.kind {
            DomainType::Authoritative => (Lookup::NotFound, "an Authoritative domain whose recipients are all known, and this one is not"),
            DomainType::InternalRelay => {
                (Lookup::Outside, "InternalRelay: a recipient without cloud mailbox lives on the organization's other system")
            }
            DomainType::ExternalRelay => (Lookup::Outside, "ExternalRelay: relayed outside of the organization"),
        },
    };
    Decision::for_reason(outcome, because("LOOKUP", domain, why, "New-AcceptedDomain DomainType"))
}
