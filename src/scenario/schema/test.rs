//! The scenario's own tests, and the cases laid over them.

use super::{Expectation, Message, Scenario};
use crate::scenario::source::{Field, Named, Text};

schema! {
    /// A test, or a case of one.
    pub struct Test("a test", overlay true) {
        variant: Field<Text>,
        given: Field<Scenario>,
        send: Field<Message>,
        expect: Field<Vec<Expectation>>,
        cases: Named<Test>,
        tags: Field<Vec<Text>>,
        skip: Field<Text>,
        expect_fail: Field<Text>,
        seeds: Field<u64>,
        with_traffic: Field<bool>,
        until: Field<Text>,
    }
}
