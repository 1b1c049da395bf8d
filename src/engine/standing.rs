//! Where did a message of the organization's own people lose its standing, so that it counts as anonymous from there on?
//!
//! Told where a half of the organization takes it; a system in between that is no Exchange is remembered until then. Source: "Hybrid deployment: header firewall".

use super::authentication::AtTheDoor;
use super::world::World;
use crate::decide::acceptance::accepted_domain;
use crate::decide::exchange::header_trust::{self, Half, Sent};
use crate::decide::exchange::receive_connector::came_in_on;
use crate::model::letter::{LostAt, Origin};
use crate::model::settings::Directory;
use crate::trace::level::STEPS;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What took the headers of the organization off a message that goes from Exchange to something else.
    pub(super) fn where_lost(&self, door: AtTheDoor, kept: bool) -> Option<LostAt> {
        let is_exchange = |directory: &Directory| matches!(directory, Directory::Organization(_) | Directory::Tenants(_));
        let client = self.copies[self.jobs[door.job].copy].host;
        if !is_exchange(&self.config(client).receiver.directory) || is_exchange(&self.config(door.server).receiver.directory) {
            return None;
        }
        let connector = &self.tables.destinations.get(self.queues[self.jobs[door.job].queue as usize].destination).connector;
        let system = self.model.hosts[door.server.index()].system;
        Some(match &**connector {
            name if !kept && !name.is_empty() => LostAt::Connector(name.into()),
            _ => LostAt::System(self.model.systems[system.index()].name.clone()),
        })
    }

    /// Tells why mail of the organization's own people counts as anonymous here, where it came from the other half or by an OnPremises connector.
    pub(super) fn note_lost_standing(&mut self, door: AtTheDoor, before: Origin, kept: bool, earlier: Option<&LostAt>) {
        if !self.writes(STEPS) {
            return;
        }
        let copy = self.jobs[door.job].copy;
        let (client, sender) = (self.copies[copy].host, self.sender_text_of(copy).to_lowercase());
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let names = &self.tables.names;
        let half = match &self.config(door.server).receiver.directory {
            Directory::Tenants(tenants) => tenants
                .iter()
                .find(|tenant| tenant.system.0 == door.tenant && accepted_domain(tenant, names, domain).is_some())
                .and_then(|tenant| tenant.inbound.connectors.get(usize::from(door.whom.connector?)))
                .filter(|row| row.on_premises || earlier.is_some())
                .map(|row| Half::Tenant(&row.name, row.cloud_services)),
            Directory::Organization(own)
                if (self.is_exchange_online(client) || earlier.is_some()) && own.accepted(names, domain).is_some() =>
            {
                let address = self.seen_address(door.job, client, self.jobs[door.job].line.address);
                let connector = address.and_then(|address| came_in_on(own, address));
                Some(Half::Server(connector.map_or("Receive connectors", |row| &*row.name), door.whom.internal))
            }
            Directory::Organization(_) | Directory::Everything | Directory::Mta(_) => None,
        };
        let Some(half) = half else { return };
        let tenant = self.copies[copy].tenant;
        let connector = &self.tables.destinations.get(self.queues[self.jobs[door.job].queue as usize].destination).connector;
        let sent = Sent {
            connector: Some(&**connector).filter(|name| !name.is_empty()),
            kept,
            was_internal: before.is_internal(),
            earlier: earlier.filter(|_| !before.is_internal()),
            by_exchange: matches!(self.config(client).receiver.directory, Directory::Organization(_) | Directory::Tenants(_)),
            by_own_half: self.is_own_half(door.server, client, tenant),
        };
        let why = header_trust::lost(half, sent);
        let stored = self.store_reasons("does it still count as internal?", door.server, door.tenant, &[why], &[]);
        self.trace_of_job(door.job, &[stored]);
    }
}
