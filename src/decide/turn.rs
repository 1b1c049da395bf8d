//! For which limit does a message wait until its turn comes? In words: what is taken, and under which parameter of its server that bound stands.
//!
//! Sources: postconf(5), qmail-send(8), KumoMTA `make_egress_path`, Set-TransportService, smtpd.conf(5) and limit.c.

use super::{Because, because};
use crate::base::{count, duration};
use crate::model::keeping::SessionLimits;
use crate::model::settings::{Profile, Sender};

/// What somebody finds who comes to a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Line {
    /// Places that are taken.
    pub busy: u32,
    /// Places that there are.
    pub places: u32,
    /// Who came before and waits too.
    pub before: u32,
}

impl Line {
    fn words(self, what: &str) -> String {
        let before =
            if self.before == 0 { String::new() } else { format!(", {} in line before it", count(u64::from(self.before), "message")) };
        format!("{} of {} {what} taken{before}", self.busy, self.places)
    }
}

/// A destination has as many deliveries as it may have.
#[must_use]
pub fn at_destination(sender: &Sender, name: &str, line: Line) -> Because {
    let (first, most) = sender.concurrency;
    let (bound, source) = match sender.profile {
        Profile::Postfix => (
            format!(
                "their number begins at initial_destination_concurrency = {first}, and follows what becomes of them up to \
                 default_destination_concurrency_limit = {most}"
            ),
            "Postfix qmgr_queue.c",
        ),
        Profile::ExchangeServer => (
            format!(
                "one more for each SmtpConnectorQueueMessageCountThresholdForConcurrentConnections, up to MaxPerDomainOutboundConnections = {most}"
            ),
            "Set-TransportService",
        ),
        Profile::KumoMta => (format!("connection_limit = {most}"), "KumoMTA make_egress_path"),
        _ => (format!("concurrency_limit = {most}"), "settings"),
    };
    because("TURN", name, format!("{} ({bound})", line.words("connections to it are")), source)
}

/// A server has as many deliveries under way as it may have in all.
#[must_use]
pub fn in_all(profile: Profile, name: &str, line: Line) -> Because {
    let (parameter, source) = match profile {
        Profile::Qmail => ("concurrencyremote", "qmail-send(8)"),
        Profile::Postfix => ("default_process_limit", "postconf(5) default_process_limit"),
        Profile::ExchangeServer => ("MaxOutboundConnections", "Set-TransportService"),
        _ => ("mta limit max-conn-per-source", "OpenSMTPD limit.c"),
    };
    because(
        "TURN",
        name,
        format!("{} ({parameter} = {})", line.words("deliveries of the server, to whatever destination, are"), line.places),
        source,
    )
}

/// The server that was called has no session left; `fault` has made them fewer.
#[must_use]
pub fn at_server(name: &str, line: Line, fault: Option<&str>) -> Because {
    let bound = fault.map_or_else(|| format!("sessions = {}", line.places), |fault| format!("fault `{fault}`"));
    because(
        "TURN",
        name,
        format!("{} ({bound}), and who calls waits for the greeting", line.words("sessions of this server are")),
        "sessions",
    )
}

/// A destination rests after each delivery (KEEP-7).
#[must_use]
pub fn at_rest(name: &str, delay_ns: u64) -> Because {
    let why = format!(
        "one delivery at a time, and {} after each of them the next one begins (default_destination_rate_delay)",
        duration(delay_ns)
    );
    because("KEEP-7", name, why, "Postfix qmgr_queue.c")
}

/// A site has as many connections as it may have (KEEP-9).
#[must_use]
pub fn at_site(name: &str, most: u32) -> Because {
    let busy = count(u64::from(most), "connection");
    let why = format!("{busy} to the same hosts, for all domains that have them: no more (connection_limit = {most})");
    because("KEEP-9", name, why, "KumoMTA make_egress_path, site names")
}

/// A destination has sessions open, and takes mail into them (KEEP-8).
#[must_use]
pub fn at_sessions(limits: &SessionLimits, sources: u32, open: u32, name: &str) -> Because {
    let fewest = |of: [(u32, &'static str); 3]| of.into_iter().min_by_key(|(most, _)| *most).expect("there are three");
    let longest = |of: [(u64, &'static str); 3]| of.into_iter().max_by_key(|(gap_ns, _)| *gap_ns).expect("there are three");
    let (most, for_destination) = fewest([
        (limits.per_connector.saturating_mul(sources), "max-conn-per-connector"),
        (limits.per_relay, "max-conn-per-relay"),
        (limits.per_domain, "max-conn-per-domain"),
    ]);
    let (most_here, to_address) =
        fewest([(limits.per_route.saturating_mul(sources), "max-conn-per-route"), (limits.per_host, "max-conn-per-host"), (u32::MAX, "")]);
    let (gap, of_destination) = longest([
        (limits.gap_connector_ns, "conn-delay-connector"),
        (limits.gap_domain_ns, "conn-delay-domain"),
        (limits.gap_relay_ns, "conn-delay-relay"),
    ]);
    let (gap_here, of_address) = longest([(limits.gap_host_ns, "conn-delay-host"), (limits.gap_route_ns, "conn-delay-route"), (0, "")]);
    let why = format!(
        "{} open, each for {} (session-mail-max): the first one that is free takes it. One more is opened if more messages than sessions are there, \
         {most} for the destination at most ({for_destination}), {most_here} to one address ({to_address}), {} after the last for the destination \
         ({of_destination}), {} after the last to the address ({of_address})",
        count(u64::from(open), "session"),
        count(u64::from(limits.mails), "mail"),
        duration(gap),
        duration(gap_here),
    );
    because("KEEP-8", name, why, "OpenSMTPD mta.c, limit.c")
}

#[cfg(test)]
mod tests {
    use super::super::profile::default_sender;
    use super::*;
    use crate::base::SECOND;

    #[test]
    fn limits_by_their_own_names() {
        let line = |busy, before| Line { busy, places: busy, before };
        let with = |profile, most| Sender { concurrency: (most, most), ..default_sender(profile) };
        let cases = [
            (
                at_destination(&with(Profile::Rfc, 2), "d.example", line(2, 9)),
                "2 of 2 connections to it are taken, 9 messages in line before it (concurrency_limit = 2)",
            ),
            (
                at_destination(&with(Profile::KumoMta, 3), "d.example", line(3, 0)),
                "3 of 3 connections to it are taken (connection_limit = 3)",
            ),
            (
                at_destination(&default_sender(Profile::Postfix), "d.example", line(5, 1)),
                "5 of 5 connections to it are taken, 1 message in line before it (their number begins at initial_destination_concurrency = 5, and follows \
                 what becomes of them up to default_destination_concurrency_limit = 20)",
            ),
            (
                in_all(Profile::Qmail, "d.example", line(2, 0)),
                "2 of 2 deliveries of the server, to whatever destination, are taken (concurrencyremote = 2)",
            ),
            (
                at_server("a", line(1, 0), None),
                "1 of 1 sessions of this server are taken (sessions = 1), and who calls waits for the greeting",
            ),
            (
                at_server("a", line(1, 0), Some("x")),
                "1 of 1 sessions of this server are taken (fault `x`), and who calls waits for the greeting",
            ),
        ];
        for (reason, expected) in cases {
            assert_eq!((reason.rule, &*reason.why), ("TURN", expected));
        }
    }

    #[test]
    fn sessions_by_the_limits_that_hold() {
        let limits = SessionLimits { per_domain: 1, mails: 2, gap_host_ns: 9 * SECOND, ..SessionLimits::OPENSMTPD };
        let words = "1 session open, each for 2 mails (session-mail-max): the first one that is free takes it. One more is opened if more messages than \
                     sessions are there, 1 for the destination at most (max-conn-per-domain), 5 to one address (max-conn-per-route), 2s after the last for \
                     the destination (conn-delay-relay), 9s after the last to the address (conn-delay-host)";
        assert_eq!(&*at_sessions(&limits, 1, 1, "d.example").why, words);
    }
}
