//! What an expectation came to, in words: what was wanted, what was got, which message shows it.

use super::desk::Desk;
use super::expect::read;
use super::judge::{Judged, Miss, Node, judge};
use super::names::Names;
use super::view::{Scene, View};
use crate::analysis::outcome::Outcome;
use crate::analysis::paths::route;
use crate::base::Clock;
use crate::diag::{Diagnostic, Span};
use crate::scenario::schema::Expectation;
use std::rc::Rc;

/// An expectation whose texts and names are right.
pub struct Prepared {
    node: Node,
    start: Option<jiff::Timestamp>,
    needs_steps: bool,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Prepared({:?})", self.node.place)
    }
}

/// What an expectation came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// As expected.
    Holds,
    /// There was no message that it could speak of.
    NotReached(Span),
    /// One shortfall, or several where `For` expects several things.
    Fails(Vec<Shortfall>),
}

/// One thing that is not as expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shortfall {
    /// The word of the expectation.
    pub place: Span,
    /// How it was.
    pub got: String,
    /// The first message that shows it.
    pub message: Option<Concerned>,
}

/// A message that shows a shortfall.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Concerned {
    /// Its id.
    pub id: Rc<str>,
    /// The recipient.
    pub to: Rc<str>,
    /// The way it went.
    pub path: String,
}

/// Reads an expectation.
///
/// # Errors
/// Everything that is wrong with it: values, names that nothing has, and what cannot be answered yet.
pub fn prepare(expectation: &Expectation, names: &Names) -> Result<Prepared, Vec<Diagnostic>> {
    let mut desk = Desk::new(names);
    let node = read(expectation, &mut desk);
    let needs_steps = desk.needs_steps;
    if desk.problems.is_empty() { Ok(Prepared { node, start: names.start, needs_steps }) } else { Err(desk.problems) }
}

/// Judges one expectation about all ordinary mail of a run.
///
/// # Errors
/// As [`prepare`].
pub fn check(expectation: &Expectation, names: &Names, outcome: &Outcome) -> Result<Verdict, Vec<Diagnostic>> {
    Ok(prepare(expectation, names)?.judge(outcome, None))
}

impl Prepared {
    /// Does it look at decisions or at questions to DNS, so that a run must write them down?
    #[must_use]
    pub fn needs_steps(&self) -> bool {
        self.needs_steps
    }

    /// Judges it about the ordinary mail of a run, or of one of its sources.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome, traffic: Option<&str>) -> Verdict {
        let scene = Scene::new(outcome, Clock { start: self.start });
        let view = match traffic {
            Some(traffic) => View::of_traffic(outcome, traffic),
            None => View::of_mail(outcome),
        };
        match judge(&self.node, &scene, &view) {
            Judged::Holds => Verdict::Holds,
            Judged::NothingInView(place) => Verdict::NotReached(place),
            Judged::Fails(misses) => Verdict::Fails(misses.into_iter().map(|miss| shortfall(miss, outcome)).collect()),
        }
    }
}

fn shortfall(miss: Miss, outcome: &Outcome) -> Shortfall {
    let message = miss.shown_by.map(|(message, recipient)| {
        let message = &outcome.messages[message];
        let recipient = &message.recipients[recipient];
        Concerned { id: message.id.clone(), to: recipient.to.clone(), path: route(message, recipient) }
    });
    Shortfall { place: miss.place, got: miss.got, message }
}
