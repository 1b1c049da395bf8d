//! Does an outbound connector for the organization's own servers follow an MX that leads back to the service? A warning: the cmdlet takes it.
//!
//! And what becomes of recipients of an `InternalRelay` domain that no connector covers, where its MX leads there too?
//! Source: Microsoft's page on 5.4.14 (a hybrid connector set to DNS routing while the MX points at Exchange Online; a relay domain without a connector).

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::model::dns::{Names, Outcome, RecordData, RecordType, Zones};
use crate::scenario::schema::{ConnectorType, DomainType, ExchangeOnline, OutboundConnector, Scenario, System};
use crate::scenario::source::Text;

use super::desk::Desk;

/// Names of the service's own front ends end so.
const OWN: [&str; 2] = [".mail.protection.outlook.com", ".mx.microsoft"];

/// The endpoints of client submission.
const FOR_LOGINS: [&str; 2] = ["smtp.office365.com", "smtp-legacy.office365.com"];

/// Looks at all tenants, with the zones of the start.
pub(super) fn check(tree: &Scenario, zones: &Zones, names: &Names, desk: &mut Desk) {
    for (_, system) in tree.systems.iter() {
        let System::ExchangeOnline(tenant) = system else { continue };
        for (name, connector) in tenant.outbound_connectors.iter() {
            let follows = connector.enabled.or(true) && connector.use_mx_record.or(true);
            let on_premises = connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises;
            // A partner may well be in the service, too: what comes back to this tenant itself goes round.
            let goes_round = |domain: &&str| follows && (on_premises || comes_back(tenant, domain)) && leads_back(domain, zones, names);
            let Some(domain) = domains(tenant, connector).find(goes_round) else { continue };
            let place = if connector.use_mx_record.is_written() { connector.use_mx_record.span() } else { name.span() };
            let message = format!("`{name}` follows the MX of {domain}, and that leads back to the service: mail goes round until 5.4.14");
            let help = "name the own server: `use_mx_record: false`, `smart_hosts: [\"mail.contoso.com\"]`";
            desk.say(Diagnostic::warning(code::LEADS_NOWHERE, place, message).help(help));
        }
        for domain in
            tenant.accepted_domains.keys().filter(|domain| mx_is(domain, zones, names, &|exchange| FOR_LOGINS.contains(&exchange)))
        {
            let message = format!("the MX of `{domain}` is the endpoint of client submission: it takes nothing without a login");
            let help = format!("its own endpoint is \"{}.mail.protection.outlook.com\"", common_form(domain).replace('.', "-"));
            desk.say(Diagnostic::warning(code::LEADS_NOWHERE, domain.span(), message).help(help));
        }
        for (domain, _) in tenant.accepted_domains.iter().filter(|(_, kind)| **kind == DomainType::InternalRelay) {
            if !tenant.protected_by.is_written()
                && !everybody_is_here(tenant, domain)
                && !is_covered(tenant, domain)
                && leads_back(domain, zones, names)
            {
                let message = format!(
                    "no outbound connector covers the `InternalRelay` domain `{domain}`, and its MX leads back to the service: recipients without a cloud mailbox go round until 5.4.14"
                );
                let help = format!(
                    "write an outbound connector to the own server: recipient_domains: [\"{domain}\"], or make the domain `Authoritative`"
                );
                desk.say(Diagnostic::warning(code::LEADS_NOWHERE, domain.span(), message).help(help));
            }
        }
    }
}

/// Is it a domain of the tenant, with recipients who live elsewhere?
fn comes_back(tenant: &ExchangeOnline, domain: &str) -> bool {
    let is_it = |(name, kind): &(&Text, &DomainType)| common_form(name) == common_form(domain) && **kind == DomainType::InternalRelay;
    tenant.accepted_domains.iter().any(|accepted| is_it(&accepted)) && !everybody_is_here(tenant, domain)
}

/// A mailbox for every address of the domain.
fn everybody_is_here(tenant: &ExchangeOnline, domain: &str) -> bool {
    let wanted = [format!("*@{}", common_form(domain)), "*".to_owned()];
    tenant.mailboxes.items().iter().any(|pattern| wanted.contains(&common_form(pattern)))
}

/// Does an enabled connector take mail for the domain, by itself or because a rule names it?
fn is_covered(tenant: &ExchangeOnline, domain: &str) -> bool {
    let domain = common_form(domain);
    let within = |pattern: &Text| {
        let pattern = common_form(pattern);
        let below = |parent: &str| domain.strip_suffix(parent).is_some_and(|front| front.is_empty() || front.ends_with('.'));
        pattern == "*" || pattern == domain || pattern.strip_prefix("*.").is_some_and(below)
    };
    tenant.outbound_connectors.iter().filter(|(_, connector)| connector.enabled.or(true)).any(|(_, connector)| {
        connector.all_accepted_domains.or(false)
            || connector.is_transport_rule_scoped.or(false)
            || connector.recipient_domains.items().iter().any(within)
    })
}

/// The domains that a connector covers by name.
fn domains<'a>(tenant: &'a ExchangeOnline, connector: &'a OutboundConnector) -> impl Iterator<Item = &'a str> {
    let all = connector.all_accepted_domains.or(false).then(|| tenant.accepted_domains.keys().map(Text::as_str));
    let written = connector.recipient_domains.items().iter().map(|domain| domain.strip_prefix("*.").unwrap_or(domain));
    written.chain(all.into_iter().flatten()).filter(|domain| *domain != "*")
}

fn leads_back(domain: &str, zones: &Zones, names: &Names) -> bool {
    mx_is(domain, zones, names, &|exchange| OWN.iter().any(|own| exchange.ends_with(own)))
}

fn mx_is(domain: &str, zones: &Zones, names: &Names, wanted: &dyn Fn(&str) -> bool) -> bool {
    let Some(name) = names.find(&common_form(domain)) else { return false };
    let Outcome::Records(records) = zones.lookup(names, 0, name, RecordType::Mx).outcome else { return false };
    records.iter().any(|data| matches!(data, RecordData::Mx { exchange, .. } if wanted(names.text(*exchange))))
}
