//! Which way did it go, who was tried, how often? The expectations about routes.
//!
//! In a path a system or group stands for one or more of its hosts in a row, a host for itself. `Tried` has one entry per connection over all
//! attempts, `Attempts` counts passes, also those without a connection, but not the last step into a mailbox of the own house. Moments
//! are compared to the second unless a `tolerance` is written: network time is part of every one of them.

use super::desk::{Desk, Number, has_code, is, was_met};
use super::expect::each;
use super::got::{self, connections};
use super::judge::Check;
use super::names::Who;
use super::view::Seen;
use crate::analysis::delays::arrived;
use crate::analysis::outcome::{Attempt, AttemptResult, Connection, Place, Recipient};
use crate::analysis::paths::places;
use crate::base::{Enhanced, Phase, SECOND, SimTime, count};
use crate::diag::Span;
use crate::scenario::schema;
use crate::scenario::source::Text;
use std::collections::BTreeSet;

pub(super) fn path(names: &[Text], place: Span, desk: &mut Desk<'_>) -> Check {
    let way = read_way(names, place, desk);
    each(move |seen| is_path(&way, &places(seen.message, seen.recipient)), got::path)
}

pub(super) fn via(names: &[Text], place: Span, desk: &mut Desk<'_>) -> Check {
    let way = read_way(names, place, desk);
    let holds = move |seen: &Seen<'_>| {
        let mut rest = places(seen.message, seen.recipient).into_iter();
        way.iter().all(|who| rest.any(|place| who.is(place)))
    };
    each(holds, got::path)
}

fn read_way(names: &[Text], place: Span, desk: &mut Desk<'_>) -> Vec<Who> {
    if names.is_empty() {
        desk.missing(place, "this way has no places", "name the systems or hosts in order, as in [\"internet\", \"eop\", \"site-a\"]");
    }
    desk.who_are(names)
}

/// Each name one or more places in a row, and nothing left over.
fn is_path(way: &[Who], row: &[&Place]) -> bool {
    // `open[n]`: the places so far can be the first n names.
    let mut open = vec![false; way.len() + 1];
    open[0] = true;
    for place in row {
        for n in (1..=way.len()).rev() {
            open[n] = (open[n] || open[n - 1]) && way[n - 1].is(place);
        }
        open[0] = false;
    }
    open[way.len()]
}

pub(super) fn tried(it: &schema::Tried, desk: &mut Desk<'_>) -> Check {
    let by = desk.who(&it.by);
    let hosts: Vec<Who> = it.hosts.items().iter().filter_map(|text| desk.target_is(text)).collect();
    if !it.hosts.is_written() {
        desk.missing(it.place, "`Tried` needs `hosts`", "name them in the order of the connections; [] for none at all");
    }
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        let row = connections_by(seen.recipient, by.as_ref());
        row.len() == hosts.len() && row.iter().zip(&hosts).all(|(connection, who)| who.was_met(connection))
    };
    let got = move |seen: &Seen<'_>| {
        let row = connections_by(seen.recipient, other.as_ref());
        format!("tried {}", got::list(row.into_iter().map(|connection| got::connection(seen, connection)), "nobody"))
    };
    each(holds, got)
}

fn connections_by<'a>(recipient: &'a Recipient, by: Option<&Who>) -> Vec<&'a Connection> {
    connections(recipient).filter(|(hop, ..)| is(by, Some(&hop.from))).map(|(.., connection)| connection).collect()
}

pub(super) fn contacted(it: &schema::Contacted, desk: &mut Desk<'_>) -> Check {
    let host = desk.target(&it.host);
    let (after, before) = (desk.moment(&it.after).unwrap_or_default(), desk.moment(&it.before).unwrap_or(SimTime::NEVER));
    if !it.host.is_written() {
        desk.missing(it.place, "`Contacted` needs a `host`", "a host, a system or an address");
    }
    let met = move |seen: &Seen<'_>| -> Vec<String> {
        let rows = connections(seen.recipient).map(|(.., connection)| connection);
        let met = rows.filter(|connection| was_met(host.as_ref(), connection) && (after..before).contains(&connection.at));
        met.map(|connection| got::connection(seen, connection)).collect()
    };
    let met = std::rc::Rc::new(met);
    let found = met.clone();
    let got = move |seen: &Seen<'_>| match found(seen) {
        rows if rows.is_empty() => {
            let all = connections(seen.recipient).map(|(.., connection)| got::connection(seen, connection));
            format!("contacted {}", got::list(all, "nobody"))
        }
        rows => format!("contacted {}", got::list(rows, "nobody")),
    };
    each(move |seen| !met(seen).is_empty(), got)
}

/// Written in three ways: exactly, at least, at most.
fn number(number: Number, place: Span, what: &str, desk: &mut Desk<'_>) -> Number {
    if !number.is_written() {
        desk.missing(place, &format!("{what} needs a number"), "write `is`, `at_least` or `at_most`");
    }
    number
}

pub(super) fn hops(it: &schema::Hops, desk: &mut Desk<'_>) -> Check {
    let wanted = number(Number::of(&it.is, &it.at_least, &it.at_most), it.place, "`Hops`", desk);
    let hops = |seen: &Seen<'_>| places(seen.message, seen.recipient).len() as u64 - 1;
    each(move |seen| wanted.has(hops(seen)), move |seen| format!("{}: {}", count(hops(seen), "hop"), got::path(seen)))
}

pub(super) fn attempts(it: &schema::Attempts, desk: &mut Desk<'_>) -> Check {
    let by = desk.who(&it.by);
    let wanted = Number::of(&it.is, &it.at_least, &it.at_most);
    let moments = desk.moments(&it.moments);
    let tolerance = desk.duration(&it.tolerance).unwrap_or(SECOND);
    if moments.is_none() {
        number(wanted, it.place, "`Attempts`", desk);
    }
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        let passes = attempts_by(seen.recipient, by.as_ref());
        let at = passes.iter().map(|attempt| attempt.at);
        wanted.has(passes.len() as u64) && moments.as_ref().is_none_or(|moments| same_moments(moments, at, tolerance))
    };
    each(holds, move |seen| got::attempts(seen, &attempts_by(seen.recipient, other.as_ref())))
}

fn attempts_by<'a>(recipient: &'a Recipient, by: Option<&Who>) -> Vec<&'a Attempt> {
    let hops = recipient.hops.iter().filter(|hop| is(by, Some(&hop.from)));
    let passes = hops.flat_map(|hop| hop.attempts.iter().map(move |attempt| (hop, attempt)));
    let at_home = |attempt: &Attempt| attempt.result == AttemptResult::Delivered && attempt.connections.is_empty();
    passes.filter(|(hop, attempt)| hop.to.is_some() || !at_home(attempt)).map(|(_, attempt)| attempt).collect()
}

/// Complete, in order, each within the tolerance.
pub(super) fn same_moments(wanted: &[SimTime], found: impl ExactSizeIterator<Item = SimTime>, tolerance: u64) -> bool {
    wanted.len() == found.len() && wanted.iter().zip(found).all(|(a, b)| a.0.abs_diff(b.0) <= tolerance)
}

pub(super) fn transactions(it: &schema::Transactions, desk: &mut Desk<'_>) -> Check {
    let wanted = number(Number::of(&it.is, &it.at_least, &it.at_most), it.place, "`Transactions`", desk);
    let (from, to) = match it.hop.get() {
        Some((from, to)) => (desk.end_of_hop(from), desk.end_of_hop(to)),
        None => (None, None),
    };
    let number = move |seen: &Seen<'_>| {
        let of_message = seen.view.of_message(seen.at.0).iter().map(|item| &seen.message.recipients[item.1 as usize]);
        // Recipients of one message share a transaction.
        let distinct: BTreeSet<_> = of_message
            .flat_map(connections)
            .filter(|(hop, _, connection)| {
                connection.phase >= Phase::Mail && is(from.as_ref(), Some(&hop.from)) && is(to.as_ref(), connection.to.as_ref())
            })
            .map(|(.., connection)| connection.number)
            .collect();
        distinct.len() as u64
    };
    let number = std::rc::Rc::new(number);
    let again = number.clone();
    each(move |seen| wanted.has(number(seen)), move |seen| count(again(seen), "transaction"))
}

pub(super) fn copies(it: &schema::Copies, desk: &mut Desk<'_>) -> Check {
    let wanted = number(Number::of(&it.is, &it.at_least, &it.at_most), it.place, "`Copies`", desk);
    let copies = |recipient: &Recipient| u64::from(arrived(recipient)) + u64::from(recipient.duplicates);
    let got = move |seen: &Seen<'_>| match copies(seen.recipient) {
        1 => format!("1 copy, {}", got::fate(seen)),
        copies => format!("{copies} copies, {}", got::fate(seen)),
    };
    each(move |seen| wanted.has(copies(seen.recipient)), got)
}

pub(super) fn deferred(it: &schema::Deferred, desk: &mut Desk<'_>) -> Check {
    let (by, to, pattern) = (desk.who(&it.by), desk.target(&it.to), desk.code(&it.code));
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        attempts_by(seen.recipient, by.as_ref()).into_iter().filter(|attempt| attempt.result == AttemptResult::Deferred).any(|attempt| {
            let reply = |connection: &Connection| {
                let reply = connection.reply.as_ref();
                let said = reply.is_some_and(|reply| has_code(pattern.as_ref(), reply.code, reply.enhanced));
                said || has_code(pattern.as_ref(), attempt.code, Some(attempt.enhanced))
            };
            let met = attempt.connections.iter().any(|connection| was_met(to.as_ref(), connection) && reply(connection));
            // Of a queue in Retry the Queue Viewer of Exchange shows 451 4.4.0 whatever the host said.
            let in_queue = attempt.last_error.is_some() && has_code(pattern.as_ref(), 451, Some(Enhanced(4, 4, 0)));
            met || to.is_none() && (in_queue || has_code(pattern.as_ref(), attempt.code, Some(attempt.enhanced)))
        })
    };
    let got = move |seen: &Seen<'_>| {
        let passes = attempts_by(seen.recipient, other.as_ref());
        let rows = passes.iter().filter(|attempt| attempt.result == AttemptResult::Deferred);
        let rows = rows.map(|attempt| {
            format!("at {}: {}", seen.scene.clock.moment(attempt.at), got::answer(attempt.code, attempt.enhanced, &attempt.text))
        });
        format!("deferrals: {}", got::list(rows, "none"))
    };
    each(holds, got)
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn ways() {
        table(&[
            (r#"For(sent: ("0s", "5m"), expect: [Path(["internet", "eop", "site-a"])])"#, "holds"),
            (r#"For(sent: ("0s", "5m"), expect: [Path(["internet", "exchange-online", "exchange"])])"#, "holds"),
            (r#"For(sent: ("0s", "5m"), expect: [Path(["eop", "exchange"])])"#, "internet > eop > site-a [inbound#1]"),
            (r#"Path(["internet", "eop", "site-a"])"#, "4 of 6 recipients, the first: internet > eop > site-b [inbound#2]"),
            (r#"Via(["internet", "eop"])"#, "holds"),
            (r#"Via(["eop", "site-b"])"#, "4 of 6 recipients, the first: internet > eop > site-a [inbound#1]"),
            (r#"Not(Via(["eop", "internet"]))"#, "holds"),
            (r#"For(sent: ("11m", "12m"), expect: [Tried(by: "eop", hosts: ["site-a", "site-b"])])"#, "holds"),
            (r#"For(sent: ("11m", "12m"), expect: [Tried(by: "eop", hosts: ["192.0.2.10", "site-b.contoso.com"])])"#, "holds"),
            (
                r#"For(sent: ("11m", "12m"), expect: [Tried(by: "eop", hosts: ["site-b"])])"#,
                "tried site-a at 11m 0.2s (no-answer), site-b at 11m 30.24s (accepted) [inbound#2]",
            ),
            (r#"For(sent: ("11m", "12m"), expect: [Tried(hosts: ["eop", "exchange", "exchange"])])"#, "holds"),
            (r#"Any(Contacted(host: "192.0.2.20", after: "10m", before: "30m"))"#, "holds"),
            (r#"Not(Contacted(host: "192.0.2.99"))"#, "holds"),
            (r#"Not(Contacted(host: "site-b"))"#, "2 of 6 recipients, the first: contacted site-b at 11m 30.24s (accepted) [inbound#2]"),
            (
                r#"Any(Contacted(host: "site-b", after: "30m"))"#,
                "none of 6 recipients, the first: contacted eop at 1m (accepted), site-a at 1m 0.2s (accepted) [inbound#1]",
            ),
            ("Hops(at_most: 2)", "holds"),
            (
                "Hops(is: 2)",
                "2 of 6 recipients, the first: 1 hop: internet > eop, bounced by eop after 300ms: 550 5.1.1 no such mailbox, said by site-a [inbound#5]",
            ),
            (r#"For(to: "carol@*", expect: [Attempts(by: "eop", is: 8)])"#, "holds"),
            (
                r#"For(to: "carol@*", expect: [Attempts(is: 8)])"#,
                "9 attempts: 1h (delivered), 1h 0.2s (deferred), 1h 5m 0.2s (deferred), 1h 10m 0.2s (deferred), 1h 15m 0.2s (deferred), 1h 20m 0.2s (deferred) and 3 more [inbound#6]",
            ),
            (
                r#"For(to: "carol@*", expect: [Attempts(by: "eop", moments: ["1h", "1h5m", "1h10m", "1h15m", "1h20m", "1h25m", "1h30m", "1h35m"])])"#,
                "holds",
            ),
            (
                r#"For(to: "carol@*", expect: [Attempts(by: "eop", moments: ["1h"], tolerance: "1m")])"#,
                "8 attempts: 1h 0.2s (deferred), 1h 5m 0.2s (deferred), 1h 10m 0.2s (deferred), 1h 15m 0.2s (deferred), 1h 20m 0.2s (deferred), 1h 25m 0.2s (deferred) and 2 more [inbound#6]",
            ),
            ("Attempts()", "MT0303: `Attempts` needs a number (write `is`, `at_least` or `at_most`)"),
            (
                r#"Any(Deferred(by: "eop", to: "mx.partner.example", code: "4.4.1"))"#,
                "none of 6 recipients, the first: deferrals: none [inbound#1]",
            ),
            (r#"Not(Deferred(by: "internet"))"#, "holds"),
            (r#"Any(Deferred(code: "450"))"#, "none of 6 recipients, the first: deferrals: none [inbound#1]"),
            (r#"For(sent: ("11m", "12m"), expect: [Transactions(hop: ("eop", "exchange"), is: 1)])"#, "holds"),
            (r#"Transactions(hop: ("eop", "*"), is: 1)"#, "1 of 6 recipients, the first: 0 transactions [inbound#6]"),
            ("Copies(at_most: 1)", "holds"),
            (
                "Copies(is: 1)",
                "2 of 6 recipients, the first: 0 copies, bounced by eop after 300ms: 550 5.1.1 no such mailbox, said by site-a [inbound#5]",
            ),
            ("Path([])", r#"MT0303: this way has no places (name the systems or hosts in order, as in ["internet", "eop", "site-a"])"#),
        ]);
    }
}
