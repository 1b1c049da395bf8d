//! What goes wrong, for a time under `faults` and always under `receives`: texts to windows over machines, and who wins where two speak.

mod precedence;
mod session;

use std::net::IpAddr;

use crate::base::{DAY, HostId, InOrder, Phase, SECOND, SimTime, duration, seconds};
use crate::diag::{Diagnostic, Span, code};
use crate::model::back_pressure::{Pressure, PressureLevel, Resource};
use crate::model::dns::RecordType;
use crate::model::fault::{DnsFault, Fault, FaultKind, Unreachable, Window, hosts_of};
use crate::model::mta_sts::PolicyHostFault;
use crate::model::topology::{HostSet, Law};
use crate::scenario::schema;
use crate::scenario::source::{Field, Text};

use super::certificates::Certificates;
use super::desk::Desk;
use super::key::name_key;
use super::resolvers::view_number;
use super::scope::Scope;
use super::tables::Tables;

pub(super) use precedence::Finished;
use precedence::index;

/// Always, per 10^9.
const ALWAYS_PPB: u32 = 1_000_000_000;

/// What faults refer to.
pub(super) struct World<'a> {
    pub(super) scope: &'a Scope,
    pub(super) addresses: &'a [(IpAddr, HostId)],
    pub(super) certificates: &'a Certificates,
    pub(super) views: &'a [Text],
    pub(super) count: usize,
    /// Exchange servers.
    pub(super) exchange: Vec<HostId>,
}

/// Reads faults one after the other.
pub(super) struct Faults<'a> {
    world: World<'a>,
    rows: Vec<(Fault, Span)>,
    /// Sets of machines that share one greylist.
    memories: Vec<Vec<HostId>>,
}

/// What one fault is about before its kind is known.
struct Frame<'a> {
    name: &'a str,
    place: Span,
    /// Under `receives`: the machine, and while what is written.
    always_at: Option<(HostId, Window)>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(world: World<'a>) -> Self {
        Self { world, rows: Vec::new(), memories: Vec::new() }
    }

    /// One entry of `faults`.
    pub(super) fn fault(&mut self, name: &Text, fault: &schema::Fault, tables: &mut Tables, desk: &mut Desk) {
        self.read(&Frame { name, place: fault.place(), always_at: None }, fault, tables, desk);
    }

    /// What a machine always does, or until a dated change says something else.
    pub(super) fn receives(&mut self, at: (HostId, Window), name: &str, list: &[schema::Fault], tables: &mut Tables, desk: &mut Desk) {
        for (number, fault) in list.iter().enumerate() {
            let name = format!("{name} receives {}", number + 1);
            self.read(&Frame { name: &name, place: fault.place(), always_at: Some(at) }, fault, tables, desk);
        }
    }

    fn read(&mut self, frame: &Frame<'_>, fault: &schema::Fault, tables: &mut Tables, desk: &mut Desk) {
        match fault {
            schema::Fault::Down(fault) => {
                let (hosts, addresses) = self.down_target(frame, &fault.target, desk);
                let how = unreachable(&fault.how);
                let cut = fault.sessions.or(schema::SessionsAtCut::Cut) == schema::SessionsAtCut::Cut;
                let queue_lost = fault.queue.or(schema::QueueAtCut::Kept) == schema::QueueAtCut::Lost;
                self.push(frame, &fault.when, FaultKind::Down { hosts, addresses, how, cut, queue_lost }, desk);
            }
            schema::Fault::Flapping(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let up_ns = self.needed(frame, &fault.up, "up", SECOND, desk);
                let down_ns = self.needed(frame, &fault.down, "down", SECOND, desk);
                let cut = fault.sessions.or(schema::SessionsAtCut::Cut) == schema::SessionsAtCut::Cut;
                self.push(frame, &fault.when, FaultKind::Flapping { hosts, up_ns, down_ns, how: unreachable(&fault.how), cut }, desk);
            }
            schema::Fault::Partition(fault) => {
                let (a, b) = self.between(frame, &fault.between, desk);
                let kind = FaultKind::Partition { a, b, one_way: fault.one_way.or(false), how: unreachable(&fault.how) };
                self.push(frame, &fault.when, kind, desk);
            }
            schema::Fault::Latency(fault) => {
                let (a, b) = self.between(frame, &fault.between, desk);
                if !fault.add.is_written() {
                    desk.missing(frame.place, "a slow line needs to say how slow", "write add: \"200ms\"");
                }
                let add = desk.law_or(&fault.add, Law::Constant(0));
                self.push(frame, &fault.when, FaultKind::Latency { a, b, add }, desk);
            }
            schema::Fault::Capacity(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let sessions = fault.sessions.is_written().then(|| desk.number_or(&fault.sessions, 1, 0, u32::MAX));
                let service_time = fault.service_time.get().and_then(|text| desk.law(text));
                self.push(frame, &fault.when, FaultKind::Capacity { hosts, sessions, service_time }, desk);
            }
            schema::Fault::Greylist(fault) => self.greylist(frame, fault, desk),
            schema::Fault::Postscreen(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let deep = fault.deep_protocol_tests.or(false);
                if fault.deep_ttl.is_written() && !deep {
                    let way_out = "write deep_protocol_tests: true, or leave `deep_ttl` out";
                    desk.error(code::EXCLUDES, fault.deep_ttl.span(), "`deep_ttl` without `deep_protocol_tests` decides nothing", way_out);
                }
                let kind = FaultKind::Postscreen {
                    hosts,
                    greet_wait_ns: desk.duration_or(&fault.greet_wait, 6 * SECOND),
                    greet_ttl_ns: desk.duration_or(&fault.greet_ttl, DAY),
                    deep_ttl_ns: deep.then(|| desk.duration_or(&fault.deep_ttl, 30 * DAY)),
                };
                self.push(frame, &fault.when, kind, desk);
            }
            schema::Fault::RateLimit(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                if !fault.messages.is_written() {
                    desk.missing(frame.place, "a rate limit needs a number of messages", "write messages: 30, per: \"1m\"");
                }
                let messages = desk.number_or(&fault.messages, 1, 0, u32::MAX);
                let per_ns = self.needed(frame, &fault.per, "per", 1, desk);
                let reply = desk.reply_or(&fault.code, "450 4.7.1 too many messages");
                self.push(frame, &fault.when, FaultKind::RateLimit { hosts, messages, per_ns, reply }, desk);
            }
            schema::Fault::Dns(fault) => self.dns(frame, fault, tables, desk),
            schema::Fault::MtaSts(fault) => self.mta_sts(frame, fault, tables, desk),
            schema::Fault::BackPressure(fault) => self.back_pressure(frame, fault, desk),
            schema::Fault::Tarpit(_)
            | schema::Fault::Reply(_)
            | schema::Fault::Drop(_)
            | schema::Fault::Starttls(_)
            | schema::Fault::Certificate(_) => self.of_session(frame, fault, desk),
        }
    }

    /// One row per memory: machines remember for themselves unless they share.
    fn greylist(&mut self, frame: &Frame<'_>, fault: &schema::Greylist, desk: &mut Desk) {
        let delay_ns = self.needed(frame, &fault.delay, "delay", 0, desk);
        let window_ns = desk.duration_or(&fault.window, DAY);
        let remembered_ns = desk.duration_or(&fault.remembered, 7 * DAY);
        if delay_ns > window_ns {
            let place = if fault.window.is_written() { fault.window.span() } else { fault.delay.span() };
            let message = format!(
                "this greylist lets nobody pass: it forgets a client after {} and keeps it away for {}",
                duration(window_ns),
                duration(delay_ns)
            );
            desk.say(Diagnostic::warning(code::NO_EFFECT, place, message).help("write a `window` that is longer than `delay`"));
        }
        let reply = desk.reply_or(&fault.code, "450 4.7.1 greylisted, try again later");
        let by_subnet = fault.lookup.or(schema::GreylistLookup::Host) == schema::GreylistLookup::Subnet;
        let phase = match fault.phase.or(schema::GreylistPhase::Rcpt) {
            schema::GreylistPhase::Rcpt => Phase::Rcpt,
            schema::GreylistPhase::Data => Phase::Data,
            schema::GreylistPhase::FinalDot => Phase::FinalDot,
        };
        let hosts = hosts_of(&self.target(frame, &fault.target, desk), self.world.count);
        let shared = self.world.scope.all_of(fault.shared_with.items(), desk);
        for host in hosts {
            let mut together = if shared.is_empty() { Vec::new() } else { shared.clone() };
            together.push(host);
            together.in_order();
            together.dedup();
            let known = self.memories.iter().position(|known| *known == together);
            let memory = known.unwrap_or_else(|| {
                self.memories.push(together);
                self.memories.len() - 1
            }) as u32;
            let kind = FaultKind::Greylist {
                hosts: HostSet::These(vec![host]),
                phase,
                delay_ns,
                window_ns,
                remembered_ns,
                memory,
                by_subnet,
                reply: reply.clone(),
            };
            self.push(frame, &fault.when, kind, desk);
        }
    }

    fn dns(&mut self, frame: &Frame<'_>, fault: &schema::DnsFault, tables: &mut Tables, desk: &mut Desk) {
        let Some(name) = fault.name.get() else {
            return desk.missing(frame.place, "a DNS fault needs the name that is asked", "write name: \"contoso.com\"");
        };
        let Some(answer) = fault.answer.get() else {
            return desk.missing(frame.place, "a DNS fault needs the answer that is given", "write answer: ServFail");
        };
        let answer = match answer {
            schema::DnsAnswer::ServFail => DnsFault::ServFail,
            schema::DnsAnswer::NxDomain => DnsFault::NxDomain,
            schema::DnsAnswer::NoData => DnsFault::NoData,
            schema::DnsAnswer::Refused => DnsFault::Refused,
            schema::DnsAnswer::Timeout => DnsFault::Timeout,
            schema::DnsAnswer::Bogus => DnsFault::Bogus,
            schema::DnsAnswer::Truncated => DnsFault::Truncated,
        };
        let kind = fault.r#type.get().filter(|text| text.as_str() != "*").and_then(|text| match text.parse::<RecordType>() {
            Ok(kind) => Some(kind),
            Err(_) => {
                let problem = Diagnostic::error(code::VALUE, text.span(), format!("`{text}` is not a type of record"));
                desk.say(problem.help("one of A, AAAA, MX, CNAME, TXT, TLSA, PTR, NS, SRV, SOA, or \"*\" for all of them"));
                None
            }
        });
        let view = fault.view.get().and_then(|view| view_number(view, self.world.views, desk));
        if let Some(domain) = desk.domain(name) {
            let name = tables.names.intern(domain.as_str());
            self.push(frame, &fault.when, FaultKind::Dns { name, kind, view, answer }, desk);
        }
    }

    fn mta_sts(&mut self, frame: &Frame<'_>, fault: &schema::MtaStsFault, tables: &mut Tables, desk: &mut Desk) {
        let Some(domain) = fault.domain.get() else {
            return desk.missing(frame.place, "this fault needs the domain of the policy", "write domain: \"contoso.com\"");
        };
        let Some(how) = fault.how.get() else {
            return desk.missing(frame.place, "this fault needs to say what goes wrong", "write how: HttpsDown");
        };
        let how = match how {
            schema::MtaStsHow::PolicyGone => PolicyHostFault::PolicyGone,
            schema::MtaStsHow::HttpsDown => PolicyHostFault::HttpsDown,
            schema::MtaStsHow::BadCertificate => PolicyHostFault::BadCertificate,
            schema::MtaStsHow::Malformed => PolicyHostFault::Malformed,
        };
        if let Some(domain) = desk.domain(domain) {
            let domain = tables.names.intern(domain.as_str());
            self.push(frame, &fault.when, FaultKind::MtaSts { domain, how }, desk);
        }
    }

    fn back_pressure(&mut self, frame: &Frame<'_>, fault: &schema::BackPressure, desk: &mut Desk) {
        let hosts = self.target(frame, &fault.target, desk);
        if !hosts_of(&hosts, self.world.count).iter().all(|host| self.world.exchange.contains(host)) {
            let message = "back pressure is what an Exchange server does when it runs short of something";
            desk.error(code::EXCLUDES, frame.place, message, "name Exchange servers; for others write `Capacity`, `Tarpit` or `Reply`");
        }
        let Some(level) = fault.level.get() else {
            return desk.missing(frame.place, "this fault needs to say how short the resource is", "write level: Medium, or High");
        };
        let level = match level {
            schema::PressureLevel::Medium => PressureLevel::Medium,
            schema::PressureLevel::High => PressureLevel::High,
        };
        let resource = match fault.resource.or(schema::PressureResource::SubmissionQueue) {
            schema::PressureResource::SubmissionQueue => Resource::SubmissionQueue,
            schema::PressureResource::UsedVersionBuckets => Resource::UsedVersionBuckets,
            schema::PressureResource::UsedDiskSpace => Resource::UsedDiskSpace,
            schema::PressureResource::DatabaseUsedSpace => Resource::DatabaseUsedSpace,
            schema::PressureResource::PrivateBytes => Resource::PrivateBytes,
            schema::PressureResource::SystemMemory => Resource::SystemMemory,
        };
        if resource == Resource::SystemMemory {
            let message = "`SystemMemory` moves no mail: content of queued messages is dropped from memory and read from the disk again";
            let help = "what refuses mail for want of memory is `PrivateBytes`, the memory of the transport service itself";
            desk.say(Diagnostic::warning(code::NO_EFFECT, fault.resource.span(), message).help(help));
        }
        self.push(frame, &fault.when, FaultKind::BackPressure { hosts, pressure: Pressure { resource, level } }, desk);
    }

    fn target(&self, frame: &Frame<'_>, field: &Field<Text>, desk: &mut Desk) -> HostSet {
        match (field.get(), frame.always_at) {
            (Some(_), Some((host, _))) => {
                desk.error(code::EXCLUDES, field.span(), "what a host `receives` has no `target`: it is that host", "leave `target` out");
                HostSet::These(vec![host])
            }
            (None, Some((host, _))) => HostSet::These(vec![host]),
            (Some(text), None) => self.world.scope.struck(text, desk),
            (None, None) => {
                desk.missing(frame.place, "this fault strikes nobody", "write target: and the name of a system, host, group or site");
                HostSet::These(Vec::new())
            }
        }
    }

    /// A name, or one address.
    fn down_target(&self, frame: &Frame<'_>, field: &Field<Text>, desk: &mut Desk) -> (HostSet, Vec<IpAddr>) {
        let Some(address) = field.get().and_then(|text| text.parse::<IpAddr>().ok()) else {
            return (self.target(frame, field, desk), Vec::new());
        };
        match self.world.addresses.binary_search_by(|(known, _)| known.cmp(&address)) {
            Ok(at) => (HostSet::These(vec![self.world.addresses[at].1]), vec![address]),
            Err(_) => {
                let message = format!("no host answers at {address}");
                desk.error(code::UNKNOWN_NAME, field.span(), message, "an address that nobody has is silent anyway");
                (HostSet::These(Vec::new()), vec![address])
            }
        }
    }

    fn between(&self, frame: &Frame<'_>, field: &Field<(Text, Text)>, desk: &mut Desk) -> (HostSet, HostSet) {
        if frame.always_at.is_some() {
            desk.error(code::EXCLUDES, frame.place, "this is about a line, not about what a host receives", "write it under `faults`");
        }
        if let Some((a, b)) = field.get().filter(|(a, b)| a.as_str() == b.as_str()) {
            let problem = Diagnostic::error(code::EXCLUDES, b.span(), format!("`{a}` on both sides: that is no line"));
            desk.say(problem.help("a line has two ends: between: (\"a\", \"b\")"));
        }
        match field.get() {
            Some((a, b)) => (self.world.scope.set(a, desk), self.world.scope.set(b, desk)),
            None => {
                desk.missing(frame.place, "this fault needs its two sides", "write between: (\"a\", \"b\")");
                (HostSet::These(Vec::new()), HostSet::These(Vec::new()))
            }
        }
    }

    /// A duration that cannot be left out, and that is not too short to mean anything.
    fn needed(&self, frame: &Frame<'_>, field: &Field<Text>, name: &str, least_ns: u64, desk: &mut Desk) -> u64 {
        let Some(text) = field.get() else {
            desk.missing(frame.place, &format!("this fault needs `{name}`"), &format!("write {name}: \"5m\""));
            return least_ns.max(1);
        };
        match desk.duration(text) {
            Some(ns) if ns < least_ns => {
                desk.error(code::RANGE, text.span(), format!("`{name}` is too short"), format!("at least {}s", seconds(least_ns)));
                least_ns
            }
            read => read.unwrap_or(least_ns.max(1)),
        }
    }

    fn push(&mut self, frame: &Frame<'_>, when: &schema::Window, kind: FaultKind, desk: &mut Desk) {
        self.row(frame, when, 0, ALWAYS_PPB, kind, desk);
    }

    fn row(&mut self, frame: &Frame<'_>, when: &schema::Window, times: u32, probability_ppb: u32, kind: FaultKind, desk: &mut Desk) {
        let fault = Fault {
            name: frame.name.into(),
            key: name_key("fault", frame.name),
            window: window(when, frame, desk),
            always: frame.always_at.is_some(),
            times,
            probability_ppb,
            kind,
        };
        self.rows.push((fault, frame.place));
    }

    /// A machine that a change takes away.
    pub(super) fn taken_away(&mut self, absence: &super::taken_away::Absence<'_>) {
        let name = format!("{} is taken away by the change {}", absence.name, absence.change);
        let hosts = HostSet::These(vec![absence.host]);
        let kind = FaultKind::Down { hosts, addresses: Vec::new(), how: Unreachable::Silent, cut: true, queue_lost: true };
        let key = name_key("fault", &name);
        let fault = Fault { name: name.into(), key, window: absence.window, always: false, times: 0, probability_ppb: ALWAYS_PPB, kind };
        self.rows.push((fault, Span::NOWHERE));
    }

    /// The rows, and the indices over them.
    pub(super) fn finish(self, desk: &mut Desk) -> Finished {
        index(self.rows, self.world.count, desk)
    }
}

/// From when to when.
fn window(when: &schema::Window, frame: &Frame<'_>, desk: &mut Desk) -> Window {
    if let Some((_, window)) = frame.always_at {
        for (field, span) in [("at", when.at.span()), ("until", when.until.span()), ("lasts", when.lasts.span())] {
            if span.is_somewhere() {
                desk.error(
                    code::EXCLUDES,
                    span,
                    format!("what a host `receives` holds always and has no `{field}`"),
                    "write it under `faults`",
                );
            }
        }
        return window;
    }
    let from = desk.moment_or(&when.at, SimTime::ZERO);
    if when.until.is_written() && when.lasts.is_written() {
        desk.error(code::EXCLUDES, when.lasts.span(), "`until` and `lasts` both say when it ends", "leave one of them out");
    }
    let lasts = when.lasts.get().and_then(|text| desk.duration(text));
    let never = when.until.as_str() == Some("never");
    let until = match lasts {
        Some(ns) => from.after(ns),
        None if never => SimTime::NEVER,
        None => desk.moment_or(&when.until, SimTime::NEVER),
    };
    if until <= from {
        let place = if when.until.is_written() { when.until.span() } else { when.lasts.span() };
        desk.error(code::RANGE, place, "this ends before it begins", "`at` is the beginning, `until` or `lasts` the end");
    }
    Window { from, until }
}

fn unreachable(field: &Field<schema::DownHow>) -> Unreachable {
    match field.or(schema::DownHow::Silent) {
        schema::DownHow::Silent => Unreachable::Silent,
        schema::DownHow::Refused => Unreachable::Refused,
        schema::DownHow::Unreachable => Unreachable::Unreachable,
    }
}
