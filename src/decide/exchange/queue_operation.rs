//! What becomes of mail that an administrator holds back or takes away?
//!
//! QUE-1 nothing leaves a queue that is suspended, though what arrives joins it; QUE-2 a message that is suspended stays where it is; QUE-3 a message
//! that is removed ends with a report to its sender, unless the administrator wants none.
//! Sources: Suspend-Queue, Suspend-Message, Remove-Message `WithNDR`.

use super::super::{Decision, because};
use crate::base::{Enhanced, Reply};

/// What is suspended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    /// The whole queue.
    Queue,
    /// The message.
    Message,
}

/// Why mail does not leave, and what its state says.
#[must_use]
pub fn held(what: Held, queue: &str) -> Decision<Reply> {
    let (rule, text, why, source) = match what {
        Held::Queue => (
            "QUE-1",
            "the queue is suspended",
            "an administrator has suspended the queue: it takes mail, and lets none go until it is resumed",
            "Suspend-Queue",
        ),
        Held::Message => (
            "QUE-2",
            "the message is suspended",
            "an administrator has suspended the message: it stays until it is resumed or removed",
            "Suspend-Message",
        ),
    };
    Decision::for_reason(Reply::new(0, Some(Enhanced(4, 3, 2)), text), because(rule, queue, why, source))
}

/// The end of a message that was removed.
#[must_use]
pub fn removed(with_ndr: bool, queue: &str) -> Decision<Reply> {
    let (reply, why) = if with_ndr {
        let text = "QUEUE.Admin; message deleted by administrative action";
        (Reply::new(550, Some(Enhanced(4, 3, 2)), text), "an administrator has removed the message, and its sender is told (WithNDR)")
    } else {
        let text = "removed by an administrator, without a report";
        (Reply::new(0, Some(Enhanced(4, 3, 2)), text), "an administrator has removed the message, and nobody is told")
    };
    Decision::for_reason(reply, because("QUE-3", queue, why, "Remove-Message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let cases = [
            ("a queue", held(Held::Queue, "Out"), 0, "QUE-1"),
            ("a message", held(Held::Message, "Out"), 0, "QUE-2"),
            ("removed", removed(true, "Out"), 550, "QUE-3"),
            ("removed in silence", removed(false, "Out"), 0, "QUE-3"),
        ];
        for (case, decision, code, rule) in cases {
            assert_eq!((decision.outcome.code, decision.chosen[0].rule), (code, rule), "{case}");
        }
    }
}
