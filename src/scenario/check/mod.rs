//! Is what the text says possible at all? Refusals of the products' own cmdlets, at the place of the parameter.

pub(super) mod inbound_connector;
pub(super) mod outbound_connector;
pub(super) mod receive_connector;
pub(super) mod send_connector;
pub(super) mod tenant_limits;
pub(super) mod tenant_routes;

use crate::diag::code;
use crate::scenario::compile::Desk;
use crate::scenario::source::Text;

/// Names of connectors and rules are at most this long.
const NAME_MAX: usize = 64;

/// `Name` is required by every cmdlet that makes a connector or a rule, and it is short.
pub(super) fn name(name: &Text, what: &str, desk: &mut Desk) {
    if name.trim().is_empty() {
        desk.error(code::CMDLET_REFUSES, name.span(), format!("a {what} without a name"), format!("write one, as in \"the first {what}\""));
    } else if name.chars().count() > NAME_MAX {
        desk.error(code::CMDLET_REFUSES, name.span(), format!("the name of a {what} has at most {NAME_MAX} characters"), "shorten it");
    }
}
