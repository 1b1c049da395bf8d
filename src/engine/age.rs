//! How old is a message in the queue of an Exchange server, where other servers of its organization had it before?
//!
//! Its time to live and the notice of its delay count from when the organization got it: what says so (`X-MS-Exchange-Organization-ExpirationStartTime`)
//! travels between its servers and stays behind at the border, so another organization, or the other half of a hybrid, begins anew. Sources: Exchange Server
//! message intervals (expiry so long after submission); Set-TransportService MessageExpirationTimeout speaks of the time in a queue: switch `message_age`.

use super::world::World;
use crate::base::{HostId, SimTime};
use crate::model::settings::Directory;
use crate::trace::NONE;
use std::collections::BTreeMap;

/// Since when the organization has a copy that came from another of its servers.
pub(crate) type Ages = BTreeMap<u32, SimTime>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Since when the age of a copy counts.
    pub(super) fn since(&self, copy: u32) -> SimTime {
        self.transport_queues.ages.get(&copy).copied().unwrap_or(self.copies[copy].arrived)
    }

    /// A copy goes from one server of an organization to another, which tells nobody a second time that it is late.
    pub(super) fn keep_age_between(&mut self, from: u32, new: u32, server: HostId) {
        let client = self.copies[from].host;
        let is_same = self.model.hosts[client.index()].system == self.model.hosts[server.index()].system;
        if is_same && self.copies[from].tenant == NONE {
            self.keep_age(from, new);
        }
    }

    /// The same message in the queue of the same organization.
    pub(super) fn keep_age(&mut self, from: u32, new: u32) {
        let Directory::Organization(organization) = &self.config(self.copies[new].host).receiver.directory else { return };
        if organization.transport.age_begins_at_each_server {
            return;
        }
        let (since, notified) = (self.since(from), self.copies[from].notified);
        if since < self.copies[new].arrived {
            self.transport_queues.ages.insert(new, since);
            self.copies[new].notified |= notified;
        }
    }
}
