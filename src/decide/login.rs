//! May this client log in, and what may it send then?
//!
//! AUTH and MAIL of all kinds of servers. Sources: RFC 4954 §4 and §6; postconf(5) `smtpd_sender_login_maps` with
//! `reject_sender_login_mismatch`. A mailbox here can log in, whatever the password: secrets are not modelled.

use super::exchange::{receive_connector, server_login, submission};
use super::visitor::Visitor;
use super::{Because, Decision, because};
use crate::base::{Enhanced, Pattern, Reply};
use crate::model::settings::{Directory, MtaDirectory};

/// Can a login be used in this session? If not, why nobody offers AUTH.
///
/// # Errors
/// It is not offered.
pub fn offer(directory: &Directory, visitor: &Visitor<'_>, login: &str, extensions: bool) -> Result<(), Because> {
    let unused = |why: String, source| Err(because("LOGIN", login, format!("the login is not used: {why}"), source));
    let Some(listener) = visitor.listener else { return unused("nobody listens".to_owned(), "RFC 4954 §4") };
    if !extensions {
        return unused("the session goes by HELO, which knows no AUTH".to_owned(), "RFC 4954 §3");
    }
    let silent = listener.without.iter().any(|word| &**word == "AUTH");
    if let (true, Directory::Organization(organization)) = (silent, directory)
        && let Some(connector) = receive_connector::find(organization, visitor)
    {
        let why = format!("the Receive connector `{}` does not announce AUTH", connector.name);
        return unused(why, "New-ReceiveConnector AuthMechanism");
    }
    if silent {
        return unused("the listener does not announce AUTH".to_owned(), "RFC 4954 §3");
    }
    let in_clear = visitor.tls.is_none();
    match directory {
        Directory::Tenants(_) if !listener.require_login => unused(
            "the MX endpoint has no authentication; logins are for client submission".to_owned(),
            "Exchange Online client submission",
        ),
        Directory::Tenants(_) if in_clear => {
            unused("AUTH is offered over TLS only, and the session is in clear".to_owned(), "Exchange Online client submission")
        }
        Directory::Organization(organization) => match receive_connector::find(organization, visitor) {
            Some(connector) if !connector.users && !listener.require_login => {
                let why = format!("nobody logs in at the Receive connector `{}` (ExchangeUsers)", connector.name);
                unused(why, "New-ReceiveConnector PermissionGroups")
            }
            Some(connector) if connector.login_over_tls && in_clear => {
                let why = format!("the Receive connector `{}` offers AUTH over TLS only, and the session is in clear", connector.name);
                unused(why, "New-ReceiveConnector AuthMechanism")
            }
            Some(_) => Ok(()),
            None if listener.require_login => Ok(()),
            None => unused("AUTH is not offered at this port".to_owned(), "RFC 4954 §3"),
        },
        Directory::Mta(_) | Directory::Everything if !listener.require_login => {
            unused("AUTH is not offered at this port".to_owned(), "RFC 4954 §3")
        }
        Directory::Tenants(_) | Directory::Mta(_) | Directory::Everything => Ok(()),
    }
}

/// Answers AUTH.
#[must_use]
pub fn answer_auth(directory: &Directory, visitor: &Visitor<'_>) -> Decision<Result<(), Reply>> {
    match directory {
        Directory::Tenants(tenants) => submission::answer_auth(tenants, visitor),
        Directory::Mta(mta) => answer_auth_of_mta(&mta.mailboxes, visitor.login.unwrap_or("")),
        Directory::Organization(organization) => server_login::answer_auth(organization, visitor.login.unwrap_or("")),
        Directory::Everything => Decision::for_reason(Ok(()), because("LOGIN", "", "outside of the model", "scenario")),
    }
}

/// Answers MAIL of a client at a listener that asks for a login, or that logged in.
#[must_use]
pub fn answer_mail(directory: &Directory, visitor: &Visitor<'_>) -> Decision<Result<(), Reply>> {
    if let Directory::Tenants(tenants) = directory {
        return submission::answer_mail(tenants, visitor);
    }
    let Some(login) = visitor.login else {
        let reply = Reply::new(530, Some(Enhanced(5, 7, 0)), "Authentication required");
        return Decision::for_reason(Err(reply), because("LOGIN", visitor.sender, "the listener asks for a login", "RFC 4954 §6"));
    };
    match directory {
        Directory::Mta(mta) => answer_mail_of_mta(mta, login, visitor.sender),
        Directory::Organization(organization) => server_login::answer_mail(organization, login, visitor.sender),
        Directory::Everything | Directory::Tenants(_) => Decision::for_reason(Ok(()), because("LOGIN", login, "logged in", "RFC 4954 §4")),
    }
}

fn answer_auth_of_mta(mailboxes: &[Pattern], login: &str) -> Decision<Result<(), Reply>> {
    match mailboxes.iter().find(|pattern| pattern.matches(login)) {
        Some(_) => Decision::for_reason(Ok(()), because("LOGIN", login, "a mailbox here", "RFC 4954 §4")),
        None => {
            let reply = Reply::new(535, Some(Enhanced(5, 7, 8)), "Authentication credentials invalid");
            Decision::for_reason(Err(reply), because("LOGIN", login, "no mailbox here", "RFC 4954 §6"))
        }
    }
}

/// Where nobody wrote who may send as whom, a login may use any sender.
fn answer_mail_of_mta(mta: &MtaDirectory, login: &str, sender: &str) -> Decision<Result<(), Reply>> {
    let may = mta.send_as.is_empty()
        || sender.is_empty()
        || sender.eq_ignore_ascii_case(login)
        || mta
            .send_as
            .iter()
            .any(|(owner, patterns)| owner.eq_ignore_ascii_case(login) && patterns.iter().any(|pattern| pattern.matches(sender)));
    if may {
        return Decision::for_reason(Ok(()), because("LOGIN", login, format!("may send as {sender}"), "send_as"));
    }
    let reply = Reply::new(553, Some(Enhanced(5, 7, 1)), "Sender address rejected: not owned by user");
    Decision::for_reason(Err(reply), because("LOGIN", login, format!("may not send as {sender}"), "send_as"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_mail_server() {
        let open = MtaDirectory { mailboxes: vec![Pattern::new("*@a.test")], ..MtaDirectory::default() };
        let strict = MtaDirectory { send_as: vec![("relay@a.test".into(), vec![Pattern::new("printer@a.test")])], ..open.clone() };
        assert!(answer_auth_of_mta(&open.mailboxes, "relay@a.test").outcome.is_ok());
        assert!(answer_auth_of_mta(&open.mailboxes, "relay@b.test").outcome.is_err());
        let cases = [
            (&open, "anybody@b.test", true),
            (&strict, "relay@a.test", true),
            (&strict, "printer@a.test", true),
            (&strict, "", true),
            (&strict, "boss@a.test", false),
        ];
        for (mta, sender, expected) in cases {
            assert_eq!(answer_mail_of_mta(mta, "relay@a.test", sender).outcome.is_ok(), expected, "{sender}");
        }
    }
}
