//! What systems do about the origin of mail: what a receiver looks at, and what a system on the way does to signatures.
//!
//! Sources: RFC 6376 §5 (who signs), §3.7 (what breaks a signature), RFC 8601. The default of a receiver is to look and to say what it found.

/// What is done with one kind of check.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// Not looked at.
    Ignore,
    /// Looked at, and said.
    #[default]
    Report,
    /// Looked at, and acted on.
    Enforce,
}

/// What a receiver looks at.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Checks {
    /// The address of the client against the domain of the sender.
    pub spf: Mode,
    /// Signatures.
    pub dkim: Mode,
    /// The author's domain.
    pub dmarc: Mode,
    /// A name for the address of the client.
    pub ptr: Mode,
}

impl Checks {
    /// Something is acted on.
    #[must_use]
    pub fn enforce(&self) -> bool {
        [self.spf, self.dkim, self.dmarc, self.ptr].contains(&Mode::Enforce)
    }
}

/// What a system does to a message that it passes on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Change {
    /// Text at the end of the body: a list's footer, a disclaimer.
    Footer,
    /// A mark in the subject.
    SubjectTag,
    /// An 8-bit body in quoted-printable, for a next hop without 8BITMIME.
    Reencoded,
    /// Another author: `From` names a domain of the system.
    FromRewritten,
    /// Another value of a field that signers sign as a rule.
    SignedField,
    /// A new header, which nobody signed.
    HeaderAdded,
}

/// Whose signature is put on a message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Signer {
    /// `d=`
    pub domain: Box<str>,
    /// `s=`; without one the key record is taken to be in place.
    pub selector: Option<Box<str>>,
}

/// The part of a system in all this.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Stance {
    /// What it looks at, if the scenario says so.
    pub checks: Option<Checks>,
    /// What it does to everything that it passes on.
    pub changes: Vec<Change>,
    /// Its signature on everything that leaves it, put on after those changes.
    pub signs: Option<Signer>,
}
