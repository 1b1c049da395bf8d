//! Which mail goes over a connection that is open already? One line per case and server.
//!
//! Sources: Postfix CONNECTION_CACHE_README, qmgr_entry.c, smtp_connect.c; Exim transport.c `transport_check_waiting`; Sendmail mci.c, deliver.c, and the
//! recordings `throttle-30` and `outage-other-domain-same-host` of `tests/observed`; KumoMTA `make_egress_path`.

use mailtwin::analysis::{self, outcome::Outcome};
use mailtwin::diag::{Style, render};
use mailtwin::engine::{self, Options};
use mailtwin::scenario::load_text;
use mailtwin::trace::level;
use std::fmt::Write as _;

/// A case: name, profile, settings, certificate of the hosts, faults, traffic, expected.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, &'a str);

fn scenario((_, profile, settings, certificate, faults, traffic, _): Case<'_>) -> String {
    let runs = if matches!(profile, "Exim" | "Sendmail") { r#", queue_runs: (every: "10m")"# } else { "" };
    format!(
        r##"Scenario(
    until: "2h",
    dns: (records: r#"
        dest.test.  MX 10 mx1.dest.test.
        dest.test.  MX 20 mx2.dest.test.
        other.test. MX 10 mx1.dest.test.
        mx1.dest.test. A 192.0.2.1
        mx2.dest.test. A 192.0.2.2
        out.sender.test. A 192.0.2.9
    "#, answer_order: AsWritten),
    authorities: {{ "test CA": () }},
    certificates: {{ "good": (names: ["mx1.dest.test", "mx2.dest.test"], issuer: "test CA") }},
    systems: {{
        "sender": Mta(profile: {profile}, hostname: "out.sender.test", mailboxes: ["*@sender.test"], settings: {{ {settings} }}{runs}),
        "mx1": Mta(hostname: "mx1.dest.test", mailboxes: ["*"], certificate: "{certificate}"),
        "mx2": Mta(hostname: "mx2.dest.test", mailboxes: ["*"], certificate: "{certificate}"),
    }},
    faults: {{ {faults} }},
    traffic: {{ {traffic} }},
)"##
    )
}

/// Each connection in the order of time: its host, `*` if it was open already, `!` if it came to nothing; whole seconds where
/// so much passes between the ends of two.
fn play(text: &str) -> String {
    let loaded =
        load_text("case", text).unwrap_or_else(|invalid| panic!("{}\n{text}", render(&invalid.problems, &invalid.sources, Style::Plain)));
    let run = engine::run(&loaded.model, &Options { level: level::PATHS, ..Options::default() });
    let outcome: Outcome = analysis::build(&loaded.model, &run);
    let mut rows = Vec::new();
    for recipient in outcome.messages.iter().flat_map(|message| &message.recipients) {
        for connection in recipient.hops.first().into_iter().flat_map(|hop| &hop.attempts).flat_map(|attempt| &attempt.connections) {
            let open = if connection.why.contains("open already") { "*" } else { "" };
            let failed = if connection.result == mailtwin::base::ConnectionResult::Accepted { "" } else { "!" };
            let host = connection.name.split('.').next().unwrap_or_default();
            rows.push((connection.end.0, connection.number, format!("{host}{open}{failed}")));
        }
    }
    rows.sort();
    rows.dedup();
    let mut line = String::new();
    let mut last = None;
    for (end, _, word) in rows {
        let between = match last {
            None => String::new(),
            Some(before) if end - before >= 1_000_000_000 => format!(" +{}s ", (end - before) / 1_000_000_000),
            Some(_) => " ".to_owned(),
        };
        let _ = write!(line, "{between}{word}");
        last = Some(end);
    }
    line
}

#[test]
fn which_mail_goes_over_an_open_connection() {
    // One delivery at a time, so that the next follows when one is over.
    let one = r#""default_destination_concurrency_limit": "1", "initial_destination_concurrency": "1""#;
    let with = |more: &str| format!("{one}, {more}");
    let (never, tls) = (with(r#""smtp_connection_cache_on_demand": "no""#), with(r#""smtp_tls_connection_reuse": "yes""#));
    let counted = with(r#""smtp_connection_reuse_count_limit": "1""#);
    let named = r#""smtp_connection_cache_destinations": "dest.test""#;
    let longer = r#""smtp_connection_cache_destinations": "static:all", "smtp_connection_cache_time_limit": "5s""#;
    let short = with(r#""smtp_connection_reuse_time_limit": "1s""#);
    let four = r#""m": Burst(by: "sender", count: 4, over: "1ms", from: "ann@sender.test", to: ["u#@dest.test"])"#;
    let two = |gap: &str| format!(r#""m": Burst(by: "sender", count: 2, over: "{gap}", from: "ann@sender.test", to: ["u#@dest.test"])"#);
    let (second, seconds, minute) = (two("4s"), two("12s"), two("160s"));
    let down = |until: &str| format!(r#""f": Down(target: "mx1", how: Refused, until: "{until}")"#);
    let (soon, five) = (down("450ms"), down("5m"));
    let both = format!(r#"{five}, "g": Down(target: "mx2", how: Refused, until: "5m")"#);
    let silent = r#""f": Down(target: "mx1", at: "1s")"#;
    let reset = r#""f": Down(target: "mx1", how: Refused, at: "1s")"#;
    let back = r#""f": Down(target: "mx1", how: Refused, at: "1s", until: "1500ms")"#;
    let domains = r#"
        "a": Message(by: "sender", from: "ann@sender.test", to: ["bob@other.test"]),
        "b": Message(by: "sender", at: "2s", from: "ann@sender.test", to: ["eve@other.test"]),
        "c": Message(by: "sender", at: "4s", from: "ann@sender.test", to: ["joe@other.test"])"#;
    let cases: [Case<'_>; 28] = [
        // Kept is from the second of two that follow each other on.
        ("four at once", "Postfix", one, "none", "", four, "mx1 mx1 mx1* mx1*"),
        ("four at once, side by side", "Postfix", "", "none", "", four, "mx1 mx1 mx1 mx1"),
        ("not kept at all", "Postfix", &never, "none", "", four, "mx1 mx1 mx1 mx1"),
        ("used again once", "Postfix", &counted, "none", "", four, "mx1 mx1 mx1* mx1"),
        ("encrypted", "Postfix", one, "good", "", four, "mx1 mx1 mx1 mx1"),
        ("encrypted, smtp_tls_connection_reuse", "Postfix", &tls, "good", "", four, "mx1 mx1 mx1* mx1*"),
        ("for ever", "Postfix", &short, "none", "", four, "mx1 mx1 mx1* mx1*"),
        // Whose better host failed goes on with the worse one, although the better is back.
        ("the better host comes back", "Postfix", one, "none", &soon, four, "mx1! mx2 mx1! mx2 mx2* mx2*"),
        ("not kept: back to the better one", "Postfix", &never, "none", &soon, four, "mx1! mx2 mx1! mx2 mx1 mx1"),
        ("two, two seconds apart", "Postfix", "", "none", "", &second, "mx1 +1s mx1"),
        ("two, two seconds apart, destination named", "Postfix", named, "none", "", &second, "mx1 +1s mx1*"),
        ("two, six seconds apart, destination named", "Postfix", named, "none", "", &seconds, "mx1 +5s mx1"),
        ("two, two seconds apart, five seconds kept", "Postfix", longer, "none", "", &second, "mx1 +1s mx1*"),
        ("KumoMTA keeps for a minute", "KumoMta", "", "none", "", &seconds, "mx1 +5s mx1*"),
        ("KumoMTA, longer", "KumoMta", r#""idle_timeout": "3s""#, "none", "", &seconds, "mx1 +5s mx1"),
        ("OpenSMTPD keeps for ten seconds", "OpenSmtpd", "", "none", "", &seconds, "mx1 +6s mx1*"),
        ("OpenSMTPD, longer", "OpenSmtpd", "", "none", "", &minute, "mx1 +79s mx1"),
        ("qmail", "Qmail", "", "none", "", &second, "mx1 +1s mx1"),
        ("KumoMTA, one message each", "KumoMta", r#""max_deliveries_per_connection": "1""#, "none", "", &minute, "mx1 +79s mx1"),
        // A run tries a dead host once; when it is back all go over one connection.
        ("three wait", "Sendmail", "", "none", &five, domains, "mx1! +1s mx1! +2s mx1! +596s mx1 mx1* mx1*"),
        (
            "three wait, no cache",
            "Sendmail",
            r#""ConnectionCacheSize": "0""#,
            "none",
            &five,
            domains,
            "mx1! +1s mx1! +2s mx1! +596s mx1 mx1 mx1",
        ),
        ("three wait longer", "Sendmail", "", "none", &down("15m"), domains, "mx1! +1s mx1! +2s mx1! +596s mx1! +600s mx1 mx1* mx1*"),
        // What waits for a host is fetched as soon as one message got through.
        ("three wait", "Exim", "", "none", &both, domains, "mx1! +1200s mx1 mx1* mx1*"),
        ("three wait, one message each", "Exim", r#""connection_max_messages": "1""#, "none", &both, domains, "mx1! +1200s mx1 mx1 mx1"),
        // A line that broke meanwhile is noticed by RSET.
        ("the host falls silent", "Postfix", longer, "none", silent, &second, "mx1 +51s mx1! mx2"),
        ("the host falls silent, not kept", "Postfix", "", "none", silent, &second, "mx1 +31s mx1! mx2"),
        ("the host refuses", "Postfix", longer, "none", reset, &second, "mx1 +1s mx1! mx2"),
        ("the host was away", "Postfix", longer, "none", back, &second, "mx1 +1s mx1"),
    ];
    let mut wrong = String::new();
    for case in cases {
        let got = play(&scenario(case));
        if got != case.6 {
            let _ = writeln!(wrong, "{}, {}\n  rules: {}\n  here:  {got}", case.0, case.1, case.6);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
