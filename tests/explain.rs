//! Does `explain` say of a message what happened, when, and why, in words that are true?

mod shell;

use shell::Folder;

/// A pass that tried nobody is a reason too: Exim's memory of a host says why a message waited.
#[test]
fn explain_says_why_nothing_was_tried() {
    let scenario = std::fs::read_to_string("scenarios/smtp/20-exim-remembers.ron").unwrap();
    let folder = Folder::new("nothing_tried").with("exim.ron", &scenario);
    let ended = folder.run(&["explain", "exim.ron", "--message", "ten minutes later#1"]).is(0);
    let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("10m: nothing is tried; next look at 30m: retry time not reached"), "{}", ended.out);
}

/// A test with a `given` that no flag can say: the command under its failure shows that world, also beside traffic.
#[test]
fn explain_follows_a_test() {
    let scenario = r##"Scenario(
        dns: (records: r#"
            d.example.        MX 10 mx1.d.example.
            d.example.        MX 20 mx2.d.example.
            mx1.d.example.    A 192.0.2.1
            mx2.d.example.    A 192.0.2.2
        "#),
        systems: {
            "s": Mta(mailboxes: ["*@s.example"]),
            "mx1": Mta(hostname: "mx1.d.example", mailboxes: ["*@d.example"]),
            "mx2": Mta(hostname: "mx2.d.example", mailboxes: ["*@d.example"]),
        },
        traffic: { "t": Every(interval: "1m", from: "a@s.example", to: ["c@d.example"]) },
        tests: {
            "refused": (send: (from: "a@s.example", to: ["b@d.example"]), cases: {
                "at RCPT": (given: (faults: { "no": Reply(target: "mx1", phase: Rcpt, code: "550 5.1.1") }), expect: [Delivered()]),
                "beside traffic": (with_traffic: true, until: "3m", given: (faults: { "no": Reply(target: "mx1", phase: Rcpt, code: "550 5.1.1") }), expect: [Delivered()]),
            }),
            "own run": (until: "3m", expect: [NothingLost()]),
            "in its year": (given: (start: "2017-07-01"), send: (from: "a@s.example", to: ["b@d.example"]), expect: [Delivered()]),
            "later": (skip: "not yet", send: (from: "a@s.example", to: ["b@d.example"]), expect: [Delivered()]),
        },
    )"##;
    let folder = Folder::new("explain_follows_a_test").with("s.ron", scenario);
    let failed = folder.run(&["test", "s.ron"]);
    for case in ["refused / at RCPT", "refused / beside traffic"] {
        let command = format!("mailtwin explain s.ron --test '{case}' --seed 0");
        assert!(failed.out.contains(&command), "{}", failed.out);
        let shown = folder.run(&["explain", "s.ron", "--test", case, "--seed", "0"]);
        assert_eq!((shown.code, shown.out.contains("550 5.1.1")), (0, true), "{case}: {}{}", shown.out, shown.err);
    }
    assert!(!failed.out.contains("which lacks"), "{}", failed.out);
    let asked = [
        ("refused", "this scenario has no test `refused`; it has `refused / at RCPT`, `refused / beside traffic`"),
        ("refused / at RCTP", "did you mean `refused / at RCPT`?"),
        ("own run", "sends no message of its own; name one of its run with --message"),
        ("later", "the test `later` is skipped, and not played"),
    ];
    for (name, said) in asked {
        let ended = folder.run(&["explain", "s.ron", "--test", name]);
        assert_eq!((ended.code, ended.err.contains(said)), (4, true), "{name}: {}", ended.err);
    }
    assert!(folder.run(&["explain", "s.ron", "--test", "in its year"]).out.contains("entered at s at 2017-07-01 00:00:00"));
    assert_eq!(folder.run(&["explain", "s.ron", "--test", "own run", "--message", "t#2"]).code, 0);
    assert_eq!(folder.run(&["explain", "s.ron", "--test", "own run", "--to", "b@d.example"]).code, 2);
}

/// Who waits for a place is told for which limit, from when to when, or that he still waits.
#[test]
fn explain_says_who_waits_for_what() {
    let folder = Folder::new("waits").with(
        "waits.ron",
        r#"Scenario(
            dns: (records: "d.example. MX 10 a.d.example.\na.d.example. A 192.0.2.4"),
            systems: { "s": Mta(mailboxes: ["*@s.example"], settings: { "concurrency_limit": "1" }), "a": Mta(hostname: "a.d.example", mailboxes: ["*@d.example"]) },
            faults: { "slow": Tarpit(target: "a", phase: FinalDot, delay: "10s") },
            traffic: { "m": Message(count: 4, from: "x@s.example", to: ["u@d.example"]) },
        )"#,
    );
    let words = "d.example: 1 of 1 connections to it are taken, 1 message in line before it (concurrency_limit = 1); it ";
    for (flags, rest) in [(&[][..], "waited 20"), (&["--until", "15s"][..], "still waits, since 0s [TURN, settings]")] {
        let ended = folder.run(&[&["explain", "waits.ron", "--message", "m#3"], flags].concat()).is(0);
        let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(&format!("{words}{rest}")), "{}", ended.out);
    }
}

/// A message alone is played past the end of the file's run, so it waits out the Unreachable queue; where nobody writes an end, it waits for somebody.
#[test]
fn explain_waits_out_the_unreachable_queue() {
    let world = "systems: { \"org\": ExchangeServer(mailboxes: [\"al@contoso.com\"]) }";
    let folder = Folder::new("unreachable").with("end.ron", &format!("Scenario(until: \"4d\", {world})"));
    let folder = folder.with("none.ron", &format!("Scenario({world})"));
    for (file, flags, word) in [
        ("end.ron", &[][..], "expired at org"),
        ("end.ron", &["--at", "1m"], "expired at org"),
        ("end.ron", &["--until", "1d"], "queued at org"),
        ("none.ron", &[], "queued at org"),
        ("none.ron", &["--at", "1m"], "queued at org"),
    ] {
        let ended = folder.run(&[&["explain", file, "--from", "al@contoso.com", "--to", "p@x.example"], flags].concat()).is(0);
        assert!(ended.out.contains(word), "{file} {flags:?}: {}", ended.out);
    }
}

/// What is decided anew when a waiting message ends stands at its own moment, not before the first attempt.
#[test]
fn explain_dates_what_was_decided_later() {
    let tenant = "accepted_domains: { \"t.test\": InternalRelay }, outbound_connectors: { \"Home\": (connector_type: OnPremises, recipient_domains: [\"t.test\"], use_mx_record: false, smart_hosts: [\"192.0.2.10\"]) }";
    let world = |change: &str| {
        format!(
            "Scenario(dns: (records: \"t.test. MX 0 t-test.mail.protection.outlook.com.\"), systems: {{ \"t\": ExchangeOnline({tenant}), \"home\": Mta(addresses: [\"192.0.2.10\"], mailboxes: [\"*@t.test\"]) }}, changes: {{ \"c\": (at: \"20m\", systems: {{ \"t\": ExchangeOnline({change}) }}) }})"
        )
    };
    let folder = Folder::new("decided_later")
        .with("bounced.ron", &world("accepted_domains: { \"t.test\": Authoritative }"))
        .with("delivered.ron", &world("mailboxes: [\"al@t.test\"]"));
    for (file, hop, reason) in [
        ("bounced.ron", "hop 2: t -> nobody", "t.test: Authoritative: whoever is not in the tenant's directory does not exist"),
        ("delivered.ron", "hop 2: t -> its own mailbox", "al@t.test: a cloud mailbox"),
    ] {
        let ended = folder.run(&["explain", file, "--fail", "home@..2h", "--from", "q@far.test", "--to", "al@t.test"]).is(0);
        let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        let later = told.split_once("looked up again, and it ends here").map(|(_, later)| later);
        assert!(told.contains(hop) && later.is_some_and(|later| later.contains(reason)), "{file}: {}", ended.out);
        assert_eq!(told.matches(reason).count(), 1, "{file}: {}", ended.out);
        assert!(!told.contains("no further attempt"), "{file}: {}", ended.out);
    }
}

/// After a failover each hop ends where and when it ended, and the time in the mailbox is told by itself.
#[test]
fn explain_tells_of_failovers() {
    let scenario = std::fs::read_to_string("scenarios/exchange/safety-net.ron").unwrap();
    let second = "changes: { \"2\": (at: \"1h 1m\", systems: { \"org\": ExchangeServer(mailbox_databases: { \"DB1\": (active: \"EX1\", behind: \"30m\") }) }), ";
    let twice = scenario.replacen("changes: { ", second, 1);
    let folder = Folder::new("failovers").with("once.ron", &scenario).with("twice.ron", &twice);
    let cases: [(&str, &[&str]); 2] = [
        (
            "once.ron",
            &[
                "path far > EX1 > EX2 ",
                "hop 1: far -> EX1 queue meadow.example, rule MX; came 55m, left 55m 0.36s, 360ms in all",
                "before hop 2: in the mailbox at EX1 until the failover at 1h came 55m 0.36s, ended 1h, 5m in all",
                "hop 2: EX1 -> EX2 queue EX2, rule INT-1; came 1h, left 1h 0.36s, 360ms in all",
                "for <ann@meadow.example>; 55m 0.36s after the start",
            ],
        ),
        (
            "twice.ron",
            &[
                "path far > EX1 > EX2 > EX1 ",
                "hop 2: EX1 -> EX2 queue EX2, rule INT-1; came 1h, left 1h 0.36s, 360ms in all",
                "in the mailbox at EX2 until the failover at 1h 1m came 1h 0.36s,",
            ],
        ),
    ];
    for (file, expected) in cases {
        let ended = folder.run(&["explain", file, "--message", "late#1"]).is(0);
        let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        expected.iter().for_each(|words| assert!(told.contains(words), "{words}: {}", ended.out));
    }
}

/// What a shadow sends on was tried by another server first, until that died: its part is told too.
#[test]
fn explain_tells_what_a_lost_server_tried() {
    let folder = Folder::new("lost").with(
        "lost.ron",
        r#"Scenario(
            dns: (records: "far.example. MX 10 mx.far.example.\nmx.far.example. A 192.0.2.4"),
            systems: {
                "org": ExchangeServer(mailboxes: ["*@home.example"], hosts: { "ex1": (), "ex2": () }, send_connectors: { "out": (address_spaces: ["*"]) }),
                "far": Mta(hostname: "mx.far.example", mailboxes: ["*@far.example"]),
            },
            traffic: { "m": Message(by: "ex1", from: "a@home.example", to: ["x@far.example"]) },
            faults: { "far is off": Down(target: "far", how: Refused, until: "4h"), "ex1 burns": Down(target: "ex1", at: "10m", queue: Lost) },
        )"#,
    );
    let ended = folder.run(&["explain", "lost.ron", "--message", "m#1"]).is(0);
    let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "before hop 1: ex1, which lost it with its queue at 10m queue far.example",
        "attempts 2 to 6: the same, 1m to 5m apart, last at 9m the next attempt would have been at 14m; the end came at 10m hop 1: ex2 -> far",
        "LastError of the queue: 451 4.4.0 Primary target IP address responded with: \"421 4.2.1 Unable to connect.\"",
    ] {
        assert!(told.contains(part), "{part}\n{}", ended.out);
    }
}

/// What a sender makes of a certificate by itself is no word of the server, though Sendmail notes a code with it.
#[test]
fn explain_puts_no_words_into_a_servers_mouth() {
    let scenario = r#"Scenario(
    until: "1m",
    systems: {
        "out": Mta(profile: Sendmail, tls: (level: Verify)),
        "a": Mta(hostname: "a.example", mailboxes: ["*@d.example"], certificate: "self-signed"),
    },
    dns: (records: "d.example. MX 10 a.example.\na.example. A 192.0.2.1"),
    traffic: { "m": Message(by: "out", from: "u@s.example", to: ["r@d.example"]) },
)
"#;
    let folder = Folder::new("own_words").with("own.ron", scenario);
    let told = folder.run(&["explain", "own.ron", "--message", "m#1"]).is(0).out;
    assert!(told.contains("deferred, 454 4.7.0 S4: the certificate is self-signed"), "{told}");
    assert!(told.contains("no TLS, policy verify: S4: the certificate is self-signed"), "{told}");
    assert!(!told.contains("said by a") && !told.contains("reply 454"), "{told}");
}

/// Where one recipient's mailbox is at hand and another's is not, the first has no hop to nobody.
#[test]
fn explain_of_a_mailbox_beside_others() {
    let scenario = r#"Scenario(
    systems: {
        "eop": ExchangeOnline(accepted_domains: { "contoso.com": Authoritative }, mailboxes: ["al@contoso.com", "bo@contoso.com"]),
        "x": Mta(hostname: "mx.x.example", mailboxes: ["*@x.example"]),
    },
    dns: (records: "contoso.com. MX 0 contoso-com.mail.protection.outlook.com.\nx.example. MX 10 mx.x.example.\nmx.x.example. A 192.0.2.2"),
)
"#;
    let folder = Folder::new("beside").with("beside.ron", scenario);
    let told =
        folder.run(&["explain", "beside.ron", "--from", "al@contoso.com", "--to", "bo@contoso.com", "--to", "p@x.example"]).is(0).out;
    assert!(told.contains("  there, at eop\n") && !told.contains("nobody"), "{told}");
}

/// Two dark smart hosts for two days are the commonest outage: attempts that differ in whose turn it was are one line.
#[test]
fn explain_folds_attempts_that_differ_in_the_turn() {
    let text = r#"Scenario(
    dns: (records: "far.example. MX 10 mx.far.example.\nmx.far.example. A 198.51.100.9\ngw1.isp.example. A 203.0.113.1\ngw2.isp.example. A 203.0.113.2"),
    systems: {
        "org": ExchangeServer(mailboxes: ["*@meadow.example"], send_connectors: {
            "Out": (address_spaces: ["*"], dns_routing_enabled: false, smart_hosts: ["gw1.isp.example", "gw2.isp.example"]) }),
        "gw1": Gateway(hostname: "gw1.isp.example", relay_clients: ["org"]),
        "gw2": Gateway(hostname: "gw2.isp.example", relay_clients: ["org"]),
        "far": Mta(hostname: "mx.far.example", mailboxes: ["*@far.example"]),
    },
    faults: { "one": Down(target: "gw1", how: Refused), "two": Down(target: "gw2", how: Refused) },
)"#;
    let said = Folder::new("folded")
        .with("t.ron", text)
        .run(&["explain", "t.ron", "--from", "a@meadow.example", "--to", "x@far.example"])
        .is(0)
        .out;
    assert!(said.contains("expired") && said.lines().count() < 100, "{} lines\n{said}", said.lines().count());
}
