//! One session, from the banner to the final dot: what is said, how long it takes, where it breaks.
//!
//! Resolved at admission to its end: script of the receiver, timelines, timeouts of the sender. The earliest end wins. Each command costs one
//! exchange (MAIL, RCPT and DATA share one where PIPELINING is offered); the server's own work is added at the final dot.
//! Sources: RFC 5321 §3 and §4.5.3.2, RFC 3207, RFC 2920. Not modelled: content, QUIT.

use super::authentication::{Arrival, AtTheDoor};
use super::world::World;
use crate::base::{ConnectionResult, Enhanced, HostId, Phase, Reply, SimTime};
use crate::decide::acceptance::TakenFor;
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::profile::{Behaviour, HeloUse, OwnName};
use crate::model::settings::{HostConfig, Listener, Timers};
use crate::trace::NONE;

/// Recipients (places in the copy) that were refused on their own: what to do, with which status. Most sessions have none.
#[derive(Clone, Debug, Default)]
#[allow(clippy::box_collection, reason = "a session's end is moved several times, and few have any: 8 bytes instead of 24")]
pub(crate) struct Refusals(Option<Box<Vec<(u16, Effect, u32)>>>);

impl Refusals {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn push(&mut self, refusal: (u16, Effect, u32)) {
        self.0.get_or_insert_default().push(refusal);
    }

    /// One recipient is not among them any more.
    pub(crate) fn forget(&mut self, place: u16) {
        if let Some(list) = &mut self.0 {
            list.retain(|(of, ..)| *of != place);
        }
    }
}

impl std::ops::Deref for Refusals {
    type Target = [(u16, Effect, u32)];

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

/// How a session ended.
#[derive(Clone, Debug)]
pub(crate) struct SessionEnd {
    pub(crate) end: SimTime,
    pub(crate) phase: Phase,
    pub(crate) result: ConnectionResult,
    /// The last reply, or `NONE`.
    pub(crate) reply: u32,
    pub(crate) tls: u32,
    /// The sender's words about it, or `NONE`.
    pub(crate) why: u32,
    /// For all recipients that are not among `refusals`: what to do, with which status.
    pub(crate) rest: Option<(Effect, u32)>,
    /// The failure was one of the connection or its handshake.
    pub(crate) host_failure: bool,
    /// Extensions could be used.
    pub(crate) extended: bool,
    /// It came past EHLO and STARTTLS.
    pub(crate) counts: bool,
    /// Try the same address again without TLS.
    pub(crate) plaintext_retry: bool,
    pub(crate) refusals: Refusals,
    /// When the server took the message over; `NEVER` if it did not.
    pub(super) taken_at: SimTime,
    /// What few sessions have.
    pub(crate) rare: Option<Box<Rare>>,
    /// What the server made of the message's origin.
    pub(crate) arrival: Arrival,
}

impl SessionEnd {
    /// Where none is any more.
    pub(crate) const GONE: Self = Self {
        end: SimTime::ZERO,
        phase: Phase::Banner,
        result: ConnectionResult::Accepted,
        reply: NONE,
        tls: NONE,
        why: NONE,
        rest: None,
        host_failure: false,
        extended: false,
        counts: false,
        plaintext_retry: false,
        refusals: Refusals::NONE,
        taken_at: SimTime::NEVER,
        rare: None,
        arrival: Arrival::UNSEEN,
    };
}

impl SessionEnd {
    /// When the server took the message over, if it did.
    pub(crate) fn taken_at(&self) -> Option<SimTime> {
        Some(self.taken_at).filter(|at| *at < SimTime::NEVER)
    }

    /// In whose name the server took the message.
    pub(crate) fn taken(&self) -> TakenFor {
        self.rare.as_ref().map_or(TakenFor::NOBODY, |rare| rare.taken)
    }

    /// Drops it; most hold nothing that would have to be freed.
    #[inline(always)]
    pub(crate) fn let_go(self) {
        if self.rare.is_none() && self.refusals.0.is_none() {
            std::mem::forget(self);
        }
    }

    pub(crate) fn set_taken(&mut self, whom: TakenFor) {
        if !whom.is_nobody() {
            self.rare.get_or_insert_default().taken = whom;
        }
    }
}

/// What few sessions leave behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    /// In whose name the recipients were taken: a tenant's.
    pub(crate) taken: TakenFor,
    /// Recipients (places in the copy) that were taken for somebody else.
    pub(crate) others: Vec<(u16, TakenFor)>,
    /// The server does not pass it on before.
    pub(crate) held_until: SimTime,
}

/// What a session needs at hand.
pub(super) struct Talk<'a> {
    pub(super) job: u32,
    pub(super) client: HostId,
    pub(super) server: HostId,
    pub(super) address: std::net::IpAddr,
    pub(super) rules: &'static Behaviour,
    pub(super) ours: &'a HostConfig,
    pub(super) theirs: &'a HostConfig,
    pub(super) listener: &'a Listener,
    pub(super) message: u64,
    pub(super) n: u64,
    pub(super) rtt: u64,
    pub(super) now: SimTime,
    /// Nothing has cut the session until here.
    pub(super) whole_until: SimTime,
    pub(super) tls: u32,
    pub(super) encrypted: bool,
    /// EHLO was answered: extensions can be used.
    pub(super) extensions: bool,
    /// The server closed the line after its last reply.
    pub(super) closed: bool,
    /// Nothing cuts sessions between these two, and the server does nothing in them beside the usual.
    pub(super) calm: bool,
    /// Slow servers that this session met already: it counts once for each.
    pub(super) slowed_by: Vec<u32>,
    /// The mailbox that the client logged in with, or `NONE`.
    pub(super) login: u32,
    /// What the server knows of the client, numbered; or `NONE`.
    pub(super) visit: u32,
    /// How long the client waits for each answer.
    pub(super) timers: &'a Timers,
    /// HELO, whatever the profile does.
    pub(super) forced_helo: bool,
}

impl Talk<'_> {
    /// The message as the server has it before its last word.
    pub(super) fn at_the_door(&self, taken: TakenFor) -> AtTheDoor {
        let takes_binary = self.offers("BINARYMIME") && self.offers("CHUNKING");
        let takes_eight_bit = self.offers("8BITMIME");
        let tenant = taken.tenant.map_or(NONE, |tenant| tenant.0);
        AtTheDoor {
            job: self.job,
            server: self.server,
            tenant,
            whom: taken,
            logged_in: self.login != NONE,
            takes_eight_bit,
            takes_binary,
            at: self.now,
        }
    }
}

/// Why a session goes no further.
pub(super) enum Stop {
    Lost(SimTime),
    Silent(SimTime),
    Reply(Reply),
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Plays the session of a job from its admission on.
    pub(super) fn play(&mut self, job: u32, listener: &Listener) -> SessionEnd {
        let row = &self.jobs[job];
        let (copy, line) = (row.copy, &row.line);
        let client = self.copies[copy].host;
        let (server, address, rtt) = (line.server, line.address, line.rtt);
        let (ours, theirs) = (self.config(client), self.config(server));
        let mut talk = Talk {
            job,
            client,
            server,
            address,
            rules: self.rules(client),
            ours,
            theirs,
            listener,
            message: self.messages[self.copies[copy].message].luck,
            n: self.copies[copy].luck() | u64::from(row.connections),
            rtt,
            now: self.now,
            whole_until: self.now,
            tls: NONE,
            encrypted: false,
            extensions: true,
            closed: false,
            calm: self.model.host_faults[server.index()].session.is_empty() && !self.faults.may_cut(self.model, client, server),
            slowed_by: Vec::new(),
            login: NONE,
            visit: NONE,
            timers: &ours.sender.timers,
            forced_helo: false,
        };
        if !self.plain
            && let Some(manner) = self.manner(job)
        {
            (talk.timers, talk.forced_helo) = (self.timers_of_connector(job, ours), manner.helo);
        }
        if !self.plain
            && let Some(end) = self.plays_otherwise(&mut talk)
        {
            return end;
        }
        if let Err(end) = self.greet(&mut talk).and_then(|()| self.log_in(&mut talk)) {
            return self.after_login(&talk, *end);
        }
        if talk.login == NONE {
            return self.transfer(&mut talk);
        }
        let end = self.transfer_logged_in(&mut talk);
        self.after_login(&talk, end)
    }

    /// What a server counts of those who log in.
    #[cold]
    #[inline(never)]
    fn after_login(&mut self, talk: &Talk<'_>, mut end: SessionEnd) -> SessionEnd {
        if talk.login != NONE {
            self.end_submission(talk, &mut end);
        }
        end
    }

    #[inline(never)]
    pub(super) fn transfer_logged_in(&mut self, talk: &mut Talk<'_>) -> SessionEnd {
        self.transfer(talk)
    }

    /// Is there nobody left to try after this session? (Its candidate was counted already.)
    pub(super) fn is_last_session(&self, job: u32) -> bool {
        self.is_last(job) || !self.plain && self.is_last_name(job)
    }

    /// The same, where few pass.
    #[inline(never)]
    pub(super) fn greet_once_more(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        self.greet(talk)
    }

    /// Banner, EHLO, STARTTLS.
    #[inline(always)]
    fn greet(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let timers = talk.timers;
        let tls = &talk.ours.sender.tls;
        let wraps = (tls.policy.implicit || !tls.policies.is_empty()) && self.policy_of(talk.job).implicit;
        if wraps {
            self.wrap(talk)?;
        } else if talk.listener.implicit_tls {
            let end = talk.now.after(timers.banner_ns);
            return Err(self.broken(talk, Phase::Banner, &Stop::Silent(end), true));
        }
        self.command(talk, Phase::Banner, timers.banner_ns, 0).map_err(|stop| self.broken(talk, Phase::Banner, &stop, true))?;
        if talk.rules.session.helo == HeloUse::Always || talk.forced_helo {
            talk.extensions = false;
            self.command(talk, Phase::Helo, timers.ehlo_ns, 0).map_err(|stop| self.broken(talk, Phase::Helo, &stop, true))?;
        } else if let Err(stop) = self.command(talk, Phase::Ehlo, timers.ehlo_ns, 0) {
            let helo = match &stop {
                Stop::Reply(reply) if reply.code == 421 => false,
                Stop::Reply(reply) => match talk.rules.session.helo {
                    HeloUse::After5xx => reply.class() == 5,
                    HeloUse::AfterAnyRefusal | HeloUse::Always => true,
                    HeloUse::Never => false,
                },
                Stop::Lost(_) | Stop::Silent(_) => false,
            };
            if !helo {
                return Err(self.broken(talk, Phase::Ehlo, &stop, true));
            }
            talk.extensions = false;
            self.command(talk, Phase::Helo, timers.ehlo_ns, 0).map_err(|stop| self.broken(talk, Phase::Helo, &stop, true))?;
        }
        let own = self.model.hosts[talk.client.index()].hostname;
        if talk.rules.session.own_name != OwnName::Ignored && self.model.hosts[talk.server.index()].hostname == own {
            let best = self.jobs[talk.job].next <= 1;
            let effect = judge(talk.rules, &talk.ours.sender, Phase::Ehlo, Event::OwnName { best }, self.is_last_session(talk.job));
            let code = match talk.rules.session.own_name {
                OwnName::BouncesAtLast(code, _) if matches!(effect, Effect::Bounce(_)) => code,
                _ => 0,
            };
            let reply =
                self.tables.reply(code, status_of(effect), "the server greets with the sender's own name: mail loops back to myself");
            return Err(self.failed(talk, Phase::Ehlo, ConnectionResult::Left, effect, reply, true));
        }
        if wraps { Ok(()) } else { self.secure(talk) }
    }
}

/// The status that an effect leaves.
pub(super) fn status_of(effect: Effect) -> Enhanced {
    match effect {
        Effect::Next(status) | Effect::Defer(status) | Effect::Bounce(status) => status,
    }
}
