//! What does a receiver do with what it found out? Nothing, unless its `checks` say `Enforce`.
//!
//! Sources: RFC 7208 §8 (what each result of SPF deserves), RFC 7372 §3 (status codes), RFC 7489 §6.6.2 and §10.3 (the owner's wish), RFC 6376
//! §6.3 (no signature is no reason by itself: who enforces it decides so); Exchange Online NDR 5.7.509 for DMARC. Everything is said at the
//! end of DATA, where `From` is known.

use super::dkim::DkimResult;
use super::dmarc::Policy;
use super::spf::SpfResult;
use crate::base::Enhanced;
use crate::decide::{Because, Decision, because};
use crate::model::authentication::{Checks, Mode};

/// What was found out.
#[derive(Clone, Copy, Debug)]
pub struct Findings {
    /// Of SPF.
    pub spf: SpfResult,
    /// Of DKIM.
    pub dkim: DkimResult,
    /// What the owner of the author's domain wants done.
    pub dmarc: Policy,
    /// Does the client's address have a name?
    pub has_name: bool,
    /// The status for DMARC that this receiver uses: 5.7.26, or 5.7.509 of Exchange Online.
    pub dmarc_status: Enhanced,
}

/// What becomes of the message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// Taken.
    Take,
    /// Taken, and kept away from the mailbox.
    Quarantine,
    /// Refused at the end of DATA.
    Refuse(u16, Enhanced, &'static str),
}

/// What does a receiver do that has these checks?
#[must_use]
pub fn judge(checks: Checks, findings: &Findings) -> Decision<Verdict> {
    let refuse = |rule, name: &str, code, status, text: &'static str, source| {
        Decision::for_reason(Verdict::Refuse(code, status, text), because(rule, name, text, source))
    };
    if checks.ptr == Mode::Enforce && !findings.has_name {
        return refuse("AUTH-1", "ptr", 550, Enhanced(5, 7, 25), "reverse DNS validation failed", "RFC 7372 §3.3");
    }
    if checks.spf == Mode::Enforce {
        match findings.spf {
            SpfResult::Fail => return refuse("AUTH-2", "spf", 550, Enhanced(5, 7, 23), "SPF validation failed", "RFC 7208 §8.4"),
            SpfResult::TempError => return refuse("AUTH-2", "spf", 451, Enhanced(4, 7, 24), "SPF validation error", "RFC 7208 §8.6"),
            SpfResult::PermError => return refuse("AUTH-2", "spf", 550, Enhanced(5, 7, 24), "SPF validation error", "RFC 7208 §8.7"),
            SpfResult::None | SpfResult::Neutral | SpfResult::Pass | SpfResult::SoftFail => {}
        }
    }
    if checks.dkim == Mode::Enforce {
        match findings.dkim {
            DkimResult::None | DkimResult::Fail | DkimResult::PermError => {
                return refuse("AUTH-3", "dkim", 550, Enhanced(5, 7, 20), "no passing DKIM signature found", "RFC 7372 §3.1");
            }
            DkimResult::TempError => {
                return refuse("AUTH-3", "dkim", 451, Enhanced(4, 7, 20), "the DKIM key cannot be fetched", "RFC 6376 §6.1.2");
            }
            DkimResult::Pass => {}
        }
    }
    if checks.dmarc == Mode::Enforce {
        match findings.dmarc {
            Policy::Reject => {
                return refuse(
                    "AUTH-4",
                    "dmarc",
                    550,
                    findings.dmarc_status,
                    "rejected by the policy of the author's domain",
                    "RFC 7489 §10.3",
                );
            }
            Policy::Quarantine => {
                let why = "quarantined by the policy of the author's domain";
                return Decision::for_reason(Verdict::Quarantine, because("AUTH-4", "dmarc", why, "RFC 7489 §6.6.4"));
            }
            Policy::None => {}
        }
    }
    Decision::for_reason(Verdict::Take, because("AUTH-5", "taken", "nothing that is enforced speaks against it", "RFC 7489 §6.7"))
}

/// Why the checks of a receiver do not act on a message, whatever they find: a decision of ours, since no source says that they do.
#[must_use]
pub fn unjudged(why: &str) -> Because {
    because("AUTH-6", "not judged", why, "decision of ours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let all = |mode| Checks { spf: mode, dkim: mode, dmarc: mode, ptr: mode };
        let only_spf = Checks { spf: Mode::Enforce, ..Checks::default() };
        let good = Findings {
            spf: SpfResult::Pass,
            dkim: DkimResult::Pass,
            dmarc: Policy::None,
            has_name: true,
            dmarc_status: Enhanced(5, 7, 26),
        };
        let cases = [
            ("all is well", all(Mode::Enforce), good, "Take"),
            ("only reported", all(Mode::Report), Findings { spf: SpfResult::Fail, dmarc: Policy::Reject, has_name: false, ..good }, "Take"),
            ("SPF fails", only_spf, Findings { spf: SpfResult::Fail, ..good }, "550 5.7.23"),
            ("SPF fails softly", only_spf, Findings { spf: SpfResult::SoftFail, ..good }, "Take"),
            ("SPF cannot be asked", only_spf, Findings { spf: SpfResult::TempError, ..good }, "451 4.7.24"),
            ("SPF is broken", only_spf, Findings { spf: SpfResult::PermError, ..good }, "550 5.7.24"),
            ("no signature", all(Mode::Enforce), Findings { dkim: DkimResult::None, ..good }, "550 5.7.20"),
            ("DMARC says reject", all(Mode::Enforce), Findings { dmarc: Policy::Reject, ..good }, "550 5.7.26"),
            ("DMARC says quarantine", all(Mode::Enforce), Findings { dmarc: Policy::Quarantine, ..good }, "Quarantine"),
            ("no name", all(Mode::Enforce), Findings { has_name: false, ..good }, "550 5.7.25"),
        ];
        for (case, checks, findings, expected) in cases {
            let decision = judge(checks, &findings);
            let said = match decision.outcome {
                Verdict::Take => "Take".to_owned(),
                Verdict::Quarantine => "Quarantine".to_owned(),
                Verdict::Refuse(code, status, _) => format!("{code} {status}"),
            };
            assert_eq!(said, expected, "{case}");
        }
    }
}
