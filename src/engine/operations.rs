//! An administrator at the queues of an Exchange server: what is held back, tried at once, taken away.
//!
//! What is just being handed over is not stopped; it is held, taken away (`removal`) or routed again when its attempt has failed. What is held stays in the queue where it lies, also when
//! the settings change or the queue is emptied into the categorizer: only what is not suspended is resubmitted. Suspending a queue holds for mail that
//! comes later too, also where the queue does not exist yet (the cmdlet would not find it). Rules and words stand in `decide::exchange::queue_operation`. Sources:
//! Retry-Queue, Suspend-Queue, Resume-Queue, Suspend-Message, Resume-Message, Remove-Message.

use super::route::Stop;
use super::world::{RecipientState, World};
use crate::base::{HostId, Pattern, SimTime};
use crate::decide::exchange::back_pressure::paused as delivery_is_paused;
use crate::decide::exchange::last_error::RETRIED;
use crate::decide::exchange::queue_operation::{Held, held};
use crate::model::operation::{Operation, OperationKind};
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What is held back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    /// Suspend-Queue (true) and Resume-Queue so far, at which server, for which queues: the last that fits counts.
    orders: Vec<(HostId, Option<Pattern>, bool)>,
    /// Recipients (copy and place) that are suspended, and the queue where they lie; `NONE` stands for the Unreachable queue.
    messages: BTreeMap<(u32, u16), u32>,
    /// Recipients that lie in a queue which is suspended.
    lying: BTreeMap<(u32, u16), u32>,
    /// Recipients in the middle of an attempt, which are taken away when it has failed; with a report or without.
    pub(super) removed: BTreeMap<(u32, u16), bool>,
    /// Copies in the middle of an attempt whose queue is no more as it was: they are routed again when it has failed.
    pub(super) moved: BTreeSet<u32>,
}

impl Operations {
    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.messages.is_empty()
    }

    /// Nothing of a copy is left.
    pub(super) fn forget(&mut self, copy: u32) {
        self.removed.retain(|(of, _), _| *of != copy);
        self.moved.remove(&copy);
        for held in [&mut self.messages, &mut self.lying].into_iter().filter(|held| !held.is_empty()) {
            held.retain(|(of, _), _| *of != copy);
        }
    }

    /// Recipients of a copy lie elsewhere from now on: for each place of it the copy and place where that one is.
    pub(super) fn move_to(&mut self, copy: u32, moved: &[(u32, u16)]) {
        fn rename<V>(held: &mut BTreeMap<(u32, u16), V>, copy: u32, moved: &[(u32, u16)]) {
            if !held.is_empty() {
                let all = std::mem::take(held);
                held.extend(
                    all.into_iter().map(|(key, value)| if key.0 == copy { (moved[usize::from(key.1)], value) } else { (key, value) }),
                );
            }
        }
        rename(&mut self.messages, copy, moved);
        rename(&mut self.lying, copy, moved);
        rename(&mut self.removed, copy, moved);
    }

    /// The queue where a recipient was found when it was held.
    pub(super) fn lies_in(&self, copy: u32, place: u16) -> Option<u32> {
        self.messages.get(&(copy, place)).or_else(|| self.lying.get(&(copy, place))).copied()
    }
}

/// Recipients (places in their copy) that lie in one queue.
pub(super) struct Part {
    pub(super) copy: u32,
    /// `NONE`: the Unreachable queue.
    pub(super) queue: u32,
    /// Which job has them.
    pub(super) job: Option<u32>,
    pub(super) places: SmallVec<[u16; 4]>,
}

impl Part {
    /// Copy, place and queue of each recipient.
    fn held(&self) -> impl Iterator<Item = (u32, u16, u32)> {
        self.places.iter().map(|place| (self.copy, *place, self.queue))
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Carries out one cmdlet.
    pub(super) fn operate(&mut self, operation: &Operation) {
        let (model, now) = (self.model, self.now);
        let mut operation = operation.clone();
        // Nobody answers where the server is down: the cmdlet fails there.
        operation.servers.retain(|server| self.faults.down(model, *server, None, now).is_none());
        if !operation.servers.is_empty() {
            self.carry_out(&operation);
        }
    }

    fn carry_out(&mut self, operation: &Operation) {
        match operation.kind {
            OperationKind::RetryQueue { resubmit } => self.retry_queue(operation, resubmit),
            OperationKind::SuspendQueue | OperationKind::ResumeQueue => {
                let suspends = operation.kind == OperationKind::SuspendQueue;
                let there = if suspends { self.meant(operation) } else { Vec::new() };
                let orders = operation.servers.iter().map(|server| (*server, operation.queue.clone(), suspends));
                self.transport_queues.operations.orders.extend(orders);
                for part in &there {
                    let lying = &mut self.transport_queues.operations.lying;
                    let known = part.held().filter(|(copy, place, queue)| lying.insert((*copy, *place), *queue) == Some(*queue)).count();
                    if known == 0 {
                        self.say_held(part, Held::Queue);
                    }
                }
                self.forget_who_is_free();
                self.look_again(operation);
            }
            OperationKind::SuspendMessage => {
                for part in self.meant(operation) {
                    let messages = &mut self.transport_queues.operations.messages;
                    let known = part.held().filter(|(copy, place, queue)| messages.insert((*copy, *place), *queue).is_some()).count();
                    if known == 0 {
                        self.say_held(&part, Held::Message);
                    }
                }
                self.look_again(operation);
            }
            OperationKind::ResumeMessage => {
                for (copy, place, queue) in self.meant(operation).iter().flat_map(Part::held) {
                    let messages = &mut self.transport_queues.operations.messages;
                    if messages.get(&(copy, place)) == Some(&queue) {
                        messages.remove(&(copy, place));
                    }
                }
                self.look_again(operation);
            }
            OperationKind::RemoveMessage { with_ndr } => {
                for part in self.meant(operation) {
                    self.remove_part(part, with_ndr);
                }
            }
        }
    }

    /// Does something hold a copy back in a queue?
    pub(super) fn held_in(&self, copy: u32, queue: u32) -> Option<Held> {
        let operations = &self.transport_queues.operations;
        if operations.is_empty() {
            return None;
        }
        if operations.messages.range((copy, 0)..=(copy, u16::MAX)).any(|(_, lies_in)| *lies_in == queue) {
            return Some(Held::Message);
        }
        self.is_suspended(self.copies[copy].host, queue).then_some(Held::Queue)
    }

    /// Where a recipient stays that would join a queue, and why, if something holds it.
    fn held_at(&self, copy: u32, place: u16, queue: u32) -> Option<(u32, Held)> {
        let operations = &self.transport_queues.operations;
        let lies_in = operations.lies_in(copy, place).unwrap_or(queue);
        if operations.messages.contains_key(&(copy, place)) {
            return Some((lies_in, Held::Message));
        }
        let host = self.copies[copy].host;
        let suspended = [lies_in, queue].into_iter().find(|queue| self.is_suspended(host, *queue));
        suspended.map(|queue| (queue, Held::Queue))
    }

    /// Is all that is left of a copy held where it lies?
    pub(super) fn all_held(&self, copy: u32, in_unreachable: bool) -> bool {
        let operations = &self.transport_queues.operations;
        if operations.is_empty() {
            return false;
        }
        let row = &self.copies[copy];
        let pending = (0u16..).zip(&row.recipients).filter(|(_, recipient)| recipient.state == RecipientState::Pending);
        pending.into_iter().all(|(place, _)| {
            let lies_in = operations.lies_in(copy, place).or(in_unreachable.then_some(NONE));
            operations.messages.contains_key(&(copy, place)) || lies_in.is_some_and(|queue| self.is_suspended(row.host, queue))
        })
    }

    /// Who lay in a queue that is not suspended any more goes its way.
    fn forget_who_is_free(&mut self) {
        let lying = std::mem::take(&mut self.transport_queues.operations.lying);
        let still = |(copy, _): (u32, u16), queue: u32| self.is_suspended(self.copies[copy].host, queue);
        let lying = lying.into_iter().filter(|(key, queue)| still(*key, *queue)).collect();
        self.transport_queues.operations.lying = lying;
    }

    fn is_suspended(&self, host: HostId, queue: u32) -> bool {
        let orders = self.transport_queues.operations.orders.iter().rev();
        let last = orders.into_iter().find(|(server, pattern, _)| *server == host && self.is_called(queue, pattern.as_ref()));
        last.is_some_and(|(.., suspends)| *suspends)
    }

    /// A job is about to join its queue: is it held back there? Then its recipients wait without an attempt.
    pub(super) fn put_aside(&mut self, job: u32) -> bool {
        let (copy, queue) = (self.jobs[job].copy, self.jobs[job].queue);
        let host = self.copies[copy].host;
        let paused = self.delivery_paused(host);
        if paused.is_none() && self.transport_queues.operations.is_empty() {
            return false;
        }
        self.waits_no_longer(job);
        let places = std::mem::take(&mut self.jobs[job].recipients);
        let mut told: Vec<((u32, Option<Held>), u32, u32)> = Vec::new();
        for place in places {
            let lies = match (self.held_at(copy, place, queue), paused) {
                (Some((queue, what)), _) => (queue, Some(what)),
                (None, Some(_)) => (queue, None),
                (None, None) => {
                    self.jobs[job].recipients.push(place);
                    continue;
                }
            };
            let (reply, stored) = match told.iter().find(|(known, ..)| *known == lies) {
                Some((_, reply, stored)) => (*reply, *stored),
                None => {
                    let decision = match (lies.1, paused) {
                        (None, Some((pressure, _))) => delivery_is_paused(&self.model.hosts[host.index()].name, pressure),
                        (what, _) => held(what.unwrap_or(Held::Queue), &self.called(lies.0)),
                    };
                    let reply = self.tables.replies.intern(decision.outcome.clone());
                    let stored = self.store("may it leave?", host, NONE, &decision);
                    told.push((lies, reply, stored));
                    (reply, stored)
                }
            };
            if lies.1 == Some(Held::Queue) {
                self.transport_queues.operations.lying.insert((copy, place), lies.0);
            }
            let recipient = &mut self.copies[copy].recipients[usize::from(place)];
            (recipient.reply, recipient.said_by) = (reply, NONE);
            let index = recipient.index;
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
        for ((queue, _), ..) in told.iter().filter(|((queue, _), ..)| *queue != NONE) {
            self.note_left(copy, *queue);
        }
        if !self.jobs[job].recipients.is_empty() {
            return false;
        }
        self.jobs.remove(job);
        self.copies[copy].jobs -= 1;
        if self.copies[copy].jobs == 0 {
            self.end_pass(copy);
        }
        true
    }

    /// What an operation on messages is about.
    fn meant(&mut self, operation: &Operation) -> Vec<Part> {
        let on_them = |copy: &super::world::Copy| operation.servers.contains(&copy.host) && !copy.closed;
        let mut parts = Vec::new();
        for copy in self.copies.rows_where(on_them) {
            let from = operation.from.as_ref().is_none_or(|from| from.matches(&self.sender_text_of(copy)));
            if from && self.has_recipient(copy, operation.to.as_ref()) {
                parts.extend(self.parts_of(copy));
            }
        }
        parts.retain(|part| self.is_called(part.queue, operation.queue.as_ref()));
        parts
    }

    fn has_recipient(&self, copy: u32, pattern: Option<&Pattern>) -> bool {
        let Some(pattern) = pattern else { return true };
        let message = self.copies[copy].message;
        let number = self.messages[message].address_number;
        let pending = self.copies[copy].recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending);
        pending.into_iter().any(|recipient| {
            let template = self.recipient_template(message, recipient.index);
            pattern.matches(&self.tables.templates.get(template).expand(number).to_string())
        })
    }

    /// What is pending of a copy, by queue.
    fn parts_of(&mut self, copy: u32) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let in_jobs = self.jobs.rows_where(|job| job.copy == copy && !job.recipients.is_empty());
        for job in in_jobs {
            let row = &self.jobs[job];
            parts.push(Part { copy, queue: row.queue, job: Some(job), places: row.recipients.iter().copied().collect() });
        }
        let (host, message, tenant) = (self.copies[copy].host, self.copies[copy].message, self.copies[copy].tenant);
        let number = self.messages[message].address_number;
        for place in 0..self.copies[copy].recipients.len() as u16 {
            let recipient = self.copies[copy].recipients[usize::from(place)];
            if recipient.state != RecipientState::Pending || parts.iter().any(|part| part.job.is_some() && part.places.contains(&place)) {
                continue;
            }
            let template = self.recipient_template(message, recipient.index);
            let queue = match self.transport_queues.operations.lies_in(copy, place) {
                Some(queue) => queue,
                None => match self.stop_at_present(copy, recipient.index, host, (tenant, template, number)) {
                    Stop::To(destination) => self.queue_of(host, destination),
                    Stop::Wait(_) => NONE,
                    _ => continue,
                },
            };
            match parts.iter_mut().find(|part| part.job.is_none() && part.queue == queue) {
                Some(part) => part.places.push(place),
                None => parts.push(Part { copy, queue, job: None, places: smallvec::smallvec![place] }),
            }
        }
        parts
    }

    /// Something was suspended or resumed: who waits in line steps aside, and who waits for an attempt learns when that is.
    fn look_again(&mut self, operation: &Operation) {
        for queue in 0..self.queues.len() as u32 {
            if operation.servers.contains(&self.queues[queue as usize].host) {
                self.count_time_in_retry(queue, self.is_suspended(self.queues[queue as usize].host, queue));
                let line: Vec<u32> = self.queues[queue as usize].waiting.iter().copied().collect();
                let gone: Vec<u32> = line.into_iter().filter(|job| self.held_in(self.jobs[*job].copy, queue).is_some()).collect();
                self.queues[queue as usize].waiting.retain(|job| !gone.contains(job));
                for job in gone {
                    self.put_aside(job);
                }
            }
        }
        let waits = self.transport_queues.waits.keys().copied();
        let waiting: Vec<u32> = waits.filter(|copy| operation.servers.contains(&self.copies[*copy].host)).collect();
        for copy in waiting {
            let wait = self.transport_queues.waits[&copy].clone();
            let moment = |queue: &u32| {
                let dead_until = self.queues[*queue as usize].dead_until;
                match self.held_in(copy, *queue) {
                    Some(_) => SimTime::NEVER,
                    None if dead_until > self.now => dead_until,
                    None if wait.next < SimTime::NEVER => wait.next,
                    None => self.now,
                }
            };
            let next = wait.queues.iter().map(moment).min().unwrap_or(wait.next);
            if next == wait.next {
                continue;
            }
            let why = if next == SimTime::NEVER {
                "suspended: no attempt until an administrator resumes it"
            } else {
                "resumed by an administrator"
            };
            let ends = self.end_of_wait(copy, &wait.queues).unwrap_or(SimTime::NEVER);
            self.pass_row(copy, next.min(ends), why);
            if let Some(wait) = self.transport_queues.waits.get_mut(&copy) {
                wait.next = next;
            }
            self.sleep_on(copy, next, ends);
        }
        // What was held while the settings changed goes where they say now.
        let waiting = self.what_waits();
        self.resubmit_what_waits(waiting);
    }

    /// Notes with recipients that wait already, in no line, why they wait longer.
    fn say_held(&mut self, part: &Part, what: Held) {
        if part.job.is_some() {
            return;
        }
        let decision = held(what, &self.called(part.queue));
        let reply = self.tables.replies.intern(decision.outcome.clone());
        let stored = self.store("may it leave?", self.copies[part.copy].host, NONE, &decision);
        for place in &part.places {
            let recipient = &mut self.copies[part.copy].recipients[usize::from(*place)];
            (recipient.reply, recipient.said_by) = (reply, NONE);
            let index = recipient.index;
            self.trace_decisions(part.copy, Concern::recipient(index), &[stored]);
        }
    }

    /// `Retry-Queue`: queues in Retry are tried now, and with `Resubmit` all that lies in them is routed again.
    fn retry_queue(&mut self, operation: &Operation, resubmit: bool) {
        let mut tried: BTreeSet<u32> = BTreeSet::new();
        for queue in 0..self.queues.len() as u32 {
            let row = &self.queues[queue as usize];
            let meant = operation.servers.contains(&row.host) && self.is_called(queue, operation.queue.as_ref());
            if meant && !self.is_suspended(row.host, queue) && (resubmit || row.dead_until > self.now) {
                self.queues[queue as usize].dead_until = SimTime::ZERO;
                tried.insert(queue);
            }
        }
        let unreachable = resubmit && self.is_called(NONE, operation.queue.as_ref());
        let waits = self.transport_queues.waits.iter().filter(|(copy, wait)| {
            let there = operation.servers.contains(&self.copies[**copy].host);
            let free = |queue: &&u32| tried.contains(*queue) && self.held_in(**copy, **queue).is_none();
            let lost = wait.queues.is_empty();
            there && !self.all_held(**copy, lost) && (wait.queues.iter().any(|queue| free(&queue)) || unreachable && lost)
        });
        let waiting: Vec<u32> = waits.map(|(copy, _)| *copy).collect();
        let why = if resubmit { "Retry-Queue with Resubmit: it is routed again" } else { RETRIED };
        for copy in waiting {
            if resubmit {
                self.no_longer_stays(copy);
                self.route_again(copy, why);
                continue;
            }
            self.leaves_its_queues(copy);
            self.pass_row(copy, self.now, why);
            self.wake_copy(copy, self.now);
        }
    }
}
