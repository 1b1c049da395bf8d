//! Where does a mail server send this recipient? Its own mailboxes, its transport map, its smart hosts, the recipient's MX.
//!
//! Sources: postconf(5) `mydestination`, `transport_maps`, `relayhost`; RFC 5321 §4.1.3 (address literals), §5.1.

use super::acceptance::literal_address;
use super::claim::{Claim, claim};
use super::{Decision, because};
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::settings::Routing;
use crate::model::settings::{MtaDirectory, Route, Target};

/// Where it goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NextStop {
    /// Into a mailbox here.
    Mailbox,
    /// Others get it.
    Expanded(Box<Expansion>),
    /// The domain is here, the user is not.
    UnknownUser,
    /// To the hosts of this line of the transport map.
    Route(usize),
    /// To the smart hosts.
    SmartHosts,
    /// To the MX of its domain.
    Mx,
    /// To the address in the address.
    Literal(std::net::IpAddr),
    /// The scenario does not say.
    Unknown,
}

/// What mail for `domain` goes to where DNS says it: its MX, or the address that is written in brackets.
#[must_use]
pub fn way_by_dns(domain: &str) -> (String, &'static str) {
    match literal_address(domain) {
        Some(_) => (format!("the address {domain}"), "the address in brackets, which has no MX (RFC 5321 §4.1.3)"),
        None => (format!("MX of {domain}"), "the recipient's MX"),
    }
}

/// Chooses for the recipient `local@domain`.
#[must_use]
pub fn choose(directory: &MtaDirectory, routing: &Routing, address: &str, domain: &str) -> Decision<NextStop> {
    match claim(directory, address, domain) {
        Some(Claim::Mailbox(pattern)) => {
            return Decision::for_reason(NextStop::Mailbox, because("LOCAL", pattern.as_str(), "a mailbox here", "mailboxes"));
        }
        Some(Claim::Replaced(expansion)) => {
            return Decision::for_reason(
                NextStop::Expanded(Box::new(expansion.clone())),
                because("EXPAND", &*expansion.name, words(expansion), "RFC 5321 §3.9"),
            );
        }
        Some(Claim::Returned(back)) => {
            let why = "the sender of a message that was forwarded here: its report goes on to";
            let reason = because("SRS", &*back.name, format!("{why} {}", names(&back)), "SRS");
            return Decision::for_reason(NextStop::Expanded(back), reason);
        }
        None => {}
    }
    if directory.mailbox_domains.iter().any(|own| &**own == domain) {
        let why = format!("`{domain}` is local, but no mailbox matches");
        return Decision::for_reason(NextStop::UnknownUser, because("LOCAL", address, why, "RFC 5321 §3.4"));
    }
    let Routing::Mta { smart_hosts, routes, .. } = routing else {
        return Decision::for_reason(
            NextStop::Unknown,
            because("ROUTE", address, "nothing in the scenario says where this system sends its mail", "scenario"),
        );
    };
    let mut passed_over = Vec::new();
    for (at, route) in routes.iter().enumerate() {
        if route_matches(route, domain) {
            let chosen = vec![because("ROUTE", &*route.pattern, format!("the most exact route for `{domain}`"), "transport_maps")];
            return Decision { outcome: NextStop::Route(at), chosen, passed_over };
        }
        passed_over.push(because("ROUTE", &*route.pattern, format!("does not cover `{domain}`"), "transport_maps"));
    }
    if directory.is_device && !smart_hosts.is_empty() {
        let why = "it hands everything to its server, whoever the recipient is; only the server's address is looked up, no MX";
        let mut decision = Decision::for_reason(NextStop::SmartHosts, because("DEVICE", "server", why, "Device"));
        decision.passed_over = vec![because("DEVICE", format!("MX of {domain}"), "the device has a server", "Device")];
        return decision;
    }
    if !smart_hosts.is_empty() {
        let why = "no route matches, so all mail goes to the smart hosts, whatever the recipient's MX says";
        let mut decision = Decision::for_reason(NextStop::SmartHosts, because("SMART", "smart_hosts", why, "relayhost"));
        passed_over.push(because("SMART", format!("MX of {domain}"), "a smart host is set", "relayhost"));
        decision.passed_over = passed_over;
        return decision;
    }
    let (outcome, reason) = match literal_address(domain) {
        Some(address) => (NextStop::Literal(address), because("LITERAL", domain, "an address literal: no DNS at all", "RFC 5321 §4.1.3")),
        None => (NextStop::Mx, because("MX", domain, "no route and no smart host: the MX of the recipient's domain", "RFC 5321 §5.1")),
    };
    Decision { outcome, chosen: vec![reason], passed_over }
}

/// `goes on to a@b.test and c@b.test, from its owner o@b.test`
fn words(expansion: &Expansion) -> String {
    let what = match expansion.kind {
        ExpansionKind::Alias => "goes on to",
        ExpansionKind::List => "a list, sent out to",
    };
    let sender = match &expansion.sender {
        SenderAfter::Kept => ", from the same sender".to_owned(),
        SenderAfter::Replaced(owner) => format!(", reports go to {}@{}", owner.local, owner.domain),
        SenderAfter::Rewritten(_) | SenderAfter::InTheNameOf => ", the sender rewritten (SRS)".to_owned(),
    };
    format!("{what} {}{sender}", names(expansion))
}

/// Who gets a copy, some by name.
fn names(expansion: &Expansion) -> String {
    let some: Vec<String> = expansion.to.iter().take(NAMED).map(|to| format!("{}@{}", to.local, to.domain)).collect();
    let more = expansion.to.len().saturating_sub(NAMED);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", some.join(", "))
}

/// So many members are named in a reason.
const NAMED: usize = 5;

/// Does a line of the map cover this domain?
fn route_matches(route: &Route, domain: &str) -> bool {
    if route.domain.as_ref() == "*" {
        return true;
    }
    match domain.strip_suffix(route.domain.as_ref()) {
        Some("") => !route.subdomains,
        Some(front) => route.subdomains && front.ends_with('.'),
        None => false,
    }
}

/// How a queue is called after its first next hop: `dest.test`, `[hop.test]`, `[192.0.2.1]:26`.
#[must_use]
pub fn queue_name(names: &crate::model::dns::Names, hop: &crate::model::settings::NextHop) -> String {
    let name = match hop.target {
        Target::Mx(name) => names.text(name).to_owned(),
        Target::Host(name) => format!("[{}]", names.text(name)),
        Target::Ip(address) => format!("[{address}]"),
    };
    if hop.port == 25 { name } else { format!("{name}:{}", hop.port) }
}

/// Why a host is tried that stands in no list (LAST).
#[must_use]
pub fn why_last_try(name: &str) -> super::Decision<()> {
    let why = "tried by its address after a host that cannot be reached or found, before the next one of the list";
    super::Decision::for_reason((), super::because("LAST", name, why, "FallBackSmartHost"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NextHopId, Pattern};

    #[test]
    fn routes() {
        let directory = MtaDirectory {
            mailboxes: vec![Pattern::new("*@sender.test")],
            mailbox_domains: vec!["sender.test".into(), "half.test".into()],
            ..MtaDirectory::default()
        };
        let route = |pattern: &str| Route {
            pattern: pattern.into(),
            domain: pattern.trim_start_matches('.').into(),
            subdomains: pattern.starts_with('.'),
            to: vec![NextHopId(0)],
        };
        let routing = |smart: usize| Routing::Mta {
            smart_hosts: vec![NextHopId(1); smart],
            routes: vec![route("part.test"), route(".deep.test")],
            fallback_hosts: vec![],
        };
        let cases = [
            ("a@sender.test", 0, NextStop::Mailbox, "LOCAL"),
            ("a@half.test", 0, NextStop::UnknownUser, "LOCAL"),
            ("a@part.test", 1, NextStop::Route(0), "ROUTE"),
            ("a@x.part.test", 1, NextStop::SmartHosts, "SMART"),
            ("a@x.deep.test", 1, NextStop::Route(1), "ROUTE"),
            ("a@deep.test", 0, NextStop::Mx, "MX"),
            ("a@[192.0.2.9]", 0, NextStop::Literal("192.0.2.9".parse().unwrap()), "LITERAL"),
            ("a@[192.0.2.9]", 1, NextStop::SmartHosts, "SMART"),
        ];
        for (address, smart, expected, rule) in cases {
            let decision = choose(&directory, &routing(smart), address, address.split_once('@').unwrap().1);
            assert_eq!((decision.outcome, decision.chosen[0].rule), (expected, rule), "{address}");
        }
        let device = MtaDirectory { is_device: true, ..MtaDirectory::default() };
        for (smart, expected, rule) in [(1, NextStop::SmartHosts, "DEVICE"), (0, NextStop::Mx, "MX")] {
            let decision = choose(&device, &routing(smart), "x@far.test", "far.test");
            assert_eq!((decision.outcome, decision.chosen[0].rule), (expected, rule), "a device with {smart} servers");
        }
    }
}
