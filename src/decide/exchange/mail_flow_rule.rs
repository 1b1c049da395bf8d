//! Which mail-flow rules act on a message for one recipient, and what do they do to it?
//!
//! Rules run in order of priority; a later one sees what an earlier one did, and the later of two that name a connector wins (OUT-2). A condition
//! about recipients looks at one recipient: a message whose recipients differ in it is split. Whom a rule adds is none of the recipients that rules look at:
//! only what later rules do to the whole message is done to that copy too. A rejected or deleted message meets no further rule.
//! Sources: New-TransportRule; mail-flow-rule-actions; conditional-mail-routing. Decisions of ours where they are silent: audited rules do not stop
//! the rules below them.

mod copied;

pub use self::copied::Copied;
use self::copied::act_on_copies;
use super::super::acceptance::accepted_domain;
use super::super::authentication::dkim::change_of_field;
use super::super::{Because, Decision, because};
use crate::base::{Address, Enhanced, InOrder, Reply};
use crate::model::dns::Names;
use crate::model::exchange::{DomainType, Tenant};
use crate::model::expansion::{Apart, Expansion, ExpansionKind};
use crate::model::letter::{Letter, Pin, Stamps};
use crate::model::mail_flow_rule::{Action, Condition, MailFlowRule, RuleState, Scope, SenderPlace, Test};
use crate::model::traffic::AddressTemplate;

const SOURCE: &str = "New-TransportRule";
const CBR: &str = "New-TransportRule RouteMessageOutboundConnector";

/// What all rules together make of a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ruled {
    /// The way out.
    pub pin: Pin,
    /// Who gets it instead, and the rule that says so.
    pub redirect: Option<(Box<str>, Vec<AddressTemplate>)>,
    /// Who gets it too.
    pub copies: Vec<Copied>,
    /// What it carries on from here.
    pub stamps: Stamps,
    /// It goes no further.
    pub end: Option<End>,
}

impl Ruled {
    /// Who stands in the place of the recipient `address` if rules redirect or copy: rules do not run again over these copies.
    #[must_use]
    pub fn as_expansion(self, address: &str) -> Expansion {
        let own = || Address::parse(address).map(|own| AddressTemplate::of(&own));
        // Who was meant is not passed on by the rule that copies.
        let apart = if self.redirect.is_some() { Vec::new() } else { vec![(0, Apart::NotByRule)] };
        let (name, mut to) = self.redirect.unwrap_or_else(|| (address.into(), own().into_iter().collect()));
        let same = |a: &AddressTemplate, b: &AddressTemplate| a.local.eq_ignore_ascii_case(&b.local) && a.domain == b.domain;
        let passed_on =
            |stamps, pin| Stamps { keeps_organization_headers: true, by_rule: true, stands_in: true, ruled: Some(pin), ..stamps };
        let stamps = passed_on(self.stamps, self.pin);
        let mut copied: Vec<(Vec<usize>, Stamps)> = Vec::new();
        for copy in self.copies {
            let own = passed_on(copy.stamps, copy.pin);
            for one in copy.to {
                if to.iter().any(|known| same(known, &one)) {
                    continue;
                }
                if own != stamps {
                    match copied.iter_mut().find(|(_, known)| *known == own) {
                        Some((places, _)) => places.push(to.len()),
                        None => copied.push((vec![to.len()], own.clone())),
                    }
                }
                to.push(one);
            }
        }
        // Rules act on the message, before it is split by recipients: whoever they add is added once.
        Expansion { stamps, apart, copied, once: true, ..Expansion::of(&name, to, ExpansionKind::Alias) }
    }
}

/// How a rule ends a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// Returned with this reply.
    Reject(Reply),
    /// Dropped in silence.
    Delete,
    /// Held.
    Quarantine,
}

/// Runs the rules of `tenant` over a message for the recipient `address` in `domain`.
#[must_use]
pub fn run(tenant: &Tenant, names: &Names, letter: &Letter, address: &str, domain: &str) -> Decision<Ruled> {
    let mut letter = letter.clone();
    let mut outcome = Ruled::default();
    let mut decision: (Vec<Because>, Vec<Because>) = (Vec::new(), Vec::new());
    let (chosen, passed_over) = &mut decision;
    let mut ended_by: Option<(&str, &str)> = None;
    // The copies as later rules see them, while none stops them.
    let mut seen: Vec<Option<Letter>> = Vec::new();
    for (priority, rule) in tenant.mail_flow_rules.iter().enumerate() {
        let id = rule_id(rule);
        let ignored = act_on_copies(rule, (tenant, names), &mut seen, &mut outcome.copies);
        let told = |why: String, source| because(id, &*rule.name, format!("priority {priority}: {why}"), source).in_turn(priority);
        let mut pass_over = |why: String| passed_over.push(told(why, SOURCE));
        if let Some((name, how)) = ended_by {
            pass_over(format!("`{name}` comes first and {how}"));
            continue;
        }
        if matches!(rule.state, RuleState::Off | RuleState::NotNow) {
            pass_over(if rule.state == RuleState::Off { "disabled" } else { "its dates say that it does not act now" }.into());
            continue;
        }
        let question = Question { looks_in: rule.looks_in, tenant, names, letter: &letter, address, domain };
        if let Some(failed) = rule.conditions.iter().find(|condition| !question.holds(condition)) {
            pass_over(question.fails(failed));
            continue;
        }
        if let Some(met) = rule.exceptions.iter().find(|condition| question.holds(condition)) {
            pass_over(format!("its exception `{}` holds", met.field));
            continue;
        }
        if rule.state == RuleState::Audits {
            pass_over("matches, and its mode only audits".into());
            continue;
        }
        if let Some((_, earlier)) = outcome.pin.connector.take_if(|_| rule.actions.iter().any(|action| matches!(action, Action::Route(_))))
        {
            let before = tenant.mail_flow_rules.iter().position(|rule| rule.name == earlier).unwrap_or_default();
            chosen.retain(|reason: &Because| reason.rule != "OUT-2" || *reason.name != *earlier);
            let why = format!("priority {before}: its conditions hold, and the later rule `{}` names another way out", rule.name);
            passed_over.push(because("OUT-2", earlier, why, CBR).in_turn(before));
        }
        let done: Vec<String> = rule.actions.iter().map(|action| act(action, tenant, rule, &mut letter, &mut outcome)).collect();
        let met = if rule.conditions.is_empty() { "it has no conditions" } else { "its conditions hold" };
        let done = if done.is_empty() { "it does nothing itself".to_owned() } else { done.join(", ") };
        for copy in &mut outcome.copies[seen.len()..] {
            (copy.pin, copy.stamps) = (outcome.pin.clone(), outcome.stamps.clone());
            seen.push(Some(letter.clone()).filter(|_| !rule.stops));
        }
        let why = format!("{met}: {done}{}{ignored}", if rule.stops { ", and no rule below it is asked" } else { "" });
        chosen.push(told(why, if id == "OUT-2" { CBR } else { SOURCE }));
        ended_by = match outcome.end {
            Some(End::Reject(_)) => Some((&rule.name, "returns the message")),
            Some(End::Delete) => Some((&rule.name, "deletes the message")),
            Some(End::Quarantine) => Some((&rule.name, "quarantines the message, and no rule behind it is asked, not even on its release")),
            None => rule.stops.then_some((&*rule.name, "stops the processing of rules")),
        };
    }
    let (mut chosen, passed_over) = decision;
    if chosen.is_empty() {
        chosen.push(because("RULE", "no rule", "no mail-flow rule acts on it", SOURCE));
    }
    // The pin is what the next question needs.
    chosen.in_order_by_key(|reason| reason.rule != "OUT-2");
    Decision { outcome, chosen, passed_over }
}

/// Rules that name a connector are criteria based routing.
fn rule_id(rule: &MailFlowRule) -> &'static str {
    if rule.actions.iter().any(|action| matches!(action, Action::Route(_))) { "OUT-2" } else { "RULE" }
}

/// Does one thing that a rule says, and says it in words.
fn act(action: &Action, tenant: &Tenant, rule: &MailFlowRule, letter: &mut Letter, outcome: &mut Ruled) -> String {
    let set = |name: &str, value: Option<&str>, letter: &mut Letter, outcome: &mut Ruled| {
        let name = name.to_ascii_lowercase();
        outcome.stamps.changes.push((rule.name.clone(), change_of_field(&name, letter.values(&name).next(), value)));
        letter.headers.retain(|header| !header.name.eq_ignore_ascii_case(&name));
        if let Some(value) = value {
            letter.headers.push(crate::model::letter::Header { name: name.as_str().into(), value: value.into() });
        }
        outcome.stamps.headers.retain(|(known, _)| **known != *name);
        outcome.stamps.headers.push((name.into(), value.map(Into::into)));
    };
    match action {
        Action::Route(at) => {
            outcome.pin.connector = Some((*at, rule.name.clone()));
            format!("sends it by the connector `{}`", tenant.outbound_connectors[*at].name)
        }
        Action::RequireTls => {
            outcome.pin.requires_tls = true;
            "TLS is required on the way out".into()
        }
        Action::SetHeader(header) => {
            set(&header.name, Some(&header.value), letter, outcome);
            format!("sets the header `{}`", header.name)
        }
        Action::RemoveHeader(name) => {
            set(name, None, letter, outcome);
            format!("takes the header `{name}` away")
        }
        Action::SetScl(scl) => {
            (letter.scl, outcome.stamps.scl) = (Some(*scl), Some(*scl));
            format!("sets the spam confidence to {scl}")
        }
        Action::PrependSubject(text) => {
            let subject = letter.values("subject").next().unwrap_or_default().to_owned();
            set("subject", Some(&format!("{text}{subject}")), letter, outcome);
            "writes before the subject".into()
        }
        Action::Redirect(_) | Action::Copy(_) if letter.rule_loops > 0 => {
            let text = "Transport rules loop count exceeded and message rejected";
            outcome.end = Some(End::Reject(Reply::new(550, Some(Enhanced(5, 7, 128)), text)));
            "passes it on for the second time (X-MS-Exchange-Transport-Rules-Loop)".into()
        }
        Action::Redirect(to) => {
            outcome.redirect = Some((rule.name.clone(), to.clone()));
            format!("passes it on to {}", people(to))
        }
        Action::Copy(to) => {
            let has = |one: &&AddressTemplate| outcome.copies.iter().any(|copy| copy.to.contains(one));
            let to_more: Vec<AddressTemplate> = to.iter().filter(|one| !has(one)).cloned().collect();
            outcome.copies.extend((!to_more.is_empty()).then(|| Copied { to: to_more, ..Copied::default() }));
            format!("sends a further copy to {}", people(to))
        }
        Action::Reject(reply) => {
            outcome.end = Some(End::Reject(reply.clone()));
            format!("returns it with {reply}")
        }
        Action::Delete => {
            outcome.end = Some(End::Delete);
            if outcome.copies.is_empty() && outcome.redirect.is_none() {
                "deletes it".into()
            } else {
                "deletes it before anybody else has got it: the copies of it go with it".into()
            }
        }
        Action::Quarantine => {
            outcome.end = Some(End::Quarantine);
            "quarantines it".into()
        }
    }
}

/// `alice@a.test and 2 more`
fn people(to: &[AddressTemplate]) -> String {
    let first = to.first().map_or_else(|| "nobody".to_owned(), |one| format!("{}@{}", one.local, one.domain));
    if to.len() > 1 { format!("{first} and {} more", to.len() - 1) } else { first }
}

/// What conditions are about.
struct Question<'a> {
    looks_in: SenderPlace,
    tenant: &'a Tenant,
    names: &'a Names,
    letter: &'a Letter,
    /// Empty for a copy that a rule added.
    address: &'a str,
    domain: &'a str,
}

impl Question<'_> {
    fn holds(&self, condition: &Condition) -> bool {
        let letter = self.letter;
        if condition.test.is_about_recipient() && self.address.is_empty() {
            return false;
        }
        let is_one_of = |list: &[Box<str>], address: &str| list.iter().any(|one| one.eq_ignore_ascii_case(address));
        let any_sender = |holds: &dyn Fn(&str, &str) -> bool| {
            let (author, envelope) = (Some(&*letter.author), Some(&*letter.sender));
            let places = match self.looks_in {
                SenderPlace::Header => [author, None],
                SenderPlace::Envelope => [envelope, None],
                SenderPlace::Both => [author, envelope],
            };
            places.into_iter().flatten().any(|sender| holds(sender, domain_of(sender)))
        };
        match &condition.test {
            Test::SenderIs(list) => any_sender(&|sender, _| is_one_of(list, sender)),
            Test::SenderScope(scope) => {
                let author = &letter.author;
                let inside = letter.origin.is_internal() && self.is_inside(author, domain_of(author));
                (*scope == Scope::Inside) == inside
            }
            Test::SenderAddress(texts) => any_sender(&|sender, _| texts.are_in(sender)),
            Test::SenderDomain(domains) => any_sender(&|_, domain| is_below_one_of(domains, domain)),
            Test::SenderIp(networks) => letter.client.is_some_and(|client| networks.iter().any(|network| network.has(client))),
            Test::SenderAttribute(tests) => self.has_attribute(&letter.author, tests),
            Test::RecipientIs(list) => is_one_of(list, self.address),
            Test::RecipientScope(scope) => (*scope == Scope::Inside) == self.is_inside(self.address, self.domain),
            Test::RecipientDomain(domains) => is_below_one_of(domains, self.domain),
            Test::RecipientAddress(texts) => texts.are_in(self.address),
            Test::RecipientAttribute(tests) => self.has_attribute(self.address, tests),
            Test::Header { name, texts } => letter.values(name).any(|value| texts.are_in(value)),
            Test::Content(texts) => letter.values("subject").chain([&*letter.text]).any(|text| texts.are_in(text)),
            Test::Between(one, other) => {
                let from = |list: &[Box<str>]| any_sender(&|sender, _| is_one_of(list, sender));
                let to = |list: &[Box<str>]| is_one_of(list, self.address);
                from(one) && to(other) || from(other) && to(one)
            }
            Test::SizeOver(bytes) => letter.size_bytes > *bytes,
            Test::IsOf(kind) => letter.kind == Some(*kind),
            Test::SclOver(scl) => letter.scl.is_some_and(|has| has >= *scl),
        }
    }

    /// Why a condition does not hold, where that is not to be seen from the message itself.
    fn fails(&self, condition: &Condition) -> String {
        let (author, origin) = (&self.letter.author, self.letter.origin);
        let field = condition.field;
        match condition.test {
            Test::SenderScope(Scope::Inside) if !origin.is_internal() && self.is_inside(author, domain_of(author)) => {
                format!("its condition `{field}` does not hold: {author} is an own address, but the message {}", origin.standing())
            }
            _ => format!("its condition `{field}` does not hold"),
        }
    }

    /// Somebody of the directory, or an address in a domain that is the organization's own (ExternalRelay is not).
    fn is_inside(&self, address: &str, domain: &str) -> bool {
        self.tenant.knows(address)
            || accepted_domain(self.tenant, self.names, domain).is_some_and(|accepted| accepted.kind != DomainType::ExternalRelay)
    }

    fn has_attribute(&self, address: &str, tests: &[(Box<str>, crate::model::mail_flow_rule::Texts)]) -> bool {
        let Some(person) = self.tenant.people.iter().find(|person| person.address.matches(address)) else { return false };
        tests.iter().any(|(name, texts)| person.attributes.iter().any(|(known, value)| known == name && texts.are_in(value)))
    }
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn is_below_one_of(domains: &[Box<str>], domain: &str) -> bool {
    domains.iter().any(|one| domain.strip_suffix(&**one).is_some_and(|front| front.is_empty() || front.ends_with('.')))
}

/// The reply of a rule that says neither a code nor a text.
#[must_use]
pub fn rejection(status: Option<Enhanced>, text: Option<&str>) -> Reply {
    let text = text.unwrap_or("Delivery not authorized, message refused");
    Reply::new(550, Some(status.unwrap_or(Enhanced(5, 7, 1))), &format!("TRANSPORT.RULES.RejectMessage; {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::letter::{Header, Origin};
    use crate::model::mail_flow_rule::{SenderPlace, Texts};

    fn rule(name: &str, conditions: Vec<Test>, actions: Vec<Action>) -> MailFlowRule {
        let conditions = conditions.into_iter().map(|test| Condition { field: "a_condition", test }).collect();
        let (state, looks_in) = (RuleState::Acts, SenderPlace::Header);
        MailFlowRule { name: name.into(), state, looks_in, conditions, exceptions: vec![], actions, stops: false }
    }

    fn to(domain: &str) -> AddressTemplate {
        AddressTemplate { local: "x".into(), domain: domain.into() }
    }

    #[test]
    fn each_is_told_in_its_turn() {
        let never = || vec![Test::SizeOver(1000)];
        let rules = vec![
            rule("a", never(), vec![Action::Delete]),
            rule("b", vec![], vec![Action::SetScl(1)]),
            MailFlowRule { state: RuleState::Off, ..rule("c", vec![], vec![Action::Delete]) },
            rule("d", vec![], vec![Action::Quarantine]),
            rule("e", vec![], vec![Action::Delete]),
        ];
        let tenant = Tenant { mail_flow_rules: rules, ..Tenant::bare() };
        let decision = run(&tenant, &Names::default(), &Letter { size_bytes: 9, ..Letter::default() }, "bob@far.test", "far.test");
        let mut told: Vec<&Because> = decision.chosen.iter().chain(&decision.passed_over).collect();
        told.sort_by_key(|reason| reason.turn);
        let told: Vec<String> = told.iter().map(|reason| format!("{} {}", reason.name, reason.why)).collect();
        assert_eq!(
            told,
            [
                "a priority 0: its condition `a_condition` does not hold",
                "b priority 1: it has no conditions: sets the spam confidence to 1",
                "c priority 2: disabled",
                "d priority 3: it has no conditions: quarantines it",
                "e priority 4: `d` comes first and quarantines the message, and no rule behind it is asked, not even on its release",
            ]
        );
    }

    #[test]
    fn what_rules_come_to() {
        let header = |value: &str| Header { name: "X-Class".into(), value: value.into() };
        let reads = |word: &str| Test::Header { name: "x-class".into(), texts: Texts::Words(vec![word.into()]) };
        let refuse = || Action::Reject(rejection(None, None));
        let from =
            |place| MailFlowRule { looks_in: place, ..rule("from", vec![Test::SenderDomain(vec!["news.test".into()])], vec![refuse()]) };
        let stop = |rule: MailFlowRule| MailFlowRule { stops: true, ..rule };
        let set = || rule("set", vec![Test::SizeOver(10)], vec![Action::SetHeader(header("secret"))]);
        let mark = |letter: &Letter, loops| Letter { rule_loops: loops, ..letter.clone() };
        let letter = Letter {
            sender: "bounce@news.test".into(),
            author: "alice@own.test".into(),
            size_bytes: 100,
            origin: Origin::Submitted,
            ..Letter::default()
        };
        let cases = [
            ("nothing acts", vec![rule("r", vec![Test::SizeOver(1000)], vec![refuse()])], letter.clone(), "", "no rule"),
            ("the sender is looked for in the header", vec![from(SenderPlace::Header)], letter.clone(), "", "no rule"),
            ("or in the envelope", vec![from(SenderPlace::Envelope)], letter.clone(), "reject 5.7.1", "from"),
            ("or in both", vec![from(SenderPlace::Both)], letter.clone(), "reject 5.7.1", "from"),
            (
                "a later rule reads what an earlier one set",
                vec![set(), rule("read", vec![reads("secret")], vec![Action::Delete])],
                letter.clone(),
                "delete",
                "set",
            ),
            (
                "not if that one stops",
                vec![stop(set()), rule("read", vec![reads("secret")], vec![Action::Delete])],
                letter.clone(),
                "",
                "set",
            ),
            (
                "once round is allowed",
                vec![rule("on", vec![], vec![Action::Redirect(vec![to("b.test")])])],
                mark(&letter, 0),
                "redirect",
                "on",
            ),
            (
                "twice is not",
                vec![rule("on", vec![], vec![Action::Redirect(vec![to("b.test")])])],
                mark(&letter, 1),
                "reject 5.7.128",
                "on",
            ),
            (
                "what is returned meets no further rule",
                vec![rule("no", vec![], vec![refuse()]), rule("q", vec![], vec![Action::Quarantine])],
                letter.clone(),
                "reject 5.7.1",
                "no",
            ),
        ];
        for (case, rules, letter, expected, first) in cases {
            let tenant = Tenant { mail_flow_rules: rules, ..Tenant::bare() };
            let decision = run(&tenant, &Names::default(), &letter, "bob@far.test", "far.test");
            let got = match (&decision.outcome.end, &decision.outcome.redirect) {
                (Some(End::Reject(reply)), _) => format!("reject {}", reply.enhanced.expect("a status")),
                (Some(End::Delete), _) => "delete".into(),
                (Some(End::Quarantine), _) => "quarantine".into(),
                (None, Some(_)) => "redirect".into(),
                (None, None) => String::new(),
            };
            assert_eq!((&*got, &*decision.chosen[0].name), (expected, first), "{case}");
            let told = decision.chosen.iter().chain(&decision.passed_over).filter(|reason| &*reason.name != "no rule").count();
            assert_eq!(told, tenant.mail_flow_rules.len(), "{case}: every rule has its reason");
        }
    }
}
