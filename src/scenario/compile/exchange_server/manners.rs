//! How Send connectors connect: HELO, error policies, front ends, DNS servers, source addresses, idle time; and the relays that checks pass over.
//!
//! `ExternalDNSServers` and `InternalDNSServers` name `resolvers` of the scenario; of several the first is asked.
//! Sources: New-SendConnector, Set-TransportService, Set-TransportConfig.

use std::net::IpAddr;

use crate::base::{HostId, MINUTE, ResolverId};
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::{Server, ServerVersion};
use crate::model::manner::{ErrorPolicies, Manner};
use crate::model::receive_connector::Range;
use crate::scenario::check::receive_connector;
use crate::scenario::compile::desk::Desk;
use crate::scenario::compile::tables::Tables;
use crate::scenario::schema::{self, ErrorPolicy, ExchangeServer};
use crate::scenario::source::{Field, Text};

use super::About;
use super::switches::Switches;

/// As a connector is delivered.
const INACTIVITY_NS: u64 = 10 * MINUTE;

/// The manner of one connector.
pub(super) fn manner(
    server: &ExchangeServer,
    connector: &schema::SendConnector,
    (about, switches): (About<'_>, Switches),
    sources: &[&Server],
    tables: &Tables,
    desk: &mut Desk,
) -> Manner {
    let has = |policy| connector.error_policies.items().contains(&policy);
    let errors = ErrorPolicies {
        downgrades_dns: has(ErrorPolicy::DowngradeDnsFailures),
        downgrades_replies: has(ErrorPolicy::DowngradeCustomFailures) && switches.every_reply_is_custom,
        upgrades_replies: has(ErrorPolicy::UpgradeCustomFailures) && switches.every_reply_is_custom,
    };
    let usual = INACTIVITY_NS;
    let inactivity_ns = connector.connection_inactivity_time_out.get().and_then(|text| desk.duration(text)).unwrap_or(usual);
    on_servers(server, connector, sources, desk);
    Manner {
        helo: connector.force_helo.or(false),
        errors,
        through_front_end: connector.frontend_proxy_enabled.or(false),
        resolver: resolver(server, connector, tables, desk),
        source: source(connector, about, sources, desk),
        patience_ns: if inactivity_ns == usual { 0 } else { inactivity_ns },
    }
}

/// What depends on the servers that own the connector.
fn on_servers(server: &ExchangeServer, connector: &schema::SendConnector, sources: &[&Server], desk: &mut Desk) {
    let any_edge = sources.iter().any(|server| server.edge);
    let proxied = connector.frontend_proxy_enabled.or(false);
    if proxied && super::version(server) == ServerVersion::Exchange2010 {
        let help = "Exchange 2010 has no Front End Transport service";
        desk.error(
            code::CMDLET_REFUSES,
            connector.frontend_proxy_enabled.span(),
            "`frontend_proxy_enabled` exists since Exchange 2013",
            help,
        );
    } else if proxied && any_edge {
        let help = "an Edge server has no Front End Transport service";
        desk.error(code::CMDLET_REFUSES, connector.frontend_proxy_enabled.span(), "`frontend_proxy_enabled` on an Edge server", help);
    }
}

/// The local address of its connections: only Edge servers let one be chosen.
fn source(connector: &schema::SendConnector, about: About<'_>, sources: &[&Server], desk: &mut Desk) -> Option<IpAddr> {
    let text = connector.source_ip_address.get().filter(|text| !matches!(text.as_str(), "" | "0.0.0.0" | "::"))?;
    let address = desk.ip(text)?;
    if !sources.iter().all(|server| server.edge) || sources.is_empty() {
        let help = "only an Edge server lets the address be chosen; on a Mailbox server write the host's `egress`";
        desk.error(code::CMDLET_REFUSES, text.span(), "`source_ip_address` on a connector that no Edge server owns", help);
        return None;
    }
    let has_it = |host: HostId| {
        let own = &about.identities[host.index()];
        own.addresses.contains(&address) || own.egress.contains(&address)
    };
    if !sources.iter().any(|server| has_it(server.host)) {
        let help = "an address of a network adapter of the Edge server: one of its `addresses` or its `egress`";
        desk.error(code::CMDLET_REFUSES, text.span(), format!("no source server of the connector has the address {address}"), help);
        return None;
    }
    Some(address)
}

/// Who is asked for names.
fn resolver(server: &ExchangeServer, connector: &schema::SendConnector, tables: &Tables, desk: &mut Desk) -> Option<ResolverId> {
    let nothing = schema::TransportService::default();
    let service = server.transport_service.get().unwrap_or(&nothing);
    if connector.use_external_dns_servers_enabled.or(false) && service.external_dns_servers.items().is_empty() {
        let message = "`use_external_dns_servers_enabled` without `external_dns_servers`: the machine's own DNS servers are asked";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.use_external_dns_servers_enabled.span(), message);
        desk.say(problem.help("add external_dns_servers: [\"192.0.2.53\"] to `transport_service`"));
    }
    let asks_outside = connector.use_external_dns_servers_enabled.or(false);
    first(if asks_outside { &service.external_dns_servers } else { &service.internal_dns_servers }, tables)
}

/// DNS servers that nobody describes, whether a Send connector asks them or not.
pub(super) fn unknown_dns_servers(server: &ExchangeServer, about: About<'_>, desk: &mut Desk) {
    let Some(service) = server.transport_service.get() else { return };
    let known: Vec<&str> = about.tree.resolvers.iter().map(|(name, _)| name.as_str()).collect();
    for list in [&service.external_dns_servers, &service.internal_dns_servers] {
        // One complaint for each list.
        let Some(text) = list.items().iter().find(|text| !known.contains(&text.as_str())) else { continue };
        let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("no resolver is called `{text}`"));
        let help =
            "DNS servers are described under `resolvers`, and may be called by their addresses: { \"192.0.2.53\": (view: \"inside\") }";
        desk.unknown(problem, text, known.iter().copied(), help);
    }
}

/// The first DNS server of a list.
fn first(list: &Field<Vec<Text>>, tables: &Tables) -> Option<ResolverId> {
    let text = list.items().first()?;
    tables.resolvers.iter().position(|name| **name == *text.as_str()).map(|at| ResolverId(at as u32))
}

/// `InternalSMTPServers`
pub(super) fn internal_smtp_servers(server: &ExchangeServer, desk: &mut Desk) -> Vec<Range> {
    let Some(config) = server.transport_config.get() else { return Vec::new() };
    let mut ranges = Vec::new();
    for text in config.internal_smtp_servers.items() {
        match receive_connector::range(text) {
            Some(range) => ranges.push(range),
            None => {
                let help = "an address, a network or a range: \"192.0.2.10\", \"192.0.2.0/24\", \"192.0.2.10-192.0.2.20\"";
                desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is not a range of addresses"), help);
            }
        }
    }
    ranges
}
