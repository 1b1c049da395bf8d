//! Mail through FOPE: what a protected tenant hands over to it, and where FOPE sends a recipient.

use super::route::Stop;
use super::world::World;
use crate::base::{Enhanced, HostId};
use crate::decide::exchange::fope::{self, FopeStop};
use crate::model::exchange::{Protection, Tenant};
use crate::model::fope::FopeRouting;
use crate::model::letter::Stamps;
use crate::model::settings::{TlsLevel, TlsPolicy};
use crate::trace::{DestinationKey, NONE};
use smallvec::{SmallVec, smallvec};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Where FOPE sends a recipient in `domain`.
    pub(super) fn stop_of_fope(
        &mut self,
        copy: u32,
        host: HostId,
        routing: &FopeRouting,
        domain: &str,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let sender = if routing.looks_at_senders() { self.letter(copy).sender } else { "".into() };
        let decision = fope::choose(routing, sender.rsplit_once('@').map(|(_, domain)| domain), domain);
        decisions.push(self.store("which way out of FOPE?", host, NONE, &decision));
        let rule = decision.chosen[0].rule;
        let (connector, tls, to) = match decision.outcome {
            FopeStop::NotSaid => {
                return Stop::NotSaid(self.tables.reply(0, Enhanced(5, 3, 5), "two connectors of FOPE are equally close to the recipient"));
            }
            FopeStop::Inbound(at) => ("", TlsPolicy::of(TlsLevel::Opportunistic), Some(&routing.inbound[at].to)),
            FopeStop::Mx => ("", TlsPolicy::of(TlsLevel::Opportunistic), None),
            FopeStop::Connector(at) => {
                let connector = &routing.connectors[at];
                (&*connector.name, fope::tls(connector, domain), connector.to.as_ref())
            }
        };
        let key = DestinationKey {
            manner: None,
            hops: match to {
                Some(servers) => SmallVec::from_slice(&servers.hops),
                None => smallvec![self.mx_hop(domain)],
            },
            fallback: SmallVec::new(),
            tls: Some(tls),
            rotates: to.is_some_and(|servers| servers.hops.len() > 1),
            weights: to.map_or(SmallVec::new(), |servers| SmallVec::from_slice(&servers.weights)),
            configured: to.is_some(),
            plain_retry: routing.plain_retry,
            stamps: NONE,
            rule,
            tenant: NONE,
            connector: connector.into(),
        };
        Stop::To(self.tables.destinations.intern(key))
    }

    /// All that leaves a protected tenant goes to its FOPE.
    pub(super) fn stop_at_protection(
        &mut self,
        host: HostId,
        tenant: &Tenant,
        protection: &Protection,
        (domain, stamps): (&str, Stamps),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Stop {
        let decision = fope::protection(&protection.name, domain);
        decisions.push(self.store("which way out of the tenant?", host, tenant.system.0, &decision));
        let key = DestinationKey {
            manner: None,
            hops: SmallVec::from_slice(&protection.hops),
            fallback: SmallVec::new(),
            tls: Some(TlsPolicy::of(TlsLevel::Opportunistic)),
            rotates: false,
            weights: SmallVec::new(),
            configured: true,
            plain_retry: tenant.switches.plain_retry,
            stamps: if stamps == Stamps::default() { NONE } else { self.tables.stamps.intern(stamps) },
            rule: "FOPE-1",
            tenant: tenant.system.0,
            connector: "".into(),
        };
        Stop::To(self.tables.destinations.intern(key))
    }
}
