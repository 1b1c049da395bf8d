//! The compiled world, read-only: what `scenario::compile` makes of the text and the engine plays.

pub mod authentication;
pub mod automatic_reply;
pub mod back_pressure;
pub mod certificate;
pub mod client_limits;
mod client_tls;
pub mod directory;
pub mod dns;
pub mod exchange;
pub mod exchange_server;
pub mod expansion;
pub mod fault;
pub mod filter;
pub mod fope;
pub mod host_list;
pub mod inbound;
pub mod inbox;
pub mod keeping;
pub mod letter;
pub mod listener;
pub mod mail_flow_rule;
pub mod manner;
pub mod mta_sts;
pub mod operation;
pub mod receive_connector;
pub mod restrictions;
pub mod retry_rules;
pub mod routing_address;
pub mod settings;
pub mod sites;
pub mod targets;
pub mod topology;
pub mod traffic;

use crate::base::{CertId, ConfigId, HostId, Interner, NextHopId, SimTime, SystemId};
use std::net::IpAddr;

/// The whole world of a scenario. Rows of all tables with names are in the order of names, so declaration order is gone.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name of the scenario.
    pub name: Box<str>,
    /// Luck.
    pub seed: u64,
    /// Seconds since 1970 (UTC) of the scenario's first instant, if it has a calendar.
    pub start_unix_s: Option<i64>,
    /// End of the run, if one is given.
    pub until: Option<SimTime>,
    /// Bounds.
    pub limits: Limits,
    /// So many delayed messages of a tenant are too many for silence (`queue_alert_threshold`).
    pub queue_alert_threshold: u32,
    /// All names known at the start.
    pub names: dns::Names,
    /// Systems.
    pub systems: Vec<topology::System>,
    /// Machines.
    pub hosts: Vec<topology::Host>,
    /// Who answers where, sorted by address.
    pub addresses: Vec<(IpAddr, HostId)>,
    /// Everybody else.
    pub internet: SystemId,
    /// What is in force from when on, sorted by moment (equal moments by name of the change); never empty.
    pub versions: Vec<topology::Version>,
    /// Settings of machines.
    pub configs: Vec<settings::HostConfig>,
    /// Zones.
    pub zones: Vec<dns::Zones>,
    /// Resolvers.
    pub resolvers: Vec<topology::Resolver>,
    /// Certificates.
    pub certificates: Vec<certificate::Certificate>,
    /// Next hops that settings name.
    pub next_hops: Interner<settings::NextHop>,
    /// Time of one exchange where no link says otherwise.
    pub default_latency: topology::Law,
    /// Sources of traffic.
    pub sources: Vec<traffic::Source>,
    /// Faults, in the order of names; `receives` after them.
    pub faults: Vec<fault::Fault>,
    /// Faults by machine.
    pub host_faults: Vec<fault::HostFaults>,
    /// `Partition` and `Latency`.
    pub line_faults: Vec<u32>,
    /// `Dns`.
    pub dns_faults: Vec<u32>,
    /// `MtaSts`.
    pub mta_sts_faults: Vec<u32>,
}

/// Built-in bounds; a scenario may raise them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Events of the clockwork.
    pub events: u64,
    /// Hops of one message.
    pub hops: u32,
    /// Messages, reports among them.
    pub messages: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events: 200_000_000, hops: 100, messages: 20_000_000 }
    }
}

impl Model {
    /// How its moments are told.
    #[must_use]
    pub fn clock(&self) -> crate::base::Clock {
        crate::base::Clock { start: self.start_unix_s.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()) }
    }

    /// Which machine answers at an address?
    #[must_use]
    pub fn host_at(&self, address: IpAddr) -> Option<HostId> {
        self.addresses.binary_search_by(|(ip, _)| ip.cmp(&address)).ok().map(|at| self.addresses[at].1)
    }

    /// The number of the version in force at a moment.
    #[must_use]
    pub fn version_at(&self, at: SimTime) -> usize {
        self.versions.partition_point(|version| version.at <= at).saturating_sub(1)
    }

    /// The settings of a machine in a version.
    #[must_use]
    pub fn config(&self, id: ConfigId) -> &settings::HostConfig {
        &self.configs[id.index()]
    }

    /// One next hop.
    #[must_use]
    pub fn next_hop(&self, id: NextHopId) -> &settings::NextHop {
        self.next_hops.get(id.0)
    }

    /// One certificate.
    #[must_use]
    pub fn certificate(&self, id: CertId) -> &certificate::Certificate {
        &self.certificates[id.index()]
    }
}
