//! The receiving side of a machine: ports, slots, certificate. Whose mail it takes is said by its system.

use std::collections::BTreeMap;

use crate::base::{MILLISECOND, TlsVersion};
use crate::diag::{Diagnostic, code};
use crate::model::client_limits::ClientLimits;
use crate::model::settings::{Directory, Listener, Profile, Receiver, WhenFull};
use crate::model::topology::Law;
use crate::scenario::schema::{self, Host, TlsVersionWord};
use crate::scenario::source::{Field, Text};

use super::certificates::{Certificates, Shown};
use super::desk::Desk;

/// What a receiver of this kind does where nobody says otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    pub(super) certificate: Shown,
    pub(super) sessions: u32,
    pub(super) when_full: WhenFull,
    pub(super) client_limits: ClientLimits,
    pub(super) max_message_size: Option<u64>,
    pub(super) max_recipients: u32,
    pub(super) hop_limit: u32,
    pub(super) tls_versions: (TlsVersion, TlsVersion),
    /// Words of EHLO that it does not announce.
    pub(super) without: &'static [&'static str],
}

impl Usual {
    /// A mail server: 100 sessions, no STARTTLS.
    pub(super) const MTA: Self = Self {
        certificate: Shown::Nothing,
        sessions: 100,
        when_full: WhenFull::Wait,
        client_limits: ClientLimits { connections: 0, soft_errors: 0, late_ns: 0, hard_errors: 0 },
        max_message_size: None,
        max_recipients: 0,
        hop_limit: 100,
        tls_versions: (TlsVersion::Tls10, TlsVersion::Tls13),
        without: &[],
    };
}

/// What a server of this profile does not announce, as it is delivered.
///
/// Sources: qmail-smtpd.c (PIPELINING and 8BITMIME), OpenSMTPD smtp_session.c, sendmail srvrsmtp.c and RELEASE_NOTES (SMTPUTF8 only where it is switched on),
/// Exim `dsn_advertise_hosts` (nobody), KumoMTA smtp_server.rs, postconf(5). BINARYMIME none of them has.
pub(super) fn unannounced(profile: Profile, offers_dsn: bool) -> &'static [&'static str] {
    match profile {
        Profile::Qmail => &["BINARYMIME", "CHUNKING", "SIZE", "SMTPUTF8"],
        Profile::OpenSmtpd | Profile::OpenSmtpd6 | Profile::Sendmail => &["BINARYMIME", "CHUNKING", "SMTPUTF8"],
        Profile::KumoMta => &["BINARYMIME", "CHUNKING", "SIZE"],
        Profile::Exim if offers_dsn => &["BINARYMIME"],
        Profile::Exim => &["BINARYMIME", "DSN"],
        Profile::Postfix => &["BINARYMIME"],
        Profile::Rfc | Profile::NoRetry | Profile::ExchangeOnline | Profile::ExchangeServer => &[],
    }
}

/// Time of a transaction, where nobody says otherwise.
const SERVICE_TIME: Law = Law::Constant(200 * MILLISECOND);

/// Builds the receiving side of a machine.
pub(super) fn receiver(host: &Host, usual: Usual, directory: Directory, certificates: &Certificates, desk: &mut Desk) -> Receiver {
    Receiver {
        is_there: true,
        listeners: listeners(host, &usual, desk),
        certificate: certificates.shown(&host.certificate, usual.certificate, desk),
        sessions: desk.number_or(&host.sessions, usual.sessions, 1, u32::MAX),
        when_full: match host.when_full.get() {
            None => usual.when_full,
            Some(schema::WhenFull::Wait) => WhenFull::Wait,
            Some(schema::WhenFull::Reply421) => WhenFull::Reply421,
            Some(schema::WhenFull::Silence) => WhenFull::Silence,
        },
        client_limits: usual.client_limits,
        restrictions: crate::model::restrictions::Restrictions::default(),
        service_time: desk.law_or(&host.service_time, SERVICE_TIME),
        max_message_size: usual.max_message_size,
        max_recipients: usual.max_recipients,
        hop_limit: usual.hop_limit,
        directory,
        filter: Vec::new(),
    }
}

/// Port 25, and what is written laid over that.
fn listeners(host: &Host, usual: &Usual, desk: &mut Desk) -> Vec<Listener> {
    let plain = |name: &str| Listener {
        name: name.into(),
        port: 25,
        only_at: Vec::new(),
        family: None,
        implicit_tls: false,
        require_tls: false,
        require_login: false,
        without: usual.without.iter().map(|word| (*word).into()).collect(),
        tls_versions: usual.tls_versions,
        turns_away: None,
    };
    let mut listeners: BTreeMap<Box<str>, Listener> = BTreeMap::from([("smtp".into(), plain("smtp"))]);
    for entry in host.listeners.entries() {
        let Some(written) = &entry.value else {
            listeners.remove(entry.key.as_str());
            continue;
        };
        let row = Listener {
            port: desk.number_or(&written.port, 25, 1, u32::from(u16::MAX)) as u16,
            implicit_tls: written.implicit_tls.or(false),
            require_tls: written.require_tls.or(false),
            require_login: written.require_login.or(false),
            without: {
                let own = usual.without.iter().map(|word| Box::from(*word));
                written.without.items().iter().map(|word| ehlo_word(word, desk)).chain(own).collect()
            },
            tls_versions: versions(&written.tls_versions, usual.tls_versions, desk),
            ..plain(&entry.key)
        };
        listeners.insert(entry.key.as_str().into(), row);
    }
    let mut ports: BTreeMap<u16, &str> = BTreeMap::new();
    for listener in listeners.values() {
        if let Some(other) = ports.insert(listener.port, &listener.name) {
            let message = format!("the listeners `{other}` and `{}` share port {}", listener.name, listener.port);
            desk.error(code::EXCLUDES, host.listeners.span(), message, "`smtp` with port 25 is there unless it is written otherwise");
        }
    }
    listeners.into_values().collect()
}

/// What EHLO can announce: the extensions that mail servers have.
const EHLO_WORDS: [&str; 12] = [
    "8BITMIME",
    "AUTH",
    "BINARYMIME",
    "CHUNKING",
    "DELIVERBY",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "PIPELINING",
    "REQUIRETLS",
    "SIZE",
    "SMTPUTF8",
    "STARTTLS",
];

fn ehlo_word(word: &Text, desk: &mut Desk) -> Box<str> {
    let upper = word.to_ascii_uppercase();
    if !EHLO_WORDS.contains(&&*upper) {
        let problem = Diagnostic::error(code::UNKNOWN_WORD, word.span(), format!("`{word}` is no word that EHLO announces"));
        desk.unknown(problem, &upper, EHLO_WORDS, format!("one of {}", EHLO_WORDS.join(", ")));
    }
    upper.into()
}

/// Oldest and newest version of TLS.
pub(super) fn versions(
    field: &Field<(TlsVersionWord, TlsVersionWord)>,
    usual: (TlsVersion, TlsVersion),
    desk: &mut Desk,
) -> (TlsVersion, TlsVersion) {
    let version = |word| match word {
        TlsVersionWord::Tls10 => TlsVersion::Tls10,
        TlsVersionWord::Tls11 => TlsVersion::Tls11,
        TlsVersionWord::Tls12 => TlsVersion::Tls12,
        TlsVersionWord::Tls13 => TlsVersion::Tls13,
    };
    let Some((from, to)) = field.get().map(|(from, to)| (version(*from), version(*to))) else { return usual };
    if from > to {
        desk.error(code::RANGE, field.span(), "the oldest version stands first", "as in (Tls12, Tls13)");
        return usual;
    }
    (from, to)
}
