//! The same value twice is one number. Lookup only: the table inside cannot be walked, so its order cannot matter.

#![allow(clippy::disallowed_types, reason = "the one lookup-only table: fixed hasher, never iterated")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A multiplicative hasher with a fixed key: fast, and the same everywhere.
#[derive(Clone, Default)]
struct Fixed(u64);

impl Hasher for Fixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }
    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }
    fn write_u16(&mut self, n: u16) {
        self.write_u64(u64::from(n));
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 29;
    }
}

/// Values in the order they were first seen, each with its number.
#[derive(Clone)]
pub struct Interner<T> {
    values: Vec<T>,
    index: HashMap<T, u32, BuildHasherDefault<Fixed>>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: Vec::new(), index: HashMap::default() }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Interner<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.values.fmt(out)
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The number of `value`; a new one if it was never seen.
    pub fn intern(&mut self, value: T) -> u32 {
        if let Some(id) = self.index.get(&value) {
            return *id;
        }
        let id = u32::try_from(self.values.len()).expect("fewer than 2^32 different values");
        self.values.push(value.clone());
        self.index.insert(value, id);
        id
    }

    /// The number of `value`, if it was seen.
    pub fn find<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        T: std::borrow::Borrow<Q>,
    {
        self.index.get(value).copied()
    }

    /// The value with this number.
    pub fn get(&self, id: u32) -> &T {
        &self.values[id as usize]
    }

    /// All values, in the order of their numbers.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}
