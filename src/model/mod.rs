//! The compiled world, read-only.

pub mod dns;
