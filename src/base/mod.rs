//! The words everybody uses: names, time, replies, TLS. Knows nothing of any other room.

mod fate;
mod in_order;
mod intern;
mod letters;
mod names;
mod pattern;
mod punycode;
mod reply;
mod session;
mod spellings;
mod text;
mod time;
mod tls;
mod wording;
mod xtext;

pub use fate::Fate;
pub use in_order::InOrder;
pub use intern::Interner;
pub use names::{Address, BadDomain, Domain, alphabetical, common_form};
pub use pattern::Pattern;
pub use punycode::{BadLabel, Spelling, spell};
pub use reply::{CodePattern, Enhanced, Reply};
pub use session::{AttemptResult, ConnectionResult, Phase};
pub use spellings::Spellings;
pub use text::printable;
pub use time::{DAY, HOUR, MILLISECOND, MINUTE, SECOND, SimTime, parse_duration, seconds};
pub use tls::{TlsOutcome, TlsVersion};
pub use wording::{Clock, count, duration, exact_duration, share, shell_word};
pub use xtext::decode_xtext;

/// Declares the id of a row in a table: small, `Copy`, ordered as the table is.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub u32);

        impl $name {
            /// The place of this row in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A system: one administration. Ordered by name.
    SystemId,
    /// A machine with queues of its own. Ordered by name.
    HostId,
    /// A domain or host name of the model.
    NameId,
    /// A message, in the order of injection.
    MsgId,
    /// What a host is set to for a time; equal settings have equal ids.
    ConfigId,
    /// A resolver with its cache.
    ResolverId,
    /// The zones as they are for a time, all views of them.
    ZonesId,
    /// A certificate of the model.
    CertId,
    /// A source of traffic. Ordered by name.
    SourceId,
    /// A place where mail goes next: a domain, a smart host, an address.
    NextHopId,
}
