//! Who has the only connection to a host (Exim `serialize_hosts`, Sendmail `SingleThreadDelivery`)?
//!
//! A host that somebody is connected to is passed over, which is no failure of it. Sources: Exim transports/smtp.c, enq.c. A connection that stays open
//! for more mail is not asked.

use super::world::World;
use crate::base::{HostId, NameId, SimTime};
use crate::model::dns::{Outcome, RecordType};
use crate::model::settings::Retry;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Is a host one of those that get one connection at a time?
    pub(super) fn is_serialized(&mut self, host: HostId, candidate: u32) -> bool {
        let Retry::Exim(retry) = &self.config(host).sender.retry else { return false };
        if retry.one_connection.0.is_empty() {
            return false;
        }
        let (name, address) = (self.tables.candidates.get(candidate).name, self.tables.candidates.get(candidate).address);
        let name = self.tables.names.text(name).to_owned();
        retry.one_connection.means(&name, address, |other| self.has_address(host, other, address))
    }

    /// Has a name this address, in the zones as they are now?
    fn has_address(&mut self, host: HostId, name: &str, address: IpAddr) -> bool {
        let name = self.tables.names.intern(name);
        let view = self.view_of(host);
        let zones = &self.model.zones[self.model.versions[self.version].zones.index()];
        let of_family = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        match zones.lookup(&self.tables.names, view, name, of_family).outcome {
            Outcome::Records(records) => records.iter().any(|record| record.address() == Some(address)),
            _ => false,
        }
    }

    /// Takes the only connection to a host (Exim smtp.c `enq_start`); `false`: somebody else has it. What the job had before is free from now on.
    pub(super) fn connects_alone(&mut self, job: u32, to: (HostId, NameId), at: SimTime) -> bool {
        self.disconnects(job, at);
        let connected = &mut self.memory.connected;
        if connected.get(&to).is_some_and(|(_, until)| at < *until) {
            return false;
        }
        connected.insert(to, (job, SimTime::NEVER));
        true
    }

    /// A job has no connection any more from a moment on.
    pub(super) fn disconnects(&mut self, job: u32, at: SimTime) {
        self.memory.connected.values_mut().filter(|(who, until)| *who == job && *until == SimTime::NEVER).for_each(|row| row.1 = at);
    }
}
