//! postscreen in front of a server: who waits before the banner, and who is asked to come back once?
//!
//! A client whose address is not known waits for `greet_wait` while the first line of a banner stands there alone (nobody in a scenario speaks too early).
//! With deep protocol tests the session then goes on with a dummy that answers every RCPT with 450 4.3.2; whoever comes back is let through. Clients that may
//! relay are spared (`postscreen_access_list`). Sources: postscreen(8), postconf(5) `postscreen_greet_wait`, `postscreen_greet_ttl`, `postscreen_pipelining_ttl`.
//! Not modelled: lists of bad addresses (a `Reply` at the banner says what they do), caches that several machines share.

use super::fault::Client;
use super::session::Talk;
use super::world::World;
use crate::base::{Enhanced, HostId, Reply, SimTime, duration};
use crate::decide::acceptance::is_relay_client;
use crate::decide::visitor::Peer;
use crate::decide::{Decision, because};
use crate::model::fault::FaultKind;
use crate::model::settings::Directory;
use crate::trace::NONE;
use crate::trace::level::STEPS;
use std::collections::BTreeMap;

/// By server and client: when it passed the wait, and when the deep tests.
pub(crate) type Screened = BTreeMap<(HostId, Client), (Option<SimTime>, Option<SimTime>)>;

impl<const LEVEL: u8> World<'_, LEVEL> {
    fn screens(&self, talk: &Talk<'_>) -> Option<Client> {
        let seen = self.seen_address(talk.job, talk.client, talk.address);
        let spared = match &talk.theirs.receiver.directory {
            Directory::Mta(directory) => is_relay_client(directory, Peer { host: talk.client, address: seen }),
            _ => false,
        };
        (!spared).then(|| Client::new(talk.client, seen, false))
    }

    /// How long a client waits for the rest of the banner.
    #[cold]
    #[inline(never)]
    pub(super) fn waits_to_be_greeted(&mut self, talk: &Talk<'_>, number: u32) -> u64 {
        let fault = &self.model.faults[number as usize];
        let FaultKind::Postscreen { greet_wait_ns, greet_ttl_ns, .. } = &fault.kind else { return 0 };
        let Some(client) = self.screens(talk).filter(|_| fault.window.has(talk.now)) else { return 0 };
        let known = self.faults.screened.entry((talk.server, client)).or_default();
        match known.0 {
            Some(passed) if passed <= talk.now && talk.now.since(passed) <= *greet_ttl_ns => return 0,
            // Another session of this client is still waiting, and will be through first.
            Some(passed) if passed > talk.now => {}
            _ => known.0 = Some(talk.now.after(*greet_wait_ns)),
        }
        self.tell_screen(talk, format!("an unknown client waits {} for the rest of the banner", duration(*greet_wait_ns)));
        *greet_wait_ns
    }

    /// A client that has just passed the deep tests has to come back.
    #[cold]
    #[inline(never)]
    pub(super) fn screened_at_rcpt(&mut self, talk: &Talk<'_>, number: u32) -> Option<Reply> {
        let fault = &self.model.faults[number as usize];
        let FaultKind::Postscreen { deep_ttl_ns, .. } = &fault.kind else { return None };
        let deep_ttl_ns = (*deep_ttl_ns)?;
        let client = self.screens(talk).filter(|_| fault.window.has(talk.now))?;
        let began = self.jobs[talk.job].line.began;
        let known = self.faults.screened.entry((talk.server, client)).or_default();
        match known.1 {
            Some(passed) if passed < began && talk.now.since(passed) <= deep_ttl_ns => return None,
            // Another session of this client passed them while this one was under way.
            Some(passed) if talk.now.since(passed) <= deep_ttl_ns => {}
            _ => known.1 = Some(talk.now),
        }
        self.tell_screen(talk, "the tests of the protocol were passed in this session, which cannot be handed on: once more".to_owned());
        Some(Reply::new(450, Some(Enhanced(4, 3, 2)), "Service currently unavailable"))
    }

    fn tell_screen(&mut self, talk: &Talk<'_>, why: String) {
        if !self.writes(STEPS) {
            return;
        }
        let decision = Decision::for_reason((), because("SCREEN", &*self.model.hosts[talk.server.index()].name, why, "postscreen(8)"));
        let stored = self.store("what does postscreen say?", talk.server, NONE, &decision);
        self.trace_of_job(talk.job, &[stored]);
    }
}
