//! Reports to the sender (RFC 3464) and delay notices: messages of their own, born where the failure was.

use super::expansion::Wishes;
use super::world::{Recipient, RecipientState, World};
use crate::base::{Enhanced, HostId};
use crate::decide::acceptance::accepted_domain;
use crate::decide::exchange::recipient::returned;
use crate::decide::reports::{NamesInReports, ReportTime, Unwarned, headers_only};
use crate::decide::{Decision, because};
use crate::model::directory::remote_domain;
use crate::model::retry_rules::Warned;
use crate::model::settings::{Directory, Profile, Retry};
use crate::model::traffic::{AddressTemplate, TlsWish};
use crate::trace::{Concern, NONE, ReportRow};

/// About what the headers of a message take.
const HEADER_BYTES: u64 = 2_048;

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A report to the sender: born here, from nobody.
    pub(super) fn report(&mut self, copy: u32, mut lines: Vec<(u16, &'static str, Enhanced, u32)>, kind: u8) {
        let message = self.copies[copy].message;
        let host = self.copies[copy].host;
        if !self.plain && self.transport_queues.redundancy.is_silent(copy) || self.rules(host).reports == ReportTime::Never {
            return;
        }
        let row = &self.messages[message];
        let (to, from) = (row.to, self.sender_of(copy));
        let to_whom = if from != NONE {
            from
        } else if kind == 1 && self.rules(host).tells_postmaster {
            self.postmaster(host)
        } else {
            return;
        };
        let (written, names) = (self.rules(host).report_status, self.rules(host).report_names);
        for (_, action, status, _) in &mut lines {
            *status = written.of(action, *status);
        }
        let list = self.tables.recipient_lists.intern(smallvec::smallvec![to_whom]);
        if from == NONE && list == to {
            return;
        }
        let row = &self.messages[message];
        let heard = lines.first().is_none_or(|(index, ..)| self.wishes(copy, *index) != Wishes::Usual);
        // What a sender wishes is for its message, not for reports about it.
        let wished = heard && row.kind == 0;
        let notify = self.sources_model.get(row.source as usize).and_then(|source| source.notify).filter(|_| wished);
        let wanted = match (notify, kind) {
            (None, _) => true,
            (Some(_), 1) if lines.iter().all(|(_, action, ..)| matches!(*action, "delivered" | "relayed" | "expanded")) => true,
            (Some(notify), 1) => notify.failure,
            (Some(notify), _) => notify.delay,
        };
        if !wanted || self.gets_no_reports(copy, to_whom, &lines) {
            return;
        }
        let report = lines.iter().map(|(index, action, status, reply)| {
            let knows = self.wishful && self.wishes(copy, *index) != Wishes::Usual;
            let names = if knows { names } else { NamesInReports::Unknown };
            ReportRow { recipient: *index, names, action, status: *status, reply: *reply }
        });
        let report = report.collect();
        let bodiless = self.returns_no_body(copy);
        let row = &self.messages[message];
        let source = self.sources_model.get(row.source as usize);
        let asked = source.and_then(|source| source.returns).filter(|_| heard);
        let failed = kind == 1 && lines.iter().any(|(_, action, ..)| *action == "failed");
        let headers_only = !failed
            || bodiless
            || headers_only(self.config(host).sender.returned, asked, row.size)
            || source.is_some_and(|source| source.tls_wish == TlsWish::Required);
        let size = 2_048 + if headers_only { row.size.min(HEADER_BYTES) } else { row.size };
        let key = super::chance::mix(row.key ^ self.model.hosts[host.index()].key ^ u64::from(kind) << 32 ^ u64::from(row.reports));
        let (parent, number, source) = (row.id, row.address_number, row.source);
        self.messages[message].reports += 1;
        let order = self.messages[message].reports;
        let report = super::inject::NewMessage {
            source,
            number: u64::from(order),
            parent: parent.0,
            kind,
            from: NONE,
            address_number: number,
            to: list,
            size,
            headers_only,
            key,
            host,
            tenant: self.copies[copy].tenant,
            report,
        };
        if let Some(new) = self.new_message(report) {
            self.ready(new);
        }
    }

    /// The organization sends no NDRs to the remote domain of the sender (`NDREnabled`).
    fn gets_no_reports(&mut self, copy: u32, to_whom: u32, lines: &[(u16, &'static str, Enhanced, u32)]) -> bool {
        let (host, tenant, message) = (self.copies[copy].host, self.copies[copy].tenant, self.copies[copy].message);
        let names = &self.tables.names;
        let mut to = self.tables.templates.get(to_whom).expand(self.messages[message].address_number);
        let (remote_domains, is_own) = match &self.config(host).receiver.directory {
            Directory::Tenants(tenants) => {
                let Some(row) = tenants.iter().find(|row| row.system.0 == tenant) else { return false };
                // A rewritten sender stands for somebody else, and it is he who would get the report.
                if let Some(stands_for) = returned(row, &to.to_string()) {
                    to = stands_for;
                }
                (&row.remote_domains, accepted_domain(row, names, &to.domain).is_some())
            }
            Directory::Organization(own) => (&own.remote_domains, own.accepted(names, &to.domain).is_some()),
            Directory::Everything | Directory::Mta(_) => return false,
        };
        if is_own || remote_domains.iter().all(|remote| remote.ndr) || lines.iter().any(|(_, action, ..)| *action != "failed") {
            return false;
        }
        let Some(remote) = remote_domain(remote_domains, &to.domain).filter(|remote| !remote.ndr) else { return false };
        let why = format!("no report of failure goes to {} from here", to.domain);
        let decision = Decision::for_reason((), because("NDR", &*remote.name, why, "Set-RemoteDomain NDREnabled"));
        let stored = self.store("does the sender get a report?", host, tenant, &decision);
        for (index, ..) in lines {
            self.trace_decisions(copy, Concern::recipient(*index), &[stored]);
        }
        true
    }

    /// Does the sender want to hear of success?
    #[inline]
    pub(super) fn wants_word_of_success(&self, message: u32) -> bool {
        let source = self.messages[message].source as usize;
        self.sources_model.get(source).and_then(|source| source.notify).is_some_and(|notify| notify.success)
            && self.messages[message].kind == 0
    }

    /// Tells the sender that a recipient was reached, or how far it came, if that was asked for.
    pub(super) fn word_of_success(&mut self, copy: u32, index: u16, action: &'static str) {
        let message = self.copies[copy].message;
        if self.wants_word_of_success(message) && self.wishes(copy, index) == Wishes::All {
            self.report(copy, vec![(index, action, Enhanced(2, 0, 0), self.ok_reply)], 1);
        }
    }

    /// The postmaster of a machine: in the domain of its mailboxes, or at its own name.
    fn postmaster(&mut self, host: HostId) -> u32 {
        let domain = match &self.config(host).receiver.directory {
            Directory::Mta(own) => own.mailbox_domains.first().cloned(),
            Directory::Organization(own) => own.accepted_domains.first().map(|accepted| self.tables.names.text(accepted.name).into()),
            Directory::Everything | Directory::Tenants(_) => None,
        };
        let name = self.model.hosts[host.index()].hostname;
        let domain = domain.unwrap_or_else(|| self.tables.names.text(name).into());
        self.tables.templates.intern(AddressTemplate { local: "postmaster".into(), domain })
    }

    /// "It is late, we keep trying."
    pub(super) fn delay_notice(&mut self, copy: u32) {
        let host = self.copies[copy].host;
        let unwarned = match &self.config(host).sender.retry {
            Retry::Exim(retry) if retry.warned == Warned::Nobody => return,
            Retry::Exim(retry) if retry.warned == Warned::Everybody => Unwarned::Nobody,
            _ => self.rules(host).unwarned,
        };
        if unwarned != Unwarned::Nobody {
            let (letter, from) = (self.letter(copy), self.sender_of(copy));
            let sender = (from != NONE).then(|| self.tables.templates.get(from));
            if unwarned.has(sender.map_or("", |sender| &sender.local), &letter.headers) {
                return;
            }
        }
        let pending = |recipient: &&Recipient| recipient.state == RecipientState::Pending;
        let lines: Vec<(u16, &'static str, Enhanced, u32)> = self.copies[copy]
            .recipients
            .iter()
            .filter(pending)
            .map(|recipient| {
                let status = if recipient.reply == NONE { None } else { self.tables.replies.get(recipient.reply).enhanced };
                // RFC 3464 §2.3.4: "delayed" goes with class 4, whatever the server told.
                (recipient.index, "delayed", status.unwrap_or(Enhanced(4, 4, 7)).with_class(4), recipient.reply)
            })
            .collect();
        self.report(copy, lines, 2);
    }

    /// The end of a circle that a machine notices: Exchange Online has a status of its own for it.
    pub(super) fn circle(&mut self, host: HostId, why: &str) -> u32 {
        let status = if self.is_exchange_online(host) { Enhanced(5, 4, 14) } else { Enhanced(5, 4, 6) };
        self.tables.reply(554, status, why)
    }

    /// Does this kind of sender follow the rules of the shared service?
    pub(super) fn is_exchange_online(&self, host: HostId) -> bool {
        self.config(host).sender.profile == Profile::ExchangeOnline
    }
}
