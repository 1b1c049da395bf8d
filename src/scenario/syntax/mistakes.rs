//! Which field was meant? The mistakes that people make first, each with its own way out.

use super::super::read::{Brackets, quoted};
use super::super::schema::Scenario;
use super::exchange_words;
use crate::diag::{Diagnostic, Span, closest, code};

/// A field that these brackets do not have, with the help that is known for it.
pub(in super::super) fn unknown_field(outer: &str, name: &str, place: Span, known: &[&'static str]) -> Diagnostic {
    let problem = Diagnostic::error(code::UNKNOWN_FIELD, place, format!("{outer} has no field `{name}`"));
    let has = |field: &str| known.contains(&field);
    let snake = snake_case(name);
    if snake != name && has(&snake) {
        return problem.help(format!("parameters are written in snake_case: `{snake}`"));
    }
    // A mailbox of another mail server has not the words of Exchange.
    let of_exchange = outer != "`Mailbox`" || has("inbox_rules");
    if let Some(known) = exchange_words::field(outer, &snake).filter(|_| of_exchange) {
        let message = match known.code {
            code::NOT_MODELLED => format!("`{name}` of {outer}: not modelled"),
            _ => problem.message.clone(),
        };
        return Diagnostic::error(known.code, place, message).help(known.help);
    }
    let help = match name {
        "name" => "its name stands before the colon: { \"name\": ( … ) }",
        "smart_host" | "smarthost" if has("smart_hosts") => "did you mean `smart_hosts`? It is a list: smart_hosts: [\"mail.example.com\"]",
        "relayhost" | "relay_host" | "nexthop" if has("smart_hosts") => {
            "the next hop stands in `smart_hosts`: [\"mail.example.com\"]; a server's own parameters stand in `settings`: { \"relayhost\": \"…\" }"
        }
        "from" | "start" | "begin" | "after" if has("at") && has("lasts") => {
            "a fault begins `at` a moment, and ends with `until` or `lasts`"
        }
        "to" | "end" | "before" if has("at") && has("lasts") => "a fault begins `at` a moment, and ends with `until` or `lasts`",
        "for" | "duration" | "length" if has("lasts") => "how long it holds stands in `lasts`, the moment of its end in `until`",
        "host" | "system" | "server" if has("target") => "what a fault strikes is its `target`",
        "type" if has("connector_type") => "did you mean `connector_type`?",
        "domain" if has("accepted_domains") => "domains stand in `accepted_domains`: { \"example.com\": Authoritative }",
        "recipients" | "rcpt" if has("to") => "recipients stand in `to`: [\"alice@example.com\"]",
        "sender" | "mail_from" if has("from") && !has("sender") => "the sender stands in `from`",
        _ if outer == "a test" && is_field_of_scenario(name) => {
            return problem.help(format!("what a test changes stands in its `given`: given: ({name}: …)"));
        }
        "send" | "expect" | "cases" | "given" | "with_traffic" if outer == "a scenario" => {
            "this is a field of a test: is the `)` of its `given` missing before it?"
        }
        "from" | "to" | "by" | "at" | "size" if has("send") => {
            "the message of a test stands in its `send`: send: (from: \"…\", to: [\"…\"])"
        }
        "rate" | "interval" | "over" | "count" | "gap" if has("header_from") => {
            "`Message` has `count` and `gap`, `Burst` has `count` and `over`, `Every` has `interval`, `Poisson` has `rate`"
        }
        "because" | "why" if has("said_by") => "which rule decided is asked by `Chosen`, `PassedOver` or `Attributed`",
        _ if has("settings") && has("profile") && looks_like_a_parameter(name) => {
            return problem.suggest_or(name, known, "a server's own parameters stand in `settings`: { \"parameter\": \"value\" }");
        }
        _ => "",
    };
    if !help.is_empty() {
        return problem.help(help);
    }
    match known {
        [] => problem.help("nothing stands in these brackets"),
        _ => {
            let list = format!("known are {}", quoted(known));
            problem.suggest_or(name, known, &list)
        }
    }
}

fn is_field_of_scenario(name: &str) -> bool {
    let mut names = Vec::new();
    Scenario::default().names(&mut names);
    names.contains(&name)
}

impl Diagnostic {
    /// A suggestion, or else this help line.
    fn suggest_or(self, word: &str, known: &[&str], help: &str) -> Self {
        match closest(word, known.iter().copied()) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if help.is_empty() => self,
            None => self.help(help),
        }
    }
}

/// `smtp_tls_security_level`, `minimal_backoff_time`: longer than any field that the format has for a server.
fn looks_like_a_parameter(name: &str) -> bool {
    name.matches('_').count() >= 1 || name.starts_with("smtp")
}

/// `UseMXRecord` as `use_mx_record`: a run of capitals is one word, also in the plural.
pub(super) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let plural = chars.get(at + 1) == Some(&'s') && chars.get(at + 2).is_none_or(|next| next.is_uppercase());
        let next_is_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase()) && !plural;
        let begins = c.is_uppercase() && before.is_some_and(|before| before != '_' && (!before.is_uppercase() || next_is_lower));
        if begins {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_snake_case() {
        let cases = [
            ("UseMXRecord", "use_mx_record"),
            ("SmartHosts", "smart_hosts"),
            ("EFSkipIPs", "ef_skip_ips"),
            ("RemoteIPRanges", "remote_ip_ranges"),
            ("DSNs", "dsns"),
            ("TlsSettings", "tls_settings"),
        ];
        for (name, expected) in cases {
            assert_eq!(snake_case(name), expected, "{name}");
        }
    }
}
