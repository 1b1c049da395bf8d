//! A mailbox answers by itself: a new message from nobody, born where the mailbox is.
//!
//! Who is answered stands in `decide::automatic_reply`; here is who was answered already. What a mailbox has noted is forgotten when its settings
//! change. An answer has the null sender in its envelope (RFC 3834 §3.3) and the mailbox as its author.

use super::world::World;
use crate::base::{Enhanced, HostId, SimTime};
use crate::decide::acceptance::accepted_domain;
use crate::decide::automatic_reply::{Occasion, Organization, answers};
use crate::decide::reports::NamesInReports;
use crate::model::automatic_reply::{AutomaticReply, of_mailbox};
use crate::model::directory::remote_domain;
use crate::model::settings::Directory;
use crate::trace::{Concern, NONE, ReportRow};
use std::collections::BTreeMap;

/// The kind of message that an answer is, beside 0 mail, 1 report, 2 delay notice.
pub(super) const ANSWER: u8 = 3;
/// About what an answer takes.
const ANSWER_BYTES: u64 = 4_096;

/// What mailboxes know of their answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// When, and in which version of the world, a mailbox answered a sender last: by tenant or system, mailbox, sender.
    given: BTreeMap<(u32, String, String), (SimTime, usize)>,
    /// Authors of answers, by message.
    authors: BTreeMap<u32, u32>,
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// A message came into a mailbox that may answer it.
    pub(super) fn answer_by_itself(&mut self, copy: u32, index: u16, junk: bool) {
        let model = self.model;
        let (host, tenant, message) = (self.copies[copy].host, self.copies[copy].tenant, self.copies[copy].message);
        let directory = &model.config(model.versions[self.version].configs[host.index()]).receiver.directory;
        let template = self.recipient_template(message, index);
        let number = self.messages[message].address_number;
        let address = self.tables.templates.get(template).expand(number).to_string();
        let Some(reply) = of_mailbox(directory, tenant, &address) else { return };
        if self.transport_queues.redundancy.is_silent(copy) {
            return;
        }
        let letter = self.letter(copy);
        let whose = if tenant == NONE { model.hosts[host.index()].system.0 } else { tenant };
        let key = (whose, address.to_lowercase(), letter.sender.to_lowercase());
        let last = self.automatic_replies.given.get(&key).filter(|(_, since)| self.answers_stayed(host, tenant, &address, (reply, *since)));
        let list = self.silent_list(copy, index);
        let domain = letter.sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let names = &self.tables.names;
        let organization = match directory {
            Directory::Everything | Directory::Mta(_) => None,
            Directory::Organization(own) => {
                let remote = remote_domain(&own.remote_domains, domain);
                Some(Organization { is_own: own.accepted(names, domain).is_some(), remote })
            }
            Directory::Tenants(tenants) => tenants.iter().find(|row| row.system.0 == tenant).map(|row| {
                let remote = remote_domain(&row.remote_domains, domain);
                Organization { is_own: accepted_domain(row, names, domain).is_some(), remote }
            }),
        };
        let decision = answers(&Occasion {
            reply,
            address: &address,
            letter: &letter,
            at: self.now,
            junk,
            list: list.as_deref(),
            last: last.map(|(at, _)| *at),
            organization,
        });
        let stored = self.store("does the mailbox answer?", host, tenant, &decision);
        self.trace_decisions(copy, Concern::recipient(index), &[stored]);
        if decision.outcome {
            self.automatic_replies.given.insert(key, (self.now, self.version));
            self.give_answer(copy, index, template);
        }
    }

    /// Have the settings of a mailbox been the same in all versions of the world since then?
    fn answers_stayed(&self, host: HostId, tenant: u32, address: &str, (reply, since): (&AutomaticReply, usize)) -> bool {
        (since..self.version).all(|version| {
            let config = self.model.config(self.model.versions[version].configs[host.index()]);
            of_mailbox(&config.receiver.directory, tenant, address) == Some(reply)
        })
    }

    /// The answer itself.
    fn give_answer(&mut self, copy: u32, index: u16, author: u32) {
        let (host, message, sender) = (self.copies[copy].host, self.copies[copy].message, self.sender_of(copy));
        let to = self.tables.recipient_lists.intern(smallvec::smallvec![sender]);
        let row = &mut self.messages[message];
        row.reports += 1;
        let key = super::chance::mix(row.key ^ self.model.hosts[host.index()].key ^ u64::from(ANSWER) << 32 ^ u64::from(row.reports));
        let answer = super::inject::NewMessage {
            source: row.source,
            number: u64::from(row.reports),
            parent: row.id.0,
            kind: ANSWER,
            from: NONE,
            address_number: row.address_number,
            to,
            size: ANSWER_BYTES,
            headers_only: false,
            key,
            host,
            tenant: self.copies[copy].tenant,
            report: Box::new([ReportRow {
                recipient: index,
                names: NamesInReports::Unknown,
                action: "answered",
                status: Enhanced(2, 0, 0),
                reply: NONE,
            }]),
        };
        if let Some(new) = self.new_message(answer) {
            let id = self.messages[self.copies[new].message].id.0;
            self.automatic_replies.authors.insert(id, author);
            self.ready(new);
        }
    }

    /// The mailbox that an answer is of, as text.
    pub(super) fn author_of_answer(&self, message: u32) -> Option<String> {
        let row = &self.messages[message];
        if row.kind != ANSWER {
            return None;
        }
        let author = self.automatic_replies.authors.get(&row.id.0)?;
        Some(self.tables.templates.get(*author).expand(row.address_number).to_string())
    }
}
