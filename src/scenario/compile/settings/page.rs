//! The page of all settings, docs/settings.md, is written from the tables and held by this test (`UPDATE_GOLDEN=1` writes it anew).

use super::{Meaning, Table, exim, kumomta, opensmtpd, postfix, qmail, restrictions, rfc, sendmail};

const HEAD: &str = "# Settings by server

What may stand in `settings` of an `Mta`, `Gateway` or kind of senders: the server's own parameters under their own names, with values in their own
notation. Everything else that a server has is refused by name, so that no file relies on something that has no effect. Defaults are those of the server.
This page is written from the tables of the program.
";

fn notation(meaning: Meaning) -> String {
    match meaning {
        Meaning::Duration(_) => "a duration with units, `\"5m\"`".into(),
        Meaning::DurationAboveZero(_) => "a duration with units above zero, `\"5m\"`".into(),
        Meaning::UnitTime(unit, _) => format!("a number with a unit, bare numbers in `{unit}`"),
        Meaning::TimeAboveZero(unit, _) => format!("a number above 0 with a unit, bare numbers in `{unit}`"),
        Meaning::SumOfTimes(unit, _) => format!("numbers with units that are added up, `1h30m`; bare numbers in `{unit}`"),
        Meaning::Seconds(_) => "a number of seconds, without a unit".into(),
        Meaning::Number(_) => "a whole number".into(),
        Meaning::ScaledBytes(_) => "bytes, with `K`, `M` or `G` if wished; `0` is no limit".into(),
        Meaning::Bytes(_) => "bytes; `0` is no limit".into(),
        Meaning::Factor(_) => "a factor, `2` or `1.5`".into(),
        Meaning::YesNo(_) => "`yes` or `no`".into(),
        Meaning::Word(words) => words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Meaning::List(_) => "in the server's own notation".into(),
        Meaning::Restrictions(_) => format!("a list of {}; other words of Postfix are refused by name", restrictions::modelled()),
        Meaning::NoEffect => "accepted, without effect on what the model shows".into(),
        Meaning::Only(value) => format!("only `{value}`"),
        Meaning::Field(field) => format!("refused: write the field `{field}`"),
    }
}

fn section(title: &str, tables: &[Table], unknown: &[&str]) -> String {
    let mut page = format!("\n## {title}\n\n| parameter | value |\n|---|---|\n");
    let mut rows: Vec<_> = tables.iter().flat_map(|table| table.iter()).collect();
    rows.sort_by_key(|(name, _)| *name);
    for (name, meaning) in rows {
        let notation = exim::FOR_ALL.contains(name).then(|| "`*` or nothing: lists of hosts are not modelled".to_owned());
        page += &format!("| `{name}` | {} |\n", notation.unwrap_or_else(|| self::notation(*meaning)).replace('|', "\\|"));
    }
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|name| format!("`{name}`")).collect();
        page += &format!("\nNot modelled, refused by name: {}.\n", names.join(", "));
    }
    page
}

#[test]
fn page_of_settings() {
    let sections = [
        ("`Rfc`", &[rfc::TIMERS, rfc::RETRY][..], &[][..]),
        ("`ExchangeOnline`, `ExchangeServer`, `NoRetry`", &[rfc::TIMERS], &[]),
        ("`Postfix` (postconf(5))", &[postfix::TABLE], postfix::NOT_MODELLED),
        ("`Exim` (its specification, main section, smtp transport, retry rules)", &[exim::TABLE], exim::NOT_MODELLED),
        ("`Sendmail` (options of op.me)", &[sendmail::TABLE], &[]),
        ("`OpenSmtpd` (smtpd.conf(5))", &[opensmtpd::TABLE], &[]),
        ("`Qmail` (control files)", &[qmail::TABLE], &[]),
        ("`KumoMta` (make_egress_path, make_queue_config)", &[kumomta::TABLE], kumomta::NOT_MODELLED),
    ];
    let page = sections.iter().fold(HEAD.to_owned(), |page, (title, tables, unknown)| page + &section(title, tables, unknown));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).is_ok_and(|written| written == page),
        "docs/settings.md is not what the tables say: UPDATE_GOLDEN=1"
    );
}
