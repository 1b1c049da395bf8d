//! How Microsoft's systems decide.

pub mod fope;
pub mod outbound_connector;
pub mod recipient;
pub mod smart_host;
