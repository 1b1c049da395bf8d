//! What is said where the machine that holds a message is down (rule DOWN), and when its mail is tried after it starts?
//!
//! Sources: Postfix qmgr.c `qmgr_post_init`; Exim daemon.c; Sendmail main.c; qmail-send.c `pqstart`; RFC 1047 for what a server has that lost its client.

use super::profile::AtStart;
use super::{Because, because};

/// The status of an attempt that ended with its machine.
pub const WENT_DOWN: &str = "the sending host went down";
/// The question under which rule DOWN is told.
pub const QUESTION: &str = "can it send?";

/// Why mail is tried at the start of its machine, or after it; `remembers`: its hosts have times of their own (Exim).
#[must_use]
pub fn tried_at_start(at_start: AtStart, remembers: bool) -> &'static str {
    match at_start {
        AtStart::QueueRun if remembers => {
            "the machine starts again then, with a run through its queue; whether it is tried there depends on the retry times of its hosts"
        }
        AtStart::AtItsTime => "the machine is down at its time, and starts again then",
        AtStart::QueueRun => "the machine starts again then, with a run through its queue",
        AtStart::AtOnce => "the machine starts again then, and tries at once what waits",
    }
}

/// Its mail waits: the name of the machine, the faults one after the other, and until when.
#[must_use]
pub fn is_down(machine: &str, faults: &[&str], until: Option<&str>) -> Because {
    let until = until.map_or_else(|| "and does not come back".to_owned(), |until| format!("until {until}"));
    let faults = faults.iter().map(|fault| format!("`{fault}`")).collect::<Vec<_>>().join(", then ");
    because(
        "DOWN",
        machine.to_owned(),
        format!("down {until} (fault {faults}); its mail waits there, and nobody tries it meanwhile"),
        "faults",
    )
}

/// The attempt of a host that was not reached in time.
#[must_use]
pub fn not_tried() -> (String, &'static str) {
    ("the machine that has the message went down before its turn".to_owned(), "faults")
}
