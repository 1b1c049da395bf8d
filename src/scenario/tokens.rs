//! What stands at this byte of a RON text? Just enough reading ahead to know a value's kind and place before ron is asked for it.
//!
//! ron decides what is RON; nothing here accepts or refuses a text.

use super::syntax::foreign::is_invisible;

/// A word of the text: what it is and from where to where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind<'a> {
    /// A text; its inside is `start + before .. end - after`.
    Text {
        before: usize,
        after: usize,
    },
    Number(&'a str),
    Word(&'a str),
    Open(char),
    Close(char),
    Other(char),
    End,
}

impl Token<'_> {
    /// How a message calls it.
    pub(super) fn describe(&self) -> String {
        match self.kind {
            Kind::Text { .. } => "a text".into(),
            Kind::Number(number) if !number.bytes().any(|byte| byte.is_ascii_digit()) => format!("`{number}`"),
            Kind::Number(number) => format!("the number `{number}`"),
            Kind::Word(word) => format!("the word `{word}`"),
            Kind::Open('[') => "a list `[`".into(),
            Kind::Open('{') => "names in `{`".into(),
            Kind::Other(c) if is_invisible(c) => format!("an invisible character (U+{:04X})", u32::from(c)),
            Kind::Other('`') => "a backtick".into(),
            Kind::Open(c) | Kind::Close(c) | Kind::Other(c) => format!("`{c}`"),
            Kind::End => "the end of the text".into(),
        }
    }
}

/// The first byte from `at` on that is neither blank nor part of a comment.
pub(super) fn skip_blank(text: &str, mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let blank = |c: char| c.is_ascii_whitespace() || matches!(c, '\x0b' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}');
        let trimmed = rest.trim_start_matches(blank);
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            at += block_comment(trimmed);
        } else {
            return at;
        }
    }
}

/// Length of the (nested) comment that `text` begins with.
fn block_comment(text: &str) -> usize {
    let (bytes, mut depth, mut at) = (text.as_bytes(), 0_usize, 0);
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
            (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The token that begins at `at`, which is not blank.
pub(super) fn token_at(text: &str, at: usize) -> Token<'_> {
    let rest = &text[at..];
    let token = |kind, len| Token { kind, start: at, end: at + len };
    let Some(first) = rest.chars().next() else { return token(Kind::End, 0) };
    match first {
        '(' | '[' | '{' => token(Kind::Open(first), 1),
        ')' | ']' | '}' => token(Kind::Close(first), 1),
        '"' => {
            let (len, after) = quoted(rest);
            token(Kind::Text { before: 1, after }, len)
        }
        'b' if rest[1..].starts_with('"') => token(Kind::Other(first), 1 + quoted(&rest[1..]).0),
        'r' if raw_hashes(rest).is_some() => {
            let hashes = raw_hashes(rest).unwrap_or(0);
            let close = format!("\"{}", "#".repeat(hashes));
            let before = hashes + 2;
            match rest[before..].find(&close) {
                Some(len) => token(Kind::Text { before, after: close.len() }, before + len + close.len()),
                None => token(Kind::Text { before, after: 0 }, rest.len()),
            }
        }
        'r' if rest[1..].starts_with('#') && rest[2..].starts_with(|c: char| c.is_alphabetic() || c == '_') => {
            let len = rest[2..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(rest.len(), |len| len + 2);
            token(Kind::Word(&rest[2..len]), len)
        }
        '0'..='9' | '+' | '-' | '.' => {
            let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-'))).unwrap_or(rest.len());
            token(Kind::Number(&rest[..len]), len)
        }
        '\'' => token(Kind::Other(first), character(rest)),
        _ if first.is_alphabetic() || first == '_' => {
            let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            token(Kind::Word(&rest[..len]), len)
        }
        _ => token(Kind::Other(first), first.len_utf8()),
    }
}

/// Length of the quoted text that `text` begins with, and of its closing quote (0 if there is none).
fn quoted(text: &str) -> (usize, usize) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (at + 1, 1),
            _ => {}
        }
    }
    (text.len(), 0)
}

/// The number of `#` if `text` begins a raw text.
fn raw_hashes(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('r')?;
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Length of the single quotes that `text` begins with (RON's characters, or what somebody took for a text); a lone `'` is one long.
fn character(text: &str) -> usize {
    let escape = if text[1..].starts_with('\\') { 2 } else { 0 };
    let line = text[1..].split('\n').next().unwrap_or("");
    line.get(escape.max(1)..).and_then(|rest| rest.find('\'')).map_or(1, |len| len + escape.max(1) + 2)
}

/// The end of the whole value that begins at `at`: a scalar, or a word and brackets with all that is in them.
pub(super) fn skip_value(text: &str, at: usize) -> usize {
    let mut token = token_at(text, at);
    if let Kind::Word(_) = token.kind {
        let next = skip_blank(text, token.end);
        if !text[next..].starts_with('(') {
            return token.end;
        }
        token = token_at(text, next);
    }
    let mut depth = 0_usize;
    loop {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth = depth.saturating_sub(1),
            Kind::End => return token.end,
            _ => {}
        }
        if depth == 0 {
            return token.end;
        }
        token = token_at(text, skip_blank(text, token.end));
    }
}

/// The bracket that closes this one.
pub(super) fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Where something that is no RON value at all (`$true`, `5m`, `a@b`) probably ends.
pub(super) fn scalar_end(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    start + rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '[' | ']' | '{' | '}' | '"')).unwrap_or(rest.len())
}

/// What was probably meant as one text although no quotes stand around it: to the end of the words on this line.
pub(super) fn bare_text(text: &str, start: usize) -> &str {
    let scalar = &text[start..scalar_end(text, start)];
    let words = bare_name(text, start);
    let words = words.split(',').next().unwrap_or(words).trim_end();
    // The last word is the name of the next field.
    let words = if text[start + words.len()..].trim_start().starts_with(':') {
        words.rsplit_once(' ').map_or("", |(words, _)| words)
    } else {
        words
    };
    if words.len() > scalar.len() { words } else { scalar }
}

/// What was probably meant as a name although no quotes stand around it: to the colon, or where it cannot go on.
pub(super) fn bare_name(text: &str, start: usize) -> &str {
    let rest = text[start..].split('\n').next().unwrap_or("").split("//").next().unwrap_or("");
    rest[..rest.find(['(', ')', '[', ']', '{', '}', '"', ':']).unwrap_or(rest.len())].trim_end()
}

/// The text of a value on one line: comments gone, one blank where there were some.
pub(super) fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    let mut at = skip_blank(text, 0);
    while at < text.len() {
        let token = token_at(text, at);
        line.push_str(&text[token.start..token.end]);
        at = skip_blank(text, token.end);
        if at > token.end && at < text.len() {
            line.push(' ');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let cases = [
            ("\"a\\\"b\" c", Kind::Text { before: 1, after: 1 }, 6),
            ("r#\"a\"b\"# c", Kind::Text { before: 3, after: 2 }, 8),
            ("\"open", Kind::Text { before: 1, after: 0 }, 5),
            ("1_000,", Kind::Number("1_000"), 5),
            ("-1.5e3)", Kind::Number("-1.5e3"), 6),
            ("Down(", Kind::Word("Down"), 4),
            ("r)", Kind::Word("r"), 1),
            ("r#type:", Kind::Word("type"), 6),
            ("$true", Kind::Other('$'), 1),
            ("'x' y", Kind::Other('\''), 3),
            ("'\\'' y", Kind::Other('\''), 4),
            ("'bob')", Kind::Other('\''), 5),
            ("'", Kind::Other('\''), 1),
            ("", Kind::End, 0),
        ];
        for (text, kind, end) in cases {
            assert_eq!(token_at(text, 0), Token { kind, start: 0, end }, "{text}");
        }
    }

    #[test]
    fn one_line() {
        let text = "For(  to: \"a  b\", // why\n    expect: [\n Delivered( ) ])";
        assert_eq!(on_one_line(text), "For( to: \"a  b\", expect: [ Delivered( ) ])");
    }

    #[test]
    fn blanks_and_values() {
        assert_eq!(skip_blank(" // x\n /* a /* b */ c */ y", 0), 25);
        assert_eq!(skip_blank("/* open", 0), 7);
        for (text, len) in [("Down (a: \")\", b: [1, {}]) , x", 25), ("None, x", 4), ("[(1), '(']x", 10), ("\"a\" b", 3)] {
            assert_eq!(skip_value(text, 0), len, "{text}");
        }
    }
}
