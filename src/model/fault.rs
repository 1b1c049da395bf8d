//! What goes wrong, when, at whom: faults as windows over hosts, lines and names.
//!
//! A window includes its first instant, not its last. What a host `receives` always is the same vocabulary without a window.

use super::dns::Outcome;
use super::mta_sts::PolicyHostFault;
use super::topology::{HostSet, Law};
use crate::base::{CertId, HostId, NameId, Pattern, Phase, Reply, SimTime};
use std::net::IpAddr;

/// When, and for how many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Window {
    /// First instant.
    pub from: SimTime,
    /// First instant after it; `SimTime::NEVER` = for ever.
    pub until: SimTime,
}

impl Window {
    /// Always.
    pub const ALWAYS: Self = Self { from: SimTime::ZERO, until: SimTime::NEVER };

    /// Is the moment inside?
    #[must_use]
    pub fn has(self, at: SimTime) -> bool {
        self.from <= at && at < self.until
    }
}

/// One fault (or one thing that a host always does).
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its name; of `receives`: the host's name and a number.
    pub name: Box<str>,
    /// Its luck.
    pub key: u64,
    /// When.
    pub window: Window,
    /// Written under `receives`, not under `faults`: loses against a fault.
    pub always: bool,
    /// Only the first n (replies for `Reply`, sessions for the others); 0 = all.
    pub times: u32,
    /// Per 10^9; 10^9 = always.
    pub probability_ppb: u32,
    /// What.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// A machine (or one address of it) neither receives nor sends.
    Down {
        /// Machines.
        hosts: HostSet,
        /// Only these addresses of them; empty = the whole machine.
        addresses: Vec<IpAddr>,
        /// What a client sees.
        how: Unreachable,
        /// Sessions under way are cut (else they finish).
        cut: bool,
        /// The queue is lost.
        queue_lost: bool,
    },
    /// Random up and down.
    Flapping {
        /// Machines (they fail together).
        hosts: HostSet,
        /// Mean time up, nanoseconds.
        up_ns: u64,
        /// Mean time down, nanoseconds.
        down_ns: u64,
        /// What a client sees.
        how: Unreachable,
        /// Sessions under way are cut.
        cut: bool,
    },
    /// No connection between two sets.
    Partition {
        /// One side; the client's side if one-way.
        a: HostSet,
        /// The other.
        b: HostSet,
        /// Only connections from a to b fail.
        one_way: bool,
        /// What a client sees.
        how: Unreachable,
    },
    /// Slower line.
    Latency {
        /// One end.
        a: HostSet,
        /// The other.
        b: HostSet,
        /// Added to each exchange.
        add: Law,
    },
    /// Fewer slots, slower service.
    Capacity {
        /// Machines.
        hosts: HostSet,
        /// Slots, if they change.
        sessions: Option<u32>,
        /// Service time, if it changes.
        service_time: Option<Law>,
    },
    /// Slow replies.
    Tarpit {
        /// Machines.
        hosts: HostSet,
        /// At this command (`None`: at each).
        phase: Option<Phase>,
        /// Added before the reply.
        delay_ns: u64,
    },
    /// Another reply than usual.
    Reply {
        /// Machines.
        hosts: HostSet,
        /// At this command.
        phase: Phase,
        /// The reply.
        reply: Reply,
        /// Only for these senders (`<>` matches the empty text).
        sender: Option<Pattern>,
        /// Only for these recipients.
        recipient: Option<Pattern>,
        /// From RCPT n+1 on.
        after_recipients: u32,
        /// The server closes after it (421 always does).
        close: bool,
    },
    /// The session ends without a reply.
    Drop {
        /// Machines.
        hosts: HostSet,
        /// At this command.
        phase: Phase,
        /// How.
        how: DropHow,
        /// In `Content`: after this many bytes.
        after_bytes: u64,
        /// At the final dot: the message was taken first.
        accepted: bool,
    },
    /// No or broken encryption.
    Starttls {
        /// Machines.
        hosts: HostSet,
        /// How.
        how: StarttlsHow,
    },
    /// Another certificate is shown.
    Certificate {
        /// Machines.
        hosts: HostSet,
        /// This one; `None` = STARTTLS is not offered.
        becomes: Option<CertId>,
    },
    /// Unknown senders wait.
    Greylist {
        /// Machines.
        hosts: HostSet,
        /// What it answers: RCPT, DATA or the final dot.
        phase: Phase,
        /// Too early before this, nanoseconds.
        delay_ns: u64,
        /// Too late after this.
        window_ns: u64,
        /// Known for this long.
        remembered_ns: u64,
        /// Machines that share one memory (a name made of theirs).
        memory: u32,
        /// A client is known by its network (/24, for IPv6 /64), not by its address.
        by_subnet: bool,
        /// The reply.
        reply: Reply,
    },
    /// Unknown clients are looked at before the server itself speaks (postscreen).
    Postscreen {
        /// Machines.
        hosts: HostSet,
        /// An unknown client waits so long for its banner.
        greet_wait_ns: u64,
        /// Then it is known for so long.
        greet_ttl_ns: u64,
        /// With deep protocol tests: whoever passed them comes back, and is known for so long.
        deep_ttl_ns: Option<u64>,
    },
    /// Too many messages.
    RateLimit {
        /// Machines.
        hosts: HostSet,
        /// This many from one client …
        messages: u32,
        /// … in this long.
        per_ns: u64,
        /// The reply.
        reply: Reply,
    },
    /// A resource of an Exchange server runs out.
    BackPressure {
        /// Machines.
        hosts: HostSet,
        /// Which resource, how much.
        pressure: super::back_pressure::Pressure,
    },
    /// A policy host is in trouble.
    MtaSts {
        /// The domain whose policy it shows.
        domain: NameId,
        /// How.
        how: PolicyHostFault,
    },
    /// A question to DNS goes wrong.
    Dns {
        /// The name.
        name: NameId,
        /// Only this type (a record type as in `model::dns`).
        kind: Option<super::dns::RecordType>,
        /// Only in this view.
        view: Option<usize>,
        /// What comes back.
        answer: DnsFault,
    },
}

/// What a client sees of a machine that is not there.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Unreachable {
    /// Nothing: connect timeout.
    Silent,
    /// Reset.
    Refused,
    /// No route to host, at once.
    Unreachable,
}

/// How a session ends without a reply.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DropHow {
    /// Orderly close.
    Close,
    /// TCP reset.
    Reset,
    /// Nothing more is said.
    Silence,
}

/// What is wrong with STARTTLS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StarttlsHow {
    /// Not offered.
    Missing,
    /// Answered with this.
    Refused(Reply),
    /// 220, then no common ground.
    HandshakeFails,
    /// 220, then the connection closes.
    Closes,
    /// 220, then silence.
    Hangs,
}

/// What comes back instead of the answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DnsFault {
    /// SERVFAIL
    ServFail,
    /// NXDOMAIN
    NxDomain,
    /// NOERROR without records
    NoData,
    /// REFUSED
    Refused,
    /// no answer
    Timeout,
    /// a validating resolver says SERVFAIL
    Bogus,
    /// cut off, and TCP is blocked
    Truncated,
}

impl DnsFault {
    /// What the resolver hears.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::ServFail | Self::Bogus => Outcome::ServFail,
            Self::NxDomain => Outcome::NxDomain,
            Self::NoData => Outcome::NoData,
            Self::Refused => Outcome::Refused,
            Self::Timeout => Outcome::Timeout,
            Self::Truncated => Outcome::Truncated,
        }
    }
}

/// Index of the faults by machine, made once by `compile`: numbers of `Model::faults`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFaults {
    /// `Down` and `Flapping`.
    pub reach: Vec<u32>,
    /// What a session meets, best first: a fault beats `receives`, the narrower pattern the wider, the later beginning the earlier.
    pub session: Vec<u32>,
    /// `Capacity`, best first.
    pub capacity: Vec<u32>,
}

/// All machines that a fault strikes, for reports.
#[must_use]
pub fn struck(kind: &FaultKind) -> Option<&HostSet> {
    match kind {
        FaultKind::Down { hosts, .. }
        | FaultKind::Flapping { hosts, .. }
        | FaultKind::Capacity { hosts, .. }
        | FaultKind::Tarpit { hosts, .. }
        | FaultKind::Reply { hosts, .. }
        | FaultKind::Drop { hosts, .. }
        | FaultKind::Starttls { hosts, .. }
        | FaultKind::Certificate { hosts, .. }
        | FaultKind::Greylist { hosts, .. }
        | FaultKind::Postscreen { hosts, .. }
        | FaultKind::RateLimit { hosts, .. }
        | FaultKind::BackPressure { hosts, .. } => Some(hosts),
        FaultKind::Partition { .. } | FaultKind::Latency { .. } | FaultKind::Dns { .. } | FaultKind::MtaSts { .. } => None,
    }
}

/// Hosts of a set in a model with `count` machines.
#[must_use]
pub fn hosts_of(set: &HostSet, count: usize) -> Vec<HostId> {
    match set {
        HostSet::All => (0..count).map(|at| HostId(at as u32)).collect(),
        HostSet::These(hosts) => hosts.clone(),
    }
}
