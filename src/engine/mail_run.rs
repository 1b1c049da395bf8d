//! Sendmail's queue runs: one process takes the mail that is due one after the other, remembers which hosts failed, and keeps connections meanwhile.
//!
//! Order by priority: size, recipients and earlier attempts, the lowest number first. A run that a silent host holds up goes on while the next one
//! begins, and that one takes what the first has not come to. Sources: Sendmail queue.c `runqueue`, `gatherq`; deliver.c ("see if we already know that
//! this host is fried"); mci.c. Not modelled: `MaxQueueChildren`, queue groups, classes of precedence.

use super::chance::Purpose;
use super::kept::Kept;
use super::known_from::KnownFrom;
use super::plan::Goal;
use super::queue::Kind;
use super::world::World;
use crate::base::{Enhanced, HostId, NameId, SECOND, SimTime};
use crate::decide::failure::Effect;
use crate::decide::retry::next_scan;
use crate::decide::{because, passed_by};
use crate::model::keeping::HostStatus;
use crate::model::settings::{Keeping, Retry};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Among the rows of `Kind::QueueRun`: a step of these processes.
pub(super) const STEP: u32 = 1 << 23;
/// The same, at the moment of a run: what no process has come to yet is taken by a new one.
pub(super) const NEW_RUN: u32 = 1 << 22;

/// `RecipientFactor` and `RetryFactor`.
const RECIPIENT_FACTOR: u64 = 30_000;
const RETRY_FACTOR: u64 = 90_000;

/// The processes of all machines.
#[derive(Clone, Debug, Default)]
pub(crate) struct MailRuns {
    runs: BTreeMap<HostId, BTreeMap<u32, Process>>,
    /// By copy under way: its process.
    of_copy: BTreeMap<u32, (HostId, u32)>,
    /// What all processes of a machine know of hosts that failed.
    status: BTreeMap<(HostId, NameId), KnownFrom<Option<Failed>>>,
    /// Numbers of copies that no process has taken yet.
    waiting: BTreeMap<HostId, BTreeSet<u32>>,
    next: u32,
}

/// One queue run.
#[derive(Clone, Debug, Default)]
struct Process {
    began: SimTime,
    started: bool,
    busy: bool,
    /// Priority, number, row.
    list: VecDeque<(u64, u32, u32)>,
    /// By name.
    failed: BTreeMap<NameId, Failed>,
    open: Vec<Kept>,
}

/// A host that failed.
#[derive(Clone, Copy, Debug)]
struct Failed {
    /// In the attempt of which copy, and in which of its passes.
    by: (u32, u16),
    /// In which words.
    reply: u32,
    at: SimTime,
}

impl Failed {
    /// Is that too long ago to count? Sendmail counts whole seconds.
    fn is_stale(&self, at: SimTime, lasts_ns: u64) -> bool {
        (at.0 / SECOND).saturating_sub(self.at.0 / SECOND) * SECOND >= lasts_ns
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a copy that is due wait for its turn in a queue run? (First attempts have a process of their own.)
    pub(super) fn joins_run(&mut self, copy: u32) -> bool {
        let row = &self.copies[copy];
        let host = row.host;
        let in_runs = matches!(self.config(host).sender.keeping, Keeping::WithinRun { .. });
        if !in_runs || row.pass == 0 || self.mail_runs.of_copy.contains_key(&copy) {
            return false;
        }
        let size = self.messages[row.message].size;
        let priority = size + RECIPIENT_FACTOR * row.recipients.len() as u64 + RETRY_FACTOR * u64::from(row.deferrals);
        let entry = (priority, row.number, copy);
        self.mail_runs.waiting.entry(host).or_default().insert(entry.1);
        let now = self.now;
        let runs = self.mail_runs.runs.entry(host).or_default();
        match runs.values_mut().find(|process| !process.started && process.began == now) {
            Some(process) => process.list.push_back(entry),
            None => {
                runs.insert(self.mail_runs.next, Process { began: now, list: [entry].into(), ..Process::default() });
                self.mail_runs.next += 1;
                self.events.push(now, Kind::QueueRun, host.0 | STEP);
            }
        }
        true
    }

    /// Every process that has nothing in its hands takes its next message.
    pub(super) fn step_mail_runs(&mut self, host: HostId, new_run: bool) {
        let waits = self.mail_runs.waiting.get(&host).is_some_and(|waiting| !waiting.is_empty());
        let now = self.now;
        if new_run
            && waits
            && let Some(runs) = self.mail_runs.runs.get_mut(&host)
            && !runs.values().any(|process| process.began == now)
        {
            runs.insert(self.mail_runs.next, Process { began: now, ..Process::default() });
            self.mail_runs.next += 1;
        }
        loop {
            let Some(runs) = self.mail_runs.runs.get_mut(&host) else { return };
            let Some(number) = runs.iter().find(|(_, process)| !process.busy).map(|(number, _)| *number) else { return };
            if runs.get(&number).is_some_and(|process| !process.started) {
                self.start_mail_run(host, number);
                continue;
            }
            let process = runs.get_mut(&number).expect("it was just found");
            let Some((_, of_copy, copy)) = process.list.pop_front() else {
                runs.remove(&number);
                if runs.is_empty() {
                    self.mail_runs.runs.remove(&host);
                }
                continue;
            };
            let waited = self.mail_runs.waiting.get_mut(&host).is_some_and(|waiting| waiting.remove(&of_copy));
            if !waited || self.copies[copy].closed || self.copies[copy].number != of_copy {
                continue;
            }
            process.busy = true;
            self.mail_runs.of_copy.insert(copy, (host, number));
            self.ready(copy);
        }
    }

    /// A run reads the queue: what others have not come to is in it too.
    fn start_mail_run(&mut self, host: HostId, number: u32) {
        let Some(runs) = self.mail_runs.runs.get_mut(&host) else { return };
        let others: Vec<(u64, u32, u32)> =
            runs.iter().filter(|(other, _)| **other != number).flat_map(|(_, process)| process.list.iter().copied()).collect();
        let process = runs.get_mut(&number).expect("it is about to begin");
        process.list.extend(others);
        let mut list: Vec<(u64, u32, u32)> = process.list.drain(..).collect();
        list.sort_unstable();
        list.dedup();
        let more = list.len() > 1;
        process.list = list.into();
        process.started = true;
        if let (true, Retry::QueueRuns { every_ns, offset_ns, .. }) = (more, &self.config(host).sender.retry) {
            let started = self.machines[host.index()].started.0;
            let offset_ns = if started > 0 { started } else { *offset_ns };
            let next = next_scan(*every_ns, offset_ns, self.now.0 + 1);
            self.events.push(next, Kind::QueueRun, host.0 | NEW_RUN);
        }
    }

    /// A pass is over, or came to nothing: its process goes on, by an event, so that a long list is no deep recursion.
    pub(super) fn mail_run_goes_on(&mut self, copy: u32) {
        let Some((host, number)) = self.mail_runs.of_copy.remove(&copy) else { return };
        if let Some(process) = self.mail_runs.runs.get_mut(&host).and_then(|runs| runs.get_mut(&number)) {
            process.busy = false;
            self.events.push(self.now, Kind::QueueRun, host.0 | STEP);
        }
    }

    fn process_of(&mut self, copy: u32) -> Option<&mut Process> {
        let (host, number) = *self.mail_runs.of_copy.get(&copy)?;
        self.mail_runs.runs.get_mut(&host)?.get_mut(&number)
    }

    /// Hosts of one preference have one order for all mail of a run: what it depends on instead of the message.
    pub(super) fn luck_of_run(&self, copy: u32) -> Option<u64> {
        let (host, number) = *self.mail_runs.of_copy.get(&copy)?;
        let began = self.mail_runs.runs.get(&host)?.get(&number)?.began;
        Some(self.chance.draw(Purpose::Process, began.0, self.model.hosts[host.index()].key, 0))
    }

    /// Has this run seen a host fail in the attempt of another message (KEEP-4), or any process of the machine (STATUS)? Then it is not tried again. So
    /// it is where another process talks to the host, and there may be one only.
    pub(super) fn failed_in_run(&mut self, job: u32, candidate: u32, at: SimTime) -> bool {
        let copy = self.jobs[job].copy;
        let Keeping::WithinRun { host_status_ns, host_status, .. } = self.config(self.copies[copy].host).sender.keeping else {
            return false;
        };
        if host_status != HostStatus::OfRun && self.leaves_alone(job, candidate, (host_status, host_status_ns), at) {
            return true;
        }
        let (name, number) = (self.tables.candidates.get(candidate).name, self.copies[copy].number);
        let Some(process) = self.process_of(copy) else { return false };
        let Some(failed) = process.failed.get(&name).copied() else { return false };
        if failed.by.0 == number || failed.is_stale(at, host_status_ns) {
            return false;
        }
        let status = self.tables.replies.get(failed.reply).enhanced.unwrap_or(self.rules(self.copies[copy].host).session.refused);
        self.note_effect(job, Effect::Next(status), failed.reply, true);
        let why = passed_by::failed_in_run(self.tables.names.text(name), &self.model.clock().moment(failed.at));
        self.tell_passed_by(job, why);
        true
    }

    /// `HostStatusDirectory` and `SingleThreadDelivery`: is there a file that says not to try the host, or a lock on it?
    #[cold]
    #[inline(never)]
    fn leaves_alone(&mut self, job: u32, candidate: u32, (status, lasts_ns): (HostStatus, u64), at: SimTime) -> bool {
        let copy = self.jobs[job].copy;
        let (host, own) = (self.copies[copy].host, (self.copies[copy].number, self.copies[copy].pass));
        let name = self.tables.candidates.get(candidate).name;
        let words = self.tables.names.text(name).to_owned();
        if self.goes_on_in_run(copy, name) {
            if status == HostStatus::SharedAndAlone {
                self.connects_alone(job, (host, name), at);
            }
            return false;
        }
        let known = self.mail_runs.status.get(&(host, name)).and_then(|known| known.at(at)).flatten();
        if let Some(failed) = known.filter(|failed| failed.by != own && !failed.is_stale(at, lasts_ns)) {
            let enhanced = self.tables.replies.get(failed.reply).enhanced.unwrap_or(self.rules(host).session.refused);
            self.note_effect(job, Effect::Next(enhanced), failed.reply, true);
            let (ago, lasts) = (crate::base::duration(at.since(failed.at)), crate::base::duration(lasts_ns));
            let why = format!("not tried: it failed {ago} ago, and Timeout.hoststatus is {lasts}");
            self.tell_passed_by(job, because("STATUS", words, why, "Sendmail HostStatusDirectory"));
            return true;
        }
        if status == HostStatus::SharedAndAlone && (self.is_open_elsewhere(copy, name) || !self.connects_alone(job, (host, name), at)) {
            let reply = self.tables.reply(0, Enhanced(4, 4, 5), &format!("another process talks to {words}"));
            self.note_effect(job, Effect::Next(Enhanced(4, 4, 5)), reply, false);
            let why = "not tried: another process talks to it, and there may be one only";
            self.tell_passed_by(job, because("STATUS", words, why, "Sendmail SingleThreadDelivery"));
            return true;
        }
        false
    }

    /// Has the copy's own process a connection to this host open?
    fn goes_on_in_run(&mut self, copy: u32, name: NameId) -> bool {
        self.process_of(copy).is_some_and(|process| process.open.iter().any(|kept| kept.name == name))
    }

    /// Has another process of the machine one?
    fn is_open_elsewhere(&self, copy: u32, name: NameId) -> bool {
        let own = self.mail_runs.of_copy.get(&copy).map(|(_, number)| *number);
        let runs = self.mail_runs.runs.get(&self.copies[copy].host);
        let others = runs.into_iter().flatten().filter(|(number, _)| Some(**number) != own);
        others.flat_map(|(_, process)| &process.open).any(|kept| kept.name == name)
    }

    /// What the machine's processes share of hosts, if they do.
    pub(super) fn host_status_of(&self, host: HostId) -> HostStatus {
        match self.config(host).sender.keeping {
            Keeping::WithinRun { host_status, .. } => host_status,
            Keeping::Never | Keeping::Cache(_) | Keeping::ForWaiting { .. } | Keeping::Sessions(_) => HostStatus::OfRun,
        }
    }

    /// A host failed: its run leaves it alone.
    pub(super) fn host_failed(&mut self, job: u32, candidate: u32, reply: u32, at: SimTime) {
        let copy = self.jobs[job].copy;
        let (name, row) = (self.tables.candidates.get(candidate).name, &self.copies[copy]);
        let (host, failed) = (row.host, Failed { by: (row.number, row.pass), reply, at });
        if let Some(process) = self.process_of(copy) {
            process.failed.insert(name, failed);
        }
        if self.host_status_of(host) != HostStatus::OfRun {
            let now = self.now;
            self.mail_runs.status.entry((host, name)).or_default().learn(now, at, Some(failed));
            self.disconnects(job, at);
        }
    }

    /// Has the job's run a connection to this candidate open? Then the job has it.
    pub(super) fn line_of_run(&mut self, job: u32, goal: &Goal, at: SimTime) {
        let copy = self.jobs[job].copy;
        let Keeping::WithinRun { idle_ns, .. } = self.config(self.copies[copy].host).sender.keeping else { return };
        let name = self.tables.candidates.get(goal.candidate).name;
        let Some(process) = self.process_of(copy) else { return };
        process.open.retain(|kept| at <= kept.since.after(idle_ns));
        if let Some(place) = process.open.iter().position(|kept| kept.name == name && kept.leads_to(goal)) {
            let kept = process.open.remove(place);
            self.connections.uses.entry(job).or_default().taken = Some(kept);
        }
    }

    /// A session of a run is over: `stays`: its connection may be kept; `works`: the host is no failure.
    pub(super) fn keep_in_run(&mut self, job: u32, kept: Kept, (stays, works): (bool, bool), reply: u32) {
        let copy = self.jobs[job].copy;
        let Keeping::WithinRun { connections, .. } = self.config(self.copies[copy].host).sender.keeping else { return };
        let candidate = self.jobs[job].line.candidate;
        if !works {
            return self.host_failed(job, candidate, reply, self.now);
        }
        let host = self.copies[copy].host;
        if self.host_status_of(host) != HostStatus::OfRun {
            let now = self.now;
            if let Some(known) = self.mail_runs.status.get_mut(&(host, kept.name)) {
                known.learn(now, now, None);
            }
            self.disconnects(job, self.now);
        }
        let Some(process) = self.process_of(copy) else { return };
        process.failed.remove(&kept.name);
        if !stays || connections == 0 {
            return;
        }
        if process.open.len() >= connections as usize
            && let Some(oldest) = (0..process.open.len()).min_by_key(|place| process.open[*place].since)
        {
            process.open.remove(oldest);
        }
        process.open.push(kept);
    }
}
