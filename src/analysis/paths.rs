//! Which way did the mail go?
//!
//! A path is the row of machines that had the message, the one where it entered first. People read paths by name: a machine of a pool
//! (`eop#3`) and a sender on the internet go by the name of their system, everything else by its own.

use super::delays::{arrived, delay_ns, percentile};
use super::outcome::{Kind, Message, Outcome, Place, Recipient};
use crate::base::InOrder;
use std::collections::BTreeMap;

/// The machines that had the mail for this recipient, in order; neighbours differ.
#[must_use]
pub fn places<'a>(message: &'a Message, recipient: &'a Recipient) -> Vec<&'a Place> {
    let mut row = vec![&message.entered_at];
    row.extend(recipient.hops.iter().flat_map(|hop| [Some(&hop.from), hop.to.as_ref()]).flatten());
    if arrived(recipient) {
        row.extend(&recipient.final_place);
    }
    row.dedup();
    row
}

/// The name that people know a machine by.
#[must_use]
pub fn label(place: &Place) -> &str {
    if place.host.contains('#') || &*place.system == "internet" { &place.system } else { &place.host }
}

/// A path in words: `internet > eop > site-a`.
#[must_use]
pub fn route(message: &Message, recipient: &Recipient) -> String {
    let mut names: Vec<&str> = places(message, recipient).into_iter().map(label).collect();
    names.dedup();
    names.join(" > ")
}

/// How much mail took one path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathShare {
    /// The path in words.
    pub route: String,
    /// How many recipients.
    pub recipients: u64,
    /// How many of them got the mail.
    pub arrived: u64,
    /// The median delay of those that got it.
    pub p50_ns: Option<u64>,
}

/// The paths of all messages of the wanted kinds, the busiest first (then by name).
#[must_use]
pub fn shares(outcome: &Outcome, wanted: impl Fn(Kind) -> bool) -> Vec<PathShare> {
    let mut by_route: BTreeMap<String, (u64, Vec<u64>)> = BTreeMap::new();
    for message in outcome.messages.iter().filter(|message| wanted(message.kind)) {
        for recipient in &message.recipients {
            let (count, delays) = by_route.entry(route(message, recipient)).or_default();
            *count += 1;
            if arrived(recipient) {
                delays.push(delay_ns(message, recipient));
            }
        }
    }
    let rows = by_route.into_iter().map(|(route, (recipients, mut delays))| {
        delays.sort_unstable();
        PathShare { route, recipients, arrived: delays.len() as u64, p50_ns: percentile(&delays, 500) }
    });
    let mut rows: Vec<PathShare> = rows.collect();
    rows.in_order_by_key(|row| std::cmp::Reverse(row.recipients));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;

    #[test]
    fn routes() {
        let outcome = fixture::two_sites();
        let routes: Vec<String> =
            outcome.messages.iter().map(|message| format!("{}: {}", message.id, route(message, &message.recipients[0]))).collect();
        let expected = [
            "inbound#1: internet > eop > site-a",
            "inbound#2: internet > eop > site-b",
            "inbound#3: internet > eop > site-b",
            "inbound#4: internet > eop > site-a",
            "inbound#5: internet > eop",
            "inbound#5/dsn1: eop > internet",
            "inbound#6: internet > eop",
        ];
        assert_eq!(routes, expected);
    }

    #[test]
    fn the_busiest_first() {
        let rows = shares(&fixture::two_sites(), |kind| kind == Kind::Mail);
        let rows: Vec<(&str, u64, u64)> = rows.iter().map(|row| (&*row.route, row.recipients, row.arrived)).collect();
        assert_eq!(rows, [("internet > eop", 2, 0), ("internet > eop > site-a", 2, 2), ("internet > eop > site-b", 2, 2)]);
    }
}
