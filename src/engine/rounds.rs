//! Recipients answered 452 after others were taken: they follow in further transactions over the same connection. Sources: Exim transports/smtp.c; of Exchange
//! only that the sender sends the rest again (message size limits, Exchange Online limits), so there it is a switch, `rest_after_452`.
//!
//! Who is answered 452 before anybody was taken or refused for good waits for the next host (lab-0442). A round names nobody but those who were put off;
//! who was refused otherwise waits for the next host until the rounds are over. A round that takes nobody is the last.

use super::kept::Kept;
use super::session::SessionEnd;
use super::world::World;
use crate::decide::failure::Effect;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Places of recipients in their copy.
type Places = SmallVec<[u16; 4]>;

/// Jobs whose recipients come in rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rounds(BTreeMap<u32, Round>);

/// Who is not named in the round that is under way.
#[derive(Clone, Debug, Default)]
struct Round {
    /// Named in the next one.
    again: Places,
    /// Tried at the next host.
    aside: Places,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A session took some and put others off for their number: to these it is as if they had not been named.
    #[cold]
    #[inline(never)]
    pub(super) fn puts_off(&mut self, job: u32, end: &mut SessionEnd) {
        if end.rest.is_some() || end.taken_at().is_none() {
            return;
        }
        // Only behind somebody whom the server took, or refused for good (smtp.c: "we've had at least one 2xx or 5xx").
        let rounds = self.rules(self.copies[self.jobs[job].copy].host).pass.further_rounds;
        let mut answered = false;
        let mut again = Places::new();
        for place in &self.jobs[job].recipients {
            match end.refusals.iter().find(|(at, ..)| at == place) {
                None | Some((_, Effect::Bounce(_), _)) => answered = true,
                Some((.., reply)) if answered && rounds.has(self.tables.replies.get(*reply)) => again.push(*place),
                Some(_) => {}
            }
        }
        if again.is_empty() {
            return;
        }
        again.iter().for_each(|place| end.refusals.forget(*place));
        self.jobs[job].recipients.retain(|place| !again.contains(place));
        self.jobs[job].eventful = true;
        self.rounds.0.entry(job).or_default().again = again;
    }

    /// The session of a job goes on with those that were put off, over the same connection. `false`: nobody was.
    pub(super) fn next_round(&mut self, job: u32, kept: Kept) -> bool {
        let Some(round) = self.rounds.0.get_mut(&job).filter(|round| !round.again.is_empty()) else { return false };
        let again = std::mem::take(&mut round.again);
        let row = &mut self.jobs[job];
        round.aside.extend(row.recipients.drain(..));
        row.recipients = again.iter().copied().collect();
        row.next -= 1;
        row.tried = row.tried.saturating_sub(1);
        self.connections.uses.entry(job).or_default().takes_again(kept);
        true
    }

    /// The rounds of a job are over: who was refused in them goes on with the others.
    pub(super) fn rejoin(&mut self, job: u32) {
        let Some(round) = self.rounds.0.remove(&job) else { return };
        let list = &mut self.jobs[job].recipients;
        list.extend(round.aside.into_iter().chain(round.again));
        list.sort_unstable();
    }
}
