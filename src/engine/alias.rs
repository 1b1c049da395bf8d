//! The domain of a recipient is an alias: which address does a sender write that rewrites such domains (Sendmail)?
//!
//! Its resolver is asked for AAAA, A and MX until one answer is led on by an alias; a question that fails leaves the next one, a name that does not exist
//! ends it. Wherever the mail goes then, by a route, a smart host or MX, it goes under the new name. Domains that are no alias in the zones, now or before,
//! are not asked about here: what the answers say of them the delivery's own questions say too. Not modelled: the time that these questions take before
//! the delivery begins. Sources: sendmail op.me `DontExpandCnames`; domain.c
//! `dns_getcanonname`; proto.m4 (the mailertable is read behind `canonify`); seen on a running Sendmail 8.17.

use super::route::Stop;
use super::session::Talk;
use super::world::World;
use crate::base::{Address, HostId, NameId, SimTime};
use crate::decide::acceptance::Acceptance;
use crate::decide::{Decision, because};
use crate::model::dns::{Outcome, RecordType};
use crate::model::expansion::Expansion;
use crate::trace::level::STEPS;
use crate::trace::{Concern, NONE};
use std::collections::BTreeMap;

/// In the order in which a name is asked about.
const KINDS: [RecordType; 3] = [RecordType::Aaaa, RecordType::A, RecordType::Mx];

/// Which recipients may be written otherwise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aliases {
    /// By version of the scenario, machine and template: is its domain an alias, or was it one?
    known: BTreeMap<(u32, HostId, u32), bool>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The recipient at `index`, who goes to another system, in the domain that its own stands for; `None`: as it is written.
    pub(super) fn rewritten_alias(&mut self, copy: u32, index: u16, (host, tenant): (HostId, u32)) -> Option<Stop> {
        if self.config(host).sender.targets.keeps_aliases {
            return None;
        }
        let message = self.copies[copy].message;
        let (template, number) = (self.recipient_template(message, index), self.messages[message].address_number);
        let question = (self.version as u32, host, template);
        let is_constant = self.tables.templates.get(template).is_constant();
        if self.aliases.known.get(&question) == Some(&false) {
            return None;
        }
        let address = self.tables.templates.get(template).expand(number);
        let name = self.tables.names.intern(&address.domain);
        let was_alias = self.was_alias(host, name);
        if is_constant {
            self.aliases.known.insert(question, was_alias);
        }
        if !was_alias || !matches!(self.stop_for(copy, host, tenant, template, number).0, Stop::To(_)) {
            return None;
        }
        let row = &self.copies[copy];
        let (luck, who) = ((self.messages[row.message].luck, row.luck()), (row.number, row.pass));
        let target = self.canonical(host, name, self.now, luck, who)?;
        let target = self.tables.names.text(target).to_owned();
        let stop = Stop::Expand(self.expansion(Expansion::in_domain(&address, &target)));
        if self.writes(STEPS) {
            let stored = self.store("where to?", host, NONE, &why(&address, &target));
            self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        }
        Some(stop)
    }

    /// A server that rewrites aliases does so before it says whom it takes (`check_rcpt`): the answer for the name behind the alias, where the alias itself
    /// is refused. What a failed lookup comes to there is not modelled: the answer for the alias stands.
    pub(super) fn asked_behind_alias(&mut self, talk: &Talk<'_>, address: &Address, refused: Decision<Acceptance>) -> Decision<Acceptance> {
        let host = talk.server;
        let name = self.tables.names.intern(&address.domain);
        let copy = &self.copies[self.jobs[talk.job].copy];
        let luck = (self.messages[copy.message].luck, copy.luck());
        // Its questions stand in no record of the client's.
        let Some(target) = self.canonical(host, name, talk.now, luck, (NONE, 0)) else { return refused };
        let behind = Address { local: address.local.clone(), domain: self.tables.names.text(target).into() };
        let mut decision = self.ask_rcpt(talk, &behind.to_string(), &behind.domain);
        decision.chosen.extend(why(address, &behind.domain).chosen);
        decision
    }

    /// Does a server that rewrites aliases look behind the domain of this recipient?
    #[cold]
    #[inline(never)]
    pub(super) fn may_be_alias(&mut self, talk: &Talk<'_>, address: &Address) -> bool {
        let name = self.tables.names.intern(&address.domain);
        !talk.theirs.sender.targets.keeps_aliases && self.was_alias(talk.server, name)
    }

    /// Is a name an alias in the zones that a machine's resolver reads, or was it one before?
    fn was_alias(&self, host: HostId, name: NameId) -> bool {
        let view = self.view_of(host);
        self.model.versions[..=self.version].iter().any(|version| {
            let zones = &self.model.zones[version.zones.index()];
            !zones.lookup(&self.tables.names, view.min(zones.view_count() - 1), name, RecordType::Mx).aliases.is_empty()
        })
    }

    /// The name that the resolver says an alias stands for.
    fn canonical(&mut self, host: HostId, name: NameId, at: SimTime, luck: (u64, u64), who: (u32, u16)) -> Option<NameId> {
        let resolver = self.model.hosts[host.index()].resolver;
        if let Some(kept) = self.alias_in_cache(resolver, name, at, who) {
            return Some(kept);
        }
        let mut at = at;
        for kind in KINDS {
            let slot = self.question(resolver, name, kind);
            let told = self.ask(slot, at, luck, who);
            at = told.at;
            let answer = self.resolvers.answer(told.answer);
            match answer.outcome {
                Outcome::Records(_) | Outcome::NoData if answer.final_name(name) != name => return Some(answer.final_name(name)),
                Outcome::NxDomain | Outcome::Records(_) | Outcome::Internet => return None,
                Outcome::NoData | Outcome::ServFail | Outcome::Refused | Outcome::Timeout | Outcome::Truncated => {}
            }
        }
        None
    }
}

fn why(address: &Address, target: &str) -> Decision<()> {
    let why = format!("an alias of `{target}`: the recipient is rewritten");
    Decision::for_reason((), because("R8", &*address.domain, why, "DontExpandCnames"))
}
