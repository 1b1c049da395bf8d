//! What would a sender report about TLS to the domains that it sent to?
//!
//! One report per sending system, receiving domain and day (UTC), one block per policy that was met. Sessions count once, however many recipients
//! went with them; connects that failed are no matter of TLS. Only domains that ask for reports get one (`decide::tls_reporting`), by their records on that
//! day. Source: RFC 8460 §3, §4. Not modelled: the way of a report to the domain.

use super::outcome::{Hop, Outcome, Published, Tls};
use crate::base::{DAY, SECOND, SimTime, TlsOutcome};
use crate::decide::tls_reporting::asks_for_reports;
use crate::model::Model;
use crate::model::dns::{RecordData, RecordType};
use crate::model::topology::Host;
use sha2::{Digest, Sha256, Sha512};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

/// One report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsReport {
    /// The system that sent, by the name of its first machine.
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

/// What senders have to say about TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsReports {
    /// The reports of a run, by sender, domain and day.
    pub reports: Vec<TlsReport>,
    /// Domains that there would be something to say to, and that ask for no report.
    pub unasked: BTreeSet<Rc<str>>,
}

/// The reports of a run.
#[must_use]
pub fn tls_reports(model: &Model, outcome: &Outcome) -> TlsReports {
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
    let mut found = TlsReports::default();
    for (place, policies) in sums {
        let sender = model.hosts.iter().find(|host| *model.systems[host.system.index()].name == *place.0);
        let day_ends_ns = (place.2 + 1).saturating_mul((DAY / SECOND) as i64).saturating_sub(start).max(0) as u64;
        let wanted = asks(model, sender, &place.1, SimTime(day_ends_ns.saturating_mul(SECOND).saturating_sub(1)));
        let domain = place.1.clone();
        let hostname = sender.map(|host| model.names.text(host.hostname)).filter(|name| !name.is_empty());
        let report = report(model, (hostname.map_or(place.0, Into::into), place.1, place.2), policies);
        match report.policies.is_empty() {
            true => {}
            false if wanted => found.reports.push(report),
            false => {
                found.unasked.insert(domain);
            }
        }
    }
    found
}

/// Does a domain ask for reports, as its sender's resolver sees it at this moment?
fn asks(model: &Model, sender: Option<&Host>, domain: &str, at: SimTime) -> bool {
    let zones = &model.zones[model.versions[model.version_at(at)].zones.index()];
    let view = sender.map_or(0, |host| model.resolvers[host.resolver.index()].view).min(zones.view_count() - 1);
    let answer = zones.lookup_text(&model.names, view, &format!("_smtp._tls.{domain}"), RecordType::Txt);
    asks_for_reports(answer.records().iter().filter_map(RecordData::text))
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

fn report(model: &Model, (organization, domain, day): Place, policies: BTreeMap<PolicyKey, Sums>) -> TlsReport {
    let day_s = (DAY / SECOND) as i64;
    let policies = policies.into_iter().filter(|(_, sums)| sums.successes + sums.failures > 0).map(|((kind, published), sums)| {
        let details = sums.details.into_iter();
        PolicyResults {
            kind,
            published: published.map(|published| with_digests(model, &published)),
            successes: sums.successes,
            failures: sums.failures,
            details: details.map(|((result, sender, host, receiver), count)| Detail { result, sender, host, receiver, count }).collect(),
        }
    });
    TlsReport { organization, domain, begin_unix_s: day * day_s, end_unix_s: (day + 1) * day_s - 1, policies: policies.collect() }
}

/// Records as a zone has them: where the scenario names a certificate, its digest stands. Who did not write it down gets one that is made of the name.
fn with_digests(model: &Model, published: &Rc<Published>) -> Rc<Published> {
    if !published.strings.iter().any(|line| line.contains('@')) || published.kind != "tlsa" {
        return published.clone();
    }
    let digested = |line: &Rc<str>| -> Rc<str> {
        let Some((numbers, (kind, name))) = line.split_once('@').and_then(|(numbers, rest)| Some((numbers, rest.split_once(':')?))) else {
            return line.clone();
        };
        let certificate = model.certificates.iter().find(|certificate| *certificate.name == *name);
        let known = certificate.map_or("", |certificate| match kind {
            "spki256" => &certificate.key_digest,
            "cert256" => &certificate.digest,
            _ => "",
        });
        let made_up = || -> String {
            let key = certificate.filter(|_| kind == "spki256").map_or(name, |certificate| &certificate.key);
            let text = format!("{kind}:{key}");
            match numbers.trim_end().ends_with('2') {
                true => Sha512::digest(text).iter().map(|byte| format!("{byte:02x}")).collect(),
                false => Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect(),
            }
        };
        let digest = if known.is_empty() { made_up() } else { known.to_owned() };
        format!("{numbers}{digest}").into()
    };
    Rc::new(Published { strings: published.strings.iter().map(digested).collect(), ..(**published).clone() })
}
