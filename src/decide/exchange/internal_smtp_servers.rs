//! Which hop does an Exchange server check that knows its own relays?
//!
//! Addresses in `InternalSMTPServers` are passed over, from the last hop back; the first other one is who sent the message.
//! Source: Set-TransportConfig `InternalSMTPServers` (servers that connection filtering and Sender ID ignore).

use super::super::{Decision, because};
use crate::model::receive_connector::Range;
use std::net::IpAddr;

/// The hop that counts: `path` has the addresses that servers saw, oldest first; the last one is who `connected`.
#[must_use]
pub fn source(internal: &[Range], path: &[IpAddr], connected: IpAddr) -> Decision<IpAddr> {
    let listed = |address: &IpAddr| internal.iter().any(|range| range.has(*address));
    let rule = "Set-TransportConfig InternalSMTPServers";
    let passed_over = path
        .iter()
        .rev()
        .take_while(|address| listed(address))
        .map(|address| because("ISS-1", address.to_string(), "an internal SMTP server", rule));
    let passed_over = passed_over.collect();
    let found = path.iter().rev().find(|address| !listed(address));
    let (outcome, why) = match found {
        Some(address) => (*address, "the first hop, from the last one back, that is no internal SMTP server"),
        None => (path.first().copied().unwrap_or(connected), "every hop is an internal SMTP server, so the oldest known counts"),
    };
    Decision { outcome, chosen: vec![because("ISS-1", outcome.to_string(), why, rule)], passed_over }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hop_that_is_checked() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let relays = [Range { from: ip("192.0.2.0"), to: ip("192.0.2.9") }];
        let cases = [
            ("a relay handed it in", vec![ip("198.51.100.7"), ip("192.0.2.1")], ip("198.51.100.7"), 1),
            ("two relays", vec![ip("198.51.100.7"), ip("192.0.2.1"), ip("192.0.2.2")], ip("198.51.100.7"), 2),
            ("somebody else", vec![ip("192.0.2.1"), ip("198.51.100.7")], ip("198.51.100.7"), 0),
            ("nobody but relays", vec![ip("192.0.2.1"), ip("192.0.2.2")], ip("192.0.2.1"), 2),
        ];
        for (case, path, expected, passed) in cases {
            let decision = source(&relays, &path, *path.last().unwrap());
            assert_eq!((decision.outcome, decision.passed_over.len()), (expected, passed), "{case}");
        }
    }
}
