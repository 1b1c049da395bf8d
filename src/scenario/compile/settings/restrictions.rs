//! What do Postfix's lists of restrictions say, word by word?
//!
//! Source: postconf(5), `smtpd_sender_restrictions` and `smtpd_recipient_restrictions`, which take the words of the earlier lists too. A word that Postfix has
//! and the model has not is refused at its place, and so is a slip.

use std::ops::Range;

use super::super::desk::Desk;
use crate::diag::{Diagnostic, code};
use crate::model::restrictions::Restriction;
use crate::scenario::source::Text;

/// What is modelled; `None` are those that never strike: a server of a scenario does not relay for others.
const MODELLED: &[(&str, Option<Restriction>)] = &[
    ("reject_unknown_sender_domain", Some(Restriction::UnknownSender)),
    ("reject_unknown_recipient_domain", Some(Restriction::UnknownRecipient)),
    ("reject_unauth_destination", None),
    ("defer_unauth_destination", None),
    ("permit_mynetworks", Some(Restriction::PermitNetworks)),
    ("permit_sasl_authenticated", Some(Restriction::PermitLogin)),
    ("permit", Some(Restriction::Permit)),
];

/// What Postfix has beside that.
const NOT_MODELLED: &[&str] = &[
    "check_ccert_access",
    "check_client_a_access",
    "check_client_access",
    "check_client_mx_access",
    "check_client_ns_access",
    "check_helo_a_access",
    "check_helo_access",
    "check_helo_mx_access",
    "check_helo_ns_access",
    "check_policy_service",
    "check_recipient_a_access",
    "check_recipient_access",
    "check_recipient_mx_access",
    "check_recipient_ns_access",
    "check_reverse_client_hostname_a_access",
    "check_reverse_client_hostname_access",
    "check_reverse_client_hostname_mx_access",
    "check_reverse_client_hostname_ns_access",
    "check_sasl_access",
    "check_sender_a_access",
    "check_sender_access",
    "check_sender_mx_access",
    "check_sender_ns_access",
    "defer",
    "defer_if_permit",
    "defer_if_reject",
    "permit_auth_destination",
    "permit_dnswl_client",
    "permit_inet_interfaces",
    "permit_mx_backup",
    "permit_rhswl_client",
    "permit_tls_all_clientcerts",
    "permit_tls_clientcerts",
    "reject",
    "reject_authenticated_sender_login_mismatch",
    "reject_invalid_helo_hostname",
    "reject_known_sender_login_mismatch",
    "reject_multi_recipient_bounce",
    "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_recipient",
    "reject_non_fqdn_sender",
    "reject_plaintext_session",
    "reject_rbl_client",
    "reject_rhsbl_client",
    "reject_rhsbl_helo",
    "reject_rhsbl_recipient",
    "reject_rhsbl_reverse_client",
    "reject_rhsbl_sender",
    "reject_sender_login_mismatch",
    "reject_unauth_pipelining",
    "reject_unauthenticated_sender_login_mismatch",
    "reject_unknown_client_hostname",
    "reject_unknown_helo_hostname",
    "reject_unknown_reverse_client_hostname",
    "reject_unlisted_recipient",
    "reject_unlisted_sender",
    "reject_unverified_recipient",
    "reject_unverified_sender",
    "sleep",
    "warn_if_reject",
];

/// The restrictions of a list in their order; every word that is none is told at its place.
pub(super) fn read(key: &Text, list: &Text, desk: &mut Desk) -> Vec<Restriction> {
    let mut found = Vec::new();
    let mut words = words(list).into_iter();
    while let Some(place) = words.next() {
        let word = list[place.clone()].to_ascii_lowercase();
        if let Some((_, restriction)) = MODELLED.iter().find(|(name, _)| *name == word) {
            found.extend(*restriction);
            continue;
        }
        let at = list.part(place);
        if NOT_MODELLED.contains(&word.as_str()) {
            let message = format!("`{word}` in `{key}`: not modelled yet");
            desk.error(code::SETTING_NOT_MODELLED, at, message, format!("leave it out; modelled are {}", modelled()));
            if has_argument(&word) {
                words.next();
            }
        } else {
            let problem = Diagnostic::error(code::VALUE, at, format!("`{word}` is not a restriction of Postfix"));
            let known = MODELLED.iter().map(|(name, _)| *name).chain(NOT_MODELLED.iter().copied());
            desk.unknown(problem, &word, known, format!("modelled are {}", modelled()));
        }
    }
    found
}

/// What can be written, for people.
pub(super) fn modelled() -> String {
    MODELLED.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A table, a list on the net, a time or a service stands behind it.
fn has_argument(word: &str) -> bool {
    word.starts_with("check_") || word.contains("rbl_") || word.contains("rhsbl_") || word.contains("wl_client") || word == "sleep"
}

/// Where the words of a list stand, between blanks and commas; what stands in `{ }` is one word.
fn words(list: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let (mut begin, mut depth) = (None, 0_usize);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ',' || c.is_whitespace()) {
            words.extend(begin.take().map(|begin| begin..at));
        } else {
            begin = begin.or(Some(at));
        }
    }
    words.extend(begin.map(|begin| begin..list.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Span;

    #[test]
    fn lists() {
        let cases: [(&str, &[Restriction], &[&str]); 5] = [
            ("permit_mynetworks, Reject_Unknown_Sender_Domain", &[Restriction::PermitNetworks, Restriction::UnknownSender], &[]),
            ("reject_unauth_destination\n permit", &[Restriction::Permit], &[]),
            ("check_sender_access hash:/etc/postfix/senders, permit", &[Restriction::Permit], &["MT0502 check_sender_access"]),
            ("check_policy_service { inet:[::1]:9, timeout=1s }, reject", &[], &["MT0502 check_policy_service", "MT0502 reject"]),
            ("reject_unknown_sender_domian", &[], &["MT0301 reject_unknown_sender_domian"]),
        ];
        for (text, expected, said) in cases {
            let (list, mut desk) = (Text::of_file(text.into(), Span::NOWHERE.file), Desk::default());
            assert_eq!(read(&Text::made_up("smtpd_sender_restrictions"), &list, &mut desk), expected, "{text}");
            let place = |problem: &Diagnostic| text[problem.span.start as usize..problem.span.end as usize].to_owned();
            let problems: Vec<String> = desk.problems.iter().map(|problem| format!("{} {}", problem.code.id, place(problem))).collect();
            assert_eq!(problems, said, "{text}");
        }
    }

    #[test]
    fn no_word_twice() {
        assert!(NOT_MODELLED.is_sorted_by(|a, b| a < b));
        assert!(!MODELLED.iter().any(|(name, _)| NOT_MODELLED.contains(name)));
    }
}
