//! Who is there? Systems, machines, addresses, and how far apart they are.

use super::mta_sts::PolicySite;
use crate::base::{ConfigId, HostId, NameId, ResolverId, SimTime, SystemId, ZonesId};
use std::net::IpAddr;

/// One administration.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Its name in the scenario.
    pub name: Box<str>,
    /// What it is.
    pub kind: SystemKind,
    /// Its machines, in the order of names. Tenants of Exchange Online list the machines of the shared service.
    pub hosts: Vec<HostId>,
}

/// What a system is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SystemKind {
    /// Everybody else.
    Internet,
    /// A mail server.
    Mta,
    /// The same, drawn as an appliance.
    Gateway,
    /// A printer or an application.
    Device,
    /// One tenant of Exchange Online.
    Tenant,
    /// The shared service under all tenants: owns the front ends.
    ExchangeOnline,
    /// An Exchange organization.
    ExchangeServer,
    /// Forefront Online Protection for Exchange.
    Fope,
}

/// One machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// Its name: the key under `hosts`, the system's name, or `name#3` of a pool.
    pub name: Box<str>,
    /// Its system (of an Exchange Online front end: the shared service).
    pub system: SystemId,
    /// What it calls itself (EHLO), and by what name it finds itself in an MX list.
    pub hostname: NameId,
    /// Addresses where it answers, in written order.
    pub addresses: Vec<IpAddr>,
    /// Nobody wrote its addresses: it connects to both families.
    pub any_family: bool,
    /// The addresses that others see when it connects, if not its own (NAT); of several, each connection has one by luck.
    pub egress: Vec<IpAddr>,
    /// Names by which it can be meant beside its own and its system's: groups and site.
    pub groups: Vec<Box<str>>,
    /// First 8 bytes of SHA-256 of the name: its luck.
    pub key: u64,
    /// Who it asks for names.
    pub resolver: ResolverId,
}

/// What a machine, the zones and the lines between them are set to from a moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// From when on; the first is 0.
    pub at: SimTime,
    /// The change that made it (empty for the first).
    pub name: Box<str>,
    /// Settings, one per host.
    pub configs: Vec<ConfigId>,
    /// Whose mail which device sends, by name.
    pub devices: Vec<(HostId, Vec<crate::base::Pattern>)>,
    /// The zones.
    pub zones: ZonesId,
    /// Lines whose latency is not the default; the first that matches counts.
    pub links: Vec<Link>,
    /// Policy hosts, in the order of their domains' names.
    pub mta_sts: Vec<PolicySite>,
    /// `retry_queues`: these hosts try everything they hold at once.
    pub retry_queues: Vec<HostId>,
    /// What administrators do to queues then, in written order.
    pub operations: Vec<super::operation::Operation>,
}

/// A line between two sets of machines.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its name.
    pub name: Box<str>,
    /// One end.
    pub a: HostSet,
    /// The other.
    pub b: HostSet,
    /// Time of one exchange there and back.
    pub latency: Law,
}

/// A set of machines, sorted; or everybody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HostSet {
    /// `"*"`
    All,
    /// These.
    These(Vec<HostId>),
}

impl HostSet {
    /// Is this one of them?
    #[must_use]
    pub fn has(&self, host: HostId) -> bool {
        match self {
            Self::All => true,
            Self::These(hosts) => hosts.binary_search(&host).is_ok(),
        }
    }
}

/// How long something takes, nanoseconds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(u64),
    /// Exponential with this mean.
    Exponential(u64),
    /// Uniform from, to.
    Uniform(u64, u64),
}

/// One cache of DNS answers and the way to the servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolver {
    /// Its name; made up of the owner's where the scenario names none.
    pub name: Box<str>,
    /// Its luck.
    pub key: u64,
    /// Which view it is answered from (0 = public).
    pub view: usize,
    /// An answered question costs this.
    pub latency: Law,
    /// An unanswered one costs this many nanoseconds, `tries` times.
    pub timeout_ns: u64,
    /// How often it asks.
    pub tries: u32,
    /// TTLs below are raised to this, seconds.
    pub min_ttl_s: u32,
    /// TTLs above are lowered to this, seconds.
    pub max_ttl_s: u32,
    /// Negative answers are kept this long at most, seconds (RFC 2308 §5).
    pub max_negative_ttl_s: u32,
    /// Failures are kept this long at most, seconds (RFC 2308 §7).
    pub max_failure_ttl_s: u32,
    /// Expired answers may be given for this long when nobody answers, seconds (RFC 8767).
    pub serve_stale_s: u32,
    /// What it knows when the scenario begins.
    pub begins: CacheStart,
    /// Order of the records of one answer.
    pub answer_order: AnswerOrder,
}

/// What a cache knows when the scenario begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheStart {
    /// Nothing.
    Cold,
    /// What the zones say, just asked.
    Warm,
    /// What the zones say, asked some time ago: the age is uniform over the TTL, as in a cache in steady use.
    Aged,
}

/// In which order a resolver hands out the records of one answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnswerOrder {
    /// Anew for each question.
    Random,
    /// One further with each question.
    Rotated,
    /// As in the zone.
    AsWritten,
}
