//! Which way does an Edge server take for its organization's own domains?
//!
//! The subscription makes a connector `EdgeSync - Inbound to SITE` with the address space `--` (the authoritative and internal relay domains) and the smart host
//! `--` (the Mailbox servers of the subscribed site, whoever the recipient is: an Edge server stands in no Active Directory, and knows neither databases nor
//! site links). A connector of its own for `--` or for the very domain takes the place of that one, as with `New-EdgeSubscription
//! -CreateInboundSendConnector $false`. Source: Exchange Server "Edge Subscriptions".

use super::super::{Because, Decision, because};
use super::send_connector::{self, Choice};
use crate::model::dns::Names;
use crate::model::exchange_server::Organization;

const SOURCE: &str = "Exchange Server Edge Subscriptions";

/// What carries a message inwards.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inbound {
    /// The connector that the subscription made.
    Subscription,
    /// A written one, by its place among the organization's.
    Connector(usize),
}

/// The connector that a subscription makes for mail to its site.
#[must_use]
pub fn name(organization: &Organization) -> String {
    let site = organization.own().and_then(|own| organization.sites.get(own.site)).map_or("", |site| &*site.name);
    format!("EdgeSync - Inbound to {site}")
}

/// Chooses for a recipient in `domain`, which is an accepted domain that is not relayed outside.
#[must_use]
pub fn select(organization: &Organization, names: &Names, domain: &str, size_bytes: u64, dead: &[usize]) -> Decision<Inbound> {
    let own = name(organization);
    let written = send_connector::select_alive(organization, names, domain, size_bytes, dead);
    let mut passed_over: Vec<Because> = written.passed_over;
    match written.outcome {
        Choice::Connector(at) if send_connector::is_for_own_domains(organization, names, at, domain) => {
            let why = format!("`{}` is written for these domains, and takes its place", organization.send_connectors[at].name);
            passed_over.push(because("SND-3", own, why, SOURCE));
            return Decision { outcome: Inbound::Connector(at), chosen: written.chosen, passed_over };
        }
        Choice::Connector(at) => {
            let why = format!("its address space is less specific than `--` of `{own}`");
            passed_over.push(because("SND-3", &*organization.send_connectors[at].name, why, SOURCE));
        }
        Choice::Unreachable | Choice::TooLarge => passed_over.retain(|loser| loser.rule != "SND-7"),
    }
    let why = format!("`--`, the authoritative and internal relay domains, matches `{domain}`");
    Decision { outcome: Inbound::Subscription, chosen: vec![because("SND-3", own, why, SOURCE)], passed_over }
}
