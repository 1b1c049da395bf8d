//! The message needs an extension that the server does not offer: is it converted, sent all the same, returned?
//!
//! Sources: RFC 6152 §3 (8BITMIME: convert or return), RFC 3030 §3 (BINARYMIME), RFC 6531 §3.2 (SMTPUTF8: never sent without), RFC 3461 §5.2 (DSN);
//! Postfix `disable_mime_output_conversion` and smtp_proto.c; Exim specification, `accept_8bitmime` ("not a protocol converter") and `utf8_downconvert`;
//! sendmail usersmtp.c `smtpmailfrom`; OpenSMTPD mta_session.c (knows SIZE and DSN only); KumoMTA `ignore_8bit_checks`. What a sender does where
//! nobody says is left open. Not modelled: addresses in another form for hosts without SMTPUTF8, `disable_mime_output_conversion`.

use super::{Decision, because};
use crate::base::Enhanced;
use crate::model::traffic::Body;

/// What a kind of sender does about extensions.
#[derive(Debug)]
pub struct ExtensionRules {
    /// It knows what senders want to be told (DSN): passes it on, and keeps to it.
    pub dsn: bool,
    /// Its message is in 8-bit characters, without 8BITMIME.
    pub eight_bit: Lack,
    /// Its message is binary, without BINARYMIME and CHUNKING.
    pub binary: Lack,
    /// Its message needs SMTPUTF8.
    pub utf8: Lack,
}

/// What is done about a missing extension.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lack {
    /// The body is put into another form; signatures do not survive that.
    Converts,
    /// The extension is not looked at.
    SendsAnyway,
    /// Returned at once.
    Bounces,
    /// The next host may offer it; if there is none, returned.
    NextThenBounces,
    /// Addresses of ASCII letters are sent; what becomes of others is left open.
    SendsAscii,
    /// Nobody says what it does.
    NotSaid,
    /// Nobody says that it knows the extension at all.
    Unknown,
}

/// What a message needs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// 8BITMIME
    pub eight_bit: bool,
    /// BINARYMIME and CHUNKING
    pub binary: bool,
    /// SMTPUTF8
    pub utf8: bool,
    /// One of its addresses has other letters than ASCII.
    pub utf8_addresses: bool,
}

/// What a server offers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Offer {
    /// 8BITMIME
    pub eight_bit: bool,
    /// BINARYMIME and CHUNKING
    pub binary: bool,
    /// SMTPUTF8
    pub utf8: bool,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meeting {
    /// It is sent, converted or as it is.
    Sends,
    /// The next host; if there is none, returned with this status.
    NextElse(Enhanced),
    /// Returned with this status.
    Bounces(Enhanced),
    /// Nobody says.
    NotSaid,
}

/// May a message go to this server?
#[must_use]
pub fn meet(rules: &ExtensionRules, needs: Needs, offer: Offer) -> Decision<Meeting> {
    let questions = [
        (needs.utf8 || needs.utf8_addresses, offer.utf8, rules.utf8, "EXT-3", "SMTPUTF8", Enhanced(5, 6, 7), "RFC 6531 §3.2"),
        (needs.binary, offer.binary, rules.binary, "EXT-2", "BINARYMIME", Enhanced(5, 6, 3), "RFC 3030 §3"),
        (needs.eight_bit, offer.eight_bit, rules.eight_bit, "EXT-1", "8BITMIME", Enhanced(5, 6, 3), "RFC 6152 §3"),
    ];
    let mut decision = Decision { outcome: Meeting::Sends, chosen: Vec::new(), passed_over: Vec::new() };
    for (_, offered, lack, rule, word, status, source) in questions.into_iter().filter(|question| question.0) {
        let (outcome, why) = match lack {
            Lack::Unknown => (Meeting::NotSaid, "nobody says what this sender does with such mail"),
            _ if offered => (Meeting::Sends, "offered"),
            Lack::Converts => (Meeting::Sends, "not offered: the body goes in another form, and signatures break"),
            Lack::SendsAnyway => (Meeting::Sends, "not offered, and not looked at"),
            Lack::SendsAscii if !needs.utf8_addresses => (Meeting::Sends, "not offered, and all addresses are ASCII"),
            Lack::Bounces => (Meeting::Bounces(status), "needed and not offered: returned"),
            Lack::NextThenBounces => (Meeting::NextElse(status), "needed and not offered: the next host, else returned"),
            Lack::SendsAscii | Lack::NotSaid => (Meeting::NotSaid, "needed and not offered: nobody says what this sender does"),
        };
        let reason = because(rule, word, why, source);
        if outcome == Meeting::Sends {
            decision.passed_over.push(reason);
        } else {
            return Decision { outcome, chosen: vec![reason], passed_over: decision.passed_over };
        }
    }
    std::mem::swap(&mut decision.chosen, &mut decision.passed_over);
    decision
}

/// Is a body put into another form for a server that takes these kinds?
#[must_use]
pub fn is_converted(rules: &ExtensionRules, body: Body, takes_eight_bit: bool, takes_binary: bool) -> bool {
    match body {
        Body::SevenBit => false,
        Body::EightBit => !takes_eight_bit && rules.eight_bit == Lack::Converts,
        Body::Binary => !takes_binary && rules.binary == Lack::Converts,
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::behaviour;
    use super::*;
    use crate::model::settings::Profile;

    #[test]
    fn needs_and_offers() {
        use Meeting::{Bounces, NextElse, NotSaid, Sends};
        let (eight_bit, binary) = (Needs { eight_bit: true, ..Needs::default() }, Needs { binary: true, ..Needs::default() });
        let header = Needs { utf8: true, ..Needs::default() };
        let address = Needs { utf8: true, utf8_addresses: true, ..Needs::default() };
        let nothing = Offer::default();
        let all = Offer { eight_bit: true, binary: true, utf8: true };
        let (status, utf8) = (Enhanced(5, 6, 3), Enhanced(5, 6, 7));
        let cases = [
            (Profile::Rfc, eight_bit, nothing, Sends),
            (Profile::Rfc, binary, nothing, Sends),
            (Profile::Rfc, address, nothing, NextElse(utf8)),
            (Profile::Rfc, address, all, Sends),
            (Profile::Postfix, eight_bit, nothing, Sends),
            (Profile::Postfix, header, nothing, NextElse(utf8)),
            (Profile::Postfix, binary, all, NotSaid),
            (Profile::Exim, eight_bit, nothing, Sends),
            (Profile::Exim, header, nothing, Sends),
            (Profile::Exim, address, nothing, NotSaid),
            (Profile::Sendmail, eight_bit, nothing, Sends),
            (Profile::Sendmail, header, all, NotSaid),
            (Profile::OpenSmtpd, eight_bit, nothing, Sends),
            (Profile::Qmail, eight_bit, nothing, Sends),
            (Profile::KumoMta, eight_bit, nothing, Bounces(status)),
            (Profile::KumoMta, header, nothing, Bounces(utf8)),
            (Profile::KumoMta, eight_bit, all, Sends),
            (Profile::ExchangeOnline, eight_bit, nothing, NotSaid),
            (Profile::ExchangeOnline, address, all, Sends),
            (Profile::Rfc, Needs::default(), nothing, Sends),
        ];
        for (profile, needs, offer, expected) in cases {
            let decision = meet(&behaviour(profile).extensions, needs, offer);
            assert_eq!(decision.outcome, expected, "{profile:?} {needs:?} {offer:?}: {:?}", decision.chosen);
        }
    }
}
