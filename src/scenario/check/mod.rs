//! Is what the text says possible at all? Refusals of the products' own cmdlets, at the place of the parameter.

pub(super) mod attributes;
pub(super) mod inbound_connector;
pub(super) mod outbound_connector;
pub(super) mod overlays;
pub(super) mod receive_connector;
pub(super) mod send_connector;
pub(super) mod tenant_limits;
pub(super) mod tenant_mailboxes;
pub(super) mod tenant_routes;

use std::net::IpAddr;

use crate::base::Domain;
use crate::diag::{Diagnostic, Span, code};
use crate::model::exchange_server::ServerVersion;
use crate::scenario::compile::Desk;
use crate::scenario::source::{Field, Text};

/// Names of connectors and rules are at most this long.
const NAME_MAX: usize = 64;

/// `Name` is required by every cmdlet that makes a connector or a rule, and it is short.
pub(super) fn name(name: &Text, what: &str, desk: &mut Desk) {
    if name.trim().is_empty() {
        desk.error(code::CMDLET_REFUSES, name.span(), format!("a {what} without a name"), format!("write one, as in \"the first {what}\""));
    } else if name.chars().count() > NAME_MAX {
        desk.error(code::CMDLET_REFUSES, name.span(), format!("the name of a {what} has at most {NAME_MAX} characters"), "shorten it");
    }
}

/// No two connectors of one kind, nor two rules, have names that differ by case only: for the products these are one name.
pub(in crate::scenario) fn told_apart<'a>(names: impl IntoIterator<Item = &'a Text>, desk: &mut Desk) {
    let mut seen: Vec<&Text> = Vec::new();
    for name in names {
        if let Some(other) = seen.iter().find(|other| other.to_lowercase() == name.to_lowercase()) {
            let problem = Diagnostic::error(code::CMDLET_REFUSES, name.span(), format!("`{name}` and `{other}` are one name"));
            desk.say(
                problem
                    .also(other.span(), "the other one")
                    .help("names do not differ by case: write it in the same letters, or choose another"),
            );
        }
        seen.push(name);
    }
}

/// Shows the other value that a mistake consists of, which an overlay or a flag may have written far away.
fn beside<T>(problem: Diagnostic, field: &Field<T>, label: &str) -> Diagnostic {
    if field.is_written() { problem.also(field.span(), label) } else { problem }
}

/// Is it a domain of mail, or `*.` and one? No address, and no label begins or ends with a hyphen.
fn is_smtp_domain(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| !label.starts_with('-') && !label.ends_with('-');
    let is_name = matches!(Domain::parse(name), Ok(domain) if !domain.as_str().is_empty() && !domain.as_str().starts_with('*'));
    is_name && name.parse::<IpAddr>().is_err() && name.split('.').all(is_label)
}

/// `Fqdn` of a connector: the name of a host.
fn fqdn(field: &Field<Text>, desk: &mut Desk) {
    if let Some(text) = field.get().filter(|text| !text.is_empty()) {
        desk.domain(text);
    }
}

/// Parameters (their names, where they are written, since when they exist) that a version of Exchange Server does not have.
fn newer_than(version: ServerVersion, parameters: &[(&str, Span, ServerVersion)], desk: &mut Desk) {
    for (name, span, since) in parameters.iter().filter(|(_, span, since)| span.is_somewhere() && version < *since) {
        let year = if *since == ServerVersion::Exchange2013 { "2013" } else { "2016" };
        let help = format!("no cmdlet of an older version has that parameter: leave it out, or write version: Exchange{year}");
        desk.error(code::CMDLET_REFUSES, *span, format!("`{name}` exists since Exchange {year}"), help);
    }
}
