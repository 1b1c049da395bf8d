//! What a sending machine remembers of hosts, messages, recipients and domains that failed (Exim's retry database).
//!
//! What happens in a pass is collected and written at its end, all at once; the rules are in `decide::remembered`. Sources: Exim src/retry.c,
//! transports/smtp.c, deliver.c.

use super::session::SessionEnd;
use super::world::{RecipientState, World};
use crate::base::{ConnectionResult, Enhanced, HostId, NameId, Phase, SimTime};
use crate::decide::failure::Effect;
use crate::decide::remembered::{Failure, Record, Usable, note, rule_for, too_old, usable};
use crate::model::retry_rules::EximRetry;
use crate::model::settings::Retry;
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a record is about.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Key {
    /// A host at one of its addresses (or at all of them).
    Host(HostKey),
    /// A host as far as one message is concerned, by the number of its copy.
    Message(HostKey, u32),
    /// A recipient for a sender: templates, and their number where they have one.
    Recipient(u32, u32, u64),
    /// Where mail for a domain goes.
    Domain(Box<str>),
}

/// A host in a key: name, address, port.
pub(super) type HostKey = (NameId, Option<IpAddr>, u16);

/// One thing to write down at the end of a pass.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    key: Key,
    /// How it failed; `None`: it works, and what was remembered is forgotten.
    failure: Option<Failure>,
}

/// What one job leaves to the end of its pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobNotes {
    /// Where its first next hop leads, and since when that is known.
    pub(super) prepared: Option<(u32, SimTime)>,
    /// The recipients it began with.
    pub(super) places: Vec<u16>,
    /// Hosts that it may wait for at its end; not where the message itself was the trouble.
    pub(super) hosts: Vec<(NameId, crate::model::settings::TlsLevel)>,
    pub(super) own_fault: bool,
    items: Vec<Item>,
    /// Of single recipients.
    own: Vec<(u16, Item)>,
    /// Some host was passed over since its time had not come, or since there were enough.
    pub(super) skipped: bool,
    /// Something was tried, or the lookup itself failed.
    pub(super) tried: bool,
    /// Some host was passed over that has failed for very long.
    expired: bool,
    /// Items that were there when the hosts of last resort began.
    before_fallback: Option<(usize, usize)>,
}

/// What a pass of a copy knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassNotes {
    /// The queue run that it belongs to; `None`: a first attempt, or one by hand.
    pub(super) run: Option<u32>,
    /// Jobs that wait for one to be over.
    pub(super) waiting: Vec<u32>,
    /// Jobs that are over.
    pub(super) over: Vec<JobNotes>,
    /// Hosts that failed in it.
    pub(super) unusable: Vec<HostKey>,
    /// Jobs that wait with the hosts of last resort for the others of the message; and whether those have begun.
    pub(super) for_last_resort: Vec<u32>,
    pub(super) last_resort_began: bool,
    /// The message is to be frozen at its end.
    pub(super) freeze: bool,
    /// An administrator had it tried, whatever the retry times say (`exim -qf`).
    pub(super) forced: bool,
    /// Rows of lookups and decisions before it.
    pub(super) rows: (usize, usize),
}

/// All that is remembered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    records: BTreeMap<(HostId, Key), (Record, SimTime)>,
    pub(super) jobs: BTreeMap<u32, JobNotes>,
    pub(super) passes: BTreeMap<u32, PassNotes>,
    pub(super) spools: BTreeMap<HostId, super::queue_runs::Spool>,
    /// Notices of delay so far, by copy.
    pub(super) warned: BTreeMap<u32, u32>,
    /// Frozen messages that will be looked at again, by copy: since when.
    pub(super) frozen: BTreeMap<u32, SimTime>,
    pub(super) wait_lists: super::waiting_for::WaitLists,
    /// Who has a connection to a host of which there is one at a time (`serialize_hosts`): the job, and until when, once it went on.
    pub(super) connected: BTreeMap<(HostId, NameId), (u32, SimTime)>,
    /// Copies that were fetched over an open connection, until it is taken.
    pub(super) fetched: BTreeMap<u32, Option<super::kept::Kept>>,
}

/// What the end of a pass finds about its recipients.
pub(super) struct Written {
    /// Given up: all that was tried for them has failed for too long.
    pub(super) timed_out: Vec<u16>,
    /// Something was tried.
    pub(super) tried: bool,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The retry rules of a machine that remembers.
    pub(super) fn exim_retry(&self, host: HostId) -> Option<&EximRetry> {
        match &self.config(host).sender.retry {
            Retry::Exim(retry) => Some(retry),
            Retry::Rfc { .. }
            | Retry::Postfix { .. }
            | Retry::QueueRuns { .. }
            | Retry::Squares { .. }
            | Retry::Steps { .. }
            | Retry::Never => None,
        }
    }

    pub(super) fn host_key(&self, host: HostId, candidate: u32) -> HostKey {
        let key = self.tables.candidates.get(candidate);
        let by_address = self.exim_retry(host).is_none_or(|retry| retry.by_address);
        (key.name, by_address.then_some(key.address), key.port)
    }

    /// The names that a retry rule may be written for: that of the host, and the domain of the job's first recipient.
    fn rule_names(&self, job: u32, name: NameId) -> [String; 2] {
        let row = &self.jobs[job];
        let domain = row.recipients.first().map_or_else(String::new, |place| self.domain_of(row.copy, *place));
        [self.tables.names.text(name).to_owned(), domain]
    }

    pub(super) fn domain_of(&self, copy: u32, place: u16) -> String {
        let (message, index) = (self.copies[copy].message, self.copies[copy].recipients[place as usize].index);
        self.tables.templates.get(self.recipient_template(message, index)).expand(self.messages[message].address_number).domain.to_string()
    }

    fn recipient_key(&self, copy: u32, place: u16) -> Key {
        let (message, index) = (self.copies[copy].message, self.copies[copy].recipients[place as usize].index);
        let template = self.recipient_template(message, index);
        let number = if self.tables.templates.get(template).is_constant() { 0 } else { self.messages[message].address_number };
        Key::Recipient(template, self.sender_of(copy), number)
    }

    pub(super) fn record(&self, host: HostId, key: &Key) -> Option<&Record> {
        let retry = self.exim_retry(host)?;
        let (record, written) = self.memory.records.get(&(host, key.clone()))?;
        (self.now.since(*written) <= retry.data_expire_ns).then_some(record)
    }

    /// May this candidate be tried at this moment, and does it count against the limit of hosts? `None`: not now.
    pub(super) fn may_try(&mut self, job: u32, candidate: u32, at: SimTime) -> Option<bool> {
        let copy = self.jobs[job].copy;
        let host = self.copies[copy].host;
        if self.memory.fetched.contains_key(&copy) {
            // What goes over an open connection does not ask for retry times.
            self.memory.jobs.entry(job).or_default().tried = true;
            return Some(true);
        }
        let key = self.host_key(host, candidate);
        let (arrived, number) = (self.copies[copy].arrived, self.copies[copy].number);
        let [name, domain] = self.rule_names(job, key.0);
        let retry = self.exim_retry(host)?;
        let rule = |failure| rule_for(retry, [&name, &domain], failure);
        let record = self.record(host, &Key::Host(key));
        let mut answer = usable(record.and_then(|record| rule(record.failure)), record, arrived, at);
        if matches!(answer, Usable::Yes | Usable::YesExpired)
            && let Some(record) = self.record(host, &Key::Message(key, number))
            && at < record.next_try
            && !too_old(rule(record.failure), arrived, at)
        {
            answer = Usable::NotYet;
        }
        let old = too_old(rule(Failure::Other), arrived, at);
        if self.memory.passes.get(&copy).is_some_and(|pass| pass.forced) {
            answer = Usable::Yes;
        }
        if self.has_failed_in_pass(job, candidate) {
            answer = Usable::NotYet;
        }
        if matches!(answer, Usable::Yes | Usable::YesExpired)
            && self.is_serialized(host, candidate)
            && !self.connects_alone(job, (host, key.0), at)
        {
            answer = Usable::NotYet;
        }
        let notes = self.memory.jobs.entry(job).or_default();
        match answer {
            Usable::NotYet => notes.skipped = true,
            Usable::NotYetExpired => notes.expired = true,
            Usable::Yes | Usable::YesExpired => notes.tried = true,
        }
        match answer {
            Usable::NotYet | Usable::NotYetExpired => None,
            Usable::Yes => Some(!old),
            Usable::YesExpired => Some(false),
        }
    }

    /// Must this recipient wait before it is even looked up? Asked in queue runs only.
    pub(super) fn waits_for_routing(&self, copy: u32, place: u16) -> bool {
        let host = self.copies[copy].host;
        let Some(retry) = self.exim_retry(host) else { return false };
        let domain = self.domain_of(copy, place);
        let by_domain = self.record(host, &Key::Domain(domain.as_str().into()));
        if by_domain.is_some_and(|record| self.now < record.next_try && !record.expired) {
            return true;
        }
        let own = self.record(host, &self.recipient_key(copy, place));
        own.is_some_and(|record| {
            let rule = rule_for(retry, [&domain, ""], record.failure);
            self.now < record.next_try && (by_domain.is_some() || !too_old(rule, self.copies[copy].arrived, self.now))
        })
    }

    /// The lookup of a next hop ended: in vain for now, or well.
    pub(super) fn remember_routing(&mut self, job: u32, failed: bool) {
        let copy = self.jobs[job].copy;
        let host = self.copies[copy].host;
        let failure = failed.then_some(Failure::Lookup);
        for place in self.jobs[job].recipients.clone() {
            let key = Key::Domain(self.domain_of(copy, place).into());
            if failed || self.memory.records.contains_key(&(host, key.clone())) {
                self.memory.jobs.entry(job).or_default().own.push((place, Item { key, failure }));
            }
            if !failed {
                let key = self.recipient_key(copy, place);
                if self.memory.records.contains_key(&(host, key.clone())) {
                    self.memory.jobs.entry(job).or_default().own.push((place, Item { key, failure: None }));
                }
            }
        }
        self.memory.jobs.entry(job).or_default().tried |= failed;
    }

    /// A connect failed.
    pub(super) fn remember_connect(&mut self, job: u32, candidate: u32, result: ConnectionResult) {
        let mx = self.tables.candidates.get(candidate).preference < 1 << 16;
        let failure = match result {
            ConnectionResult::Refused => Failure::Refused { mx },
            ConnectionResult::ConnectTimeout => Failure::ConnectTimeout { mx },
            _ => Failure::Other,
        };
        let key = self.host_key(self.copies[self.jobs[job].copy].host, candidate);
        self.remember_host(job, key, Some(failure));
    }

    /// Notes of a host that it failed, or that it works.
    fn remember_host(&mut self, job: u32, key: HostKey, failure: Option<Failure>) {
        let copy = self.jobs[job].copy;
        let host = self.copies[copy].host;
        if failure.is_some() {
            self.memory.passes.entry(copy).or_default();
        } else if !self.memory.records.contains_key(&(host, Key::Host(key))) {
            return;
        }
        self.memory.jobs.entry(job).or_default().items.push(Item { key: Key::Host(key), failure });
    }

    /// A session ended: was it the host, the message, or single recipients?
    pub(super) fn remember_session(&mut self, job: u32, end: &SessionEnd) {
        let copy = self.jobs[job].copy;
        let host = self.copies[copy].host;
        let candidate = self.jobs[job].line.candidate;
        let key = self.host_key(host, candidate);
        let mx = self.tables.candidates.get(candidate).preference < 1 << 16;
        let code = if end.reply == NONE { 0 } else { self.tables.replies.get(end.reply).code };
        for (place, effect, reply) in end.refusals.iter() {
            if !matches!(effect, Effect::Bounce(_)) {
                let failure = Failure::Rcpt(self.tables.replies.get(*reply).code);
                let item = Item { key: self.recipient_key(copy, *place), failure: Some(failure) };
                self.memory.jobs.entry(job).or_default().own.push((*place, item));
            }
        }
        let mut own_recipients = false;
        let (of_host, of_message) = match blame(end.phase, end.result, code, mx) {
            Blame::Nobody => (None, None),
            Blame::Host(failure) => (Some(failure), None),
            Blame::Message(failure) => (None, Some(failure)),
            Blame::Recipients(failure) => {
                own_recipients = true;
                for place in self.jobs[job].recipients.clone() {
                    let item = Item { key: self.recipient_key(copy, place), failure: Some(failure) };
                    self.memory.jobs.entry(job).or_default().own.push((place, item));
                }
                (None, None)
            }
        };
        let own_fault = of_message.is_some() || end.refusals.iter().any(|(_, effect, _)| !matches!(effect, Effect::Bounce(_)));
        self.memory.jobs.entry(job).or_default().own_fault |= own_fault || own_recipients;
        // A connection that was passed on and fails says nothing about the host.
        if of_host.is_none() || !self.memory.fetched.contains_key(&copy) {
            self.remember_host(job, key, of_host);
        }
        let about_message = Key::Message(key, self.copies[copy].number);
        if of_message.is_some() || self.memory.records.contains_key(&(host, about_message.clone())) {
            self.memory.jobs.entry(job).or_default().items.push(Item { key: about_message, failure: of_message });
        }
    }

    /// The hosts of last resort begin: what was noted so far is noted once more with what they bring (as Exim 4.96 does).
    pub(super) fn remember_fallback(&mut self, job: u32) {
        let notes = self.memory.jobs.entry(job).or_default();
        notes.before_fallback.get_or_insert((notes.items.len(), notes.own.len()));
    }

    /// A job is over. Says what it leaves: whether anything was tried, and whether all hosts have failed for very long.
    pub(super) fn job_remembered(&mut self, job: u32) -> (bool, bool) {
        self.disconnects(job, self.now);
        let mut notes = self.memory.jobs.remove(&job).unwrap_or_default();
        if let Some((items, own)) = notes.before_fallback {
            let again: Vec<Item> = notes.items[..items].to_vec();
            notes.items.extend(again);
            let again: Vec<(u16, Item)> = notes.own[..own].to_vec();
            notes.own.extend(again);
        }
        notes.places = self.jobs[job].recipients.to_vec();
        let left = (notes.tried, notes.expired && !notes.tried && !notes.skipped);
        let pass = self.memory.passes.entry(self.jobs[job].copy).or_default();
        for item in &notes.items {
            if let (Key::Host(key), Some(_)) = (&item.key, item.failure) {
                pass.unusable.push(*key);
            }
        }
        pass.over.push(notes);
        left
    }

    /// What a job that is over leaves in the memory, and the words for recipients that nothing was tried for. Says whether anything was.
    pub(super) fn job_in_memory(&mut self, job: u32) -> bool {
        let (tried, all_expired) = self.job_remembered(job);
        if tried || self.jobs[job].recipients.is_empty() {
            return tried;
        }
        if all_expired {
            let words = "all hosts have been failing for a long time (and retry time not reached)";
            let status = self.tables.reply(0, Enhanced(5, 4, 7), words);
            let row = &mut self.jobs[job];
            (row.status, row.said_by, row.bounce, row.eventful) = (status, NONE, true, true);
        } else if !self.jobs[job].bounce {
            let status = self.tables.reply(0, Enhanced(4, 4, 1), "retry time not reached for any host");
            let row = &mut self.jobs[job];
            (row.status, row.said_by) = (status, NONE);
        }
        false
    }

    /// Writes all that a pass brought, and says who is given up.
    pub(super) fn write_memory(&mut self, copy: u32, pass: &PassNotes) -> Written {
        let pending = |world: &Self, place: u16| world.copies[copy].recipients[place as usize].state == RecipientState::Pending;
        let left = (0..self.copies[copy].recipients.len() as u16).any(|place| pending(self, place));
        let mut written = Written { timed_out: Vec::new(), tried: pass.over.iter().any(|notes| notes.tried) };
        for notes in &pass.over {
            let domain = notes.places.first().map_or_else(String::new, |place| self.domain_of(copy, *place));
            let (mut count, mut over) = (0, 0);
            for item in &notes.items {
                if let Some(timed_out) = self.write_item(copy, item, &domain, left) {
                    (count, over) = (count + 1, over + u32::from(timed_out));
                }
            }
            // What the routing would forget and the pass noted again is one series of failures.
            let again = |item: &Item| notes.own.iter().any(|(_, other)| other.failure.is_some() && other.key == item.key);
            let own: Vec<(u16, Option<bool>)> = notes
                .own
                .iter()
                .filter(|(_, item)| item.failure.is_some() || !again(item))
                .map(|(place, item)| (*place, self.write_item(copy, item, &domain, left)))
                .collect();
            for place in notes.places.iter().copied().filter(|place| pending(self, *place)) {
                let mine = own.iter().filter(|(of, _)| *of == place).filter_map(|(_, timed_out)| *timed_out);
                let (all, all_over) = mine.fold((count, over), |(all, over), timed_out| (all + 1, over + u32::from(timed_out)));
                if all > 0 && all == all_over && !notes.skipped {
                    written.timed_out.push(place);
                }
            }
        }
        written
    }

    /// Writes one item: `None` if it was one that is forgotten, else whether its rule is over for this message.
    fn write_item(&mut self, copy: u32, item: &Item, domain: &str, left: bool) -> Option<bool> {
        let (host, arrived, now) = (self.copies[copy].host, self.copies[copy].arrived, self.now);
        let key = (host, item.key.clone());
        let about_nothing = matches!(item.key, Key::Message(..)) && !left;
        let Some(failure) = item.failure.filter(|_| !about_nothing) else {
            self.memory.records.remove(&key);
            return None;
        };
        let before = self.record(host, &item.key).copied();
        let name = match &item.key {
            Key::Host(key) | Key::Message(key, _) => self.tables.names.text(key.0).to_owned(),
            Key::Recipient(..) | Key::Domain(_) => domain.to_owned(),
        };
        let of_host = matches!(item.key, Key::Host(_) | Key::Message(..));
        let luck = super::chance::mix(self.messages[self.copies[copy].message].luck ^ now.0);
        let retry = self.exim_retry(host)?;
        let noted = note(retry, rule_for(retry, [&name, domain], failure), before.as_ref(), (failure, of_host, luck), arrived, now);
        if let Some(record) = noted.record {
            self.memory.records.insert(key, (record, now));
        }
        Some(noted.timed_out)
    }

    /// Nothing of a copy is left: what was remembered for it alone goes too.
    pub(super) fn forget_copy(&mut self, copy: u32) {
        self.memory.warned.remove(&copy);
        self.memory.frozen.remove(&copy);
        self.spool_forgets(copy);
    }
}

/// Whose fault a failed session was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Blame {
    Nobody,
    Host(Failure),
    Message(Failure),
    Recipients(Failure),
}

/// Judges as Exim does: up to MAIL it is the host; a refusal of MAIL or of the content, and a silence or break after MAIL or the final dot, is the message.
fn blame(phase: Phase, result: ConnectionResult, code: u16, mx: bool) -> Blame {
    let broken = match result {
        ConnectionResult::Timeout => Some(Failure::Timeout { mx }),
        ConnectionResult::Dropped => Some(Failure::Lost),
        _ => None,
    };
    match (phase, result) {
        (_, ConnectionResult::Accepted | ConnectionResult::Left) => Blame::Nobody,
        (Phase::Starttls, _) | (_, ConnectionResult::TlsFailed) => Blame::Host(Failure::Tls),
        (Phase::Connect | Phase::Banner | Phase::Ehlo | Phase::Helo | Phase::Auth, _) => Blame::Host(broken.unwrap_or(Failure::Other)),
        (_, ConnectionResult::Permfail) => Blame::Nobody,
        (Phase::Mail, ConnectionResult::Timeout) => Blame::Message(Failure::Mail(code)),
        (Phase::Mail, ConnectionResult::Tempfail) => Blame::Message(Failure::Mail(code)),
        (Phase::Rcpt, ConnectionResult::Timeout) => Blame::Recipients(Failure::Timeout { mx }),
        (Phase::Rcpt, ConnectionResult::Tempfail) if code == 421 => Blame::Recipients(Failure::Rcpt(code)),
        (Phase::Rcpt, ConnectionResult::Tempfail) => Blame::Nobody,
        (Phase::Data, ConnectionResult::Tempfail) => Blame::Message(Failure::Data(code)),
        (Phase::Content | Phase::FinalDot, _) => Blame::Message(Failure::Data(code)),
        (Phase::Mail | Phase::Rcpt | Phase::Data, _) => Blame::Host(broken.unwrap_or(Failure::Other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_fault() {
        use ConnectionResult::{Accepted, Dropped, Permfail, Tempfail, Timeout};
        let cases = [
            ("taken", Phase::FinalDot, Accepted, 250, Blame::Nobody),
            ("421 in the banner", Phase::Banner, Tempfail, 421, Blame::Host(Failure::Other)),
            ("closed after EHLO", Phase::Ehlo, Dropped, 0, Blame::Host(Failure::Lost)),
            ("451 to MAIL", Phase::Mail, Tempfail, 451, Blame::Message(Failure::Mail(451))),
            ("550 to MAIL", Phase::Mail, Permfail, 550, Blame::Nobody),
            ("closed at MAIL", Phase::Mail, Dropped, 0, Blame::Host(Failure::Lost)),
            ("450 to RCPT is noted with the recipient", Phase::Rcpt, Tempfail, 450, Blame::Nobody),
            ("closed at RCPT", Phase::Rcpt, Dropped, 0, Blame::Host(Failure::Lost)),
            ("silence after RCPT", Phase::Rcpt, Timeout, 0, Blame::Recipients(Failure::Timeout { mx: true })),
            ("451 to DATA", Phase::Data, Tempfail, 451, Blame::Message(Failure::Data(451))),
            ("silence after DATA", Phase::Data, Timeout, 0, Blame::Host(Failure::Timeout { mx: true })),
            ("closed after the final dot", Phase::FinalDot, Dropped, 0, Blame::Message(Failure::Data(0))),
        ];
        for (case, phase, result, code, expected) in cases {
            assert_eq!(blame(phase, result, code, true), expected, "{case}");
        }
    }
}
