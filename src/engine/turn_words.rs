//! Which smart host has its turn, in words: the order in which a job comes to the next hops of its connector.

use super::world::World;
use crate::decide::Because;
use crate::decide::exchange::{fope, internal_route, smart_host};
use crate::model::settings::Target;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Records which smart host has its turn.
    pub(super) fn trace_turn(&mut self, job: u32, turn: u8) {
        let key = self.tables.destinations.get(self.queues[self.jobs[job].queue as usize].destination).clone();
        let count = key.hops.len();
        // Servers of one organization are no smart hosts; of one alone `which server?` has told all.
        let inside = key.rule.starts_with("INT");
        if !key.configured || inside && count < 2 {
            return;
        }
        let entries: Vec<usize> = match key.weights.is_empty() {
            true => smart_host::rotation(count, usize::from(turn)).collect(),
            false => (0..count).map(|at| fope::place(&key.weights, at, usize::from(turn))).collect(),
        };
        let reasons: Vec<Because> = entries
            .into_iter()
            .enumerate()
            .map(|(place, entry)| {
                let hop = self.tables.next_hops.get(key.hops[entry].0);
                let name = match hop.target {
                    Target::Ip(address) if inside => self.name_at(address),
                    // As connectors write it, without brackets.
                    Target::Ip(address) => address.to_string(),
                    Target::Mx(_) | Target::Host(_) => crate::decide::route::queue_name(&self.tables.names, hop),
                };
                if inside {
                    return internal_route::turn(&name, place);
                }
                if !key.weights.is_empty() {
                    return fope::reason(&name, &key.weights, place, !matches!(hop.target, Target::Ip(_)));
                }
                smart_host::reason(&name, place, key.hops.len(), !matches!(hop.target, Target::Ip(_)), key.rule)
            })
            .collect();
        let copy = self.jobs[job].copy;
        let question = if inside { "which server first?" } else { "which smart host first?" };
        let decision = self.store_reasons(question, self.copies[copy].host, key.tenant, &reasons, &[]);
        self.trace_of_job(job, &[decision]);
    }

    fn name_at(&self, address: std::net::IpAddr) -> String {
        self.model.host_at(address).map_or_else(|| address.to_string(), |host| self.model.hosts[host.index()].name.to_string())
    }
}
