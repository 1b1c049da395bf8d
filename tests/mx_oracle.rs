//! Does the simulator resolve MX records as RFC 5321 §5.1 says? A slow and obvious second implementation, compared on random zones.
//!
//! The oracle knows nothing of the simulator: a zone is a list of lines, a question walks through all of them, and rows R1 to R21 of the
//! documentation are read off one after the other. The simulator plays one message of a sender by the RFC, to whom nobody answers, so that its first
//! attempt tries everything there is. Compared are fate and status, the hosts tried by preference, and the addresses of each.
//!
//! Seen to fail with an oracle spoiled on purpose: the worse of two equal names kept, the sender's own record left in, a failure for now taken for
//! a final one, a wildcard that speaks for names that exist. What it found when it was new: a sender by the RFC waited where all MX hosts better than
//! itself do not exist, and a DNS fault was met only by whoever asked for its name directly, not by whoever an alias led there.
//! `MAILTWIN_LAW_CASES` is the number of zones.

use mailtwin::analysis;
use mailtwin::base::Fate;
use mailtwin::diag::{Style, render};
use mailtwin::engine::{self, Options};
use mailtwin::scenario::load_text;
use mailtwin::trace::level::PATHS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Names of the zone; nobody owns `gone`, and `x.a` gives `a` something below it.
const OWNERS: [&str; 10] = ["d", "e", "f", "a", "b", "c", "x.a", "me", "*.w", "*.a"];
const TARGETS: [&str; 12] = ["d", "e", "a", "b", "c", "x.a", "y.a", "me", "gone", "q.w", "a", "b"];
const DOMAINS: [&str; 9] = ["d", "d", "d", "d", "e", "e", "q.w", "gone", "y.a"];

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Data {
    Mx(u16, String),
    A(String),
    Aaaa(String),
    Cname(String),
    Txt,
}

impl Data {
    fn kind(&self) -> &'static str {
        match self {
            Self::Mx(..) => "MX",
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
            Self::Cname(_) => "CNAME",
            Self::Txt => "TXT",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Mx(preference, target) => format!("MX {preference} {target}."),
            Self::A(address) => format!("A {address}"),
            Self::Aaaa(address) => format!("AAAA {address}"),
            Self::Cname(target) => format!("CNAME {target}."),
            Self::Txt => "TXT \"here\"".to_owned(),
        }
    }
}

/// A zone, what goes wrong in it, and who asks.
#[derive(Clone, Debug)]
struct Case {
    zone: Vec<(String, Data)>,
    /// Name, type (`None`: all), answer.
    faults: BTreeMap<String, (Option<&'static str>, &'static str)>,
    v4: bool,
    v6: bool,
    domain: String,
    seed: u32,
}

fn full(name: &str) -> String {
    format!("{name}.z.test")
}

fn any_owner(owner: &'static str) -> impl Strategy<Value = Vec<(String, Data)>> {
    let target = prop_oneof![
        16 => select(&TARGETS[..]).prop_map(full),
        1 => Just(String::new()),
        1 => Just("192.0.2.1".to_owned()),
    ];
    let mx = vec((select(vec![0_u16, 10, 10, 20, 20, 30]), target).prop_map(|(preference, target)| Data::Mx(preference, target)), 0..6);
    let a = vec((1..=9).prop_map(|last| Data::A(format!("192.0.2.{last}"))), 0..4);
    let aaaa = vec((1..10).prop_map(|last| Data::Aaaa(format!("2001:db8::{last}"))), 0..2);
    let alias = select(&TARGETS[..]).prop_map(|target| vec![Data::Cname(full(target))]);
    let mx = prop_oneof![14 => mx, 1 => Just(vec![Data::Mx(0, String::new())])];
    let with_mx = mx.prop_map(|mut list| {
        list.push(Data::Txt);
        list
    });
    let host = (a, aaaa).prop_map(|(mut a, aaaa)| {
        a.extend(aaaa);
        a
    });
    let body = match owner {
        "d" | "e" | "f" => prop_oneof![6 => with_mx, 2 => alias, 1 => host].boxed(),
        "*.w" | "*.a" => prop_oneof![2 => with_mx, 1 => alias, 1 => host, 4 => Just(vec![])].boxed(),
        "me" => prop_oneof![3 => Just(vec![Data::A("192.0.2.9".to_owned())]), 1 => host].boxed(),
        _ => prop_oneof![8 => host, 1 => alias].boxed(),
    };
    body.prop_map(move |mut list| {
        list.sort();
        list.dedup();
        list.into_iter().map(|data| (full(owner), data)).collect()
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let owners: Vec<_> = OWNERS.into_iter().map(any_owner).collect();
    let failures = select(vec!["ServFail", "Refused", "Timeout", "Truncated", "Bogus", "NoData"]);
    let fault = prop_oneof![
        4 => (select(vec![Some("MX"), Some("A"), Some("AAAA"), None]), failures),
        1 => Just((None, "NxDomain")),
    ];
    let faults =
        prop_oneof![2 => Just(BTreeMap::new()), 3 => prop::collection::btree_map(select(&TARGETS[..]).prop_map(full), fault, 1..3)];
    let families = select(vec![(true, true), (true, true), (true, false), (false, true)]);
    (owners, faults, families, select(&DOMAINS[..]), any::<u32>()).prop_map(|(owners, faults, (v4, v6), domain, seed)| {
        let mut zone: Vec<(String, Data)> = owners.into_iter().flatten().collect();
        zone.push(("z.test".to_owned(), Data::Txt));
        Case { zone, faults, v4, v6, domain: full(domain), seed }
    })
}

impl Case {
    fn text(&self) -> String {
        let mut text = format!("Scenario(seed: {}, until: \"25m\", dns: (records: r#\"\n", self.seed);
        self.zone.iter().for_each(|(owner, data)| writeln!(text, "  {owner}. 300 IN {}", data.text()).unwrap());
        let own = self.own_addresses().into_iter().map(|address| format!("\"{address}\"")).collect::<Vec<_>>().join(", ");
        write!(text, "\"#),\n systems: {{ \"me\": Mta(hostname: \"me.z.test\", addresses: [{own}], mailboxes: [\"*@s.example\"]) }},\n")
            .unwrap();
        text += " faults: {\n";
        for (name, (kind, answer)) in &self.faults {
            let kind = kind.map_or(String::new(), |kind| format!("type: \"{kind}\", "));
            writeln!(text, "  \"{name}\": Dns(name: \"{name}\", {kind}answer: {answer}),").unwrap();
        }
        let domain = &self.domain;
        text + &format!(" }},\n traffic: {{ \"t\": Message(from: \"x@s.example\", to: [\"u@{domain}\"]) }},\n)\n")
    }

    fn own_addresses(&self) -> Vec<String> {
        let own = [(self.v4, "192.0.2.9"), (self.v6, "2001:db8::9")];
        own.into_iter().filter(|(has, _)| *has).map(|(_, address)| address.to_owned()).collect()
    }
}

// ---- The oracle ------------------------------------------------------------------------------------------------------------------------

#[derive(Debug)]
enum Answer {
    Records(Vec<Data>),
    /// Nothing of this type under the name that aliases led to.
    NoData(String),
    NxDomain,
    /// Perhaps later.
    Failed,
}

/// What the sender does in the end.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    Bounce(&'static str),
    Defer(&'static str),
    /// Hosts by preference, each with its addresses.
    Try(BTreeMap<u16, BTreeMap<String, BTreeSet<String>>>),
}

impl Case {
    /// RFC 1034 §4.3.2 with RFC 4592: records of that owner, or of the wildcard right below its closest ancestor that exists.
    fn owned(&self, name: &str) -> Option<Vec<Data>> {
        let of = |owner: &str| self.zone.iter().filter(|(other, _)| other == owner).map(|(_, data)| data.clone()).collect::<Vec<_>>();
        let exists = |name: &str| self.zone.iter().any(|(owner, _)| owner == name || owner.ends_with(&format!(".{name}")));
        if exists(name) {
            return Some(of(name));
        }
        let mut ancestor = name;
        loop {
            ancestor = ancestor.split_once('.')?.1;
            if exists(ancestor) {
                let wildcard = of(&format!("*.{ancestor}"));
                return (!wildcard.is_empty()).then_some(wildcard);
            }
        }
    }

    /// One question, through all aliases; what is wrong with a name is wrong for whoever is led to it.
    fn ask(&self, name: &str, kind: &'static str) -> Answer {
        let mut name = name.to_owned();
        for _ in 0..20 {
            if let Some((only, answer)) = self.faults.get(&name)
                && only.is_none_or(|only| only == kind)
            {
                return match *answer {
                    "NoData" => Answer::NoData(name),
                    "NxDomain" => Answer::NxDomain,
                    _ => Answer::Failed,
                };
            }
            let Some(records) = self.owned(&name) else { return Answer::NxDomain };
            let fitting: Vec<Data> = records.iter().filter(|data| data.kind() == kind).cloned().collect();
            if !fitting.is_empty() {
                return Answer::Records(fitting);
            }
            match records.first() {
                Some(Data::Cname(target)) => name = target.clone(),
                _ => return Answer::NoData(name),
            }
        }
        Answer::Failed // R8: aliases in a circle
    }

    /// The addresses of a host that the sender can use; else whether that may be better later, and whether the name is unknown.
    fn addresses(&self, host: &str) -> (BTreeSet<String>, bool, bool) {
        let mut found = BTreeSet::new();
        let (mut may_pass, mut is_unknown) = (false, true);
        for kind in [("A", self.v4), ("AAAA", self.v6)].into_iter().filter(|(_, usable)| *usable).map(|(kind, _)| kind) {
            match self.ask(host, kind) {
                Answer::Records(records) => found.extend(records.into_iter().filter_map(|data| match data {
                    Data::A(address) | Data::Aaaa(address) => Some(address),
                    _ => None,
                })),
                Answer::Failed => may_pass = true,
                Answer::NoData(_) => {}
                Answer::NxDomain => continue,
            }
            is_unknown = false;
        }
        (found, may_pass, is_unknown)
    }

    fn resolve(&self) -> Verdict {
        let mut hosts: BTreeMap<String, u16> = BTreeMap::new();
        let mut is_implicit = false;
        match self.ask(&self.domain, "MX") {
            Answer::Failed => return Verdict::Defer("4.4.3"),    // R5, R6, R7, R8, R20
            Answer::NxDomain => return Verdict::Bounce("5.1.2"), // R4, R9
            Answer::NoData(name) => {
                is_implicit = true; // R2
                hosts.insert(name, 0);
            }
            Answer::Records(records) => {
                let null = |data: &Data| *data == Data::Mx(0, String::new());
                if records.iter().all(null) {
                    return Verdict::Bounce("5.1.10"); // R14
                }
                for data in records {
                    if let Data::Mx(preference, host) = data
                        && !host.is_empty()
                    {
                        // R15, R16: the dot is no host. R21: of two equal names the better one counts.
                        let best = hosts.entry(host).or_insert(preference);
                        *best = preference.min(*best);
                    }
                }
                if hosts.is_empty() {
                    return Verdict::Bounce("5.4.4"); // R16
                }
            }
        }
        let own = self.own_addresses();
        let found: Vec<_> = hosts.into_iter().map(|(host, preference)| (preference, self.addresses(&host), host)).collect();
        let is_me = |host: &str, addresses: &BTreeSet<String>| host == full("me") || own.iter().any(|own| addresses.contains(own));
        let mine = found.iter().filter(|(_, (addresses, ..), host)| is_me(host, addresses)).map(|(preference, ..)| *preference).min();
        let better: Vec<_> = found.into_iter().filter(|(preference, ..)| mine.is_none_or(|mine| *preference < mine)).collect(); // R19
        if better.is_empty() {
            return Verdict::Bounce("5.4.6");
        }
        let mut tried: BTreeMap<u16, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (preference, (addresses, ..), host) in &better {
            if !addresses.is_empty() {
                tried.entry(*preference).or_default().insert(host.clone(), addresses.clone()); // R1, R10, R11, R12
            }
        }
        if !tried.is_empty() {
            return Verdict::Try(tried);
        }
        let may_pass = better.iter().any(|(_, (_, may_pass, _), _)| *may_pass);
        match (may_pass, is_implicit) {
            (true, true) => Verdict::Defer("4.4.3"),
            (true, false) => Verdict::Defer("4.4.4"), // R13
            (false, true) if better[0].1.2 => Verdict::Bounce("5.1.2"),
            (false, _) => Verdict::Bounce("5.4.4"), // R3, R13, R17, R18
        }
    }
}

// ---- The comparison --------------------------------------------------------------------------------------------------------------------

/// What the simulator does, in the oracle's words.
fn simulated(case: &Case) -> Result<Verdict, String> {
    let text = case.text();
    let loaded = load_text("a random zone", &text).map_err(|invalid| render(&invalid.problems, &invalid.sources, Style::Plain) + &text)?;
    let run = engine::run(&loaded.model, &Options { level: PATHS, ..Options::default() });
    let outcome = analysis::build(&loaded.model, &run);
    let recipient = &outcome.messages[0].recipients[0];
    let status = recipient.enhanced.to_string();
    let known = ["5.1.2", "5.4.4", "5.1.10", "5.4.6", "4.4.3", "4.4.4"].into_iter().find(|known| *known == status);
    let attempt = recipient.hops.first().and_then(|hop| hop.attempts.first()).ok_or("no attempt")?;
    if attempt.connections.is_empty() {
        let known = known.ok_or(format!("status {status}"))?;
        return match recipient.fate {
            Fate::Bounced | Fate::Looped => Ok(Verdict::Bounce(known)),
            Fate::Queued => Ok(Verdict::Defer(known)),
            other => Err(format!("{} {status}", other.as_str())),
        };
    }
    // Better preferences first, and the addresses of one host in a row.
    let steps: Vec<(u16, String)> = attempt.connections.iter().map(|c| (c.preference.unwrap_or(0), c.name.to_string())).collect();
    let mut rows = steps.clone();
    rows.dedup();
    let is_sorted = rows.windows(2).all(|pair| pair[0].0 <= pair[1].0);
    if !is_sorted || rows.iter().collect::<BTreeSet<_>>().len() != rows.len() {
        return Err(format!("an odd order: {steps:?}"));
    }
    let mut tried: BTreeMap<u16, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for ((preference, name), connection) in steps.into_iter().zip(&attempt.connections) {
        let is_new = tried.entry(preference).or_default().entry(name).or_default().insert(connection.address.to_string());
        if !is_new {
            return Err(format!("{} is tried twice", connection.address));
        }
    }
    Ok(Verdict::Try(tried))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: std::env::var("MAILTWIN_LAW_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(512), failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(5321), ..ProptestConfig::default() })]

    #[test]
    fn same_hosts_as_the_oracle(case in any_case()) {
        prop_assert_eq!(simulated(&case), Ok(case.resolve()), "{}", case.text());
    }
}

/// The random zones reach every kind of end, many times.
#[test]
fn the_zones_are_not_all_alike() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..2000 {
        let ends = match any_case().new_tree(&mut runner).expect("a case").current().resolve() {
            Verdict::Try(tried) => format!("{} preferences", tried.len()),
            end => format!("{end:?}"),
        };
        *seen.entry(ends).or_default() += 1;
    }
    let wanted = ["5.1.2", "5.4.4", "5.1.10", "5.4.6"].map(|status| format!("Bounce(\"{status}\")"));
    let wanted = wanted.into_iter().chain(["4.4.3", "4.4.4"].map(|status| format!("Defer(\"{status}\")")));
    for kind in wanted.chain([1, 2, 3].map(|count| format!("{count} preferences"))) {
        assert!(seen.get(&kind).is_some_and(|times| *times >= 5), "{kind}: too seldom, {seen:?}");
    }
}
