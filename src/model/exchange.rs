//! Exchange Online tenants: accepted domains, recipients, outbound connectors. What it says about mail that comes in stands in `inbound`.
//!
//! Source: cmdlet parameters of New-OutboundConnector and New-AcceptedDomain.

use super::authentication::Stance;
use super::automatic_reply::AutomaticReply;
use super::directory::{DirectoryEntry, DsnAuthority, RemoteDomain};
use super::inbound::Inbound;
use super::mail_flow_rule::MailFlowRule;
use super::settings::TlsPolicy;
use crate::base::{NameId, NextHopId, Pattern, SystemId};

/// One tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// Its system.
    pub system: SystemId,
    /// Accepted domains, in the order of names.
    pub accepted_domains: Vec<AcceptedDomain>,
    /// Cloud mailboxes, most exact pattern first.
    pub mailboxes: Vec<Pattern>,
    /// By which further addresses it knows them.
    pub routing_addresses: super::routing_address::RoutingAddresses,
    /// Forwards, mail users and groups, most exact pattern first.
    pub entries: Vec<DirectoryEntry>,
    /// Mailboxes that answer by themselves, most exact pattern first.
    pub automatic_replies: Vec<AutomaticReply>,
    /// Most exact one first.
    pub remote_domains: Vec<RemoteDomain>,
    /// In whose name it writes reports.
    pub dsn: DsnAuthority,
    /// In the order of names.
    pub outbound_connectors: Vec<OutboundConnector>,
    /// What it says about mail that comes in.
    pub inbound: Inbound,
    /// In order of priority.
    pub mail_flow_rules: Vec<MailFlowRule>,
    /// What the directory says of people, most exact pattern first.
    pub people: Vec<Person>,
    /// Named switches for what the sources leave open.
    pub switches: Switches,
    /// DBEB can act: the directory knows every recipient (`directory_complete`).
    pub directory_complete: bool,
    /// What it does about the origin of mail.
    pub stance: Stance,
    /// Addresses that only some mail leaves from.
    pub outbound_pools: OutboundPools,
    /// Which senders of mail that is passed on it rewrites, in its time.
    pub sender_rewriting: SenderRewriting,
    /// `AutoForwardingMode` of its outbound spam policy: mail may be passed on to people outside by itself.
    pub forwards_outside: bool,
    /// `MaxRecipientEnvelopeLimit`, if one is written.
    pub recipients_max: Option<u32>,
    /// `MessageExpiration`, if one is written: how long its mail waits.
    pub expiration_ns: Option<u64>,
    /// FOPE stands before it, instead of the service's own edge.
    pub protected_by: Option<Protection>,
}

/// What the service rewrites of those who stand as sender on mail that is passed on (SRS).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SenderRewriting {
    /// Before July 2018.
    Never,
    /// Until autumn 2023: what a mailbox as a whole forwards has the mailbox as sender instead.
    NotOfMailboxes,
    /// Since then.
    All,
}

/// Addresses of the shared service for mail that it does not want to lend its good name to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutboundPools {
    /// For reports, spam, and senders who cannot be answered.
    pub high_risk: Vec<std::net::IpAddr>,
    /// For mail that was passed on and nobody vouches for.
    pub relay: Vec<std::net::IpAddr>,
}

/// One of the pools.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Pool {
    /// The addresses of the front ends.
    #[default]
    Normal,
    /// The high-risk delivery pool.
    HighRisk,
    /// The relay pool.
    Relay,
}

impl OutboundPools {
    /// The addresses of a pool; empty: the ordinary ones.
    #[must_use]
    pub fn of(&self, pool: Pool) -> &[std::net::IpAddr] {
        match pool {
            Pool::Normal => &[],
            Pool::HighRisk => &self.high_risk,
            Pool::Relay => &self.relay,
        }
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.high_risk.is_empty() && self.relay.is_empty()
    }
}

/// The FOPE that a tenant hands its mail to.
#[derive(Clone, Debug, PartialEq)]
pub struct Protection {
    /// Its system.
    pub name: Box<str>,
    /// Its addresses, in written order.
    pub hops: Vec<NextHopId>,
}

impl Tenant {
    /// A tenant that says nothing.
    #[cfg(test)]
    pub(crate) fn bare() -> Self {
        Self {
            system: SystemId(0),
            accepted_domains: vec![],
            mailboxes: vec![],
            routing_addresses: super::routing_address::RoutingAddresses::default(),
            entries: vec![],
            automatic_replies: vec![],
            remote_domains: vec![],
            dsn: DsnAuthority::default(),
            outbound_connectors: vec![],
            inbound: Inbound::default(),
            mail_flow_rules: vec![],
            people: vec![],
            switches: Switches::default(),
            directory_complete: true,
            outbound_pools: OutboundPools::default(),
            sender_rewriting: SenderRewriting::All,
            forwards_outside: true,
            recipients_max: None,
            expiration_ns: None,
            stance: Stance::default(),
            protected_by: None,
        }
    }

    /// Does its directory have this address?
    #[must_use]
    pub fn knows(&self, address: &str) -> bool {
        let known = |address: &str| {
            self.mailboxes.iter().any(|pattern| pattern.matches(address)) || self.entries.iter().any(|entry| entry.address.matches(address))
        };
        known(address) || self.routing_addresses.owner(self, address).is_some()
    }

    /// The address under which its directory has somebody: another one than `address` if that is a routing address.
    #[must_use]
    pub fn listed<'a>(&self, address: &'a str) -> std::borrow::Cow<'a, str> {
        self.routing_addresses.owner(self, address).map_or(address.into(), Into::into)
    }

    /// Does it look at more of a message than at its recipient?
    #[must_use]
    pub fn reads_letters(&self) -> bool {
        !self.mail_flow_rules.is_empty()
            || !self.entries.is_empty()
            || !self.outbound_pools.is_empty()
            || self.recipients_max.is_some()
            || self.accepted_domains.iter().any(|row| row.from_disabled)
            || self.outbound_connectors.iter().any(OutboundConnector::is_centralized)
    }
}

/// What the directory says of somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// Whose address.
    pub address: Pattern,
    /// `City` and the like, names in lower case.
    pub attributes: Vec<(Box<str>, Box<str>)>,
}

/// A domain that an organization calls its own.
#[derive(Clone, Debug, PartialEq)]
pub struct AcceptedDomain {
    /// `SendingFromDomainDisabled`: nobody may send as somebody of it.
    pub from_disabled: bool,
    /// `SendingToDomainDisabled`: nobody gets mail there.
    pub to_disabled: bool,
    /// `AddressBookEnabled`, where it is written (Exchange Server).
    pub address_book: Option<bool>,
    /// The domain.
    pub name: NameId,
    /// What happens to recipients that it does not know.
    pub kind: DomainType,
    /// Names below are accepted as well (`MatchSubDomains`).
    pub match_sub_domains: bool,
}

/// `DomainType`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DomainType {
    /// Unknown recipients are refused.
    Authoritative,
    /// Unknown recipients are relayed to the organization's other system.
    InternalRelay,
    /// All are relayed outside of the organization.
    ExternalRelay,
}

/// New-OutboundConnector, the parameters that choose routes.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboundConnector {
    /// `Name`
    pub name: Box<str>,
    /// `Enabled`
    pub enabled: bool,
    /// `ConnectorType` is `OnPremises` (else `Partner`).
    pub on_premises: bool,
    /// `RecipientDomains`: `contoso.com`, `*.contoso.com`, `*`.
    pub recipient_domains: Vec<Box<str>>,
    /// `AllAcceptedDomains`
    pub all_accepted_domains: bool,
    /// `IsTransportRuleScoped`
    pub rule_scoped: bool,
    /// `RouteAllMessagesViaOnPremises`: centralized mail transport.
    pub centralized: bool,
    /// `CloudServicesMailEnabled`: headers of the organization travel along.
    pub cloud_services: bool,
    /// `SenderRewritingEnabled`
    pub rewrites_senders: bool,
    /// `UseMXRecord`
    pub use_mx_record: bool,
    /// `SmartHosts`, in written order.
    pub smart_hosts: Vec<NextHopId>,
    /// `TlsSettings` with `TlsDomain` as its name.
    pub tls: TlsPolicy,
    /// Its place in the scenario: the newest of two equal connectors has the higher number.
    pub written: u32,
}

impl OutboundConnector {
    /// Does centralized mail transport use it?
    #[must_use]
    pub fn is_centralized(&self) -> bool {
        self.enabled && self.centralized && !self.rule_scoped
    }
}

/// Switches for contradictions and open points of the sources, with their defaults.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Switches {
    /// `OUT-4`: which of two matching connectors is closer.
    pub out_4: Out4,
    /// `OUT-6`: equal connectors.
    pub out_6: Out6,
    /// `wildcard_matches_bare_domain`: `*.contoso.com` also means `contoso.com`.
    pub wildcard_matches_bare_domain: bool,
    /// `opportunistic_handshake_failure`: `plain-retry` instead of `defer`.
    pub plain_retry: bool,
    /// `dane_at_smart_hosts`: `by-name` instead of `none`.
    pub dane_at_smart_hosts: bool,
    /// `domain_disabled_reply`: `550 5.1.10` instead of `550 5.7.1`.
    pub domain_disabled_as_not_found: bool,
    /// `tls_domain_wildcard`: the star of `TlsDomain` stands for `one-label` instead of `all-subdomains`.
    pub tls_domain_star_is_one_label: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            out_4: Out4::Specificity,
            out_6: Out6::Error,
            wildcard_matches_bare_domain: true,
            plain_retry: false,
            dane_at_smart_hosts: false,
            domain_disabled_as_not_found: false,
            tls_domain_star_is_one_label: false,
        }
    }
}

/// `OUT-4`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Out4 {
    /// exact > longest wildcard > all accepted domains > `*`
    Specificity,
    /// exact > all accepted domains > wildcard
    ListedOrder,
}

/// `OUT-6`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Out6 {
    /// The scenario does not say.
    Error,
    /// First by name.
    Name,
    /// The one written last.
    Newest,
}
