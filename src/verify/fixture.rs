//! For tests: an expectation as text, judged about the run made by hand, and the verdict as text.

use super::names::Names;
use super::verdict::{Verdict, prepare};
use crate::analysis::outcome::Outcome;
use crate::scenario::Loader;

/// The text that the run made by hand could have come from.
pub(super) const SCENARIO: &str = r#"Scenario(
    name: "Two sites", seed: 42,
    dns: (records: "partner.example. MX 10 mx.partner.example."),
    systems: {
        "eop": ExchangeOnline(accepted_domains: { "contoso.com": InternalRelay },
            outbound_connectors: { "To on-premises": (smart_hosts: ["mail.contoso.com"]), "To partner": () }),
        "exchange": ExchangeServer(mailboxes: ["*@contoso.com"], hosts: {
            "site-a": (hostname: "site-a.contoso.com"), "site-b": (hostname: "site-b.contoso.com") }),
        "partner": Mta(hostname: "mx.partner.example"),
    },
    faults: { "site A dark": Down(target: "site-a", at: "10m", until: "40m"), "for ever": Down(target: "partner") },
    traffic: { "inbound": Poisson(rate: "1/min", from: "bob@fabrikam.com", to: ["alice@contoso.com"]), "other": Message() },
)"#;

/// What an expectation comes to: `holds`, `nothing in view`, the shortfalls with their messages, or the complaints about it.
pub(super) fn told(outcome: &Outcome, expectation: &str) -> String {
    let mut loader = Loader::new();
    let base = loader.text("base.ron", SCENARIO).expect("the scenario is right");
    let text = format!(r#"Scenario(invariants: {{ "x": {expectation} }})"#);
    let Some(scenario) = loader.text("t.ron", &text) else { panic!("{expectation}: {:?}", loader.problems) };
    let expectation = scenario.invariants.get("x").expect("there is one");
    match prepare(expectation, &Names::of(&base)) {
        Err(problems) => {
            let said = problems.iter().map(|problem| {
                let help = problem.help.first().map_or(String::new(), |help| format!(" ({help})"));
                format!("{}: {}{help}", problem.code.id, problem.message)
            });
            said.collect::<Vec<_>>().join("; ")
        }
        Ok(prepared) => match prepared.judge(outcome, None) {
            Verdict::Holds => "holds".to_owned(),
            Verdict::NotReached(_) => "nothing in view".to_owned(),
            Verdict::Fails(shortfalls) => {
                let said = shortfalls.into_iter().map(|it| match it.message {
                    Some(message) => format!("{} [{}]", it.got, message.id),
                    None => it.got,
                });
                said.collect::<Vec<_>>().join(" | ")
            }
        },
    }
}

/// Every row: an expectation and what it comes to about the run made by hand.
pub(super) fn table(rows: &[(&str, &str)]) {
    let outcome = crate::analysis::fixture::two_sites();
    let found: Vec<(&str, String)> = rows.iter().map(|(expectation, _)| (*expectation, told(&outcome, expectation))).collect();
    let wrong: Vec<String> = found
        .iter()
        .zip(rows)
        .filter(|((_, found), (_, expected))| found != expected)
        .map(|((expectation, found), (_, expected))| format!("{expectation}\n    is       {found}\n    expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
