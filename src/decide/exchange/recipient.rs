//! What does Exchange Online do with a recipient once the message is accepted?
//!
//! Sources: New-AcceptedDomain `DomainType`; Exchange Online NDR tables (5.1.10, 5.4.14, 5.7.133); Set-RemoteDomain `AutoForwardEnabled`; the headers that
//! stop circles (`X-LD-Processed`). Decisions of ours where they are silent: what passes the third forward of one tenant ends like any other circle, and a
//! forward that a remote domain forbids is dropped without a word.

use super::super::acceptance::accepted_domain;
use super::super::srs;
use super::super::{Because, Decision, because};
use crate::base::{Address, Enhanced, Reply, SystemId};
use crate::model::directory::{DirectoryEntry, EntryKind, RemoteDomain, entry_of, remote_domain};
use crate::model::dns::Names;
use crate::model::exchange::{DomainType, Tenant};
use crate::model::expansion::{Expansion, ExpansionKind};
use crate::model::inbox::{InboxStep, InboxWork};
use crate::model::letter::Letter;
use crate::model::mail_flow_rule::{Action, MailFlowRule};
use crate::model::traffic::AddressTemplate;

/// Passes of one message through the service before it is called a loop.
pub const PASSES_MAX: u8 = 20;
/// Forwards of one message by one tenant.
const FORWARDS_MAX: u8 = 3;

/// How often rules of mailboxes pass one message on: in the cloud, and in Exchange Server.
const INBOX_RULES_MAX: u8 = 1;
/// The same in Exchange Server.
pub const INBOX_RULES_MAX_SERVER: u8 = 3;

/// Where a recipient goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// Into a cloud mailbox.
    Mailbox,
    /// Nobody: an NDR.
    NotFound,
    /// Out, by connector or MX.
    Outside,
    /// Others stand in its place.
    Replaced(Box<Expansion>),
    /// Returned with this reply.
    Refused(Reply),
    /// Dropped in silence.
    Dropped,
    /// A circle of forwards.
    Circle,
    /// The scenario does not say.
    NotSaid(&'static str),
}

/// Looks a recipient up.
#[must_use]
pub fn look_up(tenant: &Tenant, names: &Names, letter: &Letter, address: &str, domain: &str) -> Decision<Lookup> {
    if super::outbound_connector::comes_from_outside(letter.origin)
        && let Some(connector) = tenant.outbound_connectors.iter().find(|connector| connector.is_centralized())
    {
        let why = "mail from outside goes to the organization's own servers first (centralized mail transport)";
        let reason = because("OUT-8", &*connector.name, why, "New-OutboundConnector RouteAllMessagesViaOnPremises");
        return Decision::for_reason(Lookup::Outside, reason);
    }
    // A pattern of mailboxes says nothing about addresses that the tenant itself has made.
    if let Some(sender) = returned(tenant, address) {
        let why = "a sender that this tenant rewrote (SRS): what comes back goes to the one it stands for";
        let replaced = Expansion::of(address, vec![AddressTemplate::of(&sender)], ExpansionKind::Alias);
        return Decision::for_reason(Lookup::Replaced(Box::new(replaced)), because("LOOKUP", address, why, "SRS"));
    }
    let listed = tenant.listed(address);
    let address = &*listed;
    if let Some(entry) = entry_of(&tenant.entries, &tenant.mailboxes, address) {
        let is_own = |domain: &str| accepted_domain(tenant, names, domain).is_some();
        let owner = Owner {
            system: tenant.system,
            remote_domains: &tenant.remote_domains,
            is_own: &is_own,
            inbox_rules_max: INBOX_RULES_MAX,
            has_type: None,
        };
        return of_entry(&owner, letter, entry, address);
    }
    if let Some(pattern) = tenant.mailboxes.iter().find(|pattern| pattern.matches(address)) {
        let why = match &listed {
            std::borrow::Cow::Owned(_) => "a cloud mailbox, by its routing address",
            std::borrow::Cow::Borrowed(_) => "a cloud mailbox",
        };
        return Decision::for_reason(Lookup::Mailbox, because("LOOKUP", pattern.as_str(), why, "mailboxes"));
    }
    let (outcome, why) = match accepted_domain(tenant, names, domain) {
        None => (Lookup::Outside, "not a domain of this tenant"),
        Some(accepted) => match accepted.kind {
            DomainType::Authoritative => (Lookup::NotFound, "Authoritative: whoever is not in the tenant's directory does not exist"),
            DomainType::InternalRelay => {
                (Lookup::Outside, "InternalRelay: a recipient without cloud mailbox lives on the organization's other system")
            }
            DomainType::ExternalRelay => (Lookup::Outside, "ExternalRelay: relayed outside of the organization"),
        },
    };
    Decision::for_reason(outcome, because("LOOKUP", domain, why, "New-AcceptedDomain DomainType"))
}

/// Whom an address stands for that a tenant made of a sender when it passed mail on.
#[must_use]
pub fn returned(tenant: &Tenant, address: &str) -> Option<Address> {
    let passes_on = |entry: &DirectoryEntry| {
        matches!(entry.kind, EntryKind::Forwards { .. } | EntryKind::Ruled(_) | EntryKind::MailUser(Some(_)) | EntryKind::Group { .. })
    };
    let by_rule = |rule: &MailFlowRule| rule.actions.iter().any(|action| matches!(action, Action::Redirect(_) | Action::Copy(_)));
    let (local, domain) = address.rsplit_once('@')?;
    let is_used = tenant.entries.iter().any(passes_on) || tenant.mail_flow_rules.iter().any(by_rule);
    if is_used { srs::restore_for(local, domain) } else { None }
}

/// Whose directory it is.
pub(crate) struct Owner<'a> {
    /// The tenant or organization.
    pub(crate) system: SystemId,
    /// What it says about domains that are not its own.
    pub(crate) remote_domains: &'a [RemoteDomain],
    /// Is a domain one of its accepted domains?
    pub(crate) is_own: &'a dyn Fn(&str) -> bool,
    /// So many mailboxes may pass one message on by their rules.
    pub(crate) inbox_rules_max: u8,
    /// Has a Send connector an address space of this type? `None`: no source says who would have one.
    pub(crate) has_type: Option<&'a dyn Fn(&str) -> bool>,
}

/// What an organization does for somebody of the directory who is no plain mailbox.
#[must_use]
pub(crate) fn of_entry(owner: &Owner<'_>, letter: &Letter, entry: &DirectoryEntry, address: &str) -> Decision<Lookup> {
    let name = entry.address.as_str();
    match &entry.kind {
        EntryKind::MailUser(None) => {
            let why = "a mail user: the mailbox is elsewhere, under the same address";
            Decision::for_reason(Lookup::Outside, because("LOOKUP", name, why, "New-MailUser ExternalEmailAddress"))
        }
        EntryKind::MailUser(Some(external)) => {
            let why = format!("a mail user: the mailbox is elsewhere, as {}@{}", external.local, external.domain);
            let mut replaced = Expansion::of(address, vec![external.clone()], ExpansionKind::Alias);
            // The message is split by next hop, not by how its recipients are looked up.
            replaced.stays_together = true;
            Decision::for_reason(Lookup::Replaced(Box::new(replaced)), because("LOOKUP", name, why, "New-MailUser ExternalEmailAddress"))
        }
        EntryKind::Group { authenticated_only: true, .. } if !letter.origin.is_internal() => {
            let text = "RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required for this recipient";
            let why = format!("the group takes mail of authenticated senders only, and this message {}", letter.origin.standing());
            let reply = Reply::new(550, Some(Enhanced(5, 7, 133)), text);
            let reason = because("LOOKUP", name, why, "New-DistributionGroup RequireSenderAuthenticationEnabled");
            Decision::for_reason(Lookup::Refused(reply), reason)
        }
        EntryKind::Group { moderated: true, .. } => {
            let why = "mail to it waits for a moderator, who takes it or returns it: the scenario does not say";
            let reason = because("LOOKUP", name, why, "Set-DistributionGroup ModerationEnabled");
            Decision::for_reason(Lookup::NotSaid("a moderator decides about mail to this group"), reason)
        }
        EntryKind::OtherType(kind) => other_type(owner, name, kind),
        EntryKind::Group { members, answers, .. } => {
            let why = format!("a group of {}", members.len());
            let mut replaced = Expansion::of(address, members.clone(), ExpansionKind::List);
            replaced.answers = *answers;
            Decision::for_reason(Lookup::Replaced(Box::new(replaced)), because("LOOKUP", name, why, "New-DistributionGroup"))
        }
        EntryKind::Forwards { to, keeps } => forward(owner, letter, name, (to, *keeps), address),
        EntryKind::Ruled(rules) => super::inbox::look_up(owner, letter, rules, address),
    }
}

/// Somebody whose address is not one of SMTP: by a connector with an address space of that type, or not at all.
fn other_type(owner: &Owner<'_>, name: &str, kind: &str) -> Decision<Lookup> {
    const SOURCE: &str = "New-SendConnector AddressSpaces";
    match owner.has_type.map(|has_type| has_type(kind)) {
        Some(false) => {
            let reply = Reply::new(550, Some(Enhanced(5, 4, 4)), "ROUTING.NoConnectorForAddressType; unable to route for address type");
            let why = format!("its address is of the type {kind}, and no connector has an address space of that type");
            Decision::for_reason(Lookup::Refused(reply), because("SND-7", name, why, SOURCE))
        }
        Some(true) => {
            let why = format!("its address is of the type {kind}: how another mail system than SMTP is reached, the scenario does not say");
            Decision::for_reason(Lookup::NotSaid("a connector leads to another mail system than SMTP"), because("SND-7", name, why, SOURCE))
        }
        None => {
            let why = format!("its address is of the type {kind}: what the service does with it no source says");
            let reason = because("LOOKUP", name, why, "New-MailContact ExternalEmailAddress");
            Decision::for_reason(Lookup::NotSaid("the recipient's address is not one of SMTP"), reason)
        }
    }
}

/// A mailbox that passes everything on, and keeps a copy or not.
fn forward(owner: &Owner<'_>, letter: &Letter, name: &str, (to, keeps): (&[AddressTemplate], bool), address: &str) -> Decision<Lookup> {
    const SOURCE: &str = "Set-Mailbox ForwardingSmtpAddress";
    let stays = |why: String, passed_over| Decision {
        outcome: Lookup::Mailbox,
        chosen: vec![because("LOOKUP", name, why, "Set-Mailbox DeliverToMailboxAndForward")],
        passed_over,
    };
    if keeps && letter.inbox.iter().any(|step| step.mailbox.eq_ignore_ascii_case(address)) {
        return stays("the copy that the mailbox keeps of what it forwards".to_owned(), Vec::new());
    }
    let system = owner.system;
    let times = letter.forwards.iter().find(|(by, _)| *by == system).map_or(0, |(_, times)| *times);
    if times >= FORWARDS_MAX {
        let why = format!("this organization forwarded the message {times} times already (X-LD-Processed)");
        return if keeps { stays(why, Vec::new()) } else { Decision::for_reason(Lookup::Circle, because("LOOKUP", name, why, SOURCE)) };
    }
    let (mut left, dropped) = allowed_forwards(owner, to.to_vec(), Vec::new());
    if left.is_empty() {
        return if keeps {
            stays("the mailbox keeps a copy, and may forward to nobody".to_owned(), dropped)
        } else {
            Decision { outcome: Lookup::Dropped, chosen: dropped, passed_over: Vec::new() }
        };
    }
    let whom: Vec<String> = left.iter().map(|to| format!("{}@{}", to.local, to.domain)).collect();
    let copy = if keeps { "keeps a copy" } else { "keeps no copy" };
    let why = format!("the mailbox forwards to {}, and {copy}", whom.join(", "));
    left.extend(Address::parse(address).filter(|_| keeps).map(|own| AddressTemplate::of(&own)));
    let mut replaced = Expansion::of(address, left, ExpansionKind::Alias);
    replaced.stamps.forwarded_by = Some(system);
    replaced.stamps.keeps_organization_headers = true;
    replaced.stamps.inbox = keeps.then(|| InboxStep { mailbox: address.to_lowercase().into(), done: InboxWork::Kept });
    let mut decision = Decision::for_reason(Lookup::Replaced(Box::new(replaced)), because("LOOKUP", name, why, SOURCE));
    decision.passed_over = dropped;
    decision
}

/// The targets that no remote domain keeps automatic forwards from, and why it keeps them from the others.
pub(super) fn allowed_forwards(
    owner: &Owner<'_>,
    to: Vec<AddressTemplate>,
    mut passed_over: Vec<Because>,
) -> (Vec<AddressTemplate>, Vec<Because>) {
    let mut allowed = Vec::new();
    for target in to {
        // A remote domain, also `*`, speaks of domains of others.
        let remote = remote_domain(owner.remote_domains, &target.domain).filter(|_| !(owner.is_own)(&target.domain));
        match remote.filter(|remote| !remote.auto_forward) {
            None => allowed.push(target),
            Some(remote) => {
                let why = format!("automatic forwards to {} are switched off for this remote domain", target.domain);
                passed_over.push(because("LOOKUP", &*remote.name, why, "Set-RemoteDomain AutoForwardEnabled"));
            }
        }
    }
    (allowed, passed_over)
}
