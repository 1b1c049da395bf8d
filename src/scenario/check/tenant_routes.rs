//! What does a tenant's text allow that leads mail in a circle, or nowhere? Warnings: the cmdlets take all of it.
//!
//! Sources: set-up-connectors-to-route-mail; the loops that Microsoft's pages on 5.4.14 list; TechNet, outbound smart hosting (2015), whose box "all
//! accepted domains" means recipients, not senders.

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::scenario::compile::Desk;
use crate::scenario::schema::{ConnectorType, DirectoryRecipient, DomainType, ExchangeOnline, OutboundConnector};
use crate::scenario::source::Text;

/// Looks at all connectors and rules of a tenant.
pub(in crate::scenario) fn check(tenant: &ExchangeOnline, desk: &mut Desk) {
    for (name, connector) in tenant.outbound_connectors.iter().filter(|(_, connector)| connector.enabled.or(true)) {
        if let Some(problem) = reaches_nobody(name, connector, tenant).or_else(|| partly_centralized(name, connector, tenant)) {
            desk.say(problem);
        }
        desk.problems.extend(centralized_past_home(name, connector));
    }
    for (name, _) in tenant.outbound_connectors.iter().filter(|(_, connector)| says_only_disabled(connector)) {
        let message = format!("`{name}` is disabled, and nothing else is said of it: a connector of this name does not exist otherwise");
        let others = tenant.outbound_connectors.iter().filter(|(_, connector)| !says_only_disabled(connector));
        let problem = Diagnostic::warning(code::LEADS_NOWHERE, name.span(), message).suggest(name, others.map(|(other, _)| other.as_str()));
        desk.say(if problem.help.is_empty() {
            problem.help("to switch a connector off write its name as it stands where it is made")
        } else {
            problem
        });
    }
    equally_close(tenant, desk);
    for (domain, _) in tenant.accepted_domains.iter().filter(|(_, kind)| **kind == DomainType::ExternalRelay) {
        let problem = Diagnostic::warning(code::NO_EFFECT, domain.span(), "`ExternalRelay` is a type of Exchange Server: no tenant has it");
        desk.say(problem.help("write `InternalRelay`; here the two go the same way"));
    }
    for (name, rule) in tenant.transport_rules.iter().filter(|(_, rule)| rule.enabled.or(true)) {
        let Some(wanted) = rule.route_message_outbound_connector.get() else { continue };
        let named = tenant.outbound_connectors.iter().find(|(known, _)| known.eq_ignore_ascii_case(wanted));
        let Some((known, connector)) = named else { continue };
        if !connector.enabled.or(true) {
            let message = format!("the rule `{name}` sends by `{known}`, which is disabled");
            let problem = Diagnostic::warning(code::LEADS_NOWHERE, wanted.span(), message).also(connector.enabled.span(), "disabled here");
            desk.say(problem.help("no source says what becomes of such mail: enable the connector, or the rule must go"));
        } else if !connector.is_transport_rule_scoped.or(false) {
            let message = format!("the rule `{name}` sends by `{known}`, which also takes mail by recipient domain");
            let problem = Diagnostic::warning(code::LEADS_NOWHERE, wanted.span(), message).also(known.span(), "this connector");
            desk.say(problem.help("a connector that only rules use has `is_transport_rule_scoped: true`"));
        }
    }
}

/// Probably a slip in the name of another one, in a variant that switches it off.
fn says_only_disabled(connector: &OutboundConnector) -> bool {
    connector.enabled.is_written()
        && !connector.enabled.or(true)
        && !connector.connector_type.is_written()
        && !connector.recipient_domains.is_written()
        && !connector.smart_hosts.is_written()
        && !connector.use_mx_record.is_written()
        && !connector.all_accepted_domains.is_written()
        && !connector.is_transport_rule_scoped.is_written()
        && !connector.tls_settings.is_written()
}

/// A connector that no recipient selects.
fn reaches_nobody(name: &Text, connector: &OutboundConnector, tenant: &ExchangeOnline) -> Option<Diagnostic> {
    let scoped = connector.is_transport_rule_scoped.or(false);
    let has_domains = !connector.recipient_domains.items().is_empty();
    let rules = || tenant.transport_rules.iter().filter_map(|(_, rule)| rule.route_message_outbound_connector.get());
    let (message, help) = if scoped && !rules().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
        ("only a mail-flow rule selects this connector, and none names it", "name it in a rule: `route_message_outbound_connector`")
    } else if scoped || has_domains || rules().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
        return None;
    } else if !connector.all_accepted_domains.or(false) {
        ("this connector covers no domain, so no mail takes it", "write recipient_domains: [\"*\"], or `is_transport_rule_scoped: true`")
    } else if everybody_is_here(tenant) {
        let message =
            "all accepted domains are those of recipients, and all of these recipients are in the cloud: no mail takes this connector";
        (message, "to send internet mail this way write recipient_domains: [\"*\"]")
    } else {
        return None;
    };
    Some(Diagnostic::warning(code::LEADS_NOWHERE, name.span(), message).help(help))
}

/// Two connectors that recipients select by the same domain: no source says which of them takes the mail (OUT-6).
fn equally_close(tenant: &ExchangeOnline, desk: &mut Desk) {
    let decided = tenant.switches.iter().any(|(name, value)| name.as_str() == "OUT-6" && *value.as_str() != *"error");
    let selectable = |connector: &OutboundConnector| connector.enabled.or(true) && !connector.is_transport_rule_scoped.or(false);
    let mut seen: Vec<(bool, String, &Text)> = Vec::new();
    for (name, connector) in tenant.outbound_connectors.iter().filter(|(_, connector)| !decided && selectable(connector)) {
        let all =
            connector.all_accepted_domains.or(false).then(|| ("all accepted domains".to_owned(), connector.all_accepted_domains.span()));
        // Centralized mail transport is looked at before and apart from the others.
        let centralized = is_centralized(connector);
        let domains = connector.recipient_domains.items().iter();
        let mut own: Vec<String> = Vec::new();
        for (domain, place) in domains.map(|domain| (common_form(domain), domain.span())).chain(all) {
            match seen.iter().find(|(kind, known, _)| *kind == centralized && *known == domain) {
                Some((.., other)) => {
                    let message = format!("`{other}` and `{name}` are equally close to `{domain}`: no source says which takes the mail");
                    let problem = Diagnostic::warning(code::EQUALLY_CLOSE, place, message).also(other.span(), "the other one");
                    desk.say(problem.help("leave the domain to one of them, or say which wins: switches: { \"OUT-6\": \"name\" }"));
                }
                None => own.push(domain),
            }
        }
        seen.extend(own.into_iter().map(|domain| (centralized, domain, name)));
    }
}

/// No recipient of an accepted domain lives elsewhere.
fn everybody_is_here(tenant: &ExchangeOnline) -> bool {
    tenant.accepted_domains.iter().all(|(_, kind)| *kind == DomainType::Authoritative)
        && !tenant.recipients.iter().any(|(_, recipient)| matches!(recipient, DirectoryRecipient::MailUser(_)))
}

fn is_centralized(connector: &OutboundConnector) -> bool {
    let on_premises = connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises;
    on_premises && connector.route_all_messages_via_on_premises.or(false)
}

/// Centralized mail transport for some domains only: others leave past it, and mail from outside to an accepted domain that it leaves out goes round.
fn partly_centralized(name: &Text, connector: &OutboundConnector, tenant: &ExchangeOnline) -> Option<Diagnostic> {
    if !is_centralized(connector) || connector.recipient_domains.items().iter().any(|domain| domain.as_str() == "*") {
        return None;
    }
    let place = connector.recipient_domains.at().map_or(name.span(), |at| at.span);
    let say = |message: String, help: &str| Some(Diagnostic::warning(code::LEADS_NOWHERE, place, message).help(help));
    let patterns: Vec<String> = connector.recipient_domains.items().iter().map(|domain| common_form(domain)).collect();
    let covers = |domain: &str| {
        patterns.iter().any(|pattern| {
            let below = |parent: &str| domain.strip_suffix(parent).is_some_and(|front| front.is_empty() || front.ends_with('.'));
            pattern == domain || pattern.strip_prefix("*.").is_some_and(below)
        })
    };
    let left_out = tenant.accepted_domains.keys().find(|domain| !connector.all_accepted_domains.or(false) && !covers(&common_form(domain)));
    match left_out {
        Some(domain) => say(
            format!(
                "centralized mail transport whose connector does not cover `*`: mail from outside to `{domain}` must go on-premises first and finds no way there"
            ),
            "write recipient_domains: [\"*\"]; else such mail goes round until 5.4.14",
        ),
        None => say(
            "centralized mail transport whose connector does not cover `*`: what leaves for other domains never sees the own servers"
                .to_owned(),
            "write recipient_domains: [\"*\"], or leave `route_all_messages_via_on_premises` out",
        ),
    }
}

/// Centralized mail transport that goes by the recipients' own MX.
fn centralized_past_home(name: &Text, connector: &OutboundConnector) -> Option<Diagnostic> {
    if !is_centralized(connector) || !connector.use_mx_record.or(true) {
        return None;
    }
    let place = if connector.use_mx_record.is_written() { connector.use_mx_record.span() } else { name.span() };
    let message = format!(
        "`{name}` is for centralized mail transport and follows the recipients' MX: mail leaves past the organization's own servers"
    );
    let help = "name the own server: `use_mx_record: false`, `smart_hosts: [\"mail.contoso.com\"]`";
    Some(Diagnostic::warning(code::LEADS_NOWHERE, place, message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::Loader;
    use crate::scenario::schema::System;

    #[test]
    fn warnings() {
        let host = r#"use_mx_record: false, smart_hosts: ["a.test"]"#;
        let cases = [
            (r#"{ "c": (recipient_domains: ["*"], HOST) }"#, "", ""),
            (r#"{ "c": (HOST) }"#, "", "covers no domain"),
            (r#"{ "c": (enabled: false, HOST) }"#, "", ""),
            (
                r#"{ "cc": (recipient_domains: ["*"], HOST), "cd": (enabled: false) }"#,
                "",
                "`cd` is disabled, and nothing else is said of it",
            ),
            (r#"{ "c": (recipient_domains: ["*"], HOST), "d": (recipient_domains: ["*"]) }"#, "", "`c` and `d` are equally close to `*`"),
            (r#"{ "c": (recipient_domains: ["A.test"], HOST), "d": (recipient_domains: ["a.test"]) }"#, "", "equally close to `a.test`"),
            (r#"{ "c": (recipient_domains: ["*"], HOST), "d": (recipient_domains: ["*.test"]) }"#, "", ""),
            (r#"{ "c": (recipient_domains: ["*"], HOST), "d": (recipient_domains: ["*"], enabled: false) }"#, "", ""),
            (
                r#"{ "c": (recipient_domains: ["*"], HOST), "d": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["*"], HOST) }"#,
                "",
                "",
            ),
            (r#"{ "c": (connector_type: OnPremises, all_accepted_domains: true, HOST) }"#, "", "all of these recipients are in the cloud"),
            (r#"{ "c": (is_transport_rule_scoped: true, HOST) }"#, "", "none names it"),
            (r#"{ "c": (is_transport_rule_scoped: true, HOST) }"#, r#""r": (route_message_outbound_connector: "C")"#, ""),
            (
                r#"{ "c": (recipient_domains: ["*"], HOST) }"#,
                r#""r": (route_message_outbound_connector: "c")"#,
                "also takes mail by recipient domain",
            ),
            (
                r#"{ "c": (is_transport_rule_scoped: true, enabled: false, HOST) }"#,
                r#""r": (route_message_outbound_connector: "c")"#,
                "which is disabled",
            ),
            (
                r#"{ "c": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["x.test"], HOST) }"#,
                "",
                "mail from outside to `t.test` must go on-premises first",
            ),
            (
                r#"{ "c": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["*.Test"], HOST) }"#,
                "",
                "what leaves for other domains never sees the own servers",
            ),
            (
                r#"{ "c": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["*"]) }"#,
                "",
                "follows the recipients' MX",
            ),
            (
                r#"{ "c": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["*"], HOST),
                     "d": (connector_type: OnPremises, route_all_messages_via_on_premises: true, recipient_domains: ["*"], HOST) }"#,
                "",
                "`c` and `d` are equally close to `*`",
            ),
        ];
        for (connectors, rules, expected) in cases {
            let connectors = connectors.replace("HOST", host);
            let tenant = format!(
                "accepted_domains: {{ \"t.test\": Authoritative }}, outbound_connectors: {connectors}, transport_rules: {{ {rules} }}"
            );
            let tree = Loader::new().text("x.ron", &format!("Scenario(systems: {{ \"t\": ExchangeOnline({tenant}) }})")).expect("readable");
            let Some(System::ExchangeOnline(tenant)) = tree.systems.get("t") else { panic!("a tenant") };
            let mut desk = Desk::default();
            check(tenant, &mut desk);
            let said: Vec<&str> = desk.problems.iter().map(|problem| &*problem.message).collect();
            assert_eq!(said.len(), usize::from(!expected.is_empty()), "{connectors} {rules}: {said:?}");
            assert!(said.iter().all(|message| message.contains(expected)), "{connectors} {rules}: {said:?}");
        }
    }
}
