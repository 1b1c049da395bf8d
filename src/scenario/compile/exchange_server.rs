//! An Exchange organization, as each of its servers is set to: mailboxes, accepted domains, Send connectors, sites.
//!
//! Sources: New-AcceptedDomain, New-SendConnector, Set-AdSiteLink. Not modelled yet: logins.

mod bindings;
mod databases;
mod domain_security;
mod manners;
mod receive_connectors;
mod receive_limits;
mod redundancy_2010;
mod send_connectors;
mod servers;
mod switches;
mod transport;

use crate::base::{CertId, Domain, HostId, InOrder, Pattern, SystemId, alphabetical, common_form};
use crate::decide::profile::default_sender;
use crate::diag::{Diagnostic, code};
use crate::model::authentication::Stance;
use crate::model::directory::{DirectoryEntry, DsnAuthority};
use crate::model::exchange::AcceptedDomain;
use crate::model::exchange_server::{Organization, Server, ServerVersion, Transport};
use crate::model::settings::{Credentials, Directory, HostConfig, Profile, Routing};
use crate::scenario::schema::{DomainType, ExchangeServer, ExchangeVersion, Host, Scenario};

use super::accepted_domains::domain_type;
use super::automatic_replies;
use super::certificates::{Certificates, Shown};
use super::desk::Desk;
use super::directory;
use super::identity::Identity;
use super::mailboxes::{Mailboxes, homes};
use super::receiver::{Usual, receiver};
use super::scope::Scope;
use super::stance;
use super::tables::Tables;
use super::world::World;

use switches::Switches;
pub(super) use switches::{CONNECT_TIMEOUT, TLS_DOMAIN_WILDCARD, connect_timeout, tls_domain};

/// What an organization is read from.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) tree: &'a Scenario,
    pub(super) world: &'a World,
    pub(super) identities: &'a [Identity],
    pub(super) scope: &'a Scope,
    /// The place of its system.
    pub(super) system: usize,
    /// The place of the server that is read.
    pub(super) here: usize,
}

impl About<'_> {
    /// The name of the organization's system.
    fn name(&self) -> &str {
        &self.world.systems[self.system].name
    }
}

/// The settings of one server.
pub(super) fn config(
    server: &ExchangeServer,
    host: &Host,
    about: About<'_>,
    certificates: &Certificates,
    tables: &mut Tables,
    desk: &mut Desk,
) -> HostConfig {
    let switches = switches::switches(server, desk);
    let identity = &about.identities[about.here];
    let own = certificates.shown(&host.certificate, Shown::SelfSigned, desk);
    let mut organization = organization(server, host, (about, own, switches), tables, desk);
    // How many connections and hops it bears is said by its Receive connectors.
    let usual = Usual { certificate: Shown::SelfSigned, sessions: u32::MAX, hop_limit: 0, ..Usual::MTA };
    let mut sender = default_sender(Profile::ExchangeServer);
    sender.routing = Routing::Organization;
    sender.tls.plain_retry = switches.plain_retry;
    sender.rest_follows = !switches.rest_waits;
    sender.timers.connect_ns = switches.connect_ns.unwrap_or(sender.timers.connect_ns);
    sender.families.v4 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv4);
    sender.families.v6 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv6);
    let edge = organization.own().is_some_and(|own| own.edge);
    organization.transport = transport::transport(server, edge, switches, &mut sender, desk);
    let name = &about.world.hosts[about.here].name;
    organization.receive_connectors = receive_connectors::connectors(server, name, edge, switches, desk);
    let connectors = organization.receive_connectors.clone();
    let stance = Stance { checks: stance::checks(&server.checks), ..Stance::default() };
    let directory = Directory::Organization(Box::new(organization));
    let mut receiver = receiver(host, usual, directory, certificates, desk);
    bindings::of_nobody(server, about, desk);
    bindings::of_two_roles(server, &connectors, version(server), desk);
    manners::unknown_dns_servers(server, about, desk);
    receive_connectors::listen(&connectors, &mut receiver.listeners);
    if let Directory::Organization(organization) = &mut receiver.directory {
        receive_connectors::faces(&mut organization.receive_connectors, &receiver.listeners);
    }
    // Shown by Send connectors that name no other.
    let credentials = Credentials { login: None, oauth: false, certificate: receiver.certificate };
    HostConfig { sender, receiver, stance, credentials }
}

fn organization(
    server: &ExchangeServer,
    host: &Host,
    (about, own, switches): (About<'_>, Option<CertId>, Switches),
    tables: &mut Tables,
    desk: &mut Desk,
) -> Organization {
    let mut mailboxes = Mailboxes::default();
    mailboxes.add(server.host.mailboxes.items(), desk);
    mailboxes.claim_directory(&server.recipients, desk);
    let mut everywhere = mailboxes.clone();
    let mut elsewhere = Vec::new();
    let mut lists: Vec<(Pattern, Option<HostId>)> = patterns_of(server.host.mailboxes.items()).map(|pattern| (pattern, None)).collect();
    for (at, plan) in about.world.hosts.iter().enumerate().filter(|(_, plan)| plan.system == about.system) {
        let Some(written) =
            plan.written(&about.world.systems, about.tree).filter(|written| !std::ptr::eq(&raw const server.host, *written))
        else {
            continue;
        };
        everywhere.add(written.mailboxes.items(), desk);
        lists.extend(patterns_of(written.mailboxes.items()).map(|pattern| (pattern, Some(HostId(at as u32)))));
        if std::ptr::eq(written, host) {
            mailboxes.add(written.mailboxes.items(), &mut Desk::default());
        } else {
            let mut own = Mailboxes::default();
            own.add(written.mailboxes.items(), &mut Desk::default());
            elsewhere.extend(own.patterns().into_iter().map(|pattern| (pattern, HostId(at as u32))));
        }
    }
    let servers = servers::servers(server, about, tables, desk);
    let databases = databases::databases(server, about, &servers.servers, desk);
    for (database, patterns) in &databases {
        everywhere.add(patterns, desk);
        lists.extend(database.mailboxes.iter().map(|pattern| (pattern.clone(), Some(database.active))));
        if database.active.index() == about.here {
            mailboxes.add(patterns, &mut Desk::default());
        } else {
            elsewhere.extend(database.mailboxes.iter().map(|pattern| (pattern.clone(), database.active)));
        }
    }
    // A mailbox with settings of its own lives where a list has it.
    let away: Vec<(Pattern, HostId)> =
        homes(&server.recipients, &lists).into_iter().filter(|(_, home)| home.index() != about.here).collect();
    let mut here = mailboxes.patterns();
    here.retain(|pattern| !away.iter().any(|(moved, _)| moved == pattern));
    elsewhere.retain(|(pattern, _)| !away.iter().any(|(moved, _)| moved == pattern));
    elsewhere.extend(away);
    elsewhere.in_order_by(|(a, _), (b, _)| (b.is_exact(), b.weight(), a).cmp(&(a.is_exact(), a.weight(), b)));
    let edge = servers.servers.iter().any(|server| server.edge && server.host.index() == about.here);
    let mut send_connectors = send_connectors::connectors(server, (about, own, switches), &servers.servers, tables, desk);
    let secured =
        server.transport_config.get().map(|config| domain_security::domains(&config.tls_send_domain_secure_list)).unwrap_or_default();
    send_connectors::subscribe(&servers.servers, &servers.sites, &secured, &mut send_connectors);
    send_connectors.in_order_by(|a, b| alphabetical(&a.name, &b.name));
    servers_of_receive_connectors(server, &servers.servers, about, desk);
    let mut entries = directory::entries(&server.recipients, desk);
    directory::expand_at(&mut entries, &server.recipients, |text| databases::mailbox_server(text, about, &servers.servers, desk));
    Organization {
        system: SystemId(about.system as u32),
        version: version(server),
        here: HostId(about.here as u32),
        paths: servers::paths(server, &servers, about.here, desk),
        servers: servers.servers,
        sites: servers.sites,
        dags: servers.dags,
        accepted_domains: accepted_domains(server, &everywhere, tables, desk),
        // An Edge server has no mailboxes, and is told who has an address inside.
        mailboxes: if edge { Vec::new() } else { here },
        elsewhere,
        synchronized: if edge { synchronized(&entries, &everywhere) } else { Vec::new() },
        databases: databases.into_iter().map(|(database, _)| database).collect(),
        entries: if edge { Vec::new() } else { entries },
        automatic_replies: automatic_replies::of_directory(&server.recipients, desk),
        remote_domains: directory::remote_domains(&server.remote_domains, switches.auto_reply_spares_oof, desk),
        dsn: server.transport_config.get().map_or_else(DsnAuthority::default, |config| {
            directory::dsn_authority(&config.internal_dsn_reporting_authority, &config.external_dsn_reporting_authority, desk)
        }),
        send_connectors,
        internal_smtp_servers: manners::internal_smtp_servers(server, desk),
        receive_connectors: Vec::new(),
        transport: Transport::default(),
        filters_recipients: server.recipient_filtering.or(edge),
        send_as: super::mta::send_as(&server.send_as),
    }
}

fn patterns_of(texts: &[crate::scenario::source::Text]) -> impl Iterator<Item = Pattern> {
    texts.iter().map(|text| Pattern::of_names(text))
}

/// A Receive connector stands on a server of its organization.
fn servers_of_receive_connectors(server: &ExchangeServer, servers: &[Server], about: About<'_>, desk: &mut Desk) {
    for (_, connector) in server.receive_connectors.iter() {
        let Some(text) = connector.server.get().filter(|text| !servers.iter().any(|server| *server.name == *text.as_str())) else {
            continue;
        };
        let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is no server of `{}`", about.name()));
        desk.unknown(problem, text, servers.iter().map(|server| &*server.name), "`server` is a host of this organization");
    }
}

/// What EdgeSync tells an Edge server: every address inside.
fn synchronized(entries: &[DirectoryEntry], everywhere: &Mailboxes) -> Vec<Pattern> {
    everywhere.patterns().into_iter().chain(entries.iter().map(|entry| entry.address.clone())).collect()
}

fn version(server: &ExchangeServer) -> ServerVersion {
    match server.version.or(ExchangeVersion::Exchange2019) {
        ExchangeVersion::Exchange2010 => ServerVersion::Exchange2010,
        ExchangeVersion::Exchange2013 => ServerVersion::Exchange2013,
        ExchangeVersion::Exchange2016 => ServerVersion::Exchange2016,
        ExchangeVersion::Exchange2019 => ServerVersion::Exchange2019,
        ExchangeVersion::ExchangeSE => ServerVersion::ExchangeSe,
    }
}

/// What is written, and the domains of the mailboxes.
fn accepted_domains(server: &ExchangeServer, mailboxes: &Mailboxes, tables: &mut Tables, desk: &mut Desk) -> Vec<AcceptedDomain> {
    // `*.contoso.com` is the domain and all below it ("Accepted domains"); beside it `contoso.com` is closer to its own name.
    let mut domains: Vec<(Box<str>, bool, DomainType)> = Vec::new();
    for (name, kind) in server.accepted_domains.iter() {
        match name.strip_prefix("*.") {
            Some(parent) => match Domain::parse(parent).ok().filter(is_whole) {
                Some(parent) => domains.push((parent.as_str().into(), true, *kind)),
                None => {
                    let help = "`*.` and a whole name: \"*.contoso.com\"";
                    desk.error(code::VALUE, name.span(), format!("`{name}` is not a domain name"), help);
                }
            },
            None => domains.extend(desk.domain(name).map(|domain| (domain.as_str().into(), false, *kind))),
        }
    }
    for domain in mailboxes.domains() {
        if !domains.iter().any(|(known, ..)| *known == domain) {
            domains.push((domain, false, DomainType::Authoritative));
        }
    }
    let below: Vec<Box<str>> =
        server.match_sub_domains.items().iter().filter_map(|name| Some(desk.domain(name)?.as_str().into())).collect();
    for (name, domain) in server.match_sub_domains.items().iter().zip(&below) {
        if !domains.iter().any(|(known, ..)| known == domain) {
            let help = "`match_sub_domains` names accepted domains whose names below are accepted as well";
            desk.error(
                crate::diag::code::UNKNOWN_NAME,
                name.span(),
                format!("`{name}` is not an accepted domain of this organization"),
                help,
            );
        }
    }
    domains.in_order_by(|a, b| (&a.0, !a.1).cmp(&(&b.0, !b.1)));
    let called = |domain: &str, below: bool| if below { format!("*.{domain}") } else { domain.to_owned() };
    let listed = |domain: &str| server.address_book_enabled.iter().find(|(name, _)| common_form(name) == domain).map(|(_, listed)| *listed);
    for (name, _) in server.address_book_enabled.iter() {
        if !domains.iter().any(|(known, below, _)| called(known, *below) == common_form(name)) {
            let message = format!("`{name}` is not an accepted domain of this organization");
            desk.error(crate::diag::code::UNKNOWN_NAME, name.span(), message, "write it among the `accepted_domains`");
        }
    }
    let row = |(domain, with_sub_domains, kind): (Box<str>, bool, DomainType)| AcceptedDomain {
        from_disabled: false,
        to_disabled: false,
        address_book: listed(&called(&domain, with_sub_domains)),
        name: tables.names.intern(&domain),
        kind: domain_type(kind),
        match_sub_domains: with_sub_domains || below.contains(&domain),
    };
    domains.into_iter().map(row).collect()
}

fn is_whole(domain: &Domain) -> bool {
    !domain.as_str().is_empty() && !domain.as_str().contains('*')
}
