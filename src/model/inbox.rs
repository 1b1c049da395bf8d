//! Rules of a mailbox that pass mail on: what they look at, and to whom they send.
//!
//! Source: New-InboxRule. Not modelled: rules that sort into folders, answer, or mark; they change nothing about where mail goes.

use super::mail_flow_rule::Texts;
use super::traffic::AddressTemplate;

/// New-InboxRule, the parameters that pass mail on.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRule {
    /// `Name`
    pub name: Box<str>,
    /// `Enabled`
    pub enabled: bool,
    /// `From`: one of these, in lower case; empty = anybody.
    pub from: Vec<Box<str>>,
    /// `SubjectContainsWords`
    pub subject: Option<Texts>,
    /// `SubjectOrBodyContainsWords`
    pub content: Option<Texts>,
    /// `ForwardTo`: a new message of the mailbox.
    pub forward_to: Vec<AddressTemplate>,
    /// `RedirectTo`: the same message.
    pub redirect_to: Vec<AddressTemplate>,
    /// `DeleteMessage`: no copy stays.
    pub deletes: bool,
    /// `StopProcessingRules`
    pub stops: bool,
}

/// How far the rules of a mailbox have gone with a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct InboxStep {
    /// The mailbox.
    pub mailbox: Box<str>,
    /// What was done.
    pub done: InboxWork,
}

/// The ways in which mail is passed on, one after the other.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum InboxWork {
    /// Redirected copies are away.
    Redirected,
    /// Forwarded ones too: what is left stays.
    All,
    /// No rule acted: the mailbox forwards and keeps a copy (`DeliverToMailboxAndForward`), which this one is.
    Kept,
}
