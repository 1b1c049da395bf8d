//! How was it, in a line? What a failed expectation is told about the message that shows it.

use super::view::Seen;
use crate::analysis::delays::delay_ns;
use crate::analysis::outcome::{Attempt, Connection, Hop, Reason, Recipient, Tls};
use crate::analysis::paths::label;
use crate::base::{Enhanced, Fate, count, exact_duration};

/// The longest list in one line; more is counted.
const LIST_MAX: usize = 6;

/// `a, b, c and 4 more`
pub(super) fn list(items: impl IntoIterator<Item = String>, nothing: &str) -> String {
    let items: Vec<String> = items.into_iter().collect();
    let more = items.len().saturating_sub(LIST_MAX);
    match (items.is_empty(), more) {
        (true, _) => nothing.to_owned(),
        (false, 0) => items.join(", "),
        (false, more) => format!("{} and {more} more", items[..LIST_MAX].join(", ")),
    }
}

/// `550 5.1.1 no such mailbox`, without what nobody said.
pub(super) fn answer(code: u16, enhanced: Enhanced, text: &str) -> String {
    let code = if code == 0 { String::new() } else { format!("{code} ") };
    format!("{code}{enhanced} {text}").trim_end().to_owned()
}

/// `bounced by eop after 300ms: 550 5.1.1 no such mailbox, said by site-a`
pub(super) fn fate(seen: &Seen<'_>) -> String {
    let recipient = seen.recipient;
    let joined = match recipient.fate {
        Fate::Delivered | Fate::LeftModel => " to ",
        Fate::Queued | Fate::Frozen | Fate::Lost | Fate::Quarantined | Fate::Expanded | Fate::NotModelled => " at ",
        Fate::Bounced | Fate::Rejected | Fate::Expired | Fate::Discarded | Fate::Looped => " by ",
    };
    let word = if recipient.fate == Fate::LeftModel { "delivered" } else { recipient.fate.as_str() };
    let place = recipient.final_place.as_ref().map_or(String::new(), |place| format!("{joined}{}", label(place)));
    let after = exact_duration(delay_ns(seen.message, recipient));
    let said = recipient.said_by.as_ref().map_or(String::new(), |place| format!(", said by {}", label(place)));
    let answer = match recipient.fate {
        Fate::Delivered if recipient.junk => ", into the junk folder".to_owned(),
        Fate::Delivered | Fate::LeftModel => String::new(),
        _ => format!(": {}{said}", answer(recipient.code, recipient.enhanced, &recipient.text)),
    };
    format!("{word}{place} after {after}{answer}")
}

/// `internet > eop > site-b`, and how it ended if it did not arrive.
pub(super) fn path(seen: &Seen<'_>) -> String {
    let route = crate::analysis::paths::route(seen.message, seen.recipient);
    if crate::analysis::delays::arrived(seen.recipient) { route } else { format!("{route}, {}", fate(seen)) }
}

/// `site-a at 11m 0.2s (no-answer)`
pub(super) fn connection(seen: &Seen<'_>, connection: &Connection) -> String {
    let place = connection.to.as_ref().map_or_else(|| connection.address.to_string(), |place| label(place).to_owned());
    format!("{place} at {} ({})", seen.scene.clock.moment(connection.at), connection.result.as_str())
}

/// `3 attempts: at 0s (deferred), at 5m (delivered)`
pub(super) fn attempts(seen: &Seen<'_>, attempts: &[&Attempt]) -> String {
    let rows = attempts.iter().map(|attempt| format!("{} ({})", seen.scene.clock.moment(attempt.at), attempt.result.as_str()));
    format!("{}: {}", count(attempts.len() as u64, "attempt"), list(rows, "none"))
}

/// `To on-premises (OUT-3), site-a.contoso.com (SH-2)`
pub(super) fn reasons<'a>(reasons: impl Iterator<Item = &'a Reason>, nothing: &str) -> String {
    let mut said: Vec<String> = vec![];
    for reason in reasons {
        let words = format!("{} ({})", reason.name, reason.rule);
        if !said.contains(&words) {
            said.push(words);
        }
    }
    list(said, nothing)
}

/// `eop -> site-b: encrypted, TLS 1.3, policy EncryptionOnly`
pub(super) fn hop_tls(hop: &Hop, tls: Option<&Tls>, to: Option<&str>) -> String {
    let to = to.or_else(|| hop.to.as_ref().map(label)).unwrap_or("nobody");
    let how = tls.map_or("plaintext".to_owned(), |tls| {
        let version = tls.version.map_or(String::new(), |version| format!(", {}", version.as_str()));
        let result = tls.result.map_or(String::new(), |result| format!(", {result}"));
        format!("{}{version}, policy {}{result}", tls.outcome.as_str(), tls.policy)
    });
    format!("{} -> {to}: {how}", label(&hop.from))
}

/// All connections of a recipient with their hop and attempt, in order.
pub(super) fn connections(recipient: &Recipient) -> impl Iterator<Item = (&Hop, &Attempt, &Connection)> {
    let passes = recipient.hops.iter().flat_map(|hop| hop.attempts.iter().map(move |attempt| (hop, attempt)));
    passes.flat_map(|(hop, attempt)| attempt.connections.iter().map(move |connection| (hop, attempt, connection)))
}
