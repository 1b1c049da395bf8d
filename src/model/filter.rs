//! The filter of a mail server or an appliance: rules in written order.
//!
//! Not modelled: what a real filter looks at in the body; that is what `scl` and headers of the traffic stand for.

use super::traffic::AddressTemplate;
use crate::base::{Pattern, Reply};

/// One rule. Whatever is left out is met by every message.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterRule {
    /// Its name.
    pub name: Box<str>,
    /// The envelope sender is one of these; `<>` is the null sender.
    pub from: Vec<Pattern>,
    /// The recipient is one of these.
    pub to: Vec<Pattern>,
    /// The message has this field.
    pub header: Option<HeaderTest>,
    /// The message does not have this field.
    pub except_header: Option<HeaderTest>,
    /// It has more bytes.
    pub size_over: Option<u64>,
    /// Its spam confidence level is known, and at least this.
    pub scl_at_least: Option<i8>,
    /// What is done.
    pub then: FilterAction,
}

/// A field of the header.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderTest {
    /// Its name, in any case.
    pub name: Box<str>,
    /// Its value; `None` = whatever it says.
    pub value: Option<Pattern>,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterAction {
    /// Refused at the end of DATA with this reply, the whole message for all its recipients.
    Reject(Reply),
    /// Taken, and kept away from the recipient.
    Quarantine,
    /// Taken, and forgotten.
    Discard,
    /// Another field for the systems behind this one, in the place of those of that name.
    Tag {
        /// Its name.
        name: Box<str>,
        /// Its value.
        value: Box<str>,
    },
    /// Held for so many nanoseconds before it goes on.
    Delay(u64),
    /// It goes to this address instead, from the same sender.
    Redirect(AddressTemplate),
}
