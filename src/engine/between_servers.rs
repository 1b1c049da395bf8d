//! From an Exchange server to another one of its organization: which delivery group, which server of it, and which recipients travel in one copy.
//!
//! Source: Exchange Server "Mail routing" (delivery groups, hub sites, delayed fan-out). Not modelled: in Exchange 2010 any server of the mailbox's site
//! writes into the mailbox; here the mail goes to the mailbox's own server.

use super::pass::Groups;
use super::route::Stop;
use super::world::World;
use crate::base::{Enhanced, HostId, NextHopId};
use crate::decide::exchange::fan_out::{Shared, share};
use crate::decide::exchange::internal_route::{Aim, GroupKind, InternalRoute, Way, route_inside};
use crate::model::exchange::DomainType;
use crate::model::exchange_server::{Organization, SendConnector, Server, ServerVersion};
use crate::model::settings::{Directory, TlsLevel, TlsPolicy};
use crate::trace::{Concern, DestinationKey, NONE};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// To the mailbox on another server: within its delivery group straight there, from outside to any server of the group.
    pub(super) fn towards_mailbox(
        &mut self,
        host: HostId,
        organization: &Organization,
        server: HostId,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let purpose = "the mailbox's server";
        let (own, Some(aim)) = (organization.own(), organization.server(server)) else {
            return Stop::NotSaid(self.tables.reply(0, Enhanced(5, 3, 5), "the mailbox's server is not part of the organization"));
        };
        if organization.version == ServerVersion::Exchange2010 {
            return self.between_servers(host, organization, &Aim { group: &[server], kind: GroupKind::Mailboxes, purpose }, decisions);
        }
        let together = |other: &Server| !other.edge && other.dag == aim.dag && (aim.dag.is_some() || other.site == aim.site);
        if own.is_some_and(together) {
            return self.between_servers(host, organization, &Aim { group: &[server], kind: GroupKind::MailboxServer, purpose }, decisions);
        }
        let group: Vec<HostId> = organization.servers.iter().filter(|other| together(other)).map(|other| other.host).collect();
        let kind = if aim.dag.is_some() { GroupKind::RoutableDag } else { GroupKind::Mailboxes };
        self.between_servers(host, organization, &Aim { group: &group, kind, purpose }, decisions)
    }

    /// To the source servers of a Send connector. Edge servers are reached from the site that they are subscribed to.
    pub(super) fn towards_sources(
        &mut self,
        host: HostId,
        organization: &Organization,
        connector: &SendConnector,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let purpose = &*connector.name;
        let sources: Vec<&Server> = connector.sources.iter().filter_map(|source| organization.server(*source)).collect();
        let own = organization.own();
        let subscribed = |server: &Server| sources.iter().any(|edge| edge.site == server.site);
        if sources.iter().all(|server| server.edge) && !own.is_some_and(|own| own.edge || subscribed(own)) {
            let sites: Vec<HostId> =
                organization.servers.iter().filter(|server| !server.edge && subscribed(server)).map(|server| server.host).collect();
            if !sites.is_empty() {
                return self.between_servers(host, organization, &Aim { group: &sites, kind: GroupKind::Site, purpose }, decisions);
            }
        }
        self.between_servers(host, organization, &Aim { group: &connector.sources, kind: GroupKind::Sources, purpose }, decisions)
    }

    /// To the server that opens a group (`ExpansionServer`).
    pub(super) fn towards_expansion(
        &mut self,
        host: HostId,
        organization: &Organization,
        (group, server): (&str, HostId),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let aim = Aim { group: &[server], kind: GroupKind::ExpansionServer, purpose: group };
        self.between_servers(host, organization, &aim, decisions)
    }

    /// From an Edge server inwards: what it takes for accepted domains goes to the servers of its site.
    pub(super) fn inwards(
        &mut self,
        host: HostId,
        organization: &Organization,
        (domain, size_bytes): (&str, u64),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let accepted = organization.accepted(&self.tables.names, domain).map(|accepted| accepted.kind);
        if accepted == Some(DomainType::ExternalRelay) {
            return self.out_of_organization(host, organization, domain, size_bytes, decisions);
        }
        let inside: Vec<HostId> = organization.servers.iter().filter(|server| !server.edge).map(|server| server.host).collect();
        let site = organization.own().and_then(|own| organization.sites.get(own.site)).map_or("", |site| &*site.name);
        let purpose = format!("EdgeSync - Inbound to {site}");
        self.between_servers(host, organization, &Aim { group: &inside, kind: GroupKind::Sources, purpose: &purpose }, decisions)
    }

    /// To servers of the same organization, over the connectors that nobody sees.
    fn between_servers(&mut self, host: HostId, organization: &Organization, aim: &Aim<'_>, decisions: &mut SmallVec<[u32; 2]>) -> Stop {
        let route = route_inside(organization, aim);
        decisions.push(self.store("which server?", host, NONE, &route));
        let rule = route.chosen.first().map_or("INT-1", |first| first.rule);
        let InternalRoute::Servers { turns, then, way } = route.outcome else {
            return Stop::Wait(self.tables.reply(0, Enhanced(4, 4, 4), "Unreachable queue: no site link leads to the server"));
        };
        let hub = way.hub.and_then(|site| organization.sites.get(site)).map(|site| format!("hub site {}", site.name));
        let connector = hub.as_deref().unwrap_or(aim.purpose);
        let hop = |host: &HostId| organization.server(*host).map(|server| server.hop);
        let hops: SmallVec<[NextHopId; 2]> = turns.iter().filter_map(hop).collect();
        let key = DestinationKey {
            manner: None,
            rotates: hops.len() > 1,
            weights: SmallVec::new(),
            hops,
            fallback: then.iter().filter_map(hop).collect(),
            tls: Some(TlsPolicy::of(TlsLevel::Opportunistic)),
            configured: true,
            plain_retry: false,
            rule,
            tenant: NONE,
            stamps: NONE,
            connector: connector.into(),
        };
        let destination = self.tables.destinations.intern(key);
        self.transport_queues.ways.insert((self.settings[host.index()].id, destination), way);
        Stop::To(destination)
    }

    /// Delayed fan-out: destinations in other sites whose ways begin alike share one copy as far as the fork.
    pub(super) fn share_ways(&mut self, copy: u32, groups: &mut Groups) {
        let host = self.copies[copy].host;
        let Directory::Organization(organization) = &self.config(host).receiver.directory else { return };
        if organization.sites.len() < 3 {
            return;
        }
        let id = self.settings[host.index()].id;
        let asked: Vec<(usize, Way)> = groups
            .iter()
            .enumerate()
            .filter_map(|(at, (destination, _))| Some((at, self.transport_queues.ways.get(&(id, *destination))?.clone())))
            .filter(|(_, way)| !way.sites.is_empty())
            .collect();
        if asked.len() < 2 {
            return;
        }
        let names: Vec<Box<str>> = asked.iter().map(|(at, _)| self.name_of_destination(organization, groups[*at].0)).collect();
        let ways: Vec<(&str, &Way)> = asked.iter().zip(&names).map(|((_, way), name)| (&**name, way)).collect();
        let decision = share(organization, &ways);
        if decision.chosen.is_empty() && decision.passed_over.is_empty() {
            return;
        }
        let mut decisions: SmallVec<[u32; 2]> = SmallVec::new();
        decisions.push(self.store("one copy for several destinations?", host, NONE, &decision));
        for Shared { members, site, at_home } in &decision.outcome {
            let destination = match at_home {
                Some(member) => groups[asked[*member].0].0,
                None => {
                    let inside = organization.servers.iter().filter(|server| server.site == *site && !server.edge);
                    let group: Vec<HostId> = inside.map(|server| server.host).collect();
                    let purpose = format!("site {}", organization.sites[*site].name);
                    let aim = Aim { group: &group, kind: GroupKind::Site, purpose: &purpose };
                    let Stop::To(destination) = self.between_servers(host, organization, &aim, &mut decisions) else { continue };
                    destination
                }
            };
            let places: Vec<usize> = members.iter().map(|member| asked[*member].0).collect();
            let mut together: SmallVec<[u16; 2]> = places.iter().flat_map(|at| std::mem::take(&mut groups[*at].1)).collect();
            together.sort_unstable();
            groups[places[0]] = (destination, together);
        }
        groups.retain(|(_, places)| !places.is_empty());
        for place in groups.iter().flat_map(|(_, places)| places.iter().copied()) {
            let index = self.copies[copy].recipients[usize::from(place)].index;
            self.trace_decisions(copy, Concern::recipient(index), &decisions);
        }
    }

    /// What a destination inside is called.
    fn name_of_destination(&self, organization: &Organization, destination: u32) -> Box<str> {
        let key = self.tables.destinations.get(destination);
        let name = |hop: &NextHopId| organization.servers.iter().find(|server| server.hop == *hop).map_or("", |server| &*server.name);
        let names: Vec<&str> = key.hops.iter().map(name).collect();
        format!("{} ({})", key.connector, names.join(", ")).into()
    }
}
