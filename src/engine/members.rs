//! Who stands for whom in each message, so that it is found at once however many there are: a storm of forwards has tens of thousands.

use crate::base::{HostId, Interner, MsgId};
use crate::model::expansion::{Expansion, ExpansionKind};
use std::collections::{BTreeMap, BTreeSet};

/// Who stands for whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expansions {
    pub(super) known: Interner<Expansion>,
    /// By message and place among its recipients.
    members: BTreeMap<(MsgId, u16), Member>,
    /// Places of members by message, address, whom they stand for, and envelope sender.
    places: BTreeMap<(MsgId, u32, u16, u32), u16>,
    /// Members of aliases by message and address: the machine, Received fields then, and whom the sender wrote.
    of_aliases: BTreeSet<(MsgId, u32, HostId, u16, u16)>,
    /// Recipients of each message behind those that its sender wrote.
    added: BTreeMap<MsgId, Vec<u32>>,
    /// Who was replaced.
    replaced: BTreeSet<(MsgId, u16)>,
    /// Copies whose recipients are only written otherwise, of the last pass that made some.
    pub(super) together: Vec<super::together::Together>,
    /// Numbers of copies that a filter has let go already, for the recipient that they stand for.
    pub(super) was_held: BTreeSet<u32>,
}

/// A recipient that stands for another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// Which one.
    pub(super) of: u16,
    /// The first of the line, whom the sender wrote.
    pub(super) root: u16,
    /// Envelope sender of its copies: a template, or `NONE`.
    pub(super) sender: u32,
    /// Where it was put in.
    pub(super) host: HostId,
    /// Received fields then.
    pub(super) hops: u16,
    pub(super) kind: ExpansionKind,
    /// It stands there with others.
    pub(super) with_others: bool,
    /// Its automatic replies reach the sender.
    pub(super) answers: bool,
    /// A mail-flow rule put it in, and has a guard of its own: who keeps his copy beside others may still stand for somebody.
    pub(super) by_rule: bool,
}

impl Expansions {
    /// Somebody is replaced by others at this time.
    #[inline(always)]
    pub(super) fn is_used(&self) -> bool {
        !self.members.is_empty()
    }

    pub(super) fn member(&self, message: MsgId, index: u16) -> Option<&Member> {
        self.members.get(&(message, index))
    }

    /// Whom the sender wrote, of the line of a recipient.
    pub(super) fn root_of(&self, message: MsgId, index: u16) -> u16 {
        self.member(message, index).map_or(index, |member| member.root)
    }

    /// Those that stood for others before this one, the nearest first.
    pub(super) fn line_of(&self, message: MsgId, index: u16) -> impl Iterator<Item = (u16, &Member)> {
        let mut at = Some(index);
        std::iter::from_fn(move || {
            let member = self.member(message, at?)?;
            at = Some(member.of);
            Some((member.of, member))
        })
    }

    /// The member with this address that stands for a recipient already, with this envelope sender.
    pub(super) fn standing_for(&self, message: MsgId, address: u32, (of, sender): (u16, u32)) -> Option<u16> {
        self.places.get(&(message, address, of, sender)).copied()
    }

    /// Does this address stand for anybody?
    pub(super) fn is_member(&self, message: MsgId, address: u32) -> bool {
        self.places.range((message, address, 0, 0)..=(message, address, u16::MAX, u32::MAX)).next().is_some()
    }

    /// Did an alias of this machine put this address in, after so many Received fields (for whoever the sender wrote, or for him alone)?
    pub(super) fn comes_by_alias(&self, message: MsgId, address: u32, (host, hops): (HostId, u16), root: Option<u16>) -> bool {
        let (first, last) = root.map_or((0, u16::MAX), |root| (root, root));
        self.of_aliases.range((message, address, host, hops, first)..=(message, address, host, hops, last)).next().is_some()
    }

    /// One more: its place among the recipients of a message that was written with so many.
    pub(super) fn add(&mut self, message: MsgId, written: usize, address: u32, member: Member) -> u16 {
        let added = self.added.entry(message).or_default();
        let place = (written + added.len()) as u16;
        added.push(address);
        self.replaced.insert((message, member.of));
        self.places.insert((message, address, member.of, member.sender), place);
        if member.kind == ExpansionKind::Alias {
            self.of_aliases.insert((message, address, member.host, member.hops, member.root));
        }
        self.members.insert((message, place), member);
        place
    }

    /// The address of a recipient behind those that the sender wrote.
    pub(super) fn added(&self, message: MsgId, place: usize) -> u32 {
        self.added[&message][place]
    }

    /// Do others stand for this recipient?
    pub(super) fn is_replaced(&self, message: MsgId, index: u16) -> bool {
        self.replaced.contains(&(message, index))
    }

    /// Nothing is left of a message: who was replaced in it?
    pub(super) fn forget(&mut self, message: MsgId) -> BTreeSet<u16> {
        let replaced: BTreeSet<u16> = self.replaced.range((message, 0)..=(message, u16::MAX)).map(|(_, place)| *place).collect();
        for place in &replaced {
            self.replaced.remove(&(message, *place));
        }
        let Some(added) = self.added.remove(&message) else { return replaced };
        for address in added {
            let of: Vec<_> =
                self.places.range((message, address, 0, 0)..=(message, address, u16::MAX, u32::MAX)).map(|(key, _)| *key).collect();
            for key in of {
                if let Some(member) = self.places.remove(&key).and_then(|place| self.members.remove(&(message, place))) {
                    self.of_aliases.remove(&(message, address, member.host, member.hops, member.root));
                }
            }
        }
        replaced
    }
}
