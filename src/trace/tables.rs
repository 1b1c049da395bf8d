//! What rows have in common: each different value once, with a number.

use crate::base::{ConnectionResult, Enhanced, HostId, Interner, NameId, NextHopId, Phase, Reply, TlsOutcome, TlsVersion};
use crate::decide::Because;
use crate::decide::authentication::dkim::DkimResult;
use crate::decide::authentication::dmarc::{DmarcResult, Policy};
use crate::decide::authentication::spf::SpfResult;
use crate::model::dns::Names;
use crate::model::letter::Stamps;
use crate::model::manner::Manner;
use crate::model::settings::{NextHop, TlsPolicy};
use crate::model::traffic::AddressTemplate;
use smallvec::SmallVec;
use std::net::IpAddr;

/// A place that a queue is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DestinationKey {
    /// Tried in order.
    pub hops: SmallVec<[NextHopId; 2]>,
    /// Of last resort.
    pub fallback: SmallVec<[NextHopId; 1]>,
    /// A policy of its own (connectors), else by next hop.
    pub tls: Option<TlsPolicy>,
    /// Entries take turns (SH-3).
    pub rotates: bool,
    /// Entries of equal weight take turns, the lowest weight first: each weight with how many have it; empty = all are equal.
    pub weights: SmallVec<[(u16, u8); 4]>,
    /// Hops come from the configuration: one that cannot be found is an error of it.
    pub configured: bool,
    /// Plaintext again after a broken handshake (switch).
    pub plain_retry: bool,
    /// What is done to messages that go there (see [`Stamps`]), or `NONE`.
    pub stamps: u32,
    /// The rule that chose it.
    pub rule: &'static str,
    /// Tenant, or `NONE`.
    pub tenant: u32,
    /// Connector, or empty.
    pub connector: Box<str>,
    /// How the connector connects, where that is not usual.
    pub manner: Option<Box<Manner>>,
}

/// Where a connection goes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CandidateKey {
    /// The name that led here.
    pub name: NameId,
    /// MX preference; 65536 where there was none.
    pub preference: u32,
    /// The address.
    pub address: IpAddr,
    /// TCP port.
    pub port: u16,
}

/// Why somebody connects where: the destination of the pass, and the candidate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Leg {
    /// Number of the destination.
    pub destination: u32,
    /// Number of the candidate.
    pub candidate: u32,
}

/// What came of a connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ConnectionOutcome {
    /// How far it came.
    pub phase: Phase,
    /// How it ended.
    pub result: ConnectionResult,
    /// The last reply, or `NONE`.
    pub reply: u32,
    /// What TLS came to, or `NONE`.
    pub tls: u32,
    /// In words, or `NONE`.
    pub why: u32,
}

/// The protection of a connection.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TlsRecord {
    /// What was achieved.
    pub outcome: TlsOutcome,
    /// The version.
    pub version: Option<TlsVersion>,
    /// The sender's policy.
    pub policy: &'static str,
    /// RFC 8460 result of a failure.
    pub result: Option<&'static str>,
    /// What the receiving domain publishes about it, or `NONE`.
    pub published: u32,
    /// In words.
    pub why: Box<str>,
}

/// What a receiving domain publishes about TLS, as RFC 8460 reports it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PublishedPolicy {
    /// `tlsa` or `sts`.
    pub kind: &'static str,
    /// Whose it is.
    pub domain: Box<str>,
    /// Its lines.
    pub strings: Vec<Box<str>>,
    /// Hosts or patterns of hosts that it speaks of.
    pub hosts: Vec<Box<str>>,
}

/// A decision with its reasons.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct StoredDecision {
    /// The question.
    pub question: &'static str,
    /// Who decided.
    pub host: HostId,
    /// In whose name, or `NONE`.
    pub tenant: u32,
    /// The answer in words.
    pub verdict: Box<str>,
    /// What won.
    pub chosen: Vec<Because>,
    /// What lost.
    pub passed_over: Vec<Because>,
}

/// What a receiver found out about the origin of a message; what it did not look at is `None`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Authentication {
    /// The client's address as the receiver saw it.
    pub address: IpAddr,
    /// Of SPF.
    pub spf: Option<SpfResult>,
    /// Whose policy was asked.
    pub spf_domain: Box<str>,
    /// Of DKIM.
    pub dkim: Option<DkimResult>,
    /// Whose signatures hold.
    pub dkim_domains: Vec<Box<str>>,
    /// Of DMARC.
    pub dmarc: Option<DmarcResult>,
    /// What the owner of the author's domain wants done.
    pub wanted: Policy,
    /// The domain in `From`.
    pub author: Option<Box<str>>,
    /// What the receiver did: `none`, `quarantine`, `refuse`.
    pub action: &'static str,
}

/// A sender address: a template, or nobody.
pub type Sender = Option<u32>;

/// All tables of a run.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Names, those met on the way among them.
    pub names: Names,
    /// Next hops.
    pub next_hops: Interner<NextHop>,
    /// Replies and statuses.
    pub replies: Interner<Reply>,
    /// Sentences.
    pub texts: Interner<Box<str>>,
    /// Destinations.
    pub destinations: Interner<DestinationKey>,
    /// What is done to messages that are passed on.
    pub stamps: Interner<Stamps>,
    /// Candidates.
    pub candidates: Interner<CandidateKey>,
    /// Destinations with their candidates.
    pub legs: Interner<Leg>,
    /// Connection outcomes.
    pub outcomes: Interner<ConnectionOutcome>,
    /// TLS.
    pub tls: Interner<TlsRecord>,
    /// What receiving domains publish about TLS.
    pub published: Interner<PublishedPolicy>,
    /// Sets of recipients.
    pub recipient_sets: Interner<SmallVec<[u16; 4]>>,
    /// Addresses with `#`.
    pub templates: Interner<AddressTemplate>,
    /// Lists of templates: the recipients of a message.
    pub recipient_lists: Interner<SmallVec<[u32; 2]>>,
    /// Decisions.
    pub decisions: Interner<StoredDecision>,
    /// Findings about origins.
    pub authentications: Interner<Authentication>,
}

impl Tables {
    /// The number of a reply.
    pub fn reply(&mut self, code: u16, status: Enhanced, text: &str) -> u32 {
        self.replies.intern(Reply::new(code, Some(status), text))
    }
}
