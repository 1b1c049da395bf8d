//! What a server knows of its client in a session, gathered for the rule books; and a number for it, so that answers can be kept.
//!
//! Only servers whose answer depends on more than the client's address ask for the number; all others pay nothing.

use super::chance::{Purpose, below};
use super::session::Talk;
use super::starttls::trusts;
use super::world::World;
use crate::base::{CertId, HostId, SimTime, SystemId, TlsVersion};
use crate::decide::Decision;
use crate::decide::acceptance::{Acceptance, TakenFor, answer_rcpt};
use crate::decide::exchange::junk;
use crate::decide::profile::Subject;
use crate::decide::tls::{Eyes, facts};
use crate::decide::visitor::{Peer, ShownCertificate, Visitor};
use crate::model::settings::{ClientCertificate, Directory};
use crate::trace::NONE;
use crate::trace::level::STEPS;
use std::net::IpAddr;

/// What answers of such a server depend on, beside the client's machine and the recipient.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct VisitKey {
    address: Option<IpAddr>,
    tls: Option<TlsVersion>,
    /// With what is wrong about it.
    certificate: Option<(CertId, Result<(), &'static str>)>,
    login: u32,
    listener: (u16, IpAddr),
    from: u32,
    /// What the author's domain is read from: the sender at first, and what was done to the message.
    origin: (u32, u32),
    /// The number of its addresses, if they have one.
    number: u64,
    /// Whose author and score.
    source: u32,
    /// The tenant of the service that it sends for.
    tenant: u32,
    /// It left the organization's headers on the message.
    keeps_headers: bool,
    /// Which of the server's dated rules are in force.
    period: u8,
}

/// The parts of a visitor that nobody else owns.
struct Seen {
    address: Option<IpAddr>,
    certificate: Option<(CertId, Result<(), &'static str>)>,
    sender: String,
    author: Option<String>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The number of the client in this session, for servers that look at more than its address; else `NONE`.
    #[inline(always)]
    pub(super) fn visit(&mut self, talk: &Talk<'_>) -> u32 {
        if self.settings[talk.server.index()].looks_at_visitors || talk.login != NONE { self.number_visit(talk) } else { NONE }
    }

    fn number_visit(&mut self, talk: &Talk<'_>) -> u32 {
        let copy = self.jobs[talk.job].copy;
        let message = &self.messages[self.copies[copy].message];
        let source = if message.kind == 0 { message.source } else { NONE };
        let is_constant = |sender| sender == NONE || self.tables.templates.get(sender).is_constant();
        let constant = is_constant(message.from) && is_constant(self.sender_of(copy));
        let author = self.sources_model.get(source as usize).and_then(|source| source.author.as_ref());
        let constant = constant && author.is_none_or(crate::model::traffic::AddressTemplate::is_constant);
        let key = VisitKey {
            address: self.seen_address(talk.job, talk.client, talk.address),
            tls: self.tls_version(talk),
            certificate: self.shown_certificate(talk),
            login: talk.login,
            listener: (talk.listener.port, talk.address),
            from: self.sender_of(copy),
            origin: (message.from, self.copies[copy].arrival.carried),
            number: if constant { 0 } else { message.address_number },
            source,
            tenant: self.copies[copy].tenant,
            keeps_headers: self.keeps_headers(talk.job, talk.server),
            period: talk.theirs.receiver.directory.period(talk.now),
        };
        self.visits.intern(key)
    }

    /// Asks a server about a recipient.
    pub(super) fn ask_rcpt(&self, talk: &Talk<'_>, address: &str, domain: &str) -> Decision<Acceptance> {
        self.with_visitor(talk, |visitor, directory| answer_rcpt(directory, &self.tables.names, visitor, address, domain))
    }

    /// Gathers what the server knows, and asks it something.
    pub(super) fn with_visitor<T>(&self, talk: &Talk<'_>, ask: impl FnOnce(&Visitor<'_>, &Directory) -> T) -> T {
        let copy = &self.copies[self.jobs[talk.job].copy];
        let row = &self.messages[copy.message];
        let sender = self.sender_text_of(self.jobs[talk.job].copy);
        let seen = Seen {
            address: self.seen_address(talk.job, talk.client, talk.address),
            certificate: self.shown_certificate(talk),
            author: self.author_domain(copy.message, copy.arrival.carried),
            sender,
        };
        let names = &self.tables.names;
        let own = names.text(self.model.hosts[self.speaker(talk.job, talk.client).index()].hostname);
        let source = self.sources_model.get(row.source as usize).filter(|_| row.kind == 0);
        let certificate = seen.certificate.map(|(id, trust)| {
            let certificate = self.model.certificate(id);
            ShownCertificate { name: &certificate.name, names: certificate.all_names(own), trust }
        });
        let visitor = Visitor {
            peer: Peer { host: talk.client, address: seen.address },
            helo: self.called_in_session(talk.job, talk.client),
            tls: self.tls_version(talk),
            certificate,
            login: (talk.login != NONE).then(|| &**self.tables.texts.get(talk.login)),
            listener: Some(talk.listener),
            oauth: self.logs_in_by_token(talk),
            tenant: self.sending_tenant(talk),
            organization: self.sending_tenant(talk).map(|tenant| &*self.model.systems[tenant.index()].name),
            other_tenant: !self.is_own_half(talk.server, talk.client, copy.tenant),
            keeps_headers: self.keeps_headers(talk.job, talk.server),
            sender: &seen.sender,
            author: seen.author.as_deref(),
            scl: source.and_then(|source| source.scl),
            at: talk.now,
        };
        ask(&visitor, &talk.theirs.receiver.directory)
    }

    /// What a copy carries on from the way in which it was taken.
    pub(super) fn mark_by_attribution(&mut self, job: u32, copy: u32, taken: TakenFor) {
        let row = &self.messages[self.copies[copy].message];
        let source = self.sources_model.get(row.source as usize).filter(|_| row.kind == 0);
        let scl = source.and_then(|source| source.scl);
        let sorted = junk::sort(scl, self.level_written_on(copy), taken);
        self.copies[copy].arrival.junk = sorted.outcome;
        if scl.is_some() && self.writes(STEPS) {
            let (host, tenant) = (self.copies[copy].host, self.copies[copy].tenant);
            let stored = self.store("into which folder of a mailbox here?", host, tenant, &sorted);
            self.trace_of_job(job, &[stored]);
        }
    }

    /// The address that a server sees of a client in the session of a job: of a pool behind NAT another one for each connection.
    pub(super) fn seen_address(&self, job: u32, client: HostId, server: IpAddr) -> Option<IpAddr> {
        if !self.plain
            && let Some(own) = self.bound_to(job, server)
        {
            return Some(own);
        }
        if !self.plain
            && let Some(own) = self.kept_address(job)
        {
            return Some(own);
        }
        self.leaves_from(job, client, server, self.jobs[job].line.began)
    }

    /// The address that a connection of a job leaves from which begins at a moment.
    pub(super) fn leaves_from(&self, job: u32, client: HostId, server: IpAddr, began: SimTime) -> Option<IpAddr> {
        let host = &self.model.hosts[if self.plain { client } else { self.speaker(job, client) }.index()];
        let egress = self.outbound_addresses(job, client).unwrap_or(&host.egress);
        let pool = egress.iter().filter(|own| own.is_ipv4() == server.is_ipv4());
        let count = pool.clone().count() as u64;
        if count > 1 {
            let message = self.messages[self.copies[self.jobs[job].copy].message].key;
            let luck = self.chance.draw(Purpose::Egress, self.chance.of_message(message), host.key, began.0);
            return pool.copied().nth(below(luck, count) as usize);
        }
        pool.chain(&host.addresses).find(|own| own.is_ipv4() == server.is_ipv4()).copied()
    }

    /// The addresses of the pool that a tenant's mail leaves from, if it is not the ordinary one.
    fn outbound_addresses(&self, job: u32, client: HostId) -> Option<&[IpAddr]> {
        let row = &self.jobs[job];
        let stamps = self.tables.destinations.get(self.queues.get(row.queue as usize)?.destination).stamps;
        if stamps == NONE {
            return None;
        }
        let Directory::Tenants(tenants) = &self.config(client).receiver.directory else { return None };
        let tenant = tenants.iter().find(|tenant| tenant.system.0 == self.copies[row.copy].tenant)?;
        Some(tenant.outbound_pools.of(self.tables.stamps.get(stamps).pool)).filter(|pool| !pool.is_empty())
    }

    /// The tenant of the shared service that sends in this session.
    fn sending_tenant(&self, talk: &Talk<'_>) -> Option<SystemId> {
        let tenant = self.copies[self.jobs[talk.job].copy].tenant;
        let is_service = matches!(talk.ours.receiver.directory, Directory::Tenants(_)) && tenant != NONE;
        is_service.then_some(SystemId(tenant))
    }

    fn tls_version(&self, talk: &Talk<'_>) -> Option<TlsVersion> {
        if talk.encrypted { self.tables.tls.get(talk.tls).version } else { None }
    }

    /// The certificate that the client shows in this session, and what the server makes of it.
    fn shown_certificate(&self, talk: &Talk<'_>) -> Option<(CertId, Result<(), &'static str>)> {
        if !talk.encrypted {
            return None;
        }
        let id = match self.certificate_of(talk.job, talk.client) {
            ClientCertificate::Own => self.config(self.speaker(talk.job, talk.client)).credentials.certificate,
            ClientCertificate::This(id) => Some(id),
            ClientCertificate::Nothing | ClientCertificate::Missing => None,
        }?;
        let certificate = self.model.certificate(id);
        let trusts = trusts(&certificate.issuer, talk.server);
        let eyes =
            Eyes { trusts, wanted: &[], own: &[], subject_counts: Subject::Alone, revocation: self.rules(talk.server).tls.revocation };
        let facts = facts(certificate, TlsVersion::Tls13, talk.now, &eyes);
        Some((id, if facts.trusted { Ok(()) } else { Err(facts.distrust) }))
    }
}
