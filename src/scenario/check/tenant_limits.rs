//! How many of each may a tenant have?
//!
//! Sources: Exchange Online Protection limits (accepted and remote domains, entries of the IP allow list).

use crate::diag::{Span, code};
use crate::scenario::compile::Desk;
use crate::scenario::schema::ExchangeOnline;
use crate::scenario::source::Text;

const ACCEPTED_DOMAINS_MAX: usize = 5000;
const REMOTE_DOMAINS_MAX: usize = 200;
const IP_ALLOW_LIST_MAX: usize = 1273;

/// Says of each list that is too long where it becomes so.
pub(in crate::scenario) fn check(tenant: &ExchangeOnline, desk: &mut Desk) {
    let lists = [
        ("accepted domains", ACCEPTED_DOMAINS_MAX, tenant.accepted_domains.keys().nth(ACCEPTED_DOMAINS_MAX).map(Text::span)),
        ("remote domains", REMOTE_DOMAINS_MAX, tenant.remote_domains.keys().nth(REMOTE_DOMAINS_MAX).map(Text::span)),
        ("entries in `ip_allow_list`", IP_ALLOW_LIST_MAX, tenant.ip_allow_list.items().get(IP_ALLOW_LIST_MAX).map(Text::span)),
    ];
    for (what, most, place) in lists {
        let place: Option<Span> = place;
        if let Some(place) = place {
            desk.error(
                code::CMDLET_REFUSES,
                place,
                format!("a tenant has at most {most} {what}"),
                "leave some out, or make a second tenant of them",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::Loader;
    use crate::scenario::schema::System;

    #[test]
    fn too_many() {
        let domains = |count: usize| (0..count).map(|at| format!("\"d{at}.test\": Authoritative, ")).collect::<String>();
        let remote = |count: usize| (0..count).map(|at| format!("\"r{at}\": (domain_name: \"r{at}.test\"), ")).collect::<String>();
        let addresses = |count: usize| (0..count).map(|at| format!("\"10.0.{}.{}\", ", at / 256, at % 256)).collect::<String>();
        for (accepted, others, allowed, expected) in [
            (5000, 200, 1273, ""),
            (5001, 0, 0, "a tenant has at most 5000 accepted domains"),
            (1, 201, 0, "a tenant has at most 200 remote domains"),
            (1, 0, 1274, "a tenant has at most 1273 entries in `ip_allow_list`"),
        ] {
            let text = format!(
                "Scenario(systems: {{ \"t\": ExchangeOnline(accepted_domains: {{ {} }}, remote_domains: {{ {} }}, ip_allow_list: [{}]) }})",
                domains(accepted),
                remote(others),
                addresses(allowed)
            );
            let tree = Loader::new().text("x.ron", &text).expect("readable");
            let Some(System::ExchangeOnline(tenant)) = tree.systems.get("t") else { panic!("a tenant") };
            let mut desk = Desk::default();
            check(tenant, &mut desk);
            let said: Vec<&str> = desk.problems.iter().map(|problem| &*problem.message).collect();
            assert_eq!(said.join("; "), expected);
        }
    }
}
