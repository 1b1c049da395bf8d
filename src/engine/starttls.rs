//! STARTTLS within a session: what the server offers, what the policy makes of it (RFC 3207).

use super::session::{SessionEnd, Stop, Talk};
use super::world::World;
use crate::base::{CertId, ConfigId, ConnectionResult, Enhanced, HostId, Interner, NameId, Phase, Reply, TlsOutcome, TlsVersion};
use crate::decide::dane;
use crate::decide::failure::Effect;
use crate::decide::profile::RequireTlsRule;
use crate::decide::route::queue_name;
use crate::decide::tls::{Eyes, NOTHING_TO_FIT, Offer, Verdict, Wanted, facts, listed, negotiate, sentence};
use crate::decide::tls_policy::{Server, policy_for};
use crate::model::certificate::{Certificate, Issuer};
use crate::model::fault::{FaultKind, StarttlsHow};
use crate::model::settings::{ClientCertificate, NextHop, Target, TlsLevel, TlsPolicy};
use crate::model::traffic::TlsWish;
use crate::trace::{NONE, TlsRecord};

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
    proof: u32,
    hop: NextHop,
    name: NameId,
    /// The machine itself, where its name is on the certificate and counts.
    server: Option<HostId>,
    offer: OfferKey,
    old: bool,
    plain_retry: bool,
    /// A host of last resort whose name keeps its brackets.
    last_resort: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum OfferKey {
    NotOffered,
    Refused(Reply),
    Broken(&'static str),
    Certificate(CertId, TlsVersion, u8),
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// STARTTLS, if the policy wants it and the server has it.
    #[inline(always)]
    pub(super) fn secure(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let timers = talk.timers;
        let level = self.level_of(talk);
        if level == TlsLevel::None || self.jobs[talk.job].plain {
            let why = if self.jobs[talk.job].plain {
                "S3: the handshake failed before; this connection goes without TLS"
            } else {
                "the policy never uses TLS"
            };
            talk.tls = self.tls_record(TlsOutcome::Plaintext, None, level.as_str(), None, why);
            return Ok(());
        }
        let offer = if talk.calm && talk.theirs.receiver.certificate.is_none()
            || !talk.extensions
            || talk.listener.without.iter().any(|word| &**word == "STARTTLS")
        {
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
        if matches!(offer, OfferKey::NotOffered)
            && matches!(level, TlsLevel::May | TlsLevel::Opportunistic)
            && self.jobs[talk.job].proof == NONE
        {
            // The usual case of a server without TLS, worked out once per level.
            let known = self.tls_cache.plain.iter().find(|(known, _)| *known == level).map(|(_, record)| *record);
            talk.tls = known.unwrap_or_else(|| {
                let policy = self.policy_of(talk.job).clone();
                let decision = negotiate(talk.rules, &policy, &Offer::NotOffered, false, self.retries_in_clear(talk));
                let record = self.tls_record(TlsOutcome::Plaintext, None, level.as_str(), None, &sentence(&decision.chosen));
                self.tls_cache.plain.push((level, record));
                record
            });
            return Ok(());
        }
        let plain_retry = self.retries_in_clear(talk);
        self.judge_offer(talk, offer, plain_retry)
    }

    /// Does the sender, or the destination, take a broken handshake for a reason to try again in clear?
    fn retries_in_clear(&self, talk: &Talk<'_>) -> bool {
        let queue = &self.queues[self.jobs[talk.job].queue as usize];
        talk.ours.sender.tls.plain_retry || self.tables.destinations.get(queue.destination).plain_retry
    }

    /// The level of a session's TLS policy: mostly the one that its sender has for all next hops.
    #[inline(always)]
    fn level_of(&self, talk: &Talk<'_>) -> TlsLevel {
        let row = &self.jobs[talk.job];
        let tls = &talk.ours.sender.tls;
        if row.proof == NONE && tls.policies.is_empty() && !self.queues[row.queue as usize].own_tls {
            return tls.policy.level;
        }
        self.policy_of(talk.job).level
    }

    /// TLS from the first byte: the handshake comes before the banner (RFC 8314 §3.3).
    pub(super) fn wrap(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let offer = if talk.listener.implicit_tls {
            match self.starttls_offer(talk) {
                OfferKey::NotOffered | OfferKey::Refused(_) => OfferKey::Broken("the server has no certificate"),
                offer => offer,
            }
        } else {
            OfferKey::Broken("the server greets in clear")
        };
        self.judge_offer(talk, offer, false)
    }

    /// What the policy makes of an offer, after a handshake where there is one.
    fn judge_offer(&mut self, talk: &mut Talk<'_>, offer: OfferKey, plain_retry: bool) -> Result<(), Box<SessionEnd>> {
        let timers = talk.timers;
        let policy = self.policy_of(talk.job).clone();
        let (level, policy_wraps) = (policy.level, policy.implicit);
        let (hop, _) = self.hop_of(talk.job, self.jobs[talk.job].hop).expect("a session has a next hop");
        let offer = match offer {
            OfferKey::Certificate(..) if self.certificate_of(talk.job, talk.client) == ClientCertificate::Missing => {
                OfferKey::Broken("the certificate that the connector names is not on this server")
            }
            OfferKey::Certificate(certificate, ..) => self.shake_hands(talk, certificate, level),
            OfferKey::Broken("the server falls silent") => {
                talk.now = talk.now.after(timers.starttls_ns + talk.rules.tls.drains_ns);
                offer
            }
            offer => offer,
        };
        if let OfferKey::Refused(reply) = &offer
            && talk.rules.session.carries_last_code
        {
            self.jobs[talk.job].last_code = reply.code;
        }
        let code = match &offer {
            _ if talk.rules.tls.own_code == 0 => 0,
            OfferKey::Refused(reply) => reply.code,
            OfferKey::NotOffered if self.jobs[talk.job].last_code > 0 => self.jobs[talk.job].last_code,
            OfferKey::NotOffered | OfferKey::Broken(_) | OfferKey::Certificate(..) => talk.rules.tls.own_code,
        };
        let spoken = matches!(&offer, OfferKey::Refused(_));
        let old = self.has_waited(talk) && self.goes_in_clear_later(talk);
        let name = self.tables.candidates.get(self.jobs[talk.job].line.candidate).name;
        let config = self.settings[talk.client.index()].id;
        let proof = self.jobs[talk.job].proof;
        let of_host = matches!(&offer, OfferKey::Certificate(id, ..) if self.model.certificate(*id).any_name);
        let server = (of_host && level.judges()).then_some(talk.server);
        let row = &self.jobs[talk.job];
        let last_resort = talk.rules.tls.brackets_stay && row.hop >= row.own_hops;
        let question =
            TlsQuestion { client: (config, talk.client), policy, proof, hop, name, server, offer, old, plain_retry, last_resort };
        let (verdict, record) = self.tls_answer(question, talk);
        talk.tls = record;
        match verdict {
            Verdict::Go(outcome) => {
                talk.encrypted = outcome != TlsOutcome::Plaintext;
                if talk.encrypted && !policy_wraps {
                    // A second EHLO (RFC 3207 §4.2).
                    self.command(talk, Phase::Ehlo, timers.ehlo_ns, 0).map_err(|stop| self.broken(talk, Phase::Ehlo, &stop, true))?;
                }
                self.keeps_the_wish(talk)
            }
            Verdict::PlaintextRetry => {
                let reply = self.tables.reply(0, talk.rules.tls.handshake, "TLS handshake failed");
                let mut end =
                    self.failed(talk, Phase::Starttls, ConnectionResult::TlsFailed, Effect::Next(talk.rules.tls.handshake), reply, true);
                end.plaintext_retry = true;
                Err(end)
            }
            Verdict::Fail { bounce, status, result } => {
                let required = self.wish_of(talk.job) == TlsWish::Required;
                let (bounce, status) = if required { (self.is_last_session(talk.job), Enhanced(5, 7, 10)) } else { (bounce, status) };
                let effect = if bounce { Effect::Bounce(status) } else { Effect::Next(status) };
                let why = self.tables.tls.get(record).why.clone();
                let why = format!("{why} ({result})");
                let reply = self.tables.reply(code, status, &why);
                let mut end = self.failed(talk, Phase::Starttls, ConnectionResult::TlsFailed, effect, reply, true);
                if code > 0 && !spoken {
                    // The code is the client's own; the server said no such thing.
                    end.reply = self.tables.reply(0, status, &why);
                }
                Err(end)
            }
        }
    }

    /// A message with REQUIRETLS goes to servers that list it, and to no other, but for reports (RFC 8689 §4.2.1, §5).
    fn keeps_the_wish(&mut self, talk: &mut Talk<'_>) -> Result<(), Box<SessionEnd>> {
        let listed = || {
            self.rules(talk.server).tls.requiretls != RequireTlsRule::Unknown
                && !talk.listener.without.iter().any(|word| &**word == "REQUIRETLS")
        };
        let is_report = || self.sender_of(self.jobs[talk.job].copy) == NONE;
        if self.wish_of(talk.job) != TlsWish::Required || talk.encrypted && (listed() || is_report()) {
            return Ok(());
        }
        let status = Enhanced(5, 7, 30);
        let effect = if self.is_last_session(talk.job) { Effect::Bounce(status) } else { Effect::Next(status) };
        let reply = self.tables.reply(0, status, "the server does not support REQUIRETLS");
        Err(self.failed(talk, Phase::Ehlo, ConnectionResult::Left, effect, reply, false))
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
        let tls = &talk.ours.sender.tls;
        let demanded = tls.demanded_versions.filter(|_| level.insists());
        let (ours, theirs) = (demanded.unwrap_or(tls.versions), talk.listener.tls_versions);
        let version = ours.1.min(theirs.1);
        let trips = if version == TlsVersion::Tls13 { 1 } else { 2 };
        talk.now = talk.now.after(talk.rtt * trips);
        if version < ours.0.max(theirs.0) {
            return OfferKey::Broken("no common TLS version");
        }
        if level.judges() && version < talk.rules.tls.judged_version_min {
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
        let in_brackets = match question.hop.target {
            Target::Host(_) => question.last_resort,
            Target::Ip(_) => talk.rules.tls.brackets_stay,
            Target::Mx(_) => false,
        };
        let compared = if in_brackets { format!("[{hop_name}]") } else { host_name.clone() };
        let wanted: Vec<Wanted<'_>> = match (question.policy.names.is_empty(), question.policy.level) {
            (true, TlsLevel::Secure) => vec![Wanted::Name(&hop_name), Wanted::Below(&hop_name)],
            // No password but to the smart host itself: the name of another one on the list proves nothing.
            (true, TlsLevel::BasicAuthRequireTls) => vec![Wanted::Exactly(&hop_name)],
            (true, _) => vec![Wanted::Name(&compared)],
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
                let trusts = trusts(&certificate.issuer, talk.client);
                let subject_counts =
                    talk.rules.tls.subject_counts && !matches!(question.policy.level, TlsLevel::MtaSts | TlsLevel::RequireTls);
                let machine = question.server.map_or("", |server| names.text(self.model.hosts[server.index()].hostname));
                let own = [host_name.as_str(), machine];
                let eyes = Eyes { trusts, wanted: &wanted, own: &own, subject_counts, revocation: talk.rules.tls.revocation };
                let mut facts = facts(certificate, *version, talk.now, &eyes);
                facts.fits = self.fits(&question, &hop_name, certificate, talk);
                (Offer::Handshake(facts), Some(*version))
            }
        };
        let decision = negotiate(talk.rules, &question.policy, &offer, question.old, question.plain_retry);
        let mut why = sentence(&decision.chosen);
        let policy = question.policy.level.as_str();
        let (mut outcome, mut result) = match &decision.outcome {
            Verdict::Go(outcome) => (*outcome, None),
            Verdict::PlaintextRetry => (TlsOutcome::Plaintext, Some("validation-failure")),
            Verdict::Fail { result, .. } => (TlsOutcome::Plaintext, Some(*result)),
        };
        let mut published = NONE;
        if question.proof != NONE {
            let (watched, noted, half) = {
                let proof = self.proofs.get(question.proof);
                published = proof.published;
                (proof.watched, proof.noted, proof.half)
            };
            if half && outcome == TlsOutcome::Authenticated {
                outcome = TlsOutcome::Encrypted;
                why += "; but nobody signed the list that named the host";
            }
            let would = watched.then(|| self.under_enforcement(&question, &host_name, talk)).flatten();
            if let (None, Some(failure)) = (result, noted.or(would)) {
                result = Some(failure);
                why += "; reported, not enforced";
            }
        }
        let version = version.filter(|_| outcome != TlsOutcome::Plaintext);
        let record = TlsRecord { outcome, version, policy, result, published, why: why.into() };
        let record = self.tables.tls.intern(record);
        self.tls_cache.answers.push((decision.outcome.clone(), record));
        (decision.outcome, record)
    }

    /// What a policy in testing would have had against the host: an RFC 8460 result.
    fn under_enforcement(&self, question: &TlsQuestion, host_name: &str, talk: &Talk<'_>) -> Option<&'static str> {
        let offer = match &question.offer {
            OfferKey::NotOffered => Offer::NotOffered,
            OfferKey::Refused(reply) => Offer::Refused(reply.clone()),
            OfferKey::Broken(how) => Offer::Broken(how),
            OfferKey::Certificate(id, version, _) => {
                let certificate = self.model.certificate(*id);
                let wanted = [Wanted::Name(host_name)];
                let trusts = trusts(&certificate.issuer, talk.client);
                let revocation = talk.rules.tls.revocation;
                let eyes = Eyes { trusts, wanted: &wanted, own: &[host_name], subject_counts: false, revocation };
                Offer::Handshake(facts(certificate, *version, talk.now, &eyes))
            }
        };
        match negotiate(talk.rules, &TlsPolicy::of(TlsLevel::MtaSts), &offer, false, false).outcome {
            Verdict::Fail { result, .. } => Some(result),
            Verdict::Go(_) | Verdict::PlaintextRetry => None,
        }
    }

    /// Does something that the policy has at hand fit the certificate?
    fn fits(
        &self,
        question: &TlsQuestion,
        hop_name: &str,
        certificate: &Certificate,
        talk: &Talk<'_>,
    ) -> Result<&'static str, (&'static str, &'static str)> {
        if question.policy.level == TlsLevel::Fingerprint {
            return listed(&question.policy.names, certificate);
        }
        if question.proof == NONE || question.policy.level != TlsLevel::Dane {
            return NOTHING_TO_FIT;
        }
        let proof = self.proofs.get(question.proof);
        let names = &self.tables.names;
        let wanted: Vec<Wanted<'_>> =
            proof.bases.iter().flatten().map(|base| Wanted::Name(names.text(*base))).chain([Wanted::Name(hop_name)]).collect();
        dane::fits(&talk.rules.tls.dane, talk.ours.sender.tls.digests, &proof.records, certificate, &wanted, talk.now)
    }

    fn tls_record(
        &mut self,
        outcome: TlsOutcome,
        version: Option<TlsVersion>,
        policy: &'static str,
        result: Option<&'static str>,
        why: &str,
    ) -> u32 {
        self.tables.tls.intern(TlsRecord { outcome, version, policy, result, published: NONE, why: why.into() })
    }

    /// The TLS policy for a job's current candidate: of its next hop, unless the receiving domain promises more.
    pub(super) fn policy_of(&self, job: u32) -> &TlsPolicy {
        match self.jobs[job].proof {
            NONE => self.policy_of_hop(job),
            proof => &self.proofs.get(proof).policy,
        }
    }

    /// The TLS policy of a job's current next hop.
    pub(super) fn policy_of_hop(&self, job: u32) -> &TlsPolicy {
        let row = &self.jobs[job];
        let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
        let tls = &self.config(self.copies[row.copy].host).sender.tls;
        key.tls.as_ref().unwrap_or_else(|| {
            if tls.policies.is_empty() {
                return &tls.policy;
            }
            let (hop, _) = self.hop_of(job, row.hop).expect("a session has a next hop");
            let next_hop = queue_name(&self.tables.names, &hop);
            let server = (row.line.candidate != NONE).then(|| self.tables.candidates.get(row.line.candidate));
            let server = server.map(|server| Server { name: self.tables.names.text(server.name), address: server.address });
            policy_for(tls, self.rules(self.copies[row.copy].host).tls.policies_of_servers, &next_hop, server)
        })
    }
}

/// Does a machine trust whoever signed?
pub(super) fn trusts(issuer: &Issuer, client: HostId) -> bool {
    match issuer {
        Issuer::Public => true,
        Issuer::SelfSigned => false,
        Issuer::Authority { trusted_by, .. } => trusted_by.has(client),
    }
}
