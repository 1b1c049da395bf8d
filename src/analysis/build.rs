//! From the rows of a trace to the tree that people read.
//!
//! A recipient's story is the chain of queues that its mail went through: of all copies the one that was delivered first, else the one that ended last.

use super::by_pass::{group, group_by_pass, holders, of_pass};
use super::expansions::Expansions;
use super::outcome::{
    Attempt, Authentication, Decision, Hop, Kind, Message, Outcome, Place, Published, Reason, Recipient, ReportLine, Stopped,
};
use super::queue_alerts::queue_alerts;
use crate::base::{AttemptResult, ConnectionResult, Enhanced, Fate, HostId};
use crate::decide::authentication::dkim::DkimResult;
use crate::decide::authentication::dmarc::DmarcResult;
use crate::decide::authentication::spf::SpfResult;
use crate::decide::reports::UNWRITTEN;
use crate::decide::route::queue_name;
use crate::engine::{Run, Stop};
use crate::model::Model;
use crate::model::topology::SystemKind;
use crate::trace::{Concern, CopyRow, FateRow, MessageRow, NONE, ReportRow};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Builds the tree of a run.
#[must_use]
pub fn build(model: &Model, run: &Run) -> Outcome {
    let builder = Builder::new(model, run);
    let messages: Vec<Message> = (0..run.trace.messages.len() as u32).map(|message| builder.message(message)).collect();
    Outcome {
        queue_alerts: queue_alerts(&messages, &builder.tenants(), model.queue_alert_threshold, run.ended_at),
        scenario: model.name.as_ref().into(),
        what_if: "".into(),
        seed: run.seed,
        until: run.until,
        stopped: match &run.stop {
            Stop::Settled => Stopped::Settled,
            Stop::Until => Stopped::Until,
            Stop::Bound(bound) => Stopped::Bound(bound.clone()),
        },
        ended_at: run.ended_at,
        events: run.events,
        messages,
        hosts: builder.hosts(),
        faults: builder.faults(),
    }
}

pub(super) struct Builder<'a> {
    pub(super) model: &'a Model,
    pub(super) run: &'a Run,
    pub(super) host_names: Vec<Rc<str>>,
    pub(super) system_names: Vec<Rc<str>>,
    /// The only tenant, if there is one only: it and the shared service mean the same.
    pub(super) only_tenant: Option<u32>,
    pub(super) ids: Vec<Rc<str>>,
    pub(super) texts: Vec<Rc<str>>,
    pub(super) replies: Vec<Rc<str>>,
    pub(super) decisions: Vec<Rc<Decision>>,
    /// Rows by copy (sorted, as rows are written in order).
    pub(super) connections: Vec<Vec<u32>>,
    pub(super) attempts: Vec<Vec<u32>>,
    pub(super) passes: BTreeMap<(u32, u16), u32>,
    pub(super) lookups: BTreeMap<(u32, u16), Vec<u32>>,
    pub(super) decision_rows: Vec<Vec<u32>>,
    /// Of each message, by recipient.
    pub(super) fates: Vec<Vec<u32>>,
    /// Recipients and the copies that hold them, of each message, by recipient.
    holders: Vec<Vec<(u16, u32)>>,
    /// Copies by the connection that brought them.
    pub(super) brought: BTreeMap<u32, Vec<u32>>,
    pub(super) exceptions: BTreeMap<(u32, u16), u32>,
    /// By connection.
    pub(super) findings: BTreeMap<u32, Rc<Authentication>>,
    pub(super) refusals: BTreeMap<(u32, u16), Vec<u32>>,
    pub(super) published: Vec<Rc<Published>>,
    pub(super) expansions: Expansions,
}

impl<'a> Builder<'a> {
    fn new(model: &'a Model, run: &'a Run) -> Self {
        let trace = &run.trace;
        let tenants: Vec<u32> =
            (0..model.systems.len() as u32).filter(|at| model.systems[*at as usize].kind == SystemKind::Tenant).collect();
        let mut builder = Self {
            model,
            run,
            host_names: model.hosts.iter().map(|host| host.name.as_ref().into()).collect(),
            system_names: model.systems.iter().map(|system| system.name.as_ref().into()).collect(),
            only_tenant: match tenants.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            ids: Vec::new(),
            texts: run.tables.texts.values().iter().map(|text| text.as_ref().into()).collect(),
            replies: run.tables.replies.values().iter().map(|reply| reply.text.as_ref().into()).collect(),
            decisions: Vec::new(),
            connections: group_by_pass(trace.copies.len(), trace.connections.iter().map(|row| row.copy), |at| {
                trace.connections[at as usize].pass
            }),
            attempts: group_by_pass(trace.copies.len(), trace.attempts.iter().map(|row| row.copy), |at| trace.attempts[at as usize].pass),
            passes: trace.passes.iter().enumerate().map(|(at, row)| ((row.copy, row.pass), at as u32)).collect(),
            lookups: BTreeMap::new(),
            decision_rows: group_by_pass(trace.copies.len(), trace.decisions.iter().map(|row| row.copy), |at| {
                trace.decisions[at as usize].pass
            }),
            fates: group(trace.messages.len(), trace.fates.iter().map(|row| row.message.0)),
            holders: holders(run),
            brought: brought(run),
            exceptions: trace.recipients.iter().map(|row| ((row.connection, row.recipient), row.outcome)).collect(),
            findings: findings(run),
            refusals: BTreeMap::new(),
            expansions: Expansions::new(trace),
            published: run.tables.published.values().iter().map(|one| Rc::new(published(one))).collect(),
        };
        for rows in builder.fates.iter_mut().filter(|rows| rows.len() > 1) {
            rows.sort_by_key(|at| trace.fates[*at as usize].recipient);
        }
        for (at, row) in trace.refusals.iter().enumerate() {
            builder.refusals.entry((row.copy, row.pass)).or_default().push(at as u32);
        }
        for (at, row) in trace.lookups.iter().enumerate() {
            builder.lookups.entry((row.copy, row.pass)).or_default().push(at as u32);
        }
        builder.ids = builder.make_ids();
        builder.decisions = run.tables.decisions.values().iter().map(|stored| Rc::new(builder.decision(stored))).collect();
        builder
    }

    fn make_ids(&self) -> Vec<Rc<str>> {
        let mut ids: Vec<Rc<str>> = Vec::new();
        let mut reports: BTreeMap<(u32, u8), u32> = BTreeMap::new();
        for row in &self.run.trace.messages {
            let id = if row.parent == NONE {
                format!("{}#{}", self.run.sources[row.source as usize].name, row.number)
            } else {
                let count = reports.entry((row.parent, row.kind)).or_insert(0);
                *count += 1;
                format!("{}/{}{count}", ids[row.parent as usize], Kind::of(row.kind).in_ids())
            };
            ids.push(id.into());
        }
        ids
    }

    fn decision(&self, stored: &crate::trace::StoredDecision) -> Decision {
        let reasons = |list: &[crate::decide::Because]| {
            list.iter()
                .map(|one| Reason {
                    name: one.name.as_ref().into(),
                    rule: one.rule,
                    why: one.why.as_ref().into(),
                    source: one.source,
                    turn: one.turn,
                })
                .collect()
        };
        Decision {
            question: stored.question.into(),
            by: self.place(stored.host, stored.tenant),
            verdict: stored.verdict.as_ref().into(),
            chosen: reasons(&stored.chosen),
            passed_over: reasons(&stored.passed_over),
        }
    }

    /// A machine as people call it. The shared service is called by its tenant where that is known.
    pub(super) fn place(&self, host: HostId, tenant: u32) -> Place {
        let system = self.model.hosts[host.index()].system;
        let shared = self.model.systems[system.index()].kind == SystemKind::ExchangeOnline;
        let system = match (shared, tenant, self.only_tenant) {
            (true, NONE, Some(only)) => only,
            (true, tenant, _) if tenant != NONE => tenant,
            _ => system.0,
        };
        Place { system: self.system_names[system as usize].clone(), host: self.host_names[host.index()].clone() }
    }

    pub(super) fn copy(&self, copy: u32) -> &CopyRow {
        &self.run.trace.copies[copy as usize]
    }

    pub(super) fn place_of(&self, copy: u32) -> Place {
        let row = self.copy(copy);
        self.place(row.host, row.tenant)
    }

    pub(super) fn address(&self, template: u32, number: u64) -> Rc<str> {
        self.run.tables.templates.get(template).expand(number).to_string().into()
    }

    fn message(&self, message: u32) -> Message {
        let row = &self.run.trace.messages[message as usize];
        let parent = (row.parent != NONE).then(|| self.ids[row.parent as usize].clone());
        Message {
            id: self.ids[message as usize].clone(),
            parent,
            traffic: self.run.sources[row.source as usize].name.as_ref().into(),
            from: if row.from == NONE { "<>".into() } else { self.address(row.from, row.address_number) },
            size: row.size,
            sent_at: row.at,
            entered_at: self.place(row.host, row.tenant),
            kind: Kind::of(row.kind),
            reporting: if matches!(row.kind, 1 | 2) { self.reporting(row) } else { None },
            returns: matches!(row.kind, 1 | 2).then_some(if row.headers_only { "headers" } else { "full" }),
            envelope_id: super::envelope_names::id(&self.run.trace, &self.run.sources, row),
            report: row.report.iter().map(|line| self.report_line(row, line)).collect(),
            recipients: self.recipients(message),
        }
    }

    fn report_line(&self, report: &MessageRow, line: &ReportRow) -> ReportLine {
        let ReportRow { recipient: index, action, status, reply, .. } = *line;
        let parent = report.parent;
        let diagnostic = if reply == NONE { "".into() } else { self.run.tables.replies.get(reply).to_string().into() };
        let root = self.root_of(parent, index);
        let replaced = || (root != index).then(|| self.address_of(parent, root));
        let original = super::envelope_names::original(self.run, report, line, root).or_else(replaced);
        let status = (status != UNWRITTEN).then_some(status);
        ReportLine { recipient: self.address_of(parent, index), original, action, status, diagnostic }
    }

    pub(super) fn recipient(&self, message: u32, index: u16, to: Rc<str>) -> Recipient {
        let rows: Vec<&FateRow> = self.fates_of(message, index).collect();
        // What a failover took out of a mailbox again was not delivered after all.
        let stayed = |row: &FateRow| !rows.iter().any(|later| later.copy == row.copy && later.fate == Fate::Lost && later.at > row.at);
        let good = |row: &&&FateRow| matches!(row.fate, Fate::Delivered | Fate::LeftModel) && stayed(row);
        let arrivals = rows.iter().filter(good).count() as u32;
        let open = self.open_copy(message, index, &rows);
        let chosen = rows
            .iter()
            .filter(good)
            .min_by_key(|row| row.at)
            .or_else(|| if open.is_some() { None } else { rows.iter().max_by_key(|row| row.at) });
        let (fate, at, copy, reply, said_by) = match (chosen, open) {
            (Some(row), _) => (row.fate, row.at, Some(row.copy), row.reply, row.said_by),
            (None, Some(copy)) => (Fate::Queued, self.run.ended_at, Some(copy), self.last_reply(copy, index), NONE),
            (None, None) => (Fate::Queued, self.run.ended_at, None, NONE, NONE),
        };
        let (default_code, default_status) = fate.default_code();
        let reply = (reply != NONE).then_some(reply);
        let text: Rc<str> = reply.map_or_else(|| "".into(), |id| self.replies[id as usize].clone());
        let has_rows = !self.run.trace.copies.is_empty();
        let copy = copy.filter(|_| has_rows);
        let stays = copy.filter(|copy| self.ends_here(*copy, fate));
        Recipient {
            said_by: (said_by != NONE).then(|| self.who_said(HostId(said_by), message, &to, reply, at)),
            to,
            became: None,
            fate,
            junk: chosen.is_some_and(|row| row.junk),
            code: reply.map_or(default_code, |id| self.run.tables.replies.get(id).code),
            enhanced: reply.and_then(|id| self.run.tables.replies.get(id).enhanced).unwrap_or_else(|| match reply {
                Some(id) if self.run.tables.replies.get(id).code >= 200 => Enhanced(self.run.tables.replies.get(id).class(), 0, 0),
                _ => default_status,
            }),
            text,
            at,
            final_place: copy.map(|copy| self.place_of(copy)),
            duplicates: arrivals.saturating_sub(1),
            hops: copy.map_or_else(Vec::new, |copy| self.hops(copy, index, fate)),
            arrival: stays.map_or_else(Vec::new, |copy| self.told_about(copy, index)),
            lost_before: stays.map_or_else(Vec::new, |copy| self.lost_before(copy, index)),
        }
    }

    /// The last copy that still holds a recipient.
    fn open_copy(&self, message: u32, index: u16, ended: &[&FateRow]) -> Option<u32> {
        let holders = &self.holders[message as usize];
        let first = holders.partition_point(|(held, _)| *held < index);
        let behind = first + holders[first..].partition_point(|(held, _)| *held == index);
        holders[first..behind]
            .iter()
            .rev()
            .map(|(_, copy)| *copy)
            .find(|copy| !ended.iter().any(|row| row.copy == *copy) && !self.went_on(*copy, index))
    }

    /// Was this recipient taken over from a copy, as far as that copy's sender knows?
    fn went_on(&self, copy: u32, index: u16) -> bool {
        self.connections[copy as usize].iter().any(|connection| {
            let row = &self.run.trace.connections[*connection as usize];
            let taken = self.run.tables.outcomes.get(row.outcome).result == ConnectionResult::Accepted;
            taken && self.carries(*connection, index)
        })
    }

    /// Did a connection bring a copy with this recipient to the next system?
    pub(super) fn carries(&self, connection: u32, index: u16) -> bool {
        self.copy_brought(connection, index).is_some()
    }

    /// The copy that a connection brought to the next system for a recipient.
    pub(super) fn copy_brought(&self, connection: u32, index: u16) -> Option<u32> {
        let copies = self.brought.get(&connection)?;
        copies.iter().copied().find(|copy| self.run.tables.recipient_sets.get(self.copy(*copy).recipients).contains(&index))
    }

    /// What a recipient that waits is told: why it waits now (it may be held since its last attempt), else what the last attempt said.
    fn last_reply(&self, copy: u32, index: u16) -> u32 {
        let waiting = &self.run.trace.waiting;
        let now = waiting.binary_search_by_key(&(copy, index), |row| (row.0, row.1)).map(|at| waiting[at].2).ok();
        let rows = self.attempts[copy as usize].iter().map(|at| &self.run.trace.attempts[*at as usize]);
        let tried = || rows.rev().find(|row| row.recipient == index).map(|row| row.reply);
        now.or_else(tried).unwrap_or(NONE)
    }

    /// The chain of queues up to `last`.
    fn hops(&self, last: u32, index: u16, fate: Fate) -> Vec<Hop> {
        // Copies from the last one back, each with the place that its recipient has in it; what was replaced there is part of the same hop.
        let mut chain = vec![(last, index)];
        let (mut first, mut place) = self.origin(last, index);
        while let Some(connection) = Some(self.copy(first).from_connection).filter(|row| *row != NONE) {
            let before = self.run.trace.connections[connection as usize].copy;
            chain.push((before, place));
            (first, place) = self.origin(before, place);
        }
        chain.reverse();
        let mut hops: Vec<Hop> =
            chain.windows(2).map(|pair| self.hop(pair[0].0, Some(self.origin(pair[1].0, pair[1].1).0), pair[0].1)).collect();
        if !self.ends_here(last, fate)
            || !self.decision_rows[last as usize].is_empty() && !matches!(fate, Fate::Delivered | Fate::LeftModel)
        {
            hops.push(self.hop(last, None, index));
        }
        hops
    }

    /// The copy that came in, where this one was made of it in the same queue, with the recipient as it came.
    fn origin(&self, copy: u32, index: u16) -> (u32, u16) {
        self.expansions.before(copy, index).map_or((copy, index), |(copy, index)| self.origin(copy, index))
    }

    /// Decisions about a recipient in a queue, those about whom it stands for first.
    pub(super) fn told_about(&self, copy: u32, index: u16) -> Vec<Rc<Decision>> {
        let mut told = self.expansions.before(copy, index).map_or_else(Vec::new, |(copy, index)| self.told_about(copy, index));
        for decision in self.decisions_of(&self.decision_rows[copy as usize], &[Concern::recipient(index)]) {
            if !told.iter().any(|known| Rc::ptr_eq(known, &decision)) {
                told.push(decision);
            }
        }
        told
    }

    pub(super) fn hop(&self, copy: u32, next: Option<u32>, index: u16) -> Hop {
        let row = self.copy(copy);
        let mut attempts = self.attempts_of(copy, next, index);
        let (decisions, at_end) = self.told_when(copy, next, index, &mut attempts);
        // Who joins a queue in Retry waits with it: that is no attempt.
        attempts.retain(|(_, attempt)| attempt.result != AttemptResult::Joined);
        let tried_at_once = attempts.first().is_some_and(|(pass, _)| *pass == 1);
        let attempts: Vec<Attempt> = attempts.into_iter().map(|(_, attempt)| attempt).collect();
        let carried = next.map(|next| self.copy(next).from_connection);
        let tls = carried.and_then(|connection| self.tls(self.run.trace.connections[connection as usize].outcome));
        let destination = self.destination_of(copy, index, carried);
        let (queue, rule): (Rc<str>, &'static str) = match destination {
            Some(id) => {
                let key = self.run.tables.destinations.get(id);
                (self.queue_of(key).into(), key.rule)
            }
            None => ("".into(), ""),
        };
        let taken = self.taken_by(next, index);
        let left_at = taken.map_or_else(|| self.ended_in(copy, index, &attempts), |taken| self.copy(taken).arrived);
        let waited = self.passes.get(&(copy, 1)).map(|at| &self.run.trace.passes[*at as usize]);
        Hop {
            waited: waited.filter(|_| !tried_at_once && row.arrived < left_at).map(|pass| (pass.next_at, pass.why)),
            sender: self.sender_of(row.message.0, index),
            recipient: self.address_of(row.message.0, index),
            from: self.place_of(copy),
            to: taken.map(|taken| self.place_of(taken)),
            queued_at: row.arrived,
            left_at,
            queue,
            rule,
            decisions,
            at_end,
            attempts,
            tls,
            lost_before: self.lost_before(copy, index),
        }
    }

    /// The destination that a connection was made for.
    pub(super) fn leads_to(&self, connection: u32) -> u32 {
        self.run.tables.legs.get(self.run.trace.connections[connection as usize].leg).destination
    }

    fn destination_of(&self, copy: u32, index: u16, carried: Option<u32>) -> Option<u32> {
        if let Some(connection) = carried {
            return Some(self.leads_to(connection));
        }
        let rows = self.attempts[copy as usize].iter().map(|at| &self.run.trace.attempts[*at as usize]);
        let by_attempt = rows.rev().find(|row| row.recipient == index).map(|row| row.destination);
        let mut connections = self.connections[copy as usize].iter().rev().filter(|at| self.may_carry(copy, index, **at));
        by_attempt.or_else(|| connections.next().map(|at| self.leads_to(*at)))
    }

    /// Can a connection of a pass that was cut off have been for this recipient? Not if it went where only others of the same message go.
    pub(super) fn may_carry(&self, copy: u32, index: u16, connection: u32) -> bool {
        let (row, destination) = (&self.run.trace.connections[connection as usize], self.leads_to(connection));
        let ended = of_pass(&self.attempts[copy as usize], row.pass, |at| self.run.trace.attempts[at as usize].pass);
        let mut ended = ended.iter().map(|at| &self.run.trace.attempts[*at as usize]);
        if ended.any(|other| other.destination == destination && other.recipient != index) {
            return false;
        }
        let key = self.run.tables.destinations.get(destination);
        let message = self.copy(copy).message;
        let number = self.run.trace.messages[message.index()].address_number;
        let domain = self.run.tables.templates.get(self.template_of(message.0, index)).expand(number).domain;
        let to_mx_of = key.hops.first().filter(|_| key.rule == "MX").map(|hop| self.run.tables.next_hops.get(hop.0));
        to_mx_of.is_none_or(|hop| *queue_name(&self.run.tables.names, hop) == *domain)
    }
}

/// Copies by the connection that brought them: several where a message was taken in several names.
fn brought(run: &Run) -> BTreeMap<u32, Vec<u32>> {
    let mut brought: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (at, row) in run.trace.copies.iter().enumerate().filter(|(_, row)| row.from_connection != NONE) {
        brought.entry(row.from_connection).or_default().push(at as u32);
    }
    brought
}

/// What receivers found out, each different finding once.
fn findings(run: &Run) -> BTreeMap<u32, Rc<Authentication>> {
    let record = |found: &crate::trace::Authentication| Authentication {
        address: found.address,
        spf: found.spf.map(SpfResult::as_str),
        spf_domain: found.spf_domain.as_ref().into(),
        dkim: found.dkim.map(DkimResult::as_str),
        dkim_domains: found.dkim_domains.iter().map(|domain| domain.as_ref().into()).collect(),
        dmarc: found.dmarc.map(DmarcResult::as_str),
        wanted: found.wanted.as_str(),
        author: found.author.as_deref().map(Into::into),
        action: found.action,
    };
    let all: Vec<Rc<Authentication>> = run.tables.authentications.values().iter().map(|found| Rc::new(record(found))).collect();
    run.trace.authentications.iter().map(|row| (row.connection, all[row.found as usize].clone())).collect()
}

fn published(policy: &crate::trace::PublishedPolicy) -> Published {
    let texts = |list: &[Box<str>]| list.iter().map(|text| text.as_ref().into()).collect();
    Published { kind: policy.kind, domain: policy.domain.as_ref().into(), strings: texts(&policy.strings), hosts: texts(&policy.hosts) }
}
