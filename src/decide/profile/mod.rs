//! One table per mail server: what it does where the standards leave room.
//!
//! A profile is data; the rule books read it and know no server by name.

mod door;
mod exchange_online;
mod exchange_server;
mod exim;
mod kumomta;
mod opensmtpd;
mod pass;
mod postfix;
mod qmail;
mod rfc;
mod sendmail;
mod tls_rules;

pub use tls_rules::{BrokenHandshake, DaneRules, RequireTlsRule, RevocationCheck, TlsRules};

pub use door::{DoorRules, Refusal, door_of};
pub use pass::{AtStart, EqualMembers, FurtherRounds, Literals, PassRules};

use super::extensions::ExtensionRules;
use super::relay::RelayRules;
use super::reports::{NamesInReports, ReportStatus, ReportTime, Unwarned};
use crate::base::Enhanced;
use crate::model::settings::{Profile, Retry, Sender};

/// What an expired message is returned with: code, status, words; and the reasons to wait that stay the reason, as permanent ones.
pub type ExpiryStatus = (u16, Enhanced, &'static str, &'static [Enhanced]);

/// What a sender of this kind does in each case that the rule books ask about.
#[derive(Debug)]
pub struct Behaviour {
    /// Its name in explanations.
    pub name: &'static str,
    /// DNS answers (`decide::mx`).
    pub mx: MxRules,
    /// Order of candidates (`decide::order`).
    pub order: OrderRule,
    /// Failures in a session (`decide::failure`).
    pub session: SessionRules,
    /// TLS (`decide::tls`).
    pub tls: TlsRules,
    /// What the report of an expired message says; `None` = the last error.
    pub expiry_status: Option<ExpiryStatus>,
    /// When the lifetime is tested.
    pub expiry: ExpiryTest,
    /// When it tells the sender what it gave up.
    pub reports: ReportTime,
    /// What would be a report about a report goes to the local postmaster.
    pub tells_postmaster: bool,
    /// The action that the report of an expired message names.
    pub expiry_action: &'static str,
    /// What it writes as the status of a recipient in a report.
    pub report_status: ReportStatus,
    /// How it tells what the sender called message and recipient.
    pub report_names: NamesInReports,
    /// Precedence and Priority in the header decide how long it keeps mail, and what its reports return.
    pub minds_precedence: bool,
    /// Whom it does not tell that mail is late.
    pub unwarned: Unwarned,
    /// Its memory of routes and sessions (`decide::relay`).
    pub relay: Option<RelayRules>,
    /// An address whose connect failed is not tried twice in one attempt, though it stands in the list twice.
    pub tries_address_once: bool,
    /// It skips addresses that did not answer before (`decide::tcpto`).
    pub skips_silent: bool,
    /// How a pass is made, and what it leaves behind.
    pub pass: PassRules,
    /// How it sends clients away as a server (`decide::door`).
    pub door: DoorRules,
    /// Extensions that a server may lack (`decide::extensions`).
    pub extensions: ExtensionRules,
}

impl Behaviour {
    /// A pass of this sender depends on nothing but its own message: no memory of hosts, routes or addresses, no mail of others in its transactions.
    /// The clockwork asks this once per world and then leaves all of that out.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let Self { relay, tries_address_once, skips_silent, pass, .. } = self;
        relay.is_none() && !tries_address_once && !skips_silent && !pass.remembers && !pass.groups_by_hosts && !pass.queues_retry
    }
}

/// What DNS outcomes mean.
#[derive(Debug)]
pub struct MxRules {
    /// NXDOMAIN to the MX question: the address is asked all the same.
    pub nxdomain_asks_address: bool,
    /// Nothing exists under the name.
    pub no_such_domain: End,
    /// The domain exists, but has neither MX nor address.
    pub no_address: End,
    /// The MX question itself failed for now.
    pub lookup_failed: End,
    /// The MX question was answered REFUSED; `None` = as if it failed for now.
    pub lookup_refused: Option<End>,
    /// The MX question failed for now, and the name itself has an address; `None` = that makes no difference.
    pub lookup_failed_with_address: Option<End>,
    /// No target has an address, all for good.
    pub no_usable_target: End,
    /// No target has an address, and the question about the last of them failed only for now.
    pub no_usable_target_yet: End,
    /// No target has an address, a question about one failed only for now, and the last is known to have none.
    pub no_usable_target_mixed: End,
    /// Which families of addresses it asks for.
    pub families: FamiliesAsked,
    /// How long it waits for an answer that never comes.
    pub dns_patience: DnsPatience,
    /// Targets are looked up when their turn comes, so a last one without an address is the last failure: what is noted then, for good and for now.
    pub last_target_missing: Option<(Enhanced, Enhanced)>,
    /// The hosts of last resort are not tried after a null MX.
    pub null_mx_is_final: bool,
    /// Null MX.
    pub null_mx: End,
    /// A null MX beside others wins.
    pub null_mx_wins: bool,
    /// `.` at a preference other than 0 is a null MX too.
    pub null_mx_any_preference: bool,
    /// A domain that the sender itself is a mail host of has no hosts of last resort (Postfix smtp_connect.c).
    pub backup_has_no_fallback: bool,
    /// The exchange `localhost` is a null MX too (OpenSMTPD dns.c).
    pub localhost_is_null_mx: bool,
    /// A target that stands in the answer twice is tried twice (Postfix smtp_addr.c); else only its better preference counts.
    pub keeps_duplicates: bool,
    /// An IP address as MX data is used.
    pub address_in_mx_data: bool,
    /// The best MX is the sender itself.
    pub self_is_best: End,
    /// Better ones than the sender itself exist, but none has an address.
    pub self_without_primary: End,
    /// By what a sender finds itself in the list.
    pub self_check: SelfCheck,
    /// A smart host that cannot be found is an error of the configuration: everything becomes this.
    pub smart_host_lost: Option<End>,
    /// The only smart host of all mail, or a host of last resort, leads nowhere for good: an error of the configuration (Postfix smtp_connect.c). One of
    /// several smart hosts, or one of a route, is judged like any name.
    pub configuration_error: Option<End>,
}

/// How a routing question can end a recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct End {
    /// Given up at once (else kept and tried again).
    pub bounce: bool,
    /// Kept, and not tried again until somebody thaws it.
    pub freeze: bool,
    /// Nobody knows what this server does here: the message ends as "the scenario does not say".
    pub not_said: bool,
    /// Reply code of the report, 0 if no server could have said it.
    pub code: u16,
    /// Enhanced status.
    pub status: Enhanced,
}

/// A bounce with code 0.
pub(crate) const fn bounce(class: u8, subject: u16, detail: u16) -> End {
    End { bounce: true, freeze: false, not_said: false, code: 0, status: Enhanced(class, subject, detail) }
}

/// Nobody knows.
pub(crate) const NOT_SAID: End = End { not_said: true, ..bounce(5, 3, 5) };

/// A deferral.
pub(crate) const fn defer(class: u8, subject: u16, detail: u16) -> End {
    End { bounce: false, freeze: false, not_said: false, code: 0, status: Enhanced(class, subject, detail) }
}

/// By what a sender finds itself in a list of MX hosts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SelfCheck {
    /// One of its addresses.
    Address,
    /// Its name.
    Name,
    /// One of its addresses, or its name.
    NameOrAddress,
    /// It does not look: a shared service behind many addresses.
    Never,
}

/// How long a sender waits for DNS where no answer comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DnsPatience {
    /// As long as its resolver says.
    Resolver,
    /// The question about an address is asked this often, each time as long as the resolver says.
    AddressAskedTimes(u32),
    /// So many nanoseconds, whatever the resolver says: for MX, for addresses.
    Own(u64, u64),
}

/// When a sender says HELO.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeloUse {
    /// After EHLO was answered 5xx.
    After5xx,
    /// After any refusal of EHLO but 421.
    AfterAnyRefusal,
    /// Instead of EHLO: no extension is ever used.
    Always,
    /// A server without EHLO will not do.
    Never,
}

/// Which addresses of a target a sender asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FamiliesAsked {
    /// Those of families that it has an address of.
    AsAddresses,
    /// Both; those that it cannot use are tried and found unreachable.
    Both,
    /// IPv4 only.
    OnlyV4,
}

/// In which order the recipients of one message are named to a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecipientOrder {
    /// As given.
    Given,
    /// From last to first in the first attempt, then as given (Sendmail).
    LastFirst,
    /// By the luck of their numbers in the queue (OpenSMTPD).
    ByLuck,
    /// Sorted by domain, then by address, in small letters (Postfix qmgr_message.c).
    Sorted,
}

/// What a sender does about a server that greets with the sender's own name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OwnName {
    /// It does not look.
    Ignored,
    /// A loop: it bounces if no better host was tried before, else the next host.
    BouncesIfBest,
    /// The next host; if there is none it bounces with this code and status.
    BouncesAtLast(u16, Enhanced),
}

/// What a sender does about 5xx to the greeting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Greeting5xx {
    /// The next host; if there is none it waits.
    Next,
    /// The next host; if there is none it bounces.
    BouncesAtLast,
    /// It bounces.
    BouncesAtOnce,
}

/// How equal candidates are ordered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrderRule {
    /// Hosts are shuffled; the addresses of one host stay in the resolver's order.
    ByHost,
    /// Hosts are shuffled, and the addresses of each host among themselves; within a preference IPv6 comes first.
    ByHostAndAddress,
    /// Addresses of one preference are shuffled together, so a host with more addresses is tried first more often.
    ByAddress,
}

/// What failures in a session mean.
#[derive(Debug)]
pub struct SessionRules {
    /// A banner with 5xx.
    pub banner_5xx: Greeting5xx,
    /// When it says HELO.
    pub helo: HeloUse,
    /// HELO answered 5xx.
    pub helo_5xx: Greeting5xx,
    /// What is noted of a refused banner, EHLO or HELO, whatever its enhanced status: for 4xx, for 5xx that is final. `None` = what the server said.
    pub greeting_status: Option<(Enhanced, Option<Enhanced>)>,
    /// The status of a refused DATA where the server closes then: that of the line that broke at RSET.
    pub closed_at_data: Option<Enhanced>,
    /// A reply without an enhanced status has one by its code.
    pub status_by_code: bool,
    /// What is noted of a refused DATA, whatever its enhanced status: for 4xx, for 5xx. `None` = what the server said.
    pub data_status: Option<(Enhanced, Enhanced)>,
    /// What is noted of 421 to MAIL, whatever its enhanced status. `None` = what the server said.
    pub closing_at_mail: Option<Enhanced>,
    /// An enhanced status of another class than its reply is not read (Postfix smtp_chat.c); else the sender shows what it was told.
    pub drops_other_class: bool,
    /// After 4xx to MAIL, DATA or the final dot, or a break in the transaction, the next host is tried in the same attempt.
    pub tempfail_tries_next: bool,
    /// RCPT 4xx: that recipient is tried at the next host in the same attempt.
    pub rcpt_4xx_tries_next: bool,
    /// Once a connection opened, no other host is tried in the attempt, whatever the server says.
    pub one_connection: bool,
    /// 552 to RCPT is read as "too many recipients": temporary.
    pub rcpt_552_is_temporary: bool,
    /// A message over the announced SIZE bounces before MAIL; else nobody looks at what is announced, and the server refuses it when it has it (KumoMTA rfc5321
    /// client.rs).
    pub size_checked_before_mail: bool,
    /// A server that calls itself by the sender's own name.
    pub own_name: OwnName,
    /// Status of failures without a reply.
    pub refused: Enhanced,
    /// No answer to the connect.
    pub connect_timeout: Enhanced,
    /// No route.
    pub unreachable: Enhanced,
    /// The session broke off or fell silent.
    pub lost: Enhanced,
    /// SIZE: code and status.
    pub too_big: (u16, Enhanced),
    /// A recipient that one host refused for now keeps that word in this attempt when a later host cannot be reached or refuses MAIL for good.
    pub keeps_rcpt_4xx: bool,
    /// In which order recipients are named.
    pub recipients: RecipientOrder,
    /// Failures without a reply of their own carry the code of the last refusal that a server of this attempt spoke.
    pub carries_last_code: bool,
    /// Reply code noted where the connection breaks off at RCPT: for the recipient just named, for the others. 0 = none.
    pub lost_at_rcpt: (u16, u16),
}

/// When the lifetime of a message is tested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExpiryTest {
    /// After an attempt that failed: there is always one last try after the lifetime.
    AfterAttempt,
    /// After an attempt: given up if the next one would come after the lifetime.
    BeforeNext,
    /// At the moment itself.
    Timer,
}

/// The table of a profile.
#[must_use]
pub fn behaviour(profile: Profile) -> &'static Behaviour {
    match profile {
        Profile::Rfc | Profile::NoRetry => &rfc::BEHAVIOUR,
        Profile::Postfix => &postfix::BEHAVIOUR,
        Profile::Exim => &exim::BEHAVIOUR,
        Profile::Sendmail => &sendmail::BEHAVIOUR,
        Profile::OpenSmtpd => &opensmtpd::BEHAVIOUR,
        Profile::OpenSmtpd6 => &opensmtpd::BEHAVIOUR_6,
        Profile::Qmail => &qmail::BEHAVIOUR,
        Profile::KumoMta => &kumomta::BEHAVIOUR,
        Profile::ExchangeOnline => &exchange_online::BEHAVIOUR,
        Profile::ExchangeServer => &exchange_server::BEHAVIOUR,
    }
}

/// The sending side of a profile with all its defaults; a scenario's own settings are laid over it.
#[must_use]
pub fn default_sender(profile: Profile) -> Sender {
    match profile {
        Profile::Rfc => rfc::sender(),
        Profile::NoRetry => Sender { profile, retry: Retry::Never, ..rfc::sender() },
        Profile::Postfix => postfix::sender(),
        Profile::Exim => exim::sender(),
        Profile::Sendmail => sendmail::sender(),
        Profile::OpenSmtpd | Profile::OpenSmtpd6 => opensmtpd::sender(profile),
        Profile::Qmail => qmail::sender(),
        Profile::KumoMta => kumomta::sender(),
        Profile::ExchangeOnline => exchange_online::sender(),
        Profile::ExchangeServer => exchange_server::sender(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_remembers_something() {
        let cases = [
            (Profile::Rfc, true),
            (Profile::NoRetry, true),
            (Profile::Postfix, true),
            (Profile::ExchangeOnline, true),
            (Profile::ExchangeServer, false),
            (Profile::KumoMta, true),
            (Profile::Exim, false),
            (Profile::Sendmail, false),
            (Profile::OpenSmtpd, false),
            (Profile::OpenSmtpd6, false),
            (Profile::Qmail, false),
        ];
        for (profile, plain) in cases {
            assert_eq!(behaviour(profile).is_plain(), plain, "{profile:?}");
        }
    }
}
