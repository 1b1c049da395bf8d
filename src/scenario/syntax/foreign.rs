//! Which character is this that the notation does not have, and what was meant by it?
//!
//! Typographic quotes, invisible blanks, full-width signs and other languages' comments: what editors, chats and web pages put into a file.

/// What should be written instead of the first character of `rest`; `None` if nothing is known of it.
pub(in super::super) fn meant(rest: &str) -> Option<String> {
    let first = rest.chars().next()?;
    Some(match first {
        '#' => "a comment begins with `//`".into(),
        _ if rest.starts_with("--") || rest.starts_with("<!--") => "a comment begins with `//`".into(),
        ';' => "a comma stands between fields, names and list entries".into(),
        '%' => "nothing stands behind a number; a share is a text: \"40%\"".into(),
        '\'' => "texts stand in double quotes".into(),
        _ if is_quote(first) => "texts stand in plain double quotes: `\"`".into(),
        _ if is_invisible(first) => "write an ordinary blank in its place".into(),
        '\u{ff01}'..='\u{ff5e}' => {
            let plain = char::from_u32(u32::from(first) - 0xfee0).unwrap_or(first);
            format!("this is a full-width character: write `{plain}`")
        }
        _ => return None,
    })
}

/// Does it make what follows unreadable, so that nothing can be said of that?
pub(in super::super) fn ends_the_reading(rest: &str) -> bool {
    !rest.starts_with(['\'', '%']) && meant(rest).is_some()
}

/// Quotes that are no quotes here.
fn is_quote(c: char) -> bool {
    matches!(c, '`' | '\u{b4}' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}' | '\u{300c}'..='\u{300f}' | '\u{301d}'..='\u{301f}')
}

/// Blanks that are none, and what nobody sees.
pub(in super::super) fn is_invisible(c: char) -> bool {
    (c.is_whitespace() && !c.is_ascii())
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant() {
        let cases = [
            ("# why", Some("a comment begins with `//`")),
            ("-- why", Some("a comment begins with `//`")),
            ("-1", None),
            ("\u{201c}web\u{201d}", Some("texts stand in plain double quotes: `\"`")),
            ("\u{a0}", Some("write an ordinary blank in its place")),
            ("\u{feff}", Some("write an ordinary blank in its place")),
            ("\u{ff1a}", Some("this is a full-width character: write `:`")),
            ("*", None),
            ("", None),
        ];
        for (rest, expected) in cases {
            assert_eq!(meant(rest).as_deref(), expected, "{rest:?}");
        }
    }
}
