//! What does a value in xtext say? The writing of ENVID and ORCPT.
//!
//! Sources: RFC 3461 §4 (xtext: `+` and two large hexadecimal digits for a character), §4.2 and §4.4 (only printable characters are meant by it).

/// What the text means, or which bytes of it are wrong and why.
///
/// # Errors
/// A character that cannot stand there, a `+` without its two digits, or one that stands for something unprintable.
pub fn decode_xtext(text: &str) -> Result<String, (std::ops::Range<usize>, &'static str)> {
    let bytes = text.as_bytes();
    let mut meaning = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'+' => {
                let digit = |place: usize| bytes.get(place).and_then(|digit| hexadecimal(*digit));
                let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) else {
                    return Err((at..at + 1, "`+` needs two hexadecimal digits behind it, letters in upper case; a plus itself is `+2B`"));
                };
                let character = high * 16 + low;
                if !matches!(character, b' '..=b'~') {
                    return Err((at..at + 3, "it may stand for printable ASCII characters only"));
                }
                meaning.push(char::from(character));
                at += 3;
            }
            b'!'..=b'~' if *byte != b'=' => {
                meaning.push(char::from(*byte));
                at += 1;
            }
            _ => {
                let end = at + text[at..].chars().next().map_or(1, char::len_utf8);
                return Err((
                    at..end,
                    "only visible ASCII characters but `=` stand for themselves; a blank is `+20`, an equals sign `+3D`",
                ));
            }
        }
    }
    Ok(meaning)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says() {
        let cases = [
            ("", Ok("")),
            ("QQ314159", Ok("QQ314159")),
            ("a+20b+3Dc+2B", Ok("a b=c+")),
            ("rfc822;x@y", Ok("rfc822;x@y")),
            ("a b", Err(1..2)),
            ("a=b", Err(1..2)),
            ("aü", Err(1..3)),
            ("a+2b", Err(1..2)),
            ("a+", Err(1..2)),
            ("a+0A", Err(1..4)),
            ("+7F", Err(0..3)),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_xtext(text).map_err(|(place, _)| place), expected.map(str::to_owned), "{text}");
        }
    }
}
