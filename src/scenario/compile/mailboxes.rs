//! Whose mailboxes are here, and who is replaced by others? Patterns of an organization and of its machines, the most exact first.

use crate::base::{Domain, HostId, InOrder, Pattern};
use crate::diag::{Diagnostic, Span, code};
use crate::model::expansion::Expansion;
use crate::scenario::schema::{DirectoryRecipient, Recipient};
use crate::scenario::source::{Named, Text};

use super::desk::Desk;
use super::expansions;

/// Patterns with their places, while a system is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailboxes(Vec<Claimed>);

#[derive(Clone, Debug)]
struct Claimed {
    pattern: Pattern,
    place: Span,
    claim: Claim,
    /// `recipients` of an Exchange directory say how this mailbox is; a list of mailboxes, of a server or a database, may name it beside that.
    described: bool,
}

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
        texts.iter().for_each(|text| self.add_one(text, Claim::Mailbox, false, desk));
    }

    fn add_one(&mut self, text: &Text, claim: Claim, described: bool, desk: &mut Desk) {
        let domain = text.rsplit_once('@').map(|(_, domain)| domain);
        if text.as_str() != "*" && domain.is_none_or(|domain| domain.contains(char::is_whitespace)) {
            let example = if Domain::parse(text).is_ok() { text.as_str() } else { "contoso.com" };
            let help = format!("a mailbox is an address or a pattern of addresses: \"alice@{example}\", \"*@{example}\"");
            desk.error(code::VALUE, text.span(), format!("`{text}` is not a mailbox"), help);
            return;
        }
        let pattern = Pattern::of_names(text);
        if let Some(known) = self.0.iter_mut().find(|known| known.pattern == pattern) {
            if known.described != described && matches!(if described { &known.claim } else { &claim }, Claim::Mailbox) {
                known.claim = if described { claim } else { known.claim.clone() };
                known.described = false;
                return;
            }
            let problem = Diagnostic::error(code::CLAIMED_TWICE, text.span(), format!("`{text}` is claimed twice"));
            desk.say(problem.also(known.place, "the other claim").help("one of the two claims must go"));
            return;
        }
        self.0.push(Claimed { pattern, place: text.span(), claim, described });
    }

    /// `recipients` of a mail server.
    pub(super) fn add_recipients(&mut self, recipients: &Named<Recipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            match recipient {
                Recipient::Mailbox(_) => self.add_one(address, Claim::Mailbox, false, desk),
                Recipient::Forward(forward) => {
                    let expansion = expansions::forward(address, forward, recipient.place(), desk);
                    self.add_one(address, Claim::Replaced(Box::new(expansion)), false, desk);
                }
                Recipient::List(list) => {
                    let expansion = expansions::list(address, list, recipient.place(), desk);
                    self.add_one(address, Claim::Replaced(Box::new(expansion)), false, desk);
                }
            }
        }
    }

    /// `recipients` of an Exchange directory. What is no plain mailbox is only claimed here; `super::directory` reads it.
    pub(super) fn claim_directory(&mut self, recipients: &Named<DirectoryRecipient>, desk: &mut Desk) {
        for (address, recipient) in recipients.iter() {
            let (claim, described) = match recipient {
                DirectoryRecipient::Mailbox(mailbox) if mailbox.keeps_mail() => (Claim::Mailbox, true),
                DirectoryRecipient::Mailbox(_) => (Claim::Entry, true),
                DirectoryRecipient::MailUser(_) | DirectoryRecipient::Group(_) => (Claim::Entry, false),
            };
            self.add_one(address, claim, described, desk);
        }
    }

    /// Mailboxes, the most exact pattern first.
    pub(super) fn patterns(&self) -> Vec<Pattern> {
        let mailboxes = self.0.iter().filter(|known| matches!(known.claim, Claim::Mailbox));
        let mut patterns: Vec<Pattern> = mailboxes.map(|known| known.pattern.clone()).collect();
        patterns.in_order_by(closest_first);
        patterns
    }

    /// Who is replaced by others, the most exact pattern first.
    pub(super) fn expansions(&self) -> Vec<(Pattern, Expansion)> {
        let replaced = |known: &Claimed| match &known.claim {
            Claim::Replaced(expansion) => Some((known.pattern.clone(), (**expansion).clone())),
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
            self.0.iter().filter_map(|known| domain(&known.pattern)).filter(|d| !d.contains('*')).map(Into::into).collect();
        domains.in_order();
        domains.dedup();
        domains
    }
}

/// Where do mailboxes that `recipients` of an organization describe live: at the server whose list, or whose database, names them most exactly. What the
/// organization's own list names as exactly is on every server (`None`).
pub(super) fn homes(recipients: &Named<DirectoryRecipient>, lists: &[(Pattern, Option<HostId>)]) -> Vec<(Pattern, HostId)> {
    let mut homes = Vec::new();
    for (address, recipient) in recipients.iter() {
        let DirectoryRecipient::Mailbox(mailbox) = recipient else { continue };
        let pattern = Pattern::of_names(address);
        let covers = |list: &Pattern| *list == pattern || pattern.is_exact() && list.matches(pattern.as_str());
        let listed = lists.iter().filter(|(list, _)| mailbox.keeps_mail() && covers(list));
        let closest = listed.max_by_key(|(list, host)| (list.is_exact(), list.weight(), host.is_none()));
        homes.extend(closest.and_then(|(_, host)| Some((pattern.clone(), (*host)?))));
    }
    homes
}

/// The order of claims.
pub(super) fn closest_first(a: &Pattern, b: &Pattern) -> std::cmp::Ordering {
    (b.is_exact(), b.weight(), a).cmp(&(a.is_exact(), a.weight(), b))
}
