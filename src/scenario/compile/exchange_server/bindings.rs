//! Are Receive connectors bound to addresses that their servers have, and to which transport service?
//!
//! Sources: New-ReceiveConnector `Bindings` (a local address of a network adapter, else the service may not start) and `TransportRole`; the refusal of
//! Set-ReceiveConnector where connectors of different roles share a binding.

use std::net::IpAddr;

use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::ServerVersion;
use crate::model::receive_connector::ReceiveConnector;
use crate::scenario::check::receive_connector::binding;
use crate::scenario::compile::desk::Desk;
use crate::scenario::schema::{ExchangeServer, TransportRole};

use super::About;

/// A warning for each address in a binding that no server has who carries the connector.
pub(super) fn of_nobody(server: &ExchangeServer, about: About<'_>, desk: &mut Desk) {
    let own: Vec<(&str, &[IpAddr], &[IpAddr], bool)> = (about.world.hosts.iter().zip(about.identities))
        .filter(|(plan, _)| plan.system == about.system)
        .map(|(plan, identity)| (&*plan.name, &*identity.addresses, &*identity.egress, identity.made_up))
        .collect();
    for (_, connector) in server.receive_connectors.iter() {
        let carries = |name: &str| connector.server.as_str().is_none_or(|wanted| wanted == name);
        for text in connector.bindings.items() {
            let Some((address, _)) = binding(text) else { continue };
            let has_it = |(name, addresses, egress, made_up): &(&str, &[IpAddr], &[IpAddr], bool)| {
                carries(name) && (*made_up || addresses.contains(&address) || egress.contains(&address))
            };
            if !address.is_unspecified() && !address.is_loopback() && !own.iter().any(has_it) {
                let message = format!("no server of the connector has the address {address}: nobody reaches it there");
                let problem = Diagnostic::warning(code::NO_EFFECT, text.span(), message);
                desk.say(problem.help("write an address that the server itself has, or 0.0.0.0 and [::] for all of them; with another one the service may not even start"));
            }
        }
    }
}

/// Two transport services cannot listen at one address and port, whatever the remote addresses are.
pub(super) fn of_two_roles(server: &ExchangeServer, rows: &[ReceiveConnector], version: ServerVersion, desk: &mut Desk) {
    if version == ServerVersion::Exchange2010 {
        return;
    }
    let role = |row: &ReceiveConnector| {
        let written = server.receive_connectors.iter().find(|(name, _)| *name.as_str() == *row.name);
        written.and_then(|(_, connector)| connector.transport_role.get().copied()).or_else(|| usual_role(&row.name))
    };
    for (at, one) in rows.iter().enumerate() {
        for other in &rows[at + 1..] {
            let (Some(a), Some(b)) = (role(one), role(other)) else { continue };
            let Some((address, port)) = one.bindings.iter().find(|binding| a != b && other.bindings.contains(binding)) else { continue };
            let place = |row: &ReceiveConnector| server.receive_connectors.iter().find(|(name, _)| *name.as_str() == *row.name);
            let Some((key, written)) = place(other).or_else(|| place(one)) else { continue };
            let span = if written.transport_role.is_written() { written.transport_role.span() } else { key.span() };
            let message = format!(
                "`{}` ({}) and `{}` ({}) are bound to one address and port, {}",
                one.name,
                a.as_str(),
                other.name,
                b.as_str(),
                std::net::SocketAddr::new(*address, *port)
            );
            let help = "connectors of different transport roles need bindings of their own, whatever their remote addresses: the same role, or another port";
            desk.error(code::CMDLET_REFUSES, span, message, help);
        }
    }
}

/// The service of a default connector since Exchange 2013.
fn usual_role(name: &str) -> Option<TransportRole> {
    match name {
        "Default Frontend" | "Client Frontend" | "Outbound Proxy Frontend" => Some(TransportRole::FrontendTransport),
        "Client Proxy" | "Default" => Some(TransportRole::HubTransport),
        _ => None,
    }
}
