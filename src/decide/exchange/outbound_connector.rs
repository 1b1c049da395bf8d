//! Which outbound connector of Exchange Online takes a recipient?
//!
//! Rules OUT-1 to OUT-9 of the documentation. Sources: New-OutboundConnector; set-up-connectors-to-route-mail; the Exchange team's text on centralized mail
//! transport and criteria based routing (2021). OUT-10, the time that changes need, is `scenario::compile`'s.

use super::super::acceptance::accepted_domain;
use super::super::route::way_by_dns;
use super::super::{Because, Decision, because};
use crate::model::dns::Names;
use crate::model::exchange::{Out4, Out6, OutboundConnector, Tenant};
use crate::model::letter::Origin;

const SOURCE: &str = "New-OutboundConnector";
const DOMAINS: &str = "New-OutboundConnector RecipientDomains";
const ALL_ACCEPTED: &str = "New-OutboundConnector AllAcceptedDomains";
const CENTRALIZED: &str = "New-OutboundConnector RouteAllMessagesViaOnPremises";
const BY_RULE: &str = "New-TransportRule RouteMessageOutboundConnector";

/// How a message leaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// By this connector of the tenant.
    Connector(usize),
    /// No connector: the MX of the recipient's domain.
    Mx,
    /// Two connectors are equally close and nothing says which wins.
    NotSaid,
}

/// As what a connector covers a domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Match {
    Exact,
    /// With the length of what follows `*.`.
    Wildcard(usize),
    AllAccepted,
    Star,
}

impl Match {
    /// Greater is closer; the switch `OUT-4` says which of two contradicting sources is right.
    fn closeness(self, out_4: Out4) -> (u8, usize) {
        match (self, out_4) {
            (Self::Exact, _) => (4, 0),
            (Self::Wildcard(length), Out4::Specificity) => (3, length),
            (Self::AllAccepted, Out4::Specificity) => (2, 0),
            (Self::AllAccepted, Out4::ListedOrder) => (3, 0),
            (Self::Wildcard(length), Out4::ListedOrder) => (2, length),
            (Self::Star, _) => (1, 0),
        }
    }

    fn rule(self) -> &'static str {
        match self {
            Self::Exact => "OUT-3",
            Self::Wildcard(_) => "OUT-5",
            Self::AllAccepted | Self::Star => "OUT-4",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Exact => "exact domain",
            Self::Wildcard(_) => "wildcard",
            Self::AllAccepted => "all accepted domains",
            Self::Star => "`*`",
        }
    }

    fn source(self) -> &'static str {
        if self == Self::AllAccepted { ALL_ACCEPTED } else { DOMAINS }
    }

    /// Why this one lost against a closer one.
    fn lost(self, best: Self) -> (&'static str, String) {
        match (self, best) {
            (Self::Wildcard(_), Self::Wildcard(_)) => ("OUT-5", "matches as wildcard, and a longer wildcard is closer".to_owned()),
            (_, Self::Exact) => ("OUT-3", format!("matches as {}, and the exact domain is closer", self.words())),
            (_, Self::Wildcard(_)) => ("OUT-4", format!("matches as {}, and a wildcard is closer", self.words())),
            (_, Self::AllAccepted | Self::Star) => ("OUT-4", format!("matches as {}, and {} is closer", self.words(), best.words())),
        }
    }
}

/// What is known of a message that leaves.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// Domain of the recipient.
    pub domain: &'a str,
    /// The connector that a mail-flow rule named, and the rule.
    pub pin: Option<(usize, &'a str)>,
    /// A rule asks for TLS, whatever the connector says.
    pub requires_tls: bool,
    /// Whose mail it is.
    pub origin: Origin,
}

/// Chooses among the connectors of `tenant` for a recipient. The sender is never a criterion (OUT-9), except through a rule.
#[must_use]
pub fn select(tenant: &Tenant, names: &Names, leaving: &Leaving<'_>) -> Decision<Choice> {
    match (centralized(tenant, names, leaving), leaving.pin) {
        (Some(decision), _) => decision,
        (None, Some(pin)) => pinned(tenant, pin),
        (None, None) => by_domain(tenant, names, leaving),
    }
}

/// OUT-8: all that leaves goes on-premises first, whatever else matches and whatever a rule says; what came from there does not go back.
fn centralized(tenant: &Tenant, names: &Names, leaving: &Leaving<'_>) -> Option<Decision<Choice>> {
    if !goes_on_premises_first(leaving.origin) {
        return None;
    }
    let domain = leaving.domain;
    let connectors = tenant.outbound_connectors.iter().enumerate();
    let centralized = connectors.clone().filter(|(_, connector)| connector.is_centralized());
    let matching: Vec<(Match, usize)> =
        centralized.filter_map(|(at, connector)| Some((covers(tenant, names, connector, domain)?, at))).collect();
    let (best, _) = matching.iter().copied().max_by_key(|(found, _)| found.closeness(tenant.switches.out_4))?;
    let equal: Vec<usize> = matching.iter().filter(|(found, _)| *found == best).map(|(_, at)| *at).collect();
    let winner = first_of_equal(tenant, &equal);
    let lost = |(at, connector): (usize, &OutboundConnector)| {
        let say = |rule, why: String, source| because(rule, &*connector.name, why, source);
        if let Some((_, rule)) = leaving.pin.filter(|(pin, _)| *pin == at) {
            return say("OUT-8", format!("the rule `{rule}` names it, and centralized mail transport overrides rules"), CENTRALIZED);
        }
        match (unseen(connector), matching.iter().find(|(_, other)| *other == at)) {
            (Some(unseen), _) => unseen,
            (None, Some((found, _))) if *found == best && winner.is_none() => undecided(&connector.name),
            (None, Some((found, _))) if *found == best => say("OUT-6", second_of_equal(tenant).to_owned(), found.source()),
            (None, Some((found, _))) => {
                let (rule, why) = found.lost(best);
                say(rule, format!("centralized mail transport, too, but {why}"), found.source())
            }
            (None, None) if connector.is_centralized() => does_not_cover(connector, domain),
            (None, None) => say("OUT-8", "centralized mail transport comes before all other connectors".to_owned(), CENTRALIZED),
        }
    };
    let passed_over = connectors.filter(|(at, _)| Some(*at) != winner).map(lost).collect();
    let Some(winner) = winner else {
        let why = "several connectors with centralized mail transport are equally close: the scenario does not say";
        return Some(Decision { outcome: Choice::NotSaid, chosen: vec![because("OUT-6", domain, why, SOURCE)], passed_over });
    };
    let connector = &tenant.outbound_connectors[winner];
    let what = if comes_from_outside(leaving.origin) { "what comes from outside" } else { "what leaves" };
    let why = if connector.use_mx_record {
        "centralized mail transport takes the mail, but UseMXRecord sends it to the recipient's own MX: the organization's servers see it only if that \
         leads to them"
            .to_owned()
    } else {
        format!("centralized mail transport: {what} goes to the organization's own servers first")
    };
    Some(Decision { outcome: Choice::Connector(winner), chosen: vec![because("OUT-8", &*connector.name, why, CENTRALIZED)], passed_over })
}

/// OUT-6: which of several connectors that are equally close the switch takes, if it says so.
fn first_of_equal(tenant: &Tenant, equal: &[usize]) -> Option<usize> {
    match (equal, tenant.switches.out_6) {
        ([only], _) => Some(*only),
        (_, Out6::Name) => equal.first().copied(),
        (_, Out6::Newest) => equal.iter().copied().max_by_key(|at| tenant.outbound_connectors[*at].written),
        (_, Out6::Error) => None,
    }
}

/// Why the others of them lost.
fn second_of_equal(tenant: &Tenant) -> &'static str {
    match tenant.switches.out_6 {
        Out6::Newest => "equally close, and not the newest (switch `OUT-6`)",
        Out6::Name | Out6::Error => "equally close, and another name comes first (switch `OUT-6`)",
    }
}

fn undecided(name: &str) -> Because {
    because("OUT-6", name, "equally close to the recipient; no documented rule breaks the tie (switch `OUT-6`)", SOURCE)
}

/// Is this mail that centralized transport shows to the organization's own servers first?
#[must_use]
pub fn goes_on_premises_first(origin: Origin) -> bool {
    matches!(origin, Origin::Submitted | Origin::PassedOn | Origin::Outside)
}

/// Mail of nobody in the organization.
#[must_use]
pub fn comes_from_outside(origin: Origin) -> bool {
    origin == Origin::Outside
}

/// OUT-2: a rule named the connector.
fn pinned(tenant: &Tenant, (winner, rule): (usize, &str)) -> Decision<Choice> {
    let connectors = tenant.outbound_connectors.iter().enumerate();
    let passed_over = connectors
        .filter(|(at, _)| *at != winner)
        .map(|(_, connector)| because("OUT-2", &*connector.name, format!("the rule `{rule}` names another connector"), BY_RULE))
        .collect();
    let connector = &tenant.outbound_connectors[winner];
    if !connector.enabled {
        let why = format!("the rule `{rule}` names it, and it is disabled: no source says where such mail goes");
        let reason = because("OUT-1", &*connector.name, why, "New-OutboundConnector Enabled");
        return Decision { outcome: Choice::NotSaid, chosen: vec![reason], passed_over };
    }
    let why = format!("the rule `{rule}` names it, whatever domains it covers");
    Decision { outcome: Choice::Connector(winner), chosen: vec![because("OUT-2", &*connector.name, why, BY_RULE)], passed_over }
}

/// OUT-1: a connector that recipients do not select at all.
fn unseen(connector: &OutboundConnector) -> Option<Because> {
    let (why, source) = match (connector.enabled, connector.rule_scoped) {
        (false, _) => ("disabled", "New-OutboundConnector Enabled"),
        (true, true) => ("used only when a mail-flow rule names it", "New-OutboundConnector IsTransportRuleScoped"),
        (true, false) => return None,
    };
    Some(because("OUT-1", &*connector.name, why, source))
}

/// A connector that does not cover the recipient's domain.
fn does_not_cover(connector: &OutboundConnector, domain: &str) -> Because {
    if connector.all_accepted_domains {
        let why = format!("it is for recipients in accepted domains, and `{domain}` is none");
        return because("OUT-4", &*connector.name, why, ALL_ACCEPTED);
    }
    because("OUT-3", &*connector.name, format!("its domains do not cover `{domain}`"), DOMAINS)
}

fn by_domain(tenant: &Tenant, names: &Names, leaving: &Leaving<'_>) -> Decision<Choice> {
    let domain = leaving.domain;
    let mut passed_over = Vec::new();
    let mut matching: Vec<(Match, usize)> = Vec::new();
    for (at, connector) in tenant.outbound_connectors.iter().enumerate() {
        if let Some(reason) = unseen(connector) {
            passed_over.push(reason);
        } else {
            match covers(tenant, names, connector, domain) {
                Some(Match::Star) if connector.is_centralized() && !goes_on_premises_first(leaving.origin) => {
                    let why = "centralized mail transport: what came from the own servers does not go back there";
                    passed_over.push(because("OUT-8", &*connector.name, why, CENTRALIZED));
                }
                Some(found) => matching.push((found, at)),
                None => passed_over.push(does_not_cover(connector, domain)),
            }
        }
    }
    let name = |at: usize| &*tenant.outbound_connectors[at].name;
    let out_4 = tenant.switches.out_4;
    let Some((best, _)) = matching.iter().copied().max_by_key(|(found, _)| found.closeness(out_4)) else {
        let tls = if leaving.requires_tls { "and TLS in any case, as a rule asks" } else { "opportunistic TLS" };
        let (name, way) = way_by_dns(domain);
        let reason = because("OUT-7", name, format!("no connector matches: {way}, {tls}"), "set-up-connectors-to-route-mail");
        let mut decision = Decision::for_reason(Choice::Mx, reason);
        decision.passed_over = passed_over;
        return decision;
    };
    let equal: Vec<usize> = matching.iter().filter(|(found, _)| *found == best).map(|(_, at)| *at).collect();
    let Some(winner) = first_of_equal(tenant, &equal) else {
        passed_over.extend(equal.iter().map(|at| undecided(name(*at))));
        let chosen = vec![because("OUT-6", domain, "several connectors are equally close: the scenario does not say", SOURCE)];
        return Decision { outcome: Choice::NotSaid, chosen, passed_over };
    };
    for (found, at) in matching.iter().filter(|(_, at)| *at != winner) {
        let (rule, why) = if *found == best { ("OUT-6", second_of_equal(tenant).to_owned()) } else { found.lost(best) };
        passed_over.push(because(rule, name(*at), why, found.source()));
    }
    let mut chosen = vec![because(best.rule(), name(winner), format!("matches `{domain}` as {}", best.words()), best.source())];
    let has = |wanted: fn(&Match) -> bool| matching.iter().any(|(found, _)| wanted(found));
    let disputed = has(|found| matches!(found, Match::Wildcard(_))) && has(|found| *found == Match::AllAccepted);
    if disputed && best != Match::Exact {
        let value = if out_4 == Out4::Specificity { "specificity" } else { "listed-order" };
        let why = "the sources disagree whether a wildcard or all accepted domains is closer; so says the switch `OUT-4`";
        chosen.push(because("OUT-4", value, why, "set-up-connectors-to-route-mail"));
    }
    Decision { outcome: Choice::Connector(winner), chosen, passed_over }
}

/// The closest way in which a connector covers `domain`, if it does.
fn covers(tenant: &Tenant, names: &Names, connector: &OutboundConnector, domain: &str) -> Option<Match> {
    let by_domain = connector.recipient_domains.iter().filter_map(|pattern| {
        if &**pattern == "*" {
            return Some(Match::Star);
        }
        let Some(parent) = pattern.strip_prefix("*.") else { return (**pattern == *domain).then_some(Match::Exact) };
        let front = domain.strip_suffix(parent)?;
        let matches = if front.is_empty() { tenant.switches.wildcard_matches_bare_domain } else { front.ends_with('.') };
        matches.then_some(Match::Wildcard(parent.len()))
    });
    let all = (connector.all_accepted_domains && accepted_domain(tenant, names, domain).is_some()).then_some(Match::AllAccepted);
    by_domain.chain(all).max_by_key(|found| found.closeness(tenant.switches.out_4))
}

/// Reasons for a connector's next hops, one per entry.
#[must_use]
pub fn by_recipient_mx(connector: &OutboundConnector, domain: &str) -> Because {
    let (name, way) = way_by_dns(domain);
    because("OUT-3", name, format!("connector `{}` has UseMXRecord: {way}", connector.name), SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::{AcceptedDomain, DomainType, Switches};
    use crate::model::settings::{TlsLevel, TlsPolicy};

    fn connector(name: &str, domains: &[&str]) -> OutboundConnector {
        OutboundConnector {
            name: name.into(),
            enabled: true,
            on_premises: true,
            recipient_domains: domains.iter().map(|domain| (*domain).into()).collect(),
            all_accepted_domains: false,
            rule_scoped: false,
            centralized: false,
            cloud_services: false,
            rewrites_senders: false,
            use_mx_record: false,
            smart_hosts: vec![],
            tls: TlsPolicy::of(TlsLevel::Opportunistic),
            written: 0,
        }
    }

    #[test]
    fn selection() {
        let mut names = Names::default();
        let accepted = |name: &str, names: &mut Names| AcceptedDomain {
            from_disabled: false,
            to_disabled: false,
            address_book: None,
            name: names.intern(name),
            kind: DomainType::InternalRelay,
            match_sub_domains: false,
        };
        let all = OutboundConnector { all_accepted_domains: true, ..connector("all", &[]) };
        let off = OutboundConnector { enabled: false, ..connector("off", &["contoso.com"]) };
        let scoped = OutboundConnector { rule_scoped: true, ..connector("scoped", &["contoso.com"]) };
        let exact = connector("exact", &["contoso.com"]);
        let wild = connector("wild", &["*.contoso.com"]);
        let deep = connector("deep", &["*.eu.contoso.com"]);
        let star = connector("star", &["*"]);
        let listed = Switches { out_4: Out4::ListedOrder, ..Switches::default() };
        let by_name = Switches { out_6: Out6::Name, ..Switches::default() };
        let usual = Switches::default();
        let twin = connector("twin", &["contoso.com"]);
        let cases = [
            ("exact beats wildcard and star", vec![&star, &wild, &exact], "contoso.com", usual, Some("exact"), "OUT-3"),
            ("disabled and rule-scoped are not seen", vec![&off, &scoped], "contoso.com", usual, None, "OUT-7"),
            ("longest wildcard", vec![&wild, &deep], "a.eu.contoso.com", usual, Some("deep"), "OUT-5"),
            ("a wildcard also means the bare domain", vec![&wild], "contoso.com", usual, Some("wild"), "OUT-5"),
            ("specificity: wildcard before all accepted", vec![&all, &wild], "sales.contoso.com", usual, Some("wild"), "OUT-5"),
            ("listed order: all accepted before wildcard", vec![&all, &wild], "sales.contoso.com", listed, Some("all"), "OUT-4"),
            ("star is last", vec![&star, &all], "sales.contoso.com", usual, Some("all"), "OUT-4"),
            ("star takes the rest", vec![&star, &exact], "fabrikam.com", usual, Some("star"), "OUT-4"),
            ("not a suffix of a label", vec![&wild], "notcontoso.com", usual, None, "OUT-7"),
            ("no connector", vec![], "fabrikam.com", usual, None, "OUT-7"),
            ("equal ones, by name", vec![&exact, &twin], "contoso.com", by_name, Some("exact"), "OUT-3"),
        ];
        for (case, connectors, domain, switches, expected, rule) in cases {
            let tenant = Tenant {
                accepted_domains: vec![accepted("contoso.com", &mut names), accepted("sales.contoso.com", &mut names)],
                outbound_connectors: connectors.into_iter().cloned().collect(),
                switches,
                ..Tenant::bare()
            };
            let decision = select(&tenant, &names, &Leaving { domain, pin: None, requires_tls: false, origin: Origin::Submitted });
            let got = match decision.outcome {
                Choice::Connector(at) => Some(tenant.outbound_connectors[at].name.to_string()),
                Choice::Mx | Choice::NotSaid => None,
            };
            assert_eq!((got.as_deref(), decision.chosen[0].rule), (expected, rule), "{case}");
            assert_eq!(
                decision.passed_over.len() + usize::from(expected.is_some()),
                tenant.outbound_connectors.len(),
                "{case}: every loser has its reason"
            );
        }
    }

    #[test]
    fn losers() {
        let mut names = Names::default();
        let accepted = AcceptedDomain {
            from_disabled: false,
            to_disabled: false,
            address_book: None,
            name: names.intern("contoso.com"),
            kind: DomainType::InternalRelay,
            match_sub_domains: true,
        };
        let off = OutboundConnector { enabled: false, ..connector("off", &["*"]) };
        let all = OutboundConnector { all_accepted_domains: true, ..connector("all", &[]) };
        let central = OutboundConnector { centralized: true, ..connector("central", &["*"]) };
        let wild = connector("wild", &["*.contoso.com"]);
        let deep = connector("deep", &["*.eu.contoso.com"]);
        let (star, twin) = (connector("star", &["*"]), connector("twin", &["*"]));
        let cases = [
            (
                "fabrikam.com",
                vec![&star, &all],
                "all",
                "OUT-4",
                "it is for recipients in accepted domains, and `fabrikam.com` is none",
                ALL_ACCEPTED,
            ),
            ("a.eu.contoso.com", vec![&wild, &deep], "wild", "OUT-5", "matches as wildcard, and a longer wildcard is closer", DOMAINS),
            (
                "a.eu.contoso.com",
                vec![&all, &deep],
                "all",
                "OUT-4",
                "matches as all accepted domains, and a wildcard is closer",
                ALL_ACCEPTED,
            ),
            ("fabrikam.com", vec![&star, &twin], "twin", "OUT-6", "equally close, and another name comes first (switch `OUT-6`)", DOMAINS),
            ("fabrikam.com", vec![&off, &central], "off", "OUT-1", "disabled", "New-OutboundConnector Enabled"),
            ("fabrikam.com", vec![&off, &star], "off", "OUT-1", "disabled", "New-OutboundConnector Enabled"),
        ];
        for (domain, connectors, loser, rule, why, source) in cases {
            let tenant = Tenant {
                accepted_domains: vec![accepted.clone()],
                outbound_connectors: connectors.into_iter().cloned().collect(),
                switches: Switches { out_6: Out6::Name, ..Switches::default() },
                ..Tenant::bare()
            };
            let decision = select(&tenant, &names, &Leaving { domain, pin: None, requires_tls: false, origin: Origin::Submitted });
            assert_eq!(decision.passed_over, [because(rule, loser, why, source)], "{domain} {loser}");
            let disputed = decision.chosen.iter().any(|reason| &*reason.name == "specificity");
            assert_eq!(disputed, loser == "all" && domain != "fabrikam.com", "{domain} {loser}");
        }
    }

    #[test]
    fn a_tie_is_not_said() {
        let tenant =
            Tenant { outbound_connectors: vec![connector("a", &["contoso.com"]), connector("b", &["contoso.com"])], ..Tenant::bare() };
        let leaving = Leaving { domain: "contoso.com", pin: None, requires_tls: false, origin: Origin::Submitted };
        assert_eq!(select(&tenant, &Names::default(), &leaving).outcome, Choice::NotSaid);
    }

    #[test]
    fn rules_and_centralized_transport() {
        let scoped = OutboundConnector { rule_scoped: true, ..connector("scoped", &[]) };
        let off = OutboundConnector { enabled: false, rule_scoped: true, ..connector("off", &[]) };
        let centralized = |domains: &[&str]| OutboundConnector { centralized: true, ..connector("all home", domains) };
        let (home, scoped_home) = (centralized(&["*"]), centralized(&["contoso.com"]));
        let exact = connector("exact", &["fabrikam.com"]);
        let cases = [
            ("a rule names it", vec![&exact, &scoped], Some("scoped"), Origin::Submitted, Some("scoped"), "OUT-2"),
            ("a rule names a disabled one", vec![&exact, &off], Some("off"), Origin::Submitted, None, "OUT-1"),
            ("centralized transport beats a rule", vec![&scoped, &home], Some("scoped"), Origin::Submitted, Some("all home"), "OUT-8"),
            ("and a closer connector", vec![&exact, &home], None, Origin::Outside, Some("all home"), "OUT-8"),
            ("what came from there does not go back", vec![&exact, &home], None, Origin::Internal, Some("exact"), "OUT-3"),
            ("nor without its headers", vec![&exact, &home], None, Origin::OnPremises, Some("exact"), "OUT-3"),
            ("what a mailbox passes on is new mail", vec![&exact, &home], None, Origin::OnPremises.passed_on(), Some("all home"), "OUT-8"),
            ("what came from there takes the MX", vec![&home], None, Origin::OnPremises, None, "OUT-7"),
            ("scoped to another domain", vec![&scoped_home], None, Origin::Submitted, None, "OUT-7"),
        ];
        for (case, connectors, pin, origin, expected, rule) in cases {
            let tenant = Tenant { outbound_connectors: connectors.into_iter().cloned().collect(), ..Tenant::bare() };
            let at = |name: &str| tenant.outbound_connectors.iter().position(|connector| *connector.name == *name).unwrap();
            let leaving = Leaving { domain: "fabrikam.com", pin: pin.map(|name| (at(name), "a rule")), requires_tls: false, origin };
            let decision = select(&tenant, &Names::default(), &leaving);
            let got = match decision.outcome {
                Choice::Connector(at) => Some(&*tenant.outbound_connectors[at].name),
                Choice::Mx | Choice::NotSaid => None,
            };
            assert_eq!((got, decision.chosen[0].rule), (expected, rule), "{case}");
        }
    }
}
