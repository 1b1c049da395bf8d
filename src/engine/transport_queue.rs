//! Queues of an Exchange server: one schedule for each queue, not one for each message.
//!
//! A queue whose hosts all failed is in Retry: what lies in it and what joins it waits for its next attempt, a minute later four times, five minutes
//! later six times, then every ten. A single message that a working host puts off has a wait of its own. What no connector matches waits without
//! any schedule. Twelve hours in Retry send what waits through the rule book again; some changes of connectors do (`rerouting`). Connections to one place grow with
//! the queue: one more for every twenty messages; what stands in line follows over a connection that is open (`kept`). Sources: Exchange Server "Message
//! retry, resubmit, and expiration intervals", "Queues".

use super::session::SessionEnd;
use super::world::World;
use crate::base::{ConfigId, ConnectionResult, HostId, SimTime};
use crate::decide::exchange::internal_route::Way;
use crate::decide::exchange::last_error::{EMPTIED, IN_RETRY, RETRIED};
use crate::decide::retry::queue_wait;
use crate::model::exchange_server::{Organization, Transport};
use crate::model::settings::Retry;
use crate::trace::NONE;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What the servers that work so remember.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransportQueues {
    /// The run is over as soon as all that is left waits for an administrator.
    pub(crate) until_settled: bool,
    /// Which sites lie on the way to a destination inside, by settings and destination.
    pub(super) ways: BTreeMap<(ConfigId, u32), Way>,
    /// Sessions with Exchange 2010 that wait for the server's last word.
    pub(super) acknowledgements: super::acknowledgement::Acknowledgements,
    /// Second copies of what is under way or delivered.
    pub(super) redundancy: super::safety_net::Redundancy,
    schedules: BTreeMap<u32, Schedule>,
    /// Since when a queue is suspended.
    suspended_at: BTreeMap<u32, SimTime>,
    /// When what waits in a queue was last brought into order.
    pub(super) lined_up: BTreeMap<u32, SimTime>,
    /// When something last left a queue without an attempt.
    pub(super) left_at: BTreeMap<u32, SimTime>,
    /// Queues in which something of a copy was left in this pass.
    left: BTreeMap<u32, SmallVec<[u32; 2]>>,
    pub(super) waits: BTreeMap<u32, Wait>,
    /// Recipients of copies that stay in the queue of a connector which is not the one that would be chosen now: copy and recipient, destination.
    pub(super) staying: BTreeMap<(u32, u16), u32>,
    /// Connections of each server in all.
    pub(super) in_all: super::in_all::InAll,
    /// Since when the organization has copies that came from another of its servers.
    pub(super) ages: super::age::Ages,
    /// Copies that a server refused for want of something, and that stay with the mailbox that sent them.
    pub(super) in_mailboxes: BTreeSet<u32>,
    /// Copies that a shadow or a Safety Net sends again, and that have not been looked at yet.
    pub(super) resubmitted: BTreeSet<u32>,
    /// Copies that an edit or an administrator sent through the categorizer again: they come to their queues as new ones.
    pub(super) routed_again: BTreeSet<u32>,
    /// What administrators hold back.
    pub(super) operations: super::operations::Operations,
    /// The front end that the connection of a job leaves through.
    pub(super) front_ends: BTreeMap<u32, HostId>,
}

impl TransportQueues {
    pub(crate) fn new(until_settled: bool) -> Self {
        Self { until_settled, ..Self::default() }
    }

    /// What a pass left is not counted: the machine stopped.
    pub(super) fn forget_left(&mut self, copy: u32) {
        self.left.remove(&copy);
    }

    /// A queue is gone.
    pub(super) fn forget_schedule(&mut self, queue: u32) {
        self.schedules.remove(&queue);
    }
}

/// A queue whose last attempt failed.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    failures: u32,
    /// When the first of them began.
    since: SimTime,
    /// When the attempt that is under way began.
    began: SimTime,
}

/// A copy that waits.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) next: SimTime,
    pub(super) queues: SmallVec<[u32; 2]>,
    /// Its queue is emptied into the categorizer then.
    emptied: bool,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does this machine have one schedule for each queue?
    #[inline]
    pub(super) fn queues_retry(&self, host: HostId) -> bool {
        !self.plain && self.rules(host).pass.queues_retry
    }

    pub(super) fn transport(&self, host: HostId) -> Transport {
        self.organization_of(host).map_or_else(Transport::default, |organization| organization.transport)
    }

    /// While a queue is Suspended it is not in Retry: that time does not bring nearer when it is emptied.
    pub(super) fn count_time_in_retry(&mut self, queue: u32, suspended: bool) {
        let queues = &mut self.transport_queues;
        if suspended {
            queues.suspended_at.entry(queue).or_insert(self.now);
        } else if let Some(began) = queues.suspended_at.remove(&queue)
            && let Some(schedule) = queues.schedules.get_mut(&queue)
        {
            schedule.since = schedule.since.after(self.now.since(began.max(schedule.since)));
        }
    }

    /// As many connections as a queue may have now.
    pub(super) fn widen(&mut self, queue: u32) {
        let host = self.queues[queue as usize].host;
        if !self.queues_retry(host) {
            return;
        }
        let (each, most) = (self.transport(host).messages_per_connection.max(1), self.config(host).sender.concurrency.1.max(1));
        // A connection that is open goes on, however short the queue has become meanwhile.
        let goes_on = self.has_free_line(queue);
        let row = &mut self.queues[queue as usize];
        let depth = row.waiting.len() as u32 + row.active;
        let open = row.active + u32::from(goes_on);
        row.window = (1 + depth / each).min(most).max(open);
        if row.dead_until <= self.now && row.active == 0 {
            let schedule = self.transport_queues.schedules.entry(queue);
            schedule.or_insert(Schedule { failures: 0, since: self.now, began: self.now }).began = self.now;
        }
    }

    /// A job of such a machine is over with something left: where its copy waits.
    pub(super) fn note_left(&mut self, copy: u32, queue: u32) {
        if self.queues_retry(self.copies[copy].host) {
            self.transport_queues.left.entry(copy).or_default().push(queue);
        }
    }

    /// Did the job of a new message find its queue in Retry, so that nothing was looked up and nobody called for it?
    pub(super) fn joined_in_retry(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        self.queues_retry(copy.host) && self.comes_anew(row.copy) && row.hop == 0 && row.plan == NONE
    }

    /// Did the channel break in a session with such a machine's mail, at whatever command? A server that closes it says 421 (RFC 5321 §3.8). Then the queue
    /// does not work, and no message of it has been put off.
    pub(super) fn channel_broke(&self, job: u32, end: &SessionEnd) -> bool {
        let broke = || matches!(end.result, ConnectionResult::Dropped | ConnectionResult::Timeout);
        let closed = || end.reply != NONE && self.tables.replies.get(end.reply).code == 421;
        self.queues_retry(self.copies[self.jobs[job].copy].host) && (broke() || closed())
    }

    /// A queue learns from a finished job.
    pub(super) fn schedule_feedback(&mut self, queue: u32, failed: bool, status: u32) {
        let host = self.queues[queue as usize].host;
        let (transport, way) = (self.transport(host), (self.settings[host.index()].id, self.queues[queue as usize].destination));
        let resubmit_ns = transport.resubmit_after_ns;
        let to_mailbox = self.transport_queues.ways.get(&way).is_some_and(|way| way.to_mailbox);
        let mailbox_retry_ns = to_mailbox.then_some(transport.mailbox_retry_ns);
        let retry = &self.config(host).sender.retry;
        let row = &mut self.queues[queue as usize];
        row.active -= 1;
        self.one_less(host);
        let row = &mut self.queues[queue as usize];
        if row.dead_until > self.now {
            return;
        }
        let Some(schedule) = self.transport_queues.schedules.get_mut(&queue) else { return };
        if !failed {
            (schedule.failures, row.dead_until) = (0, SimTime::ZERO);
            return;
        }
        if schedule.failures == 0 {
            schedule.since = schedule.began;
        }
        schedule.failures += 1;
        let wait = mailbox_retry_ns.unwrap_or_else(|| queue_wait(retry, schedule.failures));
        let by_grid = schedule.began.after(wait);
        let mut next = if by_grid > self.now { by_grid } else { self.now.after(wait) };
        if next >= schedule.since.after(resubmit_ns) {
            // The queue is emptied into the categorizer: whatever goes the same way starts a new one.
            next = schedule.since.after(resubmit_ns).max(self.now.after(1));
            schedule.failures = 0;
        }
        (row.dead_until, row.dead_status) = (next, status);
    }

    /// The pass of a copy left something: when it is looked at next.
    pub(super) fn wait_for_queues(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        let queues = self.transport_queues.left.remove(&copy).unwrap_or_default();
        self.transport_queues.routed_again.remove(&copy);
        if self.removed_meanwhile(copy, queues.first().copied().unwrap_or(NONE)) {
            self.leaves_queues(&queues);
            return;
        }
        let Some(ends) = self.end_of_wait(copy, &queues).filter(|ends| *ends > self.now) else {
            self.pass_row(copy, SimTime::NEVER, "the lifetime is over");
            self.leaves_queues(&queues);
            self.expire(copy);
            return;
        };
        if self.transport_queues.operations.moved.remove(&copy) && !self.all_held(copy, queues.is_empty()) {
            self.leaves_queues(&queues);
            self.route_again(copy, super::rerouting::ROUTED_AGAIN);
            return;
        }
        let retry_ns = self.transport(host).message_retry_ns;
        let mut emptied_then = false;
        let paused = self.delivery_paused(host).filter(|_| !queues.is_empty());
        let (mut next, mut why) = match paused {
            _ if self.all_held(copy, queues.is_empty()) => (SimTime::NEVER, "suspended: no attempt until an administrator resumes it"),
            Some((_, until)) => (until, "remote delivery is paused: the server is short of something"),
            None => (SimTime::NEVER, "in the Unreachable queue: no attempt until the settings change"),
        };
        for queue in &queues {
            if paused.is_some() {
                continue;
            }
            if self.held_in(copy, *queue).is_some() {
                if next == SimTime::NEVER {
                    why = "suspended: no attempt until an administrator resumes it";
                }
                continue;
            }
            let dead_until = self.queues[*queue as usize].dead_until;
            let emptied = self.transport_queues.schedules.get(queue).is_some_and(|schedule| schedule.failures == 0);
            let emptied = dead_until > self.now && emptied;
            let (at, words) = if emptied {
                (dead_until, EMPTIED)
            } else if dead_until > self.now {
                (dead_until, IN_RETRY)
            } else {
                (self.now.after(retry_ns), "the queue works, this message waits: MessageRetryInterval")
            };
            if at < next {
                (next, why, emptied_then) = (at, words, emptied);
            }
        }
        let held = !queues.is_empty() && next == SimTime::NEVER;
        if !held && let Some((back, words)) = self.or_at_start(host, next) {
            (next, why, emptied_then) = (back, words, true);
        }
        if next < SimTime::NEVER && ends <= next {
            let is_older = self.since(copy) < self.copies[copy].arrived;
            why = if is_older {
                "its lifetime, since the organization has it, is over before the next attempt"
            } else {
                "its lifetime is over before the next attempt"
            };
        }
        self.pass_row(copy, next.min(ends), why);
        self.transport_queues.waits.insert(copy, Wait { next, queues, emptied: emptied_then });
        self.sleep_on(copy, next, ends);
    }

    /// When a copy that waits in these queues is given up.
    pub(super) fn end_of_wait(&self, copy: u32, queues: &[u32]) -> Option<SimTime> {
        let (host, since) = (self.copies[copy].host, self.since(copy));
        let held = || !queues.is_empty() && queues.iter().all(|queue| self.held_in(copy, *queue).is_some());
        match &self.config(host).sender.retry {
            Retry::Steps { .. } if self.transport(host).suspended_mail_stays && held() => Some(SimTime::NEVER),
            Retry::Steps { lifetime_ns, .. } => Some(since.after(*lifetime_ns)),
            _ => None,
        }
    }

    fn notice_at(&self, copy: u32) -> SimTime {
        let row = &self.copies[copy];
        match &self.config(row.host).sender.retry {
            Retry::Steps { delay_notice_ns, .. } if *delay_notice_ns > 0 && !row.notified && self.hears_of_delays(copy) => {
                self.since(copy).after(*delay_notice_ns)
            }
            _ => SimTime::NEVER,
        }
    }

    /// `InternalDelayDsnEnabled`, `ExternalDelayDsnEnabled`: does the sender of a message hear of its delay?
    fn hears_of_delays(&self, copy: u32) -> bool {
        let Some(organization) = self.organization_of(self.copies[copy].host) else { return true };
        let (inside, outside) = organization.transport.delay_notices;
        if inside == outside {
            return inside;
        }
        let sender = self.sender_text_of(copy);
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        if organization.accepted(&self.tables.names, domain).is_some() { inside } else { outside }
    }

    /// Does this machine leave out connectors whose queue is in Retry?
    pub(super) fn skips_dead_connectors(&self, host: HostId) -> bool {
        self.transport(host).skips_dead_connectors
    }

    /// Connectors with smart hosts whose queue on this machine is in Retry, where the switch says that they count as dead.
    pub(super) fn dead_connectors(&self, host: HostId, organization: &Organization) -> Vec<usize> {
        if !organization.transport.skips_dead_connectors {
            return Vec::new();
        }
        let dead = self.queues.iter().filter(|queue| queue.host == host && queue.dead_until > self.now);
        let keys = dead.map(|queue| self.tables.destinations.get(queue.destination)).filter(|key| key.configured);
        keys.filter_map(|key| organization.send_connectors.iter().position(|connector| connector.name == key.connector)).collect()
    }

    pub(super) fn sleep_on(&mut self, copy: u32, next: SimTime, ends: SimTime) {
        let at = next.min(ends).min(self.notice_at(copy)).max(self.now);
        self.wake_copy(copy, at);
    }

    /// The moment of a copy has come: is it one of its notice or its end, and not of an attempt?
    pub(super) fn still_waits(&mut self, copy: u32) -> bool {
        if self.stays_in_the_mailbox(copy) || self.resubmission_waits(copy) {
            return true;
        }
        let Some(wait) = self.transport_queues.waits.get(&copy) else { return false };
        let (next, ends) = (wait.next, self.end_of_wait(copy, &wait.queues).unwrap_or(SimTime::NEVER));
        if self.now >= ends {
            self.late_end(copy);
            self.expire(copy);
            return true;
        }
        if self.now >= self.notice_at(copy) {
            self.copies[copy].notified = true;
            self.delay_notice(copy);
        }
        if self.now < next {
            self.sleep_on(copy, next, ends);
            return true;
        }
        if self.lines_up(copy) {
            return true;
        }
        // Should it go elsewhere now, this was its last moment in those queues.
        if let Some(wait) = self.transport_queues.waits.remove(&copy) {
            self.leaves_queues(&wait.queues);
            if wait.emptied {
                self.no_longer_stays(copy);
            }
        }
        false
    }

    /// Is nothing left to happen but the end of what lies in Unreachable queues? Then the run waits for an administrator who never comes.
    pub(super) fn waits_for_somebody(&self, copy: u32, event: u64) -> bool {
        let waits = &self.transport_queues.waits;
        let is_lost = |wait: &Wait| wait.next == SimTime::NEVER;
        if !waits.get(&copy).is_some_and(is_lost) || self.copies[copy].waits != event {
            return false;
        }
        self.events.len() < waits.values().filter(|wait| is_lost(wait)).count()
    }

    /// Nothing of a copy is left, or it is somebody else's now.
    pub(super) fn forget_wait(&mut self, copy: u32) {
        self.leaves_its_queues(copy);
        self.transport_queues.left.remove(&copy);
        self.transport_queues.routed_again.remove(&copy);
        self.no_longer_stays(copy);
        self.transport_queues.redundancy.forget(copy);
        self.acknowledge(copy);
        self.transport_queues.operations.forget(copy);
        self.transport_queues.resubmitted.remove(&copy);
    }

    /// `Retry-Queue`: an attempt now; the schedule goes on where it was.
    pub(super) fn retry_queues_now(&mut self, host: HostId) {
        if !self.queues_retry(host) {
            return;
        }
        for queue in self.queues.iter_mut().filter(|queue| queue.host == host) {
            queue.dead_until = SimTime::ZERO;
        }
        let waiting: Vec<u32> = self.transport_queues.waits.keys().copied().filter(|copy| self.copies[*copy].host == host).collect();
        for copy in waiting {
            self.leaves_its_queues(copy);
            self.pass_row(copy, self.now, RETRIED);
        }
    }
}
