//! Names and proofs: DNS, resolvers, authorities, certificates, MTA-STS.

use super::super::read::{Brackets, Entries, Fields, Reader, Stopped};
use super::super::set::{PathProblem, Step};
use crate::diag::Span;
use crate::scenario::merge::Merger;
use crate::scenario::source::{Field, Named, Text};

words! {
    /// Is a domain signed?
    pub enum Dnssec("a state of DNSSEC") { Secure, Insecure, Bogus }
    /// What becomes of names that nobody wrote.
    pub enum Rest("a value of `rest`") { Internet, NxDomain }
    /// The order of records in an answer.
    pub enum AnswerOrder("an order of answers") { Random, Rotated, AsWritten }
    /// What a revocation check says.
    pub enum Revocation("a state of revocation") { Good, Revoked, Unreachable }
}

schema! {
    /// Public DNS data, with views of it.
    pub struct Dns("`dns`") inlines layers: Layers {
        views: Named<View>,
        dnssec: Named<Dnssec>,
        rest: Field<Rest>,
        answer_order: Field<AnswerOrder>,
    }

    /// What some resolvers see instead of the public data.
    pub struct View("a DNS view") inlines layers: Layers {}

    /// Records that were written together. `remove` takes away from the layers below, then `records` and `files` replace every owner and
    /// type that they mention.
    pub struct Layer("DNS data") {
        records: Field<Text>,
        files: Field<Vec<Text>>,
        remove: Field<Vec<Text>>,
    }

    /// A resolver with a cache.
    pub struct ResolverDef("a resolver") {
        used_by: Field<Vec<Text>>,
        view: Field<Text>,
        latency: Field<Text>,
        timeout: Field<Text>,
        tries: Field<u64>,
        min_ttl: Field<Text>,
        max_ttl: Field<Text>,
        max_negative_ttl: Field<Text>,
        max_failure_ttl: Field<Text>,
        serve_stale: Field<Text>,
        warm: Field<bool>,
    }

    /// A certificate authority.
    pub struct AuthorityDef("an authority") {
        trusted_by: Field<Vec<Text>>,
        key: Field<Text>,
        not_after: Field<Text>,
    }

    /// A certificate.
    pub struct CertificateDef("a certificate") {
        subject: Field<Text>,
        names: Field<Vec<Text>>,
        issuer: Field<Text>,
        not_before: Field<Text>,
        not_after: Field<Text>,
        key: Field<Text>,
        sends_chain: Field<bool>,
        revocation: Field<Revocation>,
        weak_signature: Field<bool>,
        spki_sha256: Field<Text>,
        cert_sha256: Field<Text>,
    }

    /// The policy of a domain, as its web server shows it.
    pub struct MtaSts("an MTA-STS policy") {
        policy: Field<Text>,
        certificate: Field<Text>,
    }
}

/// DNS data from every text that has some, the base first. Texts are not merged: the zone reader lets each layer replace what it mentions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers(pub Vec<Layer>);

impl Fields for Layers {
    const WHAT: &'static str = Layer::WHAT;

    fn merge_fields(&mut self, over: &Self, _: &mut Merger) {
        self.0.extend(over.0.iter().cloned());
    }
}

impl Brackets for Layers {
    fn names(&self, out: &mut Vec<&'static str>) {
        Layer::default().names(out);
    }

    fn set_place(&mut self, _: Span) {}

    fn read_field<'de>(&mut self, name: &str, reader: &Reader<'de>, entries: &mut dyn Entries<'de>) -> Result<bool, Stopped> {
        let mut layer = self.0.pop().unwrap_or_default();
        let known = layer.read_field(name, reader, entries)?;
        if layer != Layer::default() {
            self.0.push(layer);
        }
        Ok(known)
    }

    fn wrap_field(&self, name: &str, path: &[Step], value: &str) -> Option<Result<String, PathProblem>> {
        Layer::default().wrap_field(name, path, value)
    }
}
