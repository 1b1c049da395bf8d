//! Which tenant did a message leave, and is that the other half of the organization whose server takes it?
//!
//! Exchange Online writes `X-OriginatorOrg` with a domain of the tenant on what leaves it. All tenants share the certificate that a server knows the service by, so
//! the headers of the organization count only between accepted domains of both halves (New-InboundConnector, CloudServicesMailEnabled), and so do the rights that
//! TlsDomainCapabilities give; switch `originator_org`.
//! Which of its domains the service names is said nowhere: that of the envelope
//! sender if it is one of them, else the first by name. Not modelled: a server's own rule that refuses other tenants (write a `Gateway` with a
//! `filter` in front), and what such a header is worth that somebody else wrote.

use super::authentication::AtTheDoor;
use super::world::World;
use crate::base::{HostId, SystemId};
use crate::decide::acceptance::accepted_domain;
use crate::model::exchange::{AcceptedDomain, Tenant};
use crate::model::letter::Marks;
use crate::model::settings::Directory;
use crate::trace::NONE;

const FIELD: &str = "x-originatororg";

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// The tenant of the service that a copy of this client belongs to.
    fn tenant_of_client(&self, client: HostId, tenant: u32) -> Option<&'m Tenant> {
        match &self.config(client).receiver.directory {
            Directory::Tenants(tenants) if tenant != NONE => tenants.iter().find(|row| row.system == SystemId(tenant)),
            _ => None,
        }
    }

    /// Whose mail it is stands on it when it leaves the service.
    pub(super) fn name_originator(&self, door: AtTheDoor, tenant: u32, marks: &mut Marks) {
        let Some(tenant) = self.tenant_of_client(self.client_of(door.job), tenant) else { return };
        let names = &self.tables.names;
        let sender = self.sender_text_of(self.jobs[door.job].copy);
        let own = sender.rsplit_once('@').and_then(|(_, domain)| accepted_domain(tenant, names, domain));
        let given = |row: &&AcceptedDomain| !names.text(row.name).ends_with(".onmicrosoft.com");
        let first = || tenant.accepted_domains.iter().find(given).or(tenant.accepted_domains.first());
        let Some(row) = own.or_else(first) else { return };
        let name = names.text(row.name).into();
        marks.headers.retain(|(known, _)| **known != *FIELD);
        marks.headers.push((FIELD.into(), Some(name)));
    }

    /// Is it mail of the organization's other half? Servers of others, and the service itself, ask nobody.
    pub(super) fn is_own_half(&self, server: HostId, client: HostId, tenant: u32) -> bool {
        let Directory::Organization(organization) = &self.config(server).receiver.directory else { return true };
        let Some(tenant) = self.tenant_of_client(client, tenant) else { return true };
        let names = &self.tables.names;
        organization.transport.trusts_any_tenant
            || tenant.accepted_domains.iter().any(|row| organization.accepted(names, names.text(row.name)).is_some())
    }
}
