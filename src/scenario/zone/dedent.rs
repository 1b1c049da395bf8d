//! What does a block of text say without the indentation that it has from the file around it?
//!
//! In a master file a line that begins with a blank belongs to the owner above, so what all lines have in common must go.

use std::ops::Range;

/// A text without its common indentation, and the way back to the places in the original.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dedented {
    text: String,
    /// For each line: where it begins here, and there.
    lines: Vec<(usize, usize)>,
}

/// Takes away the blanks that all lines begin with. Empty lines and those that hold only a `;` comment have no say.
#[must_use]
pub fn dedent(original: &str) -> Dedented {
    let mut common: Option<&str> = None;
    for line in original.split_inclusive('\n') {
        let rest = line.trim_start_matches([' ', '\t']);
        if rest.trim().is_empty() || rest.starts_with(';') {
            continue;
        }
        let indentation = &line[..line.len() - rest.len()];
        common = Some(common.map_or(indentation, |common| shared(common, indentation)));
    }
    let (common, mut at) = (common.unwrap_or(""), 0);
    let mut dedented = Dedented { text: String::with_capacity(original.len()), lines: Vec::new() };
    for line in original.split_inclusive('\n') {
        let cut = shared(common, line).len();
        dedented.lines.push((dedented.text.len(), at + cut));
        dedented.text.push_str(&line[cut..]);
        at += line.len();
    }
    dedented
}

/// What both begin with.
fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let len = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    &one[..len] // blanks and tabs only, so this is no place inside a character
}

impl Dedented {
    /// The text to read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a range of this text stands in the original.
    #[must_use]
    pub fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offset(range.start);
        // The end belongs to the character before it: the next line may have lost an indentation in between.
        let end = if range.end > range.start { self.offset(range.end - 1) + 1 } else { start };
        start..end
    }

    fn offset(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|(here, _)| *here <= offset);
        self.lines[..line].last().map_or(offset, |(here, there)| offset - here + there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases = [
            ("", ""),
            ("a\nb", "a\nb"),
            ("\n    a\n      b\n    c\n  ", "\na\n  b\nc\n"),
            ("\n    a\n\n  ; no say\n    b", "\na\n\n; no say\nb"),
            ("\n\t  a\n\t b", "\n a\nb"),
            ("  \r\n  a\r\n", "\r\na\r\n"),
            ("a.\n    b.", "a.\n    b."),
        ];
        for (original, expected) in cases {
            assert_eq!(dedent(original).text(), expected, "{original:?}");
        }
    }

    #[test]
    fn the_way_back() {
        let original = "\n    ab\n      cd\n    ef\n  ";
        let dedented = dedent(original);
        for word in ["ab", "cd", "ef", "ab\n  cd"] {
            let here = dedented.text().find(word).unwrap();
            let there = dedented.original(here..here + word.len());
            assert_eq!(original[there].split_whitespace().collect::<String>(), word.split_whitespace().collect::<String>());
        }
        assert_eq!(dedented.original(0..0), 0..0);
    }
}
