//! What may a rule book know of a message, beside whom it goes to?
//!
//! Sources: New-TransportRule (its conditions); header-firewall articles on Exchange hybrid (`X-MS-Exchange-Organization-*`, `AuthAs`). Of the
//! content there are size, header fields, and what the message says about its body and its kind.

use super::authentication::Change;
use super::exchange::Pool;
use super::inbox::{InboxStep, InboxWork};
use crate::base::SystemId;
use std::net::IpAddr;

/// A message as a rule book sees it where it is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Letter {
    /// Envelope sender, empty for the null sender.
    pub sender: Box<str>,
    /// The author in `From`.
    pub author: Box<str>,
    /// Fields of the header, those of systems on the way last.
    pub headers: Vec<Header>,
    /// What stands in its body.
    pub text: Box<str>,
    /// What kind of message it is, if it is no ordinary one.
    pub kind: Option<MessageType>,
    /// Bytes.
    pub size_bytes: u64,
    /// What filters say so far.
    pub scl: Option<i8>,
    /// Whose mail it is for the system that has it.
    pub origin: Origin,
    /// The address that handed it in.
    pub client: Option<IpAddr>,
    /// A report about another message.
    pub is_report: bool,
    /// How often mail-flow rules passed it on by themselves.
    pub rule_loops: u8,
    /// How often each tenant passed it on in place of a mailbox.
    pub forwards: Vec<(SystemId, u8)>,
    /// Rules have run over it here already, and this is what they left for its way out.
    pub ruled: Option<Pin>,
    /// It is on its way to somebody who stands for its recipient in the directory.
    pub stands_in: bool,
    /// Which mailboxes passed it on by their rules.
    pub inbox: Vec<InboxStep>,
    /// SPF or DKIM vouched for it when it came in, or neither; `None`: nobody looked.
    pub authentic: Option<bool>,
}

/// What rules say about the way out.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Pin {
    /// A connector, by its place in the tenant, and the rule that named it.
    pub connector: Option<(usize, Box<str>)>,
    /// TLS or not at all.
    pub requires_tls: bool,
}

impl Letter {
    /// The values of a field, by its name in any case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }
}

/// One field of a header.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    /// As written.
    pub name: Box<str>,
    /// As written.
    pub value: Box<str>,
}

/// Kinds of messages that rules tell from ordinary ones (`MessageTypeMatches`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MessageType {
    /// `OOF`: an answer of somebody who is away.
    OutOfOffice,
    /// Passed on by a rule of a mailbox. What `ForwardingSmtpAddress` passes on is not of this kind.
    AutoForward,
    /// S/MIME.
    Encrypted,
    /// Meeting requests and answers.
    Calendaring,
    /// Protected by rights.
    PermissionControlled,
    /// Voice mail.
    Voicemail,
    /// Digitally signed.
    Signed,
    /// A question to a moderator.
    ApprovalRequest,
    /// Read receipts.
    ReadReceipt,
}

/// Whose mail a message is for the system that has it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Origin {
    /// It began here: by a mailbox or a login of the system.
    #[default]
    Submitted,
    /// It came from the organization's other half with its headers intact (`AuthAs: Internal`).
    Internal,
    /// It came from a server that a connector knows as the organization's own, without those headers.
    OnPremises,
    /// The same, and a mailbox here passed it on: new mail of this organization, though nobody's inside.
    PassedOn,
    /// From anybody else (`AuthAs: Anonymous`).
    Outside,
}

impl Origin {
    /// Do groups that take mail of authenticated senders only take it?
    #[must_use]
    pub fn is_internal(self) -> bool {
        matches!(self, Self::Submitted | Self::Internal)
    }

    /// What it counts as, as the end of a sentence about the message.
    #[must_use]
    pub fn standing(self) -> &'static str {
        match self {
            Self::Submitted | Self::Internal => "counts as internal",
            Self::OnPremises => "came from a server of the organization without its headers, so it counts as anonymous (AuthAs)",
            Self::PassedOn => "was passed on by a mailbox for somebody who counts as anonymous (AuthAs)",
            Self::Outside => "came from outside, so it counts as anonymous (AuthAs)",
        }
    }

    /// Whose mail it is once a mailbox here has passed it on: what came from the own servers is new mail of this organization.
    #[must_use]
    pub fn passed_on(self) -> Self {
        match self {
            Self::Internal => Self::Submitted,
            Self::OnPremises => Self::PassedOn,
            Self::Submitted | Self::PassedOn | Self::Outside => self,
        }
    }
}

/// What systems on the way made of a message.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Marks {
    /// Fields that were set, or (`None`) taken away, by name in lower case.
    pub headers: Vec<(Box<str>, Option<Box<str>>)>,
    /// A spam confidence that was set.
    pub scl: Option<i8>,
    /// Whose mail it is here.
    pub origin: Origin,
    /// The address that handed it in here.
    pub client: Option<IpAddr>,
    /// How often mail-flow rules passed it on by themselves (`X-MS-Exchange-Transport-Rules-Loop`).
    pub rule_loops: u8,
    /// How often each tenant passed it on in place of a mailbox (`X-LD-Processed`).
    pub forwards: Vec<(SystemId, u8)>,
    /// Rules have run here already.
    pub ruled: Option<Pin>,
    /// Somebody stands for its recipient in the directory of where it is.
    pub stands_in: bool,
    /// The rule of a mailbox passed it on: an `AutoForward`.
    pub auto_forwarded: bool,
    /// Which mailboxes passed it on by their rules (`X-MS-Exchange-Inbox-Rules-Loop`).
    pub inbox: Vec<InboxStep>,
    /// SPF or DKIM vouched for it at the last door of the shared service.
    pub authentic: Option<bool>,
    /// Who wrote it, if it is by now the message of a mailbox that passed another one on.
    pub author: Option<Box<str>>,
    /// Where the headers of the organization were taken off it.
    pub lost_at: Option<LostAt>,
}

/// What takes the headers of the organization off a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum LostAt {
    /// The connector that sent it.
    Connector(Box<str>),
    /// A system on the way that is no Exchange.
    System(Box<str>),
}

/// What a system does to a message that it passes on.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Stamps {
    /// Fields to set, or (`None`) to take away, by name in lower case.
    pub headers: Vec<(Box<str>, Option<Box<str>>)>,
    /// A spam confidence.
    pub scl: Option<i8>,
    /// Headers of the organization travel along (`CloudServicesMailEnabled`); else they are stripped at the border.
    pub keeps_organization_headers: bool,
    /// A rule passed it on by itself.
    pub by_rule: bool,
    /// This tenant passed it on in place of a mailbox.
    pub forwarded_by: Option<SystemId>,
    /// Rules need not run again while it is here.
    pub ruled: Option<Pin>,
    /// Somebody stands for its recipient in the directory.
    pub stands_in: bool,
    /// The rule of a mailbox passes it on.
    pub auto_forwards: bool,
    /// What the rules of a mailbox have done with it.
    pub inbox: Option<InboxStep>,
    /// From which addresses of the service it leaves.
    pub pool: Pool,
    /// What mail-flow rules did that signatures may not survive, and which.
    pub changes: Vec<(Box<str>, Change)>,
    /// It goes on as a message of its own, by this mailbox.
    pub author: Option<Box<str>>,
}

impl Stamps {
    /// Did the rule of a mailbox pass it on, and not the mailbox as a whole?
    #[must_use]
    pub fn is_of_inbox_rule(&self) -> bool {
        self.inbox.as_ref().is_some_and(|step| step.done != InboxWork::Kept)
    }
}

impl Marks {
    /// The message after a system did this to it. What belongs to the organization alone survives only with its headers.
    pub fn stamp(&mut self, stamps: &Stamps) {
        for (name, value) in &stamps.headers {
            self.headers.retain(|(known, _)| known != name);
            self.headers.push((name.clone(), value.clone()));
        }
        self.scl = stamps.scl.or(self.scl).filter(|_| stamps.keeps_organization_headers);
        self.rule_loops = self.rule_loops.saturating_add(u8::from(stamps.by_rule));
        if let Some(tenant) = stamps.forwarded_by {
            self.origin = self.origin.passed_on();
            match self.forwards.iter_mut().find(|(known, _)| *known == tenant) {
                Some((_, times)) => *times = times.saturating_add(1),
                None => self.forwards.push((tenant, 1)),
            }
        }
        self.ruled.clone_from(&stamps.ruled);
        self.stands_in |= stamps.stands_in;
        self.auto_forwarded |= stamps.auto_forwards;
        if stamps.author.is_some() {
            // The mailbox has written it, here.
            (self.author, self.origin, self.client) = (stamps.author.clone(), Origin::Submitted, None);
        }
        if let Some(step) = &stamps.inbox {
            // What a mailbox sends on by its rules is a new message for the rules of the organization.
            self.rule_loops = if stamps.is_of_inbox_rule() { 0 } else { self.rule_loops };
            self.inbox.retain(|known| known.mailbox != step.mailbox);
            self.inbox.push(step.clone());
        }
    }

    /// The header fields after all that was set and taken away.
    #[must_use]
    pub fn headers_over(&self, written: &[Header]) -> Vec<Header> {
        let touched = |header: &&Header| !self.headers.iter().any(|(name, _)| header.name.eq_ignore_ascii_case(name));
        let set =
            |(name, value): &(Box<str>, Option<Box<str>>)| value.as_ref().map(|value| Header { name: name.clone(), value: value.clone() });
        written.iter().filter(touched).cloned().chain(self.headers.iter().filter_map(set)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_on_the_way() {
        let field = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let written = vec![field("Subject", "hello"), field("X-Secret", "1")];
        let mut marks = Marks::default();
        let headers = vec![("x-secret".into(), None), ("x-done".into(), Some("yes".into()))];
        marks.stamp(&Stamps { headers, scl: Some(-1), by_rule: true, ..Stamps::default() });
        assert_eq!(marks.headers_over(&written), [field("Subject", "hello"), field("x-done", "yes")]);
        assert_eq!((marks.scl, marks.rule_loops), (None, 1), "the SCL is a header of the organization");
        marks.stamp(&Stamps { scl: Some(6), keeps_organization_headers: true, ..Stamps::default() });
        assert_eq!((marks.scl, marks.rule_loops), (Some(6), 1));
    }
}
