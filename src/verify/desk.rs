//! Where the texts of expectations are read, each complaint at the place of its value.
//!
//! Everything is read before anything is played, so that a slip in the last test does not wait for the end of the first. What cannot be read
//! is reported and left out; an expectation with a complaint is never judged.

use super::names::{Names, Unknown, Who};
use crate::analysis::outcome::Connection;
use crate::base::{CodePattern, Enhanced, Pattern, SimTime, parse_duration};
use crate::diag::{Code, Diagnostic, Span, code};
use crate::scenario::source::{Field, Text};
use crate::scenario::values::{Share, parse_moment, parse_share};
use std::collections::BTreeSet;

/// The names of the scenario, and the problems so far.
pub(super) struct Desk<'a> {
    pub names: &'a Names,
    /// Inside an odd number of `Not`: what must hold everywhere must then hold nowhere.
    pub negated: bool,
    /// Something asks for decisions or for questions to DNS.
    pub needs_steps: bool,
    pub problems: Vec<Diagnostic>,
}

impl<'a> Desk<'a> {
    pub fn new(names: &'a Names) -> Self {
        Self { names, negated: false, needs_steps: false, problems: vec![] }
    }

    /// Something that cannot be used like this.
    pub fn error(&mut self, code: Code, place: Span, message: &str, help: &str) {
        self.problems.push(Diagnostic::error(code, place, message).help(help));
    }

    /// A field that cannot be left out.
    pub fn missing(&mut self, place: Span, what: &str, help: &str) {
        self.error(code::MISSING, place, what, help);
    }

    fn read<T>(&mut self, field: &Field<Text>, what: &str, reader: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.read_text(field.get()?, what, reader)
    }

    fn read_text<T>(&mut self, text: &Text, what: &str, reader: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        reader(text).map_err(|sentence| self.error(code::VALUE, text.span(), &format!("`{text}` is not {what}"), &sentence)).ok()
    }

    fn known<T>(&mut self, text: &Text, found: Result<T, Unknown>) -> Option<T> {
        found
            .map_err(|unknown| {
                let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), unknown.message);
                self.problems.push(match unknown.meant {
                    Some(name) => problem.help(format!("did you mean `{name}`?")),
                    None => problem,
                });
            })
            .ok()
    }

    pub fn who(&mut self, field: &Field<Text>) -> Option<Who> {
        self.who_is(field.get()?)
    }

    pub fn who_is(&mut self, text: &Text) -> Option<Who> {
        self.known(text, self.names.place_called(text))
    }

    /// All of them; shorter than the list only if something was wrong.
    pub fn who_are(&mut self, texts: &[Text]) -> Vec<Who> {
        texts.iter().filter_map(|text| self.who_is(text)).collect()
    }

    pub fn target(&mut self, field: &Field<Text>) -> Option<Who> {
        self.target_is(field.get()?)
    }

    pub fn target_is(&mut self, text: &Text) -> Option<Who> {
        self.known(text, self.names.target_called(text))
    }

    /// `"*"` is anybody.
    pub fn end_of_hop(&mut self, text: &Text) -> Option<Who> {
        if text.as_str() == "*" { None } else { self.who_is(text) }
    }

    pub fn candidate(&mut self, field: &Field<Text>) -> Option<BTreeSet<String>> {
        let text = field.get()?;
        self.known(text, self.names.candidate_called(text, self.negated))
    }

    /// The id of a rule, as it was written.
    pub fn rule(&mut self, field: &Field<Text>) -> Option<String> {
        let text = field.get()?;
        let unknown = |meant| Unknown { message: format!("no rule is called `{text}`"), meant };
        self.known(text, super::rules::known(text).map_err(unknown)).map(|()| text.to_string())
    }

    /// One of some words, in any case.
    pub fn word(&mut self, field: &Field<Text>, what: &str, known: &[&'static str]) -> Option<&'static str> {
        let text = field.get()?;
        let found = known.iter().copied().find(|word| word.eq_ignore_ascii_case(text));
        if found.is_none() {
            let problem = Diagnostic::error(code::VALUE, text.span(), format!("`{text}` is not {what}"));
            let suggested = problem.suggest(text, known.iter().copied());
            let help = format!("possible are {}", known.join(", "));
            self.problems.push(if suggested.help.is_empty() { suggested.help(help) } else { suggested });
        }
        found
    }

    pub fn fault(&mut self, field: &Field<Text>) -> Option<String> {
        let text = field.get()?;
        self.known(text, self.names.fault_called(text)).map(|()| text.to_string())
    }

    pub fn traffic(&mut self, field: &Field<Text>) -> Option<String> {
        let text = field.get()?;
        self.known(text, self.names.traffic_called(text)).map(|()| text.to_string())
    }

    pub fn duration(&mut self, field: &Field<Text>) -> Option<u64> {
        self.read(field, "a duration", parse_duration)
    }

    pub fn moment(&mut self, field: &Field<Text>) -> Option<SimTime> {
        self.moment_is(field.get()?)
    }

    pub fn moment_is(&mut self, text: &Text) -> Option<SimTime> {
        let start = self.names.start;
        self.read_text(text, "a moment", |text| parse_moment(text, start))
    }

    pub fn moments(&mut self, field: &Field<Vec<Text>>) -> Option<Vec<SimTime>> {
        let moments = field.get()?;
        Some(moments.iter().filter_map(|text| self.moment_is(text)).collect())
    }

    pub fn share(&mut self, field: &Field<Text>) -> Option<Share> {
        self.read(field, "a share", parse_share)
    }

    pub fn code(&mut self, field: &Field<Text>) -> Option<CodePattern> {
        self.read(field, "a code", CodePattern::parse)
    }

    pub fn pattern(&mut self, field: &Field<Text>) -> Option<Pattern> {
        field.get().map(|text| Pattern::of_names(text))
    }

    pub fn window(&mut self, within: &Field<Text>, no_sooner: &Field<Text>) -> Window {
        let window = Window { within: self.duration(within), no_sooner: self.duration(no_sooner) };
        if window.within.zip(window.no_sooner).is_some_and(|(most, least)| most < least) {
            self.error(
                code::RANGE,
                no_sooner.span(),
                "nothing happens no sooner than this and within less",
                "`no_sooner` is at most `within`",
            );
        }
        window
    }
}

/// How long something may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub within: Option<u64>,
    pub no_sooner: Option<u64>,
}

impl Window {
    pub fn has(self, nanoseconds: u64) -> bool {
        self.within.is_none_or(|most| nanoseconds <= most) && self.no_sooner.is_none_or(|least| nanoseconds >= least)
    }
}

/// How many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub is: Option<u64>,
    pub at_least: Option<u64>,
    pub at_most: Option<u64>,
}

impl Number {
    pub fn of(is: &Field<u64>, at_least: &Field<u64>, at_most: &Field<u64>) -> Self {
        Self { is: is.get().copied(), at_least: at_least.get().copied(), at_most: at_most.get().copied() }
    }

    /// Is there no number at all that it has?
    pub fn is_impossible(self) -> bool {
        let least = self.at_least.unwrap_or(0).max(self.is.unwrap_or(0));
        let most = self.at_most.unwrap_or(u64::MAX).min(self.is.unwrap_or(u64::MAX));
        least > most
    }

    pub fn is_written(self) -> bool {
        self.is.or(self.at_least).or(self.at_most).is_some()
    }

    pub fn has(self, number: u64) -> bool {
        self.is.is_none_or(|is| number == is)
            && self.at_least.is_none_or(|least| number >= least)
            && self.at_most.is_none_or(|most| number <= most)
    }
}

/// A name that was written must be this machine; one that was not says nothing.
pub(super) fn is(who: Option<&Who>, place: Option<&crate::analysis::outcome::Place>) -> bool {
    who.is_none_or(|who| place.is_some_and(|place| who.is(place)))
}

/// The same for where a connection led.
pub(super) fn was_met(who: Option<&Who>, connection: &Connection) -> bool {
    who.is_none_or(|who| who.was_met(connection))
}

/// The same for a code.
pub(super) fn has_code(pattern: Option<&CodePattern>, code: u16, enhanced: Option<Enhanced>) -> bool {
    pattern.is_none_or(|pattern| pattern.matches(code, enhanced))
}

/// The same for a piece of text.
pub(super) fn has_text(piece: Option<&str>, text: &str) -> bool {
    piece.is_none_or(|piece| text.to_lowercase().contains(&piece.to_lowercase()))
}
