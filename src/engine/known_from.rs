//! What is known of something, and from when on?
//!
//! A connect that fails is worked out when it begins. What it teaches holds from the moment when it has failed: who asks before that knows what was known
//! before.

use super::world::World;
use crate::base::{HostId, SimTime};
use crate::model::keeping::HostStatus;

/// Words about one thing, each with the moment from which it holds.
#[derive(Clone, Debug)]
pub(crate) struct KnownFrom<T>(Vec<(SimTime, T)>);

impl<T> Default for KnownFrom<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> KnownFrom<T> {
    /// What is known at a moment.
    pub(super) fn at(&self, at: SimTime) -> Option<T> {
        self.0.iter().rev().find(|(from, _)| *from <= at).map(|(_, word)| *word)
    }

    /// From a moment on this holds; nobody asks any more what was known before `now`.
    pub(super) fn learn(&mut self, now: SimTime, from: SimTime, word: T) {
        // What is over long since is told by the last of it.
        let past = self.0.iter().rposition(|(from, _)| *from <= now).unwrap_or(0);
        self.0.drain(..past);
        let place = self.0.partition_point(|(other, _)| *other <= from);
        self.0.insert(place, (from, word));
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// May a machine know more of a host when its turn comes than now?
    #[cold]
    #[inline(never)]
    pub(super) fn learns_meanwhile(&self, host: HostId) -> bool {
        self.remembers(host) || self.rules(host).skips_silent || self.host_status_of(host) != HostStatus::OfRun
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SECOND;

    #[test]
    fn words_hold_from_their_moment_on() {
        let at = |seconds: u64| SimTime(seconds * SECOND);
        let mut known = KnownFrom::default();
        // Begun at 0s and at 30s, each failing after a minute; then at 20s one that is answered at once.
        for (now, from, word) in [(0, 60, "first"), (30, 90, "second"), (30, 40, "between")] {
            known.learn(at(now), at(from), word);
        }
        for (asked, expected) in
            [(0, None), (39, None), (40, Some("between")), (60, Some("first")), (89, Some("first")), (90, Some("second"))]
        {
            assert_eq!(known.at(at(asked)), expected, "at {asked}s");
        }
        known.learn(at(100), at(100), "third");
        assert_eq!((known.at(at(95)), known.at(at(100))), (Some("second"), Some("third")), "the last of what is over stays");
    }
}
