//! Does a mailbox answer a message by itself?
//!
//! One answer for each sender, none to automatic mail, lists and junk; who is outside may be left out, by the mailbox or by the organization. Sources:
//! RFC 3834 §2 and §5; Set-MailboxAutoReplyConfiguration; Set-RemoteDomain AllowedOOFType and AutoReplyEnabled; Set-DistributionGroup
//! SendOofMessageToOriginatorEnabled; Microsoft, "Understanding and troubleshooting Out of Office (OOF) replies". Decisions of ours: the answer goes to the
//! envelope sender (RFC 3834 §4), and what the rule of another mailbox passed on is not answered.

use super::{Because, Decision, because};
use crate::base::SimTime;
use crate::model::automatic_reply::{AutomaticReply, ExternalAudience};
use crate::model::directory::{AllowedOof, RemoteDomain};
use crate::model::letter::{Letter, MessageType};

const RFC: &str = "RFC 3834 §2";
const STATE: &str = "Set-MailboxAutoReplyConfiguration AutoReplyState";
const AUDIENCE: &str = "Set-MailboxAutoReplyConfiguration ExternalAudience";
const ARTICLE: &str = "Out of Office (OOF) replies";

/// A message in a mailbox that has automatic replies.
#[derive(Debug)]
pub struct Occasion<'a> {
    /// Its settings.
    pub reply: &'a AutomaticReply,
    /// The mailbox.
    pub address: &'a str,
    /// The message.
    pub letter: &'a Letter,
    /// Now.
    pub at: SimTime,
    /// It went into the junk folder.
    pub junk: bool,
    /// A list or group that keeps answers from the sender.
    pub list: Option<&'a str>,
    /// When this sender was answered last, with the same settings.
    pub last: Option<SimTime>,
    /// What the organization says; `None`: a mailbox of a server that is not Exchange.
    pub organization: Option<Organization<'a>>,
}

/// What an Exchange organization says of a sender.
#[derive(Clone, Copy, Debug)]
pub struct Organization<'a> {
    /// In one of its accepted domains.
    pub is_own: bool,
    /// The remote domain of the sender.
    pub remote: Option<&'a RemoteDomain>,
}

/// Is the message answered?
#[must_use]
pub fn answers(occasion: &Occasion<'_>) -> Decision<bool> {
    let Occasion { reply, address, letter, .. } = occasion;
    let no = |rule, name: &str, why: String, source| Decision::for_reason(false, because(rule, name, why, source));
    if !reply.enabled {
        return no("OOF-2", address, "automatic replies are switched off".to_owned(), STATE);
    }
    if occasion.at < reply.from || occasion.at >= reply.until {
        return no("OOF-2", address, "automatic replies are scheduled for another time".to_owned(), STATE);
    }
    if let Some(why) = automatic(letter, address, occasion.organization.is_none()) {
        return no("OOF-3", address, why, RFC);
    }
    if let Some(list) = occasion.list {
        let source = if occasion.organization.is_some() { "Set-DistributionGroup SendOofMessageToOriginatorEnabled" } else { RFC };
        return no("OOF-3", list, "it came through a list: its sender is not told who of the members is away".to_owned(), source);
    }
    if occasion.junk {
        return no("OOF-5", address, "what goes into the junk folder is not answered".to_owned(), ARTICLE);
    }
    let again = |last: SimTime| reply.again_after_ns.is_some_and(|after| occasion.at >= last.after(after));
    if occasion.last.is_some_and(|last| !again(last)) {
        let source = if occasion.organization.is_some() { ARTICLE } else { RFC };
        return no("OOF-4", address, format!("{} had an answer already", letter.sender), source);
    }
    let reason = match occasion.organization {
        None => because("OOF-1", *address, format!("answers {} by itself", letter.sender), RFC),
        Some(organization) => match in_organization(organization, reply, address, &letter.sender) {
            Ok(reason) => reason,
            Err(reason) => return Decision::for_reason(false, reason),
        },
    };
    Decision::for_reason(true, reason)
}

/// The answer for inside or outside, if the sender gets one.
fn in_organization(organization: Organization<'_>, reply: &AutomaticReply, address: &str, sender: &str) -> Result<Because, Because> {
    if organization.is_own {
        return Ok(because("OOF-1", address, format!("answers {sender}: somebody of the organization"), STATE));
    }
    if let Some(remote) = organization.remote {
        if !remote.auto_reply {
            let why = format!("no automatic replies go from here to {sender}");
            return Err(because("OOF-7", &*remote.name, why, "Set-RemoteDomain AutoReplyEnabled"));
        }
        match remote.oof {
            AllowedOof::None => {
                let why = format!("no answers about absence go from here to {sender}");
                return Err(because("OOF-7", &*remote.name, why, "Set-RemoteDomain AllowedOOFType"));
            }
            AllowedOof::Internal => {
                let why = format!("answers {sender} as somebody inside: the remote domain takes the internal answer");
                return Ok(because("OOF-1", &*remote.name, why, "Set-RemoteDomain AllowedOOFType"));
            }
            AllowedOof::External => {}
        }
    }
    match &reply.outside {
        ExternalAudience::All => Ok(because("OOF-1", address, format!("answers {sender}: somebody outside"), AUDIENCE)),
        ExternalAudience::Known(contacts) if contacts.iter().any(|contact| contact.matches(sender)) => {
            Ok(because("OOF-1", address, format!("answers {sender}: outside, and a contact of the mailbox"), AUDIENCE))
        }
        ExternalAudience::Known(_) => {
            Err(because("OOF-6", address, format!("{sender} is outside, and no contact of the mailbox"), AUDIENCE))
        }
        ExternalAudience::None => Err(because("OOF-6", address, format!("{sender} is outside: only people inside are answered"), AUDIENCE)),
    }
}

/// Why a message is automatic mail, if it is; `by_name`: addresses of programs are known by their names, too.
fn automatic(letter: &Letter, address: &str, by_name: bool) -> Option<String> {
    if letter.sender.is_empty() {
        return Some("the null sender is never answered".to_owned());
    }
    if letter.sender.eq_ignore_ascii_case(address) {
        return Some("nobody answers himself".to_owned());
    }
    match letter.kind {
        Some(MessageType::OutOfOffice) => return Some("an answer of somebody who is away is not answered".to_owned()),
        Some(MessageType::ReadReceipt) => return Some("a read receipt is not answered".to_owned()),
        Some(MessageType::AutoForward) if letter.inbox.iter().any(|step| !step.mailbox.eq_ignore_ascii_case(address)) => {
            return Some("the rule of another mailbox passed it on".to_owned());
        }
        _ => {}
    }
    let local = letter.sender.rsplit_once('@').map_or("", |(local, _)| local).to_ascii_lowercase();
    if by_name && (local.starts_with("owner-") || local.ends_with("-request") || local == "mailer-daemon") {
        return Some(format!("{} is the address of a program", letter.sender));
    }
    let field = letter.headers.iter().find(|header| {
        let value = header.value.trim().to_ascii_lowercase();
        match header.name.to_ascii_lowercase().as_str() {
            "auto-submitted" => value != "no",
            "precedence" => matches!(value.as_str(), "bulk" | "list" | "junk"),
            "x-auto-response-suppress" => value.split(',').any(|word| matches!(word.trim(), "oof" | "autoreply" | "all")),
            name => name.starts_with("list-"),
        }
    })?;
    Some(format!("its header says that it is automatic mail: {}: {}", field.name, field.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Pattern, SECOND};
    use crate::model::inbox::{InboxStep, InboxWork};
    use crate::model::letter::Header;

    #[test]
    fn who_is_answered() {
        let reply = AutomaticReply {
            address: Pattern::new("a@c.test"),
            enabled: true,
            from: SimTime(10 * SECOND),
            until: SimTime(20 * SECOND),
            outside: ExternalAudience::Known(vec![Pattern::new("friend@*")]),
            again_after_ns: None,
        };
        let remote =
            |auto_reply, oof| RemoteDomain { name: "r".into(), domain: "*".into(), auto_forward: true, ndr: true, auto_reply, oof };
        let (closed, none) = (remote(false, AllowedOof::External), remote(true, AllowedOof::None));
        let internal = remote(true, AllowedOof::Internal);
        let letter = |sender: &str| Letter { sender: sender.into(), ..Letter::default() };
        let header =
            |name: &str, value: &str| Letter { headers: vec![Header { name: name.into(), value: value.into() }], ..letter("b@c.test") };
        let by_rule = |mailbox: &str| Letter {
            kind: Some(MessageType::AutoForward),
            inbox: vec![InboxStep { mailbox: mailbox.into(), done: InboxWork::All }],
            ..letter("b@c.test")
        };
        let inside = Some(Organization { is_own: true, remote: None });
        let outside = |remote| Some(Organization { is_own: false, remote });
        let cases: [(&str, Letter, u64, Option<Organization<'_>>, &str); 20] = [
            ("inside", letter("b@c.test"), 10, inside, "OOF-1"),
            ("too early", letter("b@c.test"), 9, inside, "OOF-2"),
            ("too late", letter("b@c.test"), 20, inside, "OOF-2"),
            ("null sender", letter(""), 10, inside, "OOF-3"),
            ("itself", letter("A@c.test"), 10, inside, "OOF-3"),
            ("auto-submitted", header("Auto-Submitted", "auto-generated"), 10, inside, "OOF-3"),
            ("auto-submitted: no", header("Auto-Submitted", "No"), 10, inside, "OOF-1"),
            ("bulk", header("precedence", "bulk"), 10, inside, "OOF-3"),
            ("list field", header("List-Id", "<x>"), 10, inside, "OOF-3"),
            ("suppressed", header("X-Auto-Response-Suppress", "DR, OOF"), 10, inside, "OOF-3"),
            ("suppressed, but not this", header("X-Auto-Response-Suppress", "DR"), 10, inside, "OOF-1"),
            ("another mailbox's rule", by_rule("z@c.test"), 10, inside, "OOF-3"),
            ("the kept copy of its own rule", by_rule("a@c.test"), 10, inside, "OOF-1"),
            ("a contact", letter("friend@x.test"), 10, outside(None), "OOF-1"),
            ("a stranger", letter("x@x.test"), 10, outside(None), "OOF-6"),
            ("no replies there", letter("friend@x.test"), 10, outside(Some(&closed)), "OOF-7"),
            ("no absences there", letter("friend@x.test"), 10, outside(Some(&none)), "OOF-7"),
            ("as inside there", letter("x@x.test"), 10, outside(Some(&internal)), "OOF-1"),
            ("elsewhere a program", letter("owner-l@x.test"), 10, None, "OOF-3"),
            ("elsewhere anybody", letter("x@x.test"), 10, None, "OOF-1"),
        ];
        for (case, letter, at, organization, rule) in cases {
            let at = SimTime(at * SECOND);
            let occasion =
                Occasion { reply: &reply, address: "a@c.test", letter: &letter, at, junk: false, list: None, last: None, organization };
            let decision = answers(&occasion);
            assert_eq!((decision.chosen[0].rule, decision.outcome), (rule, rule == "OOF-1"), "{case}: {decision:?}");
            let junk = answers(&Occasion { junk: true, ..occasion });
            assert!(!junk.outcome, "{case} in the junk folder");
        }
        let weekly = AutomaticReply { again_after_ns: Some(5 * SECOND), ..reply.clone() };
        let letter = letter("b@c.test");
        for (reply, at, answered) in [(&reply, 19, false), (&weekly, 14, false), (&weekly, 15, true)] {
            let at = SimTime(at * SECOND);
            let last = Some(SimTime(10 * SECOND));
            let occasion =
                Occasion { reply, address: "a@c.test", letter: &letter, at, junk: false, list: None, last, organization: inside };
            assert_eq!(answers(&occasion).outcome, answered, "at {at:?}");
            assert!(!answers(&Occasion { list: Some("all@c.test"), last: None, ..occasion }).outcome);
        }
    }
}
