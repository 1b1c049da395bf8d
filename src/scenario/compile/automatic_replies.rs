//! Mailboxes that answer by themselves: Set-MailboxAutoReplyConfiguration of Exchange, and the like of other servers.
//!
//! What the answers say is read and not kept. RFC 3834 §2 wants several days between two answers to one sender, and seven unless somebody says otherwise.

use crate::base::{DAY, InOrder, Pattern, SimTime};
use crate::diag::{Span, code};
use crate::model::automatic_reply::{AutomaticReply, ExternalAudience};
use crate::scenario::schema::{self, AutoReplyState, DirectoryRecipient, Recipient};
use crate::scenario::source::{Field, Named, Text};

use super::desk::Desk;
use super::mailboxes::closest_first;

/// Of an Exchange directory, the most exact pattern first.
pub(super) fn of_directory(recipients: &Named<DirectoryRecipient>, desk: &mut Desk) -> Vec<AutomaticReply> {
    let mut rows = Vec::new();
    for (address, recipient) in recipients.iter() {
        let DirectoryRecipient::Mailbox(mailbox) = recipient else { continue };
        let Some(written) = mailbox.automatic_replies.get() else { continue };
        let state = written.auto_reply_state.or(AutoReplyState::Disabled);
        let scheduled = state == AutoReplyState::Scheduled;
        if scheduled && !(written.start_time.is_written() && written.end_time.is_written()) {
            let help = "write start_time: \"1d\" and end_time: \"8d\" beside it";
            desk.missing(written.auto_reply_state.span(), "`Scheduled` automatic replies begin and end at a time", help);
        }
        let (from, until) = window(&written.start_time, &written.end_time, desk);
        let known = written.external_audience.get() == Some(&schema::ExternalAudience::Known);
        if written.contacts.is_written() && !known {
            let help = "write external_audience: Known beside it, or leave it out";
            desk.error(code::EXCLUDES, written.contacts.span(), "`contacts` are asked only where `external_audience` is `Known`", help);
        }
        let contacts = || written.contacts.items().iter().map(|text| Pattern::of_names(text)).collect();
        rows.push(AutomaticReply {
            address: Pattern::of_names(address),
            enabled: state != AutoReplyState::Disabled,
            from: if scheduled { from } else { SimTime::ZERO },
            until: if scheduled { until } else { SimTime::NEVER },
            outside: match written.external_audience.or(schema::ExternalAudience::All) {
                schema::ExternalAudience::None => ExternalAudience::None,
                schema::ExternalAudience::Known => ExternalAudience::Known(contacts()),
                schema::ExternalAudience::All => ExternalAudience::All,
            },
            again_after_ns: None,
        });
    }
    in_order(rows)
}

/// Of a mail server that is not Exchange, the most exact pattern first.
pub(super) fn of_mta(recipients: &Named<Recipient>, desk: &mut Desk) -> Vec<AutomaticReply> {
    let mut rows = Vec::new();
    for (address, recipient) in recipients.iter() {
        let Recipient::Mailbox(mailbox) = recipient else { continue };
        let Some(written) = mailbox.automatic_replies.get() else { continue };
        let (from, until) = window(&written.start_time, &written.end_time, desk);
        rows.push(AutomaticReply {
            address: Pattern::of_names(address),
            enabled: true,
            from,
            until,
            outside: ExternalAudience::All,
            again_after_ns: Some(written.every.get().and_then(|text| desk.duration(text)).unwrap_or(7 * DAY)),
        });
    }
    in_order(rows)
}

fn in_order(mut rows: Vec<AutomaticReply>) -> Vec<AutomaticReply> {
    rows.in_order_by(|a, b| closest_first(&a.address, &b.address));
    rows
}

/// The time in which a mailbox answers.
fn window(start: &Field<Text>, end: &Field<Text>, desk: &mut Desk) -> (SimTime, SimTime) {
    let (from, until) = (desk.instant_or(start, SimTime::ZERO), desk.instant_or(end, SimTime::NEVER));
    let place: Span = end.span();
    if until <= from {
        desk.error(code::RANGE, place, "automatic replies end before they begin", "write an `end_time` behind the `start_time`");
    }
    (from, until)
}
