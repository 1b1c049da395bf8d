//! Domain security: which domains prove with certificates who they are, in both directions (mutual TLS).
//!
//! Sources: Set-TransportConfig `TLSSendDomainSecureList`, `TLSReceiveDomainSecureList`; a wildcard is not allowed in them.

use crate::base::Domain;
use crate::diag::code;
use crate::scenario::compile::desk::Desk;
use crate::scenario::source::{Field, Text};

/// Says what the cmdlet would refuse of a list.
pub(super) fn check(list: &Field<Vec<Text>>, desk: &mut Desk) {
    for text in list.items() {
        if text.contains('*') {
            let help = "domain security knows whole domains only: \"contoso.com\", and \"eu.contoso.com\" on its own";
            desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` has a wildcard"), help);
        } else {
            desk.domain(text);
        }
    }
}

/// The domains of a list.
pub(super) fn domains(list: &Field<Vec<Text>>) -> Vec<Box<str>> {
    list.items().iter().filter_map(|text| Domain::parse(text).ok()).map(|domain| domain.as_str().into()).collect()
}
