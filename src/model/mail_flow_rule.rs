//! Mail-flow rules of a tenant: what they look at, and what they do.
//!
//! Source: New-TransportRule and the tables of its conditions and actions. Not modelled: attachments, classifications, moderation, disclaimers.

use super::letter::{Header, MessageType};
use super::receive_connector::Range;
use super::traffic::AddressTemplate;
use crate::base::Reply;
use regex::Regex;

/// One rule; its place in the tenant's list is its priority.
#[derive(Clone, Debug, PartialEq)]
pub struct MailFlowRule {
    /// `Name`
    pub name: Box<str>,
    /// Does it act?
    pub state: RuleState,
    /// `SenderAddressLocation`: where its conditions look for the sender.
    pub looks_in: SenderPlace,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// None of them may hold.
    pub exceptions: Vec<Condition>,
    /// What it does then.
    pub actions: Vec<Action>,
    /// `StopRuleProcessing`: the rules below it are not looked at.
    pub stops: bool,
}

/// `Enabled` and `Mode`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RuleState {
    /// `Enforce`
    Acts,
    /// `Audit`, `AuditAndNotify`: it only writes down that it would.
    Audits,
    /// Disabled.
    Off,
    /// Before its `ActivationDate` or after its `ExpiryDate`.
    NotNow,
}

/// `SenderAddressLocation`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SenderPlace {
    /// In `From`.
    Header,
    /// In the envelope.
    Envelope,
    /// In both; either will do.
    Both,
}

/// One condition; the field of `New-TransportRule` stands beside it for explanations.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// In snake_case, as written.
    pub field: &'static str,
    /// What it asks.
    pub test: Test,
}

/// What a condition asks. Lists hold if any entry does.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The sender is one of these addresses.
    SenderIs(Vec<Box<str>>),
    /// The sender belongs to the organization and proved it, or not.
    SenderScope(Scope),
    /// The sender's address holds one of these texts.
    SenderAddress(Texts),
    /// The sender's domain is one of these or below one of them.
    SenderDomain(Vec<Box<str>>),
    /// The address that handed it in.
    SenderIp(Vec<Range>),
    /// An attribute of the sender in the directory, by name in lower case.
    SenderAttribute(Vec<(Box<str>, Texts)>),
    /// The recipient is one of these addresses.
    RecipientIs(Vec<Box<str>>),
    /// The recipient belongs to the organization, or not.
    RecipientScope(Scope),
    /// The recipient's domain is one of these or below one of them.
    RecipientDomain(Vec<Box<str>>),
    /// The recipient's address holds one of these texts.
    RecipientAddress(Texts),
    /// An attribute of the recipient in the directory, by name in lower case.
    RecipientAttribute(Vec<(Box<str>, Texts)>),
    /// A field of the header holds one of these texts.
    Header {
        /// Its name.
        name: Box<str>,
        /// What it holds.
        texts: Texts,
    },
    /// The subject or the body holds one of these texts.
    Content(Texts),
    /// Sender and recipient are members of the one group and of the other, either way round.
    Between(Vec<Box<str>>, Vec<Box<str>>),
    /// Larger than this many bytes.
    SizeOver(u64),
    /// At least this spam confidence.
    SclOver(i8),
    /// `MessageTypeMatches`
    IsOf(MessageType),
}

impl Test {
    /// Does it look at a recipient?
    #[must_use]
    pub fn is_about_recipient(&self) -> bool {
        match self {
            Self::RecipientIs(_) | Self::RecipientScope(_) | Self::RecipientDomain(_) | Self::RecipientAddress(_) => true,
            Self::RecipientAttribute(_) | Self::Between(..) => true,
            Self::SenderIs(_) | Self::SenderScope(_) | Self::SenderAddress(_) | Self::SenderDomain(_) | Self::SenderIp(_) => false,
            Self::SenderAttribute(_) | Self::Header { .. } | Self::Content(_) | Self::SizeOver(_) | Self::SclOver(_) | Self::IsOf(_) => {
                false
            }
        }
    }
}

/// `InOrganization` and `NotInOrganization`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Inside.
    Inside,
    /// Outside.
    Outside,
}

/// Texts to look for, without regard to case.
#[derive(Clone, Debug)]
pub enum Texts {
    /// Whole words or phrases.
    Words(Vec<Box<str>>),
    /// Regular expressions, whose cost grows with the text only.
    Patterns(Vec<Regex>),
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Words(a), Self::Words(b)) => a == b,
            (Self::Patterns(a), Self::Patterns(b)) => a.iter().map(Regex::as_str).eq(b.iter().map(Regex::as_str)),
            (Self::Words(_), Self::Patterns(_)) | (Self::Patterns(_), Self::Words(_)) => false,
        }
    }
}

impl Texts {
    /// Does one of them occur in `text`?
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        match self {
            Self::Words(words) => {
                let text = text.to_lowercase();
                words.iter().any(|word| has_word(&text, &word.to_lowercase()))
            }
            Self::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

/// Does a word stand in a text by itself, between punctuation, spaces or the ends? Both in lower case.
fn has_word(text: &str, word: &str) -> bool {
    let inside = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| !inside(text[..at].chars().next_back()) && !inside(text[at + word.len()..].chars().next()))
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `RouteMessageOutboundConnector`: by this connector of the tenant.
    Route(usize),
    /// `RouteMessageOutboundRequireTls`
    RequireTls,
    /// `SetHeaderName` and `SetHeaderValue`
    SetHeader(Header),
    /// `RemoveHeader`, in lower case.
    RemoveHeader(Box<str>),
    /// `SetSCL`
    SetScl(i8),
    /// `PrependSubject`
    PrependSubject(Box<str>),
    /// `RedirectMessageTo`: these instead of the recipient.
    Redirect(Vec<AddressTemplate>),
    /// `BlindCopyTo`, `CopyTo`, `AddToRecipients`: these beside the recipient.
    Copy(Vec<AddressTemplate>),
    /// `RejectMessageReasonText`, `RejectMessageEnhancedStatusCode`
    Reject(Reply),
    /// `DeleteMessage`
    Delete,
    /// `Quarantine`
    Quarantine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words() {
        let words = Texts::Words(vec!["contoso".into(), "top secret".into()]);
        let cases = [
            ("mail from Contoso.", true),
            ("contoso", true),
            ("acontoso contosob", false),
            ("a TOP SECRET plan", true),
            ("top-secret", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(words.are_in(text), expected, "{text}");
        }
    }
}
