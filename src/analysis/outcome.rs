//! What a run came to, as a tree: messages, recipients, hops, attempts, connections, and every decision with its reasons.
//!
//! Built once from the trace; `verify` and `report` read it and nothing else of a run. Names are those of the scenario, as written there.

use super::queue_alerts::QueueAlert;
pub use super::reasons::{Decision, Reason};
pub use crate::base::{AttemptResult, ConnectionResult, Phase};
use crate::base::{Enhanced, Fate, Reply, SimTime, TlsOutcome, TlsVersion};
use std::net::IpAddr;
use std::rc::Rc;

/// A finished run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: Rc<str>,
    /// The flags that were laid over it, as a shell takes them; often empty.
    pub what_if: Rc<str>,
    /// The seed it was played with.
    pub seed: u64,
    /// The end that was asked for.
    pub until: Option<SimTime>,
    /// Why it ended.
    pub stopped: Stopped,
    /// The moment of the last thing that happened (or `until`).
    pub ended_at: SimTime,
    /// How many events the clockwork handled.
    pub events: u64,
    /// In the order of injection; reports among them.
    pub messages: Vec<Message>,
    /// Every machine of the model, in the order of names.
    pub hosts: Vec<HostFacts>,
    /// What struck, in the order of its beginning (then of its name).
    pub faults: Vec<FaultFacts>,
    /// Tenants with more delayed mail than administrators are left alone with.
    pub queue_alerts: Vec<QueueAlert>,
}

/// Why a run ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stopped {
    /// Nothing could happen any more.
    Settled,
    /// The moment `until` was reached.
    Until,
    /// A bound was hit; the text names it ("events: 1000000").
    Bound(String),
}

/// One machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostFacts {
    /// Its name.
    pub name: Rc<str>,
    /// The system that it belongs to.
    pub system: Rc<str>,
    /// When it could not be reached by anybody: from, until (`SimTime::NEVER` = to the end).
    pub down: Vec<(SimTime, SimTime)>,
    /// How many messages waited here: a row whenever the number changed.
    pub queued: Vec<(SimTime, u32)>,
}

/// One fault of the scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FaultFacts {
    /// Its name.
    pub name: Rc<str>,
    /// `Down`, `Reply`, …
    pub kind: &'static str,
    /// Names of the hosts that it strikes (empty for DNS faults).
    pub hosts: Vec<Rc<str>>,
    /// The lines that it strikes, where it strikes no hosts.
    pub lines: Option<super::facts::Lines>,
    /// From, until.
    pub from: SimTime,
    /// `SimTime::NEVER` if it lasts for ever.
    pub until: SimTime,
}

/// What kind of message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Ordinary mail of a source.
    Mail,
    /// A report of failure (or success).
    Dsn,
    /// "It is late, we keep trying."
    DelayNotice,
    /// A mailbox answered by itself.
    AutomaticReply,
}

impl Kind {
    /// By its number in the record.
    pub(super) fn of(number: u8) -> Self {
        match number {
            0 => Self::Mail,
            1 => Self::Dsn,
            2 => Self::DelayNotice,
            _ => Self::AutomaticReply,
        }
    }

    /// The word in the ids of messages that answer another one.
    pub(super) fn in_ids(self) -> &'static str {
        match self {
            Self::Mail | Self::Dsn => "dsn",
            Self::DelayNotice => "delay",
            Self::AutomaticReply => "reply",
        }
    }

    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Dsn => "dsn",
            Self::DelayNotice => "delay-notice",
            Self::AutomaticReply => "automatic-reply",
        }
    }
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// `source#n`; of a report `source#n/dsn1`.
    pub id: Rc<str>,
    /// The id of the message that a report speaks of.
    pub parent: Option<Rc<str>>,
    /// The name of the traffic that it came from (of a report: of the first message).
    pub traffic: Rc<str>,
    /// The envelope sender, `<>` for null.
    pub from: Rc<str>,
    /// Size in bytes.
    pub size: u64,
    /// When it entered the model.
    pub sent_at: SimTime,
    /// Where it entered the model.
    pub entered_at: Place,
    /// Mail or report.
    pub kind: Kind,
    /// For reports: in whose name it is written (`Reporting-MTA`), where the organization says so.
    pub reporting: Option<Rc<str>>,
    /// For reports: how much of the message it returns, `full` or `headers`.
    pub returns: Option<&'static str>,
    /// What its sender calls it (ENVID); of a report: Original-Envelope-Id.
    pub envelope_id: Option<Rc<str>>,
    /// For reports: what it says about whom.
    pub report: Vec<ReportLine>,
    /// In the order of the envelope.
    pub recipients: Vec<Recipient>,
}

/// One per-recipient block of a delivery report (RFC 3464 §2.3).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReportLine {
    /// Final-Recipient.
    pub recipient: Rc<str>,
    /// Original-Recipient, where it is another one: the sender called it so (ORCPT), or that one was replaced on the way.
    pub original: Option<Rc<str>>,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`.
    pub action: &'static str,
    /// Status; `None` = this server writes none.
    pub status: Option<Enhanced>,
    /// Diagnostic-Code.
    pub diagnostic: Rc<str>,
}

impl ReportLine {
    /// Does it speak of this recipient?
    #[must_use]
    pub fn is_about(&self, recipient: &Recipient) -> bool {
        self.recipient == recipient.to || recipient.became.as_ref() == Some(&self.recipient)
    }
}

/// A system and, where known, one of its machines. A system without `hosts` is its own machine.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// Name of the system (of the tenant for the shared Exchange Online service).
    pub system: Rc<str>,
    /// Name of the machine.
    pub host: Rc<str>,
}

/// One recipient of one message; of one that others stand for, one of these.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The address of the envelope.
    pub to: Rc<str>,
    /// Who stood for it in the end, if it was replaced on the way.
    pub became: Option<Rc<str>>,
    /// How it ended.
    pub fate: Fate,
    /// It lies in the junk folder.
    pub junk: bool,
    /// Reply code, 0 if no server gave one.
    pub code: u16,
    /// Enhanced status.
    pub enhanced: Enhanced,
    /// The reply or reason in words.
    pub text: Rc<str>,
    /// When it ended.
    pub at: SimTime,
    /// Who decided the fate: who has the mail, or who gave it up.
    pub final_place: Option<Place>,
    /// Who gave the reply that ended it, where another system said it.
    pub said_by: Option<Place>,
    /// Further copies that arrived beside the first.
    pub duplicates: u32,
    /// From the first system to where it ended.
    pub hops: Vec<Hop>,
    /// Why it stayed there, where it arrived: what the last system decided about it.
    pub arrival: Vec<Rc<Decision>>,
    /// What was lost before it came there, by no hop of its own.
    pub lost_before: Vec<LostBefore>,
}

impl Recipient {
    /// `list@a.example > alice@b.example`: as written, and who stands for it.
    #[must_use]
    pub fn name(&self) -> String {
        self.became.as_ref().map_or_else(|| self.to.to_string(), |became| format!("{} > {became}", self.to))
    }
}

/// The time in one queue.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The envelope sender, `<>` for null.
    pub sender: Rc<str>,
    /// The recipient of the envelope as it left: who stands for the one that was written, if somebody does by then.
    pub recipient: Rc<str>,
    /// Who had it in its queue.
    pub from: Place,
    /// Who took it; `None` if nobody did.
    pub to: Option<Place>,
    /// When it came into this queue.
    pub queued_at: SimTime,
    /// When it was taken by the next (or given up).
    pub left_at: SimTime,
    /// The next hop as the queue is called: a domain, `[smart host]`, an address.
    pub queue: Rc<str>,
    /// The rule that chose it: `OUT-3`, `SH-2`, `transport`, `MX` …
    pub rule: &'static str,
    /// Decisions that were made once for this hop: acceptance, route, connector.
    pub decisions: Vec<Rc<Decision>>,
    /// What was decided anew when it ended here: it was looked up again after its attempts, and went nowhere from there.
    pub at_end: Vec<Rc<Decision>>,
    /// The first pass tried nothing: when it is looked at again, and why.
    pub waited: Option<(SimTime, &'static str)>,
    /// Passes over the candidates.
    pub attempts: Vec<Attempt>,
    /// Of the connection that carried it.
    pub tls: Option<Tls>,
    /// Where a second copy is sent on of what was lost: the part of the server that lost it.
    pub lost_before: Vec<LostBefore>,
}

/// What a server had of a message before it was lost there.
#[derive(Clone, Debug)]
pub struct LostBefore {
    /// Its part, as it ended.
    pub hop: Hop,
    /// It was in a mailbox, and a failover took it out again; else it was lost with a queue.
    pub from_mailbox: bool,
}

/// One pass of a sender over its candidates (RFC 5321 §4.5.4.1).
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its beginning.
    pub at: SimTime,
    /// Its end.
    pub end: SimTime,
    /// What came of it for this recipient.
    pub result: AttemptResult,
    /// The last reply code, 0 if no server spoke.
    pub code: u16,
    /// The status that the sender notes.
    pub enhanced: Enhanced,
    /// In words.
    pub text: Rc<str>,
    /// When it is tried again.
    pub next_at: Option<SimTime>,
    /// Why at that moment.
    pub next_why: &'static str,
    /// Names asked of DNS, in order.
    pub lookups: Vec<Lookup>,
    /// Order of candidates, limits, TLS: decided anew in each attempt.
    pub decisions: Vec<Rc<Decision>>,
    /// One per try at one address, in order.
    pub connections: Vec<Connection>,
    /// Exchange Server: LastError of the queue that the attempt left in Retry.
    pub last_error: Option<Rc<str>>,
    /// Hosts that nobody connected to, since what their domain publishes about TLS forbids it.
    pub not_used: Vec<NotUsed>,
}

/// A host that was passed by before any connect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotUsed {
    /// When.
    pub at: SimTime,
    /// The machine that answers at the address; `None` if nobody has it.
    pub to: Option<Place>,
    /// The name that led there.
    pub name: Rc<str>,
    /// Its address.
    pub address: IpAddr,
    /// The policy, and what it has against the host.
    pub tls: Tls,
}

/// One question to DNS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lookup {
    /// When it was asked.
    pub at: SimTime,
    /// The name.
    pub name: Rc<str>,
    /// `MX`, `A`, `AAAA`, …
    pub kind: &'static str,
    /// `2 records`, `NXDOMAIN`, `SERVFAIL`, …
    pub answer: Rc<str>,
    /// From the resolver's cache.
    pub cached: bool,
}

/// One try at one address.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its number in the run: recipients that went together have the same.
    pub number: u32,
    /// When the connect began.
    pub at: SimTime,
    /// When it was over.
    pub end: SimTime,
    /// The machine that answers at the address; `None` if nobody has it.
    pub to: Option<Place>,
    /// The name that led here: the MX target, smart host or domain.
    pub name: Rc<str>,
    /// MX preference, where there was one.
    pub preference: Option<u16>,
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// How far it came.
    pub phase: Phase,
    /// The last reply for this recipient.
    pub reply: Option<Reply>,
    /// How it ended.
    pub result: ConnectionResult,
    /// What TLS came to; `None` if it ended before that was known.
    pub tls: Option<Tls>,
    /// What the receiver found out about the origin of the message, where somebody looked.
    pub authentication: Option<Rc<Authentication>>,
    /// The sentence of the sender about it, for `explain` ("fault `site A dark` until 2400s").
    pub why: Rc<str>,
}

/// What a receiver found out about the origin of a message; what it did not look at is `None`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authentication {
    /// The client's address as the receiver saw it.
    pub address: IpAddr,
    /// Result of SPF, in the words of RFC 8601.
    pub spf: Option<&'static str>,
    /// Whose policy SPF asked.
    pub spf_domain: Rc<str>,
    /// Result of DKIM.
    pub dkim: Option<&'static str>,
    /// Whose signatures hold.
    pub dkim_domains: Vec<Rc<str>>,
    /// Result of DMARC.
    pub dmarc: Option<&'static str>,
    /// What the owner of the author's domain wants done with this message: `none`, `quarantine`, `reject`.
    pub wanted: &'static str,
    /// The domain in `From`.
    pub author: Option<Rc<str>>,
    /// What the receiver did: `none`, `quarantine`, `refuse`.
    pub action: &'static str,
}

impl Authentication {
    /// Nobody published or signed anything.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let nothing = |result: Option<&str>| result.is_none_or(|result| result == "none");
        nothing(self.spf) && nothing(self.dkim) && nothing(self.dmarc) && self.action == "none"
    }
}

/// The protection of one connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tls {
    /// Plaintext, encrypted, authenticated.
    pub outcome: TlsOutcome,
    /// Protocol version, if encrypted.
    pub version: Option<TlsVersion>,
    /// The sender's policy in its own words: `may`, `encrypt`, `EncryptionOnly`, …
    pub policy: Rc<str>,
    /// RFC 8460 result type of a failure.
    pub result: Option<&'static str>,
    /// What the receiving domain publishes about it.
    pub published: Option<Rc<Published>>,
    /// Why it came out so.
    pub why: Rc<str>,
}

/// What a receiving domain publishes about TLS.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Published {
    /// `tlsa` or `sts`.
    pub kind: &'static str,
    /// Whose it is.
    pub domain: Rc<str>,
    /// Its lines.
    pub strings: Vec<Rc<str>>,
    /// Hosts or patterns of hosts that it speaks of.
    pub hosts: Vec<Rc<str>>,
}
