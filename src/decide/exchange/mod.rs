//! How Microsoft's systems decide.

pub mod attribution;
pub mod enhanced_filtering;
mod inbound_connector;
pub mod outbound_connector;
pub mod recipient;
pub mod smart_host;
pub mod submission;
