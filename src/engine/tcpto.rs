//! Which addresses did not answer a sender that remembers that? The rule stands in `decide::tcpto`.

use super::chance::Purpose;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::decide::tcpto::{Silence, is_skipped, timed_out};
use crate::trace::NONE;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// By machine and address: what is known, and what will be when a connect that is under way has run into its timeout.
pub(crate) type SilentAddresses = BTreeMap<(HostId, IpAddr), Vec<(SimTime, Silence)>>;

/// What is known at a moment.
fn known_at(all: Option<&Vec<(SimTime, Silence)>>, at: SimTime) -> Silence {
    all.into_iter().flatten().rev().find(|(from, _)| *from <= at).map_or_else(Silence::default, |(_, known)| *known)
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a job pass an address by that did not answer lately?
    pub(super) fn skips_silent_address(&mut self, job: u32, address: IpAddr, at: SimTime) -> bool {
        let copy = &self.copies[self.jobs[job].copy];
        let known = known_at(self.silent.get(&(copy.host, address)), at);
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
            let all = self.silent.entry(key).or_default();
            // What is over long since is told by the last of it.
            let past = all.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
            all.drain(..past);
            let before = all.iter().rposition(|(from, _)| *from <= at);
            let known = timed_out(before.map_or_else(Silence::default, |before| all[before].1), at);
            all.insert(before.map_or(0, |before| before + 1), (at, known));
        } else {
            self.silent.remove(&key);
        }
    }
}
