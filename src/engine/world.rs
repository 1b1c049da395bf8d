//! The state of a run: rows in tables with free lists, one owner for each.

use super::authentication::{Arrival, Origins};
use super::chance::{ChaCha8Rng, Chance};
use super::counters::Counters;
use super::fault::Faults;
use super::machine::{Machine, Queue, Settings};
use super::queue::EventQueue;
use super::resolver::Resolvers;
use super::route::RouteCache;
use super::slab::Slab;
use super::starttls::TlsCache;
use super::transfer::AcceptanceCache;
use crate::base::{Fate, HostId, Interner, MsgId, SimTime};
use crate::decide::order::Order;
use crate::decide::profile::{Behaviour, behaviour};
use crate::model::Model;
use crate::model::exchange_server::Organization;
use crate::model::settings::HostConfig;
use crate::trace::{NONE, Tables, Trace};
use smallvec::SmallVec;

/// A message under way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: MsgId,
    pub(crate) source: u32,
    /// The `#` of its addresses.
    pub(crate) address_number: u64,
    pub(crate) key: u64,
    /// What its draws begin with.
    pub(crate) luck: u64,
    /// Sender template, `NONE` for the null sender.
    pub(crate) from: u32,
    /// Recipient list.
    pub(crate) to: u32,
    pub(crate) size: u64,
    pub(crate) at: SimTime,
    /// 0 mail, 1 report, 2 delay notice, 3 automatic reply.
    pub(crate) kind: u8,
    /// Reports made about it.
    pub(crate) reports: u16,
    /// Copies that are somewhere.
    pub(crate) copies: u32,
    /// Recipients that have a copy somewhere: how many copies, and the best end so far.
    pub(crate) ends: SmallVec<[End; 1]>,
}

/// How far one recipient is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct End {
    pub(crate) open: u16,
    pub(crate) delivered: u16,
    pub(crate) fate: Option<Fate>,
}

/// A message in one queue.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) message: u32,
    /// Its number in the trace.
    pub(crate) number: u32,
    pub(crate) host: HostId,
    /// Tenant, or `NONE`.
    pub(crate) tenant: u32,
    pub(crate) arrived: SimTime,
    /// Received fields so far.
    pub(crate) hops: u16,
    /// Passes through Exchange Online.
    pub(crate) visits: u8,
    pub(crate) pass: u16,
    pub(crate) deferrals: u32,
    /// Jobs of this pass that are not over.
    pub(crate) jobs: u16,
    pub(crate) pass_at: SimTime,
    /// The event it waits for.
    pub(crate) waits: u64,
    /// What it brings along beside its envelope, and what was said about that at the door.
    pub(crate) arrival: Arrival,
    pub(crate) notified: bool,
    /// Its queue was lost while it was under way.
    pub(crate) doomed: bool,
    /// What its sender wants to be told did not come along to here.
    pub(crate) wishes_lost: bool,
    /// The row is free.
    pub(crate) closed: bool,
    pub(crate) recipients: SmallVec<[Recipient; 1]>,
}

impl Copy {
    /// What the luck of an attempt depends on: how far the message has come, and which pass it is. The low 16 bits are free.
    pub(crate) fn luck(&self) -> u64 {
        u64::from(self.hops) << 32 | u64::from(self.pass) << 16
    }
}

/// One recipient of a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient {
    /// Its place in the message.
    pub(crate) index: u16,
    pub(crate) state: RecipientState,
    /// A host refused it for now in this pass, and that word stays (`keeps_rcpt_4xx`).
    pub(crate) kept: bool,
    /// The last reply or status.
    pub(crate) reply: u32,
    /// Host that said it, or `NONE`.
    pub(crate) said_by: u32,
}

/// Where a recipient of a copy stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RecipientState {
    /// To be tried.
    Pending,
    /// Gone to the next system, or into a mailbox.
    Done,
    /// Given up in this pass; to be reported.
    Failed,
    /// Stopped as a loop in this pass; to be reported.
    Looped,
}

/// One pass of some recipients to one destination.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) copy: u32,
    /// Place of the queue in `World::queues`.
    pub(crate) queue: u32,
    /// Places in the copy.
    pub(crate) recipients: SmallVec<[u16; 2]>,
    /// How many it began with.
    pub(crate) began_with: u16,
    pub(crate) started: SimTime,
    /// Which next hop of the destination, of how many: its own, and with those of last resort.
    pub(crate) hop: u8,
    pub(crate) own_hops: u8,
    pub(crate) hops: u8,
    /// Where the turn began (SH-3).
    pub(crate) turn: u8,
    pub(crate) plan: u32,
    pub(crate) order: Order,
    /// Next place in the order.
    pub(crate) next: u16,
    pub(crate) tried: u16,
    pub(crate) sessions: u16,
    pub(crate) stage: Stage,
    /// When its machine may stop as a whole, at the earliest.
    pub(crate) stops_at: SimTime,
    pub(crate) waits: u64,
    /// When the walk through this hop's candidates began.
    pub(crate) walk_began: SimTime,
    /// The next connection goes without TLS to the same address.
    pub(crate) plain: bool,
    /// What the receiving domain promises about the current candidate, or `NONE`.
    pub(crate) proof: u32,
    /// What is known of the MTA-STS policy of the current next hop, or `NONE`.
    pub(crate) learned: u32,
    /// The last failure was one of the connection or its handshake.
    pub(crate) host_failure: bool,
    /// Code of the last refusal that a server spoke in this pass, where the profile carries it on; 0 = none.
    pub(crate) last_code: u16,
    /// Connections of this pass so far.
    pub(crate) connections: u16,
    /// Status of what is left.
    pub(crate) status: u32,
    pub(crate) said_by: u32,
    /// What is left is given up, not deferred.
    pub(crate) bounce: bool,
    pub(crate) is_loop: bool,
    /// Nobody knows what the sender does about what it met.
    pub(crate) not_said: bool,
    /// Where the trace wrote an exception: attempt rows are needed.
    pub(crate) eventful: bool,
    pub(crate) line: Line,
}

/// The connection of a job.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) candidate: u32,
    pub(crate) server: HostId,
    pub(crate) address: std::net::IpAddr,
    pub(crate) port: u16,
    pub(crate) began: SimTime,
    pub(crate) rtt: u64,
}

/// What a job waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// A turn in its queue.
    Queued,
    /// A connect.
    Connecting,
    /// A slot of the receiver.
    InLine,
    /// The end of its session.
    InSession,
    /// The moment when it goes to its next hop.
    NextHop,
    /// The moment when it looks at its next candidate.
    NextCandidate,
    /// The moment when it is over.
    Over,
    /// The end of its patience: the server went down while it waited for a slot.
    Unheard,
    /// Nothing any more: its own machine stops.
    Stopped(Under),
}

impl Stage {
    /// Is a session under way?
    pub(crate) fn is_session(self) -> bool {
        matches!(self, Self::InSession | Self::Stopped(Under::InSession))
    }
}

/// What was under way when a machine stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Under {
    /// The job had no turn yet.
    InLine,
    /// It was about to have its turn.
    Unbegun,
    /// A connect, or the wait for a banner.
    Connecting,
    /// A session.
    InSession,
    /// Nothing that anybody sees.
    Nothing,
}

/// A source under way.
#[derive(Clone, Debug)]
pub(crate) struct SourceState {
    pub(crate) next: u64,
    pub(crate) rng: Option<ChaCha8Rng>,
    /// Recipient lists, one if all messages have the same.
    pub(crate) lists: Vec<u32>,
    /// Sender templates.
    pub(crate) senders: Vec<u32>,
}

/// The world.
pub(crate) struct World<'m, const LEVEL: u8> {
    pub(crate) model: &'m Model,
    /// How much is written down, where `LEVEL` does not forbid all of it.
    pub(crate) level: u8,
    pub(crate) chance: Chance,
    pub(crate) now: SimTime,
    pub(crate) until: SimTime,
    pub(crate) version: usize,
    /// Who was answered by mailboxes, and what their answers are.
    pub(crate) automatic_replies: super::automatic_reply::Answers,
    /// No machine has a memory, groups or routes of its own kind: most of a pass need not ask.
    pub(crate) plain: bool,
    /// The zones in force.
    pub(crate) zones: u32,
    /// Settings and rule book of each machine in this version.
    pub(crate) settings: Vec<Settings<'m>>,
    pub(crate) events: EventQueue,
    pub(crate) tables: Tables,
    pub(crate) trace: Trace,
    pub(crate) counters: Counters,
    pub(crate) messages: Slab<Message>,
    pub(crate) message_count: u32,
    pub(crate) copies: Slab<Copy>,
    pub(crate) copy_count: u32,
    pub(crate) jobs: Slab<Job>,
    /// How the session of each job ends, once it is played: a row per row of `jobs`.
    pub(crate) ends: Vec<super::session::SessionEnd>,
    pub(crate) queue_index: Interner<(HostId, u32)>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) resolvers: Resolvers,
    pub(crate) faults: Faults,
    pub(crate) sources: Vec<SourceState>,
    pub(crate) sources_model: &'m [crate::model::traffic::Source],
    pub(crate) cache: RouteCache,
    /// Room for the answers of one next hop.
    pub(crate) answers: Vec<(u32, u32)>,
    pub(crate) tls_cache: TlsCache,
    pub(crate) proofs: crate::base::Interner<super::proof::Proof>,
    pub(crate) policies: super::policy::Policies,
    /// Some message has a wish of its own about encryption.
    pub(crate) wishes: bool,
    /// Some message needs an extension.
    pub(crate) demanding: bool,
    /// Some sender has a wish about reports.
    pub(crate) wishful: bool,
    pub(crate) acceptance_cache: AcceptanceCache,
    pub(crate) logins: super::submission::Logins,
    /// What servers know of clients.
    pub(crate) visits: crate::base::Interner<super::visitor::VisitKey>,
    pub(crate) origins: Origins,
    /// Recipients that stand for others.
    pub(crate) expansions: super::members::Expansions,
    pub(super) aliases: super::alias::Aliases,
    pub(crate) rules_passed: super::rules_passed::RulesPassed,
    /// Since when the line kept the answer to the last command from its client; `NEVER`: it would have come, only too late; `ZERO`: the server did not answer.
    pub(crate) word_lost_at: SimTime,
    pub(crate) letters: super::letter::Letters,
    pub(crate) relays: super::relay::Relays,
    pub(crate) silent: super::tcpto::SilentAddresses,
    /// What Receive connectors count.
    pub(crate) inbound: super::receive_connector::Inbound,
    /// Schedules of queues that have some.
    pub(crate) transport_queues: super::transport_queue::TransportQueues,
    /// What machines remember that do so.
    pub(crate) memory: super::memory::Memory,
    /// Connections that are open and idle.
    pub(crate) connections: super::kept::Connections,
    /// Deliveries that share a transaction for a while (Sendmail).
    pub(crate) signatures: super::signature::Signatures,
    /// Jobs that go to the host after each one that cannot be reached.
    pub(crate) last_tries: super::last_try::LastTries,
    /// Destinations that share their connections.
    pub(crate) sites: super::mx_site::Sites,
    /// Destinations that rest.
    pub(crate) rests: super::rate_delay::Rests,
    /// Recipients that a server takes one after the other.
    pub(crate) rounds: super::rounds::Rounds,
    /// Failures that nobody was told of yet.
    pub(crate) late_reports: super::late_reports::LateReports,
    /// Who waits for his turn, as far as that is told.
    pub(crate) waiting: super::its_turn::Waiting,
    /// Queue runs that take their mail in turn.
    pub(crate) mail_runs: super::mail_run::MailRuns,
    /// `250 2.0.0 Ok`
    pub(crate) ok_reply: u32,
    pub(crate) bound: Option<String>,
}

impl<'m, const LEVEL: u8> World<'m, LEVEL> {
    /// Is this level written down?
    #[inline]
    pub(crate) fn writes(&self, level: u8) -> bool {
        LEVEL > crate::trace::level::COUNTERS && self.level >= level
    }

    /// The settings of a machine now.
    #[inline]
    pub(crate) fn config(&self, host: HostId) -> &'m HostConfig {
        self.settings[host.index()].config
    }

    /// The Exchange organization that a host belongs to.
    #[inline]
    pub(super) fn organization_of(&self, host: HostId) -> Option<&'m Organization> {
        self.config(host).receiver.directory.organization()
    }

    /// What a machine of this kind does when it sends.
    #[inline]
    pub(crate) fn rules(&self, host: HostId) -> &'static Behaviour {
        self.settings[host.index()].rules
    }

    /// Does a machine keep a memory of hosts (Exim)?
    #[inline(always)]
    pub(crate) fn remembers(&self, host: HostId) -> bool {
        !self.plain && self.rules(host).pass.remembers
    }

    /// Reads the settings of the version in force.
    pub(crate) fn take_settings(&mut self, version: usize) {
        self.version = version;
        self.zones = self.model.versions[version].zones.0;
        self.settings.clear();
        let published = super::proof::Published::of(self.model);
        self.settings.extend(self.model.versions[version].configs.iter().map(|id| {
            let config = self.model.config(*id);
            Settings {
                id: *id,
                config,
                rules: behaviour(config.sender.profile),
                sessions: config.receiver.sessions,
                proves: published.concerns(config),
                reads_letters: config.reads_letters(),
                looks_at_visitors: config.receiver.directory.looks_at_visitors(),
                has_receive_connectors: config.receiver.directory.organization().is_some(),
                counts_clients: config.receiver.client_limits.connections > 0 || config.receiver.directory.organization().is_some(),
            }
        }));
        for machine in &mut self.machines {
            machine.last_stop = None;
        }
        self.plain = self.settings.iter().all(|settings| settings.rules.is_plain() && settings.config.is_plain());
    }

    /// The envelope sender of a message as text, empty for the null sender.
    pub(crate) fn sender_text(&self, message: u32) -> String {
        let message = &self.messages[message];
        if message.from == NONE {
            String::new()
        } else {
            self.tables.templates.get(message.from).expand(message.address_number).to_string()
        }
    }

    /// The template of a recipient of a message.
    pub(crate) fn recipient_template(&self, message: u32, index: u16) -> u32 {
        match self.tables.recipient_lists.get(self.messages[message].to).get(usize::from(index)) {
            Some(template) => *template,
            None => self.added_recipient(message, index),
        }
    }

    /// Puts an event in for a copy; earlier ones become stale.
    pub(crate) fn wake_copy(&mut self, copy: u32, at: SimTime) {
        self.copies[copy].waits = self.events.push(at, super::queue::Kind::Ready, copy);
    }

    /// Puts an event in for a job; earlier ones become stale.
    #[inline(always)]
    pub(crate) fn wake_job(&mut self, job: u32, at: SimTime, kind: super::queue::Kind, stage: Stage) {
        if at >= self.jobs[job].stops_at
            && let Some((from, stopped)) = self.stops_before(job, at, stage)
        {
            return self.put_event(job, from, super::queue::Kind::Settle, stopped);
        }
        self.put_event(job, at, kind, stage);
    }

    #[inline(always)]
    fn put_event(&mut self, job: u32, at: SimTime, kind: super::queue::Kind, stage: Stage) {
        let number = self.events.push(at, kind, job);
        let job = &mut self.jobs[job];
        (job.waits, job.stage) = (number, stage);
    }

    /// Notes how many messages lie in a queue.
    #[inline]
    pub(crate) fn count_queue(&mut self, host: HostId, more: bool) {
        if self.writes(crate::trace::level::PATHS) {
            let machine = &mut self.machines[host.index()];
            machine.queued = if more { machine.queued + 1 } else { machine.queued - 1 };
            self.trace.queues.push(crate::trace::QueueRow { host, at: self.now, messages: machine.queued });
        }
    }
}
