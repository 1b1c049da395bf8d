//! What was set up? One recorded case as its file says it.
//!
//! Where a key that is not known would change what the case means (behaviours, replies, DNS), reading fails: a case that cannot be said in full
//! is reported as such, never run without its point. The words are explained in `README.md` beside this file.

use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub struct Case {
    pub id: String,
    #[serde(default)]
    pub title: String,
    pub sender: Mta,
    #[serde(default)]
    pub relays: Vec<Mta>,
    pub dns: Dns,
    #[serde(default)]
    pub hosts: Vec<Host>,
    pub messages: Vec<Message>,
    pub timers: Timers,
    pub stop: Stop,
}

/// The server under test, or a further one of the same kind on the way.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mta {
    pub name: String,
    pub addrs: Vec<String>,
    /// Said again by `local_domains`, where mail for it is kept.
    #[serde(rename = "domain", default)]
    _domain: IgnoredAny,
    #[serde(default)]
    pub local_domains: Vec<String>,
    #[serde(default)]
    pub smarthosts: Vec<String>,
    #[serde(default)]
    pub routes: Vec<Route>,
    #[serde(default)]
    pub fallback: Vec<String>,
    #[serde(default)]
    pub tls: SenderTls,
    #[serde(default)]
    pub postfix: BTreeMap<String, String>,
    #[serde(default)]
    pub exim: BTreeMap<String, String>,
    #[serde(default)]
    pub sendmail: BTreeMap<String, String>,
    #[serde(default)]
    pub opensmtpd: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub domain: String,
    pub to: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderTls {
    pub level: Option<String>,
    #[serde(default)]
    pub policies: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    #[serde(default)]
    pub records: Vec<Record>,
    #[serde(default)]
    pub faults: Vec<DnsFault>,
    #[serde(default)]
    pub secure_zones: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub pref: Option<u16>,
    pub target: Option<String>,
    pub addr: Option<String>,
    pub text: Option<String>,
    pub usage: Option<u8>,
    pub selector: Option<u8>,
    pub matching: Option<u8>,
    pub data: Option<String>,
    pub from: Option<f64>,
    pub until: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnsFault {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub fault: String,
    pub from: Option<f64>,
    pub until: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub id: Option<String>,
    pub name: String,
    pub addrs: Vec<String>,
    #[serde(default)]
    pub behaviour: Behaviour,
    #[serde(default)]
    pub windows: Vec<Window>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub from: Option<f64>,
    pub until: Option<f64>,
    pub behaviour: Behaviour,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    pub net: Option<String>,
    pub banner: Option<Scripted>,
    pub ehlo: Option<Scripted>,
    pub helo: Option<Scripted>,
    pub mail: Option<Scripted>,
    pub rcpt: Option<Rcpt>,
    pub data: Option<Scripted>,
    pub eod: Option<Scripted>,
    pub drop_at: Option<DropAt>,
    pub hang_at: Option<HangAt>,
    pub starttls: Option<Starttls>,
    #[serde(default)]
    pub require_tls: bool,
    pub greylist: Option<Greylist>,
    pub size: Option<u64>,
    pub max_rcpts: Option<u32>,
}

/// A reply for everybody, or one for each recipient pattern.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum Rcpt {
    All(Scripted),
    By(BTreeMap<String, Scripted>),
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    pub code: u16,
    pub enh: Option<String>,
    pub text: Option<String>,
    pub times: Option<u32>,
    pub then: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct DropAt {
    pub stage: String,
    pub times: Option<u32>,
    pub how: Option<String>,
    #[serde(default)]
    pub accepted: bool,
    pub after_bytes: Option<u64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HangAt {
    pub stage: String,
    pub times: Option<u32>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Starttls {
    pub cert: Option<String>,
    pub names: Option<Vec<String>>,
    /// `ec` or `rsa`: no sender judges it, so it has no counterpart in a scenario.
    #[serde(rename = "key", default)]
    _key: IgnoredAny,
    pub min: Option<String>,
    pub max: Option<String>,
    pub mode: Option<String>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Greylist {
    pub delay: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub id: Option<String>,
    #[serde(default)]
    pub at: f64,
    pub from: String,
    pub to: Vec<String>,
    pub size: Option<u64>,
    pub count: Option<u32>,
    pub gap_s: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub struct Timers {
    pub connect_s: f64,
    pub greeting_s: f64,
    pub command_s: f64,
    pub final_s: f64,
    pub queue_run_s: f64,
    pub retry_min_s: f64,
    pub retry_max_s: f64,
    pub lifetime_s: f64,
    #[serde(default)]
    pub delay_warning_s: f64,
}

#[derive(Debug, Deserialize)]
pub struct Stop {
    pub limit_s: f64,
}

impl Case {
    /// Messages that come in numbers: compared by shares, not one by one.
    pub fn is_many(&self) -> bool {
        self.messages.iter().any(|message| message.count.is_some_and(|count| count > 1))
    }

    /// Whether the order of hosts is a matter of luck: equal preferences, or one name with several addresses.
    pub fn leaves_a_choice(&self) -> bool {
        let mut seen = std::collections::BTreeSet::new();
        self.dns.records.iter().filter(|record| record.from.is_none()).any(|record| match record.kind.as_str() {
            "MX" => !seen.insert((&record.name, "MX", record.pref)),
            "A" | "AAAA" => !seen.insert((&record.name, "address", None)),
            _ => false,
        })
    }

    /// Whether the resolver is silent at one time or another.
    pub fn silent_dns(&self) -> bool {
        self.dns.faults.iter().any(|fault| fault.fault == "TIMEOUT")
    }

    /// Whether an MX record, a recipient's domain without one, or a smart host leads to the sender itself.
    pub fn meets_itself(&self) -> bool {
        let own = |name: &str| {
            let mut addresses = self.dns.records.iter().filter(|record| record.name == name).filter_map(|record| record.addr.as_ref());
            addresses.any(|address| self.sender.addrs.contains(address))
        };
        let of_records = self.dns.records.iter().filter(|record| record.kind == "MX").filter_map(|record| record.target.as_deref());
        let domains = self.messages.iter().flat_map(|message| &message.to).filter_map(|to| Some(to.rsplit_once('@')?.1));
        let smart = self.sender.smarthosts.iter().map(|host| host.trim_matches(['[', ']']));
        of_records.chain(domains).chain(smart).any(own)
    }

    /// Whether it matters in which order the recipients of one message are named.
    pub fn limits_recipients(&self) -> bool {
        let closes = |reply: &Scripted| reply.code == 421 || reply.then.is_some();
        let closes_at_rcpt = |one: &Behaviour| match &one.rcpt {
            Some(Rcpt::All(reply)) => closes(reply),
            Some(Rcpt::By(replies)) => replies.values().any(closes),
            None => false,
        };
        let behaviours = |host: &Host| {
            let all = std::iter::once(&host.behaviour).chain(host.windows.iter().map(|window| &window.behaviour));
            all.into_iter().any(|one| one.max_rcpts.is_some() || closes_at_rcpt(one))
        };
        self.hosts.iter().any(behaviours) && self.messages.iter().any(|message| message.to.len() > 1)
    }

    /// The name of each message's source in the scenario: its id, or m1, m2, ... in order.
    pub fn source_names(&self) -> Vec<String> {
        let named = |(at, message): (usize, &Message)| message.id.clone().unwrap_or_else(|| format!("m{}", at + 1));
        self.messages.iter().enumerate().map(named).collect()
    }
}
