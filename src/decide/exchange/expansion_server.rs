//! Which server of an Exchange organization opens a distribution group?
//!
//! EXP-1 the one that `ExpansionServer` names: every other server sends the message to it under the group's own address, and it waits there if that server
//! cannot be reached, though each member could be. Without one every server opens the group where it meets it.
//! Source: Set-DistributionGroup `ExpansionServer`, Exchange Server "Mail routing" (delivery groups).

use super::super::{Decision, because};
use super::recipient::Lookup;
use crate::base::HostId;
use crate::model::directory::{DirectoryEntry, EntryKind};
use crate::model::exchange_server::Organization;

/// The other server that opens a group, and why; `None`: whatever was found is done here.
#[must_use]
pub(crate) fn opens_elsewhere(organization: &Organization, entry: &DirectoryEntry, found: &Lookup) -> Option<(HostId, Decision<()>)> {
    let EntryKind::Group { expansion_server: Some(server), .. } = &entry.kind else { return None };
    if *server == organization.here || !matches!(found, Lookup::Replaced(_)) {
        return None;
    }
    let name = organization.server(*server).map_or("another server", |server| &*server.name);
    let why = format!("a group, and only `{name}` opens it: its members are asked for there");
    let reason = because("EXP-1", entry.address.as_str(), why, "Set-DistributionGroup ExpansionServer");
    Some((*server, Decision::for_reason((), reason)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Enhanced, Pattern, Reply};
    use crate::model::exchange_server::ServerVersion;
    use crate::model::expansion::{Expansion, ExpansionKind};

    #[test]
    fn where_a_group_is_opened() {
        let group = |expansion_server| DirectoryEntry {
            address: Pattern::new("all@a.test"),
            kind: EntryKind::Group { members: vec![], authenticated_only: true, moderated: false, answers: false, expansion_server },
        };
        let opened = Lookup::Replaced(Box::new(Expansion::of("all@a.test", vec![], ExpansionKind::List)));
        let refused = Lookup::Refused(Reply::new(550, Some(Enhanced(5, 7, 133)), "no"));
        let organization = Organization::bare(ServerVersion::Exchange2019);
        let cases = [
            ("nobody in particular", group(None), &opened, None),
            ("this server", group(Some(HostId(0))), &opened, None),
            ("another one", group(Some(HostId(3))), &opened, Some(HostId(3))),
            ("who may not write to it is told at once", group(Some(HostId(3))), &refused, None),
        ];
        for (case, entry, found, expected) in cases {
            assert_eq!(opens_elsewhere(&organization, &entry, found).map(|(server, _)| server), expected, "{case}");
        }
    }
}
