//! Is there an accepted domain whose zone the scenario writes, and forgets the MX in? A warning: an organization may take no mail from outside.
//!
//! Sources: RFC 5321 §5.1 (without MX the address of the name itself is asked); Exchange "Accepted domains" (they publish nothing in DNS).

use crate::diag::{Diagnostic, code};
use crate::model::dns::{Names, Outcome, RecordType, Zones};
use crate::scenario::schema::{Scenario, System};
use crate::scenario::source::Text;

use super::desk::Desk;
use super::microsoft_names::endpoint;
use super::zones::StageTexts;

/// Looks at the accepted domains of all tenants and servers, with the records of all stages.
pub(super) fn check(tree: &Scenario, zones: &[Zones], texts: &[StageTexts], names: &Names, desk: &mut Desk) {
    let mut told: Vec<String> = Vec::new();
    for (_, system) in tree.systems.iter() {
        let (accepted, is_tenant): (Vec<&Text>, bool) = match system {
            System::ExchangeOnline(tenant) => (tenant.accepted_domains.keys().collect(), true),
            System::ExchangeServer(server) => (server.accepted_domains.keys().collect(), false),
            System::Mta(_) | System::Gateway(_) | System::Internet(_) | System::Device(_) | System::Fope(_) => continue,
        };
        for text in accepted {
            let domain = text.trim_end_matches('.').to_ascii_lowercase();
            if told.contains(&domain) || !has_a_zone(texts, &domain) || found(zones, names, &domain, RecordType::Mx) {
                continue;
            }
            let exchange = if is_tenant { endpoint(&domain) } else { format!("mail.{domain}") };
            let way =
                if found(zones, names, &domain, RecordType::A) { "goes to the address of the name itself" } else { "finds no way there" };
            let message = format!("the records know names of `{domain}` and no MX for it: mail from outside {way}");
            let problem = Diagnostic::warning(code::LEADS_NOWHERE, text.span(), message);
            desk.say(problem.help(format!("add a record such as `{domain}. MX 10 {exchange}.`")));
            told.push(domain);
        }
    }
}

/// Somebody wrote a record of the domain, or of a name below it.
fn has_a_zone(texts: &[StageTexts], domain: &str) -> bool {
    let is_within = |owner: &str| owner.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    texts.iter().flat_map(StageTexts::layers).flat_map(|layer| &layer.records).any(|record| is_within(&record.owner))
}

/// Is there a record of this type at any time, in any view?
fn found(zones: &[Zones], names: &Names, domain: &str, kind: RecordType) -> bool {
    let Some(name) = names.find(domain) else { return false };
    let has = |zones: &Zones, view| matches!(zones.lookup(names, view, name, kind).outcome, Outcome::Records(_));
    zones.iter().any(|zones| (0..zones.view_count()).any(|view| has(zones, view)))
}

#[cfg(test)]
mod tests {
    use super::super::load_text;

    #[test]
    fn forgotten_and_not() {
        let cases = [
            ("a.test. MX 0 a-test.mail.protection.outlook.com.", ""),
            ("www.a.test. A 192.0.2.1", "no MX for it: mail from outside finds no way there"),
            ("a.test. A 192.0.2.1", "no MX for it: mail from outside goes to the address of the name itself"),
            ("*.test. MX 0 mx.b.test.\nmx.b.test. A 192.0.2.1", ""),
            ("b.test. A 192.0.2.1", ""),
            ("", ""),
        ];
        for (records, expected) in cases {
            let text = format!(
                "Scenario(dns: (records: \"{}\"), systems: {{ \"t\": ExchangeOnline(accepted_domains: {{ \"a.test\": Authoritative }}, mailboxes: [\"*@a.test\"]) }})",
                records.replace('\n', "\\n")
            );
            let loaded = load_text("x.ron", &text).expect("valid");
            let said: Vec<&str> = loaded.warnings.iter().filter(|said| said.code.id == "MT0402").map(|said| &*said.message).collect();
            assert_eq!(said.len(), usize::from(!expected.is_empty()), "{records}: {said:?}");
            assert!(said.iter().all(|message| message.contains(expected)), "{records}: {said:?}");
        }
    }
}
