//! When does a sender keep a connection, and when is an open one used again?
//!
//! Sources: Postfix qmgr_entry.c `qmgr_entry_select` (demand), smtp_session.c and smtp_connect.c `smtp_cleanup_session` (what stays), scache(8);
//! Exim transport.c `transport_check_waiting`; Sendmail mci.c. Not modelled: which of several logins
//! a connection was opened with.

use super::{Decision, because};
use crate::base::{MINUTE, SECOND, SimTime, count};
use crate::model::keeping::{Cache, Keeping};

/// How busy a destination is, as Postfix's queue manager knows it. Forgotten when nothing waits for it and nothing is on its way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Demand {
    /// When the last delivery was over.
    pub last_done: Option<SimTime>,
    /// Open connections are looked for.
    pub loads: bool,
    /// Connections are kept.
    pub stores: bool,
}

impl Demand {
    /// A delivery begins while `busy` are under way, itself among them (KEEP-1).
    ///
    /// Kept is from the second of two deliveries on that follow each other within a second, counted in whole seconds as the queue manager does.
    /// When deliveries neither overlap nor follow each other any more, what is open is used up and nothing is added.
    pub fn begin(&mut self, busy: u32, now: SimTime) {
        let back_to_back = self.last_done.is_some_and(|last| last.0 / SECOND + 1 >= now.0 / SECOND);
        if !self.stores {
            if back_to_back {
                (self.loads, self.stores) = (true, true);
            }
        } else if busy <= 1 && !back_to_back {
            self.stores = false;
        }
    }
}

/// Does a connection stay open after a transaction (KEEP-2)?
#[must_use]
pub fn stays(cache: &Cache, opened: SimTime, mails: u32, encrypted: bool, now: SimTime) -> bool {
    let young = cache.life_ns == 0 || now.since(opened) <= cache.life_ns;
    young && (cache.mails == 0 || mails < cache.mails) && (!encrypted || cache.encrypted)
}

/// Why a message goes on over the connection of its own last transaction (KEEP-10).
#[must_use]
pub fn why_again(name: &str) -> Decision<()> {
    let why = "it took some recipients and answered 452 to others: these follow at once in a transaction of their own";
    Decision::for_reason((), because("KEEP-10", name, why, "Exim smtp.c"))
}

/// Why a session goes over a connection to `name` that is open already, and had `mails` messages.
#[must_use]
pub fn why_open(keeping: &Keeping, name: &str, mails: u32, own_queue: bool) -> Decision<()> {
    let count = count(u64::from(mails), "message");
    let one = |rule, why: String, source| because(rule, name, why, source);
    let chosen = match keeping {
        Keeping::Cache(cache) if cache.own_line => {
            vec![one(
                "KEEP-6",
                format!("the queue has more mail for it, and it carried {count}"),
                "New-SendConnector SmtpMaxMessagesPerConnection",
            )]
        }
        Keeping::Cache(cache) => {
            let whose = match own_queue {
                true => "its own destination",
                false if cache.on_demand => "another destination",
                false => "another domain with the same mail hosts",
            };
            let kept =
                if cache.on_demand { "mail waited for the destination, or it is one whose connections are always kept" } else { "always" };
            let (reuse, keep) =
                if cache.on_demand { ("smtp_reuse.c", "qmgr_entry.c") } else { ("KumoMTA ready queue", "KumoMTA ready queue") };
            vec![
                one(
                    "KEEP-2",
                    format!("a connection that is open goes before a new one: it was opened for {whose} and carried {count}"),
                    reuse,
                ),
                one("KEEP-1", format!("kept open: {kept}"), keep),
            ]
        }
        Keeping::ForWaiting { .. } => {
            vec![one(
                "KEEP-3",
                format!("the message before it got through, and this one waited for the same host; {count} so far"),
                "Exim smtp.c",
            )]
        }
        Keeping::WithinRun { .. } => {
            vec![one("KEEP-4", format!("the queue run has a connection to this host that carried {count}"), "mci.c")]
        }
        Keeping::Never | Keeping::Sessions(_) => vec![one("KEEP-5", format!("the session is still open after {count}"), "limit.c")],
    };
    Decision { outcome: (), chosen, passed_over: Vec::new() }
}

/// How long a connection to the shared service of Exchange Online lives, whatever goes over it.
pub const SERVICE_LIFETIME_NS: u64 = 20 * MINUTE;

/// Is a connection over because the other side ends it at that age?
#[must_use]
pub fn is_too_old_for_service(opened: SimTime, now: SimTime) -> bool {
    now.since(opened) >= SERVICE_LIFETIME_NS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::profile::default_sender;
    use crate::model::settings::Profile;

    /// Milliseconds, how many are under way, when the last was over.
    type Begin = (u64, u32, Option<u64>);

    fn cache(profile: Profile) -> Cache {
        let Keeping::Cache(cache) = default_sender(profile).keeping else { panic!("{profile:?} has a cache") };
        cache
    }

    #[test]
    fn reasons() {
        let cases = [
            (Profile::Postfix, vec!["KEEP-2", "KEEP-1"]),
            (Profile::KumoMta, vec!["KEEP-2", "KEEP-1"]),
            (Profile::Exim, vec!["KEEP-3"]),
            (Profile::Sendmail, vec!["KEEP-4"]),
            (Profile::OpenSmtpd, vec!["KEEP-5"]),
            (Profile::ExchangeServer, vec!["KEEP-6"]),
        ];
        for (profile, expected) in cases {
            let decision = why_open(&default_sender(profile).keeping, "mx.test", 2, true);
            let rules: Vec<&str> = decision.chosen.iter().map(|reason| reason.rule).collect();
            assert_eq!(rules, expected, "{profile:?}");
        }
    }

    #[test]
    fn demand_of_a_destination() {
        // How deliveries begin; looked for, kept.
        let cases: [(&str, &[Begin], (bool, bool)); 6] = [
            ("one message", &[(0, 1, None)], (false, false)),
            ("several at once", &[(0, 1, None), (0, 2, None), (0, 3, None)], (false, false)),
            ("one after the other", &[(0, 1, None), (1_200, 1, Some(500))], (true, true)),
            ("a pause of two seconds", &[(0, 1, None), (3_000, 1, Some(500))], (false, false)),
            ("slower now", &[(0, 1, None), (500, 1, Some(400)), (3_000, 1, Some(600))], (true, false)),
            ("slower now, but side by side", &[(0, 1, None), (500, 1, Some(400)), (3_000, 2, Some(600))], (true, true)),
        ];
        for (case, begins, expected) in cases {
            let mut demand = Demand::default();
            for (at_ms, busy, done_ms) in begins {
                demand.last_done = done_ms.map(|ms| SimTime(ms * 1_000_000)).or(demand.last_done);
                demand.begin(*busy, SimTime(at_ms * 1_000_000));
            }
            assert_eq!((demand.loads, demand.stores), expected, "{case}");
        }
    }

    #[test]
    fn what_stays() {
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let (postfix, kumo) = (cache(Profile::Postfix), cache(Profile::KumoMta));
        let counted = Cache { mails: 3, ..cache(Profile::Postfix) };
        let encrypted = Cache { encrypted: true, ..cache(Profile::Postfix) };
        let cases = [
            ("in clear", &postfix, 10, 1, false, true),
            ("five minutes are over", &postfix, 301, 1, false, false),
            ("any number", &postfix, 10, 10_000, false, true),
            ("smtp_connection_reuse_count_limit: 2", &counted, 10, 3, false, false),
            ("TLS", &postfix, 10, 1, true, false),
            ("TLS, smtp_tls_connection_reuse", &encrypted, 10, 1, true, true),
            ("KumoMTA, an hour", &kumo, 3_600, 1, true, true),
            ("KumoMTA, 1024 messages", &kumo, 10, 1_024, true, false),
        ];
        for (case, cache, now, mails, encrypted, expected) in cases {
            assert_eq!(stays(cache, at(0), mails, encrypted, at(now)), expected, "{case}");
        }
    }
}
