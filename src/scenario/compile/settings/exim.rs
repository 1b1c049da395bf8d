//! Parameters of Exim, names and notation as in its specification: main options, those of the routers and of the `smtp` transport, and `retry` for the
//! lines after `begin retry`.
//!
//! A time is written `2h30m`; a bare number counts seconds. Several retry rules stand in lines of their own; the first that fits counts.

use super::{Meaning, Table, Tuned};
use crate::base::{Domain, SECOND, common_form, parse_duration};
use crate::model::host_list::HostList;
use crate::model::retry_rules::{Digits, EximRetry, Growth, RetryError, RetryPart, RetryRule, Source, Warned};
use crate::model::settings::{FamilyPreference, Keeping, OwnTarget, Retry, Returned, TlsLevel};

/// Puts a time into place.
macro_rules! time {
    (|$t:ident, $ns:ident| $put:expr) => {
        Meaning::List(|$t, text| {
            let $ns = time(text)?;
            $put;
            Ok(())
        })
    };
    (above zero |$t:ident, $ns:ident| $put:expr) => {
        Meaning::List(|$t, text| {
            let $ns = time(text)?;
            if $ns == 0 {
                return Err("a time above zero stands here (its specification: \"must not be zero\")");
            }
            $put;
            Ok(())
        })
    };
}

/// Puts a time into a field of the retry settings.
macro_rules! retry_time {
    ($field:ident) => {
        time!(|t, ns| retry(t).$field = ns)
    };
}

/// Lists of hosts that stand for all hosts or none.
#[cfg(test)]
pub(super) const FOR_ALL: [&str; 3] = ["hosts_avoid_tls", "hosts_require_tls", "tls_verify_hosts"];

/// DELIVER_IN_BUFFER_SIZE.
const BUFFER_BYTES: u64 = 8192;

/// What is modelled.
pub(super) static TABLE: Table = &[
    // How long it waits.
    // 0 is the time limit of the operating system.
    ("connect_timeout", time!(|t, ns| t.sender.timers.connect_ns = if ns == 0 { 127 * SECOND } else { ns })),
    (
        "command_timeout",
        time!(above zero |t, ns| {
            let timers = &mut t.sender.timers;
            (timers.banner_ns, timers.ehlo_ns, timers.starttls_ns, timers.auth_ns) = (ns, ns, ns, ns);
            (timers.mail_ns, timers.rcpt_ns, timers.data_ns) = (ns, ns, ns);
        }),
    ),
    ("data_timeout", time!(above zero |t, ns| t.sender.timers.content_ns = ns)),
    ("final_timeout", time!(above zero |t, ns| t.sender.timers.final_dot_ns = ns)),
    // When it tries again and when it gives up.
    ("retry", Meaning::List(rules)),
    ("retry_interval_max", retry_time!(interval_max_ns)),
    ("retry_data_expire", retry_time!(data_expire_ns)),
    ("retry_include_ip_address", Meaning::YesNo(|t, yes| retry(t).by_address = yes)),
    ("delay_warning", Meaning::List(warnings)),
    ("delay_warning_condition", Meaning::List(warned)),
    ("queue_run_max", Meaning::Number(|t, n| retry(t).runs_at_once = n)),
    ("remote_max_parallel", Meaning::Number(|t, n| retry(t).deliveries_at_once = n)),
    (
        "serialize_hosts",
        Meaning::List(|t, text| {
            retry(t).one_connection = HostList::parse(text)?;
            Ok(())
        }),
    ),
    ("ignore_bounce_errors_after", retry_time!(ignore_bounce_errors_after_ns)),
    ("auto_thaw", retry_time!(auto_thaw_ns)),
    ("timeout_frozen_after", retry_time!(timeout_frozen_after_ns)),
    // Which host, and how many.
    ("hosts_max_try", Meaning::Number(|t, n| t.sender.address_limit = n)),
    ("connection_max_messages", Meaning::Number(|t, n| t.sender.keeping = Keeping::ForWaiting { mails: n })),
    ("max_rcpt", Meaning::Number(|t, n| t.sender.recipient_limit = n)),
    ("self", Meaning::List(own_target)),
    (
        "hosts_treat_as_local",
        Meaning::List(|t, text| {
            t.sender.targets.treated_as_own = HostList::parse(text).ok().filter(HostList::is_of_names).ok_or(
                "names of hosts stand here: \"mx.example.com : *.inside.example\", with ! before one that is not meant; named lists and lookups are not modelled",
            )?;
            Ok(())
        }),
    ),
    ("hosts_randomize", Meaning::YesNo(|t, yes| t.sender.targets.shuffled = yes)),
    ("ignore_target_hosts", Meaning::List(ignored)),
    ("ipv4_prefer", Meaning::YesNo(|t, yes| t.sender.families.prefer = if yes { FamilyPreference::V4 } else { FamilyPreference::V6 })),
    ("disable_ipv6", Meaning::YesNo(|t, yes| t.sender.families.v6 &= !yes)),
    // TLS as a client, the wider before the narrower.
    ("hosts_avoid_tls", Meaning::List(|t, text| all_or_none(text).map(|all| level(t, all, TlsLevel::None)))),
    ("hosts_require_tls", Meaning::List(|t, text| all_or_none(text).map(|all| level(t, all, TlsLevel::Encrypt)))),
    ("tls_verify_hosts", Meaning::List(verify)),
    // What its reports return: whole buffers of 8K are read before the limit is looked at (deliver.c).
    (
        "bounce_return_size_limit",
        Meaning::ScaledBytes(|t, bytes| {
            t.sender.returned =
                bytes.map_or(Returned::Whole, |bytes| Returned::UpTo((bytes / BUFFER_BYTES + 1).saturating_mul(BUFFER_BYTES)));
        }),
    ),
    (
        "bounce_return_body",
        Meaning::YesNo(|t, yes| {
            if !yes {
                t.sender.returned = Returned::Headers;
            }
        }),
    ),
    // What it takes as a server.
    ("message_size_limit", Meaning::ScaledBytes(|t, bytes| t.max_message_size = bytes)),
    ("recipients_max", Meaning::Number(|t, n| t.max_recipients = n)),
    ("received_headers_max", Meaning::Number(|t, n| t.hop_limit = n.saturating_add(1))),
    ("smtp_accept_max", Meaning::Number(|t, n| t.sessions = if n == 0 { u32::MAX } else { n })),
    (
        "smtp_accept_max_per_host",
        Meaning::List(|t, text| {
            const WRONG: &str = "a whole number stands here, or \"\" for no limit; expansions are not modelled";
            t.client_limits.connections = if text.is_empty() { 0 } else { text.parse().map_err(|_| WRONG)? };
            Ok(())
        }),
    ),
    ("dsn_advertise_hosts", Meaning::List(|t, text| all_or_none(text).map(|all| t.offers_dsn = all).map_err(|_| DSN_HOSTS))),
    // The model does what these values say.
    ("hosts_max_try_hardlimit", Meaning::Only("50")),
    ("delay_after_cutoff", Meaning::Only("true")),
    ("address_retry_include_sender", Meaning::Only("true")),
    ("multi_domain", Meaning::Only("true")),
    ("host_find_failed", Meaning::Only("ignore")),
    ("host_all_ignored", Meaning::Only("defer")),
    ("tls_tempfail_tryclear", Meaning::Only("true")),
    ("tls_try_verify_hosts", Meaning::Only("*")),
    ("allow_mx_to_ip", Meaning::Only("false")),
    ("allow_domain_literals", Meaning::Only("false")),
    ("dns_cname_loops", Meaning::NoEffect),
    ("check_srv", Meaning::Only("")),
    ("bounce_return_message", Meaning::Only("true")),
    ("queue_run_in_order", Meaning::Only("false")),
    ("size_addition", Meaning::Only("1024")),
    // Nothing that is shown depends on these.
    ("bounce_return_linesize_limit", Meaning::NoEffect),
    ("log_selector", Meaning::NoEffect),
    ("tls_verify_certificates", Meaning::NoEffect),
    // The format has fields for these.
    ("fallback_hosts", Meaning::Field("fallback_hosts: [\"[fallback.example.com]\"]")),
    ("route_list", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }, or smart_hosts: [\"[relay.example.com]\"]")),
    ("route_data", Meaning::Field("routes: { \"example.com\": [\"[relay.example.com]\"] }, or smart_hosts: [\"[relay.example.com]\"]")),
    ("local_domains", Meaning::Field("mailboxes: [\"*@example.com\"]")),
    ("relay_to_domains", Meaning::Field("relay_domains: [\"example.com\"]")),
    ("relay_from_hosts", Meaning::Field("relay_clients: [\"192.0.2.0/24\"]")),
    ("primary_hostname", Meaning::Field("hostname: \"mail.example.com\"")),
    ("local_interfaces", Meaning::Field("addresses: [\"192.0.2.10\"]")),
    ("interface", Meaning::Field("egress: \"192.0.2.10\"")),
    ("tls_certificate", Meaning::Field("certificate: \"name of a certificate\"")),
];

/// What Exim has and the model does not.
pub(super) static NOT_MODELLED: &[&str] = &[
    "acl_smtp_connect",
    "acl_smtp_data",
    "acl_smtp_mail",
    "acl_smtp_rcpt",
    "bounce_sender_authentication",
    "helo_data",
    "dnssec_require_domains",
    "dns_again_means_nonexist",
    "dns_retrans",
    "dns_retry",
    "fail_defer_domains",
    "freeze_tell",
    "hosts_override",
    "hosts_require_auth",
    "hosts_require_dane",
    "hosts_try_auth",
    "hosts_try_dane",
    "hold_domains",
    "max_parallel",
    "mx_domains",
    "mx_fail_domains",
    "protocol",
    "queue_domains",
    "queue_only",
    "queue_only_load",
    "queue_smtp_domains",
    "remote_sort_domains",
    "retry_use_local_part",
    "return_path",
    "same_domain_copy_routing",
    "system_filter",
    "utf8_downconvert",
];

/// The retry settings of a sender of this profile.
fn retry(tuned: &mut Tuned) -> &mut EximRetry {
    match &mut tuned.sender.retry {
        Retry::Exim(retry) => retry,
        Retry::Rfc { .. }
        | Retry::Postfix { .. }
        | Retry::QueueRuns { .. }
        | Retry::Squares { .. }
        | Retry::Steps { .. }
        | Retry::Never => {
            unreachable!("this table is for Exim")
        }
    }
}

/// `5m`, `2h30m`, `90`.
fn time(text: &str) -> Result<u64, &'static str> {
    let seconds = text.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(SECOND));
    // Numbers with a letter each, and nothing between them (specification, "Time intervals").
    let mut of_numbers = text.split_inclusive(|c: char| !c.is_ascii_digit());
    let in_its_notation = of_numbers.all(|part| part.len() > 1 && part.ends_with(['w', 'd', 'h', 'm', 's']));
    seconds
        .or_else(|| parse_duration(text).ok().filter(|_| in_its_notation))
        .ok_or("a time of Exim is written \"2h30m\"; a bare number counts seconds")
}

/// `4h:8h:24h`; 0 is never.
fn warnings(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let ages = text.split(':').map(|age| time(age.trim())).collect::<Result<Vec<u64>, _>>()?;
    if ages.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err("ages of a message stand here, each above the one before: \"4h:8h:24h\"");
    }
    retry(tuned).delay_warnings_ns = if ages == [0] { Vec::new() } else { ages };
    Ok(())
}

/// `freeze`, `defer`, or `reroute: example.com`.
fn own_target(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    const WRONG: &str =
        "`freeze`, `defer`, `fail`, `pass`, `send` or `reroute: example.com` stands here; `reroute: rewrite:` is not modelled";
    let lower = text.to_ascii_lowercase();
    let targets = &mut tuned.sender.targets;
    targets.own = match lower.as_str() {
        "freeze" => OwnTarget::AsProfile,
        "defer" => OwnTarget::Defers,
        "fail" => OwnTarget::Fails,
        "pass" => OwnTarget::Passes,
        "send" => OwnTarget::IsUsed,
        _ => {
            let domain = lower.strip_prefix("reroute:").map(str::trim).and_then(|domain| Domain::parse(domain).ok()).ok_or(WRONG)?;
            if domain.as_str().is_empty() || domain.as_str().starts_with('*') {
                return Err(WRONG);
            }
            targets.rerouted_to = Some(domain.as_str().into());
            OwnTarget::Reroutes
        }
    };
    Ok(())
}

/// A condition without conditions, or the one that Exim has by itself.
fn warned(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    const OWN: &str = "${ifor{{!eq{$h_list-id:$h_list-post:$h_list-subscribe:}{}}{match{$h_precedence:}{(?i)bulk|list|junk}}\
                       {match{$h_auto-submitted:}{(?i)auto-generated|auto-replied}}}{no}{yes}}";
    let bare: String = text.chars().filter(|sign| !sign.is_whitespace() && *sign != '\\').collect();
    let who = match bare.to_ascii_lowercase().as_str() {
        own if own == OWN => Warned::NotBulk,
        "" | "0" | "no" | "false" => Warned::Nobody,
        _ if bare.contains('$') => return Err("`yes`, `no` or Exim's own condition stands here: other expansions are not modelled"),
        _ => Warned::Everybody,
    };
    retry(tuned).warned = who;
    Ok(())
}

/// `0.0.0.0 : 127.0.0.0/8`, or `<; ::1 ; 127.0.0.0/8`.
fn ignored(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    const WRONG: &str = "addresses and networks stand here: \"0.0.0.0 : 127.0.0.0/8\", with IPv6 \"<; ::1 ; 127.0.0.0/8\"";
    let (list, separator) = match text.strip_prefix('<') {
        Some(rest) => (rest.get(1..).ok_or(WRONG)?, rest.chars().next().ok_or(WRONG)?),
        None => (text, ':'),
    };
    let network = |word: &str| -> Result<ipnet::IpNet, &'static str> {
        let address = || word.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        word.parse::<ipnet::IpNet>().or_else(|_| address()).map_err(|_| WRONG)
    };
    let words = list.split(separator).map(str::trim).filter(|word| !word.is_empty());
    tuned.sender.targets.ignored = words.map(network).collect::<Result<_, _>>()?;
    Ok(())
}

const DSN_HOSTS: &str = "`*` or \"\" stands here: a list of single hosts is not modelled";

/// `*` or nothing: lists of single hosts are TLS policies of next hops here.
fn all_or_none(text: &str) -> Result<bool, &'static str> {
    match text {
        "*" => Ok(true),
        "" => Ok(false),
        _ => Err("`*` or \"\" stands here; for single next hops write tls: (policies: { \"example.com\": (level: Encrypt) })"),
    }
}

fn level(tuned: &mut Tuned, all: bool, level: TlsLevel) {
    if all {
        tuned.sender.tls.policy.level = level;
    }
}

fn verify(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    if all_or_none(text)? {
        let level = &mut tuned.sender.tls.policy.level;
        *level = match *level {
            TlsLevel::Encrypt => TlsLevel::Verify,
            // Without `hosts_require_tls` it goes in clear where the certificate fails.
            TlsLevel::May => TlsLevel::VerifyOrClear,
            other => other,
        };
    }
    Ok(())
}

const RULE: &str = "a retry rule is written \"* * F,2h,15m; G,16h,1h,1.5; F,4d,6h\": whose mail, which error, and parts F, G or H";

/// The lines after `begin retry`.
fn rules(tuned: &mut Tuned, text: &str) -> Result<(), &'static str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    retry(tuned).rules = lines.map(rule).collect::<Result<_, _>>()?;
    if retry(tuned).rules.is_empty() { Err(RULE) } else { Ok(()) }
}

fn rule(line: &str) -> Result<RetryRule, &'static str> {
    let mut words = line.splitn(3, char::is_whitespace);
    let (pattern, error, rest) = (words.next().ok_or(RULE)?, words.next().ok_or(RULE)?, words.next().unwrap_or_default());
    let parts = rest.split(';').map(str::trim).filter(|part| !part.is_empty()).map(part).collect::<Result<Vec<_>, _>>()?;
    // The pattern of an address counts with its domain; a bare name is a domain or a host.
    let pattern = pattern.strip_prefix("*@").unwrap_or(pattern);
    let pattern = common_form(pattern);
    if pattern.contains('@') || pattern.starts_with('^') {
        return Err("patterns of retry rules are `*`, a name, or `*.name`; regular expressions and local parts are not modelled");
    }
    Ok(RetryRule { pattern: pattern.into(), error: error_word(error)?, parts })
}

fn part(text: &str) -> Result<RetryPart, &'static str> {
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    let (growth, factor) = match (words.first().copied(), words.len()) {
        (Some("F" | "f"), 3) => (Growth::Fixed, 1000),
        (Some("G" | "g"), 4) => (Growth::Geometric, thousandths(words[3])?),
        (Some("H" | "h"), 4) => (Growth::Random, thousandths(words[3])?),
        _ => return Err(RULE),
    };
    let (cutoff_ns, wait_ns) = (time(words[1])?, time(words[2])?);
    if wait_ns < SECOND {
        return Err("the wait of a retry rule is a second at least");
    }
    Ok(RetryPart { growth, cutoff_ns, wait_ns, factor })
}

/// `1.5` as 1500.
fn thousandths(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "the factor of a retry rule is a number from 1 on, such as 1.5";
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    if rest.is_empty() || rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WRONG);
    }
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(1000)).ok_or(WRONG)?;
    let value = format!("{rest:0<3}").parse::<u64>().map_or(whole, |rest| whole + rest);
    if (1000..=1_000_000).contains(&value) { Ok(value) } else { Err(WRONG) }
}

fn error_word(word: &str) -> Result<RetryError, &'static str> {
    let (name, source) = match word.rsplit_once('_') {
        Some((name, "A")) => (name, Source::Address),
        Some((name, "MX")) => (name, Source::Mx),
        _ => (word, Source::Any),
    };
    Ok(match name {
        "*" => RetryError::Any,
        "refused" => RetryError::Refused(source),
        "timeout_connect" => RetryError::ConnectTimeout(source),
        "timeout" => RetryError::Timeout(source),
        "timeout_DNS" | "lookup" => RetryError::Lookup,
        "lost_connection" => RetryError::Lost,
        "tls_required" => RetryError::TlsRequired,
        "auth_failed" => RetryError::Never,
        quota if quota.starts_with("quota") => RetryError::Never,
        _ => return replies(name),
    })
}

/// `rcpt_4xx`, `mail_45x`, `data_452`.
fn replies(word: &str) -> Result<RetryError, &'static str> {
    const WRONG: &str = "the error of a retry rule is `*`, `refused`, `timeout`, `timeout_connect`, `timeout_DNS`, `lookup`, `lost_connection`, \
                         `tls_required`, `mail_4xx`, `rcpt_4xx` or `data_4xx`";
    let (command, code) = word.split_once('_').ok_or(WRONG)?;
    let code = code.as_bytes();
    let digit = |at: usize| match code[at] {
        b'x' => Ok(None),
        digit @ b'0'..=b'9' => Ok(Some(digit - b'0')),
        _ => Err(WRONG),
    };
    if code.len() != 3 || code[0] != b'4' {
        return Err(WRONG);
    }
    let digits = Digits(digit(1)?, digit(2)?);
    Ok(match command {
        "mail" => RetryError::Mail4xx(digits),
        "rcpt" => RetryError::Rcpt4xx(digits),
        "data" => RetryError::Data4xx(digits),
        _ => return Err(WRONG),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{DAY, HOUR, MINUTE};

    #[test]
    fn retry_rules() {
        let part = |growth, cutoff_ns, wait_ns, factor| RetryPart { growth, cutoff_ns, wait_ns, factor };
        let good = [
            (
                "* * F,2h,15m; G,16h,1h,1.5; F,4d,6h",
                "*",
                RetryError::Any,
                vec![
                    part(Growth::Fixed, 2 * HOUR, 15 * MINUTE, 1000),
                    part(Growth::Geometric, 16 * HOUR, HOUR, 1500),
                    part(Growth::Fixed, 4 * DAY, 6 * HOUR, 1000),
                ],
            ),
            (
                "*@Slow.Example refused_MX G,60s,4s,2",
                "slow.example",
                RetryError::Refused(Source::Mx),
                vec![part(Growth::Geometric, MINUTE, 4 * SECOND, 2000)],
            ),
            (
                "*.test rcpt_45x H,1d,5m,1.25",
                "*.test",
                RetryError::Rcpt4xx(Digits(Some(5), None)),
                vec![part(Growth::Random, DAY, 5 * MINUTE, 1250)],
            ),
            ("* timeout_DNS", "*", RetryError::Lookup, vec![]),
        ];
        for (text, pattern, error, parts) in good {
            assert_eq!(rule(text), Ok(RetryRule { pattern: pattern.into(), error, parts }), "{text}");
        }
        for text in ["*", "* * F,2h", "* * G,2h,15m", "* * F,2h,15x", "* * G,2h,15m,0.5", "* rcpt_5xx F,2h,15m", "bob@a.test * F,2h,15m"] {
            assert!(rule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, expected) in [
            ("90", Some(90 * SECOND)),
            ("2h30m", Some(150 * MINUTE)),
            ("0s", Some(0)),
            ("1w2d", Some(9 * 24 * 60 * MINUTE)),
            ("4x", None),
            ("5min", None),
            ("5 m", None),
            ("0.001s", None),
            ("1ns", None),
            ("m", None),
        ] {
            assert_eq!(time(text).ok(), expected, "{text}");
        }
    }
}
