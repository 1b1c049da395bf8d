//! What does a recipient become where it arrives? Other recipients: of a forward, an alias, a list, a group.
//!
//! A directory names its replaced recipients by pattern; the rule book that looks a recipient up says which of them it is, and the clockwork
//! (`engine/expansion.rs`) puts the copies that go on into the queue of the same machine. Sources: RFC 5321 §3.9, RFC 3461 §5.2.7.

use super::authentication::Change;
use super::letter::Stamps;
use super::traffic::AddressTemplate;
use crate::base::Address;

/// What stands in the place of a recipient.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Expansion {
    /// The recipient as the directory has it.
    pub name: Box<str>,
    /// In whose responsibility the copies go on.
    pub kind: ExpansionKind,
    /// Who gets a copy.
    pub to: Vec<AddressTemplate>,
    /// Those of them (places in `to`) whose copies differ from the others, and how.
    pub apart: Vec<(usize, Apart)>,
    /// The envelope sender of the copies.
    pub sender: SenderAfter,
    /// What is done to the message.
    pub changes: Vec<Change>,
    /// What the copies carry on of what was decided here.
    pub stamps: Stamps,
    /// Places in `to` of those whom a rule has added, where later rules did not do to their copies what they did to the message, and what these carry on.
    pub copied: Vec<(Vec<usize>, Stamps)>,
    /// A member that this message has already, as a recipient or by another expansion, gets no second copy.
    pub once: bool,
    /// Automatic replies of those who get a copy reach the sender.
    pub answers: bool,
    /// The recipient is only written otherwise: all of them that are stay together.
    pub stays_together: bool,
}

impl Expansion {
    /// The copies that go on in the place of somebody, with nothing special about them. Those of a list are one for each member, whose automatic replies
    /// the sender does not hear.
    #[must_use]
    pub fn of(name: &str, to: Vec<AddressTemplate>, kind: ExpansionKind) -> Self {
        let is_list = kind == ExpansionKind::List;
        Self {
            name: name.into(),
            kind,
            to,
            apart: Vec::new(),
            sender: SenderAfter::Kept,
            changes: Vec::new(),
            stamps: Stamps::default(),
            copied: Vec::new(),
            once: is_list,
            answers: !is_list,
            stays_together: false,
        }
    }

    /// The same recipient in another domain.
    #[must_use]
    pub fn in_domain(address: &Address, domain: &str) -> Self {
        let to = Address { local: address.local.clone(), domain: domain.into() };
        Self::of(&address.to_string(), vec![AddressTemplate::of(&to)], ExpansionKind::Alias)
    }
}

/// How the copy of somebody differs from those of the others.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Apart {
    /// The envelope sender stays as it was: it leads to somebody inside, or nobody speaks for it (relay pool).
    KeepsSender,
    /// It is the message itself, that a rule has copied for others: the rule does not pass this one on.
    NotByRule,
}

/// In whose responsibility the copies of an expansion go on (RFC 5321 §3.9, RFC 3461 §5.2.7).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ExpansionKind {
    /// Under way to the same recipient: what the sender wants to be told goes along.
    Alias,
    /// The message has arrived, and the list sends another one: what its sender wanted to be told ends here.
    List,
}

/// The envelope sender after an expansion. The null sender stays as it is in any case, so that no report becomes ordinary mail.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum SenderAfter {
    /// As it was.
    Kept,
    /// Somebody who looks after the list.
    Replaced(AddressTemplate),
    /// Rewritten as Exchange Online does it (SRS): into the name and the domain of the recipient that is replaced.
    InTheNameOf,
    /// Rewritten so that reports come back this way (SRS), into this domain, or else that of the recipient.
    Rewritten(Option<Box<str>>),
}
