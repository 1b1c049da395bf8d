//! When does a sender that would rather encrypt go on in clear?
//!
//! Source: Postfix smtp.h `PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE` and its neighbours.

use super::session::Talk;
use super::world::World;
use crate::decide::profile::BrokenHandshake;
use crate::model::settings::{Retry, TlsLevel};

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Has the message waited as long as its sender's first backoff?
    pub(super) fn has_waited(&self, talk: &Talk<'_>) -> bool {
        let backoff = match &talk.ours.sender.retry {
            Retry::Postfix { min_ns, .. } => *min_ns,
            Retry::Rfc { first_ns, .. } => *first_ns,
            Retry::Steps { waits_ns, .. } => waits_ns.first().copied().unwrap_or(0),
            Retry::Exim(_) | Retry::QueueRuns { .. } | Retry::Squares { .. } | Retry::Never => 0,
        };
        let copy = &self.copies[self.jobs[talk.job].copy];
        copy.pass_at.since(copy.arrived) >= backoff
    }

    /// An encrypted session broke where TLS is optional: does the sender go there again without (smtp.h `PLAINTEXT_FALLBACK_OK_AFTER_TLS_SESSION_FAILURE`)?
    pub(super) fn goes_on_in_clear(&self, talk: &Talk<'_>) -> bool {
        talk.encrypted
            && talk.rules.tls.broken_handshake == BrokenHandshake::PlaintextWhenOld
            && self.policy_of(talk.job).level == TlsLevel::May
            && !self.policy_of(talk.job).implicit
            && self.goes_in_clear_later(talk)
            && self.has_waited(talk)
    }

    /// A sender that has a login for the next hop does not show it, nor the mail, in clear after all (smtp.h `HAVE_SASL_CREDENTIALS`).
    pub(super) fn goes_in_clear_later(&self, talk: &Talk<'_>) -> bool {
        let configured = self.hop_of(talk.job, self.jobs[talk.job].hop).is_some_and(|(_, configured)| configured);
        !(configured && talk.ours.logs_in())
    }
}
