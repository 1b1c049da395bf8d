//! How much haste does Sendmail make with a message?
//!
//! Sources: sendmail headers.c `eatheader` (the fields Precedence, Content-Type and Priority, in this order, each over the one before), the lines `P` of
//! its delivered configuration (special-delivery=100, first-class=0, list=-30, bulk=-60, junk=-100), envelope.c `dropenvelope`.
//! Not modelled: the order of a queue run by priority.

use super::{Decision, because};
use crate::model::letter::Header;
use crate::model::retry_rules::Haste;

/// What the fields of a message come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Urgency {
    /// Which of `Timeout.queuereturn` and `Timeout.queuewarn` hold.
    pub haste: Haste,
    /// Its precedence is below zero: nobody hears of delays, and reports of failure return the headers only.
    pub is_bulk: bool,
}

/// The number of a `Precedence`, as the delivered configuration has it.
#[must_use]
pub fn precedence(headers: &[Header]) -> i32 {
    match value(headers, "precedence").map(|value| value.to_ascii_lowercase()).as_deref() {
        Some("special-delivery") => 100,
        Some("list") => -30,
        Some("bulk") => -60,
        Some("junk") => -100,
        _ => 0,
    }
}

/// What holds for a message with these fields; `is_report` if a server made it about another one.
#[must_use]
pub fn urgency(headers: &[Header], is_report: bool) -> Decision<Urgency> {
    let number = precedence(headers);
    let named = |haste: Haste, field: &str, text: &str| (haste, format!("{field}: {text}"));
    let usual = || (Haste::Normal, "neither Precedence nor Priority".to_owned());
    let mut found = match (number, value(headers, "precedence")) {
        (0, _) | (_, None) => usual(),
        (number, Some(text)) => named(if number > 0 { Haste::Urgent } else { Haste::NonUrgent }, "Precedence", text),
    };
    if let Some(text) = value(headers, "content-type").filter(|text| is_delivery_report(text)) {
        found = named(Haste::Report, "Content-Type", text);
    }
    let priority = value(headers, "priority").and_then(|text| {
        let word = text.to_ascii_lowercase();
        let haste = match word.as_str() {
            "urgent" => Haste::Urgent,
            "normal" => Haste::Normal,
            "non-urgent" => Haste::NonUrgent,
            _ => return None,
        };
        Some(named(haste, "Priority", text))
    });
    match priority {
        Some(priority) => found = priority,
        None if is_report => found = (Haste::Report, "a report".into()),
        None => {}
    }
    let (haste, name) = found;
    let bulk = if number < 0 { "; nobody hears of delays, and a report of failure returns the headers only" } else { "" };
    let why = format!("Timeout.queuereturn.{0} and Timeout.queuewarn.{0} hold{bulk}", haste.as_str());
    Decision::for_reason(Urgency { haste, is_bulk: number < 0 }, because("PREC", name, why, "sendmail headers.c, envelope.c"))
}

fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.trim())
}

/// `multipart/report; report-type=delivery-status`
fn is_delivery_report(value: &str) -> bool {
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().is_some_and(|kind| kind.replace(' ', "") == "multipart/report")
        && parts
            .any(|part| part.split_once('=').is_some_and(|(name, kind)| name.trim() == "report-type" && kind.trim() == "delivery-status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static [(&'static str, &'static str)], bool, Haste, bool);

    #[test]
    fn which_times_hold() {
        let cases: [Case; 14] = [
            (&[], false, Haste::Normal, false),
            (&[("Precedence", "special-delivery")], false, Haste::Urgent, false),
            (&[("Precedence", "first-class")], false, Haste::Normal, false),
            (&[("precedence", "List")], false, Haste::NonUrgent, true),
            (&[("Precedence", "bulk")], false, Haste::NonUrgent, true),
            (&[("Precedence", "junk")], false, Haste::NonUrgent, true),
            (&[("Precedence", "bulky")], false, Haste::Normal, false),
            (&[("Priority", "urgent")], false, Haste::Urgent, false),
            (&[("Priority", "non-urgent")], false, Haste::NonUrgent, false),
            (&[("Precedence", "bulk"), ("Priority", "Normal")], false, Haste::Normal, true),
            (&[("Priority", "whatever")], false, Haste::Normal, false),
            (&[("Content-Type", "multipart/report; boundary=x; report-type=delivery-status")], false, Haste::Report, false),
            (&[("Content-Type", "multipart/report; report-type=disposition-notification")], false, Haste::Normal, false),
            (&[], true, Haste::Report, false),
        ];
        for (fields, is_report, haste, is_bulk) in cases {
            let headers: Vec<Header> = fields.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() }).collect();
            assert_eq!(urgency(&headers, is_report).outcome, Urgency { haste, is_bulk }, "{fields:?}");
        }
    }
}
