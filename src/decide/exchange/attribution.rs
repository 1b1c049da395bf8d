//! Whose mail is this connection, and does Exchange Online take it?
//!
//! Rules ATT-1 to ATT-3 (whose), IN-1 to IN-7 (by which connector), REL-1 to REL-3 (relay to domains that no tenant has), DBEB and the refusal of direct
//! send. The name that the client connected to never plays a part. Both views of direction: for the service everything here is *inbound*, into it;
//! *Originating* is mail that the tenant's own server sends, on its way out, *Incoming* is mail to the tenant.
//! Sources: the message-center post on attribution of 2026; "Office 365 Message Attribution"; the relay notices of July 2017 and November 2023;
//! Set-OrganizationConfig `RejectDirectSend`. Not modelled: addresses that several tenants share are told apart by the sender's domain alone.

use super::super::acceptance::{Acceptance, TakenFor, accepted_domain, tenant_of};
use super::super::visitor::{ShownCertificate, Visitor};
use super::super::{Because, Decision, because};
use super::inbound_connector::{self, Found, Partner};
use super::recipient::returned;
use crate::base::{Enhanced, Reply};
use crate::model::dns::Names;
use crate::model::exchange::{DomainType, Tenant};
use crate::model::inbound::{InboundConnector, RelayPeriods, RequireTlsReply, TrustedMail};

/// The question, where it was answered with a tenant.
pub const ATTRIBUTION: &str = "whose mail is it, and by which inbound connector?";

const WHOSE: &str = "Exchange Online message attribution";
const RELAY: &str = "Exchange Online relay conditions";
const ORIGINATING: &str =
    "Originating: mail of the tenant's own server, which it sends out through the service (for the service it is inbound)";

/// Answers RCPT TO `address` (with `domain`) of a client that did not log in.
#[must_use]
pub fn answer(tenants: &[Tenant], names: &Names, visitor: &Visitor<'_>, address: &str, domain: &str) -> Decision<Acceptance> {
    let mut case = Case { tenants, names, visitor, domain, lost: Vec::new() };
    if let Some(reply) = visitor.listener.and_then(|listener| listener.turns_away.as_ref()) {
        let why = "this name and address belong to a service of former years; the mail belongs to the tenant's own MX endpoint";
        return Decision::for_reason(Acceptance::Refuse(reply.clone()), because("ATT-3", domain, why, "451 4.4.62 ATTR35"));
    }
    let recipient = tenant_of(tenants, names, domain);
    let mut decision = match case.originating() {
        Whose::One(found) => case.takes_out(&found, address),
        Whose::Several(reasons) => Decision { outcome: Acceptance::NOT_SAID, chosen: reasons, passed_over: Vec::new() },
        Whose::Nobody => match recipient {
            Some((tenant, _)) => case.takes_in(tenant, address),
            None => case.relay(),
        },
    };
    decision.passed_over.append(&mut case.lost);
    decision
}

/// One question, and what lost on the way to its answer.
struct Case<'a> {
    tenants: &'a [Tenant],
    names: &'a Names,
    visitor: &'a Visitor<'a>,
    /// Of the recipient.
    domain: &'a str,
    lost: Vec<Because>,
}

/// A tenant whose own server is talking.
struct Origin<'a> {
    tenant: &'a Tenant,
    connector: usize,
    found: Found,
    chosen: Vec<Because>,
}

enum Whose<'a> {
    One(Origin<'a>),
    /// Nothing documented tells them apart.
    Several(Vec<Because>),
    Nobody,
}

impl<'a> Case<'a> {
    /// Steps 1 and 2: a tenant whose own server is talking.
    fn originating(&mut self) -> Whose<'a> {
        // Step 1: the domain on the client's certificate.
        let mut found = Vec::new();
        for (tenant, name, accepted) in self.certificate_tenants() {
            // A connector that knows the server by its address says nothing about the certificate.
            if let Some(mut origin) = self.by_connector(tenant).filter(|origin| origin.found == Found::Certificate) {
                let why = format!("`{name}` on the client's certificate belongs to its accepted domain `{accepted}`");
                origin.chosen.insert(0, because("ATT-1", self.called(tenant), why, WHOSE));
                found.push(origin);
            } else {
                let why = format!(
                    "`{accepted}` of the client's certificate is its domain, but no OnPremises connector of it takes this mail by that certificate"
                );
                self.lost.push(because("ATT-1", self.called(tenant), why, WHOSE));
            }
        }
        match found.len() {
            0 => {}
            1 => return found.pop().map_or(Whose::Nobody, Whose::One),
            _ => return Whose::Several(several("ATT-1", found)),
        }
        // Step 2: the domain of MAIL FROM.
        let Some((tenant, accepted)) = self.sender_tenant() else { return Whose::Nobody };
        match self.by_connector(tenant) {
            Some(mut origin) => {
                let why = format!("MAIL FROM is in its accepted domain `{accepted}`");
                origin.chosen.insert(0, because("ATT-2", self.called(tenant), why, WHOSE));
                Whose::One(origin)
            }
            None => {
                let why = format!("MAIL FROM is in its accepted domain `{accepted}`, but no OnPremises connector of it matches");
                self.lost.push(because("ATT-2", self.called(tenant), why, WHOSE));
                Whose::Nobody
            }
        }
    }

    /// Tenants that own a domain on the certificate: each once, with the name and the domain.
    fn certificate_tenants(&self) -> Vec<(&'a Tenant, &'a str, &'a str)> {
        let mut found: Vec<(&Tenant, &str, &str)> = Vec::new();
        for name in self.visitor.proven_names() {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            for tenant in self.tenants {
                let accepted = tenant.accepted_domains.iter().map(|row| self.names.text(row.name));
                let owner = accepted.filter(|accepted| is_within(plain, accepted)).max_by_key(|accepted| accepted.len());
                if let Some(accepted) = owner.filter(|_| !found.iter().any(|(known, ..)| known.system == tenant.system)) {
                    found.push((tenant, name, accepted));
                }
            }
        }
        found
    }

    fn sender_tenant(&self) -> Option<(&'a Tenant, &'a str)> {
        let domain = self.visitor.sender_domain()?.to_ascii_lowercase();
        tenant_of(self.tenants, self.names, &domain).map(|(tenant, accepted)| (tenant, self.names.text(accepted.name)))
    }

    /// A name for a tenant in reasons: its first accepted domain.
    fn called(&self, tenant: &Tenant) -> Box<str> {
        format!(
            "tenant of `{}`",
            tenant
                .accepted_domains
                .iter()
                .map(|row| self.names.text(row.name))
                .min_by_key(|name| (name.ends_with("onmicrosoft.com"), name.len(), *name))
                .unwrap_or("no domain")
        )
        .into()
    }

    /// The tenant, if one of its OnPremises connectors knows the client.
    fn by_connector(&mut self, tenant: &'a Tenant) -> Option<Origin<'a>> {
        let (connector, chosen, mut lost) = inbound_connector::on_premises(&tenant.inbound.connectors, self.visitor, self.domain);
        lost.retain(|reason| !self.lost.contains(reason));
        self.lost.append(&mut lost);
        connector.map(|(connector, found)| Origin { tenant, connector, found, chosen })
    }

    /// Mail of the tenant's own server.
    fn takes_out(&mut self, origin: &Origin<'_>, address: &str) -> Decision<Acceptance> {
        let Origin { tenant, connector, chosen, .. } = origin;
        let row = &tenant.inbound.connectors[*connector];
        let mut chosen = chosen.clone();
        if accepted_domain(tenant, self.names, self.domain).is_none() {
            let by_certificate = chosen.first().is_some_and(|reason| reason.rule == "ATT-1");
            let proof = if by_certificate { "the certificate" } else { "MAIL FROM" };
            let (rule, why) = match self.periods(tenant) {
                Period::MatchOnly => ("REL-1", "its connector matches, which is enough to relay before July 2017".to_owned()),
                Period::Author | Period::Envelope => {
                    ("REL-2", format!("its connector matches, and {proof} is of an accepted domain: that is enough to relay"))
                }
            };
            chosen.push(because(rule, self.domain, why, RELAY));
        } else if let Some(refusal) = dbeb(tenant, self.names, address, self.domain) {
            return refusal;
        }
        let what = match accepted_domain(tenant, self.names, self.domain) {
            Some(_) => "Originating: mail of the tenant's own server, for a recipient of the tenant (for the service it is inbound)",
            None => ORIGINATING,
        };
        self.direction(&mut chosen, what);
        let taken = TakenFor { originating: true, ..taken_for(tenant, Some((*connector, row)), self) };
        Decision { outcome: Acceptance::Take(taken), chosen, passed_over: Vec::new() }
    }

    /// Step 3: mail to a tenant.
    fn takes_in(&mut self, tenant: &'a Tenant, address: &str) -> Decision<Acceptance> {
        let name = accepted_domain(tenant, self.names, self.domain).map_or(self.domain, |accepted| self.names.text(accepted.name));
        let mut chosen = vec![because("ATT-3", name, "the recipient's domain is accepted by this tenant", WHOSE)];
        let connectors = &tenant.inbound.connectors;
        let mut winner = self.by_connector(tenant).map(|origin| {
            chosen.extend(origin.chosen);
            origin.connector
        });
        if let Some(at) = self.trusting(connectors) {
            let (row, organization) = (&connectors[at], self.visitor.organization.unwrap_or_default());
            self.lost.retain(|reason| *reason.name != *row.name);
            let why = format!("it trusts the organization `{organization}` of Exchange Online, whose mail this is");
            chosen.push(because("IN-8", &*row.name, why, "New-InboundConnector TrustedOrganizations"));
            winner = Some(at);
        }
        let mut known = winner.is_some();
        if winner.is_none() {
            let (partner, reasons, mut lost) = inbound_connector::partner(&tenant.inbound, self.visitor, self.domain);
            let partners: Vec<&str> = connectors.iter().filter(|row| !row.on_premises).map(|row| &*row.name).collect();
            self.lost.retain(|reason| !(reason.rule == "IN-1" && partners.contains(&&*reason.name)));
            self.lost.append(&mut lost);
            chosen.extend(reasons);
            match partner {
                Partner::Passes { connector, found } => (winner, known) = (Some(connector), found),
                Partner::Silent => {}
                Partner::Restricted(_) => {
                    let text = "TenantInboundAttribution; Rejecting: a connector keeps this sender's domain to other sources";
                    return self.refused(chosen, Reply::new(550, Some(Enhanced(5, 7, 51)), text));
                }
                Partner::WantsTls(_) => {
                    let reply = match tenant.inbound.require_tls_reply {
                        RequireTlsReply::Transient => Reply::new(451, Some(Enhanced(5, 7, 3)), "STARTTLS is required to send mail"),
                        RequireTlsReply::Permanent => Reply::new(530, Some(Enhanced(5, 7, 0)), "Must issue a STARTTLS command first"),
                    };
                    return self.refused(chosen, reply);
                }
            }
        } else {
            let trusted = winner.is_some_and(|at| !connectors[at].trusted.is_empty());
            let restricting = connectors.iter().filter(|row| row.enabled && row.restricts());
            for row in restricting {
                self.lost.retain(|reason| *reason.name != *row.name);
                let why = if trusted {
                    "restricts others; the client's organization is trusted by a connector, which goes first (IN-8)"
                } else {
                    "restricts others; the client is known by an OnPremises connector"
                };
                self.lost.push(because("IN-4", &*row.name, why, "New-InboundConnector ConnectorType"));
            }
        }
        if let Some(reply) = self.direct_send(tenant, address, known, &mut chosen) {
            return self.refused(chosen, reply);
        }
        if let Some(mut refusal) = dbeb(tenant, self.names, address, self.domain) {
            refusal.chosen.extend(chosen);
            return refusal;
        }
        if winner.is_none() {
            let why = "no inbound connector is about this client: ordinary mail from outside, TLS or not";
            chosen.push(because("IN-7", "no connector", why, "New-InboundConnector"));
        }
        self.direction(&mut chosen, "Incoming: mail to the tenant, into the service");
        let taken = taken_for(tenant, winner.map(|at| (at, &connectors[at])), self);
        Decision { outcome: Acceptance::Take(taken), chosen, passed_over: Vec::new() }
    }

    /// The connector that trusts the tenant of the service that sends.
    fn trusting(&self, connectors: &[InboundConnector]) -> Option<usize> {
        let organization = self.visitor.organization?;
        connectors.iter().position(|row| row.enabled && row.trusted.iter().any(|known| **known == *organization))
    }

    /// `RejectDirectSend`: nobody but a known client may use the tenant's own domains as MAIL FROM. The tenant's own mail that comes back from the service
    /// is known; what another tenant sends through the service is not.
    fn direct_send(&self, tenant: &Tenant, address: &str, known: bool, chosen: &mut Vec<Because>) -> Option<Reply> {
        let domain = self.visitor.sender_domain()?.to_ascii_lowercase();
        let own = accepted_domain(tenant, self.names, &domain)?;
        let listed = tenant.listed(address);
        let mailbox = tenant.mailboxes.iter().any(|pattern| pattern.matches(&listed));
        let comes_back = self.visitor.tenant == Some(tenant.system);
        if !tenant.inbound.reject_direct_send || known || !mailbox || comes_back {
            return None;
        }
        let why = "MAIL FROM is of the tenant's own domain, and no connector knows the client by address or certificate";
        chosen.insert(0, because("IN-7", self.names.text(own.name), why, "Set-OrganizationConfig RejectDirectSend"));
        Some(Reply::new(550, Some(Enhanced(5, 7, 68)), "TenantInboundAttribution; Direct Send not allowed"))
    }

    /// A recipient that no tenant has, from a client whose MAIL FROM and certificate made it nobody's server.
    fn relay(&mut self) -> Decision<Acceptance> {
        let mut tied: Vec<Because> = self.lost.iter().filter(|reason| reason.rule.starts_with("ATT-")).cloned().collect();
        // Any tenant with a connector for this client, and those whose domain is in From.
        let author = self.visitor.author.map(str::to_ascii_lowercase);
        let mut allowed = Vec::new();
        for tenant in self.tenants {
            let owns =
                author.as_deref().and_then(|domain| accepted_domain(tenant, self.names, domain)).map(|row| self.names.text(row.name));
            let Some(origin) = self.by_connector(tenant) else { continue };
            let connector = origin.chosen[0].clone();
            match (self.periods(tenant), owns) {
                (Period::MatchOnly, _) => {
                    allowed.push((origin, "REL-1", "its connector matches, which is enough to relay before July 2017".to_owned()))
                }
                (Period::Author, Some(domain)) => {
                    allowed.push((origin, "REL-2", format!("its connector matches, and From is of its accepted domain `{domain}`")));
                }
                (period, _) => {
                    let why = self.not_enough(tenant, period);
                    tied.push(because("REL-2", connector.name, why, RELAY));
                }
            }
        }
        if allowed.len() > 1 {
            let found = allowed.into_iter().map(|(origin, ..)| origin).collect();
            return Decision { outcome: Acceptance::NOT_SAID, chosen: several("REL-1", found), passed_over: Vec::new() };
        }
        if let Some((mut origin, rule, why)) = allowed.pop() {
            origin.chosen.push(because(rule, self.domain, why, RELAY));
            self.direction(&mut origin.chosen, ORIGINATING);
            let row = &origin.tenant.inbound.connectors[origin.connector];
            let taken = TakenFor { originating: true, ..taken_for(origin.tenant, Some((origin.connector, row)), self) };
            return Decision { outcome: Acceptance::Take(taken), chosen: origin.chosen, passed_over: Vec::new() };
        }
        let owned = author.as_deref().filter(|_| self.tenants.iter().any(|tenant| self.periods(tenant) != Period::Envelope));
        if tied.is_empty() && owned.is_none_or(|domain| tenant_of(self.tenants, self.names, domain).is_none()) {
            let why = "an accepted domain of no tenant, and nothing ties the client to a tenant";
            return self.refused(
                vec![because("ATT-3", self.domain, why, "New-AcceptedDomain")],
                Reply::new(550, Some(Enhanced(5, 4, 1)), "Relay Access Denied"),
            );
        }
        // What ties the client to a tenant, and was not enough, is told first among what lost.
        self.lost.retain(|reason| !tied.contains(reason));
        self.lost.splice(0..0, tied);
        let why = "an accepted domain of no tenant, and no connector lets this client relay";
        let chosen = vec![because("REL-3", self.domain, why, RELAY)];
        let reply = if self.tenants.iter().any(|tenant| tenant.inbound.relay_is_deferred) {
            Reply::new(451, Some(Enhanced(4, 4, 62)), "Mail sent to the wrong Office 365 region (ATTR35)")
        } else {
            Reply::new(550, Some(Enhanced(5, 7, 64)), "TenantAttribution; Relay Access Denied (ATTR36)")
        };
        self.refused(chosen, reply)
    }

    /// Why a connector that matches is not enough for relay: what certificate, MAIL FROM and From say, one by one.
    fn not_enough(&self, tenant: &Tenant, period: Period) -> String {
        let proven = self.certificate_tenants().into_iter().find(|(known, ..)| known.system == tenant.system);
        // Connectors of several tenants may have one name.
        let whose = tenant.accepted_domains.first().map_or_else(String::new, |row| format!(" (that of `{}`)", self.names.text(row.name)));
        let certificate = match (proven, &self.visitor.certificate) {
            // By a certificate of its tenant it would have been taken already (ATT-1).
            (Some((_, name, _)), _) => {
                format!("`{name}` on the certificate does not count, since the connector knows the client by its address")
            }
            (None, Some(ShownCertificate { trust: Err(why), .. })) => format!("the client's certificate does not count: {why}"),
            (None, Some(_)) => format!("no name on the certificate is within an accepted domain of its tenant{whose}"),
            (None, None) => "the client showed no certificate".to_owned(),
        };
        let sender = match self.visitor.sender_domain() {
            Some(domain) => format!("`{domain}` of MAIL FROM is no accepted domain of its tenant{whose}"),
            None => "MAIL FROM is null, so it has no domain".to_owned(),
        };
        let author = match (period, self.visitor.author) {
            (Period::Envelope, _) => "; since November 2023 From does not count".to_owned(),
            (Period::Author | Period::MatchOnly, Some(domain)) => format!("; `{domain}` of From is none either"),
            (Period::Author | Period::MatchOnly, None) => "; there is no From".to_owned(),
        };
        format!("matches, but that is not enough to relay: {certificate}; {sender}{author}")
    }

    fn periods(&self, tenant: &Tenant) -> Period {
        let RelayPeriods { domain_counts_from, author_counts_until } = tenant.inbound.relay;
        match self.visitor.at {
            at if at < domain_counts_from => Period::MatchOnly,
            at if at < author_counts_until => Period::Author,
            _ => Period::Envelope,
        }
    }

    fn direction(&self, chosen: &mut [Because], what: &str) {
        if let Some(first) = chosen.first_mut() {
            first.why = format!("{}; {what}", first.why).into();
        }
    }

    #[allow(clippy::unused_self, reason = "reads as a sentence beside the other ends")]
    fn refused(&self, chosen: Vec<Because>, reply: Reply) -> Decision<Acceptance> {
        Decision { outcome: Acceptance::Refuse(reply), chosen, passed_over: Vec::new() }
    }
}

/// Which condition for relay is in force.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Period {
    MatchOnly,
    Author,
    Envelope,
}

/// What a message is taken for.
fn taken_for(tenant: &Tenant, connector: Option<(usize, &InboundConnector)>, case: &Case<'_>) -> TakenFor {
    let row = connector.map(|(_, row)| row);
    let own_sender =
        case.visitor.sender_domain().is_some_and(|domain| accepted_domain(tenant, case.names, &domain.to_ascii_lowercase()).is_some());
    let internal = row
        .is_some_and(|row| row.on_premises && (row.cloud_services && case.visitor.keeps_headers || row.treats_as_internal && own_sender));
    let trusted = row.is_some_and(|row| !row.trusted.is_empty()) && tenant.inbound.trusted_mail == TrustedMail::Unfiltered;
    let allowed = case.visitor.peer.address.is_some_and(|address| tenant.inbound.ip_allow_list.iter().any(|range| range.has(address)));
    TakenFor {
        tenant: Some(tenant.system),
        connector: connector.map(|(at, _)| at as u16),
        originating: false,
        internal,
        unfiltered: internal || allowed || trusted,
    }
}

/// Directory-Based Edge Blocking.
fn dbeb(tenant: &Tenant, names: &Names, address: &str, domain: &str) -> Option<Decision<Acceptance>> {
    let accepted = accepted_domain(tenant, names, domain)?;
    if tenant.knows(address)
        || returned(tenant, address).is_some()
        || accepted.kind != DomainType::Authoritative
        || !tenant.directory_complete
    {
        return None;
    }
    let reply = Reply::new(550, Some(Enhanced(5, 4, 1)), "Recipient address rejected: Access denied");
    let why = format!("`{}` is Authoritative and the directory does not know the recipient", names.text(accepted.name));
    Some(Decision::for_reason(Acceptance::Refuse(reply), because("DBEB", address, why, "Directory-Based Edge Blocking")))
}

fn several(rule: &'static str, found: Vec<Origin<'_>>) -> Vec<Because> {
    let mut reasons = vec![because(
        rule,
        "several tenants",
        "the client is a server of several tenants: the scenario does not say whose mail it is",
        WHOSE,
    )];
    reasons.extend(found.into_iter().flat_map(|origin| origin.chosen));
    reasons
}

/// Is a name on a certificate this accepted domain or below it?
fn is_within(name: &str, accepted: &str) -> bool {
    name.strip_suffix(accepted).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

#[cfg(test)]
mod tests;
