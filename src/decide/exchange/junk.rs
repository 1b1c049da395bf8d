//! Does mail that comes in go into the junk folders of a tenant's mailboxes?
//!
//! JUNK a filter's spam confidence level of 5 and more does that, unless nobody judges the message: the tenant's own mail, what a connector or the allow
//! list spares, and mail of the organization's other half, which brings its level along. A mail-flow rule that writes a level has the last word.
//! Sources: Microsoft, "Spam confidence level", "Header firewall"; Set-HostedConnectionFilterPolicy `IPAllowList`.

use super::super::acceptance::TakenFor;
use super::super::{Decision, because};

/// A spam confidence level from which on mail goes into the junk folder.
pub const JUNK_FROM: i8 = 5;

/// `said`: what a filter would say; `brought`: the level that stands on the message already.
#[must_use]
pub fn sort(said: Option<i8>, brought: Option<i8>, taken: TakenFor) -> Decision<bool> {
    let kept = brought.filter(|_| taken.internal);
    let level = if taken.unfiltered { kept } else { said };
    let is_junk = level.is_some_and(|level| level >= JUNK_FROM);
    let why = match (taken.unfiltered, level) {
        (true, Some(level)) => format!("the organization's other half has judged it: level {level}"),
        (true, None) => "no filter judges it: the tenant's own mail, or a client that a connector or the allow list spares".to_owned(),
        (false, Some(level)) => format!("the filter says level {level}, and {JUNK_FROM} and more is junk"),
        (false, None) => "nobody says a level".to_owned(),
    };
    Decision::for_reason(is_junk, because("JUNK", if is_junk { "the junk folder" } else { "the inbox" }, why, "Spam confidence level"))
}

/// The same after mail-flow rules, where a level stands on the message: `by_rule`, and not the organization's other half or the filter, wrote it.
#[must_use]
pub fn sort_after_rules(level: i8, by_rule: bool) -> Decision<bool> {
    let is_junk = level >= JUNK_FROM;
    let who = if by_rule { "a mail-flow rule set the level, and has the last word" } else { "the level that stands on the message" };
    let why = format!("{who}: {level}, and {JUNK_FROM} and more is junk");
    Decision::for_reason(is_junk, because("JUNK", if is_junk { "the junk folder" } else { "the inbox" }, why, "Spam confidence level"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders() {
        let stranger = TakenFor::NOBODY;
        let spared = TakenFor { unfiltered: true, ..stranger };
        let own = TakenFor { internal: true, ..spared };
        for (said, brought, taken, junk) in [
            (Some(5), None, stranger, true),
            (Some(4), Some(9), stranger, false),
            (None, None, stranger, false),
            (Some(9), Some(9), spared, false),
            (Some(9), None, own, false),
            (Some(1), Some(6), own, true),
        ] {
            assert_eq!(sort(said, brought, taken).outcome, junk, "{said:?} {brought:?} {taken:?}");
        }
    }
}
