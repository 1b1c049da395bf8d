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

pub use compile::{Invalid, Loaded, load_path, load_text};
pub use load::Loader;
pub use merge::overlay;
pub use source::{At, Entry, Field, Named, Text};
