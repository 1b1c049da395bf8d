//! Who holds a second copy of a message, and what comes back when a server or a database is lost?
//!
//! SHD-1 another server of the database availability group, or of the site where there is none, keeps a shadow until the next hop has confirmed, and
//! takes over when the server stays silent for ShadowResubmitTimeSpan, or when it comes back with an empty queue database. SHD-2 what it does not know to
//! be delivered it sends again. NET-1 delivered mail stays in the Safety Net of the server that processed it, and goes into the database again after a
//! failover; NET-2 the shadow's Safety Net answers for a server that is silent for twelve hours, or that lost its queue; NET-3 what is older than
//! SafetyNetHoldTime is gone; NET-4 what nobody holds is gone; NET-5 a mailbox takes no message twice. SHD-3 in Exchange 2010 the hop before keeps what it
//! handed over, if it is a server of the organization, until it hears that it went on; what came from elsewhere nobody keeps.
//! Sources: Exchange Server "Shadow redundancy", "Safety Net", Set-TransportConfig. Not modelled: shadow redundancy promotion of
//! Exchange 2010.

use super::super::{Because, because};
use crate::base::{HOUR, HostId, SimTime};
use crate::model::exchange_server::{Organization, ServerVersion, ShadowPlace};

const NET: &str = "Exchange Server Safety Net";

/// How long Active Manager asks the first Safety Net before it asks the others.
const ASKS_FIRST_NS: u64 = 12 * HOUR;

/// The servers that are asked to keep a shadow of what comes to this one, in the order in which they are asked.
#[must_use]
pub fn shadow_servers(organization: &Organization) -> Vec<HostId> {
    let makes_copies = organization.version > ServerVersion::Exchange2010 && organization.transport.shadow_resubmit_ns.is_some();
    let Some(own) = organization.own().filter(|own| !own.edge && makes_copies) else {
        return Vec::new();
    };
    let others: Vec<_> = organization
        .servers
        .iter()
        .filter(|server| server.host != own.host && !server.edge)
        .filter(|server| if own.dag.is_some() { server.dag == own.dag } else { server.site == own.site })
        .collect();
    let (local, remote): (Vec<_>, Vec<_>) = others.into_iter().partition(|server| server.site == own.site);
    let (most_local, most_remote) = organization.transport.shadow_tries;
    let local = local.iter().take(most_local as usize).map(|server| server.host);
    let remote_hosts = remote.iter().take(most_remote as usize).map(|server| server.host);
    match organization.transport.shadow_place {
        _ if remote.is_empty() => local.collect(),
        ShadowPlace::PreferRemote => remote_hosts.chain(local).collect(),
        ShadowPlace::RemoteOnly => remote_hosts.collect(),
        ShadowPlace::LocalOnly => local.collect(),
    }
}

/// A message that a failover took out of a database again.
#[derive(Clone, Debug)]
pub struct LostFromDatabase<'a> {
    /// When it was delivered.
    pub delivered_at: SimTime,
    /// When the other copy became the active one.
    pub failover_at: SimTime,
    /// `SafetyNetHoldTime`
    pub hold_ns: u64,
    /// The server that processed it.
    pub primary: (HostId, &'a str),
    /// Since when that server can be asked: at once, later, or `SimTime::NEVER`.
    pub primary_back: SimTime,
    /// Its queue database is the one of then.
    pub primary_keeps: bool,
    /// The server that had the shadow, if there was one and it still has its queue.
    pub shadow: Option<(HostId, &'a str)>,
}

/// Where it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// From the Safety Net of this server, then.
    From(HostId, SimTime),
    /// From nowhere.
    Gone,
}

/// Which Safety Net puts it back, if one does.
#[must_use]
pub fn safety_net(lost: &LostFromDatabase<'_>) -> (Answer, Vec<Because>) {
    let age = lost.failover_at.since(lost.delivered_at);
    if age > lost.hold_ns {
        let why = format!(
            "delivered {} before the failover, and SafetyNetHoldTime is {}: no Safety Net has it any more",
            crate::base::duration(age),
            crate::base::duration(lost.hold_ns)
        );
        return (Answer::Gone, vec![because("NET-3", "nobody", why, NET)]);
    }
    let patience_ends = lost.failover_at.after(ASKS_FIRST_NS);
    let asked_at = lost.primary_back.max(lost.failover_at).min(patience_ends);
    if lost.primary_keeps && asked_at < patience_ends {
        let why = "processed the message, and keeps it in its Safety Net: into the database again; the mailbox sorts out what it has, and nobody is told";
        return (Answer::From(lost.primary.0, asked_at), vec![because("NET-1", lost.primary.1, why, NET)]);
    }
    let silent = if lost.primary_keeps { "could not be asked for twelve hours" } else { "has lost its queue database" };
    let Some((shadow, name)) = lost.shadow else {
        let why = format!("`{}` {silent}, and no other server has a shadow of the message", lost.primary.1);
        return (Answer::Gone, vec![because("NET-4", "nobody", why, NET)]);
    };
    let why = format!("`{}` {silent}: the shadow's Safety Net answers", lost.primary.1);
    (Answer::From(shadow, asked_at), vec![because("NET-2", name, why, NET)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DAY, MINUTE, NextHopId};
    use crate::model::exchange_server::{Server, Transport};

    #[test]
    fn shadows() {
        use ShadowPlace::{LocalOnly, PreferRemote, RemoteOnly};
        // Servers 0 (here), 1, 2 in this site, 3 and 4 in another one, 5 an Edge.
        let server = |at: u32| Server {
            host: HostId(at),
            name: format!("S{at}").into(),
            site: usize::from(at == 3 || at == 4),
            edge: at == 5,
            hop: NextHopId(at),
            dag: None,
        };
        let organization = |members: &[u32], transport: Transport| Organization {
            servers: (0..6).map(|at| Server { dag: members.contains(&at).then_some(0), ..server(at) }).collect(),
            transport,
            ..Organization::bare(ServerVersion::Exchange2019)
        };
        let usual = Transport::default();
        let place = |shadow_place| Transport { shadow_place, ..usual };
        let cases: [(&str, &[u32], Transport, &[u32]); 9] = [
            ("no group: in the site", &[], usual, &[1, 2]),
            ("a group: in it, the other site first", &[0, 1, 3, 4], usual, &[3, 4, 1]),
            ("the other site only", &[0, 1, 3], place(RemoteOnly), &[3]),
            ("this site only", &[0, 1, 3], place(LocalOnly), &[1]),
            ("a group in one site: there, whatever is preferred", &[0, 2], place(RemoteOnly), &[2]),
            ("a lonely member", &[0], usual, &[]),
            ("one attempt", &[0, 1, 3, 4], Transport { shadow_tries: (0, 1), ..usual }, &[3]),
            ("switched off", &[], Transport { shadow_resubmit_ns: None, ..usual }, &[]),
            ("preferred, two sites", &[0, 1, 2, 4], place(PreferRemote), &[4, 1, 2]),
        ];
        for (case, members, transport, expected) in cases {
            let expected: Vec<HostId> = expected.iter().map(|at| HostId(*at)).collect();
            assert_eq!(shadow_servers(&organization(members, transport)), expected, "{case}");
        }
        let edge = Organization { here: HostId(5), ..organization(&[], usual) };
        assert!(shadow_servers(&edge).is_empty(), "an Edge server has no shadow");
        let old = Organization { version: ServerVersion::Exchange2010, ..organization(&[], usual) };
        assert!(shadow_servers(&old).is_empty(), "in 2010 the hop before has it");
    }

    #[test]
    fn what_comes_back() {
        let at = |hours: u64| SimTime(hours * HOUR);
        let usual = LostFromDatabase {
            delivered_at: at(10),
            failover_at: SimTime(10 * HOUR + 5 * MINUTE),
            hold_ns: 2 * DAY,
            primary: (HostId(0), "A"),
            primary_back: SimTime::ZERO,
            primary_keeps: true,
            shadow: Some((HostId(1), "B")),
        };
        let failover = usual.failover_at;
        let cases = [
            ("the first Safety Net", usual.clone(), Answer::From(HostId(0), failover), "NET-1"),
            ("back after an hour", LostFromDatabase { primary_back: at(12), ..usual.clone() }, Answer::From(HostId(0), at(12)), "NET-1"),
            (
                "silent for twelve hours",
                LostFromDatabase { primary_back: at(30), ..usual.clone() },
                Answer::From(HostId(1), failover.after(12 * HOUR)),
                "NET-2",
            ),
            ("here, but empty", LostFromDatabase { primary_keeps: false, ..usual.clone() }, Answer::From(HostId(1), failover), "NET-2"),
            ("nobody has a shadow", LostFromDatabase { primary_keeps: false, shadow: None, ..usual.clone() }, Answer::Gone, "NET-4"),
            ("too old", LostFromDatabase { hold_ns: MINUTE, ..usual }, Answer::Gone, "NET-3"),
        ];
        for (case, lost, expected, rule) in cases {
            let (answer, because) = safety_net(&lost);
            assert_eq!((answer, because[0].rule), (expected, rule), "{case}");
        }
    }
}
