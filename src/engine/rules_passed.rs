//! What do mail-flow rules make of a message, and which has waiting mail behind it? A rule acts when a message comes; what is made, edited or switched on later is for later mail.
//!
//! Remembered where settings change while a message waits for its next hop: what the rules made of it for each recipient. Sources: "Mail flow rules in
//! Exchange Online" (rules run as a message goes through the service; a retry is none of that).

use super::world::{RecipientState, World};
use crate::base::MsgId;
use crate::decide::exchange::mail_flow_rule::{self, Ruled};
use crate::decide::{Because, because};
use crate::model::exchange::Tenant;
use crate::model::letter::{Letter, Origin};
use crate::model::settings::Directory;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// By message, number of the copy, and recipient.
#[derive(Clone, Debug, Default)]
pub(crate) struct RulesPassed(BTreeMap<(MsgId, u32), Vec<Passed>>);

/// What rules made of a message for one recipient.
#[derive(Clone, Debug)]
struct Passed {
    recipient: Box<str>,
    ruled: Ruled,
    /// The connector that they named: its place may be another one by now.
    connector: Option<Box<str>>,
}

impl RulesPassed {
    /// Nobody's rules are remembered.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const LEVEL: u8> World<'_, LEVEL> {
    /// Settings are about to change: what waits in Exchange Online has the rules behind it that there are now.
    pub(super) fn remember_rules(&mut self) {
        let waiting = self.copies.rows_where(|copy| copy.pass > 0 && !copy.closed);
        let known = std::mem::take(&mut self.rules_passed.0);
        for copy in waiting {
            let row = &self.copies[copy];
            let (host, message, tenant, number) = (row.host, row.message, row.tenant, row.number);
            let Directory::Tenants(tenants) = &self.config(host).receiver.directory else { continue };
            let Some(tenant) = tenants.iter().find(|row| row.system.0 == tenant) else { continue };
            let key = (self.messages[message].id, number);
            if let Some(passed) = known.get(&key) {
                self.rules_passed.0.insert(key, passed.clone());
                continue;
            }
            let letter = self.letter(copy);
            let pending = self.copies[copy].recipients.iter().filter(|recipient| recipient.state == RecipientState::Pending);
            let indices: SmallVec<[u16; 2]> = pending.map(|recipient| recipient.index).collect();
            let mut passed = Vec::new();
            for index in indices {
                let template = self.recipient_template(message, index);
                let address = self.tables.templates.get(template).expand(self.messages[message].address_number);
                let text = address.to_string();
                let ruled = match &letter.ruled {
                    Some(pin) => Ruled { pin: pin.clone(), ..Ruled::default() },
                    None => {
                        let letter = self.letter_for_rules(copy, tenant, &letter, &text, &address.domain);
                        mail_flow_rule::run(tenant, &self.tables.names, &letter, &text, &address.domain).outcome
                    }
                };
                let connector = ruled.pin.connector.as_ref().map(|(at, _)| tenant.outbound_connectors[*at].name.clone());
                passed.push(Passed { recipient: text.into(), ruled, connector });
            }
            self.rules_passed.0.insert(key, passed);
        }
    }

    /// What the mail-flow rules of a tenant make of a copy for one recipient.
    pub(super) fn what_rules_make(
        &mut self,
        copy: u32,
        tenant: &Tenant,
        letter: &Letter,
        (address, domain): (&str, &str),
        decisions: &mut SmallVec<[u32; 2]>,
    ) -> Ruled {
        const QUESTION: &str = "which mail-flow rules act?";
        let (host, system) = (self.copies[copy].host, tenant.system.0);
        let passed = if self.rules_passed.is_empty() { None } else { self.passed_rules(copy, tenant, address) };
        if let Some((of_its_time, why)) = passed {
            if !tenant.mail_flow_rules.is_empty() {
                decisions.push(self.store_reasons(QUESTION, host, system, &[why], &[]));
            }
            return of_its_time;
        }
        if letter.is_report && letter.origin == Origin::Submitted && !tenant.mail_flow_rules.is_empty() {
            let why = "a report that the service wrote itself: mail-flow rules do not process it";
            let reason = because("RULE", "no rule", why, "Mail flow rules in Exchange Online");
            decisions.push(self.store_reasons(QUESTION, host, system, &[reason], &[]));
            return Ruled::default();
        }
        let is_kept_copy = letter.inbox.iter().any(|step| step.mailbox.eq_ignore_ascii_case(address));
        if tenant.mail_flow_rules.is_empty() || letter.ruled.is_some() || is_kept_copy {
            return Ruled { pin: letter.ruled.clone().unwrap_or_default(), ..Ruled::default() };
        }
        let letter = self.letter_for_rules(copy, tenant, letter, address, domain);
        let decision = mail_flow_rule::run(tenant, &self.tables.names, &letter, address, domain);
        decisions.push(self.store(QUESTION, host, system, &decision));
        decision.outcome
    }

    /// Has this copy the rules behind it, whatever they are by now?
    pub(super) fn has_passed_rules(&self, copy: u32) -> bool {
        let row = &self.copies[copy];
        self.rules_passed.0.contains_key(&(self.messages[row.message].id, row.number))
    }

    /// What rules made of a copy for a recipient before the settings changed, and the words for it.
    fn passed_rules(&self, copy: u32, tenant: &Tenant, recipient: &str) -> Option<(Ruled, Because)> {
        let row = &self.copies[copy];
        let all = self.rules_passed.0.get(&(self.messages[row.message].id, row.number))?;
        let passed = all.iter().find(|passed| *passed.recipient == *recipient)?;
        let mut ruled = passed.ruled.clone();
        if let Some((_, rule)) = ruled.pin.connector.take() {
            let at = tenant.outbound_connectors.iter().position(|connector| Some(&connector.name) == passed.connector.as_ref());
            ruled.pin.connector = at.map(|at| (at, rule));
        }
        let why = "they acted when the message came; what was changed since then is for later mail";
        Some((ruled, because("RULE", "rules of its time", why, "New-TransportRule")))
    }
}
