//! Does a mail user of the organization's own servers lead to somebody whom the tenant knows?
//!
//! A server sends mail of a mailbox that moved to the cloud to its routing address (`external`); if the tenant does not know that, its edge turns the mail away
//! (550 5.4.1). A warning: the cmdlets take it. Source: New-MailUser ExternalEmailAddress; Microsoft, "Directory-Based Edge Blocking".

use crate::base::common_form;
use crate::diag::{Diagnostic, code};
use crate::model::exchange::{DomainType, Tenant};
use crate::scenario::schema::{DirectoryRecipient, Scenario, System};

use super::desk::Desk;

/// Warns of addresses in a tenant's own domains that it does not know.
pub(super) fn check(tree: &Scenario, tenants: &[Tenant], names: &crate::model::dns::Names, desk: &mut Desk) {
    let organizations = tree.systems.iter().filter_map(|(_, system)| match system {
        System::ExchangeServer(organization) => Some(organization),
        _ => None,
    });
    for (_, recipient) in organizations.flat_map(|organization| organization.recipients.iter()) {
        let DirectoryRecipient::MailUser(user) = recipient else { continue };
        let Some(external) = user.external.get().filter(|address| !address.contains(['*', '#'])) else { continue };
        let address = common_form(external);
        let Some((_, domain)) = address.rsplit_once('@') else { continue };
        let refuses = |tenant: &&Tenant| {
            let accepted = tenant.accepted_domains.iter().find(|row| names.text(row.name) == domain);
            tenant.directory_complete && accepted.is_some_and(|row| row.kind == DomainType::Authoritative)
        };
        if let Some(tenant) = tenants.iter().find(refuses)
            && !tenant.knows(&address)
        {
            let (name, _) = address.rsplit_once('@').unwrap_or_default();
            let message = format!("nobody in the tenant of `{domain}` has this address: its edge turns such mail away (550 5.4.1)");
            let problem = Diagnostic::warning(code::LEADS_NOWHERE, external.span(), message);
            desk.say(problem.help(match domain.ends_with(".onmicrosoft.com") {
                true => format!("a mailbox `{name}@…` at an accepted domain of the tenant has this address by itself: write that one"),
                false => format!("add it to the tenant: mailboxes: [\"{address}\"]"),
            }));
        }
    }
}
