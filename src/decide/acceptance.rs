//! Does a receiving system take this recipient from this client?
//!
//! Sources: RFC 5321 §3.3, §3.6.2 and §4.1.3; postconf(5) `relay_domains`, `mynetworks`; Exchange Online accepted domains and Directory-Based Edge
//! Blocking. What a server knows of its client stands in `visitor`; Receive connectors of Exchange Server in `exchange::receive_connector`.

use super::claim::{Claim, claim};
use super::exchange::{attribution, submission};
use super::profile::{Refusal, behaviour};
pub use super::visitor::Peer;
use super::visitor::Visitor;
use super::{Decision, because};
use crate::base::{Reply, SystemId};
use crate::model::dns::Names;
use crate::model::exchange::{AcceptedDomain, Tenant};
use crate::model::settings::{Client, Directory, MtaDirectory};
use std::net::IpAddr;

/// The answer to RCPT.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Acceptance {
    /// Taken: a mailbox here, or on its way to another system.
    Take(TakenFor),
    /// Refused.
    Refuse(Reply),
}

impl Acceptance {
    /// Taken, and that is all there is to say.
    pub const PLAIN: Self = Self::Take(TakenFor::NOBODY);
    /// Taken, but nobody knows for whom: it ends as what the scenario does not say.
    pub const NOT_SAID: Self = Self::Take(TakenFor::NOBODY);
}

/// In whose name a recipient is taken, and what is known of the message then.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct TakenFor {
    /// The tenant of Exchange Online.
    pub tenant: Option<SystemId>,
    /// Its inbound connector, if one knows the client.
    pub connector: Option<u16>,
    /// The tenant's own mail, on its way out (else mail that comes in).
    pub originating: bool,
    /// The message counts as internal to the organization.
    pub internal: bool,
    /// No filter calls it junk.
    pub unfiltered: bool,
}

impl TakenFor {
    /// No tenant: all servers but Exchange Online.
    pub const NOBODY: Self = Self { tenant: None, connector: None, originating: false, internal: false, unfiltered: false };

    /// Is it in no tenant's name?
    #[inline(always)]
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.tenant.is_none() && self.connector.is_none() && !self.originating && !self.internal && !self.unfiltered
    }
}

/// Answers RCPT TO `address` (with `domain`).
#[must_use]
pub fn answer_rcpt(directory: &Directory, names: &Names, visitor: &Visitor<'_>, address: &str, domain: &str) -> Decision<Acceptance> {
    match directory {
        Directory::Everything => {
            Decision::for_reason(Acceptance::PLAIN, because("ACCEPT", domain, "the internet takes everything", "scenario"))
        }
        Directory::Mta(mta) => answer_mta(mta, visitor, address, domain),
        Directory::Organization(organization) => super::exchange::server_acceptance::answer(organization, names, visitor, address, domain),
        Directory::Tenants(tenants) => match visitor.login {
            Some(login) => submission::answer_rcpt(tenants, names, login, domain),
            None => attribution::answer(tenants, names, visitor, address, domain),
        },
    }
}

fn answer_mta(directory: &MtaDirectory, visitor: &Visitor<'_>, address: &str, domain: &str) -> Decision<Acceptance> {
    let take = |reason| Decision::for_reason(Acceptance::PLAIN, reason);
    let words = &behaviour(directory.profile).door;
    let refuse = |(code, status, text): Refusal, reason| Decision::for_reason(Acceptance::Refuse(Reply::new(code, status, text)), reason);
    match claim(directory, address, domain) {
        Some(Claim::Mailbox(pattern)) => return take(because("ACCEPT", pattern.as_str(), "a mailbox here", "mailboxes")),
        Some(Claim::Replaced(expansion)) => return take(because("ACCEPT", &*expansion.name, "others stand for it here", "recipients")),
        Some(Claim::Returned(back)) => return take(because("ACCEPT", &*back.name, "a sender that was rewritten here", "SRS")),
        None => {}
    }
    if let Some(pattern) = directory.relay_domains.iter().find(|pattern| pattern.matches(domain)) {
        return take(because("ACCEPT", pattern.as_str(), "taken for another system", "relay_domains"));
    }
    if directory.mailbox_domains.iter().any(|own| &**own == domain) {
        let Some(words) = words.unknown_user else {
            let why = "the domain is served here; whether it has the user this server finds out when it delivers";
            return take(because("ACCEPT", domain, why, "qmail-smtpd(8) rcpthosts"));
        };
        return refuse(words, because("ACCEPT", address, "the domain is served here, the user is unknown", "RFC 5321 §3.3"));
    }
    if let Some(login) = visitor.login {
        return take(because("LOGIN", login, "logged in: may send anywhere", "RFC 4954 §4"));
    }
    if is_relay_client(directory, visitor.peer) {
        return take(because("ACCEPT", domain, "the client may send anywhere", "relay_clients"));
    }
    refuse(words.no_relay, because("ACCEPT", domain, "neither a domain served here nor a client that may relay", "RFC 5321 §3.6.2"))
}

/// May this client send anywhere?
#[must_use]
pub fn is_relay_client(directory: &MtaDirectory, peer: Peer) -> bool {
    directory.relay_clients.iter().any(|client| is_client(client, peer))
}

fn is_client(client: &Client, peer: Peer) -> bool {
    match client {
        Client::Hosts(hosts) => hosts.contains(&peer.host),
        Client::Network(network) => peer.address.is_some_and(|address| network.contains(&address)),
    }
}

/// The tenant whose accepted domain covers `domain` most closely, with that domain: what one accepts by name is not another's because that one accepts
/// everything below a domain further up.
#[must_use]
pub fn tenant_of<'a>(tenants: &'a [Tenant], names: &Names, domain: &str) -> Option<(&'a Tenant, &'a AcceptedDomain)> {
    let accepting = tenants.iter().filter_map(|tenant| Some((tenant, accepted_domain(tenant, names, domain)?)));
    accepting.max_by_key(|(_, accepted)| names.text(accepted.name).len())
}

/// The accepted domain of a tenant that covers `domain`: the longest.
#[must_use]
pub fn accepted_domain<'a>(tenant: &'a Tenant, names: &Names, domain: &str) -> Option<&'a AcceptedDomain> {
    tenant
        .accepted_domains
        .iter()
        .filter(|accepted| match domain.strip_suffix(names.text(accepted.name)) {
            Some("") => true,
            Some(front) => accepted.match_sub_domains && front.ends_with('.'),
            None => false,
        })
        .max_by_key(|accepted| names.text(accepted.name).len())
}

/// The address in an address literal: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (the tag is mandatory).
#[must_use]
pub fn literal_address(domain: &str) -> Option<IpAddr> {
    let inner = domain.strip_prefix('[')?.strip_suffix(']')?;
    match inner.split_once(':') {
        Some((tag, rest)) if tag.eq_ignore_ascii_case("ipv6") => rest.parse::<std::net::Ipv6Addr>().ok().map(IpAddr::V6),
        _ => inner.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{HostId, Pattern};
    use crate::model::exchange::{DomainType, Switches};
    use crate::model::inbound::Inbound;

    #[test]
    fn mail_server() {
        let directory = Directory::Mta(MtaDirectory {
            mailboxes: vec![Pattern::new("alice@dest.test")],
            mailbox_domains: vec!["dest.test".into()],
            expansions: vec![],
            relay_domains: vec![Pattern::new("backup.test")],
            relay_clients: vec![Client::Hosts(vec![HostId(7)]), Client::Network("192.0.2.0/24".parse().unwrap())],
            ..MtaDirectory::default()
        });
        let cases = [
            ("alice@dest.test", 1, None, "take"),
            ("bob@dest.test", 1, None, "550 5.1.1 User unknown"),
            ("x@backup.test", 1, None, "take"),
            ("x@far.test", 1, None, "554 5.7.1 Relay access denied"),
            ("x@far.test", 7, None, "take"),
            ("x@far.test", 1, Some("192.0.2.77"), "take"),
        ];
        for (address, host, ip, expected) in cases {
            let peer = Peer { host: HostId(host), address: ip.map(|ip| ip.parse().unwrap()) };
            let decision = answer_rcpt(&directory, &Names::default(), &Visitor::plain(peer), address, address.split_once('@').unwrap().1);
            let got = match decision.outcome {
                Acceptance::Take(_) => "take".to_owned(),
                Acceptance::Refuse(reply) => reply.to_string(),
            };
            assert_eq!(got, expected, "{address} from {host}");
        }
    }

    #[test]
    fn exchange_online() {
        let mut names = Names::default();
        let accepted = |names: &mut Names, name: &str, kind, match_sub_domains| AcceptedDomain {
            from_disabled: false,
            to_disabled: false,
            address_book: None,
            name: names.intern(name),
            kind,
            match_sub_domains,
        };
        let tenant = Tenant {
            system: SystemId(3),
            accepted_domains: vec![
                accepted(&mut names, "contoso.com", DomainType::Authoritative, false),
                accepted(&mut names, "relay.com", DomainType::InternalRelay, true),
            ],
            mailboxes: vec![Pattern::new("alice@contoso.com")],
            routing_addresses: crate::model::routing_address::RoutingAddresses::default(),
            entries: vec![],
            automatic_replies: vec![],
            remote_domains: vec![],
            dsn: crate::model::directory::DsnAuthority::default(),
            outbound_pools: crate::model::exchange::OutboundPools::default(),
            sender_rewriting: crate::model::exchange::SenderRewriting::All,
            forwards_outside: true,
            recipients_max: None,
            expiration_ns: None,
            outbound_connectors: vec![],
            inbound: Inbound::default(),
            mail_flow_rules: vec![],
            people: vec![],
            switches: Switches::default(),
            directory_complete: true,
            stance: crate::model::authentication::Stance::default(),
            protected_by: None,
        };
        let directory = Directory::Tenants(vec![tenant]);
        let cases = [
            ("alice@contoso.com", "take"),
            ("bob@contoso.com", "550 5.4.1 Recipient address rejected: Access denied"),
            ("bob@sub.contoso.com", "550 5.4.1 Relay Access Denied"),
            ("bob@relay.com", "take"),
            ("bob@sub.relay.com", "take"),
            ("bob@elsewhere.com", "550 5.4.1 Relay Access Denied"),
        ];
        for (address, expected) in cases {
            let peer = Peer { host: HostId(0), address: None };
            let got = match answer_rcpt(&directory, &names, &Visitor::plain(peer), address, address.split_once('@').unwrap().1).outcome {
                Acceptance::Take(taken) => {
                    assert_eq!(taken.tenant, Some(SystemId(3)));
                    "take".to_owned()
                }
                Acceptance::Refuse(reply) => reply.to_string(),
            };
            assert_eq!(got, expected, "{address}");
        }
    }

    #[test]
    fn literals() {
        assert_eq!(literal_address("[192.0.2.1]"), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(literal_address("[IPv6:2001:db8::1]"), Some("2001:db8::1".parse().unwrap()));
        assert_eq!(literal_address("[2001:db8::1]"), None);
        assert_eq!(literal_address("dest.test"), None);
    }
}
