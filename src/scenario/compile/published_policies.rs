//! Does a domain publish its MTA-STS policy so that senders use it, and does the policy let its own mail in? Warnings: such publications exist.
//!
//! Sources: RFC 8461 §3.1 (exactly one record, an id of 1 to 32 letters and digits that changes with the policy), §3.2 (what an `mx` may be), §3.3 (the policy
//! host and its certificate), §4.1 (matching). Looked at are the public zones of the start and of each dated change.

use std::borrow::Cow;

use super::desk::Desk;
use super::stage::Stage;
use super::zones::StageTexts;
use crate::base::{Domain, TlsVersion, common_form};
use crate::decide::mta_sts::{Mode, Policy, covers, read_policy, read_record};
use crate::decide::profile::{RevocationCheck, Subject};
use crate::decide::tls::{Eyes, Wanted, facts};
use crate::diag::{Diagnostic, Span, code};
use crate::model::Model;
use crate::model::certificate::Issuer;
use crate::model::dns::{Outcome, RecordData, RecordType};
use crate::model::topology::Version;
use crate::scenario::source::Text;
use crate::scenario::zone::dedent;

/// Looks at the policies of all stages.
pub(super) fn check(model: &Model, stages: &[Stage], texts: &[StageTexts], desk: &mut Desk) {
    let mut said = Vec::new();
    let mut before: Vec<(String, Policy, Box<str>)> = Vec::new();
    for ((stage, texts), version) in stages.iter().zip(texts).zip(&model.versions) {
        let mut now = Vec::new();
        for (domain, site) in stage.tree.mta_sts.iter() {
            let name = common_form(domain);
            let row = version.mta_sts.iter().find(|row| model.names.text(row.domain) == name);
            let (Some(text), Some(row)) = (site.policy.get(), row) else { continue };
            let Ok(policy) = read_policy(&row.text) else { continue };
            let look = Look { model, version, domain, name: &name, policy: &policy };
            let mut found = look.patterns(text);
            found.extend(look.certificate(site.certificate.span(), row.certificate.map(|id| model.certificate(id))));
            match look.record(texts) {
                Ok(id) => {
                    let old = before.iter().find(|(other, ..)| *other == name);
                    if old.is_some_and(|(_, old, old_id)| *old != policy && *old_id == id) {
                        let message = format!(
                            "the change `{}` makes this policy another one, and its id is still `{id}`: senders keep the old one until its max_age is over",
                            version.name
                        );
                        found.push((
                            domain.span(),
                            message,
                            format!("change the record too: `_mta-sts.{name}. TXT \"v=STSv1; id=…\"` (RFC 8461 §3.1)"),
                        ));
                    }
                    now.push((name.clone(), policy.clone(), id));
                }
                Err(problem) => found.push(problem),
            }
            for (span, message, help) in found {
                if !said.contains(&(span, message.clone())) {
                    said.push((span, message.clone()));
                    desk.say(Diagnostic::warning(code::PUBLISHED, span, message).help(help));
                }
            }
        }
        before = now;
    }
}

/// Place, what is wrong, the way out.
type Problem = (Span, String, String);

/// One policy at one time.
struct Look<'a> {
    model: &'a Model,
    version: &'a Version,
    domain: &'a Text,
    name: &'a str,
    policy: &'a Policy,
}

impl Look<'_> {
    fn ask(&self, name: &str, kind: RecordType) -> Outcome {
        self.model.zones[self.version.zones.index()].lookup_text(&self.model.names, 0, name, kind).outcome
    }

    /// Patterns that stand for no name, and mail hosts that none of them lists.
    fn patterns(&self, text: &Text) -> Vec<Problem> {
        if self.policy.mode == Mode::None {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for pattern in &self.policy.mx {
            let name = pattern.strip_prefix("*.").unwrap_or(pattern);
            if name.contains('*') || Domain::parse(name).is_err() {
                let message = format!("no mail host is called like `{pattern}`: a pattern is a name, or `*.` and a name");
                problems.push((
                    line_of(text, pattern),
                    message,
                    "`*.example.com` stands for one label in front of example.com (RFC 8461 §3.2)".into(),
                ));
            }
        }
        let Outcome::Records(records) = self.ask(self.name, RecordType::Mx) else { return problems };
        for record in &records {
            let RecordData::Mx { exchange, .. } = record else { continue };
            let host = self.model.names.text(*exchange);
            if host.is_empty() || self.policy.mx.iter().any(|pattern| covers(pattern, host)) {
                continue;
            }
            let follows = match self.policy.mode {
                Mode::Enforce => "senders that look at the policy never deliver there",
                Mode::Testing | Mode::None => "senders report that",
            };
            let message = format!("the MX `{host}` of `{}` is not listed in its policy: {follows}", self.name);
            let place = self.policy.mx.first().map_or(text.span(), |first| line_of(text, first));
            problems.push((place, message, format!("write a line `mx: {host}` (RFC 8461 §4.1)")));
        }
        problems
    }

    /// What the policy host shows.
    fn certificate(&self, written: Span, shown: Option<&crate::model::certificate::Certificate>) -> Option<Problem> {
        let host = format!("mta-sts.{}", self.name);
        let help = format!("a certificate of a public authority with the name {host} (RFC 8461 §3.3)");
        let Some(shown) = shown else {
            return Some((written, format!("`{host}` shows no certificate: nobody fetches this policy"), help));
        };
        let eyes = Eyes {
            trusts: shown.issuer != Issuer::SelfSigned,
            wanted: &[Wanted::Name(&host)],
            own: &[&host],
            subject_counts: Subject::Never,
            revocation: RevocationCheck::Never,
        };
        let facts = facts(shown, TlsVersion::Tls13, self.version.at, &eyes);
        let why = match (facts.trusted, facts.name_matches) {
            (false, _) => facts.distrust.split_once(": ").map_or(facts.distrust, |(_, why)| why),
            (true, false) => "the certificate has another name",
            (true, true) => return None,
        };
        Some((written, format!("senders do not believe `{host}`: {why}"), help))
    }

    /// The id that senders find.
    fn record(&self, texts: &StageTexts) -> Result<Box<str>, Problem> {
        let owner = format!("_mta-sts.{}", self.name);
        let right =
            format!("write `{owner}. TXT \"v=STSv1; id=20260101\"`: one record, an id of 1 to 32 letters and digits (RFC 8461 §3.1)");
        let found: Vec<String> = match self.ask(&owner, RecordType::Txt) {
            Outcome::Records(records) => records.iter().filter_map(policy_record).collect(),
            _ => Vec::new(),
        };
        if let Some(id) = read_record(found.iter().map(|text| Cow::Borrowed(text.as_str()))) {
            return Ok(id);
        }
        let written = texts
            .layers()
            .flat_map(|layer| &layer.records)
            .filter(|record| *record.owner == *owner && policy_record(&record.data).is_some());
        let place = written.last().map_or(self.domain.span(), |record| record.span);
        let message = match found.len() {
            0 => format!("no TXT record of `{owner}` says that there is a policy: nobody asks for it"),
            1 => "senders take this for no policy at all: its id is none".to_owned(),
            many => format!("`{owner}` has {many} records of a policy: senders take that for none"),
        };
        Err((place, message, right))
    }
}

/// The text of a record that speaks of a policy.
fn policy_record<N>(data: &RecordData<N>) -> Option<String> {
    let RecordData::Txt(text) = data else { return None };
    let text = String::from_utf8_lossy(text).into_owned();
    text.starts_with("v=STSv1").then_some(text)
}

/// Where a pattern stands in a policy: the first line that has it.
fn line_of(text: &Text, pattern: &str) -> Span {
    let block = dedent(text);
    let mut at = 0;
    for line in block.text().split_inclusive('\n') {
        let value = line.split_once(':').filter(|(key, _)| key.trim() == "mx").map(|(key, value)| (key.len() + 1, value));
        if let Some((before, value)) = value
            && value.trim().trim_end_matches('.').eq_ignore_ascii_case(pattern)
        {
            let start = at + before + (value.len() - value.trim_start().len());
            return text.part(block.original(start..start + value.trim().len()));
        }
        at += line.len();
    }
    text.span()
}
