//! Which machine answers at which address, and what is made up where nobody says? Rules 2 and 3 of identity.
//!
//! A made-up address comes from a hash of the host's name, so another host that comes or goes moves nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::base::Domain;
use crate::diag::{Diagnostic, Span, code};
use crate::model::dns::{RecordData, normal_form, parent_text};
use crate::scenario::schema::Host;

use super::desk::Desk;
use super::exchange_inbound::ServiceAddresses;
use super::key::name_key;
use super::stage::Stage;
use super::world::{HostPlan, Part, World};
use super::zone_text::LayerText;

/// 198.18.0.0/15, the addresses for tests (RFC 2544).
const MADE_UP_FIRST: u32 = 0xC612_0000;
const MADE_UP_COUNT: u64 = 1 << 17;
/// So many front ends of the shared service take clients that log in.
const SERVICE_FRONT_ENDS: u32 = 4;

/// Names and addresses of one machine.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// `hostname`, or the key if it has a dot.
    pub(super) hostname: Option<Domain>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) forwarded: Vec<IpAddr>,
    pub(super) egress: Vec<IpAddr>,
    /// Nobody wrote its addresses.
    pub(super) made_up: bool,
    /// Of a front end of the shared service: what all of them have beside the MX endpoint.
    pub(super) services: Arc<ServiceAddresses>,
    /// Those of them that are its own.
    pub(super) own_services: Vec<IpAddr>,
    /// The records say nothing about its hostname: an address record is made up.
    pub(super) needs_records: bool,
}

/// What the texts say about names at the start, all views together.
#[derive(Debug, Default)]
pub(super) struct StartNames<'a> {
    owners: BTreeSet<&'a str>,
    addresses: BTreeMap<&'a str, Vec<IpAddr>>,
    aliases: BTreeSet<&'a str>,
    /// All addresses of records, which nothing made up may have.
    used: BTreeSet<IpAddr>,
}

impl<'a> StartNames<'a> {
    /// A public layer replaces what it mentions; a view adds to that, since some clients still see the rest.
    pub(super) fn new(public: &'a [LayerText], views: &'a [Vec<LayerText>]) -> Self {
        let mut names = Self::default();
        for layer in public {
            for (owner, _) in &layer.removed {
                names.addresses.remove(&**owner);
            }
            for record in layer.records.iter().filter(|record| record.data.address().is_some()) {
                names.addresses.remove(&*record.owner);
            }
            names.add(layer);
        }
        views.iter().flatten().for_each(|layer| names.add(layer));
        names
    }

    fn add(&mut self, layer: &'a LayerText) {
        for record in &layer.records {
            self.owners.insert(&record.owner);
            if let Some(address) = record.data.address() {
                let addresses = self.addresses.entry(&record.owner).or_default();
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
                self.used.insert(address);
            }
            if let RecordData::Cname(_) = record.data {
                self.aliases.insert(&record.owner);
            }
        }
    }

    /// Does this name, or one above it below the top level, own a record?
    pub(super) fn cover(&self, name: &str) -> bool {
        let mut at = name;
        loop {
            let above = parent_text(at);
            if self.owners.contains(at) && (at == name || above.is_some_and(|above| !above.is_empty())) {
                return true;
            }
            match above {
                Some(above) if !above.is_empty() => at = above,
                _ => return false,
            }
        }
    }
}

/// Finds names and addresses of all machines, in their order.
pub(super) fn identify(world: &World, stages: &[Stage], names: &StartNames<'_>, desk: &mut Desk) -> Vec<Identity> {
    let mut identities: Vec<Identity> = Vec::with_capacity(world.hosts.len());
    for host in &world.hosts {
        // A machine that a change brings is described where it first appears.
        let written = stages.iter().find_map(|stage| host.written(&world.systems, &stage.tree));
        identities.push(match written {
            Some(written) => of_text(host, written, names, desk),
            None => front_end(host, stages, desk),
        });
        for stage in &stages[1..] {
            if let (Some(first), Some(later)) = (written, host.written(&world.systems, &stage.tree)) {
                stays(first, later, desk);
            }
        }
    }
    one_host_each(world, &identities, desk);
    make_up(world, &mut identities, names);
    identities
}

fn of_text(host: &HostPlan, written: &Host, names: &StartNames<'_>, desk: &mut Desk) -> Identity {
    let hostname = match written.hostname.get() {
        Some(text) => desk.domain(text),
        None if host.name.contains('.') => Domain::parse(&host.name).ok(),
        None => None,
    };
    let mut read = |texts: &[crate::scenario::Text]| -> Vec<IpAddr> { texts.iter().filter_map(|text| desk.ip(text)).collect() };
    let mut addresses = read(written.addresses.items());
    let forwarded = read(written.forwarded.items());
    let egress = written.egress.get().map_or(Vec::new(), |text| read(std::slice::from_ref(text)));
    let covered = hostname.as_ref().is_some_and(|name| names.cover(name.as_str()));
    if !written.addresses.is_written() && covered {
        let name = hostname.as_ref().map_or("", Domain::as_str);
        let place = if written.hostname.is_written() { written.hostname.span() } else { host.place };
        match names.addresses.get(name) {
            Some(own) => addresses.clone_from(own),
            None => desk.say(forgotten(name, names.aliases.contains(name), place)),
        }
    }
    addresses.dedup();
    let made_up = addresses.is_empty() && !written.addresses.is_written();
    Identity {
        needs_records: !covered && hostname.is_some(),
        hostname,
        addresses,
        forwarded,
        egress,
        made_up,
        services: Arc::default(),
        own_services: Vec::new(),
    }
}

fn forgotten(name: &str, is_alias: bool, place: Span) -> Diagnostic {
    if is_alias {
        let problem = Diagnostic::error(code::FORGOTTEN_ADDRESS, place, format!("`{name}` is an alias, so no host answers as `{name}`"));
        return problem.help("write the name at the end of the alias as `hostname`, or the host's `addresses`");
    }
    let problem = Diagnostic::error(code::FORGOTTEN_ADDRESS, place, format!("the records cover `{name}`, but give it no address"));
    problem.help(format!("add a record such as `{name}. A 192.0.2.10`, or write the host's `addresses`"))
}

/// Front ends of the shared service and machines of a kind of senders.
fn front_end(host: &HostPlan, stages: &[Stage], desk: &mut Desk) -> Identity {
    let mut identity = Identity {
        hostname: None,
        addresses: Vec::new(),
        forwarded: Vec::new(),
        egress: Vec::new(),
        made_up: true,
        needs_records: false,
        services: Arc::default(),
        own_services: Vec::new(),
    };
    if let (Part::FrontEnd(n), Some(service)) = (&host.part, stages[0].tree.exchange_online.get()) {
        let pool = service.pool.or(service.addresses.items().len() as u64).max(1);
        for (at, text) in service.addresses.items().iter().enumerate() {
            if at as u64 % pool == u64::from(*n) {
                identity.addresses.extend(desk.ip(text));
            }
        }
        identity.made_up = identity.addresses.is_empty();
    }
    if let Part::FrontEnd(n) = host.part {
        let name = format!("frontend-{}.protection.outlook.com", n + 1);
        identity.hostname = Domain::parse(&name).ok();
        identity.needs_records = true;
    }
    identity
}

/// What a machine is called and where it answers does not change while the scenario runs.
fn stays(first: &Host, later: &Host, desk: &mut Desk) {
    let text = |field: &crate::scenario::Field<crate::scenario::Text>| field.as_str().map(str::to_owned);
    let list = |texts: &[crate::scenario::Text]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let moved = [
        ("hostname", text(&first.hostname) != text(&later.hostname), (later.hostname.span(), first.hostname.span())),
        ("addresses", list(first.addresses.items()) != list(later.addresses.items()), (later.addresses.span(), first.addresses.span())),
        ("egress", text(&first.egress) != text(&later.egress), (later.egress.span(), first.egress.span())),
        ("forwarded", list(first.forwarded.items()) != list(later.forwarded.items()), (later.forwarded.span(), first.forwarded.span())),
        ("site", text(&first.site) != text(&later.site), (later.site.span(), first.site.span())),
    ];
    for (field, _, (now, before)) in moved.into_iter().filter(|(_, moved, _)| *moved) {
        let help = if now.is_somewhere() {
            "write the new machine beside the old one, and let records or a fault move the mail"
        } else {
            "a machine that comes back after `None` is written whole again, with what it was called"
        };
        let span = if now.is_somewhere() { now } else { before };
        desk.error(code::CHANGE_NOT_MODELLED, span, format!("`{field}` cannot change while the scenario runs yet"), help);
    }
}

/// One address, one host.
fn one_host_each(world: &World, identities: &[Identity], desk: &mut Desk) {
    let mut owners: BTreeMap<IpAddr, usize> = BTreeMap::new();
    for (at, identity) in identities.iter().enumerate() {
        for address in identity.addresses.iter().chain(&identity.forwarded) {
            match owners.get(address) {
                Some(other) if *other != at => {
                    let (here, there) = (&world.hosts[at], &world.hosts[*other]);
                    let message = format!("`{}` and `{}` both have the address {address}", there.name, here.name);
                    let problem = Diagnostic::error(code::ADDRESS_TWICE, here.place, message).also(there.place, "the other host");
                    desk.say(problem.help("one address belongs to one host; NAT is written with `egress` and `forwarded`"));
                }
                Some(_) => {}
                None => drop(owners.insert(*address, at)),
            }
        }
    }
}

/// Gives an address to every machine that has none.
fn make_up(world: &World, identities: &mut [Identity], names: &StartNames<'_>) {
    let written = identities.iter().flat_map(|identity| identity.addresses.iter().chain(&identity.forwarded).chain(&identity.egress));
    let mut used: BTreeSet<IpAddr> = written.copied().chain(names.used.iter().copied()).collect();
    let mut make = |what: &str, host: &HostPlan| {
        let key = name_key(what, &host.name);
        let address = (0..MADE_UP_COUNT).map(|step| made_up_address(key, step)).find(|address| !used.contains(address));
        used.extend(address);
        address
    };
    for (host, identity) in world.hosts.iter().zip(&mut *identities) {
        if identity.made_up {
            identity.addresses.extend(make("address", host));
        }
    }
    // Those of the other interfaces come after all others, and move nobody.
    let mut services = ServiceAddresses::default();
    for (host, identity) in world.hosts.iter().zip(&mut *identities) {
        let Part::FrontEnd(number @ 0..SERVICE_FRONT_ENDS) = host.part else { continue };
        let kinds = [("submission", &mut services.submission), ("legacy", &mut services.legacy), ("retired", &mut services.retired)];
        for (what, addresses) in kinds.into_iter().take(if number == 0 { 3 } else { 2 }) {
            let made = make(what, host);
            addresses.extend(made);
            identity.own_services.extend(made);
        }
    }
    let services = Arc::new(services);
    for (host, identity) in world.hosts.iter().zip(identities) {
        if matches!(host.part, Part::FrontEnd(_)) {
            identity.services = services.clone();
        }
    }
}

/// The candidates for a name, one after the other; never the first or last of the network.
fn made_up_address(key: u64, step: u64) -> IpAddr {
    let usable = MADE_UP_COUNT - 2;
    let number = (key % usable + step) % usable + 1;
    IpAddr::V4(Ipv4Addr::from_bits(MADE_UP_FIRST + number as u32))
}

/// A name for EHLO where nobody gave one: the machine's own, made of letters that a label may have.
pub(super) fn plain_name(host: &str) -> String {
    let label = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c.to_ascii_lowercase() } else { '-' };
    normal_form(&host.chars().map(label).collect::<String>()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_addresses_stay_in_their_network() {
        for key in [0, 1, u64::MAX, MADE_UP_COUNT - 3, MADE_UP_COUNT - 2] {
            for step in [0, 1, MADE_UP_COUNT - 3] {
                let IpAddr::V4(address) = made_up_address(key, step) else { panic!("an IPv4 address") };
                assert!(matches!(address.octets(), [198, 18 | 19, ..]), "{address}");
            }
        }
        assert_ne!(made_up_address(5, 0), made_up_address(5, 1));
    }

    #[test]
    fn names_for_hosts_without_one() {
        for (host, name) in [("sender", "sender"), ("Site A", "site-a"), ("postfix#3", "postfix-3")] {
            assert_eq!(plain_name(host), name);
        }
    }
}
