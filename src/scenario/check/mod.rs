//! Is what the text says possible at all? Refusals of the products' own cmdlets, at the place of the parameter.

pub(super) mod inbound_connector;
pub(super) mod outbound_connector;
pub(super) mod receive_connector;
pub(super) mod send_connector;
pub(super) mod tenant_limits;
pub(super) mod tenant_routes;
