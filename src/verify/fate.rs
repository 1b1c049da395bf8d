//! How did it end? The expectations about fates.
//!
//! A refusal by a sender's own loop rules is `Bounced`, and `Looped` holds too. The code of `Expired` is the Status in the report, or what
//! the sender noted if it made none. What was handed to the internet counts as delivered. Not modelled: `junk`.

use super::desk::{Desk, has_code, has_text, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::view::Seen;
use crate::analysis::delays::{arrived, delay_ns};
use crate::analysis::outcome::{AttemptResult, Place, Recipient};
use crate::analysis::paths::places;
use crate::base::{CodePattern, Fate};
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
    desk.later_field(&it.junk, "`junk`, the verdict of a filter");
    let (to, window) = (desk.who(&it.to), desk.window(&it.within, &it.no_sooner));
    let holds = move |seen: &Seen<'_>| arrived(seen.recipient) && is(to.as_ref(), decider(seen.recipient)) && window.has(took(seen));
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
    let mut failed = lines.filter(|line| line.action == "failed" && line.recipient == seen.recipient.to).peekable();
    if failed.peek().is_none() {
        return code(pattern, seen.recipient);
    }
    failed.any(|line| has_code(pattern, seen.recipient.code, Some(line.status)))
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
        recipient.fate == Fate::Looped
            && code(pattern.as_ref(), recipient)
            && is(by.as_ref(), decider(recipient))
            && through.iter().all(|who| row.iter().any(|place| who.is(place)))
    };
    each(holds, got::path)
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
    own || last.is_some_and(|last| has_code(pattern, last.code, Some(last.enhanced)) && has_text(text, &last.text))
}
