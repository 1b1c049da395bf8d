//! The manner of a Send connector in a session: HELO, whose DNS, from which machine and address, how long silence is borne, what a refusal means.
//!
//! Machines without an Exchange server among them (`World::plain`) never come here. A connector that leaves through the Front End Transport takes one of
//! the Mailbox servers of its site for each connection, by luck, itself among them; one that is down is not taken.
//! Source: New-SendConnector. Not modelled: the way from the Transport service to the front end of another server costs no time.

use super::chance::{Purpose, below};
use super::session::Talk;
use super::world::World;
use crate::base::{HostId, Reply, ResolverId, SimTime};
use crate::decide::exchange::manner;
use crate::decide::failure::{Effect, Event, judge};
use crate::decide::profile::End;
use crate::decide::{Decision, because};
use crate::model::manner::Manner;
use crate::model::settings::{ClientCertificate, Directory, HostConfig, Timers};
use crate::trace::NONE;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The manner of the connector that a job goes out by, if it has one.
    pub(super) fn manner(&self, job: u32) -> Option<Manner> {
        if self.plain {
            return None;
        }
        self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination).manner.as_deref().copied()
    }

    /// Whom a job asks for names.
    #[inline]
    pub(super) fn resolver_of(&self, job: u32, client: HostId) -> ResolverId {
        self.manner(job).and_then(|manner| manner.resolver).unwrap_or(self.model.hosts[client.index()].resolver)
    }

    /// Chooses the machine that a connection of a job comes from; one that is open stays where it is.
    pub(super) fn leaves_by(&mut self, job: u32, client: HostId, is_open: bool, at: SimTime) -> HostId {
        if is_open {
            let speaker = self.connections.uses.get(&job).and_then(|state| state.taken?.speaker);
            speaker.map(|speaker| self.transport_queues.front_ends.insert(job, speaker));
            return speaker.unwrap_or(client);
        }
        if !self.manner(job).is_some_and(|manner| manner.through_front_end) {
            return client;
        }
        let Some(organization) = self.organization_of(client) else { return client };
        let Some(own) = organization.own() else { return client };
        let model = self.model;
        let site = organization.servers.iter().filter(|server| server.site == own.site && !server.edge);
        let up: Vec<(HostId, &str)> = site
            .filter(|server| self.faults.down(model, server.host, None, at).is_none())
            .map(|server| (server.host, &*server.name))
            .collect();
        if up.is_empty() {
            return client;
        }
        let luck = self.messages[self.copies[self.jobs[job].copy].message].luck;
        let turn = below(self.chance.draw(Purpose::FrontEnd, luck, model.hosts[client.index()].key, at.0), up.len() as u64);
        let Some((chosen, name)) = up.get(turn as usize).copied() else { return client };
        let why = format!("one of {} servers of the site whose Front End Transport answers", up.len());
        let source = "New-SendConnector FrontendProxyEnabled";
        let others = up.iter().filter(|(host, _)| *host != chosen);
        let passed_over = others.map(|(_, other)| because("SND-11", *other, "another one of the site was taken by luck", source)).collect();
        let decision = Decision { outcome: (), chosen: vec![because("SND-11", name, why, source)], passed_over };
        let stored = self.store("through which front end?", client, NONE, &decision);
        self.trace_of_job(job, &[stored]);
        self.transport_queues.front_ends.insert(job, chosen);
        chosen
    }

    /// The front end that a job leaves through, if it leaves through one.
    pub(super) fn front_end_of(&self, job: u32) -> Option<HostId> {
        let through = self.manner(job).is_some_and(|manner| manner.through_front_end);
        self.transport_queues.front_ends.get(&job).copied().filter(|_| through)
    }

    /// The machine whose address, name and certificate a server sees in the session of a job.
    pub(super) fn speaker(&self, job: u32, client: HostId) -> HostId {
        match self.manner(job) {
            Some(manner) if manner.through_front_end => self.transport_queues.front_ends.get(&job).copied().unwrap_or(client),
            Some(_) | None => client,
        }
    }

    /// What the client calls itself in the session of a job: the `Fqdn` of its Send connector, else the name of the machine.
    pub(super) fn called_in_session(&self, job: u32, client: HostId) -> &str {
        let own = self.tables.names.text(self.model.hosts[self.speaker(job, client).index()].hostname);
        let organization = if self.plain { None } else { self.organization_of(client) };
        let Some(organization) = organization else { return own };
        let name = &self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination).connector;
        let connector = organization.send_connectors.iter().find(|connector| connector.name == *name);
        connector.and_then(|connector| connector.fqdn.as_deref()).unwrap_or(own)
    }

    /// The certificate of the connector of a job on the machine that the connection comes from.
    pub(super) fn certificate_of(&self, job: u32, client: HostId) -> ClientCertificate {
        let usual = self.policy_of(job).certificate;
        if self.plain || self.speaker(job, client) == client {
            return usual;
        }
        let name = &self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination).connector;
        let there = self.organization_of(self.speaker(job, client)).map_or(&[][..], |organization| &organization.send_connectors);
        there.iter().find(|connector| connector.name == *name).map_or(usual, |connector| connector.tls.certificate)
    }

    /// The address that a connector binds its connections to.
    pub(super) fn bound_to(&self, job: u32, server: IpAddr) -> Option<IpAddr> {
        self.manner(job).and_then(|manner| manner.source).filter(|own| own.is_ipv4() == server.is_ipv4())
    }

    /// What a reply means to the sender, after the policies of its connector.
    pub(super) fn effect_of(&mut self, talk: &Talk<'_>, phase: crate::base::Phase, event: Event<'_>) -> Effect {
        let effect = judge(talk.rules, &talk.ours.sender, phase, event, self.is_last_session(talk.job));
        match event {
            Event::Reply(reply) if !self.plain => self.after_policies(talk, reply, effect),
            _ => effect,
        }
    }

    fn after_policies(&mut self, talk: &Talk<'_>, reply: &Reply, effect: Effect) -> Effect {
        let Some(manner) = self.manner(talk.job) else { return effect };
        let connector = &self.tables.destinations.get(self.queues[self.jobs[talk.job].queue as usize].destination).connector;
        let Some(decision) = manner::of_reply(manner.errors, connector, reply, effect) else { return effect };
        let stored = self.store("is the refusal final?", talk.client, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
        decision.outcome
    }

    /// The end of a lookup, after the policies.
    pub(super) fn end_of_lookup(&self, job: u32, end: End, is_loop: bool) -> End {
        match self.manner(job) {
            // No mail wanted is an answer, and no failure.
            Some(manner) if !is_loop && end != self.rules(self.client_of(job)).mx.null_mx => manner::lookup_failed(manner.errors, end),
            Some(_) | None => end,
        }
    }

    /// How long a job waits for something where its server would wait so long.
    pub(super) fn bears(&self, job: u32, ns: u64) -> u64 {
        match self.manner(job) {
            Some(manner) if manner.patience_ns > 0 => ns.min(manner.patience_ns),
            Some(_) | None => ns,
        }
    }

    /// How long a job's client waits for each answer, where its connector has a manner.
    pub(super) fn timers_of_connector<'c>(&self, job: u32, config: &'c HostConfig) -> &'c Timers {
        let usual = &config.sender.timers;
        let Directory::Organization(organization) = &config.receiver.directory else { return usual };
        let key = self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination);
        let connector = organization.send_connectors.iter().find(|connector| connector.name == key.connector);
        connector.and_then(|connector| connector.timers.as_deref()).unwrap_or(usual)
    }
}
