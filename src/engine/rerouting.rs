//! What do other settings do to mail that lies in the queues of an Exchange server?
//!
//! Mail stays in the queue that it lies in. It is routed again at once where its Send connector is removed or disabled, loses a source server, or
//! changes between smart hosts and DNS; otherwise only when its queue is emptied (MaxIdleTimeBeforeResubmit) or by `Retry-Queue` with `Resubmit`.
//! QUE-4 says so at each attempt that a fresh choice would send elsewhere. Smart hosts that were edited count from the next attempt on. What lies in
//! the Unreachable queue is freed by any change that gives it a way, and what is on its way to servers and mailboxes inside follows them.
//! Sources: "Message Rerouting and the Unreachable Queue" (TechNet bb232161).

use super::route::Stop;
use super::world::{RecipientState, World};
use crate::base::HostId;
use crate::decide::because;
use crate::model::exchange_server::SendConnector;
use crate::trace::level::STEPS;
use crate::trace::{Concern, DestinationKey, NONE};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// Why a message that waited is looked at.
pub(super) const ROUTED_AGAIN: &str = "the settings changed, and it is routed again";
const SOURCE: &str = "Message Rerouting and the Unreachable Queue";

/// A recipient of mail that waits, before the settings change.
pub(super) struct Waiting<'m> {
    copy: u32,
    index: u16,
    before: Before<'m>,
}

/// Where it lies.
enum Before<'m> {
    Unreachable,
    /// In the queue of a Send connector, or of its source servers.
    Connector(u32, &'m SendConnector),
    /// On its way to a server or a mailbox inside.
    Inside(u32),
}

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// What lies in queues of Exchange servers, as the settings that are about to end put it there.
    pub(super) fn what_waits(&mut self) -> Vec<Waiting<'m>> {
        let mut waiting = Vec::new();
        if self.plain {
            return waiting;
        }
        for copy in self.copies.rows_where(|copy| copy.pass > 0 && !copy.closed) {
            let row = &self.copies[copy];
            let (host, message, tenant) = (row.host, row.message, row.tenant);
            if !self.queues_retry(host) {
                continue;
            }
            let pending = (0u16..).zip(&row.recipients).filter(|(_, recipient)| recipient.state == RecipientState::Pending);
            let pending: SmallVec<[(u16, u16); 2]> = pending.map(|(place, recipient)| (place, recipient.index)).collect();
            for (place, index) in pending {
                let template = self.recipient_template(message, index);
                let stop = self.known_stop(copy, host, tenant, template, self.messages[message].address_number);
                let stays = self.transport_queues.staying.get(&(copy, index)).copied();
                let before = match (stays, self.queue_known_of(copy, place), stop) {
                    (Some(destination), ..) => self.lies_in(host, destination),
                    (None, Some(NONE), _) => Before::Unreachable,
                    (None, Some(queue), _) => self.lies_in(host, self.queues[queue as usize].destination),
                    (None, None, Stop::To(destination)) => self.lies_in(host, destination),
                    (None, None, Stop::Wait(_)) => Before::Unreachable,
                    (None, None, _) => continue,
                };
                waiting.push(Waiting { copy, index, before });
            }
        }
        waiting
    }

    fn lies_in(&self, host: HostId, destination: u32) -> Before<'m> {
        let name = &self.tables.destinations.get(destination).connector;
        let connectors = self.organization_of(host).map_or(&[][..], |organization| &organization.send_connectors);
        match connectors.iter().find(|connector| connector.name == *name) {
            Some(connector) => Before::Connector(destination, connector),
            None => Before::Inside(destination),
        }
    }

    /// The queue where a recipient lies, if its copy waits in one only or an administrator found it there; `NONE` = the Unreachable queue.
    fn queue_known_of(&self, copy: u32, place: u16) -> Option<u32> {
        self.transport_queues.operations.lies_in(copy, place).or_else(|| match self.transport_queues.waits.get(&copy)?.queues.as_slice() {
            [] => Some(NONE),
            _ => None,
        })
    }

    /// Settings changed: what they move is routed again.
    pub(super) fn resubmit_what_waits(&mut self, waiting: Vec<Waiting<'m>>) {
        let mut again: BTreeSet<u32> = BTreeSet::new();
        for Waiting { copy, index, before } in waiting {
            let (host, message, tenant) = (self.copies[copy].host, self.copies[copy].message, self.copies[copy].tenant);
            let template = self.recipient_template(message, index);
            let now = self.known_stop(copy, host, tenant, template, self.messages[message].address_number);
            let moves = match before {
                Before::Unreachable => !matches!(now, Stop::Wait(_)),
                Before::Inside(destination) => match now {
                    Stop::To(now) => {
                        let (was, is) = (self.tables.destinations.get(destination), self.tables.destinations.get(now));
                        was.connector != is.connector || was.configured != is.configured || is_inside(was) != is_inside(is)
                    }
                    _ => true,
                },
                Before::Connector(destination, connector) => {
                    self.transport_queues.staying.remove(&(copy, index));
                    let stays = self.stays_with(host, (message, template), destination, connector);
                    if let Some(stays) = stays.filter(|stays| now != Stop::To(*stays)) {
                        self.transport_queues.staying.insert((copy, index), stays);
                    }
                    stays.is_none()
                }
            };
            if moves {
                again.insert(copy);
            }
        }
        for copy in again {
            if self.copies[copy].jobs > 0 {
                self.moves_later(copy);
                continue;
            }
            let Some(unreachable) = self.transport_queues.waits.get(&copy).map(|wait| wait.queues.is_empty()) else { continue };
            if self.copies[copy].jobs == 0 && !self.all_held(copy, unreachable) {
                self.route_again(copy, ROUTED_AGAIN);
            }
        }
    }

    /// What is in the middle of an attempt is routed again when that has failed; what only stands in line leaves it.
    fn moves_later(&mut self, copy: u32) {
        self.transport_queues.operations.moved.insert(copy);
        for job in self.jobs.rows_where(|job| job.copy == copy) {
            if self.is_in_line(job) {
                let queue = self.jobs[job].queue;
                self.leaves_the_line(job);
                self.note_left(copy, queue);
            }
        }
        if self.copies[copy].jobs == 0 {
            self.end_pass(copy);
        }
    }

    /// Where a recipient in the queue of a connector stays, as that connector is now; `None` = nowhere.
    fn stays_with(&mut self, host: HostId, (message, template): (u32, u32), destination: u32, before: &SendConnector) -> Option<u32> {
        let connectors = &self.organization_of(host)?.send_connectors;
        let now = connectors.iter().find(|connector| connector.name == before.name)?;
        let key = self.tables.destinations.get(destination);
        let (inside, rule) = (is_inside(key), key.rule);
        let switched = now.dns_routing != before.dns_routing || !inside && now.dns_routing == key.configured;
        let lost_a_server = before.sources.iter().any(|source| !now.sources.contains(source)) || !inside && !now.sources.contains(&host);
        if !now.enabled || switched || lost_a_server {
            return None;
        }
        if inside {
            return Some(destination);
        }
        let domain = self.tables.templates.get(template).expand(self.messages[message].address_number).domain;
        match self.by_connector(now, host, (&domain, rule), &mut SmallVec::new()) {
            Stop::To(destination) => Some(destination),
            _ => None,
        }
    }

    /// The queue that a recipient stays in, although a fresh choice would send it elsewhere.
    #[cold]
    #[inline(never)]
    pub(super) fn queue_that_holds(&mut self, copy: u32, index: u16) -> Option<Stop> {
        let destination = *self.transport_queues.staying.get(&(copy, index))?;
        if self.writes(STEPS) {
            let why = "the message lies in its queue: of all edits only its removal, disabling, the loss of a source server or a change between smart \
                       hosts and DNS would free it, or MaxIdleTimeBeforeResubmit";
            let reason = because("QUE-4", self.tables.destinations.get(destination).connector.clone(), why, SOURCE);
            let stored = self.store_reasons("which Send connector?", self.copies[copy].host, NONE, &[reason], &[]);
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
        Some(Stop::To(destination))
    }

    /// Where a recipient goes at its next attempt.
    pub(super) fn stop_at_present(&mut self, copy: u32, index: u16, host: HostId, (tenant, template, number): (u32, u32, u64)) -> Stop {
        match self.transport_queues.staying.get(&(copy, index)) {
            Some(destination) => Stop::To(*destination),
            None => self.known_stop(copy, host, tenant, template, number),
        }
    }

    /// The queues of a copy are emptied into the categorizer: nothing holds it any more.
    pub(super) fn no_longer_stays(&mut self, copy: u32) {
        let staying = &mut self.transport_queues.staying;
        let held: SmallVec<[u16; 2]> = staying.range((copy, 0)..=(copy, u16::MAX)).map(|((_, index), _)| *index).collect();
        for index in held {
            staying.remove(&(copy, index));
        }
    }
}

/// Does it lead to another server of the organization?
fn is_inside(key: &DestinationKey) -> bool {
    key.rule.starts_with("INT-")
}
