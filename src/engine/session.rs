//! One session, from the banner to the final dot: what is said, how long it takes, where it breaks.
//!
//! Resolved at admission to its end: script of the receiver, timelines, timeouts of the sender. The earliest end wins. Each command costs one
//! exchange (MAIL, RCPT and DATA share one where PIPELINING is offered); the server's own work is added at the final dot.
//! Sources: RFC 5321 §3 and §4.5.3.2, RFC 3207, RFC 2920. Not modelled: content, QUIT.

use super::authentication::{Arrival, AtTheDoor};
use super::chance::Purpose;
use super::fault::is_at;
use super::world::World;
use crate::base::{CertId, ConfigId, ConnectionResult, Enhanced, HostId, Interner, NameId, Phase, Reply, SimTime, TlsOutcome, TlsVersion};
use crate::decide::acceptance::{Acceptance, Peer, answer_rcpt};
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::profile::{Behaviour, behaviour};
use crate::decide::tls::{Offer, Verdict, Wanted, facts, negotiate, sentence};
use crate::model::certificate::Issuer;
use crate::model::fault::{DropHow, FaultKind, StarttlsHow, Unreachable};
use crate::model::settings::{HostConfig, Listener, NextHop, Retry, Target, TlsLevel, TlsPolicy};
use crate::trace::{NONE, TlsRecord};
use smallvec::SmallVec;

/// Recipients (places in the copy) with an end of their own: what to do, with which status; `None` = taken.
pub(crate) type RecipientEnds = SmallVec<[(u16, Option<(Effect, u32)>); 2]>;

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
    /// For all recipients that are not among `recipients`: what to do, with which status.
    pub(crate) rest: Option<(Effect, u32)>,
    /// The failure was one of the connection or its handshake.
    pub(crate) host_failure: bool,
    /// It came past EHLO and STARTTLS.
    pub(crate) counts: bool,
    /// Try the same address again without TLS.
    pub(crate) plaintext_retry: bool,
    pub(crate) recipients: RecipientEnds,
    /// When the server took the message over.
    pub(crate) taken_at: Option<SimTime>,
    /// For which tenant.
    pub(crate) tenant: u32,
    /// What the server made of the message's origin.
    pub(crate) arrival: Arrival,
}

/// What a session needs at hand.
struct Talk<'a> {
    job: u32,
    client: HostId,
    server: HostId,
    address: std::net::IpAddr,
    rules: &'static Behaviour,
    ours: &'a HostConfig,
    theirs: &'a HostConfig,
    listener: &'a Listener,
    message: u64,
    n: u64,
    rtt: u64,
    last: bool,
    now: SimTime,
    tls: u32,
    encrypted: bool,
    /// EHLO was answered: extensions can be used.
    extensions: bool,
    /// Something may cut sessions between these two.
    may_cut: bool,
    /// The server does something in sessions beside the usual.
    scripted: bool,
    /// Slow servers that this session met already: it counts once for each.
    slowed_by: SmallVec<[u32; 2]>,
}

impl Talk<'_> {
    /// The message as the server has it before its last word.
    fn at_the_door(&self, tenant: u32) -> AtTheDoor {
        let takes_eight_bit = self.extensions && !self.listener.without.iter().any(|word| &**word == "8BITMIME");
        AtTheDoor { job: self.job, server: self.server, tenant, takes_eight_bit, at: self.now }
    }
}

/// Why a session goes no further.
enum Stop {
    Lost(SimTime),
    Silent(SimTime),
    Reply(Reply),
}

/// Answers of TLS questions, made once.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsCache {
    index: Interner<TlsQuestion>,
    answers: Vec<(Verdict, u32)>,
    /// Levels that go without TLS where it is not offered.
    plain: Vec<(TlsLevel, u32)>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct TlsQuestion {
    client: (ConfigId, HostId),
    policy: TlsPolicy,
    hop: NextHop,
    name: NameId,
    offer: OfferKey,
    old: bool,
    plain_retry: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum OfferKey {
    NotOffered,
    Refused(Reply),
    Broken(&'static str),
    Certificate(CertId, TlsVersion, u8),
}

/// Answers to RCPT, made once per (server's settings, client, recipient template).
#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptanceCache {
    index: Interner<(ConfigId, HostId, u32)>,
    answers: Vec<(Acceptance, u32)>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Plays the session of a job from its admission on.
    pub(crate) fn play(&mut self, job: u32) -> SessionEnd {
        let row = &self.jobs[job];
        let (copy, line) = (row.copy, &row.line);
        let client = self.copies[copy].host;
        let (server, address, rtt) = (line.server, line.address, line.rtt);
        let port = self.tables.candidates.get(line.candidate).port;
        let (ours, theirs) = (self.config(client), self.config(server));
        let listener = theirs.receiver.listeners.iter().find(|listener| listener.port == port).expect("connects go to ports that listen");
        let mut talk = Talk {
            job,
            client,
            server,
            address,
            rules: behaviour(ours.sender.profile),
            ours,
            theirs,
            listener,
            message: self.messages[self.copies[copy].message].key,
            n: self.copies[copy].luck() | u64::from(row.connections),
            rtt,
            last: self.is_last_session(job),
            now: self.now,
            tls: NONE,
            encrypted: false,
            extensions: true,
            may_cut: self.faults.may_cut(self.model, client, server),
            scripted: !self.model.host_faults[server.index()].session.is_empty(),
            slowed_by: SmallVec::new(),
        };
        match self.greet(&mut talk) {
            Ok(()) => self.transfer(&mut talk),
            Err(end) => *end,
        }
    }

    /// The candidate of this session was counted already.
    fn is_last_session(&self, job: u32) -> bool {
        let row = &self.jobs[job];
        let sender = &self.config(self.copies[row.copy].host).sender;
        let here = usize::from(row.next) >= row.order.len()
            || sender.address_limit > 0 && u32::from(row.tried) >= sender.address_limit
            || sender.session_limit > 0 && u32::from(row.sessions) + 1 >= sender.session_limit;
        here && self.hop_of(job, row.hop + 1).is_none()
    }

    /// Banner, EHLO, STARTTLS.
    fn greet(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let timers = talk.ours.sender.timers;
        if talk.listener.implicit_tls {
            let end = talk.now.after(timers.banner_ns);
            return Err(self.broken(talk, Phase::Banner, &Stop::Silent(end), true));
        }
        self.command(talk, Phase::Banner, timers.banner_ns, 0).map_err(|stop| self.broken(talk, Phase::Banner, &stop, true))?;
        if let Err(stop) = self.command(talk, Phase::Ehlo, timers.ehlo_ns, 0) {
            let helo = match &stop {
                Stop::Reply(reply) if reply.code == 421 => false,
                Stop::Reply(reply) => reply.class() == 5 || talk.rules.session.helo_after_any_refusal,
                Stop::Lost(_) | Stop::Silent(_) => false,
            };
            if !helo {
                return Err(self.broken(talk, Phase::Ehlo, &stop, true));
            }
            talk.extensions = false;
            self.command(talk, Phase::Helo, timers.ehlo_ns, 0).map_err(|stop| self.broken(talk, Phase::Helo, &stop, true))?;
        }
        let own = self.model.hosts[talk.client.index()].hostname;
        if talk.rules.session.own_name_is_loop && talk.client != talk.server && self.model.hosts[talk.server.index()].hostname == own {
            let best = self.jobs[talk.job].next <= 1;
            let effect = judge(talk.rules, &talk.ours.sender, Phase::Ehlo, Event::OwnName { best }, talk.last);
            let reply = self.tables.reply(0, status_of(effect), "the server greets with the sender's own name: mail loops back to myself");
            return Err(self.failed(talk, Phase::Ehlo, ConnectionResult::Left, effect, reply, true));
        }
        self.secure(talk)
    }

    /// STARTTLS, if the policy wants it and the server has it.
    fn secure(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let (policy, hop, plain_retry) = self.policy_of(talk.job);
        let timers = talk.ours.sender.timers;
        if policy.level == TlsLevel::None || self.jobs[talk.job].plain {
            let why = if self.jobs[talk.job].plain {
                "S3: the handshake failed before; this connection goes without TLS"
            } else {
                "the policy never uses TLS"
            };
            talk.tls = self.tls_record(TlsOutcome::Plaintext, None, policy.level.as_str(), None, why);
            return Ok(());
        }
        let offer = if !talk.extensions || talk.listener.without.iter().any(|word| &**word == "STARTTLS") {
            OfferKey::NotOffered
        } else {
            match self.starttls_offer(talk) {
                OfferKey::NotOffered => OfferKey::NotOffered,
                offer => match self.command(talk, Phase::Starttls, timers.starttls_ns, 0) {
                    Err(Stop::Reply(reply)) => OfferKey::Refused(reply),
                    Err(stop @ Stop::Lost(_)) => {
                        self.stand_still(talk, &stop);
                        OfferKey::Broken("the server closed")
                    }
                    Err(stop @ Stop::Silent(_)) => {
                        self.stand_still(talk, &stop);
                        OfferKey::Broken("the server fell silent")
                    }
                    Ok(()) => offer,
                },
            }
        };
        if offer == OfferKey::NotOffered && matches!(policy.level, TlsLevel::May | TlsLevel::Opportunistic) {
            // The usual case of a server without TLS, worked out once per level.
            let known = self.tls_cache.plain.iter().find(|(level, _)| *level == policy.level).map(|(_, record)| *record);
            talk.tls = known.unwrap_or_else(|| {
                let decision = negotiate(talk.rules, &policy, &Offer::NotOffered, false, plain_retry);
                let record = self.tls_record(TlsOutcome::Plaintext, None, policy.level.as_str(), None, &sentence(&decision.chosen));
                self.tls_cache.plain.push((policy.level, record));
                record
            });
            return Ok(());
        }
        let offer = match offer {
            OfferKey::Certificate(certificate, ..) => self.shake_hands(talk, certificate, policy.level),
            OfferKey::Broken("the server falls silent") => {
                talk.now = talk.now.after(timers.starttls_ns);
                offer
            }
            offer => offer,
        };
        let backoff = match &talk.ours.sender.retry {
            Retry::Postfix { min_ns, .. } => *min_ns,
            Retry::Rfc { first_ns, .. } => *first_ns,
            Retry::Steps { waits_ns, .. } => waits_ns.first().copied().unwrap_or(0),
            Retry::Never => 0,
        };
        let copy = &self.copies[self.jobs[talk.job].copy];
        let old = copy.pass_at.since(copy.arrived) >= backoff;
        let name = self.tables.candidates.get(self.jobs[talk.job].line.candidate).name;
        let config = self.model.versions[self.version].configs[talk.client.index()];
        let question = TlsQuestion { client: (config, talk.client), policy, hop, name, offer, old, plain_retry };
        let (verdict, record) = self.tls_answer(question, talk);
        talk.tls = record;
        match verdict {
            Verdict::Go(outcome) => {
                talk.encrypted = outcome != TlsOutcome::Plaintext;
                if talk.encrypted {
                    // A second EHLO (RFC 3207 §4.2).
                    self.command(talk, Phase::Ehlo, timers.ehlo_ns, 0).map_err(|stop| self.broken(talk, Phase::Ehlo, &stop, true))?;
                }
                Ok(())
            }
            Verdict::PlaintextRetry => {
                let reply = self.tables.reply(0, talk.rules.tls.handshake, "TLS handshake failed");
                let mut end =
                    self.failed(talk, Phase::Starttls, ConnectionResult::TlsFailed, Effect::Next(talk.rules.tls.handshake), reply, true);
                end.plaintext_retry = true;
                Err(end)
            }
            Verdict::Fail { bounce, status, result } => {
                let effect = if bounce { Effect::Bounce(status) } else { Effect::Next(status) };
                let why = self.tables.tls.get(record).why.clone();
                let reply = self.tables.reply(0, status, &format!("{why} ({result})"));
                Err(self.failed(talk, Phase::Starttls, ConnectionResult::TlsFailed, effect, reply, true))
            }
        }
    }

    /// What the server has to offer when asked for STARTTLS now.
    fn starttls_offer(&mut self, talk: &Talk<'_>) -> OfferKey {
        let (model, at) = (self.model, talk.now);
        let mut certificate = talk.theirs.receiver.certificate;
        let mut swapped = false;
        for number in &model.host_faults[talk.server.index()].session {
            match &model.faults[*number as usize].kind {
                FaultKind::Starttls { how, .. } if self.faults.strikes(model, &self.chance, *number, at, talk.message, talk.n) => {
                    return match how {
                        StarttlsHow::Missing => OfferKey::NotOffered,
                        StarttlsHow::Refused(reply) => OfferKey::Refused(reply.clone()),
                        StarttlsHow::HandshakeFails => OfferKey::Broken("no common ground"),
                        StarttlsHow::Closes => OfferKey::Broken("the server closes"),
                        StarttlsHow::Hangs => OfferKey::Broken("the server falls silent"),
                    };
                }
                FaultKind::Certificate { becomes, .. }
                    if !swapped && self.faults.strikes(model, &self.chance, *number, at, talk.message, talk.n) =>
                {
                    (certificate, swapped) = (*becomes, true);
                }
                _ => {}
            }
        }
        certificate.map_or(OfferKey::NotOffered, |id| OfferKey::Certificate(id, TlsVersion::Tls13, 0))
    }

    /// The handshake itself.
    fn shake_hands(&mut self, talk: &mut Talk<'_>, id: CertId, level: TlsLevel) -> OfferKey {
        let (ours, theirs) = (talk.ours.sender.tls.versions, talk.listener.tls_versions);
        let version = ours.1.min(theirs.1);
        let trips = if version == TlsVersion::Tls13 { 1 } else { 2 };
        talk.now = talk.now.after(talk.rtt * trips);
        if version < ours.0.max(theirs.0) {
            return OfferKey::Broken("no common TLS version");
        }
        let judges = matches!(level, TlsLevel::Verify | TlsLevel::Secure | TlsLevel::CertificateValidation | TlsLevel::DomainValidation);
        if judges && version < talk.rules.tls.judged_version_min {
            return OfferKey::Broken("the version is too old for a level that judges the certificate");
        }
        let certificate = self.model.certificate(id);
        let issuer_over = matches!(certificate.issuer, Issuer::Authority { not_after, .. } if talk.now > not_after);
        let validity = if talk.now < certificate.not_before { 0 } else { 1 + u8::from(talk.now > certificate.not_after || issuer_over) };
        OfferKey::Certificate(id, version, validity)
    }

    /// Asks the rule book about TLS, once per question.
    fn tls_answer(&mut self, question: TlsQuestion, talk: &Talk<'_>) -> (Verdict, u32) {
        let slot = self.tls_cache.index.intern(question.clone()) as usize;
        if slot < self.tls_cache.answers.len() {
            return self.tls_cache.answers[slot].clone();
        }
        let names = &self.tables.names;
        let hop_name = match question.hop.target {
            Target::Mx(name) | Target::Host(name) => names.text(name).to_owned(),
            Target::Ip(address) => address.to_string(),
        };
        let host_name = names.text(question.name).to_owned();
        let wanted: Vec<Wanted<'_>> = match (question.policy.names.is_empty(), question.policy.level) {
            (true, TlsLevel::Secure) => vec![Wanted::Name(&hop_name), Wanted::Below(&hop_name)],
            (true, _) => vec![Wanted::Name(&host_name)],
            (false, _) => question
                .policy
                .names
                .iter()
                .map(|name| match &**name {
                    "hostname" => Wanted::Name(&host_name),
                    "nexthop" => Wanted::Name(&hop_name),
                    "dot-nexthop" => Wanted::Below(&hop_name),
                    name => name.strip_prefix('.').map_or(Wanted::Name(name), Wanted::Below),
                })
                .collect(),
        };
        let (offer, version) = match &question.offer {
            OfferKey::NotOffered => (Offer::NotOffered, None),
            OfferKey::Refused(reply) => (Offer::Refused(reply.clone()), None),
            OfferKey::Broken(how) => (Offer::Broken(how), None),
            OfferKey::Certificate(id, version, _) => {
                let certificate = self.model.certificate(*id);
                let trusts = match &certificate.issuer {
                    Issuer::Public => true,
                    Issuer::SelfSigned => false,
                    Issuer::Authority { trusted_by, .. } => trusted_by.has(talk.client),
                };
                (Offer::Handshake(facts(certificate, *version, talk.now, trusts, &wanted)), Some(*version))
            }
        };
        let decision = negotiate(talk.rules, &question.policy, &offer, question.old, question.plain_retry);
        let why = sentence(&decision.chosen);
        let policy = question.policy.level.as_str();
        let record = match &decision.outcome {
            Verdict::Go(outcome) => self.tls_record(*outcome, version.filter(|_| *outcome != TlsOutcome::Plaintext), policy, None, &why),
            Verdict::PlaintextRetry => self.tls_record(TlsOutcome::Plaintext, None, policy, Some("validation-failure"), &why),
            Verdict::Fail { result, .. } => self.tls_record(TlsOutcome::Plaintext, None, policy, Some(result), &why),
        };
        self.tls_cache.answers.push((decision.outcome.clone(), record));
        (decision.outcome, record)
    }

    fn tls_record(
        &mut self,
        outcome: TlsOutcome,
        version: Option<TlsVersion>,
        policy: &'static str,
        result: Option<&'static str>,
        why: &str,
    ) -> u32 {
        self.tables.tls.intern(TlsRecord { outcome, version, policy, result, why: why.into() })
    }

    /// MAIL, RCPT, DATA, the content, the final dot.
    fn transfer(&mut self, talk: &mut Talk<'_>) -> SessionEnd {
        let timers = talk.ours.sender.timers;
        let (copy, size) = (self.jobs[talk.job].copy, self.messages[self.copies[self.jobs[talk.job].copy].message].size);
        let pipelining = talk.extensions && !talk.listener.without.iter().any(|word| &**word == "PIPELINING");
        let announces = talk.extensions && !talk.listener.without.iter().any(|word| &**word == "SIZE");
        let too_big = talk.theirs.receiver.max_message_size.is_some_and(|most| size > most);
        if too_big && announces {
            let effect = judge(talk.rules, &talk.ours.sender, Phase::Ehlo, Event::TooBig, talk.last);
            let text =
                format!("message size {size} exceeds size limit {} of the server", talk.theirs.receiver.max_message_size.unwrap_or(0));
            let reply = self.tables.reply(0, status_of(effect), &text);
            return *self.failed(talk, Phase::Mail, ConnectionResult::Left, effect, reply, false);
        }
        let refusal = if talk.listener.require_tls && !talk.encrypted {
            Some(Reply::new(530, Some(Enhanced(5, 7, 0)), "Must issue a STARTTLS command first"))
        } else if talk.listener.require_login {
            Some(Reply::new(530, Some(Enhanced(5, 7, 0)), "Authentication required"))
        } else {
            self.over_rate(talk)
        };
        let mail =
            self.command(talk, Phase::Mail, timers.mail_ns, 0).and_then(|()| refusal.map_or(Ok(()), |reply| Err(Stop::Reply(reply))));
        if let Err(stop) = mail {
            return *self.broken(talk, Phase::Mail, &stop, false);
        }
        let mut recipients: RecipientEnds = SmallVec::new();
        let mut tenant = NONE;
        let mut accepted = 0u32;
        let places: SmallVec<[u16; 2]> = SmallVec::from_slice(&self.jobs[talk.job].recipients);
        for (count, place) in places.iter().enumerate() {
            if !pipelining {
                talk.now = talk.now.after(talk.rtt);
            }
            match self.rcpt(talk, *place, count as u32, accepted) {
                Ok(for_tenant) => {
                    accepted += 1;
                    tenant = for_tenant;
                    recipients.push((*place, None));
                }
                Err(Stop::Reply(reply)) if reply.code != 421 => {
                    let effect = judge(talk.rules, &talk.ours.sender, Phase::Rcpt, Event::Reply(&reply), talk.last);
                    let reply = self.noted(&reply, effect);
                    recipients.push((*place, Some((effect, reply))));
                }
                Err(stop) => return *self.broken(talk, Phase::Rcpt, &stop, false),
            }
        }
        if accepted == 0 {
            return self.nobody_taken(talk, recipients);
        }
        let step = if pipelining { 0 } else { talk.rtt };
        let data = self.command_costing(talk, Phase::Data, timers.data_ns, step);
        if let Err(stop) = data {
            return self.all_or_nothing(talk, Phase::Data, &stop, recipients);
        }
        if let Err(stop) = self.command_costing(talk, Phase::Content, timers.content_ns, 0) {
            return self.all_or_nothing(talk, Phase::Content, &stop, recipients);
        }
        self.final_dot(talk, copy, too_big, tenant, recipients)
    }

    /// The reply to one RCPT: the tenant it is taken for, or a refusal.
    fn rcpt(&mut self, talk: &mut Talk<'_>, place: u16, count: u32, accepted: u32) -> Result<u32, Stop> {
        let model = self.model;
        let copy = self.jobs[talk.job].copy;
        let (message, index) = (self.copies[copy].message, self.copies[copy].recipients[place as usize].index);
        let template = self.recipient_template(message, index);
        let list = &model.host_faults[talk.server.index()].session;
        if !list.is_empty() {
            let address = self.tables.templates.get(template).expand(self.messages[message].address_number).to_string();
            let sender = self.sender_text(message);
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
                            if *close || reply.code == 421 {
                                return Err(Stop::Reply(Reply {
                                    code: if reply.class() == 4 { 421 } else { reply.code },
                                    ..reply.clone()
                                }));
                            }
                            if reply.class() != 2 {
                                return Err(Stop::Reply(reply.clone()));
                            }
                            break;
                        }
                    }
                    FaultKind::Greylist { delay_ns, window_ns, remembered_ns, memory, reply, .. } if fault.window.has(start) => {
                        let times = (*delay_ns, *window_ns, *remembered_ns);
                        if !self.faults.greylist(*memory, times, talk.client, &sender, &address, start) {
                            return Err(Stop::Reply(reply.clone()));
                        }
                    }
                    kind if is_at(kind, Phase::Rcpt) && count == 0 && !asked => {
                        // Drops and tarpits strike once per session.
                        asked = true;
                        self.command_costing(talk, Phase::Rcpt, talk.ours.sender.timers.rcpt_ns, 0)?;
                    }
                    _ => {}
                }
            }
        }
        let most = talk.theirs.receiver.max_recipients;
        if most > 0 && accepted >= most {
            return Err(Stop::Reply(Reply::new(452, Some(Enhanced(4, 5, 3)), "Too many recipients")));
        }
        match self.acceptance(talk, message, template) {
            Acceptance::Take { tenant } => Ok(tenant.map_or(NONE, |tenant| tenant.0)),
            Acceptance::Refuse(reply) => Err(Stop::Reply(reply)),
        }
    }

    fn acceptance(&mut self, talk: &Talk<'_>, message: u32, template: u32) -> Acceptance {
        let config = self.model.versions[self.version].configs[talk.server.index()];
        let key = (config, talk.client, template);
        if let Some(slot) = self.acceptance_cache.index.find(&key) {
            let (answer, decision) = self.acceptance_cache.answers[slot as usize].clone();
            self.trace_decisions(self.jobs[talk.job].copy, NONE, &[decision]);
            return answer;
        }
        let constant = self.tables.templates.get(template).is_constant();
        let address = self.tables.templates.get(template).expand(self.messages[message].address_number);
        let client = &self.model.hosts[talk.client.index()];
        let seen = client.egress.iter().chain(&client.addresses).find(|own| own.is_ipv4() == talk.address.is_ipv4()).copied();
        let peer = Peer { host: talk.client, address: seen };
        let decision = answer_rcpt(&talk.theirs.receiver.directory, &self.tables.names, peer, &address.to_string(), &address.domain);
        let stored = self.store("does the server take the recipient?", talk.server, NONE, &decision);
        self.trace_decisions(self.jobs[talk.job].copy, NONE, &[stored]);
        if constant {
            self.acceptance_cache.index.intern(key);
            self.acceptance_cache.answers.push((decision.outcome.clone(), stored));
        }
        decision.outcome
    }

    fn size_of(&self, job: u32) -> u64 {
        self.messages[self.copies[self.jobs[job].copy].message].size
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

    /// No recipient was taken: no content is sent.
    fn nobody_taken(&mut self, talk: &Talk<'_>, recipients: RecipientEnds) -> SessionEnd {
        let (effect, reply) = recipients.last().and_then(|(_, end)| *end).expect("nobody was taken, so each has a refusal");
        let result = if matches!(effect, Effect::Bounce(_)) { ConnectionResult::Permfail } else { ConnectionResult::Tempfail };
        SessionEnd { recipients, ..self.ended(talk, Phase::Rcpt, result, reply, None, true) }
    }

    /// One reply or break for all recipients that were taken so far.
    fn all_or_nothing(&mut self, talk: &mut Talk<'_>, phase: Phase, stop: &Stop, recipients: RecipientEnds) -> SessionEnd {
        let mut end = self.broken(talk, phase, stop, false);
        end.recipients = recipients.into_iter().filter(|(_, end)| end.is_some()).collect();
        end.counts = true;
        *end
    }

    fn final_dot(&mut self, talk: &mut Talk<'_>, copy: u32, too_big: bool, tenant: u32, recipients: RecipientEnds) -> SessionEnd {
        let (model, timers) = (self.model, talk.ours.sender.timers);
        let receiver = &talk.theirs.receiver;
        let service = self.service_time(talk.server, talk.message, talk.n, talk.now);
        let hops = u32::from(self.copies[copy].hops) + 1;
        let refusal = if receiver.hop_limit > 0 && hops >= receiver.hop_limit {
            Some(Reply::new(554, Some(Enhanced(5, 4, 0)), "Error: too many hops"))
        } else if too_big {
            Some(Reply::new(552, Some(Enhanced(5, 3, 4)), "Message too big"))
        } else {
            None
        };
        let (arrival, refusal) = if refusal.is_some() { (Arrival::UNSEEN, refusal) } else { self.look_at_origin(talk.at_the_door(tenant)) };
        let began = talk.now;
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
            let mut end = self.all_or_nothing(talk, Phase::FinalDot, &stop, recipients);
            (end.taken_at, end.tenant, end.arrival) = (Some(taken_at), tenant, arrival);
            return end;
        }
        match self
            .command(talk, Phase::FinalDot, timers.final_dot_ns, service)
            .and_then(|()| refusal.map_or(Ok(()), |reply| Err(Stop::Reply(reply))))
        {
            Ok(()) => {
                let reply = self.ok_reply;
                let end = self.ended(talk, Phase::FinalDot, ConnectionResult::Accepted, reply, None, true);
                SessionEnd { recipients, taken_at: Some(talk.now), tenant, arrival, ..end }
            }
            Err(stop @ Stop::Silent(_)) if service > timers.final_dot_ns => {
                // The server works longer than the client waits: it takes the message, and the client sends it again.
                let taken_at = began.after(talk.rtt / 2 + service);
                let mut end = self.all_or_nothing(talk, Phase::FinalDot, &stop, recipients);
                (end.taken_at, end.tenant, end.arrival) = (Some(taken_at), tenant, arrival);
                end
            }
            Err(stop) => SessionEnd { arrival, ..self.all_or_nothing(talk, Phase::FinalDot, &stop, recipients) },
        }
    }

    /// The server's own work on a transaction.
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

    /// One command that costs one exchange.
    fn command(&mut self, talk: &mut Talk<'_>, phase: Phase, timeout_ns: u64, extra_ns: u64) -> Result<(), Stop> {
        let cost = talk.rtt + extra_ns;
        self.command_costing(talk, phase, timeout_ns, cost)
    }

    /// One command: the script, the timelines and the timeout of this moment; the earliest end wins.
    fn command_costing(&mut self, talk: &mut Talk<'_>, phase: Phase, timeout_ns: u64, cost_ns: u64) -> Result<(), Stop> {
        let model = self.model;
        let start = talk.now;
        if !talk.may_cut && !talk.scripted && cost_ns <= timeout_ns {
            talk.now = start.after(cost_ns);
            return Ok(());
        }
        let (mut cost, mut script) = (cost_ns, None);
        for number in &model.host_faults[talk.server.index()].session {
            let kind = &model.faults[*number as usize].kind;
            if !is_at(kind, phase) || script.is_some() && !matches!(kind, FaultKind::Tarpit { .. }) {
                continue;
            }
            match kind {
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
                FaultKind::Reply { reply, close, .. } => script = Some(Ok((reply, *close))),
                FaultKind::Drop { how, .. } => script = Some(Err(*how)),
                _ => {}
            }
        }
        let (reply_at, gives_up) = (start.after(cost), start.after(timeout_ns));
        let cut = self.faults.first_cut(model, talk.client, talk.server, talk.address, start, reply_at.min(gives_up));
        if let Some(cut) = cut {
            let end = if cut.how == Unreachable::Refused { Stop::Lost(cut.from) } else { Stop::Silent(gives_up) };
            return Err(end);
        }
        match script {
            Some(Err(DropHow::Silence)) => return Err(Stop::Silent(gives_up)),
            _ if reply_at > gives_up => return Err(Stop::Silent(gives_up)),
            Some(Err(DropHow::Close | DropHow::Reset)) => return Err(Stop::Lost(reply_at.max(start.after(talk.rtt)))),
            Some(Ok((reply, _))) if reply.class() > 3 => {
                talk.now = reply_at;
                return Err(Stop::Reply(reply.clone()));
            }
            Some(Ok(_)) | None => {}
        }
        talk.now = reply_at;
        Ok(())
    }

    fn sender_matches(&self, talk: &Talk<'_>, pattern: Option<&crate::base::Pattern>) -> bool {
        let sender = self.sender_text(self.copies[self.jobs[talk.job].copy].message);
        pattern.is_none_or(|from| from.matches(&sender) || from.as_str() == "<>" && sender.is_empty())
    }

    /// Time passes until a break is noticed.
    fn stand_still(&mut self, talk: &mut Talk<'_>, stop: &Stop) {
        if let Stop::Lost(at) | Stop::Silent(at) = stop {
            talk.now = (*at).max(talk.now);
        }
    }

    /// A session that broke or was refused in a phase: the effect is for all recipients.
    fn broken(&mut self, talk: &mut Talk<'_>, phase: Phase, stop: &Stop, host_failure: bool) -> Box<SessionEnd> {
        self.stand_still(talk, stop);
        let (event, result) = match stop {
            Stop::Lost(_) => (Event::Lost, ConnectionResult::Dropped),
            Stop::Silent(_) => (Event::Silent, ConnectionResult::Timeout),
            Stop::Reply(reply) if reply.class() == 5 => (Event::Reply(reply), ConnectionResult::Permfail),
            Stop::Reply(reply) => (Event::Reply(reply), ConnectionResult::Tempfail),
        };
        let effect = judge(talk.rules, &talk.ours.sender, phase, event, talk.last);
        let reply = match stop {
            Stop::Reply(reply) => self.noted(reply, effect),
            Stop::Lost(_) => self.tables.reply(0, status_of(effect), &format!("lost connection at {}", phase.as_str())),
            Stop::Silent(_) => self.tables.reply(0, status_of(effect), &format!("conversation timed out at {}", phase.as_str())),
        };
        self.failed(talk, phase, result, effect, reply, host_failure)
    }

    /// A reply as the sender notes it: a refusal that it takes for temporary has a status of class 4.
    fn noted(&mut self, reply: &Reply, effect: Effect) -> u32 {
        let status = status_of(effect);
        let differs = reply.enhanced.map_or(reply.class() != status.0, |own| own != status);
        let enhanced = if differs { Some(status) } else { reply.enhanced };
        self.tables.replies.intern(Reply { enhanced, ..reply.clone() })
    }

    fn failed(
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

    fn ended(
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
            counts,
            plaintext_retry: false,
            recipients: SmallVec::new(),
            taken_at: None,
            tenant: NONE,
            arrival: Arrival::UNSEEN,
        }
    }

    /// The TLS policy of a job's current next hop, that hop, and a switch.
    fn policy_of(&self, job: u32) -> (TlsPolicy, NextHop, bool) {
        let row = &self.jobs[job];
        let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
        let (hop, _) = self.hop_of(job, row.hop).expect("a session has a next hop");
        let tls = &self.config(self.copies[row.copy].host).sender.tls;
        let policy = key.tls.clone().unwrap_or_else(|| {
            if tls.policies.is_empty() {
                return tls.policy.clone();
            }
            let name = crate::decide::route::queue_name(&self.tables.names, &hop);
            tls.policies.iter().find(|(for_hop, _)| **for_hop == *name).map_or(&tls.policy, |(_, policy)| policy).clone()
        });
        (policy, hop, key.plain_retry)
    }
}

/// The status that an effect leaves.
fn status_of(effect: Effect) -> Enhanced {
    match effect {
        Effect::Next(status) | Effect::Defer(status) | Effect::Bounce(status) => status,
    }
}
