//! The directory of an Exchange organization: mailboxes that forward, mail users, groups, remote domains.
//!
//! Sources: Set-Mailbox ForwardingSmtpAddress, New-MailUser, New-DistributionGroup (RequireSenderAuthenticationEnabled is true unless it is written),
//! New-RemoteDomain. Not modelled: what a remote domain says about reports and out-of-office replies.

use crate::base::Pattern;
use crate::diag::code;
use crate::model::directory::{DirectoryEntry, EntryKind, RemoteDomain};
use crate::scenario::schema;
use crate::scenario::schema::DirectoryRecipient;
use crate::scenario::source::Named;

use super::desk::Desk;
use super::expansions;
use super::mailboxes::closest_first;

/// All that is no plain mailbox, the most exact pattern first. Claims were checked with the mailboxes.
pub(super) fn entries(recipients: &Named<DirectoryRecipient>, desk: &mut Desk) -> Vec<DirectoryEntry> {
    let mut entries = Vec::new();
    for (address, recipient) in recipients.iter() {
        let kind = match recipient {
            DirectoryRecipient::Mailbox(mailbox) if mailbox.forward_to.items().is_empty() => continue,
            DirectoryRecipient::Mailbox(mailbox) => {
                EntryKind::Forwards(expansions::addresses(&mailbox.forward_to, "forward_to", recipient.place(), desk))
            }
            DirectoryRecipient::MailUser(user) => {
                EntryKind::MailUser(user.external.get().and_then(|text| expansions::address(text, desk)).filter(|external| {
                    // Its own address once more says nothing new.
                    !address.eq_ignore_ascii_case(&format!("{}@{}", external.local, external.domain))
                }))
            }
            DirectoryRecipient::Group(group) => EntryKind::Group {
                members: expansions::addresses(&group.members, "members", recipient.place(), desk),
                authenticated_only: group.require_sender_authentication.or(true),
            },
        };
        entries.push(DirectoryEntry { address: Pattern::new(address), kind });
    }
    entries.sort_by(|a, b| closest_first(&a.address, &b.address));
    entries
}

/// Remote domains, the most exact one first. The name is the domain unless `domain_name` says otherwise.
pub(super) fn remote_domains(written: &Named<schema::RemoteDomain>, desk: &mut Desk) -> Vec<RemoteDomain> {
    let mut rows = Vec::new();
    for (name, remote) in written.iter() {
        let text = remote.domain_name.get().unwrap_or(name);
        let bare = text.strip_prefix("*.").unwrap_or(text);
        if text.as_str() != "*" && crate::base::Domain::parse(bare).is_err() {
            let help = "write domain_name: \"contoso.com\", \"*.contoso.com\" or \"*\"";
            desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is not a remote domain"), help);
        }
        desk.only(&remote.ndr_enabled, true, "remote domains that get no NDR");
        rows.push(RemoteDomain {
            name: name.as_str().into(),
            domain: text.trim_end_matches('.').to_ascii_lowercase().into(),
            auto_forward: remote.auto_forward_enabled.or(true),
        });
    }
    let far = |row: &RemoteDomain| (&*row.domain == "*", row.domain.starts_with("*."), std::cmp::Reverse(row.domain.len()));
    rows.sort_by(|a, b| far(a).cmp(&far(b)).then_with(|| a.name.cmp(&b.name)));
    rows
}
