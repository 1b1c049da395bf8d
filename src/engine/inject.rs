//! Who sends what, and when: sources wake up, messages are born.

use super::chance::{Purpose, mix, next_wait, weighted};
use super::queue::Kind;
use super::world::{End, Message, SourceState, World};
use crate::base::{HostId, MsgId, SimTime, SystemId};
use crate::model::traffic::{Listing, Recipients, Schedule, Source};
use crate::trace::level::FATES;
use crate::trace::{MessageRow, NONE, Trace};
use smallvec::SmallVec;

/// A message about to be born.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) source: u32,
    pub(crate) number: u64,
    pub(crate) parent: u32,
    pub(crate) kind: u8,
    pub(crate) from: u32,
    pub(crate) address_number: u64,
    pub(crate) to: u32,
    pub(crate) size: u64,
    /// A report that returns the headers only.
    pub(crate) headers_only: bool,
    pub(crate) key: u64,
    pub(crate) host: HostId,
    pub(crate) tenant: u32,
    pub(crate) report: Box<[crate::trace::ReportRow]>,
}

/// Draws one of a list with weights.
fn pick<T>(chance: &super::chance::Chance, purpose: Purpose, luck: u64, list: &[(T, u32)]) -> usize {
    if list.len() < 2 { 0 } else { weighted(chance.draw(purpose, luck, 0, 0), list.iter().map(|(_, weight)| *weight)) }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Prepares the sources and puts in the first event of each.
    pub(crate) fn prepare_sources(&mut self) {
        for (at, source) in self.sources_model.iter().enumerate() {
            let senders =
                source.from.iter().map(|(from, _)| from.as_ref().map_or(NONE, |from| self.tables.templates.intern(from.clone()))).collect();
            let lists = match &source.to {
                Recipients::All(all) => {
                    let list: SmallVec<[u32; 2]> = all.iter().map(|to| self.tables.templates.intern(to.clone())).collect();
                    vec![self.tables.recipient_lists.intern(list)]
                }
                Recipients::Listed(lists) => lists
                    .iter()
                    .map(|list| {
                        let list: SmallVec<[u32; 2]> = list.iter().map(|to| self.tables.templates.intern(to.clone())).collect();
                        self.tables.recipient_lists.intern(list)
                    })
                    .collect(),
                Recipients::OneOf(some) => some
                    .iter()
                    .map(|(to, _)| {
                        let template = self.tables.templates.intern(to.clone());
                        self.tables.recipient_lists.intern(smallvec::smallvec![template])
                    })
                    .collect(),
            };
            let rng = matches!(source.schedule, Schedule::Poisson { .. }).then(|| self.chance.stream("traffic", &source.name));
            self.sources.push(SourceState { next: 0, rng, lists, senders });
            self.schedule_next(at as u32, SimTime::ZERO);
        }
    }

    /// Puts in the event for a source's next message; `last` is the moment of the one before.
    fn schedule_next(&mut self, at: u32, last: SimTime) {
        let source = &self.sources_model[at as usize];
        let state = &mut self.sources[at as usize];
        let number = state.next;
        let due = match &source.schedule {
            Schedule::Fixed { at, count, gap_ns } => (number < *count).then(|| at.after(gap_ns.saturating_mul(number))),
            Schedule::Burst { at, count, over_ns } => {
                (number < *count).then(|| at.after((u128::from(*over_ns) * u128::from(number) / u128::from((*count).max(1))) as u64))
            }
            Schedule::Listed(listing) => listing.rows.get(number as usize).map(|row| row.at),
            Schedule::Every { at, interval_ns, until } => Some(at.after(interval_ns.saturating_mul(number))).filter(|due| due < until),
            Schedule::Poisson { at, gap_ns, until, count } => {
                let wait = state.rng.as_mut().map_or(0, |rng| next_wait(rng, *gap_ns));
                let due = last.max(*at).after(wait);
                Some(due).filter(|due| due < until && (*count == 0 || number < *count))
            }
        };
        if let Some(due) = due {
            self.events.push(due, Kind::Inject, at);
        }
    }

    /// The next message of a source is due.
    pub(crate) fn inject(&mut self, at: u32) {
        let source: &Source = &self.sources_model[at as usize];
        let state = &mut self.sources[at as usize];
        let number = state.next + 1;
        state.next = number;
        self.schedule_next(at, self.now);
        let key = mix(source.key ^ mix(number));
        let luck = self.chance.of_message(key);
        if let Schedule::Listed(listing) = &source.schedule {
            self.inject_listed(at, number, (key, luck), listing);
            return;
        }
        let from = pick(&self.chance, Purpose::Sender, luck, &source.from);
        let (hosts, tenant) = source.door(from, self.now);
        let entry = self.entry_in_turn(source.key, hosts, number).unwrap_or_else(|| pick(&self.chance, Purpose::Entry, luck, hosts));
        let to = match &source.to {
            Recipients::All(_) | Recipients::Listed(_) => 0,
            Recipients::OneOf(some) => pick(&self.chance, Purpose::Recipient, luck, some),
        };
        let state = &self.sources[at as usize];
        let envelope = (state.senders[from], state.lists[to], source.size_bytes);
        self.send(at, (number, key), envelope, (hosts[entry].0, tenant));
    }

    /// The next message of a list.
    fn inject_listed(&mut self, at: u32, number: u64, (key, luck): (u64, u64), listing: &Listing) {
        let row = &listing.rows[number as usize - 1];
        let (hosts, tenant) = &listing.entries[row.entry as usize];
        let host = hosts[pick(&self.chance, Purpose::Entry, luck, hosts)].0;
        let state = &self.sources[at as usize];
        let envelope = (state.senders[row.sender as usize], state.lists[row.list as usize], row.size_bytes);
        self.send(at, (number, key), envelope, (host, *tenant));
    }

    /// A message of a source enters at a host.
    #[inline(always)]
    fn send(
        &mut self,
        source: u32,
        (number, key): (u64, u64),
        (from, to, size): (u32, u32, u64),
        (host, tenant): (HostId, Option<SystemId>),
    ) {
        let new = NewMessage {
            source,
            number,
            parent: NONE,
            kind: 0,
            from,
            address_number: number,
            to,
            size,
            headers_only: false,
            key,
            host,
            tenant: tenant.map_or(NONE, |tenant| tenant.0),
            report: Box::default(),
        };
        if let Some(copy) = self.new_message(new) {
            self.ready(copy);
        }
    }

    /// A message is born: its copy in the first queue. `None` if the bound on messages is reached.
    pub(crate) fn new_message(&mut self, new: NewMessage) -> Option<u32> {
        if u64::from(self.message_count) >= self.model.limits.messages {
            self.bound.get_or_insert_with(|| format!("messages: {}", self.model.limits.messages));
            return None;
        }
        let id = MsgId(self.message_count);
        self.message_count += 1;
        self.counters.messages += 1;
        let count = self.tables.recipient_lists.get(new.to).len();
        if self.writes(FATES) {
            let row = MessageRow {
                source: new.source,
                number: new.number,
                parent: new.parent,
                kind: new.kind,
                from: new.from,
                address_number: new.address_number,
                to: new.to,
                size: new.size,
                headers_only: new.headers_only,
                at: self.now,
                host: new.host,
                tenant: new.tenant,
                report: new.report,
            };
            Trace::push(&mut self.trace.messages, row);
        }
        let message = self.messages.insert(Message {
            id,
            source: new.source,
            address_number: new.address_number,
            key: new.key,
            luck: self.chance.of_message(new.key),
            from: new.from,
            to: new.to,
            size: new.size,
            at: self.now,
            kind: new.kind,
            reports: 0,
            copies: 0,
            ends: if count == 1 { smallvec::smallvec![End::default()] } else { smallvec::smallvec![End::default(); count] },
        });
        self.counters.in_flight_max = self.counters.in_flight_max.max(self.messages.live() as u64);
        let visits = u8::from(self.is_exchange_online(new.host));
        if count == 1 {
            return Some(self.new_copy(message, new.host, new.tenant, self.now, &[0], NONE, (0, visits)));
        }
        let indexes: Vec<u16> = (0..count as u16).collect();
        Some(self.new_copy(message, new.host, new.tenant, self.now, &indexes, NONE, (0, visits)))
    }
}
