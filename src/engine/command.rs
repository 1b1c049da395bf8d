//! One command of a session: the script, the timelines and the timeout of its moment; and how a session ends that breaks.

use super::authentication::Arrival;
use super::fault::{Cut, is_at};
use super::session::{Refusals, SessionEnd, Stop, Talk, status_of};
use super::world::World;
use crate::base::{ConnectionResult, Enhanced, Phase, Reply, SimTime};
use crate::decide::failure::{Effect, Event};
use crate::model::fault::{DropHow, FaultKind, Unreachable};
use crate::trace::NONE;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// One command that costs one exchange.
    #[inline]
    pub(super) fn command(&mut self, talk: &mut Talk<'_>, phase: Phase, timeout_ns: u64, extra_ns: u64) -> Result<(), Stop> {
        let cost = talk.rtt + extra_ns;
        self.command_costing(talk, phase, timeout_ns, cost)
    }

    /// One command: between machines that nothing troubles, just time.
    #[inline(always)]
    pub(super) fn command_costing(&mut self, talk: &mut Talk<'_>, phase: Phase, timeout_ns: u64, cost_ns: u64) -> Result<(), Stop> {
        if talk.calm && cost_ns <= timeout_ns {
            talk.now = talk.now.after(cost_ns);
            return Ok(());
        }
        let result = self.troubled_command(talk, phase, timeout_ns, cost_ns);
        if let Err(Stop::Reply(reply)) = &result
            && talk.rules.session.carries_last_code
        {
            self.jobs[talk.job].last_code = reply.code;
        }
        result
    }

    /// One command: the script, the timelines and the timeout of this moment; the earliest end wins.
    fn troubled_command(&mut self, talk: &mut Talk<'_>, phase: Phase, timeout_ns: u64, cost_ns: u64) -> Result<(), Stop> {
        let model = self.model;
        let start = talk.now;
        self.word_lost_at = SimTime::ZERO;
        if talk.closed {
            return Err(Stop::Lost(start));
        }
        let (mut cost, mut script, mut refusal) = (cost_ns, None, None);
        for number in &model.host_faults[talk.server.index()].session {
            let kind = &model.faults[*number as usize].kind;
            if !is_at(kind, phase) || script.is_some() && !matches!(kind, FaultKind::Tarpit { .. }) {
                continue;
            }
            match kind {
                FaultKind::Greylist { .. } => refusal = refusal.or(self.greylisted_later(talk, *number)),
                FaultKind::Postscreen { .. } => cost = cost.saturating_add(self.waits_to_be_greeted(talk, *number)),
                FaultKind::Reply { sender, recipient: None, .. } if sender.is_some() && !self.sender_matches(talk, sender.as_ref()) => {}
                FaultKind::Reply { recipient: Some(_), .. } | FaultKind::Drop { accepted: true, .. } => {}
                // Each recipient has a reply of its own, which `rcpt` gives.
                FaultKind::Reply { .. } if phase == Phase::Rcpt => {}
                FaultKind::Drop { after_bytes, .. } if *after_bytes > 0 && self.size_of(talk.job) <= *after_bytes => {}
                FaultKind::Tarpit { delay_ns, .. } if talk.slowed_by.contains(number) => {
                    let holds = model.faults[*number as usize].window.has(start);
                    cost = cost.saturating_add(if holds { *delay_ns } else { 0 });
                }
                _ if !self.faults.strikes(model, &self.chance, *number, start, talk.message, talk.n) => {}
                FaultKind::Tarpit { delay_ns, .. } => {
                    cost = cost.saturating_add(*delay_ns);
                    talk.slowed_by.push(*number);
                }
                FaultKind::BackPressure { .. } => cost = cost.saturating_add(self.pressed(talk, *number, &mut refusal)),
                FaultKind::Reply { reply, close, .. } => script = Some(Ok((reply, *close))),
                FaultKind::Drop { how, .. } => script = Some(Err(*how)),
                _ => {}
            }
        }
        let (reply_at, gives_up) = (start.after(cost), start.after(timeout_ns));
        if let Some(cut) = self.cut_before(talk, reply_at.min(gives_up)) {
            let end = if cut.how == Unreachable::Refused { Stop::Lost(cut.from) } else { Stop::Silent(gives_up) };
            self.word_lost_at = if script.is_none() { cut.from } else { SimTime::ZERO };
            return Err(end);
        }
        match script {
            Some(Err(DropHow::Silence)) => return Err(Stop::Silent(gives_up)),
            _ if reply_at > gives_up => {
                self.word_lost_at = if script.is_none() { SimTime::NEVER } else { SimTime::ZERO };
                return Err(Stop::Silent(gives_up));
            }
            Some(Err(DropHow::Close | DropHow::Reset)) => return Err(Stop::Lost(reply_at.max(start.after(talk.rtt)))),
            Some(Ok((reply, close))) if reply.class() > 3 => {
                talk.now = reply_at;
                talk.closed = close;
                return Err(Stop::Reply(reply.clone()));
            }
            Some(Ok(_)) | None => {}
        }
        talk.now = reply_at;
        refusal.map_or(Ok(()), |reply| Err(Stop::Reply(reply)))
    }

    /// The first cut between the last moment that was looked at (a handshake takes time too) and this one.
    pub(super) fn cut_before(&mut self, talk: &mut Talk<'_>, until: SimTime) -> Option<Cut> {
        let cut = self.faults.first_cut(self.model, talk.client, talk.server, talk.address, talk.whole_until, until);
        talk.whole_until = talk.whole_until.max(until);
        cut
    }

    fn size_of(&self, job: u32) -> u64 {
        self.messages[self.copies[self.jobs[job].copy].message].size
    }

    pub(super) fn sender_matches(&self, talk: &Talk<'_>, pattern: Option<&crate::base::Pattern>) -> bool {
        let sender = self.sender_text_of(self.jobs[talk.job].copy);
        pattern.is_none_or(|from| from.matches(&sender) || from.as_str() == "<>" && sender.is_empty())
    }

    /// Time passes until a break is noticed.
    pub(super) fn stand_still(&mut self, talk: &mut Talk<'_>, stop: &Stop) {
        if let Stop::Lost(at) | Stop::Silent(at) = stop {
            talk.now = (*at).max(talk.now);
        }
    }

    /// A session that broke or was refused in a phase: the effect is for all recipients.
    pub(super) fn broken(&mut self, talk: &mut Talk<'_>, phase: Phase, stop: &Stop, host_failure: bool) -> Box<SessionEnd> {
        self.stand_still(talk, stop);
        let (event, result) = match stop {
            Stop::Lost(_) => (Event::Lost, ConnectionResult::Dropped),
            Stop::Silent(_) => (Event::Silent, ConnectionResult::Timeout),
            Stop::Reply(reply) if reply.class() == 5 => (Event::Reply(reply), ConnectionResult::Permfail),
            Stop::Reply(reply) => (Event::Reply(reply), ConnectionResult::Tempfail),
        };
        let mut effect = self.effect_of(talk, phase, event);
        if let (Phase::Data, true, Effect::Bounce(_), Some(status)) = (phase, talk.closed, effect, talk.rules.session.closed_at_data) {
            effect = Effect::Bounce(status);
        }
        let reply = match stop {
            Stop::Reply(reply) => self.noted(reply, effect),
            Stop::Lost(_) => self.tables.reply(0, status_of(effect), &format!("lost connection at {}", phase.as_str())),
            Stop::Silent(_) => self.tables.reply(0, status_of(effect), &format!("conversation timed out at {}", phase.as_str())),
        };
        let mut end = self.failed(talk, phase, result, effect, reply, host_failure);
        if let Stop::Reply(said) = stop {
            // On the wire was what the server said, whatever the sender notes.
            end.reply = self.tables.replies.intern(said.clone());
        }
        end.plaintext_retry = !matches!(stop, Stop::Reply(_)) && self.goes_on_in_clear(talk);
        end
    }

    /// A reply as the sender notes it: a refusal that it takes for temporary has a status of class 4.
    pub(super) fn noted(&mut self, reply: &Reply, effect: Effect) -> u32 {
        let status = status_of(effect);
        let differs = reply.enhanced.unwrap_or(Enhanced(reply.class(), 0, 0)) != status;
        let enhanced = if differs { Some(status) } else { reply.enhanced };
        self.tables.replies.intern(Reply { enhanced, ..reply.clone() })
    }

    pub(super) fn failed(
        &mut self,
        talk: &Talk<'_>,
        phase: Phase,
        result: ConnectionResult,
        effect: Effect,
        reply: u32,
        host_failure: bool,
    ) -> Box<SessionEnd> {
        let mut end = self.ended(talk, phase, result, reply, Some((effect, reply)), !host_failure);
        end.host_failure = host_failure;
        Box::new(end)
    }

    pub(super) fn ended(
        &mut self,
        talk: &Talk<'_>,
        phase: Phase,
        result: ConnectionResult,
        reply: u32,
        rest: Option<(Effect, u32)>,
        counts: bool,
    ) -> SessionEnd {
        SessionEnd {
            end: talk.now,
            phase,
            result,
            reply,
            tls: talk.tls,
            why: NONE,
            rest,
            host_failure: false,
            extended: talk.extensions,
            counts,
            plaintext_retry: false,
            refusals: Refusals::NONE,
            taken_at: SimTime::NEVER,
            rare: None,
            arrival: Arrival::UNSEEN,
        }
    }
}
