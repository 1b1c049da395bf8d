//! How many messages would a run have? What could not end in reasonable time is refused before it begins, at the source that sends most.
//!
//! Rate times window, so about as many as will be; reports are not foreseen.

use crate::base::{DAY, SimTime, duration};
use crate::diag::{Diagnostic, Span, code};
use crate::model::traffic::Source;
use crate::scenario::schema::{Scenario, Traffic};

/// A run without an end of its own stops here at the latest.
const LONGEST: SimTime = SimTime(30 * DAY);
/// So many messages are followed hop by hop, unless the scenario writes another bound.
pub const FOLLOWED_MAX: u64 = 1_000_000;

/// About how many messages these sources send until the end.
pub fn expected(sources: &[Source], until: Option<SimTime>) -> u64 {
    let end = until.unwrap_or(LONGEST);
    sources.iter().map(|source| source.schedule.messages_until(end)).fold(0, u64::saturating_add)
}

/// More messages than a run has.
pub(super) fn too_many(tree: &Scenario, sources: &[Source], until: Option<SimTime>, most: u64) -> Option<Diagnostic> {
    told(tree, sources, until, most, "a run has at most", "")
}

/// More messages than can be followed hop by hop.
pub(super) fn too_many_to_follow(tree: &Scenario, sources: &[Source], until: Option<SimTime>, most: u64) -> Option<Diagnostic> {
    told(tree, sources, until, most, "the bound for following them hop by hop is", "; `mailtwin run` follows fewer steps of more messages")
}

fn told(tree: &Scenario, sources: &[Source], until: Option<SimTime>, most: u64, bound: &str, else_where: &str) -> Option<Diagnostic> {
    let number = expected(sources, until);
    if number <= most {
        return None;
    }
    let busiest = sources.iter().max_by_key(|source| expected(std::slice::from_ref(*source), until))?;
    let place = tree.traffic.get(&busiest.name).map_or(Span::NOWHERE, place);
    let end = duration(until.unwrap_or(LONGEST).0);
    let raise = if number <= u64::from(u32::MAX) { format!(", or raise the bound: limits: (messages: {number})") } else { String::new() };
    let help = format!("write a lower rate or an earlier `until`{raise}{else_where}");
    Some(Diagnostic::error(code::TOO_MANY, place, format!("about {number} messages until {end}, and {bound} {most}")).help(help))
}

/// What says how many messages a source sends.
fn place(traffic: &Traffic) -> Span {
    match traffic {
        Traffic::Message(message) => message.count.span(),
        Traffic::Burst(burst) => burst.count.span(),
        Traffic::Every(every) => every.interval.span(),
        Traffic::Poisson(poisson) => poisson.rate.span(),
        Traffic::File(file) => file.place,
    }
}
