//! Mailboxes that answer by themselves: when, and whom.
//!
//! Sources: Set-MailboxAutoReplyConfiguration; for mailboxes of other servers RFC 3834. What an answer says is not modelled.

use super::directory::DirectoryEntry;
use super::settings::Directory;
use crate::base::{Pattern, SimTime};

/// The answers of some mailboxes.
#[derive(Clone, Debug, PartialEq)]
pub struct AutomaticReply {
    /// Whose.
    pub address: Pattern,
    /// `AutoReplyState` is not `Disabled`.
    pub enabled: bool,
    /// Answered from this instant on.
    pub from: SimTime,
    /// The first instant without.
    pub until: SimTime,
    /// `ExternalAudience`
    pub outside: ExternalAudience,
    /// The same sender is answered again after this time; `None`: once, as long as the settings stay as they are.
    pub again_after_ns: Option<u64>,
}

/// Which senders from outside are answered.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternalAudience {
    /// None of them.
    None,
    /// Those among the contacts of the mailbox.
    Known(Vec<Pattern>),
    /// All.
    All,
}

/// The answers of a mailbox here, if it has any.
#[must_use]
pub fn of_mailbox<'a>(directory: &'a Directory, tenant: u32, address: &str) -> Option<&'a AutomaticReply> {
    match directory {
        Directory::Everything => None,
        Directory::Mta(own) => closest(&own.automatic_replies, &own.mailboxes, &[], address),
        Directory::Organization(own) => closest(&own.automatic_replies, &own.mailboxes, &own.entries, address),
        Directory::Tenants(tenants) => {
            let own = tenants.iter().find(|row| row.system.0 == tenant)?;
            closest(&own.automatic_replies, &own.mailboxes, &own.entries, &own.listed(address))
        }
    }
}

/// The closest answers for an address, unless a mailbox or an entry without any is closer.
fn closest<'a>(
    replies: &'a [AutomaticReply],
    mailboxes: &[Pattern],
    entries: &[DirectoryEntry],
    address: &str,
) -> Option<&'a AutomaticReply> {
    let reply = replies.iter().find(|reply| reply.address.matches(address))?;
    let closeness = |pattern: &Pattern| (pattern.is_exact(), pattern.weight());
    let own = closeness(&reply.address);
    let others = mailboxes.iter().chain(entries.iter().map(|entry| &entry.address));
    others.filter(|pattern| pattern.matches(address)).all(|pattern| closeness(pattern) <= own).then_some(reply)
}

impl Directory {
    /// Does any mailbox here answer by itself?
    #[must_use]
    pub fn has_automatic_replies(&self) -> bool {
        match self {
            Self::Everything => false,
            Self::Mta(own) => !own.automatic_replies.is_empty(),
            Self::Organization(own) => !own.automatic_replies.is_empty(),
            Self::Tenants(tenants) => tenants.iter().any(|tenant| !tenant.automatic_replies.is_empty()),
        }
    }
}
