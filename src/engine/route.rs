//! Where does each recipient of a copy go? Asks the rule books once per question and keeps the answers.

use super::letter;
use super::plan::{KeptPlan, PlanQuestion, TargetQuestions, TargetsKey};
use super::world::World;
use crate::base::{ConfigId, Enhanced, HostId, Interner, NextHopId};
use crate::decide::acceptance::literal_address;
use crate::decide::exchange::junk;
use crate::decide::exchange::mail_flow_rule::End;
use crate::decide::exchange::outbound_connector::{self, Choice, Leaving};
use crate::decide::exchange::recipient::{self, Lookup};
use crate::decide::route::{self, NextStop};
use crate::decide::{Because, Decision};
use crate::model::dns::Outcome;
use crate::model::exchange::Tenant;
use crate::model::letter::{Letter, Stamps};
use crate::model::settings::{Directory, HostConfig, MtaDirectory, NextHop, Routing, Target, TlsLevel};
use crate::trace::{DestinationKey, NONE, StoredDecision};
use smallvec::{SmallVec, smallvec};

/// Where a recipient goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// Into a mailbox here.
    Mailbox,
    /// Into a mailbox here, and a rule said into which folder.
    Sorted { junk: bool },
    /// Out of the model.
    Outside,
    /// Given up with this reply.
    Bounce(u32),
    /// Refused where it is handed in; given up where it was taken all the same.
    Refuse(u32),
    /// Dropped in silence, with this remark.
    Discard(u32),
    /// Held, with this remark.
    Quarantine(u32),
    /// Stopped as a circle, with this reply.
    Loop(u32),
    /// To this destination.
    To(u32),
    /// Nowhere now: it stays here until the settings change, or until it expires.
    Wait(u32),
    /// Others stand for it here: an expansion by its number.
    Expand(u32),
    /// Nobody says.
    NotSaid(u32),
}

/// What decides where a recipient goes: settings, tenant, recipient template, zones, and the message where its facts count (see `super::letter`).
pub(crate) type StopKey = (ConfigId, u32, u32, u32, u32);

/// Answers by their questions, for templates without `#`.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteCache {
    index: Interner<StopKey>,
    stops: Vec<(Stop, SmallVec<[u32; 2]>)>,
    plan_index: Interner<PlanQuestion>,
    plans: Vec<KeptPlan>,
    target_index: Interner<TargetsKey>,
    targets: Vec<Box<[TargetQuestions]>>,
    failed_index: Interner<(u32, Enhanced)>,
    failed: Vec<u32>,
}

impl RouteCache {
    pub(crate) fn find_plan(&self, question: &PlanQuestion) -> Option<u32> {
        self.plan_index.find(question)
    }

    pub(crate) fn add_plan(&mut self, question: PlanQuestion, plan: KeptPlan) -> u32 {
        self.plans.push(plan);
        self.plan_index.intern(question)
    }

    pub(crate) fn find_targets(&self, question: TargetsKey) -> Option<u32> {
        self.target_index.find(&question)
    }

    pub(crate) fn add_targets(&mut self, question: TargetsKey, targets: Vec<TargetQuestions>) -> u32 {
        self.targets.push(targets.into());
        self.target_index.intern(question)
    }

    #[inline]
    pub(crate) fn targets(&self, id: u32) -> &[TargetQuestions] {
        &self.targets[id as usize]
    }

    pub(crate) fn find_failed(&self, question: (u32, Enhanced)) -> Option<u32> {
        self.failed_index.find(&question).map(|at| self.failed[at as usize])
    }

    pub(crate) fn add_failed(&mut self, question: (u32, Enhanced), reply: u32) {
        self.failed_index.intern(question);
        self.failed.push(reply);
    }

    pub(crate) fn plan(&self, id: u32) -> &KeptPlan {
        &self.plans[id as usize]
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Where a recipient template goes from here; most mail of a machine asks what the last one asked.
    #[inline]
    pub(crate) fn known_stop(&mut self, copy: u32, host: HostId, tenant: u32, template: u32, number: u64) -> Stop {
        let letter = if self.settings[host.index()].reads_letters { self.letter_number(copy) } else { letter::ANY };
        let question = (tenant, template, letter);
        if let Some((known, stop)) = self.machines[host.index()].last_stop
            && known == question
        {
            return stop;
        }
        let (stop, _) = self.answer(copy, (self.settings[host.index()].id, tenant, template, self.zones, letter), host, number);
        if letter != letter::UNIQUE && self.tables.templates.get(template).is_constant() {
            self.machines[host.index()].last_stop = Some((question, stop));
        }
        stop
    }

    /// Where a recipient template (with number `number`) of a copy goes from here, and the decisions that say so.
    pub(crate) fn stop_for(&mut self, copy: u32, host: HostId, tenant: u32, template: u32, number: u64) -> (Stop, SmallVec<[u32; 2]>) {
        let letter = if self.settings[host.index()].reads_letters { self.letter_number(copy) } else { letter::ANY };
        self.answer(copy, (self.settings[host.index()].id, tenant, template, self.zones, letter), host, number)
    }

    #[inline(never)]
    fn answer(&mut self, copy: u32, question: StopKey, host: HostId, number: u64) -> (Stop, SmallVec<[u32; 2]>) {
        let (_, tenant, template, _, letter) = question;
        if let Some(slot) = self.cache.index.find(&question) {
            let (stop, decisions) = &self.cache.stops[slot as usize];
            // Below the level of steps nobody reads the decisions.
            return (*stop, if !self.writes(crate::trace::level::STEPS) { SmallVec::new() } else { decisions.clone() });
        }
        let found = self.find_stop(copy, host, tenant, template, number);
        if letter != letter::UNIQUE && self.tables.templates.get(template).is_constant() {
            self.cache.index.intern(question);
            self.cache.stops.push(found.clone());
        }
        found
    }

    fn find_stop(&mut self, copy: u32, host: HostId, tenant: u32, template: u32, number: u64) -> (Stop, SmallVec<[u32; 2]>) {
        let address = self.tables.templates.get(template).expand(number);
        let text = address.to_string();
        let config = self.config(host);
        let mut decisions = SmallVec::new();
        let mut stamps = Stamps::default();
        if !config.receiver.filter.is_empty() {
            stamps = match self.filtered(copy, (host, &config.receiver.filter), &text, &mut decisions) {
                Ok(stamps) => stamps,
                Err(stop) => return (stop, decisions),
            };
        }
        let stop = match &config.receiver.directory {
            Directory::Everything => self.stop_of_internet(host, config, &address.domain, &mut decisions),
            Directory::Mta(directory) => {
                if let Routing::Fope(fope) = &config.sender.routing {
                    let stop = self.stop_of_fope(copy, host, fope, &address.domain, &mut decisions);
                    return (self.stamped(stop, stamps), decisions);
                }
                let decision = self.way_of_mta(host, directory, &address);
                let stop = self.stop_of_mta(config, &decision.outcome, &address.domain, decision.chosen[0].rule);
                decisions.push(self.store("where to?", host, tenant, &decision));
                stop
            }
            Directory::Organization(organization) => {
                self.stop_of_organization(copy, organization, (&text, &address.domain), &mut decisions)
            }
            Directory::Tenants(tenants) => match tenants.iter().find(|candidate| candidate.system.0 == tenant) {
                Some(found) => self.stop_of_tenant(copy, found, (&text, &address.domain), &mut decisions),
                None => Stop::NotSaid(self.tables.reply(
                    0,
                    Enhanced(5, 3, 5),
                    "nothing documented says whose mail this is: the client is a server of several tenants",
                )),
            },
        };
        (self.stamped(stop, stamps), decisions)
    }

    /// The internet sends to domains of the model by MX; the rest leaves the model.
    fn stop_of_internet(&mut self, host: HostId, config: &HostConfig, domain: &str, decisions: &mut SmallVec<[u32; 2]>) -> Stop {
        if domain.starts_with('[') {
            let decision = route::choose(&MtaDirectory::default(), &config.sender.routing, domain, domain);
            return self.stop_of_mta(config, &decision.outcome, domain, decision.chosen[0].rule);
        }
        let name = self.tables.names.intern(domain);
        let zones = self.model.versions[self.version].zones;
        let answer = self.model.zones[zones.index()].lookup(&self.tables.names, 0, name, crate::model::dns::RecordType::Mx);
        if answer.outcome == Outcome::Internet {
            let why = crate::decide::because("MX", domain, "a domain of the internet outside of the model", "scenario: dns.rest");
            decisions.push(self.store("where to?", host, NONE, &Decision::for_reason(NextStop::Mailbox, why)));
            return Stop::Outside;
        }
        let decision = route::choose(&MtaDirectory::default(), &config.sender.routing, domain, domain);
        let stop = self.stop_of_mta(config, &decision.outcome, domain, decision.chosen[0].rule);
        decisions.push(self.store("where to?", host, NONE, &decision));
        stop
    }

    fn stop_of_mta(&mut self, config: &HostConfig, stop: &NextStop, domain: &str, rule: &'static str) -> Stop {
        let Routing::Mta { smart_hosts, routes, fallback_hosts } = &config.sender.routing else {
            return match stop {
                NextStop::Mailbox => Stop::Mailbox,
                NextStop::Expanded(expansion) => Stop::Expand(self.expansion((**expansion).clone())),
                NextStop::UnknownUser => Stop::Bounce(self.tables.reply(550, Enhanced(5, 1, 1), "User unknown")),
                _ => {
                    Stop::NotSaid(self.tables.reply(0, Enhanced(5, 3, 5), "nothing in the scenario says where this system sends its mail"))
                }
            };
        };
        let (hops, configured): (SmallVec<[NextHopId; 2]>, bool) = match stop {
            NextStop::Mailbox => return Stop::Mailbox,
            NextStop::Expanded(expansion) => return Stop::Expand(self.expansion((**expansion).clone())),
            NextStop::UnknownUser => return Stop::Bounce(self.tables.reply(550, Enhanced(5, 1, 1), "User unknown")),
            NextStop::Unknown => {
                return Stop::NotSaid(self.tables.reply(
                    0,
                    Enhanced(5, 3, 5),
                    "nothing in the scenario says where this system sends its mail",
                ));
            }
            NextStop::Route(at) => (SmallVec::from_slice(&routes[*at].to), true),
            NextStop::SmartHosts => (SmallVec::from_slice(smart_hosts), true),
            NextStop::Mx => (smallvec![self.mx_hop(domain)], false),
            NextStop::Literal(address) => match self.literal_not_taken(config.sender.profile, *address, domain) {
                Some(stop) => return stop,
                None => (smallvec![NextHopId(self.tables.next_hops.intern(NextHop { target: Target::Ip(*address), port: 25 }))], false),
            },
        };
        let key = DestinationKey {
            manner: None,
            hops,
            fallback: SmallVec::from_slice(fallback_hosts),
            tls: None,
            rotates: false,
            weights: SmallVec::new(),
            configured,
            plain_retry: false,
            stamps: NONE,
            rule,
            tenant: NONE,
            connector: "".into(),
        };
        Stop::To(self.tables.destinations.intern(key))
    }

    /// Exchange Online: rules, then the recipient, then the way out.
    fn stop_of_tenant(&mut self, copy: u32, tenant: &Tenant, (address, domain): (&str, &str), decisions: &mut SmallVec<[u32; 2]>) -> Stop {
        let (host, system) = (self.copies[copy].host, tenant.system.0);
        let letter = if tenant.reads_letters() { self.letter(copy) } else { Letter::default() };
        if let Some(stop) = self.over_envelope_limit(copy, tenant.recipients_max, system, decisions) {
            return stop;
        }
        if let Some(stop) = self.over_size_limit(copy, system, letter.size_bytes, decisions) {
            return stop;
        }
        if let Some(stop) = self.stopped_by_domain(tenant, host, &letter, domain, decisions) {
            return stop;
        }
        let ruled = self.what_rules_make(copy, tenant, &letter, (address, domain), decisions);
        match &ruled.end {
            Some(End::Reject(reply)) => return Stop::Bounce(self.tables.replies.intern(reply.clone())),
            Some(End::Delete) => return Stop::Discard(self.tables.reply(250, Enhanced(2, 7, 0), "deleted by a mail-flow rule")),
            Some(End::Quarantine) => return Stop::Quarantine(self.tables.reply(250, Enhanced(2, 7, 0), "quarantined by a mail-flow rule")),
            None => {}
        }
        if ruled.redirect.is_some() || !ruled.copies.is_empty() {
            let mut expansion = ruled.as_expansion(address);
            self.under_whose_name((tenant, host, &letter), address, &mut expansion, decisions);
            return Stop::Expand(self.expansion(expansion));
        }
        let found = recipient::look_up(tenant, &self.tables.names, &letter, address, domain);
        decisions.push(self.store("who is the recipient?", host, system, &found));
        let mut outcome = found.outcome;
        let scl = ruled.stamps.scl.or_else(|| self.level_written_on(copy).filter(|_| letter.ruled.is_some()));
        if let (Lookup::Mailbox, Some(scl)) = (&outcome, scl) {
            let sorted = junk::sort_after_rules(scl, ruled.stamps.scl.is_some());
            decisions.push(self.store("into which folder?", host, system, &sorted));
            return Stop::Sorted { junk: sorted.outcome };
        }
        if let Lookup::Replaced(expansion) = &mut outcome {
            expansion.stamps.headers.clone_from(&ruled.stamps.headers);
            expansion.stamps.changes.clone_from(&ruled.stamps.changes);
            expansion.stamps.scl = scl;
            // Rules ran on the message before anybody was looked up; what the rule of a mailbox sends is a message of its own.
            expansion.stamps.stands_in = true;
            if !expansion.stamps.is_of_inbox_rule() && !tenant.mail_flow_rules.is_empty() {
                expansion.stamps.ruled = Some(ruled.pin.clone());
                expansion.stamps.keeps_organization_headers = true;
            }
            self.under_whose_name((tenant, host, &letter), address, expansion, decisions);
        }
        if let Some(stop) = self.stop_of_entry(host, outcome) {
            return stop;
        }
        if let Some(stop) = self.forbidden_forward(tenant, host, &letter, domain, decisions) {
            return stop;
        }
        if let Some(protection) = &tenant.protected_by {
            return self.stop_at_protection(host, tenant, protection, (domain, ruled.stamps), decisions);
        }
        let pin = ruled.pin.connector.as_ref().map(|(at, rule)| (*at, &**rule));
        let choice = outbound_connector::select(
            tenant,
            &self.tables.names,
            &Leaving { domain, pin, requires_tls: ruled.pin.requires_tls, origin: letter.origin },
        );
        decisions.push(self.store("which outbound connector?", host, system, &choice));
        let connector = match choice.outcome {
            Choice::NotSaid => {
                let text = if pin.is_some() {
                    "a mail-flow rule names a connector that is disabled (OUT-1)"
                } else {
                    "two connectors are equally close to the recipient (OUT-6)"
                };
                return Stop::NotSaid(self.tables.reply(0, Enhanced(5, 3, 5), text));
            }
            Choice::Mx => None,
            Choice::Connector(at) => Some(&tenant.outbound_connectors[at]),
        };
        let keeps_organization_headers = connector.is_some_and(|connector| connector.cloud_services);
        let pool = self.outbound_pool(tenant, host, &letter, decisions);
        let stamps = Stamps { keeps_organization_headers, pool, ..ruled.stamps };
        let smart_hosts = connector.filter(|connector| !connector.use_mx_record).map(|connector| &connector.smart_hosts);
        let mut tls = connector.map(|connector| connector.tls.clone());
        if ruled.pin.requires_tls {
            let policy = tls.get_or_insert_with(|| self.config(host).sender.tls.policy.clone());
            if matches!(policy.level, TlsLevel::Opportunistic | TlsLevel::May) {
                policy.level = TlsLevel::Required;
            }
        }
        let key = DestinationKey {
            manner: None,
            hops: smart_hosts.map_or_else(|| smallvec![self.mx_hop(domain)], |hosts| SmallVec::from_slice(hosts)),
            fallback: SmallVec::new(),
            tls,
            rotates: smart_hosts.is_some_and(|hosts| hosts.len() > 1),
            weights: SmallVec::new(),
            configured: smart_hosts.is_some(),
            plain_retry: tenant.switches.plain_retry,
            stamps: if stamps == Stamps::default() { NONE } else { self.tables.stamps.intern(stamps) },
            rule: choice.chosen[0].rule,
            tenant: system,
            connector: connector.map_or_else(|| "".into(), |connector| connector.name.clone()),
        };
        Stop::To(self.tables.destinations.intern(key))
    }

    /// What becomes of a recipient of an Exchange directory; `None`: it goes out.
    pub(super) fn stop_of_entry(&mut self, host: HostId, found: Lookup) -> Option<Stop> {
        Some(match found {
            Lookup::Mailbox => Stop::Mailbox,
            Lookup::NotFound => Stop::Bounce(self.tables.reply(550, Enhanced(5, 1, 10), "Recipient not found")),
            Lookup::Refused(reply) => Stop::Bounce(self.tables.replies.intern(reply)),
            Lookup::Dropped => Stop::Discard(self.tables.reply(250, Enhanced(2, 7, 0), "a forward that a remote domain forbids")),
            Lookup::Circle => Stop::Loop(self.circle(host, "forwarded too often (X-LD-Processed)")),
            Lookup::NotSaid(why) => Stop::NotSaid(self.tables.reply(0, Enhanced(5, 3, 5), why)),
            Lookup::Replaced(expansion) => Stop::Expand(self.expansion(*expansion)),
            Lookup::Outside => return None,
        })
    }

    pub(super) fn mx_hop(&mut self, domain: &str) -> NextHopId {
        // An address in brackets has no MX, and nobody asks for one.
        let target = literal_address(domain).map_or_else(|| Target::Mx(self.tables.names.intern(domain)), Target::Ip);
        NextHopId(self.tables.next_hops.intern(NextHop { target, port: 25 }))
    }

    /// Keeps a decision for `explain`; at lower levels nothing is kept.
    pub(crate) fn store<T: std::fmt::Debug>(&mut self, question: &'static str, host: HostId, tenant: u32, decision: &Decision<T>) -> u32 {
        self.store_reasons(question, host, tenant, &decision.chosen, &decision.passed_over)
    }

    pub(crate) fn store_reasons(
        &mut self,
        question: &'static str,
        host: HostId,
        tenant: u32,
        chosen: &[Because],
        passed_over: &[Because],
    ) -> u32 {
        if !self.writes(crate::trace::level::STEPS) {
            return NONE;
        }
        let verdict = chosen.first().map_or_else(String::new, |first| format!("{}: {}", first.name, first.why));
        let stored =
            StoredDecision { question, host, tenant, verdict: verdict.into(), chosen: chosen.to_vec(), passed_over: passed_over.to_vec() };
        self.tables.decisions.intern(stored)
    }
}
