//! May a message show this author? DMARC: the policy of the author's domain, alignment, and what to do with those who fail.
//!
//! Source: RFC 7489 §3.1 (alignment), §3.2 (organizational domain), §6.3 (tags), §6.6.2 to §6.6.4 (discovery, result, sampling). The list of
//! public suffixes is the one that the crate `psl` carries: a domain of the scenario is judged as the real one of that name would be. Not
//! modelled: reports (`rua`, `ruf`), several authors in one message.

use super::dkim::{DkimCheck, DkimResult};
use super::spf::{SpfCheck, SpfResult};
use super::{Ask, versioned_texts};
use crate::decide::{Because, Decision, because};
use crate::model::dns::RecordType;

/// What the owner of a domain wants done with mail that fails, mildest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Policy {
    /// Nothing.
    None,
    /// Suspicious: kept away from the inbox.
    Quarantine,
    /// Refused.
    Reject,
}

impl Policy {
    /// The word of the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject].into_iter().find(|policy| policy.as_str().eq_ignore_ascii_case(text))
    }

    /// For messages that the owner's share spares (§6.6.4).
    fn milder(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

/// What DMARC says (RFC 7489 §11.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DmarcResult {
    /// No policy, or no author.
    None,
    /// SPF or DKIM passes for the author's domain.
    Pass,
    /// Neither does.
    Fail,
    /// Not to be said for now.
    TempError,
}

impl DmarcResult {
    /// All results.
    pub const ALL: [Self; 4] = [Self::None, Self::Pass, Self::Fail, Self::TempError];

    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
        }
    }
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct DmarcQuestion<'a> {
    /// The domain in `From`; `None` if there is none.
    pub author: Option<&'a str>,
    /// What SPF said.
    pub spf: &'a SpfCheck,
    /// What DKIM said.
    pub dkim: &'a DkimCheck,
    /// The luck of this message, 0 to 99: below `pct` the policy counts in full.
    pub sample: u8,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DmarcCheck {
    /// The result.
    pub result: DmarcResult,
    /// What the owner of the author's domain wants done with this message.
    pub wanted: Policy,
}

/// Does the author's domain stand behind this message?
pub fn check_dmarc(question: &DmarcQuestion<'_>, ask: &mut Ask<'_>) -> Decision<DmarcCheck> {
    let nothing = |result, reason: Because| Decision::for_reason(DmarcCheck { result, wanted: Policy::None }, reason);
    let Some(author) = question.author.map(str::to_ascii_lowercase) else {
        return nothing(DmarcResult::None, because("DMARC-1", "no author", "`From` names nobody", "RFC 7489 §6.6.1"));
    };
    let (found_at, record) = match discover(&author, ask) {
        Ok(found) => found,
        Err((result, why)) => return nothing(result, because("DMARC-1", author, why, "RFC 7489 §6.6.3")),
    };
    let policy = if *found_at == author { record.policy } else { record.subdomain_policy };
    let mut chosen = vec![because("DMARC-1", &*author, format!("policy at `_dmarc.{found_at}`: {}", policy.as_str()), "RFC 7489 §6.6.3")];
    let (spf, spf_passes) = spf_alignment(question.spf, &author, record.strict_spf);
    let (dkim, dkim_passes) = dkim_alignment(question.dkim, &author, record.strict_dkim);
    let mut passed_over = Vec::new();
    for (reason, passes) in [(spf, spf_passes), (dkim, dkim_passes)] {
        (if passes { &mut chosen } else { &mut passed_over }).push(reason);
    }
    let is_uncertain = question.spf.result == SpfResult::TempError || question.dkim.result == DkimResult::TempError;
    let (outcome, reason) = if spf_passes || dkim_passes {
        (DmarcCheck { result: DmarcResult::Pass, wanted: Policy::None }, None)
    } else if is_uncertain {
        let reason = because("DMARC-4", &*author, "SPF or DKIM may pass later: the policy cannot be applied", "RFC 7489 §6.6.2");
        (DmarcCheck { result: DmarcResult::TempError, wanted: Policy::None }, Some(reason))
    } else {
        let is_spared = question.sample >= record.percent;
        let wanted = if is_spared { policy.milder() } else { policy };
        let share = if is_spared { format!(", spared by pct={}", record.percent) } else { String::new() };
        let why = format!("fails: {}{share}", wanted.as_str());
        (DmarcCheck { result: DmarcResult::Fail, wanted }, Some(because("DMARC-4", &*author, why, "RFC 7489 §6.6.4")))
    };
    chosen.extend(reason);
    Decision { outcome, chosen, passed_over }
}

/// The domain right below the public suffix; the name itself if there is none.
#[must_use]
pub fn organizational_domain(name: &str) -> &str {
    psl::domain_str(name).unwrap_or(name)
}

fn is_aligned(one: &str, author: &str, is_strict: bool) -> bool {
    let one = one.to_ascii_lowercase();
    if is_strict { one == author } else { organizational_domain(&one) == organizational_domain(author) }
}

fn mode(is_strict: bool) -> &'static str {
    if is_strict { "strict" } else { "relaxed" }
}

fn spf_alignment(spf: &SpfCheck, author: &str, is_strict: bool) -> (Because, bool) {
    let aligned = is_aligned(&spf.domain, author, is_strict);
    let passes = aligned && spf.result == SpfResult::Pass;
    let relation = if aligned { "aligned with" } else { "not aligned with" };
    let why = format!("SPF {}; {relation} `{author}` ({})", spf.result.as_str(), mode(is_strict));
    (because("DMARC-2", &*spf.domain, why, "RFC 7489 §3.1.2"), passes)
}

fn dkim_alignment(dkim: &DkimCheck, author: &str, is_strict: bool) -> (Because, bool) {
    let reason = |name: &str, why: String| because("DMARC-3", name, why, "RFC 7489 §3.1.1");
    if let Some(domain) = dkim.domains.iter().find(|domain| is_aligned(domain, author, is_strict)) {
        return (reason(domain, format!("DKIM pass; aligned with `{author}` ({})", mode(is_strict))), true);
    }
    match dkim.domains.first() {
        Some(domain) => (reason(domain, format!("DKIM pass; not aligned with `{author}` ({})", mode(is_strict))), false),
        None => (reason(author, format!("DKIM {}", dkim.result.as_str())), false),
    }
}

/// The tags that count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Record {
    policy: Policy,
    subdomain_policy: Policy,
    strict_spf: bool,
    strict_dkim: bool,
    percent: u8,
}

/// The policy of a domain: at the name itself, else at its organizational domain.
fn discover<'a>(author: &'a str, ask: &mut Ask<'_>) -> Result<(&'a str, Record), (DmarcResult, String)> {
    let organization = organizational_domain(author);
    for name in [author, organization] {
        let asked = format!("_dmarc.{name}");
        let answer = ask(&asked, RecordType::Txt);
        let texts = versioned_texts(answer, "v=DMARC1", b"; \t")
            .map_err(|how| (DmarcResult::TempError, format!("DNS does not answer for `{asked}`: {how}")))?;
        match &texts[..] {
            [] => {}
            [text] => {
                let record = Record::parse(&String::from_utf8_lossy(text));
                return record.map(|record| (name, record)).ok_or_else(|| (DmarcResult::None, format!("`{asked}` has no usable policy")));
            }
            several => return Err((DmarcResult::None, format!("`{asked}` has {} policies: none of them counts", several.len()))),
        }
    }
    let both = if organization == author { String::new() } else { format!(" nor at `_dmarc.{organization}`") };
    Err((DmarcResult::None, format!("no policy at `_dmarc.{author}`{both}")))
}

impl Record {
    /// Reads the tags; a tag with a bad value is taken at its default (§6.3).
    fn parse(text: &str) -> Option<Self> {
        let tags: Vec<(&str, &str)> =
            text.split(';').filter_map(|tag| tag.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect();
        let tag = |wanted: &str| tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value);
        let policy = tag("p").and_then(Policy::read);
        let subdomain_policy = tag("sp").map_or(Some(policy), |text| Policy::read(text).map(Some));
        let reports =
            tag("rua").is_some_and(|text| text.split(',').any(|address| address.trim().to_ascii_lowercase().starts_with("mailto:")));
        let (policy, subdomain_policy) = match (policy, subdomain_policy) {
            (Some(policy), Some(subdomain_policy)) => (policy, subdomain_policy.unwrap_or(policy)),
            // §6.6.3: who asks for reports and has no usable policy watches only.
            _ if reports => (Policy::None, Policy::None),
            _ => return None,
        };
        let is_strict = |name: &str| tag(name).is_some_and(|value| value.eq_ignore_ascii_case("s"));
        let percent = tag("pct").and_then(|text| text.parse().ok()).filter(|percent| *percent <= 100).unwrap_or(100);
        Some(Self { policy, subdomain_policy, strict_spf: is_strict("aspf"), strict_dkim: is_strict("adkim"), percent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::authentication::DnsAnswer;
    use crate::model::dns::RecordData;

    #[test]
    fn records() {
        let record = |policy, subdomain_policy| Record { policy, subdomain_policy, strict_spf: false, strict_dkim: false, percent: 100 };
        let cases = [
            ("v=DMARC1; p=reject", Some(record(Policy::Reject, Policy::Reject))),
            ("v=DMARC1;p=none;sp=quarantine", Some(record(Policy::None, Policy::Quarantine))),
            (
                "v=DMARC1 ; P=Quarantine ; adkim=s ; aspf=S ; pct=30",
                Some(Record { strict_spf: true, strict_dkim: true, percent: 30, ..record(Policy::Quarantine, Policy::Quarantine) }),
            ),
            ("v=DMARC1; p=reject; pct=130; aspf=x; fo=1; unknown=2", Some(record(Policy::Reject, Policy::Reject))),
            ("v=DMARC1; rua=mailto:dmarc@a.test", Some(record(Policy::None, Policy::None))),
            ("v=DMARC1; p=reject; sp=never; rua=mailto:dmarc@a.test", Some(record(Policy::None, Policy::None))),
            ("v=DMARC1; p=block", None),
            ("v=DMARC1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Record::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn organizations() {
        let cases = [
            ("mail.contoso.com", "contoso.com"),
            ("contoso.com", "contoso.com"),
            ("a.b.contoso.co.uk", "contoso.co.uk"),
            ("mail.contoso.test", "contoso.test"),
            ("co.uk", "co.uk"),
            ("test", "test"),
        ];
        for (name, expected) in cases {
            assert_eq!(organizational_domain(name), expected, "{name}");
        }
    }

    fn ask(name: &str) -> DnsAnswer {
        let texts: &[&str] = match name {
            "_dmarc.reject.test" => &["v=DMARC1; p=reject; sp=quarantine"],
            "_dmarc.own.reject.test" => &["v=DMARC1; p=none"],
            "_dmarc.strict.test" => &["v=DMARC1; p=quarantine; aspf=s; adkim=s"],
            "_dmarc.half.test" => &["v=DMARC1; p=reject; pct=50"],
            "_dmarc.two.test" => &["v=DMARC1; p=reject", "v=DMARC1; p=none"],
            "_dmarc.spf.test" => &["v=spf1 -all", "v=DMARC10; p=reject"],
            "_dmarc.down.test" => return DnsAnswer::Failed("SERVFAIL"),
            _ => return DnsAnswer::NxDomain,
        };
        DnsAnswer::Records(texts.iter().map(|text| RecordData::Txt(text.as_bytes().into())).collect())
    }

    #[test]
    fn decisions() {
        use {DkimResult as D, SpfResult as S};
        let cases = [
            ("reject.test", S::Pass, "reject.test", D::None, "", 0, "pass none"),
            ("reject.test", S::Pass, "bounce.reject.test", D::None, "", 0, "pass none"),
            ("reject.test", S::Pass, "elsewhere.test", D::None, "", 0, "fail reject"),
            ("reject.test", S::Fail, "reject.test", D::None, "", 0, "fail reject"),
            ("reject.test", S::Fail, "reject.test", D::Pass, "reject.test", 0, "pass none"),
            ("reject.test", S::Fail, "reject.test", D::Pass, "list.test", 0, "fail reject"),
            ("sub.reject.test", S::Fail, "reject.test", D::None, "", 0, "fail quarantine"),
            ("own.reject.test", S::Fail, "reject.test", D::None, "", 0, "fail none"),
            ("strict.test", S::Pass, "bounce.strict.test", D::None, "", 0, "fail quarantine"),
            ("strict.test", S::Pass, "strict.test", D::None, "", 0, "pass none"),
            ("strict.test", S::Fail, "strict.test", D::Pass, "mail.strict.test", 0, "fail quarantine"),
            ("half.test", S::Fail, "half.test", D::None, "", 49, "fail reject"),
            ("half.test", S::Fail, "half.test", D::None, "", 50, "fail quarantine"),
            ("two.test", S::Fail, "two.test", D::None, "", 0, "none none"),
            ("spf.test", S::Fail, "spf.test", D::None, "", 0, "none none"),
            ("nobody.test", S::Fail, "nobody.test", D::None, "", 0, "none none"),
            ("down.test", S::Fail, "down.test", D::None, "", 0, "temperror none"),
            ("reject.test", S::TempError, "reject.test", D::Fail, "", 0, "temperror none"),
            ("reject.test", S::TempError, "reject.test", D::Pass, "reject.test", 0, "pass none"),
        ];
        for (author, spf, spf_domain, dkim, dkim_domain, sample, expected) in cases {
            let spf = SpfCheck { result: spf, domain: spf_domain.into(), lookups: 0 };
            let domains = Some(dkim_domain).filter(|domain| !domain.is_empty()).map(Into::into).into_iter().collect();
            let dkim = DkimCheck { result: dkim, domains };
            let question = DmarcQuestion { author: Some(author), spf: &spf, dkim: &dkim, sample };
            let decision = check_dmarc(&question, &mut |name: &str, _| ask(name));
            let said = format!("{} {}", decision.outcome.result.as_str(), decision.outcome.wanted.as_str());
            assert_eq!(said, expected, "{author}: {:?}", decision.chosen);
        }
    }
}
