//! Switches of Exchange Server: where the sources contradict each other or do not say.

use crate::base::{HOUR, MINUTE, SECOND, common_form};
use crate::diag::{Diagnostic, code};
use crate::scenario::compile::desk::Desk;
use crate::scenario::schema::ExchangeServer;
use crate::scenario::source::Text;

/// What the switches are set to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switches {
    /// `missing_client_certificate`: `Anonymous` sends without one, `Retry` (default) waits.
    pub(super) anonymous_without_certificate: bool,
    /// `max_hop_count`: Received fields that a Receive connector bears; 60 as observed, 30 as the cmdlet's page says.
    pub(super) max_hop_count: u32,
    /// `max_local_hop_count`: 8 on the cmdlet's page, 12 as observed.
    pub(super) max_local_hop_count: u32,
    /// `custom_failures`: whether the replies of servers are the "custom failures" of `ErrorPolicies`.
    pub(super) every_reply_is_custom: bool,
    /// `message_retry_interval`: 15 minutes in the article, 5 on the cmdlet's page.
    pub(super) message_retry_ns: u64,
    /// `max_per_domain_outbound_connections`: 20 in the article and the admin centre, 40 on the cmdlet's page.
    pub(super) connections_per_domain: u32,
    /// `reject_message_on_shadow_failure`: 451 4.4.0 in the article, 450 4.5.1 on the cmdlet's page.
    pub(super) shadow_failure_as_cmdlet: bool,
    /// `dead_connector`: `Considered` as the documentation of 2007 and 2010 has it (default), `Skipped` as an article of 2016 says.
    pub(super) skips_dead_connectors: bool,
    /// `suspended_mail`: `Expires` like all other mail (default), or `Stays` as long as it is suspended; nobody says.
    pub(super) suspended_mail_stays: bool,
    /// `auto_reply_enabled`: what `AutoReplyEnabled` of a remote domain keeps back: `all-replies` (default), or those of `client-rules` only.
    pub(super) auto_reply_spares_oof: bool,
    /// `originator_org`: whose headers count that come over the certificate of Exchange Online: of a tenant that shares an accepted domain (`Own`, default), or of
    /// every tenant (`Any`).
    pub(super) trusts_any_tenant: bool,
    /// `opportunistic_handshake_failure`: `plain-retry` instead of `defer` (default).
    pub(super) plain_retry: bool,
    /// `rest_after_452`: recipients beyond what a server takes in one envelope follow in the `next-transaction` (default), or at the next `retry`.
    pub(super) rest_waits: bool,
    /// `message_age`: since the `organization` has it (default), or since this `server` has it.
    pub(super) age_begins_at_each_server: bool,
    /// `tls_domain_wildcard`: the star of `TlsDomain` stands for `all-subdomains` (default), as the cmdlet's page of the service says, or for `one-label`, as
    /// that of a certificate.
    pub(super) tls_domain_star_is_one_label: bool,
    /// `connect_timeout`, if it is written: how long a host that does not answer is waited for; no source says.
    pub(super) connect_ns: Option<u64>,
}

/// Each switch with its values, the default first.
const KNOWN: [(&str, [&str; 2]); 15] = [
    ("missing_client_certificate", ["Retry", "Anonymous"]),
    ("max_hop_count", ["60", "30"]),
    ("message_retry_interval", ["15m", "5m"]),
    ("max_per_domain_outbound_connections", ["20", "40"]),
    ("reject_message_on_shadow_failure", ["451 4.4.0", "450 4.5.1"]),
    ("max_local_hop_count", ["8", "12"]),
    ("custom_failures", ["All", "None"]),
    ("dead_connector", ["Considered", "Skipped"]),
    ("suspended_mail", ["Expires", "Stays"]),
    ("auto_reply_enabled", ["all-replies", "client-rules"]),
    ("originator_org", ["Own", "Any"]),
    ("opportunistic_handshake_failure", ["defer", "plain-retry"]),
    ("rest_after_452", ["next-transaction", "retry"]),
    ("message_age", ["organization", "server"]),
    (TLS_DOMAIN_WILDCARD, ["all-subdomains", "one-label"]),
];

/// What the star of `TlsDomain` stands for, of a tenant's connectors too.
pub(in crate::scenario::compile) const TLS_DOMAIN_WILDCARD: &str = "tls_domain_wildcard";

/// A `TlsDomain` as a policy has it, where `.contoso.com` is every name below.
pub(in crate::scenario::compile) fn tls_domain(name: &str, star_is_one_label: bool) -> Box<str> {
    let name = common_form(name);
    match name.strip_prefix('*') {
        Some(below) if !star_is_one_label => below.into(),
        _ => name.into(),
    }
}

/// Takes a time.
pub(in crate::scenario::compile) const CONNECT_TIMEOUT: &str = "connect_timeout";

/// What the switch `connect_timeout` is set to.
pub(in crate::scenario::compile) fn connect_timeout(value: &Text, desk: &mut Desk) -> Option<u64> {
    let ns = desk.duration(value)?;
    if !(SECOND..=HOUR).contains(&ns) {
        desk.error(code::RANGE, value.span(), format!("`{value}` is no time to wait for a connection"), "from \"1s\" to \"1h\"");
    }
    Some(ns)
}

/// Reads the switches of an organization.
pub(super) fn switches(server: &ExchangeServer, desk: &mut Desk) -> Switches {
    let mut connect_ns = None;
    for (name, value) in server.switches.iter() {
        if name.as_str() == CONNECT_TIMEOUT {
            connect_ns = connect_timeout(value, desk);
            continue;
        }
        match KNOWN.iter().find(|(known, _)| *known == name.as_str()) {
            None => {
                let problem =
                    Diagnostic::error(code::UNKNOWN_SWITCH, name.span(), format!("there is no switch `{name}` of Exchange Server"));
                let known: Vec<&str> = KNOWN.iter().map(|(known, _)| *known).chain([CONNECT_TIMEOUT]).collect();
                let help = format!("known are {}", known.join(", "));
                desk.unknown(problem, name, known, help);
            }
            Some((_, values)) if values.contains(&value.as_str()) => {}
            Some((_, values)) => {
                let message = format!("`{value}` is not a value of the switch `{name}`");
                desk.error(code::UNKNOWN_SWITCH, value.span(), message, format!("possible are {}", values.join(", ")));
            }
        }
    }
    let other = |at: usize| server.switches.get(KNOWN[at].0).is_some_and(|value| value.as_str() == KNOWN[at].1[1]);
    Switches {
        anonymous_without_certificate: other(0),
        max_hop_count: if other(1) { 30 } else { 60 },
        message_retry_ns: if other(2) { 5 * MINUTE } else { 15 * MINUTE },
        connections_per_domain: if other(3) { 40 } else { 20 },
        shadow_failure_as_cmdlet: other(4),
        max_local_hop_count: if other(5) { 12 } else { 8 },
        every_reply_is_custom: !other(6),
        skips_dead_connectors: other(7),
        suspended_mail_stays: other(8),
        auto_reply_spares_oof: other(9),
        trusts_any_tenant: other(10),
        plain_retry: other(11),
        rest_waits: other(12),
        age_begins_at_each_server: other(13),
        tls_domain_star_is_one_label: other(14),
        connect_ns,
    }
}
