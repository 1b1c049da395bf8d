//! What may a client send that logs in at an Exchange server?
//!
//! A login of the group ExchangeUsers has the right to submit to anybody, but not `ms-Exch-SMTP-Accept-Any-Sender`: it sends as itself, or as whom it
//! has Send As for. The null sender is nobody's address and passes.
//! Sources: Exchange Server "Receive connectors" (permission groups), Add-ADPermission Send-As. Secrets are not modelled: a mailbox here can log in.

use super::super::{Decision, because};
use crate::base::{Enhanced, Reply};
use crate::model::exchange_server::{Organization, ServerVersion};

const GROUP: &str = "New-ReceiveConnector PermissionGroups ExchangeUsers";

/// Answers AUTH.
#[must_use]
pub fn answer_auth(organization: &Organization, login: &str) -> Decision<Result<(), Reply>> {
    if organization.knows(login) {
        return Decision::for_reason(Ok(()), because("LOGIN", login, "a mailbox of the organization", GROUP));
    }
    let reply = Reply::new(535, Some(Enhanced(5, 7, 3)), "Authentication unsuccessful");
    Decision::for_reason(Err(reply), because("LOGIN", login, "no mailbox of the organization", GROUP))
}

/// Answers MAIL of a client that logged in.
#[must_use]
pub fn answer_mail(organization: &Organization, login: &str, sender: &str) -> Decision<Result<(), Reply>> {
    let may = |why: String, source| Decision::for_reason(Ok(()), because("LOGIN", login, why, source));
    if sender.is_empty() {
        return may("the null sender is nobody's address".to_owned(), GROUP);
    }
    if sender.eq_ignore_ascii_case(login) {
        return may("its own address".to_owned(), GROUP);
    }
    let granted = |(owner, patterns): &(Box<str>, Vec<crate::base::Pattern>)| {
        owner.eq_ignore_ascii_case(login) && patterns.iter().any(|pattern| pattern.matches(sender))
    };
    if organization.send_as.iter().any(granted) {
        return may(format!("has Send As for {sender}"), "Add-ADPermission Send-As");
    }
    let status = match organization.version {
        ServerVersion::Exchange2010 => Enhanced(5, 7, 1),
        _ => Enhanced(5, 7, 60),
    };
    let reply = Reply::new(550, Some(status), "Client does not have permissions to send as this sender");
    Decision::for_reason(Err(reply), because("LOGIN", sender, format!("`{login}` has no Send As for it"), GROUP))
}
