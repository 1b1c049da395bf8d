//! Who sends what to whom, and when.

use super::authentication::Signer;
use super::letter::{Header, MessageType};
use crate::base::{HostId, SimTime};

/// One source of messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its name.
    pub name: Box<str>,
    /// Its luck: the first 8 bytes of SHA-256 of the name.
    pub key: u64,
    /// When.
    pub schedule: Schedule,
    /// Machines where a message enters, each with its weight; one is drawn per message.
    pub entries: Vec<(HostId, u32)>,
    /// The tenant in whose name a message enters at Exchange Online.
    pub tenant: Option<crate::base::SystemId>,
    /// Where else its messages enter after mailboxes moved, in the order of moments; mostly empty.
    pub later: Vec<Moved>,
    /// Envelope senders with weights (`None` = null sender); `#` is the number of the message.
    pub from: Vec<(Option<AddressTemplate>, u32)>,
    /// Recipients.
    pub to: Recipients,
    /// Bytes.
    pub size_bytes: u64,
    /// Which reports are wanted; `None` = the default of RFC 3461.
    pub notify: Option<Notify>,
    /// The author in `From`, if not the envelope sender.
    pub author: Option<AddressTemplate>,
    /// What a filter would say about it.
    pub scl: Option<i8>,
    /// The mailbox that its first machine logs in with for this mail, instead of its usual one.
    pub login: Option<Box<str>>,
    /// With a token (OAuth) instead of a password.
    pub oauth: bool,
    /// Signed by the sender's own system before it entered.
    pub signer: Option<Signer>,
    /// Fields of its header beside those that every message has.
    pub headers: Vec<Header>,
    /// What stands in its body.
    pub text: Box<str>,
    /// What kind of message it is, if it is no ordinary one.
    pub kind: Option<MessageType>,
    /// What it says of itself and of its recipients for reports, if anything.
    pub envelope: Option<Box<EnvelopeNames>>,
    /// What reports of failure are to return, if it says so (RET).
    pub returns: Option<Returns>,
    /// What its body is made of.
    pub body: Body,
    /// It needs SMTPUTF8: addresses or headers have other letters than ASCII.
    pub utf8: bool,
    /// What its sender wants of encryption on the way.
    pub tls_wish: TlsWish,
}

/// What a sender wants to have back with a report of failure (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Returns {
    /// The message.
    Full,
    /// Its headers.
    Headers,
}

/// What a body is made of (RFC 6152, RFC 3030).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Body {
    /// Lines of ASCII characters.
    #[default]
    SevenBit,
    /// Lines of any characters (8BITMIME).
    EightBit,
    /// Any bytes (BINARYMIME).
    Binary,
}

/// What the sender of a message wants of encryption on the way (RFC 8689).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TlsWish {
    /// Nothing in particular.
    #[default]
    Usual,
    /// REQUIRETLS: rather returned than sent without.
    Required,
    /// `TLS-Required: No`: rather sent without than returned.
    NotNeeded,
}

/// When messages come.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// `count` of them, `gap` apart, the first at `at`.
    Fixed {
        /// First.
        at: SimTime,
        /// How many.
        count: u64,
        /// Nanoseconds between two.
        gap_ns: u64,
    },
    /// `count` spread evenly over `over`.
    Burst {
        /// First.
        at: SimTime,
        /// How many.
        count: u64,
        /// Nanoseconds.
        over_ns: u64,
    },
    /// One each interval.
    Every {
        /// First.
        at: SimTime,
        /// Nanoseconds.
        interval_ns: u64,
        /// First instant without.
        until: SimTime,
    },
    /// As the lines of a file say.
    Listed(Listing),
    /// Exponential gaps.
    Poisson {
        /// Beginning.
        at: SimTime,
        /// Mean gap, nanoseconds.
        gap_ns: u64,
        /// First instant without.
        until: SimTime,
        /// At most this many; 0 = no limit.
        count: u64,
    },
}

/// Where the messages of a source enter from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The moment.
    pub at: SimTime,
    /// The place of each of the senders.
    pub doors: Vec<Door>,
}

impl Source {
    /// Where a message of one of its senders enters at a moment: machines with weights, and in whose name.
    #[must_use]
    #[inline]
    pub fn door(&self, sender: usize, at: SimTime) -> (&[(HostId, u32)], Option<crate::base::SystemId>) {
        if self.later.is_empty() { (&self.entries, self.tenant) } else { self.door_after_moves(sender, at) }
    }

    #[cold]
    #[inline(never)]
    fn door_after_moves(&self, sender: usize, at: SimTime) -> (&[(HostId, u32)], Option<crate::base::SystemId>) {
        let moved = self.later.iter().rev().find(|moved| moved.at <= at).and_then(|moved| moved.doors.get(sender));
        moved.map_or((&self.entries, self.tenant), |(hosts, tenant)| (hosts, *tenant))
    }
}

/// Messages one by one, in the order of their moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The messages.
    pub rows: Vec<Listed>,
    /// Where they enter: machines with weights, and in whose name.
    pub entries: Vec<Door>,
}

/// Machines where a message may enter, with weights, and in whose name.
pub type Door = (Vec<(HostId, u32)>, Option<crate::base::SystemId>);

/// One message of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// When.
    pub at: SimTime,
    /// Which of the source's senders.
    pub sender: u32,
    /// Which of the source's lists of recipients.
    pub list: u32,
    /// Which of the entries.
    pub entry: u32,
    /// Bytes.
    pub size_bytes: u64,
}

impl Schedule {
    /// When its first message is due at the earliest.
    #[must_use]
    pub fn begins_at(&self) -> SimTime {
        match self {
            Self::Fixed { at, .. } | Self::Burst { at, .. } | Self::Every { at, .. } | Self::Poisson { at, .. } => *at,
            Self::Listed(listing) => listing.rows.first().map_or(SimTime::NEVER, |row| row.at),
        }
    }

    /// About how many messages it sends before `end`.
    #[must_use]
    pub fn messages_until(&self, end: SimTime) -> u64 {
        let fits = |at: &SimTime, until: SimTime, gap_ns: u64| until.min(end).since(*at) / gap_ns.max(1) + 1;
        match self {
            Self::Fixed { at, count, gap_ns } => (*count).min(fits(at, SimTime::NEVER, *gap_ns)),
            Self::Burst { count, .. } => *count,
            Self::Listed(listing) => listing.rows.len() as u64,
            Self::Every { at, interval_ns, until } => fits(at, *until, *interval_ns),
            Self::Poisson { at, gap_ns, until, count: 0 } => fits(at, *until, *gap_ns),
            Self::Poisson { at, gap_ns, until, count } => (*count).min(fits(at, *until, *gap_ns)),
        }
    }
}

/// `local@domain` with `#` for the number of the message and `##` for a `#`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AddressTemplate {
    /// As written.
    pub local: Box<str>,
    /// Normal form, maybe with `#`; or an address literal in brackets.
    pub domain: Box<str>,
}

impl AddressTemplate {
    /// An address that is the same for every message.
    #[must_use]
    pub fn of(address: &crate::base::Address) -> Self {
        Self { local: address.local.replace('#', "##").into(), domain: address.domain.replace('#', "##").into() }
    }

    /// The address of message number `number`.
    #[must_use]
    pub fn expand(&self, number: u64) -> crate::base::Address {
        crate::base::Address { local: expand(&self.local, number), domain: expand(&self.domain, number) }
    }

    /// The same for every message?
    #[must_use]
    pub fn is_constant(&self) -> bool {
        !self.local.contains('#') && !self.domain.contains('#')
    }
}

fn expand(text: &str, number: u64) -> Box<str> {
    if text.contains('#') {
        text.replace("##", "\u{0}").replace('#', &number.to_string()).replace('\u{0}', "#").into()
    } else {
        text.into()
    }
}

/// To whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipients {
    /// All of these on each message.
    All(Vec<AddressTemplate>),
    /// For each message of a list one of these.
    Listed(Vec<Vec<AddressTemplate>>),
    /// One of these.
    OneOf(Vec<(AddressTemplate, u32)>),
}

/// What the sender calls a message and its recipients in its own words; reports about them say it again (RFC 3461 §4.2, §4.4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EnvelopeNames {
    /// ENVID in xtext, `#` for the number of the message.
    pub id: Option<Box<str>>,
    /// ORCPT of recipients: type, and address in xtext.
    pub originals: Vec<(AddressTemplate, Box<str>, Box<str>)>,
}

impl EnvelopeNames {
    /// ENVID of message number `number`.
    #[must_use]
    pub fn id_of(&self, number: u64) -> Option<Box<str>> {
        self.id.as_ref().map(|id| expand(id, number))
    }

    /// ORCPT of a recipient of message number `number`.
    #[must_use]
    pub fn original(&self, to: &AddressTemplate, number: u64) -> Option<(&str, Box<str>)> {
        self.originals.iter().find(|(known, ..)| known == to).map(|(_, kind, address)| (&**kind, expand(address, number)))
    }
}

/// NOTIFY (RFC 3461 §4.1).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Notify {
    /// SUCCESS
    pub success: bool,
    /// FAILURE
    pub failure: bool,
    /// DELAY
    pub delay: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_how_many() {
        let (at, until, end) = (SimTime(10), SimTime(110), SimTime(1000));
        let cases = [
            (Schedule::Fixed { at, count: 3, gap_ns: 0 }, 3),
            (Schedule::Burst { at, count: 500, over_ns: 7 }, 500),
            (Schedule::Every { at, interval_ns: 10, until }, 11),
            (Schedule::Poisson { at, gap_ns: 10, until, count: 0 }, 11),
            (Schedule::Poisson { at, gap_ns: 10, until: SimTime::NEVER, count: 5 }, 5),
            (Schedule::Poisson { at, gap_ns: 10, until: SimTime::NEVER, count: 0 }, 100),
        ];
        for (schedule, expected) in cases {
            assert_eq!(schedule.messages_until(end), expected, "{schedule:?}");
        }
    }
}
