//! What the Receive connector of an Exchange server makes of a session: refusals at MAIL, limits, and the time that a refused stranger loses.

use super::session::{Stop, Talk};
use super::world::World;
use crate::base::{Enhanced, Reply};
use crate::decide::exchange::receive_connector::{find, refusal_at_mail, rights, too_many_recipients};
use crate::model::settings::Directory;
use crate::trace::{Concern, NONE};

/// Limits of the connector that has the client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Recipients of one message.
    pub(super) recipients: u32,
    /// Received fields.
    hops: u32,
    /// What a refusal at RCPT costs somebody who is not known.
    pub(super) tarpit_ns: u64,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The refusal at MAIL, if there is one.
    pub(super) fn refused_by_connector(&mut self, talk: &Talk<'_>, size_bytes: u64) -> Option<Reply> {
        let refusal = self.with_visitor(talk, |visitor, directory| match directory {
            Directory::Organization(organization) => refusal_at_mail(organization, visitor, talk.encrypted, size_bytes),
            Directory::Everything | Directory::Mta(_) | Directory::Tenants(_) => None,
        })?;
        let stored = self.store("may the client submit?", talk.server, NONE, &refusal);
        self.trace_of_job(talk.job, &[stored]);
        Some(refusal.outcome)
    }

    /// One recipient more than the server takes for one message.
    #[cold]
    pub(super) fn too_many_recipients(&mut self, talk: &Talk<'_>, index: u16) -> Stop {
        let why = self.with_visitor(talk, |visitor, directory| match directory {
            Directory::Organization(organization) => too_many_recipients(organization, visitor),
            Directory::Everything | Directory::Mta(_) | Directory::Tenants(_) => None,
        });
        if let Some(why) = why {
            let stored = self.store("does the server take the recipient?", talk.server, NONE, &why);
            self.trace_decisions(self.jobs[talk.job].copy, Concern::in_session(index), &[stored]);
        }
        Stop::Reply(Reply::new(452, Some(Enhanced(4, 5, 3)), "Too many recipients"))
    }

    /// The limits of the connector, where the server is one that has some.
    pub(super) fn limits_of_connector(&self, talk: &Talk<'_>) -> Option<Limits> {
        if !matches!(talk.theirs.receiver.directory, Directory::Organization(_)) {
            return None;
        }
        self.with_visitor(talk, |visitor, directory| {
            let Directory::Organization(organization) = directory else { return None };
            let connector = find(organization, visitor)?;
            let (rights, _) = rights(organization, connector, visitor);
            let tarpit_ns = if rights.authenticated { 0 } else { connector.tarpit_ns };
            Some(Limits { recipients: connector.max_recipients, hops: connector.max_hops, tarpit_ns })
        })
    }

    /// A message that has come round too often.
    pub(super) fn too_many_hops(&self, talk: &Talk<'_>, hops: u32) -> Option<Reply> {
        let limits = self.limits_of_connector(talk)?;
        (hops >= limits.hops).then(|| Reply::new(554, Some(Enhanced(5, 4, 6)), "Hop count exceeded - possible mail loop"))
    }
}
