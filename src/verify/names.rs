//! Who is meant by a name in an expectation, and is there such a name at all?
//!
//! Systems, hosts, kinds of senders, groups and sites share one name space; a system or group stands for each of its hosts, `NAME` for
//! every machine `NAME#n` of a pool. The shared service `exchange-online` and a tenant are the same where there is one tenant only.
//! Names are those of the scenario with the test's overlays and all dated changes: what a change brings may be named from the start.

use crate::analysis::outcome::{Connection, Place};
use crate::base::common_form;
use crate::diag::closest;
use crate::scenario::schema::{Host, Scenario, System};
use crate::scenario::source::{Named, Text};
use crate::scenario::values::parse_date;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

const SERVICE: &str = "exchange-online";
const INTERNET: &str = "internet";

/// Everything in a scenario that an expectation can name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub(super) start: Option<Timestamp>,
    /// Systems, hosts, kinds of senders, groups and sites: each with those that it stands for, itself among them unless it is a group.
    places: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// The host behind a hostname.
    hostnames: BTreeMap<String, Arc<str>>,
    /// The words of the master-file texts, lower case, without final dots.
    zone_words: BTreeSet<String>,
    has_zone_files: bool,
    /// Connectors, mail-flow rules, smart hosts, routes and domains: what a decision can be about beside places.
    decided: BTreeSet<Arc<str>>,
    faults: BTreeSet<Arc<str>>,
    traffic: BTreeSet<Arc<str>>,
}

impl Names {
    /// The names of a scenario with everything laid over it.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self::default().and(scenario)
    }

    /// The same with another scenario beside it: what an overlay took away may still be named, and is then nowhere.
    #[must_use]
    pub fn and(self, scenario: &Scenario) -> Self {
        let mut names = self;
        names.start = scenario.start.as_str().and_then(|text| parse_date(text).ok());
        let mut tenants = BTreeSet::new();
        let changes = scenario.changes.iter().map(|(_, change)| change);
        for (name, system) in scenario.systems.iter().chain(changes.flat_map(|change| change.systems.iter())) {
            names.system(name, system);
            if matches!(system, System::ExchangeOnline(_)) {
                tenants.insert(name.shared());
            }
        }
        names.place(&INTERNET.into());
        names.shared_service(&tenants);
        names.groups(&scenario.groups);
        let public = scenario.dns.get().into_iter().chain(scenario.changes.iter().filter_map(|(_, change)| change.dns.get()));
        for dns in public {
            for layer in dns.layers.0.iter().chain(dns.views.iter().flat_map(|(_, view)| &view.layers.0)) {
                names.has_zone_files |= layer.files.is_written();
                let words = layer.records.as_str().unwrap_or_default().split_whitespace();
                names.zone_words.extend(words.map(common_form));
            }
        }
        names.faults.extend(scenario.faults.keys().map(Text::shared));
        names.traffic.extend(scenario.traffic.keys().map(Text::shared));
        names
    }

    fn place(&mut self, name: &Arc<str>) {
        self.places.entry(name.clone()).or_default().insert(name.clone());
    }

    fn system(&mut self, name: &Text, system: &System) {
        self.place(&name.shared());
        match system {
            System::Mta(mta) | System::Gateway(mta) => {
                self.machines(name, &mta.host, &mta.hosts);
                self.words(mta.smart_hosts.items().iter().chain(mta.fallback_hosts.items()).chain(mta.relay_domains.items()));
                self.words(mta.routes.iter().flat_map(|(domain, hosts)| std::iter::once(domain).chain(hosts)));
                self.words(mta.filter.keys().chain(mta.recipients.keys()));
            }
            System::ExchangeServer(organization) => {
                self.machines(name, &organization.host, &organization.hosts);
                self.words(organization.send_connectors.keys().chain(organization.receive_connectors.keys()));
                self.words(organization.send_connectors.iter().flat_map(|(_, connector)| connector.smart_hosts.items()));
                self.words(
                    organization.accepted_domains.keys().chain(organization.remote_domains.keys()).chain(organization.recipients.keys()),
                );
            }
            System::ExchangeOnline(tenant) => {
                self.words(tenant.outbound_connectors.keys().chain(tenant.inbound_connectors.keys()).chain(tenant.transport_rules.keys()));
                self.words(tenant.outbound_connectors.iter().flat_map(|(_, connector)| connector.smart_hosts.items()));
                self.words(tenant.accepted_domains.keys().chain(tenant.remote_domains.keys()).chain(tenant.recipients.keys()));
            }
            System::Internet(internet) => {
                self.machine(&name.shared(), &internet.host);
                internet.senders.keys().for_each(|kind| self.place(&kind.shared()));
            }
            System::Device(device) => self.machine(&name.shared(), &device.host),
            System::Fope(fope) => {
                self.machine(&name.shared(), &fope.host);
                self.words(fope.outbound_connectors.keys().chain(fope.multi_smtp_profiles.keys()).chain(fope.filter.keys()));
            }
        }
    }

    fn words<'a>(&mut self, texts: impl Iterator<Item = &'a Text>) {
        self.decided.extend(texts.map(Text::shared));
    }

    fn machines(&mut self, system: &Text, own: &Host, hosts: &Named<Host>) {
        if hosts.is_empty() {
            self.machine(&system.shared(), own);
        }
        for (name, host) in hosts.iter() {
            self.place(&name.shared());
            self.machine(&name.shared(), host);
        }
    }

    fn machine(&mut self, name: &Arc<str>, host: &Host) {
        if let Some(site) = host.site.get() {
            self.places.entry(site.shared()).or_default().insert(name.clone());
        }
        if let Some(hostname) = host.hostname.as_str() {
            self.hostnames.insert(common_form(hostname), name.clone());
        }
    }

    /// With one tenant its name and that of the service mean the same.
    fn shared_service(&mut self, tenants: &BTreeSet<Arc<str>>) {
        self.places.insert(SERVICE.into(), BTreeSet::from([SERVICE.into()]));
        for tenant in tenants {
            self.places.insert(tenant.clone(), BTreeSet::from([tenant.clone()]));
        }
        if let (Some(tenant), 1) = (tenants.first(), tenants.len()) {
            self.places.entry(SERVICE.into()).or_default().insert(tenant.clone());
            self.places.entry(tenant.clone()).or_default().insert(SERVICE.into());
        }
    }

    /// Groups may hold groups; a round trip adds nothing.
    fn groups(&mut self, groups: &Named<Vec<Text>>) {
        for (name, _) in groups.iter() {
            let mut seen = BTreeSet::new();
            let mut open = vec![name.shared()];
            let mut members = BTreeSet::new();
            while let Some(group) = open.pop() {
                if !seen.insert(group.clone()) {
                    continue;
                }
                for member in groups.get(&group).into_iter().flatten() {
                    if groups.get(member).is_some() {
                        open.push(member.shared());
                    } else {
                        members.extend(self.places.get(&**member).cloned().unwrap_or_default());
                    }
                }
            }
            self.places.insert(name.shared(), members);
        }
    }

    /// Those that a name stands for; `None` if nothing is called so.
    fn members(&self, name: &str) -> Option<BTreeSet<Arc<str>>> {
        let machine = name.split_once('#').filter(|(pool, number)| self.places.contains_key(*pool) && number.parse::<u32>().is_ok());
        match machine {
            Some(_) => Some(BTreeSet::from([name.into()])),
            None => self.places.get(name).cloned(),
        }
    }

    /// A system, host, kind of senders, group or site.
    pub(super) fn place_called(&self, name: &str) -> Result<Who, Unknown> {
        match self.members(name) {
            Some(names) => Ok(Who { text: name.into(), names, address: None }),
            None => Err(self.unknown_place(name)),
        }
    }

    /// A place, or what a connection leads to: an address, a hostname, a name of the zones.
    pub(super) fn target_called(&self, name: &str) -> Result<Who, Unknown> {
        let text: Arc<str> = name.trim_end_matches('.').into();
        if let Ok(address) = name.parse() {
            return Ok(Who { text, names: BTreeSet::new(), address: Some(address) });
        }
        let known = self.place_called(name);
        if known.is_err() && (self.hostnames.contains_key(&common_form(&text)) || self.zones_mention(&text)) {
            return Ok(Who { text, names: BTreeSet::new(), address: None });
        }
        known
    }

    /// Is there such a name in the master-file texts, in full or behind an origin?
    fn zones_mention(&self, name: &str) -> bool {
        let name = common_form(name);
        let split = |(at, _)| self.zone_words.contains(&name[..at]) && self.zone_words.contains(&name[at + 1..]);
        name.contains('.') && (self.has_zone_files || self.zone_words.contains(&name) || name.match_indices('.').any(split))
    }

    fn unknown_place(&self, name: &str) -> Unknown {
        let host = self.hostnames.get(&*common_form(name));
        let meant = host.map(|host| host.to_string()).or_else(|| close(name, self.places.keys()));
        Unknown { message: format!("nothing is called `{name}`: no system, host, kind of senders, group or site"), meant }
    }

    pub(super) fn fault_called(&self, name: &str) -> Result<(), Unknown> {
        among(&self.faults, name, "fault")
    }

    pub(super) fn traffic_called(&self, name: &str) -> Result<(), Unknown> {
        among(&self.traffic, name, "traffic")
    }

    /// All names under which a decision may mention this one. A decision can be about things that have no name in the file, so only what
    /// looks like a slip of the finger is refused; where it must not be mentioned (`strictly`) every word that nothing is called, since then
    /// no run would ever show the slip.
    pub(super) fn candidate_called(&self, name: &str, strictly: bool) -> Result<BTreeSet<String>, Unknown> {
        let mut all = BTreeSet::from([common_form(name)]);
        if let Some(members) = self.members(name) {
            all.extend(members.iter().map(|member| common_form(member)));
            all.extend(self.hostnames.iter().filter(|(_, host)| members.contains(*host)).map(|(hostname, _)| hostname.clone()));
            return Ok(all);
        }
        // Connectors of Edge subscriptions stand in no file, nor what MX resolution calls its ways.
        let spoken = ["EdgeSync - ", "MX of ", "address of "];
        if self.decided.contains(name)
            || spoken.iter().any(|beginning| name.starts_with(beginning))
            || name.parse::<IpAddr>().is_ok()
            || self.target_called(name).is_ok()
        {
            return Ok(all);
        }
        match close(name, self.decided.iter().chain(self.places.keys())) {
            Some(meant) => Err(Unknown { message: format!("nothing that could be chosen is called `{name}`"), meant: Some(meant) }),
            None if strictly && !may_be_spoken_of(name) => {
                Err(Unknown { message: format!("nothing that could be chosen is called `{name}`"), meant: None })
            }
            None => Ok(all),
        }
    }
}

/// What rule books speak of that stands in no file: addresses and names, the default connectors, and words of their own.
fn may_be_spoken_of(name: &str) -> bool {
    let connectors =
        ["Default", "Default Frontend", "Client Frontend", "Client Proxy", "Outbound Proxy Frontend", "Default internal receive connector"];
    let words = [
        "ATTR34",
        "MaxRecipientEnvelopeLimit",
        "dmarc",
        "spf",
        "dkim",
        "ptr",
        "hops",
        "server",
        "slower",
        "smart_hosts",
        "taken",
        "nobody",
        "no author",
        "no connector",
        "no rule",
        "no signature",
        "not judged",
        "several tenants",
        "normal pool",
        "high-risk pool",
        "relay pool",
        "rules of its time",
        "sender rewriting",
        "the login",
        "the sender",
        "Unreachable queue",
    ];
    name.contains(['.', '@', ':', '[']) || connectors.iter().chain(&words).any(|known| known.eq_ignore_ascii_case(name))
}

fn close<'a>(name: &str, known: impl Iterator<Item = &'a Arc<str>>) -> Option<String> {
    closest(name, known.map(|name| &**name)).map(str::to_owned)
}

fn among(known: &BTreeSet<Arc<str>>, name: &str, what: &str) -> Result<(), Unknown> {
    if known.contains(name) {
        return Ok(());
    }
    Err(Unknown { message: format!("no {what} is called `{name}`"), meant: close(name, known.iter()) })
}

/// A name that nothing has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unknown {
    pub message: String,
    /// What was probably meant.
    pub meant: Option<String>,
}

/// Those whom a name stands for.
#[derive(Clone, Debug)]
pub(super) struct Who {
    text: Arc<str>,
    names: BTreeSet<Arc<str>>,
    address: Option<IpAddr>,
}

impl Who {
    /// Is this machine one of them?
    pub fn is(&self, place: &Place) -> bool {
        let pool = place.host.split_once('#').is_some_and(|(pool, _)| self.names.contains(pool));
        pool || self.names.contains(&*place.system) || self.names.contains(&*place.host)
    }

    /// Did this connection lead there, even in vain?
    pub fn was_met(&self, connection: &Connection) -> bool {
        match self.address {
            Some(address) => connection.address == address,
            None => connection.to.as_ref().is_some_and(|place| self.is(place)) || *connection.name == *common_form(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::fixture::place;
    use crate::scenario::Loader;

    fn names(text: &str) -> Names {
        Names::of(&Loader::new().text("t.ron", text).unwrap())
    }

    const TEXT: &str = r##"Scenario(
        dns: (records: r#"
            $ORIGIN contoso.com.
            site-a A 192.0.2.10
            ghost.fabrikam.com. A 192.0.2.77
        "#),
        systems: {
            "eop": ExchangeOnline(outbound_connectors: { "To on-premises": (smart_hosts: ["mail.contoso.com"]) }),
            "exchange": ExchangeServer(hosts: { "AMS01": (hostname: "ams.contoso.com", site: "Amsterdam"), "LON01": () }),
            "internet": Internet(senders: { "postfix": (pool: 3) }),
        },
        groups: { "all": ["inner", "eop"], "inner": ["AMS01", "all"] },
        faults: { "dark": Down(target: "AMS01") },
    )"##;

    #[test]
    fn whom_a_name_stands_for() {
        let names = names(TEXT);
        let cases = [
            ("exchange", "exchange", "AMS01", true),
            ("AMS01", "exchange", "AMS01", true),
            ("AMS01", "exchange", "LON01", false),
            ("Amsterdam", "exchange", "AMS01", true),
            ("Amsterdam", "exchange", "LON01", false),
            ("eop", "eop", "exchange-online#1", true),
            ("eop", "exchange-online", "exchange-online", true),
            ("exchange-online", "eop", "exchange-online#2", true),
            ("exchange-online#2", "eop", "exchange-online#2", true),
            ("exchange-online#2", "eop", "exchange-online#1", false),
            ("postfix", "internet", "postfix#3", true),
            ("internet", "internet", "postfix#3", true),
            ("all", "exchange", "AMS01", true),
            ("all", "eop", "exchange-online#1", true),
            ("all", "exchange", "LON01", false),
        ];
        for (name, system, host, expected) in cases {
            assert_eq!(names.place_called(name).unwrap().is(&place(system, host)), expected, "{name}: {system}/{host}");
        }
    }

    #[test]
    fn two_tenants_are_two() {
        let names = names(r#"Scenario(systems: { "a": ExchangeOnline(), "b": ExchangeOnline() })"#);
        assert!(!names.place_called("a").unwrap().is(&place("exchange-online", "exchange-online")));
        assert!(names.place_called("exchange-online").unwrap().is(&place("b", "exchange-online#1")));
    }

    #[test]
    fn what_an_overlay_takes_away_is_nowhere() {
        let mut loader = Loader::new();
        let base = loader.text("t.ron", TEXT).unwrap();
        let over = loader.text("o.ron", r#"Scenario(systems: { "exchange": None, "eop2": ExchangeOnline() })"#).unwrap();
        let merged = crate::scenario::overlay(&base, &over, &mut vec![]);
        let names = Names::of(&base).and(&merged);
        assert!(names.place_called("AMS01").is_ok());
        assert!(!names.place_called("eop").unwrap().is(&place("exchange-online", "exchange-online#1")));
    }

    #[test]
    fn what_nothing_is_called() {
        let names = names(TEXT);
        let meant = |found: Result<Who, Unknown>| found.map_or_else(|unknown| unknown.meant, |_| Some("known".into()));
        let places = [("AMS1", "AMS01"), ("ams.contoso.com", "AMS01"), ("Exchange", "exchange")];
        for (name, expected) in places {
            assert_eq!(meant(names.place_called(name)).as_deref(), Some(expected), "{name}");
        }
        let targets = ["192.0.2.99", "ams.contoso.com", "site-a.contoso.com", "ghost.fabrikam.com", "AMS01"];
        for name in targets {
            assert_eq!(meant(names.target_called(name)).as_deref(), Some("known"), "{name}");
        }
        assert_eq!(meant(names.target_called("nowhere.example")), None);
        assert_eq!(names.candidate_called("To on-premise", false).unwrap_err().meant.as_deref(), Some("To on-premises"));
        assert!(names.candidate_called("AMS01", false).unwrap().contains("ams.contoso.com"));
        assert_eq!(names.fault_called("drak").unwrap_err().message, "no fault is called `drak`");
    }
}
