//! What is said about texts that are not scenarios? Each mistake with its place, its words and its way out.

use mailtwin::diag::{Style, render};
use mailtwin::scenario::Loader;

/// One line per problem: id, place, message, help.
fn complaints(text: &str) -> Vec<String> {
    let mut loader = Loader::new();
    let scenario = loader.text("x.ron", text);
    assert_eq!(scenario.is_some(), !loader.failed(), "a scenario, or an error that says why not: {text}");
    let line = |problem: &mailtwin::diag::Diagnostic| {
        let (start, end) = loader.sources.range(problem.span).unwrap();
        let help: String = problem.help.iter().map(|help| format!(" = {help}")).collect();
        let place = format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column);
        format!("{} {place} {}{help}", problem.code.id, problem.message)
    };
    loader.problems.iter().map(line).collect()
}

#[test]
fn one_mistake_each() {
    let cases: &[(&str, &str)] = &[
        // Not a scenario at all.
        ("", "MT0008 1:1-1:1 the file is empty = a scenario begins with `Scenario(`"),
        ("// nothing yet\n", "MT0008 1:1-1:1 the file is empty = a scenario begins with `Scenario(`"),
        ("[1]", "MT0010 1:1-1:2 expected a scenario in `( )`, found a list `[` = a scenario begins with `Scenario(`"),
        ("// a note\njunk", "MT0010 2:1-2:5 expected a scenario in `( )`, found the word `junk` = a scenario begins with `Scenario(`"),
        (
            "Szenario()",
            "MT0004 1:1-1:9 expected a scenario in `( )`, found the word `Szenario` = no word stands before these brackets: leave out `Szenario`",
        ),
        ("Scenario() x", "MT0001 1:12-1:13 there is something behind the end of the scenario = one file holds one `Scenario( … )`"),
        ("#![enable(foo)] Scenario()", "MT0001 1:1-1:2 there is no RON extension `foo` = the first line is not needed at all"),
        // Brackets.
        (
            "Scenario(invariants: { \"a\": NothingLost })",
            "MT0006 1:29-1:40 `NothingLost` stands without its brackets = write `NothingLost( … )`, or `NothingLost()` if nothing is to be said",
        ),
        ("Scenario(dns: (rest: NxDomain()))", "MT0006 1:22-1:30 the value `NxDomain` stands without brackets = write `NxDomain`"),
        (
            "Scenario(groups: ( a: [] ))",
            "MT0004 1:18-1:19 expected names in `{ }`, found `(` = things with names of your own stand in braces: `{ \"name\": … }`",
        ),
        (
            "Scenario(limits: { \"hops\": 9 })",
            "MT0004 1:18-1:19 expected `limits` in `( )`, found names in `{` = `( )` holds fields that the format names, `{ }` things that you \
             name: write ( … ) here",
        ),
        (
            "Scenario(links: { \"l\": (between: [\"a\", \"b\"]) })",
            "MT0004 1:34-1:35 expected two values in `( )`, found a list `[` = two belong together: (a, b)",
        ),
        (
            "Scenario(links: { \"l\": (between: (\"a\", \"b\", \"c\")) })",
            "MT0004 1:34-1:49 expected two values in `( )` = two belong together: (a, b)",
        ),
        ("Scenario(groups: { \"g\": [\"a\"", "MT0001 1:25-1:26 this `[` is never closed = the text ends before its `]`"),
        ("Scenario(groups: { \"g\": [\"a\"} )", "MT0001 1:29-1:30 expected `]`, found `}`"),
        // Quotes.
        (
            "Scenario(groups: { g: [] })",
            "MT0004 1:20-1:21 the name `g` stands without quotes = names in `{ }` are your own and stand in quotes: \"g\"",
        ),
        (
            "Scenario(\"name\": \"x\")",
            "MT0001 1:10-1:16 expected the name of a field, found a text = `{ }` holds names of your own, in quotes; in `( )` the format names \
             the fields, without quotes",
        ),
        (
            "Scenario(dns: (rest: \"nxdomain\"))",
            "MT0004 1:22-1:32 expected a value of `rest`, a word without quotes, found a text = write `NxDomain`",
        ),
        ("Scenario(name: bob)", "MT0004 1:16-1:19 expected a text in quotes, found the word `bob` = texts stand in quotes: \"bob\""),
        ("Scenario(name: 'bob')", "MT0004 1:16-1:21 expected a text in quotes, found `'` = texts stand in double quotes"),
        ("Scenario(name: \"bob", "MT0001 1:16-1:17 this text is never closed = texts end with the quote they began with"),
        (
            "Scenario(name: \"a\\d\")",
            "MT0001 1:20-1:22 a text has an escape that does not exist = a text with backslashes is written r\"…\", with quotes inside r#\"…\"#",
        ),
        // Lists.
        (
            "Scenario(systems: { \"m\": Mta(smart_hosts: \"[a]\") })",
            "MT0004 1:43-1:48 expected a list in `[ ]`, found a text = one is a list too: [\"[a]\"]",
        ),
        (
            "Scenario(name: [\"a\"])",
            "MT0004 1:16-1:17 expected one text in quotes, found a list `[` = this field takes one text, not a list: leave out the `[ ]`",
        ),
        (
            "Scenario(dns: \"a. A 1.2.3.4\")",
            "MT0004 1:15-1:29 expected `dns` in `( )`, found a text = master-file text stands in `records`: dns: (records: r#\"…\"#)",
        ),
        // Values.
        ("Scenario(seed: 1.0)", "MT0007 1:16-1:19 `1.0` is not a whole number that fits here = write `1`"),
        ("Scenario(seed: 1.5)", "MT0007 1:16-1:19 `1.5` is not a whole number that fits here = there are no fractions here"),
        ("Scenario(seed: -1)", "MT0007 1:16-1:18 `-1` is not a whole number that fits here = the smallest number here is 0"),
        ("Scenario(seed: \"7\")", "MT0004 1:16-1:19 expected a whole number, found a text = without quotes: 7"),
        (
            "Scenario(until: 3d)",
            "MT0004 1:17-1:19 expected a text in quotes, found the number `3d` = write it as a text, with its unit if it has one: \"3d\"",
        ),
        (
            "Scenario(until: Some(\"3d\"))",
            "MT0004 1:17-1:21 expected a text in quotes, found the word `Some` = write the value itself, without `Some( )`",
        ),
        (
            "Scenario(until: None)",
            "MT0004 1:17-1:21 expected a text in quotes, found the word `None` = `None` takes away a name in `{ }`; a field of `( )` is left out \
             instead",
        ),
        ("Scenario(until: )", "MT0004 1:17-1:18 expected a text in quotes, found `)`"),
        // Fields.
        ("Scenario(sed: 1)", "MT0002 1:10-1:13 a scenario has no field `sed` = did you mean `seed`?"),
        ("Scenario(seed: 1, seed: 2)", "MT0005 1:19-1:23 the field `seed` stands twice in these brackets"),
        ("Scenario(groups: { \"a\": [], \"a\": [] })", "MT0005 1:30-1:31 the name `a` stands twice in these braces"),
        (
            "Scenario(traffic: { \"m\": Message(\"bob@a.example\") })",
            "MT0001 1:34-1:49 expected the name of a field, found a text = the values in `( )` stand behind the names of their fields: \
             `word: value`",
        ),
        ("Scenario(seed = 1)", "MT0001 1:15-1:16 expected `:`, found `=` = fields and names are written with a colon: `word: value`"),
        (
            "Scenario(name: \"a\" seed: 1)",
            "MT0001 1:20-1:24 expected `,` before the word `seed` = a comma stands between fields, names and list entries",
        ),
        (
            "Scenario(faults: { \"f\": Down(target: \"a\", from: \"10m\") })",
            "MT0002 1:43-1:47 `Down` has no field `from` = a fault begins `at` a moment, and ends with `until` or `lasts`",
        ),
        ("Scenario(faults: { \"f\": Dwon(target: \"a\") })", "MT0003 1:25-1:29 `Dwon` is not a kind of fault = did you mean `Down`?"),
        (
            "Scenario(systems: { \"m\": Mta(relayhost: \"[a]\") })",
            "MT0002 1:30-1:39 `Mta` has no field `relayhost` = the next hop stands in `smart_hosts`: [\"mail.example.com\"]; a server's own \
             parameters stand in `settings`: { \"relayhost\": \"…\" }",
        ),
        (
            "Scenario(systems: { \"m\": Mta(smtp_tls_security_level: \"may\") })",
            "MT0002 1:30-1:53 `Mta` has no field `smtp_tls_security_level` = a server's own parameters stand in `settings`: { \"parameter\": \
             \"value\" }",
        ),
        (
            "Scenario(invariants: { \"x\": Not(Copies(is: 1), Copies(is: 2)) })",
            "MT0001 1:48-1:54 the word `Copies` does not belong here = these brackets hold one value",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(complaints(text), [*expected], "{text}");
    }
}

#[test]
fn all_mistakes_at_once() {
    let text = r#"Scenario(
    name: "a"
    until: 3d,
    systems: {
        "eop": ExchangeOnline(outbound_connectors: { "out": (
            name: "out", smart_hosts: "mail.contoso.com", smart_host: "x", UseMXRecord: $false,
            tls_settings: Encryption, comment: "for \u{e9}" enabled: yes,
        ) }),
    },
    test: {},
)"#;
    let expected = [
        "MT0001 3:5-3:10 expected `,` before the word `until` = a comma stands between fields, names and list entries",
        "MT0004 3:12-3:14 expected a text in quotes, found the number `3d` = write it as a text, with its unit if it has one: \"3d\"",
        "MT0002 6:13-6:17 an outbound connector has no field `name` = its name stands before the colon: { \"name\": ( … ) }",
        "MT0004 6:39-6:57 expected a list in `[ ]`, found a text = one is a list too: [\"mail.contoso.com\"]",
        "MT0002 6:59-6:69 an outbound connector has no field `smart_host` = did you mean `smart_hosts`? It is a list: smart_hosts: \
         [\"mail.example.com\"]",
        "MT0002 6:76-6:87 an outbound connector has no field `UseMXRecord` = parameters are written in snake_case: `use_mx_record`",
        "MT0003 7:27-7:37 `Encryption` is not a value of `tls_settings` = did you mean `EncryptionOnly`?",
        "MT0001 7:61-7:68 expected `,` before the word `enabled` = a comma stands between fields, names and list entries",
        "MT0004 7:70-7:73 expected `true` or `false`, found the word `yes` = write true, without quotes",
        "MT0002 10:5-10:9 a scenario has no field `test` = did you mean `tests`?",
    ];
    assert_eq!(complaints(text), expected);
}

#[test]
fn the_picture() {
    let mut loader = Loader::new();
    let text = "Scenario(\n    groups: {\n        \"site\": [\"a\"],\n        \"site\": [\"b\"],\n    },\n    sed: 1,\n)\n";
    assert!(loader.text("contoso.ron", text).is_none());
    let expected = r#"error[MT0005]: the name `site` stands twice in these braces
 --> contoso.ron:4:10
  |
3 |         "site": ["a"],
  |          ---- first here
4 |         "site": ["b"],
  |          ^^^^

error[MT0002]: a scenario has no field `sed`
 --> contoso.ron:6:5
  |
6 |     sed: 1,
  |     ^^^
  |
  = help: did you mean `seed`?
"#;
    assert_eq!(render(&loader.problems, &loader.sources, Style::Plain), expected);
}

#[test]
fn a_quote_that_is_missing_is_named_where_it_is_missing() {
    let text = "Scenario(\n    name: \"a,\n    overview: \"b\",\n)";
    let mut loader = Loader::new();
    assert!(loader.text("x.ron", text).is_none());
    let also: Vec<_> =
        loader.problems[0].also.iter().map(|(span, words)| (loader.sources.range(*span).unwrap().0.line, words.as_str())).collect();
    assert_eq!(also, [(2, "this text goes on over several lines: is its end missing?")]);
}

#[test]
fn nesting_is_bounded() {
    for piece in ["Not(", "Scenario(variants: { \"a\": ", "[", "(", "/*"] {
        for text in [piece.repeat(20_000), format!("Scenario(invariants: {{ \"a\": {}", piece.repeat(20_000))] {
            assert!(!complaints(&text).is_empty(), "{piece}");
        }
    }
}

#[test]
fn json_form() {
    let mut loader = Loader::new();
    assert!(loader.text("x.ron", "Scenario(\n  sed: 1)").is_none());
    let expected = serde_json::json!({
        "code": "MT0002", "severity": "error", "message": "a scenario has no field `sed`", "label": "",
        "place": { "file": "x.ron", "line": 2, "column": 3, "end_line": 2, "end_column": 6 },
        "also": [], "help": ["did you mean `seed`?"],
    });
    assert_eq!(loader.problems[0].to_json(&loader.sources), expected);
}
