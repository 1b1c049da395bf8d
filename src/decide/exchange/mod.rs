//! How Microsoft's systems decide.

pub mod attribution;
pub mod back_pressure;
pub mod enhanced_filtering;
pub mod expansion_server;
pub mod fan_out;
pub mod fope;
mod inbound_connector;
pub mod inbox;
pub mod internal_route;
pub mod internal_smtp_servers;
pub mod mail_flow_rule;
pub mod manner;
pub mod outbound_connector;
pub mod outbound_pool;
pub mod queue_operation;
pub mod receive_connector;
pub mod receive_limits;
pub mod recipient;
pub mod redundancy;
pub mod send_connector;
pub mod sender_rewriting;
pub mod server_acceptance;
pub mod server_login;
pub mod server_recipient;
pub mod smart_host;
pub mod submission;
pub mod transport_dumpster;
