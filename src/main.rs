//! The door: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailtwin::cli::report_panics();
    mailtwin::cli::main(std::env::args_os()).into()
}
