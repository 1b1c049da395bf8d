//! What becomes of a message for several queues of an Exchange server? A message in each of them, with a clock of its own.
//!
//! The categorizer ends what it can end (mailboxes here, refusals, reports), and puts a part of the message into each queue that the rest goes to. From then
//! on the parts know nothing of each other: each waits, is tried, suspended, taken away and given up with its queue, and what fails is reported when it
//! fails. Sources: Exchange Server "Queues" (a message is named by server, queue and number; the schedule is the queue's). Not modelled: recipients that
//! lay in one queue and leave it for several after an edit wait as one.

use super::pass::Groups;
use super::world::{Copy, Recipient, RecipientState, World};
use crate::trace::level::PATHS;
use crate::trace::{ExpansionRow, NONE};
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does a copy come out of the categorizer into more than one place?
    pub(super) fn is_shared_out(&self, copy: u32, groups: &Groups) -> bool {
        let row = &self.copies[copy];
        if row.pass > 1 || !self.queues_retry(row.host) {
            return false;
        }
        let pending = row.recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending).count();
        let going: usize = groups.iter().map(|(_, places)| places.len()).sum();
        groups.len() + usize::from(pending < row.recipients.len()) + usize::from(going < pending) > 1
    }

    /// Each queue gets its own part of a copy, the Unreachable queue too; what has ended here stays where it is.
    #[cold]
    #[inline(never)]
    pub(super) fn share_out(&mut self, copy: u32, groups: Groups) {
        let recipients = std::mem::take(&mut self.copies[copy].recipients);
        let goes = |place: u16| groups.iter().any(|(_, places)| places.contains(&place));
        let others = (0..recipients.len() as u16).filter(|place| !goes(*place));
        let (lost, ended): (SmallVec<[u16; 2]>, SmallVec<[u16; 2]>) =
            others.partition(|place| recipients[usize::from(*place)].state == RecipientState::Pending);
        let mut parts: Vec<(Option<u32>, SmallVec<[u16; 2]>)> = Vec::new();
        if !ended.is_empty() {
            parts.push((None, ended));
        }
        parts.extend(groups.into_iter().map(|(destination, places)| (Some(destination), places)));
        if !lost.is_empty() {
            parts.push((None, lost));
        }
        // Where each recipient is now: copy and place.
        let mut moved: Vec<(u32, u16)> = vec![(copy, 0); recipients.len()];
        let mut begun: Vec<(u32, Groups)> = Vec::new();
        for (at, (destination, places)) in parts.into_iter().enumerate() {
            let part: SmallVec<[Recipient; 1]> = places.iter().map(|place| recipients[usize::from(*place)]).collect();
            let own = (0..part.len() as u16).collect();
            let new = if at == 0 { self.keeps_part(copy, part) } else { self.new_part(copy, part) };
            for (now, place) in (0..).zip(&places) {
                moved[usize::from(*place)] = (new, now);
            }
            begun.push((new, destination.map(|destination| (destination, own)).into_iter().collect()));
        }
        self.transport_queues.operations.move_to(copy, &moved);
        for (part, groups) in begun {
            self.begin_jobs(part, groups);
        }
    }

    /// A copy has only these recipients from now on.
    fn keeps_part(&mut self, copy: u32, part: SmallVec<[Recipient; 1]>) -> u32 {
        if self.writes(PATHS) {
            let set = part.iter().map(|recipient| recipient.index).collect();
            self.trace.copies[self.copies[copy].number as usize].recipients = self.tables.recipient_sets.intern(set);
        }
        self.copies[copy].recipients = part;
        copy
    }

    /// Recipients of a copy go into a queue of their own.
    fn new_part(&mut self, copy: u32, part: SmallVec<[Recipient; 1]>) -> u32 {
        let like = self.copies[copy].clone();
        let indexes: SmallVec<[u16; 4]> = part.iter().map(|recipient| recipient.index).collect();
        let connection = self.trace.copies.get(like.number as usize).map_or(NONE, |row| row.from_connection);
        let new = self.new_copy(like.message, like.host, like.tenant, like.arrived, &indexes, connection, (like.hops, like.visits));
        let (message, number) = (like.message, self.copies[new].number);
        // They are nowhere else any more.
        indexes.iter().for_each(|index| self.messages[message].ends[usize::from(*index)].open -= 1);
        if self.writes(PATHS) {
            let (id, sender) = (self.messages[message].id, self.sender_of(copy));
            for index in &indexes {
                let address = self.recipient_template(message, *index);
                let row = ExpansionRow { message: id, copy: number, from_copy: like.number, of: *index, member: *index, address, sender };
                self.trace.expansions.push(row);
            }
        }
        self.copies[new] = Copy { number, recipients: part, waits: u64::MAX, ..like };
        self.keep_local_hops(copy, new);
        self.transport_queues.redundancy.inherit(copy, new);
        self.shares_acknowledgement(copy, new);
        new
    }
}
