//! `mailtwin chart`: what happened, as a picture. SVG only.

use super::Exit;
use super::args::{ChartArgs, ChartKind, Format};
use super::input::{self, clock};
use super::output::deliver;
use crate::analysis::{self, outcome::Outcome};
use crate::engine::{self, Options};
use crate::report::chart::failover_svg;

/// Plays the command.
pub fn chart(args: &ChartArgs) -> Exit {
    let loaded = match input::load_to_follow(&args.file, &args.what_if, None, Format::Text) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let run = engine::run(&loaded.model, &Options::default());
    let outcome = Outcome { what_if: args.what_if.again().trim_start().into(), ..analysis::build(&loaded.model, &run) };
    let svg = match args.kind {
        ChartKind::Failover => failover_svg(&outcome, clock(&loaded)),
    };
    // Drawing into memory has nothing to fail on but a mistake of ours.
    deliver(&svg.unwrap_or_else(|error| panic!("{error}")), args.output.as_deref())
}
