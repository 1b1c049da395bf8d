//! Does the program keep its promises to the shell: exit codes, streams, files, colours?

use std::fs;
use std::process::{Command, Stdio};

mod shell;

use shell::{Ended, Folder};

const VALID: &str = r#"Scenario(
    name: "one message",
    systems: {
        "contoso": Mta(mailboxes: ["*@contoso.com"]),
        "fabrikam": Mta(mailboxes: ["*@fabrikam.com"]),
    },
    traffic: { "mail": Message(from: "bob@fabrikam.com", to: ["alice@contoso.com"]) },
)
"#;
const TESTED: &str = r#"Scenario(
    name: "two servers",
    until: "1h",
    systems: {
        "contoso": Mta(hostname: "mx.contoso.com", mailboxes: ["*@contoso.com"]),
        "fabrikam": Mta(hostname: "mx.fabrikam.com", mailboxes: ["*@fabrikam.com"]),
    },
    dns: (records: "contoso.com. MX 10 mx.contoso.com.\nmx.contoso.com. A 192.0.2.1\nmx.fabrikam.com. A 192.0.2.2"),
    traffic: { "mail": Message(from: "bob@fabrikam.com", to: ["alice@contoso.com"], count: 3, gap: "1m") },
    variants: { "nobody there": (faults: { "dark": Down(target: "contoso") }) },
    tests: {
        "it arrives": (send: (from: "bob@fabrikam.com", to: ["alice@contoso.com"]), expect: [Delivered(to: "contoso")]),
        "all of them": (expect: [Delivered(to: "contoso", within: "5s")]),
    },
)
"#;
const INVALID: &str = "Scenario(\n    nam: \"a slip of the finger\",\n)\n";

#[test]
fn code_0_fine() {
    let folder = Folder::new("fine").with("valid.ron", VALID);
    let ended = folder.run(&["check", "valid.ron"]).is(0);
    assert_eq!((&*ended.out, &*ended.err), ("valid.ron: valid\n", ""));
    folder.run(&["--version"]).is(0);
    assert!(folder.run(&["check", "--help"]).is(0).out.contains("Example:"));
}

#[test]
fn code_1_the_answer_is_no() {
    let folder = Folder::new("no").with("tested.ron", TESTED).with("none.ron", VALID);
    let ended = folder.run(&["test", "."]).is(0);
    assert!(ended.out.contains("  ok      it arrives\n"), "{}", ended.out);
    assert!(ended.out.ends_with("\n2 tests in 2 files: 2 passed, 1 file without tests\n"), "{}", ended.out);
    let ended = folder.run(&["test", ".", "--fail", "contoso@0s..30m"]).is(1);
    assert!(ended.out.contains("  FAILED  all of them\n"), "{}", ended.out);
    let again = "mailtwin explain tested.ron --fail contoso@0s..30m --message mail#1";
    assert!(ended.out.contains(again), "{again} is missing in {}", ended.out);
    let bounded = folder.run(&["run", "tested.ron", "--set", "limits.events=2"]).is(1);
    assert!(bounded.out.contains("CUT SHORT") && bounded.err.contains("cut short by a bound"), "{bounded:#?}");
}

/// OUT-6: two connectors for one domain are taken, and `check` answers no; in a variant they are a warning, and a switch decides.
#[test]
fn code_1_equally_close_connectors() {
    let tenant = |connectors: &str, more: &str| {
        format!(
            "Scenario(systems: {{ \"t\": ExchangeOnline(accepted_domains: {{ \"t.test\": Authoritative }}, outbound_connectors: {{ {connectors} }}{more}) }})"
        )
    };
    let two = r#""a": (recipient_domains: ["*"]), "b": (recipient_domains: ["*"])"#;
    let variant = format!(
        r#"Scenario(systems: {{ "t": ExchangeOnline(accepted_domains: {{ "t.test": Authoritative }}) }}, variants: {{ "two": (systems: {{ "t": ExchangeOnline(outbound_connectors: {{ {two} }}) }}) }})"#
    );
    let folder = Folder::new("equal")
        .with("two.ron", &tenant(two, ""))
        .with("decided.ron", &tenant(two, r#", switches: { "OUT-6": "name" }"#))
        .with("variant.ron", &variant);
    let ended = folder.run(&["check", "two.ron"]).is(1);
    assert!(ended.out.contains("warning[MT0403]: `a` and `b` are equally close to `*`"), "{}", ended.out);
    assert!(ended.out.ends_with("two.ron: valid, 1 warning\n"), "{}", ended.out);
    folder.run(&["check", "decided.ron"]).is(0);
    assert!(folder.run(&["check", "variant.ron"]).is(0).out.contains("MT0403"));
}

#[test]
fn code_2_usage() {
    let folder = Folder::new("usage");
    for args in [&["chekc"][..], &[], &["check", "--format", "xml"]] {
        let ended = folder.run(args).is(2);
        assert_eq!(ended.out, "", "{args:?}");
        assert!(ended.err.contains("Usage:") || ended.err.contains("possible values"), "{}", ended.err);
    }
}

#[test]
fn code_3_invalid() {
    let folder = Folder::new("invalid").with("broken.ron", INVALID);
    let ended = folder.run(&["check", "broken.ron"]).is(3);
    assert!(ended.out.contains("error[MT0002]") && ended.out.contains("broken.ron:2:5"), "{}", ended.out);
    assert!(ended.out.ends_with("broken.ron: invalid, 1 error\n"), "{}", ended.out);
    let ended = folder.run(&["run", "broken.ron"]).is(3);
    assert!(ended.out.is_empty() && ended.err.contains("error[MT0002]"), "{ended:#?}");
    let ended = folder.run(&["run", "broken.ron", "--format", "json", "-o", "result.json"]).is(3);
    assert!(ended.err.is_empty() && !folder.0.join("result.json").exists(), "{ended:#?}");
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&document["schema"], &document["problems"][0]["code"]), (&"mailtwin.problems/1".into(), &"MT0002".into()));
    assert!(folder.run(&["test", "broken.ron"]).is(3).out.contains("broken.ron: invalid"));
}

/// More traffic than anybody can wait for is refused at once, at its place, with a way out; a bound that the scenario writes counts.
#[test]
fn a_flood_is_refused_before_it_is_played() {
    let flood = TESTED.replace("count: 3, gap: \"1m\"", "count: 3000000, gap: \"1ms\"");
    let folder = Folder::new("flood").with("flood.ron", &flood);
    for question in [&["chart", "flood.ron", "failover"][..], &["explain", "flood.ron", "--message", "mail#1"]] {
        let ended = folder.run(question).is(3);
        assert!(ended.err.contains("error[MT0307]") && ended.err.contains("limits: (messages: 3000000)"), "{}", ended.err);
    }
    let ended = folder.run(&["test", "flood.ron"]).is(3);
    assert!(ended.out.contains("  ok      it arrives") && ended.out.contains("  ERROR   all of them"), "{}", ended.out);
    folder.run(&["explain", "flood.ron", "--from", "bob@fabrikam.com", "--to", "alice@contoso.com"]).is(0);
    let ended = folder.run(&["run", "flood.ron", "--set", "limits.messages=2000000"]).is(3);
    assert!(ended.err.contains("a run has at most 2000000"), "{}", ended.err);
    folder.run(&["run", "flood.ron", "--until", "1s"]).is(0);
}

/// The end that somebody asked for is no bound, not even if it is the last moment of all.
#[test]
fn thirty_days_can_be_asked_for() {
    let dark = TESTED
        .replace("until: \"1h\"", "faults: { \"dark\": Down(target: \"contoso\") }")
        .replace("Mta(", "Mta(settings: { \"lifetime\": \"100d\" }, ");
    let folder = Folder::new("thirty_days").with("dark.ron", &dark);
    folder.run(&["run", "dark.ron", "--until", "30d"]).is(0);
    folder.run(&["run", "dark.ron"]).is(1);
}

#[test]
fn code_4_nothing_selected() {
    let folder = Folder::new("nothing").with("plan.ron", "Plan(seeds: 4)").with(".hidden/valid.ron", VALID);
    let ended = folder.run(&["check", "."]).is(4);
    assert_eq!((&*ended.out, &*ended.err), ("", "mailtwin: there is no scenario in `.`\n"));
    let folder = folder.with("valid.ron", VALID);
    folder.run(&["test", "valid.ron"]).is(4);
    let ended = folder.run(&["explain", "valid.ron", "--message", "mial#1"]).is(4);
    assert!(ended.err.contains("did you mean `mail#1`?"), "{}", ended.err);
}

#[test]
fn code_70_our_bug() {
    let ended =
        Command::new(std::env::current_exe().unwrap()).args(["--exact", "a_bug", "--nocapture"]).env("MAILTWIN_TEST_BUG", "1").output();
    let ended = Ended::of(&ended.unwrap()).is(70);
    assert!(ended.err.contains("this is a bug in mailtwin") && ended.err.contains("a sentence about it"), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
}

/// Played by the test above in a process of its own.
#[test]
fn a_bug() {
    if std::env::var_os("MAILTWIN_TEST_BUG").is_some() {
        mailtwin::cli::report_panics();
        panic!("a sentence about it");
    }
}

#[test]
fn code_74_input_and_output() {
    let folder = Folder::new("io").with("valid.ron", VALID);
    let ended = folder.run(&["check", "missing.ron"]).is(74);
    assert_eq!((&*ended.out, &*ended.err), ("", "mailtwin: cannot read `missing.ron`: there is no such file or folder\n"));
    let ended = folder.run(&["check", "valid.ron", "-o", "no/such/folder.txt"]).is(74);
    assert!(ended.err.contains("cannot write `no/such/folder.txt`"), "{}", ended.err);
    // Even if something else was wrong too.
    folder.run(&["check", "missing.ron", "valid.ron"]).is(74);
}

#[test]
fn results_go_to_the_file_that_was_named() {
    let folder = Folder::new("output").with("valid.ron", VALID).with("old.txt", "old and longer than the new text");
    let ended = folder.run(&["check", "valid.ron", "-o", "old.txt"]).is(0);
    assert_eq!((&*ended.out, &*ended.err), ("", ""));
    assert_eq!(fs::read_to_string(folder.0.join("old.txt")).unwrap(), "valid.ron: valid\n");
    let left: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left beside it: {left:?}");
    assert_eq!(folder.run(&["check", "valid.ron", "-o", "-"]).is(0).out, "valid.ron: valid\n");
}

/// A file appears whole or not at all, and nothing that waits beside it under a likely name is written into.
#[cfg(unix)]
#[test]
fn a_result_is_written_beside_its_place_and_then_renamed() {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    let folder = Folder::new("beside").with("valid.ron", VALID).with("old.txt", "old").with("precious.txt", "precious");
    symlink("precious.txt", folder.0.join(".old.txt.tmp")).unwrap();
    symlink("old.txt", folder.0.join("link.txt")).unwrap();
    let before = fs::metadata(folder.0.join("old.txt")).unwrap().ino();
    folder.run(&["check", "valid.ron", "-o", "link.txt"]).is(0);
    assert_eq!(fs::read_to_string(folder.0.join("precious.txt")).unwrap(), "precious");
    assert_eq!(fs::read_to_string(folder.0.join("old.txt")).unwrap(), "valid.ron: valid\n");
    assert_ne!(fs::metadata(folder.0.join("old.txt")).unwrap().ino(), before, "another file stands in its place");
    assert!(folder.0.join("link.txt").is_symlink(), "the link is still one");
    folder.run(&["check", "valid.ron", "-o", "/dev/null"]).is(0);
}

/// Names of a scenario are shown as text: they move no cursor, hide no word, and are no markup.
#[test]
fn hostile_names_stay_names() {
    let name = "\u{1b}[31mA\u{202e}<script>alert(1)</script>&'\u{1}\u{7f}";
    let text = TESTED.replace("\"contoso\"", &format!("\"{name}\"")).replace("two servers", name).replace("it arrives", name);
    let text = text.replace("\"mail\"", &format!("\"{name}\"")).replace("within: \"5s\"", "within: \"1ns\"");
    let broken = format!("Scenario(name: 1, {name}: 2, systems: {{ \"{name}\": Mta(), \"{name}\": Mta{name}() }})");
    let folder = Folder::new("hostile").with("names.ron", &text).with("broken.ron", &broken);
    let questions: [&[&str]; 9] = [
        &["run", "names.ron"],
        &["run", "names.ron", "--format", "json", "--trace", "steps"],
        &["run", "names.ron", "--trace", "counters"],
        &["explain", "names.ron", "--from", "bob@fabrikam.com", "--to", "alice@contoso.com"],
        &["test", "names.ron"],
        &["test", "names.ron", "--format", "json"],
        &["chart", "names.ron", "failover"],
        &["check", "broken.ron"],
        &["check", "broken.ron", "--format", "json"],
    ];
    for question in questions {
        let ended = folder.run(question);
        assert!(matches!(ended.code, 0 | 1 | 3), "{question:?}: {ended:?}");
        let shown = ended.out + &ended.err;
        let hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!shown.contains(hostile), "{question:?}: {shown:?}");
        if question[0] == "chart" {
            assert!(!shown.contains("<script") && shown.contains("&lt;script&gt;"), "{shown}");
        }
    }
}

#[test]
fn standard_input_is_a_scenario() {
    let folder = Folder::new("stdin");
    assert_eq!(folder.run_with(&["check", "-"], VALID.as_bytes()).is(0).out, "<stdin>: valid\n");
    assert!(folder.run_with(&["check", "-"], b"Scenario(name: \"\xff\")").is(3).out.contains("MT0008"));
    assert!(folder.run_with(&["check", "-"], b"").is(3).out.contains("<stdin>: invalid"));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let folder = Folder::new("colours").with("broken.ron", INVALID);
    let coloured = |ended: Ended| ended.out.contains('\u{1b}');
    assert!(!coloured(folder.run(&["check", "broken.ron"])), "a pipe is no terminal");
    assert!(coloured(folder.run(&["check", "broken.ron", "--color", "always"])));
    let with = |name: &str, args: &[&str]| Ended::of(&folder.command(args).env(name, "1").output().unwrap());
    assert!(coloured(with("CLICOLOR_FORCE", &["check", "broken.ron"])));
    assert!(!coloured(with("CLICOLOR_FORCE", &["check", "broken.ron", "--color", "never"])));
    folder.run(&["check", "broken.ron", "--color", "always", "-o", "result.txt"]).is(3);
    assert!(!fs::read_to_string(folder.0.join("result.txt")).unwrap().contains('\u{1b}'), "never into a file of ours");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new("pipe").with("valid.ron", VALID);
    let mut child = folder.command(&["check", "valid.ron"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = Ended::of(&child.wait_with_output().unwrap()).is(0);
    assert_eq!(ended.err, "");
}

#[test]
fn problems_for_programs() {
    let folder = Folder::new("json").with("a/broken.ron", INVALID).with("a/valid.ron", VALID);
    let ended = folder.run(&["check", "a", "--format", "json"]).is(3);
    let document: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(document["schema"], "mailtwin.check/1");
    assert_eq!(document["files"][0]["file"], "a/broken.ron");
    assert_eq!(document["files"][0]["problems"][0]["code"], "MT0002");
    assert_eq!(document["files"][0]["problems"][0]["place"]["line"], 2);
    assert_eq!(document["files"][1]["verdict"], "valid");
    assert_eq!(document["totals"]["invalid"], 1);
    let junk: serde_json::Value =
        serde_json::from_str(&folder.run_with(&["check", "-", "nowhere.ron", "--format", "json"], b"junk").out).unwrap();
    assert_eq!(junk["files"][0]["problems"][0]["code"], "MT0010");
    assert_eq!(junk["unreadable"][0]["file"], "nowhere.ron");
    assert!(!ended.out.contains(env!("CARGO_TARGET_TMPDIR")), "no absolute path in a result");
}

#[test]
fn the_questions_are_answered_twice_alike() {
    let folder = Folder::new("answers").with("tested.ron", TESTED);
    let questions: [&[&str]; 8] = [
        &["run", "tested.ron"],
        &["run", "tested.ron", "--format", "json"],
        &["run", "tested.ron", "--trace", "counters", "--format", "json"],
        &["run", "tested.ron", "--trace", "fates"],
        &["explain", "tested.ron", "--message", "mail#2"],
        &["explain", "tested.ron", "--from", "bob@fabrikam.com", "--to", "alice@contoso.com", "--at", "5m", "--format", "json"],
        &["test", "tested.ron", "--format", "json"],
        &["chart", "tested.ron", "failover"],
    ];
    for question in questions {
        let first = folder.run(question).is(0);
        assert_eq!((first.err.as_str(), first.out.is_empty()), ("", false), "{question:?}");
        assert_eq!(first.out, folder.run(question).out, "{question:?}");
        assert!(!first.out.contains(env!("CARGO_TARGET_TMPDIR")), "{question:?}: no absolute path in a result");
        if question.contains(&"json") {
            let document: serde_json::Value = serde_json::from_str(&first.out).unwrap();
            assert!(document["schema"].as_str().is_some_and(|schema| schema.starts_with("mailtwin.")), "{question:?}");
        }
    }
}

#[test]
fn what_if_flags_are_laid_over_and_shown_again() {
    let folder = Folder::new("what_if").with("tested.ron", TESTED);
    let ended = folder.run(&["run", "tested.ron", "--variant", "nobody there", "--until", "10m", "--seed", "7"]).is(0);
    let again = "mailtwin explain tested.ron --variant 'nobody there' --seed 7 --until 10m --message mail#1";
    assert!(ended.out.contains("seed 7, until 10m") && ended.out.contains("queued") && ended.out.contains(again), "{}", ended.out);
    folder.run(&["explain", "tested.ron", "--variant", "nobody there", "--seed", "7", "--until", "10m", "--message", "mail#1"]).is(0);
    for (flags, word) in [
        (["--variant", "somebody there"], "did you mean `nobody there`?"),
        (["--fail", "contosso"], "did you mean `contoso`?"),
        (["--set", "sede=1"], "did you mean `seed`?"),
        (["--until", "10"], "--until:1:"),
    ] {
        let ended = folder.run(&["run", "tested.ron", flags[0], flags[1]]).is(3);
        assert!(ended.err.contains(word), "{flags:?}: {}", ended.err);
    }
    let late = folder.run(&["explain", "tested.ron", "--from", "bob@fabrikam.com", "--to", "alice@contoso.com", "--at", "60d"]).is(0);
    assert!(late.out.contains("delivered at contoso"), "{}", late.out);
    folder.run(&["explain", "tested.ron"]).is(2);
    folder.run(&["explain", "tested.ron", "--message", "mail#1", "--to", "alice@contoso.com"]).is(2);
}

/// RFC 8460: a file per sender, domain and day, whatever the names are; it needs every connection.
#[test]
fn reports_about_tls() {
    let text = r#"Scenario(
        start: "2026-03-02 23:00",
        dns: (records: "lumen.example. MX 10 mx1.lumen.example.\nmx1.lumen.example. A 192.0.2.1\n_mta-sts.lumen.example. TXT \"v=STSv1; id=1\"\n_smtp._tls.lumen.example. TXT \"v=TLSRPTv1; rua=mailto:tls@lumen.example\"\nsilent.example. MX 10 mx1.lumen.example."),
        mta_sts: { "lumen.example": (policy: "version: STSv1\nmode: testing\nmx: mx1.lumen.example\nmax_age: 86400") },
        systems: {
            "../the bakery": Mta(hostname: "out.bakery.example", mailboxes: ["*@bakery.example"], tls: (mta_sts: true)),
            "lumen": Mta(hostname: "mx1.lumen.example", mailboxes: ["*@lumen.example", "*@silent.example"], certificate: "self-signed"),
        },
        traffic: { "m": Message(from: "o@bakery.example", to: ["m@lumen.example", "n@lumen.example"], count: 4, gap: "30m"), "s": Message(from: "o@bakery.example", to: ["m@silent.example"]) },
    )"#;
    let folder = Folder::new("tls-report").with("x.ron", text);
    let ended = folder.run(&["run", "x.ron", "--tls-report", "out/deep"]).is(0);
    assert!(ended.err.contains("no report for silent.example"), "{}", ended.err);
    let mut names: Vec<String> =
        fs::read_dir(folder.0.join("out/deep")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(
        names,
        ["out.bakery.example!lumen.example!1772409600!1772495999.json", "out.bakery.example!lumen.example!1772496000!1772582399.json"]
    );
    let first: serde_json::Value = serde_json::from_slice(&fs::read(folder.0.join("out/deep").join(&names[0])).unwrap()).unwrap();
    assert_eq!(
        (&first["organization-name"], &first["contact-info"]),
        (&"out.bakery.example".into(), &"postmaster@out.bakery.example".into())
    );
    let policy = &first["policies"][0];
    assert_eq!((&policy["policy"]["policy-type"], &policy["policy"]["mx-host"][0]), (&"sts".into(), &"mx1.lumen.example".into()));
    assert_eq!(policy["summary"]["total-failure-session-count"], 2, "a session counts once, however many recipients it has: {policy}");
    assert_eq!(policy["failure-details"][0]["result-type"], "certificate-not-trusted");
    folder.run(&["run", "x.ron", "--tls-report", "out", "--trace", "fates"]).is(2);
    folder.run(&["run", "x.ron", "--tls-report", "x.ron"]).is(74);
}

/// A problem that only overlays bring points at text that is right as it stands, so it says whose it is.
#[test]
fn check_says_in_which_variant_or_test_a_problem_lies() {
    let text = r#"Scenario(
    systems: {
        "contoso": Mta(hostname: "mx.contoso.com", mailboxes: ["*@contoso.com"]),
    },
    dns: (records: "contoso.com. MX 10 mx.contoso.com.\nmx.contoso.com. A 192.0.2.1"),
    traffic: { "mail": Message(from: "bob@fabrikam.com", to: ["alice@contoso.com"]) },
    variants: {
        "no address": (dns: (remove: ["mx.contoso.com A"])),
        "nor MX": (dns: (remove: ["contoso.com MX", "mx.contoso.com A"])),
    },
    tests: {
        "with a variant": (variant: "no address", expect: [NothingLost()]),
        "with its own": (given: (systems: { "contoso": Mta(certificate: "nope") }), expect: [NothingLost()]),
    },
)"#;
    let said = Folder::new("whose").with("t.ron", text).run(&["check", "--format", "json", "t.ron"]).is(3).out;
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    let problems = document["files"][0]["problems"].as_array().unwrap();
    let whose: Vec<String> = problems
        .iter()
        .map(|problem| {
            let also = &problem["also"][0];
            format!("{} {}: {}", problem["code"].as_str().unwrap(), also["place"]["line"], also["message"].as_str().unwrap_or_default())
        })
        .collect();
    let expected = [
        "MT0104 8: only in this variant and one other",
        "MT0110 8: only in this variant",
        "MT0111 8: only in this variant and one other",
        "MT0101 13: only in this test",
    ];
    assert_eq!(whose, expected, "{said}");
}

/// docs/scenario-format.md, Overlays: flags come last, also behind what a test lays over its file.
#[test]
fn flags_have_the_last_word_in_tests() {
    let text = r#"Scenario(
    dns: (records: "d.example. MX 10 a.d.example.\na.d.example. A 192.0.2.1"),
    systems: { "a": Mta(hostname: "a.d.example", mailboxes: ["*@d.example"]) },
    variants: { "slow": (systems: { "a": Mta(service_time: "2s") }) },
    tests: {
        "t": (
            send: (from: "b@x.example", to: ["q@d.example"]),
            expect: [Delivered(no_sooner: "9s", within: "11s")],
            cases: {
                "file": (),
                "variant": (variant: "slow"),
                "given": (given: (systems: { "a": Mta(service_time: "3s") })),
                "fault": (given: (faults: { "dark": Down(target: "a", until: "1h") })),
            },
        ),
    },
)"#;
    let folder = Folder::new("last_word").with("t.ron", text);
    folder.run(&["test", "t.ron"]).is(1);
    let ended = folder.run(&["test", "t.ron", "--set", r#"systems.a.service_time="9s""#, "--set", "faults.dark=None"]).is(0);
    assert!(ended.out.contains("4 passed"), "{}", ended.out);
}

#[test]
fn tests_of_a_base_are_not_those_of_the_file_on_it() {
    let upper = r#"Scenario(base: "base.ron", systems: { "contoso": Mta(max_message_size: "1MB") })"#;
    let half = r#"Scenario(base: "base.ron", tests: { "it arrives": (until: "1h") })"#;
    let folder = Folder::new("base").with("base.ron", TESTED).with("upper.ron", upper).with("half.ron", half);
    let ended = folder.run(&["test", "upper.ron"]).is(4);
    assert!(ended.out.starts_with("upper.ron: no tests of its own: those of its base `base.ron` stay there\n"), "{ended:?}");
    let ended = folder.run(&["test", "half.ron"]).is(3);
    assert!(ended.out.contains("= help: write `expect: [ … ]`; the tests of the base stay with it"), "{ended:?}");
    assert!(folder.run(&["run", "upper.ron"]).is(0).out.starts_with("upper\n"), "its name is its own too");
}
