//! Which worlds are the laws tried on? Small ones: a few domains with odd MX lists, a few machines, everything that can go wrong, some mail.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::fmt::Write as _;

/// A scenario in pieces, each of which may stand anywhere in its list.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub until: &'static str,
    pub seed: u64,
    pub records: Vec<String>,
    pub systems: Vec<String>,
    pub faults: Vec<String>,
    pub traffic: Vec<String>,
    pub changes: Vec<String>,
    pub resolvers: Vec<String>,
    pub links: Vec<String>,
}

impl World {
    /// The scenario's text.
    pub fn text(&self) -> String {
        let mut text =
            format!("Scenario(name: \"a made-up world\", until: \"{}\", seed: {},\n  dns: (records: r#\"\n", self.until, self.seed);
        self.records.iter().for_each(|line| writeln!(text, "    {line}").unwrap());
        text += "  \"#),\n";
        let lists = [
            ("systems", &self.systems),
            ("faults", &self.faults),
            ("traffic", &self.traffic),
            ("changes", &self.changes),
            ("resolvers", &self.resolvers),
            ("links", &self.links),
        ];
        for (name, entries) in lists {
            writeln!(text, "  {name}: {{").unwrap();
            entries.iter().for_each(|entry| writeln!(text, "    {entry},").unwrap());
            text += "  },\n";
        }
        text + ")\n"
    }

    /// The same with every list in another order.
    pub fn shuffled(&self, luck: u64) -> Self {
        let mut other = self.clone();
        let mut state = luck | 1;
        let World { records, systems, faults, traffic, changes, resolvers, links, .. } = &mut other;
        for list in [records, systems, faults, traffic, changes, resolvers, links] {
            for at in (1..list.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                list.swap(at, (state >> 33) as usize % (at + 1));
            }
        }
        other
    }
}

/// How many receiving machines there are: `mx0` to `mx4`.
pub const MACHINES: usize = 5;
const DOMAINS: usize = 3;

/// Any world.
pub fn any_world() -> impl Strategy<Value = World> {
    let domains = vec(any_domain(), DOMAINS);
    let machines = vec((any_machine(), more_addresses()), MACHINES);
    let senders = vec(any_sender(), 2);
    let until = prop::sample::select(vec!["40m", "5h", "30h"]);
    let beside = (vec(any_change(), 0..3), any_resolvers(), any_links());
    (domains, machines, senders, any_tenant(), any_faults(), vec(any_traffic(), 1..4), until, any::<u32>(), beside).prop_map(
        |(domains, machines, senders, tenant, faults, traffic, until, seed, (changes, resolvers, links))| {
            let mut world = World { until, seed: u64::from(seed), ..World::default() };
            for (at, records) in domains.into_iter().enumerate() {
                world.records.extend(records.into_iter().map(|record| format!("d{at}.test. {record}")));
            }
            for (at, (machine, more)) in machines.into_iter().enumerate() {
                world.records.push(format!("mx{at}.test. 300 IN A 192.0.2.{}", at + 1));
                world.records.extend(more.iter().map(|record| format!("mx{at}.test. 300 IN {}", record.replace("HOST", &at.to_string()))));
                world.systems.push(machine.replace("NAME", &format!("mx{at}")));
            }
            world.systems.extend(senders.iter().enumerate().map(|(at, sender)| sender.replace("NAME", &format!("s{at}"))));
            world.systems.push(tenant);
            world.records.push("d3.test. 300 IN MX 0 d3-test.mail.protection.outlook.com.".to_owned());
            world.faults = faults;
            world.changes = changes.iter().enumerate().map(|(at, change)| format!("\"change {at}\": {change}")).collect();
            (world.resolvers, world.links) = (resolvers, links);
            world.traffic = traffic.iter().enumerate().map(|(at, traffic)| format!("\"t{at}\": {traffic}")).collect();
            world
        },
    )
}

/// Further addresses of a machine, `HOST` for its number.
pub fn more_addresses() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        3 => Just(vec![]),
        2 => subsequence(vec!["A 192.0.2.1HOST", "A 192.0.2.2HOST", "A 192.0.2.3HOST", "AAAA 2001:db8::1:HOST", "AAAA 2001:db8::2:HOST"], 1..=3),
    ]
}

/// The records of one domain: MX lists with everything that people write, or none at all.
fn any_domain() -> impl Strategy<Value = Vec<String>> {
    let target = prop_oneof![
        8 => (0..MACHINES).prop_map(|at| format!("mx{at}.test.")),
        1 => Just("gone.mx0.test.".to_owned()),
    ];
    let preference = prop::sample::select(vec![10_u16, 10, 20, 30]);
    let list =
        vec((preference, target), 1..5).prop_map(|list| list.iter().map(|(preference, host)| format!("MX {preference} {host}")).collect());
    let body = prop_oneof![
        12 => list,
        1 => Just(vec!["MX 0 .".to_owned()]),
        1 => Just(vec!["TXT \"no mail here\"".to_owned()]),
        2 => (1..=MACHINES).prop_map(|at| vec![format!("A 192.0.2.{at}")]),
    ];
    (body, prop::sample::select(vec![0_u32, 60, 3600])).prop_map(|(body, ttl): (Vec<String>, u32)| {
        let mut records: Vec<String> = body.into_iter().map(|data| format!("{ttl} IN {data}")).collect();
        records.sort();
        records.dedup();
        records
    })
}

/// A machine that has the mailboxes, or relays what it takes to whoever is better.
fn any_machine() -> impl Strategy<Value = String> {
    let boxes = prop_oneof![
        4 => Just("mailboxes: [\"*@d0.test\", \"*@d1.test\", \"*@d2.test\", \"*@d3.test\"]"),
        1 => Just("mailboxes: [\"ann@d0.test\", \"*@d1.test\"], relay_domains: [\"d2.test\"]"),
        1 => Just("profile: Postfix, relay_domains: [\"d0.test\", \"d1.test\", \"d2.test\"]"),
        1 => Just("relay_domains: [\"d0.test\", \"d1.test\"]"),
    ];
    let certificate = prop::sample::select(vec!["none", "self-signed", "public"]);
    let extra = prop_oneof![
        6 => Just(""),
        1 => Just(", receives: [Greylist(delay: \"4m\")]"),
        1 => Just(", receives: [RateLimit(messages: 2, per: \"3m\"), Tarpit(phase: Rcpt, delay: \"2s\")]"),
        1 => Just(", service_time: \"exponential 300ms\", sessions: 2"),
        1 => Just(", service_time: \"20s\", sessions: 1, when_full: Reply421"),
        1 => Just(", service_time: \"20s\", sessions: 1, when_full: Silence"),
        1 => Just(", service_time: \"11m\", sessions: 1"),
        1 => Just(", max_message_size: \"20KB\", listeners: { \"smtp\": (without: [\"SIZE\", \"PIPELINING\"]) }"),
        1 => Just(", max_recipients: 2"),
    ];
    (boxes, certificate, extra).prop_map(|(boxes, certificate, extra)| {
        format!("\"NAME\": Mta(hostname: \"NAME.test\", certificate: \"{certificate}\", {boxes}{extra})")
    })
}

fn any_sender() -> impl Strategy<Value = String> {
    let profile = prop::sample::select(vec!["Rfc", "Postfix", "ExchangeOnline"]);
    let extra = prop_oneof![
        6 => Just(""),
        1 => Just(", smart_hosts: [\"[mx0.test]\", \"mx1.test\"]"),
        1 => Just(", routes: { \"d1.test\": [\"[mx2.test]\"] }"),
        1 => Just(", tls: (level: Encrypt)"),
    ];
    (profile, extra).prop_map(|(profile, extra)| format!("\"NAME\": Mta(profile: {profile}, mailboxes: [\"*@NAME.example\"]{extra})"))
}

/// Exchange Online in front of the machines, by whatever connector.
fn any_tenant() -> impl Strategy<Value = String> {
    let connector = prop_oneof![
        2 => Just("use_mx_record: false, smart_hosts: [\"mx0.test\", \"mx1.test\"]"),
        2 => Just("use_mx_record: false, smart_hosts: [\"d0.test\"]"),
        1 => Just("use_mx_record: false, smart_hosts: [\"mx3.test\"], tls_settings: EncryptionOnly"),
        1 => Just("use_mx_record: true"),
    ];
    connector.prop_map(|connector| {
        let home = format!("\"home\": (connector_type: OnPremises, recipient_domains: [\"d3.test\"], {connector})");
        format!("\"eop\": ExchangeOnline(accepted_domains: {{ \"d3.test\": InternalRelay }}, outbound_connectors: {{ {home} }})")
    })
}

/// At most one fault of a kind at a machine, so that no two contradict each other.
fn any_faults() -> impl Strategy<Value = Vec<String>> {
    let kinds = (
        some_machines().prop_flat_map(|at| (Just(at.clone()), vec(any_down(), at.len()))),
        some_machines().prop_flat_map(|at| (Just(at.clone()), vec(any_session_fault(), at.len()))),
        vec(any_dns_fault(), 0..2),
        some_machines().prop_flat_map(|at| (Just(at.clone()), vec(any_overload(), at.len()))),
        prop::option::of(any_line_fault()),
    );
    kinds.prop_map(|((down_at, downs), (session_at, sessions), dns, (slow_at, slow), line)| {
        let at = |name: &str, places: Vec<usize>, faults: Vec<String>| {
            let one = move |(place, fault): (usize, String)| {
                format!("\"{name} mx{place}\": {}", fault.replace("TARGET", &format!("target: \"mx{place}\"")))
            };
            places.into_iter().zip(faults).map(one).collect::<Vec<_>>()
        };
        let mut all = at("down", down_at, downs);
        all.extend(at("session", session_at, sessions));
        all.extend(at("overload", slow_at, slow));
        all.extend(line.map(|fault| format!("\"line\": {fault}")));
        all.extend(dns.into_iter().enumerate().map(|(number, fault)| format!("\"dns {number}\": {fault}")));
        all
    })
}

fn any_overload() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..2, any_window()).prop_map(|(slots, window)| format!("Capacity(TARGET, sessions: {slots}, {window})")),
        any_window().prop_map(|window| format!("Capacity(TARGET, service_time: \"40s\", {window})")),
        (1_u32..400, any_window()).prop_map(|(delay, window)| format!("Tarpit(TARGET, delay: \"{delay}s\", {window})")),
        any_window().prop_map(|window| format!("Greylist(TARGET, delay: \"3m\", {window})")),
        any_window().prop_map(|window| format!("Certificate(TARGET, becomes: \"self-signed\", {window})")),
    ]
}

fn any_line_fault() -> impl Strategy<Value = String> {
    let ends = (prop::sample::select(vec!["s0", "s1", "eop", "internet", "*"]), 0..MACHINES);
    prop_oneof![
        (ends.clone(), any::<bool>(), any_window())
            .prop_map(|((a, b), one_way, window)| format!("Partition(between: (\"{a}\", \"mx{b}\"), one_way: {one_way}, {window})")),
        (ends, 1_u32..60, any_window())
            .prop_map(|((a, b), seconds, window)| format!("Latency(between: (\"{a}\", \"mx{b}\"), add: \"{seconds}s\", {window})")),
    ]
}

/// A dated change of records or of one setting.
fn any_change() -> impl Strategy<Value = String> {
    let at = 1_u32..60;
    prop_oneof![
        (at.clone(), 0..DOMAINS, 0..MACHINES)
            .prop_map(|(at, domain, host)| format!("(at: \"{at}m\", dns: (records: \"d{domain}.test. 60 IN MX 10 mx{host}.test.\"))")),
        (at.clone(), 0..DOMAINS).prop_map(|(at, domain)| format!("(at: \"{at}m\", dns: (remove: [\"d{domain}.test MX\"]))")),
        (at.clone(), 0..MACHINES - 1, 1_u32..4)
            .prop_map(|(at, host, slots)| format!("(at: \"{at}m\", systems: {{ \"mx{host}\": Mta(sessions: {slots}) }})")),
        (at.clone(), 0..MACHINES - 1).prop_map(|(at, host)| format!("(at: \"{at}m\", systems: {{ \"mx{host}\": Mta(mailboxes: []) }})")),
        // What is gone can change no more.
        at.clone().prop_map(|at| format!("(at: \"{at}m\", systems: {{ \"mx{}\": None }})", MACHINES - 1)),
        (at, 0..2_u32).prop_map(|(at, sender)| format!("(at: \"{at}m\", retry_queues: [\"s{sender}\"])")),
    ]
}

fn any_resolvers() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![
        3 => Just(vec![]),
        1 => Just(vec!["\"ours\": (used_by: [\"s0\", \"s1\"], serve_stale: \"1h\", max_ttl: \"5m\")".to_owned()]),
        1 => Just(vec!["\"warm\": (used_by: [\"eop\"], warm: true)".to_owned(), "\"slow\": (used_by: [\"s1\"], latency: \"exponential 2s\")".to_owned()]),
    ]
}

fn any_links() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![2 => Just(vec![]), 1 => (0..MACHINES).prop_map(|at| vec![format!("\"far\": (between: (\"*\", \"mx{at}\"), latency: \"uniform 1ms..900ms\")")])]
}

fn some_machines() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..MACHINES).collect::<Vec<_>>(), 0..=2)
}

fn any_window() -> impl Strategy<Value = String> {
    (0_u32..20, prop_oneof![4 => (1_u32..200).prop_map(|minutes| format!(", lasts: \"{minutes}m\"")), 1 => Just(String::new())])
        .prop_map(|(at, lasts)| format!("at: \"{at}m\"{lasts}"))
}

fn any_down() -> impl Strategy<Value = String> {
    let how = prop::sample::select(vec!["Silent", "Refused", "Unreachable"]);
    prop_oneof![
        4 => (how, any_window()).prop_map(|(how, window)| format!("Down(TARGET, how: {how}, {window})")),
        1 => (1_u32..40, 1_u32..20).prop_map(|(up, down)| format!("Flapping(TARGET, up: \"{up}m\", down: \"{down}m\")")),
    ]
}

fn any_session_fault() -> impl Strategy<Value = String> {
    let code = prop::sample::select(vec!["421 4.3.2 busy", "450 4.2.1 later", "451 4.3.0 local", "550 5.7.1 no", "554 5.3.2 no"]);
    let phase = prop::sample::select(vec!["Banner", "Ehlo", "Mail", "Rcpt", "Data", "FinalDot"]);
    let how = prop::sample::select(vec!["Close", "Reset", "Silence"]);
    let luck = prop::sample::select(vec!["", ", probability: \"40%\"", ", times: 3"]);
    prop_oneof![
        (phase.clone(), code, luck.clone(), any_window())
            .prop_map(|(phase, code, luck, window)| format!("Reply(TARGET, phase: {phase}, code: \"{code}\"{luck}, {window})")),
        (phase, how, luck, any_window())
            .prop_map(|(phase, how, luck, window)| format!("Drop(TARGET, phase: {phase}, how: {how}{luck}, {window})")),
        any_window().prop_map(|window| format!("Drop(TARGET, phase: FinalDot, how: Close, accepted: true, {window})")),
        (prop::sample::select(vec!["Missing", "HandshakeFails", "Closes", "Hangs"]), any_window())
            .prop_map(|(how, window)| format!("Starttls(TARGET, how: {how}, {window})")),
    ]
}

fn any_dns_fault() -> impl Strategy<Value = String> {
    let name = prop_oneof![(0..DOMAINS).prop_map(|at| format!("d{at}.test")), (0..MACHINES).prop_map(|at| format!("mx{at}.test"))];
    let answer = prop::sample::select(vec!["ServFail", "Refused", "Timeout", "NoData", "NxDomain"]);
    (name, answer, any_window()).prop_map(|(name, answer, window)| format!("Dns(name: \"{name}\", answer: {answer}, {window})"))
}

fn any_traffic() -> impl Strategy<Value = String> {
    let from = prop::sample::select(vec!["eve@s0.example", "bob@s1.example", "user#@far.example"]);
    let people = vec!["ann@d0.test", "ben@d0.test", "ann@d1.test", "cid@d2.test", "dan@d3.test"];
    let to = subsequence(people, 1..=3).prop_map(|to| format!("[\"{}\"]", to.join("\", \"")));
    let pace = prop_oneof![
        (1_u32..4, 1_u32..9, 0_u32..15).prop_map(|(count, gap, at)| ("Message", format!("count: {count}, gap: \"{gap}m\", at: \"{at}m\""))),
        (1_u32..12, 0_u32..15).prop_map(|(count, at)| ("Burst", format!("count: {count}, over: \"10s\", at: \"{at}m\""))),
        (1_u32..6, 0_u32..15).prop_map(|(rate, at)| ("Poisson", format!("rate: \"{rate}/min\", at: \"{at}m\", until: \"20m\""))),
    ];
    (pace, from, to).prop_map(|((kind, pace), from, to)| format!("{kind}({pace}, from: \"{from}\", to: {to})"))
}
