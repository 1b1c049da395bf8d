//! Which domain, whose mailbox? Mail names in normal form.
//!
//! Sources: RFC 1035 §2.3.1 and §3.1 (lengths), RFC 5321 §2.3.11 and §4.1.2 (addresses). Not modelled: quoted local parts
//! with special characters keep their quotes and are compared as written.

use super::punycode::{BadLabel, spell};
use std::fmt;

/// A domain or host name in normal form: ASCII lower case, A-labels for other letters, no trailing dot, `.` is the root (empty text).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain(Box<str>);

/// Why a text is not a domain name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadDomain {
    /// A label is empty, too long or has characters that no host name has.
    #[error("the label `{0}` is not one to 63 letters, digits, `-` or `_`")]
    Label(String),
    /// A label in other letters than ASCII has no A-label.
    #[error("{0}")]
    NoALabel(BadLabel),
    /// More than 253 characters.
    #[error("a name has at most 253 characters, this one has {0}")]
    TooLong(usize),
}

impl Domain {
    /// Reads a name; upper case and one final dot are normalized away, labels in other letters become A-labels. `*` is allowed as the first whole
    /// label.
    ///
    /// # Errors
    /// A label that is empty, longer than 63 characters or not made of letters, digits, `-`, `_`; more than 253 in all.
    pub fn parse(text: &str) -> Result<Self, BadDomain> {
        if !text.is_ascii() {
            return Self::parse(&spell(text).map_err(BadDomain::NoALabel)?.ascii);
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > 253 {
            return Err(BadDomain::TooLong(name.len()));
        }
        if name.is_empty() {
            return if text == "." { Ok(Self("".into())) } else { Err(BadDomain::Label(String::new())) };
        }
        for (at, label) in name.split('.').enumerate() {
            if !(is_label(label) || at == 0 && label == "*") {
                return Err(BadDomain::Label(label.to_owned()));
            }
        }
        Ok(Self(name.to_ascii_lowercase().into()))
    }

    /// The text, lower case, without final dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name above this one; `None` above a top-level name.
    #[must_use]
    pub fn parent(&self) -> Option<Domain> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.into()))
    }

    /// Is this `other` or below it?
    #[must_use]
    pub fn is_within(&self, other: &Domain) -> bool {
        self.0.strip_suffix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The normal form of a domain name, of a mail address or pattern with one behind its last `@`, or of a next hop, which somebody else judges: small letters, A-labels,
/// no final dot. All texts that are compared with a [`Domain`] go through here.
#[must_use]
pub fn common_form(text: &str) -> String {
    let (front, name) = text.rsplit_once('@').map_or(("", text), |(front, _)| text.split_at(front.len() + 1));
    let whole = name.strip_suffix('.').unwrap_or(name);
    if whole.is_ascii() {
        return front.to_ascii_lowercase() + &whole.to_ascii_lowercase();
    }
    // A next hop has brackets around its name and a port behind it.
    let (open, rest) = whole.strip_prefix('[').map_or(("", whole), |rest| ("[", rest));
    let (name, port) = rest.split_at(rest.find([']', ':']).unwrap_or(rest.len()));
    let ascii = spell(name).map_or_else(|_| name.to_owned(), |spelling| spelling.ascii);
    (front.to_owned() + open + ascii.strip_suffix('.').unwrap_or(&ascii) + port).to_ascii_lowercase()
}

/// An envelope address, split at its last `@`. The null sender is not one of these.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Address {
    /// The local part as written.
    pub local: Box<str>,
    /// The domain in normal form, or an address literal with its brackets (`[192.0.2.1]`).
    pub domain: Box<str>,
}

impl Address {
    /// Reads `local@domain`; `None` if there is no `@`, the local part is none (RFC 5321 §4.1.2) or longer than 64, or the domain is bad.
    /// `#` and `##` (message numbers) are left alone, in both parts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        if !is_local_part(local) || local.len() > 64 {
            return None;
        }
        let domain = if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if !is_address_literal(literal) {
                return None;
            }
            domain.to_owned()
        } else {
            let probe = domain.replace('#', "0");
            let name = Domain::parse(&probe).ok().filter(|name| !name.as_str().is_empty())?;
            match (domain.contains('#'), domain.is_ascii()) {
                (false, _) => name.0.into(),
                (true, true) => domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase(),
                // The number of the message would be another A-label each time.
                (true, false) => return None,
            }
        };
        Some(Self { local: local.into(), domain: domain.into() })
    }
}

/// `192.0.2.1`, `IPv6:2001:db8::1` (RFC 5321 §4.1.3).
fn is_address_literal(literal: &str) -> bool {
    let literal = literal.replace('#', "0");
    match literal.split_once(':') {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6") => address.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => literal.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

/// A dot-string, or anything between quotes; letters of other scripts are atoms as well (RFC 6531 §3.3).
fn is_local_part(local: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control();
    if let Some(quoted) = local.strip_prefix('"').and_then(|local| local.strip_suffix('"')) {
        return !quoted.contains(|c| special(c) && c != ' ' || c == '"');
    }
    local.split('.').all(|atom| !atom.is_empty() && !atom.contains(|c| special(c) || r#"()<>[]:;@\,""#.contains(c)))
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.local, self.domain)
    }
}

/// The order of names that do not differ by case, as those of Exchange and of its directory; the spelling decides last.
#[must_use]
pub fn alphabetical(a: &str, b: &str) -> std::cmp::Ordering {
    a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        let cases = [
            ("Contoso.COM.", Ok("contoso.com")),
            ("a", Ok("a")),
            (".", Ok("")),
            ("*.contoso.com", Ok("*.contoso.com")),
            ("_25._tcp.mx", Ok("_25._tcp.mx")),
            ("domain.*.contoso.com", Err(BadDomain::Label("*".into()))),
            ("mail.Bücher.example.", Ok("mail.xn--bcher-kva.example")),
            ("XN--Bcher-kva.example", Ok("xn--bcher-kva.example")),
            ("例え。テスト。", Ok("xn--r8jz45g.xn--zckzah")),
            ("*.bücher.example", Ok("*.xn--bcher-kva.example")),
            ("a b.bücher.example", Err(BadDomain::Label("a b".into()))),
            ("bü☃.example", Err(BadDomain::NoALabel(BadLabel::Letter("\\u{2603}".into())))),
            ("a..b", Err(BadDomain::Label(String::new()))),
            ("", Err(BadDomain::Label(String::new()))),
        ];
        for (text, expected) in cases {
            assert_eq!(Domain::parse(text).map(|name| name.as_str().to_owned()), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn common_forms() {
        let cases = [
            ("Contoso.COM.", "contoso.com"),
            ("*@Bücher.example", "*@xn--bcher-kva.example"),
            ("Jürgen@BÜCHER.example", "jürgen@xn--bcher-kva.example"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("*bücher.example", "*bücher.example"),
            ("[Mail.Bücher.example]:587", "[mail.xn--bcher-kva.example]:587"),
            ("[192.0.2.1]", "[192.0.2.1]"),
            ("例え。テスト。", "xn--r8jz45g.xn--zckzah"),
            ("*", "*"),
            ("<>", "<>"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(common_form(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses() {
        let cases = [
            ("Bob@Bücher.example", Some("Bob@xn--bcher-kva.example")),
            ("bob@Contoso.com.", Some("bob@contoso.com")),
            ("bob@d#.Example.", Some("bob@d#.example")),
            ("bob@bü#.example", None),
            ("bob@[192.0.2.1]", Some("bob@[192.0.2.1]")),
            ("bob@[IPv6:2001:db8::1]", Some("bob@[IPv6:2001:db8::1]")),
            ("bob@[2001:db8::1]", None),
            ("bob@[999.1.1.1]", None),
            ("bob@[x.example]", None),
            ("bob@[IPv6:::1::]", None),
            ("bob@bü☃.example", None),
            ("bob@", None),
            ("al@contoso.com,ben@contoso.com", None),
            ("al,ben@contoso.com", None),
            ("al@ben@contoso.com", None),
            ("<al@contoso.com>", None),
            ("al..b@contoso.com", None),
            (".al@contoso.com", None),
            ("\"al@ben\"@contoso.com", Some("\"al@ben\"@contoso.com")),
            ("\"al ben\"@contoso.com", Some("\"al ben\"@contoso.com")),
            ("\"al\tben\"@contoso.com", None),
            ("al ben@contoso.com", None),
            ("al+x/y=z{1}#@contoso.com", Some("al+x/y=z{1}#@contoso.com")),
            ("müller.ü@contoso.com", Some("müller.ü@contoso.com")),
        ];
        for (text, expected) in cases {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn below() {
        let within = |a: &str, b: &str| Domain::parse(a).unwrap().is_within(&Domain::parse(b).unwrap());
        assert!(within("mail.contoso.com", "contoso.com") && within("contoso.com", "contoso.com"));
        assert!(!within("notcontoso.com", "contoso.com") && !within("com", "contoso.com"));
    }
}
