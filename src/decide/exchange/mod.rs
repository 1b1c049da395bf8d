//! How Microsoft's systems decide.

pub mod attribution;
pub mod enhanced_filtering;
pub mod fope;
mod inbound_connector;
pub mod mail_flow_rule;
pub mod outbound_connector;
pub mod recipient;
pub mod smart_host;
pub mod submission;
