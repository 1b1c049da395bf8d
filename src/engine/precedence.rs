//! How much haste a Sendmail makes with a message of its queue (`decide::precedence`).

use super::world::World;
use crate::decide::Decision;
use crate::decide::precedence::{Urgency, urgency};
use crate::model::retry_rules::Haste;
use crate::trace::Concern;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// What the fields of a message come to; `None` where nobody reads them.
    #[cold]
    #[inline(never)]
    fn urgency(&self, copy: u32) -> Option<Decision<Urgency>> {
        if !self.rules(self.copies[copy].host).minds_precedence {
            return None;
        }
        let letter = self.letter(copy);
        Some(urgency(&letter.headers, letter.is_report))
    }

    /// Whose times hold for a message that was deferred, with the reason once.
    pub(super) fn haste(&mut self, copy: u32) -> Haste {
        let Some(decision) = self.urgency(copy) else { return Haste::Normal };
        let haste = decision.outcome.haste;
        if haste != Haste::Normal && self.copies[copy].deferrals == 1 {
            self.trace_urgency(copy, &decision);
        }
        haste
    }

    /// Do reports about it return the headers only?
    pub(super) fn returns_no_body(&mut self, copy: u32) -> bool {
        let Some(decision) = self.urgency(copy).filter(|decision| decision.outcome.is_bulk) else { return false };
        // Deferred mail has said so already.
        if self.copies[copy].deferrals == 0 {
            self.trace_urgency(copy, &decision);
        }
        true
    }

    fn trace_urgency(&mut self, copy: u32, decision: &Decision<Urgency>) {
        let stored = self.store("how much haste?", self.copies[copy].host, self.copies[copy].tenant, decision);
        self.trace_decisions(copy, Concern::ALL, &[stored]);
    }
}
