//! Whose mailboxes are here, and who is replaced by others? Patterns of an organization and of its machines, the most exact first.

use crate::base::{Domain, InOrder, Pattern};
use crate::diag::{Diagnostic, Span, code};
use crate::model::expansion::Expansion;
use crate::scenario::schema::{DirectoryRecipient, Recipient};
use crate::scenario::source::{Named, Text};

use super::desk::Desk;
use super::expansions;

/// Patterns with their places, while a system is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailboxes(Vec<(Pattern, Span, Claim)>);

/// What a pattern claims its addresses to be.
#[derive(Clone, Debug)]
enum Claim {
    Mailbox,
    /// Others stand for them.
    Replaced(Box<Expansion>),
    /// Another kind of entry of an Exchange directory (`super::directory`).
    Entry,
}

impl Mailboxes {
    pub(super) fn add(&mut self, texts: &[Text], desk: &mut Desk) {
        texts.iter().for_each(|text| self.add_one(text, Claim::Mailbox, desk));
    }

    fn add_one(&mut self, text: &Text, claim: Claim, desk: &mut Desk) {
        let domain = text.rsplit_once('@').map(|(_, domain)| domain);
        if text.as_str() != "*" && domain.is_none_or(|domain| domain.contains(char::is_whitespace)) {
            let example = if Domain::parse(text).is_ok() { text.as_str() } else { "contoso.com" };
            let help = format!("a mailbox is an address or a pattern of addresses: \"alice@{example}\", \"*@{example}\"");
            desk.error(code::VALUE, text.span(), format!("`{text}` is not a mailbox"), help);
            return;
        }
        let pattern = Pattern::of_names(text);
        if let Some((_, there, _)) = self.0.iter().find(|(known, ..)| *known == pattern) {
            let problem =
                Diagnostic::error(code::CLAIMED_TWICE, text.span(), format!("`{text}` is claimed twice")).also(*there, "the other claim");
            desk.say(problem.help("one of the two claims must go"));
            return;
        }
        self.0.push((pattern, text.span(), claim));
    }

    /// `recipients` of a mail server.
    pub(super) fn add_recipients(&mut self, recipients: &Named<Recipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            match recipient {
                Recipient::Mailbox(_) => self.add_one(address, Claim::Mailbox, desk),
                Recipient::Forward(forward) => {
                    let expansion = expansions::forward(address, forward, recipient.place(), desk);
                    self.add_one(address, Claim::Replaced(Box::new(expansion)), desk);
                }
                Recipient::List(list) => {
                    let expansion = expansions::list(address, list, recipient.place(), desk);
                    self.add_one(address, Claim::Replaced(Box::new(expansion)), desk);
                }
            }
        }
    }

    /// `recipients` of an Exchange directory. What is no plain mailbox is only claimed here; `super::directory` reads it.
    pub(super) fn claim_directory(&mut self, recipients: &Named<DirectoryRecipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            let is_plain = matches!(recipient, DirectoryRecipient::Mailbox(mailbox) if mailbox.forward_to.items().is_empty());
            self.add_one(address, if is_plain { Claim::Mailbox } else { Claim::Entry }, desk);
        }
    }

    /// Mailboxes, the most exact pattern first.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let mut patterns: Vec<Pattern> =
            self.0.iter().filter(|claim| matches!(claim.2, Claim::Mailbox)).map(|claim| claim.0.clone()).collect();
        patterns.in_order_by(closest_first);
        patterns
    }

    /// Who is replaced by others, the most exact pattern first.
    pub(super) fn expansions(&self) -> Vec<(Pattern, Expansion)> {
        let replaced = |(pattern, _, claim): &(Pattern, Span, Claim)| match claim {
            Claim::Replaced(expansion) => Some((pattern.clone(), (**expansion).clone())),
            Claim::Mailbox | Claim::Entry => None,
        };
        let mut expansions: Vec<(Pattern, Expansion)> = self.0.iter().filter_map(replaced).collect();
        expansions.in_order_by(|a, b| closest_first(&a.0, &b.0));
        expansions
    }

    /// Whole domains of the patterns, by name: whoever is unknown there is refused.
    pub(super) fn domains(&self) -> Vec<Box<str>> {
        let domain = |pattern: &Pattern| pattern.as_str().rsplit_once('@').map(|(_, domain)| domain.to_owned());
        let mut domains: Vec<Box<str>> =
            self.0.iter().filter_map(|(pattern, ..)| domain(pattern)).filter(|d| !d.contains('*')).map(Into::into).collect();
        domains.in_order();
        domains.dedup();
        domains
    }
}

/// The order of claims.
pub(super) fn closest_first(a: &Pattern, b: &Pattern) -> std::cmp::Ordering {
    (b.is_exact(), b.weight(), a).cmp(&(a.is_exact(), a.weight(), b))
}
