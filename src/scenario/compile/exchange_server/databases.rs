//! Mailbox databases: which mailboxes are in them, which servers have a copy, and which copy is the active one.
//!
//! Sources: New-MailboxDatabase, Add-MailboxDatabaseCopy (copies on other servers need a database availability group that has all of them). A failover is
//! a dated change that makes another copy the active one; `behind` says what that copy lacked. Not modelled: failovers that nobody writes down.

use crate::base::{HostId, InOrder, MINUTE};
use crate::diag::{Diagnostic, code};
use crate::model::exchange_server::{Database, Server};
use crate::scenario::compile::desk::Desk;
use crate::scenario::compile::mailboxes::Mailboxes;
use crate::scenario::schema::{ExchangeServer, MailboxDatabase};
use crate::scenario::source::Text;

use super::About;
use super::transport::time;

/// A lagged copy is fourteen days behind at most.
const BEHIND_MAX: u64 = 14 * 24 * 60 * MINUTE;

/// The databases in the order of their names, each with its mailboxes as they are written.
pub(super) fn databases<'a>(
    server: &'a ExchangeServer,
    about: About<'_>,
    servers: &[Server],
    desk: &mut Desk,
) -> Vec<(Database, &'a [Text])> {
    let mut written: Vec<_> = server.mailbox_databases.iter().collect();
    written.in_order_by_key(|(name, _)| name.as_str());
    let mut found = Vec::new();
    for (name, database) in written {
        let copies: Vec<HostId> = database.servers.items().iter().filter_map(|text| mailbox_server(text, about, servers, desk)).collect();
        if database.servers.items().is_empty() {
            desk.missing(name.span(), "a mailbox database lies on a server", "write servers: [\"EXCH01\"], the names of hosts");
        }
        check_group(database, &copies, servers, desk);
        let active = match database.active.get() {
            None => copies.first().copied(),
            Some(text) => mailbox_server(text, about, servers, desk).filter(|host| {
                if !copies.contains(host) {
                    let help = "the active copy is on one of the database's `servers`";
                    desk.error(code::CMDLET_REFUSES, text.span(), format!("`{text}` has no copy of the database `{name}`"), help);
                }
                copies.contains(host)
            }),
        };
        let behind_ns = time(&database.behind, 0, (0, BEHIND_MAX), desk);
        let mut mailboxes = Mailboxes::default();
        mailboxes.add(database.mailboxes.items(), &mut Desk::default());
        let Some(active) = active else { continue };
        let row = Database { name: name.as_str().into(), mailboxes: mailboxes.patterns(), active, behind_ns };
        found.push((row, database.mailboxes.items()));
    }
    found
}

pub(super) fn mailbox_server(text: &Text, about: About<'_>, servers: &[Server], desk: &mut Desk) -> Option<HostId> {
    let meant = about.scope.find(text).unwrap_or_default();
    let own = meant.iter().copied().find(|host| servers.iter().any(|server| server.host == *host && !server.edge));
    if own.is_none() {
        let problem = Diagnostic::error(code::CMDLET_REFUSES, text.span(), format!("`{text}` is no Mailbox server of `{}`", about.name()));
        let names = servers.iter().filter(|server| !server.edge).map(|server| &*server.name);
        desk.unknown(problem, text, names, "a Mailbox server of this organization stands here");
    }
    own
}

/// Several copies: all in one group.
fn check_group(database: &MailboxDatabase, copies: &[HostId], servers: &[Server], desk: &mut Desk) {
    let dag = |host: &HostId| servers.iter().find(|server| server.host == *host).and_then(|server| server.dag);
    let Some(first) = copies.first().map(dag).filter(|_| copies.len() > 1) else { return };
    if first.is_none() || copies.iter().any(|host| dag(host) != first) {
        let help = "write `database_availability_groups` with all of these servers in one of them";
        let message = "copies of a database lie in one database availability group";
        desk.error(code::CMDLET_REFUSES, database.servers.span(), message, help);
    }
}
