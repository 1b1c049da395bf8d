//! What does New-ReceiveConnector refuse?
//!
//! Sources: New-ReceiveConnector and Set-ReceiveConnector, parameters and their constraints. Bounds of numbers stand in `compile`. Not modelled: the header
//! firewall, EHLO words.

use std::net::IpAddr;

use crate::base::Domain;
use crate::diag::{Diagnostic, Span, code};
use crate::model::exchange_server::ServerVersion;
use crate::model::receive_connector::Range;
use crate::scenario::compile::Desk;
use crate::scenario::schema::{AuthMechanism, DEFAULT_RECEIVE_CONNECTORS, PermissionGroup, ReceiveConnector};
use crate::scenario::source::Text;

/// Stands for clients that come without TLS.
const NO_TLS: &str = "NO-TLS";

/// Says everything that the cmdlet would refuse, and what is not modelled. A default connector has its binding and ranges already.
pub(in crate::scenario) fn check(name: &Text, connector: &ReceiveConnector, is_default: bool, version: ServerVersion, desk: &mut Desk) {
    super::name(name, "connector", desk);
    super::fqdn(&connector.fqdn, desk);
    if !is_default && connector.bindings.items().is_empty() {
        let message = format!("the connector `{name}` has no `bindings`");
        match default_meant(name) {
            Some(known) => {
                let help = format!(
                    "it is none of the connectors that this server is delivered with: a default one is written by its name and `server: \"…\"`; `{known}` belongs to {}",
                    whose(known)
                );
                refuse(desk, name.span(), &message, &help);
            }
            None => refuse(desk, name.span(), &message, "add bindings: [\"0.0.0.0:25\"]"),
        }
    }
    if !is_default && connector.remote_ip_ranges.items().is_empty() {
        let help = "add remote_ip_ranges: [\"192.0.2.10\"], the clients that it is for";
        refuse(desk, name.span(), &format!("the connector `{name}` has no `remote_ip_ranges`"), help);
    }
    if is_default {
        nobody_left(connector, desk);
    }
    for (at, text) in connector.bindings.items().iter().enumerate() {
        let earlier = &connector.bindings.items()[..at];
        if let Some(first) = earlier.iter().find(|earlier| binding(earlier).is_some() && binding(earlier) == binding(text)) {
            let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("the binding `{text}` stands twice"));
            desk.say(problem.also(first.span(), "the first time").help("leave one of them out"));
        }
    }
    if let Some(banner) = connector.banner.get().filter(|banner| !banner.is_empty() && !banner.starts_with("220")) {
        let help = "the banner is the whole answer to a client that connects: \"220 mail.contoso.com ready\"";
        refuse(desk, banner.span(), "a `banner` begins with 220", help);
    }
    for text in connector.bindings.items().iter().filter(|text| binding(text).is_none()) {
        let help = "a local address and a port: \"0.0.0.0:25\" is every address, \"192.0.2.1:587\" one";
        refuse(desk, text.span(), &format!("`{text}` is not a binding"), help);
    }
    for text in connector.remote_ip_ranges.items().iter().filter(|text| range(text).is_none()) {
        let help = "an address, a network or a range: \"192.0.2.10\", \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\"";
        refuse(desk, text.span(), &format!("`{text}` is not a range of addresses"), help);
    }
    if connector.anonymous_relay.or(false) && !is_default && !connector.permission_groups.is_written() {
        let help = "add permission_groups: [AnonymousUsers]: whom the right is given to";
        refuse(desk, connector.anonymous_relay.span(), "`anonymous_relay` on a connector without anonymous users", help);
    }
    mechanisms(connector, desk);
    capabilities(connector, version, desk);
    domain_security(connector, desk);
    if let Some(word) = connector.size_enabled.get().filter(|word| !["Enabled", "Disabled", "EnabledWithoutValue"].contains(&word.as_str()))
    {
        let help = "`Enabled`, `Disabled` or `EnabledWithoutValue`";
        desk.error(code::UNKNOWN_WORD, word.span(), format!("`{}` is not a value of `size_enabled`", word.as_str()), help);
    }
    if connector.binary_mime_enabled.or(false) && !connector.chunking_enabled.or(true) {
        let help = "BINARYMIME travels in chunks only: `chunking_enabled: true`";
        refuse(desk, connector.binary_mime_enabled.span(), "`binary_mime_enabled` without `chunking_enabled`", help);
    }
    let groups = connector.permission_groups.items();
    if groups.len() > 1 && groups.contains(&PermissionGroup::None) {
        refuse(desk, connector.permission_groups.span(), "the permission group `None` beside another one", "`None` stands alone");
    }
    if groups == [PermissionGroup::Partners] && !connector.domain_secure_enabled.or(false) {
        let message = "`Partners` lets nobody in here: partners are senders of secured domains, with a certificate of that domain";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.permission_groups.span(), message);
        desk.say(
            problem.help("add `domain_secure_enabled: true` and the domains in `tls_receive_domain_secure_list`, or `AnonymousUsers`"),
        );
    }
    let newer = [
        ("transport_role", connector.transport_role.span(), ServerVersion::Exchange2013),
        ("tls_certificate_name", connector.tls_certificate_name.span(), ServerVersion::Exchange2013),
        ("smtp_utf8_enabled", connector.smtp_utf8_enabled.span(), ServerVersion::Exchange2013),
    ];
    super::newer_than(version, &newer, desk);
    if connector.max_acknowledgement_delay.is_written() && version > ServerVersion::Exchange2010 {
        let help = "later versions make a shadow copy before they answer";
        refuse(desk, connector.max_acknowledgement_delay.span(), "`max_acknowledgement_delay` exists in Exchange 2010 only", help);
    }
}

/// A default connector from which everything was taken that makes it answer somebody.
fn nobody_left(connector: &ReceiveConnector, desk: &mut Desk) {
    for (field, list) in [("bindings", &connector.bindings), ("remote_ip_ranges", &connector.remote_ip_ranges)] {
        if list.is_written() && list.items().is_empty() {
            let help = "leave it out: a default connector has its own";
            refuse(desk, list.span(), &format!("`{field}` is empty: the connector would be for nobody"), help);
        }
    }
}

/// The default connector of some server that a name begins with: `Default Frontend EXCH01` as Exchange shows it.
fn default_meant(name: &str) -> Option<&'static str> {
    let front = |known: &&str| name.get(..known.len()).is_some_and(|front| front.eq_ignore_ascii_case(known));
    DEFAULT_RECEIVE_CONNECTORS
        .into_iter()
        .filter(front)
        .find(|known| name[known.len()..].is_empty() || name[known.len()..].starts_with(' '))
}

/// Which servers are delivered with it.
fn whose(default: &str) -> &'static str {
    match default {
        "Default internal receive connector" => "Edge servers",
        "Default" => "Mailbox servers",
        "Client" => "Exchange 2010",
        _ => "Mailbox servers since Exchange 2013",
    }
}

/// What may stand together in `AuthMechanism`, and with which permission groups.
fn mechanisms(connector: &ReceiveConnector, desk: &mut Desk) {
    let has = |mechanism| connector.auth_mechanism.items().contains(&mechanism);
    let span = connector.auth_mechanism.span();
    if has(AuthMechanism::None) && connector.auth_mechanism.items().len() > 1 {
        refuse(desk, span, "`None` beside another mechanism", "`None` stands alone");
    }
    if has(AuthMechanism::BasicAuthRequireTLS) && !(has(AuthMechanism::BasicAuth) && has(AuthMechanism::Tls)) {
        refuse(
            desk,
            span,
            "`BasicAuthRequireTLS` without `BasicAuth` and `Tls`",
            "write auth_mechanism: [Tls, BasicAuth, BasicAuthRequireTLS]",
        );
    }
    if has(AuthMechanism::ExternalAuthoritative) {
        let others = connector
            .auth_mechanism
            .items()
            .iter()
            .any(|other| !matches!(other, AuthMechanism::ExternalAuthoritative | AuthMechanism::Tls));
        if others {
            refuse(
                desk,
                span,
                "`ExternalAuthoritative` beside another mechanism than `Tls`",
                "write auth_mechanism: [Tls, ExternalAuthoritative]",
            );
        }
        if !connector.permission_groups.items().contains(&PermissionGroup::ExchangeServers) {
            let help = "add permission_groups: [ExchangeServers]; the clients then count as servers of the organization";
            refuse(desk, span, "`ExternalAuthoritative` without the permission group `ExchangeServers`", help);
        }
    }
    if connector.require_tls.or(false) && connector.auth_mechanism.is_written() && !has(AuthMechanism::Tls) {
        refuse(desk, connector.require_tls.span(), "`require_tls` without `Tls` among the mechanisms", "add `Tls` to `auth_mechanism`");
    }
    if connector.anonymous_relay.or(false)
        && connector.permission_groups.is_written()
        && !connector.permission_groups.items().contains(&PermissionGroup::AnonymousUsers)
    {
        let help = "add `AnonymousUsers` to `permission_groups`";
        refuse(desk, connector.anonymous_relay.span(), "`anonymous_relay` on a connector without anonymous users", help);
    }
}

/// Which certificates bring which trust.
fn capabilities(connector: &ReceiveConnector, version: ServerVersion, desk: &mut Desk) {
    for text in connector.tls_domain_capabilities.items() {
        match capability(text) {
            None => {
                let help = "a domain and what it may do: \"mail.protection.outlook.com:AcceptCloudServicesMail\"";
                refuse(desk, text.span(), &format!("`{text}` is not a capability of a domain"), help);
            }
            Some((_, words)) if version == ServerVersion::Exchange2010 && words.contains("AcceptCloudServicesMail") => {
                let help = "in Exchange 2010 the word is AcceptOorgProtocol";
                refuse(desk, text.span(), "`AcceptCloudServicesMail` exists since Exchange 2013", help);
            }
            Some((domain, _)) if !domain.eq_ignore_ascii_case(NO_TLS) && (domain.starts_with('*') || !super::is_smtp_domain(domain)) => {
                let help = "the name that the certificate proves, without a wildcard: \"mail.protection.outlook.com:AcceptCloudServicesMail\"; or NO-TLS";
                refuse(desk, text.span(), &format!("`{domain}` is not the domain of a certificate"), help);
            }
            Some((domain, _)) if domain.eq_ignore_ascii_case(NO_TLS) => {
                let message = format!("`{text}`: everybody without TLS at this connector counts as the organization's own");
                let help = "narrow `remote_ip_ranges` to the hosts that are meant, or let them show a certificate";
                desk.say(Diagnostic::warning(code::UNWISE_CONNECTOR, text.span(), message).help(help));
            }
            Some(_) => {}
        }
    }
}

/// Mutual TLS of domains.
fn domain_security(connector: &ReceiveConnector, desk: &mut Desk) {
    if !connector.domain_secure_enabled.or(false) {
        return;
    }
    let has = |mechanism| connector.auth_mechanism.items().contains(&mechanism);
    let span = connector.domain_secure_enabled.span();
    if connector.auth_mechanism.is_written() && !has(AuthMechanism::Tls) {
        refuse(desk, span, "`domain_secure_enabled` without `Tls` among the mechanisms", "add `Tls` to `auth_mechanism`");
    }
    if has(AuthMechanism::ExternalAuthoritative) {
        let help = "whoever counts as a server of the organization anyway proves nothing: leave one of the two out";
        refuse(desk, span, "`domain_secure_enabled` beside `ExternalAuthoritative`", help);
    }
}

/// `0.0.0.0:25`, `192.0.2.1:25`, `[::]:25`.
pub(in crate::scenario) fn binding(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.trim().rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    let address = match address.strip_prefix('[') {
        Some(inner) => IpAddr::V6(inner.strip_suffix(']')?.parse().ok()?),
        None => address.parse().ok()?,
    };
    Some((address, port))
}

/// An address, a network, or `from-to`.
pub(in crate::scenario) fn range(text: &str) -> Option<Range> {
    let text = text.trim();
    let range = match text.split_once('-') {
        Some((from, to)) => Range { from: from.trim().parse().ok()?, to: to.trim().parse().ok()? },
        None => match text.parse::<IpAddr>() {
            Ok(address) => Range { from: address, to: address },
            Err(_) => {
                let network: ipnet::IpNet = text.parse().ok()?;
                Range { from: network.network(), to: network.broadcast() }
            }
        },
    };
    (range.from.is_ipv4() == range.to.is_ipv4() && range.from <= range.to).then_some(range)
}

/// Domain and words of `domain:word,word`.
fn capability(text: &str) -> Option<(&str, &str)> {
    let (domain, words) = text.rsplit_once(':')?;
    let known = words.split(',').all(|word| matches!(word.trim(), "AcceptCloudServicesMail" | "AcceptOorgProtocol"));
    (known && !domain.trim().is_empty()).then(|| (domain.trim(), words))
}

/// The domain of a capability that lets a hybrid's other half in.
pub(in crate::scenario) fn cloud_name(text: &str) -> Option<Box<str>> {
    let (domain, _) = capability(text).filter(|(domain, _)| !domain.eq_ignore_ascii_case(NO_TLS))?;
    Domain::parse(domain).ok().map(|domain| domain.as_str().into())
}

/// Does a capability let in whoever comes without TLS?
pub(in crate::scenario) fn cloud_in_clear(text: &str) -> bool {
    capability(text).is_some_and(|(domain, _)| domain.eq_ignore_ascii_case(NO_TLS))
}

fn refuse(desk: &mut Desk, span: Span, message: &str, help: &str) {
    desk.say(Diagnostic::error(code::CMDLET_REFUSES, span, message).help(help));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bindings_and_ranges() {
        let one: IpAddr = std::net::Ipv4Addr::new(192, 0, 2, 1).into();
        assert_eq!(binding("0.0.0.0:25"), Some((std::net::Ipv4Addr::UNSPECIFIED.into(), 25)));
        assert_eq!(binding("[::]:587"), Some((std::net::Ipv6Addr::UNSPECIFIED.into(), 587)));
        assert_eq!(binding("192.0.2.1:2525"), Some((one, 2525)));
        assert_eq!(binding("192.0.2.1"), None);
        let ranges = [
            ("192.0.2.1", Some(0)),
            ("192.0.2.0/24", Some(255)),
            ("192.0.2.1-192.0.2.10", Some(9)),
            ("192.0.2.10-192.0.2.1", None),
            ("192.0.2.1-2001:db8::1", None),
            ("everybody", None),
        ];
        for (text, width) in ranges {
            assert_eq!(range(text).map(|range| range.width()), width, "{text}");
        }
        assert_eq!(cloud_name("mail.protection.outlook.com:AcceptCloudServicesMail").as_deref(), Some("mail.protection.outlook.com"));
    }
}
