//! Does an outbound connector for the organization's own servers follow an MX that leads back to the service? A warning: the cmdlet takes it.
//!
//! Source: Microsoft's page on 5.4.14 (a hybrid connector set to DNS routing while the MX points at Exchange Online).

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::model::dns::{Names, Outcome, RecordData, RecordType, Zones};
use crate::scenario::schema::{ConnectorType, ExchangeOnline, OutboundConnector, Scenario, System};
use crate::scenario::source::Text;

use super::desk::Desk;

/// Names of the service's own front ends end so.
const OWN: [&str; 2] = [".mail.protection.outlook.com", ".mx.microsoft"];

/// Looks at all tenants, with the zones of the start.
pub(super) fn check(tree: &Scenario, zones: &Zones, names: &Names, desk: &mut Desk) {
    for (_, system) in tree.systems.iter() {
        let System::ExchangeOnline(tenant) = system else { continue };
        for (name, connector) in tenant.outbound_connectors.iter() {
            let follows = connector.enabled.or(true)
                && connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises
                && connector.use_mx_record.or(true);
            let Some(domain) = domains(tenant, connector).find(|domain| follows && leads_back(domain, zones, names)) else { continue };
            let place = if connector.use_mx_record.is_written() { connector.use_mx_record.span() } else { name.span() };
            let message = format!("`{name}` follows the MX of {domain}, and that leads back to the service: mail goes round until 5.4.14");
            let help = "name the own server: `use_mx_record: false`, `smart_hosts: [\"mail.contoso.com\"]`";
            desk.say(Diagnostic::warning(code::LEADS_NOWHERE, place, message).help(help));
        }
    }
}

/// The domains that a connector covers by name.
fn domains<'a>(tenant: &'a ExchangeOnline, connector: &'a OutboundConnector) -> impl Iterator<Item = &'a str> {
    let all = connector.all_accepted_domains.or(false).then(|| tenant.accepted_domains.keys().map(Text::as_str));
    let written = connector.recipient_domains.items().iter().map(|domain| domain.strip_prefix("*.").unwrap_or(domain));
    written.chain(all.into_iter().flatten()).filter(|domain| *domain != "*")
}

fn leads_back(domain: &str, zones: &Zones, names: &Names) -> bool {
    let Some(name) = names.find(&common_form(domain)) else { return false };
    let Outcome::Records(records) = zones.lookup(names, 0, name, RecordType::Mx).outcome else { return false };
    records.iter().any(|data| matches!(data, RecordData::Mx { exchange, .. } if OWN.iter().any(|own| names.text(*exchange).ends_with(own))))
}
