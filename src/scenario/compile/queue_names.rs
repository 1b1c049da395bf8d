//! Is there a queue that an operation can mean?
//!
//! A queue is called after a domain, a smart host, a server or a connector of the scenario. A name that stands nowhere else in its texts is a slip:
//! the cmdlet would answer with an error, the run does nothing. A warning, since a recipient of `explain` stands in no file. Sources: Retry-Queue, Get-Queue.

use crate::diag::{Diagnostic, Sources, code};
use crate::scenario::schema::Operation;
use crate::scenario::source::Text;

use super::desk::Desk;
use super::stage::Stage;

/// Queues that every server has.
const ALWAYS: [&str; 3] = ["Submission", "Unreachable", "Poison"];

/// Warns of queues that nothing in the texts is called.
pub(super) fn check(stages: &[Stage], sources: &Sources, desk: &mut Desk) {
    let mut queues: Vec<&Text> = stages.iter().flat_map(|stage| &stage.operations).filter_map(queue_of).collect();
    queues.retain(|queue| !queue.contains(['*', '#', ',']) && !ALWAYS.iter().any(|known| known.eq_ignore_ascii_case(queue)));
    if queues.is_empty() || sources.texts().any(numbers_domains) {
        return;
    }
    let lower: Vec<String> = sources.texts().map(str::to_ascii_lowercase).collect();
    for queue in &queues {
        let word = queue.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let said = queues.iter().filter(|other| other.eq_ignore_ascii_case(queue)).count();
        if lower.iter().map(|text| words(text, &word)).sum::<usize>() <= said {
            let message = format!("no queue can be called `{queue}`: nothing else in this scenario has that name");
            let help = "a queue is called after its domain, its smart host, its server or its connector; `*` stands for all";
            desk.say(Diagnostic::warning(code::NO_EFFECT, queue.span(), message).help(help));
        }
    }
}

fn queue_of(operation: &Operation) -> Option<&Text> {
    match operation {
        Operation::RetryQueue(retry) => &retry.at.queue,
        Operation::SuspendQueue(at) | Operation::ResumeQueue(at) => &at.queue,
        Operation::SuspendMessage(of) | Operation::ResumeMessage(of) => &of.at.queue,
        Operation::RemoveMessage(remove) => &remove.of.at.queue,
    }
    .get()
}

/// Does traffic go to domains with the number of the message in them?
fn numbers_domains(text: &str) -> bool {
    text.split('@').skip(1).any(|rest| rest.split(['"', ' ', '\n', ']']).next().is_some_and(|domain| domain.contains('#')))
}

/// How often a word stands in a text by itself.
fn words(text: &str, word: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let apart = |(at, found): &(usize, &str)| {
        let before = text[..*at].chars().next_back();
        let mut after = text[at + found.len()..].chars();
        let next = after.next();
        // A domain below it is another word; the dot at the end of an absolute name is none.
        let ends = next.is_none_or(|c| !is_part(c) && (c != '.' || after.next().is_none_or(|c| !is_part(c))));
        before.is_none_or(|c| !is_part(c) && c != '.') && ends
    };
    text.match_indices(word).filter(apart).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_by_themselves() {
        for (text, expected) in [
            ("p@x.example", 1),
            ("x.example. mx 0 mx.x.example.", 1),
            ("max.example x.example.org nox.example", 0),
            ("\"x.example\", [x.example]", 2),
            ("x.example", 1),
        ] {
            assert_eq!(words(text, "x.example"), expected, "{text}");
        }
        assert!(numbers_domains("to: [\"u@d#.example\"]") && !numbers_domains("to: [\"u#@x.example\"]"));
    }
}
