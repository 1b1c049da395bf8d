//! Send connectors of an organization, those of an Edge subscription among them.
//!
//! Sources: New-SendConnector, New-EdgeSubscription (the two connectors that it makes by itself, both at cost 100).

use crate::base::{CertId, HostId, InOrder, common_form};
use crate::decide::profile::{Subject, default_sender};
use crate::decide::tls::{Wanted, carries};
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::{AddressSpace, SendConnector, Server, ServerVersion, Space};
use crate::model::settings::{ClientCertificate, NextHop, Profile, TlsLevel, TlsPolicy};
use crate::model::sites::Site;
use crate::scenario::check::{send_connector, told_apart};
use crate::scenario::compile::certificates::Certificates;
use crate::scenario::compile::desk::Desk;
use crate::scenario::compile::tables::{Notation, Tables};
use crate::scenario::schema::{self, ExchangeServer, SmartHostAuthMechanism, TlsAuthLevel, Usage};
use crate::scenario::source::Text;

use super::About;
use super::switches::{Switches, tls_domain};
use super::transport::number;
use super::{domain_security, manners, receive_connectors};

/// `MaxMessageSize` where nobody says otherwise (articles; the cmdlet's page says 25 MB).
const SIZE_BYTES: u64 = 35 << 20;

/// What an Edge subscription's connectors cost.
const SUBSCRIPTION_COST: u32 = 100;

/// The connectors that are written.
pub(super) fn connectors(
    server: &ExchangeServer,
    (about, own, switches): (About<'_>, Option<CertId>, Switches),
    servers: &[Server],
    tables: &mut Tables,
    desk: &mut Desk,
) -> Vec<SendConnector> {
    let mut written: Vec<(&Text, &schema::SendConnector)> = server.send_connectors.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    told_apart(written.iter().map(|(name, _)| *name), desk);
    let mut rows = Vec::new();
    let nothing = schema::TransportConfig::default();
    let config = server.transport_config.get().unwrap_or(&nothing);
    for (name, connector) in written {
        let spaces = send_connector::check(name, connector, super::version(server), desk);
        let smart_hosts = smart_hosts(connector, tables, desk);
        let dns_routing = connector.dns_routing_enabled.or(true);
        let sources = sources(connector, about, servers, desk);
        for_edge_only(connector, &sources, servers, desk);
        secures_nobody(connector, config, desk);
        let (tls, recipient_domain_validated) = tls(connector, switches.tls_domain_star_is_one_label);
        let tls = TlsPolicy { certificate: shown(connector, own, switches.anonymous_without_certificate, tables), ..tls };
        let owners: Vec<&Server> = servers.iter().filter(|server| sources.contains(&server.host)).collect();
        let manner = manners::manner(server, connector, (about, switches), &owners, tables, desk);
        rows.push(SendConnector {
            name: name.as_str().into(),
            enabled: connector.enabled.or(true),
            address_spaces: spaces.into_iter().map(|(space, cost)| AddressSpace { space, cost }).collect(),
            dns_routing,
            smart_hosts: if dns_routing { Vec::new() } else { smart_hosts },
            tls,
            recipient_domain_validated,
            sources,
            fqdn: connector.fqdn.as_str().filter(|name| !name.is_empty()).map(|name| common_form(name).into()),
            scoped: connector.is_scoped_connector.or(false),
            max_message_size: max_message_size(connector, desk),
            login: connector.authentication_credential.as_str().filter(|name| !name.is_empty()).map(|name| common_form(name).into()),
            linked: linked(server, connector, about, servers, desk),
            keeps_headers: connector.cloud_services_mail_enabled.or(false),
            domain_secure: match connector.domain_secure_enabled.or(false) {
                true => domain_security::domains(&config.tls_send_domain_secure_list),
                false => Vec::new(),
            },
            mails_per_connection: number(connector.smtp_max_messages_per_connection.get().map(|loose| &loose.0), 20, false, desk),
            manner,
            timers: (manner.patience_ns > 0).then(|| {
                let usual = default_sender(Profile::ExchangeServer).timers;
                let connect_ns = switches.connect_ns.unwrap_or(usual.connect_ns);
                Box::new(crate::model::settings::Timers { connect_ns, ..usual }.at_most(manner.patience_ns))
            }),
        });
    }
    rows
}

fn max_message_size(connector: &schema::SendConnector, desk: &mut Desk) -> Option<u64> {
    let internal = connector.linked_receive_connector.is_written()
        || connector.internal.or(false)
        || connector.usage.or(Usage::Custom) == Usage::Internal;
    let usual = if internal { None } else { Some(SIZE_BYTES) };
    // Values in bytes are rounded up to whole kilobytes (New-SendConnector MaxMessageSize).
    let whole = |bytes: u64| bytes.div_ceil(1 << 10).saturating_mul(1 << 10);
    connector.max_message_size.get().and_then(|text| desk.size(text)).map_or(usual, |size| size.map(whole))
}

/// The Receive connector of this server that a connector is linked to: `Name`, or `Server\Name` for that server alone.
fn linked(
    server: &ExchangeServer,
    connector: &schema::SendConnector,
    about: About<'_>,
    servers: &[Server],
    desk: &mut Desk,
) -> Option<Box<str>> {
    let text = connector.linked_receive_connector.get().filter(|name| !name.is_empty())?;
    let (place, name) = text.split_once('\\').map_or((None, text.as_str()), |(place, name)| (Some(place), name));
    let version = super::version(server);
    let mut known: Vec<&str> = receive_connectors::names(version).collect();
    known.extend(server.receive_connectors.iter().map(|(name, _)| name.as_str()));
    if !known.contains(&name) && version == ServerVersion::Exchange2010 {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("no Receive connector is called `{name}`"));
        desk.unknown(problem, text, known, "a linked connector takes what comes in on a Receive connector of this organization");
    }
    if let Some(place) = place.filter(|place| !servers.iter().any(|server| *server.name == **place)) {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("`{place}` is no server of `{}`", about.name()));
        desk.unknown(problem, text, servers.iter().map(|server| &*server.name), "before the backslash stands a host of this organization");
    }
    place.is_none_or(|place| *about.world.hosts[about.here].name == *place).then(|| name.into())
}

fn smart_hosts(connector: &schema::SendConnector, tables: &mut Tables, desk: &mut Desk) -> Vec<crate::base::NextHopId> {
    let port = desk.number_or(&connector.port, 25, 0, u32::from(u16::MAX)) as u16;
    let (subscriptions, written): (Vec<_>, Vec<_>) = connector.smart_hosts.items().iter().cloned().partition(|text| text.as_str() == "--");
    for text in subscriptions {
        let help = "leave the connector out: an Edge server hands to the Mailbox servers of its site by itself";
        desk.error(
            code::CMDLET_REFUSES,
            text.span(),
            "the smart host `--` is that of the connector which an Edge subscription makes",
            help,
        );
    }
    let hops = tables.hops(&written, Notation::Connector, desk);
    let with_port = |id: &crate::base::NextHopId| {
        let hop = *tables.next_hops.get(id.0);
        crate::base::NextHopId(tables.next_hops.intern(NextHop { port, ..hop }))
    };
    hops.iter().map(with_port).collect()
}

/// How much TLS, and whether the certificate must have the name of the recipient's domain.
fn tls(connector: &schema::SendConnector, star_is_one_label: bool) -> (TlsPolicy, bool) {
    if connector.ignore_starttls.or(false) {
        return (TlsPolicy::of(TlsLevel::None), false);
    }
    if connector.smart_host_auth_mechanism.or(SmartHostAuthMechanism::None) == SmartHostAuthMechanism::BasicAuthRequireTLS {
        return (TlsPolicy::of(TlsLevel::BasicAuthRequireTls), false);
    }
    let level = match connector.tls_auth_level.or(TlsAuthLevel::Opportunistic) {
        TlsAuthLevel::Opportunistic if connector.require_tls.or(false) => TlsLevel::Required,
        TlsAuthLevel::Opportunistic => TlsLevel::Opportunistic,
        TlsAuthLevel::EncryptionOnly => TlsLevel::EncryptionOnly,
        TlsAuthLevel::CertificateValidation => TlsLevel::CertificateValidation,
        TlsAuthLevel::DomainValidation => TlsLevel::DomainValidation,
    };
    let name = connector.tls_domain.as_str().filter(|name| !name.is_empty() && level == TlsLevel::DomainValidation);
    let names = name.iter().map(|name| tls_domain(name, star_is_one_label)).collect();
    (TlsPolicy { names, ..TlsPolicy::of(level) }, level == TlsLevel::DomainValidation && name.is_none())
}

/// The certificate that a server shows where this connector leads.
fn shown(connector: &schema::SendConnector, own: Option<CertId>, anonymous: bool, tables: &Tables) -> ClientCertificate {
    if let Some(name) = connector.tls_certificate_name.get().filter(|name| !name.is_empty()) {
        return match Certificates::named_by_connector(name, own, tables) {
            ClientCertificate::Missing if anonymous => ClientCertificate::Nothing,
            found => found,
        };
    }
    // Without a name the server takes the certificate that has the connector's Fqdn; its self-signed one proves nothing.
    let fqdn = connector.fqdn.as_str().map(common_form);
    let has_it = |id: CertId| {
        let certificate = &tables.certificates[id.index()];
        fqdn.as_deref().is_none_or(|fqdn| certificate.any_name || carries(certificate, &Wanted::Name(fqdn), Subject::Always))
    };
    if own.is_some_and(has_it) { ClientCertificate::Own } else { ClientCertificate::Nothing }
}

/// The servers that own a connector: all Mailbox servers where nobody says otherwise.
fn sources(connector: &schema::SendConnector, about: About<'_>, servers: &[Server], desk: &mut Desk) -> Vec<HostId> {
    if !connector.source_transport_servers.is_written() {
        let all = servers.iter().filter(|server| !server.edge);
        return all.map(|server| server.host).collect();
    }
    if connector.source_transport_servers.items().is_empty() {
        let help = "name the servers that own it, or leave `source_transport_servers` out: then all Mailbox servers do";
        desk.error(code::CMDLET_REFUSES, connector.source_transport_servers.span(), "no server owns the connector", help);
    }
    let mut sources = Vec::new();
    for text in connector.source_transport_servers.items() {
        let meant: Vec<HostId> = about.scope.find(text).unwrap_or_default().to_vec();
        let own: Vec<HostId> = meant.iter().copied().filter(|host| servers.iter().any(|server| server.host == *host)).collect();
        if own.is_empty() {
            let message = format!("`{text}` is no server of `{}`", about.name());
            let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), message);
            let help = "source servers are hosts of this organization";
            desk.unknown(problem, text, servers.iter().map(|server| &*server.name), help);
        }
        sources.extend(own);
    }
    sources.in_order();
    sources.dedup();
    sources
}

/// `--`, all accepted domains, is the address space of what an Edge server sends inwards.
fn for_edge_only(connector: &schema::SendConnector, sources: &[HostId], servers: &[Server], desk: &mut Desk) {
    let on_edge = sources.iter().any(|host| servers.iter().any(|server| server.host == *host && server.edge));
    let spaces = connector.address_spaces.items().iter();
    for text in spaces.filter(|text| !on_edge && text.trim().split(';').next().is_some_and(|space| matches!(space, "--" | "smtp:--"))) {
        let help = "write the accepted domains themselves, or name an Edge server among `source_transport_servers`";
        desk.error(code::CMDLET_REFUSES, text.span(), "the address space `--` is for Edge servers only", help);
    }
    let other = |text: &str| text.split_once(':').is_some_and(|(kind, _)| !kind.is_empty() && !kind.trim().eq_ignore_ascii_case("smtp"));
    for text in connector.address_spaces.items().iter().filter(|text| on_edge && other(text)) {
        let help = "only a Mailbox server has address spaces of other types";
        desk.error(
            code::CMDLET_REFUSES,
            text.span(),
            format!("`{text}` is no SMTP address space, and an Edge server owns the connector"),
            help,
        );
    }
}

/// Domain security without a domain to secure.
fn secures_nobody(connector: &schema::SendConnector, config: &schema::TransportConfig, desk: &mut Desk) {
    if connector.domain_secure_enabled.or(false) && config.tls_send_domain_secure_list.items().is_empty() {
        let message = "`domain_secure_enabled` secures nothing: `tls_send_domain_secure_list` names no domain";
        let problem = Diagnostic::warning(code::NO_EFFECT, connector.domain_secure_enabled.span(), message);
        desk.say(problem.help("add the domains to `transport_config`: tls_send_domain_secure_list: [\"contoso.com\"]"));
    }
}

/// The connector that each Edge subscription makes by itself, one for each site. What goes inwards needs none: an Edge server hands it to the servers of
/// its site.
pub(super) fn subscribe(servers: &[Server], sites: &[Site], secured: &[Box<str>], rows: &mut Vec<SendConnector>) {
    for (at, site) in sites.iter().enumerate() {
        let edges: Vec<HostId> = servers.iter().filter(|server| server.edge && server.site == at).map(|server| server.host).collect();
        if edges.is_empty() {
            continue;
        }
        rows.push(SendConnector {
            address_spaces: vec![AddressSpace { space: Space::All, cost: SUBSCRIPTION_COST }],
            sources: edges,
            domain_secure: secured.to_vec(),
            ..SendConnector::bare(&format!("EdgeSync - {} to Internet", site.name))
        });
    }
}
