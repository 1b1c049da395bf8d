//! What a failover took out of a mailbox database of Exchange 2010: which Hub Transport server has it still?
//!
//! DMP-1 the server that delivered it keeps it in its transport dumpster and delivers it again; DMP-2 what is older than MaxDumpsterTime is gone, and so
//! is, DMP-3, what newer mail for the same database has pushed out (MaxDumpsterSizePerDatabase, first in first out); DMP-4 what that server lost, or
//! never comes back with, nobody has. Sources: Exchange 2010 "Understanding the Transport Dumpster", Set-TransportConfig. Not modelled: that the dumpster
//! lets go of what all copies of the database have; such mail is not lost, so nobody asks for it.

use super::super::{Because, because};
use super::redundancy::{Answer, LostFromDatabase};
use crate::base::{SimTime, duration};

const SOURCE: &str = "Exchange 2010 transport dumpster";

/// Who delivers it again, where `newer_bytes` came after it, itself counted, and `most_bytes` is the size of the dumpster.
#[must_use]
pub fn transport_dumpster(lost: &LostFromDatabase<'_>, newer_bytes: u64, most_bytes: u64) -> (Answer, Vec<Because>) {
    let gone = |rule, why: String| (Answer::Gone, vec![because(rule, "nobody", why, SOURCE)]);
    let age = lost.failover_at.since(lost.delivered_at);
    if age > lost.hold_ns {
        return gone(
            "DMP-2",
            format!("delivered {} before the failover, and MaxDumpsterTime is {}", duration(age), duration(lost.hold_ns)),
        );
    }
    if newer_bytes > most_bytes {
        let why = format!("with what came after it {newer_bytes} bytes, and MaxDumpsterSizePerDatabase is {most_bytes}: pushed out");
        return gone("DMP-3", why);
    }
    let asked_at = lost.primary_back.max(lost.failover_at);
    if !lost.primary_keeps || asked_at == SimTime::NEVER {
        let state = if lost.primary_keeps { "does not come back" } else { "has lost its queue database, and its dumpster with it" };
        return gone("DMP-4", format!("`{}` delivered it, and {state}", lost.primary.1));
    }
    let why = "delivered the message, and keeps it in its transport dumpster: into the database again; the mailbox sorts out what it has, and nobody is told";
    (Answer::From(lost.primary.0, asked_at), vec![because("DMP-1", lost.primary.1, why, SOURCE)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DAY, HOUR, HostId, MINUTE};

    #[test]
    fn what_comes_back() {
        let at = |hours: u64| SimTime(hours * HOUR);
        let usual = LostFromDatabase {
            delivered_at: at(10),
            failover_at: SimTime(10 * HOUR + 5 * MINUTE),
            hold_ns: 7 * DAY,
            primary: (HostId(0), "A"),
            primary_back: SimTime::ZERO,
            primary_keeps: true,
            shadow: None,
        };
        let failover = usual.failover_at;
        let cases = [
            ("at once", usual.clone(), 1, Answer::From(HostId(0), failover), "DMP-1"),
            ("when it is back", LostFromDatabase { primary_back: at(30), ..usual.clone() }, 1, Answer::From(HostId(0), at(30)), "DMP-1"),
            ("too old", LostFromDatabase { hold_ns: MINUTE, ..usual.clone() }, 1, Answer::Gone, "DMP-2"),
            ("just fits", usual.clone(), 18, Answer::From(HostId(0), failover), "DMP-1"),
            ("pushed out", usual.clone(), 19, Answer::Gone, "DMP-3"),
            ("empty", LostFromDatabase { primary_keeps: false, ..usual.clone() }, 1, Answer::Gone, "DMP-4"),
            ("never back", LostFromDatabase { primary_back: SimTime::NEVER, ..usual }, 1, Answer::Gone, "DMP-4"),
        ];
        for (case, lost, newer_bytes, expected, rule) in cases {
            let (answer, because) = transport_dumpster(&lost, newer_bytes, 18);
            assert_eq!((answer, because[0].rule), (expected, rule), "{case}");
        }
    }
}
