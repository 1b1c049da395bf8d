//! A mail server that is not Exchange: its profile, its own parameters, its tables of routes.

use ipnet::IpNet;

use crate::base::{Domain, InOrder, Pattern, common_form};
use crate::decide::profile::{FamiliesAsked, behaviour, default_sender, door_of};
use crate::diag::code;
use crate::model::authentication::Stance;
use crate::model::host_list::HostList;
use crate::model::restrictions::Restrictions;
use crate::model::settings::{
    Client, ClientTls, Credentials, DaneUse, Directory, HostConfig, MtaDirectory, Profile, Receiver, Retry, Route, Routing, Sender,
    TlsLevel, TlsPolicy,
};
use crate::scenario::schema::{self, Host, Mta};
use crate::scenario::source::{Field, Named, Text};

use super::automatic_replies;
use super::certificates::Certificates;
use super::desk::Desk;
use super::filter::filter;
use super::identity::Identity;
use super::mailboxes::Mailboxes;
use super::receiver::{Usual, receiver, unannounced, versions};
use super::scope::Scope;
use super::settings::{Tuned, tune};
use super::stance;
use super::tables::{Notation, Tables};
use super::tls_levels;

/// What Postfix announces as SIZE and refuses by, where nobody says otherwise (postconf(5)).
const POSTFIX_SIZE_BYTES: u64 = 10_240_000;

/// What Exim announces as SIZE and refuses by (`message_size_limit`).
const EXIM_SIZE_BYTES: u64 = 50 * 1024 * 1024;

/// What OpenSMTPD takes (smtpd.conf(5) `smtp max-message-size`).
const OPENSMTPD_SIZE_BYTES: u64 = 35 * 1024 * 1024;

/// What a listener of KumoMTA takes (`max_message_size`).
const KUMOMTA_SIZE_BYTES: u64 = 20 * 1024 * 1024;

/// The settings of one machine of a mail server.
pub(super) fn config(
    mta: &Mta,
    host: &Host,
    identity: &Identity,
    scope: &Scope,
    certificates: &Certificates,
    tables: &mut Tables,
    desk: &mut Desk,
) -> HostConfig {
    no_role(host, desk);
    let profile = of_version(profile(&mta.profile), &mta.version, desk);
    let mut tuned = usual(profile);
    let asked = behaviour(profile).mx.families;
    let all = asked == FamiliesAsked::Both;
    tuned.sender.families.v4 = all || identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv4);
    tuned.sender.families.v6 = all || identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv6);
    tuned.sender.families.v6 &= asked != FamiliesAsked::OnlyV4;
    tune(profile, &mta.settings, &mut tuned, desk);
    if let Some(own) = identity.hostname.as_ref().filter(|_| tuned.is_backup) {
        tuned.sender.targets.treated_as_own = HostList::of_name(own.as_str());
    }
    queue_runs(mta, &mut tuned.sender, desk);
    if let Some(tls) = mta.tls.get() {
        tls_levels::check(profile, tls, &mta.settings, &tuned.sender.tls.policy, desk);
        client_tls(tls, &mut tuned.sender.tls, desk);
    }
    tls_levels::contradictions(&mta.settings, &tuned.sender.tls, desk);
    names_of_levels(&tuned.names_of_levels, &mut tuned.sender.tls);
    own_routes(profile, mta, desk);
    tuned.sender.routing = routing(mta, tables, desk);
    if let Some(size) = mta.max_message_size.get().and_then(|text| desk.size(text)) {
        tuned.max_message_size = size;
    }
    let usual = Usual {
        max_message_size: tuned.max_message_size,
        max_recipients: desk.number_or(&mta.max_recipients, tuned.max_recipients, 0, u32::MAX),
        // Postfix does not start with a hopcount_limit below 1.
        hop_limit: desk.number_or(&mta.hop_limit, tuned.hop_limit, u32::from(profile == Profile::Postfix), u32::MAX),
        sessions: tuned.sessions,
        when_full: tuned.when_full,
        client_limits: tuned.client_limits,
        without: unannounced(profile, tuned.offers_dsn),
        ..Usual::MTA
    };
    let mut directory = MtaDirectory { profile, ..directory(mta, host, scope, desk) };
    if matches!(profile, Profile::OpenSmtpd | Profile::OpenSmtpd6) {
        // `match from local` is for the addresses of its own interfaces too (smtpd.conf(5)).
        directory.relay_clients.extend(identity.addresses.iter().map(|own| Client::Network((*own).into())));
    }
    let directory = Directory::Mta(directory);
    let stance =
        Stance { checks: stance::checks(&mta.checks), changes: stance::changes(&mta.modifies), signs: stance::signer(&mta.dkim, desk) };
    let credentials = Credentials {
        login: mta.login.get().filter(|login| !login.is_empty()).map(|login| common_form(login).into()),
        oauth: oauth(&mta.oauth, &mta.login, desk),
        certificate: mta.client_certificate.get().and_then(|text| certificates.find(text, desk)),
    };
    let restrictions = std::mem::take(&mut tuned.restrictions);
    let receiver = Receiver { filter: filter(&mta.filter, desk), restrictions, ..receiver(host, usual, directory, certificates, desk) };
    HostConfig { receiver, sender: tuned.sender, stance, credentials }
}

/// A profile as it is delivered.
pub(super) fn usual(profile: Profile) -> Tuned {
    let (sessions, when_full, client_limits) = door_of(profile);
    let mut tuned = Tuned {
        sender: default_sender(profile),
        max_message_size: None,
        max_recipients: 0,
        hop_limit: Usual::MTA.hop_limit,
        names_of_levels: Vec::new(),
        offers_dsn: false,
        is_backup: false,
        sessions: sessions.unwrap_or(Usual::MTA.sessions),
        when_full: when_full.unwrap_or(Usual::MTA.when_full),
        client_limits,
        restrictions: Restrictions::default(),
    };
    if profile == Profile::Postfix {
        (tuned.max_message_size, tuned.max_recipients, tuned.hop_limit) = (Some(POSTFIX_SIZE_BYTES), 1000, 50);
    }
    match profile {
        Profile::Exim => (tuned.max_message_size, tuned.hop_limit) = (Some(EXIM_SIZE_BYTES), 31),
        Profile::Sendmail => tuned.hop_limit = 26,
        Profile::OpenSmtpd | Profile::OpenSmtpd6 => {
            // A hundred fields besides the server's own (smtp_session.c; so does qmail-smtpd.c).
            (tuned.max_message_size, tuned.max_recipients, tuned.hop_limit) = (Some(OPENSMTPD_SIZE_BYTES), 1000, 101);
        }
        Profile::KumoMta => (tuned.max_message_size, tuned.max_recipients) = (Some(KUMOMTA_SIZE_BYTES), 1024),
        Profile::Qmail => tuned.hop_limit = 101,
        _ => {}
    }
    tuned
}

/// The profile of a server that changed between versions.
fn of_version(profile: Profile, version: &Field<Text>, desk: &mut Desk) -> Profile {
    let Some(written) = version.get() else { return profile };
    match (profile, written.trim()) {
        (Profile::OpenSmtpd, "6.8") => Profile::OpenSmtpd6,
        (Profile::OpenSmtpd, "7.8") => Profile::OpenSmtpd,
        (Profile::OpenSmtpd, _) => {
            let message = format!("OpenSMTPD {written}: not modelled yet");
            desk.error(
                code::SETTING_NOT_MODELLED,
                written.span(),
                message,
                "\"6.8\" and \"7.8\" are modelled; without `version` it is 7.8",
            );
            profile
        }
        _ => {
            desk.error(
                code::SETTING_NOT_MODELLED,
                written.span(),
                "versions of this server are not told apart",
                "leave `version` out: of the profiles only `OpenSmtpd` has two, \"6.8\" and \"7.8\"",
            );
            profile
        }
    }
}

/// The profile; RFC where none is written.
pub(super) fn profile(field: &Field<schema::Profile>) -> Profile {
    match field.or(schema::Profile::Rfc) {
        schema::Profile::Rfc => Profile::Rfc,
        schema::Profile::Postfix => Profile::Postfix,
        schema::Profile::Exim => Profile::Exim,
        schema::Profile::Sendmail => Profile::Sendmail,
        schema::Profile::OpenSmtpd => Profile::OpenSmtpd,
        schema::Profile::Qmail => Profile::Qmail,
        schema::Profile::KumoMta => Profile::KumoMta,
        schema::Profile::ExchangeOnline => Profile::ExchangeOnline,
        schema::Profile::ExchangeServer => Profile::ExchangeServer,
        schema::Profile::NoRetry => Profile::NoRetry,
    }
}

/// Only Exchange servers have a role.
pub(super) fn no_role(host: &Host, desk: &mut Desk) {
    if host.role.is_written() {
        desk.error(code::EXCLUDES, host.role.span(), "only Exchange servers have a `role`", "leave it out");
    }
}

/// What the text says about TLS, laid over the profile.
pub(super) fn client_tls(written: &schema::ClientTls, tls: &mut ClientTls, desk: &mut Desk) {
    if written.level.is_written() {
        tls.policy = policy_of(written.level.or(schema::TlsLevel::May), TlsPolicy { names: Vec::new(), ..tls.policy.clone() });
    }
    tls.policy.mta_sts = written.mta_sts.or(tls.policy.mta_sts);
    tls.versions = versions(&written.versions, tls.versions, desk);
    let mut policies: Vec<(&Text, &schema::TlsPolicy)> = written.policies.iter().collect();
    policies.in_order_by_key(|(hop, _)| hop.as_str());
    for (hop, policy) in policies {
        let usual = TlsPolicy { names: Vec::new(), ..tls.policy.clone() };
        let mut own = policy.level.get().map_or(usual.clone(), |level| policy_of(*level, usual));
        own.implicit = policy.implicit_tls.or(own.implicit);
        own.names = policy.names.items().iter().map(|name| common_form(name).into()).collect();
        // Who is told never to use TLS there is told so whatever the domain publishes.
        own.mta_sts &= policy.level.get() != Some(&schema::TlsLevel::None);
        tls.policies.push((without_usual_port(&common_form(hop.trim())).into(), own));
    }
}

/// `[mail.example.com]:25` is `[mail.example.com]`.
fn without_usual_port(next_hop: &str) -> &str {
    let short = next_hop.strip_suffix(":25").filter(|short| short.ends_with(']') || !short.contains(':'));
    short.unwrap_or(next_hop)
}

/// What settings say about the names in certificates holds wherever a level was written, unless a policy has names of its own.
fn names_of_levels(names: &[(TlsLevel, Vec<Box<str>>)], tls: &mut ClientTls) {
    let of_hops = tls.policies.iter_mut().map(|(_, policy)| policy);
    for policy in std::iter::once(&mut tls.policy).chain(of_hops).filter(|policy| policy.names.is_empty()) {
        if let Some((_, names)) = names.iter().find(|(level, _)| *level == policy.level) {
            policy.names.clone_from(names);
        }
    }
}

/// What a level means: how much TLS in any case, and whether TLSA records are looked up.
pub(super) fn policy_of(level: schema::TlsLevel, usual: TlsPolicy) -> TlsPolicy {
    let (level, dane) = match level {
        schema::TlsLevel::None => (TlsLevel::None, DaneUse::Never),
        schema::TlsLevel::May => (TlsLevel::May, DaneUse::Never),
        schema::TlsLevel::Encrypt => (TlsLevel::Encrypt, DaneUse::Never),
        schema::TlsLevel::Verify => (TlsLevel::Verify, DaneUse::Never),
        schema::TlsLevel::Secure => (TlsLevel::Secure, DaneUse::Never),
        schema::TlsLevel::Fingerprint => (TlsLevel::Fingerprint, DaneUse::Never),
        schema::TlsLevel::Dane => (TlsLevel::May, DaneUse::Try),
        schema::TlsLevel::DaneOnly => (TlsLevel::May, DaneUse::Must),
    };
    TlsPolicy { level, dane, ..usual }
}

/// Where the queue is scanned.
fn queue_runs(mta: &Mta, sender: &mut Sender, desk: &mut Desk) {
    let Some(runs) = mta.queue_runs.get() else { return };
    let every = runs.every.get().and_then(|text| desk.duration(text));
    let offset = runs.offset.get().and_then(|text| desk.duration(text));
    if let (Retry::Postfix { scan_every_ns, .. }, Some(every)) = (&sender.retry, every)
        && every != *scan_every_ns
        && mta.settings.iter().any(|(key, _)| key.as_str() == "queue_run_delay")
    {
        let message = "the interval between two scans is written twice: `queue_run_delay` says something else";
        desk.error(code::EXCLUDES, runs.every.span(), message, "leave one of them out: `every` is what `queue_run_delay` sets");
    }
    match &mut sender.retry {
        Retry::Postfix { scan_every_ns, scan_offset_ns, .. }
        | Retry::QueueRuns { every_ns: scan_every_ns, offset_ns: scan_offset_ns, .. } => {
            *scan_every_ns = every.unwrap_or(*scan_every_ns);
            *scan_offset_ns = offset.unwrap_or(*scan_offset_ns);
            if *scan_every_ns == 0 {
                desk.error(code::RANGE, runs.every.span(), "a queue that is scanned all the time has no end", "more than 0s stands here");
            }
        }
        Retry::Exim(retry) => {
            retry.runs_every_ns = every.unwrap_or(retry.runs_every_ns);
            retry.runs_offset_ns = offset.unwrap_or(retry.runs_offset_ns);
            if retry.runs_every_ns == 0 {
                desk.error(code::RANGE, runs.every.span(), "queue runs all the time have no end", "more than 0s stands here");
            }
        }
        Retry::Rfc { .. } | Retry::Squares { .. } | Retry::Steps { .. } | Retry::Never => {
            let message = "this profile has no scans of its queue";
            desk.error(
                code::EXCLUDES,
                mta.queue_runs.span(),
                message,
                "`queue_runs` belongs to servers that scan, such as `profile: Postfix`",
            );
        }
    }
}

fn routing(mta: &Mta, tables: &mut Tables, desk: &mut Desk) -> Routing {
    let mut routes: Vec<Route> = Vec::new();
    for (pattern, to) in mta.routes.iter() {
        if to.is_empty() {
            desk.missing(pattern.span(), &format!("the route for `{pattern}` leads nowhere"), "write its hosts: [\"[hop.example.com]\"]");
        }
        let subdomains = pattern.starts_with('.');
        let name = pattern.trim_start_matches('.');
        let domain: Box<str> = match Domain::parse(name) {
            _ if pattern.as_str() == "*" => "*".into(),
            Ok(domain) if !domain.as_str().starts_with('*') && !domain.as_str().is_empty() => domain.as_str().into(),
            _ => {
                let help = "a route is for \"contoso.com\", for \".contoso.com\" (all below it), or for \"*\"";
                desk.error(code::VALUE, pattern.span(), format!("`{pattern}` is not a domain"), help);
                continue;
            }
        };
        routes.push(Route { pattern: pattern.as_str().into(), domain, subdomains, to: tables.hops(to, Notation::Mta, desk) });
    }
    // The closest first: the domain itself, then what lies below the longest name, then everything.
    let far = |route: &Route| (&*route.domain == "*", route.subdomains, std::cmp::Reverse(route.domain.len()));
    routes.in_order_by(|a, b| far(a).cmp(&far(b)).then_with(|| a.pattern.cmp(&b.pattern)));
    Routing::Mta {
        smart_hosts: tables.hops(mta.smart_hosts.items(), Notation::Mta, desk),
        routes,
        fallback_hosts: tables.hops(mta.fallback_hosts.items(), Notation::Mta, desk),
    }
}

/// Routes that the server has no word for: OpenSMTPD's `relay host` is one host, found by its address, as qmail's `smtproutes` has it; neither they nor KumoMTA
/// have hosts of last resort.
fn own_routes(profile: Profile, mta: &Mta, desk: &mut Desk) {
    let server = match profile {
        Profile::OpenSmtpd | Profile::OpenSmtpd6 => "OpenSMTPD",
        Profile::Qmail => "qmail",
        Profile::KumoMta => "KumoMTA",
        _ => return,
    };
    if !mta.fallback_hosts.items().is_empty() {
        let help = "leave `fallback_hosts` out; Postfix, Exim and Sendmail have such hosts";
        desk.error(code::EXCLUDES, mta.fallback_hosts.span(), format!("{server} has no hosts of last resort"), help);
    }
    if profile == Profile::KumoMta {
        return;
    }
    for hosts in mta.routes.iter().map(|(_, to)| to.as_slice()).chain([mta.smart_hosts.items()]) {
        if let [_, second, ..] = hosts {
            desk.error(
                code::EXCLUDES,
                second.span(),
                format!("{server} sends to one smart host"),
                "keep one; an MX name is asked for no MX here either",
            );
        }
        for host in hosts.iter().filter(|host| !host.trim().starts_with('[') && host.trim().parse::<std::net::IpAddr>().is_err()) {
            let message = format!("{server} looks up the address of `{host}`, and no MX");
            desk.error(
                code::EXCLUDES,
                host.span(),
                message,
                format!("write \"[{}]\", as it is done here for a host found by its address", host.trim()),
            );
        }
    }
}

fn directory(mta: &Mta, host: &Host, scope: &Scope, desk: &mut Desk) -> MtaDirectory {
    let mut mailboxes = Mailboxes::default();
    mailboxes.add(mta.host.mailboxes.items(), desk);
    if !std::ptr::eq(&mta.host, host) {
        mailboxes.add(host.mailboxes.items(), desk);
    }
    mailboxes.add_recipients(&mta.recipients, desk);
    let pattern = |text: &Text| match text.strip_prefix('.') {
        Some(below) => Pattern::new(&format!("*.{}", common_form(below))),
        None => Pattern::of_names(text),
    };
    MtaDirectory {
        mailboxes: mailboxes.patterns(),
        expansions: mailboxes.expansions(),
        automatic_replies: automatic_replies::of_mta(&mta.recipients, desk),
        mailbox_domains: mailboxes.domains(),
        relay_domains: mta.relay_domains.items().iter().map(pattern).collect(),
        relay_clients: mta.relay_clients.items().iter().filter_map(|text| client(text, scope, desk)).collect(),
        send_as: send_as(&mta.send_as),
        ..MtaDirectory::default()
    }
}

/// Does a login come with a token?
pub(super) fn oauth(field: &Field<bool>, login: &Field<Text>, desk: &mut Desk) -> bool {
    if field.or(false) && !login.is_written() {
        desk.missing(field.span(), "`oauth` is a way to log in, and nobody does", "write login: \"scanner@contoso.com\" beside it");
    }
    field.or(false)
}

/// Who may send as whom, by login.
pub(super) fn send_as(rights: &Named<Vec<Text>>) -> Vec<(Box<str>, Vec<Pattern>)> {
    let mut rows: Vec<(Box<str>, Vec<Pattern>)> = rights
        .iter()
        .map(|(login, senders)| (common_form(login).into(), senders.iter().map(|sender| Pattern::of_names(sender)).collect()))
        .collect();
    rows.in_order();
    rows
}

/// A name, an address or a network.
pub(super) fn client(text: &Text, scope: &Scope, desk: &mut Desk) -> Option<Client> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(Client::Network(network));
    }
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Some(Client::Network(address.into()));
    }
    let hosts = scope.hosts(text, desk);
    (!hosts.is_empty()).then_some(Client::Hosts(hosts))
}
