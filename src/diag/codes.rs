//! Every stable id that is said about a file, with the one line that documentation shows for it.
//!
//! 00xx reading, 005x files and overlays, 01xx names and references, 02xx DNS text, 03xx values, 04xx what a product refuses,
//! 05xx parts of the format that are not modelled, 06xx and above: is the routing wise.

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

            /// The code with this id.
            #[must_use]
            pub fn by_id(id: &str) -> Option<Code> {
                ALL.iter().find(|code| code.id == id).copied()
            }
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
    NOT_SCENARIO "MT0010" "a file whose content is no scenario",
    CANNOT_READ "MT0050" "a file cannot be read",
    OUTSIDE "MT0051" "a base or zone file outside the folder of the scenario",
    BASE_CYCLE "MT0052" "a scenario stands on itself, or on a chain of more than eight files",
    TAKES_NOTHING_AWAY "MT0053" "`None` for a name that does not exist",
    BAD_PATH "MT0054" "a --set or --fail that leads nowhere",
    UNKNOWN_NAME "MT0101" "a name that nothing in the scenario has",
    NAME_TAKEN "MT0102" "one name for two of the systems, hosts, sender kinds, groups and sites",
    RESERVED "MT0103" "a reserved name for something else",
    FORGOTTEN_ADDRESS "MT0104" "a hostname that the records cover, without an address of its own",
    ADDRESS_TWICE "MT0105" "one address on two hosts",
    UNCOVERED "MT0106" "a next hop or MX target that nothing in the scenario knows",
    NO_ENTRY "MT0107" "a message of which nobody can say where it enters",
    CLAIMED_TWICE "MT0108" "two equal claims to the same mailboxes",
    BOTH_SPEAK "MT0109" "two statements about one thing, and nothing says which counts",
    SILENT_ADDRESS "MT0110" "an address that mail is sent to and no host has",
    ABSENT_TARGET "MT0111" "a next hop or MX target that does not exist",
    ALIAS_TARGET "MT0112" "an MX target that is an alias",
    NO_ADDRESS "MT0113" "an MX target that leads to no machine: without an address, or with one that means the sender itself",
    MX_SET "MT0114" "an MX set that servers read in different ways",
    ZONE_SYNTAX "MT0201" "master-file text with quotes, parentheses, escapes or directives that are wrong",
    ZONE_TYPE "MT0202" "a word that is no type of record",
    ZONE_CLASS "MT0203" "a DNS class other than IN",
    ZONE_TTL "MT0204" "a time to live that is none, or too long",
    ZONE_OWNER "MT0205" "a record without an owner",
    ZONE_NAME "MT0206" "a DNS name that cannot be",
    ZONE_FINAL_DOT "MT0207" "a DNS name without its final dot and without an origin",
    ZONE_DATA "MT0208" "record data that does not fit its type",
    ZONE_ALIAS "MT0209" "an alias beside other data",
    ZONE_INCLUDE "MT0210" "an `$INCLUDE` that does not work",
    ZONE_SOA "MT0211" "more than one beginning of a zone",
    ZONE_SKIPPED "MT0212" "a record of a type that is not modelled",
    ZONE_DUPLICATE "MT0213" "the same record twice",
    ZONE_MIXED_TTL "MT0214" "different times to live in one set of records",
    ZONE_DOUBLE_ORIGIN "MT0215" "a name that was perhaps complete, but got the origin behind it",
    ZONE_TEXT "MT0216" "a TXT record that is read otherwise than it looks",
    ZONE_TLSA "MT0217" "TLSA data that no client can use",
    ZONE_WILDCARD "MT0218" "a `*` that is no wildcard",
    VALUE "MT0301" "a value that is not of the kind that stands here",
    RANGE "MT0302" "a number or time outside of its bounds",
    MISSING "MT0303" "a field that cannot be left out",
    EXCLUDES "MT0304" "fields that exclude each other",
    UNKNOWN_SETTING "MT0305" "a setting that this server does not have",
    UNKNOWN_SWITCH "MT0306" "a switch that does not exist, or a value that it does not have",
    TOO_MANY "MT0307" "more messages than a run can hold",
    CMDLET_REFUSES "MT0401" "a combination of parameters that the cmdlet refuses",
    LEADS_NOWHERE "MT0402" "routing that the cmdlet takes, and that leads mail in a circle or nowhere",
    EQUALLY_CLOSE "MT0403" "connectors that are equally close: no source says which takes the mail, so `check` answers no",
    NOT_MODELLED "MT0501" "a part of the format that is not modelled yet",
    SETTING_NOT_MODELLED "MT0502" "a setting that the server has and the model does not have yet",
    CHANGE_NOT_MODELLED "MT0503" "something that cannot change while the scenario runs yet",
    NO_EFFECT "MT0601" "a setting that does nothing where it stands",
    UNWISE_CONNECTOR "MT0602" "a connector that experience warns of",
    PUBLISHED "MT0603" "an MTA-STS policy or TLSA record that senders do not use, or that keeps mail away",
    NO_ASSOCIATION "MT0641" "a connector of FOPE that is associated with nobody",
}

#[cfg(test)]
mod tests {
    use super::code::{ALL, by_id};
    use crate::scenario::zone::codes as zone;

    #[test]
    fn in_order_and_well_formed() {
        assert!(ALL.windows(2).all(|pair| pair[0].id < pair[1].id), "ids in order, each once");
        assert!(ALL.iter().all(|code| code.id.len() == 6 && code.id.starts_with("MT") && !code.about.is_empty()));
    }

    #[test]
    fn those_of_the_zone_reader_are_among_them() {
        let ids = [zone::SYNTAX, zone::TYPE, zone::CLASS, zone::TTL, zone::OWNER, zone::NAME, zone::FINAL_DOT, zone::DATA, zone::ALIAS];
        let more = [zone::INCLUDE, zone::SOA, zone::SKIPPED, zone::DUPLICATE, zone::MIXED_TTL, zone::DOUBLE_ORIGIN, zone::TEXT, zone::TLSA];
        assert!(ids.iter().chain(&more).chain(&[zone::WILDCARD]).all(|id| by_id(id).is_some()));
    }
}
