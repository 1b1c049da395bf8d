//! Does every line of what we promise hold? One file per promise in `tests/clauses`: small worlds whose own tests say what must happen.
//!
//! A mail administrator can read them, and `mailtwin test tests/clauses` plays them outside of `cargo test` too.

use std::path::Path;
use std::process::Command;

#[test]
fn every_clause_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_mailtwin")).args(["test", "tests/clauses"]).current_dir(root).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}
