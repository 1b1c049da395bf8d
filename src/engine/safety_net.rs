//! What was delivered, and comes back after a failover: the Safety Net, and mailboxes that take no message twice.
//!
//! A failover is a dated change that makes another copy of a database the active one. What had not reached that copy is not in the mailbox any more; the
//! Safety Net of the server that processed it delivers it once more. Which Safety Net answers is said by `decide::exchange::redundancy`. Source: Exchange
//! Server "Safety Net". Not modelled: what else was in the requested time and is sorted out by the mailbox.

use super::world::{RecipientState, World};
use crate::base::{Enhanced, Fate, HostId, SimTime};
use crate::decide::Decision;
use crate::decide::exchange::redundancy::{Answer, LostFromDatabase, safety_net};
use crate::decide::exchange::transport_dumpster::transport_dumpster;
use crate::model::exchange_server::{Database, Organization, ServerVersion};
use crate::model::settings::Directory;
use crate::trace::level::FATES;
use crate::trace::{Concern, FateRow, NONE};
use std::collections::{BTreeMap, BTreeSet};

/// What is remembered of second copies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redundancy {
    /// Delivered, and a failover will take it out of its database again.
    kept: Vec<Kept>,
    /// Copies from a Safety Net: no report about them is sent.
    silent: BTreeSet<u32>,
    /// The server of the same delivery group that handed a copy over: it processed the message.
    handed_by: BTreeMap<u32, HostId>,
    /// Exchange 2010: who handed a copy over; a server of the organization keeps it.
    hops_before: BTreeMap<u32, HostId>,
}

impl Redundancy {
    /// Is nobody told what becomes of this copy?
    pub(super) fn is_silent(&self, copy: u32) -> bool {
        self.silent.contains(&copy)
    }

    pub(super) fn forget(&mut self, copy: u32) {
        self.silent.remove(&copy);
        self.handed_by.remove(&copy);
        self.hops_before.remove(&copy);
    }

    /// A part of a copy goes on by itself.
    pub(super) fn inherit(&mut self, copy: u32, part: u32) {
        if self.silent.contains(&copy) {
            self.silent.insert(part);
        }
        for by_copy in [&mut self.handed_by, &mut self.hops_before] {
            if let Some(host) = by_copy.get(&copy).copied() {
                by_copy.insert(part, host);
            }
        }
    }

    /// Who handed a copy over (Exchange 2010).
    pub(super) fn hop_before(&self, copy: u32) -> Option<HostId> {
        self.hops_before.get(&copy).copied()
    }
}

/// A recipient of a delivered message, as it will come back.
#[derive(Clone, Debug)]
struct Kept {
    /// The version of the settings with which the failover comes.
    version: usize,
    database: Box<str>,
    /// The size of the message.
    bytes: u64,
    message: u32,
    index: u16,
    /// The copy in the mailbox, by its number in the trace.
    number: u32,
    at: SimTime,
    /// Who had the message in its queue, and who its shadow.
    primary: HostId,
    shadow: Option<HostId>,
    /// Of the copy: tenant, hops, visits, arrival, and the connection that brought it.
    like: super::world::Copy,
    connection: u32,
}

/// Exchange 2010: what a server has is safe with the hop before, if anywhere.
fn watches_the_hop_before(organization: &Organization) -> bool {
    organization.version == ServerVersion::Exchange2010 && organization.transport.shadow_resubmit_ns.is_some()
}

/// The database that has a mailbox.
fn database_of<'a>(organization: &'a Organization, address: &str) -> Option<&'a Database> {
    let matches = organization.databases.iter().flat_map(|database| database.mailboxes.iter().map(move |pattern| (pattern, database)));
    let best = matches.filter(|(pattern, _)| pattern.matches(address)).max_by_key(|(pattern, _)| (pattern.is_exact(), pattern.weight()));
    best.map(|(_, database)| database)
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A copy was handed over: what its maker's shadow may do, and what the new one inherits.
    pub(super) fn note_hand_over(&mut self, copy: u32, new: u32, at: SimTime, indexes: &[u16]) {
        let (host, server) = (self.copies[copy].host, self.copies[new].host);
        if self.transport_queues.redundancy.is_silent(copy) {
            self.transport_queues.redundancy.silent.insert(new);
        }
        self.shadow_may_repeat(copy, at, indexes);
        if self.organization_of(server).is_some_and(watches_the_hop_before) {
            self.transport_queues.redundancy.hops_before.insert(new, host);
        }
        let Some(organization) = self.organization_of(host).filter(|organization| !organization.databases.is_empty()) else { return };
        let (Some(own), Some(other)) = (organization.own(), organization.server(server)) else { return };
        // In Exchange 2010 a Hub Transport server of the site delivers into the database.
        let together = match organization.version {
            ServerVersion::Exchange2010 => own.site == other.site,
            _ => own.dag == other.dag && (own.dag.is_some() || own.site == other.site),
        };
        if !own.edge && together {
            self.transport_queues.redundancy.handed_by.insert(new, host);
        }
    }

    /// A mailbox takes no message twice: is it there already?
    pub(super) fn mailbox_has_it(&mut self, copy: u32, place: usize) -> bool {
        let (host, message, index) = (self.copies[copy].host, self.copies[copy].message, self.copies[copy].recipients[place].index);
        if self.messages[message].ends[usize::from(index)].delivered == 0 || self.organization_of(host).is_none() {
            return false;
        }
        let reply = self.tables.reply(250, Enhanced(2, 0, 0), "the mailbox has this message already (duplicate detection)");
        self.copies[copy].recipients[place].state = RecipientState::Done;
        self.end_recipient(copy, place, Fate::Discarded, reply, NONE);
        true
    }

    /// Delivered into a database: will a failover take it out again?
    pub(super) fn keep_for_failover(&mut self, copy: u32, index: u16) {
        let (host, message) = (self.copies[copy].host, self.copies[copy].message);
        let Some(organization) = self.organization_of(host).filter(|organization| !organization.databases.is_empty()) else { return };
        let template = self.recipient_template(message, index);
        let address = self.tables.templates.get(template).expand(self.messages[message].address_number).to_string();
        let Some(database) = database_of(organization, &address) else { return };
        let model = self.model;
        let later = (self.version + 1..model.versions.len()).find_map(|version| {
            let Directory::Organization(then) = &model.config(model.versions[version].configs[host.index()]).receiver.directory else {
                return None;
            };
            let moved = then.databases.iter().find(|other| other.name == database.name && other.active != database.active)?;
            Some((version, model.versions[version].at, moved.behind_ns))
        });
        let Some((version, _, _)) = later.filter(|(_, at, behind_ns)| at.since(self.now) <= *behind_ns) else { return };
        let primary = self.transport_queues.redundancy.handed_by.get(&copy).copied().unwrap_or(host);
        let shadow = self.shadow_of(primary, self.copies[copy].arrived);
        let (database, bytes) = (database.name.clone(), self.messages[message].size);
        let like = self.copies[copy].clone();
        let connection = self.trace.copies.get(like.number as usize).map_or(NONE, |row| row.from_connection);
        self.messages[message].copies += 1;
        let (number, at) = (like.number, self.now);
        self.transport_queues.redundancy.kept.push(Kept {
            version,
            database,
            bytes,
            message,
            index,
            number,
            at,
            primary,
            shadow,
            like,
            connection,
        });
    }

    /// Other copies of databases became active ones: what they lack is gone from the mailboxes, and comes back from where it is kept.
    pub(super) fn databases_fail_over(&mut self, version: usize) {
        let kept = std::mem::take(&mut self.transport_queues.redundancy.kept);
        let (now, later): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(|kept| kept.version == version);
        self.transport_queues.redundancy.kept = later;
        for (at, kept) in now.iter().enumerate() {
            let same = |other: &&Kept| other.primary == kept.primary && other.database == kept.database;
            let newer_bytes = now[at..].iter().filter(same).map(|other| other.bytes).sum();
            self.out_of_the_mailbox(kept);
            self.back_from_safety_net(kept, newer_bytes);
            self.let_go(kept.message);
        }
    }

    fn out_of_the_mailbox(&mut self, kept: &Kept) {
        let text = "lost again: the copy of the database that became the active one did not have it yet";
        let reply = self.tables.reply(0, Enhanced(4, 3, 0), text);
        let row = &mut self.messages[kept.message];
        let end = &mut row.ends[usize::from(kept.index)];
        end.delivered -= 1;
        if end.delivered == 0 {
            end.fate = Some(Fate::Lost);
        }
        let message = row.id;
        if self.writes(FATES) {
            let row = FateRow {
                message,
                recipient: kept.index,
                fate: Fate::Lost,
                junk: false,
                reply,
                at: self.now,
                copy: kept.number,
                said_by: NONE,
            };
            self.trace.fates.push(row);
        }
    }

    fn back_from_safety_net(&mut self, kept: &Kept, newer_bytes: u64) {
        let Some(organization) = self.organization_of(kept.primary) else { return };
        let name = |host: HostId| organization.server(host).map_or("", |server| &*server.name);
        let model = self.model;
        let primary_back = self.faults.down(model, kept.primary, None, self.now).map_or(self.now, |cut| cut.until);
        let asked_at = primary_back.min(self.now.after(12 * crate::base::HOUR));
        let shadow = kept.shadow.filter(|shadow| !self.lost_its_queue(*shadow, kept.at, asked_at));
        let lost = LostFromDatabase {
            delivered_at: kept.at,
            failover_at: self.now,
            hold_ns: organization.transport.safety_net_hold_ns,
            primary: (kept.primary, name(kept.primary)),
            primary_back,
            primary_keeps: !self.lost_its_queue(kept.primary, kept.at, primary_back),
            shadow: shadow.map(|shadow| (shadow, name(shadow))),
        };
        let (answer, chosen) = match organization.version {
            ServerVersion::Exchange2010 => transport_dumpster(&lost, newer_bytes, organization.transport.dumpster_bytes),
            _ => safety_net(&lost),
        };
        let Answer::From(server, at) = answer else { return };
        let new = self.second_copy(&kept.like, server, at, &[kept.index], kept.connection);
        self.transport_queues.redundancy.silent.insert(new);
        self.transport_queues.resubmitted.insert(new);
        let decision = Decision { outcome: (), chosen, passed_over: Vec::new() };
        let stored = self.store("who puts back what the failover took?", server, NONE, &decision);
        self.trace_decisions(new, Concern::recipient(kept.index), &[stored]);
    }
}
