//! Does every field act where it may stand? What is laid over a scenario is written like one, and a field that nothing would read is refused.

use mailtwin::diag::Diagnostic;
use mailtwin::scenario::{Loaded, Loader, load_text};
use mailtwin::verify::check_expectations;

fn lines(problems: &[Diagnostic]) -> Vec<String> {
    let help = |problem: &Diagnostic| problem.help.iter().map(|help| format!(" = {help}")).collect::<String>();
    problems.iter().map(|problem| format!("{} {}{}", problem.code.id, problem.message, help(problem))).collect()
}

/// What is said about a text, its tests included, each complaint with its place in the text and a way out.
fn complaints(text: &str) -> Vec<String> {
    let mut loader = Loader::new();
    let tree = loader.text("x.ron", text);
    let sources = loader.sources.clone();
    let problems = match Loaded::finish(loader, tree, "x") {
        Ok(loaded) => check_expectations(&loaded.tree),
        Err(invalid) => invalid.problems,
    };
    for problem in &problems {
        assert!(sources.range(problem.span).is_some_and(|(start, _)| start.line > 0), "no place: {problem:?}");
        assert!(!problem.help.is_empty(), "no way out: {problem:?}");
    }
    lines(&problems)
}

#[test]
fn fields_that_do_nothing_in_an_overlay() {
    let base = "= a base belongs to a whole file: write `base` at its top level";
    let cases = [
        (r#"variants: { "v": (base: "b.ron") }"#, format!("MT0002 `base` does nothing in a variant {base}")),
        (
            r#"variants: { "v": (tests: { "t": (expect: [Delivered()]) }) }"#,
            "MT0002 `tests` does nothing in a variant = tests stand beside `variants` and name theirs: tests: { \"…\": (variant: \"v\", …) }".into(),
        ),
        (
            r#"variants: { "v": (variants: { "w": (seed: 2) }) }"#,
            "MT0002 `variants` does nothing in a variant = variants do not stand inside each other: write it beside this one; `--variant` twice lays one \
             over the other"
                .into(),
        ),
        (r#"tests: { "t": (given: (base: "b.ron"), expect: [Delivered()]) }"#, format!("MT0002 `base` does nothing in a `given` {base}")),
        (
            r#"tests: { "t": (given: (name: "n"), expect: [Delivered()]) }"#,
            "MT0002 `name` does nothing in a `given` = the name of a test stands before its colon: tests: { \"name\": (given: …) }".into(),
        ),
        (
            r#"tests: { "t": (given: (overview: "o"), expect: [Delivered()]) }"#,
            "MT0002 `overview` does nothing in a `given` = nobody is shown it: write it as a comment, // …".into(),
        ),
        (
            r#"tests: { "t": (expect: [Delivered()], cases: { "c": (given: (tests: { "u": () })) }) }"#,
            "MT0002 `tests` does nothing in a `given` = several tests with one `given` are its `cases`: (given: …, cases: { \"…\": (expect: […]) })"
                .into(),
        ),
        (
            r#"tests: { "t": (given: (variants: { "v": () }), expect: [Delivered()]) }"#,
            "MT0002 `variants` does nothing in a `given` = a variant stands at the top level, and the test names it: variant: \"…\"".into(),
        ),
        (
            r#"tests: { "t": (expect: [Delivered()], cases: { "c": (cases: { "d": () }) }) }"#,
            "MT0002 `cases` does nothing in a case = cases do not stand inside each other: write each beside this one".into(),
        ),
        // A test that sends a message alone does not play the file's run.
        (
            r#"tests: { "t": (given: (traffic: { "m": None }), send: (from: "a@a.example", to: ["b@a.example"]), expect: [Delivered()]) }"#,
            "MT0601 `traffic` does nothing in the `given` of a test that sends a message alone = write with_traffic: true beside its `send`".into(),
        ),
        (
            r#"tests: { "t": (given: (until: "5h"), send: (from: "a@a.example", to: ["b@a.example"]), with_traffic: true, expect: [Delivered()]) }"#,
            "MT0601 `until` does nothing in the `given` of a test that sends a message: it is followed to its end = write `until` beside `send`, not in \
             `given`, to stop there"
                .into(),
        ),
        (
            r#"tests: { "t": (with_traffic: true, expect: [Delivered()]) }"#,
            "MT0601 `with_traffic` does nothing in a test that sends no message = leave it out: without `send` the test judges the file's own run, \
             traffic and all"
                .into(),
        ),
        (
            r#"tests: { "t": (seeds: 0, expect: [Delivered()]) }"#,
            "MT0302 `seeds` is 1 to 10000, and this is 0 = so many runs are played, each with luck of its own: write how many".into(),
        ),
    ];
    let rest = r#"systems: { "a": Mta(mailboxes: ["*@a.example"]) }, traffic: { "m": Message(from: "a@a.example", to: ["b@a.example"]) }"#;
    for (field, expected) in cases {
        assert_eq!(complaints(&format!("Scenario({rest}, {field})")), [expected], "{field}");
    }
    let right = [
        r#"variants: { "v": (name: "for the title", overview: "why", seed: 2) }"#,
        // What stands in a test for all its cases has to act in one of them.
        r#"tests: { "t": (given: (until: "5h", traffic: { "m": None }), with_traffic: true, expect: [Delivered()],
            cases: { "run": (), "alone": (send: (from: "a@a.example", to: ["b@a.example"])) }) }"#,
    ];
    for field in right {
        assert_eq!(complaints(&format!("Scenario({rest}, {field})")), [""; 0], "{field}");
    }
}

#[test]
fn a_flag_has_no_base() {
    let mut loader = Loader::new();
    let scenario = loader.text("x.ron", "Scenario()").unwrap();
    assert!(loader.set(&scenario, "base=\"b.ron\"").is_none());
    let said = "MT0054 `base` does nothing in --set = a base belongs to a whole file: write a small file with this `base`, and name that";
    assert_eq!(lines(&loader.problems), [said]);
}

/// Something of everything, in the middle of a scenario.
const WORLD: &str = r#"
    start: "2026-03-02",
    dns: (views: { "v": (records: "b.test. MX 10 b.test.") }, records: "
        b.test. MX 10 b.test.
        b.test. A 192.0.2.2
        c.test. MX 0 b.test.
        o.test. MX 0 o-test.mail.protection.outlook.com.
        s1.s.test. A 192.0.2.3
        _mta-sts.o.test. TXT v=STSv1\\;id=1
    "),
    authorities: { "ca": () },
    certificates: { "cert": (subject: "b.test", names: ["mta-sts.o.test"], issuer: "ca") },
    mta_sts: { "o.test": (policy: "version: STSv1\nmode: testing\nmx: *.mail.protection.outlook.com\nmax_age: 86400\n") },
    links: { "l": (between: ("a", "b"), latency: "1s") },
    resolvers: { "r": (used_by: ["a"], view: "v") },
    systems: {
        "a": Mta(mailboxes: ["*@a.test"], profile: Postfix), "b": Mta(hostname: "b.test", mailboxes: ["*@b.test"]), "h": Mta(hosts: { "h0": () }),
        "d": Device(), "f": Fope(domains: ["f.test"], inbound: { "f.test": Ip("192.0.2.2") }),
        "internet": Internet(senders: { "k": (profile: Postfix), "other": () }),
        "eo": ExchangeOnline(accepted_domains: { "o.test": InternalRelay }),
        "org": ExchangeServer(mailboxes: ["*@s.test"], site_links: { "l": (sites: ["S1", "S2"]) }, hosts: {
            "s1": (hostname: "s1.s.test", site: "S1"), "s2": (site: "S2"), "s4": (site: "S2") }),
    },
"#;

/// Fields of each kind, every one with a value that is not its default. Those that cannot change are refused (MT0503), and so is what the kind has not
/// (MT0304, MT0501); all others are to act.
const FIELDS: &[(&str, &str)] = &[
    (
        "systems: { \"a\": Mta(@) }",
        r#"certificate: "cert" | listeners: { "sub": (port: 587) } | receives: [Tarpit(phase: Mail, delay: "3s")] | mailboxes: ["*@n.test"] | sessions: 7
        | when_full: Silence | service_time: "9s" | profile: Exim | settings: { "maximal_queue_lifetime": "1d" } | recipients: { "p@b.test": Mailbox() }
        | relay_domains: ["c.test"] | relay_clients: ["b"] | smart_hosts: ["b.test"] | routes: { "c.test": ["b.test"] } | fallback_hosts: ["b.test"]
        | login: "u@b.test" | login: "u@b.test", oauth: true | send_as: { "u@b.test": ["v@b.test"] } | client_certificate: "cert" | tls: (level: Encrypt)
        | tls: (policies: { "b.test": (level: Secure) }) | tls: (policies: { "b.test": (implicit_tls: true) }) | tls: (mta_sts: true)
        | tls: (versions: (Tls10, Tls11)) | max_message_size: "1MB" | max_recipients: 3 | hop_limit: 9 | checks: (spf: Enforce) | checks: (dkim: Enforce)
        | checks: (dmarc: Enforce) | checks: (ptr: Enforce) | dkim: "b.test" | modifies: [Footer] | queue_runs: (every: "9m") | queue_runs: (offset: "2m")
        | filter: { "f": (from: ["x@b.test"], then: Discard()) } | hosts: { "h1": () } | listeners: { "smtp": (port: 26) }
        | listeners: { "smtp": (implicit_tls: true) } | listeners: { "smtp": (require_tls: true) } | listeners: { "smtp": (require_login: true) }
        | listeners: { "smtp": (without: ["SIZE"]) } | listeners: { "smtp": (tls_versions: (Tls10, Tls10)) }
        | hostname: "h9.test" | addresses: ["192.0.2.77"] | egress: "192.0.2.78" | egress_pool: ["192.0.2.79"] | forwarded: ["192.0.2.80"] | site: "S9" | role: Edge"#,
    ),
    ("systems: { \"b\": Mta(@) }", r#"profile: OpenSmtpd, version: "6.8""#),
    (
        "systems: { \"h\": Mta(hosts: { \"h0\": (@) }) }",
        r#"certificate: "cert" | listeners: { "sub": (port: 587) } | receives: [Tarpit(phase: Mail, delay: "3s")] | mailboxes: ["*@n.test"] | sessions: 7
        | when_full: Silence | service_time: "9s" | hostname: "h9.test" | addresses: ["192.0.2.77"] | egress: "192.0.2.78" | egress_pool: ["192.0.2.79"]
        | forwarded: ["192.0.2.80"] | site: "S9" | role: Edge"#,
    ),
    (
        "systems: { \"d\": Device(@) }",
        r#"server: "192.0.2.2" | server: "192.0.2.2", port: 587 | tls: Starttls | login: "u@b.test" | login: "u@b.test", oauth: true
        | client_certificate: "cert" | sends_for: ["q@d.test"] | retry: "5m" | certificate: "cert" | listeners: { "sub": (port: 587) }
        | receives: [Tarpit(phase: Mail, delay: "3s")] | mailboxes: ["*@n.test"] | sessions: 7 | when_full: Silence | service_time: "9s" | role: Edge
        | hostname: "h9.test" | addresses: ["192.0.2.77"] | egress: "192.0.2.78" | egress_pool: ["192.0.2.79"] | forwarded: ["192.0.2.80"] | site: "S9""#,
    ),
    (
        "systems: { \"f\": Fope(@) }",
        r#"domains: ["f.test", "g.test"], inbound: { "g.test": Ip("192.0.2.2") } | catch_all_domains: ["f.test"]
        | filter: { "f": (from: ["x@b.test"], then: Discard()) } | multi_smtp_profiles: { "p": ["192.0.2.2 10"] }, outbound_connectors: { "c": (deliver_all_messages_to: MultiSmtp("p")) }
        | inbound: { "f.test": Ip("192.0.2.3") }
        | outbound_connectors: { "c": (recipient_domains: ["b.test"]) } | outbound_connectors: { "c": () }, associations: { "c": Domains(["f.test"]) }
        | relay_clients: ["a"] | switches: { "equal_connectors": "name" } | certificate: "cert" | receives: [Tarpit(phase: Mail, delay: "3s")]
        | mailboxes: ["*@n.test"] | sessions: 7 | role: Edge"#,
    ),
    (
        "systems: { \"internet\": Internet(@) }",
        r#"senders: { "k": (profile: Qmail) } | senders: { "k": (tls: (level: Encrypt)) } | senders: { "k": (settings: { "maximal_queue_lifetime": "1d" }) }
        | certificate: "cert" | receives: [Tarpit(phase: Mail, delay: "3s")] | sessions: 7 | when_full: Silence | service_time: "9s"
        | senders: { "k": (weight: 7) } | senders: { "k": (resolvers: 4) } | senders: { "k": (pool: 4) } | senders: { "k": (min_ttl: "1h") }
        | senders: { "k": (caches: Warm) } | senders: { "new": () } | senders: { "k": None } | mailboxes: ["*@n.test"] | role: Edge"#,
    ),
    (
        "systems: { \"eo\": ExchangeOnline(@) }",
        r#"tenant: "t9" | accepted_domains: { "n.test": Authoritative } | match_sub_domains: ["o.test"] | sending_from_domain_disabled: ["o.test"]
        | sending_to_domain_disabled: ["o.test"] | mailboxes: ["z@o.test"] | recipients: { "q@o.test": MailUser(external: "q@b.test") }
        | directory_complete: false | outbound_connectors: { "c": (recipient_domains: ["x.test"]) }
        | inbound_connectors: { "i": (connector_type: Partner, sender_domains: ["b.test"]) } | transport_rules: { "r": (delete_message: true) }
        | remote_domains: { "rd": (domain_name: "b.test", auto_forward_enabled: false) } | organization_config: (reject_direct_send: true)
        | transport_config: (smtp_client_authentication_disabled: false) | transport_config: (allow_legacy_tls_clients: true)
        | send_as: { "u@o.test": ["v@o.test"] } | ip_allow_list: ["192.0.2.1"] | checks: (spf: Enforce) | dkim: "o.test" | protected_by: "f"
        | security_defaults: true | hosted_outbound_spam_filter_policy: (auto_forwarding_mode: Off) | replication: "10m""#,
    ),
    (
        "systems: { \"org\": ExchangeServer(@) }",
        r#"hosts: { "s3": () } | version: Exchange2016 | sites: { "S1": (hub_site_enabled: true) } | site_links: { "l": (cost: 5) }
        | database_availability_groups: { "g": (servers: ["s1"]) } | mailbox_databases: { "d": (mailboxes: ["u@s.test"], servers: ["s1"]) }
        | accepted_domains: { "n.test": Authoritative } | accepted_domains: { "s.test": InternalRelay }, match_sub_domains: ["s.test"]
        | recipients: { "q@s.test": MailUser(external: "q@b.test") } | recipient_filtering: true | address_book_enabled: { "s.test": false }
        | send_connectors: { "x": (address_spaces: ["*"]) } | receive_connectors: { "Default": (server: "s1", max_recipients_per_message: 9) }
        | remote_domains: { "rd": (domain_name: "b.test", auto_forward_enabled: false) } | transport_config: (max_send_size: "1MB")
        | transport_service: (transient_failure_retry_interval: "7m") | send_as: { "u@s.test": ["v@s.test"] } | checks: (spf: Enforce)
        | hosts: { "s1": (receives: [Tarpit(phase: Mail, delay: "3s")]) } | hosts: { "s4": (role: Edge) } | hosts: { "s4": (site: "S1") }"#,
    ),
    (
        "@",
        r#"dns: (records: "n.test. A 192.0.2.1") | dns: (remove: ["b.test MX"]) | dns: (views: { "v": (remove: ["b.test MX"]) })
        | dns: (views: { "w": (records: "n.test. A 192.0.2.1") }) | dns: (dnssec: { "b.test": Secure }) | authorities: { "ca": (trusted_by: ["b"]) }
        | authorities: { "ca": (not_after: "2h") } | certificates: { "cert": (subject: "q.test") } | certificates: { "cert": (names: ["q.test"]) }
        | certificates: { "cert": (issuer: "public") } | certificates: { "cert": (not_before: "2h") } | certificates: { "cert": (not_after: "3h") }
        | certificates: { "cert": (key: "k2") } | certificates: { "cert": (sends_chain: false) } | certificates: { "cert": (revocation: Revoked) }
        | certificates: { "cert": (weak_signature: true) } | mta_sts: { "o.test": (certificate: "cert") } | links: { "l": (latency: "3s") }
        | links: { "l": (between: ("b", "d")) } | exchange_online: (era: Eop2014) | exchange_online: (high_risk_pool: ["192.0.2.91"])
        | exchange_online: (relay_pool: ["192.0.2.92"]) | exchange_online: (switches: { "basic_authentication_until": "2027-03-01" })
        | retry_queues: ["b"] | operations: [RetryQueue(server: "org", queue: "*")] | dns: (rest: NxDomain) | dns: (answer_order: AsWritten)
        | exchange_online: (pool: 3) | exchange_online: (addresses: ["192.0.2.90"])"#,
    ),
];

/// What a scenario means, or what is wrong with it.
fn meaning(changes: &str) -> Result<String, Vec<Diagnostic>> {
    match load_text("x", &format!("Scenario({WORLD} changes: {{ \"c\": (at: \"1h\", {changes}) }})")) {
        Ok(loaded) => Ok(format!("{:?}", loaded.model)),
        Err(invalid) => Err(invalid.problems.into_iter().filter(|problem| problem.severity == mailtwin::diag::Severity::Error).collect()),
    }
}

#[test]
fn every_field_of_a_change_acts_or_is_refused() {
    let plain = meaning("").unwrap_or_else(|problems| panic!("{:#?}", lines(&problems)));
    let (mut silent, mut strange, mut acting, mut refused) = (vec![], vec![], 0, 0);
    for (frame, fields) in FIELDS {
        for field in fields.split('|').map(str::trim) {
            let text = frame.replace('@', field);
            match meaning(&text) {
                Ok(meant) if meant == plain => silent.push(text),
                Ok(_) => acting += 1,
                Err(problems) if problems.iter().all(|problem| ["MT0503", "MT0304", "MT0501"].contains(&problem.code.id)) => {
                    refused += problems.iter().filter(|problem| !problem.help.is_empty()).count().min(1);
                }
                Err(problems) => strange.push(format!("{text}: {:?}", lines(&problems))),
            }
        }
    }
    assert!(silent.is_empty(), "these may be written in a dated change and do nothing: {silent:#?}");
    assert!(strange.is_empty(), "{strange:#?}");
    assert!(acting > 120 && refused > 40, "{acting} act, {refused} are refused");
}
