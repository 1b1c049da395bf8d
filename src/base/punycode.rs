//! How is a label in other letters than ASCII written in DNS? As its A-label: `bücher` is `xn--bcher-kva`.
//!
//! Sources: RFC 3492 (Punycode, the parameters of §5 and the encoder of §6.3), RFC 5890 §2.3.2.1 (A-labels). Only to tell a person what to write:
//! letters become lower case, and nothing else is mapped or judged.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// The name with each label as DNS has it; `None` if a label would be longer than 63 characters.
#[must_use]
pub fn ascii_form(name: &str) -> Option<String> {
    let labels: Option<Vec<String>> =
        name.split('.').map(|label| if label.is_ascii() { Some(label.to_owned()) } else { a_label(label) }).collect();
    labels.map(|labels| labels.join("."))
}

fn a_label(label: &str) -> Option<String> {
    let letters: Vec<u32> = label.to_lowercase().chars().map(u32::from).collect();
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
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("BÜCHER.example.", Some("xn--bcher-kva.example.")),
            ("mail.münchen.de", Some("mail.xn--mnchen-3ya.de")),
            ("παράδειγμα.δοκιμή", Some("xn--hxajbheg2az3al.xn--jxalpdlp")),
            ("例え.テスト", Some("xn--r8jz45g.xn--zckzah")),
            ("пример.испытание", Some("xn--e1afmkfd.xn--80akhbyknj4f")),
            ("*.bücher.example", Some("*.xn--bcher-kva.example")),
            ("plain.example", Some("plain.example")),
        ];
        for (name, expected) in cases {
            assert_eq!(ascii_form(name).as_deref(), expected, "{name}");
        }
        assert_eq!(ascii_form(&"ü".repeat(80)), None);
    }
}
