//! Why does a message of the organization's own people count as anonymous at the door of its other half?
//!
//! The header that says "internal" travels only if the connector that sends keeps it (TRUST-1), if nothing on the way took it off (TRUST-2), and if the one
//! that receives believes it (TRUST-3). Sources: New-OutboundConnector, New-SendConnector and New-InboundConnector CloudServicesMailEnabled,
//! Set-ReceiveConnector TlsDomainCapabilities; Microsoft, "Hybrid deployment: header firewall".

use super::super::{Because, because};
use crate::model::letter::LostAt;

/// Who receives.
#[derive(Clone, Copy, Debug)]
pub enum Half<'a> {
    /// A tenant, by an OnPremises connector with this name and its `CloudServicesMailEnabled`.
    Tenant(&'a str, bool),
    /// A server, by a Receive connector with this name; does it know the client as the other half?
    Server(&'a str, bool),
}

/// Who sent it, and how.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The Send or outbound connector; none: by MX, without one.
    pub connector: Option<&'a str>,
    /// It left the headers on the message.
    pub kept: bool,
    /// It counted as internal at its sender's.
    pub was_internal: bool,
    /// It was internal once, and lost its headers before it came to the sender.
    pub earlier: Option<&'a LostAt>,
    /// The sender is a server or tenant of Exchange: others write no such headers.
    pub by_exchange: bool,
    /// The sender is the other half of this organization, and no tenant of somebody else.
    pub by_own_half: bool,
}

/// Where the message lost its standing.
#[must_use]
pub fn lost(half: Half<'_>, sent: Sent<'_>) -> Because {
    match sent.earlier {
        Some(LostAt::Connector(connector)) => {
            let why = "stripped the headers of the organization from it (CloudServicesMailEnabled is false), and a system in between passed it on";
            return because("TRUST-1", &**connector, why, "CloudServicesMailEnabled");
        }
        Some(LostAt::System(system)) => {
            let why = "is no Exchange and stands between the two halves: no header of the organization comes through it";
            return because("TRUST-2", &**system, why, "Hybrid deployments: no mail system stands between the two halves");
        }
        None => {}
    }
    let (name, sent_by) = match half {
        Half::Tenant(name, _) => (name, "New-SendConnector CloudServicesMailEnabled"),
        Half::Server(name, _) => (name, "New-OutboundConnector CloudServicesMailEnabled"),
    };
    match (half, sent.connector) {
        (Half::Server(..), _) if sent.was_internal && sent.by_exchange && !sent.by_own_half => {
            let why =
                "the tenant that X-OriginatorOrg names has no accepted domain of this organization: its headers are those of strangers";
            because("TRUST-3", name, why, "Hybrid deployment: header firewall")
        }
        (_, Some(connector)) if !sent.kept && sent.was_internal && sent.by_exchange => {
            let why = "strips the headers of the organization from what it sends (CloudServicesMailEnabled is false)";
            because("TRUST-1", connector, why, sent_by)
        }
        (_, None) if !sent.kept && sent.was_internal && sent.by_exchange => {
            let why = "the headers of the organization travel by a connector that keeps them alone (CloudServicesMailEnabled)";
            because("TRUST-1", "no connector", why, sent_by)
        }
        (Half::Tenant(_, false), _) => {
            let why = "believes no header of the organization (CloudServicesMailEnabled is false)";
            because("TRUST-3", name, why, "New-InboundConnector CloudServicesMailEnabled")
        }
        (Half::Server(_, false), _) => {
            let why = "does not know the client as the other half of the organization: no TlsDomainCapabilities for its certificate";
            because("TRUST-3", name, why, "Set-ReceiveConnector TlsDomainCapabilities")
        }
        (Half::Tenant(_, true) | Half::Server(_, true), _) => {
            let none = if sent.by_exchange {
                "it was anonymous before, or somebody on the way took them off"
            } else {
                "who sent it is no Exchange"
            };
            let why = format!("would believe the headers of the organization, and the message has none: {none}");
            because("TRUST-2", name, why, "Hybrid deployments: no mail system stands between the two halves")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_was_lost() {
        let sent =
            |kept, was_internal| Sent { connector: Some("Out"), kept, was_internal, earlier: None, by_exchange: true, by_own_half: true };
        let (by_connector, by_system) = (LostAt::Connector("First".into()), LostAt::System("filter".into()));
        let cases = [
            (Half::Server("In", false), Sent { earlier: Some(&by_connector), ..sent(false, false) }, "TRUST-1 First"),
            (Half::Server("In", false), Sent { earlier: Some(&by_system), ..sent(false, false) }, "TRUST-2 filter"),
            (Half::Tenant("In", true), sent(false, true), "TRUST-1 Out"),
            (Half::Tenant("In", true), Sent { connector: None, ..sent(false, true) }, "TRUST-1 no connector"),
            (Half::Tenant("In", false), sent(true, true), "TRUST-3 In"),
            (Half::Tenant("In", false), sent(false, false), "TRUST-3 In"),
            (Half::Tenant("In", true), sent(false, false), "TRUST-2 In"),
            (Half::Tenant("In", true), Sent { by_exchange: false, ..sent(false, true) }, "TRUST-2 In"),
            (Half::Tenant("In", false), Sent { by_exchange: false, ..sent(false, true) }, "TRUST-3 In"),
            (Half::Server("Default Frontend", true), sent(false, true), "TRUST-1 Out"),
            (Half::Server("Default Frontend", false), sent(true, true), "TRUST-3 Default Frontend"),
            (Half::Server("Default Frontend", true), Sent { by_own_half: false, ..sent(false, true) }, "TRUST-3 Default Frontend"),
            (Half::Server("Default Frontend", true), sent(true, false), "TRUST-2 Default Frontend"),
        ];
        for (half, sent, expected) in cases {
            let because = lost(half, sent);
            assert_eq!(format!("{} {}", because.rule, because.name), expected, "{half:?} {sent:?}");
        }
    }
}
