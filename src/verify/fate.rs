//! How did it end? The expectations about fates.
//!
//! A refusal by a sender's own loop rules is `Bounced`, and `Looped` holds too. The code of `Expired` is the Status in the report, or what
//! the sender noted if it made none. What was handed to the internet counts as delivered.

use super::desk::{Desk, has_code, has_text, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::view::Seen;
use crate::analysis::delays::{arrived, delay_ns};
use crate::analysis::outcome::{AttemptResult, Place, Recipient};
use crate::analysis::paths::places;
use crate::base::{CodePattern, Enhanced, Fate};
use crate::scenario::schema;

fn took(seen: &Seen<'_>) -> u64 {
    delay_ns(seen.message, seen.recipient)
}

/// Who decided the fate.
fn decider(recipient: &Recipient) -> Option<&Place> {
    recipient.final_place.as_ref()
}

/// Who gave the reply that ended it: another one, or the decider itself.
fn speaker(recipient: &Recipient) -> Option<&Place> {
    recipient.said_by.as_ref().or(recipient.final_place.as_ref())
}

fn code(pattern: Option<&CodePattern>, recipient: &Recipient) -> bool {
    has_code(pattern, recipient.code, Some(recipient.enhanced))
}

pub(super) fn delivered(it: &schema::Delivered, desk: &mut Desk<'_>) -> Check {
    let junk = it.junk.get().copied();
    let (to, window) = (desk.who(&it.to), desk.window(&it.within, &it.no_sooner));
    let holds = move |seen: &Seen<'_>| {
        let recipient = seen.recipient;
        arrived(recipient)
            && is(to.as_ref(), decider(recipient))
            && window.has(took(seen))
            && junk.is_none_or(|junk| junk == recipient.junk)
    };
    each(holds, got::fate)
}

pub(super) fn bounced(it: &schema::Bounced, desk: &mut Desk<'_>) -> Check {
    let (pattern, by, said_by) = (desk.code(&it.code), desk.who(&it.by), desk.who(&it.said_by));
    let (window, text) = (desk.window(&it.within, &it.no_sooner), it.text.as_str().map(str::to_owned));
    let holds = move |seen: &Seen<'_>| {
        let recipient = seen.recipient;
        matches!(recipient.fate, Fate::Bounced | Fate::Looped)
            && code(pattern.as_ref(), recipient)
            && is(by.as_ref(), decider(recipient))
            && is(said_by.as_ref(), speaker(recipient))
            && window.has(took(seen))
            && has_text(text.as_deref(), &recipient.text)
    };
    each(holds, got::fate)
}

pub(super) fn expired(it: &schema::Expired, desk: &mut Desk<'_>) -> Check {
    let (pattern, by, window) = (desk.code(&it.code), desk.who(&it.by), desk.window(&it.within, &it.no_sooner));
    let holds = move |seen: &Seen<'_>| {
        seen.recipient.fate == Fate::Expired
            && expiry_code(pattern.as_ref(), seen)
            && is(by.as_ref(), decider(seen.recipient))
            && window.has(took(seen))
    };
    each(holds, got::fate)
}

fn expiry_code(pattern: Option<&CodePattern>, seen: &Seen<'_>) -> bool {
    let lines = seen.scene.reports_about(seen.message).flat_map(|report| &report.report);
    let mut failed = lines.filter(|line| line.action == "failed" && line.is_about(seen.recipient)).peekable();
    if failed.peek().is_none() {
        return code(pattern, seen.recipient);
    }
    failed.any(|line| match line.status {
        // Such a report names no cause.
        None | Some(Enhanced(_, 0, 0)) if code(pattern, seen.recipient) => true,
        status => has_code(pattern, seen.recipient.code, status),
    })
}

pub(super) fn rejected(it: &schema::Rejected, desk: &mut Desk<'_>) -> Check {
    let (pattern, by) = (desk.code(&it.code), desk.who(&it.by));
    let holds = move |seen: &Seen<'_>| {
        seen.recipient.fate == Fate::Rejected && code(pattern.as_ref(), seen.recipient) && is(by.as_ref(), speaker(seen.recipient))
    };
    each(holds, got::fate)
}

pub(super) fn discarded(it: &schema::Discarded, desk: &mut Desk<'_>) -> Check {
    ended(Fate::Discarded, &it.by, desk)
}

pub(super) fn quarantined(it: &schema::Quarantined, desk: &mut Desk<'_>) -> Check {
    ended(Fate::Quarantined, &it.by, desk)
}

pub(super) fn frozen(it: &schema::Frozen, desk: &mut Desk<'_>) -> Check {
    ended(Fate::Frozen, &it.system, desk)
}

pub(super) fn not_modelled() -> Check {
    each(|seen| seen.recipient.fate == Fate::NotModelled, got::fate)
}

fn ended(fate: Fate, by: &crate::scenario::Field<crate::scenario::Text>, desk: &mut Desk<'_>) -> Check {
    let by = desk.who(by);
    each(move |seen| seen.recipient.fate == fate && is(by.as_ref(), decider(seen.recipient)), got::fate)
}

pub(super) fn looped(it: &schema::Looped, desk: &mut Desk<'_>) -> Check {
    let (through, pattern, by) = (desk.who_are(it.through.items()), desk.code(&it.code), desk.who(&it.by));
    let holds = move |seen: &Seen<'_>| {
        let recipient = seen.recipient;
        let row = places(seen.message, recipient);
        is_loop(recipient, &row)
            && code(pattern.as_ref(), recipient)
            && is(by.as_ref(), decider(recipient))
            && through.iter().all(|who| row.iter().any(|place| who.is(place)))
    };
    each(holds, got::path)
}

/// Stopped as a loop by its holder, or refused by the next server for its hops after it came by one place twice.
pub(super) fn is_loop(recipient: &Recipient, row: &[&Place]) -> bool {
    let for_hops = matches!(recipient.enhanced, Enhanced(5, 4, 0 | 6 | 14));
    let came_again = || row.iter().enumerate().any(|(at, place)| row[..at].contains(place));
    recipient.fate == Fate::Looped || recipient.fate == Fate::Bounced && for_hops && came_again()
}

pub(super) fn queued(it: &schema::Queued, desk: &mut Desk<'_>) -> Check {
    let (system, pattern, text) = (desk.who(&it.system), desk.code(&it.code), it.text.as_str().map(str::to_owned));
    let holds = move |seen: &Seen<'_>| {
        let recipient = seen.recipient;
        let place = decider(recipient).or(recipient.hops.last().map(|hop| &hop.from));
        recipient.fate == Fate::Queued && is(system.as_ref(), place) && last_answer(recipient, pattern.as_ref(), text.as_deref())
    };
    each(holds, got::fate)
}

/// What the recipient is said to wait for, or the last pass that came to an end.
fn last_answer(recipient: &Recipient, pattern: Option<&CodePattern>, text: Option<&str>) -> bool {
    let own = code(pattern, recipient) && has_text(text, &recipient.text);
    let passes = recipient.hops.last().into_iter().flat_map(|hop| hop.attempts.iter().rev());
    let last = passes.into_iter().find(|attempt| attempt.result != AttemptResult::Unfinished);
    let in_queue = |words: &std::rc::Rc<str>| has_code(pattern, 451, Some(Enhanced(4, 4, 0))) && has_text(text, words);
    let last_error = || last.is_some_and(|last| last.last_error.as_ref().is_some_and(in_queue));
    own || last.is_some_and(|last| has_code(pattern, last.code, Some(last.enhanced)) && has_text(text, &last.text)) || last_error()
}

#[cfg(test)]
mod tests {
    use crate::analysis::fixture::{place, site, two_sites};
    use crate::base::{Enhanced, Fate};
    use crate::verify::fixture::{table, told};

    #[test]
    fn how_it_ended() {
        table(&[
            (r#"For(sent: ("0s", "15m"), expect: [Delivered(to: "exchange")])"#, "holds"),
            (
                "Delivered()",
                "2 of 6 recipients, the first: bounced by eop after 300ms: 550 5.1.1 no such mailbox, said by site-a [inbound#5]",
            ),
            (
                r#"For(sent: ("0s", "15m"), expect: [Delivered(to: "site-a")])"#,
                "1 of 2 recipients, the first: delivered to site-b after 30.54s [inbound#2]",
            ),
            (r#"For(sent: ("10m", "30m"), expect: [Delivered(within: "31s", no_sooner: "30s")])"#, "holds"),
            (
                r#"For(sent: ("10m", "30m"), expect: [Delivered(within: "30s")])"#,
                "2 of 2 recipients, the first: delivered to site-b after 30.54s [inbound#2]",
            ),
            (r#"Any(Bounced(code: "550 5.1.1", by: "eop", said_by: "site-a", within: "1m", text: "no such mailbox"))"#, "holds"),
            (r#"Any(Bounced(code: "5.7.x"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Bounced(by: "site-a"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Queued(system: "eop", code: "4.4.1", text: "no host"))"#, "holds"),
            (r#"Any(Queued(system: "exchange"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Expired(by: "eop"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Rejected(by: "site-a"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            ("Not(Rejected())", "holds"),
            ("Any(Discarded())", "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Quarantined(by: "eop"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"Any(Looped(through: ["eop"]))"#, "none of 6 recipients, the first: internet > eop > site-a [inbound#1]"),
            (r#"Any(Frozen(system: "eop"))"#, "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            ("Any(NotModelled())", "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (r#"For(from: "<>", expect: [Delivered(to: "internet")])"#, "holds"),
            ("Any(Delivered(junk: true))", "none of 6 recipients, the first: delivered to site-a after 500ms [inbound#1]"),
            (
                r#"Delivered(to: "site-c")"#,
                "MT0101: nothing is called `site-c`: no system, host, kind of senders, group or site (did you mean `site-a`?)",
            ),
            (
                r#"Delivered(to: "site-a.contoso.com", within: "30")"#,
                r#"MT0101: nothing is called `site-a.contoso.com`: no system, host, kind of senders, group or site (did you mean `site-a`?); MT0301: `30` is not a duration (a duration needs a unit: "30s", "30m" or "30h"?)"#,
            ),
            (
                r#"Any(Bounced(code: "hello"))"#,
                r#"MT0301: `hello` is not a code (a code is "550", "5.7.64" or "550 5.7.64", with x for any digit ("4xx", "5.7.x"))"#,
            ),
        ]);
    }

    #[test]
    fn the_rarer_fates() {
        let cases = [
            (
                Fate::Expired,
                r#"Expired(by: "eop", code: "4.4.7", no_sooner: "1h", within: "2h")"#,
                r#"Expired(code: "5.x.x")"#,
                "expired by eop",
            ),
            (Fate::Rejected, r#"Rejected(code: "5.1.1", by: "site-a")"#, r#"Rejected(by: "eop")"#, "rejected by eop"),
            (Fate::Discarded, r#"Discarded(by: "eop")"#, r#"Discarded(by: "site-a")"#, "discarded by eop"),
            (Fate::Quarantined, r#"Quarantined(by: "eop")"#, r#"Quarantined(by: "site-a")"#, "quarantined at eop"),
            (Fate::Looped, r#"Looped(through: ["internet", "eop"], by: "eop")"#, r#"Looped(through: ["site-a"])"#, "internet > eop"),
            (Fate::Looped, r#"Bounced(code: "5.1.1")"#, r#"Bounced(code: "5.4.6")"#, "looped by eop"),
            (Fate::Frozen, r#"Frozen(system: "eop")"#, r#"Frozen(system: "site-a")"#, "frozen at eop"),
            (Fate::NotModelled, "NotModelled()", "Delivered()", "the scenario does not say at eop"),
            (Fate::LeftModel, r#"Delivered(to: "eop")"#, r#"Delivered(to: "site-a")"#, "delivered to eop after 1h 10m"),
        ];
        for (fate, holds, fails, got) in cases {
            let mut outcome = two_sites();
            outcome.messages = outcome.messages.split_off(4);
            outcome.messages.truncate(2);
            let recipient = &mut outcome.messages[0].recipients[0];
            recipient.fate = fate;
            recipient.at = recipient.at.after(crate::base::HOUR + 10 * crate::base::MINUTE);
            recipient.said_by = Some(site('a'));
            recipient.final_place = Some(place("eop", "exchange-online#1"));
            // The code of `Expired` is the one in the report.
            outcome.messages[1].report[0].status = Some(if fate == Fate::Expired { Enhanced(4, 4, 7) } else { Enhanced(5, 1, 1) });
            assert_eq!(told(&outcome, holds), "holds", "{holds}");
            let failed = told(&outcome, fails);
            assert!(failed.starts_with(got), "{fails}: {failed}");
        }
    }
}
