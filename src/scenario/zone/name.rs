//! Which name is meant? Labels, escapes, the origin.
//!
//! Sources: RFC 1035 §2.3.4 (lengths) and §5.1 (escapes, relative names), RFC 4592 §2.1 (`*` is a wildcard as the first label).
//! A name in other letters than ASCII is its A-label (`base::spell`), except where a backslash says that it is bytes.

use super::lex::Token;
use super::problem::{ZoneProblem, codes, quote};
use crate::base::spell;
use crate::model::dns::parent_text;

/// What completes a name without final dot.
#[derive(Clone, Debug, Default)]
pub(super) enum Origin {
    /// Nothing: the name must be complete.
    #[default]
    Unset,
    /// There was one, with a problem that has been told.
    Unreadable,
    /// This name, in normal form.
    Name(Box<str>),
}

/// Reads a name, complete or relative, as normal form. `None` after an error; a missing final dot is one, but the name is
/// known all the same.
pub(super) fn read(token: &Token<'_>, origin: &Origin, problems: &mut Vec<ZoneProblem>) -> Option<Box<str>> {
    if token.text == "@" && !token.is_quoted {
        return match origin {
            Origin::Name(origin) => Some(origin.clone()),
            Origin::Unreadable => None,
            Origin::Unset => {
                let problem = ZoneProblem::error(token.range.clone(), codes::FINAL_DOT, "`@` stands for the origin, and there is none");
                problems.push(problem.help("put `$ORIGIN contoso.com.` above, or write the name"));
                None
            }
        };
    }
    let (name, is_complete) = match labels(token) {
        Ok(read) => read,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let name = match origin {
        _ if is_complete => name,
        Origin::Name(origin) => {
            problems.extend(looks_complete(token, &name, origin));
            if origin.is_empty() { name } else { format!("{name}.{origin}") }
        }
        Origin::Unset => {
            problems.push(no_final_dot(token, &name));
            name
        }
        Origin::Unreadable => name,
    };
    match too_long(token, &name) {
        Some(problem) => {
            problems.push(problem);
            None
        }
        None => Some(name.into()),
    }
}

/// Reads a name where there is no origin, with or without final dot.
pub(super) fn read_absolute(token: &Token<'_>) -> Result<Box<str>, ZoneProblem> {
    let (name, _) = labels(token)?;
    too_long(token, &name).map_or(Ok(name.into()), Err)
}

/// The labels in normal form, and whether a dot ends the last one.
fn labels(token: &Token<'_>) -> Result<(String, bool), ZoneProblem> {
    let wrong = |message: String| ZoneProblem::error(token.range.clone(), codes::NAME, message);
    if token.is_quoted {
        return Err(wrong(format!("a name stands without quotes: {}", quote(token.text))).help("take the quotes away"));
    }
    if token.text == "." {
        return Ok((String::new(), true));
    }
    // Names in other letters stand for their A-labels; behind a backslash stand bytes, which need none.
    let spelled = if token.text.is_ascii() || token.text.contains('\\') { None } else { Some(spell(token.text)) };
    let text = match &spelled {
        Some(Ok(spelling)) => &spelling.ascii,
        Some(Err(problem)) => {
            return Err(wrong(format!("{} has no A-label", quote(token.text))).help(problem.to_string()));
        }
        None => token.text,
    };
    let (mut name, mut label_len, mut is_complete) = (String::with_capacity(text.len()), 0, false);
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        is_complete = false;
        let (byte, is_escaped) = match first {
            b'\\' => {
                let (byte, len) = escape(rest).map_err(wrong)?;
                rest = &rest[len..];
                (byte, true)
            }
            _ => {
                rest = after;
                (*first, false)
            }
        };
        if !is_escaped && !byte.is_ascii_graphic() {
            let help = if token.text.contains('\u{a0}') {
                "there is a no-break space in it"
            } else {
                "a byte that is no letter is written `\\046`"
            };
            return Err(wrong(format!("{} has characters that no name has", quote(token.text))).help(help));
        }
        if byte == b'.' && !is_escaped {
            if label_len == 0 {
                return Err(wrong(format!("{} has an empty label", quote(token.text))).help("put one dot between labels, none in front"));
            }
            (label_len, is_complete) = (0, true);
            name.push('.');
            continue;
        }
        label_len += 1;
        if label_len > 63 {
            return Err(wrong(format!("a label of {} is longer than 63 characters", quote(token.text))));
        }
        push_byte(&mut name, byte);
    }
    if name.is_empty() {
        return Err(wrong("there is no name here".to_owned()));
    }
    if is_complete {
        name.pop();
    }
    Ok((name, is_complete))
}

/// A byte of a label in normal form.
fn push_byte(name: &mut String, byte: u8) {
    match byte.to_ascii_lowercase() {
        special @ (b'.' | b'\\') => name.extend(['\\', char::from(special)]),
        graphic if graphic.is_ascii_graphic() => name.push(char::from(graphic)),
        other => name.push_str(&format!("\\{other:03}")),
    }
}

/// The byte that `\.` or `\046` at the beginning stands for, and the length of the escape.
pub(super) fn escape(text: &[u8]) -> Result<(u8, usize), String> {
    match text {
        [b'\\', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => match digits {
            [a @ b'0'..=b'2', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
                let value = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
                u8::try_from(value).map(|byte| (byte, 4)).map_err(|_| format!("`\\{value}` is no byte: three digits, 000 to 255"))
            }
            _ => Err("a backslash and digits are one byte: three digits, `\\000` to `\\255`".to_owned()),
        },
        [b'\\', byte, ..] => Ok((*byte, 2)),
        _ => Err("there is nothing behind the backslash".to_owned()),
    }
}

fn no_final_dot(token: &Token<'_>, name: &str) -> ZoneProblem {
    let problem = ZoneProblem::error(
        token.range.clone(),
        codes::FINAL_DOT,
        format!("{} has no final dot, and no `$ORIGIN` completes it", quote(token.text)),
    );
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        problem.help("an address cannot stand where a name belongs: give the host a name with an `A` record, and write that name")
    } else if name.contains('.') {
        problem.help(format!("write {}", quote(&format!("{}.", token.text))))
    } else {
        problem.help(format!(
            "write the whole name, as in {}, or put `$ORIGIN contoso.com.` above",
            quote(&format!("{}.contoso.com.", token.text))
        ))
    }
}

/// The mistake of the forgotten final dot, which DNS does not see: `mail.contoso.com` below `contoso.com`.
fn looks_complete(token: &Token<'_>, name: &str, origin: &str) -> Option<ZoneProblem> {
    let top = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let last = top(name);
    let looks_so = name.contains('.') && !origin.is_empty() && (last == top(origin) || matches!(&*last, "com" | "net" | "org"));
    if !looks_so && !is_address {
        return None;
    }
    let message = format!("{} has no final dot, so it becomes {}", quote(token.text), quote(&format!("{name}.{origin}.")));
    let problem = ZoneProblem::warning(token.range.clone(), codes::DOUBLE_ORIGIN, message);
    Some(if is_address {
        problem.help("an address cannot stand where a name belongs: write the name of a host that has it")
    } else {
        problem.help(format!("write {}", quote(&format!("{}.", token.text))))
    })
}

/// A name has at most 255 bytes on the wire: a length in front of each label, and a zero at the end.
fn too_long(token: &Token<'_>, name: &str) -> Option<ZoneProblem> {
    if name.len() + 2 <= 255 {
        return None; // escapes only make it shorter
    }
    let (mut len, mut rest) = (1, name);
    while let Some(above) = parent_text(rest) {
        let written = rest.len() - above.len() - usize::from(!above.is_empty());
        let label = &rest.as_bytes()[..written];
        let (mut at, mut bytes) = (0, 0);
        while at < label.len() {
            at += escape(&label[at..]).map_or(1, |(_, len)| len);
            bytes += 1;
        }
        len += 1 + bytes;
        rest = above;
    }
    let problem = ZoneProblem::error(token.range.clone(), codes::NAME, format!("{} has {len} bytes, a name has at most 255", quote(name)));
    (len > 255).then_some(problem)
}

/// A `*` that does not stand alone in front is an ordinary label.
pub(super) fn check_wildcard(token: &Token<'_>, owner: &str) -> Option<ZoneProblem> {
    let inner = owner.strip_prefix("*.").unwrap_or(owner);
    if !inner.contains('*') || owner == "*" {
        return None;
    }
    let problem = ZoneProblem::warning(token.range.clone(), codes::WILDCARD, format!("the `*` in {} is no wildcard", quote(token.text)));
    Some(problem.help("a wildcard is the whole first label, as in `*.contoso.com.`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::dns::normal_form;
    use crate::scenario::zone::Severity;
    use crate::scenario::zone::lex::words;

    #[test]
    fn names() {
        let origin = Origin::Name("contoso.com".into());
        let long = "a.".repeat(120) + "contoso";
        let longer = "a.".repeat(130);
        let cases = [
            ("Mail", &origin, Some("mail.contoso.com"), None),
            ("mail.fabrikam.test.", &origin, Some("mail.fabrikam.test"), None),
            ("@", &origin, Some("contoso.com"), None),
            (".", &origin, Some(""), None),
            ("a\\.b", &origin, Some("a\\.b.contoso.com"), None),
            ("\\065\\032\\200.x.", &origin, Some("a\\032\\200.x"), None),
            ("\\042.x.", &origin, Some("*.x"), None),
            ("mail.contoso.com", &origin, Some("mail.contoso.com.contoso.com"), Some("write `mail.contoso.com.`")),
            (
                "10.0.0.1",
                &origin,
                Some("10.0.0.1.contoso.com"),
                Some("an address cannot stand where a name belongs: write the name of a host that has it"),
            ),
            ("mail.contoso.com", &Origin::Unset, Some("mail.contoso.com"), Some("write `mail.contoso.com.`")),
            (
                "mail",
                &Origin::Unset,
                Some("mail"),
                Some("write the whole name, as in `mail.contoso.com.`, or put `$ORIGIN contoso.com.` above"),
            ),
            ("@", &Origin::Unset, None, Some("put `$ORIGIN contoso.com.` above, or write the name")),
            ("a..b.", &origin, None, Some("put one dot between labels, none in front")),
            ("Bücher.example.", &origin, Some("xn--bcher-kva.example"), None),
            ("bücher", &origin, Some("xn--bcher-kva.contoso.com"), None),
            (
                "i☃.example.",
                &origin,
                None,
                Some(
                    "`\\u{2603}` is not a letter, digit or mark that a name may have (RFC 5892); a name that has an A-label can be written with that",
                ),
            ),
            ("\"a.b.\"", &origin, None, Some("take the quotes away")),
            (&*long, &origin, None, None),
            (&*longer, &origin, None, None),
            ("\\300.", &origin, None, None),
            ("\\12.", &origin, None, None),
            ("mail", &Origin::Name("".into()), Some("mail"), None),
        ];
        for (text, origin, expected, help) in cases {
            let (mut problems, token) = (Vec::new(), words(text).next().unwrap());
            let name = read(&token, origin, &mut problems);
            assert_eq!(name.as_deref(), expected, "{text}");
            assert_eq!(problems.first().and_then(|problem| problem.help.as_deref()), help, "{text}");
            assert_eq!(
                name.is_none(),
                problems.iter().any(|p| p.severity == Severity::Error && p.code != codes::FINAL_DOT || text == "@"),
                "{text}"
            );
            assert!(name.is_none_or(|name| normal_form(&name) == *name), "{text}: not in normal form");
        }
        let label = format!("{}.", "x".repeat(64));
        assert!(labels(&words(&label).next().unwrap()).is_err());
        assert!(labels(&words(&label[1..]).next().unwrap()).is_ok());
    }

    #[test]
    fn wildcards() {
        let cases =
            [("*.contoso.com", true), ("*", true), ("mail.*.contoso.com", false), ("x*.contoso.com", false), ("*.*.contoso.com", false)];
        for (owner, is_fine) in cases {
            assert_eq!(check_wildcard(&words(owner).next().unwrap(), owner).is_none(), is_fine, "{owner}");
        }
    }
}
