//! The transaction of a session: MAIL, RCPT, DATA, the content, the final dot (RFC 5321 §3.3, §4.1.1).

use super::authentication::Arrival;
use super::chance::Purpose;
use super::fault::{Client, is_at};
use super::session::{Rare, Refusals, SessionEnd, Stop, Talk, status_of};
use super::world::World;
use crate::base::{ConfigId, ConnectionResult, Enhanced, HostId, Interner, Phase, Reply, SimTime};
use crate::decide::acceptance::{Acceptance, TakenFor};
use crate::decide::exchange::attribution::ATTRIBUTION;
use crate::decide::failure::{Effect, Event, judge};
use crate::model::fault::{DropHow, FaultKind};
use crate::model::settings::Directory;
use crate::trace::level::STEPS;
use crate::trace::{Concern, NONE};

/// So much content fits the buffers of a line: a sender writes it all at once, and notices a silent server only when it waits for the last reply.
const IN_BUFFERS: u64 = 64 << 10;

/// What decides whether a recipient is taken: server's settings, client, recipient template, and what else the server knows of the client.
pub(crate) type AcceptanceKey = (ConfigId, HostId, u32, u32);

/// Answers to RCPT, made once per question.
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptanceCache {
    index: Interner<AcceptanceKey>,
    answers: Vec<(Acceptance, u32)>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// MAIL, RCPT, DATA, the content, the final dot.
    #[inline(always)]
    pub(super) fn transfer(&mut self, talk: &mut Talk<'_>) -> SessionEnd {
        let timers = talk.timers;
        let (copy, size) = (self.jobs[talk.job].copy, self.messages[self.copies[self.jobs[talk.job].copy].message].size);
        let pipelining = talk.extensions && !talk.listener.without.iter().any(|word| &**word == "PIPELINING");
        let announces = talk.extensions && !talk.listener.without.iter().any(|word| &**word == "SIZE");
        let too_big = talk.theirs.receiver.max_message_size.is_some_and(|most| size > most);
        if too_big && announces && talk.rules.session.size_checked_before_mail {
            let effect = judge(talk.rules, &talk.ours.sender, Phase::Ehlo, Event::TooBig, self.is_last_session(talk.job));
            let text =
                format!("message size {size} exceeds size limit {} of the server", talk.theirs.receiver.max_message_size.unwrap_or(0));
            let reply = self.tables.reply(talk.rules.session.too_big.0, status_of(effect), &text);
            return *self.failed(talk, Phase::Mail, ConnectionResult::Left, effect, reply, false);
        }
        if self.demanding
            && let Some(end) = self.unmet(talk)
        {
            return end;
        }
        let refusal = if talk.listener.require_tls && !talk.encrypted {
            Some(Reply::new(530, Some(Enhanced(5, 7, 0)), "Must issue a STARTTLS command first"))
        } else if self.settings[talk.server.index()].has_receive_connectors
            && let Some(reply) = self.refused_by_connector(talk, announces.then_some(size))
        {
            Some(reply)
        } else if talk.listener.require_login || talk.login != NONE {
            self.judge_mail(talk)
        } else if talk.calm {
            None
        } else {
            self.over_rate(talk)
        };
        if let Err(stop) = self.command(talk, Phase::Mail, timers.mail_ns, 0) {
            return *self.broken(talk, Phase::Mail, &stop, false);
        }
        if let Some(reply) = refusal {
            return *self.broken(talk, Phase::Mail, &Stop::Reply(reply), false);
        }
        talk.visit = self.visit(talk);
        let mut refusals = Refusals::NONE;
        let mut whom = TakenFor::NOBODY;
        let mut others = Vec::new();
        let mut accepted = 0u32;
        for count in 0..self.jobs[talk.job].recipients.len() {
            let place = self.jobs[talk.job].recipients[count];
            if !pipelining {
                talk.now = talk.now.after(talk.rtt);
            }
            if !refusals.is_empty()
                && let Err(stop) = self.after_refusals(talk, &refusals)
            {
                return self.refused_too_often(talk, &stop, place, refusals);
            }
            match self.rcpt(talk, place, count as u32, accepted) {
                Ok(taken) => {
                    if accepted == 0 {
                        whom = taken;
                    } else if taken != whom {
                        others.push((place, taken));
                    }
                    accepted += 1;
                }
                Err(Stop::Reply(reply)) if reply.code != 421 && !talk.closed => {
                    let effect = self.effect_of(talk, Phase::Rcpt, Event::Reply(&reply));
                    let reply = self.noted(&reply, effect);
                    refusals.push((place, effect, reply));
                }
                Err(Stop::Reply(reply)) if self.jobs[talk.job].recipients.len() > refusals.len() + 1 => {
                    return self.closed_at_rcpt(talk, &reply, place, refusals);
                }
                Err(stop) => return self.broken_at_rcpt(talk, &stop, place, refusals),
            }
        }
        if accepted == 0 {
            return self.nobody_taken(talk, refusals);
        }
        if !refusals.is_empty()
            && let Err(stop) = self.after_refusals(talk, &refusals)
        {
            return self.all_or_nothing(talk, Phase::Data, &stop, refusals);
        }
        let step = if pipelining { 0 } else { talk.rtt };
        let data = self.command_costing(talk, Phase::Data, timers.data_ns, step);
        if let Err(stop) = data {
            return self.all_or_nothing(talk, Phase::Data, &stop, refusals);
        }
        match self.command_costing(talk, Phase::Content, timers.content_ns, 0) {
            Ok(()) => {}
            Err(Stop::Silent(_)) if size <= IN_BUFFERS => {
                let stop = Stop::Silent(talk.now.after(timers.final_dot_ns));
                return self.all_or_nothing(talk, Phase::FinalDot, &stop, refusals);
            }
            Err(stop) => return self.all_or_nothing(talk, Phase::Content, &stop, refusals),
        }
        if others.is_empty() {
            return self.final_dot(talk, copy, too_big, whom, refusals);
        }
        let mut end = self.final_dot(talk, copy, too_big, whom, refusals);
        end.rare.get_or_insert_default().others = others;
        end
    }

    /// The server has had enough of refusals before this recipient was named.
    #[cold]
    fn refused_too_often(&mut self, talk: &mut Talk<'_>, stop: &Stop, place: u16, refusals: Refusals) -> SessionEnd {
        match stop {
            // The sender itself leaves: all that are left hear the same.
            Stop::Reply(reply) if reply.code == 0 => self.all_or_nothing(talk, Phase::Rcpt, stop, refusals),
            Stop::Reply(reply) if self.jobs[talk.job].recipients.len() > refusals.len() + 1 => {
                self.closed_at_rcpt(talk, reply, place, refusals)
            }
            stop => self.broken_at_rcpt(talk, stop, place, refusals),
        }
    }

    /// The reply to one RCPT: for whom it is taken, or a refusal.
    #[inline(always)]
    pub(super) fn rcpt(&mut self, talk: &mut Talk<'_>, place: u16, count: u32, accepted: u32) -> Result<TakenFor, Stop> {
        let model = self.model;
        let copy = self.jobs[talk.job].copy;
        let (message, index) = (self.copies[copy].message, self.copies[copy].recipients[place as usize].index);
        let template = self.recipient_template(message, index);
        let list = &model.host_faults[talk.server.index()].session;
        if !list.is_empty() {
            let address = self.tables.templates.get(template).expand(self.messages[message].address_number).to_string();
            let sender = self.sender_text_of(copy);
            let start = talk.now;
            let mut asked = false;
            for number in list {
                let fault = &model.faults[*number as usize];
                match &fault.kind {
                    FaultKind::Reply { phase: Phase::Rcpt, reply, sender: from, recipient, after_recipients, close, .. } => {
                        let met = from.as_ref().is_none_or(|from| from.matches(&sender) || from.as_str() == "<>" && sender.is_empty())
                            && recipient.as_ref().is_none_or(|to| to.matches(&address))
                            && count >= *after_recipients;
                        if met && self.faults.strikes(model, &self.chance, *number, start, talk.message, talk.n << 8 | u64::from(count)) {
                            if reply.class() == 2 {
                                break;
                            }
                            talk.closed = *close || reply.code == 421;
                            return Err(Stop::Reply(reply.clone()));
                        }
                    }
                    FaultKind::Greylist { phase: Phase::Rcpt, delay_ns, window_ns, remembered_ns, memory, by_subnet, reply, .. }
                        if fault.window.has(start) =>
                    {
                        let times = (*delay_ns, *window_ns, *remembered_ns);
                        let seen = self.seen_address(talk.job, talk.client, talk.address);
                        let client = Client::new(talk.client, seen, *by_subnet);
                        if let Err(why) = self.faults.greylist(*memory, times, client, &sender, &address, start) {
                            self.tell_greylist(talk, seen, &address, why);
                            return Err(Stop::Reply(reply.clone()));
                        }
                    }
                    FaultKind::Postscreen { .. } => {
                        if let Some(reply) = self.screened_at_rcpt(talk, *number) {
                            return Err(Stop::Reply(reply));
                        }
                    }
                    kind if is_at(kind, Phase::Rcpt) && count == 0 && !asked => {
                        // Drops and tarpits strike once per session.
                        asked = true;
                        self.command_costing(talk, Phase::Rcpt, talk.timers.rcpt_ns, 0)?;
                    }
                    _ => {}
                }
            }
        }
        let has_connectors = self.settings[talk.server.index()].has_receive_connectors;
        if has_connectors {
            self.limit_at_rcpt(talk, accepted, index)?;
        }
        let most = talk.theirs.receiver.max_recipients;
        if most > 0 && accepted >= most {
            return Err(Stop::Reply(Reply::new(452, Some(Enhanced(4, 5, 3)), "Too many recipients")));
        }
        let answer = self.acceptance(talk, message, template, index);
        if has_connectors && matches!(&answer, Err(Stop::Reply(reply)) if reply.class() == 5) {
            self.tarpitted(talk)?;
        }
        let taken = answer?;
        if talk.login == NONE { Ok(taken) } else { self.count_recipient(talk, taken) }
    }

    #[inline(always)]
    fn acceptance(&mut self, talk: &Talk<'_>, message: u32, template: u32, index: u16) -> Result<TakenFor, Stop> {
        let config = self.settings[talk.server.index()].id;
        let key = (config, talk.client, template, talk.visit);
        let last = self.machines[talk.server.index()].last_acceptance;
        let known = last.filter(|(known, _)| *known == key).map(|(_, slot)| slot);
        if let Some(slot) = known.or_else(|| self.acceptance_cache.index.find(&key)) {
            self.machines[talk.server.index()].last_acceptance = Some((key, slot));
            if self.writes(STEPS) {
                let decision = self.acceptance_cache.answers[slot as usize].1;
                self.trace_decisions(self.jobs[talk.job].copy, Concern::in_session(index), &[decision]);
            }
            return taken(&self.acceptance_cache.answers[slot as usize].0);
        }
        self.new_acceptance(talk, message, key, index)
    }

    #[inline(never)]
    fn new_acceptance(&mut self, talk: &Talk<'_>, message: u32, key: AcceptanceKey, index: u16) -> Result<TakenFor, Stop> {
        let template = key.2;
        let constant = self.tables.templates.get(template).is_constant();
        let address = self.tables.templates.get(template).expand(self.messages[message].address_number);
        let mut decision = self.ask_rcpt(talk, &address.to_string(), &address.domain);
        let refused = matches!(decision.outcome, Acceptance::Refuse(_));
        let looks_behind = refused && self.rules(talk.server).pass.rewrites_aliases && self.may_be_alias(talk, &address);
        if looks_behind {
            decision = self.asked_behind_alias(talk, &address, decision);
        }
        let restricts = !talk.theirs.receiver.restrictions.is_empty();
        if restricts {
            decision = self.restricted(talk, &address.to_string(), decision);
        }
        let tenant = match decision.outcome {
            Acceptance::Take(TakenFor { tenant: Some(tenant), .. }) => tenant.0,
            Acceptance::Take(_) | Acceptance::Refuse(_) => NONE,
        };
        let question = if tenant == NONE { "does the server take the recipient?" } else { ATTRIBUTION };
        let stored = self.store(question, talk.server, tenant, &decision);
        self.trace_decisions(self.jobs[talk.job].copy, Concern::in_session(index), &[stored]);
        // Where the client was not looked at, who is refused with which words may still depend on it.
        if constant
            && !restricts
            && !looks_behind
            && (tenant != NONE || talk.visit != NONE || !matches!(talk.theirs.receiver.directory, Directory::Tenants(_)))
        {
            self.acceptance_cache.index.intern(key);
            self.acceptance_cache.answers.push((decision.outcome.clone(), stored));
        }
        taken(&decision.outcome)
    }

    /// A rate limit at MAIL.
    fn over_rate(&mut self, talk: &Talk<'_>) -> Option<Reply> {
        let model = self.model;
        model.host_faults[talk.server.index()].session.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::RateLimit { messages, per_ns, reply, .. } = &fault.kind else { return None };
            let over = fault.window.has(talk.now) && !self.faults.within_rate(*number, *messages, *per_ns, talk.client, talk.now);
            over.then(|| reply.clone())
        })
    }

    /// The session ends while a recipient is named: those refused before keep their own word.
    fn broken_at_rcpt(&mut self, talk: &mut Talk<'_>, stop: &Stop, place: u16, refusals: Refusals) -> SessionEnd {
        let mut end = self.all_or_nothing(talk, Phase::Rcpt, stop, refusals);
        let (this, others) = talk.rules.session.lost_at_rcpt;
        if let (Stop::Lost(_), Some((effect, reply)), true) = (stop, end.rest, this > 0) {
            let text = self.tables.replies.get(reply).text.clone();
            let this = self.tables.reply(this, status_of(effect), &text);
            end.refusals.push((place, effect, this));
            end.rest = Some((effect, self.tables.reply(others, status_of(effect), &text)));
        }
        end
    }

    /// The server says 421 to one recipient, or something else, and closes: the others meet a line that is gone.
    fn closed_at_rcpt(&mut self, talk: &mut Talk<'_>, reply: &Reply, place: u16, mut refusals: Refusals) -> SessionEnd {
        let effect = self.effect_of(talk, Phase::Rcpt, Event::Reply(reply));
        let noted = self.noted(reply, effect);
        refusals.push((place, effect, noted));
        let mut end = self.all_or_nothing(talk, Phase::Rcpt, &Stop::Lost(talk.now), refusals);
        let code = talk.rules.session.lost_at_rcpt.0;
        if let (Some((effect, lost)), true) = (end.rest, code > 0) {
            let text = self.tables.replies.get(lost).text.clone();
            end.rest = Some((effect, self.tables.reply(code, status_of(effect), &text)));
        }
        end
    }

    /// No recipient was taken: no content is sent.
    fn nobody_taken(&mut self, talk: &Talk<'_>, refusals: Refusals) -> SessionEnd {
        let (_, effect, reply) = *refusals.last().expect("nobody was taken, so each has a refusal");
        let result = if matches!(effect, Effect::Bounce(_)) { ConnectionResult::Permfail } else { ConnectionResult::Tempfail };
        SessionEnd { refusals, ..self.ended(talk, Phase::Rcpt, result, reply, None, true) }
    }

    /// One reply or break for all recipients that were taken so far.
    fn all_or_nothing(&mut self, talk: &mut Talk<'_>, phase: Phase, stop: &Stop, refusals: Refusals) -> SessionEnd {
        let mut end = self.broken(talk, phase, stop, false);
        end.refusals = refusals;
        end.counts = true;
        *end
    }

    #[inline(always)]
    fn final_dot(&mut self, talk: &mut Talk<'_>, copy: u32, too_big: bool, whom: TakenFor, refusals: Refusals) -> SessionEnd {
        let (model, timers) = (self.model, talk.timers);
        let receiver = &talk.theirs.receiver;
        let service = self.service_time(talk.server, talk.message, talk.n, talk.now);
        let hops = u32::from(self.copies[copy].hops) + 1;
        let round =
            if self.settings[talk.server.index()].has_receive_connectors { self.content_refused_by_connector(talk, hops) } else { None };
        let refusal = if round.is_some() {
            round
        } else if receiver.hop_limit > 0 && hops >= receiver.hop_limit && self.rules(talk.server).pass.too_many_hops.is_none() {
            let (code, status, words) = self.rules(talk.server).pass.hop_refusal;
            Some(Reply::new(code, Some(status), words))
        } else if too_big {
            Some(Reply::new(552, Some(Enhanced(5, 3, 4)), "Message too big"))
        } else {
            None
        };
        let (arrival, refusal) = if !self.origins.is_on || refusal.is_some() {
            (Arrival::UNSEEN, refusal)
        } else {
            let (arrival, refusal) = self.look_at_origin(talk.at_the_door(whom));
            (arrival, refusal.or_else(|| self.filter_refuses(talk, &refusals, arrival)))
        };
        let began = talk.now;
        if talk.calm && refusals.is_empty() && refusal.is_none() && talk.rtt + service <= timers.final_dot_ns {
            talk.now = began.after(talk.rtt + service);
            return self.accepted(talk, whom, arrival, refusals);
        }
        // A message that is taken although its reply never comes.
        let taken_first = model.host_faults[talk.server.index()].session.iter().copied().find(|number| {
            let kind = &model.faults[*number as usize].kind;
            matches!(kind, FaultKind::Drop { phase: Phase::FinalDot, accepted: true, .. })
                && self.faults.strikes(model, &self.chance, *number, began, talk.message, talk.n)
        });
        if let Some(number) = taken_first
            && refusal.is_none()
        {
            let FaultKind::Drop { how, .. } = &model.faults[number as usize].kind else { unreachable!("found as a drop") };
            let taken_at = began.after(talk.rtt / 2 + service);
            let stop = match how {
                DropHow::Silence => Stop::Silent(began.after(timers.final_dot_ns)),
                DropHow::Close | DropHow::Reset => Stop::Lost(began.after(talk.rtt + service)),
            };
            // A server that is gone by then takes nothing.
            let taken_at = self.cut_before(talk, taken_at).is_none().then_some(taken_at);
            let mut end = self.all_or_nothing(talk, Phase::FinalDot, &stop, refusals);
            (end.taken_at, end.arrival) = (taken_at.unwrap_or(SimTime::NEVER), arrival);
            end.set_taken(whom);
            return end;
        }
        let takes = refusal.is_none();
        match self
            .command(talk, Phase::FinalDot, timers.final_dot_ns, service)
            .and_then(|()| refusal.map_or(Ok(()), |reply| Err(Stop::Reply(reply))))
        {
            Ok(()) => self.accepted(talk, whom, arrival, refusals),
            // The dot came to the server before the line was cut, or before the client would wait no longer: it takes the message, and the client sends it
            // again (RFC 1047, RFC 5321 §6.1).
            Err(stop @ (Stop::Silent(_) | Stop::Lost(_))) if takes && self.word_lost_at > began.after(talk.rtt / 2) => {
                let taken_at = began.after(talk.rtt / 2 + service);
                let gone = self.faults.first_cut(model, talk.server, talk.server, talk.address, began, taken_at);
                let mut end = self.all_or_nothing(talk, Phase::FinalDot, &stop, refusals);
                (end.taken_at, end.arrival) = (if gone.is_none() { taken_at } else { SimTime::NEVER }, arrival);
                end.set_taken(whom);
                end
            }
            Err(stop) => SessionEnd { arrival, ..self.all_or_nothing(talk, Phase::FinalDot, &stop, refusals) },
        }
    }

    /// The 250 to the final dot.
    #[inline(always)]
    fn accepted(&self, talk: &Talk<'_>, whom: TakenFor, arrival: Arrival, refusals: Refusals) -> SessionEnd {
        SessionEnd {
            end: talk.now,
            phase: Phase::FinalDot,
            result: ConnectionResult::Accepted,
            reply: self.ok_reply,
            tls: talk.tls,
            why: NONE,
            rest: None,
            host_failure: false,
            extended: talk.extensions,
            counts: true,
            plaintext_retry: false,
            refusals,
            taken_at: talk.now,
            rare: (!whom.is_nobody()).then(|| Box::new(Rare { taken: whom, ..Rare::default() })),
            arrival,
        }
    }

    /// The server's own work on a transaction.
    #[inline(always)]
    fn service_time(&self, server: HostId, message: u64, n: u64, at: SimTime) -> u64 {
        let model = self.model;
        let slower = model.host_faults[server.index()].capacity.iter().find_map(|number| {
            let fault = &model.faults[*number as usize];
            let FaultKind::Capacity { service_time, .. } = &fault.kind else { return None };
            service_time.filter(|_| fault.window.has(at))
        });
        let law = slower.unwrap_or(self.config(server).receiver.service_time);
        self.chance.time(law, Purpose::Service, message, model.hosts[server.index()].key, n)
    }
}

/// An acceptance as a session needs it: for whom, or a refusal.
#[inline(always)]
fn taken(answer: &Acceptance) -> Result<TakenFor, Stop> {
    match answer {
        Acceptance::Take(taken) => Ok(*taken),
        Acceptance::Refuse(reply) => Err(Stop::Reply(reply.clone())),
    }
}
