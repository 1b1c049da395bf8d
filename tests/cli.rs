//! Does the program keep its promises to the shell: exit codes, streams, files, colours?

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of one test, empty at its beginning.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let place = self.0.join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
        self
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailtwin"));
        command
            .args(args)
            .current_dir(&self.0)
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("TERM", "xterm")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::of(&self.command(args).output().unwrap())
    }

    fn run_with(&self, args: &[&str], input: &[u8]) -> Ended {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ended::of(&child.wait_with_output().unwrap())
    }
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().expect("it was not killed"), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

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

/// A pass that tried nobody is a reason too: Exim's memory of a host says why a message waited.
#[test]
fn explain_says_why_nothing_was_tried() {
    let scenario = std::fs::read_to_string("scenarios/smtp/20-exim-remembers.ron").unwrap();
    let folder = Folder::new("nothing_tried").with("exim.ron", &scenario);
    let ended = folder.run(&["explain", "exim.ron", "--message", "ten minutes later#1"]).is(0);
    let told = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("10m: nothing is tried; next look at 30m: retry time not reached"), "{}", ended.out);
}

/// Who waits for a place is told for which limit, from when to when, or that he still waits.
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
