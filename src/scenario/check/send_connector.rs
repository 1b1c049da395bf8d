//! What does New-SendConnector refuse?
//!
//! Sources: New-SendConnector and Set-SendConnector, parameters and their constraints. What depends on the servers that own a connector is looked at
//! where these are known (`compile`).

use crate::base::Domain;
use crate::diag::{Diagnostic, Span, code};
use crate::model::exchange_server::{ServerVersion, Space};
use crate::scenario::compile::Desk;
use crate::scenario::schema::{SendConnector, SmartHostAuthMechanism, TlsAuthLevel};
use crate::scenario::source::Text;

/// The cost of an address space.
const COST_MAX: u32 = 100;

/// The largest `MaxMessageSize` that is no `unlimited`.
const SIZE_MAX_BYTES: u64 = i32::MAX as u64;

/// Says everything that the cmdlet would refuse, and what is not modelled; returns the address spaces with their costs.
pub(in crate::scenario) fn check(name: &Text, connector: &SendConnector, version: ServerVersion, desk: &mut Desk) -> Vec<(Space, u32)> {
    super::name(name, "connector", desk);
    super::fqdn(&connector.fqdn, desk);
    usage(connector, desk);
    next_hops(connector, desk);
    login(connector, desk);
    tls(connector, desk);
    linked(connector, version, desk);
    versions(connector, version, desk);
    ranges(connector, desk);
    without_effect(connector, desk);
    address_spaces(name, connector, desk)
}

/// `Usage` and its switches (`-Internet` …) say the same thing: one of them is enough.
fn usage(connector: &SendConnector, desk: &mut Desk) {
    let switches = [&connector.custom, &connector.internal, &connector.internet, &connector.partner];
    let on = switches.iter().filter(|switch| switch.or(false)).map(|switch| switch.span());
    let said: Vec<Span> = connector.usage.is_written().then(|| connector.usage.span()).into_iter().chain(on).collect();
    if let [first, .., last] = said[..] {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, last, "a connector has one usage").also(first, "it is said here already");
        desk.say(problem.help("write `usage: Internet`, or one of the switches `custom`, `internal`, `internet`, `partner`"));
    }
}

/// `DNSRoutingEnabled` and `SmartHosts` exclude each other, and one of them must say where mail goes.
fn next_hops(connector: &SendConnector, desk: &mut Desk) {
    let smart_hosts = !connector.smart_hosts.items().is_empty();
    if connector.dns_routing_enabled.or(true) && smart_hosts {
        let message = "`smart_hosts` while `dns_routing_enabled` is true";
        let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.smart_hosts.span(), message);
        let problem = match connector.dns_routing_enabled.is_written() {
            true => problem.also(connector.dns_routing_enabled.span(), "true"),
            false => problem.label("`dns_routing_enabled` is true unless it is written"),
        };
        desk.say(problem.help(match connector.dns_routing_enabled.is_written() {
            true => "write `dns_routing_enabled: false` in its place, or leave `smart_hosts` out",
            false => "add `dns_routing_enabled: false`",
        }));
    }
    for text in connector.smart_hosts.items().iter().filter(|text| text.contains('/')) {
        let help = "a Send connector takes names and single addresses; networks are for outbound connectors of Exchange Online";
        refuse(desk, text.span(), &format!("`{text}` is not a smart host of a Send connector"), help);
    }
    if !connector.dns_routing_enabled.or(true) && !smart_hosts {
        let help = "write smart_hosts: [\"192.0.2.1\"], or leave `dns_routing_enabled` at true";
        let message = "`dns_routing_enabled` is false, and there are no `smart_hosts`";
        let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.dns_routing_enabled.span(), message);
        desk.say(super::beside(problem, &connector.smart_hosts, "none here").help(help));
    }
}

/// Logins at smart hosts.
fn login(connector: &SendConnector, desk: &mut Desk) {
    let mechanism = connector.smart_host_auth_mechanism.or(SmartHostAuthMechanism::None);
    let basic = matches!(mechanism, SmartHostAuthMechanism::BasicAuth | SmartHostAuthMechanism::BasicAuthRequireTLS);
    let credential = connector.authentication_credential.get().filter(|text| !text.is_empty());
    if mechanism != SmartHostAuthMechanism::None && connector.smart_hosts.items().is_empty() {
        let message = format!("`smart_host_auth_mechanism: {}` without `smart_hosts`", mechanism.as_str());
        refuse(desk, connector.smart_host_auth_mechanism.span(), &message, "a login is for smart hosts; leave it out with DNS routing");
    }
    match credential {
        None if basic => {
            let message = format!("`{}` without an `authentication_credential`", mechanism.as_str());
            refuse(desk, connector.smart_host_auth_mechanism.span(), &message, "add authentication_credential: \"user@contoso.com\"");
        }
        Some(credential) if !basic => {
            let help = "credentials go with `BasicAuth` or `BasicAuthRequireTLS`";
            refuse(desk, credential.span(), "`authentication_credential` without a login that uses it", help);
        }
        Some(_) | None => {}
    }
}

fn tls(connector: &SendConnector, desk: &mut Desk) {
    let (requires, ignores) = (connector.require_tls.or(false), connector.ignore_starttls.or(false));
    if connector.smart_host_auth_mechanism.or(SmartHostAuthMechanism::None) == SmartHostAuthMechanism::BasicAuthRequireTLS {
        login_with_tls(connector, ignores, desk);
    }
    if requires && ignores {
        let problem =
            Diagnostic::error(code::CMDLET_REFUSES, connector.require_tls.span(), "`require_tls` together with `ignore_starttls`");
        desk.say(problem.also(connector.ignore_starttls.span(), "never uses TLS").help("one of the two must go"));
    }
    let level = connector.tls_auth_level.or(TlsAuthLevel::Opportunistic);
    if level != TlsAuthLevel::Opportunistic && !requires {
        let message = format!("`tls_auth_level: {}` without `require_tls`", level.as_str());
        let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.tls_auth_level.span(), message);
        desk.say(super::beside(problem, &connector.require_tls, "false here").help("write `require_tls: true`"));
    }
    let domain = connector.tls_domain.get().filter(|domain| !domain.is_empty());
    match (level, domain) {
        (TlsAuthLevel::DomainValidation, None) if !connector.dns_routing_enabled.or(true) => {
            let help = "write tls_domain: \"mail.contoso.com\"; only with DNS routing the recipient's domain stands in for it";
            let message = "`DomainValidation` towards a smart host without a `tls_domain`";
            let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.tls_auth_level.span(), message);
            desk.say(super::beside(problem, &connector.tls_domain, "empty here").help(help));
        }
        (TlsAuthLevel::DomainValidation, Some(domain)) if !super::is_smtp_domain(domain) => {
            let message = format!("`{domain}` is not a name that a certificate can carry");
            refuse(desk, domain.span(), &message, "a domain, or `*.` and a domain");
        }
        (TlsAuthLevel::DomainValidation, _) | (_, None) => {}
        (_, Some(domain)) => {
            let message = match level {
                TlsAuthLevel::Opportunistic => "`tls_domain` without a `tls_auth_level`".to_owned(),
                _ => format!("`tls_domain` with `tls_auth_level: {}`", level.as_str()),
            };
            let problem = Diagnostic::error(code::CMDLET_REFUSES, domain.span(), message);
            let help = "`tls_domain` is looked at only with `tls_auth_level: DomainValidation`";
            desk.say(super::beside(problem, &connector.tls_auth_level, "written here").help(help));
        }
    }
    if connector.domain_secure_enabled.or(false) && (!connector.dns_routing_enabled.or(true) || ignores) {
        let help = "domain security needs DNS routing and STARTTLS";
        refuse(desk, connector.domain_secure_enabled.span(), "`domain_secure_enabled` on a connector that cannot have it", help);
    }
    if let Some(name) = connector.tls_certificate_name.get().filter(|name| !name.is_empty())
        && certificate_name(name).is_none()
    {
        let help = "issuer and subject as the certificate has them: \"<I>CN=Some CA<S>CN=mail.contoso.com\"";
        refuse(desk, name.span(), &format!("`{name}` is not the name of a certificate"), help);
    }
}

/// The password goes over TLS only, to a certificate with the name that the smart host has in the connector.
fn login_with_tls(connector: &SendConnector, ignores: bool, desk: &mut Desk) {
    let span = connector.smart_host_auth_mechanism.span();
    if ignores {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, span, "`BasicAuthRequireTLS` together with `ignore_starttls`");
        desk.say(problem.also(connector.ignore_starttls.span(), "never uses TLS").help("one of the two must go"));
    }
    for address in connector.smart_hosts.items().iter().filter(|text| text.parse::<std::net::IpAddr>().is_ok()) {
        let message = format!("`BasicAuthRequireTLS` wants a certificate with the smart host's name, and `{address}` is none");
        let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, address.span(), message);
        desk.say(problem.help("write the name that is in its certificate, and a record for it"));
    }
}

/// Issuer and subject of `<I>issuer<S>subject`.
pub(in crate::scenario) fn certificate_name(text: &str) -> Option<(&str, &str)> {
    let (issuer, subject) = text.strip_prefix("<I>")?.split_once("<S>")?;
    (!issuer.is_empty() && !subject.is_empty()).then_some((issuer, subject))
}

/// Only Exchange 2010 had connectors bound to a listener.
fn linked(connector: &SendConnector, version: ServerVersion, desk: &mut Desk) {
    let Some(name) = connector.linked_receive_connector.get().filter(|name| !name.is_empty()) else { return };
    if version > ServerVersion::Exchange2010 {
        let help = "since Exchange 2013 nothing binds what came in on one connector to another; only recipients choose";
        refuse(desk, name.span(), "`linked_receive_connector` exists in Exchange 2010 only", help);
    } else if !connector.address_spaces.items().is_empty() {
        let help = "a linked connector takes everything that came in on the other one: leave `address_spaces` out";
        refuse(desk, connector.address_spaces.span(), "`address_spaces` beside `linked_receive_connector`", help);
    } else if connector.smart_hosts.items().is_empty() {
        let help = "a linked connector hands everything to its smart hosts: add dns_routing_enabled: false, smart_hosts: [\"192.0.2.1\"]";
        refuse(desk, name.span(), "`linked_receive_connector` without `smart_hosts`", help);
    } else if let Some(size) = connector.max_message_size.get().filter(|size| !size.eq_ignore_ascii_case("unlimited")) {
        let help =
            "a linked connector takes everything that came in on the other one: leave `max_message_size` out, or write \"unlimited\"";
        refuse(desk, size.span(), "`max_message_size` beside `linked_receive_connector`", help);
    }
}

/// Parameters that came later than Exchange 2010.
fn versions(connector: &SendConnector, version: ServerVersion, desk: &mut Desk) {
    let newer = [
        ("cloud_services_mail_enabled", connector.cloud_services_mail_enabled.span(), ServerVersion::Exchange2013),
        ("tls_certificate_name", connector.tls_certificate_name.span(), ServerVersion::Exchange2013),
        ("connector_type", connector.connector_type.span(), ServerVersion::Exchange2016),
    ];
    super::newer_than(version, &newer, desk);
}

/// Sizes and times with bounds.
fn ranges(connector: &SendConnector, desk: &mut Desk) {
    let size = connector.max_message_size.get();
    if let Some(text) = size
        && desk.size(text).flatten().is_some_and(|bytes| bytes > SIZE_MAX_BYTES)
    {
        desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), "from 0 to 2147483647 bytes, or \"unlimited\"");
    }
    let time = connector.connection_inactivity_time_out.get();
    if let Some(text) = time
        && desk.duration(text).is_some_and(|ns| !(crate::base::SECOND..=crate::base::DAY).contains(&ns))
    {
        desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), "from 1s to 1d");
    }
}

/// What the cmdlet takes, and what does nothing or lets nothing through.
fn without_effect(connector: &SendConnector, desk: &mut Desk) {
    if connector.port.get().is_some_and(|port| *port != 25) && connector.smart_hosts.items().is_empty() {
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.port.span(), "`port` is for smart hosts, and there are none");
        desk.say(problem.help("mail by DNS routing goes to port 25 always"));
    }
    let mechanism = connector.smart_host_auth_mechanism.or(SmartHostAuthMechanism::None);
    if mechanism == SmartHostAuthMechanism::ExchangeServer {
        let message = "`ExchangeServer` is how servers of one forest know each other: no login at a smart host is played for it";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.smart_host_auth_mechanism.span(), message);
        desk.say(problem.help(
            "for a password write `BasicAuth` or `BasicAuthRequireTLS`; for a line that is safe by other means `ExternalAuthoritative`",
        ));
    }
    let login = matches!(mechanism, SmartHostAuthMechanism::BasicAuth | SmartHostAuthMechanism::BasicAuthRequireTLS);
    let needs = match (connector.require_tls.or(false), login) {
        (true, _) => ("require_tls", connector.require_tls.span(), "STARTTLS"),
        (false, true) => ("smart_host_auth_mechanism", connector.smart_host_auth_mechanism.span(), "AUTH"),
        (false, false) => return,
    };
    if connector.force_helo.or(false) {
        let message = format!("`force_helo` beside `{}`: nothing can ever leave by this connector", needs.0);
        let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, connector.force_helo.span(), message).also(needs.1, "asked for here");
        desk.say(problem.help(format!("a server that is greeted with HELO offers no {}: leave `force_helo` out", needs.2)));
    }
}

fn address_spaces(name: &Text, connector: &SendConnector, desk: &mut Desk) -> Vec<(Space, u32)> {
    if connector.address_spaces.items().is_empty() && !connector.linked_receive_connector.is_written() {
        let help = "add address_spaces: [\"*\"], or the domains that it is for";
        refuse(desk, name.span(), &format!("the connector `{name}` has no `address_spaces`"), help);
    }
    let mut spaces: Vec<(Space, u32)> = Vec::new();
    for text in connector.address_spaces.items() {
        match address_space(text) {
            Ok((space, _)) if spaces.iter().any(|(known, _)| *known == space && !matches!(space, Space::OtherType(_))) => {
                refuse(
                    desk,
                    text.span(),
                    &format!("`{text}` covers what another address space of the connector covers"),
                    "leave one of them out",
                );
            }
            Ok(found) => {
                // Where both smart hosts and DNS routing are written, that is the mistake.
                if matches!(found.0, Space::OtherType(_))
                    && connector.dns_routing_enabled.or(true)
                    && connector.smart_hosts.items().is_empty()
                {
                    let message = format!("`{text}` is no SMTP address space, and DNS routing knows domains only");
                    refuse(desk, text.span(), &message, "add dns_routing_enabled: false, smart_hosts: [\"192.0.2.1\"]");
                }
                spaces.push(found);
            }
            Err(help) => {
                desk.say(Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is not an address space")).help(help));
            }
        }
    }
    spaces
}

/// `Type:Space;Cost`; type and cost may be left out.
fn address_space(text: &str) -> Result<(Space, u32), &'static str> {
    let text = text.trim();
    let is_smtp = text.split_once(':').is_none_or(|(kind, _)| kind.is_empty() || kind.eq_ignore_ascii_case("smtp"));
    // Addresses of other types have semicolons of their own; the cost is behind the last one.
    let (text, cost) = match if is_smtp { text.split_once(';') } else { text.rsplit_once(';') } {
        None => (text, 1),
        Some((text, cost)) => match cost.trim().parse::<u32>() {
            Ok(cost) if (1..=COST_MAX).contains(&cost) => (text.trim(), cost),
            _ => return Err("the cost stands behind a semicolon and is a number from 1 to 100: \"contoso.com;10\""),
        },
    };
    let (kind, space) = text.split_once(':').unwrap_or(("smtp", text));
    if !kind.eq_ignore_ascii_case("smtp") {
        return if kind.is_empty() {
            Err("a type stands before the colon: \"smtp:contoso.com;1\"")
        } else {
            Ok((Space::OtherType(kind.to_ascii_uppercase().into()), cost))
        };
    }
    let domain = |text: &str| match Domain::parse(text) {
        Ok(domain) if super::is_smtp_domain(text) && !text.starts_with('*') => Ok(Box::from(domain.as_str())),
        _ => Err("a domain stands here: \"contoso.com\", \"*.contoso.com\" or \"*\""),
    };
    match space {
        "*" => Ok((Space::All, cost)),
        "--" => Ok((Space::Accepted, cost)),
        _ => match space.strip_prefix("*.") {
            Some(parent) if !parent.contains('*') => Ok((Space::Below(domain(parent)?), cost)),
            _ if space.contains('*') => {
                Err("a wildcard stands only as the first whole label: \"*.contoso.com\" is the domain and everything below it")
            }
            _ if space.contains('@') => Err("a connector looks at domains, never at addresses: \"contoso.com\""),
            _ => Ok((Space::Domain(domain(space)?), cost)),
        },
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
        let cases = [
            (r#"address_spaces: ["*"]"#, ""),
            ("", "MT0401 the connector `c` has no `address_spaces`"),
            (r#"address_spaces: ["*"], domain_secure_enabled: true"#, ""),
            (
                r#"address_spaces: ["*"], domain_secure_enabled: true, dns_routing_enabled: false, smart_hosts: ["a.test"]"#,
                "MT0401 `domain_secure_enabled` on a connector that cannot have it",
            ),
            (
                r#"address_spaces: ["*"], domain_secure_enabled: true, ignore_starttls: true"#,
                "MT0401 `domain_secure_enabled` on a connector that cannot have it",
            ),
            (
                r#"address_spaces: ["*"], force_helo: true, require_tls: true"#,
                "MT0602 `force_helo` beside `require_tls`: nothing can ever leave by this connector",
            ),
            (r#"address_spaces: ["*"], max_message_size: "2147483647B""#, ""),
            (r#"address_spaces: ["*"], max_message_size: "unlimited""#, ""),
            (r#"address_spaces: ["*"], max_message_size: "0B""#, ""),
            (r#"address_spaces: ["*"], max_message_size: "2GB""#, "MT0302 `2GB` is out of bounds"),
            (r#"address_spaces: ["*"], port: 587"#, "MT0601 `port` is for smart hosts, and there are none"),
            (r#"address_spaces: ["*"], error_policies: [DowngradeDnsFailures, DowngradeCustomFailures, UpgradeCustomFailures]"#, ""),
            (
                r#"address_spaces: ["*"], frontend_proxy_enabled: true, use_external_dns_servers_enabled: true, cloud_services_mail_enabled: true"#,
                "",
            ),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["a.test"], authentication_credential: "a@b.test""#,
                "MT0401 `authentication_credential` without a login that uses it",
            ),
            (
                r#"address_spaces: ["smtp:*;1", "x400:whatever;2"]"#,
                "MT0401 `x400:whatever;2` is no SMTP address space, and DNS routing knows domains only",
            ),
            (r#"address_spaces: ["smtp:*;1", "x400:whatever;2"], dns_routing_enabled: false, smart_hosts: ["a.test"]"#, ""),
            (r#"address_spaces: ["x400:whatever"], smart_hosts: ["a.test"]"#, "MT0401 `smart_hosts` while `dns_routing_enabled` is true"),
            (r#"address_spaces: ["*", "X400:c=US;a=whatever;1"], dns_routing_enabled: false, smart_hosts: ["a.test"]"#, ""),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["192.0.2.0/24"]"#,
                "MT0401 `192.0.2.0/24` is not a smart host of a Send connector",
            ),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["a.test"], smart_host_auth_mechanism: BasicAuthRequireTLS, authentication_credential: "a@a.test", ignore_starttls: true"#,
                "MT0401 `BasicAuthRequireTLS` together with `ignore_starttls`",
            ),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["192.0.2.1"], smart_host_auth_mechanism: BasicAuthRequireTLS, authentication_credential: "a@a.test""#,
                "MT0602 `BasicAuthRequireTLS` wants a certificate with the smart host's name, and `192.0.2.1` is none",
            ),
            (r#"address_spaces: ["*contoso.com"]"#, "MT0401 `*contoso.com` is not an address space"),
            (r#"address_spaces: ["a.*.contoso.com"]"#, "MT0401 `a.*.contoso.com` is not an address space"),
            (r#"address_spaces: ["contoso.com;0"]"#, "MT0401 `contoso.com;0` is not an address space"),
            (r#"address_spaces: ["contoso.com;101"]"#, "MT0401 `contoso.com;101` is not an address space"),
            (r#"address_spaces: ["*", "*;2"]"#, "MT0401 `*;2` covers what another address space of the connector covers"),
            (r#"address_spaces: ["*"], smart_hosts: ["a.test"]"#, "MT0401 `smart_hosts` while `dns_routing_enabled` is true"),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false"#,
                "MT0401 `dns_routing_enabled` is false, and there are no `smart_hosts`",
            ),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["a.test"], require_tls: true, tls_auth_level: CertificateValidation"#,
                "",
            ),
            (
                r#"address_spaces: ["*"], tls_auth_level: CertificateValidation"#,
                "MT0401 `tls_auth_level: CertificateValidation` without `require_tls`",
            ),
            (r#"address_spaces: ["*"], require_tls: true, ignore_starttls: true"#, "MT0401 `require_tls` together with `ignore_starttls`"),
            (r#"address_spaces: ["*"], require_tls: true, tls_auth_level: DomainValidation"#, ""),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["a.test"], require_tls: true, tls_auth_level: DomainValidation"#,
                "MT0401 `DomainValidation` towards a smart host without a `tls_domain`",
            ),
            (
                r#"address_spaces: ["*"], require_tls: true, tls_auth_level: EncryptionOnly, tls_domain: "a.test""#,
                "MT0401 `tls_domain` with `tls_auth_level: EncryptionOnly`",
            ),
            (r#"address_spaces: ["*"], tls_domain: "a.test""#, "MT0401 `tls_domain` without a `tls_auth_level`"),
            (r#"address_spaces: ["*"], tls_certificate_name: "mail""#, "MT0401 `mail` is not the name of a certificate"),
            (
                r#"address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["a.test"], smart_host_auth_mechanism: BasicAuth"#,
                "MT0401 `BasicAuth` without an `authentication_credential`",
            ),
            (
                r#"address_spaces: ["*"], smart_host_auth_mechanism: ExternalAuthoritative"#,
                "MT0401 `smart_host_auth_mechanism: ExternalAuthoritative` without `smart_hosts`",
            ),
            (r#"address_spaces: ["*"], linked_receive_connector: "x""#, "MT0401 `linked_receive_connector` exists in Exchange 2010 only"),
            (r#"address_spaces: ["*"], connection_inactivity_time_out: "2d""#, "MT0302 `2d` is out of bounds"),
        ];
        for (fields, expected) in cases {
            let text = format!("Scenario(systems: {{ \"t\": ExchangeServer(send_connectors: {{ \"c\": ({fields}) }}) }})");
            let tree = Loader::new().text("x.ron", &text).expect("readable");
            let Some(System::ExchangeServer(server)) = tree.systems.get("t") else { panic!("an organization") };
            let (name, connector) = server.send_connectors.iter().next().expect("one");
            let mut desk = Desk::default();
            check(name, connector, ServerVersion::Exchange2019, &mut desk);
            let said: Vec<String> = desk.problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect();
            assert_eq!(said.join("; "), expected, "{fields}");
        }
    }
}
