//! Forefront Online Protection for Exchange, the filter of 2012: where it sends.
//!
//! Sources: TechNet, FOPE user guide (connectors, multi-SMTP profiles, enforcing and removing associations).

use super::settings::TlsPolicy;
use crate::base::NextHopId;

/// Where FOPE sends.
#[derive(Clone, Debug, PartialEq)]
pub struct FopeRouting {
    /// Domains of its customers, in the order of names.
    pub inbound: Vec<Inbound>,
    /// Outbound connectors, in the order of names.
    pub connectors: Vec<Connector>,
    /// Switch `equal_connectors`: the first by name, where the sources do not say.
    pub first_by_name: bool,
    /// Switch `opportunistic_handshake_failure`: `plain-retry` instead of `defer`.
    pub plain_retry: bool,
}

impl FopeRouting {
    /// Does some connector act for senders of some domains only?
    #[must_use]
    pub fn looks_at_senders(&self) -> bool {
        self.connectors.iter().any(|connector| matches!(connector.association, Association::Domains(_)))
    }
}

/// Which of the customers' domains a domain belongs to: itself, or the closest catch-all domain above it.
#[must_use]
pub fn profile_of(inbound: &[Inbound], domain: &str) -> Option<usize> {
    let is_below = |row: &Inbound| row.catches_all && domain.strip_suffix(&*row.domain).is_some_and(|front| front.ends_with('.'));
    let above = || (0..inbound.len()).filter(|at| is_below(&inbound[*at])).max_by_key(|at| inbound[*at].domain.len());
    inbound.iter().position(|row| *row.domain == *domain).or_else(above)
}

/// Where mail for a customer's domain goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbound {
    /// The domain.
    pub domain: Box<str>,
    /// A catch-all domain: names below it have the same profile.
    pub catches_all: bool,
    /// The destination in the words of the scenario.
    pub name: Box<str>,
    /// Its servers.
    pub to: Servers,
}

/// An outbound connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Connector {
    /// `Name`
    pub name: Box<str>,
    /// `Description`
    pub description: Box<str>,
    /// Whose mail it is for.
    pub association: Association,
    /// `Recipient Domains`: `contoso.com`, `*.contoso.com`, `*.*`.
    pub recipient_domains: Vec<Box<str>>,
    /// `Deliver all messages to the following destination`; `None` = the recipient's MX.
    pub to: Option<Servers>,
    /// `Transport Layer Security (TLS) Settings`
    pub tls: TlsChoice,
}

/// Whose mail a connector is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Association {
    /// Nobody's: it does nothing.
    Removed,
    /// The whole company's.
    Company,
    /// That of senders in these domains, in the order of names.
    Domains(Vec<Box<str>>),
}

/// What a connector asks of TLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TlsChoice {
    /// The same for everybody.
    Policy(TlsPolicy),
    /// A trusted certificate that carries the domain of the recipient.
    MatchesDestinationDomain,
}

/// Servers in the order in which they are tried.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Servers {
    /// The lowest weight first.
    pub hops: Vec<NextHopId>,
    /// Servers of one weight take turns: each weight with how many have it. A destination that is no profile has weight 0.
    pub weights: Vec<(u16, u8)>,
}
