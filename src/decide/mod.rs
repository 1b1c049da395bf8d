//! The rule books: pure questions and answers, each with its reasons. No clock, no queue, no luck in here.
//!
//! A rule book sees nothing but its question and the model. It returns what was decided and, in the same breath, which rule decided it
//! and why every other candidate lost; `explain` prints that and never decides again.

pub mod acceptance;
pub mod authentication;
pub mod automatic_reply;
pub mod claim;
pub mod dane;
pub mod door;
pub mod exchange;
pub mod extensions;
pub mod failure;
pub mod filter;
pub mod keeping;
pub mod login;
pub mod mta_sts;
pub mod mx;
pub mod order;
pub mod outage;
pub mod passed_by;
pub mod precedence;
pub mod profile;
pub mod relay;
pub mod remembered;
pub mod reports;
pub mod restrictions;
pub mod retry;
pub mod route;
pub mod same_hosts;
pub mod srs;
pub mod tcpto;
pub mod tls;
pub mod tls_policy;
pub mod tls_reporting;
pub mod turn;
pub mod visitor;

/// An outcome with its reasons.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Decision<T> {
    /// What was decided.
    pub outcome: T,
    /// What won, in order.
    pub chosen: Vec<Because>,
    /// What lost.
    pub passed_over: Vec<Because>,
}

/// Why one candidate won or lost.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Because {
    /// The candidate as the scenario names it.
    pub name: Box<str>,
    /// The rule's id in the documentation.
    pub rule: &'static str,
    /// In words.
    pub why: Box<str>,
    /// RFC section, cmdlet parameter or server setting.
    pub source: &'static str,
    /// Its turn, where candidates are asked one after the other whether they won or lost.
    pub turn: Option<u16>,
}

impl Because {
    /// The same, told in its turn.
    #[must_use]
    pub(crate) fn in_turn(self, turn: usize) -> Self {
        Self { turn: u16::try_from(turn).ok(), ..self }
    }
}

/// Shorthand for a reason.
pub(crate) fn because(rule: &'static str, name: impl Into<Box<str>>, why: impl Into<Box<str>>, source: &'static str) -> Because {
    Because { name: name.into(), rule, why: why.into(), source, turn: None }
}

impl<T> Decision<T> {
    /// A decision for one reason.
    pub(crate) fn for_reason(outcome: T, reason: Because) -> Self {
        Self { outcome, chosen: vec![reason], passed_over: Vec::new() }
    }
}
