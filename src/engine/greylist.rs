//! Why a greylist sends a client away: what is told of it.

use super::fault::Grey;
use super::session::Talk;
use super::world::World;
use crate::base::duration;
use crate::decide::{Decision, because};
use crate::trace::level::STEPS;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Tells what a greylist found about a client, seen at this address, and a recipient.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_greylist(&mut self, talk: &Talk<'_>, seen: Option<IpAddr>, recipient: &str, why: Grey) {
        if !self.writes(STEPS) {
            return;
        }
        let client = seen.map_or_else(|| "this client".to_owned(), |address| address.to_string()) + " to " + recipient;
        let why = match why {
            Grey::Unknown => format!("{client} from this sender is not known here: noted, and asked to come back"),
            Grey::TooEarly { waited, delay } => {
                format!("{client} is back {} after the first time, too early: {} are wanted", duration(waited), duration(delay))
            }
            Grey::TooLate { waited } => {
                format!("{client} comes {} after the first time, too late: it counts as the first time again", duration(waited))
            }
        };
        let decision = Decision::for_reason((), because("GREY", &*self.model.hosts[talk.server.index()].name, why, "Greylist"));
        let stored = self.store("what does the greylist say?", talk.server, crate::trace::NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
    }
}
