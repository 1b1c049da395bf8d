//! What do Postfix, Exim, Sendmail and OpenSMTPD make of the same trouble? One line per case: who is tried, how it ends, and with which words.
//!
//! These cases are those of `tests/observed` with one thing changed; expected is what the rules say (`docs/fidelity.md`), not what was recorded.
//! Sources: smtp_proto.c, smtp_connect.c, smtp_addr.c and smtp.h (Postfix), transports/smtp.c and retry.c (Exim), usersmtp.c (Sendmail), mta_session.c
//! (OpenSMTPD).

use mailtwin::analysis::{self, outcome::Outcome};
use mailtwin::base::Fate;
use mailtwin::diag::{Style, render};
use mailtwin::engine::{self, Options};
use mailtwin::scenario::load_text;
use mailtwin::trace::level;
use std::fmt::Write as _;

/// What may differ from one case to the next; what is empty is usual.
#[derive(Clone, Copy)]
struct World<'a> {
    /// Records beside those of mx1 and mx2.
    records: &'a str,
    faults: &'a str,
    /// Of the sender.
    tls: &'a str,
    /// Of mx1.
    certificate: &'a str,
    to: &'a str,
    /// More fields of the sender.
    more: &'a str,
    until: &'a str,
}

const USUAL: World<'static> = World {
    records: "dest.test. MX 10 mx1.dest.test.",
    faults: "",
    tls: "None",
    certificate: "none",
    to: "\"bob@dest.test\"",
    more: "",
    until: "3s",
};

const TWO: &str = "dest.test. MX 10 mx1.dest.test.\n        dest.test. MX 20 mx2.dest.test.";
const BOTH: &str = "\"bob@dest.test\", \"eve@dest.test\"";

/// The scenario: waits of four seconds and more, queue runs every two.
fn scenario(profile: &str, world: World<'_>) -> String {
    let settings = match profile {
        "Postfix" => {
            r#"settings: { "minimal_backoff_time": "4s", "maximal_backoff_time": "16s", "smtp_data_done_timeout": "3s" }, queue_runs: (every: "2s")"#
        }
        "Exim" => r#"settings: { "retry": "* * G,60s,4s,2", "final_timeout": "3s" }, queue_runs: (every: "2s")"#,
        "Sendmail" => r#"settings: { "MinQueueAge": "4s", "MaxQueueAge": "16s", "Timeout.datafinal": "3s" }, queue_runs: (every: "2s")"#,
        _ => "",
    };
    let World { records, faults, tls, certificate, to, more, until } = world;
    format!(
        r##"Scenario(
    until: "{until}",
    dns: (records: r#"
        $TTL 0
        {records}
        mx1.dest.test. A 192.0.2.1
        mx2.dest.test. A 192.0.2.2
        out.sender.test. A 192.0.2.9
    "#, rest: NxDomain, answer_order: AsWritten),
    authorities: {{ "test CA": () }},
    certificates: {{ "good": (names: ["mx1.dest.test"], issuer: "test CA") }},
    systems: {{
        "sender": Mta(profile: {profile}, hostname: "out.sender.test", mailboxes: ["*@sender.test"], relay_clients: ["sender"], tls: (level: {tls}), {more} {settings}),
        "mx1": Mta(hostname: "mx1.dest.test", mailboxes: ["*"], certificate: "{certificate}"),
        "mx2": Mta(hostname: "mx2.dest.test", mailboxes: ["*"], certificate: "none"),
    }},
    faults: {{ {faults} }},
    traffic: {{ "m": Message(by: "sender", from: "ann@sender.test", to: [{to}]) }},
)"##
    )
}

/// `bob delivered 250 2.0.0, eve queued 421 4.3.2; mx1 mx2; 0 4`: how each ends, hosts in order, whole seconds of the first one's attempts.
fn play(text: &str) -> String {
    let loaded =
        load_text("case", text).unwrap_or_else(|invalid| panic!("{}\n{text}", render(&invalid.problems, &invalid.sources, Style::Plain)));
    let run = engine::run(&loaded.model, &Options { level: level::PATHS, ..Options::default() });
    let outcome: Outcome = analysis::build(&loaded.model, &run);
    let message = outcome.messages.first().expect("a message");
    let (mut ends, mut hosts, mut times) = (Vec::new(), Vec::new(), String::new());
    for (at, recipient) in message.recipients.iter().enumerate() {
        let name = recipient.to.split('@').next().unwrap_or_default();
        let fate = if recipient.fate == Fate::Queued { "queued" } else { recipient.fate.as_str() };
        ends.push(format!("{name} {fate} {} {}", recipient.code, recipient.enhanced));
        for attempt in recipient.hops.first().into_iter().flat_map(|hop| &hop.attempts) {
            if at == 0 {
                let _ = write!(times, " {}", attempt.at.0 / 1_000_000_000);
            }
            hosts.extend(
                attempt.connections.iter().map(|row| (row.at, row.number, row.name.split('.').next().unwrap_or_default().to_owned())),
            );
        }
    }
    hosts.sort();
    hosts.dedup();
    let hosts: Vec<String> = hosts.into_iter().map(|(.., name)| name).collect();
    format!("{}; {};{times}", ends.join(", "), hosts.join(" "))
}

#[test]
fn each_server_in_its_own_way() {
    let reply = |phase: &str, code: &str| format!("\"f\": Reply(target: \"mx1\", phase: {phase}, code: \"{code}\")");
    let closing = |phase: &str| format!("\"f\": Reply(target: \"mx1\", phase: {phase}, code: \"421 4.3.2 bye\", then: Close)");
    let breaks = |phase: &str, how: &str| format!("\"f\": Drop(target: \"mx1\", phase: {phase}, how: {how})");
    let (data, mail_421, rcpt_421) = (reply("Data", "451 4.3.0 no"), closing("Mail"), closing("Rcpt"));
    let (rcpt, silent, lost) = (reply("Rcpt", "450 4.2.1 busy"), breaks("Content", "Silence"), breaks("Rcpt", "Close"));
    let mixed = format!(
        "\"e\": Reply(target: \"mx1\", phase: Rcpt, recipient: \"eve@*\", code: \"450 4.2.1 busy\"), {}",
        breaks("FinalDot", "Close")
    );
    let bye = |phase: &str, code: &str| format!("\"f\": Reply(target: \"mx1\", phase: {phase}, code: \"{code}\", then: Close)");
    let (rcpt_450_bye, rcpt_550_bye, ehlo_502_bye) =
        (bye("Rcpt", "450 4.2.1 no"), bye("Rcpt", "550 5.1.1 no"), bye("Ehlo", "502 5.5.1 no"));
    let twice = "dest.test. MX 10 mx1.dest.test.\n        dest.test. MX 30 mx1.dest.test.";
    let own = "dest.test. A 192.0.2.9";
    let unknown =
        World { faults: "\"f\": Dns(name: \"dest.test\", answer: ServFail)", more: "fallback_hosts: [\"[mx2.dest.test]\"],", ..USUAL };
    let lost_address = World { faults: "\"f\": Dns(name: \"mx1.dest.test\", answer: ServFail)", ..unknown };
    let tls = World { tls: "May", certificate: "good", faults: &lost, until: "6s", ..USUAL };
    let cases = [
        // The reply to DATA is noted by its class alone (usersmtp.c).
        ("DATA 451", "Postfix", World { faults: &data, ..USUAL }, "bob queued 451 4.3.0; mx1; 0"),
        ("DATA 451", "Exim", World { faults: &data, ..USUAL }, "bob queued 451 4.3.0; mx1; 0"),
        ("DATA 451", "Sendmail", World { faults: &data, ..USUAL }, "bob queued 451 4.0.0; mx1; 0"),
        ("MAIL 421", "Postfix", World { faults: &mail_421, ..USUAL }, "bob queued 421 4.3.2; mx1; 0"),
        ("MAIL 421", "Sendmail", World { faults: &mail_421, ..USUAL }, "bob queued 421 4.0.0; mx1; 0"),
        // 421 is for the first; the others find the line closed.
        ("RCPT 421", "Postfix", World { faults: &rcpt_421, to: BOTH, ..USUAL }, "bob queued 421 4.3.2, eve queued 0 4.4.2; mx1; 0"),
        ("RCPT 421", "Exim", World { faults: &rcpt_421, to: BOTH, ..USUAL }, "bob queued 421 4.3.2, eve queued 0 4.4.2; mx1; 0"),
        ("RCPT 421", "Sendmail", World { faults: &rcpt_421, to: BOTH, ..USUAL }, "bob queued 421 4.2.0, eve queued 421 4.3.2; mx1; 0"),
        ("RCPT 421, one", "Postfix", World { faults: &rcpt_421, ..USUAL }, "bob queued 421 4.3.2; mx1; 0"),
        (
            "RCPT 421, two MX",
            "Postfix",
            World { faults: &rcpt_421, to: BOTH, records: TWO, ..USUAL },
            "bob delivered 250 2.0.0, eve delivered 250 2.0.0; mx1 mx2; 0",
        ),
        // Each recipient keeps the last word about it.
        (
            "RCPT 450 to one, then broken",
            "Postfix",
            World { faults: &mixed, to: BOTH, ..USUAL },
            "bob queued 0 4.4.2, eve queued 450 4.2.1; mx1; 0",
        ),
        (
            "RCPT 450 to one, then broken",
            "Exim",
            World { faults: &mixed, to: BOTH, ..USUAL },
            "bob queued 0 4.4.2, eve queued 450 4.2.1; mx1; 0",
        ),
        // A small message is written at once; what is waited for is the last reply.
        (
            "silence in the content",
            "Postfix",
            World { faults: &silent, records: TWO, until: "1m", ..USUAL },
            "bob delivered 250 2.0.0; mx1 mx2; 0",
        ),
        (
            "silence in the content",
            "Exim",
            World { faults: &silent, records: TWO, until: "4s", ..USUAL },
            "bob delivered 250 2.0.0; mx1 mx2; 0",
        ),
        (
            "silence in the content",
            "Sendmail",
            World { faults: &silent, records: TWO, until: "4s", ..USUAL },
            "bob delivered 250 2.0.0; mx1 mx2; 0",
        ),
        // The waits of a recipient grow as those of a host do.
        ("RCPT 450", "Exim", World { faults: &rcpt, until: "13s", ..USUAL }, "bob queued 450 4.2.1; mx1 mx1 mx1; 0 4 12"),
        // An encrypted line that breaks: in clear to the same address, once the message has waited.
        ("TLS, broken", "Postfix", tls, "bob queued 0 4.4.2; mx1 mx1 mx1; 0 4"),
        ("TLS, broken", "Exim", tls, "bob queued 0 4.4.2; mx1 mx1; 0 4"),
        ("TLS required, broken", "Postfix", World { tls: "Encrypt", ..tls }, "bob queued 0 4.4.2; mx1 mx1; 0 4"),
        // Whatever the server says as it closes: that is for the first (Sendmail names them in an order of luck), and the others find the line closed.
        (
            "RCPT 450 and closed",
            "Postfix",
            World { faults: &rcpt_450_bye, to: BOTH, ..USUAL },
            "bob queued 450 4.2.1, eve queued 0 4.4.2; mx1; 0",
        ),
        (
            "RCPT 450 and closed",
            "Exim",
            World { faults: &rcpt_450_bye, to: BOTH, ..USUAL },
            "bob queued 450 4.2.1, eve queued 0 4.4.2; mx1; 0",
        ),
        (
            "RCPT 450 and closed",
            "Sendmail",
            World { faults: &rcpt_450_bye, to: BOTH, ..USUAL },
            "bob queued 421 4.4.2, eve queued 450 4.2.1; mx1; 0",
        ),
        (
            "RCPT 550 and closed",
            "Postfix",
            World { faults: &rcpt_550_bye, to: BOTH, ..USUAL },
            "bob bounced 550 5.1.1, eve queued 0 4.4.2; mx1; 0",
        ),
        (
            "RCPT 550 and closed, two MX",
            "Postfix",
            World { faults: &rcpt_550_bye, records: TWO, to: BOTH, ..USUAL },
            "bob bounced 550 5.1.1, eve delivered 250 2.0.0; mx1 mx2; 0",
        ),
        ("RCPT 550 and closed, alone", "Exim", World { faults: &rcpt_550_bye, ..USUAL }, "bob bounced 550 5.1.1; mx1; 0"),
        // HELO needs a line.
        ("EHLO 502 and closed", "Postfix", World { faults: &ehlo_502_bye, ..USUAL }, "bob queued 0 4.4.2; mx1; 0"),
        ("EHLO 502 and closed", "Exim", World { faults: &ehlo_502_bye, ..USUAL }, "bob queued 0 4.4.2; mx1; 0"),
        // A host that stands in the list twice.
        ("twice in the list", "Postfix", World { faults: &rcpt, records: twice, ..USUAL }, "bob queued 450 4.2.1; mx1 mx1; 0"),
        ("twice in the list", "Sendmail", World { faults: &rcpt, records: twice, ..USUAL }, "bob queued 450 4.2.1; mx1; 0"),
        ("twice in the list", "Exim", World { faults: &rcpt, records: twice, ..USUAL }, "bob queued 450 4.2.1; mx1; 0"),
        // The domain's own address is the sender's.
        ("itself, no MX", "Postfix", World { records: own, ..USUAL }, "bob looped 0 5.4.6; ; 0"),
        ("itself, no MX", "Sendmail", World { records: own, ..USUAL }, "bob bounced 553 5.3.5; dest; 0"),
        // After a failed MX lookup Sendmail meets its FallbackMXhost twice, and nothing comes of it.
        ("MX SERVFAIL, a host of last resort", "Postfix", unknown, "bob delivered 250 2.0.0; mx2; 0"),
        ("MX SERVFAIL, a host of last resort", "Sendmail", unknown, "bob queued 0 4.4.2; mx2 mx2; 0"),
        // An MX without an address for now is only passed by.
        ("address SERVFAIL, a host of last resort", "Sendmail", lost_address, "bob delivered 250 2.0.0; mx2; 0"),
        // One try, then the next host is for the next attempt.
        ("RCPT 450, two MX", "OpenSmtpd", World { faults: &rcpt, records: TWO, ..USUAL }, "bob queued 450 4.2.1; mx1; 0"),
    ];
    let mut wrong = String::new();
    for (case, profile, world, expected) in cases {
        let got = play(&scenario(profile, world));
        if got != expected {
            let _ = writeln!(wrong, "{case}, {profile}\n  rules: {expected}\n  here:  {got}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
