//! What an administrator does to queues: the cmdlets' names and parameters, in snake_case.

use crate::scenario::source::{Field, Text};

kinds! {
    /// One cmdlet.
    pub enum Operation("an operation on queues") {
        fields {
            RetryQueue(RetryQueue), SuspendQueue(QueueOperation), ResumeQueue(QueueOperation), SuspendMessage(MessageOperation),
            ResumeMessage(MessageOperation), RemoveMessage(RemoveMessage),
        }
    }
}

schema! {
    /// Suspend-Queue, Resume-Queue
    pub struct QueueOperation("an operation on queues") {
        server: Field<Text>,
        queue: Field<Text>,
    }

    /// Retry-Queue
    pub struct RetryQueue("`RetryQueue`") inlines at: QueueOperation {
        resubmit: Field<bool>,
    }

    /// Suspend-Message, Resume-Message
    pub struct MessageOperation("an operation on messages") inlines at: QueueOperation {
        from_address: Field<Text>,
        recipient: Field<Text>,
    }

    /// Remove-Message
    pub struct RemoveMessage("`RemoveMessage`") inlines of: MessageOperation {
        with_ndr: Field<bool>,
    }
}
