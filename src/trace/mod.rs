//! The record of a run: rows that name each other by number, and the tables of what they have in common.
//!
//! Rows are written when they are known, which may be before their moment; `analysis::build` sorts them into the tree that people read.

mod rows;
mod tables;

pub use rows::{
    AttemptRow, AuthenticationRow, Concern, ConnectionRow, CopyRow, DecisionRow, ExpansionRow, FateRow, LookupRow, MessageRow, PassRow,
    QueueRow, RecipientRow, RefusalRow, ReportRow, Trace,
};
pub use tables::{
    Authentication, CandidateKey, ConnectionOutcome, DestinationKey, Leg, PublishedPolicy, Sender, StoredDecision, Tables, TlsRecord,
};

/// Levels of a trace: each writes what the one before writes, and more.
pub mod level {
    /// Counts and histograms only.
    pub const COUNTERS: u8 = 0;
    /// A row per recipient.
    pub const FATES: u8 = 1;
    /// A row per connection.
    pub const PATHS: u8 = 2;
    /// Every question and its answer.
    pub const STEPS: u8 = 3;
}

/// What stands at a transaction over a connection that an earlier one had opened.
pub const OPEN_ALREADY: &str = "over a connection that was open already";

/// "None" among row numbers.
pub const NONE: u32 = u32::MAX;
