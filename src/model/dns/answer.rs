//! What does a resolver hand back? Records, or the reason why there are none, and how long that may be believed.
//!
//! Sources: RFC 1035 §4.1.1 (response codes), RFC 2308 §2 (two kinds of denial), RFC 4035 §4.3 (secure, insecure, bogus).

use super::record::RecordData;
use super::zones::Dnssec;
use crate::base::NameId;

/// What a resolver is told.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Answer {
    /// The records, or why there are none.
    pub outcome: Outcome,
    /// How long it may be kept: the shortest time on the way. `None`: not at all, as for a denial without an SOA record.
    pub ttl_seconds: Option<u32>,
    /// The names that the question was led to by aliases, in order; the last one has the records, or has none.
    pub aliases: Box<[NameId]>,
    /// Validation of the asked name alone.
    pub dnssec_of_asked: Dnssec,
    /// Validation of the whole way: secure only if each step is.
    pub dnssec: Dnssec,
}

/// The records, or why there are none.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    /// At least one record, as written.
    Records(Box<[RecordData]>),
    /// The name exists, without a record of this type.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The resolver failed: a loop of aliases, bogus data, a broken server.
    ServFail,
    /// The server does not want to answer.
    Refused,
    /// Nobody answers.
    Timeout,
    /// Only a part came, and the rest cannot be had.
    Truncated,
    /// The scenario says nothing about this name: it belongs to the rest of the internet.
    Internet,
}

impl Answer {
    /// An answer about the asked name itself that nobody keeps.
    #[must_use]
    pub fn failed(outcome: Outcome) -> Self {
        Self { outcome, ttl_seconds: None, aliases: [].into(), dnssec_of_asked: Dnssec::Insecure, dnssec: Dnssec::Insecure }
    }

    /// The name that the answer is about, once all aliases are followed.
    #[must_use]
    pub fn final_name(&self, asked: NameId) -> NameId {
        self.aliases.last().copied().unwrap_or(asked)
    }

    /// The records; empty if there are none.
    #[must_use]
    pub fn records(&self) -> &[RecordData] {
        match &self.outcome {
            Outcome::Records(records) => records,
            _ => &[],
        }
    }
}
