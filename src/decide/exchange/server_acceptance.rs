//! Does an Exchange server take this recipient from this client?
//!
//! Sources: Exchange Server "Receive connectors" (permission groups), "Accepted domains", recipient filtering.

use super::super::acceptance::{Acceptance, TakenFor};
use super::super::visitor::Visitor;
use super::super::{Decision, because};
use super::receive_connector;
use crate::base::{Enhanced, Reply};
use crate::model::dns::Names;
use crate::model::exchange::DomainType;
use crate::model::exchange_server::Organization;

const PERMISSIONS: &str = "New-ReceiveConnector PermissionGroups";

/// Answers RCPT TO `address` (with `domain`).
#[must_use]
pub fn answer(organization: &Organization, names: &Names, visitor: &Visitor<'_>, address: &str, domain: &str) -> Decision<Acceptance> {
    let connector = receive_connector::find(organization, visitor);
    let rights = connector.map(|connector| receive_connector::rights(organization, connector, visitor));
    let relays = match &rights {
        Some((rights, _)) => rights.relays,
        None => organization.server(visitor.peer.host).is_some(),
    };
    let mut decision = answer_with(organization, names, relays, address, domain);
    if let (Some(connector), Some((rights, why))) = (connector, rights) {
        if rights.authenticated && matches!(decision.outcome, Acceptance::Take(_)) {
            decision.outcome = Acceptance::Take(TakenFor { internal: true, ..TakenFor::NOBODY });
        }
        decision.chosen.push(receive_connector::narrowest(connector));
        decision.chosen.push(why);
        decision.passed_over.extend(receive_connector::others(organization, connector, visitor));
    }
    decision
}

/// The answer to a client that may relay or may not.
fn answer_with(organization: &Organization, names: &Names, relays: bool, address: &str, domain: &str) -> Decision<Acceptance> {
    let take = |name: &str, why: &str, source| Decision::for_reason(Acceptance::PLAIN, because("ACCEPT", name, why, source));
    let refuse = |code, status, text: &'static str, why: &str, source| {
        let reply = Reply::new(code, Some(status), text);
        Decision::for_reason(Acceptance::Refuse(reply), because("ACCEPT", address, why, source))
    };
    if organization.has_mailbox(address) {
        return take(address, "a mailbox of the organization", "mailboxes");
    }
    if organization.knows(address) {
        return take(address, "a recipient in the organization's directory", "recipients");
    }
    match organization.accepted(names, domain) {
        Some(accepted) => match accepted.kind {
            kind if organization.filters_recipients && !relays && accepted.address_book.unwrap_or(kind == DomainType::Authoritative) => {
                let why = "recipient filtering is on, and nobody in the organization has this address";
                let text = "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup";
                refuse(550, Enhanced(5, 1, 10), text, why, "Set-RecipientFilterConfig RecipientValidationEnabled")
            }
            DomainType::Authoritative => {
                take(domain, "an accepted domain; whether the recipient exists is looked up later", "New-AcceptedDomain")
            }
            DomainType::InternalRelay | DomainType::ExternalRelay => {
                take(domain, "an accepted domain, relayed to another system", "New-AcceptedDomain")
            }
        },
        None if relays => take(domain, "the client may send anywhere", "New-ReceiveConnector"),
        None => refuse(550, Enhanced(5, 7, 1), "Unable to relay", "not an accepted domain, and the client may not relay", PERMISSIONS),
    }
}
