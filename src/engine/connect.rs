//! Does a connect reach a machine, and how far away is it?

use super::chance::Purpose;
use super::failed_connect::Refusal;
use super::plan::Goal;
use super::world::World;
use crate::base::{HostId, SimTime};
use crate::model::fault::Unreachable;
use crate::model::topology::Law;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a connect to this address succeed?
    #[inline(always)]
    pub(super) fn connect(&mut self, client: HostId, goal: &Goal, at: SimTime) -> Result<(), (Unreachable, Refusal)> {
        let model = self.model;
        let Goal { address, port, server, has_family, .. } = *goal;
        if server.is_none() && address.is_loopback() {
            return Err((Unreachable::Unreachable, Refusal::Loopback));
        }
        // A machine without a way into a family knows that before a packet leaves, whoever has the address.
        if !has_family {
            return Err((Unreachable::Unreachable, Refusal::Family));
        }
        let Some(server) = server else { return Err((Unreachable::Silent, Refusal::Nobody)) };
        if let Some(cut) = self.faults.line(model, client, server, at) {
            return Err((cut.how, Refusal::Fault(cut.fault, cut.until)));
        }
        if let Some(cut) = self.faults.down(model, server, Some(address), at) {
            return Err((cut.how, Refusal::Fault(cut.fault, cut.until)));
        }
        if !self.config(server).receiver.listeners.iter().any(|listener| listener.answers(address, port)) {
            let is_there = self.config(server).receiver.is_there;
            return Err(if is_there { (Unreachable::Refused, Refusal::NoListener) } else { (Unreachable::Silent, Refusal::NotThere) });
        }
        Ok(())
    }

    /// The same over a line on which an exchange takes long: an answer that comes after the sender has given up is none.
    #[cold]
    #[inline(never)]
    pub(super) fn connect_slowly(
        &mut self,
        (client, copy): (HostId, u32),
        goal: &Goal,
        at: SimTime,
        rtt: u64,
    ) -> Result<(), (Unreachable, Refusal)> {
        let reached = self.connect(client, goal, at);
        let answers = matches!(reached, Ok(()) | Err((Unreachable::Refused, _)));
        if answers && rtt > self.connect_patience(copy) { Err((Unreachable::Silent, Refusal::Slow(rtt))) } else { reached }
    }

    /// Time of one exchange between two machines.
    #[inline(always)]
    pub(super) fn round_trip(&self, a: HostId, goal: &Goal, message: u64, n: u64, at: SimTime) -> u64 {
        let model = self.model;
        let Some(b) = goal.server else { return 0 };
        let place = model.hosts[a.index()].key ^ model.hosts[b.index()].key.rotate_left(17);
        let usual = self.chance.time(goal.latency, Purpose::Latency, message, place, n);
        if model.line_faults.is_empty() {
            return usual;
        }
        match self.faults.slower(model, a, b, at) {
            Some((fault, add)) => usual + self.chance.time(add, Purpose::Extra, message, model.faults[fault as usize].key, n),
            None => usual,
        }
    }

    /// The law of one exchange between two machines now.
    pub(super) fn latency(&self, a: HostId, b: HostId) -> Law {
        let matches = |link: &&crate::model::topology::Link| link.a.has(a) && link.b.has(b) || link.a.has(b) && link.b.has(a);
        self.model.versions[self.version].links.iter().find(matches).map_or(self.model.default_latency, |link| link.latency)
    }

    /// Has a machine an address of the same family to connect from?
    pub(super) fn has_family(&self, client: HostId, address: IpAddr) -> bool {
        let own = &self.model.hosts[client.index()];
        own.any_family || own.addresses.is_empty() || own.egress.iter().chain(&own.addresses).any(|own| own.is_ipv4() == address.is_ipv4())
    }
}
