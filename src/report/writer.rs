//! JSON, written in the order in which it is said.
//!
//! Keys keep their order, numbers are exact (seconds are decimals made from whole nanoseconds), and strings hide nothing: what a terminal
//! would act upon is escaped too, not only what RFC 8259 §7 asks for.

use crate::base::{SimTime, printable, seconds};
use std::borrow::Cow;
use std::fmt::Write;

/// A JSON document under way.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    /// Nothing stands before the next value that a comma would have to part it from.
    fresh: bool,
}

impl Writer {
    /// An empty document.
    pub fn new() -> Self {
        Self { text: String::new(), fresh: true }
    }

    /// What was written so far.
    pub fn into_text(self) -> String {
        self.text
    }

    /// `"key":` of the next value.
    pub fn key(&mut self, key: &str) -> &mut Self {
        self.value(|writer| writer.quote(key));
        self.text.push_str(": ");
        self.fresh = true;
        self
    }

    /// `"key":` on a line of its own.
    pub fn line_key(&mut self, key: &str) -> &mut Self {
        self.text.push_str(if self.fresh { "\n  " } else { ",\n  " });
        self.fresh = true;
        self.key(key)
    }

    /// A string, or null.
    pub fn string<'a>(&mut self, value: impl Into<Option<&'a str>>) {
        match value.into() {
            Some(value) => self.value(|writer| writer.quote(value)),
            None => self.raw("null"),
        }
    }

    /// A whole number.
    pub fn number(&mut self, value: impl Into<u64>) {
        self.raw(&value.into().to_string());
    }

    /// A moment in seconds; null for none and for never.
    pub fn moment(&mut self, value: impl Into<Option<SimTime>>) {
        self.duration(value.into().filter(|at| *at != SimTime::NEVER).map(|at| at.0));
    }

    /// Nanoseconds as seconds, or null.
    pub fn duration(&mut self, nanoseconds: Option<u64>) {
        self.raw(&nanoseconds.map_or("null".to_owned(), seconds));
    }

    /// An object.
    pub fn object(&mut self, body: impl FnOnce(&mut Self)) {
        self.value(|writer| {
            writer.text.push('{');
            writer.fresh = true;
            body(writer);
            writer.text.push('}');
        });
    }

    /// A list.
    pub fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut body: impl FnMut(&mut Self, T)) {
        self.value(|writer| {
            writer.text.push('[');
            writer.fresh = true;
            items.into_iter().for_each(|item| body(writer, item));
            writer.text.push(']');
        });
    }

    /// A list with a line for each item.
    pub fn lines<T>(&mut self, items: impl IntoIterator<Item = T>, mut body: impl FnMut(&mut Self, T)) {
        self.array(items, |writer, item| {
            writer.text.push_str(if writer.fresh { "\n    " } else { ",\n    " });
            writer.fresh = true;
            body(writer, item);
        });
    }

    /// A line break before what closes the document.
    pub fn last_line(&mut self) {
        self.text.push('\n');
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.value(|writer| writer.text.push_str(json));
    }

    fn value(&mut self, write: impl FnOnce(&mut Self)) {
        if !self.fresh {
            self.text.push_str(", ");
        }
        write(self);
        self.fresh = false;
    }

    fn quote(&mut self, value: &str) {
        self.text.push('"');
        if matches!(printable(value), Cow::Borrowed(_)) && !value.contains(['"', '\\']) {
            self.text.push_str(value);
        } else {
            value.chars().for_each(|c| self.escape(c));
        }
        self.text.push('"');
    }

    fn escape(&mut self, c: char) {
        match c {
            '"' => self.text.push_str("\\\""),
            '\\' => self.text.push_str("\\\\"),
            '\n' => self.text.push_str("\\n"),
            '\t' => self.text.push_str("\\t"),
            c if matches!(printable(c.encode_utf8(&mut [0; 4])), Cow::Borrowed(_)) => self.text.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(self.text, "\\u{unit:04x}").expect("a string takes all text");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_back_and_hide_nothing() {
        for text in ["plain ä", "a\"b\\c", "\u{1b}[31m\n\t\r\u{9b}", "\u{202e}evil", "tag \u{e0041}", ""] {
            let mut writer = Writer::new();
            writer.string(text);
            let json = writer.into_text();
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            assert_eq!(printable(&json), json);
        }
    }

    #[test]
    fn layout() {
        let mut writer = Writer::new();
        writer.object(|w| {
            w.line_key("list").lines([1_u64, 2], |w, n| w.object(|w| w.key("n").number(n)));
            w.line_key("none").array([(); 0], |w, ()| w.raw("null"));
            w.line_key("at_s").moment(SimTime(1_500_000_000));
            w.line_key("never_s").moment(SimTime::NEVER);
            w.last_line();
        });
        let expected = "{\n  \"list\": [\n    {\"n\": 1},\n    {\"n\": 2}],\n  \"none\": [],\n  \"at_s\": 1.5,\n  \"never_s\": null\n}";
        assert_eq!(writer.into_text(), expected);
    }
}
