//! Whose mail is it, and is it taken: the tables.

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
        star_covers_all: false,
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
    let accepted = AcceptedDomain {
        from_disabled: false,
        to_disabled: false,
        address_book: None,
        name: names.intern(domain),
        kind: DomainType::Authoritative,
        match_sub_domains: false,
    };
    Tenant {
        system: SystemId(system),
        accepted_domains: vec![accepted],
        mailboxes: vec![Pattern::new(&format!("*@{domain}"))],
        routing_addresses: crate::model::routing_address::RoutingAddresses::default(),
        outbound_connectors: vec![],
        inbound: Inbound { connectors, ..Inbound::default() },
        entries: vec![],
        automatic_replies: vec![],
        remote_domains: vec![],
        dsn: crate::model::directory::DsnAuthority::default(),
        outbound_pools: crate::model::exchange::OutboundPools::default(),
        sender_rewriting: crate::model::exchange::SenderRewriting::All,
        forwards_outside: true,
        recipients_max: None,
        expiration_ns: None,
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
             `far.test` of MAIL FROM is no accepted domain of its tenant (that of `a.test`); since November 2023 From does not count",
        ),
        (
            "while From counted",
            From("192.0.2.10", "x@far.test", Some("mail.far.test")),
            author,
            "no name on the certificate is within an accepted domain of its tenant (that of `a.test`); \
             `far.test` of MAIL FROM is no accepted domain of its tenant (that of `a.test`); `far.test` of From is none either",
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
    let both = InboundConnector { restricts_to_addresses: true, addresses: lock_by_address.addresses.clone(), ..lock.clone() };
    let hole = InboundConnector { sender_domains: vec!["far.test".into()], require_tls: false, ..connector("hole", false) };
    let off = InboundConnector { enabled: false, ..lock.clone() };
    let on_premises = by_address("own", true);
    let no_effect = InboundConnector { restricts_to_addresses: true, ..by_address("own", true) };
    let tls = InboundConnector { sender_domains: vec!["far.test".into()], ..connector("tls", false) };
    let friends = InboundConnector { trusted: vec!["t".into()], ..connector("friends", false) };
    let (here, there) = ("192.0.2.10", "203.0.113.9");
    let cases = [
        ("nobody's friend", vec![&lock, &friends], From(there, "x@far.test", None), "550 5.7.51 ATT-3 IN-6"),
        ("the gateway", vec![&lock], From(there, "x@far.test", Some("out.gateway.net")), "incoming of 1 ATT-3 IN-2"),
        ("past the gateway", vec![&lock], From(there, "x@far.test", None), "550 5.7.51 ATT-3 IN-6"),
        ("both keys", vec![&both], From(here, "x@far.test", Some("out.gateway.net")), "incoming of 1 ATT-3 IN-2"),
        ("one of two keys", vec![&both], From(there, "x@far.test", Some("out.gateway.net")), "550 5.7.51 ATT-3 IN-6"),
        ("the other of two", vec![&both], From(here, "x@far.test", Some("x.test")), "550 5.7.51 ATT-3 IN-6"),
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
fn what_a_connector_says_that_restricts_nothing() {
    let mut names = Names::default();
    let tenants = [tenant(&mut names, 1, "a.test", vec![by_certificate("p", "saas.test", false)])];
    for (shown, expected) in [
        ("saas.test", "names the sender's domain, and the client's certificate is for `saas.test`; it restricts nothing"),
        (
            "other.test",
            "names the sender's domain, and restricts nothing; so the certificate does not matter to it: asks for a certificate of `saas.test`; \
             the one shown is for `other.test`",
        ),
    ] {
        let (_, decision) = told(&tenants, &names, &From("203.0.113.9", "x@far.test", Some(shown)), None, "y@a.test");
        assert_eq!(decision.chosen.iter().find(|reason| reason.rule == "IN-2").map(|reason| &*reason.why), Some(expected));
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
