//! Has each domain one tenant of Exchange Online?
//!
//! A domain is verified in one tenant only; that holds for the two that Microsoft gives to each (`NAME.onmicrosoft.com`, `NAME.mail.onmicrosoft.com`) as well.
//! Source: New-AcceptedDomain; Microsoft, "Domains FAQ".

use crate::base::common_form;
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::schema::ExchangeOnline;
use crate::scenario::source::Text;

use super::desk::Desk;
use super::exchange_online::{microsoft_domains, tenant_name};

const NAMING: &str = "`tenant` gives a tenant its name; unless written it is the first label of its first accepted domain";

/// Says which domains two tenants have.
pub(super) fn check(tenants: &[(&Text, &ExchangeOnline)], desk: &mut Desk) {
    accepted_once(tenants, desk);
    named_once(tenants, desk);
}

/// Where a tenant got its name.
fn naming_place(name: &Text, tenant: &ExchangeOnline) -> Span {
    match tenant.tenant.get() {
        Some(text) => text.span(),
        None => tenant.accepted_domains.keys().next().unwrap_or(name).span(),
    }
}

/// A tenant's name is its own: by it the two domains that it has of Microsoft are called.
fn named_once(tenants: &[(&Text, &ExchangeOnline)], desk: &mut Desk) {
    for (at, (name, tenant)) in tenants.iter().enumerate() {
        let Some(own) = tenant_name(tenant) else { continue };
        if let Some((other, first)) = tenants[..at].iter().find(|(_, known)| tenant_name(known).as_ref() == Some(&own)) {
            let message = format!("`{own}.onmicrosoft.com` is a domain of `{other}` already, and here of `{name}`");
            let problem = Diagnostic::error(code::CLAIMED_TWICE, naming_place(name, tenant), message)
                .also(naming_place(other, first), "the other tenant");
            desk.say(problem.help(NAMING));
        }
    }
}

/// A domain is accepted by one tenant only.
fn accepted_once(tenants: &[(&Text, &ExchangeOnline)], desk: &mut Desk) {
    let mut seen: Vec<(&Text, &Text)> = Vec::new();
    for (name, tenant) in tenants {
        for domain in tenant.accepted_domains.keys() {
            if let Some((other, there)) = seen.iter().find(|(_, known)| common_form(known) == common_form(domain)) {
                let is_same = other.as_str() == name.as_str();
                let (message, label, help) = if is_same {
                    (
                        format!("`{domain}` is an accepted domain of `{name}` twice"),
                        "the same domain",
                        "capitals do not make another domain: leave one of them out",
                    )
                } else {
                    let message = format!("`{domain}` is an accepted domain of `{other}` already, and here of `{name}`");
                    (message, "the other tenant", "a domain belongs to one tenant of Exchange Online")
                };
                desk.say(Diagnostic::error(code::CLAIMED_TWICE, domain.span(), message).also(there.span(), label).help(help));
            }
            let mut others = tenants.iter().filter(|(other, _)| other.as_str() != name.as_str());
            if let Some((other, owner)) = others.find(|(_, other)| microsoft_domains(other).contains(&common_form(domain))) {
                let message = format!("`{domain}` is a domain that Microsoft gave to `{other}`, and here of `{name}`");
                let problem =
                    Diagnostic::error(code::CLAIMED_TWICE, domain.span(), message).also(naming_place(other, owner), "the other tenant");
                desk.say(problem.help(NAMING));
            }
            seen.push((name, domain));
        }
    }
}
