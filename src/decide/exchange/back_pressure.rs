//! What does an Exchange server do with mail when a resource of its own runs out?
//!
//! BP-1 the submission queue or the version buckets are under pressure: the answer to MAIL comes late, ten seconds at first and five more with every look
//! at the resource (two seconds) up to 55; BP-2 when that has not helped for the resource's history, or at once where space or memory is short, MAIL of
//! everybody but Exchange servers is refused; BP-3 at the level high that of the other servers too, and what mailboxes send stays with them;
//! BP-4 no shadow copies are taken; BP-5 since 2016 the version buckets at the level high stop deliveries to other machines, too; BP-6 what a shadow or a
//! Safety Net would send again waits. Memory of all processes (`SystemMemory`) moves no mail.
//! Sources: Exchange Server "Back pressure" (thresholds, history depths, actions by resource and level), of 2013 and of 2016 and later. Not modelled: how a
//! resource comes under pressure, since the categorizer of a scenario takes no time; how the delay goes back after it; restarts under pressure.

use super::super::{Because, Decision, because};
use crate::base::{Enhanced, Reply, SECOND, duration};
use crate::model::back_pressure::{Pressure, PressureLevel, Resource};
use crate::model::exchange_server::ServerVersion;

const SOURCE: &str = "Exchange Server back pressure";

/// How often a server looks at its resources.
const LOOK_NS: u64 = 2 * SECOND;

/// The answer to MAIL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// So much later.
    Slow(u64),
    /// Not now.
    Refuse(Reply),
}

/// For how many looks a resource may be under pressure before mail is refused; `None`: it is refused at once.
fn history(resource: Resource) -> Option<u64> {
    match resource {
        Resource::SubmissionQueue => Some(300),
        Resource::UsedVersionBuckets => Some(10),
        Resource::UsedDiskSpace | Resource::DatabaseUsedSpace | Resource::PrivateBytes | Resource::SystemMemory => None,
    }
}

/// Does the server still only slow down, and by how much?
fn slows(version: ServerVersion, pressure: Pressure, since_ns: u64) -> Option<u64> {
    let looks = since_ns / LOOK_NS;
    // Since 2016 the level high has actions of its own, which wait for nothing.
    let waits = pressure.level == PressureLevel::Medium || version < ServerVersion::Exchange2016;
    (waits && history(pressure.resource).is_some_and(|depth| looks < depth)).then(|| (10 + 5 * looks).min(55) * SECOND)
}

/// What a client hears at MAIL from a server that has been under pressure for so long; `from_exchange`: a server of the same organization asks, or a
/// mailbox. `None`: the usual answer.
#[must_use]
pub fn at_mail(server: &str, version: ServerVersion, pressure: Pressure, since_ns: u64, from_exchange: bool) -> Option<Decision<Answer>> {
    let say = |rule, why: String| -> Because { because(rule, server, why, SOURCE) };
    if pressure.resource == Resource::SystemMemory {
        return None;
    }
    let (resource, level) = (pressure.resource.name(), pressure.level.name());
    if let Some(ns) = slows(version, pressure, since_ns) {
        let why = format!("{resource} is at the level {level}: the answer to MAIL comes {} late", duration(ns));
        return Some(Decision::for_reason(Answer::Slow(ns), say("BP-1", why)));
    }
    let why = match (pressure.level, from_exchange) {
        (PressureLevel::Medium, true) => return None,
        (PressureLevel::Medium, false) => {
            say("BP-2", format!("{resource} is at the level {level}: nothing is taken but from Exchange servers"))
        }
        (PressureLevel::High, _) => say("BP-3", format!("{resource} is at the level {level}: nothing is taken from anybody")),
    };
    let reply = Reply::new(452, Some(Enhanced(4, 3, 1)), "Insufficient system resources");
    Some(Decision::for_reason(Answer::Refuse(reply), why))
}

/// Does a server under pressure take shadow copies? (BP-4)
#[must_use]
pub fn takes_shadows(version: ServerVersion, pressure: Pressure, since_ns: u64) -> bool {
    matches!(pressure.resource, Resource::UsedVersionBuckets | Resource::SystemMemory) || slows(version, pressure, since_ns).is_some()
}

/// Does a server under pressure hand nothing over to other machines? (BP-5)
#[must_use]
pub fn pauses_delivery(version: ServerVersion, pressure: Pressure) -> bool {
    version >= ServerVersion::Exchange2016 && pressure.resource == Resource::UsedVersionBuckets && pressure.level == PressureLevel::High
}

/// Why nothing leaves, and what its state says.
#[must_use]
pub fn paused(server: &str, pressure: Pressure) -> Decision<Reply> {
    let why =
        format!("{} is at the level {}: remote delivery is paused until that is over", pressure.resource.name(), pressure.level.name());
    Decision::for_reason(Reply::new(0, Some(Enhanced(4, 3, 2)), "remote delivery is paused"), because("BP-5", server, why, SOURCE))
}

/// Why what was lost elsewhere is not sent again yet. (BP-6)
#[must_use]
pub fn resubmission_paused(server: &str, pressure: Pressure) -> Decision<Reply> {
    let why = format!(
        "{} is at the level {}: message resubmission is paused until that is over",
        pressure.resource.name(),
        pressure.level.name()
    );
    Decision::for_reason(Reply::new(0, Some(Enhanced(4, 3, 2)), "message resubmission is paused"), because("BP-6", server, why, SOURCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MINUTE;
    use PressureLevel::{High, Medium};
    use Resource::{SubmissionQueue, SystemMemory, UsedDiskSpace, UsedVersionBuckets};
    use ServerVersion::{Exchange2013, Exchange2019};

    #[test]
    fn at_mail_by_level_and_time() {
        let slow = |seconds: u64| Some(("BP-1", seconds));
        let refused = |rule| Some((rule, 0));
        let cases = [
            ("at first ten seconds", Exchange2019, SubmissionQueue, Medium, 0, false, slow(10)),
            ("five more with each look", Exchange2019, SubmissionQueue, Medium, 4 * SECOND, false, slow(20)),
            ("other servers too", Exchange2019, SubmissionQueue, Medium, 4 * SECOND, true, slow(20)),
            ("never more than 55", Exchange2019, SubmissionQueue, Medium, 9 * MINUTE, false, slow(55)),
            ("after 300 looks no more", Exchange2019, SubmissionQueue, Medium, 10 * MINUTE, false, refused("BP-2")),
            ("but from servers", Exchange2019, SubmissionQueue, Medium, 10 * MINUTE, true, None),
            ("high: nobody", Exchange2019, SubmissionQueue, High, 0, true, refused("BP-3")),
            ("high in 2013: slowly first", Exchange2013, SubmissionQueue, High, 0, true, slow(10)),
            ("high in 2013: then nobody", Exchange2013, SubmissionQueue, High, 10 * MINUTE, true, refused("BP-3")),
            ("version buckets: ten looks", Exchange2019, UsedVersionBuckets, Medium, 20 * SECOND, false, refused("BP-2")),
            ("no space: at once", Exchange2019, UsedDiskSpace, Medium, 0, false, refused("BP-2")),
            ("no space: servers", Exchange2019, UsedDiskSpace, Medium, 0, true, None),
            ("no space at all", Exchange2019, UsedDiskSpace, High, 0, true, refused("BP-3")),
            ("memory of others", Exchange2019, SystemMemory, High, 0, false, None),
        ];
        for (case, version, resource, level, since_ns, from_exchange, expected) in cases {
            let answer = at_mail("EX1", version, Pressure { resource, level }, since_ns, from_exchange);
            let told = answer.map(|decision| match decision.outcome {
                Answer::Slow(ns) => (decision.chosen[0].rule, ns / SECOND),
                Answer::Refuse(reply) => (decision.chosen[0].rule, u64::from(reply.code != 452)),
            });
            assert_eq!(told, expected, "{case}");
        }
    }

    #[test]
    fn shadows() {
        let disk = Pressure { resource: UsedDiskSpace, level: Medium };
        assert!(!takes_shadows(Exchange2019, disk, 0), "no space, no shadows");
        let queue = Pressure { resource: SubmissionQueue, level: Medium };
        assert!(takes_shadows(Exchange2019, queue, 0), "slow, but still taken");
        assert!(!takes_shadows(Exchange2019, queue, 10 * MINUTE), "not any more");
        let memory = Pressure { resource: SystemMemory, level: High };
        assert!(takes_shadows(Exchange2019, memory, 0), "memory of others");
    }

    #[test]
    fn what_stops_deliveries() {
        let cases = [
            ("version buckets", Exchange2019, UsedVersionBuckets, High, true),
            ("somewhat", Exchange2019, UsedVersionBuckets, Medium, false),
            ("before 2016", Exchange2013, UsedVersionBuckets, High, false),
            ("the queue", Exchange2019, SubmissionQueue, High, false),
            ("no space", Exchange2019, UsedDiskSpace, High, false),
        ];
        for (case, version, resource, level, expected) in cases {
            assert_eq!(pauses_delivery(version, Pressure { resource, level }), expected, "{case}");
        }
    }
}
