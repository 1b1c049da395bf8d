//! Who has the only connection to a host (Exim `serialize_hosts`)?
//!
//! A host that somebody is connected to is passed over, which is no failure of it. Sources: Exim transports/smtp.c, enq.c. A connection that stays open
//! for more mail is not asked.

use super::world::World;
use crate::base::{HostId, NameId, SimTime};

impl<const LEVEL: u8> World<'_, LEVEL> {
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
