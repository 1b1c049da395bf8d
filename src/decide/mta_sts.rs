//! MTA-STS: which policy does a domain publish, and may a host be used under it?
//!
//! Four questions: is there a policy (`read_record`), what does it say (`read_policy`), is its web server to be believed (`believe`), and does it
//! list a host (`judge`). The certificate of the host is then judged like others, by `tls` at level `MtaSts`. Source: RFC 8461 §3 to §5.
//! Not modelled: reports about other senders' policies, the size limit of a policy.

use super::tls::Facts;
use super::{Decision, because};
use std::borrow::Cow;

/// What a domain asks of those who send to it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Policy {
    /// How seriously.
    pub mode: Mode,
    /// How long it is kept, in seconds.
    pub max_age_seconds: u32,
    /// Patterns of MX names.
    pub mx: Vec<Box<str>>,
}

/// `mode`
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mode {
    /// No delivery to a host that does not comply.
    Enforce,
    /// Deliver all the same, and report.
    Testing,
    /// No policy any more.
    None,
}

impl Mode {
    /// The word in a policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// The id in the TXT records of `_mta-sts.`; `None`: no policy, since not exactly one of them is one (RFC 8461 §3.1).
#[must_use]
pub fn read_record<'a>(texts: impl Iterator<Item = Cow<'a, str>>) -> Option<Box<str>> {
    let mut found = texts.filter(|text| {
        let rest = text.strip_prefix("v=STSv1").map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with(';'))
    });
    let (only, more) = (found.next()?, found.next());
    if more.is_some() {
        return None;
    }
    let id = only.split(';').find_map(|field| field.trim().strip_prefix("id=").map(str::trim))?;
    let good = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    good.then(|| id.into())
}

/// A policy as the web server shows it. Of a field given twice the first counts, unknown ones do not (RFC 8461 §3.2).
///
/// # Errors
/// What is wrong, in words.
pub fn read_policy(text: &str) -> Result<Policy, &'static str> {
    let (mut version, mut mode, mut max_age, mut mx) = (None, None, None, Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(':').ok_or("a line without a colon")?;
        let value = value.trim();
        match key.trim() {
            "version" => version = version.or(Some(value)),
            "mode" => mode = mode.or(Some(value)),
            "max_age" => max_age = max_age.or(Some(value)),
            "mx" => mx.push(value.trim_end_matches('.').to_ascii_lowercase().into()),
            _ => {}
        }
    }
    if version != Some("STSv1") {
        return Err("`version: STSv1` is missing");
    }
    let mode = match mode {
        Some("enforce") => Mode::Enforce,
        Some("testing") => Mode::Testing,
        Some("none") => Mode::None,
        _ => return Err("`mode` is not enforce, testing or none"),
    };
    let max_age_seconds = max_age.and_then(|value| value.parse::<u32>().ok()).filter(|seconds| *seconds <= 31_557_600);
    let max_age_seconds = max_age_seconds.ok_or("`max_age` is not a number of seconds up to 31557600")?;
    if mx.is_empty() && mode != Mode::None {
        return Err("no `mx` is listed");
    }
    Ok(Policy { mode, max_age_seconds, mx })
}

/// What stands behind the address of a policy host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Site<'a> {
    /// Nobody answers.
    Down,
    /// A web server without the file.
    Gone,
    /// A web server with the file, and what its certificate is worth.
    Page(&'a str, Facts),
}

/// Reads what the policy host shows, if it is to be believed.
///
/// # Errors
/// RFC 8460 result type, and why.
pub fn believe(site: &Site<'_>) -> Result<Policy, (&'static str, &'static str)> {
    match site {
        Site::Down => Err(("sts-policy-fetch-error", "the policy host does not answer")),
        Site::Gone => Err(("sts-policy-fetch-error", "the policy host has no policy (404)")),
        Site::Page(_, facts) if !facts.trusted => Err(("sts-webpki-invalid", facts.distrust)),
        Site::Page(_, facts) if !facts.name_matches => Err(("sts-webpki-invalid", "the certificate of the policy host has another name")),
        Site::Page(text, _) => read_policy(text).map_err(|why| ("sts-policy-invalid", why)),
    }
}

/// What a sender makes of a host under a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// TLS with a trusted certificate that carries the host's name.
    Enforce,
    /// The host is not listed, so it is not used.
    NotListed,
    /// As without a policy; failures are reported. `listed`: the host is.
    Watch {
        /// The host is listed.
        listed: bool,
    },
    /// As without a policy.
    Nothing,
}

/// Judges an MX name by a policy.
#[must_use]
pub fn judge(policy: &Policy, host: &str) -> Decision<Verdict> {
    let one = |verdict, rule, why: &str| Decision::for_reason(verdict, because(rule, host, why, "RFC 8461 §4, §5"));
    let listed = policy.mx.iter().any(|pattern| covers(pattern, host));
    match (policy.mode, listed) {
        (Mode::None, _) => one(Verdict::Nothing, "STS-7", "the policy's mode is none: as without one"),
        (Mode::Enforce, true) => one(Verdict::Enforce, "STS-5", "the policy lists it: TLS, a trusted certificate, and this name in it"),
        (Mode::Enforce, false) => one(Verdict::NotListed, "STS-5", "the policy does not list it, so it is not used"),
        (Mode::Testing, true) => one(Verdict::Watch { listed }, "STS-6", "the policy is in testing: failures are only reported"),
        (Mode::Testing, false) => {
            one(Verdict::Watch { listed }, "STS-6", "the policy does not list it, but is in testing: failures are only reported")
        }
    }
}

/// `*.example.com` stands for exactly one label in front (RFC 8461 §4.1).
#[must_use]
pub fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tls::NOTHING_TO_FIT;
    use super::*;
    use crate::base::TlsVersion;

    #[test]
    fn records() {
        let cases = [
            (vec!["v=STSv1; id=20160831085700Z;"], Some("20160831085700Z")),
            (vec!["v=STSv1;id=1"], Some("1")),
            (vec!["v=spf1 -all", "v=STSv1; id=2"], Some("2")),
            (vec!["v=STSv1; id=1", "v=STSv1; id=2"], None),
            (vec!["v=STSv1; id=with-dash"], None),
            (vec!["v=STSv1"], None),
            (vec!["v=STSv1; id="], None),
            (vec!["v=STSv10; id=1"], None),
            (vec![], None),
        ];
        for (texts, id) in cases {
            assert_eq!(read_record(texts.iter().map(|text| Cow::Borrowed(*text))).as_deref(), id, "{texts:?}");
        }
    }

    #[test]
    fn policies() {
        let good = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: 604800\n";
        let policy = read_policy(good).unwrap();
        assert_eq!((policy.mode, policy.max_age_seconds, policy.mx.len()), (Mode::Enforce, 604_800, 2));
        let cases = [
            ("version: STSv1\nmode: none\nmax_age: 60", Ok(Mode::None)),
            ("version: STSv1\r\nmode: testing\r\nmode: enforce\r\nmx: a.test\r\nmax_age: 60\r\nnew: x", Ok(Mode::Testing)),
            ("mode: enforce\nmx: a.test\nmax_age: 60", Err("`version: STSv1` is missing")),
            ("version: STSv1\nmode: on\nmx: a.test\nmax_age: 60", Err("`mode` is not enforce, testing or none")),
            ("version: STSv1\nmode: enforce\nmax_age: 60", Err("no `mx` is listed")),
            ("version: STSv1\nmode: enforce\nmx: a.test", Err("`max_age` is not a number of seconds up to 31557600")),
            ("version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 99999999", Err("`max_age` is not a number of seconds up to 31557600")),
            ("<html>", Err("a line without a colon")),
        ];
        for (text, expected) in cases {
            assert_eq!(read_policy(text).map(|policy| policy.mode), expected, "{text}");
        }
    }

    #[test]
    fn patterns() {
        let cases = [
            ("mail.example.com", "mail.example.com", true),
            ("*.example.com", "mail.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("mail.example.com", "mail2.example.com", false),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(covers(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn modes() {
        let policy = |mode| Policy { mode, max_age_seconds: 60, mx: vec!["*.dest.test".into()] };
        let cases = [
            (Mode::Enforce, "mx1.dest.test", Verdict::Enforce),
            (Mode::Enforce, "mail.other", Verdict::NotListed),
            (Mode::Testing, "mx1.dest.test", Verdict::Watch { listed: true }),
            (Mode::Testing, "mail.other", Verdict::Watch { listed: false }),
            (Mode::None, "mail.other", Verdict::Nothing),
        ];
        for (mode, host, expected) in cases {
            assert_eq!(judge(&policy(mode), host).outcome, expected, "{mode:?} {host}");
        }
    }

    #[test]
    fn sites() {
        let page = "version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 60";
        let facts = |trusted, name_matches| Facts {
            version: TlsVersion::Tls13,
            trusted,
            distrust: "S5",
            distrust_result: "certificate-expired",
            name_matches,
            other_names: "".into(),
            fits: NOTHING_TO_FIT,
        };
        let cases = [
            (Site::Page(page, facts(true, true)), None),
            (Site::Page(page, facts(false, true)), Some("sts-webpki-invalid")),
            (Site::Page(page, facts(true, false)), Some("sts-webpki-invalid")),
            (Site::Page("", facts(true, true)), Some("sts-policy-invalid")),
            (Site::Gone, Some("sts-policy-fetch-error")),
            (Site::Down, Some("sts-policy-fetch-error")),
        ];
        for (site, expected) in cases {
            assert_eq!(believe(&site).err().map(|(result, _)| result), expected, "{site:?}");
        }
    }
}
