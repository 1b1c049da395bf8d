//! Questions to a finished run: which path, which host, over what TLS, why?

pub mod delays;
pub mod failover;
#[cfg(test)]
pub(crate) mod fixture;
pub mod outcome;
pub mod paths;
pub mod reach;
pub mod timeline;
