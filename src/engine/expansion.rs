//! A recipient is replaced where it arrives: forwards, aliases, lists, groups. Who goes on, from whom, and what stops a circle?
//!
//! The rule book of a directory answers `Stop::Expand(number)`, a number of [`World::expansion`]; all else happens here, whatever the directory:
//! the members become further recipients of the same message, in a new copy in the queue of the same machine (one, since they share their
//! envelope sender). The replaced recipient has no end of its own unless nobody stands in its place. A copy knows the sender by its
//! recipients ([`World::sender_of`]). Received fields go along, so hop limits count as ever.
//! Sources: RFC 5321 §3.9 and §6.3 (loops), RFC 3461 §5.2.7 (reports), local(8) of Postfix and qmail-local(8) (`Delivered-To`).

use super::members::Member;
use super::route::Stop;
use super::world::{End, RecipientState, World};
use crate::base::Fate;
use crate::decide::profile::EqualMembers;
use crate::decide::{Decision, because};
use crate::model::expansion::{Apart, Expansion, ExpansionKind};
use crate::model::settings::MtaDirectory;
use crate::trace::level::STEPS;
use crate::trace::{Concern, NONE};
use smallvec::SmallVec;

/// More recipients than a message can have.
const RECIPIENTS_MAX: usize = 60_000;

/// What the sender's wishes about reports come to for a recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wishes {
    /// As sent.
    All,
    /// All but word of success: that was given where the recipient was replaced.
    AllButSuccess,
    /// None of them: a list sent the copy and has the usual reports, or somebody on the way knows nothing of such wishes.
    Usual,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The number of an expansion, for `Stop::Expand`.
    pub(super) fn expansion(&mut self, expansion: Expansion) -> u32 {
        self.expansions.known.intern(expansion)
    }

    /// The envelope sender of a copy: a template, or `NONE`.
    #[inline(always)]
    pub(super) fn sender_of(&self, copy: u32) -> u32 {
        let row = &self.copies[copy];
        let message = &self.messages[row.message];
        if !self.expansions.is_used() {
            return message.from;
        }
        let member = row.recipients.first().and_then(|first| self.expansions.member(message.id, first.index));
        member.map_or(message.from, |member| member.sender)
    }

    /// The same as text, empty for the null sender.
    pub(super) fn sender_text_of(&self, copy: u32) -> String {
        let message = self.copies[copy].message;
        match self.sender_of(copy) {
            NONE => String::new(),
            sender => self.tables.templates.get(sender).expand(self.messages[message].address_number).to_string(),
        }
    }

    /// What is left of the sender's wishes about reports for a recipient.
    pub(super) fn wishes(&self, copy: u32, index: u16) -> Wishes {
        let row = &self.copies[copy];
        if row.wishes_lost || self.wishful && !self.knows_wishes(copy, row.host) {
            return Wishes::Usual;
        }
        let message = row.message;
        if !self.expansions.is_used() {
            return Wishes::All;
        }
        let id = self.messages[message].id;
        let mut left = Wishes::All;
        for (_, member) in self.expansions.line_of(id, index) {
            match member.kind {
                ExpansionKind::List => return Wishes::Usual,
                ExpansionKind::Alias if member.with_others => left = Wishes::AllButSuccess,
                ExpansionKind::Alias => {}
            }
        }
        left
    }

    /// The list on the way to a recipient that keeps automatic replies from the sender.
    pub(super) fn silent_list(&self, copy: u32, index: u16) -> Option<String> {
        let message = self.copies[copy].message;
        let row = &self.messages[message];
        let (place, _) = self.expansions.line_of(row.id, index).find(|(_, member)| !member.answers)?;
        Some(self.tables.templates.get(self.recipient_template(message, place)).expand(row.address_number).to_string())
    }

    /// Others stand in the place of a recipient of this copy: they go on from here.
    pub(super) fn expand(&mut self, copy: u32, place: usize, expansion: u32) {
        let expansion = self.expansions.known.get(expansion).clone();
        let (message, index) = (self.copies[copy].message, self.copies[copy].recipients[place].index);
        // Rules of mailboxes keep a copy of the same address and have a guard of their own.
        if expansion.stamps.inbox.is_none()
            && let Some(why) = self.goes_round(copy, index)
        {
            if self.keeps_a_copy(copy, index) {
                self.ends_here(copy, place, &Stop::Mailbox);
                return;
            }
            let reply = self.circle(self.copies[copy].host, why);
            let recipient = &mut self.copies[copy].recipients[place];
            (recipient.state, recipient.reply, recipient.said_by) = (RecipientState::Looped, reply, NONE);
            return;
        }
        let rewritten = self.sender_after(copy, index, &expansion.sender);
        let mut members: SmallVec<[(u16, Option<Apart>, usize); 4]> = SmallVec::new();
        for (at, to) in expansion.to.iter().enumerate() {
            let address = self.tables.templates.intern(to.clone());
            // From now on somebody needs SMTPUTF8.
            self.demanding |= !to.local.is_ascii();
            if self.messages[message].ends.len() + expansion.to.len() > RECIPIENTS_MAX {
                self.bound.get_or_insert_with(|| format!("recipients of one message: {RECIPIENTS_MAX}"));
                break;
            }
            let apart = expansion.apart.iter().find(|(place, _)| *place == at).map(|(_, apart)| *apart);
            let sender = if apart.is_some() { self.sender_of(copy) } else { rewritten };
            let member = self.member_for(copy, index, address, (sender, apart), &expansion);
            let kind = expansion.copied.iter().position(|(places, _)| places.contains(&at)).map_or(0, |place| place + 1);
            members.extend(member.map(|member| (member, apart, kind)));
        }
        self.note_expansion(copy, index, &expansion, members.len());
        self.copies[copy].recipients[place].state = RecipientState::Done;
        if members.is_empty() {
            self.end_recipient(copy, place, Fate::Expanded, self.ok_reply, NONE);
            return;
        }
        let end = &mut self.messages[message].ends[index as usize];
        (end.open, end.fate) = (end.open - 1, end.fate.or(Some(Fate::Expanded)));
        if self.stays_in_copy(copy, &expansion) {
            let members: SmallVec<[u16; 4]> = members.iter().map(|(member, ..)| *member).collect();
            self.goes_on_here(copy, index, &members);
            return;
        }
        // Copies that differ travel apart.
        let stamps = std::iter::once(&expansion.stamps).chain(expansion.copied.iter().map(|(_, stamps)| stamps)).enumerate();
        for (kind, stamps) in stamps {
            for apart in [None, Some(Apart::KeepsSender), Some(Apart::NotByRule)] {
                let is_alike = |(_, of, its): &&(u16, Option<Apart>, usize)| (*of, *its) == (apart, kind);
                let alike: SmallVec<[u16; 4]> = members.iter().filter(is_alike).map(|(member, ..)| *member).collect();
                if alike.is_empty() {
                    continue;
                }
                let mut changed = Expansion { stamps: stamps.clone(), ..expansion.clone() };
                changed.stamps.by_rule &= apart != Some(Apart::NotByRule);
                changed.stamps.stands_in &= apart != Some(Apart::NotByRule);
                changed.stamps.author = changed.stamps.author.filter(|_| apart.is_none());
                let sender = if apart.is_some() { self.sender_of(copy) } else { rewritten };
                self.goes_on(copy, index, &alike, sender, &changed);
            }
        }
    }

    /// A copy for those who stand for a recipient.
    fn goes_on(&mut self, copy: u32, index: u16, members: &[u16], sender: u32, expansion: &Expansion) {
        let row = &self.copies[copy];
        let (message, host, tenant, hops, visits) = (row.message, row.host, row.tenant, row.hops, row.visits);
        let (arrived, deferrals) = (row.arrived, row.deferrals);
        let joined = if expansion.stays_together { self.join_rewritten(copy, members, (sender, expansion)) } else { None };
        let is_new = joined.is_none();
        let new = joined.unwrap_or_else(|| self.new_copy(message, host, tenant, self.now, members, NONE, (hops, visits)));
        self.copies[new].arrival = self.changed_in_place(copy, expansion);
        self.copies[new].wishes_lost = self.copies[copy].wishes_lost;
        if !self.plain {
            self.keep_local_hops(copy, new);
        }
        self.tell_members(copy, new, index, members, sender);
        if is_new && expansion.stays_together {
            // It is the same message, and as old as it was.
            (self.copies[new].arrived, self.copies[new].deferrals) = (arrived, deferrals);
            self.may_be_joined(copy, new, (sender, expansion));
        }
        if is_new {
            self.note_held_already(new);
            self.wake_copy(new, self.now);
        }
    }

    /// How many recipients the sender wrote: those that stand for others are not among them.
    pub(super) fn written_recipients(&self, message: u32) -> usize {
        self.tables.recipient_lists.get(self.messages[message].to).len()
    }

    /// A recipient that stands for another one: those stand behind the ones that the sender wrote.
    #[cold]
    pub(super) fn added_recipient(&self, message: u32, index: u16) -> u32 {
        self.expansions.added(self.messages[message].id, usize::from(index) - self.written_recipients(message))
    }

    /// The place of a member among the message's recipients; `None` if it has a copy already and one is enough.
    fn member_for(
        &mut self,
        copy: u32,
        index: u16,
        address: u32,
        (sender, apart): (u32, Option<Apart>),
        expansion: &Expansion,
    ) -> Option<u16> {
        let row = &self.copies[copy];
        let (message, host, hops) = (row.message, row.host, row.hops);
        let id = self.messages[message].id;
        // A second copy of the replaced recipient arrived: the same members again.
        let again = self.expansions.standing_for(id, address, (index, sender));
        if again.is_some() {
            return again;
        }
        let is_member = self.expansions.is_member(id, address);
        let list = self.tables.recipient_lists.get(self.messages[message].to);
        let stands_for_itself = expansion.kind == ExpansionKind::Alias && self.recipient_template(message, index) == address;
        let is_named = is_member || list.contains(&address);
        if expansion.once && !stands_for_itself && is_named {
            return None;
        }
        if expansion.kind == ExpansionKind::Alias
            && !stands_for_itself
            && self.has_copy_already((copy, index), address, (is_member, is_named))
        {
            return None;
        }
        let written = list.len();
        self.messages[message].ends.push(End::default());
        let with_others = expansion.to.len() > 1;
        // Who keeps his message beside copies for others may still stand for somebody.
        let by_rule = expansion.stamps.by_rule || apart == Some(Apart::NotByRule);
        let root = self.expansions.root_of(id, index);
        let member = Member { of: index, root, sender, host, hops, kind: expansion.kind, with_others, answers: expansion.answers, by_rule };
        let place = self.expansions.add(id, written, address, member);
        Some(place)
    }

    /// Does an alias of this machine lead to somebody who has the message already, as a member or as whom the sender wrote?
    fn has_copy_already(&self, (copy, index): (u32, u16), address: u32, (is_member, is_named): (bool, bool)) -> bool {
        let row = &self.copies[copy];
        let (host, hops, id) = (row.host, row.hops, self.messages[row.message].id);
        // What comes round again is another message.
        match self.rules(host).pass.equal_members {
            EqualMembers::All => false,
            EqualMembers::OnceOfRecipient => {
                self.expansions.comes_by_alias(id, address, (host, hops), Some(self.expansions.root_of(id, index)))
            }
            // Who stands for one of his own ancestors is no copy of it: that is a circle, and his own turn says so.
            EqualMembers::Once if self.is_ancestor(row.message, index, address) => false,
            EqualMembers::Once => {
                // Of those whom the sender wrote only the ones that came along are in the same message.
                let is_now = |one: &Member| (one.host, one.hops, one.kind) == (host, hops, ExpansionKind::Alias);
                let template = |place: u16| self.recipient_template(row.message, place);
                let came_along = || {
                    self.expansions.member(id, index).is_some_and(is_now)
                        || template(index) == address
                        || row.recipients.iter().any(|one| template(one.index) == address)
                };
                self.expansions.comes_by_alias(id, address, (host, hops), None) || is_named && !is_member && came_along()
            }
        }
    }

    /// Does a recipient stand, over however many others, for this address?
    fn is_ancestor(&self, message: u32, index: u16, address: u32) -> bool {
        let mut line = self.expansions.line_of(self.messages[message].id, index);
        line.any(|(place, _)| self.recipient_template(message, place) == address)
    }

    /// Was this recipient here before? Within one machine nobody goes in circles; beyond it, servers that write `Delivered-To` find their own.
    fn goes_round(&self, copy: u32, index: u16) -> Option<&'static str> {
        if !self.expansions.is_used() {
            return None;
        }
        let row = &self.copies[copy];
        let id = self.messages[row.message].id;
        let own = self.recipient_template(row.message, index);
        let reads = self.rules(row.host).pass.reads_delivered_to;
        // `member` was put in where the recipient at `place` was replaced.
        for (place, member) in self.expansions.line_of(id, index) {
            if member.by_rule || self.recipient_template(row.message, place) != own {
                continue;
            }
            if member.host == row.host && member.hops == row.hops {
                return Some("mail forwarding loop: the recipient stands for itself");
            }
            if reads && member.host == row.host {
                return Some("mail forwarding loop: Delivered-To names this recipient");
            }
        }
        None
    }

    /// Does somebody stand for himself, and have a mailbox here? Then the expansion stops, and that copy is his (virtual(5), aliases(5), Exim's redirect router).
    fn keeps_a_copy(&mut self, copy: u32, index: u16) -> bool {
        let row = &self.copies[copy];
        let (host, message) = (row.host, row.message);
        let own = self.recipient_template(message, index);
        let whole_line = self.rules(host).pass.equal_members == EqualMembers::Once;
        let line = self.expansions.line_of(self.messages[message].id, index).take(if whole_line { usize::MAX } else { 1 });
        let itself = { line }
            .any(|(of, member)| member.kind == ExpansionKind::Alias && member.host == host && self.recipient_template(message, of) == own);
        let address = self.tables.templates.get(own).expand(self.messages[message].address_number).to_string();
        let has_it = |directory: &MtaDirectory| directory.mailboxes.iter().any(|pattern| pattern.matches(&address));
        let has_mailbox = self.config(host).receiver.directory.mail_server().is_some_and(has_it);
        if itself && has_mailbox && self.writes(STEPS) {
            let why = because(
                "LOCAL",
                address,
                "it stands for itself too: the expansion stops here, and this copy is for the mailbox",
                "virtual(5)",
            );
            let decision = self.store("where to?", host, NONE, &Decision::for_reason((), why));
            self.trace_decisions(copy, Concern::recipient(index), &[decision]);
        }
        itself && has_mailbox
    }

    /// Do others stand for this recipient? Then their ends count, not its own.
    pub(super) fn is_replaced(&self, message: u32, index: u16) -> bool {
        self.expansions.is_replaced(self.messages[message].id, index)
    }

    /// No copy of a message is left: its members are forgotten, and recipients that others stood for have no end of their own.
    pub(super) fn forget_members(&mut self, message: u32) {
        let id = self.messages[message].id;
        let replaced = self.expansions.forget(id);
        let mut place = 0;
        self.messages[message].ends.retain(|end| {
            let counts = end.fate != Some(Fate::Expanded) || !replaced.contains(&place);
            place += 1;
            counts
        });
    }

    /// Word of success where the sender asked for it: a list has the message now; an alias of several says so and keeps silent afterwards.
    fn note_expansion(&mut self, copy: u32, index: u16, expansion: &Expansion, members: usize) {
        let action = match expansion.kind {
            ExpansionKind::List => "delivered",
            ExpansionKind::Alias if members > 1 => "expanded",
            ExpansionKind::Alias => return,
        };
        self.word_of_success(copy, index, action);
    }
}
