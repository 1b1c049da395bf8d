//! Which of two faults counts? A fault before `receives`, the narrower pattern before the wider, the later `at` before the earlier; else an error.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::super::desk::Desk;
use crate::base::{InOrder, Pattern, SimTime};
use crate::diag::{Diagnostic, Span, code};
use crate::model::fault::{Fault, FaultKind, HostFaults, hosts_of, struck};

/// Everything that the model keeps of faults.
#[derive(Debug, Default)]
pub(in crate::scenario::compile) struct Finished {
    pub(in crate::scenario::compile) rows: Vec<Fault>,
    pub(in crate::scenario::compile) hosts: Vec<HostFaults>,
    pub(in crate::scenario::compile) lines: Vec<u32>,
    pub(in crate::scenario::compile) dns: Vec<u32>,
    pub(in crate::scenario::compile) mta_sts: Vec<u32>,
}

/// The rows, and the indices over them.
pub(super) fn index(rows: Vec<(Fault, Span)>, count: usize, desk: &mut Desk) -> Finished {
    let mut finished = Finished { hosts: vec![HostFaults::default(); count], ..Finished::default() };
    for (at, (fault, _)) in rows.iter().enumerate() {
        let at = at as u32;
        match &fault.kind {
            FaultKind::Partition { .. } | FaultKind::Latency { .. } => finished.lines.push(at),
            FaultKind::Dns { .. } => finished.dns.push(at),
            FaultKind::MtaSts { .. } => finished.mta_sts.push(at),
            kind => {
                let hosts = struck(kind).map_or(Vec::new(), |set| hosts_of(set, count));
                for host in hosts {
                    let lists = &mut finished.hosts[host.index()];
                    match kind {
                        FaultKind::Down { .. } | FaultKind::Flapping { .. } => lists.reach.push(at),
                        FaultKind::Capacity { .. } => lists.capacity.push(at),
                        _ => lists.session.push(at),
                    }
                }
            }
        }
    }
    let rank = |at: &u32| precedence(&rows[*at as usize].0);
    for lists in &mut finished.hosts {
        for list in [&mut lists.reach, &mut lists.session, &mut lists.capacity] {
            list.in_order_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
        }
    }
    conflicts(&rows, &finished.hosts, desk);
    finished.rows = rows.into_iter().map(|(fault, _)| fault).collect();
    finished
}

/// Two that speak of one thing, and neither is narrower or later.
fn conflicts(rows: &[(Fault, Span)], hosts: &[HostFaults], desk: &mut Desk) {
    let mut told: BTreeSet<(u32, u32)> = BTreeSet::new();
    for list in hosts.iter().flat_map(|lists| [&lists.reach, &lists.session, &lists.capacity]) {
        for (place, a) in list.iter().enumerate() {
            for b in &list[place + 1..] {
                let ((one, there), (other, here)) = (&rows[*a as usize], &rows[*b as usize]);
                if precedence(one) != precedence(other) {
                    break;
                }
                // Nobody wrote that a machine is taken away, nor can anybody say otherwise of it.
                if [there, here].contains(&&Span::NOWHERE) || !same_thing(one, other) || !told.insert((*a, *b)) {
                    continue;
                }
                let message =
                    format!("`{}` and `{}` speak of one thing at the same time, and nothing says which counts", one.name, other.name);
                let problem = Diagnostic::error(code::BOTH_SPEAK, *here, message).also(*there, "the other");
                desk.say(problem.help("a narrower pattern beats a wider one, and a later `at` an earlier"));
            }
        }
    }
}

/// Smaller counts: a fault before `receives`, the narrower pattern, the later beginning.
fn precedence(fault: &Fault) -> (bool, Reverse<(usize, u32)>, Reverse<SimTime>) {
    let narrow = match &fault.kind {
        FaultKind::Reply { sender, recipient, after_recipients, .. } => {
            let weight =
                |pattern: &Option<Pattern>| pattern.as_ref().map_or(0, |pattern| 1 + pattern.weight() + usize::from(pattern.is_exact()));
            (weight(sender) + weight(recipient), *after_recipients)
        }
        FaultKind::Down { addresses, .. } => (usize::from(!addresses.is_empty()), 0),
        FaultKind::Tarpit { phase, .. } => (usize::from(phase.is_some()), 0),
        _ => (0, 0),
    };
    (fault.always, Reverse(narrow), Reverse(fault.window.from))
}

/// Do both say what happens in the same case, and say it differently?
fn same_thing(a: &Fault, b: &Fault) -> bool {
    if a.name == b.name || a.window.until <= b.window.from || b.window.until <= a.window.from {
        return false;
    }
    if (a.times, a.probability_ppb) != (b.times, b.probability_ppb) {
        // The one that is spent or spared leaves the case to the other.
        return false;
    }
    match (&a.kind, &b.kind) {
        (
            FaultKind::Reply { phase, sender, recipient, reply, .. },
            FaultKind::Reply { phase: phase_b, sender: sender_b, recipient: recipient_b, reply: reply_b, .. },
        ) => phase == phase_b && sender == sender_b && recipient == recipient_b && reply != reply_b,
        (FaultKind::Reply { phase, sender: None, recipient: None, .. }, FaultKind::Drop { phase: phase_b, .. })
        | (FaultKind::Drop { phase, .. }, FaultKind::Reply { phase: phase_b, sender: None, recipient: None, .. }) => phase == phase_b,
        (FaultKind::Drop { phase, how, .. }, FaultKind::Drop { phase: phase_b, how: how_b, .. }) => phase == phase_b && how != how_b,
        (FaultKind::Starttls { how, .. }, FaultKind::Starttls { how: how_b, .. }) => how != how_b,
        (FaultKind::Certificate { becomes, .. }, FaultKind::Certificate { becomes: becomes_b, .. }) => becomes != becomes_b,
        (FaultKind::Down { how, addresses, .. }, FaultKind::Down { how: how_b, addresses: addresses_b, .. }) => {
            how != how_b && addresses == addresses_b
        }
        (FaultKind::Greylist { .. }, FaultKind::Greylist { .. }) | (FaultKind::Postscreen { .. }, FaultKind::Postscreen { .. }) => true,
        (FaultKind::Capacity { sessions, service_time, .. }, FaultKind::Capacity { sessions: sessions_b, service_time: service_b, .. }) => {
            sessions.is_some() && sessions_b.is_some() && sessions != sessions_b
                || service_time.is_some() && service_b.is_some() && service_time != service_b
        }
        _ => false,
    }
}
