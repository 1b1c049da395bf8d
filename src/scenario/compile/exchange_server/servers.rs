//! Servers of an organization, their sites, and the links between the sites.
//!
//! A server without `site` stands in the default one. Without `site_links` all sites hang on one link, as in a new forest (DEFAULTIPSITELINK).
//! Sources: Set-AdSiteLink `ExchangeCost`, Exchange Server "Mail routing".

use std::net::IpAddr;

use crate::base::{HostId, InOrder, NextHopId, alphabetical};
use crate::diag::{Diagnostic, Span, code};
use crate::model::exchange_server::{Server, ServerVersion};
use crate::model::settings::{NextHop, Target};
use crate::model::sites::{self, COST, Site, SitePath};
use crate::scenario::compile::desk::Desk;
use crate::scenario::compile::tables::Tables;
use crate::scenario::schema::{ExchangeServer, Role};

use super::About;

/// The site of servers that name none.
const DEFAULT_SITE: &str = "Default-First-Site-Name";

/// The port of the Transport service, where Mailbox servers take mail from each other since Exchange 2013; port 25 is the front end's.
const TRANSPORT_PORT: u16 = 2525;

/// The port of Exchange 2010's one service, and of Edge servers on both ways.
const USUAL_PORT: u16 = 25;

/// All servers with the names of their sites.
pub(super) struct Servers {
    pub(super) servers: Vec<Server>,
    pub(super) sites: Vec<Site>,
    /// Database availability groups, in the order of names.
    pub(super) dags: Vec<Box<str>>,
}

/// The servers of the organization in this stage.
pub(super) fn servers(server: &ExchangeServer, about: About<'_>, tables: &mut Tables, desk: &mut Desk) -> Servers {
    let mut found = Vec::new();
    let mut edges = Vec::new();
    for (at, plan) in about.world.hosts.iter().enumerate().filter(|(_, plan)| plan.system == about.system) {
        let Some(written) = plan.written(&about.world.systems, about.tree) else { continue };
        let site: Box<str> = written.site.as_str().unwrap_or(DEFAULT_SITE).into();
        let is_edge = written.role.or(Role::Mailbox) == Role::Edge;
        if is_edge {
            edges.push((site.clone(), written.role.span()));
        }
        found.push((at, &*plan.name, site, is_edge));
    }
    subscribed_where_nobody_is(&edges, &found, desk);
    let mut names: Vec<Box<str>> = found.iter().map(|(_, _, site, _)| site.clone()).collect();
    names.extend(server.sites.iter().map(|(name, _)| name.as_str().into()));
    names.in_order_by(|a, b| alphabetical(a, b));
    names.dedup();
    let dags = dags(server, about, &found.iter().filter(|(.., edge)| !edge).map(|(at, ..)| *at).collect::<Vec<_>>(), desk);
    let here_is_edge = found.iter().any(|(at, .., edge)| *edge && *at == about.here);
    let one_service = here_is_edge || super::version(server) == ServerVersion::Exchange2010;
    let row = |(at, name, site, edge): (usize, &str, Box<str>, bool)| Server {
        host: HostId(at as u32),
        name: name.into(),
        site: names.iter().position(|known| *known == site).unwrap_or(0),
        edge,
        hop: hop(&about.identities[at].addresses, if edge || one_service { USUAL_PORT } else { TRANSPORT_PORT }, tables),
        dag: dags.iter().position(|(_, members)| members.contains(&at)),
    };
    let servers: Vec<Server> = found.into_iter().map(row).collect();
    let sites = names.into_iter().enumerate().map(|(at, name)| {
        let written = server.sites.iter().find(|(known, _)| known.as_str() == &*name);
        let hub = written.is_some_and(|(_, site)| site.hub_site_enabled.or(false));
        if let Some((known, _)) = written.filter(|_| hub && !servers.iter().any(|server| server.site == at && !server.edge)) {
            let help = "a hub site takes the mail that passes through: a Mailbox server must stand there";
            desk.error(code::MISSING, known.span(), format!("no Mailbox server stands in the hub site `{name}`"), help);
        }
        Site { name, hub }
    });
    Servers { sites: sites.collect(), servers, dags: dags.into_iter().map(|(name, _)| name).collect() }
}

/// An Edge server hands what comes in to the Mailbox servers of its site.
fn subscribed_where_nobody_is(edges: &[(Box<str>, Span)], found: &[(usize, &str, Box<str>, bool)], desk: &mut Desk) {
    let takes_mail = |site: &str| found.iter().any(|(.., other, is_edge)| !is_edge && **other == *site);
    for (site, place) in edges.iter().filter(|(site, _)| !takes_mail(site)) {
        let message = format!("no Mailbox server stands in the site `{site}` that this Edge server is subscribed to");
        desk.error(code::MISSING, *place, message, "an Edge subscription is one to a site with Mailbox servers: write it as `site`");
    }
}

/// The database availability groups with their members, in the order of names.
fn dags(server: &ExchangeServer, about: About<'_>, mailbox_servers: &[usize], desk: &mut Desk) -> Vec<(Box<str>, Vec<usize>)> {
    let mut written: Vec<_> = server.database_availability_groups.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    let mut found: Vec<(Box<str>, Vec<usize>)> = Vec::new();
    for (name, dag) in written {
        let mut members = Vec::new();
        for text in dag.servers.items() {
            let meant = about.scope.find(text).unwrap_or_default();
            let own: Vec<usize> = meant.iter().map(|host| host.index()).filter(|at| mailbox_servers.contains(at)).collect();
            if own.is_empty() {
                let message = format!("`{text}` is no Mailbox server of `{}`", about.name());
                let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), message);
                let names = mailbox_servers.iter().map(|at| &*about.world.hosts[*at].name);
                desk.unknown(problem, text, names, "members are Mailbox servers of this organization");
            }
            if own.iter().any(|at| found.iter().any(|(_, other)| other.contains(at))) {
                let help = "a server is a member of one group at most";
                desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is in another database availability group"), help);
            }
            members.extend(own);
        }
        found.push((name.as_str().into(), members));
    }
    found
}

/// Where the other servers reach it.
fn hop(addresses: &[IpAddr], port: u16, tables: &mut Tables) -> NextHopId {
    let address = addresses.first().copied().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    NextHopId(tables.next_hops.intern(NextHop { target: Target::Ip(address), port }))
}

/// The least-cost paths from the site of a server.
pub(super) fn paths(server: &ExchangeServer, servers: &Servers, here: usize, desk: &mut Desk) -> Vec<Option<SitePath>> {
    let names = &servers.sites;
    let place = |name: &str| names.iter().position(|site| &*site.name == name);
    let mut links: Vec<(Vec<usize>, u64)> = Vec::new();
    let mut written: Vec<_> = server.site_links.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    for (name, link) in written {
        let mut joined = Vec::new();
        for site in link.sites.items() {
            match place(site.as_str()) {
                Some(at) => joined.push(at),
                None => {
                    let problem =
                        Diagnostic::error(code::UNKNOWN_NAME, site.span(), format!("no server of this organization is in a site `{site}`"));
                    desk.unknown(
                        problem,
                        site,
                        names.iter().map(|known| &*known.name),
                        "a site is what a host of this organization has as `site`, or what stands under `sites`",
                    );
                }
            }
        }
        let sites = link.sites.items();
        let twice = sites.iter().enumerate().find(|(at, site)| sites[..*at].iter().any(|other| other.as_str() == site.as_str()));
        if let Some((_, site)) = twice {
            desk.error(code::WRITTEN_TWICE, site.span(), format!("`{site}` stands in this site link twice"), "each site once");
        } else if sites.len() < 2 {
            desk.missing(name.span(), "a site link joins two sites at least", "write sites: [\"Amsterdam\", \"London\"]");
        }
        let cost = u64::from(desk.number_or(&link.cost, COST as u32, 1, u32::MAX));
        let exchange_cost = u64::from(desk.number_or(&link.exchange_cost, cost as u32, 1, u32::MAX));
        links.push((joined, if link.exchange_cost.is_written() { exchange_cost } else { cost }));
    }
    if server.site_links.is_empty() {
        links.push(((0..names.len()).collect(), COST));
    }
    let start = servers.servers.iter().find(|server| server.host.index() == here).map_or(0, |server| server.site);
    sites::paths(names.len(), &links, start)
}
