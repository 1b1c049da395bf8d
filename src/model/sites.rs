//! What does it cost to get from one Active Directory site to the others, and through which sites?
//!
//! Least cost over the site links; ties: fewest hops, then the path whose last site before the end has the lower name, then the one before that.
//! Sources: Exchange Server "Mail routing" (route selection); Set-AdSiteLink `ExchangeCost`.

use petgraph::graphmap::UnGraphMap;
use std::collections::BTreeMap;

/// Where no site link says otherwise (`Cost` of a new IP site link).
pub const COST: u64 = 100;

/// An Active Directory site.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: Box<str>,
    /// `HubSiteEnabled`: mail whose least-cost path leads through it stops there.
    pub hub: bool,
}

/// A least-cost path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SitePath {
    /// The sum of the costs.
    pub cost: u64,
    /// Sites by number, from the first behind the start to the end; empty for the start itself.
    pub through: Vec<usize>,
}

impl SitePath {
    /// What makes one path better than another where sites are numbered by name: cost, hops, then the sites before the end, the last one first.
    #[must_use]
    pub fn rank(&self) -> (u64, usize, Vec<usize>) {
        (self.cost, self.through.len(), self.through.iter().rev().skip(1).copied().collect())
    }
}

/// The least-cost paths from `start` to each of `count` sites, over `links` (a set of sites, and what it costs between any two of them). Sites are
/// numbered in the order of their names.
#[must_use]
pub fn paths(count: usize, links: &[(Vec<usize>, u64)], start: usize) -> Vec<Option<SitePath>> {
    let mut graph: UnGraphMap<usize, u64> = UnGraphMap::new();
    for site in 0..count {
        graph.add_node(site);
    }
    for (sites, cost) in links {
        for (at, a) in sites.iter().enumerate() {
            for b in sites[at + 1..].iter().filter(|b| *b != a) {
                let known = graph.edge_weight(*a, *b).copied();
                graph.add_edge(*a, *b, known.map_or(*cost, |known| known.min(*cost)));
            }
        }
    }
    let mut found: BTreeMap<usize, SitePath> = BTreeMap::from([(start, SitePath { cost: 0, through: Vec::new() })]);
    // A path never has more hops than there are sites.
    for _ in 0..count {
        let mut next = found.clone();
        for (site, path) in &found {
            for (_, neighbour, cost) in graph.edges(*site) {
                let through = path.through.iter().copied().chain([neighbour]).collect();
                let longer = SitePath { cost: path.cost.saturating_add(*cost), through };
                if next.get(&neighbour).is_none_or(|known| longer.rank() < known.rank()) {
                    next.insert(neighbour, longer);
                }
            }
        }
        if next == found {
            break;
        }
        found = next;
    }
    (0..count).map(|site| found.get(&site).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_cost() {
        let (a, b, c, d) = (0, 1, 2, 3);
        let cases = [
            ("the cheaper way round", vec![(vec![a, b], 100), (vec![a, c], 10), (vec![c, b], 10)], b, Some((20, vec![c, b]))),
            ("as cheap: fewer hops", vec![(vec![a, b], 20), (vec![a, c], 10), (vec![c, b], 10)], b, Some((20, vec![b]))),
            (
                "as cheap and as long: the lower name before the end",
                vec![(vec![a, d], 10), (vec![d, b], 10), (vec![a, c], 10), (vec![c, b], 10)],
                b,
                Some((20, vec![c, b])),
            ),
            ("a link of several sites joins any two of them", vec![(vec![a, b, c], 50)], c, Some((50, vec![c]))),
            ("two links of two sites: the cheaper", vec![(vec![a, b], 50), (vec![b, a], 30)], b, Some((30, vec![b]))),
            ("no way", vec![(vec![a, c], 50)], b, None),
        ];
        for (case, links, end, expected) in cases {
            let found = paths(5, &links, a);
            assert_eq!(found[a], Some(SitePath { cost: 0, through: vec![] }), "{case}");
            assert_eq!(found[end].clone().map(|path| (path.cost, path.through)), expected, "{case}");
        }
    }
}
