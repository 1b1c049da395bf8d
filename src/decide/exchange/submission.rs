//! Client submission at `smtp.office365.com`: who may log in, what may a login send?
//!
//! Rules SUB-1 to SUB-6; SUB-7, the messages of a minute, is counted in `engine::submission`. Sources: how-to-set-up-a-multifunction-device-or-application; Set-TransportConfig `SmtpClientAuthenticationDisabled` and
//! `AllowLegacyTLSClients`; Exchange Online limits; the announcements about the end of basic authentication. A login comes with a password, or with a
//! token (OAuth), which the end of passwords does not touch. The null sender is nobody's address, so no login may send as it.

use super::super::acceptance::{Acceptance, TakenFor, accepted_domain};
use super::super::visitor::Visitor;
use super::super::{Decision, because};
use crate::base::{Enhanced, Reply, TlsVersion};
use crate::model::dns::Names;
use crate::model::exchange::Tenant;

const DEVICES: &str = "Exchange Online client submission";

/// Messages of one login in a minute; what is more goes into the following minutes.
pub const MESSAGES_A_MINUTE: u32 = 30;
/// Sessions of one login at once.
pub const SESSIONS_AT_ONCE: usize = 3;
/// Recipients of one login in a day.
pub const RECIPIENTS_A_DAY: u32 = 10_000;

/// The tenant that a login belongs to.
#[must_use]
pub fn tenant_of_login<'a>(tenants: &'a [Tenant], login: &str) -> Option<&'a Tenant> {
    tenants.iter().find(|tenant| tenant.mailboxes.iter().any(|pattern| pattern.matches(login)))
}

/// Answers AUTH.
#[must_use]
pub fn answer_auth(tenants: &[Tenant], visitor: &Visitor<'_>) -> Decision<Result<(), Reply>> {
    let login = visitor.login.unwrap_or("");
    let refuse = |reply, rule, why: &str, source| Decision::for_reason(Err(reply), because(rule, login, why, source));
    let wrong = || Reply::new(535, Some(Enhanced(5, 7, 3)), "Authentication unsuccessful");
    let Some(tenant) = tenant_of_login(tenants, login) else {
        return refuse(wrong(), "SUB-4", "no tenant has this mailbox", DEVICES);
    };
    let rules = &tenant.inbound.submission;
    if rules.disabled {
        return refuse(
            wrong(),
            "SUB-4",
            "the tenant has client logins switched off",
            "Set-TransportConfig SmtpClientAuthenticationDisabled",
        );
    }
    if rules.security_defaults && !visitor.oauth {
        return refuse(wrong(), "SUB-5", "security defaults keep passwords out", "Microsoft Entra security defaults");
    }
    if visitor.at >= rules.basic_until && !visitor.oauth {
        let reply = Reply::new(550, Some(Enhanced(5, 7, 30)), "Basic authentication is not supported for Client Submission");
        return refuse(reply, "SUB-5", "name and password do not do any more (switch `basic_authentication_until`)", DEVICES);
    }
    if visitor.tls.is_some_and(|version| version < TlsVersion::Tls12) && !rules.legacy_tls {
        let reply = Reply::new(421, Some(Enhanced(4, 7, 66)), "TLS 1.0 and 1.1 are not supported");
        return refuse(
            reply,
            "SUB-6",
            "the tenant did not allow old TLS at the legacy endpoint",
            "Set-TransportConfig AllowLegacyTLSClients",
        );
    }
    let why = if visitor.oauth { "a mailbox with client logins, and a token" } else { "a mailbox with client logins, and a password" };
    Decision::for_reason(Ok(()), because("SUB-4", login, why, DEVICES))
}

/// Answers MAIL.
#[must_use]
pub fn answer_mail(tenants: &[Tenant], visitor: &Visitor<'_>) -> Decision<Result<(), Reply>> {
    let sender = if visitor.sender.is_empty() { "<>" } else { visitor.sender };
    let refuse = |reply, rule, why: &str| Decision::for_reason(Err(reply), because(rule, sender, why, DEVICES));
    if visitor.tls.is_none() {
        let reply = Reply::new(451, Some(Enhanced(5, 7, 3)), "STARTTLS is required to send mail");
        return refuse(reply, "SUB-1", "this endpoint takes nothing without TLS");
    }
    let Some(login) = visitor.login else {
        let reply = Reply::new(530, Some(Enhanced(5, 7, 57)), "Client was not authenticated to send anonymous mail during MAIL FROM");
        return refuse(reply, "SUB-2", "this endpoint takes nothing without a login; the MX endpoint would");
    };
    let granted = || {
        let rights = tenant_of_login(tenants, login).map_or(&[][..], |tenant| &tenant.inbound.submission.send_as);
        rights.iter().any(|(owner, patterns)| owner.eq_ignore_ascii_case(login) && patterns.iter().any(|pattern| pattern.matches(sender)))
    };
    if sender.eq_ignore_ascii_case(login) {
        return Decision::for_reason(Ok(()), because("SUB-3", login, "the login's own address", DEVICES));
    }
    if granted() {
        return Decision::for_reason(
            Ok(()),
            because("SUB-3", login, format!("has Send As for {sender}"), "Add-RecipientPermission SendAs"),
        );
    }
    let reply = Reply::new(550, Some(Enhanced(5, 7, 60)), "Client does not have permissions to send as this sender");
    refuse(reply, "SUB-3", &format!("`{login}` has no Send As for it"))
}

/// Answers RCPT of a client that logged in: it may send to anybody.
#[must_use]
pub fn answer_rcpt(tenants: &[Tenant], names: &Names, login: &str, domain: &str) -> Decision<Acceptance> {
    let Some(tenant) = tenant_of_login(tenants, login) else {
        return Decision::for_reason(Acceptance::NOT_SAID, because("SUB-4", login, "no tenant has this mailbox any more", DEVICES));
    };
    // Mail among the tenant's own people is not filtered, be it for a group of them or for a mailbox.
    let own = accepted_domain(tenant, names, domain).is_some();
    let taken = TakenFor { tenant: Some(tenant.system), connector: None, originating: true, internal: true, unfiltered: own };
    let why = "logged in: Originating, may send to anybody";
    Decision::for_reason(Acceptance::Take(taken), because("SUB-4", login, why, DEVICES))
}

/// The answer to one recipient more than a day allows.
#[must_use]
pub fn over_the_day(tenants: &[Tenant], login: &str) -> Reply {
    let bad_sender = tenant_of_login(tenants, login).is_some_and(|tenant| tenant.inbound.submission.limit_is_bad_sender);
    if bad_sender {
        Reply::new(
            550,
            Some(Enhanced(5, 1, 90)),
            "Your message can't be sent because you've reached your daily limit for message recipients",
        )
    } else {
        Reply::new(554, Some(Enhanced(5, 2, 0)), "Submission quota exceeded: recipients of a day")
    }
}
