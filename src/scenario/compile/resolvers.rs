//! Whom does a machine ask for names? Described caches, and one of its own for every system without.

use std::collections::BTreeMap;

use crate::base::{HOUR, InOrder, MILLISECOND, MINUTE, ResolverId, SECOND};
use crate::diag::{Diagnostic, Span, code};
use crate::model::topology::{AnswerOrder, CacheStart, Law, Resolver};
use crate::scenario::schema::{self, Scenario, System};
use crate::scenario::source::Text;

use super::desk::Desk;
use super::key::name_key;
use super::scope::Scope;
use super::world::{INTERNET, Part, World};

/// All resolvers in the order of names, and for each machine the one it asks.
pub(super) fn resolvers(
    tree: &Scenario,
    world: &World,
    scope: &Scope,
    views: &[Text],
    desk: &mut Desk,
) -> (Vec<Resolver>, Vec<ResolverId>) {
    let order = match tree.dns.get().map_or(schema::AnswerOrder::Random, |dns| dns.answer_order.or(schema::AnswerOrder::Random)) {
        schema::AnswerOrder::Random => AnswerOrder::Random,
        schema::AnswerOrder::Rotated => AnswerOrder::Rotated,
        schema::AnswerOrder::AsWritten => AnswerOrder::AsWritten,
    };
    let mut rows: BTreeMap<Box<str>, Resolver> = BTreeMap::new();
    let mut asked: Vec<Option<(Box<str>, usize, Span)>> = vec![None; world.hosts.len()];
    let mut written: Vec<_> = tree.resolvers.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    for (name, definition) in written {
        let row = Resolver { answer_order: order, ..described(name, definition, views, desk) };
        rows.insert(name.as_str().into(), row);
        for user in definition.used_by.items() {
            let hosts = scope.hosts(user, desk);
            for host in &hosts {
                // The narrower name counts: a host beats its system.
                match &asked[host.index()] {
                    Some((other, width, there)) if *width == hosts.len() && **other != **name => {
                        let message = format!("`{user}` asks `{name}`, and also `{other}`");
                        let problem = Diagnostic::error(code::BOTH_SPEAK, user.span(), message).also(*there, "the other");
                        desk.say(problem.help("a machine asks one resolver"));
                    }
                    Some((_, width, _)) if *width < hosts.len() => {}
                    _ => asked[host.index()] = Some((name.as_str().into(), hosts.len(), user.span())),
                }
            }
        }
    }
    let mut names: Vec<Box<str>> = Vec::with_capacity(asked.len());
    for (host, own) in world.hosts.iter().zip(asked) {
        let name = own.map_or_else(|| own_cache(world, host), |(name, _, _)| name);
        rows.entry(name.clone()).or_insert_with(|| {
            let mut row = Resolver { answer_order: order, ..usual(&name) };
            if let (Part::Sender(kind, _), Some(System::Internet(internet))) = (&host.part, tree.systems.get(INTERNET))
                && let Some(sender) = internet.senders.get(kind)
            {
                row.min_ttl_s = desk.seconds_or(&sender.min_ttl, 0);
                row.begins = caches(sender);
            }
            row
        });
        names.push(name);
    }
    let ids: BTreeMap<&str, ResolverId> = rows.keys().enumerate().map(|(at, name)| (&**name, ResolverId(at as u32))).collect();
    let asks = names.iter().map(|name| ids[&**name]).collect();
    (rows.into_values().collect(), asks)
}

/// The name of the cache that all machines of a system share, or of one of those of a kind of senders.
fn own_cache(world: &World, host: &super::world::HostPlan) -> Box<str> {
    match &host.part {
        Part::Sender(kind, _) => format!("{kind}'s resolver {}", host.cache + 1).into(),
        Part::Itself | Part::Entry | Part::FrontEnd(_) => format!("{}'s own resolver", world.systems[host.system].name).into(),
    }
}

/// What the caches of a kind of senders know at the start. Many are a population in steady use; one is an experiment.
fn caches(sender: &schema::SenderKind) -> CacheStart {
    let usual = if sender.resolvers.or(1) > 1 { schema::Caches::Aged } else { schema::Caches::Cold };
    match sender.caches.or(usual) {
        schema::Caches::Cold => CacheStart::Cold,
        schema::Caches::Warm => CacheStart::Warm,
        schema::Caches::Aged => CacheStart::Aged,
    }
}

/// A resolver of which nothing is said.
fn usual(name: &str) -> Resolver {
    Resolver {
        name: name.into(),
        key: name_key("resolver", name),
        view: 0,
        latency: Law::Constant(20 * MILLISECOND),
        timeout_ns: 5 * SECOND,
        tries: 2,
        min_ttl_s: 0,
        max_ttl_s: u32::MAX,
        max_negative_ttl_s: (3 * HOUR / SECOND) as u32,
        max_failure_ttl_s: (5 * MINUTE / SECOND) as u32,
        serve_stale_s: 0,
        begins: CacheStart::Cold,
        answer_order: AnswerOrder::Random,
    }
}

fn described(name: &Text, definition: &schema::ResolverDef, views: &[Text], desk: &mut Desk) -> Resolver {
    let usual = usual(name);
    let view = definition.view.get().and_then(|view| view_number(view, views, desk)).unwrap_or(0);
    Resolver {
        view,
        latency: desk.law_or(&definition.latency, usual.latency),
        timeout_ns: desk.duration_or(&definition.timeout, usual.timeout_ns),
        tries: desk.number_or(&definition.tries, usual.tries, 1, 100),
        min_ttl_s: desk.seconds_or(&definition.min_ttl, usual.min_ttl_s),
        max_ttl_s: desk.seconds_or(&definition.max_ttl, usual.max_ttl_s),
        max_negative_ttl_s: desk.seconds_or(&definition.max_negative_ttl, usual.max_negative_ttl_s),
        max_failure_ttl_s: desk.seconds_or(&definition.max_failure_ttl, usual.max_failure_ttl_s),
        serve_stale_s: desk.seconds_or(&definition.serve_stale, usual.serve_stale_s),
        begins: if definition.warm.or(false) { CacheStart::Warm } else { CacheStart::Cold },
        ..usual
    }
}

/// The number of a view; 0 is the public data.
pub(super) fn view_number(view: &Text, views: &[Text], desk: &mut Desk) -> Option<usize> {
    let found = views.iter().position(|known| known.as_str() == view.as_str()).map(|at| at + 1);
    if found.is_none() {
        let problem = Diagnostic::error(code::UNKNOWN_NAME, view.span(), format!("no DNS view is called `{view}`"));
        let otherwise = "views stand under `dns`: views: { \"inside\": (records: \"…\") }";
        desk.unknown(problem, view, views.iter().map(Text::as_str), otherwise);
    }
    found
}
