//! Where does a next hop lead? Its lookups, and the plan made of the answers: once per question, kept with its reasons.

use super::last_words::last_missing;
use super::targets::{leave_out, mx_answer, name_aliases, one_further, own_target, without_mx};
use super::world::World;
use crate::base::{ConfigId, Enhanced, HostId, NameId, ResolverId, SimTime};
use crate::decide::Because;
use crate::decide::dane::Ground;
use crate::decide::exchange::smart_host::by_smart_host_rules;
use crate::decide::mx::{Asker, BOGUS, Candidate, MxAnswer, MxPlan, MxStep, TargetAddresses, plan, read_mx};
use crate::decide::profile::Behaviour;
use crate::model::dns::{Dnssec, Outcome, RecordData, RecordType};
use crate::model::settings::{NextHop, OwnTarget, Profile, Target};
use crate::model::topology::Law;
use crate::trace::level::STEPS;
use crate::trace::{CandidateKey, NONE};
use smallvec::SmallVec;
use std::net::IpAddr;

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// Looks a next hop up: the plan, and when it is there.
    #[inline(always)]
    pub(super) fn resolve(&mut self, job: u32, hop: &NextHop, configured: bool, at: SimTime) -> (u32, SimTime) {
        let copy = self.jobs[job].copy;
        let lookups_before = self.trace.lookups.len();
        let (client, message) = (self.copies[copy].host, self.copies[copy].message);
        let luck = (self.messages[message].luck, self.copies[copy].luck());
        let who = (self.copies[copy].number, self.copies[copy].pass);
        let resolver = if self.plain { self.model.hosts[client.index()].resolver } else { self.resolver_of(job, client) };
        let (config, rules) = (self.settings[client.index()].id, self.rules(client));
        let sender = &self.config(client).sender;
        let queue = self.jobs[job].queue as usize;
        let mut answers = std::mem::take(&mut self.answers);
        answers.clear();
        let mut at = at;
        let lead = self.lead(queue, resolver, sender.profile, hop);
        let mut targets = lead.targets;
        if lead.mx != NONE {
            let told = self.ask(lead.mx, at, luck, who);
            at = self.patience(rules, at, told, true);
            // Whoever shuffles the hosts does not care for the order of the answer.
            answers.push((told.answer, if sender.randomize_addresses { 0 } else { told.turn }));
            if told.answer != lead.answer
                && let Target::Mx(name) = hop.target
            {
                targets = self.targets_of(rules, (resolver, sender.profile, name, told.answer));
                self.queues[queue].lead = Some(Lead { answer: told.answer, targets, ..lead });
            }
        }
        let count = if targets == NONE { 0 } else { self.cache.targets(targets).len() };
        for place in 0..count {
            let target = self.cache.targets(targets)[place];
            for (wanted, slot) in [(sender.families.v6, target.aaaa), (sender.families.v4, target.a)] {
                if !wanted {
                    answers.push((NONE, 0));
                    continue;
                }
                let told = self.ask(slot, at, luck, who);
                at = at.max(self.patience(rules, at, told, false));
                answers.push((told.answer, told.turn));
            }
        }
        let version = self.version as u32;
        let plan = match &self.queues[queue].last_plan {
            Some((last, plan))
                if last.version == version && last.config == config && last.configured == configured && *last.answers == *answers =>
            {
                *plan
            }
            _ => {
                let answers = SmallVec::from_slice(&answers);
                let question = PlanQuestion { config, version, host: client, hop: *hop, configured, answers };
                let plan = self.plan_for(question.clone(), rules);
                self.queues[queue].last_plan = Some((question, plan));
                plan
            }
        };
        self.answers = answers;
        if self.writes(STEPS) {
            let decisions = self.cache_plan(plan).decisions.clone();
            self.trace_of_job(job, &decisions);
            self.lookups_of_job(job, lookups_before);
        }
        (plan, at)
    }

    /// Where the lookups of a next hop begin: kept by the queue, since most of its mail asks the same.
    fn lead(&mut self, queue: usize, resolver: ResolverId, profile: Profile, hop: &NextHop) -> Lead {
        if let Some(lead) = self.queues[queue].lead.filter(|lead| lead.hop == *hop && lead.profile == profile) {
            return lead;
        }
        let (mx, targets) = match hop.target {
            Target::Ip(_) => (NONE, NONE),
            Target::Host(name) => {
                let question = (resolver, profile, name, NONE);
                let targets = match self.cache.find_targets(question) {
                    Some(targets) => targets,
                    None => {
                        let target = self.target(resolver, name);
                        self.cache.add_targets(question, vec![target])
                    }
                };
                (NONE, targets)
            }
            Target::Mx(name) => (self.question(resolver, name, RecordType::Mx), NONE),
        };
        let lead = Lead { hop: *hop, profile, mx, answer: NONE, targets };
        // The last plan was another hop's.
        (self.queues[queue].lead, self.queues[queue].last_plan) = (Some(lead), None);
        lead
    }

    fn target(&mut self, resolver: ResolverId, name: NameId) -> TargetQuestions {
        let aaaa = self.question(resolver, name, RecordType::Aaaa);
        TargetQuestions { aaaa, a: self.question(resolver, name, RecordType::A) }
    }

    /// Whose addresses to ask for after an MX answer, in the order in which `read_mx` has them; found once per answer.
    fn targets_of(&mut self, rules: &Behaviour, question: TargetsKey) -> u32 {
        if let Some(found) = self.cache.find_targets(question) {
            return found;
        }
        let (resolver, _, name, answer) = question;
        let read = self.resolvers.answer(answer);
        let final_name = read.final_name(name);
        let targets: SmallVec<[(u16, NameId); 4]> = match mx_answer(read, rules) {
            MxAnswer::Internet => SmallVec::new(),
            read => match read_mx(rules, &self.tables.names, name, &read).outcome {
                MxStep::Targets(list) => SmallVec::from_vec(list),
                MxStep::Implicit => smallvec::smallvec![(0, final_name)],
                MxStep::End(_) => SmallVec::new(),
            },
        };
        let targets = targets.into_iter().map(|(_, name)| self.target(resolver, name)).collect();
        self.cache.add_targets(question, targets)
    }

    /// The plan for these answers, made once.
    fn plan_for(&mut self, question: PlanQuestion, rules: &'static Behaviour) -> u32 {
        if let Some(id) = self.cache.find_plan(&question) {
            return id;
        }
        let made = self.make_plan(&question, rules);
        self.cache.add_plan(question, made)
    }

    fn make_plan(&mut self, question: &PlanQuestion, rules: &'static Behaviour) -> KeptPlan {
        let made = if let Target::Ip(address) = question.hop.target {
            let name = self.tables.names.intern(&address.to_string());
            MadePlan {
                outcome: MxPlan::Try(vec![Candidate { preference: 0, name, address }]),
                decisions: SmallVec::new(),
                why: "".into(),
                preferences: false,
                missing: SmallVec::new(),
                grounds: Vec::new(),
                list: true,
                tail: None,
                beside_self: false,
            }
        } else {
            // The rule books read the names while the tables take the decisions.
            let names = std::mem::take(&mut self.tables.names);
            let made = self.plan_by_name(&names, question, rules);
            self.tables.names = names;
            made
        };
        let candidates = match &made.outcome {
            MxPlan::Try(candidates) => candidates.as_slice(),
            MxPlan::End { .. } => &[],
        };
        let goals = candidates.iter().map(|candidate| {
            let preference = if made.preferences { u32::from(candidate.preference) } else { 1 << 16 };
            let key = CandidateKey { name: candidate.name, preference, address: candidate.address, port: question.hop.port };
            let server = self.model.host_at(candidate.address);
            Goal {
                candidate: self.tables.candidates.intern(key),
                address: candidate.address,
                port: question.hop.port,
                server,
                has_family: self.has_family(question.host, candidate.address),
                ground: made
                    .grounds
                    .iter()
                    .find(|(address, _)| *address == candidate.address)
                    .map_or(Ground { list: made.list, ..Ground::default() }, |(_, ground)| *ground),
                latency: server.map_or(Law::Constant(0), |server| self.latency(question.host, server)),
            }
        });
        let goals = goals.collect();
        let MadePlan { outcome, decisions, why, tail, missing, beside_self, preferences, .. } = made;
        KeptPlan { outcome, decisions, why, tail, goals, dead_targets: preferences && !missing.is_empty(), missing, beside_self }
    }

    fn plan_by_name(&mut self, names: &crate::model::dns::Names, question: &PlanQuestion, rules: &'static Behaviour) -> MadePlan {
        let sender = &self.model.config(question.config).sender;
        let host = &self.model.hosts[question.host.index()];
        let asker = Asker {
            hostname: host.hostname,
            // What it seems to be from outside (NAT) its interfaces do not tell it.
            addresses: host.addresses.clone(),
            port: question.hop.port,
            families: sender.families,
            waits_for_addresses: sender.defer_if_no_mx_address,
        };
        let direct = |address, name| MxPlan::Try(vec![Candidate { preference: 0, name, address }]);
        let by_connector = question.configured && matches!(sender.profile, Profile::ExchangeOnline | Profile::ExchangeServer);
        let mut answers = question.answers.iter().copied();
        let (name, preferences, first) = match question.hop.target {
            Target::Ip(_) => unreachable!("an address needs no name"),
            Target::Host(name) => (name, false, None),
            Target::Mx(name) => {
                let (id, _) = answers.next().expect("the MX answer comes first");
                let read = mx_answer(self.resolvers.answer(id), rules);
                if read == MxAnswer::Internet {
                    return MadePlan {
                        outcome: direct(self.internet_address(), name),
                        decisions: SmallVec::new(),
                        why: "".into(),
                        preferences: false,
                        missing: SmallVec::new(),
                        grounds: Vec::new(),
                        list: false,
                        tail: None,
                        beside_self: false,
                    };
                }
                let mut decision = read_mx(rules, names, name, &read);
                if question.configured && rules.pass.smart_host_needs_mx && decision.outcome == MxStep::Implicit {
                    decision.outcome = MxStep::End(rules.mx.no_usable_target);
                }
                let ends = matches!(decision.outcome, MxStep::End(_));
                (name, true, Some((id, if by_connector { by_smart_host_rules(decision, ends) } else { decision })))
            }
        };
        let mut decisions = SmallVec::new();
        let (targets, implicit) = match &first {
            None => (vec![(0, name)], true),
            Some((id, decision)) => {
                decisions.push(self.store("which MX?", question.host, NONE, decision));
                match &decision.outcome {
                    MxStep::Targets(list) => (list.clone(), false),
                    MxStep::Implicit => (vec![(0, self.resolvers.answer(*id).final_name(name))], true),
                    MxStep::End(end) => {
                        let end = self.configured_end(question, rules, *end);
                        let why = words_of(&decision.chosen);
                        return MadePlan {
                            outcome: MxPlan::End { end, is_loop: false },
                            decisions,
                            why,
                            preferences,
                            grounds: Vec::new(),
                            list: false,
                            tail: None,
                            beside_self: false,
                            missing: SmallVec::new(),
                        };
                    }
                }
            }
        };
        // A host that the configuration names needs no signed list.
        let list = first.as_ref().is_none_or(|(id, _)| self.resolvers.answer(*id).dnssec == Dnssec::Secure);
        let mut grounds: Vec<(IpAddr, Ground)> = Vec::new();
        let mut found: Vec<TargetAddresses> = targets
            .iter()
            .map(|(preference, target)| {
                let pair = [answers.next().unwrap_or((NONE, 0)), answers.next().unwrap_or((NONE, 0))];
                let mut found = self.addresses(rules, *preference, *target, &pair, names.text(*target));
                if !question.configured {
                    leave_out(&mut found, &sender.targets);
                }
                found.is_own = sender.targets.treats_as_own(names.text(*target));
                grounds.extend(self.grounds((list, rules.tls.dane.asks_listed_name), *target, &pair));
                found
            })
            .collect();
        if first.is_some() {
            one_further(&mut found, question.answers[0].1);
        }
        let mut decision = plan(rules, names, &asker, name, implicit, &found);
        if matches!(decision.outcome, MxPlan::End { is_loop: true, .. }) && sender.targets.own != OwnTarget::AsProfile {
            decision = own_target(decision, &sender.targets, |asker| plan(rules, names, asker, name, implicit, &found), &asker);
        }
        let ends = matches!(decision.outcome, MxPlan::End { .. });
        let mut decision = if by_connector { by_smart_host_rules(decision, ends) } else { decision };
        if first.is_none() {
            without_mx(&mut decision, names.text(name), question.configured && self.is_device(question.config));
        }
        name_aliases(&mut decision, sender.targets.alias_names, implicit.then_some(name), &found, names);
        decisions.push(self.store("which addresses?", question.host, NONE, &decision));
        let beside_self = decision.passed_over.iter().any(|reason| reason.rule == "R19");
        let outcome = match decision.outcome {
            // What `self` says of the own host is no mistake of the configuration.
            MxPlan::End { end, is_loop: true } if sender.targets.own != OwnTarget::AsProfile => MxPlan::End { end, is_loop: true },
            MxPlan::End { end, is_loop } => MxPlan::End { end: self.configured_end(question, rules, end), is_loop },
            found => found,
        };
        let why = words_of(&decision.chosen);
        let missing = found.iter().filter(|target| target.addresses.is_empty()).map(|target| target.preference).collect();
        let tail = last_missing(rules, &asker, &found);
        MadePlan { outcome, decisions, why, preferences: preferences && !implicit, missing, grounds, list, tail, beside_self }
    }

    /// A next hop of the configuration that cannot be found may be an error of the configuration.
    fn configured_end(&self, question: &PlanQuestion, rules: &Behaviour, end: crate::decide::profile::End) -> crate::decide::profile::End {
        let settled = end.bounce || !rules.pass.whole_list_waits;
        if question.configured && settled { rules.mx.smart_host_lost.unwrap_or(end) } else { end }
    }

    /// The addresses in two answers (AAAA, A) about one target.
    fn addresses(&self, rules: &Behaviour, preference: u16, name: NameId, answers: &[(u32, u32); 2], text: &str) -> TargetAddresses {
        let mut target = TargetAddresses::none(preference, name);
        if rules.mx.address_in_mx_data
            && let Ok(address) = text.parse::<IpAddr>()
        {
            target.addresses.push(address);
            return target;
        }
        for (id, turn) in answers {
            if *id == NONE {
                continue;
            }
            let answer = self.resolvers.answer(*id);
            target.alias_of = target.alias_of.or_else(|| answer.aliases.last().copied());
            match &answer.outcome {
                Outcome::Records(records) => {
                    let mut list: Vec<IpAddr> = records.iter().filter_map(RecordData::address).collect();
                    if !list.is_empty() {
                        let by = *turn as usize % list.len();
                        list.rotate_left(by);
                    }
                    target.addresses.extend(list);
                }
                Outcome::NoData => {}
                Outcome::NxDomain => {}
                Outcome::ServFail if answer.dnssec == Dnssec::Bogus => target.soft = Some(BOGUS),
                Outcome::ServFail => target.soft = Some("SERVFAIL"),
                Outcome::Refused => target.soft = Some("REFUSED"),
                Outcome::Timeout => target.soft = Some("no answer"),
                Outcome::Truncated => target.soft = Some("truncated answer"),
                Outcome::Internet => target.addresses.push(self.internet_address()),
            }
        }
        let asked: SmallVec<[&Outcome; 2]> =
            answers.iter().filter(|(id, _)| *id != NONE).map(|(id, _)| &self.resolvers.answer(*id).outcome).collect();
        if !target.addresses.is_empty() {
            target.soft = None;
        } else if !asked.is_empty() && asked.iter().all(|outcome| **outcome == Outcome::NxDomain) {
            target.soft = None;
            target.no_such_name = true;
        }
        target.other_family = target.addresses.is_empty() && answers.iter().any(|(id, _)| *id == NONE);
        target
    }

    pub(super) fn cache_plan(&self, id: u32) -> &KeptPlan {
        self.cache.plan(id)
    }
}

/// The questions that lead from a next hop to addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lead {
    hop: NextHop,
    profile: Profile,
    /// The MX question, or `NONE`.
    mx: u32,
    /// Its answer that `targets` was made of.
    answer: u32,
    /// Whose addresses to ask for, or `NONE`.
    targets: u32,
}

/// One target and its two questions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetQuestions {
    aaaa: u32,
    a: u32,
}

/// What targets depend on: who asks, whose rules, the name, and the MX answer.
pub(crate) type TargetsKey = (ResolverId, Profile, NameId, u32);

/// A question about a next hop: all that a plan depends on.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct PlanQuestion {
    config: ConfigId,
    version: u32,
    host: HostId,
    hop: NextHop,
    configured: bool,
    answers: SmallVec<[(u32, u32); 8]>,
}

/// A plan with its reasons.
#[derive(Clone, Debug)]
pub(crate) struct KeptPlan {
    pub(crate) outcome: MxPlan,
    pub(crate) decisions: SmallVec<[u32; 2]>,
    pub(crate) why: Box<str>,
    /// What is noted when all candidates failed, if the last target had no address.
    pub(crate) tail: Option<Enhanced>,
    /// Where each candidate is.
    pub(crate) goals: Box<[Goal]>,
    /// Preferences of targets that have no address.
    pub(crate) missing: SmallVec<[u16; 2]>,
    /// The sender itself stands in the list.
    pub(crate) beside_self: bool,
    /// There are MX records, and some of their targets have no address.
    pub(crate) dead_targets: bool,
}

/// Where a connection to a candidate goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// Its number in the tables.
    pub(super) candidate: u32,
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The machine that answers there.
    pub(super) server: Option<HostId>,
    /// The sender has an address of this family.
    pub(super) has_family: bool,
    /// What DANE may ask about it.
    pub(super) ground: Ground,
    /// Time of one exchange with that machine.
    pub(super) latency: Law,
}

/// A plan as the rule books return it.
struct MadePlan {
    outcome: MxPlan,
    decisions: SmallVec<[u32; 2]>,
    why: Box<str>,
    /// The candidates have MX preferences.
    preferences: bool,
    /// Preferences of targets that have no address.
    missing: SmallVec<[u16; 2]>,
    tail: Option<Enhanced>,
    beside_self: bool,
    /// What DANE stands on, by address.
    grounds: Vec<(IpAddr, Ground)>,
    /// The list of hosts is signed, or stands in the configuration.
    list: bool,
}

fn words_of(chosen: &[Because]) -> Box<str> {
    chosen.last().map_or_else(|| "".into(), |reason| reason.why.clone())
}
