//! What a tenant of Exchange Online asks of its own policies before mail leaves: under whose name, from which addresses, and whether at all.
//!
//! Sources: "Sender Rewriting Scheme (SRS) in Microsoft 365"; "Outbound delivery pools"; Set-HostedOutboundSpamFilterPolicy AutoForwardingMode.

use super::route::Stop;
use super::world::World;
use crate::base::{Address, Enhanced, HostId};
use crate::decide::acceptance::accepted_domain;
use crate::decide::exchange::{outbound_pool, sender_rewriting};
use crate::decide::{Decision, because, srs};
use crate::model::dns::{Outcome, RecordType};
use crate::model::exchange::{Pool, Tenant};
use crate::model::expansion::{Apart, Expansion, SenderAfter};
use crate::model::letter::Letter;
use crate::model::traffic::AddressTemplate;
use crate::trace::NONE;
use smallvec::SmallVec;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Who stands for a recipient gets the message under a name that SPF speaks for, where it leaves the tenant.
    pub(super) fn under_whose_name(
        &mut self,
        (tenant, host, letter): (&Tenant, HostId, &Letter),
        address: &str,
        expansion: &mut Expansion,
        decisions: &mut SmallVec<[u32; 2]>,
    ) {
        if expansion.sender != SenderAfter::Kept {
            return;
        }
        let (sender, kept, why) = sender_rewriting::sender_after(tenant, &self.tables.names, letter, expansion, address);
        expansion.sender = sender;
        let is_apart = |at: &usize| expansion.apart.iter().any(|(place, _)| place == at);
        let kept: Vec<usize> = kept.into_iter().filter(|at| !is_apart(at)).collect();
        expansion.apart.extend(kept.into_iter().map(|at| (at, Apart::KeepsSender)));
        decisions.extend(why.map(|why| self.store_reasons("under whose name does it go on?", host, tenant.system.0, &[why], &[])));
    }

    /// The envelope sender of the copies that go on.
    pub(super) fn sender_after(&mut self, copy: u32, index: u16, after: &SenderAfter) -> u32 {
        let sender = self.sender_of(copy);
        if sender == NONE {
            return NONE;
        }
        let message = self.copies[copy].message;
        let number = self.messages[message].address_number;
        let own = self.tables.templates.get(self.recipient_template(message, index)).expand(number);
        let from: Address = self.tables.templates.get(sender).expand(number);
        let begin = self.model.start_unix_s.unwrap_or(0).max(0) as u64;
        let day = (begin + self.now.0 / crate::base::SECOND) / 86_400;
        let rewritten = match after {
            SenderAfter::Kept => return sender,
            SenderAfter::Replaced(owner) => return self.tables.templates.intern(owner.clone()),
            SenderAfter::Rewritten(domain) => srs::rewrite(&from, domain.as_deref().unwrap_or(&own.domain), day),
            SenderAfter::InTheNameOf => srs::rewrite_for(&own, &from, day),
        };
        self.tables.templates.intern(AddressTemplate::of(&rewritten))
    }

    /// The outbound spam policy of a tenant keeps its mailboxes from passing mail on to people outside.
    pub(super) fn forbidden_forward(
        &mut self,
        tenant: &Tenant,
        host: HostId,
        letter: &Letter,
        domain: &str,
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Option<Stop> {
        let passed_on = letter.forwards.iter().any(|(by, _)| *by == tenant.system);
        if tenant.forwards_outside || !passed_on || accepted_domain(tenant, &self.tables.names, domain).is_some() {
            return None;
        }
        let why = "the outbound spam policy keeps mailboxes from passing mail on to people outside";
        let reason = because("FORWARD", domain, why, "Set-HostedOutboundSpamFilterPolicy AutoForwardingMode");
        decisions.push(self.store("may the message go on?", host, tenant.system.0, &Decision::for_reason((), reason)));
        let text = "Access denied, Your organization does not allow external forwarding";
        Some(Stop::Bounce(self.tables.reply(550, Enhanced(5, 7, 520), text)))
    }

    /// From which addresses the service sends it, where the scenario has more than one pool.
    pub(super) fn outbound_pool(&mut self, tenant: &Tenant, host: HostId, letter: &Letter, decisions: &mut SmallVec<[u32; 2]>) -> Pool {
        if tenant.outbound_pools.is_empty() {
            return Pool::Normal;
        }
        let domain = letter.sender.rsplit_once('@').map(|(_, domain)| domain);
        let exists = domain.is_none_or(|domain| self.is_there(host, domain));
        let choice = outbound_pool::choose(tenant, &self.tables.names, letter, exists);
        decisions.push(self.store("from which outbound pool?", host, tenant.system.0, &choice));
        choice.outcome
    }

    /// Has a domain an MX or an address, in the zones as they are now?
    fn is_there(&mut self, host: HostId, domain: &str) -> bool {
        let name = self.tables.names.intern(domain);
        let view = self.view_of(host);
        let zones = &self.model.zones[self.model.versions[self.version].zones.index()];
        [RecordType::Mx, RecordType::A, RecordType::Aaaa].into_iter().any(|record_type| {
            matches!(zones.lookup(&self.tables.names, view, name, record_type).outcome, Outcome::Records(_) | Outcome::Internet)
        })
    }
}
