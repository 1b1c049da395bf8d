//! How Microsoft's systems decide.

pub mod fope;
pub mod mail_flow_rule;
pub mod outbound_connector;
pub mod recipient;
pub mod sender_rewriting;
pub mod smart_host;
