//! Why that way? The expectations about decisions and about questions to DNS.
//!
//! `Chosen` and `PassedOver` look at what the rule books returned while the mail was on its way; a candidate may be meant by its name, and a
//! host also by its hostname. An answer from the resolver's cache counts as asked: the sender asked its resolver.

use super::desk::{Desk, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::names::Who;
use super::view::Seen;
use crate::analysis::outcome::{Decision, Hop, Lookup, Reason, Recipient};
use crate::analysis::paths::label;
use crate::base::common_form;
use crate::decide::exchange::attribution::ATTRIBUTION;
use crate::model::dns::RecordType;
use crate::scenario::schema;
use crate::scenario::source::{Field, Text};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Whose mail a tenant took it for: every rule that took part counts, also where it gave the reason against somebody else.
pub(super) fn attributed(it: &schema::Attributed, desk: &mut Desk<'_>) -> Check {
    desk.needs_steps = true;
    let (to, connector, rule) = (desk.who(&it.to), desk.candidate(&it.connector), desk.rule(&it.because));
    let holds = move |seen: &Seen<'_>| {
        attributions(seen.recipient).any(|decision| {
            let named = |names: &BTreeSet<String>| decision.chosen.iter().any(|reason| names.contains(&plain(&reason.name)));
            let ruled = |rule: &String| decision.chosen.iter().any(|reason| rule.eq_ignore_ascii_case(reason.rule));
            is(to.as_ref(), Some(&decision.by)) && connector.as_ref().is_none_or(named) && rule.as_ref().is_none_or(ruled)
        })
    };
    let got = move |seen: &Seen<'_>| {
        let told = attributions(seen.recipient)
            .map(|decision| format!("taken for {}: {}", label(&decision.by), got::reasons(decision.chosen.iter(), "nothing")));
        got::list(told, "taken in nobody's name")
    };
    each(holds, got)
}

/// The answers of Exchange Online to the question whose mail it is.
fn attributions(recipient: &Recipient) -> impl Iterator<Item = &Decision> {
    fn of_hop(hop: &Hop) -> impl Iterator<Item = &Rc<Decision>> {
        hop.decisions.iter().chain(&hop.at_end).chain(hop.attempts.iter().flat_map(|attempt| &attempt.decisions))
    }
    recipient.hops.iter().flat_map(of_hop).map(|decision| &**decision).filter(|decision| *decision.question == *ATTRIBUTION)
}

fn plain(name: &str) -> String {
    common_form(name)
}

type Side = fn(&Decision) -> &[Reason];

pub(super) fn chosen(it: &schema::Chosen, desk: &mut Desk<'_>) -> Check {
    about(&it.by, &it.name, &it.because, |decision| &decision.chosen, desk)
}

pub(super) fn passed_over(it: &schema::PassedOver, desk: &mut Desk<'_>) -> Check {
    about(&it.by, &it.name, &it.because, |decision| &decision.passed_over, desk)
}

fn about(by: &Field<Text>, name: &Field<Text>, because: &Field<Text>, side: Side, desk: &mut Desk<'_>) -> Check {
    desk.needs_steps = true;
    let (by, name, rule) = (desk.who(by), desk.candidate(name), desk.rule(because));
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        reasons(seen.recipient, by.as_ref(), side).any(|reason| {
            let called = plain(&reason.name);
            name.as_ref().is_none_or(|names| names.contains(&called))
                && rule.as_ref().is_none_or(|rule| rule.eq_ignore_ascii_case(reason.rule))
        })
    };
    let got = move |seen: &Seen<'_>| {
        let chosen = got::reasons(reasons(seen.recipient, other.as_ref(), |decision| &decision.chosen), "nothing");
        let lost = got::reasons(reasons(seen.recipient, other.as_ref(), |decision| &decision.passed_over), "nothing");
        format!("chosen: {chosen}; passed over: {lost}")
    };
    each(holds, got)
}

fn reasons<'a>(recipient: &'a Recipient, by: Option<&Who>, side: Side) -> impl Iterator<Item = &'a Reason> {
    let of_hop = |hop: &'a Hop| hop.decisions.iter().chain(&hop.at_end).chain(hop.attempts.iter().flat_map(|attempt| &attempt.decisions));
    recipient
        .hops
        .iter()
        .flat_map(of_hop)
        .chain(&recipient.arrival)
        .filter(move |decision| is(by, Some(&decision.by)))
        .flat_map(move |decision| side(decision))
}

pub(super) fn asked(it: &schema::Asked, desk: &mut Desk<'_>) -> Check {
    desk.needs_steps = true;
    let by = desk.who(&it.by);
    let types: Vec<&str> = RecordType::KEPT.iter().map(|kept| kept.as_str()).collect();
    let (name, kind) = (it.name.as_str().map(plain), desk.word(&it.r#type, "a type of records", &types));
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        lookups(seen.recipient, by.as_ref())
            .any(|lookup| name.as_ref().is_none_or(|name| plain(&lookup.name) == *name) && kind.is_none_or(|kind| kind == lookup.kind))
    };
    let got = move |seen: &Seen<'_>| {
        let mut rows: Vec<String> = vec![];
        for lookup in lookups(seen.recipient, other.as_ref()) {
            let row = format!("{} {}", lookup.name, lookup.kind);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        format!("asked for {}", got::list(rows, "nothing"))
    };
    each(holds, got)
}

fn lookups<'a>(recipient: &'a Recipient, by: Option<&Who>) -> impl Iterator<Item = &'a Lookup> {
    let hops = recipient.hops.iter().filter(move |hop| is(by, Some(&hop.from)));
    hops.flat_map(|hop| &hop.attempts).flat_map(|attempt| &attempt.lookups)
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn reasons() {
        table(&[
            (r#"Any(Chosen(by: "eop", name: "To on-premises", because: "OUT-3"))"#, "holds"),
            (r#"Any(Chosen(by: "eop", name: "site-a", because: "SH-2"))"#, "holds"),
            (
                r#"Any(Chosen(by: "eop", name: "To partner"))"#,
                "none of 6 recipients, the first: chosen: To on-premises (OUT-3), site-a.contoso.com (SH-2); passed over: To partner (OUT-3), 192.0.2.99 (SH-2) [inbound#1]",
            ),
            (r#"Any(PassedOver(name: "To partner", because: "out-3"))"#, "holds"),
            // As `explain` calls the ways of MX resolution: words before a name of the zones are no slip.
            (r#"Not(Chosen(name: "MX of site-a.contoso.com"))"#, "holds"),
            (r#"Not(PassedOver(name: "address of contoso.com", because: "SH-2"))"#, "holds"),
            (r#"Not(Chosen(because: "OUT-33"))"#, "MT0101: no rule is called `OUT-33` (did you mean `OUT-3`?)"),
            (r#"Not(PassedOver(by: "eop", name: "nope"))"#, "MT0101: nothing that could be chosen is called `nope`"),
            (r#"Not(PassedOver(name: "no connector"))"#, "holds"),
            (r#"Not(Attributed(to: "eop", connector: "nope"))"#, "MT0101: nothing that could be chosen is called `nope`"),
            (r#"Not(Asked(type: "MXX"))"#, "MT0301: `MXX` is not a type of records (did you mean `MX`?)"),
            (
                r#"Not(Delivered(within: "1m", no_sooner: "2m"))"#,
                "MT0302: nothing happens no sooner than this and within less (`no_sooner` is at most `within`)",
            ),
            (r#"Not(Attempts(at_least: 3, at_most: 2))"#, "MT0302: no number of `Attempts` is like that (the least is above the most)"),
            (r#"Hops(is: 1, at_least: 3)"#, "MT0302: no number of `Hops` is like that (the least is above the most)"),
            (
                r#"Not(Connections(at_least: 3, at_most: 2))"#,
                "MT0302: no number of `Connections` is like that (the least is above the most)",
            ),
            (
                r#"Not(Tls(result: "starttls-not-suported"))"#,
                "MT0301: `starttls-not-suported` is not a result type of RFC 8460 (did you mean `starttls-not-supported`?)",
            ),
            (
                r#"Not(Chosen(because: "SH-2"))"#,
                "6 of 6 recipients, the first: chosen: To on-premises (OUT-3), site-a.contoso.com (SH-2); passed over: To partner (OUT-3), 192.0.2.99 (SH-2) [inbound#1]",
            ),
            (
                r#"Chosen(name: "To on-premise")"#,
                "MT0101: nothing that could be chosen is called `To on-premise` (did you mean `To on-premises`?)",
            ),
            (r#"Asked(by: "internet", name: "contoso.com.", type: "mx")"#, "holds"),
            (r#"Not(Asked(by: "eop"))"#, "holds"),
            (r#"Any(Asked(by: "internet", type: "A"))"#, "none of 6 recipients, the first: asked for contoso.com MX [inbound#1]"),
        ]);
    }
}
