//! What held in which years of Exchange Online: spacing and end of retries, outbound pools, rewritten senders.
//!
//! Sources: the constants of each era from the service's limits and queueing pages; Microsoft, "Outbound delivery pools" and "Sender Rewriting Scheme (SRS)".

use jiff::Timestamp;

use crate::base::{DAY, HOUR, MINUTE, SimTime};
use crate::model::exchange::{OutboundPools, SenderRewriting};
use crate::model::settings::Retry;
use crate::scenario::schema::{Era, Scenario};
use crate::scenario::source::{Field, Named, Text};
use crate::scenario::values::parse_date;

use super::desk::Desk;
use super::exchange_inbound::moment_of;

/// The page on DANE says 15, 15 and then 60 minutes, that on limits 15 minutes.
pub(super) const SPACING: &str = "retry_spacing";
/// One page of 2022 names both.
pub(super) const EXPIRY: &str = "message_expiry";
/// The era that is written, or the one of the start, or the newest.
pub(super) fn era(tree: &Scenario) -> Era {
    let by_start = || {
        let start = tree.start.get().and_then(|start| parse_date(start).ok())?;
        let before = |date: &str| parse_date(date).is_ok_and(|date: Timestamp| start < date);
        let eras =
            [("2013-01-01", Era::Fope2012), ("2015-01-01", Era::Eop2014), ("2021-01-01", Era::Eop2017), ("2023-11-01", Era::Exo2022)];
        eras.into_iter().find(|(date, _)| before(date)).map(|(_, era)| era)
    };
    let written = tree.exchange_online.get().and_then(|service| service.era.get().copied());
    written.or_else(by_start).unwrap_or(Era::Exo2026)
}

/// Spacing and end of retries, by era.
pub(super) fn retry(era: Era, shared: Option<&Named<Text>>) -> Retry {
    let says = |switch: &str, value: &str| shared.and_then(|switches| switches.get(switch)).is_some_and(|text| text.as_str() == value);
    let spacing = if says(SPACING, "15m") { vec![15 * MINUTE] } else { vec![15 * MINUTE, 15 * MINUTE, HOUR] };
    let lifetime = if says(EXPIRY, "2d") { 2 * DAY } else { DAY };
    let (waits_ns, lifetime_ns, delay_notice_ns) = match era {
        Era::Fope2012 => (vec![20 * MINUTE], 5 * DAY, 2 * HOUR),
        Era::Eop2014 => (vec![5 * MINUTE], 2 * DAY, 0),
        Era::Eop2017 => ([15, 15, 20, 30, 45, 60].map(|minutes| minutes * MINUTE).to_vec(), DAY, 0),
        Era::Exo2022 | Era::Exo2026 => (spacing, lifetime, 0),
    };
    Retry::Steps { waits_ns, lifetime_ns, delay_notice_ns }
}

/// Addresses of the service for mail that it does not want to lend its good name to.
pub(super) fn pools(tree: &Scenario, (era, at): (Era, SimTime), desk: &mut Desk) -> OutboundPools {
    let Some(service) = tree.exchange_online.get() else { return OutboundPools::default() };
    let mut read = |field: &Field<Vec<Text>>| field.items().iter().filter_map(|text| desk.ip(text)).collect();
    let (high_risk, relay): (_, Vec<_>) = (read(&service.high_risk_pool), read(&service.relay_pool));
    OutboundPools { high_risk, relay: if is_since(tree, at, "2021-07-01", era >= Era::Exo2022) { relay } else { Vec::new() } }
}

/// Whose senders the service rewrites when mail is passed on.
pub(super) fn sender_rewriting(tree: &Scenario, era: Era, at: SimTime) -> SenderRewriting {
    if !is_since(tree, at, "2018-07-16", era >= Era::Exo2022) {
        SenderRewriting::Never
    } else if is_since(tree, at, "2023-10-31", era >= Era::Exo2026) {
        SenderRewriting::All
    } else {
        SenderRewriting::NotOfMailboxes
    }
}

/// Has a date come at a moment of the run? Without a calendar the era says so.
fn is_since(tree: &Scenario, at: SimTime, date: &str, in_era: bool) -> bool {
    let start = tree.start.get().and_then(|start| parse_date(start).ok());
    start.map_or(in_era, |start| moment_of(date, start) <= at)
}
