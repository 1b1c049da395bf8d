//! Recipients at a server's own name or address, and at address literals that it does not know.
//!
//! Sources: Sendmail op.me (class w holds $j and the addresses of the machine in brackets), qmail-send(8) (`locals` defaults to `me`), Postfix
//! resolve_local.c (`[address]` against inet_interfaces), qmail dns.c (`ip_scanbracket` reads four numbers), Exim `allow_domain_literals`. Not modelled: users of a server
//! under its own name other than its postmaster.

use super::route::Stop;
use super::world::World;
use crate::base::{Address, Enhanced, HostId};
use crate::decide::profile::{Literals, behaviour};
use crate::decide::route::{self, NextStop};
use crate::decide::{Decision, because};
use crate::model::settings::{MtaDirectory, Profile};
use std::net::IpAddr;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The way of a recipient from a mail server: as its routing has it, but for itself.
    pub(super) fn way_of_mta(&self, host: HostId, directory: &MtaDirectory, address: &Address) -> Decision<NextStop> {
        let routing = &self.config(host).sender.routing;
        let text = address.to_string();
        let usual = route::choose(directory, routing, &text, &address.domain);
        let own = &self.model.hosts[host.index()];
        match usual.outcome {
            NextStop::Literal(at) if own.addresses.contains(&at) && self.rules(host).pass.own_literal_is_local => {
                let Some(domain) = directory.mailbox_domains.first() else {
                    let reason = because("LOCAL", &*address.domain, "its own address, and it has no mailboxes", "inet_interfaces");
                    return Decision::for_reason(NextStop::UnknownUser, reason);
                };
                let local = format!("{}@{domain}", address.local);
                let mut decision = route::choose(directory, routing, &local, domain);
                let why = format!("its own address: the recipient is its user {local}");
                decision.chosen.push(because("LOCAL", &*address.domain, why, "inet_interfaces"));
                decision
            }
            NextStop::Mx | NextStop::SmartHosts | NextStop::Route(_)
                if self.rules(host).tells_postmaster
                    && address.local.eq_ignore_ascii_case("postmaster")
                    && *address.domain == *self.model.names.text(own.hostname) =>
            {
                let why = "a server's own name is local to it, and its postmaster reads what comes there";
                Decision::for_reason(NextStop::Mailbox, because("LOCAL", text, why, "class w, qmail `locals`"))
            }
            _ => usual,
        }
    }

    /// What becomes of a recipient at an address literal that this sender does not take for one; `None`: it goes there.
    pub(super) fn literal_not_taken(&mut self, profile: Profile, address: IpAddr, domain: &str) -> Option<Stop> {
        let rules = behaviour(profile);
        match rules.pass.literals {
            Literals::Refused => Some(Stop::Refuse(self.tables.reply(501, Enhanced(5, 1, 3), "domain literals not allowed"))),
            Literals::OfVersion4 if address.is_ipv6() => {
                let end = rules.mx.no_such_domain;
                let why = format!("{domain}: read as a name, and there is no such host");
                Some(Stop::Bounce(self.tables.reply(end.code, end.status, &why)))
            }
            Literals::Taken | Literals::OfVersion4 => None,
        }
    }
}
