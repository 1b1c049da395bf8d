//! Where does a message enter? By whom it says; else at the device that sends for the sender; else where the sender has its mailbox; else from the internet. Rule 7 of identity.
//!
//! Asked of a finished model, so that one message can be placed long after the text was read. What a dated change moves (a mailbox to another server or to the
//! cloud, the active copy of its database, what a device sends for) counts from its moment on.

use crate::base::{Address, HostId, NameId, Pattern, SimTime, SystemId};
use crate::decide::profile::{RequireTlsRule, behaviour};
use crate::diag::{Diagnostic, Span, code};
use crate::model::Model;
use crate::model::dns::{Zones, parent_text};
use crate::model::settings::Directory;
use crate::model::topology::SystemKind;
use crate::model::traffic::{Door, Moved};
use crate::scenario::source::Text;

use super::desk::Desk;
use super::scope::Scope;

/// Machines where a message enters, with weights, and in whose name if that is a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) hosts: Vec<(HostId, u32)>,
    pub(super) tenant: Option<SystemId>,
}

/// What is known about entries in a model.
#[derive(Debug)]
pub(super) struct Entries<'m> {
    model: &'m Model,
    scope: Scope,
    /// The machines of the internet that send, with weights.
    internet: Vec<(HostId, u32)>,
}

impl<'m> Entries<'m> {
    pub(super) fn new(model: &'m Model, internet: Vec<(HostId, u32)>) -> Self {
        Self { model, scope: Scope::of(model), internet }
    }

    /// As the text says.
    pub(super) fn by(&self, name: &Text, desk: &mut Desk) -> Option<Entry> {
        let model = self.model;
        let system = model.systems.iter().position(|system| *system.name == **name).map(|at| SystemId(at as u32));
        if system == Some(model.internet) {
            return Some(Entry { hosts: self.internet.clone(), tenant: None });
        }
        let hosts = self.scope.hosts(name, desk);
        let weights: Vec<(HostId, u32)> = hosts.iter().map(|host| (*host, 1)).collect();
        if hosts.is_empty() {
            return None;
        }
        let at_service = |host: &HostId| model.systems[model.hosts[host.index()].system.index()].kind == SystemKind::ExchangeOnline;
        let tenant = match system.filter(|id| model.systems[id.index()].kind == SystemKind::Tenant) {
            Some(tenant) => Some(tenant),
            None if hosts.iter().any(at_service) => Some(self.only_tenant(name, desk)?),
            None => None,
        };
        Some(Entry { hosts: weights, tenant })
    }

    /// Does a machine keep to REQUIRETLS (RFC 8689), as it is at the start?
    pub(super) fn knows_requiretls(&self, host: HostId) -> bool {
        behaviour(self.model.config(self.model.versions[0].configs[host.index()]).sender.profile).tls.requiretls != RequireTlsRule::Unknown
    }

    /// The tenant that the shared service stands for, if there is one only.
    fn only_tenant(&self, name: &Text, desk: &mut Desk) -> Option<SystemId> {
        let is_tenant = |at: &usize| self.model.systems[*at].kind == SystemKind::Tenant;
        let tenants: Vec<usize> = (0..self.model.systems.len()).filter(is_tenant).collect();
        if let [only] = tenants[..] {
            return Some(SystemId(only as u32));
        }
        let message = format!("`{name}` is shared by all tenants, and a message enters in the name of one");
        desk.error(code::NO_ENTRY, name.span(), message, "write the name of the tenant in `by`");
        None
    }

    /// Which version of the world is in force at a moment.
    pub(super) fn version_at(&self, at: SimTime) -> usize {
        self.model.version_at(at)
    }

    /// Where a sender's mail comes from in a version of the world, if nobody says.
    pub(super) fn of_sender(&self, version: usize, sender: &Address, place: Span, desk: &mut Desk) -> Option<Entry> {
        self.found(version, sender, place).map_err(|problem| desk.say(*problem)).ok()
    }

    /// Where senders' mail comes from later, if changes move any of them. Who has no mailbox any more goes on as before.
    pub(super) fn moves(&self, senders: &[Address], since: SimTime, first: &Entry) -> Vec<Moved> {
        let mut doors: Vec<Door> = vec![(first.hosts.clone(), first.tenant); senders.len()];
        let mut moves = Vec::new();
        for (version, row) in self.model.versions.iter().enumerate().skip(self.version_at(since) + 1) {
            let there = senders.iter().zip(&doors).map(|(sender, before)| {
                let found = self.found(version, sender, Span::NOWHERE).ok();
                found.filter(|entry| entry.hosts != self.internet).map_or_else(|| before.clone(), |entry| (entry.hosts, entry.tenant))
            });
            let there: Vec<Door> = there.collect();
            if there != doors {
                doors = there;
                moves.push(Moved { at: row.at, doors: doors.clone() });
            }
        }
        moves
    }

    fn found(&self, version: usize, sender: &Address, place: Span) -> Result<Entry, Box<Diagnostic>> {
        let address = sender.to_string();
        if let Some(entry) = self.of_device(version, &address, place)? {
            return Ok(entry);
        }
        let mut claims: Vec<((bool, usize), SystemId, Vec<HostId>)> = Vec::new();
        for (at, system) in self.model.systems.iter().enumerate() {
            let id = SystemId(at as u32);
            let mut best: Option<(bool, usize)> = None;
            let mut hosts: Vec<HostId> = Vec::new();
            for host in &system.hosts {
                let claim = self.patterns(version, *host, id).iter().filter(|pattern| pattern.matches(&address)).map(closeness).max();
                if claim.is_some() && claim >= best {
                    if claim > best {
                        hosts.clear();
                    }
                    best = claim;
                    hosts.push(*host);
                }
            }
            claims.extend(best.map(|best| (best, id, hosts)));
        }
        let best = claims.iter().map(|(closeness, _, _)| *closeness).max();
        claims.retain(|(closeness, _, _)| Some(*closeness) == best);
        match &claims[..] {
            [(_, system, hosts)] => {
                let tenant = (self.model.systems[system.index()].kind == SystemKind::Tenant).then_some(*system);
                Ok(Entry { hosts: hosts.iter().map(|host| (*host, 1)).collect(), tenant })
            }
            [] if !self.is_covered(version, &sender.domain) => Ok(Entry { hosts: self.internet.clone(), tenant: None }),
            [] => {
                let message = format!("`{sender}` has no mailbox here, but the scenario speaks for `{}`", sender.domain);
                let problem = Diagnostic::error(code::NO_ENTRY, place, message);
                let help = "say where the message enters: by: \"internet\" for a forged sender, or by: and the name of a system";
                Err(Box::new(problem.help(help)))
            }
            [(_, one, _), (_, other, _), ..] => {
                let name = |id: &SystemId| &self.model.systems[id.index()].name;
                let message = format!("`{sender}` could be a mailbox of `{}` and of `{}`", name(one), name(other));
                let problem = Diagnostic::error(code::NO_ENTRY, place, message);
                Err(Box::new(problem.help(format!("say where the message enters: by: \"{}\"", name(one)))))
            }
        }
    }

    /// The device that sends for this address.
    fn of_device(&self, version: usize, address: &str, place: Span) -> Result<Option<Entry>, Box<Diagnostic>> {
        let claim = |(host, patterns): &(HostId, Vec<Pattern>)| {
            Some((patterns.iter().filter(|pattern| pattern.matches(address)).map(closeness).max()?, *host))
        };
        let claims: Vec<((bool, usize), HostId)> = self.model.versions[version].devices.iter().filter_map(claim).collect();
        let best = claims.iter().map(|(closeness, _)| *closeness).max();
        let mut hosts = claims.into_iter().filter(|(closeness, _)| Some(*closeness) == best).map(|(_, host)| host);
        let Some(device) = hosts.next() else { return Ok(None) };
        if let Some(other) = hosts.next() {
            let name = |host: HostId| &self.model.hosts[host.index()].name;
            let message = format!("both `{}` and `{}` send for `{address}`", name(device), name(other));
            let problem = Diagnostic::error(code::NO_ENTRY, place, message);
            return Err(Box::new(problem.help(format!("say where the message enters: by: \"{}\"", name(device)))));
        }
        Ok(Some(Entry { hosts: vec![(device, 1)], tenant: None }))
    }

    /// Mailboxes of a system on one of its machines in a version of the world.
    fn patterns(&self, version: usize, host: HostId, system: SystemId) -> &'m [Pattern] {
        let model = self.model;
        match &model.config(model.versions[version].configs[host.index()]).receiver.directory {
            Directory::Mta(directory) => &directory.mailboxes,
            Directory::Organization(organization) => &organization.mailboxes,
            // The shared service itself has no mailboxes.
            Directory::Tenants(tenants) => tenants.iter().find(|tenant| tenant.system == system).map_or(&[], |tenant| &tenant.mailboxes),
            Directory::Everything => &[],
        }
    }

    fn is_covered(&self, version: usize, domain: &str) -> bool {
        let model = self.model;
        let zones = &model.zones[model.versions[version].zones.index()];
        is_covered(zones, model, domain)
    }
}

/// Is a name covered, even one that the model never heard of?
fn is_covered(zones: &Zones, model: &Model, name: &str) -> bool {
    if let Some(known) = model.names.find(name) {
        return zones.is_covered(&model.names, known);
    }
    let mut above = parent_text(name);
    while let Some(name) = above.filter(|name| !name.is_empty()) {
        if let Some(known) = model.names.find(name) {
            let below_top_level = model.names.parent(known).is_some_and(|parent: NameId| model.names.parent(parent).is_some());
            return below_top_level && zones.is_covered(&model.names, known);
        }
        above = parent_text(name);
    }
    false
}

fn closeness(pattern: &Pattern) -> (bool, usize) {
    (pattern.is_exact(), pattern.weight())
}
