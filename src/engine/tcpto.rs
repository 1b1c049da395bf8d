//! Which addresses did not answer a sender that remembers that? The rule stands in `decide::tcpto`.

use super::chance::Purpose;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::tcpto::{Silence, is_skipped, timed_out};
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// By machine and address.
pub(crate) type SilentAddresses = BTreeMap<(HostId, IpAddr), Silence>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a job pass an address by that did not answer lately?
    pub(super) fn skips_silent_address(&mut self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let copy = &self.copies[self.jobs[job].copy];
        let Some(known) = self.silent.get(&(copy.host, address)).copied() else { return false };
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
            let before = self.silent.get(&key).copied().unwrap_or_default();
            self.silent.insert(key, timed_out(before, at));
        } else {
            self.silent.remove(&key);
        }
    }
}
