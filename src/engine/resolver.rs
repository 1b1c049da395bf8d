//! What does DNS say, and when? One cache per resolver, positive and negative; answers and plans are made once and have numbers.
//!
//! Sources: RFC 1035 §3.2.1 (TTL), RFC 2308 §5 and §7 (negative answers, failures), RFC 8767 (stale data). A question that is under way is shared.

use super::chance::{Purpose, below, name_key};
use super::world::World;
use crate::base::{Interner, NameId, ResolverId, SECOND, SimTime, ZonesId};
use crate::decide::mx::BOGUS;
use crate::model::dns::{Answer, Dnssec, Outcome, RecordData, RecordType};
use crate::model::fault::{DnsFault, FaultKind};
use crate::model::topology::{AnswerOrder, CacheStart, Resolver};
use crate::trace::LookupRow;
use crate::trace::level::STEPS;
use smallvec::SmallVec;

/// One cached answer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    answer: u32,
    answered: SimTime,
    expires: SimTime,
}

/// A question of a resolver: what it knows, and what it needs to ask.
#[derive(Clone, Copy, Debug)]
struct Slot {
    resolver: ResolverId,
    name: NameId,
    kind: RecordType,
    /// Its luck.
    place: u64,
    entry: Option<Entry>,
    /// How often it was answered.
    turn: u32,
    /// What the zones in force said last.
    zone_answer: Option<(ZonesId, u32)>,
}

/// All caches, and all answers that were ever given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolvers {
    /// By name: who asked for which type, and the place of that in the table below.
    index: Vec<SmallVec<[(ResolverId, RecordType, u32); 4]>>,
    slots: Vec<Slot>,
    answers: Interner<Answer>,
    /// The luck of each name.
    keys: Vec<u64>,
    /// Some answer said that a name does not exist: until then nobody looks whether one did.
    has_denied: bool,
}

impl Resolvers {
    /// The luck of a name that was asked for (0 if never).
    pub(crate) fn luck_of(&self, name: NameId) -> u64 {
        self.keys.get(name.index()).copied().unwrap_or(0)
    }

    /// An answer by its number.
    pub(crate) fn answer(&self, id: u32) -> &Answer {
        self.answers.get(id)
    }
}

/// An answer on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) answer: u32,
    /// When it is there.
    pub(crate) at: SimTime,
    /// By how much the records are rotated, where a resolver does that.
    pub(crate) turn: u32,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The place of a question of a resolver in the table.
    pub(crate) fn question(&mut self, resolver: ResolverId, name: NameId, kind: RecordType) -> u32 {
        let place = question_place(self.name_key(name), kind);
        let Resolvers { index, slots, .. } = &mut self.resolvers;
        if index.len() <= name.index() {
            index.resize(name.index() + 1, SmallVec::new());
        }
        let known = &mut index[name.index()];
        if let Some((.., slot)) = known.iter().find(|(who, what, _)| *who == resolver && *what == kind) {
            return *slot;
        }
        let slot = slots.len() as u32;
        known.push((resolver, kind, slot));
        slots.push(Slot { resolver, name, kind, place, entry: None, turn: 0, zone_answer: None });
        slot
    }

    /// Asks a question of a resolver. `luck` is that of the message and pass that asks; `copy` is for the trace.
    pub(crate) fn ask(&mut self, slot: u32, at: SimTime, luck: (u64, u64), copy: (u32, u16)) -> Told {
        let model = self.model;
        let asked = &mut self.resolvers.slots[slot as usize];
        let settings = &model.resolvers[asked.resolver.index()];
        let rotated = asked.turn;
        asked.turn = asked.turn.wrapping_add(1);
        let known = asked.entry;
        let entry = match known {
            None if settings.begins != CacheStart::Cold => self.kept_from_before(slot),
            known => known,
        };
        let mut is_stale = false;
        let (answer, ready, cached) = match entry {
            Some(entry) if at < entry.answered => (entry.answer, entry.answered, true),
            Some(entry) if at < entry.expires => (entry.answer, at, true),
            _ if self.resolvers.has_denied
                && let Some(answer) = self.denied_before(slot, at) =>
            {
                (answer, at, true)
            }
            _ => {
                let (answer, cost, ttl_s) = self.fetch(slot, at, luck);
                let stale = entry.filter(|entry| {
                    settings.serve_stale_s > 0
                        && at.since(entry.expires) < u64::from(settings.serve_stale_s) * SECOND
                        && matches!(
                            self.resolvers.answer(answer).outcome,
                            Outcome::ServFail | Outcome::Timeout | Outcome::Truncated | Outcome::Refused
                        )
                });
                let ready = at.after(cost);
                is_stale = stale.is_some();
                match stale {
                    Some(entry) => (entry.answer, ready, true),
                    None => {
                        self.resolvers.slots[slot as usize].entry =
                            Some(Entry { answer, answered: ready, expires: ready.after(u64::from(ttl_s) * SECOND) });
                        (answer, ready, false)
                    }
                }
            }
        };
        // An order of luck is that of each attempt (`decide::order`): there a record has its own luck, and one more or less moves no other.
        let turn = match settings.answer_order {
            AnswerOrder::AsWritten | AnswerOrder::Random => 0,
            AnswerOrder::Rotated => rotated,
        };
        if self.writes(STEPS) {
            let Slot { name, kind, .. } = self.resolvers.slots[slot as usize];
            let mut words = words(self.resolvers.answer(answer));
            if is_stale {
                words += ", stale: its TTL is over, and nobody answers now (RFC 8767)";
            }
            let words = self.tables.texts.intern(words.into());
            self.trace.lookups.push(LookupRow {
                copy: copy.0,
                pass: copy.1,
                at,
                name,
                kind,
                answer: words,
                cached,
                destination: crate::trace::NONE,
            });
        }
        Told { answer, at: ready, turn }
    }

    /// What a resolver knows of a name that does not exist holds for all types (RFC 2308 §5).
    #[cold]
    #[inline(never)]
    fn denied_before(&self, slot: u32, at: SimTime) -> Option<u32> {
        let Resolvers { index, slots, answers, .. } = &self.resolvers;
        let Slot { resolver, name, .. } = slots[slot as usize];
        let of_name = index[name.index()].iter().filter(|(who, ..)| *who == resolver);
        let kept =
            of_name.filter_map(|(.., other)| slots[*other as usize].entry.filter(|entry| entry.answered <= at && at < entry.expires));
        // Behind an alias it is another name that does not exist.
        let denies = |answer: &Answer| answer.outcome == Outcome::NxDomain && answer.aliases.is_empty();
        kept.map(|entry| entry.answer).find(|answer| denies(answers.get(*answer)))
    }

    /// Asks the zones (or meets a fault): the answer, what it costs, and how long it may be kept, in seconds.
    #[inline(always)]
    pub(super) fn fetch(&mut self, slot: u32, at: SimTime, luck: (u64, u64)) -> (u32, u64, u32) {
        let model = self.model;
        let Slot { resolver, name, kind, place, .. } = self.resolvers.slots[slot as usize];
        let settings = &model.resolvers[resolver.index()];
        let fault = if model.dns_faults.is_empty() { None } else { self.answer_of_fault(name, kind, settings.view, at, luck) };
        let id = match fault {
            Some((outcome, ttl_seconds, dnssec)) => {
                self.resolvers.answers.intern(Answer { ttl_seconds, dnssec, ..Answer::failed(outcome) })
            }
            None => {
                let id = self.zone_answer(settings.view, at, slot);
                if model.dns_faults.is_empty() { id } else { self.led_into_fault(id, kind, settings.view, at, luck) }
            }
        };
        let answer = self.resolvers.answer(id);
        let denied = answer.outcome == Outcome::NxDomain;
        let cost = match answer.outcome {
            Outcome::Timeout | Outcome::Truncated => settings.timeout_ns.saturating_mul(u64::from(settings.tries.max(1))),
            _ => self.chance.time(settings.latency, Purpose::DnsLatency, luck.0, place ^ settings.key, luck.1),
        };
        let kept_s = kept_s(settings, answer);
        self.resolvers.has_denied |= denied;
        (id, cost, kept_s)
    }

    /// What a fault answers to a question, and how many seconds a denial is believed.
    fn answer_of_fault(
        &mut self,
        name: NameId,
        kind: RecordType,
        view: usize,
        at: SimTime,
        luck: (u64, u64),
    ) -> Option<(Outcome, Option<u32>, Dnssec)> {
        let model = self.model;
        let (number, answer) = model.dns_faults.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::Dns { name: wrong, kind: only, view: within, answer } = &fault.kind else { return None };
            let met = *wrong == name && only.is_none_or(|only| only == kind) && within.is_none_or(|within| within == view);
            (met && fault.window.has(at)).then_some((*number, *answer))
        })?;
        if !self.faults.strikes(model, &self.chance, number, at, luck.0, luck.1) {
            return None;
        }
        let outcome = answer.outcome();
        let denied = matches!(outcome, Outcome::NxDomain | Outcome::NoData);
        let zone = &model.zones[model.versions[model.version_at(at)].zones.index()];
        // A wrong denial is believed as long as a right one.
        let ttl_seconds = if denied { zone.denial_seconds(&self.tables.names, view, name) } else { None };
        let dnssec = if answer == DnsFault::Bogus { Dnssec::Bogus } else { Dnssec::Insecure };
        Some((outcome, ttl_seconds, dnssec))
    }

    /// The same answer, unless an alias on the way leads to a name about which the question goes wrong.
    fn led_into_fault(&mut self, id: u32, kind: RecordType, view: usize, at: SimTime, luck: (u64, u64)) -> u32 {
        let aliases = self.resolvers.answer(id).aliases.clone();
        let met =
            aliases.iter().enumerate().find_map(|(steps, name)| Some((steps + 1, self.answer_of_fault(*name, kind, view, at, luck)?)));
        let Some((steps, (outcome, ttl_seconds, dnssec))) = met else { return id };
        let answer = Answer { ttl_seconds, dnssec, aliases: aliases[..steps].into(), ..Answer::failed(outcome) };
        self.resolvers.answers.intern(answer)
    }

    /// What a resolver still knows of a name that was an alias when it asked about it last: the alias is a record of its own, and is kept as long as that
    /// one may be, whatever became of the answer behind it (RFC 2181 §5, RFC 2308 §2.2).
    pub(super) fn alias_in_cache(&mut self, resolver: ResolverId, name: NameId, at: SimTime, (copy, pass): (u32, u16)) -> Option<NameId> {
        let model = self.model;
        let settings = &model.resolvers[resolver.index()];
        let Resolvers { index, slots, answers, .. } = &self.resolvers;
        let of_name = index.get(name.index())?.iter().filter(|(who, ..)| *who == resolver);
        let seen = of_name.filter_map(|(.., slot)| slots[*slot as usize].entry);
        let (answered, chain) = seen
            .filter(|entry| entry.answered <= at)
            .filter(|entry| matches!(answers.get(entry.answer).outcome, Outcome::Records(_) | Outcome::NoData))
            .map(|entry| (entry.answered, &answers.get(entry.answer).aliases))
            .filter(|(_, chain)| !chain.is_empty())
            .max_by_key(|(answered, _)| *answered)?;
        let target = *chain.last()?;
        let zone = &model.zones[model.versions[model.version_at(answered)].zones.index()];
        let view = settings.view.min(zone.view_count() - 1);
        let steps = std::iter::once(name).chain(chain[..chain.len() - 1].iter().copied());
        let kept = steps.map(|alias| kept_s(settings, &zone.lookup(&self.tables.names, view, alias, RecordType::Cname))).min()?;
        if at >= answered.after(u64::from(kept) * SECOND) {
            return None;
        }
        if self.writes(STEPS) {
            let answer = self.tables.texts.intern(self.tables.names.text(target).into());
            self.trace.lookups.push(LookupRow {
                copy,
                pass,
                at,
                name,
                kind: RecordType::Cname,
                answer,
                cached: true,
                destination: crate::trace::NONE,
            });
        }
        Some(target)
    }

    /// What a cache in use holds when the scenario begins: the zones' answer, as if asked at that instant or some time before.
    fn kept_from_before(&mut self, slot: u32) -> Option<Entry> {
        let model = self.model;
        self.resolvers.has_denied = true;
        let Slot { resolver, name, kind, place, .. } = self.resolvers.slots[slot as usize];
        let settings = &model.resolvers[resolver.index()];
        let zone = &model.zones[model.versions[0].zones.index()];
        let answer = zone.lookup(&self.tables.names, settings.view.min(zone.view_count() - 1), name, kind);
        let kept_ns = u64::from(kept_s(settings, &answer)) * SECOND;
        let left_ns = match settings.begins {
            CacheStart::Cold => return None,
            CacheStart::Warm => kept_ns,
            CacheStart::Aged => below(self.chance.draw(Purpose::CacheAge, self.chance.of_message(settings.key), place, 0), kept_ns),
        };
        let entry = Entry { answer: self.resolvers.answers.intern(answer), answered: SimTime::ZERO, expires: SimTime::ZERO.after(left_ns) };
        self.resolvers.slots[slot as usize].entry = Some(entry);
        Some(entry)
    }

    /// What the zones say at a moment.
    #[inline(always)]
    fn zone_answer(&mut self, view: usize, at: SimTime, slot: u32) -> u32 {
        let model = self.model;
        let version = if model.versions.len() == 1 { 0 } else { model.version_at(at) };
        let zones = model.versions[version].zones;
        let Slot { name, kind, zone_answer, .. } = self.resolvers.slots[slot as usize];
        if let Some((seen, answer)) = zone_answer
            && seen == zones
        {
            return answer;
        }
        let zone = &model.zones[zones.index()];
        let view = view.min(zone.view_count() - 1);
        let answer = zone.lookup(&self.tables.names, view, name, kind);
        let id = self.resolvers.answers.intern(answer);
        self.resolvers.slots[slot as usize].zone_answer = Some((zones, id));
        id
    }

    /// The luck of a name: an id will not do, since an unrelated name would move it.
    fn name_key(&mut self, name: NameId) -> u64 {
        while self.resolvers.keys.len() <= name.index() {
            let text = self.tables.names.text(NameId(self.resolvers.keys.len() as u32));
            self.resolvers.keys.push(name_key("name", text));
        }
        self.resolvers.keys[name.index()]
    }

    /// The machine that stands for the rest of the internet answers at this address.
    pub(crate) fn internet_address(&self) -> std::net::IpAddr {
        let model = self.model;
        let hosts = &model.systems[model.internet.index()].hosts;
        model.hosts[hosts[0].index()].addresses[0]
    }
}

/// How long a resolver keeps an answer, in seconds.
#[inline(always)]
fn kept_s(settings: &Resolver, answer: &Answer) -> u32 {
    let ttl = answer.ttl_seconds.unwrap_or(0);
    match answer.outcome {
        Outcome::Records(_) => ttl.clamp(settings.min_ttl_s, settings.max_ttl_s.max(settings.min_ttl_s)),
        Outcome::Internet => settings.max_ttl_s,
        Outcome::NoData | Outcome::NxDomain => ttl.min(settings.max_negative_ttl_s),
        Outcome::ServFail => settings.max_failure_ttl_s.min(300),
        Outcome::Refused | Outcome::Timeout | Outcome::Truncated => 0,
    }
}

/// The luck of a question is that of its name and type.
fn question_place(key: u64, kind: RecordType) -> u64 {
    key ^ (kind as u64) << 56
}

/// An answer in words.
fn words(answer: &Answer) -> String {
    match &answer.outcome {
        Outcome::Records(records) => match records.as_ref() {
            [one] => short(one),
            many => format!("{} records", many.len()),
        },
        Outcome::NoData => "no record of this type".into(),
        Outcome::NxDomain => "NXDOMAIN".into(),
        Outcome::ServFail if answer.dnssec == Dnssec::Bogus => BOGUS.into(),
        Outcome::ServFail => "SERVFAIL".into(),
        Outcome::Refused => "REFUSED".into(),
        Outcome::Timeout => "no answer".into(),
        Outcome::Truncated => "truncated, and TCP is blocked".into(),
        Outcome::Internet => "the internet outside of the model".into(),
    }
}

fn short(record: &RecordData) -> String {
    match record.address() {
        Some(address) => address.to_string(),
        None => "1 record".into(),
    }
}
