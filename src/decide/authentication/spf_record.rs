//! Is this text an SPF record, and what are its terms?
//!
//! The whole record is read before any of it counts, so a mistake at its end is a permanent error even where an earlier
//! mechanism would match. Source: RFC 7208 §4.6.1, §5, §6, and the grammar in §12.

use super::spf_macro::MacroString;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A record, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    /// Mechanisms in order.
    pub(super) directives: Vec<Directive>,
    /// Where to go on if none matches.
    pub(super) redirect: Option<MacroString>,
}

/// A mechanism with what it says about those who match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Directive {
    /// As written.
    pub(super) text: String,
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// §5; without a name the current domain is meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Option<MacroString>, Prefixes),
    Mx(Option<MacroString>, Prefixes),
    Ptr(Option<MacroString>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(MacroString),
}

/// How many bits of an address count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Prefixes {
    pub(super) v4: u8,
    pub(super) v6: u8,
}

impl Record {
    /// Reads a record that begins with its version.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).ok_or("bytes that are not ASCII")?;
        let (_, terms) = text.split_at("v=spf1".len());
        let mut record = Self { directives: Vec::new(), redirect: None };
        let mut has_explanation = false;
        for term in terms.split(' ').filter(|term| !term.is_empty()) {
            match modifier(term) {
                Some((name, value)) if name.eq_ignore_ascii_case("redirect") => {
                    let target = MacroString::parse_domain(value)?;
                    if record.redirect.replace(target).is_some() {
                        return Err("`redirect=` twice".to_owned());
                    }
                }
                Some((name, value)) if name.eq_ignore_ascii_case("exp") => {
                    MacroString::parse_domain(value)?;
                    if std::mem::replace(&mut has_explanation, true) {
                        return Err("`exp=` twice".to_owned());
                    }
                }
                Some((_, value)) => drop(MacroString::parse(value)?),
                None => record.directives.push(directive(term)?),
            }
        }
        Ok(record)
    }

    /// An `all` makes `redirect=` void, wherever they stand (§6.1).
    pub(super) fn has_all(&self) -> bool {
        self.directives.iter().any(|directive| directive.mechanism == Mechanism::All)
    }
}

/// `name=value`, where the name is one of a modifier.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(inside)).then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, String> {
    let (qualifier, rest) = match term.as_bytes()[0] {
        b'+' => (Qualifier::Pass, &term[1..]),
        b'-' => (Qualifier::Fail, &term[1..]),
        b'~' => (Qualifier::SoftFail, &term[1..]),
        b'?' => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    };
    Ok(Directive { text: term.to_owned(), qualifier, mechanism: mechanism(rest).map_err(|why| format!("`{term}`: {why}"))? })
}

fn mechanism(text: &str) -> Result<Mechanism, String> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let argument = rest.strip_prefix(':');
    let needed = || argument.ok_or_else(|| "nothing behind its name".to_owned());
    match &*name.to_ascii_lowercase() {
        "all" if rest.is_empty() => Ok(Mechanism::All),
        "all" => Err("`all` stands alone".to_owned()),
        "include" => Ok(Mechanism::Include(MacroString::parse_domain(needed()?)?)),
        "exists" => Ok(Mechanism::Exists(MacroString::parse_domain(needed()?)?)),
        "a" => target(rest).map(|(name, prefixes)| Mechanism::A(name, prefixes)),
        "mx" => target(rest).map(|(name, prefixes)| Mechanism::Mx(name, prefixes)),
        "ptr" if rest.is_empty() => Ok(Mechanism::Ptr(None)),
        "ptr" => Ok(Mechanism::Ptr(Some(MacroString::parse_domain(needed()?)?))),
        "ip4" => network(needed()?, 32).map(|(address, bits)| Mechanism::Ip4(address, bits)),
        "ip6" => network(needed()?, 128).map(|(address, bits)| Mechanism::Ip6(address, bits)),
        _ => Err("no mechanism of that name".to_owned()),
    }
}

/// `[":" domain-spec] ["/" bits] ["//" bits]`
fn target(text: &str) -> Result<(Option<MacroString>, Prefixes), String> {
    let (text, v6) = without_prefix(text, "//", 128)?;
    let (text, v4) = without_prefix(text, "/", 32)?;
    let prefixes = Prefixes { v4: v4.unwrap_or(32), v6: v6.unwrap_or(128) };
    match text.strip_prefix(':') {
        Some(domain) => Ok((Some(MacroString::parse_domain(domain)?), prefixes)),
        None if text.is_empty() => Ok((None, prefixes)),
        None => Err(format!("`{text}` is no prefix length")),
    }
}

/// Cuts a prefix length off the end of a text, if there is one.
fn without_prefix<'a>(text: &'a str, mark: &str, bits_max: u8) -> Result<(&'a str, Option<u8>), String> {
    let front = text.trim_end_matches(|c: char| c.is_ascii_digit());
    match front.strip_suffix(mark) {
        Some(before) if front.len() < text.len() => Ok((before, Some(bits(&text[front.len()..], bits_max)?))),
        _ => Ok((text, None)),
    }
}

fn bits(text: &str, bits_max: u8) -> Result<u8, String> {
    let is_plain = text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c)) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|bits| is_plain && *bits <= bits_max);
    number.ok_or_else(|| format!("`{text}` is no prefix length from 0 to {bits_max}"))
}

fn network<A: std::str::FromStr>(text: &str, bits_max: u8) -> Result<(A, u8), String> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, bits(length, bits_max)?),
        None => (text, bits_max),
    };
    Ok((address.parse().map_err(|_| format!("`{address}` is no address"))?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let good = [
            "v=spf1",
            "v=spf1  ",
            "v=spf1 ip4:192.0.2.0/24 -all",
            "V=SPF1 +A/24//64 mX:example.com//0 ?exists:%{ir}.list.example.com",
            "v=spf1 redirect=_spf.example.com exp=why.example.com future=%{d}x empty=",
            "v=spf1 ip6:2001:db8::/32 ptr:example.com ~all",
            "v=spf1 a:abc/def.example.com a:foo:bar/baz.example.com/0",
        ];
        for text in good {
            assert!(Record::parse(text.as_bytes()).is_ok(), "{text}: {:?}", Record::parse(text.as_bytes()));
        }
        let bad = [
            ("v=spf1 ip4:192.0.2.0/33", "`ip4:192.0.2.0/33`: `33` is no prefix length from 0 to 32"),
            ("v=spf1 ip4:192.0.2.0/024", "`ip4:192.0.2.0/024`: `024` is no prefix length from 0 to 32"),
            ("v=spf1 ip4:192.0.2", "`ip4:192.0.2`: `192.0.2` is no address"),
            ("v=spf1 -all/8", "`-all/8`: `all` stands alone"),
            ("v=spf1 include", "`include`: nothing behind its name"),
            ("v=spf1 a:example.com/", "`a:example.com/`: `example.com/` does not end like a domain name"),
            ("v=spf1 mx/33", "`mx/33`: `33` is no prefix length from 0 to 32"),
            ("v=spf1 ipv4:192.0.2.1", "`ipv4:192.0.2.1`: no mechanism of that name"),
            ("v=spf1 redirect=a.example redirect=b.example", "`redirect=` twice"),
            ("v=spf1 1up=x", "`1up=x`: no mechanism of that name"),
            ("v=spf1 \u{e9}", "bytes that are not ASCII"),
            ("v=spf1 -all\t", "`-all\t`: no mechanism of that name"),
        ];
        for (text, expected) in bad {
            assert_eq!(Record::parse(text.as_bytes()).unwrap_err(), expected, "{text}");
        }
    }
}
