//! Which names does the model know? One number per name, and the way up to its parent.
//!
//! Sources: RFC 1035 §2.3.1 and §5.1 (labels, escapes), RFC 1034 §3.1 (case does not matter), RFC 3596 §2.5 (`ip6.arpa`).

use std::borrow::Cow;
use std::net::IpAddr;

use crate::base::{Interner, NameId};

/// All names of a model in normal form: lower case, no final dot, the root is the empty text. A name brings its parents
/// along. In labels from master files a dot is written `\.` and an unusual byte `\DDD`.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Interner<Box<str>>,
    parents: Vec<Option<NameId>>,
}

impl Names {
    /// The id of a name, in any case, with or without final dot; a new one if it was never seen.
    pub fn intern(&mut self, name: &str) -> NameId {
        let name = normal_form(name);
        if let Some(id) = self.texts.find(&*name) {
            return NameId(id);
        }
        let parent = parent_text(&name).map(|above| self.intern(above));
        let id = self.texts.intern(name.into());
        self.parents.push(parent);
        NameId(id)
    }

    /// The id of a name that the model knows.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NameId> {
        self.texts.find(&*normal_form(name)).map(NameId)
    }

    /// The name in normal form; the root is the empty text.
    #[must_use]
    pub fn text(&self, name: NameId) -> &str {
        self.texts.get(name.0)
    }

    /// The name above; the root has none.
    #[must_use]
    pub fn parent(&self, name: NameId) -> Option<NameId> {
        self.parents[name.index()]
    }

    /// The name, its parent, and so on up to the root.
    pub fn upwards(&self, name: NameId) -> impl Iterator<Item = NameId> + '_ {
        std::iter::successors(Some(name), |name| self.parent(*name))
    }

    /// All names, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.parents.len()).map(|at| self.text(NameId(at as u32)))
    }

    /// How many names there are: ids run from 0 to one less.
    #[must_use]
    pub fn count(&self) -> usize {
        self.parents.len()
    }
}

/// Lower case, without the final dot.
#[must_use]
pub fn normal_form(name: &str) -> Cow<'_, str> {
    let shorter = match name.strip_suffix('.') {
        // A dot behind a backslash is part of the last label, unless the backslash is itself escaped.
        Some(rest) if rest.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0 => rest,
        _ => name,
    };
    if shorter.bytes().any(|byte| byte.is_ascii_uppercase()) { shorter.to_ascii_lowercase().into() } else { shorter.into() }
}

/// The name above one in normal form: what follows its first dot that is not escaped. `None` for the root.
#[must_use]
pub fn parent_text(name: &str) -> Option<&str> {
    if name.is_empty() {
        return None;
    }
    let mut escaped = false;
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'.' => return Some(&name[at + 1..]),
            _ => {}
        }
    }
    Some("")
}

/// The name that a `PTR` question about an address asks for.
#[must_use]
pub fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_per_name() {
        let mut names = Names::default();
        let mail = names.intern("Mail.Contoso.COM.");
        assert_eq!(names.intern("mail.contoso.com"), mail);
        assert_eq!(names.upwards(mail).map(|name| names.text(name)).collect::<Vec<_>>(), ["mail.contoso.com", "contoso.com", "com", ""]);
        assert_eq!(names.find("CONTOSO.com"), names.parent(mail));
        assert_eq!((names.find("fabrikam.com"), names.count()), (None, 4));
    }

    #[test]
    fn parents() {
        let cases = [("a.b", Some("b")), ("b", Some("")), ("", None), ("a\\.b.c", Some("c")), ("a\\\\.b", Some("b"))];
        for (name, parent) in cases {
            assert_eq!(parent_text(name), parent, "{name}");
        }
        assert_eq!((normal_form("A\\."), normal_form("a\\\\.")), ("a\\.".into(), "a\\\\".into()));
    }

    #[test]
    fn reverse() {
        assert_eq!(reverse_name("192.0.2.10".parse().unwrap()), "10.2.0.192.in-addr.arpa");
        let expected = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(reverse_name("2001:db8::1".parse().unwrap()), expected);
    }
}
