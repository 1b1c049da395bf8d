//! Tenants of Exchange Online, and the front ends that all of them share.
//!
//! Sources: New-AcceptedDomain, New-OutboundConnector; the constants of each era from the service's limits and queueing pages. What a tenant says
//! about mail that comes in is read in `exchange_inbound`, its recipients and remote domains in `directory`.

use crate::base::{DAY, HOUR, InOrder, Pattern, SimTime, SystemId, TlsVersion, common_form, parse_duration};
use crate::decide::profile::default_sender;
use crate::diag::{Diagnostic, code};
use crate::model::authentication::Stance;
use crate::model::directory::{DirectoryEntry, DsnAuthority};
use crate::model::exchange::{Out4, Out6, OutboundConnector, Person, Switches, Tenant};
use crate::model::settings::{Credentials, DaneUse, Directory, HostConfig, Profile, TlsLevel, TlsPolicy};
use crate::scenario::check::{attributes, outbound_connector, tenant_limits, tenant_mailboxes, tenant_routes, told_apart};
use crate::scenario::schema::{self, AutoForwardingMode, DirectoryRecipient, Era, ExchangeOnline, Scenario, System, TlsSettings};
use crate::scenario::source::{Named, Text};

use super::accepted_domains;
use super::automatic_replies;
use super::certificates::{self, Certificates, Shown};
use super::desk::Desk;
use super::directory;
use super::exchange_inbound::{SWITCHES, ServiceAddresses, inbound, is_switch, shared_addresses};
use super::exchange_server::{CONNECT_TIMEOUT, TLS_DOMAIN_WILDCARD, connect_timeout, tls_domain};
use super::mail_flow_rule;
use super::mailboxes::Mailboxes;
use super::receiver::{Usual, receiver};
use super::routing_addresses;
use super::service_era::{EXPIRY, SPACING, era, pools, retry, sender_rewriting};
use super::stance;
use super::tables::{Notation, Tables};
use super::tenant_domains;

/// Messages larger than this are refused by the service.
const SIZE_BYTES_MAX: u64 = 150 << 20;
/// Recipients of one transaction.
const RECIPIENTS_MAX: u32 = 500;
/// When recipients follow that a server did not take any more in one envelope.
const REST: &str = "rest_after_452";
/// One page says 500, the list of status codes more than 200 of one domain.
const ENVELOPE: &str = "recipients_of_one_envelope";

/// The settings of every front end in a stage.
pub(super) fn front_end(
    (tree, at): (&Scenario, SimTime),
    services: &ServiceAddresses,
    system_ids: &dyn Fn(&str) -> Option<SystemId>,
    certificates: &Certificates,
    tables: &mut Tables,
    desk: &mut Desk,
) -> HostConfig {
    let mut tenants: Vec<(&Text, &ExchangeOnline)> = Vec::new();
    for (name, system) in tree.systems.iter() {
        if let System::ExchangeOnline(tenant) = system {
            tenants.push((name, tenant));
        }
    }
    tenants.in_order_by_key(|(name, _)| name.as_str());
    tenant_domains::check(&tenants, desk);
    shared_addresses(&tenants, desk);
    let era = era(tree);
    let shared = tree.exchange_online.get().map(|service| &service.switches);
    let rows = tenants.iter().filter_map(|(name, tenant)| {
        let system = system_ids(name)?;
        Some(compile(tenant, system, (tree, era, at), shared, tables, desk))
    });
    let mut rows: Vec<_> = rows.collect();
    let mut sender = default_sender(Profile::ExchangeOnline);
    if era < Era::Exo2022 {
        // Before 2022 the service looked at neither DANE nor MTA-STS.
        let connectors = rows.iter_mut().flat_map(|tenant| &mut tenant.outbound_connectors).map(|connector| &mut connector.tls);
        for policy in connectors.chain([&mut sender.tls.policy]) {
            (policy.dane, policy.mta_sts) = (DaneUse::Never, false);
        }
    }
    routing_addresses::check(tree, &rows, &tables.names, desk);
    let directory = Directory::Tenants(rows);
    sender.retry = retry(era, shared);
    sender.rest_follows = shared.and_then(|switches| switches.get(REST)).is_none_or(|word| word.as_str() != "retry");
    if let Some(ns) = shared.and_then(|switches| switches.get(CONNECT_TIMEOUT)).and_then(|text| parse_duration(text).ok()) {
        sender.timers.connect_ns = ns;
    }
    // TLS 1.3 is of 2018 (RFC 8446); since when the service offers it nobody says.
    let versions = if era >= Era::Exo2022 { (TlsVersion::Tls12, TlsVersion::Tls13) } else { (TlsVersion::Tls10, TlsVersion::Tls12) };
    sender.tls.versions = versions;
    let usual = Usual {
        certificate: Shown::Public,
        sessions: u32::MAX,
        max_message_size: Some(SIZE_BYTES_MAX),
        max_recipients: if shared.and_then(|switches| switches.get(ENVELOPE)).is_some_and(|most| most.as_str() == "200") {
            200
        } else {
            RECIPIENTS_MAX
        },
        hop_limit: 0,
        tls_versions: versions,
        ..Usual::MTA
    };
    let mut receiver = receiver(&schema::Host::default(), usual, directory, certificates, desk);
    receiver.certificate = Some(tables.certificate(certificates::of_the_front_ends()));
    let own = services.listeners(&receiver.listeners[0], era);
    receiver.listeners.splice(0..0, own);
    let credentials = Credentials { login: None, oauth: false, certificate: Some(tables.certificate(certificates::of_exchange_online())) };
    HostConfig { receiver, sender, stance: Stance::default(), credentials }
}

/// The name before `.onmicrosoft.com`.
pub(super) fn tenant_name(tenant: &ExchangeOnline) -> Option<String> {
    let first = tenant.accepted_domains.keys().next().map(|domain| domain.split('.').next().unwrap_or("").to_owned());
    tenant.tenant.as_str().map(str::to_owned).or(first).filter(|name| !name.is_empty()).map(|name| name.to_ascii_lowercase())
}

/// The two domains that every tenant has of Microsoft.
pub(super) fn microsoft_domains(tenant: &ExchangeOnline) -> Vec<String> {
    tenant_name(tenant).map_or(Vec::new(), |name| vec![format!("{name}.onmicrosoft.com"), format!("{name}.mail.onmicrosoft.com")])
}

fn compile(
    tenant: &ExchangeOnline,
    system: SystemId,
    (tree, era, at): (&Scenario, Era, SimTime),
    shared: Option<&Named<Text>>,
    tables: &mut Tables,
    desk: &mut Desk,
) -> Tenant {
    tenant_limits::check(tenant, desk);
    tenant_mailboxes::check(tenant, &microsoft_domains(tenant), desk);
    tenant_routes::check(tenant, desk);
    let mut mailboxes = Mailboxes::default();
    mailboxes.add(tenant.mailboxes.items(), desk);
    mailboxes.claim_directory(&tenant.recipients, desk);
    let mut switches = Switches::default();
    for named in shared.into_iter().chain([&tenant.switches]) {
        named.iter().for_each(|(name, value)| switch(name, value, &mut switches, desk));
    }
    let outbound_connectors = connectors(tenant, (&switches, era), tables, desk);
    Tenant {
        system,
        accepted_domains: accepted_domains::of_tenant(tenant, tables, desk),
        mailboxes: mailboxes.patterns(),
        routing_addresses: accepted_domains::routing_addresses(tenant),
        inbound: inbound(tenant, tree, era, shared, desk),
        mail_flow_rules: mail_flow_rule::rules(tenant, at, &outbound_connectors, desk),
        people: people(tenant, desk),
        entries: entries(&tenant.recipients, desk),
        automatic_replies: automatic_replies::of_directory(&tenant.recipients, desk),
        remote_domains: directory::remote_domains(&tenant.remote_domains, said(tenant, shared, AUTO_REPLY) == Some("client-rules"), desk),
        dsn: tenant.transport_config.get().map_or_else(DsnAuthority::default, |config| {
            directory::dsn_authority(&config.internal_dsn_reporting_authority, &config.external_dsn_reporting_authority, desk)
        }),
        outbound_connectors,
        switches,
        directory_complete: tenant.directory_complete.or(true),
        stance: Stance { checks: stance::checks(&tenant.checks), changes: Vec::new(), signs: stance::signer(&tenant.dkim, desk) },
        outbound_pools: pools(tree, (era, at), desk),
        sender_rewriting: sender_rewriting(tree, era, at),
        forwards_outside: forwards_outside(tenant, shared),
        recipients_max: recipients_max(tenant, desk),
        expiration_ns: expiration(tenant, desk),
        protected_by: None,
    }
}

/// How many delayed messages of a tenant make an alert: 200 in a text of 2021, 2000 in one of 2022.
pub(super) fn queue_alert_threshold(tree: &Scenario) -> u32 {
    let written = tree.exchange_online.get().and_then(|service| service.switches.get(QUEUE_ALERT));
    if written.is_some_and(|most| most.as_str() == "200") { 200 } else { 2000 }
}

/// What a switch of the tenant, or else of the service, is set to.
fn said<'a>(tenant: &'a ExchangeOnline, shared: Option<&'a Named<Text>>, switch: &str) -> Option<&'a str> {
    shared.into_iter().chain([&tenant.switches]).filter_map(|named| named.get(switch)).next_back().map(Text::as_str)
}

/// `AutoForwardingMode`; what `Automatic` means is a switch.
fn forwards_outside(tenant: &ExchangeOnline, shared: Option<&Named<Text>>) -> bool {
    let automatic = || said(tenant, shared, AUTOMATIC) != Some("off");
    match tenant.hosted_outbound_spam_filter_policy.get().map(|policy| policy.auto_forwarding_mode.or(AutoForwardingMode::Automatic)) {
        Some(AutoForwardingMode::On) => true,
        Some(AutoForwardingMode::Off) => false,
        Some(AutoForwardingMode::Automatic) | None => automatic(),
    }
}

/// `MaxRecipientEnvelopeLimit` of a tenant: up to 1000, or unlimited.
fn recipients_max(tenant: &ExchangeOnline, desk: &mut Desk) -> Option<u32> {
    let loose = tenant.transport_config.get()?.max_recipient_envelope_limit.get()?;
    if loose.0.eq_ignore_ascii_case("unlimited") {
        return Some(TENANT_RECIPIENTS_MAX);
    }
    let read = loose.0.parse::<u32>().ok().filter(|most| *most <= TENANT_RECIPIENTS_MAX);
    if read.is_none() {
        let message = format!("`{}` is no limit on recipients", loose.0);
        desk.error(code::CMDLET_REFUSES, loose.0.span(), message, format!("from 0 to {TENANT_RECIPIENTS_MAX}, or \"unlimited\""));
    }
    read
}

/// `MessageExpiration` of a tenant: from 12 hours to a day.
fn expiration(tenant: &ExchangeOnline, desk: &mut Desk) -> Option<u64> {
    let text = tenant.transport_config.get()?.message_expiration.get()?;
    let ns = desk.duration(text)?;
    if !(12 * HOUR..=DAY).contains(&ns) {
        desk.error(
            code::CMDLET_REFUSES,
            text.span(),
            format!("`{text}` is no time after which mail of a tenant expires"),
            "from \"12h\" to \"1d\"",
        );
    }
    Some(ns)
}

/// What the directory says of people, the most exact pattern first.
fn people(tenant: &ExchangeOnline, desk: &mut Desk) -> Vec<Person> {
    let mut of = |(address, recipient): (&Text, &DirectoryRecipient)| {
        let attributes = match recipient {
            DirectoryRecipient::Mailbox(mailbox) => &mailbox.attributes,
            DirectoryRecipient::MailUser(user) => &user.attributes,
            DirectoryRecipient::Group(group) => &group.attributes,
        };
        attributes::of_recipient(attributes, desk);
        let mut pairs: Vec<_> = attributes.iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value.as_str().into())).collect();
        pairs.in_order();
        (!pairs.is_empty()).then(|| Person { address: Pattern::of_names(address), attributes: pairs })
    };
    let mut rows: Vec<_> = tenant.recipients.iter().filter_map(&mut of).collect();
    rows.in_order_by(|Person { address: a, .. }, Person { address: b, .. }| {
        (b.is_exact(), b.weight(), a).cmp(&(a.is_exact(), a.weight(), b))
    });
    rows
}

fn connectors(tenant: &ExchangeOnline, (switches, era): (&Switches, Era), tables: &mut Tables, desk: &mut Desk) -> Vec<OutboundConnector> {
    let mut rows: Vec<OutboundConnector> = Vec::new();
    told_apart(tenant.outbound_connectors.keys(), desk);
    for (written, (name, connector)) in tenant.outbound_connectors.iter().enumerate() {
        outbound_connector::check(name, connector, desk);
        let has_modes = era >= Era::Exo2026;
        if has_modes {
            outbound_connector::dane(connector, switches.dane_at_smart_hosts, desk);
        } else {
            outbound_connector::modes_before_2026(connector, desk);
        }
        let lower = |domain: &Text| common_form(domain).into();
        rows.push(OutboundConnector {
            name: name.as_str().into(),
            enabled: connector.enabled.or(true),
            on_premises: connector.connector_type.or(schema::ConnectorType::Partner) == schema::ConnectorType::OnPremises,
            recipient_domains: connector.recipient_domains.items().iter().map(lower).collect(),
            all_accepted_domains: connector.all_accepted_domains.or(false),
            centralized: connector.route_all_messages_via_on_premises.or(false),
            cloud_services: connector.cloud_services_mail_enabled.or(false),
            rewrites_senders: connector.sender_rewriting_enabled.or(false),
            rule_scoped: connector.is_transport_rule_scoped.or(false),
            use_mx_record: connector.use_mx_record.or(true),
            smart_hosts: Vec::new(),
            tls: tls(connector, switches, has_modes),
            written: written as u32,
        });
    }
    rows.in_order_by(|a, b| a.name.cmp(&b.name));
    for row in &mut rows {
        let connector = tenant.outbound_connectors.get(&row.name).expect("it was read above");
        row.smart_hosts = tables.hops(connector.smart_hosts.items(), Notation::Connector, desk);
    }
    rows
}

/// What a connector asks of TLS; `has_modes`: of the time when DANE and MTA-STS have modes of each connector.
fn tls(connector: &schema::OutboundConnector, switches: &Switches, has_modes: bool) -> TlsPolicy {
    let level = match connector.tls_settings.or(TlsSettings::Opportunistic) {
        TlsSettings::Opportunistic => TlsLevel::Opportunistic,
        TlsSettings::EncryptionOnly => TlsLevel::EncryptionOnly,
        TlsSettings::CertificateValidation => TlsLevel::CertificateValidation,
        TlsSettings::DomainValidation => TlsLevel::DomainValidation,
    };
    let name = connector.tls_domain.get().filter(|name| !name.is_empty() && level == TlsLevel::DomainValidation);
    let by_mx = connector.use_mx_record.or(true);
    let (usual_dane, usual_sts) = (schema::SmtpDaneMode::Opportunistic, schema::MtaStsMode::Opportunistic);
    let dane = match if has_modes { connector.smtp_dane_mode.or(usual_dane) } else { usual_dane } {
        // DANE belongs to the MX route; what becomes of it at smart hosts is not confirmed.
        _ if !by_mx && !switches.dane_at_smart_hosts => DaneUse::Never,
        schema::SmtpDaneMode::Opportunistic => DaneUse::Try,
        schema::SmtpDaneMode::Mandatory if by_mx => DaneUse::Must,
        schema::SmtpDaneMode::Mandatory => DaneUse::MustOfNames,
        schema::SmtpDaneMode::None => DaneUse::Never,
    };
    let mta_sts = by_mx && (!has_modes || connector.mta_sts_mode.or(usual_sts) == usual_sts);
    TlsPolicy {
        dane,
        mta_sts,
        names: name.iter().map(|name| tls_domain(name, switches.tls_domain_star_is_one_label)).collect(),
        ..TlsPolicy::of(level)
    }
}

/// What the mode `Automatic` of the outbound spam policy means.
const AUTOMATIC: &str = "automatic_forwarding";
/// How many delayed messages make an alert.
const QUEUE_ALERT: &str = "queue_alert_threshold";
/// Whether `AutoReplyEnabled` counts for answers about absence.
const AUTO_REPLY: &str = "auto_reply_enabled";
/// Recipients of one message of a tenant's people.
const TENANT_RECIPIENTS_MAX: u32 = 1000;

/// One named switch.
fn switch(name: &Text, value: &Text, switches: &mut Switches, desk: &mut Desk) {
    if is_switch(name) {
        return;
    }
    let own = [
        "OUT-4",
        "OUT-6",
        "wildcard_matches_bare_domain",
        "opportunistic_handshake_failure",
        "dane_at_smart_hosts",
        "domain_disabled_reply",
        TLS_DOMAIN_WILDCARD,
        AUTOMATIC,
        AUTO_REPLY,
        QUEUE_ALERT,
        ENVELOPE,
        SPACING,
        EXPIRY,
        REST,
        CONNECT_TIMEOUT,
    ];
    let known: Vec<&str> = own.into_iter().chain(SWITCHES.iter().map(|(name, _)| *name)).collect();
    let values: &[&str] = match (name.as_str(), value.as_str()) {
        ("OUT-4", "specificity") => return switches.out_4 = Out4::Specificity,
        ("OUT-4", "listed-order") => return switches.out_4 = Out4::ListedOrder,
        ("OUT-4", _) => &["specificity", "listed-order"],
        ("OUT-6", "error") => return switches.out_6 = Out6::Error,
        ("OUT-6", "name") => return switches.out_6 = Out6::Name,
        ("OUT-6", "newest") => return switches.out_6 = Out6::Newest,
        ("OUT-6", _) => &["error", "name", "newest"],
        ("wildcard_matches_bare_domain", "true") => return switches.wildcard_matches_bare_domain = true,
        ("wildcard_matches_bare_domain", "false") => return switches.wildcard_matches_bare_domain = false,
        ("wildcard_matches_bare_domain", _) => &["true", "false"],
        ("opportunistic_handshake_failure", "defer") => return switches.plain_retry = false,
        ("opportunistic_handshake_failure", "plain-retry") => return switches.plain_retry = true,
        ("opportunistic_handshake_failure", _) => &["defer", "plain-retry"],
        ("dane_at_smart_hosts", "none") => return switches.dane_at_smart_hosts = false,
        ("dane_at_smart_hosts", "by-name") => return switches.dane_at_smart_hosts = true,
        ("dane_at_smart_hosts", _) => &["none", "by-name"],
        ("domain_disabled_reply", "550 5.7.1") => return switches.domain_disabled_as_not_found = false,
        ("domain_disabled_reply", "550 5.1.10") => return switches.domain_disabled_as_not_found = true,
        (TLS_DOMAIN_WILDCARD, "all-subdomains") => return switches.tls_domain_star_is_one_label = false,
        (TLS_DOMAIN_WILDCARD, "one-label") => return switches.tls_domain_star_is_one_label = true,
        (TLS_DOMAIN_WILDCARD, _) => &["all-subdomains", "one-label"],
        ("domain_disabled_reply", _) => &["550 5.7.1", "550 5.1.10"],
        (ENVELOPE, "500" | "200") | (SPACING, "15m 15m 1h" | "15m") | (EXPIRY, "1d" | "2d") | (REST, "next-transaction" | "retry") => {
            return;
        }
        (SPACING, _) => &["15m 15m 1h", "15m"],
        (EXPIRY, _) => &["1d", "2d"],
        (REST, _) => &["next-transaction", "retry"],
        (ENVELOPE, _) => &["500", "200"],
        (CONNECT_TIMEOUT, _) => {
            connect_timeout(value, desk);
            return;
        }
        (AUTOMATIC, "on" | "off") => return,
        (AUTOMATIC, _) => &["on", "off"],
        (AUTO_REPLY, "all-replies" | "client-rules") => return,
        (QUEUE_ALERT, "2000" | "200") => return,
        (QUEUE_ALERT, _) => &["2000", "200"],
        (AUTO_REPLY, _) => &["all-replies", "client-rules"],
        (other, _) => {
            let problem = Diagnostic::error(code::UNKNOWN_SWITCH, name.span(), format!("there is no switch `{other}`"));
            let help = format!("known are {}", known.join(", "));
            return desk.unknown(problem, other, known, help);
        }
    };
    let message = format!("`{value}` is not a value of the switch `{name}`");
    desk.error(code::UNKNOWN_SWITCH, value.span(), message, format!("possible are {}", values.join(", ")));
}

/// The directory of a tenant: nobody chooses the server that opens a group there.
fn entries(recipients: &Named<DirectoryRecipient>, desk: &mut Desk) -> Vec<DirectoryEntry> {
    for (_, recipient) in recipients.iter() {
        if let DirectoryRecipient::Group(group) = recipient
            && group.expansion_server.is_written()
        {
            let message = "`expansion_server` exists on Exchange servers only";
            desk.error(
                code::CMDLET_REFUSES,
                group.expansion_server.span(),
                message,
                "leave it out: the service opens groups where it likes",
            );
        }
    }
    directory::entries(recipients, desk)
}
