//! Where does an Exchange server send a recipient? To a mailbox, to another server of its organization, out by a Send connector, or nowhere.
//!
//! What lies between the servers themselves stands in `super::between_servers`. Source: Exchange Server "Mail routing".

use super::chance::{Purpose, below};
use super::route::Stop;
use super::world::World;
use crate::base::{Enhanced, HostId};
use crate::decide::exchange::disabled_domain;
use crate::decide::exchange::expansion_server;
use crate::decide::exchange::manner;
use crate::decide::exchange::receive_connector;
use crate::decide::exchange::recipient;
use crate::decide::exchange::send_connector::{self, Choice};
use crate::decide::exchange::server_recipient::{self, Found};
use crate::decide::{Decision, because};
use crate::model::directory::entry_of;
use crate::model::exchange::Tenant;
use crate::model::exchange_server::{Organization, SendConnector, ServerVersion};
use crate::model::letter::{Letter, Stamps};
use crate::model::manner::Manner;
use crate::trace::{DestinationKey, NONE};
use smallvec::{SmallVec, smallvec};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Mail of an organization's people enters at its servers in turn, begun by luck; a server that is down has no turn, and an Edge server never.
    pub(super) fn entry_in_turn(&mut self, key: u64, entries: &[(HostId, u32)], number: u64) -> Option<usize> {
        if self.plain || entries.len() < 2 {
            return None;
        }
        let inside = |host: HostId| Some(self.organization_of(host)?.own().is_some_and(|own| !own.edge));
        let servers: Option<Vec<bool>> = entries.iter().map(|(host, _)| inside(*host)).collect();
        let servers: Vec<usize> = servers?.iter().enumerate().filter(|(_, inside)| **inside).map(|(at, _)| at).collect();
        let count = servers.len() as u64;
        if count == 0 {
            return None;
        }
        let start = below(self.chance.draw(Purpose::Entry, self.chance.of_message(key), 0, 0), count);
        let turns = (0..count).map(|step| servers[((start + number + step) % count) as usize]);
        let (model, now) = (self.model, self.now);
        let first = turns.clone().next();
        let up = turns.into_iter().find(|at| self.faults.down(model, entries[*at].0, None, now).is_none());
        up.or(first)
    }

    /// Where a recipient goes from a server of an organization.
    pub(super) fn stop_of_organization(
        &mut self,
        copy: u32,
        organization: &Organization,
        (address, domain): (&str, &str),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let (host, size_bytes) = (self.copies[copy].host, self.messages[self.copies[copy].message].size);
        if let Some((reply, why)) = self.too_large_for_all(copy, organization, size_bytes) {
            decisions.push(self.store("may a message be that large?", host, NONE, &why));
            return Stop::Bounce(reply);
        }
        if let Some(stop) = self.over_envelope_limit(copy, organization.transport.recipients_max, NONE, decisions) {
            return stop;
        }
        if organization.send_connectors.iter().any(|connector| connector.linked.is_some())
            && let Some(client) = self.letter(copy).client
            && organization.server_at(client, &self.model.hosts).is_none()
            && let Some(linked) = receive_connector::linked_connector(organization, client)
        {
            decisions.push(self.store("which Send connector?", host, NONE, &linked));
            return self.by_connector(&organization.send_connectors[linked.outcome], host, (domain, "LINK"), decisions);
        }
        if let Some(entry) = entry_of(&organization.entries, &organization.mailboxes, address) {
            let is_own = |domain: &str| organization.accepted(&self.tables.names, domain).is_some();
            let has_type = |kind: &str| organization.has_address_type(kind);
            let owner = recipient::Owner {
                system: organization.system,
                remote_domains: &organization.remote_domains,
                is_own: &is_own,
                inbox_rules_max: recipient::INBOX_RULES_MAX_SERVER,
                has_type: Some(&has_type),
            };
            let found = recipient::of_entry(&owner, &self.letter(copy), entry, address);
            if let Some((server, elsewhere)) = expansion_server::opens_elsewhere(organization, entry, &found.outcome) {
                decisions.push(self.store("who is the recipient?", host, NONE, &elsewhere));
                return self.towards_expansion(host, organization, (entry.address.as_str(), server), decisions);
            }
            decisions.push(self.store("who is the recipient?", host, NONE, &found));
            // What stays in the mailbox goes to the server that has it.
            if found.outcome != recipient::Lookup::Mailbox {
                return match self.stop_of_entry(host, found.outcome) {
                    Some(stop) => stop,
                    None => self.out_of_organization(host, organization, domain, size_bytes, decisions),
                };
            }
        }
        let found = server_recipient::look_up(organization, &self.tables.names, address, domain);
        decisions.push(self.store("who is the recipient?", host, NONE, &found));
        let inside = matches!(found.outcome, Found::Mailbox | Found::Server(_) | Found::Inside) && self.copies[copy].hops == 0;
        if inside && let Some((reply, why)) = self.too_large_for_recipients(copy, organization, size_bytes) {
            decisions.push(self.store("may a message be that large?", host, NONE, &why));
            return Stop::Bounce(reply);
        }
        match found.outcome {
            Found::Mailbox => Stop::Mailbox,
            Found::NotFound if organization.version == ServerVersion::Exchange2010 => {
                Stop::Bounce(self.tables.reply(550, Enhanced(5, 1, 1), "RESOLVER.ADR.RecipNotFound; not found"))
            }
            Found::NotFound => {
                Stop::Bounce(self.tables.reply(550, Enhanced(5, 1, 10), "RESOLVER.ADR.RecipientNotFound; Recipient not found"))
            }
            Found::Server(server) => self.towards_mailbox(host, organization, server, decisions),
            Found::Inside => self.inwards(host, organization, (domain, size_bytes), decisions),
            Found::Outside => self.out_of_organization(host, organization, domain, size_bytes, decisions),
        }
    }

    /// Larger than any message of the organization may be: what its own people send, and what comes from elsewhere. Reports always pass, and what another
    /// server of the organization hands over was looked at there.
    fn too_large_for_all(&mut self, copy: u32, organization: &Organization, size_bytes: u64) -> Option<(u32, Decision<()>)> {
        if self.copies[copy].hops == 0 {
            let limit = (organization.transport.max_send_size, "MaxSendSize", "RESOLVER.RST.SendSizeLimit.Org");
            return self.larger_than(copy, size_bytes, limit, "Set-TransportConfig MaxSendSize");
        }
        let client = self.letter(copy).client;
        let from_own = client.is_some_and(|client| organization.server_at(client, &self.model.hosts).is_some());
        if from_own { None } else { self.too_large_for_recipients(copy, organization, size_bytes) }
    }

    /// Larger than what the organization's people may receive.
    fn too_large_for_recipients(&mut self, copy: u32, organization: &Organization, size_bytes: u64) -> Option<(u32, Decision<()>)> {
        let limit = (organization.transport.max_receive_size, "MaxReceiveSize", "RESOLVER.RST.RecvSizeLimit.Org");
        self.larger_than(copy, size_bytes, limit, "Set-TransportConfig MaxReceiveSize")
    }

    fn larger_than(
        &mut self,
        copy: u32,
        size_bytes: u64,
        (most, name, text): (Option<u64>, &'static str, &'static str),
        source: &'static str,
    ) -> Option<(u32, Decision<()>)> {
        let is_mail = self.messages[self.copies[copy].message].kind == 0;
        let most = most.filter(|most| is_mail && size_bytes > *most)?;
        let why = format!("the message has {size_bytes} bytes, and the organization's limit is {most}, whatever its connectors allow");
        let text = format!("{text}; message too large for this organization");
        Some((self.tables.reply(550, Enhanced(5, 2, 3), &text), Decision::for_reason((), because("SIZE", name, why, source))))
    }

    /// A tenant switched sending to or from a domain off.
    pub(super) fn stopped_by_domain(
        &mut self,
        tenant: &Tenant,
        host: HostId,
        letter: &Letter,
        domain: &str,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Option<Stop> {
        let stopped = disabled_domain::stops(tenant, &self.tables.names, letter, domain)?;
        decisions.push(self.store("may the message go on?", host, tenant.system.0, &stopped));
        let status = if tenant.switches.domain_disabled_as_not_found { Enhanced(5, 1, 10) } else { Enhanced(5, 7, 1) };
        Some(Stop::Bounce(self.tables.reply(550, status, "mail of this domain is switched off")))
    }

    /// More recipients than a message of the organization's own people may have (`MaxRecipientEnvelopeLimit`); a group counts as one.
    pub(super) fn over_envelope_limit(
        &mut self,
        copy: u32,
        most: Option<u32>,
        tenant: u32,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Option<Stop> {
        let row = &self.copies[copy];
        let (message, host) = (row.message, row.host);
        let count = self.written_recipients(message);
        if row.hops > 0 || self.messages[message].kind != 0 || most.is_none_or(|most| count <= most as usize) {
            return None;
        }
        let why = format!("{count} recipients are more than one message may have");
        let reason = because("LIMIT", "MaxRecipientEnvelopeLimit", why, "Set-TransportConfig MaxRecipientEnvelopeLimit");
        decisions.push(self.store("may the message go on?", host, tenant, &Decision::for_reason((), reason)));
        Some(Stop::Bounce(self.tables.reply(550, Enhanced(5, 5, 3), "RESOLVER.ADR.RecipLimit; too many recipients")))
    }

    /// Is a message that began at a tenant larger than anything that crosses the service?
    pub(super) fn over_size_limit(&mut self, copy: u32, tenant: u32, size_bytes: u64, decisions: &mut SmallVec<[u32; 2]>) -> Option<Stop> {
        let (host, hops) = (self.copies[copy].host, self.copies[copy].hops);
        let most = self.config(host).receiver.max_message_size.filter(|most| hops == 0 && size_bytes > *most)?;
        let why = format!("{size_bytes} bytes are more than the {most} of a message that crosses the service");
        let reason = because("LIMIT", "message size", why, "Exchange Online limits, message size");
        decisions.push(self.store("may the message go on?", host, tenant, &Decision::for_reason((), reason)));
        Some(Stop::Bounce(self.tables.reply(552, Enhanced(5, 3, 4), "message size exceeds fixed maximum message size")))
    }

    pub(super) fn out_of_organization(
        &mut self,
        host: HostId,
        organization: &Organization,
        domain: &str,
        size_bytes: u64,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let choice =
            send_connector::select_alive(organization, &self.tables.names, domain, size_bytes, &self.dead_connectors(host, organization));
        decisions.push(self.store("which Send connector?", host, NONE, &choice));
        match choice.outcome {
            Choice::TooLarge => {
                let text = "ROUTING.SizeLimit; message too large for the connectors that match";
                Stop::Bounce(self.tables.reply(550, Enhanced(5, 2, 3), text))
            }
            Choice::Unreachable => {
                let text = "Unreachable queue: no Send connector matches the recipient";
                Stop::Wait(self.tables.reply(0, Enhanced(4, 4, 4), text))
            }
            Choice::Connector(at) => {
                let connector = &organization.send_connectors[at];
                if connector.sources.contains(&host) {
                    self.by_connector(connector, host, (domain, choice.chosen[0].rule), decisions)
                } else {
                    self.towards_sources(host, organization, connector, decisions)
                }
            }
        }
    }

    /// Out of this server, as a connector says.
    pub(super) fn by_connector(
        &mut self,
        connector: &SendConnector,
        host: HostId,
        (domain, rule): (&str, &'static str),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let mut tls = connector.tls.clone();
        if connector.recipient_domain_validated {
            tls.names = vec![domain.into()];
        }
        if let Some(secured) = manner::domain_security(connector, domain) {
            decisions.push(self.store("how much encryption?", host, NONE, &secured));
            tls = secured.outcome;
        }
        let reasons = manner::reasons(connector);
        if !reasons.is_empty() {
            decisions.push(self.store_reasons("how does the connector connect?", host, NONE, &reasons, &[]));
        }
        let key = DestinationKey {
            manner: (connector.manner != Manner::default()).then(|| Box::new(connector.manner)),
            hops: if connector.dns_routing { smallvec![self.mx_hop(domain)] } else { SmallVec::from_slice(&connector.smart_hosts) },
            fallback: SmallVec::new(),
            tls: Some(tls),
            rotates: connector.smart_hosts.len() > 1,
            weights: SmallVec::new(),
            configured: !connector.dns_routing,
            plain_retry: false,
            rule,
            tenant: NONE,
            stamps: self.headers_that_travel(connector),
            connector: connector.name.clone(),
        };
        Stop::To(self.tables.destinations.intern(key))
    }

    /// The mailbox that the Send connector of a job logs in with.
    pub(super) fn login_of_connector(&self, job: u32) -> Option<&str> {
        let row = &self.jobs[job];
        let organization = self.organization_of(self.copies[row.copy].host)?;
        let key = self.tables.destinations.get(self.queues[row.queue as usize].destination);
        let connector = organization.send_connectors.iter().find(|connector| connector.name == key.connector)?;
        connector.login.as_deref().filter(|_| key.configured)
    }

    /// Headers of the organization survive a connector with `CloudServicesMailEnabled`, in the form for the other half of a hybrid.
    fn headers_that_travel(&mut self, connector: &SendConnector) -> u32 {
        if !connector.keeps_headers {
            return NONE;
        }
        self.tables.stamps.intern(Stamps { keeps_organization_headers: true, ..Stamps::default() })
    }
}
