//! `filter`: what a mail server or an appliance does with messages beside passing them on.

use crate::base::Pattern;
use crate::diag::code;
use crate::model::filter::{FilterAction, FilterRule, HeaderTest};
use crate::model::traffic::AddressTemplate;
use crate::scenario::schema;
use crate::scenario::source::{Field, Named, Text};

use super::desk::Desk;

/// What a filter says when a rule does not.
const REFUSAL: &str = "550 5.7.1 Message refused by policy";

/// The rules, in written order.
pub(super) fn filter(written: &Named<schema::FilterRule>, desk: &mut Desk) -> Vec<FilterRule> {
    let mut rules = Vec::new();
    for (name, rule) in written.iter() {
        let Some(action) = rule.then.get() else {
            desk.missing(name.span(), &format!("the filter rule `{name}` does nothing"), "write what it does: then: Quarantine()");
            continue;
        };
        let row = FilterRule {
            name: name.as_str().into(),
            from: patterns(&rule.from),
            to: patterns(&rule.to),
            header: header_test(&rule.header, desk),
            except_header: header_test(&rule.except_header, desk),
            size_over: rule.size_over.get().and_then(|text| desk.size(text)).flatten(),
            scl_at_least: spam_level(&rule.scl_at_least, desk),
            then: match self::action(name, action, desk) {
                Some(action) => action,
                None => continue,
            },
        };
        rules.push(row);
    }
    rules
}

fn patterns(texts: &Field<Vec<Text>>) -> Vec<Pattern> {
    texts.items().iter().map(|text| Pattern::of_names(text.trim())).collect()
}

/// `Name`, or `Name: value` with `*` for any run of characters.
fn header_test(field: &Field<Text>, desk: &mut Desk) -> Option<HeaderTest> {
    let text = field.get()?;
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name.trim(), Some(Pattern::new(value.trim()))),
        None => (text.trim(), None),
    };
    if !is_field_name(name) {
        let help = "the name of a field, alone or with its value: \"X-Scan\", \"X-Scan: *spam*\"";
        desk.error(code::VALUE, text.span(), format!("`{text}` is not a field of a header"), help);
    }
    Some(HeaderTest { name: name.into(), value })
}

/// RFC 5322 §2.2
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

/// A spam confidence level.
pub(super) fn spam_level(field: &Field<i64>, desk: &mut Desk) -> Option<i8> {
    let at = field.at()?;
    let read = i8::try_from(at.value).ok().filter(|scl| (-1..=9).contains(scl));
    if read.is_none() {
        desk.error(code::RANGE, at.span, format!("{} is not a spam confidence level", at.value), "from -1 to 9");
    }
    read
}

fn action(name: &Text, action: &schema::FilterAction, desk: &mut Desk) -> Option<FilterAction> {
    Some(match action {
        schema::FilterAction::Reject(reject) => {
            let reply = desk.reply_or(&reject.code, REFUSAL);
            if !matches!(reply.class(), 4 | 5) {
                let help = "4xx says later, 5xx says never: code: \"550 5.7.1 no\"";
                desk.error(code::RANGE, reject.code.span(), format!("{} is no refusal", reply.code), help);
            }
            FilterAction::Reject(reply)
        }
        schema::FilterAction::Quarantine(_) => FilterAction::Quarantine,
        schema::FilterAction::Discard(_) => FilterAction::Discard,
        schema::FilterAction::Tag(tag) => {
            let Some(header) = tag.header.get() else {
                desk.missing(
                    tag.place,
                    &format!("the rule `{name}` writes a field without a name"),
                    "write then: Tag(header: \"X-Scan\", value: \"seen\")",
                );
                return None;
            };
            if !is_field_name(header.trim()) {
                let help = "letters, digits and dashes, without a colon: \"X-Scan\" (RFC 5322 §2.2)";
                desk.error(code::VALUE, header.span(), format!("`{header}` is not the name of a header field"), help);
            }
            FilterAction::Tag { name: header.trim().into(), value: tag.value.as_str().unwrap_or("").trim().into() }
        }
        schema::FilterAction::Delay(delay) => match delay.by.get() {
            Some(by) => FilterAction::Delay(desk.duration(by)?),
            None => {
                desk.missing(delay.place, &format!("the rule `{name}` does not say how long"), "write then: Delay(by: \"10m\")");
                return None;
            }
        },
        schema::FilterAction::Redirect(redirect) => {
            let Some(to) = redirect.to.get() else {
                let help = "write then: Redirect(to: \"postmaster@contoso.com\")";
                desk.missing(redirect.place, &format!("the rule `{name}` does not say where to"), help);
                return None;
            };
            FilterAction::Redirect(AddressTemplate::of(&desk.address(to)?))
        }
    })
}
