//! What does the receiving domain promise about a host, before anybody connects to it?
//!
//! A sender that does DANE asks for the TLSA records of a candidate when its moment comes: not earlier, since most mail never needs a second host.
//! The answer becomes the policy of that one connection. Sources: RFC 7672 §2.2, RFC 8461 §8.4 (no host is taken off the list beforehand).

use super::plan::Goal;
use super::world::World;
use crate::base::{NameId, SimTime};
use crate::decide::dane::{self, Promise, TlsaAnswer};
use crate::decide::failure::Effect;
use crate::model::Model;
use crate::model::dns::{RecordType, Tlsa};
use crate::model::settings::{DaneUse, Directory, HostConfig, TlsLevel, TlsPolicy};
use crate::trace::NONE;

/// The policy of one connection, made of what the receiving domain promises.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Proof {
    pub(super) policy: TlsPolicy,
    /// Of which one must fit.
    pub(super) records: Vec<Tlsa>,
    /// Whose records these are: names that a certificate may carry.
    pub(super) bases: [Option<NameId>; 2],
}

/// May a machine with these settings have to look at promises at all? In a world without signed zones only one that requires DANE does.
pub(super) fn proves(model: &Model, config: &HostConfig) -> bool {
    let signed = model.zones.iter().any(crate::model::dns::Zones::is_signed);
    let asks = |policy: &TlsPolicy| policy.dane == DaneUse::Must || signed && policy.dane == DaneUse::Try;
    let tls = &config.sender.tls;
    let of_tenants = match &config.receiver.directory {
        Directory::Tenants(tenants) => tenants.iter().flat_map(|tenant| &tenant.outbound_connectors).any(|connector| asks(&connector.tls)),
        Directory::Everything | Directory::Mta(_) => false,
    };
    asks(&tls.policy) || tls.policies.iter().any(|(_, policy)| asks(policy)) || of_tenants
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
    /// Looks up what the receiving domain promises about a candidate.
    pub(super) fn prove(&mut self, job: u32, goal: &Goal, at: SimTime) -> Proved {
        self.jobs[job].proof = NONE;
        let policy = self.policy_of_hop(job).clone();
        if policy.dane == DaneUse::Never {
            return Proved::Go(at);
        }
        let copy = self.jobs[job].copy;
        let client = self.copies[copy].host;
        let host = self.tables.candidates.get(goal.candidate).name;
        let text = self.tables.names.text(host).to_owned();
        let (answer, at) = self.ask_tlsa(job, goal, at);
        let read = answer.map_or(TlsaAnswer::NotAsked, |answer| dane::read(self.resolvers.answer(answer)));
        let rules = &self.rules(client).tls.dane;
        let decision = dane::promise(rules, policy.dane, goal.ground, &text, &read);
        let stored = self.store("what does DANE promise?", client, NONE, &decision);
        self.trace_decisions(copy, NONE, &[stored]);
        let policy = match decision.outcome {
            Promise::Nothing => return Proved::Go(at),
            Promise::Stop { end, result } => {
                let why = format!("{text}: {} ({result})", decision.chosen[0].why);
                let reply = self.tables.reply(end.code, end.status, &why);
                let effect = if end.bounce { Effect::Bounce(end.status) } else { Effect::Next(end.status) };
                self.note_effect(job, effect, reply, !end.bounce);
                return if end.bounce { Proved::Over(at) } else { Proved::Next(at) };
            }
            Promise::Encrypted => {
                let level = if matches!(policy.level, TlsLevel::None | TlsLevel::May) { TlsLevel::Encrypt } else { policy.level };
                let level = if level == TlsLevel::Opportunistic { TlsLevel::EncryptionOnly } else { level };
                Proof { policy: TlsPolicy { level, ..policy }, records: Vec::new(), bases: [None, None] }
            }
            Promise::Authenticated(records) => {
                let policy = TlsPolicy { level: TlsLevel::Dane, names: Vec::new(), ..policy };
                Proof { policy, records, bases: goal.ground.bases }
            }
        };
        self.jobs[job].proof = self.proofs.intern(policy);
        Proved::Go(at)
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
            let told = self.ask(slot, at, luck, who);
            at = told.at;
            found = Some(told.answer);
            if dane::read(self.resolvers.answer(told.answer)) != TlsaAnswer::Nothing {
                break;
            }
        }
        (found, at)
    }
}
