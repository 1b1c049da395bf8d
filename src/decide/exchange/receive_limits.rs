//! How much does a Receive connector bear, and what does it say beyond?
//!
//! RCV-4 connections at once, in all and of one source, 421 4.3.2; RCV-5 messages in a minute, 421 4.4.2; RCV-6 the size of a message and of its
//! header, 552 5.3.4; RCV-7 Received fields, 554 5.4.6; RCV-8 recipients of one message, 452 4.5.3: the client sends the rest again; RCV-9 the time that
//! a refused stranger loses; RCV-10 a connection that lasts too long, 421 4.4.1.
//! Sources: New-ReceiveConnector, Exchange Server "Message rate limits and throttling", "Message size and recipient limits". Not modelled: protocol errors
//! and failed logins (`MaxProtocolErrors`, `MaxLogonFailures`), since no client of a scenario makes five of the one or three of the other in a session.

use super::super::{Decision, because};
use crate::base::{Enhanced, Reply, duration};
use crate::model::receive_connector::{Limits, RateSource, ReceiveConnector};

const SIZES: &str = "Exchange Server message size and recipient limits";
const RATES: &str = "Exchange Server message rate limits";

/// `None`: it is within the limit.
pub type Refusal = Option<Decision<Reply>>;

fn refuse(connector: &ReceiveConnector, reply: Reply, rule: &'static str, why: String, source: &'static str) -> Refusal {
    Some(Decision::for_reason(reply, because(rule, &*connector.name, why, source)))
}

/// One more connection, where `open` are there already, `same` of them from the same address.
#[must_use]
pub fn connection(connector: &ReceiveConnector, open: u32, same: u32) -> Refusal {
    let limits = &connector.limits;
    let busy = |why: String| {
        let text = "The maximum number of concurrent connections has exceeded a limit, closing transmission channel";
        refuse(connector, Reply::new(421, Some(Enhanced(4, 3, 2)), text), "RCV-4", why, RATES)
    };
    if open >= limits.connections {
        return busy(format!("MaxInboundConnection: {} at once", limits.connections));
    }
    if same >= limits.connections_per_source {
        return busy(format!("MaxInboundConnectionPerSource: {} from one address at once", limits.connections_per_source));
    }
    let others = open.saturating_sub(same);
    let share = share_of_free(limits, others);
    if same >= share {
        let (percent, free) = (limits.percentage_per_source, limits.connections - others);
        return busy(format!(
            "MaxInboundConnectionPercentagePerSource: {percent} % of the {free} that others leave, so {share} from one address at once"
        ));
    }
    None
}

/// One more connection than a server takes in a minute.
#[must_use]
pub fn opened_too_often(connector: &str, per_minute: u32) -> Decision<Reply> {
    let text = "The maximum number of concurrent connections has exceeded a limit, closing transmission channel";
    let why = format!("MaxConnectionRatePerMinute: the server takes {per_minute} in a minute");
    Decision::for_reason(Reply::new(421, Some(Enhanced(4, 3, 2)), text), because("RCV-4", connector, why, RATES))
}

/// How many of the connections that others leave one source may have: one at least. (So 100 % is no limit, as it is meant at `Default`.)
fn share_of_free(limits: &Limits, others: u32) -> u32 {
    if limits.connections == u32::MAX {
        return u32::MAX;
    }
    let share = u64::from(limits.connections.saturating_sub(others)) * u64::from(limits.percentage_per_source) / 100;
    u32::try_from(share).unwrap_or(u32::MAX).max(1)
}

/// What a message is counted by: the sender, the client's address.
#[must_use]
pub fn counted_by(limits: &Limits) -> (bool, bool) {
    if limits.messages_per_minute == u32::MAX {
        return (false, false);
    }
    match limits.rate_source {
        RateSource::Nobody => (false, false),
        RateSource::User => (true, false),
        RateSource::Address => (false, true),
        RateSource::Both => (true, true),
    }
}

/// The answer to MAIL above the rate.
#[must_use]
pub fn too_fast(connector: &ReceiveConnector, of_whom: &str) -> Decision<Reply> {
    let reply = Reply::new(421, Some(Enhanced(4, 4, 2)), "Message submission rate for this client has exceeded the configured limit");
    let why = format!("MessageRateLimit: {} messages of {of_whom} in a minute", connector.limits.messages_per_minute);
    Decision::for_reason(reply, because("RCV-5", &*connector.name, why, RATES))
}

/// A message of this size.
#[must_use]
pub fn size(connector: &ReceiveConnector, size_bytes: u64) -> Refusal {
    let most = connector.limits.message_bytes;
    if size_bytes <= most {
        return None;
    }
    let reply = Reply::new(552, Some(Enhanced(5, 3, 4)), "Message size exceeds fixed maximum message size");
    refuse(connector, reply, "RCV-6", format!("the message has {size_bytes} bytes, and MaxMessageSize is {most}"), SIZES)
}

/// A message whose header has this size.
#[must_use]
pub fn header(connector: &ReceiveConnector, header_bytes: u64) -> Refusal {
    let most = connector.limits.header_bytes;
    if header_bytes <= most {
        return None;
    }
    let reply = Reply::new(552, Some(Enhanced(5, 3, 4)), "Header size exceeds fixed maximum size");
    refuse(connector, reply, "RCV-6", format!("the header has about {header_bytes} bytes, and MaxHeaderSize is {most}"), SIZES)
}

/// A message with so many Received fields, the last `local` of them of servers of the organization. The one that this server is about to write is among
/// both and does not count: the limits are about the message as it was handed in.
#[must_use]
pub fn hops(connector: &ReceiveConnector, hops: u32, local: u32) -> Refusal {
    let (limits, hops, local) = (&connector.limits, hops.saturating_sub(1), local.saturating_sub(1));
    let (why, source) = if hops > limits.hops {
        (format!("{hops} Received fields, and MaxHopCount is {}", limits.hops), "New-ReceiveConnector MaxHopCount")
    } else if limits.local_hops > 0 && local > limits.local_hops {
        let why =
            format!("{local} Received fields of this organization one after the other, and MaxLocalHopCount is {}", limits.local_hops);
        (why, "New-ReceiveConnector MaxLocalHopCount")
    } else {
        return None;
    };
    let reply = Reply::new(554, Some(Enhanced(5, 4, 6)), "Hop count exceeded - possible mail loop");
    refuse(connector, reply, "RCV-7", why, source)
}

/// One more recipient where so many were taken.
#[must_use]
pub fn recipient(connector: &ReceiveConnector, taken: u32) -> Refusal {
    let most = connector.limits.recipients;
    if taken < most {
        return None;
    }
    let why = format!("MaxRecipientsPerMessage: {most} in one message; the client comes again with the rest");
    refuse(connector, Reply::new(452, Some(Enhanced(4, 5, 3)), "Too many recipients"), "RCV-8", why, SIZES)
}

/// The reason why a refusal comes late.
#[must_use]
pub fn tarpit(connector: &ReceiveConnector) -> Decision<u64> {
    let ns = connector.limits.tarpit_ns;
    let why = format!("TarpitInterval: a refusal to a client that is not known comes {} late", duration(ns));
    Decision::for_reason(ns, because("RCV-9", &*connector.name, why, "New-ReceiveConnector TarpitInterval"))
}

/// A connection that has lasted so long, with a client that needs so long for an answer.
#[must_use]
pub fn lasting(connector: &ReceiveConnector, lasted_ns: u64, silent_ns: u64) -> Refusal {
    let limits = &connector.limits;
    let why = if lasted_ns > limits.connection_ns {
        format!("ConnectionTimeout: after {} the server closes, whatever goes on", duration(limits.connection_ns))
    } else if silent_ns > limits.inactivity_ns {
        format!("ConnectionInactivityTimeout: nothing was heard for {}", duration(limits.inactivity_ns))
    } else {
        return None;
    };
    let reply = Reply::new(421, Some(Enhanced(4, 4, 1)), "Connection timed out");
    refuse(connector, reply, "RCV-10", why, "New-ReceiveConnector ConnectionTimeout")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{MINUTE, SECOND};

    fn connector(limits: Limits) -> ReceiveConnector {
        ReceiveConnector {
            name: "Default Frontend".into(),
            bindings: vec![("0.0.0.0".parse().unwrap(), 25)],
            ranges: vec![],
            anonymous: true,
            users: false,
            servers: true,
            knows_servers: true,
            partners: false,
            external_authoritative: false,
            anonymous_relay: false,
            require_tls: false,
            login_over_tls: false,
            limits,
            domain_secure: vec![],
            cloud_names: vec![],
            cloud_in_clear: false,
            silent_about: vec![],
            faces: vec![],
        }
    }

    /// Code, and the parameter that the reason begins with.
    fn told(refusal: Refusal) -> Option<(u16, String)> {
        let decision = refusal?;
        let why = decision.chosen[0].why.split([':', ',']).next().unwrap_or("").to_owned();
        Some((decision.outcome.code, why))
    }

    #[test]
    fn connections_at_once() {
        let usual = Limits::USUAL;
        let unlimited = Limits { connections_per_source: u32::MAX, percentage_per_source: 100, ..usual };
        let small = Limits { connections: 10, ..usual };
        let endless = Limits { connections: u32::MAX, connections_per_source: u32::MAX, ..usual };
        let cases = [
            ("the first", usual, (0, 0), None),
            ("twenty of one source", usual, (19, 19), None),
            ("and one more", usual, (20, 20), Some("MaxInboundConnectionPerSource")),
            ("of another source", usual, (20, 0), None),
            ("few are free: a smaller share", usual, (4500, 10), Some("MaxInboundConnectionPercentagePerSource")),
            ("as many as that share", usual, (4500, 9), None),
            ("all are taken", usual, (5000, 0), Some("MaxInboundConnection")),
            ("a share below one is one", small, (0, 0), None),
            ("but not two", small, (1, 1), Some("MaxInboundConnectionPercentagePerSource")),
            ("Default: no limit for one source", unlimited, (400, 400), None),
            ("no limit at all has no share", endless, (100_000, 100_000), None),
        ];
        for (case, limits, (open, same), expected) in cases {
            let got = told(connection(&connector(limits), open, same));
            assert_eq!(got, expected.map(|why| (421, why.to_owned())), "{case}");
        }
    }

    #[test]
    fn what_a_message_may_be() {
        let row = connector(Limits { hops: 30, ..Limits::USUAL });
        let no_local = connector(Limits { local_hops: 0, ..Limits::USUAL });
        let mb = 1u64 << 20;
        let cases = [
            ("36 MB", size(&row, 36 * mb), None),
            ("a byte more", size(&row, 36 * mb + 1), Some(552)),
            ("256 KB of header", header(&row, 256 << 10), None),
            ("a byte more of header", header(&row, (256 << 10) + 1), Some(552)),
            ("30 fields, and the own one", hops(&row, 31, 1), None),
            ("31 fields", hops(&row, 32, 1), Some(554)),
            ("eight servers of the organization, and this one", hops(&row, 20, 9), None),
            ("nine of them", hops(&row, 20, 10), Some(554)),
            ("0 is no limit", hops(&no_local, 50, 25), None),
            ("200 recipients", recipient(&row, 199), None),
            ("201 recipients", recipient(&row, 200), Some(452)),
            ("ten minutes", lasting(&row, 10 * MINUTE, SECOND), None),
            ("a second more", lasting(&row, 10 * MINUTE + SECOND, SECOND), Some(421)),
            ("a client that is silent for six minutes", lasting(&row, 0, 6 * MINUTE), Some(421)),
        ];
        for (case, refusal, expected) in cases {
            assert_eq!(refusal.map(|decision| decision.outcome.code), expected, "{case}");
        }
        let edge = connector(Limits::EDGE);
        assert!(lasting(&edge, 0, 2 * MINUTE).is_some() && lasting(&edge, 6 * MINUTE, 0).is_some(), "an Edge server waits for less");
    }

    #[test]
    fn who_is_counted() {
        let limited = |rate_source| counted_by(&Limits { messages_per_minute: 5, rate_source, ..Limits::USUAL });
        assert_eq!(counted_by(&Limits::USUAL), (false, false), "unlimited");
        assert_eq!(limited(RateSource::Nobody), (false, false));
        assert_eq!(limited(RateSource::User), (true, false));
        assert_eq!(limited(RateSource::Address), (false, true));
        assert_eq!(limited(RateSource::Both), (true, true));
        let decision = too_fast(&connector(Limits { messages_per_minute: 5, ..Limits::USUAL }), "192.0.2.1");
        assert_eq!((decision.outcome.code, decision.outcome.enhanced), (421, Some(Enhanced(4, 4, 2))));
        assert_eq!(tarpit(&connector(Limits::USUAL)).outcome, 5 * SECOND);
    }
}
