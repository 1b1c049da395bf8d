//! Does SPF say what RFC 7208 says?
//!
//! Two bodies of cases. Our own table, below, runs always. The public test suite of the SPF project (`rfc7208-tests.yml`, release
//! 2014.04, BSD licence of its own) is not part of this repository; where there is a copy of it, run it so:
//!
//! ```text
//! python3 -c 'import json,sys,yaml; json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout, default=str)' < rfc7208-tests.yml > suite.json
//! MAILTWIN_SPF_SUITE=suite.json cargo test --test spf -- --nocapture
//! ```
//! Compared is the result, not the explanation text. Where the suite allows several results, any of them counts.

use mailtwin::decide::authentication::DnsAnswer;
use mailtwin::decide::authentication::spf::{SpfQuestion, check_spf};
use mailtwin::model::dns::{RecordData, RecordType};
use serde_json::Value;
use std::collections::BTreeMap;

/// One line of data: `None` is the point from where on nobody answers.
type Zone = BTreeMap<String, Vec<Option<RecordData<Box<str>>>>>;

fn lookup(zone: &Zone, name: &str, record_type: RecordType, depth: u32) -> DnsAnswer {
    let Some(lines) = zone.get(&name.to_ascii_lowercase()) else { return DnsAnswer::NxDomain };
    let mut found = Vec::new();
    for line in lines {
        match line {
            None if found.is_empty() => return DnsAnswer::Failed("timeout"),
            None => break,
            Some(data) if data.record_type() == record_type => found.push(data.clone()),
            Some(RecordData::Cname(target)) if depth < 8 => return lookup(zone, target, record_type, depth + 1),
            Some(_) => {}
        }
    }
    if found.is_empty() { DnsAnswer::NoData } else { DnsAnswer::Records(found) }
}

fn check(zone: &Zone, client: &str, helo: &str, mail_from: &str) -> (&'static str, Vec<String>) {
    let question = SpfQuestion { client: client.parse().expect("an address"), helo, mail_from };
    let decision = check_spf(&question, &mut |name: &str, record_type| lookup(zone, name, record_type, 0));
    assert!(!decision.chosen.is_empty(), "{mail_from}: a decision without a reason");
    let reasons = decision.passed_over.iter().chain(&decision.chosen);
    (decision.outcome.result.as_str(), reasons.map(|reason| format!("{} {}: {}", reason.rule, reason.name, reason.why)).collect())
}

fn name(text: &str) -> Box<str> {
    text.strip_suffix('.').unwrap_or(text).into()
}

/// `owner TYPE data` per line; `owner FAILS` where nobody answers.
fn own_zone() -> Zone {
    let mut zone = Zone::new();
    for line in OWN_ZONE.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let owner = words.next().unwrap().to_owned();
        let kind = words.next().unwrap_or_else(|| panic!("{line}"));
        let data = words.next().unwrap_or("");
        let data = match kind {
            "FAILS" => None,
            "A" => Some(RecordData::A(data.parse().unwrap())),
            "AAAA" => Some(RecordData::Aaaa(data.parse().unwrap())),
            "TXT" => Some(RecordData::Txt(data.as_bytes().into())),
            "PTR" => Some(RecordData::Ptr(name(data))),
            "CNAME" => Some(RecordData::Cname(name(data))),
            "MX" => Some(RecordData::Mx { preference: 10, exchange: name(data) }),
            _ => panic!("{line}"),
        };
        zone.entry(owner).or_default().push(data);
    }
    for host in 0..11 {
        zone.entry("eleven.test".to_owned())
            .or_default()
            .push(Some(RecordData::Mx { preference: host, exchange: format!("h{host}.test").into() }));
        zone.entry("11.2.0.192.in-addr.arpa".to_owned()).or_default().push(Some(RecordData::Ptr(format!("h{host}.test").into())));
        zone.entry(format!("h{host}.test")).or_default().push(Some(RecordData::A(format!("192.0.2.{}", 100 + host).parse().unwrap())));
    }
    zone.entry("h10.test".to_owned()).or_default().push(Some(RecordData::A("192.0.2.11".parse().unwrap())));
    zone.entry("h9.test".to_owned()).or_default().push(Some(RecordData::A("192.0.2.12".parse().unwrap())));
    zone
}

const OWN_ZONE: &str = "
    all.test TXT v=spf1 -all
    soft.test TXT v=spf1 ~all
    open.test TXT v=spf1 +all
    unsure.test TXT v=spf1 ?all
    empty.test TXT v=spf1
    upper.test TXT V=SPF1 IP4:192.0.2.10 -ALL
    other.test TXT v=spf10 -all
    other.test TXT google-site-verification=x
    two.test TXT v=spf1 -all
    two.test TXT v=spf1 +all
    beside.test TXT v=DKIM1; k=rsa
    beside.test TXT v=spf1 ip4:192.0.2.10 -all
    down.test FAILS
    alias.test CNAME upper.test
    net.test TXT v=spf1 ip4:192.0.2.0/24 -all
    zero.test TXT v=spf1 ip4:198.51.100.1/0 -all
    six.test TXT v=spf1 ip6:2001:db8:1::/48 -all
    sixzero.test TXT v=spf1 ip6:::/0 -all
    a.test TXT v=spf1 a -all
    a.test A 192.0.2.10
    a.test AAAA 2001:db8::10
    wide.test TXT v=spf1 a/24//64 -all
    wide.test A 192.0.2.200
    wide.test AAAA 2001:db8::1
    elsewhere.test TXT v=spf1 a:a.test -all
    broken-a.test TXT v=spf1 a:down.test -all
    late.test TXT v=spf1 ip4:192.0.2.10 a:down.test -all
    mx.test TXT v=spf1 mx -all
    mx.test MX nowhere.test
    mx.test MX a.test
    mxdown.test TXT v=spf1 mx:half.test -all
    half.test MX down.test
    nullmx.test TXT v=spf1 mx:null.test -all
    null.test MX .
    noimplicit.test TXT v=spf1 mx:a.test -all
    mxmany.test TXT v=spf1 mx:eleven.test -all
    10.2.0.192.in-addr.arpa PTR liar.example
    10.2.0.192.in-addr.arpa PTR out.ptr.test
    12.2.0.192.in-addr.arpa PTR h9.test
    13.2.0.192.in-addr.arpa FAILS
    liar.example A 203.0.113.1
    out.ptr.test A 192.0.2.10
    ptr.test TXT v=spf1 ptr -all
    ptrother.test TXT v=spf1 ptr:liar.example -all
    ptrh.test TXT v=spf1 ptr:h9.test -all
    ptrten.test TXT v=spf1 ptr:h10.test -all
    exists.test TXT v=spf1 exists:%{ir}.list.test -all
    10.2.0.192.list.test A 127.0.0.2
    byuser.test TXT v=spf1 exists:%{l}.users.%{d} -all
    olga.users.byuser.test A 127.0.0.2
    valid.test TXT v=spf1 exists:%{p}.seen.test -all
    out.ptr.test.seen.test A 127.0.0.2
    inc.test TXT v=spf1 include:net.test -all
    incfail.test TXT v=spf1 include:all.test ip4:192.0.2.10 -all
    incneutral.test TXT v=spf1 include:unsure.test ~all
    incnone.test TXT v=spf1 include:nopolicy.test -all
    incdown.test TXT v=spf1 include:down.test -all
    incbad.test TXT v=spf1 include:two.test -all
    incnot.test TXT v=spf1 -include:net.test +all
    nopolicy.test A 192.0.2.10
    red.test TXT v=spf1 redirect=net.test
    redall.test TXT v=spf1 redirect=open.test -all
    rednone.test TXT v=spf1 redirect=nopolicy.test
    redloop.test TXT v=spf1 redirect=redloop.test
    incloop.test TXT v=spf1 include:incloop.test -all
    ten.test TXT v=spf1 a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test -all
    over.test TXT v=spf1 a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test -all
    overmatched.test TXT v=spf1 ip4:192.0.2.10 a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test a:a.test
    void2.test TXT v=spf1 a:no1.test a:no2.test -all
    void3.test TXT v=spf1 a:no1.test a:no2.test exists:no3.test -all
    voidnodata.test TXT v=spf1 a:all.test a:soft.test mx:open.test -all
    typo.test TXT v=spf1 ip4:192.0.2.10 -al
    typolate.test TXT v=spf1 +all ipv4:192.0.2.10
    mod.test TXT v=spf1 note=%{d} ip4:192.0.2.10 -all
    expgone.test TXT v=spf1 exp=no1.test -all
    expbad.test TXT v=spf1 exp=%{x}.test -all
    macrobad.test TXT v=spf1 exists:%{d0}.test -all
    long.test TXT v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.fits.test -all
    helo.test TXT v=spf1 ip4:192.0.2.10 -all
    byhelo.test TXT v=spf1 exists:%{h}.known.test -all
    helo.test.known.test A 127.0.0.1
    mapped.test TXT v=spf1 ip6:::ffff:192.0.2.10 -all
";

#[test]
fn own_table() {
    let zone = own_zone();
    let (here, v6) = ("192.0.2.10", "2001:db8::10");
    let cases = [
        // which policy
        ("nobody is allowed", here, "olga@all.test", "fail"),
        ("soft", here, "olga@soft.test", "softfail"),
        ("everybody is allowed", here, "olga@open.test", "pass"),
        ("no opinion", here, "olga@unsure.test", "neutral"),
        ("a policy without terms", here, "olga@empty.test", "neutral"),
        ("case does not matter", here, "olga@UPPER.test", "pass"),
        ("a version that only begins alike", here, "olga@other.test", "none"),
        ("two policies", here, "olga@two.test", "permerror"),
        ("other texts do not matter", here, "olga@beside.test", "pass"),
        ("a name without texts", here, "olga@out.ptr.test", "none"),
        ("a name that does not exist", here, "olga@nothing.test", "none"),
        ("nobody answers", here, "olga@down.test", "temperror"),
        ("through an alias", here, "olga@alias.test", "pass"),
        ("one label is no domain", here, "olga@test", "none"),
        ("an address literal is no domain", here, "olga@[192.0.2.10]", "none"),
        ("an empty label", here, "olga@a..test", "none"),
        // networks
        ("in the network", here, "olga@net.test", "pass"),
        ("beside the network", "192.0.3.10", "olga@net.test", "fail"),
        ("no bit counts", "203.0.113.77", "olga@zero.test", "pass"),
        ("IPv6 client, IPv4 network", v6, "olga@zero.test", "fail"),
        ("in the IPv6 network", "2001:db8:1:2::3", "olga@six.test", "pass"),
        ("beside the IPv6 network", "2001:db8:2::3", "olga@six.test", "fail"),
        ("no IPv6 bit counts", v6, "olga@sixzero.test", "pass"),
        ("IPv4 inside of IPv6 is IPv4", "::ffff:192.0.2.10", "olga@net.test", "pass"),
        ("an IPv6 term for it never matches", "::ffff:192.0.2.10", "olga@mapped.test", "fail"),
        // a, mx
        ("own address", here, "olga@a.test", "pass"),
        ("own IPv6 address", v6, "olga@a.test", "pass"),
        ("another address", "192.0.2.11", "olga@a.test", "fail"),
        ("same /24", here, "olga@wide.test", "pass"),
        ("same /64", v6, "olga@wide.test", "pass"),
        ("address of another name", here, "olga@elsewhere.test", "pass"),
        ("its lookup fails", here, "olga@broken-a.test", "temperror"),
        ("a failure behind the match is never met", here, "olga@late.test", "pass"),
        ("second MX, the first has no address", here, "olga@mx.test", "pass"),
        ("no MX has it", "192.0.2.11", "olga@mx.test", "fail"),
        ("address of an MX is not to be had", here, "olga@mxdown.test", "temperror"),
        ("null MX", here, "olga@nullmx.test", "fail"),
        ("no MX: the address does not count instead", here, "olga@noimplicit.test", "fail"),
        ("eleven MX", "192.0.2.100", "olga@mxmany.test", "permerror"),
        // ptr, exists
        ("a name below that leads back", here, "olga@ptr.test", "pass"),
        ("a name that does not lead back", here, "olga@ptrother.test", "fail"),
        ("address without name", "192.0.2.99", "olga@ptr.test", "fail"),
        ("PTR fails: no match", "192.0.2.13", "olga@ptr.test", "fail"),
        ("the name itself leads back", "192.0.2.12", "olga@ptrh.test", "pass"),
        ("the eleventh name is not looked at", "192.0.2.11", "olga@ptrten.test", "fail"),
        ("listed address", here, "olga@exists.test", "pass"),
        ("address not listed", "192.0.2.11", "olga@exists.test", "fail"),
        ("listed user", here, "olga@byuser.test", "pass"),
        ("user not listed", here, "maria@byuser.test", "fail"),
        ("validated name in a macro", here, "olga@valid.test", "pass"),
        ("no validated name is `unknown`", "192.0.2.99", "olga@valid.test", "fail"),
        // include, redirect
        ("included", here, "olga@inc.test", "pass"),
        ("not included", "203.0.113.1", "olga@inc.test", "fail"),
        ("a fail inside does not count", here, "olga@incfail.test", "pass"),
        ("a neutral inside does not count", here, "olga@incneutral.test", "softfail"),
        ("included domain without policy", here, "olga@incnone.test", "permerror"),
        ("included domain does not answer", here, "olga@incdown.test", "temperror"),
        ("included policy is broken", here, "olga@incbad.test", "permerror"),
        ("whoever is included fails", here, "olga@incnot.test", "fail"),
        ("redirected", here, "olga@red.test", "pass"),
        ("redirected, not allowed there", "203.0.113.1", "olga@red.test", "fail"),
        ("`all` makes the redirect void", here, "olga@redall.test", "fail"),
        ("redirected to a domain without policy", here, "olga@rednone.test", "permerror"),
        ("redirected in a circle", here, "olga@redloop.test", "permerror"),
        ("included in a circle", here, "olga@incloop.test", "permerror"),
        // limits
        ("ten terms that ask", "192.0.2.11", "olga@ten.test", "fail"),
        ("eleven terms that ask", "192.0.2.11", "olga@over.test", "permerror"),
        ("the match comes before the limit", here, "olga@overmatched.test", "pass"),
        ("two void lookups", here, "olga@void2.test", "fail"),
        ("three void lookups", here, "olga@void3.test", "permerror"),
        ("no data is void too", here, "olga@voidnodata.test", "permerror"),
        // syntax
        ("a mistake behind the match", here, "olga@typo.test", "permerror"),
        ("a mistake behind `all`", here, "olga@typolate.test", "permerror"),
        ("unknown modifier", here, "olga@mod.test", "pass"),
        ("explanation that does not exist", here, "olga@expgone.test", "fail"),
        ("explanation with a bad macro", here, "olga@expbad.test", "permerror"),
        ("a macro that keeps nothing", here, "olga@macrobad.test", "permerror"),
        ("too long a name is cut", here, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff@long.test", "fail"),
        // identity
        ("null sender: HELO counts", here, "", "pass"),
        ("null sender, other address", "192.0.2.11", "", "fail"),
        ("no local part", here, "@helo.test", "pass"),
        ("HELO in a macro", here, "olga@byhelo.test", "pass"),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(case, client, mail_from, expected)| {
            let (result, reasons) = check(&zone, client, "helo.test", mail_from);
            (result != *expected)
                .then(|| format!("{case}: {mail_from} from {client} is {result}, not {expected}\n  {}", reasons.join("\n  ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 60, "a table of at least 60 cases");
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// The data of one scenario of the suite: `SPF` stands for `TXT` too, unless the name has a `TXT` of its own.
fn suite_zone(data: &Value) -> Zone {
    let mut zone = Zone::new();
    for (owner, lines) in data.as_object().expect("names") {
        let lines = lines.as_array().expect("records of a name");
        let has_text = lines.iter().any(|line| line.get("TXT").is_some());
        let own = zone.entry(owner.to_ascii_lowercase()).or_default();
        for line in lines {
            let Some(record) = line.as_object() else {
                assert_eq!(line, "TIMEOUT");
                own.push(None);
                continue;
            };
            for (kind, value) in record {
                let values = texts(value);
                let joined = values.concat();
                match &**kind {
                    _ if joined == "TIMEOUT" => own.push(None),
                    "TXT" if joined == "NONE" => {}
                    "SPF" if has_text => {}
                    "TXT" | "SPF" => own.push(Some(RecordData::Txt(joined.as_bytes().into()))),
                    "A" => own.push(Some(RecordData::A(joined.parse().unwrap()))),
                    "AAAA" => own.push(Some(RecordData::Aaaa(joined.parse().unwrap()))),
                    "PTR" => own.push(Some(RecordData::Ptr(name(&joined)))),
                    "CNAME" => own.push(Some(RecordData::Cname(name(&joined)))),
                    "MX" => own.push(Some(RecordData::Mx { preference: values[0].parse().unwrap(), exchange: name(&values[1]) })),
                    _ => panic!("{owner}: {kind}"),
                }
            }
        }
    }
    zone
}

#[test]
fn public_suite() {
    let Some(path) = std::env::var_os("MAILTWIN_SPF_SUITE") else { return };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let suite: Vec<Value> = serde_json::from_str(&text).expect("the suite as JSON");
    let (mut agreed, mut total, mut wrong) = (0, 0, Vec::new());
    for scenario in &suite {
        let zone = suite_zone(&scenario["zonedata"]);
        for (case, test) in scenario["tests"].as_object().expect("tests") {
            let field = |name: &str| test[name].as_str().unwrap_or_default().to_owned();
            let (result, reasons) = check(&zone, &field("host"), &field("helo"), &field("mailfrom"));
            total += 1;
            if texts(&test["result"]).iter().any(|allowed| allowed == result) {
                agreed += 1;
            } else {
                wrong.push(format!("{case}: {result}, not {}\n  {}", test["result"], reasons.join("\n  ")));
            }
        }
    }
    println!("agreement spf {agreed}/{total}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
