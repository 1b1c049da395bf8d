//! Who stands for a recipient goes on in the same message: in one envelope (Sendmail), in one spool file (Exim).
//!
//! They are asked about in the same pass, share transactions with all others of the message, and its reports and notices name them together. What changes the
//! sender or the message (lists, SRS, rules) goes on in a copy of its own. Sources: Sendmail recipient.c `sendtolist`; Exim deliver.c (`addr_new`).
//! Not modelled: a Sendmail that finds a circle beside recipients who get the message says nothing about the circle (recipient.c `testselfdestruct`); here
//! it is reported. One whose circle leads past a mailbox delivers there.

use super::world::World;
use crate::decide::profile::EqualMembers;
use crate::model::expansion::{Expansion, ExpansionKind, SenderAfter};
use crate::model::letter::Stamps;
use crate::trace::ExpansionRow;
use crate::trace::level::{FATES, PATHS};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Does this server keep those who stand for a recipient in the message itself? One envelope, one spool file: they share transactions and reports.
    pub(super) fn stays_in_copy(&self, copy: u32, expansion: &Expansion) -> bool {
        let plain = expansion.sender == SenderAfter::Kept && expansion.apart.is_empty() && expansion.changes.is_empty();
        let is_alias = expansion.kind == ExpansionKind::Alias && plain && expansion.stamps == Stamps::default();
        is_alias && self.rules(self.copies[copy].host).pass.equal_members == EqualMembers::Once
    }

    /// Those who stand for a recipient are further recipients of the same copy, asked about in the same pass.
    pub(super) fn goes_on_here(&mut self, copy: u32, index: u16, members: &[u16]) {
        self.takes_in(copy, members);
        let sender = self.sender_of(copy);
        self.tell_members(copy, copy, index, members, sender);
    }

    /// These recipients of its message are in a copy from now on.
    pub(super) fn takes_in(&mut self, copy: u32, indexes: &[u16]) {
        let message = self.copies[copy].message;
        for index in indexes {
            self.messages[message].ends[usize::from(*index)].open += 1;
            self.copies[copy].recipients.push(super::settle::pending(*index));
        }
        if self.writes(PATHS) {
            let all = self.copies[copy].recipients.iter().map(|recipient| recipient.index).collect();
            let number = self.copies[copy].number;
            self.trace.copies[number as usize].recipients = self.tables.recipient_sets.intern(all);
        }
    }

    /// Writes down who stands for whom from now on, in which copy.
    pub(super) fn tell_members(&mut self, copy: u32, new: u32, index: u16, members: &[u16], sender: u32) {
        if !self.writes(FATES) {
            return;
        }
        let message = self.copies[copy].message;
        let (id, number, new_number) = (self.messages[message].id, self.copies[copy].number, self.copies[new].number);
        for member in members {
            let address = self.recipient_template(message, *member);
            let row = ExpansionRow { message: id, copy: new_number, from_copy: number, of: index, member: *member, address, sender };
            self.trace.expansions.push(row);
        }
    }
}
