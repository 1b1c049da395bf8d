//! Receive connectors of an Exchange server: who may talk to it where, and what he may do.
//!
//! Source: cmdlet parameters of New-ReceiveConnector.

use std::net::IpAddr;

/// New-ReceiveConnector, the parameters that decide what a client may do.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiveConnector {
    /// `Name`
    pub name: Box<str>,
    /// `Bindings`: local address (`None` = all of them) and port.
    pub bindings: Vec<(Option<IpAddr>, u16)>,
    /// `RemoteIPRanges`
    pub ranges: Vec<Range>,
    /// `PermissionGroups` has AnonymousUsers.
    pub anonymous: bool,
    /// `PermissionGroups` has ExchangeUsers.
    pub users: bool,
    /// `PermissionGroups` has ExchangeServers.
    pub servers: bool,
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
    /// `MaxHopCount`
    pub max_hops: u32,
    /// `MaxMessageSize`, bytes; `None` = unlimited.
    pub max_message_size: Option<u64>,
    /// `MaxRecipientsPerMessage`
    pub max_recipients: u32,
    /// `TarpitInterval`
    pub tarpit_ns: u64,
    /// Names of certificates whose owners hand in mail of the hybrid organization (`TlsDomainCapabilities` with `AcceptCloudServicesMail`).
    pub cloud_names: Vec<Box<str>>,
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
