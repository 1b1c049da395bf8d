//! Certificates and who trusts whom. Facts only; `decide::tls` judges them.

use super::topology::HostSet;
use crate::base::SimTime;

/// One certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Its name in the scenario, or `public`, `self-signed`.
    pub name: Box<str>,
    /// Common name, lower case (empty: none).
    pub subject: Box<str>,
    /// SAN DNS names, lower case, wildcards as written.
    pub names: Vec<Box<str>>,
    /// It carries the name of its host, too: the made-up certificate "public".
    pub any_name: bool,
    /// Who signed.
    pub issuer: Issuer,
    /// The name of who signed, as written (also of a public authority that nobody describes).
    pub issuer_name: Box<str>,
    /// Good from.
    pub not_before: SimTime,
    /// Good until (its last instant is good).
    pub not_after: SimTime,
    /// The intermediates are sent along.
    pub sends_chain: bool,
    /// What its revocation service says.
    pub revocation: Revocation,
    /// Signed with MD5.
    pub weak_signature: bool,
    /// Its key: certificates with one key have one digest of it.
    pub key: Box<str>,
    /// The real SHA-256 of its key in lower-case hexadecimal, to be compared with pasted data; empty: not known.
    pub key_digest: Box<str>,
    /// The same of the whole certificate.
    pub digest: Box<str>,
}

impl Certificate {
    /// All names on it, the subject first; `own` is what its machine is called.
    #[must_use]
    pub fn all_names<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        if self.any_name {
            return vec![own];
        }
        let mut names: Vec<&str> = std::iter::once(&*self.subject).filter(|name| !name.is_empty()).collect();
        names.extend(self.names.iter().map(|name| &**name).filter(|name| **name != *self.subject));
        names
    }
}

/// Who signed a certificate.
#[derive(Clone, Debug, PartialEq)]
pub enum Issuer {
    /// A public authority that everybody trusts.
    Public,
    /// Itself.
    SelfSigned,
    /// An authority of the scenario.
    Authority {
        /// Its name.
        name: Box<str>,
        /// Machines that trust it.
        trusted_by: HostSet,
        /// Until when it is good itself.
        not_after: SimTime,
    },
}

/// What a revocation service says.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Revocation {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// No answer.
    Unreachable,
}
