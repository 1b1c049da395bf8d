//! Every stable id that is said about a file, with the one line that documentation shows for it.
//!
//! 00xx reading, 005x files and overlays, 01xx DNS text, 02xx names and references, 03xx values, 04xx what a product refuses,
//! 05xx parts of the format that are not modelled, 06xx and above is the routing wise.

/// A stable id and what it stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Code {
    /// `MT0001`
    pub id: &'static str,
    /// One line of documentation.
    pub about: &'static str,
}

macro_rules! codes {
    ($($name:ident $id:literal $about:literal,)*) => {
        /// The ids by name.
        pub mod code {
            use super::Code;
            $(#[doc = $about] pub const $name: Code = Code { id: $id, about: $about };)*
            /// All of them, in order.
            pub const ALL: &[Code] = &[$($name),*];
        }
    };
}

codes! {
    SYNTAX "MT0001" "the text is not RON",
    UNKNOWN_FIELD "MT0002" "a field that this part of the format does not have",
    UNKNOWN_WORD "MT0003" "a word that is not one of the values or kinds possible here",
    WRONG_SHAPE "MT0004" "a text where a list stands, a list where a number stands, and so on",
    WRITTEN_TWICE "MT0005" "the same field or name twice in the same brackets",
    BRACKETS "MT0006" "a kind without its brackets, or a value word with some",
    NUMBER "MT0007" "a number with a fraction, a sign or too many digits",
    NOT_TEXT "MT0008" "the file is not UTF-8, or empty",
    TOO_LARGE "MT0009" "the file is larger than the bound, or nested too deeply",
    CANNOT_READ "MT0050" "a file cannot be read",
    OUTSIDE "MT0051" "a base or zone file outside the folder of the scenario",
    BASE_CYCLE "MT0052" "a scenario stands on itself, or on a chain of more than eight files",
    TAKES_NOTHING_AWAY "MT0053" "`None` for a name that does not exist",
    BAD_PATH "MT0054" "a --set or --fail that leads nowhere",
}

#[cfg(test)]
mod tests {
    use super::code::ALL;

    #[test]
    fn in_order_and_well_formed() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id), "ids in order, each once");
        assert!(ALL.iter().all(|code| code.id.len() == 6 && code.id.starts_with("MT") && !code.about.is_empty()));
    }
}
