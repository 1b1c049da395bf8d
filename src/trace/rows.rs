//! The rows of a trace.

use super::NONE;
use crate::base::{AttemptResult, Enhanced, Fate, HostId, MsgId, SimTime};
use crate::decide::reports::NamesInReports;

/// One message.
#[derive(Clone, Debug)]
pub struct MessageRow {
    /// The source it came from (of a report: the first message's).
    pub source: u32,
    /// Its number within the source; of a report: within its parent.
    pub number: u64,
    /// The message that a report speaks of, or `NONE`.
    pub parent: u32,
    /// 0 mail, 1 report, 2 delay notice.
    pub kind: u8,
    /// Of a report: it returns the headers only, not the whole message.
    pub headers_only: bool,
    /// Sender template and number, `NONE` for the null sender.
    pub from: u32,
    /// The number for `#` in its addresses.
    pub address_number: u64,
    /// Recipient templates, in order.
    pub to: u32,
    /// Bytes.
    pub size: u64,
    /// When it entered.
    pub at: SimTime,
    /// Where.
    pub host: HostId,
    /// In whose name, or `NONE`.
    pub tenant: u32,
    /// For reports: per recipient of the parent.
    pub report: Box<[ReportRow]>,
}

/// What a report says about one recipient.
#[derive(Clone, Copy, Debug)]
pub struct ReportRow {
    /// Which recipient of the parent.
    pub recipient: u16,
    /// How it tells what the sender called message and recipient.
    pub names: NamesInReports,
    /// Action.
    pub action: &'static str,
    /// Status.
    pub status: Enhanced,
    /// Diagnostic-Code: a reply, or `NONE`.
    pub reply: u32,
}

/// A message in one queue.
#[derive(Clone, Copy, Debug)]
pub struct CopyRow {
    /// Which message.
    pub message: MsgId,
    /// The connection that brought it, or `NONE`.
    pub from_connection: u32,
    /// Where it lies.
    pub host: HostId,
    /// Tenant, or `NONE`.
    pub tenant: u32,
    /// Since when.
    pub arrived: SimTime,
    /// Which recipients.
    pub recipients: u32,
}

/// One try at one address.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionRow {
    /// Whose.
    pub copy: u32,
    /// In which pass of that copy.
    pub pass: u16,
    /// In which transaction of that pass: several go on side by side where one may have only so many recipients.
    pub job: u16,
    /// To which destination of that pass, and to which candidate.
    pub leg: u32,
    /// What came of it.
    pub outcome: u32,
    /// When it began.
    pub at: SimTime,
    /// When it ended.
    pub end: SimTime,
}

/// What a connection came to for one recipient, where it differs from the others.
#[derive(Clone, Copy, Debug)]
pub struct RecipientRow {
    /// Which connection.
    pub connection: u32,
    /// Which recipient of the message.
    pub recipient: u16,
    /// What came of it.
    pub outcome: u32,
}

/// One pass to one destination, for one recipient.
#[derive(Clone, Copy, Debug)]
pub struct AttemptRow {
    /// Whose.
    pub copy: u32,
    /// In which pass.
    pub pass: u16,
    /// Which recipient of the message.
    pub recipient: u16,
    /// In which transaction of the pass (`ConnectionRow::job`).
    pub job: u16,
    /// Where to.
    pub destination: u32,
    /// Beginning.
    pub at: SimTime,
    /// End.
    pub end: SimTime,
    /// What came of it.
    pub result: AttemptResult,
    /// The reply or status.
    pub reply: u32,
}

/// The end of a pass that left something to deliver.
#[derive(Clone, Copy, Debug)]
pub struct PassRow {
    /// Whose.
    pub copy: u32,
    /// Which pass.
    pub pass: u16,
    /// When the next begins (`NEVER`: it expired).
    pub next_at: SimTime,
    /// Why then.
    pub why: &'static str,
}

/// How one copy of a recipient ended.
#[derive(Clone, Copy, Debug)]
pub struct FateRow {
    /// Which message.
    pub message: MsgId,
    /// Which recipient of it.
    pub recipient: u16,
    /// How.
    pub fate: Fate,
    /// Into the junk folder of a mailbox.
    pub junk: bool,
    /// The reply or status.
    pub reply: u32,
    /// When.
    pub at: SimTime,
    /// In which queue.
    pub copy: u32,
    /// Who gave the reply, or `NONE`: that queue itself.
    pub said_by: u32,
}

/// A question to DNS.
#[derive(Clone, Copy, Debug)]
pub struct LookupRow {
    /// Whose.
    pub copy: u32,
    /// In which pass.
    pub pass: u16,
    /// When.
    pub at: SimTime,
    /// The name.
    pub name: crate::base::NameId,
    /// The type.
    pub kind: crate::model::dns::RecordType,
    /// The answer in words.
    pub answer: u32,
    /// From the cache.
    pub cached: bool,
    /// For which destination of that pass, or `NONE` for all of them.
    pub destination: u32,
}

/// A host that was not connected to, since what its domain publishes forbids it.
#[derive(Clone, Copy, Debug)]
pub struct RefusalRow {
    /// Whose.
    pub copy: u32,
    /// In which pass.
    pub pass: u16,
    /// Destination and candidate.
    pub leg: u32,
    /// When.
    pub at: SimTime,
    /// Why.
    pub tls: u32,
}

/// A decision about a copy.
#[derive(Clone, Copy, Debug)]
pub struct DecisionRow {
    /// Whose.
    pub copy: u32,
    /// In which pass.
    pub pass: u16,
    /// For whom.
    pub concern: Concern,
    /// Which decision.
    pub decision: u32,
}

/// Whom of a copy's recipients a decision concerns: a pass may go to several destinations, and none of them is a reason for the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Concern(u32);

impl Concern {
    /// All recipients of that pass.
    pub const ALL: Self = Self(NONE);

    /// One recipient, before anything is tried: who it is, and where it goes.
    pub fn recipient(index: u16) -> Self {
        Self(u32::from(index))
    }

    /// One recipient in a session of that pass.
    pub fn in_session(index: u16) -> Self {
        Self(1 << 16 | u32::from(index))
    }

    /// Those who go to one destination in that pass.
    pub fn destination(destination: u32) -> Self {
        Self(1 << 31 | destination)
    }
}

/// What the receiver of a connection found out about the origin of the message.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticationRow {
    /// Which connection.
    pub connection: u32,
    /// What.
    pub found: u32,
}

/// A recipient that stands for another one, in the copy that was made for it; or for itself, where its queue has a copy of its own.
#[derive(Clone, Copy, Debug)]
pub struct ExpansionRow {
    /// Which message.
    pub message: MsgId,
    /// The copy that goes on.
    pub copy: u32,
    /// The copy that it was made of, in the same queue.
    pub from_copy: u32,
    /// Which recipient was replaced.
    pub of: u16,
    /// By which one: a place after all that the message has so far.
    pub member: u16,
    /// Its address: a template.
    pub address: u32,
    /// The envelope sender from here on: a template, or `NONE`.
    pub sender: u32,
}

/// How many messages lie in a queue from a moment on.
#[derive(Clone, Copy, Debug)]
pub struct QueueRow {
    /// Where.
    pub host: HostId,
    /// From when.
    pub at: SimTime,
    /// How many.
    pub messages: u32,
}

/// All rows of a run.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Messages; the place is the message's id.
    pub messages: Vec<MessageRow>,
    /// Copies; the place is the copy's number.
    pub copies: Vec<CopyRow>,
    /// Connections; the place is the connection's number.
    pub connections: Vec<ConnectionRow>,
    /// Exceptions to them.
    pub recipients: Vec<RecipientRow>,
    /// Passes; none for a first pass that delivered everything over one connection.
    pub attempts: Vec<AttemptRow>,
    /// Ends of passes.
    pub passes: Vec<PassRow>,
    /// Ends of recipients.
    pub fates: Vec<FateRow>,
    /// DNS.
    pub lookups: Vec<LookupRow>,
    /// Decisions.
    pub decisions: Vec<DecisionRow>,
    /// Hosts that were not connected to.
    pub refusals: Vec<RefusalRow>,
    /// Origins.
    pub authentications: Vec<AuthenticationRow>,
    /// Recipients that stand for others.
    pub expansions: Vec<ExpansionRow>,
    /// Queue lengths.
    pub queues: Vec<QueueRow>,
    /// Who still waits when the run stops, and why: copy, recipient, reply, in this order. (The only word about those that nothing was tried for.)
    pub waiting: Vec<(u32, u16, u32)>,
}

impl Trace {
    /// Adds a row and says its number.
    pub(crate) fn push<T>(rows: &mut Vec<T>, row: T) -> u32 {
        let number = u32::try_from(rows.len()).expect("fewer than 2^32 rows");
        assert!(number != NONE, "fewer than 2^32 rows");
        rows.push(row);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hop is a copy in a queue and the connection that brought it on: 64 bytes, since there are millions.
    #[test]
    fn a_hop_is_small() {
        assert_eq!(size_of::<ConnectionRow>() + size_of::<CopyRow>(), 64);
    }
}
