//! From text to schema: everything the format knows is read, keeps its place, and is laid over other things by one rule.

use std::path::{Path, PathBuf};

use mailtwin::diag::{Diagnostic, Severity, Span};
use mailtwin::scenario::merge::cases;
use mailtwin::scenario::schema::{Era, Expectation, Fault, Profile, Scenario, SmtpDaneMode, System, Traffic};
use mailtwin::scenario::{Loader, Text, overlay};
use proptest::prelude::*;

/// A tenant in front of one server.
const SMALL: &str = r#"
Scenario(
    dns: (records: r#"
        fabrikam.com.       MX 0 fabrikam-com.mail.protection.outlook.com.
        smtp.fabrikam.com.  A    198.51.100.7
    "\#),
    systems: {
        "tenant": ExchangeOnline(
            accepted_domains: { "fabrikam.com": InternalRelay },
            outbound_connectors: { "Home": (connector_type: OnPremises, recipient_domains: ["fabrikam.com"],
                use_mx_record: false, smart_hosts: ["smtp.fabrikam.com"]) },
        ),
        "servers": ExchangeServer(hostname: "smtp.fabrikam.com", mailboxes: ["*@fabrikam.com"]),
    },
    traffic: { "hello": Message(from: "ann@contoso.com", to: ["ben@fabrikam.com"]) },
)
"#;

/// Everything that moves, and a bit of every kind.
const LARGE: &str = r#"#![enable(implicit_some, unwrap_newtypes, unwrap_variant_newtypes)]
// one comment, /* and another */
Scenario(
    name: "Fabrikam: two sites",
    overview: "a tab\tand a \"quote\"",
    seed: 1_000, start: "2026-05-04", until: "2d",
    exchange_online: (era: Exo2026, pool: 4, addresses: ["203.0.113.40"], switches: { "OUT-4": "specificity" }),
    dns: (
        records: "a.fabrikam.com. A 198.51.100.1", files: ["more.zone"], remove: ["old.fabrikam.com"],
        views: { "inside": (records: "b.fabrikam.com. A 10.0.0.1", remove: ["a.fabrikam.com A"]) },
        dnssec: { "fabrikam.com": Secure }, rest: NxDomain, answer_order: Rotated,
    ),
    resolvers: { "r": (used_by: ["relay"], view: "inside", latency: "exponential 20ms", tries: 2, serve_stale: "1d", warm: true) },
    authorities: { "House CA": (trusted_by: ["*"], key: "k", not_after: "2030-01-01") },
    certificates: { "smtp": (subject: "smtp.fabrikam.com", names: ["a.fabrikam.com"], issuer: "House CA", revocation: Unreachable) },
    mta_sts: { "fabrikam.com": (policy: "version: STSv1\nmode: enforce\nmx: smtp.fabrikam.com\nmax_age: 86400", certificate: "public") },
    systems: {
        "internet": Internet(senders: { "qmail": (weight: 3, profile: Qmail, resolvers: 2, pool: 5, tls: (level: None)) }),
        "relay": Mta(
            profile: Postfix, version: "3.8", settings: { "maximal_queue_lifetime": "1d" }, hostname: "relay.fabrikam.com",
            listeners: { "smtp": (port: 25, without: ["PIPELINING"], tls_versions: (Tls12, Tls13)), "submission": (port: 587, require_login: true) },
            receives: [Greylist(delay: "5m", window: "1d", shared_with: ["b"]), RateLimit(messages: 5, per: "1m", code: "451 4.7.1")],
            relay_clients: ["10.0.0.0/8"], routes: { ".example": ["[10.1.1.1]:26"] }, fallback_hosts: ["[b]"], when_full: Reply421,
            recipients: { "x@fabrikam.com": Forward(to: ["y@contoso.com"], srs: true), "l@fabrikam.com": List(members: ["a@b.example"]) },
            tls: (level: Dane, policies: { "contoso.com": (level: Secure, names: ["mx.contoso.com"]) }, mta_sts: true, versions: (Tls12, Tls13)),
            checks: (spf: Enforce, dmarc: Report), queue_runs: (every: "5m", offset: "10s"), max_message_size: "unlimited",
            filter: { "big": (size_over: "10MB", then: Reject(code: "552 5.3.4")), "spam": (scl_at_least: 5, then: Quarantine()),
                      "slow": (to: ["*@x.example"], then: Delay(by: "5m")), "tag": (header: "X-A", then: Tag(header: "X-B", value: "c")) },
        ),
        "box": Gateway(hosts: { "box1": (addresses: ["10.0.0.8"], site: "north", sessions: 5, forwarded: ["203.0.113.8"]) }),
        "tenant": ExchangeOnline(
            tenant: "fabrikam", match_sub_domains: ["fabrikam.com"], directory_complete: false, replication: "30m",
            recipients: { "boss@fabrikam.com": Mailbox(forward_to: ["b@contoso.com"], attributes: { "City": "Oslo" }),
                          "far@fabrikam.com": MailUser(external: "far@servers.example"), "all@fabrikam.com": Group(members: ["boss@fabrikam.com"]) },
            outbound_connectors: { "c": (smtp_dane_mode: None, mta_sts_mode: None, tls_settings: Opportunistic) },
            inbound_connectors: { "i": (ef_skip_ips: ["10.0.0.1"], restrict_domains_to_certificate: true) },
            transport_rules: { "r": (sent_to_scope: NotInOrganization, from_scope: "InOrganization", scl_over: 5, set_scl: -1, stop_rule_processing: true) },
            remote_domains: { "Default": (domain_name: "*", ndr_enabled: true) }, transport_config: (allow_legacy_tls_clients: true),
        ),
        "servers": ExchangeServer(
            version: ExchangeSE, hosts: { "S1": (role: Mailbox, service_time: "uniform 100ms..300ms") },
            sites: { "north": (hub_site_enabled: true) }, database_availability_groups: { "dag": (servers: ["S1"]) },
            mailbox_databases: { "db": (mailboxes: ["a@fabrikam.com"], servers: ["S1"], active: "S1", behind: "1m") },
            site_links: { "n-s": (sites: ["north", "south"], cost: 50, exchange_cost: 10) },
            send_connectors: { "out": (address_spaces: ["SMTP:*;5"], error_policies: [DowngradeDnsFailures], smart_host_auth_mechanism: None) },
            receive_connectors: { "Default Frontend": (server: "S1", permission_groups: [AnonymousUsers], auth_mechanism: [Tls], message_rate_limit: 5,
                max_inbound_connection: "unlimited", anonymous_relay: true) },
            transport_service: (queue_glitch_retry_count: 4, message_expiration_timeout: "2d", max_outbound_connections: Unlimited),
        ),
        "printer": Device(server: "relay.fabrikam.com", port: 25, tls: None, sends_for: ["printer@fabrikam.com"], retry: "5m"),
        "old": Fope(domains: ["fabrikam.com"], associations: { "all": Company, "some": Domains(["x.example"]) },
            inbound: { "fabrikam.com": Ip("10.0.0.9") }, outbound_connectors: { "all": (deliver_all_messages_to: Fqdn("a.example"), tls: Matches("b.example")) }),
    },
    groups: { "all boxes": ["box", "relay"] },
    links: { "slow": (between: ("relay", "*"), latency: "80ms") },
    traffic: {
        "b": Burst(at: "1h", count: 500, over: "10s", from_one_of: { "a@x.example": 3, "b@x.example": 1 }, to: ["u#@fabrikam.com"]),
        "e": Every(interval: "10m", by: "printer", from: "<>", to_one_of: { "c@fabrikam.com": 1 }, notify: [Success, Failure], ret: Headers),
        "f": File(path: "mail.csv", at: "1m"),
    },
    faults: {
        "d": Down(target: "S1", at: "2026-05-04 10:00", lasts: "1h", how: Refused, sessions: Finish, queue: Lost),
        "p": Partition(between: ("relay", "tenant"), one_way: true), "fl": Flapping(target: "box", up: "1h", down: "1m"),
        "c": Capacity(target: "box", sessions: 1), "t": Tarpit(target: "box", phase: Mail, delay: "5s"), "l": Latency(between: ("a", "b"), add: "1s"),
        "r": Reply(target: "box", phase: Rcpt, code: "450 4.2.1", recipient: "x@*", then: Close, after_recipients: 3, times: 2),
        "dr": Drop(target: "box", phase: Content, how: Reset, after: "10KB", probability: "20%"), "s": Starttls(target: "box", how: Refused, code: "454"),
        "ce": Certificate(target: "box", becomes: "self-signed"), "dn": Dns(name: "x.example", type: "MX", answer: ServFail, view: "inside"),
        "m": MtaSts(domain: "fabrikam.com", how: PolicyGone),
    },
    changes: { "new": (at: "2026-05-05", certificates: { "smtp": (not_after: "2031-01-01") }, retry_queues: ["servers"]) },
    variants: { "bare": (systems: { "old": None }, faults: { "d": None }) },
    invariants: { "one": Copies(at_most: 1), "tls": Not(Tls(hop: ("relay", "*"), is: Plaintext, version: Tls13, policy: "dane")) },
    tests: {
        "t": (variant: "bare", given: (exchange_online: (era: Exo2022)), send: (from: "a@x.example", to: ["c@fabrikam.com"]), tags: ["x"], seeds: 3,
            expect: [Delivered(to: "S1", within: "1m", junk: false)],
            cases: { "late": (send: (at: "3h"), given: (seed: 2), expect: [OneOf([Expired(code: "4.4.7"), Bounced(text: "no")]), Any(Via(["relay"]))]) }),
        "run": (expect: [For(traffic: "b", sent: ("0s", "1h"), expect: [Share(fate: "lost", is: "0%")]), Delay(percentile: 95, at_most: "1m"),
            Attempts(by: "relay", is: 2, moments: ["0s", "5m"], tolerance: "1s"), Ndr(to: "internet", action: Failed, recipients: ["a@x.example"]),
            Notice(action: Relayed), DelayNotice(moments: ["4h"]), Touched(by: "tenant", first: "S1", share: "50%"), Connections(to: "S1", at_most: 9),
            Seen(at: "S1", from: "<>"), Deferred(by: "relay", code: "4xx"), Looped(through: ["a", "b"]), Drained(system: "relay", fault: "d", within: "1h"),
            NotModelled(), Frozen(system: "relay"), Hops(at_most: 3), Checked(by: "relay", spf: "pass")]),
    },
    limits: (events: 1000000, hops: 50, messages: 1000),
)
"#;

fn small() -> String {
    SMALL.replace("\"\\#", "\"#")
}

fn read(text: &str) -> Scenario {
    let mut loader = Loader::new();
    let scenario = loader.text("x.ron", text);
    scenario.unwrap_or_else(|| panic!("{}", mailtwin::diag::render(&loader.problems, &loader.sources, mailtwin::diag::Style::Plain)))
}

fn laid_over(base: &str, over: &str) -> (Scenario, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut loader = Loader::new();
    let base = loader.text("base", base).unwrap_or_else(|| panic!("{:?}", loader.problems));
    let over = loader.overlay("over", over).unwrap_or_else(|| panic!("{over} {:?}", loader.problems));
    (overlay(&base, &over, &mut problems), problems)
}

/// What a scenario says, without where it says it.
fn without_places(scenario: &Scenario) -> String {
    let text = format!("{scenario:?}");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("Span {").into_iter().chain(rest.find("\"@")).min() {
        out.push_str(&rest[..at]);
        let place = &rest[at..];
        let len = match place.strip_prefix("\"@") {
            Some(digits) => 2 + digits.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(digits.len()),
            None => place.find('}').map_or(place.len(), |len| len + 1),
        };
        out.push(if place.starts_with('"') { '"' } else { '_' });
        rest = &place[len..];
    }
    out + rest
}

#[test]
fn everything_is_read() {
    let scenario = read(LARGE);
    assert_eq!(scenario.overview.as_str(), Some("a tab\tand a \"quote\""));
    assert_eq!((scenario.seed.or(0), scenario.exchange_online.get().unwrap().era.or(Era::Exo2022)), (1000, Era::Exo2026));
    let names: Vec<&str> = scenario.systems.keys().map(Text::as_str).collect();
    assert_eq!(names, ["internet", "relay", "box", "tenant", "servers", "printer", "old"], "in the order they are written");
    let Some(System::ExchangeOnline(tenant)) = scenario.systems.get("tenant") else { panic!("a tenant") };
    let connector = tenant.outbound_connectors.get("c").unwrap();
    assert_eq!(connector.smtp_dane_mode.get(), Some(&SmtpDaneMode::None), "`None` is a value here");
    assert!(!connector.enabled.is_written());
    assert_eq!(
        tenant.transport_rules.get("r").unwrap().conditions.sent_to_scope.get().map(|word| word.as_str()),
        Some("NotInOrganization")
    );
    let Some(System::Mta(relay)) = scenario.systems.get("relay") else { panic!("an MTA") };
    assert_eq!((relay.profile.or(Profile::Rfc), relay.host.hostname.as_str()), (Profile::Postfix, Some("relay.fabrikam.com")));
    assert_eq!(relay.host.receives.items().iter().map(Fault::word).collect::<Vec<_>>(), ["Greylist", "RateLimit"]);
    let Some(Traffic::Burst(burst)) = scenario.traffic.get("b") else { panic!("a burst") };
    assert_eq!(burst.envelope.from_one_of.get("a@x.example"), Some(&3));
    assert!(matches!(scenario.invariants.get("tls"), Some(Expectation::Not(inner)) if inner.word() == "Tls"));
}

#[test]
fn values_know_their_places() {
    let text = small();
    let mut loader = Loader::new();
    let scenario = loader.text("small.ron", &text).unwrap();
    let shown = |span: Span| loader.sources.slice(span).to_owned();
    let Some(System::ExchangeOnline(tenant)) = scenario.systems.get("tenant") else { panic!("a tenant") };
    let connector = tenant.outbound_connectors.get("Home").unwrap();
    let records = scenario.dns.get().unwrap().layers.0[0].records.get().unwrap();
    let second = records.find("smtp").unwrap();
    let found = [
        shown(connector.smart_hosts.items()[0].span()),
        shown(connector.use_mx_record.span()),
        shown(connector.connector_type.span()),
        shown(connector.place),
        shown(tenant.accepted_domains.iter().next().unwrap().0.span()),
        shown(tenant.place),
        shown(scenario.traffic.get("hello").unwrap().place()),
        shown(records.part(second..second + 17)),
        shown(scenario.place),
        shown(scenario.systems.span()),
    ];
    let expected = [
        "smtp.fabrikam.com",
        "false",
        "OnPremises",
        "(",
        "fabrikam.com",
        "ExchangeOnline",
        "Message",
        "smtp.fabrikam.com",
        "Scenario",
        "{",
    ];
    assert_eq!(found, expected);
    let large = read(LARGE);
    assert_eq!(
        large.overview.span().end - large.overview.span().start,
        "a tab\\tand a \\\"quote\\\"".len() as u32,
        "escapes keep the place of the whole"
    );
}

#[test]
fn the_overlay_rule() {
    let base = r#"(systems: {
        "m": Mta(profile: Postfix, settings: { "a": "1" }, queue_runs: (every: "5m"), smart_hosts: ["x", "y"], tls: (level: May, mta_sts: true)),
        "s": ExchangeServer(hosts: { "A": (certificate: "one", site: "n"), "B": () }),
    }, faults: { "f": Down(target: "m", at: "1h") }, traffic: { "t": Poisson(rate: "1/s", from: "a@b.example") }, groups: { "g": ["a", "b"] })"#;
    let systems = |m: &str, s: &str, rest: &str| {
        format!(
            r#"(systems: {{ "m": {m}, "s": {s} }}, {} )"#,
            if rest.is_empty() {
                r#"faults: { "f": Down(target: "m", at: "1h") }, traffic: { "t": Poisson(rate: "1/s", from: "a@b.example") }, groups: { "g": ["a", "b"] }"#
            } else {
                rest
            }
        )
    };
    let m = r#"Mta(profile: Postfix, settings: { "a": "1" }, queue_runs: (every: "5m"), smart_hosts: ["x", "y"], tls: (level: May, mta_sts: true))"#;
    let s = r#"ExchangeServer(hosts: { "A": (certificate: "one", site: "n"), "B": () })"#;
    let table = [
        ("nothing", "()", systems(m, s, "")),
        (
            "field by field, lists whole",
            r#"(systems: { "m": Mta(smart_hosts: ["z"], tls: (level: Dane)) })"#,
            systems(&m.replace(r#"["x", "y"]"#, r#"["z"]"#).replace("level: May", "level: Dane"), s, ""),
        ),
        (
            "name by name, None takes away, new ones last",
            r#"(systems: { "s": ExchangeServer(hosts: { "C": (), "B": None, "A": (certificate: "two") }) })"#,
            systems(m, r#"ExchangeServer(hosts: { "A": (certificate: "two", site: "n"), "C": () })"#, ""),
        ),
        ("another kind replaces", r#"(systems: { "m": Gateway(hostname: "h") })"#, systems(r#"Gateway(hostname: "h")"#, s, "")),
        (
            "another profile starts with empty settings",
            r#"(systems: { "m": Mta(profile: Exim, settings: { "b": "2" }) })"#,
            systems(r#"Mta(profile: Exim, settings: { "b": "2" }, smart_hosts: ["x", "y"], tls: (level: May, mta_sts: true))"#, s, ""),
        ),
        (
            "the same profile keeps them",
            r#"(systems: { "m": Mta(profile: Postfix, settings: { "b": "2" }) })"#,
            systems(&m.replace(r#"{ "a": "1" }"#, r#"{ "a": "1", "b": "2" }"#), s, ""),
        ),
    ];
    for (case, over, expected) in table {
        let (merged, problems) = laid_over(base, over);
        assert_eq!(without_places(&merged), without_places(&read(&expected)), "{case}");
        assert_eq!(problems, [], "{case}");
    }
}

/// Each section of a scenario, and how something laid over it meets what is there.
#[test]
fn how_each_section_is_laid_over() {
    let table = [
        // ( ) field by field
        ("a scenario", "seed: 1", "until: \"2h\"", "seed: 1, until: \"2h\""),
        ("exchange_online", "exchange_online: (pool: 4)", "exchange_online: (era: Exo2022)", "exchange_online: (pool: 4, era: Exo2022)"),
        (
            "its lists whole",
            "exchange_online: (addresses: [\"a\"])",
            "exchange_online: (addresses: [\"b\"])",
            "exchange_online: (addresses: [\"b\"])",
        ),
        (
            "its switches by name",
            "exchange_online: (switches: { \"a\": \"1\" })",
            "exchange_online: (switches: { \"b\": \"2\" })",
            "exchange_online: (switches: { \"a\": \"1\", \"b\": \"2\" })",
        ),
        ("limits", "limits: (events: 1)", "limits: (hops: 2)", "limits: (events: 1, hops: 2)"),
        (
            "dns",
            "dns: (rest: NxDomain)",
            "dns: (answer_order: Random, dnssec: { \"a\": Secure })",
            "dns: (rest: NxDomain, answer_order: Random, dnssec: { \"a\": Secure })",
        ),
        // { } name by name, then each thing field by field
        (
            "resolvers",
            "resolvers: { \"r\": (tries: 1) }",
            "resolvers: { \"r\": (warm: true) }",
            "resolvers: { \"r\": (tries: 1, warm: true) }",
        ),
        (
            "authorities",
            "authorities: { \"a\": (key: \"k\") }",
            "authorities: { \"a\": (not_after: \"1d\") }",
            "authorities: { \"a\": (key: \"k\", not_after: \"1d\") }",
        ),
        (
            "certificates",
            "certificates: { \"c\": (key: \"k\", names: [\"x\"]) }",
            "certificates: { \"c\": (names: [\"y\"]) }",
            "certificates: { \"c\": (key: \"k\", names: [\"y\"]) }",
        ),
        (
            "mta_sts",
            "mta_sts: { \"d\": (certificate: \"c\") }",
            "mta_sts: { \"d\": (policy: \"p\") }",
            "mta_sts: { \"d\": (certificate: \"c\", policy: \"p\") }",
        ),
        (
            "links",
            "links: { \"l\": (between: (\"a\", \"b\")) }",
            "links: { \"l\": (latency: \"1s\") }",
            "links: { \"l\": (between: (\"a\", \"b\"), latency: \"1s\") }",
        ),
        (
            "groups are lists",
            "groups: { \"g\": [\"a\"] }",
            "groups: { \"g\": [\"b\"], \"h\": [\"c\"] }",
            "groups: { \"g\": [\"b\"], \"h\": [\"c\"] }",
        ),
        ("dnssec words", "dns: (dnssec: { \"a\": Secure })", "dns: (dnssec: { \"a\": Bogus })", "dns: (dnssec: { \"a\": Bogus })"),
        // kinds: equal ones field by field, another one replaces
        (
            "systems",
            "systems: { \"m\": Mta(hostname: \"h\") }",
            "systems: { \"m\": Mta(sessions: 2) }",
            "systems: { \"m\": Mta(hostname: \"h\", sessions: 2) }",
        ),
        (
            "a pool for an address",
            "systems: { \"m\": Mta(egress: \"192.0.2.1\") }",
            "systems: { \"m\": Mta(egress_pool: [\"192.0.2.2\"]) }",
            "systems: { \"m\": Mta(egress_pool: [\"192.0.2.2\"]) }",
        ),
        (
            "what a host receives is a list",
            "systems: { \"m\": Mta(receives: [Greylist(delay: \"5m\", phase: Data)]) }",
            "systems: { \"m\": Mta(receives: [Greylist(delay: \"1m\")]) }",
            "systems: { \"m\": Mta(receives: [Greylist(delay: \"1m\")]) }",
        ),
        (
            "recipients",
            "systems: { \"m\": Mta(recipients: { \"a@b.example\": Forward(to: [\"x\"], srs: true) }) }",
            "systems: { \"m\": Mta(recipients: { \"a@b.example\": Forward(to: [\"y\"]) }) }",
            "systems: { \"m\": Mta(recipients: { \"a@b.example\": Forward(to: [\"y\"], srs: true) }) }",
        ),
        (
            "traffic",
            "traffic: { \"t\": Poisson(rate: \"1/s\", from: \"a\") }",
            "traffic: { \"t\": Poisson(rate: \"9/s\") }",
            "traffic: { \"t\": Poisson(rate: \"9/s\", from: \"a\") }",
        ),
        (
            "traffic of another kind",
            "traffic: { \"t\": Poisson(rate: \"1/s\", from: \"a\") }",
            "traffic: { \"t\": Message(from: \"b\") }",
            "traffic: { \"t\": Message(from: \"b\") }",
        ),
        (
            "a choice for a sender",
            "traffic: { \"t\": Message(from: \"a\", to: [\"b\"]) }",
            "traffic: { \"t\": Message(from_one_of: { \"c\": 1 }, to_one_of: { \"d\": 1 }) }",
            "traffic: { \"t\": Message(from_one_of: { \"c\": 1 }, to_one_of: { \"d\": 1 }) }",
        ),
        (
            "faults",
            "faults: { \"f\": Down(target: \"m\", at: \"1h\") }",
            "faults: { \"f\": Down(how: Refused) }",
            "faults: { \"f\": Down(target: \"m\", at: \"1h\", how: Refused) }",
        ),
        (
            "a fault of another kind",
            "faults: { \"f\": Down(target: \"m\", at: \"1h\") }",
            "faults: { \"f\": Capacity(target: \"m\") }",
            "faults: { \"f\": Capacity(target: \"m\") }",
        ),
        (
            "another end",
            "faults: { \"f\": Down(target: \"m\", lasts: \"1h\") }",
            "faults: { \"f\": Down(until: \"5h\") }",
            "faults: { \"f\": Down(target: \"m\", until: \"5h\") }",
        ),
        (
            "another length",
            "faults: { \"f\": Tarpit(until: \"1h\", times: 2) }",
            "faults: { \"f\": Tarpit(lasts: \"5h\") }",
            "faults: { \"f\": Tarpit(lasts: \"5h\", times: 2) }",
        ),
        (
            "another step",
            "faults: { \"f\": Drop(phase: Content, after: \"1KB\") }",
            "faults: { \"f\": Drop(phase: FinalDot, accepted: true) }",
            "faults: { \"f\": Drop(phase: FinalDot, accepted: true) }",
        ),
        (
            "and back",
            "faults: { \"f\": Drop(phase: FinalDot, accepted: true) }",
            "faults: { \"f\": Drop(phase: Content) }",
            "faults: { \"f\": Drop(phase: Content) }",
        ),
        (
            "no refusal",
            "faults: { \"f\": Starttls(how: Refused, code: \"454\") }",
            "faults: { \"f\": Starttls(how: Closes) }",
            "faults: { \"f\": Starttls(how: Closes) }",
        ),
        (
            "no deep tests",
            "faults: { \"f\": Postscreen(deep_protocol_tests: true, deep_ttl: \"1d\") }",
            "faults: { \"f\": Postscreen(deep_protocol_tests: false) }",
            "faults: { \"f\": Postscreen(deep_protocol_tests: false) }",
        ),
        (
            "changes",
            "changes: { \"c\": (at: \"1h\", retry_queues: [\"a\"]) }",
            "changes: { \"c\": (at: \"2h\") }",
            "changes: { \"c\": (at: \"2h\", retry_queues: [\"a\"]) }",
        ),
        (
            "their operations are a list",
            "changes: { \"c\": (operations: [SuspendQueue(server: \"a\")]) }",
            "changes: { \"c\": (operations: [ResumeQueue(server: \"b\")]) }",
            "changes: { \"c\": (operations: [ResumeQueue(server: \"b\")]) }",
        ),
        (
            "variants",
            "variants: { \"v\": (seed: 1) }",
            "variants: { \"v\": (until: \"1h\"), \"w\": () }",
            "variants: { \"v\": (seed: 1, until: \"1h\"), \"w\": () }",
        ),
        (
            "invariants",
            "invariants: { \"i\": Delivered(to: \"a\", within: \"1m\") }",
            "invariants: { \"i\": Delivered(within: \"2m\") }",
            "invariants: { \"i\": Delivered(to: \"a\", within: \"2m\") }",
        ),
        (
            "another bound",
            "invariants: { \"i\": Attempts(by: \"a\", is: 1) }",
            "invariants: { \"i\": Attempts(at_most: 2) }",
            "invariants: { \"i\": Attempts(by: \"a\", at_most: 2) }",
        ),
        (
            "a number for a bound",
            "invariants: { \"i\": Copies(at_least: 1, at_most: 2) }",
            "invariants: { \"i\": Copies(is: 3) }",
            "invariants: { \"i\": Copies(is: 3) }",
        ),
        (
            "what is in brackets",
            "invariants: { \"i\": Not(Delivered(to: \"a\")) }",
            "invariants: { \"i\": Not(Delivered(within: \"2m\")) }",
            "invariants: { \"i\": Not(Delivered(within: \"2m\")) }",
        ),
        (
            "tests",
            "tests: { \"t\": (seeds: 2, expect: [NothingLost()]) }",
            "tests: { \"t\": (expect: [NotModelled()], tags: [\"x\"]) }",
            "tests: { \"t\": (seeds: 2, expect: [NotModelled()], tags: [\"x\"]) }",
        ),
        (
            "what they send",
            "tests: { \"t\": (send: (at: \"1h\", from: \"a\")) }",
            "tests: { \"t\": (send: (from: \"b\")) }",
            "tests: { \"t\": (send: (at: \"1h\", from: \"b\")) }",
        ),
        // None takes a name away everywhere
        (
            "gone",
            "faults: { \"f\": Down(target: \"m\") }, links: { \"l\": () }",
            "faults: { \"f\": None }, links: { \"l\": None }",
            "faults: {}, links: {}",
        ),
    ];
    for (case, base, over, expected) in table {
        let (merged, problems) = laid_over(&format!("({base})"), &format!("({over})"));
        assert_eq!(without_places(&merged), without_places(&read(&format!("({expected})"))), "{case}");
        assert_eq!(problems, [], "{case}");
    }
}

#[test]
fn overlays_of_overlays_keep_their_nones_and_dns_its_layers() {
    let base = r#"(dns: (records: "a. A 1.1.1.1"), variants: { "v": (systems: { "x": None }, seed: 1) }, changes: { "c": (at: "1h", systems: { "y": None }) })"#;
    let over = r#"(dns: (records: "b. A 1.1.1.2", remove: ["a"]), variants: { "v": (systems: { "z": None }) })"#;
    let (merged, problems) = laid_over(base, over);
    assert_eq!(problems, []);
    let variant = merged.variants.get("v").unwrap();
    let gone: Vec<_> = variant.systems.entries().iter().map(|entry| (entry.key.as_str(), entry.value.is_none())).collect();
    assert_eq!((gone, variant.seed.or(0)), (vec![("x", true), ("z", true)], 1));
    let layers: Vec<_> =
        merged.dns.get().unwrap().layers.0.iter().map(|layer| (layer.records.as_str().unwrap(), layer.remove.items().len())).collect();
    assert_eq!(layers, [("a. A 1.1.1.1", 0), ("b. A 1.1.1.2", 1)]);

    let (_, problems) = laid_over(&small(), r#"(systems: { "tenan": None })"#);
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].severity, problems[0].help[0].as_str()), (Severity::Warning, "did you mean `tenant`?"));
}

#[test]
fn cases_of_tests() {
    let scenario = read(LARGE);
    let found: Vec<_> = cases(&scenario)
        .iter()
        .map(|case| {
            let send = case.fields.send.get();
            let at = send.and_then(|send| send.at.as_str()).unwrap_or("");
            let from = send.and_then(|send| send.envelope.from.as_str()).unwrap_or("");
            format!(
                "{} {:?} at={at} from={from} expect={} given={}",
                case.test,
                case.case,
                case.fields.expect.items().len(),
                case.given.len()
            )
        })
        .collect();
    assert_eq!(found, ["t Some(\"late\") at=3h from=a@x.example expect=3 given=2", "run None at= from= expect=16 given=0"]);
}

#[test]
fn flags() {
    let text = small();
    let set = |arguments: &[&str]| {
        let mut loader = Loader::new();
        let mut scenario = loader.text("small.ron", &text).unwrap();
        for argument in arguments {
            let merged = if argument.contains('=') { loader.set(&scenario, argument) } else { loader.fail(&scenario, argument) };
            match merged {
                Some(merged) => scenario = merged,
                None => {
                    let problem = loader.problems.pop().unwrap();
                    let place = (loader.sources.name(problem.span.file).to_owned(), loader.sources.slice(problem.span).to_owned());
                    return Err(format!("{} `{}`: {} = {}", place.0, place.1, problem.message, problem.help.join(" ")));
                }
            }
        }
        Ok(scenario)
    };
    let changed = set(&[
        "systems.tenant.outbound_connectors[\"Home\"].enabled=false",
        "seed=7",
        "systems.new=Mta(hostname: \"n.example\")",
        "traffic.hello.size=\"1MB\"",
        "servers@10m..40m",
    ]);
    let changed = changed.unwrap();
    let Some(System::ExchangeOnline(tenant)) = changed.systems.get("tenant") else { panic!("a tenant") };
    let connector = tenant.outbound_connectors.get("Home").unwrap();
    assert_eq!((connector.enabled.or(true), connector.smart_hosts.items().len(), changed.seed.or(0)), (false, 1, 7));
    assert!(matches!(changed.systems.get("new"), Some(System::Mta(_))));
    assert!(matches!(changed.faults.get("--fail servers@10m..40m"), Some(Fault::Down(down)) if down.when.until.as_str() == Some("40m")));

    let wrong = [
        ("systems.tenat.mailboxes=[]", "--set 1 `tenat`: `tenat` is not a name = did you mean `tenant`?"),
        ("systems.tenant.mailbox=[]", "--set 1 `mailbox`: `mailbox` is not a field of `ExchangeOnline` = did you mean `mailboxes`?"),
        ("seed.x=1", "--set 1 `x`: there is nothing inside a value = "),
        ("until=3d", "--set 1 `3d`: expected a text in quotes, found the number `3d` = texts stand in quotes: \"3d\""),
        (
            "seed=",
            "--set 1 ``: there is no value behind the `=` = as in: systems.contoso.outbound_connectors[\"To on-premises\"].enabled=false",
        ),
    ];
    for (argument, expected) in wrong {
        assert_eq!(set(&[argument]).unwrap_err(), expected, "{argument}");
    }
}

/// A folder of its own for one test.
fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scenario_text-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    for (file, bytes) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn load(path: &Path) -> (Option<Scenario>, Vec<String>) {
    let mut loader = Loader::new();
    let scenario = loader.file(path);
    let said = loader
        .problems
        .iter()
        .map(|problem| format!("{} {}", problem.code.id, problem.message.replace(&path.display().to_string(), "FILE")));
    (scenario, said.collect())
}

#[test]
fn bases() {
    let folder = folder(
        "bases",
        &[
            ("a/top.ron", b"\xef\xbb\xbfScenario(name: \"top\",\r\n base: \"lib/mid.ron\", systems: { \"m\": Mta(hostname: \"new\") })"),
            ("a/lib/mid.ron", b"(base: \"deep.ron\", faults: { \"f\": None }, seed: 5)"),
            ("a/lib/deep.ron", b"(name: \"deep\", seed: 1, systems: { \"m\": Mta(mailboxes: [\"*\"]) }, faults: { \"f\": Down(target: \"m\") }, tests: { \"t\": () })"),
            ("a/self.ron", b"(base: \"./self.ron\")"),
            ("a/out.ron", b"(base: \"../b/x.ron\")"),
            ("a/absolute.ron", b"(base: \"/etc/passwd\")"),
            ("a/gone.ron", b"(base: \"none.ron\")"),
            ("a/folder.ron", b"(base: \"lib\")"),
            ("a/bytes.ron", b"(name: \"\xff\")"),
            ("a/wide.ron", b"\xff\xfe(\0"),
            ("b/x.ron", b"()"),
        ],
    );
    let (scenario, problems) = load(&folder.join("a/top.ron"));
    let scenario = scenario.unwrap_or_else(|| panic!("{problems:?}"));
    let Some(System::Mta(m)) = scenario.systems.get("m") else { panic!("an MTA") };
    assert_eq!((m.host.hostname.as_str(), m.host.mailboxes.items().len()), (Some("new"), 1));
    assert_eq!((scenario.name.as_str(), scenario.seed.or(0), scenario.faults.len(), scenario.tests.len()), (Some("top"), 5, 0, 0));

    let wrong = [
        ("a/out.ron", "MT0051 `../b/x.ron` lies outside the folder of the scenario"),
        ("a/absolute.ron", "MT0051 `/etc/passwd` is not a relative path"),
        ("a/gone.ron", "MT0050 cannot read `none.ron`: there is no such file"),
        ("a/folder.ron", "MT0050 `lib` is not a file"),
        ("a/bytes.ron", "MT0008 this is not UTF-8"),
        ("a/wide.ron", "MT0008 this is not UTF-8"),
        ("a/never.ron", "MT0050 cannot read `FILE`: there is no such file"),
    ];
    for (file, expected) in wrong {
        assert_eq!(load(&folder.join(file)).1, [expected], "{file}");
    }
    let (_, cycle) = load(&folder.join("a/self.ron"));
    assert!(cycle[0].starts_with("MT0052 a scenario stands on itself: `"), "{cycle:?}");

    let names: Vec<String> = (0..12).map(|n| format!("c{n}.ron")).collect();
    for (n, name) in names.iter().enumerate() {
        std::fs::write(folder.join(name), format!("(base: \"c{}.ron\")", n + 1)).unwrap();
    }
    assert_eq!(load(&folder.join("c0.ron")).1, ["MT0052 this scenario stands on more than 8 others, one below the other"]);
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_are_refused() {
    let folder = folder("links", &[("in/top.ron", b"(base: \"link.ron\")"), ("out/x.ron", b"(seed: 1)")]);
    std::os::unix::fs::symlink(folder.join("out/x.ron"), folder.join("in/link.ron")).unwrap();
    assert_eq!(load(&folder.join("in/top.ron")).1, ["MT0051 `link.ron` lies outside the folder of the scenario"]);
}

#[test]
fn files_beside() {
    let folder =
        folder("beside", &[("top.ron", b"(dns: (files: [\"zones/a.zone\", \"zones/b.zone\"]))"), ("zones/a.zone", b"a. A 1.1.1.1\n")]);
    let mut loader = Loader::new();
    let scenario = loader.file(&folder.join("top.ron")).unwrap();
    let files = scenario.dns.get().unwrap().layers.0[0].files.items().to_vec();
    let file = loader.read_beside(&files[0]).unwrap();
    assert_eq!(&*loader.sources.text(file), "a. A 1.1.1.1\n");
    assert_eq!(loader.read_beside(&files[0]), Some(file), "read once");
    assert_eq!(loader.read_beside(&files[1]), None);
    assert_eq!(loader.sources.slice(loader.problems[0].span), "zones/b.zone");
}

/// A few names, fields and values: enough for every arm of the rule.
fn any_overlay() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("None".to_owned()),
        (0..3u8, 0..4u8).prop_map(|(kind, n)| match kind {
            0 => format!("Mta(hostname: \"h{n}\", settings: {{ \"s{n}\": \"{n}\" }})"),
            1 => format!("Mta(profile: Exim, smart_hosts: [\"x{n}\"])"),
            _ => format!("Device(port: {n})"),
        }),
    ];
    let systems = prop::collection::btree_map(0..4u8, value, 0..4);
    (systems, prop::option::of(0..9u8)).prop_map(|(systems, seed)| {
        let systems: Vec<String> = systems.into_iter().map(|(name, value)| format!("\"n{name}\": {value}")).collect();
        let seed = seed.map_or_else(String::new, |seed| format!("seed: {seed}, "));
        format!("({seed}systems: {{ {} }})", systems.join(", "))
    })
}

proptest! {
    /// Nothing laid over a scenario is that scenario, and a scenario laid over itself says the same.
    #[test]
    fn an_empty_overlay_changes_nothing(base in any_overlay(), over in any_overlay()) {
        let (merged, _) = laid_over(&base, &over);
        let mut problems = Vec::new();
        prop_assert_eq!(&overlay(&merged, &Scenario::default(), &mut problems), &merged);
        prop_assert_eq!(without_places(&overlay(&merged, &merged, &mut problems)), without_places(&merged));
        prop_assert_eq!(problems, []);
    }

    /// A damaged text is read, or it is said why not; it never brings the program down.
    #[test]
    fn damaged_texts(at in 0..20_000usize, len in 0..6usize, put in "[ (){}\\[\\],:\"'#/*\\\\a-zN0-9$-]{0,4}") {
        for text in [small(), LARGE.to_owned()] {
            let mut chars: Vec<char> = text.chars().collect();
            let start = at % chars.len();
            let end = (start + len).min(chars.len());
            chars.splice(start..end, put.chars());
            let text: String = chars.into_iter().collect();
            let mut loader = Loader::new();
            let scenario = loader.text("x.ron", &text);
            prop_assert_eq!(scenario.is_none(), loader.failed());
            let shown = mailtwin::diag::render(&loader.problems, &loader.sources, mailtwin::diag::Style::Plain);
            prop_assert_eq!(shown.is_empty(), loader.problems.is_empty());
        }
    }
}
