//! Under which further addresses does a tenant know its mailboxes and groups?
//!
//! Whoever is `david@contoso.com` is `david@contoso.onmicrosoft.com` as well, and, where servers of the organization send to the cloud,
//! `david@contoso.mail.onmicrosoft.com`: the address by which they name him. Sources: Microsoft, "How the proxyAddresses attribute is populated"; the
//! e-mail address policies that the Hybrid Configuration Wizard extends. Here a tenant has both for everybody who is written with an address at a domain
//! of its own; mail users, who live elsewhere, have none.

use super::directory::EntryKind;
use super::exchange::Tenant;

/// The domains of such addresses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RoutingAddresses {
    /// The two that the tenant has of Microsoft.
    pub of_microsoft: Vec<Box<str>>,
    /// Its own ones, in the order of names.
    pub own: Vec<Box<str>>,
}

impl RoutingAddresses {
    /// Whose routing address it is, if it is one.
    pub(super) fn owner(&self, tenant: &Tenant, address: &str) -> Option<String> {
        let (local, domain) = address.rsplit_once('@')?;
        if !self.of_microsoft.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
            return None;
        }
        let has_mailbox = |address: &str| tenant.mailboxes.iter().any(|pattern| pattern.matches(address));
        let entry = |address: &str| tenant.entries.iter().find(|entry| entry.address.matches(address));
        if has_mailbox(address) || entry(address).is_some() {
            return None;
        }
        let lives_here = |address: &String| match entry(address) {
            Some(entry) => !matches!(entry.kind, EntryKind::MailUser(_)),
            None => has_mailbox(address),
        };
        self.own.iter().map(|domain| format!("{local}@{domain}")).find(lives_here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pattern;
    use crate::model::directory::DirectoryEntry;

    #[test]
    fn who_has_one() {
        let tenant = Tenant {
            mailboxes: ["david@contoso.com", "al@other.test", "al@contoso.com", "odd@contoso.mail.onmicrosoft.com"]
                .map(Pattern::new)
                .into(),
            entries: vec![DirectoryEntry { address: Pattern::new("chris@contoso.com"), kind: EntryKind::MailUser(None) }],
            routing_addresses: RoutingAddresses {
                of_microsoft: vec!["contoso.onmicrosoft.com".into(), "contoso.mail.onmicrosoft.com".into()],
                own: vec!["contoso.com".into(), "other.test".into()],
            },
            ..Tenant::bare()
        };
        for (address, owner) in [
            ("david@contoso.mail.onmicrosoft.com", "david@contoso.com"),
            ("David@Contoso.onmicrosoft.com", "David@contoso.com"),
            ("al@contoso.mail.onmicrosoft.com", "al@contoso.com"),
            ("odd@contoso.mail.onmicrosoft.com", "odd@contoso.mail.onmicrosoft.com"),
            ("chris@contoso.mail.onmicrosoft.com", "chris@contoso.mail.onmicrosoft.com"),
            ("david@contoso.com", "david@contoso.com"),
            ("david@fabrikam.onmicrosoft.com", "david@fabrikam.onmicrosoft.com"),
        ] {
            assert_eq!(tenant.listed(address), owner);
        }
        assert!(tenant.knows("david@contoso.mail.onmicrosoft.com") && !tenant.knows("chris@contoso.mail.onmicrosoft.com"));
    }
}
