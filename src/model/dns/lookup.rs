//! What is the answer to a question? Aliases, wildcards, and the two ways of not being there.
//!
//! Sources: RFC 1034 §4.3.2 and §3.6.2, RFC 2308 §2 and §5 (which name an error is about, how long it is kept), RFC 4592 §2.2
//! and §3.3 (a wildcard speaks for names that do not exist), RFC 7672 §2.1 (bogus data is no answer). The order of records
//! is the written one: rotation is the resolver's business, as are caches, faults, and answers that never come.

use std::net::Ipv4Addr;

use super::answer::{Answer, Outcome};
use super::names::{Names, normal_form, parent_text};
use super::record::{RecordData, RecordType};
use super::zones::{Dnssec, RecordSet, Rest, View, Zones};
use crate::base::NameId;

/// How many aliases a resolver follows before it calls the chain a failure.
const ALIASES_MAX: usize = 10;

/// What one name says, before aliases are followed.
enum Found<'a> {
    Set(&'a RecordSet),
    Alias(&'a RecordSet, NameId),
    Nothing(Outcome),
}

impl Zones {
    /// Asks one view (0 is the public one) for the records of a name. The same question always has the same answer.
    #[must_use]
    pub fn lookup(&self, names: &Names, view: usize, name: NameId, record_type: RecordType) -> Answer {
        let found = self.find(names, view, name, record_type);
        self.follow(names, view, found, Some(name), record_type)
    }

    /// Asks for a name that the model perhaps never heard of. It has no record of its own then, but a wildcard may reach it.
    #[must_use]
    pub fn lookup_text(&self, names: &Names, view: usize, name: &str, record_type: RecordType) -> Answer {
        let name = normal_form(name);
        if let Some(known) = names.find(&name) {
            return self.lookup(names, view, known, record_type);
        }
        let above = std::iter::successors(parent_text(&name), |above| parent_text(above)).find_map(|above| names.find(above));
        let found = self.find_absent(names, view, &name, above, false, record_type);
        self.follow(names, view, found, above, record_type)
    }

    /// Walks the chain of aliases to its end. `closest` is the asked name, or the closest one above it that has an id.
    fn follow<'a>(&'a self, names: &Names, view: usize, first: Found<'a>, closest: Option<NameId>, record_type: RecordType) -> Answer {
        let asked = closest.map_or(Dnssec::Insecure, |name| self.dnssec(names, name));
        let mut answer = Answer { dnssec_of_asked: asked, dnssec: asked, ..Answer::failed(Outcome::ServFail) };
        let (mut found, mut aliases, mut ttl_seconds) = (first, Vec::new(), u32::MAX);
        // A validating resolver says SERVFAIL to bogus data, whatever the data is.
        while answer.dnssec != Dnssec::Bogus {
            match found {
                Found::Set(set) => {
                    answer.ttl_seconds = Some(ttl_seconds.min(set.ttl_seconds));
                    answer.outcome = Outcome::Records(set.records.clone());
                    break;
                }
                Found::Nothing(outcome) => {
                    let about = aliases.last().copied().or(closest);
                    answer.ttl_seconds = match outcome {
                        Outcome::Internet => (!aliases.is_empty()).then_some(ttl_seconds),
                        _ => about.and_then(|name| self.negative_ttl_seconds(names, view, name)).map(|negative| negative.min(ttl_seconds)),
                    };
                    answer.outcome = outcome;
                    break;
                }
                Found::Alias(set, target) => {
                    let is_loop = aliases.contains(&target);
                    aliases.push(target);
                    if is_loop || aliases.len() > ALIASES_MAX {
                        break;
                    }
                    ttl_seconds = ttl_seconds.min(set.ttl_seconds);
                    answer.dnssec = answer.dnssec.max(self.dnssec(names, target));
                    found = self.find(names, view, target, record_type);
                }
            }
        }
        answer.aliases = aliases.into();
        answer
    }

    fn find(&self, names: &Names, view: usize, name: NameId, record_type: RecordType) -> Found<'_> {
        let data = &self.views[view];
        let is_covered = self.is_covered(names, name);
        if !data.existing.contains(&name) {
            return self.find_absent(names, view, names.text(name), names.parent(name), is_covered, record_type);
        }
        match data.at_owner(name, record_type) {
            Some(found) => found,
            None if is_covered => Found::Nothing(Outcome::NoData),
            // An inner name without records exists. If nothing covers it, the rest of the internet has its own idea of it.
            None => self.uncovered(names.text(name), Outcome::NoData),
        }
    }

    /// For a name that does not exist: what a wildcard right below its closest existing parent says instead.
    fn find_absent(
        &self,
        names: &Names,
        view: usize,
        name: &str,
        above: Option<NameId>,
        is_covered: bool,
        record_type: RecordType,
    ) -> Found<'_> {
        let data = &self.views[view];
        let mut parents = above.into_iter().flat_map(|above| names.upwards(above));
        let encloser = parents.find(|parent| data.existing.contains(parent));
        if let Some(wildcard) = encloser.and_then(|encloser| data.wildcards.get(&encloser)) {
            return data.at_owner(*wildcard, record_type).unwrap_or(Found::Nothing(Outcome::NoData));
        }
        if is_covered || above.is_some_and(|above| self.covers_below(names, above)) {
            return Found::Nothing(Outcome::NxDomain);
        }
        self.uncovered(name, Outcome::NxDomain)
    }

    /// A name that the scenario says nothing about. A name that looks like an address is no name anywhere, nor is one
    /// below `invalid` (RFC 6761 §6.4).
    fn uncovered(&self, name: &str, otherwise: Outcome) -> Found<'static> {
        let is_nowhere = name.parse::<Ipv4Addr>().is_ok() || name == "invalid" || name.ends_with(".invalid");
        Found::Nothing(match self.rest {
            _ if name.is_empty() => Outcome::NoData, // the root exists always
            Rest::Internet if !is_nowhere => Outcome::Internet,
            Rest::Internet | Rest::NxDomain => otherwise,
        })
    }

    /// How long the denial of a name is believed; `None`: not at all.
    #[must_use]
    pub fn denial_seconds(&self, names: &Names, view: usize, name: NameId) -> Option<u32> {
        self.negative_ttl_seconds(names, view.min(self.views.len() - 1), name)
    }

    /// RFC 2308 §5: the lesser of the SOA record's own TTL and its last field, from the closest zone above.
    fn negative_ttl_seconds(&self, names: &Names, view: usize, name: NameId) -> Option<u32> {
        let soa = names.upwards(name).find_map(|name| self.records(view, name, RecordType::Soa))?;
        match &soa.records[0] {
            RecordData::Soa(data) => Some(soa.ttl_seconds.min(data.minimum_seconds)),
            _ => None,
        }
    }
}

impl View {
    /// The set of an existing owner, or its alias; `None` if it has neither.
    fn at_owner(&self, owner: NameId, record_type: RecordType) -> Option<Found<'_>> {
        if let Some(set) = self.sets.get(&(owner, record_type)) {
            return Some(Found::Set(set));
        }
        let alias = self.sets.get(&(owner, RecordType::Cname))?;
        alias.records[0].target().map(|target| Found::Alias(alias, *target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::{Soa, ZonesBuilder};
    use Outcome::{Records, ServFail};
    use RecordType::{A, Aaaa, Cname, Mx, Txt};

    /// One record as `owner ttl TYPE data`, in short.
    fn record(names: &mut Names, text: &str) -> (NameId, u32, RecordData) {
        let words: Vec<&str> = text.split(' ').collect();
        let [owner, ttl, record_type, data @ ..] = &words[..] else { panic!("{text}") };
        let data = match (record_type.parse().unwrap(), data) {
            (RecordType::A, [address]) => RecordData::A(address.parse().unwrap()),
            (RecordType::Mx, [preference, host]) => {
                RecordData::Mx { preference: preference.parse().unwrap(), exchange: names.intern(host) }
            }
            (RecordType::Cname, [target]) => RecordData::Cname(names.intern(target)),
            (RecordType::Txt, [text]) => RecordData::Txt(text.as_bytes().into()),
            (RecordType::Soa, [minimum]) => RecordData::Soa(Soa {
                primary: names.intern("."),
                contact: names.intern("."),
                serial: 1,
                refresh_seconds: 1,
                retry_seconds: 1,
                expire_seconds: 1,
                minimum_seconds: minimum.parse().unwrap(),
            }),
            _ => panic!("{text}"),
        };
        (names.intern(owner), ttl.parse().unwrap(), data)
    }

    fn layer(names: &mut Names, lines: &[&str]) -> Vec<(NameId, u32, RecordData)> {
        lines.iter().map(|line| record(names, line)).collect()
    }

    /// The answer in one line: records or reason, TTL, aliases.
    fn say(names: &Names, answer: &Answer) -> String {
        let outcome = match &answer.outcome {
            Records(records) => records
                .iter()
                .map(|data| match data {
                    RecordData::A(address) => address.to_string(),
                    RecordData::Mx { preference, exchange } => format!("{preference} {}", names.text(*exchange)),
                    RecordData::Cname(target) => names.text(*target).to_owned(),
                    RecordData::Txt(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                })
                .collect::<Vec<_>>()
                .join(", "),
            other => format!("{other:?}"),
        };
        let ttl = answer.ttl_seconds.map_or("-".to_owned(), |ttl| ttl.to_string());
        let aliases = answer.aliases.iter().map(|name| format!(" > {}", names.text(*name))).collect::<String>();
        format!("{outcome} | {ttl}{aliases}")
    }

    const DATA: &[&str] = &[
        "contoso.com 3600 SOA 900",
        "contoso.com 300 MX 20 b.contoso.com",
        "contoso.com 200 MX 10 a.contoso.com",
        "contoso.com 200 MX 10 a.contoso.com",
        "a.contoso.com 60 A 192.0.2.1",
        "www.contoso.com 60 A 192.0.2.2",
        "*.contoso.com 60 MX 5 a.contoso.com",
        "deep.inner.contoso.com 60 TXT here",
        "alias.contoso.com 100 CNAME contoso.com",
        "dangling.contoso.com 100 CNAME gone.b.contoso.com",
        "b.contoso.com 50 A 192.0.2.3",
        "loop1.contoso.com 100 CNAME loop2.contoso.com",
        "loop2.contoso.com 100 CNAME loop1.contoso.com",
        "self.contoso.com 100 CNAME self.contoso.com",
        "out.contoso.com 100 CNAME mx.elsewhere.test",
        "star.fabrikam.com 9 A 192.0.2.9",
        "*.wild.fabrikam.com 70 CNAME star.fabrikam.com",
        "null.fabrikam.com 10 MX 0 .",
        "ip.fabrikam.com 10 MX 10 192.0.2.1.",
    ];

    #[test]
    fn questions() {
        let mut names = Names::default();
        let mut zones = ZonesBuilder::new(0);
        zones.add_layer(0, [], layer(&mut names, DATA));
        zones.cover(names.intern("accepted.example"));
        let zones = zones.build(&names);
        let cases = [
            ("as written, none twice, shortest TTL", "contoso.com", Mx, "20 b.contoso.com, 10 a.contoso.com | 200"),
            ("upper case, final dot", "A.Contoso.com.", A, "192.0.2.1 | 60"),
            ("another type of an existing name", "a.contoso.com", Aaaa, "NoData | 900"),
            ("R8: an alias leads on", "alias.contoso.com", Mx, "20 b.contoso.com, 10 a.contoso.com | 100 > contoso.com"),
            ("an alias without such data at its end", "alias.contoso.com", A, "NoData | 100 > contoso.com"),
            ("a question for the alias itself", "alias.contoso.com", Cname, "contoso.com | 100"),
            ("R9: the last name decides", "dangling.contoso.com", Mx, "NxDomain | 100 > gone.b.contoso.com"),
            ("a loop", "loop1.contoso.com", Mx, "ServFail | - > loop2.contoso.com > loop1.contoso.com > loop2.contoso.com"),
            ("a loop of one", "self.contoso.com", A, "ServFail | - > self.contoso.com > self.contoso.com"),
            ("an alias into the internet", "out.contoso.com", A, "Internet | 100 > mx.elsewhere.test"),
            ("a wildcard for a name nobody knows", "new.contoso.com", Mx, "5 a.contoso.com | 60"),
            ("any depth", "x.y.new.contoso.com", Mx, "5 a.contoso.com | 60"),
            ("a wildcard without this type", "new.contoso.com", A, "NoData | 900"),
            ("a wildcard does not speak for an existing name", "www.contoso.com", Mx, "NoData | 900"),
            ("nor for an inner name", "inner.contoso.com", Mx, "NoData | 900"),
            ("nor below an existing name", "x.www.contoso.com", Mx, "NxDomain | 900"),
            ("nor below an inner name", "x.inner.contoso.com", Mx, "NxDomain | 900"),
            ("the wildcard by its own name", "*.contoso.com", Mx, "5 a.contoso.com | 60"),
            ("a wildcard that is an alias", "any.wild.fabrikam.com", A, "192.0.2.9 | 9 > star.fabrikam.com"),
            ("below that, no SOA record, so not kept", "x.star.fabrikam.com", A, "NxDomain | -"),
            ("R14: the null MX", "null.fabrikam.com", Mx, "0  | 10"),
            ("its exchange has no address", ".", A, "NoData | -"),
            ("R17: an address as MX target is a name", "ip.fabrikam.com", Mx, "10 192.0.2.1 | 10"),
            ("R17: and that name does not exist", "192.0.2.1.", A, "NxDomain | -"),
            ("no record covers this name", "fabrikam.com", Mx, "Internet | -"),
            ("nor the top level", "com", A, "Internet | -"),
            ("somewhere else", "adatum.example", Mx, "Internet | -"),
            ("RFC 6761", "host.invalid", Mx, "NxDomain | -"),
            ("declared, without records", "accepted.example", Mx, "NxDomain | -"),
            ("below it", "mail.accepted.example", A, "NxDomain | -"),
            ("a type that the model does not keep", "a.contoso.com", RecordType::Other, "NoData | 900"),
        ];
        for (case, name, record_type, expected) in cases {
            let answer = zones.lookup_text(&names, 0, name, record_type);
            assert_eq!(say(&names, &answer), expected, "{case}: {name} {record_type}");
            let mut grown = names.clone();
            let id = grown.intern(name);
            assert_eq!(zones.lookup(&grown, 0, id, record_type), answer, "{case}: the same whether {name} has an id or not");
        }
    }

    #[test]
    fn a_chain_has_a_limit() {
        let mut names = Names::default();
        let lines: Vec<String> =
            (0..12).map(|n| format!("n{n}.test 9 CNAME n{}.test", n + 1)).chain(["n12.test 9 A 192.0.2.1".to_owned()]).collect();
        let mut zones = ZonesBuilder::new(0);
        zones.add_layer(0, [], lines.iter().map(|line| record(&mut names, line)).collect::<Vec<_>>());
        let zones = zones.build(&names);
        assert_eq!(zones.lookup_text(&names, 0, "n2.test", A).records().len(), 1, "ten aliases are followed");
        assert_eq!(zones.lookup_text(&names, 0, "n1.test", A).outcome, ServFail, "eleven are not");
    }

    #[test]
    fn validation() {
        let mut names = Names::default();
        let mut zones = ZonesBuilder::new(0);
        let lines = [
            "a.signed.test 9 CNAME b.plain.test",
            "b.plain.test 9 A 192.0.2.1",
            "c.broken.signed.test 9 A 192.0.2.2",
            "d.plain.test 9 CNAME c.broken.signed.test",
        ];
        zones.add_layer(0, [], layer(&mut names, &lines));
        zones.set_dnssec(names.intern("signed.test"), Dnssec::Secure);
        zones.set_dnssec(names.intern("broken.signed.test"), Dnssec::Bogus);
        let zones = zones.build(&names);
        let cases = [
            ("b.plain.test", 1, Dnssec::Insecure, Dnssec::Insecure),
            ("a.signed.test", 1, Dnssec::Secure, Dnssec::Insecure),
            ("x.signed.test", 0, Dnssec::Secure, Dnssec::Secure),
            ("c.broken.signed.test", 0, Dnssec::Bogus, Dnssec::Bogus),
            ("d.plain.test", 0, Dnssec::Insecure, Dnssec::Bogus),
        ];
        for (name, records, first, whole) in cases {
            let answer = zones.lookup_text(&names, 0, name, A);
            assert_eq!((answer.records().len(), answer.dnssec_of_asked, answer.dnssec), (records, first, whole), "{name}");
            assert_eq!(answer.outcome == ServFail, whole == Dnssec::Bogus, "{name}");
        }
    }

    #[test]
    fn layers_views_and_the_rest() {
        let mut names = Names::default();
        let mut zones = ZonesBuilder::new(1);
        let made_up =
            layer(&mut names, &["edge.contoso.com 1 A 198.18.0.1", "tenant.test 1 A 198.18.0.2", "tenant.test 1 MX 0 tenant.test"]);
        zones.add_made_up(made_up);
        let public = layer(
            &mut names,
            &["contoso.com 300 MX 10 a.contoso.com", "contoso.com 300 TXT spf", "a.contoso.com 300 A 192.0.2.1", "tenant.test 5 TXT mine"],
        );
        zones.add_layer(0, [], public);
        let inside = layer(&mut names, &["contoso.com 300 MX 10 in.contoso.com", "in.contoso.com 300 A 10.0.0.1"]);
        zones.add_layer(1, [(names.intern("a.contoso.com"), None)], inside);
        let before = zones.build(&names);
        assert_eq!(before, zones.clone().build(&names));

        let moved = layer(&mut names, &["contoso.com 60 MX 5 b.contoso.com"]);
        zones.add_layer(0, [(names.intern("contoso.com"), Some(Txt))], moved);
        zones.set_rest(Rest::NxDomain);
        let after = zones.build(&names);
        assert_ne!(before, after);

        let cases = [
            (&before, 0, "contoso.com", Mx, "10 a.contoso.com | 300"),
            (&before, 1, "contoso.com", Mx, "10 in.contoso.com | 300"),
            (&before, 1, "contoso.com", Txt, "spf | 300"),
            (&before, 0, "in.contoso.com", A, "NxDomain | -"),
            (&before, 1, "in.contoso.com", A, "10.0.0.1 | 300"),
            (&before, 1, "a.contoso.com", A, "NxDomain | -"),
            (&before, 0, "edge.contoso.com", A, "198.18.0.1 | 1"),
            (&before, 0, "tenant.test", A, "NoData | -"),
            (&before, 0, "tenant.test", Txt, "mine | 5"),
            (&before, 0, "elsewhere.example", Mx, "Internet | -"),
            (&after, 0, "contoso.com", Mx, "5 b.contoso.com | 60"),
            (&after, 0, "contoso.com", Txt, "NoData | -"),
            (&after, 1, "contoso.com", Mx, "10 in.contoso.com | 300"),
            (&after, 0, "elsewhere.example", Mx, "NxDomain | -"),
            (&after, 0, "com", Mx, "NoData | -"),
        ];
        for (zones, view, name, record_type, expected) in cases {
            assert_eq!(say(&names, &zones.lookup_text(&names, view, name, record_type)), expected, "view {view}: {name} {record_type}");
        }
        assert!(before.alias_conflicts().is_empty());
    }

    #[test]
    fn alias_conflicts() {
        let mut names = Names::default();
        let mut zones = ZonesBuilder::new(1);
        zones.add_layer(0, [], layer(&mut names, &["two.test 1 CNAME a.test", "two.test 1 CNAME b.test", "fine.test 1 CNAME a.test"]));
        zones.add_layer(1, [], layer(&mut names, &["fine.test 1 A 192.0.2.1"]));
        let zones = zones.build(&names);
        assert_eq!(zones.alias_conflicts(), [(0, names.find("two.test").unwrap()), (1, names.find("fine.test").unwrap())]);
    }
}
