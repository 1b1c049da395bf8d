//! Why is a host passed by that stands in the list, and may be well again? What its sender remembers of it, in words.
//!
//! Sources: Exim retry.c and smtp.c, qmail tcpto.c, OpenSMTPD mta.c, Sendmail deliver.c. Moments come as the scenario's clock writes them.

use super::relay::Route;
use super::tcpto::Silence;
use super::{Because, because};
use crate::base::count;

/// Exim: the retry time of a host is not reached; or that of this message at the host.
#[must_use]
pub fn not_yet(name: &str, (failed, next): (&str, &str), of_message: bool) -> Because {
    let what = if of_message { "this message failed there" } else { "it failed" };
    because("TRY", name, format!("not tried: {what} at {failed}, and the retry time, {next}, is not reached"), "Exim retry.c")
}

/// It failed in the same attempt already.
#[must_use]
pub fn failed_before(name: &str, source: &'static str) -> Because {
    because("TRY", name, "not tried: it failed in this attempt already", source)
}

/// Somebody else is connected to it (Exim `serialize_hosts`).
#[must_use]
pub fn serialized(name: &str) -> Because {
    because("TRY", name, "not tried: another process is connected to it, and there may be one only (serialize_hosts)", "Exim smtp.c")
}

/// qmail's table of silent addresses.
#[must_use]
pub fn silent(name: &str, known: Silence, last: &str) -> Because {
    let timeouts = count(u64::from(known.timeouts), "connect");
    let why = format!(
        "not tried: {timeouts} ran into the timeout, the last one at {last}; from the second on it is skipped for 64 to 97 minutes after the last"
    );
    because("TRY", name, why, "qmail tcpto.c")
}

/// A route of OpenSMTPD that is suspended.
#[must_use]
pub fn suspended(name: &str, route: Route, until: &str) -> Because {
    let why =
        format!("not tried: its route failed and is suspended until {until} (15s times the square of its penalty, {})", route.penalty);
    because("TRY", name, why, "OpenSMTPD mta.c mta_route_disable")
}

/// A queue run of Sendmail has seen it fail.
#[must_use]
pub fn failed_in_run(name: &str, failed: &str) -> Because {
    because("KEEP-4", name, format!("not tried: this queue run saw it fail at {failed} (Timeout.hoststatus)"), "Sendmail deliver.c")
}
