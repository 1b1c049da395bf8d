//! How does a file of the command line become a model, and where do the complaints about it go?

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::args::{ExplainArgs, Format, WhatIf};
use super::findings::Findings;
use super::output::{complain, deliver, plain, remark, shown};
use super::{Exit, print_json};
use crate::base::Spellings;
use crate::diag::{Diagnostic, Span, Style, code, render};
use crate::report::words::{Clock, spelled_names};
use crate::scenario::load::FILE_BYTES_MAX;
use crate::scenario::schema::Scenario;
use crate::scenario::{Loaded, Loader, Named, overlay};

/// How messages call standard input.
pub const STANDARD_INPUT: &str = "<stdin>";

/// The name of a file in results.
pub fn name(path: &Path) -> String {
    if is_standard_input(path) { STANDARD_INPUT.to_owned() } else { path.to_string_lossy().into_owned() }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Why there is no scenario.
#[derive(Debug)]
pub enum Refused {
    /// The file that was named.
    Unreadable(io::Error),
    /// Its text, or a flag.
    Invalid(Findings),
}

/// Reads a scenario, lays the flags over it, and makes a model of it.
///
/// # Errors
/// It cannot be read, or used.
pub fn read(path: &Path, what_if: &WhatIf, alone: Option<&ExplainArgs>) -> Result<Loaded, Refused> {
    let (mut loader, scenario) = open(path).map_err(Refused::Unreadable)?;
    let scenario = scenario.and_then(|scenario| what_if_so(scenario, what_if, &mut loader));
    let scenario = scenario.and_then(|scenario| match alone {
        Some(args) => send_alone(scenario, args, &mut loader),
        None => Some(scenario),
    });
    Loaded::finish(loader, scenario, &stem(path)).map_err(|invalid| Refused::Invalid(invalid.into()))
}

/// The same, and what is wrong or odd is said: on standard error, or, where a program asks, as a document on standard output.
///
/// # Errors
/// How the command ends; everything was said.
pub fn load(path: &Path, what_if: &WhatIf, alone: Option<&ExplainArgs>, format: Format) -> Result<Loaded, Exit> {
    let loaded = read(path, what_if, alone).map_err(|refused| match refused {
        Refused::Unreadable(error) => cannot_read(path, &error),
        Refused::Invalid(findings) => refuse(path, &findings, format),
    })?;
    remark(&render(&loaded.warnings, &loaded.loader.sources, Style::Coloured));
    Ok(loaded)
}

/// The same, of a run that will be followed hop by hop: one with more messages than that bears is refused.
///
/// # Errors
/// As of [`load`].
pub fn load_to_follow(path: &Path, what_if: &WhatIf, alone: Option<&ExplainArgs>, format: Format) -> Result<Loaded, Exit> {
    let loaded = load(path, what_if, alone, format)?;
    match loaded.too_many_to_follow(loaded.model.until) {
        Some(problem) => Err(refuse(path, &Findings { problems: vec![problem], sources: loaded.loader.sources, undecided: false }, format)),
        None => Ok(loaded),
    }
}

/// Says that a file of the command line cannot be read.
pub fn cannot_read(path: &Path, error: &io::Error) -> Exit {
    complain(&format!("cannot read {}: {}", shown(path), plain(error)));
    Exit::InputOutput
}

/// How the moments of a scenario are told.
pub fn clock(loaded: &Loaded) -> Clock {
    loaded.model.clock()
}

/// An answer for people, with the names below it that the scenario has in other letters than ASCII.
pub fn with_names(answer: String, loaded: &Loaded) -> String {
    let names = spelled_names(&answer, &Spellings::of(loaded.loader.sources.texts()));
    answer + &names
}

/// The name of a scenario that has none.
pub fn stem(path: &Path) -> String {
    if is_standard_input(path) { STANDARD_INPUT.to_owned() } else { path.file_stem().unwrap_or_default().to_string_lossy().into_owned() }
}

/// What a program gets instead of the answer.
#[derive(serde::Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    file: String,
    problems: Vec<serde_json::Value>,
}

/// Says what is wrong with a scenario: on standard error, or as a document where a program asks.
pub fn refuse(path: &Path, findings: &Findings, format: Format) -> Exit {
    match format {
        Format::Text => {
            remark(&findings.text(Style::Coloured));
            Exit::Invalid
        }
        Format::Json => {
            let version = env!("CARGO_PKG_VERSION");
            let document = Document { schema: "mailtwin.problems/1", version, file: name(path), problems: findings.json() };
            Exit::Invalid.and(deliver(&print_json(&document), None))
        }
    }
}

/// The text of a file as a tree; what is wrong with it is kept in the loader.
///
/// # Errors
/// The file that was named cannot be read.
pub fn open(path: &Path) -> io::Result<(Loader, Option<Scenario>)> {
    if is_standard_input(path) {
        let mut bytes = Vec::new();
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let mut loader = Loader::within(Path::new("."));
        let scenario = loader.bytes(STANDARD_INPUT, bytes);
        return Ok((loader, scenario));
    }
    if File::open(path)?.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut loader = Loader::new();
    let scenario = loader.file(path);
    Ok((loader, scenario))
}

/// So many variants are named where one is not known.
const VARIANTS_TOLD: usize = 12;

/// The scenario with the flags laid over it.
fn what_if_so(scenario: Scenario, what_if: &WhatIf, loader: &mut Loader) -> Option<Scenario> {
    let mut scenario = scenario;
    for name in &what_if.variant {
        let Some(variant) = scenario.variants.get(name).cloned() else {
            let problem = Diagnostic::error(code::BAD_PATH, Span::NOWHERE, format!("this scenario has no variant `{name}`"));
            let known = || scenario.variants.keys().map(|key| key.as_str());
            let suggested = problem.suggest(name, known());
            let list: Vec<String> = known().take(VARIANTS_TOLD).map(|name| format!("`{name}`")).collect();
            let more = scenario.variants.keys().count().saturating_sub(VARIANTS_TOLD);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let help = if list.is_empty() { "it has no variants at all".to_owned() } else { format!("it has {}{more}", list.join(", ")) };
            loader.problems.push(if suggested.help.is_empty() { suggested.help(help) } else { suggested });
            return None;
        };
        scenario = overlay(&scenario, &variant, &mut loader.problems);
    }
    for set in &what_if.set {
        scenario = loader.set(&scenario, set)?;
    }
    for fail in &what_if.fail {
        scenario = loader.fail(&scenario, fail)?;
    }
    if let Some(seed) = what_if.seed {
        scenario = loader.set(&scenario, &format!("seed={seed}"))?;
    }
    if let Some(until) = &what_if.until {
        let over = loader.text("--until", &format!("Scenario(until: {until:?})"))?;
        scenario = overlay(&scenario, &over, &mut loader.problems);
    }
    Some(scenario)
}

/// The scenario with one message in place of its traffic, played until it is settled.
fn send_alone(mut scenario: Scenario, args: &ExplainArgs, loader: &mut Loader) -> Option<Scenario> {
    let mut fields = format!("from: {:?}, to: {:?}", args.from.as_deref().unwrap_or("<>"), args.to);
    for (field, value) in [("at", &args.at), ("by", &args.by)] {
        if let Some(value) = value {
            fields += &format!(", {field}: {value:?}");
        }
    }
    scenario.traffic = Named::default();
    let message = loader.text("<message>", &format!("Scenario(traffic: {{ \"explain\": Message({fields}) }})"))?;
    Some(overlay(&scenario, &message, &mut loader.problems))
}
