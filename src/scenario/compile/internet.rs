//! Everybody else: takes everything, with TLS, and sends by kinds with weights.

use crate::decide::profile::default_sender;
use crate::model::authentication::Stance;
use crate::model::settings::{Credentials, Directory, HostConfig, Profile, Routing};
use crate::scenario::schema::{Host, Scenario, System};

use super::certificates::{Certificates, Shown};
use super::desk::Desk;
use super::mta::{client_tls, no_role, profile, usual};
use super::receiver::{Usual, receiver};
use super::settings::tune;
use super::world::{INTERNET, Part};

/// The settings of one machine of the internet.
pub(super) fn config(part: &Part, host: Option<&Host>, tree: &Scenario, certificates: &Certificates, desk: &mut Desk) -> HostConfig {
    let usual_receiver = Usual { certificate: Shown::Public, sessions: u32::MAX, ..Usual::MTA };
    let nothing_written = Host::default();
    let receiver = receiver(host.unwrap_or(&nothing_written), usual_receiver, Directory::Everything, certificates, desk);
    if let Some(host) = host {
        desk.no_field(&host.mailboxes, "mailboxes of the internet");
        no_role(host, desk);
    }
    let kind = match (part, tree.systems.get(INTERNET)) {
        (Part::Sender(kind, _), Some(System::Internet(internet))) => internet.senders.get(kind),
        _ => None,
    };
    let Some(kind) = kind else {
        return HostConfig {
            sender: default_sender(Profile::Rfc),
            receiver,
            stance: Stance::default(),
            credentials: Credentials::default(),
        };
    };
    let profile = profile(&kind.profile);
    let mut tuned = usual(profile);
    tune(profile, &kind.settings, &mut tuned, desk);
    if let Some(tls) = kind.tls.get() {
        super::tls_levels::check(profile, tls, &kind.settings, &tuned.sender.tls.policy, desk);
        client_tls(tls, &mut tuned.sender.tls, desk);
    }
    // Exchange of somebody else sends by MX like everybody.
    tuned.sender.routing = Routing::Mta { smart_hosts: Vec::new(), routes: Vec::new(), fallback_hosts: Vec::new() };
    HostConfig { sender: tuned.sender, receiver, stance: Stance::default(), credentials: Credentials::default() }
}

/// The weight of a machine among all senders.
pub(super) fn weight(part: &Part, tree: &Scenario) -> Option<u64> {
    let Some(System::Internet(internet)) = tree.systems.get(INTERNET) else { return None };
    match part {
        Part::Sender(kind, _) => internet.senders.get(kind).map(|sender| sender.weight.or(1)),
        Part::Itself | Part::Entry | Part::FrontEnd(_) => None,
    }
}
