//! Does a name or address match `*@contoso.com`? `*` is any run of characters, nothing else is special.

use super::names::common_form;
use std::fmt;

/// A pattern of a scenario, compared without regard to case.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Any text is a pattern.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_ascii_lowercase().into())
    }

    /// A pattern of domain names or mail addresses: names in other letters are their A-labels.
    #[must_use]
    pub fn of_names(text: &str) -> Self {
        Self(common_form(text).into())
    }

    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without a `*` it matches one text only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// How many characters stand fixed: the narrower of two patterns has more.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.bytes().filter(|byte| *byte != b'*').count()
    }

    /// Does the whole text match?
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t, mut star) = (0, 0, None);
        while t < text.len() {
            if p < pattern.len() && pattern[p] == b'*' {
                star = Some((p, t));
                p += 1;
            } else if p < pattern.len() && pattern[p] == text[t].to_ascii_lowercase() {
                (p, t) = (p + 1, t + 1);
            } else if let Some((at, from)) = star {
                star = Some((at, from + 1));
                (p, t) = (at + 1, from + 1);
            } else {
                return false;
            }
        }
        pattern[p..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("*@contoso.com", "Alice@Contoso.com", true),
            ("*@contoso.com", "alice@sub.contoso.com", false),
            ("bob@*", "bob@dest.test", true),
            ("*", "", true),
            ("a*b*c", "aXXbYYbc", true),
            ("a*b*c", "aXXbYY", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }
}
