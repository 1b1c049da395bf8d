//! Enhanced filtering for connectors: where did a message come from that a gateway handed in?
//!
//! SPF and DMARC then look at that hop instead of the one that connects. Sources: enhanced-filtering-for-connectors; New-InboundConnector `EFSkipLastIP`,
//! `EFSkipIPs`, `EFUsers`. Private addresses (RFC 1918) are skipped by themselves; all recipients of a message must be listed, or it is not applied.

use super::super::{Decision, because};
use crate::model::inbound::EnhancedFiltering;
use std::net::IpAddr;

const SOURCE: &str = "enhanced filtering for connectors";

/// The hop that counts: `path` has the addresses that servers saw, oldest first, the last of them is who `connected`.
#[must_use]
pub fn source(connector: &str, rules: &EnhancedFiltering, path: &[IpAddr], connected: IpAddr, recipients: &[String]) -> Decision<IpAddr> {
    let listed = |recipient: &String| rules.users.iter().any(|user| user.matches(recipient));
    if !rules.users.is_empty() && !recipients.iter().all(listed) {
        let why = format!("not every recipient is among its users, so {connected} counts");
        return Decision::for_reason(connected, because("EF-2", connector, why, "New-InboundConnector EFUsers"));
    }
    let mut passed_over = Vec::new();
    let newest_first = path.iter().rev().copied();
    for (at, address) in newest_first.enumerate() {
        let private = matches!(address, IpAddr::V4(address) if address.is_private());
        let skipped = rules.last && at == 0
            || rules.skips.iter().any(|(from, to)| from.is_ipv4() == address.is_ipv4() && (*from..=*to).contains(&address));
        if !private && !skipped {
            let why = format!("{address} is the first hop, from the last one back, that is not skipped");
            let chosen = vec![because("EF-1", connector, why, SOURCE)];
            return Decision { outcome: address, chosen, passed_over };
        }
        let why = if private {
            "private, so skipped"
        } else if rules.last && at == 0 {
            "the hop that connects (EFSkipLastIP)"
        } else {
            "listed (EFSkipIPs)"
        };
        passed_over.push(because("EF-1", address.to_string(), why, SOURCE));
    }
    let oldest = path.first().copied().unwrap_or(connected);
    let why = format!("every hop is skipped, so the oldest known counts: {oldest}");
    Decision { outcome: oldest, chosen: vec![because("EF-1", connector, why, SOURCE)], passed_over }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pattern;

    #[test]
    fn the_hop_that_counts() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let path = [ip("203.0.113.5"), ip("198.51.100.7"), ip("10.1.1.1"), ip("192.0.2.20")];
        let last = EnhancedFiltering { last: true, ..EnhancedFiltering::default() };
        let listed = EnhancedFiltering {
            skips: vec![(ip("192.0.2.0"), ip("192.0.2.255")), (ip("198.51.100.7"), ip("198.51.100.7"))],
            ..EnhancedFiltering::default()
        };
        let not_all = EnhancedFiltering { skips: vec![(ip("198.51.100.7"), ip("198.51.100.7"))], ..EnhancedFiltering::default() };
        let some = EnhancedFiltering { users: vec![Pattern::new("alice@a.test")], ..last.clone() };
        let both = ["alice@a.test".to_owned(), "bob@a.test".to_owned()];
        let cases = [
            ("the last, and the private one behind it", &last, &both[..1], "198.51.100.7"),
            ("every hop of the gateway", &listed, &both[..1], "203.0.113.5"),
            ("a hop was forgotten", &not_all, &both[..1], "192.0.2.20"),
            ("for listed users", &some, &both[..1], "198.51.100.7"),
            ("one recipient is not listed", &some, &both[..], "192.0.2.20"),
        ];
        for (case, rules, recipients, expected) in cases {
            assert_eq!(source("c", rules, &path, path[3], recipients).outcome, ip(expected), "{case}");
        }
    }
}
