//! Whose word counts? Layers of records, one over the other, and the views that are laid over the public data.
//!
//! A layer replaces every owner and type that it mentions, so a later text can move an `MX` without repeating the zone.
//! What is made up lies below all texts and gives way, owner by owner, to what is written.
//! Source: the format's own rules; RFC 2181 §5 (a set has one TTL and no record twice).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::names::Names;
use super::record::{RecordData, RecordType};
use crate::base::NameId;

/// All records of one owner and type, in the order they were written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordSet {
    /// How long a resolver keeps it: the shortest time that a record of the set has.
    pub ttl_seconds: u32,
    /// The data; never empty.
    pub records: Box<[RecordData]>,
}

/// What a validating resolver finds out about a domain.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Dnssec {
    /// Signed, and the signatures hold.
    Secure,
    /// Not signed.
    #[default]
    Insecure,
    /// Signed, and the signatures do not hold: no answer.
    Bogus,
}

/// What becomes of the names that the records do not cover.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Rest {
    /// They belong to the rest of the internet.
    #[default]
    Internet,
    /// They do not exist.
    NxDomain,
}

/// The DNS data of all views for a time. Equal content is equal, so it can share an id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Zones {
    pub(super) views: Vec<View>,
    /// Names that own a record in some view, and those that are covered for another reason.
    pub(super) covering: BTreeSet<NameId>,
    /// Names with a wildcard right below them, in some view.
    pub(super) wildcard_parents: BTreeSet<NameId>,
    pub(super) dnssec: BTreeMap<NameId, Dnssec>,
    pub(super) rest: Rest,
}

/// What one group of resolvers sees.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct View {
    pub(super) sets: BTreeMap<(NameId, RecordType), Arc<RecordSet>>,
    /// Owners and all names above them: an inner name without records exists too (RFC 4592 §2.2.2).
    pub(super) existing: BTreeSet<NameId>,
    /// From a name to the wildcard right below it.
    pub(super) wildcards: BTreeMap<NameId, NameId>,
}

impl Zones {
    /// The records of exactly this owner and type, without aliases and wildcards.
    #[must_use]
    pub fn records(&self, view: usize, owner: NameId, record_type: RecordType) -> Option<&RecordSet> {
        self.views[view].sets.get(&(owner, record_type)).map(|set| &**set)
    }

    /// Every set of a view, by owner and type. View 0 is the public one.
    pub fn sets(&self, view: usize) -> impl Iterator<Item = (NameId, RecordType, &RecordSet)> {
        self.views[view].sets.iter().map(|((owner, record_type), set)| (*owner, *record_type, &**set))
    }

    /// How many views there are, the public one among them.
    #[must_use]
    pub fn view_count(&self) -> usize {
        self.views.len()
    }

    /// Does a view have a record of this owner and type?
    #[must_use]
    pub fn owns(&self, view: usize, owner: NameId, record_type: RecordType) -> bool {
        self.views[view].sets.contains_key(&(owner, record_type))
    }

    /// Does the scenario answer for this name? It does if the name, or one above it below the top level, owns a record
    /// in any view or was declared, or if a wildcard reaches it.
    #[must_use]
    pub fn is_covered(&self, names: &Names, name: NameId) -> bool {
        self.covering.contains(&name) || names.parent(name).is_some_and(|above| self.covers_below(names, above))
    }

    /// Are the names below `above` covered?
    pub(super) fn covers_below(&self, names: &Names, above: NameId) -> bool {
        names.upwards(above).any(|above| {
            let is_below_top_level = names.parent(above).is_some_and(|parent| names.parent(parent).is_some());
            self.wildcard_parents.contains(&above) || is_below_top_level && self.covering.contains(&above)
        })
    }

    /// The state of the closest declared domain above a name, or of the name itself.
    #[must_use]
    pub fn dnssec(&self, names: &Names, name: NameId) -> Dnssec {
        names.upwards(name).find_map(|name| self.dnssec.get(&name).copied()).unwrap_or_default()
    }

    /// Is any domain signed, well or badly?
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.dnssec.values().any(|state| *state != Dnssec::Insecure)
    }

    /// Owners that have an alias beside other data, or two aliases, with the first view where it is so (RFC 2181 §10.1).
    #[must_use]
    pub fn alias_conflicts(&self) -> Vec<(usize, NameId)> {
        let mut found = BTreeMap::new();
        for (at, view) in self.views.iter().enumerate() {
            let aliases = view.sets.iter().filter(|((_, record_type), _)| *record_type == RecordType::Cname);
            for ((owner, _), set) in aliases {
                let has_others = view.owns_other_than_alias(*owner);
                if has_others || set.records.len() > 1 {
                    found.entry(*owner).or_insert(at);
                }
            }
        }
        found.into_iter().map(|(owner, view)| (view, owner)).collect()
    }
}

impl View {
    fn owns_other_than_alias(&self, owner: NameId) -> bool {
        RecordType::KEPT.iter().any(|kept| *kept != RecordType::Cname && self.sets.contains_key(&(owner, *kept)))
    }

    /// Takes away one set of an owner, or all of them.
    fn remove(&mut self, owner: NameId, record_type: Option<RecordType>) {
        match record_type {
            Some(record_type) => drop(self.sets.remove(&(owner, record_type))),
            None => RecordType::KEPT.iter().for_each(|kept| drop(self.sets.remove(&(owner, *kept)))),
        }
    }

    fn index(&mut self, names: &Names) {
        for (owner, _) in self.sets.keys() {
            for name in names.upwards(*owner) {
                if !self.existing.insert(name) {
                    break;
                }
            }
            if names.text(*owner) == "*" || names.text(*owner).starts_with("*.") {
                let above = names.parent(*owner).expect("a name that begins with `*` is not the root");
                self.wildcards.insert(above, *owner);
            }
        }
    }
}

/// One overlay: first it takes away, then it replaces what it mentions.
#[derive(Clone, Debug, Default)]
struct Layer {
    removed: Vec<(NameId, Option<RecordType>)>,
    sets: BTreeMap<(NameId, RecordType), Arc<RecordSet>>,
}

/// Collects layers. It can be cloned and go on twice: a dated change is one more layer over the same data.
#[derive(Clone, Debug)]
pub struct ZonesBuilder {
    views: Vec<Vec<Arc<Layer>>>,
    made_up: BTreeMap<(NameId, RecordType), Arc<RecordSet>>,
    covered: BTreeSet<NameId>,
    dnssec: BTreeMap<NameId, Dnssec>,
    rest: Rest,
}

impl ZonesBuilder {
    /// Nothing yet, in the public view and `further_views` others.
    #[must_use]
    pub fn new(further_views: usize) -> Self {
        Self {
            views: vec![Vec::new(); 1 + further_views],
            made_up: BTreeMap::new(),
            covered: BTreeSet::new(),
            dnssec: BTreeMap::new(),
            rest: Rest::default(),
        }
    }

    /// Lays an overlay over a view (0 is the public one, which all others stand on): `removed` owners, or an owner's
    /// records of one type, go away; then every owner and type among `records` (owner, TTL in seconds, data) is replaced.
    pub fn add_layer(
        &mut self,
        view: usize,
        removed: impl IntoIterator<Item = (NameId, Option<RecordType>)>,
        records: impl IntoIterator<Item = (NameId, u32, RecordData)>,
    ) {
        let layer = Layer { removed: removed.into_iter().collect(), sets: in_sets(records) };
        self.views[view].push(Arc::new(layer));
    }

    /// Adds records that nobody wrote. They lie below every layer, and an owner that a layer mentions has none of them.
    pub fn add_made_up(&mut self, records: impl IntoIterator<Item = (NameId, u32, RecordData)>) {
        self.made_up.append(&mut in_sets(records));
    }

    /// Declares a name covered that perhaps owns no record: an accepted domain, a hostname.
    pub fn cover(&mut self, name: NameId) {
        self.covered.insert(name);
    }

    /// Declares what validation of a domain and of all below it says.
    pub fn set_dnssec(&mut self, domain: NameId, state: Dnssec) {
        self.dnssec.insert(domain, state);
    }

    /// Says what becomes of uncovered names.
    pub fn set_rest(&mut self, rest: Rest) {
        self.rest = rest;
    }

    /// The finished data.
    #[must_use]
    pub fn build(&self, names: &Names) -> Zones {
        let mut views = Vec::with_capacity(self.views.len());
        for (at, own) in self.views.iter().enumerate() {
            let public = if at == 0 { [].iter() } else { self.views[0].iter() };
            let mut view = View { sets: self.made_up.clone(), ..View::default() };
            let mut written = BTreeSet::new();
            for layer in public.chain(own) {
                layer.removed.iter().for_each(|(owner, record_type)| view.remove(*owner, *record_type));
                for (key, set) in &layer.sets {
                    if written.insert(key.0) {
                        view.remove_made_up(key.0, &self.made_up);
                    }
                    view.sets.insert(*key, Arc::clone(set));
                }
            }
            view.index(names);
            views.push(view);
        }
        let owners = views.iter().flat_map(|view| view.sets.keys().map(|(owner, _)| *owner));
        Zones {
            covering: owners.chain(self.covered.iter().copied()).collect(),
            wildcard_parents: views.iter().flat_map(|view| view.wildcards.keys().copied()).collect(),
            views,
            dnssec: self.dnssec.clone(),
            rest: self.rest,
        }
    }
}

impl View {
    /// Takes away what was made up for an owner that somebody now speaks about.
    fn remove_made_up(&mut self, owner: NameId, made_up: &BTreeMap<(NameId, RecordType), Arc<RecordSet>>) {
        for kept in RecordType::KEPT {
            if made_up.contains_key(&(owner, *kept)) {
                self.sets.remove(&(owner, *kept));
            }
        }
    }
}

/// Records as sets: in the written order, none twice, the shortest TTL for all.
fn in_sets(records: impl IntoIterator<Item = (NameId, u32, RecordData)>) -> BTreeMap<(NameId, RecordType), Arc<RecordSet>> {
    let mut lists = BTreeMap::<_, (u32, Vec<RecordData>, BTreeSet<RecordData>)>::new();
    for (owner, ttl_seconds, data) in records {
        let (shortest, list, seen) = lists.entry((owner, data.record_type())).or_insert((ttl_seconds, Vec::new(), BTreeSet::new()));
        *shortest = ttl_seconds.min(*shortest);
        if seen.insert(data.clone()) {
            list.push(data);
        }
    }
    lists.into_iter().map(|(key, (ttl_seconds, list, _))| (key, Arc::new(RecordSet { ttl_seconds, records: list.into() }))).collect()
}
