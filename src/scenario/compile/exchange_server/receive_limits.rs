//! Limits of a Receive connector: what a new one has, and what is written over that.
//!
//! The connectors that a server is delivered with have some of their own: the one for other servers (`Default`) bears as much of one source as it likes,
//! those for clients take five messages of a user in a minute. Sources: New-ReceiveConnector, Exchange Server "Message rate limits and throttling".

use crate::base::{DAY, SECOND, duration};
use crate::diag::{Diagnostic, code};
use crate::model::receive_connector::{Limits, RateSource};
use crate::scenario::compile::desk::Desk;
use crate::scenario::schema::{self, Loose, MessageRateSource};
use crate::scenario::source::Field;

use super::switches::Switches;
use super::transport::time;

/// The largest number that the cmdlet takes.
const MOST: u32 = i32::MAX as u32;

/// What a connector has where nobody says otherwise; `name` is one of those that a server is delivered with, or `None`.
pub(super) fn usual(name: Option<&str>, edge: bool, switches: Switches) -> Limits {
    let base = if edge { Limits::EDGE } else { Limits::USUAL };
    let base = Limits { hops: switches.max_hop_count, local_hops: switches.max_local_hop_count, ..base };
    match name {
        Some("Default") => Limits { recipients: 5000, connections_per_source: u32::MAX, percentage_per_source: 100, ..base },
        Some("Client" | "Client Frontend" | "Client Proxy") => Limits { messages_per_minute: 5, rate_source: RateSource::User, ..base },
        _ => base,
    }
}

/// Lays what is written over the limits that a connector has.
pub(super) fn lay_over(usual: Limits, connector: &schema::ReceiveConnector, desk: &mut Desk) -> Limits {
    let limits = Limits {
        hops: desk.number_or(&connector.max_hop_count, usual.hops, 1, 500),
        local_hops: desk.number_or(&connector.max_local_hop_count, usual.local_hops, 0, 50),
        message_bytes: bytes(&connector.max_message_size, usual.message_bytes, 64 << 10, desk),
        header_bytes: bytes(&connector.max_header_size, usual.header_bytes, 1, desk),
        recipients: desk.number_or(&connector.max_recipients_per_message, usual.recipients, 1, 512_000),
        connections: number(&connector.max_inbound_connection, usual.connections, (1, MOST), true, desk),
        connections_per_source: number(&connector.max_inbound_connection_per_source, usual.connections_per_source, (1, 10_000), true, desk),
        percentage_per_source: number(
            &connector.max_inbound_connection_percentage_per_source,
            usual.percentage_per_source,
            (1, 100),
            false,
            desk,
        ),
        messages_per_minute: number(&connector.message_rate_limit, usual.messages_per_minute, (1, MOST), true, desk),
        rate_source: match connector.message_rate_source.get() {
            None => usual.rate_source,
            Some(MessageRateSource::None) => RateSource::Nobody,
            Some(MessageRateSource::User) => RateSource::User,
            Some(MessageRateSource::IPAddress) => RateSource::Address,
            Some(MessageRateSource::All) => RateSource::Both,
        },
        tarpit_ns: time(&connector.tarpit_interval, usual.tarpit_ns, (0, 600 * SECOND), desk),
        connection_ns: time(&connector.connection_timeout, usual.connection_ns, (SECOND, DAY), desk),
        inactivity_ns: time(&connector.connection_inactivity_timeout, usual.inactivity_ns, (SECOND, DAY), desk),
        acknowledgement_ns: time(&connector.max_acknowledgement_delay, usual.acknowledgement_ns, (0, DAY), desk),
    };
    // Without effect on any mail, and still with bounds.
    number(&connector.max_protocol_errors, 5, (0, MOST), true, desk);
    number(&connector.max_logon_failures, 3, (0, 10), false, desk);
    if limits.inactivity_ns >= limits.connection_ns {
        let (written, other) = match connector.connection_timeout.is_written() {
            true => (&connector.connection_timeout, &connector.connection_inactivity_timeout),
            false => (&connector.connection_inactivity_timeout, &connector.connection_timeout),
        };
        let message = format!(
            "`connection_timeout` is {}, `connection_inactivity_timeout` {}",
            duration(limits.connection_ns),
            duration(limits.inactivity_ns)
        );
        let mut problem = Diagnostic::error(code::CMDLET_REFUSES, written.span(), message);
        if other.is_written() {
            problem = problem.also(other.span(), "the other");
        }
        desk.say(problem.help("a connection may last longer than it may be idle: `connection_timeout` is the larger one"));
    }
    limits
}

/// A number, or `unlimited` where the cmdlet knows that.
fn number(field: &Field<Loose>, usual: u32, (least, most): (u32, u32), unlimited: bool, desk: &mut Desk) -> u32 {
    let Some(text) = field.get().map(|loose| &loose.0) else { return usual };
    if unlimited && text.as_str().eq_ignore_ascii_case("unlimited") {
        return u32::MAX;
    }
    match text.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => number,
        _ => {
            let or = if unlimited { ", or \"unlimited\"" } else { "" };
            desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), format!("from {least} to {most}{or}"));
            usual
        }
    }
}

/// A size; the cmdlet knows no `unlimited` here.
fn bytes(field: &Field<crate::scenario::source::Text>, usual: u64, least: u64, desk: &mut Desk) -> u64 {
    let Some(text) = field.get() else { return usual };
    match desk.size(text) {
        Some(Some(bytes)) if (least..=u64::from(MOST)).contains(&bytes) => bytes,
        Some(_) => {
            desk.error(code::RANGE, text.span(), format!("`{text}` is out of bounds"), format!("from {least} bytes to {MOST}"));
            usual
        }
        None => usual,
    }
}
