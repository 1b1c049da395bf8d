//! What does DNS say to a receiver that looks at a message's origin? The zones of the moment in its view, faults included; no cache, no time.

use super::chance::{Chance, Purpose, below};
use crate::base::SimTime;
use crate::decide::authentication::DnsAnswer;
use crate::model::Model;
use crate::model::dns::{Outcome, RecordType, normal_form, reverse_name};
use crate::model::fault::FaultKind;
use std::net::IpAddr;

/// Does the address have a name? Where DNS fails, nobody is blamed.
pub(super) fn has_name(address: IpAddr, ask: &mut impl FnMut(&str, RecordType) -> DnsAnswer) -> bool {
    match ask(&reverse_name(address), RecordType::Ptr) {
        DnsAnswer::Records(_) | DnsAnswer::Failed(_) => true,
        DnsAnswer::NoData | DnsAnswer::NxDomain | DnsAnswer::Unknown => false,
    }
}

/// DNS at one moment, as one receiver sees it.
pub(super) struct Dns<'a> {
    pub(super) model: &'a Model,
    pub(super) chance: Chance,
    pub(super) view: usize,
    pub(super) at: SimTime,
    /// The luck of the message.
    pub(super) message: u64,
}

impl Dns<'_> {
    pub(super) fn ask(&mut self, name: &str, record_type: RecordType) -> DnsAnswer {
        let outcome = self.fault(name, record_type).unwrap_or_else(|| {
            let version = &self.model.versions[self.model.version_at(self.at)];
            let zones = &self.model.zones[version.zones.index()];
            zones.lookup_text(&self.model.names, self.view.min(zones.view_count() - 1), name, record_type).outcome
        });
        match outcome {
            Outcome::Records(records) => {
                let text = |data: &crate::model::dns::RecordData| data.clone().map_names(|name| self.model.names.text(name).into());
                DnsAnswer::Records(records.iter().map(text).collect())
            }
            Outcome::NoData => DnsAnswer::NoData,
            Outcome::NxDomain => DnsAnswer::NxDomain,
            Outcome::ServFail => DnsAnswer::Failed("SERVFAIL"),
            Outcome::Refused => DnsAnswer::Failed("REFUSED"),
            Outcome::Timeout => DnsAnswer::Failed("no answer"),
            Outcome::Truncated => DnsAnswer::Failed("truncated, and TCP is blocked"),
            Outcome::Internet => DnsAnswer::Unknown,
        }
    }

    /// What a fault says instead.
    fn fault(&self, name: &str, record_type: RecordType) -> Option<Outcome> {
        let name = normal_form(name);
        self.model.dns_faults.iter().find_map(|number| {
            let fault = &self.model.faults[*number as usize];
            let FaultKind::Dns { name: wrong, kind, view, answer } = &fault.kind else { return None };
            let met = *self.model.names.text(*wrong) == *name
                && kind.is_none_or(|kind| kind == record_type)
                && view.is_none_or(|view| view == self.view)
                && fault.window.has(self.at);
            let luck = || below(self.chance.draw(Purpose::Fault, self.message, fault.key, 0), 1_000_000_000);
            let strikes = met && (fault.probability_ppb >= 1_000_000_000 || luck() < u64::from(fault.probability_ppb));
            strikes.then(|| answer.outcome())
        })
    }
}
