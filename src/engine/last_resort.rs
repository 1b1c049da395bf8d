//! When do the hosts of last resort stay out of it?
//!
//! Source: Postfix smtp_connect.c, postconf(5) `smtp_fallback_relay`: a domain that the sender is a mail host of itself has none, so that a backup keeps the
//! mail for the primary.

use super::world::World;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A job that goes to hosts better than its own sender goes nowhere else.
    pub(super) fn no_last_resort_beside_self(&mut self, job: u32, plan: u32) {
        let row = &self.jobs[job];
        if row.hops > row.own_hops && self.cache_plan(plan).beside_self && self.rules(self.copies[row.copy].host).mx.backup_has_no_fallback
        {
            let row = &mut self.jobs[job];
            row.hops = row.own_hops;
        }
    }
}
