//! Receive connectors of an Exchange server: who may talk to it where, and what he may do.
//!
//! Source: cmdlet parameters of New-ReceiveConnector.

use super::settings::Listener;
use crate::base::{MINUTE, SECOND};
use std::net::IpAddr;

/// New-ReceiveConnector, the parameters that decide what a client may do.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiveConnector {
    /// `Name`
    pub name: Box<str>,
    /// `Bindings`: local address (`0.0.0.0` = all of IPv4, `::` = all of IPv6) and port.
    pub bindings: Vec<(IpAddr, u16)>,
    /// `RemoteIPRanges`
    pub ranges: Vec<Range>,
    /// `PermissionGroups` has AnonymousUsers.
    pub anonymous: bool,
    /// `PermissionGroups` has ExchangeUsers.
    pub users: bool,
    /// `PermissionGroups` has ExchangeServers.
    pub servers: bool,
    /// Servers of the organization can prove here who they are: `AuthMechanism` has ExchangeServer.
    pub knows_servers: bool,
    /// `PermissionGroups` has Partners.
    pub partners: bool,
    /// `AuthMechanism` is ExternalAuthoritative: everybody from these addresses counts as a server of the organization.
    pub external_authoritative: bool,
    /// `AuthMechanism` has BasicAuthRequireTLS: passwords are asked for over TLS only.
    pub login_over_tls: bool,
    /// Anonymous clients have `ms-Exch-SMTP-Accept-Any-Recipient`.
    pub anonymous_relay: bool,
    /// `RequireTLS`
    pub require_tls: bool,
    /// How much of everything.
    pub limits: Limits,
    /// `DomainSecureEnabled`: senders in these domains (`TLSReceiveDomainSecureList`) prove with a certificate who they are; empty without it.
    pub domain_secure: Vec<Box<str>>,
    /// Names of certificates whose owners hand in mail of the hybrid organization (`TlsDomainCapabilities` with `AcceptCloudServicesMail`).
    pub cloud_names: Vec<Box<str>>,
    /// The same for clients without TLS (`NO-TLS`), whoever they are.
    pub cloud_in_clear: bool,
    /// Words of EHLO that its clients are not told: `…Enabled` switches that are off, AUTH and STARTTLS where `AuthMechanism` has none.
    pub silent_about: Vec<Box<str>>,
    /// If there are such words: what its clients meet in the place of each listener of the server.
    pub faces: Vec<Listener>,
}

impl ReceiveConnector {
    /// Is it bound to one of these local addresses and this port?
    #[must_use]
    pub fn is_at_one_of(&self, locals: &[IpAddr], port: u16) -> bool {
        self.bindings.iter().any(|(local, bound)| *bound == port && locals.contains(local))
    }

    /// Is it bound to all local addresses of the family of `peer` and this port?
    #[must_use]
    pub fn is_at_all_for(&self, peer: IpAddr, port: u16) -> bool {
        self.bindings.iter().any(|(local, bound)| *bound == port && local.is_unspecified() && local.is_ipv4() == peer.is_ipv4())
    }

    /// What its clients meet at a listener of its server.
    #[must_use]
    pub fn face<'a>(&'a self, listener: &'a Listener) -> &'a Listener {
        let is_it = |face: &&Listener| face.port == listener.port && face.only_at == listener.only_at && face.family == listener.family;
        self.faces.iter().find(is_it).unwrap_or(listener)
    }

    /// How many addresses the narrowest of its ranges has that hold this one.
    #[must_use]
    pub fn width_for(&self, peer: IpAddr) -> Option<u128> {
        self.ranges.iter().filter(|range| range.has(peer)).map(Range::width).min()
    }
}

/// How much a Receive connector bears; `u32::MAX` is `unlimited`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// `MaxHopCount`: Received fields, its own among them.
    pub hops: u32,
    /// `MaxLocalHopCount`: those on top that servers of the organization wrote, one after the other; 0 = never too many.
    pub local_hops: u32,
    /// `MaxMessageSize`, bytes.
    pub message_bytes: u64,
    /// `MaxHeaderSize`, bytes.
    pub header_bytes: u64,
    /// `MaxRecipientsPerMessage`
    pub recipients: u32,
    /// `MaxInboundConnection`: at once.
    pub connections: u32,
    /// `MaxInboundConnectionPerSource`: of one address at once.
    pub connections_per_source: u32,
    /// `MaxInboundConnectionPercentagePerSource`: of one address at once, of those that are still free.
    pub percentage_per_source: u32,
    /// `MessageRateLimit`
    pub messages_per_minute: u32,
    /// `MessageRateSource`
    pub rate_source: RateSource,
    /// `TarpitInterval`
    pub tarpit_ns: u64,
    /// `ConnectionTimeout`: whatever goes on.
    pub connection_ns: u64,
    /// `ConnectionInactivityTimeout`
    pub inactivity_ns: u64,
    /// `MaxAcknowledgementDelay` (Exchange 2010): so long the server may wait with its last word until the mail has gone on.
    pub acknowledgement_ns: u64,
}

/// By what messages are counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RateSource {
    /// Not at all.
    Nobody,
    /// MAIL FROM.
    User,
    /// The client's address.
    Address,
    /// Each of both.
    Both,
}

impl Limits {
    /// As New-ReceiveConnector gives them to a connector on a Mailbox server.
    pub const USUAL: Self = Self {
        hops: 60,
        local_hops: 8,
        message_bytes: 36 << 20,
        header_bytes: 256 << 10,
        recipients: 200,
        connections: 5000,
        connections_per_source: 20,
        percentage_per_source: 2,
        messages_per_minute: u32::MAX,
        rate_source: RateSource::Address,
        tarpit_ns: 5 * SECOND,
        connection_ns: 10 * MINUTE,
        inactivity_ns: 5 * MINUTE,
        acknowledgement_ns: 30 * SECOND,
    };

    /// The same on an Edge server.
    pub const EDGE: Self = Self { messages_per_minute: 600, connection_ns: 5 * MINUTE, inactivity_ns: MINUTE, ..Self::USUAL };
}

/// Addresses from one to another, both among them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    /// The first.
    pub from: IpAddr,
    /// The last.
    pub to: IpAddr,
}

impl Range {
    /// Is the address one of them?
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        self.from.is_ipv4() == address.is_ipv4() && (self.from..=self.to).contains(&address)
    }

    /// Are all of the other's addresses among these?
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        self.has(other.from) && self.has(other.to)
    }

    /// Have both an address in common?
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.has(other.from) || self.has(other.to) || other.has(self.from)
    }

    /// How many addresses there are, less one.
    #[must_use]
    pub fn width(&self) -> u128 {
        let number = |address| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        number(self.to) - number(self.from)
    }
}
