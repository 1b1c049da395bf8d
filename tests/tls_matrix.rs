//! One table that a postmaster can proofread: what each sender makes of each state of a server's encryption, under each policy.
//!
//! Every cell is a scenario of its own that is played from the text on; the page `docs/tls-matrix.md` is what they said. `UPDATE_GOLDEN=1` writes
//! it anew; then read the difference line by line. The states S0 to S8 are those of the page.

use mailtwin::analysis::{self, outcome::Outcome};
use mailtwin::base::{AttemptResult, Fate, TlsOutcome};
use mailtwin::diag::{Style, render};
use mailtwin::engine::{self, Options};
use mailtwin::scenario::load_text;
use mailtwin::trace::level;
use std::fmt::Write as _;
use std::{env, fs};

/// The states: what stands in the head of the table, the certificate, the fault.
const STATES: [(&str, &str, &str); 9] = [
    ("S0", "none", ""),
    ("S1", "good", "Starttls(target: \"mx1\", how: Refused, code: \"454 4.7.0 not now\")"),
    ("S2", "good", "Starttls(target: \"mx1\", how: Refused, code: \"502 5.5.1 no\")"),
    ("S3", "good", "Starttls(target: \"mx1\", how: HandshakeFails)"),
    ("S4", "self-signed here", ""),
    ("S5", "expired", ""),
    ("S6", "other name", ""),
    ("S7", "unknown authority", ""),
    ("S8", "good", ""),
];

/// What the receiving domain publishes.
#[derive(Clone, Copy)]
enum Publishes {
    Nothing,
    /// A TLSA record in a signed zone.
    Tlsa(&'static str),
    /// A signed zone, and the TLSA question fails.
    TlsaFails,
    /// A signed zone without TLSA records.
    Signed,
    /// A policy: its mode, its `mx`.
    Policy(&'static str, &'static str),
}

/// One row: its name, the sender's `tls` field, what the domain publishes, more fields of the message.
struct Row(&'static str, &'static str, Publishes, &'static str);

use Publishes::{Nothing, Policy, Signed, Tlsa, TlsaFails};

/// What every mail server can be told, in one vocabulary; a profile without a word for it has no such row.
const COMMON: [Row; 4] = [
    Row("none", "level: None", Nothing, ""),
    Row("may", "level: May", Nothing, ""),
    Row("encrypt", "level: Encrypt", Nothing, ""),
    Row("verify", "level: Verify", Nothing, ""),
];

const NAMED: [Row; 3] = [
    Row("secure", "level: Secure", Nothing, ""),
    Row("fingerprint, listed key", "policies: { \"dest.test\": (level: Fingerprint, names: [\"@spki256:key\"]) }", Nothing, ""),
    Row("fingerprint, another key", "policies: { \"dest.test\": (level: Fingerprint, names: [\"@spki256:another\"]) }", Nothing, ""),
];

const DANE: [Row; 8] = [
    Row("dane, 3 1 1 fits", "level: Dane", Tlsa("3 1 1 @spki256:good"), ""),
    Row("dane, 3 1 1 of another key", "level: Dane", Tlsa("3 1 1 @spki256:another"), ""),
    Row("dane, 2 0 1 of the authority", "level: Dane", Tlsa("2 0 1 @ca256:good"), ""),
    Row("dane, only 1 0 1", "level: Dane", Tlsa("1 0 1 @cert256:good"), ""),
    Row("dane, no TLSA", "level: Dane", Signed, ""),
    Row("dane, TLSA lookup fails", "level: Dane", TlsaFails, ""),
    Row("dane-only, 3 1 1 fits", "level: DaneOnly", Tlsa("3 1 1 @spki256:good"), ""),
    Row("dane-only, no TLSA", "level: DaneOnly", Signed, ""),
];

const MTA_STS: [Row; 4] = [
    Row("MTA-STS enforce, listed", "mta_sts: true", Policy("enforce", "*.dest.test"), ""),
    Row("MTA-STS enforce, not listed", "mta_sts: true", Policy("enforce", "other.test"), ""),
    Row("MTA-STS testing, not listed", "mta_sts: true", Policy("testing", "other.test"), ""),
    Row("DANE fits, MTA-STS not listed", "level: Dane, mta_sts: true", Tlsa("3 1 1 @spki256:good"), ""),
];

const WISHES: [Row; 5] = [
    Row("REQUIRETLS, signed zone", "level: May", Signed, ", requiretls: true"),
    Row("REQUIRETLS, nobody vouches", "level: May", Nothing, ", requiretls: true"),
    Row("REQUIRETLS, nobody vouches, verify", "level: Verify", Nothing, ", requiretls: true"),
    Row("REQUIRETLS, MTA-STS enforce", "mta_sts: true", Policy("enforce", "*.dest.test"), ", requiretls: true"),
    Row("TLS-Required: No, dane, another key", "level: Dane", Tlsa("3 1 1 @spki256:another"), ", headers: { \"TLS-Required\": \"No\" }"),
];

/// What an option adds to the common rows; settings stand behind the bar.
const SENDMAIL: [Row; 1] = [Row("may, TLSFallbacktoClear", "level: May | \"TLSFallbacktoClear\": \"True\"", Nothing, "")];
/// The option alone: a certificate that fails is followed by clear text.
const EXIM: [Row; 1] = [Row("tls_verify_hosts alone", " | \"tls_verify_hosts\": \"*\"", Nothing, "")];
const KUMO_RECONNECTS: [Row; 1] =
    [Row("Opportunistic, reconnecting", "level: May | \"opportunistic_tls_reconnect_on_failed_handshake\": \"true\"", Nothing, "")];

/// KumoMTA in its own words (`enable_tls`).
const KUMO: [Row; 5] = [
    Row("Disabled (none)", "level: None", Nothing, ""),
    Row("Opportunistic (may)", "level: May", Nothing, ""),
    Row("OpportunisticInsecure", " | \"enable_tls\": \"OpportunisticInsecure\"", Nothing, ""),
    Row("RequiredInsecure (encrypt)", "level: Encrypt", Nothing, ""),
    Row("Required (verify)", "level: Verify", Nothing, ""),
];

/// What a reader of a section must know.
fn note(profile: &str) -> &'static str {
    match profile {
        "KumoMta" => {
            "\nThe row `Opportunistic` is a reading of the manual, not seen on a running server: in clear where STARTTLS is not offered, and not this host where it is \
             offered\nand refused, broken or shows a certificate that is not good. `OpportunisticInsecure` is a value of `enable_tls` and no level of the format; a policy of MTA-STS in mode testing uses it.\nReconnecting is `opportunistic_tls_reconnect_on_failed_handshake`.\n"
        }
        "Sendmail" => {
            "\n`encrypt` and `verify` are entries of the access map (`TLS_Srv: ENCR:1`, `TLS_Srv: VERIFY:1+CN`). A broken handshake is followed by plain text at once with \
             `TLSFallbacktoClear`, else never.\n"
        }
        "OpenSmtpd" => "\n`encrypt` is `tls no-verify`, `verify` is `tls`: both only for relay hosts of an action.\n",
        "Qmail" => "\nqmail knows no TLS; patched versions are not modelled.\n",
        "Postfix" => {
            "\nUnder `may` an encrypted session that breaks later is also followed by plain text to the same address, on the same condition as a broken handshake.\n"
        }
        _ => "",
    }
}

/// Of Exchange Online: the fields of a connector instead of `tls`; empty = no connector.
const EXCHANGE_ONLINE: [Row; 12] = [
    Row("no connector", "", Nothing, ""),
    Row("EncryptionOnly", "tls_settings: EncryptionOnly", Nothing, ""),
    Row("CertificateValidation", "tls_settings: CertificateValidation", Nothing, ""),
    Row("DomainValidation", "tls_settings: DomainValidation, tls_domain: \"mx1.dest.test\"", Nothing, ""),
    Row("DANE, 3 1 1 fits", "", Tlsa("3 1 1 @spki256:good"), ""),
    Row("DANE, 3 1 1 of another key", "", Tlsa("3 1 1 @spki256:another"), ""),
    Row("DANE, only 1 0 1", "", Tlsa("1 0 1 @cert256:good"), ""),
    Row("SmtpDaneMode None, another key", "smtp_dane_mode: None", Tlsa("3 1 1 @spki256:another"), ""),
    Row("SmtpDaneMode Mandatory, no TLSA", "smtp_dane_mode: Mandatory", Signed, ""),
    Row("MTA-STS enforce, listed", "", Policy("enforce", "*.dest.test"), ""),
    Row("MTA-STS enforce, not listed", "", Policy("enforce", "other.test"), ""),
    Row("MtaStsMode None, not listed", "mta_sts_mode: None", Policy("enforce", "other.test"), ""),
];

/// The scenario of one cell.
fn scenario(profile: &str, row: &Row, state: (&str, &str, &str)) -> String {
    let Row(_, tls, publishes, message) = row;
    let (mut records, mut dnssec, mut sts) = (String::new(), "Insecure", String::new());
    let mut faults = if state.2.is_empty() { String::new() } else { format!("\"state\": {}, ", state.2) };
    match publishes {
        Nothing => {}
        Signed => dnssec = "Secure",
        Tlsa(data) => {
            dnssec = "Secure";
            records = format!("_25._tcp.mx1.dest.test. TLSA {data}\n");
            if row.0.contains("MTA-STS") {
                records += "_mta-sts.dest.test. TXT \"v=STSv1; id=1\"\n";
                sts = policy("enforce", "other.test");
            }
        }
        TlsaFails => {
            dnssec = "Secure";
            faults += "\"tlsa\": Dns(name: \"_25._tcp.mx1.dest.test\", answer: ServFail)";
        }
        Policy(mode, mx) => {
            records = "_mta-sts.dest.test. TXT \"v=STSv1; id=1\"\n".into();
            sts = policy(mode, mx);
        }
    }
    let records = records.trim_end().replace('\n', "\n        ");
    let sender = match profile {
        "ExchangeOnline" => {
            let connector = if tls.is_empty() {
                String::new()
            } else {
                format!(", outbound_connectors: {{ \"c\": (recipient_domains: [\"dest.test\"], {tls}) }}")
            };
            format!("ExchangeOnline(accepted_domains: {{ \"sender.test\": Authoritative }}, mailboxes: [\"*@sender.test\"]{connector})")
        }
        profile => {
            let (tls, settings) = tls.split_once(" | ").unwrap_or((tls, ""));
            format!(
                "Mta(profile: {profile}, hostname: \"out.sender.test\", mailboxes: [\"*@sender.test\"], tls: ({tls}), settings: {{ {settings} }})"
            )
        }
    };
    format!(
        r##"Scenario(
    dns: (records: r#"
        dest.test. MX 10 mx1.dest.test.
        mx1.dest.test. A 192.0.2.1
        out.sender.test. A 192.0.2.9
        {records}
    "#, dnssec: {{ "dest.test": {dnssec} }}),
    authorities: {{ "test CA": (), "unknown CA": (trusted_by: []) }},
    certificates: {{
        "good":              (names: ["mx1.dest.test"], issuer: "test CA", key: "key"),
        "self-signed here":  (names: ["mx1.dest.test"], issuer: "self-signed", key: "key"),
        "expired":           (names: ["mx1.dest.test"], issuer: "test CA", key: "key", not_after: "0s"),
        "other name":        (names: ["www.example.test"], issuer: "test CA", key: "key"),
        "unknown authority": (names: ["mx1.dest.test"], issuer: "unknown CA", key: "key"),
        "another":           (names: ["mx1.dest.test"]),
    }},
    {sts}
    systems: {{
        "sender": {sender},
        "mx1": Mta(hostname: "mx1.dest.test", mailboxes: ["*@dest.test"], certificate: "{}"),
    }},
    faults: {{ {faults} }},
    traffic: {{ "m": Message(at: "1s", from: "a@sender.test", to: ["b@dest.test"]{message}) }},
)"##,
        state.1
    )
}

fn policy(mode: &str, mx: &str) -> String {
    format!(r#"mta_sts: {{ "dest.test": (policy: "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n") }},"#)
}

/// What came of it, as one letter.
fn cell(text: &str) -> &'static str {
    let loaded =
        load_text("cell", text).unwrap_or_else(|invalid| panic!("{}\n{text}", render(&invalid.problems, &invalid.sources, Style::Plain)));
    let run = engine::run(&loaded.model, &Options { level: level::PATHS, ..Options::default() });
    let outcome: Outcome = analysis::build(&loaded.model, &run);
    let message = outcome.messages.first().expect("a message");
    let recipient = &message.recipients[0];
    let hop = &recipient.hops[0];
    let first = hop.attempts.first().map(|attempt| attempt.result);
    let noted = hop.tls.as_ref().is_some_and(|tls| tls.result.is_some());
    match (recipient.fate, hop.tls.as_ref().map(|tls| tls.outcome)) {
        (Fate::Delivered, Some(TlsOutcome::Plaintext) | None) if first != Some(AttemptResult::Delivered) => "N, later P",
        (Fate::Delivered, Some(TlsOutcome::Plaintext) | None) if noted => "P!",
        (Fate::Delivered, Some(TlsOutcome::Plaintext) | None) => "P",
        (Fate::Delivered, Some(TlsOutcome::Encrypted)) if noted => "U!",
        (Fate::Delivered, Some(TlsOutcome::Encrypted)) => "U",
        (Fate::Delivered, Some(TlsOutcome::Authenticated)) => "A",
        (Fate::Bounced, _) => "B",
        (Fate::Expired, _) if hop.attempts.iter().all(|attempt| attempt.connections.is_empty()) => "N-",
        (Fate::Expired, _) => "N",
        _ => "?",
    }
}

const HEAD: &str = "\
# Encryption: what each sender makes of each server

Each cell is a scenario that was played; `cargo test --test tls_matrix` plays all of them again. One sender, one MX host, one message.

| state | the only MX host | | state | the only MX host |
|---|---|---|---|---|
| S0 | does not offer STARTTLS | | S5 | shows an expired certificate |
| S1 | answers STARTTLS with 454 | | S6 | shows a certificate with another name |
| S2 | answers STARTTLS with 502 | | S7 | shows one of an authority that the sender does not trust |
| S3 | answers 220, and the handshake breaks | | S8 | shows a good one with the name of the MX host |
| S4 | shows a self-signed certificate | | | |

All certificates of S4 to S8 have the same key, so a record or fingerprint of the key fits each of them.

P delivered in clear, U encrypted, A encrypted and authenticated, in the first attempt. `!`: and something is noted for a report. N: not this host; there is
no other here, so it is tried again until the message expires. `N-`: not even connected to. `N, later P`: in clear once the message has waited as long as
the first backoff. B: returned at once.
";

#[test]
fn the_table() {
    let postfix: Vec<&Row> = COMMON.iter().chain(&NAMED).chain(&DANE).chain(&MTA_STS).chain(&WISHES).collect();
    let rfc: Vec<&Row> = COMMON.iter().chain(&DANE).chain(&MTA_STS).chain(&WISHES).collect();
    let exim: Vec<&Row> = COMMON.iter().chain(&EXIM).chain(&DANE).collect();
    let common: Vec<&Row> = COMMON.iter().collect();
    let senders = [
        ("Rfc", "What the RFCs say", rfc),
        ("Postfix", "Postfix", postfix),
        ("Exim", "Exim", exim),
        ("Sendmail", "Sendmail", COMMON.iter().chain(&SENDMAIL).collect()),
        ("OpenSmtpd", "OpenSMTPD", common),
        ("Qmail", "qmail", COMMON[..2].iter().collect()),
        ("KumoMta", "KumoMTA", KUMO.iter().chain(&KUMO_RECONNECTS).collect()),
        ("ExchangeOnline", "Exchange Online", EXCHANGE_ONLINE.iter().collect()),
    ];
    let mut page = HEAD.to_owned();
    for (profile, title, rows) in senders {
        let states: Vec<&str> = STATES.iter().map(|state| state.0).collect();
        let _ =
            write!(page, "\n## {title}\n{}\n| policy | {} |\n|---|{}\n", note(profile), states.join(" | "), "---|".repeat(states.len()));
        for row in rows {
            let cells: Vec<&str> = STATES.iter().map(|state| cell(&scenario(profile, row, *state))).collect();
            let _ = writeln!(page, "| {} | {} |", row.0, cells.join(" | "));
        }
    }
    let golden = "docs/tls-matrix.md";
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden, &page).expect("the page is written");
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    let differences: Vec<(&str, &str)> = expected.lines().zip(page.lines()).filter(|(old, new)| old != new).collect();
    assert!(expected == page, "{golden} says something else (UPDATE_GOLDEN=1 accepts it): {differences:#?}");
}
