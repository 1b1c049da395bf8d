//! Which systems did every delivered message cross: what is a single point of failure?
//!
//! The hops that mail took are drawn as one graph, with a door where messages enter and a door where they end. What dominates the way out
//! lies on every way through the graph, so on the way of every message. A way nobody took in this run is not in the graph.

use super::delays::arrived;
use super::outcome::{Kind, Outcome};
use super::paths::places;
use petgraph::algo::dominators::simple_fast;
use petgraph::graphmap::DiGraphMap;
use std::rc::Rc;

/// A system that all delivered mail crossed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Crossing {
    /// The system.
    pub system: Rc<str>,
    /// Its one machine that had all of the mail, if there is one.
    pub host: Option<Rc<str>>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Node<'a> {
    Enter,
    Leave,
    System(&'a str),
    Host(&'a str, &'a str),
}

/// The systems that no delivered message of the wanted kinds went around, in the order that mail meets them; the internet is left out.
#[must_use]
pub fn single_points(outcome: &Outcome, wanted: impl Fn(Kind) -> bool) -> Vec<Crossing> {
    let mut systems = DiGraphMap::new();
    let mut hosts = DiGraphMap::new();
    for message in outcome.messages.iter().filter(|message| wanted(message.kind)) {
        for recipient in message.recipients.iter().filter(|recipient| arrived(recipient)) {
            let row = places(message, recipient);
            add_way(&mut systems, row.iter().map(|place| Node::System(&place.system)));
            add_way(&mut hosts, row.iter().map(|place| Node::Host(&place.system, &place.host)));
        }
    }
    let on_hosts = dominators(&hosts);
    let all = dominators(&systems).into_iter().filter_map(|node| match node {
        Node::System("internet") | Node::Enter | Node::Leave | Node::Host(..) => None,
        Node::System(system) => Some(system),
    });
    all.map(|system| {
        let host = on_hosts.iter().find_map(|node| match node {
            Node::Host(of, host) if *of == system => Some(*host),
            Node::Host(..) | Node::Enter | Node::Leave | Node::System(_) => None,
        });
        Crossing { system: system.into(), host: host.map(Into::into) }
    })
    .collect()
}

fn add_way<'a>(graph: &mut DiGraphMap<Node<'a>, ()>, way: impl Iterator<Item = Node<'a>>) {
    let last = way.fold(Node::Enter, |before, node| {
        if before != node {
            graph.add_edge(before, node, ());
        }
        node
    });
    graph.add_edge(last, Node::Leave, ());
}

/// What every way from door to door crosses, in the order of the way.
fn dominators<'a>(graph: &DiGraphMap<Node<'a>, ()>) -> Vec<Node<'a>> {
    if !graph.contains_node(Node::Enter) {
        return vec![];
    }
    let mut row: Vec<Node<'a>> = simple_fast(graph, Node::Enter).strict_dominators(Node::Leave).map(Iterator::collect).unwrap_or_default();
    row.reverse();
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    fn crossings(outcome: &Outcome) -> Vec<String> {
        let rows = single_points(outcome, |kind| kind == Kind::Mail);
        rows.into_iter().map(|row| format!("{}/{}", row.system, row.host.as_deref().unwrap_or("*"))).collect()
    }

    #[test]
    fn two_sites_share_one_organization() {
        let mut outcome = fixture::two_sites();
        assert_eq!(crossings(&outcome), ["eop/exchange-online#1", "exchange/*"]);
        outcome.messages.truncate(1);
        assert_eq!(crossings(&outcome), ["eop/exchange-online#1", "exchange/site-a"]);
        outcome.messages.clear();
        assert_eq!(crossings(&outcome), [""; 0]);
    }

    #[test]
    fn another_way_in_is_a_way_around() {
        let mut outcome = fixture::two_sites();
        outcome.messages[0].entered_at = fixture::site('a');
        outcome.messages[0].recipients[0].hops.clear();
        assert_eq!(crossings(&outcome), ["exchange/*"]);
    }
}
