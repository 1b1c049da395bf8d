//! Several smart hosts on one connector: which one first?
//!
//! SH-3: entries have no priority. The first message begins at an entry picked by luck, each further one at the next entry; an entry that does not
//! answer is skipped for the next in the list, wrapping round. SH-4: when none answers, the message waits; nothing else is tried.
//! Sources: EOP field notes on outbound connectors; c7solutions (round robin); a decision of ours where they are silent: the next entry in list order.

use super::super::{Because, Decision, because};

/// The order of `count` entries when the turn is at `start`.
pub fn rotation(count: usize, start: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| (start + step) % count)
}

/// Why an entry is where it is in the order of one attempt.
#[must_use]
pub fn reason(name: &str, place: usize, count: usize, is_name: bool, connector_rule: &str) -> Because {
    let lookup = if is_name { "its MX is asked first, its address only if there is none" } else { "an address: connected to as it is" };
    let turn = match (count, place) {
        (1, _) => "the only entry".to_owned(),
        (_, 0) => "its turn in the round robin (SH-3)".to_owned(),
        _ => "the next one of the list, if those before do not answer (SH-3)".to_owned(),
    };
    let source = match connector_rule {
        rule if rule.starts_with("SND") || rule == "LINK" => "New-SendConnector SmartHosts",
        rule if rule.starts_with("FOPE") => "FOPE connector: destination",
        _ => "New-OutboundConnector SmartHosts",
    };
    because(if is_name { "SH-2" } else { "SH-1" }, name, format!("{turn}; {lookup}"), source)
}

/// A decision about the MX of a smart host, under the rules that are Exchange Online's for it: SH-2 for what may be tried and what not, SH-7 where
/// the name leads nowhere.
#[must_use]
pub fn by_smart_host_rules<T>(mut decision: Decision<T>, leads_nowhere: bool) -> Decision<T> {
    for reason in &mut decision.passed_over {
        reason.rule = "SH-2";
    }
    for reason in &mut decision.chosen {
        reason.rule = if leads_nowhere { "SH-7" } else { "SH-2" };
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_a_smart_host() {
        let decision = || Decision::for_reason((), because("R1", "site-a", "MX 10", "RFC 5321 §5.1"));
        assert_eq!(by_smart_host_rules(decision(), false).chosen[0].rule, "SH-2");
        assert_eq!(by_smart_host_rules(decision(), true).chosen[0].rule, "SH-7");
    }

    #[test]
    fn the_cmdlet_is_that_of_the_connector() {
        let cases = [
            ("OUT-3", "New-OutboundConnector"),
            ("SND-3", "New-SendConnector"),
            ("LINK", "New-SendConnector"),
            ("FOPE-3", "FOPE connector"),
        ];
        for (rule, source) in cases {
            assert!(reason("mx.example", 0, 1, true, rule).source.starts_with(source), "{rule}");
        }
    }

    #[test]
    fn wraps_round() {
        assert_eq!(rotation(3, 1).collect::<Vec<_>>(), vec![1, 2, 0]);
        assert_eq!(rotation(1, 0).collect::<Vec<_>>(), vec![0]);
    }
}
