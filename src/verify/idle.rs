//! Which words of a test would do nothing? They are refused: their author believes that they count.
//!
//! A test that sends a message plays it alone and to its end, so `traffic` and `until` of its `given` say nothing to it; one that sends none judges the
//! run of the file, whose traffic is always there. What stands in a test for all its cases counts as soon as it acts in one of them.

use super::plan::Planned;
use crate::diag::{Diagnostic, Span, code};

/// A word, whether it acts in a case, and what is said if it acts in none.
struct Word {
    place: Span,
    acts: bool,
    said: (&'static str, &'static str),
}

/// Adds to the first case that has them what is wrong with words that act in no case.
pub(super) fn refuse_idle_words(planned: &mut [Planned<'_>]) {
    let words: Vec<Vec<Word>> = planned.iter().map(words).collect();
    let mut told: Vec<Span> = Vec::new();
    for (one, own) in planned.iter_mut().zip(&words) {
        for word in own {
            let acts = words.iter().flatten().any(|other| other.place == word.place && other.acts);
            if !acts && !told.contains(&word.place) {
                told.push(word.place);
                one.problems.push(Diagnostic::error(code::NO_EFFECT, word.place, word.said.0).help(word.said.1));
            }
        }
    }
}

fn words(one: &Planned<'_>) -> Vec<Word> {
    let sends = one.send().is_some();
    let with_traffic = &one.fields.with_traffic;
    let mut words = vec![Word {
        place: with_traffic.span(),
        acts: sends,
        said: (
            "`with_traffic` does nothing in a test that sends no message",
            "leave it out: without `send` the test judges the file's own run, traffic and all",
        ),
    }];
    for given in &one.given {
        words.push(Word {
            place: given.traffic.span(),
            acts: !sends || with_traffic.or(false),
            said: (
                "`traffic` does nothing in the `given` of a test that sends a message alone",
                "write with_traffic: true beside its `send`",
            ),
        });
        words.push(Word {
            place: given.until.span(),
            acts: !sends,
            said: (
                "`until` does nothing in the `given` of a test that sends a message: it is followed to its end",
                "write `until` beside `send`, not in `given`, to stop there",
            ),
        });
    }
    words.retain(|word| word.place.is_somewhere());
    words
}
