//! What stands in the Status field of a delivery report (RFC 3464 §2.3.4), and who hears nothing of delays?
//!
//! Sources: Exim deliver.c and `delay_warning_condition`; Sendmail savemail.c and envelope.c; OpenSMTPD bounce.c and queue.c; qmail-send(8), whose reports are prose (QSBMF); KumoMTA docs/faq/receiving_inbound_mail.md; and running servers, see `docs/fidelity.md`.
//! Not modelled: fields that nothing is decided by (Remote-MTA, Arrival-Date, Will-Retry-Until).

use super::precedence::precedence;
use crate::base::{Enhanced, decode_xtext};
use crate::model::letter::Header;
use crate::model::settings::Returned;
use crate::model::traffic::Returns;

/// When a server tells the sender about recipients that it gave up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReportTime {
    /// After each attempt, about those that failed in it.
    EachPass,
    /// When nobody of the message is left, about all that failed until then (qmail-send.c `injectbounce`).
    WhenDone,
    /// It writes logs, and reports only where a script of its own makes them (KumoMTA).
    Never,
}

/// How a server chooses the status that it writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReportStatus {
    /// The status of what happened last.
    Cause,
    /// One status for each action; the reply stands in Diagnostic-Code alone.
    ByAction,
    /// 5.0.0 for whatever was refused for good, else the status of what happened.
    PlainRefusals,
    /// 5.5.0 where a session failed for good and no server gave a status, or the sender is not set up for it; else the status of what happened.
    SessionFailed,
    /// None: its reports have no such field.
    Unwritten,
}

/// Does a report of failure return the headers alone? A limit counts more than what the sender asked for (Postfix bounce_notify_util.c, Exim deliver.c).
#[must_use]
pub fn headers_only(returned: Returned, asked: Option<Returns>, size_bytes: u64) -> bool {
    match (returned, asked) {
        (_, Some(Returns::Headers)) | (Returned::Headers, _) => true,
        (Returned::UpTo(limit), _) => size_bytes > limit,
        (Returned::Whole, _) => false,
        (Returned::IfAsked, asked) => asked.is_none(),
    }
}

/// What a report without a status carries in its place.
pub const UNWRITTEN: Enhanced = Enhanced(0, 0, 0);

impl ReportStatus {
    /// The status to write about a recipient.
    #[must_use]
    pub fn of(self, action: &str, cause: Enhanced) -> Enhanced {
        match (self, action) {
            (Self::Cause, _) => cause,
            (Self::ByAction, "failed") => Enhanced(5, 0, 0),
            (Self::ByAction, "delayed") => Enhanced(4, 0, 0),
            (Self::ByAction, _) => Enhanced(2, 0, 0),
            (Self::PlainRefusals, "failed") if cause.0 == 5 => Enhanced(5, 0, 0),
            (Self::SessionFailed, "failed") if matches!(cause, Enhanced(5, 0, 0) | Enhanced(5, 3, 5)) => Enhanced(5, 5, 0),
            (Self::PlainRefusals | Self::SessionFailed, _) => cause,
            (Self::Unwritten, _) => UNWRITTEN,
        }
    }
}

/// How a report tells Original-Envelope-Id and Original-Recipient where ENVID and ORCPT were given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NamesInReports {
    /// Not at all: its writer has not heard of them, or writes no such fields.
    Unknown,
    /// What the xtext means (RFC 3464 §2.2.1, §2.3.1).
    Meant,
    /// The xtext itself (Exim deliver.c).
    AsGiven,
}

impl NamesInReports {
    /// The words of the report for this xtext.
    #[must_use]
    pub fn of(self, xtext: &str) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Meant => Some(decode_xtext(xtext).unwrap_or_else(|_| xtext.into())),
            Self::AsGiven => Some(xtext.into()),
        }
    }
}

/// Whom a server does not tell that mail is late. The null sender hears of nothing anyway.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unwarned {
    /// It tells everybody.
    Nobody,
    /// Mailing lists, and what says of itself that it is bulk mail or made by a machine (Exim `delay_warning_condition`, as it is delivered).
    Bulk,
    /// What says of itself that it is bulk mail; owners of lists and those who look after subscriptions (Sendmail).
    BulkAndOwners,
}

impl Unwarned {
    /// Is this sender of this message one of them? `local` is the part before the @.
    #[must_use]
    pub fn has(self, local: &str, headers: &[Header]) -> bool {
        const LIST: [&str; 3] = ["list-id", "list-post", "list-subscribe"];
        let says = |name: &str, words: &[&str]| {
            let of_it = |header: &&Header| header.name.eq_ignore_ascii_case(name);
            headers.iter().filter(of_it).any(|header| words.iter().any(|word| header.value.to_ascii_lowercase().contains(word)))
        };
        let bulk = || says("precedence", &["bulk", "list", "junk"]);
        match self {
            Self::Nobody => false,
            Self::Bulk => {
                let listed = |header: &Header| LIST.iter().any(|name| header.name.eq_ignore_ascii_case(name)) && !header.value.is_empty();
                bulk() || headers.iter().any(listed) || says("auto-submitted", &["auto-generated", "auto-replied"])
            }
            Self::BulkAndOwners => {
                let local = local.to_ascii_lowercase();
                precedence(headers) < 0 || local.starts_with("owner-") || local.ends_with("-request")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hears_nothing_of_delays() {
        let field = |name: &str, value: &str| vec![Header { name: name.into(), value: value.into() }];
        //                                                      nobody, bulk, bulk and owners
        for (local, headers, expected) in [
            ("anna", vec![], [false, false, false]),
            ("anna", field("Precedence", "Bulk"), [false, true, true]),
            ("anna", field("precedence", "first-class"), [false, false, false]),
            ("anna", field("List-Id", "<l.example>"), [false, true, false]),
            ("anna", field("Auto-Submitted", "auto-replied (vacation)"), [false, true, false]),
            ("anna", field("List-Help", "<l.example>"), [false, false, false]),
            ("anna", field("Auto-Submitted", "no"), [false, false, false]),
            ("owner-list", vec![], [false, false, true]),
            ("list-request", vec![], [false, false, true]),
            ("request", vec![], [false, false, false]),
        ] {
            let got = [Unwarned::Nobody, Unwarned::Bulk, Unwarned::BulkAndOwners].map(|rule| rule.has(local, &headers));
            assert_eq!(got, expected, "{local} {headers:?}");
        }
    }

    #[test]
    fn what_comes_back() {
        use Returned::{Headers, IfAsked, UpTo, Whole};
        //                                                      nothing asked, full, headers
        for (returned, size_bytes, expected) in [
            (Whole, 5_000_000, [false, false, true]),
            (UpTo(50_000), 50_000, [false, false, true]),
            (UpTo(50_000), 50_001, [true, true, true]),
            (IfAsked, 1_000, [true, false, true]),
            (Headers, 1_000, [true, true, true]),
        ] {
            let got = [None, Some(Returns::Full), Some(Returns::Headers)].map(|asked| headers_only(returned, asked, size_bytes));
            assert_eq!(got, expected, "{returned:?} {size_bytes}");
        }
    }

    #[test]
    fn names_as_the_sender_gave_them() {
        let read = |rule: NamesInReports| rule.of("a+2Bb");
        assert_eq!(read(NamesInReports::Unknown), None);
        assert_eq!(read(NamesInReports::Meant).as_deref(), Some("a+b"));
        assert_eq!(read(NamesInReports::AsGiven).as_deref(), Some("a+2Bb"));
    }

    #[test]
    fn each_server_writes_its_own_status() {
        let expired = Enhanced(4, 4, 7);
        let unknown = Enhanced(5, 1, 1);
        for (rule, action, cause, written) in [
            (ReportStatus::Cause, "failed", unknown, unknown),
            (ReportStatus::ByAction, "failed", unknown, Enhanced(5, 0, 0)),
            (ReportStatus::ByAction, "failed", expired, Enhanced(5, 0, 0)),
            (ReportStatus::ByAction, "delayed", Enhanced(4, 4, 1), Enhanced(4, 0, 0)),
            (ReportStatus::ByAction, "delivered", Enhanced(2, 1, 5), Enhanced(2, 0, 0)),
            (ReportStatus::PlainRefusals, "failed", unknown, Enhanced(5, 0, 0)),
            (ReportStatus::PlainRefusals, "failed", expired, expired),
            (ReportStatus::PlainRefusals, "delayed", expired, expired),
            (ReportStatus::SessionFailed, "failed", unknown, unknown),
            (ReportStatus::SessionFailed, "failed", Enhanced(5, 0, 0), Enhanced(5, 5, 0)),
            (ReportStatus::SessionFailed, "failed", Enhanced(5, 3, 5), Enhanced(5, 5, 0)),
            (ReportStatus::SessionFailed, "failed", expired, expired),
            (ReportStatus::Unwritten, "failed", unknown, UNWRITTEN),
        ] {
            assert_eq!(rule.of(action, cause), written, "{rule:?} {action} {cause}");
        }
    }
}
