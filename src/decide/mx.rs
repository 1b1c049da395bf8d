//! MX selection: which hosts may a sender try for a name, and at which addresses?
//!
//! Takes finished DNS answers; aliases, TTLs and caches are the resolver's business. Two steps, because the second question depends on the
//! first answer: `read_mx` says whose addresses to ask for, `plan` makes the list of candidates of what came back. Rows R1 to R21 are those of
//! the documentation. Sources: RFC 5321 §5.1, RFC 974, RFC 7505, RFC 2181 §10.3. Not modelled: SRV records.

use super::profile::{Behaviour, End, SelfCheck};
use super::{Because, Decision, because};
use crate::base::NameId;
use crate::model::dns::Names;
use crate::model::settings::Families;
use std::net::IpAddr;

const RFC: &str = "RFC 5321 §5.1";

/// A resolver that validates hands out no answer whose signatures are wrong.
pub const BOGUS: &str = "SERVFAIL: its DNSSEC signatures are wrong";

/// What the MX question brought.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum MxAnswer {
    /// Records: preference and exchange name, as they came. The root name is the null exchange.
    Records(Vec<(u16, NameId)>),
    /// The name exists, without MX.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// SERVFAIL, no answer, REFUSED, cut off.
    Failed(&'static str),
    /// The name belongs to the rest of the internet.
    Internet,
}

/// What to do after the MX question.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MxStep {
    /// Ask for addresses of these, in order of preference.
    Targets(Vec<(u16, NameId)>),
    /// Ask for addresses of the name itself (implicit MX, preference 0).
    Implicit,
    /// It ends here.
    End(End),
}

/// Reads the answer to the MX question about `name`.
#[must_use]
pub fn read_mx(rules: &Behaviour, names: &Names, name: NameId, answer: &MxAnswer) -> Decision<MxStep> {
    let text = label(names, name);
    let one = |step, rule, why: &str, source| Decision::for_reason(step, because(rule, text.as_str(), why, source));
    let records = match answer {
        MxAnswer::Records(records) => records,
        MxAnswer::NoData => return one(MxStep::Implicit, "R2", "no MX record: the name itself is its mail host, preference 0", RFC),
        MxAnswer::NxDomain if rules.mx.nxdomain_asks_address => {
            return one(
                MxStep::Implicit,
                "R4",
                "the MX question says that the name does not exist; its address is asked all the same",
                "smtp_addr.c",
            );
        }
        MxAnswer::NxDomain => return one(MxStep::End(rules.mx.no_such_domain), "R4", "the name does not exist", RFC),
        MxAnswer::Failed(how) => {
            let (rule, own) = match *how {
                "REFUSED" => ("R7", rules.mx.lookup_refused),
                "no answer" => ("R6", None),
                BOGUS => ("R20", None),
                _ => ("R5", None),
            };
            let end = own.unwrap_or(rules.mx.lookup_failed);
            return one(MxStep::End(end), rule, &format!("the MX question failed for now ({how}); no address is asked instead"), RFC);
        }
        MxAnswer::Internet => return one(MxStep::Implicit, "R1", "a domain of the internet outside of the model", "scenario: dns.rest"),
    };
    let is_null = |(preference, exchange): &(u16, NameId)| match names.text(*exchange) {
        "" => *preference == 0 || rules.mx.null_mx_any_preference,
        "localhost" => rules.mx.localhost_is_null_mx,
        _ => false,
    };
    let only_null = records.iter().all(is_null);
    if only_null || rules.mx.null_mx_wins && records.iter().any(is_null) {
        let rule = if only_null { "R14" } else { "R15" };
        let mut decision = one(MxStep::End(rules.mx.null_mx), rule, "null MX: the domain takes no mail", "RFC 7505 §3");
        let others = records.iter().filter(|record| !is_null(record));
        decision
            .passed_over
            .extend(others.map(|(_, target)| because("R15", label(names, *target), "a null MX stands beside it", "RFC 7505 §3")));
        return decision;
    }
    let mut targets: Vec<(u16, NameId)> = Vec::new();
    let mut passed_over = Vec::new();
    let mut sorted = records.clone();
    sorted.sort_by(|a, b| (a.0, names.text(a.1)).cmp(&(b.0, names.text(b.1))));
    for (preference, target) in sorted {
        if names.text(target).is_empty() || is_null(&(preference, target)) {
            let rule = if preference == 0 { "R15" } else { "R16" };
            passed_over.push(because(rule, label(names, target), "not a host; left out beside real ones", "RFC 7505 §3"));
        } else if !rules.mx.keeps_duplicates && targets.iter().any(|(_, seen)| *seen == target) {
            passed_over.push(because(
                "R21",
                label(names, target),
                format!("named twice: only the better preference counts, not {preference}"),
                RFC,
            ));
        } else {
            targets.push((preference, target));
        }
    }
    if targets.is_empty() {
        return one(MxStep::End(rules.mx.no_usable_target), "R16", "the only MX target is `.`, which is not a host", "RFC 7505 §3");
    }
    let lowest = targets[0].0;
    let chosen = targets
        .iter()
        .map(|(preference, target)| {
            let turn = if *preference == lowest { "lowest preference first" } else { "after those of lower preference" };
            because("R1", label(names, *target), format!("MX {preference} of {text}: {turn}"), RFC)
        })
        .collect();
    passed_over.push(because("R1", format!("address of {text}"), "MX records exist: the name's own address must not be used", RFC));
    Decision { outcome: MxStep::Targets(targets), chosen, passed_over }
}

/// What the address questions about one target brought.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TargetAddresses {
    /// MX preference; 0 for an implicit MX.
    pub preference: u16,
    /// The target.
    pub name: NameId,
    /// Usable addresses, in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// Some question failed only for now.
    pub soft: Option<&'static str>,
    /// Some families were not asked for, since the sender cannot use them.
    pub other_family: bool,
    /// The name does not exist.
    pub no_such_name: bool,
    /// It has addresses, and the sender's settings leave them out.
    pub left_out: bool,
    /// The name is an alias of this one.
    pub alias_of: Option<NameId>,
    /// The sender's settings say that it is the sender itself (Exim `hosts_treat_as_local`).
    pub is_own: bool,
}

impl TargetAddresses {
    /// A target of which nothing is known.
    #[must_use]
    pub fn none(preference: u16, name: NameId) -> Self {
        Self {
            preference,
            name,
            addresses: Vec::new(),
            soft: None,
            other_family: false,
            no_such_name: false,
            left_out: false,
            alias_of: None,
            is_own: false,
        }
    }
}

/// Where a sender may try.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Candidate {
    /// MX preference.
    pub preference: u16,
    /// The name that led here.
    pub name: NameId,
    /// Its address.
    pub address: IpAddr,
}

/// What the sender does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MxPlan {
    /// Candidates by preference; luck decides among equals.
    Try(Vec<Candidate>),
    /// It ends here. `is_loop`: the sender met itself.
    End {
        /// How.
        end: End,
        /// Why.
        is_loop: bool,
    },
}

/// The one who asks.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Asker {
    /// Its own name.
    pub hostname: NameId,
    /// Its own addresses.
    pub addresses: Vec<IpAddr>,
    /// The port that it goes to: on others than 25 a meeting with oneself is no loop.
    pub port: u16,
    /// What it can use.
    pub families: Families,
    /// MX records without any usable address are no reason to give up.
    pub waits_for_addresses: bool,
}

/// Makes the list of candidates out of the targets of `name`.
///
/// The sender's own record and all that are not better are dropped (R19). An empty list ends the message: for good if all targets are hopeless,
/// for now if one of them failed only for now (R13).
#[must_use]
pub fn plan(
    rules: &Behaviour,
    names: &Names,
    asker: &Asker,
    name: NameId,
    implicit: bool,
    targets: &[TargetAddresses],
) -> Decision<MxPlan> {
    let text = label(names, name);
    let is_self = |target: &TargetAddresses| {
        let by_address = target.addresses.iter().any(|address| asker.addresses.contains(address) || address.is_loopback());
        target.is_own
            || asker.port == 25
                && match rules.mx.self_check {
                    SelfCheck::Address => by_address,
                    // `Cwlocalhost` stands in every sendmail.cf (proto.m4).
                    SelfCheck::Name => target.name == asker.hostname || names.text(target.name) == "localhost",
                    SelfCheck::NameOrAddress => by_address || target.name == asker.hostname,
                    SelfCheck::Never => false,
                }
    };
    let own = targets.iter().filter(|target| is_self(target)).map(|target| target.preference).min();
    let (mut chosen, mut passed_over) = (Vec::new(), Vec::new());
    let mut candidates = Vec::new();
    for target in targets {
        let target_text = label(names, target.name);
        let kind = if implicit { format!("implicit MX of {text}") } else { format!("MX {}", target.preference) };
        if own.is_some_and(|own| target.preference >= own) {
            let why = if target.is_own {
                format!("{kind}: this is the sender itself, as hosts_treat_as_local says")
            } else if is_self(target) {
                format!("{kind}: this is the sender itself")
            } else {
                format!("{kind}: not better than the sender's own")
            };
            passed_over.push(because("R19", target_text, why, "RFC 5321 §5.1, loop avoidance"));
        } else if !target.addresses.is_empty() {
            let addresses = list(&target.addresses);
            chosen.push(match target.alias_of {
                _ if is_address(&target_text) => {
                    let why = format!("{kind}: an address where a name must stand; this sender uses it all the same");
                    because("R17", target_text, why, RFC)
                }
                Some(host) => {
                    because("R10", target_text, format!("{kind}: an alias of {}, {addresses}", label(names, host)), "RFC 2181 §10.3")
                }
                None => because(if implicit { "R2" } else { "R1" }, target_text, format!("{kind}, {addresses}"), RFC),
            });
            candidates.extend(target.addresses.iter().map(|address| Candidate {
                preference: target.preference,
                name: target.name,
                address: *address,
            }));
        } else {
            passed_over.push(missing(target, target_text, &kind));
        }
    }
    if !candidates.is_empty() {
        return Decision { outcome: MxPlan::Try(candidates), chosen, passed_over };
    }
    let soft = targets.iter().any(|target| target.soft.is_some());
    let (end, is_loop, rule, why) = if let Some(own) = own {
        let better_exists = targets.iter().any(|target| target.preference < own);
        if better_exists {
            // Where the end is final, a question that failed only for now still leaves hope.
            let may_return = targets.iter().any(|target| target.preference < own && target.soft.is_some());
            let end = rules.mx.self_without_primary;
            let end = if end.bounce && may_return { rules.mx.no_usable_target_yet } else { end };
            (end, false, "R19", "the better ones cannot be found, and the next is the sender itself")
        } else if rules.mx.self_is_best.freeze {
            (rules.mx.self_is_best, true, "R19", "the best MX is the sender itself: mail loops back, and `self` = freeze keeps it frozen")
        } else {
            (rules.mx.self_is_best, true, "R19", "the best MX is the sender itself: mail loops back")
        }
    } else if implicit {
        if soft {
            (rules.mx.lookup_failed, false, "R5", "the address question failed for now")
        } else if targets.iter().all(|target| target.no_such_name) && !rules.mx.missing_name_is_no_mx {
            (rules.mx.no_such_domain, false, "R4", "nothing exists under this name")
        } else {
            (rules.mx.no_address, false, "R3", "neither MX nor address")
        }
    } else if soft {
        // The result of the last target that was asked for is noted.
        let last_is_soft = targets.last().is_some_and(|target| target.soft.is_some());
        let end = if last_is_soft { rules.mx.no_usable_target_yet } else { rules.mx.no_usable_target_mixed };
        (end, false, "R13", "no target has an address, and one question failed only for now")
    } else if asker.waits_for_addresses {
        (super::profile::defer(4, 4, 4), false, "R13", "no target has a usable address; smtp_defer_if_no_mx_address_found says to wait")
    } else {
        (rules.mx.no_usable_target, false, "R13", "no target has a usable address; the address of the domain is no substitute")
    };
    chosen.push(because(rule, text, why, RFC));
    Decision { outcome: MxPlan::End { end, is_loop }, chosen, passed_over }
}

/// Why a target without usable address is skipped.
fn missing(target: &TargetAddresses, text: String, kind: &str) -> Because {
    match target.soft {
        Some(how) => because("R12", text, format!("{kind}: the address question failed for now ({how})"), "RFC 7672 §2.1.2"),
        None if is_address(&text) => {
            because("R17", text, format!("{kind}: an address where a name must stand, and no name is called so"), RFC)
        }
        None if target.left_out => {
            let why = format!("{kind}: its addresses are among those that the sender leaves out");
            because("R11", text, why, "ignore_target_hosts, prohibited_hosts")
        }
        None if target.no_such_name => because("R11", text, format!("{kind}: does not exist"), RFC),
        None if target.other_family => because(
            "R18",
            text,
            format!("{kind}: no address of the family that the sender uses, and it asks for no other"),
            "RFC 5321 §5.2",
        ),
        None => because("R11", text, format!("{kind}: has no address"), RFC),
    }
}

/// Is this MX target no name, but an address?
fn is_address(target: &str) -> bool {
    target.parse::<IpAddr>().is_ok()
}

/// The name as people write it.
pub(crate) fn label(names: &Names, name: NameId) -> String {
    let text = names.text(name);
    if text.is_empty() { ".".to_owned() } else { text.to_owned() }
}

fn list(addresses: &[IpAddr]) -> String {
    const SHOWN: usize = 3;
    let more = if addresses.len() > SHOWN { format!(" and {} more", addresses.len() - SHOWN) } else { String::new() };
    addresses.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::super::profile::behaviour;
    use super::*;
    use crate::model::settings::{FamilyPreference, Profile};

    const ALL: Families = Families { v4: true, v6: true, prefer: FamilyPreference::Any, balance: true };

    /// Names to try, or whether it bounces, with which status.
    type Expected<'a> = Result<Vec<NameId>, (bool, &'a str)>;

    #[test]
    fn mx_answers() {
        let mut names = Names::default();
        let (domain, a, b, root) = (names.intern("d.test"), names.intern("a.d.test"), names.intern("b.d.test"), names.intern("."));
        let code = |end: &End| (end.bounce, end.status.to_string());
        use MxAnswer::{Failed, NoData, NxDomain, Records};
        let cases: [(_, _, _, Expected<'_>, _); 28] = [
            ("lowest preference first", Profile::Rfc, Records(vec![(20, b), (10, a)]), Ok(vec![a, b]), "R1"),
            ("no MX", Profile::Rfc, NoData, Ok(vec![]), "R2"),
            ("no such domain", Profile::Rfc, NxDomain, Err((true, "5.1.2")), "R4"),
            ("no such domain, Postfix goes on", Profile::Postfix, NxDomain, Ok(vec![]), "R4"),
            ("SERVFAIL", Profile::Rfc, Failed("SERVFAIL"), Err((false, "4.4.3")), "R5"),
            ("SERVFAIL, Sendmail", Profile::Sendmail, Failed("SERVFAIL"), Err((false, "4.4.3")), "R5"),
            ("silence", Profile::Postfix, Failed("no answer"), Err((false, "4.4.3")), "R6"),
            ("REFUSED", Profile::Postfix, Failed("REFUSED"), Err((false, "4.4.3")), "R7"),
            ("null MX", Profile::Rfc, Records(vec![(0, root)]), Err((true, "5.1.10")), "R14"),
            ("null MX, Postfix", Profile::Postfix, Records(vec![(0, root)]), Err((true, "5.1.0")), "R14"),
            ("null MX beside others is ignored", Profile::Rfc, Records(vec![(0, root), (10, a)]), Ok(vec![a]), "R1"),
            ("null MX beside others wins at Postfix", Profile::Postfix, Records(vec![(0, root), (10, a)]), Err((true, "5.1.0")), "R15"),
            ("`MX 10 .` is no host", Profile::Rfc, Records(vec![(10, root)]), Err((true, "5.4.4")), "R16"),
            ("twice the same", Profile::Rfc, Records(vec![(20, a), (10, a)]), Ok(vec![a]), "R1"),
            ("twice the same, Postfix", Profile::Postfix, Records(vec![(20, a), (10, a)]), Ok(vec![a, a]), "R1"),
            ("no such domain, Sendmail goes on", Profile::Sendmail, NxDomain, Ok(vec![]), "R4"),
            ("no such domain, OpenSMTPD", Profile::OpenSmtpd, NxDomain, Err((true, "5.1.2")), "R4"),
            ("no such domain, qmail goes on", Profile::Qmail, NxDomain, Ok(vec![]), "R4"),
            ("SERVFAIL, qmail", Profile::Qmail, Failed("SERVFAIL"), Err((false, "4.1.2")), "R5"),
            ("REFUSED, Sendmail waits", Profile::Sendmail, Failed("REFUSED"), Err((false, "4.4.3")), "R7"),
            ("REFUSED, OpenSMTPD gives up", Profile::OpenSmtpd, Failed("REFUSED"), Err((true, "5.4.3")), "R7"),
            ("null MX, Sendmail", Profile::Sendmail, Records(vec![(0, root)]), Err((true, "5.1.10")), "R14"),
            ("null MX, OpenSMTPD 7.8", Profile::OpenSmtpd, Records(vec![(0, root)]), Err((true, "5.1.10")), "R14"),
            ("null MX, OpenSMTPD 6.8 knows none", Profile::OpenSmtpd6, Records(vec![(0, root)]), Err((false, "4.4.4")), "R14"),
            ("null MX, qmail", Profile::Qmail, Records(vec![(0, root)]), Err((true, "5.4.4")), "R14"),
            ("null MX beside others, OpenSMTPD", Profile::OpenSmtpd, Records(vec![(0, root), (10, a)]), Ok(vec![a]), "R1"),
            ("null MX beside others wins at KumoMTA", Profile::KumoMta, Records(vec![(0, root), (10, a)]), Err((true, "5.1.10")), "R15"),
            ("`MX 10 .`, OpenSMTPD", Profile::OpenSmtpd, Records(vec![(10, root)]), Err((false, "4.4.4")), "R16"),
        ];
        for (case, profile, answer, expected, rule) in cases {
            let decision = read_mx(behaviour(profile), &names, domain, &answer);
            assert_eq!(decision.chosen[0].rule, rule, "{case}");
            match (&decision.outcome, expected) {
                (MxStep::Targets(targets), Ok(names)) => assert_eq!(targets.iter().map(|t| t.1).collect::<Vec<_>>(), names, "{case}"),
                (MxStep::Implicit, Ok(names)) => assert!(names.is_empty(), "{case}"),
                (MxStep::End(end), Err((bounce, status))) => assert_eq!(code(end), (bounce, status.to_owned()), "{case}"),
                (got, expected) => panic!("{case}: {got:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn plans() {
        let mut names = Names::default();
        let (domain, me, a, b, c) =
            (names.intern("d.test"), names.intern("me.test"), names.intern("a.test"), names.intern("b.test"), names.intern("c.test"));
        let ip = |last: u8| IpAddr::from([192, 0, 2, last]);
        let asker = Asker { hostname: me, addresses: vec![ip(9)], port: 25, families: ALL, waits_for_addresses: false };
        let at = |preference, name, last| TargetAddresses { addresses: vec![ip(last)], ..TargetAddresses::none(preference, name) };
        let gone = TargetAddresses::none;
        let soft = |preference, name| TargetAddresses { soft: Some("SERVFAIL"), ..TargetAddresses::none(preference, name) };
        let cases: [(_, _, _, _, Expected<'_>); 24] = [
            ("both", Profile::Rfc, false, vec![at(10, a, 1), at(20, b, 2)], Ok(vec![a, b])),
            ("own address drops itself and worse", Profile::Postfix, false, vec![at(10, a, 1), at(20, b, 9), at(30, c, 3)], Ok(vec![a])),
            ("own name drops itself and worse", Profile::Rfc, false, vec![at(10, a, 1), at(20, me, 8), at(30, c, 3)], Ok(vec![a])),
            ("Postfix does not look at names", Profile::Postfix, false, vec![at(10, me, 8)], Ok(vec![me])),
            ("self is best", Profile::Postfix, false, vec![at(10, b, 9), at(20, c, 3)], Err((true, "5.4.6"))),
            ("primary lost, self next", Profile::Postfix, false, vec![gone(10, a), at(20, b, 9)], Err((false, "4.4.4"))),
            ("primary does not exist, self next", Profile::Rfc, false, vec![gone(10, a), at(20, b, 9)], Err((true, "5.4.4"))),
            ("primary unknown for now, self next", Profile::Rfc, false, vec![soft(10, a), at(20, b, 9)], Err((false, "4.4.4"))),
            ("one target gone", Profile::Rfc, false, vec![gone(10, a), at(20, b, 2)], Ok(vec![b])),
            ("all gone", Profile::Postfix, false, vec![gone(10, a), gone(20, b)], Err((true, "5.4.4"))),
            ("gone and unknown", Profile::Rfc, false, vec![gone(10, a), soft(20, b)], Err((false, "4.4.4"))),
            ("unknown and gone, Postfix", Profile::Postfix, false, vec![soft(10, a), gone(20, b)], Err((false, "4.4.4"))),
            ("unknown only, Postfix", Profile::Postfix, false, vec![soft(10, a)], Err((false, "4.4.3"))),
            ("nothing at all", Profile::Rfc, true, vec![gone(0, domain)], Err((true, "5.4.4"))),
            ("Sendmail knows itself by name", Profile::Sendmail, false, vec![at(10, a, 1), at(20, me, 8), at(30, c, 3)], Ok(vec![a])),
            ("Sendmail does not look at addresses", Profile::Sendmail, false, vec![at(10, a, 1), at(20, b, 9)], Ok(vec![a, b])),
            ("Sendmail is the best MX", Profile::Sendmail, false, vec![at(10, me, 8), at(20, c, 3)], Err((true, "5.3.5"))),
            ("OpenSMTPD does not look for itself", Profile::OpenSmtpd, false, vec![at(10, me, 9), at(20, c, 3)], Ok(vec![me, c])),
            ("all gone, Sendmail", Profile::Sendmail, false, vec![gone(10, a), gone(20, b)], Err((true, "5.1.2"))),
            ("unknown and gone, Sendmail", Profile::Sendmail, false, vec![soft(10, a), gone(20, b)], Err((false, "5.1.2"))),
            ("all gone, OpenSMTPD waits", Profile::OpenSmtpd, false, vec![gone(10, a), gone(20, b)], Err((false, "4.4.4"))),
            ("nothing at all, OpenSMTPD waits", Profile::OpenSmtpd, true, vec![gone(0, domain)], Err((false, "4.4.4"))),
            ("all gone, qmail", Profile::Qmail, false, vec![gone(10, a)], Err((true, "5.4.4"))),
            ("all gone, KumoMTA waits", Profile::KumoMta, false, vec![gone(10, a)], Err((false, "4.4.4"))),
        ];
        for (case, profile, implicit, targets, expected) in cases {
            let decision = plan(behaviour(profile), &names, &asker, domain, implicit, &targets);
            match (&decision.outcome, expected) {
                (MxPlan::Try(candidates), Ok(names)) => assert_eq!(candidates.iter().map(|c| c.name).collect::<Vec<_>>(), names, "{case}"),
                (MxPlan::End { end, .. }, Err((bounce, status))) => {
                    assert_eq!((end.bounce, end.status.to_string()), (bounce, status.to_owned()), "{case}")
                }
                (got, expected) => panic!("{case}: {got:?}, not {expected:?}"),
            }
            assert!(decision.chosen.len() + decision.passed_over.len() >= 1, "{case}: a decision without a reason");
        }
    }
}
