//! What does the data of a record say? One reader per type, each telling all that is wrong with its fields.
//!
//! Sources: RFC 1035 §3.3, RFC 3596, RFC 2782, RFC 6698 §2.2 and RFC 7218 (TLSA), RFC 7208 §3.3 (the strings of a `TXT` record
//! are joined as they are). Which data is wise is not judged here, only whether it can be what its type says.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::lex::Token;
use super::name::{self, Origin};
use super::problem::{ZoneProblem, codes, quote};
use super::time;
use crate::model::dns::{RecordData, RecordType, Soa, Tlsa, TlsaData};

/// The words behind a type, and what is wrong with them.
pub(super) struct Fields<'a> {
    record_type: RecordType,
    tokens: &'a [Token<'a>],
    /// Where a word that is missing would stand.
    end: Range<usize>,
    origin: &'a Origin,
    is_incomplete: bool,
    /// The name that the data leads to.
    target: Option<Range<usize>>,
    problems: &'a mut Vec<ZoneProblem>,
}

/// Reads data and the place of the name in it. `None` if a field cannot be read; the problems say why.
pub(super) fn read(
    record_type: RecordType,
    tokens: &[Token<'_>],
    end: Range<usize>,
    origin: &Origin,
    problems: &mut Vec<ZoneProblem>,
) -> (Option<RecordData<Box<str>>>, Option<Range<usize>>) {
    let mut fields = Fields { record_type, tokens, end, origin, is_incomplete: false, target: None, problems };
    let data = match record_type {
        RecordType::A => fields.ipv4().map(RecordData::A),
        RecordType::Aaaa => fields.ipv6().map(RecordData::Aaaa),
        RecordType::Mx => fields.mx(),
        RecordType::Cname => fields.target("a name").map(RecordData::Cname),
        RecordType::Ns => fields.target("a name").map(RecordData::Ns),
        RecordType::Ptr => fields.target("a name").map(RecordData::Ptr),
        RecordType::Srv => fields.srv(),
        RecordType::Txt => fields.txt(),
        RecordType::Tlsa => fields.tlsa().map(RecordData::Tlsa),
        RecordType::Soa => fields.soa().map(RecordData::Soa),
        RecordType::Other => None,
    };
    if let [more, ..] = fields.tokens {
        let problem =
            ZoneProblem::error(more.range.clone(), codes::DATA, format!("{} is too much for {record_type} data", quote(more.text)));
        fields.problems.push(problem.help(example(record_type)));
    }
    (data, fields.target)
}

/// How a record of this type looks.
fn example(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::A => "an address record looks like `A 192.0.2.10`",
        RecordType::Aaaa => "an IPv6 address record looks like `AAAA 2001:db8::10`",
        RecordType::Mx => "a preference and a host: `MX 10 mail.contoso.com.`",
        RecordType::Cname => "an alias looks like `CNAME mail.contoso.com.`",
        RecordType::Txt => "texts in quotes: `TXT \"v=spf1 mx -all\"`",
        RecordType::Tlsa => "usage, selector, matching type and data: `TLSA 3 1 1 @spki256:NAME`",
        RecordType::Ptr => "the name of an address: `PTR mail.contoso.com.`",
        RecordType::Ns => "a name server: `NS ns1.contoso.com.`",
        RecordType::Srv => "priority, weight, port and host: `SRV 0 0 25 mail.contoso.com.`",
        RecordType::Soa => "two names and five numbers: `SOA ns1.contoso.com. hostmaster.contoso.com. 1 3600 600 86400 300`",
        RecordType::Other => "",
    }
}

impl<'a> Fields<'a> {
    /// The next word; the first one that is missing is a problem.
    fn next(&mut self, what: &str) -> Option<&'a Token<'a>> {
        if let [first, rest @ ..] = self.tokens {
            self.tokens = rest;
            return Some(first);
        }
        if !self.is_incomplete {
            self.is_incomplete = true;
            let problem = ZoneProblem::error(
                self.end.clone(),
                codes::DATA,
                format!("the {} data ends too early: {what} is missing", self.record_type),
            );
            self.problems.push(problem.help(example(self.record_type)));
        }
        None
    }

    fn wrong<T>(&mut self, token: &Token<'_>, message: String, help: impl Into<String>) -> Option<T> {
        self.problems.push(ZoneProblem::error(token.range.clone(), codes::DATA, message).help(help));
        None
    }

    fn number(&mut self, what: &str, max: u32) -> Option<u32> {
        let token = self.next(what)?;
        let is_number = !token.is_quoted && !token.text.is_empty() && token.text.bytes().all(|byte| byte.is_ascii_digit());
        match token.text.parse::<u32>() {
            Ok(number) if is_number && number <= max => Some(number),
            _ => self.wrong(token, format!("{} is not {what} from 0 to {max}", quote(token.text)), example(self.record_type)),
        }
    }

    fn number_16(&mut self, what: &str) -> Option<u16> {
        self.number(what, u32::from(u16::MAX)).and_then(|number| u16::try_from(number).ok())
    }

    fn seconds(&mut self, what: &str) -> Option<u32> {
        let token = self.next(what)?;
        let Some(seconds) = time::parse(token.text).filter(|_| !token.is_quoted) else {
            return self.wrong(token, format!("{} is not {what}", quote(token.text)), "write seconds, or units as in `1h30m`");
        };
        time::check(token.text, &token.range, seconds).map_err(|problem| self.problems.push(problem)).ok()
    }

    fn name(&mut self, what: &str) -> Option<Box<str>> {
        let token = self.next(what)?;
        name::read(token, self.origin, self.problems)
    }

    fn target(&mut self, what: &str) -> Option<Box<str>> {
        self.target = self.tokens.first().map(|token| token.range.clone());
        self.name(what)
    }

    fn ipv4(&mut self) -> Option<Ipv4Addr> {
        let token = self.next("an address")?;
        let text = token.text;
        if let Some(address) = text.parse().ok().filter(|_| !token.is_quoted) {
            return Some(address);
        }
        let help = if text.parse::<Ipv6Addr>().is_ok() {
            format!("that is an IPv6 address: `AAAA {text}`")
        } else if text.strip_suffix('.').is_some_and(|rest| rest.parse::<Ipv4Addr>().is_ok()) {
            "an address has no final dot".to_owned()
        } else if text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.contains('.') {
            format!("for another name of a host write {}", quote(&format!("CNAME {text}")))
        } else {
            "four numbers from 0 to 255 without leading zeros, as in `192.0.2.10`".to_owned()
        };
        self.wrong(token, format!("{} is no IPv4 address", quote(text)), help)
    }

    fn ipv6(&mut self) -> Option<Ipv6Addr> {
        let token = self.next("an IPv6 address")?;
        if let Some(address) = token.text.parse().ok().filter(|_| !token.is_quoted) {
            return Some(address);
        }
        let help = if token.text.parse::<Ipv4Addr>().is_ok() { "that is an IPv4 address: `A`" } else { example(RecordType::Aaaa) };
        self.wrong(token, format!("{} is no IPv6 address", quote(token.text)), help)
    }

    fn mx(&mut self) -> Option<RecordData<Box<str>>> {
        if let [only] = self.tokens
            && !only.text.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.tokens = &[];
            return self.wrong(
                only,
                "the preference is missing in front of the host".to_owned(),
                format!("write {}", quote(&format!("MX 10 {}", only.text))),
            );
        }
        let preference = self.number_16("a preference");
        let exchange = self.target("a host");
        Some(RecordData::Mx { preference: preference?, exchange: exchange? })
    }

    fn srv(&mut self) -> Option<RecordData<Box<str>>> {
        let (priority, weight, port) = (self.number_16("a priority"), self.number_16("a weight"), self.number_16("a port"));
        let target = self.target("a host");
        Some(RecordData::Srv { priority: priority?, weight: weight?, port: port?, target: target? })
    }

    fn soa(&mut self) -> Option<Soa<Box<str>>> {
        let (primary, contact) = (self.name("the primary name server"), self.name("a contact"));
        let serial = self.number("a serial number", u32::MAX);
        let (refresh, retry) = (self.seconds("a refresh time"), self.seconds("a retry time"));
        let (expire, minimum) = (self.seconds("an expiry time"), self.seconds("a time for negative answers"));
        Some(Soa {
            primary: primary?,
            contact: contact?,
            serial: serial?,
            refresh_seconds: refresh?,
            retry_seconds: retry?,
            expire_seconds: expire?,
            minimum_seconds: minimum?,
        })
    }

    fn txt(&mut self) -> Option<RecordData<Box<str>>> {
        let first = self.next("a text")?;
        let tokens = std::iter::once(first).chain(std::mem::take(&mut self.tokens));
        let (mut joined, mut is_fine, mut bare) = (Vec::new(), true, 0);
        for token in tokens {
            bare += usize::from(!token.is_quoted);
            let start = joined.len();
            if let Err(message) = unescape(token.text.as_bytes(), &mut joined) {
                is_fine = false;
                self.wrong::<()>(token, message, "a backslash itself is written `\\\\`");
            }
            let len = joined.len() - start;
            if len > 255 {
                is_fine = false;
                let help = "cut it into several texts, each in quotes: they are joined again without a blank between them";
                self.wrong::<()>(token, format!("one text has at most 255 bytes, this one has {len}"), help);
            }
        }
        if bare > 1 {
            let place = first.range.start..self.end.end;
            let problem = ZoneProblem::warning(place, codes::TEXT, "words without quotes are joined without the blanks between them");
            self.problems.push(problem.help("put the whole text in quotes"));
        }
        is_fine.then(|| RecordData::Txt(joined.into()))
    }

    fn tlsa(&mut self) -> Option<Tlsa> {
        let usage = self.tlsa_number("a usage", &[("PKIX-TA", 0), ("PKIX-EE", 1), ("DANE-TA", 2), ("DANE-EE", 3), ("PrivCert", 255)]);
        let selector = self.tlsa_number("a selector", &[("Cert", 0), ("SPKI", 1), ("PrivSel", 255)]);
        let matching = self.tlsa_number("a matching type", &[("Full", 0), ("SHA2-256", 1), ("SHA2-512", 2), ("PrivMatch", 255)]);
        let first = self.next("the data")?;
        let tokens = std::iter::once(first).chain(std::mem::take(&mut self.tokens)).collect::<Vec<_>>();
        let place = first.range.start..self.end.end;
        let data =
            if first.text.starts_with('@') { self.tlsa_reference(&tokens, place.clone()) } else { self.tlsa_bytes(&tokens, place.clone()) };
        let tlsa = Tlsa { usage: usage?, selector: selector?, matching: matching?, data: data? };
        let never = match (&tlsa.data, tlsa.selector, tlsa.matching) {
            (TlsaData::Bytes(bytes), _, 1) if bytes.len() != 32 => {
                Some(format!("a SHA-256 digest has 32 bytes, this one has {}", bytes.len()))
            }
            (TlsaData::Bytes(bytes), _, 2) if bytes.len() != 64 => {
                Some(format!("a SHA-512 digest has 64 bytes, this one has {}", bytes.len()))
            }
            (TlsaData::Bytes(_), ..) => None,
            (_, _, 0 | 2..) => Some("`@…256:` is a SHA-256 digest, which is matching type 1".to_owned()),
            (TlsaData::KeyOf(_), selector, _) if selector != 1 => {
                Some("`@spki256:` is the digest of a key, which is selector 1".to_owned())
            }
            (TlsaData::CertificateOf(_), selector, _) if selector != 0 => {
                Some("`@cert256:` is the digest of a certificate, which is selector 0".to_owned())
            }
            (TlsaData::KeyOf(_) | TlsaData::CertificateOf(_) | TlsaData::AuthorityOf(_), ..) => None,
        };
        if let Some(message) = never {
            let problem = ZoneProblem::warning(place, codes::TLSA, message);
            self.problems.push(problem.help("as it stands, nothing ever matches this record"));
        }
        Some(tlsa)
    }

    fn tlsa_number(&mut self, what: &str, words: &[(&str, u8)]) -> Option<u8> {
        let word = self.tokens.first().and_then(|token| words.iter().find(|(word, _)| word.eq_ignore_ascii_case(token.text)));
        if let Some((_, number)) = word {
            self.tokens = &self.tokens[1..];
            return Some(*number);
        }
        self.number(what, u32::from(u8::MAX)).and_then(|number| u8::try_from(number).ok())
    }

    /// `@spki256:NAME`; blanks in the name are kept as one.
    fn tlsa_reference(&mut self, tokens: &[&Token<'_>], place: Range<usize>) -> Option<TlsaData> {
        let text = tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
        let (kind, name) = text.split_once(':').unwrap_or((&text, ""));
        let name: Box<str> = name.trim().into();
        let data = match kind {
            _ if name.is_empty() => None,
            "@spki256" => Some(TlsaData::KeyOf(name)),
            "@cert256" => Some(TlsaData::CertificateOf(name)),
            "@ca256" => Some(TlsaData::AuthorityOf(name)),
            _ => None,
        };
        if data.is_none() {
            let problem = ZoneProblem::error(place, codes::DATA, format!("{} names no certificate", quote(&text)));
            self.problems.push(
                problem.help("write `@spki256:NAME`, `@cert256:NAME` or `@ca256:NAME` with a name from `certificates` or `authorities`"),
            );
        }
        data
    }

    fn tlsa_bytes(&mut self, tokens: &[&Token<'_>], place: Range<usize>) -> Option<TlsaData> {
        let mut digits = Vec::new();
        for token in tokens {
            match token.text.chars().find(|c| !c.is_ascii_hexdigit()) {
                None => digits.extend(token.text.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok())),
                Some(_) => return self.wrong(token, format!("{} is not hexadecimal", quote(token.text)), example(RecordType::Tlsa)),
            }
        }
        let (pairs, []) = digits.as_chunks::<2>() else {
            let problem = ZoneProblem::error(place, codes::DATA, format!("{} hexadecimal digits are no whole bytes", digits.len()));
            self.problems.push(problem.help("each byte has two digits: one is missing, or one is too much"));
            return None;
        };
        Some(TlsaData::Bytes(pairs.iter().map(|[high, low]| high << 4 | low).collect()))
    }
}

/// Adds the bytes that a text stands for.
fn unescape(mut text: &[u8], bytes: &mut Vec<u8>) -> Result<(), String> {
    while let [first, rest @ ..] = text {
        let (byte, len) = if *first == b'\\' { name::escape(text)? } else { (*first, 1) };
        bytes.push(byte);
        text = if len == 1 { rest } else { &text[len..] };
    }
    Ok(())
}
