//! Were the same hosts tried, in the same order, with the same kind of answer to the connect?

use crate::case::Case;
use crate::compare::View;
use crate::document::Connection;
use crate::observation::Observation;

/// One connection: address, and `connected`, `refused` or `nothing` (no answer, no route).
type Try = (String, &'static str);

fn class(result: &str) -> &'static str {
    match result {
        "refused" => "refused",
        "no-answer" | "no-route" | "unreachable" => "nothing",
        _ => "connected",
    }
}

/// A connection of a run: a connect that was under way at its end had no answer yet.
fn class_here(connection: &Connection) -> &'static str {
    if connection.result == "unfinished" && connection.phase == "connect" { "nothing" } else { class(&connection.result) }
}

/// The connections of the first server. With one message to one place the order counts; where several deliveries run beside each other, only which
/// ones there were. The number of equal passes over the same hosts is a matter of retry times, so equal neighbours among the passes count once
/// where no recorded run fits as it is.
pub fn compare(case: &Case, seen: &Observation, views: &[View]) -> Option<(String, String, bool)> {
    let sender = &case.sender.name;
    let mut recorded: Vec<Vec<(f64, Try)>> = vec![
        seen.connections
            .iter()
            .filter(|connection| connection.mta == *sender)
            .map(|connection| (connection.t, (connection.ip.clone(), class(&connection.result))))
            .collect(),
    ];
    if case.relays.is_empty() {
        let repeats = seen.repeats.iter().filter(|repeat| !repeat.connections.is_empty());
        recorded.extend(repeats.map(|repeat| repeat.connections.iter().map(|(t, ip, result)| (*t, (ip.clone(), class(result)))).collect()));
    }
    let passes = simulated_passes(&case.sender.addrs, views);
    let mut made: Vec<(f64, Try)> = passes.concat();
    made.sort_by(|a, b| a.0.total_cmp(&b.0));
    if recorded[0].is_empty() && made.is_empty() {
        return None;
    }
    let ordered = case.messages.len() == 1 && one_destination(case);
    let sorted = |tries: &[(f64, Try)]| {
        let mut tries: Vec<Try> = tries.iter().map(|(_, tried)| tried.clone()).collect();
        if !ordered {
            tries.sort();
        }
        tries
    };
    let mut agrees = recorded.iter().any(|run| sorted(run) == sorted(&made));
    if !agrees && ordered {
        let recorded_passes = passes_of(&recorded[0], longest(seen));
        agrees = merged(&recorded_passes) == merged(&passes);
    } else if !agrees {
        let set = |tries: &[(f64, Try)]| tries.iter().map(|(_, tried)| tried.clone()).collect::<std::collections::BTreeSet<Try>>();
        agrees = !seen.repeats.is_empty() && recorded.iter().any(|run| set(run) == set(&made));
    }
    Some((in_words(&sorted(&recorded[0])), in_words(&sorted(&made)), agrees))
}

/// All recipients share their next hop.
fn one_destination(case: &Case) -> bool {
    let mut domains: Vec<&str> =
        case.messages.iter().flat_map(|message| &message.to).filter_map(|to| Some(to.rsplit_once('@')?.1)).collect();
    domains.retain(|domain| !case.sender.local_domains.iter().any(|local| local == domain));
    domains.sort_unstable();
    domains.dedup();
    domains.len() <= 1 || (!case.sender.smarthosts.is_empty() && case.sender.routes.is_empty())
}

/// The attempts of the recipient that has most of them: they say where one pass ends and the next begins.
fn longest(seen: &Observation) -> &[f64] {
    seen.recipients.iter().map(|recipient| recipient.attempt_times.as_slice()).max_by_key(|times| times.len()).unwrap_or_default()
}

fn passes_of(tries: &[(f64, Try)], ends: &[f64]) -> Vec<Vec<(f64, Try)>> {
    let mut passes = vec![Vec::new(); ends.len().max(1)];
    for tried in tries {
        let at = ends.iter().position(|end| tried.0 <= end + 0.05).unwrap_or(passes.len() - 1);
        passes[at].push(tried.clone());
    }
    passes
}

/// The connections of each pass, one of recipients that shared it counted once.
fn simulated_passes(own: &[String], views: &[View]) -> Vec<Vec<(f64, Try)>> {
    let mut passes: Vec<Vec<(f64, Try)>> = Vec::new();
    let mut shared: Vec<(&str, &str, &str, f64)> = Vec::new();
    for view in views {
        let queue = crate::compare::first_hop(view.recipient).and_then(|hop| hop.queue.as_deref()).unwrap_or_default();
        for (at, attempt) in view.attempts.iter().enumerate() {
            if passes.len() <= at {
                passes.push(Vec::new());
            }
            // What a server says to itself is on no wire, and a further transaction is no connection.
            for connection in attempt
                .connections
                .iter()
                .filter(|connection| !own.contains(&connection.address) && connection.why != mailtwin::trace::OPEN_ALREADY)
            {
                let key = (view.message.id.as_str(), queue, connection.address.as_str(), connection.at_s);
                if !shared.contains(&key) {
                    shared.push(key);
                    passes[at].push((connection.at_s, (connection.address.clone(), class_here(connection))));
                }
            }
        }
    }
    for pass in &mut passes {
        pass.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    passes
}

fn merged(passes: &[Vec<(f64, Try)>]) -> Vec<Vec<Try>> {
    let mut plain: Vec<Vec<Try>> = passes.iter().map(|pass| pass.iter().map(|(_, tried)| tried.clone()).collect()).collect();
    plain.dedup();
    plain
}

fn in_words(tries: &[Try]) -> String {
    tries.iter().map(|(ip, class)| format!("{ip} {class}")).collect::<Vec<_>>().join(", ")
}
