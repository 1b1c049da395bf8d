//! Do the rules of a mailbox pass a message on?
//!
//! Redirected copies keep their sender, forwarded ones are new messages of the mailbox; one copy stays unless a rule deletes it. What a rule passed on is
//! marked (`X-MS-Exchange-Inbox-Rules-Loop`): in the cloud no second mailbox passes it on by itself, in Exchange Server no fourth. The rules of that
//! mailbox are skipped then, without a word to anybody. Sources: New-InboxRule; the table of loop guards in Microsoft's articles on 5.4.6 to 5.4.20;
//! Set-RemoteDomain `AutoForwardEnabled`. Decision of ours: all redirecting comes before all forwarding.

use super::super::{Because, Decision, because};
use super::recipient::{Lookup, Owner, allowed_forwards};
use crate::base::Address;
use crate::model::expansion::{Apart, Expansion, ExpansionKind, SenderAfter};
use crate::model::inbox::{InboxRule, InboxStep, InboxWork};
use crate::model::letter::Letter;
use crate::model::traffic::AddressTemplate;

const SOURCE: &str = "New-InboxRule";

/// Where a message for the mailbox `address` goes, by its rules.
#[must_use]
pub(super) fn look_up(owner: &Owner<'_>, letter: &Letter, rules: &[InboxRule], address: &str) -> Decision<Lookup> {
    let own = letter.inbox.iter().find(|step| step.mailbox.eq_ignore_ascii_case(address)).map(|step| step.done);
    let by_rules = letter.inbox.iter().filter(|step| step.done != InboxWork::Kept);
    let others = by_rules.filter(|step| !step.mailbox.eq_ignore_ascii_case(address)).count();
    if others >= usize::from(owner.inbox_rules_max) {
        let why =
            "rules of mailboxes passed it on as often as is allowed (X-MS-Exchange-Inbox-Rules-Loop): the rules of this one are skipped";
        return Decision::for_reason(Lookup::Mailbox, because("INBOX", address, why, SOURCE));
    }
    let (acting, passed_over) = acting(rules, letter);
    let targets = |of: fn(&InboxRule) -> &[AddressTemplate]| -> Vec<AddressTemplate> {
        let mut all: Vec<AddressTemplate> = Vec::new();
        for target in acting.iter().flat_map(|rule| of(rule)) {
            if !all.contains(target) {
                all.push(target.clone());
            }
        }
        all
    };
    let redirect = if own.is_none() { targets(|rule| &rule.redirect_to) } else { Vec::new() };
    let forward = if own == Some(InboxWork::All) { Vec::new() } else { targets(|rule| &rule.forward_to) };
    let stays = !acting.iter().any(|rule| rule.deletes);
    let place = |rule: &InboxRule| rules.iter().position(|one| one.name == rule.name).unwrap_or_default();
    let tell = |rule: &InboxRule| because("INBOX", &*rule.name, does(rule, own), SOURCE).in_turn(place(rule));
    let mut chosen: Vec<Because> = acting.iter().map(|rule| tell(rule)).collect();
    let plan = match (redirect.is_empty(), forward.is_empty()) {
        (false, no_more) => Some((redirect, InboxWork::Redirected, stays || !no_more, SenderAfter::Kept)),
        (true, false) => {
            let sender = Address::parse(address).map_or(SenderAfter::Kept, |own| SenderAfter::Replaced(AddressTemplate::of(&own)));
            Some((forward, InboxWork::All, stays, sender))
        }
        (true, true) => None,
    };
    let Some((to, done, keeps, sender)) = plan else {
        let outcome = if stays { Lookup::Mailbox } else { Lookup::Dropped };
        if chosen.is_empty() {
            chosen.push(because("INBOX", address, "no rule of the mailbox acts on it", SOURCE));
        }
        return Decision { outcome, chosen, passed_over };
    };
    let (mut to, mut passed_over) = allowed_forwards(owner, to, passed_over);
    if keeps {
        to.extend(Address::parse(address).map(|own| AddressTemplate::of(&own)));
    }
    if to.is_empty() {
        let chosen = std::mem::take(&mut passed_over);
        return Decision { outcome: Lookup::Dropped, chosen, passed_over };
    }
    let own = keeps.then(|| to.len() - 1);
    let mut replaced: Expansion = Expansion::of(address, to, ExpansionKind::Alias);
    if matches!(sender, SenderAfter::Replaced(_)) {
        // A new message, by the mailbox; its own copy stays what it was.
        replaced.stamps.author = Some(address.into());
        replaced.apart.extend(own.map(|own| (own, Apart::KeepsSender)));
    }
    replaced.sender = sender;
    replaced.stamps.forwarded_by = Some(owner.system);
    replaced.stamps.keeps_organization_headers = true;
    replaced.stamps.auto_forwards = true;
    replaced.stamps.inbox = Some(InboxStep { mailbox: address.to_lowercase().into(), done });
    Decision { outcome: Lookup::Replaced(Box::new(replaced)), chosen, passed_over }
}

/// What a rule does, in words; `own` is what the rules of the mailbox have done before.
fn does(rule: &InboxRule, own: Option<InboxWork>) -> String {
    let people = |to: &[AddressTemplate]| to.iter().map(|one| format!("{}@{}", one.local, one.domain)).collect::<Vec<_>>().join(", ");
    let mut done = Vec::new();
    if !rule.redirect_to.is_empty() {
        done.push(match own {
            None => format!("redirects it to {}, as the sender's message", people(&rule.redirect_to)),
            Some(_) => "has redirected it".to_owned(),
        });
    }
    if !rule.forward_to.is_empty() {
        done.push(match own {
            Some(InboxWork::All) => "has forwarded it".to_owned(),
            _ => format!("forwards it to {}, as the mailbox's own message", people(&rule.forward_to)),
        });
    }
    if rule.deletes {
        done.push("keeps none of it".to_owned());
    }
    if rule.stops {
        done.push("no rule behind it is asked".to_owned());
    }
    if done.is_empty() { "does nothing with it".to_owned() } else { done.join(", ") }
}

/// The rules that act on a message, and why the others do not.
fn acting<'a>(rules: &'a [InboxRule], letter: &Letter) -> (Vec<&'a InboxRule>, Vec<Because>) {
    let (mut acting, mut passed_over): (Vec<&InboxRule>, Vec<Because>) = (Vec::new(), Vec::new());
    for (turn, rule) in rules.iter().enumerate() {
        let stopped = acting.iter().find(|before| before.stops);
        let holds = |texts: &Option<crate::model::mail_flow_rule::Texts>, with_body: bool| {
            let body = if with_body { &*letter.text } else { "" };
            texts.as_ref().is_none_or(|texts| letter.values("subject").chain([body]).any(|text| texts.are_in(text)))
        };
        let why = if let Some(before) = stopped {
            Some(format!("`{}` stops the rules behind it", before.name))
        } else if !rule.enabled {
            Some("disabled".to_owned())
        } else if !rule.from.is_empty() && !rule.from.iter().any(|from| from.eq_ignore_ascii_case(&letter.author)) {
            Some("the message is from somebody else".to_owned())
        } else if !holds(&rule.subject, false) || !holds(&rule.content, true) {
            Some("its words do not occur".to_owned())
        } else {
            None
        };
        match why {
            Some(why) => passed_over.push(because("INBOX", &*rule.name, why, SOURCE).in_turn(turn)),
            None => acting.push(rule),
        }
    }
    (acting, passed_over)
}
