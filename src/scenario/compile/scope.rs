//! Which machines does a name mean? A system, a host, a group, a site, one of a pool, or `*`.
//!
//! Built from a finished model, so that a single message or a fault can be compiled long after the text was read.

use std::collections::BTreeMap;

use crate::base::{HostId, InOrder};
use crate::diag::{Diagnostic, code};
use crate::model::Model;
use crate::model::topology::{Host, HostSet, System, SystemKind};
use crate::scenario::source::Text;

use super::desk::Desk;

/// The one name space of systems, hosts, sender kinds, groups and sites.
#[derive(Debug, Default)]
pub(super) struct Scope(BTreeMap<Box<str>, Vec<HostId>>, Vec<Box<str>>);

impl Scope {
    pub(super) fn of(model: &Model) -> Self {
        Self::new(&model.systems, &model.hosts)
    }

    pub(super) fn new(systems: &[System], hosts: &[Host]) -> Self {
        let mut names: BTreeMap<Box<str>, Vec<HostId>> = BTreeMap::new();
        for (at, host) in hosts.iter().enumerate() {
            let id = HostId(at as u32);
            names.entry(host.name.clone()).or_default().push(id);
            if let Some((kind, _)) = host.name.rsplit_once('#') {
                names.entry(kind.into()).or_default().push(id);
            }
            for group in &host.groups {
                names.entry(group.clone()).or_default().push(id);
            }
        }
        for system in systems {
            // A tenant's machines are those of the shared service.
            names.insert(system.name.clone(), system.hosts.clone());
        }
        let tenants: Vec<Box<str>> =
            systems.iter().filter(|system| system.kind == SystemKind::Tenant).map(|system| system.name.clone()).collect();
        let mut scope = Self(names, if tenants.len() > 1 { tenants } else { Vec::new() });
        if systems.iter().any(|system| system.kind == SystemKind::ExchangeOnline) {
            scope.0.entry("exchange-online".into()).or_default();
        }
        for hosts in scope.0.values_mut() {
            hosts.in_order();
            hosts.dedup();
        }
        scope
    }

    pub(super) fn find(&self, name: &str) -> Option<&[HostId]> {
        self.0.get(name).map(Vec::as_slice)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    /// The machines that a text means; nothing, and a complaint, if there are none.
    pub(super) fn hosts(&self, text: &Text, desk: &mut Desk) -> Vec<HostId> {
        match self.find(text) {
            Some(hosts) => hosts.to_vec(),
            None if desk.refused.contains(text.as_str()) => Vec::new(),
            None => {
                let problem = Diagnostic::error(code::UNKNOWN_NAME, text.span(), format!("nothing here is called `{text}`"));
                desk.unknown(problem, text, self.names(), "the name of a system, a host, a group or a site stands here");
                Vec::new()
            }
        }
    }

    /// The same, with `*` for everybody.
    pub(super) fn set(&self, text: &Text, desk: &mut Desk) -> HostSet {
        if text.as_str() == "*" { HostSet::All } else { HostSet::These(self.hosts(text, desk)) }
    }

    /// The machines that a fault strikes: one of several tenants has none of its own.
    pub(super) fn struck(&self, text: &Text, desk: &mut Desk) -> HostSet {
        if self.1.iter().any(|tenant| **tenant == *text.as_str()) {
            let why = format!(
                "`{text}` is one of several tenants: the machines are those of the shared service, and all tenants would be struck"
            );
            desk.problems
                .push(Diagnostic::error(code::BOTH_SPEAK, text.span(), why).help("name the shared service itself: \"exchange-online\""));
        }
        self.set(text, desk)
    }

    /// All machines of several names, sorted.
    pub(super) fn all_of(&self, texts: &[Text], desk: &mut Desk) -> Vec<HostId> {
        let mut hosts: Vec<HostId> = texts.iter().flat_map(|text| self.hosts(text, desk)).collect();
        hosts.in_order();
        hosts.dedup();
        hosts
    }
}
