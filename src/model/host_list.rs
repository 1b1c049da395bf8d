//! Which hosts does a list of Exim mean?
//!
//! Items are asked in order and the first that fits decides; `!` before it turns it round. Source: Exim specification, "Host lists", verify.c
//! `check_host`. Not modelled: named lists, lookups, regular expressions, `@` and `@[]`.

use crate::base::Pattern;
use ipnet::IpNet;
use std::net::IpAddr;

/// A host list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostList(pub Vec<HostItem>);

/// One item of it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostItem {
    /// With `!`: a host that fits is not meant.
    pub negated: bool,
    /// Whom it fits.
    pub what: HostWord,
}

/// Whom an item fits.
#[derive(Clone, Debug, PartialEq)]
pub enum HostWord {
    /// `*`
    All,
    /// An address or a network.
    Network(IpNet),
    /// A pattern for the name, as `*.example.com`.
    Pattern(Pattern),
    /// A name: the host of that name, or one that has an address of it.
    Name(Box<str>),
}

impl HostList {
    /// Is the host with this name and address meant? `leads_to` says whether another name has this address.
    pub fn means(&self, name: &str, address: IpAddr, mut leads_to: impl FnMut(&str) -> bool) -> bool {
        let fits = |what: &HostWord, leads_to: &mut dyn FnMut(&str) -> bool| match what {
            HostWord::All => true,
            HostWord::Network(network) => network.contains(&address),
            HostWord::Pattern(pattern) => pattern.matches(name),
            HostWord::Name(other) => **other == *name || leads_to(other),
        };
        match self.0.iter().find(|item| fits(&item.what, &mut leads_to)) {
            Some(item) => !item.negated,
            // A list that ends with an exception means all others.
            None => self.0.last().is_some_and(|last| last.negated),
        }
    }

    /// The host of this name alone.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        Self(vec![HostItem { negated: false, what: HostWord::Name(name.into()) }])
    }

    /// Does it name hosts only, no networks?
    #[must_use]
    pub fn is_of_names(&self) -> bool {
        !self.0.iter().any(|item| matches!(item.what, HostWord::Network(_)))
    }

    /// Reads the notation: items between colons, or between another sign that stands behind `<` at the beginning.
    ///
    /// # Errors
    /// What stands in the list and is not modelled.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "a host list of Exim is written \"*\", \"!192.0.2.0/24 : *.example.com\" or \"<; 2001:db8::1 ; mx.example.com\"; named \
                             lists, lookups and regular expressions are not modelled";
        let (list, separator) = match text.trim().strip_prefix('<') {
            Some(rest) => (rest.get(1..).ok_or(WRONG)?, rest.chars().next().ok_or(WRONG)?),
            None => (text, ':'),
        };
        let item = |word: &str| {
            let (negated, word) = match word.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, word),
            };
            let network = word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
            let what = match (word, network) {
                ("*", _) => HostWord::All,
                (_, Some(network)) => HostWord::Network(network),
                (pattern, None) if pattern.starts_with('*') && is_name(&pattern[1..]) => HostWord::Pattern(Pattern::of_names(pattern)),
                (name, None) if is_name(name) => HostWord::Name(crate::base::common_form(name).into()),
                _ => return Err(WRONG),
            };
            Ok(HostItem { negated, what })
        };
        list.split(separator).map(str::trim).filter(|word| !word.is_empty()).map(item).collect::<Result<_, _>>().map(Self)
    }
}

/// Letters, digits, hyphens and dots.
fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_meant() {
        // The list, name and address of the host, is it meant? `mx.d.example` has 192.0.2.1.
        let cases = [
            ("", "a.example", "192.0.2.1", false),
            ("*", "a.example", "192.0.2.1", true),
            ("a.example", "a.example", "192.0.2.9", true),
            ("A.Example", "a.example", "192.0.2.9", true),
            ("b.example : a.example", "a.example", "192.0.2.9", true),
            ("b.example", "a.example", "192.0.2.9", false),
            ("mx.d.example", "a.example", "192.0.2.1", true),
            ("*.example", "a.example", "192.0.2.9", true),
            ("*.example", "example", "192.0.2.9", false),
            ("192.0.2.9", "a.example", "192.0.2.9", true),
            ("192.0.2.0/29", "a.example", "192.0.2.9", false),
            ("192.0.2.0/24", "a.example", "192.0.2.9", true),
            ("!a.example : *", "a.example", "192.0.2.9", false),
            ("!a.example : *", "b.example", "192.0.2.9", true),
            ("!a.example", "b.example", "192.0.2.9", true),
            ("<; 2001:db8::/32 ; a.example", "b.example", "2001:db8::9", true),
            ("<; 2001:db8::/32 ; a.example", "b.example", "192.0.2.9", false),
        ];
        for (text, name, address, expected) in cases {
            let list = HostList::parse(text).expect(text);
            let address: IpAddr = address.parse().expect("an address");
            let leads_to = |other: &str| other == "mx.d.example" && address.to_string() == "192.0.2.1";
            assert_eq!(list.means(name, address, leads_to), expected, "{text}: {name} {address}");
        }
        for wrong in ["+relays", "^mx", "net-lsearch;/etc/hosts", "@", "@[]", "a b", "192.0.2.0/99", "<"] {
            assert!(HostList::parse(wrong).is_err(), "{wrong}");
        }
    }
}
