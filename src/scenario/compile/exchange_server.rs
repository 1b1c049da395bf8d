//! An Exchange organization: for now its servers take mail for its mailboxes, and nothing leaves them.
//!
//! Source: New-AcceptedDomain. Not modelled yet: Send and Receive connectors, sites and their links, transport settings, relay domains, Edge.

use crate::decide::profile::default_sender;
use crate::model::authentication::Stance;
use crate::model::exchange::DomainType;
use crate::model::settings::{Credentials, Directory, HostConfig, MtaDirectory, Profile};
use crate::scenario::schema::{ExchangeServer, Host};

use super::certificates::{Certificates, Shown};
use super::desk::Desk;
use super::directory;
use super::exchange_online::domain_type;
use super::identity::Identity;
use super::mailboxes::Mailboxes;
use super::receiver::{Usual, receiver};
use super::stance;

/// Received fields that a Receive connector bears (`MaxHopCount`).
const HOPS_MAX: u32 = 60;

/// The settings of one server.
pub(super) fn config(
    server: &ExchangeServer,
    host: &Host,
    identity: &Identity,
    certificates: &Certificates,
    desk: &mut Desk,
) -> HostConfig {
    refuse(server, desk);
    let mut mailboxes = Mailboxes::default();
    mailboxes.add(server.host.mailboxes.items(), desk);
    if !std::ptr::eq(&server.host, host) {
        mailboxes.add(host.mailboxes.items(), desk);
    }
    mailboxes.claim_directory(&server.recipients, desk);
    directory::refuse(&server.recipients, desk);
    let mut domains = mailboxes.domains();
    for (name, kind) in server.accepted_domains.iter() {
        if domain_type(*kind) != DomainType::Authoritative {
            desk.not_modelled(name.span(), "relay domains of Exchange Server");
        }
        domains.extend(desk.domain(name).map(|domain| domain.as_str().into()));
    }
    domains.sort();
    domains.dedup();
    let directory = MtaDirectory { mailboxes: mailboxes.patterns(), mailbox_domains: domains, ..MtaDirectory::default() };
    let usual = Usual { certificate: Shown::SelfSigned, hop_limit: HOPS_MAX, ..Usual::MTA };
    let mut sender = default_sender(Profile::ExchangeServer);
    sender.families.v4 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv4);
    sender.families.v6 = identity.made_up || identity.addresses.iter().any(std::net::IpAddr::is_ipv6);
    let stance = Stance { checks: stance::checks(&server.checks), ..Stance::default() };
    let receiver = receiver(host, usual, Directory::Mta(directory), certificates, desk);
    // Shown by Send connectors that name no other.
    let credentials = Credentials { login: None, certificate: receiver.certificate };
    HostConfig { sender, receiver, stance, credentials }
}

fn refuse(server: &ExchangeServer, desk: &mut Desk) {
    desk.no_names(&server.send_connectors, "Send connectors");
    desk.no_names(&server.receive_connectors, "Receive connectors");
    desk.no_names(&server.site_links, "site links");
    desk.no_names(&server.remote_domains, "remote domains");
    desk.no_names(&server.send_as, "logins");
    desk.no_names(&server.switches, "switches of Exchange Server");
    desk.no_field(&server.match_sub_domains, "accepted subdomains of Exchange Server");
    desk.no_field(&server.recipient_filtering, "recipient filtering of Exchange Server");
    desk.no_field(&server.transport_config, "`transport_config`");
    desk.no_field(&server.transport_service, "`transport_service`");
}
