//! What does New-InboundConnector refuse, and what does it take without any effect?
//!
//! Sources: New-InboundConnector and Set-InboundConnector, parameters and their constraints; the message-center post on attribution of 2026 (certificates
//! of foreign domains). A connector without `sender_domains` of the type OnPremises is read as one for `*`, as the form of the admin center writes it.
//! Ignored, since nobody says what they do: `ef_test_mode`, `ef_skip_mail_gateway`, `scan_and_drop_recipients`, `client_host_names`.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use crate::base::{Address, common_form};
use crate::diag::{Diagnostic, Span, code};
use crate::scenario::compile::Desk;
use crate::scenario::schema::{ConnectorType, ExchangeOnline, InboundConnector, OutboundConnector};
use crate::scenario::source::Text;

/// Says everything that the cmdlet would refuse, and what will do nothing.
pub(in crate::scenario) fn check(name: &Text, connector: &InboundConnector, tenant: &ExchangeOnline, desk: &mut Desk) {
    super::name(name, "connector", desk);
    senders(name, connector, desk);
    for address in connector.sender_ip_addresses.items() {
        match sender_address(address) {
            Err(help) => refuse(desk, address.span(), &format!("`{address}` is not a sender address of a connector"), help),
            Ok(network) if is_private(network.addr()) => {
                let message =
                    format!("`{address}` is private: the service sees the public address that the client leaves from, never this one");
                let help = "write the public address, and give the client that one (`egress` of a device)";
                desk.say(Diagnostic::warning(code::UNWISE_CONNECTOR, address.span(), message).help(help));
            }
            Ok(network) if is_nobodys(network.addr()) => {
                let message = format!("`{address}` is an address that no client comes from");
                let help = "write the public address that the client leaves from";
                desk.say(Diagnostic::warning(code::UNWISE_CONNECTOR, address.span(), message).help(help));
            }
            Ok(_) => {}
        }
    }
    certificate(connector, desk);
    restrictions(connector, desk);
    internal(connector, desk);
    for domain in connector.associated_accepted_domains.items() {
        if !tenant.accepted_domains.keys().any(|known| common_form(known) == common_form(domain)) {
            let problem =
                Diagnostic::error(code::UNKNOWN_NAME, domain.span(), format!("`{domain}` is not an accepted domain of this tenant"));
            let known = tenant.accepted_domains.keys().map(Text::as_str);
            desk.unknown(problem, domain, known, "`associated_accepted_domains` names accepted domains of the tenant");
        }
    }
    filtering(connector, desk);
    trusted(connector, desk);
    if connector.enabled.or(true) {
        advice(name, connector, tenant, desk);
    }
}

fn is_on_premises(connector: &InboundConnector) -> bool {
    connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises
}

fn senders(name: &Text, connector: &InboundConnector, desk: &mut Desk) {
    if connector.sender_domains.items().is_empty() && !is_on_premises(connector) {
        let span = if connector.sender_domains.is_written() { connector.sender_domains.span() } else { name.span() };
        refuse(
            desk,
            span,
            "a Partner connector without `sender_domains`",
            "add sender_domains: [\"contoso.com\"], or [\"*\"] for everybody",
        );
    }
    if is_on_premises(connector) && connector.sender_domains.items().iter().any(|domain| domain.as_str() != "*") {
        let message = "`sender_domains` narrows nothing on a connector of the type `OnPremises`: whom it knows, it knows under every name";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.sender_domains.span(), message);
        desk.say(problem.help("leave it out, or write [\"*\"]; the scope of a `Partner` connector is what it is for"));
    }
    for domain in connector.sender_domains.items() {
        if domain.as_str() != "*" && !super::is_smtp_domain(domain) {
            let help = "a domain stands here: \"contoso.com\", \"*.contoso.com\" (and below), or \"*\"";
            refuse(desk, domain.span(), &format!("`{domain}` is not a sender domain"), help);
        }
    }
}

/// An IPv4 address, or a block of `/24` to `/32`.
pub(in crate::scenario) fn sender_address(text: &str) -> Result<IpNet, &'static str> {
    let text = text.trim();
    if text.contains('-') {
        return Err("no ranges with a dash: an IPv4 address, or a block from /24 to /32");
    }
    match (text.parse::<IpAddr>(), text.parse::<IpNet>()) {
        (Ok(IpAddr::V6(_)), _) | (_, Ok(IpNet::V6(_))) => Err("IPv4 only: the service looks at no IPv6 address here"),
        (Ok(address), _) => Ok(address.into()),
        (_, Ok(network)) if (24..=32).contains(&network.prefix_len()) => Ok(network),
        (_, Ok(_)) => Err("blocks from /24 to /32"),
        _ => Err("an IPv4 address such as \"192.0.2.10\", or a block from /24 to /32"),
    }
}

fn certificate(connector: &InboundConnector, desk: &mut Desk) {
    let Some(name) = connector.tls_sender_certificate_name.get().filter(|name| !name.is_empty()) else { return };
    if !super::is_smtp_domain(name) {
        let help = "a domain as the certificate carries it: \"mail.contoso.com\" or \"*.contoso.com\"";
        refuse(desk, name.span(), &format!("`{name}` is not a name that a certificate can carry"), help);
    }
    if !is_on_premises(connector) && !connector.require_tls.or(true) {
        let help = "a Partner connector compares certificates only with `require_tls: true`";
        refuse(desk, name.span(), "`tls_sender_certificate_name` with `require_tls: false`", help);
    }
}

fn restrictions(connector: &InboundConnector, desk: &mut Desk) {
    let fields = [
        (
            "restrict_domains_to_ip_addresses",
            &connector.restrict_domains_to_ip_addresses,
            connector.sender_ip_addresses.items().is_empty(),
            "sender_ip_addresses",
        ),
        (
            "restrict_domains_to_certificate",
            &connector.restrict_domains_to_certificate,
            connector.tls_sender_certificate_name.as_str().is_none_or(str::is_empty),
            "tls_sender_certificate_name",
        ),
    ];
    for (field, value, is_missing, needed) in fields.into_iter().filter(|(_, value, ..)| value.or(false)) {
        if is_on_premises(connector) {
            let problem = Diagnostic::warning(
                code::NO_EFFECT,
                value.span(),
                format!("`{field}` keeps nobody out on a connector of the type `OnPremises`"),
            );
            desk.say(problem.help("to lock others out, write a second connector of the type `Partner` for the sender domains `*`"));
        } else if is_missing {
            refuse(
                desk,
                value.span(),
                &format!("`{field}` without `{needed}`"),
                &format!("add `{needed}`: to whom the domains are restricted"),
            );
        }
    }
}

/// A connector for other organizations of the service looks at nothing else.
fn trusted(connector: &InboundConnector, desk: &mut Desk) {
    if connector.trusted_organizations.items().is_empty() {
        return;
    }
    let others = [
        ("sender_ip_addresses", connector.sender_ip_addresses.span(), !connector.sender_ip_addresses.items().is_empty()),
        ("tls_sender_certificate_name", connector.tls_sender_certificate_name.span(), connector.tls_sender_certificate_name.is_written()),
    ];
    for (field, span, _) in others.into_iter().filter(|(_, _, written)| *written) {
        let message = format!("`{field}` is not looked at beside `trusted_organizations`");
        desk.say(Diagnostic::warning(code::NO_EFFECT, span, message).help("write a connector of its own for it"));
    }
}

fn internal(connector: &InboundConnector, desk: &mut Desk) {
    if !connector.treat_messages_as_internal.or(false) {
        return;
    }
    let span = connector.treat_messages_as_internal.span();
    if !is_on_premises(connector) {
        refuse(
            desk,
            span,
            "`treat_messages_as_internal` belongs to connectors of the type `OnPremises`",
            "add `connector_type: OnPremises`",
        );
    } else if connector.cloud_services_mail_enabled.or(false) {
        let help = "leave one of the two out: `cloud_services_mail_enabled` makes mail internal by its headers";
        refuse(desk, span, "`treat_messages_as_internal` with `cloud_services_mail_enabled`", help);
    }
}

fn filtering(connector: &InboundConnector, desk: &mut Desk) {
    for text in connector.ef_skip_ips.items() {
        match skip(text) {
            Err(help) => refuse(desk, text.span(), &format!("`{text}` is not an address to be skipped"), help),
            Ok((from, _)) if is_private(from) => {
                let message = format!("`{text}` is private, and private addresses are skipped anyway");
                desk.say(Diagnostic::warning(code::NO_EFFECT, text.span(), message).help("list the public addresses of the hops"));
            }
            Ok(_) => {}
        }
    }
    for user in connector.ef_users.items().iter().filter(|user| Address::parse(user).is_none()) {
        refuse(desk, user.span(), &format!("`{user}` is not a mail address"), "its users are recipients: \"alice@contoso.com\"");
    }
    if !connector.ef_users.items().is_empty() && !connector.ef_skip_last_ip.or(false) && connector.ef_skip_ips.items().is_empty() {
        let message = "`ef_users` without `ef_skip_last_ip` or `ef_skip_ips`: nothing is skipped for them";
        desk.say(
            Diagnostic::warning(code::NO_EFFECT, connector.ef_users.span(), message).help("say which hops are skipped, or leave it out"),
        );
    }
    if connector.ef_skip_last_ip.or(false) && !connector.ef_skip_ips.items().is_empty() {
        let message = "`ef_skip_ips` is used only while `ef_skip_last_ip` is false";
        desk.say(Diagnostic::warning(code::NO_EFFECT, connector.ef_skip_ips.span(), message).help("leave one of the two out"));
    }
}

/// An address, a block, or two addresses with a dash.
pub(in crate::scenario) fn skip(text: &str) -> Result<(IpAddr, IpAddr), &'static str> {
    let help = "an address, a block, or two addresses with a dash: \"192.0.2.1-192.0.2.9\"";
    if let Some((from, to)) = text.split_once('-') {
        return match (from.trim().parse::<IpAddr>(), to.trim().parse::<IpAddr>()) {
            (Ok(from), Ok(to)) if from.is_ipv4() == to.is_ipv4() && from <= to => Ok((from, to)),
            _ => Err(help),
        };
    }
    match (text.trim().parse::<IpAddr>(), text.trim().parse::<IpNet>()) {
        (Ok(address), _) => Ok((address, address)),
        (_, Ok(network)) => Ok((network.network(), network.broadcast())),
        _ => Err(help),
    }
}

fn is_private(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if Ipv4Addr::is_private(&address))
}

/// This machine, this link, a group, nobody at all, or behind a provider's NAT.
fn is_nobodys(address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let shared = address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]);
    shared || address.is_loopback() || address.is_link_local() || address.is_multicast() || address.octets()[0] == 0
}

/// What the cmdlet takes and experience warns of.
fn advice(name: &Text, connector: &InboundConnector, tenant: &ExchangeOnline, desk: &mut Desk) {
    let certificate = connector.tls_sender_certificate_name.get().filter(|name| !name.is_empty());
    let addresses = !connector.sender_ip_addresses.items().is_empty();
    let trusts = !connector.trusted_organizations.items().is_empty();
    if is_on_premises(connector) && certificate.is_none() && !addresses && !trusts {
        let problem = Diagnostic::warning(
            code::NO_EFFECT,
            name.span(),
            format!("`{name}` knows nobody: it names neither a certificate nor addresses"),
        );
        desk.say(problem.help("add `tls_sender_certificate_name` or `sender_ip_addresses`"));
    }
    if !is_on_premises(connector) && addresses && !trusts && !connector.restrict_domains_to_ip_addresses.or(false) {
        let message = "`sender_ip_addresses` of a Partner connector count only with `restrict_domains_to_ip_addresses: true`";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.sender_ip_addresses.span(), message);
        desk.say(
            problem.help("add it to keep the domains to these addresses; a connector that only knows a server is of the type `OnPremises`"),
        );
    }
    let filters = connector.ef_skip_last_ip.or(false) || !connector.ef_skip_ips.items().is_empty();
    let centralizes = |other: &OutboundConnector| other.enabled.or(true) && other.route_all_messages_via_on_premises.or(false);
    if filters && tenant.outbound_connectors.iter().any(|(_, other)| centralizes(other)) {
        let message = format!("`{name}` uses enhanced filtering beside centralized mail transport, which is not supported");
        let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, name.span(), message);
        desk.say(problem.help("filter where mail enters: with centralized transport that is on-premises, or switch one of the two off"));
    }
    if !is_on_premises(connector) && addresses && certificate.is_some() {
        let message = "addresses and a certificate in one Partner connector (IN-3)";
        let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, connector.sender_ip_addresses.span(), message);
        let both = connector.restrict_domains_to_ip_addresses.or(false) && connector.restrict_domains_to_certificate.or(false);
        let help = if both {
            "it restricts by both, so a client needs both; if one is to be enough, write two connectors, one for each"
        } else {
            "write two connectors, one for each"
        };
        desk.say(problem.help(help));
    }
    if let Some(wanted) = certificate.filter(|_| is_on_premises(connector)) {
        let plain = common_form(wanted);
        let plain = plain.strip_prefix("*.").unwrap_or(&plain);
        let within =
            |domain: &Text| plain.strip_suffix(&*common_form(domain)).is_some_and(|front| front.is_empty() || front.ends_with('.'));
        if !tenant.accepted_domains.keys().any(within) {
            let message =
                format!("`{wanted}` is of no accepted domain of this tenant: the certificate alone will not say whose mail it is (ATT-1)");
            let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, wanted.span(), message);
            desk.say(problem.help("use a certificate with a name of an accepted domain, of this tenant alone"));
        }
    }
}

fn refuse(desk: &mut Desk, span: Span, message: &str, help: &str) {
    desk.error(code::CMDLET_REFUSES, span, message, help);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::Loader;
    use crate::scenario::schema::System;

    #[test]
    fn refusals() {
        let by_address = r#"connector_type: OnPremises, sender_ip_addresses: ["192.0.2.10"]"#;
        let partner = r#"sender_domains: ["*"]"#;
        let cases = [
            (by_address.to_owned(), ""),
            (partner.to_owned(), ""),
            ("".to_owned(), "MT0401 a Partner connector without `sender_domains`"),
            (r#"sender_domains: ["a.test", "*.b.test", "*"]"#.to_owned(), ""),
            (r#"sender_domains: ["domain.*.contoso.com"]"#.to_owned(), "MT0401 `domain.*.contoso.com` is not a sender domain"),
            (
                format!(r#"{partner}, tls_sender_certificate_name: "mail.*.test""#),
                "MT0401 `mail.*.test` is not a name that a certificate can carry",
            ),
            (format!(r#"{partner}, tls_sender_certificate_name: "*.gateway.net", restrict_domains_to_certificate: true"#), ""),
            (format!(r#"{partner}, sender_ip_addresses: ["192.0.2.10"], restrict_domains_to_ip_addresses: true, require_tls: false"#), ""),
            (format!("{partner}, require_tls: false"), ""),
            (format!("{by_address}, require_tls: false"), ""),
            (format!("{by_address}, cloud_services_mail_enabled: true"), ""),
            (format!("{partner}, cloud_services_mail_enabled: true"), ""),
            (
                format!("{by_address}, restrict_domains_to_certificate: true"),
                "MT0601 `restrict_domains_to_certificate` keeps nobody out on a connector of the type `OnPremises`",
            ),
            (format!("{partner}, treat_messages_as_internal: false, ef_skip_last_ip: true, ef_users: [\"a@contoso.com\"]"), ""),
            (format!("{partner}, ef_test_mode: true, scan_and_drop_recipients: [], connector_source: Migrated, enabled: false"), ""),
            (r#"sender_domains: ["a@b"]"#.to_owned(), "MT0401 `a@b` is not a sender domain"),
            (format!("{by_address}, require_tls: true"), ""),
            ("connector_type: OnPremises".to_owned(), "MT0601 `c` knows nobody: it names neither a certificate nor addresses"),
            (
                format!(r#"{partner}, sender_ip_addresses: ["192.0.2.0/24", "192.0.2.7/32"]"#),
                "MT0601 `sender_ip_addresses` of a Partner connector count only with `restrict_domains_to_ip_addresses: true`",
            ),
            (format!(r#"{partner}, sender_ip_addresses: ["192.0.2.0/24"], restrict_domains_to_ip_addresses: true"#), ""),
            (
                format!(r#"{partner}, restrict_domains_to_ip_addresses: true, sender_ip_addresses: ["192.0.2.0/23"]"#),
                "MT0401 `192.0.2.0/23` is not a sender address of a connector",
            ),
            (
                format!(r#"{partner}, restrict_domains_to_ip_addresses: true, sender_ip_addresses: ["2001:db8::1"]"#),
                "MT0401 `2001:db8::1` is not a sender address of a connector",
            ),
            (
                format!(r#"{partner}, restrict_domains_to_ip_addresses: true, sender_ip_addresses: ["192.0.2.1-192.0.2.9"]"#),
                "MT0401 `192.0.2.1-192.0.2.9` is not a sender address of a connector",
            ),
            (
                format!("{partner}, restrict_domains_to_ip_addresses: true"),
                "MT0401 `restrict_domains_to_ip_addresses` without `sender_ip_addresses`",
            ),
            (
                format!("{partner}, restrict_domains_to_certificate: true"),
                "MT0401 `restrict_domains_to_certificate` without `tls_sender_certificate_name`",
            ),
            (
                format!("{by_address}, restrict_domains_to_ip_addresses: true"),
                "MT0601 `restrict_domains_to_ip_addresses` keeps nobody out on a connector of the type `OnPremises`",
            ),
            (
                r#"connector_type: OnPremises, tls_sender_certificate_name: "mail.contoso.com", restrict_domains_to_certificate: true"#
                    .to_owned(),
                "MT0601 `restrict_domains_to_certificate` keeps nobody out on a connector of the type `OnPremises`",
            ),
            (
                format!(
                    "{partner}, ef_skip_last_ip: true) }}, outbound_connectors: {{ \"x\": (connector_type: OnPremises, recipient_domains: [\"*\"], route_all_messages_via_on_premises: true"
                ),
                "MT0602 `c` uses enhanced filtering beside centralized mail transport, which is not supported",
            ),
            (
                format!(r#"{partner}, tls_sender_certificate_name: "*.gateway.net", require_tls: false"#),
                "MT0401 `tls_sender_certificate_name` with `require_tls: false`",
            ),
            (
                format!(r#"{partner}, tls_sender_certificate_name: "not a name""#),
                "MT0401 `not a name` is not a name that a certificate can carry",
            ),
            (
                format!(
                    r#"{partner}, restrict_domains_to_ip_addresses: true, sender_ip_addresses: ["192.0.2.10"], tls_sender_certificate_name: "*.gateway.net""#
                ),
                "MT0602 addresses and a certificate in one Partner connector (IN-3)",
            ),
            (
                r#"connector_type: OnPremises, tls_sender_certificate_name: "*.gateway.net""#.to_owned(),
                "MT0602 `*.gateway.net` is of no accepted domain of this tenant: the certificate alone will not say whose mail it is (ATT-1)",
            ),
            (r#"connector_type: OnPremises, tls_sender_certificate_name: "mail.contoso.com""#.to_owned(), ""),
            (
                format!("{partner}, treat_messages_as_internal: true"),
                "MT0401 `treat_messages_as_internal` belongs to connectors of the type `OnPremises`",
            ),
            (
                format!("{by_address}, treat_messages_as_internal: true, cloud_services_mail_enabled: true"),
                "MT0401 `treat_messages_as_internal` with `cloud_services_mail_enabled`",
            ),
            (format!("{by_address}, treat_messages_as_internal: true"), ""),
            (format!(r#"{by_address}, associated_accepted_domains: ["contoso.com"]"#), ""),
            (
                format!(r#"{by_address}, associated_accepted_domains: ["contos.com"]"#),
                "MT0101 `contos.com` is not an accepted domain of this tenant",
            ),
            (format!(r#"{partner}, ef_skip_ips: ["192.0.2.1-192.0.2.9", "198.51.100.0/24"]"#), ""),
            (format!(r#"{partner}, ef_skip_ips: ["192.0.2.9-192.0.2.1"]"#), "MT0401 `192.0.2.9-192.0.2.1` is not an address to be skipped"),
            (format!(r#"{partner}, ef_skip_ips: ["10.0.0.1"]"#), "MT0601 `10.0.0.1` is private, and private addresses are skipped anyway"),
            (
                format!(r#"{partner}, ef_skip_last_ip: true, ef_skip_ips: ["192.0.2.1"]"#),
                "MT0601 `ef_skip_ips` is used only while `ef_skip_last_ip` is false",
            ),
            (format!(r#"{partner}, ef_skip_last_ip: true, ef_users: ["alice"]"#), "MT0401 `alice` is not a mail address"),
            (format!(r#"{partner}, trusted_organizations: ["fabrikam"]"#), ""),
            (
                format!(r#"{partner}, trusted_organizations: ["fabrikam"], sender_ip_addresses: ["192.0.2.1"]"#),
                "MT0601 `sender_ip_addresses` is not looked at beside `trusted_organizations`",
            ),
        ];
        for (fields, expected) in cases {
            let text = format!(
                "Scenario(systems: {{ \"t\": ExchangeOnline(accepted_domains: {{ \"contoso.com\": Authoritative }}, inbound_connectors: {{ \"c\": ({fields}) }}) }})"
            );
            let tree = Loader::new().text("x.ron", &text).expect("readable");
            let Some(System::ExchangeOnline(tenant)) = tree.systems.get("t") else { panic!("a tenant") };
            let (name, connector) = tenant.inbound_connectors.iter().next().expect("one");
            let mut desk = Desk::default();
            check(name, connector, tenant, &mut desk);
            let said: Vec<String> = desk.problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect();
            assert_eq!(said.join("; "), expected, "{fields}");
        }
    }
}
