//! What does an Exchange server do with a recipient once the message is in? Its mailboxes, those of other servers, accepted domains, everybody else.
//!
//! Sources: Exchange Server "Accepted domains", New-AcceptedDomain `DomainType`; 5.1.10 for unknown recipients (5.1.1 before 2013).

use super::super::{Decision, because};
use crate::base::HostId;
use crate::model::directory::entry_of;
use crate::model::dns::Names;
use crate::model::exchange::{AcceptedDomain, DomainType};
use crate::model::exchange_server::{Organization, Space};

/// Where a recipient goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// Into a mailbox here.
    Mailbox,
    /// To the server that has the mailbox.
    Server(HostId),
    /// From an Edge server to the organization's servers.
    Inside,
    /// Nobody: an NDR.
    NotFound,
    /// Out, by a Send connector.
    Outside,
}

impl Organization {
    /// The accepted domain that covers `domain`: the longest.
    #[must_use]
    pub fn accepted(&self, names: &Names, domain: &str) -> Option<&AcceptedDomain> {
        let covers = |accepted: &&AcceptedDomain| match domain.strip_suffix(names.text(accepted.name)) {
            Some("") => true,
            Some(front) => accepted.match_sub_domains && front.ends_with('.'),
            None => false,
        };
        self.accepted_domains.iter().filter(covers).max_by_key(|accepted| names.text(accepted.name).len())
    }

    /// Has a connector that works an address space of this type, in capitals?
    #[must_use]
    pub fn has_address_type(&self, kind: &str) -> bool {
        let spaces = self.send_connectors.iter().filter(|connector| connector.enabled).flat_map(|connector| &connector.address_spaces);
        spaces.into_iter().any(|space| matches!(&space.space, Space::OtherType(other) if **other == *kind))
    }

    /// Is there a mailbox of the organization itself with this address?
    #[must_use]
    pub fn has_mailbox(&self, address: &str) -> bool {
        let elsewhere = self.elsewhere.iter().map(|(pattern, _)| pattern);
        entry_of(&self.entries, &self.mailboxes, address).is_none()
            && self.mailboxes.iter().chain(elsewhere).any(|pattern| pattern.matches(address))
    }

    /// Is there a recipient with this address, here or on another server?
    #[must_use]
    pub fn knows(&self, address: &str) -> bool {
        self.mailboxes.iter().chain(self.elsewhere.iter().map(|(pattern, _)| pattern)).any(|pattern| pattern.matches(address))
            || self.synchronized.iter().any(|pattern| pattern.matches(address))
            || self.entries.iter().any(|entry| entry.address.matches(address))
    }
}

/// Looks a recipient up.
#[must_use]
pub fn look_up(organization: &Organization, names: &Names, address: &str, domain: &str) -> Decision<Found> {
    let answer =
        |found, name: &str, why: String| Decision::for_reason(found, because("LOOKUP", name, why, "New-AcceptedDomain DomainType"));
    if organization.own().is_some_and(|own| own.edge) {
        return at_edge(organization, names, domain);
    }
    let mailbox = |found, name: &str, why: String| Decision::for_reason(found, because("LOOKUP", name, why, "mailboxes"));
    let own = organization.mailboxes.iter().find(|pattern| pattern.matches(address));
    let other = organization.elsewhere.iter().find(|(pattern, _)| pattern.matches(address));
    let closer = |pattern: &crate::base::Pattern| (pattern.is_exact(), pattern.weight());
    match (own, other) {
        (Some(own), None) => return mailbox(Found::Mailbox, own.as_str(), "a mailbox here".into()),
        (Some(own), Some((pattern, _))) if closer(own) >= closer(pattern) => {
            return mailbox(Found::Mailbox, own.as_str(), "a mailbox here".into());
        }
        (_, Some((pattern, host))) => {
            let name = organization.server(*host).map_or("another server", |server| &*server.name);
            return mailbox(Found::Server(*host), pattern.as_str(), format!("a mailbox on `{name}`"));
        }
        (None, None) => {}
    }
    match organization.accepted(names, domain) {
        None => answer(Found::Outside, domain, "not a domain of this organization".into()),
        Some(accepted) => {
            let name = names.text(accepted.name);
            match accepted.kind {
                DomainType::Authoritative => {
                    answer(Found::NotFound, address, format!("`{name}` is Authoritative, and nobody here has this address"))
                }
                DomainType::InternalRelay => {
                    answer(Found::Outside, domain, format!("`{name}` is InternalRelay: whoever is unknown here lives on another system"))
                }
                DomainType::ExternalRelay => {
                    answer(Found::Outside, domain, format!("`{name}` is ExternalRelay: relayed outside of the organization"))
                }
            }
        }
    }
}

/// An Edge server has no mailboxes and no Active Directory: the domain alone decides.
fn at_edge(organization: &Organization, names: &Names, domain: &str) -> Decision<Found> {
    let (found, why) = match organization.accepted(names, domain).map(|accepted| (accepted.kind, names.text(accepted.name))) {
        None => (Found::Outside, "not a domain of this organization".into()),
        Some((DomainType::ExternalRelay, name)) => {
            (Found::Outside, format!("`{name}` is ExternalRelay: relayed outside of the organization"))
        }
        Some(_) => (Found::Inside, "an accepted domain: the organization's servers know the recipients".into()),
    };
    Decision::for_reason(found, because("LOOKUP", domain, why, "New-AcceptedDomain DomainType"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pattern;
    use crate::model::exchange_server::ServerVersion;

    #[test]
    fn recipients() {
        let mut names = Names::default();
        let mut accepted = |name: &str, kind, match_sub_domains| AcceptedDomain {
            from_disabled: false,
            to_disabled: false,
            address_book: None,
            name: names.intern(name),
            kind,
            match_sub_domains,
        };
        let accepted_domains =
            vec![accepted("contoso.com", DomainType::Authoritative, false), accepted("relay.com", DomainType::InternalRelay, true)];
        let organization = Organization {
            accepted_domains,
            mailboxes: vec![Pattern::new("*@contoso.com")],
            elsewhere: vec![(Pattern::new("boss@contoso.com"), HostId(1))],
            ..Organization::bare(ServerVersion::Exchange2019)
        };
        let cases = [
            ("a@contoso.com", Found::Mailbox),
            ("boss@contoso.com", Found::Server(HostId(1))),
            ("a@relay.com", Found::Outside),
            ("a@x.relay.com", Found::Outside),
            ("a@x.contoso.com", Found::Outside),
            ("a@far.com", Found::Outside),
        ];
        for (address, expected) in cases {
            let decision = look_up(&organization, &names, address, address.split_once('@').unwrap().1);
            assert_eq!(decision.outcome, expected, "{address}");
        }
        let strict = Organization { mailboxes: vec![], ..organization };
        assert_eq!(look_up(&strict, &names, "a@contoso.com", "contoso.com").outcome, Found::NotFound);
    }
}
