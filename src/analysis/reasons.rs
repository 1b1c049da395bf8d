//! What was decided, by whom, and why: what won and what lost, each with its reason, as `explain` tells it.

use super::outcome::Place;
use std::rc::Rc;

/// A decision as the rule book returned it: what won, and why each other candidate lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision {
    /// The question: `which connector?`, `which host first?`, `is TLS good enough?`
    pub question: Rc<str>,
    /// Who decided.
    pub by: Place,
    /// What was decided, in words.
    pub verdict: Rc<str>,
    /// What won, by which rule. In order where order matters.
    pub chosen: Vec<Reason>,
    /// What lost, by which rule.
    pub passed_over: Vec<Reason>,
}

/// Why one candidate won or lost.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Reason {
    /// The candidate: a connector, route, host, address, record.
    pub name: Rc<str>,
    /// Rule id of the documentation: `OUT-3`, `SH-2`, `R1` …
    pub rule: &'static str,
    /// The reason in words.
    pub why: Rc<str>,
    /// Where the rule comes from: RFC section, cmdlet parameter, server setting.
    pub source: &'static str,
    /// Its turn, where candidates are asked one after the other.
    pub turn: Option<u16>,
}
