//! Does one copy travel for several destinations in other sites, and as far as where?
//!
//! INT-6: along the part that their least-cost paths have in common; the copies part at the fork. Since Exchange 2013 only where the next stop is a site
//! (a hub site, the site of an Edge subscription): all else is reached directly.
//! Source: Exchange Server "Mail routing" (delayed fan-out).

use super::super::{Because, Decision, because};
use super::internal_route::{Way, in_site};
use crate::model::exchange_server::Organization;

const SOURCE: &str = "Exchange Server mail routing";

/// Some destinations that share a way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shared {
    /// Their places among those that were asked about.
    pub members: Vec<usize>,
    /// The site at the fork.
    pub site: usize,
    /// The only one of them that ends there.
    pub at_home: Option<usize>,
}

/// Which of these ways are travelled together.
#[must_use]
pub fn share(organization: &Organization, ways: &[(&str, &Way)]) -> Decision<Vec<Shared>> {
    let mut outcome: Vec<Shared> = Vec::new();
    let (mut chosen, mut passed_over): (Vec<Because>, Vec<Because>) = (Vec::new(), Vec::new());
    let first = |at: usize| ways[at].1.sites.first().copied();
    let mut seen: Vec<usize> = Vec::new();
    for at in 0..ways.len() {
        let Some(site) = first(at).filter(|site| !seen.contains(site)) else { continue };
        seen.push(site);
        let together: Vec<usize> = (at..ways.len()).filter(|other| first(*other) == Some(site)).collect();
        let (members, direct): (Vec<usize>, Vec<usize>) = together.into_iter().partition(|other| ways[*other].1.fans_out);
        if members.len() + direct.len() > 1 {
            let why = "a delivery group that is reached directly: since Exchange 2013 only sites fan out";
            passed_over.extend(direct.iter().map(|other| because("INT-6", ways[*other].0, why, SOURCE)));
        }
        if members.len() < 2 {
            continue;
        }
        let mut common = ways[members[0]].1.sites.clone();
        for member in &members[1..] {
            let length = common.iter().zip(&ways[*member].1.sites).take_while(|(a, b)| a == b).count();
            common.truncate(length);
        }
        // The fork is where a server can part the copies.
        let Some(fork) = common.iter().rev().copied().find(|site| in_site(organization, *site).next().is_some()) else { continue };
        let ending: Vec<usize> = members.iter().copied().filter(|member| ways[*member].1.sites.last() == Some(&fork)).collect();
        let at_home = if let [only] = ending[..] { Some(only) } else { None };
        let name = organization.sites.get(fork).map_or("the site", |site| &*site.name);
        for member in &members {
            let why = format!("one copy travels as far as `{name}`, where the least-cost paths of {} destinations part", members.len());
            chosen.push(because("INT-6", ways[*member].0, why, SOURCE));
        }
        outcome.push(Shared { members, site: fork, at_home });
    }
    Decision { outcome, chosen, passed_over }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{HostId, NextHopId};
    use crate::model::exchange_server::{Server, ServerVersion};
    use crate::model::sites::Site;

    #[test]
    fn forks() {
        // A server stands in each site but 3; this one is in site 0.
        let server = |site: usize| Server {
            host: HostId(site as u32),
            name: format!("S{site}").into(),
            site,
            edge: false,
            hop: NextHopId(0),
            dag: None,
        };
        let organization = Organization {
            servers: [0, 1, 2, 4, 5].map(server).to_vec(),
            sites: (0..6).map(|at| Site { name: format!("site {at}").into(), hub: false }).collect(),
            ..Organization::bare(ServerVersion::Exchange2010)
        };
        type Case<'a> = (&'a str, &'a [&'a [usize]], bool, &'a [(&'a [usize], usize, Option<usize>)]);
        let cases: [Case<'_>; 9] = [
            ("a fork behind two sites", &[&[1, 2, 4], &[1, 2, 5]], true, &[(&[0, 1], 2, None)]),
            ("one of them ends at the fork", &[&[1], &[1, 2]], true, &[(&[0, 1], 1, Some(0))]),
            ("both end there", &[&[1], &[1]], true, &[(&[0, 1], 1, None)]),
            ("three: as far as all three go", &[&[1, 2, 4], &[1, 2, 5], &[1, 4]], true, &[(&[0, 1, 2], 1, None)]),
            ("nobody stands at the fork: the site before", &[&[1, 3, 4], &[1, 3, 5]], true, &[(&[0, 1], 1, None)]),
            ("nobody stands on the way", &[&[3, 4], &[3, 5]], true, &[]),
            ("nothing in common", &[&[1, 4], &[2, 5]], true, &[]),
            ("in this site", &[&[], &[]], true, &[]),
            ("reached directly", &[&[1, 2, 4], &[1, 2, 5]], false, &[]),
        ];
        for (case, sites, fans_out, expected) in cases {
            let ways: Vec<Way> = sites.iter().map(|sites| Way { sites: sites.to_vec(), fans_out, ..Way::default() }).collect();
            let named: Vec<(&str, &Way)> = ways.iter().map(|way| ("a", way)).collect();
            let decision = share(&organization, &named);
            let got: Vec<_> = decision.outcome.iter().map(|shared| (&*shared.members, shared.site, shared.at_home)).collect();
            assert_eq!(got, expected, "{case}");
            assert_eq!(decision.passed_over.len(), if fans_out { 0 } else { 2 }, "{case}");
        }
    }
}
