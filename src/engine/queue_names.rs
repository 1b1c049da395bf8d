//! What is a queue of an Exchange server called, and which queues does an administrator mean?
//!
//! A queue is meant by its connector and by its next hop: a domain, a smart host, or a server of the organization, which goes by its name, its FQDN and its
//! addresses, by its mailbox database, and in another site or database availability group by the name of that. Sources: Get-Queue `Identity`,
//! `NextHopDomain`, `NextHopConnector`. Not modelled: a queue of its own for each mailbox database; where a server has several, none is a name.

use super::world::World;
use crate::base::{HostId, Pattern};
use crate::decide::route::queue_name;
use crate::model::exchange_server::{Organization, Server};
use crate::trace::{DestinationKey, NONE};

/// What no connector matches lies in a queue of this name.
const UNREACHABLE: &str = "Unreachable";

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Is a queue called so?
    pub(super) fn is_called(&self, queue: u32, pattern: Option<&Pattern>) -> bool {
        let Some(pattern) = pattern else { return true };
        if queue == NONE {
            return pattern.matches(UNREACHABLE);
        }
        let row = &self.queues[queue as usize];
        let key = self.tables.destinations.get(row.destination);
        let domains = Pattern::of_names(pattern.as_str());
        let hop = |name: &str| domains.matches(name) || domains.matches(name.trim_start_matches('[').trim_end_matches(']'));
        pattern.matches(&key.connector)
            || key.hops.iter().any(|at| hop(&queue_name(&self.tables.names, self.tables.next_hops.get(at.0))))
            || self.organization_of(row.host).is_some_and(|organization| self.leads_to_server(row.host, organization, key, pattern))
    }

    /// Does it lead to servers of the organization that are called so, by themselves or as a group?
    fn leads_to_server(&self, host: HostId, organization: &Organization, key: &DestinationKey, pattern: &Pattern) -> bool {
        let aims = || organization.servers.iter().filter(|server| key.hops.contains(&server.hop));
        let names = Pattern::of_names(pattern.as_str());
        let is_so_called = |server: &Server| {
            let row = &self.model.hosts[server.host.index()];
            let literal = |address: &std::net::IpAddr| names.matches(&address.to_string());
            pattern.matches(&server.name) || names.matches(self.tables.names.text(row.hostname)) || row.addresses.iter().any(literal)
        };
        let Some(first) = aims().next() else { return false };
        aims().any(is_so_called) || next_hop_domain(organization, host, first).is_some_and(|name| pattern.matches(name))
    }

    /// What a queue is called in reasons.
    pub(super) fn called(&self, queue: u32) -> Box<str> {
        if queue == NONE {
            return UNREACHABLE.into();
        }
        let key = self.tables.destinations.get(self.queues[queue as usize].destination);
        match key.hops.first() {
            _ if !key.connector.is_empty() => key.connector.clone(),
            Some(hop) => queue_name(&self.tables.names, self.tables.next_hops.get(hop.0)).into(),
            None => UNREACHABLE.into(),
        }
    }
}

/// What Get-Queue shows for a server: its mailbox database, elsewhere its database availability group, or else its site.
fn next_hop_domain<'a>(organization: &'a Organization, host: HostId, aim: &Server) -> Option<&'a str> {
    let own = organization.server(host)?;
    match aim.dag {
        Some(dag) if own.dag != Some(dag) => organization.dags.get(dag).map(|name| &**name),
        None if own.site != aim.site && !aim.edge => organization.sites.get(aim.site).map(|site| &*site.name),
        _ => {
            let mut there = organization.databases.iter().filter(|database| database.active == aim.host);
            there.next().filter(|_| there.next().is_none()).map(|database| &*database.name)
        }
    }
}
