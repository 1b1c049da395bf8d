//! Clients that log in: AUTH within a session, and what a service counts for each login.
//!
//! Exchange Online counts sessions at once, messages in a minute (what is more waits for a following minute) and recipients in a day.
//! Sources: RFC 4954; Exchange Online limits. A session counts from its AUTH to its end.

use super::session::{SessionEnd, Stop, Talk};
use super::world::World;
use crate::base::{DAY, Enhanced, MINUTE, Phase, Reply, SimTime};
use crate::decide::acceptance::TakenFor;
use crate::decide::exchange::submission::{MESSAGES_A_MINUTE, RECIPIENTS_A_DAY, SESSIONS_AT_ONCE, over_the_day};
use crate::decide::{because, login};
use crate::model::Model;
use crate::model::settings::Directory;
use crate::model::traffic::Source;
use crate::trace::level::{PATHS, STEPS};
use crate::trace::{Concern, NONE, PassRow};
use std::collections::BTreeMap;

/// What is known about the logins of a run, by the number of their text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logins {
    /// Somebody logs in somewhere.
    pub(crate) any: bool,
    ledgers: BTreeMap<u32, Ledger>,
}

impl Logins {
    pub(crate) fn new(model: &Model, sources: &[Source]) -> Self {
        let any =
            sources.iter().any(|source| source.login.is_some()) || model.configs.iter().any(crate::model::settings::HostConfig::logs_in);
        Self { any, ledgers: BTreeMap::new() }
    }
}

/// What is counted for one login.
#[derive(Clone, Debug, Default)]
struct Ledger {
    /// Ends of sessions that were under way when it was looked at last.
    sessions: Vec<SimTime>,
    /// The minute that is being filled, and how many are in it.
    minute: (u64, u32),
    /// When how many recipients were taken.
    recipients: std::collections::VecDeque<(SimTime, u32)>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// AUTH, if the client has a login and the server offers it.
    #[inline(always)]
    pub(super) fn log_in(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        if self.logins.any { self.try_to_log_in(talk) } else { Ok(()) }
    }

    fn try_to_log_in(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let copy = self.jobs[talk.job].copy;
        let message = &self.messages[self.copies[copy].message];
        let own = self.sources_model.get(message.source as usize).and_then(|source| source.login.as_ref());
        let of_message = own.filter(|_| message.kind == 0 && self.copies[copy].hops == 0);
        let of_connector = self.login_of_connector(talk.job);
        let Some(login) = of_message.or(talk.ours.credentials.login.as_ref()).map(|login| &**login).or(of_connector) else { return Ok(()) };
        let login: Box<str> = login.into();
        let in_service = matches!(talk.theirs.receiver.directory, Directory::Tenants(_));
        let offered = self.with_visitor(talk, |visitor, directory| login::offer(directory, visitor, &login, talk.extensions));
        if let Err(unused) = offered {
            let stored = self.store_reasons("may the client log in?", talk.server, NONE, &[], &[unused]);
            self.trace_of_job(talk.job, &[stored]);
            return Ok(());
        }
        let number = self.tables.texts.intern(login);
        talk.login = number;
        let decision = self.with_visitor(talk, |visitor, directory| login::answer_auth(directory, visitor));
        let stored = self.store("may the client log in?", talk.server, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
        self.command(talk, Phase::Auth, talk.timers.auth_ns, 0).map_err(|stop| self.broken(talk, Phase::Auth, &stop, false))?;
        let refusal = match decision.outcome {
            Err(reply) => Some(reply),
            Ok(()) if in_service && self.is_crowded(number, talk.now) => {
                Some(Reply::new(432, Some(Enhanced(4, 3, 2)), "Concurrent connections limit exceeded"))
            }
            Ok(()) => None,
        };
        match refusal {
            None => Ok(()),
            Some(reply) => {
                talk.login = NONE;
                Err(self.broken(talk, Phase::Auth, &Stop::Reply(reply), false))
            }
        }
    }

    /// Does the login of this session come with a token (OAuth) instead of a password?
    pub(super) fn logs_in_by_token(&self, talk: &Talk<'_>) -> bool {
        let copy = &self.copies[self.jobs[talk.job].copy];
        let message = &self.messages[copy.message];
        let of_message = self.sources_model.get(message.source as usize).filter(|source| source.login.is_some());
        of_message.filter(|_| message.kind == 0 && copy.hops == 0).map_or(talk.ours.credentials.oauth, |source| source.oauth)
    }

    fn is_crowded(&mut self, login: u32, at: SimTime) -> bool {
        let ledger = self.logins.ledgers.entry(login).or_default();
        ledger.sessions.retain(|end| *end > at);
        ledger.sessions.len() >= SESSIONS_AT_ONCE
    }

    /// The server's word about MAIL at a listener that asks for a login, or of a client that logged in.
    pub(super) fn judge_mail(&mut self, talk: &Talk<'_>) -> Option<Reply> {
        let decision = self.with_visitor(talk, |visitor, directory| login::answer_mail(directory, visitor));
        let stored = self.store("may the client send as this sender?", talk.server, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
        decision.outcome.err()
    }

    /// One more recipient of a login that the server took; a refusal if the day has enough.
    pub(super) fn count_recipient(&mut self, talk: &Talk<'_>, taken: TakenFor) -> Result<TakenFor, Stop> {
        let Directory::Tenants(tenants) = &talk.theirs.receiver.directory else { return Ok(taken) };
        let ledger = self.logins.ledgers.entry(talk.login).or_default();
        while ledger.recipients.front().is_some_and(|(at, _)| talk.now.since(*at) >= DAY) {
            ledger.recipients.pop_front();
        }
        let so_far: u32 = ledger.recipients.iter().map(|(_, count)| count).sum();
        if so_far >= RECIPIENTS_A_DAY {
            return Err(Stop::Reply(over_the_day(tenants, self.tables.texts.get(talk.login))));
        }
        match ledger.recipients.back_mut() {
            Some((at, count)) if *at == talk.now => *count += 1,
            _ => ledger.recipients.push_back((talk.now, 1)),
        }
        Ok(taken)
    }

    /// The session of a login is over: it is no longer one of those at once, and what it brought may have to wait for a minute with room.
    pub(super) fn end_submission(&mut self, talk: &Talk<'_>, end: &mut SessionEnd) {
        if talk.login == NONE || !matches!(talk.theirs.receiver.directory, Directory::Tenants(_)) {
            return;
        }
        let ledger = self.logins.ledgers.entry(talk.login).or_default();
        ledger.sessions.push(end.end);
        if let Some(at) = end.taken_at() {
            let minute = at.0 / MINUTE;
            if ledger.minute.0 < minute {
                ledger.minute = (minute, 0);
            }
            if ledger.minute.1 >= MESSAGES_A_MINUTE {
                ledger.minute = (ledger.minute.0 + 1, 0);
            }
            ledger.minute.1 += 1;
            if ledger.minute.0 > minute {
                end.rare.get_or_insert_default().held_until = SimTime(ledger.minute.0.saturating_mul(MINUTE));
            }
        }
    }

    /// A message that waits for its minute.
    pub(super) fn hold_back(&mut self, copy: u32, until: SimTime) {
        if self.writes(STEPS) {
            let why = format!(
                "one login sends {MESSAGES_A_MINUTE} messages in a minute, and these had been sent: the message goes on at {}",
                crate::base::duration(until.0)
            );
            let reasons = [because("SUB-7", "the login", why, "Exchange Online limits: client submission")];
            let (host, tenant, count) = (self.copies[copy].host, self.copies[copy].tenant, self.copies[copy].recipients.len());
            let stored = self.store_reasons("when does the message go on?", host, tenant, &reasons, &[]);
            for place in 0..count {
                let index = self.copies[copy].recipients[place].index;
                self.trace_decisions(copy, Concern::recipient(index), &[stored]);
            }
        }
        if self.writes(PATHS) {
            let why = "the login sent 30 messages in this minute: the rest is carried into the following ones";
            self.trace.passes.push(PassRow { copy: self.copies[copy].number, pass: 1, next_at: until, why });
        }
        self.wake_copy(copy, until);
    }
}
