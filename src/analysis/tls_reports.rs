//! What would a sender report about TLS to the domains that it sent to?
//!
//! One report per sending system, receiving domain and day (UTC), one block per policy that was met. Sessions count once, however many recipients
//! went with them; connects that failed are no matter of TLS. Source: RFC 8460 §4. Not modelled: whether the domain asks for reports
//! (`_smtp._tls`), their way to it.

use super::outcome::{Hop, Outcome, Published, Tls};
use crate::base::{DAY, SECOND, SimTime, TlsOutcome};
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

/// One report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsReport {
    /// The system that sent.
    pub organization: Rc<str>,
    /// The domain that it sent to.
    pub domain: Rc<str>,
    /// Its first second, since 1970.
    pub begin_unix_s: i64,
    /// Its last second.
    pub end_unix_s: i64,
    /// By policy.
    pub policies: Vec<PolicyResults>,
}

/// What came of sessions under one policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyResults {
    /// `tlsa`, `sts` or `no-policy-found`.
    pub kind: &'static str,
    /// What was published, if anything could be read.
    pub published: Option<Rc<Published>>,
    /// Sessions with TLS as the policy wants it.
    pub successes: u64,
    /// Sessions that something is to be said about.
    pub failures: u64,
    /// What.
    pub details: Vec<Detail>,
}

/// Sessions that failed alike.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Detail {
    /// RFC 8460 result type.
    pub result: &'static str,
    /// Address of the sender.
    pub sender: Option<IpAddr>,
    /// Name of the MX host.
    pub host: Rc<str>,
    /// Its address.
    pub receiver: IpAddr,
    /// How many.
    pub count: u64,
}

type Place = (Rc<str>, Rc<str>, i64);
/// Result, sender's address, host and its address.
type DetailKey = (&'static str, Option<IpAddr>, Rc<str>, IpAddr);
type PolicyKey = (&'static str, Option<Rc<Published>>);

#[derive(Default)]
struct Sums {
    successes: u64,
    failures: u64,
    details: BTreeMap<DetailKey, u64>,
}

/// The reports of a run, by sender, domain and day.
#[must_use]
pub fn tls_reports(model: &Model, outcome: &Outcome) -> Vec<TlsReport> {
    let start = model.start_unix_s.unwrap_or(0);
    let mut sums: BTreeMap<Place, BTreeMap<PolicyKey, Sums>> = BTreeMap::new();
    let mut connections = BTreeSet::new();
    let mut passed_by = BTreeSet::new();
    for message in &outcome.messages {
        let hops = message.recipients.iter().flat_map(|recipient| &recipient.hops);
        for hop in hops.filter(|hop| is_domain(&hop.queue)) {
            let mut add = |at: SimTime, host: &Rc<str>, address: IpAddr, tls: &Tls| {
                let day = (start + (at.0 / SECOND) as i64).div_euclid((DAY / SECOND) as i64);
                let place = (hop.from.system.clone(), hop.queue.clone(), day);
                let by_policy = sums.entry(place).or_default();
                let sum = by_policy.entry((kind(tls), tls.published.clone())).or_default();
                match tls.result {
                    Some(result) => {
                        sum.failures += 1;
                        let sender = sender_address(model, hop, address);
                        *sum.details.entry((result, sender, host.clone(), address)).or_default() += 1;
                    }
                    None if tls.outcome > TlsOutcome::Plaintext => sum.successes += 1,
                    None => {}
                }
            };
            for attempt in &hop.attempts {
                for connection in &attempt.connections {
                    if let Some(tls) = connection.tls.as_ref().filter(|tls| &*tls.policy != "none")
                        && connections.insert(connection.number)
                    {
                        add(connection.at, &connection.name, connection.address, tls);
                    }
                }
                for host in &attempt.not_used {
                    if passed_by.insert((message.id.clone(), hop.from.clone(), host.at, host.address)) {
                        add(host.at, &host.name, host.address, &host.tls);
                    }
                }
            }
        }
    }
    sums.into_iter().map(|(place, policies)| report(place, policies)).filter(|report| !report.policies.is_empty()).collect()
}

/// Reports are for domains; smart hosts in brackets and addresses publish nothing.
fn is_domain(queue: &str) -> bool {
    !queue.is_empty() && !queue.starts_with('[') && queue.parse::<IpAddr>().is_err()
}

fn kind(tls: &Tls) -> &'static str {
    match (&tls.published, &*tls.policy) {
        (Some(published), _) => published.kind,
        (None, "dane") => "tlsa",
        (None, "mta-sts") => "sts",
        (None, _) => "no-policy-found",
    }
}

fn sender_address(model: &Model, hop: &Hop, to: IpAddr) -> Option<IpAddr> {
    let host = model.hosts.iter().find(|host| *host.name == *hop.from.host)?;
    host.egress.iter().chain(&host.addresses).find(|own| own.is_ipv4() == to.is_ipv4()).copied()
}

fn report((organization, domain, day): Place, policies: BTreeMap<PolicyKey, Sums>) -> TlsReport {
    let day_s = (DAY / SECOND) as i64;
    let policies = policies.into_iter().filter(|(_, sums)| sums.successes + sums.failures > 0).map(|((kind, published), sums)| {
        let details = sums.details.into_iter();
        PolicyResults {
            kind,
            published,
            successes: sums.successes,
            failures: sums.failures,
            details: details.map(|((result, sender, host, receiver), count)| Detail { result, sender, host, receiver, count }).collect(),
        }
    });
    TlsReport { organization, domain, begin_unix_s: day * day_s, end_unix_s: (day + 1) * day_s - 1, policies: policies.collect() }
}
