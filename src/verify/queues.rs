//! How much waited in the queues of a system, and when was there nothing left?

use super::desk::is;
use super::names::Who;
use crate::analysis::outcome::{HostFacts, Outcome, Place};
use crate::base::SimTime;
use std::collections::BTreeMap;

/// How many messages waited on all machines of a system together: a row whenever the number changed.
pub(super) struct Lengths(Vec<(SimTime, u32)>);

impl Lengths {
    /// Those of all machines that a name stands for (without a name, of all); `None` if it has no machine in this run.
    pub fn of(outcome: &Outcome, who: Option<&Who>) -> Option<Self> {
        let place = |facts: &HostFacts| Place { system: facts.system.clone(), host: facts.name.clone() };
        let mut machines = outcome.hosts.iter().filter(|facts| is(who, Some(&place(facts)))).peekable();
        machines.peek()?;
        let mut changes: BTreeMap<SimTime, i64> = BTreeMap::new();
        for facts in machines {
            let mut before = 0;
            for (at, number) in &facts.queued {
                let number = i64::from(*number);
                *changes.entry(*at).or_default() += number - before;
                before = number;
            }
        }
        let mut total = 0;
        let rows = changes.into_iter().map(|(at, change)| {
            total += change;
            (at, u32::try_from(total).unwrap_or_default())
        });
        Some(Self(rows.collect()))
    }

    /// The longest it was, and when first.
    pub fn longest(&self) -> (SimTime, u32) {
        let most = self.0.iter().map(|row| row.1).max().unwrap_or(0);
        self.0.iter().copied().find(|row| row.1 == most).unwrap_or((SimTime::ZERO, 0))
    }

    /// The first moment not before `from` at which nothing waited; `Err` says how much waits at the end.
    pub fn first_empty(&self, from: SimTime) -> Result<SimTime, u32> {
        let (before, after) = self.0.split_at(self.0.partition_point(|row| row.0 <= from));
        match before.last() {
            None | Some((_, 0)) => Ok(from),
            Some((_, left)) => after.iter().find(|row| row.1 == 0).map(|row| row.0).ok_or(after.last().map_or(*left, |row| row.1)),
        }
    }
}
