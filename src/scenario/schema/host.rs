//! What every machine may have, and the small parts that several kinds of systems share.

use super::{Fault, Profile};
use crate::scenario::source::{Field, Named, Text};

words! {
    /// What an Exchange server is.
    pub enum Role("a role") { Mailbox, Edge }
    /// What happens to a connection when all slots are taken.
    pub enum WhenFull("a value of `when_full`") { Wait, Reply421, Silence }
    /// A version of TLS.
    pub enum TlsVersionWord("a version of TLS") { Tls10, Tls11, Tls12, Tls13 }
    /// What a client asks of TLS.
    pub enum TlsLevel("a TLS level") { None, May, Encrypt, Verify, Secure, Fingerprint, Dane, DaneOnly }
    /// What caches know at the start.
    pub enum Caches("a value of `caches`") { Cold, Warm, Aged }
    /// What follows from a check.
    pub enum CheckMode("a mode of a check") { Ignore, Report, Enforce }
    /// What becomes of mail in Exchange that is not for a known recipient.
    pub enum DomainType("a type of accepted domain") { Authoritative, InternalRelay, ExternalRelay }
}

schema! {
    /// A machine with queues of its own; a system without `hosts` has these fields itself.
    pub struct Host("a host") either (egress, egress_pool) {
        hostname: Field<Text>,
        addresses: Field<Vec<Text>>,
        egress: Field<Text>,
        /// Each connection leaves from one of these.
        egress_pool: Field<Vec<Text>>,
        /// Public addresses that NAT leads here.
        forwarded: Field<Vec<Text>>,
        certificate: Field<Text>,
        listeners: Named<Listener>,
        receives: Field<Vec<Fault>>,
        site: Field<Text>,
        role: Field<Role>,
        mailboxes: Field<Vec<Text>>,
        sessions: Field<u64>,
        when_full: Field<WhenFull>,
        service_time: Field<Text>,
    }

    /// A port that takes connections.
    pub struct Listener("a listener", usual &["smtp"]) {
        port: Field<u64>,
        implicit_tls: Field<bool>,
        require_tls: Field<bool>,
        require_login: Field<bool>,
        without: Field<Vec<Text>>,
        tls_versions: Field<(TlsVersionWord, TlsVersionWord)>,
    }

    /// How a client uses TLS.
    pub struct ClientTls("`tls`") {
        level: Field<TlsLevel>,
        policies: Named<TlsPolicy>,
        mta_sts: Field<bool>,
        versions: Field<(TlsVersionWord, TlsVersionWord)>,
    }

    /// What a client asks of TLS at one next hop.
    pub struct TlsPolicy("a TLS policy") {
        implicit_tls: Field<bool>,
        level: Field<TlsLevel>,
        names: Field<Vec<Text>>,
    }

    /// What a server looks at.
    pub struct Checks("`checks`") {
        spf: Field<CheckMode>,
        dkim: Field<CheckMode>,
        dmarc: Field<CheckMode>,
        ptr: Field<CheckMode>,
    }

    /// Where a server scans its queue.
    pub struct QueueRuns("`queue_runs`") {
        every: Field<Text>,
        offset: Field<Text>,
    }

    /// One kind of sender in the internet.
    pub struct SenderKind("a kind of sender") first forget_settings_of_another_sender {
        weight: Field<u64>,
        profile: Field<Profile>,
        version: Field<Text>,
        resolvers: Field<u64>,
        pool: Field<u64>,
        min_ttl: Field<Text>,
        /// What their caches know at the start; many caches are `Aged`, one is `Cold`.
        caches: Field<Caches>,
        tls: Field<ClientTls>,
        settings: Named<Text>,
    }
}

fn forget_settings_of_another_sender(old: &mut SenderKind, over: &SenderKind) {
    if profile_changes(&old.profile, &over.profile) {
        old.settings = Named::default();
    }
}

/// Does the overlay make it another server? Left out is `Rfc`.
pub(super) fn profile_changes(old: &Field<Profile>, over: &Field<Profile>) -> bool {
    over.get().is_some_and(|profile| *profile != old.or(Profile::Rfc))
}
