//! May this address send mail in the name of this domain? `check_host()` of SPF, term by term, with its reasons.
//!
//! Source: RFC 7208, all of §4 to §7. `exp=` must be well formed and is never asked for. Void lookups are counted per
//! question, as Mail::SPF and pyspf do. What the scenario says nothing about is `none`; as the target of an `include` it
//! matches nobody. Not modelled: the limit of 20 seconds for all (§4.6.4), SPF records of type 99 (gone since RFC 7208).

use super::spf_macro::{MacroString, Values};
use super::spf_name::{askable, domain, is_within, shortened};
use super::spf_record::{Directive, Mechanism, Prefixes, Qualifier, Record};
use super::{Ask, DnsAnswer, versioned_texts};
use crate::base::InOrder;
use crate::decide::{Because, Decision, because};
use crate::model::dns::{RecordData, RecordType, reverse_name};
use std::net::IpAddr;

/// Terms that ask DNS (§4.6.4).
const TERMS_MAX: u32 = 10;
/// Questions without an answer (§4.6.4).
const VOID_MAX: u32 = 2;
/// Names of one `mx` or `ptr` (§4.6.4).
const NAMES_MAX: usize = 10;

/// What SPF says (§2.6), weakest word first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SpfResult {
    /// No domain, or no policy.
    None,
    /// The domain says nothing about this address.
    Neutral,
    /// Allowed.
    Pass,
    /// Not allowed.
    Fail,
    /// Probably not allowed.
    SoftFail,
    /// DNS did not answer.
    TempError,
    /// The policy cannot be understood.
    PermError,
}

impl SpfResult {
    /// All results.
    pub const ALL: [Self; 7] = [Self::None, Self::Neutral, Self::Pass, Self::Fail, Self::SoftFail, Self::TempError, Self::PermError];

    /// The word of RFC 8601 §2.7.2.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Who connects, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct SpfQuestion<'a> {
    /// The address that the receiver sees.
    pub client: IpAddr,
    /// What it said in EHLO.
    pub helo: &'a str,
    /// The argument of MAIL FROM; empty for the null sender.
    pub mail_from: &'a str,
}

/// What came of it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SpfCheck {
    /// The result.
    pub result: SpfResult,
    /// Whose policy was asked: the domain of MAIL FROM, or the HELO name for the null sender.
    pub domain: Box<str>,
    /// Terms that asked DNS; ten are allowed.
    pub lookups: u32,
}

/// Is the sender's domain fine with this client?
pub fn check_spf(question: &SpfQuestion<'_>, ask: &mut Ask<'_>) -> Decision<SpfCheck> {
    // A client that is IPv4 inside of IPv6 is an IPv4 client (§5).
    let client = question.client.to_canonical();
    let (local, sender_domain) = match question.mail_from.rsplit_once('@') {
        _ if question.mail_from.is_empty() => ("postmaster", question.helo),
        None => ("postmaster", question.mail_from),
        Some(("", domain)) => ("postmaster", domain),
        Some(parts) => parts,
    };
    let mut check =
        Check { client, local, sender_domain, helo: question.helo, ask, terms: 0, voids: 0, chosen: vec![], passed_over: vec![] };
    if question.mail_from.is_empty() {
        check.chosen.push(because("SPF-1", question.helo, "null sender: the HELO name counts, as postmaster", "RFC 7208 §2.4"));
    }
    let result = check.domain(sender_domain).unwrap_or_else(|stop| {
        check.chosen.push(stop.because);
        stop.result
    });
    let outcome = SpfCheck { result, domain: sender_domain.to_ascii_lowercase().into(), lookups: check.terms };
    Decision { outcome, chosen: check.chosen, passed_over: counted(check.passed_over) }
}

/// A policy may list hundreds of networks: of those in a row that do not match, one is named and the others counted.
fn counted(reasons: Vec<Because>) -> Vec<Because> {
    const IN_FULL: usize = 2;
    let alike = |a: &Because, b: &Because| {
        a.why == b.why && [a, b].iter().all(|reason| reason.name.contains("ip4:") || reason.name.contains("ip6:"))
    };
    let rows = reasons.chunk_by(alike).flat_map(|row| match row {
        [first, rest @ ..] if row.len() > IN_FULL => {
            let name = format!("{} and {} more networks", first.name, rest.len());
            vec![Because { name: name.into(), why: first.why.replace("does not match", "do not match").into(), ..first.clone() }]
        }
        row => row.to_vec(),
    });
    rows.collect()
}

/// An error ends everything, however deep inside.
struct Stop {
    result: SpfResult,
    because: Because,
}

fn temporary(name: &str, how: &str) -> Stop {
    let why = format!("DNS does not answer for `{name}`: {how}");
    Stop { result: SpfResult::TempError, because: because("SPF-8", name, why, "RFC 7208 §2.6.6") }
}

fn permanent(rule: &'static str, name: &str, why: impl Into<Box<str>>, source: &'static str) -> Stop {
    Stop { result: SpfResult::PermError, because: because(rule, name, why, source) }
}

struct Check<'q, 'a, 'd> {
    client: IpAddr,
    local: &'q str,
    sender_domain: &'q str,
    helo: &'q str,
    ask: &'a mut Ask<'d>,
    terms: u32,
    voids: u32,
    chosen: Vec<Because>,
    passed_over: Vec<Because>,
}

impl Check<'_, '_, '_> {
    /// `check_host()` for one domain; includes and redirects come here again.
    fn domain(&mut self, name: &str) -> Result<SpfResult, Stop> {
        let Some(asked) = domain(name) else {
            self.chosen.push(because("SPF-2", name, "not a domain that can have a policy: none", "RFC 7208 §4.3"));
            return Ok(SpfResult::None);
        };
        let answer = (self.ask)(asked, RecordType::Txt);
        let is_unknown = answer == DnsAnswer::Unknown;
        let texts = versioned_texts(answer, "v=spf1", b" ").map_err(|how| temporary(asked, how))?;
        let text = match &texts[..] {
            [] => {
                let why = if is_unknown { "the scenario does not say what its policy is: none" } else { "no SPF record: none" };
                self.chosen.push(because("SPF-2", asked, why, "RFC 7208 §4.5"));
                return Ok(SpfResult::None);
            }
            [text] => text,
            several => {
                return Err(permanent("SPF-2", asked, format!("{} SPF records, one is allowed", several.len()), "RFC 7208 §4.5"));
            }
        };
        let record = Record::parse(text).map_err(|why| permanent("SPF-3", asked, why, "RFC 7208 §4.6"))?;
        for directive in &record.directives {
            if self.matches(directive, asked)? {
                return Ok(self.matched(directive, asked));
            }
        }
        match &record.redirect {
            Some(target) if !record.has_all() => self.redirected(target, asked),
            _ => {
                self.chosen.push(because("SPF-6", asked, "nothing matches: neutral", "RFC 7208 §4.7"));
                Ok(SpfResult::Neutral)
            }
        }
    }

    fn matched(&mut self, directive: &Directive, domain: &str) -> SpfResult {
        let result = match directive.qualifier {
            Qualifier::Pass => SpfResult::Pass,
            Qualifier::Fail => SpfResult::Fail,
            Qualifier::SoftFail => SpfResult::SoftFail,
            Qualifier::Neutral => SpfResult::Neutral,
        };
        let why = format!("of `{domain}` matches {}: {}", self.client, result.as_str());
        self.chosen.push(because("SPF-4", &*directive.text, why, "RFC 7208 §4.6.2"));
        result
    }

    fn redirected(&mut self, target: &MacroString, domain: &str) -> Result<SpfResult, Stop> {
        self.count_term(domain)?;
        let target = self.expand(target, domain);
        self.chosen.push(because("SPF-6", domain, format!("nothing matches: redirected to `{target}`"), "RFC 7208 §6.1"));
        match self.domain(&target)? {
            SpfResult::None => Err(permanent("SPF-6", &target, "the target of `redirect=` has no policy", "RFC 7208 §6.1")),
            result => Ok(result),
        }
    }

    fn matches(&mut self, directive: &Directive, domain: &str) -> Result<bool, Stop> {
        let client = self.client;
        let is_match = match &directive.mechanism {
            Mechanism::All => true,
            Mechanism::Ip4(network, bits) => in_network(client, IpAddr::V4(*network), Prefixes { v4: *bits, v6: 0 }),
            Mechanism::Ip6(network, bits) => in_network(client, IpAddr::V6(*network), Prefixes { v4: 0, v6: *bits }),
            Mechanism::Include(target) => return self.include(directive, target, domain),
            Mechanism::A(target, prefixes) => self.a(&directive.text, target.as_ref(), *prefixes, domain)?,
            Mechanism::Mx(target, prefixes) => self.mx(&directive.text, target.as_ref(), *prefixes, domain)?,
            Mechanism::Ptr(target) => self.ptr(&directive.text, target.as_ref(), domain)?,
            Mechanism::Exists(target) => self.exists(&directive.text, target, domain)?,
        };
        if !is_match {
            let why = format!("of `{domain}` does not match {client}");
            self.passed_over.push(because("SPF-5", &*directive.text, why, "RFC 7208 §5"));
        }
        Ok(is_match)
    }

    fn include(&mut self, directive: &Directive, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        self.count_term(&directive.text)?;
        let target = self.expand(target, domain);
        let is_unknown = super::spf_name::domain(&target).is_some_and(|name| (self.ask)(name, RecordType::Txt) == DnsAnswer::Unknown);
        if is_unknown {
            let why = format!("the scenario does not say whom `{target}` allows: no match");
            self.passed_over.push(because("SPF-5", &*directive.text, why, "RFC 7208 §5.2"));
            return Ok(false);
        }
        let before = self.chosen.len();
        let result = self.domain(&target)?;
        // What the inner policy says counts only if it lets the client pass.
        let inner = self.chosen.split_off(before);
        match result {
            SpfResult::Pass => self.chosen.extend(inner),
            SpfResult::None => {
                return Err(permanent("SPF-5", &directive.text, format!("`{target}` has no policy to include"), "RFC 7208 §5.2"));
            }
            _ => {
                self.passed_over.extend(inner);
                let why = format!("`{target}` says {}: no match", result.as_str());
                self.passed_over.push(because("SPF-5", &*directive.text, why, "RFC 7208 §5.2"));
            }
        }
        Ok(result == SpfResult::Pass)
    }

    fn a(&mut self, term: &str, target: Option<&MacroString>, prefixes: Prefixes, domain: &str) -> Result<bool, Stop> {
        self.count_term(term)?;
        let name = self.target(target, domain);
        let addresses = self.addresses(&name)?;
        Ok(addresses.into_iter().any(|address| in_network(self.client, address, prefixes)))
    }

    fn mx(&mut self, term: &str, target: Option<&MacroString>, prefixes: Prefixes, domain: &str) -> Result<bool, Stop> {
        self.count_term(term)?;
        let name = self.target(target, domain);
        let records = self.records(&name, RecordType::Mx)?;
        if records.len() > NAMES_MAX {
            let why = format!("`{name}` has {} MX records, {NAMES_MAX} are allowed", records.len());
            return Err(permanent("SPF-7", term, why, "RFC 7208 §4.6.4"));
        }
        for record in records {
            if let RecordData::Mx { exchange, .. } = record {
                let addresses = self.addresses(&exchange)?;
                if addresses.into_iter().any(|address| in_network(self.client, address, prefixes)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn ptr(&mut self, term: &str, target: Option<&MacroString>, domain: &str) -> Result<bool, Stop> {
        self.count_term(term)?;
        let name = self.target(target, domain);
        let names = self.names_of_client(true)?;
        Ok(names.into_iter().any(|found| is_within(&found, &name) && self.is_validated(&found)))
    }

    fn exists(&mut self, term: &str, target: &MacroString, domain: &str) -> Result<bool, Stop> {
        self.count_term(term)?;
        let name = self.expand(target, domain);
        Ok(!self.records(&name, RecordType::A)?.is_empty()) // A, also for IPv6 clients (§5.7)
    }

    fn count_term(&mut self, term: &str) -> Result<(), Stop> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            let why = format!("more than {TERMS_MAX} terms that ask DNS");
            return Err(permanent("SPF-7", term, why, "RFC 7208 §4.6.4"));
        }
        Ok(())
    }

    /// Records of a name; an empty answer counts as a void lookup. A text that is no name has no records.
    fn records(&mut self, name: &str, record_type: RecordType) -> Result<Vec<RecordData<Box<str>>>, Stop> {
        let Some(name) = askable(name) else { return Ok(Vec::new()) };
        match (self.ask)(name, record_type) {
            DnsAnswer::Records(records) => Ok(records),
            DnsAnswer::Failed(how) => Err(temporary(name, how)),
            DnsAnswer::Unknown => Ok(Vec::new()),
            DnsAnswer::NoData | DnsAnswer::NxDomain => {
                self.voids += 1;
                if self.voids > VOID_MAX {
                    let why = format!("the third question to DNS without an answer, {VOID_MAX} are allowed");
                    return Err(permanent("SPF-7", name, why, "RFC 7208 §4.6.4"));
                }
                Ok(Vec::new())
            }
        }
    }

    /// Addresses of the client's family.
    fn addresses(&mut self, name: &str) -> Result<Vec<IpAddr>, Stop> {
        let records = self.records(name, self.address_type())?;
        Ok(records.iter().filter_map(RecordData::address).collect())
    }

    fn address_type(&self) -> RecordType {
        if self.client.is_ipv4() { RecordType::A } else { RecordType::Aaaa }
    }

    /// The first ten names that the client's address has, not validated; a failed question has none (§5.5).
    fn names_of_client(&mut self, is_counted: bool) -> Result<Vec<Box<str>>, Stop> {
        let reverse = reverse_name(self.client);
        let records = match (self.ask)(&reverse, RecordType::Ptr) {
            DnsAnswer::Records(records) => records,
            DnsAnswer::NoData | DnsAnswer::NxDomain if is_counted => self.records(&reverse, RecordType::Ptr)?,
            _ => Vec::new(),
        };
        let names = records.into_iter().filter_map(|record| match record {
            RecordData::Ptr(name) => Some(name),
            _ => None,
        });
        Ok(names.take(NAMES_MAX).collect())
    }

    /// Does the name lead back to the client? A failed question says no (§5.5).
    fn is_validated(&mut self, name: &str) -> bool {
        let Some(name) = askable(name) else { return false };
        let address_type = self.address_type();
        match (self.ask)(name, address_type) {
            DnsAnswer::Records(records) => records.iter().any(|record| record.address() == Some(self.client)),
            _ => false,
        }
    }

    /// `%{p}`: the domain itself, else a name below it, else any that leads back (§7.3).
    fn validated_name(&mut self, domain: &str) -> String {
        let Ok(mut names) = self.names_of_client(false) else { return "unknown".to_owned() };
        names.in_order_by_key(|name| (!is_within(name, domain), !is_within(domain, name)));
        let found = names.into_iter().find(|name| self.is_validated(name));
        found.map_or("unknown".to_owned(), |name| name.strip_suffix('.').unwrap_or(&name).to_owned())
    }

    fn target(&mut self, target: Option<&MacroString>, domain: &str) -> String {
        target.map_or_else(|| domain.to_owned(), |target| self.expand(target, domain))
    }

    fn expand(&mut self, text: &MacroString, domain: &str) -> String {
        let validated = if text.uses_validated_name() { self.validated_name(domain) } else { String::new() };
        let values = Values {
            local: self.local,
            sender_domain: self.sender_domain,
            domain,
            client: self.client,
            helo: self.helo,
            validated: &validated,
        };
        shortened(&text.expand(&values)).to_owned()
    }
}

/// Do the first bits of two addresses agree? Addresses of different families never do.
fn in_network(address: IpAddr, network: IpAddr, prefixes: Prefixes) -> bool {
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(32 - u32::from(prefixes.v4)).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (one.to_bits() ^ other.to_bits()).checked_shr(128 - u32::from(prefixes.v6)).unwrap_or(0) == 0
        }
        _ => false,
    }
}
