//! Which connections does a sender keep open for more mail, and for how long?
//!
//! Sources: Postfix CONNECTION_CACHE_README and postconf(5), Exim specification `connection_max_messages`, Sendmail op.me `ConnectionCacheSize`,
//! KumoMTA `make_egress_path`, New-SendConnector `SmtpMaxMessagesPerConnection`, OpenSMTPD limit.c.

use crate::base::SECOND;

/// How a sender keeps connections open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Keeping {
    /// Each message has a connection of its own.
    #[default]
    Never,
    /// What is open and idle goes into a cache, and mail looks there before it connects.
    Cache(Cache),
    /// Mail that waits for the host is fetched while the connection is open (Exim).
    ForWaiting {
        /// Messages over one connection at most; 0 = no limit.
        mails: u32,
    },
    /// A queue run takes its mail one after the other and keeps some connections meanwhile (Sendmail).
    WithinRun {
        /// How many at once; 0 = none.
        connections: u32,
        /// So long after their last mail.
        idle_ns: u64,
        /// How long a host that failed is left alone.
        host_status_ns: u64,
        /// By whom.
        host_status: HostStatus,
    },
    /// So many sessions for a destination as its mail needs, opened one after the other; the last one stays for a while (OpenSMTPD).
    Sessions(SessionLimits),
}

/// How many sessions, how far apart, and for how much mail (limit.c).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionLimits {
    /// At once, to one address, whatever the destination.
    pub per_host: u32,
    /// At once, from one address of the sender to one address.
    pub per_route: u32,
    /// At once, for one destination, from one address of the sender.
    pub per_connector: u32,
    /// At once, for one destination.
    pub per_relay: u32,
    /// At once, for one domain.
    pub per_domain: u32,
    /// Between two connects to an address.
    pub gap_host_ns: u64,
    /// Between two connects over a route.
    pub gap_route_ns: u64,
    /// Between two connects for a destination from one address of the sender.
    pub gap_connector_ns: u64,
    /// Between two connects for a destination.
    pub gap_relay_ns: u64,
    /// Between two connects for a domain.
    pub gap_domain_ns: u64,
    /// Between the end of a session and the next connect over its route, while that has another one.
    pub gap_after_ns: u64,
    /// After so many refused recipients in a row a session ends; 0 = never.
    pub failures: u32,
    /// Mails over one session at most.
    pub mails: u32,
    /// The last session of a destination waits so long for more mail.
    pub idle_ns: u64,
}

impl SessionLimits {
    /// What limit.c begins with.
    pub const OPENSMTPD: Self = Self {
        per_host: 10,
        per_route: 5,
        per_connector: 20,
        per_relay: 100,
        per_domain: 100,
        gap_host_ns: 0,
        gap_route_ns: 5 * SECOND,
        gap_connector_ns: 0,
        gap_relay_ns: 2 * SECOND,
        gap_domain_ns: 0,
        gap_after_ns: 3 * SECOND,
        failures: 25,
        mails: 100,
        idle_ns: 10 * SECOND,
    };

    /// Between two connects for a destination, whatever the reason.
    #[must_use]
    pub fn gap_of_destination_ns(&self) -> u64 {
        self.gap_relay_ns.max(self.gap_connector_ns).max(self.gap_domain_ns)
    }

    /// Between two connects to an address, whatever the reason.
    #[must_use]
    pub fn gap_of_address_ns(&self) -> u64 {
        self.gap_host_ns.max(self.gap_route_ns)
    }
}

/// Who knows of a host that failed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum HostStatus {
    /// The queue run that met it.
    #[default]
    OfRun,
    /// All processes of the machine (Sendmail `HostStatusDirectory`).
    Shared,
    /// The same, and only one of them talks to a host at a time (`SingleThreadDelivery`).
    SharedAndAlone,
}

/// A cache of open connections.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cache {
    /// Only for a destination that has more mail than it gets done (Postfix `smtp_connection_cache_on_demand`); else always.
    pub on_demand: bool,
    /// On demand: is it done at all?
    pub demanded: bool,
    /// Next hops whose connections are kept in any case (Postfix `smtp_connection_cache_destinations`); `*` = all.
    pub destinations: Vec<Box<str>>,
    /// So long after the last mail.
    pub idle_ns: u64,
    /// So long after the connect; 0 = no limit.
    pub life_ns: u64,
    /// Messages over one connection at most; 0 = no limit.
    pub mails: u32,
    /// Encrypted ones too.
    pub encrypted: bool,
    /// Only for what stands in the same line and has its turn at that moment (Exchange Server).
    pub own_line: bool,
    /// Before it is used again, RSET asks whether it is still there; so long is waited for the answer. 0 = it is not asked.
    pub probe_ns: u64,
}

impl Keeping {
    /// Is something kept from one pass to another?
    #[must_use]
    pub fn is_used(&self) -> bool {
        match self {
            Self::Never => false,
            Self::Cache(cache) => !cache.on_demand || cache.demanded || !cache.destinations.is_empty(),
            Self::ForWaiting { .. } | Self::WithinRun { .. } | Self::Sessions(_) => true,
        }
    }
}

impl Cache {
    /// Are connections to this next hop kept whatever the demand?
    #[must_use]
    pub fn names(&self, next_hop: &str) -> bool {
        self.destinations.iter().any(|name| &**name == "*" || **name == *next_hop)
    }
}
