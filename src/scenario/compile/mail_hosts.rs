//! Do MX records say what servers read in one and the same way? Warnings only: such records exist, and what becomes of them is worth playing.
//!
//! Sources: RFC 1035 §3.3.9 (a name stands there), RFC 2181 §10.3 (a name with an address), RFC 7505 §3 (the null MX stands alone), RFC 5321 §5.1.

use std::collections::BTreeMap;

use super::desk::Desk;
use super::zone_text::Written;
use super::zones::StageTexts;
use crate::base::NameId;
use crate::diag::{Code, Diagnostic, code};
use crate::model::dns::{Names, Outcome, RecordData, RecordType, Zones};

/// Looks at the MX records of all stages.
pub(super) fn check(zones: &[Zones], texts: &[StageTexts], names: &Names, desk: &mut Desk) {
    let mut told = Vec::new();
    for layer in texts.iter().flat_map(StageTexts::layers) {
        let mut sets: BTreeMap<&str, Vec<(&Written, u16, &str)>> = BTreeMap::new();
        for record in &layer.records {
            if let RecordData::Mx { preference, exchange } = &record.data {
                sets.entry(&record.owner).or_default().push((record, *preference, exchange));
            }
        }
        for (owner, set) in sets {
            for (at, (record, preference, exchange)) in set.iter().enumerate() {
                if told.contains(&record.target) {
                    continue;
                }
                let problem = match *exchange {
                    "" => null_mx(owner, *preference, set.len() > 1),
                    text if text.parse::<std::net::Ipv4Addr>().is_ok() => Some((
                        code::ABSENT_TARGET,
                        format!("the MX target `{text}` is an address where a name must stand: most servers find no such host"),
                        format!("give the address a name, such as `mx A {text}`, and write that name here"),
                    )),
                    text if set[..at].iter().any(|(_, other, before)| before == exchange && other != preference) => Some((
                        code::MX_SET,
                        format!(
                            "`{text}` is an MX target of `{owner}` already, with another preference: most servers take the better one, Postfix tries it twice"
                        ),
                        "keep one of the two".to_owned(),
                    )),
                    text => names.find(text).and_then(|name| leads_to_no_machine(zones, names, name)),
                };
                if let Some((kind, message, help)) = problem {
                    told.push(record.target);
                    desk.say(Diagnostic::warning(kind, record.target, message).help(help));
                }
            }
        }
    }
}

type Problem = (Code, String, String);

fn null_mx(owner: &str, preference: u16, has_others: bool) -> Option<Problem> {
    if has_others {
        let message =
            format!("`{owner}` has a null MX beside others: some servers send nothing there, others leave the null MX out (RFC 7505 §3)");
        return Some((code::MX_SET, message, "a domain that takes no mail has no other MX; one that does has no null MX".to_owned()));
    }
    let message =
        format!("the null MX of `{owner}` has preference {preference}: some servers take it for a host without a name (RFC 7505 §3)");
    (preference > 0).then(|| (code::MX_SET, message, "write `MX 0 .`".to_owned()))
}

/// A name that is there, and has no address; or one of the sender's own machine.
fn leads_to_no_machine(zones: &[Zones], names: &Names, name: NameId) -> Option<Problem> {
    let text = names.text(name);
    let answers =
        |kind| zones.iter().flat_map(move |zones| (0..zones.view_count()).map(move |view| zones.lookup(names, view, name, kind).outcome));
    if answers(RecordType::A).chain(answers(RecordType::Aaaa)).all(|outcome| outcome == Outcome::NoData) {
        let message = format!("the MX target `{text}` has no address: whoever sends goes on to the next, or finds nobody (RFC 2181 §10.3)");
        return Some((code::NO_ADDRESS, message, format!("add a record such as `{text}. A 192.0.2.10`")));
    }
    let own = zones.iter().flat_map(|zones| (0..zones.view_count()).flat_map(|view| zones.sets(view))).any(|(owner, _, set)| {
        owner == name && set.records.iter().filter_map(RecordData::address).any(|address| address.is_loopback() || address.is_unspecified())
    });
    own.then(|| {
        let message = format!("the MX target `{text}` has an address that means whoever sends to it: mail goes round there, or comes back");
        (code::NO_ADDRESS, message, "give it the address of the machine, and a domain that takes no mail the null MX `MX 0 .`".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::super::load_text;

    #[test]
    fn what_servers_read_in_different_ways() {
        let a = "a.test. A 192.0.2.1";
        let cases: [(String, &[&str]); 9] = [
            (format!("d.test. MX 10 a.test.\n{a}"), &[]),
            (format!("d.test. MX 10 192.0.2.1.\n{a}"), &["MT0111 the MX target `192.0.2.1` is an address"]),
            (format!("d.test. MX 0 .\nd.test. MX 10 a.test.\n{a}"), &["MT0114 `d.test` has a null MX beside others"]),
            (format!("d.test. MX 0 .\n{a}"), &[]),
            (format!("d.test. MX 10 .\n{a}"), &["MT0114 the null MX of `d.test` has preference 10"]),
            (format!("d.test. MX 10 a.test.\nd.test. MX 20 a.test.\n{a}"), &["MT0114 `a.test` is an MX target of `d.test` already"]),
            (format!("d.test. MX 10 b.test.\nb.test. TXT \\\"x\\\"\n{a}"), &["MT0113 the MX target `b.test` has no address"]),
            (
                format!("d.test. MX 10 b.test.\nb.test. A 127.0.0.1\n{a}"),
                &["MT0113 the MX target `b.test` has an address that means whoever sends"],
            ),
            (format!("d.test. MX 10 b.test.\nb.test. AAAA 2001:db8::1\n{a}"), &[]),
        ];
        for (records, expected) in cases {
            for rest in ["Internet", "NxDomain"] {
                let text = format!(
                    "Scenario(dns: (records: \"{}\", rest: {rest}), systems: {{ \"m\": Mta(hostname: \"a.test\", mailboxes: [\"*@d.test\"]) }})",
                    records.replace('\n', "\\n")
                );
                let loaded = load_text("x.ron", &text).unwrap_or_else(|_| panic!("{records}"));
                let about_mx = |id: &str| matches!(id, "MT0111" | "MT0113" | "MT0114");
                let said: Vec<String> = loaded
                    .warnings
                    .iter()
                    .filter(|said| about_mx(said.code.id))
                    .map(|said| format!("{} {}", said.code.id, said.message))
                    .collect();
                assert_eq!(said.len(), expected.len(), "{records}: {said:?}");
                assert!(said.iter().zip(expected).all(|(said, expected)| said.starts_with(expected)), "{records}: {said:?}");
            }
        }
    }
}
