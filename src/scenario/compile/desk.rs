//! Where problems are collected and the texts of values are read, each complaint at the place of its value.
//!
//! A value that cannot be read is reported and replaced by something harmless, so that one pass finds everything.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::base::{Address, BadDomain, Domain, Reply, SimTime};
use crate::diag::{Code, Diagnostic, Span, code};
use crate::model::topology::Law;
use crate::scenario::source::{Field, Text};
use crate::scenario::values::{self, Rate, Share};

/// Problems so far, and the calendar that dates are counted from.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Desk {
    pub(in crate::scenario) problems: Vec<Diagnostic>,
    pub(in crate::scenario) start: Option<Timestamp>,
    /// The start was written and could not be read: dates are not judged then.
    pub(in crate::scenario) start_is_lost: bool,
    /// Systems of kinds that are not modelled: that was said once, and whoever refers to them is not to blame.
    pub(in crate::scenario) refused: BTreeSet<Box<str>>,
}

impl Desk {
    pub(in crate::scenario) fn say(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    pub(in crate::scenario) fn error(&mut self, code: Code, span: Span, message: impl AsRef<str>, help: impl AsRef<str>) {
        self.say(Diagnostic::error(code, span, message).help(help));
    }

    /// A name or word that is none of the known ones: the nearest of them is suggested, or else this help is given.
    pub(in crate::scenario) fn unknown<'a>(
        &mut self,
        problem: Diagnostic,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
        otherwise: impl AsRef<str>,
    ) {
        let suggested = if word.is_empty() { problem } else { problem.suggest(word, known) };
        self.say(if suggested.help.is_empty() { suggested.help(otherwise) } else { suggested });
    }

    /// A part of the format that only later versions of the model have.
    pub(in crate::scenario) fn not_modelled(&mut self, span: Span, what: &str) {
        self.say(
            Diagnostic::error(code::NOT_MODELLED, span, format!("{what}: not modelled yet"))
                .help("leave it out, or wait for a version that models it"),
        );
    }

    /// The same for a field, if it was written.
    pub(in crate::scenario) fn no_field<T>(&mut self, field: &Field<T>, what: &str) {
        if field.is_written() {
            self.not_modelled(field.span(), what);
        }
    }

    pub(in crate::scenario) fn missing(&mut self, place: Span, what: &str, help: &str) {
        self.error(code::MISSING, place, what, help);
    }

    fn read<T>(&mut self, text: &Text, what: &str, reader: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match reader(text) {
            Ok(value) => Some(value),
            Err(sentence) => {
                self.error(code::VALUE, text.span(), format!("`{text}` is not {what}"), sentence);
                None
            }
        }
    }

    pub(in crate::scenario) fn duration(&mut self, text: &Text) -> Option<u64> {
        self.read(text, "a duration", crate::base::parse_duration)
    }

    pub(in crate::scenario) fn duration_or(&mut self, field: &Field<Text>, default: u64) -> u64 {
        field.get().and_then(|text| self.duration(text)).unwrap_or(default)
    }

    /// A duration in whole seconds, as caches count.
    pub(in crate::scenario) fn seconds_or(&mut self, field: &Field<Text>, default: u32) -> u32 {
        let read = field.get().and_then(|text| self.duration(text));
        read.map_or(default, |ns| u32::try_from(ns / crate::base::SECOND).unwrap_or(u32::MAX))
    }

    /// `start`, which all dates are counted from.
    pub(in crate::scenario) fn set_start(&mut self, field: &Field<Text>) {
        self.start = field.get().and_then(|text| self.read(text, "a date", values::parse_date));
        self.start_is_lost = field.is_written() && self.start.is_none();
    }

    /// A date that cannot be judged, since the start could not be read.
    fn cannot_judge(&self, text: &str) -> bool {
        self.start_is_lost && values::parse_date(text).is_ok()
    }

    pub(in crate::scenario) fn moment(&mut self, text: &Text) -> Option<SimTime> {
        if self.cannot_judge(text) {
            return None;
        }
        let start = self.start;
        self.read(text, "a moment", |text| values::parse_moment(text, start))
    }

    pub(in crate::scenario) fn moment_or(&mut self, field: &Field<Text>, default: SimTime) -> SimTime {
        field.get().and_then(|text| self.moment(text)).unwrap_or(default)
    }

    /// A moment that may lie before the start; then it is the start.
    pub(in crate::scenario) fn instant_or(&mut self, field: &Field<Text>, default: SimTime) -> SimTime {
        field.get().and_then(|text| self.instant(text)).unwrap_or(default)
    }

    /// The same for a text.
    pub(in crate::scenario) fn instant(&mut self, text: &Text) -> Option<SimTime> {
        let start = self.start;
        let text = Some(text).filter(|text| !self.cannot_judge(text))?;
        let ns = self.read(text, "a moment", |text| values::parse_instant(text, start))?;
        Some(SimTime(u64::try_from(ns.max(0)).unwrap_or(u64::MAX)))
    }

    /// A size in bytes; `Some(None)` is `unlimited`.
    pub(in crate::scenario) fn size(&mut self, text: &Text) -> Option<Option<u64>> {
        self.read(text, "a size", values::parse_size)
    }

    pub(in crate::scenario) fn rate(&mut self, text: &Text) -> Option<Rate> {
        self.read(text, "a rate", values::parse_rate)
    }

    pub(in crate::scenario) fn share(&mut self, text: &Text) -> Option<Share> {
        self.read(text, "a share", values::parse_share)
    }

    pub(in crate::scenario) fn law_or(&mut self, field: &Field<Text>, default: Law) -> Law {
        field.get().and_then(|text| self.law(text)).unwrap_or(default)
    }

    pub(in crate::scenario) fn law(&mut self, text: &Text) -> Option<Law> {
        let law = self.read(text, "a duration or a law", values::parse_law)?;
        Some(match law {
            values::Law::Fixed(ns) => Law::Constant(ns),
            values::Law::Exponential(mean) => Law::Exponential(mean),
            values::Law::Uniform(from, to) => Law::Uniform(from, to),
        })
    }

    pub(in crate::scenario) fn reply(&mut self, text: &Text) -> Option<Reply> {
        self.read(text, "a reply", Reply::parse)
    }

    pub(in crate::scenario) fn reply_or(&mut self, field: &Field<Text>, default: &str) -> Reply {
        let written = field.get().and_then(|text| self.reply(text));
        written.unwrap_or_else(|| Reply::parse(default).expect("the default is a reply"))
    }

    pub(in crate::scenario) fn ip(&mut self, text: &Text) -> Option<IpAddr> {
        let help = "an IPv4 or IPv6 address, as in \"192.0.2.10\" or \"2001:db8::10\"; names belong into `hostname` and the records";
        self.read(text, "an address of a machine", |text| text.parse().map_err(|_| help.to_owned()))
    }

    pub(in crate::scenario) fn domain(&mut self, text: &Text) -> Option<Domain> {
        let read = self.read(text, "a domain name", |text| Domain::parse(text).map_err(|problem| problem.to_string()))?;
        if read.as_str().is_empty() || read.as_str().starts_with('*') {
            self.error(code::VALUE, text.span(), format!("`{text}` is not a domain name"), "a whole name stands here, without wildcards");
            return None;
        }
        Some(read)
    }

    pub(in crate::scenario) fn address(&mut self, text: &Text) -> Option<Address> {
        self.read(text, "a mail address", |text| {
            Address::parse(text).ok_or_else(|| match text.rsplit_once('@').map(|(_, domain)| Domain::parse(domain)) {
                Some(Err(problem @ BadDomain::NoALabel(_))) if !text.contains('#') => problem.to_string(),
                _ if text.contains('#') && !text.is_ascii() => {
                    "the number of the message cannot stand in a label of other letters: write its A-label".to_owned()
                }
                _ if text.matches('@').count() > 1 => {
                    "one address in one pair of quotes: [\"al@contoso.com\", \"ben@contoso.com\"]".to_owned()
                }
                _ if text.contains("@[") => "an address literal is written [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 §4.1.3)".to_owned(),
                _ => "an address is written \"alice@contoso.com\"; \"<>\" is the null sender".to_owned(),
            })
        })
    }

    /// A number between two bounds.
    pub(in crate::scenario) fn number_or(&mut self, field: &Field<u64>, default: u32, least: u32, most: u32) -> u32 {
        let Some(at) = field.at() else { return default };
        match u32::try_from(at.value) {
            Ok(number) if (least..=most).contains(&number) => number,
            _ => {
                self.error(code::RANGE, at.span, format!("{} is out of bounds", at.value), format!("from {least} to {most}"));
                default
            }
        }
    }
}
