//! Which addresses did not answer a sender that remembers that? The rule stands in `decide::tcpto`.

use super::chance::Purpose;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::tcpto::{Silence, is_skipped, timed_out};
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// By machine and address: what is known, and connects under way that will run into their timeout, in order.
pub(crate) type SilentAddresses = BTreeMap<(HostId, IpAddr), (Silence, Vec<SimTime>)>;

/// What is known at a moment: a connect counts when its time is over.
fn known_at((known, later): &(Silence, Vec<SimTime>), at: SimTime) -> Silence {
    later.iter().filter(|end| **end <= at).fold(*known, |known, end| timed_out(known, *end))
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a job pass an address by that did not answer lately?
    pub(super) fn skips_silent_address(&mut self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let copy = &self.copies[self.jobs[job].copy];
        let Some(known) = self.silent.get(&(copy.host, address)).map(|known| known_at(known, at)) else { return false };
        let key = self.model.hosts[copy.host.index()].key;
        let luck = self.chance.draw(Purpose::Process, self.messages[copy.message].luck, key, copy.luck());
        let skipped = is_skipped(known, at, luck);
        if skipped && self.jobs[job].status == NONE {
            let status = self.rules(copy.host).session.connect_timeout;
            let reply = self.tables.reply(0, status, &format!("{address} did not answer lately and is skipped"));
            let row = &mut self.jobs[job];
            (row.status, row.host_failure, row.eventful) = (reply, true, true);
        }
        skipped
    }

    /// A connect was answered, or not.
    #[inline]
    pub(super) fn note_answer(&mut self, client: HostId, address: IpAddr, at: SimTime, silent: bool) {
        if !self.rules(client).skips_silent {
            return;
        }
        let key = (client, address);
        if silent {
            let now = self.now;
            let known = self.silent.entry(key).or_default();
            known.0 = known_at(known, now);
            known.1.retain(|end| *end > now);
            let place = known.1.partition_point(|end| *end <= at);
            known.1.insert(place, at);
        } else if let Some(known) = self.silent.get_mut(&key) {
            known.0 = Silence::default();
            known.1.retain(|end| *end > at);
        }
    }
}
