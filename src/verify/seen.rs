//! Which envelope sender did a machine see? The expectation `Seen`.
//!
//! Where the message entered it saw the sender as written; any other machine saw what MAIL said in a connection that came so far, whatever its answer.
//! A forward with SRS and a list with an owner show another one to those behind them.

use super::desk::{Desk, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::view::Seen;
use crate::analysis::outcome::Place;
use crate::analysis::paths::label;
use crate::base::Phase;
use crate::scenario::schema;

pub(super) fn seen(it: &schema::Seen, desk: &mut Desk<'_>) -> Check {
    let (at, from) = (desk.who(&it.at), desk.pattern(&it.from));
    if !it.at.is_written() && !it.from.is_written() {
        desk.missing(it.place, "`Seen` needs `at`, `from` or both", "a host or system, and the envelope sender that it saw");
    }
    let holds = move |seen: &Seen<'_>| {
        sights(seen)
            .into_iter()
            .any(|(place, sender)| is(at.as_ref(), Some(place)) && from.as_ref().is_none_or(|from| from.matches(sender)))
    };
    let got = |seen: &Seen<'_>| {
        let mut rows: Vec<String> = sights(seen).into_iter().map(|(place, sender)| format!("{} saw {sender}", label(place))).collect();
        rows.dedup();
        got::list(rows, "nobody saw it")
    };
    each(holds, got)
}

/// Who saw which envelope sender, in order.
fn sights<'a>(seen: &Seen<'a>) -> Vec<(&'a Place, &'a str)> {
    let mut rows: Vec<(&Place, &str)> = vec![(&seen.message.entered_at, &seen.message.from)];
    for hop in &seen.recipient.hops {
        let connections = hop.attempts.iter().flat_map(|attempt| &attempt.connections);
        let told = connections.filter(|connection| connection.phase >= Phase::Mail).filter_map(|connection| connection.to.as_ref());
        rows.extend(told.map(|place| (place, &*hop.sender)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn senders() {
        table(&[
            (r#"Seen(at: "eop", from: "bob@fabrikam.com")"#, "holds"),
            (r#"Any(Seen(at: "site-b"))"#, "holds"),
            (
                r#"For(to: "nobody@*", expect: [Seen(at: "site-a", from: "SRS0=*")])"#,
                "internet saw bob@fabrikam.com, eop saw bob@fabrikam.com, site-a saw bob@fabrikam.com [inbound#5]",
            ),
            ("Seen()", "MT0303: `Seen` needs `at`, `from` or both (a host or system, and the envelope sender that it saw)"),
        ]);
    }
}
