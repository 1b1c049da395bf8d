//! A connection that never came about: why, and in which words it is told.

use super::world::World;
use crate::base::{ConnectionResult, Phase, SimTime};
use crate::trace::level::PATHS;
use crate::trace::{ConnectionOutcome, NONE};

/// Why a connect fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    Nobody,
    /// No machine yet: a dated change brings it.
    NotThere,
    NoListener,
    Loopback,
    Family,
    Fault(u32, SimTime),
    /// An exchange takes so long, which is more than the sender waits.
    Slow(u64),
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Writes a connection that never came about, and says the number of its status.
    pub(super) fn trace_failed_connect(
        &mut self,
        job: u32,
        candidate: u32,
        result: ConnectionResult,
        (at, end): (SimTime, SimTime),
        why: &Refusal,
    ) -> u32 {
        let session = &self.rules(self.copies[self.jobs[job].copy].host).session;
        let (status, words) = match result {
            ConnectionResult::Refused => (session.refused, "Connection refused"),
            ConnectionResult::ConnectTimeout => (session.connect_timeout, "Connection timed out"),
            _ => (session.unreachable, "No route to host"),
        };
        let reply = match self.cache.find_failed((candidate, status)) {
            Some(reply) => reply,
            None => {
                let key = self.tables.candidates.get(candidate);
                let text = format!("connect to {}[{}]:{}: {words}", self.tables.names.text(key.name), key.address, key.port);
                let reply = self.tables.reply(0, status, &text);
                self.cache.add_failed((candidate, status), reply);
                reply
            }
        };
        if self.writes(PATHS) {
            let why = match why {
                Refusal::Nobody => "no machine of the scenario has this address".to_owned(),
                Refusal::NotThere => "the machine with this address is not there at that time".to_owned(),
                Refusal::Slow(rtt) => {
                    format!("the line takes {} for an answer, and the sender waits less", crate::base::exact_duration(*rtt))
                }
                Refusal::NoListener => "nothing listens on this port".to_owned(),
                Refusal::Loopback => "a loopback address: no packet leaves the machine, and nothing listens there".to_owned(),
                Refusal::Family => "the sender has no address of this family".to_owned(),
                Refusal::Fault(number, until) => {
                    let name = &self.model.faults[*number as usize].name;
                    if *until == SimTime::NEVER {
                        format!("fault `{name}`")
                    } else {
                        format!("fault `{name}` until {}", self.model.clock().moment(*until))
                    }
                }
            };
            let why = self.tables.texts.intern(why.into());
            let outcome = self.tables.outcomes.intern(ConnectionOutcome { phase: Phase::Connect, result, reply: NONE, tls: NONE, why });
            self.trace_connection(job, candidate, outcome, at, end);
        }
        reply
    }
}
