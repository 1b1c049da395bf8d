//! The user's text on its way to a model: read, merged, and every complaint at its place.
//!
//! [`load::Loader`] reads files and flags, [`schema`] is the shape of the text, [`merge::overlay`] lays one over another.
//! Nothing here knows what a route is: a [`schema::Scenario`] says what was written, not what it means.

mod check;
mod compile;
pub mod load;
pub mod merge;
mod read;
pub mod schema;
mod set;
pub mod source;
mod syntax;
mod tokens;
pub mod values;
pub mod zone;

pub use compile::{FOLLOWED_MAX, Invalid, Loaded, expected, load_path, load_text};
pub use load::Loader;
pub use merge::overlay;
pub use source::{At, Entry, Field, Named, Text};

use crate::diag::{Sources, Span};

/// The whole value whose first word or bracket stands at a place, and its text on one line.
#[must_use]
pub fn whole_value(sources: &Sources, place: Span) -> (Span, String) {
    if !place.is_somewhere() {
        return (place, String::new());
    }
    let text = sources.text(place.file);
    let start = place.start as usize;
    let end = tokens::skip_value(&text, start);
    (Span::new(place.file, start, end), tokens::on_one_line(&text[start..end]))
}
