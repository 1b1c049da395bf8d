//! What need not be told again? Attempts that came to the same, and hops that go round in a circle.

use crate::analysis::outcome::{Attempt, AttemptResult, Connection, Decision, Hop};
use crate::analysis::paths::label;
use crate::base::InOrder;
use std::rc::Rc;

/// Did two attempts come to the same, apart from the time?
pub(super) fn is_alike(a: &Attempt, b: &Attempt) -> bool {
    let answers = |attempt: &Attempt| -> Vec<(Rc<str>, &'static str, Rc<str>)> {
        attempt.lookups.iter().map(|lookup| (lookup.name.clone(), lookup.kind, lookup.answer.clone())).collect()
    };
    let same_connection = |a: &Connection, b: &Connection| {
        (&a.to, &a.name, a.address, a.port, a.phase, &a.reply, a.result) == (&b.to, &b.name, b.address, b.port, b.phase, &b.reply, b.result)
            && a.tls == b.tls
    };
    (a.result, a.code, a.enhanced, &a.text) == (b.result, b.code, b.enhanced, &b.text)
        && answers(a) == answers(b)
        && in_effect(a).eq(in_effect(b))
        && a.connections.len() == b.connections.len()
        && a.connections.iter().zip(&b.connections).all(|(a, b)| same_connection(a, b))
}

/// How far hops go on in a circle: up to where each is like the one a whole round before, of at most three hops.
pub(super) fn again(hops: &[Hop], from: usize) -> usize {
    const ROUND_MAX: usize = 3;
    let alike = |a: &Hop, b: &Hop| {
        let names = |hop: &Hop| -> Vec<Rc<str>> {
            let reasons = |decision: &Rc<Decision>| decision.chosen.iter().map(|reason| reason.name.clone()).collect::<Vec<_>>();
            hop.decisions.iter().flat_map(|decision| [vec![decision.question.clone()], reasons(decision)].concat()).collect()
        };
        // Machines of one service that stand for each other count as one.
        let ends = |hop: &Hop| (label(&hop.from).to_owned(), hop.to.as_ref().map(|to| label(to).to_owned()));
        let quick = |hop: &Hop| hop.attempts.len() == 1 && hop.attempts[0].result == AttemptResult::Delivered;
        ends(a) == ends(b) && (&a.queue, a.rule) == (&b.queue, b.rule) && quick(a) && quick(b) && names(a) == names(b)
    };
    let reaches = |round: usize| {
        let mut end = from;
        while end >= round && end < hops.len() && alike(&hops[end], &hops[end - round]) {
            end += 1;
        }
        end
    };
    (1..=ROUND_MAX).map(reaches).max().unwrap_or(from)
}

/// What was decided, but for how long it waited for its turn.
fn in_effect(attempt: &Attempt) -> impl Iterator<Item = &Rc<Decision>> {
    attempt.decisions.iter().filter(|decision| !decision.chosen.iter().any(|reason| reason.rule == "TURN"))
}

/// Did two attempts come to the same at the same hosts, asked in another order?
pub(super) fn differs_in_order(a: &Attempt, b: &Attempt) -> bool {
    // Nobody was asked: its queue had just failed with other mail, at the host whose turn was last.
    let is_idle = |attempt: &Attempt| attempt.connections.is_empty() && attempt.lookups.is_empty() && in_effect(attempt).next().is_none();
    if is_idle(a) && is_idle(b) {
        let words = |attempt: &Attempt| attempt.text.rsplit(": ").next().unwrap_or_default().to_owned();
        return (a.result, a.code, a.enhanced, words(a)) == (b.result, b.code, b.enhanced, words(b));
    }
    let in_order = |attempt: &Attempt| {
        let mut attempt = attempt.clone();
        // The last word is that of the host which was asked last.
        (attempt.code, attempt.enhanced, attempt.text) = (0, a.enhanced, "".into());
        attempt.connections.in_order_by_key(|connection| (connection.address, connection.port));
        attempt.lookups.in_order_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
        attempt.decisions.clear();
        attempt
    };
    let names = |attempt: &Attempt| {
        let reasons = in_effect(attempt).flat_map(|decision| decision.chosen.iter().chain(&decision.passed_over));
        let mut names: Vec<Rc<str>> = reasons.map(|reason| reason.name.clone()).collect();
        names.in_order();
        names
    };
    a.connections.len() > 1 && a.connections.len() == b.connections.len() && names(a) == names(b) && is_alike(&in_order(a), &in_order(b))
}

pub(super) fn same_decisions(a: &Attempt, b: &Attempt) -> bool {
    a.decisions.len() == b.decisions.len() && a.decisions.iter().zip(&b.decisions).all(|(a, b)| Rc::ptr_eq(a, b) || a == b)
}
