//! Which mail waits for the first one that gets through to its domain (OpenSMTPD's host status)?
//!
//! A session in which a message was tried makes the status of its recipients' domains, and keeps it for four hours. What is deferred since no route is left
//! is noted there, up to `mta max-deferred` envelopes, and the next RCPT of that domain that is taken schedules all of it at once. Sources: OpenSMTPD mta.c
//! `mta_flush`, `mta_hoststat_update`, `mta_hoststat_cache`, `mta_hoststat_reschedule`; mta_session.c. Not modelled: that this happens at RCPT already, and
//! not when the session is over; the order of the envelopes, whose numbers are by luck.

use super::session::SessionEnd;
use super::world::World;
use crate::base::{HOUR, HostId, Phase, SimTime};
use std::collections::{BTreeMap, BTreeSet};

/// So long after the last session (`HOSTSTAT_EXPIRE_DELAY`).
const KEPT_NS: u64 = 4 * HOUR;
/// Envelopes of a domain (`mta max-deferred`).
const MOST: usize = 100;
/// Why mail is tried before its time.
const FOLLOWS: &str = "mail for its domain got through, and what waited is scheduled at once (mta max-deferred)";

/// By machine and domain.
pub(crate) type DomainStatuses = BTreeMap<(HostId, String), DomainStatus>;

/// A domain that was spoken with.
#[derive(Clone, Debug)]
pub(crate) struct DomainStatus {
    until: SimTime,
    /// Numbers of copies that wait, with their rows.
    deferred: BTreeMap<u32, u32>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    fn domains_of(&self, job: u32, places: impl Iterator<Item = u16>) -> BTreeSet<String> {
        let copy = self.jobs[job].copy;
        places.map(|place| self.domain_of(copy, place)).collect()
    }

    /// A session in which a message was tried is over: what it says about the domains of its recipients.
    pub(super) fn notes_domains(&mut self, job: u32, end: &SessionEnd) {
        let copy = self.jobs[job].copy;
        let host = self.copies[copy].host;
        let tried = matches!(end.phase, Phase::Mail | Phase::Rcpt | Phase::Data | Phase::Content | Phase::FinalDot);
        if !tried || self.rules(host).relay.is_none() {
            return;
        }
        let number = self.copies[copy].number;
        let until = self.now.after(KEPT_NS);
        for domain in self.domains_of(job, self.jobs[job].recipients.iter().copied()) {
            let status = self.relays.domains.entry((host, domain)).or_insert_with(|| DomainStatus { until, deferred: BTreeMap::new() });
            if status.until <= self.now {
                status.deferred.clear();
            }
            status.until = until;
            status.deferred.remove(&number);
        }
        if end.taken_at().is_none() && !matches!(end.phase, Phase::Data | Phase::Content | Phase::FinalDot) {
            return;
        }
        for domain in self.domains_of(job, self.taken_places(job, end).into_iter()) {
            let status = self.relays.domains.get_mut(&(host, domain)).expect("it was just made");
            for (number, row) in std::mem::take(&mut status.deferred) {
                if self.copies[row].number == number && self.copies[row].jobs == 0 && !self.copies[row].closed {
                    self.pass_row(row, self.now, FOLLOWS);
                    self.wake_copy(row, self.now);
                }
            }
        }
    }

    /// No route was left for a job: it waits for the first mail that gets through, if its domain was spoken with lately.
    pub(super) fn waits_for_domain(&mut self, job: u32) {
        let copy = self.jobs[job].copy;
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        if self.rules(host).relay.is_none() {
            return;
        }
        for domain in self.domains_of(job, self.jobs[job].recipients.iter().copied()) {
            if let Some(status) = self.relays.domains.get_mut(&(host, domain))
                && self.now < status.until
                && status.deferred.len() < MOST
            {
                status.deferred.insert(number, copy);
            }
        }
    }
}
