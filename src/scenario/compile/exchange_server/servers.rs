//! Servers of an organization, their sites, and the links between the sites.
//!
//! A server without `site` stands in the default one. Without `site_links` all sites hang on one link, as in a new forest (DEFAULTIPSITELINK).
//! Sources: Set-AdSiteLink `ExchangeCost`, Exchange Server "Mail routing".

use std::net::IpAddr;

use crate::base::{HostId, NextHopId};
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::Server;
use crate::model::settings::{NextHop, Target};
use crate::model::sites::{self, COST, SitePath};
use crate::scenario::compile::desk::Desk;
use crate::scenario::compile::tables::Tables;
use crate::scenario::schema::{ExchangeServer, Role};

use super::About;

/// The site of servers that name none.
const DEFAULT_SITE: &str = "Default-First-Site-Name";

/// The port at which servers take mail from each other.
const INSIDE_PORT: u16 = 25;

/// All servers with the names of their sites.
pub(super) struct Servers {
    pub(super) servers: Vec<Server>,
    sites: Vec<Box<str>>,
}

/// The servers of the organization in this stage.
pub(super) fn servers(about: About<'_>, tables: &mut Tables) -> Servers {
    let mut found = Vec::new();
    for (at, plan) in about.world.hosts.iter().enumerate().filter(|(_, plan)| plan.system == about.system) {
        let Some(written) = plan.written(&about.world.systems, about.tree) else { continue };
        let site: Box<str> = written.site.as_str().unwrap_or(DEFAULT_SITE).into();
        found.push((at, &*plan.name, site, written.role.or(Role::Mailbox) == Role::Edge));
    }
    let mut names: Vec<Box<str>> = found.iter().map(|(_, _, site, _)| site.clone()).collect();
    names.sort();
    names.dedup();
    let row = |(at, name, site, edge): (usize, &str, Box<str>, bool)| Server {
        host: HostId(at as u32),
        name: name.into(),
        site: names.iter().position(|known| *known == site).unwrap_or(0),
        edge,
        hop: hop(&about.identities[at].addresses, tables),
    };
    let servers = found.into_iter().map(row).collect();
    Servers { servers, sites: names }
}

/// Where the other servers reach it.
fn hop(addresses: &[IpAddr], tables: &mut Tables) -> NextHopId {
    let address = addresses.first().copied().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    NextHopId(tables.next_hops.intern(NextHop { target: Target::Ip(address), port: INSIDE_PORT }))
}

/// The least-cost paths from the site of a server.
pub(super) fn paths(server: &ExchangeServer, servers: &Servers, here: usize, desk: &mut Desk) -> Vec<Option<SitePath>> {
    let names = &servers.sites;
    let mut links: Vec<(Vec<usize>, u64)> = Vec::new();
    let mut written: Vec<_> = server.site_links.iter().collect();
    written.sort_by_key(|(name, _)| name.as_str());
    for (name, link) in written {
        let mut joined = Vec::new();
        for site in link.sites.items() {
            match names.iter().position(|known| **known == *site.as_str()) {
                Some(at) => joined.push(at),
                None => {
                    let problem =
                        Diagnostic::error(code::UNKNOWN_NAME, site.span(), format!("no server of this organization is in a site `{site}`"));
                    desk.unknown(
                        problem,
                        site,
                        names.iter().map(|name| &**name),
                        "a site is what a host of this organization has as `site`",
                    );
                }
            }
        }
        if joined.len() < 2 && link.sites.items().len() < 2 {
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
    sites::paths(names, &links, start)
}
