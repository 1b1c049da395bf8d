//! Traffic as a CSV file says: a line `at,by,from,to,size` for each message. What stands where, and which lines are wrong?
//!
//! Columns as in RFC 4180, one line each; the last ones may be left out. An empty `by`, `from`, `to` or `size` is that of the source. `to` may name several
//! recipients, with `;` between them. A first line of column names, empty lines and lines that begin with `#` say nothing.
//! A duration in `at` counts from the source's own `at`, a date is a date. The file lies beside the scenario (`load::Loader`), its size is bounded there.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::SimTime;
use crate::diag::{FileId, Span, code};
use crate::model::traffic::{AddressTemplate, Listed, Listing, Recipients, Schedule, Source};
use crate::scenario::load::Loader;
use crate::scenario::schema::TrafficFile;
use crate::scenario::source::Text;
use crate::scenario::values;

use super::desk::Desk;
use super::entry::{Entries, Entry};
use super::traffic::{self, Parts};

const COLUMNS: [&str; 5] = ["at", "by", "from", "to", "size"];
/// Longer files are no scenario.
const LINES_MAX: usize = 1_000_000;
/// After so many wrong lines the rest is not looked at.
const WRONG_MAX: usize = 20;

/// What all lines of a file have in common.
struct Reader<'a, 'm> {
    file: FileId,
    written: &'a TrafficFile,
    begin: SimTime,
    usual: &'a Parts,
    entries: &'a Entries<'m>,
    by: BTreeMap<Box<str>, Option<Entry>>,
    senders: Vec<(Option<AddressTemplate>, u32)>,
    sender_places: BTreeMap<Box<str>, usize>,
    lists: Vec<Vec<AddressTemplate>>,
    list_places: BTreeMap<Box<str>, usize>,
    listing: Listing,
}

/// `File(path, at)`
pub(super) fn source(name: &Text, written: &TrafficFile, entries: &Entries<'_>, loader: &mut Loader, desk: &mut Desk) -> Option<Source> {
    let Some(path) = written.path.get() else {
        desk.missing(name.span(), "traffic from a file needs its `path`", "write path: \"day.csv\", a file beside the scenario");
        return None;
    };
    let usual = traffic::parts(&written.envelope, desk);
    let file = loader.read_beside(path)?;
    let text = loader.sources.text(file);
    let begin = desk.moment_or(&written.at, SimTime::ZERO);
    let mut reader = Reader {
        file,
        written,
        begin,
        usual: &usual,
        entries,
        by: BTreeMap::new(),
        senders: Vec::new(),
        sender_places: BTreeMap::new(),
        lists: Vec::new(),
        list_places: BTreeMap::new(),
        listing: Listing::default(),
    };
    let before = desk.problems.len();
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let range = at..at + line.trim_end_matches(['\n', '\r']).len();
        at += line.len();
        if number >= LINES_MAX {
            desk.error(code::TOO_LARGE, Span::new(file, range.start, range.end), format!("more than {LINES_MAX} lines"), "split the file");
            return None;
        }
        if desk.problems.len() - before >= WRONG_MAX {
            return None;
        }
        reader.line(&text, range, number == 0, desk);
    }
    if reader.listing.rows.is_empty() && desk.problems.len() == before {
        desk.missing(
            path.span(),
            &format!("`{path}` has no message"),
            "write a line for each: 10s,internet,bob@fabrikam.com,alice@contoso.com,50KB",
        );
    }
    let Reader { senders, lists, mut listing, .. } = reader;
    // Lines may stand in any order; equal moments keep that of the file.
    listing.rows.sort_by_key(|row| row.at);
    let parts = Parts { from: senders, to: Some(Recipients::Listed(lists)), ..usual.clone() };
    let entry = Entry { hosts: Vec::new(), tenant: None };
    traffic::finish(name, &written.envelope, Schedule::Listed(listing), parts, entry, desk)
}

impl Reader<'_, '_> {
    fn line(&mut self, text: &str, range: Range<usize>, is_first: bool, desk: &mut Desk) {
        let line = &text[range.clone()];
        if line.trim().is_empty() || line.starts_with('#') {
            return;
        }
        let columns: Vec<Text> = columns(line)
            .into_iter()
            .map(|(value, part)| Text::escaped(&value, Span::new(self.file, range.start + part.start, range.start + part.end)))
            .collect();
        if is_first && columns.iter().zip(COLUMNS).all(|(column, name)| column.trim().eq_ignore_ascii_case(name)) {
            return;
        }
        if columns.len() > COLUMNS.len() {
            let extra = &columns[COLUMNS.len()];
            let help = "a line is at,by,from,to,size; several recipients are written a@x.example;b@x.example";
            desk.error(code::VALUE, extra.span(), format!("this line has {} columns", columns.len()), help);
            return;
        }
        let column = |at: usize| columns.get(at).filter(|column| !column.trim().is_empty());
        let Some(at) = column(0) else {
            let whole = Span::new(self.file, range.start, range.end);
            desk.missing(whole, "this line does not say when", "begin it with a moment, as in 10m or 2026-03-02 18:30");
            return;
        };
        let before = desk.problems.len();
        let at = self.moment(at, desk);
        let sender = self.sender(column(2), &columns, desk);
        let list = self.list(column(3), &columns, desk);
        let entry = sender.and_then(|sender| self.entry((column(1), at), sender, column(2).unwrap_or(&columns[0]), desk));
        let size_bytes = match column(4).map(|text| desk.size(text)) {
            Some(Some(Some(bytes))) => bytes,
            Some(Some(None)) => {
                desk.error(code::VALUE, columns[4].span(), "no message is without an end", "write a size such as 10MB");
                0
            }
            Some(None) | None => self.usual.size_bytes,
        };
        if desk.problems.len() > before {
            return;
        }
        if let (Some(at), Some(sender), Some(list), Some(entry)) = (at, sender, list, entry) {
            self.listing.rows.push(Listed { at, sender: sender as u32, list: list as u32, entry: entry as u32, size_bytes });
        }
    }

    fn moment(&self, text: &Text, desk: &mut Desk) -> Option<SimTime> {
        let moment = desk.moment(text)?;
        Some(if values::parse_date(text).is_ok() { moment } else { self.begin.after(moment.0) })
    }

    /// The place of the sender among all of the file.
    fn sender(&mut self, text: Option<&Text>, columns: &[Text], desk: &mut Desk) -> Option<usize> {
        let sender = match text {
            Some(text) if self.sender_places.contains_key(text.as_str()) => return self.sender_places.get(text.as_str()).copied(),
            Some(text) => traffic::sender(text, self.usual.utf8, desk)?,
            None => match self.usual.from.first() {
                Some((sender, _)) => sender.clone(),
                None => {
                    desk.missing(columns[0].span(), "this line has no sender", "write it in the third column, or `from` beside `path`");
                    return None;
                }
            },
        };
        let place = self.senders.iter().position(|(known, _)| *known == sender && text.is_none()).unwrap_or_else(|| {
            self.senders.push((sender, 1));
            self.senders.len() - 1
        });
        if let Some(text) = text {
            self.sender_places.insert(text.as_str().into(), place);
        }
        Some(place)
    }

    /// The place of the recipients among all lists of the file.
    fn list(&mut self, text: Option<&Text>, columns: &[Text], desk: &mut Desk) -> Option<usize> {
        let key = text.map_or("", Text::as_str);
        if let Some(place) = self.list_places.get(key) {
            return Some(*place);
        }
        let list = match (text, &self.usual.to) {
            (Some(text), _) => {
                let each = text.split(';').map(str::trim).filter(|one| !one.is_empty());
                let each: Vec<Text> = each.map(|one| Text::escaped(one, text.span())).collect();
                each.iter().map(|one| traffic::template(one, self.usual.utf8, desk)).collect::<Option<Vec<_>>>()?
            }
            (None, Some(Recipients::All(all))) => all.clone(),
            (None, _) => {
                desk.missing(columns[0].span(), "this line has no recipient", "write it in the fourth column, or `to` beside `path`");
                return None;
            }
        };
        self.lists.push(list);
        self.list_places.insert(key.into(), self.lists.len() - 1);
        Some(self.lists.len() - 1)
    }

    /// The place of the entry among all of the file: as the line says, or where its sender has the mailbox at the line's moment.
    fn entry(&mut self, (by, at): (Option<&Text>, Option<SimTime>), sender: usize, place: &Text, desk: &mut Desk) -> Option<usize> {
        let by = by.or(self.written.envelope.by.get());
        let entries = self.entries;
        let version = entries.version_at(at.unwrap_or(SimTime::ZERO));
        let key: Box<str> = by.map_or_else(|| format!(">{sender} {version}"), |by| format!("={by}")).into();
        let known = self.by.get(&key).cloned();
        let entry = known.unwrap_or_else(|| {
            let found = match (by, &self.senders[sender].0) {
                (Some(by), _) => entries.by(by, desk),
                (None, Some(sender)) => entries.of_sender(version, &sender.expand(1), place.span(), desk),
                (None, None) => {
                    desk.error(
                        code::NO_ENTRY,
                        place.span(),
                        "the null sender has no mailbox, so nobody knows where this message enters",
                        "write a system in the second column",
                    );
                    None
                }
            };
            self.by.insert(key, found.clone());
            found
        })?;
        let row = (entry.hosts, entry.tenant);
        Some(self.listing.entries.iter().position(|known| *known == row).unwrap_or_else(|| {
            self.listing.entries.push(row);
            self.listing.entries.len() - 1
        }))
    }
}

/// The columns of a line with their places; quotes go away.
fn columns(line: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let (mut start, mut quoted, mut value) = (0, false, String::new());
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' if quoted && letters.peek().is_some_and(|(_, next)| *next == '"') => {
                letters.next();
                value.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => {
                found.push((std::mem::take(&mut value), start..at));
                start = at + 1;
            }
            other => value.push(other),
        }
    }
    found.push((value, start..line.len()));
    found.into_iter().map(|(value, range)| (value.trim().to_owned(), range)).collect()
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn lines() {
        let cases = [
            ("1s,internet,a@b,c@d,5KB", vec!["1s", "internet", "a@b", "c@d", "5KB"]),
            ("1s,,a@b,c@d", vec!["1s", "", "a@b", "c@d"]),
            (" 1s , x ", vec!["1s", "x"]),
            (r#"1s,"a, b","say ""no""",c@d"#, vec!["1s", "a, b", r#"say "no""#, "c@d"]),
            ("", vec![""]),
            ("ü,ö", vec!["ü", "ö"]),
        ];
        for (line, expected) in cases {
            let found: Vec<String> = columns(line).into_iter().map(|(value, _)| value).collect();
            assert_eq!(found, expected, "{line}");
        }
        assert_eq!(columns("1s,ü,x")[2].1, 6..7);
    }
}
