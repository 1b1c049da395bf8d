//! Why a greylist sends a client away: what is told of it.

use super::fault::{Client, Grey};
use super::session::Talk;
use super::world::World;
use crate::base::{Reply, duration};
use crate::decide::{Decision, because};
use crate::model::fault::FaultKind;
use crate::trace::level::STEPS;
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A greylist that answers DATA or the final dot: it knows the transaction by its first recipient (RFC 6647 §4).
    #[cold]
    #[inline(never)]
    pub(super) fn greylisted_later(&mut self, talk: &Talk<'_>, number: u32) -> Option<Reply> {
        let model = self.model;
        let fault = &model.faults[number as usize];
        let FaultKind::Greylist { delay_ns, window_ns, remembered_ns, memory, by_subnet, reply, .. } = &fault.kind else { return None };
        if !fault.window.has(talk.now) {
            return None;
        }
        let copy = self.jobs[talk.job].copy;
        let message = self.copies[copy].message;
        let first = *self.jobs[talk.job].recipients.first()?;
        let template = self.recipient_template(message, self.copies[copy].recipients[usize::from(first)].index);
        let address = self.tables.templates.get(template).expand(self.messages[message].address_number).to_string();
        let sender = self.sender_text_of(copy);
        let seen = self.seen_address(talk.job, talk.client, talk.address);
        let client = Client::new(talk.client, seen, *by_subnet);
        let times = (*delay_ns, *window_ns, *remembered_ns);
        let why = self.faults.greylist(*memory, times, client, &sender, &address, talk.now).err()?;
        self.tell_greylist(talk, seen, &address, why);
        Some(reply.clone())
    }

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
