//! Set-TransportService and Set-TransportConfig: timers of the queues, limits of the organization, protection against loss.
//!
//! Sources: Set-TransportService, Set-TransportConfig, EdgeTransport.exe.config, Exchange Server "Configure message intervals".

use crate::base::{DAY, HOUR, MINUTE, SECOND};
use crate::diag::code;
use crate::model::exchange_server::{ShadowPlace, ShadowRefusal, Transport};
use crate::model::settings::{Retry, Sender};
use crate::scenario::compile::desk::Desk;
use crate::scenario::schema::{self, ExchangeServer, ShadowPreference};
use crate::scenario::source::{Field, Text};

use super::redundancy_2010;
use super::switches::Switches;

/// The largest `MaxSendSize` and `MaxReceiveSize`.
const SIZE_MAX_BYTES: u64 = 2_147_482_624;

/// The largest number of a cmdlet.
const MOST: u32 = i32::MAX as u32;

/// Sets the schedules and windows of a server, and returns the rest.
pub(super) fn transport(server: &ExchangeServer, edge: bool, switches: Switches, sender: &mut Sender, desk: &mut Desk) -> Transport {
    let nothing = schema::TransportService::default();
    let service = server.transport_service.get().unwrap_or(&nothing);
    let (transient, outbound) = if edge { (10 * MINUTE, 30 * MINUTE) } else { (5 * MINUTE, 10 * MINUTE) };
    let glitches = desk.number_or(&service.queue_glitch_retry_count, 4, 0, 15);
    let glitch_ns = time(&service.queue_glitch_retry_interval, MINUTE, (SECOND, DAY), desk);
    let transients = desk.number_or(&service.transient_failure_retry_count, 6, 0, 15);
    let transient_ns = time(&service.transient_failure_retry_interval, transient, (SECOND, 12 * HOUR), desk);
    let outbound_ns = time(&service.outbound_connection_failure_retry_interval, outbound, (SECOND, 20 * DAY), desk);
    let lifetime_ns = time(&service.message_expiration_timeout, 2 * DAY, (5 * SECOND, 90 * DAY), desk);
    let mut notice_ns = time(&service.delay_notification_timeout, 4 * HOUR, (SECOND, 30 * DAY), desk);
    if notice_ns <= u64::from(transients) * transient_ns {
        let place = if service.delay_notification_timeout.is_written() {
            service.delay_notification_timeout.span()
        } else {
            service.transient_failure_retry_interval.span()
        };
        let message = "`delay_notification_timeout` ends before the transient retries do";
        let help = "it must be longer than `transient_failure_retry_count` times `transient_failure_retry_interval`";
        desk.error(code::CMDLET_REFUSES, place, message, help);
    }
    let config = server.transport_config.get();
    let delay_notices =
        config.map_or((true, true), |config| (config.internal_delay_dsn_enabled.or(true), config.external_delay_dsn_enabled.or(true)));
    if delay_notices == (false, false) {
        notice_ns = 0;
    }
    let mut waits_ns = vec![glitch_ns; glitches as usize];
    waits_ns.extend(vec![transient_ns; transients as usize]);
    waits_ns.push(outbound_ns);
    sender.retry = Retry::Steps { waits_ns, lifetime_ns, delay_notice_ns: notice_ns };
    let (per_domain, connections_in_all) = connections(service, switches, desk);
    sender.concurrency = (1, per_domain);
    Transport {
        message_retry_ns: time(&service.message_retry_interval, switches.message_retry_ns, (SECOND, DAY), desk),
        resubmit_after_ns: time(&service.max_idle_time_before_resubmit, 12 * HOUR, (SECOND, 90 * DAY), desk),
        messages_per_connection: desk.number_or(
            &service.smtp_connector_queue_message_count_threshold_for_concurrent_connections,
            20,
            1,
            MOST,
        ),
        connections_in_all,
        queue_idle_ns: time(&service.queue_max_idle_time, 3 * MINUTE, (5 * SECOND, HOUR), desk),
        connections_per_minute: number(service.max_connection_rate_per_minute.get().map(|loose| &loose.0), 1200, false, desk),
        mailbox_retry_ns: time(&service.mailbox_delivery_queue_retry_interval, 5 * MINUTE, (SECOND, DAY), desk),
        delay_notices,
        skips_dead_connectors: switches.skips_dead_connectors,
        suspended_mail_stays: switches.suspended_mail_stays,
        trusts_any_tenant: switches.trusts_any_tenant,
        age_begins_at_each_server: switches.age_begins_at_each_server,
        ..of_config(server, switches, desk)
    }
}

/// Limits and protection of the whole organization.
fn of_config(server: &ExchangeServer, switches: Switches, desk: &mut Desk) -> Transport {
    let usual = Transport::default();
    let nothing = schema::TransportConfig::default();
    let config = server.transport_config.get().unwrap_or(&nothing);
    super::domain_security::check(&config.tls_send_domain_secure_list, desk);
    super::domain_security::check(&config.tls_receive_domain_secure_list, desk);
    let resubmit_ns = time(&config.shadow_resubmit_time_span, 3 * HOUR, (SECOND, DAY), desk);
    time(&config.shadow_message_auto_discard_interval, 2 * DAY, (5 * SECOND, 90 * DAY), desk);
    let of_2013 = Transport {
        safety_net_hold_ns: time(&config.safety_net_hold_time, 2 * DAY, (15 * SECOND, 90 * DAY), desk),
        shadow_place: match config.shadow_message_preference_setting.or(ShadowPreference::PreferRemote) {
            ShadowPreference::PreferRemote => ShadowPlace::PreferRemote,
            ShadowPreference::RemoteOnly => ShadowPlace::RemoteOnly,
            ShadowPreference::LocalOnly => ShadowPlace::LocalOnly,
        },
        shadow_tries: (
            desk.number_or(&config.max_retries_for_local_site_shadow, 2, 0, 255),
            desk.number_or(&config.max_retries_for_remote_site_shadow, 4, 0, 255),
        ),
        max_send_size: size(&config.max_send_size, usual.max_send_size, desk),
        max_receive_size: size(&config.max_receive_size, usual.max_receive_size, desk),
        recipients_max: recipients_max(config, desk),
        shadow_resubmit_ns: config.shadow_redundancy_enabled.or(true).then_some(resubmit_ns),
        shadow_heartbeat_ns: time(&config.shadow_heartbeat_frequency, 2 * MINUTE, (SECOND, DAY), desk),
        refuses_without_shadow: match (config.reject_message_on_shadow_failure.or(false), switches.shadow_failure_as_cmdlet) {
            (false, _) => None,
            (true, false) => Some(ShadowRefusal::AsArticle),
            (true, true) => Some(ShadowRefusal::AsCmdlet),
        },
        ..usual
    };
    redundancy_2010::of_version(server, config, of_2013, desk)
}

/// A size of messages, or `unlimited`.
fn size(field: &Field<Text>, usual: Option<u64>, desk: &mut Desk) -> Option<u64> {
    let Some(text) = field.get() else { return usual };
    match desk.size(text) {
        Some(Some(bytes)) if bytes > SIZE_MAX_BYTES => {
            desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), "up to 2147482624 bytes, or \"unlimited\"");
            usual
        }
        read => read.unwrap_or(usual),
    }
}

/// `MaxRecipientEnvelopeLimit`: 500 unless written.
fn recipients_max(config: &schema::TransportConfig, desk: &mut Desk) -> Option<u32> {
    let Some(text) = config.max_recipient_envelope_limit.get().map(|loose| &loose.0) else { return Some(500) };
    if text.eq_ignore_ascii_case("unlimited") {
        return None;
    }
    let read = text.parse::<u32>().ok().filter(|most| *most <= i32::MAX as u32);
    if read.is_none() {
        desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), "from 0 to 2147483647, or \"unlimited\"");
    }
    read
}

/// Connections to one place at most, and in all.
fn connections(service: &schema::TransportService, switches: Switches, desk: &mut Desk) -> (u32, u32) {
    let per_domain =
        number(service.max_per_domain_outbound_connections.get().map(|loose| &loose.0), switches.connections_per_domain, true, desk);
    let all = number(service.max_outbound_connections.get().map(|loose| &loose.0), 1000, true, desk);
    if all < per_domain {
        let place = service.max_outbound_connections.span();
        let place = if place.is_somewhere() { place } else { service.max_per_domain_outbound_connections.span() };
        let help = "`max_outbound_connections` is at least `max_per_domain_outbound_connections`";
        desk.error(code::CMDLET_REFUSES, place, "fewer connections in all than to one domain", help);
    }
    (per_domain, all)
}

/// A number, or `unlimited` where the cmdlet knows that.
pub(super) fn number(text: Option<&Text>, usual: u32, unlimited: bool, desk: &mut Desk) -> u32 {
    let Some(text) = text else { return usual };
    if unlimited && text.as_str().eq_ignore_ascii_case("unlimited") {
        return u32::MAX;
    }
    match text.parse::<u32>() {
        Ok(number) if (1..=MOST).contains(&number) => number,
        _ => {
            let or = if unlimited { ", or \"unlimited\"" } else { "" };
            desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), format!("a number from 1 to {MOST}{or}"));
            usual
        }
    }
}

/// A time between two bounds.
pub(super) fn time(field: &Field<Text>, usual: u64, (least, most): (u64, u64), desk: &mut Desk) -> u64 {
    let Some(text) = field.get() else { return usual };
    match desk.duration(text) {
        Some(ns) if (least..=most).contains(&ns) => ns,
        Some(_) => {
            let help = format!("from {} to {}", crate::base::duration(least), crate::base::duration(most));
            desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), help);
            usual
        }
        None => usual,
    }
}
