//! The command line: one file per command. Files, standard streams, colours and exit codes exist in this room and nowhere else.

mod args;
mod chart;
mod check;
mod exit;
mod explain;
mod findings;
mod input;
mod output;
mod run;
mod select;
mod test;

use std::ffi::OsString;

use clap::Parser as _;

pub use exit::Exit;

use args::{Cli, Command};

/// Reads the arguments, does what they say, and says how it went.
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version are answers; a stream that is closed changes nothing.
            drop(said.print());
            return if said.use_stderr() { Exit::Usage } else { Exit::Fine };
        }
    };
    output::choose_colour(cli.color);
    match &cli.command {
        Command::Run(args) => run::run(args),
        Command::Explain(args) => explain::explain(args),
        Command::Test(args) => test::test(args),
        Command::Check(args) => check::check(args),
        Command::Chart(args) => chart::chart(args),
    }
}

/// A mistake of ours ends the program with one clear sentence and its own exit code.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let said = panic.payload_as_str().unwrap_or("no reason given");
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        output::complain(&format!("this is a bug in mailtwin {version}: {said}{place}; please report it together with the scenario"));
        std::process::exit(Exit::Bug.code().into());
    }));
}

/// A document for programs, with a final line break.
fn print_json(document: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(document).expect("a document of texts and numbers") + "\n"
}
