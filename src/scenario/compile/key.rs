//! Whose luck is it? A number made of a purpose and a name, so that other names can come and go without a trace.

use sha2::{Digest, Sha256};

/// First 64 bits of SHA-256 of a purpose and a name.
pub(super) fn name_key(purpose: &str, name: &str) -> u64 {
    let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(name).finalize();
    u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::name_key;

    #[test]
    fn names_and_purposes_differ() {
        assert_ne!(name_key("host", "a"), name_key("host", "b"));
        assert_ne!(name_key("host", "a"), name_key("source", "a"));
        assert_ne!(name_key("ab", "c"), name_key("a", "bc"));
    }
}
