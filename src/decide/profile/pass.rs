//! How does a sender make a pass over a message, and what does it leave behind? One field for each habit that some server has.

use crate::base::{Enhanced, Reply};

/// How a pass is made, and what it leaves behind.
#[derive(Debug)]
pub struct PassRules {
    /// What failed is remembered by host and message, and waits for its own time in the queue runs (Exim retry.c).
    pub remembers: bool,
    /// Recipients of several domains share a transaction where their host lists are equal (Exim `multi_domain`).
    pub groups_by_hosts: bool,
    /// Recipients of several domains share a transaction where their MX lists are equal or begin alike, and a message's deliveries are one after the
    /// other (Sendmail deliver.c).
    pub shares_signatures: bool,
    /// At the limit of addresses the next other preference is tried all the same (Exim `hosts_max_try`).
    pub limit_jumps: bool,
    /// The last host is the last of the list as DNS gave it, also one without an address; fallback hosts are none of it (Exim smtp.c).
    pub last_as_listed: bool,
    /// Which recipients that were put off after others were taken follow in the same session.
    pub further_rounds: FurtherRounds,
    /// Recipients at address literals are taken.
    pub literals: Literals,
    /// Its own address in brackets is as good as its own name (Postfix, Sendmail).
    pub own_literal_is_local: bool,
    /// A smart host asked for by MX must have one.
    pub smart_host_needs_mx: bool,
    /// All smart hosts of a list are looked up first, and where one lookup fails for now nobody is tried (Exim manualroute).
    pub whole_list_waits: bool,
    /// Each queue has one schedule for all that lies in it (Exchange Server).
    pub queues_retry: bool,
    /// What the rule book or one queue gave up is reported then, not when the slowest other queue of the message is through (Exchange).
    pub reports_at_once: bool,
    /// A login that is refused for good waits all the same (Postfix `smtp_sasl_auth_soft_bounce`).
    pub login_5xx_waits: bool,
    /// A recipient that a `Delivered-To` field names already is a loop (Postfix local, qmail-local).
    pub reads_delivered_to: bool,
    /// A recipient whose domain is an alias is rewritten to the domain that it stands for (Sendmail without `DontExpandCnames`).
    pub rewrites_aliases: bool,
    /// After a session that fails the next name is tried, not the next address of the same one (Sendmail deliver.c).
    pub session_ends_name: bool,
    /// After a failed MX lookup a host of last resort is met twice, up to DATA, and nothing is delivered there (a running Sendmail 8.17).
    pub fallback_breaks_off: bool,
    /// Which members of aliases get no copy, since the message has one for them already.
    pub equal_members: EqualMembers,
    /// Each wait is longer or shorter by luck: a fortieth of the first one, half a minute at most (KumoMTA queue.rs).
    pub jitters: bool,
    /// Domains with the same mail hosts share connections and their limit (KumoMTA site names).
    pub shares_sites: bool,
    /// 503 is for now (KumoMTA).
    pub sequence_errors_wait: bool,
    /// How many deliveries a destination gets at once depends on how the ones before it ended (Postfix qmgr_feedback.c).
    pub learns_from_failures: bool,
    /// How it refuses mail with too many Received fields, at the final dot.
    pub hop_refusal: (u16, Enhanced, &'static str),
    /// Mail with too many Received fields is taken, and returned by the server itself with these words; `None`: refused.
    pub too_many_hops: Option<(u16, Enhanced, &'static str)>,
    /// What happens to mail that waits when the machine starts again.
    pub at_start: AtStart,
}

/// A machine was down and starts: when is the mail tried that waits there?
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AtStart {
    /// At its time, or at the start if that is past.
    AtItsTime,
    /// The programs begin with a run through the queue, and the next ones count from there: what is due is tried (Postfix qmgr.c `qmgr_post_init`, Exim
    /// daemon.c, Sendmail main.c).
    QueueRun,
    /// Its times were known to a process only: at once (qmail-send.c `pqstart`; the queues of an Exchange server begin anew).
    AtOnce,
}

/// Who follows in a further transaction of the same session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FurtherRounds {
    /// The next host is asked, or another attempt follows.
    Nobody,
    /// Those answered 452 (Exim smtp.c).
    Any452,
    /// Those answered 452 4.5.3, too many recipients (RFC 5321 §4.5.3.1.10): that says nothing about them.
    TooMany,
}

impl FurtherRounds {
    /// Is somebody with this reply named again?
    #[must_use]
    pub fn has(self, reply: &Reply) -> bool {
        match self {
            Self::Nobody => false,
            Self::Any452 => reply.code == 452,
            Self::TooMany => reply.code == 452 && reply.enhanced == Some(Enhanced(4, 5, 3)),
        }
    }
}

/// What becomes of an alias that leads to somebody who has the message by another way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EqualMembers {
    /// Each way is a copy.
    All,
    /// One copy for each recipient that the sender wrote (Postfix `duplicate_filter_limit`, OpenSMTPD).
    OnceOfRecipient,
    /// One copy for the message (Exim redirect, Sendmail recipient.c).
    Once,
}

/// What a sender does with recipients at address literals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Literals {
    /// It sends there.
    Taken,
    /// It refuses them.
    Refused,
    /// It sends to `[192.0.2.1]`, and takes others for names.
    OfVersion4,
}

impl PassRules {
    /// Each message for itself, one job for each next hop.
    pub(crate) const PLAIN: Self = Self {
        remembers: false,
        groups_by_hosts: false,
        shares_signatures: false,
        limit_jumps: false,
        last_as_listed: false,
        further_rounds: FurtherRounds::Nobody,
        literals: Literals::Taken,
        own_literal_is_local: false,
        smart_host_needs_mx: false,
        whole_list_waits: false,
        queues_retry: false,
        reports_at_once: false,
        login_5xx_waits: false,
        reads_delivered_to: false,
        rewrites_aliases: false,
        session_ends_name: false,
        fallback_breaks_off: false,
        equal_members: EqualMembers::All,
        jitters: false,
        learns_from_failures: false,
        at_start: AtStart::AtItsTime,
        sequence_errors_wait: false,
        shares_sites: false,
        hop_refusal: (554, Enhanced(5, 4, 6), "Too many hops"),
        too_many_hops: None,
    };
}
