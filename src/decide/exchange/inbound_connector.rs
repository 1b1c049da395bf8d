//! Which inbound connector of a tenant does a client match?
//!
//! Rules IN-1 to IN-7. Sources: New-InboundConnector; use-connectors-to-configure-mail-flow (precedence); manage-mail-flow-using-third-party-cloud
//! (restrictions); RFC 9525 §6.3 (the star of a certificate). A name on the certificate matches the connector's when they are equal or one is a wildcard
//! for the other: the connector's is a pattern for the domain and all below it, the certificate's stands for one label. Of two connectors that match in the
//! same way the first by name is taken: nothing is documented. Connectors with `TrustedOrganizations` are found in `attribution` (IN-8).

use super::super::visitor::Visitor;
use super::super::{Because, because};
use crate::model::inbound::{Inbound, InboundConnector};

const SOURCE: &str = "New-InboundConnector";
const ENABLED: &str = "New-InboundConnector Enabled";
const CERTIFICATE: &str = "New-InboundConnector TlsSenderCertificateName";
const ADDRESSES: &str = "New-InboundConnector SenderIPAddresses";

/// How a connector was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    Certificate,
    Address,
}

/// The OnPremises connector that knows the client, and why others do not; `recipient` is the domain of RCPT.
pub(super) fn on_premises(
    connectors: &[InboundConnector],
    visitor: &Visitor<'_>,
    recipient: &str,
) -> (Option<(usize, Found)>, Vec<Because>, Vec<Because>) {
    let (mut matching, mut lost) = (Vec::new(), Vec::new());
    for (at, connector) in connectors.iter().enumerate() {
        let name = &*connector.name;
        if !connector.on_premises {
            lost.push(because(
                "IN-1",
                name,
                "a Partner connector describes or restricts; it never makes mail the tenant's own",
                "New-InboundConnector ConnectorType",
            ));
        } else if !connector.enabled {
            lost.push(because("IN-7", name, "disabled", ENABLED));
        } else if !connector.trusted.is_empty() {
            let why = "it is for mail of organizations of Exchange Online that it trusts";
            lost.push(because("IN-8", name, why, "New-InboundConnector TrustedOrganizations"));
        } else if !is_for(connector, visitor, recipient) {
            let why = "neither sender nor recipient is in a domain that it is associated with";
            lost.push(because("IN-7", name, why, "New-InboundConnector AssociatedAcceptedDomains"));
        } else {
            match found(connector, visitor) {
                Ok((how, detail)) => matching.push((how, at, detail)),
                Err(why) => lost.push(because("IN-1", name, why, parameter(connector))),
            }
        }
    }
    let first = |how| matching.iter().find(|(found, ..)| *found == how);
    let winner = first(Found::Certificate).or_else(|| first(Found::Address)).cloned();
    let Some((how, winner, detail)) = winner else { return (None, Vec::new(), lost) };
    for (other, at, _) in matching.iter().filter(|(_, at, _)| *at != winner) {
        let why = if *other == how {
            "matches in the same way; the first by name is taken"
        } else {
            "matches by address only: certificates go first"
        };
        lost.push(because("IN-1", &*connectors[*at].name, why, parameter(&connectors[*at])));
    }
    let source = if how == Found::Certificate { CERTIFICATE } else { ADDRESSES };
    (Some((winner, how)), vec![because("IN-1", &*connectors[winner].name, detail, source)], lost)
}

/// The parameter by which a connector knows its clients.
fn parameter(connector: &InboundConnector) -> &'static str {
    match (&connector.certificate_name, connector.addresses.is_empty()) {
        (Some(_), true) => CERTIFICATE,
        (None, false) => ADDRESSES,
        (Some(_), false) | (None, true) => SOURCE,
    }
}

/// Does a connector know the client, by certificate or else by address?
fn found(connector: &InboundConnector, visitor: &Visitor<'_>) -> Result<(Found, String), String> {
    let by_certificate = certificate(connector, visitor);
    if let Some(Ok(detail)) = by_certificate {
        return Ok((Found::Certificate, detail));
    }
    match (address(connector, visitor), by_certificate) {
        (Some(Ok(detail)), _) => Ok((Found::Address, detail)),
        (Some(Err(address)), Some(Err(certificate))) => Err(format!("{certificate}; {address}")),
        (Some(Err(why)), _) | (None, Some(Err(why))) => Err(why),
        (None, _) => Err("it names neither a certificate nor addresses".to_owned()),
    }
}

/// By certificate; `None` if the connector names none.
pub(super) fn certificate(connector: &InboundConnector, visitor: &Visitor<'_>) -> Option<Result<String, String>> {
    let wanted = connector.certificate_name.as_deref()?;
    let Some(shown) = &visitor.certificate else {
        let why = if visitor.tls.is_some() { "the client showed no certificate" } else { "no TLS, so no certificate was shown" };
        return Some(Err(format!("asks for a certificate of `{wanted}`; {why}")));
    };
    if let Err(why) = shown.trust {
        return Some(Err(format!("asks for a certificate of `{wanted}`; the one shown does not count: {why}")));
    }
    Some(match shown.names.iter().find(|name| is_same_name(name, wanted, connector.star_covers_all)) {
        Some(name) => Ok(format!("the client's certificate is for `{name}`")),
        None => Err(format!("asks for a certificate of `{wanted}`; the one shown is for {}", listed(&shown.names))),
    })
}

/// By address; `None` if the connector lists none.
pub(super) fn address(connector: &InboundConnector, visitor: &Visitor<'_>) -> Option<Result<String, String>> {
    if connector.addresses.is_empty() {
        return None;
    }
    Some(match visitor.peer.address {
        Some(address) if connector.addresses.iter().any(|network| network.contains(&address)) => {
            Ok(format!("the client comes from {address}"))
        }
        Some(address) => Err(format!("{address} is not among its addresses")),
        None => Err("the client's address is not known".to_owned()),
    })
}

/// `*.contoso.com` of a connector is `contoso.com` and everything below it; of a certificate one label below, or with `star_covers_all` any number.
fn is_same_name(shown: &str, wanted: &str, star_covers_all: bool) -> bool {
    let in_front = |pattern: &str, name: &str| -> Option<usize> {
        let front = name.strip_suffix(pattern.strip_prefix("*.")?)?.strip_suffix('.')?;
        Some(front.split('.').count())
    };
    let by_connector = wanted.strip_prefix("*.").is_some_and(|parent| shown == parent) || in_front(wanted, shown).is_some();
    let by_certificate = in_front(shown, wanted).is_some_and(|labels| labels == 1 || star_covers_all);
    shown == wanted || by_connector || by_certificate
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no name".to_owned() } else { names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") }
}

/// Is the connector for mail of these domains?
fn is_for(connector: &InboundConnector, visitor: &Visitor<'_>, recipient: &str) -> bool {
    let has = |domain: &str| connector.associated.iter().any(|known| **known == *domain);
    connector.associated.is_empty() || visitor.sender_domain().is_some_and(has) || has(recipient)
}

/// How closely does `SenderDomains` name the sender? The null sender is covered by `*` alone.
pub(super) fn names_sender(connector: &InboundConnector, visitor: &Visitor<'_>) -> Option<usize> {
    let domain = visitor.sender_domain().map(str::to_ascii_lowercase);
    let closeness = |pattern: &str| match (pattern, &domain) {
        ("*", _) => Some(0),
        (pattern, Some(domain)) if pattern == domain => Some(usize::MAX),
        (pattern, Some(domain)) => {
            let parent = pattern.strip_prefix("*.")?;
            (domain == parent || domain.strip_suffix(parent).is_some_and(|front| front.ends_with('.'))).then_some(parent.len())
        }
        (_, None) => None,
    };
    connector.sender_domains.iter().filter_map(|pattern| closeness(pattern)).max()
}

/// What Partner connectors make of mail that no OnPremises connector claims.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Partner {
    /// This one is about the sender and lets it pass; `found`: by address or certificate.
    Passes { connector: usize, found: bool },
    /// TLS is asked for and not there.
    WantsTls(usize),
    /// The sender's domain is restricted to others.
    Restricted(usize),
    /// None is about the sender.
    Silent,
}

/// Asks the Partner connectors: those that restrict beat those that only name a domain.
pub(super) fn partner(inbound: &Inbound, visitor: &Visitor<'_>, recipient: &str) -> (Partner, Vec<Because>, Vec<Because>) {
    let connectors = &inbound.connectors;
    let keeps_to = |connector| keeps_to(connector, visitor, inbound.either_restriction);
    let mut lost = Vec::new();
    let (mut restricting, mut naming) = (Vec::new(), Vec::new());
    for (at, connector) in connectors.iter().enumerate().filter(|(_, connector)| !connector.on_premises) {
        let name = &*connector.name;
        if !connector.enabled {
            lost.push(because("IN-7", name, "disabled", ENABLED));
        } else if !connector.trusted.is_empty() {
            let trusted = connector.trusted.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            let whose = visitor.organization.map_or("of no organization of Exchange Online".to_owned(), |other| format!("of `{other}`"));
            let why = format!("trusts {trusted} alone, and this mail is {whose}");
            lost.push(because("IN-8", name, why, "New-InboundConnector TrustedOrganizations"));
        } else if !is_for(connector, visitor, recipient) {
            lost.push(because("IN-7", name, "not associated with this domain", "New-InboundConnector AssociatedAcceptedDomains"));
        } else if let Some(closeness) = names_sender(connector, visitor) {
            if connector.restricts() { restricting.push((at, closeness)) } else { naming.push((at, closeness)) }
        } else {
            lost.push(because("IN-7", name, "its sender domains do not name the sender", "New-InboundConnector SenderDomains"));
        }
    }
    // The first by name among the closest.
    let closest =
        |list: &[(usize, usize)]| list.iter().copied().max_by_key(|(at, closeness)| (*closeness, std::cmp::Reverse(*at))).map(|(at, _)| at);
    let passing: Vec<(usize, usize)> = restricting.iter().copied().filter(|(at, _)| keeps_to(&connectors[*at]).is_ok()).collect();
    let reason = |rule, at: usize, why: String| because(rule, &*connectors[at].name, why, restriction(&connectors[at]));
    let winner = closest(&passing).or_else(|| closest(&restricting)).or_else(|| closest(&naming));
    let Some(winner) = winner else { return (Partner::Silent, Vec::new(), lost) };
    for (at, _) in restricting.iter().chain(&naming).filter(|(at, _)| *at != winner) {
        let why = match keeps_to(&connectors[*at]) {
            Err(why) => why,
            Ok(_) if connectors[winner].restricts() && !connectors[*at].restricts() => {
                "only names the sender's domain: a connector that restricts goes first".to_owned()
            }
            Ok(_) => "names the sender less closely, or comes later by name".to_owned(),
        };
        lost.push(reason("IN-2", *at, why));
    }
    let connector = &connectors[winner];
    match keeps_to(connector) {
        Err(why) => {
            (Partner::Restricted(winner), vec![reason("IN-6", winner, format!("keeps the sender's domain to others: {why}"))], lost)
        }
        Ok(_) if connector.require_tls && visitor.tls.is_none() => {
            let why = "asks for TLS, and the session has none";
            (Partner::WantsTls(winner), vec![because("IN-5", &*connector.name, why, "New-InboundConnector RequireTls")], lost)
        }
        Ok(detail) => {
            // Without the restriction a Partner connector's addresses are without effect.
            let found = certificate(connector, visitor).is_some_and(|found| found.is_ok())
                || connector.restricts_to_addresses && address(connector, visitor).is_some_and(|found| found.is_ok());
            (Partner::Passes { connector: winner, found }, vec![reason("IN-2", winner, detail)], lost)
        }
    }
}

/// The parameter by which a Partner connector restricts, or only describes.
fn restriction(connector: &InboundConnector) -> &'static str {
    match (connector.restricts_to_certificate, connector.restricts_to_addresses) {
        (true, false) => "New-InboundConnector RestrictDomainsToCertificate",
        (false, true) => "New-InboundConnector RestrictDomainsToIPAddresses",
        (false, false) => "New-InboundConnector SenderDomains",
        (true, true) => SOURCE,
    }
}

/// Does the client come from where the connector restricts its domains to? With both restrictions it must satisfy each, unless `either` is enough.
fn keeps_to(connector: &InboundConnector, visitor: &Visitor<'_>, either: bool) -> Result<String, String> {
    if !connector.restricts() {
        return Ok(match certificate(connector, visitor) {
            Some(Ok(detail)) => format!("names the sender's domain, and {detail}; it restricts nothing"),
            Some(Err(why)) => format!("names the sender's domain, and restricts nothing; so the certificate does not matter to it: {why}"),
            None => "names the sender's domain, and restricts nothing".to_owned(),
        });
    }
    let certificate = if connector.restricts_to_certificate { certificate(connector, visitor) } else { None };
    let address = if connector.restricts_to_addresses { address(connector, visitor) } else { None };
    match (certificate, address) {
        (Some(Ok(one)), Some(Ok(other))) => Ok(format!("{one}; {other}")),
        (Some(Ok(detail)), None) | (None, Some(Ok(detail))) => Ok(detail),
        (Some(Ok(detail)), Some(Err(why))) | (Some(Err(why)), Some(Ok(detail))) => {
            if either {
                Ok(detail)
            } else {
                Err(format!("{detail}, but it restricts by both: {why}"))
            }
        }
        (Some(Err(one)), Some(Err(other))) => Err(format!("{one}; {other}")),
        (Some(Err(why)), None) | (None, Some(Err(why))) => Err(why),
        (None, None) => Err("it restricts to nobody".to_owned()),
    }
}
