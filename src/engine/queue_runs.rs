//! Exim's queue runs: at fixed moments a runner goes through all mail that waits, one message after the other, in an order by luck.
//!
//! A run that is held up by a silent host goes on while the next one begins, up to `queue_run_max` of them; what one has in its hands the others pass
//! over. Sources: Exim src/queue.c `queue_run`, specification "Queue running". Not modelled: two-stage runs.

use super::chance::Purpose;
use super::mail_run::{NEW_RUN, STEP};
use super::queue::Kind;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::retry::{Memory, Next};
use crate::model::retry_rules::Haste;
use std::collections::{BTreeMap, VecDeque};

/// Among the rows of `Kind::QueueRun`: not a new run, a step of those that are under way.
const GO_ON: u32 = 1 << 24;

/// The mail that waits on one machine, and its runners.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spool {
    /// Number of a copy, and its row.
    waiting: BTreeMap<u32, u32>,
    runs: BTreeMap<u32, Runner>,
    next_run: u32,
    scheduled: bool,
    /// The moment of the next one.
    next_at: SimTime,
}

/// One queue run.
#[derive(Clone, Debug, Default)]
struct Runner {
    list: VecDeque<(u32, u32)>,
    busy: bool,
}

impl Spool {
    /// The row of a copy that waits, by its number.
    pub(super) fn row_of(&self, number: u32) -> Option<u32> {
        self.waiting.get(&number).copied()
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A copy waits for the next queue run: when that is, and why.
    pub(super) fn wait_for_run(&mut self, copy: u32) -> (SimTime, &'static str) {
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        let row = &self.copies[copy];
        let state = Memory {
            arrived: row.arrived,
            began: row.pass_at,
            deferrals: row.deferrals,
            null_sender: false,
            jitter_ns: 0,
            haste: Haste::Normal,
            started: self.machines[host.index()].started,
        };
        let next = self.when_tried(host, state);
        let spool = self.memory.spools.entry(host).or_default();
        spool.waiting.insert(number, copy);
        let Next::Try { at, why } = next else { return (SimTime::NEVER, "it remembers nothing any more") };
        if !spool.scheduled {
            (spool.scheduled, spool.next_at) = (true, at);
            self.events.push(at, Kind::QueueRun, host.0);
        }
        (at, why)
    }

    /// A copy waits on a machine that is down for the queue run with which it starts.
    pub(super) fn waits_for_run_at(&mut self, copy: u32, back: SimTime) {
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        let spool = self.memory.spools.entry(host).or_default();
        spool.waiting.insert(number, copy);
        if !spool.scheduled || spool.next_at > back {
            (spool.scheduled, spool.next_at) = (true, back);
            self.events.push(back, Kind::QueueRun, host.0);
        }
    }

    /// A copy does not wait any more.
    pub(super) fn spool_forgets(&mut self, copy: u32) {
        let (host, number) = (self.copies[copy].host, self.copies[copy].number);
        if let Some(spool) = self.memory.spools.get_mut(&host) {
            spool.waiting.remove(&number);
        }
    }

    /// The moment of a queue run, or of the next step of those that are under way.
    pub(super) fn queue_run(&mut self, row: u32) {
        let host = HostId(row & (NEW_RUN - 1));
        if row & (STEP | NEW_RUN) != 0 {
            self.step_mail_runs(host, row & NEW_RUN != 0);
            return;
        }
        if row & GO_ON == 0 {
            self.begin_run(host);
        }
        self.step_runs(host);
    }

    fn begin_run(&mut self, host: HostId) {
        if self.faults.stops(host) {
            self.notes_start(host);
        }
        let started = self.machines[host.index()].started;
        let state =
            Memory { arrived: self.now, began: self.now, deferrals: 0, null_sender: false, jitter_ns: 0, haste: Haste::Normal, started };
        let next = self.when_tried(host, state);
        let at_once = self.exim_retry(host).map_or(0, |retry| retry.runs_at_once);
        let down = self.faults.down(self.model, host, None, self.now).is_some();
        let key = self.model.hosts[host.index()].key;
        let Some(spool) = self.memory.spools.get_mut(&host) else { return };
        if spool.next_at != self.now {
            return;
        }
        spool.scheduled = !spool.waiting.is_empty() || !spool.runs.is_empty();
        if spool.scheduled
            && let Next::Try { at, .. } = next
        {
            spool.next_at = at;
            self.events.push(at, Kind::QueueRun, host.0);
        }
        if down || spool.waiting.is_empty() || at_once > 0 && spool.runs.len() as u32 >= at_once {
            return;
        }
        let mut list: Vec<(u64, u32, u32)> = spool
            .waiting
            .iter()
            .map(|(number, copy)| {
                let luck = self.messages[self.copies[*copy].message].luck;
                (self.chance.draw(Purpose::Order, luck, key, self.now.0), *number, *copy)
            })
            .collect();
        list.sort_unstable();
        let number = spool.next_run;
        spool.next_run += 1;
        spool.runs.insert(number, Runner { list: list.into_iter().map(|(_, number, copy)| (number, copy)).collect(), busy: false });
    }

    /// Every runner that has nothing in its hands takes its next message.
    fn step_runs(&mut self, host: HostId) {
        loop {
            let Some(spool) = self.memory.spools.get_mut(&host) else { return };
            let Some((number, runner)) = spool.runs.iter_mut().find(|(_, runner)| !runner.busy) else { return };
            let number = *number;
            let Some((of_copy, copy)) = runner.list.pop_front() else {
                spool.runs.remove(&number);
                continue;
            };
            if spool.waiting.remove(&of_copy).is_none() {
                continue;
            }
            runner.busy = true;
            self.memory.passes.entry(copy).or_default().run = Some(number);
            self.ready(copy);
        }
    }

    /// A pass of a queue run is over: its runner goes on, by an event, so that a long list is no deep recursion.
    pub(super) fn run_goes_on(&mut self, host: HostId, run: Option<u32>) {
        let Some(run) = run else { return };
        if let Some(runner) = self.memory.spools.get_mut(&host).and_then(|spool| spool.runs.get_mut(&run)) {
            runner.busy = false;
            self.events.push(self.now, Kind::QueueRun, host.0 | GO_ON);
        }
    }
}
