//! The directory of an Exchange organization: mailboxes that forward, mail users, groups, remote domains.
//!
//! Sources: Set-Mailbox ForwardingSmtpAddress, New-MailUser, New-DistributionGroup (RequireSenderAuthenticationEnabled is true unless it is written),
//! New-RemoteDomain, New-InboxRule.

use crate::base::{HostId, InOrder, Pattern, common_form};
use crate::diag::{Diagnostic, code};
use crate::model::directory::{AllowedOof, DirectoryEntry, DsnAuthority, EntryKind, RemoteDomain};
use crate::model::inbox::InboxRule;
use crate::model::mail_flow_rule::Texts;
use crate::scenario::check;
use crate::scenario::schema;
use crate::scenario::schema::{DirectoryRecipient, MailUser};
use crate::scenario::source::{Field, Named, Text};

use super::desk::Desk;
use super::expansions;
use super::mailboxes::closest_first;

/// All that is no plain mailbox, the most exact pattern first. Claims were checked with the mailboxes.
pub(super) fn entries(recipients: &Named<DirectoryRecipient>, desk: &mut Desk) -> Vec<DirectoryEntry> {
    let mut entries = Vec::new();
    for (address, recipient) in recipients.iter() {
        let kind = match recipient {
            DirectoryRecipient::Mailbox(mailbox) if !mailbox.inbox_rules.is_empty() => {
                if mailbox.forward_to.is_written() && mailbox.keeps_mail() {
                    desk.not_modelled(mailbox.forward_to.span(), "`forward_to` that keeps a copy, beside `inbox_rules`");
                } else if mailbox.forward_to.is_written() {
                    let help = "what `forward_to` passes on never reaches the Inbox: leave one of the two out";
                    desk.error(code::EXCLUDES, mailbox.forward_to.span(), "`forward_to` keeps no copy for `inbox_rules`", help);
                }
                EntryKind::Ruled(inbox_rules(&mailbox.inbox_rules, desk))
            }
            DirectoryRecipient::Mailbox(mailbox) if mailbox.forward_to.items().is_empty() => {
                let keeps = &mailbox.deliver_to_mailbox_and_forward;
                if keeps.or(false) {
                    let problem = Diagnostic::warning(code::NO_EFFECT, keeps.span(), "this mailbox forwards to nobody");
                    desk.say(problem.help("write forward_to: [\"address\"] beside it, or leave it out"));
                }
                continue;
            }
            DirectoryRecipient::Mailbox(mailbox) => EntryKind::Forwards {
                to: expansions::addresses(&mailbox.forward_to, "forward_to", recipient.place(), desk),
                keeps: mailbox.keeps_mail(),
            },
            DirectoryRecipient::MailUser(MailUser { external, .. }) if external.get().is_some_and(|text| other_type(text).is_some()) => {
                EntryKind::OtherType(external.get().and_then(|text| other_type(text)).unwrap_or_default())
            }
            DirectoryRecipient::MailUser(user) => {
                EntryKind::MailUser(user.external.get().and_then(|text| expansions::address(text, desk)).filter(|external| {
                    // Its own address once more says nothing new.
                    common_form(address) != common_form(&format!("{}@{}", external.local, external.domain))
                }))
            }
            DirectoryRecipient::Group(group) => EntryKind::Group {
                // A group may be empty; mail to it reaches nobody, and nobody is told.
                members: match group.members.is_written() && group.members.items().is_empty() {
                    true => Vec::new(),
                    false => expansions::addresses(&group.members, "members", recipient.place(), desk),
                },
                authenticated_only: group.require_sender_authentication.or(true),
                moderated: group.moderation_enabled.or(false),
                answers: group.send_oof_message_to_originator_enabled.or(false),
                expansion_server: None,
            },
        };
        entries.push(DirectoryEntry { address: Pattern::of_names(address), kind });
    }
    entries.in_order_by(|a, b| closest_first(&a.address, &b.address));
    entries
}

/// The type of an address that is not one of SMTP, in capitals: `X400` of `X400:c=us;a= ;p=contoso;s=lang`.
fn other_type(text: &str) -> Option<Box<str>> {
    let (kind, _) = text.split_once(':').filter(|(kind, rest)| !kind.is_empty() && !rest.is_empty())?;
    let is_word = kind.chars().all(|letter| letter.is_ascii_alphanumeric());
    (is_word && !kind.eq_ignore_ascii_case("smtp")).then(|| kind.to_ascii_uppercase().into())
}

/// `ExpansionServer` of groups: a Mailbox server of the organization, found by `server`.
pub(super) fn expand_at(
    entries: &mut [DirectoryEntry],
    recipients: &Named<DirectoryRecipient>,
    mut server: impl FnMut(&Text) -> Option<HostId>,
) {
    for (address, recipient) in recipients.iter() {
        let DirectoryRecipient::Group(group) = recipient else { continue };
        let Some(host) = group.expansion_server.get().and_then(&mut server) else { continue };
        let address = Pattern::of_names(address);
        if let Some(EntryKind::Group { expansion_server, .. }) =
            entries.iter_mut().find(|entry| entry.address == address).map(|entry| &mut entry.kind)
        {
            *expansion_server = Some(host);
        }
    }
}

/// In whose name reports are written.
pub(super) fn dsn_authority(inside: &Field<Text>, outside: &Field<Text>, desk: &mut Desk) -> DsnAuthority {
    let mut read = |field: &Field<Text>| {
        let text = field.get().filter(|text| !text.is_empty())?;
        Some(desk.domain(text)?.as_str().into())
    };
    DsnAuthority { inside: read(inside), outside: read(outside) }
}

/// Rules of a mailbox, in written order.
fn inbox_rules(written: &Named<schema::InboxRule>, desk: &mut Desk) -> Vec<InboxRule> {
    let mut rules = Vec::new();
    for (name, rule) in written.iter() {
        let targets =
            |field: &Field<Vec<Text>>, desk: &mut Desk| field.items().iter().filter_map(|text| expansions::address(text, desk)).collect();
        let words = |field: &Field<Vec<Text>>| {
            field.is_written().then(|| Texts::Words(field.items().iter().map(|text| text.trim().into()).collect()))
        };
        if !rule.forward_to.is_written() && !rule.redirect_to.is_written() && !rule.delete_message.or(false) {
            let message = "this rule does nothing that the way of mail depends on";
            desk.error(code::MISSING, name.span(), message, "write `forward_to`, `redirect_to` or `delete_message: true`");
        }
        rules.push(InboxRule {
            name: name.as_str().into(),
            enabled: rule.enabled.or(true),
            from: rule
                .from
                .items()
                .iter()
                .filter_map(|text| desk.address(text))
                .map(|address| address.to_string().to_lowercase().into())
                .collect(),
            subject: words(&rule.subject_contains_words),
            content: words(&rule.subject_or_body_contains_words),
            forward_to: targets(&rule.forward_to, desk),
            redirect_to: targets(&rule.redirect_to, desk),
            deletes: rule.delete_message.or(false),
            stops: rule.stop_processing_rules.or(false),
        });
    }
    rules
}

/// Remote domains, the most exact one first. The name is the domain unless `domain_name` says otherwise.
///
/// `AutoReplyEnabled` speaks of replies that rules of clients make; an article on absence says that it keeps answers about absence back, too. The
/// switch `auto_reply_enabled` (`all-replies`, or `client-rules` in `spares_oof`) says which.
pub(super) fn remote_domains(written: &Named<schema::RemoteDomain>, spares_oof: bool, desk: &mut Desk) -> Vec<RemoteDomain> {
    let mut rows = Vec::new();
    let mut seen: Vec<(&Text, String)> = Vec::new();
    for (name, remote) in written.iter() {
        check::name(name, "remote domain", desk);
        let is_default = name.eq_ignore_ascii_case("Default");
        if !remote.domain_name.is_written() && !is_default && name.as_str() != "*" && !name.contains('.') {
            let help = format!("New-RemoteDomain wants it: domain_name: \"{}.example\"", name.to_lowercase().replace(' ', "-"));
            desk.error(code::CMDLET_REFUSES, name.span(), format!("the remote domain `{name}` has no `domain_name`"), help);
            continue;
        }
        // The object that every organization has.
        let text = remote.domain_name.get().unwrap_or(name);
        let domain = if is_default && !remote.domain_name.is_written() { "*" } else { text.as_str() };
        let bare = domain.strip_prefix("*.").unwrap_or(domain);
        if domain != "*" && crate::base::Domain::parse(bare).is_err() {
            let help = "write domain_name: \"contoso.com\", \"*.contoso.com\" or \"*\"";
            desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is not a remote domain"), help);
        }
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == common_form(domain)) {
            let place = if remote.domain_name.is_written() { remote.domain_name.span() } else { name.span() };
            let message = format!("`{other}` and `{name}` are remote domains for the same domain");
            desk.error(code::CMDLET_REFUSES, place, message, "New-RemoteDomain takes each domain once: leave one of them out");
        }
        seen.push((name, common_form(domain)));
        rows.push(RemoteDomain {
            name: name.as_str().into(),
            domain: common_form(domain).into(),
            auto_forward: remote.auto_forward_enabled.or(true),
            ndr: remote.ndr_enabled.or(true),
            auto_reply: spares_oof || remote.auto_reply_enabled.or(true),
            oof: match remote.allowed_oof_type.or(schema::AllowedOofType::External) {
                schema::AllowedOofType::External | schema::AllowedOofType::ExternalLegacy => AllowedOof::External,
                schema::AllowedOofType::InternalLegacy => AllowedOof::Internal,
                schema::AllowedOofType::None => AllowedOof::None,
            },
        });
    }
    let far = |row: &RemoteDomain| (&*row.domain == "*", row.domain.starts_with("*."), std::cmp::Reverse(row.domain.len()));
    rows.in_order_by(|a, b| far(a).cmp(&far(b)).then_with(|| a.name.cmp(&b.name)));
    rows
}
