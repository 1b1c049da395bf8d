//! When does the sender hear what was given up? At once, or when nobody of the message is left.
//!
//! Sources: qmail-send.c (`messdone` calls `injectbounce`; until then failures gather in bounce/ID). Not modelled: a report that cannot be written.

use super::world::World;
use crate::base::Enhanced;
use crate::decide::reports::ReportTime;
use std::collections::BTreeMap;

/// A line of a report: recipient, action, status, reply.
pub(super) type Line = (u16, &'static str, Enhanced, u32);

/// What failed so far of mail that is still under way, by copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct LateReports(BTreeMap<u32, Vec<Line>>);

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Recipients were given up: their sender hears of it now, later or never.
    pub(super) fn report_given_up(&mut self, copy: u32, lines: Vec<Line>) {
        match self.rules(self.copies[copy].host).reports {
            ReportTime::EachPass => self.report(copy, lines, 1),
            ReportTime::WhenDone => self.late_reports.0.entry(copy).or_default().extend(lines),
            ReportTime::Never => {}
        }
    }

    /// Nobody of a message is left here: one report about all that failed.
    pub(super) fn report_late(&mut self, copy: u32) {
        if let Some(lines) = self.late_reports.0.remove(&copy) {
            self.report(copy, lines, 1);
        }
    }

    /// What failed is forgotten together with the queue.
    pub(super) fn forget_late_report(&mut self, copy: u32) {
        self.late_reports.0.remove(&copy);
    }
}
