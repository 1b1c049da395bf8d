//! `explain`: one message, hop by hop, with every reason and every loser.
//!
//! Prints what was decided when it was decided; nothing is decided again. Passes that came to the same as the one before are folded into
//! one line, and a recipient that went the same way as an earlier one is only named. The trace fields at the end have the form of RFC 5321
//! §4.4 with the names of the scenario; addresses of clients and the identifiers of real servers are not modelled.

use super::sameness::{again, differs_in_order, is_alike, same_decisions};
use super::words::{Clock, count, duration, fit, wrap};
use crate::analysis::outcome::{
    Attempt, AttemptResult, Authentication, Connection, ConnectionResult, Decision, Hop, Kind, Lookup, LostBefore, Message, Outcome, Place,
    Reason, Recipient, Tls,
};
use crate::analysis::paths::{label, route};
use crate::base::{Fate, SimTime, TlsOutcome, printable};

const WIDTH: usize = 100;

/// The message with this id, explained; `None` if the run has no such message.
#[must_use]
pub fn explain_text(outcome: &Outcome, id: &str, clock: Clock) -> Option<String> {
    let message = outcome.messages.iter().find(|message| &*message.id == id)?;
    let mut page = Page { text: String::new(), clock };
    page.line(0, &format!("{}: {} from {}, {}", message.id, message.kind.as_str(), message.from, count(message.size, "byte")));
    page.line(0, &format!("entered at {} at {}", label(&message.entered_at), clock.moment(message.sent_at)));
    page.what_it_reports(message);
    let mut told: Vec<(&Recipient, String)> = vec![];
    for recipient in &message.recipients {
        page.fate(message, recipient);
        let mut way = Page { text: String::new(), clock };
        way.hops(recipient);
        match told.iter().find(|(_, text)| *text == way.text) {
            Some((earlier, _)) if !way.text.is_empty() => page.line(2, &format!("went the same way as {}", earlier.name())),
            Some(_) | None => {
                page.text += &way.text;
                told.push((recipient, way.text));
            }
        }
    }
    page.received(message, told.iter().map(|(recipient, _)| *recipient));
    page.reports_about(outcome, message);
    Some(page.text)
}

struct Page {
    text: String,
    clock: Clock,
}

impl Page {
    /// A line of at most 100 characters; what does not fit goes on below, two blanks further in.
    fn line(&mut self, indent: usize, text: &str) {
        for (at, line) in wrap(text, WIDTH - indent - 2).into_iter().enumerate() {
            let indent = if at == 0 { indent } else { indent + 2 };
            self.text += &format!("{:indent$}{line}\n", "");
        }
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn what_it_reports(&mut self, message: &Message) {
        if let Some(parent) = &message.parent {
            let called = message.envelope_id.as_ref().map_or(String::new(), |id| format!(", envelope id {}", printable(id)));
            self.line(0, &format!("speaks of {parent}{called}"));
        } else if let Some(id) = &message.envelope_id {
            self.line(0, &format!("envelope id {}", printable(id)));
        }
        for line in &message.report {
            if message.kind == Kind::AutomaticReply {
                self.line(2, &format!("answers for {}", line.recipient));
                continue;
            }
            let diagnostic = if line.diagnostic.is_empty() { String::new() } else { format!(" ({})", line.diagnostic) };
            let status = line.status.map_or(String::new(), |status| format!(", status {status}"));
            let called = line
                .original
                .as_ref()
                .filter(|original| **original != line.recipient)
                .map_or(String::new(), |original| format!(", at first {}", printable(original)));
            self.line(2, &format!("{} {}{called}{status}{diagnostic}", line.action, line.recipient));
        }
    }

    fn fate(&mut self, message: &Message, recipient: &Recipient) {
        self.gap();
        let at = recipient.final_place.as_ref().map_or(String::new(), |place| format!(" at {}", label(place)));
        let became = recipient.became.as_ref().map_or(String::new(), |became| format!(", which became {became}"));
        self.line(0, &format!("to {}{became}: {}{at}", recipient.to, recipient.fate.as_str()));
        let code = if recipient.code == 0 { String::new() } else { format!("{} ", recipient.code) };
        let said = recipient.said_by.as_ref().map_or(String::new(), |place| format!(", said by {}", label(place)));
        self.line(2, &format!("{code}{} {}{said}", recipient.enhanced, recipient.text));
        let after = duration(recipient.at.since(message.sent_at));
        self.line(2, &format!("at {}, {after} after it was sent; path {}", self.clock.moment(recipient.at), route(message, recipient)));
        if recipient.duplicates > 0 {
            self.line(2, &format!("arrived {} more after that", count(u64::from(recipient.duplicates), "time")));
        }
    }

    fn hops(&mut self, recipient: &Recipient) {
        if recipient.hops.is_empty() {
            self.line(2, "no hop was recorded: it ended where it entered, or the run kept fates only");
        }
        let hops = &recipient.hops[..];
        let mut at = 0;
        while let Some(hop) = hops.get(at) {
            self.gap();
            self.hop(at + 1, hop, recipient.fate);
            at += 1;
            let again = again(hops, at);
            if again > at {
                self.gap();
                let round = if again - at > 1 { format!("hops {} to {again}", at + 1) } else { format!("hop {again}") };
                self.line(2, &format!("{round}: round again, as before; left {}", self.clock.moment(hops[again - 1].left_at)));
                at = again;
            }
        }
        if let Some(place) = recipient.final_place.as_ref().filter(|_| !recipient.arrival.is_empty()) {
            self.gap();
            self.lost_before("that", &recipient.lost_before);
            self.line(2, &format!("there, at {}", label(place)));
            recipient.arrival.iter().for_each(|decision| self.decision(4, decision));
        }
    }

    fn hop(&mut self, number: usize, hop: &Hop, fate: Fate) {
        self.lost_before(&format!("hop {number}"), &hop.lost_before);
        if hop.to.is_none() && fate == Fate::Delivered && hop.attempts.is_empty() && hop.at_end.is_empty() && hop.waited.is_none() {
            // A mailbox where the message is, beside recipients who are elsewhere.
            self.line(2, &format!("there, at {}", label(&hop.from)));
            hop.decisions.iter().for_each(|decision| self.decision(4, decision));
            return;
        }
        let kept = hop.attempts.last().is_some_and(|attempt| attempt.result == AttemptResult::Delivered)
            || fate == Fate::Delivered && !hop.at_end.is_empty();
        let to = hop.to.as_ref().map_or(if kept { "its own mailbox" } else { "nobody" }, label);
        self.line(2, &format!("hop {number}: {} -> {to}", label(&hop.from)));
        self.hop_body(hop, fate);
    }

    /// What servers tried that lost it before somebody else sent it on.
    fn lost_before(&mut self, next: &str, lost_before: &[LostBefore]) {
        for before in lost_before {
            let lost = &before.hop;
            self.lost_before(next, &lost.lost_before);
            let (died, place) = (self.clock.moment(lost.left_at), label(&lost.from));
            let what = match before.from_mailbox {
                true => format!("in the mailbox at {place} until the failover at {died}"),
                false => format!("{place}, which lost it with its queue at {died}"),
            };
            self.line(2, &format!("before {next}: {what}"));
            self.hop_body(lost, Fate::Lost);
            self.gap();
        }
    }

    /// When it came and left, what was decided, and each attempt.
    fn hop_body(&mut self, hop: &Hop, fate: Fate) {
        let (came, left) = (self.clock.moment(hop.queued_at), self.clock.moment(hop.left_at));
        let stayed = duration(hop.left_at.since(hop.queued_at));
        let queue = if hop.queue.is_empty() { String::new() } else { format!("queue {}, rule {}; ", hop.queue, hop.rule) };
        let end = match (&hop.to, fate) {
            (Some(_), _) => "left",
            (None, Fate::Queued | Fate::Frozen) => "still there at",
            (None, _) => "ended",
        };
        self.line(4, &format!("{queue}came {came}, {end} {left}, {stayed} in all"));
        hop.decisions.iter().for_each(|decision| self.decision(4, decision));
        if let Some((next, why)) = hop.waited {
            self.line(4, &format!("{came}: nothing is tried; next look at {}: {why}", self.clock.moment(next)));
        }
        let mut before: Option<&Attempt> = None;
        let mut rest = &hop.attempts[..];
        let mut done = 0;
        while let Some(first) = rest.first() {
            self.attempt(done + 1, first, before);
            let same = rest[1..].iter().take_while(|attempt| is_alike(first, attempt) || differs_in_order(first, attempt)).count();
            if same > 0 {
                self.next(first, Some(hop).filter(|_| rest.len() == 1));
                self.folded(done + 2, &rest[..=same]);
            }
            self.next(&rest[same], Some(hop).filter(|_| rest.len() == same + 1));
            before = Some(first);
            done += same + 1;
            rest = &rest[same + 1..];
        }
        if !hop.at_end.is_empty() {
            self.line(4, &format!("{left}: looked up again, and it ends here"));
            hop.at_end.iter().for_each(|decision| self.decision(6, decision));
        }
    }

    fn attempt(&mut self, number: usize, attempt: &Attempt, before: Option<&Attempt>) {
        self.line(4, &format!("attempt {number} at {}: {}", self.clock.moment(attempt.at), outcome_of(attempt)));
        attempt.lookups.iter().for_each(|lookup| self.lookup(lookup));
        let known = before.is_some_and(|before| same_decisions(before, attempt));
        if known && !attempt.decisions.is_empty() {
            self.line(6, "decided as before");
        } else {
            // Machines of one service that are asked in turn say the same.
            let reasons = |decision: &Decision| (decision.question.clone(), decision.chosen.clone(), decision.passed_over.clone());
            for (at, decision) in attempt.decisions.iter().enumerate() {
                if !attempt.decisions[..at].iter().any(|before| reasons(before) == reasons(decision)) {
                    self.decision(6, decision);
                }
            }
        }
        for host in &attempt.not_used {
            self.line(6, &format!("{} not connected to: {}", self.clock.moment(host.at), host.tls.why));
        }
        attempt.connections.iter().for_each(|connection| self.connection(connection));
        if let Some(last_error) = &attempt.last_error {
            self.line(6, &format!("LastError of the queue: {last_error}"));
        }
        let idle = attempt.connections.is_empty() && attempt.lookups.is_empty() && attempt.decisions.is_empty();
        if idle && attempt.result == AttemptResult::Deferred && attempt.not_used.is_empty() {
            self.line(6, "no connection of its own: its queue had just failed with other mail");
        }
    }

    /// Attempts that came to the same as the first of `row`, which was told in full.
    fn folded(&mut self, number: usize, row: &[Attempt]) {
        let last = &row[row.len() - 1];
        let gaps = || row.windows(2).map(|pair| pair[1].at.since(pair[0].at));
        let (shortest, longest) = (duration(gaps().min().unwrap_or(0)), duration(gaps().max().unwrap_or(0)));
        let spacing = if shortest == longest { format!("every {shortest}") } else { format!("{shortest} to {longest} apart") };
        let last_at = self.clock.moment(last.at);
        let same = if row.iter().all(|attempt| is_alike(&row[0], attempt)) { "the same" } else { "the same hosts, each first in its turn" };
        let times = |why: &str| row.iter().filter(|attempt| attempt.next_why == why).count();
        let usual = row.iter().map(|attempt| attempt.next_why).max_by_key(|why| times(why)).unwrap_or_default();
        for (other, next) in row[..row.len() - 1].iter().filter_map(|other| Some((other, other.next_at?))).skip(1) {
            if other.next_why != usual {
                let (at, next) = (self.clock.moment(other.at), self.clock.moment(next));
                self.line(4, &format!("after the attempt at {at}, the next one at {next}: {}", other.next_why));
            }
        }
        if row.len() == 2 {
            self.line(4, &format!("attempt {number} at {last_at}: {same}, {shortest} later"));
        } else {
            self.line(4, &format!("attempts {number} to {}: {same}, {spacing}, last at {last_at}", number + row.len() - 2));
        }
    }

    /// What comes after an attempt; of the last one in a hop, that may be the end.
    fn next(&mut self, attempt: &Attempt, last_of: Option<&Hop>) {
        let why = if attempt.next_why.is_empty() { String::new() } else { format!(": {}", attempt.next_why) };
        let over = |next: &SimTime| last_of.is_some_and(|hop| hop.to.is_none() && hop.left_at == *next && hop.at_end.is_empty());
        if let Some(end) = attempt.next_at.filter(over) {
            self.line(6, &format!("no further attempt; the end at {}{why}", self.clock.moment(end)));
        } else if let Some(hop) = last_of.filter(|hop| ended_first(hop, attempt) && hop.at_end.is_empty()) {
            self.line(
                6,
                &format!(
                    "the next attempt would have been at {}; the end came at {}",
                    self.clock.moment(attempt.next_at.unwrap_or(SimTime::NEVER)),
                    self.clock.moment(hop.left_at)
                ),
            );
        } else if let Some(next) = attempt.next_at {
            // What waits for somebody to do something has an end and no attempt before it.
            let what = if attempt.next_why.contains("no attempt until") { "given up at" } else { "next attempt at" };
            self.line(6, &format!("{what} {}{why}", self.clock.moment(next)));
        } else if attempt.result != AttemptResult::Delivered && !why.is_empty() {
            self.line(6, &format!("no further attempt{why}"));
        }
    }

    fn lookup(&mut self, lookup: &Lookup) {
        let cached = if lookup.cached { ", from the cache" } else { "" };
        self.line(6, &format!("{} asked {} {}: {}{cached}", self.clock.moment(lookup.at), lookup.kind, lookup.name, lookup.answer));
    }

    fn connection(&mut self, connection: &Connection) {
        let place = connection.to.as_ref().map_or("no machine", label);
        let preference = connection.preference.map_or(String::new(), |preference| format!(", preference {preference}"));
        let address = if connection.address.is_ipv6() { format!("[{}]", connection.address) } else { connection.address.to_string() };
        let target = format!("{} ({address}:{}, {place}{preference})", connection.name, connection.port);
        let lasted = duration(connection.end.since(connection.at));
        let end = match connection.result {
            ConnectionResult::Accepted => format!("accepted after {lasted}"),
            result => format!("{} at {} after {lasted}", result.as_str(), connection.phase.as_str()),
        };
        self.line(6, &format!("{} to {target}: {end}", self.clock.moment(connection.at)));
        if let Some(reply) = &connection.reply {
            self.line(8, &format!("reply {reply}"));
        }
        match &connection.tls {
            // Nothing was sent, so there is no word for how: the policy, and what it had against it.
            Some(tls) if connection.result == ConnectionResult::TlsFailed => {
                self.line(8, &format!("no TLS, policy {}: {}", tls.policy, connection.why));
            }
            Some(tls) => {
                if !connection.why.is_empty() {
                    self.line(8, &connection.why);
                }
                self.tls(tls);
            }
            None if connection.why.is_empty() => {}
            None => self.line(8, &connection.why),
        }
        if let Some(found) = connection.authentication.as_ref().filter(|found| !found.is_silent()) {
            self.line(8, &authentication(found));
        }
    }

    fn tls(&mut self, tls: &Tls) {
        let version = tls.version.map_or(String::new(), |version| format!(", {}", version.as_str()));
        let result = tls.result.map_or(String::new(), |result| format!(", {result}"));
        self.line(8, &format!("TLS {}{version}, policy {}{result}: {}", tls.outcome.as_str(), tls.policy, tls.why));
    }

    fn decision(&mut self, indent: usize, decision: &Decision) {
        // The verdict is mostly the first winner in the same words: each thing is said once.
        let told = decision.chosen.first().is_some_and(|first| *decision.verdict == *format!("{}: {}", first.name, first.why));
        let verdict = if told { "" } else { &*decision.verdict };
        self.line(indent, format!("{} {verdict}", decision.question).trim_end());
        // Where there is one candidate only, nobody won against anybody.
        let won = if decision.chosen.len() + decision.passed_over.len() > 1 { "won " } else { "" };
        let (chosen, lost) = (decision.chosen.iter().map(|one| (won, one)), decision.passed_over.iter().map(|one| ("lost ", one)));
        let mut all: Vec<(&str, &Reason)> = chosen.chain(lost).collect();
        // Who is asked in turns is told in turns; else winners come first.
        all.sort_by_key(|(_, reason)| reason.turn);
        all.into_iter().for_each(|(sign, reason)| self.reason(indent + 2, sign, reason));
    }

    fn reason(&mut self, indent: usize, sign: &str, reason: &Reason) {
        let source = if reason.source.is_empty() { String::new() } else { format!(", {}", reason.source) };
        self.line(indent, &format!("{sign}{}: {} [{}{source}]", reason.name, reason.why, reason.rule));
    }

    /// The trace fields on top of the mail as the last machine has it, newest first; once for each way that was told.
    fn received<'a>(&mut self, message: &Message, recipients: impl Iterator<Item = &'a Recipient>) {
        for recipient in recipients {
            let hops = recipient.hops.iter().rev();
            let fields: String = hops.filter_map(|hop| self.trace_field(message, hop, hop.to.as_ref()?)).collect();
            if !fields.is_empty() {
                self.gap();
                self.text += &fields;
            }
        }
    }

    fn trace_field(&self, message: &Message, hop: &Hop, to: &Place) -> Option<String> {
        let date = self.clock.header_date(hop.left_at);
        let secured = hop.tls.as_ref().filter(|tls| tls.outcome > TlsOutcome::Plaintext);
        let with = if secured.is_some() { "ESMTPS" } else { "ESMTP" };
        let version = secured.and_then(|tls| tls.version).map_or(String::new(), |version| format!(" ({})", version.as_str()));
        let names = [&hop.from.host, &to.host, &message.id, &hop.recipient].map(|name| printable(name));
        let [from, by, id, rcpt] = names;
        let field = format!("Received: from {from} by {by}\n    with {with}{version} id {id}\n    for <{rcpt}>; {date}\n");
        (hop.from != *to).then_some(field)
    }

    fn reports_about(&mut self, outcome: &Outcome, message: &Message) {
        let reports: Vec<&Message> = outcome.messages.iter().filter(|other| other.parent.as_ref() == Some(&message.id)).collect();
        if reports.is_empty() {
            return;
        }
        self.gap();
        let answered = reports.iter().any(|report| report.kind == Kind::AutomaticReply);
        self.line(0, if answered { "reports and automatic replies" } else { "reports about it" });
        for report in reports {
            for recipient in &report.recipients {
                let (id, kind, fate) = (&report.id, report.kind.as_str(), recipient.fate.as_str());
                let (made, at) = (self.clock.moment(report.sent_at), self.clock.moment(recipient.at));
                let by = label(&report.entered_at);
                let by = report.reporting.as_ref().map_or(by.to_owned(), |name| format!("{by} in the name of {}", printable(name)));
                self.line(2, &format!("{id}: {kind}, made by {by} at {made}, to {}: {fate} at {at}", recipient.name()));
            }
        }
    }
}

/// `SPF fail (a.test, from 192.0.2.1); DKIM pass (a.test); DMARC pass (author a.test)`
fn authentication(found: &Authentication) -> String {
    let spf = found.spf.map(|result| format!("SPF {result} ({}, from {})", found.spf_domain, found.address));
    let dkim = found.dkim.map(|result| match found.dkim_domains.join(", ") {
        domains if domains.is_empty() => format!("DKIM {result}"),
        domains => format!("DKIM {result} ({domains})"),
    });
    let wanted = if found.wanted == "none" { String::new() } else { format!(", who wants: {}", found.wanted) };
    let author = found.author.as_deref().unwrap_or("nobody");
    let dmarc = found.dmarc.map(|result| format!("DMARC {result} (author {author}{wanted})"));
    let action = Some(found.action).filter(|action| *action != "none").map(|action| format!("the receiver acts: {action}"));
    spf.into_iter().chain(dkim).chain(dmarc).chain(action).collect::<Vec<_>>().join("; ")
}

/// Did the stay in a queue end before the next attempt came, because of something else?
fn ended_first(hop: &Hop, attempt: &Attempt) -> bool {
    let ended = hop.left_at > attempt.end && attempt.next_at.is_some_and(|next| next != SimTime::NEVER && hop.left_at < next);
    hop.to.is_none() && ended && attempt.result == AttemptResult::Deferred
}

fn outcome_of(attempt: &Attempt) -> String {
    if attempt.result == AttemptResult::Unfinished && attempt.text.is_empty() {
        return "under way when the run ended".to_owned();
    }
    let code = if attempt.code == 0 { String::new() } else { format!("{} ", attempt.code) };
    fit(&format!("{}, {code}{} {}", attempt.result.as_str(), attempt.enhanced, attempt.text), 3 * WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture;
    use std::rc::Rc;

    fn explained(outcome: &Outcome, id: &str) -> String {
        let text = explain_text(outcome, id, Clock::default()).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.trim_end() == line), "{text}");
        text
    }

    #[test]
    fn over_the_backup_site() {
        let expected = "\
inbound#2: mail from bob@fabrikam.com, 10000 bytes
entered at internet at 11m

to alice@contoso.com: delivered at site-b
  250 2.0.0 queued
  at 11m 30.54s, 30.54s after it was sent; path internet > eop > site-b

  hop 1: internet -> eop
    queue contoso.com, rule MX; came 11m, left 11m 0.2s, 200ms in all
    attempt 1 at 11m: delivered, 250 2.6.0 queued
      11m asked MX contoso.com: 1 record
      11m to contoso-com.mail.protection.outlook.com (198.18.0.1:25, eop, preference 0): accepted
        after 200ms
        reply 250 2.6.0 queued
        TLS encrypted, TLS 1.3, policy EncryptionOnly: STARTTLS offered; the certificate is not
          looked at

  hop 2: eop -> site-b
    queue [mail.contoso.com], rule OUT-3; came 11m 0.2s, left 11m 30.54s, 30.34s in all
    which connector? To on-premises
      won To on-premises: the recipient domain matches exactly [OUT-3, RecipientDomains]
      lost To partner: `*` is less exact than `contoso.com` [OUT-3, RecipientDomains]
    attempt 1 at 11m 0.2s: delivered, 250 2.6.0 queued
      which host first? site-a.contoso.com, then the other
        won site-a.contoso.com: MX of the smart host, lowest preference first [SH-2, RFC 5321
          §5.1]
        lost 192.0.2.99: an A record counts only where no MX exists [SH-2, RFC 5321 §5.1]
      11m 0.2s to site-a.contoso.com (192.0.2.10:25, site-a, preference 10): no-answer at connect
        after 30s
        fault `site A dark` until 2400s
      11m 30.24s to site-b.contoso.com (192.0.2.20:25, site-b, preference 20): accepted after
        300ms
        reply 250 2.6.0 queued
        TLS encrypted, TLS 1.3, policy EncryptionOnly: STARTTLS offered; the certificate is not
          looked at

Received: from exchange-online#1 by site-b
    with ESMTPS (TLS 1.3) id inbound#2
    for <alice@contoso.com>; 11m 30.54s after the start
Received: from internet by exchange-online#1
    with ESMTPS (TLS 1.3) id inbound#2
    for <alice@contoso.com>; 11m 0.2s after the start
";
        let text = explained(&fixture::two_sites(), "inbound#2");
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn what_the_others_say() {
        let cases = [
            ("inbound#5", "to nobody@contoso.com: bounced at eop\n  550 5.1.1 no such mailbox, said by site-a\n"),
            (
                "inbound#5",
                "      50m 0.2s to site-a.contoso.com (192.0.2.10:25, site-a, preference 10): permanent-failure at\n        RCPT",
            ),
            (
                "inbound#5",
                "reports about it\n  inbound#5/dsn1: dsn, made by eop at 50m 0.3s, to bob@fabrikam.com: left the model at 50m 0.4s\n",
            ),
            ("inbound#5/dsn1", "speaks of inbound#5\n  failed nobody@contoso.com, status 5.1.1 (smtp; 550 5.1.1 no such mailbox)\n"),
            ("inbound#6", "  hop 2: eop -> nobody\n"),
            (
                "inbound#6",
                "    attempts 2 to 8: the same, every 5m, last at 1h 35m 0.2s\n      next attempt at 1h 40m 0.2s: every 5 minutes\n",
            ),
        ];
        for (id, piece) in cases {
            let text = explained(&fixture::two_sites(), id);
            assert!(text.contains(piece), "{piece}\n---\n{text}");
        }
        assert_eq!(explain_text(&fixture::two_sites(), "inbound#7", Clock::default()), None);
    }

    #[test]
    fn the_same_way_is_told_once() {
        let mut outcome = fixture::two_sites();
        let mut twin = outcome.messages[0].recipients[0].clone();
        twin.to = "carol\u{1b}@contoso.com".into();
        outcome.messages[0].recipients.push(twin);
        let text = explained(&outcome, "inbound#1");
        assert!(
            text.contains("to carol\\u{1b}@contoso.com: delivered at site-a\n")
                && text.contains("  went the same way as alice@contoso.com\n"),
            "{text}"
        );
        assert_eq!(text.matches("hop 2").count(), 1);
        assert_eq!(text.matches("Received:").count(), 2);
    }

    #[test]
    fn what_several_machines_say_alike_is_told_once() {
        let mut outcome = fixture::two_sites();
        let attempt = &mut outcome.messages[1].recipients[0].hops[1].attempts[0];
        let mut twin = Decision::clone(&attempt.decisions[0]);
        twin.by.host = "site-b".into();
        attempt.decisions.push(Rc::new(twin));
        let text = explained(&outcome, "inbound#2");
        assert_eq!(text.matches("which host first?").count(), 1, "{text}");
    }

    #[test]
    fn who_is_asked_in_turns_is_told_in_turns() {
        let mut outcome = fixture::two_sites();
        let decision = Rc::make_mut(&mut outcome.messages[1].recipients[0].hops[1].decisions[0]);
        let mut first = decision.chosen[0].clone();
        (first.name, first.turn, decision.chosen[0].turn) = ("first".into(), Some(0), Some(1));
        decision.passed_over = vec![first];
        let text = explained(&outcome, "inbound#2");
        assert!(text.contains("      lost first: ") && text.find("lost first: ") < text.find("won To on-premises: "), "{text}");
    }

    #[test]
    fn a_single_candidate_won_against_nobody() {
        let mut outcome = fixture::two_sites();
        Rc::make_mut(&mut outcome.messages[1].recipients[0].hops[1].decisions[0]).passed_over.clear();
        let text = explained(&outcome, "inbound#2");
        assert!(text.contains("      To on-premises: the recipient domain matches exactly [OUT-3, RecipientDomains]\n"), "{text}");
    }

    #[test]
    fn a_verdict_that_is_its_winner_is_told_once() {
        let mut outcome = fixture::two_sites();
        let decision = &mut outcome.messages[1].recipients[0].hops[1].decisions[0];
        Rc::make_mut(decision).verdict = "To on-premises: the recipient domain matches exactly".into();
        let text = explained(&outcome, "inbound#2");
        assert!(text.contains("    which connector?\n      won To on-premises: the recipient domain matches exactly [OUT-3"), "{text}");
        assert_eq!(text.matches("matches exactly").count(), 1);
    }

    #[test]
    fn another_reason_to_wait_is_told_within_a_fold() {
        let mut outcome = fixture::two_sites();
        let attempts = &mut outcome.messages[6].recipients[0].hops[1].attempts;
        attempts[4].next_why = "back to the categorizer";
        let text = explained(&outcome, "inbound#6");
        let expected =
            "    after the attempt at 1h 20m 0.2s, the next one at 1h 25m 0.2s: back to the categorizer\n    attempts 2 to 8: the same";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_failed_handshake_is_told_once_and_not_as_plain_text() {
        let mut outcome = fixture::two_sites();
        let connection = &mut outcome.messages[1].recipients[0].hops[1].attempts[0].connections[0];
        connection.result = ConnectionResult::TlsFailed;
        connection.why = "the name is another (certificate-host-mismatch)".into();
        connection.tls = Some(Tls {
            outcome: TlsOutcome::Plaintext,
            version: None,
            policy: "DomainValidation".into(),
            result: Some("certificate-host-mismatch"),
            why: "the name is another".into(),
            published: None,
        });
        let text = explained(&outcome, "inbound#2");
        assert!(text.contains("        no TLS, policy DomainValidation: the name is another (certificate-host-mismatch)\n"), "{text}");
        assert!(!text.contains("plaintext") && text.matches("the name is another").count() == 1, "{text}");
    }

    #[test]
    fn a_change_of_answer_ends_the_fold() {
        let mut outcome = fixture::two_sites();
        let attempts = &mut outcome.messages[6].recipients[0].hops[1].attempts;
        attempts[4].text = "another reason".into();
        let text = explained(&outcome, "inbound#6");
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("attempt")).skip(1).collect();
        let expected = [
            "attempt 1 at 1h 0.2s: deferred, 4.4.1 no host answers",
            "attempts 2 to 4: the same, every 5m, last at 1h 15m 0.2s",
            "attempt 5 at 1h 20m 0.2s: deferred, 4.4.1 another reason",
            "attempt 6 at 1h 25m 0.2s: deferred, 4.4.1 no host answers",
            "attempts 7 to 8: the same, every 5m, last at 1h 35m 0.2s",
        ];
        assert_eq!(lines, expected);
    }
}
