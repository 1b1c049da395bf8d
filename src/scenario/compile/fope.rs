//! Forefront Online Protection for Exchange: its connectors, profiles and associations, and the tenants behind it.
//!
//! Its constants are those of its time: mail is deferred for 5 days, every 20 minutes, and after 2 hours the sender is told. Codes of its deferrals and
//! reports are not documented; those of its successor stand in. Sources: TechNet ff715056 (deferral), ff715055, ff715241 (multi-SMTP profiles), "Outbound Smart
//! Host Scenario", ff715042 (catch-all domains). Not modelled: its policy and spam engines (write a `filter`), directory edge blocking.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{DAY, Domain, HOUR, InOrder, MINUTE, NextHopId, Pattern, TlsVersion, common_form};
use crate::decide::profile::default_sender;
use crate::diag::{Diagnostic, Span, code};
use crate::model::authentication::Stance;
use crate::model::exchange::{Protection, Tenant};
use crate::model::fope::{self, FopeRouting, Inbound, Servers, TlsChoice};
use crate::model::settings::{
    Client, ClientTls, Credentials, Directory, HostConfig, MtaDirectory, NextHop, Profile, Receiver, Retry, Routing, Target, TlsLevel,
    TlsPolicy,
};
use crate::scenario::schema::{self, ExchangeOnline, Fope, FopeDestination, FopeTls, Scenario, System};
use crate::scenario::source::{Named, Text};

use super::certificates::{Certificates, Shown};
use super::desk::Desk;
use super::filter::filter;
use super::microsoft_names::endpoint;
use super::mta::{client, no_role};
use super::receiver::{Usual, receiver};
use super::scope::Scope;
use super::tables::Tables;
use super::world::{SERVICE, World};

/// Messages larger than this are refused.
const SIZE_BYTES_MAX: u64 = 150 << 20;
/// Recipients of one transaction.
const RECIPIENTS_MAX: u32 = 500;
/// TLS of its time: nobody set a floor, and TLS 1.3 is of 2018 (RFC 8446).
const TLS_VERSIONS: (TlsVersion, TlsVersion) = (TlsVersion::Tls10, TlsVersion::Tls12);

/// The settings of a FOPE system.
pub(super) fn config(
    (name, fope): (&str, &Fope),
    tree: &Scenario,
    scope: &Scope,
    certificates: &Certificates,
    tables: &mut Tables,
    desk: &mut Desk,
) -> HostConfig {
    if fope.host.mailboxes.is_written() {
        let help = "write the mailboxes at the tenant or server behind it, and its domains in `domains`";
        desk.error(code::EXCLUDES, fope.host.mailboxes.span(), "FOPE has no mailboxes: it filters and passes on", help);
    }
    no_role(&fope.host, desk);
    let switches = Switches::read(&fope.switches, desk);
    let tenants = protected(name, tree);
    let domains = domains(fope, desk);
    let catch_all = catch_all(fope, &domains, &tenants, desk);
    let mut sender = default_sender(Profile::ExchangeOnline);
    sender.retry = Retry::Steps { waits_ns: vec![20 * MINUTE], lifetime_ns: 5 * DAY, delay_notice_ns: 2 * HOUR };
    sender.tls = ClientTls::of(TlsPolicy::of(TlsLevel::Opportunistic), TLS_VERSIONS);
    unused_profiles(fope, tables, desk);
    let mut inbound = inbound(fope, &domains, &tenants, &switches, tables, desk);
    inbound.iter_mut().for_each(|row| row.catches_all = catch_all.contains(&row.domain));
    sender.routing = Routing::Fope(Box::new(FopeRouting {
        inbound,
        connectors: connectors(fope, &domains, &switches, tables, desk),
        first_by_name: switches.first_by_name,
        plain_retry: switches.plain_retry,
    }));
    let mut clients: Vec<Client> = fope.relay_clients.items().iter().filter_map(|text| client(text, scope, desk)).collect();
    if !tenants.is_empty() {
        clients.extend(scope.find(SERVICE).map(|hosts| Client::Hosts(hosts.to_vec())));
    }
    let directory =
        Directory::Mta(MtaDirectory { relay_domains: relayed(&domains, &catch_all), relay_clients: clients, ..MtaDirectory::default() });
    let usual = Usual {
        certificate: Shown::Public,
        sessions: u32::MAX,
        max_message_size: Some(SIZE_BYTES_MAX),
        max_recipients: RECIPIENTS_MAX,
        hop_limit: 0,
        tls_versions: TLS_VERSIONS,
        ..Usual::MTA
    };
    HostConfig {
        receiver: Receiver { filter: filter(&fope.filter, desk), ..receiver(&fope.host, usual, directory, certificates, desk) },
        sender,
        stance: Stance::default(),
        credentials: Credentials::default(),
    }
}

/// Ties tenants to the FOPE that protects them, and says what such a tenant cannot have.
pub(super) fn protect(
    config: &mut HostConfig,
    world: &World,
    tree: &Scenario,
    fopes: &BTreeMap<Box<str>, Vec<IpAddr>>,
    tables: &mut Tables,
    desk: &mut Desk,
) {
    let Directory::Tenants(rows) = &mut config.receiver.directory else { return };
    for row in rows {
        let Some(System::ExchangeOnline(tenant)) = tree.systems.get(&world.systems[row.system.index()].name) else { continue };
        if let Some(by) = tenant.protected_by.get().filter(|by| !by.is_empty()) {
            no_connectors(tenant, by, desk);
            tie(row, by, tree, fopes, tables, desk);
        }
    }
}

fn tie(row: &mut Tenant, by: &Text, tree: &Scenario, fopes: &BTreeMap<Box<str>, Vec<IpAddr>>, tables: &mut Tables, desk: &mut Desk) {
    match (tree.systems.get(by), fopes.get(by.as_str())) {
        (Some(System::Fope(_)), Some(addresses)) => {
            let hop = |address: &IpAddr| address_hop(*address, tables);
            row.protected_by = Some(Protection { name: by.as_str().into(), hops: addresses.iter().map(hop).collect() });
        }
        (Some(other), _) => {
            let message = format!("`{by}` is a `{}`, and only a `Fope` protects a tenant", other.word());
            desk.error(code::EXCLUDES, by.span(), message, "a gateway stands between by MX records and connectors");
        }
        (None, _) => {
            let problem = Diagnostic::error(code::UNKNOWN_NAME, by.span(), format!("nothing here is called `{by}`"));
            let known = tree.systems.iter().filter(|(_, system)| matches!(system, System::Fope(_))).map(|(name, _)| name.as_str());
            desk.unknown(problem, by, known, "the name of a `Fope` system stands here");
        }
    }
}

/// Connectors of a tenant came with the successor of FOPE.
fn no_connectors(tenant: &ExchangeOnline, by: &Text, desk: &mut Desk) {
    let outbound = tenant.outbound_connectors.keys().map(Text::span);
    for span in outbound.chain(tenant.inbound_connectors.keys().map(Text::span)) {
        let problem = Diagnostic::error(code::EXCLUDES, span, "a tenant behind FOPE has no connectors of its own");
        desk.say(
            problem
                .also(by.span(), "protected by this")
                .help("write them among the `outbound_connectors` of the `Fope` system, with an association"),
        );
    }
}

/// The tenants behind this FOPE.
fn protected<'a>(name: &str, tree: &'a Scenario) -> Vec<&'a ExchangeOnline> {
    let tenant = |system: &'a System| match system {
        System::ExchangeOnline(tenant) if tenant.protected_by.as_str() == Some(name) => Some(tenant),
        _ => None,
    };
    tree.systems.iter().filter_map(|(_, system)| tenant(system)).collect()
}

/// What the sources leave open.
#[derive(Debug, Default)]
struct Switches {
    first_by_name: bool,
    plain_retry: bool,
    fqdn_is_host: bool,
}

impl Switches {
    fn read(named: &Named<Text>, desk: &mut Desk) -> Self {
        let mut switches = Self::default();
        for (name, value) in named.iter() {
            let possible: &[&str] = match (name.as_str(), value.as_str()) {
                ("equal_connectors", "error" | "name") => {
                    switches.first_by_name = value.as_str() == "name";
                    continue;
                }
                ("equal_connectors", _) => &["error", "name"],
                ("fqdn_lookup", "mx" | "address") => {
                    switches.fqdn_is_host = value.as_str() == "address";
                    continue;
                }
                ("fqdn_lookup", _) => &["mx", "address"],
                ("opportunistic_handshake_failure", "defer" | "plain-retry") => {
                    switches.plain_retry = value.as_str() == "plain-retry";
                    continue;
                }
                ("opportunistic_handshake_failure", _) => &["defer", "plain-retry"],
                (other, _) => {
                    let known = ["equal_connectors", "fqdn_lookup", "opportunistic_handshake_failure"];
                    let problem = Diagnostic::error(code::UNKNOWN_SWITCH, name.span(), format!("FOPE has no switch `{other}`"));
                    desk.unknown(problem, other, known, format!("known are {}", known.join(", ")));
                    continue;
                }
            };
            let message = format!("`{value}` is not a value of the switch `{name}`");
            desk.error(code::UNKNOWN_SWITCH, value.span(), message, format!("possible are {}", possible.join(", ")));
        }
        switches
    }
}

/// The customers' domains, by name, with what was written.
fn domains<'a>(fope: &'a Fope, desk: &mut Desk) -> Vec<(&'a Text, Box<str>)> {
    let mut domains: Vec<(&Text, Box<str>)> =
        fope.domains.items().iter().filter_map(|text| Some((text, desk.domain(text)?.as_str().into()))).collect();
    domains.in_order_by(|a, b| a.1.cmp(&b.1));
    domains.dedup_by(|a, b| a.1 == b.1);
    domains
}

/// A domain that must be one of the customers'.
fn own_domain(text: &Text, domains: &[(&Text, Box<str>)], desk: &mut Desk) -> Option<Box<str>> {
    let domain: Box<str> = desk.domain(text)?.as_str().into();
    if domains.iter().any(|(_, known)| *known == domain) {
        return Some(domain);
    }
    let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("`{text}` is not among the `domains` of this FOPE"));
    desk.unknown(problem, text, domains.iter().map(|(text, _)| text.as_str()), "add it to `domains`, or leave it out here");
    None
}

/// Domains whose subdomains are filtered with them. Customers of Office 365 and Live@edu cannot have it.
fn catch_all(fope: &Fope, domains: &[(&Text, Box<str>)], tenants: &[&ExchangeOnline], desk: &mut Desk) -> Vec<Box<str>> {
    let mut rows = Vec::new();
    for text in fope.catch_all_domains.items() {
        let Some(domain) = own_domain(text, domains, desk) else { continue };
        if tenants.iter().any(|tenant| tenant.accepted_domains.keys().any(|known| common_form(known) == *domain)) {
            let help = "FOPE had them for customers with servers of their own; write the subdomains among `domains` and at the tenant";
            desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is a tenant's, and tenants have no catch-all domains"), help);
        }
        rows.push(domain);
    }
    rows
}

/// Domains that it takes mail for.
fn relayed(domains: &[(&Text, Box<str>)], catch_all: &[Box<str>]) -> Vec<Pattern> {
    let below = catch_all.iter().map(|domain| Pattern::new(&format!("*.{domain}")));
    domains.iter().map(|(_, domain)| Pattern::new(domain)).chain(below).collect()
}

/// Where mail for each domain goes: to what is written, else to the tenant that has it.
fn inbound(
    fope: &Fope,
    domains: &[(&Text, Box<str>)],
    tenants: &[&ExchangeOnline],
    switches: &Switches,
    tables: &mut Tables,
    desk: &mut Desk,
) -> Vec<Inbound> {
    let mut written: Vec<(Box<str>, &FopeDestination)> = Vec::new();
    for (text, destination) in fope.inbound.iter() {
        written.extend(own_domain(text, domains, desk).map(|domain| (domain, destination)));
    }
    let mut rows = Vec::new();
    for (text, domain) in domains {
        let has = |tenant: &&&ExchangeOnline| tenant.accepted_domains.keys().any(|known| common_form(known) == **domain);
        let (name, to) = match (written.iter().find(|(known, _)| known == domain), tenants.iter().find(has)) {
            (Some((_, destination)), _) => (describe(destination), servers(destination, fope, switches, tables, desk)),
            (None, Some(_)) => {
                let host = tables.names.intern(&endpoint(domain));
                let hop = NextHopId(tables.next_hops.intern(NextHop { target: Target::Host(host), port: 25 }));
                ("the tenant behind FOPE".into(), Servers { hops: vec![hop], weights: vec![(0, 1)] })
            }
            (None, None) => {
                let help = "write it under `inbound`, or let the tenant that accepts the domain be `protected_by` this FOPE";
                desk.missing(text.span(), &format!("nobody says where mail for `{domain}` goes from here"), help);
                continue;
            }
        };
        rows.push(Inbound { domain: domain.clone(), catches_all: false, name, to });
    }
    rows
}

fn describe(destination: &FopeDestination) -> Box<str> {
    match destination {
        FopeDestination::Ip(at) => format!("the address {}", at.value).into(),
        FopeDestination::Fqdn(at) => format!("the host {}", at.value).into(),
        FopeDestination::MultiSmtp(at) => format!("the profile {}", at.value).into(),
    }
}

/// The servers of a destination.
fn servers(destination: &FopeDestination, fope: &Fope, switches: &Switches, tables: &mut Tables, desk: &mut Desk) -> Servers {
    match destination {
        FopeDestination::Ip(at) => {
            let hops = desk.ip(&at.value).map(|address| address_hop(address, tables));
            Servers { hops: hops.into_iter().collect(), weights: vec![(0, 1)] }
        }
        FopeDestination::Fqdn(at) if at.value.parse::<IpAddr>().is_ok() => {
            let message = format!("`{}` is an address, and `Fqdn` takes a name", at.value);
            desk.error(code::CMDLET_REFUSES, at.value.span(), message, format!("write Ip(\"{}\")", at.value));
            Servers::default()
        }
        FopeDestination::Fqdn(at) => {
            let hop = desk.domain(&at.value).map(|name| {
                let name = tables.names.intern(name.as_str());
                tables.wanted.push((name, at.value.span()));
                let target = if switches.fqdn_is_host { Target::Host(name) } else { Target::Mx(name) };
                NextHopId(tables.next_hops.intern(NextHop { target, port: 25 }))
            });
            Servers { hops: hop.into_iter().collect(), weights: vec![(0, 1)] }
        }
        FopeDestination::MultiSmtp(at) => match fope.multi_smtp_profiles.iter().find(|(name, _)| name.as_str() == at.value.as_str()) {
            Some((name, entries)) => profile(entries, name.span(), tables, desk),
            None => {
                let problem =
                    Diagnostic::error(code::UNKNOWN_NAME, at.value.span(), format!("there is no multi-SMTP profile `{}`", at.value));
                let known = fope.multi_smtp_profiles.keys().map(Text::as_str);
                desk.unknown(problem, &at.value, known, "write it under `multi_smtp_profiles`: { \"DC\": [\"192.0.2.1 10\"] }");
                Servers::default()
            }
        },
    }
}

fn address_hop(address: IpAddr, tables: &mut Tables) -> NextHopId {
    NextHopId(tables.next_hops.intern(NextHop { target: Target::Ip(address), port: 25 }))
}

/// A profile that no connector names yet is read all the same, so that a wrong line in it is found now.
fn unused_profiles(fope: &Fope, tables: &mut Tables, desk: &mut Desk) {
    let destinations = fope.inbound.iter().map(|(_, to)| Some(to));
    let destinations = destinations.chain(fope.outbound_connectors.iter().map(|(_, connector)| connector.deliver_all_messages_to.get()));
    let used: Vec<&str> = destinations
        .filter_map(|to| match to {
            Some(FopeDestination::MultiSmtp(at)) => Some(at.value.as_str()),
            _ => None,
        })
        .collect();
    for (name, entries) in fope.multi_smtp_profiles.iter().filter(|(name, _)| !used.contains(&name.as_str())) {
        profile(entries, name.span(), tables, desk);
    }
}

/// The servers of a profile, the lowest weight first, equal ones as written.
fn profile(entries: &[Text], place: Span, tables: &mut Tables, desk: &mut Desk) -> Servers {
    let mut rows: Vec<(u16, IpAddr)> = Vec::new();
    for text in entries {
        let (address, weight) = text.trim().split_once(char::is_whitespace).unwrap_or((text, ""));
        let weight = weight.trim().parse::<u16>().ok().filter(|weight| *weight > 0);
        match (address.parse::<IpAddr>(), weight) {
            (Ok(address), Some(_)) if rows.iter().any(|(_, known)| *known == address) => {
                desk.error(code::WRITTEN_TWICE, text.span(), format!("{address} stands in this profile twice"), "one line for each server");
            }
            (Ok(address), Some(weight)) => rows.push((weight, address)),
            _ => {
                let help = "an address and its weight from 1 to 65535, as in \"192.0.2.1 10\"; the lowest weight is preferred";
                desk.error(code::VALUE, text.span(), format!("`{text}` is not a server of a multi-SMTP profile"), help);
            }
        }
    }
    if entries.is_empty() || rows.len() > usize::from(u8::MAX) {
        desk.error(code::RANGE, place, "a multi-SMTP profile has 1 to 255 servers", "write its servers: [\"192.0.2.1 10\"]");
        return Servers::default();
    }
    rows.in_order_by_key(|(weight, _)| *weight);
    let groups = rows.chunk_by(|a, b| a.0 == b.0).map(|group| (group[0].0, group.len() as u8)).collect();
    Servers { hops: rows.iter().map(|(_, address)| address_hop(*address, tables)).collect(), weights: groups }
}

fn connectors(
    fope: &Fope,
    domains: &[(&Text, Box<str>)],
    switches: &Switches,
    tables: &mut Tables,
    desk: &mut Desk,
) -> Vec<fope::Connector> {
    for (name, association) in fope.associations.iter() {
        if fope.outbound_connectors.get(name).is_none() {
            let problem =
                Diagnostic::error(code::UNKNOWN_NAME, name.span(), format!("there is no outbound connector `{name}` to associate"));
            desk.unknown(problem, name, fope.outbound_connectors.keys().map(Text::as_str), "write it under `outbound_connectors`");
        }
        if let schema::Association::Domains(at) = association
            && at.value.is_empty()
        {
            let help = "name the senders' domains, or take the association away: the connector's name with `None`";
            desk.missing(at.span, "an association with no domain", help);
        }
    }
    let mut rows: Vec<fope::Connector> = Vec::new();
    for (name, connector) in fope.outbound_connectors.iter() {
        let association = match fope.associations.get(name) {
            Some(schema::Association::Company(_)) => fope::Association::Company,
            Some(schema::Association::Domains(at)) => {
                let mut own: Vec<Box<str>> = at.value.iter().filter_map(|text| own_domain(text, domains, desk)).collect();
                own.in_order();
                fope::Association::Domains(own)
            }
            None => {
                let problem = Diagnostic::warning(
                    code::NO_ASSOCIATION,
                    name.span(),
                    format!("the connector `{name}` is associated with nobody, so it does nothing"),
                );
                desk.say(problem.help(format!("add associations: {{ \"{name}\": Company }}, or Domains([…]) for senders of some domains")));
                fope::Association::Removed
            }
        };
        let everybody = !connector.recipient_domains.is_written();
        if !everybody && connector.recipient_domains.items().is_empty() {
            let help = "write recipient_domains: [\"*.*\"] for all of them, or leave it out";
            desk.missing(connector.recipient_domains.span(), &format!("the connector `{name}` has no recipient domains"), help);
        }
        let written = connector.recipient_domains.items().iter().filter_map(|text| recipient_domain(text, desk));
        let recipient_domains = if everybody { vec!["*.*".into()] } else { written.collect() };
        rows.push(fope::Connector {
            name: name.as_str().into(),
            description: connector.description.as_str().unwrap_or("").into(),
            association,
            recipient_domains,
            to: connector.deliver_all_messages_to.get().map(|destination| servers(destination, fope, switches, tables, desk)),
            tls: tls(connector.tls.get(), desk),
        });
    }
    rows.in_order_by(|a, b| a.name.cmp(&b.name));
    rows
}

/// `contoso.com`, `*.contoso.com`, `*.*`.
fn recipient_domain(text: &Text, desk: &mut Desk) -> Option<Box<str>> {
    let lower = common_form(text);
    let name = lower.strip_prefix("*.").unwrap_or(&lower);
    let is_name = Domain::parse(name).is_ok_and(|name| !name.as_str().is_empty() && !name.as_str().contains('*'));
    if lower == "*.*" || is_name {
        return Some(lower.into());
    }
    let help = "\"contoso.com\", \"*.contoso.com\" for the names below it, or \"*.*\" for all domains";
    desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is not a recipient domain of FOPE"), help);
    None
}

/// Opportunistic, or one of the four choices about the certificate.
fn tls(written: Option<&FopeTls>, desk: &mut Desk) -> TlsChoice {
    let level = |level| TlsChoice::Policy(TlsPolicy::of(level));
    match written {
        None | Some(FopeTls::Opportunistic(_)) => level(TlsLevel::Opportunistic),
        Some(FopeTls::SelfSigned(_)) => level(TlsLevel::SelfSigned),
        Some(FopeTls::TrustedCa(_)) => level(TlsLevel::TrustedCa),
        Some(FopeTls::MatchesDestinationDomain(_)) => TlsChoice::MatchesDestinationDomain,
        Some(FopeTls::Matches(at)) => {
            let name = common_form(at.value.trim());
            let bare = name.strip_prefix("*.").unwrap_or(&name);
            if !Domain::parse(bare).is_ok_and(|name| !name.as_str().is_empty()) {
                let message = format!("`{}` is not a name that a certificate can carry", at.value);
                desk.error(code::CMDLET_REFUSES, at.value.span(), message, "the name in the certificate: Matches(\"mail.contoso.com\")");
            }
            TlsChoice::Policy(TlsPolicy { names: vec![name.into()], ..TlsPolicy::of(TlsLevel::Matches) })
        }
    }
}
