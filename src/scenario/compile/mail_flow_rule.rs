//! Mail-flow rules of a tenant: names to ids, texts to patterns, and what New-TransportRule refuses.
//!
//! Source: New-TransportRule, parameters and their constraints.

mod conditions;

use crate::base::{Enhanced, SimTime};
use crate::decide::exchange::mail_flow_rule::rejection;
use crate::diag::{Diagnostic, code};
use crate::model::exchange::OutboundConnector;
use crate::model::letter::Header;
use crate::model::mail_flow_rule::{Action, MailFlowRule, RuleState, SenderPlace};
use crate::scenario::check;
use crate::scenario::schema::{ExchangeOnline, RuleMode, SenderAddressLocation, TransportRule};
use crate::scenario::source::Text;

use super::desk::Desk;
use super::expansions::addresses;
use super::filter::spam_level;
use conditions::{Null as _, Reader};

/// What a returned message says is at most this long.
const REASON_MAX: usize = 1024;

/// `Comments` of a rule has at most so many characters.
const COMMENT_MAX: usize = 1024;

/// All rules of a tenant, in order of priority.
pub(super) fn rules(tenant: &ExchangeOnline, at: SimTime, connectors: &[OutboundConnector], desk: &mut Desk) -> Vec<MailFlowRule> {
    check::told_apart(tenant.transport_rules.keys(), desk);
    let ordered = by_priority(tenant, desk);
    ordered.into_iter().map(|(name, rule)| compile(name, (rule, at), tenant, connectors, desk)).collect()
}

/// Each rule is made in its turn: at its `priority` it pushes those behind it down; without one it is the last.
fn by_priority<'a>(tenant: &'a ExchangeOnline, desk: &mut Desk) -> Vec<(&'a Text, &'a TransportRule)> {
    let mut ordered = Vec::new();
    for (name, rule) in tenant.transport_rules.iter() {
        let written = rule.priority.at();
        let place = written.map_or(ordered.len(), |at| usize::try_from(at.value).unwrap_or(usize::MAX));
        if let (true, Some(at)) = (place > ordered.len(), written) {
            let message = format!("no rule can have the priority {} while there are {} others", at.value, ordered.len());
            let help = format!("from 0, the first, to {}; rules are made in written order", ordered.len());
            desk.error(code::CMDLET_REFUSES, at.span, message, help);
        }
        ordered.insert(place.min(ordered.len()), (name, rule));
    }
    ordered
}

fn compile(
    name: &Text,
    (rule, at): (&TransportRule, SimTime),
    tenant: &ExchangeOnline,
    connectors: &[OutboundConnector],
    desk: &mut Desk,
) -> MailFlowRule {
    refuse(name, rule, desk);
    let (from, until) = (desk.instant_or(&rule.activation_date, SimTime::ZERO), desk.instant_or(&rule.expiry_date, SimTime::NEVER));
    if rule.activation_date.is_written() && rule.expiry_date.is_written() && until <= from && until > SimTime::ZERO {
        let message = "this rule expires before it begins";
        let problem =
            Diagnostic::error(code::CMDLET_REFUSES, rule.expiry_date.span(), message).also(rule.activation_date.span(), "its beginning");
        desk.say(problem.help("write an `expiry_date` after the `activation_date`"));
    }
    let state = match (rule.enabled.or(true), rule.mode.or(RuleMode::Enforce)) {
        _ if at < from || at >= until => RuleState::NotNow,
        (false, _) => RuleState::Off,
        (true, RuleMode::Enforce) => RuleState::Acts,
        (true, RuleMode::Audit | RuleMode::AuditAndNotify) => RuleState::Audits,
    };
    let problems = desk.problems.len();
    let actions = actions(rule, connectors, desk);
    if actions.is_empty() && !rule.stop_rule_processing.or(false) && desk.problems.len() == problems {
        let message = format!("the rule `{name}` does nothing: New-TransportRule wants at least one action");
        desk.error(code::CMDLET_REFUSES, name.span(), message, "add what it does, such as `set_scl: 6` or `delete_message: true`");
    }
    let mut reader = Reader { recipients: &tenant.recipients, desk };
    let (conditions, exceptions) = (reader.conditions(&rule.conditions), reader.exceptions(&rule.conditions));
    MailFlowRule {
        name: name.as_str().into(),
        state,
        looks_in: match rule.sender_address_location.or(SenderAddressLocation::Header) {
            SenderAddressLocation::Header => SenderPlace::Header,
            SenderAddressLocation::Envelope => SenderPlace::Envelope,
            SenderAddressLocation::HeaderOrEnvelope => SenderPlace::Both,
        },
        conditions,
        exceptions,
        actions,
        stops: rule.stop_rule_processing.or(false),
    }
}

fn refuse(name: &Text, rule: &TransportRule, desk: &mut Desk) {
    check::name(name, "rule", desk);
    if let Some(text) = rule.reject_message_reason_text.get().filter(|text| text.chars().count() > REASON_MAX) {
        desk.error(code::CMDLET_REFUSES, text.span(), format!("a reason has at most {REASON_MAX} characters"), "shorten it");
    }
    if let Some(text) = rule.comments.get().filter(|text| text.chars().count() > COMMENT_MAX) {
        desk.error(code::CMDLET_REFUSES, text.span(), format!("a comment has at most {COMMENT_MAX} characters"), "shorten it");
    }
    let refusal = [&rule.reject_message_reason_text, &rule.reject_message_enhanced_status_code].into_iter().find(|field| !field.is_null());
    let redirect = Some(&rule.redirect_message_to).filter(|field| !field.is_null());
    if let (Some(refusal), Some(redirect)) = (refusal, redirect) {
        let message = "one rule cannot both refuse a message and redirect it";
        let problem = Diagnostic::error(code::CMDLET_REFUSES, redirect.span(), message).also(refusal.span(), "it is refused here");
        desk.say(problem.help("write two rules, each with conditions of its own"));
        return;
    }
    let ends = [
        ("delete_message", rule.delete_message.or(false)),
        ("reject_message_reason_text", refusal.is_some()),
        ("quarantine", rule.quarantine.or(false)),
    ];
    let mut written = ends.into_iter().filter(|(_, written)| *written).map(|(end, _)| end);
    let Some(end) = written.next() else { return };
    if let Some(other) = written.next() {
        let message = format!("`{other}` does nothing beside `{end}`, which ends the message");
        desk.say(Diagnostic::warning(code::NO_EFFECT, name.span(), message).help("leave one of them out"));
    }
    let lists = [
        ("redirect_message_to", &rule.redirect_message_to),
        ("blind_copy_to", &rule.blind_copy_to),
        ("copy_to", &rule.copy_to),
        ("add_to_recipients", &rule.add_to_recipients),
    ];
    let lists = lists.into_iter().filter(|(_, field)| !field.is_null()).map(|(field, list)| (field, list.span()));
    let route = Some(&rule.route_message_outbound_connector).filter(|field| !field.is_null());
    for (field, span) in lists.chain(route.map(|route| ("route_message_outbound_connector", route.span()))) {
        let message = format!("`{field}` does nothing beside `{end}`, which ends the message");
        desk.say(Diagnostic::warning(code::NO_EFFECT, span, message).help("write two rules, this one first"));
    }
}

/// What a rule does, in the order in which the service does it: what ends the message last.
fn actions(rule: &TransportRule, connectors: &[OutboundConnector], desk: &mut Desk) -> Vec<Action> {
    let mut actions = Vec::new();
    for name in rule.set_header_name.get().into_iter().chain(rule.remove_header.get()) {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
            let help = "letters, digits and dashes, without a colon: \"X-Processed\" (RFC 5322 §2.2)";
            desk.error(code::VALUE, name.span(), format!("`{name}` is not the name of a header field"), help);
        }
    }
    match (rule.set_header_name.get(), rule.set_header_value.get()) {
        (Some(name), Some(value)) => actions.push(Action::SetHeader(Header { name: name.as_str().into(), value: value.as_str().into() })),
        (None, None) => {}
        (Some(text), None) | (None, Some(text)) => {
            let help = "write both: set_header_name: \"X-Processed\", set_header_value: \"yes\"";
            desk.error(code::CMDLET_REFUSES, text.span(), "`set_header_name` and `set_header_value` belong together", help);
        }
    }
    actions.extend(rule.remove_header.get().map(|name| Action::RemoveHeader(name.to_ascii_lowercase().into())));
    actions.extend(spam_level(&rule.set_scl, desk).map(Action::SetScl));
    actions.extend(rule.prepend_subject.get().map(|text| Action::PrependSubject(text.as_str().into())));
    if let Some(name) = rule.route_message_outbound_connector.get() {
        match connectors.iter().position(|connector| connector.name.eq_ignore_ascii_case(name)) {
            Some(at) => actions.push(Action::Route(at)),
            None => {
                let message = format!("`{name}` is not an outbound connector of this tenant");
                let known = connectors.iter().map(|connector| &*connector.name);
                let help = "write it among the `outbound_connectors`, with `is_transport_rule_scoped: true`";
                desk.unknown(Diagnostic::error(code::UNKNOWN_NAME, name.span(), message), name, known, help);
            }
        }
    }
    if rule.route_message_outbound_require_tls.or(false) {
        actions.push(Action::RequireTls);
    }
    let copies = [(&rule.blind_copy_to, "blind_copy_to"), (&rule.copy_to, "copy_to"), (&rule.add_to_recipients, "add_to_recipients")];
    for (field, what) in copies.into_iter().filter(|(field, _)| !field.is_null()) {
        actions.push(Action::Copy(addresses(field, what, rule.place, desk)));
    }
    if !rule.redirect_message_to.is_null() {
        actions.push(Action::Redirect(addresses(&rule.redirect_message_to, "redirect_message_to", rule.place, desk)));
    }
    if rule.quarantine.or(false) {
        actions.push(Action::Quarantine);
    }
    if !rule.reject_message_reason_text.is_null() || !rule.reject_message_enhanced_status_code.is_null() {
        let status = rule.reject_message_enhanced_status_code.get().filter(|text| !text.is_empty());
        let status = status.and_then(|text| rejection_code(text, desk));
        actions.push(Action::Reject(rejection(status, rule.reject_message_reason_text.as_str().filter(|text| !text.is_empty()))));
    }
    if rule.delete_message.or(false) {
        actions.push(Action::Delete);
    }
    actions
}

/// `5.7.1`, or one of those that Microsoft leaves to its customers.
fn rejection_code(text: &Text, desk: &mut Desk) -> Option<Enhanced> {
    let read = Enhanced::parse(text).filter(|status| matches!(status, Enhanced(5, 7, 1 | 900..=999)));
    if read.is_none() {
        let message = format!("a rule cannot refuse with `{text}`");
        desk.error(code::CMDLET_REFUSES, text.span(), message, "\"5.7.1\", or from \"5.7.900\" to \"5.7.999\"");
    }
    read
}
