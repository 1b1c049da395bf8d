//! What follows: admission to a machine, the end of a session, the end of a job, of a pass, of a recipient; hand-over, reports, retry.

use super::attempt::keeps_nothing;
use super::authentication::Arrival;
use super::queue::Kind;
use super::session::SessionEnd;
use super::world::{Copy, Recipient, RecipientState, Stage, World};
use crate::base::{AttemptResult, Enhanced, Fate, HostId, MINUTE, Phase, SimTime};
use crate::decide::failure::Effect;
use crate::decide::profile::{ExpiryTest, behaviour};
use crate::decide::retry::{Memory, Next, after_deferral, delay_notice_due, hard_expiry};
use crate::model::fault::FaultKind;
use crate::model::settings::{Directory, Profile, WhenFull};
use crate::trace::level::{FATES, PATHS};
use crate::trace::{AttemptRow, AuthenticationRow, ConnectionOutcome, CopyRow, FateRow, NONE, PassRow, RecipientRow, Trace};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A connect reached a machine that listens.
    pub(crate) fn admit(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        let config = self.config(server);
        let address = self.jobs[job].line.address;
        if self.faults.down(self.model, server, Some(address), self.now).is_some() {
            let status = behaviour(self.config(self.client_of(job)).sender.profile).session.lost;
            let reply = self.tables.reply(0, status, "the server went down during the connect");
            self.turned_away(job, reply, crate::base::ConnectionResult::Dropped, "the server went down during the connect");
            return;
        }
        if self.machines[server.index()].busy < self.slots(server) {
            self.begin_session(job);
            return;
        }
        let patience = self.jobs[job].line.began.after(self.config(self.client_of(job)).sender.timers.banner_ns);
        match config.receiver.when_full {
            WhenFull::Reply421 => {
                let reply = self.tables.reply(421, Enhanced(4, 3, 2), "too many connections");
                self.turned_away(job, reply, crate::base::ConnectionResult::Tempfail, "all slots of the server are taken");
            }
            WhenFull::Wait => {
                let cut = self.faults.first_cut(self.model, self.client_of(job), server, address, self.now, patience);
                let until = cut.map_or(patience, |cut| cut.from);
                (self.jobs[job].stage, self.jobs[job].waits) = (Stage::InLine, u64::MAX);
                self.machines[server.index()].line.push_back((job, until));
                self.look_at_line(server, until);
            }
            WhenFull::Silence => self.wake_job(job, patience, Kind::Settle, Stage::InLine),
        }
    }

    /// One event per line, not one per waiting session: most are served long before their patience ends.
    fn look_at_line(&mut self, server: HostId, patience: SimTime) {
        let (model, now) = (self.model, self.now);
        let windows = model.host_faults[server.index()].capacity.iter().map(|number| model.faults[*number as usize].window.until);
        // When a capacity fault ends, slots come back without a session that ends.
        let at = windows.filter(|until| *until > now).fold(patience, SimTime::min);
        let machine = &mut self.machines[server.index()];
        if machine.leave_at.is_none_or(|before| at < before) {
            machine.leave_at = Some(at);
            self.events.push(at, Kind::Leave, server.0);
        }
    }

    fn client_of(&self, job: u32) -> HostId {
        self.copies[self.jobs[job].copy].host
    }

    /// How many sessions a machine holds at once now.
    fn slots(&self, server: HostId) -> u32 {
        let model = self.model;
        let fewer = model.host_faults[server.index()].capacity.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::Capacity { sessions, .. } = &fault.kind else { return None };
            sessions.filter(|_| fault.window.has(self.now))
        });
        fewer.unwrap_or(self.config(server).receiver.sessions)
    }

    fn begin_session(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        let port = self.tables.candidates.get(self.jobs[job].line.candidate).port;
        if !self.config(server).receiver.listeners.iter().any(|listener| listener.port == port) {
            // A change took the listener away while the connect was under way.
            let status = behaviour(self.config(self.client_of(job)).sender.profile).session.refused;
            let reply = self.tables.reply(0, status, "Connection refused");
            self.turned_away(job, reply, crate::base::ConnectionResult::Refused, "nothing listens on this port any more");
            return;
        }
        self.machines[server.index()].busy += 1;
        let end = self.play(job);
        if let Some(taken_at) = end.taken_at
            && end.rest.is_some()
        {
            // The reply is lost: the server has the message now, the client will learn nothing of it.
            let places: SmallVec<[u16; 2]> = self.taken_places(job, &end);
            let connection = self.finish_connection_row(job, &end);
            self.hand_over(job, &places, taken_at, &end, connection);
        }
        let at = end.end;
        self.jobs[job].line.end = Some(Box::new(end));
        self.wake_job(job, at, Kind::Settle, Stage::InSession);
    }

    /// Recipients that a session's server took.
    fn taken_places(&self, job: u32, end: &SessionEnd) -> SmallVec<[u16; 2]> {
        if end.recipients.iter().all(|(_, end)| end.is_none()) {
            return SmallVec::from_slice(&self.jobs[job].recipients);
        }
        let refused = |place: &u16| end.recipients.iter().any(|(at, end)| at == place && end.is_some());
        self.jobs[job].recipients.iter().copied().filter(|place| !refused(place)).collect()
    }

    /// Those in a receiver's line whose patience is over go away.
    pub(crate) fn leave(&mut self, server: HostId) {
        let now = self.now;
        let machine = &mut self.machines[server.index()];
        if machine.leave_at.is_none_or(|at| at > now) {
            return;
        }
        machine.leave_at = None;
        let gone: Vec<u32> = machine.line.iter().filter(|(_, until)| *until <= now).map(|(job, _)| *job).collect();
        machine.line.retain(|(_, until)| *until > now);
        for job in gone {
            self.out_of_patience(job);
        }
        self.serve_line(server);
        if let Some(next) = self.machines[server.index()].line.iter().map(|(_, until)| *until).min() {
            self.look_at_line(server, next);
        }
    }

    /// A client that waited for a banner in vain.
    fn out_of_patience(&mut self, job: u32) {
        let status = behaviour(self.config(self.client_of(job)).sender.profile).session.lost;
        let reply = self.tables.reply(0, status, "conversation timed out while waiting for the banner");
        self.turned_away(job, reply, crate::base::ConnectionResult::Timeout, "all slots of the server are taken");
    }

    /// A connection that never got a session.
    fn turned_away(&mut self, job: u32, reply: u32, result: crate::base::ConnectionResult, why: &str) {
        let why = self.tables.texts.intern(why.into());
        let phase = Phase::Banner;
        let outcome = self.tables.outcomes.intern(ConnectionOutcome { phase, result, reply, tls: NONE, why });
        let (candidate, began) = (self.jobs[job].line.candidate, self.jobs[job].line.began);
        self.trace_connection(job, candidate, outcome, began, self.now);
        let status = self.tables.replies.get(reply).enhanced.unwrap_or(Enhanced(4, 0, 0));
        self.note_effect(job, Effect::Next(status), reply, true);
        self.walk(job, self.now);
    }

    /// The moment that a job waited for.
    pub(crate) fn settle(&mut self, job: u32) {
        match self.jobs[job].stage {
            Stage::NextHop => self.enter_hop(job, self.now),
            Stage::Over => self.job_over(job),
            Stage::InSession => self.session_over(job),
            Stage::InLine => self.out_of_patience(job),
            Stage::Queued | Stage::Connecting => unreachable!("these wait for other events"),
        }
    }

    /// Writes the row of a finished session.
    fn finish_connection_row(&mut self, job: u32, end: &SessionEnd) -> u32 {
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
        for (place, own) in &end.recipients {
            let (result, reply) = match own {
                None if end.rest.is_none() => continue,
                None => continue,
                Some((effect, reply)) => (
                    if matches!(effect, Effect::Bounce(_)) {
                        crate::base::ConnectionResult::Permfail
                    } else {
                        crate::base::ConnectionResult::Tempfail
                    },
                    *reply,
                ),
            };
            let outcome = self.tables.outcomes.intern(ConnectionOutcome { phase: Phase::Rcpt, result, reply, tls: end.tls, why: NONE });
            let recipient = self.copies[self.jobs[job].copy].recipients[*place as usize].index;
            self.trace.recipients.push(RecipientRow { connection: row, recipient, outcome });
        }
        row
    }

    /// A session is over: slots, hand-over, what is left goes on.
    fn session_over(&mut self, job: u32) {
        let end = self.jobs[job].line.end.take().expect("a session has an end");
        let server = self.jobs[job].line.server;
        self.release(server);
        let copy = self.jobs[job].copy;
        if end.counts {
            self.jobs[job].sessions += 1;
        }
        let lost_reply = end.taken_at.is_some() && end.rest.is_some();
        let places = if end.taken_at.is_some() { self.taken_places(job, &end) } else { SmallVec::new() };
        let connection = if lost_reply { NONE } else { self.finish_connection_row(job, &end) };
        for (place, own) in &end.recipients {
            if let Some((effect, reply)) = own {
                self.apply(job, *place, *effect, *reply, server);
            }
        }
        if let Some((effect, reply)) = end.rest {
            let own: SmallVec<[u16; 4]> = end.recipients.iter().filter(|(_, own)| own.is_some()).map(|(place, _)| *place).collect();
            let rest: SmallVec<[u16; 4]> = self.jobs[job].recipients.iter().copied().filter(|place| !own.contains(place)).collect();
            for place in rest {
                self.apply(job, place, effect, reply, if self.tables.replies.get(reply).code == 0 { HostId(NONE) } else { server });
            }
            self.jobs[job].host_failure = end.host_failure;
        } else {
            self.jobs[job].host_failure = false;
        }
        if !lost_reply && end.taken_at.is_some() {
            for place in &places {
                self.copies[copy].recipients[*place as usize].state = RecipientState::Done;
            }
            self.attempt_rows(job, &places, AttemptResult::Delivered, end.reply);
            if places.len() == self.jobs[job].recipients.len() {
                self.jobs[job].recipients.clear();
            } else {
                self.jobs[job].recipients.retain(|place| !places.contains(place));
            }
            self.hand_over(job, &places, self.now, &end, connection);
            let message = self.copies[copy].message;
            for place in &places {
                let index = self.copies[copy].recipients[*place as usize].index;
                self.messages[message].ends[index as usize].open -= 1;
            }
        }
        if self.jobs[job].recipients.is_empty() {
            self.job_over(job);
            return;
        }
        if end.plaintext_retry {
            let row = &mut self.jobs[job];
            row.plain = true;
            row.next -= 1;
            row.tried -= 1;
            self.walk(job, self.now);
            return;
        }
        self.jobs[job].plain = false;
        let stays = self.jobs[job].recipients.iter().all(|place| self.copies[copy].recipients[*place as usize].said_by == DEFER_AT_ONCE);
        if stays { self.job_over(job) } else { self.walk(job, self.now) }
    }

    /// What an effect does to one recipient.
    fn apply(&mut self, job: u32, place: u16, effect: Effect, reply: u32, server: HostId) {
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

    /// A slot is free: the next in line has it.
    fn release(&mut self, server: HostId) {
        self.machines[server.index()].busy -= 1;
        self.serve_line(server);
    }

    /// Those who wait have the free slots, in order.
    pub(crate) fn serve_line(&mut self, server: HostId) {
        while self.machines[server.index()].busy < self.slots(server) {
            let Some((next, _)) = self.machines[server.index()].line.pop_front() else { return };
            self.begin_session(next);
        }
    }

    /// The message goes to the next system's queue.
    fn hand_over(&mut self, job: u32, places: &[u16], at: SimTime, end: &SessionEnd, connection: u32) {
        let server = self.jobs[job].line.server;
        let copy = &self.copies[self.jobs[job].copy];
        let (message, hops, visits) = (copy.message, copy.hops, copy.visits);
        let indexes: SmallVec<[u16; 4]> = match places {
            [only] => smallvec::smallvec![copy.recipients[*only as usize].index],
            _ => places.iter().map(|place| copy.recipients[*place as usize].index).collect(),
        };
        let visits = if matches!(self.config(server).receiver.directory, Directory::Tenants(_)) { visits + 1 } else { visits };
        let new = self.new_copy(message, server, end.tenant, at, &indexes, connection, (hops + 1, visits));
        self.copies[new].arrival = end.arrival;
        if at > self.now {
            self.wake_copy(new, at);
        } else {
            self.ready(new);
        }
    }

    /// A copy of a message in a queue.
    #[allow(clippy::too_many_arguments, reason = "a copy is made in three places, each with all of these at hand")]
    pub(crate) fn new_copy(
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
            closed: false,
            recipients: match indexes {
                [only] => smallvec::smallvec![pending(*only)],
                _ => indexes.iter().map(|index| pending(*index)).collect(),
            },
        })
    }

    /// Writes what a pass came to for some recipients.
    fn attempt_rows(&mut self, job: u32, places: &[u16], result: AttemptResult, reply: u32) {
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
            destination,
            at: row.started,
            end: self.now,
            result,
            reply,
        });
        self.trace.attempts.extend(rows);
    }

    /// All candidates of a job are through: the next in its queue has its turn.
    pub(crate) fn job_over(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        self.finish_job(job);
        self.next_in_queue(queue);
    }

    /// What a finished job leaves to its copy and its queue.
    pub(crate) fn finish_job(&mut self, job: u32) {
        let copy = self.jobs[job].copy;
        let left = std::mem::take(&mut self.jobs[job].recipients);
        let row = &self.jobs[job];
        let (status, said_by, bounce, is_loop) = (row.status, row.said_by, row.bounce, row.is_loop);
        for place in &left {
            let recipient = &mut self.copies[copy].recipients[*place as usize];
            // The last word about a recipient is its own last reply, or what ended the job.
            if said_by == NONE || recipient.reply == NONE {
                (recipient.reply, recipient.said_by) = (status, said_by);
            }
            if recipient.said_by == DEFER_AT_ONCE {
                recipient.said_by = NONE;
            }
            if bounce {
                recipient.state = if is_loop { RecipientState::Looped } else { RecipientState::Failed };
            }
        }
        let result = if bounce { AttemptResult::Bounced } else { AttemptResult::Deferred };
        for place in &left {
            let reply = self.copies[copy].recipients[*place as usize].reply;
            self.attempt_rows(job, &[*place], result, reply);
        }
        let failed_host = !left.is_empty() && self.jobs[job].host_failure && !bounce;
        let queue = self.jobs[job].queue;
        self.jobs.remove(job);
        self.queue_feedback(queue, failed_host, status);
        self.copies[copy].jobs -= 1;
        if self.copies[copy].jobs == 0 {
            self.end_pass(copy);
        }
    }

    /// A destination learns from a finished job (`qmgr_queue.c`: windows, cohorts of failures, dead destinations).
    fn queue_feedback(&mut self, queue: u32, failed: bool, status: u32) {
        let host = self.queues[queue as usize].host;
        let sender = &self.config(host).sender;
        let (initial, limit) = sender.concurrency;
        let retry_min = match &sender.retry {
            crate::model::settings::Retry::Postfix { min_ns, .. } => *min_ns,
            _ => 5 * MINUTE,
        };
        let row = &mut self.queues[queue as usize];
        row.active -= 1;
        if initial == 0 || row.dead_until > self.now {
            return;
        }
        if !failed {
            (row.cohorts, row.failure) = (0, 0);
            if row.window < limit || limit == 0 {
                row.window += 1;
            }
        } else {
            row.cohorts += 10_000 / row.window.max(1);
            if sender.failed_cohort_limit > 0 && row.cohorts + 2 >= 10_000 * sender.failed_cohort_limit {
                (row.dead_until, row.cohorts, row.failure) = (self.now.after(retry_min), 0, 0);
                let reason = self.tables.replies.get(status).clone();
                row.dead_status = self.tables.reply(
                    reason.code,
                    reason.enhanced.unwrap_or(Enhanced(4, 4, 1)).with_class(4),
                    &format!("delivery temporarily suspended: {}", reason.text),
                );
            } else {
                // Half steps: one failure takes one off the window, the first of a series two.
                row.failure -= 2;
                while row.failure < 1 && row.window > 1 {
                    row.window -= 1;
                    row.failure += 2;
                }
            }
        }
    }

    /// The next job of a line has its turn; a line that is at rest forgets.
    fn next_in_queue(&mut self, queue: u32) {
        loop {
            let host = self.queues[queue as usize].host;
            let initial = self.config(host).sender.concurrency.0;
            let row = &mut self.queues[queue as usize];
            let dead = row.dead_until > self.now;
            if row.waiting.is_empty() {
                if row.active == 0 && !dead {
                    (row.window, row.failure, row.cohorts, row.dead_until) = (initial, 0, 0, SimTime::ZERO);
                }
                return;
            }
            if !dead && row.window > 0 && row.active >= row.window {
                return;
            }
            let job = row.waiting.pop_front().expect("somebody waits");
            row.active += 1;
            if dead {
                let status = row.dead_status;
                let job_row = &mut self.jobs[job];
                (job_row.status, job_row.eventful, job_row.started, job_row.host_failure) = (status, true, self.now, false);
                self.finish_job(job);
                continue;
            }
            self.start_job(job);
        }
    }

    /// A machine loses its queue: what lies there is gone, what is under way is gone when it comes back.
    pub(crate) fn lose_queue(&mut self, host: HostId) {
        for copy in self.copies.rows_where(|copy| copy.host == host && !copy.closed) {
            if self.copies[copy].jobs > 0 {
                self.copies[copy].doomed = true;
            } else {
                self.lose(copy);
            }
        }
    }

    fn lose(&mut self, copy: u32) {
        let reply = self.tables.reply(0, Enhanced(4, 3, 0), "lost with the server's queue");
        for place in 0..self.copies[copy].recipients.len() {
            if self.copies[copy].recipients[place].state == RecipientState::Pending {
                self.copies[copy].recipients[place].state = RecipientState::Done;
                self.end_recipient(copy, place, Fate::Lost, reply, NONE);
            }
        }
        self.close_copy(copy);
    }

    /// Marks all that is pending as failed.
    pub(crate) fn fail_pending(&mut self, copy: u32, reply: u32, state: RecipientState) {
        for recipient in self.copies[copy].recipients.iter_mut().filter(|recipient| recipient.state == RecipientState::Pending) {
            (recipient.state, recipient.reply, recipient.said_by) = (state, reply, NONE);
        }
    }

    /// All jobs of a pass are over: reports, and when it is tried again.
    pub(crate) fn end_pass(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        let sender = &self.config(host).sender;
        self.report_failures(copy, keeps_nothing(sender.profile));
        let pending = self.copies[copy].recipients.iter().any(|recipient| recipient.state == RecipientState::Pending);
        if !pending {
            self.close_copy(copy);
            return;
        }
        if self.copies[copy].doomed {
            self.lose(copy);
            return;
        }
        self.counters.deferrals += 1;
        let row = &mut self.copies[copy];
        row.deferrals += 1;
        let (arrived, deferrals) = (row.arrived, row.deferrals);
        let null_sender = self.messages[row.message].from == NONE;
        let rules = behaviour(sender.profile);
        if !self.copies[copy].notified && delay_notice_due(&sender.retry, arrived, self.now) {
            self.copies[copy].notified = true;
            self.delay_notice(copy);
        }
        match after_deferral(&sender.retry, rules.expiry, Memory { arrived, deferrals, null_sender }, self.now) {
            Next::Try { at, why } => {
                let at = match hard_expiry(&sender.retry, rules.expiry, arrived) {
                    Some(end) if rules.expiry == ExpiryTest::Timer => at.min(end),
                    _ => at,
                };
                self.pass_row(copy, at, why);
                self.wake_copy(copy, at);
            }
            Next::Expire { why } => {
                self.pass_row(copy, SimTime::NEVER, why);
                self.expire(copy);
            }
        }
    }

    fn pass_row(&mut self, copy: u32, next_at: SimTime, why: &'static str) {
        if self.writes(PATHS) {
            let row = &self.copies[copy];
            self.trace.passes.push(PassRow { copy: row.number, pass: row.pass, next_at, why });
        }
    }

    /// The lifetime of what is left is over.
    pub(crate) fn expire(&mut self, copy: u32) {
        let sender = &self.config(self.copies[copy].host).sender;
        let rules = behaviour(sender.profile);
        let fate = if keeps_nothing(sender.profile) { Fate::Rejected } else { Fate::Expired };
        let mut lines: Vec<(u16, &'static str, Enhanced, u32)> = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            if recipient.state != RecipientState::Pending {
                continue;
            }
            let last = if recipient.reply == NONE { self.tables.reply(0, Enhanced(4, 4, 7), "") } else { recipient.reply };
            let reply = match rules.expiry_status {
                Some((code, status, words)) => {
                    let text = format!("{words}; last: {}", self.tables.replies.get(last));
                    self.tables.reply(code, status, &text)
                }
                None => last,
            };
            let status = self.tables.replies.get(reply).enhanced.unwrap_or(Enhanced(4, 4, 7));
            lines.push((recipient.index, "failed", status, reply));
            self.copies[copy].recipients[place].state = RecipientState::Done;
            self.end_recipient(copy, place, fate, reply, recipient.said_by);
        }
        if fate == Fate::Expired {
            self.report(copy, lines, 1);
        }
        self.close_copy(copy);
    }

    /// Ends what failed in this pass, with one report for all of it.
    fn report_failures(&mut self, copy: u32, nobody_had_it: bool) {
        let mut lines = Vec::new();
        for place in 0..self.copies[copy].recipients.len() {
            let recipient = self.copies[copy].recipients[place];
            let fate = match recipient.state {
                RecipientState::Failed if nobody_had_it => Fate::Rejected,
                RecipientState::Failed => Fate::Bounced,
                RecipientState::Looped => Fate::Looped,
                RecipientState::Pending | RecipientState::Done => continue,
            };
            let reply = self.tables.replies.get(recipient.reply);
            let status = reply.enhanced.unwrap_or(Enhanced(5, 0, 0));
            lines.push((recipient.index, "failed", status, recipient.reply));
            self.copies[copy].recipients[place].state = RecipientState::Done;
            self.end_recipient(copy, place, fate, recipient.reply, recipient.said_by);
        }
        if !nobody_had_it && !lines.is_empty() {
            self.report(copy, lines, 1);
        }
    }

    /// A recipient arrived where it ends.
    pub(crate) fn arrive_in_mailbox(&mut self, copy: u32, place: usize, fate: Fate) {
        let (reply, index) = (self.ok_reply, self.copies[copy].recipients[place].index);
        let row = &self.messages[self.copies[copy].message];
        if self.sources_model.get(row.source as usize).and_then(|source| source.notify).is_some_and(|notify| notify.success) {
            self.report(copy, vec![(index, "delivered", Enhanced(2, 0, 0), reply)], 1);
        }
        self.copies[copy].recipients[place].state = RecipientState::Done;
        self.end_recipient(copy, place, fate, reply, NONE);
    }

    /// One copy of a recipient has ended.
    pub(crate) fn end_recipient(&mut self, copy: u32, place: usize, fate: Fate, reply: u32, said_by: u32) {
        let (number, message) = (self.copies[copy].number, self.copies[copy].message);
        let index = self.copies[copy].recipients[place].index;
        let good = matches!(fate, Fate::Delivered | Fate::LeftModel);
        let writes = self.writes(FATES);
        let row = &mut self.messages[message];
        let end = &mut row.ends[index as usize];
        end.open -= 1;
        if good {
            end.delivered += 1;
            if end.delivered > 1 {
                self.counters.duplicates += 1;
            } else {
                end.fate = Some(fate);
                if row.kind == 0 {
                    let delay = self.now.since(row.at);
                    self.counters.note_delay(delay);
                }
            }
        } else if end.delivered == 0 {
            end.fate = Some(fate);
        }
        if writes {
            let row = FateRow { message: row.id, recipient: index, fate, reply, at: self.now, copy: number, said_by };
            self.trace.fates.push(row);
        }
    }

    /// Nothing of a copy is left.
    fn close_copy(&mut self, copy: u32) {
        let (host, message) = (self.copies[copy].host, self.copies[copy].message);
        self.count_queue(host, false);
        (self.copies[copy].waits, self.copies[copy].closed) = (u64::MAX, true);
        self.copies.remove(copy);
        let row = &mut self.messages[message];
        row.copies -= 1;
        if row.copies == 0 {
            for end in &row.ends {
                let fate = end.fate.expect("every recipient has an end when no copy is left");
                self.counters.fates[super::run::fate_place(fate)] += 1;
            }
            self.messages.remove(message);
        }
    }

    /// A report to the sender: born here, from nobody.
    fn report(&mut self, copy: u32, lines: Vec<(u16, &'static str, Enhanced, u32)>, kind: u8) {
        let message = self.copies[copy].message;
        let row = &self.messages[message];
        if row.from == NONE {
            return;
        }
        let notify = self.sources_model.get(row.source as usize).and_then(|source| source.notify);
        let wanted = match (notify, kind) {
            (None, _) => true,
            (Some(_), 1) if lines.iter().all(|(_, action, ..)| *action == "delivered") => true,
            (Some(notify), 1) => notify.failure,
            (Some(notify), _) => notify.delay,
        };
        if !wanted {
            return;
        }
        let host = self.copies[copy].host;
        let size = 2_048 + row.size.min(50_000);
        let key = super::chance::mix(row.key ^ self.model.hosts[host.index()].key ^ u64::from(kind) << 32 ^ u64::from(row.reports));
        let (parent, from, number, source) = (row.id, row.from, row.address_number, row.source);
        self.messages[message].reports += 1;
        let order = self.messages[message].reports;
        let list = self.tables.recipient_lists.intern(smallvec::smallvec![from]);
        let report = super::inject::NewMessage {
            source,
            number: u64::from(order),
            parent: parent.0,
            kind,
            from: NONE,
            address_number: number,
            to: list,
            size,
            key,
            host,
            tenant: self.copies[copy].tenant,
            report: lines.into(),
        };
        if let Some(new) = self.new_message(report) {
            self.ready(new);
        }
    }

    /// "It is late, we keep trying."
    fn delay_notice(&mut self, copy: u32) {
        let pending = |recipient: &&Recipient| recipient.state == RecipientState::Pending;
        let lines: Vec<(u16, &'static str, Enhanced, u32)> = self.copies[copy]
            .recipients
            .iter()
            .filter(pending)
            .map(|recipient| {
                let status = if recipient.reply == NONE { None } else { self.tables.replies.get(recipient.reply).enhanced };
                (recipient.index, "delayed", status.unwrap_or(Enhanced(4, 4, 7)), recipient.reply)
            })
            .collect();
        self.report(copy, lines, 2);
    }

    /// Does this kind of sender follow the rules of the shared service?
    pub(crate) fn is_exchange_online(&self, host: HostId) -> bool {
        self.config(host).sender.profile == Profile::ExchangeOnline
    }
}

/// A recipient of a new copy.
fn pending(index: u16) -> Recipient {
    Recipient { index, state: RecipientState::Pending, reply: NONE, said_by: NONE }
}

/// Among `said_by`: no further host is asked in this pass.
const DEFER_AT_ONCE: u32 = NONE - 1;
