//! Do the records of one text fit together?
//!
//! Sources: RFC 1034 §3.6.2 and RFC 2181 §10.1 (an alias stands alone), RFC 2181 §5 (sets of records), RFC 1035 §5.2 (one SOA
//! record, at the top). What later layers do to a set is judged on the finished zones.

use std::collections::BTreeMap;

use super::ZoneRecord;
use super::problem::{ZoneProblem, codes, quote};
use crate::model::dns::{RecordData, RecordType, parent_text};

/// Everything that only shows when several records are seen together.
pub(super) fn check(records: &[ZoneRecord]) -> Vec<ZoneProblem> {
    let mut sets = BTreeMap::<(&str, RecordType), Vec<&ZoneRecord>>::new();
    // What is said of the name alone says nothing more a second time.
    for record in records.iter().filter(|record| record.data != RecordData::Other) {
        sets.entry((&record.owner, record.data.record_type())).or_default().push(record);
    }
    let mut problems = Vec::new();
    for ((owner, record_type), set) in &sets {
        mixed_ttls(set, &mut problems);
        duplicates(set, &mut problems);
        match record_type {
            RecordType::Cname => aliases(owner, set, &sets, &mut problems),
            RecordType::Soa => zone_tops(owner, set, &sets, &mut problems),
            _ => {}
        }
    }
    problems
}

type Sets<'a> = BTreeMap<(&'a str, RecordType), Vec<&'a ZoneRecord>>;

fn about(record: &ZoneRecord, problem: ZoneProblem) -> ZoneProblem {
    ZoneProblem { file: record.file, ..problem }
}

fn mixed_ttls(set: &[&ZoneRecord], problems: &mut Vec<ZoneProblem>) {
    let (first, shortest) = (set[0], set.iter().map(|record| record.ttl_seconds).min().unwrap_or(0));
    if let Some(other) = set.iter().find(|record| record.ttl_seconds != first.ttl_seconds) {
        let record_type = other.data.record_type();
        let message = format!(
            "the {record_type} records of {} have different TTLs: {} and {} seconds",
            quote(&other.owner),
            first.ttl_seconds,
            other.ttl_seconds
        );
        let problem = ZoneProblem::warning(other.range.clone(), codes::MIXED_TTL, message);
        problems.push(about(other, problem.help(format!("give all of them one TTL; now {shortest} counts for all"))));
    }
}

fn duplicates(set: &[&ZoneRecord], problems: &mut Vec<ZoneProblem>) {
    let mut seen = BTreeMap::<&RecordData<Box<str>>, ()>::new();
    for record in set {
        if seen.insert(&record.data, ()).is_some() {
            let message = format!("{} has this {} record already", quote(&record.owner), record.data.record_type());
            problems
                .push(about(record, ZoneProblem::warning(record.range.clone(), codes::DUPLICATE, message).help("take one of them away")));
        }
    }
}

fn aliases(owner: &str, set: &[&ZoneRecord], sets: &Sets<'_>, problems: &mut Vec<ZoneProblem>) {
    let others: Vec<&str> = RecordType::KEPT
        .iter()
        .filter(|kept| **kept != RecordType::Cname && sets.contains_key(&(owner, **kept)))
        .map(|kept| kept.as_str())
        .collect();
    if !others.is_empty() {
        let message = format!("{} is an alias, and has {} records beside it", quote(owner), others.join(", "));
        let problem = ZoneProblem::error(set[0].range.clone(), codes::ALIAS, message);
        problems.push(about(set[0], problem.help("an alias has no other data: take the CNAME away, or the others (RFC 2181 §10.1)")));
    }
    if let Some(second) = set.iter().find(|record| record.data != set[0].data) {
        let problem = ZoneProblem::error(second.range.clone(), codes::ALIAS, format!("{} is an alias of two names", quote(owner)));
        problems.push(about(second, problem.help("keep one CNAME; several hosts are several MX or A records")));
    }
}

fn zone_tops(owner: &str, set: &[&ZoneRecord], sets: &Sets<'_>, problems: &mut Vec<ZoneProblem>) {
    if let Some(second) = set.iter().find(|record| record.data != set[0].data) {
        let problem = ZoneProblem::error(second.range.clone(), codes::SOA, format!("{} has a second SOA record", quote(owner)));
        problems.push(about(second, problem.help("a zone has one SOA record, at its top")));
    }
    let above =
        std::iter::successors(parent_text(owner), |name| parent_text(name)).find(|above| sets.contains_key(&(*above, RecordType::Soa)));
    if let Some(above) = above.filter(|_| !sets.contains_key(&(owner, RecordType::Ns))) {
        let message = format!("{} lies inside the zone of {}, and an SOA record stands at the top of a zone", quote(owner), quote(above));
        let problem = ZoneProblem::warning(set[0].range.clone(), codes::SOA, message);
        problems.push(about(set[0], problem.help("if it is a zone of its own, give it NS records too")));
    }
}
