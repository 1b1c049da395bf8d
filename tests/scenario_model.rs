//! What does a text mean? Identity, entries, versions, faults: texts in, models looked at.

use mailtwin::Loaded;
use mailtwin::base::{DAY, HOUR, MINUTE, SimTime};
use mailtwin::diag::{Style, render};
use mailtwin::model::Model;
use mailtwin::model::dns::{Outcome, RecordType};
use mailtwin::model::settings::{Directory, Retry, Routing};
use mailtwin::scenario::schema::{System, Traffic};
use mailtwin::scenario::{Loader, load_text};

fn load(inside: &str) -> Loaded {
    let text = format!("Scenario({inside})");
    load_text("x.ron", &text).unwrap_or_else(|invalid| panic!("{}", render(&invalid.problems, &invalid.sources, Style::Plain)))
}

fn said(inside: &str) -> Vec<String> {
    match load_text("x.ron", &format!("Scenario({inside})")) {
        Ok(loaded) => loaded.warnings.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect(),
        Err(invalid) => invalid.problems.iter().map(|problem| format!("{} {}", problem.code.id, problem.message)).collect(),
    }
}

fn addresses(model: &Model, host: &str) -> String {
    let host = model.hosts.iter().find(|known| &*known.name == host).expect("a host");
    host.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn answer(model: &Model, name: &str, kind: RecordType) -> Outcome {
    model.zones[0].lookup_text(&model.names, 0, name, kind).outcome
}

/// The order of names in `{ }` never matters.
#[test]
fn the_order_of_the_text_does_not_matter() {
    let pieces: [(&str, &[&str]); 6] = [
        (
            "systems",
            &[
                r#""mx": Mta(hostname: "mx.dest.test", mailboxes: ["*@dest.test"], smart_hosts: ["[relay.dest.test]"])"#,
                r#""relay": Gateway(hostname: "relay.dest.test", routes: { "a.test": ["[192.0.2.1]"], ".a.test": ["[192.0.2.2]"] })"#,
                r#""org": ExchangeServer(mailboxes: ["*@org.test"], hosts: { "two": (site: "S"), "one": (site: "S") })"#,
                r#""t": ExchangeOnline(accepted_domains: { "t.test": Authoritative }, mailboxes: ["*@t.test"])"#,
                r#""internet": Internet(senders: { "b": (weight: 2, pool: 3), "a": (profile: Postfix) })"#,
            ],
        ),
        ("faults", &[r#""z": Down(target: "mx", at: "1h")"#, r#""a": Reply(target: "relay", phase: Rcpt, code: "450")"#]),
        ("traffic", &[r#""n": Message(from: "x@far.test", to: ["a@dest.test"])"#, r#""m": Message(from: "a@t.test", to: ["b@far.test"])"#]),
        ("groups", &[r#""g": ["mx", "h"]"#, r#""h": ["one"]"#]),
        ("links", &[r#""l": (between: ("mx", "relay"), latency: "1ms")"#, r#""k": (between: ("*", "g"), latency: "2ms")"#]),
        (
            "changes",
            &[r#""d": (at: "2h", dns: (records: "x.test. A 192.0.2.9"))"#, r#""c": (at: "2h", systems: { "mx": Mta(sessions: 5) })"#],
        ),
    ];
    let text = |backwards: bool| {
        let mut fields: Vec<String> = pieces
            .iter()
            .map(|(field, entries)| {
                let mut entries = entries.to_vec();
                if backwards {
                    entries.reverse();
                }
                format!("{field}: {{ {} }}", entries.join(", "))
            })
            .collect();
        fields.push(match backwards {
            false => r#"dns: (records: "d.test. MX 10 a.test.\nd.test. MX 10 b.test.\na.test. A 192.0.2.8\nb.test. A 192.0.2.7")"#.into(),
            true => r#"dns: (records: "b.test. A 192.0.2.7\na.test. A 192.0.2.8\nd.test. MX 10 b.test.\nd.test. MX 10 a.test.")"#.into(),
        });
        fields.join(", ")
    };
    assert_eq!(format!("{:?}", load(&text(false)).model), format!("{:?}", load(&text(true)).model));
}

#[test]
fn addresses_by_records_by_hand_and_made_up() {
    let loaded = load(
        r#"dns: (records: "contoso.com. TXT x\nmail.contoso.com. A 192.0.2.10\nmail.contoso.com. AAAA 2001:db8::10",
                  views: { "inside": (records: "mail.contoso.com. A 10.0.0.10") }),
           systems: {
               "mail": Mta(hostname: "mail.contoso.com"),
               "by hand": Mta(hostname: "hand.contoso.com", addresses: ["192.0.2.11"], egress: "192.0.2.12", forwarded: ["203.0.113.1"]),
               "relay.far.test": Mta(),
               "plain": Mta(),
           }"#,
    );
    let model = &loaded.model;
    assert_eq!(addresses(model, "mail"), "192.0.2.10 2001:db8::10 10.0.0.10");
    assert_eq!(addresses(model, "by hand"), "192.0.2.11");
    assert!(model.host_at("203.0.113.1".parse().unwrap()).is_some() && model.host_at("192.0.2.12".parse().unwrap()).is_none());
    for host in ["relay.far.test", "plain", "internet"] {
        assert!(addresses(model, host).starts_with("198.1"), "{host}: {}", addresses(model, host));
    }
    let is_there = |name, kind| matches!(answer(model, name, kind), Outcome::Records(_));
    assert!(is_there("relay.far.test", RecordType::A), "made up, since no record covers it");
    assert_eq!(answer(model, "hand.contoso.com", RecordType::A), Outcome::NxDomain, "covered, and nobody wrote it");
    assert_eq!(answer(model, "fabrikam.com", RecordType::Mx), Outcome::Internet);
    let reverse = mailtwin::model::dns::reverse_name(addresses(model, "relay.far.test").parse().unwrap());
    assert!(is_there(&reverse, RecordType::Ptr));
}

#[test]
fn an_unrelated_host_moves_nobody() {
    let few = load(r#"systems: { "a": Mta(), "c": Mta() }"#);
    let more =
        load(r#"systems: { "a": Mta(), "b": Mta(), "c": Mta(), "d": ExchangeOnline(accepted_domains: { "d.test": Authoritative }) }"#);
    for host in ["a", "c", "internet"] {
        assert_eq!(addresses(&few.model, host), addresses(&more.model, host));
    }
    let key = |loaded: &Loaded| loaded.model.hosts.iter().find(|host| &*host.name == "c").map(|host| host.key);
    assert_eq!(key(&few), key(&more));
}

#[test]
fn names_of_microsoft() {
    let loaded =
        load(r#"systems: { "t": ExchangeOnline(accepted_domains: { "mail.contoso.com": Authoritative, "x.test": InternalRelay }) }"#);
    let is_there = |name, kind| matches!(answer(&loaded.model, name, kind), Outcome::Records(_));
    let cases = [
        ("mail-contoso-com.mail.protection.outlook.com", RecordType::A, true),
        ("x-test.mail.protection.outlook.com", RecordType::A, true),
        ("other-test.mail.protection.outlook.com", RecordType::A, false),
        ("mail.onmicrosoft.com", RecordType::Mx, true),
        ("mail.mail.onmicrosoft.com", RecordType::Mx, true),
        ("smtp.office365.com", RecordType::A, true),
        ("spf.protection.outlook.com", RecordType::Txt, true),
        ("x.test", RecordType::Mx, false),
    ];
    for (name, kind, expected) in cases {
        assert_eq!(is_there(name, kind), expected, "{name} {kind}");
    }
}

#[test]
fn where_a_message_enters() {
    let loaded = load(
        r#"systems: {
               "t": ExchangeOnline(accepted_domains: { "t.test": InternalRelay }, mailboxes: ["cloud@t.test"]),
               "org": ExchangeServer(mailboxes: ["*@t.test"], hosts: { "one": (), "two": (mailboxes: ["pinned@t.test"]) }),
               "mx": Mta(mailboxes: ["*"]),
           },
           traffic: {
               "a": Message(from: "cloud@t.test", to: ["x@far.test"]),
               "b": Message(from: "anna@t.test", to: ["x@far.test"]),
               "c": Message(from: "pinned@t.test", to: ["x@far.test"]),
               "d": Message(from: "x@far.test", to: ["anna@t.test"]),
               "e": Message(by: "internet", from: "anna@t.test", to: ["anna@t.test"]),
               "f": Message(by: "two", from: "<>", to: ["anna@t.test"]),
               "g": Message(by: "exchange-online", from: "<>", to: ["anna@t.test"]),
           }"#,
    );
    let model = &loaded.model;
    let name = |host: &mailtwin::base::HostId| model.hosts[host.index()].name.to_string();
    let entries: Vec<String> = model
        .sources
        .iter()
        .map(|source| {
            let hosts: Vec<String> = source.entries.iter().map(|(host, _)| name(host)).collect();
            let tenant = source.tenant.map_or("-", |id| &model.systems[id.index()].name);
            format!("{} {tenant} {}", source.name, if hosts.len() > 2 { hosts.len().to_string() } else { hosts.join(",") })
        })
        .collect();
    assert_eq!(entries, ["a t 8", "b - one,two", "c - two", "d - mx", "e - internet", "f - two", "g t 8"]);
}

#[test]
fn the_internet_sends_by_kinds() {
    let loaded = load(
        r#"systems: { "internet": Internet(senders: {
               "postfix": (weight: 70, profile: Postfix, resolvers: 4),
               "exo": (weight: 25, profile: ExchangeOnline, pool: 2),
               "scripts": (weight: 5, profile: NoRetry),
           }) },
           traffic: { "m": Message(from: "user#@sender#.example", to: ["a@b.test"]) }"#,
    );
    let model = &loaded.model;
    let mut shares = std::collections::BTreeMap::new();
    for (host, weight) in &model.sources[0].entries {
        let name = model.hosts[host.index()].name.split('#').next().unwrap().to_owned();
        let (count, sum) = shares.entry(name).or_insert((0, 0));
        (*count, *sum) = (*count + 1, *sum + weight);
    }
    let whole: u32 = shares.values().map(|(_, sum)| sum).sum();
    let shares: Vec<_> = shares.iter().map(|(name, (count, sum))| (name.as_str(), *count, sum * 100 / whole)).collect();
    assert_eq!(shares, [("exo", 2, 25), ("postfix", 4, 70), ("scripts", 1, 5)]);
    let first = model.systems[model.internet.index()].hosts[0];
    assert_eq!(&*model.hosts[first.index()].name, "internet", "the machine that takes mail stands first");
    let caches: std::collections::BTreeSet<_> =
        model.hosts.iter().filter(|host| host.name.starts_with("postfix#")).map(|host| host.resolver).collect();
    assert_eq!(caches.len(), 4);
}

#[test]
fn one_version_for_each_change() {
    let loaded = load(
        r#"systems: { "mx": Mta(profile: Postfix, settings: { "queue_run_delay": "60s" }), "b": Mta() },
           dns: (records: "d.test. 300 MX 10 a.test.\na.test. A 192.0.2.1"),
           changes: {
               "2 later": (at: "2h", systems: { "mx": Mta(sessions: 5) }),
               "1 soon": (at: "1h", dns: (records: "d.test. 60 MX 10 a.test."), retry_queues: ["mx"]),
               "3 other server": (at: "3h", systems: { "mx": Mta(profile: Rfc) }),
               "4 back": (at: "4h", systems: { "mx": Mta(profile: Postfix, settings: { "queue_run_delay": "60s" }) }),
               "5 gone": (at: "5h", systems: { "b": None }),
           }"#,
    );
    let model = &loaded.model;
    let names: Vec<&str> = model.versions.iter().map(|version| &*version.name).collect();
    assert_eq!(names, ["", "1 soon", "2 later", "3 other server", "4 back", "5 gone"]);
    let mx = model.hosts.iter().position(|host| &*host.name == "mx").unwrap();
    let configs: Vec<_> = model.versions.iter().map(|version| version.configs[mx]).collect();
    assert!(
        configs[0] == configs[1]
            && configs[1] != configs[2]
            && configs[2] != configs[3]
            && configs[4] == configs[2]
            && configs[5] == configs[4]
    );
    let zones: Vec<u32> = model.versions.iter().map(|version| version.zones.0).collect();
    assert_eq!(zones, [0, 1, 1, 1, 1, 1]);
    assert_eq!(model.versions[1].retry_queues.len(), 1);
    let b = model.hosts.iter().position(|host| &*host.name == "b").unwrap();
    assert!(model.config(model.versions[5].configs[b]).receiver.listeners.is_empty(), "a machine that was taken away answers no more");
}

#[test]
fn which_fault_counts() {
    let loaded = load(
        r#"systems: { "mx": Mta(receives: [Reply(phase: Rcpt, code: "450 4.7.1", recipient: "alice@dest.test"), Greylist(delay: "5m")]) },
           faults: {
               "a wide": Reply(target: "mx", phase: Rcpt, code: "451"),
               "b later": Reply(target: "mx", phase: Rcpt, code: "452", at: "1h"),
               "c narrow": Reply(target: "mx", phase: Rcpt, code: "550", recipient: "bob@*"),
               "d exact": Reply(target: "mx", phase: Rcpt, code: "551", recipient: "bob@dest.test"),
           }"#,
    );
    let model = &loaded.model;
    let mx = model.hosts.iter().position(|host| &*host.name == "mx").unwrap();
    let order: Vec<&str> = model.host_faults[mx].session.iter().map(|at| &*model.faults[*at as usize].name).collect();
    assert_eq!(order, ["d exact", "c narrow", "b later", "a wide", "mx receives 1", "mx receives 2"]);
}

#[test]
fn routes_closest_first() {
    let loaded = load(
        r#"systems: { "mx": Mta(routes: {
               "*": ["[192.0.2.1]"], ".test": ["[192.0.2.2]"], "a.dest.test": ["[192.0.2.3]"], ".dest.test": ["[192.0.2.4]"], "dest.test": ["[192.0.2.5]"],
           }) }"#,
    );
    let model = &loaded.model;
    let mx = model.hosts.iter().position(|host| &*host.name == "mx").unwrap();
    let Routing::Mta { routes, .. } = &model.config(model.versions[0].configs[mx]).sender.routing else { panic!("routes") };
    let order: Vec<&str> = routes.iter().map(|route| &*route.pattern).collect();
    assert_eq!(order, ["a.dest.test", "dest.test", ".dest.test", ".test", "*"]);
}

#[test]
fn the_service_by_era() {
    let tenant = r#"systems: { "t": ExchangeOnline(accepted_domains: { "t.test": Authoritative }) }"#;
    let cases = [
        ("", DAY, 15 * MINUTE),
        (r#"start: "2014-06-01","#, 2 * DAY, 5 * MINUTE),
        (r#"start: "2012-10-30","#, 5 * DAY, 20 * MINUTE),
        (r#"start: "2026-03-02","#, DAY, 15 * MINUTE),
        (r#"start: "2026-03-02", exchange_online: (era: Eop2014),"#, 2 * DAY, 5 * MINUTE),
    ];
    for (fields, lifetime, first) in cases {
        let loaded = load(&format!("{fields} {tenant}"));
        let model = &loaded.model;
        let host = model.hosts.iter().position(|host| host.name.starts_with("exchange-online#")).unwrap();
        let config = model.config(model.versions[0].configs[host]);
        let Retry::Steps { waits_ns, lifetime_ns, .. } = &config.sender.retry else { panic!("steps") };
        assert_eq!((*lifetime_ns, waits_ns[0]), (lifetime, first), "{fields}");
        assert!(matches!(&config.receiver.directory, Directory::Tenants(tenants) if tenants.len() == 1));
    }
}

#[test]
fn overlays_and_single_messages() {
    let loaded = load(
        r#"start: "2026-03-02", systems: { "mx": Mta(mailboxes: ["*@dest.test"]) },
           variants: { "busy": (systems: { "mx": Mta(sessions: 1) }) },
           traffic: { "m": Message(at: "2026-03-02 01:00", from: "a@far.test", to: ["b@dest.test"]) }"#,
    );
    let busy = loaded.with(&[loaded.tree.variants.get("busy").unwrap()]).unwrap();
    let sessions = |loaded: &Loaded| {
        let mx = loaded.model.hosts.iter().position(|host| &*host.name == "mx").unwrap();
        loaded.model.config(loaded.model.versions[0].configs[mx]).receiver.sessions
    };
    assert_eq!((sessions(&loaded), sessions(&busy)), (100, 1));
    let mut loader = Loader::new();
    let tree = loader
        .text("send", r#"Scenario(traffic: { "s": Message(at: "2026-03-02 02:00", from: "b@dest.test", to: ["c@far.test"]) })"#)
        .unwrap();
    let Some(Traffic::Message(message)) = tree.traffic.get("s") else { panic!("a message") };
    let source = loaded.send("s", message).unwrap();
    assert_eq!(source.entries.len(), 1);
    let mailtwin::model::traffic::Schedule::Fixed { at, .. } = source.schedule else { panic!("fixed") };
    assert_eq!(at, SimTime(2 * HOUR));
    let tree = loader.text("send", r#"Scenario(traffic: { "s": Message(from: "<>", to: ["c@far.test"]) })"#).unwrap();
    let Some(Traffic::Message(message)) = tree.traffic.get("s") else { panic!("a message") };
    assert_eq!(loaded.send("s", message).unwrap_err()[0].code.id, "MT0107");
    assert!(matches!(loaded.tree.systems.get("mx"), Some(System::Mta(_))));
}

#[test]
fn worth_knowing() {
    let cases: [(&str, &[&str]); 5] = [
        (
            r#"dns: (records: "d.test. MX 10 mx.d.test.\nmx.d.test. CNAME a.d.test.\na.d.test. A 192.0.2.1"), systems: { "a": Mta(hostname: "a.d.test") }"#,
            &["MT0112 the MX target `mx.d.test` is an alias, which RFC 2181 §10.3 forbids and servers follow all the same"],
        ),
        (
            r#"dns: (records: "d.test. MX 10 mx.d.test.\nmx.d.test. A 192.0.2.1\nwww.d.test. A 192.0.2.2")"#,
            &["MT0110 no host answers at 192.0.2.1: a connection there gets no answer"],
        ),
        (
            r#"dns: (records: "d.test. MX 10 mial.d.test.\nmail.d.test. A 192.0.2.1"), systems: { "mail": Mta(hostname: "mail.d.test") }"#,
            &["MT0111 the MX target `mial.d.test` does not exist: the scenario speaks for names there, and this one owns no record"],
        ),
        (
            r#"certificates: { "c": (subject: "a.test", issuer: "DigiCert Global CA") }"#,
            &["MT0101 `DigiCert Global CA` is not among the `authorities`, so it is taken for a public one that everybody trusts"],
        ),
        (r#"dns: (records: "d.test. MX 10 gone.d.test.\nd.test. MX 20 else.where.test.", rest: NxDomain)"#, &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(said(text), expected, "{text}");
    }
}
