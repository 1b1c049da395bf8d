//! A report about TLS as RFC 8460 writes it: the name of its file (§5.1) and the JSON in it (§4.4).

use super::writer::Writer;
use crate::analysis::tls_reports::{PolicyResults, TlsReport};

/// The name of the file, without a folder.
#[must_use]
pub fn file_name(report: &TlsReport) -> String {
    let plain = |text: &str| -> String {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
        text.chars().map(allowed).collect()
    };
    format!("{}!{}!{}!{}.json", plain(&report.organization), plain(&report.domain), report.begin_unix_s, report.end_unix_s)
}

/// The document.
#[must_use]
pub fn tls_report_json(report: &TlsReport) -> String {
    let mut writer = Writer::new();
    let (begin, end) = (moment(report.begin_unix_s), moment(report.end_unix_s));
    writer.object(|w| {
        w.line_key("organization-name").string(&*report.organization);
        w.line_key("date-range").object(|w| {
            w.key("start-datetime").string(&*begin);
            w.key("end-datetime").string(&*end);
        });
        w.line_key("contact-info").string(&*format!("postmaster@{}", report.organization));
        w.line_key("report-id").string(&*format!("{begin}_{}", report.domain));
        w.line_key("policies").lines(&report.policies, |w, policy| write_policy(w, report, policy));
        w.last_line();
    });
    writer.into_text() + "\n"
}

fn write_policy(w: &mut Writer, report: &TlsReport, results: &PolicyResults) {
    w.object(|w| {
        w.key("policy").object(|w| {
            w.key("policy-type").string(results.kind);
            if let Some(published) = &results.published {
                w.key("policy-string").array(&published.strings, |w, line| w.string(&**line));
            }
            w.key("policy-domain").string(&*report.domain);
            if let Some(published) = results.published.as_ref().filter(|published| !published.hosts.is_empty()) {
                w.key("mx-host").array(&published.hosts, |w, host| w.string(&**host));
            }
        });
        w.key("summary").object(|w| {
            w.key("total-successful-session-count").number(results.successes);
            w.key("total-failure-session-count").number(results.failures);
        });
        w.key("failure-details").array(&results.details, |w, detail| {
            w.object(|w| {
                w.key("result-type").string(detail.result);
                if let Some(sender) = detail.sender {
                    w.key("sending-mta-ip").string(&*sender.to_string());
                }
                w.key("receiving-mx-hostname").string(&*detail.host);
                w.key("receiving-ip").string(&*detail.receiver.to_string());
                w.key("failed-session-count").number(detail.count);
            });
        });
    });
}

/// `2026-03-02T00:00:00Z`
fn moment(unix_s: i64) -> String {
    jiff::Timestamp::from_second(unix_s).map_or_else(|_| unix_s.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::outcome::Published;
    use crate::analysis::tls_reports::Detail;
    use std::rc::Rc;

    #[test]
    fn as_the_rfc_writes_it() {
        let published = Published {
            kind: "sts",
            domain: "lumen.example".into(),
            strings: vec!["version: STSv1".into(), "mode: testing".into()],
            hosts: vec!["*.lumen.example".into()],
        };
        let details = vec![Detail {
            result: "certificate-expired",
            sender: Some([192, 0, 2, 9].into()),
            host: "mx1.lumen.example".into(),
            receiver: [192, 0, 2, 1].into(),
            count: 3,
        }];
        let policies = vec![PolicyResults { kind: "sts", published: Some(Rc::new(published)), successes: 5, failures: 3, details }];
        let report = TlsReport {
            organization: "the bakery".into(),
            domain: "lumen.example".into(),
            begin_unix_s: 1_772_409_600,
            end_unix_s: 1_772_495_999,
            policies,
        };
        assert_eq!(file_name(&report), "the-bakery!lumen.example!1772409600!1772495999.json");
        let document: serde_json::Value = serde_json::from_str(&tls_report_json(&report)).expect("JSON");
        assert_eq!(document["date-range"]["start-datetime"], "2026-03-02T00:00:00Z");
        assert_eq!(document["date-range"]["end-datetime"], "2026-03-02T23:59:59Z");
        let policy = &document["policies"][0];
        assert_eq!(policy["policy"]["policy-type"], "sts");
        assert_eq!(policy["policy"]["mx-host"][0], "*.lumen.example");
        assert_eq!(policy["summary"]["total-failure-session-count"], 3);
        assert_eq!(policy["failure-details"][0]["result-type"], "certificate-expired");
    }
}
