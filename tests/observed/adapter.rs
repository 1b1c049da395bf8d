//! A recorded case as a scenario: the same for every case, nothing said about any single one.
//!
//! Receiving hosts become systems of their own that take everything at their addresses; the server under test is `sender`, and further servers are
//! called by their first label. Names that the case does not define do not exist, and no answer of DNS is kept, as in the recordings.
//! Lines between hosts take a millisecond and a host no time at all, so that what is left of a time is waiting.

use crate::behaviour::{Certificate, Piece, faults, host_fields, pieces};
use crate::case::{Case, Host, Mta, Record};
use crate::ron::{block, list, moment, quoted};
use crate::settings::{self, Server};
use std::collections::{BTreeMap, BTreeSet};

/// The scenario text of a case for one server.
///
/// # Errors
/// A word of the case that has no counterpart here.
///
/// `phase` says where in its period the first queue run of the servers stands, in hundredths: in the recordings that was chance.
pub fn scenario(case: &Case, server: Server, phase: u32) -> Result<String, String> {
    let hosts: Vec<Receiver> = keys(&case.hosts).into_iter().zip(&case.hosts).map(|(key, host)| Receiver::new(key, host)).collect();
    let servers: Vec<(String, &Mta)> =
        std::iter::once(("sender".into(), &case.sender)).chain(case.relays.iter().map(|relay| (first_label(&relay.name), relay))).collect();
    let server_keys: Vec<&str> = servers.iter().map(|(key, _)| key.as_str()).collect();

    let mut systems = Vec::new();
    for (key, mta) in &servers {
        systems.push(format!("{}: {}", quoted(key), server_system(case, mta, server, phase, &server_keys)?));
    }
    let mut fault_lines = Vec::new();
    let mut changes: BTreeMap<String, Change> = dns_changes(case, &hosts)?;
    for host in &hosts {
        systems.push(format!("{}: {}", quoted(&host.key), host.system(case)?));
        for piece in &host.pieces {
            fault_lines.extend(
                faults(&host.key, piece, server == Server::Exim)?
                    .into_iter()
                    .map(|fault| format!("{}: {}", quoted(&fault.name), fault.text)),
            );
        }
        for (at, system) in host.changes()? {
            changes.entry(moment(at)).or_default().systems.push(system);
        }
    }
    for (at, fault) in case.dns.faults.iter().enumerate() {
        let answer = match fault.fault.as_str() {
            "SERVFAIL" => "ServFail",
            "REFUSED" => "Refused",
            "NXDOMAIN" => "NxDomain",
            "NODATA" => "NoData",
            "TIMEOUT" => "Timeout",
            other => return Err(format!("DNS fault `{other}`")),
        };
        let kind = if fault.kind == "*" { String::new() } else { format!(", type: {}", quoted(&fault.kind)) };
        let from = fault.from.map_or_else(String::new, |from| format!(", at: {}", quoted(&moment(from))));
        let until = fault.until.map_or_else(String::new, |until| format!(", until: {}", quoted(&moment(until))));
        fault_lines.push(format!("\"dns {}\": Dns(name: {}{kind}, answer: {answer}{from}{until})", at + 1, quoted(&fault.name)));
    }

    let mut text = format!(
        "Scenario(\n    name: {}, overview: {}, until: \"{}\",\n",
        quoted(&case.id),
        quoted(&case.title),
        moment(if server == Server::OpenSmtpd && case.silent_dns() {
            case.stop.limit_s.max(settings::SILENT_DNS_S)
        } else if server == Server::OpenSmtpd && case.meets_itself() {
            // Mail that went round in itself was waited for.
            case.stop.limit_s.max(settings::ROUNDS_S)
        } else {
            case.stop.limit_s
        })
    );
    text += &dns(case, &hosts)?;
    text += &block(
        "resolvers",
        &[format!(
            "\"resolver\": (used_by: {}, latency: \"1ms\", timeout: \"1s\", tries: 1, max_ttl: \"0s\", max_negative_ttl: \"0s\", max_failure_ttl: \"0s\")",
            list(&server_keys)
        )],
    );
    text += &block("authorities", &["\"test CA\": ()".into(), "\"untrusted CA\": (trusted_by: [])".into()]);
    text += &block("certificates", &certificates(case, &hosts)?);
    text += &block("systems", &systems);
    text += &block("links", &links(&server_keys, &hosts));
    text += &block("faults", &fault_lines);
    text += &block("changes", &changes.into_iter().map(|(at, change)| change.ron(&at)).collect::<Vec<_>>());
    text += &block("traffic", &traffic(case));
    Ok(text + ")\n")
}

/// A receiving host and its key under `systems`.
struct Receiver<'case> {
    key: String,
    host: &'case Host,
    pieces: Vec<Piece>,
    /// The certificates that it shows at one time or another.
    certificates: Vec<Certificate>,
}

impl<'case> Receiver<'case> {
    fn new(key: String, host: &'case Host) -> Self {
        let pieces = pieces(host);
        let mut certificates: Vec<Certificate> = Vec::new();
        for starttls in pieces.iter().filter_map(|piece| piece.behaviour.starttls.as_ref()) {
            let certificate = Certificate::of(host, starttls);
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
        Self { key, host, pieces, certificates }
    }

    /// The name of a certificate: the host's key; a second one of the same host is numbered.
    fn certificate_name(&self, certificate: &Certificate) -> Option<String> {
        let at = self.certificates.iter().position(|own| own == certificate)?;
        Some(if at == 0 { self.key.clone() } else { format!("{} {}", self.key, at + 1) })
    }

    fn fields(&self, piece: &Piece) -> Result<String, String> {
        let certificate = piece.behaviour.starttls.as_ref().and_then(|tls| self.certificate_name(&Certificate::of(self.host, tls)));
        host_fields(&piece.behaviour, certificate.as_deref())
    }

    fn system(&self, case: &Case) -> Result<String, String> {
        // A name without an address of its own must stay without one: such a host has no `hostname`.
        let named = case.dns.records.iter().any(|record| record.name == self.host.name && matches!(record.kind.as_str(), "A" | "AAAA"));
        let hostname = if named { format!("hostname: {}, ", quoted(&self.host.name)) } else { String::new() };
        let fields = self.fields(&self.pieces[0])?;
        Ok(format!("Mta({hostname}addresses: {}, mailboxes: [\"*\"], service_time: \"0s\", {fields})", list(&self.host.addrs)))
    }

    /// The same host from an edge on, where its certificate, limits or listener differ from before.
    fn changes(&self) -> Result<Vec<(f64, String)>, String> {
        let mut changes = Vec::new();
        for pair in self.pieces.windows(2) {
            let (before, mut after) = (self.fields(&pair[0])?, self.fields(&pair[1])?);
            // What is left out of a change stays as it was, and what is left out of a window is not there.
            let ever = |has: fn(&Piece) -> bool| self.pieces.iter().any(has) && !has(&pair[1]);
            if ever(|piece| piece.behaviour.size.is_some()) {
                after += ", max_message_size: \"unlimited\"";
            }
            if ever(|piece| piece.behaviour.max_rcpts.is_some()) {
                after += ", max_recipients: 0";
            }
            if let (true, Some(at)) = (before != self.fields(&pair[1])?, pair[1].from) {
                changes.push((at, format!("{}: Mta({after})", quoted(&self.key))));
            }
        }
        Ok(changes)
    }
}

/// A server of the profile that the case was recorded with.
fn server_system(case: &Case, mta: &Mta, server: Server, phase: u32, clients: &[&str]) -> Result<String, String> {
    let mut fields = format!(
        "Mta(profile: {}, {}hostname: {}, addresses: {}, ",
        server.profile(),
        server.version(),
        quoted(&mta.name),
        list(&mta.addrs)
    );
    if !mta.local_domains.is_empty() {
        fields += &format!("mailboxes: {}, ", list(&mta.local_domains.iter().map(|domain| format!("*@{domain}")).collect::<Vec<_>>()));
    }
    fields += &format!("relay_clients: {}, service_time: \"0s\", ", list(clients));
    for (field, names) in [("smart_hosts", &mta.smarthosts), ("fallback_hosts", &mta.fallback)] {
        if !names.is_empty() {
            fields += &format!("{field}: {}, ", list(names));
        }
    }
    if !mta.routes.is_empty() {
        let routes: Vec<String> = mta.routes.iter().map(|route| format!("{}: {}", quoted(&route.domain), list(&route.to))).collect();
        fields += &format!("routes: {{ {} }}, ", routes.join(", "));
    }
    fields += &format!("tls: ({}), ", tls(mta)?);
    Ok(fields + &settings::fields(case, mta, server, phase) + ")")
}

fn tls(mta: &Mta) -> Result<String, String> {
    let level = |word: &str| {
        Ok::<_, String>(match word {
            "none" => "None",
            "may" => "May",
            "encrypt" => "Encrypt",
            "verify" => "Verify",
            "secure" => "Secure",
            "dane" => "Dane",
            "dane-only" => "DaneOnly",
            other => return Err(format!("TLS level `{other}`")),
        })
    };
    let mut policies = Vec::new();
    for (next_hop, policy) in &mta.tls.policies {
        let mut words = policy.split_whitespace();
        let mut fields = format!("level: {}", level(words.next().unwrap_or("none"))?);
        for word in words {
            let Some(names) = word.strip_prefix("match=") else { return Err(format!("TLS policy `{policy}`")) };
            fields += &format!(", names: {}", list(&names.split(':').collect::<Vec<_>>()));
        }
        policies.push(format!("{}: ({fields})", quoted(next_hop)));
    }
    let policies = if policies.is_empty() { String::new() } else { format!(", policies: {{ {} }}", policies.join(", ")) };
    Ok(format!("level: {}{policies}", level(mta.tls.level.as_deref().unwrap_or("none"))?))
}

/// The zone at the start.
fn dns(case: &Case, hosts: &[Receiver]) -> Result<String, String> {
    let mut lines = String::from("$TTL 0\n");
    for record in case.dns.records.iter().filter(|record| holds_at(record, 0.0)) {
        lines += &format!("        {}\n", master_line(record, hosts)?);
    }
    let secure: Vec<String> = case.dns.secure_zones.iter().map(|zone| format!("{}: Secure", quoted(zone))).collect();
    let dnssec = if secure.is_empty() { String::new() } else { format!(", dnssec: {{ {} }}", secure.join(", ")) };
    Ok(format!("    dns: (records: r#\"\n        {lines}    \"#{dnssec}, rest: NxDomain, answer_order: AsWritten),\n"))
}

fn holds_at(record: &Record, now: f64) -> bool {
    record.from.unwrap_or(0.0) <= now && record.until.is_none_or(|end| now < end)
}

fn master_line(record: &Record, hosts: &[Receiver]) -> Result<String, String> {
    let missing = || format!("{} record of `{}` without its data", record.kind, record.name);
    let target = record.target.as_ref().map(|target| if target == "." { ".".into() } else { format!("{target}.") });
    let data = match record.kind.as_str() {
        "MX" => format!("{} {}", record.pref.ok_or_else(missing)?, target.ok_or_else(missing)?),
        "CNAME" | "NS" | "PTR" => target.ok_or_else(missing)?,
        "A" | "AAAA" => record.addr.clone().ok_or_else(missing)?,
        "TXT" => quoted(record.text.as_ref().ok_or_else(missing)?),
        "TLSA" => {
            let (Some(usage), Some(selector), Some(matching), Some(data)) = (record.usage, record.selector, record.matching, &record.data)
            else {
                return Err(missing());
            };
            // `@spki256:HOST` names the certificate of a host; certificates are called by the host's key.
            let data = match data.split_once(':') {
                Some((digest, name)) => format!("{digest}:{}", key_of(hosts, name).ok_or_else(missing)?),
                None => data.clone(),
            };
            format!("{usage} {selector} {matching} {data}")
        }
        other => return Err(format!("record type `{other}`")),
    };
    Ok(format!("{}. {} {data}", record.name, record.kind))
}

fn key_of<'a>(hosts: &'a [Receiver], name: &str) -> Option<&'a str> {
    hosts.iter().find(|host| host.host.name == name).map(|host| host.key.as_str())
}

/// What becomes different at one moment.
#[derive(Default)]
struct Change {
    records: Vec<String>,
    remove: Vec<String>,
    systems: Vec<String>,
}

impl Change {
    fn ron(&self, at: &str) -> String {
        let mut dns = Vec::new();
        if !self.records.is_empty() {
            dns.push(format!("records: {}", quoted(&self.records.join("\n"))));
        }
        if !self.remove.is_empty() {
            dns.push(format!("remove: {}", list(&self.remove)));
        }
        let dns = if dns.is_empty() { String::new() } else { format!(", dns: ({})", dns.join(", ")) };
        let systems = if self.systems.is_empty() { String::new() } else { format!(", systems: {{ {} }}", self.systems.join(", ")) };
        format!("\"at {at}\": (at: \"{at}\"{dns}{systems})")
    }
}

/// Record sets that come, go or change: each is said again in full, or taken away, at every edge that touches it.
fn dns_changes(case: &Case, hosts: &[Receiver]) -> Result<BTreeMap<String, Change>, String> {
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    let mut edges: BTreeSet<(u64, &str, &str)> = BTreeSet::new();
    for record in &case.dns.records {
        for edge in [record.from, record.until].into_iter().flatten().filter(|edge| *edge > 0.0) {
            edges.insert(((edge * 1000.0) as u64, &record.name, &record.kind));
        }
    }
    for (at_ms, name, kind) in edges {
        let at = at_ms as f64 / 1000.0;
        let change = changes.entry(moment(at)).or_default();
        let set = case.dns.records.iter().filter(|record| record.name == name && record.kind == kind && holds_at(record, at));
        let lines = set.map(|record| master_line(record, hosts)).collect::<Result<Vec<_>, _>>()?;
        if lines.is_empty() {
            change.remove.push(format!("{name} {kind}"));
        }
        change.records.extend(lines);
    }
    Ok(changes)
}

/// The certificates that hosts show, and those that only a TLSA record speaks of.
fn certificates(case: &Case, hosts: &[Receiver]) -> Result<Vec<String>, String> {
    let spoken_of = |host: &Receiver| {
        let named =
            |record: &Record| record.data.as_ref().and_then(|data| data.split_once(':')).is_some_and(|(_, name)| name == host.host.name);
        host.certificates.is_empty() && case.dns.records.iter().any(named)
    };
    let mut lines = Vec::new();
    for host in hosts {
        for certificate in &host.certificates {
            let name = host.certificate_name(certificate).unwrap_or_default();
            lines.push(format!("{}: {}", quoted(&name), certificate.ron()?));
        }
        if spoken_of(host) {
            lines.push(format!("{}: (names: [{}], issuer: \"test CA\")", quoted(&host.key), quoted(&host.host.name)));
        }
    }
    Ok(lines)
}

/// Every line between a server and somebody else, as fast as in a closed network.
fn links(servers: &[&str], hosts: &[Receiver]) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        for other in servers[at + 1..].iter().copied().chain(hosts.iter().map(|host| host.key.as_str())) {
            lines.push(format!(
                "{}: (between: ({}, {}), latency: \"1ms\")",
                quoted(&format!("{server} - {other}")),
                quoted(server),
                quoted(other)
            ));
        }
    }
    lines
}

fn traffic(case: &Case) -> Vec<String> {
    let lines = case.source_names().into_iter().zip(&case.messages).map(|(name, message)| {
        let from = if message.from.is_empty() { "<>" } else { &message.from };
        let mut fields = format!("by: \"sender\", at: {}, from: {}, to: {}", quoted(&moment(message.at)), quoted(from), list(&message.to));
        // The recorded messages without a size of their own were about that long.
        fields += &format!(", size: \"{}B\"", message.size.unwrap_or(800));
        if let Some(count) = message.count {
            // Handing one over took the driver a twentieth of a second, then it waited for the gap.
            fields += &format!(", count: {count}, gap: {}", quoted(&moment(message.gap_s.unwrap_or(0.0) + 0.05)));
        }
        format!("{}: Message({fields})", quoted(&name))
    });
    lines.collect()
}

fn first_label(name: &str) -> String {
    name.split('.').next().unwrap_or(name).to_owned()
}

/// Short names for hosts: the case's id, else the first label; the whole name with dashes where that is taken twice.
fn keys(hosts: &[Host]) -> Vec<String> {
    let short = |host: &Host| host.id.clone().unwrap_or_else(|| first_label(&host.name));
    let taken = |key: &str| hosts.iter().filter(|host| short(host) == key).count() > 1 || key == "sender" || key == "internet";
    let long = |(at, host): (usize, &Host)| {
        let key = short(host);
        if !taken(&key) {
            return key;
        }
        let long = host.name.replace('.', "-");
        let before = hosts[..at].iter().filter(|other| short(other) == key && other.name == host.name).count();
        if before == 0 { long } else { format!("{long}-{}", before + 1) }
    };
    hosts.iter().enumerate().map(long).collect()
}
