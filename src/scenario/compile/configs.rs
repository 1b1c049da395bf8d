//! What is each machine set to in a stage? Each kind of system has its own reader; equal settings share a row.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{ConfigId, SystemId};
use crate::model::authentication::Stance;
use crate::model::settings::{Credentials, Directory, HostConfig, MtaDirectory, Profile};
use crate::model::topology::{SystemKind, Version};
use crate::scenario::schema::{self, System};

use super::certificates::Certificates;
use super::desk::Desk;
use super::exchange_server::About;
use super::identity::Identity;
use super::scope::Scope;
use super::stage::Stage;
use super::tables::Tables;
use super::world::{HostPlan, Part, World};
use super::{device, exchange_online, exchange_server, fope, internet, mta, receiver};

/// So many rows back an equal one is looked for: thousands of different machines must not be compared pair by pair.
const NEIGHBOURS: usize = 64;

/// Makes the settings of all machines in a stage.
pub(super) struct StageConfigs<'a> {
    pub(super) stage: &'a Stage,
    pub(super) world: &'a World,
    pub(super) scope: &'a Scope,
    pub(super) certificates: &'a Certificates,
    /// Of the stages before.
    pub(super) versions: &'a [Version],
    pub(super) configs: &'a mut Vec<HostConfig>,
    /// For each stage so far: which machines it has.
    pub(super) there: &'a mut Vec<Vec<bool>>,
}

impl StageConfigs<'_> {
    pub(super) fn all(&mut self, identities: &[Identity], tables: &mut Tables, desk: &mut Desk) -> Vec<ConfigId> {
        let mut ids: Vec<ConfigId> = Vec::with_capacity(identities.len());
        let mut there = vec![true; identities.len()];
        // Machines of a pool are all alike.
        let mut pools: BTreeMap<(usize, &str), ConfigId> = BTreeMap::new();
        let is_fope = |host: &HostPlan| self.world.systems[host.system].kind == SystemKind::Fope;
        let of_fopes = self.world.hosts.iter().zip(identities).filter(|(host, _)| is_fope(host));
        let fopes = of_fopes.map(|(host, identity)| (host.name.clone(), identity.addresses.clone())).collect();
        for (at, (host, identity)) in self.world.hosts.iter().zip(identities).enumerate() {
            let pool = match &host.part {
                Part::FrontEnd(_) => Some((host.system, "")),
                Part::Sender(kind, _) => Some((host.system, &**kind)),
                Part::Itself | Part::Entry => None,
            };
            if let Some(id) = pool.and_then(|pool| pools.get(&pool)) {
                ids.push(*id);
                continue;
            }
            let written = self.one(host, identity, (identities, at, &fopes), tables, desk);
            there[at] = written.is_some();
            let config = written.unwrap_or_else(absent);
            let id = self.id(ids.len(), config);
            pools.extend(pool.map(|pool| (pool, id)));
            ids.push(id);
        }
        self.there.push(there);
        ids
    }

    /// The row of a config: that of the same machine in an earlier stage or of a near neighbour, if it is equal.
    fn id(&mut self, host: usize, config: HostConfig) -> ConfigId {
        let near = self.configs.len().saturating_sub(NEIGHBOURS)..self.configs.len();
        let earlier = self.versions.iter().map(|version| version.configs[host].index());
        let known = earlier.chain(near.rev()).find(|at| self.configs[*at] == config);
        ConfigId(known.unwrap_or_else(|| {
            self.configs.push(config);
            self.configs.len() - 1
        }) as u32)
    }

    fn one(
        &self,
        host: &HostPlan,
        identity: &Identity,
        (identities, here, fopes): (&[Identity], usize, &BTreeMap<Box<str>, Vec<IpAddr>>),
        tables: &mut Tables,
        desk: &mut Desk,
    ) -> Option<HostConfig> {
        let tree = &self.stage.tree;
        let system = tree.systems.get(&self.world.systems[host.system].name);
        let written = host.written(&self.world.systems, tree);
        Some(match (&host.part, system, written) {
            (Part::FrontEnd(_), _, _) => {
                let id = |name: &str| {
                    let at = self.world.systems.iter().position(|system| *system.name == *name)?;
                    Some(SystemId(at as u32))
                };
                let at = self.stage.at;
                let mut config = exchange_online::front_end((tree, at), &identity.services, &id, self.certificates, tables, desk);
                fope::protect(&mut config, self.world, tree, fopes, tables, desk);
                config
            }
            (_, Some(System::Mta(mta) | System::Gateway(mta)), Some(own)) => {
                mta::config(mta, own, identity, self.scope, self.certificates, tables, desk)
            }
            (_, Some(System::Fope(own)), Some(_)) => fope::config((&host.name, own), tree, self.scope, self.certificates, tables, desk),
            (_, Some(System::ExchangeServer(server)), Some(own)) => {
                let about = About { tree, world: self.world, identities, scope: self.scope, system: host.system, here };
                exchange_server::config(server, own, about, self.certificates, tables, desk)
            }
            (_, Some(System::Device(device)), _) => device::config(device, identity, self.certificates, tables, desk),
            (Part::Sender(..), _, _) => internet::config(&host.part, None, tree, self.certificates, desk),
            (_, Some(System::Internet(_)), own) => internet::config(&host.part, own, tree, self.certificates, desk),
            (Part::Itself, None, _) if self.world.systems[host.system].kind == SystemKind::Internet => {
                internet::config(&host.part, None, tree, self.certificates, desk)
            }
            // Not there (any more): nothing listens, and nothing leaves.
            _ => return None,
        })
    }
}

/// A machine that this stage does not have.
fn absent() -> HostConfig {
    let nothing = schema::Host::default();
    let directory = Directory::Mta(MtaDirectory::default());
    let mut receiver = receiver::receiver(&nothing, receiver::Usual::MTA, directory, &Certificates::default(), &mut Desk::default());
    receiver.listeners.clear();
    receiver.is_there = false;
    HostConfig { sender: mta::usual(Profile::Rfc).sender, receiver, stance: Stance::default(), credentials: Credentials::default() }
}
