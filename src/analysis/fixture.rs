//! A run made by hand for tests: Exchange Online in front of two sites, the first one dark from 10 to 40 minutes.

use super::outcome::*;
use crate::base::{Enhanced, Fate, MILLISECOND, MINUTE, Reply, SECOND, SimTime, TlsOutcome, TlsVersion};
use std::rc::Rc;

pub(crate) fn place(system: &str, host: &str) -> Place {
    Place { system: system.into(), host: host.into() }
}

fn internet() -> Place {
    place("internet", "internet")
}

fn eop() -> Place {
    place("eop", "exchange-online#1")
}

pub(crate) fn site(letter: char) -> Place {
    place("exchange", &format!("site-{letter}"))
}

fn tls() -> Tls {
    Tls {
        outcome: TlsOutcome::Encrypted,
        version: Some(TlsVersion::Tls13),
        policy: "EncryptionOnly".into(),
        result: None,
        published: None,
        why: "STARTTLS offered; the certificate is not looked at".into(),
    }
}

fn route() -> Rc<Decision> {
    Rc::new(Decision {
        question: "which connector?".into(),
        by: eop(),
        verdict: "To on-premises".into(),
        chosen: vec![reason("To on-premises", "OUT-3", "the recipient domain matches exactly", "RecipientDomains")],
        passed_over: vec![reason("To partner", "OUT-3", "`*` is less exact than `contoso.com`", "RecipientDomains")],
    })
}

fn order(first: &str) -> Rc<Decision> {
    Rc::new(Decision {
        question: "which host first?".into(),
        by: eop(),
        verdict: format!("{first}, then the other").into(),
        chosen: vec![reason(first, "SH-2", "MX of the smart host, lowest preference first", "RFC 5321 §5.1")],
        passed_over: vec![reason("192.0.2.99", "SH-2", "an A record counts only where no MX exists", "RFC 5321 §5.1")],
    })
}

fn reason(name: &str, rule: &'static str, why: &str, source: &'static str) -> Reason {
    Reason { name: name.into(), rule, why: why.into(), source, turn: None }
}

/// A connection that lasts from `at` to `end`; `accepted` or nobody answers.
pub(crate) fn connection(at: SimTime, end: SimTime, to: Place, accepted: bool) -> Connection {
    let first = &*to.host == "site-a";
    Connection {
        number: (at.0 / MILLISECOND) as u32,
        at,
        end,
        name: format!("{}.contoso.com", to.host).into(),
        preference: Some(if first { 10 } else { 20 }),
        address: if first { [192, 0, 2, 10] } else { [192, 0, 2, 20] }.into(),
        to: Some(to),
        port: 25,
        phase: if accepted { Phase::FinalDot } else { Phase::Connect },
        reply: accepted.then(|| Reply::new(250, Some(Enhanced(2, 6, 0)), "queued")),
        result: if accepted { ConnectionResult::Accepted } else { ConnectionResult::ConnectTimeout },
        tls: accepted.then(tls),
        authentication: None,
        why: if accepted { "" } else { "fault `site A dark` until 2400s" }.into(),
    }
}

fn attempt(connections: Vec<Connection>, result: AttemptResult) -> Attempt {
    let (at, end) = (connections[0].at, connections[connections.len() - 1].end);
    Attempt {
        at,
        end,
        result,
        code: if result == AttemptResult::Delivered { 250 } else { 0 },
        enhanced: if result == AttemptResult::Delivered { Enhanced(2, 6, 0) } else { Enhanced(4, 4, 1) },
        text: if result == AttemptResult::Delivered { "queued" } else { "no host answers" }.into(),
        next_at: None,
        next_why: "",
        lookups: vec![],
        decisions: vec![order("site-a.contoso.com")],
        connections,
        last_error: None,
        not_used: vec![],
    }
}

/// The hop from the internet into Exchange Online; it takes 200 ms.
fn first_hop(at: SimTime) -> Hop {
    let end = at.after(200 * MILLISECOND);
    let mut first = connection(at, end, eop(), true);
    first.name = "contoso-com.mail.protection.outlook.com".into();
    first.preference = Some(0);
    first.address = [198, 18, 0, 1].into();
    let mut attempt = attempt(vec![first], AttemptResult::Delivered);
    attempt.decisions = vec![];
    attempt.lookups = vec![Lookup { at, name: "contoso.com".into(), kind: "MX", answer: "1 record".into(), cached: false }];
    Hop {
        sender: "bob@fabrikam.com".into(),
        recipient: "alice@contoso.com".into(),
        from: internet(),
        to: Some(eop()),
        queued_at: at,
        left_at: end,
        queue: "contoso.com".into(),
        rule: "MX",
        decisions: vec![],
        at_end: vec![],
        waited: None,
        attempts: vec![attempt],
        tls: Some(tls()),
        lost_before: vec![],
    }
}

fn second_hop(attempts: Vec<Attempt>, to: Option<Place>, left_at: SimTime) -> Hop {
    Hop {
        sender: "bob@fabrikam.com".into(),
        recipient: "alice@contoso.com".into(),
        from: eop(),
        tls: to.is_some().then(tls),
        to,
        queued_at: attempts[0].at,
        left_at,
        queue: "[mail.contoso.com]".into(),
        rule: "OUT-3",
        decisions: vec![route()],
        at_end: vec![],
        waited: None,
        attempts,
        lost_before: vec![],
    }
}

fn message(number: u32, sent_at: SimTime, recipient: Recipient) -> Message {
    Message {
        id: format!("inbound#{number}").into(),
        parent: None,
        traffic: "inbound".into(),
        from: "bob@fabrikam.com".into(),
        size: 10_000,
        sent_at,
        entered_at: internet(),
        kind: Kind::Mail,
        reporting: None,
        returns: None,
        envelope_id: None,
        report: vec![],
        recipients: vec![recipient],
    }
}

fn recipient(fate: Fate, at: SimTime, hops: Vec<Hop>) -> Recipient {
    let (code, enhanced) = fate.default_code();
    Recipient {
        to: "alice@contoso.com".into(),
        became: None,
        fate,
        junk: false,
        code,
        enhanced,
        text: "queued".into(),
        at,
        final_place: hops.last().map(|hop| hop.to.clone().unwrap_or(hop.from.clone())),
        said_by: None,
        duplicates: 0,
        hops,
        arrival: vec![],
        lost_before: vec![],
    }
}

/// Delivered: straight to site A, or after 30 seconds of silence there to site B.
pub(crate) fn delivered(number: u32, sent_at: SimTime, dark: bool) -> Message {
    let start = sent_at.after(200 * MILLISECOND);
    let mut connections = vec![];
    let mut begin = start;
    if dark {
        let timeout = start.after(30 * SECOND);
        connections.push(connection(start, timeout, site('a'), false));
        begin = timeout.after(40 * MILLISECOND);
    }
    let (end, to) = (begin.after(300 * MILLISECOND), site(if dark { 'b' } else { 'a' }));
    connections.push(connection(begin, end, to.clone(), true));
    let hop = second_hop(vec![attempt(connections, AttemptResult::Delivered)], Some(to), end);
    message(number, sent_at, recipient(Fate::Delivered, end, vec![first_hop(sent_at), hop]))
}

/// Refused by site A; the report goes back to the internet.
fn bounced(number: u32, sent_at: SimTime) -> [Message; 2] {
    let start = sent_at.after(200 * MILLISECOND);
    let end = start.after(100 * MILLISECOND);
    let mut refusal = connection(start, end, site('a'), true);
    refusal.phase = Phase::Rcpt;
    refusal.reply = Some(Reply::new(550, Some(Enhanced(5, 1, 1)), "no such mailbox"));
    refusal.result = ConnectionResult::Permfail;
    let mut pass = attempt(vec![refusal], AttemptResult::Bounced);
    (pass.code, pass.enhanced, pass.text) = (550, Enhanced(5, 1, 1), "no such mailbox".into());
    let mut lost = recipient(Fate::Bounced, end, vec![first_hop(sent_at), second_hop(vec![pass], None, end)]);
    (lost.to, lost.code, lost.enhanced, lost.text) = ("nobody@contoso.com".into(), 550, Enhanced(5, 1, 1), "no such mailbox".into());
    lost.said_by = Some(site('a'));
    let mail = message(number, sent_at, lost);

    let back = end.after(100 * MILLISECOND);
    let mut home = first_hop(end);
    (home.from, home.to, home.left_at, home.queue) = (eop(), Some(internet()), back, "fabrikam.com".into());
    home.attempts[0].end = back;
    home.attempts[0].connections[0].to = Some(internet());
    let mut returned = recipient(Fate::LeftModel, back, vec![home]);
    returned.to = "bob@fabrikam.com".into();
    let line = ReportLine {
        original: None,
        recipient: "nobody@contoso.com".into(),
        action: "failed",
        status: Some(Enhanced(5, 1, 1)),
        diagnostic: "smtp; 550 5.1.1 no such mailbox".into(),
    };
    let report = Message {
        id: format!("{}/dsn1", mail.id).into(),
        parent: Some(mail.id.clone()),
        from: "<>".into(),
        sent_at: end,
        entered_at: eop(),
        kind: Kind::Dsn,
        returns: Some("full"),
        report: vec![line],
        ..message(number, end, returned)
    };
    [mail, report]
}

/// Nobody answers, eight times, five minutes apart; still queued at the end.
fn waiting(number: u32, sent_at: SimTime) -> Message {
    let start = sent_at.after(200 * MILLISECOND);
    let attempts: Vec<Attempt> = (0..8)
        .map(|n| {
            let at = start.after(n * 5 * MINUTE);
            let mut silent = connection(at, at.after(30 * SECOND), place("partner", "mx.partner.example"), false);
            silent.to = None;
            silent.why = "nobody has this address".into();
            let mut pass = attempt(vec![silent], AttemptResult::Deferred);
            pass.next_at = Some(at.after(5 * MINUTE));
            pass.next_why = "every 5 minutes";
            pass
        })
        .collect();
    let end = SimTime(120 * MINUTE);
    let mut stuck = recipient(Fate::Queued, end, vec![first_hop(sent_at), second_hop(attempts, None, end)]);
    (stuck.to, stuck.enhanced, stuck.text) = ("carol@partner.example".into(), Enhanced(4, 4, 1), "no host answers".into());
    message(number, sent_at, stuck)
}

fn host(place: Place, down: Vec<(SimTime, SimTime)>, queued: Vec<(SimTime, u32)>) -> HostFacts {
    HostFacts { name: place.host, system: place.system, down, queued }
}

/// Six messages: two to site A, two to site B while A is dark, one refused, one still waiting.
pub(crate) fn two_sites() -> Outcome {
    let minute = |n: u64| SimTime(n * MINUTE);
    let dark = (minute(10), minute(40));
    let mut messages = vec![
        delivered(1, minute(1), false),
        delivered(2, minute(11), true),
        delivered(3, minute(20), true),
        delivered(4, minute(41), false),
    ];
    messages.extend(bounced(5, minute(50)));
    messages.push(waiting(6, minute(60)));
    Outcome {
        scenario: "Two sites".into(),
        what_if: "".into(),
        seed: 42,
        until: Some(minute(120)),
        stopped: Stopped::Until,
        ended_at: minute(120),
        events: 99,
        messages,
        hosts: vec![
            host(eop(), vec![], vec![(minute(11), 1), (minute(12), 0), (minute(20), 1), (minute(21), 0), (minute(60), 1)]),
            host(internet(), vec![], vec![]),
            host(site('a'), vec![dark], vec![]),
            host(site('b'), vec![], vec![]),
        ],
        faults: vec![FaultFacts {
            name: "site A dark".into(),
            kind: "Down",
            hosts: vec!["site-a".into()],
            lines: None,
            from: dark.0,
            until: dark.1,
        }],
        queue_alerts: vec![],
    }
}
