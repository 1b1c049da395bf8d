//! What do resolvers find from a moment on? Written layers over made-up records, and what is covered without owning a record.
//!
//! Made up are: address and PTR records of hosts whose name no record covers; Microsoft's own names. MX records of somebody's domain never are.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::base::{Domain, HostId, InOrder, NameId, common_form};
use crate::diag::{Diagnostic, Span, code};
use crate::model::dns::{Dnssec, Names, Outcome, RecordData, RecordType, Rest, TlsaData, Zones, ZonesBuilder, reverse_name};
use crate::scenario::schema::{self, Scenario, System};
use crate::scenario::source::Text;

use super::certificates::key_of;
use super::desk::Desk;
use super::exchange_inbound::ServiceAddresses;
use super::exchange_online::{microsoft_domains, tenant_name};
use super::identity::Identity;
use super::microsoft_names::{SIGNED_ZONE, endpoint, signed_endpoints};
use super::stage::Stage;
use super::tables::Tables;
use super::world::{Part, World};
use super::zone_text::LayerText;

/// How long made-up records may be kept.
const MADE_UP_TTL_SECONDS: u32 = 3600;

type Record = (String, RecordData<Box<str>>);

/// What is there beside the texts, in all stages together.
#[derive(Debug, Default)]
pub(super) struct Beside {
    made_up: Vec<Record>,
    /// Accepted domains and hostnames.
    covered: BTreeSet<String>,
    /// Endpoints in Microsoft's signed zone.
    signed: BTreeSet<String>,
}

impl Beside {
    pub(super) fn new(world: &World, identities: &[Identity], stages: &[Stage], texts: &[StageTexts]) -> Self {
        let mut beside = Self { signed: signed_endpoints(stages, texts), ..Self::default() };
        for identity in identities {
            let Some(hostname) = &identity.hostname else { continue };
            beside.covered.insert(hostname.as_str().to_owned());
            if !identity.needs_records {
                continue;
            }
            for address in &identity.addresses {
                beside.made_up.push((hostname.as_str().to_owned(), RecordData::of_address(*address)));
                beside.made_up.push((reverse_name(*address), RecordData::Ptr(hostname.as_str().into())));
            }
        }
        let front_ends: Vec<IpAddr> = world
            .hosts
            .iter()
            .zip(identities)
            .filter(|(host, _)| matches!(host.part, Part::FrontEnd(_)))
            .flat_map(|(_, identity)| identity.addresses.iter().copied())
            .collect();
        let services = world.hosts.iter().zip(identities).find(|(host, _)| matches!(host.part, Part::FrontEnd(_)));
        let services = services.map(|(_, identity)| identity.services.clone()).unwrap_or_default();
        for stage in stages {
            for (_, system) in stage.tree.systems.iter() {
                match system {
                    System::ExchangeOnline(tenant) => beside.tenant(tenant, &front_ends, &services),
                    System::ExchangeServer(server) => {
                        let own = server.host.mailboxes.items().iter();
                        let pinned = server.hosts.iter().flat_map(|(_, host)| host.mailboxes.items());
                        let mailboxes = own.chain(pinned).chain(server.recipients.keys());
                        let domains = mailboxes.filter_map(|text| text.rsplit_once('@').map(|(_, domain)| domain));
                        beside.cover(server.accepted_domains.keys().map(Text::as_str).chain(domains));
                    }
                    System::Mta(_) | System::Gateway(_) | System::Internet(_) | System::Device(_) | System::Fope(_) => {}
                }
            }
        }
        for name in &beside.signed {
            beside.made_up.extend(front_ends.iter().map(|address| (name.clone(), RecordData::of_address(*address))));
        }
        // A name of the service that a machine of the scenario has is that machine's: FOPE had some of them before.
        let machines = world.hosts.iter().zip(identities).filter(|(host, _)| !matches!(host.part, Part::FrontEnd(_)));
        let taken: BTreeSet<&str> = machines.filter_map(|(_, identity)| identity.hostname.as_ref()).map(Domain::as_str).collect();
        let of_service: BTreeSet<IpAddr> =
            front_ends.iter().copied().chain(services.names().flat_map(|(_, addresses)| addresses.iter().copied())).collect();
        let leads_to_service = |data: &RecordData<Box<str>>| match data {
            RecordData::A(address) => of_service.contains(&IpAddr::V4(*address)),
            RecordData::Aaaa(address) => of_service.contains(&IpAddr::V6(*address)),
            _ => false,
        };
        beside.made_up.retain(|(name, data)| !(taken.contains(name.as_str()) && leads_to_service(data)));
        beside.made_up.in_order();
        beside.made_up.dedup();
        beside
    }

    fn cover<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        let whole = names.filter_map(|name| Domain::parse(name).ok()).filter(|name| !name.as_str().starts_with('*'));
        self.covered.extend(whole.map(|name| name.as_str().to_owned()));
    }

    /// Microsoft's own names for a tenant.
    fn tenant(&mut self, tenant: &schema::ExchangeOnline, front_ends: &[IpAddr], services: &ServiceAddresses) {
        let own = microsoft_domains(tenant);
        self.cover(tenant.accepted_domains.keys().map(Text::as_str).chain(own.iter().map(String::as_str)));
        let written = tenant.accepted_domains.keys().map(|domain| common_form(domain));
        let mut endpoints: Vec<String> = written.chain(own.iter().cloned()).map(|domain| endpoint(&domain)).collect();
        endpoints.extend(tenant_name(tenant).map(|name| format!("{name}.mail.protection.outlook.com")));
        for (name, addresses) in services.names() {
            self.made_up.extend(addresses.iter().map(|address| (name.into(), RecordData::of_address(*address))));
        }
        for name in endpoints {
            self.made_up.extend(front_ends.iter().map(|address| (name.clone(), RecordData::of_address(*address))));
        }
        for domain in own {
            let exchange = endpoint(&domain).into();
            self.made_up.push((domain, RecordData::Mx { preference: 0, exchange }));
        }
        let senders: String = front_ends
            .iter()
            .map(|address| if address.is_ipv4() { format!("ip4:{address} ") } else { format!("ip6:{address} ") })
            .collect();
        let spf = format!("v=spf1 {senders}-all");
        self.made_up.push(("spf.protection.outlook.com".into(), RecordData::Txt(spf.into_bytes().into())));
    }

    /// All names, so that their numbers do not depend on the order of the text.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        into.extend(self.covered.iter().cloned());
        for (owner, data) in &self.made_up {
            into.insert(owner.clone());
            into.extend(data.target().map(ToString::to_string));
        }
    }
}

/// The texts of one stage: the public data, and the views over it.
#[derive(Debug, Default)]
pub(super) struct StageTexts {
    pub(super) public: Vec<LayerText>,
    /// In the order of the views' numbers.
    pub(super) views: Vec<Vec<LayerText>>,
}

impl StageTexts {
    /// All names of the texts.
    pub(super) fn names(&self, into: &mut BTreeSet<String>) {
        for layer in self.layers() {
            into.extend(layer.removed.iter().map(|(owner, _)| owner.to_string()));
            for record in &layer.records {
                into.insert(record.owner.to_string());
                into.extend(record.data.target().map(ToString::to_string));
            }
        }
    }

    pub(super) fn layers(&self) -> impl Iterator<Item = &LayerText> {
        self.public.iter().chain(self.views.iter().flatten())
    }
}

/// The zones of one stage.
pub(super) fn zones(tree: &Scenario, texts: &StageTexts, beside: &Beside, names: &mut Names, desk: &mut Desk) -> Zones {
    let dns = tree.dns.get();
    let as_written = dns.is_some_and(|dns| dns.answer_order.or(schema::AnswerOrder::Random) != schema::AnswerOrder::Random);
    let mut builder = ZonesBuilder::new(texts.views.len());
    let made_up = beside
        .made_up
        .iter()
        .map(|(owner, data)| (names.intern(owner), MADE_UP_TTL_SECONDS, data.clone().map_names(|name| names.intern(&name))));
    builder.add_made_up(made_up.collect::<Vec<_>>());
    for name in &beside.covered {
        builder.cover(names.intern(name));
    }
    let views = texts.views.iter().enumerate().map(|(at, layers)| (at + 1, layers));
    for (view, layers) in std::iter::once((0, &texts.public)).chain(views) {
        for layer in layers {
            add(&mut builder, view, layer, as_written, tree, names);
        }
    }
    if !beside.signed.is_empty() {
        builder.set_dnssec(names.intern(SIGNED_ZONE), Dnssec::Secure);
    }
    if let Some(dns) = dns {
        for (name, state) in dns.dnssec.iter() {
            let state = match state {
                schema::Dnssec::Secure => Dnssec::Secure,
                schema::Dnssec::Insecure => Dnssec::Insecure,
                schema::Dnssec::Bogus => Dnssec::Bogus,
            };
            if let Ok(domain) = Domain::parse(name) {
                builder.set_dnssec(names.intern(domain.as_str()), state);
            } else {
                desk.domain(name);
            }
        }
        builder.set_rest(match dns.rest.or(schema::Rest::Internet) {
            schema::Rest::Internet => Rest::Internet,
            schema::Rest::NxDomain => Rest::NxDomain,
        });
    }
    let zones = builder.build(names);
    aliases(&zones, texts, names, desk);
    zones
}

fn add(builder: &mut ZonesBuilder, view: usize, layer: &LayerText, as_written: bool, tree: &Scenario, names: &mut Names) {
    let removed: Vec<_> = layer.removed.iter().map(|(owner, kind)| (names.intern(owner), *kind)).collect();
    let mut records: Vec<_> = layer.records.iter().collect();
    if !as_written {
        // Luck orders the answers, so the order of the lines must not.
        records.in_order_by(|a, b| (&a.owner, &a.data).cmp(&(&b.owner, &b.data)));
    }
    let rows: Vec<(NameId, u32, RecordData)> = records
        .into_iter()
        .map(|record| {
            let mut data = record.data.clone();
            if let RecordData::Tlsa(tlsa) = &mut data {
                digested(&mut tlsa.data, tree);
            }
            (names.intern(&record.owner), record.ttl_seconds, data.map_names(|name| names.intern(&name)))
        })
        .collect();
    builder.add_layer(view, removed, rows);
}

/// Whose digest a record has: of a key by its own name, of an authority also where the text names one of its certificates.
fn digested(data: &mut TlsaData, tree: &Scenario) {
    match data {
        TlsaData::Bytes(_) | TlsaData::CertificateOf(_) => {}
        TlsaData::KeyOf(name) => {
            if let Some(definition) = tree.certificates.get(name) {
                *name = key_of(name, definition).into();
            }
        }
        TlsaData::AuthorityOf(name) => {
            if let (None, Some(definition)) = (tree.authorities.get(name), tree.certificates.get(name)) {
                *name = definition.issuer.as_str().unwrap_or("public").into();
            }
        }
    }
}

/// An alias beside other data (RFC 2181 §10.1), seen only once all layers lie over each other.
fn aliases(zones: &Zones, texts: &StageTexts, names: &Names, desk: &mut Desk) {
    for (_, owner) in zones.alias_conflicts() {
        let name = names.text(owner);
        let mut records = texts.layers().flat_map(|layer| &layer.records).filter(|record| &*record.owner == name);
        let alias = records.find(|record| matches!(record.data, RecordData::Cname(_)));
        let place = alias.map_or(Span::NOWHERE, |record| record.span);
        let problem = Diagnostic::error(code::ZONE_ALIAS, place, format!("`{name}` is an alias and has other records too"));
        desk.say(problem.help("an alias stands alone; a layer that changes it takes the other records away with `remove`"));
    }
}

/// Is it a name that Exchange Online answers to?
fn is_of_service(name: &str) -> bool {
    let below = ["mail.protection.outlook.com", SIGNED_ZONE];
    below.iter().any(|zone| name.strip_suffix(zone).is_some_and(|front| front.ends_with('.')))
        || matches!(name, "smtp.office365.com" | "smtp-legacy.office365.com")
}

/// Every host that mail is sent to must be known; else it is probably a typing mistake.
pub(super) fn targets_are_covered(
    zones: &[Zones],
    texts: &[StageTexts],
    wanted: &[(NameId, Span)],
    names: &Names,
    tree: &Scenario,
    desk: &mut Desk,
) {
    if tree.dns.get().is_some_and(|dns| dns.rest.or(schema::Rest::Internet) == schema::Rest::NxDomain) {
        return;
    }
    let mut look = |name: NameId, place: Span, what: &str| {
        let text = names.text(name);
        if text.parse::<std::net::Ipv4Addr>().is_ok() {
            // No name anywhere looks like that, so nobody forgot a record (`mail_hosts`).
            return;
        }
        if text.is_empty() || zones.iter().any(|zones| zones.is_covered(names, name)) {
            if zones.iter().all(|zones| is_absent(zones, names, name)) {
                let message = format!("{what} `{text}` does not exist: the scenario speaks for names there, and this one owns no record");
                let problem = Diagnostic::warning(code::ABSENT_TARGET, place, message);
                desk.unknown(problem, text, alike(zones, names, text), format!("add a record such as `{text}. A 192.0.2.10`"));
            }
            return;
        }
        let problem =
            Diagnostic::error(code::UNCOVERED, place, format!("{what} `{text}` is neither an address nor a name that anything here knows"));
        if is_of_service(text) {
            let help = "an endpoint of Exchange Online is there with a tenant: write ExchangeOnline(accepted_domains: {…}); for a domain that no tenant has, name \
                        the endpoint of one that is there; domains of the outside world need no records";
            desk.say(problem.help(help));
            return;
        }
        let otherwise = format!("add a record such as `{text}. A 192.0.2.10`, or the host with that `hostname`");
        desk.unknown(problem, text, alike(zones, names, text), otherwise);
    };
    for (name, place) in wanted {
        look(*name, *place, "the next hop");
    }
    for record in texts.iter().flat_map(StageTexts::layers).flat_map(|layer| &layer.records) {
        if let RecordData::Mx { exchange, .. } = &record.data
            && let Some(name) = names.find(exchange)
        {
            look(name, record.target, "the MX target");
        }
    }
}

/// An alias as MX target works everywhere, and is forbidden all the same.
pub(super) fn alias_targets(zones: &[Zones], texts: &[StageTexts], names: &Names, desk: &mut Desk) {
    let is_alias = |name| zones.iter().any(|zones| (0..zones.view_count()).any(|view| zones.owns(view, name, RecordType::Cname)));
    for record in texts.iter().flat_map(StageTexts::layers).flat_map(|layer| &layer.records) {
        if let RecordData::Mx { exchange, .. } = &record.data
            && names.find(exchange).is_some_and(is_alias)
        {
            let message = format!("the MX target `{exchange}` is an alias, which RFC 2181 §10.3 forbids and servers follow all the same");
            desk.say(Diagnostic::warning(code::ALIAS_TARGET, record.target, message).help("name the host that the alias leads to"));
        }
    }
}

/// Does no view know this name?
fn is_absent(zones: &Zones, names: &Names, name: NameId) -> bool {
    let asked = [RecordType::A, RecordType::Aaaa, RecordType::Mx];
    (0..zones.view_count()).all(|view| asked.iter().all(|kind| zones.lookup(names, view, name, *kind).outcome == Outcome::NxDomain))
}

/// Names that mail can be sent to, to be suggested for `text`: a domain above it is another thing, and no slip of the finger.
fn alike<'n>(zones: &[Zones], names: &'n Names, text: &str) -> BTreeSet<&'n str> {
    let leads_on = |kind| matches!(kind, RecordType::A | RecordType::Aaaa | RecordType::Mx | RecordType::Cname);
    let owners = zones.iter().flat_map(|zones| zones.sets(0)).filter(|(_, kind, _)| leads_on(*kind)).map(|(owner, ..)| names.text(owner));
    owners.filter(|owner| !text.strip_suffix(owner).is_some_and(|front| front.ends_with('.'))).collect()
}

/// Addresses where mail is sent to and nobody answers: said once, for it may be meant.
pub(super) fn silent_addresses(zones: &[Zones], texts: &[StageTexts], tables: &Tables, hosts: &[(IpAddr, HostId)], desk: &mut Desk) {
    let names = &tables.names;
    let mut sent_to: BTreeSet<NameId> = BTreeSet::new();
    for zones in zones {
        let has_mx = |name: NameId| (0..zones.view_count()).any(|view| zones.owns(view, name, RecordType::Mx));
        sent_to.extend(tables.wanted.iter().map(|(name, _)| *name).filter(|name| !has_mx(*name)));
        for (_, _, set) in (0..zones.view_count()).flat_map(|view| zones.sets(view)) {
            sent_to
                .extend(set.records.iter().filter(|data| matches!(data, RecordData::Mx { .. })).filter_map(|data| data.target().copied()));
        }
    }
    let records = texts.iter().flat_map(StageTexts::layers).flat_map(|layer| &layer.records);
    let of_records = records.filter(|record| names.find(&record.owner).is_some_and(|name| sent_to.contains(&name)));
    let of_records = of_records.filter_map(|record| Some((record.data.address()?, record.span)));
    // A list of next hops is read again for each machine and each stage.
    let next_hops: BTreeSet<(IpAddr, Span)> = tables.addressed.iter().copied().collect();
    for (address, span) in of_records.chain(next_hops) {
        let nobody = hosts.binary_search_by(|(known, _)| known.cmp(&address)).is_err();
        if nobody && !address.is_loopback() {
            let message = format!("no host answers at {address}: a connection there gets no answer");
            let problem = Diagnostic::note(code::SILENT_ADDRESS, span, message);
            desk.say(problem.help("if it is a server of the scenario, write the address or the name at its host"));
        }
    }
}
