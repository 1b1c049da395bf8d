//! What does the scenario say from which moment on? The merged text, once for the start and once for each dated change.
//!
//! A tenant of Exchange Online with a `replication` time obeys its changes only that much later (OUT-10); the rest of the same change comes into force at
//! its moment. Dates of mail-flow rules are moments too.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{InOrder, SimTime};
use crate::diag::{Span, code};
use crate::scenario::merge::overlay;
use crate::scenario::schema::{Change, Operation, Scenario, System};
use crate::scenario::source::{Named, Text};

use super::desk::Desk;
use super::world::INTERNET;

/// The scenario as it is from a moment on.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) at: SimTime,
    /// The change that made it; empty for the start.
    pub(super) name: Box<str>,
    pub(super) tree: Scenario,
    pub(super) retry_queues: Vec<Text>,
    pub(super) operations: Vec<Operation>,
}

/// The start and all dated changes over it, one upon the other, by moment and then by name.
pub(super) fn stages(tree: &Scenario, desk: &mut Desk) -> Vec<Stage> {
    let delays = replication(tree, desk);
    let mut steps: Vec<Step> = Vec::new();
    for (name, change) in tree.changes.iter() {
        match change.at.get() {
            Some(at) => steps.extend(desk.moment(at).into_iter().flat_map(|at| in_steps(name, change, at, &delays))),
            None => desk.missing(name.span(), "a change needs the moment when it comes into force", "write at: \"6h\""),
        }
        refuse(change, desk);
        same_senders(tree, change, desk);
    }
    steps.extend(dates_of_rules(tree, desk));
    steps.in_order_by(|a, b| (a.at, &a.name).cmp(&(b.at, &b.name)));
    let mut stages =
        vec![Stage { at: SimTime::ZERO, name: "".into(), tree: tree.clone(), retry_queues: Vec::new(), operations: Vec::new() }];
    // What lies over the start needs no tests, variants and changes of its own.
    let bare = tree.bare();
    for Step { at, name, over, retry_queues, operations } in steps {
        let below = stages[1..].last().map_or(&bare, |stage| &stage.tree);
        let tree = over.map_or_else(|| below.clone(), |over| overlay(below, &over, &mut desk.problems));
        stages.push(Stage { at, name, tree, retry_queues, operations });
    }
    stages
}

/// Something that comes into force.
struct Step {
    at: SimTime,
    name: Box<str>,
    over: Option<Scenario>,
    retry_queues: Vec<Text>,
    operations: Vec<Operation>,
}

/// The time that changes of a tenant need, by the tenant's name.
fn replication<'a>(tree: &'a Scenario, desk: &mut Desk) -> BTreeMap<&'a str, u64> {
    let tenants = tree.systems.iter().filter_map(|(name, system)| match system {
        System::ExchangeOnline(tenant) if tenant.replication.is_written() => {
            Some((name.as_str(), desk.duration_or(&tenant.replication, 0)))
        }
        _ => None,
    });
    tenants.filter(|(_, delay)| *delay > 0).collect()
}

/// One change: what acts at once, and what each tenant with a delay obeys later.
fn in_steps(name: &Text, change: &Change, at: SimTime, delays: &BTreeMap<&str, u64>) -> Vec<Step> {
    let (mut now, whole) = (change.overlay(), change.overlay());
    let is_late = |key: &Text| delays.contains_key(key.as_str());
    now.systems.entries.retain(|entry| !is_late(&entry.key));
    let retry_queues = change.retry_queues.items().to_vec();
    let mut steps =
        vec![Step { at, name: name.as_str().into(), over: Some(now), retry_queues, operations: change.operations.items().to_vec() }];
    for entry in whole.systems.entries().iter().filter(|entry| is_late(&entry.key)) {
        let systems = Named { entries: vec![entry.clone()], span: whole.systems.span };
        let over = Scenario { place: whole.place, systems, ..Scenario::default() };
        steps.push(Step {
            at: at.after(delays[entry.key.as_str()]),
            name: name.as_str().into(),
            over: Some(over),
            retry_queues: Vec::new(),
            operations: Vec::new(),
        });
    }
    steps
}

/// When mail-flow rules begin and end to act.
fn dates_of_rules(tree: &Scenario, desk: &mut Desk) -> Vec<Step> {
    let mut moments = BTreeSet::new();
    for (_, system) in tree.systems.iter() {
        let System::ExchangeOnline(tenant) = system else { continue };
        for (_, rule) in tenant.transport_rules.iter() {
            moments.extend([&rule.activation_date, &rule.expiry_date].map(|date| desk.instant_or(date, SimTime::ZERO)));
        }
    }
    let later = moments.into_iter().filter(|at| *at > SimTime::ZERO);
    later
        .map(|at| Step { at, name: "dates of mail-flow rules".into(), over: None, retry_queues: Vec::new(), operations: Vec::new() })
        .collect()
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
    for (_, system) in change.systems.iter() {
        match system {
            System::Internet(internet) => {
                for (_, kind) in internet.senders.iter() {
                    refuse(kind.weight.span(), "the `weight` of a kind of senders");
                    refuse(kind.pool.span(), "the `pool` of a kind of senders");
                    refuse(kind.resolvers.span(), "the `resolvers` of a kind of senders");
                    refuse(kind.min_ttl.span(), "the `min_ttl` of a kind of senders");
                    refuse(kind.caches.span(), "the `caches` of a kind of senders");
                }
            }
            System::ExchangeOnline(tenant) => refuse(tenant.replication.span(), "the `replication` of a tenant"),
            System::Mta(_) | System::Gateway(_) | System::ExchangeServer(_) | System::Device(_) | System::Fope(_) => {}
        }
    }
}

/// Kinds of senders neither come nor go.
fn same_senders(tree: &Scenario, change: &Change, desk: &mut Desk) {
    let of = |systems: &Named<System>| match systems.get(INTERNET) {
        Some(System::Internet(internet)) => internet.senders.clone(),
        _ => Named::default(),
    };
    let known = of(&tree.systems);
    for entry in of(&change.systems).entries() {
        if entry.value.is_none() || known.get(&entry.key).is_none() {
            let message = format!("the kind of senders `{}` cannot come or go while the scenario runs yet", entry.key);
            desk.error(code::CHANGE_NOT_MODELLED, entry.key.span(), message, "write it at the top level, or give it its mail by `traffic`");
        }
    }
}
