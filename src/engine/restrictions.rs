//! What a server with restrictions on domains adds to its answer to RCPT. The rule stands in `decide::restrictions`.
//!
//! Order of smtpd with `smtpd_delay_reject`: the sender's list, whether the client may relay, the recipient's list, whether the user exists.

use super::origin_dns::Dns;
use super::session::Talk;
use super::world::World;
use crate::base::Enhanced;
use crate::decide::Decision;
use crate::decide::acceptance::{Acceptance, is_relay_client};
use crate::decide::restrictions::{Objection, Visit, ask_list};
use crate::decide::visitor::Peer;
use crate::model::settings::Directory;
use crate::trace::NONE;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The answer to RCPT after the server's restrictions were asked.
    #[cold]
    #[inline(never)]
    pub(super) fn restricted(&self, talk: &Talk<'_>, address: &str, decision: Decision<Acceptance>) -> Decision<Acceptance> {
        let (receiver, copy) = (&talk.theirs.receiver, self.jobs[talk.job].copy);
        let Directory::Mta(directory) = &receiver.directory else { return decision };
        let sender = self.sender_text_of(copy);
        let peer = Peer { host: talk.client, address: self.seen_address(talk.job, talk.client, talk.address) };
        let visit = Visit { sender: &sender, recipient: address, trusted: is_relay_client(directory, peer), logged_in: talk.login != NONE };
        let is_local = |domain: &str| directory.mailbox_domains.iter().any(|own| own.eq_ignore_ascii_case(domain));
        let message = self.messages[self.copies[copy].message].key;
        let mut dns = Dns { model: self.model, chance: self.chance, view: self.view_of(talk.server), at: talk.now, message };
        let mut ask = |name: &str, kind| dns.ask(name, kind);
        let restrictions = &receiver.restrictions;
        let first = ask_list(&restrictions.sender, restrictions, &visit, is_local, &mut ask);
        if let Some(objection) = first.as_ref().filter(|objection| !objection.if_permitted) {
            return refusal(objection.clone());
        }
        let relay_denied = Some(Enhanced(5, 7, 1));
        if matches!(&decision.outcome, Acceptance::Refuse(reply) if reply.enhanced == relay_denied) {
            return decision;
        }
        let second = ask_list(&restrictions.recipient, restrictions, &visit, is_local, &mut ask);
        if let Some(objection) = second.as_ref().filter(|objection| !objection.if_permitted) {
            return refusal(objection.clone());
        }
        // A lookup that failed puts off what would be taken.
        match (first.or(second), &decision.outcome) {
            (Some(objection), Acceptance::Take(_)) => refusal(objection),
            _ => decision,
        }
    }
}

fn refusal(objection: Objection) -> Decision<Acceptance> {
    Decision::for_reason(Acceptance::Refuse(objection.reply), objection.because)
}
