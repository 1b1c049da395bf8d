//! What does a server know of the client that talks to it, when it hears MAIL and RCPT?
//!
//! The receiving rule books of all products look at one of these: who connects from where, over what TLS, with which certificate, logged in as
//! whom, at which listener, and what envelope and message say. Sources: RFC 5321 §3.3, RFC 8446 §4.4.2 (client certificates), RFC 4954.

use super::tls::Wanted;
use crate::base::{HostId, SimTime, SystemId, TlsVersion};
use crate::model::settings::Listener;
use std::net::IpAddr;

/// Who connects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Peer {
    /// The machine.
    pub host: HostId,
    /// The address that the server sees.
    pub address: Option<IpAddr>,
}

/// A client and what it brings.
#[derive(Clone, Debug)]
pub struct Visitor<'a> {
    /// Which machine, from where.
    pub peer: Peer,
    /// What it calls itself.
    pub helo: &'a str,
    /// The version of TLS, if the session is encrypted.
    pub tls: Option<TlsVersion>,
    /// The certificate that it showed.
    pub certificate: Option<ShownCertificate<'a>>,
    /// The mailbox that it logged in with.
    pub login: Option<&'a str>,
    /// That login came with a token (OAuth).
    pub oauth: bool,
    /// The tenant of Exchange Online that it sends for, if it is the shared service.
    pub tenant: Option<SystemId>,
    /// That tenant's name.
    pub organization: Option<&'a str>,
    /// For a server in a hybrid: it sends for a tenant with which the organization shares nothing.
    pub other_tenant: bool,
    /// The connector that it sends by left the organization's headers on the message (`CloudServicesMailEnabled`), for the organization's other half.
    pub keeps_headers: bool,
    /// The port that it found.
    pub listener: Option<&'a Listener>,
    /// MAIL FROM, empty for the null sender (P1).
    pub sender: &'a str,
    /// The domain in `From` of the message (P2).
    pub author: Option<&'a str>,
    /// What a filter would say, given as a fact.
    pub scl: Option<i8>,
    /// When it says so.
    pub at: SimTime,
}

/// A client's certificate as the server sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ShownCertificate<'a> {
    /// Its name in the scenario.
    pub name: &'a str,
    /// Subject and alternative names, lower case; the subject first.
    pub names: Vec<&'a str>,
    /// Chain, dates and revocation are good in the server's eyes; else what is wrong.
    pub trust: Result<(), &'static str>,
}

impl<'a> Visitor<'a> {
    /// Somebody of whom nothing is known but where he comes from.
    #[must_use]
    pub fn plain(peer: Peer) -> Self {
        Self {
            peer,
            helo: "",
            tls: None,
            certificate: None,
            login: None,
            oauth: false,
            tenant: None,
            organization: None,
            other_tenant: false,
            keeps_headers: false,
            listener: None,
            sender: "",
            author: None,
            scl: None,
            at: SimTime::ZERO,
        }
    }

    /// The domain of MAIL FROM; `None` for the null sender.
    #[must_use]
    pub fn sender_domain(&self) -> Option<&'a str> {
        self.sender.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// The names of its certificate, if that is worth anything.
    #[must_use]
    pub fn proven_names(&self) -> &[&'a str] {
        self.certificate.as_ref().filter(|certificate| certificate.trust.is_ok()).map_or(&[], |certificate| &certificate.names)
    }

    /// Has it a certificate of this name? A wildcard stands for one label, as anywhere in TLS.
    #[must_use]
    pub fn proves(&self, wanted: &str) -> bool {
        self.proven_names().iter().any(|name| Wanted::Name(wanted).is_met_by(name))
    }
}
