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
                    "`{accepted}` of the client's certificate is its domain, but no OnPremises connector of it knows that certificate"
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
            let (partner, reasons, mut lost) = inbound_connector::partner(connectors, self.visitor, self.domain);
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
            let restricting = connectors.iter().filter(|row| row.enabled && row.restricts());
            for row in restricting {
                self.lost.retain(|reason| *reason.name != *row.name);
                let why = "restricts others; the client is known by an OnPremises connector";
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

    /// `RejectDirectSend`: nobody but a known client may use the tenant's own domains as MAIL FROM. Mail that comes back from the service itself is known.
    fn direct_send(&self, tenant: &Tenant, address: &str, known: bool, chosen: &mut Vec<Because>) -> Option<Reply> {
        let domain = self.visitor.sender_domain()?.to_ascii_lowercase();
        let own = accepted_domain(tenant, self.names, &domain)?;
        let mailbox = tenant.mailboxes.iter().any(|pattern| pattern.matches(address));
        let service = self.visitor.certificate.as_ref().is_some_and(|shown| shown.name == "mail.protection.outlook.com");
        if !tenant.inbound.reject_direct_send || known || !mailbox || service {
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
        self.refused(chosen, Reply::new(550, Some(Enhanced(5, 7, 64)), "TenantAttribution; Relay Access Denied (ATTR36)"))
    }

    /// Why a connector that matches is not enough for relay: what certificate, MAIL FROM and From say, one by one.
    fn not_enough(&self, tenant: &Tenant, period: Period) -> String {
        let proven = self.certificate_tenants().into_iter().find(|(known, ..)| known.system == tenant.system);
        let certificate = match (proven, &self.visitor.certificate) {
            // By a certificate of its tenant it would have been taken already (ATT-1).
            (Some((_, name, _)), _) => {
                format!("`{name}` on the certificate does not count, since the connector knows the client by its address")
            }
            (None, Some(ShownCertificate { trust: Err(why), .. })) => format!("the client's certificate does not count: {why}"),
            (None, Some(_)) => "no name on the certificate is within an accepted domain of its tenant".to_owned(),
            (None, None) => "the client showed no certificate".to_owned(),
        };
        let sender = match self.visitor.sender_domain() {
            Some(domain) => format!("`{domain}` of MAIL FROM is no accepted domain of its tenant"),
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
    let internal = row.is_some_and(|row| row.on_premises && (row.cloud_services || row.treats_as_internal && own_sender));
    let trusted = row.is_some_and(|row| !row.trusted.is_empty()) && tenant.inbound.trusted_mail == TrustedMail::Unfiltered;
    let allowed =
        case.visitor.peer.address.is_some_and(|address| tenant.inbound.ip_allow_list.iter().any(|network| network.contains(&address)));
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
mod tests {
    use super::*;
    use crate::base::{HostId, Pattern, SimTime, SystemId, TlsVersion};
    use crate::decide::visitor::Peer;
    use crate::model::exchange::{AcceptedDomain, Switches};
    use crate::model::inbound::Inbound;

    fn connector(name: &str, on_premises: bool) -> InboundConnector {
        InboundConnector {
            name: name.into(),
            enabled: true,
            on_premises,
            sender_domains: vec!["*".into()],
            addresses: vec![],
            certificate_name: None,
            require_tls: true,
            restricts_to_addresses: false,
            restricts_to_certificate: false,
            associated: vec![],
            cloud_services: false,
            treats_as_internal: false,
            trusted: vec![],
            filtering: None,
        }
    }

    fn by_address(name: &str, on_premises: bool) -> InboundConnector {
        InboundConnector { addresses: vec!["192.0.2.10/32".parse().unwrap()], ..connector(name, on_premises) }
    }

    fn by_certificate(name: &str, certificate: &str, on_premises: bool) -> InboundConnector {
        InboundConnector { certificate_name: Some(certificate.into()), ..connector(name, on_premises) }
    }

    fn tenant(names: &mut Names, system: u32, domain: &str, connectors: Vec<InboundConnector>) -> Tenant {
        let accepted = AcceptedDomain { name: names.intern(domain), kind: DomainType::Authoritative, match_sub_domains: false };
        Tenant {
            system: SystemId(system),
            accepted_domains: vec![accepted],
            mailboxes: vec![Pattern::new(&format!("*@{domain}"))],
            outbound_connectors: vec![],
            inbound: Inbound { connectors, ..Inbound::default() },
            entries: vec![],
            remote_domains: vec![],
            dsn: crate::model::directory::DsnAuthority::default(),
            outbound_pools: crate::model::exchange::OutboundPools::default(),
            forwards_outside: true,
            recipients_max: None,
            mail_flow_rules: vec![],
            people: vec![],
            switches: Switches::default(),
            directory_complete: true,
            stance: crate::model::authentication::Stance::default(),
            protected_by: None,
        }
    }

    /// From 192.0.2.10 or somewhere else, with TLS and a certificate of this name if one is given.
    struct From<'a>(&'a str, &'a str, Option<&'a str>);

    fn told(tenants: &[Tenant], names: &Names, from: &From<'_>, author: Option<&str>, to: &str) -> (String, Decision<Acceptance>) {
        let From(address, sender, certificate) = from;
        let certificate = certificate.map(|name| ShownCertificate { name: "c", names: vec![name], trust: Ok(()) });
        let peer = Peer { host: HostId(0), address: address.parse().ok() };
        let tls = certificate.is_some().then_some(TlsVersion::Tls13);
        let visitor = Visitor { tls, certificate, sender, author, at: SimTime(5), ..Visitor::plain(peer) };
        let decision = answer(tenants, names, &visitor, to, to.split_once('@').unwrap().1);
        let said = match &decision.outcome {
            Acceptance::Refuse(reply) => format!("{} {}", reply.code, reply.enhanced.unwrap()),
            Acceptance::Take(TakenFor { tenant: None, .. }) => "nobody says".to_owned(),
            Acceptance::Take(TakenFor { tenant: Some(SystemId(id)), originating, .. }) => {
                format!("{} of {id}", if *originating { "originating" } else { "incoming" })
            }
        };
        let mut rules: Vec<&str> = decision.chosen.iter().map(|reason| reason.rule).collect();
        if rules == ["REL-3"] {
            let tied = decision.passed_over.iter().map(|reason| reason.rule);
            rules.extend(tied.filter(|rule| rule.starts_with("REL") || rule.starts_with("ATT")));
        }
        (format!("{said} {}", rules.join(" ")), decision)
    }

    #[test]
    fn whose_mail_it_is() {
        let mut names = Names::default();
        let own = vec![by_certificate("cert", "mail.a.test", true), by_address("ip", true)];
        let tenants = [tenant(&mut names, 1, "a.test", own), tenant(&mut names, 2, "b.test", vec![by_address("ip of b", true)])];
        let (here, there) = ("192.0.2.10", "203.0.113.9");
        let cases = [
            (
                "by certificate, whatever the sender",
                From(there, "x@far.test", Some("mail.a.test")),
                "y@far.test",
                "originating of 1 ATT-1 IN-1 REL-2",
            ),
            ("a wildcard certificate", From(there, "x@far.test", Some("*.a.test")), "y@far.test", "originating of 1 ATT-1 IN-1 REL-2"),
            ("the null sender by certificate", From(there, "", Some("mail.a.test")), "y@far.test", "originating of 1 ATT-1 IN-1 REL-2"),
            ("by address and sender", From(here, "x@a.test", None), "y@far.test", "originating of 1 ATT-2 IN-1 REL-2"),
            (
                "the sender chooses between two tenants of one address",
                From(here, "x@b.test", None),
                "y@far.test",
                "originating of 2 ATT-2 IN-1 REL-2",
            ),
            ("the null sender by address", From(here, "", None), "y@far.test", "550 5.7.64 REL-3 REL-2 REL-2"),
            ("a foreign sender by address", From(here, "x@far.test", None), "y@far.test", "550 5.7.64 REL-3 REL-2 REL-2"),
            ("an own sender from elsewhere", From(there, "x@a.test", None), "y@far.test", "550 5.7.64 REL-3 ATT-2"),
            (
                "by address, the certificate is the tenant's, the sender is not",
                From(here, "", Some("mail.b.test")),
                "y@far.test",
                "550 5.7.64 REL-3 ATT-1 REL-2 REL-2",
            ),
            ("nothing ties it to a tenant", From(there, "x@far.test", None), "y@far.test", "550 5.4.1 ATT-3"),
            ("incoming", From(there, "x@far.test", None), "y@b.test", "incoming of 2 ATT-3 IN-7"),
            ("incoming from a known address", From(here, "x@far.test", None), "y@b.test", "incoming of 2 ATT-3 IN-1"),
            ("own mail to another tenant goes out first", From(here, "x@a.test", None), "y@b.test", "originating of 1 ATT-2 IN-1 REL-2"),
        ];
        for (case, from, to, expected) in cases {
            let (told, decision) = told(&tenants, &names, &from, None, to);
            assert_eq!(told, expected, "{case}: {:?}", decision.chosen);
        }
    }

    #[test]
    fn relay_in_its_periods() {
        let mut names = Names::default();
        let now = SimTime(5);
        let never = RelayPeriods { domain_counts_from: SimTime::NEVER, author_counts_until: SimTime::NEVER };
        let author = RelayPeriods { author_counts_until: SimTime::NEVER, ..RelayPeriods::default() };
        let ends = RelayPeriods { author_counts_until: now, ..RelayPeriods::default() };
        let cases = [
            ("before July 2017 a match is enough", never, None, "originating of 1 IN-1 REL-1"),
            ("until October 2023 the author counts", author, Some("a.test"), "originating of 1 IN-1 REL-2"),
            ("and a foreign one does not", author, Some("far.test"), "550 5.7.64 REL-3 REL-2"),
            ("from the first instant of November 2023 it does not", ends, Some("a.test"), "550 5.7.64 REL-3 REL-2"),
        ];
        for (case, relay, author, expected) in cases {
            let mut tenant = tenant(&mut names, 1, "a.test", vec![by_address("ip", true)]);
            tenant.inbound.relay = relay;
            assert_eq!(told(&[tenant], &names, &From("192.0.2.10", "x@far.test", None), author, "y@far.test").0, expected, "{case}");
        }
    }

    #[test]
    fn what_relay_lacks() {
        let mut names = Names::default();
        let author = RelayPeriods { author_counts_until: SimTime::NEVER, ..RelayPeriods::default() };
        let from = "matches, but that is not enough to relay: ";
        let cases = [
            (
                "the null sender, known by address",
                From("192.0.2.10", "", None),
                RelayPeriods::default(),
                "the client showed no certificate; MAIL FROM is null, so it has no domain; since November 2023 From does not count",
            ),
            (
                "with a certificate that the connector does not look at",
                From("192.0.2.10", "x@far.test", Some("mail.a.test")),
                RelayPeriods::default(),
                "`mail.a.test` on the certificate does not count, since the connector knows the client by its address; \
                 `far.test` of MAIL FROM is no accepted domain of its tenant; since November 2023 From does not count",
            ),
            (
                "while From counted",
                From("192.0.2.10", "x@far.test", Some("mail.far.test")),
                author,
                "no name on the certificate is within an accepted domain of its tenant; \
                 `far.test` of MAIL FROM is no accepted domain of its tenant; `far.test` of From is none either",
            ),
        ];
        for (case, client, relay, expected) in cases {
            let mut tenant = tenant(&mut names, 1, "a.test", vec![by_address("ip", true)]);
            tenant.inbound.relay = relay;
            let (_, decision) = told(&[tenant], &names, &client, Some("far.test"), "y@far.test");
            let lacking = decision.passed_over.iter().find(|reason| reason.rule == "REL-2").expect(case);
            assert_eq!(*lacking.why, *format!("{from}{expected}"), "{case}");
        }
    }

    #[test]
    fn locks_and_holes() {
        let mut names = Names::default();
        let lock = InboundConnector { restricts_to_certificate: true, ..by_certificate("lock", "*.gateway.net", false) };
        let lock_by_address = InboundConnector { restricts_to_addresses: true, ..by_address("lock", false) };
        let hole = InboundConnector { sender_domains: vec!["far.test".into()], require_tls: false, ..connector("hole", false) };
        let off = InboundConnector { enabled: false, ..lock.clone() };
        let on_premises = by_address("own", true);
        let no_effect = InboundConnector { restricts_to_addresses: true, ..by_address("own", true) };
        let tls = InboundConnector { sender_domains: vec!["far.test".into()], ..connector("tls", false) };
        let (here, there) = ("192.0.2.10", "203.0.113.9");
        let cases = [
            ("the gateway", vec![&lock], From(there, "x@far.test", Some("out.gateway.net")), "incoming of 1 ATT-3 IN-2"),
            ("past the gateway", vec![&lock], From(there, "x@far.test", None), "550 5.7.51 ATT-3 IN-6"),
            ("the null sender past it", vec![&lock], From(there, "", None), "550 5.7.51 ATT-3 IN-6"),
            ("a connector for a domain opens no hole", vec![&lock, &hole], From(there, "x@far.test", None), "550 5.7.51 ATT-3 IN-6"),
            ("a disabled lock", vec![&off], From(there, "x@far.test", None), "incoming of 1 ATT-3 IN-7"),
            ("the own server beside a lock", vec![&lock, &on_premises], From(here, "x@far.test", None), "incoming of 1 ATT-3 IN-1"),
            ("a lock of the type OnPremises stays open", vec![&no_effect], From(there, "x@far.test", None), "incoming of 1 ATT-3 IN-7"),
            ("by address, but in clear", vec![&lock_by_address], From(here, "x@far.test", None), "451 5.7.3 ATT-3 IN-5"),
            ("a partner that must use TLS", vec![&tls], From(there, "x@far.test", None), "451 5.7.3 ATT-3 IN-5"),
            ("and does", vec![&tls], From(there, "x@far.test", Some("mx.far.test")), "incoming of 1 ATT-3 IN-2"),
            ("somebody else", vec![&tls], From(there, "x@other.test", None), "incoming of 1 ATT-3 IN-7"),
        ];
        for (case, connectors, from, expected) in cases {
            let count = connectors.len();
            let tenants = [tenant(&mut names, 1, "a.test", connectors.into_iter().cloned().collect())];
            let (told, decision) = told(&tenants, &names, &from, None, "y@a.test");
            assert_eq!(told, expected, "{case}: {:?}", decision.chosen);
            let speaks = |reason: &&Because| tenants[0].inbound.connectors.iter().any(|row| row.name == reason.name);
            let named = decision.chosen.iter().chain(&decision.passed_over).filter(speaks).count();
            assert_eq!(named, count, "{case}: each connector has its reason once: {:?} {:?}", decision.chosen, decision.passed_over);
        }
    }

    #[test]
    fn direct_send() {
        let mut names = Names::default();
        let mut of = |connectors| {
            let mut tenant = tenant(&mut names, 1, "a.test", connectors);
            tenant.inbound.reject_direct_send = true;
            tenant
        };
        let locked = InboundConnector { restricts_to_addresses: true, ..by_address("p", false) };
        let (open, known, listed) = (of(vec![]), of(vec![locked]), of(vec![by_address("p", false)]));
        let named = of(vec![InboundConnector { require_tls: false, ..connector("p", false) }]);
        let cases = [
            ("nobody's client", &open, From("192.0.2.10", "printer@a.test", None), "550 5.7.68 IN-7 ATT-3"),
            ("a foreign sender", &open, From("192.0.2.10", "x@far.test", None), "incoming of 1 ATT-3 IN-7"),
            (
                "a connector that only names a domain does not count",
                &named,
                From("192.0.2.10", "printer@a.test", None),
                "550 5.7.68 IN-7 ATT-3 IN-2",
            ),
            (
                "nor do addresses that a Partner connector does not restrict to",
                &listed,
                From("192.0.2.10", "printer@a.test", Some("x.test")),
                "550 5.7.68 IN-7 ATT-3 IN-2",
            ),
            ("one that knows the address does", &known, From("192.0.2.10", "printer@a.test", Some("x.test")), "incoming of 1 ATT-3 IN-2"),
        ];
        for (case, tenant, from, expected) in cases {
            let (told, decision) = told(std::slice::from_ref(tenant), &names, &from, None, "y@a.test");
            assert_eq!(told, expected, "{case}: {:?}", decision.chosen);
        }
    }

    #[test]
    fn a_certificate_of_two_tenants() {
        let mut names = Names::default();
        let own = |name: &str| vec![by_certificate("own", name, true)];
        let tenants = [tenant(&mut names, 1, "a.test", own("mail.a.test")), tenant(&mut names, 2, "b.test", own("mail.a.test"))];
        let from = From("203.0.113.9", "x@b.test", Some("mail.a.test"));
        let (told, _) = told(&tenants, &names, &from, None, "y@far.test");
        assert_eq!(told, "originating of 1 ATT-1 IN-1 REL-2", "the certificate decides, not the sender");
    }
}
