//! Protection against loss in Exchange 2010: heartbeats of the hop before, and the transport dumpster. Which parameter exists in which version?
//!
//! Source: Set-TransportConfig of Exchange 2010 and of 2013 and later.

use crate::base::{DAY, MINUTE, SECOND};
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::{ServerVersion, Transport};
use crate::scenario::compile::desk::Desk;
use crate::scenario::schema::{ExchangeServer, TransportConfig};

use super::transport::time;

/// The protection as the organization's version has it; `of_2013` was read with the parameters of 2013.
pub(super) fn of_version(server: &ExchangeServer, config: &TransportConfig, of_2013: Transport, desk: &mut Desk) -> Transport {
    let interval_ns = time(&config.shadow_heartbeat_timeout_interval, 15 * MINUTE, (SECOND, DAY), desk);
    let count = desk.number_or(&config.shadow_heartbeat_retry_count, 12, 1, 15);
    let hold_ns = time(&config.max_dumpster_time, 7 * DAY, (0, 24_855 * DAY), desk);
    let size = config.max_dumpster_size_per_database.get().and_then(|text| desk.size(text));
    if super::version(server) > ServerVersion::Exchange2010 {
        without_effect(config, desk);
        return of_2013;
    }
    refuse_newer(config, desk);
    Transport {
        shadow_resubmit_ns: config.shadow_redundancy_enabled.or(true).then_some(interval_ns.saturating_mul(u64::from(count))),
        shadow_heartbeat_ns: interval_ns,
        safety_net_hold_ns: hold_ns,
        dumpster_bytes: size.map_or(18 << 20, |size| size.unwrap_or(u64::MAX)),
        ..of_2013
    }
}

/// Later versions still have the parameters, and do nothing with them.
fn without_effect(config: &TransportConfig, desk: &mut Desk) {
    let old = [
        ("shadow_heartbeat_timeout_interval", config.shadow_heartbeat_timeout_interval.span(), "`shadow_heartbeat_frequency`"),
        ("shadow_heartbeat_retry_count", config.shadow_heartbeat_retry_count.span(), "`shadow_resubmit_time_span`"),
        ("max_dumpster_size_per_database", config.max_dumpster_size_per_database.span(), "the Safety Net, which has no size"),
        ("max_dumpster_time", config.max_dumpster_time.span(), "`safety_net_hold_time`"),
    ];
    for (name, span, instead) in old.into_iter().filter(|(_, span, _)| span.is_somewhere()) {
        let message = format!("`{name}` is for servers of Exchange 2010, and does nothing here");
        desk.say(Diagnostic::warning(code::NO_EFFECT, span, message).help(format!("since 2013 there is {instead}")));
    }
}

/// What Exchange 2010 does not have.
fn refuse_newer(config: &TransportConfig, desk: &mut Desk) {
    let newer = [
        ("shadow_heartbeat_frequency", config.shadow_heartbeat_frequency.span()),
        ("shadow_resubmit_time_span", config.shadow_resubmit_time_span.span()),
        ("shadow_message_preference_setting", config.shadow_message_preference_setting.span()),
        ("max_retries_for_local_site_shadow", config.max_retries_for_local_site_shadow.span()),
        ("max_retries_for_remote_site_shadow", config.max_retries_for_remote_site_shadow.span()),
        ("reject_message_on_shadow_failure", config.reject_message_on_shadow_failure.span()),
        ("safety_net_hold_time", config.safety_net_hold_time.span()),
    ];
    for (name, span) in newer.into_iter().filter(|(_, span)| span.is_somewhere()) {
        let help = "Exchange 2010 has `shadow_heartbeat_timeout_interval`, `shadow_heartbeat_retry_count`, `max_dumpster_size_per_database` and `max_dumpster_time`";
        desk.error(code::CMDLET_REFUSES, span, format!("`{name}` exists since Exchange 2013"), help);
    }
}
