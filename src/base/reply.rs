//! What a server said: reply code, enhanced status, text; and how an expectation is compared with it.
//!
//! Sources: RFC 5321 §4.2, RFC 3463 §2.

use std::fmt;

/// An enhanced status code, class.subject.detail (RFC 3463).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Enhanced {
    /// Reads `4.4.1`; class 2, 4 or 5.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let number = |part: Option<&str>| part.filter(|p| !p.is_empty() && p.len() <= 3)?.parse::<u16>().ok();
        let (class, subject, detail) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
        (parts.next().is_none() && matches!(class, 2 | 4 | 5)).then_some(Self(class as u8, subject, detail))
    }

    /// The same subject and detail in another class.
    #[must_use]
    pub fn with_class(self, class: u8) -> Self {
        Self(class, self.1, self.2)
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// One reply of a server. `code` 0 stands for no reply at all (the client's own status is in `enhanced`).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reply {
    /// 200 to 599, or 0 if no server spoke.
    pub code: u16,
    /// The enhanced status, if the server gave one.
    pub enhanced: Option<Enhanced>,
    /// The rest of the line.
    pub text: Box<str>,
}

impl Reply {
    /// A reply from its parts.
    #[must_use]
    pub fn new(code: u16, enhanced: Option<Enhanced>, text: &str) -> Self {
        Self { code, enhanced, text: text.into() }
    }

    /// Reads `550 5.7.64 text`, `450`, `421 4.3.2`.
    ///
    /// # Errors
    /// A sentence that says what a reply looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (first, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let code = first.parse::<u16>().ok().filter(|code| first.len() == 3 && (200..600).contains(code));
        let Some(code) = code else {
            return Err("a reply is a code from 200 to 599, then maybe an enhanced status and text: \"450 4.2.1 try later\"".into());
        };
        let (second, tail) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        Ok(match Enhanced::parse(second) {
            Some(status) if u16::from(status.0) != code / 100 => {
                return Err(format!("reply {code} and enhanced status {status} are of different classes"));
            }
            Some(status) => Self::new(code, Some(status), tail.trim()),
            None => Self::new(code, None, rest.trim()),
        })
    }

    /// First digit of the code: 2, 3, 4, 5; 0 for no reply.
    #[must_use]
    pub fn class(&self) -> u8 {
        (self.code / 100) as u8
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.code != 0 {
            words.push(self.code.to_string());
        }
        words.extend(self.enhanced.map(|status| status.to_string()));
        if !self.text.is_empty() {
            words.push(self.text.to_string());
        }
        out.write_str(&words.join(" "))
    }
}

/// An expectation about a code: `550 5.7.64`, `4xx`, `5.7.x`, `x.7.323`; compared word by word, `x` is any run of digits in that place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CodePattern(Box<str>);

impl CodePattern {
    /// Reads a pattern: one word of three digits or `x`, or one dotted word, or both.
    ///
    /// # Errors
    /// A sentence that says what a pattern looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let good = |word: &str| {
            let parts: Vec<&str> = word.split('.').collect();
            let piece = |p: &&str| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit() || b == b'x');
            match parts.len() {
                1 => word.len() == 3 && piece(&word),
                3 => parts.iter().all(piece),
                _ => false,
            }
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.is_empty() || words.len() > 2 || !words.iter().all(|word| good(word)) {
            return Err("a code is \"550\", \"5.7.64\" or \"550 5.7.64\", with x for any digit (\"4xx\", \"5.7.x\")".into());
        }
        Ok(Self(words.join(" ").into()))
    }

    /// Does a reply with this code and status match?
    #[must_use]
    pub fn matches(&self, code: u16, enhanced: Option<Enhanced>) -> bool {
        self.0.split(' ').all(|word| {
            if word.contains('.') {
                enhanced.is_some_and(|status| {
                    word.split('.').zip(status.to_string().split('.')).all(|(want, got)| want == "x" || digits(want, got))
                })
            } else {
                code != 0 && digits(word, &code.to_string())
            }
        })
    }
}

fn digits(want: &str, got: &str) -> bool {
    want.len() == got.len() && want.bytes().zip(got.bytes()).all(|(w, g)| w == b'x' || w == g)
}

impl fmt::Display for CodePattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies() {
        assert_eq!(Reply::parse("450 4.2.1 try later").unwrap().to_string(), "450 4.2.1 try later");
        assert_eq!(Reply::parse("421").unwrap(), Reply::new(421, None, ""));
        assert_eq!(Reply::parse("554 no thanks").unwrap(), Reply::new(554, None, "no thanks"));
        assert!(Reply::parse("99").is_err() && Reply::parse("450 5.1.1 x").is_err() && Reply::parse("").is_err());
    }

    #[test]
    fn patterns() {
        let cases = [
            ("550 5.7.64", 550, "5.7.64", true),
            ("5.7.64", 550, "5.7.64", true),
            ("5.7.x", 550, "5.7.64", true),
            ("4xx", 451, "4.3.0", true),
            ("x.7.323", 0, "4.7.323", true),
            ("4xx", 550, "5.1.1", false),
            ("550 5.1.1", 551, "5.1.1", false),
            ("5.1.1", 550, "5.1.10", false),
        ];
        for (pattern, code, status, expected) in cases {
            let pattern = CodePattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(code, Enhanced::parse(status)), expected, "{pattern} {code} {status}");
        }
        assert!(CodePattern::parse("hello").is_err());
    }
}
