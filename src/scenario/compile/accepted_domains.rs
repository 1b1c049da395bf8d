//! Accepted domains of a tenant, with what is switched off for each.
//!
//! Source: New-AcceptedDomain, Set-AcceptedDomain. `OutboundOnly` marks a domain of the organization's own servers, and decides nothing by itself.

use crate::base::{Domain, InOrder, common_form};
use crate::diag::{Diagnostic, code};
use crate::model::exchange::{AcceptedDomain, DomainType};
use crate::model::routing_address::RoutingAddresses;
use crate::scenario::schema;
use crate::scenario::schema::ExchangeOnline;
use crate::scenario::source::{Field, Text};

use super::desk::Desk;
use super::exchange_online::microsoft_domains;
use super::tables::Tables;

/// What is written, and Microsoft's own names of the tenant.
pub(super) fn of_tenant(tenant: &ExchangeOnline, tables: &mut Tables, desk: &mut Desk) -> Vec<AcceptedDomain> {
    let mut domains: Vec<(Domain, DomainType)> = Vec::new();
    for (name, kind) in tenant.accepted_domains.iter() {
        if let Some(parent) = name.strip_prefix("*.") {
            let help = format!(
                "in Exchange Online a domain has no star: write \"{parent}\": InternalRelay, and match_sub_domains: [\"{parent}\"]"
            );
            desk.error(code::VALUE, name.span(), format!("`{name}` is not a domain name"), help);
        } else if let Some(domain) = desk.domain(name) {
            domains.push((domain, domain_type(*kind)));
        }
    }
    for name in microsoft_domains(tenant) {
        match Domain::parse(&name) {
            Ok(domain) if !domains.iter().any(|(known, _)| *known == domain) => domains.push((domain, DomainType::Authoritative)),
            _ => {}
        }
    }
    let below: Vec<Domain> = tenant.match_sub_domains.items().iter().filter_map(|name| desk.domain(name)).collect();
    for (name, domain) in tenant.match_sub_domains.items().iter().zip(&below) {
        match domains.iter().find(|(known, _)| known == domain) {
            None => {
                let problem =
                    Diagnostic::error(code::UNKNOWN_NAME, name.span(), format!("`{name}` is not an accepted domain of this tenant"));
                let known = tenant.accepted_domains.keys().map(Text::as_str);
                desk.unknown(problem, name, known, "write it among the `accepted_domains`, with the type `InternalRelay`");
            }
            Some((_, DomainType::InternalRelay)) => {}
            Some(_) => {
                let help = "Exchange Online accepts names below a domain only if its type is `InternalRelay`";
                desk.error(code::CMDLET_REFUSES, name.span(), format!("`{name}` is not an `InternalRelay` domain"), help);
            }
        }
    }
    domains.in_order_by(|a, b| a.0.cmp(&b.0));
    let from = names(&tenant.sending_from_domain_disabled, &domains, desk);
    let to = names(&tenant.sending_to_domain_disabled, &domains, desk);
    names(&tenant.outbound_only, &domains, desk);
    let row = |(domain, kind): (Domain, DomainType)| AcceptedDomain {
        from_disabled: from.contains(&domain),
        to_disabled: to.contains(&domain),
        address_book: None,
        name: tables.names.intern(domain.as_str()),
        kind,
        match_sub_domains: below.contains(&domain),
    };
    domains.into_iter().map(row).collect()
}

/// The domains at which mailboxes have further addresses, and those of the addresses themselves.
pub(super) fn routing_addresses(tenant: &ExchangeOnline) -> RoutingAddresses {
    let of_microsoft: Vec<Box<str>> = microsoft_domains(tenant).into_iter().map(Into::into).collect();
    let mut own: Vec<Box<str>> = tenant.accepted_domains.keys().map(|domain| common_form(domain).into()).collect();
    own.retain(|domain| !of_microsoft.contains(domain));
    own.in_order();
    RoutingAddresses { of_microsoft, own }
}

/// Accepted domains of a tenant by their names, those of Microsoft among them.
fn names(field: &Field<Vec<Text>>, domains: &[(Domain, DomainType)], desk: &mut Desk) -> Vec<Domain> {
    let mut found = Vec::new();
    for name in field.items() {
        let Some(domain) = desk.domain(name) else { continue };
        if !domains.iter().any(|(known, _)| *known == domain) {
            let problem = Diagnostic::error(code::UNKNOWN_NAME, name.span(), format!("`{name}` is not an accepted domain of this tenant"));
            desk.unknown(problem, name, domains.iter().map(|(known, _)| known.as_str()), "write it among the `accepted_domains`");
        }
        found.push(domain);
    }
    found
}

pub(super) fn domain_type(kind: schema::DomainType) -> DomainType {
    match kind {
        schema::DomainType::Authoritative => DomainType::Authoritative,
        schema::DomainType::InternalRelay => DomainType::InternalRelay,
        schema::DomainType::ExternalRelay => DomainType::ExternalRelay,
    }
}
