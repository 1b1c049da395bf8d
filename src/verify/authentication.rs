//! What did a receiver find out about the origin of a message? The expectation `Checked`.
//!
//! With `by` it speaks about the last arrival at that system, without it about the last arrival of all: the final receiver. Results are the
//! words of RFC 8601 (`pass`, `softfail`, `permerror` …); a check that the receiver ignores has none.

use super::desk::{Desk, is};
use super::expect::each;
use super::judge::Check;
use super::names::Who;
use super::view::Seen;
use crate::analysis::outcome::{Authentication, Place};
use crate::analysis::paths::label;
use crate::decide::authentication::dkim::DkimResult;
use crate::decide::authentication::dmarc::DmarcResult;
use crate::decide::authentication::spf::SpfResult;
use crate::scenario::schema;

pub(super) fn checked(it: &schema::Checked, desk: &mut Desk<'_>) -> Check {
    desk.needs_steps = true;
    let by = desk.who(&it.by);
    let spf = desk.word(&it.spf, "a result of SPF", &SpfResult::ALL.map(SpfResult::as_str));
    let dkim = desk.word(&it.dkim, "a result of DKIM", &DkimResult::ALL.map(DkimResult::as_str));
    let dmarc = desk.word(&it.dmarc, "a result of DMARC", &DmarcResult::ALL.map(DmarcResult::as_str));
    let other = by.clone();
    let holds = move |seen: &Seen<'_>| {
        let is_as_wanted = |wanted: Option<&'static str>, found: Option<&'static str>| wanted.is_none() || wanted == found;
        last(seen, by.as_ref())
            .is_some_and(|(_, found)| is_as_wanted(spf, found.spf) && is_as_wanted(dkim, found.dkim) && is_as_wanted(dmarc, found.dmarc))
    };
    let got = move |seen: &Seen<'_>| last(seen, other.as_ref()).map_or_else(|| "it never came to a check".to_owned(), told);
    each(holds, got)
}

/// The last arrival that somebody looked at.
fn last<'a>(seen: &Seen<'a>, by: Option<&Who>) -> Option<(Option<&'a Place>, &'a Authentication)> {
    let connections = seen.recipient.hops.iter().flat_map(|hop| &hop.attempts).flat_map(|attempt| &attempt.connections);
    let mut found = connections.filter_map(|connection| Some((connection.to.as_ref(), &**connection.authentication.as_ref()?)));
    found.rfind(|(place, _)| is(by, *place))
}

/// `spf pass (a.test from 192.0.2.1), dkim none, dmarc pass at contoso`
fn told((place, found): (Option<&Place>, &Authentication)) -> String {
    let result = |result: Option<&'static str>| result.unwrap_or("ignored");
    let at = place.map_or(String::new(), |place| format!(" at {}", label(place)));
    let (spf, dkim, dmarc) = (result(found.spf), result(found.dkim), result(found.dmarc));
    format!("spf {spf} ({} from {}), dkim {dkim}, dmarc {dmarc}{at}", found.spf_domain, found.address)
}

#[cfg(test)]
mod tests {
    use crate::verify::fixture::table;

    #[test]
    fn checks() {
        table(&[
            (r#"Any(Checked(by: "eop", spf: "pass"))"#, "none of 6 recipients, the first: it never came to a check [inbound#1]"),
            (r#"Not(Checked(spf: "Fail"))"#, "holds"),
            (r#"Checked(spf: "passed")"#, "MT0301: `passed` is not a result of SPF (did you mean `pass`?)"),
            (r#"Checked(dmarc: "quarantine")"#, "MT0301: `quarantine` is not a result of DMARC (possible are none, pass, fail, temperror)"),
        ]);
    }
}
