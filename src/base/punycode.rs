//! How is a name in other letters than ASCII written in DNS? Its labels as A-labels: `bücher` is `xn--bcher-kva`.
//!
//! Sources: RFC 3492 (Punycode, the parameters of §5 and the encoder of §6.3), RFC 5890 §2.3.2.1 (A-labels), RFC 5891 §4.2 (what a label may be),
//! RFC 5892 (letters), RFC 5895 (what people type: large letters, full-width ASCII, ideographic full stops, letters in two characters).
//! Refused and not mapped: compatibility forms such as `ﬁ` and `①`, joiners and middle dots. Not judged: whether letters of two directions stand in
//! one label, whether an A-label that somebody wrote means anything, and what a registry allows.

use super::letters::{composed, is_allowed, is_mark};

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
/// A label has 63 letters at most, and each may be written in four characters.
const LETTERS_MAX: usize = 252;

/// One name in both forms.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Spelling {
    /// As DNS has it; labels in ASCII stay as they are.
    pub ascii: String,
    /// As people read it: small letters, each one character.
    pub unicode: String,
}

/// Why a label in other letters has no A-label.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadLabel {
    /// A character that no label has.
    #[error("`{0}` is not a letter, digit or mark that a name may have (RFC 5892); a name that has an A-label can be written with that")]
    Letter(String),
    /// A mark without a letter before it.
    #[error("a label cannot begin with the mark `{0}`")]
    Mark(String),
    /// An A-label has no other letters.
    #[error("a label that begins with `xn--` is an A-label, which has ASCII letters only")]
    Half,
    /// More than 63 characters.
    #[error("the A-label of `{0}` would be longer than 63 characters")]
    TooLong(String),
}

/// The name with each label as DNS has it, and as people read it.
///
/// # Errors
/// A label in other letters than ASCII that has no A-label.
pub fn spell(name: &str) -> Result<Spelling, BadLabel> {
    if name.is_ascii() {
        return Ok(Spelling { ascii: name.to_owned(), unicode: name.to_owned() });
    }
    let (mut ascii, mut unicode) = (Vec::new(), Vec::new());
    for label in name.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        if !label.is_ascii() && label.chars().count() > LETTERS_MAX {
            return Err(BadLabel::TooLong(label.chars().take(20).collect::<String>() + "…"));
        }
        let label = if label.is_ascii() { label.to_owned() } else { composed(label.chars().flat_map(small)) };
        ascii.push(a_label(&label)?);
        unicode.push(label);
    }
    Ok(Spelling { ascii: ascii.join("."), unicode: unicode.join(".") })
}

/// What people type for a letter: large ones, and those as wide as a Chinese character.
fn small(letter: char) -> impl Iterator<Item = char> {
    let narrow = match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).expect("ASCII"),
        other => other,
    };
    narrow.to_lowercase()
}

fn a_label(label: &str) -> Result<String, BadLabel> {
    if label.is_ascii() {
        return Ok(label.to_owned());
    }
    if label.starts_with("xn--") {
        return Err(BadLabel::Half);
    }
    let shown = |letter: char| if letter.is_alphanumeric() { letter.to_string() } else { letter.escape_unicode().to_string() };
    let may_stand =
        |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_' || !letter.is_ascii() && is_allowed(letter);
    if let Some(letter) = label.chars().find(|letter| !may_stand(*letter)) {
        return Err(BadLabel::Letter(shown(letter)));
    }
    if let Some(first) = label.chars().next().filter(|first| is_mark(*first)) {
        return Err(BadLabel::Mark(shown(first)));
    }
    encoded(label).ok_or_else(|| BadLabel::TooLong(label.to_owned()))
}

/// RFC 3492 §6.3; `None` if the label would be longer than 63 characters.
fn encoded(label: &str) -> Option<String> {
    let letters: Vec<u32> = label.chars().map(u32::from).collect();
    let mut text: String = letters.iter().filter_map(|letter| char::from_u32(*letter).filter(char::is_ascii)).collect();
    let basic = text.len() as u32;
    if basic > 0 {
        text.push('-');
    }
    let (mut next, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72_u32, basic);
    while (done as usize) < letters.len() {
        let least = letters.iter().copied().filter(|letter| *letter >= next).min()?;
        delta = delta.checked_add((least - next).checked_mul(done + 1)?)?;
        next = least;
        for letter in &letters {
            if *letter < next {
                delta = delta.checked_add(1)?;
            }
            if *letter == next {
                push_number(&mut text, delta, bias);
                bias = adapted(delta, done + 1, done == basic);
                (delta, done) = (0, done + 1);
            }
        }
        (delta, next) = (delta.checked_add(1)?, next + 1);
    }
    (text.len() + 4 <= 63).then(|| format!("xn--{text}"))
}

/// A number whose last digit is known by its size (§3.3).
fn push_number(text: &mut String, number: u32, bias: u32) {
    let (mut rest, mut place) = (number, BASE);
    loop {
        let threshold = place.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < threshold {
            break text.push(digit(rest));
        }
        text.push(digit(threshold + (rest - threshold) % (BASE - threshold)));
        (rest, place) = ((rest - threshold) / (BASE - threshold), place + BASE);
    }
}

fn digit(value: u32) -> char {
    // First the letters, then the figures.
    char::from_digit(if value < 26 { value + 10 } else { value - 26 }, BASE).expect("below 36")
}

/// §6.1
fn adapted(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        (delta, bias) = (delta / (BASE - T_MIN), bias + BASE);
    }
    bias + (BASE - T_MIN + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let cases = [
            ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
            ("BÜCHER.Example.", "xn--bcher-kva.Example.", "bücher.Example."),
            ("bu\u{308}cher.example", "xn--bcher-kva.example", "bücher.example"),
            ("mail.münchen.de", "mail.xn--mnchen-3ya.de", "mail.münchen.de"),
            ("παράδειγμα.δοκιμή", "xn--hxajbheg2az3al.xn--jxalpdlp", "παράδειγμα.δοκιμή"),
            ("ΒΌΛΟΣ.example", "xn--nxasmq6b.example", "βόλοσ.example"),
            ("βόλος.example", "xn--nxasmm1c.example", "βόλος.example"),
            ("faß.de", "xn--fa-hia.de", "faß.de"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah", "例え.テスト"),
            ("ｍａｉｌ．例え．テスト", "mail.xn--r8jz45g.xn--zckzah", "mail.例え.テスト"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f", "пример.испытание"),
            ("उदाहरण.परीक्षा", "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g", "उदाहरण.परीक्षा"),
            ("실례.테스트", "xn--9n2bp8q.xn--9t4b11yi5a", "실례.테스트"),
            ("*.bücher.example", "*.xn--bcher-kva.example", "*.bücher.example"),
            ("plain.example", "plain.example", "plain.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ];
        for (name, ascii, unicode) in cases {
            assert_eq!(spell(name), Ok(Spelling { ascii: ascii.into(), unicode: unicode.into() }), "{name}");
        }
    }

    #[test]
    fn labels_that_are_none() {
        let cases = [
            ("i☃.example", BadLabel::Letter("\\u{2603}".into())),
            ("ﬁsch.example", BadLabel::Letter("ﬁ".into())),
            ("bü cher.example", BadLabel::Letter("\\u{20}".into())),
            ("bü\u{202e}cher.example", BadLabel::Letter("\\u{202e}".into())),
            ("b*ü.example", BadLabel::Letter("\\u{2a}".into())),
            ("\u{301}ü.example", BadLabel::Mark("\\u{301}".into())),
            ("xn--bücher.example", BadLabel::Half),
        ];
        for (name, expected) in cases {
            assert_eq!(spell(name), Err(expected), "{name}");
        }
        assert_eq!(spell(&"ü".repeat(80)), Err(BadLabel::TooLong("ü".repeat(80))));
        assert_eq!(spell(&"ü".repeat(1_000_000)), Err(BadLabel::TooLong("ü".repeat(20) + "…")));
    }
}
