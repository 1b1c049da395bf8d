//! What an administrator does to the queues of Exchange servers while they work, and to which mail in them.
//!
//! Sources: Retry-Queue, Suspend-Queue, Resume-Queue, Suspend-Message, Resume-Message, Remove-Message.

use crate::base::{HostId, Pattern};

/// One cmdlet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operation {
    /// On these servers.
    pub servers: Vec<HostId>,
    /// Queues whose connector, next hop or destination is called so; `None` = all of them.
    pub queue: Option<Pattern>,
    /// Messages of this sender (the empty text for the null sender); of the cmdlets for messages.
    pub from: Option<Pattern>,
    /// Messages with such a recipient.
    pub to: Option<Pattern>,
    /// What.
    pub kind: OperationKind,
}

/// Which cmdlet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OperationKind {
    /// Retry-Queue
    RetryQueue {
        /// `Resubmit`: what lies there is routed again.
        resubmit: bool,
    },
    /// Suspend-Queue
    SuspendQueue,
    /// Resume-Queue
    ResumeQueue,
    /// Suspend-Message
    SuspendMessage,
    /// Resume-Message
    ResumeMessage,
    /// Remove-Message
    RemoveMessage {
        /// `WithNDR`
        with_ndr: bool,
    },
}
