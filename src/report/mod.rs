//! How answers look: text for people, JSON for programs, charts. Every function returns the whole document as a string; writing it is the
//! command line's business.

pub mod chart;
pub mod counters;
pub mod explain;
pub mod json;
mod sameness;
pub mod tests;
pub mod text;
pub mod tls_report;
pub mod trace;
pub mod words;
mod writer;
