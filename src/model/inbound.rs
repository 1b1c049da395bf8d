//! What a tenant of Exchange Online says about mail that comes in: inbound connectors, direct send, client submission.
//!
//! Source: cmdlet parameters of New-InboundConnector, Set-OrganizationConfig, Set-TransportConfig; the announcements of 2017 and 2023 about relay.

use super::receive_connector::Range;
use crate::base::{Pattern, SimTime};
use ipnet::IpNet;
use std::net::IpAddr;

/// The receiving side of one tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inbound {
    /// In the order of names.
    pub connectors: Vec<InboundConnector>,
    /// `RejectDirectSend`
    pub reject_direct_send: bool,
    /// Mail from here is never called junk.
    pub ip_allow_list: Vec<Range>,
    /// Since when which condition for relay holds.
    pub relay: RelayPeriods,
    /// What logins may do.
    pub submission: Submission,
    /// `trusted_organizations`: mail of those is not judged junk.
    pub trusted_mail: TrustedMail,
    /// `partner_require_tls_reply`
    pub require_tls_reply: RequireTlsReply,
    /// `both_restrictions`: of a Partner connector that restricts by addresses and by certificate, one is enough.
    pub either_restriction: bool,
    /// `relay_refused_reply`: 451 4.4.62 instead of 550 5.7.64.
    pub relay_is_deferred: bool,
}

impl Inbound {
    /// Does an answer to RCPT depend on more of the client than its address?
    #[must_use]
    pub fn looks_at_visitors(&self) -> bool {
        !self.connectors.is_empty() || self.reject_direct_send || !self.ip_allow_list.is_empty()
    }
}

/// New-InboundConnector. Seen from the service: *inbound* is into it, also from the organization's own server.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundConnector {
    /// `Name`
    pub name: Box<str>,
    /// `Enabled`
    pub enabled: bool,
    /// `ConnectorType` is `OnPremises` (else `Partner`).
    pub on_premises: bool,
    /// `SenderDomains`: `contoso.com`, `*.contoso.com`, `*`.
    pub sender_domains: Vec<Box<str>>,
    /// `SenderIPAddresses`
    pub addresses: Vec<IpNet>,
    /// `TlsSenderCertificateName`, lower case.
    pub certificate_name: Option<Box<str>>,
    /// `client_certificate_wildcard`: the star of a certificate stands for more labels than one.
    pub star_covers_all: bool,
    /// `RequireTls`
    pub require_tls: bool,
    /// `RestrictDomainsToIPAddresses`
    pub restricts_to_addresses: bool,
    /// `RestrictDomainsToCertificate`
    pub restricts_to_certificate: bool,
    /// `AssociatedAcceptedDomains`; empty = all.
    pub associated: Vec<Box<str>>,
    /// `CloudServicesMailEnabled`
    pub cloud_services: bool,
    /// `TreatMessagesAsInternal`
    pub treats_as_internal: bool,
    /// `TrustedOrganizations`: tenants by the names of their systems. Where there are any, nothing else of the connector counts.
    pub trusted: Vec<Box<str>>,
    /// `EFSkipLastIP`, `EFSkipIPs`, `EFUsers`
    pub filtering: Option<EnhancedFiltering>,
}

impl InboundConnector {
    /// A Partner connector that keeps others out.
    #[must_use]
    pub fn restricts(&self) -> bool {
        !self.on_premises && (self.restricts_to_addresses || self.restricts_to_certificate)
    }
}

/// Which hops are looked through to find where a message came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnhancedFiltering {
    /// The machine that connects, whoever it is.
    pub last: bool,
    /// From, to.
    pub skips: Vec<(IpAddr, IpAddr)>,
    /// Recipients that it is for; empty = everybody.
    pub users: Vec<Pattern>,
}

/// Since when is which condition for relay in force?
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RelayPeriods {
    /// A matching connector is not enough any more: the certificate's, the sender's or the author's domain must be accepted (5 July 2017).
    pub domain_counts_from: SimTime,
    /// The author's domain does not count any more (1 November 2023).
    pub author_counts_until: SimTime,
}

impl RelayPeriods {
    /// The number of the period at a moment.
    #[must_use]
    pub fn number(&self, at: SimTime) -> u8 {
        u8::from(at >= self.domain_counts_from) + u8::from(at >= self.author_counts_until)
    }
}

/// What a tenant allows to clients that log in.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// `SmtpClientAuthenticationDisabled`
    pub disabled: bool,
    /// `AllowLegacyTLSClients`
    pub legacy_tls: bool,
    /// Passwords are kept out by the tenant's security defaults.
    pub security_defaults: bool,
    /// Login, and what it may send as beside its own address.
    pub send_as: Vec<(Box<str>, Vec<Pattern>)>,
    /// From when on names and passwords do not do (`basic_authentication_until`).
    pub basic_until: SimTime,
    /// Above the daily limit: 5.1.90 instead of 5.2.0 (`daily_recipient_limit_reply`).
    pub limit_is_bad_sender: bool,
}

impl Default for Submission {
    fn default() -> Self {
        Self {
            disabled: true,
            legacy_tls: false,
            security_defaults: false,
            send_as: Vec::new(),
            basic_until: SimTime::NEVER,
            limit_is_bad_sender: false,
        }
    }
}

/// `partner_require_tls_reply`
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RequireTlsReply {
    /// `451 5.7.3`: the client tries again.
    #[default]
    Transient,
    /// `530 5.7.0`: for good.
    Permanent,
}

/// `trusted_organizations`
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TrustedMail {
    /// `unfiltered`: no junk.
    #[default]
    Unfiltered,
    /// `filtered`: judged like any other.
    Filtered,
}
