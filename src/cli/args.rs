//! Which words does the command line know?

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::report::words::shell_word;

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
    /// Play scenarios and say what happens: fates, paths, failovers, TLS, delays
    Run(RunArgs),
    /// Follow one message hop by hop, with every reason and every loser
    Explain(ExplainArgs),
    /// Play the tests of scenarios and say which hold
    Test(TestArgs),
    /// Say whether scenarios are valid, with every problem at its place
    Check(CheckArgs),
    /// Draw what happened, as SVG
    Chart(ChartArgs),
}

/// What would happen if? Laid over each scenario, in the order variant, --set, --fail, --seed, --until.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "What if")]
pub struct WhatIf {
    /// Take down a system, host, group or site, as in `site-a@10m..40m`; without times always
    #[arg(long, value_name = "TARGET[@AT..UNTIL]")]
    pub fail: Vec<String>,
    /// Change a value, as in `systems.exchange.hop_limit=5`; the value is RON
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Play with other luck
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// End the run at this moment, as in `2h` (or a date, where the scenario has a start)
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// Lay this variant of the scenario over it
    #[arg(long, value_name = "NAME")]
    pub variant: Vec<String>,
}

impl WhatIf {
    /// The flags again, as a shell takes them; each with a blank before it.
    pub fn again(&self) -> String {
        let one = |flag: &str, value: Option<String>| value.map(|value| format!(" {flag} {}", shell_word(&value))).unwrap_or_default();
        let mut text: String = self.variant.iter().map(|variant| one("--variant", Some(variant.clone()))).collect();
        text.extend(self.set.iter().map(|set| one("--set", Some(set.clone()))));
        text.extend(self.fail.iter().map(|fail| one("--fail", Some(fail.clone()))));
        text += &one("--seed", self.seed.map(|seed| seed.to_string()));
        text + &one("--until", self.until.clone())
    }
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

/// How much a run writes down.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Trace {
    /// Only counts, for very large runs
    Counters,
    /// How each recipient ended
    Fates,
    /// Every attempt and connection
    Paths,
    /// Every question and decision too
    Steps,
}

/// `mailtwin run`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  mailtwin run scenarios/eop/backup-site-mx.ron --fail site-b@15m..20m")]
pub struct RunArgs {
    /// Scenario files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// How much is written down [default: paths, or fates where more than a million messages are expected]
    #[arg(long, value_name = "LEVEL")]
    pub trace: Option<Trace>,
    /// Write what the senders would report about TLS (RFC 8460) into this folder, a file per sender, domain and day
    #[arg(long, value_name = "DIR")]
    pub tls_report: Option<PathBuf>,
    /// What would happen if.
    #[command(flatten)]
    pub what_if: WhatIf,
    /// Format and place.
    #[command(flatten)]
    pub answer: Answer,
}

/// `mailtwin explain`
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  mailtwin explain scenarios/eop/backup-site-mx.ron --from bob@fabrikam.com --to alice@contoso.com --at 15m\n  \
    mailtwin explain scenarios/eop/backup-site-mx.ron --message 'inbound#60'\n  \
    mailtwin explain scenarios/eop/backup-site-mx.ron --test 'in the outage / silent: one connect timeout'"
)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true).args(["message", "to", "test"]))]
pub struct ExplainArgs {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// A message of the run, as in `inbound#60`
    #[arg(long, value_name = "ID")]
    pub message: Option<String>,
    /// The message of a test, in the world of that test: its name, as in `TEST / CASE`; with --message another one of its run
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from", "to", "at", "by"])]
    pub test: Option<String>,
    /// Send a message alone: its envelope sender (`<>` for none)
    #[arg(long, value_name = "ADDRESS", requires = "to")]
    pub from: Option<String>,
    /// … to this recipient (or these)
    #[arg(long, value_name = "ADDRESS", requires = "from", conflicts_with = "message")]
    pub to: Vec<String>,
    /// … at this moment, as in `15m`
    #[arg(long, value_name = "T", requires = "to")]
    pub at: Option<String>,
    /// … which enters at this system, where it is not clear from the addresses
    #[arg(long, value_name = "SYSTEM", requires = "to")]
    pub by: Option<String>,
    /// What would happen if.
    #[command(flatten)]
    pub what_if: WhatIf,
    /// Format and place.
    #[command(flatten)]
    pub answer: Answer,
}

/// `mailtwin test`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  mailtwin test scenarios")]
pub struct TestArgs {
    /// Scenario files or folders of them; `-` is standard input [default: the folder `scenarios`, or else this one]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What would happen if.
    #[command(flatten)]
    pub what_if: WhatIf,
    /// Format and place.
    #[command(flatten)]
    pub answer: Answer,
}

/// What a chart shows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ChartKind {
    /// Machines up and down, arrivals by route, and queues, over time
    Failover,
}

/// `mailtwin chart`
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  mailtwin chart scenarios/eop/backup-site-mx.ron failover -o failover.svg")]
pub struct ChartArgs {
    /// A scenario file; `-` is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What it shows
    #[arg(value_name = "KIND")]
    pub kind: ChartKind,
    /// Write the SVG to this file instead of standard output (`-`)
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What would happen if.
    #[command(flatten)]
    pub what_if: WhatIf,
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
