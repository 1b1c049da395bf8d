//! Who stands in an Exchange directory beside plain mailboxes: mailboxes that forward, mail users and contacts, groups.
//!
//! Sources: Set-Mailbox ForwardingSmtpAddress, New-MailUser ExternalEmailAddress, New-DistributionGroup, New-RemoteDomain.

use super::inbox::InboxRule;
use super::traffic::AddressTemplate;
use crate::base::{HostId, Pattern};

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectoryEntry {
    /// Whose addresses.
    pub address: Pattern,
    /// What stands behind them.
    pub kind: EntryKind,
}

/// What stands behind an address.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryKind {
    /// A mailbox that passes everything on.
    Forwards {
        /// To whom.
        to: Vec<AddressTemplate>,
        /// `DeliverToMailboxAndForward`: it keeps a copy.
        keeps: bool,
    },
    /// A mailbox whose own rules pass mail on.
    Ruled(Vec<InboxRule>),
    /// A mail user, contact or remote mailbox: the mailbox is elsewhere, under this address or (`None`) the same.
    MailUser(Option<AddressTemplate>),
    /// A mail user or contact whose address is of another type than SMTP: the type, in capitals.
    OtherType(Box<str>),
    /// A distribution group.
    Group {
        /// Who gets a copy.
        members: Vec<AddressTemplate>,
        /// `RequireSenderAuthenticationEnabled`: senders from outside are refused.
        authenticated_only: bool,
        /// `ModerationEnabled`: somebody decides about each message.
        moderated: bool,
        /// `SendOofMessageToOriginatorEnabled`: its members' automatic replies reach the sender.
        answers: bool,
        /// `ExpansionServer`: only this server puts the members in its place.
        expansion_server: Option<HostId>,
    },
}

/// What is shaped for automatic mail to a domain; never the route.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteDomain {
    /// Its name, for explanations.
    pub name: Box<str>,
    /// `DomainName`: `contoso.com`, `*.contoso.com`, `*`.
    pub domain: Box<str>,
    /// `AutoForwardEnabled`
    pub auto_forward: bool,
    /// `NDREnabled`
    pub ndr: bool,
    /// `AutoReplyEnabled`, where the switch `auto_reply_enabled` counts it for answers about absence.
    pub auto_reply: bool,
    /// `AllowedOOFType`
    pub oof: AllowedOof,
}

/// Which answers about absence a remote domain takes; `ExternalLegacy` is `External`, since only old clients make others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AllowedOof {
    /// Those for people outside.
    External,
    /// Those for people inside.
    Internal,
    /// None.
    None,
}

/// In whose name an organization writes reports (`InternalDsnReportingAuthority`, `ExternalDsnReportingAuthority`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DsnAuthority {
    /// To its own people.
    pub inside: Option<Box<str>>,
    /// To others.
    pub outside: Option<Box<str>>,
}

/// The most exact remote domain for a domain.
#[must_use]
pub fn remote_domain<'a>(remote_domains: &'a [RemoteDomain], domain: &str) -> Option<&'a RemoteDomain> {
    remote_domains.iter().find(|remote| match remote.domain.strip_prefix("*.") {
        _ if *remote.domain == *"*" => true,
        Some(parent) => domain.strip_suffix(parent).is_some_and(|front| front.is_empty() || front.ends_with('.')),
        None => *remote.domain == *domain,
    })
}

/// The closest entry for an address, if no plain mailbox is closer.
#[must_use]
pub fn entry_of<'a>(entries: &'a [DirectoryEntry], mailboxes: &[Pattern], address: &str) -> Option<&'a DirectoryEntry> {
    let entry = entries.iter().find(|entry| entry.address.matches(address))?;
    let closeness = |pattern: &Pattern| (pattern.is_exact(), pattern.weight());
    let mailbox = mailboxes.iter().find(|pattern| pattern.matches(address));
    mailbox.is_none_or(|mailbox| closeness(mailbox) <= closeness(&entry.address)).then_some(entry)
}
