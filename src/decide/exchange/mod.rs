//! How Microsoft's systems decide.

pub mod outbound_connector;
pub mod recipient;
pub mod smart_host;
