//! The tests of a scenario: played, judged, and told in file order.
//!
//! Whoever calls plays the worlds, so that tests of tests need no clockwork. Worlds that several cases judge are played once.

use super::plan::{Planned, plan};
use super::replay::replay;
use super::verdict::{Concerned, Verdict};
use crate::analysis::outcome::{Outcome, Stopped};
use crate::diag::{Diagnostic, Sources, Span};
use crate::scenario::schema::{Message, Scenario};
use crate::scenario::source::Text;
use crate::scenario::whole_value;
use std::rc::Rc;

/// The name of the source that sends a test's message: that of `explain`, so that both have the same luck.
pub const SEND: &str = "explain";

/// A world to be played.
#[derive(Clone, Debug)]
pub struct PlayRequest<'a> {
    /// Laid over the scenario, in this order.
    pub overlays: &'a [&'a Scenario],
    /// Plays alone, from a source called [`SEND`], until it and its reports are settled (or `until`).
    pub send: Option<&'a Message>,
    /// The scenario's traffic plays beside `send`.
    pub with_traffic: bool,
    /// Another end.
    pub until: Option<&'a Text>,
    /// The luck.
    pub seed: u64,
    /// Decisions and questions to DNS are looked at.
    pub needs_steps: bool,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Status {
    /// Everything held.
    Passed,
    /// Something did not.
    Failed,
    /// Not played (`skip`).
    Skipped,
    /// Something did not hold, as `expect_fail` says.
    ExpectedFailure,
    /// It could not be played.
    Error,
}

impl Status {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::ExpectedFailure => "expected-failure",
            Self::Error => "error",
        }
    }
}

/// One expectation that did not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The expectation in its file.
    pub place: Span,
    /// The expectation in the words of its file.
    pub expected: String,
    /// The name of the invariant, if it is one.
    pub invariant: Option<String>,
    /// How it was.
    pub got: String,
    /// The first message that shows it.
    pub message: Option<Concerned>,
    /// The luck of that run.
    pub seed: u64,
    /// The command that explains the message.
    pub replay: Option<String>,
    /// What the command cannot say by flags.
    pub replay_lacks: Option<&'static str>,
}

/// One test or case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestResult {
    /// The name of the test.
    pub test: String,
    /// The name of the case; of a run that only invariants judge, its variant.
    pub case: Option<String>,
    /// A run that only invariants judge.
    pub for_invariants: bool,
    /// How it ended.
    pub status: Status,
    /// Why it was skipped or expected to fail.
    pub why: Option<String>,
    /// As written.
    pub tags: Vec<String>,
    /// The seeds that were played.
    pub seeds: Vec<u64>,
    /// In the order of the file, seed by seed.
    pub failures: Vec<Failure>,
    /// Why it could not be played.
    pub problems: Vec<Diagnostic>,
}

/// All tests of one scenario.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TestReport {
    /// The file as the caller names it.
    pub file: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The file that it stands on, whose tests are not its own.
    pub base: Option<String>,
    /// The seed of the scenario, or the one from outside.
    pub seed: u64,
    /// In file order; runs that only invariants judge come last.
    pub results: Vec<TestResult>,
}

impl TestReport {
    /// How many tests ended like this.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }
}

/// The scenario under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// With everything laid over it that came from outside.
    pub scenario: &'a Scenario,
    /// The texts it was read from.
    pub sources: &'a Sources,
    /// The file with what-if flags, as a shell takes them: `a.ron --fail site-a`.
    pub command: &'a str,
    /// The file as messages show it.
    pub file: &'a str,
    /// The luck from outside (`--seed`).
    pub seed: Option<u64>,
}

/// Plays and judges all tests of a scenario.
pub fn run_tests<F>(subject: Subject<'_>, mut play: F) -> TestReport
where
    F: FnMut(&PlayRequest<'_>) -> Result<Outcome, Vec<Diagnostic>>,
{
    let planned = plan(subject.scenario, subject.seed);
    let mut kept: Vec<(usize, u64, Played)> = vec![];
    let mut results = vec![];
    for at in 0..planned.len() {
        let one = &planned[at];
        let mut result = empty(one);
        if result.status == Status::Passed {
            result.seeds = (0..one.fields.seeds.or(1).max(1)).map(|n| one.seed.wrapping_add(n)).collect();
            for seed in result.seeds.clone() {
                match played(&planned, at, seed, &mut kept, &mut play) {
                    Ok(outcome) => result.failures.extend(failures(subject, one, seed, &outcome)),
                    Err(problems) => {
                        result.problems = problems;
                        break;
                    }
                }
            }
            settle(&mut result, one);
        }
        kept.retain(|(first, ..)| planned[at + 1..].iter().any(|later| plays_again(later, &planned[*first])));
        results.push(result);
    }
    TestReport {
        file: subject.file.to_owned(),
        scenario: subject.scenario.name.as_str().unwrap_or_default().to_owned(),
        base: subject.scenario.base.as_str().map(str::to_owned),
        seed: subject.seed.unwrap_or(subject.scenario.seed.or(0)),
        results,
    }
}

type Played = Result<Rc<Outcome>, Vec<Diagnostic>>;

fn plays_again(later: &Planned<'_>, first: &Planned<'_>) -> bool {
    later.world().is_some() && later.world() == first.world() && !later.is_skipped()
}

/// Plays a world, or finds the run that another case played already.
fn played<F>(planned: &[Planned<'_>], at: usize, seed: u64, kept: &mut Vec<(usize, u64, Played)>, play: &mut F) -> Played
where
    F: FnMut(&PlayRequest<'_>) -> Result<Outcome, Vec<Diagnostic>>,
{
    let one = &planned[at];
    if let Some((.., known)) = kept.iter().find(|(first, luck, _)| *luck == seed && plays_again(one, &planned[*first])) {
        return known.clone();
    }
    let same: Vec<&Planned<'_>> = planned[at + 1..].iter().filter(|later| plays_again(later, one)).chain([one]).collect();
    let request = PlayRequest {
        overlays: &one.overlays,
        send: one.send(),
        with_traffic: one.fields.with_traffic.or(false),
        until: one.fields.until.get(),
        seed,
        needs_steps: same.iter().any(|case| case.checks.iter().any(|check| check.prepared.needs_steps())),
    };
    let result = play(&request).map(Rc::new);
    if same.len() > 1 {
        kept.push((at, seed, result.clone()));
    }
    result
}

fn empty(one: &Planned<'_>) -> TestResult {
    let skip = one.fields.skip.as_str();
    TestResult {
        test: one.test.to_owned(),
        case: one.case.map(str::to_owned),
        for_invariants: one.for_invariants,
        status: if skip.is_some() {
            Status::Skipped
        } else if one.problems.is_empty() {
            Status::Passed
        } else {
            Status::Error
        },
        why: skip.or(one.fields.expect_fail.as_str()).map(str::to_owned),
        tags: one.fields.tags.items().iter().map(ToString::to_string).collect(),
        seeds: vec![],
        failures: vec![],
        problems: if skip.is_some() { vec![] } else { one.problems.clone() },
    }
}

/// What the failures mean where a failure is expected.
fn settle(result: &mut TestResult, one: &Planned<'_>) {
    let expected = one.fields.expect_fail.at();
    result.status = match (expected, result.failures.is_empty()) {
        _ if !result.problems.is_empty() => Status::Error,
        (None, true) => Status::Passed,
        (None, false) => Status::Failed,
        (Some(_), false) => Status::ExpectedFailure,
        (Some(why), true) => {
            result.failures.push(Failure {
                place: why.span,
                expected: format!("expect_fail: {:?}", why.value.as_str()),
                invariant: None,
                got: "everything held".to_owned(),
                message: None,
                seed: one.seed,
                replay: None,
                replay_lacks: None,
            });
            Status::Failed
        }
    };
}

fn failures(subject: Subject<'_>, one: &Planned<'_>, seed: u64, outcome: &Outcome) -> Vec<Failure> {
    let mut found = vec![];
    if let Stopped::Bound(bound) = &outcome.stopped {
        let place = one.fields.expect.span();
        found.push(told(subject, one, seed, (place, format!("the run was cut short by a bound ({bound})"), None), None));
    }
    for check in &one.checks {
        // An invariant speaks of everything that moves, an expectation of the test's own message.
        let sent = one.send().filter(|_| check.invariant.is_none()).map(|_| SEND);
        match check.prepared.judge(outcome, sent) {
            Verdict::Holds => {}
            Verdict::NotReached(_) if check.invariant.is_some() => {}
            Verdict::NotReached(place) => {
                found.push(told(subject, one, seed, (place, "there is no message that it speaks of".to_owned(), None), None));
            }
            Verdict::Fails(shortfalls) => {
                let all = shortfalls.into_iter();
                found.extend(all.map(|it| told(subject, one, seed, (it.place, it.got, it.message), check.invariant.as_deref())));
            }
        }
    }
    found
}

fn told(
    subject: Subject<'_>,
    one: &Planned<'_>,
    seed: u64,
    (place, got, message): (Span, String, Option<Concerned>),
    invariant: Option<&str>,
) -> Failure {
    let (place, expected) = whole_value(subject.sources, place);
    let command = message.as_ref().map(|message| replay(subject, one, seed, &message.id));
    let (replay, replay_lacks) = command.map_or((None, None), |(command, lacks)| (Some(command), lacks));
    Failure { place, expected, invariant: invariant.map(str::to_owned), got, message, seed, replay, replay_lacks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::{delivered, two_sites};
    use crate::base::{MINUTE, SimTime};
    use crate::scenario::Loader;
    use crate::verify::fixture::SCENARIO;

    /// The scenario of the fixture with more in it.
    fn load(more: &str) -> (Loader, Scenario) {
        let mut loader = Loader::new();
        let text = SCENARIO.trim_end().strip_suffix(')').expect("it ends with its bracket").to_owned();
        let scenario = loader.text("t.ron", &format!("{text}{more}\n)")).unwrap_or_else(|| panic!("{:?}", loader.problems));
        (loader, scenario)
    }

    /// Every request in a line; a message that is sent arrives at site A, or at site B under an overlay.
    fn run(more: &str, seed: Option<u64>) -> (TestReport, Vec<String>) {
        let (loader, scenario) = load(more);
        let subject = Subject { scenario: &scenario, sources: &loader.sources, command: "t.ron", file: "t.ron", seed };
        let mut requests = vec![];
        let report = run_tests(subject, |request| {
            let send = request.send.map_or("run", |message| message.envelope.from.as_str().unwrap_or("?"));
            let overlays = request.overlays.len();
            requests.push(format!("{send} +{overlays} seed {}{}", request.seed, if request.needs_steps { " steps" } else { "" }));
            let mut outcome = two_sites();
            if request.send.is_some() {
                let mut message = delivered(1, SimTime(15 * MINUTE), overlays > 0);
                (message.id, message.traffic) = ("explain#1".into(), SEND.into());
                outcome.messages = vec![message];
            }
            Ok(outcome)
        });
        (report, requests)
    }

    fn statuses(report: &TestReport) -> Vec<String> {
        let name = |result: &TestResult| format!("{}/{}", result.test, result.case.as_deref().unwrap_or("-"));
        report.results.iter().map(|result| format!("{} {}", name(result), result.status.as_str())).collect()
    }

    const TESTS: &str = r#"
        variants: { "v": (faults: { "x": Down(target: "site-a") }) },
        invariants: { "never B": For(sent: ("15m", "16m"), expect: [Not(Contacted(host: "site-b"))]) },
        tests: {
            "one": (
                send: (from: "bob@fabrikam.com", to: ["alice@contoso.com"]), expect: [Delivered()],
                cases: {
                    "plain": (send: (at: "15m"), expect: [Delivered(to: "site-a"), Chosen(because: "SH-2")]),
                    "dark": (variant: "v", given: (faults: { "y": Down(target: "site-b", at: "10m", lasts: "5m") }), expect: [Hops(is: 2)]),
                    "seeds": (seeds: 3, expect: [Delivered(to: "site-b")]),
                },
            ),
            "later": (skip: "no time", expect: [Delivered(to: "nowhere")]),
            "wish": (expect_fail: "not so", expect: [Delivered()]),
            "no wish": (expect_fail: "not so", expect: [For(sent: ("0s", "5m"), expect: [Delivered()])]),
            "same run": (expect: [For(to: "dave@*", expect: [Delivered()])]),
            "typo": (expect: [Delivered(to: "site-x")]),
            "no variant": (variant: "w", expect: [Delivered()]),
            "nothing": (tags: ["none"]),
        },"#;

    #[test]
    fn planned_played_and_judged() {
        let (report, requests) = run(TESTS, None);
        let expected = [
            "one/plain passed",
            "one/dark failed",
            "one/seeds failed",
            "later/- skipped",
            "wish/- expected-failure",
            "no wish/- failed",
            "same run/- failed",
            "typo/- error",
            "no variant/- error",
            "nothing/- passed",
            "invariants/v passed",
        ];
        assert_eq!(statuses(&report), expected);
        // The run of `wish` is judged four times and played once.
        let expected = [
            "bob@fabrikam.com +0 seed 42 steps",
            "bob@fabrikam.com +2 seed 42",
            "bob@fabrikam.com +0 seed 42",
            "bob@fabrikam.com +0 seed 43",
            "bob@fabrikam.com +0 seed 44",
            "run +0 seed 42",
            "run +1 seed 42",
        ];
        assert_eq!(requests, expected);
        assert_eq!(report.results[7].problems[0].help, ["did you mean `site-a`?"]);
    }

    #[test]
    fn what_a_failure_says() {
        let (report, _) = run(TESTS, None);
        let dark = &report.results[1].failures[0];
        assert_eq!(dark.expected, r#"Not(Contacted(host: "site-b"))"#);
        assert_eq!(dark.invariant.as_deref(), Some("never B"));
        assert_eq!(dark.got, "contacted site-b at 15m 30.24s (accepted)");
        assert_eq!(dark.message.as_ref().map(|message| &*message.path), Some("internet > eop > site-b"));
        let again = "mailtwin explain t.ron --from bob@fabrikam.com --to alice@contoso.com --variant v --fail site-b@10m..900s --seed 42";
        assert_eq!((dark.replay.as_deref(), dark.replay_lacks), (Some(again), None));
        let seeds: Vec<u64> = report.results[2].failures.iter().map(|failure| failure.seed).collect();
        assert_eq!(seeds, [42, 43, 44]);
        assert_eq!(report.results[5].failures[0].got, "everything held");
        assert_eq!(report.results[6].failures[0].got, "there is no message that it speaks of");
        let (report, requests) =
            run(r#"invariants: { "never B": Not(Contacted(host: "site-b")) }, variants: { "v": (until: "9h") },"#, None);
        assert_eq!((statuses(&report), requests.len()), (vec!["invariants/- failed".into(), "invariants/v failed".into()], 2));
        let own = &report.results[1].failures[0];
        assert_eq!(own.replay.as_deref(), Some("mailtwin explain t.ron --message inbound#2 --variant v --seed 42"));
    }

    #[test]
    fn luck_from_outside() {
        let (report, requests) = run(r#"tests: { "a": (expect: [Hops(is: 9)]) },"#, Some(7));
        assert_eq!((report.seed, &*requests[0]), (7, "run +0 seed 7"));
        assert_eq!(report.results[0].failures[0].replay.as_deref(), Some("mailtwin explain t.ron --message inbound#1"));
    }

    #[test]
    fn a_run_cut_short_is_no_success() {
        let (loader, scenario) = load(r#"tests: { "a": (expect: [Via(["eop"])]) },"#);
        let subject = Subject { scenario: &scenario, sources: &loader.sources, command: "t.ron", file: "t.ron", seed: None };
        let report = run_tests(subject, |_| Ok(Outcome { stopped: Stopped::Bound("events: 9".into()), ..two_sites() }));
        assert_eq!(report.results[0].failures[0].got, "the run was cut short by a bound (events: 9)");
    }
}
