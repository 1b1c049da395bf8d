//! Does the comparison see what is wrong, and nothing else? One invented case, its recording, and simulated runs that differ from it in one thing.

use crate::case::Case;
use crate::compare::compare;
use serde_json::{Value, json};

fn case(many: bool) -> Value {
    let message = if many {
        json!({"id": "m", "from": "alice@sender.test", "to": ["user#@dest.test"], "count": 2, "gap_s": 0.1})
    } else {
        json!({"from": "alice@sender.test", "to": ["bob@dest.test"]})
    };
    json!({"id": "invented", "sender": {"name": "out.sender.test", "addrs": ["10.77.0.2"], "domain": "sender.test"}, "dns": {"records": []}, "hosts": [],
        "messages": [message], "stop": {"limit_s": 25, "attempts": 2},
        "timers": {"connect_s": 2, "greeting_s": 3, "command_s": 3, "final_s": 3, "queue_run_s": 2, "retry_min_s": 4, "retry_max_s": 16, "lifetime_s": 60}})
}

/// One deferral because two hosts failed, then the second took it.
fn recording() -> Value {
    let tries = [
        (0.1, "10.77.0.11", "refused"),
        (0.1, "10.77.0.12", "connected"),
        (4.1, "10.77.0.11", "refused"),
        (4.1, "10.77.0.12", "connected"),
    ];
    let connections: Vec<Value> =
        tries.iter().map(|(t, ip, result)| json!({"t": t, "mta": "out.sender.test", "ip": ip, "result": result})).collect();
    json!({"ended": "queues-empty", "connections": connections, "dsn_events": [],
        "recipients": [{"message": "m1", "recipient": "bob@dest.test", "submitted_t": 0.0, "final": "sent", "final_t": 4.2, "dsn": "2.0.0", "code": 250,
            "ip": "10.77.0.12", "attempt_times": [0.2, 4.2], "tls": {"protocol": "TLSv1.3", "verdict": "trusted"}}]})
}

fn connection(at: f64, address: &str, result: &str) -> Value {
    json!({"at_s": at, "address": address, "result": result})
}

fn attempt(at: f64, result: &str, code: u16, enhanced: &str, second: &str) -> Value {
    json!({"at_s": at, "end_s": at + 0.01, "result": result, "code": code, "enhanced": enhanced,
        "connections": [connection(at, "10.77.0.11", "refused"), connection(at, "10.77.0.12", second)]})
}

fn run() -> Value {
    let attempts = [attempt(0.0, "deferred", 451, "4.3.0", "temporary-failure"), attempt(4.0, "delivered", 250, "2.0.0", "accepted")];
    let hop = json!({"from": "sender", "to": "mx2", "queue": "dest.test", "attempts": attempts, "tls": {"outcome": "encrypted", "version": "TLS 1.3"}});
    let recipient = json!({"to": "bob@dest.test", "fate": "delivered", "code": 250, "enhanced": "2.0.0", "hops": [hop]});
    json!({"schema": "mailtwin.run/1", "messages": [{"id": "m1#1", "sent_at_s": 0, "kind": "mail", "recipients": [recipient]}]})
}

/// The aspects that disagree.
fn wrong(case: &Value, recording: &Value, run: &Value) -> Vec<&'static str> {
    let case: Case = serde_json::from_value(case.clone()).unwrap_or_else(|error| panic!("{error}"));
    let recording = serde_json::from_value(recording.clone()).unwrap_or_else(|error| panic!("{error}"));
    let run = serde_json::from_value(run.clone()).unwrap_or_else(|error| panic!("{error}"));
    compare(&case, &recording, &run).iter().filter(|verdict| !verdict.agrees).map(|verdict| verdict.aspect).collect()
}

#[test]
fn every_difference_is_seen_in_its_aspect() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit, &[&str]); 11] = [
        ("nothing", |_| {}, &[]),
        ("no such message", |run| run["messages"][0]["id"] = json!("other#1"), &["fate", "hosts"]),
        (
            "bounced in the end",
            |run| {
                let recipient = &mut run["messages"][0]["recipients"][0];
                recipient["fate"] = json!("bounced");
                let last = &mut recipient["hops"][0]["attempts"][1];
                (last["result"], last["code"], last["enhanced"]) = (json!("bounced"), json!(550), json!("5.1.1"));
            },
            &["fate", "code"],
        ),
        ("another status", |run| hop(run)["attempts"][1]["enhanced"] = json!("2.1.5"), &["code"]),
        ("hosts in another order", |run| connections(run, 0).reverse(), &["hosts"]),
        ("refused or silent", |run| connections(run, 0)[0]["result"] = json!("no-answer"), &["hosts"]),
        (
            "once more",
            |run| {
                let again = hop(run)["attempts"][0].clone();
                hop(run)["attempts"].as_array_mut().into_iter().for_each(|list| list.insert(0, again.clone()));
            },
            // The passes are the same, only one more; and its time is not one of a retry.
            &["attempts", "times"],
        ),
        ("in clear", |run| hop(run)["tls"] = json!({"outcome": "plaintext", "version": null}), &["tls"]),
        ("an older version", |run| hop(run)["tls"]["version"] = json!("TLS 1.2"), &["tls"]),
        (
            "a report",
            |run| {
                let report = json!({"id": "m1#1/dsn1", "sent_at_s": 4, "kind": "dsn", "recipients": []});
                run["messages"].as_array_mut().into_iter().for_each(|list| list.push(report.clone()));
            },
            &["dsn"],
        ),
        ("a wait of twelve seconds", |run| hop(run)["attempts"][1]["end_s"] = json!(12.01), &["times"]),
    ];
    for (what, edit, expected) in cases {
        let mut run = run();
        edit(&mut run);
        assert_eq!(wrong(&case(false), &recording(), &run), expected, "{what}");
    }
}

fn hop(run: &mut Value) -> &mut Value {
    &mut run["messages"][0]["recipients"][0]["hops"][0]
}

fn connections(run: &mut Value, attempt: usize) -> &mut Vec<Value> {
    hop(run)["attempts"][attempt]["connections"].as_array_mut().unwrap_or_else(|| panic!("a list"))
}

#[test]
fn what_was_stopped_is_compared_so_far() {
    let mut recording = recording();
    recording["ended"] = json!("attempts");
    let recipient = &mut recording["recipients"][0];
    (recipient["final"], recipient["attempt_times"], recipient["tls"]) = (json!("deferred"), json!([0.2]), json!(null));
    (recipient["code"], recipient["dsn"]) = (json!(451), json!("4.3.0"));
    recording["connections"].as_array_mut().into_iter().for_each(|list| list.truncate(2));
    assert_eq!(wrong(&case(false), &recording, &run()), [] as [&str; 0]);
}

#[test]
fn repeats_widen_what_agrees() {
    let mut recording = recording();
    recording["recipients"][0]["attempt_times"] = json!([0.2, 9.2]);
    assert_eq!(wrong(&case(false), &recording, &run()), ["times"]);
    recording["repeats"] = json!([{"recipients": [["m1", "bob@dest.test", "sent", 5.0, [0.1, 5.0]]]}]);
    assert_eq!(wrong(&case(false), &recording, &run()), [] as [&str; 0]);
}

#[test]
fn numbered_messages_are_compared_by_shares() {
    let recipient = |number: usize, ip: &str| {
        json!({"message": format!("m-{number}"), "recipient": format!("user{number}@dest.test"), "submitted_t": 0.1, "final": "sent", "final_t": 0.3,
            "dsn": "2.0.0", "code": 250, "ip": ip, "attempt_times": [0.3], "tls": "none"})
    };
    let message = |number: usize, ip: &str| {
        let attempts = json!([{"end_s": 0.2, "result": "delivered", "code": 250, "enhanced": "2.0.0", "connections": [connection(0.1, ip, "accepted")]}]);
        let hop = json!({"from": "sender", "queue": "dest.test", "attempts": attempts, "tls": {"outcome": "plaintext", "version": null}});
        let to = json!({"to": format!("user{number}@dest.test"), "fate": "delivered", "code": 250, "enhanced": "2.0.0", "hops": [hop]});
        json!({"id": format!("m#{number}"), "sent_at_s": 0.1, "kind": "mail", "recipients": [to]})
    };
    let recipients: Vec<Value> =
        (1..=40).map(|number| recipient(number, if number % 2 == 0 { "10.77.0.11" } else { "10.77.0.12" })).collect();
    let recording = json!({"ended": "queues-empty", "recipients": recipients});
    let run = |one_in: usize| {
        let ip = |number| if number % one_in == 0 { "10.77.0.11" } else { "10.77.0.12" };
        json!({"schema": "mailtwin.run/1", "messages": (1..=40).map(|number| message(number, ip(number))).collect::<Vec<_>>()})
    };
    let mut case = case(true);
    case["sender"]["postfix"] = json!({"smtp_connection_cache_on_demand": "no"});
    assert_eq!(wrong(&case, &recording, &run(2)), [] as [&str; 0], "halves");
    assert_eq!(wrong(&case, &recording, &run(3)), [] as [&str; 0], "a third");
    assert_eq!(wrong(&case, &recording, &run(1000)), ["hosts"], "all to one");
}
