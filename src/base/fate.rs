//! How a recipient ended. A closed list: every recipient of every message ends in exactly one of these.

use super::Enhanced;

/// The fates. Code and enhanced status beside each are those of a run where no server gave a better one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fate {
    /// In a mailbox of the model.
    Delivered,
    /// A server refused for good, or the sender's rules end it at once; reported to the sender.
    Bounced,
    /// Refused before any queue took it: nobody had it.
    Rejected,
    /// The lifetime in a queue is over; reported to the sender.
    Expired,
    /// Dropped on purpose and in silence.
    Discarded,
    /// Held back by a filter.
    Quarantined,
    /// It went in a circle and was stopped.
    Looped,
    /// Kept, not tried any more until somebody thaws it (Exim).
    Frozen,
    /// Replaced by the members of a list or group.
    Expanded,
    /// Still in a queue when the run ended.
    Queued,
    /// Died with a server whose queue was lost.
    Lost,
    /// Handed over to the internet outside of the model.
    LeftModel,
    /// The rules known to the scenario and its profiles do not say what happens.
    NotModelled,
}

impl Fate {
    /// All fates, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Delivered,
        Self::LeftModel,
        Self::Bounced,
        Self::Expired,
        Self::Rejected,
        Self::Looped,
        Self::Queued,
        Self::Discarded,
        Self::Quarantined,
        Self::Frozen,
        Self::Expanded,
        Self::Lost,
        Self::NotModelled,
    ];

    /// The word in text and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Discarded => "discarded",
            Self::Quarantined => "quarantined",
            Self::Looped => "looped",
            Self::Frozen => "frozen",
            Self::Expanded => "expanded",
            Self::Queued => "queued",
            Self::Lost => "lost",
            Self::LeftModel => "left the model",
            Self::NotModelled => "the scenario does not say",
        }
    }

    /// Code and status where nothing better is known; a code of 0 means that no server spoke.
    #[must_use]
    pub fn default_code(self) -> (u16, Enhanced) {
        match self {
            Self::Delivered | Self::LeftModel => (250, Enhanced(2, 0, 0)),
            Self::Bounced => (550, Enhanced(5, 0, 0)),
            Self::Rejected => (550, Enhanced(5, 7, 1)),
            Self::Expired => (0, Enhanced(4, 4, 7)),
            Self::Discarded => (250, Enhanced(2, 0, 0)),
            Self::Quarantined => (250, Enhanced(2, 7, 0)),
            Self::Looped => (554, Enhanced(5, 4, 6)),
            Self::Frozen | Self::Queued => (0, Enhanced(4, 4, 0)),
            Self::Expanded => (250, Enhanced(2, 1, 5)),
            Self::Lost => (0, Enhanced(4, 3, 0)),
            Self::NotModelled => (0, Enhanced(5, 3, 5)),
        }
    }
}
