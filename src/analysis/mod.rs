//! Questions to a finished run: which path, which host, over what TLS, why?

mod attempts;
mod build;
mod by_pass;
pub mod delays;
mod envelope_names;
mod expansions;
mod facts;
pub mod failover;
#[cfg(test)]
pub(crate) mod fixture;
mod lost;
pub mod outcome;
pub use build::build;
pub use facts::Lines;
pub mod paths;
pub mod queue_alerts;
pub mod reach;
mod reasons;
mod stay;
pub mod timeline;
pub mod tls_reports;
mod untried;
mod voices;
