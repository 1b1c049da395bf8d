//! In which words does a server send clients away? One field for each case that some server has.

use crate::base::Enhanced;
use crate::model::client_limits::ClientLimits;
use crate::model::settings::{Profile, WhenFull};

/// A reply without its code, which is always 421.
pub type Words = (Option<Enhanced>, &'static str);

/// What a server says to clients that are too many.
#[derive(Debug)]
pub struct DoorRules {
    /// All places are taken.
    pub full: Words,
    /// The client has enough of them.
    pub client_full: Words,
    /// Clients that may send anywhere may have any number of connections (Postfix `smtpd_client_event_limit_exceptions`).
    pub spares_relay_clients: bool,
}

impl DoorRules {
    /// As most.
    pub(crate) const PLAIN: Self = Self {
        full: (Some(Enhanced(4, 3, 2)), "too many connections"),
        client_full: (Some(Enhanced(4, 7, 0)), "too many connections from your address"),
        spares_relay_clients: false,
    };
}

/// Places, what happens without one, and limits of one client, as the server is delivered. `None`: as any other.
#[must_use]
pub fn door_of(profile: Profile) -> (Option<u32>, Option<WhenFull>, ClientLimits) {
    let none = ClientLimits::default();
    match profile {
        // default_process_limit; more wait in the backlog of the socket.
        Profile::Postfix => {
            (Some(100), None, ClientLimits { connections: 50, soft_errors: 10, late_ns: crate::base::SECOND, hard_errors: 20 })
        }
        // smtp_accept_max
        Profile::Exim => (Some(20), Some(WhenFull::Reply421), none),
        Profile::Rfc
        | Profile::NoRetry
        | Profile::Sendmail
        | Profile::OpenSmtpd
        | Profile::OpenSmtpd6
        | Profile::Qmail
        | Profile::KumoMta
        | Profile::ExchangeOnline
        | Profile::ExchangeServer => (None, None, none),
    }
}
