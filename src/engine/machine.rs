//! A machine in a run: what holds for it now, the lines of its mail to one destination each, its receiving side.

use crate::base::{ConfigId, HostId, SimTime};
use crate::decide::profile::Behaviour;
use crate::model::settings::HostConfig;
use crate::trace::NONE;
use std::collections::VecDeque;

/// One line of a sending host: all that goes to one destination.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) host: HostId,
    pub(crate) destination: u32,
    /// The destination has a TLS policy of its own (a connector's).
    pub(crate) own_tls: bool,
    pub(crate) active: u32,
    pub(crate) waiting: VecDeque<u32>,
    /// How many at once; 0 = no limit.
    pub(crate) window: u32,
    /// Feedback of failures, as Postfix keeps it.
    pub(crate) failure: i32,
    /// Failures in shares of the window, in 1/10000.
    pub(crate) cohorts: u32,
    /// Dead until then, for this reason.
    pub(crate) dead_until: SimTime,
    pub(crate) dead_status: u32,
    /// Whose turn it is among the entries (SH-3), once somebody had one.
    pub(crate) turn: Option<u8>,
    /// The last question about a next hop, and its plan.
    pub(crate) last_plan: Option<(super::plan::PlanQuestion, u32)>,
    /// Where the lookups of its last next hop begin.
    pub(crate) lead: Option<super::plan::Lead>,
}

/// What holds for a machine now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'m> {
    pub(crate) id: ConfigId,
    pub(crate) config: &'m HostConfig,
    pub(crate) rules: &'static Behaviour,
    /// Sessions at once, if no fault takes some away.
    pub(crate) sessions: u32,
    /// Before it connects it may have to look at what the receiving domain promises.
    pub(crate) proves: bool,
    /// Its rule book looks at more than the recipient.
    pub(crate) reads_letters: bool,
    /// Whether it takes a recipient depends on more of the client than its address.
    pub(crate) looks_at_visitors: bool,
    /// It is an Exchange server: its Receive connectors have limits.
    pub(crate) has_receive_connectors: bool,
    /// It counts the connections of its clients.
    pub(crate) counts_clients: bool,
}

/// The receiving side of a host.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) busy: u32,
    /// Who waits for a slot, and how long at most.
    pub(crate) line: VecDeque<(u32, SimTime)>,
    /// When somebody's patience is looked at next; `None` if nobody waits.
    pub(crate) leave_at: Option<SimTime>,
    /// Messages that lie in its queue.
    pub(crate) queued: u32,
    /// When it started last, as far as it has sent since; `ZERO`: it was never down.
    pub(crate) started: SimTime,
    /// Before that it does not stop as a whole, as far as was looked.
    pub(crate) up_until: SimTime,
    /// Its last question about a recipient (tenant, template, letter) in this version, and the answer.
    pub(crate) last_stop: Option<((u32, u32, u32), super::route::Stop)>,
    /// The last destination that it sent to, and the queue for it.
    pub(crate) last_queue: (u32, u32),
    /// The last question whether a recipient is taken here, and the place of the answer.
    pub(crate) last_acceptance: Option<(super::transfer::AcceptanceKey, u32)>,
}

impl Default for Machine {
    fn default() -> Self {
        let line = VecDeque::new();
        Self {
            busy: 0,
            line,
            leave_at: None,
            queued: 0,
            started: SimTime::ZERO,
            up_until: SimTime::NEVER,
            last_stop: None,
            last_queue: (NONE, NONE),
            last_acceptance: None,
        }
    }
}
