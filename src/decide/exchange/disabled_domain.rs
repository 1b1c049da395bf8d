//! May people of a domain send, and may anybody send to them?
//!
//! Sources: Set-AcceptedDomain SendingFromDomainDisabled and SendingToDomainDisabled. With what words such mail is refused, and where, is said nowhere:
//! it comes back with the reply of the switch `domain_disabled_reply`. Mail of strangers who use the domain as theirs is no mail that is sent from it.

use super::super::acceptance::accepted_domain;
use super::super::{Decision, because};
use crate::model::dns::Names;
use crate::model::exchange::Tenant;
use crate::model::letter::{Letter, Origin};

/// Why a message to `domain` goes no further, if it does not.
#[must_use]
pub fn stops(tenant: &Tenant, names: &Names, letter: &Letter, domain: &str) -> Option<Decision<()>> {
    if let Some(row) = accepted_domain(tenant, names, domain).filter(|row| row.to_disabled) {
        let reason =
            because("DOM-1", names.text(row.name), "mail to recipients in it is blocked", "Set-AcceptedDomain SendingToDomainDisabled");
        return Some(Decision::for_reason((), reason));
    }
    if matches!(letter.origin, Origin::Outside | Origin::PassedOn) {
        return None;
    }
    let of = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    let senders = [of(&letter.author), of(&letter.sender)];
    let row = senders.iter().flatten().find_map(|domain| accepted_domain(tenant, names, domain).filter(|row| row.from_disabled))?;
    let reason =
        because("DOM-2", names.text(row.name), "nobody may send from addresses in it", "Set-AcceptedDomain SendingFromDomainDisabled");
    Some(Decision::for_reason((), reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::{AcceptedDomain, DomainType};

    #[test]
    fn who_is_stopped() {
        let mut names = Names::default();
        let mut row = |name: &str, from_disabled, to_disabled| AcceptedDomain {
            name: names.intern(name),
            kind: DomainType::Authoritative,
            match_sub_domains: false,
            from_disabled,
            to_disabled,
            address_book: None,
        };
        let rows = vec![row("legacy.test", true, false), row("moera.test", false, true), row("own.test", false, false)];
        let tenant = Tenant { accepted_domains: rows, ..Tenant::bare() };
        let letter =
            |sender: &str, author: &str, origin| Letter { sender: sender.into(), author: author.into(), origin, ..Letter::default() };
        let cases = [
            (letter("a@own.test", "a@own.test", Origin::Submitted), "x.test", None),
            (letter("a@own.test", "a@own.test", Origin::Submitted), "moera.test", Some("DOM-1")),
            (letter("a@x.test", "a@x.test", Origin::Outside), "moera.test", Some("DOM-1")),
            (letter("a@legacy.test", "a@legacy.test", Origin::Submitted), "x.test", Some("DOM-2")),
            (letter("a@own.test", "A@LEGACY.TEST", Origin::OnPremises), "x.test", Some("DOM-2")),
            (letter("a@legacy.test", "a@legacy.test", Origin::Outside), "own.test", None),
            (letter("a@own.test", "a@own.test", Origin::Submitted), "legacy.test", None),
        ];
        for (letter, domain, expected) in cases {
            let found = stops(&tenant, &names, &letter, domain).map(|decision| decision.chosen[0].rule);
            assert_eq!(found, expected, "{letter:?} to {domain}");
        }
    }
}
