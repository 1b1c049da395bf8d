//! What does New-OutboundConnector refuse?
//!
//! Sources: New-OutboundConnector and Set-OutboundConnector, parameters and their constraints; for DANE at smart hosts also the switch `dane_at_smart_hosts`.

use crate::diag::{Diagnostic, Span, code};
use crate::scenario::compile::Desk;
use crate::scenario::schema::{ConnectorType, OutboundConnector, SmtpDaneMode, TlsSettings};
use crate::scenario::source::{Field, Text};

/// Says everything that the cmdlet would refuse, and what is not modelled.
pub(in crate::scenario) fn check(name: &Text, connector: &OutboundConnector, desk: &mut Desk) {
    super::name(name, "connector", desk);
    next_hops(connector, desk);
    on_premises_only(connector, desk);
    tls(connector, desk);
    for domain in connector.recipient_domains.items() {
        if let Err(help) = recipient_domain(domain) {
            desk.say(Diagnostic::error(code::CMDLET_REFUSES, domain.span(), format!("`{domain}` is not a recipient domain")).help(help));
        }
    }
}

/// Modes of DANE and MTA-STS in a time before connectors had them (March 2026): nothing follows from them.
pub(in crate::scenario) fn modes_before_2026(connector: &OutboundConnector, desk: &mut Desk) {
    let (dane, sts) = (&connector.smtp_dane_mode, &connector.mta_sts_mode);
    let fields = [("smtp_dane_mode", dane.is_written(), dane.span()), ("mta_sts_mode", sts.is_written(), sts.span())];
    for (field, _, span) in fields.into_iter().filter(|(_, written, _)| *written) {
        let message = format!("`{field}` does nothing in this era: connectors have it since March 2026");
        desk.say(Diagnostic::warning(code::NO_EFFECT, span, message).help("leave it out, or write exchange_online: (era: Exo2026)"));
    }
}

/// Required DANE that asks for nothing: at smart hosts, where the service looks at DANE only by a reading of its words (`by_name`), and never at addresses.
pub(in crate::scenario) fn dane(connector: &OutboundConnector, by_name: bool, desk: &mut Desk) {
    if connector.smtp_dane_mode.or(SmtpDaneMode::Opportunistic) != SmtpDaneMode::Mandatory || connector.use_mx_record.or(true) {
        return;
    }
    if !by_name {
        let message = "`Mandatory` asks for nothing at smart hosts: DANE belongs to the route by MX";
        let problem = Diagnostic::warning(code::UNWISE_CONNECTOR, connector.smtp_dane_mode.span(), message);
        desk.say(problem.help("what the service does is not confirmed; the other reading is the switch `dane_at_smart_hosts: by-name`"));
        return;
    }
    for host in connector.smart_hosts.items() {
        if host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() {
            let message = format!("`{host}` is an address: nothing about it is signed, and required DANE does not look at it");
            desk.say(Diagnostic::warning(code::UNWISE_CONNECTOR, host.span(), message).help("name the smart host: \"mail.contoso.com\""));
        }
    }
}

/// `UseMXRecord` and `SmartHosts` exclude each other, and one of them must say where mail goes.
fn next_hops(connector: &OutboundConnector, desk: &mut Desk) {
    let smart_hosts = !connector.smart_hosts.items().is_empty();
    if connector.use_mx_record.or(true) && smart_hosts {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.smart_hosts.span(), "`smart_hosts` while `use_mx_record` is true");
        let problem = match connector.use_mx_record.is_written() {
            true => problem.also(connector.use_mx_record.span(), "true"),
            false => problem.label("`use_mx_record` is true unless it is written"),
        };
        desk.say(problem.help(match connector.use_mx_record.is_written() {
            true => "write `use_mx_record: false` in its place, or leave `smart_hosts` out",
            false => "add `use_mx_record: false`",
        }));
    }
    if !connector.use_mx_record.or(true) && !smart_hosts {
        let help = "write smart_hosts: [\"mail.contoso.com\"], or leave `use_mx_record` at true";
        let message = "`use_mx_record` is false, and there are no `smart_hosts`";
        let problem = Diagnostic::error(code::CMDLET_REFUSES, connector.use_mx_record.span(), message);
        desk.say(super::beside(problem, &connector.smart_hosts, "none here").help(help));
    }
}

fn on_premises_only(connector: &OutboundConnector, desk: &mut Desk) {
    if connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises {
        return;
    }
    let fields: [(&str, &Field<bool>); 3] = [
        ("all_accepted_domains", &connector.all_accepted_domains),
        ("route_all_messages_via_on_premises", &connector.route_all_messages_via_on_premises),
        ("sender_rewriting_enabled", &connector.sender_rewriting_enabled),
    ];
    for (field, value) in fields.into_iter().filter(|(_, value)| value.or(false)) {
        let help = match connector.connector_type.is_written() {
            true => "write `connector_type: OnPremises` in its place",
            false => "add `connector_type: OnPremises`; left out it is `Partner`",
        };
        let message = format!("`{field}` belongs to connectors of the type `OnPremises`");
        let problem = Diagnostic::error(code::CMDLET_REFUSES, value.span(), message);
        desk.say(super::beside(problem, &connector.connector_type, "of this type").help(help));
    }
}

fn tls(connector: &OutboundConnector, desk: &mut Desk) {
    let settings = connector.tls_settings.or(TlsSettings::Opportunistic);
    let domain = connector.tls_domain.get().filter(|domain| !domain.is_empty());
    match (settings, domain) {
        (TlsSettings::DomainValidation, None) => {
            let help = "write tls_domain: \"mail.contoso.com\", the name that the certificate must carry";
            let problem =
                Diagnostic::error(code::CMDLET_REFUSES, connector.tls_settings.span(), "`DomainValidation` without a `tls_domain`");
            desk.say(super::beside(problem, &connector.tls_domain, "empty here").help(help));
        }
        (TlsSettings::DomainValidation, Some(domain)) => {
            if !super::is_smtp_domain(domain) {
                refuse(
                    desk,
                    domain.span(),
                    &format!("`{domain}` is not a name that a certificate can carry"),
                    "a domain, or `*.` and a domain",
                );
            }
        }
        (_, Some(domain)) => {
            let help = "`tls_domain` is looked at only with `tls_settings: DomainValidation`";
            let message = format!("`tls_domain` with `tls_settings: {}`", settings.as_str());
            let problem = Diagnostic::error(code::CMDLET_REFUSES, domain.span(), message);
            desk.say(super::beside(problem, &connector.tls_settings, "written here").help(help));
        }
        (_, None) => {}
    }
}

/// `contoso.com`, `*.contoso.com`, `*`.
fn recipient_domain(text: &str) -> Result<(), &'static str> {
    if text == "*" {
        return Ok(());
    }
    if text.contains('@') {
        return Err("a connector looks at domains, never at addresses: \"contoso.com\"");
    }
    if text == "*.*" {
        return Err("every domain is \"*\" here; \"*.*\" is the word of FOPE for it");
    }
    match text {
        _ if super::is_smtp_domain(text) => Ok(()),
        _ if text.contains('*') => Err("a wildcard stands only as the first whole label: \"*.contoso.com\""),
        _ => Err("a domain stands here: \"contoso.com\", \"*.contoso.com\" or \"*\""),
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
            (r#"recipient_domains: ["contoso.com"], use_mx_record: false, smart_hosts: ["a.test"]"#, ""),
            (r#"recipient_domains: ["contoso.com"]"#, ""),
            (r#"smart_hosts: ["a.test"]"#, "MT0401 `smart_hosts` while `use_mx_record` is true"),
            (r#"use_mx_record: true, smart_hosts: ["a.test"]"#, "MT0401 `smart_hosts` while `use_mx_record` is true"),
            ("use_mx_record: false", "MT0401 `use_mx_record` is false, and there are no `smart_hosts`"),
            ("all_accepted_domains: true", "MT0401 `all_accepted_domains` belongs to connectors of the type `OnPremises`"),
            ("all_accepted_domains: true, connector_type: OnPremises", ""),
            ("all_accepted_domains: false", ""),
            (
                "all_accepted_domains: true, connector_type: Partner",
                "MT0401 `all_accepted_domains` belongs to connectors of the type `OnPremises`",
            ),
            (
                "route_all_messages_via_on_premises: true",
                "MT0401 `route_all_messages_via_on_premises` belongs to connectors of the type `OnPremises`",
            ),
            ("sender_rewriting_enabled: true", "MT0401 `sender_rewriting_enabled` belongs to connectors of the type `OnPremises`"),
            ("sender_rewriting_enabled: true, connector_type: OnPremises", ""),
            ("enabled: false, comment: \"old\", is_validated: true, validation_recipients: [\"a@x.test\"]", ""),
            (r#"is_transport_rule_scoped: true, use_mx_record: false, smart_hosts: ["192.0.2.1", "a.test", "192.0.2.0/28"]"#, ""),
            (r#"is_transport_rule_scoped: true, recipient_domains: ["x.test"]"#, ""),
            (r#"use_mx_record: false, smart_hosts: []"#, "MT0401 `use_mx_record` is false, and there are no `smart_hosts`"),
            ("tls_settings: EncryptionOnly", ""),
            ("tls_settings: CertificateValidation", ""),
            (r#"tls_settings: Opportunistic, tls_domain: "a.test""#, "MT0401 `tls_domain` with `tls_settings: Opportunistic`"),
            (
                r#"tls_settings: CertificateValidation, tls_domain: "a.test""#,
                "MT0401 `tls_domain` with `tls_settings: CertificateValidation`",
            ),
            (
                r#"tls_settings: DomainValidation, tls_domain: "mail.*.test""#,
                "MT0401 `mail.*.test` is not a name that a certificate can carry",
            ),
            (
                r#"recipient_domains: ["*"], connector_type: OnPremises, cloud_services_mail_enabled: true, route_all_messages_via_on_premises: true"#,
                "",
            ),
            ("smtp_dane_mode: Opportunistic, use_mx_record: false, smart_hosts: [\"a.test\"]", ""),
            ("route_all_messages_via_on_premises: true, connector_type: OnPremises", ""),
            ("cloud_services_mail_enabled: false", ""),
            ("cloud_services_mail_enabled: true", ""),
            ("tls_settings: DomainValidation", "MT0401 `DomainValidation` without a `tls_domain`"),
            (r#"tls_settings: DomainValidation, tls_domain: "*.a.test""#, ""),
            (r#"tls_settings: EncryptionOnly, tls_domain: "a.test""#, "MT0401 `tls_domain` with `tls_settings: EncryptionOnly`"),
            (r#"tls_domain: """#, ""),
            (r#"recipient_domains: ["domain.*.contoso.com"]"#, "MT0401 `domain.*.contoso.com` is not a recipient domain"),
            (r#"recipient_domains: ["*.contoso.com", "*"]"#, ""),
            (r#"recipient_domains: ["a@contoso.com"]"#, "MT0401 `a@contoso.com` is not a recipient domain"),
            ("smtp_dane_mode: None, mta_sts_mode: None, test_mode: true, connector_source: HybridWizard", ""),
            ("smtp_dane_mode: Mandatory, use_mx_record: true", ""),
            (
                r#"smtp_dane_mode: Mandatory, use_mx_record: false, smart_hosts: ["a.test"]"#,
                "MT0602 `Mandatory` asks for nothing at smart hosts: DANE belongs to the route by MX",
            ),
            (
                r#"smtp_dane_mode: Mandatory, use_mx_record: false, smart_hosts: ["a.test", "192.0.2.1"]"#,
                "MT0602 `192.0.2.1` is an address: nothing about it is signed, and required DANE does not look at it",
            ),
        ];
        for (fields, expected) in cases {
            let text = format!("Scenario(systems: {{ \"t\": ExchangeOnline(outbound_connectors: {{ \"c\": ({fields}) }}) }})");
            let tree = Loader::new().text("x.ron", &text).expect("readable");
            let Some(System::ExchangeOnline(tenant)) = tree.systems.get("t") else { panic!("a tenant") };
            let (name, connector) = tenant.outbound_connectors.iter().next().expect("one");
            let mut desk = Desk::default();
            check(name, connector, &mut desk);
            dane(connector, fields.contains("192.0.2.1"), &mut desk);
            let said: Vec<String> = desk.problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect();
            assert_eq!(said.join("; "), expected, "{fields}");
        }
    }
}
