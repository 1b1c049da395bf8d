//! Why does a message of the organization's own people count as anonymous at the door of its other half?
//!
//! The header that says "internal" travels only if the connector that sends keeps it (TRUST-1), if nothing on the way took it off (TRUST-2), and if the one
//! that receives believes it (TRUST-3). Sources: New-OutboundConnector, New-SendConnector and New-InboundConnector CloudServicesMailEnabled,
//! Set-ReceiveConnector TlsDomainCapabilities; Microsoft, "Hybrid deployment: header firewall".

use super::super::{Because, because};

/// Who receives.
#[derive(Clone, Copy, Debug)]
pub enum Half<'a> {
    /// A tenant, by an OnPremises connector with this name and its `CloudServicesMailEnabled`.
    Tenant(&'a str, bool),
    /// A server, by a Receive connector with this name; does it know the client as the other half?
    Server(&'a str, bool),
}

/// Where the message lost its standing. `kept`: the connector that sent it left the headers on it; `was_internal`: it counted as internal at its sender's.
#[must_use]
pub fn lost(half: Half<'_>, kept: bool, was_internal: bool) -> Because {
    let (name, sent_by) = match half {
        Half::Tenant(name, _) => (name, "New-SendConnector CloudServicesMailEnabled"),
        Half::Server(name, _) => (name, "New-OutboundConnector CloudServicesMailEnabled"),
    };
    match half {
        _ if !kept && was_internal => {
            let why = "the connector that it was sent by strips the headers of the organization (CloudServicesMailEnabled is false)";
            because("TRUST-1", name, why, sent_by)
        }
        Half::Tenant(_, false) => {
            let why = "believes no header of the organization (CloudServicesMailEnabled is false)";
            because("TRUST-3", name, why, "New-InboundConnector CloudServicesMailEnabled")
        }
        Half::Server(_, false) => {
            let why = "does not know the client as the other half of the organization: no TlsDomainCapabilities for its certificate";
            because("TRUST-3", name, why, "Set-ReceiveConnector TlsDomainCapabilities")
        }
        Half::Tenant(_, true) | Half::Server(_, true) => {
            let why = "would believe the headers of the organization, and the message has none: it was anonymous before, or somebody on the way took them off";
            because("TRUST-2", name, why, "Hybrid deployments: no mail system stands between the two halves")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_was_lost() {
        let cases = [
            (Half::Tenant("In", true), false, true, "TRUST-1"),
            (Half::Tenant("In", false), true, true, "TRUST-3"),
            (Half::Tenant("In", false), false, false, "TRUST-3"),
            (Half::Tenant("In", true), false, false, "TRUST-2"),
            (Half::Server("Default Frontend", true), false, true, "TRUST-1"),
            (Half::Server("Default Frontend", false), true, true, "TRUST-3"),
            (Half::Server("Default Frontend", true), true, false, "TRUST-2"),
        ];
        for (half, kept, was_internal, rule) in cases {
            assert_eq!(lost(half, kept, was_internal).rule, rule, "{half:?} {kept} {was_internal}");
        }
    }
}
