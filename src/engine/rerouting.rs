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
            let pending = row.recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending);
            let pending: SmallVec<[u16; 2]> = pending.map(|recipient| recipient.index).collect();
            for index in pending {
                let template = self.recipient_template(message, index);
                let stays = self.transport_queues.staying.get(&(copy, index)).copied();
                let stop = match stays {
                    Some(destination) => Stop::To(destination),
                    None => self.known_stop(copy, host, tenant, template, self.messages[message].address_number),
                };
                let before = match stop {
                    Stop::To(destination) => {
                        self.lies_in(host, self.only_queue_of(copy).filter(|_| stays.is_none()).unwrap_or(destination))
                    }
                    Stop::Wait(_) => Before::Unreachable,
                    _ => continue,
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

    /// The destination of the one queue that a copy waits in, if all of it does.
    fn only_queue_of(&self, copy: u32) -> Option<u32> {
        match self.transport_queues.waits.get(&copy)?.queues.as_slice() {
            [queue] => Some(self.queues[*queue as usize].destination),
            _ => None,
        }
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
            if self.copies[copy].jobs == 0 && self.transport_queues.waits.remove(&copy).is_some() {
                self.pass_row(copy, self.now, "the settings changed, and it is routed again");
                self.wake_copy(copy, self.now);
            }
        }
    }

    /// Where a recipient in the queue of a connector stays, as that connector is now; `None` = nowhere.
    fn stays_with(&mut self, host: HostId, (message, template): (u32, u32), destination: u32, before: &SendConnector) -> Option<u32> {
        let connectors = &self.organization_of(host)?.send_connectors;
        let now = connectors.iter().find(|connector| connector.name == before.name)?;
        let lost_a_server = before.sources.iter().any(|source| !now.sources.contains(source));
        if !now.enabled || now.dns_routing != before.dns_routing || lost_a_server {
            return None;
        }
        let key = self.tables.destinations.get(destination);
        if is_inside(key) {
            return Some(destination);
        }
        let rule = key.rule;
        let domain = self.tables.templates.get(template).expand(self.messages[message].address_number).domain;
        match self.by_connector(now, host, (&domain, rule), &mut SmallVec::new()) {
            Stop::To(destination) => Some(destination),
            _ => None,
        }
    }

    /// The queue that a recipient stays in, although a fresh choice would send it elsewhere.
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
