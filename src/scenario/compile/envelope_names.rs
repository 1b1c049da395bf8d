//! What does a sender call its message and its recipients: are ENVID and ORCPT such as they may be?
//!
//! Sources: RFC 3461 §4.2 (ORCPT: a type, `;`, an address in xtext; 500 characters), §4.4 (ENVID: xtext; 100 characters).

use super::desk::Desk;
use crate::base::{Address, decode_xtext};
use crate::diag::code;
use crate::model::traffic::{AddressTemplate, EnvelopeNames, Recipients};
use crate::scenario::schema::Envelope;
use crate::scenario::source::Text;

/// The most characters of an ENVID.
const ID_MAX: usize = 100;
/// The most characters of an ORCPT.
const ORIGINAL_MAX: usize = 500;

pub(super) fn read(envelope: &Envelope, to: &Recipients, desk: &mut Desk) -> Option<Box<EnvelopeNames>> {
    let id = envelope.envid.get().filter(|text| id_is_right(text, desk)).map(|text| text.as_str().into());
    let mut originals = Vec::new();
    for (recipient, value) in envelope.orcpt.iter() {
        let known = receives(recipient, to, desk);
        if let (Some(known), Some((kind, address))) = (known, original(value, desk)) {
            originals.push((known, kind, address));
        }
    }
    let names = EnvelopeNames { id, originals };
    (names != EnvelopeNames::default()).then(|| Box::new(names))
}

fn id_is_right(text: &Text, desk: &mut Desk) -> bool {
    if text.is_empty() {
        desk.error(code::VALUE, text.span(), "an empty envelope id", "leave `envid` out, or write what reports shall repeat: \"QQ314159\"");
        return false;
    }
    is_short(text, "an envelope id", ID_MAX, desk) && is_xtext(text, 0, desk)
}

fn is_short(text: &Text, what: &str, most: usize, desk: &mut Desk) -> bool {
    let fits = text.len() <= most;
    if !fits {
        desk.error(code::RANGE, text.span(), format!("{what} of {} characters", text.len()), format!("at most {most} (RFC 3461)"));
    }
    fits
}

fn is_xtext(text: &Text, from: usize, desk: &mut Desk) -> bool {
    match decode_xtext(&text.as_str()[from..]) {
        Ok(_) => true,
        Err((place, why)) => {
            let message = format!("`{text}` is not written in xtext (RFC 3461 §4)");
            desk.error(code::VALUE, text.part(from + place.start..from + place.end), message, why);
            false
        }
    }
}

/// Whom of the recipients it is about.
fn receives(text: &Text, to: &Recipients, desk: &mut Desk) -> Option<AddressTemplate> {
    let Address { local, domain } = desk.address(text)?;
    let wanted = AddressTemplate { local, domain };
    let is_one = match to {
        Recipients::All(all) => all.contains(&wanted),
        Recipients::Listed(lists) => lists.iter().any(|list| list.contains(&wanted)),
        Recipients::OneOf(some) => some.iter().any(|(one, _)| *one == wanted),
    };
    if !is_one {
        let message = format!("`{text}` is no recipient of this message");
        desk.error(code::UNKNOWN_NAME, text.span(), message, "a recipient stands here as it is written in `to`");
    }
    is_one.then_some(wanted)
}

/// `rfc822;alice@contoso.com`
fn original(text: &Text, desk: &mut Desk) -> Option<(Box<str>, Box<str>)> {
    let is_atom = |kind: &str| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let Some((kind, address)) = text.split_once(';').filter(|(kind, address)| is_atom(kind) && !address.is_empty()) else {
        let help = "a type, a semicolon and the address: \"rfc822;alice@contoso.com\" (RFC 3461 §4.2)";
        desk.error(code::VALUE, text.span(), format!("`{text}` is no original recipient"), help);
        return None;
    };
    let right = is_short(text, "an original recipient", ORIGINAL_MAX, desk) && is_xtext(text, kind.len() + 1, desk);
    right.then(|| (kind.into(), address.into()))
}
