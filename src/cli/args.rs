//! Which words does the command line know?

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "mailtwin", version, about, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(long_about = "A digital twin of mail flow: where a message goes, when it arrives, over what TLS, and why. \
    A scenario file describes DNS, systems, faults and traffic; nothing is sent, and no socket is opened.")]
#[command(
    after_help = "Exit codes: 0 fine, 1 the answer is no, 2 usage, 3 invalid scenario, 4 nothing selected, 70 a bug, 74 input or output."
)]
pub struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Never
    Never,
}

/// How a result looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: one versioned document
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether scenarios are valid, with every problem at its place
    Check(CheckArgs),
}

/// How a result looks and where it goes.
#[derive(Args, Debug)]
pub struct Answer {
    /// How the result looks
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Write the result to this file instead of standard output (`-`)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `mailtwin check`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  mailtwin check scenarios")]
pub struct CheckArgs {
    /// Scenario files or folders of them; `-` is standard input [default: the folder `scenarios`, or else this one]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Format and place.
    #[command(flatten)]
    pub answer: Answer,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn well_formed() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in super::Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("mailtwin {}", command.get_name())), "`{}` has no example", command.get_name());
        }
    }
}
