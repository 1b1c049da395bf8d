//! In which words does a server send clients and recipients away? One field for each case that some server has.
//!
//! The words about recipients are those of running servers (Postfix 3.7.11, Exim 4.96, Sendmail 8.17.1.9, OpenSMTPD 6.8.0p2, as they are delivered);
//! qmail-smtpd.c `err_nogateway`; KumoMTA smtp_server.rs. Not modelled: the address that most of them repeat, tables and policies of one's own.

use crate::base::Enhanced;
use crate::model::client_limits::ClientLimits;
use crate::model::settings::{Profile, WhenFull};

/// A reply without its code, which is always 421.
pub type Words = (Option<Enhanced>, &'static str);

/// A reply to RCPT.
pub type Refusal = (u16, Option<Enhanced>, &'static str);

/// What a server says to clients that are too many, and about recipients that it does not take.
#[derive(Debug)]
pub struct DoorRules {
    /// All places are taken.
    pub full: Words,
    /// The client has enough of them.
    pub client_full: Words,
    /// Clients that may send anywhere may have any number of connections (Postfix `smtpd_client_event_limit_exceptions`).
    pub spares_relay_clients: bool,
    /// Nobody has this address, in a domain that is served here. `None`: it knows domains only, takes everybody, and finds out when it delivers.
    pub unknown_user: Option<Refusal>,
    /// The domain is not served here, and the client may not send elsewhere.
    pub no_relay: Refusal,
}

impl DoorRules {
    /// As most.
    pub(crate) const PLAIN: Self = Self {
        full: (Some(Enhanced(4, 3, 2)), "too many connections"),
        client_full: (Some(Enhanced(4, 7, 0)), "too many connections from your address"),
        spares_relay_clients: false,
        unknown_user: Some((550, Some(Enhanced(5, 1, 1)), "User unknown")),
        no_relay: (554, Some(Enhanced(5, 7, 1)), "Relay access denied"),
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
