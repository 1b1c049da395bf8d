//! Whose is a recipient at a mail server: a mailbox, somebody who is replaced, or a sender on the way back?
//!
//! The most exact claim counts. Sources: RFC 5321 §3.9; local(8) and aliases(5) of Postfix; `decide::srs`.

use super::srs;
use crate::base::Pattern;
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::settings::MtaDirectory;
use crate::model::traffic::AddressTemplate;

/// What a recipient is here.
#[derive(Debug)]
pub enum Claim<'a> {
    /// A mailbox.
    Mailbox(&'a Pattern),
    /// Others stand in its place.
    Replaced(&'a Expansion),
    /// A sender that this server rewrote: where its report goes on.
    Returned(Box<Expansion>),
}

/// Who claims `address` (in `domain`)?
#[must_use]
pub fn claim<'a>(directory: &'a MtaDirectory, address: &str, domain: &str) -> Option<Claim<'a>> {
    let mailbox = directory.mailboxes.iter().find(|pattern| pattern.matches(address));
    if directory.expansions.is_empty() {
        return mailbox.map(Claim::Mailbox);
    }
    if let Some(sender) = returned(directory, address, domain) {
        return Some(Claim::Returned(Box::new(sender)));
    }
    let replaced = directory.expansions.iter().find(|(pattern, _)| pattern.matches(address));
    let closeness = |pattern: &Pattern| (pattern.is_exact(), pattern.weight());
    match (mailbox, replaced) {
        (Some(mailbox), Some((pattern, _))) if closeness(mailbox) > closeness(pattern) => Some(Claim::Mailbox(mailbox)),
        (_, Some((_, expansion))) => Some(Claim::Replaced(expansion)),
        (Some(mailbox), None) => Some(Claim::Mailbox(mailbox)),
        (None, None) => None,
    }
}

/// The way back of an address that this server made of a sender.
fn returned(directory: &MtaDirectory, address: &str, domain: &str) -> Option<Expansion> {
    let (local, _) = address.rsplit_once('@').filter(|(local, _)| local.starts_with("SRS") || local.starts_with("srs"))?;
    let own = |expansion: &Expansion| match &expansion.sender {
        SenderAfter::Rewritten(Some(own)) => **own == *domain,
        SenderAfter::Rewritten(None) => directory.mailbox_domains.iter().any(|own| **own == *domain),
        SenderAfter::Kept | SenderAfter::Replaced(_) | SenderAfter::InTheNameOf => false,
    };
    if !directory.expansions.iter().any(|(_, expansion)| own(expansion)) {
        return None;
    }
    let sender = srs::restore(local, domain)?;
    Some(Expansion::of(address, vec![AddressTemplate::of(&sender)], ExpansionKind::Alias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Address;

    #[test]
    fn claims() {
        let to = AddressTemplate { local: "a".into(), domain: "d.test".into() };
        let forward = |name: &str, sender| Expansion { sender, ..Expansion::of(name, vec![to.clone()], ExpansionKind::Alias) };
        let directory = MtaDirectory {
            mailboxes: vec![Pattern::new("bob@f.test"), Pattern::new("*@f.test")],
            expansions: vec![
                (Pattern::new("al@f.test"), forward("al@f.test", SenderAfter::Rewritten(None))),
                (Pattern::new("b*@f.test"), forward("b*@f.test", SenderAfter::Kept)),
            ],
            mailbox_domains: vec!["f.test".into()],
            ..MtaDirectory::default()
        };
        let own = srs::rewrite(&Address::parse("x@s.test").unwrap(), "f.test", 3).to_string();
        let cases = [
            ("al@f.test", "al@f.test > a@d.test"),
            ("bob@f.test", "mailbox bob@f.test"),
            ("bea@f.test", "b*@f.test > a@d.test"),
            ("carl@f.test", "mailbox *@f.test"),
            (&own, "back > x@s.test"),
            ("SRS0=AAAA=AA=s.test=x@f.test", "mailbox *@f.test"),
            ("al@g.test", "nobody"),
        ];
        for (address, expected) in cases {
            let to = |expansion: &Expansion| expansion.to[0].expand(1).to_string();
            let found = match claim(&directory, address, address.rsplit_once('@').unwrap().1) {
                Some(Claim::Mailbox(pattern)) => format!("mailbox {pattern}"),
                Some(Claim::Replaced(expansion)) => format!("{} > {}", expansion.name, to(expansion)),
                Some(Claim::Returned(expansion)) => format!("back > {}", to(&expansion)),
                None => "nobody".to_owned(),
            };
            assert_eq!(found, expected, "{address}");
        }
    }
}
