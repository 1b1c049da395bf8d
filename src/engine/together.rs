//! Who goes on in one message? Recipients that are only written otherwise where they arrive, and those who go the same way with them.
//!
//! A mail user with an address elsewhere, or a recipient in another spelling, makes no message of its own: a message is split by next hop, not by how
//! its recipients were looked up. Those of one pass go on in one copy if it is the same message in the same name (what rules made of it may differ);
//! recipients of that pass that go to the same destination as they are join it. Sources: Exchange mail routing (bifurcation by next hop).
//! Not modelled: members of a group go on in a message of their own, also beside recipients that go the same way.

use super::pass::Groups;
use super::route::Stop;
use super::world::{RecipientState, World};
use crate::model::authentication::Change;
use crate::model::expansion::Expansion;
use crate::model::letter::Stamps;
use crate::trace::level::PATHS;
use smallvec::SmallVec;

/// A copy whose recipients are only written otherwise.
#[derive(Clone, Debug)]
pub(super) struct Together {
    /// Number and pass of the copy that it was made of.
    of: (u32, u16),
    /// Its row and its number.
    copy: u32,
    number: u32,
    sender: u32,
    stamps: Stamps,
    changes: Vec<Change>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Others of this pass whose recipients are only written otherwise wait to go on: these go with them.
    pub(super) fn join_rewritten(&mut self, copy: u32, members: &[u16], (sender, expansion): (u32, &Expansion)) -> Option<u32> {
        let own = (self.copies[copy].number, self.copies[copy].pass);
        let alike =
            |one: &&Together| (one.of, one.sender) == (own, sender) && one.stamps == expansion.stamps && one.changes == expansion.changes;
        let new = self.expansions.together.iter().filter(|one| self.waits_to_go_on(one)).find(alike)?.copy;
        self.takes_in(new, members);
        Some(new)
    }

    /// Remembers a copy that others of this pass may join.
    pub(super) fn may_be_joined(&mut self, copy: u32, new: u32, (sender, expansion): (u32, &Expansion)) {
        let of = (self.copies[copy].number, self.copies[copy].pass);
        let (stamps, changes) = (expansion.stamps.clone(), expansion.changes.clone());
        let number = self.copies[new].number;
        self.expansions.together.retain(|one| one.of == of && one.number != number);
        self.expansions.together.push(Together { of, copy: new, number, sender, stamps, changes });
    }

    fn waits_to_go_on(&self, one: &Together) -> bool {
        let row = &self.copies[one.copy];
        row.number == one.number && !row.closed && row.pass == 0 && row.jobs == 0
    }

    /// Recipients of a pass that go where one of those who are written otherwise goes join them.
    pub(super) fn go_with_rewritten(&mut self, copy: u32, groups: &mut Groups) {
        let own = (self.copies[copy].number, self.copies[copy].pass);
        if groups.is_empty() || self.expansions.together.last().is_none_or(|last| last.of != own) {
            return;
        }
        let sender = self.sender_of(copy);
        let fit = |one: &&Together| one.of == own && one.sender == sender && self.waits_to_go_on(one);
        let others: Vec<u32> = self.expansions.together.iter().filter(fit).map(|one| one.copy).collect();
        for new in others {
            let row = &self.copies[new];
            let (host, tenant, message) = (row.host, row.tenant, row.message);
            let indexes: SmallVec<[u16; 4]> = row.recipients.iter().map(|recipient| recipient.index).collect();
            for index in indexes {
                let (template, number) = (self.recipient_template(message, index), self.messages[message].address_number);
                if let (Stop::To(destination), _) = self.stop_for(new, host, tenant, template, number)
                    && let Some(at) = groups.iter().position(|(seen, _)| *seen == destination)
                {
                    let (_, places) = groups.remove(at);
                    self.move_over(copy, new, &places);
                }
            }
        }
    }

    /// These recipients of a copy go on in another one.
    fn move_over(&mut self, copy: u32, new: u32, places: &[u16]) {
        let message = self.copies[copy].message;
        let mut indexes: SmallVec<[u16; 4]> = SmallVec::new();
        for place in places {
            let recipient = &mut self.copies[copy].recipients[usize::from(*place)];
            recipient.state = RecipientState::Done;
            indexes.push(recipient.index);
            self.messages[message].ends[usize::from(recipient.index)].open -= 1;
        }
        self.takes_in(new, &indexes);
        if self.writes(PATHS) {
            let sender = self.sender_of(copy);
            for index in &indexes {
                self.tell_members(copy, new, *index, &[*index], sender);
            }
        }
    }
}
