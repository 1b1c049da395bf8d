//! A connect reaches a machine: its slots, the line before them, and those who lose patience.

use super::queue::Kind;
use super::session::SessionEnd;
use super::world::{Stage, World};
use crate::base::{ConnectionResult, HostId, Phase, Reply, SimTime};
use crate::decide::failure::{Effect, Event, judge};
use crate::model::fault::{FaultKind, Unreachable};
use crate::model::settings::WhenFull;
use crate::trace::ConnectionOutcome;
use crate::trace::NONE;
use smallvec::SmallVec;

/// Why the wait for a banner came to nothing.
const WAITED_AT_A_DEAD_SERVER: &str = "the server went down while it waited for a slot";

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A connect reached a machine that listens.
    pub(super) fn admit(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        let config = self.config(server);
        let address = self.jobs[job].line.address;
        if self.faults.down(self.model, server, Some(address), self.now).is_some() && (self.plain || !self.goes_over_kept(job)) {
            let status = self.rules(self.client_of(job)).session.lost;
            let reply = self.tables.reply(0, status, "the server went down during the connect");
            self.turned_away(job, reply, ConnectionResult::Dropped, "the server went down during the connect");
            return;
        }
        if self.machines[server.index()].busy < self.slots(server) {
            self.begin_session(job);
            return;
        }
        let banner_ns = self.bears(job, self.config(self.client_of(job)).sender.timers.banner_ns);
        let patience = self.jobs[job].line.began.after(banner_ns);
        match config.receiver.when_full {
            WhenFull::Reply421 => {
                let (status, words) = self.rules(server).door.full;
                let reply = self.tables.replies.intern(Reply::new(421, status, words));
                self.turned_away(job, reply, ConnectionResult::Tempfail, "all slots of the server are taken");
            }
            WhenFull::Wait => {
                let cut = self.faults.first_cut(self.model, self.client_of(job), server, address, self.now, patience);
                let until = cut.map_or(patience, |cut| cut.from);
                (self.jobs[job].stage, self.jobs[job].waits) = (Stage::InLine, u64::MAX);
                self.stands_before_server(job, server);
                self.machines[server.index()].line.push_back((job, until));
                self.look_at_line(server, until);
            }
            WhenFull::Silence => self.wake_job(job, patience, Kind::Settle, Stage::InLine),
        }
    }

    /// One event per line, not one per waiting session: most are served long before their patience ends.
    pub(super) fn look_at_line(&mut self, server: HostId, patience: SimTime) {
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

    pub(super) fn client_of(&self, job: u32) -> HostId {
        self.copies[self.jobs[job].copy].host
    }

    /// How many sessions a machine holds at once now.
    #[inline(always)]
    pub(super) fn slots(&self, server: HostId) -> u32 {
        let model = self.model;
        if model.host_faults[server.index()].capacity.is_empty() {
            return self.settings[server.index()].sessions;
        }
        self.fewer_slots(server).map_or(self.config(server).receiver.sessions, |(_, sessions)| sessions)
    }

    /// The fault that leaves a machine fewer sessions now, and how many.
    pub(super) fn fewer_slots(&self, server: HostId) -> Option<(u32, u32)> {
        self.model.host_faults[server.index()].capacity.iter().find_map(|number| {
            let fault = &self.model.faults[*number as usize];
            let FaultKind::Capacity { sessions, .. } = &fault.kind else { return None };
            sessions.filter(|_| fault.window.has(self.now)).map(|sessions| (*number, sessions))
        })
    }

    pub(super) fn begin_session(&mut self, job: u32) {
        let server = self.jobs[job].line.server;
        let (address, port) = (self.jobs[job].line.address, self.jobs[job].line.port);
        let Some(listener) = self.config(server).receiver.listeners.iter().find(|listener| listener.answers(address, port)) else {
            // A change took the listener away while the connect was under way.
            let status = self.rules(self.client_of(job)).session.refused;
            let reply = self.tables.reply(0, status, "Connection refused");
            self.turned_away(job, reply, ConnectionResult::Refused, "nothing listens on this port any more");
            return;
        };
        if self.settings[server.index()].counts_clients
            && let Err((reply, why)) = self.room_for(job, listener)
        {
            self.turned_away(job, reply, ConnectionResult::Tempfail, why);
            return;
        }
        self.machines[server.index()].busy += 1;
        let end = self.play(job, self.face(job, listener));
        let (mut at, mut lost) = (end.end, end.taken_at().is_some() && end.rest.is_some());
        match self.ends.get_mut(job as usize) {
            Some(place) => std::mem::replace(place, end).let_go(),
            None => {
                debug_assert!(self.ends.len() <= job as usize);
                self.ends.resize(job as usize + 1, end);
            }
        }
        if at >= self.jobs[job].stops_at {
            (at, lost) = self.cut_short(job);
        }
        if lost {
            self.loses_last_word(job);
        }
        self.wake_job(job, at, Kind::Settle, Stage::InSession);
    }

    /// The reply to the final dot is lost: the server has the message now, the client will learn nothing of it.
    #[cold]
    #[inline(never)]
    fn loses_last_word(&mut self, job: u32) {
        let end = std::mem::replace(&mut self.ends[job as usize], SessionEnd::GONE);
        if let Some(taken_at) = end.taken_at() {
            let places: SmallVec<[u16; 2]> = self.taken_places(job, &end);
            let connection = self.finish_connection_row(job, &end);
            self.hand_over(job, &places, taken_at, &end, connection);
        }
        self.ends[job as usize] = end;
    }

    /// Those in a receiver's line whose patience is over go away.
    pub(super) fn leave(&mut self, server: HostId) {
        let now = self.now;
        let machine = &mut self.machines[server.index()];
        if machine.leave_at.is_none_or(|at| at > now) {
            return;
        }
        machine.leave_at = None;
        let gone: Vec<u32> = machine.line.iter().filter(|(_, until)| *until <= now).map(|(job, _)| *job).collect();
        machine.line.retain(|(_, until)| *until > now);
        for job in gone {
            self.leaves_line(job);
        }
        self.serve_line(server);
        if let Some(next) = self.machines[server.index()].line.iter().map(|(_, until)| *until).min() {
            self.look_at_line(server, next);
        }
    }

    /// A client is in the line of a machine no longer: its patience is over, or one of the two is down, or the line between them.
    fn leaves_line(&mut self, job: u32) {
        let (client, server) = (self.client_of(job), self.jobs[job].line.server);
        let address = self.jobs[job].line.address;
        if self.now >= self.jobs[job].stops_at && self.stopped_by(client, self.now, false).is_some() {
            return self.wake_job(job, self.now, Kind::Settle, Stage::InLine);
        }
        let banner_ns = self.bears(job, self.config(client).sender.timers.banner_ns);
        let patience = self.jobs[job].line.began.after(banner_ns);
        let cut = self.faults.down(self.model, server, Some(address), self.now);
        match cut.or_else(|| self.faults.line(self.model, client, server, self.now)) {
            Some(cut) if cut.how == Unreachable::Refused => {
                self.has_its_turn(job);
                let status = self.rules(client).session.lost;
                let reply = self.tables.reply(0, status, "lost connection while waiting for the banner");
                self.turned_away(job, reply, ConnectionResult::Dropped, WAITED_AT_A_DEAD_SERVER);
            }
            // The client hears nothing of it, and goes on waiting.
            Some(_) if self.now < patience => self.wake_job(job, patience, Kind::Settle, Stage::Unheard),
            Some(_) => self.unheard(job),
            None => self.out_of_patience(job),
        }
    }

    /// A client that waited for the banner of a machine that went down meanwhile.
    pub(super) fn unheard(&mut self, job: u32) {
        self.waits_in_vain(job, WAITED_AT_A_DEAD_SERVER);
    }

    /// A client that waited for a banner in vain.
    pub(super) fn out_of_patience(&mut self, job: u32) {
        self.waits_in_vain(job, "all slots of the server are taken");
    }

    fn waits_in_vain(&mut self, job: u32, why: &str) {
        self.has_its_turn(job);
        let status = self.rules(self.client_of(job)).session.lost;
        let reply = self.tables.reply(0, status, "conversation timed out while waiting for the banner");
        self.turned_away(job, reply, ConnectionResult::Timeout, why);
    }

    /// A connection that never got a session.
    pub(super) fn turned_away(&mut self, job: u32, reply: u32, result: ConnectionResult, why: &str) {
        let why = self.tables.texts.intern(why.into());
        let phase = Phase::Banner;
        let outcome = self.tables.outcomes.intern(ConnectionOutcome { phase, result, reply, tls: NONE, why });
        let (candidate, began) = (self.jobs[job].line.candidate, self.jobs[job].line.began);
        self.trace_connection(job, candidate, outcome, began, self.now);
        let client = self.client_of(job);
        let said = self.tables.replies.get(reply).clone();
        let (phase, event) = match result {
            ConnectionResult::Timeout => (Phase::Banner, Event::Silent),
            ConnectionResult::Dropped => (Phase::Banner, Event::Lost),
            ConnectionResult::Refused => (Phase::Connect, Event::Refused),
            _ => (Phase::Banner, Event::Reply(&said)),
        };
        let effect = judge(self.rules(client), &self.config(client).sender, phase, event, self.is_last(job));
        let noted = if said.code == 0 { reply } else { self.noted(&said, effect) };
        self.note_effect(job, effect, noted, true);
        let address = self.jobs[job].line.address;
        self.note_dead(job, candidate);
        self.suspend_route(job, address, self.now);
        if !self.plain {
            self.host_failed(job, candidate, reply, self.now);
        }
        if self.remembers(client) {
            self.remember_connect(job, candidate, result);
        }
        if matches!(effect, Effect::Next(_)) { self.walk(job, self.now) } else { self.over_at(job, self.now) }
    }

    /// A slot is free: the next in line has it.
    pub(super) fn release(&mut self, server: HostId) {
        self.machines[server.index()].busy -= 1;
        self.serve_line(server);
    }

    /// Those who wait have the free slots, in order.
    pub(super) fn serve_line(&mut self, server: HostId) {
        while self.machines[server.index()].busy < self.slots(server) {
            let Some((next, patience)) = self.machines[server.index()].line.pop_front() else { return };
            if self.now >= self.machines[server.index()].up_until && self.faults.down(self.model, server, None, self.now).is_some() {
                return self.machines[server.index()].line.push_front((next, patience));
            }
            if self.writes(crate::trace::level::PATHS) {
                self.has_its_turn(next);
            }
            self.begin_session(next);
        }
    }
}
