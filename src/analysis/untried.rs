//! Which addresses of a list did an attempt not come to, and why? Read from what it did: the list, the connections, and the limits of its sender.
//!
//! Sources: postconf(5) `smtp_mx_address_limit`, `smtp_mx_session_limit`; Exim's specification, `hosts_max_try`; qmail-remote(8); RFC 5321 §5.1.

use super::outcome::{Attempt, Connection, Decision, Place, Reason};
use crate::base::{AttemptResult, ConnectionResult, InOrder};
use crate::decide::outage;
use crate::decide::profile::{Behaviour, behaviour};
use crate::model::settings::{Profile, Sender};
use std::rc::Rc;

/// The question under which they are told.
pub(super) const QUESTION: &str = "who was not tried?";

/// A decision more for an attempt that failed before the end of its list.
pub(super) fn untried(attempt: &Attempt, sender: &Sender, by: &Place) -> Option<Decision> {
    let failed = matches!(attempt.result, AttemptResult::Deferred | AttemptResult::Expired | AttemptResult::Bounced);
    let last = attempt.connections.iter().max_by_key(|connection| connection.end).filter(|_| failed)?;
    let met = |reason: &Reason| {
        attempt.connections.iter().any(|connection| connection.name == reason.name)
            || attempt.not_used.iter().any(|host| host.name == reason.name)
    };
    let lists = attempt.decisions.iter().filter(|decision| &*decision.question == "which addresses?" && decision.by == *by);
    let mut left: Vec<&Reason> =
        lists.flat_map(|list| &list.chosen).filter(|reason| matches!(reason.rule, "R1" | "R2") && !met(reason)).collect();
    left.in_order_by(|a, b| a.name.cmp(&b.name));
    left.dedup_by(|a, b| a.name == b.name);
    let (why, source) = reason(attempt, last, sender)?;
    let passed_over: Vec<Reason> = left
        .into_iter()
        .map(|host| Reason { name: host.name.clone(), rule: "TRY", why: why.as_str().into(), source, turn: None })
        .collect();
    (!passed_over.is_empty()).then(|| Decision {
        question: QUESTION.into(),
        by: by.clone(),
        verdict: Rc::from(""),
        chosen: Vec::new(),
        passed_over,
    })
}

fn reason(attempt: &Attempt, last: &Connection, sender: &Sender) -> Option<(String, &'static str)> {
    if &*attempt.text == outage::WENT_DOWN {
        return Some(outage::not_tried());
    }
    let rules: &Behaviour = behaviour(sender.profile);
    let opened = |connection: &&Connection| {
        !matches!(connection.result, ConnectionResult::Refused | ConnectionResult::ConnectTimeout | ConnectionResult::Unreachable)
    };
    let sessions = attempt.connections.iter().filter(opened).count();
    let (addresses, session_limit) = (sender.address_limit as usize, sender.session_limit as usize);
    if addresses > 0 && attempt.connections.len() >= addresses {
        let (name, source) = match sender.profile {
            Profile::Exim => ("hosts_max_try", "Exim specification, hosts_max_try"),
            _ => ("smtp_mx_address_limit", "postconf(5) smtp_mx_address_limit"),
        };
        return Some((format!("an attempt comes to {addresses} addresses at most ({name})"), source));
    }
    if session_limit > 0 && sessions >= session_limit {
        let why = format!("an attempt has {session_limit} sessions at most in which the server said a word (smtp_mx_session_limit)");
        return Some((why, "postconf(5) smtp_mx_session_limit"));
    }
    if sessions == 0 {
        return None;
    }
    let at = format!("{} ({})", last.name, last.address);
    Some(match attempt.result {
        AttemptResult::Bounced => (format!("what {at} said is for good, whoever else takes mail for the domain"), "RFC 5321 §4.2.1"),
        _ if rules.session.one_connection => {
            (format!("once a connection was open, to {at}, this server tries nobody else in the attempt"), "profile")
        }
        _ => (format!("after what {at} said this server tries nobody else in the attempt"), "profile"),
    })
}
