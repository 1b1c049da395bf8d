//! What a tenant says about mail that comes in, and the listeners of the shared service: its two interfaces.
//!
//! Sources: New-InboundConnector, Set-OrganizationConfig, Set-TransportConfig; the two interfaces of the service (`smtp.office365.com` with login on 587
//! and 25, the MX endpoint on 25; 465 is not offered); the relay notices of 2017 and 2023.

use jiff::Timestamp;
use std::net::IpAddr;

use crate::base::{InOrder, Pattern, Reply, SimTime, TlsVersion, common_form};
use crate::diag::{Diagnostic, code};
use crate::model::inbound::{EnhancedFiltering, Inbound, InboundConnector, RelayPeriods, RequireTlsReply, Submission, TrustedMail};
use crate::model::receive_connector::Range;
use crate::model::settings::Listener;
use crate::scenario::check::{inbound_connector, receive_connector, told_apart};
use crate::scenario::schema::{self, ConnectorType, Era, ExchangeOnline, Scenario, System};
use crate::scenario::source::{Named, Text};
use crate::scenario::values::parse_date;

use super::desk::Desk;
use super::exchange_online::microsoft_domains;
use super::identity::Identity;
use super::mta::send_as;
use super::world::{Part, World};

/// Addresses of front ends that are for logins, and those that former services had.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceAddresses {
    /// `smtp.office365.com`
    pub(super) submission: Vec<IpAddr>,
    /// `smtp-legacy.office365.com`
    pub(super) legacy: Vec<IpAddr>,
    /// Names of FOPE.
    pub(super) retired: Vec<IpAddr>,
}

/// The names that lead there.
impl ServiceAddresses {
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, &[IpAddr])> {
        [
            ("smtp.office365.com", &self.submission[..]),
            ("smtp-legacy.office365.com", &self.legacy[..]),
            ("mail.messaging.microsoft.com", &self.retired[..]),
            ("mail.global.frontbridge.com", &self.retired[..]),
        ]
        .into_iter()
    }

    /// Listeners at these addresses, which come before the one of the MX endpoint.
    pub(super) fn listeners(&self, mx_endpoint: &Listener, era: Era) -> Vec<Listener> {
        let oldest = (TlsVersion::Tls10, mx_endpoint.tls_versions.1);
        let at = |name: &str, port, addresses: &[IpAddr]| Listener {
            name: name.into(),
            port,
            only_at: addresses.to_vec(),
            family: None,
            ..mx_endpoint.clone()
        };
        let mut listeners = Vec::new();
        for port in [587, 25] {
            listeners.push(Listener { require_login: true, ..at("submission", port, &self.submission) });
            listeners.push(Listener { require_login: true, tls_versions: oldest, ..at("legacy submission", port, &self.legacy) });
        }
        if era >= Era::Eop2017 {
            let reply = Reply::new(451, Some(crate::base::Enhanced(4, 4, 62)), "Mail sent to the wrong Office 365 region. ATTR35");
            listeners.push(Listener { turns_away: Some(reply), ..at("retired", 25, &self.retired) });
        }
        listeners
    }
}

/// The receiving side of one tenant.
pub(super) fn inbound(tenant: &ExchangeOnline, tree: &Scenario, era: Era, shared: Option<&Named<Text>>, desk: &mut Desk) -> Inbound {
    told_apart(tenant.inbound_connectors.keys(), desk);
    let mut connectors: Vec<InboundConnector> =
        tenant.inbound_connectors.iter().map(|(name, connector)| connector_row(name, connector, (tenant, tree), desk)).collect();
    connectors.in_order_by(|a, b| a.name.cmp(&b.name));
    let mut inbound = Inbound {
        connectors,
        reject_direct_send: tenant.organization_config.get().is_some_and(|config| config.reject_direct_send.or(false)),
        ip_allow_list: tenant.ip_allow_list.items().iter().filter_map(|text| allowed(text, desk)).collect(),
        relay: relay_periods(tree, era),
        submission: submission(tenant),
        trusted_mail: TrustedMail::default(),
        require_tls_reply: RequireTlsReply::default(),
        relay_is_deferred: false,
        either_restriction: false,
    };
    for named in shared.into_iter().chain([&tenant.switches]) {
        named.iter().for_each(|(name, value)| switch(name, value, &mut inbound, desk));
    }
    inbound
}

/// Enhanced filtering takes no address of the service itself: of those that the scenario says it has.
fn skips_the_service(connector: &schema::InboundConnector, tree: &Scenario, desk: &mut Desk) {
    let Some(service) = tree.exchange_online.get() else { return };
    let lists = [&service.addresses, &service.high_risk_pool, &service.relay_pool];
    let own: Vec<IpAddr> = lists.iter().flat_map(|list| list.items()).filter_map(|text| text.parse().ok()).collect();
    skips_one_of(connector, &own, desk);
}

/// The same of those that are made up for it, where it says none.
pub(super) fn skips_made_up(world: &World, identities: &[Identity], tree: &Scenario, desk: &mut Desk) {
    let front_ends = world.hosts.iter().zip(identities).filter(|(host, row)| matches!(host.part, Part::FrontEnd(_)) && row.made_up);
    let own: Vec<IpAddr> = front_ends.flat_map(|(_, row)| row.addresses.iter().chain(&row.own_services).copied()).collect();
    for (_, system) in tree.systems.iter() {
        if let System::ExchangeOnline(tenant) = system {
            tenant.inbound_connectors.iter().for_each(|(_, connector)| skips_one_of(connector, &own, desk));
        }
    }
}

fn skips_one_of(connector: &schema::InboundConnector, own: &[IpAddr], desk: &mut Desk) {
    for text in connector.ef_skip_ips.items() {
        if inbound_connector::skip(text).is_ok_and(|(from, to)| own.iter().any(|address| (from..=to).contains(address))) {
            let message = format!("`{text}` holds an address of Exchange Online, which enhanced filtering does not take");
            desk.error(code::CMDLET_REFUSES, text.span(), message, "list the hops between the sender and the service only");
        }
    }
}

fn connector_row(
    name: &Text,
    connector: &schema::InboundConnector,
    (tenant, tree): (&ExchangeOnline, &Scenario),
    desk: &mut Desk,
) -> InboundConnector {
    inbound_connector::check(name, connector, tenant, desk);
    skips_the_service(connector, tree, desk);
    let lower = |text: &Text| -> Box<str> { common_form(text).into() };
    let on_premises = connector.connector_type.or(ConnectorType::Partner) == ConnectorType::OnPremises;
    let mut sender_domains: Vec<Box<str>> = connector.sender_domains.items().iter().map(lower).collect();
    if sender_domains.is_empty() {
        sender_domains.push("*".into());
    }
    let last = connector.ef_skip_last_ip.or(false);
    let skips: Vec<(IpAddr, IpAddr)> = connector.ef_skip_ips.items().iter().filter_map(|text| inbound_connector::skip(text).ok()).collect();
    let filtering = (last || !skips.is_empty()).then(|| EnhancedFiltering {
        last,
        skips: if last { Vec::new() } else { skips },
        users: connector.ef_users.items().iter().map(|user| Pattern::of_names(user)).collect(),
    });
    InboundConnector {
        name: name.as_str().into(),
        enabled: connector.enabled.or(true),
        on_premises,
        sender_domains,
        addresses: connector.sender_ip_addresses.items().iter().filter_map(|text| inbound_connector::sender_address(text).ok()).collect(),
        certificate_name: connector.tls_sender_certificate_name.get().filter(|name| !name.is_empty()).map(lower),
        star_covers_all: false,
        require_tls: connector.require_tls.or(true),
        restricts_to_addresses: !on_premises && connector.restrict_domains_to_ip_addresses.or(false),
        restricts_to_certificate: !on_premises && connector.restrict_domains_to_certificate.or(false),
        associated: connector.associated_accepted_domains.items().iter().map(lower).collect(),
        cloud_services: connector.cloud_services_mail_enabled.or(false),
        treats_as_internal: connector.treat_messages_as_internal.or(false),
        trusted: connector.trusted_organizations.items().iter().filter_map(|text| organization(text, tree, desk)).collect(),
        filtering,
    }
}

/// A tenant by the name of its system, or by one of its domains.
fn organization(text: &Text, tree: &Scenario, desk: &mut Desk) -> Option<Box<str>> {
    let tenants = || {
        tree.systems.iter().filter_map(|(name, system)| match system {
            System::ExchangeOnline(tenant) => Some((name, tenant)),
            _ => None,
        })
    };
    let is_meant = |(name, tenant): &(&Text, &ExchangeOnline)| {
        name.eq_ignore_ascii_case(text)
            || tenant.accepted_domains.keys().any(|domain| common_form(domain) == common_form(text))
            || microsoft_domains(tenant).iter().any(|domain| domain.eq_ignore_ascii_case(text))
    };
    let found = tenants().find(is_meant).map(|(name, _)| name.as_str().into());
    if found.is_none() {
        let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("`{text}` is no organization of Exchange Online here"));
        desk.unknown(problem, text, tenants().map(|(name, _)| name.as_str()), "the name of another `ExchangeOnline`, or a domain of it");
    }
    found
}

/// `ip_allow_list`: addresses, blocks from /24 to /32, and ranges of 256 addresses at most.
fn allowed(text: &Text, desk: &mut Desk) -> Option<Range> {
    let read = match receive_connector::range(text).filter(|_| text.contains('-')) {
        Some(range) if range.from.is_ipv4() && range.width() < 256 => Ok(range),
        Some(_) => Err("a range holds at most 256 IPv4 addresses"),
        None if text.contains('-') => Err("a range goes from the lower address to the higher one: \"192.0.2.1-192.0.2.9\""),
        None => inbound_connector::sender_address(text).map(|network| Range { from: network.network(), to: network.broadcast() }),
    };
    if let Err(help) = read {
        desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` does not belong on an allow list"), help);
    }
    read.ok()
}

/// When which condition for relay came: by the calendar of the scenario, or by its era if it has none.
fn relay_periods(tree: &Scenario, era: Era) -> RelayPeriods {
    let start = tree.start.get().and_then(|start| parse_date(start).ok());
    let from = |date: &str, is_past: bool| match start {
        Some(start) => moment_of(date, start),
        None if is_past => SimTime::ZERO,
        None => SimTime::NEVER,
    };
    RelayPeriods {
        domain_counts_from: from("2017-07-05", era >= Era::Eop2017),
        author_counts_until: from("2023-11-01", era >= Era::Exo2026),
    }
}

/// A date in the time of a run; before the start it is the start.
pub(super) fn moment_of(date: &str, start: Timestamp) -> SimTime {
    let Ok(date) = parse_date(date) else { return SimTime::NEVER };
    SimTime(u64::try_from((date.as_nanosecond() - start.as_nanosecond()).max(0)).unwrap_or(u64::MAX))
}

fn submission(tenant: &ExchangeOnline) -> Submission {
    let config = tenant.transport_config.get();
    Submission {
        disabled: config.is_none_or(|config| config.smtp_client_authentication_disabled.or(true)),
        legacy_tls: config.is_some_and(|config| config.allow_legacy_tls_clients.or(false)),
        security_defaults: tenant.security_defaults.or(false),
        send_as: send_as(&tenant.send_as),
        ..Submission::default()
    }
}

/// Switches of this side, with their values.
pub(super) const SWITCHES: [(&str, &[&str]); 7] = [
    ("client_certificate_wildcard", &["one-label", "all-subdomains"]),
    ("trusted_organizations", &["unfiltered", "filtered"]),
    ("both_restrictions", &["each", "either"]),
    ("partner_require_tls_reply", &["451 5.7.3", "530 5.7.0"]),
    ("relay_refused_reply", &["550 5.7.64", "451 4.4.62"]),
    ("daily_recipient_limit_reply", &["554 5.2.0", "550 5.1.90"]),
    ("basic_authentication_until", &["never", "a date such as \"2027-03-01\""]),
];

/// One named switch; those of the other side are left alone.
fn switch(name: &Text, value: &Text, inbound: &mut Inbound, desk: &mut Desk) {
    let Some((_, values)) = SWITCHES.iter().find(|(known, _)| *known == name.as_str()) else { return };
    match (name.as_str(), value.as_str()) {
        ("client_certificate_wildcard", "one-label") => stars(inbound, false),
        ("client_certificate_wildcard", "all-subdomains") => stars(inbound, true),
        ("trusted_organizations", "unfiltered") => inbound.trusted_mail = TrustedMail::Unfiltered,
        ("trusted_organizations", "filtered") => inbound.trusted_mail = TrustedMail::Filtered,
        ("both_restrictions", "each") => inbound.either_restriction = false,
        ("both_restrictions", "either") => inbound.either_restriction = true,
        ("partner_require_tls_reply", "451 5.7.3") => inbound.require_tls_reply = RequireTlsReply::Transient,
        ("partner_require_tls_reply", "530 5.7.0") => inbound.require_tls_reply = RequireTlsReply::Permanent,
        ("relay_refused_reply", "550 5.7.64") => inbound.relay_is_deferred = false,
        ("relay_refused_reply", "451 4.4.62") => inbound.relay_is_deferred = true,
        ("daily_recipient_limit_reply", "554 5.2.0") => inbound.submission.limit_is_bad_sender = false,
        ("daily_recipient_limit_reply", "550 5.1.90") => inbound.submission.limit_is_bad_sender = true,
        ("basic_authentication_until", "never") => inbound.submission.basic_until = SimTime::NEVER,
        ("basic_authentication_until", _) => inbound.submission.basic_until = desk.instant(value).unwrap_or(SimTime::NEVER),
        _ => {
            let problem = Diagnostic::error(code::UNKNOWN_SWITCH, value.span(), format!("`{value}` is not a value of the switch `{name}`"));
            desk.say(problem.help(format!("possible are {}", values.join(", "))));
        }
    }
}

fn stars(inbound: &mut Inbound, cover_all: bool) {
    inbound.connectors.iter_mut().for_each(|connector| connector.star_covers_all = cover_all);
}

/// Is it a switch of this side?
pub(super) fn is_switch(name: &str) -> bool {
    SWITCHES.iter().any(|(known, _)| *known == name)
}

/// Addresses that several tenants name in OnPremises connectors: whose mail it is depends on MAIL FROM alone.
pub(super) fn shared_addresses(tenants: &[(&Text, &ExchangeOnline)], desk: &mut Desk) {
    let mut seen: Vec<(&Text, &Text)> = Vec::new();
    for (owner, tenant) in tenants {
        for (_, connector) in tenant.inbound_connectors.iter() {
            if connector.connector_type.or(ConnectorType::Partner) != ConnectorType::OnPremises || !connector.enabled.or(true) {
                continue;
            }
            for address in connector.sender_ip_addresses.items() {
                if let Some((other, there)) =
                    seen.iter().find(|(other, known)| other.as_str() != owner.as_str() && known.as_str() == address.as_str())
                {
                    let message = format!(
                        "`{address}` is a server of `{other}` already, and here of `{owner}`: only MAIL FROM tells whose mail it is (ATT-2)"
                    );
                    let problem =
                        Diagnostic::warning(code::UNWISE_CONNECTOR, address.span(), message).also(there.span(), "the other tenant");
                    desk.say(problem.help("give each tenant a server or a certificate of its own"));
                }
                seen.push((owner, address));
            }
        }
    }
}
