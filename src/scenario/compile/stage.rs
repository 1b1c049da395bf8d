//! What does the scenario say from which moment on? The merged text, once for the start and once for each dated change.

use crate::base::SimTime;
use crate::diag::{Span, code};
use crate::scenario::merge::overlay;
use crate::scenario::schema::{Change, Scenario};
use crate::scenario::source::Text;

use super::desk::Desk;

/// The scenario as it is from a moment on.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) at: SimTime,
    /// The change that made it; empty for the start.
    pub(super) name: Box<str>,
    pub(super) tree: Scenario,
    pub(super) retry_queues: Vec<Text>,
}

/// The start and all dated changes over it, one upon the other, by moment and then by name.
pub(super) fn stages(tree: &Scenario, desk: &mut Desk) -> Vec<Stage> {
    let mut changes: Vec<(SimTime, &Text, &Change)> = Vec::new();
    for (name, change) in tree.changes.iter() {
        match change.at.get() {
            Some(at) => changes.extend(desk.moment(at).map(|at| (at, name, change))),
            None => desk.missing(name.span(), "a change needs the moment when it comes into force", "write at: \"6h\""),
        }
        refuse(change, desk);
    }
    changes.sort_by(|a, b| (a.0, a.1.as_str()).cmp(&(b.0, b.1.as_str())));
    let mut stages = vec![Stage { at: SimTime::ZERO, name: "".into(), tree: tree.clone(), retry_queues: Vec::new() }];
    for (at, name, change) in changes {
        let below = &stages[stages.len() - 1].tree;
        let tree = overlay(below, &change.overlay(), &mut desk.problems);
        stages.push(Stage { at, name: name.as_str().into(), tree, retry_queues: change.retry_queues.items().to_vec() });
    }
    stages
}

fn refuse(change: &Change, desk: &mut Desk) {
    let mut refuse = |span: Span, what: &str| {
        if span.is_somewhere() {
            desk.error(
                code::CHANGE_NOT_MODELLED,
                span,
                format!("{what} cannot change while the scenario runs yet"),
                "write it at the top level",
            );
        }
    };
    if let Some(dns) = change.dns.get() {
        refuse(dns.rest.span(), "`rest`");
        refuse(dns.answer_order.span(), "`answer_order`");
    }
    if let Some(service) = change.exchange_online.get() {
        refuse(service.pool.span(), "the pool of front ends");
        refuse(service.addresses.span(), "the addresses of the front ends");
    }
}
