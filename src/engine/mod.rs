//! The clockwork: plays a model, asks the rule books, writes the trace.

mod admission;
mod authentication;
mod chance;
mod command;
mod fault;
mod finish;
mod frozen;
mod grouping;
mod inject;
mod last_words;
mod memory;
mod notices;
mod organization;
mod pass;
mod patience;
mod plan;
mod policy;
mod proof;
mod queue;
mod queue_runs;
mod relay;
mod resolver;
mod rounds;
mod route;
mod run;
mod session;
mod settle;
mod slab;
mod starttls;
mod targets;
mod tcpto;
mod transfer;
mod turns;
mod walk;
mod world;

pub use run::{LONGEST, Options, Run, Stop, run};
