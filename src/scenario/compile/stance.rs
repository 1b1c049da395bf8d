//! `checks`, `dkim` and `modifies`: what a system does about the origin of mail.
//!
//! A signing domain is written `contoso.com`, and its key is taken to be in place; or as the name of the key record,
//! `selector1._domainkey.contoso.com`, and then the record is asked for.

use crate::base::common_form;
use crate::model::authentication::{Change, Checks, Mode, Signer};
use crate::scenario::schema::{self, CheckMode, Modification};
use crate::scenario::source::{Field, Text};

use super::desk::Desk;

/// What stands between a selector and its domain (RFC 6376 §3.6.2.1).
const BETWEEN: &str = "._domainkey.";

/// What a receiver looks at; `None` where the scenario does not say.
pub(super) fn checks(field: &Field<schema::Checks>) -> Option<Checks> {
    let written = field.get()?;
    let mode = |field: &Field<CheckMode>| match field.or(CheckMode::Report) {
        CheckMode::Ignore => Mode::Ignore,
        CheckMode::Report => Mode::Report,
        CheckMode::Enforce => Mode::Enforce,
    };
    Some(Checks { spf: mode(&written.spf), dkim: mode(&written.dkim), dmarc: mode(&written.dmarc), ptr: mode(&written.ptr) })
}

/// Whose signature is put on.
pub(super) fn signer(field: &Field<Text>, desk: &mut Desk) -> Option<Signer> {
    let text = field.get()?;
    desk.domain(text)?;
    let plain = common_form(text);
    Some(match plain.split_once(BETWEEN) {
        Some((selector, domain)) => Signer { domain: domain.into(), selector: Some(selector.into()) },
        None => Signer { domain: plain.into(), selector: None },
    })
}

/// What is done to everything that is passed on.
pub(super) fn changes(field: &Field<Vec<Modification>>) -> Vec<Change> {
    let change = |word: &Modification| match word {
        Modification::Footer => Change::Footer,
        Modification::SubjectTag => Change::SubjectTag,
        Modification::FromRewritten => Change::FromRewritten,
        Modification::HeaderAdded => Change::HeaderAdded,
    };
    field.items().iter().map(change).collect()
}
