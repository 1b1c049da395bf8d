//! Which host names of Microsoft take mail for the tenants of a scenario?
//!
//! Every accepted domain has its classic endpoint, `contoso-com.mail.protection.outlook.com`. Those of the signed zone `mx.microsoft` differ in a middle label
//! that the service chooses, so they are there as a scenario writes them: as MX target or as next hop. Any of them leads to the same front ends.
//! Source: Enable-DnssecForVerifiedDomain; Microsoft, "How SMTP DANE works". Not modelled: that the service publishes TLSA records by itself
//! (Enable-SmtpDaneInbound); they are written under `dns`.

use std::collections::BTreeSet;

use crate::model::dns::RecordData;
use crate::scenario::schema::System;
use crate::scenario::source::Text;

use super::stage::Stage;
use super::zones::StageTexts;

/// The zone of the newer names: all of it is signed.
pub(super) const SIGNED_ZONE: &str = "mx.microsoft";

/// The host that takes mail for an accepted domain.
pub(super) fn endpoint(domain: &str) -> String {
    format!("{}.mail.protection.outlook.com", label(domain))
}

fn label(domain: &str) -> String {
    domain.trim_end_matches('.').to_ascii_lowercase().replace('.', "-")
}

/// The endpoints in the signed zone that texts or next hops name.
pub(super) fn signed_endpoints(stages: &[Stage], texts: &[StageTexts]) -> BTreeSet<String> {
    let systems = || stages.iter().flat_map(|stage| stage.tree.systems.iter()).map(|(_, system)| system);
    let mut labels = BTreeSet::new();
    for system in systems() {
        if let System::ExchangeOnline(tenant) = system {
            labels.extend(tenant.accepted_domains.keys().map(|domain| label(domain)));
        }
    }
    let is_endpoint = |name: &str| {
        let above = name.strip_suffix(SIGNED_ZONE).and_then(|above| above.strip_suffix('.'));
        above.and_then(|above| above.split_once('.')).is_some_and(|(first, middle)| labels.contains(first) && !middle.contains('.'))
    };
    let records = texts.iter().flat_map(StageTexts::layers).flat_map(|layer| &layer.records);
    let targets = records.filter_map(|record| match &record.data {
        RecordData::Mx { exchange, .. } => Some(exchange.to_ascii_lowercase()),
        _ => None,
    });
    let hops = systems().flat_map(next_hops).map(|hop| host_of(hop).to_ascii_lowercase());
    targets.chain(hops).map(|name| name.trim_end_matches('.').to_owned()).filter(|name| is_endpoint(name)).collect()
}

/// What a system calls its next hops.
fn next_hops(system: &System) -> Vec<&Text> {
    match system {
        System::Mta(mta) | System::Gateway(mta) => {
            mta.smart_hosts.items().iter().chain(mta.routes.iter().flat_map(|(_, hops)| hops)).chain(mta.fallback_hosts.items()).collect()
        }
        System::ExchangeServer(server) => server.send_connectors.iter().flat_map(|(_, connector)| connector.smart_hosts.items()).collect(),
        System::ExchangeOnline(tenant) => {
            tenant.outbound_connectors.iter().flat_map(|(_, connector)| connector.smart_hosts.items()).collect()
        }
        System::Device(device) => device.server.get().into_iter().collect(),
        System::Fope(_) | System::Internet(_) => Vec::new(),
    }
}

/// The name in `name`, `[name]` and `[name]:port`.
fn host_of(hop: &str) -> &str {
    let inside = hop.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name);
    inside.unwrap_or_else(|| hop.split_once(':').map_or(hop, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(endpoint("Sales.contoso.com."), "sales-contoso-com.mail.protection.outlook.com");
        for (hop, host) in [("a.test", "a.test"), ("[a.test]", "a.test"), ("[a.test]:587", "a.test"), ("a.test:26", "a.test")] {
            assert_eq!(host_of(hop), host);
        }
    }
}
