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
        let mut at = after;
        loop {
            self.reach(from, up_ns, down_ns, at);
            let pairs = self.edges.chunks_exact(2);
            if let Some([began, ended]) = pairs.map(|pair| [pair[0], pair[1]]).find(|[began, _]| *began > after) {
                return (began, ended);
            }
            at = self.edges.last().copied().unwrap_or(at);
        }
    }
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

    /// When a machine that is down at a moment is there again, whatever faults follow each other.
    pub(crate) fn back_at(&mut self, model: &Model, host: HostId, at: SimTime) -> SimTime {
        let mut back = at;
        while let Some(cut) = self.down(model, host, None, back) {
            if cut.until == SimTime::NEVER {
                return cut.until;
            }
            back = cut.until;
        }
        back
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
                    let ends = flapping.edges.chunks_exact(2).map(|pair| pair[1].min(fault.window.until));
                    last = last.max(ends.filter(|end| *end <= at).max().unwrap_or(SimTime::ZERO));
                }
                _ => {}
            }
        }
        last
    }
}
