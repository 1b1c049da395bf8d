//! What does a filter make of a message for one recipient?
//!
//! Rules run in written order; each sees what those before it wrote. `Reject`, `Quarantine`, `Discard` and `Redirect` end the run, `Tag` and `Delay` let it
//! go on. A redirected message meets the rules anew for its new recipient, who is not redirected by that rule again.
//! A decision of ours, since the products differ. Sources: RFC 5321 §4.2.5 (a refusal at the end of DATA is for the whole message), §7.9 (who refuses what).

use super::{Decision, because};
use crate::base::Reply;
use crate::model::filter::{FilterAction, FilterRule, HeaderTest};
use crate::model::letter::{Header, Letter};
use crate::model::traffic::AddressTemplate;

/// What all rules together come to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filtered {
    /// It goes no further.
    pub end: Option<FilterEnd>,
    /// Fields that were written, by name in lower case.
    pub headers: Vec<(Box<str>, Option<Box<str>>)>,
    /// How long it is held.
    pub delay_ns: u64,
}

/// How a rule ends a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FilterEnd {
    /// Refused.
    Reject(Reply),
    /// Held back.
    Quarantine(Box<str>),
    /// Dropped in silence.
    Discard(Box<str>),
    /// By this rule to another address.
    Redirect(Box<str>, AddressTemplate),
}

/// Runs the rules over a message for the recipient `address`.
#[must_use]
pub fn run(rules: &[FilterRule], letter: &Letter, address: &str) -> Decision<Filtered> {
    let mut letter = letter.clone();
    let mut outcome = Filtered::default();
    let (mut chosen, mut passed_over) = (Vec::new(), Vec::new());
    let mut ended_by: Option<&str> = None;
    for (turn, rule) in rules.iter().enumerate() {
        let reason = |rule: &FilterRule, why: String| because("FILTER", &*rule.name, why, "filter").in_turn(turn);
        if let Some(name) = ended_by {
            passed_over.push(reason(rule, format!("`{name}` comes first and ends it")));
            continue;
        }
        if let Err(why) = applies(rule, &letter, address) {
            passed_over.push(reason(rule, why));
            continue;
        }
        let done = act(rule, &mut letter, &mut outcome);
        chosen.push(reason(rule, done));
        if outcome.end.is_some() {
            ended_by = Some(&rule.name);
        }
    }
    // What ends it is what everybody asks for.
    if outcome.end.is_some() {
        chosen.rotate_right(1);
    }
    if chosen.is_empty() {
        chosen.push(because("FILTER", "no rule", "no rule of the filter applies", "filter"));
    }
    Decision { outcome, chosen, passed_over }
}

/// Are all conditions met? Else the first that is not.
fn applies(rule: &FilterRule, letter: &Letter, address: &str) -> Result<(), String> {
    let FilterRule { from, to, header, except_header, size_over, scl_at_least, .. } = rule;
    let sender = if letter.sender.is_empty() { "<>" } else { &letter.sender };
    if !from.is_empty() && !from.iter().any(|pattern| pattern.matches(sender)) {
        return Err(format!("the sender is {sender}"));
    }
    if !to.is_empty() && !to.iter().any(|pattern| pattern.matches(address)) {
        return Err(format!("the recipient is {address}"));
    }
    if let Some(test) = header.as_ref().filter(|test| !has(letter, test)) {
        return Err(format!("no field {}", words(test)));
    }
    if let Some(test) = except_header.as_ref().filter(|test| has(letter, test)) {
        return Err(format!("there is a field {}", words(test)));
    }
    if let Some(most) = size_over.filter(|most| letter.size_bytes <= *most) {
        return Err(format!("{} bytes are not more than {most}", letter.size_bytes));
    }
    if let FilterAction::Redirect(to) = &rule.then
        && to.expand(0).to_string() == address
    {
        return Err("it is on its way there already".to_owned());
    }
    match (scl_at_least, letter.scl) {
        (Some(least), None) => Err(format!("nobody says a spam confidence level, and {least} is asked for")),
        (Some(least), Some(scl)) if scl < *least => Err(format!("its spam confidence level is {scl}")),
        _ => Ok(()),
    }
}

fn has(letter: &Letter, test: &HeaderTest) -> bool {
    letter.values(&test.name).any(|value| test.value.as_ref().is_none_or(|pattern| pattern.matches(value)))
}

fn words(test: &HeaderTest) -> String {
    match &test.value {
        None => format!("`{}`", test.name),
        Some(value) => format!("`{}: {value}`", test.name),
    }
}

/// Does what a rule says, and says it in words.
fn act(rule: &FilterRule, letter: &mut Letter, outcome: &mut Filtered) -> String {
    match &rule.then {
        FilterAction::Reject(reply) => {
            outcome.end = Some(FilterEnd::Reject(reply.clone()));
            format!("refused at the end of DATA: {reply}")
        }
        FilterAction::Quarantine => {
            outcome.end = Some(FilterEnd::Quarantine(rule.name.clone()));
            "taken, and kept away from the recipient".to_owned()
        }
        FilterAction::Discard => {
            outcome.end = Some(FilterEnd::Discard(rule.name.clone()));
            "taken, and forgotten".to_owned()
        }
        FilterAction::Redirect(to) => {
            outcome.end = Some(FilterEnd::Redirect(rule.name.clone(), to.clone()));
            format!("sent to {} instead", to.expand(0))
        }
        FilterAction::Tag { name, value } => {
            letter.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
            letter.headers.push(Header { name: name.clone(), value: value.clone() });
            let lower: Box<str> = name.to_ascii_lowercase().into();
            outcome.headers.retain(|(known, _)| *known != lower);
            outcome.headers.push((lower, Some(value.clone())));
            format!("tagged `{name}: {value}`")
        }
        FilterAction::Delay(delay_ns) => {
            outcome.delay_ns = outcome.delay_ns.saturating_add(*delay_ns);
            format!("held for {}", crate::base::exact_duration(*delay_ns))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pattern;

    fn rule(name: &str, change: impl FnOnce(&mut FilterRule)) -> FilterRule {
        let mut rule = FilterRule {
            name: name.into(),
            from: Vec::new(),
            to: Vec::new(),
            header: None,
            except_header: None,
            size_over: None,
            scl_at_least: None,
            then: FilterAction::Quarantine,
        };
        change(&mut rule);
        rule
    }

    fn field(name: &str, value: Option<&str>) -> Option<HeaderTest> {
        Some(HeaderTest { name: name.into(), value: value.map(Pattern::new) })
    }

    #[test]
    fn conditions() {
        let header = Header { name: "X-Scan".into(), value: "Spam, sure".into() };
        let letter = Letter { sender: "olga@far.test".into(), headers: vec![header], size_bytes: 1000, scl: Some(5), ..Letter::default() };
        let cases: [(FilterRule, bool); 12] = [
            (rule("all", |_| {}), true),
            (rule("from", |rule| rule.from = vec![Pattern::new("*@far.test")]), true),
            (rule("not from", |rule| rule.from = vec![Pattern::new("<>")]), false),
            (rule("to", |rule| rule.to = vec![Pattern::new("bob@here.test")]), false),
            (rule("has", |rule| rule.header = field("x-scan", None)), true),
            (rule("has value", |rule| rule.header = field("x-scan", Some("*spam*"))), true),
            (rule("has other value", |rule| rule.header = field("x-scan", Some("clean"))), false),
            (rule("except", |rule| rule.except_header = field("X-Scan", None)), false),
            (rule("over", |rule| rule.size_over = Some(999)), true),
            (rule("not over", |rule| rule.size_over = Some(1000)), false),
            (rule("scl", |rule| rule.scl_at_least = Some(5)), true),
            (rule("not scl", |rule| rule.scl_at_least = Some(6)), false),
        ];
        for (rule, expected) in cases {
            let name = rule.name.clone();
            let decision = run(&[rule], &letter, "anna@here.test");
            assert_eq!(decision.outcome.end.is_some(), expected, "{name}: {decision:?}");
            assert_eq!((decision.chosen.len(), decision.passed_over.len()), (1, usize::from(!expected)), "{name}");
        }
        let null = run(&[rule("null", |rule| rule.from = vec![Pattern::new("<>")])], &Letter::default(), "anna@here.test");
        assert!(null.outcome.end.is_some());
        let unknown = run(&[rule("scl", |rule| rule.scl_at_least = Some(-1))], &Letter::default(), "anna@here.test");
        assert!(unknown.outcome.end.is_none(), "what nobody says is no level");
    }

    #[test]
    fn one_after_the_other() {
        let tag = |value: &str| FilterAction::Tag { name: "X-Scan".into(), value: value.into() };
        let rules = [
            rule("held", |rule| rule.then = FilterAction::Delay(5)),
            rule("first", |rule| rule.then = tag("seen")),
            rule("again", |rule| (rule.header, rule.then) = (field("x-scan", Some("seen")), tag("twice"))),
            rule("gone", |rule| (rule.header, rule.then) = (field("x-scan", Some("twice")), FilterAction::Discard)),
            rule("never", |_| {}),
        ];
        let decision = run(&rules, &Letter::default(), "anna@here.test");
        let Filtered { end, headers, delay_ns } = decision.outcome;
        assert_eq!((end, delay_ns), (Some(FilterEnd::Discard("gone".into())), 5));
        assert_eq!(headers, [("x-scan".into(), Some("twice".into()))]);
        let names: Vec<&str> = decision.chosen.iter().map(|reason| &*reason.name).collect();
        assert_eq!(names, ["gone", "held", "first", "again"]);
        assert_eq!(&*decision.passed_over[0].name, "never");
    }
}
