//! Questions to a finished run: which path, which host, over what TLS, why?

mod build;
pub mod delays;
pub mod failover;
#[cfg(test)]
pub(crate) mod fixture;
pub mod outcome;
pub use build::build;
pub mod paths;
pub mod reach;
pub mod timeline;
pub mod tls_reports;
