//! What is a machine set to? The side that sends, and the side that receives.

use super::authentication::Stance;
use super::client_limits::ClientLimits;
pub use super::client_tls::{ClientCertificate, ClientTls, DaneDigests, DaneUse, TlsLevel, TlsPolicy, UnsignedList};
use super::exchange::Tenant;
use super::exchange_server::Organization;
use super::expansion::Expansion;
use super::filter::FilterRule;
use super::fope::FopeRouting;
pub use super::keeping::{Cache, Keeping, SessionLimits};
pub use super::listener::Listener;
use super::restrictions::Restrictions;
pub use super::retry_rules::Retry;
pub use super::targets::{AliasNames, OwnTarget, Targets};
use super::topology::Law;
use crate::base::{CertId, NameId, NextHopId, Pattern, SimTime};
use std::net::IpAddr;

/// All settings of one machine for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct HostConfig {
    /// How it sends.
    pub sender: Sender,
    /// How it receives.
    pub receiver: Receiver,
    /// What it does about the origin of mail (tenants of Exchange Online have their own).
    pub stance: Stance,
    /// What it shows of itself where it is a client.
    pub credentials: Credentials,
}

/// What a machine shows of itself to servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credentials {
    /// The mailbox that it logs in with, where a server offers AUTH.
    pub login: Option<Box<str>>,
    /// With a token (OAuth) instead of a password.
    pub oauth: bool,
    /// The certificate in its handshakes, where no connector names another.
    pub certificate: Option<CertId>,
}

impl HostConfig {
    /// Does it log in somewhere?
    #[must_use]
    pub fn logs_in(&self) -> bool {
        let has_login = |organization: &Organization| organization.send_connectors.iter().any(|connector| connector.login.is_some());
        self.credentials.login.is_some() || self.receiver.directory.organization().is_some_and(has_login)
    }

    /// It keeps no connections, has no hosts of last resort, and no mailbox there answers by itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.sender.is_plain() && !self.receiver.directory.has_automatic_replies()
    }

    /// Does its rule book look at more of a message than at its recipient?
    #[must_use]
    pub fn reads_letters(&self) -> bool {
        match &self.receiver.directory {
            Directory::Everything => false,
            Directory::Mta(_) if !self.receiver.filter.is_empty() => true,
            Directory::Mta(_) => matches!(&self.sender.routing, Routing::Fope(fope) if fope.looks_at_senders()),
            Directory::Organization(organization) => organization.reads_letters(),
            Directory::Tenants(tenants) => tenants.iter().any(Tenant::reads_letters),
        }
    }
}

/// Whose rules a sender follows.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Profile {
    /// RFC 5321 and its sisters, strictly.
    #[default]
    Rfc,
    /// Postfix 3.
    Postfix,
    /// Exim 4.
    Exim,
    /// Sendmail 8.17.
    Sendmail,
    /// OpenSMTPD 7.8.
    OpenSmtpd,
    /// OpenSMTPD 6.8.
    OpenSmtpd6,
    /// qmail.
    Qmail,
    /// KumoMTA.
    KumoMta,
    /// Exchange Online.
    ExchangeOnline,
    /// Exchange Server.
    ExchangeServer,
    /// A script: one try, no queue.
    NoRetry,
}

/// How much of a message comes back in a report of its failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Returned {
    /// All of it.
    Whole,
    /// All of it up to so many bytes, else its headers.
    UpTo(u64),
    /// All of it where its sender asked for that, else its headers.
    IfAsked,
    /// Its headers.
    Headers,
}

/// The sending side.
#[derive(Clone, Debug, PartialEq)]
pub struct Sender {
    /// Whose rules.
    pub profile: Profile,
    /// How long it waits, by phase.
    pub timers: Timers,
    /// When it tries again and when it gives up.
    pub retry: Retry,
    /// Addresses tried in one attempt at most (`smtp_mx_address_limit`); 0 = no limit.
    pub address_limit: u32,
    /// Sessions that got past EHLO in one attempt at most (`smtp_mx_session_limit`); 0 = no limit.
    pub session_limit: u32,
    /// Recipients of one transaction at most (`smtp_destination_recipient_limit`); 0 = no limit.
    pub recipient_limit: u32,
    /// Deliveries at once to one next hop: at the start, and at most; 0 = no limit.
    pub concurrency: (u32, u32),
    /// Which address families it can use.
    pub families: Families,
    /// Where mail goes.
    pub routing: Routing,
    /// What it asks of the other side's encryption.
    pub tls: ClientTls,
    /// Postfix `smtp_skip_5xx_greeting`.
    pub skip_5xx_greeting: bool,
    /// Postfix `smtp_randomize_addresses`.
    pub randomize_addresses: bool,
    /// Postfix `smtp_defer_if_no_mx_address_found`.
    pub defer_if_no_mx_address: bool,
    /// Which targets of MX records it leaves out, and what it does about itself.
    pub targets: Targets,
    /// Deferrals for connection failures in a row (as shares of the window) before a destination counts as dead; 0 = never.
    pub failed_cohort_limit: u32,
    /// What a report of failure returns.
    pub returned: Returned,
    /// Deliveries at once to all next hops together (qmail `concurrencyremote`, Postfix `default_process_limit`); 0 = no limit.
    pub deliveries_in_all: u32,
    /// How long a destination rests after each delivery (Postfix `default_destination_rate_delay`); 0 = not at all.
    pub rate_delay_ns: u64,
    /// A host that is tried after each one that cannot be reached or found, by its address (Sendmail `FallBackSmartHost`).
    pub last_try: Option<Box<str>>,
    /// Connections that it keeps open for more mail.
    pub keeping: Keeping,
    /// Recipients answered 452 after others were taken follow in a further transaction of the same session.
    pub rest_follows: bool,
}

impl Sender {
    /// It keeps no connections, has no hosts of last resort, and lets no destination rest.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let last_resort = matches!(&self.routing, Routing::Mta { fallback_hosts, .. } if !fallback_hosts.is_empty());
        !last_resort && !self.keeping.is_used() && self.rate_delay_ns == 0
    }
}

/// Which address families a sender uses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Families {
    /// A records are asked and used.
    pub v4: bool,
    /// AAAA records are asked and used.
    pub v6: bool,
    /// Which goes first within one preference (`smtp_address_preference`).
    pub prefer: FamilyPreference,
    /// Postfix `smtp_balance_inet_protocols`.
    pub balance: bool,
}

/// `smtp_address_preference`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FamilyPreference {
    /// By luck.
    Any,
    /// IPv4 first.
    V4,
    /// IPv6 first.
    V6,
}

/// Timeouts of a client, nanoseconds (RFC 5321 §4.5.3.2 and the server's own parameters).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Timers {
    /// TCP connect.
    pub connect_ns: u64,
    /// TCP connect in the first attempt of a message, if that is another one (Sendmail `Timeout.iconnect`); 0 = the same.
    pub first_connect_ns: u64,
    /// The 220.
    pub banner_ns: u64,
    /// Reply to EHLO and HELO.
    pub ehlo_ns: u64,
    /// Reply to STARTTLS, and the handshake.
    pub starttls_ns: u64,
    /// Reply to AUTH.
    pub auth_ns: u64,
    /// Reply to MAIL.
    pub mail_ns: u64,
    /// Reply to RCPT.
    pub rcpt_ns: u64,
    /// DATA to 354.
    pub data_ns: u64,
    /// Each block of content.
    pub content_ns: u64,
    /// Final dot to its reply.
    pub final_dot_ns: u64,
}

impl Timers {
    /// The same, but for every answer in a session at most so long.
    #[must_use]
    pub fn at_most(self, ns: u64) -> Self {
        Self {
            connect_ns: self.connect_ns,
            first_connect_ns: self.first_connect_ns,
            banner_ns: self.banner_ns.min(ns),
            ehlo_ns: self.ehlo_ns.min(ns),
            starttls_ns: self.starttls_ns.min(ns),
            auth_ns: self.auth_ns.min(ns),
            mail_ns: self.mail_ns.min(ns),
            rcpt_ns: self.rcpt_ns.min(ns),
            data_ns: self.data_ns.min(ns),
            content_ns: self.content_ns.min(ns),
            final_dot_ns: self.final_dot_ns.min(ns),
        }
    }
}

/// Where mail of this machine goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Routing {
    /// A mail server's tables.
    Mta {
        /// Tried in order instead of the recipient's MX; empty = MX.
        smart_hosts: Vec<NextHopId>,
        /// By recipient domain; wins over the smart hosts. Exact domains, or `.domain` for those below.
        routes: Vec<Route>,
        /// Of last resort.
        fallback_hosts: Vec<NextHopId>,
    },
    /// Exchange Online: the tenant that the message is attributed to decides (see the receiver's directory).
    Tenants,
    /// Exchange Server: the organization decides (see the receiver's directory).
    Organization,
    /// FOPE: connectors by recipient and by the sender's domain.
    Fope(Box<FopeRouting>),
    /// Nothing in the scenario says where its mail goes.
    Unknown,
}

/// One line of a transport map.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// As written.
    pub pattern: Box<str>,
    /// The domain without a leading dot.
    pub domain: Box<str>,
    /// Names below the domain, not itself.
    pub subdomains: bool,
    /// Tried in order.
    pub to: Vec<NextHopId>,
}

/// A place where mail goes next.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NextHop {
    /// What it names.
    pub target: Target,
    /// TCP port.
    pub port: u16,
}

/// What a next hop names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Target {
    /// A name whose MX is asked first.
    Mx(NameId),
    /// A name whose address is asked (`[name]`).
    Host(NameId),
    /// An address.
    Ip(IpAddr),
}

/// The receiving side.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// The machine is in place. One that a dated change brings is not before that.
    pub is_there: bool,
    /// Ports it answers on.
    pub listeners: Vec<Listener>,
    /// What it shows; `None` = no STARTTLS.
    pub certificate: Option<CertId>,
    /// Sessions at once.
    pub sessions: u32,
    /// What happens to one more.
    pub when_full: WhenFull,
    /// Its own part of a transaction.
    pub service_time: Law,
    /// Announced as SIZE, enforced; `None` = not limited.
    pub max_message_size: Option<u64>,
    /// RCPT after this many get 452 4.5.3; 0 = no limit.
    pub max_recipients: u32,
    /// A message with this many Received fields, its own included, is refused; 0 = never.
    pub hop_limit: u32,
    /// What it bears of one client.
    pub client_limits: ClientLimits,
    /// Domains of senders and recipients that it refuses.
    pub restrictions: Restrictions,
    /// Who has a mailbox here and what is taken for others.
    pub directory: Directory,
    /// What it does with messages beside that, in order.
    pub filter: Vec<FilterRule>,
}

/// What happens to a session when all slots are taken.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum WhenFull {
    /// It waits in line before the banner.
    Wait,
    /// It is told 421.
    Reply421,
    /// It hears nothing.
    Silence,
}

/// Whose mail is taken.
#[derive(Clone, Debug, PartialEq)]
pub enum Directory {
    /// The internet: everything, and it leaves the model.
    Everything,
    /// A mail server.
    Mta(MtaDirectory),
    /// A server of an Exchange organization.
    Organization(Box<Organization>),
    /// Exchange Online: the tenants in the order of names.
    Tenants(Vec<Tenant>),
}

impl Directory {
    /// Of a server of an Exchange organization.
    #[inline]
    #[must_use]
    pub fn organization(&self) -> Option<&Organization> {
        match self {
            Self::Organization(organization) => Some(organization),
            Self::Everything | Self::Mta(_) | Self::Tenants(_) => None,
        }
    }

    /// Of a mail server.
    #[inline]
    #[must_use]
    pub fn mail_server(&self) -> Option<&MtaDirectory> {
        match self {
            Self::Mta(directory) => Some(directory),
            Self::Everything | Self::Organization(_) | Self::Tenants(_) => None,
        }
    }

    /// Of Exchange Online; elsewhere there are none.
    #[inline]
    #[must_use]
    pub fn tenants(&self) -> &[Tenant] {
        match self {
            Self::Tenants(tenants) => tenants,
            Self::Everything | Self::Mta(_) | Self::Organization(_) => &[],
        }
    }

    /// A number for the time in which no dated rule changes an answer to RCPT.
    #[must_use]
    pub fn period(&self, at: SimTime) -> u8 {
        self.tenants().first().map_or(0, |tenant| tenant.inbound.relay.number(at))
    }

    /// Does an answer to RCPT depend on more of the client than its address?
    #[must_use]
    pub fn looks_at_visitors(&self) -> bool {
        match self {
            Self::Organization(_) => true,
            Self::Everything | Self::Mta(_) => false,
            Self::Tenants(tenants) => tenants.iter().any(|tenant| tenant.inbound.looks_at_visitors()),
        }
    }
}

/// Whose mail a mail server takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MtaDirectory {
    /// Whose words it uses.
    pub profile: Profile,
    /// Mailboxes here, most exact pattern first.
    pub mailboxes: Vec<Pattern>,
    /// Recipients that others stand for, most exact pattern first.
    pub expansions: Vec<(Pattern, Expansion)>,
    /// Mailboxes that answer by themselves, most exact pattern first.
    pub automatic_replies: Vec<super::automatic_reply::AutomaticReply>,
    /// Domains of both: unknown users there are refused (5.1.1). Patterns such as `*` have none.
    pub mailbox_domains: Vec<Box<str>>,
    /// Domains taken for others.
    pub relay_domains: Vec<Pattern>,
    /// Who may send anywhere.
    pub relay_clients: Vec<Client>,
    /// Logins, and what each may send as beside its own address; empty = every login may use any sender.
    pub send_as: Vec<(Box<str>, Vec<Pattern>)>,
    /// A printer or an application: it takes nothing and has one server.
    pub is_device: bool,
}

/// Somebody who connects.
#[derive(Clone, Debug, PartialEq)]
pub enum Client {
    /// All machines of a system, group or site, or one machine (resolved to hosts by the compile step).
    Hosts(Vec<crate::base::HostId>),
    /// A network or one address.
    Network(ipnet::IpNet),
}
