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
        ("Szenario()", "MT0004 1:1-1:9 expected a scenario in `( )`, found the word `Szenario` = write `Scenario(`"),
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
            "MT0001 1:10-1:16 expected the name of a field, found a text = fields stand in `( )` without quotes: name: …",
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
        ("Scenario(until: 3d)", "MT0004 1:17-1:19 expected a text in quotes, found the number `3d` = texts stand in quotes: \"3d\""),
        (
            "Scenario(until: Some(\"3d\"))",
            "MT0004 1:17-1:21 expected a text in quotes, found the word `Some` = write the value itself, without `Some( )`",
        ),
        (
            "Scenario(until: None)",
            "MT0004 1:17-1:21 expected a text in quotes, found the word `None` = `None` takes away a name in `{ }`; a field of `( )` is left out \
             instead",
        ),
        (
            "Scenario(until: )",
            "MT0004 1:17-1:18 expected a text in quotes, found `)` = there is no value here: write one, or leave the field out",
        ),
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

/// What pens, editors and other languages do to a file.
#[test]
fn slips_of_the_pen() {
    let cases: &[(&str, &[&str])] = &[
        ("Scenario(name: “a”)", &["MT0004 1:16-1:17 expected a text in quotes, found `“` = texts stand in plain double quotes: `\"`"]),
        (
            "Scenario(name: `a b`)",
            &["MT0004 1:16-1:17 expected a text in quotes, found a backtick = texts stand in plain double quotes: `\"`"],
        ),
        (
            "Scenario(name: \"a\",\u{ad} seed: 1)",
            &["MT0001 1:20-1:21 an invisible character (U+00AD) does not belong here = write an ordinary blank in its place"],
        ),
        ("Scenario(name: \"a\"， seed: 1)", &["MT0001 1:19-1:20 `，` does not belong here = this is a full-width character: write `,`"]),
        (
            "Scenario(name: \"a\"; seed: 1)",
            &["MT0001 1:19-1:20 `;` does not belong here = a comma stands between fields, names and list entries"],
        ),
        ("Scenario(seed: 1, # why", &["MT0001 1:19-1:20 `#` does not belong here = a comment begins with `//`"]),
        ("Scenario(seed: 1, -- why", &["MT0001 1:19-1:21 `--` does not belong here = a comment begins with `//`"]),
        ("# why", &["MT0001 1:1-1:2 `#` does not belong here = a comment begins with `//`"]),
        ("Scenario(seed: 1) # why", &["MT0001 1:19-1:20 there is something behind the end of the scenario = a comment begins with `//`"]),
        (
            "let s = Scenario(seed: 1)",
            &["MT0010 1:1-1:4 expected a scenario in `( )`, found the word `let` = a scenario begins with `Scenario(`"],
        ),
        (
            "Scenario(seed: 1, /* why",
            &["MT0001 1:19-1:21 this comment is never closed = it ends with `*/`; a comment of one line begins with `//`"],
        ),
        (
            "Scenario(seed: 25%)",
            &["MT0001 1:18-1:19 `%` does not belong here = nothing stands behind a number; a share is a text: \"40%\""],
        ),
        (
            "Scenario(seed: ten)",
            &["MT0004 1:16-1:19 expected a whole number, found the word `ten` = digits stand here, without quotes and unit"],
        ),
        (
            "Scenario(seed: [1])",
            &["MT0004 1:16-1:17 expected a whole number, found a list `[` = one value stands here: leave out the `[ ]`"],
        ),
        ("Scenario(name: (“a”))", &["MT0004 1:16-1:17 expected a text in quotes, found `(` = one value stands here: leave out the `( )`"]),
        (
            "Scenario(name: null)",
            &["MT0004 1:16-1:20 expected a text in quotes, found the word `null` = a field that says nothing is left out"],
        ),
        (
            "Scenario(name: the long name)",
            &["MT0004 1:16-1:19 expected a text in quotes, found the word `the` = texts stand in quotes: \"the long name\""],
        ),
        (
            "Scenario(name: the long name until: \"2h\")",
            &["MT0004 1:16-1:19 expected a text in quotes, found the word `the` = texts stand in quotes: \"the long name\""],
        ),
        ("Scenario(name: a.b*c)", &["MT0004 1:16-1:17 expected a text in quotes, found the word `a` = texts stand in quotes: \"a.b*c\""]),
        (
            "Scenario(name: a\", seed: 1)",
            &["MT0004 1:16-1:17 expected a text in quotes, found the word `a` = its first quote is missing: \"a\""],
        ),
        (
            "Scenario(name: \"a, until: \"2h\")",
            &[
                "MT0001 1:16-1:28 the number `2h` stands right behind the end of this text = is a quote missing before it or in it, or is one too many?",
            ],
        ),
        (
            "Scenario(groups: { \"a, b\": [\"c, \"d\"] })",
            &[
                "MT0001 1:29-1:34 the word `d` stands right behind the end of this text = is a quote missing before it or in it, or is one too many?",
            ],
        ),
        (
            "Scenario(groups: { g.example: [\"a\"] })",
            &[
                "MT0004 1:20-1:29 the name `g.example` stands without quotes = names in `{ }` are your own and stand in quotes: \"g.example\"",
            ],
        ),
        (
            "Scenario(groups: { the group: [\"a\"] })",
            &[
                "MT0004 1:20-1:29 the name `the group` stands without quotes = names in `{ }` are your own and stand in quotes: \"the group\"",
            ],
        ),
        (
            "Scenario(groups: { the group\": [\"a\"] })",
            &[
                "MT0004 1:20-1:29 the name `the group` stands without quotes = names in `{ }` are your own and stand in quotes: \"the group\"",
            ],
        ),
        (
            "Scenario(groups: { 1: [\"a\"] })",
            &["MT0001 1:20-1:21 expected a name in quotes, found the number `1` = names in `{ }` stand in quotes: \"1\""],
        ),
        (
            "Scenario(groups: { 'g': [\"a\"] })",
            &["MT0001 1:20-1:23 expected a name in quotes, found `'` = names in `{ }` stand in double quotes"],
        ),
        (
            "Scenario(groups: { \"g\": (\"a\", \"b\") })",
            &["MT0004 1:25-1:26 expected a list in `[ ]`, found `(` = a list stands in `[ ]`: [ …, … ]"],
        ),
        ("Scenario(groups: { \"g\": [\"a\"],, })", &["MT0001 1:31-1:32 expected a name in quotes, found `,` = one comma is enough"]),
        (
            "Scenario(invariants: { \"a\": Path(\"a\", \"b\") })",
            &["MT0004 1:34-1:37 expected a list in `[ ]`, found a text = a list stands in `[ ]`: [ …, … ]"],
        ),
        (
            "Scenario(systems: { \"m\": \"Mta\"(hostname: \"m\") })",
            &["MT0004 1:26-1:31 expected a kind of system, found a text = kinds stand without quotes: `Mta( … )`"],
        ),
        ("Scenario(systems: { \"m\": Mta{hostname: \"m\"} })", &["MT0006 1:26-1:29 `Mta` has its fields in `( )` = write `Mta( … )`"]),
        (
            "Scenario(systems: { \"m\": Mta(hostname: \"m\"), hosts: { \"a\": () } })",
            &[
                "MT0004 1:46-1:51 the name `hosts` stands without quotes = names in `{ }` are your own and stand in quotes; if `hosts` is a field, a `)` is missing before it",
                "MT0004 1:53-1:54 expected a kind of system before the bracket, found names in `{` = known are `Mta`, `Gateway`, `ExchangeOnline`, `ExchangeServer`, `Internet`, `Device`, `Fope`",
            ],
        ),
        (
            "Scenario(systems: { \"m\": Mta(smart-hosts: [\"a\"]) })",
            &["MT0001 1:30-1:41 `smart-hosts` is no name of a field = words are joined by `_`: `smart_hosts`"],
        ),
        (
            "Scenario(limits: hops: 9)",
            &[
                "MT0004 1:18-1:22 expected `limits` in `( )`, found the word `hops` = a `(` is missing before `hops`, and its `)` behind the last field",
            ],
        ),
        (
            "Scenario(limits: [9])",
            &["MT0004 1:18-1:19 expected `limits` in `( )`, found a list `[` = fields stand in `( )`: write ( … ) here"],
        ),
        (
            "Scenario(seed: 1, \"until\": \"2h\")",
            &["MT0001 1:19-1:26 expected the name of a field, found a text = fields stand in `( )` without quotes: until: …"],
        ),
        (
            "Scenario(tests: { \"t\": (given: (seed: 2), expect: [], \"u\": () })",
            &[
                "MT0001 1:55-1:58 expected the name of a field, found a text = `{ }` holds names of your own, in quotes; in `( )` the format names the fields, without quotes",
            ],
        ),
        (
            "Scenario(invariants: { \"a\": Deferred(by: \"a\", Copies(is: 1)) })",
            &[
                "MT0002 1:47-1:53 `Deferred` has no field `Copies` = known are `by`, `to`, `code`",
                "MT0001 1:53-1:54 expected `:`, found `(`",
            ],
        ),
        (
            "Scenario(tests: { \"t\": (faults: {}) })",
            &["MT0002 1:25-1:31 a test has no field `faults` = what a test changes stands in its `given`: given: (faults: …)"],
        ),
        (
            "Scenario(tests: { \"t\": (from: \"a@b.example\") })",
            &["MT0002 1:25-1:29 a test has no field `from` = the message of a test stands in its `send`: send: (from: \"…\", to: [\"…\"])"],
        ),
        (
            "Scenario(send: (from: \"a@b.example\"))",
            &["MT0002 1:10-1:14 a scenario has no field `send` = this is a field of a test: is the `)` of its `given` missing before it?"],
        ),
        (
            "Scenario(traffic: { \"t\": Message(rate: \"1/s\") })",
            &[
                "MT0002 1:34-1:38 `Message` has no field `rate` = `Message` has `count` and `gap`, `Burst` has `count` and `over`, `Every` has `interval`, `Poisson` has `rate`",
            ],
        ),
        (
            "Scenario(traffic: { \"t\": Message(color: \"red\") })",
            &[
                "MT0002 1:34-1:39 `Message` has no field `color` = known are `at`, `count`, `gap`, `by`, `from`, `from_one_of`, `to`, `to_one_of`, `size`, `headers`, `header_from`, `subject`, `text`, `message_type`, `scl`, `dkim`, `login`, `oauth`, `notify`, `ret`, `envid`, `orcpt`, `body`, `smtp_utf8`, `requiretls`",
            ],
        ),
        (
            "Scenario(links: { \"l\": (between: (\"a\", 'b')) })",
            &["MT0004 1:40-1:43 expected a text in quotes, found `'` = texts stand in double quotes"],
        ),
        (
            "Scenario(links: { \"l\": (between: (\"a\", is: 1)) })",
            &["MT0004 1:40-1:42 expected a text in quotes, found the word `is` = `is:` begins a field: is a bracket missing before it?"],
        ),
        (
            "Scenario(dns: (rest: NxDomain), resolvers: { \"r\": (warm: [true]) })",
            &["MT0004 1:58-1:59 expected `true` or `false`, found a list `[` = one value stands here: leave out the `[ ]`"],
        ),
        (
            "Scenario(dns: (rest: \"Elsewhere\"))",
            &["MT0004 1:22-1:33 expected a value of `rest`, a word without quotes, found a text = known are `Internet`, `NxDomain`"],
        ),
        (
            "Scenario(resolvers: { \"r\": (warm: maybe) })",
            &["MT0004 1:35-1:40 expected `true` or `false`, found the word `maybe` = `true` or `false` stands here, without quotes"],
        ),
        (
            "Scenario(resolvers: { \"r\": (warm: true()) })",
            &["MT0001 1:39-1:40 `(` does not belong here = no brackets stand behind this word"],
        ),
        (
            "Scenario(groups:",
            &[
                "MT0004 1:17-1:17 expected names in `{ }`, found the end of the text = the file ends although brackets are open = things with names of your own stand in braces: `{ \"name\": … }`",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(complaints(text), *expected, "{text}");
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
        "MT0004 3:12-3:14 expected a text in quotes, found the number `3d` = texts stand in quotes: \"3d\"",
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
