//! Whose mailboxes are here? Patterns of an organization and of its machines, the most exact first.

use crate::base::Pattern;
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::schema::{DirectoryRecipient, Recipient};
use crate::scenario::source::{Named, Text};

use super::desk::Desk;

/// Patterns with their places, while a system is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailboxes(Vec<(Pattern, Span)>);

impl Mailboxes {
    pub(super) fn add(&mut self, texts: &[Text], desk: &mut Desk) {
        texts.iter().for_each(|text| self.add_one(text, desk));
    }

    fn add_one(&mut self, text: &Text, desk: &mut Desk) {
        if text.as_str() != "*" && !text.contains('@') {
            let help = format!("a mailbox is an address or a pattern of addresses: \"alice@{text}\", \"*@{text}\"");
            desk.error(code::VALUE, text.span(), format!("`{text}` is not a mailbox"), help);
            return;
        }
        let pattern = Pattern::new(text);
        if let Some((_, there)) = self.0.iter().find(|(known, _)| *known == pattern) {
            let problem =
                Diagnostic::error(code::CLAIMED_TWICE, text.span(), format!("`{text}` is claimed twice")).also(*there, "the other claim");
            desk.say(problem.help("one of the two claims must go"));
            return;
        }
        self.0.push((pattern, text.span()));
    }

    /// `recipients` of a mail server: mailboxes only.
    pub(super) fn add_recipients(&mut self, recipients: &Named<Recipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            match recipient {
                Recipient::Mailbox(_) => self.add_one(address, desk),
                Recipient::Forward(_) => desk.not_modelled(recipient.place(), "forwarding"),
                Recipient::List(_) => desk.not_modelled(recipient.place(), "mailing lists"),
            }
        }
    }

    /// `recipients` of an Exchange directory: mailboxes that keep their mail only.
    pub(super) fn add_directory(&mut self, recipients: &Named<DirectoryRecipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            match recipient {
                DirectoryRecipient::Mailbox(mailbox) if mailbox.forward_to.items().is_empty() => self.add_one(address, desk),
                DirectoryRecipient::Mailbox(mailbox) => desk.not_modelled(mailbox.forward_to.span(), "forwarding"),
                DirectoryRecipient::MailUser(_) => desk.not_modelled(recipient.place(), "mail users"),
                DirectoryRecipient::Group(_) => desk.not_modelled(recipient.place(), "groups of recipients"),
            }
        }
    }

    /// The most exact pattern first.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> = self.0.iter().map(|(pattern, _)| pattern.clone()).collect();
        patterns.sort_by(|a, b| (b.is_exact(), b.weight(), a).cmp(&(a.is_exact(), a.weight(), b)));
        patterns
    }

    /// Whole domains of the patterns, by name: whoever is unknown there is refused.
    pub(super) fn domains(&self) -> Vec<Box<str>> {
        let domain = |pattern: &Pattern| pattern.as_str().rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let mut domains: Vec<Box<str>> =
            self.0.iter().filter_map(|(pattern, _)| domain(pattern)).filter(|d| !d.contains('*')).map(Into::into).collect();
        domains.sort();
        domains.dedup();
        domains
    }
}
