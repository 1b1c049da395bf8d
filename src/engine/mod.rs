//! The clockwork: plays a model, asks the rule books, writes the trace.

mod attempt;
mod authentication;
mod chance;
mod fault;
mod inject;
mod queue;
mod resolver;
mod route;
mod run;
mod session;
mod settle;
mod world;

pub use run::{LONGEST, Options, Run, Stop, run};
