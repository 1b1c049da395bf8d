//! What does a failure do? Windows over hosts and lines read at a moment, random flapping drawn as far as somebody looks, and the memory of
//! receivers: "the first n", greylists, rates.

use super::chance::{ChaCha8Rng, Chance, Purpose, next_wait};
use super::outages::next_failure;
use crate::base::{HostId, Phase, SECOND, SimTime};
use crate::model::Model;
use crate::model::fault::{Fault, FaultKind, Unreachable};
use crate::model::topology::Law;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

/// What a greylist knows somebody by: memory, client, sender, recipient.
type Triple = (u32, Client, Box<str>, Box<str>);

/// Why a greylist asks somebody to come back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Grey {
    /// Never seen, or too long ago.
    Unknown,
    /// Seen, and back too early; nanoseconds.
    TooEarly { waited: u64, delay: u64 },
    /// Back so long after the first time that it begins anew; nanoseconds.
    TooLate { waited: u64 },
}

/// A client as a greylist sees it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Client {
    /// Its address, or the first one of its network.
    Seen(IpAddr),
    /// A machine without any.
    Machine(HostId),
}

impl Client {
    /// By address or network.
    pub(crate) fn new(host: HostId, address: Option<IpAddr>, by_subnet: bool) -> Self {
        match address {
            None => Self::Machine(host),
            Some(IpAddr::V4(address)) if by_subnet => Self::Seen(IpAddr::V4((u32::from(address) & !0xFF).into())),
            Some(IpAddr::V6(address)) if by_subnet => Self::Seen(IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into())),
            Some(address) => Self::Seen(address),
        }
    }
}

/// All that failures remember.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    pub(super) flapping: Vec<Option<Flapping>>,
    /// Machines whose failures cut sessions.
    cuts: Vec<bool>,
    /// Machines that stop as a whole, some time.
    pub(super) stops: Vec<bool>,
    /// By machine: from when until when nothing of its own fails, as far as was seen.
    calm: Vec<(SimTime, SimTime)>,
    /// How often each fault has struck.
    counts: Vec<u32>,
    greylists: BTreeMap<Triple, (SimTime, Option<SimTime>)>,
    rates: BTreeMap<(u32, HostId), VecDeque<SimTime>>,
    /// Clients that postscreen knows.
    pub(super) screened: super::postscreen::Screened,
}

/// A random timeline: up at the start, then edges.
#[derive(Clone, Debug)]
pub(super) struct Flapping {
    rng: ChaCha8Rng,
    /// Moments of change; the first is the first failure after the beginning of the fault.
    pub(super) edges: Vec<SimTime>,
    /// How many of them had passed at the last look: the next look is mostly near.
    passed: usize,
}

impl Flapping {
    /// Draws until the timeline reaches beyond `at`.
    pub(super) fn reach(&mut self, from: SimTime, up_ns: u64, down_ns: u64, at: SimTime) {
        while self.edges.last().is_none_or(|last| *last <= at) {
            let mean = if self.edges.len().is_multiple_of(2) { up_ns } else { down_ns };
            let last = self.edges.last().copied().unwrap_or(from);
            self.edges.push(last.after(next_wait(&mut self.rng, mean).max(1)));
        }
    }

    /// The down window that holds `at`, or `None`.
    fn down(&mut self, at: SimTime) -> Option<(SimTime, SimTime)> {
        let mut passed = self.passed;
        while passed > 0 && self.edges[passed - 1] > at {
            passed -= 1;
        }
        while self.edges.get(passed).is_some_and(|edge| *edge <= at) {
            passed += 1;
        }
        self.passed = passed;
        (passed % 2 == 1).then(|| (self.edges[passed - 1], self.edges[passed]))
    }
}

/// Why a machine is not reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Cut {
    /// Which fault.
    pub(crate) fault: u32,
    /// From when.
    pub(crate) from: SimTime,
    /// Until when.
    pub(crate) until: SimTime,
    /// What a client sees.
    pub(crate) how: Unreachable,
}

impl Faults {
    pub(crate) fn new(model: &Model, chance: &Chance) -> Self {
        let flapping = |fault: &Fault| match fault.kind {
            FaultKind::Flapping { .. } => Some(Flapping { rng: chance.stream("flapping", &fault.name), edges: Vec::new(), passed: 0 }),
            _ => None,
        };
        let cuts = |number: &u32| {
            matches!(model.faults[*number as usize].kind, FaultKind::Down { cut: true, .. } | FaultKind::Flapping { cut: true, .. })
        };
        let stops = |number: &u32| match &model.faults[*number as usize].kind {
            FaultKind::Down { addresses, .. } => addresses.is_empty(),
            kind => matches!(kind, FaultKind::Flapping { .. }),
        };
        Self {
            stops: model.host_faults.iter().map(|faults| faults.reach.iter().any(stops)).collect(),
            cuts: model.host_faults.iter().map(|faults| faults.reach.iter().any(cuts)).collect(),
            flapping: model.faults.iter().map(flapping).collect(),
            calm: vec![(SimTime::ZERO, SimTime::ZERO); model.host_faults.len()],
            counts: vec![0; model.faults.len()],
            greylists: BTreeMap::new(),
            rates: BTreeMap::new(),
            screened: BTreeMap::new(),
        }
    }

    /// The down window of fault `number` that holds `at`.
    fn window(&mut self, model: &Model, number: u32, at: SimTime) -> Option<(SimTime, SimTime)> {
        let fault = &model.faults[number as usize];
        if !fault.window.has(at) {
            return None;
        }
        match fault.kind {
            FaultKind::Flapping { up_ns, down_ns, .. } => {
                let flapping = self.flapping[number as usize].as_mut()?;
                flapping.reach(fault.window.from, up_ns, down_ns, at);
                flapping.down(at).map(|(from, until)| (from, until.min(fault.window.until)))
            }
            _ => Some((fault.window.from, fault.window.until)),
        }
    }

    /// Is the machine (at this address) down?
    #[inline(always)]
    pub(crate) fn down(&mut self, model: &Model, host: HostId, address: Option<IpAddr>, at: SimTime) -> Option<Cut> {
        let list = &model.host_faults[host.index()].reach;
        if list.is_empty() {
            return None;
        }
        let (from, until) = self.calm[host.index()];
        if from <= at && at < until {
            return None;
        }
        let found = self.down_of(model, list, address, at);
        if let Some(until) = self.calm_until(model, list, at) {
            self.calm[host.index()] = (at, until);
        }
        found
    }

    /// Until when none of these faults holds that were just looked at, if none holds now.
    fn calm_until(&self, model: &Model, list: &[u32], at: SimTime) -> Option<SimTime> {
        list.iter().try_fold(SimTime::NEVER, |until, number| {
            let fault = &model.faults[*number as usize];
            let flapping = match fault.kind {
                FaultKind::Down { .. } => None,
                FaultKind::Flapping { .. } => self.flapping[*number as usize].as_ref(),
                _ => return Some(until),
            };
            match flapping {
                _ if at < fault.window.from => Some(until.min(fault.window.from)),
                _ if at >= fault.window.until => Some(until),
                Some(line) if line.passed % 2 == 0 => Some(until.min(*line.edges.get(line.passed)?)),
                _ => None,
            }
        })
    }

    fn down_of(&mut self, model: &Model, list: &[u32], address: Option<IpAddr>, at: SimTime) -> Option<Cut> {
        let mut found: Option<Cut> = None;
        for number in list {
            let (how, addresses) = match &model.faults[*number as usize].kind {
                FaultKind::Down { how, addresses, .. } => (*how, addresses.as_slice()),
                FaultKind::Flapping { how, .. } => (*how, [].as_slice()),
                _ => continue,
            };
            let struck = addresses.is_empty() || address.is_some_and(|address| addresses.contains(&address));
            if struck
                && let Some((from, until)) = self.window(model, *number, at)
                && found.is_none_or(|before| before.until < until)
            {
                found = Some(Cut { fault: *number, from, until, how });
            }
        }
        found
    }

    /// Is the line between a client and a server cut?
    pub(crate) fn line(&self, model: &Model, client: HostId, server: HostId, at: SimTime) -> Option<Cut> {
        model.line_faults.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::Partition { a, b, one_way, how } = &fault.kind else { return None };
            let struck = a.has(client) && b.has(server) || !one_way && b.has(client) && a.has(server);
            (struck && client != server && fault.window.has(at)).then_some(Cut {
                fault: *number,
                from: fault.window.from,
                until: fault.window.until,
                how: *how,
            })
        })
    }

    /// What latency faults add to the line.
    pub(crate) fn slower(&self, model: &Model, a: HostId, b: HostId, at: SimTime) -> Option<(u32, Law)> {
        model.line_faults.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::Latency { a: one, b: other, add } = &fault.kind else { return None };
            let struck = one.has(a) && other.has(b) || one.has(b) && other.has(a);
            (struck && fault.window.has(at)).then_some((*number, *add))
        })
    }

    /// Can anything cut a session between the two?
    pub(crate) fn may_cut(&self, model: &Model, client: HostId, server: HostId) -> bool {
        !model.line_faults.is_empty() || self.cuts[client.index()] || self.cuts[server.index()]
    }

    /// The first moment in (after, before] when a session between the two is cut.
    pub(crate) fn first_cut(
        &mut self,
        model: &Model,
        client: HostId,
        server: HostId,
        address: IpAddr,
        after: SimTime,
        before: SimTime,
    ) -> Option<Cut> {
        if !self.may_cut(model, client, server) {
            return None;
        }
        let mut first: Option<Cut> = None;
        let mut take = |cut: Cut| {
            if cut.from > after && cut.from <= before && first.is_none_or(|seen| cut.from < seen.from) {
                first = Some(cut);
            }
        };
        for (host, at) in [(client, None), (server, Some(address))] {
            for number in &model.host_faults[host.index()].reach {
                let fault = &model.faults[*number as usize];
                match &fault.kind {
                    FaultKind::Down { how, cut: true, addresses, .. }
                        if addresses.is_empty() || at.is_some_and(|at| addresses.contains(&at)) =>
                    {
                        take(Cut { fault: *number, from: fault.window.from, until: fault.window.until, how: *how });
                    }
                    FaultKind::Flapping { how, cut: true, up_ns, down_ns, .. } => {
                        let Some(flapping) = self.flapping[*number as usize].as_mut() else { continue };
                        flapping.reach(fault.window.from, *up_ns, *down_ns, before);
                        let place = next_failure(&flapping.edges, after);
                        if let Some(edge) = flapping.edges.get(place).copied().filter(|edge| fault.window.has(*edge)) {
                            let until = flapping.edges.get(place + 1).copied().unwrap_or(SimTime::NEVER);
                            take(Cut { fault: *number, from: edge, until, how: *how });
                        }
                    }
                    _ => {}
                }
            }
        }
        for number in &model.line_faults {
            let fault = &model.faults[*number as usize];
            if let FaultKind::Partition { a, b, how, one_way } = &fault.kind
                && (a.has(client) && b.has(server) || !one_way && b.has(client) && a.has(server))
                && client != server
            {
                take(Cut { fault: *number, from: fault.window.from, until: fault.window.until, how: *how });
            }
        }
        first
    }

    /// All down windows of a machine as a whole up to a moment, merged, for reports.
    pub(crate) fn down_windows(&mut self, model: &Model, host: HostId, until: SimTime) -> Vec<(SimTime, SimTime)> {
        let mut windows = Vec::new();
        for number in &model.host_faults[host.index()].reach {
            let fault = &model.faults[*number as usize];
            match &fault.kind {
                FaultKind::Down { addresses, .. } if addresses.is_empty() => windows.push((fault.window.from, fault.window.until)),
                FaultKind::Flapping { up_ns, down_ns, .. } => {
                    let Some(flapping) = self.flapping[*number as usize].as_mut() else { continue };
                    flapping.reach(fault.window.from, *up_ns, *down_ns, until.min(fault.window.until));
                    windows.extend(flapping.edges.chunks(2).filter_map(|pair| match pair {
                        [from, to] => Some((*from, (*to).min(fault.window.until))),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        windows.retain(|(from, to)| from < to && *from <= until);
        windows.sort_unstable();
        let mut merged: Vec<(SimTime, SimTime)> = Vec::new();
        for (from, to) in windows {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        merged
    }

    /// Does the fault strike now (window, luck, "the first n")? Counts it if it does.
    pub(crate) fn strikes(&mut self, model: &Model, chance: &Chance, number: u32, at: SimTime, message: u64, n: u64) -> bool {
        let fault = &model.faults[number as usize];
        if !fault.window.has(at) || fault.times > 0 && self.counts[number as usize] >= fault.times {
            return false;
        }
        if fault.probability_ppb < 1_000_000_000 {
            let luck = super::chance::below(chance.draw(Purpose::Fault, message, fault.key, n), 1_000_000_000);
            if luck >= u64::from(fault.probability_ppb) {
                return false;
            }
        }
        self.counts[number as usize] += 1;
        true
    }

    /// Asks a greylist about a triple: what it finds, if that is no way in.
    pub(crate) fn greylist(
        &mut self,
        memory: u32,
        times: (u64, u64, u64),
        client: Client,
        from: &str,
        to: &str,
        at: SimTime,
    ) -> Result<(), Grey> {
        let (delay, window, remembered) = times;
        // Greylists note whole seconds.
        let at = SimTime(at.0 - at.0 % SECOND);
        let key = (memory, client, from.into(), to.into());
        match self.greylists.get_mut(&key) {
            // Noted by a session that began earlier and asks later.
            Some((first, None)) if at < *first => {
                *first = at;
                Err(Grey::Unknown)
            }
            Some((first, passed)) => {
                let known = passed.is_some_and(|passed| at.since(passed) <= remembered);
                let waited = at.since(*first);
                if known || passed.is_none() && waited >= delay && waited <= window {
                    *passed = Some(at);
                    return Ok(());
                }
                if passed.is_some() || waited > window {
                    (*first, *passed) = (at, None);
                    return Err(Grey::TooLate { waited });
                }
                Err(Grey::TooEarly { waited, delay })
            }
            None => {
                self.greylists.insert(key, (at, None));
                if delay == 0 { Ok(()) } else { Err(Grey::Unknown) }
            }
        }
    }

    /// Counts a message of a client; `true` = within the rate.
    pub(crate) fn within_rate(&mut self, fault: u32, messages: u32, per_ns: u64, client: HostId, at: SimTime) -> bool {
        let seen = self.rates.entry((fault, client)).or_default();
        while seen.front().is_some_and(|first| at.since(*first) >= per_ns) {
            seen.pop_front();
        }
        if seen.len() as u64 >= u64::from(messages) {
            return false;
        }
        seen.push_back(at);
        true
    }
}

/// Is this fault about this phase of a session?
pub(crate) fn is_at(kind: &FaultKind, wanted: Phase) -> bool {
    match kind {
        FaultKind::Reply { phase, .. } | FaultKind::Drop { phase, .. } => *phase == wanted,
        FaultKind::Tarpit { phase, .. } => phase.is_none_or(|phase| phase == wanted),
        FaultKind::BackPressure { .. } => wanted == Phase::Mail,
        FaultKind::Greylist { phase, .. } => *phase == wanted && wanted != Phase::Rcpt,
        FaultKind::Postscreen { .. } => wanted == Phase::Banner,
        _ => false,
    }
}
