//! `mailtwin explain`: one message, hop by hop, with every reason. A message of the run, or one that is sent alone into the same world.

use super::Exit;
use super::args::{ExplainArgs, Format};
use super::input::{self, clock, with_names};
use super::output::{complain, deliver};
use crate::analysis;
use crate::analysis::outcome::Outcome;
use crate::base::{SimTime, printable};
use crate::diag::closest;
use crate::engine::{self, Options};
use crate::report::explain::explain_text;
use crate::report::json::explain_json;
use crate::trace::level;

/// Plays the command.
pub fn explain(args: &ExplainArgs) -> Exit {
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
    let outcome = analysis::build(&loaded.model, &run);
    let id = match &args.message {
        Some(id) => id.clone(),
        None => outcome.messages.first().map(|message| message.id.to_string()).unwrap_or_default(),
    };
    let result = match args.answer.format {
        Format::Text => explain_text(&outcome, &id, clock(&loaded)).map(|text| with_names(text, &loaded)),
        Format::Json => explain_json(&outcome, &id),
    };
    match result {
        Some(result) => deliver(&result, args.answer.output.as_deref()),
        None => no_such_message(&id, &outcome),
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
