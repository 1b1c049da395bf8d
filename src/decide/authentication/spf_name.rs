//! May DNS be asked for this text? Names that come out of envelopes and macros.
//!
//! Sources: RFC 7208 §4.3 (what cannot have a record), §7.3 (too long: cut from the left), RFC 1035 §2.3.4 (lengths).

/// A name that DNS can be asked for: labels of 1 to 63 bytes, one final dot allowed.
pub(super) fn askable(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()));
    fits.then_some(name)
}

/// A domain whose policy can be looked up: askable, of more than one label, and no address literal.
pub(super) fn domain(name: &str) -> Option<&str> {
    askable(name).filter(|name| name.contains('.') && !name.starts_with('['))
}

/// What is left of an expanded name that is too long: labels go away from the left until the rest fits.
pub(super) fn shortened(name: &str) -> &str {
    let mut name = name;
    while name.strip_suffix('.').unwrap_or(name).len() > 253 {
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => break,
        }
    }
    name
}

/// Is `name` the same as `other`, or below it? Case and final dots do not matter.
pub(super) fn is_within(name: &str, other: &str) -> bool {
    let bare = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (name, other) = (bare(name), bare(other));
    name.strip_suffix(&*other).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "x".repeat(64);
        assert_eq!((askable("a.b."), askable("a..b"), askable(""), askable(&long)), (Some("a.b"), None, None, None));
        assert_eq!((domain("mail"), domain("[192.0.2.1]"), domain("a.b")), (None, None, Some("a.b")));
        let endless = format!("{}example.com", "label.".repeat(50));
        assert_eq!(shortened(&endless).len(), 251);
        assert!(is_within("MX.Example.com.", "example.com") && !is_within("notexample.com", "example.com"));
    }
}
