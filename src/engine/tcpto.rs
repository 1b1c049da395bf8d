//! Which addresses did not answer a sender that remembers that? The rule stands in `decide::tcpto`.

use super::chance::Purpose;
use super::known_from::KnownFrom;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::tcpto::{Silence, is_skipped, timed_out};
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// By machine and address.
pub(crate) type SilentAddresses = BTreeMap<(HostId, IpAddr), KnownFrom<Silence>>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a job pass an address by that did not answer lately?
    pub(super) fn skips_silent_address(&mut self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let copy = &self.copies[self.jobs[job].copy];
        let known = self.silent.get(&(copy.host, address)).and_then(|known| known.at(at)).unwrap_or_default();
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
        let now = self.now;
        if silent {
            let known = self.silent.entry((client, address)).or_default();
            let before = known.at(at).unwrap_or_default();
            known.learn(now, at, timed_out(before, at));
        } else if let Some(known) = self.silent.get_mut(&(client, address)) {
            known.learn(now, at, Silence::default());
        }
    }
}
