//! Whose record is it, for how long, and of which type? Entries, directives, included texts.
//!
//! Sources: RFC 1035 §5.1, RFC 2308 §4. A problem in one entry never hides the next one.

use crate::base::InOrder;
use std::ops::Range;

use super::data;
use super::lex::{Entry, Token, entries};
use super::name::{self, Origin};
use super::problem::{ZoneProblem, codes, quote};
use super::types::{is_skipped, makes_a_name, nearest, skipped_type, unknown_type};
use super::{Included, Zone, ZoneRecord, rules, time};
use crate::model::dns::{RecordData, RecordType};

/// Brings the text that `$INCLUDE` names: what to call it, and the text; or a sentence that says why not.
pub type Include<'i> = dyn FnMut(&str) -> Result<(String, String), String> + 'i;

/// The TTL where nobody says one.
const TTL_SECONDS_DEFAULT: u32 = 3600;
const INCLUDE_DEPTH_MAX: usize = 8;
const INCLUDES_MAX: usize = 100;

const DIRECTIVES: &[&str] = &["$ORIGIN", "$TTL", "$INCLUDE"];

/// Reads a whole text and tells everything that is wrong with it.
#[must_use]
pub fn read(text: &str, include: &mut Include<'_>) -> Zone {
    let mut reader = Reader {
        zone: Zone::default(),
        include,
        file: 0,
        depth: 0,
        origin: Origin::Unset,
        owner: Owner::Nobody,
        ttl_seconds: TTL_SECONDS_DEFAULT,
    };
    reader.text(text);
    let mut zone = reader.zone;
    zone.problems.extend(rules::check(&zone.records));
    zone.problems.in_order_by_key(|problem| (problem.file, problem.range.start, problem.severity));
    zone
}

/// Whose records are the lines that begin with a blank?
#[derive(Clone, Debug)]
enum Owner {
    Nobody,
    /// Somebody's, but the name had a problem that has been told.
    Unreadable,
    Name(Box<str>, Range<usize>),
}

struct Reader<'r, 'i> {
    zone: Zone,
    include: &'r mut Include<'i>,
    file: usize,
    depth: usize,
    origin: Origin,
    owner: Owner,
    ttl_seconds: u32,
}

impl Reader<'_, '_> {
    fn text(&mut self, text: &str) {
        for mut entry in entries(text) {
            if entry.problems.is_empty() {
                self.entry(&entry);
            }
            self.report(std::mem::take(&mut entry.problems));
        }
    }

    fn report(&mut self, problems: impl IntoIterator<Item = ZoneProblem>) {
        let file = self.file;
        self.zone.problems.extend(problems.into_iter().map(|problem| ZoneProblem { file, ..problem }));
    }

    fn entry(&mut self, entry: &Entry<'_>) {
        let (first, rest) = entry.tokens.split_first().expect("an entry without problems has a word");
        if first.text.starts_with('$') && !first.is_quoted {
            return self.directive(first, rest);
        }
        let mut problems = Vec::new();
        let words = if entry.begins_with_blank {
            if matches!(self.owner, Owner::Nobody) {
                let problem =
                    ZoneProblem::error(first.range.clone(), codes::OWNER, "this line begins with a blank, and no owner stands above it");
                problems.push(problem.help("begin the line with the name that has the record"));
                self.owner = Owner::Unreadable;
            }
            &entry.tokens[..]
        } else {
            self.owner = match name::read(first, &self.origin, &mut problems) {
                Some(owner) => {
                    problems.extend(name::check_wildcard(first, &owner));
                    Owner::Name(owner, first.range.clone())
                }
                None => Owner::Unreadable,
            };
            rest
        };
        let record = self.record(entry, words, &mut problems);
        self.report(problems);
        self.zone.records.extend(record);
    }

    /// `[TTL] [class] type data`, the first two in either order.
    fn record(&self, entry: &Entry<'_>, mut words: &[Token<'_>], problems: &mut Vec<ZoneProblem>) -> Option<ZoneRecord> {
        let (first, last) = (entry.tokens.first()?, entry.tokens.last()?);
        let mut ttl_seconds = None;
        let mut has_class = false;
        let (record_type, data) = loop {
            let Some((word, rest)) = words.split_first() else {
                let problem = ZoneProblem::error(
                    first.range.start..last.range.end,
                    codes::SYNTAX,
                    "this line breaks off before the type of its record",
                );
                problems.push(problem.help("a record looks like `mail.contoso.com. A 192.0.2.10`"));
                return None;
            };
            words = rest;
            if let Some(seconds) = time::parse(word.text).filter(|_| ttl_seconds.is_none() && !word.is_quoted) {
                let checked = time::check(word.text, &word.range, seconds);
                ttl_seconds = Some(checked.map_err(|problem| problems.push(problem)).unwrap_or(0));
            } else if is_class(word) && !has_class {
                has_class = true;
                if !word.text.eq_ignore_ascii_case("IN") {
                    let problem =
                        ZoneProblem::error(word.range.clone(), codes::CLASS, format!("the class {} is not simulated", quote(word.text)));
                    problems.push(problem.help("write `IN`, or nothing"));
                }
            } else if let Some(kept) = word.text.parse().ok().filter(|_| !word.is_quoted) {
                break (kept, rest);
            } else {
                let skipped = is_skipped(word);
                problems.push(if skipped { skipped_type(word) } else { unknown_type(word, Some(entry)) });
                if !skipped || !makes_a_name(word) {
                    return None;
                }
                break (RecordType::Other, &[][..]);
            }
        };
        let (data, target) = match record_type {
            RecordType::Other => (Some(RecordData::Other), None),
            kept => data::read(kept, data, last.range.clone(), &self.origin, problems),
        };
        if let (RecordType::Txt, Some(at)) = (record_type, entry.comment_behind_word) {
            let problem = ZoneProblem::warning(at..at + 1, codes::TEXT, "this `;` begins a comment: the text ends before it");
            problems.push(problem.help("put the whole text in quotes"));
        }
        let Owner::Name(owner, owner_range) = &self.owner else { return None };
        let data_range = words.first().map_or(last.range.clone(), |word| word.range.start..last.range.end);
        Some(ZoneRecord {
            owner: owner.clone(),
            ttl_seconds: ttl_seconds.unwrap_or(self.ttl_seconds),
            data: data?,
            file: self.file,
            range: first.range.start..last.range.end,
            owner_range: owner_range.clone(),
            target_range: target.unwrap_or(data_range),
        })
    }

    fn directive(&mut self, word: &Token<'_>, arguments: &[Token<'_>]) {
        let mut problems = Vec::new();
        let whole = word.range.start..arguments.last().map_or(word.range.end, |last| last.range.end);
        let wrong = |help: &str| {
            ZoneProblem::error(whole.clone(), codes::SYNTAX, format!("{} does not stand like that", quote(word.text))).help(help)
        };
        match (&*word.text.to_ascii_uppercase(), arguments) {
            ("$ORIGIN", [origin]) => {
                self.origin = name::read(origin, &self.origin, &mut problems).map_or(Origin::Unreadable, Origin::Name);
            }
            ("$ORIGIN", _) => problems.push(wrong("one name: `$ORIGIN contoso.com.`")),
            ("$TTL", [ttl]) => match time::parse(ttl.text).map(|seconds| time::check(ttl.text, &ttl.range, seconds)) {
                Some(Ok(seconds)) => self.ttl_seconds = seconds,
                Some(Err(problem)) => problems.push(problem),
                None => {
                    let problem = ZoneProblem::error(ttl.range.clone(), codes::TTL, format!("{} is no time", quote(ttl.text)));
                    problems.push(problem.help("write seconds, or units as in `1h30m`"));
                }
            },
            ("$TTL", _) => problems.push(wrong("one time: `$TTL 1h`")),
            ("$INCLUDE", [file]) => self.include(file, None),
            ("$INCLUDE", [file, origin]) => match name::read(origin, &self.origin, &mut problems) {
                Some(origin) => self.include(file, Some(origin)),
                None => self.include(file, None),
            },
            ("$INCLUDE", _) => problems.push(wrong("a file, and an origin for it if you like: `$INCLUDE sites.zone contoso.com.`")),
            ("$GENERATE", _) => problems.push(wrong("`$GENERATE` is not read here: write the records out")),
            _ => {
                let problem =
                    ZoneProblem::error(word.range.clone(), codes::SYNTAX, format!("{} is no directive of master files", quote(word.text)));
                problems.push(problem.help(nearest(word.text, DIRECTIVES).map_or_else(
                    || "there are `$ORIGIN`, `$TTL` and `$INCLUDE`; a name that begins with `$` is written `\\$`".to_owned(),
                    |directive| format!("did you mean `{directive}`?"),
                )));
            }
        }
        self.report(problems);
    }

    /// Reads another text; afterwards origin and owner are what they were (RFC 1035 §5.1).
    fn include(&mut self, file: &Token<'_>, origin: Option<Box<str>>) {
        let wrong = |message: String| ZoneProblem::error(file.range.clone(), codes::INCLUDE, message);
        if self.depth == INCLUDE_DEPTH_MAX || self.zone.included.len() == INCLUDES_MAX {
            let problem = wrong(format!("there are more than {INCLUDE_DEPTH_MAX} texts inside each other, or {INCLUDES_MAX} in all"));
            return self.report([problem.help("look for a text that includes itself")]);
        }
        let (name, text) = match (self.include)(file.text) {
            Ok(found) => found,
            Err(reason) => return self.report([wrong(format!("{} cannot be included: {reason}", quote(file.text)))]),
        };
        self.zone.included.push(Included { name, text: String::new() });
        let inner = self.zone.included.len();
        let (file, old_origin, owner) = (self.file, self.origin.clone(), std::mem::replace(&mut self.owner, Owner::Nobody));
        if let Some(origin) = origin {
            self.origin = Origin::Name(origin);
        }
        (self.file, self.depth) = (inner, self.depth + 1);
        self.text(&text);
        (self.file, self.depth, self.origin, self.owner) = (file, self.depth - 1, old_origin, owner);
        self.zone.included[inner - 1].text = text;
    }
}

fn is_class(word: &Token<'_>) -> bool {
    !word.is_quoted && ["IN", "CH", "HS", "CS", "ANY", "NONE"].iter().any(|class| class.eq_ignore_ascii_case(word.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::zone::{Severity, dedent};

    fn read_alone(text: &str) -> Zone {
        read(text, &mut |name| Err(format!("no {name} here")))
    }

    /// A record in one line.
    fn say(record: &ZoneRecord) -> String {
        let data = format!("{:?}", record.data).replace('"', "");
        format!("{} {} {data}", record.owner, record.ttl_seconds)
    }

    #[test]
    fn records() {
        let zone = dedent(
            r#"
            mail.contoso.com.  A    192.0.2.10   ; complete, no TTL
                               AAAA 2001:db8::10
            $ORIGIN Contoso.com.
            $TTL 5m
            @      IN 1h MX ( 10
                              Mail )          ; class first
                   1w1s IN MX 20 backup
            *      mx 0 .
            txt    TXT "v=spf1 " "a\;\"b\065" c
            $ORIGIN sub
            @      NS ns
            _25._tcp 0 TLSA DANE-EE 1 1 0001 (
                   0203 ) ff
            k      TLSA 2 0 1 @ca256:CA One
            r      PTR @
            s      SRV 0 5 25 mx
            c      CNAME c\.d
            @      SOA ns host\.master 7 1h 600 2w 1m
            odd    CAA 0 issue "ca.example"
            odd2   TYPE257 \# 0
            "#,
        );
        let zone = read_alone(zone.text());
        let expected = [
            "mail.contoso.com 3600 A(192.0.2.10)",
            "mail.contoso.com 3600 Aaaa(2001:db8::10)",
            "contoso.com 3600 Mx { preference: 10, exchange: mail.contoso.com }",
            "contoso.com 604801 Mx { preference: 20, exchange: backup.contoso.com }",
            "*.contoso.com 300 Mx { preference: 0, exchange:  }",
            "txt.contoso.com 300 Txt([118, 61, 115, 112, 102, 49, 32, 97, 59, 34, 98, 65, 99])",
            "sub.contoso.com 300 Ns(ns.sub.contoso.com)",
            "_25._tcp.sub.contoso.com 0 Tlsa(Tlsa { usage: 3, selector: 1, matching: 1, data: Bytes([0, 1, 2, 3, 255]) })",
            "k.sub.contoso.com 300 Tlsa(Tlsa { usage: 2, selector: 0, matching: 1, data: AuthorityOf(CA One) })",
            "r.sub.contoso.com 300 Ptr(sub.contoso.com)",
            "s.sub.contoso.com 300 Srv { priority: 0, weight: 5, port: 25, target: mx.sub.contoso.com }",
            "c.sub.contoso.com 300 Cname(c\\\\.d.sub.contoso.com)",
            "sub.contoso.com 300 Soa(Soa { primary: ns.sub.contoso.com, contact: host\\\\.master.sub.contoso.com, serial: 7, refresh_seconds: 3600, \
             retry_seconds: 600, expire_seconds: 1209600, minimum_seconds: 60 })",
            "odd.sub.contoso.com 300 Other",
            "odd2.sub.contoso.com 300 Other",
        ];
        assert_eq!(zone.records.iter().map(say).collect::<Vec<_>>(), expected);
        let codes: Vec<_> = zone.problems.iter().map(|problem| (problem.code, problem.severity)).collect();
        let warned = [codes::MIXED_TTL, codes::TLSA, codes::SKIPPED, codes::SKIPPED].map(|code| (code, Severity::Warning));
        assert_eq!(codes, warned, "{:#?}", zone.problems);
    }

    #[test]
    fn problems() {
        // Text, the place that is pointed at, and a piece of message or help; "" for none.
        let cases = [
            ("contoso.com. MXX 10 a.", "MXX", "did you mean `MX`?"),
            ("contoso.com. CNMAE a.", "CNMAE", "did you mean `CNAME`?"),
            ("contoso.com. 192.0.2.1", "192.0.2.1", "`A 192.0.2.1`"),
            ("contoso.com. BOGUS a.", "BOGUS", "known types are A AAAA"),
            ("MX 10 a.b.", "MX", "no final dot"),
            ("MX. 10 a.b.", "a.b.", "is no type of record"),
            ("a. A 192.0.2.1\n b. A 192.0.2.2", "b.", "this line begins with a blank"),
            (" A 192.0.2.1", "A", "no owner stands above it"),
            ("contoso.com A 192.0.2.1", "contoso.com", "write `contoso.com.`"),
            ("a. MX 10 mail.contoso.com", "mail.contoso.com", "write `mail.contoso.com.`"),
            ("a. MX 10 192.0.2.1", "192.0.2.1", "give the host a name"),
            ("a. MX mail.a.", "mail.a.", "write `MX 10 mail.a.`"),
            ("a. MX 65536 mail.a.", "65536", "from 0 to 65535"),
            ("a. MX -1 mail.a.", "-1", "from 0 to 65535"),
            ("a. MX 10", "10", "a host is missing"),
            ("a. MX 10 b. c.", "c.", "too much"),
            ("a. A 192.0.2.256", "192.0.2.256", "from 0 to 255"),
            ("a. A 2001:db8::1", "2001:db8::1", "`AAAA 2001:db8::1`"),
            ("a. A 192.0.2.1.", "192.0.2.1.", "no final dot"),
            ("a. A b.example.", "b.example.", "`CNAME b.example.`"),
            ("a. AAAA 192.0.2.1", "192.0.2.1", "`A`"),
            ("a. CH A 192.0.2.1", "CH", "write `IN`"),
            ("a. 2147483648 A 192.0.2.1", "2147483648", "longer than"),
            ("a. 1h 1h A 192.0.2.1", "1h", "is no type"),
            ("a. 300", "a. 300", "breaks off"),
            ("a.", "a.", "breaks off"),
            ("a. ( A 192.0.2.1\nb. A 192.0.2.2", "(", "never closed"),
            ("a. A 192.0.2.1 )", ")", "closes nothing"),
            ("a. TXT \"v=spf1", "\"v=spf1", "no closing quote"),
            ("a. TXT v=DMARC1; p=none", ";", "begins a comment"),
            ("a. TXT v=spf1 mx -all", "v=spf1 mx -all", "without the blanks"),
            ("a. TXT \\300", "\\300", "three digits"),
            ("a. CNAME b.\na. MX 10 c.", "a. CNAME b.", "MX records beside it"),
            ("a. CNAME b.\na. CNAME c.", "a. CNAME c.", "alias of two names"),
            ("a. A 192.0.2.1\nA. A 192.0.2.1", "A. A 192.0.2.1", "already"),
            ("a. 1 A 192.0.2.1\na. 2 A 192.0.2.2", "a. 2 A 192.0.2.2", "1 counts for all"),
            ("a. SOA n. h. 1 1 1 1 1\na. SOA n. h. 2 1 1 1 1", "a. SOA n. h. 2 1 1 1 1", "second SOA"),
            ("a. SOA n. h. 1 1 1 1 1\nb.c.a. SOA n. h. 1 1 1 1 1", "b.c.a. SOA n. h. 1 1 1 1 1", "inside the zone of `a`"),
            ("a. TLSA 3 1 1 abc", "abc", "no whole bytes"),
            ("a. TLSA 3 1 1 xy", "xy", "not hexadecimal"),
            ("a. TLSA 3 0 1 @spki256:mx", "@spki256:mx", "selector 1"),
            ("a. TLSA 3 1 1 @spki:mx", "@spki:mx", "names no certificate"),
            ("a. TLSA 256 1 1 @spki256:mx", "256", "from 0 to 255"),
            ("a. SPF \"v=spf1\"", "SPF", "`TXT` records"),
            ("a.*.b. A 192.0.2.1", "a.*.b.", "no wildcard"),
            ("$ORIGIN a.test.\nmail.a.test MX 0 .", "mail.a.test", "write `mail.a.test.`"),
            ("$TTL x", "x", "is no time"),
            ("$TTL", "$TTL", "`$TTL 1h`"),
            ("$ORGIN a.", "$ORGIN", "did you mean `$ORIGIN`?"),
            ("$GENERATE 1-9 a A 1", "$GENERATE 1-9 a A 1", "write the records out"),
            ("$INCLUDE x.zone", "x.zone", "no x.zone here"),
            ("a. NS b.\n\n;comment (\n", "", ""),
        ];
        for (text, place, piece) in cases {
            let zone = read_alone(text);
            let said: Vec<_> = zone
                .problems
                .iter()
                .map(|p| (&text[p.range.clone()], format!("{} {}", p.message, p.help.as_deref().unwrap_or(""))))
                .collect();
            let is_as_expected = |(at, sentence): &(&str, String)| *at == place && sentence.contains(piece);
            assert!(if place.is_empty() { said.is_empty() } else { said.iter().any(is_as_expected) }, "{text}: {said:#?}");
        }
    }

    #[test]
    fn all_problems_at_once() {
        let text = "a. MX 99999 b\na. A x\n( \nb. TXT \"open\nc. A ( 192.0.2.1 )\n A 192.0.2.2 )\n";
        let zone = read_alone(text);
        let places: Vec<_> = zone.problems.iter().map(|problem| &text[problem.range.clone()]).collect();
        assert_eq!(places, ["99999", "b", "x", "(", "\"open", ")"]);
        assert_eq!(zone.records.iter().map(say).collect::<Vec<_>>(), ["c 3600 A(192.0.2.1)"]);
    }

    #[test]
    fn included_texts() {
        let mut asked = Vec::new();
        let mut include = |name: &str| {
            asked.push(name.to_owned());
            match name {
                "inner" => Ok(("inner".to_owned(), " A 192.0.2.9\nin A 192.0.2.1\n$ORIGIN else.where.\nx A 192.0.2.2".to_owned())),
                other => Ok((other.to_owned(), format!("$INCLUDE {other}"))),
            }
        };
        let zone = read("$ORIGIN a.\nb A 192.0.2.3\n$INCLUDE inner sub\n A 192.0.2.4\nc A 192.0.2.5\n$INCLUDE self", &mut include);
        let owners: Vec<_> = zone.records.iter().map(|record| (&*record.owner, record.file)).collect();
        assert_eq!(owners, [("b.a", 0), ("in.sub.a", 1), ("x.else.where", 1), ("b.a", 0), ("c.a", 0)]);
        let places: Vec<_> = zone.problems.iter().map(|problem| (problem.file, problem.code)).collect();
        assert_eq!(places, [(1, codes::OWNER), (9, codes::INCLUDE)]);
        assert_eq!(zone.included[0].text[zone.problems[0].range.clone()], *"A");
        assert_eq!(asked.len(), 9);
    }
}
