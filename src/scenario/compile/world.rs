//! Who is there? All systems and their machines, those of every dated change among them, under one name space.
//!
//! A system without `hosts` is one machine. The shared service of all tenants and the internet are made up where nobody writes them.

use crate::base::{InOrder, SimTime};
use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Span, code};
use crate::model::fault::Window;
use crate::model::topology::SystemKind;
use crate::scenario::schema::{Fault, Host, Internet, Scenario, SenderKind, System};
use crate::scenario::source::{Field, Named};

use super::desk::Desk;
use super::stage::Stage;

/// The reserved name of the shared service.
pub(super) const SERVICE: &str = "exchange-online";
/// The reserved name of everybody else.
pub(super) const INTERNET: &str = "internet";
/// Front ends of the shared service, where nobody says how many.
const POOL: u32 = 8;
const POOL_MAX: u32 = 10_000;

/// One system.
#[derive(Debug)]
pub(super) struct SystemPlan {
    pub(super) name: Box<str>,
    pub(super) kind: SystemKind,
    pub(super) place: Span,
}

/// What a machine is to its system.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// The system is this one machine.
    Itself,
    /// An entry of `hosts`.
    Entry,
    /// One of the shared service, counted from 0.
    FrontEnd(u32),
    /// One of a kind of senders, counted from 0.
    Sender(Box<str>, u32),
}

/// One machine before it has addresses.
#[derive(Debug)]
pub(super) struct HostPlan {
    pub(super) name: Box<str>,
    /// Index of its system.
    pub(super) system: usize,
    pub(super) part: Part,
    pub(super) place: Span,
    /// Which of its system's or kind's caches it asks.
    pub(super) cache: u32,
}

impl HostPlan {
    /// What the text of a stage says about this machine.
    pub(super) fn written<'a>(&self, systems: &[SystemPlan], tree: &'a Scenario) -> Option<&'a Host> {
        let system = tree.systems.get(&systems[self.system].name)?;
        let (own, entries) = parts(system)?;
        match self.part {
            Part::Itself => entries.is_none_or(Named::is_empty).then_some(own),
            Part::Entry => entries?.get(&self.name),
            Part::FrontEnd(_) | Part::Sender(..) => None,
        }
    }

    /// The same, from the moment on when the machine is there.
    pub(super) fn first_written<'a>(&self, systems: &[SystemPlan], stages: &'a [Stage]) -> Option<&'a Host> {
        stages.iter().find_map(|stage| self.written(systems, &stage.tree))
    }

    /// What it receives, and from when to when: dated changes may say it anew.
    pub(super) fn receives<'a>(&self, systems: &[SystemPlan], stages: &'a [Stage]) -> Vec<(&'a [Fault], Window)> {
        let mut lists: Vec<(&Field<Vec<Fault>>, Window)> = Vec::new();
        for stage in stages {
            let Some(host) = self.written(systems, &stage.tree) else { continue };
            match lists.last_mut() {
                Some((last, _)) if **last == host.receives => {}
                Some((_, window)) => {
                    window.until = stage.at;
                    lists.push((&host.receives, Window { from: stage.at, until: SimTime::NEVER }));
                }
                None => lists.push((&host.receives, Window::ALWAYS)),
            }
        }
        lists.into_iter().map(|(list, window)| (list.items(), window)).collect()
    }
}

/// Everybody, in the order of names.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) systems: Vec<SystemPlan>,
    pub(super) hosts: Vec<HostPlan>,
}

impl World {
    pub(super) fn plan(stages: &[Stage], desk: &mut Desk) -> Self {
        let mut hosts = Vec::new();
        let systems = systems(stages, desk);
        for (at, system) in systems.iter().enumerate() {
            hosts.extend(machines(at, system, stages, desk));
        }
        hosts.in_order_by(|a, b| order(&a.name).cmp(&order(&b.name)));
        let world = Self { systems, hosts };
        world.names_mean_something(&stages[0].tree, desk);
        world.one_name_space(stages, desk);
        world
    }

    /// Names that could not be told from an address, from everybody, or from one of a pool.
    fn names_mean_something(&self, tree: &Scenario, desk: &mut Desk) {
        let mut look = |name: &str, place: Span| {
            let is_address = name.parse::<std::net::IpAddr>().is_ok();
            if place.is_somewhere() && (name.trim().is_empty() || name == "*" || name.contains('#') || is_address) {
                let help = "`*` means everybody, `NAME#3` the third machine of a pool, and addresses stand in `addresses`";
                desk.error(code::RESERVED, place, format!("`{name}` cannot be a name here"), help);
            }
        };
        for system in &self.systems {
            look(&system.name, system.place);
        }
        for host in &self.hosts {
            match &host.part {
                Part::Entry => look(&host.name, host.place),
                Part::Sender(kind, 0) => look(kind, host.place),
                Part::Sender(..) | Part::FrontEnd(_) | Part::Itself => {}
            }
        }
        for name in tree.groups.keys() {
            look(name, name.span());
        }
    }

    /// Systems, hosts, sender kinds, groups and sites share one name space.
    fn one_name_space(&self, stages: &[Stage], desk: &mut Desk) {
        let mut taken: BTreeMap<Box<str>, (&'static str, Span)> = BTreeMap::new();
        let mut claim = |name: &str, what: &'static str, place: Span, shared: bool| match taken.get(name) {
            Some((other, there)) if !(shared && *other == what) => {
                let problem =
                    Diagnostic::error(code::NAME_TAKEN, place, format!("`{name}` is the name of {other} already, and here of {what}"));
                desk.say(problem.also(*there, other).help("systems, hosts, sender kinds, groups and sites share one name space"));
            }
            Some(_) => {}
            None => drop(taken.insert(name.into(), (what, place))),
        };
        for system in &self.systems {
            claim(&system.name, "a system", system.place, false);
        }
        for host in &self.hosts {
            match &host.part {
                Part::Entry => claim(&host.name, "a host", host.place, false),
                Part::Sender(kind, 0) => claim(kind, "a kind of senders", host.place, false),
                Part::Sender(..) | Part::FrontEnd(_) | Part::Itself => {}
            }
        }
        let base = &stages[0].tree;
        for (name, _) in base.groups.iter() {
            claim(name, "a group", name.span(), false);
        }
        for host in &self.hosts {
            if let Some(site) = host.first_written(&self.systems, stages).and_then(|host| host.site.get()) {
                claim(site, "a site", site.span(), true);
            }
        }
    }
}

/// All systems, those of changes among them, by name.
fn systems(stages: &[Stage], desk: &mut Desk) -> Vec<SystemPlan> {
    let mut systems: BTreeMap<Box<str>, SystemPlan> = BTreeMap::new();
    let mut any_tenant = false;
    for stage in stages {
        for (name, system) in stage.tree.systems.iter() {
            let Some(kind) = kind_of(system) else {
                desk.not_modelled(system.place(), &format!("systems of the kind `{}`", system.word()));
                desk.refused.insert(name.as_str().into());
                continue;
            };
            any_tenant |= kind == SystemKind::Tenant;
            if name.as_str() == SERVICE || (name.as_str() == INTERNET) != (kind == SystemKind::Internet) {
                let help = "`internet` is the name of the one `Internet()`, `exchange-online` that of the service under all tenants";
                desk.error(code::RESERVED, name.span(), format!("`{name}` cannot be the name of this `{}`", system.word()), help);
                continue;
            }
            match systems.get(name.as_str()) {
                Some(known) if known.kind != kind => {
                    let message = format!("`{name}` becomes another kind of system while the scenario runs: not modelled yet");
                    desk.error(code::CHANGE_NOT_MODELLED, name.span(), message, "give the new system a name of its own");
                }
                Some(_) => {}
                None => drop(systems.insert(name.as_str().into(), SystemPlan { name: name.as_str().into(), kind, place: name.span() })),
            }
        }
    }
    let mut make_up = |name: &str, kind| {
        systems.entry(name.into()).or_insert_with(|| SystemPlan { name: name.into(), kind, place: Span::NOWHERE });
    };
    make_up(INTERNET, SystemKind::Internet);
    if any_tenant {
        make_up(SERVICE, SystemKind::ExchangeOnline);
    }
    systems.into_values().collect()
}

/// The machines of one system.
fn machines(at: usize, system: &SystemPlan, stages: &[Stage], desk: &mut Desk) -> Vec<HostPlan> {
    let host = |name: &str, part, place, cache| HostPlan { name: name.into(), system: at, part, place, cache };
    match system.kind {
        SystemKind::Tenant => Vec::new(),
        SystemKind::ExchangeOnline => (0..pool_of_service(&stages[0].tree, desk))
            .map(|n| host(&format!("{SERVICE}#{}", n + 1), Part::FrontEnd(n), Span::NOWHERE, 0))
            .collect(),
        SystemKind::Internet => {
            let mut hosts = vec![host(&system.name, Part::Itself, system.place, 0)];
            if let Some(System::Internet(internet)) = stages[0].tree.systems.get(INTERNET) {
                for (kind, sender) in internet.senders.iter() {
                    let (count, caches) = crowd(sender, desk);
                    for n in 0..count {
                        let name = if count == 1 { kind.to_string() } else { format!("{kind}#{}", n + 1) };
                        hosts.push(host(&name, Part::Sender(kind.as_str().into(), n), kind.span(), n % caches));
                    }
                }
            }
            hosts
        }
        SystemKind::Mta | SystemKind::Gateway | SystemKind::Device | SystemKind::ExchangeServer | SystemKind::Fope => {
            let mut hosts: BTreeMap<Box<str>, HostPlan> = BTreeMap::new();
            for stage in stages {
                let Some((own, entries)) = stage.tree.systems.get(&system.name).and_then(parts) else { continue };
                match entries.filter(|entries| !entries.is_empty()) {
                    None => drop(hosts.entry(system.name.clone()).or_insert_with(|| host(&system.name, Part::Itself, system.place, 0))),
                    Some(entries) => {
                        only_hosts_have(own, desk);
                        for key in entries.keys() {
                            hosts.entry(key.as_str().into()).or_insert_with(|| host(key, Part::Entry, key.span(), 0));
                        }
                    }
                }
            }
            hosts.into_values().collect()
        }
    }
}

/// How many machines and how many caches a kind of senders has: at least one machine for each cache.
fn crowd(sender: &SenderKind, desk: &mut Desk) -> (u32, u32) {
    let pool = desk.number_or(&sender.pool, 1, 1, POOL_MAX);
    let caches = desk.number_or(&sender.resolvers, 1, 1, POOL_MAX);
    (pool.max(caches), caches)
}

fn pool_of_service(tree: &Scenario, desk: &mut Desk) -> u32 {
    let Some(service) = tree.exchange_online.get() else { return POOL };
    let addresses = service.addresses.items().len() as u32;
    desk.number_or(&service.pool, if addresses == 0 { POOL } else { addresses.min(POOL_MAX) }, 1, POOL_MAX)
}

/// The kind of a system, if it is modelled.
fn kind_of(system: &System) -> Option<SystemKind> {
    Some(match system {
        System::Mta(_) => SystemKind::Mta,
        System::Gateway(_) => SystemKind::Gateway,
        System::ExchangeOnline(_) => SystemKind::Tenant,
        System::ExchangeServer(_) => SystemKind::ExchangeServer,
        System::Internet(_) => SystemKind::Internet,
        System::Device(_) => SystemKind::Device,
        System::Fope(_) => SystemKind::Fope,
    })
}

/// What a system says about itself as a machine, and about its machines.
pub(super) fn parts(system: &System) -> Option<(&Host, Option<&Named<Host>>)> {
    match system {
        System::Mta(mta) | System::Gateway(mta) => Some((&mta.host, Some(&mta.hosts))),
        System::ExchangeServer(server) => Some((&server.host, Some(&server.hosts))),
        System::Internet(Internet { host, .. }) => Some((host, None)),
        System::Device(device) => Some((&device.host, None)),
        System::Fope(fope) => Some((&fope.host, None)),
        System::ExchangeOnline(_) => None,
    }
}

/// A system with `hosts` has no hostname or address itself.
fn only_hosts_have(own: &Host, desk: &mut Desk) {
    let written = [
        ("hostname", own.hostname.span()),
        ("addresses", own.addresses.span()),
        ("egress", own.egress.span()),
        ("egress_pool", own.egress_pool.span()),
        ("forwarded", own.forwarded.span()),
        ("certificate", own.certificate.span()),
        ("listeners", own.listeners.span()),
        ("receives", own.receives.span()),
        ("site", own.site.span()),
        ("role", own.role.span()),
        ("sessions", own.sessions.span()),
        ("when_full", own.when_full.span()),
        ("service_time", own.service_time.span()),
    ];
    for (field, span) in written.into_iter().filter(|(_, span)| span.is_somewhere()) {
        desk.error(code::EXCLUDES, span, format!("a system with `hosts` has no `{field}` itself"), "write it at each host");
    }
}

/// `a#10` stands behind `a#9`.
fn order(name: &str) -> (&str, u32) {
    match name.rsplit_once('#').map(|(kind, number)| (kind, number.parse())) {
        Some((kind, Ok(number))) => (kind, number),
        _ => (name, 0),
    }
}
