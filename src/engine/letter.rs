//! What is a message like where it is now? Facts for rule books that look at more than the recipient.
//!
//! Machines whose rule book looks at recipients only never ask: the part of a routing question that names the message is 0 there. What systems on
//! the way did travels with each copy, beside what authentication needs.

use super::authentication::AtTheDoor;
use super::world::World;
use crate::base::{HostId, Interner};
use crate::decide::acceptance::accepted_domain;
use crate::decide::exchange::junk::JUNK_FROM;
use crate::model::exchange::Tenant;
use crate::model::letter::{Header, Letter, Marks, MessageType, Origin};
use crate::model::settings::Directory;
use crate::trace::NONE;
use std::borrow::Cow;

/// What makes two messages the same to a rule book.
type LetterKey = (u32, u32, u32, u64, u8, u32, u32);

/// Numbers of letters, from 1 on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Letters(Interner<LetterKey>);

/// The message plays no part.
pub(crate) const ANY: u32 = 0;
/// This message is like no other one: an answer about it is not kept.
pub(crate) const UNIQUE: u32 = u32::MAX;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The part of a routing question that names the message of a copy.
    pub(super) fn letter_number(&mut self, copy: u32) -> u32 {
        let row = &self.copies[copy];
        if !self.plain && self.skips_dead_connectors(row.host) || !self.rules_passed.is_empty() && self.has_passed_rules(copy) {
            return UNIQUE;
        }
        let message = &self.messages[row.message];
        let varies = |template: u32| template != NONE && !self.tables.templates.get(template).is_constant();
        let source = self.sources_model.get(message.source as usize).filter(|_| message.kind == 0);
        let sender = self.sender_of(copy);
        if message.kind == super::automatic_reply::ANSWER
            || varies(message.from)
            || varies(sender)
            || source.and_then(|source| source.author.as_ref()).is_some_and(|author| !author.is_constant())
        {
            return UNIQUE;
        }
        let recipients = self.written_recipients(row.message) as u32;
        self.letters.0.intern((sender, message.from, message.source, message.size, message.kind, row.arrival.carried, recipients)) + 1
    }

    /// The message of a copy as a rule book sees it.
    pub(super) fn letter(&self, copy: u32) -> Letter {
        self.letter_with(copy, self.copies[copy].arrival.carried)
    }

    /// The same with what it carries on as it is about to arrive somewhere.
    pub(super) fn letter_with(&self, copy: u32, carried: u32) -> Letter {
        let row = &self.copies[copy];
        let message = &self.messages[row.message];
        let sender = self.sender_text_of(copy);
        let source = self.sources_model.get(message.source as usize).filter(|_| message.kind == 0);
        let author = source.and_then(|source| source.author.as_ref()).map(|author| author.expand(message.address_number).to_string());
        let answer = self.author_of_answer(row.message);
        let own_kind = if answer.is_some() { Some(MessageType::OutOfOffice) } else { source.and_then(|source| source.kind) };
        let said = [Header { name: "Auto-Submitted".into(), value: "auto-replied".into() }];
        let marks = self.marks(carried);
        Letter {
            author: marks
                .author
                .as_deref()
                .map(String::from)
                .or(author)
                .or(answer.clone())
                .unwrap_or_else(|| self.sender_text(row.message))
                .into(),
            sender: sender.into(),
            headers: marks.headers_over(source.map_or(if answer.is_some() { &said } else { &[] }, |source| &source.headers)),
            text: source.map_or("".into(), |source| source.text.clone()),
            kind: if marks.auto_forwarded { Some(MessageType::AutoForward) } else { own_kind },
            size_bytes: message.size,
            scl: marks.scl.or_else(|| source.and_then(|source| source.scl).filter(|_| self.may_be_judged(copy, carried))),
            origin: marks.origin,
            client: marks.client,
            is_report: matches!(message.kind, 1 | 2),
            rule_loops: marks.rule_loops,
            forwards: marks.forwards,
            ruled: marks.ruled,
            stands_in: marks.stands_in,
            inbox: marks.inbox,
            authentic: marks.authentic,
        }
    }

    /// What mail-flow rules see of a message: between a tenant's own people no filter judges it.
    pub(super) fn letter_for_rules<'l>(
        &self,
        copy: u32,
        tenant: &Tenant,
        letter: &'l Letter,
        address: &str,
        domain: &str,
    ) -> Cow<'l, Letter> {
        let is_own = tenant.knows(address) || accepted_domain(tenant, &self.tables.names, domain).is_some();
        if letter.scl.is_none() || self.copies[copy].hops > 0 || !is_own || self.level_written_on(copy).is_some() {
            return Cow::Borrowed(letter);
        }
        Cow::Owned(Letter { scl: None, ..letter.clone() })
    }

    /// Does what a filter would say of a message count? Exchange wrote its level at the door, if it judged it; what its own people send is judged on its
    /// way out.
    fn may_be_judged(&self, copy: u32, carried: u32) -> bool {
        let row = &self.copies[copy];
        match self.config(row.host).receiver.directory {
            Directory::Organization(_) | Directory::Tenants(_) => row.hops == 0 || carried == NONE,
            Directory::Everything | Directory::Mta(_) => true,
        }
    }

    fn marks(&self, carried: u32) -> Marks {
        match carried {
            NONE => Marks::default(),
            carried => self.origins.marks(carried).clone(),
        }
    }

    /// What becomes of a message's marks when it goes through the door of another machine.
    pub(super) fn mark_at_door(&mut self, door: AtTheDoor, marks: &mut Marks) {
        let job = &self.jobs[door.job];
        let client = self.copies[job.copy].host;
        let stamps = self.tables.destinations.get(self.queues[job.queue as usize].destination).stamps;
        let kept = self.keeps_headers(door.job, door.server);
        if stamps != NONE {
            marks.stamp(self.tables.stamps.get(stamps));
        } else if self.model.hosts[client.index()].system != self.model.hosts[door.server.index()].system {
            marks.scl = None;
        }
        self.name_originator(door, self.copies[job.copy].tenant, marks);
        marks.scl = self.level_at_door(door, marks.scl, kept);
        (marks.ruled, marks.stands_in) = (None, false);
        marks.client = self.seen_address(door.job, client, job.line.address);
        let before = marks.origin;
        marks.origin = self.origin_at_door(door, before, kept);
        if marks.origin.is_internal() {
            marks.lost_at = None;
        } else {
            self.note_lost_standing(door, before, kept, marks.lost_at.as_ref());
            marks.lost_at = if before.is_internal() { self.where_lost(door, kept) } else { marks.lost_at.take() };
        }
    }

    /// Did the connector that a job goes out by leave the organization's headers on the message, and is the server that organization's other half?
    pub(super) fn keeps_headers(&self, job: u32, server: HostId) -> bool {
        let row = &self.jobs[job];
        let stamps = self.tables.destinations.get(self.queues[row.queue as usize].destination).stamps;
        let copy = &self.copies[row.copy];
        // Headers of the organization are those of the tenant that X-OriginatorOrg names.
        stamps != NONE && self.tables.stamps.get(stamps).keeps_organization_headers && self.is_own_half(server, copy.host, copy.tenant)
    }

    /// The spam confidence level as a header of the organization: Exchange believes it of the organization's other half alone, and the service writes
    /// what its own filter says of everybody else's mail.
    fn level_at_door(&self, door: AtTheDoor, before: Option<i8>, kept: bool) -> Option<i8> {
        let copy = &self.copies[self.jobs[door.job].copy];
        let is_same = self.model.hosts[copy.host.index()].system == self.model.hosts[door.server.index()].system;
        let believed = kept && door.whom.internal;
        match &self.config(door.server).receiver.directory {
            Directory::Organization(_) | Directory::Tenants(_) if is_same || believed => before,
            Directory::Tenants(_) if !door.whom.unfiltered && !door.logged_in => {
                let message = &self.messages[copy.message];
                self.sources_model.get(message.source as usize).filter(|_| message.kind == 0).and_then(|source| source.scl)
            }
            Directory::Organization(_) | Directory::Tenants(_) => None,
            Directory::Everything | Directory::Mta(_) => before,
        }
    }

    /// A mailbox of a server sorts by the level that came with the message from the organization's other half.
    pub(super) fn sort_by_level(&mut self, copy: u32) {
        let level = self.level_written_on(copy);
        if level.is_some_and(|level| level >= JUNK_FROM)
            && matches!(self.config(self.copies[copy].host).receiver.directory, Directory::Organization(_))
        {
            self.copies[copy].arrival.junk = true;
        }
    }

    /// The level that a rule, the service or the organization's other half wrote on the message; mail that nobody judges has none.
    pub(super) fn level_written_on(&self, copy: u32) -> Option<i8> {
        let carried = self.copies[copy].arrival.carried;
        if carried == NONE { None } else { self.origins.marks(carried).scl }
    }

    /// Must the shared service know later whether anybody vouched for a message?
    pub(super) fn wants_to_vouch(&self, server: HostId) -> bool {
        matches!(&self.config(server).receiver.directory, Directory::Tenants(tenants) if tenants.iter().any(|row| !row.outbound_pools.relay.is_empty()))
    }

    /// Whose mail it is for the server: within one organization nothing changes; `kept` says that the client left the organization's headers on it.
    fn origin_at_door(&self, door: AtTheDoor, before: Origin, kept: bool) -> Origin {
        let client = self.copies[self.jobs[door.job].copy].host;
        let is_same = self.model.hosts[client.index()].system == self.model.hosts[door.server.index()].system;
        match &self.config(door.server).receiver.directory {
            Directory::Mta(_) | Directory::Organization(_) if is_same => before,
            // The other half of a hybrid is believed about mail whose headers it kept; whoever else may submit speaks for itself.
            Directory::Organization(_) if door.whom.internal && !self.is_exchange_online(client) => Origin::Internal,
            Directory::Organization(_) if door.whom.internal && kept && before.is_internal() => Origin::Internal,
            Directory::Everything | Directory::Mta(_) | Directory::Organization(_) => Origin::Outside,
            Directory::Tenants(_) if door.logged_in => Origin::Submitted,
            Directory::Tenants(tenants) => {
                let tenant = tenants.iter().find(|tenant| tenant.system.0 == door.tenant);
                let connectors = tenant.map_or(&[][..], |tenant| &tenant.inbound.connectors);
                match door.whom.connector.and_then(|at| connectors.get(usize::from(at))).filter(|row| row.on_premises) {
                    Some(row) if door.whom.internal && (kept && before.is_internal() || row.treats_as_internal) => Origin::Internal,
                    Some(_) => Origin::OnPremises,
                    None => Origin::Outside,
                }
            }
        }
    }
}
