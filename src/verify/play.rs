//! Plays the worlds of tests with the clockwork.
//!
//! A message that is sent alone plays until nothing can happen any more, whatever end the scenario gives its own run. Only where no end is written at
//! all, what lies in an Unreachable queue counts as settled: it waits for somebody. Beside traffic there may be
//! no such moment: then the run is played again, twice as long each time, until the message and its reports have ended.

use super::plan::{Planned, plan};
use super::runner::{PlayRequest, SEND, Subject, TestReport, run_tests};
use crate::analysis::build;
use crate::analysis::outcome::{Outcome, Stopped};
use crate::base::{Clock, DAY, Fate, HOUR, SimTime};
use crate::diag::{Diagnostic, code};
use crate::engine::{Options, run};
use crate::model::traffic::Source;
use crate::scenario::schema::Scenario;
use crate::scenario::values::{parse_date, parse_moment};
use crate::scenario::{Loaded, Text};
use crate::trace::level::{PATHS, STEPS};

/// So long, at most, after it was sent, a message is followed.
const LONGEST: SimTime = SimTime(30 * DAY);

/// Plays and judges all tests of a scenario. `file` is its name in messages, `command` the same for a shell, with what-if flags behind it;
/// `seed` is the luck among these flags.
#[must_use]
pub fn test(loaded: &Loaded, file: &str, command: &str, seed: Option<u64>) -> TestReport {
    let subject = Subject { scenario: &loaded.tree, sources: &loaded.loader.sources, command, file, seed };
    let mut player = Player { loaded, varied: None };
    run_tests(subject, |request| player.play(request))
}

/// Plays the world of one test for somebody who follows its message; `name` is that of the test, or `TEST / CASE`.
///
/// # Errors
/// The names that there are, if there is no such test; or why it cannot be played.
pub fn follow(loaded: &Loaded, name: &str, seed: Option<u64>) -> Result<Followed, NotFollowed> {
    let planned = plan(&loaded.tree, seed);
    let tests = || planned.iter().filter(|one| !one.for_invariants);
    let title = |one: &Planned<'_>| one.case.map_or_else(|| one.test.to_owned(), |case| format!("{} / {case}", one.test));
    let of_test: Vec<&Planned<'_>> = tests().filter(|one| one.test == name).collect();
    let only = if let [only] = of_test[..] { Some(only) } else { None };
    let Some(one) = tests().find(|one| title(one) == name).or(only) else {
        let known = if of_test.is_empty() { tests().map(title).collect() } else { of_test.into_iter().map(title).collect() };
        return Err(NotFollowed::Unknown(known));
    };
    if one.is_skipped() {
        return Err(NotFollowed::Skipped);
    }
    if !one.problems.is_empty() {
        return Err(NotFollowed::Problems(one.problems.clone()));
    }
    let mut player = Player { loaded, varied: None };
    let request = PlayRequest {
        overlays: &one.overlays,
        send: one.send(),
        with_traffic: one.fields.with_traffic.or(false),
        until: one.fields.until.get(),
        seed: one.seed,
        needs_steps: true,
    };
    if one.send().is_none()
        && let Some(problem) = player.world(request.overlays).map_err(NotFollowed::Problems)?.too_many_to_follow(None)
    {
        return Err(NotFollowed::Problems(vec![problem]));
    }
    let outcome = player.play(&request).map_err(NotFollowed::Problems)?;
    let clock = player.world(request.overlays).map_err(NotFollowed::Problems)?.model.clock();
    Ok(Followed { outcome, clock, sends: one.send().is_some() })
}

/// The world of a test, played.
#[derive(Debug)]
pub struct Followed {
    /// What happened, with every question and decision.
    pub outcome: Outcome,
    /// When its world begins.
    pub clock: Clock,
    /// The test sends a message of its own: the first of the source [`SEND`].
    pub sends: bool,
}

/// Why the world of a test cannot be followed.
#[derive(Debug)]
pub enum NotFollowed {
    /// No test has that name, or its cases are several: these there are.
    Unknown(Vec<String>),
    /// The test is not played (`skip`).
    Skipped,
    /// The world cannot be made.
    Problems(Vec<Diagnostic>),
}

/// A scenario, and what the last request laid over it.
struct Player<'a> {
    loaded: &'a Loaded,
    varied: Option<(Vec<*const Scenario>, Varied)>,
}

type Varied = Result<Box<Loaded>, Vec<Diagnostic>>;

impl Player<'_> {
    fn play(&mut self, request: &PlayRequest<'_>) -> Result<Outcome, Vec<Diagnostic>> {
        let world = self.world(request.overlays)?;
        let until = match request.until {
            Some(text) => Some(moment(text, world)?),
            None => None,
        };
        let level = if request.needs_steps { STEPS } else { PATHS };
        let until_settled = until.is_none() && world.model.until.is_none() && request.send.is_some();
        let options = |until, sources| Options { level, seed: Some(request.seed), until, sources, until_settled };
        if (request.send.is_none() || request.with_traffic)
            && let Some(problem) = world.too_many_to_follow(until.or(world.model.until))
        {
            return Err(vec![problem]);
        }
        let Some(message) = request.send else {
            return Ok(build(&world.model, &run(&world.model, &options(until, None))));
        };
        let sent = world.send(SEND, message)?;
        if !request.with_traffic {
            let options = options(Some(until.unwrap_or(sent.schedule.begins_at().after(LONGEST.0))), Some(vec![sent]));
            return Ok(build(&world.model, &run(&world.model, &options)));
        }
        let longest = sent.schedule.begins_at().after(LONGEST.0);
        let sources = beside(sent, &world.model.sources);
        let mut end = until.or(world.model.until).unwrap_or(SimTime(HOUR));
        loop {
            let options = options(Some(end), Some(sources.clone()));
            let outcome = build(&world.model, &run(&world.model, &options));
            if until.is_some() || end >= longest || outcome.stopped != Stopped::Until || is_settled(&outcome) {
                return Ok(outcome);
            }
            end = end.after(end.0.max(HOUR)).min(longest);
        }
    }

    /// The scenario with everything laid over it, compiled once for requests in a row.
    fn world(&mut self, overlays: &[&Scenario]) -> Result<&Loaded, Vec<Diagnostic>> {
        if overlays.is_empty() {
            return Ok(self.loaded);
        }
        let key: Vec<*const Scenario> = overlays.iter().map(|over| std::ptr::from_ref(*over)).collect();
        if self.varied.as_ref().is_none_or(|(known, _)| *known != key) {
            let varied = self.loaded.with(overlays).map(Box::new).map_err(|invalid| invalid.problems);
            self.varied = Some((key, varied));
        }
        match &self.varied {
            Some((_, Ok(varied))) => Ok(varied),
            Some((_, Err(problems))) => Err(problems.clone()),
            None => Ok(self.loaded),
        }
    }
}

fn moment(text: &Text, world: &Loaded) -> Result<SimTime, Vec<Diagnostic>> {
    let start = world.tree.start.as_str().and_then(|text| parse_date(text).ok());
    parse_moment(text, start).map_err(|sentence| {
        let problem = Diagnostic::error(code::VALUE, text.span(), format!("`{text}` is not a moment"));
        vec![problem.help(sentence)]
    })
}

/// In the order of names, as sources always are.
fn beside(sent: Source, traffic: &[Source]) -> Vec<Source> {
    let mut sources = traffic.to_vec();
    let at = sources.partition_point(|source| source.name < sent.name);
    sources.insert(at, sent);
    sources
}

/// Has everything ended that came of the test's own message?
fn is_settled(outcome: &Outcome) -> bool {
    let mut sent = outcome.messages.iter().filter(|message| &*message.traffic == SEND).peekable();
    sent.peek().is_some() && sent.all(|message| message.recipients.iter().all(|recipient| recipient.fate != Fate::Queued))
}

#[cfg(test)]
mod tests {
    use crate::scenario::load_text;
    use crate::verify::Status;

    const SCENARIO: &str = r##"Scenario(
        until: "30m",
        dns: (records: r#"
            dest.test.      MX 10 mx1.dest.test.
            dest.test.      MX 20 mx2.dest.test.
            mx1.dest.test.  A 192.0.2.1
            mx2.dest.test.  A 192.0.2.2
        "#),
        systems: {
            "sender": Mta(profile: Postfix, mailboxes: ["*@sender.test"]),
            "mx1": Mta(hostname: "mx1.dest.test", mailboxes: ["*@dest.test"]),
            "mx2": Mta(hostname: "mx2.dest.test", mailboxes: ["*@dest.test"]),
        },
        traffic: { "steady": Every(interval: "1m", from: "a@sender.test", to: ["b@dest.test"]) },
        variants: { "mx1 down": (faults: { "dark": Down(target: "mx1") }) },
        invariants: { "the right systems": Not(Contacted(host: "internet")) },
        tests: {
            "alone": (send: (from: "a@sender.test", to: ["b@dest.test"]), cases: {
                "first": (expect: [Path(["sender", "mx1"]), Tried(by: "sender", hosts: ["mx1"]), Asked(by: "sender", name: "dest.test", type: "MX")]),
                "second": (variant: "mx1 down", expect: [Tried(hosts: ["mx1", "mx2"]), Delivered(to: "mx2")]),
                "beyond the file's end": (
                    variant: "mx1 down", given: (faults: { "all": Down(target: "mx2") }),
                    expect: [Expired(by: "sender", no_sooner: "5d"), Ndr(to: "sender", is: 1), Contacted(host: "mx2", after: "1d")]),
                "until": (until: "10m", given: (faults: { "all": Down(target: "mx1"), "both": Down(target: "mx2") }), expect: [Queued(system: "sender")]),
                "beside traffic": (
                    with_traffic: true, given: (faults: { "all": Down(target: "mx1", until: "3h"), "both": Down(target: "mx2", until: "3h") }),
                    expect: [Delivered(no_sooner: "3h"), For(traffic: "steady", sent: ("0s", "1h"), expect: [Delivered(within: "5h")])]),
            }),
            "own run": (expect: [Share(to: "mx1", is: "100%"), NothingLost()]),
            "a sender without a mailbox": (send: (from: "x@dest2.test", to: ["b@dest.test"], size: "many"), expect: [Delivered()]),
        },
    )"##;

    #[test]
    fn from_text_to_verdicts() {
        let loaded = load_text("t.ron", SCENARIO).unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let report = super::test(&loaded, "t.ron", "t.ron", None);
        let wrong: Vec<_> = report.results.iter().filter(|result| result.status != Status::Passed).collect();
        assert_eq!((report.results.len(), wrong.len()), (8, 1), "{wrong:#?}");
        assert_eq!((wrong[0].status, wrong[0].problems[0].code.id), (Status::Error, "MT0301"));
        assert_eq!(report, super::test(&loaded, "t.ron", "t.ron", None));
    }
}
