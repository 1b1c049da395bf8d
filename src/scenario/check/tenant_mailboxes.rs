//! Which mailboxes of a tenant can there not be?
//!
//! An address of a cloud mailbox lies in an accepted domain of its tenant, or in one of the two that it has of Microsoft. Source: Set-AcceptedDomain.

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::scenario::compile::Desk;
use crate::scenario::schema::ExchangeOnline;

/// Warns of mailboxes in domains that the tenant does not accept; `own` are those of Microsoft.
pub(in crate::scenario) fn check(tenant: &ExchangeOnline, own: &[String], desk: &mut Desk) {
    if let Some(name) = tenant.tenant.get() {
        let bare = name.split('.').next().unwrap_or("");
        let is_label = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_label(name) {
            let help =
                if is_label(bare) { format!("write tenant: \"{bare}\"") } else { "letters and digits, as in \"contoso\"".to_owned() };
            desk.error(code::VALUE, name.span(), format!("`{name}` is not the name before `.onmicrosoft.com`"), help);
        }
    }
    let accepted: Vec<String> = tenant.accepted_domains.keys().map(|domain| common_form(domain)).chain(own.iter().cloned()).collect();
    if tenant.accepted_domains.is_empty() {
        return;
    }
    for mailbox in tenant.mailboxes.items() {
        let Some((_, domain)) = mailbox.rsplit_once('@') else { continue };
        let domain = common_form(domain);
        let within = |known: &String| domain == *known || domain.strip_suffix(known).is_some_and(|front| front.ends_with('.'));
        if domain.contains('*') || accepted.iter().any(within) {
            continue;
        }
        let message = format!("the tenant does not accept `{domain}`, so it has no mailbox there");
        let problem = Diagnostic::warning(code::NO_EFFECT, mailbox.span(), message);
        desk.say(
            problem
                .help(format!("write accepted_domains: {{ \"{domain}\": Authoritative }}, or give the mailbox an address of the tenant")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::Loader;
    use crate::scenario::schema::System;

    #[test]
    fn domains_that_are_not_accepted() {
        for (mailbox, expected) in [
            ("al@a.test", 0),
            ("al@sub.a.test", 0),
            ("*@a.test", 0),
            ("*", 0),
            ("al@a.onmicrosoft.com", 0),
            ("al@other.test", 1),
            ("*@nota.test", 1),
        ] {
            let text = format!(
                "Scenario(systems: {{ \"t\": ExchangeOnline(accepted_domains: {{ \"a.test\": Authoritative }}, mailboxes: [\"{mailbox}\"]) }})"
            );
            let tree = Loader::new().text("x.ron", &text).expect("readable");
            let Some(System::ExchangeOnline(tenant)) = tree.systems.get("t") else { panic!("a tenant") };
            let mut desk = Desk::default();
            check(tenant, &["a.onmicrosoft.com".to_owned()], &mut desk);
            assert_eq!(desk.problems.len(), expected, "{mailbox}");
        }
    }
}
