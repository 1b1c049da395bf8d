//! Who wrote names in other letters than ASCII, and what are they in an answer? `xn--bcher-kva.example` is what DNS has; people read `bücher.example`.
//!
//! Texts of a scenario teach the labels that were written; an answer that mentions their A-labels gets the names beside it. A-labels that somebody
//! wrote as such stay what they are: nobody can see through them that two names look alike.

use super::punycode::spell;
use std::collections::{BTreeMap, BTreeSet};

/// Labels that were written in other letters, by A-label.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Spellings(BTreeMap<String, String>);

impl Spellings {
    /// Learns the labels of a text. Words of its sentences are among them, and nobody asks for those.
    #[must_use]
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut known = BTreeMap::new();
        for text in texts.filter(|text| !text.is_ascii()) {
            let stands_in_label = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii() && !c.is_whitespace();
            for word in text.split(|c| !stands_in_label(c)).filter(|word| !word.is_ascii()) {
                let Ok(spelling) = spell(word) else { continue };
                for (ascii, unicode) in
                    spelling.ascii.split('.').zip(spelling.unicode.split('.')).filter(|(ascii, unicode)| ascii != unicode)
                {
                    known.insert(ascii.to_ascii_lowercase(), unicode.to_owned());
                }
            }
        }
        Self(known)
    }

    /// The names in an answer that were written in other letters: as DNS has them, and as people read them.
    #[must_use]
    pub fn names_in(&self, answer: &str) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        if self.0.is_empty() {
            return names;
        }
        let words: BTreeSet<&str> = answer.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).collect();
        for name in words.into_iter().map(|word| word.trim_matches('.')).filter(|word| word.contains("xn--")) {
            let labels: Vec<&str> = name.split('.').map(|label| self.0.get(label).map_or(label, String::as_str)).collect();
            let unicode = labels.join(".");
            if unicode != name {
                names.insert(name.to_owned(), unicode);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let spellings = Spellings::of(["to: [\"x@Bücher.example\"], // für alle", "例え。テスト. MX 0 .", "xn--mnchen-3ya.de"].into_iter());
        let cases: [(&str, &[(&str, &str)]); 5] = [
            ("to x@xn--bcher-kva.example.", &[("xn--bcher-kva.example", "bücher.example")]),
            ("mail.xn--bcher-kva.example:25, again mail.xn--bcher-kva.example", &[("mail.xn--bcher-kva.example", "mail.bücher.example")]),
            ("xn--r8jz45g.xn--zckzah", &[("xn--r8jz45g.xn--zckzah", "例え.テスト")]),
            ("xn--mnchen-3ya.de was written so", &[]),
            ("plain.example", &[]),
        ];
        for (answer, expected) in cases {
            let expected = expected.iter().map(|(ascii, unicode)| ((*ascii).to_owned(), (*unicode).to_owned())).collect();
            assert_eq!(spellings.names_in(answer), expected, "{answer}");
        }
    }
}
