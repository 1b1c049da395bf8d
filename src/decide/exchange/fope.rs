//! Where does FOPE send a recipient?
//!
//! Rules FOPE-1 to FOPE-7 of the documentation. Sources: TechNet "Outbound Smart Host Scenario" (2012), "Enforcing and Removing FOPE Connector
//! Associations", "Configuring Inbound Multi-SMTP Profiles" (ff715241), "Working With Catch-All Domains" (ff715042). An association with domains goes by the sender's domain: the one place where a
//! sender chooses a route before there are mail-flow rules. Not documented, so switches: connectors that are equally close, the lookup of an FQDN.

use super::super::route::way_by_dns;
use super::super::{Because, Decision, because};
use crate::model::fope::{Association, Connector, FopeRouting, TlsChoice, profile_of};
use crate::model::settings::{TlsLevel, TlsPolicy};

const CONNECTOR: &str = "FOPE outbound connector";
const ASSOCIATION: &str = "FOPE connector associations";
const PROFILE: &str = "FOPE multi-SMTP profile";

/// Where it goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FopeStop {
    /// To a customer: this line of the inbound destinations.
    Inbound(usize),
    /// By this connector.
    Connector(usize),
    /// To the MX of the recipient's domain.
    Mx,
    /// Two connectors are equally close, and nothing says which wins.
    NotSaid,
}

/// Chooses for a recipient in `domain`, for mail of a sender in `sender` (`None` = the null sender).
#[must_use]
pub fn choose(routing: &FopeRouting, sender: Option<&str>, domain: &str) -> Decision<FopeStop> {
    if let Some(at) = profile_of(&routing.inbound, domain) {
        let row = &routing.inbound[at];
        let why = if *row.domain == *domain {
            format!("`{domain}` is a customer's domain; its mail goes to {}", row.name)
        } else {
            format!("`{domain}` is below the catch-all domain `{}`, whose mail goes to {}", row.domain, row.name)
        };
        return Decision::for_reason(FopeStop::Inbound(at), because("FOPE-2", domain, why, "FOPE domain settings"));
    }
    let mut passed_over = Vec::new();
    let mut matching: Vec<(usize, usize)> = Vec::new();
    for (at, connector) in routing.connectors.iter().enumerate() {
        match (is_associated(connector, sender, routing), closeness(connector, domain)) {
            (Err(why), _) => passed_over.push(because("FOPE-3", &*connector.name, why, ASSOCIATION)),
            (Ok(()), None) => {
                passed_over.push(because("FOPE-4", &*connector.name, format!("its recipient domains do not cover `{domain}`"), CONNECTOR));
            }
            (Ok(()), Some(close)) => matching.push((close, at)),
        }
    }
    let Some(best) = matching.iter().map(|(close, _)| *close).max() else {
        let (name, way) = way_by_dns(domain);
        let chosen = vec![because("FOPE-6", name, format!("no connector applies: {way}, opportunistic TLS"), CONNECTOR)];
        return Decision { outcome: FopeStop::Mx, chosen, passed_over };
    };
    let name = |at: usize| &*routing.connectors[at].name;
    let equal: Vec<usize> = matching.iter().filter(|(close, _)| *close == best).map(|(_, at)| *at).collect();
    if equal.len() > 1 && !routing.first_by_name {
        let why = "equally close to the recipient; no source breaks the tie (switch `equal_connectors`)";
        passed_over.extend(equal.iter().map(|at| because("FOPE-5", name(*at), why, CONNECTOR)));
        let chosen = vec![because("FOPE-5", domain, "several connectors are equally close: the scenario does not say", CONNECTOR)];
        return Decision { outcome: FopeStop::NotSaid, chosen, passed_over };
    }
    for (close, at) in matching.iter().filter(|(_, at)| *at != equal[0]) {
        let (rule, why) = if *close == best {
            ("FOPE-5", "equally close, and behind the other by name (switch `equal_connectors`)")
        } else {
            ("FOPE-4", "matches the recipient's domain less closely")
        };
        passed_over.push(because(rule, name(*at), why, CONNECTOR));
    }
    Decision { outcome: FopeStop::Connector(equal[0]), chosen: won(&routing.connectors[equal[0]], sender, domain), passed_over }
}

/// Why this connector: its recipient domains, its association, its description.
fn won(connector: &Connector, sender: Option<&str>, domain: &str) -> Vec<Because> {
    let label = if connector.description.is_empty() { String::new() } else { format!(" ({})", connector.description) };
    let whose = match &connector.association {
        Association::Domains(_) => format!("associated with the sender's domain `{}`", sender.unwrap_or("")),
        Association::Company | Association::Removed => "associated with the whole company".to_owned(),
    };
    vec![
        because("FOPE-4", &*connector.name, format!("its recipient domains cover `{domain}`{label}"), CONNECTOR),
        because("FOPE-3", &*connector.name, whose, ASSOCIATION),
    ]
}

/// Does the connector act on mail of this sender? Else why not.
fn is_associated(connector: &Connector, sender: Option<&str>, routing: &FopeRouting) -> Result<(), String> {
    match (&connector.association, sender) {
        (Association::Company, _) => Ok(()),
        (Association::Removed, _) => Err("associated with nobody, so it does nothing".to_owned()),
        (Association::Domains(domains), Some(sender)) if domains.iter().any(|domain| **domain == *of_profile(sender, routing)) => Ok(()),
        (Association::Domains(_), Some(sender)) => Err(format!("associated with other domains than the sender's `{sender}`")),
        (Association::Domains(_), None) => Err("associated with domains, and the null sender has none".to_owned()),
    }
}

/// The customer's domain whose profile a sender's domain follows.
fn of_profile<'a>(sender: &'a str, routing: &'a FopeRouting) -> &'a str {
    profile_of(&routing.inbound, sender).map_or(sender, |at| &routing.inbound[at].domain)
}

/// How closely the connector's recipient domains cover one: greater is closer.
fn closeness(connector: &Connector, domain: &str) -> Option<usize> {
    let of_pattern = |pattern: &str| match pattern.strip_prefix("*.") {
        Some("*") => Some(0),
        Some(parent) => domain.strip_suffix(parent).is_some_and(|front| front.ends_with('.')).then_some(parent.len()),
        None => (pattern == domain).then_some(usize::MAX),
    };
    connector.recipient_domains.iter().filter_map(|pattern| of_pattern(pattern)).max()
}

/// What a connector asks of TLS for a recipient in `domain`.
#[must_use]
pub fn tls(connector: &Connector, domain: &str) -> TlsPolicy {
    match &connector.tls {
        TlsChoice::Policy(policy) => policy.clone(),
        TlsChoice::MatchesDestinationDomain => {
            TlsPolicy { names: vec![domain.into()], ..TlsPolicy::of(TlsLevel::MatchesDestinationDomain) }
        }
    }
}

/// What a tenant's mail gets that is protected by FOPE.
#[must_use]
pub fn protection(name: &str, domain: &str) -> Decision<()> {
    let why = "the tenant is protected by it, so all that leaves goes through it";
    let mut decision = Decision::for_reason((), because("FOPE-1", name, why, "FOPE outbound filtering"));
    decision.passed_over.push(because("FOPE-1", format!("MX of {domain}"), "FOPE is asked where the mail goes", "FOPE outbound filtering"));
    decision
}

/// Which server of a destination is tried at which place, when the turn is at `turn`: servers of one weight take turns, the next weight follows.
#[must_use]
pub fn place(weights: &[(u16, u8)], at: usize, turn: usize) -> usize {
    let mut first = 0;
    for (_, count) in weights {
        let count = usize::from(*count);
        if at < first + count {
            return first + (at - first + turn) % count;
        }
        first += count;
    }
    at
}

/// After how many messages the turns of all weights begin anew; one byte has to hold it.
#[must_use]
pub fn cycle(weights: &[(u16, u8)]) -> u8 {
    let gcd = |mut a: u8, mut b: u8| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let common = weights.iter().try_fold(1u8, |common, (_, count)| (common / gcd(common, (*count).max(1))).checked_mul((*count).max(1)));
    let first = weights.first().map_or(1, |(_, count)| (*count).max(1));
    common.unwrap_or(u8::MAX / first * first)
}

/// Why a server stands where it does in the order of one attempt.
#[must_use]
pub fn reason(name: &str, weights: &[(u16, u8)], place: usize, is_name: bool) -> Because {
    let mut first = 0;
    let found = weights.iter().enumerate().find_map(|(nth, (weight, count))| {
        let begin = first;
        first += usize::from(*count);
        (place < first).then_some((nth, *weight, *count, place - begin))
    });
    let lookup = if is_name { "; its MX is asked first, its address only if there is none (SH-2)" } else { "" };
    let (nth, weight, count, within) = found.unwrap_or((0, 0, 1, 0));
    if weight == 0 {
        return because("FOPE-7", name, format!("the only destination{lookup}"), CONNECTOR);
    }
    let turn = match (count, within) {
        (1, _) => "alone with it".to_owned(),
        (_, 0) => "its turn among equals".to_owned(),
        (_, within) => format!("number {} of its equals this time", within + 1),
    };
    let why = match nth {
        0 => format!("weight {weight}, the lowest; {turn}"),
        _ => format!("weight {weight}; {turn}; only if all of lower weight do not answer"),
    };
    because("FOPE-7", name, why, PROFILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fope::{Inbound, Servers};

    fn connector(name: &str, association: Association, domains: &[&str]) -> Connector {
        Connector {
            name: name.into(),
            description: "".into(),
            association,
            recipient_domains: domains.iter().map(|domain| (*domain).into()).collect(),
            to: Some(Servers::default()),
            tls: TlsChoice::MatchesDestinationDomain,
        }
    }

    #[test]
    fn whose_connector() {
        let mut routing = FopeRouting {
            inbound: vec![Inbound { domain: "contoso.com".into(), catches_all: false, name: "its server".into(), to: Servers::default() }],
            connectors: vec![
                connector("all", Association::Company, &["*.*"]),
                connector("one brand", Association::Domains(vec!["brand.com".into()]), &["*.*", "far.example"]),
                connector("partner", Association::Company, &["partner.example", "*.partner.example"]),
                connector("removed", Association::Removed, &["partner.example"]),
            ],
            first_by_name: false,
            plain_retry: false,
        };
        let cases = [
            (Some("contoso.com"), "contoso.com", "Inbound(0) FOPE-2"),
            (Some("contoso.com"), "far.example", "Connector(0) FOPE-4"),
            (Some("brand.com"), "far.example", "Connector(1) FOPE-4"),
            (Some("brand.com"), "other.example", "NotSaid FOPE-5"),
            (None, "far.example", "Connector(0) FOPE-4"),
            (Some("contoso.com"), "partner.example", "Connector(2) FOPE-4"),
            (Some("contoso.com"), "eu.partner.example", "Connector(2) FOPE-4"),
            (Some("contoso.com"), "notpartner.example", "Connector(0) FOPE-4"),
        ];
        for (sender, domain, expected) in cases {
            let decision = choose(&routing, sender, domain);
            assert_eq!(format!("{:?} {}", decision.outcome, decision.chosen[0].rule), expected, "{sender:?} to {domain}");
        }
        routing.first_by_name = true;
        assert_eq!(choose(&routing, Some("brand.com"), "other.example").outcome, FopeStop::Connector(0));
        routing.connectors.truncate(0);
        assert_eq!(choose(&routing, Some("brand.com"), "other.example").outcome, FopeStop::Mx);
    }

    #[test]
    fn turns_within_a_weight() {
        let weights = [(10, 2), (20, 3)];
        let order = |turn| (0..5).map(|at| place(&weights, at, turn)).collect::<Vec<_>>();
        assert_eq!(order(0), [0, 1, 2, 3, 4]);
        assert_eq!(order(1), [1, 0, 3, 4, 2]);
        assert_eq!(order(2), [0, 1, 4, 2, 3]);
        for (weights, expected) in [(&weights[..], 6), (&[(0, 1)], 1), (&[(1, 13), (2, 11), (3, 7)], 247), (&[], 1)] {
            assert_eq!(cycle(weights), expected, "{weights:?}");
        }
    }
}
