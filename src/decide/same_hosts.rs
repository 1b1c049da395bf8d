//! Do two lists of hosts lead to the same place, so that recipients of two domains share a transaction?
//!
//! Source: Exim deliver.c `same_hosts`. Names are compared in order, whatever their preferences; where they differ, so far as both lists go on with
//! hosts of one and the same preference, these may stand in another order. Both lists come as they were ordered, each by its own luck.

use crate::base::NameId;

/// One address of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Its preference; `None` = it has none, and its place is fixed.
    pub preference: Option<u32>,
    /// Whose address it is.
    pub name: NameId,
    /// TCP port.
    pub port: u16,
}

/// Is it one list? `one` is asked for its preferences where the names differ.
#[must_use]
pub fn same_hosts(mut one: &[Listed], mut two: &[Listed]) -> bool {
    while let ([first, ..], [second, ..]) = (one, two) {
        let mut together = 1;
        if first.name != second.name {
            let Some(preference) = first.preference else { return false };
            let equals = |list: &[Listed]| list.iter().skip(1).take_while(|host| host.preference == Some(preference)).count();
            together += equals(one).min(equals(two));
            let among = |host: &Listed| two[..together].iter().any(|other| other.name == host.name);
            if together == 1 || !one[..together].iter().all(among) {
                return false;
            }
        } else if first.port != second.port {
            return false;
        }
        (one, two) = (&one[together..], &two[together..]);
    }
    one.is_empty() && two.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `10a 20b`; `-a` has no preference, `10a:26` another port.
    fn list(text: &str) -> Vec<Listed> {
        let host = |word: &str| {
            let (word, port) = word.split_once(':').unwrap_or((word, "25"));
            let (preference, name) = word.split_at(word.len() - 1);
            Listed { preference: preference.parse().ok(), name: NameId(u32::from(name.as_bytes()[0])), port: port.parse().unwrap() }
        };
        text.split_whitespace().map(host).collect()
    }

    #[test]
    fn lists_that_are_one() {
        let cases = [
            ("10a 20b", "10a 20b", true),
            ("10a 20b", "5a 50b", true),
            ("10a 20b", "10a 10b", true),
            ("10a 20b", "10b 20a", false),
            ("10a 20b", "10a", false),
            ("10a 20b", "10a 20b 30c", false),
            ("10a 10b", "10b 10a", true),
            ("10a 10b", "5b 5a", false),
            ("10a 10b", "5a 5b", true),
            ("10a 10b 20c", "10b 10a 30c", true),
            ("10a 10b 10c", "10c 10a 10b", true),
            ("10a 10b 10c", "10b 10a 20c", true),
            ("10a 10b 10c", "10b 20a 20c", false),
            ("10a 10b", "10b 10c", false),
            ("-a -b", "-a -b", true),
            ("-a -b", "-b -a", false),
            ("10a:26", "10a", false),
            ("10a 10a 20b", "10a 10a 30b", true),
        ];
        for (one, two, expected) in cases {
            assert_eq!(same_hosts(&list(one), &list(two)), expected, "{one} / {two}");
        }
    }
}
