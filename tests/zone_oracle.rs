//! Does our reader of master files see the same records as the `domain` crate, in what both understand?
//!
//! Generated texts vary in everything that leaves the meaning alone: relative names, blank owners, order of TTL and class,
//! parentheses, comments, escapes, case. Units of time and `@…256:` data are ours alone and stay out. Any text at all must be
//! read without a panic, with places that lie inside it.

use domain::base::iana::Class;
use domain::base::name::ToLabelIter;
use domain::rdata::ZoneRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use mailtwin::model::dns::{RecordData, Soa, Tlsa, TlsaData};
use mailtwin::scenario::zone::{Severity, codes, dedent, read};
use proptest::prelude::*;

type Row = (String, u32, RecordData<Box<str>>);

/// What our reader says. The oracle does not look at records together, so what is wrong with a set is not counted.
fn ours(text: &str) -> Result<Vec<Row>, String> {
    let zone = read(text, &mut |_| Err("there are no files here".to_owned()));
    match zone.problems.iter().find(|problem| problem.severity == Severity::Error && !matches!(problem.code, codes::ALIAS | codes::SOA)) {
        Some(problem) => Err(format!("{problem:?}")),
        None => Ok(zone.records.into_iter().map(|record| (record.owner.into(), record.ttl_seconds, record.data)).collect()),
    }
}

/// What the oracle says, in our words.
fn theirs(text: &str) -> Result<Vec<Row>, String> {
    let mut file = Zonefile::new();
    file.extend_from_slice(text.as_bytes());
    file.set_default_class(Class::IN);
    let mut rows = Vec::new();
    while let Some(entry) = file.next_entry().map_err(|error| error.to_string())? {
        let Entry::Record(record) = entry else { return Err("an include".to_owned()) };
        let data = match record.data() {
            ZoneRecordData::A(data) => RecordData::A(data.addr()),
            ZoneRecordData::Aaaa(data) => RecordData::Aaaa(data.addr()),
            ZoneRecordData::Mx(data) => RecordData::Mx { preference: data.preference(), exchange: normal(data.exchange()) },
            ZoneRecordData::Cname(data) => RecordData::Cname(normal(data.cname())),
            ZoneRecordData::Ns(data) => RecordData::Ns(normal(data.nsdname())),
            ZoneRecordData::Ptr(data) => RecordData::Ptr(normal(data.ptrdname())),
            ZoneRecordData::Txt(data) => RecordData::Txt(data.iter().flatten().copied().collect()),
            ZoneRecordData::Srv(data) => {
                RecordData::Srv { priority: data.priority(), weight: data.weight(), port: data.port(), target: normal(data.target()) }
            }
            ZoneRecordData::Soa(data) => RecordData::Soa(Soa {
                primary: normal(data.mname()),
                contact: normal(data.rname()),
                serial: data.serial().into_int(),
                refresh_seconds: data.refresh().as_secs(),
                retry_seconds: data.retry().as_secs(),
                expire_seconds: data.expire().as_secs(),
                minimum_seconds: data.minimum().as_secs(),
            }),
            ZoneRecordData::Tlsa(data) => RecordData::Tlsa(Tlsa {
                usage: data.usage().to_int(),
                selector: data.selector().to_int(),
                matching: data.matching_type().to_int(),
                data: TlsaData::Bytes(data.data().as_ref().into()),
            }),
            other => return Err(format!("{other:?}")),
        };
        rows.push((normal(record.owner()).into(), record.ttl().as_secs(), data));
    }
    Ok(rows)
}

/// A name of the oracle in our normal form.
fn normal(name: &impl ToLabelIter) -> Box<str> {
    let labels = name.iter_labels().filter(|label| !label.is_root()).map(|label| {
        let bytes = label.as_slice().iter().map(|byte| match byte.to_ascii_lowercase() {
            special @ (b'.' | b'\\') => format!("\\{}", char::from(special)),
            graphic if graphic.is_ascii_graphic() => char::from(graphic).to_string(),
            other => format!("\\{other:03}"),
        });
        bytes.collect::<String>()
    });
    labels.collect::<Vec<_>>().join(".").into()
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-zA-Z0-9_][a-zA-Z0-9_-]{0,6}",
        1 => "[a-z]{1,3}\\\\\\.[a-z]{1,3}",
        1 => "[a-z]\\\\(06[5-9]|032|200|000|\\\\|\\(|;|\")[a-z]?",
    ]
}

/// A name as written, relative or complete. (`@` in data is the origin for us, a label for the oracle.)
fn name() -> impl Strategy<Value = String> {
    let labels = || prop::collection::vec(label(), 1..4).prop_map(|labels| labels.join("."));
    prop_oneof![4 => labels(), 3 => labels().prop_map(|name| name + ".")]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "\"[ -!#-\\[\\]-~]{0,20}\"",
        1 => "[a-z=:]{1,8}",
        1 => "\"[a-z]{0,3}(\\\\\"|\\\\\\\\|\\\\065|\\\\200|;|\\(|\\))[a-z]{0,3}\"",
    ]
}

fn data() -> impl Strategy<Value = String> {
    let hex = prop::collection::vec("[0-9a-fA-F]{2}", 1..40).prop_map(|bytes| bytes.concat());
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| format!("A {address}")),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("AAAA {address}")),
        (any::<u16>(), prop_oneof![6 => name(), 1 => Just(".".to_owned())])
            .prop_map(|(preference, host)| format!("MX {preference} {host}")),
        name().prop_map(|name| format!("CNAME {name}")),
        name().prop_map(|name| format!("ns {name}")),
        name().prop_map(|name| format!("PTR {name}")),
        prop::collection::vec(text(), 1..4).prop_map(|texts| format!("TXT {}", texts.join(" "))),
        (any::<[u16; 3]>(), name()).prop_map(|([a, b, c], host)| format!("SRV {a} {b} {c} {host}")),
        (any::<[u8; 3]>(), hex).prop_map(|([a, b, c], hex)| format!("TLSA {a} {b} {c} {hex}")),
        (name(), name(), any::<[u16; 5]>()).prop_map(|(a, b, [c, d, e, f, g])| format!("SOA {a} {b} {c} ( {d} {e}\n {f} ; times\n\t{g} )")),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let owner =
        prop_oneof![4 => name(), 1 => Just("@".to_owned()), 1 => name().prop_map(|name| format!("*.{name}")), 2 => Just(String::new())];
    let ttl = prop_oneof![Just(String::new()), (0_u32..1 << 31).prop_map(|ttl| format!("{ttl} "))];
    let ending = prop_oneof![3 => Just("\n"), 1 => Just(" ; MX 10 (\n"), 1 => Just("\n\n;\n"), 1 => Just("\t\r\n")];
    let record = (owner, ttl, 0..4, data(), ending, any::<bool>()).prop_map(|(owner, ttl, class, data, ending, is_wrapped)| {
        let head = match class {
            0 => format!("IN {ttl}"),
            1 => format!("{ttl}IN "),
            _ => ttl,
        };
        let data = if is_wrapped && !data.contains('(') { format!("(\n{data} ; )\n )") } else { data };
        format!("{owner} {head}{data}{ending}")
    });
    prop_oneof![
        12 => record,
        1 => name().prop_map(|name| format!("$ORIGIN {name}\n")),
        1 => (0_u32..100_000).prop_map(|ttl| format!("$TTL {ttl}\n")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn same_records_as_the_oracle(lines in prop::collection::vec(line(), 1..20)) {
        let text = format!("$ORIGIN contoso.com.\n$TTL 300\n@ A 192.0.2.1\n{}", lines.concat());
        match (ours(&text), theirs(&text)) {
            (ours, Ok(theirs)) => prop_assert_eq!(ours, Ok(theirs), "{}", text),
            (_, Err(reason)) => prop_assert!(false, "the oracle cannot read this: {}\n{}", reason, text),
        }
    }

    #[test]
    fn any_text_is_read(text in "(?s)([ -~]|[\t\r\n();\"\\\\$@.ä]|\n(\\$ORIGIN|\\$TTL|\\$INCLUDE|a)? |MX |TXT |SOA |TLSA |A |10 |\\\\0){0,80}") {
        let mut includes = 0;
        let zone = read(&text, &mut |_| { includes += 1; if includes < 3 { Ok(("again".to_owned(), text.clone())) } else { Err(String::new()) } });
        let texts: Vec<&str> = std::iter::once(&*text).chain(zone.included.iter().map(|included| &*included.text)).collect();
        for problem in &zone.problems {
            prop_assert!(texts[problem.file].get(problem.range.clone()).is_some(), "{:?}", problem);
        }
        for record in &zone.records {
            prop_assert!(texts[record.file].get(record.range.clone()).is_some() && texts[record.file].get(record.owner_range.clone()).is_some());
            prop_assert!(texts[record.file].get(record.target_range.clone()).is_some_and(|target| !target.is_empty()));
        }
    }

    #[test]
    fn dedented_places_lead_back(text in "(?s)([ \t\n;]|[a-zä\r]){0,60}") {
        let dedented = dedent(&text);
        for (at, c) in dedented.text().char_indices() {
            let there = dedented.original(at..at + c.len_utf8());
            prop_assert_eq!(text.get(there).map(str::to_owned), Some(c.to_string()));
        }
    }
}
