//! How names and lines look in text: short, aligned, and safe for a terminal.

use crate::base::{Spellings, printable};

pub use crate::base::{Clock, count, duration, share, shell_word};

/// Text of the scenario as one line of at most `width` characters.
#[must_use]
pub fn fit(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(3)).collect();
    short.truncate(short.trim_end().len());
    short + "..."
}

/// Text broken at blanks into lines of at most `width` characters; a longer word stands alone.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in printable(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What stands below an answer that mentions names which the scenario has in other letters than ASCII: each with its other form.
#[must_use]
pub fn spelled_names(answer: &str, spellings: &Spellings) -> String {
    let rows: Vec<[String; 2]> =
        spellings.names_in(answer).into_iter().map(|(ascii, unicode)| [ascii, printable(&unicode).into_owned()]).collect();
    if rows.is_empty() {
        String::new()
    } else {
        "\nnames as they were written\n".to_owned() + &columns("  ", [Align::Left, Align::Left], &rows)
    }
}

/// How a column is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows as aligned columns, two blanks apart, each line behind `indent`; no blanks at the end of a line.
#[must_use]
pub fn columns<const N: usize>(indent: &str, align: [Align; N], rows: &[[String; N]]) -> String {
    let width: [usize; N] = std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let mut line = indent.to_owned();
        for (at, cell) in row.iter().enumerate() {
            let gap = " ".repeat(width[at] - cell.chars().count());
            line.push_str(if at == 0 { "" } else { "  " });
            match align[at] {
                Align::Left => line.extend([cell.as_str(), &gap]),
                Align::Right => line.extend([&gap, cell.as_str()]),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_short() {
        assert_eq!(fit("a\u{1b}b", 20), "a\\u{1b}b");
        assert_eq!(fit("abcdefghij", 8), "abcde...");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        let table = columns(" ", [Align::Left, Align::Right], &[["ä".into(), "10".into()], ["bcd".into(), "2".into()]]);
        assert_eq!(table, " ä    10\n bcd   2\n");
    }
}
