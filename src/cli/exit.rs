//! What does the exit code say? One enum, documented in `docs/exit-codes.md`; a test holds the two together.
//!
//! 70 and 74 are EX_SOFTWARE and EX_IOERR of BSD's sysexits.h, 2 is what shells and clap use for bad usage.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Done, and the answer is yes where there was a question.
    Fine,
    /// The answer is no: a test failed, a bound cut a run short.
    No,
    /// The command line makes no sense.
    Usage,
    /// A scenario is invalid.
    Invalid,
    /// Nothing was selected: no scenario, no test, no such message.
    Nothing,
    /// A mistake of this program.
    Bug,
    /// A file cannot be read or written.
    InputOutput,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: [Self; 7] = [Self::Fine, Self::No, Self::Usage, Self::Invalid, Self::Nothing, Self::Bug, Self::InputOutput];

    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Invalid => 3,
            Self::Nothing => 4,
            Self::Bug => 70,
            Self::InputOutput => 74,
        }
    }

    /// One line of documentation.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::No => {
                "the answer is no: a test failed, a bound cut a run short, or `check` found connectors of which no source says which takes the mail (MT0403)"
            }
            Self::Usage => "the command line makes no sense",
            Self::Invalid => "a scenario, or a what-if flag, is invalid",
            Self::Nothing => "nothing was selected: no scenario, no test, no such message",
            Self::Bug => "a mistake of mailtwin itself",
            Self::InputOutput => "a file cannot be read or written",
        }
    }

    /// Of several ends the one to tell: 70, 74, 3, 1, 4, and 0 only if all were fine.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let order = [Self::Usage, Self::Bug, Self::InputOutput, Self::Invalid, Self::No, Self::Nothing];
        order.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(Self::Fine)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::Exit::{self, *};

    #[test]
    fn the_worst_is_told() {
        let cases = [
            (vec![], Fine),
            (vec![Fine, Nothing], Nothing),
            (vec![Nothing, No, Fine], No),
            (vec![No, Invalid], Invalid),
            (vec![Invalid, InputOutput, No], InputOutput),
            (vec![InputOutput, Bug], Bug),
        ];
        for (ends, expected) in cases {
            assert_eq!(ends.iter().copied().fold(Fine, Exit::and), expected, "{ends:?}");
            assert_eq!(ends.iter().rev().copied().fold(Fine, Exit::and), expected, "{ends:?} from behind");
        }
    }

    #[test]
    fn the_page_tells_the_same() {
        let page = include_str!("../../docs/exit-codes.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.about());
            assert!(page.contains(&row), "docs/exit-codes.md lacks the row {row}");
        }
    }
}
