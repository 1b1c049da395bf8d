//! Do TLSA records stand where senders look, can they use them, and do they fit what the hosts show? Warnings: such records exist.
//!
//! Sources: RFC 7672 §2.2 (only signed answers count), §2.2.3 (`_25._tcp.` and the name of the mail host), §3.1.3 (usages 0 and 1), RFC 6698 §2.1.
//! Looked at are the public zones of the start and of each dated change. Records for other ports are somebody else's.

use super::desk::Desk;
use super::zone_text::Written;
use super::zones::StageTexts;
use crate::decide::dane::{fits, is_usable};
use crate::decide::profile::DaneRules;
use crate::decide::tls::Wanted;
use crate::diag::{Code, Diagnostic, code};
use crate::model::Model;
use crate::model::dns::{Answer, Dnssec, RecordData, RecordType, Tlsa, Zones};
use crate::model::settings::DaneDigests;
use crate::model::topology::Version;

/// Looks at the TLSA records of all stages.
pub(super) fn check(model: &Model, texts: &[StageTexts], desk: &mut Desk) {
    let mut said = Vec::new();
    let mut broken: Vec<(Box<str>, &str)> = Vec::new();
    for (texts, version) in texts.iter().zip(&model.versions) {
        let mut bases: Vec<&str> = Vec::new();
        for record in texts.layers().flat_map(|layer| &layer.records) {
            let RecordData::Tlsa(tlsa) = &record.data else { continue };
            let look = Look { model, version, zones: &model.zones[version.zones.index()] };
            let base = record.owner.strip_prefix("_25._tcp.");
            let problem = match base {
                Some(base) if look.is_published(record, tlsa) => look.of_record(&record.owner, base, tlsa).or_else(|| {
                    let first = !bases.contains(&base);
                    bases.push(base);
                    if first { look.of_host(&record.owner, base, &mut broken) } else { None }
                }),
                Some(_) => None,
                None => misplaced(&record.owner),
            };
            if let Some((kind, message, help)) = problem
                && !said.contains(&(record.span, message.clone()))
            {
                said.push((record.span, message.clone()));
                desk.say(Diagnostic::warning(kind, record.span, message).help(help));
            }
        }
    }
}

type Problem = (Code, String, String);

/// A record without port and protocol in front of its name.
fn misplaced(owner: &str) -> Option<Problem> {
    let bare = !owner.starts_with('_');
    let message = format!("senders do not ask `{owner}` for TLSA records: they ask port and protocol in front of the name");
    bare.then(|| (code::PUBLISHED, message, format!("write `_25._tcp.{owner}.` (RFC 7672 §2.2.3)")))
}

/// The zones of one time.
struct Look<'a> {
    model: &'a Model,
    version: &'a Version,
    zones: &'a Zones,
}

impl Look<'_> {
    fn ask(&self, name: &str, kind: RecordType) -> Answer {
        self.zones.lookup_text(&self.model.names, 0, name, kind)
    }

    /// Is the record still there at this time?
    fn is_published(&self, record: &Written, tlsa: &Tlsa) -> bool {
        self.ask(&record.owner, RecordType::Tlsa).records().iter().any(|found| matches!(found, RecordData::Tlsa(found) if found == tlsa))
    }

    /// Domains that have a name among their mail hosts.
    fn domains_of(&self, base: &str) -> Vec<&str> {
        let sets = self.zones.sets(0);
        let leads = |record: &RecordData| matches!(record, RecordData::Mx { exchange, .. } if self.model.names.text(*exchange) == base);
        sets.filter(|(_, _, set)| set.records.iter().any(leads)).map(|(owner, ..)| self.model.names.text(owner)).collect()
    }

    /// One record for itself.
    fn of_record(&self, owner: &str, base: &str, tlsa: &Tlsa) -> Option<Problem> {
        let Tlsa { usage, selector, matching, .. } = tlsa;
        let why = match (usage, selector, matching) {
            (0 | 1, ..) => Some("usages 0 and 1 speak of public authorities, which mail servers have no list of"),
            (4.., ..) | (_, 2.., _) | (.., 3..) => Some("a number that nobody knows"),
            _ => None,
        };
        if let Some(why) = why {
            let message = format!("no mail server can use this record ({usage} {selector} {matching}): {why}");
            return Some((
                code::PUBLISHED,
                message,
                "write 3 1 1, the SHA-256 of the key of the host (RFC 7672 §3.1.1, §3.1.3)".to_owned(),
            ));
        }
        if self.ask(owner, RecordType::Tlsa).dnssec == Dnssec::Insecure {
            let message = format!("the zone of `{base}` is not signed: no sender looks at its TLSA records");
            return Some((
                code::PUBLISHED,
                message,
                "sign it: `dnssec: { \"example.com\": Secure }` beside the records (RFC 7672 §2.2)".to_owned(),
            ));
        }
        let has = |kind| !self.ask(base, kind).records().is_empty();
        if self.domains_of(base).is_empty() && has(RecordType::Mx) {
            let message =
                format!("`{base}` is a domain with mail hosts of its own: senders ask their names for TLSA records, not this one");
            return Some((code::PUBLISHED, message, "write `_25._tcp.` in front of the name of each MX host (RFC 7672 §2.2.3)".to_owned()));
        }
        if !has(RecordType::A) && !has(RecordType::Aaaa) {
            let message = format!("`{base}` has no address: no sender comes to ask for its TLSA records");
            return Some((
                code::PUBLISHED,
                message,
                "write `_25._tcp.` in front of the name of the mail host (RFC 7672 §2.2.3)".to_owned(),
            ));
        }
        None
    }

    /// All records of a host against the certificates that it shows; a misfit is told when it begins.
    fn of_host(&self, owner: &str, base: &str, broken: &mut Vec<(Box<str>, &'static str)>) -> Option<Problem> {
        let answer = self.ask(owner, RecordType::Tlsa);
        let records: Vec<Tlsa> = answer.records().iter().filter_map(usable).collect();
        let domains = self.domains_of(base);
        let wanted: Vec<Wanted<'_>> = domains.iter().copied().chain([base]).map(Wanted::Name).collect();
        let (a, aaaa) = (self.ask(base, RecordType::A), self.ask(base, RecordType::Aaaa));
        let hosts =
            a.records().iter().chain(aaaa.records()).filter_map(RecordData::address).filter_map(|address| self.model.host_at(address));
        for host in hosts {
            let receiver = &self.model.config(self.version.configs[host.index()]).receiver;
            let why = match receiver.certificate {
                None => "it offers no TLS",
                Some(shown) => {
                    match fits(&DaneRules::RFC, DaneDigests::default(), &records, self.model.certificate(shown), &wanted, self.version.at) {
                        Ok(_) => continue,
                        Err((why, _)) => why,
                    }
                }
            };
            if broken.iter().any(|(other, known)| **other == *base && *known == why) {
                return None;
            }
            broken.push((base.into(), why));
            let from = if self.version.name.is_empty() { String::new() } else { format!(" after the change `{}`", self.version.name) };
            let message = format!(
                "`{base}` does not keep what its TLSA records promise{from} ({why}): mail of senders that look at DANE waits, and comes back"
            );
            return Some((
                code::PUBLISHED,
                message,
                "publish the digest of the new key before the host shows it: `3 1 1 @spki256:NAME` (RFC 7671 §8.1)".to_owned(),
            ));
        }
        None
    }
}

fn usable(record: &RecordData) -> Option<Tlsa> {
    match record {
        RecordData::Tlsa(tlsa) if is_usable(tlsa, DaneDigests::default()) => Some(tlsa.clone()),
        _ => None,
    }
}
