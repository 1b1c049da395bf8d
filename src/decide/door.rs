//! How much does a mail server bear of one client: connections at once, refusals in a session?
//!
//! Sources: Postfix smtpd.c, smtpd_chat.c and postconf(5) (`smtpd_client_connection_count_limit`, `smtpd_soft_error_limit`, `smtpd_hard_error_limit`,
//! `smtpd_error_sleep_time`); Exim daemon.c (`smtp_accept_max`, `smtp_accept_max_per_host`). Not modelled: wrong commands, which no client of a scenario
//! says; refusals of earlier transactions over the same connection; reserved places (`smtp_accept_reserve`), load.

use super::profile::DoorRules;
use super::{Decision, because};
use crate::base::{Reply, count, duration};
use crate::model::client_limits::ClientLimits;

/// A client that has `open` connections already opens one more (DOOR-1).
#[must_use]
pub fn one_more(rules: &DoorRules, limits: &ClientLimits, client: &str, open: u32) -> Option<Decision<Reply>> {
    (limits.connections > 0 && open >= limits.connections).then(|| {
        let why = format!("{} of one client at once, no more", count(u64::from(limits.connections), "connection"));
        let source = "smtpd_client_connection_count_limit, smtp_accept_max_per_host";
        let (status, words) = rules.client_full;
        Decision::for_reason(Reply::new(421, status, words), because("DOOR-1", client, why, source))
    })
}

/// A session with so many refusals so far goes on with another command (DOOR-3).
#[must_use]
pub fn too_many_refusals(limits: &ClientLimits, refusals: u32) -> Option<Decision<Reply>> {
    (limits.hard_errors > 0 && refusals >= limits.hard_errors).then(|| {
        let reply = Reply::new(421, Some(crate::base::Enhanced(4, 7, 0)), "Error: too many errors");
        let why = format!("{} in this session: the server closes it", count(u64::from(refusals), "refusal"));
        Decision::for_reason(reply, because("DOOR-3", "421 4.7.0", why, "smtpd_hard_error_limit"))
    })
}

/// How much later the next answer of such a session comes (DOOR-2).
#[must_use]
pub fn lateness(limits: &ClientLimits, refusals: u32) -> Option<Decision<u64>> {
    (limits.soft_errors > 0 && limits.late_ns > 0 && refusals >= limits.soft_errors).then(|| {
        let why =
            format!("from {} on each answer comes {} later", count(u64::from(limits.soft_errors), "refusal"), duration(limits.late_ns));
        Decision::for_reason(limits.late_ns, because("DOOR-2", "slower", why, "smtpd_soft_error_limit, smtpd_error_sleep_time"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::profile::{behaviour, door_of};
    use super::*;
    use crate::model::settings::{Profile, WhenFull};

    #[test]
    fn as_delivered() {
        let cases = [
            (Profile::Postfix, (Some(100), None), (50, 10, 20)),
            (Profile::Exim, (Some(20), Some(WhenFull::Reply421)), (0, 0, 0)),
            (Profile::Rfc, (None, None), (0, 0, 0)),
            (Profile::Sendmail, (None, None), (0, 0, 0)),
        ];
        for (profile, places, limits) in cases {
            let (sessions, when_full, of_client) = door_of(profile);
            let found = (of_client.connections, of_client.soft_errors, of_client.hard_errors);
            assert_eq!(((sessions, when_full), found), (places, limits), "{profile:?}");
        }
    }

    #[test]
    fn connections_of_one_client() {
        let limited = |connections| ClientLimits { connections, ..ClientLimits::default() };
        let cases = [
            (Profile::Postfix, 0, 900, None),
            (Profile::Postfix, 50, 49, None),
            (Profile::Postfix, 50, 50, Some("421 4.7.0 Error: too many connections")),
            (Profile::Exim, 2, 2, Some("421 Too many concurrent SMTP connections from this IP address; please try again later.")),
        ];
        for (profile, most, open, expected) in cases {
            let refusal = one_more(&behaviour(profile).door, &limited(most), "192.0.2.1", open);
            assert_eq!(refusal.map(|refusal| refusal.outcome.to_string()).as_deref(), expected, "{profile:?} {most} {open}");
        }
    }

    #[test]
    fn refusals_in_a_session() {
        let (_, _, postfix) = door_of(Profile::Postfix);
        let none = ClientLimits::default();
        let cases = [
            (&postfix, 9, false, false),
            (&postfix, 10, true, false),
            (&postfix, 19, true, false),
            (&postfix, 20, true, true),
            (&none, 900, false, false),
        ];
        for (limits, refusals, late, over) in cases {
            assert_eq!((lateness(limits, refusals).is_some(), too_many_refusals(limits, refusals).is_some()), (late, over), "{refusals}");
        }
    }
}
