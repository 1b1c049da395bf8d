//! The merged text becomes a model: names become numbers, texts become values, and every problem is said at once.
//!
//! One pass over the start and each dated change. Everything is walked in the order of names, so the order of the text cannot matter.

mod accepted_domains;
mod automatic_replies;
mod certificates;
mod configs;
mod desk;
mod device;
mod directory;
mod entry;
mod envelope_names;
mod exchange_inbound;
mod exchange_online;
mod exchange_server;
mod expansions;
mod faults;
mod filter;
mod fope;
mod identity;
mod internet;
mod key;
mod leads_back;
mod loaded;
mod mail_flow_rule;
mod mail_hosts;
mod mailboxes;
mod microsoft_names;
mod mta;
mod mta_sts;
mod operations;
mod published_policies;
mod published_tlsa;
mod receiver;
mod resolvers;
mod routing_addresses;
mod scope;
mod service_era;
mod settings;
mod spoken_names;
mod stage;
mod stance;
mod tables;
mod taken_away;
mod tenant_domains;
mod tls_levels;
mod traffic;
mod traffic_file;
mod volume;
mod without_mx;
mod world;
mod zone_text;
mod zones;

pub(in crate::scenario) use desk::Desk;
pub use loaded::{Invalid, Loaded, load_path, load_text};
pub use volume::{FOLLOWED_MAX, expected};

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::{HostId, InOrder, MILLISECOND, Pattern, ResolverId, SystemId, ZonesId};
use crate::diag::code;
use crate::model::settings::HostConfig;
use crate::model::topology::{Host, HostSet, Law, Link, System as SystemRow, SystemKind, Version};
use crate::model::{Limits, Model};
use crate::scenario::load::Loader;
use crate::scenario::schema::{Layer, Scenario, System};
use crate::scenario::source::Text;

use certificates::Certificates;
use configs::StageConfigs;
use entry::Entries;
use identity::{Identity, StartNames, identify, plain_name};
use key::name_key;
use scope::Scope;
use stage::{Stage, stages};
use tables::Tables;
use world::{INTERNET, Part, World};
use zone_text::{ZoneTexts, check_tlsa};
use zones::{Beside, StageTexts};

/// Time of one exchange, where no link says otherwise.
const LATENCY: Law = Law::Constant(20 * MILLISECOND);

/// Makes a model of a merged scenario, and the sending machines of the internet with their weights. With an error among the problems the model is not to be used.
fn compile(tree: &Scenario, loader: &mut Loader, desk: &mut Desk) -> (Model, Vec<(HostId, u32)>) {
    desk.set_start(&tree.start);
    let stages = stages(tree, desk);
    let world = World::plan(&stages, desk);
    let views = view_names(&stages);
    let texts = read_texts(&stages, &views, loader, desk);
    let identities = identify(&world, &stages, &StartNames::new(&texts[0].public, &texts[0].views), desk);
    exchange_inbound::skips_made_up(&world, &identities, tree, desk);
    let beside = Beside::new(&world, &identities, &stages, &texts);
    let mut tables = Tables::default();
    number_names(&mut tables, &texts, &beside, &identities);

    let systems = system_rows(&world);
    let mut hosts = host_rows(&world, &identities, &stages, &mut tables);
    join_groups(tree, &systems, &mut hosts, desk);
    let scope = Scope::new(&systems, &hosts);
    let (resolvers, asks) = resolvers::resolvers(tree, &world, &scope, &views, desk);
    tables.resolvers = resolvers.iter().map(|resolver| resolver.name.clone()).collect();
    for (host, asks) in hosts.iter_mut().zip(asks) {
        host.resolver = asks;
    }
    let addresses = addresses(&identities);

    let mut configs: Vec<HostConfig> = Vec::new();
    let mut zone_rows = Vec::new();
    let mut versions: Vec<Version> = Vec::new();
    let mut certificates = Vec::new();
    let mut there = Vec::new();
    for (stage, texts) in stages.iter().zip(&texts) {
        let named = Certificates::of(&stage.tree, &scope, &mut tables, desk);
        let compiled = zones::zones(&stage.tree, texts, &beside, &mut tables.names, desk);
        let known = zone_rows.iter().position(|known| *known == compiled);
        let zones = known.unwrap_or_else(|| {
            zone_rows.push(compiled);
            zone_rows.len() - 1
        });
        let mut stage_configs = StageConfigs {
            stage,
            world: &world,
            scope: &scope,
            certificates: &named,
            versions: &versions,
            configs: &mut configs,
            there: &mut there,
        };
        let ids = stage_configs.all(&identities, &mut tables, desk);
        let operations = operations::operations(&stage.operations, &scope, (&ids, &configs), desk);
        versions.push(Version {
            at: stage.at,
            name: stage.name.clone(),
            configs: ids,
            devices: devices(&stage.tree, &scope),
            zones: ZonesId(zones as u32),
            links: links(&stage.tree, &scope, desk),
            mta_sts: mta_sts::sites(&stage.tree, &named, &mut tables, desk),
            retry_queues: scope.all_of(&stage.retry_queues, desk),
            operations,
        });
        check_tlsa(texts.layers(), &stage.tree, desk);
        certificates.push(named);
    }
    zones::silent_addresses(&zone_rows, &texts, &tables, &addresses, desk);
    zones::targets_are_covered(&zone_rows, &texts, &tables.wanted, &tables.names, tree, desk);
    zones::alias_targets(&zone_rows, &texts, &tables.names, desk);
    mail_hosts::check(&zone_rows, &texts, &tables.names, desk);
    leads_back::check(tree, &zone_rows[0], &tables.names, desk);
    spoken_names::check(&stages, &loader.sources, desk);
    without_mx::check(tree, &zone_rows, &texts, &tables.names, desk);

    let about = faults::World {
        scope: &scope,
        addresses: &addresses,
        certificates: &certificates[0],
        views: &views,
        count: hosts.len(),
        exchange: exchange_servers(&systems),
    };
    spoken_names::struck(tree, &tables.names, &loader.sources, desk);
    let faults = read_faults(about, &stages, &world, &taken_away::absences(&world, &stages, &there), &mut tables, desk);
    let internet = systems.iter().position(|system| system.kind == SystemKind::Internet).expect("the internet is always there");
    let mut model = Model {
        name: tree.name.as_str().unwrap_or("").into(),
        seed: tree.seed.or(0),
        start_unix_s: desk.start.map(jiff::Timestamp::as_second),
        until: tree.until.get().and_then(|text| desk.moment(text)),
        limits: limits(tree, desk),
        queue_alert_threshold: exchange_online::queue_alert_threshold(tree),
        names: tables.names,
        systems,
        hosts,
        addresses,
        internet: SystemId(internet as u32),
        versions,
        configs,
        zones: zone_rows,
        resolvers,
        certificates: tables.certificates,
        next_hops: tables.next_hops,
        default_latency: LATENCY,
        sources: Vec::new(),
        faults: faults.rows,
        host_faults: faults.hosts,
        line_faults: faults.lines,
        dns_faults: faults.dns,
        mta_sts_faults: faults.mta_sts,
    };
    let internet = internet_weights(&world, tree);
    let entries = Entries::new(&model, internet.clone());
    let mut written: Vec<_> = tree.traffic.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    let sources = written.into_iter().filter_map(|(name, traffic)| traffic::source(name, traffic, &entries, loader, desk)).collect();
    model.sources = sources;
    published_policies::check(&model, &stages, &texts, desk);
    published_tlsa::check(&model, &texts, desk);
    desk.problems.extend(volume::too_many(tree, &model.sources, model.until, model.limits.messages));
    (model, internet)
}

/// The views of all stages, by name; their numbers begin with 1.
fn view_names(stages: &[Stage]) -> Vec<Text> {
    let mut views: BTreeMap<&str, &Text> = BTreeMap::new();
    for dns in stages.iter().filter_map(|stage| stage.tree.dns.get()) {
        for name in dns.views.keys() {
            views.entry(name.as_str()).or_insert(name);
        }
    }
    views.into_values().cloned().collect()
}

fn read_texts(stages: &[Stage], views: &[Text], loader: &mut Loader, desk: &mut Desk) -> Vec<StageTexts> {
    let mut reader = ZoneTexts::default();
    let mut texts = Vec::with_capacity(stages.len());
    for stage in stages {
        let Some(dns) = stage.tree.dns.get() else {
            texts.push(StageTexts { public: Vec::new(), views: vec![Vec::new(); views.len()] });
            continue;
        };
        let of_view = |name: &Text| -> &[Layer] { dns.views.get(name).map_or(&[], |view| &view.layers.0) };
        let public = reader.layers(&dns.layers.0, loader, desk);
        let views = views.iter().map(|name| reader.layers(of_view(name), loader, desk)).collect();
        texts.push(StageTexts { public, views });
    }
    texts
}

/// Gives every name of zones and hosts its number, in the order of names.
fn number_names(tables: &mut Tables, texts: &[StageTexts], beside: &Beside, identities: &[Identity]) {
    let mut names = BTreeSet::new();
    texts.iter().for_each(|texts| texts.names(&mut names));
    beside.names(&mut names);
    names.extend(identities.iter().filter_map(|identity| Some(identity.hostname.as_ref()?.as_str().to_owned())));
    for name in &names {
        tables.names.intern(name);
    }
}

fn system_rows(world: &World) -> Vec<SystemRow> {
    let mut machines: Vec<Vec<HostId>> = vec![Vec::new(); world.systems.len()];
    for (at, host) in world.hosts.iter().enumerate() {
        // The machine that takes mail for everybody else stands first, before those that only send.
        let takes_all = host.part == Part::Itself && world.systems[host.system].kind == SystemKind::Internet;
        let place = if takes_all { 0 } else { machines[host.system].len() };
        machines[host.system].insert(place, HostId(at as u32));
    }
    let service = world.systems.iter().position(|system| system.kind == SystemKind::ExchangeOnline);
    let row = |(at, system): (usize, &world::SystemPlan)| SystemRow {
        name: system.name.clone(),
        kind: system.kind,
        hosts: match (system.kind, service) {
            (SystemKind::Tenant, Some(service)) => machines[service].clone(),
            _ => machines[at].clone(),
        },
    };
    world.systems.iter().enumerate().map(row).collect()
}

fn host_rows(world: &World, identities: &[Identity], stages: &[Stage], tables: &mut Tables) -> Vec<Host> {
    let mut rows = Vec::with_capacity(world.hosts.len());
    for (host, identity) in world.hosts.iter().zip(identities) {
        let hostname = match &identity.hostname {
            Some(name) => tables.names.intern(name.as_str()),
            None => tables.names.intern(&plain_name(&host.name)),
        };
        let site = host.first_written(&world.systems, stages).and_then(|host| host.site.get());
        rows.push(Host {
            name: host.name.clone(),
            system: SystemId(host.system as u32),
            hostname,
            addresses: identity.addresses.clone(),
            any_family: identity.made_up,
            egress: identity.egress.clone(),
            groups: site.map(|site| site.as_str().into()).into_iter().collect(),
            key: name_key("host", &host.name),
            resolver: ResolverId(0),
        });
    }
    rows
}

/// Notes at each machine the groups that it belongs to. A group may hold groups; one that holds itself is never complete.
fn join_groups(tree: &Scenario, systems: &[SystemRow], hosts: &mut [Host], desk: &mut Desk) {
    let mut waiting: Vec<(&Text, &Vec<Text>)> = tree.groups.iter().collect();
    waiting.in_order_by_key(|(name, _)| name.as_str());
    for (name, _) in waiting.iter().filter(|(_, members)| members.is_empty()) {
        desk.missing(name.span(), &format!("nobody belongs to the group `{name}`"), "write the names of systems, hosts or sites");
    }
    loop {
        let scope = Scope::new(systems, hosts);
        let still = |name: &Text| waiting.iter().any(|(group, _)| group.as_str() == name.as_str());
        let (later, ready): (Vec<_>, Vec<_>) = waiting.iter().copied().partition(|(_, members)| members.iter().any(still));
        for (name, members) in &ready {
            for host in scope.all_of(members, desk) {
                hosts[host.index()].groups.push(name.as_str().into());
            }
        }
        if ready.is_empty() {
            for (name, _) in later {
                let message = format!("the group `{name}` holds itself, perhaps through others");
                desk.error(code::BOTH_SPEAK, name.span(), message, "take one of the groups out of the circle");
            }
            return;
        }
        waiting = later;
    }
}

fn addresses(identities: &[Identity]) -> Vec<(IpAddr, HostId)> {
    let mut rows: Vec<(IpAddr, HostId)> = Vec::new();
    for (at, identity) in identities.iter().enumerate() {
        rows.extend(
            identity.addresses.iter().chain(&identity.forwarded).chain(&identity.own_services).map(|address| (*address, HostId(at as u32))),
        );
    }
    rows.in_order();
    rows.dedup_by_key(|(address, _)| *address);
    rows
}

/// Whose mail which device sends, by name.
fn devices(tree: &Scenario, scope: &Scope) -> Vec<(HostId, Vec<Pattern>)> {
    let written = tree.systems.iter().filter_map(|(name, system)| match system {
        System::Device(device) => Some((*scope.find(name)?.first()?, device::sends_for(device))),
        _ => None,
    });
    let mut devices: Vec<_> = written.collect();
    devices.in_order();
    devices
}

/// Lines with a latency of their own, the narrowest first.
fn links(tree: &Scenario, scope: &Scope, desk: &mut Desk) -> Vec<Link> {
    let mut links = Vec::new();
    for (name, link) in tree.links.iter() {
        let Some((a, b)) = link.between.get() else {
            desk.missing(name.span(), "a link needs its two ends", "write between: (\"a\", \"b\")");
            continue;
        };
        let (a, b) = (scope.set(a, desk), scope.set(b, desk));
        links.push(Link { name: name.as_str().into(), a, b, latency: desk.law_or(&link.latency, LATENCY) });
    }
    let width = |set: &HostSet| match set {
        HostSet::All => usize::MAX,
        HostSet::These(hosts) => hosts.len(),
    };
    links.in_order_by(|a, b| (width(&a.a).saturating_mul(width(&a.b)), &a.name).cmp(&(width(&b.a).saturating_mul(width(&b.b)), &b.name)));
    links
}

fn limits(tree: &Scenario, desk: &mut Desk) -> Limits {
    let usual = Limits::default();
    let Some(limits) = tree.limits.get() else { return usual };
    Limits {
        events: limits.events.or(usual.events),
        hops: desk.number_or(&limits.hops, usual.hops, 1, 10_000),
        messages: u64::from(desk.number_or(&limits.messages, usual.messages as u32, 1, u32::MAX)),
    }
}

fn read_faults(
    about: faults::World<'_>,
    stages: &[Stage],
    world: &World,
    absences: &[taken_away::Absence<'_>],
    tables: &mut Tables,
    desk: &mut Desk,
) -> faults::Finished {
    let mut faults = faults::Faults::new(about);
    let mut written: Vec<_> = stages[0].tree.faults.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    for (name, fault) in written {
        faults.fault(name, fault, tables, desk);
    }
    for (at, host) in world.hosts.iter().enumerate() {
        for (list, window) in host.receives(&world.systems, stages) {
            faults.receives((HostId(at as u32), window), &host.name, list, tables, desk);
        }
    }
    for absence in absences {
        faults.taken_away(absence);
    }
    faults.finish(desk)
}

/// The servers of all Exchange organizations.
fn exchange_servers(systems: &[SystemRow]) -> Vec<HostId> {
    systems.iter().filter(|system| system.kind == SystemKind::ExchangeServer).flat_map(|system| system.hosts.iter().copied()).collect()
}

/// The sending machines of the internet, so that each kind has its weight however many machines it has.
fn internet_weights(world: &World, tree: &Scenario) -> Vec<(HostId, u32)> {
    let own: Vec<(usize, &world::HostPlan)> =
        world.hosts.iter().enumerate().filter(|(_, host)| *world.systems[host.system].name == *INTERNET).collect();
    let mut crowds: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, host) in &own {
        if let Part::Sender(kind, _) = &host.part {
            *crowds.entry(kind).or_default() += 1;
        }
    }
    if crowds.is_empty() {
        return own.iter().map(|(at, _)| (HostId(*at as u32), 1)).collect();
    }
    let common = crowds.values().fold(1_u64, |common, count| lcm(common, *count).min(1 << 20));
    let mut weights = Vec::new();
    for (at, host) in own {
        if let (Part::Sender(kind, _), Some(weight)) = (&host.part, internet::weight(&host.part, tree)) {
            let each = weight.saturating_mul(common) / crowds[&**kind];
            weights.push((HostId(at as u32), u32::try_from(each).unwrap_or(u32::MAX)));
        }
    }
    weights
}

fn lcm(a: u64, b: u64) -> u64 {
    let gcd = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    a / gcd(a, b) * b
}
