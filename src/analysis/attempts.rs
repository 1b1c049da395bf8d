//! What did each pass of a queue try, and what came of it? Attempts with their lookups, decisions and connections.

use super::build::Builder;
use super::by_pass::of_pass;
use super::outcome::{Attempt, Connection, Decision, Lookup, NotUsed, Tls};
use super::untried::untried;
use crate::base::{AttemptResult, ConnectionResult, Enhanced, InOrder, NextHopId, SimTime};
use crate::decide::exchange::last_error::{EMPTIED, IN_RETRY, RETRIED, last_error};
use crate::decide::route::queue_name;
use crate::model::settings::{Profile, Target};
use crate::trace::{AttemptRow, Concern, ConnectionRow, DestinationKey, NONE};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

impl Builder<'_> {
    /// With the number of each pass.
    pub(super) fn attempts_of(&self, copy: u32, next: Option<u32>, index: u16) -> Vec<(u16, Attempt)> {
        // Whom it stands for in the same copy was tried before it.
        let of = |index: &u16| self.expansions.before(copy, *index).filter(|(from, _)| *from == copy).map(|(_, of)| of);
        let line: Vec<u16> = std::iter::successors(Some(index), of).collect();
        let rows: Vec<&AttemptRow> = self.attempts[copy as usize]
            .iter()
            .map(|at| &self.run.trace.attempts[*at as usize])
            .filter(|row| line.contains(&row.recipient))
            .collect();
        let mut attempts: Vec<(u16, Attempt)> = rows.iter().map(|row| (row.pass, self.attempt(copy, row))).collect();
        let mut passes: Vec<u16> = self.connections[copy as usize].iter().map(|at| self.run.trace.connections[*at as usize].pass).collect();
        passes.dedup();
        for pass in passes {
            if rows.binary_search_by_key(&pass, |row| row.pass).is_ok() {
                continue;
            }
            attempts.extend(self.plain_attempt(copy, pass, next, index, rows.last().copied()).map(|attempt| (pass, attempt)));
        }
        attempts.in_order_by_key(|(pass, _)| *pass);
        let (host, by) = (self.copy(copy).host, self.place_of(copy));
        for (_, attempt) in &mut attempts {
            let configs = &self.model.versions[self.model.version_at(attempt.at)].configs;
            let sender = &self.model.config(configs[host.index()]).sender;
            if sender.profile == Profile::ExchangeServer && matches!(attempt.next_why, IN_RETRY | EMPTIED | RETRIED) {
                attempt.last_error = last_error_of(attempt);
            }
            let more = untried(attempt, sender, &by);
            attempt.decisions.extend(more.map(Rc::new));
        }
        attempts
    }

    /// Decisions about a recipient in a queue, without what was decided anew in a later pass: that goes to its attempt, or, after the last one of a
    /// recipient who goes nowhere, stands by itself.
    pub(super) fn told_when(
        &self,
        copy: u32,
        next: Option<u32>,
        index: u16,
        attempts: &mut [(u16, Attempt)],
    ) -> (Vec<Rc<Decision>>, Vec<Rc<Decision>>) {
        // What was decided for the first time in each pass.
        let mut anew: BTreeMap<u16, Vec<Rc<Decision>>> = BTreeMap::new();
        let (mut seen, mut moved) = (BTreeSet::new(), BTreeSet::new());
        let earlier = self.expansions.before(copy, index).map_or_else(Vec::new, |(copy, index)| self.told_about(copy, index));
        let rows = self.decision_rows[copy as usize].iter().map(|at| &self.run.trace.decisions[*at as usize]);
        for row in rows.filter(|row| row.concern == Concern::recipient(index)) {
            let known = earlier.iter().any(|decision| Rc::ptr_eq(decision, &self.decisions[row.decision as usize]));
            if seen.insert(row.decision) && !known {
                anew.entry(row.pass).or_default().push(self.decisions[row.decision as usize].clone());
            }
        }
        let mut goes_to = |decisions: &[Rc<Decision>]| moved.extend(decisions.iter().map(Rc::as_ptr));
        for (pass, attempt) in attempts.iter_mut().filter(|(pass, _)| *pass > 1) {
            let decisions = anew.get(pass).map_or(&[][..], |decisions| decisions);
            goes_to(decisions);
            attempt.decisions.splice(0..0, decisions.iter().cloned());
        }
        let after = attempts.last().map(|(last, _)| last + 1).filter(|_| next.is_none());
        let at_end: Vec<Rc<Decision>> = after.map_or_else(Vec::new, |after| anew.split_off(&after).into_values().flatten().collect());
        goes_to(&at_end);
        let mut told = self.told_about(copy, index);
        told.retain(|decision| !moved.contains(&Rc::as_ptr(decision)));
        (told, at_end)
    }

    /// What a queue is called: after its domain, its first host, or the whole list of a connector with several.
    pub(super) fn queue_of(&self, key: &DestinationKey) -> String {
        let name = |hop: &NextHopId| {
            let hop = self.run.tables.next_hops.get(hop.0);
            match hop.target {
                Target::Ip(address) if key.rule.starts_with("INT") => {
                    self.model.host_at(address).map_or_else(String::new, |host| self.host_names[host.index()].to_string())
                }
                _ => queue_name(&self.run.tables.names, hop),
            }
        };
        const SHOWN: usize = 8;
        let named_by = if key.connector.is_empty() { 1 } else { key.hops.len() };
        let more = if named_by > SHOWN { format!(" and {} more", named_by - SHOWN) } else { String::new() };
        key.hops.iter().take(named_by.min(SHOWN)).map(name).collect::<Vec<_>>().join(",") + &more
    }

    /// A pass without a row: it delivered at once, or was under way at the end.
    fn plain_attempt(&self, copy: u32, pass: u16, next: Option<u32>, index: u16, before: Option<&AttemptRow>) -> Option<Attempt> {
        // Connects that fail by timeline alone are known beforehand.
        let mine = |at: &&u32| self.run.trace.connections[**at as usize].at <= self.run.ended_at;
        let rows: Vec<u32> = self.connections_in(copy, pass).iter().filter(mine).copied().collect();
        let carried = next.map(|next| self.copy(next).from_connection).filter(|connection| rows.contains(connection));
        let several = self.run.tables.recipient_sets.get(self.copy(copy).recipients).len() > 1;
        let rows: Vec<u32> = match carried {
            Some(connection) => {
                let (job, destination) = (self.run.trace.connections[connection as usize].job, self.leads_to(connection));
                let mine = |at: &u32| self.leads_to(*at) == destination && self.run.trace.connections[*at as usize].job == job;
                rows.into_iter().filter(mine).collect()
            }
            // A pass under way is of those whom the one before put off, if it goes the same way.
            None if several && !rows.iter().any(|at| self.carries(*at, index)) && pass > 1 => {
                let before = before.filter(|row| next.is_none() && row.result == AttemptResult::Deferred && row.pass < pass)?;
                rows.into_iter().filter(|at| self.leads_to(*at) == before.destination).collect()
            }
            None => rows.into_iter().filter(|at| self.may_carry(copy, index, *at)).collect(),
        };
        let first = self.run.trace.connections[*rows.first()? as usize];
        let last = self.run.trace.connections[*rows.last()? as usize];
        let result = if carried.is_some() { AttemptResult::Delivered } else { AttemptResult::Unfinished };
        let outcome = self.run.tables.outcomes.get(last.outcome);
        let reply = (outcome.reply != NONE).then(|| self.run.tables.replies.get(outcome.reply));
        let at = if pass == 1 { self.copy(copy).arrived } else { first.at };
        let destination = self.leads_to(*rows.first()?);
        Some(Attempt {
            at,
            end: last.end.min(self.run.ended_at.max(last.at)),
            result,
            code: reply.map_or(0, |reply| reply.code),
            enhanced: reply.and_then(|reply| reply.enhanced).unwrap_or(Enhanced(2, 0, 0)),
            text: reply.map_or_else(|| "".into(), |reply| reply.text.as_ref().into()),
            next_at: None,
            next_why: "",
            lookups: self.lookups_of(copy, pass, destination),
            decisions: self.decisions_in(copy, pass, destination, index),
            connections: rows.iter().map(|at| self.connection(*at, index)).collect(),
            last_error: None,
            not_used: self.not_used(copy, pass, destination),
        })
    }

    fn attempt(&self, copy: u32, row: &AttemptRow) -> Attempt {
        let pass = self.passes.get(&(copy, row.pass)).map(|at| &self.run.trace.passes[*at as usize]);
        let reply = (row.reply != NONE).then(|| self.run.tables.replies.get(row.reply));
        let mine = |at: &&u32| {
            let connection = &self.run.trace.connections[**at as usize];
            connection.job == row.job
                && self.run.tables.legs.get(connection.leg).destination == row.destination
                && connection.end <= row.end
        };
        let deferred = row.result == AttemptResult::Deferred;
        let expired = deferred && pass.is_some_and(|pass| pass.next_at == SimTime::NEVER);
        Attempt {
            at: row.at,
            end: row.end,
            result: if expired { AttemptResult::Expired } else { row.result },
            code: reply.map_or(0, |reply| reply.code),
            enhanced: reply.map_or(Enhanced(4, 4, 7), |reply| reply.enhanced.unwrap_or(Enhanced(reply.class().max(2), 0, 0))),
            text: if row.reply == NONE { "".into() } else { self.replies[row.reply as usize].clone() },
            next_at: pass.filter(|_| deferred && !expired).map(|pass| pass.next_at),
            next_why: pass.filter(|_| deferred).map_or("", |pass| pass.why),
            lookups: self.lookups_of(copy, row.pass, row.destination),
            decisions: self.decisions_in(copy, row.pass, row.destination, row.recipient),
            connections: self.connections_in(copy, row.pass).iter().filter(mine).map(|at| self.connection(*at, row.recipient)).collect(),
            last_error: None,
            not_used: self.not_used(copy, row.pass, row.destination),
        }
    }

    /// What was decided in a pass on the way to a destination, for one of those who go there.
    fn decisions_in(&self, copy: u32, pass: u16, destination: u32, index: u16) -> Vec<Rc<Decision>> {
        let rows = of_pass(&self.decision_rows[copy as usize], pass, |at| self.run.trace.decisions[at as usize].pass);
        self.decisions_of(rows, &[Concern::ALL, Concern::destination(destination), Concern::in_session(index)])
    }

    /// Each of these decisions once, as far as it concerns somebody of these.
    pub(super) fn decisions_of(&self, rows: &[u32], concerns: &[Concern]) -> Vec<Rc<Decision>> {
        let mut seen = BTreeSet::new();
        let rows = rows.iter().map(|at| &self.run.trace.decisions[*at as usize]);
        let rows = rows.filter(|row| concerns.contains(&row.concern) && seen.insert(row.decision));
        rows.map(|row| self.decisions[row.decision as usize].clone()).collect()
    }

    fn connections_in(&self, copy: u32, pass: u16) -> &[u32] {
        of_pass(&self.connections[copy as usize], pass, |at| self.run.trace.connections[at as usize].pass)
    }

    fn lookups_of(&self, copy: u32, pass: u16, destination: u32) -> Vec<Lookup> {
        let rows = self.lookups.get(&(copy, pass)).into_iter().flatten().map(|at| &self.run.trace.lookups[*at as usize]);
        let mine = rows.filter(|row| row.destination == NONE || row.destination == destination);
        // Transactions side by side ask the same at the same time.
        let mut asked = BTreeSet::new();
        let mine = mine.filter(|row| asked.insert((row.at, row.name, row.kind)));
        mine.map(|row| Lookup {
            at: row.at,
            name: self.run.tables.names.text(row.name).into(),
            kind: row.kind.as_str(),
            answer: self.texts[row.answer as usize].clone(),
            cached: row.cached,
        })
        .collect()
    }

    pub(super) fn connection(&self, at: u32, index: u16) -> Connection {
        let row: &ConnectionRow = &self.run.trace.connections[at as usize];
        let outcome = self.exceptions.get(&(at, index)).copied().unwrap_or(row.outcome);
        let outcome = self.run.tables.outcomes.get(outcome);
        let candidate = self.run.tables.candidates.get(self.run.tables.legs.get(row.leg).candidate);
        let tenant = self.copy_brought(at, index).map_or(NONE, |copy| self.copy(copy).tenant);
        let unfinished = row.end > self.run.ended_at;
        let said = (outcome.reply != NONE).then(|| self.run.tables.replies.get(outcome.reply)).filter(|reply| reply.code != 0);
        Connection {
            number: at,
            at: row.at,
            end: row.end,
            to: self.model.host_at(candidate.address).map(|host| self.place(host, tenant)),
            name: self.run.tables.names.text(candidate.name).into(),
            preference: u16::try_from(candidate.preference).ok(),
            address: candidate.address,
            port: candidate.port,
            phase: outcome.phase,
            reply: said.cloned(),
            result: if unfinished { ConnectionResult::Unfinished } else { outcome.result },
            tls: self.tls(row.outcome),
            authentication: self.findings.get(&at).cloned(),
            why: match (outcome.why, outcome.reply) {
                (NONE, NONE) => "".into(),
                (NONE, _) if said.is_some() => "".into(),
                // Without a reply of the server there is the sender's own note.
                (NONE, note) => self.replies[note as usize].clone(),
                (why, _) => self.texts[why as usize].clone(),
            },
        }
    }

    pub(super) fn tls(&self, outcome: u32) -> Option<Tls> {
        let id = self.run.tables.outcomes.get(outcome).tls;
        (id != NONE).then(|| self.protection(id))
    }

    fn protection(&self, id: u32) -> Tls {
        let record = self.run.tables.tls.get(id);
        Tls {
            outcome: record.outcome,
            version: record.version,
            policy: record.policy.into(),
            result: record.result,
            published: (record.published != NONE).then(|| self.published[record.published as usize].clone()),
            why: record.why.as_ref().into(),
        }
    }

    /// Hosts that a pass to a destination did not connect to.
    pub(super) fn not_used(&self, copy: u32, pass: u16, destination: u32) -> Vec<NotUsed> {
        let rows = self.refusals.get(&(copy, pass)).into_iter().flatten().map(|at| &self.run.trace.refusals[*at as usize]);
        rows.filter_map(|row| {
            let leg = self.run.tables.legs.get(row.leg);
            let candidate = self.run.tables.candidates.get(leg.candidate);
            let name = self.run.tables.names.text(candidate.name).into();
            let to = self.model.host_at(candidate.address).map(|host| self.place(host, NONE));
            (leg.destination == destination).then(|| NotUsed {
                at: row.at,
                to,
                name,
                address: candidate.address,
                tls: self.protection(row.tls),
            })
        })
        .collect()
    }
}

/// Words for the queue; of an attempt without a connection of its own there are none, unless it was names that failed.
fn last_error_of(attempt: &Attempt) -> Option<Rc<str>> {
    let first = attempt.connections.first().map(|first| (first.result, first.reply.as_ref()));
    let no_name = first.is_none() && attempt.enhanced == Enhanced(4, 4, 0);
    last_error(first).filter(|_| first.is_some() || no_name).map(Rc::from)
}
