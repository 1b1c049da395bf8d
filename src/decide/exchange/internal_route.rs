//! Over which servers does a message reach another server of its own organization?
//!
//! INT-1 the servers of the delivery group that are nearest, in turn; INT-2 with one of them in this site there is no other way; INT-3 else the group's
//! servers in other sites, then every server of the nearest site; INT-4 then back along the least-cost path, site by site: the mail waits as near as
//! it gets; INT-5 a hub site on the least-cost path stops it.
//! Source: Exchange Server "Mail routing" (delivery groups, hub sites, queue at the point of failure).

use super::super::{Because, Decision, because};
use crate::base::{HostId, InOrder};
use crate::model::exchange_server::{Organization, Server, ServerVersion};
use crate::model::sites::SitePath;

const SOURCE: &str = "Exchange Server mail routing";

/// What a delivery group is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GroupKind {
    /// The members of a database availability group, wherever they stand.
    RoutableDag,
    /// The Mailbox servers of a site.
    Mailboxes,
    /// The one server that has the mailbox, seen from within its group.
    MailboxServer,
    /// The source servers of a Send connector.
    Sources,
    /// The one server that opens a group.
    ExpansionServer,
    /// A site that the mail has to pass through.
    Site,
    /// The Mailbox servers of the site that an Edge server is subscribed to.
    Subscription,
}

impl GroupKind {
    fn words(self) -> &'static str {
        match self {
            Self::RoutableDag => "the members of the database availability group",
            Self::Mailboxes => "the Mailbox servers of its site",
            Self::MailboxServer => "the server that has the mailbox, in the same delivery group",
            Self::Sources => "its source servers",
            Self::ExpansionServer => "the one server that opens it",
            Self::Site => "the servers of the site",
            Self::Subscription => "its smart host `--`, the Mailbox servers of the subscribed site,",
        }
    }
}

/// A delivery group, and what for.
#[derive(Clone, Debug)]
pub struct Aim<'a> {
    /// Its servers.
    pub group: &'a [HostId],
    /// Of what kind it is.
    pub kind: GroupKind,
    /// What they do for the message.
    pub purpose: &'a str,
}

/// The way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InternalRoute {
    /// Servers.
    Servers {
        /// Nearest ones, in turn.
        turns: Vec<HostId>,
        /// If none of those answers, these in this order.
        then: Vec<HostId>,
        /// Over which sites.
        way: Way,
    },
    /// No site link leads there.
    Nowhere,
}

/// The sites between here and the next stop, and what may be done on the way.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Way {
    /// From the first site behind this one to that of the stop; empty within a site.
    pub sites: Vec<usize>,
    /// One copy may travel for several destinations (INT-6).
    pub fans_out: bool,
    /// The stop is a hub site that is not the aim.
    pub hub: Option<usize>,
    /// The stop is the server that has the mailbox.
    pub to_mailbox: bool,
}

/// The way from this server to one of the servers of `aim`.
#[must_use]
pub fn route_inside(organization: &Organization, aim: &Aim<'_>) -> Decision<InternalRoute> {
    let mut servers: Vec<(&SitePath, &Server)> = aim
        .group
        .iter()
        .filter_map(|host| organization.server(*host))
        .filter(|server| server.host != organization.here)
        .filter_map(|server| Some((organization.paths.get(server.site)?.as_ref()?, server)))
        .collect();
    servers.in_order_by_key(|(path, server)| (path.rank(), server.site, server.host));
    let Some((path, first)) = servers.first().copied() else {
        return Decision::for_reason(InternalRoute::Nowhere, because("INT-1", aim.purpose, "no site link leads to its servers", SOURCE));
    };
    let mut chosen: Vec<Because> = Vec::new();
    if aim.kind == GroupKind::MailboxServer {
        let why = format!("for {}: {}", aim.purpose, aim.kind.words());
        chosen.push(because("INT-1", &*first.name, why, SOURCE));
        let way = Way { to_mailbox: true, ..Way::default() };
        return Decision { outcome: InternalRoute::Servers { turns: vec![first.host], then: vec![], way }, chosen, passed_over: vec![] };
    }
    let what = match aim.kind {
        GroupKind::Sources | GroupKind::Site | GroupKind::ExpansionServer | GroupKind::Subscription => format!("`{}`", aim.purpose),
        GroupKind::RoutableDag | GroupKind::Mailboxes | GroupKind::MailboxServer => aim.purpose.to_owned(),
    };
    let mut passed_over = hubs_beside(organization, path);
    let stop = path.through.iter().position(|site| is_hub(organization, *site) && in_site(organization, *site).next().is_some());
    let fans_out = aim.kind == GroupKind::Site || stop.is_some() || organization.version == ServerVersion::Exchange2010;
    let mut turns: Vec<HostId> = Vec::new();
    let mut then: Vec<HostId> = Vec::new();
    if let Some(stop) = stop {
        let site = path.through[stop];
        let members: Vec<&Server> =
            servers.iter().map(|(_, server)| *server).filter(|server| server.site == site && !server.edge).collect();
        let at = &*organization.sites[site].name;
        for server in in_site(organization, site) {
            let preferred = members.iter().any(|member| member.host == server.host);
            let why = format!("for {what}: `{at}` is a hub site on the least-cost path, so the mail stops there");
            if preferred || members.is_empty() {
                turns.push(server.host);
                chosen.push(because("INT-5", &*server.name, why, SOURCE));
            }
        }
        for server in in_site(organization, site).filter(|_| !members.is_empty()) {
            if !turns.contains(&server.host) {
                then.push(server.host);
                chosen.push(because("INT-5", &*server.name, "if none of those answers: another server of the hub site", SOURCE));
            }
        }
        back_along(organization, &path.through[..stop], (&turns, &mut then), None, &mut chosen);
        let is_aim = stop + 1 == path.through.len();
        let way = Way { sites: path.through[..=stop].to_vec(), fans_out, hub: (!is_aim).then_some(site), to_mailbox: false };
        return Decision { outcome: InternalRoute::Servers { turns, then, way }, chosen, passed_over };
    }
    let nearest = first.site;
    let here = organization.own().map(|own| own.site);
    for (path, server) in servers.iter().filter(|(_, server)| server.site == nearest) {
        turns.push(server.host);
        let why = match aim.kind {
            GroupKind::ExpansionServer => format!("for {what}: {}; site links cost {}", aim.kind.words(), path.cost),
            GroupKind::Subscription => format!("for {what}: {} take turns", aim.kind.words()),
            _ => format!("for {what}: the nearest of {} take turns; site links cost {}", aim.kind.words(), path.cost),
        };
        chosen.push(because("INT-1", &*server.name, why, SOURCE));
    }
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
        back_along(organization, &path.through, (&turns, &mut then), Some(nearest), &mut chosen);
    }
    let way = Way { sites: path.through.clone(), fans_out, hub: None, to_mailbox: false };
    Decision { outcome: InternalRoute::Servers { turns, then, way }, chosen, passed_over }
}

fn is_hub(organization: &Organization, site: usize) -> bool {
    organization.sites.get(site).is_some_and(|site| site.hub)
}

/// The Mailbox servers of a site that can take mail from this one.
pub(super) fn in_site(organization: &Organization, site: usize) -> impl Iterator<Item = &Server> {
    organization.servers.iter().filter(move |server| server.site == site && !server.edge && server.host != organization.here)
}

/// Hub sites that a path does not touch.
fn hubs_beside(organization: &Organization, path: &SitePath) -> Vec<Because> {
    let here = organization.own().map(|own| own.site);
    let beside = organization.sites.iter().enumerate().filter(|(at, site)| site.hub && here != Some(*at) && !path.through.contains(at));
    let beside = beside.filter(|_| !path.through.is_empty());
    beside.map(|(_, site)| because("INT-5", &*site.name, "a hub site, but not on the least-cost path: it does not count", SOURCE)).collect()
}

/// What is tried when the stop does not answer: the sites before it, from the last one back.
fn back_along(
    organization: &Organization,
    through: &[usize],
    (turns, then): (&[HostId], &mut Vec<HostId>),
    nearest: Option<usize>,
    chosen: &mut Vec<Because>,
) {
    for site in through.iter().rev() {
        let rule = if Some(*site) == nearest { "INT-3" } else { "INT-4" };
        for server in in_site(organization, *site) {
            if turns.contains(&server.host) || then.contains(&server.host) {
                continue;
            }
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

/// Why a server is where it is in the order of one attempt.
#[must_use]
pub fn turn(name: &str, place: usize) -> Because {
    let why = match place {
        0 => "its turn".to_owned(),
        _ => format!("number {} in turn, if those before do not answer", place + 1),
    };
    because("INT-1", name, why, SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::NextHopId;
    use crate::model::sites::Site;

    /// Sites 0 (here), 1 behind it, 2 behind that, 3 without a link, 4 beside all of that.
    fn organization(version: ServerVersion, hubs: &[usize]) -> Organization {
        let path = |cost, through: &[usize]| Some(SitePath { cost, through: through.to_vec() });
        let servers = [0, 0, 1, 2, 2, 3, 4].iter().enumerate().map(|(at, site)| Server {
            host: HostId(at as u32),
            name: format!("S{at}").into(),
            site: *site,
            edge: false,
            hop: NextHopId(0),
            dag: None,
        });
        let sites = (0..5).map(|at| Site { name: format!("site {at}").into(), hub: hubs.contains(&at) });
        Organization {
            servers: servers.collect(),
            sites: sites.collect(),
            paths: vec![path(0, &[]), path(100, &[1]), path(200, &[1, 2]), None, path(200, &[4])],
            ..Organization::bare(version)
        }
    }

    fn hosts(list: &[u32]) -> Vec<HostId> {
        list.iter().map(|at| HostId(*at)).collect()
    }

    #[test]
    fn ways() {
        use GroupKind::{MailboxServer, Mailboxes, RoutableDag, Site, Sources};
        type Expected<'a> = Option<(&'a [u32], &'a [u32], &'a [usize])>;
        type Case<'a> = (&'a str, &'a [usize], GroupKind, &'a [u32], Expected<'a>, &'a str);
        let cases: [Case<'_>; 13] = [
            ("in this site: nothing else", &[], Sources, &[1, 3], Some((&[1], &[], &[])), "INT-1"),
            ("far away: its neighbour, then back along the path", &[], Sources, &[3], Some((&[3], &[4, 2], &[1, 2])), "INT-1"),
            ("two of them take turns", &[], Sources, &[3, 4], Some((&[3, 4], &[2], &[1, 2])), "INT-1"),
            ("the nearest first, then the group elsewhere", &[], Sources, &[2, 3], Some((&[2], &[3], &[1])), "INT-1"),
            ("no link", &[], Sources, &[5], None, "INT-1"),
            ("as cheap: fewer hops", &[], RoutableDag, &[3, 6], Some((&[6], &[3], &[4])), "INT-1"),
            ("within the group: that server and no other", &[1], MailboxServer, &[3], Some((&[3], &[], &[])), "INT-1"),
            ("a hub site on the path stops the mail", &[1], Sources, &[3], Some((&[2], &[], &[1])), "INT-5"),
            ("a hub site beside the path does not", &[4], Sources, &[3], Some((&[3], &[4, 2], &[1, 2])), "INT-1"),
            ("the first of two hub sites", &[1, 2], Mailboxes, &[3], Some((&[2], &[], &[1])), "INT-5"),
            ("the aim is the hub: its members before its neighbours", &[2], Mailboxes, &[3], Some((&[3], &[4, 2], &[1, 2])), "INT-5"),
            ("a hub that is the aim: no member elsewhere", &[2], RoutableDag, &[3, 5], Some((&[3], &[4, 2], &[1, 2])), "INT-5"),
            ("this site is the hub", &[0], Site, &[3, 4], Some((&[3, 4], &[2], &[1, 2])), "INT-1"),
        ];
        for (case, hubs, kind, group, expected, rule) in cases {
            let organization = organization(ServerVersion::Exchange2019, hubs);
            let decision = route_inside(&organization, &Aim { group: &hosts(group), kind, purpose: "c" });
            let got = match &decision.outcome {
                InternalRoute::Nowhere => None,
                InternalRoute::Servers { turns, then, way } => Some((turns.clone(), then.clone(), way.sites.clone())),
            };
            assert_eq!(got, expected.map(|(turns, then, sites)| (hosts(turns), hosts(then), sites.to_vec())), "{case}");
            assert_eq!(decision.chosen.first().map(|first| first.rule), Some(rule), "{case}");
        }
    }

    #[test]
    fn who_fans_out() {
        use ServerVersion::{Exchange2010, Exchange2019};
        let cases: [(&str, ServerVersion, &[usize], GroupKind, bool); 5] = [
            ("a group of databases is reached directly", Exchange2019, &[], GroupKind::RoutableDag, false),
            ("a connector too", Exchange2019, &[], GroupKind::Sources, false),
            ("over a hub site", Exchange2019, &[1], GroupKind::Sources, true),
            ("to a site", Exchange2019, &[], GroupKind::Site, true),
            ("in 2010 all of them", Exchange2010, &[], GroupKind::Sources, true),
        ];
        for (case, version, hubs, kind, expected) in cases {
            let decision = route_inside(&organization(version, hubs), &Aim { group: &hosts(&[3]), kind, purpose: "c" });
            let InternalRoute::Servers { way, .. } = decision.outcome else { panic!("{case}") };
            assert_eq!(way.fans_out, expected, "{case}");
        }
    }
}
