//! Who stands for whom in a message? Recipients that were replaced on the way go on as the same recipient: their members are shown in their place.

use super::build::Builder;
use super::outcome::Recipient;
use crate::trace::{ExpansionRow, NONE, Trace};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Members and those they stand for, by message, copy and place.
#[derive(Default)]
pub(super) struct Expansions {
    /// By message and place of the member: its row.
    members: BTreeMap<(u32, u16), ExpansionRow>,
    /// By copy and place of the member: the copy before, and who was replaced there.
    before: BTreeMap<(u32, u16), (u32, u16)>,
    /// By message and place of the replaced: members in order.
    of: BTreeMap<(u32, u16), Vec<u16>>,
}

impl Expansions {
    pub(super) fn new(trace: &Trace) -> Self {
        let mut all = Self::default();
        for row in &trace.expansions {
            all.before.insert((row.copy, row.member), (row.from_copy, row.of));
            // A part of a message in a queue of its own: nobody is replaced.
            if row.of == row.member {
                continue;
            }
            if all.members.insert((row.message.0, row.member), *row).is_none() {
                all.of.entry((row.message.0, row.of)).or_default().push(row.member);
            }
        }
        all
    }

    /// The copy that this one was made of in the same queue, and whom its recipient stands for there (itself, where the message was only shared out).
    pub(super) fn before(&self, copy: u32, index: u16) -> Option<(u32, u16)> {
        self.before.get(&(copy, index)).copied()
    }

    /// Whom the mail for a recipient goes to in the end: itself, or those who stand for it.
    fn ends_of(&self, message: u32, index: u16) -> Vec<u16> {
        match self.of.get(&(message, index)) {
            None => vec![index],
            Some(members) => members.iter().flat_map(|member| self.ends_of(message, *member)).collect(),
        }
    }
}

impl Builder<'_> {
    /// The recipients of a message as people see them.
    pub(super) fn recipients(&self, message: u32) -> Vec<Recipient> {
        let count = self.run.tables.recipient_lists.get(self.run.trace.messages[message as usize].to).len() as u16;
        let roots = (0..count).flat_map(|root| self.expansions.ends_of(message, root).into_iter().map(move |end| (root, end)));
        roots
            .map(|(root, end)| {
                let written = self.address_of(message, root);
                let became = (root != end).then(|| self.address_of(message, end)).filter(|became| *became != written);
                Recipient { became, ..self.recipient(message, end, written) }
            })
            .collect()
    }

    /// The template of a recipient, of one that stands for another too.
    pub(super) fn template_of(&self, message: u32, index: u16) -> u32 {
        let list = self.run.tables.recipient_lists.get(self.run.trace.messages[message as usize].to);
        let known = list.get(usize::from(index)).copied();
        known.unwrap_or_else(|| self.expansions.members.get(&(message, index)).map_or(list[0], |row| row.address))
    }

    /// Its address.
    pub(super) fn address_of(&self, message: u32, index: u16) -> Rc<str> {
        self.address(self.template_of(message, index), self.run.trace.messages[message as usize].address_number)
    }

    /// The recipient as the sender wrote it.
    pub(super) fn root_of(&self, message: u32, index: u16) -> u16 {
        self.expansions.members.get(&(message, index)).map_or(index, |row| self.root_of(message, row.of))
    }

    /// The envelope sender of the mail for a recipient, `<>` for null.
    pub(super) fn sender_of(&self, message: u32, index: u16) -> Rc<str> {
        let row = &self.run.trace.messages[message as usize];
        match self.expansions.members.get(&(message, index)).map_or(row.from, |member| member.sender) {
            NONE => "<>".into(),
            sender => self.address(sender, row.address_number),
        }
    }
}
