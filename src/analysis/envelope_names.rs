//! What did the sender call a message and its recipients (ENVID, ORCPT), and what do reports repeat of it?
//!
//! Sources: RFC 3461 §4.2, §4.4 and §5.2; RFC 3464 §2.2.1 (Original-Envelope-Id), §2.3.1 (Original-Recipient).

use crate::decide::reports::NamesInReports;
use crate::engine::Run;
use crate::model::traffic::Source;
use crate::trace::{MessageRow, ReportRow, Trace};
use std::rc::Rc;

/// ENVID of a message; of a report about it, what it says of that.
pub(super) fn id(trace: &Trace, sources: &[Source], row: &MessageRow) -> Option<Rc<str>> {
    let names = sources.get(row.source as usize)?.envelope.as_ref()?;
    match row.kind {
        0 => names.id_of(row.address_number).map(Into::into),
        1 | 2 => {
            // Who speaks of a report speaks of no message of the sender.
            let first = trace.messages.get(row.parent as usize).filter(|first| first.kind == 0)?;
            let how = row.report.iter().map(|line| line.names).find(|names| *names != NamesInReports::Unknown)?;
            how.of(&names.id_of(first.address_number)?).map(Into::into)
        }
        _ => None,
    }
}

/// Original-Recipient of a line, where ORCPT said one: the address alone if it is one of mail, else with its type.
pub(super) fn original(run: &Run, report: &MessageRow, line: &ReportRow, root: u16) -> Option<Rc<str>> {
    let names = run.sources.get(report.source as usize)?.envelope.as_ref()?;
    let first = run.trace.messages.get(report.parent as usize).filter(|first| first.kind == 0)?;
    let template = run.tables.recipient_lists.get(first.to).get(usize::from(root))?;
    let (kind, xtext) = names.original(run.tables.templates.get(*template), first.address_number)?;
    let address = line.names.of(&xtext)?;
    Some(if kind.eq_ignore_ascii_case("rfc822") { address.into() } else { format!("{kind};{address}").into() })
}
