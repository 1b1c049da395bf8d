//! Which attributes of recipients can rules look at?
//!
//! Source: New-TransportRule `SenderADAttributeContainsWords`, whose list is that of the three others, too.

use crate::diag::{Diagnostic, code};
use crate::scenario::compile::Desk;
use crate::scenario::source::{Named, Text};

/// Beside `CustomAttribute1` to `CustomAttribute15`.
const KNOWN: [&str; 26] = [
    "City",
    "Company",
    "Country",
    "Department",
    "DisplayName",
    "Email",
    "FaxNumber",
    "FirstName",
    "HomePhoneNumber",
    "Initials",
    "LastName",
    "Manager",
    "MobileNumber",
    "Notes",
    "Office",
    "OtherFaxNumber",
    "OtherHomePhoneNumber",
    "OtherPhoneNumber",
    "PagerNumber",
    "PhoneNumber",
    "POBox",
    "State",
    "Street",
    "Title",
    "UserLogonName",
    "ZipCode",
];

/// How many there are for whatever an organization likes.
const CUSTOM: u8 = 15;

fn is_known(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let custom = || {
        let number = lower.strip_prefix("customattribute").filter(|number| !number.starts_with(['0', '+']));
        number.and_then(|number| number.parse().ok()).is_some_and(|number: u8| (1..=CUSTOM).contains(&number))
    };
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)) || custom()
}

/// An attribute that a rule names; `text` is all that is written of it.
pub(in crate::scenario) fn of_rule(name: &str, text: &Text, desk: &mut Desk) {
    if !is_known(name) {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("`{name}` is no attribute that rules look at"));
        desk.unknown(problem, name, KNOWN, format!("one of {}, CustomAttribute1 to CustomAttribute{CUSTOM}", KNOWN.join(", ")));
    }
}

/// The attributes of a recipient: of one that rules cannot name nothing follows.
pub(in crate::scenario) fn of_recipient(attributes: &Named<Text>, desk: &mut Desk) {
    let mut seen: Vec<&Text> = Vec::new();
    for (name, _) in attributes.iter() {
        if !is_known(name) {
            let problem = Diagnostic::warning(code::NO_EFFECT, name.span(), format!("`{name}` is no attribute that rules look at"));
            desk.unknown(problem, name, KNOWN, format!("what an organization adds itself is CustomAttribute1 to CustomAttribute{CUSTOM}"));
        }
        if let Some(other) = seen.iter().find(|other| other.eq_ignore_ascii_case(name)) {
            let problem = Diagnostic::error(code::WRITTEN_TWICE, name.span(), format!("`{name}` and `{other}` are one attribute"));
            desk.say(problem.also(other.span(), "the other one").help("leave one of them out"));
        }
        seen.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn names() {
        let cases = [
            ("City", true),
            ("city", true),
            ("POBox", true),
            ("CustomAttribute1", true),
            ("customattribute15", true),
            ("CustomAttribute16", false),
            ("CustomAttribute0", false),
            ("CustomAttribute01", false),
            ("Town", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_known(name), expected, "{name}");
        }
    }
}
