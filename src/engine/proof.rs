//! What does the receiving domain promise about a host, before anybody connects to it?
//!
//! A sender that does DANE asks for the TLSA records of a candidate when its moment comes: not earlier, since most mail never needs a second host.
//! The answer becomes the policy of that one connection. Sources: RFC 7672 §2.2, RFC 8461 §8.4 (no host is taken off the list beforehand).

use super::plan::Goal;
use super::policy::Learned;
use super::world::World;
use crate::base::{NameId, SimTime, TlsOutcome};
use crate::decide::dane::{self, Promise, TlsaAnswer};
use crate::decide::failure::Effect;
use crate::decide::mta_sts::{self, Verdict};
use crate::decide::profile::{End, RequireTlsRule, bounce};
use crate::model::Model;
use crate::model::dns::{Dnssec, RecordData, RecordType, Tlsa};
use crate::model::settings::{DaneUse, HostConfig, Target, TlsLevel, TlsPolicy, UnsignedList};
use crate::model::traffic::TlsWish;
use crate::trace::level::PATHS;
use crate::trace::{Leg, NONE, PublishedPolicy, RefusalRow, TlsRecord};
use smallvec::SmallVec;
use std::net::IpAddr;

/// The policy of one connection, made of what the receiving domain promises.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Proof {
    pub(super) policy: TlsPolicy,
    /// Of which one must fit.
    pub(super) records: Vec<Tlsa>,
    /// Whose records these are: names that a certificate may carry.
    pub(super) bases: [Option<NameId>; 2],
    /// The list that named the host is not signed: that the host keeps its promise does not prove that it is the right one.
    pub(super) half: bool,
    /// A policy in testing: what it would have said is reported.
    pub(super) watched: bool,
    /// RFC 8460 result of something that went wrong already and stops nobody.
    pub(super) noted: Option<&'static str>,
    /// What was published, for reports.
    pub(super) published: u32,
}

/// What the domains of a world publish at all.
pub(super) struct Published {
    signed: bool,
    mta_sts: bool,
}

impl Published {
    pub(super) fn of(model: &Model) -> Self {
        let signed = model.zones.iter().any(crate::model::dns::Zones::is_signed);
        Self { signed, mta_sts: model.names.iter().any(|name| name.starts_with("_mta-sts.")) }
    }

    /// May a machine with these settings have to look at promises at all?
    pub(super) fn concerns(&self, config: &HostConfig) -> bool {
        let asks = |policy: &TlsPolicy| match policy.dane {
            DaneUse::Must | DaneUse::MustOfNames => true,
            DaneUse::Try if self.signed => true,
            DaneUse::Try | DaneUse::Never => self.mta_sts && policy.mta_sts,
        };
        let tls = &config.sender.tls;
        let mut of_tenants = config.receiver.directory.tenants().iter().flat_map(|tenant| &tenant.outbound_connectors);
        asks(&tls.policy) || tls.policies.iter().any(|(_, policy)| asks(policy)) || of_tenants.any(|connector| asks(&connector.tls))
    }
}

impl Proof {
    /// A policy and nothing else.
    fn of(policy: TlsPolicy) -> Self {
        Self { policy, records: Vec::new(), bases: [None, None], half: false, watched: false, noted: None, published: NONE }
    }
}

/// What came of looking at a candidate.
pub(super) enum Proved {
    /// It may be connected to, from then on.
    Go(SimTime),
    /// It may not; the next one, from then on.
    Next(SimTime),
    /// It may not, and that ends the attempt.
    Over(SimTime),
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What DANE stands on at the addresses of a target; nothing is said about those that nobody signed.
    pub(super) fn grounds(
        &self,
        (list, asks_listed_name): (bool, bool),
        target: NameId,
        answers: &[(u32, u32); 2],
    ) -> SmallVec<[(IpAddr, dane::Ground); 2]> {
        let signed = |id: &u32| *id != NONE && self.resolvers.answer(*id).dnssec_of_asked == Dnssec::Secure;
        let of = |id: u32| {
            let answer = self.resolvers.answer(id);
            let ground = dane::ground(list, target, answer, asks_listed_name);
            answer.records().iter().filter_map(RecordData::address).map(move |address| (address, ground))
        };
        answers.iter().map(|(id, _)| *id).filter(signed).flat_map(of).collect()
    }

    /// Looks up what the receiving domain promises about a candidate: DANE first, and MTA-STS where DANE asks for no certificate.
    pub(super) fn prove(&mut self, job: u32, goal: &Goal, at: SimTime) -> Proved {
        self.jobs[job].proof = NONE;
        match self.wish_of(job) {
            TlsWish::Usual => self.prove_as_usual(job, goal, at),
            TlsWish::NotNeeded => {
                let usual = self.policy_of_hop(job);
                let level = if usual.level == TlsLevel::None { TlsLevel::None } else { TlsLevel::May };
                self.jobs[job].proof = self.proofs.intern(Proof::of(TlsPolicy { implicit: usual.implicit, ..TlsPolicy::of(level) }));
                Proved::Go(at)
            }
            TlsWish::Required => match self.prove_as_usual(job, goal, at) {
                Proved::Go(at) => self.require(job, goal, at),
                other => other,
            },
        }
    }

    /// What the sender of a job's message wants, where this server knows such wishes. Reports must come home, so they want nothing.
    pub(super) fn wish_of(&self, job: u32) -> TlsWish {
        if !self.wishes {
            return TlsWish::Usual;
        }
        let copy = &self.copies[self.jobs[job].copy];
        let message = &self.messages[copy.message];
        let knows = self.rules(copy.host).tls.requiretls != RequireTlsRule::Unknown && message.kind == 0;
        if knows { self.sources_model[message.source as usize].tls_wish } else { TlsWish::Usual }
    }

    /// REQUIRETLS: the name of the host must be vouched for, and then it must prove that it has it (RFC 8689 §4.2.1); or the sender's own level must compare
    /// certificates.
    fn require(&mut self, job: u32, goal: &Goal, at: SimTime) -> Proved {
        let row = &self.jobs[job];
        let mut proof = if row.proof == NONE { Proof::of(self.policy_of_hop(job).clone()) } else { self.proofs.get(row.proof).clone() };
        let level = proof.policy.level;
        let by_level = self.rules(self.copies[row.copy].host).tls.requiretls == RequireTlsRule::LevelCompares;
        let will_do = match by_level {
            true => level.judges() || level == TlsLevel::Fingerprint,
            false => goal.ground.list || level == TlsLevel::MtaSts,
        };
        if !will_do {
            let end = End { bounce: self.is_last(job), code: 550, ..bounce(5, 7, 10) };
            return self.not_used(job, goal, (end, "validation-failure"), "requiretls", at);
        }
        let judges = matches!(level, TlsLevel::Dane | TlsLevel::MtaSts | TlsLevel::Verify | TlsLevel::Secure);
        if !judges && !by_level {
            proof.policy.level = TlsLevel::RequireTls;
        }
        self.jobs[job].proof = self.proofs.intern(proof);
        Proved::Go(at)
    }

    fn prove_as_usual(&mut self, job: u32, goal: &Goal, at: SimTime) -> Proved {
        let policy = self.policy_of_hop(job).clone();
        if !policy.asks() {
            return Proved::Go(at);
        }
        let (mut policy, mut at) = (policy, at);
        if policy.dane == DaneUse::MustOfNames {
            let hop = self.hop_of(job, self.jobs[job].hop).map(|(hop, _)| hop.target);
            policy.dane = if matches!(hop, Some(Target::Ip(_))) { DaneUse::Never } else { DaneUse::Must };
        }
        if !goal.ground.list && policy.dane == DaneUse::Try && policy.unsigned_list == UnsignedList::May {
            policy.dane = DaneUse::Never;
            self.jobs[job].proof = self.proofs.intern(Proof::of(policy.clone()));
        }
        if policy.dane != DaneUse::Never {
            let (promise, ready) = self.ask_dane(job, goal, policy.dane, at);
            at = ready;
            match promise {
                Promise::Nothing => {}
                Promise::Stop { end, result } => return self.not_used(job, goal, (end, result), "dane", at),
                Promise::Encrypted => {
                    policy.level = match policy.level {
                        TlsLevel::May => TlsLevel::Encrypt,
                        TlsLevel::Opportunistic => TlsLevel::EncryptionOnly,
                        stronger => stronger,
                    };
                    self.jobs[job].proof = self.proofs.intern(Proof::of(policy.clone()));
                }
                // Records of a list that nobody signed prove that there is TLS, and no more where the sender wants it so (smtp_tls_policy.c `dane_init`).
                Promise::Authenticated(_) if !goal.ground.list && policy.unsigned_list == UnsignedList::Encrypt => {
                    policy.level = TlsLevel::Encrypt;
                    self.jobs[job].proof = self.proofs.intern(Proof::of(policy.clone()));
                }
                Promise::Authenticated(records) => {
                    let published = self.published_records(job, goal, &records);
                    let policy = TlsPolicy { level: TlsLevel::Dane, names: Vec::new(), ..policy };
                    let proof = Proof { records, bases: goal.ground.bases, half: !goal.ground.list, published, ..Proof::of(policy) };
                    self.jobs[job].proof = self.proofs.intern(proof);
                    return Proved::Go(at);
                }
            }
        }
        self.apply_policy(job, goal, policy, at)
    }

    /// What the policy of the domain asks of a candidate.
    fn apply_policy(&mut self, job: u32, goal: &Goal, usual: TlsPolicy, at: SimTime) -> Proved {
        if self.jobs[job].learned == NONE {
            return Proved::Go(at);
        }
        let learned = self.policies.learned(self.jobs[job].learned).clone();
        let published = self.published_policy(&learned);
        let Some(policy) = &learned.policy else {
            let proof = Proof { noted: learned.failed, published, ..Proof::of(usual) };
            self.jobs[job].proof = self.proofs.intern(proof);
            return Proved::Go(at);
        };
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let host = self.tables.names.text(self.tables.candidates.get(goal.candidate).name).to_owned();
        let decision = mta_sts::judge(policy, &host);
        let stored = self.store("what does MTA-STS say?", client, NONE, &decision);
        self.trace_of_job(job, &[stored]);
        let proof = match decision.outcome {
            Verdict::Nothing => return Proved::Go(at),
            Verdict::NotListed => {
                let end = End { bounce: false, freeze: false, not_said: false, code: 0, status: self.rules(client).tls.mx_not_listed };
                return self.not_used(job, goal, (end, "validation-failure"), "mta-sts", at);
            }
            Verdict::Watch { listed } => {
                // Whoever judges certificates of its own accord does not under a policy in testing (KumoMTA: OpportunisticInsecure).
                let judged = usual.level == TlsLevel::May && self.rules(client).tls.may_judges;
                let usual = if judged { TlsPolicy { level: TlsLevel::Opportunistic, ..usual } } else { usual };
                Proof { watched: true, noted: (!listed).then_some("validation-failure"), published, ..Proof::of(usual) }
            }
            Verdict::Enforce => {
                let weaker = matches!(
                    usual.level,
                    TlsLevel::None
                        | TlsLevel::May
                        | TlsLevel::Encrypt
                        | TlsLevel::Opportunistic
                        | TlsLevel::Required
                        | TlsLevel::EncryptionOnly
                        | TlsLevel::CertificateValidation
                );
                let level = if weaker { TlsLevel::MtaSts } else { usual.level };
                let names = if weaker { Vec::new() } else { usual.names.clone() };
                Proof { noted: learned.failed, published, ..Proof::of(TlsPolicy { level, names, ..usual }) }
            }
        };
        self.jobs[job].proof = self.proofs.intern(proof);
        Proved::Go(at)
    }

    /// A candidate that what is published forbids: nobody connects to it.
    fn not_used(&mut self, job: u32, goal: &Goal, (end, result): (End, &'static str), policy: &'static str, at: SimTime) -> Proved {
        let host = self.tables.names.text(self.tables.candidates.get(goal.candidate).name);
        let what = match result {
            _ if policy == "requiretls" && self.rules(self.client_of(job)).tls.requiretls == RequireTlsRule::LevelCompares => {
                "REQUIRETLS, and the TLS level for it compares no certificate"
            }
            _ if policy == "requiretls" => "REQUIRETLS, and neither DNSSEC nor MTA-STS vouches for its name",
            "dnssec-invalid" => "TLSA lookup error, so it is not used now",
            "dane-required" => "DANE is required, and there is none",
            _ => "not listed in the MTA-STS policy, so it is not used",
        };
        let why = format!("{host}: {what} ({result})");
        let reply = self.tables.reply(end.code, end.status, &why);
        let published =
            if policy != "mta-sts" { NONE } else { self.published_policy(&self.policies.learned(self.jobs[job].learned).clone()) };
        self.trace_refusal(
            job,
            goal,
            TlsRecord { outcome: TlsOutcome::Plaintext, version: None, policy, result: Some(result), published, why: why.into() },
            at,
        );
        let effect = if end.bounce { Effect::Bounce(end.status) } else { Effect::Next(end.status) };
        self.note_effect(job, effect, reply, !end.bounce);
        if end.bounce { Proved::Over(at) } else { Proved::Next(at) }
    }

    /// Writes that a host was not connected to, and why.
    fn trace_refusal(&mut self, job: u32, goal: &Goal, record: TlsRecord, at: SimTime) {
        if !self.writes(PATHS) {
            return;
        }
        let row = &self.jobs[job];
        let copy = &self.copies[row.copy];
        let destination = self.queues[row.queue as usize].destination;
        let leg = self.tables.legs.intern(Leg { destination, candidate: goal.candidate });
        let tls = self.tables.tls.intern(record);
        self.trace.refusals.push(RefusalRow { copy: copy.number, pass: copy.pass, leg, at, tls });
    }

    /// TLSA records as a report shows them.
    fn published_records(&mut self, job: u32, goal: &Goal, records: &[Tlsa]) -> u32 {
        if !self.writes(PATHS) {
            return NONE;
        }
        let (hop, _) = self.hop_of(job, self.jobs[job].hop).expect("a candidate has a next hop");
        let host = self.tables.names.text(self.tables.candidates.get(goal.candidate).name);
        let published = PublishedPolicy {
            kind: "tlsa",
            domain: crate::decide::route::queue_name(&self.tables.names, &hop).into(),
            strings: records.iter().map(|record| record.to_string().into()).collect(),
            hosts: vec![host.into()],
        };
        self.tables.published.intern(published)
    }

    /// A policy as a report shows it.
    fn published_policy(&mut self, learned: &Learned) -> u32 {
        if !self.writes(PATHS) {
            return NONE;
        }
        let mut published =
            PublishedPolicy { kind: "sts", domain: self.tables.names.text(learned.domain).into(), strings: Vec::new(), hosts: Vec::new() };
        if let Some(policy) = &learned.policy {
            published.strings = vec!["version: STSv1".into(), format!("mode: {}", policy.mode.as_str()).into()];
            published.strings.extend(policy.mx.iter().map(|mx| format!("mx: {mx}").into()));
            published.strings.push(format!("max_age: {}", policy.max_age_seconds).into());
            published.hosts = policy.mx.clone();
        }
        self.tables.published.intern(published)
    }

    /// What DANE says about a candidate.
    fn ask_dane(&mut self, job: u32, goal: &Goal, usage: DaneUse, at: SimTime) -> (Promise, SimTime) {
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let host = self.tables.names.text(self.tables.candidates.get(goal.candidate).name).to_owned();
        let (answer, at) = self.ask_tlsa(job, goal, at);
        let read = answer.map_or(TlsaAnswer::NotAsked, |answer| dane::read(self.resolvers.answer(answer)));
        let digests = self.config(client).sender.tls.digests;
        let decision = dane::promise(&self.rules(client).tls.dane, (usage, digests), goal.ground, &host, &read);
        let stored = self.store("what does DANE promise?", client, NONE, &decision);
        self.trace_of_job(job, &[stored]);
        (decision.outcome, at)
    }

    /// Asks for the TLSA records of a candidate: of the name that aliases lead to, then of the name itself. `None`: there is nothing to ask.
    fn ask_tlsa(&mut self, job: u32, goal: &Goal, at: SimTime) -> (Option<u32>, SimTime) {
        let copy = self.jobs[job].copy;
        let row = &self.copies[copy];
        let (resolver, luck) = (self.model.hosts[row.host.index()].resolver, (self.messages[row.message].luck, row.luck()));
        let who = (row.number, row.pass);
        let (mut found, mut at) = (None, at);
        for base in goal.ground.bases.into_iter().flatten() {
            let owner = format!("_{}._tcp.{}", goal.port, self.tables.names.text(base));
            let name = self.tables.names.intern(&owner);
            let slot = self.question(resolver, name, RecordType::Tlsa);
            let before = self.trace.lookups.len();
            let told = self.ask(slot, at, luck, who);
            self.lookups_of_job(job, before);
            at = told.at;
            found = Some(told.answer);
            if dane::read(self.resolvers.answer(told.answer)) != TlsaAnswer::Nothing {
                break;
            }
        }
        (found, at)
    }
}
