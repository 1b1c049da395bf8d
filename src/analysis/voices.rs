//! Who speaks? Of the shared service the tenant whose rule refused a recipient, and the name in which an organization writes its reports.

use super::build::Builder;
use super::outcome::Place;
use crate::base::{Enhanced, HostId};
use crate::decide::acceptance::tenant_of;
use crate::decide::exchange::submission::tenant_of_login;
use crate::model::exchange::Tenant;
use crate::model::settings::Directory;
use crate::trace::NONE;
use std::rc::Rc;

impl Builder<'_> {
    /// In whose name a report is written, where the organization that wrote it says so.
    pub(super) fn reporting(&self, row: &crate::trace::MessageRow) -> Option<Rc<str>> {
        let version = &self.model.versions[self.model.version_at(row.at)];
        let (dsn, accepted) = match &self.model.config(version.configs[row.host.index()]).receiver.directory {
            Directory::Tenants(tenants) => {
                let tenant = tenants.iter().find(|tenant| tenant.system.0 == row.tenant)?;
                (&tenant.dsn, &tenant.accepted_domains)
            }
            Directory::Organization(organization) => (&organization.dsn, &organization.accepted_domains),
            Directory::Everything | Directory::Mta(_) => return None,
        };
        let to = self.run.tables.recipient_lists.get(row.to).first()?;
        let domain = self.run.tables.templates.get(*to).expand(row.address_number).domain;
        let is_inside = accepted.iter().any(|accepted| self.model.names.text(accepted.name) == &*domain);
        let name = if is_inside { &dsn.inside } else { &dsn.outside };
        name.as_deref().map(Into::into)
    }

    /// Who gave an answer: of the shared service with several tenants the one whose rule it was. That is the tenant of the login where one was tried, else
    /// the one that accepts the recipient's domain; where neither is there, the service itself.
    pub(super) fn who_said(&self, host: HostId, message: u32, to: &str, reply: Option<u32>, at: crate::base::SimTime) -> Place {
        let version = &self.model.versions[self.model.version_at(at)];
        let config = self.model.config(version.configs[host.index()]);
        let Directory::Tenants(tenants) = &config.receiver.directory else { return self.place(host, NONE) };
        let said = reply.map(|id| self.run.tables.replies.get(id)).map(|reply| (reply.code, reply.enhanced));
        // Nobody logged in where a login is asked for (SUB-2): no tenant's rule.
        if tenants.len() < 2 || said.is_some_and(|(_, status)| status == Some(Enhanced(5, 7, 57))) {
            return self.place(host, NONE);
        }
        // Without TLS no login was tried: the service's own rule (SUB-1), or that of a Partner connector of the recipient's tenant (IN-5).
        let in_clear = said == Some((451, Some(Enhanced(5, 7, 3))));
        let row = &self.run.trace.messages[message as usize];
        let first = self.model.config(version.configs[row.host.index()]);
        let own = self.run.sources[row.source as usize].login.as_deref().filter(|_| row.kind == 0);
        let login = own.or(first.credentials.login.as_deref());
        let domain = to.rsplit_once('@').map_or("", |(_, domain)| domain);
        let by_login = login.and_then(|login| tenant_of_login(tenants, login));
        let by_recipient = || tenant_of(tenants, &self.run.tables.names, domain).map(|(tenant, _)| tenant);
        let asks_for_tls =
            |tenant: &&Tenant| tenant.inbound.connectors.iter().any(|row| row.enabled && !row.on_premises && row.require_tls);
        let tenant = match (in_clear, login) {
            (true, Some(_)) => None,
            (true, None) => by_recipient().filter(asks_for_tls),
            (false, _) => by_login.or_else(by_recipient),
        };
        self.place(host, tenant.map_or(NONE, |tenant| tenant.system.0))
    }
}
