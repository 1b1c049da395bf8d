//! Connections that are open and have nothing to do: who keeps them, and which mail takes one up (Postfix scache, KumoMTA, what
//! stands in line at an Exchange server; the lines of Exim, Sendmail and OpenSMTPD pass through here too).
//!
//! A connection that is taken up goes without connect, banner, EHLO and STARTTLS. The rules stand in `decide::keeping`. Not modelled: that an idle
//! connection takes a place of the server's; a connection to a host that the lookup does not name any more.

use super::plan::Goal;
use super::session::{SessionEnd, Stop, Talk};
use super::world::World;
use crate::base::{ConnectionResult, HostId, NameId, Phase, SimTime, TlsOutcome};
use crate::decide::failure::Effect;
use crate::decide::keeping::{Demand, is_too_old_for_service, stays, why_again, why_open};
use crate::decide::mx::MxPlan;
use crate::decide::order::Order;
use crate::model::fault::Unreachable;
use crate::model::settings::{Cache, Directory, Keeping, TlsLevel};
use crate::trace::NONE;
use crate::trace::level::STEPS;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A connection that is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(super) server: HostId,
    pub(super) address: IpAddr,
    pub(super) port: u16,
    pub(super) name: NameId,
    /// For which destination it was opened.
    pub(super) queue: u32,
    opened: SimTime,
    /// Since when it is idle.
    pub(super) since: SimTime,
    pub(super) mails: u32,
    tls: u32,
    encrypted: bool,
    /// How much TLS the destination wanted that it was opened for, and how much with what its domain publishes.
    pub(super) levels: (TlsLevel, TlsLevel),
    extensions: bool,
    /// The address that it leaves from, of several.
    pub(super) from: Option<IpAddr>,
    /// The machine that it leaves through, where that is a front end.
    pub(super) speaker: Option<HostId>,
    /// Whose turn it was among the entries of its destination.
    pub(super) turn: Option<u8>,
}

impl Kept {
    /// Does it lead there?
    pub(super) fn leads_to(&self, goal: &Goal) -> bool {
        self.address == goal.address && self.port == goal.port
    }
}

/// What a job has to do with open connections.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    /// It looks for open ones.
    loads: bool,
    /// It keeps what it opens.
    stores: bool,
    /// A session of it was good already: later ones are not those that its destination prefers.
    bound: bool,
    /// The one that it took up, until its session is over.
    pub(super) taken: Option<Kept>,
    /// That is the connection of its own last session.
    again: bool,
    /// Its MX lookup failed, and what it says to a host of last resort goes no further than DATA.
    pub(super) breaks_off: bool,
}

impl Use {
    /// The connection of its last session carries the next one.
    pub(super) fn takes_again(&mut self, kept: Kept) {
        (self.taken, self.again) = (Some(kept), true);
    }
}

/// All that is open and idle, and what leads to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections {
    /// The newest last.
    pub(super) idle: BTreeMap<(HostId, IpAddr, u16), Vec<Kept>>,
    /// By queue: to which address its last good sessions went, the newest first, and until when that is known.
    bindings: BTreeMap<u32, Vec<(IpAddr, u16, SimTime)>>,
    demands: BTreeMap<u32, Demand>,
    /// By job.
    pub(super) uses: BTreeMap<u32, Use>,
}

impl Connections {
    /// Where a destination's last sessions went is not known any more.
    pub(super) fn forget_queue(&mut self, queue: u32) {
        self.bindings.remove(&queue);
        self.demands.remove(&queue);
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The cache of a machine that has one.
    pub(super) fn cache_of(&self, host: HostId) -> Option<&Cache> {
        match &self.config(host).sender.keeping {
            Keeping::Cache(cache) => Some(cache),
            Keeping::Never | Keeping::ForWaiting { .. } | Keeping::WithinRun { .. } | Keeping::Sessions(_) => None,
        }
    }

    /// A job has its turn: may it take up and keep connections?
    pub(super) fn note_demand(&mut self, job: u32) {
        let queue = self.jobs[job].queue;
        let host = self.queues[queue as usize].host;
        let Some(cache) = self.cache_of(host) else { return };
        let own_line = cache.own_line;
        let named = !cache.on_demand
            || self.hop_of(job, 0).is_some_and(|(hop, _)| cache.names(&crate::decide::route::queue_name(&self.tables.names, &hop)));
        let (mut loads, mut stores) = (named, named);
        if cache.demanded {
            let (busy, now) = (self.queues[queue as usize].active, self.now);
            let demand = self.connections.demands.entry(queue).or_default();
            demand.begin(busy, now);
            (loads, stores) = (loads || demand.loads, stores || demand.stores);
        }
        if loads || stores {
            let taken = if own_line { self.take_free_line(queue) } else { None };
            self.connections.uses.insert(job, Use { loads, stores, taken, ..Use::default() });
        }
    }

    /// A delivery of a destination is over; one that has nothing left forgets how busy it was.
    pub(super) fn note_done(&mut self, queue: u32) {
        let rests = self.rests(queue);
        let row = &self.queues[queue as usize];
        if row.active == 0 && row.waiting.is_empty() && row.dead_until <= self.now && !rests {
            self.connections.demands.remove(&queue);
        } else if self.cache_of(row.host).is_some_and(|cache| cache.demanded) {
            self.connections.demands.entry(queue).or_default().last_done = Some(self.now);
        }
    }

    /// A destination with nothing to do forgets how busy it was.
    pub(super) fn note_idle(&mut self, queue: u32) {
        let row = &self.queues[queue as usize];
        if row.active == 0 && row.waiting.is_empty() {
            self.connections.demands.remove(&queue);
        }
    }

    /// A job is about to walk through its candidates: an open connection goes first.
    pub(super) fn open_connection_first(&mut self, job: u32, order: &mut Order, plan: u32, at: SimTime) {
        let Some(state) = self.connections.uses.get(&job).copied().filter(|state| state.loads) else { return };
        let host = self.copies[self.jobs[job].copy].host;
        let Some((idle_ns, own_line)) = self.cache_of(host).map(|cache| (cache.idle_ns, cache.own_line)) else { return };
        if let Some(kept) = state.taken.filter(|_| own_line) {
            self.own_line_first(job, order, plan, kept);
        }
        if own_line || state.taken.is_some() {
            return;
        }
        let (queue, hop) = (self.jobs[job].queue, self.jobs[job].hop);
        let goals: Vec<(u16, IpAddr, u16)> = {
            let plan = self.cache_plan(plan);
            order.iter().map(|place| (*place, plan.goals[usize::from(*place)].address, plan.goals[usize::from(*place)].port)).collect()
        };
        let login = self.config(host).logs_in();
        let by_site = self.rules(host).pass.shares_sites;
        let mut found = None;
        if hop == 0 && state.stores && !by_site {
            let bindings = self.connections.bindings.get(&queue).cloned().unwrap_or_default();
            for (address, port, until) in bindings {
                if at < until
                    && let Some((place, ..)) = goals.iter().find(|goal| (goal.1, goal.2) == (address, port))
                    && let Some(kept) = self.take_idle(job, (host, address, port), (queue, login), idle_ns, at)
                {
                    found = Some((*place, kept));
                    break;
                }
            }
        }
        if found.is_none() {
            // A site has its connections, to whichever of its hosts they lead.
            let best = if by_site { order.to_vec() } else { self.best_places(plan, order) };
            for (place, address, port) in goals.iter().filter(|goal| best.contains(&goal.0)) {
                if let Some(kept) = self.take_idle(job, (host, *address, *port), (queue, login), idle_ns, at) {
                    found = Some((*place, kept));
                    break;
                }
            }
        }
        if let Some((place, kept)) = found {
            order.retain(|other| *other != place);
            order.insert(0, place);
            self.connections.uses.entry(job).or_default().taken = Some(kept);
        }
    }

    /// Candidates of the best preference.
    pub(super) fn best_places(&self, plan: u32, order: &Order) -> Vec<u16> {
        match &self.cache_plan(plan).outcome {
            MxPlan::Try(list) => {
                let best = list.iter().map(|candidate| candidate.preference).min();
                order.iter().copied().filter(|place| Some(list[usize::from(*place)].preference) == best).collect()
            }
            MxPlan::End { .. } => Vec::new(),
        }
    }

    /// The newest connection to an address that is idle and may be used for a destination.
    fn take_idle(&mut self, job: u32, key: (HostId, IpAddr, u16), (queue, login): (u32, bool), idle_ns: u64, at: SimTime) -> Option<Kept> {
        // Each address of a pool is a transport of its own, and so are its connections.
        let from = if self.has_pool(key.0) { self.leaves_from(job, key.0, key.1, at) } else { None };
        let level = self.policy_of_hop(job).level;
        let by_site = self.rules(key.0).pass.shares_sites;
        let list = self.connections.idle.get_mut(&key)?;
        list.retain(|kept| at <= kept.since.after(idle_ns));
        // What was opened for one destination may be too little for another or for another message, and its login may be another one (smtp.h
        // `SMTP_KEY_MASK_SCACHE_ENDP_LABEL`, `SMTP_KEY_FLAG_TLS_LEVEL`).
        let place = list.iter().rposition(|kept| {
            let is_own = kept.queue == queue || !kept.encrypted && !login;
            let fits = if by_site { self.sites.are_one(kept.queue, queue) } else { is_own && kept.levels.0 == level };
            kept.from == from && fits
        })?;
        Some(list.remove(place))
    }

    /// Is the line to this candidate open already? Says what it costs to ask; `None`: it has to be opened. What is waited for in vain is added to `at`.
    pub(super) fn open_line(&mut self, job: u32, goal: &Goal, at: &mut SimTime) -> Option<bool> {
        let client = self.copies[self.jobs[job].copy].host;
        let probe_ns = match &self.config(client).sender.keeping {
            Keeping::Cache(cache) => cache.probe_ns,
            Keeping::Never | Keeping::ForWaiting { .. } | Keeping::Sessions(_) => 0,
            Keeping::WithinRun { .. } => {
                self.line_of_run(job, goal, *at);
                self.config(client).sender.timers.mail_ns
            }
        };
        let kept = self.connections.uses.get(&job)?.taken.filter(|kept| kept.leads_to(goal))?;
        if kept.levels.1 != self.policy_of(job).level && !self.sites.are_one(kept.queue, self.jobs[job].queue) {
            // What was learned of the domain meanwhile asks for another kind of connection.
            self.connections.idle.entry((client, kept.address, kept.port)).or_default().push(kept);
            self.connections.uses.entry(job).or_default().taken = None;
            return None;
        }
        let cut = self.faults.first_cut(self.model, client, kept.server, kept.address, kept.since, *at);
        let Some(cut) = cut else { return Some(probe_ns > 0) };
        // It broke while nobody used it: RSET shows that, at once or by silence.
        if probe_ns > 0 && cut.how != Unreachable::Refused && *at < cut.until {
            *at = at.after(probe_ns);
        }
        self.connections.uses.entry(job).or_default().taken = None;
        None
    }

    /// A session that is not like others: over an open connection, or one that breaks off.
    #[inline(never)]
    pub(super) fn plays_otherwise(&mut self, talk: &mut Talk<'_>) -> Option<SessionEnd> {
        if self.takes_up(talk) {
            return Some(self.transfer_again(talk));
        }
        if !self.breaks_off(talk.job) {
            return None;
        }
        if let Err(end) = self.greet_once_more(talk) {
            return Some(*end);
        }
        let timers = talk.timers;
        for (phase, timeout) in [(Phase::Mail, timers.mail_ns), (Phase::Rcpt, timers.rcpt_ns), (Phase::Data, timers.data_ns)] {
            if let Err(stop) = self.command(talk, phase, timeout, 0) {
                return Some(*self.broken(talk, phase, &stop, false));
            }
        }
        Some(*self.broken(talk, Phase::Data, &Stop::Lost(talk.now), false))
    }

    /// Takes up an open connection, if the job has one: nothing is said again that was said when it was opened.
    fn takes_up(&mut self, talk: &mut Talk<'_>) -> bool {
        let Some(kept) = self.kept_of(talk.job) else { return false };
        (talk.tls, talk.encrypted, talk.extensions) = (kept.tls, kept.encrypted, kept.extensions);
        true
    }

    /// The transaction over a connection that was open.
    #[cold]
    #[inline(never)]
    fn transfer_again(&mut self, talk: &mut Talk<'_>) -> SessionEnd {
        if self.writes(STEPS) {
            self.tell_why_kept(talk);
        }
        let mut end = self.transfer_logged_in(talk);
        end.why = self.tables.texts.intern(crate::trace::OPEN_ALREADY.into());
        end
    }

    /// Why this session has a connection already.
    fn tell_why_kept(&mut self, talk: &Talk<'_>) {
        let Some(kept) = self.kept_of(talk.job) else { return };
        let host = self.copies[self.jobs[talk.job].copy].host;
        let name = crate::decide::mx::label(&self.tables.names, kept.name);
        let own_queue = self.jobs[talk.job].queue == kept.queue;
        let again = self.connections.uses.get(&talk.job).is_some_and(|state| state.again);
        let decision = match again {
            true => why_again(&name),
            false => why_open(&self.config(host).sender.keeping, &name, kept.mails, own_queue),
        };
        let stored = self.store("which connection?", host, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
    }

    /// Does a machine send from several addresses?
    fn has_pool(&self, host: HostId) -> bool {
        self.model.hosts[host.index()].egress.len() > 1
    }

    /// The address of a pool that the open connection of a job leaves from.
    pub(super) fn kept_address(&self, job: u32) -> Option<IpAddr> {
        self.kept_of(job)?.from
    }

    /// Is the job's session one over a connection that was open?
    pub(super) fn goes_over_kept(&self, job: u32) -> bool {
        self.kept_of(job).is_some()
    }

    /// The open connection that a job has taken up, if its line is that one.
    fn kept_of(&self, job: u32) -> Option<Kept> {
        let line = &self.jobs[job].line;
        self.connections.uses.get(&job)?.taken.filter(|kept| (kept.address, kept.port) == (line.address, line.port))
    }

    /// A session is over: does its connection stay, and for whom? `true`: for recipients of the same message, who have it at once.
    pub(super) fn line_is_free(&mut self, job: u32, end: &SessionEnd) -> bool {
        let client = self.copies[self.jobs[job].copy].host;
        let taken = self.kept_of(job);
        if let Some(state) = self.connections.uses.get_mut(&job) {
            (state.taken, state.again) = (None, false);
        }
        let sender = &self.config(client).sender;
        let keeping = &sender.keeping;
        if *keeping == Keeping::Never && !sender.rest_follows || end.plaintext_retry || self.breaks_off(job) {
            return false;
        }
        let whole = !matches!(end.result, ConnectionResult::Dropped | ConnectionResult::Timeout) && !self.left_by_itself(end);
        // A dispatcher of KumoMTA has one connection: who goes on to the next host has given this one up (smtp_dispatcher.rs).
        let goes_on = matches!(end.rest, Some((Effect::Next(_), _)));
        let given_up = end.result == ConnectionResult::Left && goes_on && self.rules(client).pass.shares_sites;
        let whole = whole && !given_up;
        let closing = end.rest.is_some_and(|(_, reply)| self.tables.replies.get(reply).code == 421);
        let good = whole && end.result != ConnectionResult::TlsFailed && end.counts && !end.host_failure && !closing;
        let row = &self.jobs[job];
        let (queue, line) = (row.queue, &row.line);
        let encrypted = end.tls != NONE && self.tables.tls.get(end.tls).outcome != TlsOutcome::Plaintext;
        let from = if self.has_pool(client) { self.seen_address(job, client, line.address) } else { None };
        let kept = Kept {
            from,
            speaker: self.front_end_of(job),
            server: line.server,
            address: line.address,
            port: line.port,
            name: self.tables.candidates.get(line.candidate).name,
            queue,
            opened: taken.map_or(line.began, |kept| kept.opened),
            since: self.now,
            mails: taken.map_or(0, |kept| kept.mails) + 1,
            tls: end.tls,
            encrypted,
            levels: taken.map_or_else(|| (self.policy_of_hop(job).level, self.policy_of(job).level), |kept| kept.levels),
            extensions: end.extended,
            turn: (row.hop < row.own_hops).then(|| ((usize::from(row.turn) + usize::from(row.hop)) % usize::from(row.own_hops)) as u8),
        };
        if self.next_round(job, kept) {
            return true;
        }
        self.rejoin(job);
        let service = matches!(self.config(kept.server).receiver.directory, Directory::Tenants(_));
        let good = good && !(service && is_too_old_for_service(kept.opened, self.now)) && self.login_of_connector(job).is_none();
        match keeping {
            Keeping::Never => {}
            Keeping::Sessions(_) if end.host_failure => self.suspend_route(job, kept.address, self.now),
            Keeping::Sessions(limits) => self.session_stays(job, kept, whole, limits),
            Keeping::Cache(cache) => {
                let mails = self.mails_per_connection(client, queue).unwrap_or(cache.mails);
                let stays = good && stays(&Cache { mails, ..cache.clone() }, kept.opened, kept.mails, encrypted, self.now);
                self.keep_in_cache(job, kept, (stays, end.host_failure), cache.idle_ns);
            }
            Keeping::ForWaiting { mails } => {
                let done = end.rest.is_none()
                    && (end.taken_at().is_some() || end.refusals.iter().any(|(_, effect, _)| matches!(effect, Effect::Bounce(_))));
                if good && done && (*mails == 0 || kept.mails < *mails) {
                    self.fetch_waiting(job, kept);
                }
            }
            Keeping::WithinRun { .. } => self.keep_in_run(job, kept, (good, whole && !end.host_failure && !closing), end.reply),
        }
        false
    }

    /// Into the cache: by its address, and under the destination's own name if it is the first good one of its job.
    fn keep_in_cache(&mut self, job: u32, kept: Kept, (stays, host_failure): (bool, bool), idle_ns: u64) {
        let client = self.copies[self.jobs[job].copy].host;
        let first_hop = self.jobs[job].hop == 0;
        let Some(state) = self.connections.uses.get_mut(&job).filter(|state| state.stores) else { return };
        let binds = first_hop && !state.bound;
        state.bound |= !host_failure;
        if !stays {
            return;
        }
        let now = self.now;
        let list = self.connections.idle.entry((client, kept.address, kept.port)).or_default();
        list.retain(|other| now <= other.since.after(idle_ns));
        list.push(kept);
        if binds {
            let bindings = self.connections.bindings.entry(kept.queue).or_default();
            bindings.retain(|(.., until)| now < *until);
            let until = now.after(idle_ns);
            match bindings.iter_mut().find(|(address, port, _)| (*address, *port) == (kept.address, kept.port)) {
                Some(known) => known.2 = until,
                None => bindings.insert(0, (kept.address, kept.port, until)),
            }
        }
    }

    /// How many messages a connector lets over one connection (`SmtpMaxMessagesPerConnection`), if it says so.
    fn mails_per_connection(&self, client: HostId, queue: u32) -> Option<u32> {
        let organization = self.organization_of(client)?;
        let name = &self.tables.destinations.get(self.queues[queue as usize].destination).connector;
        let connector = organization.send_connectors.iter().find(|connector| connector.name == *name)?;
        Some(connector.mails_per_connection)
    }

    /// A job is over: what it had to do with open connections is too.
    pub(super) fn forget_use(&mut self, job: u32) {
        self.connections.uses.remove(&job);
        self.forget_session(job);
    }
}
