//! Was the sender told? The expectations about delivery reports and delay notices.
//!
//! They are counted per message: a report counts if it speaks of one of the recipients in view. With `to` it must have been handed to that
//! system, without it is enough that it was made. `within` runs from the sending of the message to the arrival of the report.
//! A report that speaks of a failure returns the whole message unless its sender asked for the headers (RFC 3461 §4.3), any other one the headers.

use super::desk::{Desk, Number, Window, has_code, has_text, is};
use super::expect::each;
use super::got;
use super::judge::Check;
use super::names::Who;
use super::route::same_moments;
use super::view::Seen;
use crate::analysis::delays::arrived;
use crate::analysis::outcome::{Kind, Message, Recipient, ReportLine};
use crate::analysis::paths::label;
use crate::base::{CodePattern, Enhanced, InOrder, SECOND, SimTime, common_form, count, exact_duration, printable};
use crate::scenario::schema::{self, DsnAction};
use std::rc::Rc;

/// What a report must be like to be counted.
struct Wanted {
    kind: Kind,
    actions: Vec<&'static str>,
    to: Option<Who>,
    window: Window,
    recipients: Option<Vec<String>>,
    status: Option<CodePattern>,
    text: Option<String>,
    returns: Option<&'static str>,
    envelope_id: Option<String>,
}

impl Wanted {
    /// Any report of a kind.
    fn of(kind: Kind, to: Option<Who>, window: Window) -> Self {
        Self { kind, actions: vec![], to, window, recipients: None, status: None, text: None, returns: None, envelope_id: None }
    }
}

pub(super) fn ndr(it: &schema::Ndr, desk: &mut Desk<'_>) -> Check {
    let wanted = Wanted {
        kind: if it.action.get() == Some(&DsnAction::Delayed) { Kind::DelayNotice } else { Kind::Dsn },
        actions: vec![it.action.get().map_or("failed", |action| word(*action))],
        to: desk.who(&it.to),
        window: Window { within: desk.duration(&it.within), no_sooner: None },
        recipients: it.recipients.get().map(|texts| sorted(texts.iter().map(|text| common_form(text).to_lowercase()))),
        status: desk.code(&it.status),
        text: it.text.as_str().map(str::to_owned),
        returns: it.ret.get().map(|ret| match ret {
            schema::Ret::Full => "full",
            schema::Ret::Headers => "headers",
        }),
        envelope_id: it.envelope_id.as_str().map(str::to_owned),
    };
    counted(wanted, it.is.get().copied(), None)
}

pub(super) fn notice(it: &schema::Notice, desk: &mut Desk<'_>) -> Check {
    let actions = match it.action.get() {
        Some(action) => vec![word(*action)],
        None => vec!["relayed", "delivered", "expanded"],
    };
    let window = Window { within: desk.duration(&it.within), no_sooner: None };
    let to = desk.who(&it.to);
    counted(Wanted { actions, ..Wanted::of(Kind::Dsn, to, window) }, it.is.get().copied(), None)
}

pub(super) fn delay_notice(it: &schema::DelayNotice, desk: &mut Desk<'_>) -> Check {
    let window = Window { within: desk.duration(&it.within), no_sooner: None };
    let to = desk.who(&it.to);
    let moments = desk.moments(&it.moments);
    counted(Wanted::of(Kind::DelayNotice, to, window), it.is.get().copied(), moments)
}

pub(super) fn automatic_reply(it: &schema::AutomaticReply, desk: &mut Desk<'_>) -> Check {
    let window = Window { within: desk.duration(&it.within), no_sooner: None };
    let to = desk.who(&it.to);
    counted(Wanted::of(Kind::AutomaticReply, to, window), it.is.get().copied(), None)
}

fn word(action: DsnAction) -> &'static str {
    match action {
        DsnAction::Failed => "failed",
        DsnAction::Delayed => "delayed",
        DsnAction::Delivered => "delivered",
        DsnAction::Relayed => "relayed",
        DsnAction::Expanded => "expanded",
    }
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.in_order();
    names
}

/// `is` reports, or at least one; `moments` are those at which they were made, to the second.
fn counted(wanted: Wanted, number: Option<u64>, moments: Option<Vec<SimTime>>) -> Check {
    let wanted = Rc::new(wanted);
    let again = wanted.clone();
    let number = Number { is: number, at_least: if number.is_none() { Some(1) } else { None }, at_most: None };
    let holds = move |seen: &Seen<'_>| {
        let found: Vec<&Message> = about(seen).filter(|report| wanted.has(report, seen)).collect();
        let made = found.iter().map(|report| report.sent_at);
        number.has(found.len() as u64) && moments.as_ref().is_none_or(|moments| same_moments(moments, made, SECOND))
    };
    let got = move |seen: &Seen<'_>| {
        let kind = match again.kind {
            Kind::DelayNotice => "delay notice",
            Kind::AutomaticReply => "automatic reply",
            Kind::Mail | Kind::Dsn => "delivery report",
        };
        let reports: Vec<String> = about(seen).filter(|report| report.kind == again.kind).map(|report| describe(report, seen)).collect();
        match reports.is_empty() {
            true => format!("no {kind}"),
            false => format!("{}: {}", count(reports.len() as u64, kind).replace("replys", "replies"), got::list(reports, "none")),
        }
    };
    each(holds, got)
}

/// The reports that speak of recipients in view.
fn about<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a Message> {
    let view = seen.view.of_message(seen.at.0);
    let whole = view.len() == seen.message.recipients.len();
    let in_view: Vec<&Recipient> = view.iter().map(|item| &seen.message.recipients[item.1 as usize]).collect();
    let speaks = move |report: &&Message| whole || report.report.iter().any(|line| in_view.iter().any(|one| line.is_about(one)));
    seen.scene.reports_about(seen.message).filter(speaks)
}

impl Wanted {
    fn has(&self, report: &Message, seen: &Seen<'_>) -> bool {
        let line = |line: &ReportLine| {
            (self.actions.is_empty() || self.actions.contains(&line.action))
                && (has_code(self.status.as_ref(), 0, line.status) || has_code(self.status.as_ref(), 0, quoted(&line.diagnostic)))
                && has_text(self.text.as_deref(), &line.diagnostic)
        };
        let finally = || sorted(report.report.iter().map(|line| line.recipient.to_lowercase()));
        // Original-Recipient names the recipient as its sender wrote it.
        let at_first = || sorted(report.report.iter().map(|line| line.original.as_ref().unwrap_or(&line.recipient).to_lowercase()));
        report.kind == self.kind
            && (self.returns.is_none() || self.returns == report.returns)
            && (self.envelope_id.is_none() || self.envelope_id.as_deref() == report.envelope_id.as_deref())
            && (self.kind == Kind::DelayNotice && report.report.is_empty() || report.report.iter().any(line))
            && self.recipients.as_ref().is_none_or(|wanted| *wanted == finally() || *wanted == at_first())
            && (self.to.is_none() || report.recipients.iter().any(|reader| self.was_handed_over(reader)))
            && (self.window.within.is_none()
                || report.recipients.iter().any(|reader| arrived(reader) && self.window.has(reader.at.since(seen.message.sent_at))))
    }

    fn was_handed_over(&self, reader: &Recipient) -> bool {
        let handed = reader.hops.iter().any(|hop| hop.to.is_some() && is(self.to.as_ref(), hop.to.as_ref()));
        handed || arrived(reader) && is(self.to.as_ref(), reader.final_place.as_ref())
    }
}

/// The status in the reply that Diagnostic-Code quotes: some servers write one status for all failures beside it.
fn quoted(diagnostic: &str) -> Option<Enhanced> {
    diagnostic.split_whitespace().take(2).find_map(Enhanced::parse)
}

/// `inbound#5/dsn1 (failed 5.1.1 nobody@contoso.com) to internet after 400ms`
fn describe(report: &Message, seen: &Seen<'_>) -> String {
    let lines = report.report.iter().map(|line| {
        let status = line.status.map_or("without a status".into(), |status| status.to_string());
        format!("{} {status} {}", line.action, line.recipient)
    });
    let readers = report.recipients.iter().map(|reader| {
        let place = reader.final_place.as_ref().map_or("nobody", label);
        match arrived(reader) {
            true => format!("to {place} after {}", exact_duration(reader.at.since(seen.message.sent_at))),
            false => format!("{} at {place}", reader.fate.as_str()),
        }
    });
    let called = report.envelope_id.as_ref().map_or(String::new(), |id| format!(" envelope id {}", printable(id)));
    format!("{}{called} ({}) {}", report.id, got::list(lines, "about nobody"), got::list(readers, "to nobody"))
}

#[cfg(test)]
mod tests {
    use crate::analysis::fixture::two_sites;
    use crate::analysis::outcome::Kind;
    use crate::verify::fixture::{table, told};

    #[test]
    fn what_the_sender_is_told() {
        table(&[
            (
                r#"For(to: "nobody@*", expect: [Ndr(to: "internet", is: 1, within: "1s", recipients: ["nobody@contoso.com"], action: Failed, status: "5.1.1", text: "no such mailbox")])"#,
                "holds",
            ),
            (
                r#"For(to: "nobody@*", expect: [Ndr(status: "5.7.1")])"#,
                "1 delivery report: inbound#5/dsn1 (failed 5.1.1 nobody@contoso.com) to internet after 400ms [inbound#5]",
            ),
            (r#"For(to: "alice@*", expect: [Not(Ndr())])"#, "holds"),
            (
                "Not(Ndr())",
                "1 of 6 recipients, the first: 1 delivery report: inbound#5/dsn1 (failed 5.1.1 nobody@contoso.com) to internet after 400ms [inbound#5]",
            ),
            ("Ndr()", "5 of 6 recipients, the first: no delivery report [inbound#1]"),
            (
                r#"For(to: "nobody@*", expect: [Ndr(to: "exchange")])"#,
                "1 delivery report: inbound#5/dsn1 (failed 5.1.1 nobody@contoso.com) to internet after 400ms [inbound#5]",
            ),
            ("Not(DelayNotice())", "holds"),
            (r#"For(to: "carol@*", expect: [DelayNotice(to: "internet", moments: ["4h"])])"#, "no delay notice [inbound#6]"),
            ("Not(Notice(action: Relayed))", "holds"),
            ("Any(Notice())", "none of 6 recipients, the first: no delivery report [inbound#1]"),
            (r#"For(to: "nobody@*", expect: [Ndr(ret: Full), Not(Ndr(ret: Headers))])"#, "holds"),
        ]);
    }

    #[test]
    fn notices() {
        let mut outcome = two_sites();
        outcome.messages[5].report[0].action = "relayed";
        let whom = |what: &str| format!(r#"For(to: "nobody@*", expect: [{what}])"#);
        let cases = [
            (r#"Notice(to: "internet", action: Relayed, is: 1)"#, "holds"),
            ("Notice()", "holds"),
            ("Not(Ndr())", "holds"),
            (
                "Notice(action: Expanded)",
                "1 delivery report: inbound#5/dsn1 (relayed 5.1.1 nobody@contoso.com) to internet after 400ms [inbound#5]",
            ),
        ];
        for (what, expected) in cases {
            assert_eq!(told(&outcome, &whom(what)), expected, "{what}");
        }
        outcome.messages[5].kind = Kind::DelayNotice;
        outcome.messages[5].report[0].action = "delayed";
        let cases = [
            (r#"DelayNotice(to: "internet", is: 1, within: "1m", moments: ["50m"])"#, "holds"),
            ("Ndr(action: Delayed)", "holds"),
            (
                r#"DelayNotice(moments: ["4h"])"#,
                "1 delay notice: inbound#5/dsn1 (delayed 5.1.1 nobody@contoso.com) to internet after 400ms [inbound#5]",
            ),
        ];
        for (what, expected) in cases {
            assert_eq!(told(&outcome, &whom(what)), expected, "{what}");
        }
    }
}
