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

/// Takes away the blanks that all lines begin with. Empty lines and those that hold only a `;` comment have no say, nor has what goes on inside of
/// parentheses: blanks mean nothing there (RFC 1035 §5.1).
#[must_use]
pub fn dedent(original: &str) -> Dedented {
    let mut common: Option<&str> = None;
    let mut open = 0;
    for line in original.split_inclusive('\n') {
        let rest = line.trim_start_matches([' ', '\t']);
        let goes_on = open > 0;
        open = still_open(rest, open);
        if goes_on || rest.trim().is_empty() || rest.starts_with(';') {
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

/// How many parentheses are open at the end of a line.
fn still_open(line: &str, open: usize) -> usize {
    let (mut open, mut quoted, mut bytes) = (open, false, line.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => quoted = !quoted,
            b';' if !quoted => break,
            b'(' if !quoted => open += 1,
            b')' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
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
            ("    a TXT (\n  \"x\" )\n    b", "a TXT (\n\"x\" )\nb"),
            ("    a TXT ( \"x)\" ; )\n  \"y\" ) \\(\n    b", "a TXT ( \"x)\" ; )\n\"y\" ) \\(\nb"),
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
