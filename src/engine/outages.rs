//! When does a machine stop as a whole, and when does it start again?
//!
//! `Down` without addresses and `Flapping`. Asked of machines that send: what has stopped learns nothing, and begins anew.

use super::fault::{Cut, Faults, Flapping};
use crate::base::{HostId, SimTime};
use crate::model::Model;
use crate::model::fault::FaultKind;

impl Flapping {
    /// The first down window that begins after a moment.
    fn next_down(&mut self, from: SimTime, (up_ns, down_ns): (u64, u64), after: SimTime) -> (SimTime, SimTime) {
        self.reach(from, up_ns, down_ns, after);
        let place = next_failure(&self.edges, after);
        while self.edges.len() < place + 2 {
            let last = self.edges.last().copied().unwrap_or(after);
            self.reach(from, up_ns, down_ns, last);
        }
        (self.edges[place], self.edges[place + 1])
    }
}

/// The place of the first edge after a moment that is a failure: those with even places are.
pub(super) fn next_failure(edges: &[SimTime], after: SimTime) -> usize {
    edges.partition_point(|edge| *edge <= after).next_multiple_of(2)
}

/// The end of the last outage that is over at a moment, if the fault itself ends at `until`; the edges reach as far as the earlier of both.
fn last_end(edges: &[SimTime], at: SimTime, until: SimTime) -> Option<SimTime> {
    let passed = edges.partition_point(|edge| *edge <= at.min(until));
    if passed % 2 == 1 && at >= until {
        return Some(until);
    }
    (passed / 2 * 2).checked_sub(1).map(|last| edges[last])
}

impl Faults {
    /// Does anything ever stop a machine as a whole?
    #[inline]
    pub(crate) fn stops(&self, host: HostId) -> bool {
        self.stops[host.index()]
    }

    /// The first outage of a machine as a whole that begins after a moment; only of those that cut sessions, if they alone count.
    pub(crate) fn next_stop(&mut self, model: &Model, host: HostId, after: SimTime, cuts: bool) -> Option<Cut> {
        let mut first: Option<Cut> = None;
        for number in &model.host_faults[host.index()].reach {
            let fault = &model.faults[*number as usize];
            let (how, (from, until)) = match &fault.kind {
                FaultKind::Down { how, cut, addresses, .. } if addresses.is_empty() && (*cut || !cuts) => {
                    (*how, (fault.window.from, fault.window.until))
                }
                FaultKind::Flapping { how, cut, up_ns, down_ns, .. } if *cut || !cuts => {
                    let Some(flapping) = self.flapping[*number as usize].as_mut() else { continue };
                    if after >= fault.window.until {
                        continue;
                    }
                    let (from, until) = flapping.next_down(fault.window.from, (*up_ns, *down_ns), after);
                    (*how, (from, until.min(fault.window.until)))
                }
                _ => continue,
            };
            if from > after && fault.window.has(from) && first.is_none_or(|seen| from < seen.from) {
                first = Some(Cut { fault: *number, from, until, how });
            }
        }
        first
    }

    /// When a machine that is down at a moment is there again, and which faults follow each other until then.
    pub(crate) fn back_at(&mut self, model: &Model, host: HostId, at: SimTime) -> (SimTime, Vec<u32>) {
        let (mut back, mut faults) = (at, Vec::new());
        while back < SimTime::NEVER
            && let Some(cut) = self.down(model, host, None, back)
        {
            faults.push(cut.fault);
            back = cut.until;
        }
        faults.dedup();
        (back, faults)
    }

    /// When a machine that is up started last; `ZERO`: it has been up from the beginning.
    pub(crate) fn started_at(&mut self, model: &Model, host: HostId, at: SimTime) -> SimTime {
        let mut last = SimTime::ZERO;
        for number in &model.host_faults[host.index()].reach {
            let fault = &model.faults[*number as usize];
            match &fault.kind {
                FaultKind::Down { addresses, .. } if addresses.is_empty() && fault.window.until <= at => {
                    last = last.max(fault.window.until)
                }
                FaultKind::Flapping { up_ns, down_ns, .. } => {
                    let Some(flapping) = self.flapping[*number as usize].as_mut() else { continue };
                    flapping.reach(fault.window.from, *up_ns, *down_ns, at.min(fault.window.until));
                    if let Some(end) = last_end(&flapping.edges, at, fault.window.until) {
                        last = last.max(end);
                    }
                }
                _ => {}
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges() {
        let times = |list: &[u64]| list.iter().map(|at| SimTime(*at)).collect::<Vec<_>>();
        // Down from 3 to 5 and from 8 to 9; the next failure is drawn, its end is not.
        let edges = times(&[3, 5, 8, 9, 12]);
        let cases = [
            ("before all", 0, 0, None),
            ("at the first failure", 3, 2, None),
            ("in it", 4, 2, None),
            ("at its end", 5, 2, Some(5)),
            ("between two", 7, 2, Some(5)),
            ("in the second", 8, 4, Some(5)),
            ("after it", 10, 4, Some(9)),
        ];
        for (case, at, failure, end) in cases {
            let found = (next_failure(&edges, SimTime(at)), last_end(&edges, SimTime(at), SimTime::NEVER));
            assert_eq!(found, (failure, end.map(SimTime)), "{case}");
        }
        for (case, until, end) in [("the fault ends in an outage", 4, Some(4)), ("between two", 7, Some(5)), ("before all", 2, None)] {
            assert_eq!(last_end(&edges, SimTime(11), SimTime(until)), end.map(SimTime), "{case}");
        }
    }
}
