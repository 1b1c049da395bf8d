//! What survives the death of an Exchange server? Shadow redundancy: another server holds a copy until the next hop has confirmed.
//!
//! The shadow takes over after ShadowResubmitTimeSpan. It learns of deliveries only with the heartbeat, so mail that left in the last moments before
//! the death is sent twice; a mailbox removes the duplicate, somebody outside does not. Sources: Exchange Server "Shadow redundancy", "Safety Net",
//! Set-TransportConfig. Not modelled: the replay of delivered mail after a database failed over, as no mailbox shows it.

use super::world::{RecipientState, World};
use crate::base::{HostId, SimTime};
use crate::model::exchange_server::Organization;
use crate::model::fault::FaultKind;
use crate::model::settings::Directory;
use crate::trace::NONE;
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    fn organization_of(&self, host: HostId) -> Option<&Organization> {
        match &self.config(host).receiver.directory {
            Directory::Organization(organization) => Some(organization),
            Directory::Everything | Directory::Mta(_) | Directory::Tenants(_) => None,
        }
    }

    /// The server that holds the shadows of another one: up at that moment, in its site if there is one.
    fn shadow_of(&mut self, host: HostId, at: SimTime) -> Option<(HostId, u64)> {
        let organization = self.organization_of(host)?;
        let after = organization.transport.shadow_resubmit_ns?;
        let own = organization.own()?;
        let (site, is_edge) = (own.site, own.edge);
        let mut others: Vec<(bool, HostId)> = organization
            .servers
            .iter()
            .filter(|server| server.host != host && !server.edge && !is_edge)
            .map(|server| (server.site != site, server.host))
            .collect();
        others.sort();
        let model = self.model;
        let up = others.into_iter().find(|(_, other)| self.faults.down(model, *other, None, at).is_none());
        up.map(|(_, other)| (other, after))
    }

    /// A server died with its queue: what its shadow holds is sent on by that. `false` if nobody holds anything.
    pub(super) fn shadow_takes_over(&mut self, copy: u32) -> bool {
        if self.plain {
            return false;
        }
        let host = self.copies[copy].host;
        let Some((shadow, after)) = self.shadow_of(host, self.now) else { return false };
        let at = self.now.after(after);
        let pending: SmallVec<[u16; 4]> = self.copies[copy]
            .recipients
            .iter()
            .filter(|recipient| recipient.state == RecipientState::Pending)
            .map(|recipient| recipient.index)
            .collect();
        if pending.is_empty() {
            return false;
        }
        self.resubmit_at(copy, shadow, at, &pending);
        let message = self.copies[copy].message;
        for index in pending {
            self.messages[message].ends[usize::from(index)].open -= 1;
        }
        for recipient in &mut self.copies[copy].recipients {
            recipient.state = RecipientState::Done;
        }
        true
    }

    /// A copy on the shadow server.
    fn resubmit_at(&mut self, copy: u32, shadow: HostId, at: SimTime, indexes: &[u16]) {
        let row = &self.copies[copy];
        let (message, tenant, hops, visits, arrival, number) =
            (row.message, row.tenant, row.hops, row.visits, row.arrival, row.number as usize);
        let connection = self.trace.copies.get(number).map_or(NONE, |row| row.from_connection);
        let new = self.new_copy(message, shadow, tenant, at, indexes, connection, (hops, visits));
        self.copies[new].arrival = arrival;
        self.keep_local_hops(copy, new);
        self.wake_copy(new, at);
    }

    /// Mail leaves the organization: a server that dies before its next heartbeat leaves a shadow that will send it again.
    pub(super) fn shadow_may_repeat(&mut self, copy: u32, server: HostId, at: SimTime, indexes: &[u16]) {
        let host = self.copies[copy].host;
        let Some(heartbeat) = self.organization_of(host).map(|own| own.transport.shadow_heartbeat_ns) else { return };
        let model = self.model;
        if model.hosts[host.index()].system == model.hosts[server.index()].system {
            return;
        }
        let dies = model.faults.iter().filter(|fault| match &fault.kind {
            FaultKind::Down { hosts, queue_lost: true, .. } => hosts.has(host),
            _ => false,
        });
        let first = dies.map(|fault| fault.window.from).filter(|from| *from > at && *from <= at.after(heartbeat)).min();
        if let Some(death) = first
            && let Some((shadow, after)) = self.shadow_of(host, death)
        {
            self.resubmit_at(copy, shadow, death.after(after), indexes);
        }
    }
}
