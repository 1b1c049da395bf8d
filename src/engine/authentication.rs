//! What does a receiver find out about the origin of a message that arrives, and what does the message carry on from here?
//!
//! Asked at the final dot, once per transaction, where a receiver has `checks` or every step is written down; no state is touched, so looking
//! changes nothing. DNS is that of the moment in the view of the receiver's resolver, its failures included: caches and the time that these
//! questions take are not modelled. What the systems on the way did to signatures travels with each copy.
//! Sources: RFC 7208 §2.4, RFC 6376 §5 and §6, RFC 7489 §6.6, RFC 6152 §3 (8-bit bodies become quoted-printable).

use super::carried::Carried;
use super::chance::{Purpose, below};
use super::origin_dns::{Dns, has_name};
use super::world::{RecipientState, World};
use crate::base::{Enhanced, Fate, HostId, Interner, Reply, SimTime};
use crate::decide::acceptance::{Peer, TakenFor, is_relay_client};
use crate::decide::authentication::dkim::{DkimCheck, DkimResult, check_dkim};
use crate::decide::authentication::dmarc::{DmarcCheck, DmarcQuestion, DmarcResult, Policy, check_dmarc};
use crate::decide::authentication::spf::{SpfCheck, SpfQuestion, SpfResult, check_spf};
use crate::decide::authentication::verdict::{Findings, Verdict, judge, unjudged};
use crate::decide::exchange::enhanced_filtering;
use crate::decide::{Because, Decision};
use crate::model::Model;
use crate::model::authentication::{Checks, Mode, Stance};
use crate::model::letter::Marks;
use crate::model::settings::Directory;
use crate::model::traffic::Body;
use crate::trace::level::{PATHS, STEPS};
use crate::trace::{Authentication, NONE};
use std::net::IpAddr;

/// The state of all this in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// Somebody looks at origins or headers, or every step is written down.
    pub(crate) is_on: bool,
    pub(super) carried: Interner<Carried>,
}

impl Origins {
    pub(crate) fn new(model: &Model, level: u8, demanding: bool) -> Self {
        let looks = |stance: &Stance| stance.checks.is_some();
        let is_on = demanding || level >= STEPS || model.configs.iter().any(|config| {
            looks(&config.stance)
                || config.reads_letters()
                || matches!(&config.receiver.directory, Directory::Tenants(tenants) if tenants.iter().any(|tenant| looks(&tenant.stance)))
        });
        Self { is_on, carried: Interner::default() }
    }

    /// What the body of a message is made of by now, by the number that its copy carries.
    pub(super) fn body(&self, carried: u32) -> Body {
        self.carried.get(carried).body
    }

    /// What systems on the way made of a message, by the number that its copy carries.
    pub(super) fn marks(&self, carried: u32) -> &Marks {
        &self.carried.get(carried).marks
    }
}

/// What an arrival came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Arrival {
    /// What the copy carries on, or `NONE`.
    pub(crate) carried: u32,
    /// What was found out, or `NONE`.
    pub(crate) found: u32,
    /// It is kept away from the mailbox.
    pub(crate) quarantined: bool,
    /// A mailbox of Exchange Online puts it into its junk folder.
    pub(crate) junk: bool,
}

impl Arrival {
    /// Nobody looked.
    pub(crate) const UNSEEN: Self = Self { carried: NONE, found: NONE, quarantined: false, junk: false };
}

/// A message at the door of a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtTheDoor {
    pub(crate) job: u32,
    pub(crate) server: HostId,
    /// The tenant that it is taken for, or `NONE`.
    pub(crate) tenant: u32,
    /// What is known of it then.
    pub(crate) whom: TakenFor,
    /// The client logged in.
    pub(crate) logged_in: bool,
    /// The server offers 8BITMIME.
    pub(crate) takes_eight_bit: bool,
    /// The server offers BINARYMIME and CHUNKING.
    pub(crate) takes_binary: bool,
    pub(crate) at: SimTime,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What the receiver finds out, and its refusal if it acts on that.
    pub(crate) fn look_at_origin(&mut self, door: AtTheDoor) -> (Arrival, Option<Reply>) {
        let mut carried = self.carried_away(door);
        self.mark_at_door(door, &mut carried.marks);
        let number = self.origins.carried.intern(carried.clone());
        let arrival = Arrival { carried: number, ..Arrival::UNSEEN };
        let checks = self.stance(door.server, door.tenant).checks;
        if checks.is_none() && !self.writes(STEPS) && !self.wants_to_vouch(door.server) {
            return (arrival, None);
        }
        self.authenticate(door, &carried, checks.unwrap_or_default(), arrival)
    }

    /// A message that was quarantined at the door ends there.
    pub(crate) fn keep_away(&mut self, copy: u32, place: usize) {
        self.copies[copy].recipients[place].state = RecipientState::Done;
        let reply = self.tables.reply(250, Enhanced(2, 7, 0), "quarantined by the policy of the author's domain");
        self.end_recipient(copy, place, Fate::Quarantined, reply, NONE);
    }

    /// What a system does about the origin of mail; on the shared service its tenant says.
    pub(super) fn stance(&self, host: HostId, tenant: u32) -> &Stance {
        let config = self.config(host);
        let row = config.receiver.directory.tenants().iter().find(|row| row.system.0 == tenant);
        row.map_or(&config.stance, |row| &row.stance)
    }

    fn authenticate(&mut self, door: AtTheDoor, carried: &Carried, checks: Checks, arrival: Arrival) -> (Arrival, Option<Reply>) {
        let model = self.model;
        let copy = self.jobs[door.job].copy;
        let (client, message) = (self.copies[copy].host, self.copies[copy].message);
        let is_own = model.hosts[client.index()].system == model.hosts[door.server.index()].system;
        if is_own && matches!(self.config(door.server).receiver.directory, Directory::Organization(_)) {
            // Servers of one organization know each other: what one of them took is not judged again.
            return (arrival, None);
        }
        let Some(connected) = self.seen_address(door.job, client, self.jobs[door.job].line.address) else { return (arrival, None) };
        let address = self.look_through(door, &carried.path, connected);
        let (mail_from, key) = (self.sender_text_of(copy), self.messages[message].key);
        let author = self.author(message, carried);
        let mut dns = Dns { model, chance: self.chance, view: self.view_of(door.server), at: door.at, message: key };
        let mut ask = |name: &str, record_type| dns.ask(name, record_type);
        let helo = self.called_in_session(door.job, client);
        let question = SpfQuestion { client: address, helo, mail_from: &mail_from };
        let spf = if checks.spf == Mode::Ignore { unseen_spf() } else { check_spf(&question, &mut ask) };
        let dkim = if checks.dkim == Mode::Ignore { unseen_dkim() } else { check_dkim(&carried.signatures, &mut ask) };
        let sample = below(self.chance.draw(Purpose::Sample, key, model.hosts[door.server.index()].key, 0), 100) as u8;
        let question = DmarcQuestion { author: author.as_deref(), spf: &spf.outcome, dkim: &dkim.outcome, sample };
        let dmarc = if checks.dmarc == Mode::Ignore { unseen_dmarc() } else { check_dmarc(&question, &mut ask) };
        let mut arrival = arrival;
        if self.wants_to_vouch(door.server) {
            let mut carried = carried.clone();
            carried.marks.authentic = Some(spf.outcome.result == SpfResult::Pass || dkim.outcome.result == DkimResult::Pass);
            arrival.carried = self.origins.carried.intern(carried);
        }
        let has_name = checks.ptr != Mode::Enforce || has_name(address, &mut ask);
        let at_exchange_online = matches!(self.config(door.server).receiver.directory, Directory::Tenants(_));
        let findings = Findings {
            spf: spf.outcome.result,
            dkim: dkim.outcome.result,
            dmarc: dmarc.outcome.wanted,
            has_name,
            dmarc_status: if at_exchange_online { Enhanced(5, 7, 509) } else { Enhanced(5, 7, 26) },
        };
        let verdict = match self.why_unjudged(door, client, connected) {
            Some(why) => Decision::for_reason(Verdict::Take, unjudged(why)),
            None => judge(if checks.enforce() { checks } else { Checks::default() }, &findings),
        };
        self.trace_findings(door, &spf, &dkim, &dmarc, checks.enforce().then_some(&verdict));
        let action = match &verdict.outcome {
            Verdict::Take => "none",
            Verdict::Quarantine => "quarantine",
            Verdict::Refuse(..) => "refuse",
        };
        let is_looked_at = |mode| mode != Mode::Ignore;
        let record = Authentication {
            address,
            spf: is_looked_at(checks.spf).then_some(spf.outcome.result),
            spf_domain: spf.outcome.domain,
            dkim: is_looked_at(checks.dkim).then_some(dkim.outcome.result),
            dkim_domains: dkim.outcome.domains,
            dmarc: is_looked_at(checks.dmarc).then_some(dmarc.outcome.result),
            wanted: dmarc.outcome.wanted,
            author: author.map(Into::into),
            action,
        };
        let found = if self.writes(PATHS) { self.tables.authentications.intern(record) } else { NONE };
        let refusal = match verdict.outcome {
            Verdict::Refuse(code, status, text) => Some(Reply::new(code, Some(status), text)),
            Verdict::Take | Verdict::Quarantine => None,
        };
        (Arrival { found, quarantined: verdict.outcome == Verdict::Quarantine, ..arrival }, refusal)
    }

    /// Where a message came from for a tenant whose connector looks through some hops (enhanced filtering), else who connects.
    fn look_through(&mut self, door: AtTheDoor, path: &[IpAddr], connected: IpAddr) -> IpAddr {
        let config = self.config(door.server);
        if let Directory::Organization(organization) = &config.receiver.directory {
            return self.past_own_relays(door, organization, path, connected);
        }
        let Directory::Tenants(tenants) = &config.receiver.directory else { return connected };
        let Some(tenant) = tenants.iter().find(|tenant| tenant.system.0 == door.tenant) else { return connected };
        let connector = door.whom.connector.and_then(|at| tenant.inbound.connectors.get(usize::from(at)));
        let Some((connector, filtering)) = connector.and_then(|row| Some((row, row.filtering.as_ref()?))) else { return connected };
        let copy = self.jobs[door.job].copy;
        let message = self.copies[copy].message;
        let recipients: Vec<String> = self.jobs[door.job]
            .recipients
            .iter()
            .map(|place| self.recipient_template(message, self.copies[copy].recipients[usize::from(*place)].index))
            .map(|template| self.tables.templates.get(template).expand(self.messages[message].address_number).to_string())
            .collect();
        let decision = enhanced_filtering::source(&connector.name, filtering, path, connected, &recipients);
        let stored = self.store("which hop did the message come from?", door.server, door.tenant, &decision);
        self.trace_of_job(door.job, &[stored]);
        decision.outcome
    }

    /// Whose mail is reported on and never refused.
    fn why_unjudged(&self, door: AtTheDoor, client: HostId, connected: IpAddr) -> Option<&'static str> {
        if door.logged_in {
            Some("the client logged in")
        } else if door.whom.originating {
            Some("Originating: the tenant's own mail")
        } else if door.whom.unfiltered {
            Some("a connector or the allow list spares it")
        } else {
            self.is_trusted(client, door.server, connected).then_some("a machine of the same system, or a client that may relay")
        }
    }

    /// Machines of the same system, and clients that may relay.
    fn is_trusted(&self, client: HostId, server: HostId, address: IpAddr) -> bool {
        let own = self.model.hosts[client.index()].system == self.model.hosts[server.index()].system;
        let peer = Peer { host: client, address: Some(address) };
        // Servers of one organization are of one system.
        own || self.config(server).receiver.directory.mail_server().is_some_and(|directory| is_relay_client(directory, peer))
    }

    pub(super) fn view_of(&self, host: HostId) -> usize {
        self.model.resolvers[self.model.hosts[host.index()].resolver.index()].view
    }

    /// Writes the reasons down; where nobody published or signed anything there is nothing to tell.
    fn trace_findings(
        &mut self,
        door: AtTheDoor,
        spf: &Decision<SpfCheck>,
        dkim: &Decision<DkimCheck>,
        dmarc: &Decision<DmarcCheck>,
        verdict: Option<&Decision<Verdict>>,
    ) {
        let is_silent = spf.outcome.result == SpfResult::None
            && dkim.outcome.result == DkimResult::None
            && dmarc.outcome.result == DmarcResult::None
            && verdict.is_none_or(|verdict| verdict.outcome == Verdict::Take);
        if is_silent || !self.writes(STEPS) {
            return;
        }
        // What decided stands last in a chain of reasons, and is told first.
        let told = |chosen: &[Because]| chosen.iter().rev().cloned().collect::<Vec<_>>();
        let (spf_chosen, dmarc_chosen) = (told(&spf.chosen), told(&dmarc.chosen));
        let mut ids = vec![
            self.store_reasons("SPF: may this client send for the sender?", door.server, door.tenant, &spf_chosen, &spf.passed_over),
            self.store_reasons("DKIM: does a signature hold?", door.server, door.tenant, &dkim.chosen, &dkim.passed_over),
            self.store_reasons(
                "DMARC: does the author's domain stand behind it?",
                door.server,
                door.tenant,
                &dmarc_chosen,
                &dmarc.passed_over,
            ),
        ];
        if let Some(verdict) = verdict {
            ids.push(self.store("what do the receiver's checks say?", door.server, door.tenant, verdict));
        }
        self.trace_of_job(door.job, &ids);
    }
}

fn unseen_spf() -> Decision<SpfCheck> {
    unseen(SpfCheck { result: SpfResult::None, domain: "".into(), lookups: 0 })
}

fn unseen_dkim() -> Decision<DkimCheck> {
    unseen(DkimCheck { result: DkimResult::None, domains: Vec::new() })
}

fn unseen_dmarc() -> Decision<DmarcCheck> {
    unseen(DmarcCheck { result: DmarcResult::None, wanted: Policy::None })
}

/// What a receiver does not look at.
fn unseen<T>(outcome: T) -> Decision<T> {
    Decision { outcome, chosen: Vec::new(), passed_over: Vec::new() }
}

#[cfg(test)]
mod tests {
    use crate::engine::{Options, run};
    use crate::scenario::load_text;
    use crate::trace::level::{COUNTERS, FATES, PATHS, STEPS};

    /// Who looks must not change what happens.
    #[test]
    fn looking_changes_nothing() {
        let text = r##"Scenario(
            dns: (records: r#"
                a.test.        TXT "v=spf1 ip4:192.0.2.1 -all"
                _dmarc.a.test. TXT "v=DMARC1; p=reject; pct=40"
                relay.test.    A   192.0.2.2
                b.test.        MX  10 mx.b.test.
                mx.b.test.     A   192.0.2.3
            "#),
            systems: {
                "relay": Mta(hostname: "relay.test"),
                "b": Mta(hostname: "mx.b.test", mailboxes: ["*@b.test"], checks: (dmarc: Enforce)),
            },
            traffic: { "mail": Every(by: "relay", interval: "1s", until: "200s", from: "olga#@a.test", to: ["maria@b.test"]) },
        )"##;
        let loaded = load_text("example", text).expect("a good scenario");
        let fates =
            [COUNTERS, FATES, PATHS, STEPS].map(|level| run(&loaded.model, &Options { level, ..Options::default() }).counters.fates);
        assert!(fates.iter().all(|one| *one == fates[0]), "{fates:?}");
        let [bounced, quarantined] = [2, 8].map(|place| fates[0][place]);
        assert!((90..150).contains(&quarantined), "pct=40 spares about 120 of 200: {quarantined}");
        assert_eq!(bounced, 2 * (200 - quarantined), "the others are refused, and their reports find nobody");
    }
}
