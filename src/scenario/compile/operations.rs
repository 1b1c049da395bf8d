//! What administrators do to queues in a dated change: names to servers, texts to patterns.
//!
//! Sources: Retry-Queue, Suspend-Queue, Resume-Queue, Suspend-Message, Resume-Message, Remove-Message (`Server`, `Filter`).

use crate::base::{ConfigId, Pattern};
use crate::diag::{Span, code};
use crate::model::operation::{Operation, OperationKind};
use crate::model::settings::{HostConfig, Profile};
use crate::scenario::schema;
use crate::scenario::source::{Field, Text};

use super::desk::Desk;
use super::scope::Scope;

/// Reads the operations of a change; `configs` are the settings of the machines from then on.
pub(super) fn operations(
    written: &[schema::Operation],
    scope: &Scope,
    (ids, configs): (&[ConfigId], &[HostConfig]),
    desk: &mut Desk,
) -> Vec<Operation> {
    let nobody = schema::MessageOperation::default();
    let mut read = Vec::with_capacity(written.len());
    for operation in written {
        let (at, of, kind) = match operation {
            schema::Operation::RetryQueue(retry) => (&retry.at, &nobody, OperationKind::RetryQueue { resubmit: retry.resubmit.or(false) }),
            schema::Operation::SuspendQueue(at) => (at, &nobody, OperationKind::SuspendQueue),
            schema::Operation::ResumeQueue(at) => (at, &nobody, OperationKind::ResumeQueue),
            schema::Operation::SuspendMessage(of) => (&of.at, of, OperationKind::SuspendMessage),
            schema::Operation::ResumeMessage(of) => (&of.at, of, OperationKind::ResumeMessage),
            schema::Operation::RemoveMessage(remove) => {
                (&remove.of.at, &remove.of, OperationKind::RemoveMessage { with_ndr: remove.with_ndr.or(true) })
            }
        };
        let Some(server) = at.server.get() else {
            desk.missing(operation.place(), "an operation on queues needs the server whose queues they are", "write server: \"EXCH01\"");
            continue;
        };
        let servers = scope.hosts(server, desk);
        let is_exchange = |host: &crate::base::HostId| configs[ids[host.index()].index()].sender.profile == Profile::ExchangeServer;
        if !servers.iter().all(is_exchange) {
            let message = format!("`{server}` has no queues that `{}` could work on", operation.word());
            let help = "the cmdlets are for Exchange servers; deferred mail of others is tried at once with `retry_queues`";
            desk.error(code::CMDLET_REFUSES, server.span(), message, help);
        }
        read.push(Operation {
            servers,
            // A connector's name as it stands, too; a domain is read where the queue is looked for.
            queue: at.queue.get().map(|text| Pattern::new(text)),
            from: addresses(&of.from_address).map(|from| if from.as_str() == "<>" { Pattern::new("") } else { from }),
            to: addresses(&of.recipient),
            kind,
        });
        if matches!(kind, OperationKind::RemoveMessage { .. }) && everything(operation) {
            refuse_everything(operation.place(), desk);
        }
    }
    read
}

/// Does it say of no message which one it means?
fn everything(operation: &schema::Operation) -> bool {
    let schema::Operation::RemoveMessage(remove) = operation else { return false };
    !(remove.of.at.queue.is_written() || remove.of.from_address.is_written() || remove.of.recipient.is_written())
}

fn refuse_everything(place: Span, desk: &mut Desk) {
    let help = "add `queue`, `from_address` or `recipient`; \"*\" is all of them";
    desk.error(code::CMDLET_REFUSES, place, "`RemoveMessage` does not say which messages", help);
}

fn addresses(field: &Field<Text>) -> Option<Pattern> {
    field.get().map(|text| Pattern::of_names(text))
}
