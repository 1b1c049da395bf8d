//! Over which servers does a message reach another server of its own organization?
//!
//! INT-1 the servers of the group that are nearest, in turn; INT-2 with one of them in this site there is no other way; INT-3 else the group's servers
//! in other sites, then every server of the nearest site; INT-4 then back along the least-cost path, site by site: the mail waits as near as it gets.
//! Source: Exchange Server "Mail routing" (delivery groups, queue at the point of failure).

use super::super::{Because, Decision, because};
use crate::base::HostId;
use crate::model::exchange_server::{Organization, Server};

const SOURCE: &str = "Exchange Server mail routing";

/// The way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InternalRoute {
    /// Servers.
    Servers {
        /// Nearest ones, in turn.
        turns: Vec<HostId>,
        /// If none of those answers, these in this order.
        then: Vec<HostId>,
    },
    /// No site link leads there.
    Nowhere,
}

/// The way from this server to one of `group`, the servers that can do what `purpose` needs.
#[must_use]
pub fn route_inside(organization: &Organization, group: &[HostId], purpose: &str) -> Decision<InternalRoute> {
    let cost = |server: &Server| organization.paths.get(server.site).and_then(|path| path.as_ref()).map(|path| path.cost);
    let mut servers: Vec<(u64, &Server)> = group
        .iter()
        .filter_map(|host| organization.server(*host))
        .filter(|server| server.host != organization.here)
        .filter_map(|server| Some((cost(server)?, server)))
        .collect();
    servers.sort_by_key(|(cost, server)| (*cost, server.site, server.host));
    let Some(nearest) = servers.first().map(|(_, server)| server.site) else {
        return Decision::for_reason(InternalRoute::Nowhere, because("INT-1", purpose, "no site link leads to its servers", SOURCE));
    };
    let mut chosen: Vec<Because> = Vec::new();
    let here = organization.own().map(|own| own.site);
    let mut turns = Vec::new();
    for (cost, server) in servers.iter().filter(|(_, server)| server.site == nearest) {
        turns.push(server.host);
        let why = format!("for `{purpose}`: the nearest of its servers take turns; site links cost {cost}");
        chosen.push(because("INT-1", &*server.name, why, SOURCE));
    }
    let mut then: Vec<HostId> = Vec::new();
    let mut passed_over = Vec::new();
    for (_, server) in servers.iter().filter(|(_, server)| server.site != nearest) {
        if here == Some(nearest) {
            let why = "a server of the group is in this site: those in other sites are never tried";
            passed_over.push(because("INT-2", &*server.name, why, SOURCE));
        } else {
            then.push(server.host);
            chosen.push(because("INT-3", &*server.name, "if none of those answers: the group's servers in other sites", SOURCE));
        }
    }
    if here != Some(nearest) {
        let back = organization.paths.get(nearest).and_then(|path| path.as_ref()).map_or(&[][..], |path| &path.through);
        for site in back.iter().rev() {
            let rule = if *site == nearest { "INT-3" } else { "INT-4" };
            let new: Vec<&Server> = organization
                .servers
                .iter()
                .filter(|server| server.site == *site && !server.edge && !turns.contains(&server.host) && !then.contains(&server.host))
                .collect();
            for server in new {
                then.push(server.host);
                let why = if rule == "INT-3" {
                    "if none of those answers: any server of the nearest site"
                } else {
                    "if none of those answers: back along the least-cost path, as near as the mail gets"
                };
                chosen.push(because(rule, &*server.name, why, SOURCE));
            }
        }
    }
    Decision { outcome: InternalRoute::Servers { turns, then }, chosen, passed_over }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NextHopId, SystemId};
    use crate::model::exchange_server::ServerVersion;
    use crate::model::sites::SitePath;

    #[test]
    fn ways() {
        // Sites 0 (here), 1 behind it, 2 behind that, 3 without a link.
        let path = |cost, through: &[usize]| Some(SitePath { cost, through: through.to_vec() });
        let sites = [0, 0, 1, 2, 2, 3];
        let servers = sites.iter().enumerate().map(|(at, site)| Server {
            host: HostId(at as u32),
            name: format!("S{at}").into(),
            site: *site,
            edge: false,
            hop: NextHopId(0),
        });
        let organization = Organization {
            system: SystemId(0),
            version: ServerVersion::Exchange2019,
            here: HostId(0),
            servers: servers.collect(),
            paths: vec![path(0, &[]), path(100, &[1]), path(200, &[1, 2]), None],
            accepted_domains: vec![],
            mailboxes: vec![],
            elsewhere: vec![],
            entries: vec![],
            remote_domains: vec![],
            dsn: crate::model::directory::DsnAuthority::default(),
            send_connectors: vec![],
            receive_connectors: vec![],
            transport: crate::model::exchange_server::Transport::default(),
            filters_recipients: false,
        };
        let hosts = |list: &[u32]| list.iter().map(|at| HostId(*at)).collect::<Vec<_>>();
        type Way<'a> = Option<(&'a [u32], &'a [u32])>;
        let cases: [(&str, &[u32], Way<'_>); 5] = [
            ("in this site: nothing else", &[1, 3], Some((&[1], &[]))),
            ("far away: its neighbour, then back along the path", &[3], Some((&[3], &[4, 2]))),
            ("two of them take turns", &[3, 4], Some((&[3, 4], &[2]))),
            ("the nearest first, then the group elsewhere", &[2, 3], Some((&[2], &[3]))),
            ("no link", &[5], None),
        ];
        for (case, group, expected) in cases {
            let expected =
                expected.map_or(InternalRoute::Nowhere, |(turns, then)| InternalRoute::Servers { turns: hosts(turns), then: hosts(then) });
            let decision = route_inside(&organization, &hosts(group), "c");
            assert_eq!(decision.outcome, expected, "{case}");
            assert!(!decision.chosen.is_empty(), "{case}");
        }
    }
}
