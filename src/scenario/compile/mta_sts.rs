//! The policy hosts of a stage (RFC 8461 §3.3).

use crate::base::InOrder;
use crate::decide::mta_sts::read_policy;
use crate::diag::{Diagnostic, code};
use crate::model::mta_sts::PolicySite;
use crate::scenario::schema::Scenario;
use crate::scenario::zone::dedent;

use super::certificates::{Certificates, Shown};
use super::desk::Desk;
use super::tables::Tables;

/// The web servers of all domains that describe one, in the order of names.
pub(super) fn sites(tree: &Scenario, certificates: &Certificates, tables: &mut Tables, desk: &mut Desk) -> Vec<PolicySite> {
    let mut rows = Vec::new();
    for (domain, site) in tree.mta_sts.iter() {
        let Some(name) = desk.domain(domain) else { continue };
        let Some(policy) = site.policy.get() else {
            let help = "write policy: with the text of the file, or take the domain out";
            desk.missing(domain.span(), "this policy host shows nothing", help);
            continue;
        };
        let block = dedent(policy);
        if let Err(why) = read_policy(block.text()) {
            let problem = Diagnostic::warning(code::VALUE, policy.span(), format!("senders will not accept this policy: {why}"));
            desk.say(problem.help("RFC 8461 §3.2: version, mode, max_age, and an mx line for each host"));
        }
        let certificate = certificates.shown(&site.certificate, Shown::Public, desk);
        rows.push((name, PolicySite { domain: tables.names.intern(domain), text: block.text().into(), certificate }));
    }
    rows.in_order_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    rows.into_iter().map(|(_, row)| row).collect()
}
