//! Who sends what to whom, and when: sources of messages, and the single message of a test or of `explain`.
//!
//! Lines of a file are read in `traffic_file`.

use crate::base::{Address, DAY, InOrder, SimTime, common_form};
use crate::diag::{Diagnostic, Span, code};
use crate::model::letter::{Header, MessageType};
use crate::model::traffic::{self, AddressTemplate, Notify, Recipients, Schedule, Source, TlsWish};
use crate::scenario::load::Loader;
use crate::scenario::schema::{self, Body, Envelope, Message, Ret, Traffic};
use crate::scenario::source::{Field, Named, Text};

use super::desk::Desk;
use super::entry::{Entries, Entry};
use super::key::name_key;
use super::stance;
use super::traffic_file;

/// Size of a message that does not say.
const SIZE_BYTES: u64 = 50 << 10;
const COUNT_MAX: u32 = 100_000_000;

/// One entry of `traffic`.
pub(super) fn source(name: &Text, traffic: &Traffic, entries: &Entries<'_>, loader: &mut Loader, desk: &mut Desk) -> Option<Source> {
    let place = name.span();
    match traffic {
        Traffic::Message(message) => self::message(name, place, message, entries, desk),
        Traffic::Burst(burst) => {
            let over_ns = needed(&burst.over, "over", place, desk);
            let at = desk.moment_or(&burst.at, SimTime::ZERO);
            let count = u64::from(desk.number_or(&burst.count, 1, 1, COUNT_MAX));
            build(name, place, &burst.envelope, Schedule::Burst { at, count, over_ns }, entries, desk)
        }
        Traffic::Every(every) => {
            let interval_ns = needed(&every.interval, "interval", place, desk);
            let at = desk.moment_or(&every.at, SimTime::ZERO);
            let until = desk.moment_or(&every.until, SimTime::NEVER);
            let schedule = Schedule::Every { at, interval_ns: interval_ns.max(1), until };
            build(name, place, &every.envelope, schedule, entries, desk)
        }
        Traffic::Poisson(poisson) => {
            if !poisson.rate.is_written() {
                desk.missing(place, "this traffic needs a `rate`", "write rate: \"6/min\"");
            }
            let gap_ns = poisson.rate.get().and_then(|text| desk.rate(text)).map_or(DAY, |rate| rate.mean_gap_ns());
            let at = desk.moment_or(&poisson.at, SimTime::ZERO);
            let until = desk.moment_or(&poisson.until, SimTime::NEVER);
            build(name, place, &poisson.envelope, Schedule::Poisson { at, gap_ns, until, count: 0 }, entries, desk)
        }
        Traffic::File(file) => traffic_file::source(name, file, entries, loader, desk),
    }
}

/// `Message`, as traffic or as what a test sends.
pub(super) fn message(name: &str, place: Span, message: &Message, entries: &Entries<'_>, desk: &mut Desk) -> Option<Source> {
    let at = desk.moment_or(&message.at, SimTime::ZERO);
    let count = u64::from(desk.number_or(&message.count, 1, 1, COUNT_MAX));
    let gap_ns = desk.duration_or(&message.gap, 0);
    build(name, place, &message.envelope, Schedule::Fixed { at, count, gap_ns }, entries, desk)
}

fn needed(field: &Field<Text>, name: &str, place: Span, desk: &mut Desk) -> u64 {
    match field.get() {
        Some(text) => match desk.duration(text) {
            Some(0) => {
                desk.error(code::RANGE, text.span(), format!("`{name}` is above zero"), "write a duration such as \"1m\"");
                DAY
            }
            read => read.unwrap_or(DAY),
        },
        None => {
            desk.missing(place, &format!("this traffic needs `{name}`"), &format!("write {name}: \"10m\""));
            DAY
        }
    }
}

/// What lines of a file may say for themselves, as the source has it.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) from: Vec<(Option<AddressTemplate>, u32)>,
    pub(super) to: Option<Recipients>,
    pub(super) size_bytes: u64,
    pub(super) utf8: bool,
}

/// The same parts of a source that lines of a file stand beside: all of them may be left out.
pub(super) fn parts(envelope: &Envelope, desk: &mut Desk) -> Parts {
    if !envelope.from_one_of.is_empty() || !envelope.to_one_of.is_empty() {
        let message = "the lines of a file say who sends to whom";
        desk.error(
            code::EXCLUDES,
            envelope.from_one_of.span(),
            message,
            "leave `from_one_of` and `to_one_of` out; `from` and `to` are for lines without",
        );
    }
    let utf8 = envelope.smtp_utf8.or(false);
    let from = envelope.from.get().and_then(|text| sender(text, utf8, desk)).map(|sender| (sender, 1)).into_iter().collect();
    let all = envelope.to.items();
    let to = everybody(all, utf8, desk);
    Parts { from, to: (!all.is_empty()).then_some(Recipients::All(to)), size_bytes: size(envelope, desk), utf8 }
}

fn build(name: &str, place: Span, envelope: &Envelope, schedule: Schedule, entries: &Entries<'_>, desk: &mut Desk) -> Option<Source> {
    let from = senders(envelope, place, desk);
    let to = recipients(envelope, place, desk);
    let (entry, later) = match envelope.by.get() {
        Some(by) => (entries.by(by, desk)?, Vec::new()),
        None => entries_of_senders(&from, schedule.begins_at(), entries, desk)?,
    };
    if envelope.requiretls.or(false) && !entry.hosts.iter().any(|(host, _)| entries.knows_requiretls(*host)) {
        let message = "`requiretls`: no server where this enters knows REQUIRETLS, so it leaves as other mail does";
        let help = "leave it out; the profiles `Rfc` and `Postfix` know it";
        desk.say(Diagnostic::warning(code::NO_EFFECT, envelope.requiretls.span(), message).help(help));
    }
    let from = from.into_iter().map(|(template, weight, _)| (template, weight)).collect();
    let parts = Parts { from, to, size_bytes: size(envelope, desk), utf8: envelope.smtp_utf8.or(false) };
    Some(Source { later, ..finish(name, envelope, schedule, parts, entry, desk)? })
}

fn size(envelope: &Envelope, desk: &mut Desk) -> u64 {
    match envelope.size.get().map(|text| (text, desk.size(text))) {
        None | Some((_, None)) => SIZE_BYTES,
        Some((_, Some(Some(bytes)))) => bytes,
        Some((text, Some(None))) => {
            desk.error(code::VALUE, text.span(), "no message is without an end", "write a size such as \"10MB\"");
            SIZE_BYTES
        }
    }
}

/// A source of these parts; all else stands in the envelope.
pub(super) fn finish(name: &str, envelope: &Envelope, schedule: Schedule, parts: Parts, entry: Entry, desk: &mut Desk) -> Option<Source> {
    let to = parts.to?;
    Some(Source {
        name: name.into(),
        key: name_key("source", name),
        schedule,
        entries: entry.hosts,
        tenant: entry.tenant,
        later: Vec::new(),
        from: parts.from,
        envelope: super::envelope_names::read(envelope, &to, desk),
        to,
        size_bytes: parts.size_bytes,
        notify: notify(&envelope.notify, desk),
        author: envelope.header_from.get().and_then(|text| template(text, envelope.smtp_utf8.or(false), desk)),
        scl: scl(envelope, desk),
        login: envelope.login.get().map(|login| common_form(login).into()),
        oauth: super::mta::oauth(&envelope.oauth, &envelope.login, desk),
        signer: stance::signer(&envelope.dkim, desk),
        headers: headers(envelope, desk),
        text: envelope.text.as_str().unwrap_or_default().into(),
        kind: envelope.message_type.get().copied().map(message_type),
        returns: envelope.ret.get().map(|ret| match ret {
            Ret::Full => traffic::Returns::Full,
            Ret::Headers => traffic::Returns::Headers,
        }),
        body: match envelope.body.or(Body::SevenBit) {
            Body::SevenBit => traffic::Body::SevenBit,
            Body::EightBit => traffic::Body::EightBit,
            Body::Binary => traffic::Body::Binary,
        },
        utf8: parts.utf8,
        tls_wish: tls_wish(envelope),
    })
}

/// Fields of the header, in written order.
fn headers(envelope: &Envelope, desk: &mut Desk) -> Vec<Header> {
    let mut headers = Vec::new();
    for (name, value) in envelope.headers.iter() {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
            let help = "letters, digits and dashes, without a colon: \"X-Processed\" (RFC 5322 §2.2)";
            desk.error(code::VALUE, name.span(), format!("`{name}` is not the name of a header field"), help);
        }
        headers.push(Header { name: name.as_str().into(), value: value.trim().into() });
    }
    if let Some(subject) = envelope.subject.get() {
        if headers.iter().any(|header| header.name.eq_ignore_ascii_case("subject")) {
            desk.error(code::EXCLUDES, subject.span(), "`subject` and a `Subject` among the `headers`", "leave one of them out");
        }
        headers.push(Header { name: "Subject".into(), value: subject.trim().into() });
    }
    headers
}

/// The kind of message that a rule asks about.
pub(super) fn message_type(written: schema::MessageType) -> MessageType {
    match written {
        schema::MessageType::OOF => MessageType::OutOfOffice,
        schema::MessageType::AutoForward => MessageType::AutoForward,
        schema::MessageType::Encrypted => MessageType::Encrypted,
        schema::MessageType::Calendaring => MessageType::Calendaring,
        schema::MessageType::PermissionControlled => MessageType::PermissionControlled,
        schema::MessageType::Voicemail => MessageType::Voicemail,
        schema::MessageType::Signed => MessageType::Signed,
        schema::MessageType::ApprovalRequest => MessageType::ApprovalRequest,
        schema::MessageType::ReadReceipt => MessageType::ReadReceipt,
    }
}

/// What a filter would say: -1 (trusted) to 9 (certain).
fn scl(envelope: &Envelope, desk: &mut Desk) -> Option<i8> {
    let at = envelope.scl.at()?;
    let known = i8::try_from(at.value).ok().filter(|scl| (-1..=9).contains(scl));
    if known.is_none() {
        desk.error(
            code::RANGE,
            at.span,
            format!("{} is no spam confidence level", at.value),
            "from -1 (not filtered) to 9 (certain); 5 and more is junk",
        );
    }
    known
}

/// The parameter of MAIL wins over the header (RFC 8689 §5).
fn tls_wish(envelope: &Envelope) -> TlsWish {
    let says_no = |(name, value): (&Text, &Text)| name.eq_ignore_ascii_case("TLS-Required") && value.trim().eq_ignore_ascii_case("no");
    if envelope.requiretls.or(false) {
        TlsWish::Required
    } else if envelope.headers.iter().any(says_no) {
        TlsWish::NotNeeded
    } else {
        TlsWish::Usual
    }
}

type Sender = (Option<AddressTemplate>, u32, Span);

/// Envelope senders with weights.
fn senders(envelope: &Envelope, place: Span, desk: &mut Desk) -> Vec<Sender> {
    let utf8 = envelope.smtp_utf8.or(false);
    if envelope.from.is_written() && !envelope.from_one_of.is_empty() {
        desk.error(code::EXCLUDES, envelope.from.span(), "`from` and `from_one_of` exclude each other", "leave one of them out");
    }
    if let Some(text) = envelope.from.get() {
        return sender(text, utf8, desk).map(|template| (template, 1, text.span())).into_iter().collect();
    }
    let mut weighted: Vec<(&Text, &u64)> = envelope.from_one_of.iter().collect();
    weighted.in_order_by_key(|(text, _)| text.as_str());
    if weighted.is_empty() {
        desk.missing(place, "a message needs a sender", "write from: \"bob@fabrikam.com\", or from: \"<>\" for the null sender");
    }
    let mut senders = Vec::new();
    for (text, weight) in weighted {
        let weight = bounded(text, *weight, desk);
        senders.extend(sender(text, utf8, desk).map(|template| (template, weight, text.span())));
    }
    senders
}

/// The null sender, or an address.
pub(super) fn sender(text: &Text, utf8: bool, desk: &mut Desk) -> Option<Option<AddressTemplate>> {
    if text.as_str() == "<>" {
        return Some(None);
    }
    template(text, utf8, desk).map(Some)
}

/// Letters that are not ASCII need SMTPUTF8 (RFC 6531 §3.2).
pub(super) fn template(text: &Text, utf8: bool, desk: &mut Desk) -> Option<AddressTemplate> {
    let Address { local, domain } = desk.address(text)?;
    if !local.is_ascii() && !utf8 {
        let message = format!("`{text}` has letters that are not ASCII");
        desk.error(code::MISSING, text.span(), message, "write smtp_utf8: true beside it: such addresses need SMTPUTF8 (RFC 6531)");
    }
    Some(AddressTemplate { local, domain })
}

fn bounded(text: &Text, weight: u64, desk: &mut Desk) -> u32 {
    u32::try_from(weight).ok().filter(|weight| *weight > 0).unwrap_or_else(|| {
        desk.error(code::RANGE, text.span(), format!("the weight of `{text}` is out of bounds"), "from 1 to 4294967295");
        1
    })
}

fn recipients(envelope: &Envelope, place: Span, desk: &mut Desk) -> Option<Recipients> {
    let Envelope { to, to_one_of, .. } = envelope;
    match (to.items(), to_one_of.is_empty()) {
        ([], true) => {
            desk.missing(place, "a message needs a recipient", "write to: [\"alice@contoso.com\"]");
            None
        }
        ([_, ..], false) => {
            desk.error(code::EXCLUDES, to.span(), "`to` and `to_one_of` exclude each other", "leave one of them out");
            None
        }
        (all, true) => Some(Recipients::All(everybody(all, envelope.smtp_utf8.or(false), desk))),
        ([], false) => Some(Recipients::OneOf(one_of(to_one_of, envelope.smtp_utf8.or(false), desk))),
    }
}

/// Who is written twice gets one copy, as with servers that take a message in (seen with Postfix, Exim and Sendmail; OpenSMTPD keeps both).
fn everybody(all: &[Text], utf8: bool, desk: &mut Desk) -> Vec<AddressTemplate> {
    let mut to: Vec<AddressTemplate> = Vec::with_capacity(all.len());
    let mut known = std::collections::BTreeSet::new();
    for text in all {
        to.extend(template(text, utf8, desk).filter(|_| known.insert(text.as_str())));
    }
    to
}

fn one_of(named: &Named<u64>, utf8: bool, desk: &mut Desk) -> Vec<(AddressTemplate, u32)> {
    let mut weighted: Vec<(&Text, &u64)> = named.iter().collect();
    weighted.in_order_by_key(|(text, _)| text.as_str());
    let mut recipients = Vec::new();
    for (text, weight) in weighted {
        let weight = bounded(text, *weight, desk);
        recipients.extend(template(text, utf8, desk).map(|template| (template, weight)));
    }
    recipients
}

/// The one place where all senders of a source enter at first, and where each of them does after mailboxes moved.
fn entries_of_senders(from: &[Sender], begin: SimTime, entries: &Entries<'_>, desk: &mut Desk) -> Option<(Entry, Vec<traffic::Moved>)> {
    let mut found: Option<Entry> = None;
    let mut senders = Vec::with_capacity(from.len());
    for (template, _, place) in from {
        let Some(template) = template else {
            let problem =
                Diagnostic::error(code::NO_ENTRY, *place, "the null sender has no mailbox, so nobody knows where this message enters");
            desk.say(problem.help("say it: by: \"internet\", or by: and the name of a system"));
            return None;
        };
        let sender = template.expand(1);
        let entry = entries.of_sender(entries.version_at(begin), &sender, *place, desk)?;
        senders.push(sender);
        match &found {
            Some(other) if *other != entry => {
                let problem = Diagnostic::error(code::NO_ENTRY, *place, "these senders enter at different systems");
                desk.say(problem.help("write a source for each system, or say where all of them enter with `by`"));
                return None;
            }
            _ => found = Some(entry),
        }
    }
    found.map(|entry| {
        let later = entries.moves(&senders, begin, &entry);
        (entry, later)
    })
}

fn notify(field: &Field<Vec<schema::Notify>>, desk: &mut Desk) -> Option<Notify> {
    let words = field.get()?;
    let has = |word| words.contains(&word);
    if has(schema::Notify::Never) && words.len() > 1 {
        desk.error(code::EXCLUDES, field.span(), "`Never` stands alone", "RFC 3461 §4.1");
    }
    Some(Notify { success: has(schema::Notify::Success), failure: has(schema::Notify::Failure), delay: has(schema::Notify::Delay) })
}
