//! What does a message carry on beside its envelope: author, signatures and what happened to them, the way it came, and what systems made of it?
//!
//! A change by somebody who has the message breaks the signatures that it came with; where it was written it is signed after that. Sources: RFC 6376 §3.7, §5.

use super::authentication::{Arrival, AtTheDoor};
use super::world::World;
use crate::decide::authentication::dkim::{Signature, Touch};
use crate::decide::extensions::is_converted;
use crate::model::authentication::{Change, Signer};
use crate::model::expansion::Expansion;
use crate::model::letter::{Marks, Stamps};
use crate::model::traffic::Body;
use crate::trace::NONE;
use std::net::IpAddr;

/// What a message brings along beside its envelope.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Carried {
    /// The author's domain, where a system wrote another one into `From`.
    pub(super) author: Option<Box<str>>,
    pub(super) signatures: Vec<Signature>,
    pub(super) body: Body,
    /// The addresses that servers saw on the way, oldest first.
    pub(super) path: Vec<IpAddr>,
    /// What else systems on the way made of it.
    pub(super) marks: Marks,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What the message is like when it leaves the client's hands.
    pub(super) fn carried_away(&self, door: AtTheDoor) -> Carried {
        let copy = &self.copies[self.jobs[door.job].copy];
        let (client, is_first) = (copy.host, copy.hops == 0);
        let name = &self.model.hosts[client.index()].name;
        let hostname = self.model.names.text(self.model.hosts[client.index()].hostname);
        let stance = self.stance(client, copy.tenant);
        let mut carried = match copy.arrival.carried {
            NONE => self.newborn(copy.message, hostname),
            known => self.origins.carried.get(known).clone(),
        };
        let touch = |carried: &mut Carried, change| {
            carried.signatures.iter_mut().for_each(|signature| signature.since.push(Touch { by: name.clone(), change }));
        };
        let stamps = self.tables.destinations.get(self.queues[self.jobs[door.job].queue as usize].destination).stamps;
        if stamps != NONE && !is_first {
            self.touch_by_rules(copy.tenant, self.tables.stamps.get(stamps), &mut carried.signatures);
        }
        for change in &stance.changes {
            // Where it was written, it was signed after that.
            if !is_first {
                touch(&mut carried, *change);
            }
            if *change == Change::FromRewritten {
                carried.author = Some(stance.signs.as_ref().map_or(hostname, |signer| &signer.domain).into());
            }
        }
        if let Some(signer) = &stance.signs
            && !(is_first && carried.signatures.iter().any(|signature| signature.domain == signer.domain))
        {
            carried.signatures.push(signed(signer));
        }
        carried.path.extend(self.seen_address(door.job, client, self.jobs[door.job].line.address));
        if is_converted(&self.rules(client).extensions, carried.body, door.takes_eight_bit, door.takes_binary) {
            touch(&mut carried, Change::Reencoded);
            carried.body = Body::SevenBit;
        }
        carried
    }

    /// What those who stand for a recipient get: the message with what is done to it on that occasion.
    pub(crate) fn changed_in_place(&mut self, copy: u32, expansion: &Expansion) -> Arrival {
        let row = &self.copies[copy];
        let arrival = row.arrival;
        if !self.origins.is_on || expansion.changes.is_empty() && expansion.stamps == Stamps::default() {
            return arrival;
        }
        let host = &self.model.hosts[row.host.index()];
        let mut carried = match arrival.carried {
            NONE => self.newborn(row.message, self.model.names.text(host.hostname)),
            known => self.origins.carried.get(known).clone(),
        };
        if expansion.stamps != Stamps::default() {
            carried.marks.stamp(&expansion.stamps);
        }
        if row.hops > 0 {
            self.touch_by_rules(row.tenant, &expansion.stamps, &mut carried.signatures);
        }
        if let Some(author) = &expansion.stamps.author {
            // The mailbox writes a message of its own: nobody signed that yet.
            carried.author = author.rsplit_once('@').map(|(_, domain)| domain.into());
            carried.signatures.clear();
            carried.path.clear();
        }
        for change in &expansion.changes {
            let touch = Touch { by: host.name.clone(), change: *change };
            carried.signatures.iter_mut().for_each(|signature| signature.since.push(touch.clone()));
        }
        Arrival { carried: self.origins.carried.intern(carried), ..arrival }
    }

    /// What mail-flow rules of a tenant did to a message that somebody else had signed.
    fn touch_by_rules(&self, tenant: u32, stamps: &Stamps, signatures: &mut [Signature]) {
        for (rule, change) in &stamps.changes {
            let whose = if tenant == NONE { String::new() } else { format!("` of `{}", self.model.systems[tenant as usize].name) };
            let touch = Touch { by: format!("{rule}{whose}").into(), change: *change };
            signatures.iter_mut().for_each(|signature| signature.since.push(touch.clone()));
        }
    }

    /// A message that nobody passed on yet.
    fn newborn(&self, message: u32, hostname: &str) -> Carried {
        let row = &self.messages[message];
        if matches!(row.kind, 1 | 2) {
            // Reports are written by the machine that they come from.
            return Carried { author: Some(hostname.into()), ..Carried::default() };
        }
        if row.kind != 0 {
            return Carried::default();
        }
        let source = &self.sources_model[row.source as usize];
        Carried {
            author: None,
            signatures: source.signer.iter().map(signed).collect(),
            body: source.body,
            path: Vec::new(),
            marks: Marks::default(),
        }
    }

    /// The same, for a number of what is carried.
    pub(super) fn author_domain(&self, message: u32, carried: u32) -> Option<String> {
        let nothing = Carried::default();
        self.author(message, if carried == NONE { &nothing } else { self.origins.carried.get(carried) })
    }

    /// The domain in `From`.
    pub(super) fn author(&self, message: u32, carried: &Carried) -> Option<String> {
        let row = &self.messages[message];
        let written = self.sources_model[row.source as usize].author.as_ref().filter(|_| row.kind == 0);
        match (&carried.author, written) {
            (Some(domain), _) => Some(domain.to_string()),
            (None, Some(author)) => Some(author.expand(row.address_number).domain.to_string()),
            (None, None) => {
                let author = self.author_of_answer(message).unwrap_or_else(|| self.sender_text(message));
                author.rsplit_once('@').map(|(_, domain)| domain.to_owned())
            }
        }
    }
}

fn signed(signer: &Signer) -> Signature {
    Signature { domain: signer.domain.clone(), selector: signer.selector.clone(), since: Vec::new() }
}
