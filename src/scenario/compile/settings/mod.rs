//! What do a server's own parameters say? One typed table per profile: name, notation, field.
//!
//! Settings are laid over the profile's defaults in the order of the table, so that a narrower parameter comes after the wider one that it overrides.

mod exim;
mod kumomta;
mod opensmtpd;
/// `50M`, `512k`, `1048576`.
fn scaled(text: &str) -> Option<u64> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1 << 10),
        (at, 'm' | 'M') => (&text[..at], 1 << 20),
        (at, 'g' | 'G') => (&text[..at], 1 << 30),
        _ => (text, 1u64),
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod page;
mod postfix;
mod qmail;
mod restrictions;
mod rfc;
mod sendmail;

use crate::base::{SECOND, duration, parse_duration};
use crate::diag::{Diagnostic, code};
use crate::model::client_limits::ClientLimits;
use crate::model::restrictions::{Restriction, Restrictions};
use crate::model::settings::{Profile, Retry, Sender, TlsLevel, WhenFull};
use crate::scenario::source::{Named, Text};

use super::desk::Desk;

/// What settings can change: the sending side and some limits of the receiving one.
#[derive(Clone, Debug)]
pub(super) struct Tuned {
    pub(super) sender: Sender,
    /// `None`: not limited.
    pub(super) max_message_size: Option<u64>,
    /// 0: not limited.
    pub(super) max_recipients: u32,
    /// 0: never refused.
    pub(super) hop_limit: u32,
    /// What certificates must carry at a level, where a policy names nothing itself (Postfix `smtp_tls_secure_cert_match`).
    pub(super) names_of_levels: Vec<(TlsLevel, Vec<Box<str>>)>,
    /// Exim announces DSN (`dsn_advertise_hosts`).
    pub(super) offers_dsn: bool,
    /// OpenSMTPD knows itself among the mail hosts of a domain by its own name (`relay backup`).
    pub(super) is_backup: bool,
    pub(super) sessions: u32,
    pub(super) when_full: WhenFull,
    pub(super) client_limits: ClientLimits,
    /// Postfix alone.
    pub(super) restrictions: Restrictions,
}

/// How the value of a setting is written, and what it does.
#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// A duration with units.
    Duration(fn(&mut Tuned, u64)),
    /// The same, above zero.
    DurationAboveZero(fn(&mut Tuned, u64)),
    /// Postfix, Sendmail: a number with a unit, bare numbers in this one.
    UnitTime(char, fn(&mut Tuned, u64)),
    /// Postfix: the same, and it does not start with zero.
    TimeAboveZero(char, fn(&mut Tuned, u64)),
    /// Sendmail: the same, and several that are added up, as `1h30m`.
    SumOfTimes(char, fn(&mut Tuned, u64)),
    /// qmail: seconds, and no unit.
    Seconds(fn(&mut Tuned, u64)),
    /// A whole number.
    Number(fn(&mut Tuned, u32)),
    /// A number of bytes; 0 is no limit.
    Bytes(fn(&mut Tuned, Option<u64>)),
    /// Exim, OpenSMTPD: the same, with `K`, `M` or `G` for powers of 1024.
    ScaledBytes(fn(&mut Tuned, Option<u64>)),
    /// A factor such as `2` or `1.5`, in hundredths.
    Factor(fn(&mut Tuned, u32)),
    /// `yes` or `no`.
    YesNo(fn(&mut Tuned, bool)),
    /// One of these words.
    Word(&'static [WordOf]),
    /// A list of words that is read by its own function; the sentence says what is possible.
    List(fn(&mut Tuned, &str) -> Result<(), &'static str>),
    /// Postfix: what smtpd asks of a client, word by word.
    Restrictions(fn(&mut Tuned) -> &mut Vec<Restriction>),
    /// Whatever it says, nothing that the model shows depends on it.
    NoEffect,
    /// The model does what this value means, and nothing else yet.
    Only(&'static str),
    /// The format has a field for it.
    Field(&'static str),
}

/// A word and what it sets.
type WordOf = (&'static str, fn(&mut Tuned));

type Table = &'static [(&'static str, Meaning)];

/// Lays the settings of a scenario over a profile.
pub(super) fn tune(profile: Profile, settings: &Named<Text>, tuned: &mut Tuned, desk: &mut Desk) {
    let tables: &[Table] = match profile {
        Profile::Postfix => &[postfix::TABLE],
        Profile::Exim => &[exim::TABLE],
        Profile::Sendmail => &[sendmail::TABLE],
        Profile::Qmail => &[qmail::TABLE],
        Profile::KumoMta => &[kumomta::TABLE],
        Profile::OpenSmtpd | Profile::OpenSmtpd6 => &[opensmtpd::TABLE],
        Profile::Rfc => &[rfc::TIMERS, rfc::RETRY],
        Profile::NoRetry | Profile::ExchangeOnline | Profile::ExchangeServer => &[rfc::TIMERS],
    };
    let rows = || tables.iter().flat_map(|table| table.iter());
    for (name, meaning) in rows() {
        if let Some((key, value)) = settings.iter().find(|(key, _)| key.as_str() == *name) {
            apply(key, value, *meaning, tuned, desk);
        }
    }
    not_at_once(settings, tuned, desk);
    first_wait_above_all(settings, tuned, desk);
    one_at_a_time(settings, tuned, desk);
    sendmail::status_without_effect(settings, tuned, desk);
    for (key, _) in settings.iter().filter(|(key, _)| !rows().any(|(name, _)| *name == key.as_str())) {
        let known = rows().map(|(name, _)| *name);
        let others: &[&str] = match profile {
            Profile::Postfix => postfix::NOT_MODELLED,
            Profile::Exim => exim::NOT_MODELLED,
            Profile::KumoMta => kumomta::NOT_MODELLED,
            _ => &[],
        };
        if others.contains(&key.as_str()) {
            not_modelled(key, desk);
            continue;
        }
        let problem = Diagnostic::error(code::UNKNOWN_SETTING, key.span(), format!("this server has no parameter `{key}`"));
        let otherwise = match profile {
            Profile::Postfix => "the names are those of postconf(5)",
            Profile::OpenSmtpd | Profile::OpenSmtpd6 => "the names are those of smtpd.conf(5)",
            Profile::Exim => "the names are those of Exim's specification, and `retry` for the rules after `begin retry`",
            Profile::Qmail => "the names are those of qmail's control files",
            Profile::KumoMta => "the names are those of make_queue_config and make_egress_path",
            Profile::Sendmail => "the names are those of the Sendmail Installation and Operation Guide",
            Profile::Rfc | Profile::NoRetry | Profile::ExchangeOnline | Profile::ExchangeServer => {
                "write `profile: Postfix` for the parameters of Postfix"
            }
        };
        desk.unknown(problem, key, known, otherwise);
    }
}

/// A server that tries again without waiting would never come to an end.
fn not_at_once(settings: &Named<Text>, tuned: &Tuned, desk: &mut Desk) {
    let waits: &[(&str, u64)] = match &tuned.sender.retry {
        Retry::Postfix { min_ns, max_ns, scan_every_ns, .. } => {
            &[("minimal_backoff_time", *min_ns), ("maximal_backoff_time", *max_ns), ("queue_run_delay", *scan_every_ns)]
        }
        Retry::Rfc { first_ns, max_ns, .. } => {
            &[("retry_first", *first_ns), ("retry_max", *max_ns), ("retry_interval", *first_ns), ("max_retry_interval", *max_ns)]
        }
        Retry::Exim(_) | Retry::QueueRuns { .. } | Retry::Squares { .. } | Retry::Steps { .. } | Retry::Never => &[],
    };
    for (name, _) in waits.iter().filter(|(_, ns)| *ns == 0) {
        if let Some((_, value)) = settings.iter().find(|(key, _)| key.as_str() == *name) {
            desk.error(code::RANGE, value.span(), format!("`{name}` is above zero"), "write a duration such as \"300s\"");
        }
    }
}

/// A first wait that is longer than the longest: every wait is the latter.
fn first_wait_above_all(settings: &Named<Text>, tuned: &Tuned, desk: &mut Desk) {
    let Retry::Rfc { first_ns, max_ns, .. } = &tuned.sender.retry else { return };
    let names = [("retry_first", "retry_max"), ("retry_interval", "max_retry_interval")];
    let written = |name: &str| settings.iter().find(|(key, _)| key.as_str() == name);
    for (first, most) in names.into_iter().filter(|_| first_ns > max_ns) {
        if let Some((key, _)) = written(first).or_else(|| written(most)) {
            let message = format!("`{first}` is longer than `{most}`: every wait is {}", duration(*max_ns));
            desk.say(
                Diagnostic::warning(code::NO_EFFECT, key.span(), message)
                    .help(format!("write a `{most}` that is as long as `{first}` at least")),
            );
        }
    }
}

/// A destination that rests after each delivery has one at a time (Postfix qmgr_transport.c).
fn one_at_a_time(settings: &Named<Text>, tuned: &mut Tuned, desk: &mut Desk) {
    if tuned.sender.rate_delay_ns == 0 {
        return;
    }
    tuned.sender.concurrency = (1, 1);
    let delays = ["smtp_destination_rate_delay", "default_destination_rate_delay"];
    if tuned.sender.recipient_limit == 1
        && let Some((key, _)) = settings.iter().find(|(key, _)| delays.contains(&key.as_str()))
    {
        let message = format!("`{key}` beside a recipient limit of 1, where each recipient has a delay of its own: not modelled yet");
        desk.error(code::SETTING_NOT_MODELLED, key.span(), message, "write a recipient limit of 2 or more, or none");
    }
}

fn not_modelled(key: &Text, desk: &mut Desk) {
    desk.error(
        code::SETTING_NOT_MODELLED,
        key.span(),
        format!("`{key}`: not modelled yet"),
        "leave it out: the server's default is assumed",
    );
}

fn apply(key: &Text, value: &Text, meaning: Meaning, tuned: &mut Tuned, desk: &mut Desk) {
    let text = value.trim();
    let result: Result<(), String> = match meaning {
        Meaning::Duration(put) => parse_duration(text).map(|ns| put(tuned, ns)),
        Meaning::DurationAboveZero(put) => match parse_duration(text) {
            Ok(0) => Err("a duration above zero stands here".into()),
            duration => duration.map(|ns| put(tuned, ns)),
        },
        Meaning::UnitTime(unit, put) => postfix::time(text, unit).map(|ns| put(tuned, ns)),
        Meaning::TimeAboveZero(unit, put) => match postfix::time(text, unit) {
            Ok(0) => Err("a time above zero stands here: the server does not start with 0".into()),
            time => time.map(|ns| put(tuned, ns)),
        },
        Meaning::SumOfTimes(unit, put) => sendmail::time(text, unit).map(|ns| put(tuned, ns)),
        Meaning::Seconds(put) => {
            let ns = text.parse::<u64>().ok().and_then(|seconds| seconds.checked_mul(SECOND));
            ns.map(|ns| put(tuned, ns)).ok_or_else(|| "a control file has a number of seconds, without a unit: \"604800\"".to_owned())
        }
        Meaning::Number(put) => {
            let number = text.parse().ok();
            number.map(|number| put(tuned, number)).ok_or_else(|| "a whole number stands here".to_owned())
        }
        Meaning::Bytes(put) => {
            let number = text.parse::<u64>().ok();
            number
                .map(|bytes| put(tuned, (bytes > 0).then_some(bytes)))
                .ok_or_else(|| "a number of bytes stands here, 0 for no limit".to_owned())
        }
        Meaning::ScaledBytes(put) => scaled(text)
            .map(|bytes| put(tuned, (bytes > 0).then_some(bytes)))
            .ok_or_else(|| "a number of bytes stands here, as \"50M\" or \"1048576\"; 0 for no limit".to_owned()),
        Meaning::Factor(put) => factor(text)
            .map(|hundredths| put(tuned, hundredths))
            .ok_or_else(|| "a factor from 1 to 1000 stands here, as \"2\" or \"1.5\"".to_owned()),
        Meaning::YesNo(put) => match text.to_ascii_lowercase().as_str() {
            word @ ("yes" | "no" | "true" | "false") => {
                put(tuned, matches!(word, "yes" | "true"));
                Ok(())
            }
            _ => Err("`yes` or `no` stands here".into()),
        },
        Meaning::Word(words) => match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            Some((_, put)) => {
                put(tuned);
                Ok(())
            }
            None => {
                let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                Err(format!("one of {} stands here", words.join(", ")))
            }
        },
        Meaning::List(put) => put(tuned, text).map_err(str::to_owned),
        Meaning::Restrictions(list) => {
            *list(tuned) = restrictions::read(key, value, desk);
            Ok(())
        }
        Meaning::NoEffect => Ok(()),
        Meaning::Only(same) if same.eq_ignore_ascii_case(text) => Ok(()),
        Meaning::Only(same) => {
            let message = format!("`{key}` other than `{same}`: not modelled yet");
            desk.error(code::SETTING_NOT_MODELLED, value.span(), message, "leave it out, or write the value that is modelled");
            Ok(())
        }
        Meaning::Field(field) => {
            desk.error(code::EXCLUDES, key.span(), format!("`{key}` has a field of its own here"), format!("write {field}"));
            Ok(())
        }
    };
    if let Err(sentence) = result {
        desk.error(code::VALUE, value.span(), format!("`{value}` is not a value of `{key}`"), sentence);
    }
}

/// `1.5` as 150.
fn factor(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let hundredths = whole.parse::<u32>().ok()?.checked_mul(100)? + format!("{part:0<2}").parse::<u32>().ok()?;
    (100..=100_000).contains(&hundredths).then_some(hundredths)
}

#[cfg(test)]
mod tests {
    use super::super::mta::usual;
    use super::*;
    use crate::base::{DAY, HOUR, MINUTE, TlsVersion};
    use crate::model::settings::DaneUse;
    use crate::model::settings::FamilyPreference;
    use crate::scenario::load::Loader;

    /// The settings of a text, and what was complained about.
    fn tuned(profile: Profile, settings: &str) -> (Tuned, Vec<String>) {
        let mut loader = Loader::new();
        let text = format!("Scenario(systems: {{ \"a\": Mta(settings: {{ {settings} }}) }})");
        let tree = loader.text("x.ron", &text).expect("readable");
        let Some(crate::scenario::schema::System::Mta(mta)) = tree.systems.get("a") else { panic!("an Mta") };
        let mut desk = Desk::default();
        let mut tuned = usual(profile);
        tune(profile, &mta.settings, &mut tuned, &mut desk);
        (tuned, desk.problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect())
    }

    #[test]
    fn postfix() {
        let number = |pick: fn(&Tuned) -> u64| pick;
        let cases = [
            (r#""smtp_connect_timeout": "2s""#, number(|t| t.sender.timers.connect_ns), 2 * SECOND),
            (r#""smtp_connect_timeout": "90""#, |t| t.sender.timers.connect_ns, 90 * SECOND),
            (r#""smtp_helo_timeout": "3m""#, |t| t.sender.timers.banner_ns, 3 * MINUTE),
            (r#""smtp_helo_timeout": "3m""#, |t| t.sender.timers.ehlo_ns, 3 * MINUTE),
            (r#""maximal_queue_lifetime": "1""#, |t| lifetime(t), DAY),
            (r#""maximal_queue_lifetime": "60s""#, |t| lifetime(t), 60 * SECOND),
            (r#""delay_warning_time": "4""#, |t| warning(t), 4 * HOUR),
            (r#""smtp_mx_address_limit": "0""#, |t| t.sender.address_limit.into(), 0),
            (r#""default_destination_recipient_limit": "7""#, |t| t.sender.recipient_limit.into(), 7),
            (
                r#""smtp_destination_recipient_limit": "5", "default_destination_recipient_limit": "7""#,
                |t| t.sender.recipient_limit.into(),
                5,
            ),
            (r#""default_destination_concurrency_limit": "9""#, |t| t.sender.concurrency.1.into(), 9),
            (r#""default_destination_rate_delay": "10""#, |t| t.sender.rate_delay_ns, 10 * SECOND),
            (r#""smtp_destination_rate_delay": "1m", "default_destination_rate_delay": "10""#, |t| t.sender.rate_delay_ns, MINUTE),
            (r#""smtp_destination_rate_delay": "1s", "smtp_destination_concurrency_limit": "9""#, |t| t.sender.concurrency.1.into(), 1),
            (r#""smtp_destination_rate_delay": "0", "smtp_destination_concurrency_limit": "9""#, |t| t.sender.concurrency.1.into(), 9),
            (r#""smtp_address_preference": "ipv6""#, |t| u64::from(t.sender.families.prefer == FamilyPreference::V6), 1),
            (r#""inet_protocols": "ipv4""#, |t| u64::from(t.sender.families.v6), 0),
            (r#""message_size_limit": "20000""#, |t| t.max_message_size.unwrap_or(0), 20_000),
            (r#""message_size_limit": "0""#, |t| t.max_message_size.unwrap_or(0), 0),
            (r#""smtpd_client_connection_count_limit": "7""#, |t| t.client_limits.connections.into(), 7),
            (r#""smtpd_soft_error_limit": "2""#, |t| t.client_limits.soft_errors.into(), 2),
            (r#""smtpd_hard_error_limit": "3""#, |t| t.client_limits.hard_errors.into(), 3),
            (r#""smtpd_error_sleep_time": "5""#, |t| t.client_limits.late_ns, 5 * SECOND),
            (r#""default_process_limit": "10""#, |t| t.sessions.into(), 10),
            (r#""default_process_limit": "10""#, |t| t.sender.deliveries_in_all.into(), 10),
            (r#""hopcount_limit": "5""#, |t| t.hop_limit.into(), 5),
            (r#""smtp_skip_5xx_greeting": "no""#, |t| t.sender.skip_5xx_greeting.into(), 0),
            (r#""smtp_tls_security_level": "encrypt""#, |t| u64::from(t.sender.tls.policy.level == TlsLevel::Encrypt), 1),
            (r#""smtp_tls_security_level": "dane-only""#, |t| u64::from(t.sender.tls.policy.dane == DaneUse::Must), 1),
            (r#""smtp_tls_protocols": ">=TLSv1.2""#, |t| u64::from(t.sender.tls.versions.0 == TlsVersion::Tls12), 1),
            (r#""smtp_connection_cache_on_demand": "no""#, |_| 0, 0),
        ];
        for (settings, pick, expected) in cases {
            let (tuned, problems) = tuned(Profile::Postfix, settings);
            assert_eq!((pick(&tuned), problems), (expected, vec![]), "{settings}");
        }
    }

    #[test]
    fn other_servers() {
        let number = |pick: fn(&Tuned) -> u64| pick;
        let cases = [
            (Profile::Sendmail, r#""Timeout.connect": "2s""#, number(|t| t.sender.timers.connect_ns), 2 * SECOND),
            (Profile::Sendmail, r#""Timeout.connect": "0""#, |t| t.sender.timers.connect_ns, 127 * SECOND),
            (Profile::Sendmail, r#""Timeout.iconnect": "5""#, |t| t.sender.timers.first_connect_ns, 5 * MINUTE),
            (Profile::Sendmail, r#""MinQueueAge": "27""#, |t| queue_age(t), 27 * MINUTE),
            (Profile::Sendmail, r#""Timeout.queuereturn": "3""#, |t| lifetime(t), 3 * DAY),
            (Profile::Sendmail, r#""Timeout.queuereturn": "3", "Timeout.queuereturn.non-urgent": "9""#, |t| lifetime(t), 9 * DAY),
            (Profile::Sendmail, r#""Timeout.queuereturn.urgent": "3""#, |t| lifetime(t), 7 * DAY),
            (Profile::Sendmail, r#""MaxHopCount": "30""#, |t| t.hop_limit.into(), 31),
            (Profile::Exim, r#""connect_timeout": "0s""#, |t| t.sender.timers.connect_ns, 127 * SECOND),
            (Profile::OpenSmtpd, r#""queue ttl": "2d""#, |t| lifetime(t), 2 * DAY),
            (Profile::OpenSmtpd, r#""net.ipv4.tcp_syn_retries": "1""#, |t| t.sender.timers.connect_ns, 3 * SECOND),
            (Profile::OpenSmtpd, r#""net.ipv4.tcp_syn_retries": "6""#, |t| t.sender.timers.connect_ns, 127 * SECOND),
            (Profile::Exim, r#""smtp_accept_max": "5""#, |t| t.sessions.into(), 5),
            (Profile::Exim, r#""smtp_accept_max": "0""#, |t| t.sessions.into(), u64::from(u32::MAX)),
            (Profile::Exim, r#""smtp_accept_max_per_host": "3""#, |t| t.client_limits.connections.into(), 3),
            (Profile::Exim, r#""smtp_accept_max_per_host": """#, |t| t.client_limits.connections.into(), 0),
            (Profile::Qmail, r#""timeoutremote": "600""#, |t| t.sender.timers.final_dot_ns, 600 * SECOND),
            (Profile::Qmail, r#""queuelifetime": "86400""#, |t| lifetime(t), DAY),
            (Profile::KumoMta, r#""retry_interval": "5m""#, |t| first_wait(t), 5 * MINUTE),
            (Profile::KumoMta, r#""enable_tls": "RequiredInsecure""#, |t| u64::from(t.sender.tls.policy.level == TlsLevel::Encrypt), 1),
        ];
        for (profile, settings, pick, expected) in cases {
            let (tuned, problems) = tuned(profile, settings);
            assert_eq!((pick(&tuned), problems), (expected, vec![]), "{settings}");
        }
    }

    fn queue_age(tuned: &Tuned) -> u64 {
        match tuned.sender.retry {
            Retry::QueueRuns { min_age_ns, .. } => min_age_ns,
            _ => 0,
        }
    }

    fn first_wait(tuned: &Tuned) -> u64 {
        match tuned.sender.retry {
            Retry::Rfc { first_ns, .. } => first_ns,
            _ => 0,
        }
    }

    fn lifetime(tuned: &Tuned) -> u64 {
        match tuned.sender.retry {
            Retry::Postfix { lifetime_ns, .. } | Retry::Squares { lifetime_ns, .. } => lifetime_ns,
            Retry::QueueRuns { ref times, .. } => times.lifetimes_ns[2],
            _ => 0,
        }
    }

    fn warning(tuned: &Tuned) -> u64 {
        match tuned.sender.retry {
            Retry::Postfix { delay_warning_ns, .. } => delay_warning_ns,
            _ => 0,
        }
    }

    #[test]
    fn refused() {
        let cases = [
            (Profile::Postfix, r#""smtp_conect_timeout": "2s""#, "MT0305 this server has no parameter `smtp_conect_timeout`"),
            (Profile::Postfix, r#""smtp_connect_timeout": "2x""#, "MT0301 `2x` is not a value of `smtp_connect_timeout`"),
            (Profile::Postfix, r#""qmgr_message_active_limit": "5""#, "MT0502 `qmgr_message_active_limit`: not modelled yet"),
            (Profile::Postfix, r#""smtp_tls_security_level": "perhaps""#, "MT0301 `perhaps` is not a value of `smtp_tls_security_level`"),
            (Profile::Postfix, r#""relay_domains": "x""#, "MT0304 `relay_domains` has a field of its own here"),
            (Profile::Postfix, r#""ignore_mx_lookup_error": "yes""#, "MT0502 `ignore_mx_lookup_error` other than `no`: not modelled yet"),
            (Profile::Rfc, r#""retry_first": "10""#, "MT0301 `10` is not a value of `retry_first`"),
            (Profile::Rfc, r#""queue_run_delay": "10s""#, "MT0305 this server has no parameter `queue_run_delay`"),
            (Profile::Postfix, r#""queue_run_delay": "0""#, "MT0302 `queue_run_delay` is above zero"),
            (Profile::Rfc, r#""retry_first": "0s""#, "MT0302 `retry_first` is above zero"),
            (Profile::Postfix, r#""smtp_helo_timeout": "0""#, "MT0301 `0` is not a value of `smtp_helo_timeout`"),
            (Profile::Postfix, r#""smtp_data_done_timeout": "0s""#, "MT0301 `0s` is not a value of `smtp_data_done_timeout`"),
            (
                Profile::Postfix,
                r#""initial_destination_concurrency": "0""#,
                "MT0301 `0` is not a value of `initial_destination_concurrency`",
            ),
            (Profile::Postfix, r#""smtpd_recipient_limit": "0""#, "MT0301 `0` is not a value of `smtpd_recipient_limit`"),
            (Profile::Postfix, r#""smtpd_hard_error_limit": "0""#, "MT0301 `0` is not a value of `smtpd_hard_error_limit`"),
            (Profile::Exim, r#""command_timeout": "0s""#, "MT0301 `0s` is not a value of `command_timeout`"),
            (Profile::Exim, r#""final_timeout": "0s""#, "MT0301 `0s` is not a value of `final_timeout`"),
            (Profile::Exim, r#""auto_thaw": "1ns""#, "MT0301 `1ns` is not a value of `auto_thaw`"),
            (Profile::Exim, r#""delay_warning": "5min""#, "MT0301 `5min` is not a value of `delay_warning`"),
            (Profile::Rfc, r#""connect_timeout": "0s""#, "MT0301 `0s` is not a value of `connect_timeout`"),
            (Profile::NoRetry, r#""retry_first": "10s""#, "MT0305 this server has no parameter `retry_first`"),
        ];
        for (profile, settings, expected) in cases {
            assert_eq!(tuned(profile, settings).1, [expected], "{settings}");
        }
    }

    #[test]
    fn rfc() {
        let (tuned, problems) = tuned(
            Profile::Rfc,
            r#""retry_first": "10m", "retry_factor": "1.5", "retry_max": "1h", "lifetime": "2d", "connect_timeout": "5s""#,
        );
        let expected = Retry::Rfc { first_ns: 10 * MINUTE, factor_percent: 150, max_ns: HOUR, lifetime_ns: 2 * DAY, delay_notice_ns: 0 };
        assert_eq!((tuned.sender.retry, tuned.sender.timers.connect_ns, problems), (expected, 5 * SECOND, vec![]));
    }

    #[test]
    fn tables_have_no_name_twice() {
        for tables in [
            vec![postfix::TABLE],
            vec![rfc::TIMERS, rfc::RETRY],
            vec![sendmail::TABLE],
            vec![opensmtpd::TABLE],
            vec![qmail::TABLE],
            vec![kumomta::TABLE],
        ] {
            let mut names: Vec<&str> = tables.iter().flat_map(|table| table.iter().map(|(name, _)| *name)).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all);
            assert!(!postfix::NOT_MODELLED.iter().any(|name| names.contains(name)));
        }
    }
}
