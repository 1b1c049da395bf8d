//! What does `%{ir}.%{v}._spf.%{d2}` stand for? Macro strings: reading and expanding.
//!
//! Source: RFC 7208 §7 and the grammar in §12. Not modelled: explanation texts, so `c`, `r` and `t` are errors everywhere.

use std::net::IpAddr;

/// A text with macros in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct MacroString(Vec<Piece>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Piece {
    Literal(String),
    Macro(Macro),
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Macro {
    /// Lower case.
    letter: char,
    /// The letter was in upper case.
    url_escaped: bool,
    /// How many parts are kept, from the right; `None` = all.
    keep: Option<usize>,
    reversed: bool,
    /// Where the value is cut; `.` if none is written.
    delimiters: String,
}

/// What the letters stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) local: &'a str,
    pub(super) sender_domain: &'a str,
    /// The domain whose record is read now.
    pub(super) domain: &'a str,
    pub(super) client: IpAddr,
    pub(super) helo: &'a str,
    /// A name of the client that was validated; only asked for where `uses_validated_name`.
    pub(super) validated: &'a str,
}

impl MacroString {
    /// Reads a `macro-string`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::pieces(text)?.0)
    }

    /// Reads a `domain-spec`: a macro string that ends in a macro, or in a dot and a name that can be a top level.
    pub(super) fn parse_domain(text: &str) -> Result<Self, String> {
        let (pieces, tail) = Self::pieces(text)?;
        let is_top_level = |label: &str| {
            let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            label.bytes().all(inside)
                && !(label.starts_with('-') || label.ends_with('-'))
                && label.bytes().any(|byte| byte.is_ascii_alphabetic() || byte == b'-')
        };
        let last = tail.strip_suffix('.').unwrap_or(tail).rsplit_once('.');
        if tail.is_empty() && !text.is_empty() || last.is_some_and(|(_, label)| is_top_level(label)) {
            return Ok(pieces);
        }
        Err(format!("`{text}` does not end like a domain name"))
    }

    /// The pieces, and what stands behind the last `%`.
    fn pieces(text: &str) -> Result<(Self, &str), String> {
        let (mut pieces, mut rest, mut tail) = (Vec::new(), text, text);
        while let Some(first) = rest.chars().next() {
            let (piece, length) = match first {
                '%' => {
                    let (piece, length) = expansion(rest)?;
                    tail = &rest[length..];
                    (piece, length)
                }
                '!'..='~' => (Piece::Literal(first.into()), 1),
                _ => return Err("a character that no macro string has".to_owned()),
            };
            match (piece, pieces.last_mut()) {
                (Piece::Literal(more), Some(Piece::Literal(text))) => text.push_str(&more),
                (piece, _) => pieces.push(piece),
            }
            rest = &rest[length..];
        }
        Ok((Self(pieces), tail))
    }

    /// Is a name of the client needed?
    pub(super) fn uses_validated_name(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Macro(one) if one.letter == 'p'))
    }

    /// The text that it stands for.
    pub(super) fn expand(&self, values: &Values<'_>) -> String {
        let expanded = self.0.iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Macro(one) => one.expand(values),
        });
        expanded.collect()
    }
}

/// One `macro-expand` at the beginning of a text, and how long it is.
fn expansion(text: &str) -> Result<(Piece, usize), String> {
    let literal = |text: &str| Ok((Piece::Literal(text.to_owned()), 2));
    match text.as_bytes().get(1) {
        Some(b'%') => literal("%"),
        Some(b'_') => literal(" "),
        Some(b'-') => literal("%20"),
        Some(b'{') => {
            let end = text.find('}').ok_or_else(|| format!("`{text}` has no `}}`"))?;
            let inside = &text[2..end];
            let bad = || format!("`%{{{inside}}}` is no macro");
            let letter = inside.chars().next().filter(|letter| "slodiphvSLODIPHV".contains(*letter)).ok_or_else(bad)?;
            let digits = inside[1..].bytes().take_while(u8::is_ascii_digit).count();
            let (count, transformers) = inside[1..].split_at(digits);
            // More parts than there are mean all of them, so a number that does not fit is as good as the largest.
            let keep = (!count.is_empty()).then(|| count.parse().unwrap_or(usize::MAX));
            let delimiters = transformers.strip_prefix(['r', 'R']);
            let reversed = delimiters.is_some();
            let delimiters = delimiters.unwrap_or(transformers);
            if keep == Some(0) || delimiters.bytes().any(|byte| !b".-+,/_=".contains(&byte)) {
                return Err(bad());
            }
            let one = Macro {
                letter: letter.to_ascii_lowercase(),
                url_escaped: letter.is_ascii_uppercase(),
                keep,
                reversed,
                delimiters: if delimiters.is_empty() { ".".to_owned() } else { delimiters.to_owned() },
            };
            Ok((Piece::Macro(one), end + 1))
        }
        _ => Err(format!("`{text}`: `%` stands before `{{`, `%`, `_` or `-` only")),
    }
}

impl Macro {
    fn expand(&self, values: &Values<'_>) -> String {
        let value = match self.letter {
            's' => format!("{}@{}", values.local, values.sender_domain),
            'l' => values.local.to_owned(),
            'o' => values.sender_domain.to_owned(),
            'd' => values.domain.to_owned(),
            'i' => dotted(values.client),
            'p' => values.validated.to_owned(),
            'v' => (if values.client.is_ipv4() { "in-addr" } else { "ip6" }).to_owned(),
            'h' => values.helo.to_owned(),
            letter => unreachable!("`{letter}` is no macro letter: the reader refuses it"),
        };
        let mut parts: Vec<&str> = value.split(|c| self.delimiters.contains(c)).collect();
        if self.reversed {
            parts.reverse();
        }
        let skipped = parts.len().saturating_sub(self.keep.unwrap_or(usize::MAX));
        let text = parts[skipped..].join(".");
        if self.url_escaped { url_escaped(&text) } else { text }
    }
}

/// An address as `%{i}` writes it: dotted, IPv6 nibble by nibble.
fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}

/// RFC 3986 §2.1, for everything that is not unreserved (§2.3).
fn url_escaped(text: &str) -> String {
    let escaped = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str, client: &str) -> String {
        let values = Values {
            local: "strong-bad",
            sender_domain: "email.example.com",
            domain: "email.example.com",
            client: client.parse().unwrap(),
            helo: "mx.example.org",
            validated: "mx.example.org",
        };
        MacroString::parse(text).map_or_else(|why| why, |text| text.expand(&values))
    }

    /// The examples of RFC 7208 §7.4, and what the grammar forbids.
    #[test]
    fn expansions() {
        let cases = [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
            ("%{S}", "strong-bad%40email.example.com"),
            ("%%%_%-%{h}", "% %20mx.example.org"),
            ("%{d0}", "`%{d0}` is no macro"),
            ("%{x}", "`%{x}` is no macro"),
            ("%{d", "`%{d` has no `}`"),
            ("100%", "`%`: `%` stands before `{`, `%`, `_` or `-` only"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, "192.0.2.3"), expected, "{text}");
        }
        let nibbles = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
        assert_eq!(expand("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01"), nibbles);
    }

    #[test]
    fn domain_specs() {
        let cases = [
            ("example.com", true),
            ("example.com.", true),
            ("_spf.%{d}", true),
            ("%{i}.x%%", true),
            ("com", false),
            ("example.123", false),
            ("example.1-2", true),
            ("example.-a", false),
            ("%{d}com", false),
            ("", false),
            ("a..", false),
        ];
        for (text, expected) in cases {
            assert_eq!(MacroString::parse_domain(text).is_ok(), expected, "{text}");
        }
    }
}
