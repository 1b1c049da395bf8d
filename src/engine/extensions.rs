//! What a message needs and what a server offers: what becomes of bodies, of addresses, and of the sender's wishes about reports on the way.
//!
//! Asked only where some message of the run needs anything (`World::demanding`) or wants to be told anything (`World::wishful`). The rules are in
//! `decide::extensions`.

use super::session::{SessionEnd, Talk};
use super::world::World;
use crate::base::{ConnectionResult, Enhanced, HostId, Phase};
use crate::decide::extensions::{Meeting, Needs, Offer, meet};
use crate::decide::failure::Effect;
use crate::model::settings::Listener;
use crate::model::traffic::{Body, Source};
use crate::trace::NONE;

/// Does some message of these need an extension, or bring a filter's verdict that travels with it?
pub(super) fn is_demanding(sources: &[Source]) -> bool {
    sources.iter().any(|source| source.body != Body::SevenBit || source.utf8 || source.scl.is_some())
}

/// Does some sender of these have a wish about reports?
pub(super) fn is_wishful(sources: &[Source]) -> bool {
    sources.iter().any(|source| source.notify.is_some() || source.returns_headers || source.envelope.is_some())
}

impl Talk<'_> {
    /// Does the server offer this word of EHLO?
    pub(super) fn offers(&self, word: &str) -> bool {
        self.extensions && offers(self.listener, word)
    }
}

fn offers(listener: &Listener, word: &str) -> bool {
    !listener.without.iter().any(|without| **without == *word)
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// The end of a session with a server that lacks what the message needs; `None` if it may go on.
    pub(super) fn unmet(&mut self, talk: &Talk<'_>) -> Option<SessionEnd> {
        let copy = self.jobs[talk.job].copy;
        let needs = self.needs(copy, talk.job);
        if needs == Needs::default() {
            return None;
        }
        let offer = Offer {
            eight_bit: talk.offers("8BITMIME"),
            binary: talk.offers("BINARYMIME") && talk.offers("CHUNKING"),
            utf8: talk.offers("SMTPUTF8"),
        };
        let decision = meet(&talk.rules.extensions, needs, offer);
        let stored = self.store("may it go to a server that offers this?", talk.client, self.copies[copy].tenant, &decision);
        self.trace_of_job(talk.job, &[stored]);
        let words = |reason: &crate::decide::Because| format!("{}: {}", reason.name, reason.why);
        let text = decision.chosen.first().map_or_else(String::new, words);
        let effect = match decision.outcome {
            Meeting::Sends => return None,
            Meeting::Bounces(status) => Effect::Bounce(status),
            Meeting::NextElse(status) if self.is_last_session(talk.job) => Effect::Bounce(status),
            Meeting::NextElse(status) => Effect::Next(status.with_class(4)),
            Meeting::NotSaid => {
                self.jobs[talk.job].not_said = true;
                Effect::Defer(Enhanced(5, 3, 5))
            }
        };
        let reply = self.tables.reply(0, super::session::status_of(effect), &text);
        Some(*self.failed(talk, Phase::Mail, ConnectionResult::Left, effect, reply, false))
    }

    fn needs(&self, copy: u32, job: u32) -> Needs {
        let row = &self.copies[copy];
        let message = &self.messages[row.message];
        let Some(source) = self.sources_model.get(message.source as usize).filter(|_| message.kind == 0) else { return Needs::default() };
        let body = if row.arrival.carried == NONE { source.body } else { self.origins.body(row.arrival.carried) };
        let is_other = |template: u32| template != NONE && !self.tables.templates.get(template).local.is_ascii();
        let recipients = &self.jobs[job].recipients;
        let mut addresses = recipients.iter().map(|place| self.recipient_template(row.message, row.recipients[usize::from(*place)].index));
        // Whoever wrote it said so, or it was passed on to such an address.
        let utf8_addresses = is_other(self.sender_of(copy)) || addresses.any(is_other);
        Needs { eight_bit: body == Body::EightBit, binary: body == Body::Binary, utf8: source.utf8 || utf8_addresses, utf8_addresses }
    }

    /// Are the sender's wishes about reports lost on the way to this server?
    pub(super) fn loses_wishes(&self, job: u32, end: &SessionEnd) -> bool {
        let line = &self.jobs[job].line;
        let (client, server) = (self.copies[self.jobs[job].copy].host, line.server);
        let listener = self.config(server).receiver.listeners.iter().find(|listener| listener.answers(line.address, line.port));
        let offered = self.rules(server).extensions.dsn && listener.is_some_and(|listener| offers(self.face(job, listener), "DSN"));
        !(end.extended && offered && self.knows_wishes(self.jobs[job].copy, client))
    }

    /// Does the machine know what the sender of a message wishes? Where it entered it must have been told, so DSN must have been announced.
    pub(super) fn knows_wishes(&self, copy: u32, host: HostId) -> bool {
        self.rules(host).extensions.dsn
            && (self.copies[copy].hops > 0 || self.config(host).receiver.listeners.iter().any(|listener| offers(listener, "DSN")))
    }

    /// A server without DSN took the message: who wants to hear of success is told that it was passed on, and that no more will be heard.
    pub(super) fn tell_relayed(&mut self, job: u32, places: &[u16], end: &SessionEnd) {
        let copy = self.jobs[job].copy;
        let message = self.copies[copy].message;
        if !self.wants_word_of_success(message) || !self.loses_wishes(job, end) {
            return;
        }
        let indexes = places.iter().map(|place| self.copies[copy].recipients[usize::from(*place)].index);
        let heard = indexes.filter(|index| self.wishes(copy, *index) == super::expansion::Wishes::All);
        let lines: Vec<(u16, &'static str, Enhanced, u32)> = heard.map(|index| (index, "relayed", Enhanced(2, 0, 0), end.reply)).collect();
        if !lines.is_empty() {
            self.report(copy, lines, 1);
        }
    }
}
