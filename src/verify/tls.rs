//! How was a hop protected?
//!
//! False if the hop was not taken; where several hops fit (`"*"`, systems with several hosts in a row), each must be as expected, and under
//! `Not` none may be. A hop of which nothing is known about TLS was in clear. With a `result` the connections on that hop count, also
//! those that carried nothing: a failure is what RFC 8460 (§4.3) has words for.

use super::desk::{Desk, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::names::Who;
use super::view::Seen;
use crate::analysis::outcome::{Hop, Recipient, Tls};
use crate::analysis::paths::label;
use crate::base::{TlsOutcome, TlsVersion};
use crate::model::settings::TlsLevel;
use crate::scenario::schema::{TlsExpectation, TlsVersionWord, TlsWord};

pub(super) fn hop(it: &TlsExpectation, desk: &mut Desk<'_>) -> Check {
    let ends = match it.hop.get() {
        Some((from, to)) => (desk.end_of_hop(from), desk.end_of_hop(to)),
        None => (None, None),
    };
    let wanted = Wanted {
        is: it.is.get().map(|word| outcome(*word)),
        at_least: it.at_least.get().map(|word| outcome(*word)),
        version: it.version.get().map(|word| version(*word)),
        policy: it.policy.as_str().map(str::to_owned),
        result: desk.word(&it.result, "a result type of RFC 8460", &RESULTS),
    };
    let by_connection = wanted.result.is_some();
    let anywhere = desk.negated || by_connection;
    let other = ends.clone();
    let holds = move |seen: &Seen<'_>| {
        let mut rows = found(seen.recipient, &ends, by_connection).into_iter().map(|row| row.tls).peekable();
        match anywhere {
            true => rows.any(|tls| wanted.has(tls)),
            false => rows.peek().is_some() && rows.all(|tls| wanted.has(tls)),
        }
    };
    let got = move |seen: &Seen<'_>| {
        let say = |rows: Vec<Row<'_>>| rows.iter().map(|row| got::hop_tls(row.hop, row.tls, row.to)).collect::<Vec<_>>().join("; ");
        let rows = found(seen.recipient, &other, by_connection);
        let anything = found(seen.recipient, &(None, None), by_connection);
        match (rows.is_empty(), anything.is_empty()) {
            (false, _) => say(rows),
            (true, false) => format!("not on this hop; {}", say(anything)),
            (true, true) => format!("no hop was taken, {}", got::fate(seen)),
        }
    };
    each(holds, got)
}

/// The result types of RFC 8460 §4.3.
const RESULTS: [&str; 11] = [
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
    "sts-policy-fetch-error",
    "sts-policy-invalid",
    "sts-webpki-invalid",
];

struct Wanted {
    is: Option<TlsOutcome>,
    at_least: Option<TlsOutcome>,
    version: Option<TlsVersion>,
    policy: Option<String>,
    result: Option<&'static str>,
}

impl Wanted {
    fn has(&self, tls: Option<&Tls>) -> bool {
        let outcome = tls.map_or(TlsOutcome::Plaintext, |tls| tls.outcome);
        self.is.is_none_or(|is| outcome == is)
            && self.at_least.is_none_or(|least| outcome >= least)
            && self.version.is_none_or(|version| tls.is_some_and(|tls| tls.version == Some(version)))
            && self.policy.as_ref().is_none_or(|policy| tls.is_some_and(|tls| has_policy(policy, &tls.policy)))
            && self.result.is_none_or(|result| tls.is_some_and(|tls| tls.result == Some(result)))
    }
}

/// A connector's own words are the policy "connector".
fn has_policy(wanted: &str, found: &str) -> bool {
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    plain(wanted) == plain(found) || plain(wanted) == "connector" && TlsLevel::OF_CONNECTORS.iter().any(|level| level.as_str() == found)
}

struct Row<'a> {
    hop: &'a Hop,
    tls: Option<&'a Tls>,
    to: Option<&'a str>,
}

/// The hops that were taken between two ends, or all connections between them.
fn found<'a>(recipient: &'a Recipient, ends: &(Option<Who>, Option<Who>), by_connection: bool) -> Vec<Row<'a>> {
    let from = recipient.hops.iter().filter(|hop| is(ends.0.as_ref(), Some(&hop.from)));
    if !by_connection {
        let taken = from.filter(|hop| hop.to.is_some() && is(ends.1.as_ref(), hop.to.as_ref()));
        return taken.map(|hop| Row { hop, tls: hop.tls.as_ref(), to: None }).collect();
    }
    let all =
        from.clone().flat_map(|hop| hop.attempts.iter().flat_map(|attempt| &attempt.connections).map(move |connection| (hop, connection)));
    let met = all.filter(|(_, connection)| connection.tls.is_some() && is(ends.1.as_ref(), connection.to.as_ref()));
    let connected = met.map(|(hop, connection)| Row { hop, tls: connection.tls.as_ref(), to: connection.to.as_ref().map(label) });
    let passed_by = from.flat_map(|hop| hop.attempts.iter().flat_map(|attempt| &attempt.not_used).map(move |host| (hop, host)));
    let passed_by = passed_by.filter(|(_, host)| is(ends.1.as_ref(), host.to.as_ref()));
    connected.chain(passed_by.map(|(hop, host)| Row { hop, tls: Some(&host.tls), to: host.to.as_ref().map(label) })).collect()
}

fn outcome(word: TlsWord) -> TlsOutcome {
    match word {
        TlsWord::Plaintext => TlsOutcome::Plaintext,
        TlsWord::Encrypted => TlsOutcome::Encrypted,
        TlsWord::Authenticated => TlsOutcome::Authenticated,
    }
}

fn version(word: TlsVersionWord) -> TlsVersion {
    match word {
        TlsVersionWord::Tls10 => TlsVersion::Tls10,
        TlsVersionWord::Tls11 => TlsVersion::Tls11,
        TlsVersionWord::Tls12 => TlsVersion::Tls12,
        TlsVersionWord::Tls13 => TlsVersion::Tls13,
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::fixture::two_sites;
    use crate::verify::fixture::{table, told};

    #[test]
    fn protection() {
        table(&[
            (r#"Tls(hop: ("internet", "eop"), at_least: Encrypted, version: Tls13)"#, "holds"),
            (
                r#"Tls(hop: ("internet", "eop"), is: Authenticated)"#,
                "6 of 6 recipients, the first: internet -> eop: encrypted, TLS 1.3, policy EncryptionOnly [inbound#1]",
            ),
            (r#"Not(Tls(hop: ("*", "*"), is: Plaintext))"#, "holds"),
            (
                r#"Not(Tls(hop: ("eop", "*"), is: Encrypted))"#,
                "4 of 6 recipients, the first: eop -> site-a: encrypted, TLS 1.3, policy EncryptionOnly [inbound#1]",
            ),
            (
                r#"Tls(hop: ("eop", "exchange"), policy: "connector")"#,
                "2 of 6 recipients, the first: not on this hop; internet -> eop: encrypted, TLS 1.3, policy EncryptionOnly [inbound#5]",
            ),
            (r#"For(sent: ("0s", "30m"), expect: [Tls(hop: ("eop", "exchange"), policy: "connector")])"#, "holds"),
            (
                r#"For(sent: ("0s", "30m"), expect: [Tls(hop: ("eop", "exchange"), policy: "dane")])"#,
                "3 of 3 recipients, the first: eop -> site-a: encrypted, TLS 1.3, policy EncryptionOnly [inbound#1]",
            ),
            (
                r#"Any(Tls(result: "certificate-expired"))"#,
                "none of 6 recipients, the first: internet -> eop: encrypted, TLS 1.3, policy EncryptionOnly; eop -> site-a: encrypted, TLS 1.3, policy EncryptionOnly [inbound#1]",
            ),
        ]);
    }

    #[test]
    fn failures_count_where_nothing_was_carried() {
        let mut outcome = two_sites();
        outcome.messages.truncate(2);
        outcome.messages.remove(0);
        let hop = &mut outcome.messages[0].recipients[0].hops[1];
        hop.attempts[0].connections[0].tls = hop.tls.clone().map(|tls| super::Tls { result: Some("certificate-expired"), ..tls });
        let cases = [
            (r#"Tls(hop: ("eop", "site-a"), result: "certificate-expired")"#, "holds"),
            (r#"Not(Tls(hop: ("*", "*"), result: "validation-failure"))"#, "holds"),
            (
                r#"Tls(hop: ("eop", "site-a"), at_least: Encrypted)"#,
                "not on this hop; internet -> eop: encrypted, TLS 1.3, policy EncryptionOnly; \
                 eop -> site-b: encrypted, TLS 1.3, policy EncryptionOnly [inbound#2]",
            ),
        ];
        for (what, expected) in cases {
            assert_eq!(told(&outcome, what), expected, "{what}");
        }
        outcome.messages[0].recipients[0].hops[1].tls = None;
        let plain = told(&outcome, r#"Not(Tls(hop: ("*", "exchange"), is: Plaintext))"#);
        assert_eq!(plain, "eop -> site-b: plaintext [inbound#2]");
    }
}
