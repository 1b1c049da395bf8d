//! `mailtwin explain`: one message, hop by hop, with every reason. A message of the run, or one that is sent alone into the same world.

use super::Exit;
use super::args::{ExplainArgs, Format};
use super::findings::Findings;
use super::input::{self, clock, with_names};
use super::output::{complain, deliver};
use crate::analysis;
use crate::analysis::outcome::Outcome;
use crate::base::{Clock, SimTime, printable};
use crate::diag::closest;
use crate::engine::{self, Options};
use crate::report::explain::explain_text;
use crate::report::json::explain_json;
use crate::scenario::Loaded;
use crate::trace::level;
use crate::verify::{self, NotFollowed, SEND};

/// So many tests are named where one is not known.
const TESTS_TOLD: usize = 12;

/// Plays the command.
pub fn explain(args: &ExplainArgs) -> Exit {
    if let Some(test) = &args.test {
        return explain_test(args, test);
    }
    let alone = args.message.is_none().then_some(args);
    let loaded = match input::load_to_follow(&args.file, &args.what_if, alone, args.answer.format) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    // A message that is sent alone is followed to its end, however late it was sent.
    let late = alone.and(loaded.model.sources.first()).map(|source| source.schedule.begins_at());
    let followed = |at: &SimTime| args.what_if.until.is_none() && (*at > SimTime::ZERO || loaded.model.until.is_some());
    let until = late.filter(followed).map(|at| at.after(engine::LONGEST.0));
    let until_settled = alone.is_some() && loaded.model.until.is_none();
    let run = engine::run(&loaded.model, &Options { level: level::STEPS, until, until_settled, ..Options::default() });
    say(args, &loaded, (&analysis::build(&loaded.model, &run), clock(&loaded)), None)
}

/// The world of a test, and in it the message that the test sends, or the one that is named.
fn explain_test(args: &ExplainArgs, test: &str) -> Exit {
    let loaded = match input::load(&args.file, &args.what_if, None, args.answer.format) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    match verify::follow(&loaded, test, args.what_if.seed) {
        Ok(followed) if followed.sends || args.message.is_some() => {
            say(args, &loaded, (&followed.outcome, followed.clock), Some(&format!("{SEND}#1")))
        }
        Ok(_) => {
            complain(&format!("the test `{}` sends no message of its own; name one of its run with --message", printable(test)));
            Exit::Nothing
        }
        Err(NotFollowed::Problems(problems)) => {
            let findings = Findings { problems, sources: loaded.loader.sources, undecided: false };
            input::refuse(&args.file, &findings, args.answer.format)
        }
        Err(NotFollowed::Skipped) => {
            complain(&format!("the test `{}` is skipped, and not played", printable(test)));
            Exit::Nothing
        }
        Err(NotFollowed::Unknown(known)) => {
            let cases = format!("{test} / ");
            let near = closest(test, known.iter().map(String::as_str)).filter(|_| !known.iter().all(|name| name.starts_with(&cases)));
            let way_out = match near {
                Some(near) => format!("did you mean `{}`?", printable(near)),
                None if known.is_empty() => "it has no tests at all".to_owned(),
                None => {
                    let some: Vec<String> = known.iter().take(TESTS_TOLD).map(|name| format!("`{}`", printable(name))).collect();
                    let more = known.len().saturating_sub(TESTS_TOLD);
                    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                    format!("it has {}{more}", some.join(", "))
                }
            };
            complain(&format!("this scenario has no test `{}`; {way_out}", printable(test)));
            Exit::Nothing
        }
    }
}

/// Delivers the explanation of the message that was named, or else of `usual`, or else of the first one.
fn say(args: &ExplainArgs, loaded: &Loaded, (outcome, clock): (&Outcome, Clock), usual: Option<&str>) -> Exit {
    let first = || outcome.messages.first().map(|message| message.id.to_string()).unwrap_or_default();
    let id = args.message.clone().or_else(|| usual.map(str::to_owned)).unwrap_or_else(first);
    let result = match args.answer.format {
        Format::Text => explain_text(outcome, &id, clock).map(|text| with_names(text, loaded)),
        Format::Json => explain_json(outcome, &id),
    };
    match result {
        Some(result) => deliver(&result, args.answer.output.as_deref()),
        None => no_such_message(&id, outcome),
    }
}

fn no_such_message(id: &str, outcome: &Outcome) -> Exit {
    let known = || outcome.messages.iter().map(|message| &*message.id);
    let way_out = match (closest(id, known()), known().next(), known().next_back()) {
        (Some(near), ..) => format!("did you mean `{}`?", printable(near)),
        (None, Some(first), Some(last)) => format!("they run from `{}` to `{}`", printable(first), printable(last)),
        (None, ..) => "it has none at all".to_owned(),
    };
    complain(&format!("the run has no message `{}`; {way_out}", printable(id)));
    Exit::Nothing
}
