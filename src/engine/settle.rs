//! The end of a session: what it means for each recipient, and the hand-over to the next queue.

use super::authentication::Arrival;
use super::session::SessionEnd;
use super::world::{Copy, Recipient, RecipientState, Stage, World};
use crate::base::{AttemptResult, ConnectionResult, HostId, Phase, SimTime};
use crate::decide::acceptance::TakenFor;
use crate::decide::failure::Effect;
use crate::model::settings::Directory;
use crate::trace::level::PATHS;
use crate::trace::{AttemptRow, AuthenticationRow, ConnectionOutcome, CopyRow, NONE, RecipientRow, Trace};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The moment that a job waited for.
    pub(super) fn settle(&mut self, job: u32) {
        match self.jobs[job].stage {
            Stage::NextHop => self.enter_hop(job, self.now),
            Stage::NextCandidate => self.walk(job, self.now),
            Stage::Over => self.job_over(job),
            Stage::InSession => self.session_over(job),
            Stage::InLine => self.out_of_patience(job),
            Stage::Queued => self.rest_is_over(job),
            Stage::Unheard => self.unheard(job),
            Stage::Stopped(under) => self.interrupted(job, under),
            Stage::Connecting => unreachable!("it waits for another event"),
        }
    }

    /// What a sender that remembers hosts or domains learns from a session.
    fn session_teaches(&mut self, job: u32, end: &SessionEnd) {
        if self.remembers(self.copies[self.jobs[job].copy].host) {
            self.remember_session(job, end);
        }
        self.notes_domains(job, end);
    }

    /// Recipients that a session's server took.
    pub(super) fn taken_places(&self, job: u32, end: &SessionEnd) -> SmallVec<[u16; 2]> {
        let refused = |place: &u16| end.refusals.iter().any(|(at, ..)| at == place);
        self.jobs[job].recipients.iter().copied().filter(|place| !refused(place)).collect()
    }

    /// Writes the row of a finished session.
    pub(super) fn finish_connection_row(&mut self, job: u32, end: &SessionEnd) -> u32 {
        if !self.writes(PATHS) {
            return NONE;
        }
        let outcome = ConnectionOutcome { phase: end.phase, result: end.result, reply: end.reply, tls: end.tls, why: end.why };
        let outcome = self.tables.outcomes.intern(outcome);
        let (candidate, began) = (self.jobs[job].line.candidate, self.jobs[job].line.began);
        let row = self.trace_connection(job, candidate, outcome, began, end.end);
        if end.arrival.found != NONE {
            self.trace.authentications.push(AuthenticationRow { connection: row, found: end.arrival.found });
        }
        for (place, effect, reply) in end.refusals.iter() {
            let result = if matches!(effect, Effect::Bounce(_)) { ConnectionResult::Permfail } else { ConnectionResult::Tempfail };
            let why = if !self.plain && self.goes_over_kept(job) { end.why } else { NONE };
            let outcome = ConnectionOutcome { phase: Phase::Rcpt, result, reply: *reply, tls: end.tls, why };
            let outcome = self.tables.outcomes.intern(outcome);
            let recipient = self.copies[self.jobs[job].copy].recipients[*place as usize].index;
            self.trace.recipients.push(RecipientRow { connection: row, recipient, outcome });
        }
        row
    }

    /// A session is over: slots, hand-over, what is left goes on.
    pub(super) fn session_over(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        if self.settings[server.index()].counts_clients {
            if self.last_word_waits(job) {
                return;
            }
            self.leaves_room(job);
        }
        let mut end = std::mem::replace(&mut self.ends[job as usize], SessionEnd::GONE);
        self.release(server);
        let copy = self.jobs[job].copy;
        // Who was refused in the last session of an attempt keeps that word, though the session then broke for the others.
        let last_word = !end.refusals.is_empty() && end.rest.is_some() && !end.plaintext_retry && self.is_last(job);
        if end.counts && !end.plaintext_retry {
            self.jobs[job].sessions += 1;
        }
        let lost_reply = end.taken_at().is_some() && end.rest.is_some();
        let connection = if lost_reply { NONE } else { self.finish_connection_row(job, &end) };
        let rules = self.rules(self.copies[copy].host);
        let keeps = rules.session.keeps_rcpt_4xx;
        if !end.refusals.is_empty() && self.config(self.copies[copy].host).sender.rest_follows {
            self.puts_off(job, &mut end);
        }
        if !self.plain && !end.plaintext_retry {
            self.session_teaches(job, &end);
            let closing = end.reply != NONE && self.tables.replies.get(end.reply).code == 421;
            if closing || end.host_failure || matches!(end.result, ConnectionResult::Dropped | ConnectionResult::Timeout) {
                self.note_dead(job, self.jobs[job].line.candidate);
            }
        }
        for (place, effect, reply) in end.refusals.iter() {
            self.apply(job, *place, *effect, *reply, server);
            self.copies[copy].recipients[usize::from(*place)].kept = (keeps || last_word) && !matches!(effect, Effect::Bounce(_));
        }
        if let Some((effect, reply)) = end.rest {
            let early = keeps && matches!(end.phase, Phase::Banner | Phase::Ehlo | Phase::Helo | Phase::Starttls | Phase::Mail);
            for place in self.taken_places(job, &end) {
                let recipient = &mut self.copies[copy].recipients[usize::from(place)];
                if early && recipient.kept {
                    // Nobody else is asked after a refusal for good, though the word before it stays.
                    if matches!(effect, Effect::Bounce(_)) {
                        recipient.said_by = DEFER_AT_ONCE;
                    }
                    continue;
                }
                let unsaid = [reply, end.reply].into_iter().any(|reply| self.tables.replies.get(reply).code == 0);
                self.apply(job, place, effect, reply, if unsaid { HostId(NONE) } else { server });
            }
            self.jobs[job].host_failure = end.host_failure || self.channel_broke(job, &end);
        } else {
            self.jobs[job].host_failure = false;
        }
        if !lost_reply && end.taken_at().is_some() {
            let places = if end.refusals.is_empty() {
                std::mem::take(&mut self.jobs[job].recipients)
            } else {
                let places = self.taken_places(job, &end);
                self.jobs[job].recipients.retain(|place| !places.contains(place));
                places
            };
            for place in &places {
                self.copies[copy].recipients[*place as usize].state = RecipientState::Done;
            }
            self.attempt_rows(job, &places, AttemptResult::Delivered, end.reply);
            if self.wishful {
                self.tell_relayed(job, &places, &end);
            }
            self.hand_over(job, &places, self.now, &end, connection);
            let message = self.copies[copy].message;
            for place in &places {
                let index = self.copies[copy].recipients[*place as usize].index;
                self.messages[message].ends[index as usize].open -= 1;
            }
        }
        if !self.plain && self.line_is_free(job, &end) {
            end.let_go();
            return self.walk(job, self.now);
        }
        if self.jobs[job].recipients.is_empty() {
            end.let_go();
            self.job_over(job);
            return;
        }
        if end.plaintext_retry {
            let row = &mut self.jobs[job];
            row.plain = true;
            row.next -= 1;
            row.tried = row.tried.saturating_sub(1);
            self.walk(job, self.now);
            return;
        }
        self.rest_goes_on(job);
    }

    /// A session left somebody: the next candidate, or nobody more in this attempt.
    pub(super) fn rest_goes_on(&mut self, job: u32) {
        let copy = self.jobs[job].copy;
        self.jobs[job].plain = false;
        let stays = self.jobs[job].recipients.iter().all(|place| self.copies[copy].recipients[*place as usize].said_by == DEFER_AT_ONCE);
        if stays {
            return self.job_over(job);
        }
        if self.rules(self.copies[copy].host).pass.session_ends_name {
            self.leaves_the_name(job);
        }
        self.walk(job, self.now)
    }

    /// What an effect does to one recipient.
    pub(super) fn apply(&mut self, job: u32, place: u16, effect: Effect, reply: u32, server: HostId) {
        let copy = self.jobs[job].copy;
        self.jobs[job].eventful = true;
        let recipient = &mut self.copies[copy].recipients[place as usize];
        (recipient.reply, recipient.said_by) = (reply, server.0);
        let row = &mut self.jobs[job];
        (row.status, row.said_by, row.bounce) = (reply, server.0, false);
        match effect {
            Effect::Next(_) => {}
            Effect::Defer(_) => recipient.said_by = DEFER_AT_ONCE,
            Effect::Bounce(_) => {
                recipient.state = RecipientState::Failed;
                self.attempt_rows(job, &[place], AttemptResult::Bounced, reply);
                self.jobs[job].recipients.retain(|at| *at != place);
            }
        }
    }

    /// The message goes to the next system's queue.
    pub(super) fn hand_over(&mut self, job: u32, places: &[u16], at: SimTime, end: &SessionEnd, connection: u32) {
        let Some(rare) = end.rare.as_ref().filter(|rare| !rare.others.is_empty()) else {
            return self.hand_over_for(job, places, at, (end, end.taken()), connection);
        };
        let whom = |place: &u16| rare.others.iter().find(|(other, _)| other == place).map_or(end.taken(), |(_, taken)| *taken);
        let mut told: SmallVec<[TakenFor; 2]> = SmallVec::new();
        for taken in places.iter().map(whom) {
            if !told.contains(&taken) {
                told.push(taken);
            }
        }
        for taken in told {
            let part: SmallVec<[u16; 4]> = places.iter().copied().filter(|place| whom(place) == taken).collect();
            self.hand_over_for(job, &part, at, (end, taken), connection);
        }
    }

    /// The part of it that was taken in one name.
    #[inline(always)]
    fn hand_over_for(&mut self, job: u32, places: &[u16], at: SimTime, (end, taken): (&SessionEnd, TakenFor), connection: u32) {
        let server = self.jobs[job].line.server;
        let copy = &self.copies[self.jobs[job].copy];
        let (message, hops, visits) = (copy.message, copy.hops, copy.visits);
        let (only, several): ([u16; 1], SmallVec<[u16; 4]>);
        let indexes: &[u16] = match places {
            [place] => {
                only = [copy.recipients[*place as usize].index];
                &only
            }
            _ => {
                several = places.iter().map(|place| copy.recipients[*place as usize].index).collect();
                &several
            }
        };
        let visits = if matches!(self.config(server).receiver.directory, Directory::Tenants(_)) { visits + 1 } else { visits };
        let tenant = taken.tenant.map_or(NONE, |tenant| tenant.0);
        let new = self.new_copy(message, server, tenant, at, indexes, connection, (hops + 1, visits));
        self.copies[new].arrival = end.arrival;
        if !self.plain {
            self.count_local_hop(self.jobs[job].copy, new, server);
            self.keep_age_between(self.jobs[job].copy, new, server);
            self.note_hand_over(self.jobs[job].copy, new, at, indexes);
            self.sort_by_level(new);
        }
        if self.wishful {
            self.copies[new].wishes_lost = self.copies[self.jobs[job].copy].wishes_lost || self.loses_wishes(job, end);
        }
        if tenant != NONE {
            self.mark_by_attribution(job, new, taken);
        }
        let held = end.rare.as_ref().map(|rare| rare.held_until).filter(|until| *until > self.now);
        if let Some(until) = held {
            self.hold_back(new, until.max(at));
        } else if at > self.now {
            self.wake_copy(new, at);
        } else {
            self.ready(new);
        }
    }

    /// A copy of a message in a queue.
    #[allow(clippy::too_many_arguments, reason = "a copy is made in three places, each with all of these at hand")]
    pub(super) fn new_copy(
        &mut self,
        message: u32,
        host: HostId,
        tenant: u32,
        at: SimTime,
        indexes: &[u16],
        connection: u32,
        (hops, visits): (u16, u8),
    ) -> u32 {
        let number = self.copy_count;
        self.copy_count += 1;
        if self.writes(PATHS) {
            let recipients = self.tables.recipient_sets.intern(SmallVec::from_slice(indexes));
            let row = CopyRow { message: self.messages[message].id, from_connection: connection, host, tenant, arrived: at, recipients };
            Trace::push(&mut self.trace.copies, row);
        }
        let row = &mut self.messages[message];
        row.copies += 1;
        for index in indexes {
            row.ends[*index as usize].open += 1;
        }
        self.count_queue(host, true);
        self.copies.insert(Copy {
            message,
            number,
            host,
            tenant,
            arrived: at,
            hops,
            visits,
            pass: 0,
            deferrals: 0,
            jobs: 0,
            pass_at: at,
            waits: u64::MAX,
            arrival: Arrival::UNSEEN,
            notified: false,
            doomed: false,
            wishes_lost: false,
            closed: false,
            recipients: match indexes {
                [only] => SmallVec::from_buf([pending(*only)]),
                _ => indexes.iter().map(|index| pending(*index)).collect(),
            },
        })
    }

    /// Writes what a pass came to for some recipients.
    pub(super) fn attempt_rows(&mut self, job: u32, places: &[u16], result: AttemptResult, reply: u32) {
        let row = &self.jobs[job];
        if !self.writes(PATHS) || result == AttemptResult::Delivered && !row.eventful && places.len() == usize::from(row.began_with) {
            return;
        }
        let copy = &self.copies[row.copy];
        let destination = self.queues[row.queue as usize].destination;
        let rows = places.iter().map(|place| AttemptRow {
            copy: copy.number,
            pass: copy.pass,
            recipient: copy.recipients[*place as usize].index,
            job: job as u16,
            destination,
            at: row.started,
            end: self.now,
            result,
            reply,
        });
        self.trace.attempts.extend(rows);
    }
}

/// A recipient of a new copy.
pub(super) fn pending(index: u16) -> Recipient {
    Recipient { index, state: RecipientState::Pending, kept: false, reply: NONE, said_by: NONE }
}

/// Among `said_by`: no further host is asked in this pass.
pub(super) const DEFER_AT_ONCE: u32 = NONE - 1;
