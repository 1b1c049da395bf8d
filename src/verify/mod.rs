//! The scenario's expectations: do they hold in a finished run?
//!
//! Two steps. An expectation is read first (`prepare`): its texts, and its names against those of the scenario, all complaints at once, so
//! that nothing is played for a slip of the finger. Then it is judged about an [`Outcome`], without the clockwork.

mod authentication;
mod desk;
mod expect;
mod fate;
#[cfg(test)]
mod fixture;
mod got;
mod idle;
mod judge;
mod many;
mod names;
mod plan;
mod play;
mod queues;
mod reason;
mod replay;
mod reports;
mod route;
mod rules;
mod runner;
mod seen;
mod tls;
mod verdict;
mod view;

pub use names::Names;
pub use plan::{Planned, check_expectations, plan};
pub use play::{Followed, NotFollowed, follow, test};
pub use runner::{Failure, PlayRequest, SEND, Status, Subject, TestReport, TestResult, run_tests};
pub use verdict::{Concerned, Prepared, Shortfall, Verdict, check, prepare};
