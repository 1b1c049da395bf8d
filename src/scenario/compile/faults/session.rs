//! Faults of one session: a slow, other or missing answer at one step, no or broken encryption, another certificate.

use super::super::desk::Desk;
use super::{ALWAYS_PPB, Faults, Frame};
use crate::base::{Pattern, Phase};
use crate::diag::code;
use crate::model::fault::{DropHow, FaultKind, StarttlsHow};
use crate::scenario::schema::{self, SessionWindow};
use crate::scenario::source::Field;

impl Faults<'_> {
    /// Faults of a session, which may hit only the first few or some by luck.
    pub(super) fn of_session(&mut self, frame: &Frame<'_>, fault: &schema::Fault, desk: &mut Desk) {
        let (when, kind) = match fault {
            schema::Fault::Tarpit(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let delay_ns = self.needed(frame, &fault.delay, "delay", 0, desk);
                (&fault.when, FaultKind::Tarpit { hosts, phase: fault.phase.get().map(|word| phase(*word)), delay_ns })
            }
            schema::Fault::Reply(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let phase = self.phase(frame, &fault.phase, desk);
                let Some(code) = fault.code.get() else {
                    return desk.missing(frame.place, "this fault needs the reply that is given", "write code: \"450 4.2.1 try later\"");
                };
                let Some(reply) = desk.reply(code) else { return };
                if !can_be_said(phase, reply.class()) {
                    let message = format!("no server says {} there (RFC 5321 §4.3.2)", reply.code);
                    let help = match phase {
                        Phase::Data => "DATA is answered 354, or 4xx or 5xx",
                        _ => "the answer there is 2xx where all is well, else 4xx or 5xx",
                    };
                    desk.error(code::VALUE, code.span(), message, help);
                }
                let kind = FaultKind::Reply {
                    hosts,
                    phase,
                    reply,
                    sender: fault.sender.get().map(|text| Pattern::of_names(if text.as_str() == "<>" { "" } else { text })),
                    recipient: fault.recipient.get().map(|text| Pattern::of_names(text)),
                    after_recipients: desk.number_or(&fault.after_recipients, 0, 0, u32::MAX),
                    close: fault.then.is_written(),
                };
                (&fault.when, kind)
            }
            schema::Fault::Drop(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let phase = self.phase(frame, &fault.phase, desk);
                let how = match fault.how.or(schema::DropHow::Close) {
                    schema::DropHow::Close => DropHow::Close,
                    schema::DropHow::Reset => DropHow::Reset,
                    schema::DropHow::Silence => DropHow::Silence,
                };
                if fault.after.is_written() && phase != Phase::Content {
                    desk.error(
                        code::EXCLUDES,
                        fault.after.span(),
                        "`after` counts bytes of the content",
                        "write phase: Content, or leave `after` out",
                    );
                }
                if fault.accepted.or(false) && phase != Phase::FinalDot {
                    desk.error(
                        code::EXCLUDES,
                        fault.accepted.span(),
                        "a message is accepted at the final dot only",
                        "write phase: FinalDot",
                    );
                }
                let after_bytes = fault.after.get().and_then(|text| desk.size(text)).flatten().unwrap_or(0);
                (&fault.when, FaultKind::Drop { hosts, phase, how, after_bytes, accepted: fault.accepted.or(false) })
            }
            schema::Fault::Starttls(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                let how = self.starttls(frame, fault, desk);
                (&fault.when, FaultKind::Starttls { hosts, how })
            }
            schema::Fault::Certificate(fault) => {
                let hosts = self.target(frame, &fault.target, desk);
                if !fault.becomes.is_written() {
                    desk.missing(frame.place, "this fault needs the certificate that is shown", "write becomes: \"self-signed\"");
                }
                let becomes = fault.becomes.get().and_then(|text| self.world.certificates.find(text, desk));
                (&fault.when, FaultKind::Certificate { hosts, becomes })
            }
            _ => return,
        };
        self.push_session(frame, when, kind, desk);
    }

    fn starttls(&self, frame: &Frame<'_>, fault: &schema::StarttlsFault, desk: &mut Desk) -> StarttlsHow {
        let how = match fault.how.get() {
            None => {
                desk.missing(
                    frame.place,
                    "this fault needs to say what is wrong with STARTTLS",
                    "write how: Missing, Refused, HandshakeFails, Closes or Hangs",
                );
                StarttlsHow::Missing
            }
            Some(schema::StarttlsHow::Missing) => StarttlsHow::Missing,
            Some(schema::StarttlsHow::Refused) => StarttlsHow::Refused(desk.reply_or(&fault.code, "454 4.7.0 TLS not available")),
            Some(schema::StarttlsHow::HandshakeFails) => StarttlsHow::HandshakeFails,
            Some(schema::StarttlsHow::Closes) => StarttlsHow::Closes,
            Some(schema::StarttlsHow::Hangs) => StarttlsHow::Hangs,
        };
        if let StarttlsHow::Refused(reply) = &how
            && !matches!(reply.class(), 4 | 5)
        {
            desk.error(
                code::VALUE,
                fault.code.span(),
                format!("{} is no refusal", reply.code),
                "a refusal is 4xx or 5xx: \"454 4.7.0 TLS not available\"",
            );
        }
        if fault.code.is_written() && !matches!(how, StarttlsHow::Refused(_)) {
            desk.error(code::EXCLUDES, fault.code.span(), "only a refusal has a `code`", "write how: Refused, or leave `code` out");
        }
        how
    }

    fn phase(&self, frame: &Frame<'_>, field: &Field<schema::Phase>, desk: &mut Desk) -> Phase {
        field.get().map_or_else(
            || {
                desk.missing(frame.place, "this fault needs the step of the session where it happens", "write phase: Rcpt");
                Phase::Rcpt
            },
            |word| phase(*word),
        )
    }

    fn push_session(&mut self, frame: &Frame<'_>, when: &SessionWindow, kind: FaultKind, desk: &mut Desk) {
        let times = desk.number_or(&when.times, 0, 1, u32::MAX);
        let share = when.probability.get().and_then(|text| desk.share(text));
        self.row(frame, &when.when, times, share.map_or(ALWAYS_PPB, |share| share.0 * 1000), kind, desk);
    }
}

/// Is a reply of this class one that a server may give at this step (RFC 5321 §4.3.2)?
fn can_be_said(phase: Phase, class: u8) -> bool {
    match phase {
        Phase::Data => matches!(class, 3..=5),
        // A challenge (RFC 4954 §4).
        Phase::Auth => matches!(class, 2..=5),
        _ => matches!(class, 2 | 4 | 5),
    }
}

fn phase(word: schema::Phase) -> Phase {
    match word {
        schema::Phase::Banner => Phase::Banner,
        schema::Phase::Ehlo => Phase::Ehlo,
        schema::Phase::Helo => Phase::Helo,
        schema::Phase::Starttls => Phase::Starttls,
        schema::Phase::Auth => Phase::Auth,
        schema::Phase::Mail => Phase::Mail,
        schema::Phase::Rcpt => Phase::Rcpt,
        schema::Phase::Data => Phase::Data,
        schema::Phase::Content => Phase::Content,
        schema::Phase::FinalDot => Phase::FinalDot,
    }
}
