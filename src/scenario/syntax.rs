//! Text to schema: ron is asked, and where it stops at something small it is asked again with that put right, so that the rest of the file
//! has its say too.

mod exchange_words;
mod explain;
pub(super) mod foreign;
mod mistakes;

use ron::extensions::Extensions;

use super::check::overlays::without_effect;
use super::read::{Door, Reader, Value};
use super::schema::Scenario;
use super::tokens::{Kind, scalar_end, skip_blank, token_at};
use crate::diag::{Diagnostic, FileId, Severity, Sources, Span, code};
pub(super) use exchange_words::kind as exchange_kind;
use explain::{Stop, explain};
pub(super) use mistakes::unknown_field;

/// So many small repairs are made to the text in memory, to find what else is wrong.
const REPAIRS_MAX: usize = 20;

/// Reads one text; notes every problem, and returns nothing if one of them is an error.
pub(super) fn parse(sources: &Sources, file: FileId, problems: &mut Vec<Diagnostic>) -> Option<Scenario> {
    let original = sources.text(file);
    if token_at(&original, skip_blank(&original, 0)).kind == Kind::End {
        let problem = Diagnostic::error(code::NOT_TEXT, Span::new(file, 0, 0), "the file is empty");
        problems.push(problem.help("a scenario begins with `Scenario(`"));
        return None;
    }
    let mut text = original.to_string();
    // What was said about places that are repaired now: they look different in the next round.
    let mut said: Vec<Diagnostic> = Vec::new();
    let mut repairs_left = REPAIRS_MAX;
    loop {
        let round = read(&text, file);
        let mut found = round.problems;
        found.retain(|problem| !said.iter().any(|other| other.span.start == problem.span.start));
        let repair = repair(&text, round.stop.as_ref(), round.stuck_at).filter(|(repaired, _)| repairs_left > 0 && *repaired != text);
        if let Some((repaired, place)) = repair {
            repairs_left -= 1;
            let about_it = |problem: &Diagnostic| problem.span.start as usize == place;
            said.extend(found.into_iter().find(about_it).or(round.stop.map(|stop| stop.problem)));
            text = repaired;
            continue;
        }
        found.extend(round.stop.map(|stop| stop.problem));
        found.append(&mut said);
        found.extend(round.value.iter().flat_map(without_effect));
        crate::diag::in_file_order(&mut found);
        let usable = found.iter().all(|problem| problem.severity != Severity::Error);
        problems.append(&mut found);
        return round.value.filter(|_| usable);
    }
}

/// What one reading came to.
struct Round {
    value: Option<Scenario>,
    problems: Vec<Diagnostic>,
    /// Where and why ron stopped, if that is not explained by a problem already noted.
    stop: Option<Stop>,
    /// The start of a refused value that ron could not even step over.
    stuck_at: Option<usize>,
}

fn read(text: &str, file: FileId) -> Round {
    let reader = Reader::new(text, file);
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    let options = ron::Options::default().with_default_extension(extensions);
    let mut ron = match ron::Deserializer::from_str_with_options(text, &options) {
        Ok(ron) => ron,
        Err(error) => {
            let stop = Some(explain(&error.code, &reader, skip_blank(text, 0)));
            return Round { value: None, problems: Vec::new(), stop, stuck_at: None };
        }
    };
    let outcome = Door::open(&mut ron, |ahead| Scenario::read(&reader, ahead)).and_then(|value| ron.end().map(|()| value));
    let at = text.len() - ron.remainder().len();
    let stuck_at = reader.refused.get().filter(|start| outcome.is_err() && (*start..=scalar_end(text, *start)).contains(&at));
    let (value, stop) = match outcome {
        Ok(value) => (value, None),
        Err(_) if reader.explained.get() || stuck_at.is_some() => (None, None),
        Err(error) => (None, Some(explain(&error, &reader, at))),
    };
    Round { value, problems: reader.problems.into_inner(), stop, stuck_at }
}

/// The text with one thing put right so that reading can go on, and the place of it. No other place moves.
fn repair(text: &str, stop: Option<&Stop>, stuck_at: Option<usize>) -> Option<(String, usize)> {
    let mut repaired = text.to_owned();
    if let Some(start) = stuck_at {
        let end = scalar_end(text, start);
        repaired.replace_range(start..end, &format!("{:<1$}", 0, end - start));
        return (end > start).then_some((repaired, start));
    }
    let place = stop?.missing_comma?;
    let at = place.checked_sub(1)?;
    let blank = text.as_bytes()[at];
    let line = text[..at].rsplit('\n').next().unwrap_or("");
    let free = matches!(blank, b' ' | b'\t') || blank == b'\n' && !line.contains("//");
    repaired.replace_range(at..=at, if free { "," } else { return None });
    Some((repaired, place))
}
