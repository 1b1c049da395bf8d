//! Receive connectors of a server: the default ones of its version, and what is written laid over them by name.
//!
//! Sources: Exchange Server "Receive connectors" (defaults), New-ReceiveConnector.

use crate::base::InOrder;
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::ServerVersion;
use crate::model::listener::Family;
use crate::model::receive_connector::{Limits, Range, ReceiveConnector};
use crate::model::settings::Listener;
use crate::scenario::check::receive_connector;
use crate::scenario::compile::desk::Desk;
use crate::scenario::merge::nothing_below;
use crate::scenario::schema::{self, AuthMechanism, DEFAULT_RECEIVE_CONNECTORS, ExchangeServer, PermissionGroup};
use crate::scenario::source::{Field, Text};

use super::receive_limits;
use super::switches::Switches;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who a default connector is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum For {
    Everybody,
    Users,
    Servers,
    UsersAndServers,
}

/// The connectors of a new server: name, port, who may submit.
fn defaults(version: ServerVersion, edge: bool) -> &'static [(&'static str, u16, For)] {
    if edge {
        return &[("Default internal receive connector", 25, For::Everybody)];
    }
    match version {
        // The hub takes no anonymous mail until somebody allows it.
        ServerVersion::Exchange2010 => &[("Default", 25, For::UsersAndServers), ("Client", 587, For::Users)],
        _ => &[
            ("Default Frontend", 25, For::Everybody),
            ("Client Frontend", 587, For::Users),
            ("Outbound Proxy Frontend", 717, For::Servers),
            ("Client Proxy", 465, For::UsersAndServers),
            ("Default", 2525, For::Servers),
        ],
    }
}

/// The names of the connectors that a Mailbox server is delivered with.
pub(super) fn names(version: ServerVersion) -> impl Iterator<Item = &'static str> {
    defaults(version, false).iter().map(|(name, ..)| *name)
}

/// The connectors of the server called `name`.
pub(super) fn connectors(server: &ExchangeServer, name: &str, edge: bool, switches: Switches, desk: &mut Desk) -> Vec<ReceiveConnector> {
    let version = super::version(server);
    let mut rows: Vec<ReceiveConnector> = defaults(version, edge)
        .iter()
        .map(|(name, port, for_whom)| usual(name, *port, *for_whom, receive_limits::usual(Some(name), edge, switches)))
        .collect();
    for entry in server.receive_connectors.entries().iter().filter(|entry| entry.value.is_none()) {
        rows.retain(|row| *row.name != *entry.key.as_str());
        let is_default = |edge| defaults(version, edge).iter().any(|(name, ..)| *name == entry.key.as_str());
        // Of other names the reader has said it.
        if DEFAULT_RECEIVE_CONNECTORS.contains(&entry.key.as_str()) && !is_default(true) && !is_default(false) {
            desk.say(nothing_below(&entry.key, &server.receive_connectors));
        }
    }
    let known = rows.len();
    let nothing = schema::TransportConfig::default();
    let config = server.transport_config.get().unwrap_or(&nothing);
    let mut written: Vec<(&Text, &schema::ReceiveConnector)> = server.receive_connectors.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    for (key, connector) in written {
        let at = rows.iter().position(|row| *row.name == *key.as_str());
        if connector.server.as_str().is_some_and(|server| server != name) {
            continue;
        }
        if let Some(other) = rows.iter().find(|row| *row.name != *key.as_str() && row.name.to_lowercase() == key.to_lowercase()) {
            let message = format!("`{key}` and `{}` are one name", other.name);
            let help = "names of connectors do not differ by case: write it in the same letters, or choose another";
            desk.error(code::CMDLET_REFUSES, key.span(), message, help);
        }
        receive_connector::check(key, connector, at.is_some_and(|at| at < known), version, desk);
        let mut row = at.map_or_else(|| usual(key, 25, For::Servers, receive_limits::usual(None, edge, switches)), |at| rows[at].clone());
        if at.is_none() {
            (row.servers, row.bindings, row.ranges) = (false, Vec::new(), Vec::new());
        }
        lay_over(&mut row, connector, desk);
        if connector.domain_secure_enabled.or(false) {
            row.domain_secure = super::domain_security::domains(&config.tls_receive_domain_secure_list);
            let groups = connector.permission_groups.items();
            if row.domain_secure.is_empty() && !matches!(groups, [PermissionGroup::Partners]) {
                let message = "`domain_secure_enabled` without a domain in `tls_receive_domain_secure_list`: nobody is asked for anything";
                let problem = Diagnostic::warning(code::NO_EFFECT, connector.domain_secure_enabled.span(), message);
                desk.say(problem.help("add transport_config: (tls_receive_domain_secure_list: [\"contoso.com\"]), or leave it out"));
            }
        }
        match at {
            Some(at) if connector.enabled.or(true) => rows[at] = row,
            Some(at) => drop(rows.remove(at)),
            None if connector.enabled.or(true) => rows.push(row),
            None => {}
        }
    }
    overlaps(server, &rows, desk);
    rows
}

fn usual(name: &str, port: u16, for_whom: For, limits: Limits) -> ReceiveConnector {
    let all = ["0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];
    ReceiveConnector {
        name: name.into(),
        bindings: vec![(Ipv4Addr::UNSPECIFIED.into(), port), (Ipv6Addr::UNSPECIFIED.into(), port)],
        ranges: all.iter().filter_map(|text| receive_connector::range(text)).collect(),
        anonymous: for_whom == For::Everybody,
        users: matches!(for_whom, For::Users | For::UsersAndServers),
        servers: for_whom != For::Users,
        knows_servers: true,
        partners: false,
        external_authoritative: false,
        login_over_tls: true,
        anonymous_relay: false,
        require_tls: false,
        limits,
        domain_secure: Vec::new(),
        cloud_names: Vec::new(),
        cloud_in_clear: false,
        silent_about: Vec::new(),
        faces: Vec::new(),
    }
}

fn lay_over(row: &mut ReceiveConnector, connector: &schema::ReceiveConnector, desk: &mut Desk) {
    if connector.bindings.is_written() {
        row.bindings = connector.bindings.items().iter().filter_map(|text| receive_connector::binding(text)).collect();
    }
    if connector.remote_ip_ranges.is_written() {
        row.ranges = connector.remote_ip_ranges.items().iter().filter_map(|text| receive_connector::range(text)).collect();
    }
    if connector.permission_groups.is_written() {
        let has = |group| connector.permission_groups.items().contains(&group);
        row.anonymous = has(PermissionGroup::AnonymousUsers);
        row.users = has(PermissionGroup::ExchangeUsers);
        row.servers = has(PermissionGroup::ExchangeServers) || has(PermissionGroup::ExchangeLegacyServers);
        row.partners = has(PermissionGroup::Partners);
    }
    if connector.auth_mechanism.is_written() {
        row.login_over_tls = connector.auth_mechanism.items().contains(&AuthMechanism::BasicAuthRequireTLS);
        row.knows_servers = connector.auth_mechanism.items().contains(&AuthMechanism::ExchangeServer);
    }
    row.silent_about = silent_about(connector);
    row.external_authoritative = connector.auth_mechanism.items().contains(&AuthMechanism::ExternalAuthoritative);
    row.anonymous_relay = connector.anonymous_relay.or(false);
    row.require_tls = connector.require_tls.or(false);
    row.limits = receive_limits::lay_over(row.limits, connector, desk);
    row.cloud_in_clear = connector.tls_domain_capabilities.items().iter().any(|text| receive_connector::cloud_in_clear(text));
    row.cloud_names = connector.tls_domain_capabilities.items().iter().filter_map(|text| receive_connector::cloud_name(text)).collect();
}

/// Words of EHLO that the clients of a connector are not told.
fn silent_about(connector: &schema::ReceiveConnector) -> Vec<Box<str>> {
    let has = |mechanism| connector.auth_mechanism.items().contains(&mechanism);
    let logs_in = [AuthMechanism::BasicAuth, AuthMechanism::BasicAuthRequireTLS, AuthMechanism::Integrated].into_iter().any(has);
    let off = |field: &Field<bool>| !field.or(true);
    let words = [
        ("AUTH", connector.auth_mechanism.is_written() && !logs_in),
        ("STARTTLS", connector.auth_mechanism.is_written() && !has(AuthMechanism::Tls)),
        ("SIZE", connector.size_enabled.get().is_some_and(|word| word.as_str() == "Disabled")),
        ("CHUNKING", off(&connector.chunking_enabled)),
        ("PIPELINING", off(&connector.pipelining_enabled)),
        ("8BITMIME", off(&connector.eight_bit_mime_enabled)),
        // It travels in chunks only.
        ("BINARYMIME", off(&connector.binary_mime_enabled) || off(&connector.chunking_enabled)),
        ("SMTPUTF8", off(&connector.smtp_utf8_enabled)),
        ("DSN", off(&connector.delivery_status_notification_enabled)),
        ("ENHANCEDSTATUSCODES", off(&connector.enhanced_status_codes_enabled)),
    ];
    words.into_iter().filter(|(_, silent)| *silent).map(|(word, _)| word.into()).collect()
}

/// What the clients of connectors meet that do not announce everything.
pub(super) fn faces(rows: &mut [ReceiveConnector], listeners: &[Listener]) {
    for row in rows.iter_mut().filter(|row| !row.silent_about.is_empty()) {
        let face = |listener: &Listener| {
            let without = listener.without.iter().chain(&row.silent_about).cloned().collect();
            Listener { without, ..listener.clone() }
        };
        row.faces = listeners.iter().map(face).collect();
    }
}

/// Two connectors with one binding must not fight for a client: ranges meet only where one holds the other, and are never the same.
fn overlaps(server: &ExchangeServer, rows: &[ReceiveConnector], desk: &mut Desk) {
    for (at, one) in rows.iter().enumerate() {
        for other in &rows[at + 1..] {
            let same_binding = one.bindings.iter().any(|binding| other.bindings.contains(binding));
            let bad = |a: &Range, b: &Range| a == b || a.meets(b) && !a.holds(b) && !b.holds(a);
            let met = one.ranges.iter().flat_map(|a| other.ranges.iter().map(move |b| (a, b))).find(|(a, b)| bad(a, b));
            let Some((a, b)) = met.filter(|_| same_binding) else { continue };
            let written = server.receive_connectors.iter().find(|(name, _)| *name.as_str() == *other.name || *name.as_str() == *one.name);
            let Some((place, _)) = written else { continue };
            let message = if a == b {
                format!("`{}` and `{}` have one binding and one range of remote addresses", one.name, other.name)
            } else {
                format!("the remote addresses of `{}` and `{}` overlap, and neither holds the other", one.name, other.name)
            };
            let help = "another binding, or remote addresses that lie wholly within those of the other connector";
            desk.error(code::CMDLET_REFUSES, place.span(), message, help);
        }
    }
}

/// Listeners at the bindings, and nowhere else: whoever comes to another address or port meets nobody. Those at one address stand first; what is written of a
/// listener holds for its port.
pub(super) fn listen(rows: &[ReceiveConnector], listeners: &mut Vec<Listener>) {
    let Some(usual) = listeners.first().cloned() else { return };
    let bound_to_all = |port: u16, address: IpAddr| rows.iter().any(|row| row.bindings.contains(&(address, port)));
    let family = |port: u16| match (bound_to_all(port, Ipv4Addr::UNSPECIFIED.into()), bound_to_all(port, Ipv6Addr::UNSPECIFIED.into())) {
        (true, true) => Some(None),
        (true, false) => Some(Some(Family::V4)),
        (false, true) => Some(Some(Family::V6)),
        (false, false) => None,
    };
    let written = std::mem::take(listeners);
    for row in rows {
        for (local, port) in &row.bindings {
            let only_at: Vec<IpAddr> = if local.is_unspecified() { Vec::new() } else { vec![*local] };
            if listeners.iter().any(|known| known.port == *port && known.only_at == only_at) {
                continue;
            }
            let family = family(*port).filter(|_| only_at.is_empty()).flatten();
            let new = match written.iter().find(|listener| listener.port == *port) {
                Some(listener) if only_at.is_empty() => Listener { family, ..listener.clone() },
                _ => Listener {
                    name: row.name.clone(),
                    port: *port,
                    only_at: only_at.clone(),
                    family,
                    implicit_tls: false,
                    require_tls: false,
                    // Who must log in is for the connector to say that has the client.
                    require_login: false,
                    ..usual.clone()
                },
            };
            if only_at.is_empty() { listeners.push(new) } else { listeners.insert(0, new) }
        }
    }
}
