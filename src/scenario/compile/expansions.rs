//! `Forward` and `List`: recipients that others stand for.
//!
//! Sources: RFC 5321 §3.9.1 (aliases keep the sender), §3.9.2 (lists have an owner who hears what fails). A list without `owner` keeps the sender,
//! as Postfix and Sendmail do without an alias `owner-LIST`.

use crate::base::Address;
use crate::diag::{Span, code};
use crate::model::authentication::Change;
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::traffic::AddressTemplate;
use crate::scenario::schema::{Forward, MailingList};
use crate::scenario::source::{Field, Text};

use super::desk::Desk;

/// More members than this are no recipient of one message.
const MEMBERS_MAX: usize = 50_000;

/// `Forward(to, srs)`
pub(super) fn forward(name: &Text, forward: &Forward, place: Span, desk: &mut Desk) -> Expansion {
    let sender = if forward.srs.or(false) { SenderAfter::Rewritten(None) } else { SenderAfter::Kept };
    Expansion { sender, ..Expansion::of(name.as_str(), addresses(&forward.to, "to", place, desk), ExpansionKind::Alias) }
}

/// `List(members, owner, footer)`
pub(super) fn list(name: &Text, list: &MailingList, place: Span, desk: &mut Desk) -> Expansion {
    let owner = list.owner.get().and_then(|text| address(text, desk));
    Expansion {
        sender: owner.map_or(SenderAfter::Kept, SenderAfter::Replaced),
        changes: if list.footer.or(false) { vec![Change::Footer] } else { Vec::new() },
        once: false,
        ..Expansion::of(name.as_str(), addresses(&list.members, "members", place, desk), ExpansionKind::List)
    }
}

/// Those who get a copy; somebody named twice is meant once.
pub(super) fn addresses(field: &Field<Vec<Text>>, what: &str, place: Span, desk: &mut Desk) -> Vec<AddressTemplate> {
    if field.items().is_empty() {
        desk.missing(place, &format!("`{what}` names nobody"), &format!("write who gets a copy: {what}: [\"alice@contoso.com\"]"));
    }
    if field.items().len() > MEMBERS_MAX {
        let message = format!("{} addresses are too many", field.items().len());
        desk.error(code::RANGE, field.span(), message, format!("at most {MEMBERS_MAX} stand here"));
        return Vec::new();
    }
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    for text in field.items() {
        let Some(template) = address(text, desk) else { continue };
        if seen.insert((template.local.clone(), template.domain.clone())) {
            found.push(template);
        }
    }
    found
}

pub(super) fn address(text: &Text, desk: &mut Desk) -> Option<AddressTemplate> {
    let Address { local, domain } = desk.address(text)?;
    if local.contains('*') {
        let message = format!("`{text}` is a pattern, and mail goes to addresses");
        desk.error(code::VALUE, text.span(), message, "write one recipient for each address that mail goes on to");
        return None;
    }
    Some(AddressTemplate { local, domain })
}
