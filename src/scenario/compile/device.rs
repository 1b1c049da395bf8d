//! A printer or an application: it hands over what it has, mostly to one server, and keeps no queue.
//!
//! `server` is looked up by its address, never by MX; without it the recipient's MX is asked. What it cannot hand over nobody has: no report comes.
//! With `retry` it tries again at that distance for a day.

use crate::base::{DAY, Domain, Pattern, common_form};
use crate::decide::profile::default_sender;
use crate::diag::code;
use crate::model::authentication::Stance;
use crate::model::settings::{
    Credentials, Directory, HostConfig, MtaDirectory, NextHop, Profile, Retry, Routing, Target, TlsLevel, TlsPolicy,
};
use crate::scenario::schema::{Device, DeviceTls, Host};

use super::certificates::Certificates;
use super::desk::Desk;
use super::identity::Identity;
use super::mta::{no_role, oauth};
use super::receiver::{Usual, receiver};
use super::tables::Tables;

/// The settings of a device.
pub(super) fn config(
    device: &Device,
    identity: &Identity,
    certificates: &Certificates,
    tables: &mut Tables,
    desk: &mut Desk,
) -> HostConfig {
    let mut sender = default_sender(Profile::NoRetry);
    sender.families.v4 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv4);
    sender.families.v6 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv6);
    if let Some(wait) = device.retry.get().and_then(|text| desk.duration(text)) {
        if wait == 0 {
            desk.error(code::RANGE, device.retry.span(), "`retry` all the time has no end", "more than 0s stands here");
        }
        sender.retry = Retry::Steps { waits_ns: vec![wait.max(1)], lifetime_ns: DAY, delay_notice_ns: 0 };
    }
    let level = if device.tls.or(DeviceTls::None) == DeviceTls::None { TlsLevel::None } else { TlsLevel::Encrypt };
    sender.tls.policy = TlsPolicy { implicit: device.tls.or(DeviceTls::None) == DeviceTls::Implicit, ..TlsPolicy::of(level) };
    sender.routing =
        Routing::Mta { smart_hosts: server(device, tables, desk).into_iter().collect(), routes: Vec::new(), fallback_hosts: Vec::new() };
    let directory = Directory::Mta(MtaDirectory { is_device: true, ..MtaDirectory::default() });
    let mut receiver = receiver(&device.host, Usual::MTA, directory, certificates, desk);
    takes_no_mail(&device.host, desk);
    receiver.listeners.clear();
    let credentials = Credentials {
        login: device.login.get().filter(|login| !login.is_empty()).map(|login| common_form(login).into()),
        oauth: oauth(&device.oauth, &device.login, desk),
        certificate: device.client_certificate.get().and_then(|text| certificates.find(text, desk)),
    };
    HostConfig { sender, receiver, stance: Stance::default(), credentials }
}

/// What only somebody has who takes mail.
fn takes_no_mail(host: &Host, desk: &mut Desk) {
    no_role(host, desk);
    let fields = [
        ("listeners", host.listeners.span()),
        ("receives", host.receives.span()),
        ("mailboxes", host.mailboxes.span()),
        ("forwarded", host.forwarded.span()),
        ("certificate", host.certificate.span()),
        ("sessions", host.sessions.span()),
        ("when_full", host.when_full.span()),
        ("service_time", host.service_time.span()),
    ];
    for (field, span) in fields.into_iter().filter(|(_, span)| span.is_somewhere()) {
        let help = if field == "certificate" {
            "what it shows to servers is its `client_certificate`"
        } else {
            "write an `Mta` for something that listens"
        };
        desk.error(code::EXCLUDES, span, format!("a device takes no mail and has no `{field}`"), help);
    }
}

fn server(device: &Device, tables: &mut Tables, desk: &mut Desk) -> Option<crate::base::NextHopId> {
    let port = desk.number_or(&device.port, 25, 1, u32::from(u16::MAX)) as u16;
    let Some(text) = device.server.get() else {
        if device.port.is_written() {
            desk.error(code::EXCLUDES, device.port.span(), "`port` without `server`", "the MX of a recipient is always asked on port 25");
        }
        return None;
    };
    let plain = text.trim().trim_start_matches('[').trim_end_matches(']');
    let target = match (plain.parse(), Domain::parse(plain)) {
        (Ok(address), _) => Target::Ip(address),
        (_, Ok(name)) if !name.as_str().is_empty() && !name.as_str().starts_with('*') => {
            let name = tables.names.intern(name.as_str());
            tables.wanted.push((name, text.span()));
            Target::Host(name)
        }
        _ => {
            desk.error(code::VALUE, text.span(), format!("`{text}` is not a server"), "a name or an address; the port stands in `port`");
            return None;
        }
    };
    Some(crate::base::NextHopId(tables.next_hops.intern(NextHop { target, port })))
}

/// Whose mail it sends.
pub(super) fn sends_for(device: &Device) -> Vec<Pattern> {
    device.sends_for.items().iter().map(|text| Pattern::of_names(text)).collect()
}
