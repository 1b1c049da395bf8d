//! Which Send connector takes a recipient outside of an Exchange organization?
//!
//! SND-0 the sender never counts; SND-1 connectors that are too small for the message go first; SND-2 disabled, out of scope or not matching; SND-3 the
//! most specific address space; SND-4 the lowest cost of site links and address space together; SND-5 this server, then this site, then elsewhere;
//! SND-6 the lower name; SND-7 none: the Unreachable queue. Equal connectors never share mail.
//! Sources: Exchange Server "Connector selection in external message routing", New-SendConnector. Not modelled: address types other than SMTP.

use super::super::{Because, Decision, because};
use crate::model::dns::Names;
use crate::model::exchange::DomainType;
use crate::model::exchange_server::{Organization, SendConnector, Space};
use std::cmp::Reverse;

/// Documentation of the selection.
const SOURCE: &str = "New-SendConnector";

/// How specific `--` is: more than a wildcard, less than the exact domain.
const RANK_OF_ACCEPTED: u8 = 2;

/// What carries a message out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// The connector with this place among the organization's.
    Connector(usize),
    /// None matches: it waits until one is there.
    Unreachable,
    /// Those that match are all too small for it.
    TooLarge,
}

/// How good a connector that matches is; the least wins.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Rank {
    specificity: Reverse<(u8, usize)>,
    cost: u64,
    distance: Distance,
    /// Connectors are in the order of names.
    at: usize,
    /// How much of the cost is that of site links; never decides.
    links: u64,
}

/// How far its nearest source server is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Distance {
    This,
    SameSite,
    Elsewhere,
}

impl Distance {
    fn words(self) -> &'static str {
        match self {
            Self::This => "this server is one of its source servers",
            Self::SameSite => "a server of this site is one of its source servers",
            Self::Elsewhere => "its source servers are in another site",
        }
    }
}

/// Chooses for a recipient in `domain` of a message of `size_bytes`.
#[must_use]
pub fn select(organization: &Organization, names: &Names, domain: &str, size_bytes: u64) -> Decision<Choice> {
    select_alive(organization, names, domain, size_bytes, &[])
}

/// The same, where some connectors are known to be dead (switch `dead_connector: Skipped`): they are left out if another one matches.
#[must_use]
pub fn select_alive(organization: &Organization, names: &Names, domain: &str, size_bytes: u64, dead: &[usize]) -> Decision<Choice> {
    let connectors = &organization.send_connectors;
    let mut passed_over: Vec<Because> = Vec::new();
    let mut ranks: Vec<Rank> = Vec::new();
    let mut only_too_small = false;
    for (at, connector) in connectors.iter().enumerate() {
        match rank(organization, names, connector, at, domain) {
            Err(why) => passed_over.push(because("SND-2", &*connector.name, why, SOURCE)),
            Ok(_) if connector.max_message_size.is_some_and(|most| size_bytes > most) => {
                only_too_small = true;
                let most = connector.max_message_size.unwrap_or(0);
                let why = format!("the message has {size_bytes} bytes, and MaxMessageSize is {most}: looked at before anything else");
                passed_over.push(because("SND-1", &*connector.name, why, SOURCE));
            }
            Ok(rank) => ranks.push(rank),
        }
    }
    if ranks.iter().any(|rank| !dead.contains(&rank.at)) {
        let why = "its queue is in Retry, and the switch `dead_connector` says that such a connector is left out";
        let left_out = ranks.iter().filter(|rank| dead.contains(&rank.at));
        passed_over.extend(left_out.map(|rank| because("SND-2", &*connectors[rank.at].name, why, "practitioners, 2016")));
        ranks.retain(|rank| !dead.contains(&rank.at));
    }
    let Some(best) = ranks.iter().min().copied() else {
        return nothing_matches(domain, only_too_small, passed_over);
    };
    let winner = &connectors[best.at];
    for rank in ranks.iter().filter(|rank| rank.at != best.at) {
        let (rule, why) = loses(rank, &best, &winner.name);
        passed_over.push(because(rule, &*connectors[rank.at].name, why, SOURCE));
    }
    let rule = ranks.iter().filter(|rank| rank.at != best.at).map(|rank| loses(rank, &best, "").0).max().unwrap_or("SND-3");
    let space = space_of(organization, names, winner, domain).map_or("", |(words, ..)| words);
    let cost = match best.links {
        0 => best.cost.to_string(),
        links => format!("{} ({links} of the site links, {} of the address space)", best.cost, best.cost - links),
    };
    let why = format!("{space} matches `{domain}`; cost {cost}; {}", best.distance.words());
    passed_over.push(because("SND-0", "the sender", "never looked at: address spaces are about recipients", SOURCE));
    let chosen = vec![because(rule, &*winner.name, why, SOURCE)];
    Decision { outcome: Choice::Connector(best.at), chosen, passed_over }
}

fn nothing_matches(domain: &str, only_too_small: bool, mut passed_over: Vec<Because>) -> Decision<Choice> {
    let mx = "a server without a matching connector does not look up the recipient's MX on its own";
    passed_over.push(because("SND-7", format!("MX of {domain}"), mx, SOURCE));
    let (outcome, name, why) = if only_too_small {
        (Choice::TooLarge, "nobody", "the connectors that match are all too small for the message")
    } else {
        (Choice::Unreachable, "Unreachable queue", "no Send connector matches: it waits here until one does, or until it expires")
    };
    Decision { outcome, chosen: vec![because("SND-7", name, why, SOURCE)], passed_over }
}

/// By which rule a connector loses, and why.
fn loses(rank: &Rank, best: &Rank, winner: &str) -> (&'static str, String) {
    if rank.specificity != best.specificity {
        ("SND-3", format!("its address space is less specific than that of `{winner}`"))
    } else if rank.cost != best.cost {
        ("SND-4", format!("costs {} in all, `{winner}` {}", rank.cost, best.cost))
    } else if rank.distance != best.distance {
        ("SND-5", format!("as good, but {}", rank.distance.words()))
    } else {
        ("SND-6", format!("as good in every way, and `{winner}` comes before it by name: equal connectors do not share mail"))
    }
}

/// How good a connector is for `domain`, or why it is not looked at.
fn rank(organization: &Organization, names: &Names, connector: &SendConnector, at: usize, domain: &str) -> Result<Rank, String> {
    if !connector.enabled {
        return Err("disabled".into());
    }
    let own = organization.own().ok_or("the server is not part of the organization")?;
    let sources: Vec<_> = connector.sources.iter().filter_map(|host| organization.server(*host)).collect();
    let here = sources.iter().any(|server| server.host == own.host);
    if own.edge && !here {
        return Err("an Edge server knows only the connectors that it is a source of".into());
    }
    if connector.scoped && !sources.iter().any(|server| server.site == own.site) {
        return Err("scoped to another site (IsScopedConnector)".into());
    }
    if let Some(linked) = &connector.linked {
        return Err(format!("linked to the Receive connector `{linked}`: for what came in there alone"));
    }
    let Some((_, specificity, cost)) = space_of(organization, names, connector, domain) else {
        return Err(format!("no address space of it covers `{domain}`"));
    };
    let Some(way) = sources.iter().filter_map(|server| Some(organization.paths.get(server.site)?.as_ref()?.cost)).min() else {
        return Err("no site link leads to its source servers".into());
    };
    let distance = if here {
        Distance::This
    } else if sources.iter().any(|server| server.site == own.site) {
        Distance::SameSite
    } else {
        Distance::Elsewhere
    };
    Ok(Rank { specificity: Reverse(specificity), cost: way + u64::from(cost), links: way, distance, at })
}

/// Does a connector stand for the organization's own domains (`--`), or for this very one?
#[must_use]
pub(super) fn is_for_own_domains(organization: &Organization, names: &Names, at: usize, domain: &str) -> bool {
    space_of(organization, names, &organization.send_connectors[at], domain).is_some_and(|(_, (rank, _), _)| rank >= RANK_OF_ACCEPTED)
}

/// `--`: the authoritative and internal relay domains, and for Edge servers only.
fn is_inside(organization: &Organization, names: &Names, domain: &str) -> bool {
    let accepted = organization.accepted(names, domain);
    organization.own().is_some_and(|own| own.edge) && accepted.is_some_and(|accepted| accepted.kind != DomainType::ExternalRelay)
}

/// The most specific address space of a connector that covers `domain`: in words, how specific, its cost.
fn space_of(
    organization: &Organization,
    names: &Names,
    connector: &SendConnector,
    domain: &str,
) -> Option<(&'static str, (u8, usize), u32)> {
    let found = connector.address_spaces.iter().filter_map(|entry| {
        let (words, specificity) = match &entry.space {
            Space::All => ("`*`", (0, 0)),
            Space::Below(parent) => {
                let front = domain.strip_suffix(&**parent)?;
                if !front.is_empty() && !front.ends_with('.') {
                    return None;
                }
                ("a wildcard", (1, parent.len()))
            }
            Space::Domain(name) if **name == *domain => ("the exact domain", (3, 0)),
            Space::Accepted if is_inside(organization, names, domain) => {
                ("`--`, the authoritative and internal relay domains,", (RANK_OF_ACCEPTED, 0))
            }
            Space::Domain(_) | Space::Accepted | Space::OtherType(_) => return None,
        };
        Some((words, specificity, entry.cost))
    });
    found.max_by_key(|(_, specificity, cost)| (*specificity, Reverse(*cost)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::HostId;
    use crate::model::exchange_server::{AddressSpace, Server, ServerVersion};
    use crate::model::sites::SitePath;

    /// Servers 0 and 1 in this site, 2 in a site that costs 100, 3 in one that no link leads to.
    fn organization(connectors: Vec<SendConnector>) -> Organization {
        let server = |(at, site): (u32, usize)| Server {
            host: HostId(at),
            name: format!("S{at}").into(),
            site,
            edge: false,
            hop: crate::base::NextHopId(at),
            dag: None,
        };
        Organization {
            servers: [(0, 0), (1, 0), (2, 1), (3, 2)].map(server).to_vec(),
            paths: vec![Some(SitePath { cost: 0, through: vec![] }), Some(SitePath { cost: 100, through: vec![1] }), None],
            send_connectors: connectors,
            ..Organization::bare(ServerVersion::Exchange2019)
        }
    }

    fn connector(name: &str, space: &str, cost: u32, sources: &[u32]) -> SendConnector {
        let space = match space.strip_prefix("*.") {
            _ if space == "*" => Space::All,
            Some(parent) => Space::Below(parent.into()),
            None => Space::Domain(space.into()),
        };
        SendConnector {
            address_spaces: vec![AddressSpace { space, cost }],
            sources: sources.iter().map(|at| HostId(*at)).collect(),
            max_message_size: Some(1000),
            ..SendConnector::bare(name)
        }
    }

    #[test]
    fn selection() {
        let (star, wild, exact) = (
            connector("star", "*", 1, &[0]),
            connector("wild", "*.contoso.com", 50, &[0]),
            connector("exact", "eu.contoso.com", 100, &[0]),
        );
        let off = SendConnector { enabled: false, ..connector("off", "eu.contoso.com", 1, &[0]) };
        let scoped = SendConnector { scoped: true, ..connector("scoped", "eu.contoso.com", 1, &[2]) };
        let small = SendConnector { max_message_size: Some(10), ..exact.clone() };
        let cases = [
            ("the exact domain, whatever it costs", vec![&star, &wild, &exact], "eu.contoso.com", Some("exact"), "SND-3"),
            ("the wildcard before `*`", vec![&star, &wild], "eu.contoso.com", Some("wild"), "SND-3"),
            ("a wildcard also covers its bare domain", vec![&star, &wild], "contoso.com", Some("wild"), "SND-3"),
            ("but not a part of a label", vec![&star, &wild], "notcontoso.com", Some("star"), "SND-3"),
            ("disabled or scoped to another site: not seen", vec![&off, &scoped, &star], "eu.contoso.com", Some("star"), "SND-3"),
            ("too small: the less specific one takes it", vec![&small, &star], "eu.contoso.com", Some("star"), "SND-3"),
            ("too small and nothing else", vec![&small], "eu.contoso.com", None, "SND-7"),
            ("no connector at all", vec![], "eu.contoso.com", None, "SND-7"),
        ];
        for (case, connectors, domain, expected, rule) in cases {
            let organization = organization(connectors.into_iter().cloned().collect());
            let decision = select(&organization, &Names::default(), domain, 100);
            let got = match decision.outcome {
                Choice::Connector(at) => Some(&*organization.send_connectors[at].name),
                Choice::Unreachable | Choice::TooLarge => None,
            };
            assert_eq!((got, decision.chosen[0].rule), (expected, rule), "{case}: {:?}", decision.passed_over);
            let losers = organization.send_connectors.len() - usize::from(expected.is_some());
            assert_eq!(
                decision.passed_over.iter().filter(|why| why.rule != "SND-0" && !why.name.starts_with("MX of")).count(),
                losers,
                "{case}"
            );
        }
        let only_small = select(&organization(vec![small]), &Names::default(), "eu.contoso.com", 100);
        assert_eq!(only_small.outcome, Choice::TooLarge);
        let other_too_small =
            select(&organization(vec![SendConnector { max_message_size: Some(10), ..exact }]), &Names::default(), "x.com", 100);
        assert_eq!(other_too_small.outcome, Choice::Unreachable, "size was not the only reason");
    }

    #[test]
    fn dead_connectors() {
        let rows = vec![connector("a", "x.com", 1, &[0]), connector("b", "*", 1, &[0])];
        let organization = organization(rows);
        let cases: [(&[usize], usize); 4] = [(&[], 0), (&[0], 1), (&[1], 0), (&[0, 1], 0)];
        for (dead, expected) in cases {
            let decision = select_alive(&organization, &Names::default(), "x.com", 1, dead);
            assert_eq!(decision.outcome, Choice::Connector(expected), "{dead:?}");
            assert_eq!(decision.passed_over.len(), 2, "{dead:?}: the loser, and the sender");
        }
    }

    #[test]
    fn ties() {
        let cases = [
            ("the lower cost", (20, vec![0]), (10, vec![0]), "b", "SND-4"),
            ("site links count", (1, vec![2]), (100, vec![0]), "b", "SND-4"),
            ("the cheapest of the source servers counts", (1, vec![2, 1]), (5, vec![0]), "a", "SND-4"),
            ("as cheap: this server before its neighbour", (10, vec![1]), (10, vec![0]), "b", "SND-5"),
            ("this site before another one", (1, vec![2]), (101, vec![1]), "b", "SND-5"),
            ("as good: by name", (10, vec![0]), (10, vec![0]), "a", "SND-6"),
            ("no site link leads there", (1, vec![3]), (100, vec![0]), "b", "SND-3"),
        ];
        for (case, a, b, expected, rule) in cases {
            let rows = vec![connector("a", "*", a.0, &a.1), connector("b", "*", b.0, &b.1)];
            let organization = organization(rows);
            let decision = select(&organization, &Names::default(), "x.com", 1);
            let Choice::Connector(at) = decision.outcome else { panic!("{case}") };
            assert_eq!((&*organization.send_connectors[at].name, decision.chosen[0].rule), (expected, rule), "{case}");
            assert_eq!(decision.passed_over.len(), 2, "{case}: the loser has its reason, and the sender");
        }
    }
}
