//! The top level of a scenario, and its dated changes.

use super::{AuthorityDef, CertificateDef, Dns, Expectation, Fault, MtaSts, Operation, ResolverDef, System, Test, Traffic};
use crate::scenario::source::{Field, Named, Text};

words! {
    /// The time whose rules the shared service follows.
    pub enum Era("an era") { Fope2012, Eop2014, Eop2017, Exo2022, Exo2026 }
}

schema! {
    /// A whole file, a variant, a test's `given`, the text of a flag: all the same.
    pub struct Scenario("a scenario", word "Scenario", overlay true) {
        name: Field<Text>,
        overview: Field<Text>,
        base: Field<Text>,
        seed: Field<u64>,
        start: Field<Text>,
        until: Field<Text>,
        exchange_online: Field<ExchangeOnlineService>,
        dns: Field<Dns>,
        resolvers: Named<ResolverDef>,
        authorities: Named<AuthorityDef>,
        certificates: Named<CertificateDef>,
        mta_sts: Named<MtaSts>,
        systems: Named<System>,
        groups: Named<Vec<Text>>,
        links: Named<Link>,
        traffic: Named<Traffic>,
        faults: Named<Fault>,
        changes: Named<Change>,
        variants: Named<Scenario>,
        invariants: Named<Expectation>,
        tests: Named<Test>,
        limits: Field<Limits>,
    }

    /// The service that all tenants share.
    pub struct ExchangeOnlineService("`exchange_online`") {
        era: Field<Era>,
        pool: Field<u64>,
        addresses: Field<Vec<Text>>,
        high_risk_pool: Field<Vec<Text>>,
        relay_pool: Field<Vec<Text>>,
        switches: Named<Text>,
    }

    /// A line whose latency is not the usual one.
    pub struct Link("a link") {
        between: Field<(Text, Text)>,
        latency: Field<Text>,
    }

    /// An overlay that comes into force while the scenario runs.
    pub struct Change("a dated change", overlay true) {
        at: Field<Text>,
        dns: Field<Dns>,
        systems: Named<System>,
        authorities: Named<AuthorityDef>,
        certificates: Named<CertificateDef>,
        mta_sts: Named<MtaSts>,
        links: Named<Link>,
        exchange_online: Field<ExchangeOnlineService>,
        retry_queues: Field<Vec<Text>>,
        operations: Field<Vec<Operation>>,
    }

    /// Bounds that a scenario may raise.
    pub struct Limits("`limits`") {
        events: Field<u64>,
        hops: Field<u64>,
        messages: Field<u64>,
    }
}

impl Change {
    /// The change without its moment, as what is laid over the scenario.
    #[must_use]
    pub fn overlay(&self) -> Scenario {
        let change = self.clone();
        Scenario {
            place: change.place,
            dns: change.dns,
            systems: change.systems,
            authorities: change.authorities,
            certificates: change.certificates,
            mta_sts: change.mta_sts,
            links: change.links,
            exchange_online: change.exchange_online,
            ..Scenario::default()
        }
    }
}

impl Scenario {
    /// The same without dated changes, variants and tests: what is laid over it a thousand times.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { changes: Named::default(), variants: Named::default(), tests: Named::default(), ..self.clone() }
    }
}
